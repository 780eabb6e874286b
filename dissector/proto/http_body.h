/* SPDX-License-Identifier: GPL-2.0-or-later
 * http_body.h - framing of one HTTP/1.x message body. */
#ifndef CCM_PROTO_HTTP_BODY_H
#define CCM_PROTO_HTTP_BODY_H

#include "base/inflate.h"
#include "proto/ccm_message.h"
#include "proto/http_head.h"

typedef enum ccm_http_framing {
    CCM_HTTP_LENGTH,     /* `left` bytes more */
    CCM_HTTP_CHUNK_SIZE, /* a chunk-size line comes */
    CCM_HTTP_CHUNK_DATA, /* `left` bytes more of a chunk */
    CCM_HTTP_CHUNK_END,  /* the line end behind a chunk */
    CCM_HTTP_TRAILER,    /* trailer lines, then a blank one */
    CCM_HTTP_UNTIL_CLOSE,
} ccm_http_framing;

typedef enum ccm_http_part {
    CCM_HTTP_MORE,
    CCM_HTTP_END,  /* the body is over */
    CCM_HTTP_LOST, /* its end cannot be told any more */
} ccm_http_part;

typedef struct ccm_http_body {
    uint8_t framing;
    uint8_t peek; /* a ccm_http_shape: the first bytes may be such a message instead; NONE: no */
    bool decoded_any; /* `decoded` is meant */
    bool absent;      /* it was announced, but the next message came instead */
    uint64_t left;
    uint64_t bytes;   /* content bytes on the wire, lost ones included, chunk framing excluded */
    uint64_t missing; /* of these not in the capture */
    uint64_t decoded;
    unsigned *decoders;   /* how many `z` there are, in all flows */
    ccm_inflate *z;       /* while content is being decoded */
    ccm_collect *collect; /* while the content may be a message; freed by ccm_collect_end */
} ccm_http_body;

/* `head` decides; `empty` = this message has no body whatever its head says. */
void ccm_http_body_start(ccm_http_body *b, const ccm_http_head *head, bool empty);
/* Shows bytes. With `peek`, END with nothing used when the next message starts here. */
ccm_http_part ccm_http_body_feed(ccm_http_body *b, const ccm_parse *ps, ccm_span in, size_t *used,
                                 uint64_t *skip);
/* `n` bytes of a skip have passed. */
ccm_http_part ccm_http_body_pass(ccm_http_body *b, uint64_t n, uint64_t missing);
/* `n` bytes are lost; *beyond = how many of them lie behind the end of the body. */
ccm_http_part ccm_http_body_gap(ccm_http_body *b, uint64_t n, uint64_t *beyond);
/* Decodes the content from now on, at most `limit` decoded bytes. *decoders, which may be NULL,
 * counts the decoders alive; false = there are too many. */
bool ccm_http_body_decode(ccm_http_body *b, uint64_t limit, unsigned *decoders);
/* Decodes no more. */
void ccm_http_body_stop(ccm_http_body *b);
/* Lets go of everything, without a word about it. */
void ccm_http_body_free(ccm_http_body *b);

#endif
