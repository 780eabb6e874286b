/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccm_envelope.c - the <Msg> header of a Configuration Manager message.
 * In: its XML as UTF-8, perhaps cut. Out: addresses, identity, hooks, where the body lies.
 * State: none. Runs for every message also when only a verdict is wanted, so one pass without
 * copies. Spec: message envelope, elements and hooks. */
#include "proto/ccm_envelope.h"

#include <stddef.h>

#include "base/base.h"

/* What the element being read is for. */
typedef struct reader {
    ccm_envelope *e;
    ccm_span *target; /* where the text goes */
    bool in_hooks, in_auth;
} reader;

/* Child of Msg whose text is wanted. */
static ccm_span *child(ccm_envelope *e, ccm_span name)
{
    return ccm_span_is(name, "ID")               ? &e->id
           : ccm_span_is(name, "CorrelationID")  ? &e->correlation_id
           : ccm_span_is(name, "SourceID")       ? &e->source_id
           : ccm_span_is(name, "SourceHost")     ? &e->source_host
           : ccm_span_is(name, "TargetEndpoint") ? &e->endpoint
           : ccm_span_is(name, "TargetAddress")  ? &e->target_address
           : ccm_span_is(name, "TargetHost")     ? &e->target_host
           : ccm_span_is(name, "ReplyTo")        ? &e->reply_to
           : ccm_span_is(name, "ReplyMode")      ? &e->reply_mode
           : ccm_span_is(name, "SentTime")       ? &e->sent_time
                                                 : NULL;
}

/* Property of the clientauth hook whose text is wanted. */
static ccm_span *property(ccm_envelope *e, ccm_span name)
{
    return ccm_span_same(name, "AuthSenderMachine")   ? &e->sender_machine
           : ccm_span_same(name, "PublicKey")         ? &e->public_key
           : ccm_span_same(name, "ClientIDSignature") ? &e->id_signature
           : ccm_span_same(name, "PayloadSignature")  ? &e->payload_signature
           : ccm_span_same(name, "HashAlgorithm")     ? &e->algorithm
           : ccm_span_same(name, "Token")             ? &e->token
           : ccm_span_same(name, "Signature")         ? &e->reply_signature
                                                      : NULL;
}

static void open_child(reader *r, const ccm_xml *x)
{
    ccm_envelope *e = r->e;
    if (ccm_span_is(x->name, "Body")) {
        e->body = x->attrs; /* read when it matters, which is at full depth only */
    } else if (ccm_span_is(x->name, "Payload")) {
        e->payload_type = ccm_xml_plain(&e->room, ccm_xml_get(x->attrs, "Type"));
    } else if (ccm_span_is(x->name, "Attachment")) {
        e->attachments++;
    } else if (ccm_span_is(x->name, "Hooks")) {
        r->in_hooks = true;
    } else {
        r->target = child(e, x->name);
    }
}

static void open_hook(reader *r, const ccm_xml *x)
{
    ccm_envelope *e = r->e;
    ccm_span name = ccm_xml_get(x->attrs, "Name");
    r->in_auth = ccm_span_same(name, "clientauth");
    e->client_auth |= r->in_auth;
    e->encrypted |= ccm_span_same(name, "encrypt");
    e->zlib |= ccm_span_same(name, "zlib-compress");
    e->legacy_compress |= ccm_span_same(name, "compress");
}

static void open_element(reader *r, const ccm_xml *x)
{
    r->target = NULL;
    if (x->depth == 2)
        open_child(r, x);
    else if (x->depth == 3 && r->in_hooks)
        open_hook(r, x);
    else if (x->depth == 4 && r->in_auth && ccm_span_is(x->name, "Property"))
        r->target = property(r->e, ccm_xml_get(x->attrs, "Name"));
}

/* Is the first tag, which a comment may precede, surely another one? Tells most parts that are no
 * header, binary ones too, from the few that are. */
static bool other_root(ccm_span text)
{
    const uint8_t *tag = text.n ? memchr(text.p, '<', text.n) : NULL;
    if (!tag)
        return true;
    size_t left = text.n - (size_t)(tag - text.p);
    return left >= 4 && tag[1] != '!' && tag[1] != '?' && memcmp(tag + 1, "Msg", 3) != 0;
}

bool ccm_envelope_parse(ccm_envelope *e, ccm_span text)
{
    ccm_clear(e, offsetof(ccm_envelope, room.scratch));
    if (other_root(text))
        return false;
    ccm_xml x = ccm_xml_of(text);
    ccm_xml_event event = ccm_xml_next(&x);
    if (event != CCM_XML_OPEN || !ccm_span_is(x.name, "Msg"))
        return false;
    reader r = { .e = e };
    while ((event = ccm_xml_next(&x)) != CCM_XML_END) {
        bool leaf = false;
        if (event == CCM_XML_OPEN) {
            open_element(&r, &x);
            leaf = ccm_xml_leaf(&x);
        }
        if ((leaf || event == CCM_XML_TEXT) && r.target && !r.target->n)
            *r.target = x.raw ? x.text : ccm_xml_plain(&e->room, x.text);
        if (leaf || event == CCM_XML_CLOSE) {
            r.target = NULL;
            if (x.depth <= 1)
                break;
            r.in_hooks &= x.depth > 2;
            r.in_auth &= x.depth > 3;
        }
    }
    e->cut = event == CCM_XML_END;
    return true;
}

static bool space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

ccm_span ccm_envelope_line(ccm_span lines, const char *lower)
{
    size_t n = strlen(lower);
    while (lines.n) {
        const uint8_t *lf = memchr(lines.p, '\n', lines.n);
        ccm_span line = ccm_span_of(lines.p, lf ? (size_t)(lf - lines.p) : lines.n);
        size_t taken = line.n + (lf != NULL);
        lines = ccm_span_of(lines.p + taken, lines.n - taken);
        while (line.n && space(line.p[0]))
            line = ccm_span_of(line.p + 1, line.n - 1);
        const uint8_t *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
        if (!colon)
            continue;
        size_t name = (size_t)(colon - line.p);
        if (name != n || !ccm_span_same(ccm_span_of(line.p, n), lower))
            continue;
        ccm_span value = ccm_span_of(colon + 1, line.n - name - 1);
        while (value.n && space(value.p[0]))
            value = ccm_span_of(value.p + 1, value.n - 1);
        while (value.n && space(value.p[value.n - 1]))
            value.n--;
        return value;
    }
    return (ccm_span){ 0 };
}
