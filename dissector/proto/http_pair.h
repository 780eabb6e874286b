/* SPDX-License-Identifier: GPL-2.0-or-later
 * http_pair.h - exchanges of one connection: requests that wait for their response. */
#ifndef CCM_PROTO_HTTP_PAIR_H
#define CCM_PROTO_HTTP_PAIR_H

#include "proto/http_body.h"
#include "proto/proto.h"

enum {
    CCM_HTTP_QUEUE_FIRST = 1,
    CCM_HTTP_EARLY = 16,       /* responses of a connection that wait for their requests */
    CCM_HTTP_EARLY_ALL = 1024, /* of all connections together */
};

/* Where and when a message began. */
typedef struct ccm_http_origin {
    uint64_t time_ns, frame;
    uint64_t pos;   /* stream offset of its first byte */
    uint64_t acked; /* how much of the other direction its sender had received */
} ccm_http_origin;

/* A message of one direction, from its head to the end of its body (http_message.c). */
typedef struct ccm_http_message {
    uint64_t number; /* of its exchange */
    uint16_t status; /* of a response */
    bool answers;    /* a Configuration Manager message; only that it does is told */
    ccm_http_origin at;
    ccm_http_body body;
} ccm_http_message;

/* One request with its response, or one of them alone. */
typedef struct ccm_http_exchange {
    uint64_t number;
    uint64_t request_first, request_last, response_first, response_last;
    uint64_t pos, acked;
    uint64_t request_bytes, response_bytes, missing, decoded;
    bool head_method, connect_method;
    bool message; /* the request may hold a Configuration Manager message */
    bool request_seen, request_ended, request_whole;
    bool continued; /* an interim response came */
    bool response_seen, response_ended, response_whole;
    bool uncertain, tunnel, has_decoded;
    bool may_be_early;                  /* of a response: its request may still come */
    bool request_known, response_known; /* the byte counts mean something */
} ccm_http_exchange;

typedef struct ccm_http_pairs {
    ccm_http_exchange first[CCM_HTTP_QUEUE_FIRST]; /* the queue, until it grows */
    ccm_http_exchange *more;                       /* the queue, once it has grown */
    ccm_http_exchange alone;                       /* a response without request */
    ccm_http_exchange *early;                      /* responses whose request may still come */
    uint8_t n_early, early_room;
    uint64_t exact;   /* offset + 1 in the responses that a request acknowledged which has the early
                         response that begins there; 0 = none */
    uint64_t numbers; /* exchanges begun */
    uint64_t dropped; /* requests that left the queue unanswered; their responses come first */
    uint16_t n, room;
    uint8_t answering; /* which exchange the current response belongs to */
    bool uncertain;    /* bytes were lost since the connection was last idle */
    bool pipelined;    /* requests were sent ahead: an empty queue does not tell that it is idle */
} ccm_http_pairs;

enum { CCM_HTTP_ANSWERS_NONE, CCM_HTTP_ANSWERS_OLDEST, CCM_HTTP_ANSWERS_NOTHING };

/* http_auth.c: emits what the head's credentials, tokens and signed headers tell. */
void ccm_http_auth_emit(const ccm_parse *ps, unsigned from, const ccm_http_origin *at,
                        const ccm_http_head *head, uint64_t exchange);
/* May the body of this request be a Configuration Manager message? */
bool ccm_http_may_be_message(const ccm_http_head *head);

/* The head is over and the body was started: decodes it and gathers it, as far as that is wanted.
 * `message`: it may hold a Configuration Manager message. */
void ccm_http_message_begin(ccm_http_message *m, const ccm_parse *ps, const ccm_http_head *head,
                            bool message);
/* The body is over, side ps->dir sent it: tells of the message in it. `whole` = its end was seen.
 */
void ccm_http_message_over(ccm_http_message *m, const ccm_parse *ps, bool whole);
void ccm_http_limit(const ccm_parse *ps, const char *name);

void ccm_http_pairs_init(ccm_http_pairs *q);
void ccm_http_pairs_free(ccm_http_pairs *q, const ccm_parse *ps);
/* Emits http_request; returns the number of the exchange. */
uint64_t ccm_http_pairs_request(ccm_http_pairs *q, const ccm_parse *ps, unsigned client,
                                const ccm_http_origin *at, const ccm_http_head *head);
void ccm_http_pairs_request_end(ccm_http_pairs *q, const ccm_parse *ps, unsigned client,
                                uint64_t number, const ccm_http_body *body, bool whole);
/* Finds the request of a response and emits http_response. The exchange stays valid until the next
 * call. */
ccm_http_exchange *ccm_http_pairs_response(ccm_http_pairs *q, const ccm_parse *ps, unsigned client,
                                           const ccm_http_origin *at, const ccm_http_head *head);
void ccm_http_pairs_response_end(ccm_http_pairs *q, const ccm_parse *ps, unsigned client,
                                 const ccm_http_body *body, bool whole);
/* The place in the server's stream is lost. */
void ccm_http_pairs_lost(ccm_http_pairs *q, const ccm_parse *ps, unsigned client);
/* Both sides agree again where they are. */
static inline void ccm_http_pairs_idle(ccm_http_pairs *q)
{
    q->uncertain &= q->pipelined;
    q->dropped = 0;
}
/* No response comes any more; with `all` nothing at all comes. */
void ccm_http_pairs_flush(ccm_http_pairs *q, const ccm_parse *ps, unsigned client, bool all);
/* Was the latest request that waits sent when so much of the other direction had come, not more? */
bool ccm_http_pairs_sent_at(const ccm_http_pairs *q, uint64_t acked);
/* May the request of the exchange, which asked with Expect, have been refused before its body came?
 * It was when its response is over; with `unheard`, something was said that the capture lacks. */
bool ccm_http_pairs_refused(ccm_http_pairs *q, uint64_t number, bool unheard);

#endif
