/* SPDX-License-Identifier: GPL-2.0-or-later
 * verify_formats.c - the forms in which public keys and client ids come.
 * In: bytes of a message, a certificate or a file. Out: an RSA modulus and exponent that are safe
 * to hand to OpenSSL, or nothing. State: none. Spec: PUBLICKEYBLOB of CryptoAPI, RFC 5280
 * section 4.1, RFC 8017 appendix A.1.1. */
#include "proto/verify_state.h"

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static ccm_span trim(ccm_span s)
{
    while (s.n && is_space(s.p[0]))
        s = ccm_span_of(s.p + 1, s.n - 1);
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* What each hexadecimal digit stands for, plus 0x10; 0 = no digit. */
static const uint8_t digits[256] = {
    ['0'] = 0x10, ['1'] = 0x11, ['2'] = 0x12, ['3'] = 0x13, ['4'] = 0x14, ['5'] = 0x15,
    ['6'] = 0x16, ['7'] = 0x17, ['8'] = 0x18, ['9'] = 0x19, ['A'] = 0x1a, ['B'] = 0x1b,
    ['C'] = 0x1c, ['D'] = 0x1d, ['E'] = 0x1e, ['F'] = 0x1f, ['a'] = 0x1a, ['b'] = 0x1b,
    ['c'] = 0x1c, ['d'] = 0x1d, ['e'] = 0x1e, ['f'] = 0x1f,
};

bool ccm_hex_decode(ccm_span hex, uint8_t *out, size_t room, size_t *n)
{
    hex = trim(hex);
    *n = 0;
    if (!hex.n || hex.n % 2 || hex.n / 2 > room)
        return false;
    uint8_t good = 0x10;
    for (size_t i = 0; i < hex.n / 2; i++) {
        uint8_t high = digits[hex.p[2 * i]], low = digits[hex.p[2 * i + 1]];
        good &= high & low;
        out[i] = (uint8_t)(high << 4 | (low & 15));
    }
    *n = good ? hex.n / 2 : 0;
    return good;
}

/* What a key must be so that an operation with it is defined and short: an odd modulus of 512 to
 * 16384 bits, an odd exponent from 3 to 32 bits, of at most 17 bits where the modulus is huge. */
static bool sane(const ccm_rsa *rsa)
{
    if (rsa->n < CCM_RSA_BITS_MIN / 8 || rsa->n > CCM_RSA_BYTES)
        return false;
    if (!rsa->modulus[0] || !(rsa->modulus[rsa->n - 1] & 1))
        return false;
    if (rsa->exponent < 3 || !(rsa->exponent & 1))
        return false;
    return rsa->n <= 4096 / 8 || rsa->exponent < 1u << 17;
}

bool ccm_rsa_from_blob(ccm_span blob, ccm_rsa *out)
{
    ccm_cursor c = ccm_cur(blob);
    uint8_t type = ccm_cur_u8(&c), version = ccm_cur_u8(&c);
    uint16_t reserved = ccm_cur_le16(&c);
    uint32_t algorithm = ccm_cur_le32(&c), magic = ccm_cur_be32(&c), bits = ccm_cur_le32(&c);
    out->exponent = ccm_cur_le32(&c);
    bool known = type == 6 && version == 2 && !reserved &&
                 (algorithm == 0xa400 || algorithm == 0x2400) && magic == 0x52534131; /* RSA1 */
    if (c.bad || !known || bits < CCM_RSA_BITS_MIN || bits > CCM_RSA_BYTES * 8)
        return false;
    size_t n = (bits + 7) / 8;
    ccm_span modulus = ccm_cur_take(&c, n);
    if (c.bad || ccm_cur_left(&c))
        return false;
    out->n = (uint16_t)n;
    for (size_t i = 0; i < n; i++)
        out->modulus[i] = modulus.p[n - 1 - i];
    return sane(out);
}

/* ---- DER ------------------------------------------------------------------------------------- */

enum { INTEGER = 0x02, BIT_STRING = 0x03, OBJECT_ID = 0x06, SEQUENCE = 0x30, EXPLICIT_0 = 0xa0 };

/* The content of the next element, which must have this tag. */
static ccm_span element(ccm_cursor *c, uint8_t tag)
{
    if (ccm_cur_u8(c) != tag)
        c->bad = true;
    size_t n = ccm_cur_u8(c);
    if (n & 0x80) {
        unsigned more = n & 0x7f;
        if (!more || more > 4)
            c->bad = true;
        for (n = 0; more && !c->bad; more--)
            n = n << 8 | ccm_cur_u8(c);
    }
    return ccm_cur_take(c, n);
}

static bool next_is(const ccm_cursor *c, uint8_t tag)
{
    ccm_cursor look = *c;
    return ccm_cur_u8(&look) == tag && !look.bad;
}

static ccm_span number(ccm_cursor *c)
{
    ccm_span s = element(c, INTEGER);
    if (!s.n || s.p[0] & 0x80) /* a negative number is no part of a key */
        c->bad = true;
    while (s.n && !s.p[0])
        s = ccm_span_of(s.p + 1, s.n - 1);
    return s;
}

static bool public_numbers(ccm_cursor c, ccm_rsa *out)
{
    ccm_span modulus = number(&c), exponent = number(&c);
    if (c.bad || modulus.n > CCM_RSA_BYTES || exponent.n > sizeof out->exponent)
        return false;
    out->n = (uint16_t)modulus.n;
    if (modulus.n)
        memcpy(out->modulus, modulus.p, modulus.n);
    out->exponent = 0;
    for (size_t i = 0; i < exponent.n; i++)
        out->exponent = out->exponent << 8 | exponent.p[i];
    return sane(out);
}

/* Inside SubjectPublicKeyInfo. */
static bool public_key_info(ccm_cursor c, ccm_rsa *out)
{
    static const uint8_t rsa_encryption[] = {
        0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01
    };
    ccm_cursor algorithm = ccm_cur(element(&c, SEQUENCE));
    ccm_span id = element(&algorithm, OBJECT_ID), bits = element(&c, BIT_STRING);
    if (c.bad || algorithm.bad || id.n != sizeof rsa_encryption ||
        memcmp(id.p, rsa_encryption, id.n) != 0 || !bits.n || bits.p[0] != 0)
        return false;
    ccm_cursor key = ccm_cur(ccm_span_of(bits.p + 1, bits.n - 1));
    ccm_span numbers = element(&key, SEQUENCE);
    return !key.bad && public_numbers(ccm_cur(numbers), out);
}

/* Inside TBSCertificate, whose version may be absent. */
static bool certificate(ccm_cursor c, ccm_rsa *out)
{
    if (next_is(&c, EXPLICIT_0))
        (void)element(&c, EXPLICIT_0);
    (void)element(&c, INTEGER);
    for (int i = 0; i < 4; i++) /* signature algorithm, issuer, validity, subject */
        (void)element(&c, SEQUENCE);
    ccm_span info = element(&c, SEQUENCE);
    return !c.bad && public_key_info(ccm_cur(info), out);
}

bool ccm_rsa_from_der(ccm_span der, ccm_rsa *out)
{
    ccm_cursor outer = ccm_cur(der);
    ccm_span content = element(&outer, SEQUENCE);
    if (outer.bad)
        return false;
    ccm_cursor c = ccm_cur(content);
    if (next_is(&c, INTEGER))
        return public_numbers(c, out);
    ccm_cursor inner = c;
    ccm_span first = element(&inner, SEQUENCE);
    if (inner.bad)
        return false;
    ccm_cursor f = ccm_cur(first);
    return next_is(&f, OBJECT_ID) ? public_key_info(c, out) : certificate(f, out);
}

/* ---- client ids ------------------------------------------------------------------------------ */

static bool is_guid(ccm_span s)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (s.n != sizeof form - 1)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (form[i] == '-' ? s.p[i] != '-' : !digits[s.p[i]])
            return false;
    return true;
}

size_t ccm_client_id_normal(ccm_span id, char out[CCM_CLIENT_ID_TEXT])
{
    id = trim(id);
    bool prefix = id.n >= 5 && !g_ascii_strncasecmp((const char *)id.p, "GUID:", 5);
    if (prefix)
        id = ccm_span_of(id.p + 5, id.n - 5);
    if (id.n >= 2 && id.p[0] == '{' && id.p[id.n - 1] == '}')
        id = ccm_span_of(id.p + 1, id.n - 2);
    size_t n = 0;
    if (!id.n || id.n + 5 > CCM_CLIENT_ID_TEXT)
        return 0;
    if (prefix || is_guid(id)) {
        memcpy(out, "GUID:", 5);
        n = 5;
    }
    for (size_t i = 0; i < id.n; i++)
        out[n++] = g_ascii_toupper((char)id.p[i]);
    return n;
}
