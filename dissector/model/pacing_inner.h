/* SPDX-License-Identifier: GPL-2.0-or-later
 * pacing_inner.h - what pacing.c and percent.c share. */
#ifndef CCM_MODEL_PACING_INNER_H
#define CCM_MODEL_PACING_INNER_H

#include "model/pacing.h"

/* Bursts alike: means of the class. Seconds, bytes. */
typedef struct pacing_class {
    uint64_t count;
    double size, busy, quiet;
    double rounded; /* busy, each up to halves of a second */
    bool file_end, first, early;
} pacing_class;

typedef struct pacing_set {
    pacing_class *v; /* by size */
    unsigned n;
    pacing_class *slow; /* with silences as long as those between jobs */
    unsigned n_slow;
    uint64_t waits; /* silences that may be no more than the wait for an answer */
    bool has_files;
    uint64_t paced_bytes, paced_ns; /* of bursts whose silence is known, with it */
    uint64_t *tens;                 /* windows and bytes, by class of size; NULL = none */
} pacing_set;

typedef struct weighted {
    double value, weight;
} weighted;

/* Sorts. */
double ccm_pacing_median(weighted *v, unsigned n);
bool ccm_pacing_whole(double seconds, double *whole);
/* percent.c: the interval of the percentage, from the core of the bursts, of `size` bytes (0: they
 * differ), and from first bursts that are smaller. False: it may be too low. */
bool ccm_pacing_percent(const pacing_set *s, const pacing_class *core, unsigned n, double size,
                        bool jitter, ccm_pacing *out);

#endif
