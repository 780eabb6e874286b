/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_inner.c - streams inside other protocols: tunnels, TLS in tunnels, tunnels in TLS. */
#include "ssl_talk.h"

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, what)); p++)
        n++;
    return n;
}

static ccm_decrypt *new_keys(const char *log)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    ccm_decrypt *d = ccm_decrypt_new(&limits);
    ccm_decrypt_add_log(d, ccm_span_str(log));
    return d;
}

#define CONNECT(to) "CONNECT " to " HTTP/1.1\r\nHost: " to "\r\n\r\n"
#define CONNECTED "HTTP/1.1 200 Connection established\r\n\r\n"

static void put(GArray *chunks, guint at, unsigned dir, const char *text)
{
    talk_chunk c = { dir, g_byte_array_new() };
    g_byte_array_append(c.bytes, (const guint8 *)text, (guint)strlen(text));
    g_array_insert_val(chunks, at, c);
}

/* TLS in a tunnel through a proxy. */
static void test_connect(void)
{
    talk_options o = { .version = TLS1_3_VERSION };
    talk t;
    talk_init(&t, &o);
    talk_run(&t, &o);
    put(t.chunks, 0, 0, CONNECT("cmg.example.com:443"));
    put(t.chunks, 1, 1, CONNECTED);
    ccm_decrypt *d = new_keys(t.log->str);
    static const size_t pieces[] = { 0, 1, 50 };
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autofree char *out = talk_play_proto(&ccm_proto_http, &t, d, pieces[i], 0, 0);
        g_assert_cmpuint(count(out, "method=CONNECT target=cmg.example.com:443"), ==, 1);
        g_assert_cmpuint(count(out, "tls_client_hello C through=cmg.example.com:443"), ==, 1);
        g_assert_cmpuint(count(out, "request C decrypted=1 through=cmg.example.com:443 exchange=2 "
                                    "method=GET target=/0 "),
                         ==, 1);
        g_assert_cmpuint(count(out, "exchange=3 method=GET target=/1 "), ==, 1);
        g_assert_cmpuint(count(out, "complete=1"), ==, 3);
    }
    ccm_decrypt_free(d);
    talk_clear(&t);
}

/* A proxy that is reached by TLS: the tunnel, and the TLS in it, are inside. Records are as long as
 * they may be, so that the plain text of one holds whole records of the other. */
static void test_connect_in_tls(void)
{
    talk_options o = { .version = TLS1_2_VERSION, .body = 40000 };
    talk in, out;
    talk_init(&in, &o);
    talk_run(&in, &o);
    talk_init(&out, &o);
    talk_open(&out);
    talk_handshake(&out);
    talk_say(&out, 0, CONNECT("mp:443"), strlen(CONNECT("mp:443")));
    talk_say(&out, 1, CONNECTED, strlen(CONNECTED));
    for (guint i = 0; i < in.chunks->len; i++) {
        const talk_chunk *c = &g_array_index(in.chunks, talk_chunk, i);
        talk_say(&out, c->dir, (const char *)c->bytes->data, c->bytes->len);
    }
    talk_close(&out);
    g_autofree char *log = g_strconcat(in.log->str, out.log->str, NULL);
    ccm_decrypt *d = new_keys(log);
    static const size_t pieces[] = { 0, 1, 1448 };
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autofree char *text = talk_play(&out, d, pieces[i], 0, 0);
        g_assert_cmpuint(count(text, "method=CONNECT"), ==, 1);
        g_assert_cmpuint(count(text, "tls_client_hello"), ==, 2);
        g_assert_cmpuint(count(text, "request C decrypted=1 through=mp:443 exchange=2 method=GET"),
                         ==, 1);
        g_assert_cmpuint(count(text, "response_bytes=40000 complete=1"), ==, 2);
        g_assert_cmpuint(count(text, "tls_session C decrypted=1 through=mp:443"), ==, 1);
        g_assert_cmpuint(count(text, "decrypted=1 decrypted=1"), ==, 0);
    }
    g_assert_cmpuint(ccm_decrypt_count(d)->refused, ==, 0);
    ccm_decrypt_free(d);
    talk_clear(&in);
    talk_clear(&out);
}

/* Tunnels in tunnels: three are looked into. */
static void test_depth(void)
{
    drive d;
    drive_open_proto(&d, &ccm_proto_http, false);
    for (unsigned i = 0; i < 6; i++) {
        drive_text(&d, 0, 2 * i + 1, CONNECT("next:80"));
        drive_text(&d, 1, 2 * i + 2, CONNECTED);
    }
    g_autofree char *out = drive_close(&d, 20);
    g_assert_cmpuint(count(out, "method=CONNECT"), ==, 4);
}

/* The rest of a long body is not kept, and what no parser knows is not even shown. */
static void test_bulk(void)
{
    drive d;
    g_autofree char *bulk = g_strnfill(8000, 'x');
    drive_open_proto(&d, &ccm_proto_http, false);
    drive_text(&d, 0, 1, CONNECT("dp:80"));
    drive_text(&d, 1, 2, CONNECTED);
    drive_text(&d, 0, 3, "GET /f HTTP/1.1\r\n\r\n");
    drive_text(&d, 1, 4, "HTTP/1.1 200 OK\r\nContent-Length: 800000\r\n\r\n");
    size_t gathered = 0;
    d.ps.gathered = &gathered;
    for (unsigned i = 0; i < 100; i++) {
        drive_text(&d, 1, 5, bulk);
        g_assert_cmpuint(gathered, ==, 0);
    }
    g_autofree char *out = drive_close(&d, 20);
    g_assert_cmpuint(count(out, "response_bytes=800000 complete=1"), ==, 1);

    drive_open_proto(&d, &ccm_proto_http, false);
    drive_text(&d, 0, 1, CONNECT("ssh:22"));
    drive_text(&d, 1, 2, CONNECTED);
    for (unsigned i = 0; i < 20; i++) {
        drive_text(&d, 0, 3, bulk);
        drive_text(&d, 1, 3, bulk);
    }
    g_assert_cmpuint(d.skipped_bytes, >, 8000 * 20);
    g_free(drive_close(&d, 20));
}

/* What is left unused is bounded, for one stream and for all; both are told. */
static void test_limits(void)
{
    for (unsigned all = 0; all < 2; all++) {
        drive d;
        size_t gathered = 0;
        g_autofree char *field = g_strnfill(3000, 'v');
        drive_open_proto(&d, &ccm_proto_http, false);
        d.limits.head_bytes = all ? 100000 : 8192;
        d.limits.pending_bytes = all ? 10000 : 1 << 20;
        d.ps.gathered = &gathered;
        drive_text(&d, 0, 1, CONNECT("mp:80"));
        drive_text(&d, 1, 2, CONNECTED);
        drive_text(&d, 0, 3, "GET /long HTTP/1.1\r\nHost: mp\r\nX: ");
        for (unsigned i = 0; i < 10; i++) {
            drive_text(&d, 0, 3, field);
            g_assert_cmpuint(gathered, <=, all ? 10000 : 4 * 8192);
        }
        g_autofree char *out = drive_close(&d, 4);
        g_assert_cmpuint(gathered, ==, 0);
        g_assert_cmpuint(count(out, all ? "limit=pending_bytes" : "limit=head_bytes"), >=, 1);
        g_assert_cmpuint(count(out, "target=/long"), ==, 1); /* what is there of the head */
    }
}

/* A gap in a tunnel: exchange numbers are not used twice. */
static void test_gap(void)
{
    drive d;
    drive_open_proto(&d, &ccm_proto_http, false);
    drive_text(&d, 0, 1, CONNECT("mp:80"));
    drive_text(&d, 1, 2, CONNECTED);
    drive_text(&d, 0, 3, "GET /1 HTTP/1.1\r\n\r\n");
    drive_lose(&d, 1, 4, 40);
    drive_text(&d, 0, 5, "GET /2 HTTP/1.1\r\n\r\n");
    drive_text(&d, 1, 6, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    g_autofree char *out = drive_close(&d, 7);
    g_assert_cmpuint(count(out, "exchange=2 method=GET target=/1"), ==, 1);
    g_assert_cmpuint(count(out, "exchange=3 method=GET target=/2"), ==, 1);
    g_assert_cmpuint(count(out, "exchange=3 status=200"), ==, 1);
    g_assert_cmpuint(count(out, "exchange=2 pairing=request-only"), ==, 1);
}

/* Pieces are lost before a parser has the stream; then a request line crosses two pieces. */
static void test_tail(void)
{
    static const char *const rows[][2] = {
        { "{1}BITS_POST /a", "bc HTTP/1.1\r\n\r\n" },
        { "{1}CCM_", "POST /abc HTTP/1.1\r\n\r\n" },
        { "{1}\r\nGET /abc HTTP/1.", "1\r\n\r\n" },
        { "{some more of a body, 0123456789}Q", "BITS_POST /abc HTTP/1.1\r\n\r\n" },
    };
    static const char *const methods[] = { "BITS_POST", "CCM_POST", "GET", "BITS_POST" };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        drive d;
        drive_open_proto(&d, &ccm_proto_http, false);
        drive_text(&d, 0, 1, CONNECT("mp:80"));
        drive_text(&d, 1, 2, CONNECTED);
        drive_lose(&d, 0, 3, 40);
        drive_text(&d, 0, 4, rows[i][0]);
        drive_text(&d, 0, 5, rows[i][1]);
        g_autofree char *out = drive_close(&d, 6);
        g_test_message("%s: %s", rows[i][0], out);
        g_autofree char *want = g_strdup_printf("exchange=2 method=%s target=/abc", methods[i]);
        g_assert_cmpuint(count(out, want), ==, 1);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/inner/connect", test_connect);
    g_test_add_func("/inner/connect-in-tls", test_connect_in_tls);
    g_test_add_func("/inner/depth", test_depth);
    g_test_add_func("/inner/bulk", test_bulk);
    g_test_add_func("/inner/limits", test_limits);
    g_test_add_func("/inner/gap", test_gap);
    g_test_add_func("/inner/tail", test_tail);
    return g_test_run();
}
