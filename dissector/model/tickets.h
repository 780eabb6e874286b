/* SPDX-License-Identifier: GPL-2.0-or-later
 * tickets.h - whose Kerberos ticket it is that a client used.
 *
 * In: tickets that key distribution centres gave (krb.c). Out: the client's name in them. State: a
 * bounded table; when it is full some entry is forgotten, and then nothing but a whole ticket finds
 * its owner. Spec: auth-modes.md 6.1 E4, 8. */
#ifndef CCM_MODEL_TICKETS_H
#define CCM_MODEL_TICKETS_H

#include "model/proofs.h"

typedef struct ccm_ticket {
    ccm_addr client;
    uint32_t text; /* of ccm_auth_ticket; its first `n` bytes are meant */
    uint32_t n;
    uint32_t name; /* text: whose; CCM_NONE = of several */
    uint8_t what;
    uint64_t count, first_frame, first_ns, last_ns; /* of the replies that brought it */
} ccm_ticket;

typedef struct ccm_tickets {
    const ccm_texts *texts;
    ccm_index index;
    GArray *v; /* ccm_ticket */
    uint32_t max, victim;
    bool forgot;
} ccm_tickets;

/* Numbers of texts are those of `texts`, which outlives it. */
void ccm_tickets_init(ccm_tickets *t, const ccm_texts *texts, uint32_t max);
void ccm_tickets_clear(ccm_tickets *t);
/* What is no CCM_KRB_TICKET is passed over. */
void ccm_tickets_add(ccm_tickets *t, const ccm_krb *k);
/* When a ticket was used: once, or several times that were summed up. */
typedef struct ccm_ticket_use {
    uint64_t first_ns, last_ns;
} ccm_ticket_use;

/* Whose `ticket` (a text of ccm_auth_ticket) it is that this client used: the very ticket that it
 * was seen to get, or, where one of the two was not whole, the only name that it got one for the
 * service with, in time before the use; else NULL. `*sure`: strong; likely where it is not known
 * that each use was in time. Valid until the next call of ccm_tickets_add. */
const ccm_ticket *ccm_tickets_find(const ccm_tickets *t, const ccm_addr *client, uint32_t ticket,
                                   ccm_ticket_use use, ccm_certainty *sure);

#endif
