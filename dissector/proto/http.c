/* SPDX-License-Identifier: GPL-2.0-or-later
 * http.c - HTTP/1.x conversations, on any port: content decides.
 * In: the two directions of a TCP flow, with gaps. Out: http_request, http_response, http_done.
 * State: a half-parser per direction and the queue of outstanding requests, allocated once per
 * flow. An unfinished head is left to the caller's carry; bodies are skipped by arithmetic. After
 * bytes are lost in a place of unknown meaning, the next first line is searched, and every request
 * line that was captured is reported. Spec: RFC 9110, RFC 9112. */
#include "proto/http_pair.h"
#include "proto/inner.h"

typedef enum half_state {
    HALF_START, /* at a message start, or inside its head */
    HALF_BODY,
    HALF_SEEK,   /* place unknown: search the next message */
    HALF_TUNNEL, /* CONNECT or Upgrade: not HTTP any more */
    HALF_ENDED,
} half_state;

typedef struct half {
    uint8_t state;
    bool started;       /* m.at is set */
    size_t scanned;     /* bytes of the unfinished head already searched for its end */
    size_t kept;        /* bytes that a search asked to see again */
    bool resumed;       /* the search has begun in an earlier call */
    uint64_t body_at;   /* where the body begins; set while m.body.peek is */
    ccm_http_message m; /* being received */
} half;

typedef struct http_state {
    half half[2];
    int8_t client; /* index of the client's side; -1 unknown */
    bool midstream;
    bool heads;    /* a head was found: this is HTTP */
    bool confused; /* the anomaly was reported */
    ccm_http_pairs pairs;
    ccm_inner *inner;   /* the tunnel */
    GBytes *authority;  /* target of the latest CONNECT; NULL = none */
    uint64_t connected; /* its exchange */
} http_state;

/* What one step of a half-parser did. */
typedef struct step {
    size_t used;
    uint64_t skip;
    enum { STEP_AGAIN, STEP_WAIT, STEP_BAD } next;
} step;

static ccm_probe http_probe(ccm_span in, bool midstream)
{
    static const ccm_probe probes[] = { CCM_PROBE_NO, CCM_PROBE_MAYBE, CCM_PROBE_YES,
                                        CCM_PROBE_YES };
    while (in.n && (in.p[0] == '\r' || in.p[0] == '\n')) /* RFC 9112 2.2: empty lines before it */
        in = ccm_span_of(in.p + 1, in.n - 1);
    ccm_http_shape shape = ccm_http_shape_of(in);
    if (!midstream || shape >= CCM_HTTP_REQUEST)
        return probes[shape];
    size_t keep;
    if (ccm_http_seek(in, 0, true, true, &keep) != SIZE_MAX)
        return CCM_PROBE_YES;
    return probes[shape];
}

static void *http_open(ccm_parse *ps)
{
    http_state *st = ccm_pool_take(ps->http, sizeof *st);
    st->client = -1;
    st->midstream = ps->midstream;
    ccm_http_pairs_init(&st->pairs);
    st->pairs.numbers = ps->exchanges;
    st->pairs.uncertain = ps->midstream;
    if (ps->midstream)
        st->half[0].state = st->half[1].state = HALF_SEEK;
    return st;
}

static unsigned client_of(const http_state *st)
{
    return st->client > 0 ? 1 : 0;
}

static bool from_client(const http_state *st, const ccm_parse *ps)
{
    return st->client >= 0 && ps->dir == (uint8_t)st->client;
}

/* ---- ends and losses ------------------------------------------------------------------------- */

static void go_to(half *h, half_state state)
{
    ccm_http_body_free(&h->m.body);
    h->state = (uint8_t)state;
    h->started = h->resumed = h->m.answers = false;
    h->scanned = h->kept = 0;
}

/* The message of this direction is over; `whole` = its end was seen. */
static void message_end(http_state *st, const ccm_parse *ps, half *h, bool whole)
{
    ccm_http_pairs *q = &st->pairs;
    ccm_http_message_over(&h->m, ps, whole);
    go_to(h, HALF_START);
    if (from_client(st, ps))
        ccm_http_pairs_request_end(q, ps, client_of(st), h->m.number, &h->m.body, whole);
    else
        ccm_http_pairs_response_end(q, ps, client_of(st), &h->m.body, whole);
    if (!q->n && !q->n_early && q->answering == CCM_HTTP_ANSWERS_NONE &&
        st->half[0].state == HALF_START && st->half[1].state == HALF_START)
        ccm_http_pairs_idle(q);
}

/* The place in this direction is lost: search. */
static void place_lost(http_state *st, const ccm_parse *ps, half *h)
{
    go_to(h, HALF_SEEK);
    st->pairs.uncertain = true;
    if (!from_client(st, ps))
        ccm_http_pairs_lost(&st->pairs, ps, client_of(st));
}

static void anomaly(http_state *st, const ccm_parse *ps, const char *reason)
{
    if (st->confused)
        return;
    st->confused = true;
    ccm_obs o;
    ccm_obs_at(ps, &o, CCM_OBS_anomaly, ps->dir);
    ccm_obs_str(&o, CCM_KEY_protocol, ccm_span_str("http"));
    ccm_obs_str(&o, CCM_KEY_reason, ccm_span_str(reason));
    ccm_obs_u64(&o, CCM_KEY_count, 1);
    ps->emit(ps->emit_data, &o);
}

static step misplaced(http_state *st, const ccm_parse *ps, half *h)
{
    if (!st->heads && !st->midstream)
        return (step){ .next = STEP_BAD };
    anomaly(st, ps, "no message where one should begin");
    place_lost(st, ps, h);
    h->resumed = true;
    return (step){ .used = 1, .next = STEP_AGAIN }; /* one byte, so that it always gets on */
}

/* ---- heads ----------------------------------------------------------------------------------- */

/* `message`: the body may hold a Configuration Manager message. */
static void start_body(const ccm_parse *ps, half *h, const ccm_http_head *head, bool empty,
                       bool message)
{
    go_to(h, HALF_BODY);
    ccm_http_body_start(&h->m.body, head, empty);
    ccm_http_message_begin(&h->m, ps, head, message);
}

/* The destination of a tunnel is known by what the client asked for. */
static void keep_authority(http_state *st, const half *h, const ccm_http_head *head)
{
    if (head->method.n != 7 || memcmp(head->method.p, "CONNECT", 7) != 0)
        return;
    g_clear_pointer(&st->authority, g_bytes_unref);
    st->authority = g_bytes_new(head->target.p, head->target.n);
    st->connected = h->m.number;
}

/* May the body begin like a message? Then its beginning tells nothing (RFC 9112 section 10). */
static bool holds_http(const ccm_http_head *head)
{
    ccm_span type = head->content_type;
    const uint8_t *slash = type.n ? memchr(type.p, '/', type.n) : NULL;
    size_t at = slash ? (size_t)(slash - type.p) + 1 : type.n;
    return type.n - at >= 4 && ccm_headers_is(ccm_span_of(type.p + at, 4), "http");
}

static void request_head(http_state *st, const ccm_parse *ps, half *h, const ccm_http_head *head)
{
    h->m.number = ccm_http_pairs_request(&st->pairs, ps, client_of(st), &h->m.at, head);
    keep_authority(st, h, head);
    start_body(ps, h, head, false, ccm_http_may_be_message(head));
    if (head->expect && !holds_http(head))
        h->m.body.peek = CCM_HTTP_REQUEST;
}

/* What follows is another protocol's: of the CONNECT or Upgrade of exchange `number`. */
static void begin_tunnel(http_state *st, const ccm_parse *ps, uint64_t number)
{
    gsize n = 0;
    bool connect = st->authority && st->connected == number;
    const void *authority = connect ? g_bytes_get_data(st->authority, &n) : NULL;
    st->inner = ccm_inner_new(ps, false);
    ccm_inner_through(st->inner, ccm_span_of(authority, n), st->pairs.numbers);
    go_to(&st->half[0], HALF_TUNNEL);
    go_to(&st->half[1], HALF_TUNNEL);
}

static void response_head(http_state *st, const ccm_parse *ps, half *h, const ccm_http_head *head)
{
    ccm_http_exchange *x = ccm_http_pairs_response(&st->pairs, ps, client_of(st), &h->m.at, head);
    if (head->status < 200 && head->status != 101) {
        go_to(h, HALF_START); /* interim: the final response follows */
        return;
    }
    if (head->status == 101 || (x->connect_method && head->status / 100 == 2)) {
        uint64_t number = x->number;
        x->tunnel = true;
        ccm_http_body_start(&h->m.body, head, true);
        message_end(st, ps, h, true);
        begin_tunnel(st, ps, number);
        return;
    }
    bool sure = x->request_seen && !x->uncertain;
    h->m.number = x->number;
    start_body(ps, h, head, x->head_method || head->status == 204 || head->status == 304,
               x->message && sure);
    if (!sure && h->m.body.framing == CCM_HTTP_UNTIL_CLOSE && head->version > 10 && !head->close) {
        /* Most likely the answer to a HEAD that is not in the capture: do not wait for the close.
         */
        x->response_known = false;
        message_end(st, ps, h, false);
        place_lost(st, ps, h);
    } else if (!sure && !holds_http(head)) {
        h->m.body.peek = CCM_HTTP_RESPONSE;
    }
}

/* A head was parsed, whole or not. False: this side does not send such messages. */
static bool head_found(http_state *st, ccm_parse *ps, half *h, const ccm_http_head *head)
{
    if (st->client < 0)
        st->client = (int8_t)(head->response ? !ps->dir : ps->dir);
    ps->client = st->client;
    if (head->response == from_client(st, ps))
        return false;
    st->heads = true;
    if (head->response)
        response_head(st, ps, h, head);
    else
        request_head(st, ps, h, head);
    if (head->incomplete && h->state == HALF_BODY) {
        ccm_http_body_free(&h->m.body);
        ccm_http_body_start(&h->m.body, head, true);
        message_end(st, ps, h, false);
        place_lost(st, ps, h);
    } else if (head->incomplete && h->state == HALF_START) {
        place_lost(st, ps, h);
    }
    return true;
}

/* Reports what is there of a head whose rest will not come. Returns the bytes used. */
static size_t cut_head(http_state *st, ccm_parse *ps, half *h, ccm_span in)
{
    ccm_http_head head;
    size_t n = h->started && in.n ? ccm_http_head_parse(in, true, &head) : 0;
    if (!n || n == SIZE_MAX)
        return 0;
    head.incomplete = true;
    return head_found(st, ps, h, &head) ? n : 0;
}

static step oversized(http_state *st, ccm_parse *ps, half *h, ccm_span in)
{
    ccm_http_limit(ps, "head_bytes");
    size_t used = cut_head(st, ps, h, in);
    return used ? (step){ .used = used, .next = STEP_AGAIN } : misplaced(st, ps, h);
}

static step step_start(http_state *st, ccm_parse *ps, half *h, ccm_span in, uint64_t pos)
{
    if (!h->started) {
        size_t n = 0; /* empty lines between messages */
        while (n < in.n && (in.p[n] == '\r' || in.p[n] == '\n'))
            n++;
        if (n == in.n)
            return (step){ .used = n, .next = STEP_WAIT };
        if (n)
            return (step){ .used = n, .next = STEP_AGAIN };
        h->started = true;
        h->m.at = (ccm_http_origin){ ps->time_ns, ps->frame, pos, ps->peer_acked };
    }
    if (h->scanned && !ccm_http_head_ended(in, &h->scanned))
        return in.n > ps->limits->head_bytes ? oversized(st, ps, h, in)
                                             : (step){ .next = STEP_WAIT };
    ccm_http_head head;
    size_t n = ccm_http_head_parse(in, false, &head);
    /* A whole head that begins with a letter has the shape of a message already. */
    bool shaped = n && n != SIZE_MAX && g_ascii_isalpha(in.p[0]);
    if (!shaped && !h->scanned) {
        ccm_http_shape shape = ccm_http_shape_of(in);
        if (shape == CCM_HTTP_NONE)
            return misplaced(st, ps, h);
        if (shape == CCM_HTTP_MAYBE)
            return in.n > ps->limits->head_bytes ? misplaced(st, ps, h)
                                                 : (step){ .next = STEP_WAIT };
    }
    if (n == SIZE_MAX)
        return misplaced(st, ps, h);
    if (!n) {
        (void)ccm_http_head_ended(in, &h->scanned);
        return in.n > ps->limits->head_bytes ? oversized(st, ps, h, in)
                                             : (step){ .next = STEP_WAIT };
    }
    if (!head_found(st, ps, h, &head))
        return misplaced(st, ps, h);
    h->body_at = pos + n;
    return (step){ .used = n, .next = STEP_AGAIN };
}

/* ---- bodies and searching -------------------------------------------------------------------- */

static step step_body(http_state *st, const ccm_parse *ps, half *h, ccm_span in)
{
    step s = { .next = STEP_AGAIN };
    if (in.n && h->m.body.peek == CCM_HTTP_REQUEST) {
        bool unheard = ps->peer_acked > h->m.at.acked || ps->one_sided;
        if (!ccm_http_pairs_refused(&st->pairs, h->m.number, unheard))
            h->m.body.peek = CCM_HTTP_NONE;
    }
    ccm_http_part part = ccm_http_body_feed(&h->m.body, ps, in, &s.used, &s.skip);
    if (part == CCM_HTTP_END) {
        bool guess = h->m.body.absent && h->m.body.missing;
        h->m.body.missing = guess ? 0 : h->m.body.missing;
        message_end(st, ps, h, !guess);
    } else if (part == CCM_HTTP_LOST) {
        message_end(st, ps, h, false);
        anomaly(st, ps, "chunk framing is wrong");
        place_lost(st, ps, h);
        h->resumed = true;
    } else if (s.skip || s.used == in.n || !s.used) {
        s.next = STEP_WAIT;
    }
    return s;
}

/* `boundary`: where a segment begins, unless the search has begun before. */
static step step_seek(http_state *st, const ccm_parse *ps, half *h, ccm_span in, size_t boundary)
{
    size_t keep;
    boundary = h->resumed ? h->kept : boundary;
    size_t found = ccm_http_seek(in, boundary, st->client < 0 || from_client(st, ps),
                                 !from_client(st, ps), &keep);
    if (found != SIZE_MAX) {
        go_to(h, HALF_START);
        return (step){ .used = found, .next = STEP_AGAIN };
    }
    if (keep > ps->limits->head_bytes)
        keep = 0;
    h->resumed = true;
    h->kept = keep;
    return (step){ .used = in.n - keep, .next = STEP_WAIT };
}

static step step_tunnel(http_state *st, ccm_parse *ps, ccm_span in)
{
    ccm_inner_bytes(st->inner, ps, in);
    return (step){ in.n, ccm_inner_wants(st->inner) ? 0 : UINT64_MAX, STEP_WAIT };
}

static ccm_feed http_feed(ccm_parse *ps, ccm_span in)
{
    http_state *st = ps->state;
    half *h = &st->half[ps->dir & 1];
    ccm_feed out = { .result = CCM_FEED_OK };
    for (;;) {
        ccm_span rest = ccm_span_of(in.p + out.used, in.n - out.used);
        step s = { .used = rest.n, .skip = UINT64_MAX, .next = STEP_WAIT };
        if (h->state == HALF_START)
            s = step_start(st, ps, h, rest, ps->pos + out.used);
        else if (h->state == HALF_BODY)
            s = step_body(st, ps, h, rest);
        else if (h->state == HALF_SEEK)
            s = step_seek(st, ps, h, rest,
                          ps->boundary < out.used ? SIZE_MAX : ps->boundary - out.used);
        else if (h->state == HALF_TUNNEL)
            s = step_tunnel(st, ps, rest);
        out.used += s.used;
        out.skip = s.skip;
        if (s.next == STEP_BAD)
            return (ccm_feed){ .result = CCM_FEED_BAD, .why = "not HTTP" };
        if (s.next == STEP_WAIT || (out.used == in.n && h->state != HALF_BODY))
            break;
    }
    if (st->client >= 0)
        ps->client = st->client;
    return out;
}

static void http_skipped(ccm_parse *ps, uint64_t n, uint64_t missing)
{
    http_state *st = ps->state;
    half *h = &st->half[ps->dir & 1];
    if (h->state == HALF_BODY && ccm_http_body_pass(&h->m.body, n, missing) == CCM_HTTP_END)
        message_end(st, ps, h, true);
}

/* Bytes of a body that were left unused while the first ones were being looked at. What `follows`
 * is looked at as well: of a body that may not be there, a loss tells nothing. */
static void rest_of_body(http_state *st, const ccm_parse *ps, half *h, ccm_span tail, bool follows)
{
    size_t used;
    uint64_t skip;
    if (!follows || tail.n || h->m.body.peek != CCM_HTTP_RESPONSE)
        h->m.body.peek = CCM_HTTP_NONE;
    if (tail.n && ccm_http_body_feed(&h->m.body, ps, tail, &used, &skip) == CCM_HTTP_END)
        message_end(st, ps, h, true);
}

/* The request of this response is not known, and of its body, which may not be there as after HEAD,
 * nothing has come: did the client take its head for the whole, and ask for the next? */
static bool bodiless(const http_state *st, const half *h)
{
    return h->m.body.peek == CCM_HTTP_RESPONSE && !h->m.body.bytes &&
           ccm_http_pairs_sent_at(&st->pairs, h->body_at);
}

static void http_gap(ccm_parse *ps, uint64_t n, ccm_span tail)
{
    http_state *st = ps->state;
    half *h = &st->half[ps->dir & 1];
    if (h->state == HALF_START && h->started)
        (void)cut_head(st, ps, h, tail);
    else if (h->state == HALF_BODY)
        rest_of_body(st, ps, h, tail, true);
    else if (h->state == HALF_TUNNEL)
        ccm_inner_gap(st->inner, ps, n);
    if (h->state == HALF_BODY && (n == CCM_GAP_UNKNOWN || bodiless(st, h))) {
        message_end(st, ps, h, false);
    } else if (h->state == HALF_BODY) {
        uint64_t beyond = 0;
        ccm_http_part part = ccm_http_body_gap(&h->m.body, n, &beyond);
        if (part == CCM_HTTP_MORE)
            return;
        message_end(st, ps, h, part == CCM_HTTP_END);
        if (part == CCM_HTTP_END && !beyond)
            return;
    }
    if (h->state == HALF_START || h->state == HALF_SEEK)
        place_lost(st, ps, h);
}

static void http_end(ccm_parse *ps, ccm_span tail)
{
    http_state *st = ps->state;
    half *h = &st->half[ps->dir & 1];
    if (h->state == HALF_START && h->started)
        (void)cut_head(st, ps, h, tail);
    else if (h->state == HALF_BODY)
        rest_of_body(st, ps, h, tail, false);
    if (h->state == HALF_BODY)
        message_end(st, ps, h, h->m.body.framing == CCM_HTTP_UNTIL_CLOSE);
    if (h->state == HALF_TUNNEL)
        ccm_inner_end(st->inner, ps);
    else
        go_to(h, HALF_ENDED);
    if (st->client >= 0 && !from_client(st, ps))
        ccm_http_pairs_flush(&st->pairs, ps, client_of(st), false);
}

static void http_close(ccm_parse *ps)
{
    http_state *st = ps->state;
    uint8_t dir = ps->dir;
    for (uint8_t i = 0; i < 2; i++) {
        ps->dir = i;
        if (st->half[i].state == HALF_BODY)
            message_end(st, ps, &st->half[i], false);
        ccm_http_body_free(&st->half[i].m.body);
    }
    ps->dir = dir;
    ccm_inner_free(st->inner, ps);
    g_clear_pointer(&st->authority, g_bytes_unref);
    ccm_http_pairs_flush(&st->pairs, ps, client_of(st), true);
    ps->exchanges = st->pairs.numbers;
    ccm_http_pairs_free(&st->pairs, ps);
    ccm_pool_give(ps->http, st);
    ps->state = NULL;
}

const ccm_proto ccm_proto_http = {
    .name = "http",
    .l4 = 6,
    .probe = http_probe,
    .tail = ccm_http_tail,
    .open = http_open,
    .feed = http_feed,
    .skipped = http_skipped,
    .gap = http_gap,
    .end = http_end,
    .close = http_close,
};
