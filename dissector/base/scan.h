/* SPDX-License-Identifier: GPL-2.0-or-later
 * scan.h - the first of up to three byte values. Texts of the wire are so short that the call of
 * memchr costs more than the search, so this is inline, and 16 bytes at a time where SSE2 is there.
 */
#ifndef CCM_BASE_SCAN_H
#define CCM_BASE_SCAN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>

/* Bit i: p[i] is one of the three; 16 bytes are there. */
static inline unsigned ccm_scan_block(const uint8_t *p, uint8_t a, uint8_t b, uint8_t c)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i hit = _mm_cmpeq_epi8(v, _mm_set1_epi8((char)a));
    if (b != a)
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, _mm_set1_epi8((char)b)));
    if (c != a)
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, _mm_set1_epi8((char)c)));
    return (unsigned)_mm_movemask_epi8(hit);
}
#endif

/* The first byte in [p, end) that equals `a`, `b` or `c`, or `end`. Give literals; fewer than three
 * are told by giving `a` again. */
static inline __attribute__((always_inline)) const uint8_t *
ccm_scan(const uint8_t *p, const uint8_t *end, uint8_t a, uint8_t b, uint8_t c)
{
#ifdef __SSE2__
    for (; end - p >= 16; p += 16) {
        unsigned hits = ccm_scan_block(p, a, b, c);
        if (hits)
            return p + __builtin_ctz(hits);
    }
#endif
    while (p < end && *p != a && *p != b && *p != c)
        p++;
    return p;
}

#endif
