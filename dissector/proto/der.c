/* SPDX-License-Identifier: GPL-2.0-or-later
 * der.c - values of ASN.1 in DER, or BER with definite lengths.
 * In: bytes. Out: identifiers and values as spans; a value that is cut short gives what is there.
 * State: none. Spec: X.690 sections 8.1 (identifier, length), 8.3 (integer), 8.19 (OID). */
#include "proto/der.h"

#include <inttypes.h>
#include <stdio.h>

static bool length(ccm_cursor *c, size_t *out)
{
    uint8_t first = ccm_cur_u8(c);
    size_t n = first;
    if (first & 0x80) {
        unsigned bytes = first & 0x7f;
        if (!bytes || bytes > 4)
            return false;
        for (n = 0; bytes; bytes--)
            n = n << 8 | ccm_cur_u8(c);
    }
    *out = n;
    return !c->bad;
}

bool ccm_der_next(ccm_cursor *c, ccm_der *out)
{
    if (!ccm_cur_left(c))
        return false;
    size_t start = c->pos;
    *out = (ccm_der){ .tag = ccm_cur_u8(c) };
    if ((out->tag & 0x1f) == 0x1f || !length(c, &out->size)) {
        c->bad = true;
        return false;
    }
    size_t left = ccm_cur_left(c);
    out->cut = out->size > left;
    out->value = ccm_cur_take(c, out->cut ? left : out->size);
    out->whole = ccm_span_of(c->p + start, c->pos - start);
    return true;
}

bool ccm_der_take(ccm_cursor *c, uint8_t tag, ccm_der *out)
{
    ccm_cursor ahead = *c;
    if (!ccm_der_next(&ahead, out) || out->tag != tag)
        return false;
    *c = ahead;
    return true;
}

bool ccm_der_find(ccm_span s, const uint8_t *path, size_t levels, ccm_der *out)
{
    if (!levels || levels > CCM_DER_PATH)
        return false;
    for (size_t i = 0; i < levels; i++) {
        ccm_cursor c = ccm_cur(s);
        do {
            if (!ccm_der_next(&c, out))
                return false;
        } while (out->tag != path[i]);
        s = out->value;
    }
    return true;
}

bool ccm_der_int(ccm_span value, int64_t *out)
{
    if (!value.n || value.n > 8)
        return false;
    uint64_t v = value.p[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < value.n; i++)
        v = v << 8 | value.p[i];
    *out = (int64_t)v;
    return true;
}

/* The next number of a dotted OID; moves behind its dot. */
static uint64_t dotted_arc(const char **text)
{
    uint64_t v = 0;
    for (; **text && **text != '.'; ++*text)
        v = v * 10 + (uint64_t)(**text - '0');
    *text += **text == '.';
    return v;
}

bool ccm_der_oid_is(ccm_span value, const char *dotted)
{
    size_t i = 0;
    uint64_t first = dotted_arc(&dotted) * 40; /* the first two numbers share one */
    while (*dotted) {
        uint64_t want = first + dotted_arc(&dotted), got = 0;
        first = 0;
        bool more = true;
        for (; more; i++) {
            if (i == value.n || got >> 56)
                return false;
            got = got << 7 | (value.p[i] & 0x7f);
            more = value.p[i] & 0x80;
        }
        if (got != want)
            return false;
    }
    return i == value.n;
}

const char *ccm_der_oid_text(ccm_span value, char *out, size_t size)
{
    size_t used = 0;
    uint64_t arc = 0;

    out[0] = '\0';
    for (size_t i = 0; i < value.n; i++) {
        arc = arc << 7 | (value.p[i] & 0x7f);
        bool more = value.p[i] & 0x80;
        if (arc >> 56 || (more && i + 1 == value.n))
            used = size;
        if (more && used < size)
            continue;
        if (used < size) {
            uint64_t top = arc < 80 ? arc / 40 : 2;
            int n = !used ? snprintf(out, size, "%" PRIu64 ".%" PRIu64, top, arc - top * 40)
                          : snprintf(out + used, size - used, ".%" PRIu64, arc);
            used += n > 0 ? (size_t)n : size;
        }
        if (used >= size) {
            out[0] = '\0';
            return out;
        }
        arc = 0;
    }
    return out;
}
