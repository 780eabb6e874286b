/* SPDX-License-Identifier: GPL-2.0-or-later
 * win_auth.h - who authenticates, from the four authentication headers of HTTP, or from a token. */
#ifndef CCM_PROTO_WIN_AUTH_H
#define CCM_PROTO_WIN_AUTH_H

#include "proto/proto.h"
#include "proto/spnego.h"

/* Emits an `http_auth` for the credential of a request header, or for each challenge of a response
 * header that carries a token. `header` is a literal in lower case: authorization,
 * proxy-authorization, www-authenticate or proxy-authenticate; any other is ignored. `from` is the
 * side that sent it, `time_ns` and `frame` where it was. */
void ccm_win_auth_emit(const ccm_parse *ps, unsigned from, uint64_t exchange, uint64_t time_ns,
                       uint64_t frame, const char *header, ccm_span value);

enum { CCM_WIN_AUTH_MECHANISMS = CCM_GSS_MECHS * 16 };

/* What a token holds: kerberos, ntlm, negotiate or other; NULL: nothing that is known. */
const char *ccm_win_auth_mechanism(const ccm_gss *g);
/* Adds what a token tells of who sent it to an http_auth or smb_auth. `mechanisms` has room for
 * CCM_WIN_AUTH_MECHANISMS bytes, is what the observation borrows, and ends with NUL. */
void ccm_win_auth_tell(ccm_obs *o, const ccm_gss *g, char *mechanisms);

#endif
