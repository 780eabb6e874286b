/* SPDX-License-Identifier: GPL-2.0-or-later
 * stream.c - TCP reassembly: segments in any order to bytes in order, with explicit gaps.
 * In: segments with unwrapped offsets. Out: calls of feed.c. State: for each direction a bounded
 * list of segments that wait, ascending and without overlap (the first copy of a byte wins).
 *
 * A segment waits for earlier bytes of its direction, and for the bytes of the other direction that
 * it acknowledges: the sender had read them. A hole is lost when the peer acknowledged it and more
 * packets passed, when it waited long, when too much waits, or when the flow ends. */
#include "flow/state.h"

enum { LOST_PACKETS = 32 };
#define LOST_NS (1 * CCM_NS_PER_S)
#define LOST_ALONE_NS (5 * CCM_NS_PER_S) /* without an acknowledgement */

ccm_stream *ccm_stream_of(ccm_flows *fs, ccm_dir *d)
{
    if (!d->stream)
        d->stream = ccm_pool_take(&fs->streams, sizeof *d->stream);
    return d->stream;
}

static ccm_wait *head_of(const ccm_dir *d)
{
    return d->stream ? d->stream->head : NULL;
}

static uint64_t end_of(const ccm_wait *w)
{
    return w->off + w->len;
}

/* Whether some parser may still want the bytes of this direction in order. */
static bool wanted(const ccm_flow *f, unsigned side)
{
    return f->proto != CCM_PROTO_NONE || f->shown[side] < CCM_PROBE_SEGMENTS;
}

/* Whether the peer's bytes up to `acked` have been passed on, or nothing is known of them. */
static bool peer_ready(const ccm_flow *f, unsigned side, uint64_t acked)
{
    const ccm_dir *peer = &f->dir[!side];

    if (!acked || acked <= peer->next || !wanted(f, !side))
        return true;
    return (f->saw & CCM_SAW_FIN << !side) && acked == peer->next + 1; /* the FIN's number */
}

/* ---- the list of what waits ------------------------------------------------------------------ */

static void wait_free(ccm_flows *fs, ccm_flow *f, ccm_stream *st, ccm_wait *w)
{
    size_t size = sizeof *w + (w->bare ? 0 : w->have);

    st->held -= size;
    fs->held -= size;
    st->n_waiting--;
    f->waiting--;
    g_free(w);
}

static ccm_wait *wait_pop(ccm_stream *st)
{
    ccm_wait *w = st->head;

    st->head = w->next;
    if (!st->head)
        st->tail = NULL;
    return w;
}

/* All bytes of the segment lie in what the parser skips, so none need be kept. */
static bool in_skip(const ccm_dir *d, uint64_t off, uint32_t len)
{
    const ccm_stream *st = d->stream;

    return st->skip == UINT64_MAX || off + len - d->next <= st->skip;
}

/* Keeps bytes [from, to) of `seg` after `prev` (NULL = first). */
static void hold_piece(ccm_flows *fs, ccm_flow *f, ccm_dir *d, ccm_wait *prev,
                       const ccm_segment *seg, uint64_t from, uint64_t to)
{
    ccm_stream *st = d->stream;
    size_t skip = (size_t)(from - seg->off);
    size_t have = skip < seg->data.n ? ccm_min64(seg->data.n - skip, to - from) : 0;
    bool bare = have == to - from && in_skip(d, from, (uint32_t)have);

    if (bare && prev && prev->bare && end_of(prev) == from &&
        to - prev->off <= UINT32_MAX) { /* ranges grow in place */
        prev->len = prev->have = (uint32_t)(to - prev->off);
        prev->acked = ccm_max64(prev->acked, seg->acked);
        if (to > from) { /* an empty FIN adds nothing */
            prev->last_ns = seg->time_ns;
            prev->last_frame = seg->frame;
        }
        prev->first = false;
        return;
    }
    size_t size = sizeof(ccm_wait) + (bare ? 0 : have);
    ccm_wait *w = g_malloc(size);
    *w = (ccm_wait){ .off = from,
                     .time_ns = seg->time_ns,
                     .frame = seg->frame,
                     .acked = seg->acked,
                     .len = (uint32_t)(to - from),
                     .have = (uint32_t)have,
                     .count = f->count,
                     .last_ns = seg->time_ns,
                     .last_frame = seg->frame,
                     .bare = bare };
    if (!bare && have)
        memcpy(w->data, seg->data.p + skip, have);
    w->next = prev ? prev->next : st->head;
    if (prev)
        prev->next = w;
    else
        st->head = w;
    if (!w->next)
        st->tail = w;
    st->held += size;
    fs->held += size;
    st->n_waiting++;
    f->waiting++;
}

/* Bytes that both have and that differ. */
static uint32_t conflicts(const ccm_wait *w, const ccm_segment *seg)
{
    uint32_t n = 0;

    if (w->bare)
        return 0;
    uint64_t a = ccm_max64(w->off, seg->off);
    uint64_t b = ccm_min64(w->off + w->have, seg->off + seg->data.n);
    for (; a < b; a++)
        n += w->data[a - w->off] != seg->data.p[a - seg->off];
    return n;
}

/* Keeps what is new of `seg` from `from` on. */
static void hold(ccm_flows *fs, ccm_flow *f, ccm_dir *d, const ccm_segment *seg, uint64_t from)
{
    ccm_stream *st = ccm_stream_of(fs, d);
    uint64_t to = seg->off + seg->len;
    ccm_wait *prev = NULL;

    if (st->tail && end_of(st->tail) <= from) {
        hold_piece(fs, f, d, st->tail, seg, from, to);
        return;
    }
    for (ccm_wait *w = st->head; w && w->off < to && from < to; w = w->next) {
        if (end_of(w) > from) {
            if (w->off > from)
                hold_piece(fs, f, d, prev, seg, from, w->off);
            f->conflicts += conflicts(w, seg);
            from = end_of(w);
        }
        prev = w;
    }
    if (from < to)
        hold_piece(fs, f, d, prev, seg, from, to);
}

/* No parser wants the direction any more: let go of what waits. */
static void drop_waiting(ccm_flows *fs, ccm_flow *f, unsigned side)
{
    ccm_dir *d = &f->dir[side];

    while (head_of(d)) {
        ccm_wait *w = wait_pop(d->stream);
        d->next = ccm_max64(d->next, end_of(w));
        wait_free(fs, f, d->stream, w);
    }
}

/* ---- delivery -------------------------------------------------------------------------------- */

/* When and where something was captured: what is passed on late is told with that. */
typedef struct moment {
    uint64_t time_ns, frame;
} moment;

/* Returns what was set before. */
static moment moment_set(ccm_flows *fs, uint64_t time_ns, uint64_t frame)
{
    moment old = { fs->at_ns, fs->at_frame };

    fs->at_ns = time_ns;
    fs->at_frame = frame;
    return old;
}

/* Passes [next, to) of the segment on. */
static void deliver(ccm_flows *fs, ccm_flow *f, unsigned side, const ccm_segment *seg, uint64_t to)
{
    ccm_dir *d = &f->dir[side];
    ccm_segment part = *seg;
    uint64_t old = d->next - seg->off;

    part.off = d->next;
    part.len = (uint32_t)(to - d->next);
    part.start = seg->start && !old;
    part.data = (ccm_span){ 0 };
    if (old < seg->data.n)
        part.data = (ccm_span){ seg->data.p + old, ccm_min64(seg->data.n - old, part.len) };
    ccm_feed_bytes(fs, f, side, &part);
}

static void deliver_wait(ccm_flows *fs, ccm_flow *f, unsigned side, const ccm_wait *w)
{
    ccm_dir *d = &f->dir[side];
    ccm_segment seg = { .off = w->off,
                        .time_ns = w->time_ns,
                        .frame = w->frame,
                        .acked = w->acked,
                        .len = w->len,
                        .data = { w->data, w->have },
                        .start = true };

    if (w->bare) { /* the skip it was in may have ended early, after a loss */
        uint64_t n = ccm_min64(end_of(w) - d->next, d->stream->skip);
        moment now = moment_set(fs, w->last_ns, w->last_frame);
        if (n)
            ccm_feed_skip(fs, f, side, n);
        if (end_of(w) > d->next)
            ccm_feed_gap(fs, f, side, end_of(w) - d->next);
        (void)moment_set(fs, now.time_ns, now.frame);
        return;
    }
    deliver(fs, f, side, &seg, end_of(w));
}

/* The bytes before `to` are not in the capture, as `by` shows: it has that time. */
static void lose(ccm_flows *fs, ccm_flow *f, unsigned side, uint64_t to, const ccm_wait *by)
{
    if (to <= f->dir[side].next)
        return;
    moment now = moment_set(fs, by->time_ns, by->frame);
    ccm_feed_gap(fs, f, side, to - f->dir[side].next);
    (void)moment_set(fs, now.time_ns, now.frame);
}

/* The FIN was captured at its own time, whenever it can be passed on. */
static void pass_fin(ccm_flows *fs, ccm_flow *f, unsigned side)
{
    const ccm_stream *st = f->dir[side].stream;
    moment now = moment_set(fs, st->fin_ns, st->fin_frame);

    if (st->fin > f->dir[side].next)
        ccm_feed_gap(fs, f, side, st->fin - f->dir[side].next);
    else
        ccm_feed_end(fs, f, side);
    (void)moment_set(fs, now.time_ns, now.frame);
}

/* Nobody asks for order any more, but a parser may find its protocol in what waits. */
static bool show_waiting(ccm_flows *fs, ccm_flow *f, unsigned side)
{
    ccm_dir *d = &f->dir[side];
    bool any = false;

    for (ccm_wait *w; !wanted(f, side) && !f->quiet && (w = head_of(d)); any = true) {
        wait_pop(d->stream);
        lose(fs, f, side, w->off, w);
        if (end_of(w) > d->next)
            deliver_wait(fs, f, side, w);
        wait_free(fs, f, d->stream, w);
    }
    return any;
}

static bool drain_side(ccm_flows *fs, ccm_flow *f, unsigned side)
{
    ccm_dir *d = &f->dir[side];
    bool any = false;

    for (ccm_wait *w; (w = head_of(d)) && w->off <= d->next;) {
        if (end_of(w) > d->next) {
            if (!w->first && !peer_ready(f, side, w->acked))
                break;
            wait_pop(d->stream);
            deliver_wait(fs, f, side, w);
        } else {
            wait_pop(d->stream);
        }
        wait_free(fs, f, d->stream, w);
        any = true;
    }
    if (ccm_flow_midstream(f))
        any |= show_waiting(fs, f, side);
    if (!wanted(f, side) || f->quiet)
        drop_waiting(fs, f, side);
    if (d->stream && d->stream->fin && d->next >= d->stream->fin && !(f->ended & 1u << side)) {
        pass_fin(fs, f, side);
        any = true;
    }
    return any;
}

static void drain(ccm_flows *fs, ccm_flow *f)
{
    bool any = true;

    while (any) {
        any = drain_side(fs, f, 0);
        any |= drain_side(fs, f, 1);
    }
}

/* ---- loss ------------------------------------------------------------------------------------ */

/* The head of `side` waits for the peer's bytes: those are lost, or wait for ours in turn. */
static void lose_peer(ccm_flows *fs, ccm_flow *f, unsigned side, ccm_wait *w)
{
    ccm_wait *other = head_of(&f->dir[!side]);

    if (other && other->off <= f->dir[!side].next)
        w->first = true; /* neither can go first: break the tie */
    else                 /* what it acknowledges stays known: lost answers are told apart by it */
        lose(fs, f, !side, other ? ccm_min64(w->acked, other->off) : w->acked, w);
}

static bool look_side(ccm_flows *fs, ccm_flow *f, unsigned side, uint64_t now_ns, bool force)
{
    ccm_dir *d = &f->dir[side];
    ccm_wait *w = head_of(d);

    if (!w)
        return false;
    bool late = f->count - w->count >= LOST_PACKETS || now_ns >= w->time_ns + LOST_NS;
    bool alone = force || now_ns >= w->time_ns + LOST_ALONE_NS;
    if (w->off <= d->next) {
        if (!late && !alone)
            return false;
        lose_peer(fs, f, side, w);
    } else if (alone) {
        lose(fs, f, side, w->off, w);
    } else if (late && d->stream->acked > d->next) {
        lose(fs, f, side, ccm_min64(w->off, d->stream->acked), w);
    } else {
        return false;
    }
    drain(fs, f);
    return true;
}

/* Declares lost what is due at `now_ns`, or everything missing with `force`. */
void ccm_stream_look(ccm_flows *fs, ccm_flow *f, uint64_t now_ns, bool force)
{
    while (f->waiting) {
        ccm_wait *a = head_of(&f->dir[0]), *b = head_of(&f->dir[1]);
        unsigned older = a && b ? b->frame < a->frame : !a;
        if (!look_side(fs, f, older, now_ns, force) && !look_side(fs, f, !older, now_ns, force))
            break;
    }
    for (unsigned side = 0; force && side < 2; side++) {
        const ccm_stream *st = f->dir[side].stream;
        if (st && st->fin > f->dir[side].next && !f->quiet) { /* the last bytes before a FIN */
            pass_fin(fs, f, side);
            drain(fs, f);
        }
    }
}

/* The bounds: too much waits in this direction, or in all together. */
static void keep_bounds(ccm_flows *fs, ccm_flow *f, unsigned side)
{
    const ccm_dir *d = &f->dir[side];

    while (head_of(d)) { /* the stream is gone once both sides have ended */
        const ccm_stream *st = d->stream;
        unsigned hit = CCM_HITS;
        if (st->n_waiting > fs->limits.segments)
            hit = CCM_HIT_SEGMENTS;
        else if (st->held > fs->limits.stream_bytes)
            hit = CCM_HIT_STREAM;
        else if (fs->held > fs->limits.pending_bytes)
            hit = CCM_HIT_PENDING;
        if (hit == CCM_HITS)
            return;
        fs->hits[hit]++;
        look_side(fs, f, side, UINT64_MAX - LOST_ALONE_NS, true);
    }
}

/* ---- entry points ---------------------------------------------------------------------------- */

/* Nobody asks for order any more, but a parser may find its protocol in a later segment. */
static void loose_segment(ccm_flows *fs, ccm_flow *f, unsigned side, const ccm_segment *seg)
{
    ccm_dir *d = &f->dir[side];
    uint64_t end = seg->off + seg->len;

    if (end <= d->next)
        return;
    if (ccm_flow_midstream(f) || ccm_feed_again(f, side, seg->data, seg->off)) {
        if (seg->off > d->next)
            ccm_feed_gap(fs, f, side, seg->off - d->next);
        deliver(fs, f, side, seg, end);
        return;
    }
    d->next = end;
    f->quiet = !wanted(f, !side);
}

static void note_fin(ccm_flows *fs, ccm_dir *d, const ccm_segment *seg)
{
    ccm_stream *st = ccm_stream_of(fs, d);

    if (st->fin == seg->off + seg->len) /* sent again */
        return;
    st->fin = seg->off + seg->len;
    st->fin_ns = seg->time_ns;
    st->fin_frame = seg->frame;
}

static void note_ack(ccm_flow *f, unsigned side, uint64_t acked)
{
    ccm_stream *peer = f->dir[!side].stream;

    if (peer && acked > peer->acked)
        peer->acked = acked;
}

/* A segment that waits, or that something waits for. */
static G_GNUC_NO_INLINE void segment_out_of_order(ccm_flows *fs, ccm_flow *f, unsigned side,
                                                  const ccm_segment *seg)
{
    ccm_dir *d = &f->dir[side];
    uint64_t end = seg->off + seg->len;

    if (seg->fin)
        note_fin(fs, d, seg);
    note_ack(f, side, seg->acked);
    if (end > d->next) {
        ccm_wait *head = head_of(d);
        bool now = seg->off <= d->next && peer_ready(f, side, seg->acked);
        uint64_t to = now ? head ? ccm_max64(d->next, ccm_min64(end, head->off)) : end : 0;
        if (!now)
            hold(fs, f, d, seg, ccm_max64(seg->off, d->next));
        else if (to < end)
            hold(fs, f, d, seg, to);
        if (to > d->next)
            deliver(fs, f, side, seg, to);
    }
    drain(fs, f);
    ccm_stream_look(fs, f, seg->time_ns, false);
    keep_bounds(fs, f, side);
    if (f->waiting)
        ccm_table_due(fs, f, ccm_stream_due(f));
}

void ccm_stream_segment(ccm_flows *fs, ccm_flow *f, unsigned side, const ccm_segment *seg)
{
    ccm_dir *d = &f->dir[side];
    uint64_t end = seg->off + seg->len;

    if (f->ended & 1u << side)
        return;
    if (!wanted(f, side)) {
        loose_segment(fs, f, side, seg);
        return;
    }
    if (!f->waiting && seg->off == d->next && peer_ready(f, side, seg->acked)) { /* as always */
        if (seg->len)
            ccm_feed_bytes(fs, f, side, seg);
        if (seg->fin && d->next == end && !f->quiet)
            ccm_feed_end(fs, f, side);
        return;
    }
    segment_out_of_order(fs, f, side, seg);
}

/* A packet without payload while something waits. */
void ccm_stream_ack(ccm_flows *fs, ccm_flow *f, unsigned side, uint64_t acked)
{
    note_ack(f, side, acked);
    ccm_stream_look(fs, f, fs->at_ns, false);
}

/* When what waits will have waited long; UINT64_MAX = nothing waits. */
uint64_t ccm_stream_due(const ccm_flow *f)
{
    uint64_t due = UINT64_MAX;

    for (unsigned side = 0; f->waiting && side < 2; side++) {
        const ccm_wait *w = head_of(&f->dir[side]);
        const ccm_dir *d = &f->dir[side];
        if (w)
            due = ccm_min64(due, w->time_ns + (w->off <= d->next || d->stream->acked > d->next
                                                   ? LOST_NS
                                                   : LOST_ALONE_NS));
    }
    return due;
}

void ccm_stream_free(ccm_flows *fs, ccm_flow *f)
{
    for (unsigned side = 0; side < 2; side++) {
        drop_waiting(fs, f, side);
        if (f->dir[side].stream) {
            fs->carried -= f->dir[side].stream->carry_room;
            g_free(f->dir[side].stream->carry);
        }
        ccm_pool_give(&fs->streams, f->dir[side].stream);
        f->dir[side].stream = NULL;
    }
}
