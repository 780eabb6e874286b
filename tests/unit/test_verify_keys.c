/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_verify_keys.c - forms of keys, whose key decides, supplied files, bounds. Expected values by
 * hand, and from keys made by the openssl command. */
#include <glib.h>
#include <glib/gstdio.h>
#include "verify_driver.h"

#define GOOD "SHA-256 DigestInfo, NUL, not reversed"
#define REFERENCE_GOOD "SHA-256 DigestInfo, NUL, reversed"

/* ---- forms ----------------------------------------------------------------------------------- */

static void test_ids(void)
{
    static const char *const rows[][2] = {
        { "GUID:0f8fad5b-d9cb-469f-a165-70867728950e",
          "GUID:0F8FAD5B-D9CB-469F-A165-70867728950E" },
        { "guid:{0F8FAD5B-D9CB-469F-A165-70867728950E}",
          "GUID:0F8FAD5B-D9CB-469F-A165-70867728950E" },
        { " {0f8fad5b-d9cb-469f-a165-70867728950e}\r\n",
          "GUID:0F8FAD5B-D9CB-469F-A165-70867728950E" },
        { "0F8FAD5B-D9CB-469F-A165-70867728950E", "GUID:0F8FAD5B-D9CB-469F-A165-70867728950E" },
        { "UID:0f8fad5b-d9cb-469f-a165-70867728950e", "UID:0F8FAD5B-D9CB-469F-A165-70867728950E" },
        { "0F8FAD5B-D9CB-469F-A165-7086772895g0", "0F8FAD5B-D9CB-469F-A165-7086772895G0" },
        { "media", "MEDIA" },
        { "", "" },
        { "GUID:", "" },
        { "{}", "" },
        { "guid:{}", "" },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        char out[CCM_CLIENT_ID_TEXT];
        size_t n = ccm_client_id_normal(ccm_span_str(rows[i][0]), out);
        g_assert_cmpmem(out, n, rows[i][1], strlen(rows[i][1]));
    }
    char out[CCM_CLIENT_ID_TEXT], *wide = g_strnfill(200, 'x');
    g_assert_cmpuint(ccm_client_id_normal(ccm_span_of(wide, 75), out), ==, 75);
    g_assert_cmpuint(ccm_client_id_normal(ccm_span_of(wide, 76), out), ==, 0);
    g_assert_cmpuint(ccm_client_id_normal(ccm_span_of(wide, 200), out), ==, 0);
    g_free(wide);
}

static bool blob(const char *hex, ccm_rsa *rsa)
{
    uint8_t bytes[CCM_BLOB_BYTES + 64];
    size_t n;
    g_assert_true(ccm_hex_decode(ccm_span_str(hex), bytes, sizeof bytes, &n));
    return ccm_rsa_from_blob(ccm_span_of(bytes, n), rsa);
}

static char *patched(const char *hex, size_t at, const char *with)
{
    char *s = g_strdup(hex);
    memcpy(s + 2 * at, with, strlen(with));
    return s;
}

static void test_blob(void)
{
    ccm_rsa rsa;
    g_assert_true(blob(reference_key, &rsa));
    g_assert_cmpuint(rsa.exponent, ==, 65537);
    g_assert_cmpuint(rsa.n, ==, 256);
    g_assert_cmpuint(rsa.modulus[0], ==, 0xd8); /* the last byte of the blob */
    g_assert_cmpuint(rsa.modulus[255], ==, 0xa3);
    static const struct {
        size_t at;
        const char *with;
        bool good;
    } rows[] = {
        { 4, "00240000", true },  /* signature key */
        { 16, "03000000", true }, /* exponents */
        { 16, "FFFFFFFF", true },  { 16, "01000000", false },
        { 16, "00000000", false }, { 16, "02000000", false },
        { 16, "00000100", false }, { 0, "07", false }, /* a private key */
        { 1, "03", false },        { 2, "01", false },
        { 4, "00A50000", false },  { 8, "52534132", false },  /* RSA2 */
        { 12, "00000000", false }, { 12, "08080000", false }, /* longer than it is */
        { 12, "F8070000", false }, { 12, "FFFFFFFF", false },
        { 20, "A2", false },  /* even */
        { 275, "00", false }, /* shorter than it says */
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *hex = patched(reference_key, rows[i].at, rows[i].with);
        g_assert_cmpint(blob(hex, &rsa), ==, rows[i].good);
        g_free(hex);
    }
    char *zero = g_strdup(reference_key), *longer = g_strconcat(reference_key, "00", NULL);
    memset(zero + 40, '0', 512); /* modulus 0, then 1 */
    g_assert_false(blob(zero, &rsa));
    zero[41] = '1';
    g_assert_false(blob(zero, &rsa));
    g_assert_false(blob(longer, &rsa));
    g_free(zero);
    g_free(longer);
    uint8_t bytes[276];
    size_t n;
    g_assert_true(ccm_hex_decode(ccm_span_str(reference_key), bytes, sizeof bytes, &n));
    for (n = 0; n < sizeof bytes; n++) { /* every truncation, on the heap's edge */
        uint8_t *cut = g_memdup2(bytes, n ? n : 1);
        g_assert_false(ccm_rsa_from_blob(ccm_span_of(cut, n), &rsa));
        g_assert_false(ccm_rsa_from_der(ccm_span_of(cut, n), &rsa));
        g_free(cut);
    }
}

static char *blob_of(const ccm_rsa *rsa)
{
    GString *s = g_string_new("060200000024000052534131");
    for (int i = 0; i < 4; i++)
        g_string_append_printf(s, "%02x", rsa->n * 8 >> 8 * i & 255);
    for (int i = 0; i < 4; i++)
        g_string_append_printf(s, "%02x", rsa->exponent >> 8 * i & 255);
    for (int i = rsa->n - 1; i >= 0; i--)
        g_string_append_printf(s, "%02x", rsa->modulus[i]);
    return g_string_free(s, FALSE);
}

static GByteArray *decoded(const char *hex)
{
    GByteArray *b = g_byte_array_new();
    size_t n;
    g_byte_array_set_size(b, (guint)strlen(hex) / 2);
    g_assert_true(ccm_hex_decode(ccm_span_str(hex), b->data, b->len, &n));
    return b;
}

/* One key in all its forms gives one key; every truncation gives none. */
static void test_forms(void)
{
    ccm_rsa rsa, same;
    GByteArray *info = decoded(openssl_1024_der), *numbers = decoded(openssl_1024_rsa);
    g_assert_true(ccm_rsa_from_der(ccm_span_of(info->data, info->len), &rsa));
    g_assert_true(ccm_rsa_from_der(ccm_span_of(numbers->data, numbers->len), &same));
    g_assert_cmpmem(rsa.modulus, rsa.n, same.modulus, same.n);
    char *as_blob = blob_of(&rsa),
         *folded = g_strdup_printf("%.99s\r\n%s\n", as_blob, as_blob + 99);
    char *both = g_strconcat("CN=SMS\n", openssl_ec_pem, openssl_1024_certificate, NULL);
    const char *const forms[] = { openssl_1024_der,
                                  openssl_1024_rsa,
                                  openssl_1024_pem,
                                  openssl_1024_certificate,
                                  as_blob,
                                  folded,
                                  both };
    for (unsigned i = 0; i < G_N_ELEMENTS(forms); i++) {
        ccm_verify *v = make_verify();
        supply(v, "", forms[i]);
        ccm_signature_claim c = openssl_claim(openssl_rows[2].signature);
        expect(v, &c, "verified", GOOD, "supplied");
        ccm_verify_free(v);
        size_t size = strlen(forms[i]);
        for (size_t n = 0; n < size; n += i < 2 ? 1 : 7) {
            char *cut = g_memdup2(forms[i], n ? n : 1);
            v = make_verify();
            GError *error = NULL;
            bool ok = ccm_verify_add_bytes(v, ccm_span_str(""), ccm_span_of(cut, n), "cut", &error);
            g_assert_cmpint(ok, ==, !error);
            g_assert_true(!ok || n + 32 > size);
            g_clear_error(&error);
            ccm_verify_free(v);
            g_free(cut);
        }
    }
    for (guint n = 0; n < info->len; n++) {
        uint8_t *cut = g_memdup2(info->data, n ? n : 1);
        g_assert_false(ccm_rsa_from_der(ccm_span_of(cut, n), &same));
        g_free(cut);
    }
    g_byte_array_unref(info);
    g_byte_array_unref(numbers);
    g_free(as_blob);
    g_free(folded);
    g_free(both);
}

/* Keys that are legal and costly, or no keys at all: none takes long. */
static void test_hostile(void)
{
    static const struct {
        unsigned n;
        uint32_t exponent;
        bool usable;
    } rows[] = { { 64, UINT32_MAX, true },   { 512, UINT32_MAX, true }, { 514, UINT32_MAX, false },
                 { 2048, 65537, true },      { 2048, 131073, false },   { 63, 3, false },
                 { 2048, UINT32_MAX, false } };
    ccm_verify *v = make_verify();
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        ccm_rsa rsa = { .n = (uint16_t)rows[i].n, .exponent = rows[i].exponent };
        memset(rsa.modulus, 0xff, rsa.n);
        char *key = blob_of(&rsa), *signature = g_strnfill(2 * rsa.n, '7');
        ccm_signature_claim c = reference_claim(signature);
        c.public_key = ccm_span_str(key);
        gint64 start = g_get_monotonic_time();
        expect(v, &c, rows[i].usable ? "failed" : "no-key", NULL,
               rows[i].usable ? "message" : NULL);
        g_assert_cmpint(g_get_monotonic_time() - start, <, G_USEC_PER_SEC);
        g_free(key);
        g_free(signature);
    }
    ccm_verify_free(v);
}

/* ---- whose key decides ----------------------------------------------------------------------- */

static void test_learned(void)
{
    registration r;
    registration_open(&r);
    ccm_verify *v = make_verify();
    ccm_signature_claim reg = registration_claim(&r), c = reference_claim(reference_a);
    ccm_span own = c.public_key;
    c.public_key.n = 0;
    expect(v, &c, "no-key", NULL, NULL);
    expect(v, &reg, "verified", "SHA-256 DigestInfo, reversed", "message");
    expect(v, &c, "no-key", NULL, NULL);
    learn(v, 7, 4, REFERENCE_ID); /* other exchanges */
    learn(v, 8, 3, REFERENCE_ID);
    learn(v, 7, 3, "");
    expect(v, &c, "no-key", NULL, NULL);
    learn(v, 7, 3, "guid:{11223344-5566-7788-99aa-bbccddeeff00}");
    expect(v, &c, "verified", REFERENCE_GOOD, "registration");
    c.public_key = own;
    expect(v, &c, "verified", REFERENCE_GOOD, "registration");
    /* another's key in the message: what was registered decides, for and against */
    ccm_rsa rsa;
    GByteArray *der = decoded(openssl_1024_der);
    g_assert_true(ccm_rsa_from_der(ccm_span_of(der->data, der->len), &rsa));
    char *other = blob_of(&rsa);
    c.public_key = ccm_span_str(other);
    expect(v, &c, "verified", REFERENCE_GOOD, "registration");
    c.signature = ccm_span_str(openssl_rows[2].signature);
    c.text = ccm_span_str(openssl_text);
    expect(v, &c, "failed", NULL, "registration");
    /* ... the same with a client that never registered verifies, by its own word alone */
    c.client_id = ccm_span_str(openssl_text);
    expect(v, &c, "verified", GOOD, "message");
    /* the registration again: now its key is known */
    reg.client_id = ccm_span_str(REFERENCE_ID);
    expect(v, &reg, "verified", "SHA-256 DigestInfo, reversed", "registration");
    /* one that fails teaches nothing */
    ccm_verify_forget(v);
    reg.bytes.n -= 2;
    expect(v, &reg, "failed", NULL, "message");
    learn(v, 7, 3, REFERENCE_ID);
    c = reference_claim(reference_a);
    c.public_key.n = 0;
    expect(v, &c, "no-key", NULL, NULL);
    g_free(other);
    g_byte_array_unref(der);
    registration_close(&r);
    ccm_verify_free(v);
}

static void test_message_keys(void)
{
    ccm_verify *v = make_verify();
    ccm_signature_claim c = reference_claim(reference_a), header = c;
    header.field = CCM_SIGNED_CLIENT_ID;
    header.public_key.n = 0;
    /* a message whose signature fails teaches nothing */
    c.text.n--;
    expect(v, &c, "failed", NULL, "message");
    expect(v, &header, "no-key", NULL, NULL);
    c.text.n++;
    expect(v, &c, "verified", REFERENCE_GOOD, "message");
    expect(v, &header, "verified", REFERENCE_GOOD, "message");
    header.text.n--;
    expect(v, &header, "failed", NULL, "message");
    header.text.n++;
    /* other clients do not have that key */
    header.client_id = ccm_span_str(openssl_text);
    expect(v, &header, "no-key", NULL, NULL);
    header.client_id = ccm_span_str(REFERENCE_ID);
    /* the first key stays the client's; of the others the latest is kept, and each is remarked */
    for (unsigned i = 0; i < 3; i++) {
        ccm_rsa rsa;
        GByteArray *der = decoded(openssl_sizes[i].der);
        g_assert_true(ccm_rsa_from_der(ccm_span_of(der->data, der->len), &rsa));
        char *key = blob_of(&rsa);
        ccm_signature_claim mine = openssl_claim(openssl_sizes[i].signature);
        mine.client_id = ccm_span_str(REFERENCE_ID);
        mine.public_key = ccm_span_str(key);
        expect(v, &mine, "verified", GOOD, "new-key");
        expect(v, &mine, "verified", GOOD, "new-key"); /* no less when it comes again */
        expect(v, &header, "verified", REFERENCE_GOOD, "message");
        expect(v, &c, "verified", REFERENCE_GOOD, "message");
        mine.public_key.n = 0;
        expect(v, &mine, "verified", GOOD, "new-key");
        mine.text.n--;
        expect(v, &mine, "failed", NULL, "message");
        mine.public_key = ccm_span_str(key);
        expect(v, &mine, "failed", NULL, "new-key");
        if (i) {
            mine = openssl_claim(openssl_sizes[i - 1].signature);
            mine.client_id = ccm_span_str(REFERENCE_ID);
            expect(v, &mine, "failed", NULL, "message");
        }
        g_free(key);
        g_byte_array_unref(der);
    }
    ccm_verify_free(v);
}

/* Another key than the first, then a registration that brings it: with the answer it is the
 * client's, and the first is no longer. */
static void test_changed_key(void)
{
    registration r;
    registration_open(&r);
    ccm_verify *v = make_verify();
    ccm_rsa rsa;
    GByteArray *der = decoded(openssl_1024_der);
    g_assert_true(ccm_rsa_from_der(ccm_span_of(der->data, der->len), &rsa));
    char *key = blob_of(&rsa);
    ccm_signature_claim reg = registration_claim(&r), later = reference_claim(reference_a),
                        first = openssl_claim(openssl_rows[2].signature);
    reg.client_id = first.client_id = later.client_id;
    first.public_key = ccm_span_str(key);
    expect(v, &first, "verified", GOOD, "message");
    expect(v, &later, "verified", REFERENCE_GOOD, "new-key");
    expect(v, &reg, "verified", "SHA-256 DigestInfo, reversed", "message");
    expect(v, &later, "verified", REFERENCE_GOOD, "new-key"); /* not answered yet */
    learn(v, reg.flow, reg.exchange, REFERENCE_ID);
    expect(v, &later, "verified", REFERENCE_GOOD, "registration");
    later.public_key.n = 0;
    expect(v, &later, "verified", REFERENCE_GOOD, "registration");
    expect(v, &first, "failed", NULL, "registration");
    /* a key that was supplied for nobody in particular excuses no change */
    ccm_verify_forget(v);
    supply(v, "", reference_key);
    later = reference_claim(reference_a);
    expect(v, &first, "verified", GOOD, "message");
    expect(v, &later, "verified", REFERENCE_GOOD, "new-key");
    later.public_key.n = 0;
    expect(v, &later, "verified", REFERENCE_GOOD, "new-key");
    /* ... nor one that comes after it, whether it came with a message first or not */
    for (unsigned brought = 0; brought < 2; brought++) {
        ccm_verify_forget(v);
        supply(v, "", reference_key);
        later = reference_claim(reference_a);
        if (!brought)
            later.public_key.n = 0;
        expect(v, &later, "verified", REFERENCE_GOOD, "supplied");
        expect(v, &first, "verified", GOOD, "new-key");
        expect(v, &later, "verified", REFERENCE_GOOD, "supplied");
    }
    later = reference_claim(reference_a);
    supply(v, REFERENCE_ID, openssl_1024_pem);
    expect(v, &first, "verified", GOOD, "supplied");
    expect(v, &later, "failed", NULL, "supplied");
    g_free(key);
    g_byte_array_unref(der);
    registration_close(&r);
    ccm_verify_free(v);
}

static void test_supplied(void)
{
    registration r;
    registration_open(&r);
    /* what is supplied for a client decides before anything else */
    ccm_verify *v = make_verify();
    supply(v, REFERENCE_ID, openssl_1024_pem);
    ccm_signature_claim c = reference_claim(reference_a), reg = registration_claim(&r);
    expect(v, &c, "failed", NULL, "supplied");
    expect(v, &reg, "verified", "SHA-256 DigestInfo, reversed", "message");
    learn(v, reg.flow, reg.exchange, REFERENCE_ID);
    expect(v, &c, "failed", NULL, "supplied");
    supply(v, "{11223344-5566-7788-99aa-bbccddeeff00}", reference_key);
    expect(v, &c, "verified", REFERENCE_GOOD, "supplied");
    reg.client_id = ccm_span_str(REFERENCE_ID);
    expect(v, &reg, "verified", "SHA-256 DigestInfo, reversed", "supplied");
    ccm_verify_free(v);
    /* without a client: tried where no other key is known, or none fits */
    v = make_verify();
    supply(v, "", openssl_1024_certificate);
    ccm_signature_claim header = openssl_claim(openssl_rows[2].signature);
    expect(v, &header, "verified", GOOD, "supplied");
    expect(v, &c, "verified", REFERENCE_GOOD, "message");
    header.client_id.n = 0;
    expect(v, &header, "verified", GOOD, "supplied");
    header.client_id = ccm_span_str(REFERENCE_ID); /* whose first key is another */
    expect(v, &header, "verified", GOOD, "new-key");
    header.text.n--;
    expect(v, &header, "failed", NULL, "message");
    header.client_id = ccm_span_str("GUID:another");
    expect(v, &header, "no-key", NULL, NULL);
    /* a message whose own key is a supplied one; more keys give more answers */
    header = reference_claim(reference_a);
    header.public_key.n = 0;
    header.client_id.n = 0;
    expect(v, &header, "no-key", NULL, NULL);
    supply(v, "", reference_key);
    expect(v, &header, "verified", REFERENCE_GOOD, "supplied");
    expect(v, &c, "verified", REFERENCE_GOOD, "supplied");
    expect(v, &reg, "verified", "SHA-256 DigestInfo, reversed", "supplied");
    /* but the registered key decides where there is one */
    reg.client_id.n = 0;
    learn(v, reg.flow, reg.exchange, openssl_text);
    header = openssl_claim(openssl_rows[2].signature);
    expect(v, &header, "failed", NULL, "registration");
    ccm_verify_free(v);
    registration_close(&r);
}

static void test_many_supplied(void)
{
    ccm_verify *v = make_verify();
    GError *error = NULL;
    ccm_rsa rsa = { .n = 128, .exponent = 65537 };
    memset(rsa.modulus, 0xc5, rsa.n);
    for (unsigned i = 0; i < CCM_SUPPLIED_ANY - 1; i++) {
        rsa.modulus[5] = (uint8_t)i;
        char *key = blob_of(&rsa);
        supply(v, "", key);
        supply(v, "", key); /* twice is once */
        g_free(key);
    }
    supply(v, "", openssl_1024_pem);
    g_assert_false(
        ccm_verify_add_bytes(v, ccm_span_str(""), ccm_span_str(reference_key), "k", &error));
    g_assert_error(error, CCM_ERROR, CCM_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, "[client-keys]"));
    g_clear_error(&error);
    const ccm_verify_counts *n = ccm_verify_count(v);
    ccm_signature_claim c = openssl_claim(openssl_rows[2].signature);
    expect(v, &c, "verified", GOOD, "supplied");
    uint64_t used = n->rsa_operations;
    g_assert_cmpuint(used, <=, 2 * CCM_SUPPLIED_ANY);
    expect(v, &c, "verified", GOOD, "supplied"); /* known */
    g_assert_cmpuint(n->rsa_operations, ==, used);
    c = openssl_claim(openssl_rows[4].signature); /* the client's key comes first now */
    expect(v, &c, "verified", "SHA-256 DigestInfo, no NUL, not reversed", "supplied");
    g_assert_cmpuint(n->rsa_operations, ==, used + 2);
    ccm_verify_free(v);
    /* of one client */
    v = make_verify();
    for (unsigned i = 0; i <= CCM_SUPPLIED_EACH; i++) {
        rsa.modulus[5] = (uint8_t)i;
        char *key = blob_of(&rsa);
        bool ok = ccm_verify_add_bytes(v, ccm_span_str("GUID:A"), ccm_span_str(key), "k", &error);
        g_assert_cmpint(ok, ==, i < CCM_SUPPLIED_EACH);
        g_free(key);
    }
    g_assert_error(error, CCM_ERROR, CCM_ERROR_USAGE);
    g_clear_error(&error);
    ccm_verify_free(v);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void write_file(const char *folder, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void refused(bool ok, GError **error, const char *says)
{
    g_assert_false(ok);
    g_assert_error(*error, CCM_ERROR, CCM_ERROR_USAGE);
    g_test_message("%s", (*error)->message);
    g_assert_nonnull(strstr((*error)->message, says));
    g_assert_null(strstr((*error)->message, "hunter2")); /* what stands for a secret */
    g_clear_error(error);
}

static void test_files(void)
{
    static const struct {
        const char *name, *text, *says; /* NULL = fine */
    } rows[] = {
        { "key.pem", openssl_1024_pem, NULL },
        { "crt.pem", openssl_1024_certificate, NULL },
        { "key.hex", reference_key, NULL },
        { "ec.pem", openssl_ec_pem, "no RSA certificate" },
        { "secret.pem", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
          "-pubout" },
        { "empty", "", "no RSA certificate" },
        { "text", "not a key", "no RSA certificate" },
        { "other.site", "[hosts]\nmp=10.0.0.1\n", "group [hosts] is not known" },
        { "none.site", "# nothing\n\n[client-keys]\n", NULL },
        { "good.site",
          "[client-keys]\n" REFERENCE_ID " = key.hex\n"
          "{0f8fad5b-d9cb-469f-a165-70867728950e} = crt.pem\n",
          NULL },
        { "lost.site", "[client-keys]\n" REFERENCE_ID " = missing.pem\n",
          REFERENCE_ID ": the file" },
        { "hollow.site", "[client-keys]\n" REFERENCE_ID " =\n", "PATH" },
        { "id.site", "[client-keys]\nGUID: = key.pem\n", "not a client id" },
        { "bad.site", "[client-keys\n", "line 1 is no [group]" },
        { "secret.site", "[client-keys]\n\nhunter2\n", "line 3 is no [group]" },
        { "odd.site", "[client-keys]hunter2\n", "is no site file" },
        { "early.site", "hunter2=hunter2\n[client-keys]\n", "line 1 is no [group]" },
        { "value.site", "[client-keys]\n" REFERENCE_ID " = hunter2\n", "is not there" },
    };
    g_autofree char *folder = g_dir_make_tmp("ccm-verify-XXXXXX", NULL);
    GError *error = NULL;
    ccm_verify *v = make_verify();
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        write_file(folder, rows[i].name, rows[i].text);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_build_filename(folder, rows[i].name, NULL);
        bool site = g_str_has_suffix(path, ".site");
        ccm_verify_forget(v);
        bool ok =
            site ? ccm_verify_add_site(v, path, &error) : ccm_verify_add_file(v, path, &error);
        if (rows[i].says) {
            refused(ok, &error, rows[i].says);
        } else {
            g_assert_no_error(error);
            g_assert_true(ok);
        }
        if (!strcmp(rows[i].name, "good.site")) {
            ccm_signature_claim c = openssl_claim(openssl_rows[2].signature);
            expect(v, &c, "verified", GOOD, "supplied");
            c = reference_claim(reference_a);
            expect(v, &c, "verified", REFERENCE_GOOD, "supplied");
        }
    }
    refused(ccm_verify_add_file(v, folder, &error), &error, "cannot read key file");
    refused(ccm_verify_add_file(v, "/dev/zero", &error), &error, "too large");
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_build_filename(folder, rows[i].name, NULL);
        g_assert_cmpint(g_unlink(path), ==, 0);
    }
    g_assert_cmpint(g_rmdir(folder), ==, 0);
    ccm_verify_free(v);
}

/* ---- bounds ---------------------------------------------------------------------------------- */

static void test_bounds(void)
{
    registration r;
    registration_open(&r);
    ccm_limits limits;
    ccm_limits_init(&limits);
    limits.client_ids = 4;
    ccm_verify *v = ccm_verify_new(&limits);
    const ccm_verify_counts *n = ccm_verify_count(v);
    supply(v, "GUID:kept", reference_key);
    ccm_signature_claim c = reference_claim(reference_a), header = c;
    header.public_key.n = 0;
    for (int i = 0; i < 10; i++) {
        char id[32];
        g_snprintf(id, sizeof id, "GUID:%d", i);
        c.client_id = ccm_span_str(id);
        expect(v, &c, "verified", REFERENCE_GOOD, "message");
        header.client_id = ccm_span_str("GUID:0"); /* in use, so it stays */
        expect(v, &header, "verified", REFERENCE_GOOD, "message");
    }
    g_assert_cmpuint(n->clients_dropped, ==, 6);
    header.client_id = ccm_span_str("GUID:5");
    expect(v, &header, "no-key", NULL, NULL);
    header.client_id = ccm_span_str("GUID:9");
    expect(v, &header, "verified", REFERENCE_GOOD, "message");
    header.client_id = ccm_span_str("GUID:KEPT");
    expect(v, &header, "verified", REFERENCE_GOOD, "supplied");
    /* registrations without an answer */
    ccm_signature_claim reg = registration_claim(&r);
    for (unsigned i = 0; i < CCM_REGISTRATIONS + 2; i++) {
        reg.exchange = i;
        expect(v, &reg, "verified", "SHA-256 DigestInfo, reversed", "message");
    }
    g_assert_cmpuint(n->registrations_dropped, ==, 2);
    g_assert_cmpuint(n->keys_built, ==, 1);
    header.client_id = ccm_span_str("GUID:new");
    learn(v, reg.flow, 1, "GUID:new");
    expect(v, &header, "no-key", NULL, NULL);
    learn(v, reg.flow, 2, "GUID:new");
    expect(v, &header, "verified", REFERENCE_GOOD, "registration");
    registration_close(&r);
    ccm_verify_free(v);
    /* nothing was asked, or nothing there is to free */
    ccm_verify_free(ccm_verify_new(&limits));
    ccm_verify_free(NULL);
}

/* More keys than OpenSSL holds ready. */
static void test_many_keys(void)
{
    ccm_verify *v = make_verify();
    ccm_rsa rsa = { .n = 64, .exponent = 3 };
    memset(rsa.modulus, 0xc5, rsa.n);
    char *signature = g_strnfill(128, '1');
    ccm_signature_claim c = reference_claim(signature);
    for (unsigned i = 0; i < CCM_LIVE_KEYS + 100; i++) {
        rsa.modulus[7] = (uint8_t)i;
        rsa.modulus[9] = (uint8_t)(i >> 8);
        char *key = blob_of(&rsa);
        c.public_key = ccm_span_str(key);
        expect(v, &c, "failed", NULL, "message");
        g_free(key);
    }
    g_assert_cmpuint(ccm_verify_count(v)->keys_built, ==, CCM_LIVE_KEYS + 100);
    g_assert_cmpuint(ccm_verify_signers(v)->live.length, ==, CCM_LIVE_KEYS);
    g_assert_cmpuint(g_hash_table_size(ccm_verify_signers(v)->keys), ==, CCM_LIVE_KEYS);
    c = reference_claim(reference_a);
    expect(v, &c, "verified", REFERENCE_GOOD, "message");
    g_free(signature);
    ccm_verify_free(v);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/verify-keys/ids", test_ids);
    g_test_add_func("/verify-keys/blob", test_blob);
    g_test_add_func("/verify-keys/forms", test_forms);
    g_test_add_func("/verify-keys/hostile", test_hostile);
    g_test_add_func("/verify-keys/learned", test_learned);
    g_test_add_func("/verify-keys/message-keys", test_message_keys);
    g_test_add_func("/verify-keys/changed-key", test_changed_key);
    g_test_add_func("/verify-keys/supplied", test_supplied);
    g_test_add_func("/verify-keys/many-supplied", test_many_supplied);
    g_test_add_func("/verify-keys/files", test_files);
    g_test_add_func("/verify-keys/bounds", test_bounds);
    g_test_add_func("/verify-keys/many-keys", test_many_keys);
    return g_test_run();
}
