/* SPDX-License-Identifier: GPL-2.0-or-later
 * units.c - numbers as people read them.
 * In: integers. Out: text appended to a GString. State: none. Rules: report.h. */
#include "report/report.h"

enum { NS_PER_US = 1000, NS_PER_MS = 1000000 };
#define NS_PER_S UINT64_C(1000000000)

/* `value` in steps of 1000 with three significant digits, half rounded up; `units` ends with NULL
 * and its last entry takes whatever is left. */
static void scaled(GString *out, uint64_t value, const char *const *units)
{
    if (value < 1000) {
        g_string_append_printf(out, "%" G_GUINT64_FORMAT " %s", value, units[0]);
        return;
    }
    /* `rest` keeps the full value: divisor is the unit, so only one rounding happens. */
    unsigned u = 0;
    uint64_t divisor = 1;
    while (units[u + 1] && value / divisor >= 1000) {
        divisor *= 1000;
        u++;
    }
    for (;;) {
        uint64_t whole = value / divisor;
        uint64_t scale = whole < 10 ? 100 : whole < 100 ? 10 : 1;
        uint64_t step = divisor / scale ? divisor / scale : 1;
        uint64_t rounded = value / step + (value % step >= (step + 1) / 2 && step > 1 ? 1 : 0);
        if (rounded >= 1000 && scale > 1) { /* 9.996 -> 10.0, 99.96 -> 100 */
            scale /= 10;
            rounded = (rounded + 5) / 10;
        } else if (rounded >= 1000 && units[u + 1]) { /* 999.6 k -> 1.00 M */
            divisor *= 1000;
            u++;
            g_string_append_printf(out, "1.00 %s", units[u]);
            return;
        }
        if (scale == 1)
            g_string_append_printf(out, "%" G_GUINT64_FORMAT " %s", rounded, units[u]);
        else
            g_string_append_printf(out, "%" G_GUINT64_FORMAT ".%0*" G_GUINT64_FORMAT " %s",
                                   rounded / scale, scale == 100 ? 2 : 1, rounded % scale,
                                   units[u]);
        return;
    }
}

void ccm_bytes_append(GString *out, uint64_t bytes)
{
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", NULL };
    scaled(out, bytes, units);
}

void ccm_rate_append(GString *out, uint64_t bits_per_second)
{
    static const char *const units[] = { "bit/s",  "kbit/s", "Mbit/s", "Gbit/s",
                                         "Tbit/s", "Pbit/s", NULL };
    scaled(out, bits_per_second, units);
}

void ccm_count_append(GString *out, uint64_t n)
{
    if (n >= 1000) {
        ccm_count_append(out, n / 1000); /* at most seven deep */
        g_string_append_printf(out, ",%03u", (unsigned)(n % 1000));
    } else {
        g_string_append_printf(out, "%u", (unsigned)n);
    }
}

void ccm_duration_append(GString *out, uint64_t ns)
{
    static const char *const units[] = { "ns", "us", "ms", "s", NULL };
    uint64_t s = ns / NS_PER_S;
    if (!ns)
        g_string_append(out, "0 s");
    else if (s < 60)
        scaled(out, ns, units);
    else if (s < 3600)
        g_string_append_printf(out, "%um%02us", (unsigned)(s / 60), (unsigned)(s % 60));
    else if (s < 86400)
        g_string_append_printf(out, "%uh%02um", (unsigned)(s / 3600), (unsigned)(s / 60 % 60));
    else
        g_string_append_printf(out, "%" G_GUINT64_FORMAT "d%02uh", s / 86400,
                               (unsigned)(s / 3600 % 24));
}

void ccm_seconds_append(GString *out, uint64_t ns)
{
    g_string_append_printf(out, "%" G_GUINT64_FORMAT, ns / NS_PER_S);
    unsigned part = (unsigned)(ns % NS_PER_S);
    if (!part)
        return;
    g_string_append_printf(out, ".%09u", part);
    while (out->str[out->len - 1] == '0')
        g_string_truncate(out, out->len - 1);
}

void ccm_percent_append(GString *out, uint64_t part, uint64_t whole)
{
    if (!whole) {
        g_string_append_c(out, '-');
        return;
    }
    /* Counts stay far below 2^57, so a hundredfold does not overflow; cap to be sure. */
    while (part > UINT64_MAX / 100 || whole > UINT64_MAX / 100) {
        part >>= 7;
        whole >>= 7;
    }
    uint64_t percent = part * 100 / whole;
    if (part && !percent)
        g_string_append(out, "<1 %");
    else
        g_string_append_printf(out, "%" G_GUINT64_FORMAT " %%", percent);
}

void ccm_plural_append(GString *out, uint64_t n, const char *singular)
{
    ccm_count_append(out, n);
    g_string_append_printf(out, " %s%s", singular, n == 1 ? "" : "s");
}

/* ccm_time_append gives YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ; the calendar lives there alone. */
void ccm_clock_append(GString *out, uint64_t ns)
{
    gsize start = out->len;
    ccm_time_append(out, ns);
    if (out->len >= start + 19) {
        out->str[start + 10] = ' ';
        g_string_truncate(out, start + 19);
    }
}

void ccm_time_of_day_append(GString *out, uint64_t ns)
{
    gsize start = out->len;
    ccm_time_append(out, ns);
    if (out->len >= start + 23) {
        g_string_truncate(out, start + 23);
        g_string_erase(out, (gssize)start, 11);
    }
}
