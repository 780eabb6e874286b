/* SPDX-License-Identifier: GPL-2.0-or-later
 * pair_yield.c - does a transfer give way to others (LEDBAT), and come back after them?
 *
 * In: bytes per second of a pair and of what shares an end with it. Out: a yes or no. State: none.
 * Ordinary TCP takes about half beside one other flow; what yields takes far less, while the two
 * together still fill the link. Spec: throttling.md section 8, signature 2. */
#include "model/pacing_inner.h"
#include "model/view_pairs.h"

enum { LEAST = 10, DAY = 86400 };

/* Median of `v` where `when` has this value. */
static double median_when(const double *v, const char *when, char value, unsigned n)
{
    weighted *w = g_new(weighted, n + 1u);
    unsigned count = 0;

    for (unsigned i = 0; i < n; i++)
        if (when[i] == value)
            w[count++] = (weighted){ v[i], 1 };
    double m = count < LEAST ? -1 : ccm_pacing_median(w, count);
    g_free(w);
    return m;
}

bool ccm_pair_yields(const pace_pair *p, const pair_bucket *others, unsigned n_others)
{
    uint64_t first = p->time[0].second, last = p->time[p->n_time - 1].second;
    unsigned n = (unsigned)(last - first) + 1, after = 0;

    if (last - first >= DAY)
        return false;
    double *own = g_new0(double, n), *other = g_new0(double, n), *both = g_new0(double, n);
    char *when = g_new0(char, n);
    for (unsigned i = 0; i < p->n_time; i++)
        own[p->time[i].second - first] += (double)p->time[i].bytes[1];
    for (unsigned i = 0; i < n_others; i++)
        if (others[i].second >= first && others[i].second <= last)
            other[others[i].second - first] += (double)(others[i].bytes[0] + others[i].bytes[1]);
    for (unsigned i = 0; i < n; i++) {
        both[i] = own[i] + other[i];
        when[i] = other[i] < both[i] * 0.1 ? 'a' : 'c'; /* alone, contested */
    }
    double alone = median_when(own, when, 'a', n);
    for (unsigned i = 0; i < n; i++)
        if (when[i] == 'c' && other[i] < alone * 0.3)
            when[i] = ' ';
    double contested = median_when(own, when, 'c', n), together = median_when(both, when, 'c', n);
    /* Who yields goes on with a trickle; who sends nothing has nothing to send. */
    unsigned trickle = 0, seconds = 0;
    for (unsigned i = 0; i < n; i++) {
        seconds += when[i] == 'c';
        trickle += when[i] == 'c' && own[i] > 0;
    }
    for (unsigned i = 1; i < n; i++) /* back within seconds */
        if (when[i - 1] == 'a' && when[i] == 'a' && own[i] > alone * 0.7 && i > LEAST &&
            memchr(when + i - LEAST, 'c', LEAST))
            after++;
    g_free(own);
    g_free(other);
    g_free(both);
    g_free(when);
    return alone > 0 && contested >= 0 && contested < 0.2 * alone && together > 0.6 * alone &&
           after && trickle * 5 >= seconds * 4;
}
