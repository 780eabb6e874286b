/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_smb.c - the SMB parser behind a caller that carries, skips, loses and ends as the input
 * says. Input: a flag byte (1 = midstream, 2 = few entries), then operations: a byte (bits 0-1: 0/1
 * data of that side, 2 lose, 3 end; bit 2: side of a loss or end), two bytes of length, and for
 * data so many bytes. */
#include "../unit/kerberos_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ccm_cursor c = ccm_cur(ccm_span_of(data, size));
    uint8_t flags = ccm_cur_u8(&c);
    unsigned entries = 0;
    krb_drive d;
    krb_open(&d, &ccm_proto_smb, flags & 1);
    d.limits.head_bytes = 2048;
    d.ps.smb_entries = &entries;
    if (flags & 2)
        d.limits.smb_entries = 3;
    while (ccm_cur_left(&c) >= 3 && d.out->len < 1 << 20) {
        uint8_t op = ccm_cur_u8(&c);
        size_t n = ccm_cur_le16(&c);
        unsigned side = op >> 2 & 1;
        if ((op & 3) < 2) {
            n = MIN(n, ccm_cur_left(&c));
            ccm_span s = ccm_cur_take(&c, n);
            (void)d.proto->probe(s, op & 8);
            if (s.n && !d.side[op & 1].ended)
                krb_bytes(&d, op & 1, s.p, s.n);
        } else if ((op & 3) == 2) {
            if (n && !d.side[side].ended)
                krb_lose(&d, side, n);
        } else {
            krb_end(&d, side);
        }
        g_assert_cmpuint(entries, <=, d.limits.smb_entries);
    }
    g_free(krb_close(&d));
    g_assert_cmpuint(entries, ==, 0);
    return 0;
}
