/* SPDX-License-Identifier: GPL-2.0-or-later
 * base.c - addresses as text, packet bytes as safe text, JSON strings, times.
 * In: values and untrusted bytes. Out: text appended to a GString or a caller's array. State: none.
 * Spec: RFC 5952 (addresses), RFC 3629 (UTF-8), RFC 8259 (JSON), RFC 3339 (times). */
#include "base/base.h"

#include <arpa/inet.h>

#if __has_attribute(noipa)
__attribute__((noipa)) /* a copy for each size would be what this is to avoid */
#endif
void ccm_clear(void *p, size_t size)
{
    memset(p, 0, size);
}

int ccm_addr_cmp(const ccm_addr *a, const ccm_addr *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return memcmp(a->b, b->b, sizeof a->b);
}

/* Writes `v` in decimal without an end mark; returns the position after it. */
static char *put_dec(char *out, unsigned v)
{
    char tmp[10];
    unsigned n = 0;
    do {
        tmp[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    while (n)
        *out++ = tmp[--n];
    return out;
}

const char *ccm_addr_text(const ccm_addr *a, char *out)
{
    out[0] = '\0';
    if (a->family == 4) {
        char *p = out;
        for (int i = 0; i < 4; i++) {
            if (i)
                *p++ = '.';
            p = put_dec(p, a->b[i]);
        }
        *p = '\0';
    } else if (a->family == 6) {
        if (!inet_ntop(AF_INET6, a->b, out, CCM_ADDR_TEXT))
            out[0] = '\0';
    }
    return out;
}

const char *ccm_endpoint_text(const ccm_endpoint *e, char *out)
{
    char *p = out;
    if (e->addr.family == 6)
        *p++ = '[';
    ccm_addr_text(&e->addr, p);
    if (e->addr.family == 0)
        return out;
    p += strlen(p);
    if (e->addr.family == 6)
        *p++ = ']';
    *p++ = ':';
    p = put_dec(p, e->port);
    *p = '\0';
    return out;
}

bool ccm_addr_parse(const char *text, ccm_addr *out)
{
    *out = (ccm_addr){ 0 };
    if (inet_pton(AF_INET, text, out->b) == 1)
        out->family = 4;
    else if (inet_pton(AF_INET6, text, out->b) == 1)
        out->family = 6;
    else
        memset(out->b, 0, sizeof out->b);
    return out->family != 0;
}

static bool parse_port(const char *text, uint16_t *out)
{
    unsigned v = 0, digits = 0;
    for (; *text >= '0' && *text <= '9' && digits < 6; text++, digits++)
        v = v * 10 + (unsigned)(*text - '0');
    *out = (uint16_t)v;
    return digits && !*text && v <= UINT16_MAX;
}

bool ccm_endpoint_parse(const char *text, ccm_endpoint *out)
{
    *out = (ccm_endpoint){ 0 };
    bool bracket = text[0] == '[';
    const char *begin = text + bracket;
    const char *end = strrchr(begin, bracket ? ']' : ':');
    char host[CCM_ADDR_TEXT];
    if (!end || (size_t)(end - begin) >= sizeof host || (bracket && end[1] != ':'))
        return false;
    memcpy(host, begin, (size_t)(end - begin));
    host[end - begin] = '\0';
    ccm_endpoint e = { 0 };
    if (!ccm_addr_parse(host, &e.addr) || (e.addr.family == 6) != bracket ||
        !parse_port(end + 1 + bracket, &e.port))
        return false;
    *out = e;
    return true;
}

/* Characters that are valid UTF-8 but steer a terminal or the direction of text: C1 controls, bidi
 * marks and line separators. */
static bool steers(uint32_t c)
{
    return (c >= 0x80 && c <= 0x9f) || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

/* Length of the harmless UTF-8 character of more than one byte at `p`, or 0. */
static size_t utf8_len(const uint8_t *p, size_t n)
{
    size_t len = p[0] >= 0xc2 && p[0] <= 0xdf   ? 2
                 : p[0] >= 0xe0 && p[0] <= 0xef ? 3
                 : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
                                                : 0;
    if (len == 0 || len > n)
        return 0;
    uint32_t c = p[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    bool overlong = (len == 3 && c < 0x800) || (len == 4 && c < 0x10000);
    if (overlong || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || steers(c))
        return 0;
    return len;
}

/* Appends safe text; with `json`, as the inside of a JSON string. */
static void append_safe(GString *out, ccm_span s, bool json)
{
    static const char hex[] = "0123456789abcdef";
    size_t i = 0;
    while (i < s.n) {
        size_t from = i;
        while (i < s.n) {
            uint8_t b = s.p[i];
            if (b >= 0x20 && b < 0x7f) {
                if (json && (b == '"' || b == '\\'))
                    break;
                i++;
            } else {
                size_t len = b < 0x80 ? 0 : utf8_len(s.p + i, s.n - i);
                if (!len)
                    break;
                i += len;
            }
        }
        if (i > from)
            g_string_append_len(out, (const char *)s.p + from, (gssize)(i - from));
        if (i == s.n)
            break;
        uint8_t b = s.p[i++];
        char esc[5] = { '\\', '\\', 'x', hex[b >> 4], hex[b & 15] };
        if (b == '"' || b == '\\') {
            esc[1] = (char)b;
            g_string_append_len(out, esc, 2);
        } else {
            g_string_append_len(out, esc + !json, 4 + json);
        }
    }
}

void ccm_text_append(GString *out, ccm_span s)
{
    append_safe(out, s, false);
}

void ccm_json_string(GString *out, ccm_span s)
{
    g_string_append_c(out, '"');
    append_safe(out, s, true);
    g_string_append_c(out, '"');
}

static void put_fixed(char *out, unsigned digits, uint32_t v)
{
    while (digits) {
        out[--digits] = (char)('0' + v % 10);
        v /= 10;
    }
}

void ccm_time_append(GString *out, uint64_t ns)
{
    uint64_t seconds = ns / 1000000000u;
    uint32_t in_day = (uint32_t)(seconds % 86400u);
    /* Days to a civil date with years that begin in March, so that the leap day is the last one. */
    uint64_t z = seconds / 86400u + 719468u; /* days since 0000-03-01 */
    uint64_t era = z / 146097u;
    uint32_t doe = (uint32_t)(z % 146097u);
    uint32_t yoe = (doe - doe / 1460u + doe / 36524u - doe / 146096u) / 365u;
    uint32_t doy = doe - (365u * yoe + yoe / 4u - yoe / 100u);
    uint32_t mp = (5u * doy + 2u) / 153u;
    uint32_t month = mp < 10u ? mp + 3u : mp - 9u;
    uint32_t year = (uint32_t)(era * 400u) + yoe + (month <= 2u);

    char text[] = "0000-00-00T00:00:00.000000000Z";
    put_fixed(text, 4, year);
    put_fixed(text + 5, 2, month);
    put_fixed(text + 8, 2, doy - (153u * mp + 2u) / 5u + 1u);
    put_fixed(text + 11, 2, in_day / 3600u);
    put_fixed(text + 14, 2, in_day / 60u % 60u);
    put_fixed(text + 17, 2, in_day % 60u);
    put_fixed(text + 20, 9, (uint32_t)(ns % 1000000000u));
    g_string_append_len(out, text, sizeof text - 1);
}
