/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls_record.c - where the records of TLS begin.
 * In: bytes. Out: whether and where a record begins. State: none.
 * Spec: RFC 8446 section 5.1, RFC 5246 section 6.2, RFC 6520 (heartbeat). */
#include "proto/tls_record.h"

enum { CLIENT_HELLO = 1, SERVER_HELLO = 2, BULK_MIN = 17 };

ccm_probe ccm_tls_header(ccm_span in, ccm_tls_record *out)
{
    ccm_cursor c = ccm_cur(in);

    out->type = ccm_cur_u8(&c);
    if (in.n && (out->type < CCM_TLS_CHANGE_CIPHER || out->type > CCM_TLS_HEARTBEAT))
        return CCM_PROBE_NO;
    uint8_t major = ccm_cur_u8(&c), minor = ccm_cur_u8(&c);
    if ((in.n > 1 && major != 3) || (in.n > 2 && minor > 4))
        return CCM_PROBE_NO;
    out->size = ccm_cur_be16(&c);
    if (c.bad)
        return CCM_PROBE_MAYBE;
    bool good = out->size <= CCM_TLS_FRAGMENT_MAX &&
                (out->size || out->type == CCM_TLS_APPLICATION) &&
                (out->type != CCM_TLS_CHANGE_CIPHER || out->size == 1 || out->size >= 16);
    return good ? CCM_PROBE_YES : CCM_PROBE_NO;
}

ccm_probe ccm_tls_shape(ccm_span in)
{
    ccm_tls_record r;
    ccm_probe shape = ccm_tls_header(in, &r);
    ccm_cursor c = ccm_cur(in);

    if (in.n && r.type != CCM_TLS_HANDSHAKE && r.type != CCM_TLS_ALERT)
        return CCM_PROBE_NO;
    if (shape != CCM_PROBE_YES)
        return shape;
    ccm_cur_skip(&c, CCM_TLS_HEADER);
    uint8_t first = ccm_cur_u8(&c);
    if (c.bad)
        return CCM_PROBE_MAYBE;
    if (r.type == CCM_TLS_ALERT)
        return r.size == 2 && (first == 1 || first == 2) ? CCM_PROBE_YES : CCM_PROBE_NO;
    if (first != CLIENT_HELLO && first != SERVER_HELLO)
        return CCM_PROBE_NO;
    /* A hello is shorter than 128 KiB. Its length may be in a later record. */
    uint8_t high = r.size > 1 ? ccm_cur_u8(&c) : 0;
    return high > 1 ? CCM_PROBE_NO : c.bad ? CCM_PROBE_MAYBE : CCM_PROBE_YES;
}

ccm_probe ccm_tls_shape_v2(ccm_span in, size_t *size)
{
    static const uint8_t fixed[] = { 0, 0, CLIENT_HELLO, 3 };
    ccm_cursor c = ccm_cur(in);
    uint16_t length = ccm_cur_be16(&c);

    if (in.n && !(in.p[0] & 0x80))
        return CCM_PROBE_NO;
    for (size_t i = 2; i < in.n && i < sizeof fixed; i++)
        if (in.p[i] != fixed[i])
            return CCM_PROBE_NO;
    ccm_cur_skip(&c, 3);
    unsigned ciphers = ccm_cur_be16(&c), id = ccm_cur_be16(&c), challenge = ccm_cur_be16(&c);
    if (c.bad)
        return CCM_PROBE_MAYBE;
    *size = 2u + (length & 0x7fff);
    bool fits = in.p[4] <= 4 && ciphers && ciphers % 3 == 0 && (!id || id == 16 || id == 32) &&
                challenge >= 16 && challenge <= 32 && *size == 11 + ciphers + id + challenge;
    return fits ? CCM_PROBE_YES : CCM_PROBE_NO;
}

bool ccm_tls_plain_handshake(ccm_span fragment)
{
    ccm_cursor c = ccm_cur(fragment);

    for (unsigned i = 0; ccm_cur_left(&c); i++) {
        uint8_t type = ccm_cur_u8(&c), high = ccm_cur_u8(&c);
        uint32_t n = (uint32_t)high << 16 | ccm_cur_be16(&c);
        bool known = type <= 2 || type == 4 || (type >= 11 && type <= 16) || type == 20 ||
                     type == 22 || type == 25;
        if (!known || high > 1)
            return false;
        if (c.bad || n > ccm_cur_left(&c))
            return true; /* goes on in the next record */
        ccm_cur_skip(&c, n);
    }
    return true;
}

/* Is what begins at `in` a record that another follows, or that ends where `in` does? */
static ccm_probe run(ccm_span in, bool start)
{
    ccm_tls_record r, next;
    ccm_probe shape = ccm_tls_header(in, &r);

    if (shape == CCM_PROBE_NO || (in.n > 2 && in.p[2] == 4) || r.type == CCM_TLS_HEARTBEAT)
        return CCM_PROBE_NO;
    if (shape == CCM_PROBE_MAYBE)
        return CCM_PROBE_MAYBE;
    size_t whole = (size_t)CCM_TLS_HEADER + r.size;
    bool bulk = r.type == CCM_TLS_APPLICATION && in.p[2] == 3 && r.size >= BULK_MIN;
    if (whole > in.n) /* alone it counts only where it is most likely */
        return bulk && start ? CCM_PROBE_YES : CCM_PROBE_MAYBE;
    if (whole == in.n)
        return bulk || start ? CCM_PROBE_YES : CCM_PROBE_MAYBE;
    return ccm_tls_header(ccm_span_of(in.p + whole, in.n - whole), &next);
}

size_t ccm_tls_seek(ccm_span in, bool start, size_t *keep)
{
    *keep = 0;
    for (size_t i = 0; i < in.n; i++) {
        /* The major version, which is rarer than the type before it. */
        const uint8_t *three = i + 1 < in.n ? memchr(in.p + i + 1, 3, in.n - i - 1) : NULL;
        i = three ? (size_t)(three - in.p) - 1 : in.n - 1;
        if (in.p[i] < CCM_TLS_CHANGE_CIPHER || in.p[i] > CCM_TLS_APPLICATION)
            continue;
        ccm_probe r = run(ccm_span_of(in.p + i, in.n - i), start && !i);
        if (r == CCM_PROBE_YES)
            return i;
        if (r == CCM_PROBE_MAYBE && !*keep)
            *keep = in.n - i;
    }
    return SIZE_MAX;
}
