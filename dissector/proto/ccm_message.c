/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccm_message.c - says what a gathered message is.
 * In: the kept bytes of a body, in any of its forms: multipart with or without header, plain text,
 * empty. Out: ccm_message, ccm_body and signature observations; never a secret, a signature or a
 * body. State: none beyond the call. Spec: message framing, replies. */
#include "base/inflate.h"
#include "proto/ccm_collect.h"
#include "proto/ccm_message_header.h"
#include "proto/utf16.h"

enum { HEADER_TEXT = 16384, TEXT_MAX = 256, ROOT_MAX = 64, PARTS_MAX = 4, ZLIB_HEAD = 2 };

/* One message on its way to observations. */
typedef struct message {
    ccm_place at;
    bool full, reply;
    bool has_header; /* a <Msg> header was found */
    bool header_incomplete;
    bool has_payload, payload_whole;
    bool zlib;
    ccm_span payload; /* part 2 as transmitted */
    ccm_span endpoint;
    ccm_span header; /* its text */
    ccm_envelope e;
} message;

static void put(ccm_obs *o, ccm_key key, ccm_span s)
{
    ccm_obs_str(o, key, ccm_span_of(s.p, s.n < TEXT_MAX ? s.n : TEXT_MAX));
}

static void emit(const message *m, const ccm_obs *o)
{
    m->at.ps->emit(m->at.ps->emit_data, o);
}

static ccm_span rest_of(ccm_span s, size_t n)
{
    return n ? ccm_span_of(s.p + n, s.n - n) : s;
}

/* ---- ccm_message ----------------------------------------------------------------------------- */

/* The endpoint named by the address, when TargetEndpoint is missing: "mp:[http]MP_X". */
static ccm_span endpoint_of(const ccm_envelope *e)
{
    ccm_span s = e->endpoint.n ? e->endpoint : e->target_address;
    for (const uint8_t *colon; s.n && (colon = memchr(s.p, ':', s.n)) != NULL;)
        s = rest_of(s, (size_t)(colon - s.p) + 1);
    const uint8_t *bracket = s.n && s.p[0] == '[' ? memchr(s.p, ']', s.n) : NULL;
    return bracket ? rest_of(s, (size_t)(bracket - s.p) + 1) : s;
}

/* An id that says "none": empty or all zero. */
static bool all_zero(ccm_span id)
{
    for (size_t i = 0; i < id.n; i++)
        if (id.p[i] != '0' && id.p[i] != '-' && id.p[i] != '{' && id.p[i] != '}')
            return false;
    return true;
}

/* Signatures follow the hook's name, and the key before them is long: where the header is cut
 * behind the name, the hook tells. */
static bool is_signed(const message *m)
{
    const ccm_envelope *e = &m->e;
    return e->client_auth && (e->id_signature.n || e->payload_signature.n || e->cut ||
                              (m->reply && e->reply_signature.n) ||
                              ccm_envelope_line(e->token, "clienttokensignature").n);
}

static void emit_message(const message *m)
{
    const ccm_envelope *e = &m->e;
    ccm_obs o;
    ccm_place_obs(&m->at, &o, CCM_OBS_ccm_message);
    ccm_obs_flag(&o, CCM_KEY_reply, m->reply);
    if (m->has_header) {
        put(&o, CCM_KEY_message_id, e->id);
        if (m->full && !all_zero(e->correlation_id))
            put(&o, CCM_KEY_correlation_id, e->correlation_id);
        put(&o, CCM_KEY_source_id, e->source_id);
        put(&o, CCM_KEY_source_host, e->source_host);
        put(&o, CCM_KEY_sender_machine, e->sender_machine);
        put(&o, CCM_KEY_endpoint, m->endpoint);
        if (m->full) {
            put(&o, CCM_KEY_target_address, e->target_address);
            put(&o, CCM_KEY_target_host, e->target_host);
            put(&o, CCM_KEY_reply_to, e->reply_to);
            put(&o, CCM_KEY_reply_mode, e->reply_mode);
            put(&o, CCM_KEY_payload_type, e->payload_type);
        }
        put(&o, CCM_KEY_sent_time, e->sent_time);
        ccm_obs_flag(&o, CCM_KEY_signed, is_signed(m));
        put(&o, CCM_KEY_algorithm, e->algorithm);
    }
    if (m->full) {
        ccm_obs_flag(&o, CCM_KEY_compressed, m->zlib || (e->zlib && m->payload.n < ZLIB_HEAD));
        ccm_obs_flag(&o, CCM_KEY_encrypted, e->encrypted);
        if (e->attachments)
            ccm_obs_u64(&o, CCM_KEY_attachments, e->attachments);
    }
    ccm_obs_flag(&o, CCM_KEY_incomplete, m->header_incomplete);
    emit(m, &o);
}

/* ---- ccm_body -------------------------------------------------------------------------------- */

static void begin_body(const message *m, ccm_obs *o)
{
    ccm_place_obs(&m->at, o, CCM_OBS_ccm_body);
    ccm_obs_flag(o, CCM_KEY_reply, m->reply);
    put(o, CCM_KEY_message_id, m->e.id);
    put(o, CCM_KEY_endpoint, m->endpoint);
}

static void emit_words(const message *m, const char *words)
{
    ccm_obs o;
    begin_body(m, &o);
    ccm_obs_str(&o, CCM_KEY_kind, ccm_span_str(words));
    emit(m, &o);
}

static ccm_span unescaped(ccm_span s, uint8_t *buf)
{
    return ccm_span_of(buf, ccm_xml_unescape(s, buf, TEXT_MAX));
}

static void emit_body(const message *m, const ccm_body *b, uint64_t bytes, bool incomplete)
{
    uint8_t id[TEXT_MAX], smsid[TEXT_MAX], name[TEXT_MAX], host[TEXT_MAX];
    ccm_obs o;
    begin_body(m, &o);
    if (m->has_payload)
        ccm_obs_u64(&o, CCM_KEY_body_bytes, bytes);
    ccm_obs_str(&o, CCM_KEY_root, b->root.n <= ROOT_MAX ? b->root : ccm_span_str("..."));
    ccm_obs_str(&o, CCM_KEY_kind, ccm_span_of(b->kind, b->n_kind));
    ccm_obs_str(&o, CCM_KEY_detail, ccm_span_of(b->detail, b->n_detail));
    ccm_obs_str(&o, CCM_KEY_client_id, unescaped(b->client_id, id));
    ccm_obs_str(&o, CCM_KEY_smsid, unescaped(b->smsid, smsid));
    if (b->approval != UINT64_MAX)
        ccm_obs_u64(&o, CCM_KEY_approval, b->approval);
    if (b->registration_status != UINT64_MAX)
        ccm_obs_u64(&o, CCM_KEY_registration_status, b->registration_status);
    ccm_obs_str(&o, CCM_KEY_name, unescaped(b->name, name));
    ccm_obs_str(&o, CCM_KEY_host, unescaped(b->host, host));
    ccm_obs_flag(&o, CCM_KEY_incomplete, incomplete);
    emit(m, &o);
}

static bool looks_zlib(ccm_span s)
{
    return s.n >= ZLIB_HEAD && (s.p[0] & 0x0f) == 8 && s.p[0] >> 4 <= 7 &&
           (s.p[0] << 8 | s.p[1]) % 31 == 0;
}

static void take_decoded(void *user_data, ccm_span decoded)
{
    g_byte_array_append(user_data, decoded.p, (guint)decoded.n);
}

/* The body before its decoding to UTF-8. With attachments it stands behind them, at Body@Offset:
 * of what part 2 is, or decompressed is. Body@Length is not trusted otherwise. `*keep` owns the
 * result, when it is not NULL; *whole = nothing is missing. */
static ccm_span raw_body(message *m, GByteArray **keep, bool *whole)
{
    const ccm_envelope *e = &m->e;
    ccm_span raw = m->payload;
    bool attached = m->has_header && e->attachments;
    uint64_t offset = ccm_span_number(ccm_xml_get(e->body, "Offset"));
    uint64_t length = ccm_span_number(ccm_xml_get(e->body, "Length"));
    bool shift = attached && offset != UINT64_MAX;
    *whole = m->payload_whole;
    m->zlib = looks_zlib(raw);
    if (shift && !m->zlib && offset <= raw.n) {
        raw = rest_of(raw, (size_t)offset);
        shift = false;
        m->zlib = looks_zlib(raw);
    }
    if (m->zlib) {
        ccm_inflate *z = ccm_inflate_new(m->at.ps->limits->inflate_bytes);
        *keep = g_byte_array_new();
        *whole &= ccm_inflate_feed(z, raw, take_decoded, *keep) == CCM_INFLATE_END;
        ccm_inflate_free(z);
        raw = ccm_span_of((*keep)->data, (*keep)->len);
    }
    if (shift && offset <= raw.n)
        raw = rest_of(raw, (size_t)offset);
    if (attached && length < raw.n)
        raw.n = (size_t)length;
    return raw;
}

/* Does the body have a text at all? */
static bool looks_xml(ccm_span text)
{
    size_t i = 0;
    while (i < text.n && (text.p[i] == ' ' || text.p[i] == '\r' || text.p[i] == '\n' ||
                          text.p[i] == '\t' || !text.p[i]))
        i++;
    return i < text.n && text.p[i] == '<';
}

static bool is_no_reply(ccm_span raw)
{
    uint8_t buf[32];
    raw.n = raw.n < sizeof buf ? raw.n : sizeof buf;
    ccm_span text = ccm_text_utf8(raw, buf, sizeof buf);
    while (text.n && text.p[text.n - 1] <= ' ')
        text.n--;
    return ccm_span_same(text, "NoReply");
}

static void body_signatures(const message *m, const ccm_body *b, ccm_span raw)
{
    const ccm_verifier *v = m->at.ps->verifier;
    size_t mark;
    ccm_span utf16le = { 0 };
    if (ccm_text_form_of(raw, &mark) == CCM_TEXT_UTF16LE)
        utf16le = rest_of(raw, mark);
    if (b->known && b->known->class == CCM_ROOT_REGISTRATION)
        ccm_signature_registration(&m->at, m->has_header ? &m->e : NULL, b, utf16le);
    /* 0 registered, 1 pending; the others (reset, rejected, certificate reset) take no key. */
    bool refused = b->registration_status != UINT64_MAX && b->registration_status > 1;
    if (m->reply && b->smsid.n && !refused && v && v->learn)
        v->learn(v->user_data, m->at.ps->flow, m->at.exchange, b->smsid);
}

static const char *why_unread(const message *m, ccm_span raw, ccm_span text)
{
    if (m->e.encrypted)
        return "encrypted";
    if (m->e.cut && !m->has_payload)
        return "header cut short";
    /* One of type localcache, http or file travels elsewhere. */
    bool here = !m->e.payload_type.n || ccm_span_same(m->e.payload_type, "inline");
    if (!raw.n)
        return m->payload_whole || !here ? "no body" : "body cut short";
    if (m->e.legacy_compress && !m->zlib && !looks_xml(text))
        return "compressed";
    return m->payload_whole ? "unreadable" : "body cut short";
}

/* Full depth: everything behind the header. Without a header only a known root makes it a
 * message; other traffic is multipart too. */
static void finish_full(message *m)
{
    GByteArray *keep = NULL;
    bool whole = false;
    ccm_span raw = raw_body(m, &keep, &whole);
    size_t room = raw.n + raw.n / 2 + 4;
    uint8_t *utf8 = g_malloc(room);
    ccm_span text = ccm_text_utf8(raw, utf8, room);
    ccm_body b;
    bool read = !m->e.encrypted && looks_xml(text) && ccm_body_parse(&b, text, m->endpoint);
    bool no_reply = m->reply && is_no_reply(raw);
    if (m->has_header || no_reply || (read && b.known)) {
        emit_message(m);
        if (m->has_header)
            ccm_message_header_emit(&m->at, m->reply, m->e.id, m->header);
        if (no_reply) {
            emit_words(m, "accepted, answer comes later");
        } else {
            if (!read)
                ccm_body_unread(&b, m->endpoint, why_unread(m, raw, text));
            emit_body(m, &b, raw.n, !whole || (read && b.cut));
        }
        const ccm_viewer *viewer = m->at.ps->viewer;
        if (viewer)
            viewer->message(viewer->user_data, m->header, looks_xml(text) ? text : (ccm_span){ 0 });
        if (m->has_header)
            ccm_signature_message(&m->at, &m->e, m->payload_whole ? m->payload : (ccm_span){ 0 });
        if (read)
            body_signatures(m, &b, raw);
    }
    g_free(utf8);
    if (keep)
        g_byte_array_unref(keep);
}

/* ---- parts ----------------------------------------------------------------------------------- */

/* Is this part the header? Its text stays in `buf` as long as m->e is used. */
static bool take_header(message *m, const ccm_part *part, uint8_t *buf)
{
    /* Without a '<', in whatever encoding, it is no XML: not worth a conversion. */
    if (looks_zlib(part->content) || !part->content.n ||
        !memchr(part->content.p, '<', part->content.n))
        return false;
    ccm_span text = ccm_text_utf8(part->content, buf, HEADER_TEXT);
    if (!ccm_envelope_parse(&m->e, text))
        return false;
    m->has_header = true;
    m->header = text;
    m->header_incomplete = m->e.cut;
    m->endpoint = endpoint_of(&m->e);
    return true;
}

static void take_payload(message *m, const ccm_part *part, bool body_whole)
{
    m->payload = part->content;
    m->has_payload = true;
    m->payload_whole = part->complete || body_whole;
}

/* A part in which bytes are missing ends there: nobody knows whose the bytes behind them are. Its
 * range is from `*from` to the next delimiter, with the line end before that; the next part's
 * begins behind. */
static void end_at_hole(const ccm_collect *c, size_t *from, ccm_part *part)
{
    enum { LINE_END = 2 };
    size_t content = (size_t)(part->content.p - c->p), end = content + part->content.n;
    bool cut = c->holed && c->hole > *from && c->hole <= end + LINE_END;
    *from = cut ? c->hole : end;
    if (!cut)
        return;
    part->complete = false;
    part->content.n = c->hole > content ? MIN(c->hole, end) - content : 0;
}

/* Finds header and body among the parts, or takes the whole for the body. */
static void take_parts(message *m, const ccm_collect *c, bool body_whole, uint8_t *buf)
{
    ccm_span body = ccm_span_of(c->p, c->n);
    ccm_span boundary = ccm_span_of(c->boundary, c->n_boundary);
    if (!boundary.n)
        boundary = ccm_multipart_guess(body);
    ccm_multipart parts = { .body = body, .boundary = boundary };
    parts.at = c->delimiters ? c->delimiter[0] : 0;
    parts.known = c->delimiters > 1 ? c->delimiter[1] : 0;
    parts.found = ccm_multipart_seek(body, boundary, &parts.at) != SIZE_MAX;
    if (!parts.found) { /* not what its head named */
        boundary = ccm_multipart_guess(body);
        parts = (ccm_multipart){ .body = body, .boundary = boundary };
    }
    ccm_part part = { .content = body, .complete = body_whole };
    size_t from = parts.at;
    if (!boundary.n) {
        end_at_hole(c, &from, &part);
        if (m->full)
            take_payload(m, &part, body_whole);
        return;
    }
    for (unsigned i = 0; i < PARTS_MAX && ccm_multipart_next(&parts, &part); i++) {
        end_at_hole(c, &from, &part);
        if (!m->has_header && take_header(m, &part, buf)) {
            m->header_incomplete |= !part.complete && !body_whole;
            if (!m->full)
                return;
        } else if (!i && c->holed && !part.complete && !m->has_header) {
            m->header_incomplete = true; /* cut inside its first tag */
        } else if (m->full && !m->has_payload) {
            take_payload(m, &part, body_whole);
        }
    }
}

static void limit_hit(const message *m)
{
    ccm_obs o;
    ccm_obs_at(m->at.ps, &o, CCM_OBS_limit, m->at.from);
    o.time_ns = m->at.time_ns;
    o.frame = m->at.frame;
    ccm_obs_str(&o, CCM_KEY_limit, ccm_span_str("message_bytes"));
    ccm_obs_u64(&o, CCM_KEY_count, 1);
    emit(m, &o);
}

/* An answer without a byte: 200 and nothing else is how a management point rejects. */
static void empty_reply(const message *m, const ccm_collect_body *body)
{
    if (body->status != 200 || !body->complete)
        return;
    emit_message(m);
    emit_words(m, "rejected without reason (empty answer)");
}

/* A message about which only its place is known. */
static void begin_message(message *m, const ccm_place *at, bool reply)
{
    ccm_clear(m, offsetof(message, e.room.scratch));
    m->at = *at;
    m->reply = reply;
}

void ccm_message_reply_emit(const ccm_parse *ps, unsigned from, uint64_t exchange, uint64_t time_ns,
                            uint64_t frame, const ccm_collect_body *body)
{
    message m;
    if (body->bytes)
        return;
    begin_message(&m, &(ccm_place){ ps, from, exchange, time_ns, frame }, true);
    empty_reply(&m, body);
}

void ccm_collect_end(ccm_collect *c, const ccm_parse *ps, unsigned from, uint64_t exchange,
                     uint64_t time_ns, uint64_t frame, const ccm_collect_body *body)
{
    if (!c)
        return;
    uint8_t text[HEADER_TEXT];
    message m;
    begin_message(&m, &(ccm_place){ ps, from, exchange, time_ns, frame }, c->reply);
    m.full = c->depth == CCM_DEPTH_FULL;
    bool whole = body->complete && !c->lost && !c->limited;
    m.payload_whole = whole;
    if (c->reply && !body->bytes) {
        empty_reply(&m, body);
    } else if (c->n) {
        take_parts(&m, c, whole, text);
        m.header_incomplete |= c->lost && !m.has_header;
        if (m.full)
            finish_full(&m);
        else if (m.has_header)
            emit_message(&m);
        if (c->limited)
            limit_hit(&m);
    }
    ccm_collect_free(c);
}
