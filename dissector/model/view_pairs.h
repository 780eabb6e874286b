/* SPDX-License-Identifier: GPL-2.0-or-later
 * view_pairs.h - a source and a destination whose pace is concluded; shared by the files that do.
 */
#ifndef CCM_MODEL_VIEW_PAIRS_H
#define CCM_MODEL_VIEW_PAIRS_H

#include "model/pacing.h"
#include "model/site.h"
#include "model/view_make.h"

/* A bucket of the timeline. */
typedef struct pair_bucket {
    uint64_t second, bytes[2], active;
} pair_bucket;

/* Points [from, to) of a pair, alike. */
typedef struct pair_segment {
    unsigned from, to;
    uint64_t from_ns, to_ns; /* where it is cut within a cell; 0 = nowhere */
    ccm_pacing is;
} pair_segment;

/* A time when the schedule kept data back. */
typedef struct pair_closing {
    uint64_t start_ns, end_ns; /* hours of the sender's clock */
    ccm_pacing_verdict verdict;
    bool discarded;
    ccm_certainty certainty;
} pair_closing;

typedef struct pace_pair {
    unsigned row;
    ccm_addr client, server;
    bool upward;
    ccm_traffic traffic;
    uint64_t rtt_ns;               /* the least of all handshakes; 0 = not known */
    const ccm_pace_point **points; /* bursts by cell, then events by time */
    unsigned n_bursts, n_points;
    pair_bucket *time; /* by second */
    unsigned n_time;
    unsigned interval_s, level;
    GTimeZone *zone;           /* NULL = UTC */
    const ccm_site_dp *dp;     /* NULL = nothing is configured */
    const ccm_site_bits *bits; /* of a client; NULL = none */
    GArray *segments, *closings;
    ccm_pacing all;
    bool known; /* that the server is one whose bandwidth can be limited */
    unsigned notes;
} pace_pair;

typedef struct pair_others pair_others;

typedef struct ccm_pairs {
    view_maker *k;
    ccm_view_route *rows;
    unsigned n_rows;
    const uint32_t *sorted; /* edges by row and client, without those where nothing is */
    unsigned n_sorted;
    uint32_t *pair_of; /* of each edge; CCM_NONE = of none that is judged */
    pace_pair *v;      /* by row */
    unsigned n;
    pair_others *others; /* NULL until they are asked for */
} ccm_pairs;

/* pair_gather.c: of a row, is it SMB, and may the product limit its bandwidth, as far as is known?
 */
bool ccm_pairs_smb(const ccm_view_route *r);
bool ccm_pairs_limited(const ccm_view_route *r);
/* Fills `s`, of which k, rows, n_rows and the sorted edges are set, and tells each row how many
 * sources are judged. */
void ccm_pairs_gather(ccm_pairs *s, const uint32_t *row_of);
void ccm_pairs_clear(ccm_pairs *s);
/* Of pair_bucket, by time. */
int ccm_pair_bucket_cmp(const void *a, const void *b);
/* pair_cut.c: fills p->segments. */
void ccm_pair_cut(pace_pair *p, const ccm_pacing_context *c);
/* The limit that lasted longest; else what most bytes went under. */
const ccm_pacing *ccm_pair_dominant(const pace_pair *p);
bool ccm_pair_limit(const ccm_pacing *is);
/* Does a change between a cap and something faster lie at an hour of the clock? */
bool ccm_pair_by_hour(const pace_pair *p);
/* Seconds of the sender's clock. */
int64_t ccm_pair_local(const pace_pair *p, uint64_t second);
/* Hour of the week, from Monday 00 on, of local seconds. */
unsigned ccm_pair_week_hour(int64_t local);
/* Bytes of both directions in the buckets that lie wholly in [from, to). */
uint64_t ccm_pair_bytes(const pace_pair *p, uint64_t from_s, uint64_t to_s);
/* pair_schedule.c: fills p->closings. */
void ccm_pair_schedule(pace_pair *p);
/* pair_others.c: bytes per second of everything else that shares an end with the pair, in no order;
 * to be freed with g_free. */
pair_bucket *ccm_pair_others_of(ccm_pairs *s, const pace_pair *p, unsigned *n);
void ccm_pair_others_free(pair_others *o);
/* pair_yield.c: does the pair give way to `others`? Both by second, interval 1. */
bool ccm_pair_yields(const pace_pair *p, const pair_bucket *others, unsigned n);
typedef struct pair_comparison {
    view_maker *k;
    const pace_pair *p;
    const ccm_site_dp *dp;
    ccm_view_deviation *v;
    unsigned n;
} pair_comparison;

/* Takes the two texts. */
void ccm_pair_deviate(pair_comparison *c, uint64_t start_ns, uint64_t end_ns, const char *rule,
                      char *observed, char *expected, uint64_t bytes);
/* pair_policy.c: priorities of the schedule of c->dp; the policy p->bits. */
void ccm_pair_compare_priority(pair_comparison *c);
void ccm_pair_compare_bits(pair_comparison *c);
/* pair_compare.c: deviations from p->dp and p->bits. */
void ccm_pair_compare(view_maker *k, const pace_pair *p, ccm_view_throttle *out);
ccm_view_measures ccm_pair_measures(const ccm_pacing *is);

#endif
