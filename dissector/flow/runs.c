/* SPDX-License-Identifier: GPL-2.0-or-later
 * runs.c - runs of a flow, from their closing to the observation.
 * In: runs that account/ has summed up. Out: `run` observations, several of a flow together. State:
 * the closed runs of each flow. */
#include "flow/state.h"

static const uint8_t run_keys[] = { CCM_KEY_packets,      CCM_KEY_wire_bytes,
                                    CCM_KEY_ip_bytes,     CCM_KEY_payload_bytes,
                                    CCM_KEY_unique_bytes, CCM_KEY_retransmitted_bytes,
                                    CCM_KEY_missing_bytes };

/* Runs on their way to the receiver. */
typedef struct outgoing {
    ccm_obs_run run[CCM_RUNS_KEPT + 2];
    uint8_t side[CCM_RUNS_KEPT + 2]; /* whose they are */
    unsigned n;
} outgoing;

static void put(outgoing *out, const ccm_flow *f, unsigned side, const ccm_run *run,
                uint64_t missing)
{
    if (!run->packets && !missing)
        return;
    bool late = run->unique_bytes && run->data_ns < run->span_ns; /* an ACK came later */
    out->side[out->n] = (uint8_t)side;
    out->run[out->n++] = (ccm_obs_run){
        .start_ns = run->packets ? run->start_ns : f->last_ns,
        .frame = run->packets ? run->frame : 0,
        .end_ns = run->packets ? run->start_ns + run->span_ns : f->last_ns,
        .data_end_ns = late ? run->start_ns + run->data_ns : 0,
        .missing_bytes = missing,
        .packets = run->packets,
        .wire_bytes = run->wire_bytes,
        .ip_bytes = run->ip_bytes,
        .payload_bytes = run->payload_bytes,
        .unique_bytes = run->unique_bytes,
    };
}

/* As an observation, for receivers that do not take runs as they are. */
static void run_emit(ccm_flows *fs, ccm_flow *f, unsigned side, const ccm_obs_run *run)
{
    const uint64_t counts[] = { run->packets,      run->wire_bytes,
                                run->ip_bytes,     run->payload_bytes,
                                run->unique_bytes, run->payload_bytes - run->unique_bytes,
                                run->missing_bytes };
    ccm_obs o;

    ccm_flow_obs(f, &o, CCM_OBS_run, side);
    o.time_ns = run->start_ns;
    o.frame = run->frame;
    ccm_obs_flag(&o, CCM_KEY_from_client, run->from_client);
    ccm_obs_u64(&o, CCM_KEY_end_ns, run->end_ns);
    if (run->data_end_ns)
        ccm_obs_u64(&o, CCM_KEY_data_end_ns, run->data_end_ns);
    for (unsigned i = 0; i < G_N_ELEMENTS(run_keys); i++)
        if (counts[i])
            ccm_obs_u64(&o, run_keys[i], counts[i]);
    fs->emit(fs->ud, &o);
}

static void hand_on(ccm_flows *fs, ccm_flow *f, outgoing *out, const ccm_obs_end *end)
{
    ccm_obs o;

    if (!out->n && !end)
        return;
    if (f->client < 0)
        ccm_flow_orient_by_port(f);
    for (unsigned i = 0; i < out->n; i++)
        out->run[i].from_client = f->client == (int8_t)out->side[i];
    if (fs->structs) {
        ccm_flow_obs(f, &o, CCM_OBS_connection, (unsigned)f->client);
        fs->structs(fs->ud, &o, out->run, out->n, end);
        return;
    }
    for (unsigned i = 0; i < out->n; i++)
        run_emit(fs, f, out->side[i], &out->run[i]);
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

static void put_closed(outgoing *out, ccm_flow *f)
{
    for (unsigned i = 0; i < f->n_closed; i++)
        put(out, f, f->closed_sides >> i & 1, &f->closed->run[i], 0);
    f->n_closed = f->closed_sides = 0;
}

void ccm_run_close(ccm_flows *fs, ccm_flow *f, unsigned side)
{
    ccm_run *run = &f->dir[side].run;
    outgoing out;

    out.n = 0;
    if (!f->closed)
        f->closed = block_new(fs);
    if (f->n_closed == CCM_RUNS_KEPT)
        put_closed(&out, f);
    if (f->closed) {
        f->closed_sides |= (uint8_t)(side << f->n_closed);
        f->closed->run[f->n_closed++] = *run;
    } else {
        put(&out, f, side, run, 0);
    }
    hand_on(fs, f, &out, NULL);
    memset(run, 0, sizeof *run);
}

void ccm_runs_emit(ccm_flows *fs, ccm_flow *f, const uint64_t missing[2], const ccm_obs_end *end)
{
    outgoing out;

    out.n = 0;
    if (f->closed) {
        put_closed(&out, f);
        f->closed->next = fs->free_runs;
        fs->free_runs = f->closed;
        f->closed = NULL;
    }
    for (unsigned side = 0; side < 2 && !fs->no_runs; side++) {
        ccm_run *run = &f->dir[side].run;
        put(&out, f, side, run, missing[side]);
        memset(run, 0, sizeof *run);
    }
    hand_on(fs, f, &out, end);
}
