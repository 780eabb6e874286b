/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_ccm_headers.c - Configuration Manager and BITS headers; expected values by hand. */
#include <glib.h>
#include "proto/ccm_headers.h"

static char *show(const ccm_headers *h, bool response)
{
    ccm_obs o = { .kind = response ? CCM_OBS_http_response : CCM_OBS_http_request };
    if (response)
        ccm_headers_response(h, &o);
    else
        ccm_headers_request(h, &o);
    GString *s = g_string_new(NULL);
    for (int i = 0; i < o.n; i++) {
        g_assert_true(ccm_kind_has(o.kind, ccm_obs_key(&o, (unsigned)i)));
        g_string_append_printf(s, "%s%s=", i ? " " : "", ccm_key_name(ccm_obs_key(&o, (unsigned)i)));
        if (ccm_key_type(ccm_obs_key(&o, (unsigned)i)) == CCM_TYPE_STR)
            ccm_text_append(s, o.val[i].s);
        else
            g_string_append_printf(s, "%" G_GUINT64_FORMAT, o.val[i].u);
    }
    return g_string_free(s, FALSE);
}

static void line(ccm_headers *h, const char *name, const char *value)
{
    ccm_headers_line(h, ccm_span_str(name), ccm_span_str(value));
}

static void expect(const ccm_headers *h, bool response, const char *want)
{
    char *got = show(h, response);
    g_assert_cmpstr(got, ==, want);
    g_free(got);
}

static void test_signature(void)
{
    static const struct {
        size_t n;
        unsigned bits;
    } rows[] = { { 256, 1024 }, { 512, 2048 }, { 768, 3072 }, { 1024, 4096 }, { 0, 0 },
                 { 1, 0 },      { 511, 0 },    { 513, 0 },    { 514, 0 },     { 2048, 0 } };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *hex = g_strnfill(rows[i].n, 'A');
        g_assert_cmpuint(ccm_headers_signature_bits(ccm_span_str(hex)), ==, rows[i].bits);
        if (rows[i].n) {
            hex[rows[i].n / 2] = 'g';
            g_assert_cmpuint(ccm_headers_signature_bits(ccm_span_str(hex)), ==, 0);
        }
        g_free(hex);
    }
}

/* Every character at every place but for hexadecimal digits spoils a signature. */
static void test_signature_characters(void)
{
    char hex[512];
    for (size_t i = 0; i < sizeof hex; i++)
        hex[i] = "0123456789abcdefABCDEF"[i % 22];
    for (size_t at = 0; at < sizeof hex; at += at < 40 ? 1 : 37)
        for (int c = 0; c < 256; c++) {
            char kept = hex[at];
            hex[at] = (char)c;
            g_assert_cmpuint(ccm_headers_signature_bits(ccm_span_of(hex, sizeof hex)), ==,
                             g_ascii_isxdigit(c) ? 2048 : 0);
            hex[at] = kept;
        }
}

static void test_identity(void)
{
    ccm_headers h = { 0 };
    expect(&h, false, "");
    line(&h, "ccmclientid", "GUID:0F8FAD5B-D9CB-469F-A165-70867728950E");
    expect(&h, false, "client_id=GUID:0F8FAD5B-D9CB-469F-A165-70867728950E signature=absent");
    char *hex = g_strnfill(512, 'b');
    line(&h, "CCMClientTimestamp", "2026-01-31T12:00:00Z");
    line(&h, "CCMClientTimestampsSignature", hex);
    expect(&h, false,
           "client_id=GUID:0F8FAD5B-D9CB-469F-A165-70867728950E signature=well-formed "
           "signature_bits=2048 client_time=2026-01-31T12:00:00Z");
    line(&h, "CCMClientIDSignature", "zz");
    expect(&h, false,
           "client_id=GUID:0F8FAD5B-D9CB-469F-A165-70867728950E signature=malformed "
           "client_time=2026-01-31T12:00:00Z");
    g_free(hex);
}

static void test_client_token(void)
{
    static const char *const rows[][2] = {
        { "GUID:AB;2026-01-31T12:00:00Z;2",
          "client_id=GUID:AB signature=absent client_time=2026-01-31T12:00:00Z "
          "token_kind=client-token" },
        { "{ab-cd};2026-01-31T12:00:00Z",
          "client_id={ab-cd} signature=absent client_time=2026-01-31T12:00:00Z "
          "token_kind=client-token" },
        { "something-secret", "signature=absent token_kind=client-token" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ccm_headers h = { 0 };
        line(&h, "ClientToken", rows[i][0]);
        expect(&h, false, rows[i][1]);
    }
}

static char *jwt(const char *claims)
{
    char *head = g_base64_encode((const guchar *)"{\"alg\":\"RS256\"}", 15);
    char *body = g_base64_encode((const guchar *)claims, strlen(claims));
    for (char *p = body; *p; p++)
        *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
    for (char *p = body + strlen(body); p > body && p[-1] == '='; p--)
        p[-1] = '\0';
    char *s = g_strdup_printf("prefix %s.%s.c2lnbmF0dXJl", head, body);
    g_free(head);
    g_free(body);
    return s;
}

static void test_tokens(void)
{
    static const char *const rows[][2] = {
        { "{\"iss\":\"urn:sccm:oauth2:abc\",\"aud\":\"x\"}", "token_kind=jwt, ccm" },
        { "{\"aud\": \"urn:sccm:service\",\"iss\":\"x\"}", "token_kind=jwt, ccm" },
        { "{\"aud\":\"other\",\"note\":\"urn:sccm:service\"}", "token_kind=jwt" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *t = jwt(rows[i][0]);
        for (size_t n = 0; n <= strlen(t); n++) { /* every truncation, on the heap's edge */
            ccm_headers h = { 0 };
            char *cut = g_memdup2(t, n ? n : 1);
            ccm_headers_line(&h, ccm_span_str("X-Any"), ccm_span_of(cut, n));
            if (n == strlen(t))
                expect(&h, false, rows[i][1]);
            g_free(cut);
        }
        g_free(t);
    }
}

/* Every header that has one is kept, up to a bound; kinds are those of all. */
static void test_several_tokens(void)
{
    char *other = jwt("{\"aud\":\"other-service\"}"), *site = jwt("{\"aud\":\"urn:sccm:service\"}");
    char *both = g_strdup_printf("%s, %s", other, site), name[] = "X-0";
    ccm_headers h = { 0 };

    line(&h, "X-Both", both);
    expect(&h, false, "token_kind=jwt, ccm");
    for (unsigned i = 1; i < CCM_TOKENS + 2; i++) {
        g_assert_cmpuint(h.n_jwts, ==, MIN(i, CCM_TOKENS));
        name[2] = (char)('0' + i);
        line(&h, name, other);
    }
    g_assert_cmpmem(h.jwts[0].value.p, h.jwts[0].value.n, both, strlen(both));
    g_assert_cmpmem(h.jwts[1].value.p, h.jwts[1].value.n, other, strlen(other));
    g_free(both);
    g_free(site);
    g_free(other);
}

static void test_bits(void)
{
    ccm_headers h = { 0 };
    line(&h, "BITS-Packet-Type", "Ack");
    line(&h, "bits-session-id", "{1}");
    line(&h, "BITS-Received-Content-Range", "1048576");
    line(&h, "BITS-Error-Code", "0x80200031");
    line(&h, "BITS-Host-Id", "mp2");
    expect(&h, true,
           "bits_packet=Ack bits_session={1} bits_received=1048576 bits_error=0x80200031 "
           "bits_host=mp2");
    expect(&h, false, "bits_packet=Ack bits_session={1}");
    line(&h, "Content-Name", "inv.xml");
    line(&h, "BITS-Received-Content-Range", "12x");
    expect(&h, false, "bits_packet=Ack bits_session={1} content_name=inv.xml");
    g_assert_false(h.has_bits_received);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ccm-headers/signature", test_signature);
    g_test_add_func("/ccm-headers/signature-characters", test_signature_characters);
    g_test_add_func("/ccm-headers/identity", test_identity);
    g_test_add_func("/ccm-headers/client-token", test_client_token);
    g_test_add_func("/ccm-headers/tokens", test_tokens);
    g_test_add_func("/ccm-headers/several-tokens", test_several_tokens);
    g_test_add_func("/ccm-headers/bits", test_bits);
    return g_test_run();
}
