/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccm_signature.h - the signatures of a message, handed to the service that checks them. */
#ifndef CCM_PROTO_CCM_SIGNATURE_H
#define CCM_PROTO_CCM_SIGNATURE_H

#include "proto/ccm_body.h"
#include "proto/ccm_envelope.h"
#include "proto/ccm_message.h"

/* Where the observations of one message belong. */
typedef struct ccm_place {
    const ccm_parse *ps;
    unsigned from;
    uint64_t exchange, time_ns, frame;
} ccm_place;

/* Begins an observation there. */
void ccm_place_obs(const ccm_place *at, ccm_obs *o, ccm_obs_kind kind);
/* Signatures of the clientauth hook; `payload` is empty when its end is not there. */
void ccm_signature_message(const ccm_place *at, const ccm_envelope *e, ccm_span payload);
/* The signature of a registration; `utf16le` is its body before decoding, empty when that is not
 * what it was. `e` may be NULL. */
void ccm_signature_registration(const ccm_place *at, const ccm_envelope *e, const ccm_body *b,
                                ccm_span utf16le);

#endif
