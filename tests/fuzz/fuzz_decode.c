/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_decode.c - the packet decoder and the defragmenter on any bytes.
 * In: a link type by its index (1 byte), then packets, each a two-byte little-endian length and its
 * bytes; a length whose top bit is set says that the rest of the frame was cut. Out: nothing;
 * broken promises of input.h abort. */
#include "input/input.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint16_t link_types[] = { 1, 0, 12, 14, 101, 108, 113, 228, 229, 276, 105 };

static void require(bool promise)
{
    if (!promise)
        abort();
}

static unsigned read_all(ccm_span s)
{
    unsigned sum = 0;
    for (size_t i = 0; i < s.n; i++)
        sum += s.p[i];
    return sum;
}

static void check(const ccm_packet *out, ccm_decode_result r)
{
    require(out->packets >= 1);
    require(out->payload.n <= out->payload_len);
    if (r != CCM_DECODED) {
        require(r == CCM_HELD || (out->l4 == 0 && out->src.addr.family == 0));
        return;
    }
    require(out->src.addr.family == 4 || out->src.addr.family == 6);
    require(out->src.addr.family == out->dst.addr.family);
    require(out->cut == (out->payload.n < out->payload_len));
    volatile unsigned sum = read_all(out->payload) + read_all(out->ip);
    (void)sum;
    ccm_packet quoted;
    if (ccm_decode_icmp_quote(out, &quoted))
        require(quoted.src.addr.family != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ccm_cursor c = ccm_cur(ccm_span_of(data, size));
    uint32_t link_type = link_types[ccm_cur_u8(&c) % G_N_ELEMENTS(link_types)];
    ccm_limits limits;
    ccm_limits_init(&limits);
    limits.fragments = 4; /* so that the bounds are met */
    ccm_decoder *decoder = ccm_decoder_new(&limits);
    uint64_t frames = 0, packets = 0, now = 0;
    ccm_packet out;
    while (ccm_cur_left(&c) >= 2) {
        unsigned head = ccm_cur_le16(&c);
        uint32_t n = (uint32_t)MIN(head & 0x7fff, ccm_cur_left(&c));
        ccm_span bytes = ccm_cur_take(&c, n);
        uint8_t *exact = n ? g_memdup2(bytes.p, n) : NULL; /* a read past the end is seen */
        ccm_raw raw = { .data = exact,
                        .captured = n,
                        .length = head & 0x8000 ? n + 100 : n,
                        .link_type = link_type,
                        .time_ns = now };
        now += UINT64_C(5000000000);
        ccm_decoder_begin_batch(decoder);
        ccm_decode_result r = ccm_decode(decoder, &raw, ++frames, &out);
        check(&out, r);
        if (r != CCM_HELD)
            packets += out.packets;
        while (frames % 3 == 0 && ccm_decoder_expired(decoder, now, &out))
            packets += out.packets;
        g_free(exact);
    }
    while (ccm_decoder_expired(decoder, UINT64_MAX, &out)) {
        require((out.fragment || out.l4 == 6) && out.packets >= 1);
        if (!out.fragment) /* the beginning of a segment */
            check(&out, CCM_DECODED);
        packets += out.packets;
    }
    require(packets == frames); /* each packet counts once */
    ccm_decoder_free(decoder);
    return 0;
}
