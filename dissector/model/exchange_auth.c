/* SPDX-License-Identifier: GPL-2.0-or-later
 * exchange_auth.c - authentication of one exchange at a time, while observations pass.
 *
 * In: facts of an exchange. Out: its verdicts as texts. State: connections by flow; when there are
 * too many, some flow is forgotten, and its next exchange is judged as one whose beginning is
 * missing. */
#include "model/exchange_auth.h"

typedef struct join_flow {
    uint64_t id;
    ccm_auth_connection c;
} join_flow;

static join_flow *at(const ccm_join_auth *j, uint32_t i)
{
    return &g_array_index(j->flows, join_flow, i);
}

static bool flow_eq(const void *table, uint32_t value, const void *key)
{
    return at(table, value)->id == *(const uint64_t *)key;
}

static uint32_t hash_of(uint64_t flow)
{
    return ccm_hash_end(ccm_mix(12, flow));
}

void ccm_join_auth_init(ccm_join_auth *j, unsigned max)
{
    ccm_texts_init(&j->texts);
    ccm_tickets_init(&j->tickets, &j->texts, CCM_KERBEROS);
    ccm_index_init(&j->index, 64);
    j->flows = g_array_new(FALSE, FALSE, sizeof(join_flow));
    j->spare = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    j->max = max;
    j->victim = 0;
}

void ccm_join_auth_clear(ccm_join_auth *j)
{
    ccm_tickets_clear(&j->tickets);
    ccm_texts_clear(&j->texts);
    ccm_index_clear(&j->index);
    g_array_free(j->flows, TRUE);
    g_array_free(j->spare, TRUE);
}

static uint32_t place(ccm_join_auth *j)
{
    uint32_t i = j->flows->len;
    if (j->spare->len) {
        i = g_array_index(j->spare, uint32_t, j->spare->len - 1);
        g_array_set_size(j->spare, j->spare->len - 1);
    } else if (i < j->max) {
        g_array_set_size(j->flows, i + 1);
    } else {
        i = j->victim = (j->victim + 1) % j->max;
        ccm_index_remove(&j->index, hash_of(at(j, i)->id), i);
    }
    return i;
}

static ccm_auth_connection *connection(ccm_join_auth *j, uint64_t flow, uint64_t exchange)
{
    uint32_t hash = hash_of(flow);
    uint32_t i = ccm_index_find(&j->index, hash, flow_eq, j, &flow);
    if (i != CCM_NONE)
        return &at(j, i)->c;
    bool full = j->flows->len >= j->max;
    i = place(j);
    at(j, i)->id = flow;
    ccm_auth_connection_begin(&at(j, i)->c);
    at(j, i)->c.blind = full && exchange > 1;
    ccm_index_add(&j->index, hash, i);
    return &at(j, i)->c;
}

void ccm_join_auth_end(ccm_join_auth *j, uint64_t flow)
{
    uint32_t i = ccm_index_find(&j->index, hash_of(flow), flow_eq, j, &flow);
    if (i == CCM_NONE)
        return;
    ccm_index_remove(&j->index, hash_of(flow), i);
    g_array_append_val(j->spare, i);
}

void ccm_join_auth_certificate(ccm_join_auth *j, uint64_t flow, uint64_t exchange,
                               const ccm_auth_certificate *certificate)
{
    connection(j, flow, exchange)->certificate = *certificate;
}

void ccm_join_auth_kerberos(ccm_join_auth *j, const ccm_obs *obs)
{
    ccm_krb k[2];
    unsigned n = ccm_krb_of(&j->texts, obs, k);
    for (unsigned i = 0; i < n; i++)
        ccm_tickets_add(&j->tickets, &k[i]);
}

/* E4, as reports conclude it: the ticket says for which service it is, its reply said whose. */
static void show_owner(const ccm_join_auth *j, const ccm_auth_verdict *v, const ccm_addr *client,
                       ccm_exchange_auth *a)
{
    ccm_ticket_use use = { v->time_ns, v->time_ns };
    ccm_certainty sure;
    const ccm_ticket *t =
        v->account == CCM_NONE ? ccm_tickets_find(&j->tickets, client, v->spn, use, &sure) : NULL;
    if (!t)
        return;
    a->account = ccm_texts_get(&j->texts, t->name);
    a->account_kind = ccm_account_kind_name(ccm_auth_account_kind(ccm_span_str(a->account)));
    a->certainty = MIN(a->certainty, sure);
    a->evidence[a->n_evidence++] = ccm_auth_evidence_name(CCM_EV_TGS_REP);
}

void ccm_join_auth_verdict(ccm_join_auth *j, const ccm_auth_verdict *v, ccm_exchange *x)
{
    if (x->n_auth == CCM_EXCHANGE_AUTH)
        return;
    ccm_exchange_auth *a = &x->auth[x->n_auth++];
    *a = (ccm_exchange_auth){
        .stage = ccm_auth_stage_name(v->stage),
        .mode = ccm_auth_mode_name(v->mode),
        .account_kind = ccm_account_kind_name(v->kind),
        .account = v->account == CCM_NONE ? NULL : ccm_texts_get(&j->texts, v->account),
        .certainty = (ccm_certainty)v->certainty,
        .denied = v->denied,
        .leg = v->leg,
        .n_evidence = v->n,
    };
    for (unsigned k = 0; k < v->n; k++)
        a->evidence[k] = ccm_auth_evidence_name(v->evidence[k].id);
    show_owner(j, v, &x->client.addr, a);
}

void ccm_join_auth_show(ccm_join_auth *j, const ccm_auth_facts *facts, ccm_exchange *x)
{
    ccm_auth_verdicts verdicts;

    ccm_auth_conclude(connection(j, x->flow, x->exchange), facts, &verdicts);
    x->n_auth = 0;
    for (unsigned i = 0; i < verdicts.n; i++)
        if (!verdicts.v[i].earlier)
            ccm_join_auth_verdict(j, &verdicts.v[i], x);
}
