/* SPDX-License-Identifier: GPL-2.0-or-later
 * http_head.h - HTTP/1.x message heads: recognise, find again after a gap, parse. Pure functions
 * over borrowed bytes. */
#ifndef CCM_PROTO_HTTP_HEAD_H
#define CCM_PROTO_HTTP_HEAD_H

#include "proto/ccm_headers.h"

/* What the first bytes of a message look like. */
typedef enum ccm_http_shape {
    CCM_HTTP_NONE,
    CCM_HTTP_MAYBE, /* more bytes are needed */
    CCM_HTTP_REQUEST,
    CCM_HTTP_RESPONSE,
} ccm_http_shape;

enum {
    CCM_HTTP_SCHEMES = 96,
    CCM_HTTP_FOLDS = 1024,
    CCM_HTTP_METHOD_MAX = 64, /* longer tokens are no methods: IANA's longest has 17 */
    CCM_HTTP_CREDENTIALS = 4
};

/* A header that holds credentials or challenges; `header` is a literal in lower case. */
typedef struct ccm_http_credential {
    const char *header;
    ccm_span value;
} ccm_http_credential;

typedef struct ccm_http_head {
    bool response;
    uint8_t version; /* 10 or 11 */
    uint16_t status;
    ccm_span method, target;
    ccm_span host, user_agent, content_type, content_encoding, range, content_range, server,
        location, soap_action;
    uint64_t content_length;
    bool has_length, chunked, coded /* another transfer coding is the last */, close, expect;
    bool incomplete; /* ended without its blank line */
    uint8_t n_credentials;
    uint8_t n_schemes; /* bytes used of `schemes` */
    uint16_t n_folds;  /* bytes used of `folds` */
    ccm_headers ccm;
    ccm_http_credential credentials[CCM_HTTP_CREDENTIALS];
    char schemes[CCM_HTTP_SCHEMES]; /* authentication schemes, joined by ", " */
    uint8_t folds[CCM_HTTP_FOLDS];  /* unfolded values of wanted headers */
} ccm_http_head;

ccm_http_shape ccm_http_shape_of(ccm_span in);
/* Is this byte part of a token (RFC 9110 5.6.2)? */
static inline bool ccm_http_tchar(uint8_t c)
{
    /* One bit a character: ! # $ % & ' * + - . 0-9 and A-Z ^ _ ` a-z | ~ */
    const uint64_t low = 0x03ff6cfa00000000, high = 0x57ffffffc7fffffe;
    return c < 128 && ((c < 64 ? low : high) >> (c & 63) & 1);
}

/* Parses the head at in.p[0]. Returns its size with the blank line; 0 when the blank line is not
 * there yet; SIZE_MAX when the first line is no HTTP. With `partial` it takes the complete lines
 * that are there and returns 0 only when the first line is incomplete. */
size_t ccm_http_head_parse(ccm_span in, bool partial, ccm_http_head *head);
/* Is the head's blank line there? `scanned` remembers where to go on next time. */
bool ccm_http_head_ended(ccm_span in, size_t *scanned);

/* Searches the next message start in bytes of unknown meaning. `boundary` is an offset at which a
 * segment begins (SIZE_MAX: none). Returns the offset of a complete first line, or SIZE_MAX with
 * *keep = how many last bytes must be shown again. */
size_t ccm_http_seek(ccm_span in, size_t boundary, bool requests, bool responses, size_t *keep);
/* How many last bytes may be the beginning of a first line; few are in bytes that are not HTTP. */
size_t ccm_http_tail(ccm_span in);

#endif
