/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccm_headers.c - Configuration Manager and BITS headers of an HTTP head.
 * In: header lines. Out: attributes of http_request and http_response; the client's identity,
 * whether its signatures have the right form, which kinds of tokens it holds, BITS upload state.
 * Never a signature or a token itself. State: none beyond the caller's struct. Spec: signed client
 * headers, signature format, BITS upload protocol (MC-BUP); RFC 7519 for JWT. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "proto/ccm_headers.h"

#include "proto/jwt.h"

enum { JWT_MIN = 40, CLAIMS_TEXT = 2048 };

typedef uint8_t block __attribute__((vector_size(16)));

unsigned ccm_headers_signature_bits(ccm_span value)
{
    if (value.n != 256 && value.n != 512 && value.n != 768 && value.n != 1024)
        return 0;
    block good = (block){ 0 } == 0;
    for (size_t at = 0; at < value.n; at += sizeof good) { /* divides each of the lengths */
        block v;
        memcpy(&v, value.p + at, sizeof v);
        block number = v - '0', letter = (v | 0x20) - 'a';
        good &= (block)(number < 10) | (block)(letter < 6);
    }
    uint64_t half[2];
    memcpy(half, &good, sizeof half);
    if (~(half[0] & half[1]))
        return 0;
    return (unsigned)value.n * 4;
}

static void signature(ccm_headers *h, ccm_span value)
{
    unsigned bits = ccm_headers_signature_bits(value);
    h->any = true;
    if (!bits) {
        h->signed_bad = true;
        return;
    }
    if (!h->signed_ok)
        h->signature_bits = (uint16_t)bits;
    h->signed_ok = true;
}

/* "GUID:..;time;2", "{guid};time" or "GUID:..;time". */
static void client_token(ccm_headers *h, ccm_span value)
{
    h->any = true;
    h->client_token = true;
    h->client_token_text = value;
    const uint8_t *semi = value.n ? memchr(value.p, ';', value.n) : NULL;
    if (!semi)
        return; /* not the documented form: its content may be a secret */
    ccm_span id = ccm_span_of(value.p, (size_t)(semi - value.p));
    ccm_span time = ccm_span_of(semi + 1, value.n - id.n - 1);
    semi = time.n ? memchr(time.p, ';', time.n) : NULL;
    if (semi)
        time.n = (size_t)(semi - time.p);
    if (!h->client_id.n && id.n <= 64)
        h->client_id = id;
    if (!h->client_time.n && time.n <= 40)
        h->client_time = time;
}

/* Does the claim `key` of the JSON text start with `prefix`? Good enough for the compact JSON that
 * token services write; white space round the colon is allowed. */
static bool claim_starts(ccm_span json, const char *key, const char *prefix)
{
    ccm_span k = ccm_span_str(key), want = ccm_span_str(prefix);
    ccm_span rest = json;
    for (;;) {
        const uint8_t *at = rest.n ? memmem(rest.p, rest.n, k.p, k.n) : NULL;
        if (!at)
            return false;
        size_t i = (size_t)(at - rest.p) + k.n;
        while (i < rest.n && (rest.p[i] == ' ' || rest.p[i] == ':'))
            i++;
        if (i < rest.n && rest.p[i] == '"' && rest.n - i - 1 >= want.n &&
            !memcmp(rest.p + i + 1, want.p, want.n))
            return true;
        rest.n -= (size_t)(at - rest.p) + k.n;
        rest.p = at + k.n;
    }
}

static void claims(ccm_headers *h, ccm_span text)
{
    uint8_t json[CLAIMS_TEXT];
    size_t n = 0;
    uint32_t acc = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < text.n && n < sizeof json; i++) {
        acc = acc << 6 | (uint32_t)ccm_base64url_digit(text.p[i]);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            json[n++] = (uint8_t)(acc >> bits);
        }
    }
    ccm_span s = ccm_span_of(json, n);
    if (claim_starts(s, "\"iss\"", "urn:sccm:oauth2:") ||
        claim_starts(s, "\"aud\"", "urn:sccm:service"))
        h->ccm_token = true;
}

static size_t base64url_run(ccm_span s, size_t from)
{
    size_t i = from;
    while (i < s.n && ccm_base64url_digit(s.p[i]) >= 0)
        i++;
    return i - from;
}

/* Where a JSON object in base64 begins. Searched by its rarest letter. */
static const uint8_t *object_start(ccm_span s)
{
    for (size_t i = 2; i < s.n;) {
        const uint8_t *j = memchr(s.p + i, 'J', s.n - i);
        if (!j || (j[-1] == 'y' && j[-2] == 'e'))
            return j ? j - 2 : NULL;
        i = (size_t)(j - s.p) + 1;
    }
    return NULL;
}

void ccm_headers_token(ccm_headers *h, ccm_span name, ccm_span value)
{
    ccm_span whole = value;
    bool kept = false;
    while (value.n >= JWT_MIN) {
        const uint8_t *at = object_start(value);
        if (!at)
            return;
        size_t i = (size_t)(at - value.p);
        size_t head = base64url_run(value, i), body = i + head + 1;
        if (body + 3 < value.n && value.p[body - 1] == '.' && !memcmp(value.p + body, "eyJ", 3)) {
            size_t n = base64url_run(value, body);
            if (body + n < value.n && value.p[body + n] == '.') {
                if (!kept && h->n_jwts < CCM_TOKENS)
                    h->jwts[h->n_jwts++] = (ccm_header_jwt){ name, whole };
                kept = true;
                claims(h, ccm_span_of(value.p + body, n));
                head += 1 + n;
            }
        }
        value.p += i + head;
        value.n -= i + head;
    }
}

static bool decimal(ccm_span s, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || v > (UINT64_MAX - 9) / 10)
            return false;
        v = v * 10 + (uint64_t)(s.p[i] - '0');
    }
    *out = v;
    return s.n > 0;
}

static bool ccm_line(ccm_headers *h, ccm_span name, ccm_span value)
{
    if (name.n == 11 && ccm_headers_is(name, "ccmclientid")) {
        h->any = true;
        h->client_id = value;
    } else if (name.n == 11 && ccm_headers_is(name, "clienttoken")) {
        client_token(h, value);
    } else if (name.n == 18 && ccm_headers_is(name, "ccmclienttimestamp")) {
        h->any = true;
        h->client_time = value;
    } else if (ccm_headers_is(name, "ccmclientidsignature")) {
        h->client_id_signature = value;
        signature(h, value);
    } else if (ccm_headers_is(name, "clienttokensignature")) {
        h->client_token_signature = value;
        signature(h, value);
    } else if (ccm_headers_is(name, "ccmclienttimestampsignature") ||
               ccm_headers_is(name, "ccmclienttimestampssignature")) {
        h->client_time_signature = value;
        signature(h, value);
    } else if (ccm_headers_is(name, "ccmauthheadertypesignature")) {
        signature(h, value);
    } else if (name.n == 17 && ccm_headers_is(name, "ccmauthheadertype")) {
        h->any = true;
    } else if (name.n == 12 && ccm_headers_is(name, "content-name")) {
        h->content_name = value;
    } else {
        return false;
    }
    return true;
}

static bool bits_line(ccm_headers *h, ccm_span name, ccm_span value)
{
    if (ccm_headers_is(name, "bits-packet-type"))
        h->bits_packet = value;
    else if (ccm_headers_is(name, "bits-session-id"))
        h->bits_session = value;
    else if (ccm_headers_is(name, "bits-received-content-range"))
        h->has_bits_received = decimal(value, &h->bits_received);
    else if (ccm_headers_is(name, "bits-error-code"))
        h->bits_error = value;
    else if (ccm_headers_is(name, "bits-error-context"))
        h->bits_context = value;
    else if (ccm_headers_is(name, "bits-host-id"))
        h->bits_host = value;
    else
        return false;
    return true;
}

/* Not a part of its caller, which is shorter without it. */
G_GNUC_NO_INLINE void ccm_headers_line(ccm_headers *h, ccm_span name, ccm_span value)
{
    uint8_t first = name.n ? name.p[0] | 0x20 : 0;
    if (first == 'c' && name.n >= 11 && ccm_line(h, name, value))
        return;
    if (first == 'b' && name.n >= 12 && bits_line(h, name, value))
        return;
    if (value.n >= JWT_MIN)
        ccm_headers_token(h, name, value);
}

static void token_kinds(const ccm_headers *h, ccm_obs *o)
{
    /* Every combination is a literal, because the text must outlive this function. */
    static const char *const kinds[16] = {
        "",
        "bearer",
        "jwt",
        "bearer, jwt",
        "ccm",
        "bearer, ccm",
        "jwt, ccm",
        "bearer, jwt, ccm",
        "client-token",
        "bearer, client-token",
        "jwt, client-token",
        "bearer, jwt, client-token",
        "ccm, client-token",
        "bearer, ccm, client-token",
        "jwt, ccm, client-token",
        "bearer, jwt, ccm, client-token",
    };
    unsigned i = h->bearer | (h->n_jwts > 0) << 1 | (unsigned)h->ccm_token << 2 |
                 (unsigned)h->client_token << 3;
    if (i)
        ccm_obs_str(o, CCM_KEY_token_kind, ccm_span_str(kinds[i]));
}

void ccm_headers_request(const ccm_headers *h, ccm_obs *o)
{
    ccm_obs_str(o, CCM_KEY_client_id, h->client_id);
    if (h->any) {
        const char *s = h->signed_bad ? "malformed" : h->signed_ok ? "well-formed" : "absent";
        ccm_obs_str(o, CCM_KEY_signature, ccm_span_str(s));
        if (h->signed_ok && !h->signed_bad)
            ccm_obs_u64(o, CCM_KEY_signature_bits, h->signature_bits);
    }
    ccm_obs_str(o, CCM_KEY_client_time, h->client_time);
    token_kinds(h, o);
    ccm_obs_str(o, CCM_KEY_bits_packet, h->bits_packet);
    ccm_obs_str(o, CCM_KEY_bits_session, h->bits_session);
    ccm_obs_str(o, CCM_KEY_content_name, h->content_name);
}

void ccm_headers_response(const ccm_headers *h, ccm_obs *o)
{
    ccm_obs_str(o, CCM_KEY_bits_packet, h->bits_packet);
    ccm_obs_str(o, CCM_KEY_bits_session, h->bits_session);
    if (h->has_bits_received)
        ccm_obs_u64(o, CCM_KEY_bits_received, h->bits_received);
    ccm_obs_str(o, CCM_KEY_bits_error, h->bits_error);
    ccm_obs_str(o, CCM_KEY_bits_context, h->bits_context);
    ccm_obs_str(o, CCM_KEY_bits_host, h->bits_host);
}
