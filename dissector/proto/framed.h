/* SPDX-License-Identifier: GPL-2.0-or-later
 * framed.h - messages with their length before them on TCP, one in each datagram on UDP.
 *
 * In: the two directions of a flow with gaps; what a protocol says of the shape of its messages.
 * Out: its messages, one by one. State: per direction where the next message begins. An unfinished
 * message is left to the caller's carry; of one longer than that, the end is skipped. After a gap
 * inside a message its length tells where the next one is; after any other gap it is searched. */
#ifndef CCM_PROTO_FRAMED_H
#define CCM_PROTO_FRAMED_H

#include "proto/proto.h"

typedef struct ccm_framing {
    size_t prefix; /* bytes of the length */
    /* Do a length and a message begin at in.p[0]? `*size` includes the prefix. */
    ccm_probe (*shape)(ccm_span in, size_t *size);
    /* The same where a message must begin, so fewer signs are enough. */
    ccm_probe (*length)(ccm_span in, size_t *size);
    /* Offset of the first message, else of the last bytes that may be the beginning of one. */
    size_t (*seek)(ccm_span in, bool *found);
    /* Tells a message, perhaps without its end. False: it is none. */
    bool (*message)(ccm_parse *ps, ccm_span message);
} ccm_framing;

/* The functions of a ccm_proto on TCP, for its framing. */
ccm_probe ccm_framed_probe(const ccm_framing *f, ccm_span in, bool midstream);
void *ccm_framed_open(ccm_parse *ps);
ccm_feed ccm_framed_feed(const ccm_framing *f, ccm_parse *ps, ccm_span in);
void ccm_framed_gap(const ccm_framing *f, ccm_parse *ps, uint64_t n, ccm_span tail);
void ccm_framed_end(const ccm_framing *f, ccm_parse *ps, ccm_span tail);
void ccm_framed_close(ccm_parse *ps);

/* Of those that keep nothing between datagrams. */
void *ccm_stateless_open(ccm_parse *ps);
void ccm_stateless_skipped(ccm_parse *ps, uint64_t n, uint64_t missing);
void ccm_stateless_gap(ccm_parse *ps, uint64_t n, ccm_span tail);
void ccm_stateless_end(ccm_parse *ps, ccm_span tail);
void ccm_stateless_close(ccm_parse *ps);

#endif
