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

#define HOURS (UINT64_C(3600) * SECOND)

static void give_at(table *w, const char *client, const char *ticket, const char *name,
                    uint64_t frame, uint64_t time_ns)
{
    ccm_krb k = { .client = drv_end(client).addr,
                  .what = CCM_KRB_TICKET,
                  .host = ccm_texts_add(&w->texts, ccm_span_str(ticket)),
                  .name = ccm_texts_add(&w->texts, ccm_span_str(name)),
                  .count = 1,
                  .first_frame = frame,
                  .first_ns = time_ns,
                  .last_ns = time_ns };
    ccm_tickets_add(&w->t, &k);
}

static void give(table *w, const char *client, const char *ticket, const char *name, uint64_t frame)
{
    give_at(w, client, ticket, name, frame, 0);
}

static const char *owner_at(table *w, const char *client, const char *ticket, ccm_ticket_use use,
                            ccm_certainty *sure)
{
    const ccm_addr addr = drv_end(client).addr;
    uint32_t text = ccm_texts_add(&w->texts, ccm_span_str(ticket));
    const ccm_ticket *t = ccm_tickets_find(&w->t, &addr, text, use, sure);
    return t ? ccm_texts_get(&w->texts, t->name) : NULL;
}

static const char *owner(table *w, const char *client, const char *ticket)
{
    ccm_certainty sure;
    return owner_at(w, client, ticket, (ccm_ticket_use){ 0 }, &sure);
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
    ccm_certainty sure;
    ccm_ticket_use use = { 0 };
    uint32_t mp = ccm_texts_add(&w.texts, ccm_span_str("mp#1"));
    const ccm_ticket *t = ccm_tickets_find(&w.t, &a, mp, use, &sure);
    g_assert_cmpuint(t->count, ==, 2);
    g_assert_cmpuint(t->first_frame, ==, 7);
    /* text 0 stands for many */
    g_assert_null(ccm_tickets_find(&w.t, &a, 0, use, &sure));
    g_assert_null(ccm_tickets_find(&w.t, &a, CCM_NONE, use, &sure));
    end(&w);
}

/* Where one of the two was not whole: E4, "within the ticket lifetime", 10 hours. Replies at hour
 * 20 and, where there were two, at hour 60. */
static void test_in_time(void)
{
    static const struct {
        unsigned replies;
        uint64_t first_h, last_h; /* use */
        ccm_certainty sure;       /* unknown = nobody's */
    } rows[] = {
        { 1, 20, 20, CCM_CERTAINTY_STRONG },  { 1, 21, 30, CCM_CERTAINTY_STRONG },
        { 1, 30, 30, CCM_CERTAINTY_STRONG },  { 1, 31, 31, CCM_CERTAINTY_UNKNOWN },
        { 1, 21, 31, CCM_CERTAINTY_UNKNOWN }, { 1, 50, 50, CCM_CERTAINTY_UNKNOWN },
        { 1, 19, 19, CCM_CERTAINTY_UNKNOWN }, { 1, 19, 21, CCM_CERTAINTY_UNKNOWN },
        { 2, 21, 22, CCM_CERTAINTY_STRONG },  { 2, 61, 70, CCM_CERTAINTY_STRONG },
        { 2, 21, 65, CCM_CERTAINTY_LIKELY }, /* another one between, or not */
        { 2, 59, 70, CCM_CERTAINTY_LIKELY },  { 2, 61, 71, CCM_CERTAINTY_UNKNOWN },
        { 2, 19, 61, CCM_CERTAINTY_UNKNOWN },
    };
    static const char *const given[] = { "dp", "dp#1" };
    for (unsigned whole = 0; whole < 2; whole++)
        for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
            table w = { 0 };
            begin(&w, 9);
            if (rows[i].replies > 1)
                give_at(&w, A, given[whole], "WKS01$@LAB", 2, 60 * HOURS);
            give_at(&w, A, given[whole], "WKS01$@LAB", 1, 20 * HOURS);
            ccm_ticket_use use = { rows[i].first_h * HOURS, rows[i].last_h * HOURS };
            ccm_certainty sure = CCM_CERTAINTY_WEAK;
            const char *name = owner_at(&w, A, "dp", use, &sure);
            g_assert_true(!name == !rows[i].sure);
            g_assert_true(!name || sure == rows[i].sure);
            /* another ticket than the whole one; the very ticket is known whenever it was */
            g_assert_true(whole || !owner_at(&w, A, "dp#7", use, &sure) == !rows[i].sure);
            g_assert_true(!whole || owner_at(&w, A, "dp#1", use, &sure));
            g_assert_true(!whole || sure == CCM_CERTAINTY_STRONG);
            end(&w);
        }
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

static void reply(ccm_joiner *j, const char *cname, uint64_t hash, uint64_t time_ns)
{
    ccm_obs o = drv_obs(CCM_OBS_kerberos, 900, "10.0.0.2:88", "10.0.0.5:50100", time_ns);
    ccm_obs_u64(&o, CCM_KEY_msg_type, 13);
    drv_text(&o, CCM_KEY_realm, "LAB.EXAMPLE");
    drv_text(&o, CCM_KEY_cname, cname);
    drv_text(&o, CCM_KEY_spn, "HTTP/mp1.lab");
    if (hash)
        ccm_obs_u64(&o, CCM_KEY_ticket_hash, hash);
    ccm_joiner_observe(j, &o);
}

/* Exchange `n` of a connection; hash 0: without a ticket of its own. */
static void exchange_at(ccm_joiner *j, uint64_t n, uint64_t hash, uint64_t time_ns)
{
    const char *client = "10.0.0.5:50001", *server = "10.0.0.9:80";
    ccm_obs o = drv_inside(CCM_OBS_http_request, 1, n, client, server, time_ns);
    drv_text(&o, CCM_KEY_method, "GET");
    drv_text(&o, CCM_KEY_target, "/");
    ccm_joiner_observe(j, &o);
    if (hash) {
        o = drv_inside(CCM_OBS_http_auth, 1, n, client, server, time_ns);
        drv_text(&o, CCM_KEY_header, "authorization");
        drv_text(&o, CCM_KEY_mechanism, "kerberos");
        drv_text(&o, CCM_KEY_spn, "HTTP/MP1.lab");
        ccm_obs_u64(&o, CCM_KEY_ticket_hash, hash);
        ccm_joiner_observe(j, &o);
    }
    o = drv_inside(CCM_OBS_http_response, 1, n, server, client, time_ns + 1);
    ccm_obs_u64(&o, CCM_KEY_status, 200);
    ccm_joiner_observe(j, &o);
    o = drv_inside(CCM_OBS_http_done, 1, n, client, server, time_ns + 1);
    drv_text(&o, CCM_KEY_pairing, "sure");
    ccm_joiner_observe(j, &o);
}

static void exchange(ccm_joiner *j, uint64_t n, uint64_t hash)
{
    exchange_at(j, n, hash, 2);
}

static void test_exchanges(void)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    ccm_catalog *catalog = ccm_catalog_load(NULL, NULL);
    GString *out = g_string_new(NULL);
    ccm_joiner *j = ccm_joiner_new(catalog, &limits, show, out);

    exchange(j, 1, 0xabc); /* its reply comes later */
    reply(j, "WKS01$", 0xabc, 1);
    reply(j, "alice", 0xdef, 1);
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

/* The same where replies were cut; a connection stays whose it was when it was authenticated. */
static void test_exchanges_in_time(void)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    ccm_catalog *catalog = ccm_catalog_load(NULL, NULL);
    GString *out = g_string_new(NULL);
    ccm_joiner *j = ccm_joiner_new(catalog, &limits, show, out);

    exchange_at(j, 1, 0xabc, 19 * HOURS);
    reply(j, "WKS01$", 0, 20 * HOURS);
    exchange_at(j, 2, 0, 20 * HOURS + 1); /* covered by the first, before the reply */
    exchange_at(j, 3, 0xabc, 20 * HOURS + 2);
    exchange_at(j, 4, 0, 31 * HOURS); /* covered by the third */
    exchange_at(j, 5, 0xabc, 31 * HOURS + 2);
    ccm_joiner_free(j);
    ccm_catalog_unref(catalog);
    g_assert_cmpstr(out->str, ==,
                    "kerberos - - proven: spnego-kerberos\n"
                    "kerberos - - strong: connection-authenticated\n"
                    "kerberos computer WKS01$@LAB.EXAMPLE strong: spnego-kerberos tgs-rep\n"
                    "kerberos computer WKS01$@LAB.EXAMPLE strong: connection-authenticated "
                    "tgs-rep\n"
                    "kerberos - - proven: spnego-kerberos\n");
    g_string_free(out, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tickets/find", test_find);
    g_test_add_func("/tickets/in-time", test_in_time);
    g_test_add_func("/tickets/bound", test_bound);
    g_test_add_func("/tickets/exchanges", test_exchanges);
    g_test_add_func("/tickets/exchanges-in-time", test_exchanges_in_time);
    return g_test_run();
}
