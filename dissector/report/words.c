/* SPDX-License-Identifier: GPL-2.0-or-later
 * words.c - parts that the summary and the text report share: evidence, counts, timelines.
 * In: pieces of a view. Out: text appended to a GString. State: none. */
#include "report/words.h"

ccm_style ccm_certainty_style(ccm_certainty certainty)
{
    return certainty >= CCM_CERTAINTY_STRONG   ? CCM_GOOD
           : certainty == CCM_CERTAINTY_LIKELY ? CCM_WARN
                                               : CCM_DIM;
}

void ccm_heading(GString *out, bool color, const char *title, const char *rest)
{
    if (out->len)
        g_string_append_c(out, '\n');
    ccm_paint(out, color, CCM_HEADING, title);
    if (rest && *rest)
        g_string_append_printf(out, "  %s", rest);
    g_string_append_c(out, '\n');
}

void ccm_evidence_append(GString *out, const ccm_view_role *role, unsigned most)
{
    for (unsigned i = 0; i < role->n_evidence && i < most; i++) {
        const ccm_view_evidence *e = &role->evidence[i];
        if (i)
            g_string_append(out, ", ");
        ccm_terminal_append(out, e->id);
        if (e->count > 1) {
            g_string_append(out, " ×");
            ccm_count_append(out, e->count);
        }
        if (e->first_frame)
            g_string_append_printf(out, " (frame %" G_GUINT64_FORMAT ")", e->first_frame);
    }
    if (role->n_evidence > most)
        g_string_append_printf(out, ", +%u more", role->n_evidence - most);
    if (!role->n_evidence)
        g_string_append(out, "no evidence kept");
}

void ccm_qualifier_append(GString *out, const ccm_view_role *role)
{
    const char *q = role->qualifier;

    if (q)
        g_string_append_printf(out, "%s%s; ", q,
                               !strcmp(q, "bridging")     ? " (ends TLS)"
                               : !strcmp(q, "tunnelling") ? " (passes TLS on)"
                                                          : "");
}

void ccm_names_append(GString *out, ccm_view_names names, unsigned most, const char *separator)
{
    for (unsigned i = 0; i < names.n && i < most; i++) {
        if (i)
            g_string_append(out, separator);
        ccm_terminal_append(out, names.v[i]);
    }
    if (names.n > most)
        g_string_append_printf(out, " +%u", names.n - most);
}

/* Failures first, then the frequent ones, then by name. */
static bool goes_before(const ccm_view_count *a, const ccm_view_count *b, bool failures_first)
{
    bool fail_a = failures_first && a->name[0] >= '4', fail_b = failures_first && b->name[0] >= '4';
    if (fail_a != fail_b)
        return fail_a;
    if (a->count != b->count)
        return a->count > b->count;
    return strcmp(a->name, b->name) < 0;
}

void ccm_counts_append(GString *out, ccm_view_counts counts, unsigned most, bool failures_first)
{
    g_autofree const ccm_view_count **order = g_new(const ccm_view_count *, counts.n + 1);
    for (unsigned i = 0; i < counts.n; i++) {
        unsigned at = i;
        for (; at && goes_before(&counts.v[i], order[at - 1], failures_first); at--)
            order[at] = order[at - 1];
        order[at] = &counts.v[i];
    }
    for (unsigned i = 0; i < counts.n && i < most; i++) {
        if (i)
            g_string_append(out, ", ");
        ccm_terminal_append(out, order[i]->name);
        g_string_append(out, "×");
        ccm_count_append(out, order[i]->count);
    }
    if (counts.n > most)
        g_string_append_printf(out, ", +%u more", counts.n - most);
}

unsigned ccm_timeline_fold(const ccm_view_timeline *t, uint64_t *columns, unsigned most)
{
    /* Whole points for each column, so that columns stay comparable; the last may have fewer. */
    unsigned per_column = t->n ? (t->n + most - 1) / most : 1;
    unsigned used = (t->n + per_column - 1) / per_column;
    for (unsigned i = 0; i < used; i++)
        columns[i] = 0;
    for (unsigned i = 0; i < t->n; i++)
        columns[i / per_column] += t->bytes[0][i] + t->bytes[1][i];
    return used;
}

bool ccm_route_troubles_append(GString *out, const ccm_view_route *r)
{
    const uint64_t bad[] = { r->connections.refused, r->connections.unanswered,
                             r->connections.reset, r->connections.midstream };
    static const char *const words[] = { "refused", "unanswered", "reset", "begun earlier" };
    bool any = false;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        if (!bad[i])
            continue;
        g_string_append(out, any ? ", " : "");
        ccm_count_append(out, bad[i]);
        g_string_append_printf(out, " %s", words[i]);
        any = true;
    }
    return any;
}

void ccm_route_connections_append(GString *out, const ccm_view_route *r)
{
    uint64_t connections = r->connections.attempted + r->connections.midstream;
    if (connections || !r->connections.datagrams)
        ccm_plural_append(out, connections, "connection");
    if (r->connections.datagrams) {
        if (connections)
            g_string_append(out, ", ");
        ccm_plural_append(out, r->connections.datagrams, "datagram flow");
    }
    gsize start = out->len;
    g_string_append(out, " (");
    if (ccm_route_troubles_append(out, r))
        g_string_append_c(out, ')');
    else
        g_string_truncate(out, start);
}

void ccm_lookup_append(GString *out, const ccm_view_lookup *l)
{
    const uint64_t counts[] = { l->answered, l->nxdomain, l->servfail, l->other, l->empty };
    static const char *const words[] = { "answered", "NXDOMAIN", "SERVFAIL", "refused",
                                         "no such record" };
    for (unsigned i = 0; i < G_N_ELEMENTS(counts); i++)
        if (counts[i]) {
            g_string_append_printf(out, " (%s)", words[i]);
            return;
        }
    g_string_append(out, " (no answer seen)");
}

void ccm_channel_append(GString *out, const ccm_view_route *r)
{
    const ccm_view_channel *c = &r->channel;

    if (!c->state)
        return;
    g_string_append_printf(out, "channel %s", c->state);
    if (c->reason)
        g_string_append_printf(out, " (%s)", c->reason);
    if (r->instance)
        g_string_append_printf(out, " to VM %u", r->instance);
    if (c->reconnects) {
        g_string_append(out, ", ");
        ccm_plural_append(out, c->reconnects, "reconnect");
    }
    if (c->pauses)
        g_string_append_printf(
            out, ", silent for %" G_GUINT64_FORMAT " s at a time (at most %" G_GUINT64_FORMAT " s)",
            c->pause_median_s, c->pause_longest_s);
    for (unsigned i = 0; i < r->n_fallbacks; i++) {
        const ccm_view_fallback *f = &r->fallbacks[i];
        const char *sure = ccm_certainty_name(f->certainty);
        if (strcmp(f->reason, "proxy-denied") != 0)
            g_string_append_printf(out, ", %s %u (%s; %s%s)",
                                   f->hidden ? "perhaps in place of" : "in place of", f->from_port,
                                   f->reason, sure, f->hidden ? ", not readable" : "");
        else
            g_string_append_printf(out,
                                   "; the proxy does not allow port %u, HTTPS %u in its place (%s)",
                                   f->from_port, r->port, sure);
    }
}

void ccm_destination_append(GString *out, const ccm_view_route *r)
{
    char text[CCM_ENDPOINT_TEXT];
    if (r->via.addr.family) {
        ccm_terminal_append(out, r->destination_names.v[0]);
        g_string_append_printf(out, ":%u via %s", r->port, ccm_endpoint_text(&r->via, text));
        return;
    }
    if (!r->destination.family)
        g_string_append(out, "(no IP)");
    else if (r->has_port)
        g_string_append(out, ccm_endpoint_text(&(ccm_endpoint){ r->destination, r->port }, text));
    else
        g_string_append(out, ccm_addr_text(&r->destination, text));
}

void ccm_capture_title_append(GString *out, const ccm_view_capture *c, unsigned most_files)
{
    for (unsigned i = 0; i < c->n_files && i < most_files; i++) {
        g_string_append(out, i ? ", " : "");
        ccm_terminal_append(out, c->files[i].name);
    }
    if (c->n_files > most_files)
        g_string_append_printf(out, " and %u more files", c->n_files - most_files);
    if (!c->n_files)
        g_string_append(out, "capture");
}

void ccm_capture_span_append(GString *out, const ccm_view_capture *c)
{
    if (c->has_time) {
        ccm_clock_append(out, c->start_ns);
        g_string_append(out, " to ");
        ccm_clock_append(out, c->end_ns);
        g_string_append(out, " UTC (");
        ccm_duration_append(out, c->end_ns > c->start_ns ? c->end_ns - c->start_ns : 0);
        g_string_append(out, "), ");
    }
    ccm_plural_append(out, c->packets, "packet");
    g_string_append(out, ", ");
    ccm_bytes_append(out, c->bytes);
    g_string_append(out, " on the wire");
}

void ccm_lacks_append(GString *out, const ccm_view *view, bool color, unsigned width, unsigned most)
{
    GPtrArray *lacks = ccm_report_lacks(view);
    ccm_heading(out, color, "WHAT THE CAPTURE LACKED", NULL);
    if (!lacks->len) {
        g_string_append(out, "  ");
        ccm_paint(out, color, CCM_GOOD, "nothing: complete");
        g_string_append_c(out, '\n');
    }
    GString *line = g_string_new(NULL);
    for (unsigned i = 0; i < lacks->len && i < most; i++) {
        gsize start = out->len;
        g_string_assign(line, "- ");
        g_string_append(line, lacks->pdata[i]);
        ccm_wrap_append(out, line->str, 2, width);
        if (color) { /* the dash alone, so that wrapping stays simple */
            g_string_erase(out, (gssize)start + 2, 1);
            g_string_insert(out, (gssize)start + 2, "\033[33m-\033[0m");
        }
    }
    if (lacks->len > most)
        g_string_append_printf(out, "  - and %u more: ccmscope report --format text\n",
                               lacks->len - most);
    g_string_free(line, TRUE);
    g_ptr_array_unref(lacks);
}

/* Spec: RFC 792; RFC 1812 5.2.7.1; RFC 4443 section 3. */
static const char *icmp_word(bool v6, const char *code)
{
    static const struct {
        bool v6;
        const char *code, *word;
    } words[] = {
        { false, "3/0", "network unreachable" },
        { false, "3/1", "host unreachable" },
        { false, "3/2", "protocol unreachable" },
        { false, "3/3", "port unreachable" },
        { false, "3/4", "packet too big" },
        { false, "3/9", "network prohibited" },
        { false, "3/10", "host prohibited" },
        { false, "3/13", "administratively prohibited" },
        { false, "4/0", "source quench" },
        { false, "5/0", "redirect" },
        { false, "5/1", "redirect" },
        { false, "11/0", "time to live exceeded" },
        { false, "11/1", "fragments missing" },
        { false, "12/0", "header refused" },
        { true, "1/0", "no route" },
        { true, "1/1", "administratively prohibited" },
        { true, "1/3", "address unreachable" },
        { true, "1/4", "port unreachable" },
        { true, "1/5", "source address refused" },
        { true, "1/6", "route rejected" },
        { true, "2/0", "packet too big" },
        { true, "3/0", "hop limit exceeded" },
        { true, "3/1", "fragments missing" },
        { true, "4/0", "header refused" },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        if (words[i].v6 == v6 && !strcmp(words[i].code, code))
            return words[i].word;
    return NULL;
}

void ccm_icmp_append(GString *out, const ccm_view_route *route, unsigned most)
{
    ccm_view_counts known = route->icmp_errors;
    ccm_view_count *v = g_new(ccm_view_count, known.n + 1u);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; i < known.n; i++) {
        const char *word = icmp_word(route->destination.family == 6, known.v[i].name);
        char *name =
            word ? g_strdup_printf("%s (%s)", known.v[i].name, word) : g_strdup(known.v[i].name);
        g_ptr_array_add(names, name);
        v[i] = (ccm_view_count){ name, known.v[i].count };
    }
    ccm_counts_append(out, (ccm_view_counts){ v, known.n }, most, false);
    g_ptr_array_free(names, TRUE);
    g_free(v);
}
