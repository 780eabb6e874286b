/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_tls.c - the TLS parser on conversations of OpenSSL (tls_vectors.h, where the expected names,
 * hashes and fingerprints come from openssl and tshark) and on records laid out by hand after RFC
 * 8446 sections 4 to 6. */
#include "tls_driver.h"
#include "proto/tls_record.h"

static char *play(const tls_talk *t, size_t piece)
{
    return drive_play_proto(&ccm_proto_tls, t->part, t->n, piece, 0, 0, 0, true);
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, what)); p++)
        n++;
    return n;
}

/* The line of `out` that begins with `kind`, without its end; "" when there is none. */
static char *line_of(const char *out, const char *kind)
{
    const char *p = g_str_has_prefix(out, kind) ? out : NULL;
    g_autofree char *inside = g_strconcat("\n", kind, NULL);
    if (!p && (p = strstr(out, inside)) != NULL)
        p++;
    return p ? g_strndup(p, strcspn(p, "\n")) : g_strdup("");
}

#define HAS(text, what) g_assert_nonnull(strstr(text, what))
#define HAS_NOT(text, what) g_assert_null(strstr(text, what))

/* What both hellos of every conversation have. */
static void check_hellos(const char *out, const char *ja3, const char *ja4, bool tls13)
{
    g_autofree char *client = line_of(out, "tls_client_hello C"),
                    *server = line_of(out, "tls_server_hello S");
    g_autofree char *prints = g_strdup_printf(" ja3=%s ja4=%s", ja3, ja4);
    HAS(client, tls13 ? " tls_version=772 versions=772 " : " tls_version=771 ");
    HAS(client, " sni=mp01.lab.example alpn=h2,http/1.1 ");
    HAS(client, prints);
    HAS_NOT(client, "incomplete");
    HAS(server, tls13 ? " tls_version=772 cipher=4866 cipher_name=AES_256_GCM_SHA384"
                      : " tls_version=771 cipher=49196 "
                        "cipher_name=ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 alpn=http/1.1");
}

#define SERVER_LINE                                                                                \
    "tls_certificate S position=0 subject=" SERVER_SUBJECT " subject_name=mp01.lab.example "       \
    "issuer=" SERVER_ISSUER " issuer_name=SMS Issuing san=mp01.lab.example,mp01 "
#define SERVER_TAIL                                                                                \
    " key_usage=1.3.6.1.5.5.7.3.1 key_type=ec key_bits=256 algorithm=1.2.840.10045.4.3.2 "         \
    "serial=" SERVER_SERIAL " fingerprint=" SERVER_FINGERPRINT "\n"

static void test_tls12_client(void)
{
    tls_talk t = TLS_TALK(tls12_client);
    g_autofree char *out = play(&t, 0), *session = line_of(out, "tls_session C");
    check_hellos(out, TLS12_CLIENT_JA3, TLS12_CLIENT_JA4, false);
    HAS(out, SERVER_LINE);
    HAS(out, SERVER_TAIL);
    /* the client's certificate and the one of its authority */
    HAS(out, "tls_certificate C from_client=1 position=0 subject=" CLIENT_SUBJECT
             " subject_name=WKS01 issuer=CN=Lab Root CA,O=Lab\\, Inc.,C=DE "
             "issuer_name=Lab Root CA san=wks01.lab.example ");
    HAS(out, " key_usage=1.3.6.1.5.5.7.3.2,1.3.6.1.5.5.7.3.4 key_type=rsa key_bits=2048 "
             "algorithm=1.2.840.10045.4.3.2 serial=" CLIENT_SERIAL
             " fingerprint=" CLIENT_FINGERPRINT "\n");
    HAS(out, "tls_certificate C from_client=1 position=1 ");
    HAS(out, " self_signed=1 authority=1 serial=" CA_SERIAL " fingerprint=" CA_FINGERPRINT "\n");
    HAS(out, "tls_certificate_request S\n"); /* it names no authorities */
    g_assert_cmpuint(count(out, "tls_certificate "), ==, 3);
    HAS(out, "tls_ticket S session_ticket=");
    g_assert_cmpuint(count(out, " encrypted=1 established=1\n"), ==, 2); /* close notify */
    HAS(session, " tls_version=771 cipher=49196 established=1 certificate_requested=1 "
                 "client_certificate=yes handshake=1,2,11,12,13,14,11,16,15,4 ");
    HAS_NOT(session, "incomplete");
    HAS_NOT(session, "resumed");
    HAS_NOT(session, "renegotiated");
    tls_talk_free(&t);
}

/* The ticket that the first connection was given comes back. */
static void test_tls12_resumed(void)
{
    tls_talk t = TLS_TALK(tls12_client), u = TLS_TALK(tls12_resumed);
    g_autofree char *first = play(&t, 0), *out = play(&u, 0), *hello = NULL;
    g_autofree char *session = line_of(out, "tls_session C"),
                    *ticket = line_of(first, "tls_ticket");
    check_hellos(out, TLS12_RESUMED_JA3, TLS12_RESUMED_JA4, false);
    hello = line_of(out, "tls_client_hello C");
    *strstr(ticket, " client_certificate=yes") = '\0';
    HAS(hello, strstr(ticket, " session_ticket="));
    HAS(session, " established=1 resumed=1 handshake=1,2");
    HAS_NOT(out, "tls_certificate");
    HAS_NOT(session, "client_certificate=");
    tls_talk_free(&t);
    tls_talk_free(&u);
}

static void test_tls12_without(void)
{
    tls_talk t = TLS_TALK(tls12_empty), u = TLS_TALK(tls12_plain);
    g_autofree char *asked = play(&t, 0), *plain = play(&u, 0);
    check_hellos(asked, TLS12_EMPTY_JA3, TLS12_EMPTY_JA4, false);
    check_hellos(plain, TLS12_PLAIN_JA3, TLS12_PLAIN_JA4, false);
    HAS(asked, " certificate_requested=1 client_certificate=empty handshake=1,2,11,12,13,14,11,16");
    HAS(plain, " established=1 client_certificate=no handshake=1,2,11,12,14,16,4 ");
    HAS_NOT(plain, "tls_certificate_request");
    HAS_NOT(asked, "from_client");
    tls_talk_free(&t);
    tls_talk_free(&u);
}

/* Finished of SHA-384 alone: 4 + 48 + 1 + 16 = 69; an empty Certificate: 4 + 1 + 3 + 1 + 16 = 25.
 */
static void test_tls13(void)
{
    tls_talk t[] = { TLS_TALK(tls13_client), TLS_TALK(tls13_resumed), TLS_TALK(tls13_empty),
                     TLS_TALK(tls13_plain) };
    g_autofree char *client = play(&t[0], 0), *resumed = play(&t[1], 0), *empty = play(&t[2], 0),
                    *plain = play(&t[3], 0);
    check_hellos(client, TLS13_CLIENT_JA3, TLS13_CLIENT_JA4, true);
    check_hellos(resumed, TLS13_RESUMED_JA3, TLS13_RESUMED_JA4, true);
    check_hellos(empty, TLS13_EMPTY_JA3, TLS13_EMPTY_JA4, true);
    check_hellos(plain, TLS13_PLAIN_JA3, TLS13_PLAIN_JA4, true);
    HAS(plain, " established=1 client_flight=69 handshake=1,2 ");
    HAS(empty, " established=1 client_flight=25,69 handshake=1,2 ");
    HAS(resumed, " established=1 resumed=1 client_flight=69 handshake=1,2 ");
    HAS(resumed, " psk=1\n");
    g_autofree char *session = line_of(client, "tls_session C");
    HAS(session, " established=1 client_flight=");
    const char *flight = strstr(session, "client_flight=") + strlen("client_flight=");
    g_assert_cmpint(atoi(flight), >, 1000); /* a chain of two */
    HAS(flight, ",69 handshake=");
    for (size_t i = 0; i < G_N_ELEMENTS(t); i++)
        tls_talk_free(&t[i]);
    HAS_NOT(client, "tls_certificate");
    HAS_NOT(client, "client_certificate=");
    /* the last record of each side is an alert: 2 + 1 + 16 bytes */
    g_assert_cmpuint(count(client, " encrypted=1 established=1\n"), ==, 2);
}

static void test_retry(void)
{
    tls_talk t = TLS_TALK(tls13_retry);
    g_autofree char *out = play(&t, 0);
    check_hellos(out, TLS13_RETRY_JA3, TLS13_RETRY_JA4, true);
    g_assert_cmpuint(count(out, "tls_client_hello C"), ==, 2);
    g_assert_cmpuint(count(out, " retry=1\n"), ==, 2); /* the request, and the second hello */
    HAS(out, " established=1 client_flight=69 handshake=1,2,1,2 ");
    tls_talk_free(&t);
}

/* ---- records --------------------------------------------------------------------------------- */

/* The part's handshake records in clear, each byte of their content in a record of its own, or all
 * of them in one. Other records stay. */
static GByteArray *reframed(const drive_part *p, bool joined)
{
    GByteArray *out = g_byte_array_new(), *content = g_byte_array_new();
    ccm_cursor c = ccm_cur(ccm_span_of(p->text, p->size));
    bool clear = true;
    while (ccm_cur_left(&c) >= 5) {
        const uint8_t *head = c.p + c.pos;
        ccm_cur_skip(&c, 3);
        ccm_span f = ccm_cur_take(&c, ccm_cur_be16(&c));
        clear &= head[0] == 22;
        if (clear) {
            g_byte_array_append(content, f.p, (guint)f.n);
            for (size_t i = 0; !joined && i < f.n; i++) {
                const uint8_t one[] = { 22, 3, 3, 0, 1, f.p[i] };
                g_byte_array_append(out, one, sizeof one);
            }
            continue;
        }
        if (joined && content->len) {
            const uint8_t h[] = { 22, 3, 3, (uint8_t)(content->len >> 8), (uint8_t)content->len };
            g_byte_array_append(out, h, sizeof h);
            g_byte_array_append(out, content->data, content->len);
            g_byte_array_set_size(content, 0);
        }
        g_byte_array_append(out, head, (guint)(5 + f.n));
    }
    if (joined && content->len) {
        const uint8_t h[] = { 22, 3, 3, (uint8_t)(content->len >> 8), (uint8_t)content->len };
        g_byte_array_append(out, h, sizeof h);
        g_byte_array_append(out, content->data, content->len);
    }
    g_byte_array_unref(content);
    return out;
}

static void test_framing(void)
{
    tls_talk t = TLS_TALK(tls12_client);
    g_autofree char *want = play(&t, 0);
    char *end = strstr(want, "tls_session"); /* which counts records */
    *end = '\0';
    for (int joined = 0; joined < 2; joined++) {
        tls_talk u = t;
        for (size_t i = 0; i < 4; i++) { /* later parts are encrypted */
            GByteArray *b = reframed(&t.part[i], joined);
            u.part[i].size = b->len;
            u.part[i].text = (const char *)g_byte_array_free(b, FALSE);
        }
        for (size_t piece = 0; piece < 9; piece += 4) {
            g_autofree char *got = play(&u, piece);
            g_assert_true(g_str_has_prefix(got, want));
        }
        for (size_t i = 0; i < 4; i++)
            g_free((void *)u.part[i].text);
    }
    tls_talk_free(&t);
}

static void test_alerts(void)
{
    static const struct {
        const char *bytes, *want;
    } rows[] = {
        { "\x15\x03\x03\x00\x02\x02\x30", "level=fatal alert=48 name=unknown CA\n" },
        { "\x15\x03\x01\x00\x02\x02\x46", "level=fatal alert=70 name=protocol version\n" },
        { "\x15\x03\x03\x00\x02\x01\x00", "level=warning alert=0 name=close notify\n" },
        { "\x15\x03\x03\x00\x02\x02\x99", "level=fatal alert=153\n" },
    };
    tls_talk t = TLS_TALK(tls12_plain);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        drive d;
        drive_open_proto(&d, &ccm_proto_tls, false);
        d.no_times = true;
        drive_bytes(&d, 0, 1, t.part[0].text, t.part[0].size);
        drive_bytes(&d, 1, 2, rows[i].bytes, 7);
        g_autofree char *out = drive_close(&d, 3), *alert = line_of(out, "tls_alert S ");
        g_autofree char *want = g_strconcat("tls_alert S ", rows[i].want, NULL);
        g_autofree char *line = g_strconcat(alert, "\n", NULL);
        g_assert_cmpstr(line, ==, want);
        HAS_NOT(out, "established");
        bool fatal = strstr(rows[i].want, "fatal") != NULL; /* no ServerHello will come */
        g_assert_cmpint(strstr(out, " incomplete=1\n") == NULL, ==, fatal);
    }
    tls_talk_free(&t);
}

/* RFC 5246 section 7.4.4: types, signature algorithms, names. TLS 1.1 has no algorithms. */
static void test_authorities(void)
{
#define NAME(letter) "\x00\x0f\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02" letter "1"
    static const char tls12[] =
        "\x16\x03\x03\x00\x31\x0d\x00\x00\x2d\x02\x01\x40\x00\x04\x04\x01\x04"
        "\x03\x00\x22" NAME("A") NAME("B");
    static const char tls11[] =
        "\x16\x03\x02\x00\x2b\x0d\x00\x00\x27\x02\x01\x40\x00\x22" NAME("A") NAME("B");
#undef NAME
    /* a ServerHello of TLS 1.1 without session and extensions */
    uint8_t hello[5 + 42] = { 22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2 };
    drive d;
    for (int v = 0; v < 2; v++) {
        drive_open_proto(&d, &ccm_proto_tls, false);
        d.no_times = true;
        if (v)
            drive_bytes(&d, 1, 1, hello, sizeof hello);
        drive_bytes(&d, 1, 2, v ? tls11 : tls12, v ? sizeof tls11 - 1 : sizeof tls12 - 1);
        g_autofree char *out = drive_close(&d, 3);
        HAS(out, "tls_certificate_request S authorities=CN=A1; CN=B1\n");
        HAS(out, " certificate_requested=1 ");
    }
}

/* A record of the handshake after the Finished of a side is a second handshake; auth-modes.md T5.
 */
static void test_renegotiation(void)
{
    tls_talk t = TLS_TALK(tls12_plain);
    uint8_t record[5 + 40] = { 22, 3, 3, 0, 40 };
    drive d;
    drive_open_proto(&d, &ccm_proto_tls, false);
    d.no_times = true;
    for (size_t i = 0; i < 6; i++)
        drive_bytes(&d, t.part[i].dir, i, t.part[i].text, t.part[i].size);
    drive_bytes(&d, 1, 9, record, sizeof record);
    g_autofree char *out = drive_close(&d, 10);
    HAS(out, " established=1 renegotiated=1 client_certificate=no ");
    tls_talk_free(&t);
}

static void test_limits(void)
{
    tls_talk t = TLS_TALK(tls12_client);
    drive d;
    drive_open_proto(&d, &ccm_proto_tls, false);
    d.no_times = true;
    d.limits.certificates = 1;
    for (size_t i = 0; i < t.n; i++)
        drive_bytes(&d, t.part[i].dir, i, t.part[i].text, t.part[i].size);
    g_autofree char *out = drive_close(&d, 10);
    HAS(out, "limit C limit=certificates count=1\n");
    HAS_NOT(out, "position=1");
    HAS(out, " established=1 ");

    /* A message larger than the limit, over three records: what follows it is read. */
    uint8_t head[] = { 22, 3, 3, 0, 104, 11, 0, 0, 250 }, filler[250] = { 0 };
    const uint8_t done[] = { 22, 3, 3, 0, 54, 14, 0, 0, 0 };
    GByteArray *all = g_byte_array_new();
    g_byte_array_append(all, head, sizeof head);
    g_byte_array_append(all, filler, 100);
    g_byte_array_append(all, (const guint8 *)"\x16\x03\x03\x00\x64", 5);
    g_byte_array_append(all, filler, 100);
    g_byte_array_append(all, done, 5);
    g_byte_array_append(all, filler, 50);
    g_byte_array_append(all, done + 5, 4);
    for (size_t piece = 1; piece < 40; piece += 13) {
        drive_open_proto(&d, &ccm_proto_tls, false);
        d.no_times = true;
        d.limits.handshake_bytes = 200;
        drive_bytes(&d, 0, 0, t.part[0].text, t.part[0].size); /* larger, but in one record */
        for (size_t at = 0; at < all->len; at += piece)
            drive_bytes(&d, 1, 1, all->data + at, MIN(piece, all->len - at));
        g_autofree char *big = drive_close(&d, 2);
        HAS(big, "limit S limit=handshake_bytes count=1\n");
        HAS(big, " handshake=1,14 ");
    }
    g_byte_array_unref(all);
    tls_talk_free(&t);
}

/* ---- damage ---------------------------------------------------------------------------------- */

/* Every length of what each side sent, on a guard page: nothing is read beyond, and a hello that is
 * cut short has no fingerprint. */
static void test_truncated(void)
{
    static const tls_part *const all[] = { tls12_client, tls13_client, tls13_retry };
    for (size_t k = 0; k < G_N_ELEMENTS(all); k++) {
        tls_talk t = tls_talk_of(all[k], 4);
        size_t n = t.part[0].size + t.part[1].size + t.part[2].size;
        for (size_t cut = 0; cut < n; cut++) {
            drive d;
            size_t left = cut;
            drive_open_proto(&d, &ccm_proto_tls, false);
            d.no_times = true;
            for (size_t i = 0; i < 3; i++) {
                size_t take = MIN(left, t.part[i].size);
                if (take)
                    drive_bytes(&d, t.part[i].dir, i, t.part[i].text, take);
                left -= take;
            }
            g_autofree char *out = drive_close(&d, 9);
            bool whole = cut >= t.part[0].size;
            g_assert_cmpint(strstr(out, " ja3=") != NULL, ==, whole);
            g_assert_cmpuint(count(out, "tls_session"), <=, 1);
            HAS_NOT(out, "BAD");
            HAS_NOT(out, "client_certificate=no");
        }
        tls_talk_free(&t);
    }
}

/* Each byte changed: no crash, and no more than one session is told. */
static void test_damaged(void)
{
    tls_talk t = TLS_TALK(tls12_client);
    for (size_t i = 0; i < 4; i++) {
        uint8_t *bytes = g_memdup2(t.part[i].text, t.part[i].size);
        const char *before = t.part[i].text;
        t.part[i].text = (const char *)bytes;
        for (size_t k = 0; k < t.part[i].size; k++) {
            static const uint8_t masks[] = { 0x01, 0x80, 0xff };
            for (size_t m = 0; m < G_N_ELEMENTS(masks); m++) {
                bytes[k] ^= masks[m];
                g_autofree char *out = play(&t, 0);
                g_assert_cmpuint(count(out, "tls_session"), <=, 1);
                bytes[k] ^= masks[m];
            }
        }
        t.part[i].text = before;
        g_free(bytes);
    }
    tls_talk_free(&t);
}

/* The client's certificate is lost: its absence is no evidence. The next record is where the lost
 * one said, so the rest is read. */
static void test_lost_certificate(void)
{
    tls_talk t = TLS_TALK(tls12_client);
    uint64_t hello = t.part[0].size;
    for (uint64_t from = hello + 20; from < hello + 900; from += 100) {
        g_autofree char *out =
            drive_play_proto(&ccm_proto_tls, t.part, t.n, 700, 0, from, 60, true);
        g_autofree char *session = line_of(out, "tls_session C");
        HAS_NOT(session, "client_certificate=no");
        HAS_NOT(session, "client_certificate=empty");
        HAS(session, " established=1 ");
        HAS(session, " missing_bytes=60");
        HAS(session, " incomplete=1");
    }
    tls_talk_free(&t);
}

/* ---- from the middle ------------------------------------------------------------------------- */

static void put_record(GByteArray *to, uint8_t type, size_t n, uint8_t fill)
{
    uint8_t head[] = { type, 3, 3, (uint8_t)(n >> 8), (uint8_t)n };
    g_byte_array_append(to, head, sizeof head);
    for (size_t i = 0; i < n; i++) {
        uint8_t b = (uint8_t)(fill + i * 37);
        g_byte_array_append(to, &b, 1);
    }
}

static void test_midstream(void)
{
    g_autoptr(GByteArray) all = g_byte_array_new();
    put_record(all, 23, 200, 1);
    put_record(all, 23, 16401, 2);
    put_record(all, 23, 100, 3);
    put_record(all, 21, 26, 4);
    for (size_t cut = 1; cut < 206; cut += 17) { /* the beginning of the first one is not there */
        ccm_span s = ccm_span_of(all->data + cut, all->len - cut);
        g_assert_cmpint(ccm_proto_tls.probe(s, true), ==, CCM_PROBE_YES);
        g_assert_cmpint(ccm_proto_tls.probe(s, false), ==, CCM_PROBE_NO);
        for (size_t piece = 1000; piece < 40000; piece += 13000) {
            drive d;
            drive_open_proto(&d, &ccm_proto_tls, true);
            d.no_times = true;
            for (size_t at = 0; at < s.n; at += piece)
                drive_bytes(&d, 1, 1, s.p + at, MIN(piece, s.n - at));
            g_autofree char *out = drive_close(&d, 2);
            HAS(out, "tls_alert S encrypted=1\n");
            HAS(out, "tls_session C client_records=0 server_records=3 client_bytes=0 "
                     "server_bytes=16501 missing_bytes=0 incomplete=1\n");
            HAS_NOT(out, "anomaly");
        }
    }
}

/* What begins otherwise is none, and bytes at random hardly ever are. */
static void test_probe(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        ccm_probe want;
    } rows[] = {
#define ROW(text, want) { text, sizeof text - 1, want }
        ROW("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", CCM_PROBE_YES),
        ROW("\x16\x03\x01\x02\x00\x01\x00", CCM_PROBE_YES),
        ROW("\x16\x03\x01\x00\x01\x01", CCM_PROBE_YES), /* split after its first byte */
        ROW("\x16\x03\x01\x02", CCM_PROBE_MAYBE),
        ROW("\x16", CCM_PROBE_MAYBE),
        ROW("\x15\x03\x03\x00\x02\x02\x28", CCM_PROBE_YES),
        ROW("\x15\x03\x03\x00\x02\x05\x28", CCM_PROBE_NO),
        ROW("\x15\x03\x03\x00\x1a\x02\x28", CCM_PROBE_NO),
        ROW("\x16\x03\x01\x00\x00\x01", CCM_PROBE_NO),
        ROW("\x16\x03\x01\x50\x00\x01", CCM_PROBE_NO), /* longer than a record may be */
        ROW("\x16\x02\x01\x02\x00\x01", CCM_PROBE_NO),
        ROW("\x16\x03\x01\x02\x00\x63", CCM_PROBE_NO), /* no such message */
        ROW("\x16\x03\x01\x02\x00\x01\x20\x00\x00", CCM_PROBE_NO),
        ROW("GET / HTTP/1.1\r\n\r\n", CCM_PROBE_NO),
        ROW("\x03\x00\x00\x13\x0e\xe0\x00\x00", CCM_PROBE_NO), /* TPKT: remote desktop */
        ROW("\x12\x01\x00\x2f\x00\x00\x01\x00", CCM_PROBE_NO), /* TDS prelogin */
#undef ROW
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(ccm_proto_tls.probe(ccm_span_of(rows[i].bytes, rows[i].n), false), ==,
                        rows[i].want);
    g_autoptr(GRand) rand = g_rand_new_with_seed(4);
    uint8_t noise[1460];
    unsigned taken = 0;
    for (unsigned i = 0; i < 20000; i++) {
        for (size_t k = 0; k < sizeof noise; k++)
            noise[k] = (uint8_t)g_rand_int(rand);
        taken += ccm_proto_tls.probe(ccm_span_of(noise, sizeof noise), true) == CCM_PROBE_YES;
    }
    g_assert_cmpuint(taken, ==, 0);
    /* text of another protocol on the connection of a hello */
    tls_talk t = TLS_TALK(tls12_plain);
    drive d;
    drive_open_proto(&d, &ccm_proto_tls, false);
    d.no_times = true;
    drive_bytes(&d, 0, 1, t.part[0].text, t.part[0].size);
    drive_text(&d, 1, 2, "HTTP/1.1 400 Bad Request\r\n\r\n");
    g_autofree char *out = drive_close(&d, 3);
    HAS(out, "anomaly S protocol=tls reason=no record where one should begin count=1\n");
    tls_talk_free(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tls/1.2/client-certificate", test_tls12_client);
    g_test_add_func("/tls/1.2/resumed", test_tls12_resumed);
    g_test_add_func("/tls/1.2/no-client-certificate", test_tls12_without);
    g_test_add_func("/tls/1.3", test_tls13);
    g_test_add_func("/tls/1.3/retry", test_retry);
    g_test_add_func("/tls/framing", test_framing);
    g_test_add_func("/tls/alerts", test_alerts);
    g_test_add_func("/tls/authorities", test_authorities);
    g_test_add_func("/tls/renegotiation", test_renegotiation);
    g_test_add_func("/tls/limits", test_limits);
    g_test_add_func("/tls/truncated", test_truncated);
    g_test_add_func("/tls/damaged", test_damaged);
    g_test_add_func("/tls/lost-certificate", test_lost_certificate);
    g_test_add_func("/tls/midstream", test_midstream);
    g_test_add_func("/tls/probe", test_probe);
    return g_test_run();
}
