/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_jwt.c - JSON web tokens in header values. The first token was made with the openssl command
 * and a throw-away key; the others are put together here. Expected values by hand. */
#include <glib.h>
#include "proto/json_flat.h"
#include "proto/jwt.h"

static const char bulk_token[] =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsIng1dCI6IjNxMi03d0FBQUFBQUFBQUFBQUFBQUFBQUFBQSJ9.eyJTQ0N"
    "NVG9rZW5DYXRlZ29yeSI6IlNDQ01QcmVBdXRoVG9rZW4iLCJBdXRob3JpdHkiOiJTQ0NNIiwiTGljZW5zZSI6IlNDQ00"
    "iLCJUeXBlIjoiQnVsa1JlZ2lzdHJhdGlvbiIsIlRlbmFudElkIjoiNmYxZDJjM2ItMDAwMC00MDAwLTgwMDAtMDAwMDA"
    "wMDAwMDAxIiwiVW5pcXVlSWQiOiIyYjllN2ExMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwYWEiLCJpc3MiOiJ1cm4"
    "6c2NjbTpvYXV0aDI6YTFiMmMzZDQtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDA5IiwiYXVkIjoidXJuOnNjY206c2V"
    "ydmljZSIsImV4cCI6MTc0MTMyMzYwMCwibmJmIjoxNzQxMDY0NDAwfQ.id1GEpZf8gBtQqKOEKciZf_nY3c_ZC7BXDPR"
    "mNLlGoIJqN-JLmfZLRWTF9_eUysxLyU6_EKIK6vgvDvL1r70gHAaYf4c77sahmXFoVGMXx2MmSCTDiO4rVOqtfiZYi3d"
    "UFsUAPpIs1D923HzRXQnk8O7i3h_j_6jRLdp3s-tLLOaf0TenEYdvEl9mwOQ5GnvDF8tatyQzcjvoKA80GQEEdWZUKN3"
    "EFtKnyPG79T4OtQs-tQ-GB6_vHcDmhnfzWH7yfzqACBIlf7_e-WyNG2KkKI5wxHFgUepJ-vn9absZJRjhxaUmrhkKkaa"
    "SFWA5eBmlI741-fyxk6PYMFzZJ55cw";

static void emit(void *user_data, const ccm_obs *o)
{
    GString *out = user_data;
    g_assert_true(o->kind == CCM_OBS_token);
    g_assert_cmpuint(o->frame, ==, 12);
    g_assert_cmpuint(o->time_ns, ==, 34);
    g_assert_cmpuint(o->src.port, ==, 80);
    for (int i = 0; i < o->n; i++) {
        g_assert_true(ccm_kind_has(o->kind, ccm_obs_key(o, (unsigned)i)));
        g_string_append_printf(out, "%s%s=", i ? " " : "", ccm_key_name(ccm_obs_key(o, (unsigned)i)));
        if (ccm_key_type(ccm_obs_key(o, (unsigned)i)) == CCM_TYPE_STR)
            ccm_text_append(out, o->val[i].s);
        else
            g_string_append_printf(out, "%" G_GUINT64_FORMAT, o->val[i].u);
    }
    g_string_append_c(out, '\n');
}

static char *show(const char *header, const char *value, size_t n)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    GString *out = g_string_new(NULL);
    ccm_parse ps = { .limits = &limits, .emit = emit, .emit_data = out, .l4 = 6 };
    ps.end[1].port = 80;
    char *exact = g_memdup2(value, n ? n : 1);
    ccm_token_emit(&ps, 1, 7, 34, 12, ccm_span_str(header), ccm_span_of(exact, n), 4);
    g_free(exact);
    return g_string_free(out, FALSE);
}

static void expect(const char *header, const char *value, const char *want)
{
    char *got = show(header, value, strlen(value));
    g_assert_cmpstr(got, ==, want);
    g_free(got);
}

static char *base64url(const char *text)
{
    char *s = g_base64_encode((const guchar *)text, strlen(text));
    for (char *p = s; *p; p++)
        *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
    s[strcspn(s, "=")] = '\0';
    return s;
}

static char *token(const char *claims)
{
    char *head = base64url("{\"alg\":\"RS256\"}"), *body = base64url(claims);
    char *s = g_strdup_printf("Bearer %s.%s.c2lnbmF0dXJl", head, body);
    g_free(head);
    g_free(body);
    return s;
}

static void test_bulk(void)
{
    expect("CCMToken", bulk_token,
           "exchange=7 header=ccmtoken category=bulk-registration "
           "issuer=urn:sccm:oauth2:a1b2c3d4-0000-4000-8000-000000000009 "
           "audience=urn:sccm:service not_before_ns=1741064400000000000 "
           "expires_ns=1741323600000000000 algorithm=RS256\n");
}

/* Claims, and what the observation says of them between the header's name and the algorithm. */
static void test_claims(void)
{
    static const char *const rows[][2] = {
        { "{\"iss\":\"urn:sccm:oauth2:abc\",\"aud\":\"urn:sccm:service\",\"TokenType\":\"Device\"}",
          "category=ccm issuer=urn:sccm:oauth2:abc audience=urn:sccm:service subject_kind=device" },
        { "{\"aud\": \"urn:sccm:service\" ,\"TokenType\" : \"UDA\",\"userId\":\"1\"}",
          "category=ccm audience=urn:sccm:service subject_kind=user" },
        /* user-device: of the user, though it names the device, too; TokenType tells first */
        { "{\"aud\":\"urn:sccm:service\",\"TokenType\":\"UDA\",\"deviceId\":\"1\"}",
          "category=ccm audience=urn:sccm:service subject_kind=user" },
        { "{\"aud\":\"urn:sccm:service\",\"TokenType\":\"Device\",\"userId\":\"1\","
          "\"deviceId\":\"1\"}",
          "category=ccm audience=urn:sccm:service subject_kind=device" },
        { "{\"aud\":\"urn:sccm:service\",\"userId\":\"\",\"deviceId\":\"1\"}",
          "category=ccm audience=urn:sccm:service subject_kind=device" },
        { "{\"iss\":\"urn:sccm:oauth2:abc\",\"SCCMTokenCategory\":\"SCCMContentToken\"}",
          "category=content issuer=urn:sccm:oauth2:abc" },
        { "{\"iss\":\"https://sts.windows.net/t/\",\"aud\":\"https://ConfigMgrService\","
          "\"deviceid\":\"d\"}",
          "category=entra issuer=https://sts.windows.net/t/ audience=https://ConfigMgrService "
          "subject_kind=device" },
        { "{\"iss\":\"https://login.microsoftonline.com/t/v2.0\",\"aud\":[\"app\",\"b\"],"
          "\"deviceid\":\"d\",\"oid\":\"o\",\"upn\":\"ann@lab.example\"}",
          "category=entra issuer=https://login.microsoftonline.com/t/v2.0 audience=app "
          "subject_kind=user account=ann@lab.example" },
        { "{\"iss\":\"https://sts.windows.net/t/\",\"unique_name\":\"LAB\\\\\\u00e4nn\"}",
          "category=entra issuer=https://sts.windows.net/t/ subject_kind=user "
          "account=LAB\\\303\244nn" },
        { "{\"iss\":\"https://sts.windows.net/t/\",\"deviceid\":\"d\",\"oid\":\"o\"}",
          "category=entra issuer=https://sts.windows.net/t/" },
        { "{\"iss\":\"https://evil.example/?https://sts.windows.net/\",\"a\":{\"iss\":\"x\"},"
          "\"b\":[1,\"]\",{\"aud\":\"urn:sccm:service\"}],\"exp\":1.5e3,\"c\":null}",
          "category=other issuer=https://evil.example/?https://sts.windows.net/ "
          "expires_ns=1000000000" },
        { "{}", "category=other" },
        { "{\"jti\":\"secret-id\",\"sub\":\"secret-sub\",\"uti\":\"secret-uti\","
          "\"exp\":99999999999999999999}",
          "category=other" },
        /* date -u -d @2000000000: in 2033; the last second that has nanoseconds in 63 bits */
        { "{\"exp\":2000000000,\"nbf\":1900000000}",
          "category=other not_before_ns=1900000000000000000 expires_ns=2000000000000000000" },
        { "{\"exp\":9223372036,\"nbf\":9223372037}",
          "category=other expires_ns=9223372036000000000" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *t = token(rows[i][0]);
        char *want =
            g_strdup_printf("exchange=7 header=authorization %s algorithm=RS256\n", rows[i][1]);
        expect("Authorization", t, want);
        g_free(want);
        g_free(t);
    }
}

/* Damaged claims give what was there before the damage. */
static void test_damage(void)
{
    static const char *const rows[][2] = {
        { "{\"iss\":\"urn:sccm:oauth2:abc\",\"aud\":\"urn:sc",
          "category=ccm issuer=urn:sccm:oauth2:abc" },
        { "{\"iss\":\"urn:sccm:oauth2:abc\" \"aud\":1}",
          "category=ccm issuer=urn:sccm:oauth2:abc" },
        { "{\"exp\":17", "category=other" },
        { "{\"a\":[[[[", "category=other" },
        { "{", "category=other" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *t = token(rows[i][0]);
        char *want =
            g_strdup_printf("exchange=7 header=x %s algorithm=RS256 incomplete=1\n", rows[i][1]);
        expect("X", t, want);
        g_free(want);
        g_free(t);
    }
}

static void test_search(void)
{
    expect("X", "", "");
    expect("X", "eyJ", "");
    expect("X", "eyJhIjoxfQ.eyJhIjoxfQ", "");
    expect("X", "eyJhIjoxfQ.AAAA.AAAA", "");
    expect("X", "eJ eyeJ yJ JJJ eyJeyJ.x", "");
    char *t = token("{\"iss\":\"a\"}"), *u = token("{\"iss\":\"b\"}");
    char *both = g_strdup_printf("eyJ.eyJ; %s, second=%s; %s; %s; %s", t + 7, u + 7, t, t, t);
    expect("X", both,
           "exchange=7 header=x category=other issuer=a algorithm=RS256\n"
           "exchange=7 header=x category=other issuer=b algorithm=RS256\n"
           "exchange=7 header=x category=other issuer=a algorithm=RS256\n"
           "exchange=7 header=x category=other issuer=a algorithm=RS256\n");
    ccm_limits limits;
    ccm_limits_init(&limits);
    GString *out = g_string_new(NULL);
    ccm_parse ps = { .limits = &limits, .emit = emit, .emit_data = out, .l4 = 6 };
    ps.end[1].port = 80;
    for (unsigned room = 0, told = 0; room < 6; room++, told = MIN(room, 4)) {
        unsigned n = ccm_token_emit(&ps, 1, 7, 34, 12, ccm_span_str("x"), ccm_span_str(both), room);
        g_assert_cmpuint(n, ==, told);
    }
    g_string_free(out, TRUE);
    g_free(both);
    g_free(t);
    g_free(u);
}

/* Cut anywhere, a token is told whole or, as long as its claims are not all there, not at all. */
static void test_truncated(void)
{
    size_t n = strlen(bulk_token);
    char *whole = show("x", bulk_token, n);
    size_t dot = (size_t)(strrchr(bulk_token, '.') - bulk_token);
    for (size_t i = 0; i <= n; i++) {
        char *got = show("x", bulk_token, i);
        g_assert_cmpstr(got, ==, i > dot ? whole : "");
        g_free(got);
    }
    g_free(whole);
}

/* No part of the token and none of its unique claims may come out. */
static void test_secrets(void)
{
    char *got = show("Authorization", bulk_token, strlen(bulk_token));
    g_assert_null(strstr(got, "6f1d2c3b"));
    g_assert_null(strstr(got, "2b9e7a10"));
    g_assert_null(strstr(got, "3q2"));
    for (size_t i = 0; i + 12 <= strlen(bulk_token); i++) {
        char part[13] = { 0 };
        memcpy(part, bulk_token + i, 12);
        g_assert_null(strstr(got, part));
    }
    g_free(got);
}

static void test_huge(void)
{
    GString *claims = g_string_new("{\"iss\":\"urn:sccm:oauth2:abc\",\"groups\":[");
    for (unsigned i = 0; i < 1000; i++)
        g_string_append(claims, "\"0f8fad5b-d9cb-469f-a165-70867728950e\",");
    g_string_append(claims, "\"\"],\"aud\":\"x\"}");
    char *t = token(claims->str);
    expect("X", t,
           "exchange=7 header=x category=ccm issuer=urn:sccm:oauth2:abc algorithm=RS256 "
           "incomplete=1\n");
    g_free(t);
    g_string_free(claims, TRUE);
}

static void test_json_escapes(void)
{
    static const char *const rows[][2] = {
        { "a\\\"b\\\\c\\/d", "a\"b\\c/d" },
        { "\\u0041\\u00e9\\u20ac", "A\303\251\342\202\254" },
        { "\\ud83d\\ude00", "\360\237\230\200" },
        { "\\ud83dx", "\357\277\275x" },
        { "\\u12", "\\u12" },
        { "\\", "\\" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t out[64];
        size_t n = ccm_json_unescape(ccm_span_str(rows[i][0]), out, sizeof out);
        g_assert_cmpmem(out, n, rows[i][1], strlen(rows[i][1]));
        for (size_t room = 0; room < n; room++)
            g_assert_cmpuint(ccm_json_unescape(ccm_span_str(rows[i][0]), out, room), <=, room);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/jwt/bulk", test_bulk);
    g_test_add_func("/jwt/claims", test_claims);
    g_test_add_func("/jwt/damage", test_damage);
    g_test_add_func("/jwt/search", test_search);
    g_test_add_func("/jwt/truncated", test_truncated);
    g_test_add_func("/jwt/secrets", test_secrets);
    g_test_add_func("/jwt/huge", test_huge);
    g_test_add_func("/jwt/json-escapes", test_json_escapes);
    return g_test_run();
}
