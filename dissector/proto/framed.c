/* SPDX-License-Identifier: GPL-2.0-or-later
 * framed.c - see framed.h. */
#include "proto/framed.h"

typedef struct half {
    uint64_t left; /* bytes of a reported message that are still to come */
    bool seek;     /* where the next message begins is not known */
} half;

typedef struct state {
    half half[2];
} state;

static half *half_of(const ccm_parse *ps)
{
    return &((state *)ps->state)->half[ps->dir & 1];
}

ccm_probe ccm_framed_probe(const ccm_framing *f, ccm_span in, bool midstream)
{
    size_t size;
    bool found = false;
    ccm_probe r = f->shape(in, &size);

    if (!midstream || r == CCM_PROBE_YES)
        return r;
    (void)f->seek(in, &found);
    return found ? CCM_PROBE_YES : r;
}

void *ccm_framed_open(ccm_parse *ps)
{
    state *st = g_new0(state, 1);
    st->half[0].seek = st->half[1].seek = ps->midstream;
    return st;
}

ccm_feed ccm_framed_feed(const ccm_framing *f, ccm_parse *ps, ccm_span in)
{
    half *h = half_of(ps);
    ccm_feed out = { .result = CCM_FEED_OK };

    while (out.used < in.n) {
        ccm_span rest = ccm_span_of(in.p + out.used, in.n - out.used);
        if (h->left) {
            size_t n = (size_t)ccm_min64(h->left, rest.n);
            out.used += n;
            h->left -= n;
            continue;
        }
        if (h->seek) {
            bool found = false;
            out.used += f->seek(rest, &found);
            h->seek = !found;
            if (h->seek)
                break;
            continue;
        }
        size_t size = 0;
        ccm_probe r = f->length(rest, &size);
        if (r == CCM_PROBE_MAYBE ||
            (r == CCM_PROBE_YES && rest.n < MIN(size, ps->limits->head_bytes)))
            break;
        size_t n = MIN(size, rest.n);
        if (r == CCM_PROBE_NO || !f->message(ps, ccm_span_of(rest.p + f->prefix, n - f->prefix)))
            return (ccm_feed){ .result = CCM_FEED_BAD, .why = "no message where one should begin" };
        out.used += n;
        h->left = size - n;
    }
    out.skip = h->left;
    h->left = 0;
    return out;
}

/* Reports the beginning of a message whose next bytes will not come. */
static void cut(const ccm_framing *f, ccm_parse *ps, half *h, ccm_span tail)
{
    size_t size;

    if (h->seek || h->left || f->shape(tail, &size) != CCM_PROBE_YES)
        return;
    size_t n = MIN(size, tail.n);
    f->message(ps, ccm_span_of(tail.p + f->prefix, n - f->prefix));
    h->left = size - n;
}

void ccm_framed_gap(const ccm_framing *f, ccm_parse *ps, uint64_t n, ccm_span tail)
{
    half *h = half_of(ps);

    cut(f, ps, h, tail);
    bool inside = h->left && n <= h->left;
    h->left = inside ? h->left - n : 0;
    h->seek = !inside;
}

void ccm_framed_end(const ccm_framing *f, ccm_parse *ps, ccm_span tail)
{
    half *h = half_of(ps);

    cut(f, ps, h, tail);
    h->left = 0;
    h->seek = true;
}

void ccm_framed_close(ccm_parse *ps)
{
    g_free(ps->state);
}

void *ccm_stateless_open(ccm_parse *ps)
{
    (void)ps;
    return NULL;
}

void ccm_stateless_skipped(ccm_parse *ps, uint64_t n, uint64_t missing)
{
    (void)ps;
    (void)n;
    (void)missing;
}

void ccm_stateless_gap(ccm_parse *ps, uint64_t n, ccm_span tail)
{
    (void)ps;
    (void)n;
    (void)tail;
}

void ccm_stateless_end(ccm_parse *ps, ccm_span tail)
{
    (void)ps;
    (void)tail;
}

void ccm_stateless_close(ccm_parse *ps)
{
    (void)ps;
}
