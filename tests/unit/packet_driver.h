/* SPDX-License-Identifier: GPL-2.0-or-later
 * packet_driver.h - packets built by hand from the header formats of the RFCs, and a decoder that
 * is shown each of them at every shorter captured length, in memory that ends at an unreadable
 * page. */
#ifndef CCM_TEST_PACKET_DRIVER_H
#define CCM_TEST_PACKET_DRIVER_H

#include "input/input.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ETHERNET = 1, GUARD_ROOM = 64 * 1024 };

/* ---- a packet, from the inside out: each layer takes the inner one and frees it ---- */

typedef GByteArray packet;

static inline packet *hex(const char *text)
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

static inline packet *with(const char *header, packet *inner)
{
    packet *p = hex(header);
    g_byte_array_append(p, inner->data, inner->len);
    g_byte_array_unref(inner);
    return p;
}

static inline void set16(packet *p, guint at, guint v)
{
    p->data[at] = (uint8_t)(v >> 8);
    p->data[at + 1] = (uint8_t)v;
}

/* ports 51022 -> 80, sequence 0x01020304, acknowledgment 0xa0b0c0d0, PSH ACK, window 0x1234 */
static inline packet *tcp(const char *payload)
{
    return with("c74e 0050 01020304 a0b0c0d0 5018 1234 0000 0000", hex(payload));
}

static inline packet *udp(guint source, guint target, packet *inner)
{
    guint n = inner->len + 8;
    packet *p = with("0000 0000 0000 0000", inner);
    set16(p, 0, source);
    set16(p, 2, target);
    set16(p, 4, n);
    return p;
}

static inline packet *ip4(guint protocol,
                          packet *inner) /* 10.0.0.5 -> 10.0.0.9, identification 0x7788 */
{
    guint n = inner->len + 20;
    packet *p = with("4500 0000 7788 4000 4000 0000 0a000005 0a000009", inner);
    set16(p, 2, n);
    p->data[9] = (uint8_t)protocol;
    return p;
}

static inline packet *outer4(guint protocol, packet *inner) /* 192.0.2.1 -> 192.0.2.2 */
{
    guint n = inner->len + 20;
    packet *p = with("4500 0000 1111 0000 4000 0000 c0000201 c0000202", inner);
    set16(p, 2, n);
    p->data[9] = (uint8_t)protocol;
    return p;
}

static inline packet *ip6(guint next, packet *inner) /* 2001:db8::5 -> 2001:db8::9 */
{
    guint n = inner->len;
    packet *p = with("60000000 0000 00 40 20010db8000000000000000000000005 "
                     "20010db8000000000000000000000009",
                     inner);
    set16(p, 4, n);
    p->data[6] = (uint8_t)next;
    return p;
}

static inline packet *ethernet(guint type, packet *inner)
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

static inline guard guard_new(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    guard g = { .room = (GUARD_ROOM + page - 1) / page * page };
    g.base = mmap(NULL, g.room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(g.base != MAP_FAILED);
    g_assert_cmpint(mprotect(g.base + g.room, page, PROT_NONE), ==, 0);
    return g;
}

static inline ccm_decoder *new_decoder(void)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    return ccm_decoder_new(&limits);
}

static inline ccm_decode_result decode_at(const guard *g, ccm_decoder *d, guint link_type,
                                          const packet *p, guint captured, ccm_packet *out)
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

static inline void check_sane(const ccm_packet *out, const packet *p, guint captured,
                              ccm_decode_result r)
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
static inline ccm_decode_result decode_raw(guint link_type, packet *p, ccm_packet *out)
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

static inline void check_ends(const ccm_packet *out, const char *src, const char *dst)
{
    char a[CCM_ENDPOINT_TEXT], b[CCM_ENDPOINT_TEXT];
    g_assert_cmpstr(ccm_endpoint_text(&out->src, a), ==, src);
    g_assert_cmpstr(ccm_endpoint_text(&out->dst, b), ==, dst);
}

/* The TCP packet that tcp() and ip4() make, with `n` bytes of payload. */
static inline void check_tcp4(guint link_type, packet *p, guint n)
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

static inline void check_tcp6(guint link_type, packet *p, guint n, guint ip_bytes)
{
    ccm_packet out;
    g_assert_cmpint(decode_raw(link_type, p, &out), ==, CCM_DECODED);
    check_ends(&out, "[2001:db8::5]:51022", "[2001:db8::9]:80");
    g_assert_cmpuint(out.payload_len, ==, n);
    g_assert_cmpuint(out.payload.n, ==, n);
    g_assert_cmpuint(out.ip_bytes, ==, ip_bytes);
    g_assert_cmpuint(out.ip_id, ==, 0);
}

static inline void check_result(guint link_type, packet *p, ccm_decode_result want)
{
    ccm_packet out;
    g_assert_cmpint(decode_raw(link_type, p, &out), ==, want);
}

static inline packet *http4(void)
{
    return ip4(6, tcp("474554202f"));
}

static inline packet *http6(void)
{
    return ip6(6, tcp("474554202f"));
}

static inline packet *gre(const char *header, packet *inner)
{
    return ethernet(0x0800, outer4(47, with(header, inner)));
}

#endif
