/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_flow.c - the flow table on hand-made packets; expected observations worked out by hand. */
#include "flow_driver.h"

static void send(fixture *f, ccm_packet p, uint64_t after_ns)
{
    f->now += after_ns;
    p.time_ns = f->now;
    p.frame = ++f->frame;
    ccm_flows_batch(f->flows, &p, 1);
}

static void handshake(fixture *f)
{
    send(f, flow_tcp(1, SYN, 999, 0, ""), 0);
    send(f, flow_tcp(2, SYN | ACK, 1999, 1000, ""), 3 * MS);
    send(f, flow_tcp(1, ACK, 1000, 2000, ""), 2 * MS);
}

static void test_connection(fixture *f, gconstpointer data)
{
    (void)data;
    handshake(f);
    send(f, flow_tcp(1, ACK, 1000, 2000, "abc"), MS);
    send(f, flow_tcp(2, ACK, 2000, 1003, "defgh"), MS);
    send(f, flow_tcp(2, ACK, 2000, 1003, "defgh"), MS);
    send(f, flow_tcp(1, FIN | ACK, 1003, 2005, ""), MS);
    send(f, flow_tcp(2, FIN | ACK, 2005, 1004, ""), MS);
    ccm_flows_finish(f->flows);
    flow_log_expect(
        &f->log, "",
        "run 1 10.0.0.1:50000>10.0.0.2:80 from_client=1 packets=4 wire_bytes=219 ip_bytes=163 "
        "payload_bytes=3 unique_bytes=3\n"
        "run 1 10.0.0.2:80>10.0.0.1:50000 packets=4 wire_bytes=226 ip_bytes=170 payload_bytes=10 "
        "unique_bytes=5 retransmitted_bytes=5\n"
        "connection 1 10.0.0.1:50000>10.0.0.2:80 state=established closed=fin orientation=syn "
        "rtt_ns=5000000\n");
}

static void test_refused(fixture *f, gconstpointer data)
{
    (void)data;
    send(f, flow_tcp(1, SYN, 999, 0, ""), 0);
    send(f, flow_tcp(2, RST | ACK, 0, 1000, ""), MS);
    send(f, flow_tcp(1, SYN, 999, 0, ""), 500 * MS); /* same ISN: the same attempt */
    send(f, flow_tcp(2, RST | ACK, 0, 1000, ""), MS);
    ccm_flows_finish(f->flows);
    flow_log_expect(
        &f->log, "connection",
        "connection 1 10.0.0.1:50000>10.0.0.2:80 state=refused closed=reset orientation=syn "
        "resets=2\n");
}

static void test_port_reuse(fixture *f, gconstpointer data)
{
    (void)data;
    handshake(f);
    send(f, flow_tcp(1, SYN, 777000, 0, ""), MS); /* another ISN on an established tuple */
    send(f, flow_tcp(2, SYN | ACK, 5, 777001, ""), MS);
    send(f, flow_tcp(1, ACK, 777001, 6, ""), MS);
    send(f, flow_tcp(1, RST, 777001, 0, ""), MS);
    send(f, flow_tcp(2, ACK, 6, 777001, "late"), MS); /* still the second */
    send(f, flow_tcp(1, SYN, 888000, 0, ""), MS);
    ccm_flows_finish(f->flows);
    flow_log_expect(
        &f->log, "connection",
        "connection 1 10.0.0.1:50000>10.0.0.2:80 state=established closed=idle orientation=syn "
        "rtt_ns=5000000\n"
        "connection 2 10.0.0.1:50000>10.0.0.2:80 state=established closed=reset orientation=syn "
        "rtt_ns=2000000 resets=1\n"
        "connection 3 10.0.0.1:50000>10.0.0.2:80 state=unanswered closed=open orientation=syn\n");
    g_assert_cmpuint(f->log.packets, ==, f->frame);
}

static unsigned connections(const fixture *f)
{
    g_autofree char *text = flow_log_text(&f->log, "connection");
    unsigned n = 0;

    for (const char *p = text; (p = strchr(p, '\n')); p++)
        n++;
    return n;
}

/* A segment from far away is not of this connection, and leaves no gap in it. */
static void test_stray(fixture *f, gconstpointer data)
{
    (void)data;
    handshake(f);
    send(f, flow_tcp(1, ACK, 1000, 2000, "GET /1 HTTP/1.1\r\n\r\n"), MS);
    send(f, flow_tcp(1, ACK, 1019 + 1500000000u, 2000, "stray"), MS);
    send(f, flow_tcp(1, FIN | ACK, 1024 + 1500000000u, 2000, ""), MS);
    send(f, flow_tcp(1, ACK, 1019, 2000, "GET /2 HTTP/1.1\r\n\r\n"), MS);
    ccm_flows_finish(f->flows);
    g_assert_cmpuint(f->log.missing, ==, 0);
    g_assert_cmpuint(f->log.unique, ==, 19 + 5 + 19);
    g_assert_cmpuint(connections(f), ==, 1);
    flow_log_expect(&f->log, "http_request",
                    "http_request 1 10.0.0.1:50000>10.0.0.2:80 exchange=1 method=GET target=/1 "
                    "version=11\n"
                    "http_request 1 10.0.0.1:50000>10.0.0.2:80 exchange=2 method=GET target=/2 "
                    "version=11\n");
}

/* What goes on far away is another connection, or this one after a long loss: it begins anew. */
static void test_far_data_goes_on(fixture *f, gconstpointer data)
{
    (void)data;
    handshake(f);
    send(f, flow_tcp(1, ACK, 1000, 2000, "GET /1 HTTP/1.1\r\n\r\n"), MS);
    send(f, flow_tcp(1, ACK, 3000000000u, 2000, "body"), MS);
    send(f, flow_tcp(1, ACK, 3000000004u, 2000, "body"), MS);
    send(f, flow_tcp(1, ACK, 3000000008u, 2000, "GET /2 HTTP/1.1\r\n\r\n"), MS);
    send(f, flow_tcp(1, ACK, 500000, 2000, "CCM_POST /3 HTTP/1.1\r\n\r\n"), MS);
    ccm_flows_finish(f->flows);
    g_assert_cmpuint(f->log.missing, ==, 0);
    g_assert_cmpuint(connections(f), ==, 3);
    flow_log_expect(&f->log, "http_request",
                    "http_request 1 10.0.0.1:50000>10.0.0.2:80 exchange=1 method=GET target=/1 "
                    "version=11\n"
                    "http_request 2 10.0.0.1:50000>10.0.0.2:80 exchange=1 method=GET target=/2 "
                    "version=11\n"
                    "http_request 3 10.0.0.1:50000>10.0.0.2:80 exchange=1 method=CCM_POST "
                    "target=/3 version=11\n");
}

/* The ports are used again and the SYN is not in the capture. */
static void test_port_reuse_without_syn(fixture *f, gconstpointer data)
{
    (void)data;
    for (unsigned i = 0; i < 2; i++) { /* the new numbers are far away, then near */
        uint32_t isn = i ? 2000 : 3000000000u;
        unsigned before = connections(f);
        handshake(f);
        send(f, flow_tcp(1, FIN | ACK, 1000, 2000, ""), MS);
        send(f, flow_tcp(2, FIN | ACK, 2000, 1001, ""), MS);
        send(f, flow_tcp(1, ACK, 1001, 2001, ""), MS);
        send(f, flow_tcp(1, FIN | ACK, 1000, 2000, ""), MS); /* repeated: still the first */
        send(f, flow_tcp(1, ACK, isn, 7000, "GET /x HTTP/1.1\r\n\r\n"), MS);
        send(f, flow_tcp(2, ACK, 7000, isn + 19, "HTTP/1.1 204 No\r\n\r\n"), MS);
        send(f, flow_tcp(1, RST, isn + 19, 0, ""), MS);
        send(f, flow_tcp(1, SYN, 999, 0, ""), 70000 * MS);
        g_assert_cmpuint(connections(f), ==, before + 2);
        send(f, flow_tcp(1, RST, 1000, 0, ""), 0);
        send(f, flow_tcp(1, ACK, 1, 0, ""), 70000 * MS);
        ccm_flows_tick(f->flows, f->now += 700000 * MS);
    }
    g_assert_cmpuint(f->log.missing, ==, 0);
    flow_log_expect(&f->log, "http_done",
                    "http_done 2 10.0.0.1:50000>10.0.0.2:80 exchange=1 pairing=uncertain "
                    "request_bytes=0 response_bytes=0 complete=1\n"
                    "http_done 6 10.0.0.1:50000>10.0.0.2:80 exchange=1 pairing=uncertain "
                    "request_bytes=0 response_bytes=0 complete=1\n");
}

static void test_late_retransmission(fixture *f, gconstpointer data)
{
    (void)data;
    handshake(f);
    send(f, flow_tcp(1, FIN | ACK, 1000, 2000, "x"), MS);
    send(f, flow_tcp(2, FIN | ACK, 2000, 1002, ""), MS);
    send(f, flow_tcp(1, FIN | ACK, 1000, 2000, "x"), 4900 * MS);
    send(f, flow_tcp(1, ACK, 1002, 2001, ""), 59000 * MS); /* the last one may be late */
    send(f, flow_tcp(1, ACK, 1002, 2001, ""), 5000 * MS);
    send(f, flow_tcp(1, ACK, 1002, 2001, ""), 5001 * MS); /* after the grace: another flow */
    ccm_flows_finish(f->flows);
    flow_log_expect(
        &f->log, "connection",
        "connection 1 10.0.0.1:50000>10.0.0.2:80 state=established closed=fin orientation=syn "
        "rtt_ns=5000000\n"
        "connection 2 10.0.0.1:50000>10.0.0.2:80 state=midstream closed=open orientation=port\n");
}

static void test_midstream_loss(fixture *f, gconstpointer data)
{
    (void)data;
    send(f, flow_tcp(2, ACK, 5000, 77, "abcd"), 0);
    send(f, flow_tcp(2, ACK, 5010, 77, "efgh"), MS);
    ccm_flows_finish(f->flows);
    flow_log_expect(
        &f->log, "",
        "run 1 10.0.0.2:80>10.0.0.1:50000 packets=2 wire_bytes=116 ip_bytes=88 payload_bytes=8 "
        "unique_bytes=8 missing_bytes=6\n"
        "connection 1 10.0.0.1:50000>10.0.0.2:80 state=midstream closed=open orientation=port "
        "gaps=1\n");
    g_assert_cmpuint(ccm_flows_gaps(f->flows), ==, 1);
}

/* Missing bytes are reported even when every run was closed before. */
static void test_missing_without_run(fixture *f, gconstpointer data)
{
    (void)data;
    send(f, flow_tcp(2, ACK, 5000, 77, "abcd"), 0);
    send(f, flow_tcp(2, ACK, 5010, 77, "efgh"), MS);
    ccm_flows_tick(f->flows, f->now + 1000 * MS);
    g_assert_cmpuint(f->log.lines->len, ==, 1);
    ccm_flows_finish(f->flows);
    flow_log_expect(
        &f->log, "run",
        "run 1 10.0.0.2:80>10.0.0.1:50000 packets=2 wire_bytes=116 ip_bytes=88 payload_bytes=8 "
        "unique_bytes=8\n"
        "run 1 10.0.0.2:80>10.0.0.1:50000 missing_bytes=6\n");
}

static void test_runs(fixture *f, gconstpointer data)
{
    static const uint64_t gap_ms[] = { 0, 249, 250, 251, 100, 200 }; /* 0 249 499 750 850 1050 */

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(gap_ms); i++)
        send(f, flow_packet_of(17, 1, 1234, 5678, "xy", 2), gap_ms[i] * MS);
    ccm_flows_finish(f->flows);
    flow_log_expect(
        &f->log, "run",
        "run 1 10.0.0.1:1234>10.0.0.2:5678 from_client=1 packets=3 wire_bytes=168 ip_bytes=126 "
        "payload_bytes=6 unique_bytes=6\n"
        "run 1 10.0.0.1:1234>10.0.0.2:5678 from_client=1 packets=2 wire_bytes=112 ip_bytes=84 "
        "payload_bytes=4 unique_bytes=4\n"
        "run 1 10.0.0.1:1234>10.0.0.2:5678 from_client=1 packets=1 wire_bytes=56 ip_bytes=42 "
        "payload_bytes=2 unique_bytes=2\n");
}

static void as_text(void *ud, const ccm_obs *flow, const ccm_obs_run *run, unsigned n,
                    const ccm_obs_end *end)
{
    flow_log *log = ud;

    for (; n; n--, run++) {
        const ccm_endpoint *from = run->from_client ? &flow->src : &flow->dst;
        uint64_t data_ms = run->data_end_ns ? (run->data_end_ns - START) / MS : 0;
        g_ptr_array_add(
            log->lines,
            g_strdup_printf("struct: flow %u port %u frame %u ms %u to %u data %u: %u packets, "
                            "bytes %u %u %u %u, missing %u",
                            (unsigned)flow->flow, from->port, (unsigned)run->frame,
                            (unsigned)((run->start_ns - START) / MS),
                            (unsigned)((run->end_ns - START) / MS), (unsigned)data_ms, run->packets,
                            run->wire_bytes, run->ip_bytes, run->payload_bytes, run->unique_bytes,
                            (unsigned)run->missing_bytes));
    }
    if (end)
        g_ptr_array_add(log->lines,
                        g_strdup_printf("struct: end %d %s frame %u ms %u to %u rtt %u gaps %u",
                                        end->state, end->closed, (unsigned)end->frame,
                                        (unsigned)((end->start_ns - START) / MS),
                                        (unsigned)((end->end_ns - START) / MS),
                                        (unsigned)(end->rtt_ns / MS), (unsigned)end->gaps));
}

/* A receiver that takes runs and connections as they are gets no observations of them. */
static void test_structs(fixture *f, gconstpointer data)
{
    (void)data;
    ccm_flows_structs(f->flows, as_text);
    handshake(f); /* at 0, 3 and 5 ms */
    send(f, flow_tcp(1, ACK, 1000, 2000, "abc"), 5 * MS);
    send(f, flow_tcp(1, ACK, 1000, 2000, "abc"), 5 * MS);     /* again */
    send(f, flow_tcp(2, ACK, 2004, 1003, "defgh"), 700 * MS); /* 4 bytes are missing */
    ccm_flows_finish(f->flows);
    flow_log_expect(&f->log, "",
                    "struct: flow 1 port 80 frame 2 ms 3 to 3 data 0: 1 packets, "
                    "bytes 54 40 0 0, missing 0\n"
                    "struct: flow 1 port 50000 frame 1 ms 0 to 15 data 10: 4 packets, "
                    "bytes 222 166 6 3, missing 0\n"
                    "struct: flow 1 port 80 frame 6 ms 715 to 715 data 0: 1 packets, "
                    "bytes 59 45 5 5, missing 4\n"
                    "struct: end 1 open frame 1 ms 0 to 715 rtt 5 gaps 1\n");
}

/* A table that is given up tells nothing. */
static void test_given_up(fixture *f, gconstpointer data)
{
    (void)data;
    ccm_flows_structs(f->flows, as_text);
    handshake(f);
    ccm_flows_free(f->flows);
    f->flows = NULL;
    flow_log_expect(&f->log, "", "");
}

/* The rest is told as ever, also that bytes are missing. */
static void test_no_runs(fixture *f, gconstpointer data)
{
    (void)data;
    ccm_flows_no_runs(f->flows);
    handshake(f);
    send(f, flow_tcp(1, ACK, 1000, 2000, "GET /x HTTP/1.1\r\n\r\n"), MS);
    send(f, flow_tcp(2, ACK, 2004, 1019, "defgh"), 1500 * MS);
    ccm_flows_tick(f->flows, f->now + 1000 * MS);
    ccm_flows_finish(f->flows);
    flow_log_expect(&f->log, "run", "");
    g_autofree char *text = flow_log_text(&f->log, "");
    g_assert_nonnull(strstr(text, "http_request 1 10.0.0.1:50000>10.0.0.2:80 "));
    g_assert_nonnull(strstr(text, "connection 1 10.0.0.1:50000>10.0.0.2:80 state=established "
                                  "closed=open orientation=syn rtt_ns=5000000 gaps=1\n"));
}

static void expect_one_request(fixture *f, const char *method)
{
    ccm_flows_finish(f->flows);
    g_autofree char *text = flow_log_text(&f->log, "http_request");
    g_autofree char *want = g_strdup_printf("method=%s target=/x version=11\n", method);
    g_assert_nonnull(strstr(text, want));
    g_assert_true(strchr(text, '\n')[1] == '\0');
}

/* A request long after parsers were asked last, with the other side silent or not. */
static void test_late_request(fixture *f, gconstpointer data)
{
    uint32_t seq = 1000, other = 2000;
    bool both = GPOINTER_TO_UINT(data);

    handshake(f);
    for (unsigned i = 0; i < 20; i++) {
        send(f, flow_tcp(1, ACK, seq, other, "{unk "), MS);
        seq += 5;
        if (both) {
            send(f, flow_tcp(2, ACK, other, seq, "{UNK "), MS);
            other += 5;
        }
    }
    send(f, flow_tcp(1, ACK, seq, other, "GET no target, no request\r\n"), MS);
    seq += 27;
    send(f, flow_tcp(1, ACK, seq, other, "CCM_POST /x HTTP/1.1\r\n\r\n"), MS);
    send(f, flow_tcp(1, ACK, seq, other, "CCM_POST /x HTTP/1.1\r\n\r\n"), MS); /* repeated */
    send(f, flow_tcp(2, ACK, other, seq + 24, "HTTP/1.1 204 No\r\n\r\n"), MS);
    expect_one_request(f, "CCM_POST");
    flow_log_expect(&f->log, "http_done",
                    "http_done 1 10.0.0.1:50000>10.0.0.2:80 exchange=1 pairing=uncertain "
                    "request_bytes=0 response_bytes=0 complete=1\n");
}

/* Empty lines before the first request (RFC 9112 2.2), alone in a segment or not. */
static void test_empty_lines(fixture *f, gconstpointer data)
{
    (void)data;
    handshake(f);
    send(f, flow_tcp(1, ACK, 1000, 2000, "\r\n"), MS);
    send(f, flow_tcp(1, ACK, 1002, 2000, "\nBITS_POST /x HTTP/1.1\r\n\r\n"), MS);
    expect_one_request(f, "BITS_POST");
}

/* An unknown method is one only once its line is whole, in however many segments. */
static void test_bytewise(fixture *f, gconstpointer data)
{
    static const char text[] = "FROBNICATE /x HTTP/1.1\r\n\r\n";

    (void)data;
    handshake(f);
    for (uint32_t i = 0; text[i]; i++) {
        char byte[2] = { text[i] };
        send(f, flow_tcp(1, ACK, 1000 + i, 2000, byte), MS);
    }
    expect_one_request(f, "FROBNICATE");
}

/* What a load balancer says before the first request; the examples are its specification's. */
static void test_balancer(fixture *f, gconstpointer data)
{
    unsigned way = GPOINTER_TO_UINT(data);
    static const char line[] = "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"
                               "GET /x HTTP/1.1\r\n\r\n";
    static const char block[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"
                                "\xc0\xa8\0\x01\xc0\xa8\0\x0b\xdc\x04\x01\xbb"
                                "GET /x HTTP/1.1\r\n\r\n";
    const char *bytes = way == 2 ? block : line;
    uint32_t size = (way == 2 ? sizeof block : sizeof line) - 1, cut = way == 1 ? 20 : size;

    handshake(f);
    for (uint32_t at = 0; at < size; at += cut) {
        ccm_packet p = flow_packet_of(6, 1, 50000, 80, bytes + at, MIN(cut, size - at));
        p.tcp_flags = ACK;
        p.seq = 1000 + at;
        p.ack = 2000;
        send(f, p, MS);
    }
    expect_one_request(f, "GET");
}

static void test_udp_orientation(fixture *f, gconstpointer data)
{
    (void)data;
    send(f, flow_packet_of(17, 2, 5000, 53, "x", 1), 0); /* the answer is seen first */
    send(f, flow_packet_of(17, 2, 5001, 4000, "x", 1), 0);
    ccm_flows_not_ip(f->flows, f->now, ++f->frame, 60);
    ccm_flows_not_ip(f->flows, f->now, ++f->frame, 60);
    ccm_packet fragment = flow_packet_of(6, 1, 0, 0, "", 0);
    fragment.fragment = true;
    fragment.packets = 3;
    send(f, fragment, 0);
    ccm_flows_finish(f->flows);
    flow_log_expect(
        &f->log, "connection",
        "connection 1 10.0.0.1:5000>10.0.0.2:53 state=datagrams closed=open orientation=port\n"
        "connection 2 10.0.0.2:4000>10.0.0.1:5001 state=datagrams closed=open orientation=port\n"
        "connection 3 > state=datagrams closed=open orientation=port\n"
        "connection 4 10.0.0.1:0>10.0.0.2:0 state=datagrams closed=open orientation=port\n");
    g_assert_cmpuint(f->log.packets, ==, 7);
    g_assert_cmpuint(f->log.wire, ==, 55 + 55 + 120 + 54);
}

static void test_idle(fixture *f, gconstpointer data)
{
    (void)data;
    send(f, flow_packet_of(17, 1, 1234, 5678, "", 0), 0);
    send(f, flow_packet_of(17, 1, 1234, 5678, "", 0), 120000 * MS); /* just not over */
    send(f, flow_packet_of(17, 1, 1234, 5678, "", 0), 120001 * MS);
    g_autofree char *text = flow_log_text(&f->log, "connection");
    g_assert_cmpstr(
        text, ==,
        "connection 1 10.0.0.1:1234>10.0.0.2:5678 state=datagrams closed=idle orientation=port\n");
    ccm_flows_tick(f->flows, f->now + 121000 * MS); /* live: time alone ends it */
    flow_log_expect(
        &f->log, "connection",
        "connection 1 10.0.0.1:1234>10.0.0.2:5678 state=datagrams closed=idle orientation=port\n"
        "connection 2 10.0.0.1:1234>10.0.0.2:5678 state=datagrams closed=idle orientation=port\n");
}

static void test_duplicates(fixture *f, gconstpointer data)
{
    (void)data;
    handshake(f);
    ccm_packet p = flow_tcp(1, ACK, 1000, 2000, "GETX");
    p.ip_id = 17;
    send(f, p, 0);
    send(f, p, 0); /* a mirror port that copies both ways */
    p.ip_id = 18;
    send(f, p, 0); /* sent again */
    ccm_flows_finish(f->flows);
    flow_log_expect(
        &f->log, "connection",
        "connection 1 10.0.0.1:50000>10.0.0.2:80 state=established closed=open orientation=syn "
        "rtt_ns=5000000 duplicates=1\n");
    g_assert_cmpuint(f->log.repeated, ==, 8);
}

/* IPv6, and IPv4 without an identification: the copy comes at once. */
static void test_copies(fixture *f, gconstpointer data)
{
    (void)data;
    handshake(f);
    ccm_packet p = flow_tcp(1, ACK, 1000, 2000, "GETX");
    send(f, p, MS);
    send(f, p, MS / 500); /* a copy */
    send(f, flow_tcp(1, ACK, 1004, 2000, "abcd"), MS / 10);
    send(f, flow_tcp(2, ACK, 2000, 1004, "efgh"), 3 * MS);
    send(f, flow_tcp(1, ACK, 1004, 2000, "abcd"), MS / 10); /* sent again */
    send(f, flow_tcp(2, ACK, 2004, 1008, ""), 10 * MS);
    send(f, flow_tcp(2, ACK, 2004, 1008, ""), MS / 500); /* as bare ACKs may be */
    p = flow_tcp(1, ACK, 1008, 2004, "ijkl");
    send(f, p, MS);
    send(f, p, 1074 * MS); /* the time on its mark has wrapped */
    p.window--;
    send(f, p, MS / 500); /* not alike */
    send(f, flow_tcp(1, FIN | ACK, 1012, 2004, ""), MS);
    send(f, flow_tcp(1, FIN | ACK, 1012, 2004, ""), MS / 500); /* a copy */
    ccm_flows_finish(f->flows);
    flow_log_expect(
        &f->log, "connection",
        "connection 1 10.0.0.1:50000>10.0.0.2:80 state=established closed=open orientation=syn "
        "rtt_ns=5000000 duplicates=2\n");
}

/* Many flows through a small table: all packets are accounted, the bound is named. */
static void test_bound(void)
{
    fixture f;

    set_up(&f, NULL);
    ccm_flows_free(f.flows);
    f.limits.flows = 100;
    f.flows = ccm_flows_new(&f.limits, true, flow_log_emit, &f.log);
    for (unsigned i = 0; i < 5000; i++)
        send(&f, flow_packet_of(17, 1, (uint16_t)(1024 + i % 1000), 9, "x", 1), MS / 100);
    ccm_flows_finish(f.flows);
    g_assert_cmpuint(f.log.packets, ==, 5000);
    g_assert_cmpuint(f.log.wire, ==, 5000 * 55);
    g_autofree char *limit = flow_log_text(&f.log, "limit");
    g_assert_true(g_str_has_prefix(limit, "limit 0 > limit=flows count="));
    tear_down(&f, NULL);
}

/* Flows end in time, not when the table is closed: the clock hand passes all of them. UDP flows end
 * after two minutes of silence. */
static void test_swept(fixture *f, gconstpointer data)
{
    (void)data;
    for (unsigned i = 0; i < 100; i++)
        send(f, flow_packet_of(17, 1, (uint16_t)(2000 + i), 9, "x", 1), 0);
    for (unsigned i = 0; i < 128; i++)
        send(f, flow_packet_of(17, 1, 1999, 9, "x", 1), i ? 0 : 119000 * MS);
    flow_log_expect(&f->log, "connection", "");
    for (unsigned i = 0; i < 128; i++)
        send(f, flow_packet_of(17, 1, 1999, 9, "x", 1), i ? 0 : 2000 * MS);
    g_autofree char *text = flow_log_text(&f->log, "connection");
    unsigned lines = 0;
    for (const char *p = text; (p = strstr(p, "closed=idle")); p++)
        lines++;
    g_assert_cmpuint(lines, ==, 100);
}

/* The bound on what waits gives up a hole, and what comes out then ends both directions. */
static void test_bound_at_end(void)
{
    fixture f;

    set_up(&f, NULL);
    ccm_flows_free(f.flows);
    f.limits.stream_bytes = 200;
    f.flows = ccm_flows_new(&f.limits, true, flow_log_emit, &f.log);
    handshake(&f);
    send(&f, flow_tcp(1, ACK, 1000, 2000, "GET /x HTTP/1.1\r\n\r\n"), MS);
    send(&f, flow_tcp(1, FIN | ACK, 1019, 2000, ""), MS);
    g_autofree char *rest = g_strnfill(300, 'x'); /* of an answer whose first 10 bytes are lost */
    send(&f, flow_tcp(2, FIN | ACK, 2010, 1020, rest), MS);
    ccm_flows_finish(f.flows);
    g_autofree char *text = flow_log_text(&f.log, "");
    g_assert_nonnull(strstr(text, "limit=stream_bytes count=1\n"));
    g_assert_nonnull(strstr(text, " gaps=1\n"));
    tear_down(&f, NULL);
}

/* The table grows, shrinks and keeps its order whatever the seed. */
static void test_many(void)
{
    char *first = NULL;

    for (int round = 0; round < 3; round++) {
        fixture f;
        set_up(&f, NULL);
        for (unsigned i = 0; i < 20000; i++)
            send(&f, flow_packet_of(17, 1, (uint16_t)(i * 7), (uint16_t)(i % 3), "x", 1), 50 * MS);
        ccm_flows_finish(f.flows);
        g_assert_cmpuint(f.log.packets, ==, 20000);
        char *text = flow_log_text(&f.log, "");
        if (first)
            g_assert_true(!strcmp(first, text));
        g_free(first);
        first = text;
        tear_down(&f, NULL);
    }
    g_free(first);
}

static void test_ipv6(fixture *f, gconstpointer data)
{
    (void)data;
    ccm_packet p = flow_packet_of(17, 1, 1234, 53, "x", 1), q = p;
    g_assert_true(ccm_endpoint_parse("[2001:db8::1]:1234", &p.src));
    g_assert_true(ccm_endpoint_parse("[2001:db8::2]:53", &p.dst));
    q.src = p.dst;
    q.dst = p.src;
    send(f, p, 0);
    send(f, q, MS);
    ccm_flows_finish(f->flows);
    g_autofree char *text = flow_log_text(&f->log, "connection");
    g_assert_cmpstr(text, ==,
                    "connection 1 [2001:db8::1]:1234>[2001:db8::2]:53 state=datagrams closed=open "
                    "orientation=port\n");
    g_assert_cmpuint(f->log.packets, ==, 2);
}

/* An ICMP port unreachable that quotes the SYN's IP header and first eight bytes. */
static void test_icmp(fixture *f, gconstpointer data)
{
    static const uint8_t quote[] = { 0x45, 0, 0,  40, 0, 1, 0,    0,    64, 6,  0, 0, 10, 0,
                                     0,    1, 10, 0,  0, 2, 0xc3, 0x50, 0,  80, 0, 0, 3,  0xe7 };

    (void)data;
    send(f, flow_tcp(1, SYN, 999, 0, ""), 0);
    ccm_packet p = flow_packet_of(1, 2, 0, 0, quote, sizeof quote);
    p.icmp_type = 3;
    p.icmp_code = 13;
    p.src.addr.b[3] = 254; /* a router on the way */
    send(f, p, MS);
    ccm_flows_finish(f->flows);
    flow_log_expect(
        &f->log, "icmp_error",
        "icmp_error 1 10.0.0.1:50000>10.0.0.2:80 icmp_type=3 icmp_code=13 address=10.0.0.254\n");
    flow_log_expect(
        &f->log, "connection",
        "connection 1 10.0.0.1:50000>10.0.0.2:80 state=refused closed=open orientation=syn\n"
        "connection 2 10.0.0.254:0>10.0.0.1:0 state=datagrams closed=open orientation=port\n");
    g_autofree char *runs = flow_log_text(&f->log, "run");
    g_assert_null(strstr(runs, "payload_bytes")); /* what an error quotes is none */
}

/* RFC 4443: 1 is unreachable, 3 time exceeded; the other way round in RFC 792. */
static void test_icmp6(fixture *f, gconstpointer data)
{
    uint8_t quote[48] = { [0] = 0x60, [5] = 20, [6] = 6, [7] = 64, [40] = 0xc3, 0x50, 0, 80 };

    (void)data;
    for (uint8_t type = 1; type <= 3; type += 2) {
        ccm_packet syn = flow_tcp(1, SYN, 999, 0, "");
        syn.src.addr = (ccm_addr){ 6, { 0xfd, [15] = type } };
        syn.dst.addr = (ccm_addr){ 6, { 0xfd, [15] = 9 } };
        memcpy(quote + 8, syn.src.addr.b, 16);
        memcpy(quote + 24, syn.dst.addr.b, 16);
        send(f, syn, MS);
        ccm_packet p = flow_packet_of(58, 2, 0, 0, quote, sizeof quote);
        p.src.addr = syn.dst.addr;
        p.dst.addr = syn.src.addr;
        p.icmp_type = type;
        send(f, p, MS);
    }
    ccm_flows_finish(f->flows);
    g_autofree char *ends = flow_log_text(&f->log, "connection");
    g_assert_nonnull(strstr(ends, "connection 1 [fd00::1]:50000>[fd00::9]:80 state=refused "));
    g_assert_nonnull(strstr(ends, "connection 3 [fd00::3]:50000>[fd00::9]:80 state=unanswered "));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, fn) g_test_add("/flow/" name, fixture, NULL, set_up, fn, tear_down)
    TEST("connection", test_connection);
    TEST("refused", test_refused);
    TEST("port-reuse", test_port_reuse);
    TEST("stray", test_stray);
    TEST("structs", test_structs);
    TEST("given-up", test_given_up);
    TEST("swept", test_swept);
    TEST("no-runs", test_no_runs);
    g_test_add("/flow/late-request", fixture, GUINT_TO_POINTER(0), set_up, test_late_request,
               tear_down);
    g_test_add("/flow/late-request-both", fixture, GUINT_TO_POINTER(1), set_up, test_late_request,
               tear_down);
    g_test_add("/flow/balancer-line", fixture, GUINT_TO_POINTER(0), set_up, test_balancer,
               tear_down);
    g_test_add("/flow/balancer-line-cut", fixture, GUINT_TO_POINTER(1), set_up, test_balancer,
               tear_down);
    g_test_add("/flow/balancer-block", fixture, GUINT_TO_POINTER(2), set_up, test_balancer,
               tear_down);
    TEST("empty-lines", test_empty_lines);
    TEST("bytewise", test_bytewise);
    TEST("far-data-goes-on", test_far_data_goes_on);
    TEST("port-reuse-without-syn", test_port_reuse_without_syn);
    TEST("late-retransmission", test_late_retransmission);
    TEST("midstream-loss", test_midstream_loss);
    TEST("missing-without-run", test_missing_without_run);
    TEST("runs", test_runs);
    TEST("udp-orientation", test_udp_orientation);
    TEST("idle", test_idle);
    TEST("duplicates", test_duplicates);
    TEST("ipv6", test_ipv6);
    TEST("icmp", test_icmp);
    TEST("icmp6", test_icmp6);
    TEST("copies", test_copies);
    g_test_add_func("/flow/bound", test_bound);
    g_test_add_func("/flow/bound-at-end", test_bound_at_end);
    g_test_add_func("/flow/many", test_many);
    return g_test_run();
}
