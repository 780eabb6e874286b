/* SPDX-License-Identifier: GPL-2.0-or-later
 * flow.c - packets to flows: each packet belongs to exactly one.
 * In: decoded packets. Out: runs while they pass, a connection when a flow ends, limits at the end.
 * State: the table; times are those of the packets, the latest that others confirm counts as now.
 */
#include "flow/state.h"

enum {
    SWEEP_PER_PACKET = 2,
    SWEEP_STRIDE = 128,
    UDP = 17,
    ICMP = 1,
    ICMP6 = 58,
    WELL_KNOWN = 1024
};

G_STATIC_ASSERT(SWEEP_STRIDE == SWEEP_PER_PACKET * CCM_BATCH);

#define TIMEOUT_TCP (600 * CCM_NS_PER_S)
#define TIMEOUT_OTHER (120 * CCM_NS_PER_S)
#define RUN_LOOK (10 * CCM_NS_PER_S)       /* runs wait no longer for others */
#define GRACE_CLOSED (2 * CCM_NS_PER_S)    /* for late retransmissions */
#define GRACE_LAST_ACK (60 * CCM_NS_PER_S) /* the second FIN may be sent again */

/* What parsers say of the wire's texts; the flows' own observations have none. */
static void emit_parsed(void *ud, const ccm_obs *o)
{
    const ccm_flows *fs = ud;
    ccm_redact_emit(o, fs->emit, fs->ud);
}

ccm_flows *ccm_flows_new(const ccm_limits *limits, bool no_classify, ccm_obs_fn emit, void *ud)
{
    ccm_flows *fs = g_new0(ccm_flows, 1);

    fs->limits = *limits;
    fs->no_classify = no_classify;
    fs->emit = emit;
    fs->ud = ud;
    fs->parse.limits = &fs->limits;
    fs->parse.emit = emit_parsed;
    fs->parse.emit_data = fs;
    fs->parse.decoders = &fs->decoders;
    fs->parse.smb_entries = &fs->smb_entries;
    fs->parse.early = &fs->early;
    fs->parse.gathered = &fs->gathered;
    fs->parse.spare = &fs->spare;
    fs->parse.http = &fs->http;
    ccm_table_init(fs);
    return fs;
}

void ccm_flows_decode(ccm_flows *fs, ccm_depth depth, const ccm_verifier *verifier)
{
    fs->parse.depth = depth;
    fs->parse.verifier = verifier;
}

void ccm_flows_decrypt(ccm_flows *fs, const ccm_decryptor *decryptor)
{
    fs->parse.decryptor = decryptor;
}

void ccm_flows_view(ccm_flows *fs, const ccm_viewer *viewer)
{
    fs->parse.viewer = viewer;
}

void ccm_flows_structs(ccm_flows *fs, ccm_obs_flow_fn fn)
{
    fs->structs = fn;
}

void ccm_flows_no_runs(ccm_flows *fs)
{
    fs->no_runs = true;
}

static void discard(void *ud, const ccm_obs *obs)
{
    (void)ud;
    (void)obs;
}

void ccm_flows_free(ccm_flows *fs)
{
    if (!fs)
        return;
    /* Flows that are still open: their parsers are freed by closing them. */
    fs->emit = discard;
    fs->structs = NULL;
    for (uint32_t i = 0; i < fs->n_entries; i++)
        if (ccm_table_entry(fs, i)->id)
            ccm_flow_end(fs, ccm_table_entry(fs, i), "open");
    ccm_classifier_free(fs->classifier);
    ccm_table_free(fs);
    g_free(fs->spare);
    ccm_pool_clear(&fs->http);
    ccm_pool_clear(&fs->streams);
    g_free(fs);
}

uint64_t ccm_flows_gaps(const ccm_flows *fs)
{
    return fs->gaps;
}

/* ---- orientation and observations ------------------------------------------------------------ */

void ccm_flow_orient(ccm_flow *f, unsigned client, ccm_orientation how)
{
    if (f->client >= 0)
        return;
    f->client = (int8_t)client;
    f->how = (uint8_t)how;
}

/* Neither SYN nor content told: the port does. */
void ccm_flow_orient_by_port(ccm_flow *f)
{
    ccm_endpoint a, b;
    unsigned first = f->first_side;

    if (f->client >= 0)
        return;
    ccm_flow_key_endpoint(&f->key, first, &a);
    ccm_flow_key_endpoint(&f->key, !first, &b);
    bool first_is_server = f->tcp ? a.port < b.port : a.port < WELL_KNOWN && b.port >= WELL_KNOWN;
    if (!f->tcp && !a.port)
        first_is_server = false;
    ccm_flow_orient(f, first_is_server ? !first : first, CCM_BY_PORT);
}

void ccm_flow_obs(ccm_flow *f, ccm_obs *o, ccm_obs_kind kind, unsigned from)
{
    o->kind = kind;
    o->l4 = f->l4;
    ccm_obs_clear(o);
    o->flow = f->id;
    o->memo = &f->memo;
    ccm_flow_key_endpoint(&f->key, from, &o->src);
    ccm_flow_key_endpoint(&f->key, !from, &o->dst);
}

static void obs_count(ccm_obs *o, ccm_key key, uint64_t value)
{
    if (value)
        ccm_obs_u64(o, key, value);
}

static void emit(const ccm_flows *fs, const ccm_obs *o)
{
    fs->emit(fs->ud, o);
}

static void hint_emit(const ccm_flows *fs, ccm_flow *f, const char *protocol)
{
    ccm_obs o;

    if (!protocol)
        return;
    ccm_flow_obs(f, &o, CCM_OBS_hint, f->client >= 0 ? (unsigned)f->client : f->first_side);
    o.time_ns = fs->at_ns;
    o.frame = fs->at_frame;
    ccm_obs_str(&o, CCM_KEY_protocol, ccm_span_str(protocol));
    emit(fs, &o);
}

static ccm_ended_as state_of(const ccm_flow *f)
{
    static const uint8_t as[] = { CCM_ENDED_ESTABLISHED, CCM_ENDED_REFUSED, CCM_ENDED_UNANSWERED,
                                  CCM_ENDED_MIDSTREAM };

    return f->tcp ? as[ccm_conn_state_of(f->saw)] : CCM_ENDED_DATAGRAMS;
}

static void connection_emit(ccm_flows *fs, ccm_flow *f, const ccm_obs_end *end)
{
    static const char *const how[] = { "port", "syn", "content", "port" };
    static const char *const state[] = { "",           "established", "refused",
                                         "unanswered", "midstream",   "datagrams" };
    ccm_obs o;

    ccm_flow_orient_by_port(f);
    ccm_flow_obs(f, &o, CCM_OBS_connection, (unsigned)f->client);
    o.time_ns = end->start_ns;
    o.frame = end->frame;
    ccm_obs_str(&o, CCM_KEY_state, ccm_span_str(state[end->state]));
    ccm_obs_str(&o, CCM_KEY_closed, ccm_span_str(end->closed));
    ccm_obs_str(&o, CCM_KEY_orientation, ccm_span_str(how[f->how]));
    ccm_obs_u64(&o, CCM_KEY_end_ns, end->end_ns);
    obs_count(&o, CCM_KEY_rtt_ns, end->rtt_ns);
    obs_count(&o, CCM_KEY_gaps, end->gaps);
    obs_count(&o, CCM_KEY_duplicates, end->duplicates);
    obs_count(&o, CCM_KEY_overlap_conflicts, end->overlap_conflicts);
    obs_count(&o, CCM_KEY_zero_windows, end->zero_windows);
    obs_count(&o, CCM_KEY_resets, end->resets);
    emit(fs, &o);
}

/* ---- life ------------------------------------------------------------------------------------ */

static uint64_t expires_at(const ccm_flow *f)
{
    if (!f->l4)
        return UINT64_MAX;
    if (!f->tcp)
        return f->last_ns + TIMEOUT_OTHER;
    if (!ccm_conn_closed(f->saw)) {
        bool half = f->seen != 3 && (f->saw & 3 * CCM_SAW_FIN); /* the other side is not captured */
        return f->last_ns + (half ? GRACE_LAST_ACK : TIMEOUT_TCP);
    }
    return f->last_ns + (f->saw & (CCM_SAW_RST | CCM_SAW_LAST_ACK) ? GRACE_CLOSED : GRACE_LAST_ACK);
}

/* Was it over when a packet of that time came? A time that no other packet confirms ends nothing.
 */
static bool is_over(const ccm_flows *fs, const ccm_flow *f, uint64_t time_ns)
{
    return time_ns > expires_at(f) && !(f->tcp && ccm_clock_ahead(fs, time_ns));
}

void ccm_flow_end(ccm_flows *fs, ccm_flow *f, const char *why)
{
    uint64_t at_ns = fs->at_ns, at_frame = fs->at_frame, gaps = 0, missing[2];

    fs->at_ns = f->last_ns;
    fs->at_frame = 0;
    if (f->tcp)
        ccm_stream_look(fs, f, f->last_ns, true);
    ccm_feed_close(fs, f);
    ccm_stream_free(fs, f);
    if (ccm_classify_open(&f->hint))
        f->hint.last_word = ccm_classify_end(fs->classifier, &f->hint);
    hint_emit(fs, f, f->hint.last_word);
    for (unsigned side = 0; side < 2; side++) {
        uint64_t n;
        missing[side] = ccm_seq_missing(&f->dir[side].seq, &n);
        gaps += n;
        ccm_seq_clear(&f->dir[side].seq);
    }
    if (f->tcp && ccm_conn_closed(f->saw))
        why = f->saw & CCM_SAW_RST ? "reset" : "fin";
    ccm_obs_end end = { .start_ns = f->first_ns,
                        .frame = f->first_frame,
                        .end_ns = f->last_ns,
                        .rtt_ns = f->rtt_ns,
                        .gaps = gaps,
                        .duplicates = f->duplicates,
                        .overlap_conflicts = f->conflicts,
                        .zero_windows = f->zero_windows,
                        .resets = f->resets,
                        .state = state_of(f),
                        .closed = why };
    ccm_runs_emit(fs, f, missing, &end);
    fs->gaps += gaps;
    if (!fs->structs)
        connection_emit(fs, f, &end);
    ccm_table_remove(fs, f);
    fs->at_ns = at_ns;
    fs->at_frame = at_frame;
}

/* What is due at the present time. */
void ccm_flow_look(ccm_flows *fs, ccm_flow *f)
{
    if (!f->id)
        return;
    f->look_due = false;
    if (fs->now_ns > expires_at(f)) {
        ccm_flow_end(fs, f, "idle");
        return;
    }
    if (fs->now_ns >= f->last_ns + RUN_LOOK)
        ccm_runs_emit(fs, f, (uint64_t[2]){ 0, 0 }, NULL);
    if (f->waiting)
        ccm_stream_look(fs, f, fs->now_ns, false);
    uint64_t due = ccm_min64(expires_at(f), ccm_stream_due(f));
    if (f->closed || f->dir[0].run.packets || f->dir[1].run.packets) {
        due = ccm_min64(due, f->last_ns + RUN_LOOK);
        f->look_due = true;
    }
    if (due != UINT64_MAX)
        ccm_table_due(fs, f, due);
}

static ccm_flow *flow_new(ccm_flows *fs, const ccm_packet *p, const ccm_flow_key *key,
                          uint32_t hash, unsigned side)
{
    if (fs->n_flows >= MAX(fs->limits.flows, 2)) {
        ccm_flow *coldest = ccm_table_coldest(fs);
        fs->hits[CCM_HIT_FLOWS]++;
        if (coldest)
            ccm_flow_end(fs, coldest, "idle");
    }
    ccm_flow *f = ccm_table_add(fs, key, hash);
    f->id = ++fs->next_id;
    f->l4 = p->l4;
    f->tcp = p->l4 == 6 && !p->fragment;
    f->proto = CCM_PROTO_NONE;
    f->client = -1;
    f->first_side = (uint8_t)side;
    f->first_ns = f->last_ns = p->time_ns;
    f->first_frame = p->frame;
    if (p->l4 != UDP && !f->tcp)
        f->hint.over = true; /* nothing to show to nDPI */
    return f;
}

/* A hash of what looks like the server's address and port. Not seeded: which flows are shown must
 * not change from run to run. */
static uint32_t server_of(const ccm_flow *f)
{
    ccm_endpoint end[2];
    unsigned server = f->client >= 0 ? !f->client : !f->first_side;

    ccm_flow_key_endpoint(&f->key, 0, &end[0]);
    ccm_flow_key_endpoint(&f->key, 1, &end[1]);
    if (f->client < 0 && end[0].port != end[1].port)
        server = end[1].port < end[0].port;
    uint64_t half[2];
    memcpy(half, end[server].addr.b, sizeof half);
    uint64_t h = ccm_key_mix(half[0] ^ UINT64_C(0x9e3779b97f4a7c15),
                             half[1] ^ ((uint64_t)end[server].port << 8 | f->l4));
    return (uint32_t)(h ^ h >> 32);
}

static void classify(ccm_flows *fs, ccm_flow *f, const ccm_packet *p)
{
    if (!fs->classifier) {
        fs->classifier = ccm_classifier_new();
        if (!fs->classifier) {
            fs->no_classify = true;
            return;
        }
    }
    hint_emit(fs, f,
              ccm_classify_packet(fs->classifier, &f->hint, server_of(f), p->ip, p->time_ns));
}

/* The connection has just closed. Tens of thousands of such flows may wait for late packets: nDPI's
 * part need not. */
static void closing(ccm_flows *fs, ccm_flow *f)
{
    if (ccm_classify_open(&f->hint))
        f->hint.last_word = ccm_classify_end(fs->classifier, &f->hint);
    ccm_table_due(fs, f, expires_at(f));
}

G_STATIC_ASSERT(offsetof(ccm_packet, payload_len) - offsetof(ccm_packet, packets) ==
                offsetof(ccm_run_part, payload_bytes) - offsetof(ccm_run_part, packets));

static void run_packet(ccm_flows *fs, ccm_flow *f, unsigned side, const ccm_run_part *part)
{
    ccm_run *run = &f->dir[side].run;

    if (ccm_run_over(run, part))
        ccm_run_close(fs, f, side);
    if (!f->look_due) {
        ccm_table_due(fs, f, part->time_ns + RUN_LOOK);
        f->look_due = true;
    }
    ccm_run_add(run, part);
}

/* `f`: where the flow probably is; entries stay in memory, so a wrong guess is only slower. Returns
 * where it is. */
static inline ccm_flow *flow_packet(ccm_flows *fs, const ccm_packet *p, const ccm_flow_key *key,
                                    uint32_t hash, unsigned side, ccm_flow *f)
{
    ccm_run_part part = { .time_ns = p->time_ns, .frame = p->frame };
    uint64_t off = 0;

    memcpy(&part.packets, &p->packets, sizeof(ccm_run_four)); /* these lie in the same order */

    ccm_clock(fs, p->time_ns);
    fs->at_ns = p->time_ns;
    fs->at_frame = p->frame;
    if (!f || !f->id || !ccm_flow_key_equal(&f->key, key))
        f = ccm_table_find(fs, key, hash);
    if (f && ((p->time_ns > f->last_ns + GRACE_CLOSED && is_over(fs, f, p->time_ns)) ||
              (f->tcp && ccm_tcp_unexpected(f, side, p) && ccm_tcp_reused(f, side, p)))) {
        ccm_flow_end(fs, f, "idle");
        f = NULL;
    }
    if (!f)
        f = flow_new(fs, p, key, hash, side);
    unsigned before = f->saw;
    f->count++;
    f->seen |= (uint8_t)(1u << side);
    if (f->tcp)
        part.unique_bytes = ccm_tcp_account(f, side, p, &off);
    else if (p->l4 == UDP)
        part.unique_bytes = p->payload_len;
    else
        part.payload_bytes = 0;

    if (!fs->no_runs)
        run_packet(fs, f, side, &part);
    f->last_ns = ccm_max64(f->last_ns, p->time_ns);

    if (f->tcp)
        ccm_tcp_deliver(fs, f, side, p, off);
    else if (p->l4 == UDP && !p->fragment)
        ccm_feed_datagram(fs, f, side, p);
    else if ((p->l4 == ICMP || p->l4 == ICMP6) && !p->fragment)
        ccm_icmp_packet(fs, p);
    if (!f->hint.over && p->payload.n && f->proto == CCM_PROTO_NONE && !fs->no_classify)
        classify(fs, f, p);
    if (((f->saw ^ before) & CCM_SAW_ENDS) && ccm_conn_closed(f->saw))
        closing(fs, f);
    return f;
}

/* What the packet will need beside the flow itself, which has arrived by now. */
static void prefetch_beside(const ccm_flows *fs, const ccm_flow *f, unsigned side,
                            const ccm_packet *p)
{
    if (f->closed)
        __builtin_prefetch(&f->closed->run[f->n_closed & (CCM_RUNS_KEPT - 1)], 1);
    if (f->state && (p->payload_len || p->tcp_flags & CCM_TCP_FIN)) {
        const ccm_stream *stream = f->dir[side].stream;
        if (stream) {
            __builtin_prefetch(stream, 1);
            __builtin_prefetch(&stream->carry_at_start, 1);
        }
#pragma GCC unroll 8
        for (unsigned line = 0; line < 8; line++)
            __builtin_prefetch((const char *)f->state + line * 64, 1);
        ccm_flow_prefetch_memo(f, false);
    } else if (p->payload_len && ccm_classify_open(&f->hint)) {
        ccm_classify_prefetch(fs->classifier, &f->hint);
    }
}

static G_GNUC_NO_INLINE void batches(ccm_flows *fs, const ccm_packet *packets, unsigned n)
{
    ccm_flow_key key[CCM_BATCH];
    uint32_t hash[CCM_BATCH];
    unsigned side[CCM_BATCH];
    ccm_flow *near[CCM_BATCH];
    bool again[CCM_BATCH]; /* of the flow of the packet before, as packets mostly come in trains */

    while (n) {
        unsigned m = MIN(n, CCM_BATCH);
        if (!fs->zero_ns) {
            ccm_table_zero(fs, packets->time_ns);
            fs->now_ns = fs->at_ns = packets->time_ns;
        }
        for (unsigned i = 0; i < m; i++) {
            side[i] = ccm_flow_key_make(&packets[i], &key[i]);
            again[i] = i && ccm_flow_key_equal(&key[i], &key[i - 1]);
            if (again[i]) {
                hash[i] = hash[i - 1];
                continue;
            }
            hash[i] = ccm_flow_key_hash(fs, &key[i]);
            ccm_table_prefetch(fs, hash[i]);
        }
        for (unsigned i = 0; i < m; i++)
            near[i] = again[i] ? near[i - 1] : ccm_table_prefetch_flow(fs, hash[i]);
        for (unsigned i = 0; i < m; i++)
            if (near[i])
                prefetch_beside(fs, near[i], side[i], &packets[i]);
        ccm_flow *f = NULL;
        for (unsigned i = 0; i < m; i++)
            f = flow_packet(fs, &packets[i], &key[i], hash[i], side[i], again[i] ? f : near[i]);
        fs->sweep_owed += m * SWEEP_PER_PACKET;
        if (fs->sweep_owed >= SWEEP_STRIDE) { /* the more at once, the better they are fetched */
            ccm_table_sweep(fs, fs->sweep_owed);
            fs->sweep_owed = 0;
        }
        packets += m;
        n -= m;
    }
}

/* The table is swept after the same packets, however these are given: what a capture tells must not
 * depend on how it is split into files. */
void ccm_flows_batch(ccm_flows *fs, const ccm_packet *packets, unsigned n)
{
    unsigned first = (SWEEP_STRIDE - fs->sweep_owed) / SWEEP_PER_PACKET;

    if (fs->sweep_owed && n > first) {
        batches(fs, packets, first);
        packets += first;
        n -= first;
    }
    batches(fs, packets, n);
}

void ccm_flows_late(ccm_flows *fs, const ccm_packet *packet)
{
    uint64_t at_ns = fs->at_ns;

    fs->late = true;
    ccm_flows_batch(fs, packet, 1);
    fs->late = false;
    fs->at_ns = at_ns;
}

uint64_t ccm_flows_now(const ccm_flows *fs)
{
    return fs->now_ns;
}

uint64_t ccm_flows_backward(const ccm_flows *fs)
{
    return fs->backward;
}

void ccm_flows_not_ip(ccm_flows *fs, uint64_t time_ns, uint64_t frame, uint32_t wire_bytes)
{
    ccm_packet p = { .time_ns = time_ns, .frame = frame, .packets = 1, .wire_bytes = wire_bytes };

    ccm_flows_batch(fs, &p, 1);
}

void ccm_flows_tick(ccm_flows *fs, uint64_t now_ns)
{
    fs->now_ns = ccm_max64(fs->now_ns, now_ns);
    for (uint32_t i = 0; i < fs->n_entries; i++) {
        ccm_flow *f = ccm_table_entry(fs, i);
        if (f->id && fs->now_ns > f->last_ns + CCM_RUN_SILENCE_NS)
            ccm_runs_emit(fs, f, (uint64_t[2]){ 0, 0 }, NULL);
        ccm_flow_look(fs, f);
    }
}

typedef struct live_flow {
    uint64_t id;
    uint32_t index;
} live_flow;

static int by_id(const void *a, const void *b)
{
    const live_flow *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

void ccm_flows_finish(ccm_flows *fs)
{
    static const char *const names[CCM_HITS] = { "flows",         "segments",   "stream_bytes",
                                                 "pending_bytes", "head_bytes", "classifier" };
    live_flow *live = g_new(live_flow, (size_t)fs->n_flows + 1);
    uint32_t n = 0;

    ccm_clock_end(fs);
    for (uint32_t i = 0; i < fs->n_entries; i++)
        if (ccm_table_entry(fs, i)->id)
            live[n++] = (live_flow){ ccm_table_entry(fs, i)->id, i };
    qsort(live, n, sizeof *live, by_id);
    for (uint32_t i = 0; i < n; i++) {
        ccm_flow *f = ccm_table_entry(fs, live[i].index);
        ccm_flow_end(fs, f, fs->now_ns > expires_at(f) ? "idle" : "open");
    }
    g_free(live);
    fs->hits[CCM_HIT_CLASSIFIER] = ccm_classifier_refused(fs->classifier);
    for (unsigned i = 0; i < CCM_HITS; i++) {
        ccm_obs o = { .kind = CCM_OBS_limit, .time_ns = fs->now_ns };
        if (!fs->hits[i])
            continue;
        ccm_obs_str(&o, CCM_KEY_limit, ccm_span_str(names[i]));
        ccm_obs_u64(&o, CCM_KEY_count, fs->hits[i]);
        emit(fs, &o);
        fs->hits[i] = 0;
    }
    /* What is concluded from the facts needs memory next. */
    ccm_classifier_free(fs->classifier);
    fs->classifier = NULL;
    ccm_table_clear(fs);
}
