/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_tls_prints.c - certificates and fingerprints of hellos: what openssl and tshark said of them
 * (tls_vectors.h), and odd ones laid out by hand. */
#include "tls_driver.h"
#include "proto/tls_certificate.h"
#include "proto/tls_print.h"

static void test_certificates(void)
{
    static const struct {
        const char *der, *subject, *issuer, *serial, *usage;
        uint64_t from, to;
        bool self, authority;
    } rows[] = {
        { CA_DER, CA_SUBJECT, CA_ISSUER, CA_SERIAL, "", CA_STARTDATE, CA_ENDDATE, true, true },
        { SERVER_DER, SERVER_SUBJECT, SERVER_ISSUER, SERVER_SERIAL, "1.3.6.1.5.5.7.3.1",
          SERVER_STARTDATE, SERVER_ENDDATE, false, false },
        { CLIENT_DER, CLIENT_SUBJECT, CLIENT_ISSUER, CLIENT_SERIAL,
          "1.3.6.1.5.5.7.3.2,1.3.6.1.5.5.7.3.4", CLIENT_STARTDATE, CLIENT_ENDDATE, false, false },
        { MACHINE_DER, MACHINE_SUBJECT, MACHINE_ISSUER, MACHINE_SERIAL, "1.3.6.1.4.1.311.101.2",
          MACHINE_STARTDATE, MACHINE_ENDDATE, true, false },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) der = tls_bytes(rows[i].der);
        ccm_certificate x;
        g_assert_true(ccm_certificate_read(ccm_span_of(der->data, der->len), &x));
        g_assert_false(x.incomplete);
        g_assert_cmpmem(x.subject.text, x.subject.n, rows[i].subject, strlen(rows[i].subject));
        g_assert_cmpmem(x.issuer.text, x.issuer.n, rows[i].issuer, strlen(rows[i].issuer));
        g_assert_cmpstr(x.serial, ==, rows[i].serial);
        g_assert_cmpstr(x.usage, ==, rows[i].usage);
        g_assert_cmpuint(x.not_before_ns, ==, rows[i].from * 1000000000);
        g_assert_cmpuint(x.expires_ns, ==, rows[i].to * 1000000000);
        g_assert_cmpint(x.self_signed, ==, rows[i].self);
        g_assert_cmpint(x.authority, ==, rows[i].authority);
        for (guint n = 0; n < der->len; n++) { /* every truncation, exactly as large as it is */
            g_autofree uint8_t *exact = g_memdup2(der->data, n);
            bool good = ccm_certificate_read(ccm_span_of(exact, n), &x);
            g_assert_true(!good || x.incomplete);
        }
    }
}

/* A name that openssl would not write: UTF-16 with the higher byte first, an attribute of unknown
 * type, characters that must be escaped. */
static void test_odd_names(void)
{
    const uint8_t name[] = { 0x30, 0x2a, 0x31, 0x13, 0x30, 0x11, 0x06, 0x03, 0x55, 0x04, 0x03,
                             0x1e, 0x0a, 0x00, 'W',  0x00, 'K',  0x00, 'S',  0x00, '1',  0x00,
                             0xe4, 0x31, 0x13, 0x30, 0x11, 0x06, 0x03, 0x2a, 0x03, 0x04, 0x0c,
                             0x0a, 'x',  'y',  '+',  'z',  ';',  'q',  ' ',  '"',  'a',  'b' };
    ccm_name out = { 0 }, common = { 0 };
    g_assert_true(ccm_certificate_name(ccm_span_of(name, sizeof name), &out, &common));
    static const char want[] = "1.2.3.4=xy\\+z\\;q \\\"ab,CN=WKS1\xc3\xa4";
    g_assert_cmpmem(out.text, out.n, want, sizeof want - 1);
    g_assert_cmpmem(common.text, common.n, "WKS1\xc3\xa4", 6);
    for (size_t n = 0; n < sizeof name; n++) {
        g_autofree uint8_t *exact = g_memdup2(name, n);
        out = (ccm_name){ 0 };
        g_assert_false(ccm_certificate_name(ccm_span_of(exact, n), &out, NULL));
    }
}

static void put16(GByteArray *to, unsigned v)
{
    uint8_t b[] = { (uint8_t)(v >> 8), (uint8_t)v };
    g_byte_array_append(to, b, 2);
}

/* A hello with these lists; extensions without content but those that JA4 reads. */
static GByteArray *hello_of(const uint16_t *ciphers, size_t n_ciphers, const uint16_t *types,
                            size_t n_types, const uint16_t *signatures, size_t n_signatures,
                            ccm_span alpn)
{
    GByteArray *b = g_byte_array_new(), *x = g_byte_array_new();
    for (size_t i = 0; i < n_types; i++) {
        put16(x, types[i]);
        if (types[i] == 43) {
            g_byte_array_append(x, (const guint8 *)"\0\7\6\x7a\x7a\3\4\3\3", 9);
        } else if (types[i] == 13) {
            put16(x, (unsigned)n_signatures * 2 + 2);
            put16(x, (unsigned)n_signatures * 2);
            for (size_t k = 0; k < n_signatures; k++)
                put16(x, signatures[k]);
        } else if (types[i] == 16) {
            put16(x, (unsigned)alpn.n + 3);
            put16(x, (unsigned)alpn.n + 1);
            uint8_t n = (uint8_t)alpn.n;
            g_byte_array_append(x, &n, 1);
            g_byte_array_append(x, alpn.p, (guint)alpn.n);
        } else {
            put16(x, 0);
        }
    }
    put16(b, 0x0303);
    g_byte_array_set_size(b, 34);
    g_byte_array_append(b, (const guint8 *)"", 1);
    put16(b, (unsigned)n_ciphers * 2);
    for (size_t i = 0; i < n_ciphers; i++)
        put16(b, ciphers[i]);
    g_byte_array_append(b, (const guint8 *)"\1\0", 2);
    put16(b, x->len);
    g_byte_array_append(b, x->data, x->len);
    g_byte_array_unref(x);
    return b;
}

static char *ja4_of(const GByteArray *b)
{
    ccm_client_hello h;
    char *out = g_malloc(CCM_JA4_TEXT);
    g_assert_true(ccm_client_hello_read(ccm_span_of(b->data, b->len), &h));
    g_assert_false(h.incomplete);
    ccm_ja4(&h, out);
    return out;
}

/* The examples of FoxIO-LLC/ja4, technical_details/JA4.md, with reserved values mixed in. */
static void test_ja4(void)
{
    static const uint16_t ciphers[] = { 0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f,
                                        0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014,
                                        0x009c, 0x009d, 0x002f, 0x0035 };
    static const uint16_t types[] = { 0x2a2a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469,
                                      0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012,
                                      0x002b, 0xff01, 0x000b, 0x000a, 0x0015, 0xfafa };
    static const uint16_t signatures[] = { 0x0403, 0x0804, 0x0401, 0x0503,
                                           0x0805, 0x0501, 0x0806, 0x0601 };
    static const struct {
        const char *alpn, *want;
    } rows[] = {
        { "h2", "h2" },
        { "http/1.1", "h1" },
        { "", "00" },
        { "x", "xx" },
        { "\xab", "ab" },
        { "\xab\xcd", "ad" },
        { "\x30\xab", "3b" },
        { "\x30\x31\xab\xcd", "3d" },
        { "\x30\xab\xcd\x31", "01" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) b =
            hello_of(ciphers, G_N_ELEMENTS(ciphers), types, G_N_ELEMENTS(types), signatures,
                     G_N_ELEMENTS(signatures), ccm_span_str(rows[i].alpn));
        g_autofree char *got = ja4_of(b),
                        *want =
                            g_strdup_printf("t13d1516%s_8daaf6152771_e5627efa2ab1", rows[i].want);
        g_assert_cmpstr(got, ==, want);
    }
    g_autoptr(GByteArray) none = hello_of(ciphers, 1, NULL, 0, NULL, 0, ccm_span_str(""));
    g_autofree char *got = ja4_of(none);
    g_assert_cmpstr(got, ==, "t12i000000_000000000000_000000000000");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tls/certificates", test_certificates);
    g_test_add_func("/tls/odd-names", test_odd_names);
    g_test_add_func("/tls/ja4", test_ja4);
    return g_test_run();
}
