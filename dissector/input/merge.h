/* SPDX-License-Identifier: GPL-2.0-or-later
 * merge.h - the packets of several capture files as one sequence, in the order of time.
 * State: an open reader for each file that overlaps in time with others, CCM_MERGE_OPEN at most. */
#ifndef CCM_INPUT_MERGE_H
#define CCM_INPUT_MERGE_H

#include "input/input.h"

enum { CCM_MERGE_OPEN = 64 }; /* a reader holds buffers of some 130 KiB, zstd its window, too */

#define CCM_MERGE_AHEAD UINT64_C(60000000000) /* nanoseconds */

/* The time that the first of `n` packets of a file counts for: its own, unless that is none or so
 * far ahead of the next that it must be wrong; the file's rest does not wait for it. */
static inline uint64_t ccm_merge_time(const ccm_raw *raw, unsigned n)
{
    bool wrong = n > 1 && (!raw[0].time_ns || raw[0].time_ns > raw[1].time_ns + CCM_MERGE_AHEAD);

    return raw[wrong].time_ns;
}

typedef struct ccm_merge ccm_merge;

/* File `file` of the list is done: all its packets have been returned and used. *error (the
 * receiver's, may be NULL) tells damage, or with `opened` false why there was nothing to read. */
typedef void (*ccm_merge_ended_fn)(void *ud, unsigned file, bool opened, GError *error);

/* Files in the order of their first packets, whose times are first_ns (see ccm_input_expand). Both
 * lists and `events` are borrowed or copied: `paths` and `first_ns` must stay. */
ccm_merge *ccm_merge_new(char *const *paths, const uint64_t *first_ns, unsigned n,
                         const ccm_reader_events *events, ccm_merge_ended_fn ended, void *ud);
/* The next packets in time, up to CCM_BATCH, and for each the file it is from; 0 at the end. Valid
 * until the next call. A file's own order is kept; of equal times the file that begins first comes
 * first. A file that begins after another has ended costs nothing: whole batches are passed on. */
unsigned ccm_merge_next(ccm_merge *merge, const ccm_raw **raw, const unsigned **from);
/* Files that had to wait although they overlap, because CCM_MERGE_OPEN were open. */
unsigned ccm_merge_late(const ccm_merge *merge);
/* As ccm_reader_position, of the open files together. */
void ccm_merge_position(const ccm_merge *merge, uint64_t *read, uint64_t *size);
/* Files that have not ended are dropped without a word. */
void ccm_merge_free(ccm_merge *merge);

#endif
