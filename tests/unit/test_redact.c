/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_redact.c - secrets in texts from the wire. Each secret here is written with the letters
 * SECRET, escaped or not, so that none may be left; what else remains is written by hand. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <glib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "proto/proto.h"
#include "proto/redact.h"

#define TOKEN "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJTRUNSRVQifQ.SECRETSECRETSECRET"

/* base64 of "NTLMSSP", a zero and 3; what follows is too long to be a type 1 */
#define NTLM3                                                                                      \
    "TlRMTVNTUAADSECRETSECRETSECRETSECRETSECRETSECRETSECRETSECRETSECRETSECRETSECRETSECRETSECRETSE" \
    "CRETSECRETSECRETSECRET"

typedef struct row {
    const char *in, *out;
} row;

static const row urls[] = {
    { "/a?b=1&sig=SECRET%2B&c=2", "/a?b=1&sig=...&c=2" },
    { "/a?SIG=SECRET", "/a?SIG=..." },
    { "/a?access_token=SECRET", "/a?access_token=..." },
    { "/a?id_token=SECRET&refresh_token=SECRET&x", "/a?id_token=...&refresh_token=...&x" },
    { "/a?client_secret=SECRET&client_assertion=SECRET",
      "/a?client_secret=...&client_assertion=..." },
    { "/a?assertion=SECRET&code=SECRET", "/a?assertion=...&code=..." },
    { "/a?password=SECRET&pwd=SECRET&SASToken=SECRET&sv=1",
      "/a?password=...&pwd=...&SASToken=...&sv=1" },
    { "/a?X-Amz-Security-Token=SECRET", "/a?X-Amz-Security-Token=..." },
    { "/a?a_name_that_is_longer_than_any_table_token=SECRET",
      "/a?a_name_that_is_longer_than_any_table_token=..." },
    /* values that go on */
    { "/a?password=SECRET?SECRET;SECRET#SECRET/SECRET=SECRET&b", "/a?password=...&b" },
    { "/a?password=SECRET%26SECRET&b", "/a?password=...&b" },
    { "/a;token=SECRET/SECRET;SECRET?b=c", "/a;token=...?b=c" },
    { "/a#access_token=SECRET&state=1", "/a#access_token=...&state=1" },
    { "/a?b;sig=SECRET", "/a?b;sig=..." },
    { "/a?b=1&amp;sig=SECRET", "/a?b=1&amp;sig=..." },
    { "/a?url=sig=SECRET", "/a?url=sig=..." },
    /* escapes */
    { "/a?%73ig=SECRET", "/a?%73ig=..." },
    { "/a?%2573ig=SECRET", "/a?%2573ig=..." },
    { "/a?s%69g%3dSECRET", "/a?s%69g%3d..." },
    { "/a?u=%2Fb%3Fsig%3DSECRET%26c%3D1&d=2", "/a?u=%2Fb%3Fsig%3D...&d=2" },
    { "/a?sig%20=SECRET", "/a?sig%20=..." },
    { "/a?token[]=SECRET", "/a?token[]=..." },
    { "/a?b=%", "/a?b=%" },
    { "/a?b=%4", "/a?b=%4" },
    { "/a%20b?c=%7B1%7D", "/a%20b?c=%7B1%7D" },
    /* user information */
    { "http://user:SECRET@host/x?SIGNATURE=SECRET", "http://...@host/x?SIGNATURE=..." },
    { "http://user:SECRET@SECRET@host/", "http://...@host/" },
    { "user:SECRET@mp:443", "...@mp:443" },
    { "//user:SECRET@mp/x", "//...@mp/x" },
    { "/a?u=https://user:SECRET@h/&b", "/a?u=https://...@h/&b" },
    { "/a?u=https%3A%2F%2Fuser%3ASECRET%40h%2F", "/a?u=https%3A%2F%2F...%40h%2F" },
    { "/x@y/z", "/x@y/z" },
    { "/a//x@y/z", "/a//x@y/z" },
    { "http://host/a@b", "http://host/a@b" },
    /* a type 3 of NTLM: 88 bytes and more */
    { "/a/" NTLM3 "/b?c", "/a/...?c" }, /* a slash is of base64, too */
    { "/a?x=" NTLM3 "&c", "/a?x=...&c" },
    /* tokens */
    { "/" TOKEN, "/..." },
    { "/" TOKEN "/b", "/.../b" },
    { "/a?b=" TOKEN "&c", "/a?b=...&c" },
    { "/a;" TOKEN ";c", "/a;...;c" },
    { "/a?Bearer%20" TOKEN, "/a?Bearer%20..." },
    { "/%65yJhbGciOiJSUzI1NiJ9%2EeyJhIjoxfQ%2eSECRETSECRET/b", "/.../b" },
    { "/eyJournal.txt", "/eyJournal.txt" },
    /* nothing to hide */
    { "/a?signal=1&tokens=2&errorcode=3&design=4", "/a?signal=1&tokens=2&errorcode=3&design=4" },
    { "/SMS_MP/.sms_aut?MPLIST", "/SMS_MP/.sms_aut?MPLIST" },
    { "/SMS_DP_SMSPKG$/Content_0123.1/sccm?/a.b", "/SMS_DP_SMSPKG$/Content_0123.1/sccm?/a.b" },
    { "*", "*" },
    { "", "" },
};

#define HEX16 "0123456789ABCDEF"
#define HEX128 HEX16 HEX16 HEX16 HEX16 HEX16 HEX16 HEX16 HEX16
#define HEX160 HEX128 HEX16 HEX16

static const row texts[] = {
    { "Mozilla/5.0 (a=b; c@d; %)", "Mozilla/5.0 (a=b; c@d; %)" },
    { "x/1 " TOKEN " y", "x/1 ... y" },
    { "NTLM " NTLM3 ", y", "NTLM ..., y" },
    { "TlRMTVNTUAABl4II4gAAAAAAAAAAAAAAAAAAAAA=", "TlRMTVNTUAABl4II4gAAAAAAAAAAAAAAAAAAAAA=" },
    { TOKEN, "..." },
    { "eyJ", "eyJ" },
    /* as long as the longest hash; a signature */
    { "a " HEX128 "g", "a " HEX128 "g" },
    { "a " HEX160 " b", "a ... b" },
    { HEX160 HEX160 "0", "..." },
};

typedef ccm_span redact_fn(ccm_span in, uint8_t *buf, size_t size);

/* The bytes end, and `buf` ends, at a page that may not be touched. */
typedef struct guard {
    uint8_t *page, *end;
    size_t size;
} guard;

static guard guard_new(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    guard g = { .size = 5 * page };

    g.page = mmap(NULL, g.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(g.page != MAP_FAILED);
    g.end = g.page + 4 * page;
    g_assert_cmpint(mprotect(g.end, page, PROT_NONE), ==, 0);
    return g;
}

static void check(const row *rows, size_t n, redact_fn *redact)
{
    guard in = guard_new(), out = guard_new();

    for (size_t i = 0; i < n; i++) {
        size_t size = strlen(rows[i].in);
        uint8_t *at = in.end - size;
        g_test_message("%s", rows[i].in);
        memcpy(at, rows[i].in, size);
        ccm_span s = redact(ccm_span_of(at, size), out.end - 256, 256);
        g_assert_cmpmem(s.p, s.n, rows[i].out, strlen(rows[i].out));
        if (!strcmp(rows[i].in, rows[i].out)) /* the common case is not copied, or says the same */
            continue;
        for (size_t room = 0; room < 64; room++) {
            s = redact(ccm_span_of(at, size), out.end - room, room);
            g_assert_cmpuint(s.n, <=, room);
            g_assert_true(!s.n || !memmem(s.p, s.n, "SECRET", 6));
        }
        for (size_t cut = 0; cut <= size; cut++) {
            memcpy(in.end - cut, rows[i].in, cut);
            s = redact(ccm_span_of(in.end - cut, cut), out.end - 256, 256);
            g_assert_cmpuint(s.n, <=, 256);
        }
    }
    (void)munmap(in.page, in.size);
    (void)munmap(out.page, out.size);
}

static void test_urls(void)
{
    check(urls, G_N_ELEMENTS(urls), ccm_redact_url);
}

static void test_texts(void)
{
    check(texts, G_N_ELEMENTS(texts), ccm_redact_text);
}

/* Wherever it stands in a long text, a secret is seen; without one the text is not copied. */
static void test_places(void)
{
    static const char *const secrets[] = { "?sig=SECRET", ";token=SECRET", "%3fsig%3dSECRET",
                                           "/" TOKEN };
    uint8_t buf[512];

    for (size_t i = 0; i < G_N_ELEMENTS(secrets); i++)
        for (size_t before = 0; before < 70; before++) {
            g_autofree char *pad = g_strnfill(before, 'x');
            g_autofree char *url = g_strconcat("/", pad, secrets[i], NULL);
            ccm_span s = ccm_redact_url(ccm_span_str(url), buf, sizeof buf);
            g_assert_null(memmem(s.p, s.n, "SECRET", 6));
            s = ccm_redact_url(ccm_span_of(url, before + 1), buf, sizeof buf);
            g_assert_true(s.p == (const uint8_t *)url && s.n == before + 1);
        }
}

/* More than there is room for: a password is never shown because its '@' is far away. */
static void test_room(void)
{
    uint8_t buf[64];
    g_autofree char *pad = g_strnfill(200, 'p');
    g_autofree char *url = g_strconcat("http://user:SECRET", pad, "@host/", NULL);

    for (size_t room = 0; room <= sizeof buf; room++) {
        ccm_span s = ccm_redact_url(ccm_span_str(url), buf, room);
        g_assert_true(!s.n || !memmem(s.p, s.n, "user", 4));
    }
}

static void keep_obs(void *user_data, const ccm_obs *o)
{
    GString *out = user_data;
    for (unsigned i = 0; i < o->n; i++) {
        if (ccm_key_type(ccm_obs_key(o, i)) == CCM_TYPE_STR)
            g_string_append_len(out, (const char *)o->val[i].s.p, (gssize)o->val[i].s.n);
        else
            g_string_append_printf(out, "%" G_GUINT64_FORMAT, o->val[i].u);
        g_string_append_c(out, '|');
    }
}

/* Whatever key it stands under. */
static void test_observations(void)
{
    ccm_obs o = { .kind = CCM_OBS_ccm_message };
    g_autoptr(GString) out = g_string_new(NULL);

    ccm_obs_str(&o, CCM_KEY_source_id, ccm_span_str("GUID:1"));
    ccm_obs_u64(&o, CCM_KEY_body_bytes, G_MAXUINT64);
    ccm_redact_emit(&o, keep_obs, out);
    g_assert_cmpstr(out->str, ==, "GUID:1|18446744073709551615|");
    ccm_obs_str(&o, CCM_KEY_client_id, ccm_span_str("x " TOKEN));
    ccm_obs_str(&o, CCM_KEY_server, ccm_span_str(HEX160));
    ccm_obs_flag(&o, CCM_KEY_reply, true);
    ccm_obs_str(&o, CCM_KEY_endpoint, ccm_span_str(TOKEN));
    g_string_truncate(out, 0);
    ccm_redact_emit(&o, keep_obs, out);
    g_assert_cmpstr(out->str, ==, "GUID:1|18446744073709551615|x ...|...|1|...|");
    g_assert_cmpuint(o.val[4].u, ==, 1);
}

/* The shortest token, wherever it stands in a text of whatever length; one letter less is none. */
static void test_short_tokens(void)
{
    static const char token[] = "eyJSECRETSECRETS";
    for (unsigned cut = 0; cut < 2; cut++)
        for (size_t before = 0; before < 40; before++)
            for (size_t after = 0; after < 40; after++) {
                uint8_t buf[128];
                ccm_obs o = { .kind = CCM_OBS_ccm_message };
                g_autoptr(GString) out = g_string_new(NULL), told = g_string_new(NULL);
                g_autofree char *head = g_strnfill(before, ' '), *tail = g_strnfill(after, ' ');
                g_autofree char *in = g_strconcat(head, token + cut, tail, NULL);
                g_autofree char *want = g_strconcat(head, cut ? token + cut : "...", tail, NULL);
                ccm_span s = ccm_redact_text(ccm_span_str(in), buf, sizeof buf);
                g_assert_cmpmem(s.p, s.n, want, strlen(want));
                ccm_obs_u64(&o, CCM_KEY_body_bytes, 1);
                ccm_obs_str(&o, CCM_KEY_source_id, ccm_span_str(in));
                ccm_obs_str(&o, CCM_KEY_client_id, ccm_span_str("no secret, but a long text"));
                ccm_redact_emit(&o, keep_obs, out);
                g_string_printf(told, "1|%s|no secret, but a long text|", want);
                g_assert_cmpstr(out->str, ==, told->str);
            }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/redact/urls", test_urls);
    g_test_add_func("/redact/texts", test_texts);
    g_test_add_func("/redact/places", test_places);
    g_test_add_func("/redact/room", test_room);
    g_test_add_func("/redact/observations", test_observations);
    g_test_add_func("/redact/short-tokens", test_short_tokens);
    return g_test_run();
}
