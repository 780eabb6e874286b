/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_auth_facts.c - what texts tell of authentication: accounts, workstations, paths. Expected
 * values by hand, from auth-modes.md 6.1 and ccm-protocol.md 2. */
#include <glib.h>
#include "model/auth.h"

/* E6: a computer's account, and whether the workstation is the computer. */
static void workstations(void)
{
    static const struct {
        const char *account, *workstation;
        bool differs;
    } rows[] = {
        { "WKS9$", "OTHER", true },
        { "WKS9$", "WKS9", false },
        { "wks9$", "Wks9", false },
        { "WKS9$", "WKS9$", true },
        { "WKS9$", "WKS91", true },
        { "WKS91$", "WKS9", true },
        { "WKS9$", "", false }, /* not told */
        { "$", "OTHER", false },
        { "WKS9", "OTHER", false }, /* a user */
        { "", "OTHER", false },
        { "WKS9$@lab.example", "WKS9", false },
        { "WKS9$@lab.example", "OTHER", true },
        { "bob@lab$", "OTHER", false }, /* a user, of whatever domain */
        { "LAB\\WKS9$", "WKS9", false },
        { "LAB\\WKS9$", "LAB", true },
        { "WKS9$", "\\\\WKS9", false },
        { "WKS9$", "\\\\", false },
        { "WKS9$", "wks9.lab.example", false },
        { "WKS9$", "wks9x.lab.example", true },
        /* 15 characters in NetBIOS, more in DNS */
        { "ABCDEFGHIJKLMNO$", "ABCDEFGHIJKLMNOPQ", false },
        { "ABCDEFGHIJKLMNOPQ$", "ABCDEFGHIJKLMNO", false },
        { "ABCDEFGHIJKLMNOP$", "ABCDEFGHIJKLMNOQ", false },
        { "ABCDEFGHIJKLMNO$", "ABCDEFGHIJKLMN", true },
        { "ABCDEFGHIJKLMNO$", "ABCDEFGHIJKLMNX", true },
        /* beyond ASCII: both cases; 15 characters are more bytes */
        { "K\303\234CHE$", "k\303\274che", false },
        { "K\303\234CHE$", "KUCHE", true },
        { "\303\234\303\234\303\234\303\234\303\234\303\234\303\234\303\234A$",
          "\303\234\303\234\303\234\303\234\303\234\303\234\303\234\303\234B", true },
        /* bytes of an unknown code page, as they are and as they were written */
        { "K\334CHE$", "K\374CHE", false },
        { "K\\xdcCHE$", "K\\xfcCHE", false },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        size_t a = strlen(rows[i].account), w = strlen(rows[i].workstation);
        uint8_t *account = g_memdup2(rows[i].account, a ? a : 1); /* exact, for the sanitizer */
        uint8_t *workstation = g_memdup2(rows[i].workstation, w ? w : 1);
        g_test_message("%s at %s", rows[i].account, rows[i].workstation);
        g_assert_cmpint(
            ccm_auth_workstation_differs(ccm_span_of(account, a), ccm_span_of(workstation, w)), ==,
            rows[i].differs);
        g_free(account);
        g_free(workstation);
    }
}

/* Its domain may follow the name. */
static void kinds(void)
{
    static const struct {
        const char *name;
        ccm_account_kind kind;
    } names[] = {
        { "", CCM_ACCOUNT_UNKNOWN },
        { "WKS2$", CCM_ACCOUNT_COMPUTER },
        { "WKS2$@lab.example", CCM_ACCOUNT_COMPUTER },
        { "HOST/wks2@lab.example", CCM_ACCOUNT_USER },
        { "@lab.example", CCM_ACCOUNT_USER },
        { "bob@lab$", CCM_ACCOUNT_USER },
        { "bob", CCM_ACCOUNT_USER },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_cmpint(ccm_auth_account_kind(ccm_span_str(names[i].name)), ==, names[i].kind);
}

static void paths(void)
{
    static const struct {
        const char *method, *target;
        unsigned bits;
    } rows[] = {
        { "GET", "/SMS_MP/.sms_aut?MPLIST1&ABC", CCM_PATH_LOCATION },
        { "GET", "/sms_mp/.sms_aut?MPCERT", 0 },
        { "GET", "/SMS_MP_TokenAuth/.sms_pol?x",
          CCM_PATH_TOKENAUTH | CCM_PATH_POLICY | CCM_PATH_CCM_TOKEN },
        /* the directories of ccm-protocol.md 2.1, 2.2, 2.6, 2.8, and names that are like them */
        { "CCM_POST", "/ccm_system_TOKENAUTH/request",
          CCM_PATH_TOKENAUTH | CCM_PATH_MESSAGE | CCM_PATH_CCM_TOKEN },
        { "GET", "/AdminService_TokenAuth/wmi/x", CCM_PATH_TOKENAUTH | CCM_PATH_ENTRA_TOKEN },
        { "GET", "/ccm_proxy_serverauth/9/AdminService_TokenAuth/wmi/x",
          CCM_PATH_TOKENAUTH | CCM_PATH_ENTRA_TOKEN },
        { "GET", "/oauth_tokenauth/login", CCM_PATH_TOKENAUTH },
        { "GET", "/x/SMS_MP_TokenAuth/.sms_pol?x", 0 },
        { "GET", "/SMS_DP_SMSPKG$/ABC00012/f", CCM_PATH_CONTENT },
        { "GET", "/sms_dp_smssig%24", CCM_PATH_CONTENT },
        { "GET", "/SMS_DP_SMSPKGC$/", CCM_PATH_CONTENT },
        { "GET", "/SMS_DP_SMSPKG/", 0 },
        { "GET", "/SMS_DP_SMSPKGCD$/", 0 },
        { "GET", "/SCCM_BranchCache$/ABC00012", CCM_PATH_CONTENT },
        { "GET", "/NOCERT_SMS_DP_SMSPKG$/x", CCM_PATH_NOCERT | CCM_PATH_CONTENT },
        { "GET", "/CCMTOKENAUTH_SMS_DP_SMSSIG$/x",
          CCM_PATH_CCMTOKENAUTH | CCM_PATH_CONTENT | CCM_PATH_CCM_TOKEN },
        { "GET", "/ccmtokenauth_x/", CCM_PATH_CCMTOKENAUTH },
        { "GET", "/ccm_proxy_serverauth/72057594037937981/SMS_MP/.sms_pol?x", CCM_PATH_POLICY },
        { "GET", "/", 0 },
        { "GET", "", 0 },
        { "GET", "*", CCM_PATH_VIA_PROXY },
        { "GET", "http://h", CCM_PATH_VIA_PROXY },
        { "GET", "http://h/CCM_Client/x", CCM_PATH_VIA_PROXY | CCM_PATH_CLIENT },
        { "GET",
          "/downloadrestservice.svc/getcontentxmlsecure?pid=P&cid=C&tid=GUID:1&iss=i&st=1&et=2",
          CCM_PATH_CCM_TOKEN | CCM_PATH_CONTENT_URL },
        { "GET", "/downloadrestservice.svc/getcontentxmlsecure?pid=P", 0 },
        { "CONNECT", "h:443", CCM_PATH_TUNNEL },
        { "CCM_POST", "/CCM_System_WindowsAuth/request", CCM_PATH_WINDOWSAUTH | CCM_PATH_MESSAGE },
        { "CCM_POST", "/ccm_system", CCM_PATH_MESSAGE },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpuint(ccm_auth_request_of(ccm_span_str(rows[i].method),
                                             ccm_span_str(rows[i].target), (ccm_span){ 0 })
                             .path,
                         ==, rows[i].bits);
}

/* The host behind a proxy: its case, and the port that goes without saying, do not matter. */
static void origins(void)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        { "http://dp1.lab/x", "http://DP1.Lab/y?z", true },
        { "http://dp1.lab/x", "http://dp1.lab:80/", true },
        { "https://dp1.lab/x", "https://dp1.lab:443", true },
        { "http://dp1.lab/x", "http://dp1.lab:443/x", false },
        { "http://dp1.lab/x", "http://dp1.lab:8080/x", false },
        { "http://dp1.lab/x", "http://dp2.lab/x", false },
        { "http://dp1.lab/x", "http://bob:pw@dp1.lab/x", true },
        { "http://dp1.lab/x", "http://dp1.lab.example/x", false },
    };
    ccm_span none = { 0 };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint32_t a = ccm_auth_request_of(none, ccm_span_str(rows[i].a), none).origin;
        uint32_t b = ccm_auth_request_of(none, ccm_span_str(rows[i].b), none).origin;
        g_test_message("%s and %s", rows[i].a, rows[i].b);
        g_assert_cmpuint(a, !=, 0);
        g_assert_cmpuint(b, !=, 0);
        g_assert_cmpint(a == b, ==, rows[i].same);
    }
    static const char *const unknown[] = { "/x", "*", "ftp://h/x", "http://", "http:///x", "" };
    for (unsigned i = 0; i < G_N_ELEMENTS(unknown); i++)
        g_assert_cmpuint(ccm_auth_request_of(none, ccm_span_str(unknown[i]), none).origin, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/auth-facts/workstations", workstations);
    g_test_add_func("/auth-facts/kinds", kinds);
    g_test_add_func("/auth-facts/paths", paths);
    g_test_add_func("/auth-facts/origins", origins);
    return g_test_run();
}
