/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccm_body.c - the XML body of a message.
 * In: its text as UTF-8, perhaps cut. Out: its kind in plain words, the fields that a const table
 * names, identities, and where a registration keeps its signature and certificate. State: none.
 * Spec: body roots, report detail, registration. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "proto/ccm_body.h"

#include <glib.h>

#include "observe/endpoints.h"
#include "proto/redact.h"

enum { VALUES_MAX = 8, VALUE_TEXT = 80, ROOT_TEXT = 64, REDACTED = 512 };

/* What was found of one row of ccm_fields_of. */
typedef struct found {
    ccm_span value[VALUES_MAX];
    unsigned n, count;
    bool more; /* there were further values */
} found;

typedef struct reader {
    ccm_body *b;
    const ccm_field *fields;
    unsigned n_fields;
    found found[CCM_FIELDS_MAX];
    ccm_span element;    /* whose text comes next */
    unsigned machine;    /* depth of the Machine element that we are in; 0 = none */
    const char *refined; /* more exact words */
    ccm_span content, action, report_type, topic;
    bool topics; /* of several types */
} reader;

/* ---- text of our own ------------------------------------------------------------------------- */

static void append(char *out, unsigned *n, unsigned room, ccm_span s)
{
    size_t take = s.n < room - *n ? s.n : room - *n;
    if (take)
        memcpy(out + *n, s.p, take);
    *n += (unsigned)take;
}

static void kind(ccm_body *b, const char *words)
{
    append(b->kind, &b->n_kind, sizeof b->kind, ccm_span_str(words));
}

static void kind_span(ccm_body *b, ccm_span s)
{
    append(b->kind, &b->n_kind, sizeof b->kind, s);
}

/* Appends a whole "label=value" or a whole value, or nothing: a number cut short would be another
 * number. */
static bool detail(ccm_body *b, const char *before, const char *label, ccm_span value)
{
    ccm_span parts[] = { ccm_span_str(b->n_detail ? before : ""), ccm_span_str(label), value };
    size_t n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        n += parts[i].n;
    if (n > sizeof b->detail - b->n_detail)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        append(b->detail, &b->n_detail, sizeof b->detail, parts[i]);
    return true;
}

/* ---- fields ---------------------------------------------------------------------------------- */

static void add_value(found *f, const ccm_field *field, ccm_span value)
{
    unsigned most = field->most < VALUES_MAX ? field->most : VALUES_MAX;
    if (!value.n)
        return;
    for (unsigned i = 0; i < f->n; i++)
        if (f->value[i].n == value.n && !memcmp(f->value[i].p, value.p, value.n))
            return;
    if (f->n < most)
        f->value[f->n++] = value;
    else
        f->more = most > 1;
}

static void fields_of_tag(reader *r, const ccm_xml *x)
{
    for (unsigned i = 0; i < r->n_fields; i++) {
        const ccm_field *field = &r->fields[i];
        if (!ccm_span_is(x->name, field->element))
            continue;
        if (field->class == CCM_FIELD_COUNT) {
            r->found[i].count++;
        } else if (field->attribute) {
            ccm_span value = ccm_xml_get(x->attrs, field->attribute);
            uint64_t number = field->class == CCM_FIELD_FLAG ? ccm_span_number(value) : UINT64_MAX;
            if (field->class != CCM_FIELD_FLAG)
                add_value(&r->found[i], field, value);
            else if (number != UINT64_MAX && number & field->most)
                r->found[i].count++;
        }
    }
}

static void fields_of_text(reader *r, ccm_span text)
{
    for (unsigned i = 0; i < r->n_fields; i++)
        if (!r->fields[i].attribute && r->fields[i].class <= CCM_FIELD_URL &&
            ccm_span_is(r->element, r->fields[i].element))
            add_value(&r->found[i], &r->fields[i], text);
}

/* A value as it is shown: without entities, query and user information, of bounded length. */
static ccm_span shown(const ccm_field *field, ccm_span value, uint8_t *buf)
{
    uint64_t number = field->n_names ? ccm_span_number(value) : UINT64_MAX;
    if (number < field->n_names && field->names[number])
        return ccm_span_str(field->names[number]);
    if (field->n_names && ccm_span_is(value, "-1"))
        return ccm_span_str("unknown");
    if (field->class == CCM_FIELD_URL) {
        const uint8_t *end = value.n ? memchr(value.p, '?', value.n) : NULL;
        if (end)
            value.n = (size_t)(end - value.p);
        const uint8_t *at = value.n ? memrchr(value.p, '@', value.n) : NULL;
        if (at)
            value = ccm_span_of(at + 1, value.n - (size_t)(at - value.p) - 1);
    }
    /* Before it is cut: half a signature is not known for one. */
    uint8_t clean[REDACTED];
    value = ccm_redact_text(ccm_span_of(value.p, MIN(value.n, sizeof clean)), clean, sizeof clean);
    return ccm_span_of(buf, ccm_xml_unescape(value, buf, VALUE_TEXT));
}

static void show_field(ccm_body *b, const ccm_field *field, const found *f)
{
    char label[40];
    uint8_t buf[VALUE_TEXT];
    (void)g_snprintf(label, sizeof label, "%s=", field->label);
    if (f->count) {
        char number[12];
        (void)g_snprintf(number, sizeof number, "%u", f->count);
        (void)detail(b, " ", label, ccm_span_str(number));
    }
    for (unsigned i = 0; i < f->n; i++)
        if (!detail(b, i ? "," : " ", i ? "" : label, shown(field, f->value[i], buf)))
            return;
    if (f->more)
        (void)detail(b, ",", "", ccm_span_str("..."));
}

/* ---- identities ------------------------------------------------------------------------------ */

static void first(ccm_span *to, ccm_span value)
{
    if (!to->n)
        *to = value;
}

static void registration_tag(reader *r, const ccm_xml *x)
{
    ccm_body *b = r->b;
    if (ccm_span_is(x->name, "Data")) {
        first(&b->hash_oid, ccm_xml_get(x->attrs, "HashAlgorithm"));
        first(&b->client_id, ccm_xml_get(x->attrs, "SMSID"));
    } else if (ccm_span_is(x->name, "Property")) {
        ccm_span name = ccm_xml_get(x->attrs, "Name");
        if (ccm_span_same(name, "Netbios Name"))
            first(&b->name, ccm_xml_get(x->attrs, "Value"));
        else if (ccm_span_same(name, "FQ Name"))
            first(&b->host, ccm_xml_get(x->attrs, "Value"));
    }
}

static void open_element(reader *r, const ccm_xml *x)
{
    ccm_body *b = r->b;
    r->element = x->name;
    if (ccm_span_is(x->name, "Machine") && !r->machine)
        r->machine = x->depth;
    fields_of_tag(r, x);
    const char *refined = ccm_kind_refined(b->root, x->name, x->attrs);
    if (refined)
        r->refined = refined;
    if (!b->known)
        return;
    if (b->known->class == CCM_ROOT_REGISTRATION)
        registration_tag(r, x);
    if (b->known->class == CCM_ROOT_REPORT && ccm_span_is(x->name, "Topic")) {
        ccm_span type = ccm_xml_get(x->attrs, "Type");
        r->topics |= r->topic.n && (type.n != r->topic.n || memcmp(type.p, r->topic.p, type.n));
        first(&r->topic, type);
    }
    if (b->known->class == CCM_ROOT_REGISTERED && x->depth == 1) {
        b->smsid = ccm_xml_get(x->attrs, "SMSID");
        b->registration_status = ccm_span_number(ccm_xml_get(x->attrs, "Status"));
        b->approval = ccm_span_number(ccm_xml_get(x->attrs, "ApprovalStatus"));
    }
}

static void text_of_element(reader *r, ccm_span text)
{
    ccm_body *b = r->b;
    fields_of_text(r, text);
    if (ccm_span_is(r->element, "ClientID"))
        first(&b->client_id, text);
    else if (ccm_span_same(r->element, "NetBIOSName"))
        first(&b->name, text);
    else if (r->machine && ccm_span_is(r->element, "FQDN"))
        first(&b->host, text);
    if (!b->known)
        return;
    if (b->known->class == CCM_ROOT_REPORT) {
        if (ccm_span_is(r->element, "ReportContent"))
            first(&r->content, text);
        else if (ccm_span_is(r->element, "InventoryActionID"))
            first(&r->action, text);
        else if (ccm_span_is(r->element, "ReportType"))
            first(&r->report_type, text);
    } else if (b->known->class == CCM_ROOT_REGISTRATION) {
        if (ccm_span_is(r->element, "Signing"))
            first(&b->certificate, text);
        else if (ccm_span_is(r->element, "SignatureValue"))
            first(&b->signature, text);
    }
}

/* ---- words ----------------------------------------------------------------------------------- */

static void state_words(reader *r)
{
    ccm_body *b = r->b;
    uint64_t type = ccm_span_number(r->topic);
    const char *words = ccm_topic_words(type);
    char text[48];
    kind(b, "state message");
    if (type > UINT16_MAX)
        return;
    (void)g_snprintf(text, sizeof text, ": %u %s", (unsigned)type, words ? words : "");
    kind(b, words ? text : g_strchomp(text));
    if (r->topics)
        kind(b, " and others");
}

static void report_words(reader *r, ccm_span endpoint)
{
    ccm_body *b = r->b;
    const char *words = ccm_action_words(r->action);
    if (!words && ccm_span_same(r->content, "State Message Data")) {
        state_words(r);
        return;
    }
    if (!words && ccm_span_same(r->content, "Software Metering Data"))
        words = "software metering";
    if (!words && ccm_span_same(r->content, "File Collection"))
        words = "collected files";
    if (!words && !ccm_span_same(endpoint, "MP_RelayEndpoint"))
        words = ccm_endpoint_words(endpoint);
    if (!words && ccm_span_same(r->content, "Inventory Data"))
        words = "inventory";
    kind(b, words ? words : b->known->words);
    bool inventory = words && g_str_has_suffix(words, "inventory");
    if (inventory && ccm_span_same(r->report_type, "Full"))
        kind(b, ", full");
    else if (inventory && ccm_span_same(r->report_type, "Delta"))
        kind(b, ", delta");
}

static void words_of(reader *r, ccm_span endpoint)
{
    ccm_body *b = r->b;
    if (!b->known) {
        const char *words = ccm_endpoint_words(endpoint);
        kind(b, words ? words : "other");
        kind(b, ": ");
        kind_span(b, b->root.n <= ROOT_TEXT ? b->root : ccm_span_str("..."));
    } else if (b->known->class == CCM_ROOT_REPORT) {
        report_words(r, endpoint);
    } else {
        kind(b, r->refined ? r->refined : b->known->words);
    }
}

static void clear(ccm_body *b)
{
    memset(b, 0, offsetof(ccm_body, kind));
    b->approval = b->registration_status = UINT64_MAX;
}

/* Is it a name, and not the beginning of what only looks like XML? */
static bool is_name(ccm_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!g_ascii_isalnum((char)s.p[i]) && (!s.p[i] || !strchr("_.:-", (char)s.p[i])))
            return false;
    return s.n && g_ascii_isalpha((char)s.p[0]);
}

bool ccm_body_parse(ccm_body *b, ccm_span text, ccm_span endpoint)
{
    clear(b);
    ccm_xml x = ccm_xml_of(text);
    ccm_xml_event event = ccm_xml_next(&x);
    if (event != CCM_XML_OPEN || !is_name(x.name))
        return false;
    b->root = x.name;
    b->known = ccm_root_find(b->root);
    reader r = { .b = b };
    r.fields = ccm_fields_of(b->root, &r.n_fields);
    if (r.n_fields > CCM_FIELDS_MAX)
        r.n_fields = CCM_FIELDS_MAX;
    for (; event != CCM_XML_END; event = ccm_xml_next(&x)) {
        if (event == CCM_XML_OPEN) {
            open_element(&r, &x);
        } else if (event == CCM_XML_TEXT) {
            if (r.element.n)
                text_of_element(&r, x.text);
        } else {
            r.element.n = 0;
            if (x.depth <= r.machine)
                r.machine = 0;
            if (x.depth <= 1)
                break;
        }
    }
    b->cut = event == CCM_XML_END;
    words_of(&r, endpoint);
    for (unsigned i = 0; i < r.n_fields; i++)
        show_field(b, &r.fields[i], &r.found[i]);
    return true;
}

void ccm_body_unread(ccm_body *b, ccm_span endpoint, const char *why)
{
    clear(b);
    const char *words = ccm_endpoint_words(endpoint);
    kind(b, words ? words : endpoint.n ? "other message" : "message");
    if (why)
        (void)detail(b, "", "", ccm_span_str(why));
}

/* Offset of `text` as UTF-16LE in `in` at an even place from `from` on; SIZE_MAX: not there. */
static size_t find_utf16(ccm_span in, size_t from, const char *text)
{
    uint8_t needle[32];
    size_t n = 0;
    for (; *text && n < sizeof needle; text++) {
        needle[n++] = (uint8_t)*text;
        needle[n++] = 0;
    }
    while (from < in.n) {
        const uint8_t *at = memmem(in.p + from, in.n - from, needle, n);
        if (!at)
            return SIZE_MAX;
        from = (size_t)(at - in.p);
        if (from % 2 == 0)
            return from;
        from++;
    }
    return SIZE_MAX;
}

ccm_span ccm_body_signed_slice(ccm_span utf16le)
{
    static const char end_tag[] = "</Data>";
    size_t from = 0, end;
    for (;;) {
        from = find_utf16(utf16le, from, "<Data");
        if (from == SIZE_MAX)
            return (ccm_span){ 0 };
        size_t behind = from + 10;
        uint8_t next = behind < utf16le.n ? utf16le.p[behind] : 0;
        if (next == ' ' || next == '>' || next == '\r' || next == '\n' || next == '\t')
            break; /* not the start of a longer name */
        from = behind;
    }
    end = find_utf16(utf16le, from, end_tag);
    if (end == SIZE_MAX)
        return (ccm_span){ 0 };
    return ccm_span_of(utf16le.p + from, end - from + 2 * (sizeof end_tag - 1));
}
