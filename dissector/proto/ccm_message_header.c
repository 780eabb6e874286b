/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccm_message_header.c - the elements and attributes of a <Msg> header that no verdict needs:
 * priority, hooks, properties, attachments, and what a management point adds to its reply. In: its
 * XML as UTF-8, perhaps cut. Out: a ccm_message_header observation. State: none beyond the call.
 * Read at full depth only, so it is a pass of its own behind that of ccm_envelope.c.
 * Spec: ccm-protocol.md 4.2 (elements), 4.3 (hooks). */
#include "proto/ccm_message_header.h"
#include "proto/redact.h"

enum { LIST_TEXT = 512, VALUE_TEXT = 256, NAME_TEXT = 128, WORD_TEXT = 64 };

/* Items with a comma between, each whole; those without room become one "...". */
typedef struct list {
    unsigned n;
    bool more;
    char text[LIST_TEXT];
} list;

typedef struct header {
    ccm_obs o;
    ccm_key text; /* what the next text is; CCM_KEYS = of no interest */
    bool in_hooks, in_auth, in_capabilities;
    list source_type, hooks, properties, body, attachments;
    ccm_xml_room room;
} header;

/* ---- values ---------------------------------------------------------------------------------- */

/* A value whole or not at all: redaction does not know half a signature for what it is. */
static ccm_span whole(ccm_span value, size_t most)
{
    return value.n <= most ? value : ccm_span_str("...");
}

/* Of elements that come twice the first counts, as in ccm_envelope.c. */
static void put(header *h, ccm_key key, ccm_span value)
{
    if (ccm_obs_has(&h->o, key))
        return;
    uint64_t number = ccm_key_type(key) == CCM_TYPE_U64 ? ccm_span_number(value) : 0;
    if (ccm_key_type(key) == CCM_TYPE_STR)
        ccm_obs_str(&h->o, key, whole(value, VALUE_TEXT));
    else if (ccm_key_type(key) == CCM_TYPE_BOOL)
        ccm_obs_flag(&h->o, key, value.n > 0);
    else if (number != UINT64_MAX)
        ccm_obs_u64(&h->o, key, number);
}

static void G_GNUC_PRINTF(2, 3) add(list *l, const char *format, ...)
{
    char item[LIST_TEXT];
    va_list args;
    va_start(args, format);
    int n = g_vsnprintf(item, sizeof item, format, args);
    va_end(args);
    const char *comma = l->n ? ", " : "";
    enum { MARK = 5 }; /* ", ..." */
    if (l->more || !*item)
        return;
    l->more = l->n + strlen(comma) + (size_t)MAX(n, 0) + MARK >= sizeof l->text;
    l->n += (unsigned)g_snprintf(l->text + l->n, sizeof l->text - l->n, "%s%s", comma,
                                 l->more ? "..." : item);
}

/* For "%.*s": an empty span may have no memory. */
#define SHOW(s) (int)(s).n, (s).n ? (const char *)(s).p : ""

/* The name of a property may say that its value is a secret. */
static void add_property(header *h, ccm_span attrs)
{
    ccm_span name = whole(ccm_xml_plain(&h->room, ccm_xml_get(attrs, "Name")), WORD_TEXT);
    ccm_span value = whole(ccm_xml_plain(&h->room, ccm_xml_get(attrs, "Value")), WORD_TEXT);
    char item[2 * WORD_TEXT + 2];
    uint8_t clean[sizeof item];
    if (!name.n)
        return;
    (void)g_snprintf(item, sizeof item, "%.*s=%.*s", SHOW(name), SHOW(value));
    ccm_span shown = ccm_redact_url(ccm_span_str(item), clean, sizeof clean);
    add(&h->properties, "%.*s", SHOW(shown));
}

/* Where Body or an attachment lies: "NAME: TYPE, LENGTH bytes at OFFSET", as far as it is said. */
static void add_place(header *h, list *l, ccm_span attrs)
{
    ccm_span name = whole(ccm_xml_plain(&h->room, ccm_xml_get(attrs, "Name")), NAME_TEXT);
    ccm_span type = whole(ccm_xml_plain(&h->room, ccm_xml_get(attrs, "Type")), WORD_TEXT);
    uint64_t length = ccm_span_number(ccm_xml_get(attrs, "Length"));
    uint64_t offset = ccm_span_number(ccm_xml_get(attrs, "Offset"));
    char bytes[32] = "", at[32] = "";

    if (length != UINT64_MAX)
        (void)g_snprintf(bytes, sizeof bytes, ", %" G_GUINT64_FORMAT " bytes", length);
    if (offset != UINT64_MAX)
        (void)g_snprintf(at, sizeof at, " at %" G_GUINT64_FORMAT, offset);
    add(l, "%.*s%s%.*s%s%s", SHOW(name), name.n ? ": " : "",
        SHOW(type.n ? type : ccm_span_str("no type")), bytes, at);
}

/* ---- elements -------------------------------------------------------------------------------- */

static ccm_key child(ccm_span name)
{
    return ccm_span_is(name, "Priority")     ? CCM_KEY_priority
           : ccm_span_is(name, "Protocol")   ? CCM_KEY_protocol
           : ccm_span_is(name, "Timeout")    ? CCM_KEY_timeout
           : ccm_span_is(name, "ReqVersion") ? CCM_KEY_request_version
                                             : CCM_KEYS;
}

/* Property of the clientauth hook. */
static ccm_key property(ccm_span name)
{
    return ccm_span_same(name, "PublicKey")             ? CCM_KEY_public_key
           : ccm_span_same(name, "ClientCapabilities")  ? CCM_KEY_client_capabilities
           : ccm_span_same(name, "ClientCapability")    ? CCM_KEY_client_capabilities
           : ccm_span_same(name, "MPSiteCode")          ? CCM_KEY_site_code
           : ccm_span_same(name, "CMMessageSourceInfo") ? CCM_KEY_message_source
                                                        : CCM_KEYS;
}

static void open_child(header *h, const ccm_xml *x)
{
    if (ccm_span_is(x->name, "Body")) {
        add_place(h, &h->body, x->attrs);
    } else if (ccm_span_is(x->name, "Attachment")) {
        add_place(h, &h->attachments, x->attrs);
    } else if (ccm_span_is(x->name, "Property")) {
        add_property(h, x->attrs);
    } else if (ccm_span_is(x->name, "SourceType")) {
        ccm_span type = whole(ccm_xml_plain(&h->room, ccm_xml_get(x->attrs, "Type")), WORD_TEXT);
        add(&h->source_type, "%.*s", SHOW(type));
        h->text = CCM_KEY_source_type;
    } else {
        h->in_hooks = ccm_span_is(x->name, "Hooks");
        h->in_capabilities = ccm_span_is(x->name, "ReplyCapabilities");
        h->text = child(x->name);
    }
}

static void open_element(header *h, const ccm_xml *x)
{
    h->text = CCM_KEYS;
    if (x->depth == 2) {
        open_child(h, x);
    } else if (x->depth == 3 && h->in_hooks) {
        ccm_span name = ccm_xml_plain(&h->room, ccm_xml_get(x->attrs, "Name"));
        h->in_auth = ccm_span_same(name, "clientauth");
        name = whole(name, WORD_TEXT);
        add(&h->hooks, "%.*s", SHOW(name));
    } else if (x->depth == 3 && h->in_capabilities) {
        if (ccm_span_is(x->name, "AllowRegistrationReset"))
            h->text = CCM_KEY_registration_reset;
    } else if (x->depth == 4 && h->in_auth && ccm_span_is(x->name, "Property")) {
        h->text = property(ccm_xml_get(x->attrs, "Name"));
    }
}

static void take_text(header *h, const ccm_xml *x)
{
    ccm_span text = x->raw ? x->text : ccm_xml_plain(&h->room, x->text);
    if (h->text == CCM_KEY_source_type) {
        text = whole(text, WORD_TEXT);
        add(&h->source_type, "%.*s", SHOW(text));
    } else if (h->text != CCM_KEYS) {
        put(h, h->text, text);
    }
    h->text = CCM_KEYS;
}

static void close_element(header *h, const ccm_xml *x)
{
    h->text = CCM_KEYS;
    h->in_hooks &= x->depth > 2;
    h->in_capabilities &= x->depth > 2;
    h->in_auth &= x->depth > 3;
}

/* ---- the header ------------------------------------------------------------------------------ */

static void put_list(header *h, ccm_key key, const list *l)
{
    ccm_obs_str(&h->o, key, ccm_span_of(l->text, l->n));
}

void ccm_message_header_emit(const ccm_place *at, bool reply, ccm_span id, ccm_span text)
{
    header h;
    memset(&h, 0, offsetof(header, room.scratch));
    h.text = CCM_KEYS;
    ccm_place_obs(at, &h.o, CCM_OBS_ccm_message_header);
    ccm_obs_flag(&h.o, CCM_KEY_reply, reply);
    put(&h, CCM_KEY_message_id, id);
    unsigned nothing = h.o.n;
    ccm_xml x = ccm_xml_of(text);
    ccm_xml_event event = ccm_xml_next(&x); /* Msg */
    put(&h, CCM_KEY_schema_version, ccm_xml_plain(&h.room, ccm_xml_get(x.attrs, "SchemaVersion")));
    put(&h, CCM_KEY_reply_compression,
        ccm_xml_plain(&h.room, ccm_xml_get(x.attrs, "ReplyCompression")));
    while (event != CCM_XML_END && (event = ccm_xml_next(&x)) != CCM_XML_END) {
        if (event == CCM_XML_OPEN)
            open_element(&h, &x);
        else if (event == CCM_XML_TEXT)
            take_text(&h, &x);
        else if (x.depth <= 1)
            break;
        else
            close_element(&h, &x);
    }
    put_list(&h, CCM_KEY_source_type, &h.source_type);
    put_list(&h, CCM_KEY_hooks, &h.hooks);
    put_list(&h, CCM_KEY_properties, &h.properties);
    put_list(&h, CCM_KEY_body_place, &h.body);
    put_list(&h, CCM_KEY_attachment_list, &h.attachments);
    if (h.o.n > nothing)
        at->ps->emit(at->ps->emit_data, &h.o);
}
