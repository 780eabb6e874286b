/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_throttle.c - the scenarios G1 to G30 of the throttling reference, section 10, with the
 * verdicts expected there; each also with 2 % of the packets missing in the capture, 1 % sent
 * twice, and a start in the middle of a file: then the verdict stays, or its certainty is lower.
 *
 * The expectations were written from the reference before the detector had run. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "../gen/pace.h"

#include "model/view.h"

#define MIB UINT64_C(1048576)
#define MBIT (1e6 / 8)
/* Monday 2026-03-02 00:00 UTC; no clock changes that week, nor before 2026-03-29 in Europe. */
#define MONDAY (UINT64_C(1772409600) * SECOND)
#define HOUR (3600 * SECOND)

static ccm_catalog *catalog;

enum { CLEAN, UNSEEN, REPEATED, MIDFILE, FAULTS };

typedef struct world {
    ccm_catalog *catalog;
    ccm_model *model;
    unsigned fault;
    uint64_t flows;
    uint64_t wire, packets; /* put into the model */
    ccm_view *view;
} world;

static void into_model(void *user, const ccm_obs *o)
{
    world *w = user;
    w->wire += o->kind == CCM_OBS_run ? ccm_obs_get_u64(o, CCM_KEY_wire_bytes) : 0;
    w->packets += o->kind == CCM_OBS_run ? ccm_obs_get_u64(o, CCM_KEY_packets) : 0;
    ccm_model_observe(w->model, o);
}

static void world_end(world *w)
{
    ccm_view_free(w->view);
    ccm_model_free(w->model);
}

static gen gen_of(world *w, const char *client, const char *server, double mbit, uint64_t start)
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
    return g;
}

static void done(gen *g)
{
    gen_end(g);
    g_rand_free(g->r);
}

#define SITE_SERVER "10.0.0.1:50000"
#define DP "10.0.0.9:445"

/* One connection to one distribution point that writes `n` files of `size`. */
static void simple(world *w, double mbit, uint64_t size, unsigned n, const gen_limit *l,
                   double loss)
{
    gen g = gen_of(w, SITE_SERVER, DP, mbit, MONDAY + 10 * HOUR + 17 * SECOND);
    g.loss = loss;
    for (unsigned i = 0; i < n; i++)
        gen_file(&g, size, l);
    done(&g);
}

static const ccm_view_throttle *of(const world *w, const char *route, const char *source)
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

/* SMB whose share nobody saw. */
static const ccm_view_throttle *dp(const world *w)
{
    return of(w, "client/file-server", "10.0.0.1");
}

static bool noted(const ccm_view_throttle *t, const char *words)
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

static const gen_limit unlimited = { .gap_low = 0.02, .gap_high = 0.3 };

static void g1(world *w)
{
    simple(w, 10, 40 * MIB, 1, &unlimited, 0);
}

static void g1_is(const world *w)
{
    VERDICT(dp(w), "no-limit-seen");
    BETWEEN(dp(w)->is.rate_bps, 9.3e6, 10e6); /* 10 Mbit/s less 3 to 4 % of headers */
}

static void g2(world *w)
{
    simple(w, 1000, 30 * 1024, 400, &unlimited, 0);
}

static void g2_is(const world *w)
{
    VERDICT(dp(w), "no-limit-seen");
}

static void pulse(world *w, unsigned kb, unsigned s, double mbit, uint64_t size, double loss)
{
    gen_limit l = { .block_kb = kb, .delay_s = s, .gap_low = 0.02, .gap_high = 0.3 };
    simple(w, mbit, size, 1, &l, loss);
}

static void is_pulse(const world *w, unsigned kb, unsigned s, double rate)
{
    const ccm_view_throttle *t = dp(w);
    VERDICT(t, "pulse");
    g_assert_cmpuint(t->is.delay_low_ns, ==, s * SECOND);
    g_assert_cmpuint(t->is.delay_high_ns, ==, s * SECOND);
    /* the block within 6 % */
    g_assert_cmpuint(t->is.block_low, <=, kb * 1024);
    BETWEEN(t->is.block_high, kb * 1024, kb * 1024 * 1.06);
    BETWEEN(t->is.rate_bps, rate * 0.93, rate * 1.07);
}

static void g3(world *w)
{
    pulse(w, 256, 1, 100, 20 * MIB, 0);
}

static void g3_is(const world *w)
{
    is_pulse(w, 256, 1, 2.08e6);
    g_assert_cmpint(dp(w)->certainty, ==, CCM_CERTAINTY_STRONG);
}

static void g4(world *w)
{
    pulse(w, 32, 5, 3, 3 * MIB, 0);
}

static void g4_is(const world *w)
{
    is_pulse(w, 32, 5, 0.053e6);
}

static void g5(world *w)
{
    pulse(w, 3, 5, 3, 200 * 1024, 0);
}

static void g5_is(const world *w)
{
    is_pulse(w, 3, 5, 4.91e3 * 1.04); /* a write's headers are 4 % of three KiB */
}

static void hourly(world *w, unsigned percent, double mbit, uint64_t size, double loss)
{
    gen_limit l = { .percent = percent, .rule = gen_inferred, .gap_low = 0.02, .gap_high = 0.3 };
    simple(w, mbit, size, 1, &l, loss);
}

static const ccm_view_throttle *is_hourly(const world *w, unsigned percent)
{
    const ccm_view_throttle *t = dp(w);
    VERDICT(t, "hourly");
    g_assert_cmpint(t->certainty, <=, CCM_CERTAINTY_LIKELY);
    g_assert_cmpuint(t->is.percent_low, <=, percent * 10);
    g_assert_cmpuint(t->is.percent_high, >=, percent * 10);
    return t;
}

static void g6(world *w)
{
    hourly(w, 10, 10, 60 * MIB, 0);
}

static void g6_is(const world *w)
{
    const ccm_view_throttle *t = is_hourly(w, 10);
    g_assert_cmpuint(t->is.percent_low, ==, 91);
    g_assert_cmpuint(t->is.percent_high, ==, 100);
    BETWEEN(t->is.duty, 850, 890); /* 8.7 % */
    BETWEEN(t->is.block_high, MIB, MIB * 1.06);
}

static void g7(world *w)
{
    hourly(w, 50, 10, 60 * MIB, 0);
}

/* The reference expects (33.3, 50.0]. That is the interval of the inferred rule alone; at 50 % the
 * first block makes no silence, so nothing in this trace tells that rule from one that does not
 * round the time of sending, whose interval is (30.0, 46.2]. An honest interval holds both. */
static void g7_is(const world *w)
{
    const ccm_view_throttle *t = is_hourly(w, 50);
    BETWEEN(t->is.percent_low, 295, 334);
    g_assert_cmpuint(t->is.percent_high, ==, 500);
    BETWEEN(t->is.duty, 4550, 4700);
}

static void g8(world *w)
{
    hourly(w, 25, 3, 60 * MIB, 0);
}

static void g8_is(const world *w)
{
    const ccm_view_throttle *t = is_hourly(w, 25);
    g_assert_cmpuint(t->is.percent_low, ==, 231);
    g_assert_cmpuint(t->is.percent_high, ==, 250);
}

static void g9(world *w)
{
    hourly(w, 10, 1000, 60 * MIB, 0);
}

static void g9_is(const world *w)
{
    const ccm_view_throttle *t = is_hourly(w, 10);
    g_assert_cmpuint(t->is.percent_low, ==, 91);
    g_assert_cmpuint(t->is.percent_high, ==, 111);
    BETWEEN(t->is.duty, 15, 35); /* 0.2 % */
    g_assert_true(noted(t, "far smaller share"));
}

static void g10(world *w)
{
    hourly(w, 50, 1000, 400 * MIB, 0);
}

static void g10_is(const world *w)
{
    VERDICT(dp(w), "no-limit-seen");
    g_assert_true(noted(dp(w), "50 %"));
}

static void g11(world *w)
{
    hourly(w, 75, 3, 60 * MIB, 0);
}

/* (60, 75] in the reference; as at G7 nothing shows how the time of sending is rounded. */
static void g11_is(const world *w)
{
    const ccm_view_throttle *t = is_hourly(w, 75);
    BETWEEN(t->is.percent_low, 585, 600);
    BETWEEN(t->is.percent_high, 750, 760);
}

static void g12(world *w)
{
    hourly(w, 10, 10, 60 * MIB, 0.02);
}

/* "About (9.7, 10.3]": lost packets lengthen sending and silence together, each time otherwise. */
static void g12_is(const world *w)
{
    const ccm_view_throttle *t = is_hourly(w, 10);
    BETWEEN(t->is.percent_low, 75, 100);
    BETWEEN(t->is.percent_high, 100, 120);
    g_assert_true(noted(t, "less sure"));
}

static void g13(world *w)
{
    pulse(w, 128, 2, 10, 20 * MIB, 0.02);
}

static void g13_is(const world *w)
{
    is_pulse(w, 128, 2, 0.498e6);
    g_assert_cmpint(dp(w)->certainty, ==, CCM_CERTAINTY_LIKELY);
}

static void mixed(world *w, const gen_limit *l, bool files)
{
    gen g = gen_of(w, SITE_SERVER, DP, 10, MONDAY + 10 * HOUR);
    g.files = files;
    for (unsigned i = 0; i < 40; i++)
        gen_file(&g, (uint64_t)g_rand_int_range(g.r, 8192, 9 * (gint)MIB), l);
    done(&g);
}

static void g14(world *w)
{
    gen_limit l = { .percent = 10, .rule = gen_inferred, .gap_low = 0.02, .gap_high = 0.3 };
    mixed(w, &l, false);
}

static void g14_is(const world *w)
{
    const ccm_view_throttle *t = is_hourly(w, 10);
    BETWEEN(t->is.percent_low, 78, 92);
    BETWEEN(t->is.percent_high, 100, 112);
}

static void g15(world *w)
{
    gen_limit l = { .block_kb = 256, .delay_s = 1, .gap_low = 0.002, .gap_high = 0.01 };
    gen g = gen_of(w, SITE_SERVER, DP, 10, MONDAY + 10 * HOUR);
    g.files = true;
    for (unsigned i = 0; i < 200; i++)
        gen_file(&g, 40 * 1024, &l);
    done(&g);
}

static void g15_is(const world *w)
{
    const ccm_view_throttle *t = dp(w);
    VERDICT(t, "pulse");
    g_assert_cmpuint(t->is.delay_low_ns, ==, SECOND);
    BETWEEN(t->is.block_low, 38 * 1024, 42 * 1024);
    g_assert_true(noted(t, "at least this large"));
}

static void g17(world *w)
{
    hourly(w, 100, 10, 60 * MIB, 0);
}

static void g17_is(const world *w)
{
    VERDICT(dp(w), "no-limit-seen");
    g_assert_true(noted(dp(w), "one connection at a time"));
}

static void g18(world *w)
{
    hourly(w, 90, 3, 60 * MIB, 0);
}

static void g18_is(const world *w)
{
    VERDICT(dp(w), "no-limit-seen");
}

/* ---- schedules ------------------------------------------------------------------------------- */

static unsigned hour_at(uint64_t ns)
{
    return (unsigned)(ns / HOUR % 24);
}

static bool closed_8_to_10(uint64_t ns)
{
    return hour_at(ns) == 8 || hour_at(ns) == 9;
}

/* A large package from 07:00 on, three days; at 08:00 its file is given up, at 10:00 begun again.
 */
static void g19(world *w)
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

static void g19_is(const world *w)
{
    const ccm_view_throttle *t = dp(w);
    VERDICT(t, "schedule-closed");
    g_assert_cmpint(t->certainty, ==, CCM_CERTAINTY_STRONG);
    /* 47 minutes at 2 Mbit/s less the headers, of which 400 MiB were a whole file */
    double each = 47 * 60 * 2e6 / 8 * 1448 / 1502 - 400.0 * 1048576;
    g_assert_cmpuint(t->discarded_files, ==, 3);
    BETWEEN(t->discarded_bytes, 3 * each * 0.98, 3 * each * 1.02);
    for (unsigned day = 0; day < 3; day++) {
        g_assert_cmpstr(t->hours[day * 24 + 8], ==, "schedule-closed");
        g_assert_cmpstr(t->hours[day * 24 + 9], ==, "schedule-closed");
        g_assert_cmpstr(t->hours[day * 24 + 10], ==, "no-limit-seen");
    }
    unsigned closed = 0;
    for (unsigned i = 0; i < t->n_windows; i++)
        if (!strcmp(t->windows[i].verdict, "schedule-closed")) {
            g_assert_cmpuint(t->windows[i].start_ns, ==, MONDAY + closed * 24 * HOUR + 8 * HOUR);
            g_assert_cmpuint(t->windows[i].end_ns, ==, MONDAY + closed * 24 * HOUR + 10 * HOUR);
            closed++;
        }
    g_assert_cmpuint(closed, ==, 3);
}

/* The same hours without anything to send. */
static void g20(world *w)
{
    for (unsigned day = 0; day < 3; day++) {
        gen g =
            gen_of(w, SITE_SERVER, DP, 10, MONDAY + day * 24 * HOUR + 7 * HOUR + 5 * 60 * SECOND);
        g.files = true;
        g.from = day ? 0 : g.from;
        gen_file(&g, (100 + day * 37) * MIB, &unlimited);
        g.now = MONDAY + day * 24 * HOUR + 10 * HOUR + (23 + day * 7) * 60 * SECOND;
        gen_file(&g, 200 * MIB, &unlimited);
        done(&g);
    }
}

static void g20_is(const world *w)
{
    VERDICT(dp(w), "no-limit-seen");
    for (unsigned day = 0; day < 7; day++) {
        g_assert_null(dp(w)->hours[day * 24 + 8]);
        g_assert_null(dp(w)->hours[day * 24 + 9]);
    }
}

static unsigned ten_by_day(uint64_t ns)
{
    return hour_at(ns) >= 6 && hour_at(ns) < 18 ? 10 : 100;
}

static void g21(world *w)
{
    gen_limit l = {
        .percent_at = ten_by_day, .rule = gen_inferred, .gap_low = 0.02, .gap_high = 0.3
    };
    gen g = gen_of(w, SITE_SERVER, DP, 2, MONDAY + 3 * HOUR);

    while (g.now < MONDAY + 21 * HOUR)
        gen_file(&g, 300 * MIB, &l);
    done(&g);
}

static void g21_is(const world *w)
{
    const ccm_view_throttle *t = is_hourly(w, 10);
    for (unsigned h = 4; h < 21; h++) /* the hour of a change may hold both */
        if (h != 6 && h != 18)
            g_assert_cmpstr(t->hours[h], ==, h > 6 && h < 18 ? "hourly" : "no-limit-seen");
    g_assert_cmpuint(t->n_windows, ==, 3);
    g_assert_cmpstr(t->windows[1].verdict, ==, "hourly");
    /* one burst: 4.2 s of sending and 40 s of silence */
    BETWEEN((t->windows[1].start_ns - MONDAY) / SECOND, 6 * 3600 - 60, 6 * 3600 + 60);
    BETWEEN((t->windows[1].end_ns - MONDAY) / SECOND, 18 * 3600 - 60, 18 * 3600 + 60);
}

static bool closed_by_day(uint64_t ns)
{
    return hour_at(ns) >= 8 && hour_at(ns) < 18;
}

/* High only from 08 to 18: the package waits, another one passes at noon. */
static void g22(world *w)
{
    const gen_limit low = { .closed_at = closed_by_day, .gap_low = 0.02, .gap_high = 0.3 };
    gen g = gen_of(w, SITE_SERVER, DP, 2, MONDAY + 7 * HOUR + 11 * 60 * SECOND);

    g.files = true;
    while (gen_file(&g, 900 * MIB, &low))
        ;
    g.now = MONDAY + 12 * HOUR + 9 * SECOND;
    gen_file(&g, 60 * MIB, &unlimited);
    g.now = MONDAY + 18 * HOUR + 14 * SECOND;
    gen_file(&g, 900 * MIB, &low);
    done(&g);
}

static void g22_is(const world *w)
{
    VERDICT(dp(w), "priority-only");
    g_assert_true(noted(dp(w), "some jobs pass"));
    g_assert_cmpstr(dp(w)->hours[9], ==, "priority-only");
    g_assert_cmpstr(dp(w)->hours[17], ==, "priority-only");
}

/* ---- several at once ------------------------------------------------------------------------- */

/* Two hourly senders share 10 Mbit/s: while both send each has half of it. */
static void g23(world *w)
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
        gen_packet(a, n);
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

static void g23_is(const world *w)
{
    static const char *const sources[] = { "10.0.0.1", "10.0.1.1" };
    for (unsigned i = 0; i < 2; i++) {
        const ccm_view_throttle *t = of(w, "client/file-server", sources[i]);
        VERDICT(t, "hourly");
        g_assert_cmpuint(t->is.percent_low, <=, 500);
        g_assert_cmpuint(t->is.percent_high, >=, 500);
    }
}

static void g25(world *w)
{
    for (unsigned i = 0; i < 15; i++) {
        gen g = gen_of(w, SITE_SERVER, DP, 10.0 / 15, MONDAY + i * SECOND / 10);
        for (unsigned k = 0; k < 20; k++)
            gen_file(&g, 200 * 1024, &unlimited);
        done(&g);
    }
}

static void g25_is(const world *w)
{
    VERDICT(dp(w), "no-limit-seen");
    g_assert_true(noted(dp(w), "several connections"));
    g_assert_cmpuint(dp(w)->connections_peak, ==, 15);
}

/* A busy link: the rate varies, and packets that were lost make it stand still for a while. */
static void g28(world *w)
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

static void g28_is(const world *w)
{
    VERDICT(dp(w), "no-limit-seen");
}

/* Begins in the middle of a file, whatever else is wrong. */
static void g29(world *w)
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

static void g29_is(const world *w)
{
    is_pulse(w, 256, 1, 2.08e6);
    const ccm_view_throttle *t = of(w, "client/file-server", "10.0.1.1");
    VERDICT(t, "hourly");
    BETWEEN(100, t->is.percent_low, t->is.percent_high);
}

/* The sender's clock is two hours ahead of UTC; the zone is not said. */
static void g30(world *w)
{
    gen_limit l = {
        .percent_at = ten_by_day, .rule = gen_inferred, .gap_low = 0.02, .gap_high = 0.3
    };
    gen g = gen_of(w, SITE_SERVER, DP, 2, MONDAY + 3 * HOUR);

    while (g.now < MONDAY + 9 * HOUR)
        gen_file(&g, 300 * MIB, &l);
    done(&g);
}

static void g30_is(const world *w)
{
    const ccm_view_throttle *t = is_hourly(w, 10);
    g_assert_true(t->zone_assumed);
    g_assert_true(noted(t, "hours are UTC"));
    g_assert_cmpstr(t->hours[8], ==, "hourly");
    g_assert_cmpstr(t->hours[5], ==, "no-limit-seen");
}

/* ---- over HTTP ------------------------------------------------------------------------------- */

static void request(gen *g, const char *target)
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

static gen download(world *w, const char *client, double mbit, uint64_t start)
{
    gen g = gen_of(w, client, "10.0.0.9:80", mbit, start);
    g.down = true;
    request(&g, "/SMS_DP_SMSPKG$/P0100001/x.cab");
    return g;
}

/* A range, then a pause, so that ten seconds carry what the policy allows. */
static void ranges(gen *g, double mbit, uint64_t until)
{
    while (g->now < until) {
        double bytes = 60000 + 90000 * g_rand_double(g->r);
        double busy = gen_send(g, (uint64_t)bytes);
        gen_wait(g, MAX(bytes * 1.037 / (mbit * MBIT) - busy, 0));
    }
}

static void g16(world *w)
{
    gen g = download(w, "10.0.2.5:51000", 100, MONDAY + 600 * SECOND);
    ranges(&g, 1, MONDAY + 1200 * SECOND);
    done(&g);
}

static void g16_is(const world *w)
{
    const ccm_view_throttle *t = of(w, "client/dp", "10.0.2.5");
    VERDICT(t, "rate-capped"); /* no rule of a distribution point */
    BETWEEN(t->is.rate_bps, 0.9e6, 1.05e6);
}

/* The pulling host serves clients itself; a limit that is stored for it changes nothing. */
static void g24(world *w)
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

static void g24_is(const world *w)
{
    const ccm_view_throttle *t = of(w, "dp/dp", "10.0.0.20");
    VERDICT(t, "not-throttleable");
    g_assert_true(noted(t, "stored but ignored"));
}

/* A transfer that leaves the link to others within a second, and takes it back as fast. */
static void g26(world *w)
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

static void g26_is(const world *w)
{
    VERDICT(of(w, "client/dp", "10.0.2.5"), "yielding");
}

/* From 09 to 17 512 kbit/s, else what the line gives; two clients. */
static void g27(world *w)
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

static void g27_is(const world *w)
{
    static const char *const clients[] = { "10.0.2.5", "10.0.2.6" };

    for (unsigned i = 0; i < 2; i++) {
        const ccm_view_throttle *t = of(w, "client/dp", clients[i]);
        VERDICT(t, "bits-window");
        BETWEEN(t->is.rate_bps, 0.46e6, 0.53e6);
        g_assert_cmpuint(t->n_windows, ==, 3);
        BETWEEN((t->windows[1].start_ns - MONDAY) / SECOND, 9 * 3600 - 60, 9 * 3600 + 60);
        BETWEEN((t->windows[1].end_ns - MONDAY) / SECOND, 17 * 3600 - 60, 17 * 3600 + 60);
        g_assert_cmpstr(t->hours[12], ==, "rate-capped");
    }
}

/* ---- other rules of the hourly mode, which nobody has documented -------------------------------
 */

typedef struct variant {
    const char *name;
    gen_rule rule;
    unsigned percent;
    double mbit;
} variant;

static const variant variants[] = {
    { "block-512K", { 65536, 524288, 0.5, 4, GEN_DOWN, 1 }, 10, 10 },
    { "block-2M", { 65536, 2097152, 0.5, 4, GEN_DOWN, 1 }, 25, 10 },
    { "block-384K-no-first", { 0, 393216, 0.5, 1, GEN_DOWN, 1 }, 10, 5 },
    { "block-700000", { 0, 700000, 0, 1, GEN_DOWN, 1 }, 15, 4 },
    { "exact", { 0, 1048576, 0, 1, GEN_EXACT, 1 }, 10, 10 },
    { "exact-50", { 0, 1048576, 0, 1, GEN_EXACT, 1 }, 50, 2 },
    { "exact-first", { 65536, 1048576, 0, 1, GEN_EXACT, 1 }, 20, 4 },
    { "tenths", { 0, 786432, 0.1, 4, GEN_DOWN, 0.1 }, 30, 4 },
    { "nearest", { 0, 1048576, 0, 1, GEN_NEAREST, 1 }, 10, 6 },
    { "step-1s", { 65536, 1048576, 1, 4, GEN_DOWN, 1 }, 10, 10 },
    { "slice-10s",
      { 0, 1203000, 0, 1, GEN_EXACT, 1 },
      10,
      10 }, /* 1 s of sending, 9 s of silence */
};

static void other_rule(const void *data)
{
    const variant *v = data;
    gen_limit l = { .percent = v->percent, .rule = v->rule, .gap_low = 0.02, .gap_high = 0.3 };
    ccm_limits limits;
    world w = { .catalog = catalog };

    ccm_limits_init(&limits);
    w.model = ccm_model_new(catalog, &limits);
    simple(&w, v->mbit, 60 * v->rule.block, 1, &l, 0);
    w.view = ccm_view_new(w.model, true);
    const ccm_view_throttle *t = is_hourly(&w, v->percent);
    BETWEEN(t->is.block_high, v->rule.block, v->rule.block * 1.06);
    g_assert_cmpuint(t->is.block_low, <=, v->rule.block);
    /* an interval that says something */
    g_assert_cmpuint(t->is.percent_high - t->is.percent_low, <=, MAX(v->percent * 10 / 2, 30));
    world_end(&w);
}

/* ---- configured limits ----------------------------------------------------------------------- */

static void with_site(world *w, void (*make)(world *), const char *text)
{
    char path[] = "/tmp/ccm-site-XXXXXX";
    GError *error = NULL;
    ccm_limits limits;
    int fd = g_mkstemp(path);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    ccm_limits_init(&limits);
    *w = (world){ .catalog = catalog };
    w->model = ccm_model_new(catalog, &limits);
    ccm_model_add_site(w->model, path, &error);
    g_assert_no_error(error);
    make(w);
    w->view = ccm_view_new(w->model, true);
    g_remove(path);
}

static bool deviates(const ccm_view_throttle *t, const char *rule)
{
    for (unsigned i = 0; i < t->n_deviations; i++)
        if (!strcmp(t->deviations[i].rule, rule))
            return true;
    return false;
}

static void compare(void (*make)(world *), const char *text, const char *rule)
{
    world w;

    with_site(&w, make, text);
    const ccm_view_throttle *t = dp(&w);
    g_assert_true(t->compared);
    if (rule)
        g_assert_true(deviates(t, rule));
    else
        g_assert_cmpuint(t->n_deviations, ==, 0);
    world_end(&w);
}

#define AT "[dp DP01]\naddress=10.0.0.9\n"

static void compliance(void)
{
    compare(g3, AT "mode=pulse\nblock_kb=256\ndelay_s=1\n", NULL);
    compare(g3, AT "mode=pulse\nblock_kb=256\ndelay_s=2\n", "pulse");
    compare(g3, AT "mode=pulse\nblock_kb=128\ndelay_s=1\n", "pulse");
    compare(g3, AT "mode=hourly\nhourly=00-24=10\n", "mode");
    compare(g3, AT "mode=unlimited\n", "mode");
    compare(g1, AT "mode=unlimited\n", NULL);
    compare(g1, AT "mode=pulse\nblock_kb=256\ndelay_s=1\n", "pulse-ceiling");
    compare(g1, AT "mode=hourly\nhourly=00-24=10\n", "not-limited");
    compare(g6, AT "mode=hourly\nhourly=00-24=10\n", NULL);
    compare(g6, AT "mode=hourly\nhourly=00-24=25\n", "hourly");
    /* 6 to 18 at a tenth, as it was sent */
    compare(g21, AT "mode=hourly\nhourly=06-18=10\n", NULL);
    compare(g21, AT "mode=hourly\nhourly=06-18=50\n", "hourly");
    /* the stop at 08:00 takes less than a minute; three days from Monday on */
    compare(g19, AT "schedule=daily 08-10 closed\n", NULL);
    compare(g19, AT "schedule=mon 07-08 closed\n", "closed");
    compare(g19, AT "schedule=sat-sun 00-24 closed\n", NULL);
    /* the same clock, two hours further east: 08 to 10 there is 06 to 08 UTC */
    compare(g19, "[site]\ntime_zone=+02:00\n" AT "schedule=daily 09-10 closed\n", "closed");
    compare(g19, "[site]\ntime_zone=+02:00\n" AT "schedule=daily 10-12 closed\n", NULL);
}

static void pull_is_told(void)
{
    world w;

    with_site(&w, g24, AT "pull=true\nmode=hourly\nhourly=00-24=10\n");
    g_assert_true(deviates(of(&w, "dp/dp", "10.0.0.20"), "stored-but-ignored"));
    world_end(&w);
}

/* The sender's clock: what is 06 to 18 UTC is 08 to 20 in a zone two hours east. */
static void zone_is_used(void)
{
    world w;

    with_site(&w, g30, "[site]\ntime_zone=+02:00\n");
    const ccm_view_throttle *t = dp(&w);
    g_assert_false(t->zone_assumed);
    g_assert_cmpstr(t->hours[10], ==, "hourly");
    g_assert_cmpstr(t->hours[7], ==, "no-limit-seen");
    world_end(&w);
}

static void site_errors(void)
{
    static const struct {
        const char *text, *says;
    } wrong[] = {
        { "[dp A]\nmode=pulse\n", "address" },
        { AT "mode=slow\n", "unlimited, pulse or hourly" },
        { AT "mode=pulse\nblock_kb=300\ndelay_s=1\n", "1 to 256" },
        { AT "mode=pulse\nblock_kb=256\ndelay_s=0\n", "1 to 30" },
        { AT "mode=pulse\nblock_kb=256\n", "delay_s" },
        { AT "mode=hourly\n", "hourly" },
        { AT "mode=hourly\nhourly=1 2 3\n", "24 percentages" },
        { AT "mode=hourly\nhourly=06-18=0\n", "24 percentages" },
        { AT "schedule=mon 8 closed\n", "DAYS HOURS LEVEL" },
        { AT "schedule=someday 08-10 closed\n", "DAYS HOURS LEVEL" },
        { AT "schedule=mon 08-10 shut\n", "DAYS HOURS LEVEL" },
        { AT "blockkb=256\n", "unknown key" },
        { AT "pull=yes\n", "true or false" },
        { "[dp A]\naddress=host\n", "not an IP address" },
        { "[site]\ntime_zone=Mars/Olympus\n", "Europe/Berlin" },
        { "not a key file", "cannot read site file" },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        char path[] = "/tmp/ccm-site-XXXXXX";
        ccm_limits limits;
        GError *error = NULL;
        close(g_mkstemp(path));
        g_assert_true(g_file_set_contents(path, wrong[i].text, -1, NULL));
        ccm_limits_init(&limits);
        ccm_model *m = ccm_model_new(catalog, &limits);
        g_assert_false(ccm_model_add_site(m, path, &error));
        g_assert_error(error, CCM_ERROR, CCM_ERROR_USAGE);
        if (!strstr(error->message, wrong[i].says))
            g_error("%s: %s", wrong[i].text, error->message);
        g_error_free(error);
        ccm_model_free(m);
        g_remove(path);
    }
}

/* ---- running --------------------------------------------------------------------------------- */

static const struct scenario {
    const char *name;
    void (*make)(world *);
    void (*is)(const world *);
    const char *route, *source; /* whose verdict is compared when the capture is faulty */
} scenarios[] = {
#define FILES "client/file-server", "10.0.0.1"
    { "G1-unlimited", g1, g1_is, FILES },
    { "G2-small-files", g2, g2_is, FILES },
    { "G3-pulse-256-1", g3, g3_is, FILES },
    { "G4-pulse-32-5", g4, g4_is, FILES },
    { "G5-pulse-3-5", g5, g5_is, FILES },
    { "G6-hourly-10", g6, g6_is, FILES },
    { "G7-hourly-50", g7, g7_is, FILES },
    { "G8-hourly-25-slow", g8, g8_is, FILES },
    { "G9-hourly-10-fast", g9, g9_is, FILES },
    { "G10-hourly-50-fast", g10, g10_is, FILES },
    { "G11-hourly-75-slow", g11, g11_is, FILES },
    { "G12-hourly-loss", g12, g12_is, FILES },
    { "G13-pulse-loss", g13, g13_is, FILES },
    { "G14-hourly-mixed-files", g14, g14_is, FILES },
    { "G15-pulse-small-files", g15, g15_is, FILES },
    { "G16-bits-flat", g16, g16_is, "client/dp", "10.0.2.5" },
    { "G17-hourly-100", g17, g17_is, FILES },
    { "G18-hourly-90-slow", g18, g18_is, FILES },
    { "G19-closed", g19, g19_is, FILES },
    { "G20-nothing-to-send", g20, g20_is, FILES },
    { "G21-hours", g21, g21_is, FILES },
    { "G22-high-only", g22, g22_is, FILES },
    { "G23-two-site-servers", g23, g23_is, FILES },
    { "G24-pull", g24, g24_is, "dp/dp", "10.0.0.20" },
    { "G25-parallel", g25, g25_is, FILES },
    { "G26-ledbat", g26, g26_is, "client/dp", "10.0.2.5" },
    { "G27-bits-window", g27, g27_is, "client/dp", "10.0.2.5" },
    { "G28-busy-link", g28, g28_is, FILES },
    { "G29-midfile", g29, g29_is, FILES },
    { "G30-zone", g30, g30_is, FILES },
};

static world world_of(ccm_catalog *c, const struct scenario *s, unsigned fault)
{
    ccm_limits limits;
    world w = { .catalog = c, .fault = fault };

    ccm_limits_init(&limits);
    w.model = ccm_model_new(c, &limits);
    s->make(&w);
    w.view = ccm_view_new(w.model, true);
    return w;
}

/* Every byte is in the sums and in the timelines, once. */
static void check_conservation(const world *w)
{
    uint64_t sums = 0, points = 0;

    for (unsigned i = 0; i < w->view->n_routes; i++) {
        const ccm_view_route *r = &w->view->routes[i];
        sums += r->wire_bytes[0] + r->wire_bytes[1];
        for (unsigned k = 0; k < r->timeline.n; k++)
            points += r->timeline.bytes[0][k] + r->timeline.bytes[1][k];
    }
    g_assert_cmpuint(sums, ==, w->wire);
    g_assert_cmpuint(points, ==, w->wire);
}

static void clean(const void *data)
{
    const struct scenario *s = data;
    world w = world_of(catalog, s, CLEAN);
    s->is(&w);
    check_conservation(&w);
    world_end(&w);
}

static void faulty(const void *data)
{
    static const char *const faults[] = { "clean", "2 % unseen", "1 % twice", "mid-file" };
    const struct scenario *s = data;
    world w = world_of(catalog, s, CLEAN);
    const ccm_view_throttle *a = of(&w, s->route, s->source);

    for (unsigned fault = 1; fault < FAULTS; fault++) {
        world x = world_of(catalog, s, fault);
        const ccm_view_throttle *b = of(&x, s->route, s->source);
        g_test_message("%s, %s: %s (%s)", s->name, faults[fault], b->verdict,
                       ccm_certainty_name(b->certainty));
        if (strcmp(a->verdict, b->verdict))
            g_assert_cmpint(b->certainty, <, a->certainty);
        else if (b->is.percent_high)
            g_assert_true(b->is.percent_low < a->is.percent_high &&
                          a->is.percent_low < b->is.percent_high);
        else if (b->is.block_high)
            BETWEEN(b->is.block_high, (double)a->is.block_high * 0.94,
                    (double)a->is.block_high * 1.06);
        world_end(&x);
    }
    world_end(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    catalog = ccm_catalog_load(NULL, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(scenarios); i++) {
        g_autofree char *a = g_strconcat("/throttle/", scenarios[i].name, NULL);
        g_autofree char *b = g_strconcat("/throttle/faulty/", scenarios[i].name, NULL);
        g_test_add_data_func(a, &scenarios[i], clean);
        g_test_add_data_func(b, &scenarios[i], faulty);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(variants); i++) {
        g_autofree char *name = g_strconcat("/throttle/rules/", variants[i].name, NULL);
        g_test_add_data_func(name, &variants[i], other_rule);
    }
    g_test_add_func("/throttle/site/compliance", compliance);
    g_test_add_func("/throttle/site/pull", pull_is_told);
    g_test_add_func("/throttle/site/zone", zone_is_used);
    g_test_add_func("/throttle/site/errors", site_errors);
    int result = g_test_run();
    ccm_catalog_unref(catalog);
    return result;
}
