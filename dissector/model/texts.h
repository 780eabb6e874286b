/* SPDX-License-Identifier: GPL-2.0-or-later
 * texts.h - kept texts: each once, escaped, NUL-terminated.
 *
 * In: spans of packet bytes. Out: numbers that stand for texts. State: ccm_texts, bounded by
 * CCM_TEXTS_BYTES. */
#ifndef CCM_MODEL_TEXTS_H
#define CCM_MODEL_TEXTS_H

#include "model/index.h"

enum {
    CCM_TEXT_MAX = 256,         /* bytes of a kept text */
    CCM_TEXTS_BYTES = 16 << 20, /* bytes of all kept texts */
};

/* Eight letters at once: A to Z get their case bit, no carry crosses a byte. */
static inline uint64_t ccm_lower8(uint64_t v)
{
    const uint64_t each = 0x0101010101010101, high = each * 0x80;
    uint64_t low7 = v & ~high;
    uint64_t from_a = low7 + each * (0x80 - 'A'), past_z = low7 + each * (0x80 - 'Z' - 1);

    return v | ((from_a & ~past_z & ~v & high) >> 2);
}

/* Is `word`, in lower case and not empty, what stands at p[0..n), case apart? Most words differ in
 * their first byte. Where the length is known when this is compiled it becomes a few loads. */
static inline bool ccm_text_same_bytes(const uint8_t *p, const char *word, size_t n)
{
    if (((*p ^ (uint8_t)*word) & ~0x20) != 0)
        return false;
    for (; n; p += MIN(n, (size_t)8), word += MIN(n, (size_t)8), n -= MIN(n, (size_t)8)) {
        uint64_t a = 0, b = 0;
        memcpy(&a, p, MIN(n, sizeof a));
        memcpy(&b, word, MIN(n, sizeof b));
        if (ccm_lower8(a) != b)
            return false;
    }
    return true;
}

static inline bool ccm_text_same(ccm_span s, const char *word)
{
    size_t n = strlen(word);
    return s.n == n && ccm_text_same_bytes(s.p, word, n);
}

typedef struct ccm_texts {
    ccm_index index;
    GPtrArray *v; /* const char * */
    GStringChunk *mem;
    GString *scratch;
    uint64_t bytes;
    bool full; /* the bound was hit at least once */
} ccm_texts;

void ccm_texts_init(ccm_texts *t);
void ccm_texts_clear(ccm_texts *t);
/* Number of the text, added when new; text 0 ("other") when there is no more room. */
uint32_t ccm_texts_add(ccm_texts *t, ccm_span s);
/* Number of the text, CCM_NONE when it is not kept. */
uint32_t ccm_texts_find(ccm_texts *t, ccm_span s);
/* The same text in another table; 0 stays 0. */
uint32_t ccm_texts_map(ccm_texts *to, const ccm_texts *from, uint32_t i);
static inline const char *ccm_texts_get(const ccm_texts *t, uint32_t i)
{
    return (const char *)g_ptr_array_index(t->v, i);
}

#endif
