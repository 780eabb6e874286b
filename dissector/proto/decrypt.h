/* SPDX-License-Identifier: GPL-2.0-or-later
 * decrypt.h - the service that opens TLS records with OpenSSL, and the secrets that it has. */
#ifndef CCM_PROTO_DECRYPT_H
#define CCM_PROTO_DECRYPT_H

#include "proto/decryptor.h"

typedef struct ccm_decrypt ccm_decrypt;

/* What was given and what it was good for. */
typedef struct ccm_decrypt_counts {
    uint64_t secrets;   /* usable lines of key logs and secrets blocks */
    uint64_t malformed; /* lines that are none */
    uint64_t dropped;   /* secrets forgotten at limits->tls_secrets */
    uint64_t keys;      /* private keys of servers */
    uint64_t sessions;  /* connections of which a record was opened */
    uint64_t opened;    /* records */
    uint64_t refused;   /* records for which there was a key that did not fit */
} ccm_decrypt_counts;

/* `limits` is copied. OpenSSL is set up when the first secret is needed. */
ccm_decrypt *ccm_decrypt_new(const ccm_limits *limits);
/* After all its ccm_tls_keys are freed; NULL is allowed. */
void ccm_decrypt_free(ccm_decrypt *d);
/* The service; it lives as long as `d`. */
const ccm_decryptor *ccm_decrypt_service(ccm_decrypt *d);

/* Lines of a key log (NSS Key Log Format, draft-ietf-tls-keylogfile): the last line may lack its
 * end. What is malformed is counted; nothing of it is ever shown. */
void ccm_decrypt_add_log(ccm_decrypt *d, ccm_span text);
/* The same of a file. False with CCM_ERROR_USAGE when it cannot be read or holds no secret. */
bool ccm_decrypt_add_log_file(ccm_decrypt *d, const char *path, GError **error);
/* For a live capture: key logs are read on as they grow, whenever a secret is missing. */
void ccm_decrypt_follow(ccm_decrypt *d);
bool ccm_decrypt_follows(const ccm_decrypt *d);
/* Private keys of a file in PEM, if it holds any: *found says so, *more that there is something
 * else in it. False with CCM_ERROR_USAGE when a private key cannot be used: protected by a
 * password, not RSA. A file without one is no error. */
bool ccm_decrypt_add_key_file(ccm_decrypt *d, const char *path, bool *found, bool *more,
                              GError **error);
bool ccm_decrypt_add_key(ccm_decrypt *d, ccm_span pem, const char *name, bool *found,
                         GError **error);

const ccm_decrypt_counts *ccm_decrypt_count(const ccm_decrypt *d);

#endif
