/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccm_signature.c - signatures of headers, messages and registrations.
 * In: what was signed, as it was transmitted, and by whom. Out: a claim for the service that checks
 * signatures, and its verdict as an observation; never a byte of a signature or a key. State: none.
 * Spec: signed client headers, hooks, registration message. */
#include "proto/ccm_signature.h"

enum { ID_MAX = 64 };

static const char *const field_names[] = {
    [CCM_SIGNED_CLIENT_ID] = "client-id",
    [CCM_SIGNED_TIMESTAMP] = "timestamp",
    [CCM_SIGNED_CLIENT_TOKEN] = "client-token",
    [CCM_SIGNED_MESSAGE_CLIENT_ID] = "message-client-id",
    [CCM_SIGNED_PAYLOAD] = "payload",
    [CCM_SIGNED_REGISTRATION] = "registration",
};

void ccm_place_obs(const ccm_place *at, ccm_obs *o, ccm_obs_kind kind)
{
    ccm_obs_at(at->ps, o, kind, at->from);
    o->time_ns = at->time_ns;
    o->frame = at->frame;
    ccm_obs_u64(o, CCM_KEY_exchange, at->exchange);
}

/* Without what was signed there is nothing to check: the signature is told, the verdict open. */
static void claim(const ccm_place *at, ccm_signature_claim *c)
{
    const ccm_parse *ps = at->ps;
    ccm_signature_verdict v = { 0 };
    c->flow = ps->flow;
    c->exchange = at->exchange;
    if (ps->verifier && ps->verifier->check && (c->text.n || c->bytes.n))
        ps->verifier->check(ps->verifier->user_data, c, &v);
    ccm_obs o;
    ccm_place_obs(at, &o, CCM_OBS_signature);
    ccm_obs_str(&o, CCM_KEY_field, ccm_span_str(field_names[c->field]));
    ccm_obs_str(&o, CCM_KEY_client_id, c->client_id);
    ccm_obs_str(&o, CCM_KEY_result, ccm_span_str(v.result ? v.result : "unverifiable"));
    if (v.variant)
        ccm_obs_str(&o, CCM_KEY_variant, ccm_span_str(v.variant));
    ccm_obs_str(&o, CCM_KEY_algorithm, c->hash_oid);
    if (v.key_source)
        ccm_obs_str(&o, CCM_KEY_key_source, ccm_span_str(v.key_source));
    if (v.signature_hash)
        ccm_obs_u64(&o, CCM_KEY_signature_hash, v.signature_hash & INT64_MAX);
    ps->emit(ps->emit_data, &o);
}

/* "GUID:<upper>;time;2": the id in front. Another form may be a secret: no id. */
static ccm_span token_id(ccm_span token)
{
    const uint8_t *semi = token.n ? memchr(token.p, ';', token.n) : NULL;
    size_t n = semi ? (size_t)(semi - token.p) : 0;
    return ccm_span_of(token.p, n <= ID_MAX ? n : 0);
}

void ccm_header_signatures_emit(const ccm_parse *ps, unsigned from, uint64_t exchange,
                                uint64_t time_ns, uint64_t frame, const ccm_header_signatures *h)
{
    ccm_place at = { ps, from, exchange, time_ns, frame };
    ccm_span id = h->client_id.n ? h->client_id : token_id(h->client_token);
    const struct {
        ccm_signed_field field;
        ccm_span text, signature;
    } rows[] = {
        { CCM_SIGNED_CLIENT_ID, h->client_id, h->client_id_signature },
        { CCM_SIGNED_TIMESTAMP, h->timestamp, h->timestamp_signature },
        { CCM_SIGNED_CLIENT_TOKEN, h->client_token, h->client_token_signature },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (!rows[i].signature.n)
            continue;
        ccm_signature_claim c = { .field = rows[i].field,
                                  .client_id = id,
                                  .text = rows[i].text,
                                  .signature = rows[i].signature };
        claim(&at, &c);
    }
}

void ccm_signature_message(const ccm_place *at, const ccm_envelope *e, ccm_span payload)
{
    ccm_signature_claim base = { .client_id = e->source_id,
                                 .hash_oid = e->algorithm,
                                 .public_key = e->public_key };
    uint8_t upper[ID_MAX];
    if (e->id_signature.n) {
        ccm_signature_claim c = base;
        c.field = CCM_SIGNED_MESSAGE_CLIENT_ID;
        c.signature = e->id_signature;
        if (e->source_id.n <= sizeof upper) { /* signed with capital letters */
            for (size_t i = 0; i < e->source_id.n; i++)
                upper[i] = (uint8_t)g_ascii_toupper((char)e->source_id.p[i]);
            c.text = ccm_span_of(upper, e->source_id.n);
        }
        claim(at, &c);
    }
    if (e->payload_signature.n) {
        ccm_signature_claim c = base;
        c.field = CCM_SIGNED_PAYLOAD;
        c.signature = e->payload_signature;
        c.bytes = payload;
        claim(at, &c);
    }
    ccm_span signature = ccm_envelope_line(e->token, "clienttokensignature");
    if (signature.n) {
        ccm_signature_claim c = base;
        c.field = CCM_SIGNED_CLIENT_TOKEN;
        c.signature = signature;
        c.text = ccm_envelope_line(e->token, "clienttoken");
        if (token_id(c.text).n)
            c.client_id = token_id(c.text); /* of the media, where SourceID is another's */
        claim(at, &c);
    }
}

void ccm_signature_registration(const ccm_place *at, const ccm_envelope *e, const ccm_body *b,
                                ccm_span utf16le)
{
    if (!b->signature.n)
        return;
    ccm_signature_claim c = { .field = CCM_SIGNED_REGISTRATION,
                              .client_id = b->client_id,
                              .signature = b->signature,
                              .hash_oid = b->hash_oid,
                              .certificate = b->certificate };
    if (!c.client_id.n && e)
        c.client_id = e->source_id;
    c.bytes = ccm_body_signed_slice(utf16le);
    claim(at, &c);
}
