/* SPDX-License-Identifier: GPL-2.0-or-later
 * http_message.c - one HTTP message while its body passes, the same for HTTP/1 and HTTP/2.
 * In: the head, then the end of the body. Out: what a Configuration Manager message in the body
 * says. State: ccm_http_message, the caller's. Spec: RFC 9110 section 8.4 (content coding). */
#include "proto/http_pair.h"

static bool decodable(const ccm_http_head *head)
{
    ccm_span c = head->content_encoding;
    return head->response && (ccm_headers_is(c, "gzip") || ccm_headers_is(c, "x-gzip") ||
                              ccm_headers_is(c, "deflate"));
}

void ccm_http_limit(const ccm_parse *ps, const char *name)
{
    ccm_obs o;
    ccm_obs_at(ps, &o, CCM_OBS_limit, ps->dir);
    ccm_obs_str(&o, CCM_KEY_limit, ccm_span_str(name));
    ccm_obs_u64(&o, CCM_KEY_count, 1);
    ps->emit(ps->emit_data, &o);
}

void ccm_http_message_begin(ccm_http_message *m, const ccm_parse *ps, const ccm_http_head *head,
                            bool message)
{
    m->status = head->status;
    m->answers = message && head->response && ps->depth == CCM_DEPTH_HEADER;
    if (message && !m->answers)
        m->body.collect = ccm_collect_begin(ps, ps->depth, head->response, head->content_type);
    bool any = m->body.framing != CCM_HTTP_LENGTH || m->body.left;
    if (any && decodable(head) && ps->limits->inflate_bytes &&
        !ccm_http_body_decode(&m->body, ps->limits->inflate_bytes, ps->decoders))
        ccm_http_limit(ps, "decoders");
}

static G_GNUC_NO_INLINE void tell(ccm_http_message *m, const ccm_parse *ps, bool whole)
{
    const ccm_collect_body body = { m->body.bytes, m->status, whole && !m->body.missing };
    ccm_collect *c = m->body.collect;
    m->body.collect = NULL;
    if (m->answers)
        ccm_message_reply_emit(ps, ps->dir, m->number, m->at.time_ns, m->at.frame, &body);
    m->answers = false;
    if (c)
        ccm_collect_end(c, ps, ps->dir, m->number, m->at.time_ns, m->at.frame, &body);
}

void ccm_http_message_over(ccm_http_message *m, const ccm_parse *ps, bool whole)
{
    if (m->answers || m->body.collect) /* seldom */
        tell(m, ps, whole);
}
