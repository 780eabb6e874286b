/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb.c - sessions, shares and files of SMB as JSON, as text and in the summary.
 * In: a view, or an exchange. Out: members, lines. State: none. */
#include "report/smb.h"

enum { FILE_LINES = 12, SESSION_LINES = 8, SUMMARY_LINES = 4 };

/* ---- JSON ------------------------------------------------------------------------------------ */

static void json_session(ccm_json *j, const ccm_view_smb_session *s)
{
    ccm_json_open_inline(j, NULL, '{');
    ccm_json_text(j, "account", s->account);
    ccm_json_text(j, "kind", s->account_kind);
    ccm_json_text(j, "mechanism", s->mechanism);
    ccm_json_text(j, "dialect", s->dialect);
    ccm_json_bool(j, "signed", s->is_signed);
    ccm_json_bool(j, "encrypted", s->encrypted);
    ccm_json_text(j, "result", s->status ? s->status : s->answered ? "STATUS_SUCCESS" : NULL);
    ccm_json_u64(j, "count", s->count);
    ccm_json_u64(j, "first_frame", s->first_frame);
    ccm_json_close(j, '}');
}

static void json_share(ccm_json *j, const ccm_view_smb_share *s)
{
    ccm_json_open_inline(j, NULL, '{');
    ccm_json_text(j, "share", s->share);
    ccm_json_text(j, "mark", s->mark);
    ccm_json_bool(j, "encrypted", s->encrypted);
    ccm_json_text(j, "error", s->status);
    ccm_json_u64(j, "count", s->count);
    ccm_json_u64(j, "first_frame", s->first_frame);
    ccm_json_close(j, '}');
}

static void json_file(ccm_json *j, const ccm_view_smb_file *f)
{
    ccm_json_open_inline(j, NULL, '{');
    ccm_json_text(j, "path", f->path);
    ccm_json_u64(j, "bytes", f->written + f->was_read);
    ccm_json_text(j, "direction", f->direction);
    ccm_json_u64(j, "written", f->written);
    ccm_json_u64(j, "read", f->was_read);
    if (f->missing)
        ccm_json_u64(j, "missing_bytes", f->missing);
    if (f->at_least)
        ccm_json_bool(j, "bytes_at_least", true);
    ccm_json_u64(j, "handles", f->handles);
    ccm_json_u64(j, "complete", f->complete);
    if (f->deleted)
        ccm_json_bool(j, "deleted", true);
    if (f->discarded)
        ccm_json_u64(j, "discarded", f->discarded);
    ccm_json_text(j, "renamed_to", f->renamed_to);
    ccm_json_text(j, "error", f->status);
    ccm_json_u64(j, "first_frame", f->first_frame);
    ccm_json_seen(j, f->first_seen_ns, f->last_seen_ns);
    ccm_json_close(j, '}');
}

static void json_talk(ccm_json *j, const ccm_view_smb *s)
{
    char text[CCM_ADDR_TEXT];
    ccm_json_open(j, NULL, '{');
    ccm_json_text(j, "client", ccm_addr_text(&s->client, text));
    ccm_json_text(j, "server", ccm_addr_text(&s->server, text));
    ccm_json_u64(j, "port", s->port);
    ccm_json_u64(j, "connections", s->connections);
    if (s->negotiations) {
        ccm_json_bool(j, "large_mtu", s->large_mtu);
        ccm_json_u64(j, "max_read_size", s->max_read);
        ccm_json_u64(j, "max_write_size", s->max_write);
    }
    if (s->credit_charge)
        ccm_json_u64(j, "credit_charge_max", s->credit_charge);
    if (s->credits)
        ccm_json_u64(j, "credits_granted_max", s->credits);
    ccm_json_both(j, "file_bytes", s->bytes);
    ccm_json_both(j, "encrypted_bytes", s->encrypted);
    ccm_json_u64(j, "missing_bytes", s->missing);
    ccm_json_open(j, "sessions", '[');
    for (unsigned i = 0; i < s->n_sessions; i++)
        json_session(j, &s->sessions[i]);
    ccm_json_close(j, ']');
    ccm_json_open(j, "shares", '[');
    for (unsigned i = 0; i < s->n_shares; i++)
        json_share(j, &s->shares[i]);
    ccm_json_close(j, ']');
    ccm_json_open(j, "files", '[');
    for (unsigned i = 0; i < s->n_files; i++)
        json_file(j, &s->files[i]);
    ccm_json_close(j, ']');
    ccm_json_close(j, '}');
}

void ccm_json_smb(ccm_json *j, const ccm_view *view, ccm_out *out)
{
    ccm_json_open(j, "smb", '[');
    for (unsigned i = 0; i < view->n_smb; i++, ccm_out_drain(out))
        json_talk(j, &view->smb[i]);
    ccm_json_close(j, ']');
}

void ccm_exchange_json_smb(ccm_json *j, const ccm_exchange *x)
{
    if (!x->smb.present)
        return;
    ccm_json_open(j, "smb", '{');
    ccm_json_text(j, "share", x->smb.share);
    ccm_json_text(j, "account", x->smb.account);
    ccm_json_text(j, "direction", x->smb.direction);
    ccm_json_text(j, "status", x->smb.status);
    ccm_json_text(j, "disposition", x->smb.disposition);
    ccm_json_text(j, "action", x->smb.action);
    if (x->smb.has_data) {
        ccm_json_time(j, "data_start", x->smb.data_start_ns);
        ccm_json_time(j, "data_end", x->smb.data_end_ns);
    }
    if (x->smb.has_size)
        ccm_json_u64(j, "file_size", x->smb.size);
    if (x->smb.deleted)
        ccm_json_bool(j, "deleted", true);
    ccm_json_text(j, "renamed_to", x->smb.renamed_to);
    ccm_json_close(j, '}');
}

void ccm_exchange_smb_notes(GString *out, const ccm_exchange *x,
                            void (*note)(GString *out, const char *words))
{
    if (!x->smb.present)
        return;
    if (x->smb.failed && x->smb.status)
        note(out, x->smb.status);
    if (x->smb.deleted)
        note(out, "deleted");
    if (x->smb.renamed_to) {
        note(out, "renamed to ");
        ccm_terminal_append(out, x->smb.renamed_to);
    }
    if (x->smb.account) {
        note(out, "as ");
        ccm_terminal_append(out, x->smb.account);
    }
}

/* ---- text ------------------------------------------------------------------------------------ */

/* "ntlm computer LAB\SITE1$, SMB 3.1.1, signed". */
static void session_append(GString *out, const ccm_view_smb_session *s)
{
    g_string_append(out, s->mechanism);
    if (s->account_kind)
        g_string_append_printf(out, " %s", s->account_kind);
    if (s->account) {
        g_string_append_c(out, ' ');
        ccm_terminal_append(out, s->account);
    }
    if (s->dialect)
        g_string_append_printf(out, ", SMB %s", s->dialect);
    g_string_append(out, s->encrypted   ? ", encrypted"
                         : s->is_signed ? ", signed"
                         : s->status    ? ""
                                        : ", not signed");
    if (s->status) {
        g_string_append(out, ", refused: ");
        ccm_terminal_append(out, s->status);
    } else if (!s->answered) {
        g_string_append(out, ", no answer seen");
    }
    if (s->count > 1)
        g_string_append_printf(out, " ×%" G_GUINT64_FORMAT, s->count);
}

static gint by_bytes(gconstpointer a, gconstpointer b)
{
    const ccm_view_smb_file *x = *(const ccm_view_smb_file *const *)a;
    const ccm_view_smb_file *y = *(const ccm_view_smb_file *const *)b;
    uint64_t m = x->written + x->was_read, n = y->written + y->was_read;
    return m != n ? (m < n ? 1 : -1) : x < y ? -1 : x > y;
}

/* A comma between two things, none before the first. */
static void and_then(GString *line)
{
    if (line->len)
        g_string_append(line, ", ");
}

static void file_line(GString *out, const ccm_view_smb_file *f, bool color)
{
    g_autoptr(GString) line = g_string_new(NULL);
    const uint64_t bytes[] = { f->written, f->was_read, f->discarded, f->missing };
    static const char *const words[] = { " written", " read", " of it for nothing: it was deleted",
                                         " not captured" };
    for (unsigned i = 0; i < G_N_ELEMENTS(bytes); i++) {
        if (!bytes[i])
            continue;
        and_then(line);
        if (f->at_least && i < 2)
            g_string_append(line, "at least ");
        ccm_bytes_append(line, bytes[i]);
        g_string_append(line, words[i]);
    }
    if (f->handles > 1) {
        and_then(line);
        g_string_append_printf(line, "opened %" G_GUINT64_FORMAT " times", f->handles);
    }
    if (f->deleted) {
        and_then(line);
        g_string_append(line, "deleted");
    }
    if (f->renamed_to) {
        and_then(line);
        g_string_append(line, "renamed to ");
        ccm_terminal_append(line, f->renamed_to);
    }
    if (!f->status && f->complete < f->handles) {
        and_then(line);
        g_string_append(line, "end or beginning not seen");
    }
    if (f->status) {
        and_then(line);
        ccm_paint(line, color, CCM_BAD, f->status);
    }
    g_string_append(out, "    ");
    ccm_terminal_append(out, f->path);
    g_string_append_printf(out, "  %s\n", line->str);
}

static void files(GString *out, const ccm_view_smb *s, bool color, bool verbose)
{
    GPtrArray *order = g_ptr_array_new();
    for (unsigned i = 0; i < s->n_files; i++)
        g_ptr_array_add(order, (gpointer)&s->files[i]);
    g_ptr_array_sort(order, by_bytes);
    unsigned most = verbose ? order->len : MIN(order->len, (unsigned)FILE_LINES);
    for (unsigned i = 0; i < most; i++)
        file_line(out, order->pdata[i], color);
    if (most < order->len)
        g_string_append_printf(out, "    and %u more: -v or --format json\n", order->len - most);
    g_ptr_array_unref(order);
}

static void bytes_line(GString *line, const ccm_view_smb *s)
{
    ccm_bytes_append(line, s->bytes[0]);
    g_string_append(line, " of files written, ");
    ccm_bytes_append(line, s->bytes[1]);
    g_string_append(line, " read");
    if (s->encrypted[0] + s->encrypted[1]) {
        g_string_append(line, "; encrypted: ");
        ccm_bytes_append(line, s->encrypted[0]);
        g_string_append(line, " to the server, ");
        ccm_bytes_append(line, s->encrypted[1]);
        g_string_append(line, " back");
    }
}

/* What one request may carry, and what was paid for it. */
static void size_line(GString *out, const ccm_view_smb *s, unsigned width)
{
    g_autoptr(GString) line = g_string_new(NULL);
    if (s->negotiations)
        g_string_append_printf(line,
                               "%s large MTU: reads of at most %" G_GUINT64_FORMAT
                               " bytes, writes of %" G_GUINT64_FORMAT,
                               s->large_mtu ? "with" : "without", s->max_read, s->max_write);
    const char *before = line->len ? "; credits: at most " : "credits: at most ";
    if (s->credit_charge) {
        g_string_append_printf(line, "%s%" G_GUINT64_FORMAT " used by one request", before,
                               s->credit_charge);
        before = ", ";
    }
    if (s->credits)
        g_string_append_printf(line, "%s%" G_GUINT64_FORMAT " granted by one answer", before,
                               s->credits);
    if (line->len)
        ccm_wrap_append(out, line->str, 4, width);
}

static void share_append(GString *line, const ccm_view_smb_share *s)
{
    ccm_terminal_append(line, *s->share ? s->share : "a share whose name was not seen");
    if (s->title)
        g_string_append_printf(line, " (%s)", s->title);
    g_string_append(line, s->encrypted ? ", encrypted" : "");
    if (s->status)
        g_string_append_printf(line, ", refused: %s", s->status);
}

static void talk(GString *out, const ccm_view_smb *s, bool color, bool verbose, unsigned width)
{
    char client[CCM_ADDR_TEXT], server[CCM_ADDR_TEXT];
    g_autoptr(GString) line = g_string_new(NULL);
    g_string_append_printf(line, "%s to %s:%u: ", ccm_addr_text(&s->client, client),
                           ccm_addr_text(&s->server, server), s->port);
    bytes_line(line, s);
    ccm_wrap_append(out, line->str, 2, width);
    size_line(out, s, width);
    unsigned most = verbose ? s->n_sessions : MIN(s->n_sessions, (unsigned)SESSION_LINES);
    for (unsigned i = 0; i < most; i++) {
        g_string_assign(line, "session ");
        session_append(line, &s->sessions[i]);
        ccm_wrap_append(out, line->str, 4, width);
    }
    if (most < s->n_sessions)
        g_string_append_printf(out, "    and %u more sessions\n", s->n_sessions - most);
    for (unsigned i = 0; i < s->n_shares; i++) {
        g_string_assign(line, "share ");
        share_append(line, &s->shares[i]);
        ccm_wrap_append(out, line->str, 4, width);
    }
    files(out, s, color, verbose);
}

void ccm_text_smb(ccm_out *out, const ccm_view *view, bool color, bool verbose, unsigned width)
{
    if (!view->n_smb)
        return;
    ccm_heading(out->text, color, "SMB", NULL);
    for (unsigned i = 0; i < view->n_smb; i++, ccm_out_drain(out))
        talk(out->text, &view->smb[i], color, verbose, width);
}

/* ---- summary --------------------------------------------------------------------------------- */

static gint by_traffic(gconstpointer a, gconstpointer b)
{
    const ccm_view_smb *x = *(const ccm_view_smb *const *)a;
    const ccm_view_smb *y = *(const ccm_view_smb *const *)b;
    uint64_t m = x->bytes[0] + x->bytes[1] + x->encrypted[0] + x->encrypted[1];
    uint64_t n = y->bytes[0] + y->bytes[1] + y->encrypted[0] + y->encrypted[1];
    return m != n ? (m < n ? 1 : -1) : x < y ? -1 : x > y;
}

static void summary_line(GString *out, const ccm_view_smb *s, unsigned width)
{
    char client[CCM_ADDR_TEXT], server[CCM_ADDR_TEXT];
    g_autoptr(GString) line = g_string_new(NULL);
    uint64_t wasted = 0;
    unsigned refused = 0;
    g_string_append_printf(line, "%s to %s: ", ccm_addr_text(&s->client, client),
                           ccm_addr_text(&s->server, server));
    bytes_line(line, s);
    for (unsigned i = 0; i < s->n_files; i++)
        wasted += s->files[i].discarded;
    for (unsigned i = 0; i < s->n_sessions; i++)
        refused += s->sessions[i].status != NULL;
    if (wasted) {
        g_string_append(line, "; ");
        ccm_bytes_append(line, wasted);
        g_string_append(line, " written and deleted again");
    }
    if (refused) {
        g_string_append(line, "; ");
        ccm_plural_append(line, refused, "account");
        g_string_append(line, " refused");
    }
    ccm_wrap_append(out, line->str, 2, width);
}

void ccm_summary_smb(GString *out, const ccm_view *view, bool color, unsigned width)
{
    if (!view->n_smb)
        return;
    GPtrArray *order = g_ptr_array_new();
    for (unsigned i = 0; i < view->n_smb; i++)
        g_ptr_array_add(order, (gpointer)&view->smb[i]);
    g_ptr_array_sort(order, by_traffic);
    ccm_heading(out, color, "SMB", NULL);
    for (unsigned i = 0; i < MIN(order->len, (unsigned)SUMMARY_LINES); i++)
        summary_line(out, order->pdata[i], width);
    if (order->len > SUMMARY_LINES)
        g_string_append_printf(out, "  and %u more: ccmscope report --format text\n",
                               order->len - SUMMARY_LINES);
    g_ptr_array_unref(order);
}
