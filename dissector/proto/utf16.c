/* SPDX-License-Identifier: GPL-2.0-or-later
 * utf16.c - UTF-16 to UTF-8, for the XML of messages.
 * In: bytes of a text of unknown encoding. Out: UTF-8 in the caller's buffer. State: none.
 * Nearly every message is ASCII, so blocks of it take a loop that becomes vector code.
 * Spec: RFC 2781, RFC 3629. */
#include "proto/utf16.h"

#include <glib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BLOCK = 32 }; /* characters a turn of the fast loop */

ccm_text_form ccm_text_form_of(ccm_span in, size_t *mark)
{
    *mark = 0;
    if (in.n >= 3 && in.p[0] == 0xef && in.p[1] == 0xbb && in.p[2] == 0xbf) {
        *mark = 3;
        return CCM_TEXT_UTF8;
    }
    if (in.n < 2)
        return CCM_TEXT_UTF8;
    if (in.p[0] == 0xff && in.p[1] == 0xfe) {
        *mark = 2;
        return CCM_TEXT_UTF16LE;
    }
    if (in.p[0] == 0xfe && in.p[1] == 0xff) {
        *mark = 2;
        return CCM_TEXT_UTF16BE;
    }
    if (in.p[0] && !in.p[1])
        return CCM_TEXT_UTF16LE;
    return !in.p[0] && in.p[1] ? CCM_TEXT_UTF16BE : CCM_TEXT_UTF8;
}

/* Copies BLOCK characters, which are little-endian; false: they are not all ASCII, what was written
 * is worth nothing. */
static inline bool ascii_block(const uint8_t *p, uint8_t *out)
{
#ifdef __SSE2__
    const __m128i zero = _mm_setzero_si128(), *from = (const __m128i *)(const void *)p;
    __m128i a = _mm_loadu_si128(from), b = _mm_loadu_si128(from + 1);
    __m128i c = _mm_loadu_si128(from + 2), d = _mm_loadu_si128(from + 3);
    __m128i any = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d));
    _mm_storeu_si128((__m128i *)(void *)out, _mm_packus_epi16(a, b));
    _mm_storeu_si128((__m128i *)(void *)(out + sizeof a), _mm_packus_epi16(c, d));
    any = _mm_and_si128(any, _mm_set1_epi16((short)0xff80));
    return _mm_movemask_epi8(_mm_cmpeq_epi16(any, zero)) == 0xffff;
#else
    uint8_t low = 0, high = 0;
    for (unsigned i = 0; i < BLOCK; i++) {
        out[i] = p[2 * i];
        low |= p[2 * i];
        high |= p[2 * i + 1];
    }
    return low < 0x80 && !high;
#endif
}

/* Copies little-endian ASCII block by block; returns the characters copied. The last block overlaps
 * the one before it. A block is written before it is known to be ASCII: there is room, and what is
 * wrong is written over. */
static size_t ascii_blocks(const uint8_t *p, size_t units, uint8_t *out, size_t room)
{
    size_t i = 0, most = units < room ? units : room;
    if (most < BLOCK)
        return 0;
    for (; i + BLOCK <= most; i += BLOCK)
        if (!ascii_block(p + 2 * i, out + i))
            return i;
    return ascii_block(p + 2 * (most - BLOCK), out + most - BLOCK) ? most : i;
}

size_t ccm_utf8_put(uint32_t c, uint8_t *out, size_t room)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    if (n > room)
        return 0;
    if (n == 1) {
        out[0] = (uint8_t)c;
        return 1;
    }
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    out[0] = (uint8_t)((0xf00u >> n) | c);
    return n;
}

static uint32_t unit(const uint8_t *p, bool big_endian)
{
    return big_endian ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

size_t ccm_utf16_to_utf8(ccm_span in, bool big_endian, uint8_t *out, size_t room)
{
    size_t units = in.n / 2, i = 0, o = 0;
    while (i < units) {
        size_t n = big_endian ? 0 : ascii_blocks(in.p + 2 * i, units - i, out + o, room - o);
        i += n;
        o += n;
        /* A block with something else in it, or the tail. */
        for (size_t stop = i + BLOCK < units ? i + BLOCK : units; i < stop;) {
            uint32_t c = unit(in.p + 2 * i, big_endian);
            size_t took = 1;
            if (c < 0x80 && o < room) {
                out[o++] = (uint8_t)c;
                i++;
                continue;
            }
            if (c >= 0xd800 && c < 0xe000) {
                uint32_t low = i + 1 < units ? unit(in.p + 2 * i + 2, big_endian) : 0;
                bool pair = c < 0xdc00 && low >= 0xdc00 && low < 0xe000;
                c = pair ? 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff)) : 0xfffd;
                took = pair ? 2 : 1;
            }
            size_t wrote = ccm_utf8_put(c, out + o, room - o);
            if (!wrote)
                return o;
            o += wrote;
            i += took;
        }
    }
    return o;
}

ccm_span ccm_text_utf8(ccm_span in, uint8_t *out, size_t room)
{
    size_t mark;
    ccm_text_form form = ccm_text_form_of(in, &mark);
    ccm_span text = mark ? ccm_span_of(in.p + mark, in.n - mark) : in;
    if (form == CCM_TEXT_UTF8)
        return text;
    return ccm_span_of(out, ccm_utf16_to_utf8(text, form == CCM_TEXT_UTF16BE, out, room));
}
