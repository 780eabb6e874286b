/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_flow.c - fuzz target: packets of a few flows with any flags, numbers, lengths and times.
 * Each record is 12 bytes and a payload. Every packet must be accounted for exactly once.
 *
 *   0 kind: bits 0-1 TCP, UDP, ICMP, not IP; bit 2 direction; bit 3 cut; bit 4 fragment; bits 5-7
 * port 1 TCP flags    2-4 sequence number (times 1, or 2^16 with flag 0x80)    5-7 acknowledgement
 *   8 payload bytes    9 IP id    10-11 milliseconds since the packet before */
#include <stdlib.h>

#include "flow/flow.h"
#include "observe/obs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct sums {
    uint64_t packets, wire;
} sums;

static void on_obs(void *user_data, const ccm_obs *o)
{
    sums *s = user_data;

    for (int i = 0; i < o->n; i++)
        if (!ccm_kind_has(o->kind, ccm_obs_key(o, (unsigned)i)))
            abort();
    if (o->kind == CCM_OBS_run) {
        s->packets += ccm_obs_get_u64(o, CCM_KEY_packets);
        s->wire += ccm_obs_get_u64(o, CCM_KEY_wire_bytes);
    }
}

static uint32_t number(ccm_cursor *c, bool wide)
{
    uint32_t n = (uint32_t)ccm_cur_u8(c) << 16;

    n |= ccm_cur_be16(c);
    return wide ? n << 8 : n;
}

static void packet_read(ccm_cursor *c, ccm_packet *p, uint64_t *now)
{
    static const uint8_t l4[] = { 6, 17, 1, 0 };
    unsigned kind = ccm_cur_u8(c);

    *p = (ccm_packet){ .l4 = l4[kind & 3], .packets = 1, .fragment = kind & 16, .window = 1 };
    p->tcp_flags = ccm_cur_u8(c);
    p->seq = number(c, p->tcp_flags & 0x80);
    p->ack = number(c, p->tcp_flags & 0x80);
    unsigned len = ccm_cur_u8(c);
    p->ip_id = ccm_cur_u8(c);
    p->time_ns = *now += ccm_cur_be16(c) * UINT64_C(1000000);
    p->payload = ccm_cur_take(c, MIN(len, ccm_cur_left(c)));
    p->payload_len = len;
    p->cut = p->payload.n < len;
    if (kind & 8)
        p->payload_len += 1000;
    p->ip = p->payload;
    p->wire_bytes = 54 + p->payload_len;
    p->ip_bytes = 40 + p->payload_len;
    p->icmp_type = p->tcp_flags;
    p->src = (ccm_endpoint){ .addr = { 4, { 10, 0, 0, 1 } }, .port = (uint16_t)(kind >> 5) };
    p->dst = (ccm_endpoint){ .addr = { 4, { 10, 0, 0, 2 } }, .port = 80 };
    if (kind & 4) {
        ccm_endpoint e = p->src;
        p->src = p->dst;
        p->dst = e;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ccm_limits limits;
    sums got = { 0 }, want = { 0 };
    uint64_t now = UINT64_C(1700000000000000000);
    ccm_cursor c = ccm_cur(ccm_span_of(data, size));

    ccm_limits_init(&limits);
    limits.flows = 4;
    limits.segments = 8;
    limits.stream_bytes = 2000;
    limits.pending_bytes = 3000;
    limits.head_bytes = 600;
    ccm_flows *flows = ccm_flows_new(&limits, true, on_obs, &got);
    while (ccm_cur_left(&c) >= 12) {
        ccm_packet p;
        packet_read(&c, &p, &now);
        p.frame = ++want.packets;
        want.wire += p.wire_bytes;
        if (p.l4)
            ccm_flows_batch(flows, &p, 1);
        else
            ccm_flows_not_ip(flows, p.time_ns, p.frame, p.wire_bytes);
    }
    ccm_flows_finish(flows);
    ccm_flows_free(flows);
    if (got.packets != want.packets || got.wire != want.wire)
        abort();
    return 0;
}
