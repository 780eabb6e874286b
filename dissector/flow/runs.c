/* SPDX-License-Identifier: GPL-2.0-or-later
 * runs.c - runs of a flow, from their closing to the observation.
 * In: runs that account/ has summed up. Out: `run` observations, several of a flow together. State:
 * the closed runs of each flow. */
#include "flow/state.h"

static const uint8_t run_keys[] = { CCM_KEY_packets,      CCM_KEY_wire_bytes,
                                    CCM_KEY_ip_bytes,     CCM_KEY_payload_bytes,
                                    CCM_KEY_unique_bytes, CCM_KEY_retransmitted_bytes,
                                    CCM_KEY_missing_bytes };

#define BIT(key) (UINT64_C(1) << (CCM_KEY_##key % 64))
#define RUN_MAY                                                                                    \
    (BIT(end_ns) | BIT(data_end_ns) | BIT(packets) | BIT(wire_bytes) | BIT(ip_bytes) |             \
     BIT(payload_bytes) | BIT(unique_bytes) | BIT(retransmitted_bytes) | BIT(missing_bytes))

/* `o` was begun by run_begin for the run's side. */
static void run_emit(ccm_flows *fs, const ccm_flow *f, ccm_obs *o, const ccm_run *run,
                     uint64_t missing)
{
    if (!run->packets && !missing)
        return;
    const uint64_t counts[] = { run->packets,
                                run->wire_bytes,
                                run->ip_bytes,
                                run->payload_bytes,
                                run->unique_bytes,
                                run->payload_bytes - run->unique_bytes,
                                missing };
    bool from_client = o->n;
    unsigned n = from_client;

    o->time_ns = run->packets ? run->start_ns : f->last_ns;
    o->frame = run->packets ? run->frame : 0;
    o->key[n] = CCM_KEY_end_ns;
    o->val[n++].u = run->packets ? run->start_ns + run->span_ns : f->last_ns;
    if (run->unique_bytes && run->data_ns < run->span_ns) { /* an ACK came later */
        o->key[n] = CCM_KEY_data_end_ns;
        o->val[n++].u = run->start_ns + run->data_ns;
    }
    /* Runs are the most of all observations: what is zero is written, too, and then written over.
     */
#pragma GCC unroll 8
    for (unsigned i = 0; i < G_N_ELEMENTS(run_keys); i++) {
        o->key[n] = run_keys[i];
        o->val[n].u = counts[i];
        n += counts[i] != 0;
    }
    o->n = (uint8_t)n;
    fs->emit(fs->ud, o);
    o->n = from_client;
}

/* What the observations of all runs of a side share. */
static void run_begin(ccm_flow *f, ccm_obs *o, unsigned side)
{
    if (f->client < 0)
        ccm_flow_orient_by_port(f);
    ccm_flow_obs(f, o, CCM_OBS_run, side);
    ccm_obs_flag(o, CCM_KEY_from_client, f->client == (int8_t)side);
    o->may |= RUN_MAY;
}

/* ---- runs that are over ---------------------------------------------------------------------- */

/* Room for closed runs; NULL when so many flows have some already that they go out at once. */
static ccm_run_block *block_new(ccm_flows *fs)
{
    if (!fs->free_runs) {
        if (fs->n_run_chunks == CCM_RUN_CHUNKS)
            return NULL;
        ccm_run_block *chunk = g_new(ccm_run_block, CCM_RUN_BLOCKS);
        fs->run_chunks[fs->n_run_chunks++] = chunk;
        for (unsigned i = 0; i < CCM_RUN_BLOCKS; i++) {
            chunk[i].next = fs->free_runs;
            fs->free_runs = &chunk[i];
        }
    }
    ccm_run_block *b = fs->free_runs;
    fs->free_runs = b->next;
    __builtin_prefetch(fs->free_runs, 1); /* the next one's */
    return b;
}

static void closed_emit(ccm_flows *fs, ccm_flow *f, ccm_obs o[2])
{
    for (unsigned i = 0; i < f->n_closed; i++)
        run_emit(fs, f, &o[f->closed_sides >> i & 1], &f->closed->run[i], 0);
    f->n_closed = f->closed_sides = 0;
}

void ccm_run_close(ccm_flows *fs, ccm_flow *f, unsigned side)
{
    ccm_run *run = &f->dir[side].run;
    ccm_obs o[2];

    if (!f->closed)
        f->closed = block_new(fs);
    if (!f->closed || f->n_closed == CCM_RUNS_KEPT) {
        run_begin(f, &o[0], 0);
        run_begin(f, &o[1], 1);
        closed_emit(fs, f, o);
    }
    if (f->closed) {
        f->closed_sides |= (uint8_t)(side << f->n_closed);
        f->closed->run[f->n_closed++] = *run;
    } else {
        run_emit(fs, f, &o[side], run, 0);
    }
    memset(run, 0, sizeof *run);
}

void ccm_runs_emit(ccm_flows *fs, ccm_flow *f, const uint64_t missing[2])
{
    ccm_obs o[2];

    if (fs->no_runs)
        return;
    for (unsigned side = 0; side < 2; side++)
        if (f->closed || f->dir[side].run.packets || missing[side])
            run_begin(f, &o[side], side);
    if (f->closed) {
        closed_emit(fs, f, o);
        f->closed->next = fs->free_runs;
        fs->free_runs = f->closed;
        f->closed = NULL;
    }
    for (unsigned side = 0; side < 2; side++) {
        ccm_run *run = &f->dir[side].run;
        run_emit(fs, f, &o[side], run, missing[side]);
        memset(run, 0, sizeof *run);
    }
}
