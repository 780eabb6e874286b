/* SPDX-License-Identifier: GPL-2.0-or-later
 * json_out.c - an observation as one line of JSON. In: an observation. Out: text appended to a
 * GString, by hand since a large capture gives millions of lines. State: none.
 * Format: docs/observations.md. */
#include "observe/obs.h"

const char *ccm_obs_file_header(void)
{
    return "{\"schema\":\"ccmscope.observations/1\"}";
}

/* Readers of JSON hold integers in 64 signed bits, so a counter stops there. */
static void append_u64(GString *out, uint64_t v)
{
    char tmp[20];
    size_t at = sizeof tmp;
    v = ccm_min64(v, INT64_MAX);
    do {
        tmp[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    g_string_append_len(out, tmp + at, (gssize)(sizeof tmp - at));
}

static void append_key(GString *out, const char *name)
{
    g_string_append_len(out, ",\"", 2);
    g_string_append(out, name);
    g_string_append_len(out, "\":", 2);
}

static void append_number(GString *out, const char *name, uint64_t v)
{
    append_key(out, name);
    append_u64(out, v);
}

static void append_endpoint(GString *out, const char *name, const ccm_endpoint *e)
{
    char text[CCM_ENDPOINT_TEXT];
    if (!e->addr.family)
        return;
    append_key(out, name);
    g_string_append_c(out, '"');
    g_string_append(out, ccm_endpoint_text(e, text));
    g_string_append_c(out, '"');
}

void ccm_obs_to_json(const ccm_obs *obs, GString *out)
{
    g_string_append_len(out, "{\"k\":\"", 6);
    g_string_append(out, ccm_kind_name(obs->kind));
    g_string_append_c(out, '"');
    append_number(out, "t", obs->time_ns);
    if (obs->frame)
        append_number(out, "frame", obs->frame);
    if (obs->flow)
        append_number(out, "flow", obs->flow);
    if (obs->l4)
        append_number(out, "l4", obs->l4);
    append_endpoint(out, "src", &obs->src);
    append_endpoint(out, "dst", &obs->dst);
    for (int i = 0; i < obs->n; i++) {
        ccm_key key = ccm_obs_key(obs, (unsigned)i);
        append_key(out, ccm_key_name(key));
        switch (ccm_key_type(key)) {
        case CCM_TYPE_U64:
            append_u64(out, obs->val[i].u);
            break;
        case CCM_TYPE_BOOL:
            g_string_append_len(out, "true", 4);
            break;
        case CCM_TYPE_STR:
            ccm_json_string(out, obs->val[i].s);
            break;
        }
    }
    g_string_append_c(out, '}');
}
