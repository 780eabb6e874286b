/* SPDX-License-Identifier: GPL-2.0-or-later
 * tcp.c - TCP headers of a flow: which connection, handshake, end, accounting.
 * In: decoded TCP packets. Out: what a packet adds to its run, and its payload as a segment.
 * State: in the flow. Spec: RFC 9293; RFC 7323 (no window exceeds 1 GiB). */
#include "flow/state.h"

#define MAX_WINDOW (UINT64_C(1) << 30)
#define COPY_NS UINT64_C(1000000)
#define REORDER_BYTES (UINT32_C(1) << 20) /* a SYN that comes later than data it preceded */

/* Data that cannot be of connection `f`: behind its end, or from far away, where either a message
 * begins or the data goes on. A single stray segment is ignored elsewhere. */
static bool is_other_data(const ccm_flow *f, unsigned side, const ccm_packet *p)
{
    const ccm_seq *seq = &f->dir[side].seq;

    if (!p->payload_len || !seq->high)
        return false;
    if (ccm_seq_is_far(seq, p->seq) && !ccm_conn_closed(f->saw))
        return ccm_seq_far_on(seq, p->seq, REORDER_BYTES) || ccm_feed_begins(f, p->payload);
    if (!ccm_conn_closed(f->saw))
        return false;
    uint64_t off = ccm_seq_offset(seq, p->seq);
    uint64_t room = f->saw & CCM_SAW_FIN << side ? 0 : REORDER_BYTES; /* sent before the RST came */
    return off + p->payload_len > seq->high + room || off + REORDER_BYTES < CCM_SEQ_ZERO;
}

/* A SYN that begins another connection on the ports of `f`, or data that belongs to another one. */
bool ccm_tcp_reused(const ccm_flow *f, unsigned side, const ccm_packet *p)
{
    const ccm_seq *seq = &f->dir[side].seq;
    bool synack = p->tcp_flags & CCM_TCP_ACK;

    if (p->tcp_flags & CCM_TCP_RST)
        return false;
    if (!(p->tcp_flags & CCM_TCP_SYN))
        return is_other_data(f, side, p);
    if (!seq->high)
        return !synack && ccm_conn_closed(f->saw);
    if (p->seq + 1 == seq->base) /* repeated, or late */
        return false;
    if ((f->saw & (synack ? CCM_SAW_SYNACK : CCM_SAW_SYN)) || ccm_conn_closed(f->saw))
        return true;
    uint64_t off = ccm_seq_offset(seq, p->seq + 1);
    return off > CCM_SEQ_ZERO || off + REORDER_BYTES < CCM_SEQ_ZERO;
}

/* A packet without identification (IPv6 has none): a mirror port's second copy is alike in all and
 * comes at once; a retransmission takes a round trip. Bare ACKs are alike by nature. The mark has
 * the time in its upper bits, which wrap after a second, so the flow must not have been idle. */
static bool is_copy(ccm_flow *f, unsigned side, const ccm_packet *p, uint32_t mark)
{
    enum { TIME_SHIFT = 18, MARK_BITS = 20, TICKS = 1 << (32 - MARK_BITS), NEAR = 3 };
    uint32_t *r = f->dir[side].recent, tick = (uint32_t)(p->time_ns >> TIME_SHIFT);
    bool found = false;

    if (!p->payload_len && !(p->tcp_flags & (CCM_TCP_SYN | CCM_TCP_FIN)))
        return false;
    mark = (mark + p->window * UINT32_C(0x10001)) * UINT32_C(0x9e3779b1) >> (32 - MARK_BITS);
    mark |= tick << MARK_BITS;
    for (unsigned i = 0; i < CCM_RECENT; i++)
        found |= !((r[i] ^ mark) << (32 - MARK_BITS)) &&
                 (((mark - r[i]) >> MARK_BITS) + NEAR) % TICKS <= 2 * NEAR;
    if (found && p->time_ns < f->last_ns + COPY_NS)
        return true;
    r[f->recent_at[side]++ % CCM_RECENT] = mark;
    return false;
}

typedef uint32_t marks __attribute__((vector_size(CCM_RECENT * sizeof(uint32_t))));

static inline marks marks_of(const uint32_t *recent)
{
    marks m;

    memcpy(&m, recent, sizeof m);
    return m;
}

static bool is_duplicate(ccm_flow *f, unsigned side, const ccm_packet *p)
{
    uint32_t *r = f->dir[side].recent;
    uint32_t mark = p->seq * 31 + p->ack * 7 + p->payload_len + p->tcp_flags;

    if (!p->ip_id)
        return is_copy(f, side, p, mark);
    mark = (uint32_t)p->ip_id << 16 | ((mark ^ mark >> 16) & 0xffff);
    marks all = (marks)(marks_of(r) == mark);
    uint64_t half[2];
    memcpy(half, &all, sizeof half);
    if (half[0] | half[1])
        return true;
    r[f->recent_at[side]++ % CCM_RECENT] = mark;
    return false;
}

static void account_syn(ccm_flow *f, unsigned side, const ccm_packet *p, bool duplicate)
{
    ccm_dir *d = &f->dir[side], *peer = &f->dir[!side];
    bool synack = p->tcp_flags & CCM_TCP_ACK;

    ccm_seq_syn(&d->seq, p->seq);
    if (synack)
        ccm_seq_begin(&peer->seq, p->ack);
    if (!peer->next && peer->seq.high)
        peer->next = CCM_SEQ_ZERO;
    if (!synack && f->count > 1 && !duplicate)
        f->syn_again = true;
    f->saw |= synack ? CCM_SAW_SYNACK : CCM_SAW_SYN;
    ccm_flow_orient(f, synack ? !side : side, CCM_BY_SYN);
}

static void account_ack(ccm_flow *f, unsigned side, const ccm_packet *p)
{
    if ((f->saw & CCM_SAW_ACK) || !(f->saw & CCM_SAW_SYN) || f->client != (int8_t)side)
        return;
    f->saw |= CCM_SAW_ACK;
    if ((f->saw & CCM_SAW_SYNACK) && !f->syn_again && p->time_ns > f->first_ns)
        f->rtt_ns = p->time_ns - f->first_ns;
}

/* Both sides have ended and the second FIN is acknowledged. */
static void account_last_ack(ccm_flow *f, unsigned side, const ccm_packet *p)
{
    const ccm_seq *peer = &f->dir[!side].seq;

    if (ccm_seq_offset(peer, p->ack) == peer->high)
        f->saw |= CCM_SAW_LAST_ACK;
}

static void account_rst(ccm_flow *f, unsigned side)
{
    f->resets++;
    if (f->client == (int8_t)!side && (f->saw & CCM_SAW_SYN) &&
        !(f->saw & (CCM_SAW_SYNACK | CCM_SAW_ACK)))
        f->saw |= CCM_SAW_EARLY_RST;
    f->saw |= CCM_SAW_RST;
}

static uint64_t acked_offset(const ccm_flow *f, unsigned side, const ccm_packet *p)
{
    const ccm_dir *peer = &f->dir[!side];

    if (!(p->tcp_flags & CCM_TCP_ACK) || !peer->seq.high || !(f->seen & (1u << !side)))
        return 0;
    uint64_t acked = ccm_seq_offset(&peer->seq, p->ack);
    return acked > peer->next + MAX_WINDOW ? 0 : acked; /* nobody can acknowledge that much */
}

/* The few segments that begin or end something; the payload is at *at. */
static G_GNUC_NO_INLINE uint32_t account_control(ccm_flow *f, unsigned side, const ccm_packet *p,
                                                 bool duplicate, uint64_t *at)
{
    ccm_dir *d = &f->dir[side];
    unsigned flags = p->tcp_flags;
    uint32_t seq = p->seq, fresh = 0;

    if (flags & CCM_TCP_SYN) {
        account_syn(f, side, p, duplicate);
        seq++;
    } else if ((flags & (CCM_TCP_ACK | CCM_TCP_RST)) == CCM_TCP_ACK) {
        account_ack(f, side, p);
    }
    if (p->payload_len) {
        fresh = ccm_seq_data(&d->seq, seq, p->payload_len, at);
        f->saw |= (uint16_t)(CCM_SAW_DATA << side);
    }
    if (flags & CCM_TCP_FIN) {
        uint64_t fin;
        (void)ccm_seq_data(&d->seq, seq + p->payload_len, 1, &fin);
        *at = fin ? fin - p->payload_len : 0;
        f->saw |= (uint16_t)(fin ? CCM_SAW_FIN << side : 0);
    }
    if (flags & CCM_TCP_RST)
        account_rst(f, side);
    return fresh;
}

/* Returns how many payload bytes are new, and sets *at to the offset of the payload; 0 = it has no
 * place in this connection. */
uint32_t ccm_tcp_account(ccm_flow *f, unsigned side, const ccm_packet *p, uint64_t *at)
{
    ccm_dir *d = &f->dir[side];
    unsigned flags = p->tcp_flags;
    uint32_t fresh = 0;
    bool duplicate = is_duplicate(f, side, p);

    *at = 0;
    if (duplicate)
        f->duplicates++;
    if (!p->window && (flags & (CCM_TCP_SYN | CCM_TCP_ACK | CCM_TCP_RST)) == CCM_TCP_ACK)
        f->zero_windows++;
    if (flags & (CCM_TCP_SYN | CCM_TCP_FIN | CCM_TCP_RST)) {
        fresh = account_control(f, side, p, duplicate, at);
    } else {
        if (flags & CCM_TCP_ACK) {
            if (!(f->saw & CCM_SAW_ACK))
                account_ack(f, side, p);
            if ((f->saw & (3 * CCM_SAW_FIN)) == 3 * CCM_SAW_FIN)
                account_last_ack(f, side, p);
        }
        if (p->payload_len) {
            fresh = ccm_seq_data(&d->seq, p->seq, p->payload_len, at);
            f->saw |= (uint16_t)(CCM_SAW_DATA << side);
        }
    }
    if (!d->next && d->seq.high)
        d->next = CCM_SEQ_ZERO;
    return fresh;
}

static void deliver_segment(ccm_flows *fs, ccm_flow *f, unsigned side, const ccm_packet *p,
                            uint64_t off)
{
    ccm_segment seg = { .off = off,
                        .time_ns = p->time_ns,
                        .frame = p->frame,
                        .acked = acked_offset(f, side, p),
                        .len = p->payload_len,
                        .data = p->payload,
                        .fin = p->tcp_flags & CCM_TCP_FIN,
                        .start = true };
    if (seg.data.n > seg.len)
        seg.data.n = seg.len;
    ccm_stream_segment(fs, f, side, &seg);
}

/* Hands the payload at offset `off`, or what a bare ACK tells, to the streams. */
void ccm_tcp_deliver(ccm_flows *fs, ccm_flow *f, unsigned side, const ccm_packet *p, uint64_t off)
{
    if (!p->payload_len && !(p->tcp_flags & CCM_TCP_FIN)) {
        if (f->waiting && !f->quiet)
            ccm_stream_ack(fs, f, side, acked_offset(f, side, p));
    } else if (off && (!f->quiet || ccm_feed_again(f, side, p->payload, off))) {
        deliver_segment(fs, f, side, p, off);
    }
}
