/* SPDX-License-Identifier: GPL-2.0-or-later
 * view_routes.c - the view's route rows: edges concluded, rolled up and set against time.
 *
 * In: all edges of a model. Out: rows that together hold every edge exactly once. State: none.
 * A row's certainty is the best of its edges; `basis` names every reason that any of them had. */
#include "model/view_auth.h"
#include "model/view_make.h"

__extension__ typedef unsigned __int128 wide;

/* An address as numbers in the order of ccm_addr_cmp: edges are many, and cold. */
typedef struct place {
    uint64_t high, low;
    uint8_t family;
} place;

/* An edge with its conclusion: rows are runs of equal keys after sorting. */
typedef struct entry {
    const ccm_edge *e;
    uint32_t edge;
    uint32_t rank; /* of the route row, among all in the order of the view */
    uint32_t port; /* and below it the L4 protocol */
    uint32_t through;
    place server, client;
    ccm_conclusion c;
} entry;

typedef struct point {
    uint64_t bucket, bytes[2], active;
    bool used;
} point;

typedef struct order {
    const ccm_catalog *c;
    const ccm_texts *texts;
    bool per_client;
} order;

static int number_cmp(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static place place_of(const ccm_addr *a)
{
    place p = { .family = a->family };

    memcpy(&p.high, a->b, sizeof p.high);
    memcpy(&p.low, a->b + sizeof p.high, sizeof p.low);
    p.high = GUINT64_FROM_BE(p.high);
    p.low = GUINT64_FROM_BE(p.low);
    return p;
}

static int place_cmp(const place *a, const place *b)
{
    return a->family != b->family ? number_cmp(a->family, b->family)
           : a->high != b->high   ? number_cmp(a->high, b->high)
                                  : number_cmp(a->low, b->low);
}

static const char *through_of(const entry *v, const order *o)
{
    return v->through ? ccm_texts_get(o->texts, v->through) : "";
}

/* Everything that makes a row a row, in the order of the view. */
static int row_cmp(const entry *a, const entry *b, const order *o)
{
    int r = number_cmp(a->rank, b->rank);

    if (!r && a->c.protocol != b->c.protocol)
        r = strcmp(a->c.protocol, b->c.protocol);
    if (!r)
        r = number_cmp(a->port, b->port);
    if (!r)
        r = place_cmp(&a->server, &b->server);
    if (!r && a->through != b->through)
        r = strcmp(through_of(a, o), through_of(b, o));
    if (!r && o->per_client)
        r = place_cmp(&a->client, &b->client);
    return r ? r : number_cmp((uint64_t)a->c.row, (uint64_t)b->c.row);
}

/* Route names in alphabetical order, the unknown route last; rows of one route rank alike. */
static int route_cmp(const void *pa, const void *pb, void *data)
{
    const ccm_catalog *c = data;
    const ccm_route_row *x = ccm_route_at(c, *(const int *)pa);
    const ccm_route_row *y = ccm_route_at(c, *(const int *)pb);
    bool ux = x->source == c->unknown_role && x->destination == c->unknown_role;
    bool uy = y->source == c->unknown_role && y->destination == c->unknown_role;

    return ux != uy ? (int)ux - (int)uy : strcmp(x->route, y->route);
}

/* The rank of each route row of the catalogue. */
static uint32_t *rank_routes(const ccm_catalog *c)
{
    int *sorted = g_new(int, c->routes->len);
    uint32_t *rank = g_new(uint32_t, c->routes->len), at = 0;

    for (unsigned i = 0; i < c->routes->len; i++)
        sorted[i] = (int)i;
    ccm_sort(sorted, c->routes->len, sizeof *sorted, route_cmp, (void *)c);
    for (unsigned i = 0; i < c->routes->len; i++) {
        at += i > 0 && route_cmp(&sorted[i - 1], &sorted[i], (void *)c) != 0;
        rank[sorted[i]] = at;
    }
    g_free(sorted);
    return rank;
}

/* Within a row by source, so that sources can be counted. */
static int entry_cmp(const void *pa, const void *pb, void *data)
{
    const entry *a = pa, *b = pb;
    int r = row_cmp(a, b, data);
    if (!r)
        r = place_cmp(&a->client, &b->client);
    return r ? r : (int)a->e->key.route - (int)b->e->key.route;
}

/* Who authenticated, what TLS showed, and what channels they are, on the edges of a row. */
static void make_proofs(view_maker *k, view_auth *a, ccm_view_route *r, const entry *v, unsigned n)
{
    uint32_t *edges = g_new(uint32_t, n);
    for (unsigned i = 0; i < n; i++)
        edges[i] = v[i].edge;
    ccm_view_auth_row(a, edges, n, r);
    ccm_view_make_tls(k, edges, n, r);
    ccm_view_make_channel(k, r, edges, n);
    g_free(edges);
}

static bool is_empty(const ccm_edge *e)
{
    const ccm_traffic *t = &e->traffic;
    return !t->dir[0].packets && !t->dir[1].packets && !e->counters.n && !e->established &&
           !e->refused && !e->unanswered && !e->midstream && !e->datagrams;
}

/* ---- one row --------------------------------------------------------------------------------- */

static void add_edge(ccm_view_route *r, const ccm_edge *e)
{
    bool first = true;
    for (unsigned d = 0; d < 2; d++) {
        const ccm_sums *s = &e->traffic.dir[d];
        first &= !r->packets[d];
        r->wire_bytes[d] += s->wire;
        r->ip_bytes[d] += s->ip;
        r->payload_bytes[d] += s->payload;
        r->retransmitted_bytes[d] += s->retransmitted;
        r->missing_bytes[d] += s->missing;
    }
    r->packets[0] += e->traffic.dir[0].packets;
    r->packets[1] += e->traffic.dir[1].packets;
    if (e->traffic.dir[0].packets || e->traffic.dir[1].packets) {
        uint64_t a = e->traffic.first_ns, b = e->traffic.last_ns;
        r->first_seen_ns = first ? a : ccm_min64(r->first_seen_ns, a);
        r->last_seen_ns = first ? b : ccm_max64(r->last_seen_ns, b);
    }
    /* Through a proxy a connection is what the proxy granted. */
    uint64_t failed, denied = ccm_tunnel_denied(e, &failed);
    uint64_t open = e->established - ccm_min64(e->established, denied + failed);
    r->connections.attempted += open + denied + failed + e->refused + e->unanswered;
    r->connections.established += open;
    r->connections.refused += denied + failed + e->refused;
    r->connections.unanswered += e->unanswered;
    r->connections.reset += e->reset;
    r->connections.midstream += e->midstream;
    r->connections.datagrams += e->datagrams;
    r->transport.zero_windows += e->zero_windows;
    r->transport.resets += e->resets;
    r->transport.gaps += e->gaps;
    r->transport.duplicates += e->duplicates;
    r->transport.overlap_conflicts += e->overlap_conflicts;
}

static void make_rtt(ccm_view_route *r, const entry *v, unsigned n)
{
    uint64_t sum = 0, count = 0, low = UINT64_MAX, high = 0;
    for (unsigned i = 0; i < n; i++) {
        sum += v[i].e->rtt_sum;
        count += v[i].e->rtt_count;
        low = ccm_min64(low, v[i].e->rtt_min);
        high = ccm_max64(high, v[i].e->rtt_max);
    }
    r->transport.has_rtt = count > 0;
    if (!count)
        return;
    r->transport.rtt_count = count;
    r->transport.rtt_min_ns = low;
    r->transport.rtt_max_ns = high;
    r->transport.rtt_mean_ns = sum / count;
}

/* The name under which a counter is shown. */
static const char *counter_name(view_maker *k, uint32_t key)
{
    char text[32];
    uint32_t number = ccm_count_number(key);

    switch (ccm_count_kind_of(key)) {
    case CCM_COUNT_METHOD:
    case CCM_COUNT_SMB:
    case CCM_COUNT_HINT:
        return ccm_texts_get(&k->m->texts, number);
    case CCM_COUNT_STATUS:
        g_snprintf(text, sizeof text, "%u", number);
        return ccm_view_keep(k, text);
    case CCM_COUNT_ICMP:
        g_snprintf(text, sizeof text, "%u/%u", number >> 8, number & 0xff);
        return ccm_view_keep(k, text);
    case CCM_COUNT_DECRYPTED:
        return "decrypted";
    case CCM_COUNT_MARK:
        return ccm_mark_at(k->m->catalog, (int)number)->id;
    default: /* view_tls.c */
        break;
    }
    return "";
}

/* Edges are many, names few: those are added up by number before they get their names. */
static ccm_view_counts counts_of(view_maker *k, const entry *v, unsigned n, ccm_count_kind kind)
{
    enum { MANY = 64 };
    ccm_counters sums = { 0 };

    for (unsigned i = 0; i < n; i++) {
        const ccm_counters *c = &v[i].e->counters;
        for (unsigned j = 0; j < c->n; j++) {
            uint32_t key = c->v[j].key;
            if ((ccm_count_kind_of(key) == kind ||
                 (kind == CCM_COUNT_METHOD && ccm_count_kind_of(key) == CCM_COUNT_SMB)) &&
                !ccm_counters_add(&sums, key, c->v[j].count, MANY))
                ccm_view_count_add(k->list, counter_name(k, key), c->v[j].count);
        }
    }
    for (unsigned i = 0; i < sums.n; i++)
        ccm_view_count_add(k->list, counter_name(k, sums.v[i].key), sums.v[i].count);
    g_free(sums.v);
    return ccm_view_counts_of(k, k->list);
}

static void make_counts(view_maker *k, ccm_view_route *r, const entry *v, unsigned n)
{
    uint64_t most = 0;

    r->requests = counts_of(k, v, n, CCM_COUNT_METHOD);
    r->statuses = counts_of(k, v, n, CCM_COUNT_STATUS);
    r->hints = counts_of(k, v, n, CCM_COUNT_HINT);
    r->icmp_errors = counts_of(k, v, n, CCM_COUNT_ICMP);
    r->decrypted = counts_of(k, v, n, CCM_COUNT_DECRYPTED).n > 0;
    for (unsigned i = 0; i < n; i++) { /* of HTTP: those that a status answers */
        for (unsigned j = 0; j < v[i].e->counters.n; j++) {
            const ccm_counter *c = &v[i].e->counters.v[j];
            if (ccm_count_kind_of(c->key) == CCM_COUNT_METHOD)
                r->requests_total += c->count;
            else if (ccm_count_kind_of(c->key) == CCM_COUNT_UNPAIRED)
                r->unpaired[ccm_count_number(c->key) & 1] += c->count;
        }
    }
    for (unsigned i = 0; i < r->statuses.n; i++)
        if (r->statuses.v[i].name[0] >= '4')
            r->failed_total += r->statuses.v[i].count;
    for (unsigned i = 0; i < r->hints.n; i++) {
        if (r->hints.v[i].count > most) {
            most = r->hints.v[i].count;
            r->other_protocol = r->hints.v[i].name;
        }
    }
}

static void make_basis(view_maker *k, ccm_view_route *r, const entry *v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const ccm_counters *c = &v[i].e->counters;
        if (v[i].c.certainty > r->certainty)
            r->certainty = v[i].c.certainty;
        if (v[i].c.basis)
            ccm_view_count_add(k->list, v[i].c.basis, 1);
        for (unsigned j = 0; j < c->n && !v[i].c.basis; j++)
            if (ccm_count_kind_of(c->v[j].key) == CCM_COUNT_MARK)
                ccm_view_count_add(k->list, counter_name(k, c->v[j].key), 1);
        if (v[i].c.source_role >= 0) {
            const char *role = ccm_role_at(k->m->catalog, v[i].c.source_role)->id;
            char *text = g_strconcat("source-is-", role, NULL);
            ccm_view_count_add(k->list, ccm_view_keep(k, text), 1);
            g_free(text);
        }
    }
    r->basis = ccm_view_names_of(k, k->list);
}

/* The row leads through a web proxy's tunnel: to whom. */
static void make_tunnel(view_maker *k, ccm_view_route *r, uint32_t through)
{
    ccm_authority to = ccm_authority_of(ccm_texts_get(&k->m->texts, through));
    uint32_t host = ccm_tunnels_host(k->tunnels, to.host);
    char *name = g_strndup((const char *)to.host.p, to.host.n);

    r->via = (ccm_endpoint){ r->destination, r->port };
    r->port = to.port;
    if (host != CCM_NONE)
        r->destination = ccm_host_at(k->m, host)->addr;
    else if (!ccm_addr_parse(name, &r->destination))
        r->destination = (ccm_addr){ 0 };
    ccm_view_count_add(k->list, ccm_view_keep(k, name), 1);
    r->destination_names = ccm_view_names_of(k, k->list);
    g_free(name);
}

static void make_row(view_maker *k, ccm_view_route *r, const entry *v, unsigned n)
{
    const ccm_catalog *c = k->m->catalog;
    const ccm_route_row *row = ccm_route_at(c, v->c.row);
    const ccm_edge_key *key = &v->e->key;

    r->route = row->route;
    r->title = row->title;
    r->ref = row->ref;
    r->protocol = v->c.protocol;
    r->throttleable = row->throttleable;
    r->source_role = ccm_role_at(c, row->source)->id;
    r->destination_role = ccm_role_at(c, row->destination)->id;
    r->has_port = key->l4 == 6 || key->l4 == 17;
    r->port = key->port;
    r->l4 = key->l4;
    r->destination = key->server;
    r->destination_names = ccm_view_host_names(k, &key->server);
    r->source = key->client;
    for (unsigned i = 0; i < n; i++) {
        r->sources += i == 0 || !ccm_addr_eq(&v[i].e->key.client, &v[i - 1].e->key.client);
        add_edge(r, v[i].e);
    }
    /* An edge without a client address holds many clients, unless it is that of packets without IP.
     */
    r->has_source = r->sources == 1 && (key->client.family || !key->server.family);
    if (!r->has_source)
        r->source = (ccm_addr){ 0 };
    if (key->through)
        make_tunnel(k, r, key->through);
    make_rtt(r, v, n);
    make_counts(k, r, v, n);
    make_basis(k, r, v, n);
}

/* ---- rates and timelines --------------------------------------------------------------------- */

static int point_cmp(const void *pa, const void *pb)
{
    return number_cmp(((const point *)pa)->bucket, ((const point *)pb)->bucket);
}

static int bytes_cmp(const void *a, const void *b)
{
    return number_cmp(*(const uint64_t *)a, *(const uint64_t *)b);
}

static uint64_t bps(uint64_t bytes, uint64_t ns)
{
    wide v = (wide)bytes * 8u * 1000000000u / ns;
    return v > UINT64_MAX ? UINT64_MAX : (uint64_t)v;
}

/* `v`: the row's points, one for each bucket that carried something, in order. */
static void make_rate(ccm_view_route *r, const point *v, unsigned n, unsigned interval)
{
    uint64_t ns = (uint64_t)interval * 1000000000u;
    uint64_t *bytes = g_new(uint64_t, n + 1u);

    r->rate.interval_s = interval;
    for (unsigned i = 0; i < n; i++)
        bytes[i] = v[i].bytes[0] + v[i].bytes[1];
    if (n) {
        qsort(bytes, n, sizeof *bytes, bytes_cmp);
        r->rate.peak_bps = bps(bytes[n - 1], ns);
        r->rate.p95_bps = bps(bytes[((uint64_t)n * 95 + 99) / 100 - 1], ns);
    }
    uint64_t all = r->wire_bytes[0] + r->wire_bytes[1], span = r->last_seen_ns - r->first_seen_ns;
    r->rate.mean_bps = bps(all, ccm_max64(span, ns));
    /* A burst that lies across two intervals: its mean is over these, or the peak would be less. */
    if (n && r->rate.mean_bps > r->rate.peak_bps)
        r->rate.mean_bps = ccm_min64(bps(all, n * ns), r->rate.peak_bps);
    g_free(bytes);
}

/* The busiest minutes, or buckets where these are longer; and what went on while anything did. */
static void make_activity(ccm_view_route *r, const point *v, unsigned n, unsigned interval)
{
    unsigned length = MAX(interval, 60);

    for (unsigned i = 0, to; i < n; i = to) {
        uint64_t start = v[i].bucket * interval / length * length;
        ccm_view_busy b = { start * 1000000000u, length, 0 };
        for (to = i; to < n && v[to].bucket * interval < start + length; to++)
            b.bytes += v[to].bytes[0] + v[to].bytes[1];
        for (unsigned k = 0; k < CCM_VIEW_BUSIEST; k++) {
            if (b.bytes <= r->busiest[k].bytes)
                continue;
            ccm_view_busy out = r->busiest[k];
            r->busiest[k] = b;
            b = out;
        }
    }
    for (unsigned i = 0; i < n && interval == 1; i++) {
        r->active.seconds++;
        r->active.connection_seconds += v[i].active;
        r->active.connections_peak = ccm_max64(r->active.connections_peak, v[i].active);
    }
    if (r->active.seconds)
        r->active.bps = bps(r->wire_bytes[0] + r->wire_bytes[1], r->active.seconds * 1000000000u);
}

/* The finest interval at which the row fits: the ladder's, then doubled hours. */
static uint64_t dense_interval(unsigned level, uint64_t first, uint64_t last)
{
    uint64_t base = ccm_timeline_interval(level), i = base;
    while (last * base / i - first * base / i >= CCM_VIEW_POINTS)
        i = ++level < CCM_LADDER ? ccm_timeline_interval(level) : i * 2;
    return i;
}

static void make_timeline(view_maker *k, ccm_view_route *r, const point *v, unsigned n)
{
    uint64_t base = ccm_timeline_interval(k->m->timeline.level);

    r->timeline.interval_s = (unsigned)base;
    if (!n)
        return;
    uint64_t i = dense_interval(k->m->timeline.level, v[0].bucket, v[n - 1].bucket);
    uint64_t first = v[0].bucket * base / i;
    r->timeline.interval_s = (unsigned)i;
    r->timeline.start_ns = first * i * 1000000000u;
    r->timeline.n = (unsigned)(v[n - 1].bucket * base / i - first) + 1;
    for (unsigned d = 0; d < 2; d++) {
        uint64_t *bytes = ccm_view_alloc(k, r->timeline.n, sizeof *bytes);
        for (unsigned j = 0; j < n; j++)
            bytes[v[j].bucket * base / i - first] += v[j].bytes[d];
        r->timeline.bytes[d] = bytes;
    }
}

/* Points of one row in the order of time, each bucket once; returns how many are left. */
static unsigned join_points(point *v, unsigned n)
{
    unsigned left = 0;

    if (n)
        qsort(v, n, sizeof *v, point_cmp);
    for (unsigned i = 0; i < n; i++) {
        if (left && v[left - 1].bucket == v[i].bucket) {
            v[left - 1].bytes[0] += v[i].bytes[0];
            v[left - 1].bytes[1] += v[i].bytes[1];
            v[left - 1].active += v[i].active;
        } else {
            v[left++] = v[i];
        }
    }
    return left;
}

/* The same for a row whose time is about as short as it has points: a row of many clients mostly
 * is, and then there is nothing to sort. `first`, `span`: the buckets that the points lie in. */
static unsigned add_up_points(point *v, unsigned n, uint64_t first, unsigned span)
{
    point *dense = g_new0(point, span);
    unsigned left = 0;

    for (unsigned i = 0; i < n; i++) {
        point *p = &dense[v[i].bucket - first];
        p->used = true;
        p->bytes[0] += v[i].bytes[0];
        p->bytes[1] += v[i].bytes[1];
        p->active += v[i].active;
    }
    for (unsigned i = 0; i < span; i++) {
        if (!dense[i].used)
            continue;
        v[left] = dense[i];
        v[left++].bucket = first + i;
    }
    g_free(dense);
    return left;
}

static void make_times(view_maker *k, ccm_view_route *rows, unsigned n_rows, const uint32_t *row_of)
{
    const ccm_timeline *t = &k->m->timeline;
    point *v = g_new(point, t->n + 1u);
    unsigned *at = g_new0(unsigned, n_rows + 1u); /* where each row's points begin */

    for (uint32_t i = 0; i <= t->mask; i++)
        if (t->v[i].key)
            at[row_of[ccm_point_edge(&t->v[i])] + 1]++;
    for (unsigned row = 0; row < n_rows; row++)
        at[row + 1] += at[row];
    for (uint32_t i = 0; i <= t->mask; i++) {
        const ccm_point *p = &t->v[i];
        if (p->key) /* at[row] moves to where the next row begins */
            v[at[row_of[ccm_point_edge(p)]]++] =
                (point){ ccm_point_bucket(p), { p->bytes[0], p->bytes[1] }, p->active, true };
    }
    for (unsigned row = 0; row < n_rows; row++) {
        point *p = v + (row ? at[row - 1] : 0);
        unsigned n = (unsigned)(v + at[row] - p);
        uint64_t first = UINT64_MAX, last = 0;
        if (!rows[row].last_seen_ns) /* no packet of it has a time: nothing is told of rates */
            continue;
        for (unsigned i = 0; i < n; i++) {
            first = ccm_min64(first, p[i].bucket);
            last = ccm_max64(last, p[i].bucket);
        }
        n = n > 1 && last - first < n ? add_up_points(p, n, first, (unsigned)(last - first) + 1)
                                      : join_points(p, n);
        make_rate(&rows[row], p, n, ccm_timeline_interval(t->level));
        make_activity(&rows[row], p, n, ccm_timeline_interval(t->level));
        make_timeline(k, &rows[row], p, n);
    }
    g_free(at);
    g_free(v);
}

void ccm_view_make_routes(view_maker *k)
{
    const ccm_model *m = k->m;
    order o = { m->catalog, &m->texts, k->view->per_client };
    entry *v = g_new(entry, m->n_edges);
    uint32_t *row_of = g_new0(uint32_t, m->n_edges);
    uint32_t *rank = rank_routes(m->catalog);
    unsigned n = 0, n_rows = 0;

    for (uint32_t i = 0; i < m->n_edges; i++) {
        const ccm_edge *e = ccm_edge_at(m, i);
        if (is_empty(e))
            continue;
        v[n] = (entry){ .e = e,
                        .edge = i,
                        .port = (uint32_t)e->key.port << 8 | e->key.l4,
                        .through = e->key.through,
                        .server = place_of(&e->key.server),
                        .client = place_of(&e->key.client) };
        ccm_conclude_edge(m, k->cmg, k->tunnels, i, &v[n].c);
        v[n].rank = rank[v[n].c.row];
        n++;
    }
    ccm_sort(v, n, sizeof *v, entry_cmp, &o);
    for (unsigned i = 0; i < n; i++) {
        n_rows += i == 0 || row_cmp(&v[i - 1], &v[i], &o) != 0;
        row_of[v[i].edge] = n_rows - 1;
    }
    ccm_view_route *rows = ccm_view_alloc(k, n_rows, sizeof *rows);
    view_auth *auth = ccm_view_auth_new(k);
    for (unsigned i = 0; i < n; i++)
        ccm_view_auth_edge(auth, v[i].edge, v[i].c.row);
    for (unsigned i = 0, row = 0; i < n; row++) {
        unsigned from = i;
        while (i < n && row_of[v[i].edge] == row)
            i++;
        make_row(k, &rows[row], v + from, i - from);
        make_proofs(k, auth, &rows[row], v + from, i - from);
    }
    k->accounts_rolled = ccm_view_auth_free(auth);
    make_times(k, rows, n_rows, row_of);
    uint32_t *sorted = g_new(uint32_t, n);
    for (unsigned i = 0; i < n; i++)
        sorted[i] = v[i].edge;
    ccm_view_make_throttle(k, rows, n_rows, row_of, sorted, n);
    g_free(sorted);
    k->view->routes = rows;
    k->view->n_routes = n_rows;
    g_free(rank);
    g_free(row_of);
    g_free(v);
}
