/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_jwt.c - JSON web tokens in a header value. Input: the value. Claims are checked for what may
 * never come out of it: anything beyond the documented attributes. */
#include <glib.h>
#include "proto/json_flat.h"
#include "proto/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void emit(void *user_data, const ccm_obs *o)
{
    GString *line = user_data;
    g_string_truncate(line, 0);
    g_assert_true(o->kind == CCM_OBS_token);
    for (int i = 0; i < o->n; i++)
        g_assert_true(ccm_kind_has(o->kind, ccm_obs_key(o, (unsigned)i)));
    ccm_obs_to_json(o, line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    GString *line = g_string_new(NULL);
    ccm_parse ps = { .limits = &limits, .emit = emit, .emit_data = line, .flow = 1, .l4 = 6 };
    ccm_span in = ccm_span_of(data, size);
    ccm_token_emit(&ps, 0, 1, 1, 1, ccm_span_str("Authorization"), in, 4);
    ccm_json j = ccm_json_of(in);
    ccm_json_member m;
    uint8_t buf[64];
    while (ccm_json_next(&j, &m))
        (void)ccm_json_unescape(m.value, buf, sizeof buf);
    g_string_free(line, TRUE);
    return 0;
}
