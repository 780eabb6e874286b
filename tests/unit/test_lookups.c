/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_lookups.c - names of hosts, and roles and routes by name, from observations made by hand.
 * What is expected comes from routes-and-ports.md section 7. */
#include "channels_driver.h"

/* Section 7: a chain has the meaning of its first name that fits, whatever it ends in. */
static void test_chain(void)
{
    world w = begin();
    answer(&w, "10.0.0.5:40000", "login.microsoftonline.com", 1, 0, "20.0.0.1",
           "ak.privatelink.msidentity.com www.tm.ak.prd.aadg.trafficmanager.net", NULL, NULL);
    answer(&w, "10.0.0.5:40001", "CMG.Contoso.com", 1, 0, GATEWAY,
           "contoso.eastus.cloudapp.azure.com", NULL, NULL);
    answer(&w, "10.0.0.5:40002", "sccmconnected-a01.cloudapp.net", 1, 0, "20.0.0.3",
           "other.cloudapp.net", NULL, NULL);
    answer(&w, "10.0.0.5:40003", "x.example.org", 1, 0, "20.0.0.4", "e1.akamaiedge.net", NULL,
           NULL);
    talk(&w, "10.0.0.5", "20.0.0.1:443", 1, "established", "fin", 500, 900);
    talk(&w, "10.0.0.5", GATEWAY ":443", 1, "established", "fin", 500, 900);
    talk(&w, "10.0.0.5", "20.0.0.3:443", 1, "established", "fin", 500, 900);
    talk(&w, "10.0.0.5", "20.0.0.4:443", 1, "established", "fin", 500, 900);
    talk(&w, "10.0.0.5", "20.0.0.1:5671", 1, "established", "fin", 500, 900);
    look(&w);
    is_route(row(&w, "20.0.0.1:443"), "client/entra", "https", "weak", 0);
    g_assert_true(has(row(&w, "20.0.0.1:443")->basis, "name:entra"));
    is_route(row(&w, GATEWAY ":443"), "client/cmg", "https", "weak", 0);
    is_route(row(&w, "20.0.0.3:443"), "scp/internet", "https", "weak", 0);
    is_route(row(&w, "20.0.0.4:443"), "scp/internet", "https", "weak", 0); /* row 21: weak class */
    is_route(row(&w, "20.0.0.1:5671"), "unknown/unknown", "tcp", "unknown", 0);
    const ccm_view_host *h = drv_host(w.v, GATEWAY);
    g_assert_cmpuint(h->names.n, ==, 2);
    g_assert_cmpstr(h->names.v[0], ==, "cmg.contoso.com");
    g_assert_cmpuint(h->name_sources[0], ==, CCM_NAME_DNS);
    const ccm_view_role *cmg = drv_role(w.v, GATEWAY, "cmg");
    g_assert_cmpstr(cmg->qualifier, ==, "scale-set"); /* section 6: region in the name */
    g_assert_cmpstr(cmg->evidence[0].id, ==, "name:cmg");
    finish(&w);
}

/* An address that two names call two things, and a name that much shares. */
static void test_doubt(void)
{
    world w = begin();
    answer(&w, "10.0.0.5:40000", "manage.microsoft.com", 1, 0, "20.0.0.1 20.0.0.2", NULL, NULL,
           NULL);
    answer(&w, "10.0.0.5:40001", "graph.microsoft.com", 1, 0, "20.0.0.1", NULL, NULL, NULL);
    answer(&w, "10.0.0.6:40001", "x.akamaiedge.net", 1, 0, "20.0.0.2", NULL, NULL, NULL);
    talk(&w, "10.0.0.5", "20.0.0.1:443", 1, "established", "fin", 500, 900);
    talk(&w, "10.0.0.5", "20.0.0.2:443", 1, "established", "fin", 500, 900);
    look(&w);
    is_route(row(&w, "20.0.0.1:443"), "unknown/unknown", "https", "weak", 0);
    is_route(row(&w, "20.0.0.2:443"), "client/intune", "https", "weak", 0);
    finish(&w);
}

/* A name alone makes no host of the report, and no bytes. */
static void test_only_named(void)
{
    world w = begin();
    answer(&w, "10.0.0.5:40000", "manage.microsoft.com", 1, 0, "20.0.0.1", NULL, NULL, NULL);
    look(&w);
    g_assert_null(drv_host(w.v, "20.0.0.1"));
    g_assert_cmpuint(w.v->n_routes, ==, 0);
    finish(&w);
}

/* C33: the record names the management point and its port; glue or another answer its address. */
static void test_service(void)
{
    for (unsigned glue = 0; glue < 2; glue++) {
        world w = begin();
        answer(&w, "10.0.0.5:40000", "_mssms_mp_P01._tcp.contoso.com", 33, 0, NULL, NULL,
               "MP.contoso.com:443", glue ? "MP.contoso.com=10.0.0.9" : NULL);
        if (!glue)
            answer(&w, "10.0.0.5:40001", "mp.contoso.com", 1, 0, "10.0.0.9", NULL, NULL, NULL);
        talk(&w, "10.0.0.5", "10.0.0.9:443", 1, "established", "fin", 500, 900);
        talk(&w, "10.0.0.5", "10.0.0.9:80", 1, "established", "fin", 500, 900);
        look(&w);
        is_route(row(&w, "10.0.0.9:443"), "client/mp", "https", "likely", 0);
        is_route(row(&w, "10.0.0.9:80"), "unknown/unknown", "http", "weak", 0);
        const ccm_view_role *mp = drv_role(w.v, "10.0.0.9", "mp");
        g_assert_cmpstr(ccm_certainty_name(mp->certainty), ==, "likely");
        g_assert_cmpstr(mp->evidence[0].id, ==, "name:mp-service");
        g_assert_cmpuint(w.v->n_lookups, ==, 1);
        g_assert_false(w.v->lookups[0].failed);
        finish(&w);
    }
}

static void test_lookups(void)
{
    world w = begin();
    query(&w, "10.0.0.5:40000", "MP.contoso.com", 1); /* never answered, by two clients */
    query(&w, "10.0.0.5:40000", "mp.contoso.com", 1);
    query(&w, "10.0.0.6:40000", "mp.contoso.com", 1);
    query(&w, "10.0.0.5:40001", "gone.contoso.com", 1);
    answer(&w, "10.0.0.5:40001", "gone.contoso.com", 1, 3, NULL, NULL, NULL, NULL);
    query(&w, "10.0.0.5:40002", "dp.contoso.com", 1);
    answer(&w, "10.0.0.5:40002", "dp.contoso.com", 1, 2, NULL, NULL, NULL, NULL);
    answer(&w, "10.0.0.5:40003", "dp.contoso.com", 1, 0, "10.0.0.8", NULL, NULL, NULL);
    query(&w, "10.0.0.5:40004", "dp.contoso.com", 28); /* no IPv6 address: no failure */
    answer(&w, "10.0.0.5:40004", "dp.contoso.com", 28, 0, NULL, NULL, NULL, NULL);
    answer(&w, "10.0.0.5:40005", "_kerberos._tcp.contoso.com", 33, 3, NULL, NULL, NULL, NULL);
    look(&w);
    g_assert_cmpuint(w.v->n_lookups, ==, 3);
    g_assert_cmpstr(w.v->lookups[0].name, ==, "_kerberos._tcp.contoso.com");
    g_assert_cmpuint(w.v->lookups[0].nxdomain, ==, 1);
    g_assert_cmpstr(w.v->lookups[1].name, ==, "gone.contoso.com");
    g_assert_true(w.v->lookups[1].failed);
    const ccm_view_lookup *mp = &w.v->lookups[2];
    g_assert_cmpstr(mp->name, ==, "mp.contoso.com");
    g_assert_cmpuint(mp->clients, ==, 2);
    g_assert_cmpuint(mp->queries, ==, 3);
    g_assert_cmpuint(mp->answered + mp->empty + mp->nxdomain + mp->servfail + mp->other, ==, 0);
    finish(&w);
}

static ccm_obs credential(world *w, const char *src, const char *dst, const char *header)
{
    ccm_obs o = drv_inside(CCM_OBS_http_auth, w->flow, 1, src, dst, T0);
    drv_text(&o, CCM_KEY_header, header);
    return o;
}

/* Names that authentication tells; behind a proxy they are not the proxy's. */
static void test_authentication(void)
{
    for (unsigned proxy = 0; proxy < 2; proxy++) {
        world w = begin();
        const char *c = "10.0.0.5:40000", *s = "10.0.0.9:80";
        w.flow = 1;
        drv_request(w.m, 1, c, s, "GET", proxy ? "http://mp.x/a" : "/a", NULL);
        ccm_obs o = credential(&w, s, c, "www-authenticate");
        ccm_obs_u64(&o, CCM_KEY_ntlm_type, 2);
        drv_text(&o, CCM_KEY_workstation, "MP1");
        ccm_model_observe(w.m, &o);
        o = credential(&w, c, s, "authorization");
        ccm_obs_u64(&o, CCM_KEY_ntlm_type, 3);
        drv_text(&o, CCM_KEY_workstation, "WKS01");
        ccm_model_observe(w.m, &o);
        o = credential(&w, c, s, "authorization");
        drv_text(&o, CCM_KEY_mechanism, "kerberos");
        drv_text(&o, CCM_KEY_spn, "HTTP/mp1.contoso.com");
        ccm_model_observe(w.m, &o);
        o = drv_obs(CCM_OBS_kerberos, 2, "10.0.0.5:40001", "10.0.0.2:88", T0);
        ccm_obs_u64(&o, CCM_KEY_msg_type, 10);
        drv_text(&o, CCM_KEY_cname, "WKS01$");
        ccm_model_observe(w.m, &o);
        look(&w);
        const ccm_view_host *client = drv_host(w.v, "10.0.0.5"),
                            *server = drv_host(w.v, "10.0.0.9");
        g_assert_cmpuint(client->names.n, ==, 1);
        g_assert_cmpstr(client->names.v[0], ==, "wks01");
        g_assert_cmpuint(client->name_sources[0], ==, CCM_NAME_NTLM | CCM_NAME_KERBEROS);
        g_assert_cmpuint(server->names.n, ==, proxy ? 0 : 2);
        if (!proxy) {
            g_assert_cmpstr(server->names.v[0], ==, "mp1");
            g_assert_cmpuint(server->name_sources[1], ==, CCM_NAME_KERBEROS);
        }
        finish(&w);
    }
}

static void test_reverse(void)
{
    world w = begin();
    answer(&w, "10.0.0.5:4", "9.0.0.10.in-addr.arpa", 12, 0, NULL, NULL, "mp.contoso.com", NULL);
    answer(&w, "10.0.0.5:4",
           "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", 12, 0, NULL,
           NULL, "mp6.contoso.com", NULL);
    answer(&w, "10.0.0.5:4", "0.0.10.in-addr.arpa", 12, 0, NULL, NULL, "no.contoso.com", NULL);
    answer(&w, "10.0.0.5:4", "999.0.0.10.in-addr.arpa", 12, 0, NULL, NULL, "no.contoso.com", NULL);
    answer(&w, "10.0.0.5:4", "1.9.0.0.10.in-addr.arpa", 12, 0, NULL, NULL, "no.contoso.com", NULL);
    talk(&w, "10.0.0.5", "10.0.0.9:80", 1, "established", "fin", 5, 9);
    talk(&w, "[2001:db8::5]", "[2001:db8::9]:80", 1, "established", "fin", 5, 9);
    look(&w);
    const ccm_view_host *h = drv_host(w.v, "10.0.0.9");
    g_assert_cmpuint(h->names.n, ==, 1);
    g_assert_cmpstr(h->names.v[0], ==, "mp.contoso.com");
    g_assert_cmpuint(h->name_sources[0], ==, CCM_NAME_DNS_REVERSE);
    h = drv_host(w.v, "2001:db8::9");
    g_assert_cmpuint(h->names.n, ==, 1);
    g_assert_cmpstr(h->names.v[0], ==, "mp6.contoso.com");
    finish(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lookups/chain", test_chain);
    g_test_add_func("/lookups/doubt", test_doubt);
    g_test_add_func("/lookups/only-named", test_only_named);
    g_test_add_func("/lookups/service", test_service);
    g_test_add_func("/lookups/lookups", test_lookups);
    g_test_add_func("/lookups/authentication", test_authentication);
    g_test_add_func("/lookups/reverse", test_reverse);
    return g_test_run();
}
