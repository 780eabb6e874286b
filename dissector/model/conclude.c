/* SPDX-License-Identifier: GPL-2.0-or-later
 * conclude.c - the rules that turn evidence into routes. They run once, after all merging.
 *
 * In: an edge with its counters, the evidence of its two hosts, the catalogue. Out: route row,
 * certainty, basis. State: none.
 * An edge's route is, in this order: the row its own requests named; that of the channel that it is
 * part of; the row of the only role that its server was seen to play on that port (likely); that of
 * its server's name (weak, or as sure as a service record); the row of the port (weak, or likely
 * when the server is seen to play the role on another port); unknown. Then, when the source is
 * itself seen to serve a role for which the catalogue has a row to the same destination (dp/dp for
 * client/dp), that row, but never above likely: a distribution point is
 * also a client. */
#include "model/conclude.h"

bool ccm_status_denies(uint64_t status)
{
    return status == 400 || status == 404 || status == 405 || status == 501;
}

static ccm_certainty at_most(ccm_certainty c, ccm_certainty bound)
{
    return c < bound ? c : bound;
}

ccm_certainty ccm_evidence_certainty(const ccm_catalog *c, const ccm_evidence *e)
{
    ccm_certainty sure = ccm_mark_at(c, e->mark)->certainty;
    /* A server that only ever answers "no such thing" is one that somebody takes for the role. */
    if (e->server && !e->ok && e->denied)
        return at_most(sure, CCM_CERTAINTY_LIKELY);
    /* Who connects to a share may be an administrator at work. */
    if (!e->server && ccm_mark_at(c, e->mark)->share.n)
        return at_most(sure, CCM_CERTAINTY_LIKELY);
    return sure;
}

static int unknown_http(const ccm_catalog *c)
{
    for (unsigned i = 0; i < c->routes->len; i++) {
        const ccm_route_row *r = ccm_route_at(c, (int)i);
        if (r->source == c->unknown_role && r->destination == c->unknown_role &&
            strcmp(r->protocol, "http") == 0)
            return (int)i;
    }
    return c->unknown_route;
}

static const char *l4_name(uint8_t l4)
{
    switch (l4) {
    case 6:
        return "tcp";
    case 17:
        return "udp";
    case 1:
    case 58:
        return "icmp";
    default:
        return "other";
    }
}

void ccm_conclude_port(const ccm_catalog *c, uint8_t l4, uint16_t port, bool http,
                       ccm_conclusion *out)
{
    int row = l4 == 6 || l4 == 17 ? ccm_catalog_port(c, l4, port) : -1;

    *out = (ccm_conclusion){ .row = c->unknown_route, .protocol = l4_name(l4), .source_role = -1 };
    if (http && (row < 0 || strcmp(ccm_route_at(c, row)->protocol, "http") != 0 ||
                 ccm_route_at(c, row)->destination == c->unknown_role)) {
        out->row = unknown_http(c);
        out->protocol = "http";
        return;
    }
    if (row < 0)
        return;
    out->row = row;
    out->protocol = ccm_route_at(c, row)->protocol;
    out->certainty = CCM_CERTAINTY_WEAK;
    out->basis = "port";
}

void ccm_conclude_smb(const ccm_catalog *c, uint16_t port, ccm_conclusion *out)
{
    ccm_conclude_port(c, 6, port, false, out);
    if (strcmp(out->protocol, "smb") == 0)
        return;
    ccm_conclude_port(c, 6, 445, false, out); /* on a port of its own */
    out->basis = "smb";
}

/* The row of the only role that the host was surely seen to serve on this port; or -1. */
static int row_of_server(const ccm_model *m, const ccm_edge *e)
{
    uint32_t at = e->key.l4 == 6 ? ccm_host_find(m, &e->key.server) : CCM_NONE;
    int row = -1;

    if (at == CCM_NONE)
        return -1;
    const ccm_host *h = ccm_host_at(m, at);
    for (unsigned i = 0; i < h->n_evidence; i++) {
        const ccm_evidence *ev = &h->evidence[i];
        const ccm_mark *mark = ccm_mark_at(m->catalog, ev->mark);
        if (!ev->server || ev->port != e->key.port || mark->route < 0 ||
            ccm_evidence_certainty(m->catalog, ev) < CCM_CERTAINTY_STRONG)
            continue;
        if (row >= 0 && ccm_route_at(m->catalog, row)->destination !=
                            ccm_route_at(m->catalog, mark->route)->destination)
            return -1;
        row = row < 0 ? mark->route : MIN(row, mark->route);
    }
    return row;
}

static bool has_requests(const ccm_edge *e)
{
    for (unsigned i = 0; i < e->counters.n; i++) {
        ccm_count_kind k = ccm_count_kind_of(e->counters.v[i].key);
        if (k == CCM_COUNT_METHOD || k == CCM_COUNT_STATUS)
            return true;
    }
    return false;
}

static bool has_tls(const ccm_edge *e)
{
    for (unsigned i = 0; i < e->counters.n; i++)
        if (ccm_count_kind_of(e->counters.v[i].key) == CCM_COUNT_TLS_VERSION)
            return true;
    return false;
}

enum { SERVICES = 8, HTTPS = 443 };

/* Is `a` a better reason than `b`? The order in the catalogue decides at last. */
static bool is_better(const ccm_catalog *c, int a, int b)
{
    const ccm_mark *x = ccm_mark_at(c, a), *y = ccm_mark_at(c, b);
    if (x->certainty != y->certainty)
        return x->certainty > y->certainty;
    return x->generic != y->generic ? y->generic : a < b;
}

static bool fits_port(const ccm_catalog *c, const ccm_evidence *ev, uint16_t port)
{
    const ccm_mark *mark = ccm_mark_at(c, ev->mark);
    return ev->server && mark->named && mark->route >= 0 && (!ev->port || ev->port == port);
}

/* The mark that the server's names carry for this port; -1: none, or they contradict each other. */
static int mark_of_name(const ccm_model *m, const ccm_edge *e)
{
    const ccm_catalog *c = m->catalog;
    uint32_t at = ccm_host_find(m, &e->key.server);
    ccm_evidence list[CCM_HOST_EVIDENCE + SERVICES];
    int best = -1;

    if (at == CCM_NONE)
        return -1;
    const ccm_host *h = ccm_host_at(m, at);
    unsigned n = ccm_names_services(m, h, list, SERVICES);
    for (unsigned i = 0; i < h->n_evidence; i++)
        list[n++] = h->evidence[i];
    for (unsigned i = 0; i < n; i++)
        if (fits_port(c, &list[i], e->key.port) && (best < 0 || is_better(c, list[i].mark, best)))
            best = list[i].mark;
    for (unsigned i = 0; i < n; i++) {
        const ccm_mark *mark = ccm_mark_at(c, list[i].mark), *chosen = ccm_mark_at(c, best);
        if (fits_port(c, &list[i], e->key.port) && mark->server_role != chosen->server_role &&
            mark->certainty == chosen->certainty && mark->generic == chosen->generic)
            return -1;
    }
    return best;
}

/* Only web ports, and those that a service record names: a name says nothing about other ones. */
static bool conclude_name(const ccm_model *m, const ccm_edge *e, ccm_conclusion *out)
{
    bool http = !has_tls(e) && (has_requests(e) || e->key.port == 80);

    if (e->key.l4 != 6 || !(http || has_tls(e) || e->key.port == HTTPS))
        return false;
    int at = mark_of_name(m, e);
    if (at < 0)
        return false;
    const ccm_mark *mark = ccm_mark_at(m->catalog, at);
    out->row = http ? mark->route : mark->route_tls;
    out->protocol = http ? "http" : "https";
    out->certainty = mark->certainty;
    out->basis = mark->id;
    return true;
}

/* Is the server surely seen to play the role that the port's row is about, on whatever port? */
static bool plays(const ccm_model *m, const ccm_edge *e, int row)
{
    uint32_t at = row < 0 ? CCM_NONE : ccm_host_find(m, &e->key.server);
    if (at == CCM_NONE || ccm_route_at(m->catalog, row)->destination == m->catalog->unknown_role)
        return false;
    const ccm_host *h = ccm_host_at(m, at);
    for (unsigned i = 0; i < h->n_evidence; i++) {
        const ccm_evidence *ev = &h->evidence[i];
        if (ev->server && ccm_evidence_certainty(m->catalog, ev) >= CCM_CERTAINTY_STRONG &&
            ccm_mark_at(m->catalog, ev->mark)->server_role ==
                ccm_route_at(m->catalog, row)->destination)
            return true;
    }
    return false;
}

/* The rhythm of client notification: 5 or 15 minutes (ccm-protocol.md 6.1), give or take one. */
static bool keeps_alive(const ccm_cmg *cmg, uint32_t edge)
{
    const ccm_channel *x = ccm_cmg_channel(cmg, edge);
    if (!x || !x->notification)
        return false;
    ccm_rhythm r = ccm_cmg_rhythm(cmg, &edge, 1);
    uint64_t s = r.median_s;
    return r.count >= 3 && ((s >= 240 && s <= 360) || (s >= 840 && s <= 960));
}

/* A channel of a connection point; its ports are rows of the catalogue, 443 is not. */
static bool conclude_channel(const ccm_model *m, const ccm_cmg *cmg, uint32_t edge,
                             ccm_conclusion *out)
{
    const ccm_catalog *c = m->catalog;
    const ccm_channel *x = ccm_cmg_channel(cmg, edge);

    if (!x || x->notification)
        return false;
    bool own = ccm_cmg_instance(x->port) > 0;
    out->row = own ? ccm_catalog_port(c, 6, x->port) : ccm_catalog_route(c, "cmg-cp-cmg-https");
    if (out->row < 0 || (!own && !x->sure))
        return false;
    out->protocol = ccm_route_at(c, out->row)->protocol;
    out->certainty = x->sure ? CCM_CERTAINTY_LIKELY : CCM_CERTAINTY_WEAK;
    out->basis = x->sure ? "cmg-channel" : "port";
    return true;
}

/* The most telling row for a source that is seen to serve a role; or -1. */
static int row_of_source(const ccm_model *m, const ccm_cmg *cmg, const ccm_edge *e, int row,
                         int *role)
{
    uint32_t at = ccm_host_find(m, &e->key.client);
    int best = -1, point = m->catalog->point_role;

    if (at == CCM_NONE || ccm_addr_eq(&e->key.client, &e->key.server))
        return -1;
    if (point >= 0 && point != ccm_route_at(m->catalog, row)->source &&
        ccm_cmg_point(cmg, &e->key.client) >= CCM_CERTAINTY_LIKELY &&
        (best = ccm_catalog_sibling(m->catalog, row, point)) >= 0) {
        *role = point;
        return best;
    }
    const ccm_host *h = ccm_host_at(m, at);
    for (unsigned i = 0; i < h->n_evidence; i++) {
        const ccm_evidence *ev = &h->evidence[i];
        int served = ccm_mark_at(m->catalog, ev->mark)->server_role;
        if (!ev->server || served < 0 || served == ccm_route_at(m->catalog, row)->source ||
            ccm_evidence_certainty(m->catalog, ev) < CCM_CERTAINTY_STRONG)
            continue;
        int sibling = ccm_catalog_sibling(m->catalog, row, served);
        if (sibling >= 0 && (best < 0 || sibling < best)) {
            best = sibling;
            *role = served;
        }
    }
    return best;
}

/* Of the marks that named the route; an edge whose every answer was a denial is only likely. */
static ccm_certainty local_certainty(const ccm_model *m, const ccm_edge *e)
{
    ccm_certainty sure = CCM_CERTAINTY_WEAK;
    uint64_t denied = 0, other = 0;

    for (unsigned i = 0; i < e->counters.n; i++) {
        const ccm_counter *c = &e->counters.v[i];
        uint32_t number = ccm_count_number(c->key);
        if (ccm_count_kind_of(c->key) == CCM_COUNT_MARK) {
            ccm_certainty of = ccm_mark_at(m->catalog, (int)number)->certainty;
            sure = of > sure ? of : sure;
        } else if (ccm_count_kind_of(c->key) == CCM_COUNT_STATUS) {
            *(ccm_status_denies(number) ? &denied : &other) += c->count;
        }
    }
    return denied && !other ? at_most(sure, CCM_CERTAINTY_LIKELY) : sure;
}

static bool has_smb(const ccm_edge *e)
{
    for (unsigned i = 0; i < e->counters.n; i++)
        if (ccm_count_kind_of(e->counters.v[i].key) == CCM_COUNT_SMB)
            return true;
    return false;
}

/* How surely the host was seen to play the role, as a server on whatever port or as a client. */
static ccm_certainty known_role(const ccm_model *m, const ccm_addr *addr, int role)
{
    uint32_t at = ccm_host_find(m, addr);
    ccm_certainty best = CCM_CERTAINTY_UNKNOWN;

    for (unsigned i = 0; at != CCM_NONE && i < ccm_host_at(m, at)->n_evidence; i++) {
        const ccm_evidence *ev = &ccm_host_at(m, at)->evidence[i];
        const ccm_mark *mark = ccm_mark_at(m->catalog, ev->mark);
        if (!mark->named && (ev->server ? mark->server_role : mark->client_role) == role)
            best = MAX(best, ccm_evidence_certainty(m->catalog, ev));
    }
    return best;
}

/* SMB whose share is hidden, between hosts whose roles are known from elsewhere: the row of files
 * that is about these, no surer than either role. */
static bool conclude_smb_roles(const ccm_model *m, const ccm_edge *e, ccm_conclusion *out)
{
    const ccm_catalog *c = m->catalog;
    ccm_certainty best = CCM_CERTAINTY_WEAK;

    for (unsigned i = 0; i < c->routes->len; i++) {
        const ccm_route_row *r = ccm_route_at(c, (int)i);
        if (strcmp(r->protocol, "smb") != 0 || ccm_addr_eq(&e->key.client, &e->key.server))
            continue;
        ccm_certainty sure = MIN(known_role(m, &e->key.client, r->source),
                                 known_role(m, &e->key.server, r->destination));
        sure = at_most(sure, CCM_CERTAINTY_STRONG);
        if (sure <= best)
            continue;
        best = sure;
        *out = (ccm_conclusion){ .row = (int)i,
                                 .certainty = sure,
                                 .basis = "roles-of-both-ends",
                                 .protocol = "smb",
                                 .source_role = -1 };
    }
    return best > CCM_CERTAINTY_WEAK;
}

/* The row of the same route whose protocol is https; or `row`. */
static int row_of_https(const ccm_catalog *c, int row)
{
    const ccm_route_row *r = ccm_route_at(c, row);
    for (unsigned i = 0; i < c->routes->len; i++) {
        const ccm_route_row *s = ccm_route_at(c, (int)i);
        if (s->source == r->source && s->destination == r->destination &&
            !strcmp(s->protocol, "https"))
            return (int)i;
    }
    return row;
}

/* Protocols of which no connection begins with a handshake of TLS. */
static bool never_tls(const char *protocol)
{
    static const char *const names[] = { "dns", "kerberos", "nbns", "rpc", "smb" };
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        if (!strcmp(protocol, names[i]))
            return true;
    return false;
}

void ccm_conclude_tls(const ccm_catalog *c, ccm_conclusion *out)
{
    const char *protocol = ccm_route_at(c, out->row)->protocol;

    if (out->certainty == CCM_CERTAINTY_WEAK && never_tls(protocol)) /* the port misleads */
        *out = (ccm_conclusion){ .row = c->unknown_route, .source_role = -1 };
    bool known = out->row != c->unknown_route;
    if (!strcmp(protocol, "http") && known) {
        out->row = row_of_https(c, out->row);
        out->protocol = "https";
    } else if (!known) {
        out->protocol = "tls";
    }
}

/* The only row for which a host was surely seen to serve HTTP, on whatever port; or -1. */
static int row_of_host(const ccm_model *m, uint32_t at)
{
    int row = -1;

    for (unsigned i = 0; at != CCM_NONE && i < ccm_host_at(m, at)->n_evidence; i++) {
        const ccm_evidence *ev = &ccm_host_at(m, at)->evidence[i];
        const ccm_mark *mark = ccm_mark_at(m->catalog, ev->mark);
        if (!ev->server || mark->route < 0 || mark->form != CCM_FORM_ORIGIN || mark->share.n ||
            ccm_evidence_certainty(m->catalog, ev) < CCM_CERTAINTY_STRONG)
            continue;
        if (row >= 0 && ccm_route_at(m->catalog, row)->destination !=
                            ccm_route_at(m->catalog, mark->route)->destination)
            return -1;
        row = row < 0 ? mark->route : MIN(row, mark->route);
    }
    return row;
}

/* What is hidden on the port of HTTPS most likely is what the host was seen to be elsewhere. */
static int row_behind_tls(const ccm_model *m, const ccm_edge *e)
{
    return e->key.port == HTTPS && has_tls(e) ? row_of_host(m, ccm_host_find(m, &e->key.server))
                                              : -1;
}

/* A tunnel whose requests were not read: by what bears the name it leads to, by what the name says,
 * by the port. */
static void conclude_tunnel(const ccm_model *m, const ccm_tunnels *tunnels, const ccm_edge *e,
                            ccm_conclusion *out)
{
    const ccm_catalog *c = m->catalog;
    ccm_authority to = ccm_authority_of(ccm_texts_get(&m->texts, e->key.through));
    int mark = ccm_catalog_name(c, to.host);

    if ((out->row = row_of_host(m, ccm_tunnels_host(tunnels, to.host))) >= 0) {
        out->certainty = CCM_CERTAINTY_LIKELY;
        out->basis = "role-of-destination";
        out->protocol = ccm_route_at(c, out->row)->protocol;
    } else if (mark >= 0 && to.port == HTTPS && ccm_mark_at(c, mark)->route_tls >= 0) {
        out->row = ccm_mark_at(c, mark)->route_tls;
        out->certainty = ccm_mark_at(c, mark)->certainty;
        out->basis = ccm_mark_at(c, mark)->id;
        out->protocol = ccm_route_at(c, out->row)->protocol;
    } else {
        ccm_conclude_port(c, 6, to.port, false, out);
    }
}

void ccm_conclude_edge(const ccm_model *m, const ccm_cmg *cmg, const ccm_tunnels *tunnels,
                       uint32_t edge, ccm_conclusion *out)
{
    const ccm_catalog *c = m->catalog;
    const ccm_edge *e = ccm_edge_at(m, edge);
    int role = -1;

    *out = (ccm_conclusion){ .row = e->key.route, .source_role = -1 };
    if (out->row >= 0) {
        out->certainty = local_certainty(m, e);
        out->protocol = ccm_route_at(c, out->row)->protocol;
    } else if (conclude_channel(m, cmg, edge, out)) {
        return;
    } else if (e->key.through) {
        conclude_tunnel(m, tunnels, e, out);
    } else if ((out->row = row_of_server(m, e)) >= 0 || (out->row = row_behind_tls(m, e)) >= 0) {
        out->certainty = CCM_CERTAINTY_LIKELY;
        out->basis = "role-of-destination";
        out->protocol = ccm_route_at(c, out->row)->protocol;
    } else if (has_smb(e)) {
        if (!conclude_smb_roles(m, e, out))
            ccm_conclude_smb(c, e->key.port, out);
        return;
    } else if (!conclude_name(m, e, out)) {
        ccm_conclude_port(c, e->key.l4, e->key.port, !has_tls(e) && has_requests(e), out);
        if (out->certainty == CCM_CERTAINTY_WEAK && plays(m, e, out->row)) {
            out->certainty = CCM_CERTAINTY_LIKELY;
            out->basis = "port-and-role";
        } else if (keeps_alive(cmg, edge)) {
            out->certainty = CCM_CERTAINTY_LIKELY;
            out->basis = "keep-alive";
        }
        if (has_tls(e))
            ccm_conclude_tls(c, out);
        return;
    }
    int row = row_of_source(m, cmg, e, out->row, &role);
    if (row >= 0) {
        out->row = row;
        out->certainty = at_most(out->certainty, CCM_CERTAINTY_LIKELY);
        out->source_role = role;
    }
    if (has_tls(e))
        ccm_conclude_tls(c, out);
}
