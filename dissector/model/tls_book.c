/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls_book.c - folds TLS connections into the evidence of a model.
 *
 * In: tls_ observations; flows that end. Out: counters of flows, sums of edges, names of hosts,
 * certificates. State: ccm_tls_book. */
#include "model/tls_book.h"

#include "model/proofs.h"
#include "model/relay.h"

#define INNER (UINT64_C(1) << CCM_TLS_INNER)

enum { SAN_NAMES = 4 }; /* of a certificate that become names of a host */

struct ccm_tls_book *ccm_tls_book_new(unsigned flows)
{
    struct ccm_tls_book *b = g_new0(struct ccm_tls_book, 1);

    ccm_tls_flows_init(&b->flows, flows);
    ccm_tls_sessions_init(&b->sessions);
    ccm_index_init(&b->index, 16);
    b->certificates = g_array_new(FALSE, FALSE, sizeof(ccm_certificate_seen));
    return b;
}

void ccm_tls_book_free(struct ccm_tls_book *b)
{
    ccm_tls_flows_clear(&b->flows);
    ccm_tls_sessions_clear(&b->sessions);
    ccm_index_clear(&b->index);
    g_array_free(b->certificates, TRUE);
    g_free(b);
}

/* ---- certificates ---------------------------------------------------------------------------- */

static bool certificate_eq(const void *table, uint32_t value, const void *key)
{
    const GArray *v = table;
    return g_array_index(v, ccm_certificate_seen, value).fingerprint == *(const uint32_t *)key;
}

static int end_cmp(const ccm_endpoint *a, const ccm_endpoint *b)
{
    int r = ccm_addr_cmp(&a->addr, &b->addr);
    return r ? r : (int)a->port - (int)b->port;
}

/* Keeps the lowest, so that the set does not depend on the order of arrival. */
static void seen_on(ccm_certificate_seen *c, const ccm_endpoint *end)
{
    unsigned at = 0;

    while (at < c->n_seen && end_cmp(&c->seen[at], end) < 0)
        at++;
    if (at < c->n_seen && end_cmp(&c->seen[at], end) == 0)
        return;
    if (c->n_seen == CCM_CERTIFICATE_PLACES)
        c->more = true;
    else
        c->n_seen++;
    for (unsigned i = c->n_seen; i-- > at + 1;)
        c->seen[i] = c->seen[i - 1];
    if (at < c->n_seen)
        c->seen[at] = *end;
}

static void add_id(ccm_certificate_seen *c, uint64_t id)
{
    unsigned at = 0;

    while (at < c->n_ids && c->id[at] < id)
        at++;
    if (at == CCM_CERTIFICATE_IDS || (at < c->n_ids && c->id[at] == id))
        return;
    c->n_ids = (uint8_t)MIN(c->n_ids + 1, CCM_CERTIFICATE_IDS);
    for (unsigned i = c->n_ids; i-- > at + 1u;)
        c->id[i] = c->id[i - 1];
    c->id[at] = id;
}

/* Adds `add`, whose texts are the model's. */
static void certificate_add(ccm_model *m, const ccm_certificate_seen *add)
{
    struct ccm_tls_book *b = m->tls;
    uint32_t hash = ccm_hash_end(ccm_mix(15, add->fingerprint));
    uint32_t i =
        ccm_index_find(&b->index, hash, certificate_eq, b->certificates, &add->fingerprint);

    if (i == CCM_NONE) {
        if (b->certificates->len >= CCM_CERTIFICATES) {
            ccm_model_limit(m, "certificates", 1);
            return;
        }
        ccm_index_add(&b->index, hash, b->certificates->len);
        g_array_append_val(b->certificates, *add);
        return;
    }
    ccm_certificate_seen *c = &g_array_index(b->certificates, ccm_certificate_seen, i);
    c->count += add->count;
    if (add->first_frame && (!c->first_frame || add->first_frame < c->first_frame))
        c->first_frame = add->first_frame;
    c->leaf |= add->leaf;
    c->server |= add->server;
    c->client |= add->client;
    c->more |= add->more;
    for (unsigned k = 0; k < add->n_seen; k++)
        seen_on(c, &add->seen[k]);
    for (unsigned k = 0; k < add->n_ids; k++)
        add_id(c, add->id[k]);
}

static uint32_t text_at(ccm_model *m, const ccm_obs *obs, ccm_key key)
{
    ccm_span s = ccm_obs_get_str(obs, key);
    return s.n ? ccm_texts_add(&m->texts, s) : CCM_NONE;
}

static void on_certificate(ccm_model *m, const ccm_obs *obs)
{
    bool client = ccm_obs_has(obs, CCM_KEY_from_client);
    ccm_endpoint end = obs->src;
    ccm_certificate_seen c = {
        .fingerprint = text_at(m, obs, CCM_KEY_fingerprint),
        .key_bits = (uint32_t)ccm_obs_get_u64(obs, CCM_KEY_key_bits),
        .has_not_before = ccm_obs_has(obs, CCM_KEY_not_before_ns),
        .has_expires = ccm_obs_has(obs, CCM_KEY_expires_ns),
        .not_before_ns = ccm_obs_get_u64(obs, CCM_KEY_not_before_ns),
        .expires_ns = ccm_obs_get_u64(obs, CCM_KEY_expires_ns),
        .count = 1,
        .first_frame = obs->frame,
        .kind = (uint8_t)ccm_tls_certificate_kind(obs),
        .leaf = !ccm_obs_get_u64(obs, CCM_KEY_position),
        .server = !client,
        .client = client,
    };

    if (c.fingerprint == CCM_NONE)
        return; /* not whole: it may be any */
    c.subject = text_at(m, obs, CCM_KEY_subject);
    c.issuer = text_at(m, obs, CCM_KEY_issuer);
    c.san = text_at(m, obs, CCM_KEY_san);
    c.usage = text_at(m, obs, CCM_KEY_key_usage);
    c.serial = text_at(m, obs, CCM_KEY_serial);
    c.key_type = text_at(m, obs, CCM_KEY_key_type);
    if (client)
        end.port = 0;
    seen_on(&c, &end);
    certificate_add(m, &c);
}

void ccm_tls_book_client_id(ccm_model *m, const ccm_obs *obs)
{
    bool message = obs->kind == CCM_OBS_ccm_message;
    ccm_span id = ccm_obs_get_str(obs, message ? CCM_KEY_source_id : CCM_KEY_client_id);
    uint64_t hash = 17;

    if (!id.n || !m->tls->flows.index.n || !ccm_obs_has(obs, CCM_KEY_decrypted) ||
        ccm_obs_has(obs, CCM_KEY_reply))
        return;
    const ccm_tls_facts *facts = ccm_tls_flows_find(&m->tls->flows, ccm_tls_flow_of(obs));
    if (!facts || facts->is.fingerprint == CCM_NONE)
        return;
    uint32_t print = facts->is.fingerprint;
    uint32_t i = ccm_index_find(&m->tls->index, ccm_hash_end(ccm_mix(15, print)), certificate_eq,
                                m->tls->certificates, &print);
    const uint8_t *colon = memchr(id.p, ':', id.n); /* "GUID:" and braces come and go */
    for (size_t k = colon ? (size_t)(colon - id.p) : 0; k < id.n; k++)
        if (g_ascii_isxdigit((char)id.p[k]))
            hash = ccm_mix(hash, (uint64_t)g_ascii_tolower((char)id.p[k]));
    if (i != CCM_NONE)
        add_id(&g_array_index(m->tls->certificates, ccm_certificate_seen, i), hash);
}

/* ---- names ----------------------------------------------------------------------------------- */

/* A name with a dot, as hosts have; that of a person or of a policy has none, or has blanks. What
 * goes through a tunnel names whom it leads to, not whom the packets go to. */
static void host_name(ccm_model *m, const ccm_obs *obs, const ccm_endpoint *end, ccm_span name,
                      ccm_name_source source)
{
    if (!name.n || !memchr(name.p, '.', name.n) || memchr(name.p, '*', name.n) ||
        ccm_obs_has(obs, CCM_KEY_through))
        return;
    uint32_t host = ccm_host_get(m, &end->addr);
    int mark = source == CCM_NAME_TLS ? ccm_catalog_name(m->catalog, name) : -1;
    ccm_host_authority(m, host, name, source);
    if (mark >= 0)
        ccm_host_evidence(m, host,
                          &(ccm_evidence){ .mark = (int16_t)mark,
                                           .server = true,
                                           .port = end->port,
                                           .count = 1,
                                           .first_frame = obs->frame });
}

static void certificate_names(ccm_model *m, const ccm_obs *obs)
{
    ccm_span san = ccm_obs_get_str(obs, CCM_KEY_san);
    ccm_name_source source =
        ccm_obs_has(obs, CCM_KEY_from_client) ? CCM_NAME_CLIENT_CERTIFICATE : CCM_NAME_CERTIFICATE;

    if (ccm_obs_get_u64(obs, CCM_KEY_position))
        return;
    host_name(m, obs, &obs->src, ccm_obs_get_str(obs, CCM_KEY_subject_name), source);
    for (unsigned i = 0; san.n && i < SAN_NAMES; i++) {
        const uint8_t *comma = memchr(san.p, ',', san.n);
        size_t n = comma ? (size_t)(comma - san.p) : san.n;
        host_name(m, obs, &obs->src, ccm_span_of(san.p, n), source);
        n += comma != NULL;
        san = ccm_span_of(san.p + n, san.n - n);
    }
}

/* ---- counters -------------------------------------------------------------------------------- */

static void count(ccm_model *m, ccm_model_flow *f, ccm_count_kind kind, uint32_t number)
{
    if (number != CCM_NONE)
        ccm_model_flow_count(m, f, CCM_COUNT_KEY(kind, number));
}

/* "server fatal 48 unknown CA": words of fixed order, taken apart again by view_tls.c. Closing is
 * no event, and an encrypted alert is one only where the handshake did not end. */
static void count_alert(ccm_model *m, ccm_model_flow *f, const ccm_tls_facts *facts,
                        const ccm_tls_alert *a)
{
    char words[CCM_TEXT_MAX];
    const char *who = a->from_client ? "client" : "server";

    if (a->encrypted ? facts->established || facts->incomplete : !a->code)
        return;
    if (a->encrypted)
        g_snprintf(words, sizeof words, "%s encrypted", who);
    else
        g_snprintf(words, sizeof words, "%s %s %u %s", who, a->fatal ? "fatal" : "warning", a->code,
                   a->name == CCM_NONE ? "" : ccm_texts_get(&m->texts, a->name));
    count(m, f, CCM_COUNT_TLS_ALERT, ccm_texts_add(&m->texts, ccm_span_str(words)));
}

static void count_session(ccm_model *m, ccm_model_flow *f, const ccm_tls_facts *facts)
{
    ccm_certainty sure;
    ccm_tls_client client = ccm_tls_client_of(facts, &sure);

    count(m, f, CCM_COUNT_TLS_VERSION, facts->version);
    count(m, f, CCM_COUNT_TLS_SERVER,
          facts->is.server | (uint32_t)ccm_tls_server_certainty(facts) << CCM_TLS_SURE);
    count(m, f, CCM_COUNT_TLS_CLIENT, client | (uint32_t)sure << CCM_TLS_SURE);
    if (facts->resumed)
        count(m, f, CCM_COUNT_TLS_RESUMED, facts->inherited);
    count(m, f, CCM_COUNT_TLS_CIPHER, facts->cipher);
    count(m, f, CCM_COUNT_TLS_ISSUER, facts->is.issuer);
    count(m, f, CCM_COUNT_SNI, facts->sni);
    count(m, f, CCM_COUNT_ALPN, facts->alpn);
    count(m, f, CCM_COUNT_JA3, facts->ja3);
    count(m, f, CCM_COUNT_JA4, facts->ja4);
    for (unsigned i = 0; i < facts->n_alerts; i++)
        count_alert(m, f, facts, &facts->alert[i]);
}

/* ---- observations ---------------------------------------------------------------------------- */

void ccm_tls_book_observe(ccm_model *m, const ccm_obs *obs)
{
    struct ccm_tls_book *b = m->tls;

    if (!obs->flow)
        return;
    ccm_tls_facts *facts = ccm_tls_flows_get(&b->flows, ccm_tls_flow_of(obs));
    ccm_tls_collect(facts, &m->texts, &b->sessions, obs);
    if (obs->kind == CCM_OBS_tls_certificate) {
        on_certificate(m, obs);
        certificate_names(m, obs);
    } else if (obs->kind == CCM_OBS_tls_client_hello) {
        ccm_relays_observe(m, obs);
        host_name(m, obs, &obs->dst, ccm_obs_get_str(obs, CCM_KEY_sni), CCM_NAME_TLS);
    } else if (obs->kind == CCM_OBS_tls_session) {
        count_session(m, ccm_model_flow_get(m, obs), facts);
    }
}

static void verdict_to_edge(ccm_model *m, uint32_t edge, const ccm_auth_verdict *v)
{
    ccm_auth_seen seen[CCM_VERDICT_EVIDENCE];
    ccm_auth_sum one = ccm_auth_sum_of(v, seen);

    ccm_auth_sum_to_edge(m, edge, &one);
}

void ccm_tls_book_end(ccm_model *m, const ccm_model_flow *f, uint64_t id)
{
    if (!m->tls->flows.index.n)
        return;
    for (unsigned inner = 0; inner < 2; inner++, id |= INNER) {
        const ccm_tls_facts *facts = ccm_tls_flows_find(&m->tls->flows, id);
        if (facts && facts->has_verdict)
            verdict_to_edge(m, f->edge, &facts->verdict);
        ccm_tls_flows_end(&m->tls->flows, id);
    }
}

/* ---- merging --------------------------------------------------------------------------------- */

static uint32_t map_text(ccm_model *to, const ccm_model *from, uint32_t i)
{
    return i == CCM_NONE ? CCM_NONE
                         : ccm_texts_add(&to->texts, ccm_span_str(ccm_texts_get(&from->texts, i)));
}

/* A connection that is over, but whose flow is not. */
static void merge_open(ccm_model *to, const ccm_model *from, const ccm_model_flow *f, uint64_t id)
{
    const ccm_tls_facts *facts = f->id ? ccm_tls_flows_find(&from->tls->flows, id) : NULL;

    if (!facts || !facts->has_verdict)
        return;
    ccm_auth_verdict v = facts->verdict;
    v.account = map_text(to, from, v.account);
    verdict_to_edge(to, ccm_proofs_edge(to, from, f), &v);
}

void ccm_tls_book_merge(ccm_model *to, const ccm_model *from)
{
    const GArray *list = from->tls->certificates;

    for (unsigned i = 0; i < list->len; i++) {
        ccm_certificate_seen c = g_array_index(list, ccm_certificate_seen, i);
        uint32_t *texts[] = { &c.fingerprint, &c.subject, &c.issuer,  &c.san,
                              &c.usage,       &c.serial,  &c.key_type };
        for (unsigned k = 0; k < G_N_ELEMENTS(texts); k++)
            *texts[k] = map_text(to, from, *texts[k]);
        certificate_add(to, &c);
    }
    for (uint32_t i = 0; from->tls->flows.index.n && i < from->n_flows; i++) {
        const ccm_model_flow *f = ccm_model_flow_at(from, i);
        merge_open(to, from, f, f->id);
        merge_open(to, from, f, f->id | INNER);
    }
}
