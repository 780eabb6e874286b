/* SPDX-License-Identifier: GPL-2.0-or-later
 * view_tls.c - the view's TLS parts of route rows, and its certificates.
 *
 * In: counters of edges, certificates of a model. Out: ccm_view_tls, ccm_view_certificate. State:
 * none. A row's server certificate is the kind that most connections had, of those that showed
 * one; its client certificate is "yes" when any connection had one. */
#include "model/tls_book.h"
#include "model/view_make.h"

static const char *name_of(view_maker *k, uint32_t key)
{
    uint32_t number = ccm_count_number(key), low = number & ((1u << CCM_TLS_SURE) - 1);

    switch (ccm_count_kind_of(key)) {
    case CCM_COUNT_TLS_VERSION:
        return ccm_tls_version_name(number);
    case CCM_COUNT_TLS_SERVER:
        return ccm_tls_server_name(low);
    case CCM_COUNT_TLS_CLIENT:
        return ccm_tls_client_name(low);
    default:
        return ccm_texts_get(&k->m->texts, number);
    }
}

typedef struct row {
    view_maker *k;
    const uint32_t *edges;
    unsigned n;
} row;

typedef void (*on_counter)(void *user_data, const ccm_counter *c);

static void each(const row *r, ccm_count_kind kind, on_counter fn, void *user_data)
{
    for (unsigned i = 0; i < r->n; i++) {
        const ccm_counters *c = &ccm_edge_at(r->k->m, r->edges[i])->counters;
        for (unsigned j = 0; j < c->n; j++)
            if (ccm_count_kind_of(c->v[j].key) == kind)
                fn(user_data, &c->v[j]);
    }
}

static void list_counter(void *user_data, const ccm_counter *c)
{
    view_maker *k = user_data;
    ccm_view_count_add(k->list, name_of(k, c->key), c->count);
}

static ccm_view_counts counts_of(const row *r, ccm_count_kind kind)
{
    each(r, kind, list_counter, r->k);
    return ccm_view_counts_of(r->k, r->k->list);
}

/* How many connections had each kind, and the best certainty of each. */
typedef struct tally {
    uint64_t count[8];
    ccm_certainty sure[8];
} tally;

static void add_tally(void *user_data, const ccm_counter *c)
{
    tally *t = user_data;
    uint32_t number = ccm_count_number(c->key), kind = number & 7;
    ccm_certainty sure = (ccm_certainty)(number >> CCM_TLS_SURE);

    t->count[kind] += c->count;
    t->sure[kind] = MAX(t->sure[kind], sure);
}

static void add_resumed(void *user_data, const ccm_counter *c)
{
    ccm_view_tls *t = user_data;
    t->resumed += c->count;
    t->inherited += ccm_count_number(c->key) ? c->count : 0;
}

static void make_server(const row *r, ccm_view_tls *t)
{
    tally kinds = { 0 };
    unsigned best = CCM_TLS_HIDDEN;

    each(r, CCM_COUNT_TLS_SERVER, add_tally, &kinds);
    for (unsigned i = CCM_TLS_HIDDEN + 1; i < CCM_TLS_SERVERS; i++)
        if (kinds.count[i] && (best == CCM_TLS_HIDDEN || kinds.count[i] > kinds.count[best]))
            best = i;
    t->server_certificate = ccm_tls_server_name(best);
    t->server_certainty = kinds.sure[best];
    t->server_certificates = counts_of(r, CCM_COUNT_TLS_SERVER);
}

static void make_client(const row *r, ccm_view_tls *t)
{
    tally kinds = { 0 };

    each(r, CCM_COUNT_TLS_CLIENT, add_tally, &kinds);
    unsigned best = kinds.count[CCM_TLS_YES]  ? CCM_TLS_YES
                    : kinds.count[CCM_TLS_NO] ? CCM_TLS_NO
                                              : CCM_TLS_UNKNOWN;
    t->client_certificate = ccm_tls_client_name(best);
    t->client_certainty = kinds.sure[best];
    t->client_certificates = counts_of(r, CCM_COUNT_TLS_CLIENT);
}

/* "server fatal 48 unknown CA", "client encrypted": see tls_book.c. */
static ccm_view_alert alert_of(view_maker *k, const ccm_view_count *c)
{
    char *copy = g_strdup(c->name);
    char *words[4] = { copy, NULL, NULL, NULL };
    ccm_view_alert a = { .from = g_str_has_prefix(copy, "client") ? "client" : "server",
                         .count = c->count };

    for (unsigned i = 1; i < G_N_ELEMENTS(words) && words[i - 1]; i++) {
        char *blank = strchr(words[i - 1], ' ');
        if (blank)
            *blank++ = '\0';
        words[i] = blank;
    }
    if (words[2]) {
        a.level = !strcmp(words[1], "fatal") ? "fatal" : "warning";
        a.alert = (unsigned)g_ascii_strtoull(words[2], NULL, 10);
        a.name = words[3] && *words[3] ? ccm_view_keep(k, words[3]) : NULL;
    }
    g_free(copy);
    return a;
}

static void make_alerts(const row *r, ccm_view_tls *t)
{
    ccm_view_counts texts = counts_of(r, CCM_COUNT_TLS_ALERT);
    ccm_view_alert *alerts = ccm_view_alloc(r->k, texts.n, sizeof *alerts);

    for (unsigned i = 0; i < texts.n; i++)
        alerts[i] = alert_of(r->k, &texts.v[i]);
    t->alerts = alerts;
    t->n_alerts = texts.n;
}

void ccm_view_make_tls(view_maker *k, const uint32_t *edges, unsigned n, ccm_view_route *out)
{
    row r = { k, edges, n };
    ccm_view_tls *t = &out->tls;

    t->versions = counts_of(&r, CCM_COUNT_TLS_VERSION);
    for (unsigned i = 0; i < t->versions.n; i++)
        t->sessions += t->versions.v[i].count;
    if (!t->sessions)
        return;
    t->ciphers = counts_of(&r, CCM_COUNT_TLS_CIPHER);
    t->sni = counts_of(&r, CCM_COUNT_SNI);
    t->alpn = counts_of(&r, CCM_COUNT_ALPN);
    t->ja3 = counts_of(&r, CCM_COUNT_JA3);
    t->ja4 = counts_of(&r, CCM_COUNT_JA4);
    t->issuers = counts_of(&r, CCM_COUNT_TLS_ISSUER);
    each(&r, CCM_COUNT_TLS_RESUMED, add_resumed, t);
    make_server(&r, t);
    make_client(&r, t);
    make_alerts(&r, t);
}

/* ---- certificates ---------------------------------------------------------------------------- */

/* A kept text this long may end inside a name. */
static bool is_cut(const char *text)
{
    return text && strlen(text) >= CCM_TEXT_MAX - 4;
}

static ccm_view_names dns_names(view_maker *k, const char *san)
{
    char **names = g_strsplit(san ? san : "", ",", -1);
    for (unsigned i = 0; names[i]; i++) {
        bool cut = is_cut(san) && !names[i + 1];
        if (*names[i] && !cut)
            ccm_view_count_add(k->list, ccm_view_keep(k, names[i]), 1);
    }
    g_strfreev(names);
    return ccm_view_names_of(k, k->list);
}

static ccm_view_names places(view_maker *k, const ccm_certificate_seen *c)
{
    char text[CCM_ENDPOINT_TEXT];

    for (unsigned i = 0; i < c->n_seen; i++) {
        const ccm_endpoint *e = &c->seen[i];
        const char *s = e->port ? ccm_endpoint_text(e, text) : ccm_addr_text(&e->addr, text);
        ccm_view_count_add(k->list, ccm_view_keep(k, s), 1);
    }
    return ccm_view_names_of(k, k->list);
}

static ccm_view_certificate show(view_maker *k, const ccm_certificate_seen *c)
{
    return (ccm_view_certificate){
        .fingerprint = ccm_view_text(k, c->fingerprint),
        .subject = ccm_view_text(k, c->subject),
        .issuer = ccm_view_text(k, c->issuer),
        .serial = ccm_view_text(k, c->serial),
        .san = dns_names(k, ccm_view_text(k, c->san)),
        .san_more = is_cut(ccm_view_text(k, c->san)),
        .kind = c->leaf ? ccm_tls_server_name(c->kind) : "authority",
        .usage = ccm_view_text(k, c->usage),
        .key_type = ccm_view_text(k, c->key_type),
        .key_bits = c->key_bits,
        .has_not_before = c->has_not_before,
        .has_expires = c->has_expires,
        .not_before_ns = c->not_before_ns,
        .expires_ns = c->expires_ns,
        .server = c->server,
        .client = c->client,
        .seen_on = places(k, c),
        .seen_on_more = c->more,
        .count = c->count,
        .first_frame = c->first_frame,
    };
}

static int by_subject(const void *pa, const void *pb)
{
    const ccm_view_certificate *a = pa, *b = pb;
    int r = strcmp(a->subject ? a->subject : "", b->subject ? b->subject : "");
    return r ? r : strcmp(a->fingerprint, b->fingerprint);
}

void ccm_view_make_certificates(view_maker *k)
{
    const GArray *list = k->m->tls->certificates;
    ccm_view_certificate *v = ccm_view_alloc(k, list->len, sizeof *v);

    for (unsigned i = 0; i < list->len; i++)
        v[i] = show(k, &g_array_index(list, ccm_certificate_seen, i));
    if (list->len)
        qsort(v, list->len, sizeof *v, by_subject);
    k->view->certificates = v;
    k->view->n_certificates = list->len;
}
