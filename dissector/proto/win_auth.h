/* SPDX-License-Identifier: GPL-2.0-or-later
 * win_auth.h - who authenticates in HTTP, from the four authentication headers. */
#ifndef CCM_PROTO_WIN_AUTH_H
#define CCM_PROTO_WIN_AUTH_H

#include "proto/proto.h"

/* Emits an `http_auth` for the credential of a request header, or for each challenge of a response
 * header that carries a token. `header` is a literal in lower case: authorization,
 * proxy-authorization, www-authenticate or proxy-authenticate; any other is ignored. `from` is the
 * side that sent it, `time_ns` and `frame` where it was. */
void ccm_win_auth_emit(const ccm_parse *ps, unsigned from, uint64_t exchange, uint64_t time_ns,
                       uint64_t frame, const char *header, ccm_span value);

#endif
