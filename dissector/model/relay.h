/* SPDX-License-Identifier: GPL-2.0-or-later
 * relay.h - reverse and forward proxies that TLS passes: do they pass it on or end it?
 *
 * In: ClientHellos and where they went; certificates with the client ids behind them. Out: which
 * address tunnels (the same ClientHello on its two sides) and which bridges (one client certificate
 * for the messages of many clients; or the name of the server behind it, and other ClientHellos).
 * State: ccm_relays, part of a model. Of the hellos those with the CCM_HELLOS lowest hashes are
 * kept, so both sides of one are kept or dropped together, in whatever order models are merged.
 * Spec: auth-modes.md 7.2. */
#ifndef CCM_MODEL_RELAY_H
#define CCM_MODEL_RELAY_H

#include "model/model.h"

enum { CCM_HELLOS = 8192, CCM_HELLO_PLACES = 3 };

struct ccm_relays *ccm_relays_new(void);
void ccm_relays_free(struct ccm_relays *r);
/* A tls_client_hello. */
void ccm_relays_observe(ccm_model *m, const ccm_obs *obs);
void ccm_relays_merge(ccm_model *to, const ccm_model *from);

typedef enum ccm_relay_mode { CCM_RELAY_TUNNELLING, CCM_RELAY_BRIDGING } ccm_relay_mode;

typedef struct ccm_relay {
    ccm_addr addr;
    ccm_relay_mode mode;
    ccm_certainty certainty;
    const char *evidence;        /* its name */
    uint64_t count, first_frame; /* hellos seen on both sides; client ids of one certificate; hellos
                                    to the server that bears its name */
} ccm_relay;

/* Concludes: ccm_relay, sorted by address and mode; the caller frees it. */
GArray *ccm_relays_conclude(const ccm_model *m);
/* Of `list`, what the address does in this mode; NULL = nothing. */
const ccm_relay *ccm_relay_find(const GArray *list, const ccm_addr *addr, ccm_relay_mode mode);
/* Name of the kind of proxy. */
const char *ccm_relay_name(ccm_relay_mode mode);

#endif
