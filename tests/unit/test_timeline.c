/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_timeline.c - the table of bytes over time against a plain grid of edges and seconds.
 * In: additions in no order. Out: TAP. State: none. */
#include "model/model.h"

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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/timeline/in-place", in_place);
    return g_test_run();
}
