/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccm_body.h - the XML body of a message: what it is and its main fields. */
#ifndef CCM_PROTO_CCM_BODY_H
#define CCM_PROTO_CCM_BODY_H

#include "proto/ccm_kinds.h"

enum { CCM_BODY_KIND = 128, CCM_BODY_DETAIL = 512 };

/* Spans point into the XML text. */
typedef struct ccm_body {
    ccm_span root;
    const ccm_root *known; /* NULL: an unknown root */
    ccm_span client_id, smsid, name, host;
    uint64_t approval, registration_status; /* UINT64_MAX: not said */
    /* of a registration: SignatureValue, Certificates/Signing, Data@HashAlgorithm */
    ccm_span signature, certificate, hash_oid;
    bool cut; /* its end is missing */
    unsigned n_kind, n_detail;
    char kind[CCM_BODY_KIND], detail[CCM_BODY_DETAIL];
} ccm_body;

/* Reads a body from UTF-8 text. False: there is no element. */
bool ccm_body_parse(ccm_body *b, ccm_span text, ccm_span endpoint);
/* Words for a body that cannot be read. */
void ccm_body_unread(ccm_body *b, ccm_span endpoint, const char *detail);
/* The signed bytes of a registration: from "<Data" to "</Data>" in its UTF-16LE body as it was
 * before decoding. Empty: not both ends are there. */
ccm_span ccm_body_signed_slice(ccm_span utf16le);

#endif
