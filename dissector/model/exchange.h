/* SPDX-License-Identifier: GPL-2.0-or-later
 * exchange.h - joins the observations of one HTTP exchange, or SMB handle, into one record, in one
 * pass.
 *
 * In: observations in order. Out: one record per exchange when it ends. State: open exchanges in a
 * table bounded by limits->flows; the oldest is given out when it is full. The route comes from the
 * exchange alone (route_basis "local"), so a stream gives the same answer as a second pass would.
 */
#ifndef CCM_MODEL_EXCHANGE_H
#define CCM_MODEL_EXCHANGE_H

#include "observe/obs.h"
#include "model/view.h"

enum {
    CCM_EXCHANGE_AUTH = 8,      /* as many verdicts as auth.h gives */
    CCM_EXCHANGE_EVIDENCE = 13, /* as much as auth.h gives, and whose ticket it was */
    CCM_EXCHANGE_SIGNATURES = 6,
    CCM_EXCHANGE_TOKENS = 8, /* four each of request and answer: parsers tell no more */
    CCM_EXCHANGE_HEADER = 48 /* attributes of a message's header and its answer's */
};

/* A verdict of auth.h, in words. */
typedef struct ccm_exchange_auth {
    const char *stage, *mode;
    const char *account_kind, *account; /* NULL = not known */
    ccm_certainty certainty;
    bool denied;
    bool leg; /* a step of a handshake that goes on in the next exchange */
    unsigned n_evidence;
    const char *evidence[CCM_EXCHANGE_EVIDENCE];
} ccm_exchange_auth;

typedef struct ccm_exchange_signature {
    const char *field, *result;       /* never NULL */
    const char *variant, *key_source; /* NULL = absent */
} ccm_exchange_signature;

/* What a JSON web token claims; NULL, 0 = absent. */
typedef struct ccm_exchange_token {
    const char *header, *category, *issuer, *audience, *subject_kind;
    uint64_t not_before_ns, expires_ns;
    bool issued; /* it was in the answer: the client has shown nothing */
} ccm_exchange_token;

/* An attribute of a header, under its name in the vocabulary. */
typedef struct ccm_exchange_header_field {
    ccm_key key;
    bool reply;
    const char *text; /* of a text; else `number`, 1 for true */
    uint64_t number;
} ccm_exchange_header_field;

/* A TLS handshake. Texts as below; NULL = absent. */
typedef struct ccm_exchange_tls {
    const char *version; /* never NULL: "TLS 1.2" */
    const char *cipher, *sni, *alpn, *ja3, *ja4, *subject, *issuer;
    const char *through; /* the destination that a proxy was asked for */
    const char *server_certificate, *client_certificate; /* never NULL */
    ccm_certainty server_certainty, client_certainty;
    bool established, resumed, inherited, renegotiated, incomplete, unanswered, failed, decrypted;
    ccm_view_alert alerts[4];
    unsigned n_alerts;
} ccm_exchange_tls;

/* Texts are escaped (ccm_text_append) and valid during the call; NULL = absent. */
typedef struct ccm_exchange {
    uint64_t time_ns, frame; /* of the request head; of the response when there is no request */
    uint64_t flow, exchange;
    ccm_endpoint client, server;
    const char *route, *ref; /* never NULL: "unknown/unknown" at worst */
    const char *protocol;    /* never NULL: "http" */
    const char *url_kind; /* mark of the catalogue that matched, for instance ccm-system-request */
    const char *source_role, *destination_role; /* never NULL */
    ccm_certainty certainty;                    /* of route */
    bool has_request, has_response;
    const char *method, *target, *host;
    unsigned version; /* HTTP version times ten: 10 or 11; 0 = not known */
    const char *content_type, *range, *content_range, *user_agent;
    const char *component; /* from User-Agent: ccmexec, bits, task-sequence ... */
    const char *client_id, *client_time, *signature, *token_kind;
    uint64_t signature_bits; /* 0 = absent */
    const char *challenge;   /* scheme words of WWW-Authenticate */
    /* what the client calls itself in NTLM, to the server and to a proxy */
    const char *workstation, *proxy_workstation;
    ccm_exchange_auth auth[CCM_EXCHANGE_AUTH];
    unsigned n_auth;
    const char *soap_action;
    const char *about; /* the request in plain words; NULL = none */
    ccm_exchange_token tokens[CCM_EXCHANGE_TOKENS];
    unsigned n_tokens;
    struct {
        bool present; /* the request is a Configuration Manager message */
        bool is_signed, compressed, encrypted;
        bool incomplete, body_incomplete; /* of its header; of its body */
        const char *id, *endpoint, *kind, *detail, *source_id, *source_host, *sent_time,
            *correlation_id, *reply_to;
        const char *reply, *reply_detail, *assigned; /* of the answer */
        bool foreign_reply; /* the answer names another message as the one it answers */
        ccm_exchange_header_field header[CCM_EXCHANGE_HEADER];
        unsigned n_header;
    } message;
    ccm_exchange_signature signatures[CCM_EXCHANGE_SIGNATURES];
    unsigned n_signatures;
    struct {
        bool present; /* any of the below */
        const char *packet, *session, *reply_packet, *error, *context, *content_name, *host_id;
        bool has_received;
        uint64_t received;
    } bits;
    struct {
        bool present; /* it is a handle of SMB */
        bool failed, deleted, has_data, has_size;
        const char *share, *account, *direction, *disposition, *action, *renamed_to;
        const char *status; /* name of the NT status */
        uint64_t data_start_ns, data_end_ns, size;
    } smb;
    unsigned status;  /* 0 = no final response head */
    unsigned interim; /* last 1xx status; 0 = none */
    const char *server_software, *response_content_type, *location, *response_content_range;
    bool has_done;                              /* the fields below are valid */
    bool has_request_bytes, has_response_bytes; /* known, and not for lack of captured bytes 0 */
    uint64_t request_bytes, response_bytes, body_missing_bytes;
    bool has_ttfb, has_duration, has_decoded;
    uint64_t ttfb_ns, duration_ns, decoded_bytes;
    bool complete, tunnel, head_incomplete, decrypted;
    const char *pairing;         /* sure, uncertain, request-only, response-only; never NULL */
    const ccm_exchange_tls *tls; /* not NULL: a TLS handshake and no exchange of HTTP */
} ccm_exchange;

/* What the head of a request (http_request) alone tells: sets route, ref, protocol, roles,
 * certainty, url_kind and component of *x, the rest to zero. Returns the request in plain words, in
 * `words` (CCM_NAMING_WORDS bytes) or static; "" = none. */
const char *ccm_exchange_of_request(const ccm_catalog *catalog, const ccm_obs *request,
                                    ccm_exchange *x, char *words);

typedef void (*ccm_exchange_fn)(void *user_data, const ccm_exchange *exchange);

typedef struct ccm_joiner ccm_joiner;

ccm_joiner *ccm_joiner_new(const ccm_catalog *catalog, const ccm_limits *limits, ccm_exchange_fn fn,
                           void *user_data);
/* Any observation; those of other kinds cost nothing. */
void ccm_joiner_observe(ccm_joiner *joiner, const ccm_obs *obs);
/* Gives out what is still open, in order of first frame, then flow and exchange, and frees. */
void ccm_joiner_free(ccm_joiner *joiner);

#endif
