/* SPDX-License-Identifier: GPL-2.0-or-later
 * limits.c - the default of every bound, the error domain and the version.
 * In: nothing. Out: constants. State: none. */
#include "ccmscope.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

const char *ccm_version(void)
{
    return PACKAGE_VERSION;
}

GQuark ccm_error_quark(void)
{
    return g_quark_from_static_string("ccm-error-quark");
}

void ccm_limits_init(ccm_limits *limits)
{
    *limits = (ccm_limits){
        .flows = 262144,
        .segments = 1024,
        .stream_bytes = 1u << 20,
        .pending_bytes = 16u << 20,
        .head_bytes = 64u << 10,
        .requests = 64,
        .inflate_bytes = 1u << 20,
        .message_bytes = 256u << 10,
        .handshake_bytes = 64u << 10,
        .certificates = 16,
        .fragments = 1024,
        .edges = 20000,
        .hosts = 20000,
        .host_names = 16,
        .client_ids = 20000,
        .buckets = 200000,
        .bursts = 262144,
        .methods = 24,
        .accounts = 64,
        .smb_entries = 65536,
        .tls_secrets = 131072,
    };
}
