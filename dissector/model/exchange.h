/* SPDX-License-Identifier: GPL-2.0-or-later
 * exchange.h - joins the observations of one HTTP exchange into one record, in one pass.
 *
 * In: observations in order. Out: one record per exchange when it ends. State: open exchanges in a
 * table bounded by limits->flows; the oldest is given out when it is full. The route comes from the
 * exchange alone (route_basis "local"), so a stream gives the same answer as a second pass would.
 */
#ifndef CCM_MODEL_EXCHANGE_H
#define CCM_MODEL_EXCHANGE_H

#include "observe/obs.h"
#include "model/view.h"

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
    const char *auth_scheme; /* of Authorization */
    const char *challenge;   /* scheme words of WWW-Authenticate */
    struct {
        bool present; /* any of the below */
        const char *packet, *session, *reply_packet, *error, *content_name, *host_id;
        bool has_received;
        uint64_t received;
    } bits;
    unsigned status;  /* 0 = no final response head */
    unsigned interim; /* last 1xx status; 0 = none */
    const char *server_software, *response_content_type, *location, *response_content_range;
    bool has_done; /* the fields below are valid */
    uint64_t request_bytes, response_bytes, body_missing_bytes;
    bool has_ttfb, has_duration, has_decoded;
    uint64_t ttfb_ns, duration_ns, decoded_bytes;
    bool complete, tunnel, head_incomplete;
    const char *pairing; /* sure, uncertain, request-only, response-only; never NULL */
} ccm_exchange;

typedef void (*ccm_exchange_fn)(void *user_data, const ccm_exchange *exchange);

typedef struct ccm_joiner ccm_joiner;

ccm_joiner *ccm_joiner_new(const ccm_catalog *catalog, const ccm_limits *limits, ccm_exchange_fn fn,
                           void *user_data);
/* Any observation; those of other kinds cost nothing. */
void ccm_joiner_observe(ccm_joiner *joiner, const ccm_obs *obs);
/* Gives out what is still open, in order of first frame, then flow and exchange, and frees. */
void ccm_joiner_free(ccm_joiner *joiner);

#endif
