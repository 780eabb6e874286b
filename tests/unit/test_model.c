/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_model.c - from observations made by hand to roles, routes, rates, clients and uploads. The
 * expected numbers are worked out by hand in the comments. */
#include "model_driver.h"

#include "model/exchange.h"

#define CLIENT "10.0.0.5:51022"
#define CLIENT2 "10.0.0.6:51023"
#define MP "10.0.0.9:80"
#define DP "10.0.0.8:80"

typedef struct fixture {
    ccm_catalog *cat;
    ccm_limits limits;
    ccm_model *m;
} fixture;

static void set_up(fixture *f, const void *data)
{
    (void)data;
    GError *error = NULL;
    f->cat = ccm_catalog_load(NULL, &error);
    g_assert_no_error(error);
    f->limits = (ccm_limits){ .flows = 1000,
                              .edges = 1000,
                              .hosts = 1000,
                              .host_names = 4,
                              .client_ids = 100,
                              .buckets = 10000,
                              .methods = 4 };
    f->m = ccm_model_new(f->cat, &f->limits);
}

static void tear_down(fixture *f, const void *data)
{
    (void)data;
    ccm_model_free(f->m);
    ccm_catalog_unref(f->cat);
}

static void renew(fixture *f)
{
    ccm_model_free(f->m);
    f->m = ccm_model_new(f->cat, &f->limits);
}

/* A whole connection with one exchange: 3 packets out, 2 back. */
static void talk(ccm_model *m, uint64_t flow, const char *client, const char *server,
                 const char *method, const char *target, const char *host, unsigned status,
                 uint64_t time)
{
    drv_request(m, flow, client, server, method, target, host);
    drv_response(m, flow, client, server, status);
    drv_run(m, flow, client, server, true, time, 3);
    drv_run(m, flow, client, server, false, time + 5000, 2);
    drv_connection(m, flow, client, server, "established", "fin");
}

static void check_sums(const ccm_view *v, uint64_t packets)
{
    uint64_t p = 0, b = 0;
    for (unsigned i = 0; i < v->n_routes; i++) {
        p += v->routes[i].packets[0] + v->routes[i].packets[1];
        b += v->routes[i].wire_bytes[0] + v->routes[i].wire_bytes[1];
    }
    g_assert_cmpuint(p, ==, packets);
    g_assert_cmpuint(b, ==, packets * 100);
    g_assert_cmpuint(v->capture.packets, ==, packets);
    g_assert_cmpuint(v->capture.bytes, ==, packets * 100);
}

static void roles_and_routes(fixture *f, const void *data)
{
    (void)data;
    talk(f->m, 1, CLIENT, MP, "CCM_POST", "/ccm_system/request", "MP.Contoso.com:80", 200, SECOND);
    talk(f->m, 2, CLIENT, DP, "PROPFIND", "/SMS_DP_SMSPKG$/X", "10.0.0.8", 207, 2 * SECOND);
    talk(f->m, 3, CLIENT2, MP, "CCM_POST", "/ccm_system/request", "mp", 200, 3 * SECOND);
    drv_capture(f->m, 15, 1500, SECOND, 3 * SECOND + 6000);
    ccm_view *v = ccm_view_new(f->m, false);
    check_sums(v, 15);
    g_assert_true(v->ended);
    g_assert_true(v->capture.complete);
    g_assert_cmpuint(v->n_routes, ==, 2);
    const ccm_view_route *r = drv_route(v, "client/mp");
    g_assert_cmpint(r->certainty, ==, CCM_CERTAINTY_PROVEN);
    g_assert_cmpstr(r->ref, ==, "routes-and-ports.md C01");
    g_assert_false(r->has_source);
    g_assert_cmpuint(r->sources, ==, 2);
    g_assert_cmpuint(r->connections.established, ==, 2);
    g_assert_cmpuint(r->packets[CCM_TO_DESTINATION], ==, 6);
    g_assert_cmpuint(r->payload_bytes[CCM_TO_SOURCE], ==, 4 * 46);
    g_assert_cmpuint(r->destination_names.n, ==, 2);
    g_assert_cmpstr(r->destination_names.v[1], ==, "mp.contoso.com");
    g_assert_cmpstr(r->requests.v[0].name, ==, "CCM_POST");
    g_assert_cmpuint(r->statuses.v[0].count, ==, 2);
    g_assert_cmpstr(r->basis.v[0], ==, "ccm-system-request");
    g_assert_true(drv_route(v, "client/dp")->has_source);
    g_assert_cmpuint(drv_host(v, "10.0.0.8")->names.n, ==, 0);
    const ccm_view_role *role = drv_role(v, "10.0.0.9", "mp");
    g_assert_cmpint(role->certainty, ==, CCM_CERTAINTY_PROVEN);
    g_assert_cmpuint(role->evidence[0].count, ==, 2);
    g_assert_cmpuint(role->evidence[0].first_frame, ==, 10);
    g_assert_nonnull(drv_role(v, "10.0.0.5", "client"));
    ccm_view_free(v);
    v = ccm_view_new(f->m, true);
    g_assert_cmpuint(v->n_routes, ==, 3);
    check_sums(v, 15);
    ccm_view_free(v);
}

/* A flow without a request takes the route of the server's only role there; another port does not.
 */
static void role_of_destination(fixture *f, const void *data)
{
    (void)data;
    talk(f->m, 1, CLIENT, MP, "CCM_POST", "/ccm_system/request", NULL, 200, SECOND);
    drv_run(f->m, 2, CLIENT2, MP, true, SECOND, 1);
    drv_connection(f->m, 2, CLIENT2, MP, "unanswered", "idle");
    drv_run(f->m, 3, CLIENT2, "10.0.0.9:445", true, SECOND, 1);
    drv_connection(f->m, 3, CLIENT2, "10.0.0.9:445", "refused", "reset");
    drv_run(f->m, 4, CLIENT2, "10.0.0.9:7", true, SECOND, 1);
    drv_connection(f->m, 4, CLIENT2, "10.0.0.9:7", "midstream", "open");
    ccm_view *v = ccm_view_new(f->m, true);
    check_sums(v, 8);
    g_assert_false(v->ended);
    unsigned likely = 0;
    for (unsigned i = 0; i < v->n_routes; i++)
        if (v->routes[i].certainty == CCM_CERTAINTY_LIKELY) {
            likely++;
            g_assert_cmpstr(v->routes[i].route, ==, "client/mp");
            g_assert_cmpstr(v->routes[i].basis.v[0], ==, "role-of-destination");
            g_assert_cmpuint(v->routes[i].connections.attempted, ==, 1);
            g_assert_cmpuint(v->routes[i].connections.unanswered, ==, 1);
        }
    g_assert_cmpuint(likely, ==, 1);
    const ccm_view_route *smb = drv_route(v, "client/file-server");
    g_assert_cmpint(smb->certainty, ==, CCM_CERTAINTY_WEAK);
    g_assert_cmpuint(smb->connections.reset, ==, 1);
    const ccm_view_route *none = drv_route(v, "unknown/unknown");
    g_assert_true(none == &v->routes[v->n_routes - 1]);
    g_assert_cmpint(none->certainty, ==, CCM_CERTAINTY_UNKNOWN);
    g_assert_cmpstr(none->protocol, ==, "tcp");
    g_assert_cmpuint(none->connections.attempted, ==, 0);
    ccm_view_free(v);
}

/* Two roles on one host and port: flows keep apart, and a silent flow has no single role to take.
 */
static void two_roles_one_port(fixture *f, const void *data)
{
    (void)data;
    talk(f->m, 1, CLIENT, MP, "CCM_POST", "/ccm_system/request", NULL, 200, SECOND);
    talk(f->m, 2, CLIENT, MP, "GET", "/SMS_DP_SMSPKG$/X/f", NULL, 200, SECOND);
    drv_run(f->m, 3, CLIENT2, MP, true, SECOND, 1);
    drv_connection(f->m, 3, CLIENT2, MP, "established", "fin");
    ccm_view *v = ccm_view_new(f->m, false);
    g_assert_cmpuint(drv_route(v, "client/mp")->packets[0], ==, 3);
    g_assert_cmpuint(drv_route(v, "client/dp")->packets[0], ==, 3);
    const ccm_view_route *r = drv_route(v, "unknown/unknown");
    g_assert_cmpuint(r->packets[0], ==, 1);
    g_assert_cmpstr(r->protocol, ==, "http");
    g_assert_cmpint(r->certainty, ==, CCM_CERTAINTY_WEAK);
    check_sums(v, 11);
    ccm_view_free(v);
}

static void pull_dp(fixture *f, const void *data)
{
    (void)data;
    talk(f->m, 1, CLIENT, DP, "GET", "/SMS_DP_SMSPKG$/X/f", NULL, 200, SECOND);
    talk(f->m, 2, "10.0.0.8:50000", "10.0.0.7:80", "GET", "/SMS_DP_SMSPKG$/X/f", NULL, 200, SECOND);
    ccm_view *v = ccm_view_new(f->m, false);
    const ccm_view_route *r = drv_route(v, "dp/dp");
    g_assert_nonnull(r);
    g_assert_cmpint(r->certainty, ==, CCM_CERTAINTY_LIKELY);
    g_assert_cmpstr(r->source_role, ==, "dp");
    g_assert_cmpstr(r->basis.v[1], ==, "source-is-dp");
    g_assert_cmpint(drv_route(v, "client/dp")->certainty, ==, CCM_CERTAINTY_PROVEN);
    ccm_view_free(v);
}

/* A server that denies the URL is not proven to be what somebody takes it for. */
static void denied(fixture *f, const void *data)
{
    (void)data;
    talk(f->m, 1, CLIENT, MP, "CCM_POST", "/ccm_system/request", NULL, 404, SECOND);
    ccm_view *v = ccm_view_new(f->m, false);
    g_assert_cmpint(drv_role(v, "10.0.0.9", "mp")->certainty, ==, CCM_CERTAINTY_LIKELY);
    g_assert_cmpint(drv_route(v, "client/mp")->certainty, ==, CCM_CERTAINTY_LIKELY);
    g_assert_cmpuint(drv_route(v, "client/mp")->failed_total, ==, 1);
    ccm_view_free(v);
}

static void web_proxy(fixture *f, const void *data)
{
    (void)data;
    talk(f->m, 1, CLIENT, "10.0.0.3:8080", "GET", "http://download.windowsupdate.com/x",
         "download.windowsupdate.com", 200, SECOND);
    talk(f->m, 2, CLIENT, "10.0.0.3:8080", "CONNECT", "cmg.contoso.com:443", "cmg.contoso.com:443",
         200, SECOND);
    ccm_view *v = ccm_view_new(f->m, false);
    g_assert_cmpint(drv_role(v, "10.0.0.3", "web-proxy")->n_evidence, ==, 2);
    g_assert_null(drv_role(v, "10.0.0.3", "microsoft-update"));
    g_assert_cmpuint(drv_host(v, "10.0.0.3")->names.n, ==, 0);
    g_assert_cmpuint(v->n_routes, ==, 1);
    g_assert_cmpstr(v->routes[0].route, ==, "client/web-proxy");
    g_assert_cmpuint(v->routes[0].port, ==, 8080);
    ccm_view_free(v);
}

/* Direction and client are the connection's, whatever a run before it believed. */
static void orientation(fixture *f, const void *data)
{
    (void)data;
    drv_run(f->m, 1, "10.0.0.9:80", CLIENT, true, SECOND, 2); /* wrong way round */
    drv_run(f->m, 1, CLIENT, MP, true, SECOND, 3);
    drv_connection(f->m, 1, CLIENT, MP, "midstream", "open");
    ccm_view *v = ccm_view_new(f->m, false);
    g_assert_cmpuint(v->n_routes, ==, 1);
    g_assert_cmpuint(v->routes[0].port, ==, 80);
    g_assert_cmpuint(v->routes[0].packets[CCM_TO_DESTINATION], ==, 3);
    g_assert_cmpuint(v->routes[0].packets[CCM_TO_SOURCE], ==, 2);
    ccm_view_free(v);
}

/* Second 100: 10 packets, 101: 20, 103: 30, of 100 bytes. Peak = 30*100*8 = 24000 bit/s; p95 of
 * three active seconds = the third = 24000; mean = 6000*8 bits over 3.000001 s = 15999 bit/s. */
static void rates(fixture *f, const void *data)
{
    (void)data;
    drv_run(f->m, 1, CLIENT, MP, true, 100 * SECOND, 10);
    drv_run(f->m, 1, CLIENT, MP, false, 101 * SECOND, 20);
    drv_run(f->m, 1, CLIENT, MP, true, 103 * SECOND, 30);
    drv_connection(f->m, 1, CLIENT, MP, "established", "fin");
    ccm_view *v = ccm_view_new(f->m, false);
    const ccm_view_route *r = &v->routes[0];
    g_assert_cmpuint(r->rate.interval_s, ==, 1);
    g_assert_cmpuint(r->rate.peak_bps, ==, 24000);
    g_assert_cmpuint(r->rate.p95_bps, ==, 24000);
    g_assert_cmpuint(r->rate.mean_bps, ==, 15999);
    g_assert_cmpuint(r->timeline.interval_s, ==, 1);
    g_assert_cmpuint(r->timeline.start_ns, ==, 100 * SECOND);
    g_assert_cmpuint(r->timeline.n, ==, 4);
    g_assert_cmpuint(r->timeline.bytes[0][0], ==, 1000);
    g_assert_cmpuint(r->timeline.bytes[1][1], ==, 2000);
    g_assert_cmpuint(r->timeline.bytes[0][2], ==, 0);
    g_assert_cmpuint(r->timeline.bytes[0][3], ==, 3000);
    ccm_view_free(v);
}

/* 1000 bytes at 109.9 s and 1000 at 110.1 s: 8000 bit/s in each of two seconds, so over 2 s. */
static void burst(fixture *f, const void *data)
{
    (void)data;
    drv_run(f->m, 1, CLIENT, MP, true, 109900 * (SECOND / 1000), 10);
    drv_run(f->m, 1, CLIENT, MP, true, 110100 * (SECOND / 1000), 10);
    ccm_view *v = ccm_view_new(f->m, false);
    g_assert_cmpuint(v->routes[0].rate.peak_bps, ==, 8000);
    g_assert_cmpuint(v->routes[0].rate.mean_bps, ==, 8000);
    ccm_view_free(v);
}

/* 100 seconds with something in each, room for 16 points: 100 > 16 at 1 s, 10 points at 10 s. Then
 * a point 3000 s later and a dense line: 301 points of 10 s. */
static void coarsening(fixture *f, const void *data)
{
    (void)data;
    f->limits.buckets = 16;
    renew(f);
    for (unsigned s = 0; s < 100; s++)
        drv_run(f->m, 1, CLIENT, MP, true, (1000 + s) * SECOND, 1);
    drv_run(f->m, 1, CLIENT, MP, true, 4000 * SECOND, 1);
    drv_connection(f->m, 1, CLIENT, MP, "established", "fin");
    ccm_view *v = ccm_view_new(f->m, false);
    const ccm_view_route *r = &v->routes[0];
    g_assert_cmpuint(r->rate.interval_s, ==, 10);
    g_assert_cmpuint(r->rate.peak_bps, ==, 10 * 100 * 8 / 10);
    g_assert_cmpuint(r->timeline.n, ==, 301);
    g_assert_cmpuint(r->timeline.bytes[0][9], ==, 1000);
    g_assert_cmpuint(r->timeline.bytes[0][300], ==, 100);
    g_assert_cmpuint(v->capture.n_limits_hit, ==, 0);
    check_sums(v, 101);
    ccm_view_free(v);
    /* Far apart: no interval of the ladder fits 40 points 10 days apart. */
    for (unsigned d = 0; d < 40; d++)
        drv_run(f->m, 2, CLIENT, MP, true, UINT64_C(864000) * (d + 1) * SECOND, 1);
    v = ccm_view_new(f->m, false);
    g_assert_cmpstr(v->capture.limits_hit[0].name, ==, "buckets");
    g_assert_cmpuint(v->routes[0].timeline.n, <=, CCM_VIEW_POINTS);
    check_sums(v, 141);
    ccm_view_free(v);
}

/* Sums hold whatever limit is hit, and the limit is named. */
static void limits_keep_sums(fixture *f, const void *data)
{
    (void)data;
    f->limits = (ccm_limits){ .flows = 3,
                              .edges = 2,
                              .hosts = 2,
                              .host_names = 1,
                              .client_ids = 1,
                              .buckets = 16,
                              .methods = 2 };
    renew(f);
    for (unsigned i = 1; i <= 50; i++) {
        char client[32], method[8], host[16];
        g_snprintf(client, sizeof client, "10.1.%u.%u:50000", i / 7, i);
        g_snprintf(method, sizeof method, "M%u", i);
        g_snprintf(host, sizeof host, "h%u.x", i);
        drv_run(f->m, i, client, MP, true, i * SECOND, 1);
        drv_request(f->m, i, client, MP, method, "/ccm_system/x", host);
        drv_run(f->m, i, client, MP, false, i * SECOND, 2);
        if (i % 2)
            drv_connection(f->m, i, client, MP, "established", "fin");
    }
    ccm_view *v = ccm_view_new(f->m, false);
    check_sums(v, 150);
    GString *names = g_string_new(NULL);
    for (unsigned i = 0; i < v->capture.n_limits_hit; i++)
        g_string_append_printf(names, "%s ", v->capture.limits_hit[i].name);
    g_assert_cmpstr(names->str, ==, "edges flows host_names hosts methods ");
    g_string_free(names, TRUE);
    g_assert_cmpuint(v->n_hosts, ==, 2);
    g_assert_false(v->capture.complete);
    ccm_view_free(v);
}

/* More clients than the limit of edges: the route of the rest stays known, without their addresses.
 */
static void many_clients(fixture *f, const void *data)
{
    (void)data;
    f->limits.edges = 8;
    renew(f);
    for (unsigned i = 1; i <= 100; i++) {
        char client[32];
        g_snprintf(client, sizeof client, "10.2.0.%u:50000", i);
        talk(f->m, i, client, MP, "CCM_POST", "/ccm_system/request", "mp.x", 200, i * SECOND);
    }
    ccm_view *v = ccm_view_new(f->m, false);
    check_sums(v, 500);
    g_assert_cmpuint(v->n_routes, ==, 1);
    g_assert_cmpstr(v->routes[0].route, ==, "client/mp");
    g_assert_false(v->routes[0].has_source);
    g_assert_cmpuint(v->routes[0].connections.established, ==, 100);
    g_assert_cmpuint(v->capture.n_limits_hit, ==, 1);
    g_assert_cmpstr(v->capture.limits_hit[0].name, ==, "edges");
    ccm_view_free(v);
}

/* What a flow lacked is told by a run without packets; it counts, and is no sighting. */
static void missing_only(fixture *f, const void *data)
{
    (void)data;
    drv_run(f->m, 1, "10.0.0.1:50000", MP, true, 5 * SECOND, 1);
    ccm_obs o = drv_obs(CCM_OBS_run, 1, "10.0.0.1:50000", MP, 99 * SECOND);
    ccm_obs_flag(&o, CCM_KEY_from_client, true);
    ccm_obs_u64(&o, CCM_KEY_missing_bytes, 1460);
    ccm_model_observe(f->m, &o);
    drv_connection(f->m, 1, "10.0.0.1:50000", MP, "established", "fin");
    ccm_view *v = ccm_view_new(f->m, false);
    check_sums(v, 1);
    g_assert_cmpuint(v->routes[0].missing_bytes[CCM_TO_DESTINATION], ==, 1460);
    g_assert_cmpuint(v->routes[0].last_seen_ns, ==, 5 * SECOND + 1000);
    ccm_view_free(v);
}

/* Packets that belong to no flow, or have no address, still count. */
static void no_flow(fixture *f, const void *data)
{
    (void)data;
    ccm_obs o = drv_obs(CCM_OBS_run, 0, NULL, NULL, SECOND);
    o.l4 = 0;
    ccm_obs_u64(&o, CCM_KEY_packets, 3);
    ccm_obs_u64(&o, CCM_KEY_wire_bytes, 300);
    ccm_model_observe(f->m, &o);
    o = drv_obs(CCM_OBS_run, 7, "10.0.0.1:0", "10.0.0.2:0", SECOND);
    o.l4 = 1;
    ccm_obs_flag(&o, CCM_KEY_from_client, true);
    ccm_obs_u64(&o, CCM_KEY_packets, 2);
    ccm_obs_u64(&o, CCM_KEY_wire_bytes, 200);
    ccm_model_observe(f->m, &o);
    ccm_view *v = ccm_view_new(f->m, false);
    check_sums(v, 5);
    g_assert_cmpuint(v->n_routes, ==, 2);
    g_assert_cmpstr(v->routes[0].protocol, ==, "icmp");
    g_assert_false(v->routes[0].has_port);
    g_assert_cmpstr(v->routes[1].protocol, ==, "other");
    g_assert_cmpuint(v->routes[1].destination.family, ==, 0);
    ccm_view_free(v);
}

static void bits(ccm_model *m, uint64_t exchange, const char *packet, const char *session,
                 const char *range, const char *name, const char *reply_session, int64_t received,
                 unsigned status, const char *error)
{
    ccm_obs o = drv_obs(CCM_OBS_http_request, 1, CLIENT, MP, exchange * SECOND);
    ccm_obs_u64(&o, CCM_KEY_exchange, exchange);
    drv_text(&o, CCM_KEY_method, "BITS_POST");
    drv_text(&o, CCM_KEY_target, "/CCM_Incoming/{F}?x=1");
    drv_text(&o, CCM_KEY_client_id, "GUID:1");
    drv_text(&o, CCM_KEY_bits_packet, packet);
    drv_text(&o, CCM_KEY_bits_session, session);
    drv_text(&o, CCM_KEY_content_range, range);
    drv_text(&o, CCM_KEY_content_name, name);
    ccm_model_observe(m, &o);
    o = drv_obs(CCM_OBS_http_response, 1, MP, CLIENT, exchange * SECOND + 5);
    ccm_obs_u64(&o, CCM_KEY_exchange, exchange);
    ccm_obs_u64(&o, CCM_KEY_status, status);
    drv_text(&o, CCM_KEY_bits_packet, "Ack");
    drv_text(&o, CCM_KEY_bits_session, reply_session);
    drv_text(&o, CCM_KEY_bits_error, error);
    if (received >= 0)
        ccm_obs_u64(&o, CCM_KEY_bits_received, (uint64_t)received);
    ccm_model_observe(m, &o);
    o = drv_obs(CCM_OBS_http_done, 1, CLIENT, MP, exchange * SECOND + 9);
    ccm_obs_u64(&o, CCM_KEY_exchange, exchange);
    ccm_obs_u64(&o, CCM_KEY_request_bytes, 500);
    ccm_model_observe(m, &o);
}

static void uploads_and_clients(fixture *f, const void *data)
{
    (void)data;
    bits(f->m, 1, "Create-Session", NULL, NULL, NULL, "{S}", -1, 200, NULL);
    bits(f->m, 2, "Fragment", "{S}", "bytes 0-499/1000", "inv.xml", "{S}", 500, 200, NULL);
    bits(f->m, 3, "Fragment", "{S}", "bytes 600-999/1000", NULL, "{S}", 500, 416, "0x80200020");
    bits(f->m, 4, "Fragment", "{S}", "bytes 500-999/1000", NULL, "{S}", 1000, 200, NULL);
    bits(f->m, 5, "Close-Session", "{S}", NULL, NULL, "{S}", -1, 200, NULL);
    drv_connection(f->m, 1, CLIENT, MP, "established", "fin");
    ccm_view *v = ccm_view_new(f->m, false);
    g_assert_cmpuint(v->n_uploads, ==, 1);
    const ccm_view_upload *u = &v->uploads[0];
    g_assert_cmpstr(u->id, ==, "{S}");
    g_assert_cmpstr(u->target, ==, "/CCM_Incoming/{F}");
    g_assert_cmpstr(u->name, ==, "inv.xml");
    g_assert_cmpstr(u->client_id, ==, "GUID:1");
    g_assert_cmpuint(u->bytes, ==, 1000);
    g_assert_cmpuint(u->total_bytes, ==, 1000);
    g_assert_cmpuint(u->fragments, ==, 3);
    g_assert_true(u->complete);
    g_assert_false(u->cancelled);
    g_assert_cmpuint(u->errors.n, ==, 1);
    g_assert_cmpstr(u->errors.v[0], ==, "0x80200020");
    g_assert_cmpuint(v->n_clients, ==, 1);
    g_assert_cmpstr(v->clients[0].client_id, ==, "GUID:1");
    g_assert_cmpuint(v->clients[0].total, ==, 5);
    g_assert_cmpuint(v->clients[0].addresses, ==, 1);
    g_assert_cmpuint(drv_route(v, "client/mp")->requests_total, ==, 5);
    ccm_view_free(v);
}

/* What is refused was neither taken nor left open. */
static void uploads_refused(fixture *f, const void *data)
{
    (void)data;
    bits(f->m, 1, "Create-Session", NULL, NULL, NULL, NULL, -1, 403, NULL);
    bits(f->m, 2, "Create-Session", NULL, NULL, NULL, "{S}", -1, 200, NULL);
    bits(f->m, 3, "Fragment", "{S}", "bytes 0-499/900", "inv.xml", NULL, -1, 401, NULL);
    bits(f->m, 4, "Fragment", "{S}", "bytes 0-499/900", NULL, "{S}", -1, 400, NULL);
    ccm_view *v = ccm_view_new(f->m, false);
    g_assert_cmpuint(v->n_uploads, ==, 2);
    g_assert_true(v->uploads[0].refused); /* without a session */
    g_assert_false(v->uploads[1].refused);
    g_assert_cmpuint(v->uploads[1].bytes, ==, 0);
    ccm_view_free(v);
    bits(f->m, 5, "Fragment", "{S}", "bytes 0-499/900", NULL, "{S}", -1, 200, NULL);
    bits(f->m, 6, "Fragment", "{S}", "bytes 400-899/900", NULL, "{S}", -1, 200, NULL);
    bits(f->m, 7, "Close-Session", "{S}", NULL, NULL, "{S}", -1, 500, "0x80070070");
    v = ccm_view_new(f->m, false);
    g_assert_true(v->uploads[1].refused);
    g_assert_false(v->uploads[1].closed);
    g_assert_cmpuint(v->uploads[1].bytes, ==, 900); /* two bodies of 500 */
    ccm_view_free(v);
    bits(f->m, 8, "Close-Session", "{S}", NULL, NULL, "{S}", -1, 200, NULL);
    v = ccm_view_new(f->m, false);
    g_assert_true(v->uploads[1].closed);
    g_assert_false(v->uploads[1].refused);
    ccm_view_free(v);
    drv_connection(f->m, 1, CLIENT, MP, "established", "fin");
}

static void hints_names_notes(fixture *f, const void *data)
{
    (void)data;
    ccm_obs o = drv_obs(CCM_OBS_hint, 1, CLIENT, "10.0.0.4:9999", SECOND);
    drv_text(&o, CCM_KEY_protocol, "TDS");
    ccm_model_observe(f->m, &o);
    drv_run(f->m, 1, CLIENT, "10.0.0.4:9999", true, SECOND, 1);
    drv_connection(f->m, 1, CLIENT, "10.0.0.4:9999", "established", "open");
    o = drv_obs(CCM_OBS_name, 0, NULL, NULL, 0);
    drv_text(&o, CCM_KEY_address, "10.0.0.4");
    drv_text(&o, CCM_KEY_name, "sql\x01.x");
    ccm_model_observe(f->m, &o);
    o = drv_obs(CCM_OBS_anomaly, 1, CLIENT, MP, 0);
    drv_text(&o, CCM_KEY_protocol, "http");
    drv_text(&o, CCM_KEY_reason, "bad chunk");
    ccm_model_observe(f->m, &o);
    o = drv_obs(CCM_OBS_limit, 0, NULL, NULL, 0);
    drv_text(&o, CCM_KEY_limit, "head_bytes");
    ccm_obs_u64(&o, CCM_KEY_count, 4);
    ccm_model_observe(f->m, &o);
    ccm_view *v = ccm_view_new(f->m, false);
    g_assert_cmpstr(v->routes[0].other_protocol, ==, "TDS");
    g_assert_cmpstr(v->routes[0].route, ==, "unknown/unknown");
    g_assert_cmpstr(v->routes[0].destination_names.v[0], ==, "sql\\x01.x");
    g_assert_cmpstr(v->capture.anomalies.v[0].name, ==, "http: bad chunk");
    g_assert_cmpuint(v->capture.limits_hit[0].count, ==, 4);
    ccm_view_free(v);
}

/* An open model and its view: a view changes nothing, and the end changes what it must. */
static void open_flows(fixture *f, const void *data)
{
    (void)data;
    drv_run(f->m, 1, CLIENT, MP, true, SECOND, 2);
    drv_request(f->m, 1, CLIENT, MP, "GET", "/x", NULL);
    char *before = drv_dump(f->m, false), *again = drv_dump(f->m, false);
    g_assert_cmpstr(before, ==, again);
    g_assert_nonnull(strstr(before, "req[GET]=1"));
    drv_connection(f->m, 1, CLIENT, MP, "established", "fin");
    ccm_view *v = ccm_view_new(f->m, false);
    g_assert_cmpuint(v->routes[0].requests_total, ==, 1);
    check_sums(v, 2);
    ccm_view_free(v);
    g_free(before);
    g_free(again);
}

/* ---- exchanges ------------------------------------------------------------------------------- */

static void print_exchange(void *user_data, const ccm_exchange *x)
{
    g_string_append_printf(user_data, "%u.%u %s %s %s %u %s %s %s ttfb=%u\n", (unsigned)x->flow,
                           (unsigned)x->exchange, x->route, x->method ? x->method : "-",
                           x->url_kind ? x->url_kind : "-", x->status, x->pairing,
                           ccm_certainty_name(x->certainty), x->component ? x->component : "-",
                           x->has_ttfb ? (unsigned)x->ttfb_ns : 0);
}

static void observe_request(ccm_joiner *j, uint64_t flow, uint64_t n, const char *target)
{
    ccm_obs o = drv_obs(CCM_OBS_http_request, flow, CLIENT, MP, n);
    ccm_obs_u64(&o, CCM_KEY_exchange, n);
    drv_text(&o, CCM_KEY_method, "CCM_POST");
    drv_text(&o, CCM_KEY_target, target);
    drv_text(&o, CCM_KEY_user_agent, "ccmhttp");
    ccm_joiner_observe(j, &o);
}

static void exchanges(fixture *f, const void *data)
{
    (void)data;
    GString *out = g_string_new(NULL);
    f->limits.flows = 2;
    ccm_joiner *j = ccm_joiner_new(f->cat, &f->limits, print_exchange, out);

    observe_request(j, 1, 1, "/ccm_system/request");
    ccm_obs o = drv_obs(CCM_OBS_http_response, 1, MP, CLIENT, 5);
    ccm_obs_u64(&o, CCM_KEY_exchange, 1);
    ccm_obs_u64(&o, CCM_KEY_status, 100);
    ccm_obs_flag(&o, CCM_KEY_interim, true);
    ccm_joiner_observe(j, &o);
    o.n = 1;
    ccm_obs_u64(&o, CCM_KEY_status, 200);
    ccm_joiner_observe(j, &o);
    o = drv_obs(CCM_OBS_http_done, 1, CLIENT, MP, 9);
    ccm_obs_u64(&o, CCM_KEY_exchange, 1);
    drv_text(&o, CCM_KEY_pairing, "uncertain");
    ccm_obs_u64(&o, CCM_KEY_ttfb_ns, 77);
    ccm_joiner_observe(j, &o);
    g_assert_cmpstr(out->str, ==,
                    "1.1 client/mp CCM_POST ccm-system-request 200 uncertain proven "
                    "ccmexec-messaging ttfb=77\n");
    g_string_truncate(out, 0);
    /* Three open at once with room for two: the oldest comes out; the rest at the end, by frame. */
    observe_request(j, 9, 1, "/a");
    observe_request(j, 8, 1, "/b");
    observe_request(j, 7, 1, "/c");
    g_assert_cmpstr(out->str, ==,
                    "9.1 client/mp CCM_POST ccm-post 0 request-only strong ccmexec-messaging "
                    "ttfb=0\n");
    g_string_truncate(out, 0);
    o = drv_obs(CCM_OBS_http_response, 8, MP, CLIENT, 5);
    ccm_obs_u64(&o, CCM_KEY_exchange, 2);
    ccm_obs_u64(&o, CCM_KEY_status, 503);
    ccm_joiner_observe(j, &o);
    g_string_truncate(out, 0);
    ccm_joiner_free(j);
    g_assert_cmpstr(out->str, ==,
                    "7.1 client/mp CCM_POST ccm-post 0 request-only strong ccmexec-messaging "
                    "ttfb=0\n"
                    "8.2 unknown/unknown - - 503 response-only unknown - ttfb=0\n");
    g_string_free(out, TRUE);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(fixture *, const void *);
    } tests[] = {
        { "/model/roles-and-routes", roles_and_routes },
        { "/model/role-of-destination", role_of_destination },
        { "/model/two-roles-one-port", two_roles_one_port },
        { "/model/pull-dp", pull_dp },
        { "/model/denied", denied },
        { "/model/web-proxy", web_proxy },
        { "/model/orientation", orientation },
        { "/model/rates", rates },
        { "/model/burst", burst },
        { "/model/coarsening", coarsening },
        { "/model/limits-keep-sums", limits_keep_sums },
        { "/model/many-clients", many_clients },
        { "/model/missing-only", missing_only },
        { "/model/no-flow", no_flow },
        { "/model/uploads-and-clients", uploads_and_clients },
        { "/model/uploads-refused", uploads_refused },
        { "/model/hints-names-notes", hints_names_notes },
        { "/model/open-flows", open_flows },
        { "/model/exchanges", exchanges },
    };
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, fixture, NULL, set_up, tests[i].run, tear_down);
    return g_test_run();
}
