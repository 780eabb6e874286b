/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_decrypt_records.c - key logs, derivation of keys, and single records: the traces of RFC 8448
 * and vectors of others. */
#include "ssl_talk.h"
#include "proto/decrypt_state.h"

#define N(x) (sizeof(x) / sizeof *(x))

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
    ccm_decrypt *d = talk_keys();
    ccm_decrypt_add_log(d, ccm_span_str(text));
    g_assert_cmpuint(ccm_decrypt_count(d)->secrets, ==, 9);
    g_assert_cmpuint(ccm_decrypt_count(d)->malformed, ==, 5);
    ccm_decrypt_free(d);
    for (size_t n = 0; n < sizeof text; n++) { /* in memory of exactly that size */
        uint8_t *exact = g_malloc(n ? n : 1);
        if (n)
            memcpy(exact, text, n);
        d = talk_keys();
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
    ccm_decrypt *d = talk_keys();
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
    ccm_decrypt *d = talk_keys();
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
    ccm_decrypt *d = talk_keys();
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
    ccm_decrypt *d = talk_keys();
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
    return g_test_run();
}
