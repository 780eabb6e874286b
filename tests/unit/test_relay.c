/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_relay.c - proxies that pass TLS on or end it, from observations made by hand. What is
 * expected comes from auth-modes.md 7.2 (same ClientHello on both sides; many client ids of one TLS
 * client) and from what a ClientHello's random is: 32 random bytes, never twice. */
#include "model/relay.h"
#include "model_driver.h"

#define PROXY "10.0.0.15"

static ccm_model *model(const void *catalog)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    return ccm_model_new((ccm_catalog *)catalog, &limits);
}

static void hello(ccm_model *m, uint64_t flow, const char *client, const char *server,
                  uint64_t at_ns, uint64_t random)
{
    ccm_obs o = drv_obs(CCM_OBS_tls_client_hello, flow, client, server, at_ns);
    ccm_obs_u64(&o, CCM_KEY_random_hash, random);
    ccm_model_observe(m, &o);
    drv_run(m, flow, client, server, true, at_ns, 1);
}

/* "tunnelling proven same-client-hello 2 10" of the host's role as a proxy; "" = it has none. */
static char *proxy_of(const ccm_model *m, const char *addr)
{
    ccm_view *v = ccm_view_new(m, false);
    const ccm_view_role *r = drv_role(v, addr, "web-proxy");
    char *text =
        r ? g_strdup_printf("%s %s %s %u %u", r->qualifier ? r->qualifier : "-",
                            ccm_certainty_name(r->certainty), r->evidence[0].id,
                            (unsigned)r->evidence[0].count, (unsigned)r->evidence[0].first_frame)
          : g_strdup("");
    ccm_view_free(v);
    return text;
}

static void is_proxy(const ccm_model *m, const char *addr, const char *expected)
{
    g_autofree char *got = proxy_of(m, addr);
    g_assert_cmpstr(got, ==, expected);
}

static void tunnelling(const void *catalog)
{
    ccm_model *m = model(catalog);
    hello(m, 1, "10.0.0.21:50001", PROXY ":443", SECOND, 111);
    is_proxy(m, PROXY, ""); /* one side */
    hello(m, 2, PROXY ":60001", "10.0.0.9:443", SECOND + 1000, 111);
    hello(m, 3, "10.0.0.22:50001", PROXY ":443", 2 * SECOND, 222);
    hello(m, 4, PROXY ":60002", "10.0.0.9:443", 2 * SECOND - 5000, 222); /* another clock */
    hello(m, 5, PROXY ":60003", "10.0.0.9:443", 3 * SECOND, 333);        /* its own */
    is_proxy(m, PROXY, "tunnelling proven same-client-hello 2 10");
    is_proxy(m, "10.0.0.9", "");
    is_proxy(m, "10.0.0.21", "");
    ccm_model_free(m);
}

/* An address on each side: only the order tells which was first. */
static void two_addresses(const void *catalog)
{
    ccm_model *m = model(catalog);
    hello(m, 1, "192.0.2.7:50001", "203.0.113.5:443", SECOND, 111);
    hello(m, 2, "10.9.0.5:50001", "10.0.0.9:443", SECOND + 1000, 111);
    is_proxy(m, "203.0.113.5", "tunnelling likely same-client-hello 1 10");
    is_proxy(m, "10.0.0.9", "");
    ccm_model_free(m);
}

/* A packet seen twice, the source or the destination translated, a retried ClientHello. */
static void no_proxy(const void *catalog)
{
    ccm_model *m = model(catalog);
    hello(m, 1, "10.0.0.21:50001", "10.0.0.9:443", SECOND, 111);
    hello(m, 1, "10.0.0.21:50001", "10.0.0.9:443", SECOND + 1, 111);
    hello(m, 2, "10.0.0.22:50001", "10.0.0.9:443", SECOND, 222);
    hello(m, 3, "192.0.2.1:1024", "10.0.0.9:443", SECOND + 1, 222);
    hello(m, 4, "10.0.0.23:50001", "10.0.0.9:443", SECOND, 333);
    hello(m, 5, "10.0.0.23:50001", "10.0.0.8:443", SECOND + 1, 333);
    is_proxy(m, "10.0.0.9", "");
    is_proxy(m, "10.0.0.21", "");
    is_proxy(m, "192.0.2.1", "");
    ccm_model_free(m);
}

static void certificate(ccm_model *m, uint64_t flow, const char *client, const char *fingerprint,
                        const char *name)
{
    ccm_obs o = drv_obs(CCM_OBS_tls_certificate, flow, client, "10.0.0.9:443", SECOND);
    ccm_obs_flag(&o, CCM_KEY_from_client, true);
    drv_text(&o, CCM_KEY_fingerprint, fingerprint);
    drv_text(&o, CCM_KEY_subject_name, name);
    ccm_model_observe(m, &o);
    drv_run(m, flow, client, "10.0.0.9:443", true, SECOND, 1);
}

static void message(ccm_model *m, uint64_t flow, const char *client, const char *id, bool decrypted)
{
    ccm_obs o = drv_inside(CCM_OBS_http_request, flow, 1, client, "10.0.0.9:443", SECOND);
    drv_text(&o, CCM_KEY_method, "GET");
    drv_text(&o, CCM_KEY_target, "/x");
    drv_text(&o, CCM_KEY_client_id, id);
    ccm_obs_flag(&o, CCM_KEY_decrypted, decrypted);
    ccm_model_observe(m, &o);
}

static void bridging(const void *catalog)
{
    ccm_model *m = model(catalog), *other = model(catalog);
    certificate(m, 1, PROXY ":60001", "AA", "proxy01.x");
    message(m, 1, PROXY ":60001", "GUID:0A", true);
    message(m, 1, PROXY ":60001", "{0a}", true); /* the same in other clothes */
    message(m, 1, PROXY ":60001", "GUID:0B", false);
    is_proxy(m, PROXY, "");
    message(m, 1, PROXY ":60001", "GUID:0C", true);
    is_proxy(m, PROXY, "bridging likely many-client-ids 2 10");
    certificate(other, 7, PROXY ":60007", "AA", "proxy01.x");
    message(other, 7, PROXY ":60007", "GUID:0C", true);
    message(other, 7, PROXY ":60007", "GUID:0D", true);
    ccm_model_merge(other, m);
    is_proxy(other, PROXY, "bridging strong many-client-ids 3 10");
    ccm_model_free(m);
    ccm_model_free(other);
}

/* One certificate from many addresses is that of boot media, perhaps. */
static void many_addresses(const void *catalog)
{
    ccm_model *m = model(catalog);
    for (unsigned i = 1; i <= 4; i++) {
        g_autofree char *client = g_strdup_printf("10.0.0.%u:60001", 20 + i);
        g_autofree char *id = g_strdup_printf("GUID:0%u", i);
        certificate(m, i, client, "AA", "media.x");
        message(m, i, client, id, true);
    }
    is_proxy(m, "10.0.0.21", "");
    ccm_model_free(m);
}

/* The certificate of a client that came through a tunnel is no name of the proxy. */
static void names(const void *catalog)
{
    ccm_model *m = model(catalog);
    certificate(m, 1, PROXY ":60001", "AA", "wks01.x");
    certificate(m, 2, "10.0.0.22:50001", "BB", "wks02.x");
    ccm_view *v = ccm_view_new(m, false);
    g_assert_cmpuint(drv_host(v, PROXY)->names.n, ==, 1);
    ccm_view_free(v);
    hello(m, 3, "10.0.0.21:50001", PROXY ":443", SECOND, 111);
    hello(m, 1, PROXY ":60001", "10.0.0.9:443", SECOND + 1000, 111);
    v = ccm_view_new(m, false);
    g_assert_cmpuint(drv_host(v, PROXY)->names.n, ==, 0);
    g_assert_cmpuint(drv_host(v, "10.0.0.22")->names.n, ==, 1);
    ccm_view_free(v);
    ccm_model_free(m);
}

static void server_certificate(ccm_model *m, const char *server, const char *print)
{
    ccm_obs o = drv_obs(CCM_OBS_tls_certificate, 90, server, "10.0.0.77:50001", SECOND);
    drv_text(&o, CCM_KEY_san, "mp01.x,ibcm.x");
    drv_text(&o, CCM_KEY_fingerprint, print);
    ccm_model_observe(m, &o);
}

/* The name of the server behind it on its own certificate, and other hellos: behaviour, so likely.
 * One hello outside, one that is passed on, or a server that nobody else calls: no proxy. */
static void copies(const void *catalog)
{
    for (unsigned i = 0; i < 4; i++) {
        ccm_model *m = model(catalog);
        server_certificate(m, PROXY ":443", i == 3 ? "" : "AA");
        server_certificate(m, "10.0.0.9:443", "BB");
        for (unsigned k = 0; k < (i == 1 ? 1 : 3); k++)
            hello(m, 1 + k, "10.0.0.21:50001", PROXY ":443", SECOND, 111 + k);
        hello(m, 9, PROXY ":60001", "10.0.0.9:443", 2 * SECOND, i == 2 ? 112 : 999);
        is_proxy(m, PROXY,
                 i == 0   ? "bridging likely same-server-name 1 90"
                 : i == 2 ? "tunnelling proven same-client-hello 1 20"
                          : "");
        is_proxy(m, "10.0.0.9", "");
        ccm_model_free(m);
    }
}

/* A request over the connection of the client to the proxy, and its answer. */
static void asks(ccm_model *m, uint64_t flow, const char *target, unsigned status)
{
    drv_request(m, flow, "10.0.0.21:50001", PROXY ":3128", "CONNECT", target, target);
    drv_response(m, flow, "10.0.0.21:50001", PROXY ":3128", status);
    drv_run(m, flow, "10.0.0.21:50001", PROXY ":3128", true, SECOND, 1);
}

/* A proxy that says no is asked for another way, over the same connection: routes-and-ports.md 6,
 * "a proxy that allows CONNECT only to 443". */
static void denied(const void *catalog)
{
    static const struct {
        unsigned status;
        const char *reason;
        unsigned refused;
    } cases[] = { { 403, "proxy-denied", 2 }, { 503, "proxy-failed", 2 }, { 407, "none", 0 } };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        ccm_model *m = model(catalog);
        asks(m, 1, "cmg.example.com:10140", cases[i].status);
        asks(m, 1, "CMG.example.com:10140", cases[i].status);
        asks(m, 1, "cmg.example.com:443", 200);
        ccm_obs o = drv_obs(CCM_OBS_tls_session, 1, "10.0.0.21:50001", PROXY ":3128", SECOND);
        ccm_obs_u64(&o, CCM_KEY_tls_version, 0x0303);
        ccm_obs_flag(&o, CCM_KEY_established, true);
        drv_text(&o, CCM_KEY_through, "cmg.example.com:443");
        ccm_model_observe(m, &o);
        drv_connection(m, 1, "10.0.0.21:50001", PROXY ":3128", "established", "open");
        ccm_view *v = ccm_view_new(m, false);
        bool refuses = cases[i].refused > 0;
        g_assert_cmpuint(v->n_routes, ==, 1 + refuses);
        for (unsigned k = 0; k < v->n_routes; k++) {
            const ccm_view_route *r = &v->routes[k];
            bool first = r->port == 10140;
            g_assert_cmpstr(r->route, ==, refuses ? "cmg-cp/cmg" : "unknown/unknown");
            g_assert_cmpuint(r->instance, ==, first);
            g_assert_cmpuint(r->connections.attempted, ==, first ? cases[i].refused : 1);
            g_assert_cmpuint(r->connections.established, ==, !first);
            g_assert_cmpuint(r->connections.refused, ==, first ? cases[i].refused : 0);
            g_assert_cmpuint(r->packets[0], ==, first ? 2 : refuses ? 1 : 3);
            if (!refuses)
                continue;
            g_assert_cmpstr(r->channel.state, ==, first ? "failed" : "up");
            g_assert_cmpuint(r->n_fallbacks, ==, !first);
            if (!first)
                g_assert_cmpstr(r->fallbacks[0].reason, ==, cases[i].reason);
        }
        ccm_view_free(v);
        ccm_model_free(m);
    }
}

/* More hellos than are kept, in two orders, in one model or in two: the same of them count. */
static void bounded(const void *catalog)
{
    enum { MANY = 5 * CCM_HELLOS };
    ccm_model *m[3] = { model(catalog), model(catalog), model(catalog) };
    const char *outer[] = { "10.0.0.21:50001", PROXY ":443" };
    const char *inner[] = { PROXY ":60001", "10.0.0.9:443" };

    for (unsigned i = 0; i < MANY; i++) {
        unsigned k = MANY - 1 - i;
        hello(m[0], 1, outer[0], outer[1], SECOND, (uint64_t)i * 7919 % MANY + 1);
        hello(m[0], 2, inner[0], inner[1], SECOND, (uint64_t)i * 7919 % MANY + 1);
        hello(m[1], 1, outer[0], outer[1], SECOND, (uint64_t)k + 1);
        hello(m[2], 2, inner[0], inner[1], SECOND, (uint64_t)k + 1);
    }
    ccm_model_merge(m[2], m[1]);
    g_autofree char *expected =
        g_strdup_printf("tunnelling proven same-client-hello %u 10", (unsigned)CCM_HELLOS);
    is_proxy(m[0], PROXY, expected);
    is_proxy(m[2], PROXY, expected);
    for (unsigned i = 0; i < G_N_ELEMENTS(m); i++)
        ccm_model_free(m[i]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ccm_catalog *cat = ccm_catalog_load(NULL, NULL);
    g_test_add_data_func("/relay/tunnelling", cat, tunnelling);
    g_test_add_data_func("/relay/two-addresses", cat, two_addresses);
    g_test_add_data_func("/relay/no-proxy", cat, no_proxy);
    g_test_add_data_func("/relay/bridging", cat, bridging);
    g_test_add_data_func("/relay/many-addresses", cat, many_addresses);
    g_test_add_data_func("/relay/names", cat, names);
    g_test_add_data_func("/relay/copies", cat, copies);
    g_test_add_data_func("/relay/denied", cat, denied);
    g_test_add_data_func("/relay/bounded", cat, bounded);
    int result = g_test_run();
    ccm_catalog_unref(cat);
    return result;
}
