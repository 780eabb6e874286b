/* SPDX-License-Identifier: GPL-2.0-or-later
 * xml.c - pull scanner over the XML of a message.
 * In: UTF-8 text, perhaps cut anywhere. Out: tags, attributes and texts as spans of it.
 * State: the position and the depth; no stack, so nesting costs nothing and is bounded by a count.
 * Spec: XML 1.0, without document types. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "proto/xml.h"

#include <glib.h>

#include "base/scan.h"
#include "proto/utf16.h"

static bool blank(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool starts(const ccm_xml *x, const char *literal)
{
    size_t n = strlen(literal);
    return (size_t)(x->end - x->p) >= n && !memcmp(x->p, literal, n);
}

static ccm_xml_event stop(ccm_xml *x, bool cut)
{
    x->cut = cut;
    x->p = x->end;
    return CCM_XML_END;
}

/* Moves behind the next `literal`; false when it is not there. */
static bool behind(ccm_xml *x, const char *literal)
{
    size_t n = strlen(literal);
    const uint8_t *at = memmem(x->p, (size_t)(x->end - x->p), literal, n);
    if (!at)
        return false;
    x->p = at + n;
    return true;
}

/* The '>' that ends the tag whose name ends at `p`, not one inside quotes; `end`: not there. */
static G_GNUC_NO_INLINE const uint8_t *tag_end(const uint8_t *p, const uint8_t *end)
{
    for (;; p++) {
        p = ccm_scan(p, end, '>', '"', '\'');
        if (p == end || *p == '>')
            return p;
        p = *p == '"' ? ccm_scan(p + 1, end, '"', '"', '"')
                      : ccm_scan(p + 1, end, '\'', '\'', '\'');
        if (p == end)
            return end;
    }
}

/* The end of the name that begins at `p`: white space, '>' or '/'. */
static inline const uint8_t *name_end(const uint8_t *p, const uint8_t *end)
{
#ifdef __SSE2__
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i low = _mm_cmpeq_epi8(v, _mm_min_epu8(v, _mm_set1_epi8(' ')));
        unsigned hits = (unsigned)_mm_movemask_epi8(low) | ccm_scan_block(p, '>', '/', '/');
        if (hits)
            return p + __builtin_ctz(hits);
    }
#endif
    while (p < end && !(*p <= ' ' || *p == '>' || *p == '/'))
        p++;
    return p;
}

static ccm_xml_event start_tag(ccm_xml *x)
{
    const uint8_t *name = x->p + 1, *p = name_end(name, x->end);
    const uint8_t *end = p < x->end && *p == '>' ? p : tag_end(p, x->end);
    if (end == x->end)
        return stop(x, true);
    x->name = ccm_span_of(name, (size_t)(p - name));
    x->closing = end > p && end[-1] == '/';
    x->attrs = ccm_span_of(p, (size_t)(end - p) - x->closing);
    x->p = end + 1;
    if (++x->depth > CCM_XML_DEPTH)
        return stop(x, true);
    return CCM_XML_OPEN;
}

/* Does the end tag at `p` most surely belong to the element that was opened last? */
static inline bool same_name(const ccm_xml *x, const uint8_t *p)
{
    size_t n = x->name.n;
    return n && (size_t)(x->end - p) > n + 2 && p[n + 2] == '>' && p[2] == x->name.p[0] &&
           p[n + 1] == x->name.p[n - 1];
}

static ccm_xml_event end_tag(ccm_xml *x)
{
    const uint8_t *end =
        same_name(x, x->p) ? x->p + x->name.n + 2 : ccm_scan(x->p, x->end, '>', '>', '>');
    if (end == x->end)
        return stop(x, true);
    x->p = end + 1;
    x->leave = true;
    return CCM_XML_CLOSE;
}

static ccm_xml_event cdata(ccm_xml *x)
{
    x->p += strlen("<![CDATA[");
    const uint8_t *from = x->p;
    if (!behind(x, "]]>"))
        return stop(x, true);
    x->text = ccm_span_of(from, (size_t)(x->p - from) - 3);
    x->raw = true;
    return CCM_XML_TEXT;
}

/* The text in [from, to), without the white space round it. */
static inline ccm_span trimmed(const uint8_t *from, const uint8_t *to)
{
    while (from < to && blank(*from))
        from++;
    while (to > from && blank(to[-1]))
        to--;
    return ccm_span_of(from, (size_t)(to - from));
}

/* Text up to the next tag. Empty: there was nothing else. */
static bool text(ccm_xml *x)
{
    const uint8_t *from = x->p;
    const uint8_t *to = memchr(from, '<', (size_t)(x->end - from));
    if (!to) {
        (void)stop(x, x->depth > 0);
        return false;
    }
    x->p = to;
    x->text = trimmed(from, to);
    x->raw = false;
    return x->depth && x->text.n;
}

/* What stands at x->p, whatever it is. */
static G_GNUC_NO_INLINE ccm_xml_event any(ccm_xml *x)
{
    while (x->p < x->end) {
        if (*x->p != '<') {
            if (text(x))
                return CCM_XML_TEXT;
            continue;
        }
        if (x->end - x->p < 2)
            return stop(x, true);
        bool good = true;
        if (x->p[1] == '/')
            return end_tag(x);
        if (x->p[1] != '!' && x->p[1] != '?')
            return start_tag(x);
        if (starts(x, "<![CDATA["))
            return cdata(x);
        if (starts(x, "<!--"))
            good = behind(x, "-->");
        else
            good = behind(x, x->p[1] == '?' ? "?>" : ">");
        if (!good)
            return stop(x, true);
    }
    x->cut |= x->depth > 0;
    return CCM_XML_END;
}

ccm_xml_event ccm_xml_next(ccm_xml *x)
{
    if (x->closing) {
        x->closing = false;
        x->leave = true;
        return CCM_XML_CLOSE;
    }
    if (x->leave) {
        x->leave = false;
        x->depth -= x->depth > 0;
    }
    /* Most often a tag, which is quick without the rest. */
    if (x->end - x->p > 2 && *x->p == '<' && x->p[1] != '!' && x->p[1] != '?')
        return x->p[1] == '/' ? end_tag(x) : start_tag(x);
    return any(x);
}

bool ccm_xml_leaf(ccm_xml *x)
{
    const uint8_t *to = ccm_scan(x->p, x->end, '<', '&', '<');
    bool plain = to == x->end || *to == '<';
    if (!plain)
        to = ccm_scan(to, x->end, '<', '<', '<');
    if (x->closing || !same_name(x, to) || to[1] != '/')
        return false;
    x->text = trimmed(x->p, to);
    x->raw = plain;
    x->p = to + x->name.n + 3;
    x->leave = true;
    return true;
}

bool ccm_xml_attribute(ccm_span *attrs, ccm_span *name, ccm_span *value)
{
    const uint8_t *p = attrs->p, *end = attrs->p + attrs->n;
    while (p < end && blank(*p))
        p++;
    const uint8_t *from = p;
    while (p < end && *p != '=' && !blank(*p))
        p++;
    *name = ccm_span_of(from, (size_t)(p - from));
    while (p < end && blank(*p))
        p++;
    if (p == end || *p != '=')
        return false;
    p++;
    while (p < end && blank(*p))
        p++;
    if (p == end || (*p != '"' && *p != '\''))
        return false;
    uint8_t quote = *p++;
    const uint8_t *to = p < end ? memchr(p, quote, (size_t)(end - p)) : NULL;
    if (!to)
        return false;
    *value = ccm_span_of(p, (size_t)(to - p));
    *attrs = ccm_span_of(to + 1, (size_t)(end - to) - 1);
    return true;
}

ccm_span ccm_xml_get(ccm_span attrs, const char *name)
{
    ccm_span want = ccm_span_str(name), key, value;
    while (attrs.n && ccm_xml_attribute(&attrs, &key, &value))
        if (key.n == want.n && !memcmp(key.p, want.p, want.n))
            return value;
    return (ccm_span){ 0 };
}

/* The character that the entity `e`, without & and ;, stands for; 0 = unknown. */
static uint32_t entity(ccm_span e)
{
    static const struct {
        const char *name;
        char c;
    } rows[] = { { "lt", '<' }, { "gt", '>' }, { "amp", '&' }, { "quot", '"' }, { "apos", '\'' } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ccm_span_is(e, rows[i].name))
            return (uint32_t)rows[i].c;
    if (e.n < 2 || e.p[0] != '#')
        return 0;
    bool hex = e.p[1] == 'x';
    uint32_t c = 0;
    for (size_t i = 1 + hex; i < e.n; i++) {
        uint8_t b = e.p[i], letter = b | 0x20;
        unsigned digit = 99;
        if (b >= '0' && b <= '9')
            digit = b - (unsigned)'0';
        else if (hex && letter >= 'a' && letter <= 'f')
            digit = letter - (unsigned)'a' + 10;
        if (digit == 99)
            return 0;
        c = c * (hex ? 16 : 10) + digit;
        if (c > 0x10ffff)
            return 0;
    }
    return c >= 0xd800 && c < 0xe000 ? 0 : c;
}

size_t ccm_xml_unescape(ccm_span in, uint8_t *out, size_t room)
{
    enum { LONGEST = 10 }; /* "#x0010FFFF" */
    size_t o = 0;
    for (size_t i = 0; i < in.n && o < room;) {
        size_t left = in.n - i - 1;
        const uint8_t *semi =
            in.p[i] == '&' && left
                ? memchr(in.p + i + 1, ';', left < LONGEST + 1 ? left : LONGEST + 1)
                : NULL;
        ccm_span e =
            semi ? ccm_span_of(in.p + i + 1, (size_t)(semi - in.p) - i - 1) : (ccm_span){ 0 };
        uint32_t c = semi ? entity(e) : 0;
        if (!c) {
            out[o++] = in.p[i++];
            continue;
        }
        size_t n = ccm_utf8_put(c, out + o, room - o);
        if (!n)
            break;
        o += n;
        i += e.n + 2;
    }
    return o;
}

ccm_span ccm_xml_plain(ccm_xml_room *room, ccm_span raw)
{
    if (!raw.n || !memchr(raw.p, '&', raw.n))
        return raw;
    uint8_t *to = room->scratch + room->used;
    size_t n = ccm_xml_unescape(raw, to, sizeof room->scratch - room->used);
    if (room->used + n >= sizeof room->scratch)
        return (ccm_span){ 0 };
    room->used += (unsigned)n;
    return ccm_span_of(to, n);
}

bool ccm_bytes_same(const uint8_t *p, const char *name, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t a = p[i], b = (uint8_t)name[i];
        if (a != b && ((a ^ b) != 0x20 || (a | 0x20) < 'a' || (a | 0x20) > 'z'))
            return false;
    }
    return true;
}

uint64_t ccm_span_number(ccm_span s)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || v > (UINT64_MAX - 9) / 10)
            return UINT64_MAX;
        v = v * 10 + (uint64_t)(s.p[i] - '0');
    }
    return s.n ? v : UINT64_MAX;
}
