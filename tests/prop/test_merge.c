/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_merge.c - merging is commutative and associative: a random stream of observations, split by
 * flow over several models that are merged in a random order and grouping, gives the view that one
 * model over the whole stream gives; and the rows always sum to the packets observed. */
#include "../unit/model_driver.h"

enum { ROUNDS = 60, FLOWS = 60, PARTS = 5, STEPS = 600 };

static const char *const servers[] = { "10.0.0.9:80",    "10.0.0.8:80",      "10.0.0.7:8530",
                                       "10.0.0.3:8080",  "[2001:db8::9]:80", "10.0.0.2:445",
                                       "10.0.0.7:10140", "10.0.0.7:10124",   "10.0.0.7:443",
                                       "10.0.0.6:10123" };
static const char *const targets[] = {
    "/ccm_system/request",
    "/SMS_MP/.sms_aut?MPLIST",
    "/SMS_DP_SMSPKG$/P1/f",
    "/index.html",
    "/ClientWebService/client.asmx",
    "http://download.windowsupdate.com/x",
    "/CCM_Incoming/{1}",
    "/ServerSyncWebService/ServerSync.asmx",
    "/SMS_MP_WindowsAuth/.sms_pol?{1}.1_00",
};
static const char *const methods[] = { "GET", "CCM_POST", "BITS_POST", "PROPFIND", "HEAD" };
static const char *const hosts[] = { "mp.x", "DP.x:80", "10.0.0.9", NULL, "sup.x" };
static const char *const states[] = { "established", "refused", "unanswered", "midstream" };
static const char *const packets_of_bits[] = { "Create-Session", "Fragment", "Close-Session",
                                               "Cancel-Session", NULL };

#define PICK(r, list) (list)[g_rand_int_range(r, 0, (gint)G_N_ELEMENTS(list))]

typedef struct flow {
    char client[32];
    const char *server;
    uint64_t exchange;
    bool over, secure;
} flow;

typedef struct world {
    GRand *r;
    flow flows[FLOWS];
    ccm_model *whole, *part[PARTS];
    uint64_t now, packets, bytes;
} world;

static void both(world *w, unsigned i, const ccm_obs *o)
{
    ccm_model_observe(w->whole, o);
    ccm_model_observe(w->part[i % PARTS], o);
}

/* A file on a share ended, or was given up. */
static void step_file(world *w, unsigned i, const flow *f)
{
    ccm_obs o = drv_obs(CCM_OBS_smb_file, i + 1, f->client, f->server, w->now);
    drv_text(&o, CCM_KEY_path, "SMS_DP$/x");
    ccm_obs_u64(&o, CCM_KEY_write_bytes, (uint64_t)g_rand_int_range(w->r, 1, 100000));
    ccm_obs_u64(&o, CCM_KEY_data_start_ns, w->now - SECOND);
    ccm_obs_u64(&o, CCM_KEY_data_end_ns, w->now);
    ccm_obs_flag(&o, CCM_KEY_delete_on_close, g_rand_boolean(w->r));
    both(w, i, &o);
}

static void step_run(world *w, unsigned i, flow *f)
{
    bool out = g_rand_boolean(w->r);
    uint64_t packets = (uint64_t)g_rand_int_range(w->r, 1, 40);
    uint64_t bytes = packets * (uint64_t)g_rand_int_range(w->r, 60, 1500);
    uint64_t now = w->now - (uint64_t)g_rand_int_range(w->r, 0, 2000) * 1000000;
    ccm_obs o =
        drv_obs(CCM_OBS_run, i + 1, out ? f->client : f->server, out ? f->server : f->client, now);
    ccm_obs_flag(&o, CCM_KEY_from_client, out);
    ccm_obs_u64(&o, CCM_KEY_end_ns, now + 1000);
    ccm_obs_u64(&o, CCM_KEY_packets, packets);
    ccm_obs_u64(&o, CCM_KEY_wire_bytes, bytes);
    ccm_obs_u64(&o, CCM_KEY_unique_bytes, bytes / 2);
    ccm_obs_u64(&o, CCM_KEY_retransmitted_bytes, bytes / 7);
    ccm_obs_u64(&o, CCM_KEY_missing_bytes, bytes / 9);
    w->packets += packets;
    w->bytes += bytes;
    both(w, i, &o);
    if (g_str_has_suffix(f->server, ":445") && g_rand_boolean(w->r))
        step_file(w, i, f);
}

static const char *const mechanisms[] = { "ntlm", "kerberos", "basic", NULL, NULL };
static const char *const accounts[] = { "WKS01$", "alice", "Alice", "svc", "SVC", "WKS02$" };
static const char *const results[] = { "verified", "failed", "no-key", "unverifiable" };
static const char *const endpoints[] = { "MP_PolicyManager", "MP_ClientRegistration",
                                         "MP_LocationManager", "MP_HinvEndpoint" };

/* Credentials, tokens, messages and signatures of a request. */
static void proofs(world *w, unsigned i, const flow *f)
{
    const char *mechanism = PICK(w->r, mechanisms);
    ccm_obs o = drv_inside(CCM_OBS_http_auth, i + 1, f->exchange, f->client, f->server, w->now);
    if (mechanism) {
        drv_text(&o, CCM_KEY_header, "authorization");
        drv_text(&o, CCM_KEY_mechanism, mechanism);
        if (!strcmp(mechanism, "ntlm")) {
            ccm_obs_u64(&o, CCM_KEY_ntlm_type, g_rand_boolean(w->r) ? 1 : 3);
            drv_text(&o, CCM_KEY_workstation, g_rand_boolean(w->r) ? "WKS01" : NULL);
        }
        if (strcmp(mechanism, "kerberos"))
            drv_text(&o, CCM_KEY_account, PICK(w->r, accounts));
        else
            drv_text(&o, CCM_KEY_spn, g_rand_boolean(w->r) ? "HTTP/mp.x" : "HTTP/dp.x");
        both(w, i, &o);
    }
    if (g_rand_int_range(w->r, 0, 3))
        return;
    char id[32];
    g_snprintf(id, sizeof id, "GUID:%d", g_rand_int_range(w->r, 0, 6));
    o = drv_inside(CCM_OBS_ccm_message, i + 1, f->exchange, f->client, f->server, w->now + 1);
    drv_text(&o, CCM_KEY_source_id, id);
    drv_text(&o, CCM_KEY_endpoint, PICK(w->r, endpoints));
    drv_text(&o, CCM_KEY_message_id, g_rand_boolean(w->r) ? "{A}" : "{B}");
    drv_text(&o, CCM_KEY_sent_time,
             g_rand_boolean(w->r) ? "2023-11-14T22:13:20Z" : "2023-11-14T22:15:20Z");
    ccm_obs_flag(&o, CCM_KEY_signed, g_rand_boolean(w->r));
    both(w, i, &o);
    o = drv_inside(CCM_OBS_signature, i + 1, f->exchange, f->client, f->server, w->now + 1);
    drv_text(&o, CCM_KEY_field, "payload");
    drv_text(&o, CCM_KEY_client_id, id);
    drv_text(&o, CCM_KEY_result, PICK(w->r, results));
    drv_text(&o, CCM_KEY_key_source, g_rand_boolean(w->r) ? "new-key" : NULL);
    /* a signature is of one client */
    ccm_obs_u64(&o, CCM_KEY_signature_hash, (uint64_t)id[5] * 10 + (g_rand_int(w->r) & 3));
    both(w, i, &o);
}

static void step_kerberos(world *w, unsigned i, const flow *f)
{
    static const unsigned types[] = { 10, 11, 12, 13, 30 };
    static const unsigned codes[] = { 6, 7, 25, 37 };
    unsigned type = PICK(w->r, types);
    bool asks = type == 10 || type == 12;
    ccm_obs o = drv_obs(CCM_OBS_kerberos, i + 1, asks ? f->client : "10.0.0.2:88",
                        asks ? "10.0.0.2:88" : f->client, w->now);
    ccm_obs_u64(&o, CCM_KEY_msg_type, type);
    drv_text(&o, CCM_KEY_realm, "LAB");
    drv_text(&o, CCM_KEY_cname, PICK(w->r, accounts));
    drv_text(&o, CCM_KEY_spn, g_rand_boolean(w->r) ? "HTTP/mp.x" : "HTTP/dp.x");
    if (type == 30)
        ccm_obs_u64(&o, CCM_KEY_error_code, PICK(w->r, codes));
    both(w, i, &o);
}

static const char *const looked_up[] = { "mp.x",
                                         "CMG.contoso.com",
                                         "a.manage.microsoft.com",
                                         "_mssms_mp_p01._tcp.x",
                                         "_kerberos._tcp.x",
                                         "9.0.0.10.in-addr.arpa" };
static const char *const chains[] = { NULL, "contoso.cloudapp.net",
                                      "contoso.eastus.cloudapp.azure.com", "e1.akamaiedge.net" };

static void step_dns(world *w, unsigned i, const flow *f)
{
    bool answer = g_rand_boolean(w->r);
    ccm_obs o =
        drv_obs(answer ? CCM_OBS_dns_answer : CCM_OBS_dns_query, i + 1,
                answer ? "10.0.0.2:53" : f->client, answer ? f->client : "10.0.0.2:53", w->now);
    char addresses[32];
    drv_text(&o, CCM_KEY_name, PICK(w->r, looked_up));
    ccm_obs_u64(&o, CCM_KEY_record_type, g_rand_boolean(w->r) ? 1 : 33);
    if (answer) {
        g_snprintf(addresses, sizeof addresses, "10.0.0.%d 10.0.1.%d",
                   g_rand_int_range(w->r, 1, 10), g_rand_int_range(w->r, 1, 10));
        ccm_obs_u64(&o, CCM_KEY_rcode, (uint64_t)(g_rand_boolean(w->r) ? 0 : g_rand_int(w->r) & 3));
        ccm_obs_u64(&o, CCM_KEY_records, g_rand_int(w->r) & 1);
        drv_text(&o, CCM_KEY_addresses, addresses);
        drv_text(&o, CCM_KEY_chain, PICK(w->r, chains));
        drv_text(&o, CCM_KEY_targets, g_rand_boolean(w->r) ? "mp.x:80" : "dp.x:443");
        drv_text(&o, CCM_KEY_glue, g_rand_boolean(w->r) ? "mp.x=10.0.0.9" : NULL);
    }
    both(w, i, &o);
}

static void step_http(world *w, unsigned i, flow *f)
{
    static const unsigned codes[] = { 200, 200, 206, 404, 401, 500 };
    const char *packet = PICK(w->r, packets_of_bits);
    char id[16], session[16];
    ccm_obs o = drv_obs(CCM_OBS_http_request, i + 1, f->client, f->server, w->now);

    g_snprintf(id, sizeof id, "GUID:%d", g_rand_int_range(w->r, 0, 6));
    g_snprintf(session, sizeof session, "{S%d}", g_rand_int_range(w->r, 0, 4));
    ccm_obs_u64(&o, CCM_KEY_exchange, ++f->exchange);
    drv_text(&o, CCM_KEY_method, PICK(w->r, methods));
    drv_text(&o, CCM_KEY_target, PICK(w->r, targets));
    drv_text(&o, CCM_KEY_host, PICK(w->r, hosts));
    drv_text(&o, CCM_KEY_user_agent, g_rand_boolean(w->r) ? "SMS CCM 5.0" : NULL);
    drv_text(&o, CCM_KEY_client_id, g_rand_boolean(w->r) ? id : NULL);
    ccm_obs_flag(&o, CCM_KEY_decrypted, f->secure);
    drv_text(&o, CCM_KEY_bits_packet, packet);
    drv_text(&o, CCM_KEY_bits_session, packet ? session : NULL);
    drv_text(&o, CCM_KEY_content_range, packet ? "bytes 0-9/100" : NULL);
    drv_text(&o, CCM_KEY_content_name, g_rand_boolean(w->r) ? id : NULL);
    both(w, i, &o);
    proofs(w, i, f);
    if (g_rand_int_range(w->r, 0, 5) == 0)
        return;
    o = drv_obs(CCM_OBS_http_response, i + 1, f->server, f->client, w->now + 10);
    ccm_obs_u64(&o, CCM_KEY_exchange, f->exchange);
    ccm_obs_u64(&o, CCM_KEY_status, PICK(w->r, codes));
    drv_text(&o, CCM_KEY_bits_session, packet ? session : NULL);
    ccm_obs_u64(&o, CCM_KEY_bits_received, (uint64_t)g_rand_int_range(w->r, 0, 1000));
    drv_text(&o, CCM_KEY_bits_host, g_rand_int_range(w->r, 0, 4) ? NULL : "10.0.0.8");
    both(w, i, &o);
    o = drv_obs(CCM_OBS_http_done, i + 1, f->client, f->server, w->now + 20);
    ccm_obs_u64(&o, CCM_KEY_exchange, f->exchange);
    ccm_obs_u64(&o, CCM_KEY_request_bytes, 33);
    drv_text(&o, CCM_KEY_pairing, g_rand_int_range(w->r, 0, 9) ? "sure" : "uncertain");
    both(w, i, &o);
}

static const char *const prints[] = { "AA", "BB", "CC" };
static const char *const issuers[] = { "SMS Issuing", "Lab CA" };

/* What a certificate has to say depends on which it is. */
static void certificate(world *w, unsigned i, const flow *f, bool client)
{
    unsigned which = (unsigned)g_rand_int_range(w->r, 0, G_N_ELEMENTS(prints));
    ccm_obs o = drv_obs(CCM_OBS_tls_certificate, i + 1, client ? f->client : f->server,
                        client ? f->server : f->client, w->now);
    char subject[16];

    g_snprintf(subject, sizeof subject, "host%u.x", which);
    ccm_obs_flag(&o, CCM_KEY_from_client, client);
    drv_text(&o, CCM_KEY_fingerprint, prints[which]);
    drv_text(&o, CCM_KEY_subject, subject);
    drv_text(&o, CCM_KEY_subject_name, subject);
    drv_text(&o, CCM_KEY_issuer, issuers[which % 2]);
    drv_text(&o, CCM_KEY_issuer_name, issuers[which % 2]);
    drv_text(&o, CCM_KEY_key_usage, which == 2 ? NULL : "1.3.6.1.5.5.7.3.2");
    both(w, i, &o);
}

static void alert(world *w, unsigned i, const flow *f)
{
    bool client = g_rand_boolean(w->r);
    ccm_obs o = drv_obs(CCM_OBS_tls_alert, i + 1, client ? f->client : f->server,
                        client ? f->server : f->client, w->now);
    if (g_rand_boolean(w->r)) {
        ccm_obs_flag(&o, CCM_KEY_encrypted, true);
    } else {
        drv_text(&o, CCM_KEY_level, g_rand_boolean(w->r) ? "fatal" : "warning");
        ccm_obs_u64(&o, CCM_KEY_alert, 48);
    }
    both(w, i, &o);
}

/* A handshake. Sessions are resumed among the flows of a part: see tls_book.h. */
static void step_tls(world *w, unsigned i, const flow *f)
{
    static const unsigned versions[] = { 0x0301, 0x0303, 0x0304 };
    static const char *const names[] = { "mp.x", "a.manage.microsoft.com", NULL };
    static const char *const sent[] = { NULL, "yes", "empty", "no" };
    static const char *const flights[] = { NULL, "53", "25,53", "1200,281,53" };
    uint64_t session = 1 + i % PARTS + (uint64_t)g_rand_int_range(w->r, 0, 3) * PARTS;
    unsigned version = PICK(w->r, versions);

    ccm_obs o = drv_obs(CCM_OBS_tls_client_hello, i + 1, f->client, f->server, w->now);
    drv_text(&o, CCM_KEY_sni, PICK(w->r, names));
    drv_text(&o, CCM_KEY_ja3, "ja3");
    ccm_obs_u64(&o, CCM_KEY_random_hash, (uint64_t)g_rand_int_range(w->r, 1, 20));
    ccm_obs_u64(&o, CCM_KEY_session_hash, session);
    both(w, i, &o);
    o = drv_obs(CCM_OBS_tls_server_hello, i + 1, f->server, f->client, w->now);
    ccm_obs_u64(&o, CCM_KEY_tls_version, version);
    drv_text(&o, CCM_KEY_cipher_name, "X");
    bool resumed = g_rand_boolean(w->r);
    ccm_obs_u64(&o, CCM_KEY_session_hash, resumed ? session : session + 1000 * PARTS);
    both(w, i, &o);
    if (!resumed && version < 0x0304)
        certificate(w, i, f, false);
    if (!resumed && g_rand_boolean(w->r))
        certificate(w, i, f, true);
    if (!g_rand_int_range(w->r, 0, 3))
        alert(w, i, f);
    o = drv_obs(CCM_OBS_tls_session, i + 1, f->client, f->server, w->now);
    ccm_obs_u64(&o, CCM_KEY_tls_version, version);
    ccm_obs_flag(&o, CCM_KEY_established, g_rand_boolean(w->r));
    ccm_obs_flag(&o, CCM_KEY_resumed, resumed);
    ccm_obs_flag(&o, CCM_KEY_renegotiated, !g_rand_int_range(w->r, 0, 9));
    ccm_obs_flag(&o, CCM_KEY_decrypted, !g_rand_int_range(w->r, 0, 4));
    drv_text(&o, CCM_KEY_client_certificate, PICK(w->r, sent));
    drv_text(&o, CCM_KEY_client_flight, PICK(w->r, flights));
    ccm_obs_u64(&o, CCM_KEY_client_bytes, g_rand_int(w->r) & 1023);
    both(w, i, &o);
}

static void step_other(world *w, unsigned i, flow *f)
{
    ccm_obs_kind kind = g_rand_boolean(w->r) ? CCM_OBS_hint : CCM_OBS_icmp_error;
    ccm_obs o = drv_obs(kind, i + 1, f->client, f->server, w->now);
    if (kind == CCM_OBS_hint) {
        drv_text(&o, CCM_KEY_protocol, g_rand_boolean(w->r) ? "SMB" : "TDS");
    } else {
        ccm_obs_u64(&o, CCM_KEY_icmp_type, 3);
        ccm_obs_u64(&o, CCM_KEY_icmp_code, (uint64_t)g_rand_int_range(w->r, 0, 4));
    }
    both(w, i, &o);
    o = drv_obs(CCM_OBS_anomaly, i + 1, f->client, f->server, w->now);
    drv_text(&o, CCM_KEY_protocol, "http");
    drv_text(&o, CCM_KEY_reason, PICK(w->r, methods));
    both(w, i, &o);
    o = drv_obs(CCM_OBS_name, 0, NULL, NULL, 0);
    drv_text(&o, CCM_KEY_address, "10.0.0.9");
    drv_text(&o, CCM_KEY_name, PICK(w->r, methods));
    both(w, i, &o);
}

static void end_flow(world *w, unsigned i, flow *f)
{
    ccm_obs o = drv_obs(CCM_OBS_connection, i + 1, f->client, f->server, w->now);
    drv_text(&o, CCM_KEY_state, PICK(w->r, states));
    drv_text(&o, CCM_KEY_closed, g_rand_boolean(w->r) ? "fin" : "reset");
    ccm_obs_u64(&o, CCM_KEY_rtt_ns, (uint64_t)g_rand_int_range(w->r, 1, 100000));
    ccm_obs_u64(&o, CCM_KEY_gaps, (uint64_t)g_rand_int_range(w->r, 0, 3));
    both(w, i, &o);
    f->over = true;
}

static void stream(world *w)
{
    for (unsigned i = 0; i < FLOWS; i++) {
        flow *f = &w->flows[i];
        *f = (flow){ .server = PICK(w->r, servers) };
        /* Some clients are themselves servers of others. */
        g_snprintf(f->client, sizeof f->client, "10.0.0.%d:%u", g_rand_int_range(w->r, 1, 10),
                   50000 + i);
    }
    for (unsigned s = 0; s < STEPS; s++) {
        unsigned i = (unsigned)g_rand_int_range(w->r, 0, FLOWS);
        flow *f = &w->flows[i];
        w->now += (uint64_t)g_rand_int_range(w->r, 0, 4000) * 1000000;
        if (f->over)
            continue;
        int what = g_rand_int_range(w->r, 0, 20);
        if (what < 12)
            step_run(w, i, f);
        else if (what < 18)
            step_http(w, i, f);
        else if (what < 19 && g_rand_boolean(w->r))
            step_kerberos(w, i, f);
        else if (what < 19 && g_rand_boolean(w->r))
            step_dns(w, i, f);
        else if (what < 19)
            step_other(w, i, f);
        else if (g_rand_boolean(w->r) && !f->secure)
            f->secure = true, step_tls(w, i, f);
        else
            end_flow(w, i, f);
    }
    /* Most flows end; some stay open. */
    for (unsigned i = 0; i < FLOWS; i++)
        if (!w->flows[i].over && g_rand_int_range(w->r, 0, 4))
            end_flow(w, i, &w->flows[i]);
}

/* Merges random pairs until one is left, into whichever of the two. */
static ccm_model *merge_all(world *w)
{
    unsigned n = PARTS;
    while (n > 1) {
        unsigned a = (unsigned)g_rand_int_range(w->r, 0, (gint)n);
        unsigned b = (unsigned)g_rand_int_range(w->r, 0, (gint)n - 1);
        b += b >= a;
        ccm_model_merge(w->part[a], w->part[b]);
        ccm_model_free(w->part[b]);
        w->part[b] = w->part[--n];
    }
    return w->part[0];
}

static void check_sums(const ccm_model *m, const world *w)
{
    for (unsigned per_client = 0; per_client < 2; per_client++) {
        ccm_view *v = ccm_view_new(m, per_client);
        uint64_t packets = 0, bytes = 0, points = 0;
        for (unsigned i = 0; i < v->n_routes; i++) {
            const ccm_view_route *r = &v->routes[i];
            packets += r->packets[0] + r->packets[1];
            bytes += r->wire_bytes[0] + r->wire_bytes[1];
            for (unsigned k = 0; k < r->timeline.n; k++)
                points += r->timeline.bytes[0][k] + r->timeline.bytes[1][k];
        }
        g_assert_cmpuint(packets, ==, w->packets);
        g_assert_cmpuint(bytes, ==, w->bytes);
        g_assert_cmpuint(points, ==, w->bytes);
        g_assert_cmpuint(v->capture.n_limits_hit, ==, 0);
        ccm_view_free(v);
    }
}

static void once(ccm_catalog *cat, guint32 seed, unsigned buckets)
{
    const ccm_limits limits = { .flows = 1000,
                                .edges = 5000,
                                .hosts = 1000,
                                .host_names = 100,
                                .client_ids = 100,
                                .buckets = buckets,
                                /* enough for any level, or so few that parts end at other levels */
                                .bursts = buckets > 1000 ? 1 << 20 : 1024,
                                .methods = 30,
                                .accounts = 50,
                                .messages = 10000 };
    world w = { .r = g_rand_new_with_seed(seed), .now = UINT64_C(1700000000) * SECOND };

    w.whole = ccm_model_new(cat, &limits);
    for (unsigned i = 0; i < PARTS; i++)
        w.part[i] = ccm_model_new(cat, &limits);
    stream(&w);
    drv_capture(w.whole, w.packets, w.bytes, 1, 2);
    /* The total of a capture point each; a model ended for each that began. */
    for (unsigned i = 0; i < PARTS; i++)
        drv_capture(w.part[i], i ? 0 : w.packets, i ? 0 : w.bytes, 1, 2);
    ccm_model *merged = merge_all(&w);
    for (unsigned per_client = 0; per_client < 2; per_client++) {
        char *a = drv_dump(w.whole, per_client), *b = drv_dump(merged, per_client);
        g_assert_cmpstr(a, ==, b);
        g_free(a);
        g_free(b);
    }
    check_sums(merged, &w);
    ccm_model_free(merged);
    ccm_model_free(w.whole);
    g_rand_free(w.r);
}

/* Enough points for 1 s; and so few that the parts end at other intervals than the whole. */
static void any_order(const void *data)
{
    for (guint32 seed = 1; seed <= ROUNDS; seed++)
        once((ccm_catalog *)data, seed, seed % 3 == 0 ? 10000 : seed % 3 == 1 ? 150 : 70);
}

static void empty_is_neutral(const void *data)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    ccm_catalog *cat = (ccm_catalog *)data;
    ccm_model *a = ccm_model_new(cat, &limits), *none = ccm_model_new(cat, &limits);
    drv_run(a, 1, "10.0.0.1:1000", "10.0.0.2:80", true, SECOND, 3);
    char *before = drv_dump(a, false);
    ccm_model_merge(a, none);
    ccm_model_merge(none, a);
    char *after = drv_dump(a, false), *other = drv_dump(none, false);
    g_assert_cmpstr(before, ==, after);
    g_assert_cmpstr(before, ==, other);
    g_free(before);
    g_free(after);
    g_free(other);
    ccm_model_free(a);
    ccm_model_free(none);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ccm_catalog *cat = ccm_catalog_load(NULL, NULL);
    g_test_add_data_func("/merge/any-order", cat, any_order);
    g_test_add_data_func("/merge/empty-is-neutral", cat, empty_is_neutral);
    int result = g_test_run();
    ccm_catalog_unref(cat);
    return result;
}
