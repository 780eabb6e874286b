/* SPDX-License-Identifier: GPL-2.0-or-later
 * http_auth.c - what the head of a message says about who sent it.
 * In: a parsed head. Out: http_auth, token, signature; never the credential itself. State: none.
 * Spec: RFC 9110 section 11 for the headers; each value is read by a file of its own. */
#include "proto/ccm_message.h"
#include "proto/http_pair.h"
#include "proto/jwt.h"
#include "proto/win_auth.h"

static void signatures_emit(const ccm_parse *ps, unsigned from, const ccm_http_origin *at,
                            const ccm_headers *c, uint64_t exchange)
{
    const ccm_header_signatures signatures = {
        .client_id = c->client_id,
        .client_id_signature = c->client_id_signature,
        .timestamp = c->client_time,
        .timestamp_signature = c->client_time_signature,
        .client_token = c->client_token_text,
        .client_token_signature = c->client_token_signature,
    };
    ccm_header_signatures_emit(ps, from, exchange, at->time_ns, at->frame, &signatures);
}

static G_GNUC_NO_INLINE void tell(const ccm_parse *ps, unsigned from, const ccm_http_origin *at,
                                  const ccm_http_head *head, uint64_t exchange)
{
    const ccm_headers *c = &head->ccm;
    for (unsigned i = 0; i < head->n_credentials; i++)
        ccm_win_auth_emit(ps, from, exchange, at->time_ns, at->frame, head->credentials[i].header,
                          head->credentials[i].value);
    unsigned room = CCM_TOKENS;
    for (unsigned i = 0; i < c->n_jwts && room; i++)
        room -= ccm_token_emit(ps, from, exchange, at->time_ns, at->frame, c->jwts[i].name,
                               c->jwts[i].value, room);
    if (ps->depth == CCM_DEPTH_FULL && (c->signed_ok || c->signed_bad))
        signatures_emit(ps, from, at, c, exchange);
}

void ccm_http_auth_emit(const ccm_parse *ps, unsigned from, const ccm_http_origin *at,
                        const ccm_http_head *head, uint64_t exchange)
{
    const ccm_headers *c = &head->ccm;
    if (head->n_credentials || c->n_jwts || c->signed_ok || c->signed_bad) /* seldom */
        tell(ps, from, at, head, exchange);
}

bool ccm_http_may_be_message(const ccm_http_head *head)
{
    static const char multipart[] = "multipart/mixed";
    size_t n = sizeof multipart - 1;
    return (head->method.n == 8 && !memcmp(head->method.p, "CCM_POST", 8)) ||
           (head->content_type.n >= n &&
            !g_ascii_strncasecmp((const char *)head->content_type.p, multipart, n));
}
