/* SPDX-License-Identifier: GPL-2.0-or-later
 * inner.c - a byte stream inside another protocol, shown to the parsers as a connection of its own.
 * In: bytes of both directions in order, gaps, ends. Out: calls of a ccm_proto, whose observations
 * carry where they come from. State: what the parser left unused, bounded; bytes that it skips are
 * only counted. The rules are those of flow/feed.c, without sequence numbers. */
#include "proto/inner.h"

enum {
    PROBE_SEGMENTS = 8, /* pieces of a direction that the parsers may refuse */
    CLAIMS = 4,         /* times that parsers may claim the stream */
    NESTING_MAX = 3,
    AUTHORITY_MAX = 255,
};

typedef struct half {
    uint8_t *carry; /* what the parser left unused */
    size_t n, room;
    uint64_t pos;  /* offset behind all that came, was skipped or is lost */
    uint64_t skip; /* bytes left to skip; UINT64_MAX = until the end */
    uint64_t skipped, missing;
    uint8_t shown;
    bool carry_tail; /* only parsers that asked for it see the carry */
    bool ended;
} half;

struct ccm_inner {
    ccm_parse ps; /* of the call at work */
    const ccm_proto *proto;
    half half[2];
    uint8_t claims;
    bool lossy; /* bytes were lost before a parser saw them */
    bool quiet; /* no parser wants the rest */
    bool decrypted;
    uint8_t n_authority;
    uint64_t exchanges;
    uint8_t authority[AUTHORITY_MAX];
};

ccm_inner *ccm_inner_new(const ccm_parse *outer, bool decrypted)
{
    ccm_inner *in = g_new0(ccm_inner, 1);
    in->decrypted = decrypted || outer->decrypted;
    in->quiet = outer->nesting >= NESTING_MAX;
    in->exchanges = outer->exchanges;
    in->ps.state = NULL;
    return in;
}

void ccm_inner_through(ccm_inner *in, ccm_span authority, uint64_t exchange)
{
    in->n_authority = (uint8_t)MIN(authority.n, sizeof in->authority);
    if (in->n_authority)
        memcpy(in->authority, authority.p, in->n_authority);
    in->exchanges = exchange;
}

/* The context of a call about bytes at offset `pos`. */
static ccm_parse *context(ccm_inner *in, const ccm_parse *outer, uint64_t pos)
{
    void *state = in->ps.state;
    in->ps = *outer;
    in->ps.state = state;
    in->ps.nesting++;
    in->ps.decrypted = in->decrypted;
    in->ps.exchanges = in->exchanges;
    if (in->n_authority)
        in->ps.through = ccm_span_of(in->authority, in->n_authority);
    in->ps.midstream = in->lossy;
    in->ps.boundary = SIZE_MAX;
    in->ps.pos = pos;
    in->ps.peer_acked = in->half[!(outer->dir & 1)].pos;
    in->ps.client = -1;
    return &in->ps;
}

static half *half_of(ccm_inner *in, const ccm_parse *outer)
{
    return &in->half[outer->dir & 1];
}

static bool feeds(const ccm_inner *in)
{
    return in->proto && !in->quiet;
}

static void learn(const ccm_inner *in, ccm_parse *outer)
{
    if (in->ps.client >= 0)
        outer->client = in->ps.client;
}

/* ---- carry ----------------------------------------------------------------------------------- */

static void carry_clear(half *h, const ccm_parse *outer)
{
    if (outer->gathered)
        *outer->gathered -= h->room;
    g_free(h->carry);
    h->carry = NULL;
    h->carry_tail = false;
    h->n = h->room = 0;
}

/* False when all flows together hold too much already. */
static bool carry_add(half *h, const ccm_parse *outer, ccm_span bytes)
{
    if (h->n + bytes.n > h->room) {
        size_t room = (h->n + bytes.n) * 2;
        if (outer->gathered && *outer->gathered + (room - h->room) > outer->limits->pending_bytes)
            return false;
        if (outer->gathered)
            *outer->gathered += room - h->room;
        h->carry = g_realloc(h->carry, room);
        h->room = room;
    }
    if (bytes.n)
        memcpy(h->carry + h->n, bytes.p, bytes.n);
    h->n += bytes.n;
    return true;
}

static void tell_limit(ccm_inner *in, ccm_parse *outer, const char *name)
{
    ccm_obs o;
    ccm_obs_at(context(in, outer, 0), &o, CCM_OBS_limit, outer->dir);
    ccm_obs_str(&o, CCM_KEY_limit, ccm_span_str(name));
    ccm_obs_u64(&o, CCM_KEY_count, 1);
    outer->emit(outer->emit_data, &o);
}

/* ---- skips ----------------------------------------------------------------------------------- */

static void skip_over(ccm_inner *in, ccm_parse *outer)
{
    half *h = half_of(in, outer);
    uint64_t n = h->skipped, missing = h->missing;
    h->skip = h->skipped = h->missing = 0;
    in->proto->skipped(context(in, outer, h->pos), n, missing);
    learn(in, outer);
}

/* Passes at most `n` bytes of a skip; returns how many. */
static uint64_t skip_pass(ccm_inner *in, ccm_parse *outer, uint64_t n, bool missing)
{
    half *h = half_of(in, outer);
    n = ccm_min64(n, h->skip);
    h->pos += n;
    h->skipped += n;
    h->missing += missing ? n : 0;
    if (h->skip != UINT64_MAX)
        h->skip -= n;
    if (!h->skip)
        skip_over(in, outer);
    return n;
}

/* ---- parsers come and go --------------------------------------------------------------------- */

static void unclaim(ccm_inner *in, ccm_parse *outer)
{
    in->proto->close(context(in, outer, half_of(in, outer)->pos));
    in->exchanges = ccm_max64(in->exchanges, in->ps.exchanges);
    in->ps.state = NULL;
    in->proto = NULL;
    for (unsigned i = 0; i < 2; i++) {
        carry_clear(&in->half[i], outer);
        in->half[i].skip = in->half[i].skipped = in->half[i].missing = 0;
    }
}

static void not_ours(ccm_inner *in, ccm_parse *outer, const char *why)
{
    ccm_obs o;
    ccm_span name = ccm_span_str(in->proto->name);
    unclaim(in, outer);
    in->lossy = true; /* where a message begins is not known any more */
    in->quiet = in->claims >= CLAIMS;
    ccm_obs_at(context(in, outer, 0), &o, CCM_OBS_anomaly, outer->dir);
    ccm_obs_str(&o, CCM_KEY_protocol, name);
    ccm_obs_str(&o, CCM_KEY_reason, ccm_span_str(why ? why : "not this protocol"));
    ccm_obs_u64(&o, CCM_KEY_count, 1);
    outer->emit(outer->emit_data, &o);
}

static void tail_gap(ccm_inner *in, ccm_parse *outer, uint64_t n)
{
    half *h = half_of(in, outer);
    in->lossy = true;
    in->proto->gap(context(in, outer, h->pos - h->n), n, ccm_span_of(h->carry, h->n));
    learn(in, outer);
    carry_clear(h, outer);
    h->pos += n == CCM_GAP_UNKNOWN ? 0 : n;
}

/* Keeps what the parser left of `view`. */
static void keep_rest(ccm_inner *in, ccm_parse *outer, ccm_span view)
{
    half *h = half_of(in, outer);
    bool fits = true;
    if (!view.n) {
        carry_clear(h, outer);
        return;
    }
    if (h->n) { /* view is the end of the carry */
        memmove(h->carry, view.p, view.n);
        h->n = view.n;
    } else {
        fits = carry_add(h, outer, view);
    }
    if (fits && h->n <= outer->limits->head_bytes)
        return;
    tell_limit(in, outer, fits ? "head_bytes" : "pending_bytes");
    tail_gap(in, outer, fits ? 0 : view.n);
}

/* Shows `view`, whose last byte is just before h->pos, until the parser wants more. A piece begins
 * at `boundary` (SIZE_MAX: none does). */
static void feed_view(ccm_inner *in, ccm_parse *outer, ccm_span view, size_t boundary)
{
    half *h = half_of(in, outer);
    while (view.n && feeds(in)) {
        ccm_parse *ps = context(in, outer, h->pos - view.n);
        ps->boundary = boundary;
        ccm_feed r = in->proto->feed(ps, view);
        learn(in, outer);
        if (r.result == CCM_FEED_BAD) {
            not_ours(in, outer, r.why);
            return;
        }
        if (r.result == CCM_FEED_DONE) {
            unclaim(in, outer);
            in->quiet = true;
            return;
        }
        size_t used = MIN(r.used, view.n);
        boundary = boundary < used || boundary == SIZE_MAX ? SIZE_MAX : boundary - used;
        view = ccm_span_of(view.p + used, view.n - used);
        if (!r.skip)
            break;
        h->skip = r.skip;
        h->skipped = h->missing = 0;
        h->pos -= view.n;
        uint64_t n = view.n ? skip_pass(in, outer, view.n, false) : 0;
        view = ccm_span_of(view.p + n, view.n - (size_t)n);
        h->pos += view.n;
        boundary = SIZE_MAX;
    }
    if (feeds(in))
        keep_rest(in, outer, view);
}

static void claim(ccm_inner *in, ccm_parse *outer, const ccm_proto *proto, ccm_span view,
                  size_t boundary)
{
    half *h = half_of(in, outer), *peer = &in->half[!(outer->dir & 1)];
    in->proto = proto;
    in->claims++;
    in->ps.state = proto->open(context(in, outer, h->pos - view.n));
    learn(in, outer);
    if (peer->n) { /* what the other side said before */
        outer->dir = !outer->dir;
        feed_view(in, outer, ccm_span_of(peer->carry, peer->n), peer->carry_tail ? SIZE_MAX : 0);
        outer->dir = !outer->dir;
    }
    if (feeds(in))
        feed_view(in, outer, view, boundary);
}

/* Shows `view`, whose last bytes are the piece `bytes`, to every parser; those that did not ask for
 * a tail see the piece alone. YES: one of them has it now. */
static ccm_probe ask_all(ccm_inner *in, ccm_parse *outer, ccm_span view, ccm_span bytes)
{
    const half *h = half_of(in, outer);
    bool tail = view.n > bytes.n && h->carry_tail;
    ccm_probe out = CCM_PROBE_NO;
    for (unsigned i = 0; ccm_protos[i]; i++) {
        bool alone = tail && !ccm_protos[i]->tail;
        if (ccm_protos[i]->l4 != outer->l4)
            continue;
        ccm_probe r = ccm_protos[i]->probe(alone ? bytes : view, in->lossy);
        if (r == CCM_PROBE_YES) {
            claim(in, outer, ccm_protos[i], alone ? bytes : view,
                  tail && !alone ? view.n - bytes.n : 0);
            return r;
        }
        out = MAX(out, r);
    }
    return out;
}

/* Keeps the last `n` bytes of `view`, which ends where the carry does, if there is one. */
static void keep_last(half *h, const ccm_parse *outer, ccm_span view, size_t n)
{
    if (!n) {
        carry_clear(h, outer);
    } else if (h->n) {
        memmove(h->carry, h->carry + h->n - n, n);
        h->n = n;
    } else if (n <= outer->limits->head_bytes) {
        (void)carry_add(h, outer, ccm_span_of(view.p + view.n - n, n));
    }
}

/* Shows what came to every parser; h->pos is already behind it. */
static void probe(ccm_inner *in, ccm_parse *outer, ccm_span bytes)
{
    half *h = half_of(in, outer);
    ccm_span view = bytes;
    size_t keep = 0;
    if (h->shown < PROBE_SEGMENTS)
        h->shown++;
    if (h->n + bytes.n > outer->limits->head_bytes)
        carry_clear(h, outer);
    if (h->n && !carry_add(h, outer, bytes))
        carry_clear(h, outer);
    else if (h->n)
        view = ccm_span_of(h->carry, h->n);
    ccm_probe r = ask_all(in, outer, view, bytes);
    if (r == CCM_PROBE_YES)
        return;
    if (r == CCM_PROBE_MAYBE && (in->lossy || h->shown < PROBE_SEGMENTS))
        keep = view.n;
    else if (r == CCM_PROBE_NO && in->lossy)
        keep = ccm_protos_tail(outer->l4, view);
    keep_last(h, outer, view, keep);
    h->carry_tail = h->n && (h->carry_tail || r == CCM_PROBE_NO);
    in->quiet =
        !in->lossy && in->half[0].shown == PROBE_SEGMENTS && in->half[1].shown == PROBE_SEGMENTS;
}

/* ---- what others call ------------------------------------------------------------------------ */

void ccm_inner_bytes(ccm_inner *in, ccm_parse *outer, ccm_span bytes)
{
    half *h = half_of(in, outer);
    if (in->quiet || h->ended || !bytes.n)
        return;
    if (feeds(in) && h->skip) {
        uint64_t n = skip_pass(in, outer, bytes.n, false);
        bytes = ccm_span_of(bytes.p + n, bytes.n - (size_t)n);
    }
    h->pos += bytes.n;
    if (!bytes.n)
        return;
    if (!feeds(in)) {
        probe(in, outer, bytes);
    } else if (!h->n) {
        feed_view(in, outer, bytes, 0);
    } else if (carry_add(h, outer, bytes)) {
        feed_view(in, outer, ccm_span_of(h->carry, h->n), SIZE_MAX);
    } else {
        h->pos -= bytes.n;
        tell_limit(in, outer, "pending_bytes");
        tail_gap(in, outer, bytes.n);
    }
}

bool ccm_inner_wants(const ccm_inner *in)
{
    return !in->quiet;
}

void ccm_inner_gap(ccm_inner *in, ccm_parse *outer, uint64_t n)
{
    half *h = half_of(in, outer);
    if (in->quiet || h->ended)
        return;
    if (feeds(in) && h->skip) {
        if (n == CCM_GAP_UNKNOWN) /* how much of the skip is over cannot be told */
            skip_over(in, outer);
        else
            n -= skip_pass(in, outer, n, true);
    }
    if (n && feeds(in)) {
        tail_gap(in, outer, n);
    } else if (n) {
        in->lossy = true;
        carry_clear(h, outer);
        h->pos += n == CCM_GAP_UNKNOWN ? 0 : n;
    }
}

void ccm_inner_end(ccm_inner *in, ccm_parse *outer)
{
    half *h = half_of(in, outer);
    if (in->quiet || h->ended)
        return;
    h->ended = true;
    if (!feeds(in))
        return;
    if (h->skip)
        skip_over(in, outer);
    in->proto->end(context(in, outer, h->pos - h->n), ccm_span_of(h->carry, h->n));
    learn(in, outer);
    carry_clear(h, outer);
}

void ccm_inner_anew(ccm_inner *in, ccm_parse *outer)
{
    uint8_t dir = outer->dir;
    for (uint8_t i = 0; i < 2 && feeds(in); i++) {
        outer->dir = i;
        if (in->half[i].skip)
            skip_over(in, outer);
        if (in->half[i].n && feeds(in))
            tail_gap(in, outer, 0);
    }
    outer->dir = dir;
    if (in->proto)
        unclaim(in, outer);
    for (unsigned i = 0; i < 2; i++)
        carry_clear(&in->half[i], outer);
}

void ccm_inner_free(ccm_inner *in, ccm_parse *outer)
{
    if (!in)
        return;
    ccm_inner_anew(in, outer);
    g_free(in);
}
