/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccm_headers.h - Configuration Manager and BITS headers of an HTTP head. */
#ifndef CCM_PROTO_CCM_HEADERS_H
#define CCM_PROTO_CCM_HEADERS_H

#include "observe/obs.h"

enum { CCM_TOKENS = 4 }; /* JSON web tokens that are told of one request */

/* A header in which a JSON web token was found. */
typedef struct ccm_header_jwt {
    ccm_span name, value;
} ccm_header_jwt;

/* What the headers of one head said. Spans point into the head. Zero to begin, but for `jwts`. */
typedef struct ccm_headers {
    ccm_span client_id, client_time;
    ccm_span client_token_text; /* of ClientToken, whole */
    ccm_span client_id_signature, client_time_signature, client_token_signature;
    ccm_span bits_packet, bits_session, bits_error, bits_context, bits_host, content_name;
    uint64_t bits_received;
    uint16_t signature_bits; /* of the first well-formed signature */
    bool has_bits_received;
    bool any;       /* a CCM header was there */
    bool signed_ok; /* a well-formed signature */
    bool signed_bad;
    bool bearer, ccm_token, client_token; /* kinds of tokens */
    uint8_t n_jwts;
    ccm_header_jwt jwts[CCM_TOKENS]; /* the first ones */
} ccm_headers;

/* Does the word at `p` differ from the lower-case one at `lower`, case apart? Only bytes from 0x60
 * on, the letters, get their case bit set. */
static inline bool ccm_headers_differ8(const uint8_t *p, const char *lower)
{
    uint64_t a, b;
    memcpy(&a, p, sizeof a);
    memcpy(&b, lower, sizeof b);
    return (a | (b & b >> 1 & 0x2020202020202020)) != b;
}

static inline bool ccm_headers_differ4(const uint8_t *p, const char *lower)
{
    uint32_t a, b;
    memcpy(&a, p, sizeof a);
    memcpy(&b, lower, sizeof b);
    return (a | (b & b >> 1 & 0x20202020)) != b;
}

/* Case-insensitive: does `s` equal the lower-case literal `lower`, of letters, digits and "-_."?
 * Inline, because for a literal its length and its words are constants: a few instructions are
 * left. The last word may overlap the one before it. */
static inline __attribute__((always_inline)) bool ccm_headers_is(ccm_span s, const char *lower)
{
    size_t n = strlen(lower), i = 0;
    if (s.n != n)
        return false;
    if (n < 4) {
        for (; i < n; i++)
            if ((s.p[i] | (lower[i] & lower[i] >> 1 & 0x20)) != lower[i])
                return false;
        return true;
    }
    if (n < 8)
        return !ccm_headers_differ4(s.p, lower) && !ccm_headers_differ4(s.p + n - 4, lower + n - 4);
    if (ccm_headers_differ8(s.p, lower))
        return false;
    for (i = 8; i + 8 < n; i += 8)
        if (ccm_headers_differ8(s.p + i, lower + i))
            return false;
    return !ccm_headers_differ8(s.p + n - 8, lower + n - 8);
}

/* One header line that plain HTTP did not want; `value` is trimmed. */
void ccm_headers_line(ccm_headers *h, ccm_span name, ccm_span value);
/* Looks for JSON web tokens inside a header value. */
void ccm_headers_token(ccm_headers *h, ccm_span name, ccm_span value);
/* Adds the attributes that a request or a response may carry. */
void ccm_headers_request(const ccm_headers *h, ccm_obs *o);
void ccm_headers_response(const ccm_headers *h, ccm_obs *o);
/* Length in bits of a signature in hexadecimal of a usual RSA key length; 0 = malformed. */
unsigned ccm_headers_signature_bits(ccm_span value);

#endif
