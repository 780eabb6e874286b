/* SPDX-License-Identifier: GPL-2.0-or-later
 * inner.h - a byte stream inside another protocol (what TLS protects, what a proxy's tunnel
 * carries), shown to the parsers as a connection of its own: probing, what is kept for later,
 * skips, gaps. Holds at most limits->head_bytes for each direction. What it tells carries the keys
 * `decrypted` and `through`. Streams inside streams inside streams are not looked into. */
#ifndef CCM_PROTO_INNER_H
#define CCM_PROTO_INNER_H

#include "proto/proto.h"

typedef struct ccm_inner ccm_inner;

/* `outer` is the context of the call in which the first inner byte comes. Never NULL. */
ccm_inner *ccm_inner_new(const ccm_parse *outer, bool decrypted);
/* The stream is the tunnel that a CONNECT to `authority` made, by exchange number `exchange`. */
void ccm_inner_through(ccm_inner *inner, ccm_span authority, uint64_t exchange);
/* Bytes that side outer->dir sent, in order; outer tells time and frame. */
void ccm_inner_bytes(ccm_inner *inner, ccm_parse *outer, ccm_span bytes);
/* False: no parser wants what comes, in neither direction. */
bool ccm_inner_wants(const ccm_inner *inner);
/* `n` bytes of side outer->dir are lost (CCM_GAP_UNKNOWN: how many is not known). */
void ccm_inner_gap(ccm_inner *inner, ccm_parse *outer, uint64_t n);
/* Side outer->dir sends no more. */
void ccm_inner_end(ccm_inner *inner, ccm_parse *outer);
/* What came so far was sent in vain; what comes is a connection of its own. Tells what is open. */
void ccm_inner_anew(ccm_inner *inner, ccm_parse *outer);
/* Both directions are over: tells what is open and frees. NULL is allowed. */
void ccm_inner_free(ccm_inner *inner, ccm_parse *outer);

#endif
