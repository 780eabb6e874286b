/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_dns.c - the DNS parsers. Input: a flag byte (1 = midstream, 2 = UDP), then operations of
 * fuzz_parser.h. */
#include "fuzz_parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ccm_cursor c = ccm_cur(ccm_span_of(data, size));
    uint8_t flags = ccm_cur_u8(&c);
    parser_drive d;

    parser_open(&d, flags & 2 ? &ccm_proto_dns_udp : &ccm_proto_dns_tcp, flags & 1);
    fuzz_parser(&d, c);
    return 0;
}
