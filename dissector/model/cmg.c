/* SPDX-License-Identifier: GPL-2.0-or-later
 * cmg.c - long-lived channels and their fallbacks, see cmg.h.
 *
 * A connection point tries TCP-TLS on 10140 to 10155, a port for each VM of a classic gateway;
 * where that fails, HTTPS on 443 (one VM) or on 10124 to 10139 (more); a scale set is asked by
 * HTTPS at once. Indices of the two ranges may differ by one, so a fallback looks for the same VM
 * first, then for any. A failed 10124 beside a 443 that works is told as well: a gateway of which
 * one VM can be reached. Nothing here depends on the order of edges. */
#include "model/cmg.h"

#include "model/conclude.h"

enum {
    HTTPS = 443,
    FIRST_HTTPS = 10124,
    FIRST_TCP_TLS = 10140,
    LAST = 10155,
    NOTIFICATION = 10123,
    VMS = 16,
    ALERT_RECORD = 7,  /* a TLS record with nothing but an alert */
    PAUSE_BUCKETS = 3, /* of the timeline, between bursts */
    SERVICES = 8,      /* of one host, by service records */
    COARSEST = 60,     /* seconds: a coarser timeline shows no rhythm */
};

static const uint64_t FALLBACK_NS = UINT64_C(60000000000);

/* A candidate with what its edge's key says, for sorting by the two hosts. Through a web proxy the
 * gateway is known by the name that the client asked for, and by the address of who bears it. */
typedef struct entry {
    ccm_channel channel;
    const ccm_edge *e;
    ccm_addr gateway;      /* family 0 = not known */
    const char *authority; /* NULL = no proxy */
    ccm_span name;         /* of the authority */
    bool keep;
    unsigned first_moment;
} entry;

typedef struct end_key {
    ccm_addr addr;
    bool gateway;
} end_key;

typedef struct end {
    end_key key;
    ccm_certainty certainty;
} end;

typedef struct moment {
    uint32_t entry;
    uint64_t bucket;
} moment;

struct ccm_cmg {
    const ccm_model *m;
    const ccm_tunnels *tunnels;
    GArray *entries; /* entry, by client, gateway, port, route */
    GArray *ends;    /* end */
    GArray *moments; /* moment, by entry and time */
    ccm_index by_edge, by_end;
};

static entry *at(const ccm_cmg *c, unsigned i)
{
    return &g_array_index(c->entries, entry, i);
}

static bool edge_eq(const void *table, uint32_t value, const void *key)
{
    return at(table, value)->channel.edge == *(const uint32_t *)key;
}

static uint32_t entry_of(const ccm_cmg *c, uint32_t edge)
{
    return ccm_index_find(&c->by_edge, ccm_hash_end(ccm_mix(13, edge)), edge_eq, c, &edge);
}

static bool end_eq(const void *table, uint32_t value, const void *key)
{
    const end_key *a = &g_array_index((const GArray *)table, end, value).key, *b = key;
    return a->gateway == b->gateway && ccm_addr_eq(&a->addr, &b->addr);
}

static uint32_t end_hash(const ccm_addr *addr, bool gateway)
{
    return ccm_hash_end(ccm_hash_addr(14 + gateway, addr));
}

unsigned ccm_cmg_instance(uint16_t port)
{
    return port >= FIRST_TCP_TLS && port <= LAST         ? port - FIRST_TCP_TLS + 1u
           : port >= FIRST_HTTPS && port < FIRST_TCP_TLS ? port - FIRST_HTTPS + 1u
                                                         : 0;
}

const char *ccm_channel_why_name(ccm_channel_why why)
{
    static const char *const names[CCM_WHYS] = {
        "none", "refused", "unanswered", "silent", "reset", "alert", "proxy-denied", "proxy-failed"
    };
    return names[why < CCM_WHYS ? why : 0];
}

const char *ccm_channel_state_name(ccm_channel_state state)
{
    static const char *const names[] = { "up", "failed", "down" };
    return names[state <= CCM_CHANNEL_DOWN ? state : 0];
}

/* Sessions of TLS that were answered, when `answered`, or not. */
static uint64_t tls_sessions(const ccm_edge *e, bool answered)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < e->counters.n; i++)
        if (ccm_count_kind_of(e->counters.v[i].key) == CCM_COUNT_TLS_VERSION &&
            (ccm_count_number(e->counters.v[i].key) > 0) == answered)
            n += e->counters.v[i].count;
    return n;
}

/* The bytes of the proxy itself say nothing of the gateway. */
static ccm_channel_why why_failed_behind(const ccm_edge *e)
{
    uint64_t failed, denied = ccm_tunnel_denied(e, &failed);

    return tls_sessions(e, true)    ? CCM_WHY_NOTHING
           : denied                 ? CCM_WHY_PROXY_DENIED
           : failed                 ? CCM_WHY_PROXY_FAILED
           : tls_sessions(e, false) ? CCM_WHY_SILENT
                                    : CCM_WHY_NOTHING;
}

static ccm_channel_why why_failed(const ccm_edge *e)
{
    if (e->key.through)
        return why_failed_behind(e);
    uint64_t said = e->traffic.dir[0].payload, heard = e->traffic.dir[1].payload;
    uint64_t open = e->established + e->midstream;

    if (!open)
        return e->refused ? CCM_WHY_REFUSED : e->unanswered ? CCM_WHY_UNANSWERED : CCM_WHY_NOTHING;
    if (!said || heard > ALERT_RECORD * open || e->midstream)
        return CCM_WHY_NOTHING;
    return heard ? CCM_WHY_ALERT : e->reset >= open ? CCM_WHY_RESET : CCM_WHY_SILENT;
}

static bool works(const entry *x)
{
    return x->channel.why == CCM_WHY_NOTHING &&
           (x->authority ? tls_sessions(x->e, true) : x->e->traffic.dir[1].payload) > 0;
}

/* ---- which edges are channels ---------------------------------------------------------------- */

static int name_cmp(ccm_span a, ccm_span b)
{
    int r = memcmp(a.p, b.p, MIN(a.n, b.n));
    return r ? r : (a.n > b.n) - (a.n < b.n);
}

static int hosts_cmp(const entry *a, const entry *b)
{
    int r = ccm_addr_cmp(&a->e->key.client, &b->e->key.client);
    if (!r)
        r = ccm_addr_cmp(&a->gateway, &b->gateway);
    if (!r && !a->gateway.family)
        r = name_cmp(a->name, b->name);
    return r;
}

static int entry_cmp(const void *pa, const void *pb)
{
    const entry *a = pa, *b = pb;
    int r = hosts_cmp(a, b);
    if (!r)
        r = (int)a->channel.port - (int)b->channel.port;
    if (!r)
        r = (int)a->e->key.route - (int)b->e->key.route;
    if (!r)
        r = g_strcmp0(a->authority, b->authority);
    return r ? r : ccm_addr_cmp(&a->e->key.server, &b->e->key.server);
}

static bool same_hosts(const entry *a, const entry *b)
{
    return hosts_cmp(a, b) == 0;
}

/* Whom the edge leads to. False: to no port of a channel. */
static bool leads_to(const ccm_cmg *c, const ccm_edge *e, entry *x)
{
    x->e = e;
    x->gateway = e->key.server;
    x->channel.port = e->key.port;
    if (e->key.through) {
        x->authority = ccm_texts_get(&c->m->texts, e->key.through);
        ccm_authority to = ccm_authority_of(x->authority);
        uint32_t host = ccm_tunnels_host(c->tunnels, to.host);
        x->name = to.host;
        x->channel.port = to.port;
        x->gateway = host == CCM_NONE ? (ccm_addr){ 0 } : ccm_host_at(c->m, host)->addr;
    }
    uint16_t port = x->channel.port;
    return e->key.l4 == 6 && e->key.client.family &&
           (port == HTTPS || (port >= NOTIFICATION && port <= LAST));
}

static bool polls(const ccm_model *m, const ccm_edge *e)
{
    for (unsigned i = 0; i < e->counters.n; i++) {
        uint32_t key = e->counters.v[i].key;
        if (ccm_count_kind_of(key) == CCM_COUNT_MARK &&
            !strcmp(ccm_mark_at(m->catalog, (int)ccm_count_number(key))->id, "bgb-handler"))
            return true;
    }
    return false;
}

/* How surely the host was seen to be a management point on the port; 0 = on any. */
static ccm_certainty is_mp(const ccm_cmg *c, const ccm_addr *addr, uint16_t port)
{
    uint32_t at = addr->family ? ccm_host_find(c->m, addr) : CCM_NONE;
    int role = ccm_catalog_role(c->m->catalog, "mp");
    ccm_certainty best = CCM_CERTAINTY_UNKNOWN;
    ccm_evidence list[CCM_HOST_EVIDENCE + SERVICES];

    if (at == CCM_NONE)
        return best;
    const ccm_host *h = ccm_host_at(c->m, at);
    unsigned n = ccm_names_services(c->m, h, list, SERVICES);
    for (unsigned i = 0; i < h->n_evidence; i++)
        list[n++] = h->evidence[i];
    for (unsigned i = 0; i < n; i++)
        if (list[i].server && (!port || list[i].port == port) &&
            ccm_mark_at(c->m->catalog, list[i].mark)->server_role == role)
            best = MAX(best, ccm_evidence_certainty(c->m->catalog, &list[i]));
    return best;
}

/* TLS that nobody opened. */
static bool is_closed(const ccm_edge *e)
{
    return e->key.route < 0 && !e->n_methods && tls_sessions(e, true) > 0;
}

static void collect(ccm_cmg *c)
{
    for (uint32_t i = 0; i < c->m->n_edges; i++) {
        const ccm_edge *e = ccm_edge_at(c->m, i);
        entry x = { .channel.edge = i };
        bool fits = leads_to(c, e, &x), polling = e->key.route >= 0 && polls(c->m, e);
        if (!fits && !polling && e->key.l4 == 6 && e->key.client.family && is_closed(e))
            x.channel.hidden = is_mp(c, &x.gateway, x.channel.port) >= CCM_CERTAINTY_LIKELY;
        if (!polling && !x.channel.hidden &&
            (!fits || (e->key.route >= 0 && x.channel.port == HTTPS)))
            continue; /* requests tell what their edge is */
        x.channel.notification = polling || x.channel.hidden || x.channel.port == NOTIFICATION;
        x.channel.why = why_failed(e);
        g_array_append_val(c->entries, x);
    }
    if (c->entries->len)
        qsort(c->entries->data, c->entries->len, sizeof(entry), entry_cmp);
}

static bool named_gateway(const ccm_cmg *c, const entry *x)
{
    const ccm_catalog *catalog = c->m->catalog;
    int gateway = catalog->gateway_role;
    uint32_t i = x->gateway.family ? ccm_host_find(c->m, &x->gateway) : CCM_NONE;
    int mark = x->authority ? ccm_catalog_name(catalog, x->name) : -1;
    if (mark >= 0 && ccm_mark_at(catalog, mark)->server_role == gateway)
        return true;
    if (i == CCM_NONE)
        return false;
    const ccm_host *h = ccm_host_at(c->m, i);
    for (unsigned k = 0; k < h->n_evidence; k++)
        if (h->evidence[k].server &&
            ccm_mark_at(catalog, h->evidence[k].mark)->server_role == gateway)
            return true;
    return false;
}

/* Is more than one port of the ranges, or one and 443, or a name of a gateway in v[0..n)? */
static bool is_sure(const ccm_cmg *c, const entry *v, unsigned n)
{
    unsigned ports = 0, ranged = 0;
    bool named = false;
    for (unsigned i = 0; i < n; i++) {
        bool new_port = i == 0 || v[i].channel.port != v[i - 1].channel.port;
        ports += new_port && !v[i].channel.notification;
        ranged += new_port && ccm_cmg_instance(v[i].channel.port);
        named = named || named_gateway(c, &v[i]);
    }
    return ranged && (ports > 1 || named);
}

/* ---- what they fell back to ------------------------------------------------------------------ */

static void fell_back(entry *to, const entry *from)
{
    const ccm_traffic *a = &from->e->traffic, *b = &to->e->traffic;
    if (b->last_ns < a->first_ns) /* it was over before */
        return;
    if (to->channel.from_port && to->channel.from_port >= from->channel.port)
        return; /* of several, the highest */
    to->channel.from_port = from->channel.port;
    to->channel.from_why = from->channel.why;
    to->channel.from_ns = a->first_ns;
    to->channel.from_frame = from->e->first_frame;
    to->channel.in_order = b->first_ns >= a->first_ns && b->first_ns - a->first_ns <= FALLBACK_NS;
}

static entry *working(entry *v, unsigned n, unsigned low, unsigned high)
{
    for (unsigned i = 0; i < n; i++)
        if (!v[i].channel.notification && v[i].channel.port >= low && v[i].channel.port <= high &&
            works(&v[i]))
            return &v[i];
    return NULL;
}

static void gateway_fallback(entry *v, unsigned n, const entry *from)
{
    unsigned port = from->channel.port;
    entry *to = NULL;

    if (port >= FIRST_TCP_TLS) {
        to = working(v, n, port - VMS, port - VMS);
        if (!to && port + 1 - VMS < FIRST_TCP_TLS)
            to = working(v, n, port + 1 - VMS, port + 1 - VMS);
        if (!to)
            to = working(v, n, FIRST_HTTPS, FIRST_TCP_TLS - 1);
    }
    if (!to)
        to = working(v, n, HTTPS, HTTPS);
    if (to)
        fell_back(to, from);
}

static void notification_fallback(entry *v, unsigned n, const entry *from)
{
    for (unsigned i = 0; i < n; i++)
        if (v[i].channel.notification && v[i].channel.port != NOTIFICATION)
            fell_back(&v[i], from);
}

/* Polling inside TLS shows nothing of itself, and its rhythm is not documented: that TLS to the
 * same host goes on after 10123 failed is all there is. Where polling can be read, it is that. */
static void hidden_fallback(const ccm_cmg *c, entry *v, unsigned n, const entry *from)
{
    for (unsigned i = 0; i < n; i++)
        if (v[i].channel.notification && !v[i].channel.hidden && v[i].channel.port != NOTIFICATION)
            return;
    for (unsigned i = 0; i < n; i++) {
        ccm_channel *x = &v[i].channel;
        if ((x->port != HTTPS && !x->hidden) || !works(&v[i]) || !is_closed(v[i].e))
            continue;
        fell_back(&v[i], from);
        if (!x->from_port)
            continue;
        x->notification = x->hidden = true;
        x->sure = is_mp(c, &v[i].gateway, 0) >= CCM_CERTAINTY_LIKELY;
    }
}

/* v[0..n): all candidates between two hosts. */
static void conclude(const ccm_cmg *c, entry *v, unsigned n)
{
    bool up[2] = { false, false }, ranged = false, sure = is_sure(c, v, n);

    for (unsigned i = 0; i < n; i++) {
        ranged |= ccm_cmg_instance(v[i].channel.port) > 0;
        v[i].channel.sure = sure;
    }
    for (unsigned i = 0; i < n && !ranged; i++)
        if (v[i].channel.port == NOTIFICATION && v[i].channel.why != CCM_WHY_NOTHING)
            hidden_fallback(c, v, n, &v[i]);
    for (unsigned i = 0; i < n; i++)
        if (!v[i].channel.hidden || v[i].channel.from_port)
            up[v[i].channel.notification] |= works(&v[i]);
    for (unsigned i = 0; i < n; i++) {
        ccm_channel *x = &v[i].channel;
        if (x->why == CCM_WHY_NOTHING)
            continue;
        x->state = up[x->notification] ? CCM_CHANNEL_FAILED : CCM_CHANNEL_DOWN;
        if (x->notification)
            notification_fallback(v, n, &v[i]);
        else if (v[i].channel.port != HTTPS)
            gateway_fallback(v, n, &v[i]);
    }
    for (unsigned i = 0; i < n; i++) { /* neither 443 nor polling is a channel without the others */
        unsigned port = v[i].channel.port;
        v[i].keep = port >= NOTIFICATION && port <= LAST;
        v[i].keep |= v[i].channel.notification ? v[i].channel.from_port != 0 : ranged;
    }
}

/* Hosts as they are asked for: points and gateways. */
static void add_end(ccm_cmg *c, const ccm_addr *addr, bool gateway, bool sure)
{
    uint32_t hash = end_hash(addr, gateway);
    end_key key = { *addr, gateway };
    uint32_t i = ccm_index_find(&c->by_end, hash, end_eq, c->ends, &key);

    if (i == CCM_NONE) {
        end fresh = { key, CCM_CERTAINTY_WEAK };
        i = c->ends->len;
        ccm_index_add(&c->by_end, hash, i);
        g_array_append_val(c->ends, fresh);
    }
    if (sure)
        g_array_index(c->ends, end, i).certainty = CCM_CERTAINTY_LIKELY;
}

static ccm_certainty end_certainty(const ccm_cmg *c, const ccm_addr *addr, bool gateway)
{
    end_key key = { *addr, gateway };
    uint32_t i = ccm_index_find(&c->by_end, end_hash(addr, gateway), end_eq, c->ends, &key);
    return i == CCM_NONE ? CCM_CERTAINTY_UNKNOWN : g_array_index(c->ends, end, i).certainty;
}

ccm_certainty ccm_cmg_point(const ccm_cmg *c, const ccm_addr *addr)
{
    return end_certainty(c, addr, false);
}

ccm_certainty ccm_cmg_gateway(const ccm_cmg *c, const ccm_addr *addr)
{
    return end_certainty(c, addr, true);
}

/* Did somebody use it as a web proxy? */
static bool is_proxy(const ccm_cmg *c, const ccm_addr *addr)
{
    int role = ccm_catalog_role(c->m->catalog, "web-proxy");
    uint32_t at = ccm_host_find(c->m, addr);
    const ccm_host *h = at == CCM_NONE ? NULL : ccm_host_at(c->m, at);

    for (unsigned i = 0; h && i < h->n_evidence; i++)
        if (h->evidence[i].server &&
            ccm_mark_at(c->m->catalog, h->evidence[i].mark)->server_role == role)
            return true;
    return false;
}

/* Drops what turned out to be no channel, and files the rest. */
static void keep_channels(ccm_cmg *c)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < c->entries->len; i++)
        if (at(c, i)->keep)
            *at(c, kept++) = *at(c, i);
    g_array_set_size(c->entries, kept);
    for (unsigned i = 0; i < kept; i++) {
        entry *x = at(c, i);
        ccm_index_add(&c->by_edge, ccm_hash_end(ccm_mix(13, x->channel.edge)), i);
        if (x->channel.notification)
            continue;
        if (!is_proxy(c, &x->e->key.client)) /* else it passes on what a point sends */
            add_end(c, &x->e->key.client, false, x->channel.sure);
        if (x->gateway.family)
            add_end(c, &x->gateway, true, x->channel.sure);
    }
}

/* ---- rhythm ---------------------------------------------------------------------------------- */

static int moment_cmp(const void *pa, const void *pb)
{
    const moment *a = pa, *b = pb;
    if (a->entry != b->entry)
        return a->entry < b->entry ? -1 : 1;
    return a->bucket < b->bucket ? -1 : a->bucket > b->bucket;
}

/* When each channel carried something, from the timeline. */
static void find_moments(ccm_cmg *c)
{
    const ccm_timeline *t = &c->m->timeline;

    for (uint32_t i = 0; c->entries->len && i <= t->mask; i++) {
        const ccm_point *p = &t->v[i];
        uint32_t edge = p->key ? ccm_point_edge(p) : CCM_NONE;
        uint32_t found = p->key ? entry_of(c, edge) : CCM_NONE;
        moment when = { found, p->key ? ccm_point_bucket(p) : 0 };
        if (found != CCM_NONE && !at(c, found)->channel.hidden)
            g_array_append_val(c->moments, when);
    }
    if (c->moments->len)
        qsort(c->moments->data, c->moments->len, sizeof(moment), moment_cmp);
    for (unsigned i = c->moments->len; i-- > 0;)
        at(c, g_array_index(c->moments, moment, i).entry)->first_moment = i;
}

static int number_cmp(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

ccm_rhythm ccm_cmg_rhythm(const ccm_cmg *c, const uint32_t *edges, unsigned n)
{
    uint64_t interval = ccm_timeline_interval(c->m->timeline.level);
    GArray *pauses = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    ccm_rhythm r = { 0 };

    for (unsigned i = 0; i < n && interval <= COARSEST; i++) {
        uint32_t x = entry_of(c, edges[i]);
        if (x == CCM_NONE)
            continue;
        for (unsigned k = at(c, x)->first_moment + 1; k < c->moments->len; k++) {
            const moment *now = &g_array_index(c->moments, moment, k), *before = now - 1;
            if (now->entry != x)
                break;
            uint64_t pause = (now->bucket - before->bucket) * interval;
            if (now->bucket - before->bucket >= PAUSE_BUCKETS)
                g_array_append_val(pauses, pause);
        }
    }
    r.count = pauses->len;
    if (r.count) {
        const uint64_t *v = (const uint64_t *)(const void *)pauses->data;
        qsort(pauses->data, pauses->len, sizeof *v, number_cmp);
        r = (ccm_rhythm){ r.count, v[(r.count - 1) / 2], v[0], v[r.count - 1] };
    }
    g_array_free(pauses, TRUE);
    return r;
}

/* ---- all of it ------------------------------------------------------------------------------- */

ccm_cmg *ccm_cmg_new(const ccm_model *m, const ccm_tunnels *tunnels)
{
    ccm_cmg *c = g_new0(ccm_cmg, 1);

    c->m = m;
    c->tunnels = tunnels;
    c->entries = g_array_new(FALSE, FALSE, sizeof(entry));
    c->ends = g_array_new(FALSE, FALSE, sizeof(end));
    c->moments = g_array_new(FALSE, FALSE, sizeof(moment));
    ccm_index_init(&c->by_edge, 16);
    ccm_index_init(&c->by_end, 16);
    collect(c);
    for (unsigned i = 0, n; i < c->entries->len; i += n) {
        for (n = 1; i + n < c->entries->len && same_hosts(at(c, i), at(c, i + n));)
            n++;
        conclude(c, at(c, i), n);
    }
    keep_channels(c);
    find_moments(c);
    return c;
}

void ccm_cmg_free(ccm_cmg *c)
{
    GArray *arrays[] = { c->entries, c->ends, c->moments };
    for (unsigned i = 0; i < G_N_ELEMENTS(arrays); i++)
        g_array_free(arrays[i], TRUE);
    ccm_index_clear(&c->by_edge);
    ccm_index_clear(&c->by_end);
    g_free(c);
}

const ccm_channel *ccm_cmg_channel(const ccm_cmg *c, uint32_t edge)
{
    uint32_t i = entry_of(c, edge);
    return i == CCM_NONE ? NULL : &at(c, i)->channel;
}

const char *ccm_cmg_qualifier(const ccm_cmg *c, const ccm_host *h)
{
    const char *named = NULL;

    for (unsigned i = 0; i < c->entries->len; i++) /* only a classic one is asked there */
        if (at(c, i)->channel.port >= FIRST_TCP_TLS && at(c, i)->channel.sure &&
            ccm_addr_eq(&at(c, i)->gateway, &h->addr))
            return "classic";
    for (unsigned i = 0; i < h->n_evidence; i++) {
        const char *of = ccm_mark_at(c->m->catalog, h->evidence[i].mark)->qualifier;
        if (of && named && strcmp(of, named) != 0)
            return NULL;
        named = of ? of : named;
    }
    return named;
}
