/* SPDX-License-Identifier: GPL-2.0-or-later
 * match.c - finds the catalogue's marks that a request carries.
 *
 * In: method, target, Host, User-Agent, port. Out: the first mark in file order whose conditions
 * all hold, else that of the host's name, and beside it the proxy's and the agent's. State: none;
 * the buckets by the first letter of the path keep the number of candidates small. Nothing here
 * allocates. Paths compare without case because IIS does (ccm-protocol.md 2). */
#include "model/catalog.h"
#include "model/texts.h"
#include "observe/obs.h"

static inline uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool equal(ccm_span a, ccm_span b)
{
    return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

/* `prefix` is in lower case. */
static bool has_prefix(ccm_span s, ccm_span prefix)
{
    size_t n = prefix.n;

    if (s.n < n)
        return false;
    if (n >= 8) { /* eight at once, the last eight perhaps in part again */
        for (size_t i = 0; i < n; i += 8) {
            size_t at = MIN(i, n - 8);
            uint64_t a, b;
            memcpy(&a, s.p + at, sizeof a);
            memcpy(&b, prefix.p + at, sizeof b);
            if (ccm_lower8(a) != b)
                return false;
        }
        return true;
    }
    for (size_t i = 0; i < n; i++)
        if (lower(s.p[i]) != prefix.p[i])
            return false;
    return true;
}

static bool has_inside(ccm_span s, ccm_span what)
{
    for (size_t i = 0; i + what.n <= s.n; i++)
        if (has_prefix((ccm_span){ s.p + i, s.n - i }, what))
            return true;
    return false;
}

/* The first eight bytes of a path as a number, zeros after its end. */
static uint64_t path_word(ccm_span path)
{
    uint64_t word = 0;

    if (path.n)
        memcpy(&word, path.p, MIN(path.n, sizeof word));
    return word;
}

static void file_mark(const ccm_catalog *c, GArray **list, unsigned i)
{
    static const uint8_t ones[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    const ccm_mark *m = ccm_mark_at(c, (int)i);
    ccm_candidate candidate = {
        .path_word = path_word(m->path),
        .path_mask = path_word((ccm_span){ ones, MIN(m->path.n, sizeof ones) }),
        .mark = (uint16_t)i,
        .agent = m->user_agent.n ? *m->user_agent.p : 0,
    };

    if (!*list)
        *list = g_array_new(FALSE, FALSE, sizeof(ccm_candidate));
    g_array_append_val(*list, candidate);
}

void ccm_catalog_index_marks(ccm_catalog *c)
{
    for (unsigned i = 0; i < c->marks->len; i++) {
        const ccm_mark *m = ccm_mark_at(c, (int)i);
        if (m->named || m->share.n)
            continue; /* found by ccm_catalog_name, _service or _share */
        if (m->component)
            file_mark(c, &c->agents, i);
        else if (m->form != CCM_FORM_ORIGIN)
            file_mark(c, &c->proxies, i);
        else if (m->path.n > 1)
            file_mark(c, &c->bucket[m->path.p[1] & 0x7f], i);
        else
            for (unsigned b = 0; b < CCM_MARK_BUCKETS; b++)
                file_mark(c, &c->bucket[b], i);
        c->path_max = MAX(c->path_max, (unsigned)m->path.n);
    }
}

/* Lower case letters of `pattern` fit either case, ? fits anything. */
static bool fits_pattern(ccm_span s, ccm_span pattern)
{
    for (size_t i = 0; s.n == pattern.n && i < s.n; i++)
        if (pattern.p[i] != '?' && lower(s.p[i]) != pattern.p[i])
            return false;
    return s.n == pattern.n;
}

int ccm_catalog_share(const ccm_catalog *c, ccm_span share, ccm_span path)
{
    for (size_t i = share.n; i > 0; i--)
        if (share.p[i - 1] == '\\') {
            share = (ccm_span){ share.p + i, share.n - i };
            break;
        }
    for (unsigned i = 0; share.n && i < c->marks->len; i++) {
        const ccm_mark *m = ccm_mark_at(c, (int)i);
        if (m->share.n && fits_pattern(share, m->share) && has_prefix(path, m->path))
            return (int)i;
    }
    return -1;
}

ccm_span ccm_target_authority(ccm_span t)
{
    size_t skip = 0;
    if (t.n > 7 && has_prefix(t, ccm_span_str("http://")))
        skip = 7;
    else if (t.n > 8 && has_prefix(t, ccm_span_str("https://")))
        skip = 8;
    if (!skip)
        return (ccm_span){ 0 };
    size_t end = skip;
    while (end < t.n && t.p[end] != '/' && t.p[end] != '?')
        end++;
    return (ccm_span){ t.p + skip, end - skip };
}

/* A request as the conditions want it. */
typedef struct probe {
    ccm_request r;
    ccm_span raw_path, query, host;
    ccm_span path; /* normal, as far as a prefix needs it */
    ccm_form form;
    uint64_t path_word;
    uint8_t agent; /* first letter of the user agent, in lower case; 0 = none */
} probe;

/* Lower case and $ for %24, as far as the longest prefix needs it. */
static ccm_span normal_path(ccm_span path, uint8_t *out, size_t room)
{
    size_t n = 0, i = 0;

    if (!path.n || !memchr(path.p, '%', MIN(path.n, room * 3))) {
        for (n = MIN(path.n, room); i + 8 <= n; i += 8) {
            uint64_t v;
            memcpy(&v, path.p + i, sizeof v);
            v = ccm_lower8(v);
            memcpy(out + i, &v, sizeof v);
        }
        for (; i < n; i++)
            out[i] = lower(path.p[i]);
        return (ccm_span){ out, n };
    }
    for (; i < path.n && n < room; i++) {
        if (path.p[i] == '%' && i + 2 < path.n && path.p[i + 1] == '2' && path.p[i + 2] == '4') {
            out[n++] = '$';
            i += 2;
        } else {
            out[n++] = lower(path.p[i]);
        }
    }
    return (ccm_span){ out, n };
}

static ccm_span strip_port(ccm_span host)
{
    if (host.n && host.p[0] == '[')
        return host;
    const uint8_t *colon = host.n ? memchr(host.p, ':', host.n) : NULL;
    return colon ? (ccm_span){ host.p, (size_t)(colon - host.p) } : host;
}

static bool host_fits(const ccm_mark *m, ccm_span host)
{
    if (m->host_below) {
        if (host.n <= m->host.n)
            return false;
        host.p += host.n - m->host.n;
        host.n = m->host.n;
    }
    return host.n == m->host.n && has_prefix(host, m->host);
}

static bool fits(const ccm_mark *m, const probe *p)
{
    /* The first eight bytes of the path are known to be alike. */
    if (m->path.n > 8 &&
        (p->path.n < m->path.n || memcmp(p->path.p + 8, m->path.p + 8, m->path.n - 8) != 0))
        return false;
    if (m->method.n && !equal(p->r.method, m->method))
        return false;
    if (m->host.n && !host_fits(m, p->host))
        return false;
    if (m->port && m->port != p->r.port)
        return false;
    if (m->user_agent.n && !has_prefix(p->r.user_agent, m->user_agent))
        return false;
    if (m->query.n && !has_prefix(p->query, m->query))
        return false;
    if (!m->contains.n)
        return true;
    uint8_t room[CCM_MATCH_PATH];
    return has_inside(normal_path(p->raw_path, room, sizeof room), m->contains);
}

/* The first mark of the list that fits and has the wanted form of target. */
static int first_fit(const ccm_catalog *c, const GArray *list, const probe *p, ccm_form form)
{
    const ccm_candidate *v = list ? (const ccm_candidate *)(const void *)list->data : NULL;

    for (unsigned i = 0; list && i < list->len; i++) {
        if (((v[i].path_word ^ p->path_word) & v[i].path_mask) ||
            (v[i].agent && v[i].agent != p->agent))
            continue;
        const ccm_mark *m = ccm_mark_at(c, v[i].mark);
        if (m->form == form && fits(m, p))
            return v[i].mark;
    }
    return -1;
}

void ccm_catalog_match(const ccm_catalog *c, const ccm_request *request, ccm_match *out)
{
    uint8_t room[CCM_MATCH_PATH];
    probe p = { .r = *request, .host = request->host };
    ccm_span path = request->target;
    ccm_span authority = { 0 };

    *out = (ccm_match){ .mark = -1, .proxy = -1, .agent = -1, .route = -1 };
    if (equal(request->method, ccm_span_str("CONNECT"))) {
        p.form = CCM_FORM_CONNECT;
        p.host = path;
        path.n = 0;
    } else if (path.n && path.p[0] != '/' && (authority = ccm_target_authority(path)).n) {
        p.form = CCM_FORM_ABSOLUTE;
        p.host = authority;
        size_t skip = (size_t)(authority.p - path.p) + authority.n;
        path = (ccm_span){ path.p + skip, path.n - skip };
    }
    p.host = strip_port(p.host);
    const uint8_t *q = path.n ? memchr(path.p, '?', path.n) : NULL;
    if (q) {
        p.query = (ccm_span){ q + 1, path.n - (size_t)(q + 1 - path.p) };
        path.n = (size_t)(q - path.p);
    }
    p.raw_path = path;
    p.path = normal_path(path, room, MIN(c->path_max, sizeof room));
    p.path_word = path_word(p.path);
    p.agent = request->user_agent.n ? lower(*request->user_agent.p) : 0;
    unsigned b = p.path.n > 1 && p.path.p[0] == '/' && p.path.p[1] < 128 ? p.path.p[1]
                                                                         : CCM_MARK_BUCKETS - 1;
    if (p.form != CCM_FORM_ORIGIN)
        out->proxy = first_fit(c, c->proxies, &p, p.form);
    if (p.form != CCM_FORM_CONNECT)
        out->mark = first_fit(c, c->bucket[b], &p, CCM_FORM_ORIGIN);
    if (p.form != CCM_FORM_CONNECT && out->mark < 0 && p.host.n)
        out->mark = ccm_catalog_name(c, p.host);
    if (request->user_agent.n)
        out->agent = first_fit(c, c->agents, &p, CCM_FORM_ORIGIN);
    out->form = p.form;
    int decides = out->proxy >= 0 ? out->proxy : out->mark;
    if (decides >= 0) {
        out->route = ccm_mark_at(c, decides)->route;
        out->certainty = ccm_mark_at(c, decides)->certainty;
    }
}

ccm_request ccm_request_of(const ccm_obs *obs)
{
    ccm_request r = { .port = obs->dst.port };
    for (unsigned i = 0; i < obs->n; i++) {
        switch (ccm_obs_key(obs, i)) {
        case CCM_KEY_method:
            r.method = obs->val[i].s;
            break;
        case CCM_KEY_target:
            r.target = obs->val[i].s;
            break;
        case CCM_KEY_host:
            r.host = obs->val[i].s;
            break;
        case CCM_KEY_user_agent:
            r.user_agent = obs->val[i].s;
            break;
        default:
            break;
        }
    }
    return r;
}

int ccm_catalog_port(const ccm_catalog *c, uint8_t l4, uint16_t port)
{
    for (unsigned i = 0; i < c->ports->len; i++) {
        const ccm_port_row *row = &g_array_index(c->ports, ccm_port_row, i);
        if (row->l4 == l4 && port >= row->low && port <= row->high)
            return row->route;
    }
    return -1;
}

int ccm_catalog_sibling(const ccm_catalog *c, int like, int source_role)
{
    const ccm_route_row *row = ccm_route_at(c, like);
    for (unsigned i = 0; i < c->routes->len; i++) {
        const ccm_route_row *r = ccm_route_at(c, (int)i);
        if (r->source == source_role && r->destination == row->destination &&
            strcmp(r->protocol, row->protocol) == 0)
            return (int)i;
    }
    return -1;
}

int ccm_catalog_variant(const ccm_catalog *c, int row, const char *protocol)
{
    const ccm_route_row *like = ccm_route_at(c, row);
    for (unsigned i = 0; i < c->routes->len; i++) {
        const ccm_route_row *r = ccm_route_at(c, (int)i);
        if (r->source == like->source && r->destination == like->destination &&
            strcmp(r->protocol, protocol) == 0)
            return (int)i;
    }
    return row;
}
