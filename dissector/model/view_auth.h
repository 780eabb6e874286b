/* SPDX-License-Identifier: GPL-2.0-or-later
 * view_auth.h - authentication of route rows, for view_routes.c.
 *
 * In: edges with their concluded rows, all of them before the first row is made. Out: auth[] of a
 * row. State: view_auth. */
#ifndef CCM_MODEL_VIEW_AUTH_H
#define CCM_MODEL_VIEW_AUTH_H

#include "model/proofs.h"
#include "model/tickets.h"
#include "model/view_make.h"

typedef struct view_auth view_auth;

view_auth *ccm_view_auth_new(view_maker *k);
/* An edge and the row of the catalogue that it was concluded to be. */
void ccm_view_auth_edge(view_auth *a, uint32_t edge, int row);
void ccm_view_auth_row(view_auth *a, const uint32_t *edges, unsigned n, ccm_view_route *out);
/* Whose `ticket` (a text) it was that `client` used, with the kind of account; NULL = not known, or
 * less than strong. */
const char *ccm_view_auth_owner(const view_auth *a, const ccm_addr *client, uint32_t ticket,
                                ccm_ticket_use use, unsigned *kind);
/* Returns how many accounts found no place in their row. */
uint64_t ccm_view_auth_free(view_auth *a);

#endif
