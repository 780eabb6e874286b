/* SPDX-License-Identifier: GPL-2.0-or-later
 * defrag.h - IPv4 and IPv6 datagrams put together from their fragments, private to the decoder.
 * In: fragments. Out: whole datagrams, valid until ccm_defrag_release; or, for datagrams that never
 * became whole, the sums of their pieces and what is there of the beginning. Bounded by
 * limits->fragments datagrams and by CCM_DEFRAG_BYTES of data for each of these on average. Spec:
 * RFC 791, 815, 8200. */
#ifndef CCM_INPUT_DEFRAG_H
#define CCM_INPUT_DEFRAG_H

#include "input/input.h"

enum {
    CCM_DEFRAG_BYTES = 4096,  /* average data of a waiting datagram, at most */
    CCM_DEFRAG_PIECES = 1500, /* of one datagram; 64 KiB in pieces of 48 bytes need 1366 */
    CCM_DEFRAG_SECONDS = 30,
};

typedef struct ccm_defrag ccm_defrag;

typedef struct ccm_fragment {
    uint32_t id;
    uint32_t offset; /* of data, in the datagram; a multiple of 8 */
    uint32_t wire;   /* bytes of data as sent; data.n of them were captured */
    bool more;       /* not the last fragment */
    uint8_t next;    /* protocol of the datagram's payload, as this fragment says */
    ccm_span header; /* IPv4 header, or the 40 bytes of the IPv6 header */
    ccm_span data;
} ccm_fragment;

typedef struct ccm_datagram {
    uint8_t next;
    ccm_span ip; /* header and captured data in one piece, lengths and flags made to fit */
    size_t header_size;
    size_t wire; /* bytes after the header as sent */
} ccm_datagram;

ccm_defrag *ccm_defrag_new(const ccm_limits *limits);
void ccm_defrag_free(ccm_defrag *defrag);

/* Takes a fragment. `packet` tells addresses, protocol, time and frame, and the packets, wire_bytes
 * and ip_bytes to sum; when the datagram is whole (true), `packet` holds the sums. */
bool ccm_defrag_add(ccm_defrag *defrag, const ccm_fragment *fragment, ccm_packet *packet,
                    ccm_datagram *whole);
/* Frees the datagrams that the other two have returned. */
void ccm_defrag_release(ccm_defrag *defrag);

/* A datagram that will never be whole, as ccm_decoder_expired says. *start: its bytes before the
 * first hole, when it was not pushed out and its first fragment came; else ip.n is 0. */
bool ccm_defrag_expired(ccm_defrag *defrag, uint64_t now_ns, ccm_packet *out, ccm_datagram *start);
uint64_t ccm_defrag_evicted(const ccm_defrag *defrag);

#endif
