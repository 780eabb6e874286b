/* SPDX-License-Identifier: GPL-2.0-or-later
 * pages.h - large, zeroed blocks of memory for tables that are read all over: on huge pages where
 * the kernel has them, because there a look-up seldom misses the address cache as well. */
#ifndef CCM_BASE_PAGES_H
#define CCM_BASE_PAGES_H

#include <stddef.h>

/* `size` bytes of zeros, aligned to a cache line at least; like g_malloc it does not return when
 * there is no memory. Memory that is never touched costs nothing. */
void *ccm_pages_new(size_t size);
/* The block with its `from` bytes, and zeros after them up to `to`; it may have moved. Nothing is
 * copied, and only what is new will have to be zeroed. */
void *ccm_pages_grow(void *block, size_t from, size_t to);
/* Frees a block of `size` bytes; NULL is allowed. */
void ccm_pages_free(void *block, size_t size);

#endif
