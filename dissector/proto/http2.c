/* SPDX-License-Identifier: GPL-2.0-or-later
 * http2.c - HTTP/2 connections, in clear or inside TLS: content decides.
 * In: the two directions of a connection, with gaps. Out: http_request, http_response, http_done,
 * as http.c tells them; each stream is an exchange. State: a half-parser per direction with its
 * header tables, and the open streams, bounded. Header tables are built by every header block from
 * the first on. Where one is missing, later blocks of that direction cannot be read: that is told
 * once, and nothing is guessed. Spec: RFC 9113 sections 3.4, 4, 6 and 8. */
#include "proto/http2_fields.h"
#include "proto/http2_frame.h"
#include "proto/http_pair.h"

enum {
    STREAMS_MAX = 128,
    TABLE_MAX = 64 << 10,       /* of the header table that a receiver may allow */
    FIELDS_COST = 2 * (8 << 10) /* memory of the tables of a connection, about */
};

typedef enum place {
    PLACE_PREFACE, /* the client's first bytes, if they are there */
    PLACE_FRAME,   /* at a frame's header */
    PLACE_CONTENT, /* inside a frame */
    PLACE_PADDING,
    PLACE_SEEK, /* unknown: search the next frame */
    PLACE_ENDED,
} place;

typedef struct half {
    uint8_t place;
    uint8_t type, flags; /* of the frame at hand */
    uint32_t stream, left, padding;
    uint32_t block;     /* stream of the header block at hand; 0 = none */
    uint32_t table;     /* size of the header table to be allowed at the next block; 0 = none */
    bool block_ends;    /* the stream ends with the block */
    bool block_pushed;  /* the block is a request that the server promises */
    ccm_http_origin at; /* of the block */
    ccm_http2_fields *fields; /* NULL: the header tables are not known */
} half;

/* The request or the response of a stream. */
typedef struct part {
    ccm_http_message m;
    bool begun, over;
} part;

typedef struct stream {
    uint32_t id;
    ccm_http_pairs pairs; /* of this one exchange */
    part part[2];         /* request, response */
} stream;

typedef struct http2_state {
    half half[2];
    int8_t client;
    bool frames;  /* a frame was read: this is HTTP/2 */
    bool told;    /* that header tables are not known */
    bool counted; /* FIELDS_COST */
    uint64_t numbers;
    GHashTable *streams; /* by number */
} http2_state;

/* ---- streams --------------------------------------------------------------------------------- */

static unsigned client_of(const http2_state *st)
{
    return st->client > 0 ? 1 : 0;
}

static bool from_client(const http2_state *st, const ccm_parse *ps)
{
    return st->client >= 0 && ps->dir == (uint8_t)st->client;
}

/* The request or the response is over; ps->dir sent it. */
static void part_over(http2_state *st, const ccm_parse *ps, stream *s, bool whole)
{
    bool request = from_client(st, ps);
    part *p = &s->part[!request];
    if (!p->begun || p->over)
        return;
    p->over = true;
    ccm_http_message_over(&p->m, ps, whole);
    ccm_http_body_free(&p->m.body);
    if (request)
        ccm_http_pairs_request_end(&s->pairs, ps, client_of(st), p->m.number, &p->m.body, whole);
    else
        ccm_http_pairs_response_end(&s->pairs, ps, client_of(st), &p->m.body, whole);
}

/* Nothing more comes of the stream. */
static void stream_over(http2_state *st, ccm_parse *ps, stream *s)
{
    uint8_t dir = ps->dir;
    for (unsigned i = 0; i < 2; i++) {
        ps->dir = (uint8_t)(i ? !client_of(st) : client_of(st));
        part_over(st, ps, s, false);
    }
    ps->dir = dir;
    ccm_http_pairs_flush(&s->pairs, ps, client_of(st), true);
    ccm_http_pairs_free(&s->pairs, ps);
    (void)g_hash_table_remove(st->streams, &s->id);
    if (ps->gathered)
        *ps->gathered -= sizeof *s;
    g_free(s);
}

/* The oldest stream makes room. */
static void evict(http2_state *st, ccm_parse *ps)
{
    GHashTableIter i;
    gpointer value;
    stream *oldest = NULL;
    g_hash_table_iter_init(&i, st->streams);
    while (g_hash_table_iter_next(&i, NULL, &value))
        if (!oldest || ((stream *)value)->id < oldest->id)
            oldest = value;
    ccm_http_limit(ps, "http2_streams");
    if (oldest)
        stream_over(st, ps, oldest);
}

static stream *stream_find(const http2_state *st, uint32_t id)
{
    return g_hash_table_lookup(st->streams, &id);
}

static stream *stream_get(http2_state *st, ccm_parse *ps, uint32_t id)
{
    stream *s = stream_find(st, id);
    if (s)
        return s;
    if (g_hash_table_size(st->streams) >= STREAMS_MAX)
        evict(st, ps);
    if (ps->gathered && *ps->gathered + sizeof *s > ps->limits->pending_bytes) {
        ccm_http_limit(ps, "pending_bytes");
        return NULL;
    }
    if (ps->gathered)
        *ps->gathered += sizeof *s;
    s = g_new0(stream, 1);
    s->id = id;
    ccm_http_pairs_init(&s->pairs);
    g_hash_table_insert(st->streams, &s->id, s);
    return s;
}

static void request_head(http2_state *st, const ccm_parse *ps, stream *s, const half *h,
                         const ccm_http_head *head)
{
    part *p = &s->part[0];
    s->pairs.numbers = st->numbers;
    p->begun = true;
    p->m.at = h->at;
    p->m.number = ccm_http_pairs_request(&s->pairs, ps, client_of(st), &h->at, head);
    st->numbers = s->pairs.numbers;
    p->m.body = (ccm_http_body){ .framing = CCM_HTTP_UNTIL_CLOSE };
    ccm_http_message_begin(&p->m, ps, head, ccm_http_may_be_message(head));
}

static void response_head(http2_state *st, const ccm_parse *ps, stream *s, const half *h,
                          const ccm_http_head *head)
{
    part *p = &s->part[1];
    s->pairs.numbers = st->numbers;
    ccm_http_exchange *x = ccm_http_pairs_response(&s->pairs, ps, client_of(st), &h->at, head);
    st->numbers = s->pairs.numbers;
    if (head->status < 200)
        return; /* interim: the final response follows */
    x->tunnel = x->connect_method && head->status / 100 == 2;
    p->begun = true;
    p->m.at = h->at;
    p->m.number = x->number;
    p->m.body = (ccm_http_body){ .framing = CCM_HTTP_UNTIL_CLOSE };
    ccm_http_message_begin(&p->m, ps, head, x->message);
}

static void stream_ends(http2_state *st, ccm_parse *ps, stream *s)
{
    part_over(st, ps, s, true);
    if (s->part[0].over && s->part[1].over)
        stream_over(st, ps, s);
}

/* ---- header blocks --------------------------------------------------------------------------- */

static void unreadable(http2_state *st, const ccm_parse *ps)
{
    ccm_obs o;
    if (st->told)
        return;
    st->told = true;
    ccm_obs_at(ps, &o, CCM_OBS_anomaly, ps->dir);
    ccm_obs_str(&o, CCM_KEY_protocol, ccm_span_str("http2"));
    ccm_obs_str(&o, CCM_KEY_reason,
                ccm_span_str("earlier header blocks are missing, later ones cannot be read"));
    ccm_obs_u64(&o, CCM_KEY_count, 1);
    ps->emit(ps->emit_data, &o);
}

static void tables_lost(half *h)
{
    ccm_http2_fields_free(h->fields);
    h->fields = NULL;
}

/* A whole header block was read. */
static void block_over(http2_state *st, ccm_parse *ps, half *h)
{
    ccm_http_head head;
    uint32_t id = h->block;
    h->block = 0;
    bool named = h->fields && ccm_http2_fields_head(h->fields, &head);
    if (st->client < 0 && named && !h->block_pushed)
        st->client = (int8_t)(head.response ? !ps->dir : ps->dir);
    ps->client = st->client;
    bool mine = named && head.response != from_client(st, ps);
    stream *s = stream_find(st, id);
    if (h->block_pushed || !(id & 1))
        return; /* nobody asked for it: it is no exchange */
    if (!s && mine)
        s = stream_get(st, ps, id);
    if (s && mine && !s->part[head.response].begun) {
        if (head.response)
            response_head(st, ps, s, h, &head);
        else
            request_head(st, ps, s, h, &head);
    }
    if (s && h->block_ends)
        stream_ends(st, ps, s);
}

static void block_bytes(http2_state *st, ccm_parse *ps, half *h, ccm_span bytes)
{
    bool last = h->left == bytes.n && (h->flags & CCM_H2_END_HEADERS);
    if (!h->fields)
        unreadable(st, ps);
    else if (!ccm_http2_fields_feed(h->fields, bytes, last)) {
        tables_lost(h);
        unreadable(st, ps);
    }
}

static void block_begins(half *h, const ccm_parse *ps, uint64_t pos)
{
    h->block = h->stream;
    h->block_ends = h->type == CCM_H2_HEADERS && (h->flags & CCM_H2_END_STREAM);
    h->block_pushed = h->type == CCM_H2_PUSH_PROMISE;
    h->at = (ccm_http_origin){ ps->time_ns, ps->frame, pos, ps->peer_acked };
    if (h->fields && h->table)
        ccm_http2_fields_table(h->fields, h->table);
    h->table = 0;
}

/* ---- frames ---------------------------------------------------------------------------------- */

static void settings(http2_state *st, const ccm_parse *ps, ccm_span content)
{
    enum { HEADER_TABLE_SIZE = 1, DEFAULT = 4096 };
    ccm_cursor c = ccm_cur(content);
    while (ccm_cur_left(&c) >= 6) {
        unsigned id = ccm_cur_be16(&c);
        uint32_t value = ccm_cur_be32(&c);
        /* What its receiver allows is for the other side. That uses less than before only after
         * telling so in a block. */
        if (id == HEADER_TABLE_SIZE && value > DEFAULT)
            st->half[!(ps->dir & 1)].table = MIN(value, TABLE_MAX);
    }
}

/* Bytes before the content that are read with the frame's header. */
static size_t prelude(const ccm_http2_frame *f)
{
    size_t padded = f->flags & CCM_H2_PADDED ? 1 : 0;
    if (f->type == CCM_H2_DATA)
        return padded;
    if (f->type == CCM_H2_HEADERS)
        return padded + (f->flags & CCM_H2_PRIORITY_FIELDS ? 5 : 0);
    if (f->type == CCM_H2_PUSH_PROMISE)
        return padded + 4;
    return f->type == CCM_H2_RST_STREAM || (f->type == CCM_H2_SETTINGS && f->length <= 1024)
               ? f->length
               : 0;
}

static void place_lost(half *h)
{
    tables_lost(h);
    h->place = PLACE_SEEK;
    h->block = 0;
    h->left = h->padding = 0;
}

/* The content of the frame at hand is over. */
static void content_over(http2_state *st, ccm_parse *ps, half *h)
{
    bool headers = h->type == CCM_H2_HEADERS || h->type == CCM_H2_PUSH_PROMISE ||
                   h->type == CCM_H2_CONTINUATION;
    stream *s = h->type == CCM_H2_DATA ? stream_find(st, h->stream) : NULL;
    h->place = h->padding ? PLACE_PADDING : PLACE_FRAME;
    if (headers && h->block && (h->flags & CCM_H2_END_HEADERS))
        block_over(st, ps, h);
    else if (s && (h->flags & CCM_H2_END_STREAM))
        stream_ends(st, ps, s);
}

/* A frame whose header and prelude are there. */
static void frame_begins(http2_state *st, ccm_parse *ps, half *h, const ccm_http2_frame *f,
                         ccm_span in, uint64_t pos)
{
    size_t before = prelude(f);
    const uint8_t *p = in.p + CCM_H2_FRAME_HEADER;
    bool padded = (f->flags & CCM_H2_PADDED) && before && f->type != CCM_H2_RST_STREAM &&
                  f->type != CCM_H2_SETTINGS;
    st->frames = true;
    h->type = f->type;
    h->flags = f->flags;
    h->stream = f->stream;
    h->left = (uint32_t)(f->length - before);
    h->padding = padded ? MIN(p[0], h->left) : 0;
    h->left -= h->padding;
    h->place = PLACE_CONTENT;
    if (f->type == CCM_H2_HEADERS || f->type == CCM_H2_PUSH_PROMISE)
        block_begins(h, ps, pos);
    else if (f->type == CCM_H2_SETTINGS && !(f->flags & CCM_H2_ACK))
        settings(st, ps, ccm_span_of(p, before));
    stream *s = f->type == CCM_H2_RST_STREAM ? stream_find(st, f->stream) : NULL;
    if (s)
        stream_over(st, ps, s);
    if (!h->left) { /* an empty block ends, too */
        if (h->block && h->type != CCM_H2_DATA && (h->flags & CCM_H2_END_HEADERS))
            block_bytes(st, ps, h, ccm_span_of(NULL, 0));
        content_over(st, ps, h);
    }
}

/* Bytes used at a frame's header; 0 = more are needed. SIZE_MAX = no frame begins here. */
static size_t step_frame(http2_state *st, ccm_parse *ps, half *h, ccm_span in, uint64_t pos)
{
    if (in.n < CCM_H2_FRAME_HEADER)
        return 0;
    ccm_http2_frame f = ccm_http2_frame_of(in);
    size_t before = prelude(&f);
    bool goes_on = f.type == CCM_H2_CONTINUATION && h->block && f.stream == h->block;
    if (!ccm_http2_plausible(&f) || before > f.length || (h->block && !goes_on))
        return SIZE_MAX;
    if (in.n < CCM_H2_FRAME_HEADER + before)
        return 0;
    frame_begins(st, ps, h, &f, in, pos);
    return CCM_H2_FRAME_HEADER + before;
}

/* Content at hand: reads what is wanted; *skip = how much need not be shown. */
static size_t step_content(http2_state *st, ccm_parse *ps, half *h, ccm_span in, uint64_t *skip)
{
    size_t n = MIN(in.n, h->left);
    ccm_span bytes = ccm_span_of(in.p, n);
    bool headers = h->type == CCM_H2_HEADERS || h->type == CCM_H2_PUSH_PROMISE ||
                   h->type == CCM_H2_CONTINUATION;
    if (headers && h->block) {
        if (n)
            block_bytes(st, ps, h, bytes);
    } else if (h->type == CCM_H2_DATA) {
        stream *s = stream_find(st, h->stream);
        part *p = s ? &s->part[!from_client(st, ps)] : NULL;
        size_t used;
        *skip = UINT64_MAX;
        if (p && p->begun && !p->over)
            (void)ccm_http_body_feed(&p->m.body, ps, bytes, &used, skip);
    } else {
        *skip = UINT64_MAX;
    }
    h->left -= (uint32_t)n;
    *skip = MIN(*skip, h->left);
    if (!h->left)
        content_over(st, ps, h);
    return n;
}

/* After a loss: does a frame begin where a segment does? */
static size_t step_seek(const ccm_parse *ps, half *h, ccm_span in)
{
    ccm_http2_frame f = ccm_http2_frame_of(in), next = { .type = CCM_H2_PING };
    if (ps->boundary)
        return in.n;
    if (in.n < CCM_H2_FRAME_HEADER)
        return 0;
    size_t size = CCM_H2_FRAME_HEADER + (size_t)f.length;
    if (f.type > CCM_H2_CONTINUATION || !ccm_http2_plausible(&f) || f.length > 16384)
        return in.n;
    if (in.n >= size + CCM_H2_FRAME_HEADER)
        next = ccm_http2_frame_of(ccm_span_of(in.p + size, in.n - size));
    if (in.n > size && in.n >= size + CCM_H2_FRAME_HEADER &&
        (next.type > CCM_H2_CONTINUATION || !ccm_http2_plausible(&next)))
        return in.n;
    h->place = PLACE_FRAME;
    return 0;
}

/* ---- what the caller calls ------------------------------------------------------------------- */

static void know_tables(http2_state *st, ccm_parse *ps, half *h)
{
    if (h->fields)
        return;
    if (!st->counted && ps->gathered) {
        if (*ps->gathered + FIELDS_COST > ps->limits->pending_bytes) {
            ccm_http_limit(ps, "pending_bytes");
            return;
        }
        *ps->gathered += FIELDS_COST;
        st->counted = true;
    }
    h->fields = ccm_http2_fields_new(ps->limits->head_bytes);
}

static void *http2_open(ccm_parse *ps)
{
    http2_state *st = g_new0(http2_state, 1);
    st->client = -1;
    st->numbers = ps->exchanges;
    st->streams = g_hash_table_new(g_int_hash, g_int_equal);
    for (unsigned i = 0; i < 2 && !ps->midstream; i++)
        know_tables(st, ps, &st->half[i]);
    return st;
}

/* Bytes used; 0 = more are needed, or this side sends none. */
static size_t step_preface(http2_state *st, ccm_parse *ps, half *h, ccm_span in)
{
    size_t n = MIN(in.n, CCM_H2_PREFACE);
    if (memcmp(in.p, ccm_http2_preface, n) != 0) {
        h->place = PLACE_FRAME;
        return 0;
    }
    if (n < CCM_H2_PREFACE)
        return 0;
    st->client = (int8_t)ps->dir;
    h->place = PLACE_FRAME;
    know_tables(st, ps, h); /* the connection begins here */
    if (st->half[!(ps->dir & 1)].place == PLACE_PREFACE)
        know_tables(st, ps, &st->half[!(ps->dir & 1)]);
    return CCM_H2_PREFACE;
}

static ccm_feed http2_feed(ccm_parse *ps, ccm_span in)
{
    http2_state *st = ps->state;
    half *h = &st->half[ps->dir & 1];
    ccm_feed out = { .result = CCM_FEED_OK };
    while (out.used < in.n && !out.skip) {
        ccm_span rest = ccm_span_of(in.p + out.used, in.n - out.used);
        uint8_t before = h->place;
        size_t n = 0;
        if (before == PLACE_PREFACE) {
            n = step_preface(st, ps, h, rest);
        } else if (before == PLACE_FRAME) {
            n = step_frame(st, ps, h, rest, ps->pos + out.used);
        } else if (before == PLACE_CONTENT) {
            n = step_content(st, ps, h, rest, &out.skip);
        } else if (before == PLACE_PADDING) {
            n = MIN(rest.n, h->padding);
            h->padding -= (uint32_t)n;
            h->place = h->padding ? PLACE_PADDING : PLACE_FRAME;
        } else if (before == PLACE_SEEK) {
            n = step_seek(ps, h, rest);
        } else {
            n = rest.n;
            out.skip = UINT64_MAX;
        }
        if (n == SIZE_MAX && !st->frames)
            return (ccm_feed){ .result = CCM_FEED_BAD, .why = "not HTTP/2" };
        if (n == SIZE_MAX) {
            place_lost(h);
            n = rest.n;
        }
        out.used += n;
        if (!n && h->place == before)
            break;
    }
    ps->client = st->client;
    return out;
}

/* `n` bytes of the frame at hand passed; with `missing` they were not captured. */
static void passed(http2_state *st, ccm_parse *ps, half *h, uint64_t n, bool missing)
{
    uint64_t content = ccm_min64(n, h->left), beyond;
    stream *s = h->type == CCM_H2_DATA ? stream_find(st, h->stream) : NULL;
    part *p = s ? &s->part[!from_client(st, ps)] : NULL;
    if (p && p->begun && !p->over && !missing)
        (void)ccm_http_body_pass(&p->m.body, content, 0);
    else if (p && p->begun && !p->over)
        (void)ccm_http_body_gap(&p->m.body, content, &beyond);
    else if (missing && content && h->block)
        tables_lost(h);
    h->left -= (uint32_t)content;
    h->padding -= (uint32_t)ccm_min64(n - content, h->padding);
    if (!h->left && h->place == PLACE_CONTENT)
        content_over(st, ps, h);
    if (h->place == PLACE_PADDING && !h->padding)
        h->place = PLACE_FRAME;
}

static bool inside(const half *h)
{
    return h->place == PLACE_CONTENT || h->place == PLACE_PADDING;
}

static void http2_skipped(ccm_parse *ps, uint64_t n, uint64_t missing)
{
    http2_state *st = ps->state;
    half *h = &st->half[ps->dir & 1];
    if (!inside(h))
        return;
    if (missing)
        passed(st, ps, h, missing, true);
    if (n > missing && inside(h))
        passed(st, ps, h, n - missing, false);
}

static void http2_gap(ccm_parse *ps, uint64_t n, ccm_span tail)
{
    http2_state *st = ps->state;
    half *h = &st->half[ps->dir & 1];
    (void)tail; /* a frame's header that will not become whole */
    if (h->place == PLACE_ENDED)
        return;
    if (inside(h) && n <= (uint64_t)h->left + h->padding)
        passed(st, ps, h, n, true); /* the next frame is where it was announced */
    else
        place_lost(h);
}

static void http2_end(ccm_parse *ps, ccm_span tail)
{
    http2_state *st = ps->state;
    (void)tail;
    st->half[ps->dir & 1].place = PLACE_ENDED;
}

static gint by_id(gconstpointer a, gconstpointer b)
{
    const stream *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static void http2_close(ccm_parse *ps)
{
    http2_state *st = ps->state;
    GList *open = g_list_sort(g_hash_table_get_values(st->streams), by_id);
    for (GList *i = open; i; i = i->next)
        stream_over(st, ps, i->data);
    g_list_free(open);
    g_hash_table_destroy(st->streams);
    for (unsigned i = 0; i < 2; i++)
        ccm_http2_fields_free(st->half[i].fields);
    if (st->counted)
        *ps->gathered -= FIELDS_COST;
    ps->exchanges = st->numbers;
    g_free(st);
    ps->state = NULL;
}

const ccm_proto ccm_proto_http2 = {
    .name = "http2",
    .l4 = 6,
    .probe = ccm_http2_probe,
    .open = http2_open,
    .feed = http2_feed,
    .skipped = http2_skipped,
    .gap = http2_gap,
    .end = http2_end,
    .close = http2_close,
};
