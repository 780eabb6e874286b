/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_proofs.c - what the model concludes from more than one exchange: handshakes joined, whose
 * ticket it was, network access accounts, why NTLM; clients' signatures and clocks; messages;
 * uploads that move. Expected values are those of auth-modes.md and sums done by hand. */
#include "proofs_driver.h"

/* Three legs are one exchange; what follows on the connection is covered; a failed try counts not.
 */
static void legs_are_one(fixture *f, const void *data)
{
    (void)data;
    connect_to(f, "10.0.0.5:50001", DP);
    log_in(f, DP_FILE, "WKS01$", NULL, 200);
    ask(f, "GET", DP_FILE, NULL);
    answer(f, 206);
    hang_up(f);
    connect_to(f, "10.0.0.6:50001", DP);
    log_in(f, DP_FILE, "bob", NULL, 401);
    hang_up(f);
    connect_to(f, "10.0.0.6:50002", DP);
    ask(f, "GET", DP_FILE, NULL);
    answer(f, 401);
    hang_up(f);
    ccm_view *v = ccm_view_new(f->m, false);
    const ccm_view_route *r = drv_route(v, "client/dp");
    const ccm_view_auth *a = drv_auth(r, "transport", "ntlm", "LAB\\WKS01$");
    g_assert_cmpuint(r->n_auth, ==, 3);
    g_assert_cmpuint(a->count, ==, 2);
    g_assert_cmpuint(a->denied, ==, 0);
    g_assert_cmpint(a->certainty, ==, CCM_CERTAINTY_PROVEN);
    g_assert_cmpstr(a->account_kind, ==, "computer");
    g_assert_cmpuint(drv_why(a, "ntlm-type3")->first_frame, ==, 106);
    g_assert_cmpuint(drv_why(a, "challenge-401")->first_frame, ==, 103);
    g_assert_cmpuint(drv_why(a, "connection-authenticated")->count, ==, 1);
    g_assert_null(drv_why(a, "denied"));
    a = drv_auth(r, "transport", "ntlm", "LAB\\bob");
    g_assert_cmpuint(a->count, ==, 0);
    g_assert_cmpuint(a->denied, ==, 1);
    a = drv_auth(r, "transport", "none-observed", NULL);
    g_assert_cmpuint(a->count, ==, 0);
    g_assert_cmpuint(a->denied, ==, 1);
    g_assert_null(drv_auth(r, "transport", "anonymous", NULL));
    ccm_view_free(v);
}

/* E4: one name fits; two do not tell which. */
static void whose_ticket(fixture *f, const void *data)
{
    (void)data;
    kdc(f, "10.0.0.5:50100", 13, "WKS01$", "HTTP/dp01.lab", 0);
    kdc(f, "10.0.0.6:50100", 13, "WKS02$", "HTTP/DP01.lab", 0);
    kdc(f, "10.0.0.6:50100", 13, "alice", "HTTP/dp01.lab", 0);
    kdc(f, "10.0.0.7:50100", 13, "WKS03$", "cifs/dp01.lab", 0);
    const char *clients[] = { "10.0.0.5:50001", "10.0.0.6:50001", "10.0.0.7:50001" };
    for (unsigned i = 0; i < G_N_ELEMENTS(clients); i++) {
        connect_to(f, clients[i], DP);
        ask(f, "GET", DP_FILE, NULL);
        ticket(f, "HTTP/dp01.lab");
        answer(f, 200);
        hang_up(f);
    }
    ccm_view *v = ccm_view_new(f->m, false);
    const ccm_view_route *r = drv_route(v, "client/dp");
    const ccm_view_auth *a = drv_auth(r, "transport", "kerberos", "WKS01$@LAB.EXAMPLE");
    g_assert_cmpuint(a->count, ==, 1);
    g_assert_cmpint(a->certainty, ==, CCM_CERTAINTY_STRONG);
    g_assert_cmpstr(a->account_kind, ==, "computer");
    g_assert_cmpuint(drv_why(a, "tgs-rep")->first_frame, ==, 5);
    a = drv_auth(r, "transport", "kerberos", NULL);
    g_assert_cmpuint(a->count, ==, 2);
    g_assert_null(a->account_kind);
    ccm_view_free(v);
}

/* The ticket itself, known by its hash, tells whose it is, also when a client has several; one that
 * was got before the capture is nobody's, even if the client got another one meanwhile. */
static void very_ticket(fixture *f, const void *data)
{
    static const struct {
        const char *client, *name;
        uint64_t hash;
    } got[] = { { "10.0.0.6:50100", "WKS02$", 11 },
                { "10.0.0.6:50101", "alice", 22 },
                { "10.0.0.7:50100", "WKS03$", 44 } },
      used[] = { { "10.0.0.6:50001", "alice@LAB.EXAMPLE", 22 },
                 { "10.0.0.6:50002", "WKS02$@LAB.EXAMPLE", 11 },
                 { "10.0.0.6:50003", NULL, 33 },
                 { "10.0.0.6:50004", NULL, 0 },
                 { "10.0.0.7:50001", NULL, 55 },
                 { "10.0.0.7:50002", "WKS03$@LAB.EXAMPLE", 0 } };
    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(got); i++) {
        f->ticket_hash = got[i].hash;
        kdc(f, got[i].client, 13, got[i].name, "HTTP/dp01.lab", 0);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(used); i++) {
        connect_to(f, used[i].client, DP);
        ask(f, "GET", DP_FILE, NULL);
        f->ticket_hash = used[i].hash;
        ticket(f, "HTTP/dp01.lab");
        answer(f, 200);
        hang_up(f);
    }
    ccm_view *v = ccm_view_new(f->m, false);
    const ccm_view_route *r = drv_route(v, "client/dp");
    for (unsigned i = 0; i < G_N_ELEMENTS(used); i++) {
        const ccm_view_auth *a = drv_auth(r, "transport", "kerberos", used[i].name);
        g_assert_cmpuint(a->count, ==, used[i].name ? 1 : 3);
    }
    ccm_view_free(v);
}

static void look_up(fixture *f, const char *client, const char *name, bool answered)
{
    ccm_obs o = drv_obs(CCM_OBS_dns_query, 0, client, "10.0.0.2:53", f->now);
    drv_text(&o, CCM_KEY_name, name);
    ccm_obs_u64(&o, CCM_KEY_record_type, 33);
    ccm_model_observe(f->m, &o);
    o = drv_obs(CCM_OBS_dns_answer, 0, "10.0.0.2:53", client, f->now);
    drv_text(&o, CCM_KEY_name, name);
    ccm_obs_u64(&o, CCM_KEY_record_type, 33);
    ccm_obs_u64(&o, CCM_KEY_rcode, answered ? 0 : 3);
    ccm_obs_u64(&o, CCM_KEY_records, answered);
    ccm_model_observe(f->m, &o);
}

/* 7.1: why NTLM was used, by other traffic of the client. */
static void fallbacks(fixture *f, const void *data)
{
    (void)data;
    const char *target = "/SMS_MP_WindowsAuth/.sms_pol?{1}.1_00";
    kdc(f, "10.0.2.1:50100", 12, NULL, "HTTP/mp01.lab", 0); /* pattern 1 */
    kdc(f, "10.0.2.1:50100", 30, NULL, "HTTP/mp01.lab", 7);
    kdc(f, "10.0.2.2:50100", 10, "WKS2$", "krbtgt/LAB", 0); /* pattern 2 */
    kdc(f, "10.0.2.5:50100", 10, "WKS5$", "krbtgt/LAB", 0); /* the usual first answer is none */
    kdc(f, "10.0.2.5:50100", 30, NULL, "krbtgt/LAB", 25);
    kdc(f, "10.0.2.6:50100", 30, NULL, "HTTP/other.lab", 7);             /* about another service */
    look_up(f, "10.0.2.7:50100", "_kerberos._tcp.dc._msdcs.lab", false); /* pattern 2, DNS */
    look_up(f, "10.0.2.8:50100", "_kerberos._tcp.dc._msdcs.lab", false);
    look_up(f, "10.0.2.8:50100", "_ldap._tcp.dc._msdcs.lab", true); /* another answer came */
    connect_to(f, "10.0.2.3:50001", MP); /* pattern 3, over two connections */
    ask(f, "GET", target, NULL);
    ticket(f, "HTTP/mp01.lab");
    answer(f, 401);
    hang_up(f);
    for (unsigned i = 1; i <= 8; i++) {
        char client[32], account[16];
        g_snprintf(client, sizeof client, "10.0.2.%u:50002", i);
        g_snprintf(account, sizeof account, "WKS%u$", i);
        connect_to(f, client, MP);
        log_in(f, target, account, NULL, 200);
        hang_up(f);
    }
    f->now += 3600 * SECOND; /* an hour later it was not that error */
    connect_to(f, "10.0.2.1:50003", MP);
    log_in(f, target, "late$", NULL, 200);
    hang_up(f);
    ccm_view *v = ccm_view_new(f->m, false);
    const ccm_view_route *r = drv_route(v, "client/mp");
    static const char *const ids[] = { "fallback-kdc-error", "fallback-kdc-silent",
                                       "fallback-rejected",  "direct-ntlm",
                                       "direct-ntlm",        "direct-ntlm",
                                       "fallback-dns",       "direct-ntlm" };
    for (unsigned i = 1; i <= 8; i++) {
        char account[16];
        g_snprintf(account, sizeof account, "LAB\\WKS%u$", i);
        const ccm_view_auth *a = drv_auth(r, "transport", "ntlm", account);
        g_assert_nonnull(drv_why(a, ids[i - 1]));
        g_assert_true(g_str_equal(ids[i - 1], "direct-ntlm") || !drv_why(a, "direct-ntlm"));
    }
    g_assert_cmpuint(
        drv_why(drv_auth(r, "transport", "ntlm", "LAB\\WKS1$"), "fallback-kdc-error")->code, ==, 7);
    g_assert_nonnull(drv_why(drv_auth(r, "transport", "ntlm", "LAB\\late$"), "direct-ntlm"));
    ccm_view_free(v);
}

/* 7.1, pattern 2, where no message got as far as the wire: the clients' connections to port 88. */
static void kdc_unreachable(fixture *f, const void *data)
{
    (void)data;
    static const struct {
        const char *state, *to;
        bool answer, silent; /* answer: Kerberos over UDP works */
        unsigned before;
    } rows[] = {
        { "unanswered", "10.0.0.2:88", false, true, 5 },
        { "refused", "10.0.0.2:88", false, true, 5 },
        { "established", "10.0.0.2:88", false, false, 5 },
        { "unanswered", "10.0.0.2:389", false, false, 5 },
        { "unanswered", "10.0.0.2:88", true, false, 5 },
        { "unanswered", "10.0.0.2:88", false, false, 3600 }, /* not within seconds */
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        char client[32], account[16];
        g_snprintf(client, sizeof client, "10.0.5.%u:50001", i);
        g_snprintf(account, sizeof account, "WKS%u$", i);
        connect_to(f, client, rows[i].to);
        ccm_obs o = drv_obs(CCM_OBS_connection, f->flow, client, rows[i].to, f->now);
        drv_text(&o, CCM_KEY_state, rows[i].state);
        ccm_model_observe(f->m, &o);
        if (rows[i].answer)
            kdc(f, client, 30, NULL, "krbtgt/LAB", 25);
        f->now += rows[i].before * SECOND;
        connect_to(f, client, MP);
        log_in(f, "/SMS_MP_WindowsAuth/.sms_pol?{1}.1_00", account, NULL, 200);
        hang_up(f);
    }
    ccm_view *v = ccm_view_new(f->m, false);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        char account[16];
        g_snprintf(account, sizeof account, "LAB\\WKS%u$", i);
        const ccm_view_auth *a = drv_auth(drv_route(v, "client/mp"), "transport", "ntlm", account);
        g_assert_true(!drv_why(a, "fallback-kdc-silent") == !rows[i].silent);
        g_assert_true(!drv_why(a, "direct-ntlm") == rows[i].silent);
    }
    ccm_view_free(v);
}

/* result: of its signatures; "new-key": verified with another key */
static void message(fixture *f, const char *id, const char *source, const char *sent,
                    const char *result, uint64_t hash)
{
    ask(f, "CCM_POST", "/ccm_system/request", NULL);
    ccm_obs o = from_client(f, CCM_OBS_ccm_message);
    drv_text(&o, CCM_KEY_message_id, id);
    drv_text(&o, CCM_KEY_source_id, source);
    drv_text(&o, CCM_KEY_endpoint, "MP_PolicyManager");
    drv_text(&o, CCM_KEY_sent_time, sent);
    ccm_obs_flag(&o, CCM_KEY_signed, true);
    ccm_model_observe(f->m, &o);
    o = from_client(f, CCM_OBS_ccm_body);
    drv_text(&o, CCM_KEY_kind, "policy assignment request");
    if (!strcmp(source, "GUID:A")) {
        drv_text(&o, CCM_KEY_name, "WKS01");
        drv_text(&o, CCM_KEY_host, "wks01.lab.example");
    }
    ccm_model_observe(f->m, &o);
    static const char *const fields[] = { "message-client-id", "payload" };
    for (unsigned i = 0; i < 2; i++) {
        o = from_client(f, CCM_OBS_signature);
        drv_text(&o, CCM_KEY_field, fields[i]);
        drv_text(&o, CCM_KEY_client_id, source);
        bool changed = !strcmp(result, "new-key");
        drv_text(&o, CCM_KEY_result, changed ? "verified" : result);
        drv_text(&o, CCM_KEY_key_source, changed ? result : NULL);
        ccm_obs_u64(&o, CCM_KEY_signature_hash, i ? hash : 77);
        ccm_model_observe(f->m, &o);
    }
    answer(f, 200);
}

static const ccm_view_client *client_of(const ccm_view *v, const char *id)
{
    for (unsigned i = 0; i < v->n_clients; i++)
        if (!strcmp(v->clients[i].client_id, id))
            return &v->clients[i];
    return NULL;
}

static void clients(fixture *f, const void *data)
{
    (void)data;
    connect_to(f, "10.0.0.5:50001", MP);
    message(f, "{1}", "GUID:A", "2025-03-04T05:06:07Z", "verified", 1); /* 0 s */
    message(f, "{2}", "GUID:A", "2025-03-04T05:05:07Z", "failed", 2);   /* 60 s late */
    hang_up(f);
    connect_to(f, "10.0.0.6:50001", MP); /* a replay of the first, somewhere else */
    message(f, "{1}", "GUID:A", "2025-03-04T05:06:07Z", "verified", 1);
    message(f, "{3}", "GUID:B", "2025-03-04T05:13:07Z", "no-key", 3); /* 7 minutes ahead */
    message(f, "{4}", "GUID:B", "2025-03-04T05:16:07Z", "no-key", 4); /* and 10 */
    hang_up(f);
    connect_to(f, "10.0.0.7:50001", MP); /* asks the same in two messages */
    message(f, "{5}", "GUID:C", "2025-03-04T05:06:07Z", "verified", 5);
    message(f, "{6}", "GUID:C", "2025-03-04T05:06:07Z", "verified", 5);
    hang_up(f);
    connect_to(f, "10.0.0.8:50001", MP);
    message(f, "{7}", "GUID:D", "2025-03-04T05:06:07Z", "verified", 6);
    message(f, "{8}", "GUID:D", "2025-03-04T05:06:07Z", "new-key", 7);
    message(f, "{9}", "GUID:D", "2025-03-04T05:06:07Z", "new-key", 8);
    hang_up(f);
    connect_to(f, "10.0.0.7:50002", MP); /* and sends the second again */
    message(f, "{6}", "GUID:C", "2025-03-04T05:06:07Z", "verified", 5);
    hang_up(f);
    ccm_view *v = ccm_view_new(f->m, false);
    const ccm_view_client *a = client_of(v, "GUID:A"), *b = client_of(v, "GUID:B");
    g_assert_cmpuint(a->signature.verified, ==, 4);
    g_assert_cmpuint(a->signature.failed, ==, 2);
    g_assert_cmpuint(a->signature.replayed, ==, 1);
    g_assert_cmpuint(a->addresses, ==, 2);
    g_assert_cmpint(a->skew_s, ==, 0);
    g_assert_false(a->skew_uncertain);
    g_assert_cmpuint(a->kinds.v[0].count, ==, 3);
    g_assert_cmpstr(a->kinds.v[0].name, ==, "policy assignment request");
    g_assert_cmpuint(a->names.n, ==, 2);
    g_assert_cmpstr(a->names.v[0], ==, "WKS01");
    g_assert_cmpstr(a->names.v[1], ==, "wks01.lab.example");
    g_assert_cmpuint(b->names.n, ==, 0);
    g_assert_cmpuint(b->signature.no_key, ==, 4);
    g_assert_cmpuint(b->signature.replayed, ==, 0);
    g_assert_cmpint(b->skew_s, ==, 420);
    g_assert_true(b->skew_uncertain);
    g_assert_cmpuint(client_of(v, "GUID:C")->signature.replayed, ==, 1);
    g_assert_cmpuint(client_of(v, "GUID:D")->signature.verified, ==, 6);
    g_assert_cmpuint(client_of(v, "GUID:D")->signature.key_changed, ==, 4);
    g_assert_cmpuint(a->signature.key_changed, ==, 0);
    g_assert_cmpuint(v->n_messages, ==, 11);
    const ccm_view_message *m = &v->messages[1];
    g_assert_cmpstr(m->message_id, ==, "{2}");
    g_assert_cmpstr(m->client_id, ==, "GUID:A");
    g_assert_cmpstr(m->endpoint, ==, "MP_PolicyManager");
    g_assert_cmpstr(m->message, ==, "message-signature");
    g_assert_cmpstr(m->transport, ==, "anonymous");
    g_assert_cmpuint(m->size, ==, 300);
    g_assert_cmpuint(m->status, ==, 200);
    const ccm_view_auth *auth =
        drv_auth(drv_route(v, "client/mp"), "message", "message-signature", NULL);
    /* section 8: what speaks against one is not outweighed by the others */
    static const struct {
        uint64_t count;
        ccm_certainty certainty;
        const char *why;
    } rows[] = { { 8, CCM_CERTAINTY_PROVEN, "signature-verified" },
                 { 2, CCM_CERTAINTY_LIKELY, "key-changed" },
                 { 1, CCM_CERTAINTY_UNKNOWN, "signature-failed" } };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++, auth++) {
        g_assert_cmpstr(auth->mode, ==, "message-signature");
        g_assert_cmpuint(auth->count, ==, rows[i].count);
        g_assert_cmpint(auth->certainty, ==, rows[i].certainty);
        g_assert_nonnull(drv_why(auth, rows[i].why));
        g_assert_true(!drv_why(auth, "signature-failed") == (i != 2));
        g_assert_true(!drv_why(auth, "key-changed") == (i != 1));
    }
    ccm_view_free(v);
    ccm_model *twice = ccm_model_new(f->m->catalog, &f->m->limits);
    ccm_model_merge(twice, f->m);
    ccm_model_merge(twice, f->m);
    v = ccm_view_new(twice, false);
    g_assert_cmpuint(client_of(v, "GUID:D")->signature.verified, ==, 12);
    g_assert_cmpuint(client_of(v, "GUID:D")->signature.key_changed, ==, 8);
    g_assert_cmpuint(client_of(v, "GUID:A")->names.n, ==, 2);
    ccm_view_free(v);
    ccm_model_free(twice);
}

/* What is signed anew each time and comes again from another address, is noticed; a client id's
 * signature, which never changes, is not, nor what one address repeats. */
static void replays(fixture *f, const void *data)
{
    (void)data;
    static const struct {
        const char *field;
        bool elsewhere, replayed;
    } rows[] = {
        { "timestamp", true, true },    { "timestamp", false, false },
        { "client-token", true, true }, { "client-token", false, false },
        { "registration", true, true }, { "registration", false, false },
        { "client-id", true, false },   { "message-client-id", true, false },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        for (unsigned again = 0; again < 2; again++) {
            char client[32], id[16];
            g_snprintf(client, sizeof client, "10.0.%u.%u:50000", i, rows[i].elsewhere && again);
            g_snprintf(id, sizeof id, "GUID:%u", i);
            connect_to(f, client, MP);
            ask(f, "GET", "/SMS_MP/.sms_pol?{1}.1_00", NULL);
            ccm_obs o = from_client(f, CCM_OBS_signature);
            drv_text(&o, CCM_KEY_field, rows[i].field);
            drv_text(&o, CCM_KEY_client_id, id);
            drv_text(&o, CCM_KEY_result, "verified");
            ccm_obs_u64(&o, CCM_KEY_signature_hash, 100 + i);
            ccm_model_observe(f->m, &o);
            answer(f, 200);
            hang_up(f);
        }
    /* the later one is the replay, whatever client id it comes under */
    for (unsigned later = 0; later < 8; later++) {
        char client[32];
        g_snprintf(client, sizeof client, "10.1.0.%u:50000", 8 - later);
        connect_to(f, client, MP);
        ask(f, "GET", "/SMS_MP/.sms_pol?{1}.1_00", NULL);
        ccm_obs o = from_client(f, CCM_OBS_signature);
        drv_text(&o, CCM_KEY_field, "timestamp");
        drv_text(&o, CCM_KEY_client_id, later % 2 ? "GUID:LATER" : "GUID:FIRST");
        drv_text(&o, CCM_KEY_result, "verified");
        ccm_obs_u64(&o, CCM_KEY_signature_hash, 1000 + later / 2);
        ccm_model_observe(f->m, &o);
        answer(f, 200);
        hang_up(f);
    }
    ccm_view *v = ccm_view_new(f->m, false);
    g_assert_cmpuint(client_of(v, "GUID:FIRST")->signature.replayed, ==, 0);
    g_assert_cmpuint(client_of(v, "GUID:LATER")->signature.replayed, ==, 4);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        char id[16];
        g_snprintf(id, sizeof id, "GUID:%u", i);
        g_assert_cmpuint(client_of(v, id)->signature.replayed, ==, rows[i].replayed);
    }
    ccm_view_free(v);
}

/* ccm-protocol.md 3.1 and 11: one client writes its id in several ways. */
static void client_ids(fixture *f, const void *data)
{
    (void)data;
    static const char *const ways[] = {
        "GUID:0A0B0C0D-1111-4222-8333-44445555666A", "{0A0B0C0D-1111-4222-8333-44445555666A}",
        "0A0B0C0D-1111-4222-8333-44445555666A",      "guid:0a0b0c0d-1111-4222-8333-44445555666a",
        "UID:0A0B0C0D-1111-4222-8333-44445555666A", /* not registered */
        "{0A0B0C0D-1111-4222-8333-44445555666G}",   /* and no id of that form */
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
        char client[32];
        g_snprintf(client, sizeof client, "10.0.4.%u:50000", i + 1);
        connect_to(f, client, MP);
        message(f, "{1}", ways[i], "2025-03-04T05:06:07Z", "verified", i < 2 ? 1 : 10 + i);
        hang_up(f);
    }
    ccm_view *v = ccm_view_new(f->m, false);
    g_assert_cmpuint(v->n_clients, ==, 3);
    const ccm_view_client *c = client_of(v, ways[0]);
    g_assert_cmpuint(c->signature.verified, ==, 8);
    g_assert_cmpuint(c->signature.replayed, ==, 1);
    g_assert_cmpuint(c->addresses, ==, 4);
    g_assert_cmpstr(v->messages[1].client_id, ==, ways[0]);
    g_assert_nonnull(client_of(v, ways[4]));
    g_assert_nonnull(client_of(v, ways[5]));
    ccm_view_free(v);
}

/* More accounts than the bound: the rest is counted without account, and the limit is named. */
static void bounds(fixture *f, const void *data)
{
    (void)data;
    f->limits.accounts = 2;
    f->limits.messages = 1;
    renew(f);
    for (unsigned i = 0; i < 5; i++) {
        char client[32], account[16];
        g_snprintf(client, sizeof client, "10.0.3.%u:50000", i + 1);
        g_snprintf(account, sizeof account, "WKS%u$", i);
        connect_to(f, client, DP);
        log_in(f, DP_FILE, account, NULL, 200);
        hang_up(f);
        connect_to(f, client, MP);
        message(f, "{1}", "GUID:A", "2025-03-04T05:06:07Z", "verified", i + 1);
        hang_up(f);
    }
    ccm_view *v = ccm_view_new(f->m, false);
    const ccm_view_route *r = drv_route(v, "client/dp");
    g_assert_cmpuint(r->n_auth, ==, 3);
    g_assert_cmpuint(drv_auth(r, "transport", "ntlm", NULL)->count, ==, 3);
    g_assert_cmpstr(drv_auth(r, "transport", "ntlm", NULL)->account_kind, ==, "computer");
    g_assert_cmpuint(v->capture.n_limits_hit, ==, 2);
    g_assert_cmpstr(v->capture.limits_hit[0].name, ==, "accounts");
    g_assert_cmpstr(v->capture.limits_hit[1].name, ==, "messages");
    g_assert_cmpuint(v->n_messages, ==, 1);
    ccm_view_free(v);
    /* and on one edge */
    renew(f);
    for (unsigned i = 0; i < 5; i++) {
        char account[16];
        g_snprintf(account, sizeof account, "user%u", i);
        connect_to(f, "10.0.3.1:50000", DP);
        log_in(f, DP_FILE, account, NULL, 200);
        hang_up(f);
    }
    v = ccm_view_new(f->m, false);
    g_assert_cmpuint(drv_auth(drv_route(v, "client/dp"), "transport", "ntlm", NULL)->count, ==, 3);
    g_assert_cmpstr(v->capture.limits_hit[0].name, ==, "accounts");
    ccm_view_free(v);
}

static void bits(fixture *f, const char *packet, const char *session, const char *range,
                 unsigned status, uint64_t received, const char *error, const char *host)
{
    f->exchange++;
    f->now += SECOND;
    ccm_obs o = from_client(f, CCM_OBS_http_request);
    drv_text(&o, CCM_KEY_method, "BITS_POST");
    drv_text(&o, CCM_KEY_target, "/CCM_Incoming/{F}");
    drv_text(&o, CCM_KEY_bits_packet, packet);
    drv_text(&o, CCM_KEY_bits_session, *packet == 'C' && packet[1] == 'r' ? NULL : session);
    drv_text(&o, CCM_KEY_content_range, range);
    ccm_model_observe(f->m, &o);
    o = drv_inside(CCM_OBS_http_response, f->flow, f->exchange, f->server, f->client, f->now);
    ccm_obs_u64(&o, CCM_KEY_status, status);
    drv_text(&o, CCM_KEY_bits_session, session);
    drv_text(&o, CCM_KEY_bits_error, error);
    drv_text(&o, CCM_KEY_bits_context, error ? "0x7" : NULL);
    drv_text(&o, CCM_KEY_bits_host, host);
    if (received)
        ccm_obs_u64(&o, CCM_KEY_bits_received, received);
    ccm_model_observe(f->m, &o);
}

static void uploads(fixture *f, const void *data)
{
    (void)data;
    connect_to(f, "10.0.0.5:50001", MP);
    bits(f, "Create-Session", "{1}", NULL, 200, 0, NULL, "mp02.lab");
    hang_up(f);
    connect_to(f, "10.0.0.5:50002", DP); /* goes on at another address */
    bits(f, "Fragment", "{1}", "bytes 0-49/100", 200, 50, NULL, NULL);
    bits(f, "Fragment", "{1}", "bytes 50-99/100", 200, 100, NULL, NULL);
    bits(f, "Close-Session", "{1}", NULL, 200, 0, NULL, NULL);
    hang_up(f);
    connect_to(f, "10.0.0.6:50001", MP); /* closed too early; then again, refused at the end */
    bits(f, "Create-Session", "{2}", NULL, 200, 0, NULL, NULL);
    bits(f, "Fragment", "{2}", "bytes 0-49/100", 200, 50, NULL, NULL);
    bits(f, "Close-Session", "{2}", NULL, 200, 0, NULL, NULL);
    bits(f, "Create-Session", "{3}", NULL, 200, 0, NULL, NULL);
    bits(f, "Close-Session", "{3}", NULL, 500, 0, "0x80070570", NULL);
    hang_up(f);
    connect_to(f, "10.0.0.7:50001", MP); /* not even a session */
    bits(f, "Create-Session", NULL, NULL, 403, 0, NULL, NULL);
    hang_up(f);
    ccm_view *v = ccm_view_new(f->m, false);
    g_assert_cmpuint(v->n_uploads, ==, 4);
    const ccm_view_upload *u = &v->uploads[0];
    char text[CCM_ADDR_TEXT];
    g_assert_cmpstr(u->host, ==, "mp02.lab");
    g_assert_true(u->moved);
    g_assert_cmpstr(ccm_addr_text(&u->moved_to, text), ==, "10.0.0.8");
    g_assert_cmpstr(ccm_addr_text(&u->server, text), ==, "10.0.0.9");
    g_assert_true(u->complete);
    g_assert_cmpuint(u->fragments, ==, 2);
    g_assert_cmpuint(u->bytes, ==, 100);
    g_assert_null(u->retried_as);
    u = &v->uploads[1];
    g_assert_true(u->closed);
    g_assert_false(u->complete);
    g_assert_cmpstr(u->retried_as, ==, "{3}");
    u = &v->uploads[2];
    g_assert_false(u->closed);
    g_assert_cmpstr(u->errors.v[0], ==, "0x80070570 context 0x7 (remote application)");
    u = &v->uploads[3];
    g_assert_cmpstr(u->id, ==, "");
    g_assert_cmpstr(u->errors.v[0], ==, "status 403");
    ccm_view_free(v);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    static const struct {
        const char *name;
        void (*run)(fixture *, const void *);
    } tests[] = {
        { "/proofs/legs-are-one", legs_are_one },
        { "/proofs/whose-ticket", whose_ticket },
        { "/proofs/very-ticket", very_ticket },
        { "/proofs/fallbacks", fallbacks },
        { "/proofs/clients", clients },
        { "/proofs/client-ids", client_ids },
        { "/proofs/bounds", bounds },
        { "/proofs/replays", replays },
        { "/proofs/uploads", uploads },
        { "/proofs/kdc-unreachable", kdc_unreachable },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, fixture, NULL, set_up, tests[i].run, tear_down);
    return g_test_run();
}
