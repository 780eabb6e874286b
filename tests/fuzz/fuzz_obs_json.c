/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_obs_json.c - any bytes as a line of an observation file. A line that is accepted must be
 * written and read again without change. */
#include "observe/obs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static GString *rewrite(const char *line, size_t size, bool must)
{
    ccm_obs obs;
    ccm_obs_json *keep;
    GError *error = NULL;
    bool ok = ccm_obs_from_json(line, size, &obs, &keep, &error);
    g_assert(ok == !error && ok == !!keep);
    g_assert(ok || !must);
    g_clear_error(&error);
    if (!ok)
        return NULL;
    GString *out = g_string_new(NULL);
    ccm_obs_to_json(&obs, out);
    ccm_obs_json_free(keep);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GString *first = rewrite((const char *)data, size, false);
    if (!first)
        return 0;
    g_assert(g_utf8_validate(first->str, (gssize)first->len, NULL));
    g_assert(!strpbrk(first->str, "\n\r\033"));
    if (first->len < 16384) { /* a text that grows beyond its bound by escaping is refused */
        GString *second = rewrite(first->str, first->len, true);
        g_assert(g_string_equal(first, second));
        g_string_free(second, TRUE);
    }
    g_string_free(first, TRUE);
    return 0;
}
