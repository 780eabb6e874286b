/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_smb.c - the SMB parser. Input: a flag byte (1 = midstream, 2 = few entries), then operations
 * of fuzz_parser.h. */
#include "fuzz_parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ccm_cursor c = ccm_cur(ccm_span_of(data, size));
    uint8_t flags = ccm_cur_u8(&c);
    unsigned entries = 0;
    parser_drive d;

    parser_open(&d, &ccm_proto_smb, flags & 1);
    d.ps.smb_entries = &entries;
    if (flags & 2)
        d.limits.smb_entries = 3;
    fuzz_parser(&d, c);
    g_assert_cmpuint(entries, ==, 0);
    return 0;
}
