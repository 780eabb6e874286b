/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_clock.c - what counts as now in the flow table: clocks set back and forward, packets with a
 * wrong time, silence. Expected connections by hand. */
#include "flow_driver.h"

#define S (1000 * MS)
#define YEAR2100 (UINT64_C(4102444800) * CCM_NS_PER_S)

static void at(fixture *f, uint64_t time_ns, ccm_packet p)
{
    p.time_ns = time_ns;
    p.frame = ++f->frame;
    ccm_flows_batch(f->flows, &p, 1);
}

/* Byte `n`, from 0 on, of a connection of client port `port`, whose handshake comes with the
 * first. */
static void byte(fixture *f, uint64_t time_ns, uint16_t port, uint32_t n)
{
    const struct {
        unsigned from;
        uint8_t flags;
        uint32_t seq, ack;
        const char *data;
    } all[] = { { 1, SYN, 999, 0, "" },
                { 2, SYN | ACK, 1999, 1000, "" },
                { 1, ACK, 1000, 2000, "" },
                { 1, ACK, 1000 + n, 2000, "x" } };

    for (size_t i = n ? 3 : 0; i < G_N_ELEMENTS(all); i++) {
        ccm_packet p = flow_tcp(all[i].from, all[i].flags, all[i].seq, all[i].ack, all[i].data);
        *(p.src.port == 80 ? &p.dst : &p.src) =
            (ccm_endpoint){ .addr = { 4, { 10, 0, 0, 1 } }, .port = port };
        at(f, time_ns, p);
    }
}

/* Packets of one other flow, a millisecond apart: the clock hand passes every flow. */
static uint64_t others(fixture *f, uint64_t time_ns, unsigned n)
{
    for (unsigned i = 0; i < n; i++, time_ns += MS)
        at(f, time_ns, flow_packet_of(17, 1, 53, 53, "", 0));
    return time_ns;
}

static unsigned ended(const fixture *f, const char *how)
{
    g_autofree char *text = flow_log_text(&f->log, "connection");
    unsigned n = 0;

    for (const char *p = text; (p = strstr(p, how)); p++)
        n++;
    return n;
}

/* `tcp` connections in all, each with its beginning, none thought idle before. */
static void expect_whole(fixture *f, unsigned tcp, uint64_t backward)
{
    g_assert_cmpuint(ended(f, "closed=idle orientation=syn"), ==, 0);
    ccm_flows_finish(f->flows);
    g_assert_cmpuint(ended(f, "state=established"), ==, tcp);
    g_assert_cmpuint(ended(f, "state=midstream"), ==, 0);
    g_assert_cmpuint(ccm_flows_backward(f->flows), ==, backward);
}

static void test_set_back(fixture *f, gconstpointer data)
{
    uint64_t step = *(const uint64_t *)data, now;

    byte(f, START, 1, 0);
    (void)others(f, START, 200);
    now = START - step;
    byte(f, now, 2, 0);
    now = others(f, now, 200);
    byte(f, now, 1, 1);
    byte(f, now, 2, 1);
    now = others(f, now + 590 * S, 200); /* just not idle */
    byte(f, now, 2, 2);
    expect_whole(f, 2, 1);
}

/* After the step idle flows end as before. */
static void test_set_back_idle(fixture *f, gconstpointer data)
{
    uint64_t step = *(const uint64_t *)data, now = START - step;

    (void)others(f, START, 200);
    byte(f, now, 2, 0);
    now = others(f, now, 200);
    now = others(f, now + 300 * S, 200);
    g_assert_cmpuint(ended(f, "closed=idle orientation=syn"), ==, 0);
    (void)others(f, now + 301 * S, 200);
    g_assert_cmpuint(ended(f, "closed=idle orientation=syn"), ==, 1);
}

static void test_one_ahead(fixture *f, gconstpointer data)
{
    uint64_t now = START;
    (void)data;

    byte(f, now, 1, 0);
    byte(f, now, 2, 0);
    now = others(f, now, 200);
    byte(f, YEAR2100, 2, 1);
    for (uint32_t i = 1; i < 100; i++) {
        now = others(f, now, 100);
        byte(f, now, 1, i);
        byte(f, now, 2, i + 1);
    }
    expect_whole(f, 2, 1);
}

static void test_one_back(fixture *f, gconstpointer data)
{
    (void)data;
    byte(f, START, 1, 0);
    byte(f, MS, 1, 1);
    byte(f, others(f, START, 200), 1, 2);
    expect_whole(f, 1, 1);
}

/* Two clocks an hour apart in one capture, in bursts. */
static void test_two_clocks(fixture *f, gconstpointer data)
{
    (void)data;
    for (uint32_t i = 0; i < 100; i++) {
        uint64_t now = START + i * S;
        byte(f, now, 1, i);
        (void)others(f, now, 30);
        byte(f, now + 3600 * S, 2, i);
        (void)others(f, now + 3600 * S, 30);
    }
    expect_whole(f, 2, 99); /* the last burst of the fast clock is followed by nothing */
}

/* Nothing for more than ten minutes is no clock that was set: what was open is idle. */
static void test_silence(fixture *f, gconstpointer data)
{
    (void)data;
    byte(f, START, 1, 0);
    uint64_t now = others(f, START, 200) + 601 * S;
    (void)others(f, now, 400);
    g_assert_cmpuint(ended(f, "closed=idle orientation=syn"), ==, 1);
    at(f, now + 2000 * S, flow_packet_of(17, 1, 54, 54, "", 0)); /* the last packet, too */
    byte(f, now + 2000 * S, 2, 0);
    ccm_flows_finish(f->flows);
    g_assert_cmpuint(ended(f, "closed=open"), ==, 2);
    g_assert_cmpuint(ccm_flows_backward(f->flows), ==, 0);
}

/* A first packet whose time is wrong by decades: the hand still finds what is idle. */
static void test_wrong_first(fixture *f, gconstpointer data)
{
    uint64_t first = *(const uint64_t *)data;

    at(f, first, flow_packet_of(17, 1, 54, 54, "", 0));
    uint64_t now = others(f, START, 200);
    byte(f, now, 1, 0);
    now = others(f, now, 200);
    (void)others(f, now + 601 * S, 400);
    g_assert_cmpuint(ended(f, "closed=idle orientation=syn"), ==, 1);
    g_assert_cmpuint(ccm_flows_backward(f->flows), ==, first > START);
}

/* Pieces of datagrams that never became whole come late, which is no step. */
static void test_late(fixture *f, gconstpointer data)
{
    (void)data;
    uint64_t now = others(f, START, 200) + 200 * S;
    now = others(f, now, 10);
    for (unsigned i = 0; i < 10; i++) {
        ccm_packet p = flow_packet_of(17, 1, 55, 55, "", 0);
        p.time_ns = START;
        p.frame = i + 1;
        ccm_flows_late(f->flows, &p);
    }
    (void)others(f, now, 10);
    g_assert_cmpuint(ccm_flows_backward(f->flows), ==, 0);
    g_assert_cmpuint(ccm_flows_now(f->flows), ==, now + 9 * MS);
}

/* Of a connection whose other side is not captured nobody will see the second FIN: a minute after
 * the first it is over. Where the other side was seen, ten minutes. */
static void test_one_side(fixture *f, gconstpointer data)
{
    (void)data;
    for (unsigned both = 0; both < 2; both++) {
        uint64_t last = f->now + 2 * MS;
        at(f, f->now, flow_tcp(1, ACK, 1000, 2000, "x"));
        if (both)
            at(f, f->now, flow_tcp(2, ACK, 2000, 1001, "y"));
        at(f, last, flow_tcp(1, FIN | ACK, 1001, 2000, ""));
        ccm_flows_tick(f->flows, last + 59 * S);
        g_assert_cmpuint(ended(f, "idle"), ==, both);
        ccm_flows_tick(f->flows, last + 61 * S);
        g_assert_cmpuint(ended(f, "idle"), ==, 1);
        f->now = last + 62 * S;
    }
}

int main(int argc, char **argv)
{
    static const uint64_t steps[] = { 601 * S, 3600 * S, 86400 * S, 20 * 365 * 86400 * S };
    static const uint64_t firsts[] = { MS, YEAR2100 };

    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autofree char *a = g_strdup_printf("/clock/set-back/%zu", i);
        g_autofree char *b = g_strdup_printf("/clock/set-back-idle/%zu", i);
        g_test_add(a, fixture, &steps[i], set_up, test_set_back, tear_down);
        g_test_add(b, fixture, &steps[i], set_up, test_set_back_idle, tear_down);
    }
    g_test_add("/clock/one-ahead", fixture, NULL, set_up, test_one_ahead, tear_down);
    g_test_add("/clock/one-back", fixture, NULL, set_up, test_one_back, tear_down);
    g_test_add("/clock/two-clocks", fixture, NULL, set_up, test_two_clocks, tear_down);
    g_test_add("/clock/silence", fixture, NULL, set_up, test_silence, tear_down);
    g_test_add("/clock/one-side", fixture, NULL, set_up, test_one_side, tear_down);
    g_test_add("/clock/wrong-first/1970", fixture, &firsts[0], set_up, test_wrong_first, tear_down);
    g_test_add("/clock/wrong-first/2100", fixture, &firsts[1], set_up, test_wrong_first, tear_down);
    g_test_add("/clock/late", fixture, NULL, set_up, test_late, tear_down);
    return g_test_run();
}
