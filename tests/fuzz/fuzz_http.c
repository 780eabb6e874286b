/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_http.c - the HTTP parser behind a caller that carries, skips, loses and ends as the input
 * says. Input: a flag byte (1 = midstream, 2 = messages whole), then operations: a byte (bits 0-1:
 * 0/1 data of that side, 2 lose, 3 end; bit 2: side of a loss or end), two bytes of length, and for
 * data so many bytes. */
#include "../unit/http_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ccm_cursor c = ccm_cur(ccm_span_of(data, size));
    drive d;
    uint8_t flags = ccm_cur_u8(&c);
    drive_open(&d, flags & 1);
    d.ps.depth = flags & 2 ? CCM_DEPTH_FULL : CCM_DEPTH_HEADER;
    d.limits.message_bytes = 8192;
    d.limits.head_bytes = 2048;
    d.limits.inflate_bytes = 4096;
    drive_ops(&d, &c);
    /* The probe must stand any bytes too. */
    for (size_t n = 0; n <= size && n < 64; n++)
        (void)ccm_proto_http.probe(ccm_span_of(data, n), n & 1);
    g_free(drive_close(&d, 1));
    return 0;
}
