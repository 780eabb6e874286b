/* SPDX-License-Identifier: GPL-2.0-or-later
 * verify_state.h - what the files of the signature check share: public keys, whose they are, and
 * registrations that wait for their answer. OpenSSL's types are opaque here. */
#ifndef CCM_PROTO_VERIFY_STATE_H
#define CCM_PROTO_VERIFY_STATE_H

#include "proto/verify.h"

enum {
    CCM_RSA_BITS_MIN = 512,
    CCM_RSA_BYTES = 16384 / 8, /* the longest modulus or signature */
    CCM_BLOB_BYTES = 20 + CCM_RSA_BYTES,
    CCM_CERTIFICATE_BYTES = 16384,
    CCM_CLIENT_ID_TEXT = 80,
    CCM_SUPPLIED_ANY = 64,   /* supplied keys without a client */
    CCM_SUPPLIED_EACH = 4,   /* supplied keys of one client */
    CCM_MESSAGE_KEYS = 2,    /* keys kept of one client's messages: the first, the latest other */
    CCM_LIVE_KEYS = 2048,    /* keys that OpenSSL holds ready */
    CCM_REGISTRATIONS = 1024 /* without an answer yet */
};

/* ---- formats (verify_formats.c) -------------------------------------------------------------- */

/* An RSA public key whose numbers are sane: see ccm_rsa_sane. */
typedef struct ccm_rsa {
    uint32_t exponent;
    uint16_t n;                     /* bytes of the modulus */
    uint8_t modulus[CCM_RSA_BYTES]; /* most significant byte first, not zero */
} ccm_rsa;

/* Hexadecimal without separators, white space around it allowed. False when it is malformed, empty
 * or longer than `room`. */
bool ccm_hex_decode(ccm_span hex, uint8_t *out, size_t room, size_t *n);
/* CryptoAPI PUBLICKEYBLOB. */
bool ccm_rsa_from_blob(ccm_span blob, ccm_rsa *out);
/* X.509 certificate, SubjectPublicKeyInfo or RSAPublicKey. */
bool ccm_rsa_from_der(ccm_span der, ccm_rsa *out);
/* "GUID:" and upper case, braces and white space removed; 0 = no usable id, else its length. */
size_t ccm_client_id_normal(ccm_span id, char out[CCM_CLIENT_ID_TEXT]);

/* ---- keys (verify_keys.c) -------------------------------------------------------------------- */

typedef struct ccm_rsa_key {
    uint64_t serial; /* never used twice */
    uint32_t hash, refs;
    uint32_t exponent;
    uint16_t n;
    bool any;   /* supplied, for any client */
    bool ready; /* in the list of live keys, has a context */
    struct evp_pkey_ctx_st *context;
    GList live;
    uint8_t modulus[];
} ccm_rsa_key;

typedef struct ccm_signer {
    uint32_t hash;
    uint8_t id_n;
    uint8_t hint; /* 1 + index of the key for any client that last fitted; 0 = none */
    char id[CCM_CLIENT_ID_TEXT];
    ccm_rsa_key *supplied[CCM_SUPPLIED_EACH];
    ccm_rsa_key *registered;
    ccm_rsa_key *message[CCM_MESSAGE_KEYS]; /* the first stays; the other one may be NULL */
    GList age;
} ccm_signer;

typedef struct ccm_registration {
    uint64_t flow, exchange;
    ccm_rsa_key *key; /* NULL = free */
} ccm_registration;

typedef struct ccm_signers {
    uint64_t seed[2]; /* of the hashes; never influences a verdict */
    uint64_t serial;
    unsigned max_clients;
    GHashTable *keys, *clients; /* sets */
    GQueue live;                /* keys with a context, latest used first */
    GQueue ages; /* clients, latest seen first; those with supplied keys are not in it */
    ccm_rsa_key *any[CCM_SUPPLIED_ANY];
    unsigned n_any, next_registration;
    ccm_registration registrations[CCM_REGISTRATIONS];
    void (*drop_context)(struct evp_pkey_ctx_st *context);
    ccm_verify_counts *counts;
} ccm_signers;

void ccm_signers_open(ccm_signers *k, const ccm_limits *limits);
void ccm_signers_clear(ccm_signers *k);
void ccm_signers_close(ccm_signers *k);

/* The key with these numbers, made if need be; the caller owns a reference. */
ccm_rsa_key *ccm_rsa_key_get(ccm_signers *k, const ccm_rsa *rsa);
void ccm_rsa_key_unref(ccm_signers *k, ccm_rsa_key *key);
/* Marks the key as used now. A key without a context gets `context`, which is freed when the key
 * was not used for long. */
void ccm_rsa_key_live(ccm_signers *k, ccm_rsa_key *key, struct evp_pkey_ctx_st *context);

ccm_signer *ccm_signer_find(ccm_signers *k, ccm_span id);
/* The same, made if need be; NULL when the id is unusable. */
ccm_signer *ccm_signer_get(ccm_signers *k, ccm_span id);
/* A message that verifies brought this key. */
void ccm_signer_message_key(ccm_signers *k, ccm_signer *client, ccm_rsa_key *key);

/* A supplied key: of one client, or of any when `id` is empty. False when there are too many. */
bool ccm_signers_supply(ccm_signers *k, ccm_span id, const ccm_rsa *rsa);
void ccm_registration_put(ccm_signers *k, uint64_t flow, uint64_t exchange, ccm_rsa_key *key);
void ccm_registration_answer(ccm_signers *k, uint64_t flow, uint64_t exchange, ccm_span client_id);

/* Forgets the cached answers about keys for any client, which just became more. */
void ccm_verify_forget_answers(ccm_verify *v);
ccm_signers *ccm_verify_signers(ccm_verify *v);

#endif
