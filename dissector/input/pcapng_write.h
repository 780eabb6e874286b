/* SPDX-License-Identifier: GPL-2.0-or-later
 * pcapng_write.h - writes a pcapng file of one interface, with nanosecond times.
 * Errors are CCM_ERROR_OUTPUT; after the first one nothing more is written. */
#ifndef CCM_INPUT_PCAPNG_WRITE_H
#define CCM_INPUT_PCAPNG_WRITE_H

#include "input/input.h"

typedef struct ccm_pcapng_writer ccm_pcapng_writer;

/* Creates `path` ("-" = stdout); writes nothing yet. */
ccm_pcapng_writer *ccm_pcapng_create(const char *path, GError **error);
/* The head of the file; call once, before the first packet. `filter` may be NULL. */
bool ccm_pcapng_begin(ccm_pcapng_writer *writer, uint32_t link_type, uint32_t snaplen,
                      const char *interface, const char *filter, GError **error);
bool ccm_pcapng_packet(ccm_pcapng_writer *writer, const ccm_raw *raw, GError **error);
/* Hands what is buffered to the system, so that a reader of the file sees it. */
bool ccm_pcapng_flush(ccm_pcapng_writer *writer, GError **error);
/* Size of the file, what is buffered included. */
uint64_t ccm_pcapng_size(const ccm_pcapng_writer *writer);
/* The interface statistics and the end. `received` and `dropped` as the kernel counted. */
bool ccm_pcapng_finish(ccm_pcapng_writer *writer, uint64_t now_ns, uint64_t received,
                       uint64_t dropped, GError **error);
/* Closes without another word; call in every case. */
void ccm_pcapng_free(ccm_pcapng_writer *writer);

#endif
