/* SPDX-License-Identifier: GPL-2.0-or-later
 * name.c - bounded copies of names.
 * In: bytes or UTF-16LE. Out: UTF-8 in the caller's ccm_name. State: none.
 * Spec: RFC 3629 (UTF-8), RFC 2781 (UTF-16). */
#include "proto/name.h"

void ccm_name_add(ccm_name *name, ccm_span bytes)
{
    size_t room = sizeof name->text - name->n, n = bytes.n;
    if (n > room || name->cut) {
        n = name->cut ? 0 : room;
        name->cut = true;
        while (n && (bytes.p[n] & 0xc0) == 0x80)
            n--;
    }
    if (n)
        memcpy(name->text + name->n, bytes.p, n);
    name->n = (uint16_t)(name->n + n);
}

static void add_char(ccm_name *name, uint32_t c)
{
    uint8_t b[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[5] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = n; i > 1; i--) {
        b[i - 1] = (uint8_t)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    b[0] = (uint8_t)(lead[n] | c);
    if (name->cut || n > sizeof name->text - name->n)
        name->cut = true;
    else
        ccm_name_add(name, ccm_span_of(b, n));
}

void ccm_name_utf16(ccm_name *name, ccm_span units)
{
    ccm_cursor c = ccm_cur(units);
    while (ccm_cur_left(&c) >= 2 && !name->cut) {
        uint32_t u = ccm_cur_le16(&c);
        if (u >= 0xd800 && u <= 0xdfff) {
            ccm_cursor ahead = c;
            uint32_t low = ccm_cur_le16(&ahead);
            bool pair = u < 0xdc00 && !ahead.bad && low >= 0xdc00 && low <= 0xdfff;
            u = pair ? 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
            if (pair)
                c = ahead;
        }
        add_char(name, u);
    }
}
