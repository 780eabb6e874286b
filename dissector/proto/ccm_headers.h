/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccm_headers.h - Configuration Manager and BITS headers of an HTTP head. */
#ifndef CCM_PROTO_CCM_HEADERS_H
#define CCM_PROTO_CCM_HEADERS_H

#include "observe/obs.h"

/* What the headers of one head said. Spans point into the head. Zero to begin. */
typedef struct ccm_headers {
    ccm_span client_id, client_time;
    ccm_span bits_packet, bits_session, bits_error, bits_host, content_name;
    uint64_t bits_received;
    uint16_t signature_bits; /* of the first well-formed signature */
    bool has_bits_received;
    bool any;       /* a CCM header was there */
    bool signed_ok; /* a well-formed signature */
    bool signed_bad;
    bool bearer, jwt, ccm_token, client_token; /* kinds of tokens */
} ccm_headers;

/* Case-insensitive: does `s` equal the lower-case literal `lower`? */
bool ccm_headers_is(ccm_span s, const char *lower);
/* One header line that plain HTTP did not want; `value` is trimmed. */
void ccm_headers_line(ccm_headers *h, ccm_span name, ccm_span value);
/* Looks for a JSON web token inside a header value. */
void ccm_headers_token(ccm_headers *h, ccm_span value);
/* Adds the attributes that a request or a response may carry. */
void ccm_headers_request(const ccm_headers *h, ccm_obs *o);
void ccm_headers_response(const ccm_headers *h, ccm_obs *o);
/* Length in bits of a signature in hexadecimal of a usual RSA key length; 0 = malformed. */
unsigned ccm_headers_signature_bits(ccm_span value);

#endif
