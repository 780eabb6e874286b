/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccm_message_header.h - what a <Msg> header says beyond what a verdict needs (ccm_envelope.h has that). */
#ifndef CCM_PROTO_CCM_MESSAGE_HEADER_H
#define CCM_PROTO_CCM_MESSAGE_HEADER_H

#include "proto/ccm_signature.h"

/* Emits a ccm_message_header for the header in `text`, UTF-8, which ccm_envelope_parse has accepted;
 * nothing when it says no more. `id` is the message's. */
void ccm_message_header_emit(const ccm_place *at, bool reply, ccm_span id, ccm_span text);

#endif
