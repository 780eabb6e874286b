/* SPDX-License-Identifier: GPL-2.0-or-later
 * kerberos.h - the clear parts of Kerberos messages. */
#ifndef CCM_PROTO_KERBEROS_H
#define CCM_PROTO_KERBEROS_H

#include "proto/name.h"
#include "proto/proto.h"

/* Message types, which are their application tags too. */
enum {
    CCM_KRB_AS_REQ = 10,
    CCM_KRB_AS_REP = 11,
    CCM_KRB_TGS_REQ = 12,
    CCM_KRB_TGS_REP = 13,
    CCM_KRB_AP_REQ = 14,
    CCM_KRB_AP_REP = 15,
    CCM_KRB_ERROR = 30,
};

typedef struct ccm_kerberos {
    uint8_t type;
    bool has_error;
    bool incomplete; /* cut short, or a field could not be read */
    int32_t error;
    /* Of a request or an error: the realm asked. Of a reply: the client's. Of an AP-REQ: the
     * ticket's. */
    ccm_name realm;
    ccm_name cname, sname; /* parts joined with "/" */
    ccm_name ticket_realm; /* of a reply or an AP-REQ */
    uint64_t ticket_hash;  /* of its ticket, below 2^63; 0 = none, or not whole */
} ccm_kerberos;

/* `message` begins with the application tag; it may be cut short. False when it is none. */
bool ccm_kerberos_read(ccm_span message, ccm_kerberos *out);

/* Does a message to or from a key distribution centre (not AP-REQ, not AP-REP) begin here? YES:
 * `*size` is its length with the header. */
ccm_probe ccm_kerberos_shape(ccm_span in, size_t *size);

#endif
