/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_gss.c - tokens of Windows authentication and the headers that hold them. Input: a byte (0 =
 * a token, 1 to 4 = the value of a header), then the bytes. */
#include <glib.h>
#include "proto/spnego.h"
#include "proto/win_auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void emit(void *user_data, const ccm_obs *o)
{
    GString *out = user_data;
    for (int i = 0; i < o->n; i++) {
        g_assert_true(ccm_kind_has(o->kind, ccm_obs_key(o, (unsigned)i)));
        if (ccm_key_type(ccm_obs_key(o, (unsigned)i)) == CCM_TYPE_STR)
            ccm_text_append(out, o->val[i].s);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const headers[] = { "authorization", "proxy-authorization",
                                           "www-authenticate", "proxy-authenticate" };
    GString *out = g_string_new(NULL);
    ccm_parse ps = { .emit = emit, .emit_data = out, .client = -1 };
    ccm_gss g;
    if (size && !data[0])
        (void)ccm_gss_read(ccm_span_of(data + 1, size - 1), &g);
    else if (size)
        ccm_win_auth_emit(&ps, 0, 1, 1, 1, headers[(data[0] - 1) & 3],
                          ccm_span_of(data + 1, size - 1));
    g_string_free(out, TRUE);
    return 0;
}
