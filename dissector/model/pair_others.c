/* SPDX-License-Identifier: GPL-2.0-or-later
 * pair_others.c - what else goes on at the two ends of a pair.
 *
 * In: the timeline of all edges. Out: its points at the edges that share an end with a pair. State:
 * points by edge and edges by host, made when they are first asked for: pairs are many, and the
 * timeline has many points. */
#include "model/view_pairs.h"

/* The numbers of list i of a kind: v[from[i]] to v[from[i + 1]]. */
typedef struct lists {
    uint32_t *from, *v;
} lists;

struct pair_others {
    lists points; /* slots of the timeline, by edge */
    lists edges;  /* by host; those of hosts that the model left out last */
};

static lists lists_new(uint32_t n, uint32_t entries)
{
    return (lists){ g_new0(uint32_t, n + 2u), g_new(uint32_t, entries + 1u) };
}

/* Counting sort: first how many each list has, two places on; then where each begins. */
static void lists_begin(lists *l, uint32_t n)
{
    for (uint32_t i = 1; i <= n; i++)
        l->from[i + 1] += l->from[i];
}

static void lists_put(lists *l, uint32_t list, uint32_t value)
{
    l->v[l->from[list + 1]++] = value;
}

/* Hosts of an edge; the same twice where it is one. */
static void hosts_of(const ccm_model *m, uint32_t edge, uint32_t host[2])
{
    const ccm_edge_key *key = &ccm_edge_at(m, edge)->key;

    host[0] = MIN(ccm_host_find(m, &key->client), m->hosts->len);
    host[1] = MIN(ccm_host_find(m, &key->server), m->hosts->len);
}

static pair_others *others_new(const ccm_model *m)
{
    const ccm_timeline *t = &m->timeline;
    pair_others *o = g_new0(pair_others, 1);
    uint32_t host[2];

    o->points = lists_new(m->n_edges, t->n);
    o->edges = lists_new(m->hosts->len + 1, m->n_edges * 2);
    for (uint32_t i = 0; i <= t->mask; i++)
        if (t->v[i].key)
            o->points.from[ccm_point_edge(&t->v[i]) + 2]++;
    lists_begin(&o->points, m->n_edges);
    for (uint32_t i = 0; i <= t->mask; i++)
        if (t->v[i].key)
            lists_put(&o->points, ccm_point_edge(&t->v[i]), i);
    for (unsigned put = 0; put < 2; put++) {
        for (uint32_t e = 0; e < m->n_edges; e++) {
            hosts_of(m, e, host);
            for (unsigned side = 0; side < 1u + (host[0] != host[1]); side++)
                if (put)
                    lists_put(&o->edges, host[side], e);
                else
                    o->edges.from[host[side] + 2]++;
        }
        if (!put)
            lists_begin(&o->edges, m->hosts->len + 1);
    }
    return o;
}

void ccm_pair_others_free(pair_others *o)
{
    if (!o)
        return;
    g_free(o->points.from);
    g_free(o->points.v);
    g_free(o->edges.from);
    g_free(o->edges.v);
    g_free(o);
}

static bool touches(const ccm_edge_key *e, const ccm_addr *host)
{
    return ccm_addr_eq(&e->client, host) || ccm_addr_eq(&e->server, host);
}

pair_bucket *ccm_pair_others_of(ccm_pairs *s, const pace_pair *p, unsigned *n)
{
    const ccm_model *m = s->k->m;
    GArray *v = g_array_new(FALSE, FALSE, sizeof(pair_bucket));

    if (!s->others)
        s->others = others_new(m);
    const lists *edges = &s->others->edges, *points = &s->others->points;
    for (unsigned side = 0; side < 2; side++) {
        const ccm_addr *end = side ? &p->server : &p->client;
        uint32_t host = MIN(ccm_host_find(m, end), m->hosts->len);
        for (uint32_t i = edges->from[host]; i < edges->from[host + 1]; i++) {
            uint32_t e = edges->v[i];
            const ccm_edge_key *key = &ccm_edge_at(m, e)->key;
            if (s->pair_of[e] == (uint32_t)(p - s->v) || !touches(key, end) ||
                (side && touches(key, &p->client)))
                continue;
            for (uint32_t k = points->from[e]; k < points->from[e + 1]; k++) {
                const ccm_point *t = &m->timeline.v[points->v[k]];
                pair_bucket b = { ccm_point_bucket(t), { t->bytes[0], t->bytes[1] }, 0 };
                g_array_append_val(v, b);
            }
        }
    }
    *n = v->len;
    return (pair_bucket *)(void *)g_array_free(v, FALSE);
}
