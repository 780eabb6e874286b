/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_http2.c - HTTP/2 connections laid out by hand after RFC 9113, with the header blocks of RFC
 * 7541 appendix C or of libnghttp2's deflater. */
#include "http2_talk.h"

typedef struct h2 {
    GByteArray *side[2]; /* what each sent since the last flush */
    nghttp2_hd_deflater *z[2];
    drive d;
} h2;

static void h2_open(h2 *h, bool midstream)
{
    memset(h, 0, sizeof *h);
    for (unsigned i = 0; i < 2; i++) {
        h->side[i] = g_byte_array_new();
        g_assert_cmpint(nghttp2_hd_deflate_new(&h->z[i], 4096), ==, 0);
    }
    drive_open_proto(&h->d, &ccm_proto_http2, midstream);
    h->d.no_times = true;
    if (midstream)
        return;
    g_byte_array_append(h->side[0], (const guint8 *)h2_preface, sizeof h2_preface - 1);
    h2_frame(h->side[0], H2_SETTINGS, 0, 0, "\0\3\0\0\0\x64", 6);
    h2_frame(h->side[1], H2_SETTINGS, 0, 0, NULL, 0);
}

/* Shows what side `dir` sent in pieces. */
static void h2_flush(h2 *h, unsigned dir, size_t piece)
{
    GByteArray *b = h->side[dir];
    for (size_t at = 0, n; at < b->len; at += n) {
        n = MIN(piece, b->len - at);
        drive_bytes(&h->d, dir, 1, b->data + at, n);
    }
    g_byte_array_set_size(b, 0);
}

static char *h2_close(h2 *h)
{
    for (unsigned i = 0; i < 2; i++) {
        g_byte_array_unref(h->side[i]);
        nghttp2_hd_deflate_del(h->z[i]);
    }
    return drive_close(&h->d, 2);
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, what)); p++)
        n++;
    return n;
}

#define DONE(x, sent, got)                                                                         \
    "done C exchange=" x " pairing=sure request_bytes=" sent " response_bytes=" got " complete="   \
    "1\n"

/* Two streams whose frames alternate, padding, priority, continuation, trailers, an interim
 * response; in pieces of every size. */
static void test_streams(void)
{
    for (size_t piece = 1; piece < 600; piece += piece < 40 ? 1 : 97) {
        h2 h;
        h2_open(&h, false);
        h2_headers(h.side[0], h.z[0], H2_END_STREAM, 1, H2_GET("/a"));
        g_autoptr(GByteArray) post =
            h2_block(h.z[0], H2_FIELDS(":method", "POST", ":path", "/b", ":authority", "mp",
                                       "user-agent", "test", "content-type", "text/plain"));
        h2_frame(h.side[0], H2_HEADERS, 0, 3, post->data, 5);
        h2_frame(h.side[0], H2_CONTINUATION, 0, 3, NULL, 0);
        h2_frame(h.side[0], H2_CONTINUATION, H2_END_HEADERS, 3, post->data + 5, post->len - 5);
        h2_frame(h.side[0], H2_DATA, H2_PADDED, 3, "\3abcd\0\0\0", 8);
        h2_frame(h.side[0], H2_PING, 0, 0, "12345678", 8);
        h2_frame(h.side[0], H2_DATA, H2_END_STREAM, 3, "ef", 2);
        h2_flush(&h, 0, piece);
        h2_headers(h.side[1], h.z[1], 0, 3, H2_FIELDS(":status", "100"));
        h2_headers(
            h.side[1], h.z[1], 0, 1,
            H2_FIELDS(":status", "200", "server", "Microsoft-IIS/10.0", "content-length", "10"));
        g_autoptr(GByteArray) answer = h2_block(h.z[1], H2_FIELDS(":status", "404"));
        g_autoptr(GByteArray) padded = g_byte_array_new();
        g_byte_array_append(padded, (const guint8 *)"\2\0\0\0\0\x10", 6); /* padding, priority */
        g_byte_array_append(padded, answer->data, answer->len);
        g_byte_array_append(padded, (const guint8 *)"\0\0", 2);
        h2_frame(h.side[1], H2_DATA, 0, 1, "01234", 5);
        h2_frame(h.side[1], H2_HEADERS, H2_END_HEADERS | H2_PADDED | H2_PRIO | H2_END_STREAM, 3,
                 padded->data, padded->len);
        h2_frame(h.side[1], H2_WINDOW, 0, 0, "\0\0\1\0", 4);
        h2_frame(h.side[1], H2_DATA, 0, 1, "56789", 5);
        h2_headers(h.side[1], h.z[1], H2_END_STREAM, 1, H2_FIELDS("x-checksum", "1"));
        h2_frame(h.side[1], H2_GOAWAY, 0, 0, "\0\0\0\3\0\0\0\0", 8);
        h2_flush(&h, 1, piece);
        g_autofree char *out = h2_close(&h);
        g_assert_cmpstr(
            out, ==,
            "request C exchange=1 method=GET target=/a version=20 host=mp.example.com\n"
            "request C exchange=2 method=POST target=/b version=20 host=mp user_agent=test "
            "content_type=text/plain\n"
            "response S exchange=2 status=100 interim=1 version=20\n"
            "response S exchange=1 status=200 version=20 server=Microsoft-IIS/10.0 "
            "content_length=10\n"
            "response S exchange=2 status=404 version=20\n" DONE("2", "6", "0")
                DONE("1", "0", "10"));
    }
}

/* RFC 7541 C.4: three requests with Huffman coding that use the table of the ones before. */
static void test_rfc7541(void)
{
    static const struct {
        const char *bytes;
        size_t n;
    } blocks[] = {
        { "\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff", 17 },
        { "\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf", 12 },
        { "\x82\x87\x85\xbf\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8"
          "\xb4\xbf",
          24 },
    };
    h2 h;
    h2_open(&h, false);
    for (unsigned i = 0; i < G_N_ELEMENTS(blocks); i++)
        h2_frame(h.side[0], H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 2 * i + 1, blocks[i].bytes,
                 blocks[i].n);
    h2_flush(&h, 0, 1000);
    g_autofree char *out = h2_close(&h);
    g_assert_cmpuint(count(out, "method=GET target=/ version=20 host=www.example.com"), ==, 2);
    g_assert_cmpuint(count(out, "method=GET target=/index.html version=20 host=www.example.com"),
                     ==, 1);
    g_assert_cmpuint(count(out, "pairing=request-only"), ==, 3);
}

/* The signed headers and the verb of a client are read as in HTTP/1. */
static void test_ccm(void)
{
    h2 h;
    h2_open(&h, false);
    h2_headers(h.side[0], h.z[0], 0, 1,
               H2_FIELDS(":method", "CCM_POST", ":path", "/ccm_system/request", ":authority", "mp",
                         "ccmclientid", "GUID:1", "content-type", "multipart/mixed; boundary=x",
                         "authorization", "Bearer abc"));
    h2_frame(h.side[0], H2_DATA, H2_END_STREAM, 1, "--x\r\n\r\n<Msg/>\r\n--x--", 21);
    h2_flush(&h, 0, 1000);
    g_autofree char *out = h2_close(&h);
    g_assert_cmpuint(count(out, "method=CCM_POST target=/ccm_system/request version=20"), ==, 1);
    g_assert_cmpuint(count(out, "client_id=GUID:1"), ==, 1);
    g_assert_cmpuint(count(out, "token_kind=bearer"), ==, 1);
    g_assert_cmpuint(count(out, "request_bytes=21"), ==, 1);
    g_assert_cmpuint(count(out, "http_auth"), ==, 0); /* the prefix is cut by the driver */
    g_assert_cmpuint(count(out, "auth C exchange=1 header=authorization"), ==, 1);
}

/* A reset, and a stream that the server promised, which is no exchange. */
static void test_reset_and_push(void)
{
    h2 h;
    h2_open(&h, false);
    h2_headers(h.side[0], h.z[0], H2_END_STREAM, 1, H2_GET("/a"));
    h2_headers(h.side[0], h.z[0], H2_END_STREAM, 3, H2_GET("/b"));
    h2_flush(&h, 0, 1000);
    g_autoptr(GByteArray) promise = g_byte_array_new(), block = h2_block(h.z[1], H2_GET("/no"));
    g_byte_array_append(promise, (const guint8 *)"\0\0\0\2", 4);
    g_byte_array_append(promise, block->data, block->len);
    h2_frame(h.side[1], H2_PUSH, H2_END_HEADERS, 1, promise->data, promise->len);
    h2_headers(h.side[1], h.z[1], H2_END_STREAM, 2, H2_FIELDS(":status", "206"));
    h2_headers(h.side[1], h.z[1], 0, 1, H2_FIELDS(":status", "200"));
    h2_frame(h.side[1], H2_RST, 0, 1, "\0\0\0\x8", 4);
    h2_headers(h.side[1], h.z[1], H2_END_STREAM, 3, H2_FIELDS(":status", "204"));
    h2_flush(&h, 1, 1000);
    g_autofree char *out = h2_close(&h);
    g_assert_cmpuint(count(out, "method=GET"), ==, 2);
    g_assert_cmpuint(count(out, "status="), ==, 2);
    g_assert_cmpuint(count(out, "status=204"), ==, 1);
    g_assert_cmpuint(count(out, "exchange=1 pairing=sure request_bytes=0 response_bytes=0\n"), ==,
                     1);
}

/* Bytes of a body are lost: what follows is read. Bytes of a header block are lost: what follows
 * cannot be read, and that is told once. */
static void test_gaps(void)
{
    for (unsigned in_head = 0; in_head < 2; in_head++) {
        h2 h;
        static const uint8_t body[5000];
        h2_open(&h, false);
        h2_headers(h.side[0], h.z[0], H2_END_STREAM, 1, H2_GET("/a"));
        h2_headers(h.side[0], h.z[0], H2_END_STREAM, 3, H2_GET("/b"));
        h2_flush(&h, 0, 1000);
        h2_headers(h.side[1], h.z[1], 0, 1,
                   H2_FIELDS(":status", "200", "server", "a server with a name"));
        guint head = h.side[1]->len;
        h2_frame(h.side[1], H2_DATA, H2_END_STREAM, 1, body, sizeof body);
        guint rest = h.side[1]->len;
        h2_headers(h.side[1], h.z[1], H2_END_STREAM, 3,
                   H2_FIELDS(":status", "200", "server", "a server with a name"));
        guint from = in_head ? head - 10 : head + 100, to = in_head ? head - 5 : rest - 1;
        drive_bytes(&h.d, 1, 1, h.side[1]->data, from);
        drive_lose(&h.d, 1, 1, to - from);
        drive_bytes(&h.d, 1, 1, h.side[1]->data + to, h.side[1]->len - to);
        g_byte_array_set_size(h.side[1], 0);
        g_autofree char *out = h2_close(&h);
        g_assert_cmpuint(count(out, "status=200"), ==, in_head ? 0 : 2);
        g_assert_cmpuint(count(out, "server=a server with a name"), ==, in_head ? 0 : 2);
        g_assert_cmpuint(count(out, "cannot be read"), ==, in_head);
        g_assert_cmpuint(count(out, "response_bytes=5000 body_missing_bytes=4908"), ==, !in_head);
    }
}

/* From the middle header blocks refer to ones that nobody saw: nothing is invented. */
static void test_midstream(void)
{
    h2 h;
    h2_open(&h, true);
    GByteArray *skipped = h2_block(h.z[0], H2_GET("/earlier"));
    g_byte_array_unref(skipped);
    h2_headers(h.side[0], h.z[0], H2_END_STREAM, 7, H2_GET("/later"));
    h2_flush(&h, 0, 1000);
    g_autofree char *out = h2_close(&h);
    g_assert_cmpstr(out, ==,
                    "anomaly C protocol=http2 reason=earlier header blocks are missing, later ones "
                    "cannot be read count=1\n");
}

/* More streams than are kept, fields larger than are kept, a block that expands without end. */
static void test_bounds(void)
{
    h2 h;
    h2_open(&h, false);
    for (uint32_t i = 0; i < 300; i++)
        h2_headers(h.side[0], h.z[0], H2_END_STREAM, 2 * i + 1, H2_GET("/"));
    h2_flush(&h, 0, 65536);
    g_autofree char *out = h2_close(&h);
    g_assert_cmpuint(count(out, "method=GET"), ==, 300);
    g_assert_cmpuint(count(out, "request-only"), ==, 300);
    g_assert_cmpuint(count(out, "limit=http2_streams"), ==, 300 - 128);

    g_autofree char *value = g_strnfill(2000, 'v');
    g_autoptr(GByteArray) bomb = g_byte_array_new();
    h2_open(&h, false);
    h2_headers(h.side[0], h.z[0], H2_END_STREAM, 1,
               H2_FIELDS(":method", "GET", ":path", "/x", "x-long", value));
    for (unsigned i = 0; i < 16000; i++) /* the latest entry of the table, again and again */
        g_byte_array_append(bomb, (const guint8 *)"\xbe", 1);
    h2_frame(h.side[0], H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, 3, bomb->data, bomb->len);
    h2_headers(h.side[0], h.z[0], H2_END_STREAM, 5, H2_GET("/y"));
    h2_flush(&h, 0, 65536);
    g_autofree char *after = h2_close(&h);
    g_assert_cmpuint(count(after, "target=/x"), ==, 1);
    g_assert_cmpuint(count(after, "target=/y"), ==, 1);
}

/* A value cannot make a line of its own, and a name cannot end one. */
static void test_injection(void)
{
    h2 h;
    h2_open(&h, false);
    h2_headers(h.side[0], h.z[0], H2_END_STREAM, 1,
               H2_FIELDS(":method", "GET", ":path", "/a", "x", "1\r\nccmclientid: GUID:2",
                         "y: z\r\nrange", "bytes=0-1"));
    h2_headers(h.side[0], h.z[0], H2_END_STREAM, 3,
               H2_FIELDS(":method", "GET", ":path", "/b\r\nrange: bytes=0-1"));
    h2_flush(&h, 0, 1000);
    g_autofree char *out = h2_close(&h);
    g_assert_cmpuint(count(out, "client_id"), ==, 0);
    g_assert_cmpuint(count(out, " range="), ==, 0);
    g_assert_cmpuint(count(out, "target=/b  range: bytes=0-1 version=20"), ==, 1);
}

static void test_probe(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        ccm_probe want;
    } rows[] = {
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24, CCM_PROBE_YES },
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 23, CCM_PROBE_MAYBE },
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r!", 24, CCM_PROBE_NO },
        { "\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64", 15, CCM_PROBE_YES },
        { "\0\0\0\4\0\0\0\0\0\0\0", 11, CCM_PROBE_MAYBE },
        { "\0\0\6\4\0\0\0\0\1\0\3\0\0\0\x64", 15, CCM_PROBE_NO },
        { "\0\0\7\4\0\0\0\0\0\0\3\0\0\0\x64\0", 16, CCM_PROBE_NO },
        { "GET / HTTP/1.1\r\n\r\n", 18, CCM_PROBE_NO },
        { "\x16\3\1\0\5", 5, CCM_PROBE_NO },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(ccm_proto_http2.probe(ccm_span_of(rows[i].bytes, rows[i].n), false), ==,
                        rows[i].want);
}

/* Every length of a connection's beginning, and each of its bytes lost or changed. */
static void test_damage(void)
{
    h2 h;
    h2_open(&h, false);
    h2_headers(h.side[0], h.z[0], 0, 1, H2_GET("/a"));
    h2_frame(h.side[0], H2_DATA, H2_PADDED | H2_END_STREAM, 1, "\1xy", 3);
    h2_headers(h.side[0], h.z[0], H2_END_STREAM, 3, H2_GET("/b"));
    g_autoptr(GByteArray) all = h.side[0];
    h.side[0] = g_byte_array_new();
    g_free(h2_close(&h));
    for (size_t n = 0; n <= all->len; n++)
        for (unsigned kind = 0; kind < 3; kind++) {
            drive d;
            drive_open_proto(&d, &ccm_proto_http2, false);
            drive_bytes(&d, 0, 1, all->data, n);
            if (kind == 1 && n < all->len) {
                drive_lose(&d, 0, 1, 1);
                drive_bytes(&d, 0, 1, all->data + n + 1, all->len - n - 1);
            } else if (kind == 2 && n < all->len) {
                uint8_t other = all->data[n] ^ 0x11;
                drive_bytes(&d, 0, 1, &other, 1);
                drive_bytes(&d, 0, 1, all->data + n + 1, all->len - n - 1);
            }
            g_autofree char *out = drive_close(&d, 2);
            g_assert_cmpuint(count(out, "request C"), <=, 2);
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http2/streams", test_streams);
    g_test_add_func("/http2/rfc7541", test_rfc7541);
    g_test_add_func("/http2/ccm", test_ccm);
    g_test_add_func("/http2/reset-and-push", test_reset_and_push);
    g_test_add_func("/http2/gaps", test_gaps);
    g_test_add_func("/http2/midstream", test_midstream);
    g_test_add_func("/http2/bounds", test_bounds);
    g_test_add_func("/http2/injection", test_injection);
    g_test_add_func("/http2/probe", test_probe);
    g_test_add_func("/http2/damage", test_damage);
    return g_test_run();
}
