/* SPDX-License-Identifier: GPL-2.0-or-later
 * http2_frame.c - see http2_frame.h. */
#include "proto/http2_frame.h"

const char ccm_http2_preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
G_STATIC_ASSERT(sizeof ccm_http2_preface - 1 == CCM_H2_PREFACE);

ccm_http2_frame ccm_http2_frame_of(ccm_span in)
{
    ccm_cursor c = ccm_cur(in);
    ccm_http2_frame f = { 0 };
    f.length = (uint32_t)ccm_cur_u8(&c) << 16;
    f.length |= ccm_cur_be16(&c);
    f.type = ccm_cur_u8(&c);
    f.flags = ccm_cur_u8(&c);
    f.stream = ccm_cur_be32(&c) & 0x7fffffff;
    return f;
}

bool ccm_http2_plausible(const ccm_http2_frame *f)
{
    switch (f->type) {
    case CCM_H2_DATA:
    case CCM_H2_CONTINUATION:
    case CCM_H2_HEADERS:
        return f->stream != 0;
    case CCM_H2_PUSH_PROMISE:
        return f->stream && f->length >= 4;
    case CCM_H2_PRIORITY:
        return f->stream && f->length == 5;
    case CCM_H2_RST_STREAM:
        return f->stream && f->length == 4;
    case CCM_H2_SETTINGS:
        return !f->stream && f->length % 6 == 0 && (!(f->flags & CCM_H2_ACK) || !f->length);
    case CCM_H2_PING:
        return !f->stream && f->length == 8;
    case CCM_H2_GOAWAY:
        return !f->stream && f->length >= 8;
    case CCM_H2_WINDOW_UPDATE:
        return f->length == 4;
    default:
        return true; /* an extension */
    }
}

/* A server may speak first: with SETTINGS. */
static ccm_probe settings_first(ccm_span in)
{
    static const uint8_t none[4] = { 0 };
    if (in.n && in.p[0])
        return CCM_PROBE_NO;
    if (in.n < CCM_H2_FRAME_HEADER + 2)
        return in.n >= 4 && in.p[3] != CCM_H2_SETTINGS ? CCM_PROBE_NO : CCM_PROBE_MAYBE;
    ccm_http2_frame f = ccm_http2_frame_of(in);
    if (f.type != CCM_H2_SETTINGS || f.flags || f.length % 6 || f.length > 6 * 32 ||
        memcmp(in.p + 5, none, 4) != 0)
        return CCM_PROBE_NO;
    return f.length && !in.p[9] && in.p[10] >= 1 && in.p[10] <= 9 ? CCM_PROBE_YES : CCM_PROBE_MAYBE;
}

ccm_probe ccm_http2_probe(ccm_span in, bool midstream)
{
    (void)midstream; /* in the middle nothing tells it for sure */
    size_t n = MIN(in.n, CCM_H2_PREFACE);
    if (n && !memcmp(in.p, ccm_http2_preface, n))
        return n == CCM_H2_PREFACE ? CCM_PROBE_YES : CCM_PROBE_MAYBE;
    return settings_first(in);
}
