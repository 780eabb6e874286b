/* SPDX-License-Identifier: GPL-2.0-or-later
 * kerberos_kdc.c - conversations with key distribution centres, over UDP and TCP, on any port.
 * In: datagrams, or the two directions of a flow with gaps. Out: `kerberos`, one for each message.
 * State: that of framed.h.
 * Spec: RFC 4120 sections 7.2.1 and 7.2.2. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "proto/framed.h"
#include "proto/kerberos.h"

enum {
    PREFIX = 4,      /* length before each message on TCP */
    HEADER_MAX = 26, /* prefix, two values' headers, version and type */
    MESSAGE_MAX = 1 << 20,
};

static void emit(ccm_parse *ps, ccm_span message)
{
    ccm_kerberos k;
    ccm_obs o;
    if (!ccm_kerberos_read(message, &k))
        return;
    bool asks = k.type == CCM_KRB_AS_REQ || k.type == CCM_KRB_TGS_REQ;
    ps->client = (int8_t)(asks ? ps->dir : !ps->dir);
    ccm_obs_at(ps, &o, CCM_OBS_kerberos, ps->dir);
    ccm_obs_u64(&o, CCM_KEY_msg_type, k.type);
    ccm_obs_str(&o, CCM_KEY_realm, ccm_name_span(k.realm.n ? &k.realm : &k.ticket_realm));
    ccm_obs_str(&o, CCM_KEY_cname, ccm_name_span(&k.cname));
    ccm_obs_str(&o, CCM_KEY_spn, ccm_name_span(&k.sname));
    if (k.ticket_hash)
        ccm_obs_u64(&o, CCM_KEY_ticket_hash, k.ticket_hash);
    if (k.has_error)
        ccm_obs_u64(&o, CCM_KEY_error_code, (uint32_t)k.error);
    ccm_obs_flag(&o, CCM_KEY_incomplete, k.incomplete);
    ps->emit(ps->emit_data, &o);
}

/* ---- UDP ------------------------------------------------------------------------------------- */

/* A datagram is one message; the capture may lack its end. */
static ccm_probe udp_probe(ccm_span in, bool midstream)
{
    (void)midstream;
    size_t size = 0;
    ccm_probe r = ccm_kerberos_shape(in, &size);
    return r == CCM_PROBE_YES && size < in.n ? CCM_PROBE_NO : r;
}

static ccm_feed udp_feed(ccm_parse *ps, ccm_span in)
{
    if (udp_probe(in, false) != CCM_PROBE_YES)
        return (ccm_feed){ .result = CCM_FEED_BAD, .why = "not a Kerberos message" };
    emit(ps, in);
    return (ccm_feed){ .result = CCM_FEED_OK, .used = in.n };
}

/* ---- TCP ------------------------------------------------------------------------------------- */

/* Do a length and a message of that length begin here? `*size` includes the prefix. */
static ccm_probe tcp_shape(ccm_span in, size_t *size)
{
    ccm_cursor c = ccm_cur(in);
    if (in.n < PREFIX) /* MESSAGE_MAX: the first byte is zero */
        return in.n && in.p[0] ? CCM_PROBE_NO : CCM_PROBE_MAYBE;
    size_t n = ccm_cur_be32(&c), inner = 0;
    if (n < HEADER_MAX - PREFIX - 8 || n > MESSAGE_MAX)
        return CCM_PROBE_NO;
    ccm_span rest = ccm_cur_take(&c, ccm_cur_left(&c));
    ccm_probe r = ccm_kerberos_shape(rest, &inner);
    if (r == CCM_PROBE_YES && inner != n)
        return CCM_PROBE_NO;
    *size = PREFIX + n;
    return r;
}

/* Offset of the first message, or SIZE_MAX. */
static size_t first(ccm_span in)
{
    static const uint8_t version[] = { 3, 2, 1, 5 };
    /* before it: prefix, two headers of two to six bytes, one identifier */
    enum { NEAR = PREFIX + 2 + 2 + 1, FAR = PREFIX + 6 + 6 + 1 };
    for (size_t at = 0; at < in.n;) {
        const uint8_t *hit = memmem(in.p + at, in.n - at, version, sizeof version);
        if (!hit)
            break;
        size_t i = (size_t)(hit - in.p), size;
        for (size_t back = FAR; back >= NEAR; back--)
            if (back <= i &&
                tcp_shape(ccm_span_of(in.p + i - back, in.n - i + back), &size) == CCM_PROBE_YES)
                return i - back;
        at = i + 1;
    }
    return SIZE_MAX;
}

/* Offset of the last bytes that may be the beginning of a message. */
static size_t open_end(ccm_span in)
{
    size_t i = in.n > HEADER_MAX ? in.n - HEADER_MAX : 0, size;
    while (i < in.n && tcp_shape(ccm_span_of(in.p + i, in.n - i), &size) == CCM_PROBE_NO)
        i++;
    return i;
}

static size_t seek(ccm_span in, bool *found)
{
    size_t at = first(in);
    *found = at != SIZE_MAX;
    return *found ? at : open_end(in);
}

static bool tcp_message(ccm_parse *ps, ccm_span message)
{
    emit(ps, message);
    return true;
}

static const ccm_framing framing = { PREFIX, tcp_shape, tcp_shape, seek, tcp_message };

static ccm_probe tcp_probe(ccm_span in, bool midstream)
{
    return ccm_framed_probe(&framing, in, midstream);
}

static ccm_feed tcp_feed(ccm_parse *ps, ccm_span in)
{
    return ccm_framed_feed(&framing, ps, in);
}

static void tcp_gap(ccm_parse *ps, uint64_t n, ccm_span tail)
{
    ccm_framed_gap(&framing, ps, n, tail);
}

static void tcp_end(ccm_parse *ps, ccm_span tail)
{
    ccm_framed_end(&framing, ps, tail);
}

const ccm_proto ccm_proto_kerberos_udp = {
    .name = "kerberos",
    .l4 = 17,
    .probe = udp_probe,
    .open = ccm_stateless_open,
    .feed = udp_feed,
    .skipped = ccm_stateless_skipped,
    .gap = ccm_stateless_gap,
    .end = ccm_stateless_end,
    .close = ccm_stateless_close,
};

const ccm_proto ccm_proto_kerberos_tcp = {
    .name = "kerberos",
    .l4 = 6,
    .probe = tcp_probe,
    .open = ccm_framed_open,
    .feed = tcp_feed,
    .skipped = ccm_stateless_skipped,
    .gap = tcp_gap,
    .end = tcp_end,
    .close = ccm_framed_close,
};
