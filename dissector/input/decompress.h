/* SPDX-License-Identifier: GPL-2.0-or-later
 * decompress.h - bytes of a file or stdin, decompressed when they are gzip or zstd. Only the
 * readers of this folder use it. */
#ifndef CCM_INPUT_DECOMPRESS_H
#define CCM_INPUT_DECOMPRESS_H

#include "base/base.h"

typedef struct ccm_source ccm_source;

/* `path` "-" is stdin. Compression is recognised by content. NULL with CCM_ERROR_INPUT. */
ccm_source *ccm_source_open(const char *path, const volatile int *stop, GError **error);
/* The same for an open descriptor, which is closed at the end; `name` is for messages. When *stop
 * (may be NULL) becomes non-zero, waiting for a pipe or a terminal ends with an error. */
ccm_source *ccm_source_open_fd(int fd, const char *name, const volatile int *stop, GError **error);
/* Some bytes, at most `n`; 0 at the end or with *error (CCM_ERROR_CORRUPT). Does not wait for more
 * than it needs to give one byte, so a live pipe is read as it comes. */
size_t ccm_source_read(ccm_source *source, uint8_t *out, size_t n, GError **error);
const char *ccm_source_name(const ccm_source *source);
bool ccm_source_compressed(const ccm_source *source);
/* Stored bytes read so far, and the size of the file (0 = unknown). */
void ccm_source_position(const ccm_source *source, uint64_t *read, uint64_t *size);
void ccm_source_free(ccm_source *source);

/* True when `s` begins like a gzip or zstd stream. */
bool ccm_looks_compressed(ccm_span s);

enum {
    CCM_BUFFER_FIRST = 64 << 10, /* with its source it stays in the second-level cache */
    CCM_BUFFER_MAX = (16 << 20) + (64 << 10), /* one huge block and some slack */
};

/* A window on a source: p[pos..end) is what was read and not used. Owns the source. */
typedef struct ccm_buffer {
    ccm_source *source;
    uint8_t *p;
    size_t cap, pos, end;
    uint64_t base; /* offset of p[0] in the decompressed bytes */
} ccm_buffer;

void ccm_buffer_init(ccm_buffer *b, ccm_source *source);
void ccm_buffer_clear(ccm_buffer *b);
/* Moves what is unused to the front and reads on; spans into the buffer become invalid. `need`
 * bytes behind pos are wanted; the buffer doubles only once it is full, so a false length costs no
 * memory. False at the end, or with *error. */
bool ccm_buffer_fill(ccm_buffer *b, size_t need, GError **error);

#endif
