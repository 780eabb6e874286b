/* SPDX-License-Identifier: GPL-2.0-or-later
 * catalog_names.c - what a host name or the name of a service record suggests.
 *
 * In: patterns while the catalogue is read, then names. Out: marks. State: an index of the
 * catalogue by what follows a pattern's wildcard, so that a name costs one look for each of its
 * labels; immutable once it is read. Names compare without case. */
#include "model/catalog.h"

enum { NAME_MAX_TEXT = 253 };

/* Patterns that end alike. */
typedef struct node {
    ccm_span suffix; /* whole labels */
    int16_t exact, below, glob;
} node;

/* A first label with a wildcard inside. */
typedef struct glob {
    ccm_span label;
    int16_t mark, next;
} glob;

typedef struct service {
    ccm_span prefix;
    int16_t mark;
} service;

static bool node_eq(const void *table, uint32_t value, const void *key)
{
    const node *n = &g_array_index((const GArray *)table, node, value);
    const ccm_span *s = key;
    return n->suffix.n == s->n && memcmp(n->suffix.p, s->p, s->n) == 0;
}

static uint32_t hash_of(ccm_span s)
{
    return ccm_hash_end(ccm_hash_bytes(11, s.p, s.n));
}

static node *find(const ccm_catalog *c, ccm_span suffix)
{
    uint32_t i = ccm_index_find(&c->name_index, hash_of(suffix), node_eq, c->name_nodes, &suffix);
    return i == CCM_NONE ? NULL : &g_array_index(c->name_nodes, node, i);
}

static node *get(ccm_catalog *c, ccm_span suffix)
{
    node *known = find(c, suffix), fresh = { suffix, -1, -1, -1 };
    if (known)
        return known;
    ccm_index_add(&c->name_index, hash_of(suffix), c->name_nodes->len);
    g_array_append_val(c->name_nodes, fresh);
    return &g_array_index(c->name_nodes, node, c->name_nodes->len - 1);
}

static ccm_span from(ccm_span s, size_t n)
{
    return (ccm_span){ s.p + n, s.n - n };
}

static bool add_name(ccm_catalog *c, ccm_span pattern, int mark)
{
    const uint8_t *dot = pattern.n ? memchr(pattern.p, '.', pattern.n) : NULL;
    size_t first = dot ? (size_t)(dot - pattern.p) : pattern.n;
    bool wild = first && memchr(pattern.p, '*', first);

    if (!dot || !first || first + 1 == pattern.n || pattern.n > NAME_MAX_TEXT ||
        memchr(dot, '*', pattern.n - first))
        return false;
    node *n = get(c, wild ? from(pattern, first + 1) : pattern);
    if (wild && first > 1) {
        glob g = { { pattern.p, first }, (int16_t)mark, n->glob };
        n->glob = (int16_t)c->name_globs->len;
        g_array_append_val(c->name_globs, g);
        return true;
    }
    int16_t *place = wild ? &n->below : &n->exact;
    if (*place >= 0)
        return false;
    *place = (int16_t)mark;
    return true;
}

bool ccm_catalog_add_names(ccm_catalog *c, int mark)
{
    const ccm_mark *m = ccm_mark_at(c, mark);
    ccm_span list = m->names;

    if (m->service.n) {
        service s = { m->service, (int16_t)mark };
        g_array_append_val(c->name_services, s);
    }
    while (list.n) {
        const uint8_t *end = memchr(list.p, ';', list.n);
        ccm_span one = { list.p, end ? (size_t)(end - list.p) : list.n };
        if (!add_name(c, one, mark))
            return false;
        list = from(list, MIN(one.n + 1, list.n));
    }
    return true;
}

void ccm_catalog_names_init(ccm_catalog *c)
{
    ccm_index_init(&c->name_index, 64);
    c->name_nodes = g_array_new(FALSE, FALSE, sizeof(node));
    c->name_globs = g_array_new(FALSE, FALSE, sizeof(glob));
    c->name_services = g_array_new(FALSE, FALSE, sizeof(service));
}

/* '*' stands for any bytes, also for none. */
static bool fits(ccm_span pattern, ccm_span s)
{
    size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;

    while (i < s.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            mark = i;
        } else if (p < pattern.n && pattern.p[p] == s.p[i]) {
            p++;
            i++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            i = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

static int glob_of(const ccm_catalog *c, int at, ccm_span label)
{
    for (; at >= 0; at = g_array_index(c->name_globs, glob, at).next)
        if (fits(g_array_index(c->name_globs, glob, at).label, label))
            return g_array_index(c->name_globs, glob, at).mark;
    return -1;
}

int ccm_catalog_name(const ccm_catalog *c, ccm_span name)
{
    uint8_t low[NAME_MAX_TEXT];
    size_t first = 0;

    if (name.n && name.p[name.n - 1] == '.')
        name.n--;
    if (!name.n || name.n > sizeof low)
        return -1;
    for (size_t i = 0; i < name.n; i++)
        low[i] = (uint8_t)g_ascii_tolower((char)name.p[i]);
    ccm_span all = { low, name.n };
    const node *n = find(c, all);
    if (n && n->exact >= 0)
        return n->exact;
    for (size_t i = 0; i < all.n; i++) {
        if (low[i] != '.')
            continue;
        n = find(c, from(all, i + 1));
        int mark = n && !first && i ? glob_of(c, n->glob, (ccm_span){ low, i }) : -1;
        if (mark >= 0)
            return mark;
        if (n && n->below >= 0 && i)
            return n->below;
        first = i;
    }
    return -1;
}

int ccm_catalog_service(const ccm_catalog *c, ccm_span name)
{
    for (unsigned i = 0; i < c->name_services->len; i++) {
        const service *s = &g_array_index(c->name_services, service, i);
        if (name.n > s->prefix.n &&
            g_ascii_strncasecmp((const char *)name.p, (const char *)s->prefix.p, s->prefix.n) == 0)
            return s->mark;
    }
    return -1;
}
