/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_pair_others.c - what shares an end with a pair, against a look at every point. */
#include "model/model.h"
#include "model/view_pairs.h"

enum { ADDRS = 7, EDGES = 60, POINTS = 400, SECONDS = 20, FIRST = 1000 };

static ccm_addr addr_of(unsigned i)
{
    return (ccm_addr){ .family = 4, .b = { 10, 0, 0, (uint8_t)(1 + i) } };
}

static bool touches(const ccm_edge_key *e, const ccm_addr *a)
{
    return ccm_addr_eq(&e->client, a) || ccm_addr_eq(&e->server, a);
}

/* Some hosts are not in the model's table, some edges lead from a host to itself. */
static ccm_model *random_model(GRand *r)
{
    ccm_catalog *c = ccm_catalog_load(NULL, NULL);
    ccm_limits limits;

    ccm_limits_init(&limits);
    ccm_model *m = ccm_model_new(c, &limits);
    ccm_catalog_unref(c);
    for (unsigned i = 0; i < ADDRS - 2; i++) {
        ccm_addr a = addr_of(i);
        ccm_host_get(m, &a);
    }
    for (unsigned i = 0; i < EDGES; i++)
        ccm_edge_get(m, &(ccm_edge_key){ .client = addr_of(g_rand_int_range(r, 0, ADDRS)),
                                         .server = addr_of(g_rand_int_range(r, 0, ADDRS)),
                                         .port = (uint16_t)g_rand_int_range(r, 80, 83),
                                         .route = -1,
                                         .l4 = 6 });
    for (unsigned i = 0; i < POINTS; i++) {
        uint64_t bytes[2] = { (uint64_t)g_rand_int_range(r, 1, 1000), 1 };
        ccm_points_add(m, (uint32_t)g_rand_int_range(r, 0, (int)m->n_edges),
                       FIRST + (uint64_t)g_rand_int_range(r, 0, SECONDS), bytes, 1);
    }
    ccm_model_catch_up(m);
    return m;
}

static void check(ccm_pairs *s, const pace_pair *p)
{
    const ccm_model *m = s->k->m;
    uint64_t want[SECONDS] = { 0 }, got[SECONDS] = { 0 };
    unsigned points = 0, n;

    for (uint32_t i = 0; i <= m->timeline.mask; i++) {
        const ccm_point *t = &m->timeline.v[i];
        if (!t->key || s->pair_of[ccm_point_edge(t)] == (uint32_t)(p - s->v))
            continue;
        const ccm_edge_key *key = &ccm_edge_at(m, ccm_point_edge(t))->key;
        if (!touches(key, &p->client) && !touches(key, &p->server))
            continue;
        want[ccm_point_bucket(t) - FIRST] += t->bytes[0] + t->bytes[1];
        points++;
    }
    pair_bucket *others = ccm_pair_others_of(s, p, &n);
    for (unsigned i = 0; i < n; i++)
        got[others[i].second - FIRST] += others[i].bytes[0] + others[i].bytes[1];
    g_free(others);
    g_assert_cmpuint(n, ==, points);
    g_assert_cmpmem(got, sizeof got, want, sizeof want);
}

static void test_random(void)
{
    GRand *r = g_rand_new_with_seed(7);

    for (unsigned round = 0; round < 50; round++) {
        ccm_model *m = random_model(r);
        view_maker k = { .m = m };
        pace_pair pairs[ADDRS * ADDRS] = { 0 };
        ccm_pairs s = { .k = &k, .v = pairs, .n = G_N_ELEMENTS(pairs) };

        s.pair_of = g_new(uint32_t, m->n_edges);
        for (uint32_t e = 0; e < m->n_edges; e++)
            s.pair_of[e] =
                g_rand_boolean(r) ? CCM_NONE : (uint32_t)g_rand_int_range(r, 0, (int)s.n);
        for (unsigned i = 0; i < s.n; i++) {
            pairs[i].client = addr_of(i / ADDRS);
            pairs[i].server = addr_of(i % ADDRS);
            check(&s, &pairs[i]);
        }
        ccm_pair_others_free(s.others);
        g_free(s.pair_of);
        ccm_model_free(m);
    }
    g_rand_free(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pair-others/random", test_random);
    return g_test_run();
}
