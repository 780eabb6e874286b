/* SPDX-License-Identifier: GPL-2.0-or-later
 * view_clients.c - the view's client ids and messages.
 *
 * In: a model. Out: rows in the order that view.h gives. State: none. What was seen in n
 * places was replayed n - 1 times. */
#include "model/proofs.h"
#include "model/view_make.h"

enum { SKEW_AGREES_S = 60 };

static int by_client_id(const void *a, const void *b)
{
    return strcmp(((const ccm_view_client *)a)->client_id, ((const ccm_view_client *)b)->client_id);
}

static int by_signature(const void *pa, const void *pb)
{
    const ccm_signature_seen *a = pa, *b = pb;
    if (a->signature != b->signature)
        return a->signature < b->signature ? -1 : 1;
    if (a->first_ns != b->first_ns) /* the first is the original */
        return a->first_ns < b->first_ns ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

/* Repeats by client id's text. */
static uint64_t *count_repeats(const ccm_model *m)
{
    const GArray *list = m->proofs->signatures;
    uint64_t *repeats = g_new0(uint64_t, m->texts.v->len + 1u);
    ccm_signature_seen *v = g_memdup2(list->data, list->len * sizeof(ccm_signature_seen));

    if (list->len)
        qsort(v, list->len, sizeof *v, by_signature);
    for (unsigned i = 1; i < list->len; i++)
        repeats[v[i].client] += v[i].signature == v[i - 1].signature;
    g_free(v);
    return repeats;
}

static ccm_view_counts counts_of(view_maker *k, const ccm_counters *c, uint64_t *total)
{
    for (unsigned i = 0; i < c->n; i++) {
        *total += c->v[i].count;
        ccm_view_count_add(k->list, ccm_texts_get(&k->m->texts, ccm_count_number(c->v[i].key)),
                           c->v[i].count);
    }
    return ccm_view_counts_of(k, k->list);
}

static void make_clock(ccm_view_client *v, const ccm_client *c)
{
    v->has_skew = c->has_skew;
    if (!c->has_skew)
        return;
    int64_t low = c->skew_low_s, high = c->skew_high_s;
    v->skew_s =
        -low < high ? low : high; /* both have been seen, what is between them perhaps not */
    if (low >= 0)
        v->skew_s = low;
    else if (high <= 0)
        v->skew_s = high;
    v->skew_uncertain = high - low > SKEW_AGREES_S;
}

void ccm_view_make_clients(view_maker *k)
{
    unsigned n = k->m->clients->len;
    ccm_view_client *v = ccm_view_alloc(k, n, sizeof *v);
    uint64_t *repeats = count_repeats(k->m), kinds = 0;

    for (unsigned i = 0; i < n; i++) {
        const ccm_client *c = &g_array_index(k->m->clients, ccm_client, i);
        v[i].client_id = ccm_view_keep(k, ccm_texts_get(&k->m->texts, c->id));
        v[i].addresses = c->n_addrs + (c->more ? 1u : 0u);
        if (c->n_addrs)
            v[i].addr = c->addrs[0];
        /* Those that it gives itself, and those of its address. */
        for (unsigned j = 0; j < G_N_ELEMENTS(c->name); j++)
            if (c->name[j] != CCM_NONE)
                ccm_view_count_add(k->list, ccm_texts_get(&k->m->texts, c->name[j]), 1);
        v[i].names = ccm_view_host_names(k, &v[i].addr);
        v[i].messages = counts_of(k, &c->messages, &v[i].total);
        v[i].kinds = counts_of(k, &c->kinds, &kinds);
        v[i].signature.verified = c->checked[CCM_SIGNATURE_VERIFIED];
        v[i].signature.failed = c->checked[CCM_SIGNATURE_FAILED];
        v[i].signature.no_key = c->checked[CCM_SIGNATURE_NO_KEY];
        v[i].signature.unverifiable = c->checked[CCM_SIGNATURE_UNVERIFIABLE];
        v[i].signature.key_changed = c->key_changed;
        v[i].signature.replayed = repeats[c->id];
        make_clock(&v[i], c);
    }
    if (n)
        qsort(v, n, sizeof *v, by_client_id);
    g_free(repeats);
    k->view->clients = v;
    k->view->n_clients = n;
}

/* ---- messages -------------------------------------------------------------------------------- */

static int endpoint_cmp(const ccm_endpoint *a, const ccm_endpoint *b)
{
    int order = ccm_addr_cmp(&a->addr, &b->addr);
    return order ? order : (int)a->port - (int)b->port;
}

static int by_time(const void *pa, const void *pb)
{
    const ccm_view_message *a = pa, *b = pb;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    if (a->frame != b->frame)
        return a->frame < b->frame ? -1 : 1;
    int order = endpoint_cmp(&a->client, &b->client);
    if (!order)
        order = endpoint_cmp(&a->server, &b->server);
    return order ? order : g_strcmp0(a->message_id, b->message_id);
}

static const char *signature_result(unsigned checked)
{
    static const char *const names[] = { [CCM_SIGNATURE_VERIFIED] = "verified",
                                         [CCM_SIGNATURE_FAILED] = "failed",
                                         [CCM_SIGNATURE_NO_KEY] = "no-key",
                                         [CCM_SIGNATURE_UNVERIFIABLE] = "unverifiable" };
    return checked ? names[checked - 1] : NULL;
}

void ccm_view_make_messages(view_maker *k)
{
    const GArray *list = k->m->proofs->messages;
    ccm_view_message *v = ccm_view_alloc(k, list->len, sizeof *v);

    for (unsigned i = 0; i < list->len; i++) {
        const ccm_message *m = &g_array_index(list, ccm_message, i);
        const char *kind = ccm_view_text(k, m->kind);
        v[i] = (ccm_view_message){ .time_ns = m->time_ns,
                                   .frame = m->frame,
                                   .client = m->client,
                                   .server = m->server,
                                   .client_id = ccm_view_text(k, m->client_id),
                                   .endpoint = ccm_view_text(k, m->endpoint),
                                   .message_id = ccm_view_text(k, m->message_id),
                                   .reply = ccm_view_text(k, m->reply),
                                   .kind = kind ? kind : "other message",
                                   .transport = ccm_auth_mode_name(m->transport),
                                   .message = ccm_auth_mode_name(m->message),
                                   .signature = signature_result(m->checked),
                                   .account_kind = ccm_account_kind_name(m->account_kind),
                                   .account = ccm_view_text(k, m->account),
                                   .size = m->size,
                                   .status = m->status,
                                   .key_changed = m->key_changed,
                                   .id_alone = m->id_alone,
                                   .foreign_reply = m->foreign_reply };
    }
    if (list->len)
        qsort(v, list->len, sizeof *v, by_time);
    k->view->has_messages = k->m->limits.messages > 0;
    k->view->messages = v;
    k->view->n_messages = list->len;
}
