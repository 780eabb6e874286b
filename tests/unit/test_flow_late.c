/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_flow_late.c - what waits behind a loss is told with its own time, and alike however the
 * packets are given. Expected times worked out by hand from those of the packets. */
#include "flow_driver.h"

#define S (1000 * MS)
#define REQUEST "GET /a HTTP/1.1\r\n\r\n"                    /* 19 bytes */
#define HEAD "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n" /* 39 bytes */
#define TEN "0123456789"

enum { OTHERS = 400, MOST = OTHERS + 9 };

typedef struct packets {
    ccm_packet p[MOST];
    unsigned n;
} packets;

static void add(packets *all, ccm_packet p, uint64_t at_ns)
{
    p.time_ns = START + at_ns;
    p.frame = all->n + 1;
    all->p[all->n++] = p;
}

/* Packets of another connection for `seconds`, so that time passes. */
static void others(packets *all, uint64_t from_ns, unsigned seconds)
{
    for (unsigned i = 0; i < OTHERS; i++) {
        ccm_packet p = flow_packet_of(17, 1, 40000, 40001, "x", 1);
        add(all, p, from_ns + i * (seconds * S / OTHERS));
    }
}

/* A request at 10 ms; the answer's second ten bytes are lost, its last ones come after 14 ms. The
 * hole is given up a second later, the first time that the table is swept. */
static void make_loss(packets *all, bool acked)
{
    add(all, flow_tcp(1, SYN, 999, 0, ""), 0);
    add(all, flow_tcp(2, SYN | ACK, 1999, 1000, ""), 1 * MS);
    add(all, flow_tcp(1, ACK, 1000, 2000, ""), 2 * MS);
    add(all, flow_tcp(1, ACK, 1000, 2000, REQUEST), 10 * MS);
    add(all, flow_tcp(2, ACK, 2000, 1019, HEAD TEN), 12 * MS);
    add(all, flow_tcp(2, ACK, 2059, 1019, TEN), 13 * MS);
    add(all, flow_tcp(2, ACK, 2069, 1019, TEN), 14 * MS);
    if (acked)
        add(all, flow_tcp(1, ACK, 1019, 2079, ""), 15 * MS);
    add(all, flow_tcp(2, FIN | ACK, 2079, 1019, ""), 16 * MS);
    others(all, 20 * MS, 8);
}

/* As the above, but the body goes on until the FIN, whose segment waits as well. */
static void make_fin(packets *all)
{
    add(all, flow_tcp(1, SYN, 999, 0, ""), 0);
    add(all, flow_tcp(2, SYN | ACK, 1999, 1000, ""), 1 * MS);
    add(all, flow_tcp(1, ACK, 1000, 2000, ""), 2 * MS);
    add(all, flow_tcp(1, ACK, 1000, 2000, REQUEST), 10 * MS);
    add(all, flow_tcp(2, ACK, 2000, 1019, "HTTP/1.1 200 OK\r\n\r\n" TEN), 12 * MS);
    add(all, flow_tcp(2, ACK, 2039, 1019, TEN), 13 * MS); /* ten bytes are lost before it */
    add(all, flow_tcp(2, FIN | ACK, 2049, 1019, ""), 17 * MS);
    others(all, 20 * MS, 8);
}

/* Everything that is told when `size` packets are given at once. */
static char *told(const packets *all, unsigned first, unsigned size)
{
    fixture f;

    set_up(&f, NULL);
    f.log.times = true;
    for (unsigned at = 0, n = first; at < all->n; at += n, n = size) {
        n = MIN(n, all->n - at);
        ccm_flows_batch(f.flows, all->p + at, n);
    }
    ccm_flows_finish(f.flows);
    char *text = flow_log_text(&f.log, "");
    tear_down(&f, NULL);
    return text;
}

static void expect_duration(const packets *all, uint64_t ns)
{
    g_autofree char *text = told(all, 64, 64);
    g_autofree char *want = g_strdup_printf(" duration_ns=%" G_GUINT64_FORMAT " ", ns);
    const char *done = strstr(text, "http_done");

    g_assert_nonnull(done);
    g_autofree char *line = g_strndup(done, strcspn(done, "\n"));
    g_autofree char *padded = g_strconcat(line, " ", NULL);
    if (!strstr(padded, want))
        g_error("%s is not in: %s", want, line);
}

static void test_duration(void)
{
    packets all;

    for (unsigned acked = 0; acked < 2; acked++) {
        all.n = 0;
        make_loss(&all, acked);
        expect_duration(&all, 4 * MS);
    }
    all.n = 0;
    make_fin(&all);
    expect_duration(&all, 7 * MS);
}

/* Files end anywhere: packets then come in other groups. */
static void test_groups(void)
{
    packets all = { .n = 0 };
    make_loss(&all, true);
    g_autofree char *want = told(&all, 64, 64);

    for (unsigned size = 1; size <= 64; size += 9)
        for (unsigned first = 1; first <= 64; first += 7) {
            g_autofree char *got = told(&all, first, size);
            g_assert_cmpstr(got, ==, want);
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/flow-late/duration", test_duration);
    g_test_add_func("/flow-late/groups", test_groups);
    return g_test_run();
}
