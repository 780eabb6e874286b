/* SPDX-License-Identifier: GPL-2.0-or-later
 * pool.h - freed blocks of one size, for the next one that is needed: a connection takes and gives
 * back a few, and the allocator's lists are cold by then. Zero to begin; clear at the end. */
#ifndef CCM_BASE_POOL_H
#define CCM_BASE_POOL_H

#include <glib.h>
#include <string.h>

#include "base/base.h"

enum { CCM_POOL_KEPT = 256 };

#if defined __SANITIZE_ADDRESS__
#define CCM_POOL_OFF 1
#elif defined __has_feature /* clang */
#if __has_feature(address_sanitizer)
#define CCM_POOL_OFF 1
#endif
#endif

typedef struct ccm_pool {
    void *first; /* each leads to the next */
    unsigned n;
} ccm_pool;

/* `size` bytes of zeros, always the same size for a pool; NULL = no pool. */
static inline void *ccm_pool_take(ccm_pool *pool, size_t size)
{
    void *block = pool ? pool->first : NULL;

    if (!block)
        return g_malloc0(size);
    memcpy(&pool->first, block, sizeof pool->first);
    pool->n--;
    ccm_clear(block, size);
    return block;
}

static inline void ccm_pool_give(ccm_pool *pool, void *block)
{
#ifdef CCM_POOL_OFF /* the sanitizer is to see late accesses */
    pool = NULL;
#endif
    if (!block || !pool || pool->n == CCM_POOL_KEPT) {
        g_free(block);
        return;
    }
    memcpy(block, &pool->first, sizeof pool->first);
    pool->first = block;
    pool->n++;
}

static inline void ccm_pool_clear(ccm_pool *pool)
{
    while (pool->first) {
        void *block = pool->first;
        memcpy(&pool->first, block, sizeof pool->first);
        g_free(block);
    }
    pool->n = 0;
}

#endif
