/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_auth.c - the decision tables of auth-modes.md that clear HTTP can show: a row each, made of
 * observations by hand; mode, kind, certainty and evidence are those of the tables. */
#include "auth_driver.h"

/* auth-modes.md 4: distribution point, one field. */
static void distribution_point(void)
{
    /* HTTP, anonymous allowed; E1: 200, 206, and section 4: 404 proves it as well */
    expect(STEPS({ .target = DP, .status = 206 }),
           "transport anonymous anonymous - proven: no-authorization");
    expect(STEPS({ .target = DP, .status = 404 }),
           "transport anonymous anonymous - proven: no-authorization");
    /* what could not be read and is answered 403 was not let in either */
    expect(STEPS({ .target = DP, .mechanism = "other", .status = 403 }),
           "transport none-observed - - unknown denied: unreadable-credential denied");
    /* 403 = client certificate required: nobody was let in */
    expect(STEPS({ .target = DP, .status = 403 }),
           "transport none-observed - - proven denied: no-authorization denied");
    /* HTTP, anonymous off: WIA-C by NTLM; E2, E5, E6 */
    expect(STEPS({ .target = DP, .status = 401 }, { .target = DP, TYPE1, .status = 401 },
                 { .target = DP, TYPE3, .account = "WKS01$", .status = 200 }),
           "transport none-observed - - proven step: no-authorization challenge-401; "
           "transport ntlm - - proven step: ntlm-type1 challenge-401; "
           "transport ntlm computer LAB\\WKS01$ proven: ntlm-type3 challenge-401 ntlm-type1 "
           "direct-ntlm");
    /* E7: an account without $, one client: a user, strong */
    expect(STEPS({ .target = DP, TYPE3, .account = "svc", .status = 200 }),
           "transport ntlm user LAB\\svc strong: ntlm-type3");
    /* WIA-C by Kerberos; E3: method direct, identity none */
    expect(STEPS({ .target = DP, .mechanism = "kerberos", .spn = "HTTP/dp01", .status = 200 }),
           "transport kerberos - - proven: spnego-kerberos");
    /* HTTPS, decrypted: NOCERT_ */
    expect(STEPS({ .target = "/NOCERT_SMS_DP_SMSPKG$/ABC00012/",
                   TYPE3,
                   .account = "WKS01$",
                   .status = 200 }),
           "transport ntlm computer LAB\\WKS01$ proven: ntlm-type3 nocert-path");
    /* eHTTP: CCMTOKENAUTH_; section 8: the path is a strong inference */
    expect(STEPS({ .target = "/CCMTOKENAUTH_SMS_DP_SMSPKG$/ABC00012/",
                   .token = "ccm",
                   .subject = "device",
                   .status = 207 }),
           "transport content-token computer - strong: jwt-ccm ccmtokenauth-path");
    expect(STEPS({ .target = "/CCMTOKENAUTH_SMS_DP_SMSPKG$/ABC00012/", .status = 200 }),
           "transport content-token - - strong: ccmtokenauth-path");
    /* table 4, content of a gateway */
    expect(
        STEPS({ .target = "/downloadrestservice.svc/getcontentxmlsecure?pid=ABC00012&cid=C&"
                          "tid=GUID:1&iss=X&alg=1&st=2025-03-04T05:06:07Z&et=2025-03-04T13:06:07Z",
                .status = 200 }),
        "transport content-token - - strong: content-url");
    /* E9: NTLM without a user is anonymous */
    expect(STEPS({ .target = DP, TYPE3, .no_user = true, .status = 200 }),
           "transport anonymous anonymous - proven: ntlm-anonymous");
}

/* auth-modes.md 3: management point; transport and message apart. */
static void management_point(void)
{
    const char *route = "/ccm_system/request";
    /* location request: AN, by .sms_aut or MP_LocationManager */
    expect(STEPS({ .target = "/SMS_MP/.sms_aut?MPLIST", .status = 200 }),
           "transport anonymous anonymous - proven: no-authorization; "
           "message anonymous anonymous - proven: location-request");
    expect(STEPS({ .method = "CCM_POST",
                   .target = route,
                   .endpoint = "MP_LocationManager",
                   .status = 200 }),
           "transport anonymous anonymous - proven: no-authorization; "
           "message anonymous anonymous - proven: location-request");
    /* client package */
    expect(STEPS({ .target = "/CCM_Client/ccmsetup.exe", .status = 200 }),
           "transport anonymous anonymous - proven: no-authorization; "
           "message anonymous anonymous - proven: client-package");
    /* registration: E14 */
    expect(STEPS({ .method = "CCM_POST",
                   .target = route,
                   .endpoint = "MP_ClientRegistration",
                   .status = 200 }),
           "transport anonymous anonymous - proven: no-authorization; "
           "message anonymous anonymous - proven: registration");
    /* registration with Windows authentication: E15 */
    expect(STEPS({ .method = "CCM_POST",
                   .target = "/ccm_system_windowsauth/request",
                   TYPE3,
                   .account = "WKS01$",
                   .endpoint = "MP_ClientRegistration",
                   .status = 200 }),
           "transport ntlm computer LAB\\WKS01$ proven: ntlm-type3 windowsauth-path; "
           "message anonymous anonymous - proven: registration windowsauth-path");
    /* registration with an Entra device token: E12 */
    expect(STEPS({ .method = "CCM_POST",
                   .target = "/ccm_system_tokenauth/request",
                   .token = "entra",
                   .subject = "device",
                   .endpoint = "MP_ClientRegistration",
                   .status = 200 }),
           "transport entra-token computer - strong: jwt-entra tokenauth-path; "
           "message anonymous anonymous - proven: registration tokenauth-path");
    /* everything after registration: SIGN, E13 */
    expect(STEPS({ .method = "CCM_POST",
                   .target = route,
                   .endpoint = "MP_PolicyManager",
                   .is_signed = true,
                   .result = "verified",
                   .status = 200 }),
           "transport anonymous anonymous - proven: no-authorization; "
           "message message-signature computer - proven: clientauth-hook signature-verified");
    expect(STEPS({ .method = "CCM_POST",
                   .target = route,
                   .endpoint = "MP_PolicyManager",
                   .is_signed = true,
                   .result = "failed",
                   .status = 200,
                   .empty = true }),
           "transport anonymous anonymous - proven: no-authorization; message message-signature "
           "computer - unknown denied: clientauth-hook signature-failed empty-reply");
    /* its header breaks off before it tells anything; or behind the endpoint, before which hooks
     * are; or behind the name of a hook, before the signatures that it announces */
    expect(STEPS({ .method = "CCM_POST",
                   .target = route,
                   .endpoint = "",
                   .cut_message = true,
                   .status = 200 }),
           "transport anonymous anonymous - proven: no-authorization; "
           "message none-observed - - unknown: message-not-decoded");
    expect(STEPS({ .method = "CCM_POST",
                   .target = route,
                   .endpoint = "MP_HinvEndpoint",
                   .cut_message = true,
                   .status = 200 }),
           "transport anonymous anonymous - proven: no-authorization; "
           "message anonymous anonymous - proven: no-signature");
    expect(STEPS({ .method = "CCM_POST",
                   .target = route,
                   .endpoint = "",
                   .is_signed = true,
                   .cut_message = true,
                   .status = 200 }),
           "transport anonymous anonymous - proven: no-authorization; message message-signature "
           "computer - strong: clientauth-hook head-incomplete");
    /* nothing but the id is signed, which never changes: whoever saw it can send it again */
    expect(STEPS({ .method = "CCM_POST",
                   .target = route,
                   .endpoint = "MP_PolicyManager",
                   .is_signed = true,
                   .field = "message-client-id",
                   .result = "verified",
                   .status = 200 }),
           "transport anonymous anonymous - proven: no-authorization; message message-signature "
           "computer - likely: clientauth-hook client-id-only");
    /* ... but where it breaks off, the other signature may have followed */
    expect(STEPS({ .method = "CCM_POST",
                   .target = route,
                   .endpoint = "",
                   .is_signed = true,
                   .cut_message = true,
                   .field = "message-client-id",
                   .result = "verified",
                   .status = 200 }),
           "transport anonymous anonymous - proven: no-authorization; message message-signature "
           "computer - strong: clientauth-hook head-incomplete");
    /* the id's signature never changes and may be copied; that of the payload fails */
    expect(STEPS({ .method = "CCM_POST",
                   .target = route,
                   .endpoint = "MP_PolicyManager",
                   .is_signed = true,
                   .result = "verified",
                   .also = "failed",
                   .status = 200 }),
           "transport anonymous anonymous - proven: no-authorization; message message-signature "
           "computer - unknown: clientauth-hook signature-failed signature-verified");
    expect(STEPS({ .method = "CCM_POST",
                   .target = route,
                   .endpoint = "MP_HinvEndpoint",
                   .status = 200 }),
           "transport anonymous anonymous - proven: no-authorization; "
           "message anonymous anonymous - proven: no-signature");
    /* policy with signed headers: E16, E17 */
    expect(
        STEPS({ .target = "/SMS_MP/.sms_pol?{1}.1_00", .signature = "well-formed", .status = 200 }),
        "transport anonymous anonymous - proven: no-authorization; "
        "message message-signature computer - proven: header-signature");
    expect(
        STEPS({ .target = "/SMS_MP/.sms_pol?{1}.1_00", .signature = "malformed", .status = 200 }),
        "transport anonymous anonymous - proven: no-authorization; "
        "message none-observed - - unknown: signature-malformed");
    /* user-centric: WIA-U, E8; ENTRA-U, E12 */
    expect(
        STEPS(
            { .target = "/CMUserService_WindowsAuth/x", TYPE3, .account = "alice", .status = 200 }),
        "transport ntlm user LAB\\alice strong: ntlm-type3 windowsauth-path");
    expect(STEPS({ .target = "/CMUserService/x",
                   .token = "entra",
                   .subject = "user",
                   .account = "alice@lab.example",
                   .status = 200 }),
           "transport entra-token user alice@lab.example strong: jwt-entra");
    /* token request at CCM_STS; a bulk registration token: E11 */
    expect(STEPS({ .target = "/CCM_STS",
                   .token = "bulk-registration",
                   .subject = "device",
                   .status = 200 }),
           "transport bulk-registration-token computer - proven: jwt-bulk-registration");
    expect(STEPS({ .target = "/CCM_STS", .token = "ccm", .status = 401 }),
           "transport ccm-token computer - proven denied: jwt-ccm denied");
    /* E18 */
    expect(STEPS({ .method = "CCM_POST",
                   .target = "/ccm_system_AltAuth/request",
                   .endpoint = "MP_PolicyManager",
                   .status = 200 }),
           "transport anonymous anonymous - proven: no-authorization altauth-path; "
           "message anonymous anonymous - proven: no-signature altauth-path");
    /* not decoded: no guess */
    expect(STEPS({ .method = "CCM_POST", .target = route, .status = 200 }),
           "transport anonymous anonymous - proven: no-authorization; "
           "message none-observed - - unknown: message-not-decoded");
}

/* Handshakes over the exchanges of one connection. */
static void handshakes(void)
{
    /* an authenticated connection covers what follows, until it is refused */
    expect(STEPS({ .target = MPW, TYPE3, .account = "WKS01$", .status = 200 },
                 { .target = MPW, .status = 200 }, { .target = MPW, .status = 401 },
                 { .target = "/x", .status = 200 }),
           "transport ntlm computer LAB\\WKS01$ proven: ntlm-type3 windowsauth-path; "
           "transport ntlm computer LAB\\WKS01$ strong: connection-authenticated windowsauth-path; "
           "transport none-observed - - proven step: no-authorization challenge-401; "
           "transport none-observed - - proven denied: no-authorization challenge-401 denied "
           "windowsauth-path; "
           "transport anonymous anonymous - proven: no-authorization");
    /* 7.1 pattern 3: refused ticket, then NTLM */
    expect(STEPS({ .target = DP, .mechanism = "kerberos", .spn = "HTTP/x", .status = 401 },
                 { .target = DP, TYPE1, .status = 401 },
                 { .target = DP, TYPE3, .account = "WKS01$", .status = 200 }),
           "transport kerberos - - proven denied: spnego-kerberos denied; "
           "transport ntlm - - proven step: ntlm-type1 challenge-401; "
           "transport ntlm computer LAB\\WKS01$ proven: ntlm-type3 challenge-401 ntlm-type1 "
           "fallback-rejected");
    /* the same where the refusal holds a token, as if Kerberos went on */
    expect(STEPS({ .target = DP,
                   .mechanism = "kerberos",
                   .spn = "HTTP/x",
                   .status = 401,
                   .continues = true },
                 { .target = DP, TYPE1, .status = 401, .continues = true },
                 { .target = DP, TYPE3, .account = "WKS01$", .status = 200 }),
           "transport kerberos - - proven step: spnego-kerberos challenge-401; "
           "transport kerberos - - proven denied: spnego-kerberos challenge-401 denied; "
           "transport ntlm - - proven step: ntlm-type1 challenge-401; "
           "transport ntlm computer LAB\\WKS01$ proven: ntlm-type3 challenge-401 ntlm-type1 "
           "fallback-rejected");
    /* 7.1 rule: SPNEGO with both, then NTLM, is a fallback */
    expect(STEPS({ .target = DP, TYPE1, .mechanisms = "kerberos, ntlm", .status = 401 },
                 { .target = DP, TYPE3, .account = "WKS01$", .status = 200 }),
           "transport ntlm - - proven step: ntlm-type1 challenge-401; "
           "transport ntlm computer LAB\\WKS01$ proven: ntlm-type3 challenge-401 ntlm-type1 "
           "fallback-unexplained");
    /* a failed attempt is no authentication */
    expect(STEPS({ .target = DP, TYPE1, .status = 401 },
                 { .target = DP, TYPE3, .account = "bob", .status = 401 }),
           "transport ntlm - - proven step: ntlm-type1 challenge-401; "
           "transport ntlm user LAB\\bob strong denied: ntlm-type3 challenge-401 ntlm-type1 "
           "direct-ntlm denied");
}

/* Stage proxy: 407 in place of 401. */
static void web_proxy(void)
{
    const char *x = "http://dp01/SMS_DP_SMSPKG$/P/f";
    expect(
        STEPS(
            { .target = x, .status = 407 },
            { .target = x, .proxy = true, .mechanism = "basic", .account = "svc", .status = 206 }),
        "proxy none-observed - - proven step: no-authorization challenge-407; "
        "proxy basic user svc proven: basic-credential challenge-407; "
        "transport anonymous anonymous - proven: no-authorization");
    expect(STEPS({ .method = "CONNECT",
                   .target = "cmg:443",
                   .proxy = true,
                   TYPE3,
                   .account = "WKS01$",
                   .status = 200 }),
           "proxy ntlm computer LAB\\WKS01$ proven: ntlm-type3");
}

/* auth-modes.md 8, class 0: loss and mid-stream captures. */
static void unknown(void)
{
    expect(STEPS({ .target = DP, .status = 200, .pairing = "uncertain" },
                 { .target = DP, .status = 200 }),
           "transport none-observed - - unknown: connection-incomplete; "
           "transport none-observed - - unknown: connection-incomplete");
    expect(STEPS({ .target = DP, .cut = true, .status = 200 }),
           "transport none-observed - - unknown: head-incomplete");
    /* what is cut may have signed the request */
    expect(STEPS({ .target = "/SMS_MP/.sms_aut?MPLIST", .cut = true, .status = 200 }),
           "transport none-observed - - unknown: head-incomplete; "
           "message none-observed - - unknown: head-incomplete");
    expect(STEPS({ .status = 200, .pairing = "response-only" }),
           "transport none-observed - - unknown: head-incomplete");
    expect(STEPS({ .target = DP }), "transport none-observed - - unknown: no-response");
    /* the 401 to the first message is lost: the next answer is not this one's */
    expect(STEPS({ .target = DP, TYPE1, .status = 200, .pairing = "uncertain" }),
           "transport ntlm - - likely: ntlm-type1 connection-incomplete");
    expect(
        STEPS({ .target = DP, TYPE3, .account = "WKS01$", .status = 401, .pairing = "uncertain" }),
        "transport ntlm computer LAB\\WKS01$ likely: ntlm-type3 "
        "connection-incomplete");
    /* the end of a handshake is among lost bytes: nobody saw a refusal */
    expect(STEPS({ .target = DP, TYPE1, .status = 401 },
                 { .status = 207, .pairing = "response-only" }),
           "transport ntlm - - proven step: ntlm-type1 challenge-401; "
           "transport ntlm - - likely: challenge-401 ntlm-type1 connection-incomplete direct-ntlm; "
           "transport none-observed - - unknown: head-incomplete");
    expect(STEPS({ .target = DP, .status = 401 }, { .target = DP, .cut = true, .status = 207 }),
           "transport none-observed - - proven step: no-authorization challenge-401; "
           "transport none-observed - - unknown: no-authorization challenge-401 "
           "connection-incomplete; "
           "transport none-observed - - unknown: head-incomplete");
    /* a credential is seen, its acceptance is not: behaviour only */
    expect(STEPS({ .target = DP, TYPE3, .account = "WKS01$" }),
           "transport ntlm computer LAB\\WKS01$ likely: ntlm-type3 no-response");
    expect(STEPS({ .target = DP, .mechanism = "negotiate", .status = 200 }),
           "transport none-observed - - unknown: unreadable-credential");
    expect(STEPS({ .target = DP, .token = "other", .status = 200 }),
           "transport none-observed - - unknown: jwt-other");
}

/* E6: a computer's account at a workstation of another name. */
static void workstations(void)
{
    /* half of E6 speaks against it: section 8, one step less than proven */
    expect(
        STEPS({ .target = DP, TYPE3, .account = "WKS9$", .workstation = "OTHER", .status = 200 }),
        "transport ntlm computer LAB\\WKS9$ strong: ntlm-type3 workstation-differs");
    expect(STEPS({ .target = DP, TYPE3, .account = "WKS9$", .workstation = "OTHER" }),
           "transport ntlm computer LAB\\WKS9$ likely: ntlm-type3 workstation-differs "
           "no-response");
    expect(STEPS({ .target = DP, TYPE3, .account = "WKS9$", .workstation = "WKS9", .status = 200 }),
           "transport ntlm computer LAB\\WKS9$ proven: ntlm-type3");
    expect(STEPS({ .target = DP, TYPE3, .account = "bob", .workstation = "OTHER", .status = 200 }),
           "transport ntlm user LAB\\bob strong: ntlm-type3");
    expect(STEPS({ .target = DP,
                   .mechanism = "ntlm",
                   .ntlm_type = 3,
                   .account = "WKS2$@lab.example",
                   .workstation = "WKS2",
                   .status = 200 }),
           "transport ntlm computer WKS2$@lab.example proven: ntlm-type3");
}

#define MESSAGE(to) .method = "CCM_POST", .target = "/ccm_system/request", .endpoint = to
#define OPEN "transport anonymous anonymous - proven: no-authorization; "

/* Signatures that verify with another key, and those of registrations. */
static void signatures(void)
{
    expect(STEPS({ MESSAGE("MP_PolicyManager"), .is_signed = true, .result = "verified",
                   .key_source = "new-key", .status = 200 }),
           OPEN "message message-signature computer - likely: clientauth-hook signature-verified "
                "key-changed");
    /* one that fails is worse, whatever its key */
    expect(STEPS({ MESSAGE("MP_PolicyManager"), .is_signed = true, .result = "verified",
                   .also = "failed", .key_source = "new-key", .status = 200 }),
           OPEN "message message-signature computer - unknown: clientauth-hook signature-failed "
                "signature-verified key-changed");
    expect(STEPS({ MESSAGE("MP_PolicyManager"), .is_signed = true, .result = "failed",
                   .key_source = "new-key", .status = 200 }),
           OPEN "message message-signature computer - unknown: clientauth-hook signature-failed");
    expect(STEPS({ .target = "/SMS_MP/.sms_pol?{1}.1_00",
                   .signature = "well-formed",
                   .result = "verified",
                   .field = "client-token",
                   .key_source = "new-key",
                   .status = 200 }),
           OPEN "message message-signature computer - likely: header-signature signature-verified "
                "key-changed");
    /* a registration signs itself: E14; whole it proves no client, broken it is worth nothing */
    expect(STEPS({ MESSAGE("MP_ClientRegistration"), .result = "verified", .field = "registration",
                   .status = 200 }),
           OPEN "message anonymous anonymous - proven: registration");
    expect(STEPS({ MESSAGE("MP_ClientRegistration"), .result = "failed", .field = "registration",
                   .status = 200, .empty = true }),
           OPEN "message anonymous anonymous - unknown denied: registration signature-failed "
                "empty-reply");
    expect(STEPS({ MESSAGE("MP_ClientRegistration"), .is_signed = true, .result = "failed",
                   .field = "registration", .status = 200 }),
           OPEN "message message-signature computer - unknown: clientauth-hook registration "
                "signature-failed");
}

/* Whatever takes the short way must be what the tables say of it: every status, and paths that are
 * plain and that are not. */
static void short_way(void)
{
    static const char *const targets[] = {
        "/SMS_DP_SMSPKG$/ABC00012", "/SMS_MP/.sms_pol?{X}",     "/SMS_MP/.sms_aut?MPLIST",
        "/ccm_system/request",      "/CCM_Client/ccmsetup.msi", "/NOCERT_SMS_DP_SMSPKG$/A",
        "/SMS_DP_TokenAuth/A",      "http://x/SMS_DP_SMSPKG$/A"
    };
    unsigned taken = 0;
    for (unsigned i = 0; i < 2 * G_N_ELEMENTS(targets); i++) {
        for (unsigned status = 100; status < 1000; status++) {
            step s = { .method = i % 2 ? "CCM_POST" : "GET", .target = targets[i / 2] };
            world w;
            begin(&w);
            ccm_auth_facts f;
            ccm_auth_begin(&f, 1);
            request(&w, &f, &s, 4);
            ccm_obs o = drv_obs(CCM_OBS_http_response, 1, SERVER, CLIENT, 2);
            ccm_obs_u64(&o, CCM_KEY_status, status);
            ccm_auth_plain p;
            ccm_plain_sum sum = { 0 };
            if (ccm_auth_plain_of(&f, &p) && ccm_auth_plain_response(&p, &o)) {
                ccm_auth_verdicts v;
                ccm_auth_collect(&f, &w.texts, &o);
                ccm_auth_facts same = ccm_auth_plain_facts(&p);
                g_assert_cmpuint(same.response_frame, ==, f.response_frame);
                g_assert_cmpuint(same.request_frame, ==, f.request_frame);
                g_assert_cmpuint(same.time_ns, ==, f.time_ns);
                g_assert_cmpuint(same.status, ==, f.status);
                g_assert_cmpuint(same.path, ==, f.path);
                g_assert_true(same.request && same.response && same.post == f.post);
                ccm_auth_conclude(&w.c, &f, &v);
                g_assert_cmpuint(v.n, ==, 1);
                ccm_plain_sum_add(&sum, &p);
                ccm_auth_seen seen[CCM_VERDICT_EVIDENCE], short_seen;
                ccm_auth_sum want = ccm_auth_sum_of(&v.v[0], seen);
                ccm_auth_sum got = ccm_auth_sum_of_plain(&sum, &short_seen);
                g_assert_true(ccm_auth_sum_same(&want, &got));
                g_assert_cmpuint(got.certainty, ==, want.certainty);
                g_assert_cmpuint(got.count, ==, want.count);
                g_assert_cmpuint(got.denied, ==, want.denied);
                g_assert_cmpuint(got.first_ns, ==, want.first_ns);
                g_assert_cmpuint(want.n, ==, 1);
                g_assert_cmpuint(short_seen.id, ==, seen[0].id);
                g_assert_cmpuint(short_seen.first_frame, ==, seen[0].first_frame);
                g_assert_true(ccm_auth_connection_quiet(&w.c));
                taken++;
            }
            end(&w);
        }
    }
    /* Two targets with both methods, the router but for CCM_POST; 401, 403 and 407 are never plain.
     */
    g_assert_cmpuint(taken, ==, 5 * 897);
}

/* The same evidence again adds up, from the earliest frame that is known. */
static void test_evidence_sum(void)
{
    static const uint64_t frames[] = { 9, 5, 0, 12 };
    ccm_auth_seen room[2] = { { 0 } };
    ccm_auth_sum s = { .evidence = room, .cap = 2 };

    for (unsigned i = 0; i < G_N_ELEMENTS(frames); i++)
        ccm_auth_sum_evidence(&s,
                              &(ccm_auth_seen){ .id = 3, .count = 1, .first_frame = frames[i] });
    g_assert_cmpuint(s.n, ==, 1);
    g_assert_cmpuint(room[0].count, ==, 4);
    g_assert_cmpuint(room[0].first_frame, ==, 5);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/auth/distribution-point", distribution_point);
    g_test_add_func("/auth/management-point", management_point);
    g_test_add_func("/auth/handshakes", handshakes);
    g_test_add_func("/auth/web-proxy", web_proxy);
    g_test_add_func("/auth/unknown", unknown);
    g_test_add_func("/auth/workstations", workstations);
    g_test_add_func("/auth/signatures", signatures);
    g_test_add_func("/auth/short-way", short_way);
    g_test_add_func("/auth/evidence-sum", test_evidence_sum);
    return g_test_run();
}
