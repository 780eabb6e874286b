/* SPDX-License-Identifier: GPL-2.0-or-later
 * index.h - a hash index from keys kept elsewhere to 32-bit numbers.
 *
 * In: 32-bit hashes, values, and a comparison of the caller's. Out: values. State: open addressing
 * with linear probing; deletion shifts back, so there are no tombstones and no slow decay. The
 * order of the table never reaches an output. */
#ifndef CCM_MODEL_INDEX_H
#define CCM_MODEL_INDEX_H

#include "base/base.h"

enum { CCM_NONE = 0xffffffffu };

typedef struct ccm_index_slot {
    uint32_t hash, value; /* value CCM_NONE = empty */
} ccm_index_slot;

typedef struct ccm_index {
    ccm_index_slot *slot;
    uint32_t mask, n;
} ccm_index;

/* Does the entry with this value have the wanted key? */
typedef bool (*ccm_index_eq)(const void *table, uint32_t value, const void *key);

static inline uint64_t ccm_mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static inline uint64_t ccm_hash_bytes(uint64_t h, const uint8_t *p, size_t n)
{
    uint64_t v;
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&v, p, 8);
        h = ccm_mix(h, v);
    }
    v = n;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return ccm_mix(h, v);
}

static inline uint32_t ccm_hash_end(uint64_t h)
{
    h = ccm_mix(h, 0x51ed2701);
    return (uint32_t)(h >> 32);
}

static inline void ccm_index_init(ccm_index *ix, uint32_t slots)
{
    ix->slot = g_new(ccm_index_slot, slots);
    memset(ix->slot, 0xff, slots * sizeof *ix->slot);
    ix->mask = slots - 1;
    ix->n = 0;
}

static inline void ccm_index_clear(ccm_index *ix)
{
    g_free(ix->slot);
    ix->slot = NULL;
}

static inline uint32_t ccm_index_find(const ccm_index *ix, uint32_t hash, ccm_index_eq eq,
                                      const void *table, const void *key)
{
    for (uint32_t i = hash & ix->mask; ix->slot[i].value != CCM_NONE; i = (i + 1) & ix->mask)
        if (ix->slot[i].hash == hash && eq(table, ix->slot[i].value, key))
            return ix->slot[i].value;
    return CCM_NONE;
}

static inline void ccm_index_prefetch(const ccm_index *ix, uint32_t hash)
{
    __builtin_prefetch(&ix->slot[hash & ix->mask]);
}

/* The value that is probably the one with this hash; CCM_NONE when there is none. */
static inline uint32_t ccm_index_near(const ccm_index *ix, uint32_t hash)
{
    uint32_t i = hash & ix->mask;
    while (ix->slot[i].value != CCM_NONE && ix->slot[i].hash != hash)
        i = (i + 1) & ix->mask;
    return ix->slot[i].value;
}

static inline void ccm_index_put(ccm_index *ix, uint32_t hash, uint32_t value)
{
    uint32_t i = hash & ix->mask;
    while (ix->slot[i].value != CCM_NONE)
        i = (i + 1) & ix->mask;
    ix->slot[i] = (ccm_index_slot){ hash, value };
    ix->n++;
}

/* Adds an entry that is known to be absent; grows at three quarters. */
static inline void ccm_index_add(ccm_index *ix, uint32_t hash, uint32_t value)
{
    if (ix->n >= ix->mask - ix->mask / 4) {
        ccm_index old = *ix;
        ccm_index_init(ix, (old.mask + 1) * 2);
        for (uint32_t i = 0; i <= old.mask; i++)
            if (old.slot[i].value != CCM_NONE)
                ccm_index_put(ix, old.slot[i].hash, old.slot[i].value);
        g_free(old.slot);
    }
    ccm_index_put(ix, hash, value);
}

static inline void ccm_index_remove(ccm_index *ix, uint32_t hash, uint32_t value)
{
    uint32_t hole = hash & ix->mask;
    while (ix->slot[hole].value != value) {
        if (ix->slot[hole].value == CCM_NONE)
            return;
        hole = (hole + 1) & ix->mask;
    }
    for (uint32_t i = (hole + 1) & ix->mask; ix->slot[i].value != CCM_NONE;
         i = (i + 1) & ix->mask) {
        uint32_t home = ix->slot[i].hash & ix->mask;
        if (((i - home) & ix->mask) >= ((i - hole) & ix->mask)) {
            ix->slot[hole] = ix->slot[i];
            hole = i;
        }
    }
    ix->slot[hole].value = CCM_NONE;
    ix->n--;
}

#endif
