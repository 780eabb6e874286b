/* SPDX-License-Identifier: GPL-2.0-or-later
 * proofs.h - what a model keeps about authentication, signatures and messages.
 *
 * In: observations. Out: mergeable evidence: sums of verdicts for each edge, tickets and errors of
 * key distribution centres, signatures seen, messages. State: ccm_proofs, part of a model; every
 * table is bounded by ccm_limits or a constant below. */
#ifndef CCM_MODEL_PROOFS_H
#define CCM_MODEL_PROOFS_H

#include "model/auth.h"
#include "model/model.h"

enum {
    CCM_AUTH_SUMS = 1 << 18,  /* verdicts kept of all edges together */
    CCM_KERBEROS = 1 << 16,   /* tickets, errors and talks of key distribution centres */
    CCM_SIGNATURES = 1 << 18, /* signatures kept to notice repeats */
    CCM_OPEN_EXCHANGES = 64,  /* of one connection: as many as the parser pairs */
    CCM_FLOW_SUMS = 8,        /* verdicts that a flow keeps until it settles with its edge */
};

typedef struct ccm_auth_seen {
    uint64_t count, first_frame; /* first_frame 0 = not known */
    uint32_t code;               /* lowest one seen; 0 = none */
    uint8_t id;                  /* ccm_auth_evidence */
} ccm_auth_seen;

typedef struct ccm_auth_sum {
    uint32_t next;    /* of the same edge; CCM_NONE */
    uint32_t account; /* text; CCM_NONE = not known */
    uint8_t stage, mode, kind, certainty;
    bool is_spn;      /* `account` is the service's host: whose ticket it was is concluded later */
    bool windowsauth; /* not a computer, on a directory for users' Windows authentication: E8 */
    uint8_t doubt;    /* something speaks against it: 1 + certainty, the same for all; else 0 */
    uint8_t n, cap;
    ccm_auth_seen *evidence;
    uint64_t count, denied; /* exchanges; attempts that failed */
    uint64_t first_ns, last_ns;
} ccm_auth_sum;

/* An exchange that is not over. Texts: CCM_NONE = not seen. */
typedef struct ccm_open_exchange {
    ccm_auth_facts auth;
    uint32_t header_client, message_client, assigned; /* texts: client ids */
    uint32_t signer;                                  /* whose signatures were checked */
    uint32_t endpoint, kind, reply, message_id;
    uint32_t name[2];      /* texts: of the client, as its message gives them */
    uint64_t message_hash; /* of its message id */
    uint64_t registration; /* hash of its signature; 0 = none */
    uint64_t time_ns;      /* of the message */
    uint8_t checked[4];    /* ccm_signature_result */
    uint8_t key_changed;   /* of those verified */
    bool has_skew, foreign_reply;
    int64_t skew_s;
} ccm_open_exchange;

typedef enum ccm_signature_result {
    CCM_SIGNATURE_VERIFIED,
    CCM_SIGNATURE_FAILED,
    CCM_SIGNATURE_NO_KEY,
    CCM_SIGNATURE_UNVERIFIABLE,
} ccm_signature_result;

/* What an open exchange, other than the latest, fetches. */
typedef struct ccm_fetch {
    uint64_t exchange;
    uint32_t content; /* text */
} ccm_fetch;

/* What a connection has beyond plain exchanges. */
typedef struct ccm_proof_talk {
    uint64_t id; /* of the flow that it belongs to */
    ccm_auth_connection connection;
    ccm_open_exchange first, *more;
    uint8_t n_more, cap_more;
    ccm_auth_sum *sums; /* all have their memory for evidence, whether used or not */
    uint8_t n_sums, cap_sums;
    ccm_fetch *fetches; /* of requests that wait in line */
    uint8_t n_fetches, cap_fetches;
} ccm_proof_talk;

typedef enum ccm_krb_what {
    CCM_KRB_TICKET,  /* name: of the client; host: of the service */
    CCM_KRB_REFUSAL, /* code; host: of the service, CCM_NONE = any (no ticket at all) */
    CCM_KRB_TALK,    /* requests, vain connections and replies of a client */
} ccm_krb_what;

enum { CCM_KDC_PORT = 88 }; /* RFC 4120 section 7.2 */

typedef struct ccm_krb {
    ccm_addr client;
    uint8_t what;
    uint32_t host, name; /* texts, of a ticket as ccm_auth_ticket makes them; CCM_NONE */
    uint32_t code;
    uint64_t count, replies, first_frame, first_ns, last_ns;
} ccm_krb;

/* A signature and the address it came from; or a signed message and its connection. */
typedef struct ccm_signature_seen {
    uint64_t signature, place;
    uint64_t first_ns; /* seen there */
    uint32_t client;   /* text */
} ccm_signature_seen;

typedef struct ccm_message {
    uint64_t time_ns, frame, size;
    ccm_endpoint client, server;
    uint32_t client_id, endpoint, kind, reply, message_id; /* texts; CCM_NONE */
    uint32_t account;
    uint16_t status;                          /* 0 = no answer seen */
    uint8_t transport, message, account_kind; /* modes */
    uint8_t checked;                          /* 1 + ccm_signature_result; 0 = none checked */
    bool key_changed;   /* verified with another key than the client's first */
    bool id_alone;      /* only the client id is signed */
    bool foreign_reply; /* the answer names another message */
} ccm_message;

struct ccm_proofs {
    GArray *sums;  /* ccm_auth_sum */
    GArray *heads; /* uint32_t: first sum of each edge, CCM_NONE */
    ccm_index krb_index, signature_index;
    GArray *krb;        /* ccm_krb */
    GArray *signatures; /* ccm_signature_seen */
    GArray *messages;   /* ccm_message */
};

/* proofs.c */
/* The latest request's content, while another request comes; and that of an exchange which is over:
 * CCM_NONE = none was kept. */
void ccm_proofs_keep_content(ccm_model *m, ccm_model_flow *f);
uint32_t ccm_proofs_take_content(ccm_model_flow *f, uint64_t exchange);
struct ccm_proofs *ccm_proofs_new(void);
void ccm_proofs_free(struct ccm_proofs *p);
void ccm_proof_talk_free(ccm_proof_talk *t);
/* Any observation of an HTTP exchange, after the model's own tables have seen it; `is`: what is
 * known of an http_request, else NULL. */
void ccm_proofs_observe(ccm_model *m, const ccm_obs *obs, const ccm_auth_request *is);
/* A verdict that does not come from an exchange. */
void ccm_proofs_verdict(ccm_model *m, ccm_model_flow *f, const ccm_auth_verdict *v);
/* Flow `id`, whose record this was, is over and settled with its edge. */
void ccm_proofs_end(ccm_model *m, const ccm_model_flow *f, uint64_t id);
/* Adds to the sums of an edge; no count = nothing. */
void ccm_proofs_plain(ccm_model *m, uint32_t edge, const ccm_plain_sum *plain);
void ccm_proofs_merge(ccm_model *to, const ccm_model *from);
/* Where the flow's evidence would go in model `to`. */
uint32_t ccm_proofs_edge(ccm_model *to, const ccm_model *from, const ccm_model_flow *f);
/* First sum of an edge, CCM_NONE. */
static inline uint32_t ccm_proofs_first(const ccm_model *m, uint32_t edge)
{
    return edge < m->proofs->heads->len ? g_array_index(m->proofs->heads, uint32_t, edge)
                                        : CCM_NONE;
}
static inline ccm_auth_sum *ccm_auth_sum_at(const ccm_model *m, uint32_t i)
{
    return &g_array_index(m->proofs->sums, ccm_auth_sum, i);
}

/* auth_sum.c */
void ccm_auth_sum_evidence(ccm_auth_sum *s, const ccm_auth_seen *add);
/* Adds the sums of `add`, whose key is the same. */
void ccm_auth_sum_add(ccm_auth_sum *s, const ccm_auth_sum *add);
bool ccm_auth_sum_same(const ccm_auth_sum *a, const ccm_auth_sum *b);
/* What keeps a verdict apart from others that are equal to it, see ccm_auth_sum. */
static inline bool ccm_auth_is_windowsauth(const ccm_auth_verdict *v)
{
    return v->windowsauth && (v->kind == CCM_ACCOUNT_USER || v->spn != CCM_NONE);
}
static inline uint8_t ccm_auth_doubt(const ccm_auth_verdict *v)
{
    /* That nothing was seen is no part of a row that says that nothing was sent. */
    bool unknown = v->mode == CCM_AUTH_NONE_OBSERVED && v->certainty == CCM_CERTAINTY_UNKNOWN;
    return v->doubted || unknown ? v->certainty + 1 : 0;
}
/* Is the verdict one of this sum's? */
static inline bool ccm_auth_sum_takes(const ccm_auth_sum *s, const ccm_auth_verdict *v)
{
    bool is_spn = v->account == CCM_NONE && v->spn != CCM_NONE;
    return s->stage == v->stage && s->mode == v->mode && s->kind == v->kind &&
           s->account == (is_spn ? v->spn : v->account) && s->is_spn == is_spn &&
           s->doubt == ccm_auth_doubt(v) && s->windowsauth == ccm_auth_is_windowsauth(v);
}
void ccm_auth_sum_add_verdict(ccm_auth_sum *s, const ccm_auth_verdict *v);
/* A verdict as a sum of one; its evidence is in `seen`, which has CCM_VERDICT_EVIDENCE places. */
ccm_auth_sum ccm_auth_sum_of(const ccm_auth_verdict *v, ccm_auth_seen *seen);
/* Counts a plain exchange that was answered. */
void ccm_plain_sum_add(ccm_plain_sum *s, const ccm_auth_plain *p);
void ccm_plain_sum_join(ccm_plain_sum *to, const ccm_plain_sum *add);
/* The same as verdicts; `*seen` is its evidence. */
ccm_auth_sum ccm_auth_sum_of_plain(const ccm_plain_sum *s, ccm_auth_seen *seen);
void ccm_auth_sum_to_edge(ccm_model *m, uint32_t edge, const ccm_auth_sum *add);

/* krb.c */
/* What a kerberos observation tells, as up to two entries, their texts in `texts`; returns how
 * many.
 */
unsigned ccm_krb_of(ccm_texts *texts, const ccm_obs *obs, ccm_krb *out);
void ccm_krb_observe(ccm_model *m, const ccm_obs *obs);
/* A connection to a key distribution centre, and it came to nothing. */
void ccm_krb_call(ccm_model *m, const ccm_addr *client, uint64_t frame, uint64_t first_ns,
                  uint64_t last_ns);
void ccm_krb_add(ccm_model *m, const ccm_krb *add);

/* messages.c: what an exchange tells of clients and messages. */
/* `f`: the flow, as the model's other tables left it after the same observation. */
void ccm_messages_collect(ccm_model *m, const ccm_model_flow *f, ccm_open_exchange *x,
                          const ccm_obs *obs);
void ccm_messages_done(ccm_model *m, const ccm_open_exchange *x, const ccm_obs *obs,
                       const ccm_auth_verdicts *verdicts);
void ccm_signature_add(ccm_model *m, const ccm_signature_seen *add);
void ccm_client_skew(ccm_client *c, int64_t low_s, int64_t high_s);
void ccm_messages_merge(ccm_model *to, const ccm_model *from);
/* What an endpoint is for, where a message's body was not read. */
const char *ccm_message_words(ccm_span endpoint);
/* Does this ccm_body assign a client id? A registration that is reset or refused gives nobody one,
 * although its answer may hold it: ccm-protocol.md 4.6. */
bool ccm_registration_names(const ccm_obs *body);
/* Are two message ids the same, case and braces apart? */
bool ccm_message_id_same(const char *a, const char *b);
/* Seconds since 1970 of "2025-03-04T05:06:07Z"; false when it is anything else. */
bool ccm_parse_time(ccm_span text, int64_t *seconds);

#endif
