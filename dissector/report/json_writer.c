/* SPDX-License-Identifier: GPL-2.0-or-later
 * json_writer.c - appends JSON values by hand, so that key order and layout are ours.
 * In: members in order. Out: text. State: the open brackets, at most CCM_JSON_DEPTH. Spec: RFC
 * 8259. */
#include "model/view.h"
#include "report/report.h"

void ccm_json_init(ccm_json *json, GString *text, bool pretty)
{
    *json = (ccm_json){ .text = text, .pretty = pretty, .inline_from = CCM_JSON_DEPTH };
}

static bool in_line(const ccm_json *json)
{
    return !json->pretty || json->depth >= json->inline_from;
}

static void line_break(ccm_json *json)
{
    g_string_append_printf(json->text, "\n%*s", (int)(2 * json->depth), "");
}

static void member(ccm_json *json, const char *key)
{
    bool *filled = &json->filled[json->depth];
    if (*filled)
        g_string_append(json->text, in_line(json) && json->pretty ? ", " : ",");
    *filled = true;
    if (json->depth && !in_line(json))
        line_break(json);
    if (key) {
        ccm_json_string(json->text, ccm_span_str(key));
        g_string_append(json->text, json->pretty ? ": " : ":");
    }
}

void ccm_json_open(ccm_json *json, const char *key, char bracket)
{
    g_assert(json->depth + 1 < CCM_JSON_DEPTH);
    member(json, key);
    g_string_append_c(json->text, bracket);
    json->filled[++json->depth] = false;
}

void ccm_json_open_inline(ccm_json *json, const char *key, char bracket)
{
    ccm_json_open(json, key, bracket);
    json->inline_from = MIN(json->inline_from, json->depth);
}

void ccm_json_close(ccm_json *json, char bracket)
{
    bool filled = json->filled[json->depth], same_line = in_line(json);
    json->depth--;
    if (json->inline_from > json->depth)
        json->inline_from = CCM_JSON_DEPTH;
    if (filled && !same_line)
        line_break(json);
    g_string_append_c(json->text, bracket);
}

void ccm_json_u64(ccm_json *json, const char *key, uint64_t value)
{
    member(json, key);
    g_string_append_printf(json->text, "%" G_GUINT64_FORMAT, value);
}

void ccm_json_i64(ccm_json *json, const char *key, int64_t value)
{
    member(json, key);
    g_string_append_printf(json->text, "%" G_GINT64_FORMAT, value);
}

void ccm_json_bool(ccm_json *json, const char *key, bool value)
{
    member(json, key);
    g_string_append(json->text, value ? "true" : "false");
}

void ccm_json_null(ccm_json *json, const char *key)
{
    member(json, key);
    g_string_append(json->text, "null");
}

void ccm_json_text(ccm_json *json, const char *key, const char *value)
{
    if (!value)
        return;
    member(json, key);
    ccm_json_string(json->text, ccm_span_str(value));
}

void ccm_json_time(ccm_json *json, const char *key, uint64_t ns)
{
    member(json, key);
    g_string_append_c(json->text, '"');
    ccm_time_append(json->text, ns);
    g_string_append_c(json->text, '"');
}

void ccm_json_seen(ccm_json *json, uint64_t first_ns, uint64_t last_ns)
{
    if (first_ns)
        ccm_json_time(json, "first_seen", first_ns);
    if (last_ns)
        ccm_json_time(json, "last_seen", last_ns);
}

void ccm_json_seconds(ccm_json *json, const char *key, uint64_t ns)
{
    member(json, key);
    ccm_seconds_append(json->text, ns);
}

void ccm_json_both(ccm_json *j, const char *key, const uint64_t pair[2])
{
    ccm_json_open_inline(j, key, '{');
    ccm_json_u64(j, "to_destination", pair[CCM_TO_DESTINATION]);
    ccm_json_u64(j, "to_source", pair[CCM_TO_SOURCE]);
    ccm_json_close(j, '}');
}
