/* SPDX-License-Identifier: GPL-2.0-or-later
 * auth_sum.c - sums of verdicts: equal ones are one row with counts.
 *
 * In: verdicts, sums. Out: sums of edges. State: the rows in ccm_proofs; of an edge at most
 * limits->accounts rows with an account, beyond that they are counted without it.
 * A sum is as certain as its surest verdict. Verdicts that something speaks against are therefore
 * summed apart, by certainty: no number of good signatures makes a bad one better. */
#include "model/proofs.h"

void ccm_auth_sum_evidence(ccm_auth_sum *s, const ccm_auth_seen *add)
{
    unsigned i = 0;
    while (i < s->n && s->evidence[i].id != add->id)
        i++;
    if (i < s->n) {
        ccm_auth_seen *e = &s->evidence[i];
        e->count += add->count;
        if (add->first_frame && (!e->first_frame || add->first_frame < e->first_frame))
            e->first_frame = add->first_frame;
        if (add->code && (!e->code || add->code < e->code))
            e->code = add->code;
        return;
    }
    if (s->n == s->cap) {
        s->cap = (uint8_t)(s->cap ? s->cap * 2 : 4);
        s->evidence = g_renew(ccm_auth_seen, s->evidence, s->cap);
    }
    s->evidence[s->n++] = *add;
}

bool ccm_auth_sum_same(const ccm_auth_sum *a, const ccm_auth_sum *b)
{
    return a->account == b->account && a->stage == b->stage && a->mode == b->mode &&
           a->kind == b->kind && a->is_spn == b->is_spn && a->windowsauth == b->windowsauth &&
           a->doubt == b->doubt;
}

void ccm_auth_sum_add(ccm_auth_sum *s, const ccm_auth_sum *add)
{
    bool fresh = !s->count && !s->denied;
    s->first_ns = fresh ? add->first_ns : ccm_min64(s->first_ns, add->first_ns);
    s->last_ns = fresh ? add->last_ns : ccm_max64(s->last_ns, add->last_ns);
    s->count += add->count;
    s->denied += add->denied;
    s->certainty = MAX(s->certainty, add->certainty);
    for (unsigned i = 0; i < add->n; i++)
        ccm_auth_sum_evidence(s, &add->evidence[i]);
}

ccm_auth_sum ccm_auth_sum_of(const ccm_auth_verdict *v, ccm_auth_seen *seen)
{
    bool is_spn = v->account == CCM_NONE && v->spn != CCM_NONE;
    for (unsigned i = 0; i < v->n; i++)
        seen[i] = (ccm_auth_seen){ .count = 1,
                                   .first_frame = v->evidence[i].frame,
                                   .code = v->evidence[i].code,
                                   .id = v->evidence[i].id };
    return (ccm_auth_sum){ .next = CCM_NONE,
                           .account = is_spn ? v->spn : v->account,
                           .stage = v->stage,
                           .mode = v->mode,
                           .kind = v->kind,
                           .certainty = v->certainty,
                           .is_spn = is_spn,
                           .windowsauth = ccm_auth_is_windowsauth(v),
                           .doubt = ccm_auth_doubt(v),
                           .n = v->n,
                           .evidence = seen,
                           .count = !v->denied,
                           .denied = v->denied,
                           .first_ns = v->time_ns,
                           .last_ns = v->time_ns };
}

void ccm_auth_sum_add_verdict(ccm_auth_sum *s, const ccm_auth_verdict *v)
{
    if (!s->count && !s->denied)
        s->first_ns = s->last_ns = v->time_ns;
    s->first_ns = ccm_min64(s->first_ns, v->time_ns);
    s->last_ns = ccm_max64(s->last_ns, v->time_ns);
    s->count += !v->denied;
    s->denied += v->denied;
    s->certainty = MAX(s->certainty, v->certainty);
    for (unsigned i = 0; i < v->n; i++)
        ccm_auth_sum_evidence(s, &(ccm_auth_seen){ .count = 1,
                                                   .first_frame = v->evidence[i].frame,
                                                   .code = v->evidence[i].code,
                                                   .id = v->evidence[i].id });
}

void ccm_plain_sum_add(ccm_plain_sum *s, const ccm_auth_plain *p)
{
    uint8_t certainty = ccm_auth_anonymous_certainty(p->status);

    if (!s->count)
        *s = (ccm_plain_sum){ p->request_frame, p->time_ns, p->time_ns, 0, certainty };
    /* As ccm_auth_sum_add and ccm_auth_sum_evidence do. */
    if (p->request_frame && (!s->first_frame || p->request_frame < s->first_frame))
        s->first_frame = p->request_frame;
    s->first_ns = ccm_min64(s->first_ns, p->time_ns);
    s->last_ns = ccm_max64(s->last_ns, p->time_ns);
    s->certainty = MAX(s->certainty, certainty);
    s->count++;
}

void ccm_plain_sum_join(ccm_plain_sum *to, const ccm_plain_sum *add)
{
    if (!to->count || !add->count) {
        *to = add->count ? *add : *to;
        return;
    }
    if (add->first_frame && (!to->first_frame || add->first_frame < to->first_frame))
        to->first_frame = add->first_frame;
    to->first_ns = ccm_min64(to->first_ns, add->first_ns);
    to->last_ns = ccm_max64(to->last_ns, add->last_ns);
    to->certainty = MAX(to->certainty, add->certainty);
    to->count += add->count;
}

ccm_auth_sum ccm_auth_sum_of_plain(const ccm_plain_sum *s, ccm_auth_seen *seen)
{
    *seen = (ccm_auth_seen){ .count = s->count,
                             .first_frame = s->first_frame,
                             .id = CCM_EV_NO_AUTHORIZATION };
    return (ccm_auth_sum){ .next = CCM_NONE,
                           .account = CCM_NONE,
                           .stage = CCM_STAGE_TRANSPORT,
                           .mode = CCM_AUTH_ANONYMOUS,
                           .kind = CCM_ACCOUNT_ANONYMOUS,
                           .certainty = s->certainty,
                           .n = 1,
                           .evidence = seen,
                           .count = s->count,
                           .first_ns = s->first_ns,
                           .last_ns = s->last_ns };
}

static uint32_t new_row(ccm_model *m, uint32_t edge, const ccm_auth_sum *key)
{
    struct ccm_proofs *p = m->proofs;
    uint32_t at = p->sums->len, none = CCM_NONE;

    while (p->heads->len <= edge)
        g_array_append_val(p->heads, none);
    uint32_t *head = &g_array_index(p->heads, uint32_t, edge);
    ccm_auth_sum row = { .next = *head,
                         .account = key->account,
                         .stage = key->stage,
                         .mode = key->mode,
                         .kind = key->kind,
                         .is_spn = key->is_spn,
                         .windowsauth = key->windowsauth,
                         .doubt = key->doubt };
    *head = at;
    g_array_append_val(p->sums, row);
    return at;
}

void ccm_auth_sum_to_edge(ccm_model *m, uint32_t edge, const ccm_auth_sum *add)
{
    ccm_auth_sum key = *add;
    unsigned accounts = 0;

    for (uint32_t i = ccm_proofs_first(m, edge); i != CCM_NONE; i = ccm_auth_sum_at(m, i)->next) {
        ccm_auth_sum *s = ccm_auth_sum_at(m, i);
        if (ccm_auth_sum_same(s, &key)) {
            ccm_auth_sum_add(s, add);
            return;
        }
        accounts += s->account != CCM_NONE;
    }
    if (key.account != CCM_NONE &&
        (accounts >= m->limits.accounts || m->proofs->sums->len >= CCM_AUTH_SUMS)) {
        ccm_model_limit(m, "accounts", 1);
        key.account = CCM_NONE;
        key.is_spn = false;
        key.evidence = add->evidence;
        ccm_auth_sum_to_edge(m, edge, &key);
        return;
    }
    uint32_t at = new_row(m, edge, &key);
    ccm_auth_sum_add(ccm_auth_sum_at(m, at), add);
}
