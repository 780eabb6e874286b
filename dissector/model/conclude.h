/* SPDX-License-Identifier: GPL-2.0-or-later
 * conclude.h - from evidence to roles and routes.
 *
 * In: evidence of a finished model, or one request alone. Out: a route row with its certainty and
 * the reason. State: none. */
#ifndef CCM_MODEL_CONCLUDE_H
#define CCM_MODEL_CONCLUDE_H

#include "model/cmg.h"
#include "model/tunnel.h"

typedef struct ccm_conclusion {
    int row;
    const char *protocol;
    ccm_certainty certainty;
    const char *basis; /* const text, or NULL when the edge's marks are the basis */
    int source_role;   /* the source was taken for this role; -1 = the row's own */
} ccm_conclusion;

/* How sure one piece of evidence makes. */
ccm_certainty ccm_evidence_certainty(const ccm_catalog *c, const ccm_evidence *e);
/* What edge number `edge` is, by all that the model knows. */
void ccm_conclude_edge(const ccm_model *m, const ccm_cmg *cmg, const ccm_tunnels *tunnels,
                       uint32_t edge, ccm_conclusion *out);
/* What a port alone suggests; `http`: requests were seen. */
void ccm_conclude_port(const ccm_catalog *c, uint8_t l4, uint16_t port, bool http,
                       ccm_conclusion *out);
/* The same for SMB that names no share of the catalogue. */
void ccm_conclude_smb(const ccm_catalog *c, uint16_t port, ccm_conclusion *out);
/* The connection carried TLS: `out` as concluded without knowing that. */
void ccm_conclude_tls(const ccm_catalog *c, ccm_conclusion *out);
/* Would a server without this URL or verb answer so? */
bool ccm_status_denies(uint64_t status);

#endif
