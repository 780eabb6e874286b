/* SPDX-License-Identifier: GPL-2.0-or-later
 * decode.h - private to decode.c, decode_link.c and their tests: one layer of a packet at a time.
 * In: a layer (captured bytes and the length they had on the wire). Out: ccm_walk.out.
 * State: none of its own; fragments wait in walk->decoder. */
#ifndef CCM_INPUT_DECODE_H
#define CCM_INPUT_DECODE_H

#include "input/defrag.h"
#include "input/input.h"

/* IP headers inside each other (and Ethernet inside IP) that are followed. */
enum { CCM_DECODE_DEPTH = 8 };

/* What is left of a packet. Always: bytes left in `c` <= `wire`. */
typedef struct ccm_layer {
    ccm_cursor c;
    size_t wire; /* bytes from c.pos on, as sent */
} ccm_layer;

typedef struct ccm_walk {
    ccm_defrag *defrag;
    ccm_packet *out;
    unsigned depth;
} ccm_walk;

static inline uint16_t ccm_be16_at(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t ccm_be32_at(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The next `n` bytes as one piece, or NULL when they were not captured. */
static inline const uint8_t *ccm_layer_take(ccm_layer *l, size_t n)
{
    ccm_span s = ccm_cur_take(&l->c, n);
    if (s.n < n)
        return NULL;
    l->wire -= n;
    return s.p;
}

/* What comes next without moving; NULL when it was not captured. */
static inline const uint8_t *ccm_layer_peek(const ccm_layer *l, size_t n)
{
    return ccm_cur_left(&l->c) < n ? NULL : l->c.p + l->c.pos;
}

/* The header says that `wire` bytes follow: drops padding. More than the frame held means that the
 * frame was cut by someone who did not say so (truncating mirror ports do that). */
static inline void ccm_layer_set_wire(ccm_layer *l, size_t wire)
{
    l->wire = wire;
    if (wire < l->c.len - l->c.pos)
        l->c.len = l->c.pos + wire;
}

static inline ccm_span ccm_layer_rest(const ccm_layer *l)
{
    return ccm_span_of(l->c.p + l->c.pos, ccm_cur_left(&l->c));
}

/* What was read inside turned out to be nothing. The packets stay: where fragments were put
 * together inside, the packet stands for all of them now. */
static inline void ccm_walk_back(ccm_walk *w, const ccm_packet *before)
{
    uint32_t packets = w->out->packets, wire_bytes = w->out->wire_bytes;
    *w->out = *before;
    w->out->packets = packets;
    w->out->wire_bytes = wire_bytes;
}

/* decode_link.c: from the frame to IP, and GRE (which may hold a frame again). */
ccm_decode_result ccm_decode_link(ccm_walk *w, uint32_t link_type, ccm_layer l);
ccm_decode_result ccm_decode_ethernet(ccm_walk *w, ccm_layer l);
ccm_decode_result ccm_decode_ethertype(ccm_walk *w, unsigned type, ccm_layer l);
/* Not decoded or not IP: the caller counts the packet as plain protocol 47. */
ccm_decode_result ccm_decode_gre(ccm_walk *w, ccm_layer l);

/* decode.c */
ccm_decode_result ccm_decode_ip(ccm_walk *w, ccm_layer l); /* version by the first nibble */
ccm_decode_result ccm_decode_ipv4(ccm_walk *w, ccm_layer l);
ccm_decode_result ccm_decode_ipv6(ccm_walk *w, ccm_layer l);

#endif
