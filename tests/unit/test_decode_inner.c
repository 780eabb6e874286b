/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_decode_inner.c - packets in packets: tunnels, ICMP errors that quote one, and fragments.
 * Every value expected here is one that the builder of the packet put in. */
#include "packet_driver.h"

static void test_gre(void)
{
    check_tcp4(ETHERNET, gre("0000 0800", http4()), 5);
    check_tcp6(ETHERNET, gre("0000 86dd", http6()), 5, 65);
    check_tcp4(ETHERNET, gre("2000 0800 00000001", http4()), 5);
    check_tcp4(ETHERNET, gre("b000 0800 00000000 00000001 00000002", http4()), 5);
    check_tcp4(ETHERNET, gre("0000 6558", ethernet(0x0800, http4())), 5);
    check_tcp4(ETHERNET, gre("2000 6558 00000064", ethernet(0x8100, with("0001 0800", http4()))),
               5);
    /* ERSPAN: type I, II, III without and with the platform subheader, III of an IP packet */
    check_tcp4(ETHERNET, gre("0000 88be", ethernet(0x0800, http4())), 5);
    check_tcp4(ETHERNET, gre("1000 88be 00000001 1064 0001 00000000", ethernet(0x0800, http4())),
               5);
    check_tcp4(ETHERNET,
               gre("1000 22eb 00000001 2064 0001 00000000 0000 0000", ethernet(0x0800, http4())),
               5);
    check_tcp4(ETHERNET,
               gre("1000 22eb 00000001 2064 0001 00000000 0000 8001 0102030405060708",
                   ethernet(0x0800, http4())),
               5);
    check_tcp4(ETHERNET, gre("1000 22eb 00000001 2064 0001 00000000 0000 0800", http4()), 5);
}

/* The outer packet counts when the tunnel's contents are not IP, or cannot be read. */
static void test_gre_outer(void)
{
    static const char *const headers[] = {
        "0001 880b 0000 0000", /* PPTP */
        "4000 0800 00000000",  /* source routing */
        "0000 0806",
        "0000 0004",
        "1000 88be 00000001 7064 0001 00000000",
        "1000 22eb 00000001 7064 0001 00000000 0000 0000",
    };
    for (guint i = 0; i < G_N_ELEMENTS(headers); i++) {
        ccm_packet out;
        packet *p = gre(headers[i], hex("00"));
        guint n = p->len - 34;
        g_assert_cmpint(decode_raw(ETHERNET, p, &out), ==, CCM_DECODED);
        check_ends(&out, "192.0.2.1:0", "192.0.2.2:0");
        g_assert_cmpuint(out.l4, ==, 47);
        g_assert_cmpuint(out.payload_len, ==, n);
    }
}

static packet *vxlan(guint port, const char *header, packet *inner)
{
    return ethernet(0x0800, outer4(17, udp(50000, port, with(header, inner))));
}

static void test_udp_tunnels(void)
{
    check_tcp4(ETHERNET, vxlan(4789, "08000000 00006400", ethernet(0x0800, http4())), 5);
    check_tcp4(ETHERNET, vxlan(8472, "08000000 00006400", ethernet(0x0800, http4())), 5);
    check_tcp4(ETHERNET, vxlan(4789, "88080003 00006400", ethernet(0x0800, http4())), 5);
    check_tcp4(ETHERNET, vxlan(4790, "0c000003 00006400", ethernet(0x0800, http4())), 5);
    check_tcp4(ETHERNET, vxlan(4790, "0c000001 00006400", http4()), 5);
    check_tcp6(ETHERNET, vxlan(4790, "0c000002 00006400", http6()), 5, 65);
    packet *p = udp(2152, 2152, with("30 ff 002d 00000001", http4()));
    check_tcp4(101, outer4(17, p), 5);
    p = udp(2152, 2152, with("36 ff 0035 00000001 0001 00 85 01 0001 00", http4()));
    check_tcp4(101, outer4(17, p), 5);
    static const struct {
        guint port;
        const char *header;
        guint type;
    } plain[] = {
        { 4789, "00000000 00006400", 0x0800 }, /* no network id */
        { 4789, "08000000 00006401", 0x0800 }, /* reserved byte set */
        { 8472, "08000000 00006401", 0x0800 },
        { 4789, "08000001 00006400", 0x0800 },
        { 4789, "08000000 00006400", 0x0806 }, /* ARP inside */
        { 4788, "08000000 00006400", 0x0800 }, /* another port */
    };
    for (guint i = 0; i < G_N_ELEMENTS(plain); i++) {
        ccm_packet out;
        p = vxlan(plain[i].port, plain[i].header, ethernet(plain[i].type, http4()));
        guint n = p->len - 42;
        g_assert_cmpint(decode_raw(ETHERNET, p, &out), ==, CCM_DECODED);
        g_assert_cmpuint(out.l4, ==, 17);
        g_assert_cmpuint(out.src.port, ==, 50000);
        g_assert_cmpuint(out.dst.port, ==, plain[i].port);
        g_assert_cmpuint(out.payload_len, ==, n);
        g_assert_cmpuint(out.ip_bytes, ==, n + 28);
    }
}

static void test_ip_in_ip(void)
{
    check_tcp4(ETHERNET, ethernet(0x0800, outer4(4, http4())), 5);
    check_tcp6(ETHERNET, ethernet(0x0800, outer4(41, http6())), 5, 65);
    check_tcp4(ETHERNET, ethernet(0x86dd, ip6(4, http4())), 5);
    /* Eight headers around the innermost are followed, the ninth is not. */
    packet *p = http4();
    for (guint i = 0; i < 8; i++)
        p = outer4(4, p);
    check_tcp4(101, p, 5);
    p = http4();
    for (guint i = 0; i < 9; i++)
        p = outer4(4, p);
    ccm_packet out;
    g_assert_cmpint(decode_raw(101, p, &out), ==, CCM_DECODED);
    check_ends(&out, "192.0.2.1:0", "192.0.2.2:0");
    g_assert_cmpuint(out.l4, ==, 4);
    g_assert_cmpuint(out.payload_len, ==, 45);
    p = http4();
    for (guint i = 0; i < 1000; i++)
        p = outer4(4, p);
    check_result(101, p, CCM_DECODED);
}

static void quote(packet *icmp_ip, bool want, const char *src, const char *dst, guint l4)
{
    ccm_decoder *d = new_decoder();
    ccm_raw raw = {
        .data = icmp_ip->data, .captured = icmp_ip->len, .length = icmp_ip->len, .link_type = 101
    };
    ccm_packet out, quoted;
    g_assert_cmpint(ccm_decode(d, &raw, 1, &out), ==, CCM_DECODED);
    g_assert_cmpint(ccm_decode_icmp_quote(&out, &quoted), ==, want);
    if (want) {
        check_ends(&quoted, src, dst);
        g_assert_cmpuint(quoted.l4, ==, l4);
    }
    /* every shorter quotation is read within its bounds, and never wrongly understood */
    uint8_t *all = g_memdup2(out.payload.p, out.payload.n);
    for (size_t n = 0; n < out.payload.n; n++) {
        uint8_t *copy = n ? g_memdup2(all, n) : NULL;
        out.payload = ccm_span_of(copy, n);
        if (ccm_decode_icmp_quote(&out, &quoted))
            check_ends(&quoted, src, dst);
        g_free(copy);
        out.payload.n = out.payload_len; /* the loop's bound */
    }
    g_free(all);
    ccm_decoder_free(d);
    g_byte_array_unref(icmp_ip);
}

static void test_icmp(void)
{
    ccm_packet out;
    g_assert_cmpint(decode_raw(101, outer4(1, with("0303 0000 00000000", http4())), &out), ==,
                    CCM_DECODED);
    g_assert_cmpuint(out.l4, ==, 1);
    g_assert_cmpuint(out.icmp_type, ==, 3);
    g_assert_cmpuint(out.icmp_code, ==, 3);
    check_ends(&out, "192.0.2.1:0", "192.0.2.2:0");
    g_assert_cmpuint(out.payload_len, ==, 45);

    quote(outer4(1, with("0301 0000 00000000", http4())), true, "10.0.0.5:51022", "10.0.0.9:80", 6);
    quote(outer4(1, with("0b00 0000 00000000", ip4(17, udp(68, 67, hex("01"))))), true,
          "10.0.0.5:68", "10.0.0.9:67", 17);
    quote(outer4(1, with("0301 0000 00000000", ip4(1, hex("0800000000010001")))), true,
          "10.0.0.5:0", "10.0.0.9:0", 1);
    quote(outer4(1, with("0000 0000 00000000", http4())), false, NULL, NULL, 0); /* echo reply */
    packet *later = http4(); /* a later fragment has no ports */
    set16(later, 6, 0x0010);
    quote(outer4(1, with("0301 0000 00000000", later)), false, NULL, NULL, 0);
    quote(ip6(58, with("0104 0000 00000000", http6())), true, "[2001:db8::5]:51022",
          "[2001:db8::9]:80", 6);
    quote(ip6(58, with("0200 0000 00000500",
                       ip6(60, with("2c 00 010400000000 06 00 0001 00000001", tcp("41"))))),
          true, "[2001:db8::5]:51022", "[2001:db8::9]:80", 6);
    quote(ip6(58, with("8000 0000 00000000", http6())), false, NULL, NULL, 0); /* echo request */
}

/* ---- fragments, through the decoder ---- */

static ccm_decode_result feed(ccm_decoder *d, guint link_type, packet *p, uint64_t frame,
                              ccm_packet *out)
{
    ccm_raw raw = { .data = p->data,
                    .captured = p->len,
                    .length = p->len,
                    .link_type = link_type,
                    .time_ns = frame * 1000 };
    ccm_decode_result r = ccm_decode(d, &raw, frame, out);
    g_byte_array_unref(p);
    return r;
}

static packet *fragment4(const packet *whole, guint from, guint to)
{
    packet *p = g_byte_array_new();
    g_byte_array_append(p, whole->data, 20);
    g_byte_array_append(p, whole->data + 20 + from, to - from);
    set16(p, 2, 20 + to - from);
    set16(p, 6, from / 8 | (20 + to < whole->len ? 0x2000 : 0));
    return p;
}

static void test_fragments4(void)
{
    ccm_decoder *d = new_decoder();
    ccm_packet out;
    packet *whole = ip4(6, tcp("000102030405060708090a0b0c0d0e0f1011")); /* 38 bytes after IP */
    ccm_decoder_begin_batch(d);
    g_assert_cmpint(feed(d, ETHERNET, ethernet(0x0800, fragment4(whole, 32, 38)), 1, &out), ==,
                    CCM_HELD);
    g_assert_cmpint(feed(d, ETHERNET, ethernet(0x0800, fragment4(whole, 0, 24)), 2, &out), ==,
                    CCM_HELD);
    g_assert_cmpint(feed(d, ETHERNET, ethernet(0x0800, fragment4(whole, 24, 32)), 3, &out), ==,
                    CCM_DECODED);
    check_ends(&out, "10.0.0.5:51022", "10.0.0.9:80");
    g_assert_cmpuint(out.frame, ==, 3);
    g_assert_cmpuint(out.time_ns, ==, 3000);
    g_assert_cmpuint(out.packets, ==, 3);
    g_assert_cmpuint(out.wire_bytes, ==, 3 * 34 + 38);
    g_assert_cmpuint(out.ip_bytes, ==, 3 * 20 + 38);
    g_assert_cmpuint(out.payload_len, ==, 18);
    g_assert_false(out.cut);
    g_assert_false(out.fragment);
    g_assert_cmpmem(out.payload.p, out.payload.n, whole->data + 40, 18);
    /* for classifiers: one IP packet that is no fragment */
    g_assert_cmpuint(out.ip.n, ==, 58);
    g_assert_cmpuint(out.ip.p[2] << 8 | out.ip.p[3], ==, 58);
    g_assert_cmpuint(out.ip.p[6] | out.ip.p[7], ==, 0);
    /* tshark agrees that a fragment inside GRE is a fragment of the inner datagram */
    g_assert_cmpint(feed(d, ETHERNET, gre("0000 0800", fragment4(whole, 0, 24)), 4, &out), ==,
                    CCM_HELD);
    g_assert_cmpint(feed(d, ETHERNET, gre("0000 0800", fragment4(whole, 24, 38)), 5, &out), ==,
                    CCM_DECODED);
    check_ends(&out, "10.0.0.5:51022", "10.0.0.9:80");
    g_assert_cmpuint(out.packets, ==, 2);
    g_assert_cmpuint(out.wire_bytes, ==, 2 * (14 + 20 + 4 + 20) + 38);
    g_assert_cmpuint(out.ip_bytes, ==, 2 * 20 + 38);
    g_byte_array_unref(whole);

    whole = outer4(4, http4()); /* a fragmented tunnel packet: 45 bytes after the outer header */
    g_assert_cmpint(feed(d, 101, fragment4(whole, 0, 40), 6, &out), ==, CCM_HELD);
    g_assert_cmpint(feed(d, 101, fragment4(whole, 40, 45), 7, &out), ==, CCM_DECODED);
    check_ends(&out, "10.0.0.5:51022", "10.0.0.9:80");
    g_assert_cmpuint(out.packets, ==, 2);
    g_assert_cmpuint(out.wire_bytes, ==, 2 * 20 + 45);
    g_assert_cmpuint(out.ip_bytes, ==, 45);
    g_assert_cmpmem(out.payload.p, out.payload.n, "GET /", 5);
    g_byte_array_unref(whole);
    g_assert_false(ccm_decoder_expired(d, UINT64_MAX, &out));
    ccm_decoder_free(d);
}

/* The rest of a datagram is not in the capture: its beginning is a shorter segment. */
static void test_fragment_start(void)
{
    ccm_decoder *d = new_decoder();
    ccm_packet out;
    packet *whole = ip4(6, tcp("474554202f20485454502f312e310d0a0d0a")); /* 38 bytes after IP */
    whole->data[20 + 13] |= 0x01; /* FIN: it would come behind what is missing */
    ccm_decoder_begin_batch(d);
    feed(d, ETHERNET, ethernet(0x0800, fragment4(whole, 0, 24)), 1, &out);
    feed(d, ETHERNET, ethernet(0x0800, fragment4(whole, 32, 38)), 2, &out);
    g_assert_true(ccm_decoder_expired(d, UINT64_MAX, &out));
    check_ends(&out, "10.0.0.5:51022", "10.0.0.9:80");
    g_assert_cmpuint(out.packets, ==, 2);
    g_assert_cmpuint(out.frame, ==, 2);
    g_assert_cmpuint(out.wire_bytes, ==, 2 * 34 + 30);
    g_assert_cmpuint(out.payload_len, ==, 4);
    g_assert_cmpmem(out.payload.p, out.payload.n, "GET ", 4);
    g_assert_cmpuint(out.tcp_flags & 0x01, ==, 0);
    g_assert_cmpuint(out.l4, ==, 6);
    g_assert_false(out.fragment);
    feed(d, ETHERNET, ethernet(0x0800, fragment4(whole, 0, 16)), 3, &out); /* half a header */
    g_assert_true(ccm_decoder_expired(d, UINT64_MAX, &out));
    g_assert_true(out.fragment);
    g_assert_cmpuint(out.src.port, ==, 0);
    g_assert_false(ccm_decoder_expired(d, UINT64_MAX, &out));
    g_byte_array_unref(whole);
    ccm_decoder_free(d);
}

static void test_fragments6(void)
{
    ccm_decoder *d = new_decoder();
    ccm_packet out;
    ccm_decoder_begin_batch(d);
    /* behind the fragment header: destination options, then UDP, 8 + 8 + 5 bytes */
    packet *a = ip6(44, with("3c 00 0001 0000002a 11 00 010400000000", hex("0035 1000 000d 0000")));
    packet *b = ip6(44, with("3c 00 0010 0000002a", hex("6162636465")));
    g_assert_cmpint(feed(d, 229, a, 1, &out), ==, CCM_HELD);
    g_assert_cmpint(feed(d, 229, b, 2, &out), ==, CCM_DECODED);
    check_ends(&out, "[2001:db8::5]:53", "[2001:db8::9]:4096");
    g_assert_cmpmem(out.payload.p, out.payload.n, "abcde", 5);
    g_assert_cmpuint(out.packets, ==, 2);
    g_assert_cmpuint(out.ip_bytes, ==, (40 + 8 + 16) + (40 + 8 + 5));
    g_assert_cmpuint(out.ip.n, ==, 40 + 21);
    g_assert_cmpuint(out.ip.p[6], ==, 60);
    g_assert_cmpuint(out.ip.p[5], ==, 21);
    ccm_decoder_free(d);
}

/* A reassembled datagram whose contents are broken: its fragments still count. */
static void test_fragments_broken(void)
{
    ccm_decoder *d = new_decoder();
    ccm_packet out;
    packet *whole = ip4(6, hex("0001020304050607 08090a0b0c0d0e0f"));
    g_assert_cmpint(feed(d, 101, fragment4(whole, 0, 8), 1, &out), ==, CCM_HELD);
    g_assert_cmpint(feed(d, 101, fragment4(whole, 8, 16), 2, &out), ==, CCM_UNDECODED);
    g_assert_cmpuint(out.packets, ==, 2);
    g_assert_cmpuint(out.wire_bytes, ==, 56);
    g_assert_cmpuint(out.l4, ==, 0);
    /* the same in a tunnel, whose outer header counts then */
    g_assert_cmpint(feed(d, ETHERNET, gre("0000 0800", fragment4(whole, 0, 8)), 3, &out), ==,
                    CCM_HELD);
    g_assert_cmpint(feed(d, ETHERNET, gre("0000 0800", fragment4(whole, 8, 16)), 4, &out), ==,
                    CCM_DECODED);
    check_ends(&out, "192.0.2.1:0", "192.0.2.2:0");
    g_assert_cmpuint(out.l4, ==, 47);
    g_assert_cmpuint(out.packets, ==, 2);
    g_assert_cmpuint(out.wire_bytes, ==, 2 * (14 + 20 + 4 + 20 + 8));
    g_byte_array_unref(whole);
    ccm_decoder_free(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/decode/gre", test_gre);
    g_test_add_func("/decode/gre-outer", test_gre_outer);
    g_test_add_func("/decode/udp-tunnels", test_udp_tunnels);
    g_test_add_func("/decode/ip-in-ip", test_ip_in_ip);
    g_test_add_func("/decode/icmp", test_icmp);
    g_test_add_func("/decode/fragments4", test_fragments4);
    g_test_add_func("/decode/fragment-start", test_fragment_start);
    g_test_add_func("/decode/fragments6", test_fragments6);
    g_test_add_func("/decode/fragments-broken", test_fragments_broken);
    return g_test_run();
}
