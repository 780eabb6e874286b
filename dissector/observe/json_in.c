/* SPDX-License-Identifier: GPL-2.0-or-later
 * json_in.c - one line of an observation file back into an observation. In: an untrusted line. Out:
 * an observation whose texts live in *keep, or CCM_ERROR_CORRUPT that says what is wrong. State:
 * none. Strict on purpose: a line that this version does not understand must not be half used.
 * Format: docs/observations.md. */
#include "observe/obs.h"

#include <jansson.h>

/* Each byte of a text grows to at most four (\xNN) on the way into a file. */
enum { TEXT_MAX_READ = CCM_OBS_TEXT_MAX * 4 };

static bool fail(GError **error, const char *what, const char *name)
{
    GString *safe = g_string_new(NULL);
    ccm_text_append(safe, ccm_span_of(name, strnlen(name, 64)));
    g_set_error(error, CCM_ERROR, CCM_ERROR_CORRUPT, "%s \"%s\"", what, safe->str);
    g_string_free(safe, TRUE);
    return false;
}

static bool read_u64(const json_t *value, uint64_t max, uint64_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return *out <= max;
}

static bool read_endpoint(const json_t *value, ccm_endpoint *out)
{
    const char *text = json_string_value(value);
    return text && ccm_endpoint_parse(text, out);
}

/* Sets *known when `name` is a field that every kind has. False when its value is wrong. */
static bool read_common(ccm_obs *obs, const char *name, const json_t *value, bool *known)
{
    uint64_t l4 = 0;
    *known = true;
    if (strcmp(name, "k") == 0)
        return true; /* was read first */
    if (strcmp(name, "t") == 0)
        return read_u64(value, INT64_MAX, &obs->time_ns);
    if (strcmp(name, "frame") == 0)
        return read_u64(value, INT64_MAX, &obs->frame);
    if (strcmp(name, "flow") == 0)
        return read_u64(value, INT64_MAX, &obs->flow);
    if (strcmp(name, "src") == 0)
        return read_endpoint(value, &obs->src);
    if (strcmp(name, "dst") == 0)
        return read_endpoint(value, &obs->dst);
    if (strcmp(name, "l4") == 0) {
        bool ok = read_u64(value, UINT8_MAX, &l4);
        obs->l4 = (uint8_t)l4;
        return ok;
    }
    *known = false;
    return true;
}

static bool read_attribute(ccm_obs *obs, ccm_key key, const json_t *value)
{
    uint64_t number = 1;
    ccm_obs_set_key(obs, key);
    switch (ccm_key_type(key)) {
    case CCM_TYPE_U64:
        if (!read_u64(value, INT64_MAX, &number))
            return false;
        break;
    case CCM_TYPE_BOOL:
        if (!json_is_true(value))
            return false;
        break;
    case CCM_TYPE_STR:
        if (!json_is_string(value) || json_string_length(value) > TEXT_MAX_READ)
            return false;
        if (json_string_length(value) == 0)
            return true; /* as ccm_obs_str does */
        obs->val[obs->n++].s = ccm_span_of(json_string_value(value), json_string_length(value));
        return true;
    }
    obs->val[obs->n++].u = number;
    return true;
}

static bool find_key(ccm_obs_kind kind, const char *name, ccm_key *out)
{
    for (unsigned i = 0; i < CCM_KEYS; i++) {
        if (ccm_kind_has(kind, (ccm_key)i) && strcmp(ccm_key_name((ccm_key)i), name) == 0) {
            *out = (ccm_key)i;
            return true;
        }
    }
    return false;
}

static bool find_kind(const char *name, ccm_obs_kind *out)
{
    for (unsigned i = 0; i < CCM_OBS_KINDS; i++) {
        if (strcmp(ccm_kind_name((ccm_obs_kind)i), name) == 0) {
            *out = (ccm_obs_kind)i;
            return true;
        }
    }
    return false;
}

static bool read_object(json_t *root, ccm_obs *obs, GError **error)
{
    const char *kind = json_string_value(json_object_get(root, "k"));
    const char *name;
    json_t *value;

    if (!kind)
        return fail(error, "observation without", "k");
    if (!find_kind(kind, &obs->kind))
        return fail(error, "unknown kind of observation", kind);
    if (!json_object_get(root, "t"))
        return fail(error, "observation without", "t");
    json_object_foreach(root, name, value)
    {
        bool known;
        ccm_key key;
        if (!read_common(obs, name, value, &known))
            return fail(error, "wrong value of", name);
        if (known)
            continue;
        if (!find_key(obs->kind, name, &key))
            return fail(error, "unknown attribute", name);
        if (obs->n == CCM_OBS_ATTRS)
            return fail(error, "too many attributes at", name);
        if (!read_attribute(obs, key, value))
            return fail(error, "wrong value of", name);
    }
    return true;
}

/* The opaque keeper of an observation's texts is the jansson object itself. */
bool ccm_obs_from_json(const char *line, size_t size, ccm_obs *obs, ccm_obs_json **keep,
                       GError **error)
{
    json_error_t why;
    *obs = (ccm_obs){ 0 };
    *keep = NULL;
    json_t *root = json_loadb(line, size, JSON_REJECT_DUPLICATES, &why);
    if (!root)
        return fail(error, "not JSON:", why.text);
    if (!json_is_object(root)) {
        json_decref(root);
        return fail(error, "not a JSON object:", "observation");
    }
    if (!read_object(root, obs, error)) {
        json_decref(root);
        return false;
    }
    *keep = (ccm_obs_json *)root;
    return true;
}

void ccm_obs_json_free(ccm_obs_json *keep)
{
    json_decref((json_t *)keep);
}
