/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls.c - from the observations of a TLS connection to a verdict on its transport.
 *
 * In: tls_ observations. Out: ccm_tls_facts, ccm_auth_verdict. State: none of its own.
 * Spec: auth-modes.md 6.2 (T1 to T10), 7.3 (enhanced HTTP), 7.5 (a self-signed client certificate
 * is none of a PKI), 8 (certainty). */
#include "model/tls.h"

const char *ccm_tls_server_name(unsigned kind)
{
    static const char *const names[CCM_TLS_SERVERS] = { "hidden", "pki", "enhanced-http",
                                                        "self-signed" };
    return names[kind < CCM_TLS_SERVERS ? kind : 0];
}

const char *ccm_tls_client_name(unsigned client)
{
    static const char *const names[CCM_TLS_CLIENTS] = { "unknown", "no", "yes" };
    return names[client < CCM_TLS_CLIENTS ? client : 0];
}

const char *ccm_tls_version_name(unsigned version)
{
    static const char *const names[] = { "SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3" };
    return version >= 0x0300 && version <= 0x0304 ? names[version & 0xff] : "TLS";
}

/* ---- sessions -------------------------------------------------------------------------------- */

static bool session_eq(const void *table, uint32_t value, const void *key)
{
    const GArray *v = table;
    return g_array_index(v, ccm_tls_session, value).hash == *(const uint64_t *)key;
}

static uint32_t session_hash(uint64_t hash)
{
    return ccm_hash_end(ccm_mix(13, hash));
}

void ccm_tls_sessions_init(ccm_tls_sessions *s)
{
    ccm_index_init(&s->index, 16);
    s->v = g_array_new(FALSE, FALSE, sizeof(ccm_tls_session));
    s->next = 0;
}

void ccm_tls_sessions_clear(ccm_tls_sessions *s)
{
    ccm_index_clear(&s->index);
    g_array_free(s->v, TRUE);
}

static const ccm_tls_session *session_find(const ccm_tls_sessions *s, uint64_t hash)
{
    uint32_t i =
        hash ? ccm_index_find(&s->index, session_hash(hash), session_eq, s->v, &hash) : CCM_NONE;
    return i == CCM_NONE ? NULL : &g_array_index(s->v, ccm_tls_session, i);
}

static void session_put(ccm_tls_sessions *s, uint64_t hash, const ccm_tls_session *is)
{
    ccm_tls_session *place = (ccm_tls_session *)session_find(s, hash);

    if (!hash)
        return;
    if (!place) {
        uint32_t i = s->next;
        s->next = (s->next + 1) % CCM_TLS_SESSIONS;
        if (i == s->v->len) {
            g_array_set_size(s->v, i + 1);
        } else {
            uint64_t before = g_array_index(s->v, ccm_tls_session, i).hash;
            ccm_index_remove(&s->index, session_hash(before), i);
        }
        ccm_index_add(&s->index, session_hash(hash), i);
        place = &g_array_index(s->v, ccm_tls_session, i);
    }
    *place = *is;
    place->hash = hash;
}

/* ---- connections ----------------------------------------------------------------------------- */

static bool flow_eq(const void *table, uint32_t value, const void *key)
{
    const GArray *v = table;
    return g_array_index(v, ccm_tls_facts, value).flow == *(const uint64_t *)key;
}

static uint32_t flow_hash(uint64_t flow)
{
    return ccm_hash_end(ccm_mix(14, flow));
}

void ccm_tls_flows_init(ccm_tls_flows *t, unsigned max)
{
    ccm_index_init(&t->index, 16);
    t->v = g_array_new(FALSE, FALSE, sizeof(ccm_tls_facts));
    t->spare = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    t->max = max;
    t->victim = 0;
}

void ccm_tls_flows_clear(ccm_tls_flows *t)
{
    ccm_index_clear(&t->index);
    g_array_free(t->v, TRUE);
    g_array_free(t->spare, TRUE);
}

static uint32_t flow_at(const ccm_tls_flows *t, uint64_t flow)
{
    return ccm_index_find(&t->index, flow_hash(flow), flow_eq, t->v, &flow);
}

uint64_t ccm_tls_flow_of(const ccm_obs *obs)
{
    return obs->flow | (uint64_t)ccm_obs_has(obs, CCM_KEY_through) << CCM_TLS_INNER;
}

ccm_tls_facts *ccm_tls_flows_find(const ccm_tls_flows *t, uint64_t flow)
{
    uint32_t i = flow_at(t, flow);
    return i == CCM_NONE ? NULL : &g_array_index(t->v, ccm_tls_facts, i);
}

static uint32_t flow_place(ccm_tls_flows *t)
{
    uint32_t i = t->v->len;

    if (t->spare->len) {
        i = g_array_index(t->spare, uint32_t, t->spare->len - 1);
        g_array_set_size(t->spare, t->spare->len - 1);
    } else if (i < t->max) {
        g_array_set_size(t->v, i + 1);
    } else {
        i = t->victim = (t->victim + 1) % t->max;
        ccm_index_remove(&t->index, flow_hash(g_array_index(t->v, ccm_tls_facts, i).flow), i);
    }
    return i;
}

ccm_tls_facts *ccm_tls_flows_get(ccm_tls_flows *t, uint64_t flow)
{
    ccm_tls_facts *f = ccm_tls_flows_find(t, flow);

    if (f)
        return f;
    uint32_t i = flow_place(t);
    ccm_index_add(&t->index, flow_hash(flow), i);
    f = &g_array_index(t->v, ccm_tls_facts, i);
    ccm_tls_begin(f, flow);
    return f;
}

void ccm_tls_flows_end(ccm_tls_flows *t, uint64_t flow)
{
    uint32_t i = flow_at(t, flow);

    if (i == CCM_NONE)
        return;
    ccm_index_remove(&t->index, flow_hash(flow), i);
    g_array_append_val(t->spare, i);
}

/* ---- collecting ------------------------------------------------------------------------------ */

static bool is(ccm_span s, const char *word)
{
    return s.n == strlen(word) && memcmp(s.p, word, s.n) == 0;
}

static uint32_t text(ccm_texts *texts, ccm_span s)
{
    return s.n ? ccm_texts_add(texts, s) : CCM_NONE;
}

void ccm_tls_begin(ccm_tls_facts *f, uint64_t flow)
{
    *f = (ccm_tls_facts){ .flow = flow,
                          .open = true,
                          .sni = CCM_NONE,
                          .alpn = CCM_NONE,
                          .ja3 = CCM_NONE,
                          .ja4 = CCM_NONE,
                          .cipher = CCM_NONE,
                          .through = CCM_NONE };
    f->is.account = f->is.issuer = f->is.subject = f->is.fingerprint = CCM_NONE;
}

/* One of the comma-separated words of `list` begins with `prefix`. */
static bool lists(ccm_span list, const char *prefix)
{
    size_t n = strlen(prefix);

    for (size_t i = 0; i + n <= list.n; i++)
        if ((!i || list.p[i - 1] == ',') && !memcmp(list.p + i, prefix, n) &&
            (i + n == list.n || list.p[i + n] == ',' || list.p[i + n] == '.'))
            return true;
    return false;
}

/* It broke off before its subject, so who issued it is not known to be another. */
static bool names_missing(const ccm_obs *obs)
{
    return ccm_obs_has(obs, CCM_KEY_incomplete) && !ccm_obs_has(obs, CCM_KEY_subject);
}

ccm_tls_server ccm_tls_certificate_kind(const ccm_obs *obs)
{
    if (is(ccm_obs_get_str(obs, CCM_KEY_issuer_name), "SMS Issuing")) /* T2: issuer first */
        return CCM_TLS_ENHANCED_HTTP;
    if (names_missing(obs))
        return CCM_TLS_HIDDEN;
    return ccm_obs_has(obs, CCM_KEY_self_signed) ? CCM_TLS_SELF_SIGNED : CCM_TLS_PKI;
}

/* T6, T7. A certificate without the usage that belongs to it is one, but says less. */
static void client_certificate(ccm_tls_facts *f, ccm_texts *texts, const ccm_obs *obs)
{
    ccm_span usage = ccm_obs_get_str(obs, CCM_KEY_key_usage);
    ccm_span name = ccm_obs_get_str(obs, CCM_KEY_subject_name);
    bool self = ccm_obs_has(obs, CCM_KEY_self_signed);
    bool fits = lists(usage, self ? "1.3.6.1.4.1.311.101" : "1.3.6.1.5.5.7.3.2");

    f->client_frame = obs->frame;
    f->is.client = CCM_TLS_YES;
    if (names_missing(obs)) {
        f->is.client_certainty = CCM_CERTAINTY_PROVEN;
        return;
    }
    f->is.mode = self ? CCM_AUTH_SELF_SIGNED : CCM_AUTH_PKI;
    f->is.kind = CCM_ACCOUNT_COMPUTER; /* device only: auth-modes.md 3 */
    f->is.client_certainty = fits ? CCM_CERTAINTY_PROVEN : CCM_CERTAINTY_STRONG;
    f->is.account = text(texts, name);
    f->is.fingerprint = text(texts, ccm_obs_get_str(obs, CCM_KEY_fingerprint));
}

static void on_certificate(ccm_tls_facts *f, ccm_texts *texts, const ccm_obs *obs)
{
    if (ccm_obs_get_u64(obs, CCM_KEY_position))
        return;
    if (ccm_obs_has(obs, CCM_KEY_from_client)) {
        client_certificate(f, texts, obs);
        return;
    }
    f->server_frame = obs->frame;
    f->is.server = (uint8_t)ccm_tls_certificate_kind(obs);
    f->is.issuer = text(texts, ccm_obs_get_str(obs, CCM_KEY_issuer));
    f->is.subject = text(texts, ccm_obs_get_str(obs, CCM_KEY_subject));
}

static void on_client_hello(ccm_tls_facts *f, ccm_texts *texts, const ccm_obs *obs)
{
    if (f->sni == CCM_NONE)
        f->sni = text(texts, ccm_obs_get_str(obs, CCM_KEY_sni));
    if (f->ja3 == CCM_NONE) {
        f->ja3 = text(texts, ccm_obs_get_str(obs, CCM_KEY_ja3));
        f->ja4 = text(texts, ccm_obs_get_str(obs, CCM_KEY_ja4));
    }
    f->client = obs->src;
    f->post_handshake = ccm_obs_has(obs, CCM_KEY_post_handshake);
    f->ticket = ccm_obs_get_u64(obs, CCM_KEY_session_ticket);
    f->session = ccm_obs_get_u64(obs, CCM_KEY_session_hash);
}

static void inherit(ccm_tls_facts *f, const ccm_tls_sessions *sessions);

static void on_server_hello(ccm_tls_facts *f, ccm_texts *texts, const ccm_tls_sessions *sessions,
                            const ccm_obs *obs)
{
    if (ccm_obs_has(obs, CCM_KEY_retry))
        return;
    f->client = obs->dst;
    f->version = (uint16_t)ccm_obs_get_u64(obs, CCM_KEY_tls_version);
    f->alpn = text(texts, ccm_obs_get_str(obs, CCM_KEY_alpn));
    f->cipher = text(texts, ccm_obs_get_str(obs, CCM_KEY_cipher_name));
    f->given = f->version < 0x0304 ? ccm_obs_get_u64(obs, CCM_KEY_session_hash) : 0;
    if (ccm_obs_has(obs, CCM_KEY_psk) || (f->given && f->given == f->session))
        inherit(f, sessions); /* before what is inside asks for it */
}

static void on_alert(ccm_tls_facts *f, ccm_texts *texts, const ccm_obs *obs)
{
    if (f->n_alerts == CCM_TLS_ALERTS)
        return;
    ccm_tls_alert *a = &f->alert[f->n_alerts++];
    a->code = (uint8_t)ccm_obs_get_u64(obs, CCM_KEY_alert);
    a->encrypted = ccm_obs_has(obs, CCM_KEY_encrypted);
    a->fatal = is(ccm_obs_get_str(obs, CCM_KEY_level), "fatal");
    a->from = obs->src;
    a->name = text(texts, ccm_obs_get_str(obs, CCM_KEY_name));
    if (a->fatal && !f->alert_frame)
        f->alert_frame = obs->frame;
}

enum { CERTIFICATE_MIN = 300 };

/* T3 and T4 of TLS 1.3: what the lengths of the client's flight tell. Finished has 4 + 32 or 48
 * bytes, an empty certificate 4 + 4; each record adds its type and 16 bytes of tag. A certificate
 * takes hundreds, and nothing else may come first but early data. */
static uint8_t flight_of(ccm_span list, bool sha384, bool early_data)
{
    enum { EMPTY = 8, RECORD = 17 };
    unsigned finished = sha384 ? 69 : 53, first = 0, second = 0;
    size_t i = 0;

    for (; i < list.n && g_ascii_isdigit((char)list.p[i]); i++)
        first = first * 10 + (unsigned)(list.p[i] - '0');
    for (i++; i < list.n && g_ascii_isdigit((char)list.p[i]); i++)
        second = second * 10 + (unsigned)(list.p[i] - '0');
    if (first == finished)
        return CCM_FLIGHT_FINISHED;
    if (early_data || !first)
        return CCM_FLIGHT_UNKNOWN;
    if ((first == EMPTY + RECORD && second == finished) || first == finished + EMPTY)
        return CCM_FLIGHT_EMPTY;
    return first >= CERTIFICATE_MIN ? CCM_FLIGHT_CERTIFICATE : CCM_FLIGHT_UNKNOWN;
}

/* T5: the client's records of a second handshake. The first is its hello. */
static uint8_t second_flight_of(ccm_span list)
{
    unsigned n = 0, size = 0, largest = 0;

    for (size_t i = 0; i <= list.n; i++) {
        if (i < list.n && list.p[i] != ',') {
            size = size * 10 + (unsigned)(list.p[i] - '0');
            continue;
        }
        largest = n++ ? MAX(largest, size) : 0;
        size = 0;
    }
    return largest >= CERTIFICATE_MIN ? CCM_FLIGHT_CERTIFICATE
           : n > 1                    ? CCM_FLIGHT_FINISHED
                                      : CCM_FLIGHT_UNKNOWN;
}

/* T9: the verdict of the full handshake, when it was seen. */
static void inherit(ccm_tls_facts *f, const ccm_tls_sessions *sessions)
{
    const ccm_tls_session *s = session_find(sessions, f->ticket);

    if (!s && f->version < 0x0304)
        s = session_find(sessions, f->session);
    /* Once more at the end: by then more may be known of the first connection. */
    if (!s || (!f->inherited && (f->is.server || f->is.mode)))
        return;
    f->is = *s;
    f->inherited = true;
}

static void note_client(ccm_tls_facts *f, const ccm_obs *obs)
{
    ccm_span sent = ccm_obs_get_str(obs, CCM_KEY_client_certificate);

    f->empty |= is(sent, "empty");
    f->not_requested |= is(sent, "no");
    if (f->empty || f->not_requested)
        f->is.client = CCM_TLS_NO;
}

/* What this connection would hand down. */
static void remember(const ccm_tls_facts *f, ccm_tls_sessions *sessions, uint64_t hash)
{
    session_put(sessions, hash, &f->is);
}

static void on_session(ccm_tls_facts *f, const ccm_obs *obs)
{
    f->client = obs->src;
    for (unsigned i = 0; i < f->n_alerts; i++)
        f->alert[i].from_client = ccm_addr_cmp(&f->alert[i].from.addr, &f->client.addr) == 0 &&
                                  f->alert[i].from.port == f->client.port;
    f->established = ccm_obs_has(obs, CCM_KEY_established);
    f->renegotiated = ccm_obs_has(obs, CCM_KEY_renegotiated);
    f->decrypted |= ccm_obs_has(obs, CCM_KEY_decrypted);
    f->incomplete = ccm_obs_has(obs, CCM_KEY_incomplete);
    f->handshake_ns = ccm_obs_get_u64(obs, CCM_KEY_handshake_ns);
    f->client_bytes = ccm_obs_get_u64(obs, CCM_KEY_client_bytes);
    f->server_bytes = ccm_obs_get_u64(obs, CCM_KEY_server_bytes);
    f->data = f->client_bytes || f->server_bytes;
    f->unanswered = f->ja3 != CCM_NONE && !ccm_obs_get_u64(obs, CCM_KEY_server_records) &&
                    !ccm_obs_get_u64(obs, CCM_KEY_missing_bytes);
    ccm_span flight = ccm_obs_get_str(obs, CCM_KEY_client_flight);
    if (f->renegotiated)
        f->flight = second_flight_of(flight);
    else
        f->flight = flight_of(flight, ccm_obs_get_u64(obs, CCM_KEY_cipher) == 0x1302,
                              ccm_obs_has(obs, CCM_KEY_early_data));
    if (!f->version)
        f->version = (uint16_t)ccm_obs_get_u64(obs, CCM_KEY_tls_version);
    f->resumed = ccm_obs_has(obs, CCM_KEY_resumed);
    note_client(f, obs);
}

void ccm_tls_collect(ccm_tls_facts *f, ccm_texts *texts, ccm_tls_sessions *sessions,
                     const ccm_obs *obs)
{
    if (!f->frame) {
        f->frame = obs->frame;
        f->time_ns = obs->time_ns;
        f->through = text(texts, ccm_obs_get_str(obs, CCM_KEY_through));
    }
    f->decrypted |= ccm_obs_has(obs, CCM_KEY_decrypted);
    switch (obs->kind) {
    case CCM_OBS_tls_client_hello:
        on_client_hello(f, texts, obs);
        break;
    case CCM_OBS_tls_server_hello:
        on_server_hello(f, texts, sessions, obs);
        break;
    case CCM_OBS_tls_certificate:
        on_certificate(f, texts, obs);
        remember(f, sessions, f->given);
        break;
    case CCM_OBS_tls_certificate_request:
        f->requested = true;
        f->request_frame = obs->frame;
        break;
    case CCM_OBS_tls_alert:
        on_alert(f, texts, obs);
        break;
    case CCM_OBS_tls_ticket:
        note_client(f, obs);
        inherit(f, sessions); /* a resumed session may be given another ticket */
        remember(f, sessions, ccm_obs_get_u64(obs, CCM_KEY_session_ticket));
        break;
    case CCM_OBS_tls_session:
        on_session(f, obs);
        if (f->resumed)
            inherit(f, sessions);
        else
            remember(f, sessions, f->given);
        f->over = true;
        f->has_verdict = ccm_tls_conclude(f, &f->verdict);
        break;
    default:
        break;
    }
}

/* ---- concluding ------------------------------------------------------------------------------ */

ccm_certainty ccm_tls_server_certainty(const ccm_tls_facts *f)
{
    return !f->is.server                                          ? CCM_CERTAINTY_UNKNOWN
           : f->is.server == CCM_TLS_SELF_SIGNED && !f->inherited ? CCM_CERTAINTY_PROVEN
                                                                  : CCM_CERTAINTY_STRONG;
}

ccm_tls_client ccm_tls_client_of(const ccm_tls_facts *f, ccm_certainty *certainty)
{
    ccm_tls_client client = (ccm_tls_client)f->is.client;

    *certainty = f->inherited ? CCM_CERTAINTY_STRONG : CCM_CERTAINTY_PROVEN;
    bool sent = f->flight == CCM_FLIGHT_CERTIFICATE;
    if (f->renegotiated && client != CCM_TLS_YES) {
        /* T5: it may have been asked for in the second handshake. */
        *certainty = CCM_CERTAINTY_WEAK;
        client = sent ? CCM_TLS_YES : f->flight ? CCM_TLS_NO : CCM_TLS_UNKNOWN;
    } else if (!client && !f->resumed && f->flight) {
        /* One that may be asked for later is not ruled out. */
        *certainty = !sent && f->post_handshake ? CCM_CERTAINTY_WEAK : CCM_CERTAINTY_LIKELY;
        client = sent ? CCM_TLS_YES : CCM_TLS_NO;
    }
    if (!client)
        *certainty = CCM_CERTAINTY_UNKNOWN;
    return client;
}

static void add(ccm_auth_verdict *v, unsigned id, uint64_t frame, uint32_t code)
{
    if (v->n < CCM_VERDICT_EVIDENCE)
        v->evidence[v->n++] = (ccm_auth_mark){ .id = (uint8_t)id, .frame = frame, .code = code };
}

/* T10: the handshake ended with an alert; one that is encrypted counts where all was seen. */
static const ccm_tls_alert *failure(const ccm_tls_facts *f)
{
    for (unsigned i = 0; i < f->n_alerts && !f->established; i++)
        if (f->alert[i].fatal || (f->alert[i].encrypted && !f->incomplete))
            return &f->alert[i];
    return NULL;
}

/* Why nothing is known of who the client is. */
static void hidden(const ccm_tls_facts *f, ccm_auth_verdict *v)
{
    v->mode = CCM_AUTH_ENCRYPTED_UNKNOWN;
    v->certainty = CCM_CERTAINTY_UNKNOWN;
    if (f->inherited)
        add(v, CCM_EV_SESSION_INHERITED, f->frame, 0);
    else if (f->resumed)
        add(v, CCM_EV_SESSION_RESUMED, f->frame, 0);
    if (f->empty)
        add(v, CCM_EV_CERTIFICATE_EMPTY, f->request_frame, 0);
    else if (f->not_requested || (f->inherited && f->is.client == CCM_TLS_NO))
        add(v, CCM_EV_CERTIFICATE_NOT_SENT, f->frame, 0);
    else if (!f->resumed && !f->renegotiated &&
             (f->flight == CCM_FLIGHT_FINISHED || f->flight == CCM_FLIGHT_EMPTY))
        add(v, CCM_EV_FLIGHT_WITHOUT, f->frame, 0);
    else if (!f->resumed)
        add(v, CCM_EV_HANDSHAKE_UNSEEN, f->frame, 0);
}

ccm_auth_certificate ccm_tls_certificate_of(const ccm_tls_facts *f)
{
    ccm_auth_certificate c = { .mode = f->is.mode,
                               .kind = f->is.kind,
                               .certainty = f->is.client_certainty,
                               .evidence = f->is.mode == CCM_AUTH_PKI
                                               ? CCM_EV_CLIENT_CERTIFICATE
                                               : CCM_EV_SELF_SIGNED_CERTIFICATE,
                               .account = f->is.account,
                               .frame = f->client_frame };

    if (f->inherited) {
        c.certainty = MIN(c.certainty, CCM_CERTAINTY_STRONG);
        c.evidence = CCM_EV_SESSION_INHERITED;
        c.frame = f->frame;
    }
    return c;
}

static void with_certificate(const ccm_tls_facts *f, ccm_auth_verdict *v)
{
    ccm_auth_certificate c = ccm_tls_certificate_of(f);

    v->mode = c.mode;
    v->kind = c.kind;
    v->account = c.account;
    v->certainty = c.certainty;
    add(v, c.evidence, c.frame, 0);
}

bool ccm_tls_conclude(const ccm_tls_facts *f, ccm_auth_verdict *v)
{
    const ccm_tls_alert *failed = failure(f);
    bool flight = !f->resumed && f->flight == CCM_FLIGHT_CERTIFICATE;
    bool clear = failed && failed->fatal;

    memset(v, 0, sizeof *v);
    v->stage = CCM_STAGE_TRANSPORT;
    v->account = v->spn = CCM_NONE;
    v->time_ns = f->time_ns;
    if (f->decrypted && !failed) {
        return false; /* each exchange inside has its own */
    } else if (f->is.mode) {
        with_certificate(f, v);
    } else if (flight) {
        /* Sizes do not tell the kind: 7.5. T5 infers that of a PKI all the same, weakly. */
        v->mode = f->renegotiated ? CCM_AUTH_PKI : CCM_AUTH_ENCRYPTED_UNKNOWN;
        v->kind = CCM_ACCOUNT_COMPUTER;
        v->certainty = f->renegotiated ? CCM_CERTAINTY_WEAK : CCM_CERTAINTY_LIKELY;
        add(v, CCM_EV_CLIENT_FLIGHT, f->frame, 0);
    } else if (failed) {
        v->mode = CCM_AUTH_NONE_OBSERVED;
        v->certainty = clear ? CCM_CERTAINTY_PROVEN : CCM_CERTAINTY_LIKELY;
        if (f->empty || f->flight == CCM_FLIGHT_EMPTY)
            add(v, CCM_EV_CERTIFICATE_EMPTY, f->request_frame, 0);
    } else if (f->data || f->established) {
        hidden(f, v);
    } else {
        return false;
    }
    if (f->renegotiated)
        add(v, CCM_EV_RENEGOTIATION, f->frame, 0);
    if (failed) {
        v->denied = true;
        add(v, CCM_EV_TLS_ALERT, f->alert_frame, failed->code);
    }
    return true;
}
