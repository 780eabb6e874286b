/* SPDX-License-Identifier: GPL-2.0-or-later
 * proofs_text.c - authentication in words: a line for each way it was done, and what went wrong.
 * In: parts of a view. Out: text. State: none. */
#include "report/proofs.h"

enum { ROUTE_LINES = 6, TROUBLE_LINES = 6 };

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
        g_string_append_printf(out, " (Kerberos error %u)", e->code);
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

/* ---- the summary's section ------------------------------------------------------------------- */

typedef struct page {
    GString *out, *line;
    const ccm_view *view;
    bool color;
    unsigned width, most, left; /* lines of trouble shown, not shown */
} page;

static void trouble(page *p)
{
    if (p->most) {
        gsize start = p->out->len;
        p->most--;
        g_string_prepend(p->line, "! ");
        ccm_wrap_append(p->out, p->line->str, 2, p->width);
        if (p->color) {
            g_string_erase(p->out, (gssize)start + 2, 1);
            g_string_insert(p->out, (gssize)start + 2, "\033[33m!\033[0m");
        }
    } else {
        p->left++;
    }
    g_string_truncate(p->line, 0);
}

static void client_troubles(page *p)
{
    for (unsigned i = 0; i < p->view->n_clients; i++) {
        const ccm_view_client *c = &p->view->clients[i];
        if (c->signature.failed) {
            ccm_plural_append(p->line, c->signature.failed, "signature");
            g_string_append(p->line, " of ");
            ccm_terminal_append(p->line, c->client_id);
            g_string_append(p->line, c->signature.failed == 1 ? " fails" : " fail");
            trouble(p);
        }
        if (c->signature.replayed) {
            ccm_plural_append(p->line, c->signature.replayed, "signature");
            g_string_append(p->line, " of ");
            ccm_terminal_append(p->line, c->client_id);
            g_string_append(p->line, " used again elsewhere: a replay or a repeat");
            trouble(p);
        }
        if (c->has_skew && (c->skew_s > 60 || c->skew_s < -60)) {
            g_string_append(p->line, "clock of ");
            ccm_terminal_append(p->line, c->client_id);
            g_string_append(p->line, " is off by ");
            ccm_skew_append(p->line, c->skew_s);
            trouble(p);
        }
    }
}

static void fallback_troubles(page *p)
{
    for (unsigned i = 0; i < p->view->n_routes; i++) {
        const ccm_view_route *r = &p->view->routes[i];
        for (unsigned k = 0; k < r->n_auth; k++)
            for (unsigned e = 0; e < r->auth[k].n_evidence; e++) {
                const ccm_view_auth_evidence *v = &r->auth[k].evidence[e];
                if (!g_str_has_prefix(v->id, "fallback-"))
                    continue;
                g_string_append_printf(p->line, "%s: Kerberos fell back to NTLM, ", r->route);
                evidence_append(p->line, v);
                if (r->auth[k].account) {
                    g_string_append(p->line, ", ");
                    ccm_terminal_append(p->line, r->auth[k].account);
                }
                trouble(p);
            }
    }
}

/* A mode with its kinds of account on a route: "ntlm computer ×12". */
static void modes_append(GString *out, const ccm_view_route *r, const char *stage)
{
    bool first = true;
    for (unsigned i = 0; i < r->n_auth; i++) {
        const ccm_view_auth *a = &r->auth[i];
        uint64_t count = 0, denied = 0, accounts = 0;
        if (strcmp(a->stage, stage))
            continue;
        unsigned k = i;
        /* Rows of one mode and kind stand together. */
        for (; k < r->n_auth && !strcmp(r->auth[k].stage, stage) &&
               !strcmp(r->auth[k].mode, a->mode) &&
               !g_strcmp0(r->auth[k].account_kind, a->account_kind);
             k++) {
            count += r->auth[k].count;
            denied += r->auth[k].denied;
            accounts += r->auth[k].account != NULL;
        }
        g_string_append(out, first ? "" : ", ");
        first = false;
        g_string_append(out, a->mode);
        if (a->account_kind && strcmp(a->account_kind, a->mode))
            g_string_append_printf(out, " %s", a->account_kind);
        if (accounts == 1) {
            g_string_append_c(out, ' ');
            ccm_terminal_append(out, a->account ? a->account : r->auth[k - 1].account);
        } else if (accounts > 1) {
            g_string_append(out, " (");
            ccm_plural_append(out, accounts, "account");
            g_string_append_c(out, ')');
        }
        if (count)
            g_string_append_printf(out, " ×%" G_GUINT64_FORMAT, count);
        if (denied)
            g_string_append_printf(out, " (%" G_GUINT64_FORMAT " refused)", denied);
        if (a->n_evidence)
            g_string_append_printf(out, " %s", a->evidence[0].id);
        i = k - 1;
    }
}

static bool has_stage(const ccm_view_route *r, const char *stage)
{
    for (unsigned i = 0; i < r->n_auth; i++)
        if (!strcmp(r->auth[i].stage, stage))
            return true;
    return false;
}

static void route_line(page *p, const ccm_view_route *r)
{
    static const char *const stages[] = { "transport", "message", "proxy" };
    bool first = true;
    g_string_append_printf(p->line, "%s ", r->route);
    ccm_destination_append(p->line, r);
    for (unsigned i = 0; i < G_N_ELEMENTS(stages); i++) {
        if (!has_stage(r, stages[i]))
            continue;
        g_string_append(p->line, first ? "  " : "; ");
        if (i || has_stage(r, "message") || has_stage(r, "proxy"))
            g_string_append_printf(p->line, "%s: ", stages[i]);
        modes_append(p->line, r, stages[i]);
        first = false;
    }
    ccm_wrap_append(p->out, p->line->str, 2, p->width);
    g_string_truncate(p->line, 0);
}

void ccm_summary_auth(GString *out, const ccm_view *view, bool color, bool verbose, unsigned width)
{
    page p = { .out = out,
               .line = g_string_new(NULL),
               .view = view,
               .color = color,
               .width = width,
               .most = verbose ? G_MAXUINT : TROUBLE_LINES };
    unsigned shown = 0, rest = 0;

    for (unsigned i = 0; i < view->n_routes; i++)
        rest += view->routes[i].n_auth > 0;
    if (!rest) {
        g_string_free(p.line, TRUE);
        return;
    }
    ccm_heading(out, color, "AUTHENTICATION", NULL);
    client_troubles(&p);
    fallback_troubles(&p);
    for (unsigned i = 0; i < view->n_routes; i++) {
        if (!view->routes[i].n_auth)
            continue;
        if (verbose || shown < ROUTE_LINES) {
            route_line(&p, &view->routes[i]);
            shown++;
        }
    }
    if (rest > shown || p.left)
        g_string_append_printf(out, "  and %u more: ccmscope report --format text\n",
                               rest - shown + p.left);
    g_string_free(p.line, TRUE);
}
