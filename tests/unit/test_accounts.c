/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_accounts.c - what reports conclude of accounts: network access accounts, names in any case,
 * what speaks against an account. Expected by auth-modes.md 6.1 (E6 to E8) and 8. */
#include "proofs_driver.h"

/* E7: three clients, or the task sequence's agent: likely; both: strong; else a user. */
static void network_access(fixture *f, const void *data)
{
    (void)data;
    const struct {
        const char *account, *agent;
        unsigned clients;
        const char *kind;
        ccm_certainty certainty;
    } rows[] = {
        { "alice", NULL, 2, "user", CCM_CERTAINTY_STRONG },
        { "naa1", NULL, 3, "network-access", CCM_CERTAINTY_LIKELY },
        { "naa2", "SMS CCM 5.0 TS", 1, "network-access", CCM_CERTAINTY_LIKELY },
        { "naa3", "SMS CCM 5.0 TS", 3, "network-access", CCM_CERTAINTY_STRONG },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        for (unsigned c = 0; c < rows[i].clients; c++) {
            char client[32];
            g_snprintf(client, sizeof client, "10.0.1.%u:5000%u", c + 1, i);
            connect_to(f, client, DP);
            log_in(f, DP_FILE, rows[i].account, rows[i].agent, 200);
            hang_up(f);
        }
    ccm_view *v = ccm_view_new(f->m, false);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        char account[32];
        g_snprintf(account, sizeof account, "LAB\\%s", rows[i].account);
        const ccm_view_auth *a = drv_auth(drv_route(v, "client/dp"), "transport", "ntlm", account);
        g_assert_cmpstr(a->account_kind, ==, rows[i].kind);
        g_assert_cmpint(a->certainty, ==, rows[i].certainty);
        g_assert_cmpuint(a->count, ==, rows[i].clients);
    }
    ccm_view_free(v);
}

/* E7 is about content, E8 makes a user, whatever the account is elsewhere: also where a connection
 * to a server of both roles carries both. */
static void user_paths(fixture *f, const void *data)
{
    (void)data;
    const char *users[] = { "/SMS_MP_WindowsAuth/.sms_pol?{1}.1_00",
                            "/CMUserService_WindowsAuth/applicationviewservice.asmx" };
    for (unsigned c = 0; c < 3; c++) {
        char client[32];
        g_snprintf(client, sizeof client, "10.0.1.%u:50001", c + 1);
        connect_to(f, client, DP);
        log_in(f, DP_FILE, "alice", NULL, 200);
        log_in(f, users[c % 2], "alice", NULL, 200);
        hang_up(f);
        g_snprintf(client, sizeof client, "10.0.1.%u:50002", c + 4);
        connect_to(f, client, MP);
        log_in(f, users[c % 2], "alice", NULL, 200);
        hang_up(f);
        connect_to(f, client, DP); /* bob, as a user, of three clients */
        log_in(f, DP_FILE, c ? "carol" : "bob", NULL, 200);
        log_in(f, users[c % 2], "bob", NULL, 200);
        hang_up(f);
    }
    ccm_view *v = ccm_view_new(f->m, false);
    const ccm_view_route *dp = drv_route(v, "client/dp");
    const ccm_view_auth *a = drv_auth(drv_route(v, "client/mp"), "transport", "ntlm", "LAB\\alice");
    g_assert_cmpstr(a->account_kind, ==, "user");
    g_assert_cmpint(a->certainty, ==, CCM_CERTAINTY_STRONG);
    g_assert_cmpuint(a->count, ==, 3);
    g_assert_null(drv_why(a, "many-clients"));
    a = drv_auth(dp, "transport", "ntlm", "LAB\\alice"); /* kinds in order: user, network-access */
    g_assert_cmpstr(a->account_kind, ==, "user");
    g_assert_cmpint(a->certainty, ==, CCM_CERTAINTY_STRONG);
    g_assert_cmpuint(a->count, ==, 3);
    g_assert_cmpuint(drv_why(a, "windowsauth-path")->count, ==, 3);
    while (strcmp(a->account_kind, "network-access"))
        a++;
    g_assert_cmpstr(a->account, ==, "LAB\\alice");
    g_assert_cmpuint(a->count, ==, 3);
    g_assert_null(drv_why(a, "windowsauth-path"));
    a = drv_auth(dp, "transport", "ntlm", "LAB\\bob"); /* on content from one client only */
    g_assert_cmpstr(a->account_kind, ==, "user");
    g_assert_cmpuint(a->count, ==, 4);
    ccm_view_free(v);
}

static void log_in_as(fixture *f, const char *const *accounts, unsigned n, unsigned step)
{
    for (unsigned i = 0; i < n; i++) {
        char client[32];
        unsigned k = (i * step) % n; /* in another order */
        g_snprintf(client, sizeof client, "10.0.1.%u:50001", k + 1);
        connect_to(f, client, DP);
        log_in(f, DP_FILE, accounts[k], NULL, 200);
        hang_up(f);
    }
}

/* Windows takes names for one that differ in case only; spelled as the first by its bytes, in
 * whatever order they come. A sharp s is no double s. */
static void case_of_accounts(fixture *f, const void *data)
{
    (void)data;
    static const char *const accounts[] = {
        "svc-na\xc3\xa4",
        "SVC-NA\xc3\x84",
        "Svc-Na\xc3\xa4", /* a umlaut */
        "stra\xc3\x9f"
        "e",
        "strasse",
        "STRASSE", /* a sharp s */
        "na\xff",
        "NA\xff",
    };
    for (unsigned order = 0; order < 2; order++) {
        renew(f);
        log_in_as(f, accounts, G_N_ELEMENTS(accounts), order ? 5 : 1);
        ccm_view *v = ccm_view_new(f->m, false);
        const ccm_view_route *r = drv_route(v, "client/dp");
        const ccm_view_auth *a = drv_auth(r, "transport", "ntlm", "LAB\\SVC-NA\xc3\x84");
        g_assert_cmpuint(a->count, ==, 3);
        g_assert_cmpstr(a->account_kind, ==, "network-access");
        g_assert_cmpuint(drv_why(a, "many-clients")->count, ==, 3);
        a = drv_auth(r, "transport", "ntlm", "LAB\\STRASSE");
        g_assert_cmpuint(a->count, ==, 2);
        g_assert_cmpstr(a->account_kind, ==, "user");
        g_assert_cmpuint(drv_auth(r, "transport", "ntlm",
                                  "LAB\\stra\xc3\x9f"
                                  "e")
                             ->count,
                         ==, 1);
        g_assert_null(drv_auth(r, "transport", "ntlm", "LAB\\strasse"));
        ccm_view_free(v);
    }
}

/* E6: what speaks against one login does so for what it covers, and for no other. */
static void workstations(fixture *f, const void *data)
{
    (void)data;
    static const char *const from[] = { "WKS9", "OTHER", "WKS9" };
    for (unsigned i = 0; i < G_N_ELEMENTS(from); i++) {
        connect_to(f, "10.0.1.1:50001", DP);
        ask(f, "GET", DP_FILE, NULL);
        ccm_obs o = from_client(f, CCM_OBS_http_auth);
        drv_text(&o, CCM_KEY_header, "authorization");
        drv_text(&o, CCM_KEY_mechanism, "ntlm");
        ccm_obs_u64(&o, CCM_KEY_ntlm_type, 3);
        drv_text(&o, CCM_KEY_domain, "LAB");
        drv_text(&o, CCM_KEY_account, "WKS9$");
        drv_text(&o, CCM_KEY_workstation, from[i]);
        ccm_model_observe(f->m, &o);
        answer(f, 200);
        ask(f, "GET", DP_FILE, NULL);
        answer(f, 200);
        hang_up(f);
    }
    ccm_view *v = ccm_view_new(f->m, false);
    const ccm_view_route *r = drv_route(v, "client/dp");
    g_assert_cmpuint(r->n_auth, ==, 2);
    for (unsigned i = 0; i < 2; i++) {
        const ccm_view_auth *a = &r->auth[i];
        g_assert_cmpstr(a->account, ==, "LAB\\WKS9$");
        g_assert_cmpint(a->certainty, ==, i ? CCM_CERTAINTY_STRONG : CCM_CERTAINTY_PROVEN);
        g_assert_cmpuint(a->count, ==, i ? 2 : 4);
        g_assert_cmpuint(drv_why(a, "connection-authenticated")->count, ==, i ? 1 : 2);
        g_assert_true(!drv_why(a, "workstation-differs") == !i);
    }
    ccm_view_free(v);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/accounts/network-access", fixture, NULL, set_up, network_access, tear_down);
    g_test_add("/accounts/user-paths", fixture, NULL, set_up, user_paths, tear_down);
    g_test_add("/accounts/case-of-accounts", fixture, NULL, set_up, case_of_accounts, tear_down);
    g_test_add("/accounts/workstations", fixture, NULL, set_up, workstations, tear_down);
    return g_test_run();
}
