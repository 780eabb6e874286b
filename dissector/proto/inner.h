/* SPDX-License-Identifier: GPL-2.0-or-later
 * inner.h - a byte stream inside another protocol (what TLS protects, what a proxy's tunnel
 * carries), shown to the parsers as a connection of its own: probing, what is kept for later,
 * skips, gaps. Holds at most limits->head_bytes for each direction. */
#ifndef CCM_PROTO_INNER_H
#define CCM_PROTO_INNER_H

#include "proto/proto.h"

typedef struct ccm_inner ccm_inner;

/* `outer` is the context of the call in which the first inner byte comes. Never NULL. */
ccm_inner *ccm_inner_new(const ccm_parse *outer, bool decrypted);
/* Bytes that side outer->dir sent, in order; outer tells time and frame. */
void ccm_inner_bytes(ccm_inner *inner, ccm_parse *outer, ccm_span bytes);
/* `n` bytes of side outer->dir are lost (0: an unknown number). */
void ccm_inner_gap(ccm_inner *inner, ccm_parse *outer, uint64_t n);
/* Side outer->dir sends no more. */
void ccm_inner_end(ccm_inner *inner, ccm_parse *outer);
/* Both directions are over: tells what is open and frees. NULL is allowed. */
void ccm_inner_free(ccm_inner *inner, ccm_parse *outer);

#endif
