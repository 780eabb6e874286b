/* SPDX-License-Identifier: GPL-2.0-or-later
 * redact.h - texts from the wire without the secrets in them. Pure functions: they return `in`
 * itself where there is nothing to hide, else a copy in `buf`, which holds `size` bytes and may be
 * too small for all of it. */
#ifndef CCM_PROTO_REDACT_H
#define CCM_PROTO_REDACT_H

#include "base/cursor.h"

/* A request target, a URL or a host: without user information, the values of parameters that hold
 * secrets, tokens and long hexadecimal. */
ccm_span ccm_redact_url(ccm_span in, uint8_t *buf, size_t size);
/* Any text: without tokens, messages of NTLM and long hexadecimal, as signatures are written. */
ccm_span ccm_redact_text(ccm_span in, uint8_t *buf, size_t size);

#endif
