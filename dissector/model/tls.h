/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls.h - what a TLS connection tells without its content: whose certificates, and what remains
 * hidden.
 *
 * In: tls_ observations of a connection. Out: a verdict on its transport, kinds of certificates.
 * State: ccm_tls_facts of an open connection and a bounded table of sessions that may be resumed,
 * plain values that their owner keeps (the model, the joiner of exchanges), so that both conclude
 * alike. Evidence T1 to T10 and the certainty classes are those of auth-modes.md 6.2 and 8. */
#ifndef CCM_MODEL_TLS_H
#define CCM_MODEL_TLS_H

#include "model/auth.h"
#include "model/view.h"

enum { CCM_TLS_ALERTS = 4, CCM_TLS_SESSIONS = 65536 };

typedef enum ccm_tls_server {
    CCM_TLS_HIDDEN, /* TLS 1.3, or not in the capture */
    CCM_TLS_PKI,
    CCM_TLS_ENHANCED_HTTP,
    CCM_TLS_SELF_SIGNED,
    CCM_TLS_SERVERS
} ccm_tls_server;

typedef enum ccm_tls_client {
    CCM_TLS_UNKNOWN,
    CCM_TLS_NO,
    CCM_TLS_YES,
    CCM_TLS_CLIENTS
} ccm_tls_client;

/* "pki", "enhanced-http", "self-signed", "hidden"; "yes", "no", "unknown". */
const char *ccm_tls_server_name(unsigned kind);
const char *ccm_tls_client_name(unsigned client);
/* "TLS 1.2". */
const char *ccm_tls_version_name(unsigned version);

typedef struct ccm_tls_alert {
    uint8_t code;
    bool encrypted, fatal;
    bool from_client; /* valid from tls_session on */
    ccm_endpoint from;
    uint32_t name; /* text; CCM_NONE */
} ccm_tls_alert;

/* What a session that is resumed carries over. */
typedef struct ccm_tls_session {
    uint64_t hash; /* of its id or ticket */
    uint8_t server, client, client_certainty;
    uint8_t mode, kind; /* of the client's certificate; CCM_AUTH_NONE_OBSERVED = none */
    uint32_t account, issuer, subject; /* texts; CCM_NONE */
    uint32_t fingerprint;              /* of the client's certificate; text; CCM_NONE */
} ccm_tls_session;

/* Texts: CCM_NONE = not seen. */
typedef struct ccm_tls_facts {
    uint64_t flow, frame, time_ns;                                   /* of the first observation */
    uint64_t server_frame, client_frame, request_frame, alert_frame; /* 0 = not seen */
    uint64_t ticket, session;                                        /* offered */
    uint64_t given;                                                  /* id that the server gave */
    uint64_t handshake_ns, client_bytes, server_bytes;               /* at the end */
    uint32_t sni, alpn, ja3, ja4, cipher, through;                   /* texts */
    ccm_tls_session is;                                              /* found out so far */
    uint16_t version;
    uint8_t flight; /* ccm_tls_flight */
    uint8_t n_alerts;
    bool open, established, resumed, inherited, requested, empty, renegotiated, decrypted;
    bool not_requested, incomplete, unanswered, data;
    bool post_handshake;    /* the client would send its certificate later, too */
    bool over, has_verdict; /* tls_session was seen; `verdict` is set */
    ccm_tls_alert alert[CCM_TLS_ALERTS];
    ccm_endpoint client; /* family 0: not known yet */
    ccm_auth_verdict verdict;
} ccm_tls_facts;

typedef enum ccm_tls_flight {
    CCM_FLIGHT_UNKNOWN,
    CCM_FLIGHT_FINISHED, /* nothing but Finished */
    CCM_FLIGHT_EMPTY,    /* an empty certificate before it */
    CCM_FLIGHT_CERTIFICATE,
} ccm_tls_flight;

/* Sessions by the hash of what resumes them; the oldest go first. */
typedef struct ccm_tls_sessions {
    ccm_index index;
    GArray *v; /* ccm_tls_session */
    uint32_t next;
} ccm_tls_sessions;

/* Facts of open connections by flow. When there are too many, some flow is forgotten. */
typedef struct ccm_tls_flows {
    ccm_index index;
    GArray *v;     /* ccm_tls_facts */
    GArray *spare; /* uint32_t */
    unsigned max, victim;
} ccm_tls_flows;

void ccm_tls_flows_init(ccm_tls_flows *t, unsigned max);
void ccm_tls_flows_clear(ccm_tls_flows *t);
/* Valid until the next get. `find` gives NULL when there are none. */
ccm_tls_facts *ccm_tls_flows_find(const ccm_tls_flows *t, uint64_t flow);
ccm_tls_facts *ccm_tls_flows_get(ccm_tls_flows *t, uint64_t flow);
void ccm_tls_flows_end(ccm_tls_flows *t, uint64_t flow);
/* What a connection is known by: TLS through a tunnel is another than TLS to the proxy. */
uint64_t ccm_tls_flow_of(const ccm_obs *obs);
enum { CCM_TLS_INNER = 63 }; /* the bit of the flow's number that says so */

void ccm_tls_sessions_init(ccm_tls_sessions *s);
void ccm_tls_sessions_clear(ccm_tls_sessions *s);

void ccm_tls_begin(ccm_tls_facts *f, uint64_t flow);
/* Any tls_ observation of the connection, in order. Texts go to `texts`. */
void ccm_tls_collect(ccm_tls_facts *f, ccm_texts *texts, ccm_tls_sessions *sessions,
                     const ccm_obs *obs);
/* At tls_session: the verdict on the transport. False: there is nothing to say, or what is inside
 * was opened and says it. */
bool ccm_tls_conclude(const ccm_tls_facts *f, ccm_auth_verdict *out);
/* The client's certificate, for what is said inside; its mode is CCM_AUTH_NONE_OBSERVED when none
 * was seen. */
ccm_auth_certificate ccm_tls_certificate_of(const ccm_tls_facts *f);
/* How sure the kind of the server's certificate is. */
ccm_certainty ccm_tls_server_certainty(const ccm_tls_facts *f);
/* Whether the client sent a certificate, and how sure that is. */
ccm_tls_client ccm_tls_client_of(const ccm_tls_facts *f, ccm_certainty *certainty);
/* What a certificate is, by its fields. */
ccm_tls_server ccm_tls_certificate_kind(const ccm_obs *obs);

#endif
