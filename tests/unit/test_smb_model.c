/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_smb_model.c - what is concluded from SMB: routes of hidden shares, names of hosts. */
#include "model_driver.h"

#define CLIENT "10.0.0.5:51000"

/* Encrypted SMB between hosts whose roles other connections tell: a distribution point by HTTP, a
 * site server by the share that it opens elsewhere. Without either, only the port speaks. */
static void hidden_share(void)
{
    ccm_limits limits;
    ccm_catalog *catalog = ccm_catalog_load(NULL, NULL);

    ccm_limits_init(&limits);
    for (unsigned known = 0; known < 4; known++) {
        ccm_model *m = ccm_model_new(catalog, &limits);
        ccm_obs o = drv_obs(CCM_OBS_smb_requests, 3, "10.0.0.1:50003", "10.0.0.9:445", SECOND);
        drv_text(&o, CCM_KEY_command, "SESSION_SETUP");
        ccm_obs_u64(&o, CCM_KEY_count, 2);
        ccm_model_observe(m, &o);
        drv_run(m, 3, "10.0.0.1:50003", "10.0.0.9:445", true, SECOND, 9);
        if (known & 1) {
            drv_request(m, 1, CLIENT, "10.0.0.9:80", "GET", "/SMS_DP_SMSPKG$/ABC00012/a", NULL);
            drv_response(m, 1, CLIENT, "10.0.0.9:80", 200);
            drv_run(m, 1, CLIENT, "10.0.0.9:80", true, SECOND, 1);
        }
        if (known & 2) {
            o = drv_obs(CCM_OBS_smb_tree, 2, "10.0.0.1:50002", "10.0.0.8:445", SECOND);
            drv_text(&o, CCM_KEY_share, "\\\\dp08\\SMS_DP$");
            ccm_obs_u64(&o, CCM_KEY_nt_status, 0);
            ccm_model_observe(m, &o);
            drv_run(m, 2, "10.0.0.1:50002", "10.0.0.8:445", true, SECOND, 1);
        }
        ccm_view *v = ccm_view_new(m, true);
        const ccm_view_route *r = drv_route(v, known & 2 ? "site-server/dp" : "client/file-server");
        if (known == 2) /* 10.0.0.8 is known, 10.0.0.9 is not */
            r = drv_route(v, "client/file-server");
        g_assert_nonnull(r);
        if (known != 3) {
            g_assert_cmpint(r->certainty, ==, CCM_CERTAINTY_WEAK);
        } else {
            g_assert_null(drv_route(v, "client/file-server"));
            bool found = false;
            for (unsigned i = 0; i < v->n_routes; i++)
                if (!strcmp(v->routes[i].basis.v[0], "roles-of-both-ends")) {
                    found = true;
                    g_assert_cmpstr(v->routes[i].route, ==, "site-server/dp");
                    g_assert_cmpint(v->routes[i].certainty, ==, CCM_CERTAINTY_LIKELY);
                }
            g_assert_true(found);
        }
        ccm_view_free(v);
        ccm_model_free(m);
    }
    ccm_catalog_unref(catalog);
}

/* Who sends a challenge names itself, and so does who answers it; a ticket names whom it is for. */
static void names(void)
{
    ccm_limits limits;
    ccm_catalog *catalog = ccm_catalog_load(NULL, NULL);

    ccm_limits_init(&limits);
    ccm_model *m = ccm_model_new(catalog, &limits);
    ccm_obs o = drv_obs(CCM_OBS_smb_auth, 1, "10.0.0.9:445", CLIENT, SECOND);
    ccm_obs_u64(&o, CCM_KEY_ntlm_type, 2);
    drv_text(&o, CCM_KEY_workstation, "DP01");
    ccm_model_observe(m, &o);
    o = drv_obs(CCM_OBS_smb_auth, 1, CLIENT, "10.0.0.9:445", SECOND);
    ccm_obs_u64(&o, CCM_KEY_ntlm_type, 3);
    drv_text(&o, CCM_KEY_workstation, "WKS05");
    ccm_model_observe(m, &o);
    o = drv_obs(CCM_OBS_smb_auth, 2, CLIENT, "10.0.0.8:445", SECOND);
    drv_text(&o, CCM_KEY_spn, "cifs/dp08.contoso.example");
    ccm_model_observe(m, &o);
    ccm_view *v = ccm_view_new(m, true);
    static const char *const want[][2] = { { "10.0.0.9", "dp01" },
                                           { "10.0.0.5", "wks05" },
                                           { "10.0.0.8", "dp08.contoso.example" } };
    for (unsigned i = 0; i < G_N_ELEMENTS(want); i++) {
        const ccm_view_host *h = drv_host(v, want[i][0]);
        g_assert_true(h && h->names.n == 1);
        g_assert_cmpstr(h->names.v[0], ==, want[i][1]);
    }
    ccm_view_free(v);
    ccm_model_free(m);
    ccm_catalog_unref(catalog);
}

static void connection(ccm_model *m, uint64_t flow, const char *dialect, uint64_t size,
                       uint64_t credits)
{
    ccm_obs o = drv_obs(CCM_OBS_smb_negotiate, flow, "10.0.0.9:445", CLIENT, SECOND);
    drv_text(&o, CCM_KEY_dialect, dialect);
    ccm_obs_flag(&o, CCM_KEY_large_mtu, size > 65536);
    ccm_obs_u64(&o, CCM_KEY_max_read_size, size);
    ccm_obs_u64(&o, CCM_KEY_max_write_size, size + 1);
    ccm_model_observe(m, &o);
    o = drv_obs(CCM_OBS_smb_done, flow, CLIENT, "10.0.0.9:445", SECOND);
    drv_text(&o, CCM_KEY_dialect, dialect);
    ccm_obs_u64(&o, CCM_KEY_credit_charge, credits / 2);
    ccm_obs_u64(&o, CCM_KEY_credits_granted, credits);
    ccm_model_observe(m, &o);
}

/* The largest of all connections, whichever part is merged into which. The sizes of a first step,
 * before the dialect is agreed on, do not count (MS-SMB2 3.3.5.3.1: a second negotiation follows).
 */
static void sizes(void)
{
    ccm_limits limits;
    ccm_catalog *catalog = ccm_catalog_load(NULL, NULL);

    ccm_limits_init(&limits);
    for (unsigned swap = 0; swap < 2; swap++) {
        ccm_model *m[2] = { ccm_model_new(catalog, &limits), ccm_model_new(catalog, &limits) };
        connection(m[swap], 1, "2.1", 65536, 512);
        connection(m[swap], 2, "3.1.1", 8 << 20, 2);
        connection(m[!swap], 1, "2.1", 1 << 20, 64);
        connection(m[!swap], 2, "2.\?\?\?", 16 << 20, 0);
        ccm_model_merge(m[0], m[1]);
        ccm_view *v = ccm_view_new(m[0], true);
        g_assert_cmpuint(v->n_smb, ==, 1);
        const ccm_view_smb *s = &v->smb[0];
        g_assert_cmpuint(s->port, ==, 445);
        g_assert_cmpuint(s->connections, ==, 4);
        g_assert_cmpuint(s->negotiations, ==, 3);
        g_assert_true(s->large_mtu);
        g_assert_cmpuint(s->max_read, ==, 8 << 20);
        g_assert_cmpuint(s->max_write, ==, (8 << 20) + 1);
        g_assert_cmpuint(s->credit_charge, ==, 256);
        g_assert_cmpuint(s->credits, ==, 512);
        ccm_view_free(v);
        ccm_model_free(m[0]);
        ccm_model_free(m[1]);
    }
    ccm_catalog_unref(catalog);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smb-model/hidden-share", hidden_share);
    g_test_add_func("/smb-model/names", names);
    g_test_add_func("/smb-model/sizes", sizes);
    return g_test_run();
}
