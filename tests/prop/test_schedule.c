/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_schedule.c - thirty days of a hundred distribution points: the model's memory does not grow
 * with the length of a capture, and the limit and the hours of each are still told.
 *
 * Each distribution point gets blocks of 256 KiB, a second apart, for an hour a day, a tenth of
 * them each with another block; and a few small files in between, at any time. A quarter of the
 * points, with a quarter of the room, unless CCM_SAMPLE says otherwise. */
#include <malloc.h>
#include <sys/resource.h>

#include "../unit/model_driver.h"
#include "../unit/sample.h"

enum { POINTS = 100, DAYS = 30, BLOCKS = 3000, MAX_MIB = 256 };

#define MONDAY (UINT64_C(1772409600) * SECOND)
#define HOUR (3600 * SECOND)

static uint64_t runs;

static unsigned points(void)
{
    return POINTS / sample_every();
}

static void run(ccm_model *m, uint64_t flow, const ccm_endpoint end[2], uint64_t start,
                uint64_t length, uint64_t bytes)
{
    ccm_obs o = { .kind = CCM_OBS_run, .l4 = 6, .flow = flow, .time_ns = start };

    o.src = end[0];
    o.dst = end[1];
    ccm_obs_flag(&o, CCM_KEY_from_client, true);
    ccm_obs_u64(&o, CCM_KEY_end_ns, start + length);
    ccm_obs_u64(&o, CCM_KEY_packets, bytes / 1448 + 1);
    ccm_obs_u64(&o, CCM_KEY_wire_bytes, bytes + (bytes / 1448 + 1) * 54);
    ccm_obs_u64(&o, CCM_KEY_unique_bytes, bytes);
    ccm_model_observe(m, &o);
    runs++;
}

static void end(ccm_model *m, uint64_t flow, const ccm_endpoint end[2], uint64_t now)
{
    ccm_obs o = { .kind = CCM_OBS_connection, .l4 = 6, .flow = flow, .time_ns = now };

    o.src = end[0];
    o.dst = end[1];
    drv_text(&o, CCM_KEY_state, "established");
    ccm_model_observe(m, &o);
}

static unsigned block_kb(unsigned point)
{
    return 256 - point % 10 * 20;
}

static void day(ccm_model *m, GRand *r, unsigned d, unsigned point)
{
    char text[32];
    g_snprintf(text, sizeof text, "10.1.0.%u:445", point + 1);
    ccm_endpoint ends[2] = { drv_end("10.0.0.1:50000"), drv_end(text) };
    uint64_t flow = (uint64_t)(d * POINTS + point) * 2 + 1;
    uint64_t now = MONDAY + d * 24 * HOUR + (point % 24) * HOUR + SECOND / 7;

    for (unsigned i = 0; i < BLOCKS; i++) {
        run(m, flow, ends, now, SECOND / 50, block_kb(point) * 1024u);
        now += SECOND + SECOND / 50;
    }
    end(m, flow, ends, now);
    now = MONDAY + d * 24 * HOUR + (point % 24 + 5) % 24 * HOUR;
    for (unsigned i = 0; i < 20; i++) {
        now += (uint64_t)g_rand_int_range(r, 1, 90000) * SECOND / 1000;
        run(m, flow + 1, ends, now, SECOND / 100, (uint64_t)g_rand_int_range(r, 600, 400000));
    }
    end(m, flow + 1, ends, now);
}

/* `bursts`: room for points when there are all POINTS; 0 = as by default. */
static void thirty_days(const ccm_catalog *catalog, unsigned bursts, unsigned level)
{
    GRand *r = g_rand_new_with_seed(30);
    size_t half = 0, whole;
    ccm_limits limits;

    ccm_limits_init(&limits);
    if (bursts)
        limits.bursts = bursts * points() / POINTS;
    ccm_model *m = ccm_model_new(catalog, &limits);
    for (unsigned d = 0; d < DAYS; d++) {
        if (d == DAYS / 2)
            half = mallinfo2().uordblks + mallinfo2().hblkhd;
        for (unsigned point = 0; point < points(); point++)
            day(m, r, d, point);
    }
    whole = mallinfo2().uordblks + mallinfo2().hblkhd;
    if (level) /* there is no more room: the second half takes none */
        g_assert_cmpuint(whole, <=, half + half / 4);
    ccm_view *v = ccm_view_new(m, false);
    unsigned seen = 0;
    g_assert_cmpuint(m->paces.level, >=, level);
    for (unsigned i = 0; i < v->n_routes; i++) {
        const ccm_view_throttle *t = v->routes[i].throttle;
        if (!v->routes[i].n_throttle || v->routes[i].destination.b[1] != 1)
            continue;
        unsigned point = v->routes[i].destination.b[3] - 1u;
        g_assert_cmpstr(t->verdict, ==, "pulse");
        g_assert_cmpuint(t->is.delay_high_ns, ==, SECOND);
        g_assert_cmpuint(t->is.block_low, <=, block_kb(point) * 1024);
        g_assert_cmpuint(t->is.block_high, >=, block_kb(point) * 1024);
        for (unsigned w = 0; w < 7; w++)
            g_assert_cmpstr(t->hours[w * 24 + point % 24], ==, "pulse");
        seen++;
    }
    g_assert_cmpuint(seen, ==, points());
    g_assert_cmpuint(v->capture.n_limits_hit, ==, 0);
    ccm_view_free(v);
    struct rusage usage;
    g_assert_cmpint(getrusage(RUSAGE_SELF, &usage), ==, 0);
    g_test_message(
        "%" G_GUINT64_FORMAT " runs, level %u, %u points of bursts; %zu MiB after half, %zu MiB at "
        "the end; %ld MiB resident at most",
        runs, m->paces.level, m->paces.n, half >> 20, whole >> 20, usage.ru_maxrss >> 10);
#ifndef __SANITIZE_ADDRESS__
    g_assert_cmpint(usage.ru_maxrss / 1024, <, MAX_MIB * points() / POINTS);
#endif
    ccm_model_free(m);
    g_rand_free(r);
}

static void whole(const void *catalog)
{
    thirty_days(catalog, 0, 0);
}

/* So little room that only hours of the week are kept: a longer capture ends there, too. */
static void folded(const void *catalog)
{
    thirty_days(catalog, 80000, 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ccm_catalog *catalog = ccm_catalog_load(NULL, NULL);
    g_test_add_data_func("/schedule/thirty-days", catalog, whole);
    g_test_add_data_func("/schedule/folded", catalog, folded);
    int result = g_test_run();
    ccm_catalog_unref(catalog);
    return result;
}
