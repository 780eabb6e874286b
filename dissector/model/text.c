/* SPDX-License-Identifier: GPL-2.0-or-later
 * text.c - kept texts, counters and notes: the small containers of the model.
 *
 * In: spans of packet bytes. Out: numbers that stand for escaped texts of at most CCM_TEXT_MAX
 * bytes. State: grows to CCM_TEXTS_BYTES, then every new text is number 0, "other". */
#include "model/model.h"

static bool text_eq(const void *table, uint32_t value, const void *key)
{
    const ccm_texts *t = table;
    const ccm_span *s = key;
    const char *have = ccm_texts_get(t, value);
    return strncmp(have, (const char *)s->p, s->n) == 0 && have[s->n] == '\0';
}

void ccm_texts_init(ccm_texts *t)
{
    ccm_index_init(&t->index, 256);
    t->v = g_ptr_array_new();
    t->mem = g_string_chunk_new(8192);
    t->scratch = g_string_sized_new(CCM_TEXT_MAX * 4);
    ccm_texts_add(t, ccm_span_str("other"));
}

void ccm_texts_clear(ccm_texts *t)
{
    ccm_index_clear(&t->index);
    g_ptr_array_free(t->v, TRUE);
    g_string_chunk_free(t->mem);
    g_string_free(t->scratch, TRUE);
}

/* The text as it is kept: printable, bounded, never cut inside a UTF-8 sequence. */
static ccm_span safe(ccm_texts *t, ccm_span s)
{
    bool plain = s.n <= CCM_TEXT_MAX;
    for (size_t i = 0; plain && i < s.n; i++)
        plain = s.p[i] >= 0x20 && s.p[i] < 0x7f;
    if (plain)
        return s;
    g_string_truncate(t->scratch, 0);
    /* Four times: the longest form of a character that the bound can still hold. */
    ccm_text_append(t->scratch, (ccm_span){ s.p, MIN(s.n, (size_t)CCM_TEXT_MAX * 4) });
    size_t n = MIN(t->scratch->len, (size_t)CCM_TEXT_MAX);
    while (n > 0 && n < t->scratch->len && ((uint8_t)t->scratch->str[n] & 0xc0) == 0x80)
        n--;
    return ccm_span_of(t->scratch->str, n);
}

static uint32_t find(const ccm_texts *t, ccm_span s)
{
    return ccm_index_find(&t->index, ccm_hash_end(ccm_hash_bytes(1, s.p, s.n)), text_eq, t, &s);
}

uint32_t ccm_texts_find(ccm_texts *t, ccm_span s)
{
    uint32_t i = find(t, s); /* as in ccm_texts_add */
    if (i != CCM_NONE)
        return i;
    ccm_span kept = safe(t, s);
    return kept.p == s.p ? CCM_NONE : find(t, kept);
}

uint32_t ccm_texts_add(ccm_texts *t, ccm_span s)
{
    /* A kept text is its own escape, so bytes that equal one need not be escaped to be found. */
    uint32_t hash = ccm_hash_end(ccm_hash_bytes(1, s.p, s.n));
    uint32_t i = ccm_index_find(&t->index, hash, text_eq, t, &s);
    if (i != CCM_NONE)
        return i;
    ccm_span kept = safe(t, s);
    if (kept.p != s.p) {
        s = kept;
        hash = ccm_hash_end(ccm_hash_bytes(1, s.p, s.n));
        i = ccm_index_find(&t->index, hash, text_eq, t, &s);
        if (i != CCM_NONE)
            return i;
    }
    if (t->bytes + s.n > CCM_TEXTS_BYTES) {
        t->full = true;
        return 0;
    }
    /* An entry costs its bytes and about 40 more. */
    t->bytes += s.n + 40;
    i = t->v->len;
    g_ptr_array_add(t->v, g_string_chunk_insert_len(t->mem, (const char *)s.p, (gssize)s.n));
    ccm_index_add(&t->index, hash, i);
    return i;
}

uint32_t ccm_texts_map(ccm_texts *to, const ccm_texts *from, uint32_t i)
{
    return !i || to == from ? i : ccm_texts_add(to, ccm_span_str(ccm_texts_get(from, i)));
}

bool ccm_counters_add(ccm_counters *c, uint32_t key, uint64_t count, unsigned max)
{
    for (unsigned i = 0; i < c->n; i++) {
        if (c->v[i].key == key) {
            c->v[i].count += count;
            return true;
        }
    }
    if (c->n >= max)
        return false;
    if (c->n == c->cap) {
        c->cap = (uint16_t)(c->cap + c->cap / 2 + 3);
        c->v = g_renew(ccm_counter, c->v, c->cap);
    }
    c->v[c->n++] = (ccm_counter){ key, count };
    return true;
}

bool ccm_noted_add(GArray *list, uint32_t text, uint64_t count)
{
    for (unsigned i = 0; i < list->len; i++) {
        ccm_noted *n = &g_array_index(list, ccm_noted, i);
        if (n->text == text) {
            n->count += count;
            return true;
        }
    }
    if (list->len >= CCM_NOTES)
        return false;
    ccm_noted n = { text, count };
    g_array_append_val(list, n);
    return true;
}

void ccm_model_limit(ccm_model *m, const char *name, uint64_t count)
{
    ccm_noted_add(m->noted_limits, ccm_texts_add(&m->texts, ccm_span_str(name)), count);
}
