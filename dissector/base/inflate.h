/* SPDX-License-Identifier: GPL-2.0-or-later
 * inflate.h - bounded streaming decompression of gzip, zlib and raw deflate data.
 * The format is told from the first two bytes, because servers label zlib and raw deflate alike. */
#ifndef CCM_BASE_INFLATE_H
#define CCM_BASE_INFLATE_H

#include "base/cursor.h"

typedef struct ccm_inflate ccm_inflate;

typedef enum ccm_inflate_status {
    CCM_INFLATE_MORE,  /* wants more input */
    CCM_INFLATE_END,   /* the data ended (another gzip member may follow) */
    CCM_INFLATE_LIMIT, /* the bound was reached; no more is decoded */
    CCM_INFLATE_BAD,   /* not what it claims to be, or damaged */
} ccm_inflate_status;

/* Receives decoded bytes, valid during the call. */
typedef void (*ccm_inflate_fn)(void *user_data, ccm_span decoded);

/* A decoder that stops after `limit` decoded bytes. */
ccm_inflate *ccm_inflate_new(uint64_t limit);
void ccm_inflate_free(ccm_inflate *z);
/* Decodes the next bytes; `fn` may be NULL (count only). LIMIT and BAD are final. */
ccm_inflate_status ccm_inflate_feed(ccm_inflate *z, ccm_span in, ccm_inflate_fn fn,
                                    void *user_data);
/* Decoded bytes so far. */
uint64_t ccm_inflate_total(const ccm_inflate *z);

#endif
