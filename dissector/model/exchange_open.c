/* SPDX-License-Identifier: GPL-2.0-or-later
 * exchange_open.c - the texts of an exchange, once it is given out.
 * In: an open exchange, its texts as offsets into one string. Out: pointers in its ccm_exchange.
 * State: none. */
#include "model/exchange_open.h"
#include "model/proofs.h"

static const char *text_of(const open_exchange *o, text_id t)
{
    return o->at[t] ? o->text->str + o->at[t] - 1 : NULL;
}

static void set_texts(open_exchange *o)
{
    ccm_exchange *x = &o->x;
    const struct {
        const char **to;
        text_id id;
    } map[] = {
        { &x->method, T_METHOD },
        { &x->target, T_TARGET },
        { &x->host, T_HOST },
        { &x->content_type, T_CONTENT_TYPE },
        { &x->range, T_RANGE },
        { &x->content_range, T_CONTENT_RANGE },
        { &x->user_agent, T_USER_AGENT },
        { &x->client_id, T_CLIENT_ID },
        { &x->client_time, T_CLIENT_TIME },
        { &x->signature, T_SIGNATURE },
        { &x->token_kind, T_TOKEN_KIND },
        { &x->challenge, T_CHALLENGE },
        { &x->workstation, T_WORKSTATION },
        { &x->proxy_workstation, T_PROXY_WORKSTATION },
        { &x->bits.packet, T_BITS_PACKET },
        { &x->bits.session, T_BITS_SESSION },
        { &x->bits.reply_packet, T_BITS_REPLY },
        { &x->bits.error, T_BITS_ERROR },
        { &x->bits.content_name, T_CONTENT_NAME },
        { &x->bits.host_id, T_BITS_HOST },
        { &x->server_software, T_SERVER },
        { &x->response_content_type, T_RESPONSE_TYPE },
        { &x->location, T_LOCATION },
        { &x->response_content_range, T_RESPONSE_RANGE },
        { &x->bits.context, T_BITS_CONTEXT },
        { &x->soap_action, T_SOAP_ACTION },
        { &x->about, T_ABOUT },
        { &x->message.id, T_MESSAGE_ID },
        { &x->message.endpoint, T_ENDPOINT },
        { &x->message.kind, o->at[T_MESSAGE_KIND] ? T_MESSAGE_KIND : T_ENDPOINT_WORDS },
        { &x->message.detail, T_DETAIL },
        { &x->message.source_id, T_SOURCE_ID },
        { &x->message.source_host, T_SOURCE_HOST },
        { &x->message.sent_time, T_SENT_TIME },
        { &x->message.correlation_id, T_CORRELATION_ID },
        { &x->message.reply_to, T_REPLY_TO },
        { &x->message.reply, T_REPLY_KIND },
        { &x->message.reply_detail, T_REPLY_DETAIL },
        { &x->message.assigned, T_ASSIGNED },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(map); i++)
        *map[i].to = text_of(o, map[i].id);
    x->bits.present = x->bits.packet || x->bits.context || x->bits.session ||
                      x->bits.reply_packet || x->bits.error || x->bits.content_name ||
                      x->bits.host_id || x->bits.has_received;
    x->pairing = text_of(o, T_PAIRING);
    if (!x->pairing)
        x->pairing = !x->has_request ? "response-only" : x->has_response ? "sure" : "request-only";
}

static const char *text_at(const open_exchange *o, uint32_t at)
{
    return at ? o->text->str + at - 1 : NULL;
}

static void set_tokens(open_exchange *o)
{
    for (unsigned i = 0; i < o->x.n_tokens; i++) {
        ccm_exchange_token *t = &o->x.tokens[i];
        const char **to[] = { &t->header, &t->category, &t->issuer, &t->audience,
                              &t->subject_kind };
        for (unsigned k = 0; k < G_N_ELEMENTS(to); k++)
            *to[k] = text_at(o, o->token[i][k]);
    }
}

static void set_signatures(open_exchange *o)
{
    for (unsigned i = 0; i < o->x.n_signatures; i++) {
        const uint32_t *s = o->signature[i];
        const char *field = text_at(o, s[0]), *result = text_at(o, s[1]);
        o->x.signatures[i] =
            (ccm_exchange_signature){ field ? field : "unknown", result ? result : "unverifiable",
                                      text_at(o, s[2]), text_at(o, s[3]) };
    }
}

static void set_header(open_exchange *o)
{
    const char *answered = NULL;
    for (unsigned i = 0; i < o->x.message.n_header; i++) {
        ccm_exchange_header_field *f = &o->x.message.header[i];
        f->text = text_at(o, o->header[i]);
        if (f->reply && f->key == CCM_KEY_correlation_id)
            answered = f->text;
    }
    const char *id = o->x.message.id;
    o->x.message.foreign_reply = answered && id && !ccm_message_id_same(answered, id);
}

void ccm_open_exchange_show(open_exchange *o)
{
    set_texts(o);
    set_tokens(o);
    set_signatures(o);
    set_header(o);
}
