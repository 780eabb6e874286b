/* SPDX-License-Identifier: GPL-2.0-or-later
 * jwt.h - JSON web tokens in header values: what they claim, never the token. */
#ifndef CCM_PROTO_JWT_H
#define CCM_PROTO_JWT_H

#include "proto/proto.h"

/* The six bits that a character of base64 or base64url stands for (RFC 4648, 4 and 5), -1 for any
 * other; '=' is padding and none. */
int ccm_base64url_digit(uint8_t c);

/* Emits a `token` for each JSON web token inside the value of a header, `room` at most; returns how
 * many. */
unsigned ccm_token_emit(const ccm_parse *ps, unsigned from, uint64_t exchange, uint64_t time_ns,
                        uint64_t frame, ccm_span header_name, ccm_span value, unsigned room);

#endif
