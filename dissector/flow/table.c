/* SPDX-License-Identifier: GPL-2.0-or-later
 * table.c - the flow table: open addressing of 8-byte slots over flows in slabs.
 * In: keys. Out: flows. State: slots, slab chunks with a LIFO free list, and for each entry the
 * time at which the clock hand is to look at it. The seeded hash never influences what is emitted.
 */
#include <sys/random.h>

#include "base/pages.h"
#include "flow/state.h"

enum { SLOTS_FIRST = 1024, TICK_SHIFT = 27, CANDIDATES = 8, SWEEP_MAX = 160, SWEEP_BLOCK = 16 };
enum { FAR_AHEAD = 64, FAR_BACK = 2 }; /* packets in a row that move the clock */
enum { NEVER = INT32_MAX };            /* a tick; signed, as vectors compare signed numbers */
enum { KEY_FAMILY = 0x0f, KEY_FRAGMENT = 0x80 };

void ccm_table_init(ccm_flows *fs)
{
    if (getrandom(fs->seed, sizeof fs->seed, GRND_NONBLOCK) != (ssize_t)sizeof fs->seed) {
        fs->seed[0] = (uint64_t)g_get_monotonic_time() * UINT64_C(0x9e3779b97f4a7c15);
        fs->seed[1] = (uint64_t)(uintptr_t)fs ^ fs->seed[0];
    }
    fs->slots = g_new0(uint64_t, SLOTS_FIRST);
    fs->mask = SLOTS_FIRST - 1;
}

/* Gives the memory of the flows back; the table is empty. */
void ccm_table_clear(ccm_flows *fs)
{
    for (uint32_t i = 0; i < fs->room / CCM_CHUNK; i++)
        ccm_pages_free(fs->chunks[i], CCM_CHUNK * sizeof(ccm_flow));
    for (uint32_t i = 0; i < fs->n_run_chunks; i++)
        g_free(fs->run_chunks[i]);
    fs->n_run_chunks = 0;
    fs->free_runs = NULL;
    g_free(fs->chunks);
    g_free(fs->due);
    fs->chunks = NULL;
    fs->due = NULL;
    fs->room = fs->n_entries = fs->free_head = fs->hand = 0;
}

void ccm_table_free(ccm_flows *fs)
{
    ccm_table_clear(fs);
    g_free(fs->slots);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static uint64_t be64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return GUINT64_FROM_BE(v);
}

static void put64(uint8_t *p, uint64_t v)
{
    v = GUINT64_TO_BE(v);
    memcpy(p, &v, sizeof v);
}

/* The long way of ccm_flow_key_make: any protocol, IPv6. */
unsigned ccm_flow_key_any(const ccm_packet *p, ccm_flow_key *key)
{
    const ccm_addr *sa = &p->src.addr, *da = &p->dst.addr;
    bool ports = (p->l4 == 6 || p->l4 == 17) && !p->fragment;
    uint64_t sp = ports ? p->src.port : 0, dp = ports ? p->dst.port : 0;
    uint64_t kind = (uint64_t)p->l4 << 8 | (p->fragment ? KEY_FRAGMENT : 0u) | sa->family;
    unsigned side;

    if (sa->family == 6) {
        uint64_t s0 = be64(sa->b), s1 = be64(sa->b + 8), d0 = be64(da->b), d1 = be64(da->b + 8);
        side = s0 != d0 ? s0 > d0 : s1 != d1 ? s1 > d1 : sp > dp;
        kind |= (side ? dp : sp) << 32 | (side ? sp : dp) << 16;
        *key = side ? (ccm_flow_key){ { d0, d1, s0, s1, kind } }
                    : (ccm_flow_key){ { s0, s1, d0, d1, kind } };
        return side;
    }
    uint64_t s = ccm_key_be32(sa->b) << 16 | sp, d = ccm_key_be32(da->b) << 16 | dp;
    side = s > d;
    *key = (ccm_flow_key){ { side ? d : s, side ? s : d, 0, 0, kind } };
    return side;
}

void ccm_flow_key_endpoint(const ccm_flow_key *key, unsigned side, ccm_endpoint *out)
{
    uint8_t family = key->w[4] & KEY_FAMILY;

    memset(out, 0, sizeof *out);
    out->addr.family = family;
    if (family == 6) {
        put64(out->addr.b, key->w[2 * side]);
        put64(out->addr.b + 8, key->w[2 * side + 1]);
        out->port = (uint16_t)(key->w[4] >> (side ? 16 : 32));
        return;
    }
    uint32_t address = GUINT32_TO_BE((uint32_t)(key->w[side] >> 16));
    memcpy(out->addr.b, &address, sizeof address);
    out->port = (uint16_t)key->w[side];
}

/* ---- slots ----------------------------------------------------------------------------------- */

static void prefetch_flow(const ccm_flow *f)
{
#pragma GCC unroll 8
    for (size_t line = 0; line < sizeof *f; line += 64)
        __builtin_prefetch((const char *)f + line, 1);
}

/* The entry that probably is the one looked for, or NULL. */
ccm_flow *ccm_table_prefetch_flow(const ccm_flows *fs, uint32_t hash)
{
    for (uint32_t i = hash & fs->mask; fs->slots[i]; i = (i + 1) & fs->mask) {
        if ((uint32_t)(fs->slots[i] >> 32) != hash)
            continue;
        uint32_t index = (uint32_t)fs->slots[i] - 1;
        ccm_flow *f = ccm_table_entry(fs, index);
        prefetch_flow(f);
        __builtin_prefetch(&fs->due[index], 1);
        return f;
    }
    return NULL;
}

ccm_flow *ccm_table_find(const ccm_flows *fs, const ccm_flow_key *key, uint32_t hash)
{
    for (uint32_t i = hash & fs->mask; fs->slots[i]; i = (i + 1) & fs->mask) {
        if ((uint32_t)(fs->slots[i] >> 32) != hash)
            continue;
        ccm_flow *f = ccm_table_entry(fs, (uint32_t)fs->slots[i] - 1);
        if (ccm_flow_key_equal(&f->key, key))
            return f;
    }
    return NULL;
}

static void slot_put(uint64_t *slots, uint32_t mask, uint64_t slot)
{
    uint32_t i = (uint32_t)(slot >> 32) & mask;

    while (slots[i])
        i = (i + 1) & mask;
    slots[i] = slot;
}

static void slots_grow(ccm_flows *fs)
{
    uint32_t mask = fs->mask * 2 + 1;
    uint64_t *slots = g_new0(uint64_t, (size_t)mask + 1);

    for (uint32_t i = 0; i <= fs->mask; i++)
        if (fs->slots[i])
            slot_put(slots, mask, fs->slots[i]);
    g_free(fs->slots);
    fs->slots = slots;
    fs->mask = mask;
}

static uint32_t entry_take(ccm_flows *fs)
{
    if (fs->free_head) {
        uint32_t index = fs->free_head - 1;
        fs->free_head = ccm_table_entry(fs, index)->index;
        return index;
    }
    if (fs->n_entries == fs->room) {
        uint32_t chunks = fs->room / CCM_CHUNK;
        if (!(chunks & (chunks - 1))) { /* doubles: 0, 1, 2, 4, ... chunks */
            uint32_t room = chunks ? chunks * 2 : 1;
            fs->chunks = g_renew(ccm_flow *, fs->chunks, room);
            fs->due = g_renew(int32_t, fs->due, (size_t)room * CCM_CHUNK);
        }
        fs->chunks[chunks] = ccm_pages_new(CCM_CHUNK * sizeof(ccm_flow));
        fs->room += CCM_CHUNK;
    }
    return fs->n_entries++;
}

/* A new flow, all zero but key, hash and index. */
ccm_flow *ccm_table_add(ccm_flows *fs, const ccm_flow_key *key, uint32_t hash)
{
    /* Half full at most: the search for a new flow's key, which fails, then ends in the cache line
     * that was fetched for it. */
    if (fs->n_flows + 1 > fs->mask / 2)
        slots_grow(fs);
    uint32_t index = entry_take(fs);
    ccm_flow *f = ccm_table_entry(fs, index);
    ccm_clear(f, sizeof *f);
    f->key = *key;
    f->hash = hash;
    f->index = index;
    fs->due[index] = NEVER;
    slot_put(fs->slots, fs->mask, (uint64_t)hash << 32 | (index + 1));
    fs->n_flows++;
    return f;
}

void ccm_table_remove(ccm_flows *fs, ccm_flow *f)
{
    uint64_t slot = (uint64_t)f->hash << 32 | (f->index + 1);
    uint32_t i = f->hash & fs->mask;

    while (fs->slots[i] != slot)
        i = (i + 1) & fs->mask;
    /* Shift back what follows, so that no tombstones are needed. */
    for (uint32_t j = (i + 1) & fs->mask; fs->slots[j]; j = (j + 1) & fs->mask) {
        uint32_t home = (uint32_t)(fs->slots[j] >> 32) & fs->mask;
        if (((j - home) & fs->mask) >= ((j - i) & fs->mask)) {
            fs->slots[i] = fs->slots[j];
            i = j;
        }
    }
    fs->slots[i] = 0;
    uint32_t index = f->index;
    f->id = 0;
    f->index = fs->free_head;
    fs->free_head = index + 1;
    fs->due[index] = NEVER;
    fs->n_flows--;
}

/* ---- clock ----------------------------------------------------------------------------------- */

static int32_t tick_of(const ccm_flows *fs, uint64_t time_ns)
{
    uint64_t t = time_ns > fs->zero_ns ? (time_ns - fs->zero_ns) >> TICK_SHIFT : 0;

    return (int32_t)ccm_min64(t, NEVER - 2);
}

/* Tick 0 lies a little before a first packet, for those out of order, and half the range before
 * that, for clocks that are set back. */
void ccm_table_zero(ccm_flows *fs, uint64_t time_ns)
{
    uint64_t before = CCM_NS_PER_S + (UINT64_C(1) << (30 + TICK_SHIFT));

    fs->zero_ns = time_ns > before ? time_ns - before : 1;
}

/* The clock was set to a time that ticks may not reach: they count from elsewhere, and all flows
 * are looked at. */
static void clock_moved(ccm_flows *fs)
{
    if (fs->now_ns >= fs->zero_ns && (fs->now_ns - fs->zero_ns) >> TICK_SHIFT < NEVER - (1 << 29))
        return;
    ccm_table_zero(fs, fs->now_ns);
    for (uint32_t i = 0; i < fs->n_entries; i++)
        if (fs->due[i] != NEVER)
            fs->due[i] = 1;
}

/* A packet whose time is far from the clock; the packet before had fs->at_ns. One alone does not
 * move the clock. Back it goes soon, as flows that go on must not end; ahead it goes when nothing
 * comes from before any more, so that of two clocks in one capture the slower one counts. */
void ccm_clock_far(ccm_flows *fs, uint64_t time_ns)
{
    bool ahead = time_ns > fs->now_ns, again;

    if (fs->late)
        return;
    if (ahead)
        again = ccm_clock_ahead(fs, fs->at_ns);
    else
        again = fs->at_ns < fs->now_ns && fs->now_ns - fs->at_ns > CCM_CLOCK_BACK;
    if (!again) { /* it steps back now, or will when those to come do not confirm it */
        fs->far = 0;
        fs->backward++;
    }
    if (++fs->far < (ahead ? FAR_AHEAD : FAR_BACK))
        return;
    fs->backward -= ahead;
    fs->now_ns = time_ns;
    clock_moved(fs);
}

/* No more packets come: nothing came after the last ones that speaks against them. */
void ccm_clock_end(ccm_flows *fs)
{
    if (!ccm_clock_ahead(fs, fs->at_ns))
        return;
    fs->backward--;
    fs->now_ns = fs->at_ns;
}

/* The hand shall look at `f` once `time_ns` has passed, or earlier if it was told so before. */
void ccm_table_due(ccm_flows *fs, const ccm_flow *f, uint64_t time_ns)
{
    int32_t tick = tick_of(fs, time_ns) + 1;

    if (tick < fs->due[f->index])
        fs->due[f->index] = tick;
}

/* What ending a flow needs beside it; the flow itself has arrived by now. */
static void prefetch_beside(const ccm_flows *fs, const ccm_flow *f)
{
    ccm_table_prefetch(fs, f->hash);
    ccm_flow_prefetch_memo(f, true);
    for (unsigned i = 0; f->closed && i < f->n_closed; i++)
        __builtin_prefetch(&f->closed->run[i]);
}

/* Is any of the next SWEEP_BLOCK due? */
static inline bool block_due(const int32_t *due, int32_t now)
{
    int32_t any = 0;

    for (unsigned i = 0; i < SWEEP_BLOCK; i++)
        any |= due[i] <= now;
    return any;
}

/* Looks at what is due among the next entries; fetches those flows together before. */
void ccm_table_sweep(ccm_flows *fs, uint32_t steps)
{
    int32_t now = tick_of(fs, fs->now_ns);
    uint32_t found[SWEEP_MAX], n = 0;

    steps = MIN(MIN(steps, fs->n_entries), SWEEP_MAX);
    while (steps) {
        if (fs->hand >= fs->n_entries)
            fs->hand = 0;
        int32_t *due = &fs->due[fs->hand];
        uint32_t size = MIN(MIN(steps, fs->n_entries - fs->hand), SWEEP_BLOCK);
        bool look = size < SWEEP_BLOCK || block_due(due, now);
        for (uint32_t i = 0; look && i < size; i++) {
            if (due[i] > now)
                continue;
            due[i] = NEVER;
            found[n++] = fs->hand + i;
            prefetch_flow(ccm_table_entry(fs, fs->hand + i));
        }
        fs->hand += size;
        steps -= size;
    }
    for (uint32_t i = 0; i < n; i++)
        prefetch_beside(fs, ccm_table_entry(fs, found[i]));
    for (uint32_t i = 0; i < n; i++)
        ccm_flow_look(fs, ccm_table_entry(fs, found[i]));
}

/* The least recently used of a few entries at the hand; NULL when the table is empty. */
ccm_flow *ccm_table_coldest(ccm_flows *fs)
{
    ccm_flow *coldest = NULL;

    for (uint32_t seen = 0, tries = 0; seen < CANDIDATES && tries < fs->n_entries; tries++) {
        if (fs->hand >= fs->n_entries)
            fs->hand = 0;
        ccm_flow *f = ccm_table_entry(fs, fs->hand++);
        if (!f->id || !f->l4)
            continue;
        seen++;
        if (!coldest || f->last_ns < coldest->last_ns)
            coldest = f;
    }
    return coldest;
}
