/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_account.c - sequence accounting, runs and connection states; expected values by hand. */
#include "account/account.h"

static void check_missing(const ccm_seq *s, uint64_t missing, uint64_t gaps)
{
    uint64_t n;

    g_assert_cmpuint(ccm_seq_missing(s, &n), ==, missing);
    g_assert_cmpuint(n, ==, gaps);
}

static void test_in_order(void)
{
    ccm_seq s = { 0 };
    uint64_t off;

    ccm_seq_begin(&s, 1001);
    g_assert_cmpuint(ccm_seq_cover(&s, 1000, 1, &off), ==, 1); /* SYN */
    g_assert_cmpuint(off, ==, CCM_SEQ_ZERO - 1);
    g_assert_cmpuint(ccm_seq_data(&s, 1001, 100, &off), ==, 100);
    g_assert_cmpuint(off, ==, CCM_SEQ_ZERO);
    g_assert_cmpuint(ccm_seq_data(&s, 1101, 50, &off), ==, 50);
    g_assert_cmpuint(off, ==, CCM_SEQ_ZERO + 100);
    g_assert_cmpuint(ccm_seq_data(&s, 1150, 1, &off), ==, 0);    /* keep-alive */
    g_assert_cmpuint(ccm_seq_data(&s, 1100, 100, &off), ==, 49); /* 1151..1199 are new */
    check_missing(&s, 0, 0);
    g_assert_null(s.holes);
    ccm_seq_clear(&s);
}

static void test_holes(void)
{
    ccm_seq s = { 0 };
    uint64_t off;

    ccm_seq_begin(&s, 0);
    ccm_seq_data(&s, 100, 100, &off); /* 0-99 missing */
    check_missing(&s, 100, 1);
    ccm_seq_data(&s, 300, 100, &off); /* and 200-299 */
    check_missing(&s, 200, 2);
    g_assert_cmpuint(ccm_seq_data(&s, 240, 20, &off), ==, 20); /* 200-239, 260-299 */
    check_missing(&s, 180, 3);
    g_assert_cmpuint(ccm_seq_data(&s, 150, 200, &off), ==, 80); /* fills both */
    check_missing(&s, 100, 1);
    g_assert_cmpuint(ccm_seq_data(&s, 50, 500, &off), ==, 200); /* 50-99, 400-549 */
    check_missing(&s, 50, 1);
    g_assert_cmpuint(ccm_seq_data(&s, 0, 50, &off), ==, 50);
    check_missing(&s, 0, 0);
    g_assert_cmpuint(ccm_seq_data(&s, 0, 550, &off), ==, 0);
    ccm_seq_clear(&s);
}

/* RFC 7323, 2.3: no window exceeds 2^30. */
static void test_far(void)
{
    ccm_seq s = { 0 };
    uint64_t off;

    ccm_seq_begin(&s, 0);
    ccm_seq_data(&s, 0, 100, &off);
    g_assert_cmpuint(ccm_seq_data(&s, 100 + (1u << 30) + 1, 7, &off), ==, 7);
    g_assert_cmpuint(off, ==, 0);
    g_assert_true(ccm_seq_far_on(&s, 100 + (1u << 30) + 8, 10));
    g_assert_true(ccm_seq_far_on(&s, 100 + (1u << 30) + 17, 10));
    g_assert_false(ccm_seq_far_on(&s, 100 + (1u << 30) + 18, 10));
    g_assert_false(ccm_seq_far_on(&s, 100 + (1u << 30) + 7, 10));
    g_assert_cmpuint(ccm_seq_data(&s, 99 - (1u << 30), 7, &off), ==, 7); /* far back */
    g_assert_cmpuint(off, ==, 0);
    check_missing(&s, 0, 0);
    g_assert_cmpuint(ccm_seq_data(&s, 100, 5, &off), ==, 5);
    g_assert_cmpuint(off, ==, CCM_SEQ_ZERO + 100);
    g_assert_cmpuint(ccm_seq_data(&s, 105 + (1u << 30), 7, &off), ==, 7); /* just not too far */
    g_assert_cmpuint(off, ==, CCM_SEQ_ZERO + 105 + (1u << 30));
    check_missing(&s, 1u << 30, 1);
    ccm_seq_clear(&s);
}

static void test_wrap(void)
{
    ccm_seq s = { 0 };
    uint64_t off, total = 0;
    uint32_t seq = 0xffffff00;

    ccm_seq_begin(&s, seq);
    for (int i = 0; i < 6000; i++) { /* 6000 MiB: the numbers wrap once and again */
        total += ccm_seq_data(&s, seq, 1u << 20, &off);
        g_assert_cmpuint(off, ==, CCM_SEQ_ZERO + ((uint64_t)i << 20));
        seq += 1u << 20;
    }
    g_assert_cmpuint(total, ==, UINT64_C(6000) << 20);
    g_assert_cmpuint(ccm_seq_data(&s, seq - 10, 20, &off), ==, 10);
    check_missing(&s, 0, 0);
    /* a hole that lies across the wrap */
    ccm_seq t = { 0 };
    ccm_seq_begin(&t, 0xfffffff0);
    ccm_seq_data(&t, 0x10, 16, &off);
    check_missing(&t, 32, 1);
    g_assert_cmpuint(off, ==, CCM_SEQ_ZERO + 32);
    g_assert_cmpuint(ccm_seq_data(&t, 0xfffffff0, 32, &off), ==, 32);
    check_missing(&t, 0, 0);
    ccm_seq_clear(&s);
    ccm_seq_clear(&t);
}

static void test_midstream(void)
{
    ccm_seq s = { 0 };
    uint64_t off;

    g_assert_cmpuint(ccm_seq_data(&s, 5000, 100, &off), ==, 100);
    g_assert_cmpuint(off, ==, CCM_SEQ_ZERO);
    g_assert_cmpuint(ccm_seq_data(&s, 4900, 100, &off), ==, 100); /* reordered at the start */
    g_assert_cmpuint(off, ==, CCM_SEQ_ZERO - 100);
    check_missing(&s, 0, 0);
    g_assert_cmpuint(ccm_seq_data(&s, 4000, 100, &off), ==, 100);
    check_missing(&s, 800, 1);
    g_assert_cmpuint(ccm_seq_data(&s, 3950, 1200, &off), ==, 900); /* 3950-5149 */
    check_missing(&s, 0, 0);
    ccm_seq_clear(&s);
}

/* The 65th hole pushes out the oldest, whose bytes stay missing even when they come later. */
static void test_hole_bound(void)
{
    ccm_seq s = { 0 };
    uint64_t off;

    ccm_seq_begin(&s, 0);
    for (uint32_t i = 0; i < 70; i++)
        ccm_seq_data(&s, i * 20 + 10, 10, &off);
    check_missing(&s, 700, 70);
    g_assert_cmpuint(s.holes->n, ==, CCM_SEQ_HOLES);
    g_assert_cmpuint(ccm_seq_data(&s, 0, 10, &off), ==, 0);     /* the first hole: forgotten */
    g_assert_cmpuint(ccm_seq_data(&s, 1380, 10, &off), ==, 10); /* the last one: known */
    check_missing(&s, 690, 69);
    ccm_seq_clear(&s);
}

/* Against a bit for each number. */
static void test_random(void)
{
    for (uint32_t round = 0; round < 300; round++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(round);
        uint8_t seen[400] = { 0 };
        uint32_t base = g_rand_int(rand);
        ccm_seq s = { 0 };
        uint64_t off;
        ccm_seq_begin(&s, base);
        uint32_t high = 0;
        for (int i = 0; i < 40; i++) {
            uint32_t a = (uint32_t)g_rand_int_range(rand, 0, 380);
            uint32_t n = (uint32_t)g_rand_int_range(rand, 0, 20), fresh = 0;
            for (uint32_t j = a; j < a + n; j++) {
                fresh += !seen[j];
                seen[j] = 1;
            }
            if (n && a + n > high)
                high = a + n;
            g_assert_cmpuint(ccm_seq_data(&s, base + a, n, &off), ==, fresh);
            g_assert_cmpuint(off, ==, CCM_SEQ_ZERO + a);
        }
        uint32_t missing = 0, gaps = 0;
        for (uint32_t j = 0; j < high; j++) {
            missing += !seen[j];
            gaps += !seen[j] && (j == 0 || seen[j - 1]);
        }
        check_missing(&s, missing, gaps);
        ccm_seq_clear(&s);
    }
}

static void test_runs(void)
{
    uint64_t s = 1700000000 * CCM_NS_PER_S;
    ccm_run run = { 0 };
    ccm_run_part p = { .time_ns = s, .frame = 7, .packets = 1, .wire_bytes = 100 };

    g_assert_false(ccm_run_over(&run, &p));
    ccm_run_add(&run, &p);
    p.time_ns = s + CCM_RUN_SILENCE_NS; /* exactly 250 ms is not yet silence */
    g_assert_false(ccm_run_over(&run, &p));
    ccm_run_add(&run, &p);
    p.time_ns += CCM_RUN_SILENCE_NS + 1;
    g_assert_true(ccm_run_over(&run, &p));
    g_assert_cmpuint(run.wire_bytes, ==, 200);
    g_assert_cmpuint(run.span_ns, ==, CCM_RUN_SILENCE_NS);
    g_assert_cmpuint(run.frame, ==, 7);

    run = (ccm_run){ 0 };
    p.time_ns = s + 999999999;
    ccm_run_add(&run, &p);
    p.time_ns = s + CCM_NS_PER_S; /* the next epoch second */
    g_assert_true(ccm_run_over(&run, &p));
    p.time_ns = s + 999999000; /* out of order */
    g_assert_false(ccm_run_over(&run, &p));
    ccm_run_add(&run, &p);
    g_assert_cmpuint(run.start_ns, ==, s + 999999000);
    g_assert_cmpuint(run.span_ns, ==, 999);
    g_assert_cmpuint(run.data_ns, ==, 0);
    p = (ccm_run_part){ .time_ns = s + 999999500, .packets = 1, .unique_bytes = 3 };
    ccm_run_add(&run, &p);
    p = (ccm_run_part){ .time_ns = s + 999999900, .packets = 1 }; /* an ACK: data ended before */
    ccm_run_add(&run, &p);
    p = (ccm_run_part){ .time_ns = s + 999998900, .packets = 1 };
    ccm_run_add(&run, &p);
    g_assert_cmpuint(run.start_ns + run.data_ns, ==, s + 999999500);
    g_assert_cmpuint(run.span_ns, ==, 1099);
}

/* Each counter is summed by itself, and each would wrap. */
static void test_run_counters(void)
{
    ccm_run_part p = { .time_ns = 5,
                       .packets = 1,
                       .wire_bytes = 20,
                       .ip_bytes = 300,
                       .payload_bytes = 4000,
                       .unique_bytes = 50000 };
    ccm_run run = { 0 };

    for (unsigned i = 1; i <= 3; i++) {
        g_assert_false(ccm_run_over(&run, &p));
        ccm_run_add(&run, &p);
        g_assert_cmpuint(run.packets, ==, i);
        g_assert_cmpuint(run.wire_bytes, ==, 20 * i);
        g_assert_cmpuint(run.ip_bytes, ==, 300 * i);
        g_assert_cmpuint(run.payload_bytes, ==, 4000 * i);
        g_assert_cmpuint(run.unique_bytes, ==, 50000 * i);
    }
    uint32_t *counters[] = { &p.packets,   &p.wire_bytes,   &p.ip_bytes,   &p.payload_bytes,
                             &run.packets, &run.wire_bytes, &run.ip_bytes, &run.payload_bytes };
    for (unsigned i = 0; i < G_N_ELEMENTS(counters); i++) {
        uint32_t before = *counters[i];
        *counters[i] = INT32_MAX;
        g_assert_false(ccm_run_over(&run, &p));
        *counters[i] = UINT32_C(1) << 31;
        g_assert_true(ccm_run_over(&run, &p));
        *counters[i] = before;
    }
}

static void test_states(void)
{
    g_assert_cmpint(ccm_conn_state_of(0), ==, CCM_CONN_MIDSTREAM);
    g_assert_cmpint(ccm_conn_state_of(3 * CCM_SAW_DATA), ==, CCM_CONN_MIDSTREAM);
    g_assert_cmpint(ccm_conn_state_of(CCM_SAW_SYN), ==, CCM_CONN_UNANSWERED);
    g_assert_cmpint(ccm_conn_state_of(CCM_SAW_SYN | CCM_SAW_RST | CCM_SAW_EARLY_RST), ==,
                    CCM_CONN_REFUSED);
    g_assert_cmpint(ccm_conn_state_of(CCM_SAW_SYN | CCM_SAW_UNREACHABLE), ==, CCM_CONN_REFUSED);
    g_assert_cmpint(ccm_conn_state_of(CCM_SAW_SYN | CCM_SAW_SYNACK), ==, CCM_CONN_ESTABLISHED);
    g_assert_cmpint(ccm_conn_state_of(CCM_SAW_SYN | CCM_SAW_DATA), ==, CCM_CONN_ESTABLISHED);
    g_assert_false(ccm_conn_closed(CCM_SAW_FIN));
    g_assert_false(ccm_conn_closed(CCM_SAW_FIN << 1));
    g_assert_true(ccm_conn_closed(3 * CCM_SAW_FIN));
    g_assert_true(ccm_conn_closed(CCM_SAW_RST));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/account/in-order", test_in_order);
    g_test_add_func("/account/holes", test_holes);
    g_test_add_func("/account/far", test_far);
    g_test_add_func("/account/wrap", test_wrap);
    g_test_add_func("/account/midstream", test_midstream);
    g_test_add_func("/account/hole-bound", test_hole_bound);
    g_test_add_func("/account/random", test_random);
    g_test_add_func("/account/runs", test_runs);
    g_test_add_func("/account/run-counters", test_run_counters);
    g_test_add_func("/account/states", test_states);
    return g_test_run();
}
