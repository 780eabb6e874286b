/* SPDX-License-Identifier: GPL-2.0-or-later
 * percent.c - from the time of sending D and the silence Y to the percentage p of the hourly mode.
 *
 * In: bursts. Out: an interval. State: none.
 *
 * The documents say Y = D (100 - p) / p and nothing of rounding. The one public log shows D rounded
 * up to halves of a second and Y down to whole seconds (throttling.md 5.3); other builds may do
 * otherwise. So each rule gives its interval. A first burst, smaller than the others, has its own D
 * and Y: a rule whose intervals for both have nothing in common is out. The answer is the hull of
 * those that stay. */
#include <math.h>

#include "model/pacing_inner.h"

typedef enum rounding { ROUND_DOWN, ROUND_NEAREST, ROUND_NONE } rounding;

typedef struct rule {
    double step; /* D is rounded up to a multiple of it; 0 = not */
    rounding quiet;
} rule;

typedef struct interval {
    double low, high; /* percent */
} interval;

/* What is tried first, and what is tried when a first burst speaks against all of these. */
static const rule usual[] = {
    { 0.5, ROUND_DOWN }, { 0, ROUND_DOWN }, { 0, ROUND_NEAREST }, { 0, ROUND_NONE }
};
static const rule other[] = { { 1, ROUND_DOWN }, { 0.25, ROUND_DOWN }, { 0.1, ROUND_DOWN } };

static double percent(double busy, double quiet)
{
    return 100 * busy / (busy + fmax(quiet, 0));
}

/* False when the rule cannot give such a silence. */
static bool interval_of(const rule *r, double busy, double quiet, interval *out)
{
    double q = r->step > 0 ? fmax(1, ceil(busy / r->step)) * r->step : busy, y;
    bool whole = ccm_pacing_whole(quiet, &y);

    switch (r->quiet) {
    case ROUND_DOWN:
        *out = (interval){ percent(q, y + 1), percent(q, y) };
        return whole;
    case ROUND_NEAREST: /* of one second it says next to nothing */
        *out = (interval){ percent(q, y + 0.5), percent(q, y - 0.5) };
        return whole && y >= 2;
    case ROUND_NONE: /* the way to the server and back counts as sending, but is silent */
        *out = (interval){ percent(q, quiet) * 0.98,
                           percent(q + fmin(0.02, q / 5), quiet - 0.02) * 1.01 };
        break;
    }
    return true;
}

static bool meet(interval a, const interval *b, interval *out)
{
    *out = (interval){ fmax(a.low, b->low), fmin(a.high, b->high) };
    return out->low < out->high;
}

typedef struct sample {
    double busy, quiet;
} sample;

/* Adds to the hull of `out` what the rules say that fit; returns how many do. `first` may be NULL.
 */
static unsigned hull(const rule *rules, unsigned n, const sample *core, const sample *first,
                     interval *out)
{
    unsigned fit = 0;

    for (unsigned i = 0; i < n; i++) {
        interval a, b;
        if (!interval_of(&rules[i], core->busy, core->quiet, &a))
            continue;
        if (first && (!interval_of(&rules[i], first->busy, first->quiet, &b) || !meet(a, &b, &a)))
            continue;
        *out = fit ? (interval){ fmin(out->low, a.low), fmax(out->high, a.high) } : a;
        fit++;
    }
    return fit;
}

static sample middle_of(const pacing_class *v, unsigned n)
{
    weighted *busy = g_new(weighted, n + 1u), *quiet = g_new(weighted, n + 1u);

    for (unsigned i = 0; i < n; i++) {
        busy[i] = (weighted){ v[i].busy, (double)v[i].count };
        quiet[i] = (weighted){ v[i].quiet, (double)v[i].count };
    }
    sample s = { ccm_pacing_median(busy, n), ccm_pacing_median(quiet, n) };
    g_free(busy);
    g_free(quiet);
    return s;
}

static bool first_burst(const pacing_set *s, double size, sample *out)
{
    pacing_class *v = g_new(pacing_class, s->n + 1u);
    unsigned n = 0;

    for (unsigned i = 0; i < s->n; i++)
        if (s->v[i].first && s->v[i].size < size / 2)
            v[n++] = s->v[i];
    *out = middle_of(v, n);
    g_free(v);
    return n > 0;
}

/* Do the times of sending differ so much that some are rounded to other halves of a second? */
static bool is_mixed(const pacing_class *v, unsigned n)
{
    double rounded = 0, all = 0;

    for (unsigned i = 0; i < n; i++) {
        rounded += v[i].rounded * (double)v[i].count;
        all += (double)v[i].count;
    }
    rounded = all > 0 ? rounded / all * 2 : 0;
    return fabs(rounded - floor(rounded + 0.5)) > 0.05;
}

/* Where each silence follows a time of sending of its own, means tell more than medians. */
static interval of_means(const pacing_class *v, unsigned n)
{
    double busy = 0, rounded = 0, quiet = 0, count = 0;

    for (unsigned i = 0; i < n; i++) {
        double c = (double)v[i].count;
        busy += v[i].busy * c;
        rounded += v[i].rounded * c;
        quiet += v[i].quiet * c;
        count += c;
    }
    busy /= count;
    rounded /= count;
    quiet /= count;
    return (interval){ fmin(percent(rounded, quiet + 1), percent(busy, quiet) * 0.98),
                       fmax(percent(rounded, quiet), percent(busy, quiet) * 1.02) };
}

/* Where sending always takes the same time, the silences after a file's first blocks are the same,
 * too: the bursts with the most frequent whole number of seconds, if these are many. Returns how
 * many classes went into `out`. */
static unsigned settled(const pacing_class *v, unsigned n, pacing_class *out)
{
    uint64_t count[91] = { 0 }, all = 0;
    unsigned best = 0, left = 0;
    double whole, busy = middle_of(v, n).busy, apart = 0;

    for (unsigned i = 0; i < n; i++) {
        all += v[i].count;
        apart += fabs(v[i].busy - busy) * (double)v[i].count;
        if (ccm_pacing_whole(v[i].quiet, &whole) && whole < 91)
            count[(unsigned)whole] += v[i].count;
    }
    for (unsigned y = 1; y < 91; y++)
        best = count[y] > count[best] ? y : best;
    if (count[best] * 3 < all || apart > 0.05 * busy * (double)all || is_mixed(v, n))
        return 0;
    for (unsigned i = 0; i < n; i++)
        if (ccm_pacing_whole(v[i].quiet, &whole) && (unsigned)whole == best)
            out[left++] = v[i];
    return left;
}

bool ccm_pacing_percent(const pacing_set *s, const pacing_class *core, unsigned n, double size,
                        bool jitter, ccm_pacing *out)
{
    pacing_class *steady = g_new(pacing_class, n + 1u);
    jitter |= is_mixed(core, n);
    unsigned n_steady = jitter ? settled(core, n, steady) : 0;
    sample usual_one = n_steady ? middle_of(steady, n_steady) : middle_of(core, n), first;
    interval i = { 0, 0 };

    g_free(steady);
    if (jitter && !n_steady)
        i = of_means(core, n);
    else if (!first_burst(s, size, &first) ||
             (!hull(usual, G_N_ELEMENTS(usual), &usual_one, &first, &i) &&
              !hull(other, G_N_ELEMENTS(other), &usual_one, &first, &i)))
        hull(usual, G_N_ELEMENTS(usual), &usual_one, NULL, &i);
    /* The silences after a file's first blocks are longer than those after its later ones, as the
     * estimate of the rate still holds the first, small block, whose own silence is right. */
    bool early = false;
    for (unsigned k = 0; k < n; k++)
        early |= core[k].early;
    interval own;
    bool known = early && first_burst(s, size, &first) &&
                 hull(usual, G_N_ELEMENTS(usual), &first, NULL, &own);
    if (known)
        i.high = fmax(i.high, own.high);
    out->percent_low = (unsigned)(fmax(i.low, 0) * 10 + 0.5);
    out->percent_high = (unsigned)(fmin(i.high, 100) * 10 + 0.5);
    return !early || known;
}
