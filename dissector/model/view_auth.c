/* SPDX-License-Identifier: GPL-2.0-or-later
 * view_auth.c - who authenticated how on each route row, concluded from sums of verdicts.
 *
 * In: edges with their sums, tickets and refusals of key distribution centres. Out: auth[] of a
 * row. State: view_auth, while a view is made. Concluded here, because it takes more than one
 * exchange: whose ticket a Kerberos login was (auth-modes.md E4), the network access account (E7,
 * E8), why a client fell back to NTLM (7.1), and of what kind a certificate was that TLS 1.3 hides
 * (7.5). */
#include "model/view_auth.h"

#include "model/tls_book.h"
#include "model/windows_name.h"

enum {
    NAA_CLIENTS = 3,                 /* E7 */
    FALLBACK_NS = 10 * 1000000000LL, /* "within seconds" of what made the client fall back */
};

struct view_auth {
    view_maker *k;
    GPtrArray *krb; /* const ccm_krb *, by client */
    ccm_tickets tickets;
    GPtrArray *lookups;  /* const ccm_lookup *, by client: of distribution centres */
    GHashTable *service; /* account that may be a service's -> naa */
    GHashTable *shown;   /* address of a client -> kinds of certificates that it showed, as bits */
    uint64_t rolled;     /* accounts that found no place */
};

/* What tells a network access account from a user's. */
typedef struct naa {
    GHashTable *clients; /* addresses, as text */
    bool task_sequence;
} naa;

static void naa_free(gpointer p)
{
    naa *a = p;
    g_hash_table_destroy(a->clients);
    g_free(a);
}

/* ---- tickets --------------------------------------------------------------------------------- */

/* A ccm_krb and a ccm_lookup begin with their client. */
static gint by_client(gconstpointer a, gconstpointer b)
{
    return ccm_addr_cmp(*(const ccm_addr *const *)a, *(const ccm_addr *const *)b);
}

/* The first entry of a client; the others follow. */
static unsigned first_in(const GPtrArray *list, const ccm_addr *client)
{
    unsigned low = 0, high = list->len;
    while (low < high) {
        unsigned mid = (low + high) / 2;
        if (ccm_addr_cmp(list->pdata[mid], client) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static unsigned first_of(const view_auth *a, const ccm_addr *client)
{
    return first_in(a->krb, client);
}

static const ccm_krb *next_of(const view_auth *a, const ccm_addr *client, unsigned *i)
{
    if (*i >= a->krb->len || !client->family)
        return NULL;
    const ccm_krb *k = a->krb->pdata[(*i)++];
    return ccm_addr_eq(&k->client, client) ? k : NULL;
}

static const char *text(const view_auth *a, uint32_t i)
{
    return ccm_texts_get(&a->k->m->texts, i);
}

const char *ccm_view_auth_owner(const view_auth *a, const ccm_addr *client, uint32_t ticket,
                                ccm_ticket_use use, unsigned *kind)
{
    ccm_certainty sure;
    const ccm_ticket *t = ccm_tickets_find(&a->tickets, client, ticket, use, &sure);
    if (!t || sure < CCM_CERTAINTY_STRONG)
        return NULL;
    *kind = ccm_auth_account_kind(ccm_span_str(text(a, t->name)));
    return ccm_view_text(a->k, t->name);
}

/* ---- one sum, concluded ---------------------------------------------------------------------- */

typedef struct found {
    unsigned stage, mode, kind;
    ccm_certainty certainty;
    const char *account; /* NULL = not known */
    const ccm_auth_sum *sum;
    ccm_auth_seen more[2]; /* evidence from elsewhere */
    unsigned n_more;
} found;

static bool has_evidence(const ccm_auth_sum *s, unsigned id)
{
    for (unsigned i = 0; i < s->n; i++)
        if (s->evidence[i].id == id)
            return true;
    return false;
}

/* What readable certificates of clients were, by address. */
static GHashTable *certificates_shown(const ccm_model *m)
{
    GHashTable *shown = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    char address[CCM_ADDR_TEXT];

    for (unsigned i = 0; i < m->tls->certificates->len; i++) {
        const ccm_certificate_seen *c =
            &g_array_index(m->tls->certificates, ccm_certificate_seen, i);
        for (unsigned k = 0; c->client && c->leaf && k < c->n_seen; k++) {
            if (c->seen[k].port) /* a server, which sent it too */
                continue;
            char *who = g_strdup(ccm_addr_text(&c->seen[k].addr, address));
            guint kinds = GPOINTER_TO_UINT(g_hash_table_lookup(shown, who)) | 1u << c->kind;
            g_hash_table_insert(shown, who, GUINT_TO_POINTER(kinds));
        }
    }
    return shown;
}

/* 7.5: a client certificate that only its size shows is one of a PKI if the client has no other. */
static void conclude_hidden(const view_auth *a, const ccm_edge *e, found *f)
{
    char address[CCM_ADDR_TEXT];

    if (f->mode != CCM_AUTH_ENCRYPTED_UNKNOWN || !has_evidence(f->sum, CCM_EV_CLIENT_FLIGHT) ||
        GPOINTER_TO_UINT(g_hash_table_lookup(a->shown, ccm_addr_text(&e->key.client, address))) !=
            1u << CCM_TLS_PKI)
        return;
    f->mode = CCM_AUTH_PKI;
    f->more[f->n_more++] = (ccm_auth_seen){ .count = 1, .id = CCM_EV_CERTIFICATE_ELSEWHERE };
}

static found resolve(const view_auth *a, const ccm_edge *e, const ccm_auth_sum *s)
{
    found f = { .stage = s->stage,
                .mode = s->mode,
                .kind = s->kind,
                .certainty = (ccm_certainty)s->certainty,
                .sum = s };

    if (s->account != CCM_NONE && !s->is_spn)
        f.account = text(a, s->account);
    conclude_hidden(a, e, &f);
    if (!s->is_spn)
        return f;
    ccm_certainty sure;
    const ccm_ticket *ticket = ccm_tickets_find(&a->tickets, &e->key.client, s->account,
                                                (ccm_ticket_use){ s->first_ns, s->last_ns }, &sure);
    if (ticket) {
        f.account = text(a, ticket->name);
        f.kind = ccm_auth_account_kind(ccm_span_str(f.account));
        f.certainty = MIN(f.certainty, sure);
        f.more[f.n_more++] = (ccm_auth_seen){ .count = ticket->count,
                                              .first_frame = ticket->first_frame,
                                              .id = CCM_EV_TGS_REP };
    }
    return f;
}

/* ---- network access accounts ----------------------------------------------------------------- */

/* E7 is about the paths of these. */
static bool gives_content(const char *role)
{
    return !strcmp(role, "dp") || !strcmp(role, "smp") || !strcmp(role, "peer");
}

/* Not on a directory where users authenticate: E8. */
static bool may_be_naa(const found *f)
{
    return f->account && f->kind == CCM_ACCOUNT_USER && f->stage == CCM_STAGE_TRANSPORT &&
           (f->mode == CCM_AUTH_NTLM || f->mode == CCM_AUTH_KERBEROS) && !f->sum->windowsauth;
}

void ccm_view_auth_edge(view_auth *a, uint32_t edge, int row)
{
    const ccm_model *m = a->k->m;
    const ccm_edge *e = ccm_edge_at(m, edge);
    char address[CCM_ADDR_TEXT];

    if (!gives_content(ccm_role_at(m->catalog, ccm_route_at(m->catalog, row)->destination)->id))
        return;
    for (uint32_t i = ccm_proofs_first(m, edge); i != CCM_NONE; i = ccm_auth_sum_at(m, i)->next) {
        const ccm_auth_sum *s = ccm_auth_sum_at(m, i);
        found f = resolve(a, e, s);
        if (!may_be_naa(&f))
            continue;
        naa *n = g_hash_table_lookup(a->service, f.account);
        if (!n) {
            n = g_new0(naa, 1);
            n->clients = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
            g_hash_table_insert(a->service, (gpointer)f.account, n);
        }
        n->task_sequence |= has_evidence(s, CCM_EV_TASK_SEQUENCE_AGENT);
        if (e->key.client.family && g_hash_table_size(n->clients) < NAA_CLIENTS)
            g_hash_table_add(n->clients, g_strdup(ccm_addr_text(&e->key.client, address)));
    }
}

/* E7: the same account from several clients, or a task sequence's user agent; strong with both. At
 * a server of another role it is a user; one of unknown role may be one of these: likely. */
static void conclude_naa(const view_auth *a, const char *role, found *f)
{
    const naa *n = may_be_naa(f) ? g_hash_table_lookup(a->service, f->account) : NULL;
    if (!n)
        return;
    bool content = gives_content(role), many = g_hash_table_size(n->clients) >= NAA_CLIENTS;
    if ((!many && !n->task_sequence) || (!content && strcmp(role, "unknown") != 0))
        return;
    f->kind = CCM_ACCOUNT_NETWORK_ACCESS;
    f->certainty =
        many && n->task_sequence && content ? CCM_CERTAINTY_STRONG : CCM_CERTAINTY_LIKELY;
    if (many)
        f->more[f->n_more++] = (ccm_auth_seen){ .count = 1, .id = CCM_EV_MANY_CLIENTS };
}

/* ---- fallback -------------------------------------------------------------------------------- */

static bool in_time(const ccm_auth_sum *s, uint64_t first_ns, uint64_t last_ns)
{
    return s->last_ns >= first_ns && s->first_ns <= last_ns + FALLBACK_NS;
}

/* Is this a name of the server? Of an unnamed one nothing is known that could differ. */
static bool is_name_of(const view_auth *a, const ccm_addr *server, uint32_t host)
{
    char address[CCM_ADDR_TEXT];
    uint32_t at = ccm_host_find(a->k->m, server);

    if (host == CCM_NONE || !strcmp(text(a, host), ccm_addr_text(server, address)))
        return true;
    if (at == CCM_NONE)
        return false;
    const ccm_host *h = ccm_host_at(a->k->m, at);
    bool whole = false; /* has it a name with a domain? */
    for (unsigned i = 0; i < h->n_names; i++) {
        const char *name = text(a, h->names[i].text);
        size_t n = strlen(name);
        bool label = !strchr(name, '.');
        if (!g_ascii_strcasecmp(name, text(a, host)) ||
            (label && !g_ascii_strncasecmp(name, text(a, host), n) && text(a, host)[n] == '.'))
            return true;
        whole |= !label;
    }
    return !whole;
}

/* 7.1, pattern 1: the refusal with the lowest code that fits. */
static bool kdc_refused(const view_auth *a, const ccm_edge *e, const ccm_auth_sum *s,
                        ccm_auth_seen *out)
{
    const ccm_krb *k;
    unsigned i = first_of(a, &e->key.client);
    bool any = false;

    while ((k = next_of(a, &e->key.client, &i))) {
        if (k->what != CCM_KRB_REFUSAL || !in_time(s, k->first_ns, k->last_ns) ||
            !is_name_of(a, &e->key.server, k->host))
            continue;
        if (any && k->code == out->code) {
            out->count += k->count;
            out->first_frame = ccm_min64(out->first_frame, k->first_frame);
        } else if (!any || k->code < out->code) {
            *out = (ccm_auth_seen){ .count = k->count,
                                    .first_frame = k->first_frame,
                                    .code = k->code,
                                    .id = CCM_EV_FALLBACK_KDC_ERROR };
        }
        any = true;
    }
    return any;
}

/* 7.1, pattern 2: the client asked, or called in vain, and nobody ever answered. */
static bool kdc_silent(const view_auth *a, const ccm_edge *e, const ccm_auth_sum *s,
                       ccm_auth_seen *out)
{
    const ccm_krb *k;
    unsigned i = first_of(a, &e->key.client);

    while ((k = next_of(a, &e->key.client, &i))) {
        if (k->what != CCM_KRB_TALK)
            continue;
        if (k->replies || !in_time(s, k->first_ns, k->last_ns))
            return false;
        *out = (ccm_auth_seen){ .count = k->count,
                                .first_frame = k->first_frame,
                                .id = CCM_EV_FALLBACK_KDC_SILENT };
        return true;
    }
    return false;
}

/* 7.1, pattern 2: the client looked for a distribution centre, and DNS never named one. */
static bool dns_silent(const view_auth *a, const ccm_edge *e, const ccm_auth_sum *s,
                       ccm_auth_seen *out)
{
    bool any = false;

    for (unsigned i = first_in(a->lookups, &e->key.client); i < a->lookups->len; i++) {
        const ccm_lookup *l = a->lookups->pdata[i];
        if (!ccm_addr_eq(&l->client, &e->key.client))
            break;
        if (!ccm_lookup_failed(l))
            return false;
        if (!l->queries || !in_time(s, l->first_ns, l->last_ns))
            continue;
        if (!any)
            *out = (ccm_auth_seen){ .first_frame = l->first_frame, .id = CCM_EV_FALLBACK_DNS };
        out->first_frame = ccm_min64(out->first_frame, l->first_frame);
        out->count += l->queries;
        any = true;
    }
    return any;
}

/* 7.1, pattern 3 over two connections: the server refused a ticket before. */
static bool ticket_refused(const view_auth *a, uint32_t edge, const ccm_auth_sum *s,
                           ccm_auth_seen *out)
{
    const ccm_model *m = a->k->m;
    for (uint32_t i = ccm_proofs_first(m, edge); i != CCM_NONE; i = ccm_auth_sum_at(m, i)->next) {
        const ccm_auth_sum *r = ccm_auth_sum_at(m, i);
        if (r->mode != CCM_AUTH_KERBEROS || !r->denied || r->stage != s->stage ||
            !in_time(s, r->first_ns, r->last_ns))
            continue;
        *out = (ccm_auth_seen){ .count = r->denied, .id = CCM_EV_FALLBACK_REJECTED };
        for (unsigned k = 0; k < r->n; k++)
            if (r->evidence[k].id == CCM_EV_DENIED)
                out->first_frame = r->evidence[k].first_frame;
        return true;
    }
    return false;
}

/* The reason for NTLM that other traffic shows; it replaces what the connection alone suggested. */
static bool fallback(const view_auth *a, uint32_t edge, const ccm_auth_sum *s, ccm_auth_seen *out)
{
    const ccm_edge *e = ccm_edge_at(a->k->m, edge);
    bool guessed =
        has_evidence(s, CCM_EV_DIRECT_NTLM) || has_evidence(s, CCM_EV_FALLBACK_UNEXPLAINED);
    /* Nor does a connection tell whose beginning is missing. */
    guessed |= s->stage != CCM_STAGE_SESSION && !has_evidence(s, CCM_EV_FALLBACK_REJECTED);

    return s->mode == CCM_AUTH_NTLM && guessed &&
           (ticket_refused(a, edge, s, out) || kdc_refused(a, e, s, out) ||
            kdc_silent(a, e, s, out) || dns_silent(a, e, s, out));
}

/* ---- rows ------------------------------------------------------------------------------------ */

typedef struct row {
    found f;
    ccm_auth_sum sum; /* evidence is its own */
} row;

static int account_cmp(const found *a, const found *b)
{
    bool windows = a->mode == CCM_AUTH_NTLM || a->mode == CCM_AUTH_KERBEROS;

    if (!a->account || !b->account)
        return (a->account != NULL) - (b->account != NULL);
    return windows ? ccm_windows_name_cmp(a->account, b->account) : strcmp(a->account, b->account);
}

static int way_cmp(const found *a, const found *b)
{
    if (a->stage != b->stage)
        return a->stage < b->stage ? -1 : 1;
    if (a->mode != b->mode)
        return a->mode < b->mode ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return account_cmp(a, b);
}

/* What nothing speaks against comes first, then certainty falls. */
static int key_cmp(const found *a, const found *b)
{
    unsigned x = a->sum->doubt, y = b->sum->doubt;
    int r = way_cmp(a, b);

    if (r || x == y)
        return r;
    return !x || (y && x > y) ? -1 : 1;
}

/* One row? Also where something speaks against one of them, if it is no less certain for that. */
static bool joins(const row *a, const row *b)
{
    return key_cmp(&a->f, &b->f) == 0 ||
           (a->sum.certainty == b->sum.certainty && way_cmp(&a->f, &b->f) == 0);
}

static int by_key(const void *a, const void *b)
{
    return key_cmp(&((const row *)a)->f, &((const row *)b)->f);
}

/* Frequent ones first: they keep their place when there are too many. */
static int by_count(const void *pa, const void *pb)
{
    const row *a = pa, *b = pb;
    if (a->sum.count != b->sum.count)
        return a->sum.count > b->sum.count ? -1 : 1;
    return by_key(pa, pb);
}

static void add_edge(view_auth *a, GArray *rows, uint32_t edge, const char *role)
{
    const ccm_model *m = a->k->m;
    const ccm_edge *e = ccm_edge_at(m, edge);

    for (uint32_t i = ccm_proofs_first(m, edge); i != CCM_NONE; i = ccm_auth_sum_at(m, i)->next) {
        const ccm_auth_sum *s = ccm_auth_sum_at(m, i);
        row r = { .f = resolve(a, e, s) };
        ccm_auth_seen why;
        bool fell = fallback(a, edge, s, &why);
        conclude_naa(a, role, &r.f);
        r.sum = (ccm_auth_sum){ .count = s->count,
                                .denied = s->denied,
                                .first_ns = s->first_ns,
                                .last_ns = s->last_ns,
                                .certainty = (uint8_t)r.f.certainty };
        for (unsigned k = 0; k < s->n; k++) {
            unsigned id = s->evidence[k].id;
            if (!fell || (id != CCM_EV_DIRECT_NTLM && id != CCM_EV_FALLBACK_UNEXPLAINED))
                ccm_auth_sum_evidence(&r.sum, &s->evidence[k]);
        }
        for (unsigned k = 0; k < r.f.n_more; k++)
            ccm_auth_sum_evidence(&r.sum, &r.f.more[k]);
        if (fell)
            ccm_auth_sum_evidence(&r.sum, &why);
        g_array_append_val(rows, r);
    }
}

/* Joins equal rows; returns how many are left. Of several spellings of an account the first by its
 * bytes is shown, in whatever order they came. */
static unsigned join(row *v, unsigned n)
{
    unsigned left = 0;
    if (n)
        qsort(v, n, sizeof *v, by_key);
    for (unsigned i = 0; i < n; i++) {
        if (left && joins(&v[left - 1], &v[i])) {
            ccm_auth_sum_add(&v[left - 1].sum, &v[i].sum);
            g_free(v[i].sum.evidence);
            if (v[i].f.account && strcmp(v[i].f.account, v[left - 1].f.account) < 0)
                v[left - 1].f.account = v[i].f.account;
        } else {
            v[left++] = v[i];
        }
    }
    return left;
}

/* Beyond the bound, rows lose their account and are counted together. */
static unsigned bound_accounts(view_auth *a, row *v, unsigned n)
{
    unsigned kept = 0;
    if (n)
        qsort(v, n, sizeof *v, by_count);
    for (unsigned i = 0; i < n; i++) {
        if (!v[i].f.account)
            continue;
        if (kept++ < a->k->m->limits.accounts)
            continue;
        v[i].f.account = NULL;
        a->rolled++;
    }
    return join(v, n);
}

static int by_id(const void *a, const void *b)
{
    return (int)((const ccm_auth_seen *)a)->id - (int)((const ccm_auth_seen *)b)->id;
}

static ccm_view_auth show(view_auth *a, row *r)
{
    ccm_view_auth out = { .stage = ccm_auth_stage_name(r->f.stage),
                          .mode = ccm_auth_mode_name(r->f.mode),
                          .account_kind = ccm_account_kind_name(r->f.kind),
                          .account = r->f.account ? ccm_view_keep(a->k, r->f.account) : NULL,
                          .certainty = (ccm_certainty)r->sum.certainty,
                          .count = r->sum.count,
                          .denied = r->sum.denied,
                          .n_evidence = r->sum.n };
    ccm_view_auth_evidence *e = ccm_view_alloc(a->k, r->sum.n, sizeof *e);
    if (r->sum.n)
        qsort(r->sum.evidence, r->sum.n, sizeof *r->sum.evidence, by_id);
    for (unsigned i = 0; i < r->sum.n; i++) {
        const ccm_auth_seen *s = &r->sum.evidence[i];
        e[i] = (ccm_view_auth_evidence){ .id = ccm_auth_evidence_name(s->id),
                                         .count = s->count,
                                         .first_frame = s->first_frame,
                                         .has_code = s->code > 0,
                                         .code = s->code,
                                         .trouble = s->id <= CCM_EV_DIRECT_NTLM };
    }
    out.evidence = e;
    g_free(r->sum.evidence);
    return out;
}

void ccm_view_auth_row(view_auth *a, const uint32_t *edges, unsigned n, ccm_view_route *out)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(row));

    for (unsigned i = 0; i < n; i++)
        add_edge(a, rows, edges[i], out->destination_role);
    row *v = (row *)(void *)rows->data;
    unsigned left = join(v, rows->len);
    left = bound_accounts(a, v, left);
    ccm_view_auth *list = ccm_view_alloc(a->k, left, sizeof *list);
    for (unsigned i = 0; i < left; i++)
        list[i] = show(a, &v[i]);
    out->auth = list;
    out->n_auth = left;
    g_array_free(rows, TRUE);
}

/* _kerberos._tcp.DOMAIN, _ldap._tcp.dc._msdcs.DOMAIN and the like ([MS-ADTS] 6.3.2.3). */
static bool seeks_kdc(const char *name)
{
    return g_str_has_prefix(name, "_kerberos.") ||
           (g_str_has_prefix(name, "_ldap._tcp.") && strstr(name, "._msdcs."));
}

view_auth *ccm_view_auth_new(view_maker *k)
{
    view_auth *a = g_new0(view_auth, 1);
    const GArray *krb = k->m->proofs->krb;

    a->k = k;
    a->krb = g_ptr_array_sized_new(krb->len);
    ccm_tickets_init(&a->tickets, &k->m->texts, UINT32_MAX);
    for (unsigned i = 0; i < krb->len; i++) {
        g_ptr_array_add(a->krb, &g_array_index(krb, ccm_krb, i));
        ccm_tickets_add(&a->tickets, &g_array_index(krb, ccm_krb, i));
    }
    g_ptr_array_sort(a->krb, by_client);
    a->lookups = g_ptr_array_new();
    for (unsigned i = 0; i < k->m->lookups->len; i++) {
        ccm_lookup *l = &g_array_index(k->m->lookups, ccm_lookup, i);
        if (seeks_kdc(text(a, l->name)))
            g_ptr_array_add(a->lookups, l);
    }
    g_ptr_array_sort(a->lookups, by_client);
    a->service =
        g_hash_table_new_full(ccm_windows_name_hash, ccm_windows_name_equal, NULL, naa_free);
    a->shown = certificates_shown(k->m);
    return a;
}

uint64_t ccm_view_auth_free(view_auth *a)
{
    uint64_t rolled = a->rolled;
    g_ptr_array_free(a->krb, TRUE);
    ccm_tickets_clear(&a->tickets);
    g_ptr_array_free(a->lookups, TRUE);
    g_hash_table_destroy(a->service);
    g_hash_table_destroy(a->shown);
    g_free(a);
    return rolled;
}
