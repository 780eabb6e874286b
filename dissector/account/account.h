/* SPDX-License-Identifier: GPL-2.0-or-later
 * account.h - accounting from headers alone, without payload.
 * In: sequence numbers, lengths, flags, times. Out: which bytes are new, repeated or missing, the
 * runs of a direction, and how a connection went. State: one ccm_seq and one ccm_run for each
 * direction, owned by the caller, all zero at first. Spec: RFC 9293 sections 3.4 and 3.5. */
#ifndef CCM_ACCOUNT_ACCOUNT_H
#define CCM_ACCOUNT_ACCOUNT_H

#include "base/base.h"

/* ---- sequence space of one direction --------------------------------------------------------- */

/* Sequence numbers are unwrapped to 64-bit offsets; the first data byte after the SYN (or the first
 * one seen, without a SYN) has offset CCM_SEQ_ZERO, so that earlier ones remain positive. */
#define CCM_SEQ_ZERO (UINT64_C(1) << 32)
enum { CCM_SEQ_HOLES = 64 };
/* The largest window there is (RFC 7323, 2.3): what is further from the highest number seen is not
 * of this connection, or nobody knows how often the numbers wrapped in between. */
#define CCM_SEQ_FAR (UINT32_C(1) << 30)

/* Numbers in [from, to) that no packet has had yet. */
typedef struct ccm_hole {
    uint64_t from, to;
} ccm_hole;

typedef struct ccm_holes {
    uint64_t missing; /* of holes that were given up because there were too many */
    uint64_t gaps;    /* how many those were */
    uint32_t far_end; /* number after the latest segment from far away */
    bool far;         /* there was one */
    uint32_t n, room;
    ccm_hole *hole; /* ascending */
} ccm_holes;

typedef struct ccm_seq {
    uint64_t high;    /* offset after the highest number seen; 0 = nothing seen */
    ccm_holes *holes; /* NULL until the first hole */
    uint32_t base;    /* sequence number of offset CCM_SEQ_ZERO */
    uint32_t low;     /* low half of the lowest offset seen */
} ccm_seq;

/* The direction's data begins at `seq`, as a SYN or the other side's first ACK tells. No effect
 * when something was seen before. */
void ccm_seq_begin(ccm_seq *s, uint32_t seq);
/* `len` numbers from `seq` on were seen; returns how many of them are new and sets *off. Those from
 * far away are new, have no offset (0) and change nothing else. */
uint32_t ccm_seq_cover(ccm_seq *s, uint32_t seq, uint32_t len, uint64_t *off);
/* Does `seq` go on, within `room` numbers, where the latest segment from far away ended? */
bool ccm_seq_far_on(const ccm_seq *s, uint32_t seq, uint32_t room);
/* Numbers missing so far, and in how many runs. */
uint64_t ccm_seq_missing(const ccm_seq *s, uint64_t *gaps);
void ccm_seq_clear(ccm_seq *s);

/* The offset of `seq`, taken as the one nearest to the highest seen. Only once something was seen.
 */
static inline uint64_t ccm_seq_offset(const ccm_seq *s, uint32_t seq)
{
    uint32_t top = (uint32_t)s->high + s->base; /* CCM_SEQ_ZERO has a zero low half */

    return s->high + (uint64_t)(int64_t)(int32_t)(seq - top);
}

/* Is `seq` further away than any window allows? */
static inline bool ccm_seq_is_far(const ccm_seq *s, uint32_t seq)
{
    uint32_t top = (uint32_t)s->high + s->base;

    return s->high && seq - top + CCM_SEQ_FAR > 2 * CCM_SEQ_FAR;
}

/* Payload: the common case, in order and new, costs a few instructions. */
static inline uint32_t ccm_seq_data(ccm_seq *s, uint32_t seq, uint32_t len, uint64_t *off)
{
    if (s->high && seq == (uint32_t)s->high + s->base &&
        (uint32_t)s->high - s->low + (uint64_t)len < (UINT64_C(1) << 31)) {
        *off = s->high;
        s->high += len;
        return len;
    }
    return ccm_seq_cover(s, seq, len, off);
}

/* The direction begins with a SYN that has number `seq`. */
static inline void ccm_seq_syn(ccm_seq *s, uint32_t seq)
{
    uint64_t off;

    if (s->high) {
        (void)ccm_seq_cover(s, seq, 1, &off);
        return;
    }
    s->base = seq + 1;
    s->high = CCM_SEQ_ZERO;
    s->low = (uint32_t)(CCM_SEQ_ZERO - 1);
}

/* ---- runs ------------------------------------------------------------------------------------ */

#define CCM_RUN_SILENCE_NS UINT64_C(250000000)
#define CCM_NS_PER_S UINT64_C(1000000000)

/* Packets of one direction between two silences, inside one epoch second. packets 0 = none open. */
typedef struct ccm_run {
    uint64_t start_ns, frame;
    uint32_t span_ns; /* start to last packet */
    uint32_t rest_ns; /* start to the end of its second */
    uint32_t data_ns; /* start to the last packet with new bytes */
    uint32_t packets, wire_bytes, ip_bytes, payload_bytes, unique_bytes;
} ccm_run;

/* What one packet adds. */
typedef struct ccm_run_part {
    uint64_t time_ns, frame;
    uint32_t packets, wire_bytes, ip_bytes, payload_bytes, unique_bytes;
} ccm_run_part;

/* packets, wire_bytes, ip_bytes and payload_bytes of a run or a part, to be handled at once. */
typedef uint32_t ccm_run_four __attribute__((vector_size(16)));

static inline ccm_run_four ccm_run_four_of(const uint32_t *packets)
{
    ccm_run_four v;

    memcpy(&v, packets, sizeof v);
    return v;
}

/* Whether the open run must be closed before `part` is added. */
static inline bool ccm_run_over(const ccm_run *run, const ccm_run_part *part)
{
    if (!run->packets)
        return false;
    uint64_t since = part->time_ns - run->start_ns; /* huge when the packet is older */
    if (since >= run->rest_ns || since > run->span_ns + CCM_RUN_SILENCE_NS) {
        if (part->time_ns >= run->start_ns ||
            part->time_ns / CCM_NS_PER_S != run->start_ns / CCM_NS_PER_S)
            return true;
    }
    /* The counters are narrow so that a flow stays small: stop long before they overflow, unless
     * a single packet claims to be larger than any. */
    ccm_run_four all = ccm_run_four_of(&run->packets) | ccm_run_four_of(&part->packets);
    uint64_t half[2];
    memcpy(half, &all, sizeof half);
    return (half[0] | half[1]) & UINT64_C(0x8000000080000000);
}

static inline void ccm_run_add(ccm_run *run, const ccm_run_part *part)
{
    if (!run->packets) {
        run->start_ns = part->time_ns;
        run->frame = part->frame;
        run->span_ns = 0;
        run->rest_ns = (uint32_t)(CCM_NS_PER_S - part->time_ns % CCM_NS_PER_S);
        run->data_ns = 0;
    } else if (part->time_ns < run->start_ns) { /* packets are not always in time order */
        run->span_ns += (uint32_t)(run->start_ns - part->time_ns);
        run->rest_ns += (uint32_t)(run->start_ns - part->time_ns);
        run->data_ns += run->unique_bytes ? (uint32_t)(run->start_ns - part->time_ns) : 0;
        run->start_ns = part->time_ns;
    } else if (part->time_ns - run->start_ns > run->span_ns) {
        run->span_ns = (uint32_t)(part->time_ns - run->start_ns);
    }
    if (part->unique_bytes)
        run->data_ns = MAX(run->data_ns, (uint32_t)(part->time_ns - run->start_ns));
    ccm_run_four sums = ccm_run_four_of(&run->packets) + ccm_run_four_of(&part->packets);
    memcpy(&run->packets, &sums, sizeof sums);
    run->unique_bytes += part->unique_bytes;
}

/* ---- connection state ------------------------------------------------------------------------ */

enum {
    CCM_TCP_FIN = 0x01,
    CCM_TCP_SYN = 0x02,
    CCM_TCP_RST = 0x04,
    CCM_TCP_ACK = 0x10,
};

/* What was seen of a connection, a bit each; sides are 0 and 1. */
enum {
    CCM_SAW_SYN = 1 << 0, /* without ACK */
    CCM_SAW_SYNACK = 1 << 1,
    CCM_SAW_ACK = 1 << 2, /* the client's ACK of the SYN-ACK */
    CCM_SAW_RST = 1 << 3,
    CCM_SAW_FIN = 1 << 4,         /* << side */
    CCM_SAW_DATA = 1 << 6,        /* << side */
    CCM_SAW_UNREACHABLE = 1 << 8, /* an ICMP error answered the SYN */
    CCM_SAW_EARLY_RST = 1 << 9,   /* a RST answered the SYN */
    CCM_SAW_LAST_ACK = 1 << 10,   /* of the second FIN */
    CCM_SAW_ENDS = CCM_SAW_RST | 3 * CCM_SAW_FIN | CCM_SAW_LAST_ACK,
};

typedef enum ccm_conn_state {
    CCM_CONN_ESTABLISHED,
    CCM_CONN_REFUSED,
    CCM_CONN_UNANSWERED,
    CCM_CONN_MIDSTREAM,
} ccm_conn_state;

ccm_conn_state ccm_conn_state_of(unsigned saw);

/* Both sides have sent FIN, or one has sent RST. */
static inline bool ccm_conn_closed(unsigned saw)
{
    return (saw & CCM_SAW_RST) || (saw & (3 * CCM_SAW_FIN)) == 3 * CCM_SAW_FIN;
}

#endif
