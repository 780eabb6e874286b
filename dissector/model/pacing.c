/* SPDX-License-Identifier: GPL-2.0-or-later
 * pacing.c - the detector: from bursts and silences to a verdict.
 *
 * In: points. Out: ccm_pacing. State: none. The block and the delay are estimated, never assumed;
 * the percentage of the hourly mode comes from every rule of rounding that fits (percent.c). */
#include <math.h>

#include "model/pacing_inner.h"

/* What throttling.md section 9 uses, in its order. */
static const double idle_least = 0.03, core_width = 0.05, core_least = 0.4, quiet_spread = 0.25;
static const double largest_block = 256 * 1024 * 1.06;
enum { BURSTS_LEAST = 8, CORE_LEAST = 6, BURSTS_GOOD = 20, TENS_LEAST = 6, PERCENT_LEAST = 10 };

static int by_size(const void *a, const void *b)
{
    double x = ((const pacing_class *)a)->size, y = ((const pacing_class *)b)->size;
    return x < y ? -1 : x > y;
}

static int by_value(const void *a, const void *b)
{
    double x = ((const weighted *)a)->value, y = ((const weighted *)b)->value;
    return x < y ? -1 : x > y;
}

double ccm_pacing_median(weighted *v, unsigned n)
{
    double all = 0, sum = 0;

    if (!n)
        return 0;
    qsort(v, n, sizeof *v, by_value);
    for (unsigned i = 0; i < n; i++)
        all += v[i].weight;
    for (unsigned i = 0; i < n; i++)
        if ((sum += v[i].weight) >= all / 2)
            return v[i].value;
    return v[n - 1].value;
}

/* Median, and median deviation from it, of what `of` gives for the classes. */
static double middle(const pacing_class *v, unsigned n, double (*of)(const pacing_class *),
                     double *spread)
{
    weighted *w = g_new(weighted, n + 1u);

    for (unsigned i = 0; i < n; i++)
        w[i] = (weighted){ of(&v[i]), (double)v[i].count };
    double m = ccm_pacing_median(w, n);
    for (unsigned i = 0; i < n; i++)
        w[i].value = fabs(w[i].value - m);
    *spread = ccm_pacing_median(w, n);
    g_free(w);
    return m;
}

static double quiet_of(const pacing_class *c)
{
    return c->quiet;
}

static double busy_of(const pacing_class *c)
{
    return c->busy;
}

static double ratio_of(const pacing_class *c)
{
    return c->quiet / (c->busy > 1e-4 ? c->busy : 1e-4);
}

static uint64_t weight(const pacing_class *v, unsigned n)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < n; i++)
        count += v[i].count;
    return count;
}

/* ---- gathering ------------------------------------------------------------------------------- */

/* The wait for an answer counts as sending, for the sender and here. */
static pacing_class class_of(const ccm_pace_point *p, double rtt)
{
    double count = (double)p->count, quiet = (double)p->quiet_ns / count / 1e9;
    double answer = rtt > 0.02 ? fmin(rtt, quiet) : 0;

    return (pacing_class){ .count = p->count,
                           .size = (double)p->bytes / count,
                           .busy = (double)p->busy_ns / count / 1e9 + answer,
                           .quiet = quiet - answer,
                           .rounded = (double)p->halves / count / 2,
                           .file_end = p->what & CCM_PACE_FILE_END,
                           .first = p->what & CCM_PACE_FIRST,
                           .early = p->what & CCM_PACE_EARLY };
}

static void gather_burst(pacing_set *s, const ccm_pace_point *p, double rtt, ccm_pacing *out)
{
    bool slow = ccm_pace_quiet_of(p->what) >= CCM_PACE_SLOW, known = ccm_pace_size_of(p->what) != 0;

    if (slow) {
        if (known)
            s->slow[s->n_slow++] = class_of(p, rtt);
        return;
    }
    out->bursts += p->count;
    s->paced_bytes += p->bytes;
    s->paced_ns += p->busy_ns + p->quiet_ns;
    if ((double)p->quiet_ns <= (1.5 * rtt + 0.1) * 1e9 * (double)p->count) {
        s->waits += p->count;
        out->busy_ns += p->quiet_ns;
        return;
    }
    out->quiet_ns += p->quiet_ns;
    if (known)
        s->v[s->n++] = class_of(p, rtt);
}

static void gather_ten(pacing_set *s, const ccm_pace_point *p, ccm_pacing *out)
{
    unsigned size = ccm_pace_size_of(p->what);

    if (!s->tens)
        s->tens = g_new0(uint64_t, 0x1000 * 2);
    s->tens[size * 2] += p->count;
    s->tens[size * 2 + 1] += p->bytes;
    out->ten_max_bps = ccm_max64(out->ten_max_bps, p->bytes / p->count * 8 / CCM_PACE_TEN_S);
}

static void gather(pacing_set *s, const ccm_pace_point *const *v, unsigned n,
                   const ccm_pacing_context *c, ccm_pacing *out)
{
    s->v = g_new(pacing_class, n + 1u);
    s->slow = g_new(pacing_class, n + 1u);
    out->first_ns = UINT64_MAX;
    for (unsigned i = 0; i < n; i++) {
        const ccm_pace_point *p = v[i];
        ccm_pace_kind kind = ccm_pace_kind_of(p->what);
        if (kind == CCM_PACE_TEN)
            gather_ten(s, p, out);
        s->has_files |= kind == CCM_PACE_FILE;
        if (kind > CCM_PACE_GOING)
            continue;
        out->first_ns = ccm_min64(out->first_ns, p->first_ns);
        out->last_ns = ccm_max64(out->last_ns, p->last_ns);
        out->bytes += p->bytes;
        out->busy_ns += p->busy_ns;
        if (kind == CCM_PACE_BURST)
            gather_burst(s, p, c->upward ? c->rtt : 0, out);
    }
    qsort(s->v, s->n, sizeof *s->v, by_size);
}

/* The most frequent size among v[0..n), which are sorted; [*from, *to) are within 5 % of it. */
static double usual_size(const pacing_class *v, unsigned n, unsigned *from, unsigned *to)
{
    uint64_t best = 0, count = 0;
    double size = 0, sum = 0;

    for (unsigned i = 0, j = 0; i < n; i++) {
        for (; j < n && v[j].size <= v[i].size * (1 + core_width); j++) {
            count += v[j].count;
            sum += v[j].size * (double)v[j].count;
        }
        if (count > best) {
            best = count;
            size = sum / (double)count;
        }
        count -= v[i].count;
        sum -= v[i].size * (double)v[i].count;
    }
    *from = *to = 0;
    for (unsigned i = 0; i < n; i++) {
        if (v[i].size < size * (1 - core_width))
            *from = i + 1;
        if (v[i].size <= size * (1 + core_width))
            *to = i + 1;
    }
    return size;
}

/* ---- verdicts -------------------------------------------------------------------------------- */

/* Near a whole number of seconds: a little more is the way there and back. */
bool ccm_pacing_whole(double seconds, double *whole)
{
    *whole = floor(seconds + 0.15);
    return *whole >= 1 && seconds - *whole <= 0.25;
}

static void rate_confidence(double sure, ccm_pacing_verdict verdict, const ccm_pacing_context *c,
                            ccm_pacing *out)
{
    if (c->retransmitted > 0.01) {
        sure -= 0.2;
        out->notes |= CCM_NOTE_LOSS;
    }
    if (c->missing > 0.001) {
        sure -= 0.3;
        out->notes |= CCM_NOTE_LOSS;
    }
    if (verdict == CCM_PACING_PULSE)
        out->notes |= CCM_NOTE_MAY_BE_HOURLY;
    if (verdict == CCM_PACING_HOURLY) { /* its slice rule is inferred */
        sure = fmin(sure, 0.79);
        out->notes |= CCM_NOTE_INFERRED;
    }
    if (c->connections > 15 && (verdict == CCM_PACING_HOURLY || verdict == CCM_PACING_PULSE)) {
        sure = fmin(sure, 0.4);
        out->notes |= CCM_NOTE_SHARED;
        out->block_high *= (c->connections + 5) / 10;
        if (verdict == CCM_PACING_PULSE)
            out->block_high = ccm_min64(out->block_high, 256 * 1024);
    }
    out->verdict = verdict;
    out->certainty = sure >= 0.795   ? CCM_CERTAINTY_STRONG
                     : sure >= 0.495 ? CCM_CERTAINTY_LIKELY
                                     : CCM_CERTAINTY_WEAK;
}

static double of_core(const ccm_pacing *out)
{
    return 0.9 - (out->core < 0.6 ? 0.2 : 0) - (out->bursts < BURSTS_GOOD ? 0.2 : 0);
}

static void tell_block(ccm_pacing *out, double size, const ccm_pacing_context *c)
{
    /* Headers of the file protocol are part of it, at most a few percent; what the capture lost is
     * not. */
    out->block_low = (uint64_t)(size / 1.035);
    out->block_high = (uint64_t)(size * (1 + 2 * fmin(c->missing, 0.1)));
}

/* In whole KiB, as the setting is. */
static void tell_pulse_block(ccm_pacing *out, double size, const ccm_pacing_context *c)
{
    tell_block(out, size, c);
    uint64_t high = (out->block_high + 512) / 1024, low = (out->block_low + 1023) / 1024;
    high = CLAMP(high, 1, 256);
    out->block_high = high * 1024;
    out->block_low = ccm_min64(low ? low : 1, high) * 1024;
}

/* Bursts of at most 256 KiB, the same silence after each, 1 to 30 seconds. */
static bool is_pulse(const pacing_class *core, unsigned n, double quiet, double spread,
                     ccm_pacing *out)
{
    double busy_spread, whole, busy = middle(core, n, busy_of, &busy_spread);

    if (spread > quiet_spread || quiet > 30.5)
        return false;
    if (!ccm_pacing_whole(quiet, &whole)) {
        if (!ccm_pacing_whole(quiet + busy, &whole) || quiet + busy - whole > 0.1)
            return false;
        out->notes |= CCM_NOTE_PERIOD;
    }
    out->delay_low_ns = out->delay_high_ns = (uint64_t)whole * CCM_NS;
    return true;
}

static void tell_duty(ccm_pacing *out, const pacing_class *core, unsigned n)
{
    double spread, busy = middle(core, n, busy_of, &spread),
                   quiet = middle(core, n, quiet_of, &spread);
    out->duty = (unsigned)(busy / (busy + quiet) * 10000 + 0.5);
}

static bool try_hourly(const pacing_set *s, const pacing_class *core, unsigned n, double size,
                       double quiet, double spread, const ccm_pacing_context *c, ccm_pacing *out)
{
    double ratio_spread, ratio = middle(core, n, ratio_of, &ratio_spread);
    bool jitter = spread > quiet_spread;

    /* Silences that follow the time of sending are no accident of applications. */
    if (quiet < 0.5 || (jitter && ratio_spread > 0.25 * ratio))
        return false;
    bool known = ccm_pacing_percent(s, core, n, size, jitter, out);
    if (out->percent_high < PERCENT_LEAST) {
        out->percent_low = out->percent_high = 0;
        return false;
    }
    tell_block(out, size, c);
    tell_duty(out, core, n);
    if (out->duty < out->percent_low * 5) /* both a share; less than half of it */
        out->notes |= CCM_NOTE_FAST_LINK;
    /* Silences of less than a second are rather those of a satellite or of a disk, and so large a
     * block is rather what a disk takes at once. */
    double sure = of_core(out);
    if (quiet < 0.85 || size > 16 * 1048576 || !known)
        sure = fmin(sure, 0.4);
    rate_confidence(sure, CCM_PACING_HOURLY, c, out);
    return true;
}

/* Silences as long as those between jobs, but alike after blocks that are alike: a small percentage
 * on a slow link. */
static bool try_slow(const pacing_set *s, const ccm_pacing_context *c, ccm_pacing *out)
{
    pacing_class *v = g_new(pacing_class, s->n_slow + 1u);
    unsigned n = 0, from, to;
    double spread;
    bool is = false;

    for (unsigned i = 0; i < s->n_slow; i++)
        if (!s->slow[i].file_end)
            v[n++] = s->slow[i];
    qsort(v, n, sizeof *v, by_size);
    double size = usual_size(v, n, &from, &to);
    uint64_t core = weight(v + from, to - from);
    if (core >= BURSTS_LEAST && (double)core >= 0.6 * (double)weight(v, n)) {
        ccm_pacing slow = *out;
        double quiet = middle(v + from, to - from, quiet_of, &spread);
        slow.core = (double)core / (double)weight(v, n);
        slow.bursts = core;
        is = spread <= 0.1 * quiet &&
             try_hourly(s, v + from, to - from, size, quiet, spread, c, &slow);
        if (is) {
            slow.rate_bps =
                (uint64_t)(size * 8 / (quiet + middle(v + from, to - from, busy_of, &spread)));
            /* Without files to see, a job that comes by the clock looks the same. */
            if (!s->has_files)
                slow.certainty = MIN(slow.certainty, CCM_CERTAINTY_WEAK);
            *out = slow;
        }
    }
    g_free(v);
    return is;
}

/* Sizes differ, as of small files, or of time slices on a busy link. */
static bool without_core(const pacing_set *s, const ccm_pacing_context *c, ccm_pacing *out)
{
    double spread, busy_spread, whole;
    double quiet = middle(s->v, s->n, quiet_of, &spread),
           busy = middle(s->v, s->n, busy_of, &busy_spread);
    double largest = s->n ? s->v[s->n - 1].size : 0;

    if (s->n == 0 || spread > 0.1)
        return false;
    if (largest <= largest_block && ccm_pacing_whole(quiet, &whole)) {
        tell_pulse_block(out, largest, c);
        out->delay_low_ns = out->delay_high_ns = (uint64_t)whole * CCM_NS;
        out->block_low = out->block_high; /* and maybe more */
        out->notes |= CCM_NOTE_LOWER_BLOCK;
        rate_confidence(fmin(of_core(out) - 0.1, s->has_files ? 1 : 0.4), CCM_PACING_PULSE, c, out);
        return true;
    }
    if (busy < 0.25 || busy_spread > 0.1 * busy)
        return false;
    tell_duty(out, s->v, s->n);
    ccm_pacing_percent(s, s->v, s->n, 0, false, out);
    out->notes |= CCM_NOTE_SLICE;
    rate_confidence(of_core(out) - 0.1, CCM_PACING_HOURLY, c, out);
    return true;
}

typedef struct pacing_core {
    pacing_class *v; /* what was looked at */
    unsigned n, from, to;
    double size;
    bool whole_files; /* bursts that ended with their file are among them */
} pacing_core;

/* The first block of a file may be small, the silences after the next ones long, and the one after
 * its end anything; so these are left out, unless there are no others. */
static pacing_core find_core(const pacing_set *s)
{
    pacing_core core = { .v = g_new(pacing_class, s->n + 1u) };

    for (unsigned most = 0; most < 4; most++) {
        core.n = 0;
        for (unsigned i = 0; i < s->n; i++)
            if ((most > 2 || !s->v[i].file_end) && (most > 1 || !s->v[i].first) &&
                (most > 0 || !s->v[i].early))
                core.v[core.n++] = s->v[i];
        core.size = usual_size(core.v, core.n, &core.from, &core.to);
        if (weight(core.v + core.from, core.to - core.from) >= CORE_LEAST)
            break;
    }
    for (unsigned i = 0; i < core.n; i++)
        core.whole_files |= core.v[i].file_end;
    return core;
}

/* No block is larger than the block, also at the end of a file; but what opens a file may travel
 * with its first one. */
static uint64_t count_larger(const pacing_class *v, unsigned n, double size)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < n; i++)
        if (!v[i].first && v[i].size > size * (1 + core_width))
            count += v[i].count;
    return count;
}

/* Pulse and hourly mode; false when it is neither. */
static bool try_quantised(const pacing_set *s, const ccm_pacing_context *c, ccm_pacing *out)
{
    pacing_core found = find_core(s);
    pacing_class *v = found.v;
    unsigned n = found.n, from = found.from, to = found.to;
    bool done = false, whole_files = found.whole_files;
    double spread, size = found.size;

    uint64_t all = weight(v, n), core = weight(v + from, to - from);
    out->core = all ? (double)core / (double)all : 0;
    if (core < CORE_LEAST || out->core < core_least) {
        g_free(v);
        return without_core(s, c, out);
    }
    double quiet = middle(v + from, to - from, quiet_of, &spread);
    uint64_t larger = count_larger(s->v, s->n, size) + count_larger(s->slow, s->n_slow, size);
    bool at_most = larger * 33 <= weight(s->v, s->n) + weight(s->slow, s->n_slow);
    if (size <= largest_block && at_most && is_pulse(v + from, to - from, quiet, spread, out)) {
        tell_pulse_block(out, size, c);
        tell_duty(out, v + from, to - from);
        if (whole_files || (!s->has_files && out->core < 0.6)) {
            double largest = to > from ? v[to - 1].size : size;
            tell_pulse_block(out, largest, c);
            out->notes |= CCM_NOTE_LOWER_BLOCK;
        }
        /* Who writes a file now and then makes the same silences. */
        double sure = of_core(out);
        rate_confidence(whole_files ? fmin(sure, 0.6) : sure, CCM_PACING_PULSE, c, out);
        done = true;
    } else if (!whole_files) {
        done = try_hourly(s, v + from, to - from, size, quiet, spread, c, out);
        if (done && size <= largest_block && !at_most)
            out->block_low = out->block_high = 0; /* the first blocks of files alone */
    }
    g_free(v);
    return done;
}

/* A rate that stays the same over windows of ten seconds. */
static void find_plateau(const pacing_set *s, ccm_pacing *out)
{
    uint64_t all = 0, best = 0;

    for (unsigned i = 0; s->tens && i < 0x1000; i += 4) {
        uint64_t *t = &s->tens[i * 2], *next = i + 4 < 0x1000 ? t + 8 : t;
        uint64_t count = t[0] + (next > t ? next[0] : 0);
        all += t[0];
        if (count > best) {
            best = count;
            out->plateau_bps = (t[1] + (next > t ? next[1] : 0)) / count * 8 / CCM_PACE_TEN_S;
        }
    }
    if (all < TENS_LEAST || (double)best < 0.7 * (double)all)
        out->plateau_bps = 0;
}

/* Was the line left alone most of the time, in silences too long and too few to be compared? */
static bool mostly_slow(const pacing_set *s, const ccm_pacing *out)
{
    double quiet = 0;

    for (unsigned i = 0; i < s->n_slow; i++)
        quiet += s->slow[i].quiet * (double)s->slow[i].count;
    return weight(s->slow, s->n_slow) > 1 && quiet * 1e9 > 4 * (double)out->busy_ns;
}

static void conclude_free(double idle, const ccm_pacing_context *c, ccm_pacing *out)
{
    bool slower = out->plateau_bps && (c->faster_bps > out->plateau_bps / 2 * 3 ||
                                       c->link_bps > out->plateau_bps / 7 * 10);
    bool paced = out->plateau_bps && !c->upward && idle >= idle_least;

    if (slower || paced) {
        rate_confidence(slower && paced ? 0.9 : 0.7, CCM_PACING_CAPPED, c, out);
        return;
    }
    if (out->bytes < 262144) {
        out->notes |= CCM_NOTE_FEW;
        return;
    }
    out->notes |= CCM_NOTE_HIDDEN | (out->plateau_bps ? CCM_NOTE_FLAT : 0);
    /* A minute without a silence is long for every limit; some seconds are not. */
    bool brief = out->busy_ns + out->quiet_ns < UINT64_C(60000000000);
    rate_confidence(brief ? 0.6 : 0.9, CCM_PACING_NO_LIMIT, c, out);
}

static void conclude(const pacing_set *s, const ccm_pacing_context *c, ccm_pacing *out)
{
    double all = (double)out->busy_ns + (double)out->quiet_ns, spread;
    double idle = all > 0 ? (double)out->quiet_ns / all : 0;

    out->rate_bps = all > 0 ? (uint64_t)((double)out->bytes * 8e9 / all) : 0;
    find_plateau(s, out);
    if (c->upward && !s->has_files)
        out->notes |= CCM_NOTE_NO_FILES;
    if (c->requests) {
        out->notes |= CCM_NOTE_REQUESTS;
        return;
    }
    if (c->upward && (idle < idle_least || out->bursts < BURSTS_LEAST)) {
        if (try_slow(s, c, out))
            return;
        if (mostly_slow(s, out)) {
            out->notes |= CCM_NOTE_FEW;
            return;
        }
    }
    if (s->waits * 10 >= out->bursts && out->bursts >= BURSTS_LEAST) {
        out->notes |= CCM_NOTE_ROUND_TRIP;
        if (idle >= idle_least) { /* where blocks begin and end is not to be told */
            rate_confidence(0.4, CCM_PACING_IRREGULAR, c, out);
            return;
        }
    }
    if (idle < idle_least) {
        conclude_free(idle, c, out);
        return;
    }
    if (out->bursts < BURSTS_LEAST) {
        out->notes |= CCM_NOTE_FEW;
        if (idle < 0.2 && out->bytes >= 262144)
            rate_confidence(0.6, CCM_PACING_NO_LIMIT, c, out);
        return;
    }
    if (!c->upward) {
        conclude_free(idle, c, out);
        if (out->verdict == CCM_PACING_NO_LIMIT && idle > 0.2)
            rate_confidence(0.7, CCM_PACING_IRREGULAR, c, out);
        return;
    }
    /* The last block has no silence, so it would make the rate look higher. */
    out->rate_bps = (uint64_t)((double)s->paced_bytes * 8e9 / (double)s->paced_ns);
    /* Several connections, one of which nearly always sends, take turns: there is no limit. */
    if (c->parallel && (double)out->busy_ns >= 0.7 * (double)(out->last_ns - out->first_ns)) {
        out->notes |= CCM_NOTE_PARALLEL;
        rate_confidence(0.7, CCM_PACING_NO_LIMIT, c, out);
        return;
    }
    if (try_quantised(s, c, out))
        return;
    /* Stalls of a congested link come with retransmissions, and are short. */
    double quiet = middle(s->v, s->n, quiet_of, &spread);
    if (c->retransmitted > 0.005 && quiet < 2 && idle < 0.5) {
        out->notes |= CCM_NOTE_STALLS | CCM_NOTE_HIDDEN;
        rate_confidence(0.8, CCM_PACING_NO_LIMIT, c, out);
        return;
    }
    rate_confidence(0.7, CCM_PACING_IRREGULAR, c, out);
}

void ccm_pacing_conclude(const ccm_pace_point *const *v, unsigned n, const ccm_pacing_context *c,
                         ccm_pacing *out)
{
    pacing_set s = { 0 };

    *out = (ccm_pacing){ 0 };
    if (!n) {
        out->notes |= CCM_NOTE_FEW;
        return;
    }
    gather(&s, v, n, c, out);
    conclude(&s, c, out);
    g_free(s.tens);
    g_free(s.slow);
    g_free(s.v);
}

static bool near(double a, double b, double width)
{
    return fabs(a - b) <= width * fmax(a, b);
}

bool ccm_pacing_alike(const ccm_pacing *a, const ccm_pacing *b)
{
    if (a->verdict != b->verdict)
        return false;
    switch (a->verdict) {
    case CCM_PACING_PULSE:
        return a->delay_low_ns == b->delay_low_ns &&
               near((double)a->block_high, (double)b->block_high, 0.06);
    case CCM_PACING_HOURLY:
        return a->percent_low < b->percent_high && b->percent_low < a->percent_high &&
               near(a->duty, b->duty, 0.25);
    case CCM_PACING_CAPPED:
        return near((double)a->plateau_bps, (double)b->plateau_bps, 0.15);
    default:
        return true;
    }
}
