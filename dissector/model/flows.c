/* SPDX-License-Identifier: GPL-2.0-or-later
 * flows.c - the records of flows: what came of one since it was last settled with its edge.
 *
 * In: runs, connections, counters and evidence of a flow. Out: sums of edges. A flow keeps its own
 * sums and settles them with its edge when it ends or has no more room: edges are many and cold, so
 * they are touched seldom. The route is that of the first request that names one before the first
 * settling. State: flow records bounded by limits->flows (freed at `connection`), and the latest
 * flows that ended, whose edges are on their way into the cache. */
#include "base/pages.h"
#include "model/model.h"
#include "model/proofs.h"

/* Records span several cache lines and are mostly cold: ask for all lines at once. */
static inline void fetch(const void *record, size_t size)
{
#pragma GCC unroll 8
    for (size_t at = 0; at < size; at += 64)
        __builtin_prefetch((const char *)record + at);
}

static bool flow_eq(const void *table, uint32_t value, const void *key)
{
    const ccm_model_flow *f = ccm_model_flow_at(table, value);

    fetch(f, sizeof *f);
    return f->id == *(const uint64_t *)key;
}

/* Ids count up: eight neighbours in time share a cache line of the index. */
static uint32_t flow_hash(uint64_t id)
{
    return ccm_hash_end(ccm_mix(6, id >> 3)) << 3 | (uint32_t)(id & 7);
}

/* Is the flow's memo ours to read and to write? */
static bool memo_is_ours(const ccm_model *m, const ccm_obs *obs)
{
    return obs->memo && (!obs->memo->owner || obs->memo->owner == m);
}

ccm_model_flow *ccm_model_flow_find(ccm_model *m, const ccm_obs *obs)
{
    if (!obs->flow)
        return NULL;
    if (!memo_is_ours(m, obs)) {
        uint32_t i = ccm_index_find(&m->flow_index, flow_hash(obs->flow), flow_eq, m, &obs->flow);
        return i == CCM_NONE ? NULL : ccm_model_flow_at(m, i);
    }
    ccm_model_flow *f = obs->memo->at;
    if (!f)
        return NULL;
    return f->id == obs->flow ? f : NULL; /* evicted: the record is another flow's now */
}

/* The record is not the flow's any more, yet keeps what it holds. */
static void forget(ccm_model *m, ccm_model_flow *f)
{
    if (f->indexed)
        ccm_index_remove(&m->flow_index, flow_hash(f->id), f->at);
    f->id = 0;
}

static void release(ccm_model *m, ccm_model_flow *f)
{
    if (f->pace)
        ccm_pace_pour(m, f->edge, f->pace, true);
    ccm_pace_free(f->pace);
    f->pace = NULL;
    g_free(f->more);
    f->more = NULL;
    f->edge = m->free_flow;
    m->free_flow = f->at;
    m->n_free++;
}

static void settle_endings(ccm_model *m);

/* Frees a record by ending some flow early. Engines bound their flows, so only a hand-made
 * observation file comes here. */
static void evict(ccm_model *m)
{
    ccm_model_flow *f;
    do {
        f = ccm_model_flow_at(m, m->victim);
        m->victim = (m->victim + 1) % m->n_flows;
    } while (!f->id);
    ccm_model_limit(m, "flows", 1);
    ccm_model_flow_settle(m, f);
    ccm_proofs_end(m, f, f->id);
    forget(m, f);
    release(m, f);
}

static uint32_t new_record(ccm_model *m)
{
    if (!m->n_free && m->n_flows >= m->limits.flows)
        settle_endings(m);
    if (!m->n_free && m->n_flows >= m->limits.flows)
        evict(m);
    if (m->n_free) {
        uint32_t i = m->free_flow;
        m->free_flow = ccm_model_flow_at(m, i)->edge;
        m->n_free--;
        return i;
    }
    if (m->n_flows % CCM_PAGE == 0)
        g_ptr_array_add(m->flow_pages, ccm_pages_new(CCM_PAGE * sizeof(ccm_model_flow)));
    return m->n_flows++;
}

ccm_model_flow *ccm_model_flow_get(ccm_model *m, const ccm_obs *obs)
{
    ccm_model_flow *f = ccm_model_flow_find(m, obs);
    if (f)
        return f;
    uint32_t i = new_record(m);
    f = ccm_model_flow_at(m, i);
    struct ccm_proof_talk *talk = f->talk;
    ccm_clear(f, G_STRUCT_OFFSET(ccm_model_flow, counters)); /* n_counters and the like tell */
    f->talk = talk;
    f->id = obs->flow;
    f->at = i;
    f->end[0] = obs->src;
    f->end[1] = obs->dst;
    f->l4 = obs->l4;
    f->edge = f->host[0] = f->host[1] = CCM_NONE;
    f->mark = f->route = -1;
    f->upload = f->target = f->client_id = f->client_at = f->content = CCM_NONE;
    f->loop = ccm_endpoint_eq(&obs->src, &obs->dst);
    f->indexed = !memo_is_ours(m, obs);
    if (f->indexed)
        ccm_index_add(&m->flow_index, flow_hash(f->id), i);
    else
        *obs->memo = (ccm_memo){ m, f };
    return f;
}

/* About the end of the flow that `what` says; `hosts`: of client and server, CCM_NONE = to be
 * looked up. */
static void host_evidence(ccm_model *to, const ccm_model_flow *f, const uint32_t hosts[2],
                          const ccm_flow_evidence *e)
{
    unsigned end = e->what >> 33 & 1;
    uint32_t host = hosts[end != f->client];
    ccm_evidence add = { (int16_t)e->what, e->what >> 32 & 1, (uint16_t)(e->what >> 16),
                         e->count,         e->first_frame,    e->ok,
                         e->denied };

    ccm_host_evidence(to, host == CCM_NONE ? ccm_host_get(to, &f->end[end].addr) : host, &add);
}

static ccm_pending *pending_at(const ccm_model_flow *f, unsigned i)
{
    return i < 2 ? (ccm_pending *)&f->first[i] : &f->more[i - 2];
}

/* Always in seconds, whatever interval the timeline has, so that what a flow keeps depends on the
 * flow alone. */
static void pend(ccm_model *m, ccm_model_flow *f, uint64_t second, unsigned from, uint64_t bytes)
{
    for (unsigned i = f->n_pending; i-- > 0;) {
        ccm_pending *p = pending_at(f, i);
        if (p->second == second) {
            p->bytes[from] += bytes;
            return;
        }
    }
    if (f->n_pending >= (ccm_model_flow_decided(f) ? CCM_PENDING_ROUTED : CCM_PENDING))
        ccm_model_flow_settle(m, f);
    if (f->n_pending >= 2 && f->n_pending - 2u == f->cap_pending) {
        f->cap_pending = (uint8_t)(f->cap_pending ? MIN(f->cap_pending * 3, CCM_PENDING - 2) : 6);
        f->more = g_renew(ccm_pending, f->more, f->cap_pending);
    }
    ccm_pending *p = pending_at(f, f->n_pending++);
    *p = (ccm_pending){ .second = second, .active = second >= f->active };
    f->active = ccm_max64(f->active, second + 1);
    p->bytes[from] = bytes;
}

/* What a run says, its attributes in whatever order they are. */
static ccm_sums run_sums(const ccm_obs *obs, uint64_t *end_ns, uint64_t *data_ns, bool *from_client)
{
    ccm_sums s = { 0 };

    for (unsigned i = 0; i < obs->n; i++) {
        uint64_t v = obs->val[i].u;
        switch (ccm_obs_key(obs, i)) {
        case CCM_KEY_from_client:
            *from_client = true;
            break;
        case CCM_KEY_end_ns:
            *end_ns = ccm_max64(v, *end_ns);
            break;
        case CCM_KEY_data_end_ns:
            *data_ns = v;
            break;
        case CCM_KEY_packets:
            s.packets = v;
            break;
        case CCM_KEY_wire_bytes:
            s.wire = v;
            break;
        case CCM_KEY_ip_bytes:
            s.ip = v;
            break;
        case CCM_KEY_unique_bytes:
            s.payload = v;
            break;
        case CCM_KEY_retransmitted_bytes:
            s.retransmitted = v;
            break;
        case CCM_KEY_missing_bytes:
            s.missing = v;
            break;
        default:
            break;
        }
    }
    return s;
}

/* Of the flow's end `from`; its data ended at data_ns, 0 = not known. */
static void add_run(ccm_model *m, ccm_model_flow *f, unsigned from, const ccm_sums *s,
                    uint64_t start_ns, uint64_t end_ns, uint64_t data_ns)
{
    if (s->wire)
        pend(m, f, start_ns / 1000000000u, from, s->wire);
    ccm_traffic_count(&f->traffic, from, s, start_ns, end_ns);
    if (s->payload && f->id && f->l4 == 6 &&
        ccm_pace_upward(f->end[!f->client].port) == (from == f->client))
        ccm_pace_run(m, f, start_ns, data_ns ? CLAMP(data_ns, start_ns, end_ns) : end_ns,
                     s->payload, s->packets);
}

void ccm_model_flow_runs(ccm_model *m, ccm_model_flow *f, const ccm_obs *flow,
                         const ccm_obs_run *run, unsigned n)
{
    unsigned client = !ccm_endpoint_eq(&f->end[0], &flow->src);

    if (!ccm_model_flow_decided(f))
        f->client = (uint8_t)client;
    for (; n; n--, run++) {
        ccm_sums s = { .packets = run->packets,
                       .wire = run->wire_bytes,
                       .ip = run->ip_bytes,
                       .payload = run->unique_bytes,
                       .retransmitted = run->payload_bytes - run->unique_bytes,
                       .missing = run->missing_bytes };
        add_run(m, f, run->from_client ? client : !client, &s, run->start_ns, run->end_ns,
                run->data_end_ns);
    }
}

void ccm_model_flow_run(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs)
{
    uint64_t end_ns = obs->time_ns, data_ns = 0;
    bool from_client = false;
    ccm_sums s = run_sums(obs, &end_ns, &data_ns, &from_client);

    unsigned from = f->loop ? !from_client : !ccm_endpoint_eq(&f->end[0], &obs->src);
    if (!ccm_model_flow_decided(f))
        f->client = (uint8_t)(from_client ? from : !from);
    add_run(m, f, from, &s, obs->time_ns, end_ns, data_ns);
}

void ccm_model_flow_count_many(ccm_model *m, ccm_model_flow *f, uint32_t key, uint32_t count)
{
    for (unsigned i = 0; i < f->n_counters; i++) {
        if (f->counters[i].key == key && f->counters[i].count <= UINT32_MAX - count) {
            f->counters[i].count += count;
            return;
        }
    }
    if (f->n_counters == CCM_FLOW_COUNTERS)
        ccm_model_flow_settle(m, f);
    f->counters[f->n_counters++] = (ccm_flow_counter){ key, count };
}

void ccm_model_flow_count(ccm_model *m, ccm_model_flow *f, uint32_t key)
{
    ccm_model_flow_count_many(m, f, key, 1);
}

void ccm_model_flow_evidence(ccm_model *m, ccm_model_flow *f, unsigned end,
                             const ccm_flow_evidence *add)
{
    ccm_flow_evidence *e = f->evidence, *last = e + f->n_evidence, one = *add;

    one.what |= (uint64_t)(end & 1) << 33;
    while (e < last && (e->what != one.what || e->count > INT32_MAX))
        e++;
    if (e < last) {
        e->count += one.count;
        e->ok += one.ok;
        e->denied += one.denied;
        if (one.first_frame && (!e->first_frame || one.first_frame < e->first_frame))
            e->first_frame = one.first_frame;
    } else if (f->n_evidence < CCM_FLOW_EVIDENCE) {
        *last = one;
        f->n_evidence++;
    } else {
        host_evidence(m, f, (uint32_t[2]){ f->host[f->client], f->host[!f->client] }, &one);
    }
}

/* `f->route` is that of the edge once there is one. */
static ccm_edge_key key_of(const ccm_model_flow *f)
{
    return (ccm_edge_key){ .client = f->end[f->client].addr,
                           .server = f->end[!f->client].addr,
                           .port = f->end[!f->client].port,
                           .route = f->route,
                           .l4 = f->l4,
                           .through = f->through };
}

/* `hash`: of the edge's key, or 0 = not known. */
static uint32_t pour(ccm_model *to, const ccm_model *from, const ccm_model_flow *f, uint32_t hash)
{
    ccm_edge_key key = key_of(f);
    uint32_t before = to->n_edges, at = f->edge;

    if (to != from)
        key.through = ccm_texts_map(&to->texts, &from->texts, f->through);
    if (to != from || at == CCM_NONE)
        at = ccm_edge_get_hashed(to, &key, hash ? hash : ccm_edge_hash(&key));
    ccm_edge *e = ccm_edge_at(to, at);

    bool own = ccm_addr_eq(&e->key.client, &key.client); /* else the edge is one for many */
    uint32_t hosts[2] = { CCM_NONE, CCM_NONE };
    if (to->n_edges > before || !own) {
        hosts[0] = ccm_host_get(to, &key.client);
        hosts[1] = ccm_host_get(to, &key.server);
    }
    if (own && hosts[0] != CCM_NONE)
        memcpy(e->host, hosts, sizeof hosts);
    else if (own)
        memcpy(hosts, e->host, sizeof hosts);
    ccm_traffic_add(&e->traffic, &f->traffic, f->client);
    for (unsigned i = 0; i < f->n_counters; i++) {
        uint32_t k = f->counters[i].key;
        if (to != from && ccm_count_is_text(k))
            k = CCM_COUNT_KEY(ccm_count_kind_of(k),
                              ccm_texts_add(&to->texts, ccm_span_str(ccm_texts_get(
                                                            &from->texts, ccm_count_number(k)))));
        ccm_edge_count(to, e, k, f->counters[i].count);
    }
    for (unsigned i = 0; i < f->n_pending; i++) {
        const ccm_pending *p = pending_at(f, i);
        uint64_t bytes[2] = { p->bytes[f->client], p->bytes[!f->client] };
        ccm_points_add(to, at, p->second, bytes, p->active);
    }
    if (f->pace)
        ccm_pace_pour(to, at, f->pace, to != from);
    if (f->served.requests)
        ccm_content_pour(to, from, at, &f->served);
    for (unsigned i = 0; i < f->n_evidence; i++)
        host_evidence(to, f, hosts, &f->evidence[i]);
    return at;
}

void ccm_model_flow_pour(ccm_model *to, const ccm_model *from, const ccm_model_flow *f)
{
    pour(to, from, f, 0);
}

void ccm_model_flow_route(ccm_model_flow *f, int route)
{
    if (!ccm_model_flow_decided(f))
        f->route = (int16_t)route;
}

static ccm_edge *settle(ccm_model *m, ccm_model_flow *f, uint32_t hash)
{
    f->edge = pour(m, m, f, hash);
    f->route = ccm_edge_at(m, f->edge)->key.route;
    f->n_pending = f->n_counters = f->n_evidence = 0;
    f->served.requests = 0;
    if (f->pace)
        f->pace->n = 0;
    ccm_clear(&f->traffic, sizeof f->traffic);
    return ccm_edge_at(m, f->edge);
}

ccm_edge *ccm_model_flow_settle(ccm_model *m, ccm_model_flow *f)
{
    return settle(m, f, 0);
}

/* ---- flows that have ended ------------------------------------------------------------------- */

enum { AHEAD = CCM_ENDINGS / 3 }; /* endings between two steps */

static void end_edge(ccm_edge *e, const ccm_ending *how)
{
    ccm_edge_first(e, how->frame);
    switch ((ccm_ended_as)how->state) {
    case CCM_ENDED_ESTABLISHED:
        e->established++;
        break;
    case CCM_ENDED_REFUSED:
        e->refused++;
        break;
    case CCM_ENDED_UNANSWERED:
        e->unanswered++;
        break;
    case CCM_ENDED_MIDSTREAM:
        e->midstream++;
        break;
    case CCM_ENDED_DATAGRAMS:
        e->datagrams++;
        break;
    case CCM_ENDED_UNSAID:
        break;
    }
    if (how->timed) {
        e->rtt_count++;
        e->rtt_sum += how->rtt;
        e->rtt_min = ccm_min64(e->rtt_min, how->rtt);
        e->rtt_max = ccm_max64(e->rtt_max, how->rtt);
    }
    /* Seldom anything: the lines of these are left alone then. */
    if (how->reset)
        e->reset++;
    if (!(how->zero_windows | how->resets | how->gaps | how->duplicates | how->overlap_conflicts))
        return;
    e->zero_windows += how->zero_windows;
    e->resets += how->resets;
    e->gaps += how->gaps;
    e->duplicates += how->duplicates;
    e->overlap_conflicts += how->overlap_conflicts;
}

static void settle_oldest(ccm_model *m)
{
    const ccm_ending *how = &m->endings[m->first_ending];
    ccm_model_flow *f = ccm_model_flow_at(m, how->flow);

    end_edge(settle(m, f, how->hash), how);
    ccm_proofs_end(m, f, how->id);
    release(m, f);
    m->first_ending = (m->first_ending + 1) % CCM_ENDINGS;
    m->n_endings--;
}

static void settle_endings(ccm_model *m)
{
    while (m->n_endings)
        settle_oldest(m);
}

/* The flow that ended `ago` flows before the latest, or NULL. */
static ccm_ending *ending_ago(ccm_model *m, unsigned ago)
{
    return m->n_endings <= ago
               ? NULL
               : &m->endings[(m->first_ending + m->n_endings - 1 - ago) % CCM_ENDINGS];
}

/* What an edge leads to. */
static void fetch_beside(const ccm_model *m, const ccm_edge *e)
{
    __builtin_prefetch(e->counters.v);
    for (unsigned i = 0; i < 2; i++)
        if (e->host[i] != CCM_NONE)
            __builtin_prefetch(ccm_host_at(m, e->host[i])->evidence);
}

ccm_ending *ccm_model_flow_end(ccm_model *m, ccm_model_flow *f)
{
    if (m->n_endings == CCM_ENDINGS)
        settle_oldest(m);
    ccm_ending *how = &m->endings[(m->first_ending + m->n_endings++) % CCM_ENDINGS];
    *how = (ccm_ending){ .id = f->id, .flow = f->at, .edge = f->edge };
    if (f->edge == CCM_NONE) {
        ccm_edge_key key = key_of(f);
        how->hash = ccm_edge_hash(&key);
        ccm_index_prefetch(&m->edge_index, how->hash);
    }
    forget(m, f);
    ccm_ending *before = ending_ago(m, AHEAD);
    if (before) {
        if (before->edge == CCM_NONE)
            before->edge = ccm_index_near(&m->edge_index, before->hash);
        if (before->edge != CCM_NONE)
            fetch(ccm_edge_at(m, before->edge), G_STRUCT_OFFSET(ccm_edge, refused));
    }
    before = ending_ago(m, 2 * AHEAD);
    if (before && before->edge != CCM_NONE)
        fetch_beside(m, ccm_edge_at(m, before->edge));
    return how;
}

void ccm_model_catch_up(ccm_model *m)
{
    settle_endings(m);
    ccm_timeline_settle(&m->timeline, m->limits.buckets);
    for (uint32_t i = 0; i < m->n_edges; i++) {
        ccm_edge *e = ccm_edge_at(m, i);
        ccm_proofs_plain(m, i, &e->anonymous);
        if (e->content.requests)
            ccm_content_add(m, &e->content);
        e->anonymous.count = e->content.requests = 0;
    }
}
