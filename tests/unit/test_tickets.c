/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_tickets.c - whose Kerberos ticket it was that a client used: the table, and exchanges one at
 * a time. Expected by the rule of auth-modes.md 6.1, E4. */
#include "model_driver.h"

#include "model/exchange.h"
#include "model/tickets.h"

typedef struct table {
    ccm_texts texts;
    ccm_tickets t;
} table;

static void begin(table *w, uint32_t max)
{
    ccm_texts_init(&w->texts);
    ccm_tickets_init(&w->t, &w->texts, max);
}

static void end(table *w)
{
    ccm_tickets_clear(&w->t);
    ccm_texts_clear(&w->texts);
}

static void give(table *w, const char *client, const char *ticket, const char *name, uint64_t frame)
{
    ccm_krb k = { .client = drv_end(client).addr,
                  .what = CCM_KRB_TICKET,
                  .host = ccm_texts_add(&w->texts, ccm_span_str(ticket)),
                  .name = ccm_texts_add(&w->texts, ccm_span_str(name)),
                  .count = 1,
                  .first_frame = frame };
    ccm_tickets_add(&w->t, &k);
}

static const char *owner(table *w, const char *client, const char *ticket)
{
    const ccm_addr addr = drv_end(client).addr;
    const ccm_ticket *t =
        ccm_tickets_find(&w->t, &addr, ccm_texts_add(&w->texts, ccm_span_str(ticket)));
    return t ? ccm_texts_get(&w->texts, t->name) : NULL;
}

#define A "10.0.0.5:1"
#define B "10.0.0.6:1"

static void test_find(void)
{
    table w = { 0 };
    begin(&w, 100);
    g_assert_null(owner(&w, A, "mp#1"));
    give(&w, A, "mp#1", "WKS01$@LAB", 7);
    give(&w, A, "mp#1", "WKS01$@LAB", 9);
    /* the very ticket; of this client alone; another ticket is not known */
    g_assert_cmpstr(owner(&w, A, "mp#1"), ==, "WKS01$@LAB");
    g_assert_null(owner(&w, B, "mp#1"));
    g_assert_null(owner(&w, A, "mp#2"));
    g_assert_null(owner(&w, A, "mp2#1"));
    g_assert_null(owner(&w, A, "m"));
    /* one that was not whole: the only name there is */
    g_assert_cmpstr(owner(&w, A, "mp"), ==, "WKS01$@LAB");
    give(&w, A, "mp#2", "alice@LAB", 11);
    g_assert_null(owner(&w, A, "mp"));
    g_assert_cmpstr(owner(&w, A, "mp#1"), ==, "WKS01$@LAB");
    g_assert_cmpstr(owner(&w, A, "mp#2"), ==, "alice@LAB");
    /* given tickets that were not whole */
    give(&w, B, "dp", "WKS02$@LAB", 13);
    g_assert_cmpstr(owner(&w, B, "dp#5"), ==, "WKS02$@LAB");
    g_assert_cmpstr(owner(&w, B, "dp"), ==, "WKS02$@LAB");
    give(&w, B, "dp#6", "bob@LAB", 15);
    g_assert_cmpstr(owner(&w, B, "dp#6"), ==, "bob@LAB");
    g_assert_cmpstr(owner(&w, B, "dp#5"), ==, "WKS02$@LAB");
    g_assert_null(owner(&w, B, "dp"));
    const ccm_addr a = drv_end(A).addr;
    const ccm_ticket *t = ccm_tickets_find(&w.t, &a, ccm_texts_add(&w.texts, ccm_span_str("mp#1")));
    g_assert_cmpuint(t->count, ==, 2);
    g_assert_cmpuint(t->first_frame, ==, 7);
    /* text 0 stands for many */
    g_assert_null(ccm_tickets_find(&w.t, &a, 0));
    g_assert_null(ccm_tickets_find(&w.t, &a, CCM_NONE));
    end(&w);
}

/* Forgetting never makes a wrong answer: of several names one may be left. */
static void test_bound(void)
{
    table w = { 0 };
    char text[32], name[32];
    begin(&w, 9);
    give(&w, A, "mp", "WKS01$@LAB", 1);
    for (unsigned i = 0; i < 1000; i++) {
        g_snprintf(text, sizeof text, "mp#%x", i);
        g_snprintf(name, sizeof name, "user%u@LAB", i);
        give(&w, A, text, name, i);
        g_assert_cmpstr(owner(&w, A, text), ==, name);
        g_assert_null(owner(&w, A, "mp"));
        g_assert_cmpuint(w.t.v->len, <=, 9);
        g_assert_cmpuint(w.t.index.n, ==, w.t.v->len);
    }
    g_assert_null(owner(&w, A, "mp#0"));
    g_assert_null(owner(&w, A, "mp#ffff"));
    end(&w);
}

/* ---- exchanges ------------------------------------------------------------------------------- */

static void show(void *user_data, const ccm_exchange *x)
{
    GString *out = user_data;
    for (unsigned i = 0; i < x->n_auth; i++) {
        const ccm_exchange_auth *a = &x->auth[i];
        g_string_append_printf(out, "%s %s %s %s:", a->mode,
                               a->account_kind ? a->account_kind : "-",
                               a->account ? a->account : "-", ccm_certainty_name(a->certainty));
        for (unsigned k = 0; k < a->n_evidence; k++)
            g_string_append_printf(out, " %s", a->evidence[k]);
        g_string_append_c(out, '\n');
    }
}

static void reply(ccm_joiner *j, const char *cname, uint64_t hash)
{
    ccm_obs o = drv_obs(CCM_OBS_kerberos, 900, "10.0.0.2:88", "10.0.0.5:50100", 1);
    ccm_obs_u64(&o, CCM_KEY_msg_type, 13);
    drv_text(&o, CCM_KEY_realm, "LAB.EXAMPLE");
    drv_text(&o, CCM_KEY_cname, cname);
    drv_text(&o, CCM_KEY_spn, "HTTP/mp1.lab");
    ccm_obs_u64(&o, CCM_KEY_ticket_hash, hash);
    ccm_joiner_observe(j, &o);
}

/* Exchange `n` of a connection; hash 0: without a ticket of its own. */
static void exchange(ccm_joiner *j, uint64_t n, uint64_t hash)
{
    const char *client = "10.0.0.5:50001", *server = "10.0.0.9:80";
    ccm_obs o = drv_inside(CCM_OBS_http_request, 1, n, client, server, 2);
    drv_text(&o, CCM_KEY_method, "GET");
    drv_text(&o, CCM_KEY_target, "/");
    ccm_joiner_observe(j, &o);
    if (hash) {
        o = drv_inside(CCM_OBS_http_auth, 1, n, client, server, 2);
        drv_text(&o, CCM_KEY_header, "authorization");
        drv_text(&o, CCM_KEY_mechanism, "kerberos");
        drv_text(&o, CCM_KEY_spn, "HTTP/MP1.lab");
        ccm_obs_u64(&o, CCM_KEY_ticket_hash, hash);
        ccm_joiner_observe(j, &o);
    }
    o = drv_inside(CCM_OBS_http_response, 1, n, server, client, 3);
    ccm_obs_u64(&o, CCM_KEY_status, 200);
    ccm_joiner_observe(j, &o);
    o = drv_inside(CCM_OBS_http_done, 1, n, client, server, 3);
    drv_text(&o, CCM_KEY_pairing, "sure");
    ccm_joiner_observe(j, &o);
}

static void test_exchanges(void)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    ccm_catalog *catalog = ccm_catalog_load(NULL, NULL);
    GString *out = g_string_new(NULL);
    ccm_joiner *j = ccm_joiner_new(catalog, &limits, show, out);

    exchange(j, 1, 0xabc); /* its reply comes later */
    reply(j, "WKS01$", 0xabc);
    reply(j, "alice", 0xdef);
    exchange(j, 2, 0xabc);
    exchange(j, 3, 0); /* the connection covers it */
    exchange(j, 4, 0xdef);
    exchange(j, 5, 0x123);
    ccm_joiner_free(j);
    ccm_catalog_unref(catalog);
    g_assert_cmpstr(out->str, ==,
                    "kerberos - - proven: spnego-kerberos\n"
                    "kerberos computer WKS01$@LAB.EXAMPLE strong: spnego-kerberos tgs-rep\n"
                    "kerberos computer WKS01$@LAB.EXAMPLE strong: connection-authenticated "
                    "tgs-rep\n"
                    "kerberos user alice@LAB.EXAMPLE strong: spnego-kerberos tgs-rep\n"
                    "kerberos - - proven: spnego-kerberos\n");
    g_string_free(out, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tickets/find", test_find);
    g_test_add_func("/tickets/bound", test_bound);
    g_test_add_func("/tickets/exchanges", test_exchanges);
    return g_test_run();
}
