/* SPDX-License-Identifier: GPL-2.0-or-later
 * pair_cut.c - the time of a pair, cut where its pace changes.
 *
 * In: points by cell. Out: segments. State: none. */
#include "model/view_pairs.h"

/* Neighbours that are alike become one; so does what a single cell between two alike ones seems. */
static void join_segments(pace_pair *p, const ccm_pacing_context *c)
{
    GArray *v = p->segments;

    for (unsigned i = 1; i < v->len;) {
        pair_segment *a = &g_array_index(v, pair_segment, i - 1), *b = a + 1;
        bool same = ccm_pacing_alike(&a->is, &b->is);
        bool around = !p->level && i + 1 < v->len && ccm_pacing_alike(&a->is, &b[1].is) &&
                      ccm_pace_cell(p->points[b->from]) == ccm_pace_cell(p->points[b->to - 1]);
        if (!same && !around) {
            i++;
            continue;
        }
        a->to = around ? b[1].to : b->to;
        ccm_pacing_conclude(p->points + a->from, a->to - a->from, c, &a->is);
        g_array_remove_range(v, i, around ? 2 : 1);
        if (i > 1)
            i--;
    }
}

/* ---- the moment of a change, within a cell --------------------------------------------------- */

typedef struct pace_class {
    ccm_pace_kind kind;
    unsigned size, quiet;
} pace_class;

/* The most frequent kind of burst of a segment, or of ten seconds where bursts say nothing. */
static pace_class usual_class(const pace_pair *p, const pair_segment *s)
{
    bool bursts = s->is.verdict == CCM_PACING_PULSE || s->is.verdict == CCM_PACING_HOURLY;
    pace_class best = { .kind = bursts ? CCM_PACE_BURST : CCM_PACE_TEN };
    uint64_t most = 0;

    for (unsigned i = s->from; i < s->to; i++) {
        const ccm_pace_point *point = p->points[i];
        if (ccm_pace_kind_of(point->what) != best.kind || point->count <= most)
            continue;
        most = point->count;
        best.size = ccm_pace_size_of(point->what);
        best.quiet = ccm_pace_quiet_of(point->what);
    }
    return best;
}

static bool is_of(const ccm_pace_point *point, const pace_class *c)
{
    unsigned size = ccm_pace_size_of(point->what), quiet = ccm_pace_quiet_of(point->what);

    return ccm_pace_kind_of(point->what) == c->kind && size && size + 4 >= c->size &&
           size <= c->size + 4 && quiet + 2 >= c->quiet && quiet <= c->quiet + 2;
}

static uint64_t end_of(const ccm_pace_point *point)
{
    bool ten = ccm_pace_kind_of(point->what) == CCM_PACE_TEN;
    return point->last_ns + (ten ? CCM_PACE_TEN_S * CCM_NS : 0);
}

/* When what is usual in `a` ends and what is usual in `b` begins, if the cell at [from, to) has
 * both, the one after the other; else 0. */
static uint64_t moment(const pace_pair *p, unsigned from, unsigned to, const pair_segment *a,
                       const pair_segment *b, uint64_t *end_ns)
{
    pace_class before = usual_class(p, a), after = usual_class(p, b);
    uint64_t last = 0, first = UINT64_MAX;

    for (unsigned i = from; i < to; i++) {
        if (is_of(p->points[i], &before))
            last = ccm_max64(last, end_of(p->points[i]));
        if (is_of(p->points[i], &after))
            first = ccm_min64(first, p->points[i]->first_ns);
    }
    *end_ns = ccm_min64(last, first);
    return last && first != UINT64_MAX && last <= first + 2 * CCM_PACE_TEN_S * CCM_NS ? first : 0;
}

/* Divides the cell at [from, to) between both; false when it has no such moment. */
static bool divide(pace_pair *p, unsigned from, unsigned to, pair_segment *a, pair_segment *b,
                   const ccm_pacing_context *c)
{
    uint64_t end_ns, at = moment(p, from, to, a, b, &end_ns);
    const ccm_pace_point **later = g_new(const ccm_pace_point *, to - from + 1u);
    unsigned n = 0, left = from;

    for (unsigned i = from; at && i < to; i++) {
        const ccm_pace_point *point = p->points[i];
        if (point->first_ns / 2 + end_of(point) / 2 < at)
            p->points[left++] = point;
        else
            later[n++] = point;
    }
    if (at) {
        memcpy(p->points + left, later, n * sizeof *later);
        a->to = b->from = left;
        a->to_ns = end_ns;
        b->from_ns = at;
        ccm_pacing_conclude(p->points + a->from, a->to - a->from, c, &a->is);
        ccm_pacing_conclude(p->points + b->from, b->to - b->from, c, &b->is);
    }
    g_free(later);
    return at != 0;
}

static uint32_t cell_at(const pace_pair *p, unsigned i)
{
    return ccm_pace_cell(p->points[i]);
}

/* Changes seldom wait for the end of a cell. */
static void refine(pace_pair *p, const ccm_pacing_context *c)
{
    GArray *v = p->segments;

    for (unsigned i = 0; i + 2 < v->len; i++) { /* one cell that is part of both neighbours */
        pair_segment *a = &g_array_index(v, pair_segment, i), *m = a + 1;
        if (cell_at(p, m->from) == cell_at(p, m->to - 1) && divide(p, m->from, m->to, a, m + 1, c))
            g_array_remove_index(v, i + 1);
    }
    for (unsigned i = 1; i < v->len; i++) {
        pair_segment *b = &g_array_index(v, pair_segment, i), *a = b - 1;
        unsigned from = a->to - 1, to = b->from + 1;
        while (from > a->from && cell_at(p, from - 1) == cell_at(p, a->to - 1))
            from--;
        while (to < b->to && cell_at(p, to) == cell_at(p, b->from))
            to++;
        if (!divide(p, from, a->to, a, b, c))
            divide(p, b->from, to, a, b, c);
    }
}

/* ---- segments -------------------------------------------------------------------------------- */

/* Until level 1, while cells have a date. */
void ccm_pair_cut(pace_pair *p, const ccm_pacing_context *c)
{
    p->segments = g_array_new(FALSE, FALSE, sizeof(pair_segment));
    if (p->level > 1)
        return;
    for (unsigned i = 0, to; i < p->n_bursts; i = to) {
        pair_segment s = { .from = i };
        for (to = i;
             to < p->n_bursts && ccm_pace_cell(p->points[to]) == ccm_pace_cell(p->points[i]);)
            to++;
        s.to = to;
        ccm_pacing_conclude(p->points + i, to - i, c, &s.is);
        pair_segment *last = p->segments->len
                                 ? &g_array_index(p->segments, pair_segment, p->segments->len - 1)
                                 : NULL;
        /* A cell that tells nothing goes with the one before it; the first ones with what follows.
         */
        if (last && s.is.verdict == CCM_PACING_UNKNOWN) {
            last->to = to;
        } else if (last && last->is.verdict == CCM_PACING_UNKNOWN) {
            last->to = to;
            last->is = s.is;
        } else {
            g_array_append_val(p->segments, s);
        }
    }
    for (unsigned i = 0; i < p->segments->len; i++) {
        pair_segment *s = &g_array_index(p->segments, pair_segment, i);
        ccm_pacing_conclude(p->points + s->from, s->to - s->from, c, &s->is);
    }
    join_segments(p, c);
    refine(p, c);
}

bool ccm_pair_limit(const ccm_pacing *is)
{
    return is->verdict == CCM_PACING_PULSE || is->verdict == CCM_PACING_HOURLY ||
           is->verdict == CCM_PACING_CAPPED;
}

const ccm_pacing *ccm_pair_dominant(const pace_pair *p)
{
    const ccm_pacing *best = NULL;

    for (unsigned i = 0; i < p->segments->len; i++) {
        const ccm_pacing *is = &g_array_index(p->segments, pair_segment, i).is;
        if (!best || ccm_pair_limit(is) > ccm_pair_limit(best) ||
            (ccm_pair_limit(is) == ccm_pair_limit(best) &&
             (ccm_pair_limit(is) ? is->last_ns - is->first_ns > best->last_ns - best->first_ns
                                 : is->bytes > best->bytes)))
            best = is;
    }
    return best ? best : &p->all;
}

/* Does the cap of `a` begin, or end, elsewhere in the next cell of `b`? */
static bool reaches(const pace_pair *p, const pair_segment *a, const pair_segment *b)
{
    pace_class usual = usual_class(p, a);
    unsigned edge = b->from < a->from ? b->to - 1 : b->from;
    uint64_t boundary = b->from < a->from ? a->is.first_ns : a->is.last_ns;

    for (unsigned i = b->from; i < b->to; i++) {
        const ccm_pace_point *q = p->points[i];
        if (cell_at(p, i) == cell_at(p, edge) && is_of(q, &usual) &&
            (q->last_ns > boundary + 60 * CCM_NS || q->first_ns + 60 * CCM_NS < boundary))
            return true;
    }
    return false;
}

bool ccm_pair_by_hour(const pace_pair *p)
{
    for (unsigned i = 1; i < p->segments->len; i++) {
        const pair_segment *a = &g_array_index(p->segments, pair_segment, i - 1), *b = a + 1;
        bool before = a->is.verdict == CCM_PACING_CAPPED,
             after = b->is.verdict == CCM_PACING_CAPPED;
        uint64_t last = a->to_ns ? a->to_ns : a->is.last_ns;
        uint64_t first = b->from_ns ? b->from_ns : b->is.first_ns;
        int64_t end = ccm_pair_local(p, last / CCM_NS) % 3600;
        int64_t start = ccm_pair_local(p, first / CCM_NS) % 3600;
        if ((before || after) && (end >= 3540 || end <= 60) && (start >= 3540 || start <= 60) &&
            !(before && reaches(p, a, b)) && !(after && reaches(p, b, a)))
            return true;
    }
    return false;
}
