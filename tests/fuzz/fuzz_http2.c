/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_http2.c - the HTTP/2 parser behind a caller that carries, skips, loses and ends as the input
 * says. Input: as of fuzz_http.c. */
#include "../unit/http_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ccm_cursor c = ccm_cur(ccm_span_of(data, size));
    drive d;
    size_t gathered = 0;
    uint8_t flags = ccm_cur_u8(&c);
    drive_open_proto(&d, &ccm_proto_http2, flags & 1);
    d.ps.depth = flags & 2 ? CCM_DEPTH_FULL : CCM_DEPTH_HEADER;
    d.ps.gathered = &gathered;
    d.limits.message_bytes = 8192;
    d.limits.head_bytes = 2048;
    d.limits.inflate_bytes = 4096;
    d.limits.pending_bytes = 65536;
    drive_ops(&d, &c);
    for (size_t n = 0; n <= size && n < 64; n++) /* the probe must stand any bytes too */
        (void)ccm_proto_http2.probe(ccm_span_of(data, n), n & 1);
    g_free(drive_close(&d, 1));
    g_assert_cmpuint(gathered, ==, 0);
    return 0;
}
