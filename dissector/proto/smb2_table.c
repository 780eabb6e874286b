/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb2_table.c - a hash table with linear probing and fixed-size records.
 * In: keys of two numbers. Out: records in place. State: one array, at most half full. The caller
 * bounds the number of records. */
#include "proto/smb2_table.h"

#include <glib.h>
#include <string.h>

enum { FIRST_CAP = 8, LOOKED_AT = 8, CROWD = 256 };

static ccm_smb_key *key_at(const ccm_smb_table *t, uint32_t i)
{
    return (void *)(t->v + (size_t)i * t->size);
}

static uint32_t home(const ccm_smb_table *t, uint64_t a, uint64_t b)
{
    uint64_t h = a * UINT64_C(0x9e3779b97f4a7c15);
    h = (h ^ h >> 29 ^ b) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ h >> 32) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(h >> 32) & (t->cap - 1);
}

/* Place of the key, or the free place where it would be. */
static uint32_t place(const ccm_smb_table *t, uint64_t a, uint64_t b)
{
    uint32_t i = home(t, a, b);
    for (;; i = (i + 1) & (t->cap - 1)) {
        const ccm_smb_key *k = key_at(t, i);
        if (!k->used || (k->a == a && k->b == b))
            return i;
    }
}

void *ccm_smb_table_find(ccm_smb_table *t, uint64_t a, uint64_t b)
{
    if (!t->n)
        return NULL;
    ccm_smb_key *k = key_at(t, place(t, a, b));
    if (!k->used)
        return NULL;
    k->age = ++t->clock;
    return k;
}

void *ccm_smb_table_crowd(ccm_smb_table *t, uint64_t a, uint64_t b)
{
    if (!t->n)
        return NULL;
    uint32_t i = home(t, a, b);
    bool crowded = ((place(t, a, b) - i) & (t->cap - 1)) >= CROWD;
    return crowded ? key_at(t, i) : NULL;
}

static void grow(ccm_smb_table *t)
{
    ccm_smb_table old = *t;
    t->cap = old.cap ? old.cap * 2 : FIRST_CAP;
    t->v = g_malloc0_n(t->cap, t->size);
    for (uint32_t i = 0; i < old.cap; i++) {
        const ccm_smb_key *k = key_at(&old, i);
        if (k->used)
            memcpy(key_at(t, place(t, k->a, k->b)), k, t->size);
    }
    g_free(old.v);
}

void *ccm_smb_table_add(ccm_smb_table *t, uint64_t a, uint64_t b)
{
    if ((t->n + 1) * 2 > t->cap)
        grow(t);
    ccm_smb_key *k = key_at(t, place(t, a, b));
    memset(k, 0, t->size);
    *k = (ccm_smb_key){ .a = a, .b = b, .age = ++t->clock, .used = true };
    t->n++;
    return k;
}

void ccm_smb_table_remove(ccm_smb_table *t, void *record)
{
    uint32_t mask = t->cap - 1, hole = (uint32_t)(((uint8_t *)record - t->v) / t->size);
    key_at(t, hole)->used = false;
    t->n--;
    /* What was put behind the hole because its home was taken moves up. */
    for (uint32_t i = (hole + 1) & mask; key_at(t, i)->used; i = (i + 1) & mask) {
        const ccm_smb_key *k = key_at(t, i);
        if (((i - home(t, k->a, k->b)) & mask) < ((i - hole) & mask))
            continue;
        memcpy(key_at(t, hole), k, t->size);
        key_at(t, i)->used = false;
        hole = i;
    }
}

void *ccm_smb_table_coldest(ccm_smb_table *t)
{
    ccm_smb_key *coldest = NULL;
    unsigned seen = 0;
    for (uint32_t i = 0; i < t->cap && t->n && seen < LOOKED_AT; i++) {
        ccm_smb_key *k = key_at(t, (t->clock * 31 + i) & (t->cap - 1));
        if (!k->used)
            continue;
        seen++;
        if (!coldest || (int32_t)(k->age - coldest->age) < 0)
            coldest = k;
    }
    return coldest;
}

void *ccm_smb_table_at(const ccm_smb_table *t, uint32_t i)
{
    ccm_smb_key *k = i < t->cap ? key_at(t, i) : NULL;
    return k && k->used ? k : NULL;
}

void ccm_smb_table_clear(ccm_smb_table *t)
{
    g_free(t->v);
    *t = (ccm_smb_table){ .size = t->size };
}
