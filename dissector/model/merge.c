/* SPDX-License-Identifier: GPL-2.0-or-later
 * merge.c - adds the evidence of one model to another.
 *
 * In: two models over the same catalogue. Out: the first holds what one model over both streams
 * would hold. Commutative and associative while no limit was hit, because everything kept is a sum,
 * a minimum, a maximum or a set. State: none of its own. Numbers of texts, hosts and edges are
 * mapped by value. Flows that `source` still holds open are poured into edges as they stand. */
#include "model/proofs.h"
#include "model/relay.h"
#include "model/smb.h"
#include "model/tls_book.h"

static ccm_span text_of(const ccm_model *from, uint32_t i)
{
    return ccm_span_str(ccm_texts_get(&from->texts, i));
}

static uint32_t map_text(ccm_model *to, const ccm_model *from, uint32_t i)
{
    return i == CCM_NONE ? CCM_NONE : ccm_texts_add(&to->texts, text_of(from, i));
}

static uint32_t map_key(ccm_model *to, const ccm_model *from, uint32_t key)
{
    if (!ccm_count_is_text(key))
        return key;
    return CCM_COUNT_KEY(ccm_count_kind_of(key), map_text(to, from, ccm_count_number(key)));
}

static void merge_hosts(ccm_model *to, const ccm_model *from)
{
    for (unsigned i = 0; i < from->hosts->len; i++) {
        const ccm_host *h = ccm_host_at(from, i);
        uint32_t at = h->seen ? ccm_host_get(to, &h->addr) : ccm_host_named(to, &h->addr);
        for (unsigned k = 0; k < h->n_names; k++)
            ccm_host_name(to, at, text_of(from, h->names[k].text), h->names[k].sources);
        for (unsigned k = 0; k < h->n_evidence; k++)
            ccm_host_evidence(to, at, &h->evidence[k]);
    }
}

static void merge_edge(ccm_model *to, const ccm_model *from, uint32_t at, const ccm_edge *s)
{
    ccm_edge *e = ccm_edge_at(to, at);

    ccm_traffic_add(&e->traffic, &s->traffic, false);
    ccm_edge_first(e, s->first_frame);
    e->established += s->established;
    e->refused += s->refused;
    e->unanswered += s->unanswered;
    e->midstream += s->midstream;
    e->datagrams += s->datagrams;
    e->reset += s->reset;
    e->rtt_count += s->rtt_count;
    e->rtt_sum += s->rtt_sum;
    e->rtt_min = ccm_min64(e->rtt_min, s->rtt_min);
    e->rtt_max = ccm_max64(e->rtt_max, s->rtt_max);
    e->zero_windows += s->zero_windows;
    e->resets += s->resets;
    e->gaps += s->gaps;
    e->duplicates += s->duplicates;
    e->overlap_conflicts += s->overlap_conflicts;
    for (unsigned i = 0; i < s->counters.n; i++)
        ccm_edge_count(to, e, map_key(to, from, s->counters.v[i].key), s->counters.v[i].count);
}

static void merge_edges(ccm_model *to, const ccm_model *from)
{
    uint32_t *map = g_new(uint32_t, from->n_edges);

    for (uint32_t i = 0; i < from->n_edges; i++) {
        const ccm_edge *e = ccm_edge_at(from, i);
        map[i] = ccm_edge_same(to, from, e);
        merge_edge(to, from, map[i], e);
    }
    while (to->timeline.level < from->timeline.level)
        ccm_timeline_coarsen(&to->timeline);
    uint64_t interval = ccm_timeline_interval(from->timeline.level);
    for (uint32_t i = 0; i <= from->timeline.mask; i++) {
        const ccm_point *p = &from->timeline.v[i];
        if (p->key)
            ccm_points_add(to, map[ccm_point_edge(p)], ccm_point_bucket(p) * interval, p->bytes,
                           p->active);
    }
    to->timeline.full |= from->timeline.full;
    for (unsigned i = 0; i < from->contents->len; i++) {
        ccm_content c = g_array_index(from->contents, ccm_content, i);
        c.id = map_text(to, from, c.id);
        c.edge = map[c.edge];
        ccm_content_add(to, &c);
    }
    ccm_paces_merge(&to->paces, &from->paces, map, to->limits.bursts);
    g_free(map);
}

static void merge_clients(ccm_model *to, const ccm_model *from)
{
    for (unsigned i = 0; i < from->clients->len; i++) {
        const ccm_client *s = &g_array_index(from->clients, ccm_client, i);
        uint32_t at = ccm_client_get(to, text_of(from, s->id));
        if (at == CCM_NONE)
            continue;
        ccm_client *c = &g_array_index(to->clients, ccm_client, at);
        for (unsigned k = 0; k < s->n_addrs; k++)
            ccm_client_address(c, &s->addrs[k]);
        c->more |= s->more;
        for (unsigned k = 0; k < G_N_ELEMENTS(c->name); k++)
            if (s->name[k] != CCM_NONE)
                c->name[k] = ccm_text_lowest(to, c->name[k], map_text(to, from, s->name[k]));
        for (unsigned k = 0; k < G_N_ELEMENTS(c->checked); k++)
            c->checked[k] += s->checked[k];
        c->key_changed += s->key_changed;
        if (s->has_skew)
            ccm_client_skew(c, s->skew_low_s, s->skew_high_s);
        for (unsigned k = 0; k < s->kinds.n; k++)
            if (!ccm_counters_add(&c->kinds, map_key(to, from, s->kinds.v[k].key),
                                  s->kinds.v[k].count, CCM_CLIENT_KINDS))
                ccm_model_limit(to, "message_kinds", 1);
        for (unsigned k = 0; k < s->messages.n; k++)
            if (!ccm_counters_add(&c->messages, map_key(to, from, s->messages.v[k].key),
                                  s->messages.v[k].count, to->limits.methods + 1))
                ccm_model_limit(to, "methods", 1);
    }
}

static void merge_uploads(ccm_model *to, const ccm_model *from)
{
    for (unsigned i = 0; i < from->uploads->len; i++) {
        const ccm_upload *s = &g_array_index(from->uploads, ccm_upload, i);
        uint32_t at = ccm_upload_get(to, &s->client, &s->server, text_of(from, s->id));
        if (at == CCM_NONE)
            continue;
        ccm_upload *u = &g_array_index(to->uploads, ccm_upload, at);
        u->client_id = ccm_text_lowest(to, u->client_id, map_text(to, from, s->client_id));
        u->target = ccm_text_lowest(to, u->target, map_text(to, from, s->target));
        u->name = ccm_text_lowest(to, u->name, map_text(to, from, s->name));
        u->host = ccm_text_lowest(to, u->host, map_text(to, from, s->host));
        u->received = ccm_max64(u->received, s->received);
        u->sent += s->sent;
        u->total = ccm_max64(u->total, s->total);
        u->fragments += s->fragments;
        u->first_ns = ccm_min64(u->first_ns, s->first_ns);
        u->last_ns = ccm_max64(u->last_ns, s->last_ns);
        u->has_received |= s->has_received;
        u->closed |= s->closed;
        u->cancelled |= s->cancelled;
        u->refused |= s->refused;
        for (unsigned k = 0; k < s->n_errors; k++)
            ccm_upload_error(u, map_text(to, from, s->errors[k]));
    }
}

static void merge_noted(ccm_model *to, GArray *list, const ccm_model *from, const GArray *source)
{
    for (unsigned i = 0; i < source->len; i++) {
        const ccm_noted *n = &g_array_index(source, ccm_noted, i);
        ccm_noted_add(list, map_text(to, from, n->text), n->count);
    }
}

static void merge_capture(ccm_model *to, const ccm_model *from)
{
    ccm_capture_sums *c = &to->capture;
    const ccm_capture_sums *s = &from->capture;

    c->streams += s->streams;
    c->ended += s->ended;
    c->packets += s->packets;
    c->wire_bytes += s->wire_bytes;
    c->truncated += s->truncated;
    c->undecoded += s->undecoded;
    c->dropped += s->dropped;
    c->filtered += s->filtered;
    c->gaps += s->gaps;
    c->secrets += s->secrets;
    c->untimed += s->untimed;
    c->backward += s->backward;
    c->unmerged += s->unmerged;
    c->answers_ahead += s->answers_ahead;
    c->ahead_ns = ccm_max64(c->ahead_ns, s->ahead_ns);
    c->ended_early |= s->ended_early;
    c->unusable |= s->unusable;
    c->decryption.secrets += s->decryption.secrets;
    c->decryption.malformed += s->decryption.malformed;
    c->decryption.private_keys += s->decryption.private_keys;
    c->decryption.sessions += s->decryption.sessions;
    if (s->has_time) {
        c->start_ns = c->has_time ? ccm_min64(c->start_ns, s->start_ns) : s->start_ns;
        c->end_ns = c->has_time ? ccm_max64(c->end_ns, s->end_ns) : s->end_ns;
        c->has_time = true;
    }
    for (unsigned i = 0; i < from->files->len && to->files->len < CCM_FILES; i++) {
        ccm_file f = g_array_index(from->files, ccm_file, i);
        f.name = map_text(to, from, f.name);
        g_array_append_val(to->files, f);
    }
    merge_noted(to, to->noted_limits, from, from->noted_limits);
    merge_noted(to, to->anomalies, from, from->anomalies);
    merge_noted(to, to->notes, from, from->notes);
    to->texts.full |= from->texts.full;
}

void ccm_model_merge(ccm_model *to, const ccm_model *from)
{
    ccm_model_catch_up((ccm_model *)from); /* not a change of what the source knows */
    ccm_model_catch_up(to);
    merge_capture(to, from);
    merge_hosts(to, from);
    ccm_names_merge(to, from);
    merge_edges(to, from);
    merge_clients(to, from);
    merge_uploads(to, from);
    for (uint32_t i = 0; i < from->n_flows; i++)
        if (ccm_model_flow_at(from, i)->id)
            ccm_model_flow_pour(to, from, ccm_model_flow_at(from, i));
    ccm_proofs_merge(to, from);
    ccm_smb_merge(to, from);
    ccm_tls_book_merge(to, from);
    ccm_relays_merge(to, from);
}
