/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_auth_rules.c - what must not be concluded: from silence, from a name, from what was said to
 * somebody else. Expected by auth-modes.md 6.1, 7.1 and 8, and ccm-protocol.md 2.1 and 3.5. */
#include "auth_driver.h"
#include "model/exchange.h"

#define NONE_SENT "transport none-observed - - proven step: no-authorization challenge-401; "
#define BEGUN "transport ntlm - - proven step: ntlm-type1 challenge-401; "
#define LOGIN "transport ntlm computer LAB\\WKS01$ "

/* 7.1: what the first token of a handshake is, decides; where it was not seen, nothing does. */
static void fallbacks(void)
{
    /* the capture, or the connection, begins behind it: mechanism NTLM, in whatever wrapping */
    expect(STEPS({ .target = DP, TYPE3, .account = "WKS01$", .status = 200 }),
           LOGIN "proven: ntlm-type3");
    expect(STEPS({ .target = DP, .status = 401 },
                 { .target = DP, TYPE3, .account = "WKS01$", .status = 200 }),
           NONE_SENT LOGIN "proven: ntlm-type3 challenge-401");
    /* seen, but bytes are missing before it, where Kerberos may have been tried */
    expect(STEPS({ .target = DP, .status = 200, .pairing = "uncertain" },
                 { .target = DP, TYPE1, .status = 401 },
                 { .target = DP, TYPE3, .account = "WKS01$", .status = 200 }),
           "transport none-observed - - unknown: connection-incomplete; " BEGUN LOGIN
           "proven: ntlm-type3 challenge-401 ntlm-type1");
    /* one direction alone was captured */
    expect(STEPS({ .target = DP, TYPE1 }, { .target = DP, TYPE3, .account = "WKS01$" }),
           "transport ntlm - - likely: ntlm-type1 no-response; " LOGIN
           "likely: ntlm-type3 direct-ntlm no-response");
    /* an offer without a token, which the server answers with NTLM: a fallback */
    expect(STEPS({ .target = DP,
                   .mechanism = "negotiate",
                   .mechanisms = "kerberos, ntlm",
                   .status = 401,
                   .continues = true },
                 { .target = DP, TYPE1, .status = 401, .continues = true },
                 { .target = DP, TYPE3, .account = "WKS01$", .status = 200 }),
           "transport none-observed - - unknown step: unreadable-credential challenge-401; " BEGUN
               LOGIN "proven: ntlm-type3 challenge-401 ntlm-type1 fallback-unexplained");
    /* the same where the server refuses at once; a later handshake is another matter */
    expect(STEPS({ .target = DP,
                   .mechanism = "negotiate",
                   .mechanisms = "negoex, kerberos",
                   .status = 401 },
                 { .target = DP, TYPE1, .status = 401 },
                 { .target = DP, TYPE3, .account = "WKS01$", .status = 200 },
                 { .target = DP, TYPE1, .status = 401 },
                 { .target = DP, TYPE3, .account = "WKS01$", .status = 200 }),
           "transport none-observed - - unknown denied: unreadable-credential denied; " BEGUN LOGIN
           "proven: ntlm-type3 challenge-401 ntlm-type1 fallback-unexplained; " BEGUN LOGIN
           "proven: ntlm-type3 challenge-401 ntlm-type1 direct-ntlm");
    /* what is cut, or cannot be read, may have been Kerberos */
    expect(STEPS({ .target = DP, .mechanism = "negotiate", .status = 401 },
                 { .target = DP, TYPE1, .status = 401 },
                 { .target = DP, TYPE3, .account = "WKS01$", .status = 200 }),
           "transport none-observed - - unknown denied: unreadable-credential denied; " BEGUN LOGIN
           "proven: ntlm-type3 challenge-401 ntlm-type1");
    expect(STEPS({ .target = DP, .cut = true, .status = 401 },
                 { .target = DP, TYPE1, .status = 401 },
                 { .target = DP, TYPE3, .account = "WKS01$", .status = 200 }),
           "transport none-observed - - unknown: head-incomplete; " BEGUN LOGIN
           "proven: ntlm-type3 challenge-401 ntlm-type1");
    /* the offer was of the handshake before, which the client gave up */
    expect(STEPS({ .target = DP, TYPE1, .mechanisms = "kerberos, ntlm", .status = 401 },
                 { .target = DP, TYPE1, .status = 401 },
                 { .target = DP, TYPE3, .account = "WKS01$", .status = 200 }),
           BEGUN "transport ntlm - - proven denied: challenge-401 ntlm-type1 denied "
                 "fallback-unexplained; " BEGUN LOGIN
                 "proven: ntlm-type3 challenge-401 ntlm-type1 fallback-unexplained");
}

/* A refused credential that cannot be read was sent all the same. */
static void unreadable(void)
{
#define UNREAD "transport none-observed - - unknown denied: unreadable-credential denied"
    static const char *const mechanisms[] = { "bearer", "other", "negotiate" };
    for (unsigned i = 0; i < G_N_ELEMENTS(mechanisms); i++) {
        expect(STEPS({ .target = DP, .mechanism = mechanisms[i], .status = 401 }), UNREAD);
        expect(STEPS({ .target = DP, .mechanism = mechanisms[i], .status = 401, .schemes = "X" }),
               UNREAD);
    }
    /* a handshake that goes on, and comes to nothing */
    expect(STEPS({ .target = DP, .status = 401 },
                 { .target = DP, .mechanism = "negotiate", .status = 401, .continues = true },
                 { .target = DP, .status = 200 }),
           NONE_SENT "transport none-observed - - unknown step: unreadable-credential "
                     "challenge-401; transport none-observed - - unknown denied: "
                     "unreadable-credential challenge-401 denied; "
                     "transport anonymous anonymous - proven: no-authorization");
    expect(STEPS({ .target = DP, .proxy = true, .mechanism = "other", .status = 407 }),
           "proxy none-observed - - unknown denied: unreadable-credential denied");
#undef UNREAD
}

/* E2: a challenge is one for Negotiate or NTLM. */
static void challenges(void)
{
    static const struct {
        const char *schemes;
        bool windows;
    } rows[] = { { "Negotiate", true },
                 { "ntlm", true },
                 { "Basic, NTLM", true },
                 { "Bearer, negotiate", true },
                 { "Bearer", false },
                 { "Basic", false },
                 { "", false } };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        expect(STEPS({ .target = DP, .status = 401, .schemes = rows[i].schemes },
                     { .target = DP, .status = 401, .schemes = rows[i].schemes }),
               rows[i].windows
                   ? NONE_SENT "transport none-observed - - proven denied: no-authorization "
                               "challenge-401 denied; "
                               "transport none-observed - - proven step: no-authorization "
                               "challenge-401"
                   : "transport none-observed - - proven step: no-authorization denied; "
                     "transport none-observed - - proven denied: no-authorization denied; "
                     "transport none-observed - - proven step: no-authorization denied");
    /* a password, which was asked for otherwise */
    expect(STEPS({ .target = DP, .status = 401, .schemes = "Basic" },
                 { .target = DP, .mechanism = "basic", .account = "svc", .status = 200 }),
           "transport none-observed - - proven step: no-authorization denied; "
           "transport basic user svc proven: basic-credential");
}

/* Behind a proxy each server is shown its own credential. */
static void origins(void)
{
#define A "http://dpa.lab/x"
#define B "http://dpb.lab/x"
#define C "http://dpc.lab/x"
#define P "proxy anonymous anonymous - proven: no-authorization; "
#define NOBODY "transport anonymous anonymous - proven: no-authorization"
#define COVERED LOGIN "strong: connection-authenticated"
    expect(STEPS({ .target = A, TYPE3, .account = "WKS01$", .status = 200 },
                 { .target = B, .status = 200 }, { .target = "http://DPA.lab:80/y", .status = 200 },
                 { .target = B, .status = 200 }),
           P LOGIN "proven: ntlm-type3; " P NOBODY "; " P COVERED "; " P NOBODY);
    /* of three, the proof for one may be forgotten: then silence proves nothing */
    expect(STEPS({ .target = A, TYPE3, .account = "WKS01$", .status = 200 },
                 { .target = B, .status = 200 }, { .target = C, .status = 200 },
                 { .target = A, .status = 200 }),
           P LOGIN "proven: ntlm-type3; " P NOBODY "; " P
                   "transport none-observed - - unknown: connection-incomplete; " P
                   "transport none-observed - - unknown: connection-incomplete");
    /* a handshake with one is none with another */
    expect(STEPS({ .target = A, TYPE1, .status = 401 }, { .target = B, .status = 200 },
                 { .target = A, TYPE3, .account = "WKS01$", .status = 200 }),
           "proxy anonymous anonymous - likely: no-authorization; " BEGUN P NOBODY "; " P LOGIN
           "proven: ntlm-type3 challenge-401 ntlm-type1 direct-ntlm");
    /* without a proxy the Host header may be what it wants: the connection counts */
    expect(STEPS({ .target = DP, TYPE3, .account = "WKS01$", .status = 200 },
                 { .target = "/x", .status = 200 }),
           LOGIN "proven: ntlm-type3; " COVERED);
#undef A
#undef B
#undef C
#undef P
#undef NOBODY
#undef COVERED
}

/* Section 8, class 3 holds for documented directories. */
static void directories(void)
{
    expect(STEPS({ .target = "/SMS_MP_TokenAuth/.sms_pol?x", .status = 200 }),
           "transport ccm-token - - strong: tokenauth-path");
    /* ccm-protocol.md 3.5: Entra ID's, in Authorization, which is not there */
    expect(STEPS({ .target = "/AdminService_TokenAuth/v1.0/Device", .status = 200 }),
           "transport entra-token - - likely: no-authorization tokenauth-path");
    expect(STEPS({ .target = "/oauth_tokenauth/login", .status = 200 }),
           "transport anonymous anonymous - proven: no-authorization tokenauth-path");
    expect(STEPS({ .target = "/ccmtokenauth_x/", .status = 200 }),
           "transport anonymous anonymous - proven: no-authorization ccmtokenauth-path");
    expect(STEPS({ .target = "/ccmtokenauth_x/", .token = "ccm", .status = 200 }),
           "transport ccm-token computer - proven: jwt-ccm ccmtokenauth-path");
}

/* Section 8: one field for distribution points. */
static void one_stage(void)
{
    expect(STEPS({ .target = DP, .signature = "well-formed", .result = "verified", .status = 200 }),
           "transport anonymous anonymous - proven: no-authorization header-signature "
           "signature-verified");
    expect(STEPS({ .target = DP, TYPE1, .signature = "well-formed", .status = 401 },
                 { .target = DP,
                   TYPE3,
                   .account = "WKS01$",
                   .signature = "well-formed",
                   .result = "failed",
                   .status = 200 }),
           BEGUN LOGIN "proven: ntlm-type3 challenge-401 ntlm-type1 direct-ntlm header-signature "
                       "signature-failed");
    expect(STEPS({ .target = "/NOCERT_SMS_DP_SMSSIG$/x", .signature = "malformed", .status = 403 }),
           "transport none-observed - - proven denied: no-authorization denied nocert-path "
           "signature-malformed");
    expect(STEPS({ .target = "/SMS_MP/.sms_pol?x", .signature = "well-formed", .status = 200 }),
           "transport anonymous anonymous - proven: no-authorization; "
           "message message-signature computer - proven: header-signature");
}

/* ---- tokens that a server gives -------------------------------------------------------------- */

typedef struct both {
    ccm_catalog *catalog;
    ccm_model *m;
    ccm_joiner *j;
    GString *seen;
} both;

static void seen(void *user_data, const ccm_exchange *x)
{
    GString *out = user_data;
    for (unsigned i = 0; i < x->n_auth; i++)
        g_string_append_printf(out, "%s ", x->auth[i].mode);
    unsigned issued = 0;
    for (unsigned i = 0; i < x->n_tokens; i++)
        issued += x->tokens[i].issued;
    g_string_append_printf(out, "%u+%u;", x->n_tokens - issued, issued);
}

static void tell(both *b, const ccm_obs *o)
{
    ccm_model_observe(b->m, o);
    ccm_joiner_observe(b->j, o);
}

static void token(both *b, uint64_t exchange, bool answer)
{
    ccm_obs o = drv_inside(CCM_OBS_token, 1, exchange, answer ? SERVER : CLIENT,
                           answer ? CLIENT : SERVER, SECOND);
    drv_text(&o, CCM_KEY_category, "ccm");
    drv_text(&o, CCM_KEY_header, "x-token");
    tell(b, &o);
}

/* A request with a token or none, and its answer with one. */
static void ask(both *b, uint64_t exchange, bool sends, unsigned status)
{
    ccm_obs o = drv_inside(CCM_OBS_http_request, 1, exchange, CLIENT, SERVER, SECOND);
    drv_text(&o, CCM_KEY_method, "POST");
    drv_text(&o, CCM_KEY_target, "/CCM_STS");
    tell(b, &o);
    if (sends)
        token(b, exchange, false);
    o = drv_inside(CCM_OBS_http_response, 1, exchange, SERVER, CLIENT, SECOND);
    ccm_obs_u64(&o, CCM_KEY_status, status);
    tell(b, &o);
    token(b, exchange, true);
    o = drv_inside(CCM_OBS_http_done, 1, exchange, CLIENT, SERVER, SECOND);
    drv_text(&o, CCM_KEY_pairing, "sure");
    tell(b, &o);
}

/* ENTRA (auth-modes.md 3): CCM_STS gives a token; that proves nothing of who asked for it. */
static void issued(void)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    both b = { .catalog = ccm_catalog_load(NULL, NULL), .seen = g_string_new(NULL) };
    b.m = ccm_model_new(b.catalog, &limits);
    b.j = ccm_joiner_new(b.catalog, &limits, seen, b.seen);
    ask(&b, 1, false, 200);
    ask(&b, 2, true, 200);
    ask(&b, 3, false, 401);
    drv_connection(b.m, 1, CLIENT, SERVER, "established", "fin");
    g_assert_cmpstr(b.seen->str, ==, "anonymous 0+1;ccm-token 1+1;none-observed 0+1;");
    ccm_view *v = ccm_view_new(b.m, false);
    const ccm_view_route *r = drv_route(v, "client/mp");
    g_assert_cmpuint(r->n_auth, ==, 3);
    g_assert_cmpuint(drv_auth(r, "transport", "anonymous", NULL)->count, ==, 1);
    g_assert_cmpuint(drv_auth(r, "transport", "none-observed", NULL)->denied, ==, 1);
    g_assert_cmpuint(drv_auth(r, "transport", "ccm-token", NULL)->count, ==, 1);
    ccm_view_free(v);
    ccm_joiner_free(b.j);
    ccm_model_free(b.m);
    ccm_catalog_unref(b.catalog);
    g_string_free(b.seen, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/auth-rules/fallbacks", fallbacks);
    g_test_add_func("/auth-rules/unreadable", unreadable);
    g_test_add_func("/auth-rules/challenges", challenges);
    g_test_add_func("/auth-rules/origins", origins);
    g_test_add_func("/auth-rules/directories", directories);
    g_test_add_func("/auth-rules/one-stage", one_stage);
    g_test_add_func("/auth-rules/issued", issued);
    return g_test_run();
}
