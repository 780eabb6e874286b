/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_inner.c - a tunnel through a web proxy in which anything may come, with a service that has a
 * secret. Input: as of fuzz_http.c; the CONNECT and its answer come before it. */
#include "../unit/http_driver.h"
#include "proto/decrypt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char secret[] = "CLIENT_HANDSHAKE_TRAFFIC_SECRET "
                             "cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7 "
                             "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ccm_cursor c = ccm_cur(ccm_span_of(data, size));
    drive d;
    size_t gathered = 0;
    uint8_t flags = ccm_cur_u8(&c);
    drive_open(&d, false);
    ccm_decrypt *keys = ccm_decrypt_new(&d.limits);
    ccm_decrypt_add_log(keys, ccm_span_str(secret));
    d.ps.decryptor = ccm_decrypt_service(keys);
    d.ps.depth = flags & 2 ? CCM_DEPTH_FULL : CCM_DEPTH_HEADER;
    d.ps.gathered = &gathered;
    d.limits.message_bytes = 8192;
    d.limits.head_bytes = 2048;
    d.limits.inflate_bytes = 4096;
    d.limits.pending_bytes = 65536;
    drive_text(&d, 0, 1, "CONNECT mp:443 HTTP/1.1\r\n\r\n");
    drive_text(&d, 1, 1, "HTTP/1.1 200 OK\r\n\r\n");
    drive_ops(&d, &c);
    g_free(drive_close(&d, 1));
    g_assert_cmpuint(gathered, ==, 0);
    ccm_decrypt_free(keys);
    return 0;
}
