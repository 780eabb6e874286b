/* SPDX-License-Identifier: GPL-2.0-or-later
 * pair_gather.c - the evidence of a model, sorted by pairs of hosts.
 *
 * In: edges, points, the timeline. Out: `pairs`. State: none. */
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

static int edge_cmp(const void *pa, const void *pb, void *model)
{
    const pair_edge *a = pa, *b = pb;
    if (a->row != b->row)
        return a->row < b->row ? -1 : 1;
    int order = ccm_addr_cmp(&ccm_edge_at(model, a->edge)->key.client,
                             &ccm_edge_at(model, b->edge)->key.client);
    return order ? order : a->edge < b->edge ? -1 : a->edge > b->edge;
}

static void find_pairs(ccm_pairs *s, const uint32_t *row_of)
{
    const ccm_model *m = s->k->m;

    for (uint32_t i = 0; i < m->n_edges; i++) {
        const ccm_traffic *t = &ccm_edge_at(m, i)->traffic;
        pair_edge e = { i, row_of[i] };
        s->pair_of[i] = CCM_NONE;
        if ((t->dir[0].packets || t->dir[1].packets) && ccm_pairs_limited(&s->rows[e.row]))
            g_array_append_val(s->edges, e);
    }
    g_array_sort_with_data(s->edges, edge_cmp, (void *)m);
    s->v = g_new0(pace_pair, s->edges->len + 1u);
    for (unsigned i = 0; i < s->edges->len; i++) {
        const pair_edge *e = &g_array_index(s->edges, pair_edge, i);
        const ccm_edge *edge = ccm_edge_at(m, e->edge);
        pace_pair *p = s->n ? &s->v[s->n - 1] : NULL;
        if (!p || p->row != e->row || !ccm_addr_eq(&p->client, &edge->key.client)) {
            p = &s->v[s->n++];
            *p = (pace_pair){ .row = e->row,
                              .client = edge->key.client,
                              .server = edge->key.server,
                              .upward = ccm_pairs_smb(&s->rows[e->row]),
                              .interval_s = ccm_timeline_interval(m->timeline.level),
                              .level = m->paces.level };
        }
        ccm_traffic_add(&p->traffic, &edge->traffic, false);
        if (edge->rtt_count)
            p->rtt_ns = p->rtt_ns ? ccm_min64(p->rtt_ns, edge->rtt_min) : edge->rtt_min;
        p->n_edges++;
        s->pair_of[e->edge] = s->n - 1;
    }
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
    s->edges = g_array_new(FALSE, FALSE, sizeof(pair_edge));
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
    g_array_free(s->edges, TRUE);
}
