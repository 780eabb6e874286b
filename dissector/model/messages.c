/* SPDX-License-Identifier: GPL-2.0-or-later
 * messages.c - Configuration Manager messages and signatures: counted for each client, and kept one
 * by one when the program asks for it.
 *
 * In: what was gathered of an exchange. Out: kinds of messages, results of signature checks, clock
 * difference and repeats for each client id; messages, at most limits->messages. State: those
 * tables. A registration that is answered belongs to the id that the answer assigns.
 * Spec: ccm-protocol.md 3.1 (times), 4.2 to 4.5, 5.1. */
#include "model/proofs.h"
#include "observe/endpoints.h"

/* ---- times ----------------------------------------------------------------------------------- */

static inline __attribute__((always_inline)) bool digits(ccm_span s, size_t at, size_t n, int *out)
{
    *out = 0;
    for (size_t i = at; i < at + n; i++) {
        if (i >= s.n || !g_ascii_isdigit((char)s.p[i]))
            return false;
        *out = *out * 10 + (s.p[i] - '0');
    }
    return true;
}

/* Days since 1970 of a date of the Gregorian calendar; the year begins in March. */
static int64_t days(int year, int month, int day)
{
    int64_t y = year - (month <= 2), era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool ccm_parse_time(ccm_span s, int64_t *seconds)
{
    int year, month, day, hour, minute, second;

    if (s.n < 20 || s.n > 40 || s.p[s.n - 1] != 'Z' || s.p[4] != '-' || s.p[7] != '-' ||
        s.p[10] != 'T' || s.p[13] != ':' || s.p[16] != ':')
        return false;
    if (s.n > 20 && s.p[19] != '.')
        return false;
    if (!digits(s, 0, 4, &year) || !digits(s, 5, 2, &month) || !digits(s, 8, 2, &day) ||
        !digits(s, 11, 2, &hour) || !digits(s, 14, 2, &minute) || !digits(s, 17, 2, &second))
        return false;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
        second > 60)
        return false;
    *seconds = days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    return true;
}

static bool skew_of(const ccm_obs *obs, ccm_key key, int64_t *skew)
{
    int64_t told;
    if (!ccm_parse_time(ccm_obs_get_str(obs, key), &told))
        return false;
    *skew = told - (int64_t)(obs->time_ns / 1000000000u);
    return true;
}

void ccm_client_skew(ccm_client *c, int64_t low_s, int64_t high_s)
{
    c->skew_low_s = c->has_skew ? MIN(c->skew_low_s, low_s) : low_s;
    c->skew_high_s = c->has_skew ? MAX(c->skew_high_s, high_s) : high_s;
    c->has_skew = true;
}

/* ---- signatures ------------------------------------------------------------------------------ */

static bool signature_eq(const void *table, uint32_t value, const void *key)
{
    const GArray *list = table;
    const ccm_signature_seen *a = &g_array_index(list, ccm_signature_seen, value), *b = key;
    return a->signature == b->signature && a->place == b->place;
}

void ccm_signature_add(ccm_model *m, const ccm_signature_seen *add)
{
    struct ccm_proofs *p = m->proofs;
    uint32_t hash = ccm_hash_end(ccm_mix(ccm_mix(10, add->signature), add->place));

    uint32_t at = ccm_index_find(&p->signature_index, hash, signature_eq, p->signatures, add);
    if (at != CCM_NONE) {
        ccm_signature_seen *seen = &g_array_index(p->signatures, ccm_signature_seen, at);
        seen->first_ns = ccm_min64(seen->first_ns, add->first_ns);
        return;
    }
    if (p->signatures->len >= CCM_SIGNATURES) {
        ccm_model_limit(m, "signatures", 1);
        return;
    }
    ccm_index_add(&p->signature_index, hash, p->signatures->len);
    g_array_append_val(p->signatures, *add);
}

static bool is(ccm_span s, const char *word)
{
    return s.n == strlen(word) && memcmp(s.p, word, s.n) == 0;
}

static ccm_signature_result result_of(ccm_span s)
{
    return is(s, "verified") ? CCM_SIGNATURE_VERIFIED
           : is(s, "failed") ? CCM_SIGNATURE_FAILED
           : is(s, "no-key") ? CCM_SIGNATURE_NO_KEY
                             : CCM_SIGNATURE_UNVERIFIABLE;
}

static uint32_t text_of(ccm_model *m, const ccm_obs *obs, ccm_key key)
{
    ccm_span s = ccm_obs_get_str(obs, key);
    return s.n ? ccm_texts_add(&m->texts, s) : CCM_NONE;
}

/* A client id's signature is always the same: it says nothing. Equal payloads have equal
 * signatures, as a client asks for its policies again and again, and a download repeats its token;
 * so a repeat is what comes from another address, or one message in another connection. */
static void add_signature(ccm_model *m, const ccm_open_exchange *x, const ccm_obs *obs,
                          uint32_t signer, uint64_t signature, bool payload)
{
    uint32_t at = ccm_client_get(m, ccm_span_str(ccm_texts_get(&m->texts, signer)));
    uint32_t id = at == CCM_NONE ? signer : g_array_index(m->clients, ccm_client, at).id;
    uint64_t source = ccm_hash_addr(12, &obs->src.addr);

    ccm_signature_add(m, &(ccm_signature_seen){ signature, source, obs->time_ns, id });
    if (!payload || !x->message_hash)
        return;
    uint64_t message = ccm_mix(ccm_mix(signature, source), x->message_hash);
    uint64_t place = ccm_mix(ccm_hash_addr(obs->src.port, &obs->dst.addr), obs->dst.port);
    ccm_signature_add(m, &(ccm_signature_seen){ message, place, obs->time_ns, id });
}

static void on_signature(ccm_model *m, ccm_open_exchange *x, const ccm_obs *obs)
{
    ccm_span field = ccm_obs_get_str(obs, CCM_KEY_field);
    uint8_t *count = &x->checked[result_of(ccm_obs_get_str(obs, CCM_KEY_result))];
    uint64_t hash = ccm_obs_get_u64(obs, CCM_KEY_signature_hash);

    *count = (uint8_t)MIN(*count + 1, UINT8_MAX);
    x->key_changed += ccm_auth_key_changed(obs) && x->key_changed < UINT8_MAX;
    if (x->signer == CCM_NONE)
        x->signer = text_of(m, obs, CCM_KEY_client_id);
    bool payload = is(field, "payload");
    if (is(field, "registration")) /* its answer will tell whose it is */
        x->registration = hash;
    else if (hash && x->signer != CCM_NONE &&
             (payload || is(field, "client-token") || is(field, "timestamp")))
        add_signature(m, x, obs, x->signer, hash, payload);
}

/* ---- messages -------------------------------------------------------------------------------- */

/* Where the body was not read. */
const char *ccm_message_words(ccm_span endpoint)
{
    const char *words = ccm_endpoint_words(endpoint);
    return words ? words : "other message";
}

bool ccm_message_id_same(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, "{}");
        b += strspn(b, "{}");
        if (g_ascii_tolower(*a) != g_ascii_tolower(*b))
            return false;
        if (!*a)
            return true;
    }
}

static void on_message(ccm_model *m, ccm_open_exchange *x, const ccm_obs *obs)
{
    ccm_span id = ccm_obs_get_str(obs, CCM_KEY_message_id);
    ccm_span endpoint = ccm_obs_get_str(obs, CCM_KEY_endpoint);

    if (ccm_obs_has(obs, CCM_KEY_reply)) {
        uint32_t to =
            x->message_id != CCM_NONE ? text_of(m, obs, CCM_KEY_correlation_id) : CCM_NONE;
        x->foreign_reply =
            to != CCM_NONE && !ccm_message_id_same(ccm_texts_get(&m->texts, to),
                                                   ccm_texts_get(&m->texts, x->message_id));
        return;
    }
    x->message_client = text_of(m, obs, CCM_KEY_source_id);
    x->message_hash = id.n ? ccm_hash_bytes(11, id.p, id.n) : 0;
    x->time_ns = obs->time_ns;
    x->has_skew = skew_of(obs, CCM_KEY_sent_time, &x->skew_s);
    x->kind = ccm_texts_add(&m->texts, ccm_span_str(ccm_message_words(endpoint)));
    if (!m->limits.messages)
        return;
    x->endpoint = text_of(m, obs, CCM_KEY_endpoint);
    x->message_id = text_of(m, obs, CCM_KEY_message_id);
}

bool ccm_registration_names(const ccm_obs *body)
{
    enum { REGISTERED, PENDING }; /* those after them are refusals */
    uint64_t status = ccm_obs_get_u64(body, CCM_KEY_registration_status);
    return ccm_obs_has(body, CCM_KEY_smsid) && status <= PENDING;
}

static void on_body(ccm_model *m, ccm_open_exchange *x, const ccm_obs *obs)
{
    uint32_t kind = text_of(m, obs, CCM_KEY_kind);

    if (!ccm_obs_has(obs, CCM_KEY_reply)) {
        if (kind != CCM_NONE)
            x->kind = kind;
        x->name[0] = text_of(m, obs, CCM_KEY_name);
        x->name[1] = text_of(m, obs, CCM_KEY_host);
        return;
    }
    x->reply = kind;
    if (ccm_registration_names(obs))
        x->assigned = text_of(m, obs, CCM_KEY_smsid);
}

/* The flow has just learned the client of this request: CCM_NONE when it names none, or when the
 * table of clients is full. */
static void on_request(ccm_model *m, const ccm_model_flow *f, ccm_open_exchange *x,
                       const ccm_obs *obs)
{
    int64_t skew;

    x->header_client = f->client_id;
    if (f->client_id == CCM_NONE || !skew_of(obs, CCM_KEY_client_time, &skew))
        return;
    ccm_client_skew(&g_array_index(m->clients, ccm_client, f->client_at), skew, skew);
}

void ccm_messages_collect(ccm_model *m, const ccm_model_flow *f, ccm_open_exchange *x,
                          const ccm_obs *obs)
{
    switch (obs->kind) {
    case CCM_OBS_http_request:
        on_request(m, f, x, obs);
        break;
    case CCM_OBS_ccm_message:
        on_message(m, x, obs);
        break;
    case CCM_OBS_ccm_body:
        on_body(m, x, obs);
        break;
    case CCM_OBS_signature:
        on_signature(m, x, obs);
        break;
    default:
        break;
    }
}

static ccm_client *client_of(ccm_model *m, uint32_t text, const ccm_obs *obs)
{
    if (text == CCM_NONE)
        return NULL;
    uint32_t at = ccm_client_of_text(m, text);
    if (at == CCM_NONE)
        return NULL;
    ccm_client *c = &g_array_index(m->clients, ccm_client, at);
    if (obs->src.addr.family)
        ccm_client_address(c, &obs->src.addr);
    return c;
}

/* Is nothing but the client id signed? That says nothing of the message. */
static bool id_alone(const ccm_open_exchange *x)
{
    return x->auth.id_signed && !x->auth.rest_signed && !x->auth.message_cut &&
           x->checked[CCM_SIGNATURE_VERIFIED] && !x->checked[CCM_SIGNATURE_FAILED];
}

/* One word for all signatures of a message: a failure outweighs everything, and a signature that
 * verifies those that nothing can be said about. */
static uint8_t checked_of(const ccm_open_exchange *x)
{
    static const uint8_t order[] = { CCM_SIGNATURE_FAILED, CCM_SIGNATURE_VERIFIED,
                                     CCM_SIGNATURE_NO_KEY, CCM_SIGNATURE_UNVERIFIABLE };
    if (id_alone(x))
        return 1 + CCM_SIGNATURE_UNVERIFIABLE;
    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++)
        if (x->checked[order[i]])
            return (uint8_t)(1 + order[i]);
    return 0;
}

static void keep_message(ccm_model *m, const ccm_open_exchange *x, const ccm_obs *obs,
                         uint32_t client, const ccm_auth_verdicts *verdicts)
{
    ccm_message k = { .time_ns = x->time_ns,
                      .frame = x->auth.message_frame,
                      .size = ccm_obs_get_u64(obs, CCM_KEY_request_bytes),
                      .client = obs->src,
                      .server = obs->dst,
                      .client_id = client,
                      .endpoint = x->endpoint,
                      .kind = x->kind,
                      .reply = x->reply,
                      .key_changed = x->key_changed > 0,
                      .id_alone = id_alone(x),
                      .foreign_reply = x->foreign_reply,
                      .message_id = x->message_id,
                      .account = CCM_NONE,
                      .status = x->auth.status,
                      .checked = checked_of(x) };
    if (m->proofs->messages->len >= m->limits.messages) {
        ccm_model_limit(m, "messages", 1);
        return;
    }
    bool told = false;
    for (unsigned i = 0; i < verdicts->n; i++) {
        const ccm_auth_verdict *v = &verdicts->v[i];
        if (v->earlier)
            continue;
        if (v->stage == CCM_STAGE_MESSAGE)
            k.message = v->mode;
        if (v->stage != CCM_STAGE_TRANSPORT || told) /* the first proof of several */
            continue;
        told = true;
        k.transport = v->mode;
        k.account_kind = v->kind;
        k.account = v->account;
    }
    g_array_append_val(m->proofs->messages, k);
}

void ccm_messages_done(ccm_model *m, const ccm_open_exchange *x, const ccm_obs *obs,
                       const ccm_auth_verdicts *verdicts)
{
    bool leg = x->auth.status == 401 || x->auth.status == 407;
    uint32_t who = x->assigned != CCM_NONE ? x->assigned : x->message_client;
    uint32_t signer = x->assigned != CCM_NONE ? x->assigned : x->signer;

    if (x->auth.message && !leg) {
        ccm_client *c = client_of(m, who, obs);
        if (c && !ccm_counters_add(&c->kinds, CCM_COUNT_KEY(CCM_COUNT_METHOD, x->kind), 1,
                                   CCM_CLIENT_KINDS))
            ccm_model_limit(m, "message_kinds", 1);
        for (unsigned i = 0; c && i < G_N_ELEMENTS(c->name); i++)
            c->name[i] = ccm_text_lowest(m, c->name[i], x->name[i]);
        if (c && x->has_skew)
            ccm_client_skew(c, x->skew_s, x->skew_s);
        if (m->limits.messages)
            keep_message(m, x, obs, c ? c->id : who, verdicts);
    }
    if (x->registration && signer != CCM_NONE)
        add_signature(m, x, obs, signer, x->registration, false);
    if (!x->checked[0] && !x->checked[1] && !x->checked[2] && !x->checked[3])
        return;
    ccm_client *c = client_of(m, signer != CCM_NONE ? signer : x->header_client, obs);
    for (unsigned i = 0; c && i < G_N_ELEMENTS(c->checked); i++)
        c->checked[i] += x->checked[i];
    if (c)
        c->key_changed += x->key_changed;
}

/* ---- merging --------------------------------------------------------------------------------- */

static void map_text(ccm_model *to, const ccm_model *from, uint32_t *text)
{
    if (*text != CCM_NONE)
        *text = ccm_texts_add(&to->texts, ccm_span_str(ccm_texts_get(&from->texts, *text)));
}

void ccm_messages_merge(ccm_model *to, const ccm_model *from)
{
    for (unsigned i = 0; i < from->proofs->signatures->len; i++) {
        ccm_signature_seen s = g_array_index(from->proofs->signatures, ccm_signature_seen, i);
        map_text(to, from, &s.client);
        ccm_signature_add(to, &s);
    }
    for (unsigned i = 0; i < from->proofs->messages->len; i++) {
        ccm_message k = g_array_index(from->proofs->messages, ccm_message, i);
        uint32_t *texts[] = { &k.client_id, &k.endpoint,   &k.kind,
                              &k.reply,     &k.message_id, &k.account };
        if (to->proofs->messages->len >= to->limits.messages) {
            ccm_model_limit(to, "messages", 1);
            continue;
        }
        for (unsigned t = 0; t < G_N_ELEMENTS(texts); t++)
            map_text(to, from, texts[t]);
        g_array_append_val(to->proofs->messages, k);
    }
}
