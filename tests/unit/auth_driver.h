/* SPDX-License-Identifier: GPL-2.0-or-later
 * auth_driver.h - exchanges made of observations by hand, and the verdicts on them as text. */
#ifndef CCM_TESTS_AUTH_DRIVER_H
#define CCM_TESTS_AUTH_DRIVER_H

#include "model_driver.h"

#include "model/proofs.h"

#define CLIENT "10.0.0.5:51022"
#define SERVER "10.0.0.9:80"

/* What a request carries; NULL = not there. */
typedef struct step {
    const char *method, *target;
    const char *mechanism; /* of Authorization */
    unsigned ntlm_type;
    const char *domain, *account, *spn, *mechanisms;
    const char *token, *subject; /* category and subject of a JWT */
    const char *other, *owner;   /* category of another JWT; the user in it, else a device's */
    const char *endpoint;        /* of a message */
    bool is_signed;
    const char *signature;          /* of the headers */
    const char *result;             /* of a signature check */
    const char *also;               /* result of another check of the same exchange */
    const char *field, *key_source; /* of these; field NULL = payload */
    const char *workstation;
    unsigned status;     /* 0 = no answer */
    const char *schemes; /* that a 401 offers; NULL = Negotiate and NTLM */
    const char *pairing;
    bool token_for_proxy; /* the first JWT */
    bool proxy, cut, cut_message, empty, no_user;
    bool continues; /* the answer holds a token */
} step;

typedef struct world {
    ccm_texts texts;
    ccm_auth_connection c;
    uint64_t exchange;
    GString *seen;
} world;

static inline void begin(world *w)
{
    ccm_texts_init(&w->texts);
    ccm_auth_connection_begin(&w->c);
    w->exchange = 0;
    w->seen = g_string_new(NULL);
}

static inline void end(world *w)
{
    ccm_texts_clear(&w->texts);
    g_string_free(w->seen, TRUE);
}

static inline void print(world *w, const ccm_auth_verdicts *out)
{
    for (unsigned i = 0; i < out->n; i++) {
        const ccm_auth_verdict *v = &out->v[i];
        const char *kind = ccm_account_kind_name(v->kind);
        g_string_append_printf(w->seen, "%s%s %s %s %s %s%s%s:", w->seen->len ? "; " : "",
                               ccm_auth_stage_name(v->stage), ccm_auth_mode_name(v->mode),
                               kind ? kind : "-",
                               v->account == CCM_NONE ? "-" : ccm_texts_get(&w->texts, v->account),
                               ccm_certainty_name((ccm_certainty)v->certainty),
                               v->leg ? " step" : "", v->denied ? " denied" : "");
        for (unsigned k = 0; k < v->n; k++)
            g_string_append_printf(w->seen, " %s", ccm_auth_evidence_name(v->evidence[k].id));
    }
}

static inline void credential(world *w, ccm_auth_facts *f, const step *s, uint64_t frame)
{
    ccm_obs o = drv_obs(CCM_OBS_http_auth, 1, CLIENT, SERVER, 1);
    o.frame = frame;
    drv_text(&o, CCM_KEY_header, s->proxy ? "proxy-authorization" : "authorization");
    drv_text(&o, CCM_KEY_mechanism, s->mechanism);
    drv_text(&o, CCM_KEY_mechanisms, s->mechanisms);
    if (s->ntlm_type)
        ccm_obs_u64(&o, CCM_KEY_ntlm_type, s->ntlm_type);
    drv_text(&o, CCM_KEY_domain, s->domain);
    drv_text(&o, CCM_KEY_account, s->account);
    drv_text(&o, CCM_KEY_workstation, s->workstation);
    drv_text(&o, CCM_KEY_spn, s->spn);
    ccm_obs_flag(&o, CCM_KEY_anonymous, s->no_user);
    ccm_auth_collect(f, &w->texts, &o);
}

static inline void request(world *w, ccm_auth_facts *f, const step *s, uint64_t frame)
{
    ccm_obs o = drv_obs(CCM_OBS_http_request, 1, CLIENT, SERVER, 1);
    o.frame = frame;
    drv_text(&o, CCM_KEY_method, s->method ? s->method : "GET");
    drv_text(&o, CCM_KEY_target, s->target);
    drv_text(&o, CCM_KEY_signature, s->signature);
    ccm_obs_flag(&o, CCM_KEY_head_incomplete, s->cut);
    ccm_auth_collect(f, &w->texts, &o);
    if (s->mechanism)
        credential(w, f, s, frame);
    if (s->token) {
        o = drv_obs(CCM_OBS_token, 1, CLIENT, SERVER, 1);
        drv_text(&o, CCM_KEY_category, s->token);
        drv_text(&o, CCM_KEY_subject_kind, s->subject);
        drv_text(&o, CCM_KEY_account, s->mechanism ? NULL : s->account);
        drv_text(&o, CCM_KEY_header, s->token_for_proxy ? "proxy-authorization" : "x-any");
        ccm_auth_collect(f, &w->texts, &o);
    }
    if (s->other) {
        o = drv_obs(CCM_OBS_token, 1, CLIENT, SERVER, 1);
        drv_text(&o, CCM_KEY_category, s->other);
        drv_text(&o, CCM_KEY_subject_kind, s->owner ? "user" : "device");
        drv_text(&o, CCM_KEY_account, s->owner);
        ccm_auth_collect(f, &w->texts, &o);
    }
    if (s->endpoint) {
        o = drv_obs(CCM_OBS_ccm_message, 1, CLIENT, SERVER, 1);
        drv_text(&o, CCM_KEY_endpoint, s->endpoint);
        ccm_obs_flag(&o, CCM_KEY_signed, s->is_signed);
        ccm_obs_flag(&o, CCM_KEY_incomplete, s->cut_message);
        ccm_auth_collect(f, &w->texts, &o);
    }
    const char *const results[] = { s->result, s->also };
    for (unsigned i = 0; i < G_N_ELEMENTS(results) && results[i]; i++) {
        o = drv_obs(CCM_OBS_signature, 1, CLIENT, SERVER, 1);
        drv_text(&o, CCM_KEY_field, s->field ? s->field : "payload");
        drv_text(&o, CCM_KEY_key_source, s->key_source);
        drv_text(&o, CCM_KEY_result, results[i]);
        ccm_auth_collect(f, &w->texts, &o);
    }
}

/* One exchange; adds its verdicts to w->seen. */
static inline void run(world *w, const step *s)
{
    ccm_auth_facts f;
    ccm_auth_verdicts out;
    uint64_t frame = 10 * ++w->exchange;

    ccm_auth_begin(&f, w->exchange);
    if (s->target)
        request(w, &f, s, frame);
    if (s->status) {
        ccm_obs o = drv_obs(CCM_OBS_http_response, 1, SERVER, CLIENT, 2);
        o.frame = frame + 1;
        ccm_obs_u64(&o, CCM_KEY_status, s->status);
        if (s->status == 401)
            drv_text(&o, CCM_KEY_auth_scheme, s->schemes ? s->schemes : "Negotiate, NTLM");
        ccm_auth_collect(&f, &w->texts, &o);
        if (s->continues) {
            o = drv_obs(CCM_OBS_http_auth, 1, SERVER, CLIENT, 2);
            drv_text(&o, CCM_KEY_header, "www-authenticate");
            ccm_auth_collect(&f, &w->texts, &o);
        }
    }
    ccm_obs o = drv_obs(CCM_OBS_http_done, 1, CLIENT, SERVER, 3);
    drv_text(&o, CCM_KEY_pairing, s->pairing ? s->pairing : "sure");
    ccm_obs_u64(&o, CCM_KEY_response_bytes, s->empty ? 0 : 100);
    ccm_obs_flag(&o, CCM_KEY_complete, true);
    ccm_auth_done(&f, &o);
    ccm_auth_conclude(&w->c, &f, &out);
    print(w, &out);
}

static inline void expect(const step *steps, const char *wanted)
{
    world w = { 0 };
    begin(&w);
    for (; steps->target || steps->status; steps++)
        run(&w, steps);
    g_assert_cmpstr(w.seen->str, ==, wanted);
    end(&w);
}

#define STEPS(...)                                                                                 \
    (const step[])                                                                                 \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define DP "/SMS_DP_SMSPKG$/ABC00012/"
#define MPW "/SMS_MP_WindowsAuth/.sms_pol?{1}.1_00"
#define TYPE1 .mechanism = "ntlm", .ntlm_type = 1
#define TYPE3 .mechanism = "ntlm", .ntlm_type = 3, .domain = "LAB"

#endif
