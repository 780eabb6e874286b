/* SPDX-License-Identifier: GPL-2.0-or-later
 * pair_compare.c - was the limit of a distribution point kept?
 *
 * In: what a pair's traffic shows, what the site file says. Out: deviations. State: none. Only bulk
 * data counts in closed hours: what controls a distribution point does not follow its schedule
 * (throttling.md section 6). */
#include "model/view_pairs.h"

enum { BULK = 1000000 /* an hour */, GRACE_S = 120 };

void ccm_pair_deviate(pair_comparison *c, uint64_t start_ns, uint64_t end_ns, const char *rule,
                      char *observed, char *expected, uint64_t bytes)
{
    if (c->n < CCM_VIEW_DEVIATIONS)
        c->v[c->n++] = (ccm_view_deviation){
            start_ns, end_ns, rule, ccm_view_keep(c->k, observed), ccm_view_keep(c->k, expected),
            bytes
        };
    g_free(observed);
    g_free(expected);
}

static bool is_closed(const pair_comparison *c, uint64_t second)
{
    int64_t local = ccm_pair_local(c->p, second);
    const uint8_t *schedule = c->dp->schedule;

    return schedule[ccm_pair_week_hour(local)] == CCM_OPEN_CLOSED &&
           /* a stop takes up to a minute or two */
           (c->p->interval_s > 60 || local % 3600 >= GRACE_S ||
            schedule[ccm_pair_week_hour(local - 3600)] == CCM_OPEN_CLOSED);
}

static void tell_closed(pair_comparison *c, const ccm_view_deviation *open)
{
    if (open->bytes)
        ccm_pair_deviate(c, open->start_ns, open->end_ns, "closed",
                         g_strdup_printf("%" G_GUINT64_FORMAT " bytes sent", open->bytes),
                         g_strdup("nothing: the schedule is closed"), open->bytes);
}

/* Bulk data in hours that the schedule closes; hours in a row are one deviation. */
static void compare_schedule(pair_comparison *c)
{
    const pace_pair *p = c->p;
    ccm_view_deviation open = { 0 };

    for (unsigned i = 0, next; i < p->n_time; i = next) {
        uint64_t bytes = 0, hour_s = p->time[i].second;
        hour_s -= (uint64_t)(ccm_pair_local(p, hour_s) % 3600);
        for (next = i; next < p->n_time && p->time[next].second < hour_s + 3600; next++)
            bytes += is_closed(c, p->time[next].second) ? p->time[next].bytes[0] : 0;
        if (bytes < BULK)
            continue;
        if (hour_s * CCM_NS > open.end_ns) {
            tell_closed(c, &open);
            open = (ccm_view_deviation){ .start_ns = hour_s * CCM_NS };
        }
        open.end_ns = (hour_s + 3600) * CCM_NS;
        open.bytes += bytes;
    }
    tell_closed(c, &open);
}

static void compare_pulse(pair_comparison *c, const ccm_view_window *w)
{
    const ccm_site_dp *dp = c->dp;
    uint64_t block = dp->block_kb * UINT64_C(1024), delay = dp->delay_s * CCM_NS;
    uint64_t ceiling = block * 8 / dp->delay_s;
    double seconds = (double)(w->end_ns - ccm_min64(w->start_ns, w->end_ns)) / 1e9;
    /* Silences between jobs are no part of the window's own rate. */
    bool faster = (double)w->bytes * 8 > (double)ceiling * 1.1 * seconds;
    char *expected = g_strdup_printf("pulse of %u KB and %u s", dp->block_kb, dp->delay_s);

    if (!strcmp(w->verdict, "pulse")) {
        bool same = w->is.delay_low_ns <= delay && delay <= w->is.delay_high_ns &&
                    w->is.block_low <= block + block / 16 &&
                    block <= w->is.block_high + w->is.block_high / 16;
        if (!same)
            ccm_pair_deviate(c, w->start_ns, w->end_ns, "pulse",
                             g_strdup_printf("pulse of %" G_GUINT64_FORMAT
                                             " KB and %" G_GUINT64_FORMAT " s",
                                             w->is.block_high / 1024, w->is.delay_high_ns / CCM_NS),
                             g_strdup(expected), w->bytes);
    } else if (w->is.rate_bps > ceiling + ceiling / 10 && faster && w->bytes > 4 * block) {
        ccm_pair_deviate(
            c, w->start_ns, w->end_ns, "pulse-ceiling",
            g_strdup_printf("%s, %" G_GUINT64_FORMAT " bit/s", w->verdict, w->is.rate_bps),
            g_strdup_printf("%s, at most %" G_GUINT64_FORMAT " bit/s", expected, ceiling),
            w->bytes);
    }
    g_free(expected);
}

/* The percentages of the hours that the window touches, as an interval. */
static void percent_range(const pair_comparison *c, const ccm_view_window *w, unsigned *low,
                          unsigned *high)
{
    uint64_t last = w->end_ns > w->start_ns ? (w->end_ns - 1) / CCM_NS : w->start_ns / CCM_NS;

    *low = 100;
    *high = 1;
    for (uint64_t t = w->start_ns / CCM_NS, n = 0; n < 25; t += 3600, n++) {
        unsigned percent = c->dp->percent[ccm_pair_local(c->p, MIN(t, last)) / 3600 % 24];
        *low = MIN(*low, percent);
        *high = MAX(*high, percent);
        if (t >= last)
            break;
    }
}

static void compare_hourly(pair_comparison *c, const ccm_view_window *w)
{
    unsigned low, high;

    percent_range(c, w, &low, &high);
    if (!strcmp(w->verdict, "hourly") &&
        (w->is.percent_high < low * 10 || w->is.percent_low > high * 10))
        ccm_pair_deviate(
            c, w->start_ns, w->end_ns, "hourly",
            g_strdup_printf("%u.%u to %u.%u %%", w->is.percent_low / 10, w->is.percent_low % 10,
                            w->is.percent_high / 10, w->is.percent_high % 10),
            low == high ? g_strdup_printf("%u %%", low) : g_strdup_printf("%u to %u %%", low, high),
            w->bytes);
    else if (!strcmp(w->verdict, "pulse"))
        ccm_pair_deviate(c, w->start_ns, w->end_ns, "mode", g_strdup("pulse"),
                         g_strdup("hourly percentages"), w->bytes);
    else if (!strcmp(w->verdict, "no-limit-seen") && high <= 25 && w->is.rate_bps > 0)
        /* from 50 % on a fast link shows nothing; a quarter does at any speed up to 100 Mbit/s */
        ccm_pair_deviate(c, w->start_ns, w->end_ns, "not-limited", g_strdup("no silences"),
                         g_strdup_printf("%u %%", high), w->bytes);
}

static void compare_mode(pair_comparison *c, const ccm_view_window *w)
{
    if (!w->bytes || w->certainty == CCM_CERTAINTY_WEAK)
        return;
    if (c->dp->mode == CCM_MODE_PULSE)
        compare_pulse(c, w);
    else if (c->dp->mode == CCM_MODE_HOURLY)
        compare_hourly(c, w);
    else if (c->dp->mode == CCM_MODE_UNLIMITED &&
             (!strcmp(w->verdict, "pulse") || !strcmp(w->verdict, "hourly")))
        ccm_pair_deviate(c, w->start_ns, w->end_ns, "mode", g_strdup(w->verdict),
                         g_strdup("unlimited"), w->bytes);
}

static int by_start(const void *pa, const void *pb)
{
    const ccm_view_deviation *a = pa, *b = pb;
    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    return strcmp(a->rule, b->rule);
}

void ccm_pair_compare(view_maker *k, const pace_pair *p, ccm_view_throttle *out)
{
    pair_comparison c = { k, p, p->dp, ccm_view_alloc(k, CCM_VIEW_DEVIATIONS, sizeof *c.v), 0 };

    out->compared = true;
    if (p->bits)
        ccm_pair_compare_bits(&c);
    if (!c.dp) {
        /* no limits of a distribution point are known */
    } else if (c.dp->pull) {
        if (c.dp->mode > CCM_MODE_UNLIMITED || c.dp->has_schedule)
            ccm_pair_deviate(
                &c, p->traffic.first_ns, p->traffic.last_ns, "stored-but-ignored",
                g_strdup("content is pulled over HTTP"),
                g_strdup(
                    "rate limits or a schedule are stored; a pull distribution point ignores them"),
                out->bytes);
    } else if (p->upward) {
        if (c.dp->has_schedule && !(p->all.notes & CCM_NOTE_REQUESTS)) {
            compare_schedule(&c);
            ccm_pair_compare_priority(&c);
        }
        for (unsigned i = 0; i < out->n_windows; i++)
            compare_mode(&c, &out->windows[i]);
    }
    qsort(c.v, c.n, sizeof *c.v, by_start);
    out->deviations = c.v;
    out->n_deviations = c.n;
}
