/* SPDX-License-Identifier: GPL-2.0-or-later
 * model.c - takes observations and hands each to the table it concerns.
 *
 * In: observations, in the order of their making. Out: evidence in ccm_model. State: the model. */
#define _GNU_SOURCE /* memmem */
#include "base/pages.h"
#include "model/known.h"
#include "model/proofs.h"
#include "model/smb.h"
#include "model/site.h"
#include "model/relay.h"
#include "model/tls_book.h"
#include "model/tunnel.h"

static void client_clear(ccm_client *c)
{
    g_free(c->messages.v);
    g_free(c->kinds.v);
}

static void free_edges(void *page)
{
    ccm_pages_free(page, CCM_PAGE * sizeof(ccm_edge));
}

static void free_flows(void *page)
{
    ccm_pages_free(page, CCM_PAGE * sizeof(ccm_model_flow));
}

ccm_model *ccm_model_new(const ccm_catalog *catalog, const ccm_limits *limits)
{
    ccm_model *m = g_new0(ccm_model, 1);

    m->catalog = ccm_catalog_ref((ccm_catalog *)catalog);
    m->limits = *limits;
    /* Numbers of edges share a 64-bit key with a time; the others are plain sanity. */
    m->limits.edges = CLAMP(limits->edges, 1, 1u << 26);
    m->limits.buckets = CLAMP(limits->buckets, 16, 1u << 28);
    m->limits.bursts = CLAMP(limits->bursts, 1024, 1u << 24);
    m->limits.flows = CLAMP(limits->flows, 1, 1u << 30);
    m->limits.methods = CLAMP(limits->methods, 1, 4096);
    m->limits.accounts = CLAMP(limits->accounts, 1, 4096);
    m->limits.host_names = CLAMP(limits->host_names, 1, 4096);
    ccm_texts_init(&m->texts);
    ccm_index_init(&m->host_index, 64);
    ccm_index_init(&m->edge_index, 64);
    ccm_index_init(&m->flow_index, 256);
    ccm_index_init(&m->client_index, 64);
    ccm_index_init(&m->upload_index, 16);
    ccm_index_init(&m->content_index, 64);
    ccm_index_init(&m->lookup_index, 16);
    m->hosts = g_array_new(FALSE, FALSE, sizeof(ccm_host));
    m->edge_pages = g_ptr_array_new_with_free_func(free_edges);
    m->flow_pages = g_ptr_array_new_with_free_func(free_flows);
    m->clients = g_array_new(FALSE, FALSE, sizeof(ccm_client));
    m->uploads = g_array_new(FALSE, FALSE, sizeof(ccm_upload));
    m->contents = g_array_new(FALSE, FALSE, sizeof(ccm_content));
    m->lookups = g_array_new(FALSE, FALSE, sizeof(ccm_lookup));
    m->services = g_array_new(FALSE, FALSE, sizeof(ccm_service));
    m->files = g_array_new(FALSE, FALSE, sizeof(ccm_file));
    m->noted_limits = g_array_new(FALSE, FALSE, sizeof(ccm_noted));
    m->anomalies = g_array_new(FALSE, FALSE, sizeof(ccm_noted));
    m->notes = g_array_new(FALSE, FALSE, sizeof(ccm_noted));
    ccm_timeline_init(&m->timeline);
    ccm_paces_init(&m->paces);
    m->proofs = ccm_proofs_new();
    m->smb = ccm_smb_sums_new();
    m->tls = ccm_tls_book_new(m->limits.flows);
    m->relays = ccm_relays_new();
    m->known = ccm_known_requests_new();
    ccm_edge_get(m, &(ccm_edge_key){ .route = -1 }); /* edge 0 */
    return m;
}

void ccm_model_free(ccm_model *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; i < m->n_edges; i++)
        g_free(ccm_edge_at(m, i)->counters.v);
    for (uint32_t i = 0; i < m->n_flows; i++) {
        g_free(ccm_model_flow_at(m, i)->more);
        ccm_pace_free(ccm_model_flow_at(m, i)->pace);
        ccm_proof_talk_free(ccm_model_flow_at(m, i)->talk);
    }
    for (unsigned i = 0; i < m->hosts->len; i++) {
        g_free(ccm_host_at(m, i)->names);
        g_free(ccm_host_at(m, i)->evidence);
    }
    for (unsigned i = 0; i < m->clients->len; i++)
        client_clear(&g_array_index(m->clients, ccm_client, i));
    ccm_proofs_free(m->proofs);
    ccm_smb_sums_free(m->smb);
    ccm_site_free(m->site);
    ccm_tls_book_free(m->tls);
    ccm_relays_free(m->relays);
    ccm_known_requests_free(m->known);
    GArray *arrays[] = { m->hosts, m->clients,  m->uploads,      m->lookups,   m->services,
                         m->files, m->contents, m->noted_limits, m->anomalies, m->notes };
    for (unsigned i = 0; i < G_N_ELEMENTS(arrays); i++)
        g_array_free(arrays[i], TRUE);
    ccm_index *indexes[] = { &m->host_index,   &m->edge_index,   &m->flow_index,   &m->client_index,
                             &m->upload_index, &m->lookup_index, &m->content_index };
    for (unsigned i = 0; i < G_N_ELEMENTS(indexes); i++)
        ccm_index_clear(indexes[i]);
    g_ptr_array_free(m->edge_pages, TRUE);
    g_ptr_array_free(m->flow_pages, TRUE);
    ccm_timeline_clear(&m->timeline);
    ccm_paces_clear(&m->paces);
    ccm_texts_clear(&m->texts);
    ccm_catalog_unref(m->catalog);
    g_free(m);
}

bool ccm_model_add_site(ccm_model *m, const char *path, GError **error)
{
    ccm_site *site = ccm_site_load(path, error);

    if (!site)
        return false;
    ccm_site_free(m->site);
    m->site = site;
    return true;
}

void ccm_model_set_link(ccm_model *m, uint64_t bits_per_second)
{
    m->link_bps = bits_per_second;
}

/* A run of a packet that belongs to no flow goes straight to an edge. */
static void on_run(ccm_model *m, const ccm_obs *obs)
{
    if (obs->flow) {
        ccm_model_flow_run(m, ccm_model_flow_get(m, obs), obs);
        return;
    }
    ccm_model_flow f = {
        .end = { obs->src, obs->dst },
        .edge = CCM_NONE,
        .route = -1,
        .l4 = obs->l4,
        .loop = ccm_endpoint_eq(&obs->src, &obs->dst),
    };
    ccm_model_flow_run(m, &f, obs);
    ccm_model_flow_settle(m, &f);
}

static inline bool is(ccm_span s, const char *w)
{
    return s.n == strlen(w) && memcmp(s.p, w, s.n) == 0;
}

static ccm_ended_as state_of(ccm_span s)
{
    return is(s, "established")  ? CCM_ENDED_ESTABLISHED
           : is(s, "refused")    ? CCM_ENDED_REFUSED
           : is(s, "unanswered") ? CCM_ENDED_UNANSWERED
           : is(s, "midstream")  ? CCM_ENDED_MIDSTREAM
           : is(s, "datagrams")  ? CCM_ENDED_DATAGRAMS
                                 : CCM_ENDED_UNSAID;
}

static void ending_tell(ccm_ending *how, const ccm_obs *obs)
{
    for (unsigned i = 0; i < obs->n; i++) {
        uint64_t v = obs->val[i].u;
        switch (ccm_obs_key(obs, i)) {
        case CCM_KEY_state:
            how->state = (uint8_t)state_of(obs->val[i].s);
            break;
        case CCM_KEY_closed:
            how->reset = is(obs->val[i].s, "reset");
            break;
        case CCM_KEY_rtt_ns:
            how->rtt = v;
            how->timed = true;
            break;
        case CCM_KEY_zero_windows:
            how->zero_windows = v;
            break;
        case CCM_KEY_resets:
            how->resets = v;
            break;
        case CCM_KEY_gaps:
            how->gaps = v;
            break;
        case CCM_KEY_duplicates:
            how->duplicates = v;
            break;
        case CCM_KEY_overlap_conflicts:
            how->overlap_conflicts = v;
            break;
        default:
            break;
        }
    }
}

/* A key distribution centre that did not answer is news. */
static void note_kdc(ccm_model *m, const ccm_obs *flow, const ccm_ending *how, uint64_t start_ns,
                     uint64_t end_ns)
{
    if (flow->dst.port == CCM_KDC_PORT &&
        (how->state == CCM_ENDED_UNANSWERED || how->state == CCM_ENDED_REFUSED))
        ccm_krb_call(m, &flow->src.addr, how->frame, start_ns, ccm_max64(start_ns, end_ns));
}

static ccm_ending *flow_ends(ccm_model *m, ccm_model_flow *f, const ccm_obs *flow, uint64_t frame)
{
    if (!ccm_model_flow_decided(f))
        f->client = !ccm_endpoint_eq(&f->end[0], &flow->src);
    ccm_ending *how = ccm_model_flow_end(m, f);
    how->frame = frame;
    return how;
}

static void on_connection(ccm_model *m, const ccm_obs *obs)
{
    if (!obs->flow)
        return;
    ccm_ending *how = flow_ends(m, ccm_model_flow_get(m, obs), obs, obs->frame);
    ending_tell(how, obs);
    note_kdc(m, obs, how, obs->time_ns, ccm_obs_get_u64(obs, CCM_KEY_end_ns));
}

void ccm_model_structs(void *model, const ccm_obs *flow, const ccm_obs_run *run, unsigned n,
                       const ccm_obs_end *end)
{
    ccm_model *m = model;
    ccm_model_flow *f = ccm_model_flow_get(m, flow);

    m->capture.streams = 1;
    ccm_model_flow_runs(m, f, flow, run, n);
    if (!end)
        return;
    ccm_ending *how = flow_ends(m, f, flow, end->frame);
    how->state = (uint8_t)end->state;
    how->reset = is(ccm_span_str(end->closed), "reset");
    how->timed = end->rtt_ns != 0;
    how->rtt = end->rtt_ns;
    how->gaps = end->gaps;
    how->duplicates = end->duplicates;
    how->overlap_conflicts = end->overlap_conflicts;
    how->zero_windows = end->zero_windows;
    how->resets = end->resets;
    note_kdc(m, flow, how, end->start_ns, end->end_ns);
}

/* The end of a file that was written is a mark in the pace of its flow. */
static void on_smb_file(ccm_model *m, const ccm_obs *obs)
{
    ccm_file_mark mark = { .first_ns = ccm_obs_get_u64(obs, CCM_KEY_data_start_ns),
                           .last_ns = ccm_obs_get_u64(obs, CCM_KEY_data_end_ns),
                           .bytes = ccm_obs_get_u64(obs, CCM_KEY_write_bytes),
                           .deleted = ccm_obs_has(obs, CCM_KEY_delete_on_close) &&
                                      !ccm_obs_has(obs, CCM_KEY_renamed_to) };
    ccm_span share = ccm_obs_get_str(obs, CCM_KEY_share), path = ccm_obs_get_str(obs, CCM_KEY_path);

    mark.path = ccm_hash_end(ccm_hash_bytes(ccm_hash_bytes(5, share.p, share.n), path.p, path.n));
    if (!mark.bytes && mark.deleted && path.n)
        mark.last_ns = ccm_obs_get_u64(obs, CCM_KEY_end_ns);
    if (obs->flow && (mark.bytes || (mark.deleted && path.n)) && mark.last_ns)
        ccm_pace_file(m, ccm_model_flow_get(m, obs), &mark);
}

static void on_count(ccm_model *m, const ccm_obs *obs)
{
    if (!obs->flow)
        return;
    /* May come before the flow's first run, which is told only when it ends. */
    ccm_model_flow *f = ccm_model_flow_get(m, obs);
    if (obs->kind == CCM_OBS_hint) {
        ccm_span p = ccm_obs_get_str(obs, CCM_KEY_protocol);
        if (p.n)
            ccm_model_flow_count(m, f, CCM_COUNT_KEY(CCM_COUNT_HINT, ccm_texts_add(&m->texts, p)));
        return;
    }
    uint64_t type = ccm_obs_get_u64(obs, CCM_KEY_icmp_type) & 0xff;
    uint64_t code = ccm_obs_get_u64(obs, CCM_KEY_icmp_code) & 0xff;
    ccm_model_flow_count(m, f, CCM_COUNT_KEY(CCM_COUNT_ICMP, type << 8 | code));
}

static void on_anomaly(ccm_model *m, const ccm_obs *obs)
{
    ccm_span protocol = ccm_obs_get_str(obs, CCM_KEY_protocol);
    ccm_span reason = ccm_obs_get_str(obs, CCM_KEY_reason);
    uint64_t count = ccm_obs_has(obs, CCM_KEY_count) ? ccm_obs_get_u64(obs, CCM_KEY_count) : 1;
    uint8_t text[CCM_TEXT_MAX];
    size_t n = MIN(protocol.n, (size_t)32), room = MIN(reason.n, (size_t)200);

    if (n)
        memcpy(text, protocol.p, n);
    if (n && room) {
        memcpy(text + n, ": ", 2);
        n += 2;
    }
    if (room)
        memcpy(text + n, reason.p, room);
    ccm_span s = { text, n + room };
    bool full = m->anomalies->len >= CCM_NOTES;
    uint32_t at = full ? ccm_texts_find(&m->texts, s) : ccm_texts_add(&m->texts, s);
    if (at == CCM_NONE || !ccm_noted_add(m->anomalies, at, count))
        ccm_model_limit(m, "anomalies", 1);
}

static void on_file(ccm_model *m, const ccm_obs *obs)
{
    if (m->files->len >= CCM_FILES) {
        ccm_model_limit(m, "files", 1);
        return;
    }
    ccm_span name = ccm_obs_get_str(obs, CCM_KEY_name);
    ccm_file f = { .name = ccm_texts_add(&m->texts, name),
                   .first_frame = ccm_obs_get_u64(obs, CCM_KEY_first_frame),
                   .packets = ccm_obs_get_u64(obs, CCM_KEY_packets),
                   .bytes = ccm_obs_get_u64(obs, CCM_KEY_file_bytes) };
    g_array_append_val(m->files, f);
}

static void note_reasons(ccm_model *m, ccm_span reasons)
{
    static const char between[] = CCM_REASON_BREAK;
    const size_t gap = sizeof between - 1;

    while (reasons.n) {
        const uint8_t *end = memmem(reasons.p, reasons.n, between, gap);
        size_t n = end ? (size_t)(end - reasons.p) : reasons.n, used = end ? n + gap : n;
        if (n)
            ccm_noted_add(m->notes, ccm_texts_add(&m->texts, ccm_span_of(reasons.p, n)), 1);
        reasons = ccm_span_of(reasons.p + used, reasons.n - used);
    }
}

static void on_capture(ccm_model *m, const ccm_obs *obs)
{
    ccm_capture_sums *c = &m->capture;
    ccm_span reason = ccm_obs_get_str(obs, CCM_KEY_reason);
    ccm_span unusable = ccm_obs_get_str(obs, CCM_KEY_unusable);

    c->ended++;
    c->packets += ccm_obs_get_u64(obs, CCM_KEY_packets);
    c->wire_bytes += ccm_obs_get_u64(obs, CCM_KEY_wire_bytes);
    c->truncated += ccm_obs_get_u64(obs, CCM_KEY_truncated_packets);
    c->undecoded += ccm_obs_get_u64(obs, CCM_KEY_undecoded_packets);
    c->dropped += ccm_obs_get_u64(obs, CCM_KEY_dropped_packets);
    c->filtered += ccm_obs_get_u64(obs, CCM_KEY_filtered_packets);
    c->gaps += ccm_obs_get_u64(obs, CCM_KEY_gaps);
    c->secrets += ccm_obs_get_u64(obs, CCM_KEY_secrets_blocks);
    c->decryption.secrets += ccm_obs_get_u64(obs, CCM_KEY_secrets);
    c->decryption.malformed += ccm_obs_get_u64(obs, CCM_KEY_secrets_malformed);
    c->decryption.private_keys += ccm_obs_get_u64(obs, CCM_KEY_private_keys);
    c->decryption.sessions += ccm_obs_get_u64(obs, CCM_KEY_decrypted_sessions);
    if (ccm_obs_has(obs, CCM_KEY_has_start)) {
        uint64_t start = ccm_obs_get_u64(obs, CCM_KEY_start_ns);
        uint64_t end = ccm_obs_get_u64(obs, CCM_KEY_end_ns);
        c->start_ns = c->has_time ? ccm_min64(c->start_ns, start) : start;
        c->end_ns = c->has_time ? ccm_max64(c->end_ns, end) : end;
        c->has_time = true;
    }
    c->untimed += ccm_obs_get_u64(obs, CCM_KEY_untimed_packets);
    c->backward += ccm_obs_get_u64(obs, CCM_KEY_backward_steps);
    c->unmerged += ccm_obs_get_u64(obs, CCM_KEY_unmerged_files);
    c->ended_early |= reason.n > 0;
    c->unusable |= unusable.n > 0;
    note_reasons(m, reason);
    note_reasons(m, unusable);
}

static void on_limit(ccm_model *m, const ccm_obs *obs)
{
    ccm_span name = ccm_obs_get_str(obs, CCM_KEY_limit);
    uint64_t count = ccm_obs_has(obs, CCM_KEY_count) ? ccm_obs_get_u64(obs, CCM_KEY_count) : 1;
    if (name.n && m->noted_limits->len < CCM_NOTES)
        ccm_noted_add(m->noted_limits, ccm_texts_add(&m->texts, name), count);
}

static void on_request(ccm_model *m, const ccm_obs *obs)
{
    ccm_request r = ccm_request_of(obs);

    if (!obs->flow)
        return;
    const ccm_known_request *is = ccm_known_request_of(m, &r);
    ccm_model_request(m, obs, is);
    ccm_proofs_observe(m, obs, &is->auth);
}

void ccm_model_observe(void *model, const ccm_obs *obs)
{
    ccm_model *m = model;

    m->capture.streams = 1;
    if (ccm_obs_has(obs, CCM_KEY_through))
        ccm_tunnel_enter(m, obs);
    switch (obs->kind) {
    case CCM_OBS_run:
        on_run(m, obs);
        break;
    case CCM_OBS_connection:
        on_connection(m, obs);
        break;
    case CCM_OBS_http_request:
        on_request(m, obs);
        break;
    case CCM_OBS_http_response:
    case CCM_OBS_http_done:
        ccm_model_http(m, obs);
        ccm_proofs_observe(m, obs, NULL);
        break;
    case CCM_OBS_http_auth:
        ccm_names_observe(m, obs);
        ccm_proofs_observe(m, obs, NULL);
        break;
    case CCM_OBS_token:
    case CCM_OBS_ccm_message:
    case CCM_OBS_ccm_body:
    case CCM_OBS_signature:
        ccm_proofs_observe(m, obs, NULL);
        break;
    case CCM_OBS_kerberos:
        ccm_names_observe(m, obs);
        ccm_krb_observe(m, obs);
        break;
    case CCM_OBS_smb_auth:
        ccm_names_observe(m, obs);
        ccm_model_smb(m, obs);
        break;
    case CCM_OBS_smb_negotiate:
    case CCM_OBS_smb_session:
    case CCM_OBS_smb_tree:
    case CCM_OBS_smb_requests:
    case CCM_OBS_smb_answers:
    case CCM_OBS_smb_done:
        ccm_model_smb(m, obs);
        break;
    case CCM_OBS_smb_file:
        ccm_model_smb(m, obs);
        on_smb_file(m, obs);
        break;
    case CCM_OBS_hint:
    case CCM_OBS_icmp_error:
        on_count(m, obs);
        break;
    case CCM_OBS_name:
    case CCM_OBS_dns_query:
    case CCM_OBS_dns_answer:
        ccm_names_observe(m, obs);
        break;
    case CCM_OBS_ccm_message_header: /* for those who look at single messages */
        break;
    case CCM_OBS_anomaly:
        on_anomaly(m, obs);
        break;
    case CCM_OBS_limit:
        on_limit(m, obs);
        break;
    case CCM_OBS_capture_file:
        on_file(m, obs);
        break;
    case CCM_OBS_capture:
        on_capture(m, obs);
        break;
    case CCM_OBS_tls_client_hello:
    case CCM_OBS_tls_server_hello:
    case CCM_OBS_tls_ticket:
    case CCM_OBS_tls_certificate:
    case CCM_OBS_tls_certificate_request:
    case CCM_OBS_tls_alert:
    case CCM_OBS_tls_session:
        ccm_tls_book_observe(m, obs);
        break;
    case CCM_OBS_KINDS:
        break;
    }
}
