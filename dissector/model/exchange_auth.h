/* SPDX-License-Identifier: GPL-2.0-or-later
 * exchange_auth.h - what the joiner of exchanges remembers of connections to judge the next one.
 *
 * In: facts of exchanges in the order of their ends. Out: auth[] of an exchange. State: a
 * connection for each flow, at most as many as the joiner has room for; account names; at most
 * CCM_KERBEROS tickets and their services. */
#ifndef CCM_MODEL_EXCHANGE_AUTH_H
#define CCM_MODEL_EXCHANGE_AUTH_H

#include "model/auth.h"
#include "model/exchange.h"
#include "model/tickets.h"

typedef struct ccm_join_auth {
    ccm_texts texts;
    ccm_tickets tickets;
    ccm_index index;
    GArray *flows; /* join_flow */
    GArray *spare; /* uint32_t */
    unsigned max, victim;
} ccm_join_auth;

void ccm_join_auth_init(ccm_join_auth *j, unsigned max);
void ccm_join_auth_clear(ccm_join_auth *j);
/* Concludes on an exchange and fills x->auth; texts are valid as long as `j`. */
void ccm_join_auth_show(ccm_join_auth *j, const ccm_auth_facts *facts, ccm_exchange *x);
/* The exchange came out of a TLS connection with this client certificate. */
void ccm_join_auth_certificate(ccm_join_auth *j, uint64_t flow, uint64_t exchange,
                               const ccm_auth_certificate *certificate);
/* Shows a verdict that is already there. */
void ccm_join_auth_verdict(ccm_join_auth *j, const ccm_auth_verdict *v, ccm_exchange *x);
/* Takes a ticket that a key distribution centre gave, for the exchanges after it. */
void ccm_join_auth_kerberos(ccm_join_auth *j, const ccm_obs *obs);
/* The flow is over. */
void ccm_join_auth_end(ccm_join_auth *j, uint64_t flow);

#endif
