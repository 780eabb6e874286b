/* SPDX-License-Identifier: GPL-2.0-or-later
 * pair_schedule.c - when did the schedule keep data back?
 *
 * In: long silences of a pair, deleted partial files, the timeline. Out: closings. State: none.
 * Silence alone says nothing: nobody may have had anything to send. A closing needs work that
 * waited: data that stops at an hour of the sender's clock (a partial file deleted then is proof of
 * it), or data that goes on exactly at an hour, after silence. Spec: throttling.md sections 6 and
 * 9, step 6. */
#include "model/view_pairs.h"

enum { HOUR = 60, DAY = 24 * HOUR, LEAST = 20, SMALL = 100000, PARTIAL = 65536 };

/* A stretch without data between two that have some: minutes of the sender's clock. */
typedef struct gap {
    int64_t stop, start;
    uint64_t stop_ns, start_ns;
    uint64_t weeks;
    bool at_stop, at_start, discarded;
} gap;

typedef struct event {
    int64_t minute;
    const ccm_pace_point *p;
} event;

static int event_cmp(const void *a, const void *b)
{
    const event *x = a, *y = b;
    if (x->minute != y->minute)
        return x->minute < y->minute ? -1 : 1;
    return x->p->first_ns < y->p->first_ns ? -1 : x->p->first_ns > y->p->first_ns;
}

static GArray *events_of(const pace_pair *p)
{
    GArray *v = g_array_new(FALSE, FALSE, sizeof(event));
    uint64_t last_s = p->traffic.last_ns / CCM_NS;
    int64_t shift = (ccm_pair_local(p, last_s) - (int64_t)last_s) / 60;

    for (unsigned i = p->n_bursts; i < p->n_points; i++) {
        ccm_pace_kind kind = ccm_pace_kind_of(p->points[i]->what);
        int64_t cell = ccm_pace_cell(p->points[i]);
        if (kind == CCM_PACE_FILE)
            continue;
        event e = { p->level > 1 ? (cell + shift + 7 * DAY) % (7 * DAY)
                                 : ccm_pair_local(p, (uint64_t)cell * 60) / 60,
                    p->points[i] };
        g_array_append_val(v, e);
    }
    g_array_sort(v, event_cmp);
    return v;
}

static bool discarded_near(const GArray *events, unsigned at)
{
    int64_t stop = g_array_index(events, event, at).minute;

    for (unsigned i = 0; i < events->len; i++) {
        const event *e = &g_array_index(events, event, i);
        /* other small files come and go */
        if (ccm_pace_kind_of(e->p->what) == CCM_PACE_DISCARD &&
            e->p->bytes >= PARTIAL * e->p->count && e->minute >= stop - 1 && e->minute <= stop + 2)
            return true;
    }
    return false;
}

/* Is hardly anything there, from a little after the one to a little before the other? */
static bool is_silent(const pace_pair *p, const gap *g)
{
    uint64_t from = g->stop_ns / CCM_NS + 120, to = g->start_ns / CCM_NS - 60;

    if (p->level > 1) /* the dates are gone, and so is what lies between */
        return true;
    return ccm_pair_bytes(p, from, to) < SMALL * (uint64_t)((g->start - g->stop) / HOUR + 1);
}

static GArray *gaps_of(const pace_pair *p)
{
    GArray *events = events_of(p), *gaps = g_array_new(FALSE, FALSE, sizeof(gap));

    for (unsigned i = 0; i < events->len; i++) {
        const event *stop = &g_array_index(events, event, i), *start = NULL;
        if (ccm_pace_kind_of(stop->p->what) != CCM_PACE_STOP)
            continue;
        for (unsigned j = i + 1; j < events->len && !start; j++) {
            start = &g_array_index(events, event, j);
            start = ccm_pace_kind_of(start->p->what) == CCM_PACE_START ? start : NULL;
        }
        if (!start || start->minute - stop->minute < LEAST)
            continue;
        gap g = { stop->minute,
                  start->minute,
                  stop->p->last_ns,
                  start->p->first_ns,
                  stop->p->weeks & start->p->weeks,
                  false,
                  false,
                  discarded_near(events, i) };
        g.at_stop = stop->minute % HOUR <= 1 || stop->minute % HOUR == HOUR - 1;
        g.at_start = start->minute % HOUR <= 1;
        if (is_silent(p, &g))
            g_array_append_val(gaps, g);
    }
    g_array_free(events, TRUE);
    return gaps;
}

static void add_closing(pace_pair *p, const gap *from, const gap *to, ccm_pacing_verdict verdict)
{
    int64_t a = (from->stop + 1) / HOUR * HOUR, b = to->start / HOUR * HOUR;
    pair_closing c = { .verdict = verdict, .discarded = from->discarded };

    if (b <= a || b - a > 2 * 7 * DAY)
        return;
    /* The boundary's own time, by its distance from what was seen. */
    c.start_ns =
        (uint64_t)((int64_t)(from->stop_ns / (60 * CCM_NS)) + a - from->stop) * 60 * CCM_NS;
    c.end_ns = (uint64_t)((int64_t)(to->start_ns / (60 * CCM_NS)) + b - to->start) * 60 * CCM_NS;
    for (unsigned i = 0; i < p->closings->len; i++) { /* several connections stop at once */
        pair_closing *o = &g_array_index(p->closings, pair_closing, i);
        if (o->start_ns != c.start_ns || o->end_ns != c.end_ns)
            continue;
        o->discarded |= c.discarded;
        return;
    }
    g_array_append_val(p->closings, c);
}

/* Jobs came and went between a stop at an hour and a start at an hour: some pass, some do not. */
static unsigned priority_end(const GArray *gaps, unsigned i)
{
    const gap *first = &g_array_index(gaps, gap, i);

    if (!first->discarded)
        return i;
    for (unsigned j = i + 1; j < gaps->len; j++) {
        const gap *g = &g_array_index(gaps, gap, j);
        if (g->start - first->stop > DAY || g->at_stop)
            break;
        if (g->at_start)
            return j;
    }
    return i;
}

static unsigned day_hour(const pace_pair *p, uint64_t ns)
{
    return (unsigned)(ccm_pair_local(p, ns / CCM_NS) / 3600 % 24);
}

static bool has_files(const pace_pair *p)
{
    for (unsigned i = p->n_bursts; i < p->n_points; i++)
        if (ccm_pace_kind_of(p->points[i]->what) == CCM_PACE_FILE)
            return true;
    return false;
}

/* The same hours on several days are no chance. */
static void rate_closings(pace_pair *p)
{
    const ccm_sums *sums = &p->traffic.dir[0];
    bool loss = sums->missing * 1000 > sums->payload;

    for (unsigned i = 0; i < p->closings->len; i++) {
        pair_closing *c = &g_array_index(p->closings, pair_closing, i);
        unsigned days = 0;
        for (unsigned j = 0; j < p->closings->len; j++) {
            const pair_closing *o = &g_array_index(p->closings, pair_closing, j);
            days += day_hour(p, o->start_ns) == day_hour(p, c->start_ns) &&
                    day_hour(p, o->end_ns) == day_hour(p, c->end_ns);
        }
        c->certainty = days >= 3   ? CCM_CERTAINTY_STRONG
                       : days == 2 ? CCM_CERTAINTY_LIKELY
                                   : CCM_CERTAINTY_WEAK;
        if (c->discarded && days == 1)
            c->certainty = CCM_CERTAINTY_LIKELY;
        /* A file that was at its end was not kept back. */
        bool whole = has_files(p) && !c->discarded;
        if ((loss || whole || c->verdict == CCM_PACING_PRIORITY) &&
            c->certainty > CCM_CERTAINTY_LIKELY)
            c->certainty = CCM_CERTAINTY_LIKELY;
        if (c->certainty == CCM_CERTAINTY_WEAK)
            p->notes |= CCM_NOTE_CLOSED_ONCE;
        if (c->verdict == CCM_PACING_PRIORITY)
            p->notes |= CCM_NOTE_PRIORITY;
    }
}

void ccm_pair_schedule(pace_pair *p)
{
    p->closings = g_array_new(FALSE, FALSE, sizeof(pair_closing));
    if (!p->upward)
        return;
    GArray *gaps = gaps_of(p);
    for (unsigned i = 0; i < gaps->len; i++) {
        const gap *g = &g_array_index(gaps, gap, i);
        unsigned end = g->at_stop ? priority_end(gaps, i) : i;
        if (end > i)
            add_closing(p, g, &g_array_index(gaps, gap, end), CCM_PACING_PRIORITY);
        else if (g->at_stop && (g->at_start || g->discarded))
            add_closing(p, g, g, CCM_PACING_CLOSED);
        i = end;
    }
    g_array_free(gaps, TRUE);
    rate_closings(p);
}
