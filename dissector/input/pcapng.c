/* SPDX-License-Identifier: GPL-2.0-or-later
 * pcapng.c - packets, names, secrets and drop counts of pcapng blocks, parsed in place.
 * In: untrusted bytes in the reader's buffer. Out: a batch of packets, events.
 * State: byte order and interfaces of the current section. Spec: draft-ietf-opsawg-pcapng. */
#include "input/reader.h"

#define BLOCK_SHB 0x0a0d0d0au

enum {
    BLOCK_IDB = 1,
    BLOCK_PB = 2, /* obsolete */
    BLOCK_SPB = 3,
    BLOCK_NRB = 4,
    BLOCK_ISB = 5,
    BLOCK_EPB = 6,
    BLOCK_DSB = 10,
    BLOCK_MIN = 12,
    OPT_END = 0,
    OPT_TSRESOL = 9,
    OPT_TSOFFSET = 14,
    OPT_IFDROP = 5,
    OPT_OSDROP = 7,
    OPT_DROPCOUNT = 4, /* of an enhanced packet block */
    OPTION_MIN = 4,
    LOST_UNKNOWN = 0xffff, /* in an obsolete packet block */
    NRB_END = 0,
    NRB_IPV4 = 1,
    NRB_IPV6 = 2,
};

__extension__ typedef __int128 wide;

bool ccm_pcapng_is(ccm_span s)
{
    ccm_cursor c = ccm_cur(s);
    if (ccm_cur_be32(&c) != BLOCK_SHB)
        return false;
    ccm_cur_skip(&c, 4);
    uint32_t order = ccm_cur_be32(&c);
    return c.bad || order == 0x1a2b3c4d || order == 0x4d3c2b1a;
}

void ccm_interface_resolution(ccm_interface *i, uint8_t tsresol)
{
    unsigned e = tsresol & 0x7f;
    i->mul = 1000000000;
    i->div = 1;
    i->shift = 0;
    if (tsresol & 0x80) {
        i->shift = (uint8_t)e;
        return;
    }
    i->mul = 1;
    for (; e < 9; e++)
        i->mul *= 10;
    for (; e > 9 && i->div; e--)
        i->div = i->div <= UINT64_MAX / 10 ? i->div * 10 : 0; /* 0: units too small to count */
}

uint64_t ccm_interface_time(const ccm_interface *i, uint64_t ts)
{
    wide ns = (wide)ts * i->mul;
    if (i->shift)
        ns >>= i->shift;
    else if (i->div != 1)
        ns = i->div ? (wide)(ts / i->div) : 0;
    ns += (wide)i->offset_s * 1000000000;
    if (ns < 0)
        return 0;
    return ns > INT64_MAX ? INT64_MAX : (uint64_t)ns;
}

static bool bad(ccm_reader *r, const char *why)
{
    r->why = why;
    return false;
}

/* The next option; false at the end of the list. Values are padded to 32 bits. */
static bool next_option(ccm_cursor *c, bool big, uint16_t *code, ccm_span *value)
{
    if (ccm_cur_left(c) < 4)
        return false;
    *code = ccm_cur_u16(c, big);
    uint16_t n = ccm_cur_u16(c, big);
    *value = ccm_cur_take(c, n);
    size_t pad = (4u - n % 4u) % 4u;
    ccm_cur_skip(c, pad < ccm_cur_left(c) ? pad : ccm_cur_left(c));
    return !c->bad && *code != OPT_END;
}

static uint64_t option_u64(ccm_span value, bool big)
{
    ccm_cursor c = ccm_cur(value);
    uint64_t a = ccm_cur_u32(&c, big), b = ccm_cur_u32(&c, big);
    return big ? a << 32 | b : b << 32 | a;
}

static bool section(ccm_reader *r, ccm_cursor *c)
{
    ccm_cur_skip(c, 4); /* byte order, known */
    uint16_t major = ccm_cur_u16(c, r->big);
    if (c->bad || major != 1)
        return bad(r, "a pcapng section of an unknown version");
    g_array_set_size(r->interfaces, 0);
    return true;
}

static bool interface(ccm_reader *r, ccm_cursor *c)
{
    ccm_interface i = { 0 };
    uint16_t code;
    ccm_span value;
    i.link_type = ccm_cur_u16(c, r->big);
    ccm_cur_skip(c, 2);
    i.snaplen = ccm_cur_u32(c, r->big);
    if (c->bad)
        return bad(r, "a damaged interface block");
    if (r->interfaces->len == CCM_INTERFACES_MAX)
        return bad(r, "too many interfaces");
    ccm_interface_resolution(&i, 6);
    while (next_option(c, r->big, &code, &value)) {
        if (code == OPT_TSRESOL && value.n == 1)
            ccm_interface_resolution(&i, value.p[0]);
        else if (code == OPT_TSOFFSET && value.n == 8)
            i.offset_s = (int64_t)option_u64(value, r->big);
    }
    if (c->bad)
        return bad(r, "a damaged interface block");
    g_array_append_val(r->interfaces, i);
    return true;
}

static void names(ccm_reader *r, ccm_cursor *c)
{
    while (ccm_cur_left(c) >= 4) {
        uint16_t type = ccm_cur_u16(c, r->big);
        uint16_t n = ccm_cur_u16(c, r->big);
        ccm_span record = ccm_cur_take(c, n);
        if (c->bad || type == NRB_END)
            return;
        size_t pad = (4u - n % 4u) % 4u;
        ccm_cur_skip(c, pad < ccm_cur_left(c) ? pad : ccm_cur_left(c));
        size_t size = type == NRB_IPV4 ? 4 : type == NRB_IPV6 ? 16 : 0;
        if (!size || record.n < size)
            continue;
        ccm_addr address = { .family = size == 4 ? 4 : 6 };
        memcpy(address.b, record.p, size);
        const uint8_t *p = record.p + size, *end = record.p + record.n;
        while (p < end) {
            const uint8_t *stop = memchr(p, 0, (size_t)(end - p));
            size_t len = (size_t)((stop ? stop : end) - p);
            if (len && r->events.name)
                r->events.name(r->events.ud, &address, ccm_span_of(p, len));
            p += len + 1;
        }
    }
}

static void secrets(ccm_reader *r, ccm_cursor *c)
{
    uint32_t type = ccm_cur_u32(c, r->big);
    ccm_span data = ccm_cur_take(c, ccm_cur_u32(c, r->big));
    if (!c->bad && r->events.secrets)
        r->events.secrets(r->events.ud, type, data);
}

/* Statistics and packets count the same: `sum` is of one of them, since the capture began, and what
 * it is above all that was told is new. */
static void dropped(const ccm_reader *r, ccm_interface *i, uint64_t sum)
{
    if (sum <= i->dropped)
        return;
    if (r->events.dropped)
        r->events.dropped(r->events.ud, sum - i->dropped);
    i->dropped = sum;
}

/* Packets of the interface that were lost since the one before. */
static G_GNUC_NO_INLINE void lost(const ccm_reader *r, ccm_interface *i, uint64_t n)
{
    i->lost += ccm_min64(n, UINT64_MAX - i->lost);
    dropped(r, i, i->lost);
}

static G_GNUC_NO_INLINE void packet_options(const ccm_reader *r, ccm_interface *i, ccm_span left,
                                            uint32_t captured)
{
    uint16_t code;
    ccm_span value;
    ccm_cursor c = ccm_cur(left);
    ccm_cur_skip(&c, (4u - captured % 4u) % 4u);
    while (next_option(&c, r->big, &code, &value))
        if (code == OPT_DROPCOUNT && value.n == 8)
            lost(r, i, option_u64(value, r->big));
}

static void statistics(ccm_reader *r, ccm_cursor *c)
{
    uint32_t id = ccm_cur_u32(c, r->big);
    ccm_cur_skip(c, 8);
    if (c->bad || id >= r->interfaces->len)
        return;
    ccm_interface *i = &g_array_index(r->interfaces, ccm_interface, id);
    uint64_t drops[2] = { 0 };
    uint16_t code;
    ccm_span value;
    while (next_option(c, r->big, &code, &value))
        if (value.n == 8 && (code == OPT_IFDROP || code == OPT_OSDROP))
            drops[code == OPT_OSDROP] = option_u64(value, r->big);
    dropped(r, i, drops[0] + ccm_min64(drops[1], UINT64_MAX - drops[0]));
}

/* Enhanced and obsolete packet blocks differ in the width of the interface number. Inlined,
 * whatever the compiler thinks: compiled once for each byte order. */
static inline __attribute__((always_inline)) bool packet(ccm_reader *r, ccm_cursor *c,
                                                         bool obsolete, bool big, ccm_raw *out)
{
    uint32_t id = obsolete ? ccm_cur_u16(c, big) : ccm_cur_u32(c, big);
    uint16_t before = obsolete ? ccm_cur_u16(c, big) : 0;
    uint64_t ts = (uint64_t)ccm_cur_u32(c, big) << 32;
    ts |= ccm_cur_u32(c, big);
    uint32_t captured = ccm_cur_u32(c, big);
    uint32_t length = ccm_cur_u32(c, big);
    ccm_span data = ccm_cur_take(c, captured);
    if (c->bad)
        return bad(r, "a packet longer than its block");
    if (id >= r->interfaces->len)
        return bad(r, "a packet of an interface that was not described");
    ccm_interface *i = &g_array_index(r->interfaces, ccm_interface, id);
    if (before && before != LOST_UNKNOWN)
        lost(r, i, before);
    if (G_UNLIKELY(ccm_cur_left(c) > OPTION_MIN) && !obsolete)
        packet_options(r, i, ccm_cur_take(c, ccm_cur_left(c)), captured);
    *out = (ccm_raw){
        .data = data.p,
        .captured = captured,
        .length = length > captured ? length : captured,
        .link_type = i->link_type,
        .time_ns = ccm_interface_time(i, ts),
    };
    r->last_ns = out->time_ns;
    return true;
}

/* Has neither interface nor time: the first interface, and the time of the packet before. */
static bool simple_packet(ccm_reader *r, ccm_cursor *c, ccm_raw *out)
{
    uint32_t length = ccm_cur_u32(c, r->big);
    if (c->bad || r->interfaces->len == 0)
        return bad(r, "a packet of an interface that was not described");
    const ccm_interface *i = &g_array_index(r->interfaces, ccm_interface, 0);
    uint32_t captured = i->snaplen && i->snaplen < length ? i->snaplen : length;
    ccm_span data = ccm_cur_take(c, captured);
    if (c->bad)
        return bad(r, "a packet longer than its block");
    if (r->events.untimed)
        r->events.untimed(r->events.ud);
    *out = (ccm_raw){
        .data = data.p,
        .captured = captured,
        .length = length,
        .link_type = i->link_type,
        .time_ns = r->last_ns,
    };
    return true;
}

/* False at damage; *is_packet tells whether `out` was filled. */
static bool block(ccm_reader *r, uint32_t type, ccm_span body, ccm_raw *out, bool *is_packet)
{
    ccm_cursor c = ccm_cur(body);
    *is_packet = false;
    switch (type) {
    case BLOCK_PB:
        return *is_packet = packet(r, &c, true, r->big, out);
    case BLOCK_SPB:
        return *is_packet = simple_packet(r, &c, out);
    case BLOCK_SHB:
        return section(r, &c);
    case BLOCK_IDB:
        return interface(r, &c);
    case BLOCK_NRB:
        names(r, &c);
        return true;
    case BLOCK_DSB:
        secrets(r, &c);
        return true;
    case BLOCK_ISB:
        statistics(r, &c);
        return true;
    default:
        return true; /* unknown blocks are skipped, as the specification asks */
    }
}

/* Type and length of the block at in.pos. 0 when it is not whole in the buffer or is damaged. A new
 * section sets r->big. */
static inline uint32_t block_head(ccm_reader *r, bool big, uint32_t *type)
{
    size_t left = r->in.end - r->in.pos;
    r->need = BLOCK_MIN;
    if (left < BLOCK_MIN)
        return 0;
    const uint8_t *p = r->in.p + r->in.pos;
    ccm_cursor c = ccm_cur(ccm_span_of(p, BLOCK_MIN));
    *type = ccm_cur_u32(&c, big);
    uint32_t length = ccm_cur_u32(&c, big);
    if (G_UNLIKELY(*type == BLOCK_SHB)) {
        uint32_t order = ccm_cur_be32(&c);
        if (order != 0x1a2b3c4d && order != 0x4d3c2b1a)
            return bad(r, "a pcapng section without a byte order");
        r->big = order == 0x1a2b3c4d;
        length = r->big == big ? length : GUINT32_SWAP_LE_BE(length);
        big = r->big;
    }
    if (length < BLOCK_MIN || length % 4 || length > CCM_BLOCK_MAX)
        return bad(r, "a block length out of bounds");
    if (left < length) {
        r->need = length;
        return 0;
    }
    c = ccm_cur(ccm_span_of(p + length - 4, 4));
    if (ccm_cur_u32(&c, big) != length)
        return bad(r, "a block whose two lengths differ");
    return length;
}

/* The walk over blocks of one byte order, compiled once for each. */
static inline unsigned walk_blocks(ccm_reader *r, ccm_raw *out, unsigned n, bool big)
{
    uint32_t type = 0, length;

    while (n < CCM_BATCH && r->big == big && (length = block_head(r, big, &type)) != 0) {
        ccm_span body = ccm_span_of(r->in.p + r->in.pos + 8, length - BLOCK_MIN);
        bool is_packet = type == BLOCK_EPB;
        if (G_LIKELY(is_packet)) {
            ccm_cursor c = ccm_cur(body);
            if (!packet(r, &c, false, big, &out[n]))
                break;
        } else if (!block(r, type, body, &out[n], &is_packet)) {
            break;
        }
        n += is_packet;
        r->in.pos += length;
    }
    return n;
}

unsigned ccm_pcapng_walk(ccm_reader *r, ccm_raw *out)
{
    unsigned n = 0;
    bool big;

    do {
        big = r->big;
        n = big ? walk_blocks(r, out, n, true) : walk_blocks(r, out, n, false);
    } while (r->big != big && !r->why);
    return n;
}
