/* SPDX-License-Identifier: GPL-2.0-or-later
 * flow_driver.h - hand-made packets for the flow table, and its observations as lines of text. */
#ifndef CCM_TEST_FLOW_DRIVER_H
#define CCM_TEST_FLOW_DRIVER_H

#include "account/account.h"
#include "flow/flow.h"
#include "observe/obs.h"
#include "text.h"

enum { SYN = CCM_TCP_SYN, ACK = CCM_TCP_ACK, FIN = CCM_TCP_FIN, RST = CCM_TCP_RST };

#define MS UINT64_C(1000000)
#define START (UINT64_C(1700000000) * CCM_NS_PER_S)

typedef struct flow_log {
    GPtrArray *lines;
    bool times; /* lines tell durations, too */
    uint64_t packets, wire, payload, unique, repeated, missing;
} flow_log;

static inline void flow_log_emit(void *user_data, const ccm_obs *o)
{
    flow_log *log = user_data;
    GString *s = g_string_new(ccm_kind_name(o->kind));
    char a[CCM_ENDPOINT_TEXT], b[CCM_ENDPOINT_TEXT];

    if (o->kind == CCM_OBS_run) {
        log->packets += ccm_obs_get_u64(o, CCM_KEY_packets);
        log->wire += ccm_obs_get_u64(o, CCM_KEY_wire_bytes);
        log->payload += ccm_obs_get_u64(o, CCM_KEY_payload_bytes);
        log->unique += ccm_obs_get_u64(o, CCM_KEY_unique_bytes);
        log->repeated += ccm_obs_get_u64(o, CCM_KEY_retransmitted_bytes);
        log->missing += ccm_obs_get_u64(o, CCM_KEY_missing_bytes);
    }
    g_string_append_printf(s, " %" G_GUINT64_FORMAT " %s>%s", o->flow,
                           ccm_endpoint_text(&o->src, a), ccm_endpoint_text(&o->dst, b));
    for (int i = 0; i < o->n; i++) {
        ccm_key key = ccm_obs_key(o, (unsigned)i);
        g_assert_true(ccm_kind_has(o->kind, key));
        if (!log->times &&
            (key == CCM_KEY_end_ns || key == CCM_KEY_data_end_ns || key == CCM_KEY_ttfb_ns ||
             key == CCM_KEY_duration_ns || key == CCM_KEY_ahead_ns))
            continue;
        text_key(s, ccm_key_name(key));
        if (ccm_key_type(key) == CCM_TYPE_STR)
            ccm_text_append(s, o->val[i].s);
        else
            text_u64(s, o->val[i].u);
    }
    g_ptr_array_add(log->lines, g_string_free(s, FALSE));
}

static inline void flow_log_init(flow_log *log)
{
    memset(log, 0, sizeof *log);
    log->lines = g_ptr_array_new_with_free_func(g_free);
}

static inline void flow_log_clear(flow_log *log)
{
    g_ptr_array_unref(log->lines);
}

/* The lines of a kind ("" = all), each with a line end. */
static inline char *flow_log_text(const flow_log *log, const char *kind)
{
    GString *s = g_string_new(NULL);

    for (guint i = 0; i < log->lines->len; i++) {
        const char *line = log->lines->pdata[i];
        if (g_str_has_prefix(line, kind))
            g_string_append_printf(s, "%s\n", line);
    }
    return g_string_free(s, FALSE);
}

static inline void flow_log_expect(const flow_log *log, const char *kind, const char *want)
{
    g_autofree char *got = flow_log_text(log, kind);
    g_assert_cmpstr(got, ==, want);
}

/* A packet of 10.0.0.1:sport to 10.0.0.2:dport, or the other way round with `from` 2. */
static inline ccm_packet flow_packet_of(uint8_t l4, unsigned from, uint16_t client, uint16_t server,
                                        const void *payload, uint32_t size)
{
    ccm_packet p = { .l4 = l4,
                     .packets = 1,
                     .wire_bytes = size + 54,
                     .ip_bytes = size + 40,
                     .payload_len = size,
                     .payload = ccm_span_of(payload, size),
                     .window = 1000 };
    ccm_endpoint c = { .addr = { 4, { 10, 0, 0, 1 } }, .port = client };
    ccm_endpoint s = { .addr = { 4, { 10, 0, 0, 2 } }, .port = server };

    p.src = from == 2 ? s : c;
    p.dst = from == 2 ? c : s;
    return p;
}

static inline ccm_packet flow_tcp(unsigned from, uint8_t flags, uint32_t seq, uint32_t ack,
                                  const char *payload)
{
    ccm_packet p = flow_packet_of(6, from, 50000, 80, payload, (uint32_t)strlen(payload));

    p.tcp_flags = flags;
    p.seq = seq;
    p.ack = ack;
    return p;
}

typedef struct fixture {
    ccm_flows *flows;
    ccm_limits limits;
    flow_log log;
    uint64_t now, frame;
} fixture;

static inline void set_up(fixture *f, gconstpointer data)
{
    (void)data;
    memset(f, 0, sizeof *f);
    ccm_limits_init(&f->limits);
    flow_log_init(&f->log);
    f->now = START;
    f->flows = ccm_flows_new(&f->limits, true, flow_log_emit, &f->log);
}

static inline void tear_down(fixture *f, gconstpointer data)
{
    (void)data;
    ccm_flows_free(f->flows);
    flow_log_clear(&f->log);
}

#endif
