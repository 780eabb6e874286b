/* SPDX-License-Identifier: GPL-2.0-or-later
 * proofs_driver.h - a model and clients that authenticate against it, one observation at a time. */
#ifndef CCM_TEST_PROOFS_DRIVER_H
#define CCM_TEST_PROOFS_DRIVER_H

#include "model_driver.h"
#include "model/proofs.h"

#define MP "10.0.0.9:80"
#define DP "10.0.0.8:80"
#define DP_FILE "/SMS_DP_SMSPKG$/ABC00012/f"

typedef struct fixture {
    uint64_t ticket_hash; /* of tickets and their use; 0 = not known */
    ccm_catalog *cat;
    ccm_limits limits;
    ccm_model *m;
    uint64_t flow, exchange, now;
    const char *client, *server;
} fixture;

static inline void renew(fixture *f)
{
    ccm_model_free(f->m);
    f->m = ccm_model_new(f->cat, &f->limits);
}

static inline void set_up(fixture *f, const void *data)
{
    (void)data;
    f->cat = ccm_catalog_load(NULL, NULL);
    ccm_limits_init(&f->limits);
    f->limits.messages = 100;
    f->now = UINT64_C(1741064767) * SECOND; /* 2025-03-04T05:06:07Z */
    renew(f);
}

static inline void tear_down(fixture *f, const void *data)
{
    (void)data;
    ccm_model_free(f->m);
    ccm_catalog_unref(f->cat);
}

static inline void connect_to(fixture *f, const char *client, const char *server)
{
    f->flow++;
    f->exchange = 0;
    f->client = client;
    f->server = server;
}

static inline void hang_up(fixture *f)
{
    drv_connection(f->m, f->flow, f->client, f->server, "established", "fin");
}

static inline ccm_obs from_client(fixture *f, ccm_obs_kind kind)
{
    ccm_obs o = drv_inside(kind, f->flow, f->exchange, f->client, f->server, f->now);
    o.frame = f->flow * 100 + f->exchange * 2;
    return o;
}

static inline void ask(fixture *f, const char *method, const char *target, const char *agent)
{
    f->exchange++;
    f->now += SECOND / 10;
    ccm_obs o = from_client(f, CCM_OBS_http_request);
    drv_text(&o, CCM_KEY_method, method);
    drv_text(&o, CCM_KEY_target, target);
    drv_text(&o, CCM_KEY_user_agent, agent);
    drv_text(&o, CCM_KEY_host, f->server[7] == '9' ? "mp01.lab" : "dp01.lab");
    ccm_model_observe(f->m, &o);
}

static inline void ntlm(fixture *f, unsigned type, const char *account)
{
    ccm_obs o = from_client(f, CCM_OBS_http_auth);
    drv_text(&o, CCM_KEY_header, "authorization");
    drv_text(&o, CCM_KEY_mechanism, "ntlm");
    ccm_obs_u64(&o, CCM_KEY_ntlm_type, type);
    drv_text(&o, CCM_KEY_domain, account ? "LAB" : NULL);
    drv_text(&o, CCM_KEY_account, account);
    ccm_model_observe(f->m, &o);
}

static inline void ticket(fixture *f, const char *spn)
{
    ccm_obs o = from_client(f, CCM_OBS_http_auth);
    drv_text(&o, CCM_KEY_header, "authorization");
    drv_text(&o, CCM_KEY_mechanism, "kerberos");
    drv_text(&o, CCM_KEY_spn, spn);
    if (f->ticket_hash)
        ccm_obs_u64(&o, CCM_KEY_ticket_hash, f->ticket_hash);
    ccm_model_observe(f->m, &o);
}

static inline void answer(fixture *f, unsigned status)
{
    ccm_obs o =
        drv_inside(CCM_OBS_http_response, f->flow, f->exchange, f->server, f->client, f->now);
    o.frame = f->flow * 100 + f->exchange * 2 + 1;
    ccm_obs_u64(&o, CCM_KEY_status, status);
    drv_text(&o, CCM_KEY_auth_scheme, status == 401 ? "Negotiate, NTLM" : NULL);
    ccm_model_observe(f->m, &o);
    o = from_client(f, CCM_OBS_http_done);
    drv_text(&o, CCM_KEY_pairing, "sure");
    ccm_obs_u64(&o, CCM_KEY_request_bytes, 300);
    ccm_obs_u64(&o, CCM_KEY_response_bytes, 100);
    ccm_obs_flag(&o, CCM_KEY_complete, true);
    ccm_model_observe(f->m, &o);
}

/* 401, type 1 and 401, type 3 and what it gets. */
static inline void log_in(fixture *f, const char *target, const char *account, const char *agent,
                          unsigned status)
{
    ask(f, "GET", target, agent);
    answer(f, 401);
    ask(f, "GET", target, agent);
    ntlm(f, 1, NULL);
    answer(f, 401);
    ask(f, "GET", target, agent);
    ntlm(f, 3, account);
    answer(f, status);
}

static inline void kdc(fixture *f, const char *client, unsigned type, const char *cname,
                       const char *spn, unsigned code)
{
    bool asks = type == 10 || type == 12;
    ccm_obs o = drv_obs(CCM_OBS_kerberos, 900, asks ? client : "10.0.0.2:88",
                        asks ? "10.0.0.2:88" : client, f->now);
    o.frame = 5;
    ccm_obs_u64(&o, CCM_KEY_msg_type, type);
    drv_text(&o, CCM_KEY_realm, "LAB.EXAMPLE");
    drv_text(&o, CCM_KEY_cname, cname);
    drv_text(&o, CCM_KEY_spn, spn);
    if (f->ticket_hash)
        ccm_obs_u64(&o, CCM_KEY_ticket_hash, f->ticket_hash);
    if (code)
        ccm_obs_u64(&o, CCM_KEY_error_code, code);
    ccm_model_observe(f->m, &o);
}

#endif
