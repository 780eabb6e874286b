/* SPDX-License-Identifier: GPL-2.0-or-later
 * summary.c - one screen: who plays which role, what went where and how fast, what was lacking.
 * In: a view. Out: about 40 lines, 100 columns. State: none. */
#include "report/proofs.h"
#include "report/smb.h"
#include "report/tls_report.h"

enum {
    ROLE_LINES = 8,
    ROUTE_ROWS = 7,
    LACK_LINES = 7,
    LOOKUPS = 3,
    BAR = 8,
    SPARK = 12,
    NAME_COLUMNS = 22,
    TITLE_COLUMNS = 26
};

typedef struct ccm_role_ref {
    const ccm_view_host *host;
    const ccm_view_role *role;
} ccm_role_ref;

static gint by_certainty(gconstpointer a, gconstpointer b)
{
    const ccm_role_ref *x = a, *y = b;
    if (x->role->certainty != y->role->certainty)
        return x->role->certainty < y->role->certainty ? 1 : -1;
    int order = strcmp(x->role->role, y->role->role);
    return order ? order : ccm_addr_cmp(&x->host->addr, &y->host->addr);
}

static bool is_client(const ccm_view_role *role)
{
    return !strcmp(role->role, "client");
}

/* Roles of servers: clients are many and have a line of their own. */
static GArray *server_roles(const ccm_view *view)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(ccm_role_ref));
    for (unsigned h = 0; h < view->n_hosts; h++)
        for (unsigned r = 0; r < view->hosts[h].n_roles; r++) {
            const ccm_view_role *role = &view->hosts[h].roles[r];
            ccm_role_ref ref = { &view->hosts[h], role };
            if (!is_client(role) && strcmp(role->role, "unknown"))
                g_array_append_val(list, ref);
        }
    g_array_sort(list, by_certainty);
    return list;
}

static void role_row(ccm_grid *t, const ccm_role_ref *ref, const ccm_report_options *o,
                     GString *cell)
{
    char address[CCM_ADDR_TEXT];
    GString *cut = g_string_new(NULL);
    ccm_text_fit(cut, ref->role->title, TITLE_COLUMNS);
    ccm_grid_take(t, CCM_BOLD, cut);
    ccm_grid_cell(t, CCM_PLAIN, ccm_addr_text(&ref->host->addr, address));
    ccm_names_append(cell, ref->host->names, 1, ", ");
    ccm_text_fit(cut, cell->str, NAME_COLUMNS);
    g_string_truncate(cell, 0);
    ccm_grid_take(t, CCM_PLAIN, cut);
    g_string_free(cut, TRUE);
    ccm_grid_cell(t, ccm_certainty_style(ref->role->certainty),
                  ccm_certainty_name(ref->role->certainty));
    ccm_qualifier_append(cell, ref->role);
    ccm_evidence_append(cell, ref->role, o->verbose ? 8 : 2);
    ccm_grid_take(t, CCM_DIM, cell);
}

static void roles(const ccm_view *view, const ccm_report_options *o, unsigned width, GString *out)
{
    GArray *list = server_roles(view);
    unsigned most = o->verbose ? list->len : ROLE_LINES;
    ccm_heading(out, o->color, "ROLES", NULL);
    ccm_grid table;
    ccm_grid_init(&table, "llllf", 2, width);
    GString *cell = g_string_new(NULL);
    for (unsigned i = 0; i < list->len && i < most; i++)
        role_row(&table, &g_array_index(list, ccm_role_ref, i), o, cell);
    ccm_grid_end(&table, out, o->color);
    if (list->len > most)
        g_string_append_printf(out, "  and %u more: ccmscope report --format text\n",
                               list->len - most);
    if (!list->len)
        g_string_append(out, "  none: no traffic here shows a Configuration Manager server\n");
    g_string_free(cell, TRUE);
    g_array_unref(list);
}

static uint64_t wire(const ccm_view_route *r)
{
    return r->wire_bytes[0] + r->wire_bytes[1];
}

static gint by_bytes(gconstpointer a, gconstpointer b)
{
    const ccm_view_route *x = *(const ccm_view_route *const *)a;
    const ccm_view_route *y = *(const ccm_view_route *const *)b;
    if (wire(x) != wire(y))
        return wire(x) < wire(y) ? 1 : -1;
    return x < y ? -1 : x > y; /* the view's own order */
}

static void rate_append(GString *out, const ccm_view_route *r, uint64_t bps)
{
    if (r->rate.interval_s)
        ccm_rate_append(out, bps);
    else
        g_string_append_c(out, '-');
}

static void route_row(ccm_grid *t, const ccm_view_route *r, uint64_t max, GString *cell)
{
    ccm_grid_cell(t, CCM_BOLD, r->route);
    ccm_destination_append(cell, r);
    ccm_grid_take(t, CCM_PLAIN, cell);
    ccm_bar_append(cell, wire(r), max, BAR);
    ccm_grid_take(t, CCM_ACCENT, cell);
    for (unsigned d = 0; d < 2; d++) {
        ccm_bytes_append(cell, r->wire_bytes[d]);
        ccm_grid_take(t, CCM_PLAIN, cell);
    }
    rate_append(cell, r, r->rate.peak_bps);
    ccm_grid_take(t, CCM_PLAIN, cell);
    ccm_count_append(cell, r->connections.attempted + r->connections.midstream +
                               r->connections.datagrams);
    ccm_grid_take(t, CCM_PLAIN, cell);
}

static ccm_style worst_style(const ccm_view_route *r)
{
    for (unsigned i = 0; i < r->statuses.n; i++)
        if (r->statuses.v[i].name[0] == '5')
            return CCM_BAD;
    return r->failed_total ? CCM_WARN : CCM_PLAIN;
}

/* The second line of a route: timeline, certainty, troubles, verbs, statuses. */
static void route_detail(const ccm_view_route *r, bool color, unsigned width, GString *out)
{
    uint64_t columns[SPARK];
    GString *t = g_string_new(NULL), *cut = g_string_new(NULL);
    ccm_spark_append(t, columns, ccm_timeline_fold(&r->timeline, columns, SPARK));
    g_string_append(out, "    ");
    unsigned used = 4 + ccm_text_columns(t->str);
    ccm_paint(out, color, CCM_ACCENT, t->str);
    if (t->len) {
        g_string_append(out, "  ");
        used += 2;
    }
    g_string_assign(t, r->protocol);
    g_string_append_printf(t, ", %s", ccm_certainty_name(r->certainty));
    if (r->decrypted)
        g_string_append(t, ", decrypted");
    if (r->other_protocol) {
        g_string_append(t, ", looks like ");
        ccm_terminal_append(t, r->other_protocol);
    }
    if (r->tls.sessions) {
        g_string_append(t, "; ");
        ccm_tls_words(t, &r->tls);
    }
    g_string_append(t, "; mean ");
    rate_append(t, r, r->rate.mean_bps);
    g_string_append(t, "; ");
    if (!ccm_route_troubles_append(t, r))
        g_string_truncate(t, t->len - 2);
    if (r->channel.state) {
        g_string_append(t, "; ");
        ccm_channel_append(t, r);
    }
    if (r->requests.n) {
        g_string_append(t, "; ");
        ccm_counts_append(t, r->requests, 3, false);
    }
    if (r->statuses.n) {
        g_string_append(t, "; ");
        ccm_counts_append(t, r->statuses, 3, true);
    }
    ccm_wrap_append(cut, t->str, used, width);
    ccm_paint(out, color, worst_style(r), cut->str + used); /* the timeline stands there */
    g_string_free(t, TRUE);
    g_string_free(cut, TRUE);
}

static void route_header(ccm_grid *t)
{
    static const char *const titles[] = { "route",  "to",        "",     "to dst",
                                          "to src", "peak rate", "conns" };
    for (unsigned i = 0; i < G_N_ELEMENTS(titles); i++)
        ccm_grid_cell(t, CCM_DIM, titles[i]);
}

static void rest_of_routes(const GPtrArray *order, unsigned most, GString *out)
{
    uint64_t bytes = 0;
    for (unsigned i = most; i < order->len; i++)
        bytes += wire(order->pdata[i]);
    g_string_append(out, "  and ");
    ccm_plural_append(out, order->len - most, "more row");
    g_string_append(out, " with ");
    ccm_bytes_append(out, bytes);
    g_string_append(out, ": ccmscope report --format text\n");
}

static void routes(const ccm_view *view, const ccm_report_options *o, unsigned width, GString *out)
{
    GPtrArray *order = g_ptr_array_new();
    for (unsigned i = 0; i < view->n_routes; i++)
        g_ptr_array_add(order, (gpointer)&view->routes[i]);
    g_ptr_array_sort(order, by_bytes);
    unsigned shown = o->verbose ? order->len : MIN(order->len, ROUTE_ROWS);
    ccm_heading(out, o->color, "ROUTES", "by bytes on the wire; source opens the connection");
    if (!order->len) {
        g_string_append(out, "  none: nothing was sent\n");
        g_ptr_array_unref(order);
        return;
    }
    ccm_grid table;
    ccm_grid_init(&table, "lflrrrr", 2, width);
    GString *text = g_string_new(NULL);
    route_header(&table);
    for (unsigned i = 0; i < shown; i++)
        route_row(&table, order->pdata[i], wire(order->pdata[0]), text);
    g_string_truncate(text, 0);
    ccm_grid_end(&table, text, o->color);
    g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
    for (unsigned i = 0; i <= shown; i++) {
        g_string_append_printf(out, "%s\n", lines[i]);
        if (i)
            route_detail(order->pdata[i - 1], o->color, width, out);
    }
    if (order->len > shown)
        rest_of_routes(order, shown, out);
    g_string_free(text, TRUE);
    g_ptr_array_unref(order);
}

static void clients(const ccm_view *view, const ccm_report_options *o, unsigned width, GString *out)
{
    uint64_t addresses = 0, known = 0;
    const ccm_view_client *busiest = NULL;
    for (unsigned h = 0; h < view->n_hosts; h++) {
        bool client = false, role_known = false;
        for (unsigned r = 0; r < view->hosts[h].n_roles; r++) {
            client = client || is_client(&view->hosts[h].roles[r]);
            role_known = role_known || strcmp(view->hosts[h].roles[r].role, "unknown") != 0;
        }
        addresses += client;
        known += role_known;
    }
    for (unsigned i = 0; i < view->n_clients; i++)
        if (view->clients[i].total > (busiest ? busiest->total : 0))
            busiest = &view->clients[i];
    ccm_heading(out, o->color, "CLIENTS", NULL);
    GString *t = g_string_new(NULL);
    ccm_count_append(t, addresses);
    g_string_append(t, addresses == 1 ? " address acts as client; " : " addresses act as client; ");
    ccm_plural_append(t, view->n_clients, "client id");
    if (busiest) {
        g_string_append(t, ", busiest ");
        ccm_terminal_append(t, busiest->client_id);
        g_string_append(t, " with ");
        ccm_plural_append(t, busiest->total, "request");
    }
    g_string_append(t, "; ");
    ccm_plural_append(t, view->n_uploads, "upload");
    g_string_append(t, "; role unknown for ");
    ccm_plural_append(t, view->n_hosts - known, "host");
    ccm_wrap_append(out, t->str, 2, width);
    g_string_free(t, TRUE);
}

/* Names that clients did not get; nothing when there are none. */
static void lookups(const ccm_view *view, unsigned width, GString *out)
{
    GString *t = g_string_new(NULL), *list = g_string_new(NULL);
    unsigned failed = 0;

    for (unsigned i = 0; i < view->n_lookups; i++) {
        const ccm_view_lookup *l = &view->lookups[i];
        if (!l->failed || failed++ >= LOOKUPS)
            continue;
        g_string_append(list, list->len ? ", " : "");
        ccm_terminal_append(list, l->name);
        ccm_lookup_append(list, l);
    }
    if (failed) {
        ccm_plural_append(t, failed, "name");
        g_string_append_printf(t, " not resolved: %s%s", list->str,
                               failed > LOOKUPS ? ", ..." : "");
        ccm_wrap_append(out, t->str, 2, width);
    }
    g_string_free(t, TRUE);
    g_string_free(list, TRUE);
}

void ccm_report_summary(const ccm_view *view, const ccm_report_options *options, ccm_out *out)
{
    unsigned width = options->width ? MAX(options->width, 60) : 100;
    GString *title = g_string_new("ccmscope: "), *cut = g_string_new(NULL);
    ccm_capture_title_append(title, &view->capture, 3);
    ccm_text_fit(cut, title->str, width);
    ccm_paint(out->text, options->color, CCM_BOLD, cut->str);
    g_string_append_c(out->text, '\n');
    g_string_truncate(cut, 0);
    ccm_capture_span_append(cut, &view->capture);
    ccm_wrap_append(out->text, cut->str, 0, width);
    roles(view, options, width, out->text);
    routes(view, options, width, out->text);
    ccm_summary_auth(out->text, view, options->color, options->verbose, width);
    ccm_summary_smb(out->text, view, options->color, width);
    clients(view, options, width, out->text);
    lookups(view, width, out->text);
    ccm_lacks_append(out->text, view, options->color, width,
                     options->verbose ? G_MAXUINT : LACK_LINES);
    g_string_free(title, TRUE);
    g_string_free(cut, TRUE);
}
