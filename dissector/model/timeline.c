/* SPDX-License-Identifier: GPL-2.0-or-later
 * timeline.c - bytes over time of every edge, in one sparse table.
 *
 * In: edge, second, bytes per direction. Out: the same as sums. State: a hash table of at most
 * limits->buckets points, all of one interval: 1, 10, 60, 600 or 3600 s.
 *
 * When there would be more points than that, every point coarsens to the next interval at once. The
 * interval reached depends on the data alone, not on the order of observations or merges: points
 * only ever join, so a part never needs a coarser interval than the whole, and the whole ends at
 * the finest interval at which it fits. Intervals divide each other, so coarsening twice equals
 * coarsening once. At 3600 s there is no further step: new points are dropped (their bytes stay in
 * every other sum) and the limit "buckets" is reported. */
#include "base/pages.h"
#include "model/model.h"

static const unsigned ladder[CCM_LADDER] = { 1, 10, 60, 600, 3600 };

enum { FIRST_SLOTS = 1024, PAGED_SLOTS = 1 << 16, MORE = 4 };
/* Of a key, while the table is rehashed; edges have fewer than 28 bits. */
#define MISPLACED (UINT64_C(1) << 63)

static ccm_point *slots_new(uint32_t n)
{
    return n < PAGED_SLOTS ? g_new0(ccm_point, n) : ccm_pages_new(n * sizeof(ccm_point));
}

/* More of them, the first `n` as before: by a lot, as each point is looked for again. */
static ccm_point *slots_grow(ccm_point *v, uint32_t n)
{
    if (n >= PAGED_SLOTS)
        return ccm_pages_grow(v, n * sizeof *v, n * MORE * sizeof *v);
    ccm_point *more = slots_new(n * MORE);
    memcpy(more, v, n * sizeof *v);
    g_free(v);
    return more;
}

static void slots_free(ccm_point *v, uint32_t n)
{
    if (n < PAGED_SLOTS)
        g_free(v);
    else
        ccm_pages_free(v, n * sizeof *v);
}

unsigned ccm_timeline_interval(unsigned level)
{
    return ladder[level];
}

void ccm_timeline_init(ccm_timeline *t)
{
    *t = (ccm_timeline){ .v = slots_new(FIRST_SLOTS), .mask = FIRST_SLOTS - 1 };
}

void ccm_timeline_clear(ccm_timeline *t)
{
    slots_free(t->v, t->mask + 1);
    t->v = NULL;
}

static uint32_t slot_of_key(const ccm_timeline *t, uint64_t key)
{
    return ccm_hash_end(ccm_mix(7, key)) & t->mask;
}

/* The point with this key, or the empty one where it belongs. */
static ccm_point *slot_of(const ccm_timeline *t, uint64_t key)
{
    uint32_t i = slot_of_key(t, key);
    while (t->v[i].key && t->v[i].key != key)
        i = (i + 1) & t->mask;
    return &t->v[i];
}

/* The point at `i` and those that it drives out go where they belong now. */
static void place(ccm_timeline *t, uint32_t i)
{
    ccm_point p = t->v[i];

    t->v[i] = (ccm_point){ 0 };
    p.key &= ~MISPLACED;
    for (i = slot_of_key(t, p.key);; i = (i + 1) & t->mask) {
        ccm_point *at = &t->v[i], out = *at;
        if (at->key == p.key) {
            at->bytes[0] += p.bytes[0];
            at->bytes[1] += p.bytes[1];
            at->active += p.active;
            return;
        }
        if (at->key && !(at->key & MISPLACED))
            continue;
        *at = p;
        t->n++;
        if (!out.key)
            return;
        p = out;
        p.key &= ~MISPLACED;
        i = slot_of_key(t, p.key) - 1;
    }
}

/* Finds each of the points in the first `slots` its new place, in the same memory: their buckets
 * are to be divided by `ratio`, or the mask has changed. A point that is placed lies behind placed
 * ones only, so it is found from then on. */
static void rehash(ccm_timeline *t, uint32_t slots, unsigned ratio)
{
    t->n = 0;
    for (uint32_t i = 0; i < slots; i++) {
        ccm_point *p = &t->v[i];
        if (p->key)
            p->key =
                (uint64_t)ccm_point_edge(p) << 36 | (ccm_point_bucket(p) / ratio + 1) | MISPLACED;
    }
    for (uint32_t i = 0; i < slots; i++)
        if (t->v[i].key & MISPLACED)
            place(t, i);
}

void ccm_timeline_coarsen(ccm_timeline *t)
{
    unsigned ratio = ladder[t->level + 1] / ladder[t->level];
    t->level++;
    rehash(t, t->mask + 1, ratio);
}

static void grow(ccm_timeline *t)
{
    uint32_t slots = t->mask + 1;

    t->v = slots_grow(t->v, slots);
    t->mask = slots * MORE - 1;
    rehash(t, slots, 1);
}

static void put(ccm_timeline *t, const ccm_point *add, unsigned max)
{
    uint64_t bucket = ccm_point_bucket(add) / ladder[t->level];
    uint64_t key = (uint64_t)ccm_point_edge(add) << 36 | (bucket + 1);
    ccm_point *p = slot_of(t, key);

    if (!p->key) {
        if (t->level == CCM_LADDER - 1 && t->n >= max) {
            t->full = true;
            return;
        }
        if (t->n >= t->mask - t->mask / 8) {
            grow(t);
            p = slot_of(t, key);
        }
        p->key = key;
        t->n++;
    }
    p->bytes[0] += add->bytes[0];
    p->bytes[1] += add->bytes[1];
    p->active += add->active;
    while (t->n > max && t->level < CCM_LADDER - 1)
        ccm_timeline_coarsen(t);
}

void ccm_timeline_settle(ccm_timeline *t, unsigned max)
{
    for (unsigned i = 0; i < t->n_waiting; i++)
        put(t, &t->waiting[i], max);
    t->n_waiting = 0;
}

void ccm_timeline_add(ccm_timeline *t, uint32_t edge, uint64_t second, const uint64_t bytes[2],
                      uint64_t active, unsigned max)
{
    uint64_t key = (uint64_t)edge << 36 | (second + 1);
    uint64_t slot = (uint64_t)edge << 36 | (second / ladder[t->level] + 1);

    __builtin_prefetch(&t->v[slot_of_key(t, slot)], 1);
    if (t->n_waiting == CCM_TIMELINE_WAITING)
        ccm_timeline_settle(t, max);
    t->waiting[t->n_waiting++] = (ccm_point){ key, { bytes[0], bytes[1] }, active };
}
