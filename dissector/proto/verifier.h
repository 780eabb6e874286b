/* SPDX-License-Identifier: GPL-2.0-or-later
 * verifier.h - the optional service that checks signatures for the parsers. The engine brings one
 * made with OpenSSL (verify.c); the pure parsers know this interface alone. */
#ifndef CCM_PROTO_VERIFIER_H
#define CCM_PROTO_VERIFIER_H

#include "base/base.h"

typedef enum ccm_signed_field {
    CCM_SIGNED_CLIENT_ID,         /* header CCMClientID */
    CCM_SIGNED_TIMESTAMP,         /* header CCMClientTimestamp */
    CCM_SIGNED_CLIENT_TOKEN,      /* header ClientToken, or the same inside a message */
    CCM_SIGNED_MESSAGE_CLIENT_ID, /* ClientIDSignature of a message's clientauth hook */
    CCM_SIGNED_PAYLOAD,           /* PayloadSignature: part 2 as transmitted */
    CCM_SIGNED_REGISTRATION,      /* <Data ...>...</Data> of a registration */
} ccm_signed_field;

/* A signature as a parser met it. Spans are borrowed for the call; those not seen are empty. */
typedef struct ccm_signature_claim {
    ccm_signed_field field;
    uint64_t flow, exchange;
    ccm_span client_id;   /* "GUID:..." as sent: whose key signed */
    ccm_span text;        /* the signed text, when it is a header's or an id: signed as UTF-16LE */
    ccm_span bytes;       /* the signed bytes, for a payload or a registration */
    ccm_span signature;   /* hexadecimal, as sent */
    ccm_span hash_oid;    /* "1.2.840.113549.1.1.11" */
    ccm_span public_key;  /* hexadecimal PUBLICKEYBLOB of the message */
    ccm_span certificate; /* hexadecimal DER of the signing certificate of a registration */
} ccm_signature_claim;

/* Static texts of the vocabulary; NULL = nothing to say. */
typedef struct ccm_signature_verdict {
    const char *result;      /* verified, failed, no-key */
    const char *variant;     /* form that matched, such as "SHA-256 DigestInfo, NUL, reversed" */
    const char *key_source;  /* message, new-key, registration, supplied */
    uint64_t signature_hash; /* equal signatures have equal hashes; 0 = none */
} ccm_signature_verdict;

typedef struct ccm_verifier {
    void *user_data;
    void (*check)(void *user_data, const ccm_signature_claim *claim,
                  ccm_signature_verdict *verdict);
    /* The answer to the registration of this exchange assigned `client_id` to its key. */
    void (*learn)(void *user_data, uint64_t flow, uint64_t exchange, ccm_span client_id);
} ccm_verifier;

#endif
