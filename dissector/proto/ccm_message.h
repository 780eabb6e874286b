/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccm_message.h - Configuration Manager messages in HTTP bodies: gather the bytes, then say what
 * they are.
 *
 *     c = ccm_collect_begin(ps, depth, reply, content_type);
 *     while body bytes come: if (!ccm_collect_feed(c, ps, bytes)) no more are wanted
 *     ccm_collect_end(c, ps, from, exchange, time_ns, frame, &body);
 */
#ifndef CCM_PROTO_CCM_MESSAGE_H
#define CCM_PROTO_CCM_MESSAGE_H

#include "proto/proto.h"

/* How the body of the HTTP message ended. */
typedef struct ccm_collect_body {
    uint64_t bytes;  /* of it on the wire, lost ones included */
    unsigned status; /* of the response that it belongs to; 0 for a request */
    bool complete;   /* its end was seen and nothing is missing */
} ccm_collect_body;

typedef struct ccm_collect ccm_collect;

/* A body that may be a message begins: a request with CCM_POST or multipart/mixed, or the answer to
 * one. `content_type` may be empty. Its bytes are kept as they come, at most
 * limits->message_bytes. NULL: too many bodies are being decoded (ps->decoders). */
ccm_collect *ccm_collect_begin(const ccm_parse *ps, ccm_depth depth, bool reply,
                               ccm_span content_type);
/* Content bytes in order (behind chunk framing and content coding). False: no more are wanted, and
 * ccm_collect_end may be called at once or when the body ends. */
bool ccm_collect_feed(ccm_collect *c, const ccm_parse *ps, ccm_span bytes);
/* Does it want bytes? */
bool ccm_collect_wants(const ccm_collect *c);
/* `n` bytes are lost. What follows is wanted at full depth, for the part behind this one, until more
 * are lost; `coded`: it is not, because the content coding ends here. */
void ccm_collect_gap(ccm_collect *c, uint64_t n, bool coded);
/* Emits ccm_message, then at full depth ccm_body and signatures, as sent by `from`, and frees. An
 * empty or short answer to a message is told by ccm_body at either depth. Emits nothing when it is
 * no message. */
void ccm_collect_end(ccm_collect *c, const ccm_parse *ps, unsigned from, uint64_t exchange,
                     uint64_t time_ns, uint64_t frame, const ccm_collect_body *body);
/* The same for the answer to a message at header depth: no byte of it is wanted, and only an empty
 * one is told. */
void ccm_message_reply_emit(const ccm_parse *ps, unsigned from, uint64_t exchange, uint64_t time_ns,
                            uint64_t frame, const ccm_collect_body *body);
/* Frees without a word; NULL is fine. */
void ccm_collect_free(ccm_collect *c);

/* Values of the signed headers of a request; empty when they are not there. */
typedef struct ccm_header_signatures {
    ccm_span client_id, client_id_signature;
    ccm_span timestamp, timestamp_signature;
    ccm_span client_token, client_token_signature;
} ccm_header_signatures;

/* Has each signature checked, and emits a `signature` for it. */
void ccm_header_signatures_emit(const ccm_parse *ps, unsigned from, uint64_t exchange,
                                uint64_t time_ns, uint64_t frame, const ccm_header_signatures *h);

#endif
