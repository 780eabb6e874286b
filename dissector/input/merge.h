/* SPDX-License-Identifier: GPL-2.0-or-later
 * merge.h - the packets of several capture files as one sequence, in the order of time.
 * State: an open reader for each file that overlaps in time with others, CCM_MERGE_OPEN at most. */
#ifndef CCM_INPUT_MERGE_H
#define CCM_INPUT_MERGE_H

#include "input/input.h"

enum { CCM_MERGE_OPEN = 64 }; /* a reader holds buffers of some 130 KiB, zstd its window, too */

#define CCM_MERGE_AHEAD UINT64_C(60000000000) /* nanoseconds */

static inline unsigned ccm_merge_timed(const ccm_raw *raw, unsigned i, unsigned n)
{
    while (i < n && !raw[i].time_ns)
        i++;
    return i;
}

/* The time that the first of `n` packets of a file counts for: its own, unless that is none or so
 * far ahead of the next that it must be wrong; the file's rest does not wait for it. 0 when no
 * packet has one. A clock that began at 0 has shown a nanosecond then, so that this is a time. */
static inline uint64_t ccm_merge_time(const ccm_raw *raw, unsigned n)
{
    unsigned i = ccm_merge_timed(raw, 0, n);

    if (i == n)
        return 0;
    if (i && raw[i].time_ns <= CCM_MERGE_AHEAD)
        return 1;
    unsigned next = ccm_merge_timed(raw, i + 1, n);
    bool wrong = next < n && raw[i].time_ns > raw[next].time_ns + CCM_MERGE_AHEAD;
    return raw[wrong ? next : i].time_ns;
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
