/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_stream.c - reassembly: however a stream is cut, shuffled, repeated or lost, a parser sees
 * the same bytes, and the lost ones as gaps. Expected values follow from the streams themselves. */
#include "../unit/flow_driver.h"
#include "flow/state.h"
#include "proto/proto.h"

enum { CLIENT_ISN = 0xfffffff0, SERVER_ISN = 5000, MAX_SEGMENTS = 128, MAX_STREAM = 4096 };

/* ---- a parser that checks what it is shown --------------------------------------------------- */

typedef struct watch {
    flow_log log; /* first: the observations go here */
    const char *stream[2];
    uint64_t at[2];    /* offset up to which all is accounted for */
    uint64_t lost[2];  /* by gaps and inside skips */
    uint64_t shown[2]; /* offset up to which bytes were shown */
    bool ended[2], skipping[2], open, closed, must_wait;
    GRand *rand;
    unsigned skips; /* out of 10 calls */
} watch;

static ccm_probe watch_probe(ccm_span in, bool midstream)
{
    (void)midstream;
    if (in.p[0] != 'T')
        return CCM_PROBE_NO;
    if (in.n < 3)
        return CCM_PROBE_MAYBE;
    return in.p[1] == 'S' && in.p[2] == 'T' ? CCM_PROBE_YES : CCM_PROBE_NO;
}

static void *watch_open(ccm_parse *ps)
{
    watch *w = ((const ccm_flows *)ps->emit_data)->ud; /* flows stand between */

    g_assert_false(w->open);
    w->open = true;
    return w;
}

/* Consumes a random part, now and then asks to skip. */
static ccm_feed watch_feed(ccm_parse *ps, ccm_span in)
{
    watch *w = ps->state;
    unsigned d = ps->dir;

    g_assert_cmpuint(in.n, >, 0);
    g_assert_false(w->skipping[d]);
    g_assert_cmpuint(ps->pos, ==, w->at[d]);
    g_assert_cmpmem(in.p, in.n, w->stream[d] + ps->pos, in.n);
    w->shown[d] = ps->pos + in.n;
    if (w->must_wait && !w->skips) /* bytes that answer others come after them */
        g_assert_cmpuint(ps->peer_acked, <=, w->shown[!d] + 1); /* the FIN counts one */
    size_t used = (size_t)g_rand_int_range(w->rand, (gint32)in.n / 2, (gint32)in.n + 1);
    uint64_t skip = 0;
    if ((unsigned)g_rand_int_range(w->rand, 0, 10) < w->skips)
        skip = (uint64_t)g_rand_int_range(w->rand, 1, 40);
    w->at[d] += used;
    w->skipping[d] = skip > 0;
    return (ccm_feed){ .used = used, .skip = skip };
}

static void watch_skipped(ccm_parse *ps, uint64_t n, uint64_t missing)
{
    watch *w = ps->state;

    g_assert_true(w->skipping[ps->dir]);
    g_assert_cmpuint(missing, <=, n);
    w->skipping[ps->dir] = false;
    w->at[ps->dir] += n;
    w->lost[ps->dir] += missing;
}

static void watch_gap(ccm_parse *ps, uint64_t n, ccm_span tail)
{
    watch *w = ps->state;
    unsigned d = ps->dir;

    g_assert_false(w->skipping[d]);
    g_assert_cmpuint(ps->pos, ==, w->at[d]);
    g_assert_cmpmem(tail.p, tail.n, w->stream[d] + w->at[d], tail.n);
    w->at[d] += n + tail.n;
    w->lost[d] += n;
}

static void watch_end(ccm_parse *ps, ccm_span tail)
{
    watch *w = ps->state;
    unsigned d = ps->dir;

    g_assert_false(w->ended[d]);
    g_assert_cmpmem(tail.p, tail.n, w->stream[d] + w->at[d], tail.n);
    w->at[d] += tail.n;
    w->ended[d] = true;
}

static void watch_close(ccm_parse *ps)
{
    watch *w = ps->state;

    g_assert_false(w->closed);
    w->closed = true;
}

static const ccm_proto watch_proto = {
    .name = "test",
    .l4 = 6,
    .probe = watch_probe,
    .open = watch_open,
    .feed = watch_feed,
    .skipped = watch_skipped,
    .gap = watch_gap,
    .end = watch_end,
    .close = watch_close,
};

/* Instead of the registry's list. */
const ccm_proto *const ccm_protos[] = { &watch_proto, &ccm_proto_http, NULL };

/* ---- a conversation as segments -------------------------------------------------------------- */

typedef struct piece {
    unsigned from; /* 1 client, 2 server */
    uint8_t flags;
    uint32_t off, len, ack; /* in the streams */
    bool lose;
    bool lie; /* other bytes than the stream's */
} piece;

typedef struct talk {
    const char *stream[2]; /* the client's, the server's */
    piece piece[MAX_SEGMENTS];
    unsigned n, order[2 * MAX_SEGMENTS], n_order;
} talk;

static void add(talk *t, unsigned from, uint8_t flags, uint32_t off, uint32_t len, uint32_t ack)
{
    g_assert_cmpuint(t->n, <, MAX_SEGMENTS);
    t->order[t->n_order++] = t->n;
    t->piece[t->n++] = (piece){ from, flags, off, len, ack, false, false };
}

/* Client's stream in `size` bytes a segment, then the server's, then the FINs. */
static void talk_make(talk *t, const char *client, const char *server, uint32_t size)
{
    uint32_t c = (uint32_t)strlen(client), s = (uint32_t)strlen(server);

    memset(t, 0, sizeof *t);
    t->stream[0] = client;
    t->stream[1] = server;
    for (uint32_t i = 0; i < c; i += size)
        add(t, 1, ACK, i, MIN(size, c - i), 0);
    for (uint32_t i = 0; i < s; i += size)
        add(t, 2, ACK, i, MIN(size, s - i), c);
    add(t, 1, FIN | ACK, c, 0, s);
    add(t, 2, FIN | ACK, s, 0, c + 1);
}

static void shuffle(talk *t, GRand *rand, unsigned window)
{
    for (unsigned a = 0; a < t->n_order; a += window)
        for (unsigned n = MIN(window, t->n_order - a), i = n; i > 1; i--) {
            unsigned j = (unsigned)g_rand_int_range(rand, 0, (gint32)i);
            unsigned x = t->order[a + i - 1];
            t->order[a + i - 1] = t->order[a + j];
            t->order[a + j] = x;
        }
}

/* Sends some pieces a second time, later. */
static void repeat(talk *t, GRand *rand)
{
    for (unsigned i = 0; i < t->n; i++) {
        if (g_rand_boolean(rand))
            continue;
        unsigned at = 0;
        while (t->order[at] != i)
            at++;
        at = (unsigned)g_rand_int_range(rand, (gint32)at + 1, (gint32)t->n_order + 1);
        memmove(&t->order[at + 1], &t->order[at], (t->n_order - at) * sizeof *t->order);
        t->order[at] = i;
        t->n_order++;
    }
}

static void play(const talk *t, watch *w)
{
    ccm_limits limits;
    uint64_t now = START, frame = 0;

    ccm_limits_init(&limits);
    flow_log_init(&w->log);
    w->stream[0] = t->stream[0];
    w->stream[1] = t->stream[1];
    ccm_flows *flows = ccm_flows_new(&limits, true, flow_log_emit, w);
    ccm_packet p[3] = { flow_tcp(1, SYN, CLIENT_ISN, 0, ""),
                        flow_tcp(2, SYN | ACK, SERVER_ISN, CLIENT_ISN + 1u, ""),
                        flow_tcp(1, ACK, CLIENT_ISN + 1u, SERVER_ISN + 1, "") };
    for (unsigned i = 0; i < 3; i++) {
        p[i].time_ns = now;
        p[i].frame = ++frame;
    }
    ccm_flows_batch(flows, p, 3);
    for (unsigned i = 0; i < t->n_order; i++) {
        const piece *x = &t->piece[t->order[i]];
        uint32_t isn = x->from == 1 ? CLIENT_ISN : SERVER_ISN;
        uint32_t other = x->from == 1 ? SERVER_ISN : CLIENT_ISN;
        if (x->lose)
            continue;
        /* a copy that is exactly as long, so that reading on is noticed */
        g_autofree uint8_t *bytes =
            x->len ? g_memdup2(t->stream[x->from - 1] + x->off, x->len) : NULL;
        for (uint32_t k = 0; x->lie && k < x->len; k++)
            bytes[k] ^= 1;
        p[0] = flow_packet_of(6, x->from, 50000, 80, bytes, x->len);
        p[0].tcp_flags = x->flags;
        p[0].seq = isn + 1 + x->off;
        p[0].ack = other + 1 + x->ack;
        p[0].time_ns = now += MS;
        p[0].frame = ++frame;
        ccm_flows_batch(flows, p, 1);
    }
    ccm_flows_finish(flows);
    ccm_flows_free(flows);
}

static const char client_text[] = "TST client asks for something: 0123456789abcdefghijklmnopqrstuv";
static const char server_text[] =
    "and the server answers at length: ABCDEFGHIJKLMNOPQRSTUVWXYZ-+*/!";

/* Plays and checks that everything came, but `lost` bytes of the one and the other. */
static void play_watched(const talk *t, GRand *rand, unsigned skips, bool must_wait,
                         uint64_t client_lost, uint64_t server_lost)
{
    watch w = { .rand = rand, .skips = skips, .must_wait = must_wait };

    play(t, &w);
    g_assert_true(w.open);
    g_assert_true(w.closed);
    g_assert_cmpuint(w.at[0], ==, strlen(t->stream[0]));
    g_assert_cmpuint(w.at[1], ==, strlen(t->stream[1]));
    g_assert_cmpuint(w.lost[0], ==, client_lost);
    g_assert_cmpuint(w.lost[1], ==, server_lost);
    g_assert_cmpuint(w.log.missing, ==, client_lost + server_lost);
    g_assert_cmpuint(w.log.unique, ==, w.at[0] + w.at[1] - client_lost - server_lost);
    flow_log_clear(&w.log);
}

static void test_split(void)
{
    for (uint32_t i = 1; i < sizeof client_text - 1; i++)
        for (unsigned skips = 0; skips < 8; skips += 3) {
            g_autoptr(GRand) rand = g_rand_new_with_seed(i);
            uint32_t c = sizeof client_text - 1, s = sizeof server_text - 1;
            talk t = { .stream = { client_text, server_text } };
            add(&t, 1, ACK, 0, i, 0);
            add(&t, 1, ACK, i, c - i, 0);
            add(&t, 2, ACK, 0, i, c);
            add(&t, 2, FIN | ACK, i, s - i, c);
            play_watched(&t, rand, skips, true, 0, 0);
        }
}

static void test_shuffled(void)
{
    for (unsigned round = 0; round < 600; round++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(round);
        talk t;
        talk_make(&t, client_text, server_text, 3 + round % 9);
        /* few segments: in any order; else in windows of 8. After 32 packets a hole is lost. */
        bool twice = round & 1;
        shuffle(&t, rand, t.n <= (twice ? 15 : 30) ? t.n : 8);
        if (twice)
            repeat(&t, rand);
        play_watched(&t, rand, round % 4, true, 0, 0);
    }
}

static void test_bytewise(void)
{
    for (unsigned round = 0; round < 20; round++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(round);
        talk t;
        talk_make(&t, "TSTabcdefghijk", "0123456789", 1);
        shuffle(&t, rand, t.n);
        play_watched(&t, rand, round % 3, true, 0, 0);
    }
}

/* The piece that was added last moves to position `at` of the order. */
static void move_last(talk *t, unsigned at)
{
    unsigned last = t->order[t->n_order - 1];

    memmove(&t->order[at + 1], &t->order[at], (t->n_order - 1 - at) * sizeof *t->order);
    t->order[at] = last;
}

/* A retransmission cut otherwise than the first copy, at a random place; one that lies comes when
 * every byte of it has been sent. */
static void add_recut(talk *t, GRand *rand, bool lie)
{
    unsigned from = (unsigned)g_rand_int_range(rand, 1, 3), earliest = 0;
    uint32_t size = (uint32_t)strlen(t->stream[from - 1]);
    uint32_t off = (uint32_t)g_rand_int_range(rand, 0, (gint32)size - 1);
    uint32_t len = (uint32_t)g_rand_int_range(rand, 1, 1 + (gint32)MIN(24, size - off));

    for (unsigned i = 0; lie && i < t->n_order; i++) {
        const piece *x = &t->piece[t->order[i]];
        if (x->from == from && x->off < off + len && x->off + x->len > off)
            earliest = i + 1;
    }
    add(t, from, ACK, off, len, from == 1 ? 0 : (uint32_t)strlen(t->stream[0]));
    t->piece[t->n - 1].lie = lie;
    move_last(t, (unsigned)g_rand_int_range(rand, (gint32)earliest, (gint32)t->n_order));
}

/* Overlapping segments: of each byte the first copy counts. */
static void test_recut(void)
{
    for (unsigned round = 0; round < 1000; round++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(round);
        talk t;
        talk_make(&t, client_text, server_text, 8 + round % 9);
        shuffle(&t, rand, round % 5 ? 3 : t.n);
        for (unsigned i = 0; i < 8; i++)
            add_recut(&t, rand, i >= 4 && round % 2);
        g_assert_cmpuint(t.n, <, 32); /* else a hole counts as lost */
        play_watched(&t, rand, round % 4, true, 0, 0);
    }
}

/* Bytes that differ from a copy that still waits are counted. */
static void test_conflicts(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    talk t = { .stream = { client_text, server_text } };
    watch w = { .rand = rand };

    add(&t, 1, ACK, 20, 10, 0);
    add(&t, 1, ACK, 15, 8, 0); /* 15 to 19 are new, 20 to 22 differ */
    t.piece[1].lie = true;
    add(&t, 1, ACK, 28, 2, 0);
    t.piece[2].lie = true;
    add(&t, 1, ACK, 15, 5, 0); /* the truth about these came second: 5 more */
    play(&t, &w);
    g_autofree char *text = flow_log_text(&w.log, "connection");
    g_assert_nonnull(strstr(text, " overlap_conflicts=10"));
    flow_log_clear(&w.log);
}

static void test_lost(void)
{
    for (unsigned round = 0; round < 40; round++)
        for (unsigned i = 1;; i++) { /* not the first: it tells whose protocol it is */
            g_autoptr(GRand) rand = g_rand_new_with_seed(round * 1000 + i);
            talk t;
            talk_make(&t, client_text, server_text, 4 + round % 7);
            if (i >= t.n - 2)
                break;
            t.piece[i].lose = true;
            unsigned window = round % 3 ? 4 : 1;
            unsigned first = t.order[0];
            shuffle(&t, rand, window);
            g_assert_true(window > 1 || t.order[0] == first);
            uint64_t n = t.piece[i].len;
            bool client = t.piece[i].from == 1;
            play_watched(&t, rand, round % 4, false, client ? n : 0, client ? 0 : n);
        }
}

/* ---- the same with the HTTP parser ----------------------------------------------------------- */

static const char http_client[] = "GET /sms_mp/.sms_aut?mplist HTTP/1.1\r\nHost: mp.example\r\n\r\n"
                                  "CCM_POST /ccm_system/request HTTP/1.1\r\nHost: "
                                  "mp.example\r\nContent-Length: 10\r\n\r\n0123456789";
static const char http_server[] =
    "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello, world"
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n";

static char *play_http(const talk *t)
{
    watch w = { 0 };

    play(t, &w);
    char *text = flow_log_text(&w.log, "http");
    flow_log_clear(&w.log);
    return text;
}

/* Two exchanges, one after the other, `size` bytes a segment. */
static void talk_http(talk *t, uint32_t size)
{
    uint32_t c1 = (uint32_t)(strstr(http_client, "CCM_POST") - http_client);
    uint32_t s1 = (uint32_t)(strstr(http_server, "worldHTTP") - http_server) + 5;
    uint32_t c = sizeof http_client - 1, s = sizeof http_server - 1;

    memset(t, 0, sizeof *t);
    t->stream[0] = http_client;
    t->stream[1] = http_server;
    for (uint32_t i = 0; i < c1; i += size)
        add(t, 1, ACK, i, MIN(size, c1 - i), 0);
    for (uint32_t i = 0; i < s1; i += size)
        add(t, 2, ACK, i, MIN(size, s1 - i), c1);
    for (uint32_t i = c1; i < c; i += size)
        add(t, 1, ACK, i, MIN(size, c - i), s1);
    for (uint32_t i = s1; i < s; i += size)
        add(t, 2, ACK, i, MIN(size, s - i), c);
    add(t, 1, FIN | ACK, c, 0, s);
    add(t, 2, FIN | ACK, s, 0, c + 1);
}

static void test_http(void)
{
    talk t;

    talk_http(&t, 2000);
    g_autofree char *whole = play_http(&t);
    g_assert_nonnull(strstr(whole, "method=GET"));
    g_assert_nonnull(strstr(whole, "method=CCM_POST"));
    for (unsigned round = 0; round < 150; round++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(round);
        talk_http(&t, round % 2 ? 30 + round : 5 + round % 20);
        shuffle(&t, rand, t.n <= 15 ? t.n : 8);
        if (round % 3 == 0)
            repeat(&t, rand);
        g_autofree char *text = play_http(&t);
        g_assert_cmpstr(text, ==, whole);
    }
}

/* Each segment lost in turn: a request whose line is there is listed. */
static void test_http_lost(void)
{
    for (uint32_t size = 200; size >= 20; size -= 20) {
        talk t;
        talk_http(&t, size);
        for (unsigned i = 0, n = t.n - 2; i < n; i++) {
            talk_http(&t, size);
            t.piece[i].lose = true;
            g_autofree char *text = play_http(&t);
            const piece *x = &t.piece[i];
            const char *line[] = { "GET /sms_mp/.sms_aut?mplist HTTP/1.1\r\n",
                                   "CCM_POST /ccm_system/request HTTP/1.1\r\n" };
            const char *want[] = { "method=GET", "method=CCM_POST" };
            for (unsigned k = 0; k < 2; k++) {
                uint32_t a = (uint32_t)(strstr(http_client, line[k]) - http_client);
                bool hit = x->from == 1 && x->off < a + strlen(line[k]) && x->off + x->len > a;
                if (!hit)
                    g_assert_nonnull(strstr(text, want[k]));
            }
        }
    }
}

/* Appends segments of `text` from one side, which has received all of the other's stream. */
static void say(talk *t, GString *stream[2], unsigned from, const char *text, uint32_t size)
{
    uint32_t at = (uint32_t)stream[from - 1]->len, n = (uint32_t)strlen(text);

    g_string_append(stream[from - 1], text);
    for (uint32_t i = 0; i < n; i += size)
        add(t, from, ACK, at + i, MIN(size, n - i), (uint32_t)stream[2 - from]->len);
}

/* An upload of `n` body segments, then two requests. */
static void talk_upload(talk *t, GString *stream[2], unsigned n, bool acks)
{
    const char *reply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    g_autofree char *head =
        g_strdup_printf("BITS_POST /up HTTP/1.1\r\nContent-Length: %u\r\n\r\n", n);

    memset(t, 0, sizeof *t);
    for (unsigned i = 0; i < 2; i++)
        g_string_truncate(stream[i], 0);
    say(t, stream, 1, head, 200);
    for (unsigned i = 0; i < n; i++) {
        say(t, stream, 1, "b", 1);
        if (acks)
            add(t, 2, ACK, 0, 0, (uint32_t)stream[0]->len);
    }
    say(t, stream, 2, reply, 200);
    say(t, stream, 1, "CCM_POST /m HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", 200);
    say(t, stream, 2, reply, 200);
    say(t, stream, 1, "GET /third HTTP/1.1\r\n\r\n", 200);
    say(t, stream, 2, reply, 200);
    t->stream[0] = stream[0]->str;
    t->stream[1] = stream[1]->str;
}

/* Each segment lost in turn, ahead of body segments that no parser recognises. */
static void test_upload_lost(void)
{
    static const char *const line[] = { "BITS_POST /up", "CCM_POST /m", "GET /third" };
    GString *stream[2] = { g_string_new(NULL), g_string_new(NULL) };

    for (unsigned n = 0; n <= 20; n++)
        for (unsigned acks = 0; acks < 2; acks++)
            for (unsigned i = 0, end = 1; i < end; i++) {
                talk t;
                talk_upload(&t, stream, n, acks);
                end = t.n;
                t.piece[i].lose = true;
                g_autofree char *text = play_http(&t);
                for (unsigned k = 0; k < G_N_ELEMENTS(line); k++) {
                    g_auto(GStrv) word = g_strsplit(line[k], " ", 2);
                    g_autofree char *want =
                        g_strdup_printf("method=%s target=%s ", word[0], word[1]);
                    uint32_t at = (uint32_t)(strstr(t.stream[0], line[k]) - t.stream[0]);
                    const piece *x = &t.piece[i];
                    bool gone = x->from == 1 && x->len > 1 && x->off == at;
                    g_assert_true(gone || strstr(text, want));
                }
            }
    g_string_free(stream[0], TRUE);
    g_string_free(stream[1], TRUE);
}

/* Five exchanges, one after the other; the status tells whose answer it is. `size` bytes a segment
 * of the server. */
static void talk_answers(talk *t, GString *stream[2], uint32_t size, bool acks)
{
    memset(t, 0, sizeof *t);
    for (unsigned i = 0; i < 2; i++)
        g_string_truncate(stream[i], 0);
    for (unsigned i = 0; i < 5; i++) {
        g_autofree char *answer =
            g_strdup_printf("HTTP/1.1 %u OK\r\nContent-Length: 60\r\n\r\n%060d", 250 + i, 0);
        say(t, stream, 1, "CCM_POST /m HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", 200);
        say(t, stream, 2, answer, size);
        if (acks)
            add(t, 1, ACK, (uint32_t)stream[0]->len, 0, (uint32_t)stream[1]->len);
    }
    t->stream[0] = stream[0]->str;
    t->stream[1] = stream[1]->str;
}

/* One to four segments of the server lost, from each on: what a request acknowledges was said
 * before it, so each answer whose head is left goes to its own request. */
static void test_answers_lost(void)
{
    enum { ANSWER = 99 }; /* bytes of each */
    GString *stream[2] = { g_string_new(NULL), g_string_new(NULL) };
    talk t;

    for (uint32_t size = 35; size <= 105; size += 35)
        for (unsigned i = 0; i < 64; i++) {
            unsigned first = i % 16, n = 0;
            talk_answers(&t, stream, size, i & 1);
            for (unsigned k = 0; k < t.n; k++)
                if (t.piece[k].from == 2)
                    t.piece[k].lose = n >= first && n <= first + i / 16, n++;
            g_autofree char *text = play_http(&t);
            for (unsigned k = 0; k < t.n; k++) {
                unsigned status = 250 + t.piece[k].off / ANSWER;
                if (t.piece[k].from != 2 || t.piece[k].off % ANSWER)
                    continue; /* holds no head */
                g_autofree char *any = g_strdup_printf(" status=%u ", status);
                g_autofree char *want =
                    g_strdup_printf(" exchange=%u status=%u ", status - 249, status);
                g_assert_true(!strstr(text, any) == t.piece[k].lose);
                g_assert_true(!strstr(text, want) == t.piece[k].lose);
            }
        }
    g_string_free(stream[0], TRUE);
    g_string_free(stream[1], TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stream/split", test_split);
    g_test_add_func("/stream/shuffled", test_shuffled);
    g_test_add_func("/stream/bytewise", test_bytewise);
    g_test_add_func("/stream/recut", test_recut);
    g_test_add_func("/stream/conflicts", test_conflicts);
    g_test_add_func("/stream/lost", test_lost);
    g_test_add_func("/stream/http", test_http);
    g_test_add_func("/stream/http-lost", test_http_lost);
    g_test_add_func("/stream/upload-lost", test_upload_lost);
    g_test_add_func("/stream/answers-lost", test_answers_lost);
    return g_test_run();
}
