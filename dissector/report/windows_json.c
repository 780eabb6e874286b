/* SPDX-License-Identifier: GPL-2.0-or-later
 * windows_json.c - bandwidth and limits of a route, as JSON and as CSV.
 * In: a view. Out: members of a route object; lines. State: none. */
#include "report/windows.h"

#define TENTH UINT64_C(100000000) /* what ccm_json_seconds prints as 0.1 */

static void pair(ccm_json *j, const char *key, uint64_t low, uint64_t high)
{
    if (!high)
        return;
    ccm_json_open_inline(j, key, '{');
    ccm_json_u64(j, "low", low);
    ccm_json_u64(j, "high", high);
    ccm_json_close(j, '}');
}

/* Nanoseconds, or other numbers times 10^9. */
static void fractions(ccm_json *j, const char *key, uint64_t low, uint64_t high)
{
    if (!high)
        return;
    ccm_json_open_inline(j, key, '{');
    ccm_json_seconds(j, "low", low);
    ccm_json_seconds(j, "high", high);
    ccm_json_close(j, '}');
}

static void measures(ccm_json *j, const ccm_view_measures *is)
{
    pair(j, "block_bytes", is->block_low, is->block_high);
    fractions(j, "delay_s", is->delay_low_ns, is->delay_high_ns);
    fractions(j, "percent", is->percent_low * TENTH, is->percent_high * TENTH);
    if (is->duty)
        ccm_json_seconds(j, "duty", is->duty * (TENTH / 1000));
    if (is->rate_bps)
        ccm_json_u64(j, "rate_bps", is->rate_bps);
}

static void hours(ccm_json *j, const ccm_view_throttle *t)
{
    bool any = false;

    for (unsigned h = 0; t->hours && h < CCM_VIEW_WEEK; h++)
        any |= t->hours[h] != NULL;
    if (!any)
        return;
    ccm_json_open(j, "hours", '[');
    for (unsigned day = 0; day < 7; day++) {
        ccm_json_open_inline(j, NULL, '[');
        for (unsigned h = 0; h < 24; h++)
            if (t->hours[day * 24 + h])
                ccm_json_text(j, NULL, t->hours[day * 24 + h]);
            else
                ccm_json_null(j, NULL);
        ccm_json_close(j, ']');
    }
    ccm_json_close(j, ']');
}

static void windows(ccm_json *j, const ccm_view_throttle *t)
{
    ccm_json_open(j, "windows", '[');
    for (unsigned i = 0; i < t->n_windows; i++) {
        const ccm_view_window *w = &t->windows[i];
        ccm_json_open_inline(j, NULL, '{');
        ccm_json_time(j, "start", w->start_ns);
        ccm_json_time(j, "end", w->end_ns);
        ccm_json_text(j, "verdict", w->verdict);
        ccm_json_text(j, "certainty", ccm_certainty_name(w->certainty));
        measures(j, &w->is);
        ccm_json_u64(j, "bytes", w->bytes);
        ccm_json_close(j, '}');
    }
    ccm_json_close(j, ']');
}

static void compliance(ccm_json *j, const ccm_view_throttle *t)
{
    if (!t->compared)
        return;
    ccm_json_open(j, "compliance", '[');
    for (unsigned i = 0; i < t->n_deviations; i++) {
        const ccm_view_deviation *d = &t->deviations[i];
        ccm_json_open_inline(j, NULL, '{');
        ccm_json_time(j, "start", d->start_ns);
        ccm_json_time(j, "end", d->end_ns);
        ccm_json_text(j, "rule", d->rule);
        ccm_json_text(j, "observed", d->observed);
        ccm_json_text(j, "expected", d->expected);
        ccm_json_u64(j, "bytes", d->bytes);
        ccm_json_close(j, '}');
    }
    ccm_json_close(j, ']');
}

static void concurrency(ccm_json *j, const ccm_view_throttle *t)
{
    if (!t->active_s)
        return;
    ccm_json_open_inline(j, "concurrency", '{');
    ccm_json_u64(j, "connections_peak", t->connections_peak);
    ccm_json_seconds(j, "connections_mean", t->connections_tenths * TENTH);
    if (t->files)
        ccm_json_seconds(j, "files_mean", t->files_tenths * TENTH);
    ccm_json_close(j, '}');
}

static void throttle(ccm_json *j, const char *key, const ccm_view_throttle *t)
{
    char text[CCM_ADDR_TEXT];

    ccm_json_open(j, key, '{');
    if (t->source.family)
        ccm_json_text(j, "source", ccm_addr_text(&t->source, text));
    ccm_json_text(j, "verdict", t->verdict);
    ccm_json_text(j, "certainty", ccm_certainty_name(t->certainty));
    measures(j, &t->is);
    ccm_json_u64(j, "bytes", t->bytes);
    if (t->time_zone) { /* it was looked at */
        ccm_json_u64(j, "discarded_bytes", t->discarded_bytes);
        if (t->files)
            ccm_json_u64(j, "files", t->files);
        concurrency(j, t);
        ccm_json_text(j, "time_zone", t->time_zone);
        ccm_json_bool(j, "time_zone_assumed", t->zone_assumed);
        hours(j, t);
        ccm_json_open(j, "notes", '[');
        for (unsigned i = 0; i < t->notes.n; i++)
            ccm_json_text(j, NULL, t->notes.v[i]);
        ccm_json_close(j, ']');
        windows(j, t);
        compliance(j, t);
    }
    ccm_json_close(j, '}');
}

void ccm_json_throttle(ccm_json *j, const ccm_view_route *r)
{
    if (!r->n_throttle)
        return;
    throttle(j, "throttle", &r->throttle[0]);
    if (r->n_throttle == 1)
        return;
    ccm_json_open(j, "other_throttles", '[');
    for (unsigned i = 1; i < r->n_throttle; i++)
        throttle(j, NULL, &r->throttle[i]);
    ccm_json_close(j, ']');
    if (r->throttle_left)
        ccm_json_u64(j, "throttles_left_out", r->throttle_left);
}

void ccm_json_bandwidth(ccm_json *j, const ccm_view_route *r, uint64_t link_bps)
{
    ccm_json_open(j, "bandwidth", '{');
    if (r->active.seconds) {
        ccm_json_u64(j, "active_s", r->active.seconds);
        ccm_json_u64(j, "active_bps", r->active.bps);
        ccm_json_u64(j, "connections_peak", r->active.connections_peak);
        ccm_json_seconds(j, "connections_mean",
                         (r->active.connection_seconds * 10 + r->active.seconds / 2) /
                             r->active.seconds * TENTH);
    }
    if (link_bps) { /* in tenths of a percent */
        ccm_json_seconds(j, "link_percent_mean",
                         r->rate.mean_bps * UINT64_C(1000) / link_bps * TENTH);
        ccm_json_seconds(j, "link_percent_peak",
                         r->rate.peak_bps * UINT64_C(1000) / link_bps * TENTH);
    }
    ccm_json_open(j, "busiest", '[');
    for (unsigned i = 0; i < CCM_VIEW_BUSIEST && r->busiest[i].bytes; i++) {
        ccm_json_open_inline(j, NULL, '{');
        ccm_json_time(j, "start", r->busiest[i].start_ns);
        ccm_json_u64(j, "length_s", r->busiest[i].length_s);
        ccm_json_u64(j, "bytes", r->busiest[i].bytes);
        ccm_json_close(j, '}');
    }
    ccm_json_close(j, ']');
    ccm_json_close(j, '}');
}

/* ---- CSV (RFC 4180, LF line ends) ------------------------------------------------------------ */

static void csv_range(GString *out, uint64_t low, uint64_t high, uint64_t unit)
{
    if (high && unit == 1)
        g_string_append_printf(out, ",%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT, low, high);
    else if (high) {
        g_string_append_c(out, ',');
        ccm_seconds_append(out, low * unit);
        g_string_append_c(out, ',');
        ccm_seconds_append(out, high * unit);
    } else
        g_string_append(out, ",,");
}

static void csv_line(GString *out, const ccm_view_route *r, const ccm_view_throttle *t,
                     const ccm_view_window *w)
{
    char a[CCM_ADDR_TEXT], b[CCM_ADDR_TEXT];

    g_string_append_printf(out, "%s,%s,%s,%u,", r->route, ccm_addr_text(&t->source, a),
                           ccm_addr_text(&r->destination, b), r->port);
    if (w->end_ns) /* else packets without a time */
        ccm_time_append(out, w->start_ns);
    g_string_append_c(out, ',');
    if (w->end_ns)
        ccm_time_append(out, w->end_ns);
    g_string_append_printf(out, ",%s,%s", w->verdict, ccm_certainty_name(w->certainty));
    csv_range(out, w->is.block_low, w->is.block_high, 1);
    csv_range(out, w->is.delay_low_ns, w->is.delay_high_ns, 1);
    csv_range(out, w->is.percent_low, w->is.percent_high, TENTH);
    g_string_append_printf(out, ",%" G_GUINT64_FORMAT ",%" G_GUINT64_FORMAT "\n", w->is.rate_bps,
                           w->bytes);
}

void ccm_report_windows_csv(const ccm_view *view, ccm_out *out)
{
    g_string_append(out->text,
                    "route,source,destination,port,start,end,verdict,certainty,block_bytes_low,"
                    "block_bytes_high,delay_ns_low,delay_ns_high,percent_low,percent_high,"
                    "rate_bps,bytes\n");
    for (unsigned i = 0; i < view->n_routes; i++) {
        const ccm_view_route *r = &view->routes[i];
        for (unsigned k = 0; k < r->n_throttle; k++, ccm_out_drain(out)) {
            const ccm_view_throttle *t = &r->throttle[k];
            ccm_view_window all = { r->first_seen_ns, r->last_seen_ns, t->verdict,
                                    t->certainty,     t->is,           t->bytes };
            if (!t->n_windows)
                csv_line(out->text, r, t, &all);
            for (unsigned n = 0; n < t->n_windows; n++)
                csv_line(out->text, r, t, &t->windows[n]);
        }
    }
}
