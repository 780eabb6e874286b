/* SPDX-License-Identifier: GPL-2.0-or-later
 * tunnel.h - connections through the tunnel of a web proxy: whom they lead to.
 *
 * In: observations of what a tunnel carries; a merged model. Out: the authority that a flow leads
 * to, the host that bears its name. State: the flow remembers the authority; ccm_tunnels exists
 * while a view is made. Spec: RFC 9110 section 9.3.6 (CONNECT). */
#ifndef CCM_MODEL_TUNNEL_H
#define CCM_MODEL_TUNNEL_H

#include "model/model.h"

/* `obs` came out of a tunnel: from now on its flow is the way to the authority, not to the proxy,
 * unless it was counted as that already. */
void ccm_tunnel_enter(ccm_model *m, const ccm_obs *obs);

/* A request: the flow remembers where a CONNECT is to lead, until the answer. */
void ccm_tunnel_asked(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs);
/* Its answer. A proxy that says no has ended the way to that authority, so the flow is one of that
 * way, refused. 407 is a leg of a sign-in. */
void ccm_tunnel_answered(ccm_model *m, ccm_model_flow *f, uint64_t status);

/* CONNECTs of an edge that a proxy did not allow (4xx); *failed: that it allowed in vain (5xx). */
uint64_t ccm_tunnel_denied(const ccm_edge *e, uint64_t *failed);

/* "host:port" of an authority; port 0 where it names none. */
typedef struct ccm_authority {
    ccm_span host;
    uint16_t port;
} ccm_authority;

ccm_authority ccm_authority_of(const char *text);

typedef struct ccm_tunnels ccm_tunnels;

/* The names of all hosts, when any edge is a tunnel; else NULL, which the others take. */
ccm_tunnels *ccm_tunnels_new(const ccm_model *m);
void ccm_tunnels_free(ccm_tunnels *t);
/* Number of the host that bears this name, of several the one with the lowest address; CCM_NONE. */
uint32_t ccm_tunnels_host(const ccm_tunnels *t, ccm_span name);

#endif
