/* SPDX-License-Identifier: GPL-2.0-or-later
 * proofs_text.c - a way to authenticate as the text report tells it, with its evidence.
 * In: parts of a view. Out: text. State: none. */
#include "report/proofs.h"

void ccm_skew_append(GString *out, int64_t seconds)
{
    uint64_t size = seconds < 0 ? (uint64_t)-seconds : (uint64_t)seconds;
    g_string_append(out, seconds < 0 ? "-" : "+");
    ccm_duration_append(out, MIN(size, UINT64_MAX / 1000000000u) * 1000000000u);
}

static void evidence_append(GString *out, const ccm_view_auth_evidence *e)
{
    g_string_append(out, e->id);
    if (e->has_code)
        g_string_append_printf(out, !strcmp(e->id, "tls-alert") ? " %u" : " (Kerberos error %u)",
                               e->code);
    if (e->count > 1) {
        g_string_append(out, " ×");
        ccm_count_append(out, e->count);
    }
    if (e->first_frame)
        g_string_append_printf(out, " (frame %" G_GUINT64_FORMAT ")", e->first_frame);
}

void ccm_auth_append(GString *out, const ccm_view_auth *a, unsigned most)
{
    g_string_append(out, a->mode);
    if (a->account_kind && strcmp(a->account_kind, a->mode))
        g_string_append_printf(out, " %s", a->account_kind);
    if (a->account) {
        g_string_append_c(out, ' ');
        ccm_terminal_append(out, a->account);
    }
    if (a->count) {
        g_string_append(out, " ×");
        ccm_count_append(out, a->count);
    }
    if (a->denied) {
        g_string_append(out, ", ");
        ccm_count_append(out, a->denied);
        g_string_append(out, " refused");
    }
    g_string_append_printf(out, ", %s", ccm_certainty_name(a->certainty));
    for (unsigned i = 0; i < a->n_evidence && i < most; i++) {
        g_string_append(out, i ? ", " : ": ");
        evidence_append(out, &a->evidence[i]);
    }
    if (a->n_evidence > most)
        g_string_append_printf(out, ", +%u more", a->n_evidence - most);
}
