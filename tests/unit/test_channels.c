/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_channels.c - names of hosts, roles and routes by name, channels and their fallbacks, from
 * observations made by hand. What is expected comes from routes-and-ports.md sections 6 and 7, and
 * C03, C04, C33. */
#include "model_driver.h"

#define T0 (UINT64_C(1700000000) * SECOND)
#define POINT "10.0.0.21"
#define GATEWAY "20.1.2.3"

typedef struct world {
    ccm_model *m;
    uint64_t flow;
    ccm_view *v;
} world;

static ccm_catalog *catalog(void)
{
    GError *error = NULL;
    ccm_catalog *c = ccm_catalog_load(NULL, &error);
    g_assert_no_error(error);
    return c;
}

static world begin(void)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    ccm_catalog *c = catalog();
    world w = { .m = ccm_model_new(c, &limits) };
    ccm_catalog_unref(c);
    return w;
}

static void finish(world *w)
{
    ccm_view_free(w->v);
    ccm_model_free(w->m);
}

/* Bytes of one direction at a moment. */
static void bytes(world *w, const char *client, const char *server, bool out, uint64_t at,
                  uint64_t payload)
{
    ccm_obs o =
        drv_obs(CCM_OBS_run, w->flow, out ? client : server, out ? server : client, T0 + at);
    ccm_obs_flag(&o, CCM_KEY_from_client, out);
    ccm_obs_u64(&o, CCM_KEY_end_ns, T0 + at);
    ccm_obs_u64(&o, CCM_KEY_packets, 1);
    ccm_obs_u64(&o, CCM_KEY_wire_bytes, payload + 54);
    ccm_obs_u64(&o, CCM_KEY_unique_bytes, payload);
    ccm_model_observe(w->m, &o);
}

/* A connection at `second` with so many payload bytes each way, both at once. */
static void talk(world *w, const char *client, const char *server, unsigned second,
                 const char *state, const char *closed, uint64_t said, uint64_t heard)
{
    g_autofree char *from = g_strdup_printf("%s:%u", client, 50000 + (unsigned)++w->flow);
    bytes(w, from, server, true, second * SECOND, said);
    if (heard || !strcmp(state, "established"))
        bytes(w, from, server, false, second * SECOND, heard);
    drv_connection(w->m, w->flow, from, server, state, closed);
}

static void answer(world *w, const char *client, const char *name, unsigned type, unsigned rcode,
                   const char *addresses, const char *chain, const char *targets, const char *glue)
{
    ccm_obs o = drv_obs(CCM_OBS_dns_answer, ++w->flow, "10.0.0.18:53", client, T0);
    o.l4 = 17;
    drv_text(&o, CCM_KEY_name, name);
    ccm_obs_u64(&o, CCM_KEY_record_type, type);
    ccm_obs_u64(&o, CCM_KEY_rcode, rcode);
    ccm_obs_u64(&o, CCM_KEY_records, addresses || targets);
    drv_text(&o, CCM_KEY_addresses, addresses);
    drv_text(&o, CCM_KEY_chain, chain);
    drv_text(&o, CCM_KEY_targets, targets);
    drv_text(&o, CCM_KEY_glue, glue);
    ccm_model_observe(w->m, &o);
}

static void query(world *w, const char *client, const char *name, unsigned type)
{
    ccm_obs o = drv_obs(CCM_OBS_dns_query, ++w->flow, client, "10.0.0.18:53", T0);
    o.l4 = 17;
    drv_text(&o, CCM_KEY_name, name);
    ccm_obs_u64(&o, CCM_KEY_record_type, type);
    ccm_model_observe(w->m, &o);
}

static const ccm_view_route *row(const world *w, const char *server)
{
    char text[CCM_ENDPOINT_TEXT];
    for (unsigned i = 0; i < w->v->n_routes; i++) {
        const ccm_view_route *r = &w->v->routes[i];
        ccm_endpoint e = { r->destination, r->port };
        if (!strcmp(ccm_endpoint_text(&e, text), server))
            return r;
    }
    g_test_message("no row for %s", server);
    g_assert_not_reached();
}

static bool has(ccm_view_names n, const char *name)
{
    for (unsigned i = 0; i < n.n; i++)
        if (!strcmp(n.v[i], name))
            return true;
    return false;
}

static void look(world *w)
{
    w->v = ccm_view_new(w->m, false);
}

static void is_route(const ccm_view_route *r, const char *route, const char *protocol,
                     const char *certainty, unsigned instance)
{
    g_test_message("%s %s %u %s", r->route, r->protocol, r->port, ccm_certainty_name(r->certainty));
    g_assert_cmpstr(r->route, ==, route);
    g_assert_cmpstr(r->protocol, ==, protocol);
    g_assert_cmpstr(ccm_certainty_name(r->certainty), ==, certainty);
    g_assert_cmpuint(r->instance, ==, instance);
}

/* ---- names ----------------------------------------------------------------------------------- */

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
    g_test_add_func("/channels/chain", test_chain);
    g_test_add_func("/channels/doubt", test_doubt);
    g_test_add_func("/channels/only-named", test_only_named);
    g_test_add_func("/channels/service", test_service);
    g_test_add_func("/channels/lookups", test_lookups);
    g_test_add_func("/channels/authentication", test_authentication);
    g_test_add_func("/channels/reverse", test_reverse);
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
