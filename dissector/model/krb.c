/* SPDX-License-Identifier: GPL-2.0-or-later
 * krb.c - what key distribution centres told their clients, kept for conclusions about HTTP.
 *
 * In: kerberos observations, connections that came to nothing. Out: tickets (client address,
 * service host, client name), refusals, and talks without any reply. State: one bounded table, each
 * entry with sums and first and last time, so that tables merge. Spec: auth-modes.md 6.1 E4, 7.1;
 * RFC 4120 sections 5.10 and 7.5.9. */
#include "model/proofs.h"

enum {
    AS_REP = 11,
    TGS_REP = 13,
    AS_REQ = 10,
    TGS_REQ = 12,
    KRB_ERROR = 30,
    PREAUTH_REQUIRED = 25, /* the usual first answer */
    RESPONSE_TOO_BIG = 52, /* asks again over TCP */
};

static bool krb_eq(const void *table, uint32_t value, const void *key)
{
    const GArray *krb = table;
    const ccm_krb *a = &g_array_index(krb, ccm_krb, value), *b = key;
    return a->what == b->what && a->host == b->host && a->name == b->name && a->code == b->code &&
           ccm_addr_eq(&a->client, &b->client);
}

void ccm_krb_add(ccm_model *m, const ccm_krb *add)
{
    GArray *krb = m->proofs->krb;
    uint64_t h = ccm_mix(ccm_mix(9, (uint64_t)add->host << 32 | add->name),
                         (uint64_t)add->what << 32 | add->code);
    uint32_t hash = ccm_hash_end(ccm_hash_addr(h, &add->client));
    uint32_t at = ccm_index_find(&m->proofs->krb_index, hash, krb_eq, krb, add);

    if (at == CCM_NONE) {
        if (krb->len >= CCM_KERBEROS) {
            ccm_model_limit(m, "kerberos", 1);
            return;
        }
        ccm_index_add(&m->proofs->krb_index, hash, krb->len);
        g_array_append_val(krb, *add);
        return;
    }
    ccm_krb *k = &g_array_index(krb, ccm_krb, at);
    k->count += add->count;
    k->replies += add->replies;
    if (add->first_frame && (!k->first_frame || add->first_frame < k->first_frame))
        k->first_frame = add->first_frame;
    k->first_ns = ccm_min64(k->first_ns, add->first_ns);
    k->last_ns = ccm_max64(k->last_ns, add->last_ns);
}

/* What a KDC says in place of a name that it hides (RFC 6113 section 5.4.2, RFC 8062). */
static bool is_hidden(ccm_span name)
{
    return ccm_text_same(name, "wellknown/anonymous");
}

/* NAME@REALM, as tickets are written. */
static uint32_t principal(ccm_texts *texts, ccm_span name, ccm_span realm)
{
    uint8_t room[CCM_TEXT_MAX];
    if (!name.n || name.n + realm.n + 1 > sizeof room)
        return CCM_NONE;
    memcpy(room, name.p, name.n);
    if (!realm.n)
        return ccm_texts_add(texts, name);
    room[name.n] = '@';
    memcpy(room + name.n + 1, realm.p, realm.n);
    return ccm_texts_add(texts, (ccm_span){ room, name.n + 1 + realm.n });
}

static bool is_ticket_service(ccm_span spn)
{
    return spn.n >= 6 && g_ascii_strncasecmp((const char *)spn.p, "krbtgt", 6) == 0;
}

unsigned ccm_krb_of(ccm_texts *texts, const ccm_obs *obs, ccm_krb *out)
{
    uint64_t type = ccm_obs_get_u64(obs, CCM_KEY_msg_type);
    bool asks = type == AS_REQ || type == TGS_REQ;
    uint32_t host = ccm_auth_spn_host(texts, ccm_obs_get_str(obs, CCM_KEY_spn));
    ccm_krb k = { .client = asks ? obs->src.addr : obs->dst.addr,
                  .what = CCM_KRB_TALK,
                  .host = CCM_NONE,
                  .name = CCM_NONE,
                  .count = asks,
                  .replies = !asks,
                  .first_frame = obs->frame,
                  .first_ns = obs->time_ns,
                  .last_ns = obs->time_ns };

    if (!asks && type != AS_REP && type != TGS_REP && type != KRB_ERROR)
        return 0;
    out[0] = k;
    k.count = 1;
    k.replies = 0;
    k.host = host;
    if ((type == TGS_REP || type == AS_REP) && host != CCM_NONE) {
        k.what = CCM_KRB_TICKET;
        k.host = ccm_auth_ticket(texts, host, ccm_obs_get_u64(obs, CCM_KEY_ticket_hash));
        k.name = principal(texts, ccm_obs_get_str(obs, CCM_KEY_cname),
                           ccm_obs_get_str(obs, CCM_KEY_realm));
        out[1] = k;
        return k.name == CCM_NONE || is_hidden(ccm_obs_get_str(obs, CCM_KEY_cname)) ? 1 : 2;
    }
    if (type == KRB_ERROR) {
        k.what = CCM_KRB_REFUSAL;
        k.code = (uint32_t)ccm_obs_get_u64(obs, CCM_KEY_error_code);
        /* Refused for another service, as cifs/host: says nothing about HTTP. */
        ccm_span spn = ccm_obs_get_str(obs, CCM_KEY_spn);
        bool other = spn.n && host == CCM_NONE && !is_ticket_service(spn);
        out[1] = k;
        return other || k.code == PREAUTH_REQUIRED || k.code == RESPONSE_TOO_BIG ? 1 : 2;
    }
    return 1;
}

void ccm_krb_observe(ccm_model *m, const ccm_obs *obs)
{
    ccm_krb k[2];
    unsigned n = ccm_krb_of(&m->texts, obs, k);
    for (unsigned i = 0; i < n; i++)
        ccm_krb_add(m, &k[i]);
}

/* It shows no message, so it counts as one without a reply. */
void ccm_krb_call(ccm_model *m, const ccm_addr *client, uint64_t frame, uint64_t first_ns,
                  uint64_t last_ns)
{
    ccm_krb k = { .client = *client,
                  .what = CCM_KRB_TALK,
                  .host = CCM_NONE,
                  .name = CCM_NONE,
                  .count = 1,
                  .first_frame = frame,
                  .first_ns = first_ns,
                  .last_ns = last_ns };
    ccm_krb_add(m, &k);
}
