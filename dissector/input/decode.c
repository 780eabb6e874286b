/* SPDX-License-Identifier: GPL-2.0-or-later
 * decode.c - a captured packet decoded to its transport header.
 * In: a packet and its link type. Out: ccm_packet of the innermost IP packet, spans into the
 * packet. State: fragments that wait, in defrag.c. Allocates: nothing for a packet that is not a
 * fragment. Checksums are not looked at: network cards fill them in after the capture. Spec: RFC
 * 791, 792, 768, 9293, 8200, 4443, 4302, 2675, 2784, 7348, draft-ietf-nvo3-vxlan-gpe; 3GPP
 * TS 29.281. */
#include "input/decode.h"

enum {
    IP_HOPOPTS = 0,
    IP_ICMP = 1,
    IP_IPIP = 4,
    IP_TCP = 6,
    IP_UDP = 17,
    IP_IPV6 = 41,
    IP_ROUTING = 43,
    IP_FRAGMENT = 44,
    IP_GRE = 47,
    IP_AH = 51,
    IP_ICMPV6 = 58,
    IP_NONE = 59,
    IP_DSTOPTS = 60,

    IPV4_HEADER = 20,
    IPV4_MORE = 0x2000,
    IPV4_OFFSET = 0x1fff,
    IPV6_HEADER = 40,
    MAX_EXTENSIONS = 16,
    TCP_FIN = 0x01,
    PORT_GTP = 2152,
    PORT_VXLAN = 4789,
    PORT_VXLAN_GPE = 4790,
    PORT_VXLAN_LINUX = 8472, /* what Linux used before there was a number */
};

struct ccm_decoder {
    ccm_defrag *defrag;
};

ccm_decoder *ccm_decoder_new(const ccm_limits *limits)
{
    ccm_decoder *d = g_new0(ccm_decoder, 1);
    d->defrag = ccm_defrag_new(limits);
    return d;
}

void ccm_decoder_free(ccm_decoder *decoder)
{
    if (!decoder)
        return;
    ccm_defrag_free(decoder->defrag);
    g_free(decoder);
}

void ccm_decoder_begin_batch(ccm_decoder *decoder)
{
    ccm_defrag_release(decoder->defrag);
}

uint64_t ccm_decoder_evicted(const ccm_decoder *decoder)
{
    return ccm_defrag_evicted(decoder->defrag);
}

/* The payload begins `header` bytes after `l`, a number that is not above l->wire. */
static void set_payload(ccm_packet *out, const ccm_layer *l, size_t header)
{
    ccm_span rest = ccm_layer_rest(l);
    size_t skip = MIN(header, rest.n);
    out->payload = ccm_span_of(rest.p + skip, rest.n - skip);
    out->payload_len = (uint32_t)(l->wire - header);
    out->cut = out->payload.n < out->payload_len;
}

static ccm_decode_result decode_tcp(ccm_packet *out, const ccm_layer *l)
{
    /* Sixteen bytes hold all that is used; the rest of a header may be cut by the snap length. */
    const uint8_t *h = ccm_layer_peek(l, 16);
    if (!h)
        return CCM_UNDECODED;
    size_t header = (size_t)(h[12] >> 4) * 4;
    if (header < 20 || header > l->wire)
        return CCM_UNDECODED;
    out->src.port = ccm_be16_at(h);
    out->dst.port = ccm_be16_at(h + 2);
    out->seq = ccm_be32_at(h + 4);
    out->ack = ccm_be32_at(h + 8);
    out->tcp_flags = h[13];
    out->window = ccm_be16_at(h + 14);
    set_payload(out, l, header);
    return CCM_DECODED;
}

/* A VXLAN frame behind *l? What is reserved must be zero, because a port alone proves nothing. */
static ccm_decode_result decode_vxlan(ccm_walk *w, ccm_layer l)
{
    enum { NETWORK_ID = 0x08, NEXT_PROTOCOL = 0x04, GROUP_POLICY = 0x80 };
    const uint8_t *h = ccm_layer_take(&l, 8);
    if (!h || h[7])
        return CCM_NOT_IP;
    if (h[0] == (NETWORK_ID | GROUP_POLICY))
        return ccm_decode_ethernet(w, l);
    if (h[1] || h[2])
        return CCM_NOT_IP;
    if (h[0] == NETWORK_ID)
        return h[3] ? CCM_NOT_IP : ccm_decode_ethernet(w, l);
    if (h[0] != (NETWORK_ID | NEXT_PROTOCOL)) /* the generic protocol extension */
        return CCM_NOT_IP;
    switch (h[3]) {
    case 1:
        return ccm_decode_ipv4(w, l);
    case 2:
        return ccm_decode_ipv6(w, l);
    case 3:
        return ccm_decode_ethernet(w, l);
    default:
        return CCM_NOT_IP;
    }
}

/* An IP packet in GTP-U, as between a mobile network's base stations and its gateway? */
static ccm_decode_result decode_gtp(ccm_walk *w, ccm_layer l)
{
    enum { VERSION_1 = 0x30, EXTENSION = 0x04, OPTIONAL_FIELDS = 0x07, T_PDU = 0xff };
    const uint8_t *h = ccm_layer_take(&l, 8);
    if (!h || (h[0] & 0xf8) != VERSION_1 || h[1] != T_PDU || ccm_be16_at(h + 2) > l.wire)
        return CCM_NOT_IP;
    const uint8_t *optional = h;
    if (h[0] & OPTIONAL_FIELDS)
        optional = ccm_layer_take(&l, 4);
    unsigned next = optional && h[0] & EXTENSION ? optional[3] : 0;
    for (unsigned i = 0; next && i < MAX_EXTENSIONS; i++) {
        const uint8_t *e = ccm_layer_peek(&l, 1);
        e = e && e[0] ? ccm_layer_take(&l, e[0] * 4u) : NULL;
        if (!e)
            return CCM_UNDECODED;
        next = e[e[0] * 4u - 1];
    }
    return optional ? ccm_decode_ip(w, l) : CCM_UNDECODED;
}

static ccm_decode_result decode_udp(ccm_walk *w, ccm_layer l)
{
    ccm_packet *out = w->out;
    const uint8_t *h = ccm_layer_peek(&l, 4);
    if (!h || l.wire < 8)
        return CCM_UNDECODED;
    out->src.port = ccm_be16_at(h);
    out->dst.port = ccm_be16_at(h + 2);
    if (!ccm_layer_peek(&l, 6)) {
        set_payload(out, &l, 8);
        return CCM_DECODED;
    }
    size_t length = ccm_be16_at(h + 4);
    if (length != 0 && length < 8)
        return CCM_UNDECODED;
    if (length != 0 && length < l.wire) /* 0: a jumbogram, or segmented by the network card */
        ccm_layer_set_wire(&l, length);
    set_payload(out, &l, 8);
    bool vxlan = out->dst.port == PORT_VXLAN || out->dst.port == PORT_VXLAN_GPE ||
                 out->dst.port == PORT_VXLAN_LINUX;
    bool gtp = out->dst.port == PORT_GTP && out->src.port == PORT_GTP;
    if (G_LIKELY(!vxlan && !gtp) || w->depth >= CCM_DECODE_DEPTH || !ccm_layer_take(&l, 8))
        return CCM_DECODED;
    ccm_packet outer = *out;
    w->depth++;
    ccm_decode_result r = vxlan ? decode_vxlan(w, l) : decode_gtp(w, l);
    w->depth--;
    if (r == CCM_DECODED || r == CCM_HELD)
        return r;
    ccm_walk_back(w, &outer);
    return CCM_DECODED;
}

static ccm_decode_result decode_icmp(ccm_packet *out, const ccm_layer *l)
{
    const uint8_t *h = ccm_layer_peek(l, 2);
    if (!h || l->wire < 4)
        return CCM_UNDECODED;
    out->icmp_type = h[0];
    out->icmp_code = h[1];
    set_payload(out, l, MIN(l->wire, 8));
    return CCM_DECODED;
}

/* A packet inside this one; the outer one counts when what is inside cannot be read. */
static ccm_decode_result decode_tunnel(ccm_walk *w, unsigned protocol, const ccm_layer *l)
{
    set_payload(w->out, l, 0);
    if (w->depth >= CCM_DECODE_DEPTH)
        return CCM_DECODED;
    ccm_packet outer = *w->out;
    w->depth++;
    ccm_decode_result r;
    if (protocol == IP_GRE)
        r = ccm_decode_gre(w, *l);
    else
        r = protocol == IP_IPIP ? ccm_decode_ipv4(w, *l) : ccm_decode_ipv6(w, *l);
    w->depth--;
    if (r == CCM_DECODED || r == CCM_HELD)
        return r;
    ccm_walk_back(w, &outer);
    return CCM_DECODED;
}

/* Moves over an extension header of a known form. False when there is none, or it was not captured
 * (then the cursor is bad). */
static bool skip_extension(uint8_t *next, ccm_layer *l)
{
    if (*next != IP_HOPOPTS && *next != IP_ROUTING && *next != IP_DSTOPTS && *next != IP_AH)
        return false;
    const uint8_t *h = ccm_layer_peek(l, 2);
    size_t size = !h ? SIZE_MAX : *next == IP_AH ? (h[1] + 2) * 4u : (h[1] + 1) * 8u;
    h = ccm_layer_take(l, size);
    if (!h)
        return false;
    *next = h[0];
    return true;
}

static ccm_decode_result decode_other(ccm_walk *w, uint8_t protocol, ccm_layer l)
{
    ccm_packet *out = w->out;
    for (unsigned i = 0; protocol == IP_AH && i < MAX_EXTENSIONS; i++) {
        if (!skip_extension(&protocol, &l))
            return CCM_UNDECODED;
    }
    out->l4 = protocol;
    switch (protocol) {
    case IP_TCP:
        return decode_tcp(out, &l);
    case IP_UDP:
        return decode_udp(w, l);
    case IP_ICMP:
        if (out->src.addr.family == 4)
            return decode_icmp(out, &l);
        break;
    case IP_ICMPV6:
        if (out->src.addr.family == 6)
            return decode_icmp(out, &l);
        break;
    case IP_GRE:
    case IP_IPIP:
    case IP_IPV6:
        return decode_tunnel(w, protocol, &l);
    default:
        break;
    }
    set_payload(out, &l, 0);
    return CCM_DECODED;
}

/* The layer that follows the header of a reassembled datagram. */
static ccm_layer datagram_layer(ccm_packet *out, const ccm_datagram *whole)
{
    out->ip = whole->ip;
    ccm_layer l = { .c = ccm_cur(whole->ip), .wire = whole->header_size + whole->wire };
    ccm_layer_take(&l, whole->header_size);
    return l;
}

/* The beginning of a TCP segment whose other fragments are not in the capture: a shorter segment,
 * and whether it ended the connection nobody knows. */
static bool decode_start(ccm_packet *out, const ccm_datagram *start)
{
    if (start->next != IP_TCP || !start->ip.n)
        return false;
    ccm_layer l = datagram_layer(out, start);
    if (decode_tcp(out, &l) != CCM_DECODED)
        return false;
    out->tcp_flags &= (uint8_t)~TCP_FIN;
    out->l4 = IP_TCP;
    out->fragment = false;
    return true;
}

bool ccm_decoder_expired(ccm_decoder *decoder, uint64_t now_ns, ccm_packet *out)
{
    ccm_datagram start;

    if (!ccm_defrag_expired(decoder->defrag, now_ns, out, &start))
        return false;
    ccm_packet sums = *out;
    if (!decode_start(out, &start))
        *out = sums;
    return true;
}

/* A reassembled datagram has the time and the frame of the fragment that completes it: only then
 * can its contents be read, and what is told stays in the order of frames. */
static ccm_decode_result decode_fragment4(ccm_walk *w, const uint8_t *h, size_t header,
                                          const ccm_layer *l)
{
    unsigned field = ccm_be16_at(h + 6);
    ccm_fragment fragment = { .id = ccm_be16_at(h + 4),
                              .offset = (field & IPV4_OFFSET) * 8,
                              .wire = (uint32_t)l->wire,
                              .more = field & IPV4_MORE,
                              .next = h[9],
                              .header = ccm_span_of(h, header),
                              .data = ccm_layer_rest(l) };
    ccm_datagram whole;
    if (!ccm_defrag_add(w->defrag, &fragment, w->out, &whole))
        return CCM_HELD;
    return decode_other(w, whole.next, datagram_layer(w->out, &whole));
}

ccm_decode_result ccm_decode_ipv4(ccm_walk *w, ccm_layer l)
{
    ccm_packet *out = w->out;
    const uint8_t *h = ccm_layer_take(&l, IPV4_HEADER);
    if (!h || h[0] >> 4 != 4)
        return CCM_UNDECODED;
    size_t header = (size_t)(h[0] & 0x0f) * 4;
    size_t total = ccm_be16_at(h + 2);
    if (total == 0) /* segmented by the network card after the capture: the frame tells */
        total = l.wire + IPV4_HEADER;
    if (header < IPV4_HEADER || total < header)
        return CCM_UNDECODED;
    ccm_layer_set_wire(&l, total - IPV4_HEADER);
    out->ip = ccm_span_of(h, IPV4_HEADER + ccm_cur_left(&l.c));
    if (header > IPV4_HEADER && !ccm_layer_take(&l, header - IPV4_HEADER))
        return CCM_UNDECODED;
    out->src.addr = (ccm_addr){ .family = 4 };
    out->dst.addr = (ccm_addr){ .family = 4 };
    memcpy(out->src.addr.b, h + 12, 4);
    memcpy(out->dst.addr.b, h + 16, 4);
    out->ip_id = ccm_be16_at(h + 4);
    out->ip_bytes = (uint32_t)total;
    if (G_UNLIKELY(ccm_be16_at(h + 6) & (IPV4_MORE | IPV4_OFFSET)))
        return decode_fragment4(w, h, header, &l);
    return decode_other(w, h[9], l);
}

/* Payload length in a hop-by-hop header's jumbo option (RFC 2675); 0 when there is none. */
static uint32_t jumbo_length(const ccm_layer *l)
{
    const uint8_t *h = ccm_layer_peek(l, 2);
    h = h ? ccm_layer_peek(l, (h[1] + 1) * 8u) : NULL;
    if (!h)
        return 0;
    ccm_cursor c = ccm_cur(ccm_span_of(h, (h[1] + 1) * 8u));
    ccm_cur_skip(&c, 2);
    while (ccm_cur_left(&c)) {
        uint8_t type = ccm_cur_u8(&c);
        if (type == 0) /* one byte of padding */
            continue;
        uint8_t size = ccm_cur_u8(&c);
        if (type == 0xc2 && size == 4)
            return ccm_cur_be32(&c);
        ccm_cur_skip(&c, size);
    }
    return 0;
}

/* At a fragment header: true when *l and *next go on, in this packet or in the whole datagram. */
static bool decode_fragment6(ccm_walk *w, const uint8_t *ip_header, uint8_t *next, ccm_layer *l,
                             ccm_decode_result *result)
{
    const uint8_t *h = ccm_layer_take(l, 8);
    *result = CCM_UNDECODED;
    if (!h)
        return false;
    unsigned field = ccm_be16_at(h + 2);
    if ((field & 0xfff9) == 0) { /* an atomic fragment (RFC 6946) waits for nobody */
        *next = h[0];
        return true;
    }
    ccm_fragment fragment = { .id = ccm_be32_at(h + 4),
                              .offset = field & 0xfff8,
                              .wire = (uint32_t)l->wire,
                              .more = field & 1,
                              .next = h[0],
                              .header = ccm_span_of(ip_header, IPV6_HEADER),
                              .data = ccm_layer_rest(l) };
    ccm_datagram whole;
    *result = CCM_HELD;
    if (!ccm_defrag_add(w->defrag, &fragment, w->out, &whole))
        return false;
    *l = datagram_layer(w->out, &whole);
    *next = whole.next;
    return true;
}

ccm_decode_result ccm_decode_ipv6(ccm_walk *w, ccm_layer l)
{
    ccm_packet *out = w->out;
    const uint8_t *h = ccm_layer_take(&l, IPV6_HEADER);
    if (!h || h[0] >> 4 != 6)
        return CCM_UNDECODED;
    size_t length = ccm_be16_at(h + 4);
    uint8_t next = h[6];
    if (length == 0 && next == IP_HOPOPTS)
        length = MIN(jumbo_length(&l), l.wire);
    if (length == 0 && next != IP_NONE) /* see ccm_decode_ipv4 */
        length = l.wire;
    ccm_layer_set_wire(&l, length);
    out->ip = ccm_span_of(h, IPV6_HEADER + ccm_cur_left(&l.c));
    out->src.addr.family = out->dst.addr.family = 6;
    memcpy(out->src.addr.b, h + 8, 16);
    memcpy(out->dst.addr.b, h + 24, 16);
    out->ip_id = 0;
    out->ip_bytes = (uint32_t)(IPV6_HEADER + length);
    for (unsigned i = 0; i < MAX_EXTENSIONS; i++) {
        ccm_decode_result result;
        if (next == IP_FRAGMENT) {
            if (!decode_fragment6(w, h, &next, &l, &result))
                return result;
        } else if (!skip_extension(&next, &l)) {
            return l.c.bad ? CCM_UNDECODED : decode_other(w, next, l);
        }
    }
    return CCM_UNDECODED;
}

ccm_decode_result ccm_decode_ip(ccm_walk *w, ccm_layer l)
{
    const uint8_t *h = ccm_layer_peek(&l, 1);
    if (!h)
        return CCM_UNDECODED;
    return h[0] >> 4 == 6 ? ccm_decode_ipv6(w, l) : ccm_decode_ipv4(w, l);
}

/* The short way for nearly all packets: TCP in IPv4 without options in Ethernet, not a fragment.
 * The same rules as above with every offset known; false means that the long way must look. */
static inline bool decode_common(const ccm_raw *raw, uint64_t frame, ccm_packet *out)
{
    enum { IP = 14, TCP = IP + IPV4_HEADER, ALL = TCP + 20 };
    ccm_cursor c = ccm_cur(ccm_span_of(raw->data, raw->captured));
    ccm_span s = ccm_cur_take(&c, ALL);
    if (!s.n)
        return false;
    const uint8_t *h = s.p;
    uint32_t total = ccm_be16_at(h + IP + 2);
    uint32_t headers = IPV4_HEADER + (uint32_t)(h[TCP + 12] >> 4) * 4;
    if (ccm_be16_at(h + 12) != 0x0800 || h[IP] != 0x45 || h[IP + 9] != IP_TCP ||
        ccm_be16_at(h + IP + 6) & (IPV4_MORE | IPV4_OFFSET) || headers < ALL - IP ||
        total < headers)
        return false;
    uint32_t have = MIN(raw->captured - IP, total);
    uint32_t skip = MIN(headers, have);
    /* Field by field: a literal would be built elsewhere and copied. */
    out->time_ns = raw->time_ns;
    out->frame = frame;
    out->src = (ccm_endpoint){ .addr.family = 4, .port = ccm_be16_at(h + TCP) };
    out->dst = (ccm_endpoint){ .addr.family = 4, .port = ccm_be16_at(h + TCP + 2) };
    out->l4 = IP_TCP;
    out->tcp_flags = h[TCP + 13];
    out->fragment = false;
    out->cut = have < total && total > headers;
    out->ip_id = ccm_be16_at(h + IP + 4);
    out->window = ccm_be16_at(h + TCP + 14);
    out->seq = ccm_be32_at(h + TCP + 4);
    out->ack = ccm_be32_at(h + TCP + 8);
    out->packets = 1;
    out->wire_bytes = MAX(raw->length, raw->captured);
    out->ip_bytes = total;
    out->payload_len = total - headers;
    out->payload = ccm_span_of(h + IP + skip, have - skip);
    out->ip = ccm_span_of(h + IP, have);
    out->icmp_type = out->icmp_code = 0;
    memcpy(out->src.addr.b, h + IP + 12, 4);
    memcpy(out->dst.addr.b, h + IP + 16, 4);
    return true;
}

ccm_decode_result ccm_decode(ccm_decoder *decoder, const ccm_raw *raw, uint64_t frame,
                             ccm_packet *out)
{
    if (G_LIKELY(raw->link_type == 1) && decode_common(raw, frame, out))
        return CCM_DECODED;
    *out = (ccm_packet){ .time_ns = raw->time_ns,
                         .frame = frame,
                         .packets = 1,
                         .wire_bytes = MAX(raw->length, raw->captured) };
    ccm_walk w = { .defrag = decoder->defrag, .out = out };
    ccm_layer l = { .c = ccm_cur(ccm_span_of(raw->data, raw->captured)), .wire = out->wire_bytes };
    ccm_decode_result r = ccm_decode_link(&w, raw->link_type, l);
    if (r == CCM_NOT_IP || r == CCM_UNDECODED) { /* half of a header is no fact */
        *out = (ccm_packet){ .time_ns = raw->time_ns,
                             .frame = frame,
                             .packets = out->packets,
                             .wire_bytes = out->wire_bytes };
    }
    return r;
}

/* The headers of a packet of which an ICMP error shows only the beginning. */
static bool quote_ip(ccm_layer *l, ccm_packet *quoted)
{
    const uint8_t *h = ccm_layer_peek(l, 1);
    bool v4 = h && h[0] >> 4 == 4;
    if (!h || (!v4 && h[0] >> 4 != 6))
        return false;
    h = ccm_layer_take(l, v4 ? IPV4_HEADER : IPV6_HEADER);
    if (!h)
        return false;
    quoted->src.addr.family = quoted->dst.addr.family = v4 ? 4 : 6;
    memcpy(quoted->src.addr.b, h + (v4 ? 12 : 8), v4 ? 4 : 16);
    memcpy(quoted->dst.addr.b, h + (v4 ? 16 : 24), v4 ? 4 : 16);
    quoted->l4 = v4 ? h[9] : h[6];
    if (v4) {
        size_t header = (size_t)(h[0] & 0x0f) * 4;
        quoted->ip_id = ccm_be16_at(h + 4);
        return header >= IPV4_HEADER && !(ccm_be16_at(h + 6) & IPV4_OFFSET) &&
               ccm_layer_take(l, header - IPV4_HEADER);
    }
    for (unsigned i = 0; i < MAX_EXTENSIONS; i++) {
        if (quoted->l4 == IP_FRAGMENT) {
            h = ccm_layer_take(l, 8);
            if (!h || ccm_be16_at(h + 2) & 0xfff8)
                return false;
            quoted->l4 = h[0];
        } else if (!skip_extension(&quoted->l4, l)) {
            return !l->c.bad;
        }
    }
    return false;
}

bool ccm_decode_icmp_quote(const ccm_packet *icmp, ccm_packet *quoted)
{
    unsigned t = icmp->icmp_type;
    bool v4_error = icmp->l4 == IP_ICMP && (t == 3 || t == 4 || t == 5 || t == 11 || t == 12);
    bool v6_error = icmp->l4 == IP_ICMPV6 && t >= 1 && t <= 4;
    *quoted = (ccm_packet){ .time_ns = icmp->time_ns, .frame = icmp->frame };
    if (!v4_error && !v6_error)
        return false;
    ccm_layer l = { .c = ccm_cur(icmp->payload), .wire = icmp->payload_len };
    if (!quote_ip(&l, quoted))
        return false;
    if (quoted->l4 != IP_TCP && quoted->l4 != IP_UDP)
        return true;
    const uint8_t *h = ccm_layer_take(&l, 8); /* as much as every router quotes (RFC 792) */
    if (!h)
        return false;
    quoted->src.port = ccm_be16_at(h);
    quoted->dst.port = ccm_be16_at(h + 2);
    if (quoted->l4 == IP_TCP)
        quoted->seq = ccm_be32_at(h + 4);
    return true;
}
