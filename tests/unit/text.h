/* SPDX-License-Identifier: GPL-2.0-or-later
 * text.h - numbers and keys as text for the drivers, whose dumps are most of some tests' time when
 * printf makes them. */
#ifndef CCM_TESTS_TEXT_H
#define CCM_TESTS_TEXT_H

#include <glib.h>

static inline void text_u64(GString *out, uint64_t n)
{
    char digits[20]; /* of 2^64 - 1 */
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    g_string_append_len(out, digits + at, (gssize)(sizeof digits - at));
}

/* " key=" */
static inline void text_key(GString *out, const char *key)
{
    g_string_append_c(out, ' ');
    g_string_append(out, key);
    g_string_append_c(out, '=');
}

#endif
