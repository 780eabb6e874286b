/* SPDX-License-Identifier: GPL-2.0-or-later
 * view.c - the view's capture and hosts, and its memory.
 *
 * In: a model. Out: ccm_view (see view.h for every order). State: a view owns what it points to. A
 * model with open flows is first merged into an empty one, which closes them in the copy alone. */
#include "model/relay.h"
#include "model/view_make.h"

void *ccm_view_alloc(view_maker *k, size_t n, size_t size)
{
    void *p = g_malloc0_n(n ? n : 1, size);
    g_ptr_array_add(k->memory->blocks, p);
    return p;
}

const char *ccm_view_keep(view_maker *k, const char *text)
{
    return g_string_chunk_insert_const(k->memory->text, text);
}

const char *ccm_view_text(view_maker *k, uint32_t text)
{
    return text == CCM_NONE ? NULL : ccm_view_keep(k, ccm_texts_get(&k->m->texts, text));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const ccm_view_count *)a)->name, ((const ccm_view_count *)b)->name);
}

/* Sorts, joins equal names and keeps; empties `list` (of ccm_view_count). */
ccm_view_counts ccm_view_counts_of(view_maker *k, GArray *list)
{
    unsigned n = 0;
    if (list->len)
        qsort(list->data, list->len, sizeof(ccm_view_count), by_name);
    ccm_view_count *v = ccm_view_alloc(k, list->len, sizeof *v);
    for (unsigned i = 0; i < list->len; i++) {
        const ccm_view_count *c = &g_array_index(list, ccm_view_count, i);
        if (n && strcmp(v[n - 1].name, c->name) == 0)
            v[n - 1].count += c->count;
        else
            v[n++] = (ccm_view_count){ ccm_view_keep(k, c->name), c->count };
    }
    g_array_set_size(list, 0);
    return (ccm_view_counts){ v, n };
}

ccm_view_names ccm_view_names_of(view_maker *k, GArray *list)
{
    ccm_view_counts c = ccm_view_counts_of(k, list);
    const char **v = ccm_view_alloc(k, c.n, sizeof *v);
    for (unsigned i = 0; i < c.n; i++)
        v[i] = c.v[i].name;
    return (ccm_view_names){ v, c.n };
}

void ccm_view_count_add(GArray *list, const char *name, uint64_t count)
{
    /* Names are kept texts, and few: most are there already, and need no sorting then. */
    enum { LOOK = 16 };
    for (unsigned i = list->len; i > 0 && list->len - i < LOOK; i--) {
        ccm_view_count *known = &g_array_index(list, ccm_view_count, i - 1);
        if (known->name == name) {
            known->count += count;
            return;
        }
    }
    ccm_view_count c = { name, count };
    g_array_append_val(list, c);
}

/* Is it a proxy, so that certificates of clients that come from it may be those of others? */
static bool passes_tls(view_maker *k, const ccm_host *h)
{
    int proxy = k->m->catalog->proxy_role;

    for (unsigned i = 0; i < h->n_evidence; i++)
        if (h->evidence[i].server &&
            ccm_mark_at(k->m->catalog, h->evidence[i].mark)->server_role == proxy)
            return true;
    return ccm_relay_find(k->relays, &h->addr, CCM_RELAY_TUNNELLING) != NULL;
}

ccm_view_names ccm_view_host_names(view_maker *k, const ccm_addr *addr)
{
    uint32_t at = addr->family ? ccm_host_find(k->m, addr) : CCM_NONE;
    if (at != CCM_NONE) {
        const ccm_host *h = ccm_host_at(k->m, at);
        bool passes = passes_tls(k, h);
        for (unsigned i = 0; i < h->n_names; i++)
            if (!passes || h->names[i].sources != CCM_NAME_CLIENT_CERTIFICATE)
                ccm_view_count_add(k->list, ccm_texts_get(&k->m->texts, h->names[i].text), 1);
    }
    return ccm_view_names_of(k, k->list);
}

const char *ccm_view_source_name(unsigned bit)
{
    static const char *const names[CCM_NAME_SOURCES] = {
        "pcapng",   "dns",     "dns-reverse", "http-host",         "ntlm",
        "kerberos", "tls-sni", "certificate", "client-certificate"
    };
    return bit < CCM_NAME_SOURCES ? names[bit] : NULL;
}

/* ---- hosts ----------------------------------------------------------------------------------- */

typedef struct seen {
    int role;
    ccm_view_evidence e;
} seen;

/* Role, certainty falling, id, first frame. */
static int by_role(const void *a, const void *b)
{
    const seen *x = a, *y = b;
    if (x->role != y->role)
        return x->role < y->role ? -1 : 1;
    if (x->e.certainty != y->e.certainty)
        return x->e.certainty > y->e.certainty ? -1 : 1;
    int order = strcmp(x->e.id, y->e.id);
    if (order)
        return order;
    return x->e.first_frame < y->e.first_frame ? -1 : x->e.first_frame > y->e.first_frame;
}

static int by_certainty(const void *a, const void *b)
{
    const ccm_view_role *x = a, *y = b;
    if (x->certainty != y->certainty)
        return x->certainty > y->certainty ? -1 : 1;
    return strcmp(x->role, y->role);
}

/* The same mark on two ports is one piece of evidence for the reader. */
static void add_evidence(ccm_view_role *r, ccm_view_evidence *room, const ccm_view_evidence *e)
{
    ccm_view_evidence *last = r->n_evidence ? &room[r->n_evidence - 1] : NULL;
    if (last && last->certainty == e->certainty && strcmp(last->id, e->id) == 0) {
        last->count += e->count;
        if (!last->first_frame)
            last->first_frame = e->first_frame;
        return;
    }
    room[r->n_evidence++] = *e;
}

enum { MORE_EVIDENCE = 12 }; /* that is no mark of the host's own */

/* What the channels of the capture make of the host. */
static unsigned add_channel_roles(view_maker *k, const ccm_host *h, seen *list)
{
    const ccm_catalog *c = k->m->catalog;
    const struct {
        int role;
        ccm_certainty certainty;
    } roles[2] = { { c->point_role, ccm_cmg_point(k->cmg, &h->addr) },
                   { c->gateway_role, ccm_cmg_gateway(k->cmg, &h->addr) } };
    unsigned n = 0;

    for (unsigned i = 0; i < 2; i++)
        if (roles[i].role >= 0 && roles[i].certainty > CCM_CERTAINTY_UNKNOWN)
            list[n++] = (seen){ roles[i].role, { "cmg-channel", roles[i].certainty, 1, 0 } };
    return n;
}

/* What TLS that passes it makes of the host. */
static unsigned add_relay_roles(view_maker *k, const ccm_host *h, seen *list)
{
    int role = k->m->catalog->proxy_role;
    unsigned n = 0;

    for (unsigned mode = 0; mode < 2; mode++) {
        const ccm_relay *r = ccm_relay_find(k->relays, &h->addr, mode);
        if (r && role >= 0)
            list[n++] = (seen){ role, { r->evidence, r->certainty, r->count, r->first_frame } };
    }
    return n;
}

/* "tunnelling", "bridging"; NULL where it does both or neither. */
static const char *relay_qualifier(view_maker *k, const ccm_host *h)
{
    bool tunnels = ccm_relay_find(k->relays, &h->addr, CCM_RELAY_TUNNELLING);
    bool bridges = ccm_relay_find(k->relays, &h->addr, CCM_RELAY_BRIDGING);
    return tunnels == bridges ? NULL
                              : ccm_relay_name(tunnels ? CCM_RELAY_TUNNELLING : CCM_RELAY_BRIDGING);
}

static void make_roles(view_maker *k, const ccm_host *h, ccm_view_host *out)
{
    const ccm_catalog *c = k->m->catalog;
    seen list[CCM_HOST_EVIDENCE + MORE_EVIDENCE];
    ccm_evidence services[MORE_EVIDENCE - 4];
    unsigned n = add_channel_roles(k, h, list);
    n += add_relay_roles(k, h, list + n);
    unsigned more = ccm_names_services(k->m, h, services, G_N_ELEMENTS(services));

    for (unsigned i = 0; i < h->n_evidence + more; i++) {
        const ccm_evidence *e = i < h->n_evidence ? &h->evidence[i] : &services[i - h->n_evidence];
        const ccm_mark *mark = ccm_mark_at(c, e->mark);
        int role = e->server ? mark->server_role : mark->client_role;
        if (role >= 0)
            list[n++] =
                (seen){ role,
                        { mark->id, ccm_evidence_certainty(c, e), e->count, e->first_frame } };
    }
    if (n)
        qsort(list, n, sizeof *list, by_role);
    ccm_view_role *roles = ccm_view_alloc(k, n, sizeof *roles);
    ccm_view_evidence *room = NULL;
    for (unsigned i = 0; i < n; i++) {
        if (i == 0 || list[i].role != list[i - 1].role) {
            const ccm_role_row *row = ccm_role_at(c, list[i].role);
            room = ccm_view_alloc(k, n - i, sizeof *room);
            roles[out->n_roles++] = (ccm_view_role){ .role = row->id,
                                                     .title = row->title,
                                                     .certainty = list[i].e.certainty,
                                                     .evidence = room };
            if (!strcmp(row->id, "cmg"))
                roles[out->n_roles - 1].qualifier = ccm_cmg_qualifier(k->cmg, h);
            else if (!strcmp(row->id, "web-proxy"))
                roles[out->n_roles - 1].qualifier = relay_qualifier(k, h);
        }
        add_evidence(&roles[out->n_roles - 1], room, &list[i].e);
    }
    if (out->n_roles)
        qsort(roles, out->n_roles, sizeof *roles, by_certainty);
    out->roles = roles;
}

static int by_addr(const void *a, const void *b)
{
    return ccm_addr_cmp(&((const ccm_view_host *)a)->addr, &((const ccm_view_host *)b)->addr);
}

/* The sources of each of the sorted names. */
static const uint32_t *sources_of(view_maker *k, const ccm_host *h, const ccm_view_names *names)
{
    uint32_t *v = ccm_view_alloc(k, names->n, sizeof *v);
    for (unsigned i = 0; i < names->n; i++)
        for (unsigned j = 0; j < h->n_names; j++)
            if (!strcmp(names->v[i], ccm_texts_get(&k->m->texts, h->names[j].text)))
                v[i] |= h->names[j].sources;
    return v;
}

static void make_hosts(view_maker *k)
{
    unsigned n = 0;
    ccm_view_host *v = ccm_view_alloc(k, k->m->hosts->len, sizeof *v);

    for (unsigned i = 0; i < k->m->hosts->len; i++) {
        const ccm_host *h = ccm_host_at(k->m, i);
        if (!h->seen) /* nobody talked to it */
            continue;
        v[n].addr = h->addr;
        v[n].names = ccm_view_host_names(k, &h->addr);
        v[n].name_sources = sources_of(k, h, &v[n].names);
        make_roles(k, h, &v[n++]);
    }
    if (n)
        qsort(v, n, sizeof *v, by_addr);
    k->view->hosts = v;
    k->view->n_hosts = n;
}

/* ---- capture --------------------------------------------------------------------------------- */

static int by_frame(const void *a, const void *b)
{
    const ccm_view_file *x = a, *y = b;
    if (x->first_frame != y->first_frame)
        return x->first_frame < y->first_frame ? -1 : 1;
    int order = strcmp(x->name, y->name);
    if (order)
        return order;
    if (x->packets != y->packets)
        return x->packets < y->packets ? -1 : 1;
    return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

static void make_files(view_maker *k)
{
    unsigned n = k->m->files->len;
    ccm_view_file *v = ccm_view_alloc(k, n, sizeof *v);

    for (unsigned i = 0; i < n; i++) {
        const ccm_file *f = &g_array_index(k->m->files, ccm_file, i);
        v[i] = (ccm_view_file){ ccm_view_keep(k, ccm_texts_get(&k->m->texts, f->name)),
                                f->first_frame, f->packets, f->bytes };
    }
    if (n)
        qsort(v, n, sizeof *v, by_frame);
    k->view->capture.files = v;
    k->view->capture.n_files = n;
}

static void noted(view_maker *k, const GArray *list)
{
    for (unsigned i = 0; i < list->len; i++) {
        const ccm_noted *n = &g_array_index(list, ccm_noted, i);
        ccm_view_count_add(k->list, ccm_texts_get(&k->m->texts, n->text), n->count);
    }
}

static void make_limits(view_maker *k)
{
    noted(k, k->m->noted_limits);
    if (k->m->texts.full)
        ccm_view_count_add(k->list, "texts", 1);
    if (k->m->timeline.full)
        ccm_view_count_add(k->list, "buckets", 1);
    if (k->m->paces.full)
        ccm_view_count_add(k->list, "bursts", 1);
    if (k->accounts_rolled)
        ccm_view_count_add(k->list, "accounts", k->accounts_rolled);
    ccm_view_counts c = ccm_view_counts_of(k, k->list);
    ccm_view_limit *v = ccm_view_alloc(k, c.n, sizeof *v);
    for (unsigned i = 0; i < c.n; i++)
        v[i] = (ccm_view_limit){ c.v[i].name, c.v[i].count };
    k->view->capture.limits_hit = v;
    k->view->capture.n_limits_hit = c.n;
}

static const struct {
    const char *id, *text;
} reasons[] = {
    { "no-packets", "no packet was captured" },
    { "no-match", "the capture filter matched none of the packets" },
    { "input-unusable", "an input, or its kind of packets, could not be used" },
    { "input-ended-early", "an input ended early or was damaged" },
    { "no-end", "the input lacks its end: what came after is not known" },
    { "times-backward",
      "the time of packets went back: times and durations across that are wrong" },
    { "clocks-differ", "responses stand before their requests: clocks of capture points differ" },
    { "files-unmerged", "more files overlap in time than can be read together" },
    { "no-times", "packets have no time, so times are not known" },
    { "truncated", "packets were cut by the snap length" },
    { "undecoded", "packets could not be read" },
    { "dropped", "the capturing host dropped packets" },
    { "gaps", "bytes are missing inside connections" },
    { "midstream", "connections began before the capture" },
    { "limits", "a limit was reached, so detail was left out" },
};

const char *ccm_view_reason_text(const char *id)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(reasons); i++)
        if (strcmp(reasons[i].id, id) == 0)
            return reasons[i].text;
    return id;
}

static void make_incomplete(view_maker *k, uint64_t midstream)
{
    ccm_view_capture *c = &k->view->capture;
    const bool holds[G_N_ELEMENTS(reasons)] = {
        c->packets == 0 && !c->filtered_packets,
        c->packets == 0 && c->filtered_packets,
        k->m->capture.unusable,
        k->m->capture.ended_early,
        !k->view->ended,
        c->backward_steps > 0,
        c->ahead_ns >= UINT64_C(1000000), /* less is the order in which an adapter gives packets */
        c->unmerged_files > 0,
        c->untimed_packets > 0,
        c->truncated_packets > 0,
        c->undecoded_packets > 0,
        c->dropped_packets > 0,
        c->gaps > 0,
        midstream > 0,
        c->n_limits_hit > 0,
    };
    const char **v = ccm_view_alloc(k, G_N_ELEMENTS(reasons), sizeof *v);
    for (unsigned i = 0; i < G_N_ELEMENTS(reasons); i++)
        if (holds[i])
            v[c->incomplete_because.n++] = reasons[i].id;
    c->incomplete_because.v = v;
    c->complete = c->incomplete_because.n == 0;
}

/* The capture's own totals; the sums of the edges where its end was not seen. */
static void make_capture(view_maker *k)
{
    const ccm_capture_sums *s = &k->m->capture;
    ccm_view_capture *c = &k->view->capture;
    uint64_t midstream = 0, gaps = 0;
    ccm_traffic all = { 0 };

    for (uint32_t i = 0; i < k->m->n_edges; i++) {
        const ccm_edge *e = ccm_edge_at(k->m, i);
        ccm_traffic_add(&all, &e->traffic, false);
        midstream += e->midstream;
        gaps += e->gaps;
    }
    k->view->ended = s->streams && s->ended >= s->streams;
    c->truncated_packets = s->truncated;
    c->undecoded_packets = s->undecoded;
    c->dropped_packets = s->dropped;
    c->filtered_packets = s->filtered;
    c->secrets_blocks = s->secrets;
    c->untimed_packets = s->untimed;
    c->backward_steps = s->backward;
    c->unmerged_files = s->unmerged;
    c->answers_ahead = s->answers_ahead;
    c->ahead_ns = s->ahead_ns;
    c->decryption = s->decryption;
    c->gaps = k->view->ended ? s->gaps : gaps;
    c->packets = k->view->ended ? s->packets : all.dir[0].packets + all.dir[1].packets;
    c->bytes = k->view->ended ? s->wire_bytes : all.dir[0].wire + all.dir[1].wire;
    c->has_time = k->view->ended ? s->has_time : c->packets > 0;
    c->start_ns = k->view->ended ? s->start_ns : all.first_ns;
    c->end_ns = k->view->ended ? s->end_ns : all.last_ns;
    make_files(k);
    make_limits(k);
    noted(k, k->m->notes);
    c->notes = ccm_view_names_of(k, k->list);
    noted(k, k->m->anomalies);
    c->anomalies = ccm_view_counts_of(k, k->list);
    make_incomplete(k, midstream);
}

ccm_view *ccm_view_new(const ccm_model *model, bool per_client)
{
    view_memory *memory = g_new0(view_memory, 1);
    ccm_model *copy = NULL;

    memory->text = g_string_chunk_new(8192);
    memory->blocks = g_ptr_array_new_with_free_func(g_free);
    memory->catalog = ccm_catalog_ref(model->catalog);
    ccm_model_catch_up((ccm_model *)model); /* not a change of what the model knows */
    if (model->n_flows > model->n_free) {   /* some are open */
        copy = ccm_model_new(model->catalog, &model->limits);
        ccm_model_merge(copy, model);
        ccm_model_catch_up(copy);
    }
    view_maker k = { .m = copy ? copy : model,
                     .view = &memory->view,
                     .memory = memory,
                     .site = model->site,
                     .link_bps = model->link_bps,
                     .list = g_array_new(FALSE, FALSE, sizeof(ccm_view_count)) };
    memory->view.per_client = per_client;
    memory->view.link_bps = model->link_bps;
    k.tunnels = ccm_tunnels_new(k.m);
    k.cmg = ccm_cmg_new(k.m, k.tunnels);
    k.relays = ccm_relays_conclude(k.m);
    ccm_view_make_routes(&k);
    make_capture(&k); /* it tells the limits that the routes hit */
    make_hosts(&k);
    ccm_view_make_clients(&k);
    ccm_view_make_uploads(&k);
    ccm_view_make_smb(&k);
    ccm_view_make_contents(&k);
    ccm_view_make_certificates(&k);
    ccm_view_make_messages(&k);
    ccm_view_make_lookups(&k);
    g_array_free(k.list, TRUE);
    ccm_cmg_free(k.cmg);
    ccm_tunnels_free(k.tunnels);
    g_array_free(k.relays, TRUE);
    ccm_model_free(copy);
    return &memory->view;
}

void ccm_view_free(ccm_view *view)
{
    if (!view)
        return;
    view_memory *memory = (view_memory *)view; /* its first member */
    g_ptr_array_free(memory->blocks, TRUE);
    g_string_chunk_free(memory->text);
    ccm_catalog_unref(memory->catalog);
    g_free(memory);
}
