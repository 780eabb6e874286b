/* SPDX-License-Identifier: GPL-2.0-or-later
 * throttle.h - the evidence of pacing: how the bulk data of an edge was cut into bursts and
 * silences.
 *
 * In: runs of a flow, file marks. Out: points that merge: sums, minima, maxima, sets. State: a pace
 * of each flow that moves bulk data, and one sparse table for all edges. The direction is that in
 * which limits work: to the server for SMB, to the client for all else. Spec: throttling.md
 * section 9. */
#ifndef CCM_MODEL_THROTTLE_H
#define CCM_MODEL_THROTTLE_H

#include "base/base.h"

struct ccm_model_flow;

enum {
    CCM_PACE_WAITING = 16,   /* points that a flow keeps while its route is not known */
    CCM_PACE_FILES = 4,      /* latest ends of files of a flow */
    CCM_PACE_EARLY_N = 5,    /* an estimate of the rate that holds four samples forgets the first */
    CCM_PACE_LEVELS = 4,     /* see throttle.c */
    CCM_PACE_CELL_S = 900,   /* of level 0 */
    CCM_PACE_QUIET_MS = 125, /* width of a class of silences */
    CCM_PACE_SLOW = 0x3f8,   /* from this class on: longer than CCM_PACE_JOB_NS */
    CCM_PACE_TEN_S = 10,     /* windows whose rates are compared */
};

#define CCM_NS UINT64_C(1000000000)
#define CCM_PACE_NOISE 512    /* bytes: the least burst; smaller ones belong to the silence */
#define CCM_PACE_CONTROL 8192 /* bytes, and 64th of the burst before: so do these */
#define CCM_PACE_GAP_NS UINT64_C(500000000) /* the least silence */
#define CCM_PACE_JOB_NS                                                                            \
    UINT64_C(90000000000) /* from here on a silence tells of jobs, unless all are alike */
#define CCM_PACE_STOP_NS UINT64_C(1200000000000) /* from here on it may tell of schedules */

typedef enum ccm_pace_kind {
    CCM_PACE_BURST,   /* a burst and the silence after it, by size and silence */
    CCM_PACE_GOING,   /* data that no such silence followed */
    CCM_PACE_TEN,     /* a whole window of ten seconds, by bytes */
    CCM_PACE_STOP,    /* the last data before a long silence or the end of the flow */
    CCM_PACE_START,   /* the first data after one */
    CCM_PACE_DISCARD, /* a partial file was deleted */
    CCM_PACE_FILE,    /* a file ended */
} ccm_pace_kind;

/* `what` of a point: kind, flags, class of size, class of silence. */
#define CCM_PACE_FILE_END (1u << 23) /* the burst ended with a file */
#define CCM_PACE_FIRST (1u << 22)    /* it began a flow, or followed a silence of jobs */
#define CCM_PACE_EARLY (1u << 28)    /* one of the first of its file, as far as is known */
#define CCM_PACE_WHAT(kind, size, quiet)                                                           \
    ((uint32_t)(kind) << 24 | (uint32_t)(size) << 10 | (uint32_t)(quiet))

static inline ccm_pace_kind ccm_pace_kind_of(uint32_t what)
{
    return (ccm_pace_kind)(what >> 24 & 0xf);
}

static inline unsigned ccm_pace_size_of(uint32_t what)
{
    return what >> 10 & 0xfff;
}

static inline unsigned ccm_pace_quiet_of(uint32_t what)
{
    return what & 0x3ff;
}

/* 32 classes an octave, each about 2.2 % wide; 0 = size not known. */
unsigned ccm_pace_size(uint64_t bytes);

typedef struct ccm_pace_point {
    uint64_t where; /* edge << 32 | cell + 1; 0 = empty */
    uint32_t what;
    uint64_t count, bytes, busy_ns, quiet_ns;
    uint64_t halves; /* half seconds of sending, each burst's rounded up */
    uint64_t first_ns, last_ns;
    uint64_t weeks; /* bit week % 64: when the cell was met */
} ccm_pace_point;

static inline uint32_t ccm_pace_edge(const ccm_pace_point *p)
{
    return (uint32_t)(p->where >> 32);
}

/* Until level 1 absolute: quarters of an hour, then hours, for kinds up to CCM_PACE_TEN; minutes
 * for the others. From level 2 on of the week, which begins on Monday 00:00 UTC. */
static inline uint32_t ccm_pace_cell(const ccm_pace_point *p)
{
    return (uint32_t)p->where - 1;
}

typedef struct ccm_paces {
    ccm_pace_point *v;
    uint32_t mask, n;
    uint8_t level;
    bool full; /* points were dropped */
} ccm_paces;

void ccm_paces_init(ccm_paces *t);
void ccm_paces_clear(ccm_paces *t);
/* `add` as of `level`; at most `max` points are kept. */
void ccm_paces_add(ccm_paces *t, uint32_t edge, const ccm_pace_point *add, unsigned level,
                   unsigned max);
void ccm_paces_merge(ccm_paces *to, const ccm_paces *from, const uint32_t *edges, unsigned max);

typedef struct ccm_burst {
    uint64_t start_ns, end_ns, bytes;
    uint32_t packets; /* 0 = none */
    bool cut, first;  /* cut: its beginning was told already */
    bool early;
} ccm_burst;

typedef struct ccm_pace {
    ccm_burst before, now; /* `before` waits for the length of its silence */
    uint64_t
        told_ns; /* end of what was told of `now` at the end of a cell; 0 = `before` is later */
    uint64_t ten, ten_bytes;
    uint64_t file_end_ns[CCM_PACE_FILES], file_bytes[CCM_PACE_FILES];
    uint32_t file_path[CCM_PACE_FILES]; /* hashes */
    uint32_t ten_row;                   /* windows with data in a row */
    uint8_t n_files, n, room;
    uint8_t index;           /* of the burst in its file, from 1 on, as far as is known */
    ccm_pace_point *waiting; /* edge 0 */
} ccm_pace;

/* A file that a parser saw written. `deleted`: its partial content was thrown away; without bytes:
 * by a handle of its own, so what was written to this path before. */
typedef struct ccm_file_mark {
    uint64_t first_ns, last_ns, bytes;
    uint32_t path; /* hash of share and path */
    bool deleted;
} ccm_file_mark;

/* Bytes of a run in the direction of interest. */
void ccm_pace_run(ccm_model *m, struct ccm_model_flow *f, uint64_t start_ns, uint64_t end_ns,
                  uint64_t bytes, uint64_t packets);
void ccm_pace_file(ccm_model *m, struct ccm_model_flow *f, const ccm_file_mark *mark);
/* Adds what waits to edge `at` of `to`; with `tail` also what is still going on, as if it ended. */
void ccm_pace_pour(ccm_model *to, uint32_t at, const ccm_pace *p, bool tail);
void ccm_pace_free(ccm_pace *p);

/* Do limits of this server port work on what the client sends? */
static inline bool ccm_pace_upward(uint16_t port)
{
    return port == 445 || port == 139;
}

#endif
