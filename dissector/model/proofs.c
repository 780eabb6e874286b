/* SPDX-License-Identifier: GPL-2.0-or-later
 * proofs.c - brings the observations of an exchange together and keeps what came of it.
 *
 * In: observations of HTTP exchanges; flows that end. Out: sums of edges, see auth_sum.c. State:
 * what is open of each flow and what it came to, in the flow's record or kept with it; what is left
 * there of an earlier flow is noticed by its id. Plain exchanges, which are the
 * most, take the short way and a few bytes; connection and open exchanges are kept from where
 * something else is seen. What is open is not counted: an engine closes everything before it ends.
 */
#include "model/proofs.h"
#include "model/tls_book.h"

struct ccm_proofs *ccm_proofs_new(void)
{
    struct ccm_proofs *p = g_new0(struct ccm_proofs, 1);
    p->sums = g_array_new(FALSE, FALSE, sizeof(ccm_auth_sum));
    p->heads = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    p->krb = g_array_new(FALSE, FALSE, sizeof(ccm_krb));
    p->signatures = g_array_new(FALSE, FALSE, sizeof(ccm_signature_seen));
    p->messages = g_array_new(FALSE, FALSE, sizeof(ccm_message));
    ccm_index_init(&p->krb_index, 16);
    ccm_index_init(&p->signature_index, 16);
    return p;
}

void ccm_proof_talk_free(ccm_proof_talk *t)
{
    if (!t)
        return;
    for (unsigned k = 0; k < t->cap_sums; k++)
        g_free(t->sums[k].evidence);
    g_free(t->sums);
    g_free(t->more);
    g_free(t->fetches);
    g_free(t);
}

void ccm_proofs_free(struct ccm_proofs *p)
{
    for (unsigned i = 0; i < p->sums->len; i++)
        g_free(g_array_index(p->sums, ccm_auth_sum, i).evidence);
    GArray *arrays[] = { p->sums, p->heads, p->krb, p->signatures, p->messages };
    for (unsigned i = 0; i < G_N_ELEMENTS(arrays); i++)
        g_array_free(arrays[i], TRUE);
    ccm_index_clear(&p->krb_index);
    ccm_index_clear(&p->signature_index);
    g_free(p);
}

/* ---- flows ----------------------------------------------------------------------------------- */

/* NULL: flow `id`, whose record this is or was, has none. */
static ccm_proof_talk *find_talk(const ccm_model_flow *f, uint64_t id)
{
    return f->talk && f->talk->id == id ? f->talk : NULL;
}

static void begin_exchange(ccm_open_exchange *x, uint64_t number)
{
    *x = (ccm_open_exchange){ .header_client = CCM_NONE,
                              .message_client = CCM_NONE,
                              .assigned = CCM_NONE,
                              .name = { CCM_NONE, CCM_NONE },
                              .signer = CCM_NONE,
                              .endpoint = CCM_NONE,
                              .kind = CCM_NONE,
                              .reply = CCM_NONE,
                              .message_id = CCM_NONE };
    ccm_auth_begin(&x->auth, number);
}

static ccm_open_exchange *find_exchange(ccm_proof_talk *t, uint64_t number)
{
    if (t->first.auth.open && t->first.auth.exchange == number)
        return &t->first;
    for (unsigned i = 0; i < t->n_more; i++)
        if (t->more[i].auth.exchange == number)
            return &t->more[i];
    return NULL;
}

/* Nearly always there is one; more while requests wait in line. NULL: too many. */
static ccm_open_exchange *get_exchange(ccm_proof_talk *t, uint64_t number)
{
    ccm_open_exchange *x = find_exchange(t, number);
    if (x)
        return x;
    if (!t->first.auth.open) {
        x = &t->first;
    } else {
        if (t->n_more == CCM_OPEN_EXCHANGES)
            return NULL;
        if (t->n_more == t->cap_more) {
            t->cap_more = (uint8_t)(t->cap_more ? t->cap_more * 2 : 2);
            t->more = g_renew(ccm_open_exchange, t->more, t->cap_more);
        }
        x = &t->more[t->n_more++];
    }
    begin_exchange(x, number);
    return x;
}

static void close_exchange(ccm_proof_talk *t, ccm_open_exchange *x)
{
    if (x == &t->first)
        x->auth.open = false;
    else
        *x = t->more[--t->n_more];
}

static void begin_talk(ccm_proof_talk *t)
{
    t->n_more = t->n_sums = t->n_fetches = 0;
    t->first.auth.open = false;
    ccm_auth_connection_begin(&t->connection);
}

/* There is more to say of the flow than that its exchanges are plain; of the open one as well. */
static ccm_proof_talk *get_talk(ccm_model_flow *f)
{
    if (!f->talk)
        f->talk = g_new0(ccm_proof_talk, 1);
    ccm_proof_talk *t = f->talk;
    if (t->id != f->id) {
        t->id = f->id;
        begin_talk(t);
    }
    if (f->plain.open) { /* alone until now, so there is room */
        get_exchange(t, f->plain.exchange)->auth = ccm_auth_plain_facts(&f->plain);
        f->plain.open = false;
    }
    return t;
}

void ccm_proofs_keep_content(ccm_model *m, ccm_model_flow *f)
{
    ccm_proof_talk *t = get_talk(f);

    if (t->n_fetches == CCM_OPEN_EXCHANGES) {
        ccm_model_limit(m, "open_exchanges", 1);
        return;
    }
    if (t->n_fetches == t->cap_fetches) {
        t->cap_fetches = (uint8_t)(t->cap_fetches ? t->cap_fetches * 2 : 2);
        t->fetches = g_renew(ccm_fetch, t->fetches, t->cap_fetches);
    }
    t->fetches[t->n_fetches++] = (ccm_fetch){ f->exchange, f->content };
}

uint32_t ccm_proofs_take_content(ccm_model_flow *f, uint64_t exchange)
{
    ccm_proof_talk *t = find_talk(f, f->id);

    for (unsigned i = 0; t && i < t->n_fetches; i++) {
        if (t->fetches[i].exchange == exchange) {
            uint32_t content = t->fetches[i].content;
            t->fetches[i] = t->fetches[--t->n_fetches];
            return content;
        }
    }
    return CCM_NONE;
}

/* ---- verdicts -------------------------------------------------------------------------------- */

uint32_t ccm_proofs_edge(ccm_model *to, const ccm_model *from, const ccm_model_flow *f)
{
    if (to == from && f->edge != CCM_NONE)
        return f->edge;
    int route = f->edge == CCM_NONE ? f->route : ccm_edge_at(from, f->edge)->key.route;
    ccm_edge_key key = { .client = f->end[f->client].addr,
                         .server = f->end[!f->client].addr,
                         .port = f->end[!f->client].port,
                         .route = (int16_t)route,
                         .l4 = f->l4,
                         .through = ccm_texts_map(&to->texts, &from->texts, f->through) };
    return ccm_edge_get(to, &key);
}

static void settle(ccm_model *m, ccm_proof_talk *t, uint32_t edge)
{
    for (unsigned i = 0; i < t->n_sums; i++)
        ccm_auth_sum_to_edge(m, edge, &t->sums[i]);
    t->n_sums = 0;
}

static void keep_verdict(ccm_model *m, ccm_model_flow *f, ccm_proof_talk *t,
                         const ccm_auth_verdict *v)
{
    if (v->leg)
        return;
    for (unsigned i = 0; i < t->n_sums; i++) {
        if (ccm_auth_sum_takes(&t->sums[i], v)) {
            ccm_auth_sum_add_verdict(&t->sums[i], v);
            return;
        }
    }
    if (t->n_sums == CCM_FLOW_SUMS) {
        ccm_model_flow_settle(m, f);
        settle(m, t, f->edge);
    }
    if (t->n_sums == t->cap_sums) {
        t->cap_sums = (uint8_t)(t->cap_sums ? t->cap_sums * 2 : 2);
        t->sums = g_renew(ccm_auth_sum, t->sums, t->cap_sums);
        memset(t->sums + t->n_sums, 0, (size_t)(t->cap_sums - t->n_sums) * sizeof *t->sums);
    }
    ccm_auth_sum *s = &t->sums[t->n_sums++];
    ccm_auth_seen seen[CCM_VERDICT_EVIDENCE];
    ccm_auth_sum empty = ccm_auth_sum_of(v, seen);
    empty.evidence = s->evidence; /* that of a sum which was here before */
    empty.cap = s->cap;
    empty.n = 0;
    empty.count = empty.denied = 0;
    *s = empty;
    ccm_auth_sum_add_verdict(s, v);
}

static void on_done(ccm_model *m, ccm_model_flow *f, ccm_proof_talk *t, ccm_open_exchange *x,
                    const ccm_obs *obs)
{
    ccm_auth_verdicts verdicts;

    ccm_auth_done(&x->auth, obs);
    ccm_auth_conclude(&t->connection, &x->auth, &verdicts);
    for (unsigned i = 0; i < verdicts.n; i++) {
        keep_verdict(m, f, t, &verdicts.v[i]);
        if (x->auth.task_sequence && verdicts.v[i].kind == CCM_ACCOUNT_USER && !verdicts.v[i].leg) {
            /* Beside the verdict, since only the model concludes from it. */
            ccm_auth_seen agent = { .count = 1,
                                    .first_frame = x->auth.request_frame,
                                    .id = CCM_EV_TASK_SEQUENCE_AGENT };
            for (unsigned k = 0; k < t->n_sums; k++)
                if (ccm_auth_sum_takes(&t->sums[k], &verdicts.v[i]))
                    ccm_auth_sum_evidence(&t->sums[k], &agent);
        }
    }
    ccm_messages_done(m, x, obs, &verdicts);
    close_exchange(t, x);
}

/* ---- observations ---------------------------------------------------------------------------- */

/* A request while nothing is open. */
static void on_request(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs, uint64_t number,
                       const ccm_auth_request *is)
{
    ccm_auth_facts facts;

    ccm_auth_begin(&facts, number);
    ccm_auth_collect_request(&facts, obs, is);
    if (!ccm_obs_has(obs, CCM_KEY_client_id) && ccm_auth_plain_of(&facts, &f->plain))
        return;
    ccm_open_exchange *x = get_exchange(get_talk(f), number);
    x->auth = facts;
    ccm_messages_collect(m, f, x, obs);
}

/* Does the observation leave everything plain? It is dealt with then. */
static bool plain(ccm_model_flow *f, const ccm_obs *obs, uint64_t number)
{
    if (!f->plain.open || f->plain.exchange != number)
        return false;
    if (obs->kind == CCM_OBS_http_response)
        return ccm_auth_plain_response(&f->plain, obs);
    if (obs->kind != CCM_OBS_http_done || !f->plain.status || ccm_auth_blind(obs))
        return false;
    const ccm_proof_talk *t = find_talk(f, f->id);
    if (t && !ccm_auth_connection_quiet(&t->connection))
        return false;
    ccm_plain_sum_add(&f->anonymous, &f->plain);
    f->plain.open = false;
    return true;
}

static bool idle(const ccm_model_flow *f)
{
    const ccm_proof_talk *t = find_talk(f, f->id);
    return !f->plain.open && (!t || (!t->first.auth.open && !t->n_more));
}

/* Did the exchange come out of a TLS connection with a client certificate? */
static void note_certificate(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs)
{
    const ccm_tls_facts *facts =
        m->tls->flows.index.n ? ccm_tls_flows_find(&m->tls->flows, ccm_tls_flow_of(obs)) : NULL;
    if (facts && facts->is.mode)
        get_talk(f)->connection.certificate = ccm_tls_certificate_of(facts);
}

void ccm_proofs_observe(ccm_model *m, const ccm_obs *obs, const ccm_auth_request *is)
{
    ccm_model_flow *f = ccm_model_flow_find(m, obs);
    uint64_t number = ccm_obs_get_u64(obs, CCM_KEY_exchange);

    if (!f)
        return;
    if (obs->kind == CCM_OBS_http_request)
        note_certificate(m, f, obs);
    if (obs->kind == CCM_OBS_http_request || obs->kind == CCM_OBS_ccm_message)
        ccm_tls_book_client_id(m, obs);
    if (plain(f, obs, number))
        return;
    if ((obs->kind == CCM_OBS_token || obs->kind == CCM_OBS_signature) &&
        ccm_endpoint_eq(&obs->src, &f->end[!f->client]))
        return; /* issued: the client has shown nothing */
    if (obs->kind == CCM_OBS_http_request && idle(f)) {
        on_request(m, f, obs, number, is);
        return;
    }
    ccm_proof_talk *t = get_talk(f);
    ccm_open_exchange *x =
        obs->kind == CCM_OBS_http_done ? find_exchange(t, number) : get_exchange(t, number);
    if (!x)
        return;
    if (obs->kind == CCM_OBS_http_done) {
        on_done(m, f, t, x, obs);
        return;
    }
    if (is)
        ccm_auth_collect_request(&x->auth, obs, is);
    else
        ccm_auth_collect(&x->auth, &m->texts, obs);
    ccm_messages_collect(m, f, x, obs);
}

void ccm_proofs_verdict(ccm_model *m, ccm_model_flow *f, const ccm_auth_verdict *v)
{
    keep_verdict(m, f, get_talk(f), v);
}

void ccm_proofs_plain(ccm_model *m, uint32_t edge, const ccm_plain_sum *plain)
{
    ccm_auth_seen seen;
    ccm_auth_sum s = ccm_auth_sum_of_plain(plain, &seen);

    if (s.count)
        ccm_auth_sum_to_edge(m, edge, &s);
}

void ccm_proofs_end(ccm_model *m, const ccm_model_flow *f, uint64_t id)
{
    ccm_auth_verdicts verdicts;

    ccm_tls_book_end(m, f, id);
    ccm_plain_sum_join(&ccm_edge_at(m, f->edge)->anonymous, &f->anonymous);
    ccm_proof_talk *t = find_talk(f, id);
    if (!t)
        return;
    settle(m, t, f->edge);
    ccm_auth_connection_end(&t->connection, &verdicts);
    for (unsigned i = 0; i < verdicts.n; i++) {
        ccm_auth_seen seen[CCM_VERDICT_EVIDENCE];
        ccm_auth_sum one = ccm_auth_sum_of(&verdicts.v[i], seen);
        ccm_auth_sum_to_edge(m, f->edge, &one);
    }
    begin_talk(t);
}

/* ---- merging --------------------------------------------------------------------------------- */

static void merge_sum(ccm_model *to, uint32_t edge, const ccm_model *from, const ccm_auth_sum *s)
{
    ccm_auth_sum mapped = *s;
    if (s->account != CCM_NONE)
        mapped.account =
            ccm_texts_add(&to->texts, ccm_span_str(ccm_texts_get(&from->texts, s->account)));
    ccm_auth_sum_to_edge(to, edge, &mapped);
}

void ccm_proofs_merge(ccm_model *to, const ccm_model *from)
{
    for (uint32_t e = 0; e < from->proofs->heads->len; e++) {
        uint32_t i = ccm_proofs_first(from, e);
        if (i == CCM_NONE)
            continue;
        uint32_t edge = ccm_edge_same(to, from, ccm_edge_at(from, e));
        for (; i != CCM_NONE; i = ccm_auth_sum_at(from, i)->next)
            merge_sum(to, edge, from, ccm_auth_sum_at(from, i));
    }
    for (uint32_t i = 0; i < from->n_flows; i++) {
        const ccm_model_flow *f = ccm_model_flow_at(from, i);
        if (!f->id)
            continue;
        const ccm_proof_talk *t = find_talk(f, f->id);
        if (f->anonymous.count)
            ccm_proofs_plain(to, ccm_proofs_edge(to, from, f), &f->anonymous);
        for (unsigned k = 0; t && k < t->n_sums; k++)
            merge_sum(to, ccm_proofs_edge(to, from, f), from, &t->sums[k]);
    }
    for (unsigned i = 0; i < from->proofs->krb->len; i++) {
        ccm_krb k = g_array_index(from->proofs->krb, ccm_krb, i);
        uint32_t *texts[] = { &k.host, &k.name };
        for (unsigned t = 0; t < G_N_ELEMENTS(texts); t++)
            if (*texts[t] != CCM_NONE)
                *texts[t] =
                    ccm_texts_add(&to->texts, ccm_span_str(ccm_texts_get(&from->texts, *texts[t])));
        ccm_krb_add(to, &k);
    }
    ccm_messages_merge(to, from);
}
