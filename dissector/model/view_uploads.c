/* SPDX-License-Identifier: GPL-2.0-or-later
 * view_uploads.c - the view's BITS uploads.
 *
 * In: sessions of a model. Out: rows in the order that view.h gives. State: none. A session that
 * its server sent to another host (BITS-Host-Id) is one upload, wherever its packets went. The next
 * session of the same client for the same target is a retry of one that was not completed.
 * Spec: ccm-protocol.md 1.3. */
#include "model/view_make.h"

static int by_start(const void *a, const void *b)
{
    const ccm_view_upload *x = a, *y = b;
    if (x->first_seen_ns != y->first_seen_ns)
        return x->first_seen_ns < y->first_seen_ns ? -1 : 1;
    int order = strcmp(x->id, y->id);
    if (!order)
        order = ccm_addr_cmp(&x->client, &y->client);
    return order ? order : ccm_addr_cmp(&x->server, &y->server);
}

static ccm_view_upload show(view_maker *k, const ccm_upload *u)
{
    const char *target = ccm_view_text(k, u->target);

    for (unsigned j = 0; j < u->n_errors; j++)
        ccm_view_count_add(k->list, ccm_texts_get(&k->m->texts, u->errors[j]), 1);
    return (ccm_view_upload){
        .id = ccm_view_text(k, u->id),
        .client = u->client,
        .server = u->server,
        .client_id = ccm_view_text(k, u->client_id),
        .target = target ? target : "",
        .name = ccm_view_text(k, u->name),
        /* Not acknowledged, and perhaps sent twice. */
        .bytes = u->has_received ? u->received
                 : u->total      ? ccm_min64(u->sent, u->total)
                                 : u->sent,
        .total_bytes = u->total,
        .fragments = u->fragments,
        .acknowledged = u->has_received && u->total && u->received >= u->total,
        .closed = u->closed,
        .cancelled = u->cancelled,
        .refused = u->refused && !u->closed,
        .host = ccm_view_text(k, u->host),
        .errors = ccm_view_names_of(k, k->list),
        .first_seen_ns = u->first_ns,
        .last_seen_ns = u->last_ns,
    };
}

static bool same_text(const char *a, const char *b)
{
    return g_strcmp0(a, b) == 0;
}

/* Adds what a session did at the host it was sent to. */
static void join(view_maker *k, ccm_view_upload *u, const ccm_view_upload *there)
{
    u->moved = true;
    u->moved_to = there->server;
    u->bytes = ccm_max64(u->bytes, there->bytes);
    u->total_bytes = ccm_max64(u->total_bytes, there->total_bytes);
    u->fragments += there->fragments;
    u->acknowledged |= there->acknowledged;
    u->closed |= there->closed;
    u->cancelled |= there->cancelled;
    u->refused = (u->refused | there->refused) && !u->closed;
    u->name = u->name ? u->name : there->name;
    u->client_id = u->client_id ? u->client_id : there->client_id;
    for (unsigned i = 0; i < u->errors.n + there->errors.n; i++)
        ccm_view_count_add(k->list,
                           i < u->errors.n ? u->errors.v[i] : there->errors.v[i - u->errors.n], 1);
    u->errors = ccm_view_names_of(k, k->list);
    u->first_seen_ns = ccm_min64(u->first_seen_ns, there->first_seen_ns);
    u->last_seen_ns = ccm_max64(u->last_seen_ns, there->last_seen_ns);
}

/* Client, id; the one that names a host first, then by time. */
static int by_session(const void *a, const void *b)
{
    const ccm_view_upload *x = a, *y = b;
    int order = ccm_addr_cmp(&x->client, &y->client);
    if (!order)
        order = strcmp(x->id, y->id);
    if (!order && !x->host != !y->host)
        order = x->host ? -1 : 1;
    return order ? order : by_start(a, b);
}

static unsigned join_moved(view_maker *k, ccm_view_upload *v, unsigned n)
{
    unsigned left = 0;
    if (n)
        qsort(v, n, sizeof *v, by_session);
    for (unsigned i = 0; i < n; i++) {
        ccm_view_upload *u = left ? &v[left - 1] : NULL;
        if (u && u->host && *u->id && same_text(u->id, v[i].id) &&
            !ccm_addr_cmp(&u->client, &v[i].client))
            join(k, u, &v[i]);
        else
            v[left++] = v[i];
    }
    return left;
}

static int by_target(const void *a, const void *b)
{
    const ccm_view_upload *x = *(const ccm_view_upload *const *)a;
    const ccm_view_upload *y = *(const ccm_view_upload *const *)b;
    int order = ccm_addr_cmp(&x->client, &y->client);
    if (!order)
        order = strcmp(x->target, y->target);
    return order ? order : by_start(x, y);
}

static void find_retries(ccm_view_upload *v, unsigned n)
{
    ccm_view_upload **order = g_new(ccm_view_upload *, n + 1u);
    for (unsigned i = 0; i < n; i++)
        order[i] = &v[i];
    if (n)
        qsort(order, n, sizeof *order, by_target);
    for (unsigned i = 0; i + 1 < n; i++)
        if (!order[i]->complete && !order[i]->cancelled && *order[i]->target &&
            same_text(order[i]->target, order[i + 1]->target) && *order[i + 1]->id &&
            !ccm_addr_cmp(&order[i]->client, &order[i + 1]->client))
            order[i]->retried_as = order[i + 1]->id;
    g_free(order);
}

void ccm_view_make_uploads(view_maker *k)
{
    unsigned n = k->m->uploads->len;
    ccm_view_upload *v = ccm_view_alloc(k, n, sizeof *v);

    for (unsigned i = 0; i < n; i++)
        v[i] = show(k, &g_array_index(k->m->uploads, ccm_upload, i));
    n = join_moved(k, v, n);
    for (unsigned i = 0; i < n; i++)
        v[i].complete = v[i].closed && v[i].acknowledged;
    if (n)
        qsort(v, n, sizeof *v, by_start);
    find_retries(v, n);
    k->view->uploads = v;
    k->view->n_uploads = n;
}
