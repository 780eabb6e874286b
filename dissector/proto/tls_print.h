/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls_print.h - fingerprints of TLS clients. */
#ifndef CCM_PROTO_TLS_PRINT_H
#define CCM_PROTO_TLS_PRINT_H

#include "proto/tls_hello.h"

enum { CCM_JA3_TEXT = 33, CCM_JA4_TEXT = 37 };

/* Of a complete ClientHello over TCP. */
void ccm_ja3(const ccm_client_hello *hello, char out[CCM_JA3_TEXT]);
void ccm_ja4(const ccm_client_hello *hello, char out[CCM_JA4_TEXT]);

#endif
