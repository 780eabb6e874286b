/* SPDX-License-Identifier: GPL-2.0-or-later
 * ntlm.h - who NTLM messages speak of. */
#ifndef CCM_PROTO_NTLM_H
#define CCM_PROTO_NTLM_H

#include "proto/name.h"

typedef struct ccm_ntlm {
    uint8_t type; /* 1 negotiate, 2 challenge, 3 authenticate */
    uint32_t flags;
    bool anonymous;  /* type 3 without user and responses */
    bool incomplete; /* a field lies outside the message, over another one, or does not fit */
    /* Types 1 and 3: of the client. Type 2: `domain` is the target name (of a domain, or of a
     * server that is in none). */
    ccm_name domain, user, workstation;
    /* Type 2: target information */
    ccm_name nb_domain, nb_computer, dns_domain, dns_computer;
} ccm_ntlm;

/* Does an NTLM message begin here? */
bool ccm_ntlm_is(ccm_span message);
/* False when it is no message of type 1, 2 or 3. Neither challenges nor responses are copied. */
bool ccm_ntlm_read(ccm_span message, ccm_ntlm *out);

#endif
