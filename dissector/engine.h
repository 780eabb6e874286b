/* SPDX-License-Identifier: GPL-2.0-or-later
 * engine.h - what engine.c and engine_files.c share: one capture point. */
#ifndef CCM_ENGINE_H
#define CCM_ENGINE_H

#include "flow/intake.h"
#include "input/input.h"
#include "observe/obs.h"
#include "proto/decrypt.h"
#include "proto/verify.h"

/* What was read of a file that may overlap with others. */
typedef struct ccm_file_sums {
    uint64_t packets, bytes, first_frame; /* first_frame 0 = had no packet */
    const char *link_problem; /* why packets of it could not be decoded; NULL when they could */
    bool done;
} ccm_file_sums;

struct ccm_engine {
    ccm_limits limits;
    ccm_engine_options options;
    ccm_obs_fn fn;
    void *user_data;
    ccm_intake in;
    ccm_decrypt *decrypt;
    ccm_verify *verify; /* NULL: signatures are not checked */
    ccm_filter *filter;
    uint64_t frame; /* of the newest packet, filtered ones included, so that Wireshark's agree */
    uint64_t dropped, secrets, untimed;
    uint64_t look; /* frame at which progress is shown next */
    gint64 last_progress;
    GString *reasons;   /* why the input ended early, joined by CCM_REASON_BREAK */
    GString *unusable;  /* what could not be used at all, likewise */
    GPtrArray *refused; /* "FILE: problem" of files with packets whose link type is not read */
    unsigned n_refused; /* they may be more than are kept */
    unsigned unmerged;  /* files that overlap with others and were read after them */
    bool more;          /* a packet was left out because max_packets were read */
    bool replayed;      /* an observation file was read: it has its own `capture` observation */
};

static inline bool ccm_engine_stopped(const ccm_engine *e)
{
    return e->options.stop && *e->options.stop;
}

/* To the model and whoever else wants it; `engine` is a ccm_engine. */
void ccm_engine_emit(void *engine, const ccm_obs *o);
/* Decodes and hands on up to CCM_BATCH packets. With `sums`, packet i counts for sums[from[i]].
 * False when the caller should stop. */
bool ccm_engine_process(ccm_engine *e, const ccm_raw *raw, unsigned n, ccm_file_sums *sums,
                        const unsigned *from);
void ccm_engine_tell_file(ccm_engine *e, const char *path, const ccm_file_sums *sums);
/* Nobody looks for keys of TLS as long as there are none: to be called when there may be. */
void ccm_engine_may_decrypt(ccm_engine *e);

#endif
