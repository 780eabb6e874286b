/* SPDX-License-Identifier: GPL-2.0-or-later
 * decode_link.c - from a captured frame to its IP packet: link headers, tags, labels, PPPoE, GRE.
 * In: a layer and what kind it is. Out: the packet, through ccm_decode_ip and its kin.
 * State: none. Allocates: nothing.
 * Spec: tcpdump.org LINKTYPE_ list, IEEE 802.1Q, RFC 2516, 2784, 2890, 3032, 4385, and
 * draft-foschiano-erspan-03. */
#include "input/decode.h"

enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_RAW_BSD = 12,
    LINK_RAW_OPENBSD = 14,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_SLL2 = 276,

    TYPE_MIN = 0x0600, /* below: a length, IEEE 802.3 */
    TYPE_IPV4 = 0x0800,
    TYPE_TRANSPARENT = 0x6558, /* a whole Ethernet frame, in GRE */
    TYPE_VLAN = 0x8100,
    TYPE_IPV6 = 0x86dd,
    TYPE_MPLS = 0x8847,
    TYPE_MPLS_MULTICAST = 0x8848,
    TYPE_PPPOE_SESSION = 0x8864,
    TYPE_QINQ = 0x88a8,
    TYPE_ERSPAN_1_2 = 0x88be,
    TYPE_QINQ_OLD = 0x9100,
    TYPE_QINQ_OLD2 = 0x9200,
    TYPE_ERSPAN_3 = 0x22eb,

    PPP_IPV4 = 0x0021,
    PPP_IPV6 = 0x0057,
    PPP_MPLS = 0x0281,

    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_VERSION = 0x0007,

    MAX_TAGS = 16, /* VLAN tags or MPLS labels in a row */
};

const char *ccm_link_type_problem(uint32_t link_type)
{
    switch (link_type) {
    case LINK_NULL:
    case LINK_ETHERNET:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_RAW:
    case LINK_LOOP:
    case LINK_SLL:
    case LINK_IPV4:
    case LINK_IPV6:
    case LINK_SLL2:
        return NULL;
    case 105:
        return "IEEE 802.11 (link type 105) is not supported; capture on the wired side";
    case 119:
        return "IEEE 802.11 with Prism header (link type 119) is not supported; capture on the "
               "wired side";
    case 127:
        return "IEEE 802.11 with radiotap header (link type 127) is not supported; capture on the "
               "wired side";
    case 163:
        return "IEEE 802.11 with AVS header (link type 163) is not supported; capture on the "
               "wired side";
    case 192:
        return "IEEE 802.11 with PPI header (link type 192) is not supported; capture on the "
               "wired side";
    case 9:
    case 50:
    case 51:
        return "PPP (link types 9, 50, 51) is not supported; capture on an Ethernet interface";
    case 189:
    case 220:
    case 249:
        return "USB (link types 189, 220, 249) carries no network packets; choose a network "
               "interface";
    case 239:
        return "netfilter log (link type 239) is not supported; capture on the interface itself";
    case 253:
        return "Linux netlink (link type 253) carries no network packets; choose a network "
               "interface";
    default:
        return "this link type is not supported; capture on an Ethernet interface";
    }
}

/* Behind an MPLS label stack only the first nibble tells what follows (RFC 4385, 4928). */
static ccm_decode_result decode_labelled(ccm_walk *w, ccm_layer l)
{
    const uint8_t *first = ccm_layer_peek(&l, 1);
    if (!first)
        return CCM_UNDECODED;
    unsigned nibble = first[0] >> 4;
    if (nibble == 4 || nibble == 6)
        return ccm_decode_ip(w, l);
    if (w->depth >= CCM_DECODE_DEPTH)
        return CCM_NOT_IP;
    w->depth++;
    ccm_decode_result r = CCM_UNDECODED;
    if (nibble == 0) { /* a control word, or an Ethernet address that begins with a zero */
        ccm_packet before = *w->out;
        ccm_layer framed = l;
        if (ccm_layer_take(&framed, 4))
            r = ccm_decode_ethernet(w, framed);
        if (r != CCM_DECODED && r != CCM_HELD)
            ccm_walk_back(w, &before);
    }
    if (r != CCM_DECODED && r != CCM_HELD)
        r = ccm_decode_ethernet(w, l);
    w->depth--;
    return r;
}

static ccm_decode_result decode_mpls(ccm_walk *w, ccm_layer l)
{
    for (unsigned i = 0; i < MAX_TAGS; i++) {
        const uint8_t *label = ccm_layer_take(&l, 4);
        if (!label)
            return CCM_UNDECODED;
        if (!(label[2] & 0x01))
            continue;
        return decode_labelled(w, l);
    }
    return CCM_UNDECODED;
}

static ccm_decode_result decode_pppoe(ccm_walk *w, ccm_layer l)
{
    const uint8_t *h = ccm_layer_take(&l, 6);
    if (!h || h[0] != 0x11)
        return CCM_UNDECODED;
    if (h[1] != 0)
        return CCM_NOT_IP;
    if (ccm_be16_at(h + 4) < l.wire)
        ccm_layer_set_wire(&l, ccm_be16_at(h + 4));
    h = ccm_layer_take(&l, 1);
    if (!h)
        return CCM_UNDECODED;
    unsigned protocol = h[0];
    if (!(protocol & 1)) { /* an odd first octet is a compressed protocol field (RFC 1661) */
        h = ccm_layer_take(&l, 1);
        if (!h)
            return CCM_UNDECODED;
        protocol = protocol << 8 | h[0];
    }
    if (protocol == PPP_IPV4)
        return ccm_decode_ipv4(w, l);
    if (protocol == PPP_IPV6)
        return ccm_decode_ipv6(w, l);
    return protocol == PPP_MPLS ? decode_mpls(w, l) : CCM_NOT_IP;
}

/* 802.3 frames: IP only behind SNAP (RFC 1042). */
static ccm_decode_result decode_llc(ccm_walk *w, unsigned length, ccm_layer l)
{
    if (length < l.wire)
        ccm_layer_set_wire(&l, length);
    const uint8_t *h = ccm_layer_peek(&l, 8);
    if (!h || h[0] != 0xaa || h[1] != 0xaa || h[2] != 3 || h[3] || h[4] || h[5])
        return CCM_NOT_IP;
    unsigned type = ccm_be16_at(h + 6);
    if (type < TYPE_MIN || w->depth >= CCM_DECODE_DEPTH || !ccm_layer_take(&l, 8))
        return CCM_NOT_IP;
    w->depth++; /* a tag may lead back here */
    ccm_decode_result r = ccm_decode_ethertype(w, type, l);
    w->depth--;
    return r;
}

ccm_decode_result ccm_decode_ethertype(ccm_walk *w, unsigned type, ccm_layer l)
{
    for (unsigned i = 0; i < MAX_TAGS; i++) {
        switch (type) {
        case TYPE_IPV4:
            return ccm_decode_ipv4(w, l);
        case TYPE_IPV6:
            return ccm_decode_ipv6(w, l);
        case TYPE_MPLS:
        case TYPE_MPLS_MULTICAST:
            return decode_mpls(w, l);
        case TYPE_PPPOE_SESSION:
            return decode_pppoe(w, l);
        case TYPE_VLAN:
        case TYPE_QINQ:
        case TYPE_QINQ_OLD:
        case TYPE_QINQ_OLD2: {
            const uint8_t *tag = ccm_layer_take(&l, 4);
            if (!tag)
                return CCM_UNDECODED;
            type = ccm_be16_at(tag + 2);
            break;
        }
        default:
            return type < TYPE_MIN ? decode_llc(w, type, l) : CCM_NOT_IP;
        }
    }
    return CCM_UNDECODED;
}

ccm_decode_result ccm_decode_ethernet(ccm_walk *w, ccm_layer l)
{
    const uint8_t *h = ccm_layer_take(&l, 14);
    return h ? ccm_decode_ethertype(w, ccm_be16_at(h + 12), l) : CCM_UNDECODED;
}

/* BSD loopback: an address family, in the byte order of the host (null) or of the network (loop).
 * Which host wrote a null header is unknown, but no family is above 0xffff. */
static ccm_decode_result decode_null(ccm_walk *w, ccm_layer l, bool any_order)
{
    const uint8_t *h = ccm_layer_take(&l, 4);
    if (!h)
        return CCM_UNDECODED;
    uint32_t family = ccm_be32_at(h);
    /* Some BSD tunnel devices write an Ethernet type into the second half instead. */
    if (any_order && (family & 0xffff) >= TYPE_MIN && h[0])
        return ccm_decode_ethertype(w, family & 0xffff, l);
    if (any_order && family > 0xffff)
        family = GUINT32_SWAP_LE_BE(family);
    switch (family) {
    case 2:
        return ccm_decode_ipv4(w, l);
    case 10: /* Linux */
    case 24: /* NetBSD, OpenBSD; Npcap */
    case 28: /* FreeBSD */
    case 30: /* macOS */
        return ccm_decode_ipv6(w, l);
    default:
        return CCM_NOT_IP;
    }
}

/* Linux cooked capture. The protocol field is an Ethernet type for network devices alone. */
static ccm_decode_result decode_cooked(ccm_walk *w, ccm_layer l, unsigned size, unsigned protocol,
                                       unsigned hardware)
{
    enum { ARPHRD_IPGRE = 778, ARPHRD_RADIOTAP = 803, ARPHRD_NETLINK = 824 };
    const uint8_t *h = ccm_layer_take(&l, size);
    if (!h)
        return CCM_UNDECODED;
    unsigned type = ccm_be16_at(h + protocol);
    unsigned device = ccm_be16_at(h + hardware);
    if (device == ARPHRD_NETLINK || device == ARPHRD_RADIOTAP)
        return CCM_NOT_IP;
    if (device == ARPHRD_IPGRE && type < TYPE_MIN)
        return CCM_NOT_IP;
    if (type == 0x0004) /* 802.2: the frame's length stands in for the missing length field */
        return decode_llc(w, 0xffff, l);
    return type < TYPE_MIN ? CCM_NOT_IP : ccm_decode_ethertype(w, type, l);
}

ccm_decode_result ccm_decode_link(ccm_walk *w, uint32_t link_type, ccm_layer l)
{
    switch (link_type) {
    case LINK_ETHERNET:
        return ccm_decode_ethernet(w, l);
    case LINK_RAW:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
        return ccm_decode_ip(w, l);
    case LINK_IPV4:
        return ccm_decode_ipv4(w, l);
    case LINK_IPV6:
        return ccm_decode_ipv6(w, l);
    case LINK_SLL:
        return decode_cooked(w, l, 16, 14, 2);
    case LINK_SLL2:
        return decode_cooked(w, l, 20, 0, 8);
    case LINK_NULL:
        return decode_null(w, l, true);
    case LINK_LOOP:
        return decode_null(w, l, false);
    default:
        return CCM_UNDECODED;
    }
}

/* ERSPAN type I has no header of its own and no GRE sequence number; type II has both. */
static ccm_decode_result decode_erspan(ccm_walk *w, ccm_layer l, unsigned type, bool sequence)
{
    if (type == TYPE_ERSPAN_3) {
        const uint8_t *h = ccm_layer_take(&l, 12);
        if (!h || h[0] >> 4 != 2)
            return CCM_UNDECODED;
        bool subheader = h[11] & 0x01;
        bool ethernet = (h[10] & 0x7c) == 0; /* FT: 0 = Ethernet, 2 = IP */
        bool ip = (h[10] >> 2 & 0x1f) == 2;
        if (subheader && !ccm_layer_take(&l, 8))
            return CCM_UNDECODED;
        if (ip)
            return ccm_decode_ip(w, l);
        return ethernet ? ccm_decode_ethernet(w, l) : CCM_NOT_IP;
    }
    if (sequence) {
        const uint8_t *h = ccm_layer_take(&l, 8);
        if (!h || h[0] >> 4 != 1)
            return CCM_UNDECODED;
    }
    return ccm_decode_ethernet(w, l);
}

ccm_decode_result ccm_decode_gre(ccm_walk *w, ccm_layer l)
{
    const uint8_t *h = ccm_layer_take(&l, 4);
    if (!h)
        return CCM_UNDECODED;
    unsigned flags = ccm_be16_at(h), type = ccm_be16_at(h + 2);
    /* Version 1 is PPTP: PPP, mostly encrypted. Source routing was withdrawn by RFC 2784. */
    if (flags & (GRE_VERSION | GRE_ROUTING))
        return CCM_NOT_IP;
    size_t options =
        (flags & GRE_CHECKSUM ? 4 : 0) + (flags & GRE_KEY ? 4 : 0) + (flags & GRE_SEQUENCE ? 4 : 0);
    if (options && !ccm_layer_take(&l, options))
        return CCM_UNDECODED;
    switch (type) {
    case TYPE_TRANSPARENT:
        return ccm_decode_ethernet(w, l);
    case TYPE_ERSPAN_1_2:
    case TYPE_ERSPAN_3:
        return decode_erspan(w, l, type, flags & GRE_SEQUENCE);
    default:
        return type < TYPE_MIN ? CCM_NOT_IP : ccm_decode_ethertype(w, type, l);
    }
}
