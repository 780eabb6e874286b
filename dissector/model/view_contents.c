/* SPDX-License-Identifier: GPL-2.0-or-later
 * view_contents.c - the view's contents: what was fetched, over which routes, by how many clients.
 * In: rows of contents.c. Out: one entry for each content id. State: none. */
#include "model/view_make.h"

static int row_cmp(const void *pa, const void *pb, void *model)
{
    const ccm_content *a = pa, *b = pb;
    const ccm_model *m = model;
    const ccm_edge_key *x = &ccm_edge_at(m, a->edge)->key, *y = &ccm_edge_at(m, b->edge)->key;
    int order = strcmp(ccm_texts_get(&m->texts, a->id), ccm_texts_get(&m->texts, b->id));

    if (!order)
        order = ccm_addr_cmp(&x->client, &y->client);
    return order ? order : ccm_addr_cmp(&x->server, &y->server);
}

static int content_cmp(const void *pa, const void *pb)
{
    const ccm_view_content *a = pa, *b = pb;
    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    return strcmp(a->id, b->id);
}

static void make_content(view_maker *k, const ccm_content *v, unsigned n, ccm_view_content *out)
{
    const ccm_model *m = k->m;
    const ccm_edge_key *last = NULL;
    GArray *servers = g_array_new(FALSE, FALSE, sizeof(ccm_view_count));

    out->id = ccm_view_text(k, v->id);
    out->first_seen_ns = v->first_ns;
    for (unsigned i = 0; i < n; i++) {
        const ccm_edge *e = ccm_edge_at(m, v[i].edge);
        char text[CCM_ADDR_TEXT];
        ccm_conclusion c;
        ccm_conclude_edge(m, k->cmg, k->tunnels, v[i].edge, &c);
        out->bytes += v[i].bytes;
        out->requests += v[i].requests;
        out->first_seen_ns = ccm_min64(out->first_seen_ns, v[i].first_ns);
        out->last_seen_ns = ccm_max64(out->last_seen_ns, v[i].last_ns);
        out->n_clients += !last || !ccm_addr_eq(&last->client, &e->key.client);
        last = &e->key;
        ccm_view_count_add(k->list, ccm_route_at(m->catalog, c.row)->route, v[i].bytes);
        ccm_view_count_add(servers, ccm_view_keep(k, ccm_addr_text(&e->key.server, text)),
                           v[i].bytes);
    }
    out->routes = ccm_view_counts_of(k, k->list);
    out->servers = ccm_view_counts_of(k, servers);
    g_array_free(servers, TRUE);
}

void ccm_view_make_contents(view_maker *k)
{
    const GArray *rows = k->m->contents;
    ccm_content *v = g_new(ccm_content, rows->len + 1u);
    ccm_view_content *out = ccm_view_alloc(k, rows->len, sizeof *out);
    unsigned n = 0;

    for (unsigned i = 0; i < rows->len; i++)
        v[i] = g_array_index(rows, ccm_content, i);
    ccm_sort(v, rows->len, sizeof *v, row_cmp, (void *)k->m);
    for (unsigned from = 0, to; from < rows->len; from = to) {
        for (to = from; to < rows->len && v[to].id == v[from].id;)
            to++;
        make_content(k, v + from, to - from, &out[n++]);
    }
    if (n)
        qsort(out, n, sizeof *out, content_cmp);
    k->view->contents = out;
    k->view->n_contents = n;
    g_free(v);
}
