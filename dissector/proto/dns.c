/* SPDX-License-Identifier: GPL-2.0-or-later
 * dns.c - DNS over UDP and TCP, on any port where what is said is surely DNS.
 *
 * In: datagrams, or the two directions of a flow with gaps. Out: `dns_query` and `dns_answer`, one
 * for each message of a standard query. State: that of framed.h. A pointer of a compressed name
 * must lead to before the piece it stands in, so that no name can loop (RFC 1035 section 4.1.4: "a
 * prior occurrence"). Multicast relatives on ports 5353 and 5355 name nobody of interest and are
 * left alone. Spec: RFC 1035 section 4, RFC 2782 (SRV), RFC 3596 (AAAA). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "proto/framed.h"

enum {
    TYPE_A = 1,
    TYPE_CNAME = 5,
    TYPE_PTR = 12,
    TYPE_AAAA = 28,
    TYPE_NETBIOS = 32,
    TYPE_SRV = 33, /* of NetBIOS: status */
    PREFIX = 2,    /* length before each message on TCP */
    HEADER = 12,
    NAME_WIRE = 255,
    NAME_TEXT = 1024, /* each byte at most \DDD */
    LIST_TEXT = 2048,
    RECORDS = 512, /* read of one message */
    FLAG_RESPONSE = 0x8000,
    FLAG_OPCODE = 0x7800,
    FLAG_AUTHORITATIVE = 0x0400,
    FLAG_TRUNCATED = 0x0200,
    FLAG_ZERO = 0x0040,
    RCODE = 0x000f,
};

/* A name as text: labels and dots, none at the end ("." is the root). What is neither a letter, a
 * digit nor plain punctuation is \DDD (RFC 1035 section 5.1), so no text holds a space or '='. */
typedef struct dns_name {
    size_t n;
    char text[NAME_TEXT];
} dns_name;

/* Words with a space between them. */
typedef struct dns_list {
    size_t n;
    char text[LIST_TEXT];
} dns_list;

typedef struct dns {
    uint16_t flags;
    uint16_t count[4]; /* questions, answers, authority, additional: as announced */
    bool response, truncated;
    bool incomplete; /* cut, malformed, or more than is kept */
    bool cut;        /* its end is not there */
    bool trailing;   /* bytes follow the last record */
    bool has_question, has_ttl, foreign_question;
    uint8_t rcode;
    uint16_t type; /* of the question */
    uint32_t ttl;  /* the lowest of the answers kept */
    dns_name name;
    dns_list addresses; /* of A and AAAA answers */
    dns_list chain;     /* CNAME targets, in order */
    dns_list targets;   /* PTR: NAME; SRV: NAME:PORT */
    dns_list glue;      /* beside SRV answers: NAME=ADDRESS */
} dns;

static void put_label(dns_name *out, ccm_span label)
{
    if (out->n)
        out->text[out->n++] = '.';
    for (size_t i = 0; i < label.n; i++) {
        uint8_t c = label.p[i];
        if (g_ascii_isgraph((char)c) && !strchr(".\\=:", c)) {
            out->text[out->n++] = (char)c;
            continue;
        }
        out->text[out->n++] = '\\';
        out->text[out->n++] = (char)('0' + c / 100);
        out->text[out->n++] = (char)('0' + c / 10 % 10);
        out->text[out->n++] = (char)('0' + c % 10);
    }
}

/* Reads the name at `c`, which then stands behind it. False: malformed, or cut (then c->bad). */
static bool read_name(ccm_span message, ccm_cursor *c, dns_name *out)
{
    ccm_cursor at = *c;
    size_t piece = at.pos, wire = 0;
    bool jumped = false;

    out->n = 0;
    for (;;) {
        uint8_t n = ccm_cur_u8(&at);
        if (at.bad || n >= 0xc0) {
            size_t target = (size_t)(n & 0x3f) << 8 | ccm_cur_u8(&at);
            if (!jumped)
                *c = at;
            if (at.bad || target >= piece)
                return false;
            jumped = true;
            piece = target;
            at = ccm_cur(message);
            ccm_cur_skip(&at, target);
            continue;
        }
        ccm_span label = ccm_cur_take(&at, n);
        wire += 1u + n;
        if (at.bad || n > 63 || wire > NAME_WIRE) {
            c->bad |= at.bad && !jumped;
            return false;
        }
        if (!n)
            break;
        put_label(out, label);
    }
    if (!jumped)
        *c = at;
    if (!out->n)
        out->text[out->n++] = '.';
    return true;
}

/* Adds "a" or "a" + `between` + "b". */
static void put(dns *m, dns_list *l, ccm_span a, char between, const char *b)
{
    size_t more = strlen(b);
    if (l->n + 2 + a.n + more > sizeof l->text) {
        m->incomplete = true;
        return;
    }
    if (l->n)
        l->text[l->n++] = ' ';
    memcpy(l->text + l->n, a.p, a.n);
    l->n += a.n;
    if (between)
        l->text[l->n++] = between;
    memcpy(l->text + l->n, b, more);
    l->n += more;
}

static ccm_span text_of(const dns_name *name)
{
    return ccm_span_of(name->text, name->n);
}

typedef struct record {
    dns_name owner;
    uint16_t type;
    uint32_t ttl;
    ccm_cursor data; /* on the whole message, at the data, which ends where `data` does */
} record;

static bool read_record(ccm_span message, ccm_cursor *c, record *r)
{
    if (!read_name(message, c, &r->owner))
        return false;
    r->type = ccm_cur_be16(c);
    uint16_t class = ccm_cur_be16(c);
    r->ttl = ccm_cur_be32(c);
    size_t n = ccm_cur_be16(c);
    r->data = *c;
    ccm_cur_skip(c, n);
    if (c->bad)
        return false;
    r->data.len = c->pos;
    if (class != 1) /* OPT and TSIG have other meanings here */
        r->type = 0;
    return true;
}

static bool address_of(const record *r, char *out)
{
    ccm_cursor c = r->data;
    ccm_addr a = { .family = r->type == TYPE_A ? 4 : 6 };
    size_t n = a.family == 4 ? 4 : 16;
    ccm_span s = ccm_cur_take(&c, n);

    if ((r->type != TYPE_A && r->type != TYPE_AAAA) || c.bad || ccm_cur_left(&c))
        return false;
    memcpy(a.b, s.p, n);
    ccm_addr_text(&a, out);
    return true;
}

/* RFC 2782: priority, weight, port, target. */
static bool read_service(ccm_span message, ccm_cursor *c, dns_name *target,
                         char port[CCM_ADDR_TEXT])
{
    ccm_cur_skip(c, 4);
    g_snprintf(port, CCM_ADDR_TEXT, "%u", ccm_cur_be16(c));
    return !c->bad && read_name(message, c, target);
}

static void keep_answer(ccm_span message, dns *m, record *r)
{
    char text[CCM_ADDR_TEXT];
    dns_name name;

    if (address_of(r, text)) {
        put(m, &m->addresses, ccm_span_str(text), 0, "");
    } else if (r->type == TYPE_CNAME && read_name(message, &r->data, &name)) {
        put(m, &m->chain, text_of(&name), 0, "");
    } else if (r->type == TYPE_PTR && read_name(message, &r->data, &name)) {
        put(m, &m->targets, text_of(&name), 0, "");
    } else if (r->type == TYPE_SRV && read_service(message, &r->data, &name, text)) {
        put(m, &m->targets, text_of(&name), ':', text);
    } else {
        m->incomplete |= r->type == TYPE_A || r->type == TYPE_AAAA || r->type == TYPE_CNAME ||
                         r->type == TYPE_PTR || r->type == TYPE_SRV;
        return;
    }
    m->ttl = m->has_ttl ? MIN(m->ttl, r->ttl) : r->ttl;
    m->has_ttl = true;
}

static void read_records(ccm_span message, ccm_cursor *c, dns *m)
{
    unsigned left = RECORDS;
    record r;

    for (unsigned section = 1; section < 4; section++) {
        for (unsigned i = 0; i < m->count[section]; i++) {
            if (!left-- || !read_record(message, c, &r)) {
                m->incomplete = true;
                return;
            }
            char text[CCM_ADDR_TEXT];
            if (section == 1)
                keep_answer(message, m, &r);
            else if (section == 3 && m->targets.n && address_of(&r, text))
                put(m, &m->glue, text_of(&r.owner), '=', text);
        }
    }
    m->trailing = ccm_cur_left(c) > 0;
}

/* Questions after the first, which nobody sends, are read over. */
static bool read_questions(ccm_span message, ccm_cursor *c, dns *m)
{
    for (unsigned i = 0; i < m->count[0]; i++) {
        dns_name other;
        if (i >= RECORDS || !read_name(message, c, i ? &other : &m->name))
            return false;
        uint16_t type = ccm_cur_be16(c), class = ccm_cur_be16(c);
        if (c->bad)
            return false;
        if (i)
            continue;
        m->has_question = true;
        m->type = type;
        m->foreign_question = class != 1 && class != 3 && class != 4 && class != 255;
    }
    return true;
}

/* False: no header of a standard query or of its answer. */
static bool read_message(ccm_span message, dns *out)
{
    ccm_cursor c = ccm_cur(message);

    memset(out, 0, G_STRUCT_OFFSET(dns, name));
    out->name.n = out->addresses.n = out->chain.n = out->targets.n = out->glue.n = 0;
    (void)ccm_cur_be16(&c); /* id */
    out->flags = ccm_cur_be16(&c);
    for (unsigned i = 0; i < 4; i++)
        out->count[i] = ccm_cur_be16(&c);
    if (c.bad || out->flags & (FLAG_OPCODE | FLAG_ZERO))
        return false;
    out->response = out->flags & FLAG_RESPONSE;
    out->truncated = out->flags & FLAG_TRUNCATED;
    out->rcode = out->flags & RCODE;
    if (read_questions(message, &c, out))
        read_records(message, &c, out);
    else
        out->incomplete = true;
    out->cut = c.bad;
    return true;
}

/* ---- is it DNS? ------------------------------------------------------------------------------ */

/* NetBIOS names, which share the form: 32 letters from A to P. */
static bool is_netbios(const dns *m)
{
    size_t n = 0;
    while (n < m->name.n && m->name.text[n] >= 'A' && m->name.text[n] <= 'P')
        n++;
    return n == 32 && (m->type == TYPE_NETBIOS || m->type == TYPE_SRV);
}

/* One question of a known class and whole records up to the end, or to where the capture cut it. */
static bool surely(const dns *m)
{
    if (m->count[0] != 1 || !m->has_question || m->foreign_question || !m->type || m->trailing ||
        (m->incomplete && !m->cut) || is_netbios(m))
        return false;
    if (m->response)
        return m->rcode <= 10;
    return !m->rcode && !(m->flags & (FLAG_AUTHORITATIVE | FLAG_TRUNCATED)) && !m->count[1] &&
           !m->count[2] && m->count[3] <= 2;
}

static void emit(ccm_parse *ps, const dns *m)
{
    ccm_obs o;

    ps->client = (int8_t)(m->response ? !ps->dir : ps->dir);
    ccm_obs_at(ps, &o, m->response ? CCM_OBS_dns_answer : CCM_OBS_dns_query, ps->dir);
    if (m->has_question) {
        ccm_obs_str(&o, CCM_KEY_name, text_of(&m->name));
        ccm_obs_u64(&o, CCM_KEY_record_type, m->type);
    }
    if (m->response) {
        ccm_obs_u64(&o, CCM_KEY_rcode, m->rcode);
        ccm_obs_u64(&o, CCM_KEY_records, m->count[1]);
        ccm_obs_str(&o, CCM_KEY_addresses, ccm_span_of(m->addresses.text, m->addresses.n));
        ccm_obs_str(&o, CCM_KEY_chain, ccm_span_of(m->chain.text, m->chain.n));
        ccm_obs_str(&o, CCM_KEY_targets, ccm_span_of(m->targets.text, m->targets.n));
        ccm_obs_str(&o, CCM_KEY_glue, ccm_span_of(m->glue.text, m->glue.n));
        if (m->has_ttl)
            ccm_obs_u64(&o, CCM_KEY_ttl, m->ttl);
        ccm_obs_flag(&o, CCM_KEY_truncated, m->truncated);
    }
    ccm_obs_flag(&o, CCM_KEY_incomplete, m->incomplete);
    ps->emit(ps->emit_data, &o);
}

/* ---- UDP ------------------------------------------------------------------------------------- */

static ccm_probe udp_probe(ccm_span in, bool midstream)
{
    dns m;
    (void)midstream;
    return read_message(in, &m) && surely(&m) ? CCM_PROBE_YES : CCM_PROBE_NO;
}

/* Other kinds of messages (updates, notifications) are read over. */
static ccm_feed udp_feed(ccm_parse *ps, ccm_span in)
{
    dns m;
    if (read_message(in, &m) && (m.has_question || !m.count[0]))
        emit(ps, &m);
    return (ccm_feed){ .result = CCM_FEED_OK, .used = in.n };
}

/* ---- TCP ------------------------------------------------------------------------------------- */

/* Does a length and a message surely of DNS begin here? `*size` includes the prefix. */
static ccm_probe tcp_shape(ccm_span in, size_t *size)
{
    ccm_cursor c = ccm_cur(in);
    dns m;

    *size = PREFIX + ccm_cur_be16(&c);
    if (c.bad)
        return CCM_PROBE_MAYBE;
    if (*size < PREFIX + HEADER + 5)
        return CCM_PROBE_NO;
    ccm_cursor flags = c;
    (void)ccm_cur_be16(&flags); /* id */
    if ((ccm_cur_be16(&flags) & (FLAG_OPCODE | FLAG_ZERO)) && !flags.bad)
        return CCM_PROBE_NO; /* as nearly everything that is something else */
    ccm_span rest = ccm_cur_take(&c, MIN(*size, in.n) - PREFIX);
    if (!read_message(rest, &m))
        return rest.n < HEADER && rest.n + PREFIX < *size ? CCM_PROBE_MAYBE : CCM_PROBE_NO;
    if (in.n >= *size)
        return surely(&m) && !m.cut ? CCM_PROBE_YES : CCM_PROBE_NO;
    if (!m.cut && m.incomplete)
        return CCM_PROBE_NO;
    return !m.has_question ? CCM_PROBE_MAYBE : surely(&m) ? CCM_PROBE_YES : CCM_PROBE_NO;
}

/* Offset of the first message, or of the last bytes that may be the beginning of one. Bytes of
 * other protocols come here in bulk, so what a message surely holds is searched first. */
static size_t seek(ccm_span in, bool *found)
{
    static const uint8_t counts[] = { 0, 1, 0 }; /* one question, fewer than 256 answers */
    enum { BEFORE = PREFIX + 4, OPEN = PREFIX + HEADER + NAME_WIRE + 3 };
    size_t size;

    *found = false;
    for (size_t at = 0; at + BEFORE < in.n; at++) {
        const uint8_t *from = in.p + at + BEFORE;
        const uint8_t *hit = memmem(from, in.n - at - BEFORE, counts, sizeof counts);
        if (!hit)
            break;
        at += (size_t)(hit - from);
        *found = tcp_shape(ccm_span_of(in.p + at, in.n - at), &size) == CCM_PROBE_YES;
        if (*found)
            return at;
    }
    return in.n > OPEN ? in.n - OPEN : 0;
}

static ccm_probe tcp_length(ccm_span in, size_t *size)
{
    ccm_cursor c = ccm_cur(in);
    *size = PREFIX + ccm_cur_be16(&c);
    return c.bad ? CCM_PROBE_MAYBE : CCM_PROBE_YES;
}

static bool tcp_message(ccm_parse *ps, ccm_span message)
{
    dns m;
    bool is = read_message(message, &m);
    if (is)
        emit(ps, &m);
    return is;
}

static const ccm_framing framing = { PREFIX, tcp_shape, tcp_length, seek, tcp_message };

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

const ccm_proto ccm_proto_dns_udp = {
    .name = "dns",
    .l4 = 17,
    .not_on = { 5353, 5355 },
    .probe = udp_probe,
    .open = ccm_stateless_open,
    .feed = udp_feed,
    .skipped = ccm_stateless_skipped,
    .gap = ccm_stateless_gap,
    .end = ccm_stateless_end,
    .close = ccm_stateless_close,
};

const ccm_proto ccm_proto_dns_tcp = {
    .name = "dns",
    .l4 = 6,
    .probe = tcp_probe,
    .open = ccm_framed_open,
    .feed = tcp_feed,
    .skipped = ccm_stateless_skipped,
    .gap = tcp_gap,
    .end = tcp_end,
    .close = ccm_framed_close,
};
