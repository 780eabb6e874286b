/* SPDX-License-Identifier: GPL-2.0-or-later
 * verify.h - the service that checks Configuration Manager signatures with OpenSSL. */
#ifndef CCM_PROTO_VERIFY_H
#define CCM_PROTO_VERIFY_H

#include "proto/verifier.h"

typedef struct ccm_verify ccm_verify;

/* What was done, for tests, benchmarks and the report's bounds. */
typedef struct ccm_verify_counts {
    uint64_t checks;                /* claims with a signature */
    uint64_t cached;                /* answers that needed no RSA operation */
    uint64_t rsa_operations;        /* public-key operations */
    uint64_t keys_built;            /* EVP_PKEYs made; one for each distinct key in use */
    uint64_t clients_dropped;       /* clients forgotten at limits->client_ids */
    uint64_t registrations_dropped; /* registrations forgotten before their answer */
} ccm_verify_counts;

/* `limits` is copied. OpenSSL is set up when the first signature comes. */
ccm_verify *ccm_verify_new(const ccm_limits *limits);
void ccm_verify_free(ccm_verify *v);

/* The service; it lives as long as `v`.
 *
 * Whose key decides: a supplied key of the client, else its registered key, else the key in the
 * claim itself, else a key that an earlier message of the client carried, else any supplied key
 * without a client. A registration is judged by its own certificate; that is key source "message",
 * too, unless the same key was registered or supplied. Key source "message" shows no more than that
 * the sender held the key it announced. Key source "new-key": it held another key than the client
 * id's first message carried, brought by this message or an earlier one; the first remains the
 * client's until a registration's answer gives it another.
 *
 * A signature that is not hexadecimal fails. A claim without a signature or without signed bytes
 * gets no result. The caller passes whole values only: one that the capture cut would fail. */
const ccm_verifier *ccm_verify_service(ccm_verify *v);

/* Supplies the keys of a file: certificates or public keys in PEM or DER, or a PUBLICKEYBLOB,
 * binary or hexadecimal. They are tried for every client without a key of its own. */
bool ccm_verify_add_file(ccm_verify *v, const char *path, GError **error);
/* Supplies the keys named by a site file: group [client-keys], rows "GUID:... = PATH", a PATH
 * relative to the site file. A site file without the group is fine. */
bool ccm_verify_add_site(ccm_verify *v, const char *path, GError **error);
/* The same for bytes in memory; `client_id` may be empty, `name` is for messages. */
bool ccm_verify_add_bytes(ccm_verify *v, ccm_span client_id, ccm_span bytes, const char *name,
                          GError **error);

/* Forgets all keys, learned and supplied, and all answers. */
void ccm_verify_forget(ccm_verify *v);
const ccm_verify_counts *ccm_verify_count(const ccm_verify *v);

#endif
