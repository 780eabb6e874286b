/* SPDX-License-Identifier: GPL-2.0-or-later
 * scenarios.h - the traffic of the scenarios G1 to G30 of the throttling reference, section 10,
 * into a model; with a fault of the capture, if wanted. */
#ifndef CCM_TESTS_GEN_SCENARIOS_H
#define CCM_TESTS_GEN_SCENARIOS_H

#include "pace.h"

#include "model/view.h"

#define MIB UINT64_C(1048576)
#define MBIT (1e6 / 8)
/* Monday 2026-03-02 00:00 UTC; no clock changes that week, nor before 2026-03-29 in Europe. */
#define MONDAY (UINT64_C(1772409600) * SECOND)
#define HOUR (3600 * SECOND)

enum { CLEAN, UNSEEN, REPEATED, MIDFILE, FAULTS };

typedef struct world {
    ccm_catalog *catalog;
    ccm_model *model;
    unsigned fault;
    bool hidden; /* which share is written to is not seen */
    uint64_t flows;
    uint64_t wire, packets; /* put into the model */
    ccm_view *view;
} world;

static inline void into_model(void *user, const ccm_obs *o)
{
    world *w = user;
    w->wire += o->kind == CCM_OBS_run ? ccm_obs_get_u64(o, CCM_KEY_wire_bytes) : 0;
    w->packets += o->kind == CCM_OBS_run ? ccm_obs_get_u64(o, CCM_KEY_packets) : 0;
    ccm_model_observe(w->model, o);
}

static inline void world_end(world *w)
{
    ccm_view_free(w->view);
    ccm_model_free(w->model);
}

static inline gen gen_of(world *w, const char *client, const char *server, double mbit,
                         uint64_t start)
{
    gen g = { .r = g_rand_new_with_seed(7 + (guint32)w->flows),
              .now = start,
              .link = mbit * MBIT,
              .rtt = 0.004,
              .client = client,
              .server = server,
              .flow = w->flows += 100000,
              .obs = into_model,
              .user = w };
    g.unseen = w->fault == UNSEEN ? 0.02 : 0;
    g.repeated = w->fault == REPEATED ? 0.01 : 0;
    g.from = w->fault == MIDFILE ? start + 5050 * SECOND / 1000 : 0;
    if (g_str_has_suffix(server, ":445") && !w->hidden) {
        ccm_obs o = drv_obs(CCM_OBS_smb_tree, g.flow, client, server, start);
        drv_text(&o, CCM_KEY_share, "\\\\DP01\\SMS_DP$");
        ccm_obs_u64(&o, CCM_KEY_nt_status, 0);
        ccm_model_observe(w->model, &o);
    }
    return g;
}

static inline void done(gen *g)
{
    gen_end(g);
    g_rand_free(g->r);
}

#define SITE_SERVER "10.0.0.1:50000"
#define DP "10.0.0.9:445"

/* One connection to one distribution point that writes `n` files of `size`. */
static inline void simple(world *w, double mbit, uint64_t size, unsigned n, const gen_limit *l,
                          double loss)
{
    gen g = gen_of(w, SITE_SERVER, DP, mbit, MONDAY + 10 * HOUR + 17 * SECOND);
    g.loss = loss;
    for (unsigned i = 0; i < n; i++)
        gen_file(&g, size, l);
    done(&g);
}

static inline const ccm_view_throttle *of(const world *w, const char *route, const char *source)
{
    ccm_addr a;
    g_assert_true(!source || ccm_addr_parse(source, &a));
    for (unsigned i = 0; i < w->view->n_routes; i++) {
        const ccm_view_route *r = &w->view->routes[i];
        for (unsigned k = 0; k < r->n_throttle; k++)
            if (!strcmp(r->route, route) && (!source || ccm_addr_eq(&r->throttle[k].source, &a)))
                return &r->throttle[k];
    }
    g_error("no throttle of %s", route);
}

static inline const ccm_view_throttle *dp(const world *w)
{
    return of(w, w->hidden ? "client/file-server" : "site-server/dp", "10.0.0.1");
}

static inline bool noted(const ccm_view_throttle *t, const char *words)
{
    for (unsigned i = 0; i < t->notes.n; i++)
        if (strstr(t->notes.v[i], words))
            return true;
    return false;
}

#define VERDICT(t, name) g_assert_cmpstr((t)->verdict, ==, name)
#define BETWEEN(x, low, high)                                                                      \
    do {                                                                                           \
        g_assert_cmpfloat((double)(x), >=, (double)(low));                                         \
        g_assert_cmpfloat((double)(x), <=, (double)(high));                                        \
    } while (0)

/* ---- site server to distribution point ------------------------------------------------------- */

static const gen_limit gen_free_limit = { .gap_low = 0.02, .gap_high = 0.3 };

static inline void g1(world *w)
{
    simple(w, 10, 40 * MIB, 1, &gen_free_limit, 0);
}

static inline void g2(world *w)
{
    simple(w, 1000, 30 * 1024, 400, &gen_free_limit, 0);
}

static inline void pulse(world *w, unsigned kb, unsigned s, double mbit, uint64_t size, double loss)
{
    gen_limit l = { .block_kb = kb, .delay_s = s, .gap_low = 0.02, .gap_high = 0.3 };
    simple(w, mbit, size, 1, &l, loss);
}

static inline void g3(world *w)
{
    pulse(w, 256, 1, 100, 20 * MIB, 0);
}

static inline void g4(world *w)
{
    pulse(w, 32, 5, 3, 3 * MIB, 0);
}

static inline void g5(world *w)
{
    pulse(w, 3, 5, 3, 200 * 1024, 0);
}

static inline void hourly(world *w, unsigned percent, double mbit, uint64_t size, double loss)
{
    gen_limit l = { .percent = percent, .rule = gen_inferred, .gap_low = 0.02, .gap_high = 0.3 };
    simple(w, mbit, size, 1, &l, loss);
}

static inline const ccm_view_throttle *is_hourly(const world *w, unsigned percent)
{
    const ccm_view_throttle *t = dp(w);
    VERDICT(t, "hourly");
    g_assert_cmpint(t->certainty, <=, CCM_CERTAINTY_LIKELY);
    g_assert_cmpuint(t->is.percent_low, <=, percent * 10);
    g_assert_cmpuint(t->is.percent_high, >=, percent * 10);
    return t;
}

static inline void g6(world *w)
{
    hourly(w, 10, 10, 60 * MIB, 0);
}

static inline void g7(world *w)
{
    hourly(w, 50, 10, 60 * MIB, 0);
}

static inline void g8(world *w)
{
    hourly(w, 25, 3, 60 * MIB, 0);
}

static inline void g9(world *w)
{
    hourly(w, 10, 1000, 60 * MIB, 0);
}

static inline void g10(world *w)
{
    hourly(w, 50, 1000, 400 * MIB, 0);
}

static inline void g11(world *w)
{
    hourly(w, 75, 3, 60 * MIB, 0);
}

static inline void g12(world *w)
{
    hourly(w, 10, 10, 60 * MIB, 0.02);
}

static inline void g13(world *w)
{
    pulse(w, 128, 2, 10, 20 * MIB, 0.02);
}

static inline void mixed(world *w, const gen_limit *l, bool files)
{
    gen g = gen_of(w, SITE_SERVER, DP, 10, MONDAY + 10 * HOUR);
    g.files = files;
    for (unsigned i = 0; i < 40; i++)
        gen_file(&g, (uint64_t)g_rand_int_range(g.r, 8192, 9 * (gint)MIB), l);
    done(&g);
}

static inline void g14(world *w)
{
    gen_limit l = { .percent = 10, .rule = gen_inferred, .gap_low = 0.02, .gap_high = 0.3 };
    mixed(w, &l, false);
}

static inline void g15(world *w)
{
    gen_limit l = { .block_kb = 256, .delay_s = 1, .gap_low = 0.002, .gap_high = 0.01 };
    gen g = gen_of(w, SITE_SERVER, DP, 10, MONDAY + 10 * HOUR);
    g.files = true;
    for (unsigned i = 0; i < 200; i++)
        gen_file(&g, 40 * 1024, &l);
    done(&g);
}

static inline void g17(world *w)
{
    hourly(w, 100, 10, 60 * MIB, 0);
}

static inline void g18(world *w)
{
    hourly(w, 90, 3, 60 * MIB, 0);
}

/* ---- schedules ------------------------------------------------------------------------------- */

static inline unsigned hour_at(uint64_t ns)
{
    return (unsigned)(ns / HOUR % 24);
}

static inline bool closed_8_to_10(uint64_t ns)
{
    return hour_at(ns) == 8 || hour_at(ns) == 9;
}

/* A large package from 07:00 on, three days; at 08:00 its file is given up, at 10:00 begun again.
 */
static inline void g19(world *w)
{
    const gen_limit l = { .closed_at = closed_8_to_10, .gap_low = 0.02, .gap_high = 0.3 };

    for (unsigned day = 0; day < 3; day++) {
        uint64_t start = MONDAY + day * 24 * HOUR + 7 * HOUR + 13 * 60 * SECOND;
        gen g = gen_of(w, SITE_SERVER, DP, 2, start);
        g.files = true;
        g.from = day ? 0 : g.from;
        while (gen_file(&g, 400 * MIB, &l))
            ;
        g.now = g.now / HOUR * HOUR + 2 * HOUR + 12 * SECOND;
        gen_file(&g, 400 * MIB, &l);
        done(&g);
    }
}

/* The same hours without anything to send. */
static inline void g20(world *w)
{
    for (unsigned day = 0; day < 3; day++) {
        gen g =
            gen_of(w, SITE_SERVER, DP, 10, MONDAY + day * 24 * HOUR + 7 * HOUR + 5 * 60 * SECOND);
        g.files = true;
        g.from = day ? 0 : g.from;
        gen_file(&g, (100 + day * 37) * MIB, &gen_free_limit);
        g.now = MONDAY + day * 24 * HOUR + 10 * HOUR + (23 + day * 7) * 60 * SECOND;
        gen_file(&g, 200 * MIB, &gen_free_limit);
        done(&g);
    }
}

static inline unsigned ten_by_day(uint64_t ns)
{
    return hour_at(ns) >= 6 && hour_at(ns) < 18 ? 10 : 100;
}

static inline void g21(world *w)
{
    gen_limit l = {
        .percent_at = ten_by_day, .rule = gen_inferred, .gap_low = 0.02, .gap_high = 0.3
    };
    gen g = gen_of(w, SITE_SERVER, DP, 2, MONDAY + 3 * HOUR);

    while (g.now < MONDAY + 21 * HOUR)
        gen_file(&g, 300 * MIB, &l);
    done(&g);
}

static inline bool closed_by_day(uint64_t ns)
{
    return hour_at(ns) >= 8 && hour_at(ns) < 18;
}

/* High only from 08 to 18: the package waits, another one passes at noon. */
static inline void g22(world *w)
{
    const gen_limit low = { .closed_at = closed_by_day, .gap_low = 0.02, .gap_high = 0.3 };
    gen g = gen_of(w, SITE_SERVER, DP, 2, MONDAY + 7 * HOUR + 11 * 60 * SECOND);

    g.files = true;
    while (gen_file(&g, 900 * MIB, &low))
        ;
    g.now = MONDAY + 12 * HOUR + 9 * SECOND;
    gen_file(&g, 60 * MIB, &gen_free_limit);
    g.now = MONDAY + 18 * HOUR + 14 * SECOND;
    gen_file(&g, 900 * MIB, &low);
    done(&g);
}

/* ---- several at once ------------------------------------------------------------------------- */

/* Two hourly senders share 10 Mbit/s: while both send each has half of it. */
static inline void g23(world *w)
{
    gen g[2] = { gen_of(w, SITE_SERVER, DP, 10, MONDAY),
                 gen_of(w, "10.0.1.1:50000", DP, 10, MONDAY + SECOND / 3) };
    uint64_t left[2] = { 0, 0 }, begun[2] = { 0, 0 }, blocks[2] = { 0, 0 };
    gen_rate rate[2] = { { .n = 0 }, { .n = 0 } };

    while (blocks[0] < 60 || blocks[1] < 60) {
        gen *a = &g[g[1].now < g[0].now], *b = &g[g[1].now >= g[0].now];
        unsigned i = a == &g[1];
        if (!left[i]) {
            left[i] = MIB;
            begun[i] = a->now;
        }
        a->link = b->now <= a->now + SECOND / 500 ? 5 * MBIT : 10 * MBIT;
        unsigned n = (unsigned)MIN(left[i], GEN_MSS);
        gen_packet(a, n, gen_step(a, n));
        left[i] -= n;
        if (!left[i]) {
            double busy = (double)(a->now - begun[i]) / 1e9;
            gen_wait(a, gen_yield(&gen_inferred, &rate[i], MIB, busy, 50));
            blocks[i]++;
        }
    }
    done(&g[0]);
    done(&g[1]);
}

static inline void g25(world *w)
{
    for (unsigned i = 0; i < 15; i++) {
        gen g = gen_of(w, SITE_SERVER, DP, 10.0 / 15, MONDAY + i * SECOND / 10);
        for (unsigned k = 0; k < 20; k++)
            gen_file(&g, 200 * 1024, &gen_free_limit);
        done(&g);
    }
}

/* A busy link: the rate varies, and packets that were lost make it stand still for a while. */
static inline void g28(world *w)
{
    gen g = gen_of(w, SITE_SERVER, DP, 10, MONDAY);
    g.loss = 0.03;
    for (unsigned i = 0; i < 2500; i++) {
        g.link = (0.3 + 3 * g_rand_double(g.r)) * MBIT;
        gen_send(&g, (uint64_t)g_rand_int_range(g.r, 4000, 60000));
        if (g_rand_int_range(g.r, 0, 12) == 0)
            gen_wait(&g, 0.3 + 1.2 * g_rand_double(g.r));
    }
    done(&g);
}

/* Begins in the middle of a file, whatever else is wrong. */
static inline void g29(world *w)
{
    gen_limit p = { .block_kb = 256, .delay_s = 1 }, h = { .percent = 10, .rule = gen_inferred };
    gen a = gen_of(w, SITE_SERVER, DP, 100, MONDAY),
        b = gen_of(w, "10.0.1.1:50000", DP, 10, MONDAY);

    a.from = MONDAY + 7123 * SECOND / 1000;
    b.from = MONDAY + 100 * SECOND + SECOND / 3;
    gen_file(&a, 30 * MIB, &p);
    gen_file(&b, 60 * MIB, &h);
    done(&a);
    done(&b);
}

/* The sender's clock is two hours ahead of UTC; the zone is not said. */
static inline void g30(world *w)
{
    gen_limit l = {
        .percent_at = ten_by_day, .rule = gen_inferred, .gap_low = 0.02, .gap_high = 0.3
    };
    gen g = gen_of(w, SITE_SERVER, DP, 2, MONDAY + 3 * HOUR);

    while (g.now < MONDAY + 9 * HOUR)
        gen_file(&g, 300 * MIB, &l);
    done(&g);
}

/* ---- over HTTP ------------------------------------------------------------------------------- */

static inline void request(gen *g, const char *target)
{
    ccm_obs o = drv_obs(CCM_OBS_http_request, g->flow, g->client, g->server, g->now);
    ccm_obs_u64(&o, CCM_KEY_exchange, 1);
    drv_text(&o, CCM_KEY_method, "GET");
    drv_text(&o, CCM_KEY_target, target);
    drv_text(&o, CCM_KEY_user_agent, "Microsoft BITS/7.8");
    g->obs(g->user, &o);
    o = drv_obs(CCM_OBS_http_response, g->flow, g->server, g->client, g->now + 1000);
    ccm_obs_u64(&o, CCM_KEY_exchange, 1);
    ccm_obs_u64(&o, CCM_KEY_status, 206);
    g->obs(g->user, &o);
}

static inline gen download(world *w, const char *client, double mbit, uint64_t start)
{
    gen g = gen_of(w, client, "10.0.0.9:80", mbit, start);
    g.down = true;
    request(&g, "/SMS_DP_SMSPKG$/P0100001/x.cab");
    return g;
}

/* A range, then a pause, so that ten seconds carry what the policy allows. */
static inline void ranges(gen *g, double mbit, uint64_t until)
{
    while (g->now < until) {
        double bytes = 60000 + 90000 * g_rand_double(g->r);
        double busy = gen_send(g, (uint64_t)bytes);
        gen_wait(g, MAX(bytes * 1.037 / (mbit * MBIT) - busy, 0));
    }
}

static inline void g16(world *w)
{
    gen g = download(w, "10.0.2.5:51000", 100, MONDAY + 600 * SECOND);
    ranges(&g, 1, MONDAY + 1200 * SECOND);
    done(&g);
}

/* The pulling host serves clients itself; a limit that is stored for it changes nothing. */
static inline void g24(world *w)
{
    gen c = gen_of(w, "10.0.2.5:51000", "10.0.0.20:80", 100, MONDAY);
    c.down = true;
    for (unsigned i = 0; i < 3; i++)
        request(&c, "/SMS_DP_SMSPKG$/P0100001/x.cab");
    gen_send(&c, MIB);
    done(&c);
    gen g = download(w, "10.0.0.20:52000", 8, MONDAY + 10 * SECOND);
    gen_send(&g, 60 * MIB);
    done(&g);
}

/* A transfer that leaves the link to others within a second, and takes it back as fast. */
static inline void g26(world *w)
{
    gen own = download(w, "10.0.2.5:51000", 20, MONDAY);
    gen other = gen_of(w, "10.0.2.6:51000", "10.0.0.9:8443", 19, MONDAY + 60 * SECOND);

    other.down = true;
    while (own.now < MONDAY + 150 * SECOND) {
        bool contested = own.now > MONDAY + 60 * SECOND && own.now < MONDAY + 90 * SECOND;
        own.link = (contested ? 1 : 20) * MBIT;
        gen_send(&own, 20000);
    }
    while (other.now < MONDAY + 90 * SECOND)
        gen_send(&other, 20000);
    done(&own);
    done(&other);
}

/* From 09 to 17 512 kbit/s, else what the line gives; two clients. */
static inline void g27(world *w)
{
    static const char *const clients[] = { "10.0.2.5:51000", "10.0.2.6:51000" };

    for (unsigned i = 0; i < 2; i++) {
        gen g = download(w, clients[i], 4, MONDAY + (7 + i) * HOUR + 20 * 60 * SECOND);
        while (g.now < MONDAY + 9 * HOUR)
            gen_send(&g, 100000);
        ranges(&g, 0.512, MONDAY + 17 * HOUR);
        while (g.now < MONDAY + 18 * HOUR)
            gen_send(&g, 100000);
        done(&g);
    }
}

#endif
