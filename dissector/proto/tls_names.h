/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls_names.h - words for the numbers of TLS. */
#ifndef CCM_PROTO_TLS_NAMES_H
#define CCM_PROTO_TLS_NAMES_H

#include <stdint.h>

/* Name of a cipher suite without TLS_; NULL when it is none of those in use. */
const char *ccm_tls_cipher_name(uint16_t suite);
/* Name of an alert; NULL when it is not assigned. */
const char *ccm_tls_alert_name(uint8_t alert);

#endif
