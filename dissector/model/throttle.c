/* SPDX-License-Identifier: GPL-2.0-or-later
 * throttle.c - cuts the bulk data of a flow into bursts and silences, and sums these up by class.
 *
 * In: runs of one direction, in order; ends of files. Out: points of the table. State: of a flow,
 * the current burst and the one before, which waits for its silence; a table of at most `max`
 * points.
 *
 * When there would be more points than that, all of them coarsen to the next level at once, as in
 * timeline.c: cells of 15 minutes, hours, hours of the week, hours of the week with wide classes. A
 * level depends on the data alone, so merging in any order gives the same. Beyond the last level
 * new points are dropped and the limit "bursts" is reported. */
#include "model/model.h"

enum { FIRST_SLOTS = 256, WEEK_HOURS = 168, MONDAY = 72, BULK = 65536, FULL_PACKET = 1200 };

static const uint64_t minute_ns = 60 * CCM_NS, cell_ns = CCM_PACE_CELL_S * CCM_NS;

unsigned ccm_pace_size(uint64_t bytes)
{
    if (bytes < 64)
        return (unsigned)bytes / 2;
    unsigned octave = 63u - (unsigned)__builtin_clzll(bytes);
    return MIN((octave - 5) * 32 + (unsigned)(bytes >> (octave - 5) & 31), 0xfffu);
}

/* ---- the table ------------------------------------------------------------------------------- */

void ccm_paces_init(ccm_paces *t)
{
    *t = (ccm_paces){ .v = g_new0(ccm_pace_point, FIRST_SLOTS), .mask = FIRST_SLOTS - 1 };
}

void ccm_paces_clear(ccm_paces *t)
{
    g_free(t->v);
    t->v = NULL;
}

static ccm_pace_point *slot_of(const ccm_paces *t, uint64_t where, uint32_t what)
{
    uint32_t i = ccm_hash_end(ccm_mix(ccm_mix(9, where), what)) & t->mask;
    while (t->v[i].where && (t->v[i].where != where || t->v[i].what != what))
        i = (i + 1) & t->mask;
    return &t->v[i];
}

/* Sums up; false when the point is new and there are `max`. */
static bool put(ccm_paces *t, const ccm_pace_point *add, unsigned max)
{
    ccm_pace_point *p = slot_of(t, add->where, add->what);

    if (!p->where) {
        if (t->n >= max)
            return false;
        *p = *add;
        t->n++;
        return true;
    }
    p->count += add->count;
    p->bytes += add->bytes;
    p->busy_ns += add->busy_ns;
    p->quiet_ns += add->quiet_ns;
    p->halves += add->halves;
    p->first_ns = ccm_min64(p->first_ns, add->first_ns);
    p->last_ns = ccm_max64(p->last_ns, add->last_ns);
    p->weeks |= add->weeks;
    return true;
}

/* The same point one level further up. */
static void coarsen_point(ccm_pace_point *p, unsigned from)
{
    uint32_t edge = ccm_pace_edge(p), cell = ccm_pace_cell(p);
    bool event = ccm_pace_kind_of(p->what) > CCM_PACE_TEN;

    if (from == 0 && !event)
        cell /= 3600 / CCM_PACE_CELL_S;
    if (from == 1)
        cell = event ? (cell + MONDAY * 60) % (WEEK_HOURS * 60) : (cell + MONDAY) % WEEK_HOURS;
    if (from == 2 && !event)
        p->what =
            (p->what & ~CCM_PACE_WHAT(0, 0xfff, 0x3ff)) |
            CCM_PACE_WHAT(0, ccm_pace_size_of(p->what) & ~3u, ccm_pace_quiet_of(p->what) & ~7u);
    p->where = (uint64_t)edge << 32 | (cell + 1);
}

static void rehash(ccm_paces *t, uint32_t slots, bool coarsen)
{
    ccm_paces old = *t;

    t->v = g_new0(ccm_pace_point, slots);
    t->mask = slots - 1;
    t->n = 0;
    for (uint32_t i = 0; i <= old.mask; i++) {
        ccm_pace_point p = old.v[i];
        if (!p.where)
            continue;
        if (coarsen)
            coarsen_point(&p, old.level);
        put(t, &p, UINT_MAX);
    }
    t->level = (uint8_t)(old.level + coarsen);
    g_free(old.v);
}

void ccm_paces_add(ccm_paces *t, uint32_t edge, const ccm_pace_point *add, unsigned level,
                   unsigned max)
{
    ccm_pace_point p = *add;

    while (t->level < level)
        rehash(t, t->mask + 1, true);
    p.where = (uint64_t)edge << 32 | (uint32_t)add->where;
    for (; level < t->level; level++)
        coarsen_point(&p, level);
    if (t->n >= t->mask - t->mask / 4)
        rehash(t, (t->mask + 1) * 2, false);
    t->full |= !put(t, &p, t->level == CCM_PACE_LEVELS - 1 ? max : UINT_MAX);
    while (t->n > max && t->level < CCM_PACE_LEVELS - 1)
        rehash(t, t->mask + 1, true);
}

void ccm_paces_merge(ccm_paces *to, const ccm_paces *from, const uint32_t *edges, unsigned max)
{
    for (uint32_t i = 0; i <= from->mask; i++)
        if (from->v[i].where)
            ccm_paces_add(to, edges[ccm_pace_edge(&from->v[i])], &from->v[i], from->level, max);
    to->full |= from->full;
}

/* ---- points of a flow ------------------------------------------------------------------------ */

static ccm_pace_point point_of(uint32_t what, uint64_t time_ns)
{
    uint64_t unit = ccm_pace_kind_of(what) > CCM_PACE_TEN ? minute_ns : cell_ns;
    uint64_t week = (time_ns / (3600 * CCM_NS) + MONDAY) / WEEK_HOURS;

    return (ccm_pace_point){ .where = (uint32_t)(time_ns / unit) + 1u,
                             .what = what,
                             .count = 1,
                             .first_ns = time_ns,
                             .last_ns = time_ns,
                             .weeks = UINT64_C(1) << week % 64 };
}

/* A receiver of points: a flow's own waiting list, or a table. */
typedef struct taker {
    ccm_model *m;
    ccm_model_flow *f; /* NULL: straight into the table, at `edge` */
    uint32_t edge;
} taker;

static void give(const taker *to, const ccm_pace_point *p)
{
    ccm_model *m = to->m;

    if (!to->f || to->f->edge != CCM_NONE) {
        ccm_paces_add(&m->paces, to->f ? to->f->edge : to->edge, p, 0, m->limits.bursts);
        return;
    }
    ccm_pace *own = to->f->pace;
    if (own->n == CCM_PACE_WAITING) {
        ccm_model_flow_settle(m, to->f); /* which empties the list */
        give(to, p);
        return;
    }
    if (own->n == own->room) {
        own->room = own->room ? CCM_PACE_WAITING : 2;
        own->waiting = g_renew(ccm_pace_point, own->waiting, own->room);
    }
    own->waiting[own->n++] = *p;
}

/* Did a file end with this burst, which the next data follows at `next_ns`? */
static bool ends_file(const ccm_pace *p, const ccm_burst *b, uint64_t next_ns)
{
    uint64_t latest = 0;

    for (unsigned i = 0; i < p->n_files; i++)
        if (p->file_end_ns[i] < next_ns)
            latest = ccm_max64(latest, p->file_end_ns[i]);
    return b->packets && latest >= b->start_ns && latest + CCM_PACE_GAP_NS / 4 >= b->end_ns;
}

/* A packet is seen when its last byte arrives: on a slow line the first one of the next burst was
 * being sent in what looks like silence. */
static uint64_t packet_time(const ccm_burst *b)
{
    enum { PACKET = 1500, MANY = 4096, SLOW_NS = 100000000 };
    uint64_t ns = b->bytes > MANY ? (b->end_ns - b->start_ns) / (b->bytes / PACKET) : 0;
    return ns > SLOW_NS ? ns : 0;
}

static void give_burst(const taker *to, const ccm_pace *p, const ccm_burst *b, uint64_t next_ns)
{
    uint64_t quiet = next_ns > b->end_ns ? next_ns - b->end_ns : 0;
    uint64_t slow = next_ns != UINT64_MAX ? ccm_min64(packet_time(b), quiet) : 0;
    uint32_t what = CCM_PACE_WHAT(CCM_PACE_GOING, 0, 0);

    quiet -= slow;
    if (next_ns != UINT64_MAX && quiet <= CCM_PACE_STOP_NS) {
        uint64_t class = quiet / (CCM_PACE_QUIET_MS * CCM_NS / 1000);
        what = CCM_PACE_WHAT(CCM_PACE_BURST, b->cut ? 0 : ccm_pace_size(b->bytes),
                             quiet <= CCM_PACE_JOB_NS ? class : CCM_PACE_SLOW);
        what |= b->early ? CCM_PACE_EARLY : 0;
        what |=
            (b->first ? CCM_PACE_FIRST : 0) | (ends_file(p, b, next_ns) ? CCM_PACE_FILE_END : 0);
    } else {
        quiet = 0;
    }
    ccm_pace_point point = point_of(what, b->start_ns);
    point.bytes = b->bytes;
    point.busy_ns = b->end_ns - b->start_ns + slow;
    point.quiet_ns = quiet;
    point.halves = point.busy_ns / (CCM_NS / 2) + 1;
    point.last_ns = b->end_ns;
    give(to, &point);
}

static void give_event(const taker *to, ccm_pace_kind kind, uint64_t time_ns, uint64_t bytes)
{
    ccm_pace_point point = point_of(CCM_PACE_WHAT(kind, 0, 0), time_ns);
    point.bytes = bytes;
    give(to, &point);
}

/* `now` has begun for good, so the silence after `before` is known. */
static void give_before(const taker *to, ccm_pace *p, bool upward)
{
    ccm_burst *now = &p->now, *before = &p->before;
    uint64_t stop_ns = before->packets ? before->end_ns : p->told_ns;
    uint64_t quiet = now->cut ? 0 : UINT64_MAX;

    if (stop_ns && !now->cut)
        quiet = now->start_ns - ccm_min64(now->start_ns, stop_ns);
    if (before->packets) {
        quiet = now->start_ns - ccm_min64(now->start_ns, before->end_ns);
        give_burst(to, p, before, now->start_ns);
    }
    now->first = quiet > CCM_PACE_JOB_NS || ends_file(p, before, now->start_ns);
    /* A burst much smaller than the one before is the rest of a file, or begins one; after one that
     * begins a file may come a much larger one. */
    bool both = before->packets && !now->cut;
    if (now->first || (both && now->bytes < before->bytes / 2))
        p->index = 1;
    else if (both && before->bytes < now->bytes / 2)
        p->index = 2;
    else if (p->index <= CCM_PACE_EARLY_N)
        p->index++;
    now->early = p->index <= CCM_PACE_EARLY_N;
    if (upward && quiet > CCM_PACE_STOP_NS) {
        if (stop_ns)
            give_event(to, CCM_PACE_STOP, stop_ns, 0);
        give_event(to, CCM_PACE_START, now->start_ns, 0);
    }
    *before = (ccm_burst){ 0 };
}

/* What is said about a file during a silence does not end it. */
static uint64_t least_burst(const ccm_pace *p)
{
    return p->before.packets && p->now.start_ns <= p->before.end_ns + CCM_PACE_JOB_NS
               ? CLAMP(p->before.bytes / 64, CCM_PACE_NOISE, CCM_PACE_CONTROL)
               : CCM_PACE_NOISE;
}

static void close_burst(const taker *to, ccm_pace *p, bool upward)
{
    if (p->now.packets && p->now.bytes >= least_burst(p)) {
        give_before(to, p, upward);
        p->before = p->now;
        p->told_ns = 0;
    }
    p->now = (ccm_burst){ 0 };
}

/* `now` goes on in another cell: what belongs to this one is told at once. */
static void carry_over(const taker *to, ccm_pace *p, bool upward)
{
    give_before(to, p, upward);
    give_burst(to, p, &p->now, UINT64_MAX);
    p->told_ns = p->now.end_ns;
    p->now = (ccm_burst){ .cut = true };
}

static bool is_upward(const ccm_model_flow *f)
{
    return ccm_pace_upward(f->end[!f->client].port);
}

/* Silence that ends the current burst: longer where packets are far apart, or may be, as after a
 * full packet that is the only one so far. The smallest block needs less than a full packet. */
static uint64_t least_gap(const ccm_burst *b)
{
    uint64_t apart = b->packets > 1 ? (b->end_ns - b->start_ns) / (b->packets - 1) : 0;

    if (b->bytes >= FULL_PACKET && b->bytes <= 1500)
        apart = 2 * CCM_PACE_GAP_NS;
    return CLAMP(3 * apart, CCM_PACE_GAP_NS, 6 * CCM_PACE_GAP_NS);
}

static void count_ten(const taker *to, ccm_pace *p, uint64_t start_ns, uint64_t bytes)
{
    uint64_t ten = start_ns / (CCM_PACE_TEN_S * CCM_NS);

    if (ten == p->ten) {
        p->ten_bytes += bytes;
        return;
    }
    /* Only a window between two others is known to be whole. */
    if (ten == p->ten + 1 && p->ten_row > 1) {
        unsigned size = ccm_pace_size(p->ten_bytes) & ~3u;
        ccm_pace_point point =
            point_of(CCM_PACE_WHAT(CCM_PACE_TEN, size, 0), p->ten * CCM_PACE_TEN_S * CCM_NS);
        point.bytes = p->ten_bytes;
        give(to, &point);
    }
    p->ten_row = ten == p->ten + 1 ? p->ten_row + 1 : 1;
    p->ten = ten;
    p->ten_bytes = bytes;
}

static ccm_pace *pace_of(ccm_model_flow *f)
{
    if (!f->pace)
        f->pace = g_new0(ccm_pace, 1);
    return f->pace;
}

void ccm_pace_run(ccm_model *m, ccm_model_flow *f, uint64_t start_ns, uint64_t end_ns,
                  uint64_t bytes, uint64_t packets)
{
    bool upward = is_upward(f);

    if (!f->pace && !upward) {
        if (f->route >= 0 && !ccm_route_at(m->catalog, f->route)->throttleable)
            return;
        f->bulk += (uint32_t)ccm_min64(bytes, BULK);
        if (f->bulk < BULK) /* most flows are small, and nothing can be told of them */
            return;
    }
    ccm_pace *p = pace_of(f);
    taker to = { m, f, CCM_NONE };
    ccm_burst *b = &p->now;

    count_ten(&to, p, start_ns, bytes);
    if (b->packets && start_ns > b->end_ns + least_gap(b))
        close_burst(&to, p, upward);
    /* Another cell; or the clock was set back, and what follows is not part of this burst. */
    if (b->packets && (start_ns / cell_ns > b->start_ns / cell_ns ||
                       start_ns + 10 * CCM_PACE_GAP_NS < b->start_ns))
        carry_over(&to, p, upward);
    if (!b->packets)
        *b = (ccm_burst){ .start_ns = start_ns, .end_ns = end_ns, .cut = b->cut };
    b->start_ns = ccm_min64(b->start_ns, start_ns);
    b->end_ns = ccm_max64(b->end_ns, end_ns);
    b->bytes += bytes;
    b->packets += (uint32_t)MAX(packets, 1);
}

/* Only in the connection that wrote it. */
static void delete_written(const taker *to, ccm_pace *p, const ccm_file_mark *mark)
{
    for (unsigned i = 0; i < p->n_files; i++) {
        if (p->file_path[i] != mark->path || !p->file_bytes[i])
            continue;
        give_event(to, CCM_PACE_DISCARD, mark->last_ns, p->file_bytes[i]);
        p->file_bytes[i] = 0;
    }
}

void ccm_pace_file(ccm_model *m, ccm_model_flow *f, const ccm_file_mark *mark)
{
    ccm_pace *p = pace_of(f);
    taker to = { m, f, CCM_NONE };

    if (!mark->bytes) {
        delete_written(&to, p, mark);
        return;
    }
    memmove(p->file_end_ns + 1, p->file_end_ns, (CCM_PACE_FILES - 1) * sizeof *p->file_end_ns);
    memmove(p->file_bytes + 1, p->file_bytes, (CCM_PACE_FILES - 1) * sizeof *p->file_bytes);
    memmove(p->file_path + 1, p->file_path, (CCM_PACE_FILES - 1) * sizeof *p->file_path);
    p->file_end_ns[0] = mark->last_ns;
    p->file_bytes[0] = mark->deleted ? 0 : mark->bytes;
    p->file_path[0] = mark->path;
    p->n_files = (uint8_t)MIN(p->n_files + 1, CCM_PACE_FILES);
    /* All files of the edge are one point: their number, bytes and the time that each took. */
    ccm_pace_point point = point_of(CCM_PACE_WHAT(CCM_PACE_FILE, 0, 0), 0);
    point.bytes = mark->bytes;
    point.busy_ns = mark->last_ns - ccm_min64(mark->first_ns, mark->last_ns);
    point.first_ns = mark->first_ns;
    point.last_ns = mark->last_ns;
    give(&to, &point);
    if (mark->deleted)
        give_event(&to, CCM_PACE_DISCARD, mark->last_ns, mark->bytes);
}

void ccm_pace_pour(ccm_model *to, uint32_t at, const ccm_pace *p, bool tail)
{
    taker table = { to, NULL, at };

    for (unsigned i = 0; i < p->n; i++)
        give(&table, &p->waiting[i]);
    if (!tail)
        return;
    ccm_pace end = *p;
    bool upward = ccm_pace_upward(ccm_edge_at(to, at)->key.port);
    close_burst(&table, &end, upward);
    if (end.before.packets)
        give_burst(&table, &end, &end.before, UINT64_MAX);
    uint64_t stop_ns = end.before.packets ? end.before.end_ns : end.told_ns;
    if (upward && stop_ns)
        give_event(&table, CCM_PACE_STOP, stop_ns, 0);
}

void ccm_pace_free(ccm_pace *p)
{
    if (p)
        g_free(p->waiting);
    g_free(p);
}
