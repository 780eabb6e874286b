/* SPDX-License-Identifier: GPL-2.0-or-later
 * windows.c - bandwidth over time and throttling windows, as text.
 * In: a view. Out: a table of the routes by bytes, then a part for each source whose pace was
 * judged. State: none. */
#include "report/windows.h"

enum { ROWS = 12, PARTS = 12, LINES = 24, FIXED = 8 };

static uint64_t wire(const ccm_view_route *r)
{
    return r->wire_bytes[0] + r->wire_bytes[1];
}

static gint by_bytes(gconstpointer a, gconstpointer b)
{
    const ccm_view_route *x = *(const ccm_view_route *const *)a,
                         *y = *(const ccm_view_route *const *)b;
    if (wire(x) != wire(y))
        return wire(x) < wire(y) ? 1 : -1;
    return x < y ? -1 : x > y; /* the view's own order */
}

/* ---- bandwidth ------------------------------------------------------------------------------- */

enum { TO = 1, BYTES, MEAN, P95, PEAK, ACTIVE, BUSIEST, OF_LINK, COLUMNS };

static const char *const titles[COLUMNS] = { "route", "to",     "bytes",   "mean",   "p95",
                                             "peak",  "active", "busiest", "of link" };
/* Where a full address needs the room, these go, in this order. */
static const uint8_t spare[] = { BUSIEST, ACTIVE, P95 };

typedef struct bandwidth_table {
    ccm_grid grid;
    GString *cell;
    bool absent[COLUMNS];
    uint64_t link_bps;
} bandwidth_table;

static void take(bandwidth_table *t, unsigned column, ccm_style style)
{
    if (!t->absent[column])
        ccm_grid_take(&t->grid, style, t->cell);
    g_string_truncate(t->cell, 0);
}

/* "1.68 M": the heading tells the unit. */
static void bit_rate(GString *cell, uint64_t bps)
{
    ccm_rate_append(cell, bps);
    g_string_truncate(cell, cell->len - strlen("bit/s"));
    if (g_str_has_suffix(cell->str, " "))
        g_string_truncate(cell, cell->len - 1);
}

static void bandwidth_row(bandwidth_table *t, const ccm_view_route *r)
{
    const uint64_t rates[] = { r->rate.mean_bps, r->rate.p95_bps, r->rate.peak_bps };

    ccm_grid_cell(&t->grid, CCM_BOLD, r->route);
    ccm_destination_append(t->cell, r);
    take(t, TO, CCM_PLAIN);
    ccm_bytes_append(t->cell, wire(r));
    take(t, BYTES, CCM_PLAIN);
    for (unsigned i = 0; i < G_N_ELEMENTS(rates); i++) {
        if (r->rate.interval_s)
            bit_rate(t->cell, rates[i]);
        take(t, MEAN + i, CCM_PLAIN);
    }
    if (r->active.seconds)
        bit_rate(t->cell, r->active.bps);
    take(t, ACTIVE, CCM_PLAIN);
    if (r->busiest[0].bytes) {
        ccm_time_of_day_append(t->cell, r->busiest[0].start_ns);
        g_string_truncate(t->cell, t->cell->len - 7); /* minutes */
        g_string_append_c(t->cell, ' ');
        bit_rate(t->cell, r->busiest[0].bytes * 8 / r->busiest[0].length_s);
    }
    take(t, BUSIEST, CCM_PLAIN);
    if (t->link_bps && r->rate.interval_s)
        g_string_append_printf(t->cell, "%u %%", (unsigned)(r->rate.peak_bps * 100 / t->link_bps));
    take(t, OF_LINK, CCM_PLAIN);
}

static void bandwidth_fill(bandwidth_table *t, const GPtrArray *order, unsigned shown,
                           unsigned width)
{
    char format[COLUMNS + 1];
    unsigned n = 0;

    for (unsigned c = 0; c < COLUMNS; c++)
        if (!t->absent[c])
            format[n++] = "lfrrrrrrr"[c];
    format[n] = '\0';
    ccm_grid_init(&t->grid, format, 2, width);
    for (unsigned c = 0; c < COLUMNS; c++)
        if (!t->absent[c])
            ccm_grid_cell(&t->grid, CCM_DIM, titles[c]);
    for (unsigned i = 0; i < shown; i++)
        bandwidth_row(t, order->pdata[i]);
}

static void bandwidth(const ccm_view *view, const ccm_report_options *o, const GPtrArray *order,
                      unsigned width, GString *out)
{
    unsigned shown = o->verbose ? order->len : MIN(order->len, (unsigned)ROWS), left = 0;
    bandwidth_table t = { .cell = g_string_new(NULL), .link_bps = view->link_bps };

    ccm_heading(out, o->color, "BANDWIDTH",
                "both directions, on the wire; rates in bit/s, peak and p95 by second; UTC");
    t.absent[OF_LINK] = !view->link_bps;
    bandwidth_fill(&t, order, shown, width);
    while (left < G_N_ELEMENTS(spare) && ccm_grid_width(&t.grid) > width) {
        ccm_grid_clear(&t.grid);
        t.absent[spare[left++]] = true;
        bandwidth_fill(&t, order, shown, width);
    }
    ccm_grid_end(&t.grid, out, o->color);
    for (unsigned i = 0; i < left; i++)
        g_string_append_printf(out, "%s%s", i ? ", " : "  no room for: ", titles[spare[i]]);
    if (left)
        g_string_append(out, "; --json has them\n");
    if (order->len > shown) {
        g_string_append(out, "  and ");
        ccm_plural_append(out, order->len - shown, "more row");
        g_string_append(out, ": -v\n");
    }
    g_string_free(t.cell, TRUE);
}

/* ---- one source ------------------------------------------------------------------------------ */

void ccm_measures_append(GString *out, const ccm_view_measures *is)
{
    const char *separator = "";

    if (is->block_high) {
        uint64_t low = (is->block_low + 512) / 1024, high = (is->block_high + 512) / 1024;
        g_string_append(out, "blocks of ");
        if (low < high)
            g_string_append_printf(out, "%" G_GUINT64_FORMAT " to ", low);
        g_string_append_printf(out, "%" G_GUINT64_FORMAT " KiB", high);
        separator = ", ";
    }
    if (is->delay_high_ns) {
        g_string_append_printf(out, "%sdelay ", separator);
        ccm_seconds_append(out, is->delay_high_ns);
        g_string_append(out, " s");
        separator = ", ";
    }
    if (is->percent_high) {
        g_string_append_printf(out, "%s%u.%u to %u.%u %% of the time", separator,
                               is->percent_low / 10, is->percent_low % 10, is->percent_high / 10,
                               is->percent_high % 10);
        g_string_append_printf(out, " (sending %u.%02u %%)", is->duty / 100, is->duty % 100);
        separator = ", ";
    }
    if (is->rate_bps) {
        g_string_append(out, separator);
        ccm_rate_append(out, is->rate_bps);
    }
}

/* "no-limit-seen" -> '.', as the legend says. */
static char letter(const char *verdict)
{
    static const char *const names[] = { "no-limit-seen",   "pulse",         "hourly",
                                         "schedule-closed", "priority-only", "rate-capped",
                                         "bits-window",     "irregular" };
    for (unsigned i = 0; verdict && i < G_N_ELEMENTS(names); i++)
        if (!strcmp(verdict, names[i]))
            return ".phxjcb?"[i];
    return ' ';
}

static void week(GString *out, const ccm_view_throttle *t)
{
    static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };

    for (unsigned day = 0; day < 7; day++) {
        bool any = false;
        for (unsigned h = 0; h < 24; h++)
            any |= t->hours[day * 24 + h] != NULL;
        if (!any)
            continue;
        g_string_append_printf(out, "      %s ", days[day]);
        for (unsigned h = 0; h < 24; h++)
            g_string_append_printf(out, "%c", letter(t->hours[day * 24 + h]));
        g_string_append_c(out, '\n');
    }
}

/* Bytes by hour of the day as a chart, and the verdict of each hour of the week below it. */
static void chart(GString *out, const ccm_view_throttle *t, bool color)
{
    GString *spark = g_string_new(NULL);

    ccm_spark_append(spark, t->day_bytes, 24);
    g_string_append(out, "    hour  0     6     12    18    23 ");
    g_string_append_printf(out, "(%s%s)\n          ", t->time_zone,
                           t->zone_assumed ? ", assumed" : "");
    ccm_paint(out, color, CCM_ACCENT, spark->str);
    g_string_append(out, "  bytes\n");
    if (t->hours)
        week(out, t);
    g_string_free(spark, TRUE);
}

static void window_rows(GString *out, const ccm_view_throttle *t, const ccm_report_options *o,
                        unsigned width)
{
    unsigned shown = o->verbose ? t->n_windows : MIN(t->n_windows, (unsigned)LINES);
    ccm_grid g;

    if (t->n_windows < 2)
        return;
    GString *cell = g_string_new(NULL);
    ccm_grid_init(&g, "lllrf", 4, width);
    for (unsigned i = 0; i < shown; i++) {
        const ccm_view_window *w = &t->windows[i];
        ccm_clock_append(cell, w->start_ns);
        g_string_append(cell, " to ");
        ccm_clock_append(cell, w->end_ns);
        ccm_grid_take(&g, CCM_PLAIN, cell);
        ccm_grid_cell(&g, CCM_BOLD, w->verdict);
        ccm_grid_cell(&g, ccm_certainty_style(w->certainty), ccm_certainty_name(w->certainty));
        ccm_bytes_append(cell, w->bytes);
        ccm_grid_take(&g, CCM_PLAIN, cell);
        ccm_measures_append(cell, &w->is);
        ccm_grid_take(&g, CCM_PLAIN, cell);
    }
    ccm_grid_end(&g, out, o->color);
    if (t->n_windows > shown)
        g_string_append_printf(out, "    and %u more windows: -v\n", t->n_windows - shown);
    g_string_free(cell, TRUE);
}

static void deviations(GString *out, const ccm_view_throttle *t, const ccm_report_options *o)
{
    unsigned shown = o->verbose ? t->n_deviations : MIN(t->n_deviations, (unsigned)LINES);

    if (t->compared && !t->n_deviations)
        ccm_paint(out, o->color, CCM_GOOD, "    nothing deviates from the configuration\n");
    for (unsigned i = 0; i < shown; i++) {
        const ccm_view_deviation *d = &t->deviations[i];
        GString *line = g_string_new("    NOT AS CONFIGURED ");
        ccm_clock_append(line, d->start_ns);
        g_string_append(line, " to ");
        ccm_clock_append(line, d->end_ns);
        g_string_append_printf(line, ": %s; configured: %s\n", d->observed, d->expected);
        ccm_paint(out, o->color, CCM_BAD, line->str);
        g_string_free(line, TRUE);
    }
    if (t->n_deviations > shown)
        g_string_append_printf(out, "    and %u more: -v\n", t->n_deviations - shown);
}

static void part(GString *out, const ccm_view_route *r, const ccm_view_throttle *t,
                 const ccm_report_options *o, unsigned width)
{
    char text[CCM_ADDR_TEXT];
    GString *line = g_string_new(NULL);

    g_string_append_printf(line, "  %s  %s to ", r->route,
                           t->source.family ? ccm_addr_text(&t->source, text) : "many");
    ccm_destination_append(line, r);
    ccm_paint(out, o->color, CCM_BOLD, line->str);
    g_string_assign(line, "  ");
    g_string_append_printf(line, "%s, %s\n", t->verdict, ccm_certainty_name(t->certainty));
    ccm_paint(out, o->color, ccm_certainty_style(t->certainty), line->str);
    g_string_assign(line, "");
    ccm_measures_append(line, &t->is);
    g_string_append_printf(line, "%s", line->len ? "; " : "");
    ccm_bytes_append(line, t->bytes);
    if (t->discarded_files) {
        g_string_append(line, "; discarded ");
        ccm_bytes_append(line, t->discarded_bytes);
        g_string_append(line, " of ");
        ccm_plural_append(line, t->discarded_files, "partial file");
    }
    if (t->connections_peak > 1)
        g_string_append_printf(line, "; at most %" G_GUINT64_FORMAT " connections at once",
                               t->connections_peak);
    ccm_wrap_append(out, line->str, 4, width);
    chart(out, t, o->color);
    window_rows(out, t, o, width);
    deviations(out, t, o);
    for (unsigned i = 0; i < t->notes.n; i++) {
        g_string_assign(line, "note: ");
        g_string_append(line, t->notes.v[i]);
        ccm_wrap_append(out, line->str, 4, width);
    }
    g_string_free(line, TRUE);
}

/* What filled the link. */
static void contents(const ccm_view *view, const ccm_report_options *o, unsigned width,
                     GString *out)
{
    unsigned shown = o->verbose ? view->n_contents : MIN(view->n_contents, (unsigned)ROWS);
    GString *cell = g_string_new(NULL);
    ccm_grid g;

    if (view->n_contents) {
        ccm_heading(out, o->color, "CONTENT", "bodies of answers by package or content id");
        ccm_grid_init(&g, "lrlrf", 2, width);
        for (unsigned i = 0; i < shown; i++) {
            const ccm_view_content *c = &view->contents[i];
            ccm_terminal_append(cell, c->id);
            ccm_grid_take(&g, CCM_BOLD, cell);
            ccm_bytes_append(cell, c->bytes);
            ccm_grid_take(&g, CCM_PLAIN, cell);
            ccm_bar_append(cell, c->bytes, view->contents[0].bytes, 8);
            ccm_grid_take(&g, CCM_ACCENT, cell);
            ccm_plural_append(cell, c->n_clients, "client");
            ccm_grid_take(&g, CCM_PLAIN, cell);
            for (unsigned r = 0; r < c->routes.n; r++)
                g_string_append_printf(cell, "%s%s", r ? ", " : "", c->routes.v[r].name);
            ccm_grid_take(&g, CCM_PLAIN, cell);
        }
        ccm_grid_end(&g, out, o->color);
        if (view->n_contents > shown)
            g_string_append_printf(out, "  and %u more: -v\n", view->n_contents - shown);
    }
    g_string_free(cell, TRUE);
}

static bool is_fixed(const ccm_view_route *r)
{
    return r->n_throttle && !r->throttle->time_zone;
}

/* The routes that the product has no limit for, by bytes. */
static void fixed_routes(GString *out, const GPtrArray *order, unsigned n, bool verbose,
                         unsigned width)
{
    unsigned most = verbose ? n : MIN(n, (unsigned)FIXED), shown = 0;
    g_autoptr(GString) line = g_string_new(NULL);

    if (!n)
        return;
    ccm_plural_append(line, n, "other route");
    g_string_append(line, " cannot be limited by the product (not-throttleable): ");
    for (unsigned i = 0; i < order->len && shown < most; i++) {
        const ccm_view_route *r = order->pdata[i];
        if (!is_fixed(r))
            continue;
        g_string_append_printf(line, "%s%s to ", shown++ ? ", " : "", r->route);
        ccm_destination_append(line, r);
    }
    if (n > most)
        g_string_append_printf(line, ", +%u more", n - most);
    ccm_wrap_append(out, line->str, 2, width);
}

static void parts(const ccm_report_options *o, const GPtrArray *order, unsigned width, GString *out)
{
    unsigned shown = 0, left = 0, fixed = 0;

    ccm_heading(out, o->color, "WINDOWS",
                "by hour: . no limit seen, p pulse, h hourly, x closed, j some jobs, c capped, b "
                "BITS window, ? irregular");
    for (unsigned i = 0; i < order->len; i++) {
        const ccm_view_route *r = order->pdata[i];
        fixed += is_fixed(r);
        for (unsigned k = 0; k < r->n_throttle; k++) {
            if (!r->throttle[k].time_zone)
                continue;
            if (shown >= PARTS && !o->verbose) {
                left++;
                continue;
            }
            shown++;
            part(out, r, &r->throttle[k], o, width);
        }
        left += r->throttle_left;
    }
    if (!shown)
        g_string_append(out, "  none: no route here can be limited by the product\n");
    if (left)
        g_string_append_printf(out, "  and %u more: -v, or --json\n", left);
    fixed_routes(out, order, fixed, o->verbose, width);
}

void ccm_report_windows(const ccm_view *view, const ccm_report_options *options, ccm_out *out)
{
    unsigned width = options->width ? MAX(options->width, 60) : 100;
    GPtrArray *order = g_ptr_array_new();

    for (unsigned i = 0; i < view->n_routes; i++)
        g_ptr_array_add(order, (gpointer)&view->routes[i]);
    g_ptr_array_sort(order, by_bytes);
    ccm_capture_span_append(out->text, &view->capture);
    g_string_append_c(out->text, '\n');
    bandwidth(view, options, order, width, out->text);
    contents(view, options, width, out->text);
    parts(options, order, width, out->text);
    ccm_lacks_append(out->text, view, options->color, width, 7);
    g_ptr_array_free(order, TRUE);
}
