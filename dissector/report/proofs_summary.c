/* SPDX-License-Identifier: GPL-2.0-or-later
 * proofs_summary.c - authentication in plain words: what went wrong, each way it was done, and
 * where to read on. In: a view. Out: a section of the summary. State: none. */
#include "report/proofs.h"

enum { WAY_LINES = 12, TROUBLE_LINES = 6, REASONS = 4 };

/* Evidence in words. Its names stand in the report; docs/ccmscope.1.scd tells of all of them. Here
 * are those that say why a verdict is what it is; the others only support it. */
static const struct {
    const char *id, *words;
} reasons[] = {
    { "signature-failed", "signature fails" },
    { "signature-malformed", "signature malformed" },
    { "key-changed", "key changed" },
    { "client-id-only", "only the client id is signed" },
    { "workstation-differs", "workstation differs from the account" },
    { "fallback-kdc-error", "Kerberos ticket not given" },
    { "fallback-kdc-silent", "Kerberos not answered" },
    { "fallback-dns", "no domain controller found" },
    { "fallback-rejected", "Kerberos ticket refused before" },
    { "fallback-unexplained", "Kerberos offered, NTLM used" },
    { "direct-ntlm", "Kerberos not tried" },
    { "tls-alert", "TLS handshake refused" },
    { "client-certificate", "client certificate" },
    { "self-signed-client-certificate", "self-signed client certificate" },
    { "session-inherited", "resumed, as the full handshake was" },
    { "client-flight-certificate", "client certificate sent, by size; its kind is hidden" },
    { "client-certificate-elsewhere", "PKI certificate of the client seen elsewhere" },
    { "renegotiation", "second handshake, encrypted" },
    { "client-certificate-empty", "certificate asked for, none sent" },
    { "client-certificate-not-requested", "no certificate asked for" },
    { "client-flight-without-certificate", "no client certificate, by size" },
    { "session-resumed", "resumed, the full handshake was not seen" },
    { "handshake-not-seen", "handshake not seen" },
    { "ntlm-anonymous", "NTLM without an account" },
    { "smb-guest", "let in as guest" },
    { "smb-null-session", "no account at all" },
    { "spnego-kerberos", "Kerberos ticket" },
    { "task-sequence-agent", "task sequence" },
    { "many-clients", "one account on many clients" },
    { "basic-credential", "password readable on the wire" },
    { "digest-credential", "digest of the password" },
    { "jwt-entra", "token of Entra ID" },
    { "jwt-ccm", "token of the site" },
    { "jwt-bulk-registration", "bulk registration token" },
    { "jwt-content", "content access token" },
    { "jwt-other", "token of another issuer" },
    { "clientauth-hook", "signed message" },
    { "header-signature", "signed headers" },
    { "registration", "registration" },
    { "location-request", "location request" },
    { "client-package", "client installation files" },
    { "no-signature", "no signature" },
    { "no-authorization", "no credential sent" },
    { "unreadable-credential", "credential not readable" },
    { "no-response", "no response in the capture" },
    { "head-incomplete", "head incomplete" },
    { "connection-incomplete", "earlier bytes of the connection missing" },
    { "message-not-decoded", "message not decoded" },
};

typedef struct page {
    GString *out, *line;
    const ccm_view *view;
    bool color;
    unsigned width, troubles, ways; /* lines that may still be shown */
    unsigned left;                  /* not shown */
    uint64_t refused, emptied, unchecked;
} page;

static void put_line(page *p, unsigned indent)
{
    ccm_wrap_append(p->out, p->line->str, indent, p->width);
    g_string_truncate(p->line, 0);
}

static void trouble(page *p)
{
    gsize start = p->out->len;
    if (!p->troubles) {
        p->left++;
        g_string_truncate(p->line, 0);
        return;
    }
    p->troubles--;
    g_string_prepend(p->line, "! ");
    put_line(p, 2);
    if (p->color) {
        g_string_erase(p->out, (gssize)start + 2, 1);
        g_string_insert(p->out, (gssize)start + 2, "\033[33m!\033[0m");
    }
}

static void signature_trouble(page *p, const char *client_id, uint64_t n, const char *what)
{
    if (!n)
        return;
    ccm_plural_append(p->line, n, "signature");
    g_string_append(p->line, " of ");
    ccm_terminal_append(p->line, client_id);
    g_string_append(p->line, what);
    trouble(p);
}

static void client_troubles(page *p)
{
    for (unsigned i = 0; i < p->view->n_clients; i++) {
        const ccm_view_client *c = &p->view->clients[i];
        signature_trouble(p, c->client_id, c->signature.failed,
                          c->signature.failed == 1 ? " does not verify" : " do not verify");
        signature_trouble(p, c->client_id, c->signature.key_changed,
                          " with another key than it used first: renewed, or somebody else's");
        signature_trouble(p, c->client_id, c->signature.replayed,
                          " used again elsewhere: a replay or a repeat");
        if (c->has_skew && (c->skew_s > 60 || c->skew_s < -60)) {
            uint64_t size = c->skew_s < 0 ? 0 - (uint64_t)c->skew_s : (uint64_t)c->skew_s;
            g_string_append(p->line, "clock of ");
            ccm_terminal_append(p->line, c->client_id);
            g_string_append(p->line, " is ");
            ccm_duration_append(p->line, MIN(size, UINT64_MAX / 1000000000u) * 1000000000u);
            g_string_append(p->line, c->skew_s < 0 ? " behind" : " ahead");
            if (c->skew_uncertain)
                g_string_append(p->line, " at least: its times differ by more than a minute");
            trouble(p);
        }
    }
}

/* RFC 4120 section 7.5.9, those that lead to NTLM. */
static const char *kerberos_error(uint32_t code)
{
    switch (code) {
    case 6:
        return "account unknown to the domain";
    case 7:
        return "service name unknown: is its SPN registered?";
    case 37:
        return "clocks differ too much";
    case 68:
        return "wrong realm";
    default:
        return NULL;
    }
}

static void fallback(page *p, const ccm_view_route *r, const char *account,
                     const ccm_view_auth_evidence *v)
{
    static const struct {
        const char *id, *words;
    } why[] = {
        { "fallback-kdc-error", "the domain controller gave no ticket" },
        { "fallback-kdc-silent", "the domain controller did not answer" },
        { "fallback-dns", "DNS named no domain controller" },
        { "fallback-rejected", "the server refused the ticket" },
    };
    const char *words = "the capture does not show why", *error;

    for (unsigned i = 0; i < G_N_ELEMENTS(why); i++)
        if (!strcmp(v->id, why[i].id))
            words = why[i].words;
    if (account)
        ccm_terminal_append(p->line, account);
    else
        g_string_append(p->line, "a client");
    g_string_append(p->line, " fell back from Kerberos to NTLM at ");
    ccm_destination_append(p->line, r);
    g_string_append_printf(p->line, ": %s", words);
    if (v->has_code) {
        error = kerberos_error(v->code);
        g_string_append_printf(p->line, ", Kerberos error %u%s%s%s", v->code, error ? " (" : "",
                               error ? error : "", error ? ")" : "");
    }
    if (v->first_frame)
        g_string_append_printf(p->line, ", frame %" G_GUINT64_FORMAT, v->first_frame);
    trouble(p);
}

static void fallback_troubles(page *p)
{
    for (unsigned i = 0; i < p->view->n_routes; i++) {
        const ccm_view_route *r = &p->view->routes[i];
        for (unsigned k = 0; k < r->n_auth; k++)
            for (unsigned e = 0; e < r->auth[k].n_evidence; e++)
                if (g_str_has_prefix(r->auth[k].evidence[e].id, "fallback-"))
                    fallback(p, r, r->auth[k].account, &r->auth[k].evidence[e]);
    }
}

/* ---- the ways of a route --------------------------------------------------------------------- */

/* Rows of one stage, mode and kind of account stand together; they make one line. */
typedef struct way {
    const ccm_view_auth *rows;
    unsigned n;
    uint64_t count, denied, accounts;
} way;

static way next_way(const ccm_view_route *r, unsigned from)
{
    const ccm_view_auth *a = &r->auth[from];
    way w = { .rows = a };
    for (unsigned i = from; i < r->n_auth; i++, a++) {
        if (strcmp(a->stage, w.rows->stage) || strcmp(a->mode, w.rows->mode) ||
            g_strcmp0(a->account_kind, w.rows->account_kind))
            break;
        w.n++;
        w.count += a->count;
        w.denied += a->denied;
        w.accounts += a->account != NULL;
    }
    return w;
}

static uint64_t evidence_count(const way *w, const char *id)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < w->n; i++)
        for (unsigned e = 0; e < w->rows[i].n_evidence; e++)
            if (!strcmp(w->rows[i].evidence[e].id, id))
                count += w->rows[i].evidence[e].count;
    return count;
}

/* ": signed message ×12, registration ×3"; nothing, when only support is there. A fallback counts
 * what the domain controller said, not exchanges, so its number would not fit here. */
static void reasons_append(GString *out, const way *w)
{
    uint64_t counts[G_N_ELEMENTS(reasons)];
    unsigned n = 0, shown = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(reasons); i++) {
        counts[i] = evidence_count(w, reasons[i].id);
        n += counts[i] > 0;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(reasons) && shown < REASONS; i++) {
        if (!counts[i])
            continue;
        g_string_append_printf(out, "%s%s", shown++ ? ", " : ": ", reasons[i].words);
        if (n > 1 && counts[i] > 1 && !g_str_has_prefix(reasons[i].id, "fallback-")) {
            g_string_append(out, " ×");
            ccm_count_append(out, counts[i]);
        }
    }
    if (n > shown)
        g_string_append_printf(out, ", +%u more", n - shown);
}

static void way_append(GString *out, const way *w)
{
    const ccm_view_auth *a = w->rows;
    g_string_append(out, a->mode);
    if (a->account_kind && strcmp(a->account_kind, a->mode))
        g_string_append_printf(out, " %s", a->account_kind);
    if (w->accounts == 1) {
        for (; !a->account; a++)
            continue;
        g_string_append_c(out, ' ');
        ccm_terminal_append(out, a->account);
    } else if (w->accounts > 1) {
        g_string_append(out, " (");
        ccm_plural_append(out, w->accounts, "account");
        g_string_append_c(out, ')');
    }
    if (w->count) {
        g_string_append(out, " ×");
        ccm_count_append(out, w->count);
    }
    if (w->denied) {
        g_string_append(out, ", ");
        ccm_count_append(out, w->denied);
        g_string_append(out, " refused");
    }
    reasons_append(out, w);
}

static void add_up(page *p, const way *w)
{
    uint64_t emptied = evidence_count(w, "empty-reply");
    p->emptied += emptied;
    p->refused += w->denied > emptied ? w->denied - emptied : 0;
    if (!strcmp(w->rows->mode, "message-signature"))
        p->unchecked += w->count + w->denied;
}

/* A route with one way takes a line; with more, a line for each below its own. */
static void route_ways(page *p, const ccm_view_route *r)
{
    bool headed = false;
    for (unsigned i = 0; i < r->n_auth;) {
        way w = next_way(r, i);
        bool only = w.n == r->n_auth && !strcmp(w.rows->stage, "transport");
        i += w.n;
        add_up(p, &w);
        if (!p->ways) {
            p->left++;
            continue;
        }
        p->ways--;
        if (!headed) {
            g_string_append_printf(p->line, "%s ", r->route);
            ccm_destination_append(p->line, r);
            g_string_append(p->line, only ? "  " : "");
            headed = true;
            if (!only)
                put_line(p, 2);
        }
        if (!only)
            g_string_append_printf(p->line, "%s: ", w.rows->stage);
        way_append(p->line, &w);
        put_line(p, only ? 2 : 4);
    }
}

/* What to run for more, where there is more. */
static void next_steps(page *p)
{
    bool checked = false;
    for (unsigned i = 0; i < p->view->n_clients; i++) {
        const ccm_view_client *c = &p->view->clients[i];
        checked = checked || c->signature.verified || c->signature.failed || c->signature.no_key ||
                  c->signature.unverifiable;
    }
    if (p->refused)
        g_string_append(p->line, "; who was refused: ccmscope exchanges --failed");
    if (p->emptied)
        g_string_append(p->line, "; what was answered empty: ccmscope report --messages");
    if (p->unchecked && !checked)
        g_string_append(p->line, "; signatures are checked by: ccmscope report");
    if (!p->line->len)
        return;
    g_string_erase(p->line, 0, 2);
    put_line(p, 2);
}

void ccm_summary_auth(GString *out, const ccm_view *view, bool color, bool verbose, unsigned width)
{
    page p = { .out = out,
               .line = g_string_new(NULL),
               .view = view,
               .color = color,
               .width = width,
               .troubles = verbose ? G_MAXUINT : TROUBLE_LINES,
               .ways = verbose ? G_MAXUINT : WAY_LINES };
    bool any = false;

    for (unsigned i = 0; i < view->n_routes; i++)
        any = any || view->routes[i].n_auth;
    if (any) {
        ccm_heading(out, color, "AUTHENTICATION", "by route: how, how often and why");
        client_troubles(&p);
        fallback_troubles(&p);
        for (unsigned i = 0; i < view->n_routes; i++)
            route_ways(&p, &view->routes[i]);
        if (p.left)
            g_string_append_printf(out, "  and %u more: ccmscope report --format text\n", p.left);
        next_steps(&p);
    }
    g_string_free(p.line, TRUE);
}
