/* SPDX-License-Identifier: GPL-2.0-or-later
 * conclude.c - the rules that turn evidence into routes. They run once, after all merging.
 *
 * In: an edge with its counters, the evidence of its two hosts, the catalogue. Out: route row,
 * certainty, basis. State: none.
 * An edge's route is, in this order: the row its own requests named; the row of the only role that
 * its server was seen to play on that port (likely); the row of the port (weak); unknown. Then,
 * when the source is itself seen to serve a role for which the catalogue has a row to the same
 * destination (dp/dp for client/dp), that row, but never above likely: a distribution point is also
 * a client. */
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

/* The most telling row for a source that is seen to serve a role; or -1. */
static int row_of_source(const ccm_model *m, const ccm_edge *e, int row, int *role)
{
    uint32_t at = ccm_host_find(m, &e->key.client);
    int best = -1;

    if (at == CCM_NONE || ccm_addr_eq(&e->key.client, &e->key.server))
        return -1;
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

void ccm_conclude_tls(const ccm_catalog *c, ccm_conclusion *out)
{
    const char *protocol = ccm_route_at(c, out->row)->protocol;
    bool known = out->row != c->unknown_route;

    if (!strcmp(protocol, "http") && known) {
        out->row = row_of_https(c, out->row);
        out->protocol = "https";
    } else if (!known) {
        out->protocol = "tls";
    }
}

void ccm_conclude_edge(const ccm_model *m, const ccm_edge *e, ccm_conclusion *out)
{
    const ccm_catalog *c = m->catalog;
    int role = -1;

    *out = (ccm_conclusion){ .row = e->key.route, .source_role = -1 };
    if (out->row >= 0) {
        out->certainty = local_certainty(m, e);
    } else if ((out->row = row_of_server(m, e)) >= 0) {
        out->certainty = CCM_CERTAINTY_LIKELY;
        out->basis = "role-of-destination";
    } else {
        ccm_conclude_port(c, e->key.l4, e->key.port, !has_tls(e) && has_requests(e), out);
        if (has_tls(e))
            ccm_conclude_tls(c, out);
        return;
    }
    int row = row_of_source(m, e, out->row, &role);
    if (row >= 0) {
        out->row = row;
        out->certainty = at_most(out->certainty, CCM_CERTAINTY_LIKELY);
        out->source_role = role;
    }
    out->protocol = ccm_route_at(c, out->row)->protocol;
    if (has_tls(e))
        ccm_conclude_tls(c, out);
}
