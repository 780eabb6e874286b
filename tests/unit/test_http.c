/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_http.c - HTTP conversations and the observations they must give; expected values by hand. */
#include "http_driver.h"
#include "proto/http_head.h"

#define N(parts) (sizeof(parts) / sizeof(parts)[0])

/* Plays in pieces of several sizes; every way must give `want`. */
static void check(const drive_part *parts, size_t n, const char *want)
{
    static const size_t pieces[] = { 0, 1, 2, 7, 100 };
    for (size_t i = 0; i < N(pieces); i++) {
        char *got = drive_play(parts, n, pieces[i], 0, 0, 0, false);
        g_assert_cmpstr(got, ==, want);
        g_free(got);
    }
}

static void test_ccm_post(void)
{
    static const drive_part p[] = {
        { 0, 100,
          "CCM_POST /ccm_system/request HTTP/1.1\r\nConnection: Keep-Alive\r\n"
          "Content-Type: multipart/mixed; boundary=\"aAbBcCdDv1234567890VxXyYzZ\"\r\n"
          "User-Agent: ccmhttp\r\nContent-Length: 10\r\nHost: mp1.example\r\n\r\n0123456789",
          0 },
        { 1, 300, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nServer: Microsoft-IIS/10.0\r\n\r\nabcd",
          0 },
        { 0, 400, "HEAD /SMS_MP/.sms_pol?x HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
        { 1, 450, "HTTP/1.1 200 OK\r\nContent-Length: 4444\r\n\r\n", 0 },
        { 0, 500, "GET /n HTTP/1.0\n\n", 0 },
        { 1, 510, "HTTP/1.0 200 OK\r\n\r\nhello", 0 },
        { 3, 520, NULL, 0 },
    };
    check(p, N(p),
          "request C @100 exchange=1 method=CCM_POST target=/ccm_system/request version=11 "
          "host=mp1.example user_agent=ccmhttp content_type=multipart/mixed; "
          "boundary=\"aAbBcCdDv1234567890VxXyYzZ\" content_length=10\n"
          "response S @300 exchange=1 status=200 version=11 server=Microsoft-IIS/10.0 "
          "content_length=4\n"
          "done C @300 exchange=1 pairing=sure request_bytes=10 response_bytes=4 complete=1 "
          "ttfb_ns=200 duration_ns=200\n"
          "request C @400 exchange=2 method=HEAD target=/SMS_MP/.sms_pol?x version=11 host=a\n"
          "response S @450 exchange=2 status=200 version=11 content_length=4444\n"
          "done C @450 exchange=2 pairing=sure request_bytes=0 response_bytes=0 complete=1 "
          "ttfb_ns=50 duration_ns=50\n"
          "request C @500 exchange=3 method=GET target=/n version=10\n"
          "response S @510 exchange=3 status=200 version=10\n"
          "done C @520 exchange=3 pairing=sure request_bytes=0 response_bytes=5 complete=1 "
          "ttfb_ns=10 duration_ns=20\n");
}

static void test_chunked_and_interim(void)
{
    static const drive_part p[] = {
        { 0, 10,
          "BITS_POST /CCM_Incoming/{1} HTTP/1.1\r\nhost: mp\r\nexpect: 100-continue\r\n"
          "BITS-Packet-Type: Fragment\r\nBITS-Session-Id: {s}\r\nContent-Name: a.xml\r\n"
          "Content-Range: bytes 0-4/5\r\ntransfer-encoding: Chunked\r\n\r\n",
          0 },
        { 1, 20, "HTTP/1.1 100 Continue\r\n\r\n", 0 },
        { 0, 30, "2;ext=1\r\nab\r\n3 \r\ncde\r\n0\r\nTrailer: x\r\n\r\n", 0 },
        { 1, 40,
          "HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nBITS-Session-Id: {s}\r\n"
          "BITS-Received-Content-Range: 5\r\nTransfer-Encoding: chunked\r\nContent-Length: 99\r\n"
          "\r\nA\r\n0123456789\r\n0\r\n\r\n",
          0 },
        { 0, 50, "\r\n\r\nGET /x HTTP/1.1\r\nX-Folded: a\r\n b\r\nUser-Agent: one\r\n\ttwo\r\n\r\n",
          0 },
        { 1, 60, "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 0 },
    };
    check(p, N(p),
          "request C @10 exchange=1 method=BITS_POST target=/CCM_Incoming/{1} version=11 host=mp "
          "content_range=bytes 0-4/5 bits_packet=Fragment bits_session={s} content_name=a.xml\n"
          "response S @20 exchange=1 status=100 interim=1 version=11\n"
          "response S @40 exchange=1 status=200 version=11 content_length=99 bits_packet=Ack "
          "bits_session={s} bits_received=5\n"
          "done C @40 exchange=1 pairing=sure request_bytes=5 response_bytes=10 complete=1 "
          "ttfb_ns=10 duration_ns=30\n"
          "request C @50 exchange=2 method=GET target=/x version=11 user_agent=one two\n"
          "response S @60 exchange=2 status=304 version=11 content_length=7\n"
          "done C @60 exchange=2 pairing=sure request_bytes=0 response_bytes=0 complete=1 "
          "ttfb_ns=10 duration_ns=10\n");
}

static void test_pipeline_and_early(void)
{
    static const drive_part p[] = {
        { 0, 1,
          "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nPUT /3 HTTP/1.1\r\n"
          "Content-Length: 8\r\n\r\n1234",
          0 },
        { 1, 2,
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 204 No\r\n\r\n"
          "HTTP/1.1 413 Too big\r\nContent-Length: 0\r\n\r\n",
          0 },
        { 0, 3, "5678", 0 },
    };
    check(p, N(p),
          "request C @1 exchange=1 method=GET target=/1 version=11\n"
          "request C @1 exchange=2 method=GET target=/2 version=11\n"
          "request C @1 exchange=3 method=PUT target=/3 version=11 content_length=8\n"
          "response S @2 exchange=1 status=200 version=11 content_length=1\n"
          "done C @2 exchange=1 pairing=sure request_bytes=0 response_bytes=1 complete=1 "
          "ttfb_ns=1 duration_ns=1\n"
          "response S @2 exchange=2 status=204 version=11\n"
          "done C @2 exchange=2 pairing=sure request_bytes=0 response_bytes=0 complete=1 "
          "ttfb_ns=1 duration_ns=1\n"
          "response S @2 exchange=3 status=413 version=11 content_length=0\n"
          "done C @3 exchange=3 pairing=sure request_bytes=8 response_bytes=0 complete=1 "
          "duration_ns=1\n");
}

static void test_refused_expectation(void)
{
    static const drive_part p[] = {
        { 0, 1, "POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 50\r\n\r\n", 0 },
        { 1, 2,
          "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\n"
          "WWW-Authenticate: NTLM, Basic realm=\"a, Digest\", Negotiate\r\n"
          "Content-Length: 0\r\n\r\n",
          0 },
        { 0, 3, "POST /b HTTP/1.1\r\nAuthorization: NTLM TlRMTVNTUAABAAAA\r\n\r\n", 0 },
        { 1, 4, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0 },
    };
    check(p, N(p),
          "request C @1 exchange=1 method=POST target=/a version=11 content_length=50\n"
          "response S @2 exchange=1 status=401 version=11 content_length=0 "
          "auth_scheme=Negotiate, NTLM, Basic\n"
          "done C @3 exchange=1 pairing=sure request_bytes=0 response_bytes=0 complete=1 "
          "duration_ns=1\n"
          "request C @3 exchange=2 method=POST target=/b version=11 auth_scheme=NTLM\n"
          "auth C @3 exchange=2 header=authorization auth_scheme=NTLM mechanism=ntlm ntlm_type=1 "
          "incomplete=1\n"
          "response S @4 exchange=2 status=200 version=11 content_length=0\n"
          "done C @4 exchange=2 pairing=sure request_bytes=0 response_bytes=0 complete=1 "
          "ttfb_ns=1 duration_ns=1\n");
}

static void test_tunnels(void)
{
    static const drive_part connect[] = {
        { 0, 1, "CONNECT mp:443 HTTP/1.1\r\nHost: mp:443\r\n\r\n", 0 },
        { 1, 2, "HTTP/1.1 200 Connection established\r\n\r\n", 0 },
        { 0, 3, "GET / HTTP/1.1\r\n\r\n", 0 },
        { 1, 4, "HTTP/1.1 204 No Content\r\n\r\n", 0 },
    };
    check(connect, N(connect),
          "request C @1 exchange=1 method=CONNECT target=mp:443 version=11 host=mp:443\n"
          "response S @2 exchange=1 status=200 version=11\n"
          "done C @2 exchange=1 pairing=sure request_bytes=0 response_bytes=0 complete=1 "
          "ttfb_ns=1 duration_ns=1 tunnel=1\n"
          "request C @3 through=mp:443 exchange=2 method=GET target=/ version=11\n"
          "response S @4 through=mp:443 exchange=2 status=204 version=11\n"
          "done C @4 through=mp:443 exchange=2 pairing=sure request_bytes=0 response_bytes=0 "
          "complete=1 ttfb_ns=1 duration_ns=1\n");
    static const drive_part upgrade[] = {
        { 0, 1, "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", 0 },
        { 1, 2, "HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x05hello", 0 },
        { 0, 3, "\x81\x85\x01\x02\x03\x04ieoho", 0 },
    };
    check(upgrade, N(upgrade),
          "request C @1 exchange=1 method=GET target=/ws version=11\n"
          "response S @2 exchange=1 status=101 version=11\n"
          "done C @2 exchange=1 pairing=sure request_bytes=0 response_bytes=0 complete=1 "
          "ttfb_ns=1 duration_ns=1 tunnel=1\n");
}

static void test_coded_body(void)
{
    /* printf 'hello hello hello hello\n' | gzip -9n, 31 bytes: made with gzip(1) */
    static const char gz[] =
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 29\r\n\r\n"
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\xb8\x00"
        "\x00\x88\x59\x0b\x18\x00\x00\x00";
    const drive_part p[] = {
        { 0, 1, "GET /g HTTP/1.1\r\n\r\n", 0 },
        { 1, 2, gz, sizeof gz - 1 },
    };
    char *got = drive_play(p, N(p), 0, 0, 0, 0, false);
    g_assert_nonnull(strstr(got, "response_bytes=29"));
    g_assert_nonnull(strstr(got, " decoded_bytes=24 complete=1"));
    for (size_t piece = 1; piece < 40; piece++) {
        char *again = drive_play(p, N(p), piece, 0, 0, 0, false);
        g_assert_cmpstr(again, ==, got);
        g_free(again);
    }
    g_free(got);
}

static void test_secrets(void)
{
    static const drive_part p[] = {
        { 0, 1,
          "GET / HTTP/1.1\r\nAuthorization: S3CR3TTOKEN\r\nX-T: eyJhbGciOiJSUzI1NiJ9."
          "eyJpc3MiOiJ1cm46c2NjbTpvYXV0aDI6YSJ9.S3CR3TSIG\r\n\r\n",
          0 },
    };
    check(p, 1,
          "request C @1 exchange=1 method=GET target=/ version=11 auth_scheme=other "
          "token_kind=jwt, ccm\n"
          "auth C @1 exchange=1 header=authorization auth_scheme=other mechanism=other\n"
          "token C @1 exchange=1 header=x-t category=ccm issuer=urn:sccm:oauth2:a "
          "algorithm=RS256\n"
          "done C @1 exchange=1 pairing=request-only request_bytes=0\n");
    static const drive_part q[] = {
        { 0, 1,
          "GET /a?b=1&%73ig=S3CR3T HTTP/1.1\r\nHost: u:S3CR3T@mp\r\nUser-Agent: x/1 "
          "eyJhbGciOiJSUzI1NiJ9.e30.S3CR3T\r\n\r\n",
          0 },
        { 1, 2,
          "HTTP/1.1 302 Found\r\nLocation: https://u:S3CR3T@h/#access_token=S3CR3T\r\n"
          "Content-Length: 0\r\n\r\n",
          0 },
    };
    check(q, N(q),
          "request C @1 exchange=1 method=GET target=/a?b=1&%73ig=... version=11 host=...@mp "
          "user_agent=x/1 ...\n"
          "response S @2 exchange=1 status=302 version=11 content_length=0 "
          "location=https://...@h/#access_token=...\n"
          "done C @2 exchange=1 pairing=sure request_bytes=0 response_bytes=0 complete=1 "
          "ttfb_ns=1 duration_ns=1\n");
}

/* base64url by `basenc --base64url`, without padding: header {"alg":"RS256"}, claims as below. */
#define JWT_SITE "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ1cm46c2NjbTpvYXV0aDI6YSJ9.AAAA"
#define JWT_USER                                                                                   \
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL3N0cy53aW5kb3dzLm5ldC90LyIsInVwbiI6ImJvYkB4In0.AA"

/* Tokens may be in any header: all are told, up to four; one for a proxy says so. */
static void test_tokens(void)
{
    static const drive_part p[] = {
        { 0, 1,
          "GET / HTTP/1.1\r\nProxy-Authorization: Bearer " JWT_SITE "\r\nX-T: " JWT_SITE
          ", " JWT_USER "\r\nAuthorization: Bearer " JWT_USER "\r\nX-U: " JWT_USER "\r\n\r\n",
          0 },
    };
    check(p, 1,
          "request C @1 exchange=1 method=GET target=/ version=11 auth_scheme=Bearer "
          "token_kind=bearer, jwt, ccm\n"
          "auth C @1 exchange=1 header=proxy-authorization auth_scheme=Bearer mechanism=bearer\n"
          "auth C @1 exchange=1 header=authorization auth_scheme=Bearer mechanism=bearer\n"
          "token C @1 exchange=1 header=proxy-authorization category=ccm "
          "issuer=urn:sccm:oauth2:a algorithm=RS256\n"
          "token C @1 exchange=1 header=x-t category=ccm issuer=urn:sccm:oauth2:a "
          "algorithm=RS256\n"
          "token C @1 exchange=1 header=x-t category=entra issuer=https://sts.windows.net/t/ "
          "subject_kind=user account=bob@x algorithm=RS256\n"
          "token C @1 exchange=1 header=authorization category=entra "
          "issuer=https://sts.windows.net/t/ subject_kind=user account=bob@x algorithm=RS256\n"
          "done C @1 exchange=1 pairing=request-only request_bytes=0\n");
}

static void test_probe(void)
{
    static const struct {
        const char *text;
        bool midstream;
        ccm_probe want;
    } rows[] = {
        { "", false, CCM_PROBE_MAYBE },
        { "G", false, CCM_PROBE_MAYBE },
        { "CCM_POST", false, CCM_PROBE_MAYBE },
        { "CCM_POST /", false, CCM_PROBE_YES },
        { "GET http:", false, CCM_PROBE_MAYBE },
        { "GET http://", false, CCM_PROBE_YES },
        { "OPTIONS *", false, CCM_PROBE_YES },
        { "CONNECT a:443 HTTP/1.1", false, CCM_PROBE_YES },
        { "CONNECT a:443", false, CCM_PROBE_MAYBE },
        { "FOO_BAR /x", false, CCM_PROBE_MAYBE },
        { "FOO_BAR /x HTTP/1.", false, CCM_PROBE_YES },
        { "FOO_BAR /x\r\n", false, CCM_PROBE_NO },
        { "HTTP/1.", false, CCM_PROBE_YES },
        { "\r\n\r\nGET /lead HTTP/1.1\r\n", false, CCM_PROBE_YES },
        { "\nGET /", false, CCM_PROBE_YES },
        { "\r\n", false, CCM_PROBE_MAYBE },
        { "\r\nG", false, CCM_PROBE_MAYBE },
        { "\r\n220 mail ESMTP\r\n", false, CCM_PROBE_NO },
        { "HTTP/1.1 2", false, CCM_PROBE_YES },
        { "HTTP/2.0", false, CCM_PROBE_NO },
        { "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", false, CCM_PROBE_NO },
        { "220 mail ESMTP\r\n", false, CCM_PROBE_NO },
        { "EHLO host\r\n", false, CCM_PROBE_NO },
        { "\x16\x03\x01", false, CCM_PROBE_NO },
        { "\x01 body }GET /x HTTP/1.1\r\n", true, CCM_PROBE_YES },
        { "\x01 body }GET /x HTTP/1.1\r\n", false, CCM_PROBE_NO },
        { "\x01 body \r\nHTTP/1.1 200 OK\r\n", true, CCM_PROBE_YES },
    };
    for (size_t i = 0; i < N(rows); i++) {
        g_test_message("%s", rows[i].text);
        g_assert_cmpint(ccm_proto_http.probe(ccm_span_str(rows[i].text), rows[i].midstream), ==,
                        rows[i].want);
    }
    drive d;
    drive_open(&d, false);
    drive_text(&d, 0, 1, "GET /x\r\n"); /* HTTP/0.9 is not ours */
    char *got = drive_close(&d, 2);
    g_assert_cmpstr(got, ==, "BAD\n");
    g_free(got);
}

static void test_gaps(void)
{
    drive d;
    drive_open(&d, false);
    drive_text(&d, 0, 1, "GET /1 HTTP/1.1\r\n\r\n");
    drive_lose(&d, 1, 2, 80); /* the whole first response */
    drive_text(&d, 0, 3, "GET /2 HTTP/1.1\r\n\r\n");
    drive_text(&d, 1, 4, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12");
    drive_lose(&d, 1, 5, 8); /* inside a body of known length */
    drive_text(&d, 0, 6, "GET /3 HTTP/1.1\r\n\r\n");
    drive_text(&d, 1, 7, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    drive_text(&d, 0, 8, "POST /4 HTTP/1.1\r\nHost: h\r\nUser-");
    drive_lose(&d, 0, 9, 100); /* rest of the head and part of the body */
    drive_text(&d, 0, 10, "body}BITS_POST /5 HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    char *got = drive_close(&d, 11);
    g_assert_cmpstr(
        got, ==,
        "request C @1 exchange=1 method=GET target=/1 version=11\n"
        "request C @3 exchange=2 method=GET target=/2 version=11\n"
        "done C @4 exchange=1 pairing=request-only request_bytes=0\n"
        "response S @4 exchange=2 status=200 version=11 content_length=10\n"
        "done C @5 exchange=2 pairing=uncertain request_bytes=0 response_bytes=10 "
        "body_missing_bytes=8 complete=1 ttfb_ns=1 duration_ns=2\n"
        "request C @6 exchange=3 method=GET target=/3 version=11\n"
        "response S @7 exchange=3 status=404 version=11 content_length=0\n"
        "done C @7 exchange=3 pairing=sure request_bytes=0 response_bytes=0 complete=1 "
        "ttfb_ns=1 duration_ns=1\n"
        "request C @8 exchange=4 method=POST target=/4 version=11 host=h head_incomplete=1\n"
        "request C @10 exchange=5 method=BITS_POST target=/5 version=11 content_length=0\n"
        "done C @11 exchange=4 pairing=request-only\n"
        "done C @11 exchange=5 pairing=request-only request_bytes=0\n");
    g_free(got);
}

static void test_midstream(void)
{
    drive d;
    drive_open(&d, true);
    drive_text(&d, 1, 1, "tail of a body ... HTTP/1.1 is text");
    drive_text(&d, 0, 2, "{json: 1}CCM_POST /r HTTP/1.1\r\nContent-Length: 2\r\n\r\nab");
    drive_text(&d, 1, 3, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    drive_text(&d, 0, 4, "FOO /s HTTP/1.1\r\n\r\n");
    drive_text(&d, 1, 5, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    char *got = drive_close(&d, 6);
    g_assert_cmpstr(
        got, ==,
        "request C @2 exchange=1 method=CCM_POST target=/r version=11 content_length=2\n"
        "response S @3 exchange=1 status=200 version=11 content_length=1\n"
        "done C @3 exchange=1 pairing=uncertain request_bytes=2 response_bytes=1 complete=1 "
        "ttfb_ns=1 duration_ns=1\n"
        "request C @4 exchange=2 method=FOO target=/s version=11\n"
        "response S @5 exchange=2 status=200 version=11 content_length=1\n"
        "done C @5 exchange=2 pairing=sure request_bytes=0 response_bytes=1 complete=1 "
        "ttfb_ns=1 duration_ns=1\n");
    g_free(got);
}

/* What stands before a known method is not part of it; an unknown one is found where a segment or a
 * line begins, also when its line goes on in later segments. */
static void test_seek(void)
{
    static const struct {
        const char *text, *method; /* segments, divided by |; NULL: none */
    } rows[] = {
        { "hiCCM_POST /a HTTP/1.1\r\n\r\n", "CCM_POST" },
        { "XCCM_POST /a HTTP/1.1\r\n\r\n", "XCCM_POST" },
        { "0123BITS_POST /a HTTP/1.1\r\n\r\n", "BITS_POST" },
        { "ccm_post /a|bc HTTP/1.1\r\n\r\n", "ccm_post" },
        { "ccm_|post /abc HTTP/1.1\r\n\r\n", "ccm_post" },
        { "}\r\nccm_post /a|bc HTTP/1.1\r\n\r\n", "ccm_post" },
        { "ccm_post /abc HTTP/1.|1\r\n\r\n", "ccm_post" },
        { "some words here ccm_post /a|bc HTTP/1.1\r\n\r\n", NULL },
        { "some words here FOO /a|bc HTTP/1.1\r\n\r\n", "FOO" },
        { "\x01zQ|BITS_POST /a HTTP/1.1\r\n\r\n", "BITS_POST" },
        { "\x01zQ|BITS_POST /a|bc HTTP/1.1\r\n\r\n", "BITS_POST" },
        { "\x01zBIT|BITS_POST /a|bc|d HTTP/1.|1\r\n\r\n", "BITS_POST" },
        { "\x01zQ|FROB /a HTTP/1.1\r\n\r\n", "FROB" },
        { "\x01\r\nFR|OB /a HTTP/1.1\r\n\r\n", "FROB" },
        { "\x01zBITS_|POST /a HTTP/1.1\r\n\r\n", "BITS_POST" },
        { "\x01"
          "QBITS_POST /a HTTP/1.1\r\n\r\n",
          "QBITS_POST" },
        { "a (b|c /abc HTTP/1.1\r\n\r\n", NULL },
    };
    for (size_t i = 0; i < N(rows); i++) {
        drive d;
        g_test_message("%s", rows[i].text);
        drive_open(&d, true);
        g_auto(GStrv) segments = g_strsplit(rows[i].text, "|", -1);
        for (char **segment = segments; *segment; segment++)
            drive_text(&d, 0, 1, *segment);
        g_autofree char *got = drive_close(&d, 3);
        g_autofree char *want =
            g_strdup_printf(" method=%s target=/a", rows[i].method ? rows[i].method : "");
        g_assert_true(rows[i].method ? strstr(got, want) != NULL : !strstr(got, " method="));
    }
}

/* More requests than may wait: the oldest are given up, which is told; the others keep theirs. */
static void test_many_outstanding(void)
{
    enum { ALL = 9, MOST = 6 };
    drive d;
    drive_open(&d, false);
    d.limits.requests = MOST;
    for (unsigned i = 1; i <= ALL; i++) {
        g_autofree char *text = g_strdup_printf("GET /%u HTTP/1.1\r\n\r\n", i);
        drive_text(&d, 0, i, text);
    }
    for (unsigned i = 1; i <= ALL; i++) {
        g_autofree char *text = g_strdup_printf("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 %u X\r\n"
                                                "Content-Length: 0\r\n\r\n",
                                                200 + i);
        drive_text(&d, 1, 100 + i, text);
    }
    g_autofree char *got = drive_close(&d, 200);
    for (unsigned i = 1; i <= ALL; i++) {
        bool kept = i > ALL - MOST;
        unsigned number = kept ? i : ALL + i;
        g_autofree char *answer = g_strdup_printf("exchange=%u status=%u ", number, 200 + i);
        g_autofree char *done =
            g_strdup_printf("exchange=%u pairing=%s ", i, kept ? "sure" : "request-only");
        g_autofree char *limit = g_strdup_printf("@%u limit=requests count=1\n", 100 + i);
        g_assert_nonnull(strstr(got, answer));
        g_assert_nonnull(strstr(got, done));
        g_assert_true(!strstr(got, limit) ==
                      kept); /* told where a response finds its request gone */
    }
}

/* One request is always sent ahead and another is lost: the queue runs empty although the server
 * has more to say, so what comes then is not sure. */
static void test_sent_ahead(void)
{
    static const char request[] = "GET /%u HTTP/1.1\r\n\r\n",
                      response[] = "HTTP/1.1 %u X\r\nContent-Length: 0\r\n\r\n";
    drive d;
    drive_open(&d, false);
    for (unsigned i = 1; i <= 5; i++) {
        g_autofree char *ask = g_strdup_printf(request, i);
        if (i == 3)
            drive_lose(&d, 0, i, strlen(ask));
        else
            drive_text(&d, 0, i, ask);
        if (i > 1) {
            g_autofree char *answer = g_strdup_printf(response, 200 + i - 1);
            drive_text(&d, 1, 100 + i, answer);
        }
    }
    g_autofree char *got = drive_close(&d, 200);
    g_assert_nonnull(strstr(got, "exchange=1 pairing=sure "));
    for (unsigned i = 3; i <= 4; i++) { /* those after the loss */
        g_autofree char *sure = g_strdup_printf("exchange=%u pairing=sure ", i);
        g_assert_null(strstr(got, sure));
    }
}

/* Where no response is captured at all, nothing is lost by the limit. */
static void test_many_unanswered(void)
{
    drive d;
    drive_open(&d, false);
    d.limits.requests = 2;
    for (unsigned i = 1; i <= 5; i++)
        drive_text(&d, 0, i, "GET / HTTP/1.1\r\n\r\n");
    g_autofree char *got = drive_close(&d, 200);
    g_assert_nonnull(strstr(got, "exchange=5 pairing=request-only "));
    g_assert_null(strstr(got, "limit="));
}

/* What is kept of bytes that are no HTTP yet: what may be the beginning of a first line, with a
 * byte before it where that is part of no line end. */
static void test_tail(void)
{
    static const struct {
        const char *text;
        size_t want;
    } rows[] = {
        { "", 0 },
        { "\x01\x02\x03", 0 },
        { "\x80\x80 lower case\r\n", 0 },
        { "<a b=\"c\">text</a>", 0 },
        { "\x01"
          "BITS",
          5 },
        { "\nBITS", 4 },
        { "\nBITS_POST", 9 },
        { "\nBITS_POST ", 10 },
        { "\nBITS_POST /CCM", 14 },
        { "\nBITS_POST {no target", 0 },
        { "\nBITS_POST /a ", 13 },
        { "\nBITS_POST /a HTTP/1.1\r", 22 },
        { "\nBITS_POST /a b", 0 },
        { "\nGET http", 8 },
        { "\nGET httpx:/", 0 },
        { "\nCONNECT mp.example:44", 21 },
        { "\nccm_", 4 },
        { "\nccm_post /a", 11 },
        { "\n}ccm_post /a", 0 },
        { "\n}CCM_POST /a", 12 },
        { "\x80HTT", 4 },
        { "body HTTP/1", 6 },
        { "body HTTP/1.1 200 Ok", 15 },
        { "body HTTP/1.1 200 OK\r\n", 0 },
    };
    for (size_t i = 0; i < N(rows); i++) {
        size_t n = strlen(rows[i].text);
        uint8_t *copy = g_memdup2(rows[i].text, n); /* exactly as long */
        g_test_message("%s", rows[i].text);
        g_assert_cmpuint(ccm_http_tail(ccm_span_of(copy, n)), ==, rows[i].want);
        g_free(copy);
    }
}

/* Method names of up to 64 characters. */
static void test_long_method(void)
{
    for (size_t n = 1; n < 70; n++)
        for (size_t cut = 1; cut <= n; cut += n > 60 ? 1 : 13) {
            drive d;
            g_autofree char *method = g_strnfill(n, 'M');
            drive_open(&d, false);
            drive_bytes(&d, 0, 1, method, cut);
            drive_text(&d, 0, 1, method + cut);
            drive_text(&d, 0, 1, " /a HTTP/1.1\r\n\r\n");
            g_autofree char *got = drive_close(&d, 2);
            g_autofree char *want = g_strdup_printf(" method=%s target=/a", method);
            g_assert_true((n <= 64) == (strstr(got, want) != NULL));
        }
}

/* The response to a HEAD that was lost has no body, though it has a length. */
static void test_response_only(void)
{
    drive d;
    drive_open(&d, false);
    drive_lose(&d, 0, 1, 30);
    drive_text(&d, 1, 2, "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n");
    drive_lose(&d, 0, 3, 30);
    drive_text(&d, 1, 4, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    char *got = drive_close(&d, 5);
    g_assert_cmpstr(got, ==,
                    "response S @2 exchange=1 status=200 version=11 content_length=9999\n"
                    "done C @4 exchange=1 pairing=response-only response_bytes=0 complete=1\n"
                    "response S @4 exchange=2 status=404 version=11 content_length=0\n"
                    "done C @4 exchange=2 pairing=response-only response_bytes=0 complete=1\n");
    g_free(got);
}

/* The clock of the server's capture point is ahead: answers stand before the client's first packet.
 * A request whose sender had received all that comes before an answer is the one it answers (RFC
 * 9293, 3.4); one whose sender had received the answer is not. */
static void test_answers_first(void)
{
    static const char one[] = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"; /* 39 bytes */
    static const char two[] = "HTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\nb";
    drive d;
    drive_open(&d, false);
    drive_text(&d, 1, 10, one);
    drive_text(&d, 1, 20, two);
    drive_text(&d, 1, 25, one);
    d.acks = true;
    d.acked = 0;
    drive_text(&d, 0, 30, "GET /1 HTTP/1.1\r\n\r\n");
    d.acked = 78; /* what would have been sent at 39 is not in the capture */
    drive_text(&d, 0, 40, "GET /3 HTTP/1.1\r\n\r\n");
    char *got = drive_close(&d, 50);
    g_assert_cmpstr(
        got, ==,
        "response S @10 exchange=1 status=200 version=11 content_length=1\n"
        "response S @20 exchange=2 status=404 version=11 content_length=1\n"
        "response S @25 exchange=3 status=200 version=11 content_length=1\n"
        "request C @30 exchange=1 method=GET target=/1 version=11\n"
        "done C @30 exchange=1 pairing=sure request_bytes=0 response_bytes=1 complete=1 "
        "ahead_ns=20\n"
        "done C @40 exchange=2 pairing=response-only response_bytes=1 complete=1\n"
        "request C @40 exchange=3 method=GET target=/3 version=11\n"
        "done C @40 exchange=3 pairing=sure request_bytes=0 response_bytes=1 complete=1 "
        "ahead_ns=15\n");
    g_free(got);
}

/* A server that gave up waiting (408) had not received the request that stands before its answer.
 */
static void test_answers_nothing(void)
{
    drive d;
    drive_open(&d, false);
    drive_text(&d, 0, 1, "GET /1 HTTP/1.1\r\n\r\n");
    drive_text(&d, 1, 2, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    drive_text(&d, 0, 3, "GET /2 HTTP/1.1\r\n\r\n");
    d.acks = true;
    d.acked = 19; /* "GET /1 HTTP/1.1\r\n\r\n" */
    drive_text(&d, 1, 4, "HTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\n");
    char *got = drive_close(&d, 5);
    g_assert_nonnull(strstr(got, "exchange=1 pairing=sure"));
    g_assert_nonnull(strstr(got, "exchange=2 pairing=uncertain"));
    g_free(got);
}

static void test_one_direction(void)
{
    drive d;
    drive_open(&d, false);
    d.no_times = true;
    for (int i = 0; i < 200; i++)
        drive_text(&d, 0, 1, "GET /x HTTP/1.1\r\n\r\n");
    char *got = drive_close(&d, 2);
    int done = 0, requests = 0;
    for (const char *p = got; (p = strstr(p, "pairing=request-only")); p++)
        done++;
    for (const char *p = got; (p = strstr(p, "request C")); p++)
        requests++;
    g_assert_cmpint(done, ==, 200);
    g_assert_cmpint(requests, ==, 200);
    g_free(got);
}

static void test_large_head(void)
{
    drive d;
    drive_open(&d, false);
    d.limits.head_bytes = 1000;
    drive_text(&d, 0, 1, "GET /big HTTP/1.1\r\nHost: h\r\nCookie: ");
    for (int i = 0; i < 3000; i++)
        drive_text(&d, 0, 2, "abcdefgh");
    drive_text(&d, 0, 3, "\r\n\r\nGET /next HTTP/1.1\r\n\r\n");
    char *got = drive_close(&d, 4);
    g_assert_nonnull(strstr(got, "target=/big version=11 host=h head_incomplete=1\n"));
    g_assert_nonnull(strstr(got, "limit C @2 limit=head_bytes count=1\n"));
    g_assert_nonnull(strstr(got, "target=/next"));
    g_free(got);
}

/* Parses the first `n` bytes where memory ends; the spans stay until the next call. */
static size_t parse_head(drive *d, const char *text, size_t n, ccm_http_head *head)
{
    uint8_t *at = d->page + d->room - n;
    memcpy(at, text, n);
    return ccm_http_head_parse(ccm_span_of(at, n), false, head);
}

/* Names and values of every length: the blank line is found where it is, and nowhere before. */
static void test_line_lengths(void)
{
    drive d;
    ccm_http_head head;
    drive_open(&d, false);
    for (size_t name = 1; name < 40; name++)
        for (size_t value = 0; value < 150; value += value < 40 ? 1 : 5) {
            g_autofree char *x = g_strnfill(name, 'x'), *v = g_strnfill(value, 'v');
            g_autofree char *text = g_strdup_printf("GET /t HTTP/1.1\r\n%s: 1:2\r\n%s\n"
                                                    "Server: %s\r\n:\nHost:h\r\n\r\n",
                                                    x, x, v);
            size_t n = strlen(text);
            g_assert_cmpuint(parse_head(&d, text, n, &head), ==, n);
            g_assert_cmpmem(head.server.p, head.server.n, v, value);
            g_assert_cmpmem(head.host.p, head.host.n, "h", 1);
            g_assert_cmpmem(head.target.p, head.target.n, "/t", 2);
            for (size_t cut = 0; cut < n; cut += value % 4 ? 7 : 1)
                g_assert_cmpuint(parse_head(&d, text, cut, &head), ==, 0);
        }
    g_free(drive_close(&d, 1));
}

/* Lines that begin with white space belong to the one before. */
static void test_folded(void)
{
    static const char *const rows[][2] = {
        { "Server: a\r\n b\r\n", "a b" },    { "Server:\r\n\ta\r\n \t b\n", "a b" },
        { "Server\r\n : a\r\n", "a" },       { "x: 1\r\n Server: a\r\nServer: b\r\n", "b" },
        { "x\r\n y\r\nServer: b\r\n", "b" }, { "Server: a\r\n \r\n", "a" },
    };
    drive d;
    ccm_http_head head;
    drive_open(&d, false);
    for (size_t i = 0; i < N(rows); i++) {
        g_autofree char *text = g_strconcat("HTTP/1.1 200 OK\r\n", rows[i][0], "\r\n", NULL);
        g_assert_cmpuint(parse_head(&d, text, strlen(text), &head), ==, strlen(text));
        g_assert_cmpmem(head.server.p, head.server.n, rows[i][1], strlen(rows[i][1]));
        for (size_t cut = 0; cut < strlen(text); cut++)
            g_assert_cmpuint(parse_head(&d, text, cut, &head), ==, 0);
    }
    g_free(drive_close(&d, 1));
}

/* Bodies of known length are not shown. */
static void test_skip(void)
{
    drive d;
    drive_open(&d, false);
    char *body = g_strnfill(100000, 'x');
    drive_text(&d, 0, 1, "GET / HTTP/1.1\r\n\r\n");
    drive_text(&d, 1, 2, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    drive_bytes(&d, 1, 3, body, 100000);
    g_assert_cmpuint(d.skipped_bytes, ==, 100000);
    char *got = drive_close(&d, 4);
    g_assert_nonnull(strstr(got, "done C @3 exchange=1 pairing=sure request_bytes=0 "
                                 "response_bytes=100000 complete=1"));
    g_free(got);
    g_free(body);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http/ccm-post", test_ccm_post);
    g_test_add_func("/http/chunked-and-interim", test_chunked_and_interim);
    g_test_add_func("/http/pipeline-and-early", test_pipeline_and_early);
    g_test_add_func("/http/refused-expectation", test_refused_expectation);
    g_test_add_func("/http/tunnels", test_tunnels);
    g_test_add_func("/http/coded-body", test_coded_body);
    g_test_add_func("/http/secrets", test_secrets);
    g_test_add_func("/http/tokens", test_tokens);
    g_test_add_func("/http/probe", test_probe);
    g_test_add_func("/http/gaps", test_gaps);
    g_test_add_func("/http/midstream", test_midstream);
    g_test_add_func("/http/seek", test_seek);
    g_test_add_func("/http/many-outstanding", test_many_outstanding);
    g_test_add_func("/http/many-unanswered", test_many_unanswered);
    g_test_add_func("/http/sent-ahead", test_sent_ahead);
    g_test_add_func("/http/tail", test_tail);
    g_test_add_func("/http/long-method", test_long_method);
    g_test_add_func("/http/response-only", test_response_only);
    g_test_add_func("/http/answers-first", test_answers_first);
    g_test_add_func("/http/answers-nothing", test_answers_nothing);
    g_test_add_func("/http/one-direction", test_one_direction);
    g_test_add_func("/http/large-head", test_large_head);
    g_test_add_func("/http/line-lengths", test_line_lengths);
    g_test_add_func("/http/folded", test_folded);
    g_test_add_func("/http/skip", test_skip);
    return g_test_run();
}
