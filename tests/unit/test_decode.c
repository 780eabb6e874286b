/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_decode.c - link layers, tags, IP, TCP and UDP; every value expected here is one that the
 * builder of the packet put in. */
#include "packet_driver.h"

static void test_links(void)
{
    check_tcp4(ETHERNET, ethernet(0x0800, http4()), 5);
    check_tcp6(ETHERNET, ethernet(0x86dd, http6()), 5, 65);
    check_tcp4(113, with("0000 0001 0006 020000000001 0000 0800", http4()), 5);
    check_tcp6(276, with("86dd 0000 00000002 0001 00 06 0200000000010000", http6()), 5, 65);
    check_tcp4(101, http4(), 5);
    check_tcp6(101, http6(), 5, 65);
    check_tcp4(12, http4(), 5);
    check_tcp4(14, http4(), 5);
    check_tcp4(228, http4(), 5);
    check_tcp6(229, http6(), 5, 65);
    check_tcp4(0, with("02000000", http4()), 5);
    check_tcp4(0, with("00000002", http4()), 5);
    check_tcp6(0, with("1e000000", http6()), 5, 65);
    check_tcp6(0, with("0000001c", http6()), 5, 65);
    check_tcp6(0, with("18000000", http6()), 5, 65);
    check_tcp4(0, with("0f000800", http4()), 5); /* as tshark reads it: a type in the low half */
    check_tcp4(108, with("00000002", http4()), 5);
    check_tcp6(108, with("0000001e", http6()), 5, 65);
    check_result(228, http6(), CCM_UNDECODED);
    check_result(229, http4(), CCM_UNDECODED);
    check_result(105, http4(), CCM_UNDECODED);
    check_result(0, with("00000007", http4()), CCM_NOT_IP);
    check_result(113, with("0000 0338 0000 000000000000 0000 0010", http4()), CCM_NOT_IP);
}

static void test_link_problem(void)
{
    static const guint good[] = { 0, 1, 12, 14, 101, 108, 113, 228, 229, 276 };
    for (guint i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_null(ccm_link_type_problem(good[i]));
    g_assert_cmpstr(ccm_link_type_problem(105), ==,
                    "IEEE 802.11 (link type 105) is not supported; capture on the wired side");
    g_assert_nonnull(ccm_link_type_problem(127));
    g_assert_nonnull(ccm_link_type_problem(9));
    g_assert_nonnull(ccm_link_type_problem(4711));
}

static void test_tags(void)
{
    check_tcp4(ETHERNET, ethernet(0x8100, with("0000 0800", http4())), 5);
    check_tcp4(ETHERNET, ethernet(0x88a8, with("0064 8100 00c8 0800", http4())), 5);
    check_tcp6(ETHERNET, ethernet(0x9100, with("0064 86dd", http6())), 5, 65);
    check_tcp4(ETHERNET, ethernet(0x8847, with("00010040 00020140", http4())), 5);
    check_tcp6(ETHERNET, ethernet(0x8848, with("00020140", http6())), 5, 65);
    /* Ethernet pseudo-wires, with a control word and without */
    check_tcp4(ETHERNET, ethernet(0x8847, with("00020140 00000000", ethernet(0x0800, http4()))), 5);
    check_tcp4(ETHERNET, ethernet(0x8847, with("00020140", ethernet(0x0800, http4()))), 5);
    check_tcp4(ETHERNET, ethernet(0x8864, with("11 00 0001 002f 0021", http4())), 5);
    check_tcp4(ETHERNET, ethernet(0x8864, with("11 00 0001 002e 21", http4())), 5);
    check_tcp6(ETHERNET, ethernet(0x8864, with("11 00 0001 0043 0057", http6())), 5, 65);
    check_tcp4(ETHERNET, ethernet(0x8100, with("0064 8864 11 00 0001 002f 0021", http4())), 5);
    /* 802.3 with SNAP */
    check_tcp4(ETHERNET, ethernet(0x0035, with("aaaa03 000000 0800", http4())), 5);
    check_result(ETHERNET, ethernet(0x8864, with("11 00 0001 0004 c021", hex("0101"))), CCM_NOT_IP);
    check_result(ETHERNET, ethernet(0x8863, hex("11090000 0004 0101 0000")), CCM_NOT_IP);
    check_result(ETHERNET, ethernet(0x0806, hex("0001080006040001")), CCM_NOT_IP);
    check_result(ETHERNET, ethernet(0x0026, hex("4242030000000000")), CCM_NOT_IP); /* STP */
    check_result(ETHERNET, hex("02000000000202000000000108"), CCM_UNDECODED);
}

static void test_many_tags(void)
{
    packet *p = with("0000 0800", http4());
    for (guint i = 0; i < 1000; i++)
        p = with("0000 8100", p);
    check_result(ETHERNET, ethernet(0x8100, p), CCM_UNDECODED);
    p = with("00010140", http4());
    for (guint i = 0; i < 1000; i++)
        p = with("00010040", p);
    check_result(ETHERNET, ethernet(0x8847, p), CCM_UNDECODED);
    /* Frames in pseudo-wires, which can be read two ways each, and SNAP behind tags: bounded work
     */
    p = ethernet(0x0800, http4());
    for (guint i = 0; i < 300; i++)
        p = ethernet(0x8847, with("00000140 00000000", p));
    check_result(ETHERNET, p, CCM_NOT_IP);
    p = with("aaaa03 000000 0800", http4());
    for (guint i = 0; i < 300; i++)
        p = with("aaaa03 000000 8100 0000 05dc", p);
    check_result(ETHERNET, ethernet(0x05dc, p), CCM_NOT_IP);
}

static void test_ip_lengths(void)
{
    ccm_packet out;
    /* Ethernet pads to 60 bytes; the padding is no payload. */
    packet *p = ethernet(0x0800, ip4(6, tcp("")));
    g_byte_array_set_size(p, 60);
    memset(p->data + 54, 0xee, 6);
    check_tcp4(ETHERNET, p, 0);
    /* segmentation offload: total length 0, payload length 0 */
    p = http4();
    set16(p, 2, 0);
    check_tcp4(ETHERNET, ethernet(0x0800, p), 5);
    p = http6();
    set16(p, 4, 0);
    check_tcp6(ETHERNET, ethernet(0x86dd, p), 5, 65);
    /* IPv4 options */
    p = with("4600 0031 7788 4000 4006 0000 0a000005 0a000009 01010100", tcp("474554202f"));
    g_assert_cmpint(decode_raw(101, p, &out), ==, CCM_DECODED);
    check_ends(&out, "10.0.0.5:51022", "10.0.0.9:80");
    g_assert_cmpuint(out.payload_len, ==, 5);
    g_assert_cmpuint(out.ip_bytes, ==, 49);
    /* more said than held: what is missing was on the wire */
    p = http4();
    set16(p, 2, 45 + 1000);
    g_assert_cmpint(decode_raw(101, p, &out), ==, CCM_DECODED);
    g_assert_cmpuint(out.payload_len, ==, 1005);
    g_assert_cmpuint(out.payload.n, ==, 5);
    g_assert_true(out.cut);
    /* broken: header length 16, total below the header, version 5 */
    p = http4();
    p->data[0] = 0x44;
    check_result(101, p, CCM_UNDECODED);
    p = http4();
    set16(p, 2, 19);
    check_result(101, p, CCM_UNDECODED);
    p = http4();
    p->data[0] = 0x55;
    check_result(101, p, CCM_UNDECODED);
}

static void test_ip6_extensions(void)
{
    /* hop-by-hop (router alert), destination options, routing, AH of 24 bytes */
    check_tcp6(229, ip6(0, with("06 00 050200000100", tcp("41"))), 1, 40 + 8 + 21);
    check_tcp6(229,
               ip6(0, with("3c 00 010400000000 2b 00 010400000000 06 00 000000000000", tcp("41"))),
               1, 40 + 24 + 21);
    check_tcp6(229,
               ip6(51, with("06 04 0000 00000001 00000001 000000000000000000000000", tcp("41"))), 1,
               40 + 24 + 21);
    /* an atomic fragment is whole */
    check_tcp6(229, ip6(44, with("06 00 0000 12345678", tcp("41"))), 1, 40 + 8 + 21);
    /* jumbo option: payload length 0, 29 bytes after the fixed header; then Ethernet padding */
    packet *p = ip6(0, with("06 00 c204 0000001d", tcp("41")));
    set16(p, 4, 0);
    g_byte_array_append(p, (const guint8 *)"\0\0\0", 3);
    check_tcp6(229, p, 1, 40 + 29);
    ccm_packet out;
    p = with("60000000 0000 3b 40 20010db8000000000000000000000005 "
             "20010db8000000000000000000000009",
             hex("eeee"));
    g_assert_cmpint(decode_raw(229, p, &out), ==, CCM_DECODED);
    check_ends(&out, "[2001:db8::5]:0", "[2001:db8::9]:0");
    g_assert_cmpuint(out.l4, ==, 59);
    g_assert_cmpuint(out.payload_len, ==, 0);
    g_assert_cmpuint(out.ip_bytes, ==, 40);
    p = with("06 00 010400000000", tcp(""));
    for (guint i = 0; i < 100; i++)
        p = with("3c 00 010400000000", p);
    check_result(229, ip6(60, p), CCM_UNDECODED);
}

static void test_transport(void)
{
    ccm_packet out;
    g_assert_cmpint(decode_raw(101, ip4(17, udp(5353, 53, hex("0102030405"))), &out), ==,
                    CCM_DECODED);
    check_ends(&out, "10.0.0.5:5353", "10.0.0.9:53");
    g_assert_cmpuint(out.l4, ==, 17);
    g_assert_cmpuint(out.payload_len, ==, 5);
    packet *p = udp(1, 2, hex("0102030405")); /* UDP says less than IP */
    set16(p, 4, 10);
    g_assert_cmpint(decode_raw(101, ip4(17, p), &out), ==, CCM_DECODED);
    g_assert_cmpuint(out.payload_len, ==, 2);
    p = udp(1, 2, hex("0102030405"));
    set16(p, 4, 0);
    g_assert_cmpint(decode_raw(101, ip4(17, p), &out), ==, CCM_DECODED);
    g_assert_cmpuint(out.payload_len, ==, 5);
    p = udp(1, 2, hex(""));
    set16(p, 4, 7);
    check_result(101, ip4(17, p), CCM_UNDECODED);
    check_result(101, ip4(17, hex("0001000200")), CCM_UNDECODED);
    /* TCP with options: 24 bytes of header; a header that is too short, or longer than the packet
     */
    p = with("c74e 0050 01020304 a0b0c0d0 6018 1234 0000 0000 01010101", hex("414243"));
    g_assert_cmpint(decode_raw(101, ip4(6, p), &out), ==, CCM_DECODED);
    g_assert_cmpuint(out.payload_len, ==, 3);
    p = tcp("41");
    p->data[12] = 0x40;
    check_result(101, ip4(6, p), CCM_UNDECODED);
    p = tcp("41");
    p->data[12] = 0x60;
    check_result(101, ip4(6, p), CCM_UNDECODED);
    /* a protocol without ports */
    g_assert_cmpint(decode_raw(101, ip4(50, hex("0000000100000001aabb")), &out), ==, CCM_DECODED);
    check_ends(&out, "10.0.0.5:0", "10.0.0.9:0");
    g_assert_cmpuint(out.l4, ==, 50);
    g_assert_cmpuint(out.payload_len, ==, 10);
    /* AH in IPv4 is looked through; its length field counts 4-byte words less two (RFC 4302) */
    p = with("06 04 0000 00000001 00000001 000000000000000000000000", tcp("41"));
    g_assert_cmpint(decode_raw(101, ip4(51, p), &out), ==, CCM_DECODED);
    check_ends(&out, "10.0.0.5:51022", "10.0.0.9:80");
    g_assert_cmpuint(out.l4, ==, 6);
    g_assert_cmpuint(out.payload_len, ==, 1);
}

static void test_snaplen(void)
{
    guard g = guard_new();
    ccm_decoder *d = new_decoder();
    packet *p = ethernet(0x0800, http4());
    ccm_packet out;
    /* up to the window field: 14 + 20 + 16 bytes */
    g_assert_cmpint(decode_at(&g, d, ETHERNET, p, 49, &out), ==, CCM_UNDECODED);
    g_assert_cmpint(decode_at(&g, d, ETHERNET, p, 50, &out), ==, CCM_DECODED);
    check_ends(&out, "10.0.0.5:51022", "10.0.0.9:80");
    g_assert_cmpuint(out.payload_len, ==, 5);
    g_assert_cmpuint(out.payload.n, ==, 0);
    g_assert_true(out.cut);
    g_assert_cmpint(decode_at(&g, d, ETHERNET, p, 56, &out), ==, CCM_DECODED);
    g_assert_cmpuint(out.payload.n, ==, 2);
    g_assert_cmpmem(out.payload.p, out.payload.n, "GE", 2);
    g_assert_cmpuint(out.ip_bytes, ==, 45);
    g_assert_cmpuint(out.ip.n, ==, 42);
    g_byte_array_unref(p);
    ccm_decoder_free(d);
}

/* Ethernet with TCP in IPv4 takes a short way in the decoder. It must give what the same packet
 * gives behind a VLAN tag, at every captured length and with every wrong byte. */
static void test_short_way(void)
{
    guard g = guard_new(), h = guard_new();
    ccm_decoder *d = new_decoder();
    for (guint at = 0; at < 46; at++) {
        for (guint flip = 0; flip < 8; flip++) {
            packet *a = ethernet(0x0800, ip4(6, tcp("474554202f")));
            if (at < 45)
                a->data[14 + at] ^= (uint8_t)(1u << flip);
            packet *b = ethernet(0x8100, with("0064 0800", hex("")));
            g_byte_array_append(b, a->data + 14, a->len - 14);
            for (guint n = 14; n <= a->len; n++) {
                ccm_packet x, y;
                ccm_decode_result r = decode_at(&g, d, ETHERNET, a, n, &x);
                g_assert_cmpint(decode_at(&h, d, ETHERNET, b, n + 4, &y), ==, r);
                while (r == CCM_HELD && ccm_decoder_expired(d, UINT64_MAX, &x))
                    continue;
                if (r != CCM_DECODED)
                    continue;
                g_assert_cmpmem(x.payload.p, x.payload.n, y.payload.p, y.payload.n);
                g_assert_cmpmem(x.ip.p, x.ip.n, y.ip.p, y.ip.n);
                g_assert_cmpuint(x.wire_bytes + 4, ==, y.wire_bytes);
                y.payload = x.payload;
                y.ip = x.ip;
                y.wire_bytes = x.wire_bytes;
                g_assert_cmpint(ccm_addr_cmp(&x.src.addr, &y.src.addr), ==, 0);
                g_assert_cmpint(ccm_addr_cmp(&x.dst.addr, &y.dst.addr), ==, 0);
                g_assert_true(x.src.port == y.src.port && x.dst.port == y.dst.port);
                g_assert_true(x.l4 == y.l4 && x.tcp_flags == y.tcp_flags && x.cut == y.cut);
                g_assert_true(x.ip_id == y.ip_id && x.window == y.window);
                g_assert_true(x.seq == y.seq && x.ack == y.ack);
                g_assert_true(x.packets == y.packets && x.ip_bytes == y.ip_bytes);
                g_assert_true(x.payload_len == y.payload_len);
            }
            g_byte_array_unref(a);
            g_byte_array_unref(b);
        }
    }
    ccm_decoder_free(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/decode/links", test_links);
    g_test_add_func("/decode/link-problem", test_link_problem);
    g_test_add_func("/decode/tags", test_tags);
    g_test_add_func("/decode/many-tags", test_many_tags);
    g_test_add_func("/decode/ip-lengths", test_ip_lengths);
    g_test_add_func("/decode/ip6-extensions", test_ip6_extensions);
    g_test_add_func("/decode/transport", test_transport);
    g_test_add_func("/decode/snaplen", test_snaplen);
    g_test_add_func("/decode/short-way", test_short_way);
    return g_test_run();
}
