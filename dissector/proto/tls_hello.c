/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls_hello.c - fields of the two hellos of TLS.
 * In: one message, maybe cut short. Out: its fields as spans. State: none.
 * Spec: RFC 8446 sections 4.1 and 4.2; RFC 5246 section 7.4.1; RFC 6066 section 3 (server name);
 * RFC 7301 (ALPN); RFC 5077 (session ticket); RFC 7366, RFC 7627. */
#include "proto/tls_hello.h"

enum {
    RANDOM = 32,
    SESSION_ID = 32,
    EXT_SNI = 0,
    EXT_GROUPS = 10,
    EXT_POINT_FORMATS = 11,
    EXT_SIGNATURES = 13,
    EXT_ALPN = 16,
    EXT_ENCRYPT_THEN_MAC = 22,
    EXT_EXTENDED_MASTER_SECRET = 23,
    EXT_TICKET = 35,
    EXT_PSK = 41,
    EXT_EARLY_DATA = 42,
    EXT_VERSIONS = 43,
    EXT_POST_HANDSHAKE = 49,
};

/* `n` bytes; of a message that is cut short what is there, and the cursor is bad. */
static ccm_span take(ccm_cursor *c, size_t n)
{
    size_t left = ccm_cur_left(c);
    ccm_span s = ccm_cur_take(c, n < left ? n : left);
    if (n > left)
        c->bad = true;
    return s;
}

/* A list behind its length in `bytes` bytes; nothing when it is not whole. */
static ccm_span list(ccm_span in, unsigned bytes)
{
    ccm_cursor c = ccm_cur(in);
    size_t n = bytes == 1 ? ccm_cur_u8(&c) : ccm_cur_be16(&c);
    return ccm_cur_take(&c, n);
}

bool ccm_tls_extension(ccm_cursor *c, uint16_t *type, ccm_span *data)
{
    if (!ccm_cur_left(c))
        return false;
    *type = ccm_cur_be16(c);
    size_t n = ccm_cur_be16(c);
    *data = ccm_cur_take(c, n);
    return !c->bad;
}

static ccm_span server_name(ccm_span data)
{
    ccm_cursor c = ccm_cur(list(data, 2));
    while (ccm_cur_left(&c)) {
        uint8_t type = ccm_cur_u8(&c);
        ccm_span name = ccm_cur_take(&c, ccm_cur_be16(&c));
        if (!type && !c.bad)
            return name;
    }
    return (ccm_span){ 0 };
}

static void client_extension(ccm_client_hello *h, uint16_t type, ccm_span data)
{
    switch (type) {
    case EXT_SNI:
        h->has_sni = true;
        h->sni = server_name(data);
        break;
    case EXT_GROUPS:
        h->groups = list(data, 2);
        break;
    case EXT_POINT_FORMATS:
        h->point_formats = list(data, 1);
        break;
    case EXT_SIGNATURES:
        h->signatures = list(data, 2);
        break;
    case EXT_ALPN:
        h->has_alpn = true;
        h->alpn = list(data, 2);
        break;
    case EXT_TICKET:
        h->ticket = data.n ? data : h->ticket;
        break;
    case EXT_PSK:
        h->psk = true;
        h->ticket = list(list(data, 2), 2);
        break;
    case EXT_EARLY_DATA:
        h->early_data = true;
        break;
    case EXT_POST_HANDSHAKE:
        h->post_handshake = true;
        break;
    case EXT_VERSIONS:
        h->versions = list(data, 1);
        break;
    default:
        break;
    }
}

bool ccm_client_hello_read(ccm_span body, ccm_client_hello *out)
{
    ccm_cursor c = ccm_cur(body);
    uint16_t type;
    ccm_span data;

    *out = (ccm_client_hello){ .version = ccm_cur_be16(&c) };
    out->random = ccm_cur_take(&c, RANDOM);
    if (c.bad || out->version >> 8 != 3)
        return false;
    size_t n = ccm_cur_u8(&c);
    if (n > SESSION_ID)
        return false;
    out->session_id = ccm_cur_take(&c, n);
    n = ccm_cur_be16(&c);
    out->ciphers = ccm_cur_take(&c, n);
    n = ccm_cur_u8(&c);
    ccm_cur_skip(&c, n); /* compression methods */
    if (ccm_cur_left(&c)) {
        n = ccm_cur_be16(&c);
        out->extensions = take(&c, n);
    }
    ccm_cursor ext = ccm_cur(out->extensions);
    while (ccm_tls_extension(&ext, &type, &data))
        client_extension(out, type, data);
    out->incomplete = c.bad || ext.bad;
    return true;
}

uint16_t ccm_client_hello_highest(const ccm_client_hello *h)
{
    ccm_cursor c = ccm_cur(h->versions);
    uint16_t highest = 0;

    while (ccm_cur_left(&c) >= 2) {
        uint16_t v = ccm_cur_be16(&c);
        if (!ccm_tls_grease(v) && v >> 8 == 3 && v > highest)
            highest = v;
    }
    return highest ? highest : h->version;
}

static void server_extension(ccm_server_hello *h, uint16_t type, ccm_span data)
{
    ccm_cursor c = ccm_cur(data);

    if (type == EXT_VERSIONS && data.n == 2)
        h->version = ccm_cur_be16(&c);
    else if (type == EXT_ALPN)
        h->alpn = list(list(data, 2), 1);
    else if (type == EXT_PSK)
        h->psk = true;
    else if (type == EXT_ENCRYPT_THEN_MAC)
        h->encrypt_then_mac = true;
    else if (type == EXT_EXTENDED_MASTER_SECRET)
        h->extended_master_secret = true;
}

bool ccm_client_hello_read_v2(ccm_span in, uint8_t *random, ccm_client_hello *out)
{
    ccm_cursor c = ccm_cur(in);

    ccm_cur_skip(&c, 1);
    *out = (ccm_client_hello){ .version = ccm_cur_be16(&c) };
    size_t ciphers = ccm_cur_be16(&c), id = ccm_cur_be16(&c), n = ccm_cur_be16(&c);
    ccm_cur_skip(&c, ciphers);
    out->session_id = ccm_cur_take(&c, id);
    ccm_span challenge = ccm_cur_take(&c, n);
    if (c.bad || n > RANDOM || id > SESSION_ID)
        return false;
    memset(random, 0, RANDOM);
    memcpy(random + RANDOM - n, challenge.p, n); /* at its end */
    out->random = ccm_span_of(random, RANDOM);
    return true;
}

bool ccm_server_hello_read(ccm_span body, ccm_server_hello *out)
{
    /* SHA-256 of "HelloRetryRequest" */
    static const uint8_t retry[RANDOM] = {
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
        0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
        0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
    };
    ccm_cursor c = ccm_cur(body);
    uint16_t type;
    ccm_span data;

    *out = (ccm_server_hello){ .version = ccm_cur_be16(&c) };
    out->random = ccm_cur_take(&c, RANDOM);
    if (c.bad || (out->version >> 8 != 3 && out->version >> 8 != 0x7f))
        return false;
    out->retry = memcmp(out->random.p, retry, RANDOM) == 0;
    size_t n = out->version >> 8 == 3 ? ccm_cur_u8(&c) : 0; /* none in old drafts of TLS 1.3 */
    if (n > SESSION_ID)
        return false;
    out->session_id = ccm_cur_take(&c, n);
    out->suite = ccm_cur_be16(&c);
    if (out->version >> 8 == 3)
        ccm_cur_skip(&c, 1); /* compression method */
    ccm_cursor ext = ccm_cur((ccm_span){ 0 });
    if (ccm_cur_left(&c)) {
        n = ccm_cur_be16(&c);
        ext = ccm_cur(take(&c, n));
    }
    while (ccm_tls_extension(&ext, &type, &data))
        server_extension(out, type, data);
    out->incomplete = c.bad || ext.bad;
    return true;
}
