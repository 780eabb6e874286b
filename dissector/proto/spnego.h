/* SPDX-License-Identifier: GPL-2.0-or-later
 * spnego.h - tokens of Windows authentication: SPNEGO and what it carries, Kerberos, NTLM. */
#ifndef CCM_PROTO_SPNEGO_H
#define CCM_PROTO_SPNEGO_H

#include "proto/kerberos.h"
#include "proto/ntlm.h"

typedef enum ccm_mech {
    CCM_MECH_NONE,
    CCM_MECH_KERBEROS,
    CCM_MECH_MS_KERBEROS, /* Kerberos under the OID of early Windows */
    CCM_MECH_NTLM,
    CCM_MECH_NEGOEX,
    CCM_MECH_OTHER,
} ccm_mech;

/* Negotiation state of an answer. */
typedef enum ccm_nego_state {
    CCM_NEGO_NONE, /* not said */
    CCM_NEGO_COMPLETED,
    CCM_NEGO_INCOMPLETE,
    CCM_NEGO_REJECT,
    CCM_NEGO_REQUEST_MIC,
} ccm_nego_state;

enum { CCM_GSS_MECHS = 8 };

typedef struct ccm_gss {
    bool spnego;     /* it was wrapped in SPNEGO */
    bool response;   /* ... as NegTokenResp */
    bool incomplete; /* cut short or in part unreadable */
    uint8_t state;   /* ccm_nego_state */
    uint8_t n_mechs; /* offered, in order; of an answer: the one chosen */
    uint8_t mechs[CCM_GSS_MECHS];
    uint8_t mech;          /* ccm_mech of the token itself; CCM_MECH_NONE: SPNEGO without one */
    ccm_ntlm ntlm;         /* type 0: none */
    ccm_kerberos kerberos; /* type 0: none */
} ccm_gss;

/* A token as HTTP, SMB, LDAP or TDS carry it: SPNEGO, a Kerberos GSS token or bare Kerberos
 * message, NTLM, NEGOEX. False when it is none of these. `token` may be cut short. */
bool ccm_gss_read(ccm_span token, ccm_gss *out);

/* kerberos, ms-kerberos, ntlm, negoex, other, or "" */
const char *ccm_mech_name(ccm_mech mech);

#endif
