/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_timeline.c - the table of bytes over time against a plain grid of edges and seconds; times
 * as messages write them. In: additions in no order. Out: TAP. State: none. */
#include "model/model.h"
#include "model/proofs.h"

enum { GRID_EDGES = 300, GRID_SECONDS = 1000 };

/* Every point of the table is the sum of its cells of the grid, and none is missing. */
static void check_grid(const ccm_timeline *t, const uint64_t *cell)
{
    unsigned interval = ccm_timeline_interval(t->level), n = 0;

    for (uint32_t i = 0; i <= t->mask; i++) {
        const ccm_point *p = &t->v[i];
        if (!p->key)
            continue;
        const uint64_t *row = cell + (size_t)ccm_point_edge(p) * GRID_SECONDS;
        uint64_t sum = 0;
        for (uint64_t s = ccm_point_bucket(p) * interval;
             s < (ccm_point_bucket(p) + 1) * interval && s < GRID_SECONDS; s++)
            sum += row[s];
        g_assert_cmpuint(p->bytes[0], ==, sum);
        g_assert_cmpuint(p->bytes[1], ==, 2 * sum);
        n++;
    }
    g_assert_cmpuint(n, ==, GRID_EDGES * ((GRID_SECONDS + interval - 1) / interval));
    g_assert_cmpuint(n, ==, t->n);
}

/* A table that moves to larger memory several times, then coarsens to the end of the ladder in
 * place; after each step every point is found again. */
static void in_place(void)
{
    uint64_t *cell = g_new0(uint64_t, (size_t)GRID_EDGES * GRID_SECONDS);
    unsigned max = GRID_EDGES * GRID_SECONDS;
    ccm_timeline t;

    ccm_timeline_init(&t);
    for (unsigned level = 0; level < CCM_LADDER; level++) {
        for (unsigned i = 0; i < max; i++) {
            unsigned at = (unsigned)((uint64_t)i * 7919 % max); /* each once, in no order */
            uint64_t bytes[2] = { at % 1000 + 1, 2 * (at % 1000 + 1) };
            ccm_timeline_add(&t, at / GRID_SECONDS, at % GRID_SECONDS, bytes, 1, max);
            cell[at] += bytes[0];
        }
        ccm_timeline_settle(&t, max);
        g_assert_cmpuint(t.level, ==, level);
        check_grid(&t, cell);
        if (level + 1 < CCM_LADDER) {
            ccm_timeline_coarsen(&t);
            check_grid(&t, cell);
        }
    }
    ccm_timeline_clear(&t);
    g_free(cell);
}

/* What messages say of when they were sent. */
static void times(void)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1 = not a time */
    } rows[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "2000-02-29T23:59:59Z", 951868799 }, /* date -d */
        { "2025-03-04T05:06:07Z", 1741064767 },
        { "2025-03-04T05:06:07.250Z", 1741064767 },
        { "2025-03-04T05:06:07", -1 },
        { "2025-13-04T05:06:07Z", -1 },
        { "2025-03-04 05:06:07Z", -1 },
        { "0000-00-00T00:00:00Z", -1 },
        { "", -1 },
        { "Z", -1 },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        int64_t seconds = -1;
        g_assert_cmpint(ccm_parse_time(ccm_span_str(rows[i].text), &seconds), ==,
                        rows[i].seconds >= 0);
        g_assert_cmpint(seconds, ==, rows[i].seconds);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/timeline/in-place", in_place);
    g_test_add_func("/timeline/times", times);
    return g_test_run();
}
