/* SPDX-License-Identifier: GPL-2.0-or-later
 * decrypt_session.h - what decrypt.c and decrypt_tls12.c share: a connection and its keys. */
#ifndef CCM_PROTO_DECRYPT_SESSION_H
#define CCM_PROTO_DECRYPT_SESSION_H

#include "proto/decrypt_state.h"

enum { CCM_TLS_V1_1 = 0x0302, CCM_TLS_V1_3 = 0x0304, CCM_TLS_TRANSCRIPTS = 3 };

/* What protects the records of one direction. */
typedef enum ccm_tls_stage {
    CCM_TLS_STAGE_CLEAR, /* TLS 1.2 and older */
    CCM_TLS_STAGE_ENCRYPTED,
    CCM_TLS_STAGE_EARLY, /* TLS 1.3, and so on */
    CCM_TLS_STAGE_HANDSHAKE,
    CCM_TLS_STAGE_APPLICATION,
} ccm_tls_stage;

/* One direction. */
typedef struct ccm_tls_side {
    uint8_t stage;
    uint8_t n_secret;
    bool chain_lost; /* TLS 1.0: the last block is not known */
    uint32_t slack;
    int64_t budget;
    uint64_t seq;    /* of the next record */
    uint64_t missed; /* records between the last two that were opened; CCM_GAP_UNKNOWN */
    uint64_t tried;  /* secrets that there were when keys were last looked for */
    uint8_t secret[CCM_TLS_SECRET]; /* traffic secret of TLS 1.3 in use */
    ccm_record_keys keys;
} ccm_tls_side;

struct ccm_tls_keys {
    ccm_decrypt *d;
    uint8_t client_random[CCM_TLS_RANDOM], server_random[CCM_TLS_RANDOM];
    uint8_t session_id[CCM_TLS_RANDOM], ticket[CCM_TLS_RANDOM], new_ticket[CCM_TLS_RANDOM];
    uint8_t master[CCM_TLS_MASTER];
    uint16_t version;
    uint8_t n_session_id;
    bool encrypt_then_mac, extended_master, resumed;
    bool agreed; /* the ServerHello was seen: the suite is no guess */
    bool has_master, has_ticket, has_new_ticket, counted;
    const ccm_suite *suite;
    uint32_t certificate; /* server keys that were found in it, a bit each */
    bool certificate_seen;
    struct evp_md_ctx_st
        *transcript[CCM_TLS_TRANSCRIPTS]; /* of each hash, as long as one may be needed */
    ccm_tls_side side[2];
};

struct ccm_decrypt {
    ccm_decryptor service;
    ccm_decrypt_counts counts;
    ccm_crypto crypto;
    ccm_secrets secrets;
    ccm_server_keys server_keys;
    ccm_records records;
};

/* ---- TLS 1.2 and older (decrypt_tls12.c) -------------------------------------------------------
 */

/* A whole handshake message of any version. */
void ccm_tls12_message(ccm_tls_keys *k, unsigned dir, ccm_span whole);
/* Looks for the keys of a side whose records are encrypted from now on. */
void ccm_tls12_keys(ccm_tls_keys *k, unsigned dir);
/* So that a connection that resumes this one is opened, too. */
void ccm_tls12_remember(ccm_tls_keys *k);
void ccm_tls12_clear(ccm_tls_keys *k);

#endif
