/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_verify.c - signatures. The oracles are the worked examples of the protocol reference and
 * signatures of the openssl command. `test_verify -m perf` prints what a check costs. */
#include <glib.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <time.h>
#include "verify_driver.h"

static void bytes_of(const char *hex, GByteArray *out)
{
    size_t n;
    g_byte_array_set_size(out, (guint)strlen(hex) / 2);
    g_assert_true(ccm_hex_decode(ccm_span_str(hex), out->data, out->len, &n));
    g_assert_cmpuint(n, ==, out->len);
}

static char *hex_of(const uint8_t *p, size_t n)
{
    GString *s = g_string_new(NULL);
    for (size_t i = 0; i < n; i++)
        g_string_append_printf(s, "%02X", p[i]);
    return g_string_free(s, FALSE);
}

static char *reverse(const char *hex)
{
    GByteArray *b = g_byte_array_new();
    bytes_of(hex, b);
    for (guint i = 0; i < b->len / 2; i++) {
        uint8_t t = b->data[i];
        b->data[i] = b->data[b->len - 1 - i];
        b->data[b->len - 1 - i] = t;
    }
    char *s = hex_of(b->data, b->len);
    g_byte_array_unref(b);
    return s;
}

/* ---- the reference --------------------------------------------------------------------------- */

static void test_reference(void)
{
    static const char time[] = "2025-03-04T05:06:07Z";
    static const char token[] = REFERENCE_ID ";2025-03-04T05:06:07Z;2";
    static const struct {
        ccm_signed_field field;
        const char *text, *signature, *variant;
    } rows[] = {
        { CCM_SIGNED_MESSAGE_CLIENT_ID, REFERENCE_ID, reference_a,
          "SHA-256 DigestInfo, NUL, reversed" },
        { CCM_SIGNED_MESSAGE_CLIENT_ID, REFERENCE_ID, reference_b,
          "SHA-256 bare hash, NUL, reversed" },
        { CCM_SIGNED_TIMESTAMP, time, reference_c, "SHA-256 DigestInfo, NUL, reversed" },
        { CCM_SIGNED_CLIENT_TOKEN, token, reference_d, "SHA-256 DigestInfo, NUL, reversed" },
        { CCM_SIGNED_CLIENT_TOKEN, token, reference_e, "SHA-256 DigestInfo, no NUL, reversed" },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        ccm_verify *v = make_verify();
        ccm_signature_claim c = reference_claim(rows[i].signature);
        c.field = rows[i].field;
        c.text = ccm_span_str(rows[i].text);
        expect(v, &c, "verified", rows[i].variant, "message");
        c.text.n--;
        expect(v, &c, "failed", NULL, "message");
        ccm_verify_free(v);
    }
}

static void test_payload(void)
{
    gsize n;
    guchar *part = g_base64_decode(reference_payload, &n);
    char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, part, n);
    g_assert_cmpstr(sum, ==, "48d32cbbd6bc327fe2e412f5b16f702e6a3859a8ee077d1c461acd90112a5b23");
    ccm_verify *v = make_verify();
    ccm_signature_claim c = reference_claim(reference_payload_signature);
    c.field = CCM_SIGNED_PAYLOAD;
    c.bytes = ccm_span_of(part, n);
    c.text = (ccm_span){ 0 };
    expect(v, &c, "verified", "SHA-256 DigestInfo, reversed", "message");
    for (gsize bit = 0; bit < 8 * n; bit += 13) {
        part[bit / 8] ^= 1 << bit % 8;
        expect(v, &c, "failed", NULL, "message");
        part[bit / 8] ^= 1 << bit % 8;
    }
    expect(v, &c, "verified", "SHA-256 DigestInfo, reversed", "message");
    ccm_verify_free(v);
    g_free(sum);
    g_free(part);
}

static void test_registration(void)
{
    registration r;
    registration_open(&r);
    char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, r.data.p, r.data.n);
    g_assert_cmpstr(sum, ==, "e9567a412671615f2a58bd55bb39ed7205c1e15d4e685a9d549b8d5facbcbfbc");
    ccm_verify *v = make_verify();
    ccm_signature_claim c = registration_claim(&r);
    expect(v, &c, "verified", "SHA-256 DigestInfo, reversed", "message");
    uint8_t *data = (uint8_t *)r.data.p;
    for (size_t bit = 0; bit < 8 * r.data.n; bit += 997) {
        data[bit / 8] ^= 1 << bit % 8;
        expect(v, &c, "failed", NULL, "message");
        data[bit / 8] ^= 1 << bit % 8;
    }
    /* no certificate: nothing to check with */
    c.certificate.n = 0;
    expect(v, &c, "no-key", NULL, NULL);
    ccm_verify_free(v);
    registration_close(&r);
    g_free(sum);
}

static void test_flips(void)
{
    ccm_verify *v = make_verify();
    GByteArray *b = g_byte_array_new();
    ccm_signature_claim c = reference_claim(reference_a);
    uint64_t whole = ask(v, &c).signature_hash;
    bytes_of(reference_a, b);
    for (unsigned bit = 0; bit < 8 * b->len; bit++) {
        b->data[bit / 8] ^= 1 << bit % 8;
        char *hex = hex_of(b->data, b->len);
        c.signature = ccm_span_str(hex);
        ccm_signature_verdict got = ask(v, &c);
        g_assert_cmpstr(got.result, ==, "failed");
        g_assert_null(got.variant);
        g_assert_cmpuint(got.signature_hash, !=, whole);
        b->data[bit / 8] ^= 1 << bit % 8;
        g_free(hex);
    }
    static const char *const others[] = { reference_b, reference_c, reference_d, reference_e };
    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++) {
        bytes_of(others[i], b);
        c.text = ccm_span_str(i == 0   ? REFERENCE_ID
                              : i == 1 ? "2025-03-04T05:06:07Z"
                                       : REFERENCE_ID ";2025-03-04T05:06:07Z;2");
        for (unsigned bit = i; bit < 8 * b->len; bit += 61) {
            b->data[bit / 8] ^= 1 << bit % 8;
            char *hex = hex_of(b->data, b->len);
            c.signature = ccm_span_str(hex);
            expect(v, &c, "failed", NULL, "message");
            b->data[bit / 8] ^= 1 << bit % 8;
            g_free(hex);
        }
        c.signature = ccm_span_str(others[i]);
        g_assert_cmpstr(ask(v, &c).result, ==, "verified");
    }
    char text[] = REFERENCE_ID;
    c = reference_claim(reference_a);
    c.text = ccm_span_of(text, sizeof text - 1);
    for (unsigned bit = 0; bit < 8 * (sizeof text - 1); bit++) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        expect(v, &c, "failed", NULL, "message");
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
    g_byte_array_unref(b);
    ccm_verify_free(v);
}

/* ---- the openssl command --------------------------------------------------------------------- */

static void test_variants(void)
{
    ccm_verify *v = make_verify();
    supply(v, openssl_text, openssl_1024_der);
    for (unsigned i = 0; i < G_N_ELEMENTS(openssl_rows); i++) {
        char *reversed = reverse(openssl_rows[i].signature);
        for (int order = 0; order < 2; order++) {
            ccm_signature_claim c = openssl_claim(order ? openssl_rows[i].signature : reversed);
            if (!openssl_rows[i].nul) {
                c.field = CCM_SIGNED_PAYLOAD;
                c.bytes = c.text;
            }
            char *want =
                g_strconcat(openssl_rows[i].variant, order ? ", not reversed" : ", reversed", NULL);
            expect(v, &c, "verified", want, "supplied");
            /* the declared hash decides nothing */
            c.hash_oid = ccm_span_str("1.2.840.113549.1.1.5");
            expect(v, &c, "verified", want, "supplied");
            /* text for bytes, bytes for text */
            c.field = openssl_rows[i].nul ? CCM_SIGNED_PAYLOAD : CCM_SIGNED_CLIENT_ID;
            c.bytes = c.text;
            expect(v, &c, "failed", NULL, "supplied");
            g_free(want);
        }
        g_free(reversed);
    }
    ccm_verify_free(v);
}

static void test_sizes(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(openssl_sizes); i++) {
        ccm_verify *v = make_verify();
        supply(v, openssl_text, openssl_sizes[i].der);
        ccm_signature_claim c = openssl_claim(openssl_sizes[i].signature);
        expect(v, &c, "verified", "SHA-256 DigestInfo, NUL, not reversed", "supplied");
        char *reversed = reverse(openssl_sizes[i].signature);
        c = openssl_claim(reversed);
        expect(v, &c, "verified", "SHA-256 DigestInfo, NUL, reversed", "supplied");
        c.text = ccm_span_str("another");
        expect(v, &c, "failed", NULL, "supplied");
        g_free(reversed);
        ccm_verify_free(v);
    }
}

static void test_forged(void)
{
    ccm_verify *v = make_verify();
    supply(v, openssl_text, openssl_1024_der);
    for (unsigned i = 0; i < G_N_ELEMENTS(openssl_forged); i++) {
        char *reversed = reverse(openssl_forged[i].signature);
        ccm_signature_claim c = openssl_claim(openssl_forged[i].signature);
        g_test_message("%s", openssl_forged[i].what);
        expect(v, &c, "failed", NULL, "supplied");
        c = openssl_claim(reversed);
        expect(v, &c, "failed", NULL, "supplied");
        g_free(reversed);
    }
    ccm_verify_free(v);
}

/* s + n is the same number modulo n, but no signature. */
static void test_out_of_range(void)
{
    ccm_verify *v = make_verify();
    supply(v, openssl_text, openssl_1024_der);
    GByteArray *der = g_byte_array_new(), *s = g_byte_array_new();
    bytes_of(openssl_1024_der, der);
    ccm_rsa rsa;
    g_assert_true(ccm_rsa_from_der(ccm_span_of(der->data, der->len), &rsa));
    BIGNUM *n = BN_bin2bn(rsa.modulus, rsa.n, NULL), *sum = BN_new();
    unsigned tried = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(openssl_rows); i++) {
        bytes_of(openssl_rows[i].signature, s);
        BIGNUM *one = BN_bin2bn(s->data, (int)s->len, NULL);
        g_assert_true(BN_add(sum, one, n));
        if (BN_num_bits(sum) <= 1024 && openssl_rows[i].nul) {
            g_assert_cmpint(BN_bn2binpad(sum, s->data, 128), ==, 128);
            char *hex = hex_of(s->data, 128);
            ccm_signature_claim c = openssl_claim(hex);
            expect(v, &c, "failed", NULL, "supplied");
            g_free(hex);
            tried++;
        }
        BN_free(one);
    }
    g_assert_cmpuint(tried, >, 0);
    BN_free(n);
    BN_free(sum);
    g_byte_array_unref(der);
    g_byte_array_unref(s);
    ccm_verify_free(v);
}

/* ---- form ------------------------------------------------------------------------------------ */

static void test_malformed(void)
{
    ccm_verify *v = make_verify();
    char *lower = g_ascii_strdown(reference_a, -1);
    char *spaced = g_strconcat("\r\n ", lower, "\t", NULL);
    char *longer = g_strconcat(reference_a, "00", NULL),
         *front = g_strconcat("00", reference_a, NULL);
    char *shorter = g_strndup(reference_a, 510), *odd = g_strndup(reference_a, 511);
    char *letter = g_strdup(reference_a), *wide = g_strdup(reference_a),
         *zeros = g_strnfill(512, '0');
    char *huge = g_strnfill(2 * CCM_RSA_BYTES + 2, 'a');
    letter[300] = 'g';
    wide[511] = (char)0xb1;
    const struct {
        const char *signature, *result;
        bool hash;
    } rows[] = {
        { reference_a, "verified", true }, { lower, "verified", true },
        { spaced, "verified", true },      { longer, "failed", true },
        { front, "failed", true },         { shorter, "failed", true },
        { odd, "failed", false },          { letter, "failed", false },
        { wide, "failed", false },         { "0", "failed", false },
        { "zz", "failed", false },         { " ", "failed", false },
        { huge, "failed", false },         { zeros, "failed", true },
        { "00", "failed", true },          { "", NULL, false },
    };
    GByteArray *b = g_byte_array_new();
    bytes_of(reference_a, b);
    char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, b->data, b->len);
    sum[16] = '\0';
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        ccm_signature_claim c = reference_claim(rows[i].signature);
        ccm_signature_verdict got = ask(v, &c);
        g_assert_cmpstr(got.result, ==, rows[i].result);
        g_assert_cmpint(got.signature_hash != 0, ==, rows[i].hash);
        if (i < 3)
            g_assert_cmpuint(got.signature_hash, ==, g_ascii_strtoull(sum, NULL, 16));
    }
    ccm_signature_claim c = reference_claim(reference_a);
    c.text.n = 0; /* not seen */
    expect(v, &c, NULL, NULL, NULL);
    c = reference_claim(reference_a);
    c.public_key.n--;
    c.client_id.n--;
    expect(v, &c, "no-key", NULL, NULL);
    char *const all[] = {
        lower, spaced, longer, front, shorter, odd, letter, wide, zeros, huge, sum
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(all); i++)
        g_free(all[i]);
    g_byte_array_unref(b);
    ccm_verify_free(v);
}

static EVP_PKEY *new_key(unsigned bits)
{
    EVP_PKEY *key = EVP_RSA_gen(bits);
    g_assert_nonnull(key);
    return key;
}

/* Signed by OpenSSL's own signing, reversed. */
static char *sign(EVP_PKEY *key, const void *data, size_t n)
{
    uint8_t out[512], turned[512];
    size_t size = sizeof out;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    g_assert_cmpint(EVP_DigestSignInit_ex(md, NULL, "SHA256", NULL, NULL, key, NULL), ==, 1);
    g_assert_cmpint(EVP_DigestSign(md, out, &size, data, n), ==, 1);
    EVP_MD_CTX_free(md);
    for (size_t i = 0; i < size; i++)
        turned[i] = out[size - 1 - i];
    return hex_of(turned, size);
}

static void supply_key(ccm_verify *v, const char *id, EVP_PKEY *key)
{
    uint8_t *der = NULL;
    int n = i2d_PUBKEY(key, &der);
    GError *error = NULL;
    g_assert_cmpint(n, >, 0);
    (void)ccm_verify_add_bytes(v, ccm_span_str(id), ccm_span_of(der, (size_t)n), "key", &error);
    g_assert_no_error(error);
    OPENSSL_free(der);
}

/* A signature may begin with zeros, which are part of it. */
static void test_leading_zero(void)
{
    EVP_PKEY *key = new_key(1024);
    ccm_verify *v = make_verify();
    supply_key(v, "", key);
    char *signature = NULL;
    uint32_t data = 0;
    do {
        g_free(signature);
        data++;
        signature = sign(key, &data, sizeof data);
    } while (!g_str_has_suffix(signature, "00"));
    ccm_signature_claim c = { .field = CCM_SIGNED_PAYLOAD,
                              .bytes = ccm_span_of(&data, sizeof data),
                              .signature = ccm_span_str(signature) };
    expect(v, &c, "verified", "SHA-256 DigestInfo, reversed", "supplied");
    c.signature.n -= 2;
    expect(v, &c, "no-key", NULL, NULL);
    supply_key(v, openssl_text, key);
    c.client_id = ccm_span_str(openssl_text);
    expect(v, &c, "failed", NULL, "supplied");
    g_free(signature);
    ccm_verify_free(v);
    EVP_PKEY_free(key);
}

/* Text becomes UTF-16LE as iconv has it; bytes that are no UTF-8 stay as they are. */
static void test_text(void)
{
    EVP_PKEY *key = new_key(1024);
    ccm_verify *v = make_verify();
    supply_key(v, "", key);
    char *many = g_strnfill(1000, 'x'), *mixed = g_strconcat(many, "é€😀", many, "😀", NULL);
    const char *const texts[] = { "a", many, "Büro", mixed, "😀😀", "\xff\xfe\x80", "a\xc3" };
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        gsize n;
        char *wide =
            g_convert(texts[i], -1, "UTF-16LE", i < 5 ? "UTF-8" : "ISO-8859-1", NULL, &n, NULL);
        g_assert_nonnull(wide);
        char *signature = sign(key, wide, n);
        ccm_signature_claim c = { .field = CCM_SIGNED_CLIENT_TOKEN,
                                  .text = ccm_span_str(texts[i]),
                                  .signature = ccm_span_str(signature) };
        expect(v, &c, "verified", "SHA-256 DigestInfo, no NUL, reversed", "supplied");
        g_free(signature);
        g_free(wide);
    }
    g_free(many);
    g_free(mixed);
    ccm_verify_free(v);
    EVP_PKEY_free(key);
}

/* ---- the cache ------------------------------------------------------------------------------- */

static void test_cache(void)
{
    ccm_verify *v = make_verify();
    const ccm_verify_counts *n = ccm_verify_count(v);
    ccm_signature_claim good = reference_claim(reference_a), bad = good;
    bad.text.n--;
    char *turned = reverse(reference_a);
    ccm_signature_claim other = reference_claim(turned);
    for (int i = 0; i < 3; i++) {
        expect(v, &good, "verified", "SHA-256 DigestInfo, NUL, reversed", "message");
        g_assert_cmpuint(n->rsa_operations, ==, i ? 4 : 1);
        expect(v, &bad, "failed", NULL, "message"); /* the block is good, so one operation */
        g_assert_cmpuint(n->rsa_operations, ==, i ? 4 : 2);
        expect(v, &other, "verified", "SHA-256 DigestInfo, NUL, not reversed", "message");
        g_assert_cmpuint(n->rsa_operations, ==, 4);
    }
    g_assert_cmpuint(n->keys_built, ==, 1);
    g_assert_cmpuint(n->checks, ==, 9);
    g_assert_cmpuint(n->cached, ==, 6);
    /* the same signature over the same bytes, once as text and once not: two questions */
    ccm_signature_claim payload = good;
    payload.field = CCM_SIGNED_PAYLOAD;
    payload.bytes = good.text;
    expect(v, &payload, "failed", NULL, "message");
    g_assert_cmpuint(n->rsa_operations, ==, 5);
    gsize size;
    char *wide = g_convert(REFERENCE_ID, -1, "UTF-16LE", "UTF-8", NULL, &size, NULL);
    payload.bytes = ccm_span_of(wide, size); /* lacks the NUL, which only a text may have */
    expect(v, &payload, "failed", NULL, "message");
    g_free(wide);
    /* far more than it holds: still right */
    for (int i = 0; i < 10000; i++) {
        char text[16];
        g_snprintf(text, sizeof text, "%d", i);
        bad.text = ccm_span_str(text);
        g_assert_cmpstr(ask(v, &bad).result, ==, "failed");
    }
    expect(v, &good, "verified", "SHA-256 DigestInfo, NUL, reversed", "message");
    g_assert_cmpuint(n->keys_built, ==, 1);
    g_free(turned);
    ccm_verify_free(v);
}

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double pass(ccm_verify *v, ccm_signature_claim *claims, unsigned n)
{
    const ccm_verifier *service = ccm_verify_service(v);
    ccm_signature_verdict verdict;
    double start = now_us();
    for (unsigned i = 0; i < n; i++) {
        service->check(service->user_data, &claims[i], &verdict);
        g_assert_cmpstr(verdict.result, ==, "verified");
    }
    return (now_us() - start) / n;
}

/* What is paid once for a key, and for a signature of neither byte order. */
static void cost_of_one(ccm_verify *v, ccm_signature_claim *claims, char *const *signatures)
{
    double fresh = 1e9, failed = 1e9;
    for (int round = 0; round < 200; round++) {
        ccm_verify_forget(v);
        double cost = pass(v, claims, 1);
        fresh = MIN(fresh, cost);
        ccm_signature_verdict verdict;
        char *broken = g_strdup(signatures[round + 2]);
        broken[0] = broken[0] == '0' ? '1' : '0';
        claims[1].signature = ccm_span_str(broken);
        const ccm_verifier *service = ccm_verify_service(v);
        cost = now_us();
        service->check(service->user_data, &claims[1], &verdict);
        failed = MIN(failed, now_us() - cost);
        g_assert_cmpstr(verdict.result, ==, "failed");
        g_free(broken);
    }
    g_test_minimized_result(fresh, "first signature of a key: %.2f us", fresh);
    g_test_minimized_result(failed, "signature that fails: %.2f us", failed);
}

static void test_cost(void)
{
    enum { N = 501, SIZE = 1024, ROUNDS = 20, SLICE = 25 };
    EVP_PKEY *key = new_key(2048);
    uint8_t *data = g_malloc0(N * SIZE), *der = NULL;
    ccm_signature_claim claims[N];
    char *signatures[N];
    ccm_verify *v = make_verify();
    for (unsigned i = 0; i < N; i++) {
        memcpy(data + i * SIZE, &i, sizeof i);
        signatures[i] = sign(key, data + i * SIZE, SIZE);
        claims[i] = (ccm_signature_claim){ .field = CCM_SIGNED_PAYLOAD,
                                           .client_id = ccm_span_str(REFERENCE_ID),
                                           .bytes = ccm_span_of(data + i * SIZE, SIZE),
                                           .signature = ccm_span_str(signatures[i]) };
    }
    /* as a message carries it: the blob, in hexadecimal */
    int n = i2d_PUBKEY(key, &der);
    ccm_rsa rsa;
    g_assert_true(ccm_rsa_from_der(ccm_span_of(der, (size_t)n), &rsa));
    GString *blob = g_string_new("0602000000A40000525341310008000001000100");
    for (unsigned i = 0; i < 256; i++)
        g_string_append_printf(blob, "%02X", rsa.modulus[255 - i]);
    for (unsigned i = 0; i < N; i++)
        claims[i].public_key = ccm_span_of(blob->str, blob->len);
    double first = 1e9, again = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        ccm_verify_forget(v);
        (void)pass(v, claims, 1); /* builds the key */
        /* short enough that some are not disturbed */
        for (unsigned i = 1; i < N; i += SLICE) {
            double cost = pass(v, claims + i, SLICE);
            first = MIN(first, cost);
            cost = pass(v, claims + i, SLICE);
            again = MIN(again, cost);
        }
    }
    cost_of_one(v, claims, signatures);
    g_test_minimized_result(first, "distinct signature, 1 KiB payload: %.2f us", first);
    g_test_minimized_result(again, "the same again: %.2f us", again);
    for (unsigned i = 0; i < N; i++)
        g_free(signatures[i]);
    g_string_free(blob, TRUE);
    OPENSSL_free(der);
    g_free(data);
    EVP_PKEY_free(key);
    ccm_verify_free(v);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/verify/reference", test_reference);
    g_test_add_func("/verify/payload", test_payload);
    g_test_add_func("/verify/registration", test_registration);
    g_test_add_func("/verify/flips", test_flips);
    g_test_add_func("/verify/variants", test_variants);
    g_test_add_func("/verify/sizes", test_sizes);
    g_test_add_func("/verify/forged", test_forged);
    g_test_add_func("/verify/out-of-range", test_out_of_range);
    g_test_add_func("/verify/malformed", test_malformed);
    g_test_add_func("/verify/leading-zero", test_leading_zero);
    g_test_add_func("/verify/text", test_text);
    g_test_add_func("/verify/cache", test_cache);
    if (g_test_perf())
        g_test_add_func("/verify/cost", test_cost);
    return g_test_run();
}
