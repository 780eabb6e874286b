/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_throttle_lies.c - traffic that resembles a limit, or hides one: what is told of it may be
 * little, but nothing that is wrong may be likely or surer. What is true is what the sender did. */
#include <glib/gstdio.h>
#include <math.h>
#include <unistd.h>

#include "../gen/scenarios.h"

static ccm_catalog *catalog;

static gen sender(world *w, double mbit, double rtt)
{
    gen g = gen_of(w, SITE_SERVER, DP, mbit, MONDAY + 10 * HOUR + 17 * SECOND);
    g.rtt = rtt;
    return g;
}

static void blocks(world *w, double mbit, double rtt, unsigned n, uint64_t bytes, double quiet)
{
    gen g = sender(w, mbit, rtt);
    for (unsigned i = 0; i < n; i++) {
        gen_send(&g, bytes);
        gen_wait(&g, quiet);
    }
    done(&g);
}

static const ccm_view_throttle *first(const world *w)
{
    for (unsigned i = 0; i < w->view->n_routes; i++)
        if (w->view->routes[i].n_throttle)
            return w->view->routes[i].throttle;
    g_error("no throttle");
}

/* ---- no limit at all ------------------------------------------------------------------------- */

/* Each write waits for its answer, which comes by a satellite. */
static void satellite(world *w)
{
    blocks(w, 4, 0.6, 300, 65536, 0);
}

static void far_satellite(world *w)
{
    blocks(w, 8, 1.05, 300, 65536, 0);
}

/* Every packet takes a second. */
static void slow_line(world *w)
{
    blocks(w, 0.012, 0.004, 1, 600000, 0);
}

static void silences_of_a_disk(world *w)
{
    blocks(w, 400, 0.001, 40, 64 * MIB, 1.02);
}

static void by_the_clock(world *w)
{
    blocks(w, 100, 0.004, 200, 10240, 1.5);
}

/* Whole files every five seconds: log files, say. */
static void files_by_the_clock(world *w)
{
    gen g = sender(w, 100, 0.004);
    g.files = true;
    for (unsigned i = 0; i < 200; i++) {
        uint64_t start = g.now;
        gen_send(&g, MIB);
        gen_mark(&g, start, MIB, false);
        gen_wait(&g, 5);
    }
    done(&g);
}

/* A client reads 1 MB every five seconds: what it sends is requests. */
static void reader(world *w)
{
    gen up = sender(w, 100, 0.004), down = up;
    down.down = true;
    down.r = g_rand_new_with_seed(1);
    for (unsigned i = 0; i < 200; i++) {
        gen_send(&up, 2000);
        down.now = up.now;
        gen_send(&down, MIB);
        up.now = down.now + 5 * SECOND;
    }
    gen_emit(&down, 0);
    g_rand_free(down.r);
    done(&up);
}

/* A small temporary file goes at an hour; the next job has nothing to do with hours. */
static void other_file_deleted(world *w)
{
    gen g = sender(w, 10, 0.004);
    g.files = true;
    g.now = MONDAY + 7 * HOUR + 20 * 60 * SECOND;
    while (g.now < MONDAY + 8 * HOUR + 30 * SECOND)
        gen_send(&g, MIB);
    gen_mark(&g, g.now, 1000, true);
    done(&g);
    g = sender(w, 10, 0.004);
    g.now = MONDAY + 11 * HOUR + 17 * 60 * SECOND;
    gen_send(&g, 100 * MIB);
    done(&g);
}

static void in_turns(world *w)
{
    gen a = download(w, "10.0.2.5:51000", 20, MONDAY),
        b = download(w, "10.0.2.6:51000", 20, MONDAY);
    for (unsigned i = 0; i < 4; i++) {
        while (a.now < MONDAY + (i * 60 + 30) * SECOND)
            gen_send(&a, 50000);
        b.now = a.now;
        while (b.now < MONDAY + (i * 60 + 60) * SECOND)
            gen_send(&b, 50000);
        a.now = b.now;
    }
    done(&a);
    done(&b);
}

static void no_limit(const world *w)
{
    static const char *const may_be[] = { "no-limit-seen", "unknown", "irregular",
                                          "not-throttleable" };
    for (unsigned i = 0; i < w->view->n_routes; i++)
        for (unsigned k = 0; k < w->view->routes[i].n_throttle; k++) {
            const ccm_view_throttle *t = &w->view->routes[i].throttle[k];
            bool fine = t->certainty <= CCM_CERTAINTY_WEAK;
            for (unsigned j = 0; j < G_N_ELEMENTS(may_be); j++)
                fine |= !strcmp(t->verdict, may_be[j]);
            if (!fine)
                g_error("%s, %s", t->verdict, ccm_certainty_name(t->certainty));
        }
}

/* What may be limited is the line, not an hour: the change is at 10:07. */
static void change_at_seven(world *w)
{
    gen g = download(w, "10.0.2.5:51000", 20, MONDAY + 8 * HOUR + 20 * 60 * SECOND);
    ranges(&g, 0.512, MONDAY + 10 * HOUR + 7 * 60 * SECOND);
    ranges(&g, 4, MONDAY + 11 * HOUR + 20 * 60 * SECOND);
    done(&g);
}

static void no_window(const world *w)
{
    const ccm_view_throttle *t = of(w, "client/dp", "10.0.2.5");
    VERDICT(t, "rate-capped");
    /* 08:30, where the rate is known to be flat, or earlier; until the change, within a minute */
    uint64_t end = 0;
    for (unsigned i = 0; i < t->n_windows; i++)
        if (t->windows[i].is.rate_bps < 600000)
            end = t->windows[i].end_ns;
    BETWEEN((end - MONDAY) / SECOND, 10 * 3600 + 6 * 60, 10 * 3600 + 8 * 60);
}

/* A status message every five seconds: that share is never limited. */
static void inbox(world *w)
{
    w->hidden = true; /* no other share */
    gen g = sender(w, 100, 0.004);
    ccm_obs o = drv_obs(CCM_OBS_smb_tree, g.flow, g.client, g.server, g.now);
    drv_text(&o, CCM_KEY_share, "\\\\SITE\\SMS_ABC");
    ccm_obs_u64(&o, CCM_KEY_nt_status, 0);
    g.obs(g.user, &o);
    o = drv_obs(CCM_OBS_smb_file, g.flow, g.client, g.server, g.now);
    drv_text(&o, CCM_KEY_share, "\\\\SITE\\SMS_ABC");
    drv_text(&o, CCM_KEY_path, "inboxes\\auth\\statesys.box\\incoming\\a.SMX");
    ccm_obs_u64(&o, CCM_KEY_nt_status, 0);
    ccm_obs_u64(&o, CCM_KEY_write_bytes, 1);
    g.obs(g.user, &o);
    for (unsigned i = 0; i < 100; i++) {
        gen_send(&g, 5000);
        gen_wait(&g, 5);
    }
    done(&g);
}

static void never_limited(const world *w)
{
    VERDICT(first(w), "not-throttleable");
}

/* ---- limits that are there ------------------------------------------------------------------- */

/* Silences as long as those between jobs: 297 s, 147 s. */
static void slow_percent(world *w, unsigned percent)
{
    gen_limit l = { .percent = percent, .rule = gen_inferred };
    gen g = sender(w, 3, 0.004);
    g.files = true;
    gen_file(&g, 60 * MIB, &l);
    done(&g);
}

static void one_percent(world *w)
{
    slow_percent(w, 1);
}

static void two_percent(world *w)
{
    slow_percent(w, 2);
}

static void is_one_percent(const world *w)
{
    const ccm_view_throttle *t = dp(w);
    VERDICT(t, "hourly");
    BETWEEN(10, t->is.percent_low, t->is.percent_high);
}

static void is_two_percent(const world *w)
{
    const ccm_view_throttle *t = dp(w);
    VERDICT(t, "hourly");
    BETWEEN(20, t->is.percent_low, t->is.percent_high);
}

static void is_pulse(const world *w, unsigned kb, unsigned s)
{
    const ccm_view_throttle *t = dp(w);
    VERDICT(t, "pulse");
    g_assert_cmpuint(t->is.delay_low_ns, ==, s * SECOND);
    BETWEEN(t->is.block_high, kb * 1024, kb * 1024 * 1.06);
}

/* 300 ms to the server and back: a silence is a second of delay, and the way of the answer. */
static void far_pulse(world *w)
{
    blocks(w, 10, 0.3, 60, 256 * 1024, 1);
}

static void is_far_pulse(const world *w)
{
    is_pulse(w, 256, 1);
}

static void slow_pulse(world *w)
{
    blocks(w, 0.02, 0.004, 60, 8192, 5);
}

static void is_slow_pulse(const world *w)
{
    is_pulse(w, 8, 5);
}

/* Who knows what server that is. */
static void unseen_share(world *w)
{
    w->hidden = true;
    blocks(w, 100, 0.004, 60, 256 * 1024, 1);
}

static void is_likely(const world *w)
{
    is_pulse(w, 256, 1);
    g_assert_cmpint(dp(w)->certainty, ==, CCM_CERTAINTY_LIKELY);
    g_assert_cmpint(dp(w)->windows[0].certainty, ==, CCM_CERTAINTY_LIKELY);
    g_assert_true(noted(dp(w), "the share was not seen"));
}

/* In the middle of each delay something is asked about the file. */
static void pulse_and_control(world *w)
{
    gen g = sender(w, 50, 0.004);
    for (unsigned i = 0; i < 100; i++) {
        gen_send(&g, 128 * 1024);
        gen_wait(&g, 1);
        gen_send(&g, 800);
        gen_wait(&g, 1);
    }
    done(&g);
}

static void is_pulse_of_two(const world *w)
{
    is_pulse(w, 128, 2);
}

/* 256 KiB over four connections: no quarter of it is the block for sure. */
static void multichannel(world *w)
{
    static const char *const clients[] = { "10.0.0.1:50000", "10.0.0.1:50001", "10.0.0.1:50002",
                                           "10.0.0.1:50003" };
    for (unsigned c = 0; c < 4; c++) {
        gen g = gen_of(w, clients[c], DP, 50, MONDAY + c * SECOND / 50);
        for (unsigned i = 0; i < 100; i++) {
            gen_send(&g, 65536);
            gen_wait(&g, 1);
        }
        done(&g);
    }
}

static void is_not_a_quarter(const world *w)
{
    const ccm_view_throttle *t = dp(w);
    g_assert_true(t->certainty <= CCM_CERTAINTY_WEAK || t->is.block_high >= 256 * 1024);
    g_assert_true(noted(t, "several connections"));
}

/* Whoever captures sets the clock back by an hour. */
static void clock_set_back(world *w)
{
    gen g = sender(w, 50, 0.004);
    for (unsigned i = 0; i < 400; i++) {
        gen_send(&g, 262144);
        gen_wait(&g, 1);
        if (i == 200)
            g.now -= HOUR;
    }
    done(&g);
}

/* The administrator changes the block at 10:22. */
static void change_of_pulse(world *w)
{
    gen g = sender(w, 50, 0.004);
    g.now = MONDAY + 9 * HOUR + 20 * 60 * SECOND;
    while (g.now < MONDAY + 11 * HOUR + 40 * 60 * SECOND) {
        bool early = g.now < MONDAY + 10 * HOUR + 22 * 60 * SECOND;
        gen_send(&g, early ? 262144 : 65536);
        gen_wait(&g, early ? 1 : 5);
    }
    done(&g);
}

static void is_change_of_pulse(const world *w)
{
    const ccm_view_throttle *t = dp(w);
    g_assert_cmpuint(t->n_windows, ==, 2);
    BETWEEN((t->windows[0].end_ns - MONDAY) / SECOND, 10 * 3600 + 21 * 60, 10 * 3600 + 23 * 60);
    BETWEEN((t->windows[1].start_ns - MONDAY) / SECOND, 10 * 3600 + 21 * 60, 10 * 3600 + 23 * 60);
}

/* ---- what is configured ---------------------------------------------------------------------- */

#define AT "[dp DP01]\naddress=10.0.0.9\n"

/* A file of one block every two minutes. */
static void a_block_now_and_then(world *w)
{
    blocks(w, 100, 0.004, 60, 60000, 120);
}

/* A weekend of control traffic: 10 KB a minute. */
static void control_traffic(world *w)
{
    blocks(w, 100, 0.004, 60 * 24, 10000, 60);
}

static void is_kept(const world *w)
{
    g_assert_true(dp(w)->compared);
    g_assert_cmpuint(dp(w)->n_deviations, ==, 0);
}

/* Two hours of it at 2 Mbit/s are another thing. */
static void bulk_in_closed_hours(world *w)
{
    blocks(w, 2, 0.004, 1, 1700 * MIB, 0);
}

static void is_broken(const world *w)
{
    g_assert_cmpuint(dp(w)->n_deviations, ==, 1);
    g_assert_cmpstr(dp(w)->deviations[0].rule, ==, "closed");
    /* in hours that the data touches; 10:00:17 on */
    g_assert_cmpuint(dp(w)->deviations[0].start_ns, ==, MONDAY + 10 * HOUR);
}

/* Data that was sent in vain is not told like any other. */
static void disk_full(world *w)
{
    gen g = sender(w, 10, 0.004);
    gen_send(&g, 100000);
    ccm_obs o = drv_obs(CCM_OBS_smb_file, g.flow, g.client, g.server, g.now);
    drv_text(&o, CCM_KEY_share, "\\\\DP\\SMS_DP$");
    drv_text(&o, CCM_KEY_path, "x.temp");
    ccm_obs_u64(&o, CCM_KEY_nt_status, 0);
    ccm_obs_u64(&o, CCM_KEY_write_bytes, 100000);
    ccm_obs_u64(&o, CCM_KEY_transfer_status, 0xc000007f);
    drv_text(&o, CCM_KEY_transfer_status_name, "STATUS_DISK_FULL");
    g.obs(g.user, &o);
    done(&g);
}

static void is_disk_full(const world *w)
{
    g_assert_cmpuint(w->view->n_smb, ==, 1);
    g_assert_cmpstr(w->view->smb[0].files[0].status, ==, "STATUS_DISK_FULL");
}

/* Many small files: most blocks are the first of a file, of 64 KiB, and not the usual ones. */
static void small_files(world *w)
{
    gen_limit l = { .percent = 25, .rule = gen_inferred, .gap_low = 0.05, .gap_high = 0.25 };
    gen g = sender(w, 10, 0.004);
    g.files = true;
    for (unsigned i = 0; i < 60; i++)
        gen_file(&g, i % 4 ? 100000 : i % 8 ? 3 * MIB : 5 * MIB, &l);
    done(&g);
}

static void is_whole_block(const world *w)
{
    const ccm_view_throttle *t = is_hourly(w, 25);
    BETWEEN(t->is.block_high, MIB, MIB * 1.06);
}

/* A download without a pause, whose rate changes at 21:52. */
static void change_without_pause(world *w)
{
    gen g = download(w, "10.0.2.5:51000", 2, MONDAY + 20 * HOUR + 700 * SECOND);
    while (g.now < MONDAY + 23 * HOUR) {
        g.link = (g.now < MONDAY + 21 * HOUR + 52 * 60 * SECOND ? 2 : 6) * MBIT;
        gen_send(&g, MIB);
    }
    done(&g);
}

static void is_change_without_pause(const world *w)
{
    const ccm_view_throttle *t = of(w, "client/dp", "10.0.2.5");
    g_assert_cmpstr(t->verdict, !=, "bits-window");
    BETWEEN((t->windows[0].end_ns - MONDAY) / SECOND, 21 * 3600 + 51 * 60, 21 * 3600 + 53 * 60);
    BETWEEN((t->windows[1].start_ns - MONDAY) / SECOND, 21 * 3600 + 51 * 60, 21 * 3600 + 53 * 60);
}

static const struct scenario {
    const char *name;
    void (*make)(world *);
    void (*is)(const world *);
    const char *site;
} scenarios[] = {
    { "satellite", satellite, no_limit, NULL },
    { "far-satellite", far_satellite, no_limit, NULL },
    { "slow-line", slow_line, no_limit, NULL },
    { "disk", silences_of_a_disk, no_limit, NULL },
    { "by-the-clock", by_the_clock, no_limit, NULL },
    { "files-by-the-clock", files_by_the_clock, no_limit, NULL },
    { "reader", reader, no_limit, NULL },
    { "other-file-deleted", other_file_deleted, no_limit, NULL },
    { "in-turns", in_turns, no_limit, NULL },
    { "change-at-10:07", change_at_seven, no_window, NULL },
    { "inbox", inbox, never_limited, NULL },
    { "one-percent", one_percent, is_one_percent, NULL },
    { "two-percent", two_percent, is_two_percent, NULL },
    { "far-pulse", far_pulse, is_far_pulse, NULL },
    { "clock-set-back", clock_set_back, is_far_pulse, NULL },
    { "slow-pulse", slow_pulse, is_slow_pulse, NULL },
    { "unseen-share", unseen_share, is_likely, NULL },
    { "pulse-and-control", pulse_and_control, is_pulse_of_two, NULL },
    { "multichannel", multichannel, is_not_a_quarter, NULL },
    { "change-of-pulse", change_of_pulse, is_change_of_pulse, NULL },
    { "small-files", small_files, is_whole_block, NULL },
    { "change-without-pause", change_without_pause, is_change_without_pause, NULL },
    { "disk-full", disk_full, is_disk_full, NULL },
    { "a-block-now-and-then", a_block_now_and_then, is_kept,
      AT "mode=pulse\nblock_kb=64\ndelay_s=5\n" },
    { "control-traffic", control_traffic, is_kept, AT "schedule=daily 00-24 closed\n" },
    { "bulk-in-closed-hours", bulk_in_closed_hours, is_broken, AT "schedule=daily 00-24 closed\n" },
};

/* Packages of small and of large files, seen or not, at all percentages and links: the percentage
 * is in the interval, wherever that is likely; and no other limit is. */
static void all_percentages(void)
{
    static const unsigned percents[] = { 5, 10, 25, 50, 75 };
    static const double links[] = { 1, 3, 10, 100 },
                        sizes[][2] = { { 4, 6.6 }, { 5, 5.9 }, { 6, 7.3 } };

    for (unsigned i = 0; i < 5 * 4 * 3 * 2; i++) {
        unsigned percent = percents[i % 5];
        const double *size = sizes[i / 20 % 3];
        gen_limit l = {
            .percent = percent, .rule = gen_inferred, .gap_low = 0.05, .gap_high = 0.25
        };
        ccm_limits limits;
        world w = { .catalog = catalog };

        ccm_limits_init(&limits);
        w.model = ccm_model_new(catalog, &limits);
        gen g = sender(&w, links[i / 5 % 4], 0.004);
        g.files = i / 60;
        for (uint64_t sent = 0; sent < 30 * MIB; sent = g.sent)
            gen_file(&g, (uint64_t)pow(10, g_rand_double_range(g.r, size[0], size[1])), &l);
        done(&g);
        w.view = ccm_view_new(w.model, true);
        const ccm_view_throttle *t = dp(&w);
        bool in = t->is.percent_low <= percent * 10 + 1 && t->is.percent_high + 1 >= percent * 10;
        g_test_message("%u: %s, %s, %u to %u", i, t->verdict, ccm_certainty_name(t->certainty),
                       t->is.percent_low, t->is.percent_high);
        g_assert_true(t->certainty <= CCM_CERTAINTY_WEAK || !strcmp(t->verdict, "no-limit-seen") ||
                      !strcmp(t->verdict, "irregular") || (!strcmp(t->verdict, "hourly") && in));
        world_end(&w);
    }
}

static void add_site(ccm_model *m, const char *text)
{
    char path[] = "/tmp/ccm-site-XXXXXX";
    GError *error = NULL;

    if (!text)
        return;
    close(g_mkstemp(path));
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    ccm_model_add_site(m, path, &error);
    g_assert_no_error(error);
    g_remove(path);
}

static void run(const void *data)
{
    const struct scenario *s = data;
    ccm_limits limits;
    world w = { .catalog = catalog };

    ccm_limits_init(&limits);
    w.model = ccm_model_new(catalog, &limits);
    add_site(w.model, s->site);
    s->make(&w);
    w.view = ccm_view_new(w.model, true);
    s->is(&w);
    world_end(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    catalog = ccm_catalog_load(NULL, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(scenarios); i++) {
        g_autofree char *name = g_strconcat("/throttle/lies/", scenarios[i].name, NULL);
        g_test_add_data_func(name, &scenarios[i], run);
    }
    g_test_add_func("/throttle/lies/all-percentages", all_percentages);
    int result = g_test_run();
    ccm_catalog_unref(catalog);
    return result;
}
