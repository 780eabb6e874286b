/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_decrypt.c - the service that opens TLS records: the traces of RFC 8448, and connections of
 * libssl with every suite, in which the expected requests are what this test made libssl send. */
#include "ssl_talk.h"
#include "proto/decrypt_state.h"

#define N(x) (sizeof(x) / sizeof *(x))

static ccm_decrypt *new_keys(void)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    return ccm_decrypt_new(&limits);
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, what)); p++)
        n++;
    return n;
}

static GByteArray *unhex(const char *hex)
{
    GByteArray *out = g_byte_array_new();
    unsigned digits = 0;
    uint8_t b = 0;
    for (; *hex; hex++) {
        if (!g_ascii_isxdigit(*hex))
            continue;
        b = (uint8_t)(b << 4 | g_ascii_xdigit_value(*hex));
        if (++digits % 2 == 0)
            g_byte_array_append(out, &b, 1);
    }
    return out;
}

/* ---- key logs -------------------------------------------------------------------------------- */

#define RANDOM "cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7"
#define BYTES16 "000102030405060708090a0b0c0d0e0f"
#define BYTES48 BYTES16 BYTES16 BYTES16

static void test_log(void)
{
    static const char text[] =
        "# comment\r\n\r\n"
        "CLIENT_RANDOM " RANDOM " " BYTES48 "\r\n"
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET " RANDOM " " BYTES16 BYTES16 "\n"
        "SERVER_HANDSHAKE_TRAFFIC_SECRET " RANDOM " " BYTES48 "\n"
        "CLIENT_TRAFFIC_SECRET_0 " RANDOM " " BYTES48 "\n"
        "SERVER_TRAFFIC_SECRET_0 " RANDOM " " BYTES48 "\n"
        "CLIENT_EARLY_TRAFFIC_SECRET " RANDOM " " BYTES48 "\n"
        "EXPORTER_SECRET " RANDOM " " BYTES48 "\n" /* well-formed, of no use */
        "RSA 0011223344556677 " BYTES48 "\n"
        "RSA Session-ID:" BYTES16 BYTES16 " Master-Key:" BYTES48 "\n"
        "CLIENT_RANDOM " RANDOM " " BYTES16 "\n"            /* too short */
        "CLIENT_RANDOM 00 " BYTES48 "\n"                    /* no random */
        "CLIENT_RANDOM " RANDOM " " BYTES48 " more\n"       /* too many words */
        "SERVER_TRAFFIC_SECRET_0 " RANDOM " " BYTES48 "0\n" /* odd */
        "not a key log\n"
        "CLIENT_TRAFFIC_SECRET_0 " RANDOM " " BYTES16 BYTES16; /* no line end */
    ccm_decrypt *d = new_keys();
    ccm_decrypt_add_log(d, ccm_span_str(text));
    g_assert_cmpuint(ccm_decrypt_count(d)->secrets, ==, 9);
    g_assert_cmpuint(ccm_decrypt_count(d)->malformed, ==, 5);
    ccm_decrypt_free(d);
    for (size_t n = 0; n < sizeof text; n++) { /* in memory of exactly that size */
        uint8_t *exact = g_malloc(n ? n : 1);
        if (n)
            memcpy(exact, text, n);
        d = new_keys();
        ccm_decrypt_add_log(d, ccm_span_of(exact, n));
        g_assert_cmpuint(ccm_decrypt_count(d)->secrets, <=, 9);
        ccm_decrypt_free(d);
        g_free(exact);
    }
}

static void test_log_bound(void)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    limits.tls_secrets = 3;
    ccm_decrypt *d = ccm_decrypt_new(&limits);
    for (unsigned i = 0; i < 5; i++) {
        g_autofree char *line = g_strdup_printf("CLIENT_RANDOM %064x " BYTES48 "\n", i);
        ccm_decrypt_add_log(d, ccm_span_str(line));
        ccm_decrypt_add_log(d, ccm_span_str(line)); /* again: replaces the same one */
    }
    g_assert_cmpuint(ccm_decrypt_count(d)->dropped, ==, 2);
    ccm_decrypt_free(d);
}

static void check_file_error(const char *path, const char *why)
{
    g_autoptr(GError) error = NULL;
    ccm_decrypt *d = new_keys();
    g_assert_false(ccm_decrypt_add_log_file(d, path, &error));
    g_assert_error(error, CCM_ERROR, CCM_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, why));
    ccm_decrypt_free(d);
}

static void test_log_file(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("keylog-XXXXXX", &path, &error);
    g_assert_no_error(error);
    ccm_decrypt *d = new_keys();
    g_assert_true(ccm_decrypt_add_log_file(d, path, &error)); /* a client that made no connection */
    g_assert_true(g_file_set_contents(path, "x\nCLIENT_RANDOM " RANDOM " " BYTES48, -1, &error));
    g_assert_true(ccm_decrypt_add_log_file(d, path, &error));
    g_assert_cmpuint(ccm_decrypt_count(d)->secrets, ==, 1);
    g_assert_cmpuint(ccm_decrypt_count(d)->malformed, ==, 1);
    ccm_decrypt_free(d);
    g_assert_true(g_file_set_contents(path, "some\ntext\n", -1, &error));
    check_file_error(path, "is no key log");
    check_file_error("/nowhere/keys", "cannot open key log");
    check_file_error("/", "key log");
    (void)unlink(path);
    (void)close(fd);
}

/* ---- RFC 8448 -------------------------------------------------------------------------------- */

/* Section 3: secrets and records. */
static const char rfc_log[] = "CLIENT_HANDSHAKE_TRAFFIC_SECRET " RANDOM
                              " b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21\n"
                              "CLIENT_TRAFFIC_SECRET_0 " RANDOM
                              " 9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5\n"
                              "SERVER_TRAFFIC_SECRET_0 " RANDOM
                              " a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643\n";
static const char rfc_finished[] =
    "17 03 03 00 35 75 ec 4d c2 38 cc e6 0b 29 80 44 a7 1e 21 9c 56 cc 77 b0 51 7f e9 b9 3c 7a 4b "
    "fc 44 d8 7f 38 f8 03 38 ac 98 fc 46 de b3 84 bd 1c ae ac ab 68 67 d7 26 c4 05 46";
static const char rfc_client_data[] =
    "17 03 03 00 43 a2 3f 70 54 b6 2c 94 d0 af fa fe 82 28 ba 55 cb ef ac ea 42 f9 14 aa 66 bc ab "
    "3f 2b 98 19 a8 a5 b4 6b 39 5b d5 4a 9a 20 44 1e 2b 62 97 4e 1f 5a 62 92 a2 97 70 14 bd 1e 3d "
    "ea e6 3a ee bb 21 69 49 15 e4";
static const char rfc_client_alert[] =
    "17 03 03 00 13 c9 87 27 60 65 56 66 b7 4d 7f f1 15 3e fd 6d b6 d0 b0 e3";
static const char rfc_server_data[] =
    "17 03 03 00 43 2e 93 7e 11 ef 4a c7 40 e5 38 ad 36 00 5f c4 a4 69 32 fc 32 25 d0 5f 82 aa 1b "
    "36 e3 0e fa f9 7d 90 e6 df fc 60 2d cb 50 1a 59 a8 fc c4 9c 4b f2 e5 f0 a2 1c 00 47 c2 ab f3 "
    "32 54 0d d0 32 e1 67 c2 95 5d";

static ccm_opened open_hex(const ccm_decryptor *s, ccm_tls_keys *k, unsigned side, const char *hex,
                           ccm_span *plain, uint8_t *type)
{
    g_autoptr(GByteArray) r = unhex(hex);
    return s->open(k, side, ccm_span_of(r->data, 5), ccm_span_of(r->data + 5, r->len - 5), plain,
                   type);
}

static ccm_tls_keys *rfc_start(ccm_decrypt *d, uint16_t suite)
{
    g_autoptr(GByteArray) random = unhex(RANDOM);
    const ccm_decryptor *s = ccm_decrypt_service(d);
    return s->start(s->user_data, &(ccm_tls_terms){ .version = 0x0304,
                                                    .suite = suite,
                                                    .client_random = random->data,
                                                    .server_random = random->data });
}

static void check_fifty(ccm_span plain, uint8_t type)
{
    uint8_t want[50];
    for (unsigned i = 0; i < sizeof want; i++)
        want[i] = (uint8_t)i;
    g_assert_cmpuint(type, ==, 23);
    g_assert_cmpmem(plain.p, plain.n, want, sizeof want);
}

static void test_rfc8448(void)
{
    ccm_decrypt *d = new_keys();
    const ccm_decryptor *s = ccm_decrypt_service(d);
    ccm_decrypt_add_log(d, ccm_span_str(rfc_log));
    ccm_tls_keys *k = rfc_start(d, 0x1301);
    ccm_span plain;
    uint8_t type;
    g_assert_cmpint(open_hex(s, k, 0, rfc_finished, &plain, &type), ==, CCM_OPENED);
    g_assert_cmpuint(type, ==, 22);
    g_assert_cmpuint(plain.n, ==, 36);
    g_assert_cmpmem(plain.p, 4, "\x14\0\0\x20", 4);
    uint8_t message[36];
    memcpy(message, plain.p, sizeof message);
    s->message(k, 0, ccm_span_of(message, sizeof message));
    g_assert_cmpint(open_hex(s, k, 0, rfc_client_data, &plain, &type), ==, CCM_OPENED);
    check_fifty(plain, type);
    g_assert_cmpint(open_hex(s, k, 0, rfc_client_alert, &plain, &type), ==, CCM_OPENED);
    g_assert_cmpuint(type, ==, 21);
    g_assert_cmpmem(plain.p, plain.n, "\1\0", 2);
    /* The server's handshake secret is not in the log, and its ticket was lost: the keys that
     * follow and the second number are found. */
    s->lost(k, 1, 700 + 222);
    g_assert_cmpint(open_hex(s, k, 1, rfc_server_data, &plain, &type), ==, CCM_OPENED);
    check_fifty(plain, type);
    g_assert_cmpuint(ccm_decrypt_count(d)->sessions, ==, 1);
    g_assert_cmpuint(ccm_decrypt_count(d)->opened, ==, 4);
    s->free(k);
    ccm_decrypt_free(d);
}

/* Without a word of a loss a record with another number is not opened, nor one with a byte changed,
 * cut, or of another suite. */
static void test_refused(void)
{
    ccm_decrypt *d = new_keys();
    const ccm_decryptor *s = ccm_decrypt_service(d);
    ccm_decrypt_add_log(d, ccm_span_str(rfc_log));
    g_autoptr(GByteArray) r = unhex(rfc_client_data);
    ccm_span plain;
    uint8_t type;
    ccm_tls_keys *k = rfc_start(d, 0x1301);
    g_assert_cmpint(open_hex(s, k, 1, rfc_server_data, &plain, &type), !=, CCM_OPENED);
    s->free(k);
    for (size_t i = 0; i < r->len; i++) {
        k = rfc_start(d, 0x1301);
        r->data[i] ^= 1;
        g_assert_cmpint(s->open(k, 0, ccm_span_of(r->data, 5), ccm_span_of(r->data + 5, r->len - 5),
                                &plain, &type),
                        !=, CCM_OPENED);
        r->data[i] ^= 1;
        s->free(k);
    }
    for (size_t n = 0; n < r->len - 5; n++) {
        uint8_t *exact = g_malloc(n ? n : 1);
        memcpy(exact, r->data + 5, n);
        k = rfc_start(d, 0x1301);
        g_assert_cmpint(
            s->open(k, 0, ccm_span_of(r->data, 5), ccm_span_of(exact, n), &plain, &type), !=,
            CCM_OPENED);
        s->free(k);
        g_free(exact);
    }
    static const uint16_t others[] = { 0x1302, 0x1303, 0x1304, 0x1305, 0x0005, 0x002f, 0xc02f };
    for (size_t i = 0; i < N(others); i++) {
        k = rfc_start(d, others[i]);
        g_assert_cmpint(open_hex(s, k, 0, rfc_client_data, &plain, &type), !=, CCM_OPENED);
        s->free(k);
    }
    ccm_decrypt_free(d);
}

/* ---- connections of libssl ------------------------------------------------------------------- */

static void check_exchanges(const char *out, unsigned requests, const char *what)
{
    g_test_message("%s", what);
    unsigned whole = 0;
    for (unsigned i = 0; i < requests; i++) {
        g_autofree char *request = g_strdup_printf(
            "request C decrypted=1 exchange=%u method=GET target=/%u version=11", i + 1, i);
        whole += count(out, request) == 1;
    }
    if (whole != requests || count(out, "pairing=sure") != requests ||
        count(out, "complete=1") < requests)
        g_error("%s: %u of %u requests:\n%s", what, whole, requests, out);
}

/* A connection with these options, opened with the key log or with the server's key. */
static void check_talk(const talk_options *o, bool log, const char *what)
{
    talk t;
    bool found;
    talk_init(&t, o);
    talk_run(&t, o);
    ccm_decrypt *d = new_keys();
    if (log)
        ccm_decrypt_add_log(d, ccm_span_str(t.log->str));
    else
        g_assert_true(ccm_decrypt_add_key(d, ccm_span_str(t.pem), "key", &found, NULL) && found);
    static const size_t pieces[] = { 0, 100, 1 };
    for (size_t i = 0; i < (o->options ? 1 : N(pieces)); i++) {
        g_autofree char *out = talk_play(&t, d, pieces[i], 0, 0);
        check_exchanges(out, o->requests ? o->requests : 2, what);
    }
    g_assert_cmpuint(ccm_decrypt_count(d)->refused, ==, 0);
    ccm_decrypt_free(d);
    talk_clear(&t);
}

/* Is `cipher` compiled in and allowed? A distribution may leave weak ones out. */
static bool has_cipher(const char *cipher)
{
    SSL_CTX *c = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(c, 0);
    bool ok = SSL_CTX_set_cipher_list(c, cipher) == 1;
    SSL_CTX_free(c);
    if (!ok)
        g_test_message("libssl lacks %s", cipher);
    return ok;
}

static void check_variants(int version, const char *cipher, bool rsa)
{
    static const uint64_t variants[] = { 0, SSL_OP_NO_ENCRYPT_THEN_MAC,
                                         SSL_OP_NO_EXTENDED_MASTER_SECRET,
                                         SSL_OP_NO_ENCRYPT_THEN_MAC |
                                             SSL_OP_NO_EXTENDED_MASTER_SECRET };
    for (size_t i = 0; i < N(variants) && has_cipher(cipher); i++) {
        talk_options o = { .version = version, .ciphers = cipher, .options = variants[i] };
        g_autofree char *what = g_strdup_printf("%x %s, variant %zu", version, cipher, i);
        check_talk(&o, true, what);
        if (rsa)
            check_talk(&o, false, what);
    }
}

static void test_suites_12(void)
{
    static const struct {
        const char *name;
        bool rsa;
    } ciphers[] = {
        { "AES128-SHA", true },
        { "AES256-SHA256", true },
        { "AES128-GCM-SHA256", true },
        { "AES256-GCM-SHA384", true },
        { "AES128-CCM", true },
        { "AES256-CCM8", true },
        { "ECDHE-RSA-AES128-SHA256", false },
        { "ECDHE-RSA-AES256-SHA384", false },
        { "ECDHE-RSA-AES256-GCM-SHA384", false },
        { "ECDHE-RSA-CHACHA20-POLY1305", false },
        { "DHE-RSA-AES128-CCM8", false },
        { "DHE-RSA-AES256-CCM", false },
    };
    for (size_t i = 0; i < N(ciphers); i++)
        check_variants(TLS1_2_VERSION, ciphers[i].name, ciphers[i].rsa);
}

static void test_suites_old(void)
{
    check_variants(TLS1_VERSION, "AES128-SHA", true);
    check_variants(TLS1_VERSION, "ECDHE-RSA-AES256-SHA", false);
    check_variants(TLS1_1_VERSION, "AES256-SHA", true);
    check_variants(TLS1_1_VERSION, "DHE-RSA-AES128-SHA", false);
}

static void test_suites_13(void)
{
    static const char *const suites[] = { "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                          "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256",
                                          "TLS_AES_128_CCM_8_SHA256" };
    for (size_t i = 0; i < N(suites); i++)
        for (unsigned variant = 0; variant < 3; variant++) {
            talk_options o = { .version = TLS1_3_VERSION,
                               .suites = suites[i],
                               .padding = variant == 1 ? 256 : 0,
                               .update = variant == 2,
                               .requests = 3 };
            check_talk(&o, true, suites[i]);
        }
}

static void test_renegotiation(void)
{
    talk_options o = { .version = TLS1_2_VERSION,
                       .ciphers = "ECDHE-RSA-AES128-GCM-SHA256",
                       .renegotiate = true };
    check_talk(&o, true, "renegotiation");
}

/* The second connection resumes the first; its secrets are known by it alone. */
static void check_resumed(uint64_t options, bool log)
{
    talk_options o = { .version = TLS1_2_VERSION,
                       .ciphers = "AES128-GCM-SHA256",
                       .options = options };
    talk t;
    bool found;
    talk_init(&t, &o);
    ccm_decrypt *d = new_keys();
    for (unsigned i = 0; i < 2; i++) {
        talk_run(&t, &o);
        if (!i && log)
            ccm_decrypt_add_log(d, ccm_span_str(t.log->str));
        else if (!i)
            g_assert_true(ccm_decrypt_add_key(d, ccm_span_str(t.pem), "k", &found, NULL));
        g_autofree char *out = talk_play(&t, d, 0, 0, 0);
        check_exchanges(out, 2, i ? "resumed" : "first");
        g_assert_cmpuint(count(out, " resumed=1"), ==, i);
    }
    ccm_decrypt_free(d);
    talk_clear(&t);
}

static void test_resumption(void)
{
    for (unsigned log = 0; log < 2; log++) {
        check_resumed(SSL_OP_NO_TICKET, log);
        check_resumed(0, log);
        check_resumed(SSL_OP_NO_EXTENDED_MASTER_SECRET, log);
    }
}

static void test_resumption_13(void)
{
    static const char *const suites[] = { "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                          "TLS_CHACHA20_POLY1305_SHA256" };
    for (unsigned i = 0; i < 2 * N(suites); i++) {
        talk_options o = { .version = TLS1_3_VERSION, .suites = suites[i / 2], .early = i % 2 };
        talk t;
        talk_init(&t, &o);
        ccm_decrypt *d = new_keys();
        for (unsigned run = 0; run < 2; run++) {
            talk_run(&t, &o);
            ccm_decrypt_add_log(d, ccm_span_str(t.log->str));
            g_autofree char *out = talk_play(&t, d, 0, 0, 0);
            check_exchanges(out, 2, suites[i / 2]);
            g_assert_cmpuint(count(out, " resumed=1"), ==, run);
            g_assert_cmpuint(count(out, "early_data=1"), ==, run && o.early ? 2 : 0);
        }
        ccm_decrypt_free(d);
        talk_clear(&t);
    }
}

/* The answer is to the request that was sent again. */
static void test_early_refused(void)
{
    talk_options o = { .version = TLS1_3_VERSION, .early = true, .refuse = true, .requests = 1 };
    talk t;
    talk_init(&t, &o);
    ccm_decrypt *d = new_keys();
    for (unsigned run = 0; run < 2; run++) {
        talk_run(&t, &o);
        ccm_decrypt_add_log(d, ccm_span_str(t.log->str));
        g_autofree char *out = talk_play(&t, d, 0, 0, 0);
        g_assert_cmpuint(count(out, "method=GET"), ==, 1 + run);
        g_assert_cmpuint(count(out, "status=200"), ==, 1);
        g_assert_cmpuint(count(out, run ? "response S decrypted=1 exchange=2 status=200"
                                        : "response S decrypted=1 exchange=1 status=200"),
                         ==, 1);
    }
    ccm_decrypt_free(d);
    talk_clear(&t);
}

/* Bytes are lost inside a long body: the next records are opened, the body's missing bytes are
 * counted, and the request that follows is whole. */
static void check_loss(const char *ciphers, int version, uint64_t from, uint64_t lost, bool exact)
{
    talk_options o = { .version = version, .ciphers = ciphers, .body = 200000, .requests = 2 };
    talk t;
    talk_init(&t, &o);
    talk_run(&t, &o);
    ccm_decrypt *d = new_keys();
    ccm_decrypt_add_log(d, ccm_span_str(t.log->str));
    g_autofree char *out = talk_play(&t, d, 1448, from, lost);
    g_assert_cmpuint(count(out, "method=GET"), ==, 2);
    g_assert_cmpuint(count(out, "status=200"), ==, 2);
    g_assert_cmpuint(count(out, "body_missing_bytes="), ==, exact);
    g_assert_cmpuint(count(out, "response_bytes=200000"), ==, exact ? 2 : 1);
    g_assert_cmpuint(count(out, "complete=1"), ==, exact ? 2 : 1);
    ccm_decrypt_free(d);
    talk_clear(&t);
}

static void test_loss(void)
{
    check_loss("ECDHE-RSA-AES128-GCM-SHA256", TLS1_2_VERSION, 30000, 1448, true);
    check_loss("ECDHE-RSA-AES128-GCM-SHA256", TLS1_2_VERSION, 30000, 100000, true);
    check_loss("ECDHE-RSA-CHACHA20-POLY1305", TLS1_2_VERSION, 40001, 20000, true);
    check_loss("ECDHE-RSA-AES128-SHA256", TLS1_2_VERSION, 30000, 1448, false);
    check_loss("AES128-SHA", TLS1_VERSION, 30000, 40000, false);
    check_loss(NULL, TLS1_3_VERSION, 50000, 1, true);
    check_loss(NULL, TLS1_3_VERSION, 50000, 70000, true);
}

/* Each byte of the server lost in turn: no crash, and never a request that was not sent. */
static void test_lose_each(void)
{
    for (unsigned i = 0; i < 2; i++) {
        talk_options o = { .version = i ? TLS1_3_VERSION : TLS1_2_VERSION,
                           .ciphers = "ECDHE-RSA-AES128-GCM-SHA256" };
        talk t;
        talk_init(&t, &o);
        talk_run(&t, &o);
        ccm_decrypt *d = new_keys();
        ccm_decrypt_add_log(d, ccm_span_str(t.log->str));
        uint64_t size = 0;
        for (guint c = 0; c < t.chunks->len; c++)
            if (g_array_index(t.chunks, talk_chunk, c).dir)
                size += g_array_index(t.chunks, talk_chunk, c).bytes->len;
        for (uint64_t at = 0; at < size; at++) {
            g_autofree char *out = talk_play(&t, d, 0, at, 1 + at % 40);
            g_assert_cmpuint(count(out, "method="), ==, count(out, "method=GET target=/"));
            g_assert_cmpuint(count(out, "method="), <=, 2);
        }
        ccm_decrypt_free(d);
        talk_clear(&t);
    }
}

/* A secret that is not the connection's opens nothing; the handshake is told as without it. */
static void test_wrong_secret(void)
{
    for (unsigned i = 0; i < 2; i++) {
        talk_options o = { .version = i ? TLS1_3_VERSION : TLS1_2_VERSION };
        talk t;
        talk_init(&t, &o);
        talk_run(&t, &o);
        ccm_decrypt *none = new_keys(), *wrong = new_keys();
        for (char *line = t.log->str; (line = strchr(line, '\n')); line++)
            line[-1] = line[-1] == '0' ? '1' : '0';
        ccm_decrypt_add_log(wrong, ccm_span_str(t.log->str));
        g_autofree char *with = talk_play(&t, wrong, 0, 0, 0),
                        *without = talk_play(&t, none, 0, 0, 0);
        g_assert_cmpuint(count(with, "method="), ==, 0);
        g_assert_cmpuint(count(with, "does not fit the key"), ==, 1);
        g_assert_cmpuint(count(without, "anomaly"), ==, 0);
        g_assert_cmpuint(ccm_decrypt_count(wrong)->sessions, ==, 0);
        g_assert_cmpuint(count(with, "tls_session"), ==, 1);
        g_assert_cmpuint(count(with, "established=1"), ==, count(without, "established=1"));
        ccm_decrypt_free(none);
        ccm_decrypt_free(wrong);
        talk_clear(&t);
    }
}

/* ---- private keys ---------------------------------------------------------------------------- */

static char *pem_of(EVP_PKEY *key, const char *password)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *p;
    g_assert_true(PEM_write_bio_PrivateKey(bio, key, password ? EVP_aes_128_cbc() : NULL,
                                           (const unsigned char *)password,
                                           password ? (int)strlen(password) : 0, NULL, NULL));
    long n = BIO_get_mem_data(bio, &p);
    char *text = g_strndup(p, (gsize)n);
    BIO_free(bio);
    return text;
}

static void check_key(const char *pem, const char *why)
{
    g_autoptr(GError) error = NULL;
    ccm_decrypt *d = new_keys();
    bool found;
    bool ok = ccm_decrypt_add_key(d, ccm_span_str(pem), "server.pem", &found, &error);
    g_assert_true(ok == !why);
    if (why) {
        g_assert_error(error, CCM_ERROR, CCM_ERROR_USAGE);
        g_assert_nonnull(strstr(error->message, why));
    }
    ccm_decrypt_free(d);
}

static void test_keys(void)
{
    EVP_PKEY *rsa = EVP_RSA_gen(1024), *ec = EVP_EC_gen("P-256");
    g_autofree char *plain = pem_of(rsa, NULL), *locked = pem_of(rsa, "secret"),
                    *curve = pem_of(ec, NULL);
    check_key(plain, NULL);
    check_key("no PEM at all", NULL);
    check_key(locked, "protected by a password");
    check_key(curve, "no RSA key");
    check_key("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "cannot be read");
    for (size_t n = 0; n < strlen(plain); n += 7) {
        g_autofree char *cut = g_strndup(plain, n);
        ccm_decrypt *d = new_keys();
        bool found;
        g_autoptr(GError) error = NULL;
        (void)ccm_decrypt_add_key(d, ccm_span_str(cut), "k", &found, &error);
        ccm_decrypt_free(d);
    }
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
}

/* ---- derivation ------------------------------------------------------------------------------ */

/* A test vector of the IETF's TLS list for the PRF with SHA-256 of TLS 1.2. */
static void test_prf(void)
{
    g_autoptr(GByteArray) secret = unhex("9bbe436ba940f017b17652849a71db35"),
                          seed = unhex("a0ba9f936cda311827a6f796ffd5198c"),
                          want = unhex("e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4"
                                       "e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17"
                                       "abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d1"
                                       "22ee42c5a72e5a5110fff70187347b66");
    ccm_crypto c = { 0 };
    uint8_t out[100];
    ccm_crypto_open(&c);
    g_assert_true(ccm_tls_prf(&c, 0x0303, CCM_HASH_SHA256, ccm_span_of(secret->data, secret->len),
                              "test label", ccm_span_of(seed->data, seed->len),
                              ccm_span_of(NULL, 0), out, sizeof out));
    g_assert_cmpmem(out, sizeof out, want->data, want->len);
    ccm_crypto_close(&c);
}

/* Every suite of libssl with a cipher that is opened: cipher and hashes are libssl's. */
static void test_table(void)
{
    static const int ciphers[CCM_CIPHERS] = {
        [CCM_CIPHER_3DES_CBC] = NID_des_ede3_cbc,   [CCM_CIPHER_AES128_CBC] = NID_aes_128_cbc,
        [CCM_CIPHER_AES256_CBC] = NID_aes_256_cbc,  [CCM_CIPHER_AES128_GCM] = NID_aes_128_gcm,
        [CCM_CIPHER_AES256_GCM] = NID_aes_256_gcm,  [CCM_CIPHER_AES128_CCM] = NID_aes_128_ccm,
        [CCM_CIPHER_AES256_CCM] = NID_aes_256_ccm,  [CCM_CIPHER_AES128_CCM8] = NID_aes_128_ccm,
        [CCM_CIPHER_AES256_CCM8] = NID_aes_256_ccm, [CCM_CIPHER_CHACHA20] = NID_chacha20_poly1305,
    };
    static const int hashes[] = { NID_sha1, NID_sha256, NID_sha384 };
    SSL_CTX *c = SSL_CTX_new(TLS_method());
    unsigned seen = 0;
    SSL_CTX_set_security_level(c, 0);
    g_assert_true(SSL_CTX_set_cipher_list(c, "ALL:@SECLEVEL=0"));
    g_assert_true(SSL_CTX_set_ciphersuites(c, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                              "TLS_CHACHA20_POLY1305_SHA256:"
                                              "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"));
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(c);
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
        const SSL_CIPHER *x = sk_SSL_CIPHER_value(all, i);
        const char *name = SSL_CIPHER_get_name(x);
        const ccm_suite *s = ccm_suite_find(SSL_CIPHER_get_protocol_id(x));
        if (!s) /* what Windows and its management software never negotiate */
            g_assert_true(strstr(name, "CAMELLIA") || strstr(name, "ARIA") ||
                          strstr(name, "NULL") || strstr(name, "PSK") || strstr(name, "SRP") ||
                          strstr(name, "ADH") || strstr(name, "SEED") || strstr(name, "IDEA"));
        if (!s)
            continue;
        seen++;
        g_assert_cmpint(SSL_CIPHER_get_cipher_nid(x), ==, ciphers[s->cipher]);
        const ccm_cipher_row *row = &ccm_cipher_rows[s->cipher];
        if (row->mode == CCM_MODE_CBC)
            g_assert_cmpint(SSL_CIPHER_get_digest_nid(x), ==, hashes[s->mac]);
        else
            g_assert_cmpint(row->tag, ==, strstr(name, "CCM8") || strstr(name, "CCM_8") ? 8 : 16);
        g_assert_true(s->rsa == (SSL_CIPHER_get_kx_nid(x) == NID_kx_rsa));
        /* TLS 1.2 derives with SHA-256 where the suite, being older, names no hash. */
        int hash = EVP_MD_get_type(SSL_CIPHER_get_handshake_digest(x));
        g_assert_cmpint(hash == NID_md5_sha1 ? NID_sha256 : hash, ==, hashes[s->hash]);
    }
    g_assert_cmpuint(seen, >, 40);
    SSL_CTX_free(c);
    g_assert_null(ccm_suite_find(0x0005)); /* RC4 */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/decrypt/log", test_log);
    g_test_add_func("/decrypt/log-bound", test_log_bound);
    g_test_add_func("/decrypt/log-file", test_log_file);
    g_test_add_func("/decrypt/prf", test_prf);
    g_test_add_func("/decrypt/table", test_table);
    g_test_add_func("/decrypt/rfc8448", test_rfc8448);
    g_test_add_func("/decrypt/refused", test_refused);
    g_test_add_func("/decrypt/suites-1.2", test_suites_12);
    g_test_add_func("/decrypt/suites-1.0", test_suites_old);
    g_test_add_func("/decrypt/suites-1.3", test_suites_13);
    g_test_add_func("/decrypt/renegotiation", test_renegotiation);
    g_test_add_func("/decrypt/resumption", test_resumption);
    g_test_add_func("/decrypt/resumption-1.3", test_resumption_13);
    g_test_add_func("/decrypt/early-refused", test_early_refused);
    g_test_add_func("/decrypt/loss", test_loss);
    g_test_add_func("/decrypt/lose-each", test_lose_each);
    g_test_add_func("/decrypt/wrong-secret", test_wrong_secret);
    g_test_add_func("/decrypt/keys", test_keys);
    return g_test_run();
}
