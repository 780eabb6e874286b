/* SPDX-License-Identifier: GPL-2.0-or-later
 * feed.c - bytes in order to the parser of a flow: probing, claims, skips, what is left for later.
 * In: segments in order and gaps from stream.c, datagrams. Out: calls of a ccm_proto.
 * State: in the flow and its streams. Without a carry the parser reads the packet itself. */
#include "flow/state.h"

static const ccm_proto *proto_of(const ccm_flow *f)
{
    return f->proto == CCM_PROTO_NONE ? NULL : ccm_protos[f->proto];
}

static bool feeds(const ccm_flow *f)
{
    return f->proto != CCM_PROTO_NONE && !f->quiet;
}

/* The context of a call about bytes at offset `off` of `side`. */
static ccm_parse *context(ccm_flows *fs, ccm_flow *f, unsigned side, uint64_t off)
{
    ccm_parse *ps = &fs->parse;

    ps->state = f->state;
    if (ps->flow != f->id) {
        ps->flow = f->id;
        ps->memo = &f->memo;
        ccm_flow_key_endpoint(&f->key, 0, &ps->end[0]);
        ccm_flow_key_endpoint(&f->key, 1, &ps->end[1]);
    }
    ps->l4 = f->l4;
    ps->dir = (uint8_t)side;
    ps->boundary = SIZE_MAX;
    ps->midstream = ccm_flow_midstream(f);
    ps->one_sided = f->seen != 3;
    ps->time_ns = fs->at_ns;
    ps->frame = fs->at_frame;
    ps->pos = off - CCM_SEQ_ZERO;
    ps->peer_acked = 0;
    ps->exchanges = 0;
    ps->client = -1;
    return ps;
}

static void learn(ccm_flow *f, const ccm_parse *ps)
{
    if (ps->client == 0 || ps->client == 1)
        ccm_flow_orient(f, (unsigned)ps->client, CCM_BY_CONTENT);
}

/* ---- carry ----------------------------------------------------------------------------------- */

static void carry_clear(ccm_flows *fs, ccm_dir *d)
{
    if (!d->stream || !d->stream->carry)
        return;
    fs->carried -= d->stream->carry_room;
    g_free(d->stream->carry);
    d->stream->carry = NULL;
    d->stream->carry_n = d->stream->carry_room = 0;
    d->stream->carry_tail = false;
}

static void carry_add(ccm_flows *fs, ccm_dir *d, ccm_span in)
{
    ccm_stream *st = ccm_stream_of(fs, d);

    if (!in.n)
        return;
    if (st->carry_n + in.n > st->carry_room) {
        fs->carried -= st->carry_room;
        st->carry_room = (st->carry_n + in.n) * 2;
        fs->carried += st->carry_room;
        st->carry = g_realloc(st->carry, st->carry_room);
    }
    memcpy(st->carry + st->carry_n, in.p, in.n);
    st->carry_n += in.n;
}

static ccm_span carry_of(const ccm_dir *d)
{
    return d->stream ? (ccm_span){ d->stream->carry, d->stream->carry_n } : (ccm_span){ 0 };
}

/* Where a segment is known to begin in the carry. */
static size_t start_of(const ccm_dir *d)
{
    return d->stream->carry_at_start ? 0 : SIZE_MAX;
}

/* ---- skips ----------------------------------------------------------------------------------- */

static void skip_over(ccm_flows *fs, ccm_flow *f, unsigned side)
{
    ccm_dir *d = &f->dir[side];
    ccm_stream *st = d->stream;
    uint64_t n = st->skipped, missing = st->skip_missing;

    st->skip = st->skipped = st->skip_missing = 0;
    ccm_parse *ps = context(fs, f, side, d->next);
    proto_of(f)->skipped(ps, n, missing);
    learn(f, ps);
}

/* `n` bytes, at most what is left to skip, pass unseen; `missing` = they are not in the capture. */
static void skip_pass(ccm_flows *fs, ccm_flow *f, unsigned side, uint64_t n, bool missing)
{
    ccm_dir *d = &f->dir[side];
    ccm_stream *st = d->stream;

    d->next += n;
    st->skipped += n;
    st->skip_missing += missing ? n : 0;
    if (st->skip != UINT64_MAX)
        st->skip -= n;
    if (!st->skip)
        skip_over(fs, f, side);
}

void ccm_feed_skip(ccm_flows *fs, ccm_flow *f, unsigned side, uint64_t n)
{
    skip_pass(fs, f, side, n, false);
}

/* ---- parsers come and go --------------------------------------------------------------------- */

static void unclaim(ccm_flows *fs, ccm_flow *f, unsigned side)
{
    ccm_parse *ps = context(fs, f, side, f->dir[side].next);

    proto_of(f)->close(ps);
    f->state = NULL;
    for (unsigned i = 0; i < 2; i++) {
        carry_clear(fs, &f->dir[i]);
        if (f->dir[i].stream)
            f->dir[i].stream->skip = 0;
    }
}

static void not_ours(ccm_flows *fs, ccm_flow *f, unsigned side, const char *why)
{
    const ccm_proto *proto = proto_of(f);
    uint8_t bit = (uint8_t)(1u << (f->proto & 7));
    ccm_obs o;

    unclaim(fs, f, side);
    f->proto = CCM_PROTO_NONE;
    f->lossy = true; /* where a message begins is not known any more */
    if (f->claims >= CCM_CLAIMS)
        f->quiet = true;
    if (f->bad & bit)
        return;
    f->bad |= bit;
    ccm_flow_obs(f, &o, CCM_OBS_anomaly, side);
    o.time_ns = fs->at_ns;
    o.frame = fs->at_frame;
    ccm_obs_str(&o, CCM_KEY_protocol, ccm_span_str(proto->name));
    if (why)
        ccm_obs_str(&o, CCM_KEY_reason, ccm_span_str(why));
    ccm_obs_u64(&o, CCM_KEY_count, 1);
    fs->emit(fs->ud, &o);
}

static void tail_gap(ccm_flows *fs, ccm_flow *f, unsigned side, uint64_t n)
{
    ccm_dir *d = &f->dir[side];
    ccm_span tail = carry_of(d);

    f->lossy = true;
    ccm_parse *ps = context(fs, f, side, d->next - tail.n);
    proto_of(f)->gap(ps, n, tail);
    learn(f, ps);
    carry_clear(fs, d);
    d->next += n;
}

/* Keeps what the parser left of `view`, which ends where the segment does. */
static void keep_rest(ccm_flows *fs, ccm_flow *f, unsigned side, ccm_span view, bool at_start)
{
    ccm_dir *d = &f->dir[side];

    if (!view.n) {
        carry_clear(fs, d);
        return;
    }
    ccm_stream *st = ccm_stream_of(fs, d);
    if (st->carry_n) { /* view is the end of the carry */
        memmove(st->carry, view.p, view.n);
        st->carry_n = view.n;
    } else {
        carry_add(fs, d, view);
    }
    st->carry_at_start = at_start;
    bool head = st->carry_n > fs->limits.head_bytes;
    if (head || fs->carried > fs->limits.pending_bytes) {
        fs->hits[head ? CCM_HIT_HEAD : CCM_HIT_PENDING]++;
        tail_gap(fs, f, side, 0);
    }
}

/* Shows `view`, whose last byte is just before d->next, until the parser wants more. A segment
 * begins at offset `boundary` of it (SIZE_MAX: not known). */
static void feed_view(ccm_flows *fs, ccm_flow *f, unsigned side, ccm_span view, size_t boundary,
                      const ccm_segment *seg)
{
    ccm_dir *d = &f->dir[side];

    while (view.n && feeds(f)) {
        ccm_parse *ps = context(fs, f, side, d->next - view.n);
        ps->time_ns = seg->time_ns;
        ps->frame = seg->frame;
        ps->boundary = boundary;
        ps->peer_acked = seg->acked > CCM_SEQ_ZERO ? seg->acked - CCM_SEQ_ZERO : 0;
        ccm_feed r = proto_of(f)->feed(ps, view);
        learn(f, ps);
        if (r.result == CCM_FEED_BAD) {
            not_ours(fs, f, side, r.why);
            return;
        }
        if (r.result == CCM_FEED_DONE) {
            unclaim(fs, f, side);
            f->quiet = true;
            return;
        }
        size_t used = MIN(r.used, view.n);
        boundary = boundary < used ? SIZE_MAX : boundary == SIZE_MAX ? boundary : boundary - used;
        view.p += used;
        view.n -= used;
        if (!r.skip)
            break;
        ccm_stream *st = ccm_stream_of(fs, d);
        uint64_t n = ccm_min64(r.skip, view.n);
        st->skip = r.skip;
        st->skipped = st->skip_missing = 0;
        d->next -= view.n;
        if (n)
            skip_pass(fs, f, side, n, false);
        view.p += n;
        view.n -= (size_t)n;
        d->next += view.n;
        boundary = SIZE_MAX;
    }
    if (feeds(f))
        keep_rest(fs, f, side, view, !boundary);
}

/* ---- probing --------------------------------------------------------------------------------- */

/* The flow is parser `proto`'s from `view` on, which ends at d->next. */
static void claim(ccm_flows *fs, ccm_flow *f, unsigned side, uint8_t proto, ccm_span view,
                  size_t boundary, const ccm_segment *seg)
{
    ccm_dir *d = &f->dir[side], *peer = &f->dir[!side];
    ccm_segment before = *seg;

    f->proto = proto;
    f->claims++;
    if (ccm_classify_open(&f->hint))
        (void)ccm_classify_end(fs->classifier, &f->hint);
    else if (f->hint.over)
        f->hint.last_word = NULL;
    ccm_parse *ps = context(fs, f, side, d->next - view.n);
    ps->time_ns = seg->time_ns;
    ps->frame = seg->frame;
    f->state = proto_of(f)->open(ps);
    learn(f, ps);
    before.acked = 0;
    if (carry_of(peer).n) /* what the other side said before */
        feed_view(fs, f, !side, carry_of(peer), start_of(peer), &before);
    if (feeds(f))
        feed_view(fs, f, side, view, boundary, seg);
}

/* Length of the line or block that a load balancer writes before a connection's own bytes; 0: none,
 * or not whole. Spec: The PROXY protocol, versions 1 and 2, sections 2.1 and 2.2. */
static size_t balancer_size(ccm_span in)
{
    enum { LINE_MAX_1 = 107, HEAD_2 = 16 };
    ccm_cursor c = ccm_cur(in);

    if (in.n > 6 && !memcmp(in.p, "PROXY ", 6)) {
        const uint8_t *lf = memchr(in.p, '\n', MIN(in.n, LINE_MAX_1));
        return lf ? (size_t)(lf - in.p) + 1 : 0;
    }
    if (in.n < HEAD_2 || memcmp(in.p, "\r\n\r\n\0\r\nQUIT\n", 12) != 0)
        return 0;
    (void)ccm_cur_take(&c, 14);
    size_t size = HEAD_2 + ccm_cur_be16(&c);
    return size <= in.n ? size : 0;
}

/* Keeps the last `n` bytes of `view`, which ends where the carry does, if there is one. */
static void keep_last(ccm_flows *fs, ccm_flow *f, ccm_dir *d, ccm_span view, size_t n)
{
    ccm_stream *st = d->stream;

    if (!n) {
        carry_clear(fs, d);
    } else if (carry_of(d).n) {
        memmove(st->carry, st->carry + st->carry_n - n, n);
        st->carry_n = n;
    } else if (n <= fs->limits.head_bytes) {
        carry_add(fs, d, ccm_span_of(view.p + view.n - n, n));
    }
    if (carry_of(d).n && fs->carried > fs->limits.pending_bytes) {
        fs->hits[CCM_HIT_PENDING]++;
        f->lossy = true;
        carry_clear(fs, d);
    }
}

/* Shows `view`, whose first `kept` bytes are the carry, to every parser; those that did not ask for
 * a tail see the segment alone. YES: one of them has it now. */
static ccm_probe ask_all(ccm_flows *fs, ccm_flow *f, unsigned side, const ccm_segment *seg,
                         ccm_span view, size_t kept, bool at_start)
{
    ccm_dir *d = &f->dir[side];
    bool midstream = ccm_flow_midstream(f), tail = kept && d->stream->carry_tail;
    ccm_probe out = CCM_PROBE_NO;

    for (uint8_t i = 0; i < CCM_PROTO_NONE && ccm_protos[i]; i++) {
        const ccm_proto *proto = ccm_protos[i];
        bool alone = tail && !proto->tail;
        if (proto->l4 != f->l4)
            continue;
        ccm_probe r = proto->probe(alone ? seg->data : view, midstream);
        if (r == CCM_PROBE_YES && alone) {
            carry_clear(fs, d);
            claim(fs, f, side, i, seg->data, seg->start ? 0 : SIZE_MAX, seg);
        } else if (r == CCM_PROBE_YES) {
            claim(fs, f, side, i, view, tail ? kept : at_start ? 0 : SIZE_MAX, seg);
        }
        if (r == CCM_PROBE_YES)
            return r;
        out = MAX(out, r);
    }
    return out;
}

/* What came to a flow that no parser has; d->next is already behind it. */
static void probe(ccm_flows *fs, ccm_flow *f, unsigned side, const ccm_segment *seg)
{
    ccm_dir *d = &f->dir[side];
    bool at_start = seg->start, midstream = ccm_flow_midstream(f);
    ccm_span view = seg->data;

    if (carry_of(d).n + view.n > fs->limits.head_bytes)
        carry_clear(fs, d);
    size_t kept = carry_of(d).n, keep = 0;
    if (kept) {
        carry_add(fs, d, view);
        view = carry_of(d);
        at_start = d->stream->carry_at_start;
    }
    size_t before = d->next - view.n == CCM_SEQ_ZERO ? balancer_size(view) : 0;
    if (before && before < view.n)
        view = ccm_span_of(view.p + before, view.n - before);
    ccm_probe r = ask_all(fs, f, side, seg, view, kept, at_start);
    bool maybe = r == CCM_PROBE_MAYBE;
    bool begun = maybe && view.n <= CCM_PROBE_BYTES && ccm_protos_tail(f->l4, view);
    if (f->shown[side] < CCM_PROBE_SEGMENTS && !begun)
        f->shown[side]++;
    if (r == CCM_PROBE_YES)
        return;
    if (maybe && (midstream || f->shown[side] < CCM_PROBE_SEGMENTS))
        keep = view.n;
    else if (!maybe && midstream)
        keep = ccm_protos_tail(f->l4, view);
    keep_last(fs, f, d, view, keep);
    if (carry_of(d).n) {
        d->stream->carry_at_start = keep == view.n ? at_start : keep == seg->data.n && seg->start;
        d->stream->carry_tail |= !maybe;
    }
    f->quiet = !midstream && f->shown[0] == CCM_PROBE_SEGMENTS && f->shown[1] == CCM_PROBE_SEGMENTS;
}

/* ---- what stream.c calls --------------------------------------------------------------------- */

static void feed_claimed(ccm_flows *fs, ccm_flow *f, unsigned side, const ccm_segment *seg)
{
    ccm_dir *d = &f->dir[side];
    ccm_span in = seg->data;
    bool at_start = seg->start;

    if (d->stream && d->stream->skip) {
        uint64_t n = ccm_min64(d->stream->skip, in.n);
        if (n)
            skip_pass(fs, f, side, n, false);
        if (n == in.n)
            return;
        in.p += n;
        in.n -= (size_t)n;
        at_start = at_start && !n;
    }
    d->next += in.n;
    if (carry_of(d).n) {
        carry_add(fs, d, in);
        feed_view(fs, f, side, carry_of(d), start_of(d), seg);
    } else {
        feed_view(fs, f, side, in, at_start ? 0 : SIZE_MAX, seg);
    }
}

/* Does a message surely begin here? Only text is asked about: it looks like nothing else. */
bool ccm_feed_begins(const ccm_flow *f, ccm_span in)
{
    size_t empty = 0; /* lines */
    while (empty < in.n && (in.p[empty] == '\r' || in.p[empty] == '\n'))
        empty++;
    if (empty == in.n || !g_ascii_isupper(in.p[empty]))
        return false;
    for (uint8_t i = 0; i < CCM_PROTO_NONE && ccm_protos[i]; i++)
        if (ccm_protos[i]->l4 == f->l4 && ccm_protos[i]->probe(in, false) == CCM_PROBE_YES)
            return true;
    return false;
}

/* Parsers had refused all that they were shown of the flow, but a message begins at `off`:
 * they are asked again, as in the middle of a connection. */
bool ccm_feed_again(ccm_flow *f, unsigned side, ccm_span in, uint64_t off)
{
    ccm_dir *d = &f->dir[side], *peer = &f->dir[!side];

    if (f->proto != CCM_PROTO_NONE || f->claims >= CCM_CLAIMS || (f->ended & 1u << side) ||
        !ccm_feed_begins(f, in))
        return false;
    f->lossy = true;
    if (f->quiet) { /* nobody counted */
        d->next = off;
        peer->next = ccm_max64(peer->next, peer->seq.high);
    }
    f->quiet = false;
    return true;
}

/* The bytes at d->next; `seg` may be cut, then the rest is a gap at once. */
void ccm_feed_bytes(ccm_flows *fs, ccm_flow *f, unsigned side, const ccm_segment *seg)
{
    ccm_dir *d = &f->dir[side];
    uint64_t end = d->next + seg->len, at_ns = fs->at_ns, at_frame = fs->at_frame;

    fs->at_ns = seg->time_ns;
    fs->at_frame = seg->frame;
    if (f->quiet) {
        d->next = end;
    } else if (feeds(f)) {
        feed_claimed(fs, f, side, seg);
    } else if (seg->data.n) {
        d->next += seg->data.n;
        probe(fs, f, side, seg);
    }
    if (d->next < end)
        ccm_feed_gap(fs, f, side, end - d->next);
    fs->at_ns = at_ns;
    fs->at_frame = at_frame;
}

void ccm_feed_gap(ccm_flows *fs, ccm_flow *f, unsigned side, uint64_t n)
{
    ccm_dir *d = &f->dir[side];

    if (feeds(f) && d->stream && d->stream->skip) {
        uint64_t m = ccm_min64(n, d->stream->skip);
        skip_pass(fs, f, side, m, true);
        n -= m;
    }
    if (!n)
        return;
    if (feeds(f)) {
        tail_gap(fs, f, side, n);
        return;
    }
    f->lossy = true;
    carry_clear(fs, d);
    d->next += n;
}

static void tell_skipped(ccm_flows *fs, ccm_flow *f, unsigned side)
{
    const ccm_stream *st = f->dir[side].stream;

    if (st && st->skip)
        skip_over(fs, f, side);
}

/* The direction's FIN is next. */
void ccm_feed_end(ccm_flows *fs, ccm_flow *f, unsigned side)
{
    ccm_dir *d = &f->dir[side];

    f->ended |= (uint8_t)(1u << side);
    if (!feeds(f))
        return;
    tell_skipped(fs, f, side);
    ccm_parse *ps = context(fs, f, side, d->next - carry_of(d).n);
    proto_of(f)->end(ps, carry_of(d));
    learn(f, ps);
    carry_clear(fs, d);
    if (f->ended == 3) { /* the flow goes on waiting for late packets without its parser */
        unclaim(fs, f, f->client > 0);
        f->quiet = true;
        if (!f->waiting)
            ccm_stream_free(fs, f);
    }
}

/* The flow is over. */
void ccm_feed_close(ccm_flows *fs, ccm_flow *f)
{
    if (!feeds(f))
        return;
    for (unsigned side = 0; f->tcp && side < 2; side++) {
        tell_skipped(fs, f, side);
        if (carry_of(&f->dir[side]).n)
            tail_gap(fs, f, side, 0);
    }
    unclaim(fs, f, f->client > 0);
    f->proto = CCM_PROTO_NONE;
}

static bool may_be(const ccm_proto *proto, const ccm_parse *ps)
{
    if (proto->l4 != ps->l4)
        return false;
    for (unsigned i = 0; i < G_N_ELEMENTS(proto->not_on) && proto->not_on[i]; i++)
        if (ps->end[0].port == proto->not_on[i] || ps->end[1].port == proto->not_on[i])
            return false;
    return true;
}

void ccm_feed_datagram(ccm_flows *fs, ccm_flow *f, unsigned side, const ccm_packet *p)
{
    if (f->quiet || !p->payload.n)
        return;
    for (uint8_t i = 0; f->proto == CCM_PROTO_NONE && ccm_protos[i]; i++)
        if (may_be(ccm_protos[i], context(fs, f, side, CCM_SEQ_ZERO)) &&
            ccm_protos[i]->probe(p->payload, true) == CCM_PROBE_YES) {
            f->proto = i;
            f->state = ccm_protos[i]->open(&fs->parse);
        }
    if (f->proto == CCM_PROTO_NONE) {
        if (f->shown[side] < CCM_PROBE_SEGMENTS)
            f->shown[side]++;
        f->quiet = f->shown[side] == CCM_PROBE_SEGMENTS;
        return;
    }
    ccm_parse *ps = context(fs, f, side, CCM_SEQ_ZERO);
    ps->boundary = 0;
    ccm_feed r = proto_of(f)->feed(ps, p->payload);
    learn(f, ps);
    if (r.result == CCM_FEED_BAD) {
        not_ours(fs, f, side, r.why);
    } else if (r.result == CCM_FEED_DONE) {
        unclaim(fs, f, side);
        f->quiet = true;
    }
}
