/* SPDX-License-Identifier: GPL-2.0-or-later
 * http_pair.c - pairs requests with responses and emits the http_* observations.
 * In: heads and ends of messages. Out: http_request, http_response, http_done (once per exchange).
 * State: a bounded queue of outstanding requests. Pairing is first in, first out; after a loss it
 * goes by stream positions: a response at offset o answers the request whose sender had received at
 * most o bytes, the latest such; requests before it are without response. Where the clocks of two
 * capture points differ, the first responses stand before the client's first packet: they wait for
 * the request whose sender had received all that came before them. Spec: RFC 9112 section 9.3;
 * RFC 9110 section 15.2 for interim responses. */
#include "proto/http_pair.h"
#include "proto/redact.h"

enum { SHORT_TEXT = 1024 }; /* of a host or product that had a secret in it */

void ccm_http_pairs_init(ccm_http_pairs *q)
{
    q->room = CCM_HTTP_QUEUE_FIRST;
}

void ccm_http_pairs_free(ccm_http_pairs *q, const ccm_parse *ps)
{
    if (ps->early)
        *ps->early -= q->n_early;
    g_free(q->more);
    g_free(q->early);
}

static ccm_http_exchange *queue(ccm_http_pairs *q)
{
    return q->more ? q->more : q->first;
}

/* ---- observations ---------------------------------------------------------------------------- */

static void emit_done(const ccm_parse *ps, unsigned client, const ccm_http_exchange *x)
{
    ccm_obs o;
    ccm_obs_at(ps, &o, CCM_OBS_http_done, client);
    ccm_obs_u64(&o, CCM_KEY_exchange, x->number);
    const char *pairing = !x->response_seen  ? "request-only"
                          : !x->request_seen ? "response-only"
                          : x->uncertain     ? "uncertain"
                                             : "sure";
    ccm_obs_str(&o, CCM_KEY_pairing, ccm_span_str(pairing));
    if (x->request_known)
        ccm_obs_u64(&o, CCM_KEY_request_bytes, x->request_bytes);
    if (x->response_known)
        ccm_obs_u64(&o, CCM_KEY_response_bytes, x->response_bytes);
    if (x->missing)
        ccm_obs_u64(&o, CCM_KEY_body_missing_bytes, x->missing);
    if (x->has_decoded)
        ccm_obs_u64(&o, CCM_KEY_decoded_bytes, x->decoded);
    ccm_obs_flag(&o, CCM_KEY_complete, (x->request_whole || !x->request_seen) && x->response_whole);
    if (x->request_seen && x->response_seen && x->request_first) { /* 0: packets without a time */
        if (x->request_whole && x->response_first >= x->request_last)
            ccm_obs_u64(&o, CCM_KEY_ttfb_ns, x->response_first - x->request_last);
        if (x->response_whole && x->response_last >= x->request_first)
            ccm_obs_u64(&o, CCM_KEY_duration_ns, x->response_last - x->request_first);
    }
    if (x->request_seen && x->response_seen && !x->uncertain && x->response_first &&
        x->response_first < x->request_first)
        ccm_obs_u64(&o, CCM_KEY_ahead_ns, x->request_first - x->response_first);
    ccm_obs_flag(&o, CCM_KEY_tunnel, x->tunnel);
    ps->emit(ps->emit_data, &o);
}

static void begin(const ccm_parse *ps, ccm_obs *o, ccm_obs_kind kind, unsigned from,
                  const ccm_http_origin *at, uint64_t number)
{
    ccm_obs_at(ps, o, kind, from);
    o->time_ns = at->time_ns;
    o->frame = at->frame;
    ccm_obs_u64(o, CCM_KEY_exchange, number);
}

static void emit_request(const ccm_parse *ps, unsigned client, const ccm_http_origin *at,
                         const ccm_http_head *h, uint64_t number)
{
    uint8_t target[CCM_OBS_TEXT_MAX], host[SHORT_TEXT], agent[SHORT_TEXT];
    ccm_obs o;
    begin(ps, &o, CCM_OBS_http_request, client, at, number);
    ccm_obs_str(&o, CCM_KEY_method, h->method);
    ccm_obs_str(&o, CCM_KEY_target, ccm_redact_url(h->target, target, sizeof target));
    ccm_obs_u64(&o, CCM_KEY_version, h->version);
    ccm_obs_str(&o, CCM_KEY_host, ccm_redact_url(h->host, host, sizeof host));
    ccm_obs_str(&o, CCM_KEY_user_agent, ccm_redact_text(h->user_agent, agent, sizeof agent));
    ccm_obs_str(&o, CCM_KEY_content_type, h->content_type);
    if (h->has_length)
        ccm_obs_u64(&o, CCM_KEY_content_length, h->content_length);
    ccm_obs_str(&o, CCM_KEY_content_encoding, h->content_encoding);
    ccm_obs_str(&o, CCM_KEY_range, h->range);
    ccm_obs_str(&o, CCM_KEY_content_range, h->content_range);
    ccm_obs_str(&o, CCM_KEY_auth_scheme, ccm_span_of(h->schemes, h->n_schemes));
    ccm_headers_request(&h->ccm, &o);
    ccm_obs_str(&o, CCM_KEY_soap_action, h->soap_action);
    ccm_obs_flag(&o, CCM_KEY_head_incomplete, h->incomplete);
    ps->emit(ps->emit_data, &o);
    ccm_http_auth_emit(ps, client, at, h, number);
}

static void emit_response(const ccm_parse *ps, unsigned client, const ccm_http_origin *at,
                          const ccm_http_head *h, uint64_t number, bool interim)
{
    uint8_t buf[CCM_OBS_TEXT_MAX];
    ccm_obs o;
    begin(ps, &o, CCM_OBS_http_response, !client, at, number);
    ccm_obs_u64(&o, CCM_KEY_status, h->status);
    ccm_obs_flag(&o, CCM_KEY_interim, interim);
    ccm_obs_u64(&o, CCM_KEY_version, h->version);
    ccm_obs_str(&o, CCM_KEY_server, h->server);
    ccm_obs_str(&o, CCM_KEY_content_type, h->content_type);
    if (h->has_length)
        ccm_obs_u64(&o, CCM_KEY_content_length, h->content_length);
    ccm_obs_str(&o, CCM_KEY_content_encoding, h->content_encoding);
    ccm_obs_str(&o, CCM_KEY_content_range, h->content_range);
    ccm_obs_str(&o, CCM_KEY_location, ccm_redact_url(h->location, buf, sizeof buf));
    ccm_obs_str(&o, CCM_KEY_auth_scheme, ccm_span_of(h->schemes, h->n_schemes));
    ccm_headers_response(&h->ccm, &o);
    ccm_obs_flag(&o, CCM_KEY_head_incomplete, h->incomplete);
    ps->emit(ps->emit_data, &o);
    ccm_http_auth_emit(ps, !client, at, h, number);
}

/* ---- the queue ------------------------------------------------------------------------------- */

static void finish(ccm_http_pairs *q, const ccm_parse *ps, unsigned client, unsigned index)
{
    ccm_http_exchange *x = queue(q);
    emit_done(ps, client, &x[index]);
    q->n--;
    memmove(&x[index], &x[index + 1], (q->n - index) * sizeof *x);
    if (!index && q->answering == CCM_HTTP_ANSWERS_OLDEST)
        q->answering = CCM_HTTP_ANSWERS_NONE;
}

static ccm_http_exchange *push(ccm_http_pairs *q, const ccm_parse *ps, unsigned client)
{
    unsigned most = CLAMP(ps->limits->requests, 1, UINT16_MAX);
    q->pipelined |= q->n && !q->uncertain && !queue(q)[q->n - 1].response_seen;
    if (q->n >= most) {
        q->dropped += !queue(q)[0].response_seen;
        finish(q, ps, client, 0);
    } else if (q->n == q->room) {
        unsigned room = MIN(q->room * 4U, most);
        ccm_http_exchange *more = g_new(ccm_http_exchange, room);
        memcpy(more, queue(q), q->n * sizeof *more);
        g_free(q->more);
        q->more = more;
        q->room = (uint16_t)room;
    }
    ccm_http_exchange *x = &queue(q)[q->n++];
    *x = (ccm_http_exchange){ 0 };
    return x;
}

/* ---- responses before their requests --------------------------------------------------------- */

static ccm_http_exchange early_first(ccm_http_pairs *q, const ccm_parse *ps)
{
    ccm_http_exchange x = q->early[0];

    if (ps->early)
        --*ps->early;
    memmove(q->early, q->early + 1, --q->n_early * sizeof *q->early);
    return x;
}

static void early_finish(ccm_http_pairs *q, const ccm_parse *ps, unsigned client)
{
    ccm_http_exchange x = early_first(q, ps);
    emit_done(ps, client, &x);
}

/* A response without request is over. Once the client was heard, the flow shows a response after
 * what it acknowledges: its request is not in the capture. Before, that may still come, but only so
 * many wait: of most captures in which the client is not heard it never comes. */
static void alone_over(ccm_http_pairs *q, const ccm_parse *ps, unsigned client)
{
    bool full = q->n_early == CCM_HTTP_EARLY || (ps->early && *ps->early >= CCM_HTTP_EARLY_ALL);
    if (!q->alone.may_be_early || full) {
        while (q->n_early && !full)
            early_finish(q, ps, client);
        emit_done(ps, client, &q->alone);
        return;
    }
    if (ps->early)
        ++*ps->early;
    if (q->n_early == q->early_room) {
        q->early_room = (uint8_t)(q->early_room ? MIN(q->early_room * 4, CCM_HTTP_EARLY) : 1);
        q->early = g_renew(ccm_http_exchange, q->early, q->early_room);
    }
    q->early[q->n_early++] = q->alone;
}

/* Whether `x`, a response, can be the answer to a request that began at `at`: its sender had
 * received what came before the response, and nothing of it. Of requests sent ahead only the order
 * tells, and only where nothing was lost. */
static bool early_fits(const ccm_http_exchange *x, const ccm_http_origin *at)
{
    return x->uncertain ? at->acked == x->pos : at->acked <= x->pos;
}

/* The response that came before the request at `at` into *out; false: there is none. */
static bool early_take(ccm_http_pairs *q, const ccm_parse *ps, unsigned client,
                       const ccm_http_origin *at, ccm_http_exchange *out)
{
    while (q->n_early && q->early[0].pos < at->acked)
        early_finish(q, ps, client); /* was received before: its request is not in the capture */
    if (q->n_early) {
        bool fits = early_fits(&q->early[0], at);
        if (fits)
            *out = early_first(q, ps);
        return fits;
    }
    bool open = !q->n && q->answering == CCM_HTTP_ANSWERS_NOTHING && q->alone.may_be_early;
    if (!open || !early_fits(&q->alone, at))
        return false;
    q->answering = CCM_HTTP_ANSWERS_OLDEST;
    *out = q->alone;
    return true;
}

static bool is_method(ccm_span method, const char *name)
{
    return method.n == strlen(name) && !memcmp(method.p, name, method.n);
}

uint64_t ccm_http_pairs_request(ccm_http_pairs *q, const ccm_parse *ps, unsigned client,
                                const ccm_http_origin *at, const ccm_http_head *head)
{
    bool ahead = q->n_early || q->answering == CCM_HTTP_ANSWERS_NOTHING;
    ccm_http_exchange early;
    bool answered = ahead && early_take(q, ps, client, at, &early);
    ccm_http_exchange *x = push(q, ps, client);
    if (answered) {
        /* Requests sent ahead of the first answer acknowledge what that one did: only order tells.
         */
        if (early.pos == at->acked)
            q->exact = at->acked + 1;
        *x = early;
        x->uncertain |= q->uncertain || q->exact != at->acked + 1;
    } else {
        x->number = ++q->numbers;
    }
    x->request_first = at->time_ns;
    x->request_last = ps->time_ns;
    x->pos = at->pos;
    x->acked = at->acked;
    x->request_seen = true;
    x->request_known = !head->incomplete;
    x->head_method = is_method(head->method, "HEAD");
    x->connect_method = is_method(head->method, "CONNECT");
    x->message = ccm_http_may_be_message(head);
    emit_request(ps, client, at, head, x->number);
    return x->number;
}

static int find(ccm_http_pairs *q, uint64_t number)
{
    for (int i = q->n - 1; i >= 0; i--)
        if (queue(q)[i].number == number)
            return i;
    return -1;
}

void ccm_http_pairs_request_end(ccm_http_pairs *q, const ccm_parse *ps, unsigned client,
                                uint64_t number, const ccm_http_body *body, bool whole)
{
    int i = find(q, number);
    if (i < 0)
        return; /* given up already */
    ccm_http_exchange *x = &queue(q)[i];
    x->request_last = ps->time_ns;
    x->request_bytes = body->bytes;
    x->missing += body->missing;
    x->request_ended = true;
    x->request_whole = whole;
    if (x->response_ended)
        finish(q, ps, client, (unsigned)i);
}

bool ccm_http_pairs_sent_at(const ccm_http_pairs *q, uint64_t acked)
{
    const ccm_http_exchange *x = q->more ? q->more : q->first;
    return q->n && x[q->n - 1].acked == acked;
}

bool ccm_http_pairs_refused(ccm_http_pairs *q, uint64_t number, bool unheard)
{
    int i = find(q, number);
    if (i < 0)
        return unheard || q->uncertain;
    const ccm_http_exchange *x = &queue(q)[i];
    return x->response_ended || (!x->response_seen && !x->continued && (unheard || q->uncertain));
}

/* After a loss: the oldest of the latest group of requests that can be meant. -1: none. */
static int by_position(ccm_http_pairs *q, const ccm_http_origin *at)
{
    const ccm_http_exchange *x = queue(q);
    int best = -1;
    for (int i = 0; i < q->n; i++) {
        if (x[i].acked > at->pos || (at->acked && x[i].pos >= at->acked))
            continue;
        if (best < 0 || x[i].acked > x[best].acked)
            best = i;
    }
    return best;
}

static ccm_http_exchange *match(ccm_http_pairs *q, const ccm_parse *ps, unsigned client,
                                const ccm_http_origin *at)
{
    if (q->answering == CCM_HTTP_ANSWERS_OLDEST)
        return &queue(q)[0]; /* a final response after an interim one */
    if (q->answering == CCM_HTTP_ANSWERS_NOTHING)
        return &q->alone;
    while (q->n && queue(q)[0].response_ended)
        finish(q, ps, client, 0); /* its request never ended */
    bool ordered = q->n || q->dropped;
    int i = q->uncertain ? by_position(q, at) : q->n && !q->dropped ? 0 : -1;
    if (i < 0) {
        if (q->dropped) { /* its request had to make room; where no response comes, nothing is lost
                           */
            ccm_http_limit(ps, "requests");
            q->dropped--;
        }
        q->alone = (ccm_http_exchange){ .number = ++q->numbers,
                                        .pos = at->pos,
                                        .may_be_early = !at->acked && !ordered && !ps->midstream };
        q->answering = CCM_HTTP_ANSWERS_NOTHING;
        return &q->alone;
    }
    for (; i > 0; i--)
        finish(q, ps, client, 0);
    q->answering = CCM_HTTP_ANSWERS_OLDEST;
    return &queue(q)[0];
}

/* The server had not received the request when it answered, or the client had the answer before it
 * asked: order pairs them, positions do not. */
static bool contradicts(const ccm_http_exchange *x, const ccm_http_origin *at)
{
    return x->request_seen && at->acked && (x->pos >= at->acked || x->acked > at->pos);
}

ccm_http_exchange *ccm_http_pairs_response(ccm_http_pairs *q, const ccm_parse *ps, unsigned client,
                                           const ccm_http_origin *at, const ccm_http_head *head)
{
    bool interim = head->status < 200 && head->status != 101;
    ccm_http_exchange *x = match(q, ps, client, at);
    x->uncertain = x->uncertain || q->uncertain || contradicts(x, at);
    x->response_seen = x->response_seen || !interim;
    x->continued = x->continued || interim;
    x->response_known = !head->incomplete && !interim;
    x->response_first = at->time_ns;
    emit_response(ps, client, at, head, x->number, interim);
    return x;
}

void ccm_http_pairs_response_end(ccm_http_pairs *q, const ccm_parse *ps, unsigned client,
                                 const ccm_http_body *body, bool whole)
{
    if (q->answering == CCM_HTTP_ANSWERS_NONE)
        return;
    bool alone = q->answering == CCM_HTTP_ANSWERS_NOTHING;
    ccm_http_exchange *x = alone ? &q->alone : &queue(q)[0];
    x->response_last = body->absent ? x->response_first : ps->time_ns;
    x->response_bytes = body->bytes;
    x->missing += body->missing;
    x->decoded = body->decoded;
    x->has_decoded = body->decoded_any;
    x->response_ended = true;
    x->response_whole = whole;
    q->answering = CCM_HTTP_ANSWERS_NONE;
    if (alone)
        alone_over(q, ps, client);
    else if (x->request_ended || x->tunnel)
        finish(q, ps, client, 0);
}

void ccm_http_pairs_lost(ccm_http_pairs *q, const ccm_parse *ps, unsigned client)
{
    q->uncertain = true;
    q->dropped = 0;
    if (q->answering == CCM_HTTP_ANSWERS_NOTHING) {
        /* Only an interim response without request can be open here. */
        q->alone.response_seen = true;
        emit_done(ps, client, &q->alone);
    }
    q->answering = CCM_HTTP_ANSWERS_NONE;
}

void ccm_http_pairs_flush(ccm_http_pairs *q, const ccm_parse *ps, unsigned client, bool all)
{
    if (q->answering == CCM_HTTP_ANSWERS_NOTHING) {
        q->alone.response_seen = true;
        emit_done(ps, client, &q->alone);
    }
    q->answering = CCM_HTTP_ANSWERS_NONE;
    while (all && q->n_early)
        early_finish(q, ps, client);
    for (unsigned i = 0; i < q->n;)
        if (all || !queue(q)[i].response_ended)
            finish(q, ps, client, i);
        else
            i++;
}
