/* SPDX-License-Identifier: GPL-2.0-or-later
 * view_throttle.c - the view's throttling: edges grouped to pairs, their time cut where the pace
 * changes, and one verdict for each pair.
 *
 * In: a model, the rows of the view. Out: `throttle` of each row whose route can be limited, or
 * that surely cannot. State: none. A pair is a source and a destination within a row. */
#include "model/smb.h"
#include "model/view_pairs.h"

int64_t ccm_pair_local(const pace_pair *p, uint64_t second)
{
    if (!p->zone)
        return (int64_t)second;
    gint at = g_time_zone_find_interval(p->zone, G_TIME_TYPE_UNIVERSAL, (gint64)second);
    return (int64_t)second + g_time_zone_get_offset(p->zone, at < 0 ? 0 : at);
}

unsigned ccm_pair_week_hour(int64_t local)
{
    return (unsigned)((local / 3600 + 72) % CCM_VIEW_WEEK);
}

uint64_t ccm_pair_bytes(const pace_pair *p, uint64_t from_s, uint64_t to_s)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < p->n_time; i++)
        if (p->time[i].second >= from_s && p->time[i].second + p->interval_s <= to_s)
            sum += p->time[i].bytes[0] + p->time[i].bytes[1];
    return sum;
}

ccm_view_measures ccm_pair_measures(const ccm_pacing *is)
{
    return (ccm_view_measures){ is->block_low,     is->block_high,  is->delay_low_ns,
                                is->delay_high_ns, is->percent_low, is->percent_high,
                                is->duty,          is->rate_bps };
}

/* ---- the verdict of a pair ------------------------------------------------------------------- */

/* Did the client send requests for the most part, and little of any file? */
static bool mostly_requests(const ccm_model *m, const pace_pair *p)
{
    uint64_t sent = p->traffic.dir[0].payload, written = 0;

    if (sent / 4 >= p->traffic.dir[1].payload)
        return false;
    for (unsigned i = 0; i < m->smb->rows->len; i++) {
        const ccm_smb_row *r = &g_array_index(m->smb->rows, ccm_smb_row, i);
        if (r->what == CCM_SMB_TALK && ccm_addr_eq(&r->client, &p->client) &&
            ccm_addr_eq(&r->server, &p->server))
            written += r->bytes[0];
    }
    return written < sent / 2;
}

static ccm_pacing_context context_of(const ccm_pairs *s, const pace_pair *p,
                                     const ccm_view_throttle *out)
{
    const ccm_sums *sums = &p->traffic.dir[!p->upward];
    double all = (double)sums->payload + (double)sums->retransmitted + (double)sums->missing;
    uint64_t active = 0;

    for (unsigned i = 0; i < p->n_time && p->interval_s == 1; i++)
        active += p->time[i].active;

    return (ccm_pacing_context){
        .upward = p->upward,
        .parallel = active && active >= 2 * (uint64_t)p->n_time,
        .retransmitted = all > 0 ? (double)sums->retransmitted / all : 0,
        .missing = all > 0 ? (double)sums->missing / all : 0,
        .link_bps = s->k->link_bps,
        .rtt = (double)p->rtt_ns / 1e9,
        .connections = (unsigned)out->connections_tenths,
    };
}

static void make_windows(view_maker *k, const pace_pair *p, ccm_view_throttle *out)
{
    unsigned room = MIN(p->segments->len + 2 * p->closings->len, (unsigned)CCM_VIEW_WINDOWS), n = 0;
    ccm_view_window *v = ccm_view_alloc(k, room, sizeof *v);
    unsigned next = 0; /* closing */

    for (unsigned i = 0; i < p->segments->len; i++) {
        const pair_segment *s = &g_array_index(p->segments, pair_segment, i);
        ccm_view_window w = { 0 };
        for (unsigned j = s->from; j < s->to && n < room; j++) {
            const ccm_pace_point *point = p->points[j];
            if (ccm_pace_kind_of(point->what) == CCM_PACE_TEN)
                continue;
            while (next < p->closings->len && n < room) {
                const pair_closing *c = &g_array_index(p->closings, pair_closing, next);
                if (c->end_ns > point->first_ns + 60 * CCM_NS)
                    break;
                if (w.bytes && w.start_ns < c->start_ns)
                    v[n++] = w;
                w = (ccm_view_window){ 0 };
                if (n < room)
                    v[n++] =
                        (ccm_view_window){ c->start_ns,  c->end_ns, ccm_pacing_name(c->verdict),
                                           c->certainty, { 0 },     0 };
                next++;
            }
            if (!w.bytes)
                w = (ccm_view_window){
                    point->first_ns,           0, ccm_pacing_name(s->is.verdict), s->is.certainty,
                    ccm_pair_measures(&s->is), 0
                };
            w.start_ns = ccm_max64(ccm_min64(w.start_ns, point->first_ns), s->from_ns);
            w.end_ns = ccm_max64(w.end_ns, point->last_ns);
            w.bytes += point->bytes;
        }
        if (s->to_ns) /* a burst may last longer than its pace */
            w.end_ns = ccm_max64(s->to_ns, w.start_ns);
        if (w.bytes && n < room)
            v[n++] = w;
    }
    out->windows = v;
    out->n_windows = n;
}

/* Each hour of the week by all that was seen in it. */
static void make_hours(view_maker *k, const pace_pair *p, const ccm_pacing_context *c,
                       ccm_view_throttle *out)
{
    const char **hours = ccm_view_alloc(k, CCM_VIEW_WEEK, sizeof *hours);
    GPtrArray *of[CCM_VIEW_WEEK] = { 0 };
    int64_t shift =
        ccm_pair_local(p, p->traffic.last_ns / CCM_NS) - (int64_t)(p->traffic.last_ns / CCM_NS);

    for (unsigned i = 0; i < p->n_bursts; i++) {
        uint64_t cell = ccm_pace_cell(p->points[i]);
        unsigned h =
            p->level > 1
                ? (unsigned)((cell + CCM_VIEW_WEEK + (uint64_t)(shift / 3600)) % CCM_VIEW_WEEK)
                : ccm_pair_week_hour(
                      ccm_pair_local(p, cell * (p->level ? 3600 : (unsigned)CCM_PACE_CELL_S)));
        if (!of[h])
            of[h] = g_ptr_array_new();
        g_ptr_array_add(of[h], (void *)p->points[i]);
    }
    for (unsigned h = 0; h < CCM_VIEW_WEEK; h++) {
        ccm_pacing is;
        if (!of[h])
            continue;
        ccm_pacing_conclude((const ccm_pace_point *const *)of[h]->pdata, of[h]->len, c, &is);
        hours[h] = is.verdict == CCM_PACING_UNKNOWN ? NULL : ccm_pacing_name(is.verdict);
        g_ptr_array_free(of[h], TRUE);
    }
    for (unsigned i = 0; i < p->closings->len; i++) {
        const pair_closing *x = &g_array_index(p->closings, pair_closing, i);
        for (uint64_t t = x->start_ns / CCM_NS; t < x->end_ns / CCM_NS; t += 3600)
            hours[ccm_pair_week_hour(ccm_pair_local(p, t))] = ccm_pacing_name(x->verdict);
    }
    for (unsigned i = 0; i < p->n_time; i++) {
        const pair_bucket *b = &p->time[i];
        out->day_bytes[ccm_pair_local(p, b->second) / 3600 % 24] += b->bytes[0] + b->bytes[1];
    }
    out->hours = hours;
}

static void make_activity(const pace_pair *p, ccm_view_throttle *out)
{
    uint64_t active = 0, files_ns = 0;

    for (unsigned i = p->n_bursts; i < p->n_points; i++) {
        const ccm_pace_point *e = p->points[i];
        if (ccm_pace_kind_of(e->what) == CCM_PACE_DISCARD) {
            out->discarded_files += e->count;
            out->discarded_bytes += e->bytes;
        } else if (ccm_pace_kind_of(e->what) == CCM_PACE_FILE) {
            out->files += e->count;
            files_ns += e->busy_ns;
        }
    }
    for (unsigned i = 0; i < p->n_time && p->interval_s == 1; i++) {
        out->active_s++;
        active += p->time[i].active;
        out->connections_peak = ccm_max64(out->connections_peak, p->time[i].active);
    }
    if (!out->active_s)
        return;
    out->connections_tenths = (active * 10 + out->active_s / 2) / out->active_s;
    out->files_tenths = files_ns / (CCM_NS / 10) / out->active_s;
}

/* What the whole of the capture says: the verdict, and notes. */
static ccm_pacing judge(ccm_pairs *s, pace_pair *p, const ccm_view_throttle *out)
{
    ccm_pacing is = *ccm_pair_dominant(p);
    const ccm_view_route *row = &s->rows[p->row];

    p->notes |= p->segments->len > 1 ? CCM_NOTE_SEVERAL : 0;
    if (!p->upward && ccm_pair_by_hour(p)) {
        is.verdict = CCM_PACING_BITS_WINDOW;
        is.certainty = MIN(is.certainty, CCM_CERTAINTY_LIKELY);
    }
    for (unsigned i = 0; i < p->closings->len; i++) {
        const pair_closing *c = &g_array_index(p->closings, pair_closing, i);
        if (ccm_pair_limit(&is) || c->certainty < CCM_CERTAINTY_LIKELY)
            continue;
        if (is.verdict == CCM_PACING_CLOSED && c->verdict == CCM_PACING_PRIORITY)
            continue;
        is = (ccm_pacing){ .verdict = c->verdict,
                           .certainty = c->certainty,
                           .rate_bps = p->all.rate_bps };
    }
    if (!strcmp(row->route, "dp/dp")) {
        p->notes |= CCM_NOTE_PULL;
        if (is.verdict != CCM_PACING_CAPPED && is.verdict != CCM_PACING_BITS_WINDOW)
            is = (ccm_pacing){ .verdict = CCM_PACING_NOT_THROTTLEABLE,
                               .certainty = row->certainty,
                               .rate_bps = p->all.rate_bps };
    }
    if (!p->known)
        p->notes |= CCM_NOTE_NO_FLOW;
    if (is.verdict == CCM_PACING_NO_LIMIT && p->upward && out->connections_tenths)
        p->notes |= out->connections_tenths > 15 ? CCM_NOTE_PARALLEL : CCM_NOTE_ONE_CONNECTION;
    if (p->level > 1)
        p->notes |= CCM_NOTE_FOLDED;
    return is;
}

static void make_notes(view_maker *k, ccm_view_throttle *out, unsigned notes)
{
    const char **v = ccm_view_alloc(k, CCM_NOTE_COUNT, sizeof *v);

    for (unsigned bit = 0; bit < CCM_NOTE_COUNT; bit++)
        if (notes >> bit & 1)
            v[out->notes.n++] = ccm_pacing_note(bit);
    out->notes.v = v;
}

static void check_yield(ccm_pairs *s, const pace_pair *p, ccm_pacing *is)
{
    unsigned n;

    if (p->upward || p->interval_s != 1 || p->n_time < 30 ||
        is->verdict == CCM_PACING_BITS_WINDOW || is->verdict == CCM_PACING_NOT_THROTTLEABLE)
        return;
    pair_bucket *others = ccm_pair_others_of(s, p, &n);
    if (ccm_pair_yields(p, others, n)) {
        is->verdict = CCM_PACING_YIELDING;
        is->certainty = CCM_CERTAINTY_LIKELY;
    }
    g_free(others);
}

/* Where the server's role is not known, a limit is behaviour and no more. */
static void cap_certainty(pace_pair *p)
{
    for (unsigned i = 0; i < p->segments->len; i++) {
        ccm_pacing *is = &g_array_index(p->segments, pair_segment, i).is;
        if (is->verdict != CCM_PACING_NO_LIMIT)
            is->certainty = MIN(is->certainty, CCM_CERTAINTY_LIKELY);
    }
    for (unsigned i = 0; i < p->closings->len; i++) {
        pair_closing *c = &g_array_index(p->closings, pair_closing, i);
        c->certainty = MIN(c->certainty, CCM_CERTAINTY_LIKELY);
    }
    if (p->all.verdict != CCM_PACING_NO_LIMIT)
        p->all.certainty = MIN(p->all.certainty, CCM_CERTAINTY_LIKELY);
}

static void make_pair(ccm_pairs *s, pace_pair *p, ccm_view_throttle *out)
{
    view_maker *k = s->k;
    const ccm_site *site = k->site;
    ccm_pacing_context c;

    p->dp = site ? ccm_site_find(site, &p->client, &p->server) : NULL;
    p->bits = site && !p->upward ? ccm_site_bits_find(site, &p->client) : NULL;
    GTimeZone *own = p->dp ? p->dp->zone : p->bits ? p->bits->zone : NULL;
    const char *own_name = p->dp ? p->dp->zone_name : p->bits ? p->bits->zone_name : NULL;
    p->zone = own ? own : site ? site->zone : NULL;
    const char *zone = own ? own_name : p->zone ? site->zone_name : "UTC";
    p->known = p->dp || !p->upward || s->rows[p->row].throttleable;
    *out = (ccm_view_throttle){ .source = p->client,
                                .bytes = p->traffic.dir[!p->upward].payload,
                                .time_zone = ccm_view_keep(k, zone),
                                .zone_assumed = !p->zone };
    make_activity(p, out);
    c = context_of(s, p, out);
    ccm_pacing_conclude(p->points, p->n_points, &c, &p->all);
    if (p->upward && p->all.bursts && mostly_requests(s->k->m, p)) {
        c.requests = true;
        ccm_pacing_conclude(p->points, p->n_points, &c, &p->all);
    }
    c.faster_bps = p->all.ten_max_bps;
    ccm_pair_cut(p, &c);
    ccm_pair_schedule(p);
    if (!p->known)
        cap_certainty(p);
    ccm_pacing is = judge(s, p, out);
    check_yield(s, p, &is);
    out->verdict = ccm_pacing_name(is.verdict);
    out->certainty = is.verdict == CCM_PACING_UNKNOWN ? CCM_CERTAINTY_UNKNOWN : is.certainty;
    out->is = ccm_pair_measures(&is);
    p->notes |= is.notes & ~(unsigned)CCM_NOTE_NO_FILES;
    if (p->upward && !out->files && ccm_pair_limit(&is))
        p->notes |= CCM_NOTE_NO_FILES;
    if (!p->zone && (p->closings->len || p->segments->len > 1))
        p->notes |= CCM_NOTE_ZONE;
    make_hours(k, p, &c, out);
    make_windows(k, p, out);
    make_notes(k, out, p->notes);
    if (p->dp || p->bits)
        ccm_pair_compare(k, p, out);
    g_array_free(p->segments, TRUE);
    g_array_free(p->closings, TRUE);
}

/* The pairs of one row. */
static void make_row(ccm_pairs *s, unsigned row, pace_pair *p)
{
    ccm_view_route *r = &s->rows[row];
    ccm_view_throttle *v = ccm_view_alloc(s->k, r->n_throttle, sizeof *v);

    for (unsigned i = 0; i < r->n_throttle; i++)
        make_pair(s, &p[i], &v[i]);
    r->throttle = v;
}

/* What no setting limits. */
static void make_unlimited(view_maker *k, ccm_view_route *r)
{
    ccm_view_throttle *v = ccm_view_alloc(k, 1, sizeof *v);

    *v = (ccm_view_throttle){ .source = r->source,
                              .verdict = ccm_pacing_name(CCM_PACING_NOT_THROTTLEABLE),
                              .certainty = r->certainty,
                              .bytes = r->payload_bytes[0] + r->payload_bytes[1] };
    r->throttle = v;
    r->n_throttle = 1;
}

void ccm_view_make_throttle(view_maker *k, ccm_view_route *rows, unsigned n_rows,
                            const uint32_t *row_of, const uint32_t *sorted, unsigned n)
{
    ccm_pairs s = { .k = k, .rows = rows, .n_rows = n_rows, .sorted = sorted, .n_sorted = n };

    ccm_pairs_gather(&s, row_of);
    for (unsigned i = 0; i < s.n; i += rows[s.v[i].row].n_throttle)
        make_row(&s, s.v[i].row, &s.v[i]);
    for (unsigned i = 0; i < n_rows; i++)
        if (!ccm_pairs_limited(&rows[i]) && strcmp(rows[i].route, "unknown/unknown"))
            make_unlimited(k, &rows[i]);
    ccm_pairs_clear(&s);
}
