/* SPDX-License-Identifier: GPL-2.0-or-later
 * pace.h - makes traffic with limits: senders that write files over a link of a known rate, as
 * packets with synthetic times. What it does comes from throttling.md sections 3 to 8, not from the
 * detector. Packets go to a sink: observations (as the engine would tell them) or a capture file.
 */
#ifndef CCM_TESTS_GEN_PACE_H
#define CCM_TESTS_GEN_PACE_H

#include "../unit/model_driver.h"
#include "account/account.h"

enum { GEN_MSS = 1448, GEN_WRITE = 65536, GEN_SMB = 116, GEN_HEADERS = 54 };

/* One connection that sends. */
typedef struct gen {
    GRand *r;
    uint64_t now; /* ns */
    double link;  /* bytes of payload and headers per second */
    double rtt;   /* s */
    double loss;  /* share of the packets that the network loses: they are sent again, later */
    double ack;   /* so many s after each answer the client acknowledges it; 0 = with its data */
    /* capture faults */
    double unseen;    /* share of the packets that the capture lacks */
    double repeated;  /* share of the packets that are sent twice without need */
    uint64_t from;    /* nothing is captured before that */
    bool files;       /* file marks are told */
    const char *path; /* of the files; NULL = some name */
    bool encrypted;
    /* the connection */
    uint64_t flow;
    const char *client, *server;
    bool down; /* the server sends */
    uint64_t seq, missing;
    ccm_run run;
    uint64_t sent, unique;  /* payload put on the wire, and seen by the capture */
    uint64_t wire, packets; /* seen by the capture */
    /* where it goes */
    void (*obs)(void *user, const ccm_obs *o);
    void (*packet)(void *user, const struct gen *g, uint64_t time_ns, uint64_t seq,
                   unsigned payload);
    void *user;
} gen;

static inline void gen_emit(gen *g, uint64_t missing)
{
    const ccm_run *r = &g->run;
    const char *src = g->down ? g->server : g->client, *dst = g->down ? g->client : g->server;
    ccm_obs o = drv_obs(CCM_OBS_run, g->flow, src, dst, r->start_ns);

    if (!r->packets && !missing)
        return;
    ccm_obs_flag(&o, CCM_KEY_from_client, !g->down);
    ccm_obs_u64(&o, CCM_KEY_end_ns, r->start_ns + r->span_ns);
    if (r->unique_bytes && r->data_ns < r->span_ns)
        ccm_obs_u64(&o, CCM_KEY_data_end_ns, r->start_ns + r->data_ns);
    ccm_obs_u64(&o, CCM_KEY_packets, r->packets);
    ccm_obs_u64(&o, CCM_KEY_wire_bytes, r->wire_bytes);
    ccm_obs_u64(&o, CCM_KEY_ip_bytes, r->ip_bytes);
    ccm_obs_u64(&o, CCM_KEY_payload_bytes, r->payload_bytes);
    ccm_obs_u64(&o, CCM_KEY_unique_bytes, r->unique_bytes);
    ccm_obs_u64(&o, CCM_KEY_retransmitted_bytes, r->payload_bytes - r->unique_bytes);
    ccm_obs_u64(&o, CCM_KEY_missing_bytes, missing);
    if (g->obs)
        g->obs(g->user, &o);
    g->run = (ccm_run){ 0 };
}

/* The capture sees a packet. */
static inline void gen_seen(gen *g, unsigned payload, bool again)
{
    if (g->now < g->from)
        return;
    if (g->unseen > 0 && g_rand_double(g->r) < g->unseen) {
        g->missing += again ? 0 : payload;
        return;
    }
    ccm_run_part part = { .time_ns = g->now,
                          .packets = 1,
                          .wire_bytes = payload + GEN_HEADERS,
                          .ip_bytes = payload + GEN_HEADERS - 14,
                          .payload_bytes = payload,
                          .unique_bytes = again ? 0 : payload };
    if (ccm_run_over(&g->run, &part))
        gen_emit(g, 0);
    ccm_run_add(&g->run, &part);
    g->unique += part.unique_bytes;
    g->wire += part.wire_bytes;
    g->packets++;
    if (g->packet)
        g->packet(g->user, g, g->now, again ? g->seq - payload : g->seq, payload);
}

static inline void gen_wait(gen *g, double seconds)
{
    g->now += (uint64_t)(seconds * 1e9);
}

/* The time that the link needs for a packet, ns. */
static inline uint64_t gen_step(const gen *g, unsigned payload)
{
    return (uint64_t)((payload + GEN_HEADERS) / g->link * 1e9);
}

/* One packet in its `step` of time. What the network lost is missed until it is sent
 * again; most of that is quick, some waits for a timer. */
static inline void gen_packet(gen *g, unsigned payload, uint64_t step)
{
    g->now += step;
    if (g->loss > 0 && g_rand_double(g->r) < g->loss) {
        gen_seen(g, payload, false); /* before the place of loss */
        g->seq += payload;
        gen_wait(g, g_rand_int_range(g->r, 0, 20) ? g->rtt : 0.2);
        g->now += step;
        gen_seen(g, payload, true);
        return;
    }
    gen_seen(g, payload, false);
    g->seq += payload;
    if (g->repeated > 0 && g_rand_double(g->r) < g->repeated) {
        g->now += step;
        gen_seen(g, payload, true);
    }
}

/* `bytes` of a file, with the headers of the file protocol; returns the seconds until the answer.
 */
static inline double gen_send(gen *g, uint64_t bytes)
{
    uint64_t start = g->now,
             left = g->down ? bytes : bytes + (bytes + GEN_WRITE - 1) / GEN_WRITE * GEN_SMB;

    g->sent += bytes;
    for (uint64_t full = gen_step(g, GEN_MSS); left >= GEN_MSS; left -= GEN_MSS)
        gen_packet(g, GEN_MSS, full);
    if (left)
        gen_packet(g, (unsigned)left, gen_step(g, (unsigned)left));
    gen_wait(g, g->rtt);
    if (g->ack > 0) {
        uint64_t answered = g->now;
        gen_wait(g, g->ack);
        gen_seen(g, 0, false);
        g->now = answered;
    }
    return (double)(g->now - start) / 1e9;
}

static inline void gen_end(gen *g)
{
    gen_emit(g, 0);
    if (g->missing)
        gen_emit(g, g->missing);
    ccm_obs o = drv_obs(CCM_OBS_connection, g->flow, g->client, g->server, g->now);
    drv_text(&o, CCM_KEY_state, g->from ? "midstream" : "established");
    drv_text(&o, CCM_KEY_closed, "fin");
    ccm_obs_u64(&o, CCM_KEY_end_ns, g->now);
    ccm_obs_u64(&o, CCM_KEY_rtt_ns, (uint64_t)(g->rtt * 1e9));
    if (g->obs)
        g->obs(g->user, &o);
    g->flow++;
    g->missing = 0;
    g->seq = 0;
}

static inline void gen_mark(gen *g, uint64_t start, uint64_t bytes, bool deleted)
{
    ccm_obs o = drv_obs(CCM_OBS_smb_file, g->flow, g->client, g->server, g->now);

    if (!g->files || !g->obs || g->now < g->from)
        return;
    drv_text(&o, CCM_KEY_path, g->path ? g->path : "SMS_DP$/x.temp");
    ccm_obs_u64(&o, CCM_KEY_write_bytes, bytes);
    ccm_obs_u64(&o, CCM_KEY_data_start_ns, start);
    ccm_obs_u64(&o, CCM_KEY_data_end_ns, g->now - (uint64_t)(g->rtt * 1e9));
    ccm_obs_flag(&o, CCM_KEY_delete_on_close, deleted);
    g->obs(g->user, &o);
}

/* ---- limits ---------------------------------------------------------------------------------- */

typedef enum gen_rounding { GEN_DOWN, GEN_NEAREST, GEN_EXACT } gen_rounding;

/* How the hourly mode computes; throttling.md 5.3 has the rule that was inferred from one log. */
typedef struct gen_rule {
    uint64_t first, block; /* bytes; first 0 = as the others */
    double step;           /* the time of sending is rounded up to a multiple; 0 = not */
    unsigned mean;         /* samples that the estimate is the mean of */
    gen_rounding quiet;
    double unit; /* of the silence, s */
} gen_rule;

static const gen_rule gen_inferred = { 65536, 1048576, 0.5, 4, GEN_DOWN, 1 };

typedef struct gen_limit {
    unsigned block_kb, delay_s;       /* pulse, when block_kb is not 0 */
    unsigned percent;                 /* hourly, when not 0 */
    unsigned (*percent_at)(uint64_t); /* by time */
    gen_rule rule;
    bool (*closed_at)(uint64_t);
    double gap_low, gap_high; /* between files, s */
} gen_limit;

/* What a file's sender knows of the rate. */
typedef struct gen_rate {
    double sample[8];
    unsigned n;
} gen_rate;

static inline double gen_yield(const gen_rule *rule, gen_rate *rate, uint64_t bytes, double busy,
                               unsigned percent)
{
    double q =
        rule->step > 0
            ? MAX(1, (double)(uint64_t)((busy + rule->step - 1e-9) / rule->step)) * rule->step
            : busy;
    unsigned mean = MIN(rule->mean, 8u), n = MIN(rate->n + 1, mean);
    double sum = 0;

    rate->sample[rate->n++ % mean] = (double)bytes / q;
    for (unsigned i = 0; i < n; i++)
        sum += rate->sample[i];
    double y = (double)bytes * (100 - percent) / percent / (sum / n) / rule->unit;
    if (rule->quiet == GEN_DOWN)
        y = (double)(uint64_t)(y + 1e-9);
    else if (rule->quiet == GEN_NEAREST)
        y = (double)(uint64_t)(y + 0.5);
    return y * rule->unit;
}

/* Writes a file; false when the schedule closed before its end: the partial file is deleted. */
static inline bool gen_file(gen *g, uint64_t size, const gen_limit *l)
{
    gen_rate rate = { .n = 0 };
    uint64_t start = g->now, done = 0;

    while (done < size) {
        unsigned percent = l->percent_at ? l->percent_at(g->now) : l->percent;
        bool first = percent && done == 0 && l->rule.first;
        uint64_t block = l->block_kb ? l->block_kb * 1024u
                         : percent   ? first ? l->rule.first : l->rule.block
                                     : 1048576;
        uint64_t n = MIN(block, size - done);
        double busy = gen_send(g, n);
        done += n;
        if (l->closed_at && l->closed_at(g->now)) {
            gen_mark(g, start, done, true);
            return false;
        }
        if (done == size)
            gen_mark(g, start, done, false);
        if (l->block_kb)
            gen_wait(g, l->delay_s);
        else if (percent)
            gen_wait(g, gen_yield(&l->rule, &rate, n, busy, percent));
    }
    gen_send(g, 200); /* the close, and the next create */
    gen_wait(g, l->gap_low + g_rand_double(g->r) * (l->gap_high - l->gap_low));
    return true;
}

#endif
