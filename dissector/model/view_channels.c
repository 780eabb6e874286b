/* SPDX-License-Identifier: GPL-2.0-or-later
 * view_channels.c - the view's long-lived channels, their fallbacks, and failed lookups.
 *
 * In: channels as concluded, lookups of a model. Out: fields of route rows, lookups[]. State: none.
 */
#include "model/view_make.h"

static int fallback_cmp(const void *pa, const void *pb)
{
    const ccm_view_fallback *a = pa, *b = pb;
    if (a->from_port != b->from_port)
        return (int)a->from_port - (int)b->from_port;
    return strcmp(a->reason, b->reason);
}

/* Evidence by name: what failed, and what speaks for the connection of the two. */
static ccm_view_names evidence_of(view_maker *k, const ccm_channel *x)
{
    char text[48];
    bool follows = ccm_edge_at(k->m, x->edge)->traffic.first_ns >= x->from_ns;
    g_snprintf(text, sizeof text, "port-%u-%s", x->from_port, ccm_channel_why_name(x->from_why));
    ccm_view_count_add(k->list, ccm_view_keep(k, text), 1);
    if (x->in_order)
        ccm_view_count_add(k->list, "within-a-minute", 1);
    if (x->sure)
        ccm_view_count_add(k->list, x->hidden ? "role-of-destination" : "cmg-channel", 1);
    if (x->hidden)
        ccm_view_count_add(k->list, follows ? "https-follows" : "https-goes-on", 1);
    else if (x->notification)
        ccm_view_count_add(k->list, "bgb-handler", 1);
    return ccm_view_names_of(k, k->list);
}

/* The order and the minute are documented; without them it is behaviour. What is hidden in TLS may
 * be anything else that the client has to ask. */
static ccm_certainty certainty_of(const ccm_channel *x)
{
    if (x->hidden)
        return x->in_order && x->sure ? CCM_CERTAINTY_LIKELY : CCM_CERTAINTY_WEAK;
    bool sure = x->sure || x->notification;
    return x->in_order && sure ? CCM_CERTAINTY_STRONG
           : sure              ? CCM_CERTAINTY_LIKELY
                               : CCM_CERTAINTY_WEAK;
}

static void add_fallback(view_maker *k, ccm_view_fallback *v, unsigned *n, const ccm_channel *x)
{
    const ccm_catalog *c = k->m->catalog;
    int row = ccm_catalog_port(c, 6, x->from_port);
    ccm_view_fallback f = { .from_port = x->from_port,
                            .from_protocol = row < 0 ? "tcp" : ccm_route_at(c, row)->protocol,
                            .reason = ccm_channel_why_name(x->from_why),
                            .count = 1,
                            .first_seen_ns = x->from_ns,
                            .from_frame = x->from_frame,
                            .frame = ccm_edge_at(k->m, x->edge)->first_frame,
                            .hidden = x->hidden,
                            .certainty = certainty_of(x) };

    for (unsigned i = 0; i < *n; i++) {
        if (fallback_cmp(&v[i], &f) != 0)
            continue;
        v[i].count++;
        if (f.first_seen_ns < v[i].first_seen_ns) { /* the first of them, with its frames */
            v[i].first_seen_ns = f.first_seen_ns;
            v[i].from_frame = f.from_frame;
            v[i].frame = f.frame;
        }
        if (v[i].certainty < f.certainty) { /* what the best of them has to say */
            v[i].certainty = f.certainty;
            v[i].hidden = f.hidden;
            v[i].evidence = evidence_of(k, x);
        }
        return;
    }
    f.evidence = evidence_of(k, x);
    v[(*n)++] = f;
}

void ccm_view_make_channel(view_maker *k, ccm_view_route *r, const uint32_t *edges, unsigned n)
{
    ccm_channel_state best = CCM_CHANNEL_DOWN;
    ccm_channel_why why = CCM_WHY_NOTHING;
    ccm_view_fallback *v = NULL;
    bool any = false;

    for (unsigned i = 0; i < n; i++) {
        const ccm_channel *x = ccm_cmg_channel(k->cmg, edges[i]);
        const ccm_edge *e = ccm_edge_at(k->m, edges[i]);
        if (!x)
            continue;
        uint64_t failed, open = e->established + e->midstream;
        open -= ccm_min64(open, ccm_tunnel_denied(e, &failed) + failed);
        any = true;
        best = MIN(best, x->state);
        why = MAX(why, x->why);
        if (x->state == CCM_CHANNEL_UP && open && !x->hidden)
            r->channel.reconnects += open - 1;
        if (!x->from_port)
            continue;
        if (!v)
            v = ccm_view_alloc(k, n, sizeof *v);
        add_fallback(k, v, &r->n_fallbacks, x);
    }
    if (!any)
        return;
    if (!strcmp(r->destination_role, "cmg"))
        r->instance = ccm_cmg_instance(r->port);
    if (r->n_fallbacks)
        qsort(v, r->n_fallbacks, sizeof *v, fallback_cmp);
    r->fallbacks = v;
    r->channel.state = ccm_channel_state_name(best);
    r->channel.reason = best == CCM_CHANNEL_UP ? NULL : ccm_channel_why_name(why);
    if (best != CCM_CHANNEL_UP) /* between attempts it is no silence */
        return;
    ccm_rhythm h = ccm_cmg_rhythm(k->cmg, edges, n);
    r->channel.pauses = h.count;
    r->channel.pause_median_s = h.median_s;
    r->channel.pause_shortest_s = h.shortest_s;
    r->channel.pause_longest_s = h.longest_s;
}

/* ---- lookups --------------------------------------------------------------------------------- */

enum { TYPE_SRV = 33 };

static int lookup_cmp(const void *pa, const void *pb, void *data)
{
    const ccm_model *m = data;
    const ccm_lookup *a = *(const ccm_lookup *const *)pa, *b = *(const ccm_lookup *const *)pb;
    int r = strcmp(ccm_texts_get(&m->texts, a->name), ccm_texts_get(&m->texts, b->name));
    return r ? r : (int)a->type - (int)b->type;
}

static void add_lookup(ccm_view_lookup *v, const ccm_lookup *l)
{
    v->clients++;
    v->queries += l->queries;
    v->answered += l->answers[CCM_LOOKUP_ANSWERED];
    v->empty += l->answers[CCM_LOOKUP_EMPTY];
    v->nxdomain += l->answers[CCM_LOOKUP_NXDOMAIN];
    v->servfail += l->answers[CCM_LOOKUP_SERVFAIL];
    v->other += l->answers[CCM_LOOKUP_OTHER];
    v->failed |= ccm_lookup_failed(l);
    if (l->first_frame && (!v->first_frame || l->first_frame < v->first_frame))
        v->first_frame = l->first_frame;
    v->first_seen_ns = v->clients == 1 ? l->first_ns : ccm_min64(v->first_seen_ns, l->first_ns);
    v->last_seen_ns = ccm_max64(v->last_seen_ns, l->last_ns);
}

void ccm_view_make_lookups(view_maker *k)
{
    const GArray *all = k->m->lookups;
    const ccm_lookup **sorted = g_new(const ccm_lookup *, all->len + 1u);
    unsigned n = 0;

    for (unsigned i = 0; i < all->len; i++) {
        const ccm_lookup *l = &g_array_index(all, ccm_lookup, i);
        if (ccm_lookup_failed(l) || l->type == TYPE_SRV)
            sorted[n++] = l;
    }
    if (n)
        ccm_sort(sorted, n, sizeof *sorted, lookup_cmp, (void *)k->m);
    ccm_view_lookup *v = ccm_view_alloc(k, n, sizeof *v);
    for (unsigned i = 0; i < n; i++) {
        bool same = i && lookup_cmp(&sorted[i - 1], &sorted[i], (void *)k->m) == 0;
        if (!same) {
            v[k->view->n_lookups].name = ccm_view_text(k, sorted[i]->name);
            v[k->view->n_lookups++].type = sorted[i]->type;
        }
        add_lookup(&v[k->view->n_lookups - 1], sorted[i]);
    }
    k->view->lookups = v;
    g_free(sorted);
}
