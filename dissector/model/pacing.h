/* SPDX-License-Identifier: GPL-2.0-or-later
 * pacing.h - what a set of bursts and silences tells of a limit.
 *
 * In: points of one edge or of several, over any time. Out: one verdict with its measures. State:
 * none. Spec: throttling.md sections 4, 5, 8, 9. */
#ifndef CCM_MODEL_PACING_H
#define CCM_MODEL_PACING_H

#include "model/throttle.h"
#include "model/view.h"

typedef enum ccm_pacing_verdict {
    CCM_PACING_UNKNOWN,
    CCM_PACING_NO_LIMIT,
    CCM_PACING_PULSE,
    CCM_PACING_HOURLY,
    CCM_PACING_CLOSED,
    CCM_PACING_PRIORITY,
    CCM_PACING_CAPPED,
    CCM_PACING_YIELDING,
    CCM_PACING_BITS_WINDOW,
    CCM_PACING_IRREGULAR,
    CCM_PACING_NOT_THROTTLEABLE,
} ccm_pacing_verdict;

/* "unknown", "no-limit-seen", "pulse" ... */
const char *ccm_pacing_name(ccm_pacing_verdict verdict);

/* Bits of notes; the words are in pacing_notes.c. */
enum {
    CCM_NOTE_FEW = 1 << 0,         /* too few silences */
    CCM_NOTE_HIDDEN = 1 << 1,      /* limits that no silence shows */
    CCM_NOTE_LOWER_BLOCK = 1 << 2, /* the block is at least that */
    CCM_NOTE_FAST_LINK = 1 << 3,   /* far less than the percentage */
    CCM_NOTE_ONE_CONNECTION = 1 << 4,
    CCM_NOTE_STALLS = 1 << 5,
    CCM_NOTE_FLAT = 1 << 6,     /* a link or a cap */
    CCM_NOTE_PERIOD = 1 << 7,   /* the delay counts from start to start */
    CCM_NOTE_INFERRED = 1 << 8, /* the slice rule of the hourly mode is inferred */
    CCM_NOTE_NO_FILES = 1 << 9, /* files are not visible */
    CCM_NOTE_LOSS = 1 << 10,    /* retransmitted or missing data */
    CCM_NOTE_ZONE = 1 << 11,    /* UTC is an assumption */
    CCM_NOTE_SEVERAL = 1 << 12, /* change points */
    CCM_NOTE_NO_FLOW = 1 << 13, /* the share is unseen, so the role of the server too */
    CCM_NOTE_PULL = 1 << 14,
    CCM_NOTE_FOLDED = 1 << 15, /* only hours of the week were kept */
    CCM_NOTE_PRIORITY = 1 << 16,
    CCM_NOTE_CLOSED_ONCE = 1 << 17,
    CCM_NOTE_PARALLEL = 1 << 18,
    CCM_NOTE_SLICE = 1 << 19,         /* bursts of one length in time, not in bytes */
    CCM_NOTE_ROUND_TRIP = 1 << 20,    /* waiting for answers looks like silence */
    CCM_NOTE_REQUESTS = 1 << 21,      /* hardly any file data was sent */
    CCM_NOTE_SHARED = 1 << 22,        /* several connections share the blocks */
    CCM_NOTE_MAY_BE_HOURLY = 1 << 23, /* of a pulse */
    CCM_NOTE_COUNT = 24,
};

const char *ccm_pacing_note(unsigned bit);

typedef struct ccm_pacing_context {
    bool upward;
    bool parallel;                 /* two connections or more at once, on average */
    double retransmitted, missing; /* shares of the payload */
    uint64_t faster_bps;           /* the fastest ten seconds of these hosts, at any time */
    uint64_t link_bps;             /* 0 = not known */
    double rtt;                    /* s, the least of the handshakes; 0 = not known */
    bool requests;                 /* upward: what was sent is requests rather than data */
    unsigned connections;          /* mean at once while data moved, tenths; 0 = not known */
} ccm_pacing_context;

typedef struct ccm_pacing {
    ccm_pacing_verdict verdict;
    ccm_certainty certainty;
    unsigned notes;
    uint64_t bursts, bytes, busy_ns, quiet_ns; /* all that was looked at */
    uint64_t first_ns, last_ns;
    double core;                          /* share of the bursts that have the usual size */
    uint64_t block_low, block_high;       /* bytes; 0 = not told */
    uint64_t delay_low_ns, delay_high_ns; /* 0 = not told */
    unsigned percent_low, percent_high;   /* tenths; high 0 = not told */
    unsigned duty;                        /* ten-thousandths; of the core */
    uint64_t rate_bps;                    /* over bursts and silences */
    uint64_t plateau_bps;                 /* a flat rate over ten seconds; 0 = none */
    uint64_t ten_max_bps;                 /* of the fastest ten seconds; 0 = none was whole */
} ccm_pacing;

void ccm_pacing_conclude(const ccm_pace_point *const *v, unsigned n, const ccm_pacing_context *c,
                         ccm_pacing *out);
/* Are they the same limit, as far as can be told? */
bool ccm_pacing_alike(const ccm_pacing *a, const ccm_pacing *b);

#endif
