/* SPDX-License-Identifier: GPL-2.0-or-later
 * intake.h - raw packets in, decoded and counted, into a flow table: the part of a capture point
 * that the engine and the Wireshark plugin share.
 * State: decoder, flows and counts of one capture point. Used by one thread at a time. */
#ifndef CCM_FLOW_INTAKE_H
#define CCM_FLOW_INTAKE_H

#include "flow/flow.h"

typedef struct ccm_intake {
    ccm_decoder *decoder;
    ccm_flows *flows;
    uint64_t packets, wire_bytes, start_ns, end_ns;
    bool untimed; /* some packets have no time: 0 is none then */
    uint64_t truncated, undecoded;
    uint64_t unsupported; /* of a link type that cannot be decoded */
    const char *link_problem;
    uint64_t looked; /* stale fragments were looked for at this frame / EXPIRED_EVERY */
} ccm_intake;

/* As ccm_flows_new. Free what it holds with ccm_intake_clear. */
void ccm_intake_init(ccm_intake *intake, const ccm_limits *limits, bool no_classify,
                     ccm_obs_fn emit, void *ud);
void ccm_intake_clear(ccm_intake *intake);

/* Counts and decodes a packet, the newest of its batch (ccm_decoder_begin_batch before the first).
 * True when *out is to be handed to ccm_intake_flow. */
bool ccm_intake_decode(ccm_intake *intake, const ccm_raw *raw, uint64_t frame, ccm_packet *out);
/* Hands on a batch of decoded packets. */
void ccm_intake_flow(ccm_intake *intake, const ccm_packet *packets, unsigned n);
/* Pieces of datagrams that never became whole by `now_ns` still count. */
void ccm_intake_expire(ccm_intake *intake, uint64_t now_ns);
/* Closes what is open. Then, with the observation of the capture begun, its counts. */
void ccm_intake_finish(ccm_intake *intake);
void ccm_intake_put_counts(const ccm_intake *intake, ccm_obs *o);
/* An observation of the capture point, at its latest packet's time. */
ccm_obs ccm_intake_obs(const ccm_intake *intake, ccm_obs_kind kind);
/* Emits that a limit was hit `count` times; nothing when it was not. */
void ccm_intake_limit(const ccm_intake *intake, const char *name, uint64_t count, ccm_obs_fn emit,
                      void *ud);

#endif
