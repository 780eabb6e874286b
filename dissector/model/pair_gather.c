/* SPDX-License-Identifier: GPL-2.0-or-later
 * pair_gather.c - the evidence of a model, sorted by pairs of hosts.
 *
 * In: edges, points, the timeline. Out: `pairs`, those that are to be judged. State: none. */
#include "model/view_pairs.h"

bool ccm_pairs_smb(const ccm_view_route *r)
{
    return r->l4 == 6 && ccm_pace_upward(r->port);
}

/* A share that was seen and is none of content is never limited; one that was not seen may be. */
bool ccm_pairs_limited(const ccm_view_route *r)
{
    return r->l4 == 6 &&
           (r->throttleable || (ccm_pairs_smb(r) && r->certainty <= CCM_CERTAINTY_WEAK));
}

/* Edges [from, to) of `sorted`: what one source sent to the destination of a row, or fetched. */
typedef struct source {
    unsigned from, to;
    uint64_t bytes;
} source;

static const ccm_edge *edge_at(const ccm_pairs *s, unsigned i)
{
    return ccm_edge_at(s->k->m, s->sorted[i]);
}

static bool has_packets(const ccm_edge *e)
{
    return e->traffic.dir[0].packets || e->traffic.dir[1].packets;
}

static int source_cmp(const void *pa, const void *pb, void *pairs)
{
    const source *a = pa, *b = pb;

    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    return ccm_addr_cmp(&edge_at(pairs, a->from)->key.client, &edge_at(pairs, b->from)->key.client);
}

static void add_pair(ccm_pairs *s, GArray *pairs, unsigned row, const source *from)
{
    const ccm_model *m = s->k->m;
    const ccm_edge_key *key = &edge_at(s, from->from)->key;
    pace_pair p = { .row = row,
                    .client = key->client,
                    .server = key->server,
                    .upward = ccm_pairs_smb(&s->rows[row]),
                    .interval_s = ccm_timeline_interval(m->timeline.level),
                    .level = m->paces.level };

    for (unsigned i = from->from; i < from->to; i++) {
        const ccm_edge *e = edge_at(s, i);
        if (!has_packets(e))
            continue;
        ccm_traffic_add(&p.traffic, &e->traffic, false);
        if (e->rtt_count)
            p.rtt_ns = p.rtt_ns ? ccm_min64(p.rtt_ns, e->rtt_min) : e->rtt_min;
        s->pair_of[s->sorted[i]] = pairs->len;
    }
    g_array_append_val(pairs, p);
}

/* Sources of a row may be many: those with the most bytes are judged. */
static void choose(ccm_pairs *s, GArray *pairs, unsigned row, GArray *sources)
{
    ccm_view_route *r = &s->rows[row];

    g_array_sort_with_data(sources, source_cmp, s);
    r->n_throttle = MIN(sources->len, (unsigned)CCM_VIEW_SOURCES);
    r->throttle_left = sources->len - r->n_throttle;
    for (unsigned i = 0; i < r->n_throttle; i++)
        add_pair(s, pairs, row, &g_array_index(sources, source, i));
    g_array_set_size(sources, 0);
}

static void find_pairs(ccm_pairs *s, const uint32_t *row_of)
{
    GArray *sources = g_array_new(FALSE, FALSE, sizeof(source));
    GArray *pairs = g_array_new(FALSE, FALSE, sizeof(pace_pair));

    memset(s->pair_of, 0xff, s->k->m->n_edges * sizeof *s->pair_of); /* CCM_NONE */
    for (unsigned i = 0, row; i < s->n_sorted; i++) {
        row = row_of[s->sorted[i]];
        source *last = sources->len ? &g_array_index(sources, source, sources->len - 1) : NULL;
        const ccm_edge *e = edge_at(s, i);
        if (has_packets(e) && ccm_pairs_limited(&s->rows[row])) {
            if (!last || !ccm_addr_eq(&edge_at(s, last->from)->key.client, &e->key.client)) {
                source one = { .from = i };
                g_array_append_val(sources, one);
                last = &g_array_index(sources, source, sources->len - 1);
            }
            last->to = i + 1;
            last->bytes += e->traffic.dir[!ccm_pairs_smb(&s->rows[row])].payload;
        }
        if (sources->len && (i + 1 == s->n_sorted || row_of[s->sorted[i + 1]] != row))
            choose(s, pairs, row, sources);
    }
    g_array_free(sources, TRUE);
    s->n = pairs->len;
    s->v = (pace_pair *)(void *)g_array_free(pairs, FALSE);
}

static int point_cmp(const void *pa, const void *pb)
{
    const ccm_pace_point *a = *(const ccm_pace_point *const *)pa;
    const ccm_pace_point *b = *(const ccm_pace_point *const *)pb;
    bool ea = ccm_pace_kind_of(a->what) > CCM_PACE_TEN,
         eb = ccm_pace_kind_of(b->what) > CCM_PACE_TEN;

    if (ea != eb)
        return ea - eb;
    if (ccm_pace_cell(a) != ccm_pace_cell(b))
        return ccm_pace_cell(a) < ccm_pace_cell(b) ? -1 : 1;
    if (a->what != b->what)
        return a->what < b->what ? -1 : 1;
    return a->first_ns < b->first_ns ? -1 : a->first_ns > b->first_ns;
}

int ccm_pair_bucket_cmp(const void *a, const void *b)
{
    uint64_t x = ((const pair_bucket *)a)->second, y = ((const pair_bucket *)b)->second;
    return x < y ? -1 : x > y;
}

/* The points of every pair, sorted; those of files last. */
static void give_points(ccm_pairs *s)
{
    const ccm_paces *t = &s->k->m->paces;

    for (unsigned pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i <= t->mask; i++) {
            uint32_t pair = t->v[i].where ? s->pair_of[ccm_pace_edge(&t->v[i])] : CCM_NONE;
            if (pair == CCM_NONE)
                continue;
            pace_pair *p = &s->v[pair];
            if (pass) {
                p->points[p->n_points] = &t->v[i];
                p->n_bursts += ccm_pace_kind_of(t->v[i].what) <= CCM_PACE_TEN;
            }
            p->n_points++;
        }
        for (unsigned i = 0; i < s->n; i++) {
            pace_pair *p = &s->v[i];
            if (pass)
                qsort(p->points, p->n_points, sizeof *p->points, point_cmp);
            else {
                p->points = g_new(const ccm_pace_point *, p->n_points + 1u);
                p->n_points = 0;
            }
        }
    }
}

static void give_time(ccm_pairs *s)
{
    const ccm_timeline *t = &s->k->m->timeline;

    for (unsigned pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i <= t->mask; i++) {
            uint32_t pair = t->v[i].key ? s->pair_of[ccm_point_edge(&t->v[i])] : CCM_NONE;
            if (pair == CCM_NONE)
                continue;
            pace_pair *p = &s->v[pair];
            if (pass)
                p->time[p->n_time] = (pair_bucket){ ccm_point_bucket(&t->v[i]) * p->interval_s,
                                                    { t->v[i].bytes[0], t->v[i].bytes[1] },
                                                    t->v[i].active };
            p->n_time++;
        }
        for (unsigned i = 0; i < s->n; i++) {
            pace_pair *p = &s->v[i];
            if (!pass) {
                p->time = g_new(pair_bucket, p->n_time + 1u);
                p->n_time = 0;
                continue;
            }
            qsort(p->time, p->n_time, sizeof *p->time, ccm_pair_bucket_cmp);
            unsigned left = 0;
            for (unsigned j = 0; j < p->n_time; j++) {
                pair_bucket *b = &p->time[j], *last = left ? &p->time[left - 1] : NULL;
                if (last && last->second == b->second) {
                    last->bytes[0] += b->bytes[0];
                    last->bytes[1] += b->bytes[1];
                    last->active += b->active;
                } else {
                    p->time[left++] = *b;
                }
            }
            p->n_time = left;
        }
    }
}

void ccm_pairs_gather(ccm_pairs *s, const uint32_t *row_of)
{
    s->pair_of = g_new(uint32_t, s->k->m->n_edges + 1u);
    find_pairs(s, row_of);
    give_points(s);
    give_time(s);
}

void ccm_pairs_clear(ccm_pairs *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        g_free(s->v[i].points);
        g_free(s->v[i].time);
    }
    g_free(s->v);
    g_free(s->pair_of);
    ccm_pair_others_free(s->others);
}
