/* SPDX-License-Identifier: GPL-2.0-or-later
 * sample.h - long sweeps look at every Nth variant; what tests/sample.py says, for programs. */
#ifndef CCM_TESTS_SAMPLE_H
#define CCM_TESTS_SAMPLE_H

#include <glib.h>

static inline unsigned sample_every(void)
{
    const char *text = g_getenv("CCM_SAMPLE");
    guint64 every = text ? g_ascii_strtoull(text, NULL, 10) : 0;
    return every ? (unsigned)every : 4;
}

#endif
