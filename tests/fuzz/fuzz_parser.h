/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_parser.h - a parser behind a caller that carries, skips, loses and ends as the input says.
 * Input: operations: a byte (bits 0-1: 0/1 data of that side, 2 lose, 3 end; bit 2: side of a loss
 * or end; bit 3: for data, probed as in the middle of a flow), two bytes of length, and for data so
 * many bytes. */
#ifndef CCM_FUZZ_PARSER_H
#define CCM_FUZZ_PARSER_H

#include "../unit/parser_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_operation(parser_drive *d, ccm_cursor *c)
{
    uint8_t op = ccm_cur_u8(c);
    size_t n = ccm_cur_le16(c);
    unsigned side = op >> 2 & 1;

    if ((op & 3) < 2) {
        ccm_span s = ccm_cur_take(c, MIN(n, ccm_cur_left(c)));
        (void)d->proto->probe(s, op & 8);
        if (s.n && !d->side[op & 1].ended)
            parser_bytes(d, op & 1, s.p, s.n);
    } else if (d->proto->l4 == 17) {
        d->bad = false;
    } else if ((op & 3) == 2) {
        if (n && !d->side[side].ended)
            parser_lose(d, side, n);
    } else {
        parser_end(d, side);
    }
}

static inline void fuzz_parser(parser_drive *d, ccm_cursor c)
{
    d->limits.head_bytes = 2048;
    while (ccm_cur_left(&c) >= 3 && d->out->len < 1 << 20) {
        fuzz_operation(d, &c);
        if (d->ps.smb_entries)
            g_assert_cmpuint(*d->ps.smb_entries, <=, d->limits.smb_entries);
    }
    g_free(parser_close(d));
}

#endif
