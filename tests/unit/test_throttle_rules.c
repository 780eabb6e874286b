/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_throttle_rules.c - hourly limits of other rules than the inferred one, and what is
 * configured: the site file, its errors, and where traffic differs from it. What is expected is
 * what the sender did. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "../gen/scenarios.h"

static ccm_catalog *catalog;

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

/* What is no part of the blocks: the ACK of the answer, up to 200 ms after the data; what opens the
 * connection, in one burst with the first block. */
static void around_blocks(void)
{
    gen_limit pulse3 = { .block_kb = 3, .delay_s = 5 },
              pulse256 = { .block_kb = 256, .delay_s = 1 };
    gen_limit quarter = { .percent = 25, .rule = { 0, 327680, 0, 1, GEN_EXACT, 1 } };
    const gen_limit *limits_of[] = { &pulse3, &pulse256, &quarter };

    for (unsigned i = 0; i < G_N_ELEMENTS(limits_of); i++) {
        const gen_limit *l = limits_of[i];
        ccm_limits limits;
        world w = { .catalog = catalog };
        ccm_limits_init(&limits);
        w.model = ccm_model_new(catalog, &limits);
        gen g = gen_of(&w, SITE_SERVER, DP, l->percent ? 2.2 : 100, MONDAY + 10 * HOUR + SECOND);
        g.ack = 0.2;
        gen_send(&g, 1500);
        gen_file(&g, l->percent ? 20 * 327680 : l->block_kb * 25600, l);
        done(&g);
        w.view = ccm_view_new(w.model, true);
        if (l->percent) {
            const ccm_view_throttle *t = is_hourly(&w, l->percent);
            BETWEEN(t->is.percent_high - t->is.percent_low, 0, 20);
        } else {
            const ccm_view_throttle *t = dp(&w);
            VERDICT(t, "pulse");
            g_assert_true(noted(t, "an hourly limit with blocks of 256 KiB or less"));
            BETWEEN(t->is.block_high, l->block_kb * 1024 * 0.94, l->block_kb * 1024 * 1.06);
            g_assert_cmpuint(t->is.delay_high_ns, ==, l->delay_s * SECOND);
        }
        world_end(&w);
    }
}

/* A limited route has one connection (throttling.md 2); three that take turns have no limit. */
static void in_turns(void)
{
    ccm_limits limits;
    world w = { .catalog = catalog };

    ccm_limits_init(&limits);
    w.model = ccm_model_new(catalog, &limits);
    for (unsigned i = 0; i < 3; i++) {
        g_autofree char *client = g_strdup_printf("10.0.0.1:%u", 50000 + i);
        gen g = gen_of(&w, client, DP, 2, MONDAY + 10 * HOUR + SECOND);
        gen_wait(&g, 0.3 * i);
        for (unsigned k = 0; k < 60; k++) {
            gen_send(&g, 65536);
            gen_wait(&g, 0.7);
        }
        done(&g);
    }
    w.view = ccm_view_new(w.model, true);
    const ccm_view_throttle *t = dp(&w);
    VERDICT(t, "no-limit-seen");
    g_assert_true(noted(t, "several connections"));
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

/* 60 MB of a package at noon. */
static void at_noon(world *w)
{
    gen g = gen_of(w, SITE_SERVER, DP, 20, MONDAY + 12 * HOUR + 9 * SECOND);

    g.files = true;
    g.path = "0f3c-ABC00012.1.temp";
    gen_file(&g, 60 * MIB, &gen_free_limit);
    done(&g);
}

static void priorities(void)
{
    compare(at_noon, AT "schedule=daily 08-18 high\n[package ABC00012]\npriority=high\n", NULL);
    compare(at_noon, AT "schedule=daily 08-18 high\n[package ABC00012]\npriority=medium\n",
            "priority");
    compare(at_noon, AT "schedule=daily 08-18 high\n[package ABC00012]\npriority=low\n",
            "priority");
    compare(at_noon, AT "schedule=daily 08-18 medium\n[package ABC00012]\npriority=medium\n", NULL);
    compare(at_noon, AT "schedule=daily 08-18 medium\n[package ABC00012]\npriority=low\n",
            "priority");
    /* medium, when others are listed */
    compare(at_noon, AT "schedule=daily 08-18 high\n[package ABC00099]\npriority=high\n",
            "priority");
    compare(at_noon, AT "schedule=daily 08-18 high\n", "priority-unknown");
    compare(at_noon, AT "schedule=daily 13-18 high; tue 12-13 high\n", NULL);
    /* its 25 s are within the two minutes that a change of the level may take */
    compare(at_noon, AT "schedule=daily 12-18 high\n", NULL);
    compare(at_noon, AT "schedule=daily 12-18 closed\n", NULL);
}

/* Two clients: 512 kbit/s from 09 to 17 UTC, 4 Mbit/s before and after (g27). */
static void policy(const char *text, const char *rule, bool compared)
{
    world w;

    with_site(&w, g27, text);
    for (unsigned i = 0; i < 2; i++) {
        const ccm_view_throttle *t = of(&w, "client/dp", i ? "10.0.2.6" : "10.0.2.5");
        g_assert_cmpint(t->compared, ==, compared);
        if (rule)
            g_assert_true(deviates(t, rule));
        else
            g_assert_cmpuint(t->n_deviations, ==, 0);
    }
    world_end(&w);
}

#define NET "[bits A]\nclients=10.0.2.0/29\n"

static void background(void)
{
    policy(NET "window=09-17\nrate_kbps=512\n", NULL, true);
    policy(NET "window=09-17\nrate_kbps=256\n", "bits-rate", true);
    policy(NET "window=08-17\nrate_kbps=512\n", "bits-rate", true);
    policy(NET "window=09-17\nrate_kbps=512\noutside_kbps=1000\n", "bits-rate", true);
    policy(NET "window=09-17\nrate_kbps=512\noutside_kbps=4000\n", NULL, true);
    policy(NET "window=09-17\nrate_kbps=0\n", "bits-closed", true);
    policy(NET "window=00-00\nrate_kbps=512\n", "bits-rate", true);
    policy(NET "time_zone=+01:00\nwindow=10-18\nrate_kbps=512\n", NULL, true);
    policy("[bits A]\nclients=10.0.2.8/29, 10.0.3.5\nrate_kbps=1\n", NULL, false);
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
        { "[package ABC00012]\npriority=urgent\n", "high, medium or low" },
        { "[bits A]\nrate_kbps=5\n", "clients" },
        { "[bits A]\nclients=10.0.0.0/33\n", "10.0.0.0/24" },
        { NET, "rate_kbps" },
        { NET "rate_kbps=fast\n", "kilobits" },
        { NET "window=9\n", "09-17" },
        { NET "rate=5\n", "unknown key" },
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    catalog = ccm_catalog_load(NULL, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(variants); i++) {
        g_autofree char *name = g_strconcat("/throttle/rules/", variants[i].name, NULL);
        g_test_add_data_func(name, &variants[i], other_rule);
    }
    g_test_add_func("/throttle/rules/around-blocks", around_blocks);
    g_test_add_func("/throttle/rules/in-turns", in_turns);
    g_test_add_func("/throttle/site/compliance", compliance);
    g_test_add_func("/throttle/site/priorities", priorities);
    g_test_add_func("/throttle/site/background", background);
    g_test_add_func("/throttle/site/pull", pull_is_told);
    g_test_add_func("/throttle/site/zone", zone_is_used);
    g_test_add_func("/throttle/site/errors", site_errors);
    int result = g_test_run();
    ccm_catalog_unref(catalog);
    return result;
}
