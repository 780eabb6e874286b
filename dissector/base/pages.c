/* SPDX-License-Identifier: GPL-2.0-or-later
 * pages.c - large blocks straight from the kernel.
 * In: sizes. Out: zeroed memory, aligned to huge pages. State: none. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* madvise */
#endif
#include "base/pages.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE ((size_t)2 << 20)

static size_t rounded(size_t size)
{
    return (size + HUGE - 1) / HUGE * HUGE;
}

void *ccm_pages_new(size_t size)
{
    size_t want = rounded(size);
    char *all = mmap(NULL, want + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (all == MAP_FAILED)
        g_error("out of memory: %" G_GSIZE_FORMAT " bytes", want);
    size_t before = (HUGE - (uintptr_t)all % HUGE) % HUGE;
    if (before)
        munmap(all, before);
    if (before < HUGE)
        munmap(all + before + want, HUGE - before);
#ifdef MADV_HUGEPAGE
    (void)madvise(all + before, want, MADV_HUGEPAGE);
#endif
    return all + before;
}

void *ccm_pages_grow(void *block, size_t from, size_t to)
{
    if (rounded(from) == rounded(to))
        return block;
    char *all = ccm_pages_new(to);
    /* The pages move, their bytes need not; what lay there is given up by that. */
    if (mremap(block, rounded(from), rounded(from), MREMAP_MAYMOVE | MREMAP_FIXED, all) ==
        MAP_FAILED) {
        all = ccm_pages_new(to); /* where the failure has left nothing, too */
        memcpy(all, block, from);
        ccm_pages_free(block, from);
    }
    return all;
}

void ccm_pages_free(void *block, size_t size)
{
    if (block)
        munmap(block, rounded(size));
}
