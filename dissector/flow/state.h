/* SPDX-License-Identifier: GPL-2.0-or-later
 * state.h - what the files of flow/ share: a flow, its directions, the table. Not for others. */
#ifndef CCM_FLOW_STATE_H
#define CCM_FLOW_STATE_H

#include "account/account.h"
#include "flow/classify.h"
#include "flow/flow.h"
#include "proto/proto.h"

enum {
    CCM_PROBE_SEGMENTS = 8, /* payload segments of a direction that parsers may refuse */
    CCM_PROBE_BYTES = 1024, /* of what may be a first line, in any number of segments */
    CCM_RECENT = 4,         /* packets of a direction remembered to tell duplicates */
    CCM_CHUNK = 16384,      /* flows of a slab chunk */
    CCM_CLAIMS = 16,        /* times that parsers may claim one flow */
    CCM_PROTO_NONE = 0xff,
};

/* Two endpoints in a fixed order, protocol and family; padded words compare cheaply.
 * IPv4: w[0], w[1] = address << 16 | port. IPv6: addresses in w[0..3], ports in w[4]. */
typedef struct ccm_flow_key {
    uint64_t w[5];
} ccm_flow_key;

/* Bytes that wait for earlier ones, or for the other side's. */
typedef struct ccm_wait {
    struct ccm_wait *next;
    uint64_t off, time_ns, frame;
    uint64_t last_ns, last_frame; /* of the last segment of a bare range */
    uint64_t acked;               /* offset of the peer that the segment acknowledges; 0 = none */
    uint32_t len;                 /* on the wire */
    uint32_t have;                /* captured */
    uint32_t count;               /* packets of the flow when it came */
    bool bare;                    /* inside a skip: a range without data */
    bool first;                   /* goes before the peer's bytes that it acknowledges */
    uint8_t data[];
} ccm_wait;

enum { CCM_RUNS_KEPT = 4, CCM_RUN_BLOCKS = 128, CCM_RUN_CHUNKS = 256 };

/* Closed runs of a flow, handed on together: its receiver then finds what it keeps of the flow in
 * the cache. */
typedef struct ccm_run_block {
    struct ccm_run_block *next; /* while free */
    ccm_run run[CCM_RUNS_KEPT];
} ccm_run_block;

/* The part of a direction that few need; allocated on first need. */
typedef struct ccm_stream {
    ccm_wait *head, *tail;
    uint32_t n_waiting;
    size_t held;                /* bytes of memory that wait */
    uint64_t acked;             /* highest offset the peer acknowledged while something waited */
    uint64_t fin;               /* offset after the last byte; 0 = unknown */
    uint64_t skip;              /* bytes left to skip; UINT64_MAX = until the end */
    uint64_t fin_ns, fin_frame; /* of its segment */
    uint64_t skipped, skip_missing; /* of this skip so far */
    uint8_t *carry;                 /* what the parser left unused */
    size_t carry_n, carry_room;
    bool carry_at_start; /* carry begins where a segment began */
    bool carry_tail;     /* only parsers that asked for it see the carry */
} ccm_stream;

typedef struct ccm_dir {
    ccm_seq seq;
    uint64_t next; /* offset of the first byte that no parser was shown; 0 = nothing seen */
    ccm_stream *stream;
    ccm_run run;
    uint32_t recent[CCM_RECENT];
} ccm_dir;

typedef enum ccm_orientation {
    CCM_BY_NONE,
    CCM_BY_SYN,
    CCM_BY_CONTENT,
    CCM_BY_PORT
} ccm_orientation;

typedef struct ccm_flow {
    ccm_flow_key key;
    uint64_t last_ns; /* latest packet */
    uint32_t hash;
    uint32_t index;   /* in the slab; while free, the next free one */
    uint64_t id;      /* 0 = free */
    uint32_t count;   /* packets, wrapping */
    uint16_t saw;     /* CCM_SAW_ */
    uint16_t waiting; /* segments waiting in both directions */
    uint8_t l4;
    uint8_t proto;    /* index of the parser, or CCM_PROTO_NONE */
    uint8_t shown[2]; /* payload segments shown to probes, at most CCM_PROBE_SEGMENTS */
    uint8_t seen;     /* a packet came from side 0 (1), side 1 (2) */
    uint8_t ended;    /* directions whose FIN was passed on, as `seen` */
    uint8_t recent_at[2];
    int8_t client; /* side that is the client; -1 = not known yet */
    uint8_t how;   /* ccm_orientation */
    uint8_t first_side;
    uint8_t bad; /* parsers that gave up on it, a bit each */
    uint8_t claims;
    bool tcp : 1;       /* l4 is TCP and the packets have ports */
    bool lossy : 1;     /* bytes were lost before a parser saw them */
    bool quiet : 1;     /* no parser wants the rest */
    bool look_due : 1;  /* the clock hand will look within RUN_LOOK of the last packet */
    bool syn_again : 1; /* the SYN was repeated, so the handshake cannot be timed */
    uint8_t n_closed, closed_sides; /* runs in `closed`, and whose they are, a bit each */
    uint32_t duplicates, conflicts;
    ccm_dir dir[2];
    uint64_t first_ns, first_frame;
    uint64_t rtt_ns;
    void *state;           /* the parser's */
    ccm_run_block *closed; /* NULL = none */
    ccm_memo memo;
    ccm_classify_flow hint;
    uint32_t zero_windows, resets;
} ccm_flow;

G_STATIC_ASSERT(sizeof(ccm_flow) % 64 == 0); /* whole cache lines */

/* Limits this folder enforces, for the counters. */
enum {
    CCM_HIT_FLOWS,
    CCM_HIT_SEGMENTS,
    CCM_HIT_STREAM,
    CCM_HIT_PENDING,
    CCM_HIT_HEAD,
    CCM_HIT_CLASSIFIER,
    CCM_HITS
};

struct ccm_flows {
    ccm_limits limits;
    ccm_obs_fn emit;
    void *ud;
    bool no_classify;
    bool no_runs;               /* bytes are not accounted */
    ccm_obs_flow_fn structs;    /* NULL: runs and connections are told as observations */
    ccm_classifier *classifier; /* created on first need */
    uint64_t *slots;            /* tag << 32 | index + 1; 0 = empty */
    uint32_t mask;
    uint32_t n_flows;
    uint64_t seed[2];
    ccm_flow **chunks;
    uint32_t sweep_owed; /* entries that the hand is to pass */
    ccm_run_block *run_chunks[CCM_RUN_CHUNKS], *free_runs;
    uint32_t n_run_chunks;
    int32_t *due;       /* for each slab entry: tick at which to look at it */
    uint32_t n_entries; /* slab entries used so far */
    uint32_t room;      /* slab entries allocated */
    uint32_t free_head; /* index + 1 of a free entry */
    uint32_t hand;
    uint64_t zero_ns;         /* time of tick 0 */
    uint64_t now_ns;          /* latest time seen, of those that others confirm: ccm_clock */
    uint64_t backward;        /* steps back of the packets' time */
    uint32_t far;             /* packets in a row that are far from now_ns */
    bool late;                /* the packet at work came long ago */
    uint64_t at_ns, at_frame; /* of the packet at work, for observations */
    uint64_t next_id;
    uint64_t gaps;
    size_t held;    /* memory of all that waits */
    size_t carried; /* memory of all carries */
    uint64_t hits[CCM_HITS];
    unsigned decoders; /* of the parsers, see ccm_parse */
    unsigned smb_entries;
    unsigned early;   /* likewise */
    size_t gathered;  /* likewise */
    void *spare;      /* likewise */
    ccm_pool http;    /* likewise */
    ccm_pool streams; /* ccm_stream */
    ccm_parse parse;
};

/* A TCP segment's payload on its way to a parser. */
typedef struct ccm_segment {
    uint64_t off, time_ns, frame;
    uint64_t acked; /* as in ccm_wait */
    uint32_t len;   /* on the wire */
    ccm_span data;  /* captured part */
    bool fin;
    bool start; /* `off` is where a segment began */
} ccm_segment;

/* table.c */
void ccm_table_init(ccm_flows *fs);
void ccm_table_clear(ccm_flows *fs);
void ccm_table_free(ccm_flows *fs);
unsigned ccm_flow_key_any(const ccm_packet *p, ccm_flow_key *key);
void ccm_flow_key_endpoint(const ccm_flow_key *key, unsigned side, ccm_endpoint *out);
ccm_flow *ccm_table_prefetch_flow(const ccm_flows *fs, uint32_t hash);
ccm_flow *ccm_table_find(const ccm_flows *fs, const ccm_flow_key *key, uint32_t hash);
ccm_flow *ccm_table_add(ccm_flows *fs, const ccm_flow_key *key, uint32_t hash);
void ccm_table_remove(ccm_flows *fs, ccm_flow *f);
void ccm_table_due(ccm_flows *fs, const ccm_flow *f, uint64_t time_ns);
void ccm_table_zero(ccm_flows *fs, uint64_t time_ns);
void ccm_table_sweep(ccm_flows *fs, uint32_t steps);
void ccm_clock_far(ccm_flows *fs, uint64_t time_ns);
void ccm_clock_end(ccm_flows *fs);

#define CCM_CLOCK_BACK (60 * CCM_NS_PER_S)
#define CCM_CLOCK_AHEAD (600 * CCM_NS_PER_S)

/* The time of a packet. The clock follows the packets forward; far from it, others must confirm. */
static inline void ccm_clock(ccm_flows *fs, uint64_t time_ns)
{
    if (G_LIKELY(time_ns + CCM_CLOCK_BACK - fs->now_ns <= CCM_CLOCK_BACK + CCM_CLOCK_AHEAD))
        fs->now_ns = ccm_max64(fs->now_ns, time_ns);
    else
        ccm_clock_far(fs, time_ns);
}

/* Is it so far ahead of the clock that others must confirm it? */
static inline bool ccm_clock_ahead(const ccm_flows *fs, uint64_t time_ns)
{
    return time_ns > fs->now_ns && time_ns - fs->now_ns > CCM_CLOCK_AHEAD;
}
ccm_flow *ccm_table_coldest(ccm_flows *fs);

/* flow.c */
void ccm_flow_look(ccm_flows *fs, ccm_flow *f);
void ccm_flow_end(ccm_flows *fs, ccm_flow *f, const char *why);
void ccm_flow_obs(ccm_flow *f, ccm_obs *o, ccm_obs_kind kind, unsigned from);
void ccm_flow_orient(ccm_flow *f, unsigned client, ccm_orientation how);
void ccm_flow_orient_by_port(ccm_flow *f);

/* runs.c */
/* The open run of a side is over; a new one may begin. */
void ccm_run_close(ccm_flows *fs, ccm_flow *f, unsigned side);
/* Hands on every run, the open ones too, with what is missing of each direction. `end`: for the one
 * who takes structs. */
void ccm_runs_emit(ccm_flows *fs, ccm_flow *f, const uint64_t missing[2], const ccm_obs_end *end);

/* tcp.c */
bool ccm_tcp_reused(const ccm_flow *f, unsigned side, const ccm_packet *p);
/* Neither the next segment nor a bare ACK: it may be of another connection. */
static inline bool ccm_tcp_unexpected(const ccm_flow *f, unsigned side, const ccm_packet *p)
{
    const ccm_seq *seq = &f->dir[side].seq;

    return (p->tcp_flags & CCM_TCP_SYN) ||
           (p->payload_len && p->seq != (uint32_t)seq->high + seq->base);
}
uint32_t ccm_tcp_account(ccm_flow *f, unsigned side, const ccm_packet *p, uint64_t *at);
void ccm_tcp_deliver(ccm_flows *fs, ccm_flow *f, unsigned side, const ccm_packet *p, uint64_t off);

/* stream.c */
ccm_stream *ccm_stream_of(ccm_flows *fs, ccm_dir *d);
void ccm_stream_segment(ccm_flows *fs, ccm_flow *f, unsigned side, const ccm_segment *seg);
void ccm_stream_ack(ccm_flows *fs, ccm_flow *f, unsigned side, uint64_t acked);
void ccm_stream_look(ccm_flows *fs, ccm_flow *f, uint64_t now_ns, bool force);
uint64_t ccm_stream_due(const ccm_flow *f);
void ccm_stream_free(ccm_flows *fs, ccm_flow *f);

/* feed.c */
void ccm_feed_bytes(ccm_flows *fs, ccm_flow *f, unsigned side, const ccm_segment *seg);
void ccm_feed_skip(ccm_flows *fs, ccm_flow *f, unsigned side, uint64_t n);
void ccm_feed_gap(ccm_flows *fs, ccm_flow *f, unsigned side, uint64_t n);
void ccm_feed_end(ccm_flows *fs, ccm_flow *f, unsigned side);
void ccm_feed_close(ccm_flows *fs, ccm_flow *f);
bool ccm_feed_begins(const ccm_flow *f, ccm_span in);
bool ccm_feed_again(ccm_flow *f, unsigned side, ccm_span in, uint64_t off);
void ccm_feed_datagram(ccm_flows *fs, ccm_flow *f, unsigned side, const ccm_packet *p);

/* icmp.c */
void ccm_icmp_packet(ccm_flows *fs, const ccm_packet *p);

static inline uint64_t ccm_key_be32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return GUINT32_FROM_BE(v);
}

/* Fills *key and returns the side (0 or 1) that the sender has in it. Ports count only where they
 * are known; fragments have a flow of their own. */
static inline unsigned ccm_flow_key_make(const ccm_packet *p, ccm_flow_key *key)
{
    if (p->src.addr.family != 4 || p->l4 != 6 || p->fragment)
        return ccm_flow_key_any(p, key);
    uint64_t s = ccm_key_be32(p->src.addr.b) << 16 | p->src.port;
    uint64_t d = ccm_key_be32(p->dst.addr.b) << 16 | p->dst.port;
    key->w[0] = ccm_min64(s, d);
    key->w[1] = ccm_max64(s, d);
    key->w[2] = key->w[3] = 0;
    key->w[4] = 6 << 8 | 4;
    return s > d;
}

static inline uint64_t ccm_key_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 m = (unsigned __int128)a * b;

    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint32_t ccm_flow_key_hash(const ccm_flows *fs, const ccm_flow_key *key)
{
    uint64_t h = ccm_key_mix(key->w[0] ^ fs->seed[0], key->w[1] ^ fs->seed[1] ^ key->w[4]);

    if (key->w[2] | key->w[3]) /* IPv6 */
        h = ccm_key_mix(key->w[2] ^ fs->seed[1] ^ h, key->w[3] ^ fs->seed[0]);
    return (uint32_t)(h ^ h >> 32);
}

static inline bool ccm_flow_key_equal(const ccm_flow_key *a, const ccm_flow_key *b)
{
    return !((a->w[0] ^ b->w[0]) | (a->w[1] ^ b->w[1]) | (a->w[2] ^ b->w[2]) | (a->w[3] ^ b->w[3]) |
             (a->w[4] ^ b->w[4]));
}

static inline void ccm_table_prefetch(const ccm_flows *fs, uint32_t hash)
{
    __builtin_prefetch(&fs->slots[hash & fs->mask]);
}

static inline ccm_flow *ccm_table_entry(const ccm_flows *fs, uint32_t index)
{
    return &fs->chunks[index / CCM_CHUNK][index % CCM_CHUNK];
}

/* Asks for what the receiver of observations keeps of the flow: everything when the flow ends, else
 * the part that tells of messages, which comes behind that of packets. */
static inline void ccm_flow_prefetch_memo(const ccm_flow *f, bool ends)
{
    enum { MESSAGES = 192, ALL = 640 };

    if (!f->memo.at)
        return;
#pragma GCC unroll 10
    for (unsigned at = 0; at < ALL; at += 64)
        if (at >= MESSAGES || ends)
            __builtin_prefetch((const char *)f->memo.at + at, 1);
}

static inline bool ccm_flow_midstream(const ccm_flow *f)
{
    return f->lossy || !(f->saw & (CCM_SAW_SYN | CCM_SAW_SYNACK));
}

#endif
