/* SPDX-License-Identifier: GPL-2.0-or-later
 * edge.c - edges: where every packet's bytes are counted, exactly once.
 *
 * In: what flows have summed up. Out: sums of edges. An edge is (client, server, port, L4, route
 * row that the flow itself showed). State: edges, bounded by limits->edges; edge 0, without
 * addresses, takes what has none and what found no room (see edge_without_client), so the sums over
 * all edges are always the capture's. */
#include "base/pages.h"
#include "model/model.h"

uint32_t ccm_edge_hash(const ccm_edge_key *k)
{
    uint64_t h = ccm_hash_addr(ccm_hash_addr(5, &k->client), &k->server);
    if (k->through)
        h = ccm_mix(h, k->through);
    return ccm_hash_end(
        ccm_mix(h, (uint64_t)k->port << 32 | (uint64_t)k->l4 << 16 | (uint16_t)k->route));
}

static bool edge_eq(const void *table, uint32_t value, const void *key)
{
    const ccm_edge_key *a = &ccm_edge_at(table, value)->key, *b = key;

    return a->port == b->port && a->l4 == b->l4 && a->route == b->route &&
           a->through == b->through && ccm_addr_eq(&a->client, &b->client) &&
           ccm_addr_eq(&a->server, &b->server);
}

static uint32_t edge_new(ccm_model *m, const ccm_edge_key *key, uint32_t hash)
{
    uint32_t i = m->n_edges++;

    if (i % CCM_PAGE == 0)
        g_ptr_array_add(m->edge_pages, ccm_pages_new(CCM_PAGE * sizeof(ccm_edge)));
    ccm_edge *e = ccm_edge_at(m, i);
    e->key = *key;
    e->rtt_min = UINT64_MAX;
    e->host[0] = e->host[1] = CCM_NONE;
    ccm_index_add(&m->edge_index, hash, i);
    return i;
}

/* Past the limit new clients of a service share one edge, so that its route is not lost; a quarter
 * of the limit is kept for these. */
static uint32_t edge_without_client(ccm_model *m, const ccm_edge_key *key)
{
    ccm_edge_key shared = *key;

    shared.client = (ccm_addr){ 0 };
    uint32_t hash = ccm_edge_hash(&shared);
    uint32_t i = ccm_index_find(&m->edge_index, hash, edge_eq, m, &shared);
    if (i != CCM_NONE)
        return i;
    return m->n_edges > m->limits.edges + m->limits.edges / 4 ? 0 : edge_new(m, &shared, hash);
}

uint32_t ccm_edge_get_hashed(ccm_model *m, const ccm_edge_key *key, uint32_t hash)
{
    uint32_t i = ccm_index_find(&m->edge_index, hash, edge_eq, m, key);
    if (i != CCM_NONE)
        return i;
    if (m->n_edges > m->limits.edges) {
        ccm_model_limit(m, "edges", 1);
        return edge_without_client(m, key);
    }
    return edge_new(m, key, hash);
}

uint32_t ccm_edge_get(ccm_model *m, const ccm_edge_key *key)
{
    return ccm_edge_get_hashed(m, key, ccm_edge_hash(key));
}

uint32_t ccm_edge_same(ccm_model *to, const ccm_model *from, const ccm_edge *e)
{
    ccm_edge_key key = e->key;

    key.through = ccm_texts_map(&to->texts, &from->texts, key.through);
    return ccm_edge_get(to, &key);
}

void ccm_edge_count(ccm_model *m, ccm_edge *e, uint32_t key, uint64_t count)
{
    ccm_counters *c = &e->counters;
    bool method = ccm_count_kind_of(key) == CCM_COUNT_METHOD;
    unsigned before = c->n;

    if (method && e->n_methods >= m->limits.methods) {
        /* Known methods go on counting; a new one is "other". */
        if (ccm_counters_add(c, key, count, 0))
            return;
        ccm_model_limit(m, "methods", 1);
        key = CCM_COUNT_KEY(CCM_COUNT_METHOD, 0);
    }
    if (!ccm_counters_add(c, key, count, CCM_EDGE_COUNTERS + m->limits.methods)) {
        ccm_model_limit(m, "edge_counters", 1);
        return;
    }
    e->n_methods = (uint16_t)(e->n_methods + (method && c->n > before));
}

static void sums_add(ccm_sums *to, const ccm_sums *add)
{
    to->packets += add->packets;
    to->wire += add->wire;
    to->ip += add->ip;
    to->payload += add->payload;
    to->retransmitted += add->retransmitted;
    to->missing += add->missing;
}

/* Packets were seen from `first_ns` to `last_ns`; call before they are added. */
static void seen(ccm_traffic *t, uint64_t first_ns, uint64_t last_ns)
{
    bool first = !t->dir[0].packets && !t->dir[1].packets;

    t->first_ns = first ? first_ns : ccm_min64(t->first_ns, first_ns);
    t->last_ns = first ? last_ns : ccm_max64(t->last_ns, last_ns);
}

void ccm_traffic_add(ccm_traffic *to, const ccm_traffic *add, bool swap)
{
    /* A run without packets only says what was missing; its time is not a sighting. */
    if (add->dir[0].packets || add->dir[1].packets)
        seen(to, add->first_ns, add->last_ns);
    sums_add(&to->dir[0], &add->dir[swap]);
    sums_add(&to->dir[1], &add->dir[!swap]);
}

void ccm_traffic_count(ccm_traffic *t, unsigned dir, const ccm_sums *s, uint64_t first_ns,
                       uint64_t last_ns)
{
    if (s->packets)
        seen(t, first_ns, last_ns);
    sums_add(&t->dir[dir], s);
}

void ccm_points_add(ccm_model *m, uint32_t edge, uint64_t second, const uint64_t bytes[2],
                    uint64_t active)
{
    ccm_timeline_add(&m->timeline, edge, second, bytes, active, m->limits.buckets);
}

void ccm_edge_first(ccm_edge *e, uint64_t frame)
{
    if (frame && (!e->first_frame || frame < e->first_frame))
        e->first_frame = frame;
}
