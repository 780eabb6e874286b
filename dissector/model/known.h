/* SPDX-License-Identifier: GPL-2.0-or-later
 * known.h - requests by their texts: what follows from method, target, host, agent and port alone.
 *
 * In: requests. Out: what the catalogue, the naming and the rules of authentication make of them.
 * State: a few hundred of the latest, each with its texts, which are compared whole; clients ask
 * for the same things again and again. What it answers never depends on what it holds. */
#ifndef CCM_MODEL_KNOWN_H
#define CCM_MODEL_KNOWN_H

#include "model/auth.h"
#include "model/catalog.h"

typedef struct ccm_known_request {
    ccm_match hit;
    ccm_auth_request auth;
    uint32_t method;  /* text; 0 = none */
    uint32_t content; /* text: id of the package or content; CCM_NONE */
} ccm_known_request;

typedef struct ccm_known_requests ccm_known_requests;

ccm_known_requests *ccm_known_requests_new(void);
void ccm_known_requests_free(ccm_known_requests *k);
/* Of `request`; valid until the next call. */
const ccm_known_request *ccm_known_request_of(ccm_model *m, const ccm_request *request);

#endif
