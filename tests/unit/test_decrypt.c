/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_decrypt.c - the service that opens TLS records on connections of libssl with every suite, in
 * which the expected requests are what this test made libssl send. */
#include "ssl_talk.h"
#include "proto/decrypt_state.h"

#define N(x) (sizeof(x) / sizeof *(x))

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, what)); p++)
        n++;
    return n;
}

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
    ccm_decrypt *d = talk_keys();
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
    ccm_decrypt *d = talk_keys();
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
        ccm_decrypt *d = talk_keys();
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
    ccm_decrypt *d = talk_keys();
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
    ccm_decrypt *d = talk_keys();
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
        ccm_decrypt *d = talk_keys();
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
        ccm_decrypt *none = talk_keys(), *wrong = talk_keys();
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
    ccm_decrypt *d = talk_keys();
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
        ccm_decrypt *d = talk_keys();
        bool found;
        g_autoptr(GError) error = NULL;
        (void)ccm_decrypt_add_key(d, ccm_span_str(cut), "k", &found, &error);
        ccm_decrypt_free(d);
    }
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
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
