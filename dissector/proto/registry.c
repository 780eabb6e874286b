/* SPDX-License-Identifier: GPL-2.0-or-later
 * registry.c - every protocol parser, one line each. */
#include "proto/proto.h"

/* clang-format off */
const ccm_proto *const ccm_protos[] = {
    &ccm_proto_http,
    &ccm_proto_http2,
    &ccm_proto_tls,
    &ccm_proto_kerberos_tcp,
    &ccm_proto_kerberos_udp,
    &ccm_proto_smb,
    &ccm_proto_dns_tcp,
    &ccm_proto_dns_udp,
    NULL,
};
