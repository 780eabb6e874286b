/* SPDX-License-Identifier: GPL-2.0-or-later
 * flow.h - the flow table: decoded packets in; runs, connections and the parsers' observations out.
 * State: one ccm_flows for each capture point, bounded by ccm_limits. Used by one thread at a time.
 */
#ifndef CCM_FLOW_FLOW_H
#define CCM_FLOW_FLOW_H

#include "input/input.h"
#include "proto/proto.h"

typedef struct ccm_flows ccm_flows;

/* `limits` is copied. Observations go to `emit`; `no_classify` keeps nDPI out. */
ccm_flows *ccm_flows_new(const ccm_limits *limits, bool no_classify, ccm_obs_fn emit, void *ud);
/* How much of Configuration Manager messages the parsers read, and who checks signatures (NULL =
 * nobody; borrowed). Header only, until told otherwise. */
void ccm_flows_decode(ccm_flows *flows, ccm_depth depth, const ccm_verifier *verifier);
/* Who opens TLS records from now on (borrowed); nobody, until told. */
void ccm_flows_decrypt(ccm_flows *flows, const ccm_decryptor *decryptor);
/* Who is shown the texts of messages (borrowed); nobody, until told. */
void ccm_flows_view(ccm_flows *flows, const ccm_viewer *viewer);
/* Leaves the accounting of bytes out, so that no runs are told. Before the first packet. */
/* Runs and connections go to `fn`, with the user data of `emit`; else they are observations. */
void ccm_flows_structs(ccm_flows *flows, ccm_obs_flow_fn fn);
void ccm_flows_no_runs(ccm_flows *flows);
/* Frees without emitting; call ccm_flows_finish before. */
void ccm_flows_free(ccm_flows *flows);

/* Decoded packets (CCM_DECODED) in capture order, any number. Their spans are not kept. */
void ccm_flows_batch(ccm_flows *flows, const ccm_packet *packets, unsigned n);
/* A packet of ccm_decoder_expired: its time is long past, which does not mean that a clock was set
 * back. */
void ccm_flows_late(ccm_flows *flows, const ccm_packet *packet);
/* A packet without IP (CCM_NOT_IP) or unreadable (CCM_UNDECODED); kept in a flow without addresses.
 */
void ccm_flows_not_ip(ccm_flows *flows, uint64_t time_ns, uint64_t frame, uint32_t wire_bytes);

/* Time passes without packets (live): expire what is due at `now_ns`. */
void ccm_flows_tick(ccm_flows *flows, uint64_t now_ns);
/* Closes every flow, in order of flow id, then emits a `limit` observation for each limit hit. */
void ccm_flows_finish(ccm_flows *flows);

/* The latest time of packets so far that others confirm; 0 before the first. */
uint64_t ccm_flows_now(const ccm_flows *flows);
/* Times that the packets' time went back by more than a minute. */
uint64_t ccm_flows_backward(const ccm_flows *flows);
/* Runs of missing sequence numbers in the flows that have ended so far. */
uint64_t ccm_flows_gaps(const ccm_flows *flows);

#endif
