/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_decode.c - packets built by hand from the header formats of the RFCs; every value expected
 * here is one that the builder put in. Each packet is also decoded at every shorter captured
 * length, from memory that ends at an unreadable page. */
#include "input/input.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ETHERNET = 1, GUARD_ROOM = 64 * 1024 };

/* ---- a packet, from the inside out: each layer takes the inner one and frees it ---- */

typedef GByteArray packet;

static packet *hex(const char *text)
{
    packet *p = g_byte_array_new();
    for (; *text; text++) {
        if (*text == ' ')
            continue;
        uint8_t b = (uint8_t)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
        g_byte_array_append(p, &b, 1);
        text++;
    }
    return p;
}

static packet *with(const char *header, packet *inner)
{
    packet *p = hex(header);
    g_byte_array_append(p, inner->data, inner->len);
    g_byte_array_unref(inner);
    return p;
}

static void set16(packet *p, guint at, guint v)
{
    p->data[at] = (uint8_t)(v >> 8);
    p->data[at + 1] = (uint8_t)v;
}

/* ports 51022 -> 80, sequence 0x01020304, acknowledgment 0xa0b0c0d0, PSH ACK, window 0x1234 */
static packet *tcp(const char *payload)
{
    return with("c74e 0050 01020304 a0b0c0d0 5018 1234 0000 0000", hex(payload));
}

static packet *udp(guint source, guint target, packet *inner)
{
    guint n = inner->len + 8;
    packet *p = with("0000 0000 0000 0000", inner);
    set16(p, 0, source);
    set16(p, 2, target);
    set16(p, 4, n);
    return p;
}

static packet *ip4(guint protocol, packet *inner) /* 10.0.0.5 -> 10.0.0.9, identification 0x7788 */
{
    guint n = inner->len + 20;
    packet *p = with("4500 0000 7788 4000 4000 0000 0a000005 0a000009", inner);
    set16(p, 2, n);
    p->data[9] = (uint8_t)protocol;
    return p;
}

static packet *outer4(guint protocol, packet *inner) /* 192.0.2.1 -> 192.0.2.2 */
{
    guint n = inner->len + 20;
    packet *p = with("4500 0000 1111 0000 4000 0000 c0000201 c0000202", inner);
    set16(p, 2, n);
    p->data[9] = (uint8_t)protocol;
    return p;
}

static packet *ip6(guint next, packet *inner) /* 2001:db8::5 -> 2001:db8::9 */
{
    guint n = inner->len;
    packet *p = with("60000000 0000 00 40 20010db8000000000000000000000005 "
                     "20010db8000000000000000000000009",
                     inner);
    set16(p, 4, n);
    p->data[6] = (uint8_t)next;
    return p;
}

static packet *ethernet(guint type, packet *inner)
{
    packet *p = with("020000000002 020000000001 0000", inner);
    set16(p, 12, type);
    return p;
}

/* ---- decoding ---- */

typedef struct guard {
    uint8_t *base;
    size_t room;
} guard;

static guard guard_new(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    guard g = { .room = (GUARD_ROOM + page - 1) / page * page };
    g.base = mmap(NULL, g.room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(g.base != MAP_FAILED);
    g_assert_cmpint(mprotect(g.base + g.room, page, PROT_NONE), ==, 0);
    return g;
}

static ccm_decoder *new_decoder(void)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    return ccm_decoder_new(&limits);
}

static ccm_decode_result decode_at(const guard *g, ccm_decoder *d, guint link_type, const packet *p,
                                   guint captured, ccm_packet *out)
{
    uint8_t *at = g->base + g->room - captured;
    if (captured)
        memcpy(at, p->data, captured);
    ccm_raw raw = {
        .data = at, .captured = captured, .length = p->len, .link_type = link_type, .time_ns = 5
    };
    ccm_decoder_begin_batch(d);
    return ccm_decode(d, &raw, 7, out);
}

static void check_sane(const ccm_packet *out, const packet *p, guint captured, ccm_decode_result r)
{
    g_assert_cmpuint(out->packets, ==, 1);
    g_assert_cmpuint(out->wire_bytes, ==, p->len);
    g_assert_cmpuint(out->frame, ==, 7);
    g_assert_cmpuint(out->time_ns, ==, 5);
    g_assert_cmpuint(out->payload.n, <=, out->payload_len);
    g_assert_cmpuint(out->payload.n, <=, captured);
    g_assert_cmpuint(out->ip.n, <=, captured);
    g_assert_cmpint(out->cut, ==, out->payload.n < out->payload_len);
    if (r != CCM_DECODED)
        g_assert_true(out->l4 == 0 && out->src.addr.family == 0 && out->payload.n == 0);
    /* reading every byte of the spans must stay this side of the unreadable page */
    volatile unsigned sum = 0;
    for (size_t i = 0; i < out->payload.n; i++)
        sum += out->payload.p[i];
    for (size_t i = 0; i < out->ip.n; i++)
        sum += out->ip.p[i];
}

/* Decodes `p` whole (the result is returned) and at every shorter length. Consumes it. */
static ccm_decode_result decode_raw(guint link_type, packet *p, ccm_packet *out)
{
    static const uint8_t nothing = 0;
    guard g = guard_new();
    ccm_decoder *d = new_decoder();
    ccm_decode_result whole = decode_at(&g, d, link_type, p, p->len, out);
    check_sane(out, p, p->len, whole);
    size_t payload_n = out->payload.n;
    for (guint n = 0; n < p->len; n++) {
        ccm_packet cut;
        ccm_decode_result r = decode_at(&g, d, link_type, p, n, &cut);
        check_sane(&cut, p, n, r);
        if (r == CCM_DECODED && whole == CCM_DECODED && cut.l4 == out->l4)
            g_assert_true(cut.payload.n <= payload_n);
    }
    ccm_packet again;
    g_assert_false(ccm_decoder_expired(d, UINT64_MAX, &again));
    ccm_decoder_free(d);
    munmap(g.base, g.room + (size_t)sysconf(_SC_PAGESIZE));
    g_byte_array_unref(p);
    out->payload.p = &nothing; /* the memory is gone */
    out->ip.p = &nothing;
    return whole;
}

static void check_ends(const ccm_packet *out, const char *src, const char *dst)
{
    char a[CCM_ENDPOINT_TEXT], b[CCM_ENDPOINT_TEXT];
    g_assert_cmpstr(ccm_endpoint_text(&out->src, a), ==, src);
    g_assert_cmpstr(ccm_endpoint_text(&out->dst, b), ==, dst);
}

/* The TCP packet that tcp() and ip4() make, with `n` bytes of payload. */
static void check_tcp4(guint link_type, packet *p, guint n)
{
    ccm_packet out;
    g_assert_cmpint(decode_raw(link_type, p, &out), ==, CCM_DECODED);
    check_ends(&out, "10.0.0.5:51022", "10.0.0.9:80");
    g_assert_cmpuint(out.l4, ==, 6);
    g_assert_cmpuint(out.payload_len, ==, n);
    g_assert_cmpuint(out.payload.n, ==, n);
    g_assert_cmpuint(out.ip_bytes, ==, 40 + n);
    g_assert_cmpuint(out.ip.n, ==, 40 + n);
    g_assert_cmphex(out.seq, ==, 0x01020304);
    g_assert_cmphex(out.ack, ==, 0xa0b0c0d0);
    g_assert_cmphex(out.tcp_flags, ==, 0x18);
    g_assert_cmphex(out.window, ==, 0x1234);
    g_assert_cmphex(out.ip_id, ==, 0x7788);
    g_assert_false(out.cut);
}

static void check_tcp6(guint link_type, packet *p, guint n, guint ip_bytes)
{
    ccm_packet out;
    g_assert_cmpint(decode_raw(link_type, p, &out), ==, CCM_DECODED);
    check_ends(&out, "[2001:db8::5]:51022", "[2001:db8::9]:80");
    g_assert_cmpuint(out.payload_len, ==, n);
    g_assert_cmpuint(out.payload.n, ==, n);
    g_assert_cmpuint(out.ip_bytes, ==, ip_bytes);
    g_assert_cmpuint(out.ip_id, ==, 0);
}

static void check_result(guint link_type, packet *p, ccm_decode_result want)
{
    ccm_packet out;
    g_assert_cmpint(decode_raw(link_type, p, &out), ==, want);
}

static packet *http4(void)
{
    return ip4(6, tcp("474554202f"));
}

static packet *http6(void)
{
    return ip6(6, tcp("474554202f"));
}

/* ---- cases ---- */

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

static packet *gre(const char *header, packet *inner)
{
    return ethernet(0x0800, outer4(47, with(header, inner)));
}

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
    g_test_add_func("/decode/links", test_links);
    g_test_add_func("/decode/link-problem", test_link_problem);
    g_test_add_func("/decode/tags", test_tags);
    g_test_add_func("/decode/many-tags", test_many_tags);
    g_test_add_func("/decode/ip-lengths", test_ip_lengths);
    g_test_add_func("/decode/ip6-extensions", test_ip6_extensions);
    g_test_add_func("/decode/transport", test_transport);
    g_test_add_func("/decode/snaplen", test_snaplen);
    g_test_add_func("/decode/short-way", test_short_way);
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
