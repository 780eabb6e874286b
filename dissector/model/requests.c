/* SPDX-License-Identifier: GPL-2.0-or-later
 * requests.c - folds HTTP requests and answers into the evidence.
 *
 * In: http_request, http_response, http_done. Out: counters of the edge, evidence and names of
 * hosts, client ids, BITS uploads. State: the flow remembers its latest request until the answer.
 * BITS upload packets: ccm-protocol.md 1.3. */
#include "model/conclude.h"
#include "model/known.h"
#include "model/proofs.h"

uint32_t ccm_text_lowest(const ccm_model *m, uint32_t a, uint32_t b)
{
    if (a == CCM_NONE || a == b)
        return b;
    if (b == CCM_NONE)
        return a;
    return strcmp(ccm_texts_get(&m->texts, a), ccm_texts_get(&m->texts, b)) <= 0 ? a : b;
}

static ccm_upload *upload_at(ccm_model *m, uint32_t i)
{
    return &g_array_index(m->uploads, ccm_upload, i);
}

static bool word(ccm_span s, const char *w)
{
    size_t n = strlen(w);
    return s.n == n && g_ascii_strncasecmp((const char *)s.p, w, n) == 0;
}

static ccm_bits_packet bits_packet(ccm_span s)
{
    if (word(s, "create-session"))
        return CCM_BITS_CREATE;
    if (word(s, "fragment"))
        return CCM_BITS_FRAGMENT;
    if (word(s, "close-session"))
        return CCM_BITS_CLOSE;
    if (word(s, "cancel-session"))
        return CCM_BITS_CANCEL;
    return CCM_BITS_NONE;
}

/* The total of "bytes 0-99/1000"; 0 when there is none. */
static uint64_t range_total(ccm_span s)
{
    uint64_t total = 0;
    size_t i = s.n;
    while (i > 0 && g_ascii_isdigit((char)s.p[i - 1]))
        i--;
    if (i == 0 || i == s.n || s.n - i > 18 || s.p[i - 1] != '/')
        return 0;
    for (; i < s.n; i++)
        total = total * 10 + (uint64_t)(s.p[i] - '0');
    return total;
}

static void upload_seen(ccm_upload *u, const ccm_obs *obs)
{
    u->first_ns = ccm_min64(u->first_ns, obs->time_ns);
    u->last_ns = ccm_max64(u->last_ns, obs->time_ns);
}

static void upload_about(ccm_model *m, const ccm_model_flow *f, ccm_span name)
{
    uint32_t text = name.n ? ccm_texts_add(&m->texts, name) : CCM_NONE;
    ccm_upload *u = upload_at(m, f->upload);
    u->name = ccm_text_lowest(m, u->name, text);
    u->target = ccm_text_lowest(m, u->target, f->target);
    u->client_id = ccm_text_lowest(m, u->client_id, f->client_id);
}

/* Path without query or authority. */
static ccm_span path_of(ccm_span target)
{
    ccm_span a = ccm_target_authority(target);
    if (a.n) {
        size_t skip = (size_t)(a.p - target.p) + a.n;
        target = (ccm_span){ target.p + skip, target.n - skip };
    }
    const uint8_t *q = target.n ? memchr(target.p, '?', target.n) : NULL;
    return q ? (ccm_span){ target.p, (size_t)(q - target.p) } : target;
}

static void upload_request(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs)
{
    f->upload = CCM_NONE;
    f->bits = (uint8_t)bits_packet(ccm_obs_get_str(obs, CCM_KEY_bits_packet));
    if (!f->bits)
        return;
    ccm_span target = path_of(ccm_obs_get_str(obs, CCM_KEY_target));
    f->target =
        target.n && m->uploads->len < CCM_UPLOADS ? ccm_texts_add(&m->texts, target) : CCM_NONE;
    ccm_span session = ccm_obs_get_str(obs, CCM_KEY_bits_session);
    if (!session.n)
        return;
    f->upload = ccm_upload_get(m, &obs->src.addr, &obs->dst.addr, session);
    if (f->upload == CCM_NONE)
        return;
    upload_about(m, f, ccm_obs_get_str(obs, CCM_KEY_content_name));
    ccm_upload *u = upload_at(m, f->upload);
    upload_seen(u, obs);
    if (f->bits == CCM_BITS_FRAGMENT) {
        u->fragments++;
        u->total = ccm_max64(u->total, range_total(ccm_obs_get_str(obs, CCM_KEY_content_range)));
    }
}

/* The code with where it came from: ccm-protocol.md 1.3. */
static uint32_t upload_error_text(ccm_model *m, ccm_span code, ccm_span context)
{
    char text[CCM_TEXT_MAX];
    const char *where = word(context, "0x5")   ? " (remote file)"
                        : word(context, "0x7") ? " (remote application)"
                                               : "";
    if (!context.n || code.n + context.n > sizeof text / 2)
        return ccm_texts_add(&m->texts, code);
    g_snprintf(text, sizeof text, "%.*s context %.*s%s", (int)code.n, (const char *)code.p,
               (int)context.n, (const char *)context.p, where);
    return ccm_texts_add(&m->texts, ccm_span_str(text));
}

static void upload_response(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs, uint64_t status)
{
    ccm_span session = ccm_obs_get_str(obs, CCM_KEY_bits_session);
    ccm_span error = ccm_obs_get_str(obs, CCM_KEY_bits_error);

    /* 401 and 407 are the first leg of a sign-in, not a failure. */
    bool failed = (error.n || status >= 400) && status != 401 && status != 407;
    /* A refused Create-Session has no session: such ones are kept together under an empty id. */
    if (f->upload == CCM_NONE && (session.n || (failed && f->bits == CCM_BITS_CREATE))) {
        f->upload = ccm_upload_get(m, &obs->dst.addr, &obs->src.addr, session);
        if (f->upload != CCM_NONE)
            upload_about(m, f, (ccm_span){ 0 });
    }
    if (f->upload == CCM_NONE)
        return;
    ccm_span host = ccm_obs_get_str(obs, CCM_KEY_bits_host);
    if (host.n) {
        uint32_t text = ccm_texts_add(&m->texts, host);
        upload_at(m, f->upload)->host = ccm_text_lowest(m, upload_at(m, f->upload)->host, text);
    }
    ccm_upload *u = upload_at(m, f->upload);
    upload_seen(u, obs);
    if (ccm_obs_has(obs, CCM_KEY_bits_received)) {
        u->has_received = true;
        u->received = ccm_max64(u->received, ccm_obs_get_u64(obs, CCM_KEY_bits_received));
    }
    bool ok = status >= 200 && status < 300 && !error.n;
    u->closed |= ok && f->bits == CCM_BITS_CLOSE;
    u->cancelled |= ok && f->bits == CCM_BITS_CANCEL;
    u->refused |= failed && (f->bits == CCM_BITS_CREATE || f->bits == CCM_BITS_CLOSE);
    if (!ok)
        f->bits = CCM_BITS_NONE; /* what it brought was not taken */
    if (error.n && u->n_errors < CCM_UPLOAD_ERRORS) {
        ccm_upload_error(u,
                         upload_error_text(m, error, ccm_obs_get_str(obs, CCM_KEY_bits_context)));
    } else if (failed && status >= 400 && status <= 999) {
        char text[16];
        g_snprintf(text, sizeof text, "status %u", (unsigned)status);
        ccm_upload_error(u, ccm_texts_add(&m->texts, ccm_span_str(text)));
    }
}

static uint32_t host_of(ccm_model *m, ccm_model_flow *f, unsigned end)
{
    if (f->host[end] == CCM_NONE)
        f->host[end] = ccm_host_get(m, &f->end[end].addr);
    return f->host[end];
}

static void evidence(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs, int mark, bool server)
{
    ccm_flow_evidence e = { .what = CCM_ABOUT(mark, server ? obs->dst.port : 0, server),
                            .count = 1,
                            .first_frame = obs->frame };
    ccm_model_flow_evidence(m, f, server ? !f->client : f->client, &e);
}

static void request_evidence(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs,
                             const ccm_match *hit)
{
    const ccm_catalog *c = m->catalog;
    int about = hit->proxy >= 0 ? hit->proxy : hit->mark;
    bool inner = ccm_obs_has(obs, CCM_KEY_through); /* the packets go to the proxy */

    f->mark = -1;
    if (!inner && about >= 0 && ccm_mark_at(c, about)->server_role >= 0) {
        f->mark = (int16_t)about;
        evidence(m, f, obs, about, true);
    }
    if (hit->mark >= 0 && ccm_mark_at(c, hit->mark)->client_role >= 0)
        evidence(m, f, obs, hit->mark, false);
    if (hit->agent >= 0 && ccm_mark_at(c, hit->agent)->client_role >= 0)
        evidence(m, f, obs, hit->agent, false);
    /* A proxy is not called what its requests ask for. */
    if (hit->form == CCM_FORM_ORIGIN && !inner)
        ccm_host_authority(m, host_of(m, f, !f->client), ccm_obs_get_str(obs, CCM_KEY_host),
                           CCM_NAME_HTTP);
}

/* The client's number; nearly always that of the flow's request before. */
static uint32_t client_of(ccm_model *m, ccm_model_flow *f, ccm_span id)
{
    if (f->client_at != CCM_NONE) {
        uint32_t text = g_array_index(m->clients, ccm_client, f->client_at).id;
        const char *known = ccm_texts_get(&m->texts, text);
        if (strncmp(known, (const char *)id.p, id.n) == 0 && known[id.n] == '\0')
            return f->client_at;
    }
    return f->client_at = ccm_client_get(m, id);
}

static void count_client(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs, uint32_t method)
{
    ccm_span id = ccm_obs_get_str(obs, CCM_KEY_client_id);

    f->client_id = CCM_NONE;
    if (!id.n)
        return;
    uint32_t at = client_of(m, f, id);
    if (at == CCM_NONE)
        return;
    ccm_client *c = &g_array_index(m->clients, ccm_client, at);
    f->client_id = c->id;
    if (obs->src.addr.family)
        ccm_client_address(c, &obs->src.addr);
    if (!ccm_counters_add(&c->messages, method, 1, m->limits.methods)) {
        ccm_counters_add(&c->messages, CCM_COUNT_KEY(CCM_COUNT_METHOD, 0), 1,
                         m->limits.methods + 1);
        ccm_model_limit(m, "methods", 1);
    }
}

void ccm_model_request(ccm_model *m, const ccm_obs *obs, const ccm_known_request *is)
{
    const ccm_match *hit = &is->hit;
    ccm_model_flow *f = ccm_model_flow_get(m, obs);

    ccm_tunnel_asked(m, f, obs);
    if (f->content != CCM_NONE)
        ccm_proofs_keep_content(m, f); /* the request before is still open */
    if (!ccm_model_flow_decided(f))
        f->client = !ccm_endpoint_eq(&f->end[0], &obs->src);
    request_evidence(m, f, obs, hit);
    uint32_t method = CCM_COUNT_KEY(CCM_COUNT_METHOD, is->method);
    count_client(m, f, obs, method);
    if (hit->route >= 0 && !(f->through && hit->proxy >= 0)) /* else it leads on already */
        ccm_model_flow_route(f, hit->route);
    ccm_model_flow_count(m, f, method);
    if (hit->route >= 0 && f->route == hit->route)
        ccm_model_flow_count(
            m, f, CCM_COUNT_KEY(CCM_COUNT_MARK, hit->proxy >= 0 ? hit->proxy : hit->mark));
    if (ccm_obs_has(obs, CCM_KEY_decrypted))
        ccm_model_flow_count(m, f, CCM_COUNT_KEY(CCM_COUNT_DECRYPTED, 0));
    f->exchange = ccm_obs_get_u64(obs, CCM_KEY_exchange);
    f->content = is->content;
    upload_request(m, f, obs);
}

static void on_response(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs)
{
    uint64_t status = ccm_obs_get_u64(obs, CCM_KEY_status);

    if (ccm_obs_has(obs, CCM_KEY_interim))
        return;
    if (status >= 100 && status <= 999)
        ccm_model_flow_count(m, f, CCM_COUNT_KEY(CCM_COUNT_STATUS, status));
    if (ccm_obs_get_u64(obs, CCM_KEY_exchange) != f->exchange)
        return;
    ccm_tunnel_answered(m, f, status);
    if (f->mark >= 0) {
        bool denied = ccm_status_denies(status);
        ccm_flow_evidence e = { .what = CCM_ABOUT(f->mark, f->end[!f->client].port, true),
                                .ok = !denied,
                                .denied = denied };
        ccm_model_flow_evidence(m, f, !f->client, &e);
    }
    if (f->bits)
        upload_response(m, f, obs, status);
}

static void count_unpaired(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs)
{
    ccm_span pairing = ccm_obs_get_str(obs, CCM_KEY_pairing);
    bool response = word(pairing, "response-only");

    if (response || word(pairing, "request-only"))
        ccm_model_flow_count(m, f, CCM_COUNT_KEY(CCM_COUNT_UNPAIRED, response));
}

/* What the exchange that is over fetched; it is forgotten by that. */
static uint32_t content_of(ccm_model_flow *f, uint64_t exchange)
{
    uint32_t content = f->content;

    if (exchange != f->exchange)
        return ccm_proofs_take_content(f, exchange);
    f->content = CCM_NONE;
    return content;
}

void ccm_model_http(ccm_model *m, const ccm_obs *obs)
{
    if (!obs->flow)
        return;
    ccm_model_flow *f = ccm_model_flow_find(m, obs);
    if (obs->kind == CCM_OBS_http_response) {
        /* The answer alone was captured: it still counts for the edge. */
        if (!f) {
            f = ccm_model_flow_get(m, obs);
            f->client = 1;
        }
        on_response(m, f, obs);
        return;
    }
    if (!f)
        return;
    count_unpaired(m, f, obs);
    uint64_t ahead = ccm_obs_get_u64(obs, CCM_KEY_ahead_ns);
    m->capture.answers_ahead += ahead > 0;
    m->capture.ahead_ns = ccm_max64(m->capture.ahead_ns, ahead);
    uint32_t content = content_of(f, ccm_obs_get_u64(obs, CCM_KEY_exchange));
    if (content != CCM_NONE) {
        ccm_content_done(m, f, content, obs);
    } else if (f->upload != CCM_NONE && f->bits == CCM_BITS_FRAGMENT &&
               ccm_obs_get_u64(obs, CCM_KEY_exchange) == f->exchange) {
        upload_at(m, f->upload)->sent += ccm_obs_get_u64(obs, CCM_KEY_request_bytes);
    }
}
