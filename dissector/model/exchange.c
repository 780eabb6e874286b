/* SPDX-License-Identifier: GPL-2.0-or-later
 * exchange.c - joins request, answer and end of HTTP exchanges.
 *
 * In: observations. Out: ccm_exchange records through a callback. State: open exchanges by flow and
 * number, at most limits->flows of them and OPEN_BYTES of their texts; beyond that the oldest is
 * given out with what it has. Records are recycled, so a steady stream allocates nothing. */
#include "model/exchange_auth.h"
#include "model/exchange_smb.h"
#include "model/conclude.h"
#include "model/exchange_open.h"
#include "model/exchange_tls.h"
#include "model/naming.h"
#include "model/proofs.h"
#include "model/tls.h"

enum { OPEN_BYTES = 32 << 20, KEEP_BYTES = 4096, NTLM_ANSWER = 3 };

struct ccm_joiner {
    ccm_catalog *catalog;
    unsigned max;
    ccm_exchange_fn fn;
    void *user_data;
    ccm_index index;
    GPtrArray *v;  /* open_exchange * */
    GArray *spare; /* uint32_t */
    uint32_t oldest, newest;
    uint64_t bytes;
    ccm_join_auth auth;
    GString *smb; /* texts of the handle that is given out */
    ccm_tls_flows tls;
    ccm_tls_sessions sessions;
};

typedef struct key {
    uint64_t flow, exchange;
} key;

static open_exchange *at(const ccm_joiner *j, uint32_t i)
{
    return (open_exchange *)g_ptr_array_index(j->v, i);
}

static bool key_eq(const void *table, uint32_t value, const void *wanted)
{
    const ccm_exchange *x = &at(table, value)->x;
    const key *k = wanted;
    return x->flow == k->flow && x->exchange == k->exchange;
}

static uint32_t key_hash(const key *k)
{
    return ccm_hash_end(ccm_mix(ccm_mix(8, k->flow), k->exchange));
}

static void open_free(void *p)
{
    open_exchange *o = p;
    g_string_free(o->text, TRUE);
    g_free(o);
}

ccm_joiner *ccm_joiner_new(const ccm_catalog *catalog, const ccm_limits *limits, ccm_exchange_fn fn,
                           void *user_data)
{
    ccm_joiner *j = g_new0(ccm_joiner, 1);
    j->catalog = ccm_catalog_ref((ccm_catalog *)catalog);
    j->max = CLAMP(limits->flows, 1, 1u << 30);
    j->fn = fn;
    j->user_data = user_data;
    j->v = g_ptr_array_new_with_free_func(open_free);
    j->spare = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    j->oldest = j->newest = CCM_NONE;
    j->smb = g_string_new(NULL);
    ccm_index_init(&j->index, 64);
    ccm_join_auth_init(&j->auth, j->max);
    ccm_tls_flows_init(&j->tls, j->max);
    ccm_tls_sessions_init(&j->sessions);
    return j;
}

/* ---- giving out ------------------------------------------------------------------------------ */

/* From this exchange alone: its mark, or its port. */
static void set_route(const ccm_catalog *c, const ccm_match *hit, ccm_exchange *x)
{
    int row = x->has_request ? hit->route : -1;

    if (row >= 0) {
        x->certainty = hit->certainty;
        if (ccm_status_denies(x->status) && x->certainty > CCM_CERTAINTY_LIKELY)
            x->certainty = CCM_CERTAINTY_LIKELY;
        x->protocol = ccm_route_at(c, row)->protocol;
    } else {
        ccm_conclusion port;
        ccm_conclude_port(c, 6, x->server.port, true, &port);
        row = port.row;
        x->certainty = port.certainty;
        x->protocol = port.protocol;
    }
    x->route = ccm_route_at(c, row)->route;
    x->ref = ccm_route_at(c, row)->ref;
    x->source_role = ccm_role_at(c, ccm_route_at(c, row)->source)->id;
    x->destination_role = ccm_role_at(c, ccm_route_at(c, row)->destination)->id;
    int kind = hit->mark >= 0 ? hit->mark : hit->proxy;
    if (x->has_request && kind >= 0)
        x->url_kind = ccm_mark_at(c, kind)->id;
    if (x->has_request && hit->agent >= 0)
        x->component = ccm_mark_at(c, hit->agent)->component;
}

const char *ccm_exchange_of_request(const ccm_catalog *catalog, const ccm_obs *request,
                                    ccm_exchange *x, char *words)
{
    ccm_request r = ccm_request_of(request);
    ccm_match hit = { .mark = -1, .proxy = -1, .agent = -1, .route = -1 };

    ccm_catalog_match(catalog, &r, &hit);
    *x = (ccm_exchange){ .client = request->src, .server = request->dst, .has_request = true };
    set_route(catalog, &hit, x);
    return ccm_naming_of(catalog, &r, &hit, ccm_obs_get_str(request, CCM_KEY_soap_action), words);
}

static void give_out(ccm_joiner *j, uint32_t i)
{
    open_exchange *o = at(j, i);
    key k = { o->x.flow, o->x.exchange };

    ccm_open_exchange_show(o);
    set_route(j->catalog, &o->hit, &o->x);
    ccm_join_auth_show(&j->auth, &o->facts, &o->x);
    j->fn(j->user_data, &o->x);
    ccm_index_remove(&j->index, key_hash(&k), i);
    if (o->older == CCM_NONE)
        j->oldest = o->newer;
    else
        at(j, o->older)->newer = o->newer;
    if (o->newer == CCM_NONE)
        j->newest = o->older;
    else
        at(j, o->newer)->older = o->older;
    j->bytes -= o->text->len;
    if (o->text->allocated_len > KEEP_BYTES) {
        g_string_free(o->text, TRUE);
        o->text = g_string_new(NULL);
    }
    g_array_append_val(j->spare, i);
}

/* ---- collecting ------------------------------------------------------------------------------ */

/* A text in the place `*at`, which is empty. */
static void put_at(ccm_joiner *j, open_exchange *o, uint32_t *at, ccm_span s)
{
    size_t before = o->text->len;
    if (!s.n)
        return;
    *at = (uint32_t)before + 1;
    ccm_text_append(o->text, s);
    g_string_append_c(o->text, '\0');
    j->bytes += o->text->len - before;
}

static void put(ccm_joiner *j, open_exchange *o, text_id t, ccm_span s)
{
    if (!o->at[t])
        put_at(j, o, &o->at[t], s);
}

static void put_all(ccm_joiner *j, open_exchange *o, uint32_t *at, const ccm_obs *obs,
                    const ccm_key *keys, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        put_at(j, o, &at[i], ccm_obs_get_str(obs, keys[i]));
}

static open_exchange *find(const ccm_joiner *j, const ccm_obs *obs)
{
    key k = { obs->flow, ccm_obs_get_u64(obs, CCM_KEY_exchange) };
    uint32_t i = ccm_index_find(&j->index, key_hash(&k), key_eq, j, &k);
    return i == CCM_NONE ? NULL : at(j, i);
}

static open_exchange *take(ccm_joiner *j, const ccm_obs *obs, bool from_client)
{
    key k = { obs->flow, ccm_obs_get_u64(obs, CCM_KEY_exchange) };
    uint32_t i = ccm_index_find(&j->index, key_hash(&k), key_eq, j, &k);

    if (i != CCM_NONE)
        return at(j, i);
    if (j->index.n >= j->max || j->bytes > OPEN_BYTES)
        give_out(j, j->oldest);
    if (j->spare->len) {
        i = g_array_index(j->spare, uint32_t, j->spare->len - 1);
        g_array_set_size(j->spare, j->spare->len - 1);
    } else {
        open_exchange *fresh = g_new0(open_exchange, 1);
        fresh->text = g_string_new(NULL);
        i = j->v->len;
        g_ptr_array_add(j->v, fresh);
    }
    open_exchange *o = at(j, i);
    GString *text = o->text;
    memset(o, 0, sizeof *o);
    o->text = g_string_truncate(text, 0);
    o->x.flow = k.flow;
    o->x.exchange = k.exchange;
    o->x.time_ns = obs->time_ns;
    o->x.frame = obs->frame;
    o->x.client = from_client ? obs->src : obs->dst;
    o->x.server = from_client ? obs->dst : obs->src;
    ccm_auth_begin(&o->facts, k.exchange);
    o->hit = (ccm_match){ .mark = -1, .proxy = -1, .agent = -1, .route = -1 };
    o->newer = CCM_NONE;
    o->older = j->newest;
    if (j->newest == CCM_NONE)
        j->oldest = i;
    else
        at(j, j->newest)->newer = i;
    j->newest = i;
    ccm_index_add(&j->index, key_hash(&k), i);
    return o;
}

static void collect(ccm_joiner *j, open_exchange *o, const ccm_obs *obs)
{
    bool reply = ccm_obs_has(obs, CCM_KEY_reply);
    for (unsigned i = 0; i < obs->n; i++) {
        text_id t = ccm_exchange_text(obs->kind, reply, ccm_obs_key(obs, i));
        if (t != T_TEXTS && (t != T_ASSIGNED || ccm_registration_names(obs)))
            put(j, o, t, obs->val[i].s);
    }
    o->x.decrypted |= ccm_obs_has(obs, CCM_KEY_decrypted);
    o->x.head_incomplete |= ccm_obs_has(obs, CCM_KEY_head_incomplete);
}

static void collect_header(ccm_joiner *j, open_exchange *o, const ccm_obs *obs, bool reply)
{
    for (unsigned i = 0; i < obs->n && o->x.message.n_header < CCM_EXCHANGE_HEADER; i++) {
        if (!ccm_exchange_header(obs->kind, reply, ccm_obs_key(obs, i)))
            continue;
        unsigned at = o->x.message.n_header++;
        ccm_exchange_header_field *f = &o->x.message.header[at];
        *f = (ccm_exchange_header_field){ .key = ccm_obs_key(obs, i), .reply = reply };
        if (ccm_key_type(f->key) == CCM_TYPE_STR)
            put_at(j, o, &o->header[at], obs->val[i].s);
        else
            f->number = obs->val[i].u;
    }
}

static void on_request(ccm_joiner *j, const ccm_obs *obs)
{
    ccm_request r = ccm_request_of(obs);
    open_exchange *o = take(j, obs, true);

    o->x.has_request = true;
    o->x.time_ns = obs->time_ns;
    o->x.frame = obs->frame;
    o->x.version = (unsigned)ccm_obs_get_u64(obs, CCM_KEY_version);
    o->x.signature_bits = ccm_obs_get_u64(obs, CCM_KEY_signature_bits);
    ccm_auth_collect(&o->facts, &j->auth.texts, obs);
    const ccm_tls_facts *tls =
        j->tls.index.n ? ccm_tls_flows_find(&j->tls, ccm_tls_flow_of(obs)) : NULL;
    if (tls && tls->is.mode) {
        ccm_auth_certificate c = ccm_tls_certificate_of(tls);
        ccm_join_auth_certificate(&j->auth, obs->flow, o->x.exchange, &c);
    }
    ccm_catalog_match(j->catalog, &r, &o->hit);
    collect(j, o, obs);
    char words[CCM_NAMING_WORDS];
    const char *about =
        ccm_naming_of(j->catalog, &r, &o->hit, ccm_obs_get_str(obs, CCM_KEY_soap_action), words);
    put(j, o, T_ABOUT, ccm_span_str(about));
}

/* Messages, tokens, signatures: always inside an exchange that is already known. */
static void on_detail(ccm_joiner *j, const ccm_obs *obs)
{
    open_exchange *o = find(j, obs);
    bool reply = ccm_obs_has(obs, CCM_KEY_reply);

    if (!o)
        return;
    ccm_exchange *x = &o->x;
    bool proof = obs->kind == CCM_OBS_token || obs->kind == CCM_OBS_signature;
    bool issued = proof && ccm_endpoint_eq(&obs->src, &x->server);
    if (issued && obs->kind == CCM_OBS_signature)
        return;
    if (!issued)
        ccm_auth_collect(&o->facts, &j->auth.texts, obs);
    /* The client's own name; that of a challenge is the server's. */
    if (obs->kind == CCM_OBS_http_auth && ccm_obs_get_u64(obs, CCM_KEY_ntlm_type) == NTLM_ANSWER) {
        bool proxy = ccm_text_same(ccm_obs_get_str(obs, CCM_KEY_header), "proxy-authorization");
        put(j, o, proxy ? T_PROXY_WORKSTATION : T_WORKSTATION,
            ccm_obs_get_str(obs, CCM_KEY_workstation));
    }
    if (obs->kind == CCM_OBS_ccm_message || obs->kind == CCM_OBS_ccm_message_header)
        collect_header(j, o, obs, reply);
    if (obs->kind == CCM_OBS_token && x->n_tokens < CCM_EXCHANGE_TOKENS) {
        static const ccm_key keys[] = { CCM_KEY_header, CCM_KEY_category, CCM_KEY_issuer,
                                        CCM_KEY_audience, CCM_KEY_subject_kind };
        put_all(j, o, o->token[x->n_tokens], obs, keys, G_N_ELEMENTS(keys));
        x->tokens[x->n_tokens].issued = issued;
        x->tokens[x->n_tokens].not_before_ns = ccm_obs_get_u64(obs, CCM_KEY_not_before_ns);
        x->tokens[x->n_tokens++].expires_ns = ccm_obs_get_u64(obs, CCM_KEY_expires_ns);
    } else if (obs->kind == CCM_OBS_ccm_message && !reply) {
        x->message.present = true;
        x->message.is_signed = ccm_obs_has(obs, CCM_KEY_signed);
        x->message.compressed = ccm_obs_has(obs, CCM_KEY_compressed);
        x->message.encrypted = ccm_obs_has(obs, CCM_KEY_encrypted);
        x->message.incomplete = ccm_obs_has(obs, CCM_KEY_incomplete);
        const char *words = ccm_message_words(ccm_obs_get_str(obs, CCM_KEY_endpoint));
        put(j, o, T_ENDPOINT_WORDS, ccm_span_str(words));
        collect(j, o, obs);
    } else if (obs->kind == CCM_OBS_ccm_body) {
        x->message.body_incomplete |= !reply && ccm_obs_has(obs, CCM_KEY_incomplete);
        collect(j, o, obs);
    } else if (obs->kind == CCM_OBS_signature && x->n_signatures < CCM_EXCHANGE_SIGNATURES) {
        static const ccm_key keys[] = { CCM_KEY_field, CCM_KEY_result, CCM_KEY_variant,
                                        CCM_KEY_key_source };
        put_all(j, o, o->signature[x->n_signatures++], obs, keys, G_N_ELEMENTS(keys));
    }
}

static void on_response(ccm_joiner *j, const ccm_obs *obs)
{
    open_exchange *o = take(j, obs, false);
    unsigned status = (unsigned)ccm_min64(ccm_obs_get_u64(obs, CCM_KEY_status), 999);

    if (ccm_obs_has(obs, CCM_KEY_interim)) {
        o->x.interim = status;
        return;
    }
    o->x.has_response = true;
    o->x.status = status;
    ccm_auth_collect(&o->facts, &j->auth.texts, obs);
    if (!o->x.version)
        o->x.version = (unsigned)ccm_obs_get_u64(obs, CCM_KEY_version);
    if (ccm_obs_has(obs, CCM_KEY_bits_received)) {
        o->x.bits.has_received = true;
        o->x.bits.received = ccm_obs_get_u64(obs, CCM_KEY_bits_received);
    }
    collect(j, o, obs);
}

static void on_done(ccm_joiner *j, const ccm_obs *obs)
{
    open_exchange *o = take(j, obs, true);
    ccm_exchange *x = &o->x;
    ccm_span pairing = ccm_obs_get_str(obs, CCM_KEY_pairing);

    x->has_done = true;
    ccm_auth_done(&o->facts, obs);
    x->has_request_bytes = ccm_obs_has(obs, CCM_KEY_request_bytes);
    x->request_bytes = ccm_obs_get_u64(obs, CCM_KEY_request_bytes);
    x->has_response_bytes = ccm_obs_has(obs, CCM_KEY_response_bytes);
    x->response_bytes = ccm_obs_get_u64(obs, CCM_KEY_response_bytes);
    x->body_missing_bytes = ccm_obs_get_u64(obs, CCM_KEY_body_missing_bytes);
    x->has_ttfb = ccm_obs_has(obs, CCM_KEY_ttfb_ns);
    x->ttfb_ns = ccm_obs_get_u64(obs, CCM_KEY_ttfb_ns);
    x->has_duration = ccm_obs_has(obs, CCM_KEY_duration_ns);
    x->duration_ns = ccm_obs_get_u64(obs, CCM_KEY_duration_ns);
    x->has_decoded = ccm_obs_has(obs, CCM_KEY_decoded_bytes);
    x->decoded_bytes = ccm_obs_get_u64(obs, CCM_KEY_decoded_bytes);
    x->complete = ccm_obs_has(obs, CCM_KEY_complete);
    x->tunnel = ccm_obs_has(obs, CCM_KEY_tunnel);
    if (pairing.n)
        put(j, o, T_PAIRING, pairing);
    key k = { x->flow, x->exchange };
    give_out(j, ccm_index_find(&j->index, key_hash(&k), key_eq, j, &k));
}

/* ---- TLS ------------------------------------------------------------------------------------- */

/* A handshake is told when its connection ends. */
static void on_tls(ccm_joiner *j, const ccm_obs *obs)
{
    uint64_t flow = ccm_tls_flow_of(obs);
    ccm_tls_facts *f = ccm_tls_flows_get(&j->tls, flow);

    ccm_tls_collect(f, &j->auth.texts, &j->sessions, obs);
    if (obs->kind != CCM_OBS_tls_session)
        return;
    ccm_exchange_tls t = ccm_exchange_tls_of(&j->auth.texts, f);
    ccm_conclusion port;
    ccm_conclude_port(j->catalog, 6, obs->dst.port, false, &port);
    ccm_conclude_tls(j->catalog, &port);
    const ccm_route_row *row = ccm_route_at(j->catalog, port.row);
    ccm_exchange x = { .time_ns = f->time_ns,
                       .frame = f->frame,
                       .flow = obs->flow,
                       .client = obs->src,
                       .server = obs->dst,
                       .route = row->route,
                       .ref = row->ref,
                       .protocol = port.protocol,
                       .source_role = ccm_role_at(j->catalog, row->source)->id,
                       .destination_role = ccm_role_at(j->catalog, row->destination)->id,
                       .certainty = port.certainty,
                       .host = t.sni,
                       .pairing = t.established ? "sure" : "uncertain",
                       .request_bytes = f->client_bytes,
                       .response_bytes = f->server_bytes,
                       .has_ttfb = f->handshake_ns > 0,
                       .ttfb_ns = f->handshake_ns,
                       .tls = &t };
    if (f->has_verdict)
        ccm_join_auth_verdict(&j->auth, &f->verdict, &x);
    j->fn(j->user_data, &x);
    ccm_tls_flows_end(&j->tls, flow);
}

void ccm_joiner_observe(ccm_joiner *j, const ccm_obs *obs)
{
    switch (obs->kind) {
    case CCM_OBS_http_request:
        on_request(j, obs);
        break;
    case CCM_OBS_http_response:
        on_response(j, obs);
        break;
    case CCM_OBS_http_done:
        on_done(j, obs);
        break;
    case CCM_OBS_http_auth:
    case CCM_OBS_token:
    case CCM_OBS_ccm_message:
    case CCM_OBS_ccm_message_header:
    case CCM_OBS_ccm_body:
    case CCM_OBS_signature:
        on_detail(j, obs);
        break;
    case CCM_OBS_kerberos:
        ccm_join_auth_kerberos(&j->auth, obs);
        break;
    case CCM_OBS_smb_file: {
        ccm_exchange x;
        ccm_exchange_of_smb(j->catalog, obs, j->smb, &x);
        j->fn(j->user_data, &x);
        break;
    }
    case CCM_OBS_tls_client_hello:
    case CCM_OBS_tls_server_hello:
    case CCM_OBS_tls_ticket:
    case CCM_OBS_tls_certificate:
    case CCM_OBS_tls_certificate_request:
    case CCM_OBS_tls_alert:
    case CCM_OBS_tls_session:
        on_tls(j, obs);
        break;
    case CCM_OBS_connection:
        ccm_join_auth_end(&j->auth, obs->flow);
        ccm_tls_flows_end(&j->tls, obs->flow);
        ccm_tls_flows_end(&j->tls, obs->flow | UINT64_C(1) << CCM_TLS_INNER);
        break;
    default:
        break;
    }
}

static int by_frame(const void *pa, const void *pb, void *data)
{
    const ccm_joiner *j = data;
    const ccm_exchange *a = &at(j, *(const uint32_t *)pa)->x, *b = &at(j, *(const uint32_t *)pb)->x;
    if (a->frame != b->frame)
        return a->frame < b->frame ? -1 : 1;
    if (a->flow != b->flow)
        return a->flow < b->flow ? -1 : 1;
    return a->exchange < b->exchange ? -1 : a->exchange > b->exchange;
}

void ccm_joiner_free(ccm_joiner *j)
{
    if (!j)
        return;
    GArray *rest = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (uint32_t i = j->oldest; i != CCM_NONE; i = at(j, i)->newer)
        g_array_append_val(rest, i);
    g_array_sort_with_data(rest, by_frame, j);
    for (unsigned i = 0; i < rest->len; i++)
        give_out(j, g_array_index(rest, uint32_t, i));
    g_array_free(rest, TRUE);
    g_array_free(j->spare, TRUE);
    g_string_free(j->smb, TRUE);
    g_ptr_array_free(j->v, TRUE);
    ccm_index_clear(&j->index);
    ccm_join_auth_clear(&j->auth);
    ccm_tls_flows_clear(&j->tls);
    ccm_tls_sessions_clear(&j->sessions);
    ccm_catalog_unref(j->catalog);
    g_free(j);
}
