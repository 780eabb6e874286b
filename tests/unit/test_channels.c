/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_channels.c - channels and their fallbacks, from observations made by hand. What is expected
 * comes from routes-and-ports.md section 6, and C03, C04, C33. */
#include "channels_driver.h"

/* ---- gateways -------------------------------------------------------------------------------- */

/* How an attempt at a port ends, and what section 6 calls it. */
static const struct {
    const char *state, *closed;
    uint64_t said, heard;
    const char *reason;
} failures[] = {
    { "refused", NULL, 0, 0, "refused" },        { "unanswered", NULL, 0, 0, "unanswered" },
    { "established", "fin", 300, 0, "silent" },  { "established", "idle", 300, 0, "silent" },
    { "established", "reset", 300, 0, "reset" }, { "established", "fin", 300, 7, "alert" },
};

/* T1, F1, F3: two VMs of a classic gateway; 10140 and 10141 fail, 10124 and 10125 do it. */
static void test_fallback(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(failures); i++) {
        world w = begin();
        for (unsigned vm = 0; vm < 2; vm++) {
            g_autofree char *a = g_strdup_printf(GATEWAY ":%u", 10140 + vm);
            g_autofree char *b = g_strdup_printf(GATEWAY ":%u", 10124 + vm);
            talk(&w, POINT, a, vm, failures[i].state, failures[i].closed, failures[i].said,
                 failures[i].heard);
            talk(&w, POINT, b, 20 + vm, "established", "open", 600, 4000);
        }
        look(&w);
        for (unsigned vm = 0; vm < 2; vm++) {
            g_autofree char *a = g_strdup_printf(GATEWAY ":%u", 10140 + vm);
            g_autofree char *b = g_strdup_printf(GATEWAY ":%u", 10124 + vm);
            const ccm_view_route *from = row(&w, a), *to = row(&w, b);
            is_route(from, "cmg-cp/cmg", "tcp-tls", "likely", vm + 1);
            is_route(to, "cmg-cp/cmg", "https", "likely", vm + 1);
            g_assert_cmpstr(from->channel.state, ==, "failed");
            g_assert_cmpstr(from->channel.reason, ==, failures[i].reason);
            g_assert_cmpuint(from->n_fallbacks, ==, 0);
            g_assert_cmpuint(from->connections.attempted, ==, 1);
            g_assert_cmpstr(to->channel.state, ==, "up");
            g_assert_cmpuint(to->n_fallbacks, ==, 1);
            const ccm_view_fallback *f = &to->fallbacks[0];
            g_assert_cmpuint(f->from_port, ==, 10140 + vm);
            g_assert_cmpstr(f->from_protocol, ==, "tcp-tls");
            g_assert_cmpstr(f->reason, ==, failures[i].reason);
            g_assert_cmpstr(ccm_certainty_name(f->certainty), ==, "strong");
            g_assert_cmpuint(f->first_seen_ns, ==, T0 + vm * SECOND);
        }
        g_assert_cmpstr(drv_role(w.v, GATEWAY, "cmg")->qualifier, ==, "classic");
        g_assert_cmpstr(ccm_certainty_name(drv_role(w.v, POINT, "cmg-cp")->certainty), ==,
                        "likely");
        finish(&w);
    }
}

/* F2: one VM; and later than a minute, which is no proof of the order. */
static void test_load_balancer(void)
{
    for (unsigned late = 0; late < 2; late++) {
        world w = begin();
        talk(&w, POINT, GATEWAY ":10140", 0, "unanswered", NULL, 0, 0);
        talk(&w, POINT, GATEWAY ":443", late ? 61 : 59, "established", "open", 600, 4000);
        talk(&w, POINT, "10.0.0.99:443", 30, "established", "open", 600, 4000); /* not a gateway */
        look(&w);
        const ccm_view_route *to = row(&w, GATEWAY ":443");
        is_route(to, "cmg-cp/cmg", "https", "likely", 0);
        g_assert_cmpuint(to->n_fallbacks, ==, 1);
        g_assert_cmpstr(to->fallbacks[0].reason, ==, "unanswered");
        g_assert_cmpstr(ccm_certainty_name(to->fallbacks[0].certainty), ==,
                        late ? "likely" : "strong");
        g_assert_cmpint(has(to->fallbacks[0].evidence, "within-a-minute"), ==, !late);
        is_route(row(&w, "10.0.0.99:443"), "unknown/unknown", "https", "weak", 0);
        finish(&w);
    }
}

/* The 2017 case: HTTPS indices one higher; and DOWN: everything fails. */
static void test_shifted_and_down(void)
{
    world w = begin();
    talk(&w, POINT, GATEWAY ":10140", 0, "refused", NULL, 0, 0);
    talk(&w, POINT, GATEWAY ":10125", 2, "established", "open", 600, 4000);
    for (unsigned i = 0; i < 3; i++) {
        talk(&w, POINT, "20.1.2.4:10140", 10 * i, "refused", NULL, 0, 0);
        talk(&w, POINT, "20.1.2.4:443", 10 * i + 1, "unanswered", NULL, 0, 0);
    }
    look(&w);
    g_assert_cmpuint(row(&w, GATEWAY ":10125")->n_fallbacks, ==, 1);
    g_assert_cmpuint(row(&w, GATEWAY ":10125")->fallbacks[0].from_port, ==, 10140);
    const ccm_view_route *a = row(&w, "20.1.2.4:10140"), *b = row(&w, "20.1.2.4:443");
    g_assert_cmpstr(a->channel.state, ==, "down");
    g_assert_cmpstr(b->channel.state, ==, "down");
    g_assert_cmpuint(a->connections.refused, ==, 3);
    g_assert_cmpuint(b->connections.unanswered, ==, 3);
    g_assert_cmpuint(b->n_fallbacks, ==, 0);
    finish(&w);
}

/* H1: a scale set by name never touches 10140; a lone port of the range proves little. */
static void test_scale_set(void)
{
    world w = begin();
    answer(&w, "10.0.0.21:5", "contoso.eastus.cloudapp.azure.com", 1, 0, GATEWAY, NULL, NULL, NULL);
    for (unsigned vm = 0; vm < 3; vm++) {
        g_autofree char *to = g_strdup_printf(GATEWAY ":%u", 10124 + vm);
        talk(&w, POINT, to, vm, "established", "open", 600, 4000);
    }
    talk(&w, POINT, "10.0.0.77:10130", 1, "established", "open", 600, 4000);
    talk(&w, POINT, "10.0.0.9:80", 1, "established", "fin", 600, 4000);
    look(&w);
    for (unsigned vm = 0; vm < 3; vm++) {
        g_autofree char *to = g_strdup_printf(GATEWAY ":%u", 10124 + vm);
        is_route(row(&w, to), "cmg-cp/cmg", "https", "likely", vm + 1);
        g_assert_cmpuint(row(&w, to)->n_fallbacks, ==, 0);
    }
    g_assert_cmpstr(drv_role(w.v, GATEWAY, "cmg")->qualifier, ==, "scale-set");
    is_route(row(&w, "10.0.0.77:10130"), "cmg-cp/cmg", "https", "weak", 7);
    g_assert_cmpstr(ccm_certainty_name(drv_role(w.v, "10.0.0.77", "cmg")->certainty), ==, "weak");
    finish(&w);
}

/* S40: the connection point's requests to the management point are the internet clients'. */
static void test_point_to_site(void)
{
    world w = begin();
    talk(&w, POINT, GATEWAY ":10140", 0, "established", "open", 600, 4000);
    talk(&w, POINT, GATEWAY ":10141", 0, "established", "open", 600, 4000);
    drv_request(w.m, 90, POINT ":5000", "10.0.0.9:80", "CCM_POST", "/ccm_system/request", "mp.x");
    drv_run(w.m, 90, POINT ":5000", "10.0.0.9:80", true, T0, 3);
    drv_connection(w.m, 90, POINT ":5000", "10.0.0.9:80", "established", "fin");
    look(&w);
    const ccm_view_route *r = row(&w, "10.0.0.9:80");
    is_route(r, "cmg-cp/mp", "http", "likely", 0);
    g_assert_true(has(r->basis, "source-is-cmg-cp"));
    finish(&w);
}

/* Reconnects, and the rhythm of an idle channel: bursts at 0, 60, 120, 180 and 300 s. */
static void test_rhythm(void)
{
    static const unsigned at[] = { 0, 60, 120, 180, 300 };
    world w = begin();
    w.flow = 1;
    for (unsigned i = 0; i < G_N_ELEMENTS(at); i++) {
        bytes(&w, POINT ":50001", GATEWAY ":10140", true, at[i] * SECOND, 80);
        bytes(&w, POINT ":50001", GATEWAY ":10140", false, at[i] * SECOND, 80);
    }
    drv_connection(w.m, 1, POINT ":50001", GATEWAY ":10140", "established", "open");
    talk(&w, POINT, GATEWAY ":10141", 0, "established", "reset", 600, 4000);
    talk(&w, POINT, GATEWAY ":10141", 1, "established", "reset", 600, 4000);
    talk(&w, POINT, GATEWAY ":10141", 2, "established", "open", 600, 4000);
    look(&w);
    const ccm_view_channel *c = &row(&w, GATEWAY ":10140")->channel;
    g_assert_cmpuint(c->pauses, ==, 4);
    g_assert_cmpuint(c->pause_median_s, ==, 60);
    g_assert_cmpuint(c->pause_shortest_s, ==, 60);
    g_assert_cmpuint(c->pause_longest_s, ==, 120);
    g_assert_cmpuint(c->reconnects, ==, 0);
    c = &row(&w, GATEWAY ":10141")->channel;
    g_assert_cmpuint(c->reconnects, ==, 2);
    g_assert_cmpuint(c->pauses, ==, 0);
    g_assert_cmpstr(c->state, ==, "up");
    g_assert_cmpuint(row(&w, GATEWAY ":10141")->connections.reset, ==, 2);
    finish(&w);
}

/* ---- client notification, peer cache, software update point -----------------------------------
 */

/* C03, C04: 10123 fails, then the client polls the handler on the web port. */
static void test_notification(void)
{
    world w = begin();
    talk(&w, "10.0.0.5", "10.0.0.9:10123", 0, "unanswered", NULL, 0, 0);
    talk(&w, "10.0.0.6", "10.0.0.9:10123", 0, "established", "open", 600, 900);
    w.flow = 90;
    for (unsigned i = 0; i < 2; i++) { /* the second one never tried 10123 */
        const char *client = i ? "10.0.0.7:5000" : "10.0.0.5:5000";
        w.flow++;
        drv_request(w.m, w.flow, client, "10.0.0.9:80", "POST",
                    "/bgb/handler.ashx?RequestType=LogIn", "mp.x");
        bytes(&w, client, "10.0.0.9:80", true, 5 * SECOND, 300);
        bytes(&w, client, "10.0.0.9:80", false, 5 * SECOND, 300);
        drv_connection(w.m, w.flow, client, "10.0.0.9:80", "established", "fin");
    }
    look(&w);
    const ccm_view_route *r = row(&w, "10.0.0.9:80");
    is_route(r, "client/mp", "http", "proven", 0);
    g_assert_cmpuint(r->n_fallbacks, ==, 1);
    g_assert_cmpuint(r->fallbacks[0].from_port, ==, 10123);
    g_assert_cmpstr(r->fallbacks[0].from_protocol, ==, "tls");
    g_assert_cmpstr(r->fallbacks[0].reason, ==, "unanswered");
    g_assert_cmpuint(r->fallbacks[0].count, ==, 1);
    g_assert_true(has(r->fallbacks[0].evidence, "bgb-handler"));
    const ccm_view_route *n = row(&w, "10.0.0.9:10123");
    is_route(n, "client/mp", "tls", "likely", 0); /* it is a management point on port 80 */
    g_assert_cmpstr(n->channel.state, ==, "up");  /* for the other client */
    g_assert_cmpuint(n->connections.unanswered, ==, 1);
    finish(&w);
}

/* TLS that is answered, its content hidden. */
static void hidden(world *w, const char *client, const char *server, unsigned second)
{
    g_autofree char *from = g_strdup_printf("%s:%u", client, 50000 + (unsigned)w->flow + 1);
    ccm_obs o = drv_obs(CCM_OBS_tls_session, w->flow + 1, from, server, T0 + second * SECOND);
    ccm_obs_u64(&o, CCM_KEY_tls_version, 0x0303);
    ccm_model_observe(w->m, &o);
    talk(w, client, server, second, "established", "fin", 600, 4000);
}

/* C04, where the polling is inside TLS: what follows may be anything, so it is likely at most, and
 * where polling can be read or 10123 works it is nothing. drv_obs: a flow's frame is ten times its
 * number, and hidden() and talk() number them from 1. */
static void test_hidden_polling(void)
{
    static const struct {
        const char *what;
        unsigned failure, tried, https; /* seconds */
        bool known, no_tls, works, polls, read;
        const char *certainty, *evidence; /* NULL: nothing is told */
    } cases[] = {
        { "follows", 0, 0, 59, true, false, false, false, false, "likely", "https-follows" },
        { "unanswered", 1, 0, 59, true, false, false, false, false, "likely", "https-follows" },
        { "silent", 2, 0, 59, true, false, false, false, false, "likely", "https-follows" },
        { "late", 0, 0, 61, true, false, false, false, false, "weak", "https-follows" },
        { "no role", 0, 0, 5, false, false, false, false, false, "weak", "https-follows" },
        { "before", 0, 100, 5, true, false, false, false, false, NULL, NULL },
        { "not TLS", 0, 0, 5, true, true, false, false, false, NULL, NULL },
        { "works", 0, 0, 5, true, false, true, false, false, NULL, NULL },
        { "polls", 0, 0, 5, true, false, false, true, false, NULL, NULL },
        { "opened", 0, 0, 5, true, false, false, false, true, NULL, NULL },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        world w = begin();
        unsigned how = cases[i].failure;
        g_test_message("%s", cases[i].what);
        talk(&w, "10.0.0.5", "10.0.0.9:10123", cases[i].tried, failures[how].state,
             failures[how].closed, failures[how].said, failures[how].heard);
        if (cases[i].read)
            drv_request(w.m, 2, "10.0.0.5:50002", "10.0.0.9:443", "GET", "/", "mp.x");
        if (cases[i].no_tls)
            talk(&w, "10.0.0.5", "10.0.0.9:443", cases[i].https, "established", "fin", 600, 4000);
        else
            hidden(&w, "10.0.0.5", "10.0.0.9:443", cases[i].https);
        hidden(&w, "10.0.0.6", "10.0.0.9:443", cases[i].https); /* never tried 10123 */
        if (cases[i].works)
            talk(&w, "10.0.0.5", "10.0.0.9:10123", 50, "established", "open", 600, 900);
        if (cases[i].known) { /* by another client */
            drv_request(w.m, 90, "10.0.0.7:5000", "10.0.0.9:80", "CCM_POST", "/ccm_system/request",
                        "mp.x");
            drv_connection(w.m, 90, "10.0.0.7:5000", "10.0.0.9:80", "established", "fin");
        }
        if (cases[i].polls) {
            drv_request(w.m, 91, "10.0.0.5:5000", "10.0.0.9:80", "POST",
                        "/bgb/handler.ashx?RequestType=LogIn", "mp.x");
            drv_connection(w.m, 91, "10.0.0.5:5000", "10.0.0.9:80", "established", "fin");
        }
        look(&w);
        const ccm_view_route *r = row(&w, "10.0.0.9:443"), *from = row(&w, "10.0.0.9:10123");
        g_assert_cmpuint(r->n_fallbacks, ==, cases[i].certainty != NULL);
        if (!cases[i].polls)
            g_assert_cmpstr(from->channel.state, ==,
                            cases[i].works       ? "up"
                            : cases[i].certainty ? "failed"
                                                 : "down");
        if (cases[i].certainty) {
            const ccm_view_fallback *f = &r->fallbacks[0];
            g_assert_cmpuint(f->from_port, ==, 10123);
            g_assert_cmpuint(f->count, ==, 1);
            g_assert_cmpstr(f->reason, ==, failures[how].reason);
            g_assert_cmpstr(ccm_certainty_name(f->certainty), ==, cases[i].certainty);
            g_assert_true(has(f->evidence, cases[i].evidence));
            g_assert_false(has(f->evidence, "bgb-handler"));
            g_assert_cmpuint(f->from_frame, ==, 10);
            g_assert_cmpuint(f->frame, ==, 20);
            g_assert_cmpuint(r->channel.reconnects, ==, 0);
        }
        finish(&w);
    }
}

/* HTTPS on a port of its own: only where a service record says that it is the management point's
 * (C33). And HTTPS that the client had before, too. */
static void test_hidden_polling_elsewhere(void)
{
    for (unsigned named = 0; named < 2; named++) {
        world w = begin();
        hidden(&w, "10.0.0.6", "10.0.0.9:443", 0);
        talk(&w, "10.0.0.6", "10.0.0.9:10123", 10, "refused", NULL, 0, 0);
        hidden(&w, "10.0.0.6", "10.0.0.9:443", 20);
        talk(&w, "10.0.0.5", "10.0.0.9:10123", 10, "refused", NULL, 0, 0);
        hidden(&w, "10.0.0.5", "10.0.0.9:8443", 20);
        if (named)
            answer(&w, "10.0.0.5:4", "_mssms_mp_P01._tcp.contoso.com", 33, 0, NULL, NULL,
                   "mp.contoso.com:8443", "mp.contoso.com=10.0.0.9");
        look(&w);
        const ccm_view_route *r = row(&w, "10.0.0.9:8443"), *before = row(&w, "10.0.0.9:443");
        g_assert_cmpuint(r->n_fallbacks, ==, named);
        if (named) {
            is_route(r, "client/mp", "https", "likely", 0);
            g_assert_cmpstr(ccm_certainty_name(r->fallbacks[0].certainty), ==, "likely");
        }
        g_assert_cmpuint(before->n_fallbacks, ==, 1);
        g_assert_true(has(before->fallbacks[0].evidence, "https-goes-on"));
        g_assert_cmpstr(ccm_certainty_name(before->fallbacks[0].certainty), ==, "weak");
        finish(&w);
    }
}

/* X01 to X05, rows 7 to 12, 19, 20, 30 and 31 of section 7: whom the service connection point asks
 * shows in its names alone, looked up or called in TLS. */
static void test_service_connection_point(void)
{
    static const struct {
        const char *name, *route, *basis;
    } rows[] = {
        { "management.azure.com", "scp/azure-management", "name:azure-management" },
        { "management.usgovcloudapi.net", "scp/azure-management", "name:azure-management" },
        { "management.core.windows.net", "scp/azure-management", "name:azure-service-management" },
        { "manage.windowsazure.com", "scp/azure-management", "name:azure-portal" },
        { "gallery.azure.com", "scp/azure-management", "name:azure-gallery" },
        { "graph.microsoft.com", "scp/microsoft-graph", "name:microsoft-graph" },
        { "graph.windows.net", "scp/microsoft-graph", "name:azure-ad-graph" },
        { "configmgrbits.azureedge.net", "scp/internet", "name:servicing" },
        { "configmgrbits.cdn.manage.microsoft.com", "scp/internet", "name:servicing" },
        { "sccmconnected-a01.cloudapp.net", "scp/internet", "name:usage-data" },
        { "dc.services.visualstudio.com", "scp/internet", "name:telemetry" },
        { "prod-01.westeurope.logic.azure.com", "scp/internet", "name:notification" },
    };
    for (unsigned sni = 0; sni < 2; sni++) {
        world w = begin();
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
            g_autofree char *to = g_strdup_printf("20.0.0.%u", i + 1);
            g_autofree char *server = g_strdup_printf("%s:443", to);
            if (!sni) {
                answer(&w, "10.0.0.2:40000", rows[i].name, 1, 0, to, NULL, NULL, NULL);
            } else {
                g_autofree char *from = g_strdup_printf("10.0.0.2:%u", 50001 + (unsigned)w.flow);
                ccm_obs o = drv_obs(CCM_OBS_tls_client_hello, w.flow + 1, from, server, T0);
                drv_text(&o, CCM_KEY_sni, rows[i].name);
                ccm_model_observe(w.m, &o);
            }
            hidden(&w, "10.0.0.2", server, 1);
        }
        look(&w);
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
            g_autofree char *server = g_strdup_printf("20.0.0.%u:443", i + 1);
            const ccm_view_route *r = row(&w, server);
            g_test_message("%s", rows[i].name);
            is_route(r, rows[i].route, "https", "weak", 0);
            g_assert_true(has(r->basis, rows[i].basis));
            g_assert_cmpuint(r->tls.sessions, ==, 1);
        }
        finish(&w);
    }
}

/* Section 8 of ccm-protocol.md: a long-lived connection with small records every 5 or 15 minutes.
 */
static void test_keep_alive(void)
{
    static const unsigned every[] = { 300, 900, 60 };
    for (unsigned k = 0; k < G_N_ELEMENTS(every); k++) {
        world w = begin();
        w.flow = 1;
        for (unsigned i = 0; i < 4; i++) {
            bytes(&w, "10.0.0.5:50001", "10.0.0.9:10123", true, i * every[k] * SECOND, 80);
            bytes(&w, "10.0.0.5:50001", "10.0.0.9:10123", false, i * every[k] * SECOND, 80);
        }
        drv_connection(w.m, 1, "10.0.0.5:50001", "10.0.0.9:10123", "established", "open");
        look(&w);
        const ccm_view_route *r = row(&w, "10.0.0.9:10123");
        is_route(r, "client/mp", "tls", every[k] == 60 ? "weak" : "likely", 0);
        g_assert_cmpuint(r->channel.pause_median_s, ==, every[k]);
        finish(&w);
    }
}

/* What begins with TLS is no DNS over TCP and no SMB, whatever the port says. */
static void test_misleading_ports(void)
{
    static const char *const servers[] = { "10.0.0.9:53", "10.0.0.9:445", "10.0.0.9:88" };
    for (unsigned i = 0; i < G_N_ELEMENTS(servers); i++) {
        world w = begin();
        w.flow = 1;
        ccm_obs o = drv_obs(CCM_OBS_tls_session, 1, "10.0.0.5:50001", servers[i], T0);
        ccm_obs_u64(&o, CCM_KEY_tls_version, 0x0303);
        bytes(&w, "10.0.0.5:50001", servers[i], true, 0, 80);
        ccm_model_observe(w.m, &o);
        drv_connection(w.m, 1, "10.0.0.5:50001", servers[i], "established", "fin");
        look(&w);
        is_route(row(&w, servers[i]), "unknown/unknown", "tls", "unknown", 0);
        finish(&w);
    }
}

/* P05, C13: by port alone, and so weak. */
static void test_ports(void)
{
    world w = begin();
    talk(&w, "10.0.0.5", "10.0.0.6:8003", 0, "established", "fin", 600, 900);
    talk(&w, "10.0.0.5", "10.0.0.9:8531", 0, "established", "fin", 600, 900);
    look(&w);
    is_route(row(&w, "10.0.0.6:8003"), "client/peer", "http", "weak", 0);
    is_route(row(&w, "10.0.0.9:8531"), "client/sup", "https", "weak", 0);
    finish(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/channels/fallback", test_fallback);
    g_test_add_func("/channels/load-balancer", test_load_balancer);
    g_test_add_func("/channels/shifted-and-down", test_shifted_and_down);
    g_test_add_func("/channels/scale-set", test_scale_set);
    g_test_add_func("/channels/point-to-site", test_point_to_site);
    g_test_add_func("/channels/rhythm", test_rhythm);
    g_test_add_func("/channels/notification", test_notification);
    g_test_add_func("/channels/hidden-polling", test_hidden_polling);
    g_test_add_func("/channels/hidden-polling-elsewhere", test_hidden_polling_elsewhere);
    g_test_add_func("/channels/service-connection-point", test_service_connection_point);
    g_test_add_func("/channels/keep-alive", test_keep_alive);
    g_test_add_func("/channels/misleading-ports", test_misleading_ports);
    g_test_add_func("/channels/ports", test_ports);
    return g_test_run();
}
