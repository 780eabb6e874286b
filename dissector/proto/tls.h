/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls.h - what tls.c (records) and tls_handshake.c (messages) share. Not for others. */
#ifndef CCM_PROTO_TLS_H
#define CCM_PROTO_TLS_H

#include "proto/inner.h"
#include "proto/tls_record.h"

enum {
    CCM_TLS_1_3 = 0x0304,
    CCM_TLS_TYPES = 64,        /* readable handshake messages that are listed */
    CCM_TLS_FLIGHT = 8,        /* records of the client's flight that are listed */
    CCM_TLS_ALERT_1_3 = 19,    /* an encrypted alert: level, description, type, 16 of tag */
    CCM_TLS_FINISHED_256 = 53, /* a Finished alone: 4 + 32 + 1 + 16 */
    CCM_TLS_FINISHED_384 = 69, /* 4 + 48 + 1 + 16 */
};

typedef enum ccm_tls_place {
    CCM_TLS_RECORDS, /* at a record's beginning, or inside one that is being skipped */
    CCM_TLS_SEEK,    /* place unknown: search the next record */
    CCM_TLS_ENDED,
} ccm_tls_place;

/* One direction. */
typedef struct ccm_tls_half {
    uint8_t place;     /* ccm_tls_place */
    bool unsure;       /* bytes were lost, or the beginning: is it in clear? */
    bool resumed;      /* the search has begun in an earlier call */
    bool secure;       /* records are encrypted (ChangeCipherSpec; ServerHello of TLS 1.3) */
    bool finished;     /* the handshake is over in this direction */
    bool replied;      /* data after data of the other side, no alert of TLS 1.3 by its size */
    uint8_t unopened;  /* records in a row for which there was no key */
    uint64_t left;     /* bytes of the present record that are skipped */
    bool left_counted; /* they are in `bytes` */
    GByteArray *part;  /* a handshake message that goes on in later records; NULL = none */
    uint32_t drop;     /* bytes of a message too large to keep, still to come */
    uint64_t records, bytes, missing;
    uint64_t end;       /* offset behind the last record whose content was read */
    bool lost;          /* records behind that one were not read */
    uint16_t last_size; /* of the last record of TLS 1.3, when it could not be opened; else 0 */
    uint64_t last_ns, last_frame;
} ccm_tls_half;

typedef enum ccm_tls_sent { CCM_TLS_UNSEEN, CCM_TLS_SENT, CCM_TLS_SENT_EMPTY } ccm_tls_sent;

typedef struct ccm_tls {
    ccm_tls_half half[2];
    int8_t client; /* index of the client's side; -1 unknown */
    bool records, confused;
    bool hurt; /* bytes of the handshake are missing */
    bool client_hello, server_hello, retry, early_data, early_ended, resumed, renegotiated;
    bool server_done, requested, key_exchange;
    bool client_finished; /* the client's Finished was read */
    bool refused;         /* a fatal alert in clear */
    bool answered;        /* TLS 1.3: the server went on after the client's flight */
    uint8_t server_certificate, client_certificate; /* ccm_tls_sent */
    uint16_t version, suite;                        /* 0 = not known */
    uint8_t client_random[CCM_TLS_RANDOM];
    uint8_t n_session, session[32]; /* id that the client offered */
    ccm_tls_keys *keys;             /* NULL: nothing is opened */
    GByteArray *early; /* messages up to the ServerHello, each behind its side; NULL = none */
    bool opened, bad;  /* a record was opened; one did not fit its key */
    ccm_inner *inner;  /* the application data; NULL = none so far */
    uint64_t undecrypted;
    uint64_t hello_ns, over_ns; /* 0 = not seen */
    uint8_t n_types, types[CCM_TLS_TYPES];
    bool flight_lost; /* bytes before or inside the client's flight are missing */
    uint8_t n_flight;
    uint16_t flight[CCM_TLS_FLIGHT];
} ccm_tls;

static inline bool ccm_tls_is_client(const ccm_tls *t, unsigned side)
{
    return t->client >= 0 && side == (unsigned)t->client;
}

/* 0 for the client, 1 for the server. */
static inline unsigned ccm_tls_role(const ccm_tls *t, unsigned side)
{
    return !ccm_tls_is_client(t, side);
}

/* The handshake ended in this direction. */
void ccm_tls_finished(ccm_tls *t, ccm_tls_half *h, uint64_t now_ns);
/* A limit was hit. */
void ccm_tls_limit(const ccm_parse *ps, const char *name);

/* tls_handshake.c: the content of handshake records of side ps->dir, in order. */
void ccm_tls_handshake(ccm_parse *ps, ccm_tls *t, ccm_span bytes, bool decrypted);
/* A ClientHello in the form of SSL 2, whole, from its type on. */
void ccm_tls_hello_v2(ccm_parse *ps, ccm_tls *t, ccm_span bytes);
/* No more comes of the message that was begun. */
void ccm_tls_handshake_cut(ccm_parse *ps, ccm_tls *t);
/* The content of an alert record. */
void ccm_tls_alert(ccm_parse *ps, ccm_tls *t, ccm_span bytes, bool decrypted);
void ccm_tls_part_clear(const ccm_parse *ps, ccm_tls_half *h);

/* tls_session.c: an alert that cannot be read. */
void ccm_tls_alert_encrypted(const ccm_parse *ps, const ccm_tls *t);
/* What the connection was as a whole, at its end. */
void ccm_tls_session(const ccm_parse *ps, const ccm_tls *t);
/* "yes", "empty", "no"; "" = not known, or not yet. */
const char *ccm_tls_client_certificate(const ccm_tls *t);
/* The client's side; a guess by the port numbers when no message told it. */
unsigned ccm_tls_client_side(const ccm_parse *ps, const ccm_tls *t);

#endif
