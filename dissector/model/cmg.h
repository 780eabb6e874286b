/* SPDX-License-Identifier: GPL-2.0-or-later
 * cmg.h - long-lived channels and their fallbacks, concluded from all edges of a model.
 *
 * In: a merged model. Out: which edges are channels (of a connection point to its cloud management
 * gateway, of a client to client notification), what became of them, what they fell back to. State:
 * ccm_cmg, while a view is made. Facts: routes-and-ports.md section 6, C03, C04. */
#ifndef CCM_MODEL_CMG_H
#define CCM_MODEL_CMG_H

#include "model/tunnel.h"

typedef enum ccm_channel_state {
    CCM_CHANNEL_UP,     /* it carried something in both directions */
    CCM_CHANNEL_FAILED, /* it did not, but another one of the same two hosts did */
    CCM_CHANNEL_DOWN,   /* nor did any other */
} ccm_channel_state;

/* Why an attempt came to nothing: */
typedef enum ccm_channel_why {
    CCM_WHY_NOTHING, /* it did come to something */
    CCM_WHY_REFUSED,
    CCM_WHY_UNANSWERED,   /* filtered, or nobody there */
    CCM_WHY_SILENT,       /* accepted, then no byte */
    CCM_WHY_RESET,        /* accepted, then reset without a byte */
    CCM_WHY_ALERT,        /* accepted, then no more than a TLS alert */
    CCM_WHY_PROXY_DENIED, /* the web proxy does not allow it */
    CCM_WHY_PROXY_FAILED, /* the web proxy could not reach it */
    CCM_WHYS,
} ccm_channel_why;

typedef struct ccm_channel {
    uint32_t edge;
    uint16_t port; /* of the gateway, which a proxy may stand before */
    ccm_channel_state state;
    ccm_channel_why why;
    bool notification; /* else of a gateway */
    bool hidden;       /* what follows a failed notification channel inside TLS; may be polling */
    bool sure;         /* more than a port number speaks for it, or for a management point */
    /* what it is used in place of; from_port 0 = nothing */
    uint16_t from_port;
    ccm_channel_why from_why;
    bool in_order; /* begun within a minute after the other one was */
    uint64_t from_ns, from_frame;
} ccm_channel;

typedef struct ccm_cmg ccm_cmg;

ccm_cmg *ccm_cmg_new(const ccm_model *m, const ccm_tunnels *tunnels);
void ccm_cmg_free(ccm_cmg *c);
/* The channel that an edge is, or NULL. */
const ccm_channel *ccm_cmg_channel(const ccm_cmg *c, uint32_t edge);
/* Number of the VM that a gateway's port leads to, from 1; 0 = the port does not tell. */
unsigned ccm_cmg_instance(uint16_t port);
/* How sure it is that the address is a connection point; a gateway. */
ccm_certainty ccm_cmg_point(const ccm_cmg *c, const ccm_addr *addr);
ccm_certainty ccm_cmg_gateway(const ccm_cmg *c, const ccm_addr *addr);
/* "classic", "scale-set" or NULL: what ports and names tell of a gateway. */
const char *ccm_cmg_qualifier(const ccm_cmg *c, const ccm_host *h);
/* Seconds between the bursts of a channel; the median and the extremes. */
typedef struct ccm_rhythm {
    unsigned count; /* of pauses; 0 = none, and the rest is not valid */
    uint64_t median_s, shortest_s, longest_s;
} ccm_rhythm;
/* Of the channels among `edges` together. */
ccm_rhythm ccm_cmg_rhythm(const ccm_cmg *c, const uint32_t *edges, unsigned n);
/* "refused", "unanswered", ... */
const char *ccm_channel_why_name(ccm_channel_why why);
const char *ccm_channel_state_name(ccm_channel_state state);

#endif
