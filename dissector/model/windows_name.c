/* SPDX-License-Identifier: GPL-2.0-or-later
 * windows_name.c - names of accounts as Windows compares them.
 *
 * In, out, state: see windows_name.h. */
#include "model/windows_name.h"

/* The letter at `*p`, as a capital, and past it. */
static gunichar next_letter(const char **p)
{
    enum { BEYOND = 0x110000 }; /* Unicode; so are the errors of g_utf8_get_char_validated */
    gunichar c = g_utf8_get_char_validated(*p, -1);

    if (c >= BEYOND) {
        guchar byte = (guchar) * *p;
        (*p)++;
        return BEYOND + byte;
    }
    *p = g_utf8_next_char(*p);
    return g_unichar_toupper(c);
}

int ccm_windows_name_cmp(const char *a, const char *b)
{
    while (*a && *b) {
        gunichar x = next_letter(&a), y = next_letter(&b);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return (*a != 0) - (*b != 0);
}

gboolean ccm_windows_name_equal(gconstpointer a, gconstpointer b)
{
    return ccm_windows_name_cmp(a, b) == 0;
}

guint ccm_windows_name_hash(gconstpointer name)
{
    guint h = 5381;
    for (const char *p = name; *p;)
        h = h * 33 + next_letter(&p);
    return h;
}
