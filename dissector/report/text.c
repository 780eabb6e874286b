/* SPDX-License-Identifier: GPL-2.0-or-later
 * text.c - the full report for people: capture, hosts, every route, clients, uploads, lacks.
 * In: a view. Out: sections of text. State: none. */
#include "report/proofs.h"
#include "report/smb.h"
#include "report/tls_report.h"

enum { EVIDENCE = 4, SPARK = 60, AUTH_LINES = 24, LOOKUPS = 24 };

typedef struct ccm_page {
    const ccm_view *view;
    ccm_out *out;
    GString *text; /* out->text */
    GString *cell;
    bool color, verbose;
    unsigned width;
} ccm_page;

/* "  label       value" with the text of `cell`, which is emptied. */
static void line(ccm_page *p, const char *label)
{
    g_string_append_printf(p->text, "  %-14s", label);
    g_string_append(p->text, p->cell->str);
    g_string_append_c(p->text, '\n');
    g_string_truncate(p->cell, 0);
}

static void file_table(ccm_page *p, const ccm_view_capture *c)
{
    ccm_grid table;
    ccm_grid_init(&table, "lrrr", 2, p->width);
    static const char *const titles[] = { "file", "first frame", "packets", "bytes" };
    for (unsigned i = 0; i < G_N_ELEMENTS(titles); i++)
        ccm_grid_cell(&table, CCM_DIM, titles[i]);
    for (unsigned i = 0; i < c->n_files; i++) {
        ccm_terminal_append(p->cell, c->files[i].name);
        ccm_grid_take(&table, CCM_PLAIN, p->cell);
        ccm_count_append(p->cell, c->files[i].first_frame);
        ccm_grid_take(&table, CCM_PLAIN, p->cell);
        ccm_count_append(p->cell, c->files[i].packets);
        ccm_grid_take(&table, CCM_PLAIN, p->cell);
        ccm_bytes_append(p->cell, c->files[i].bytes);
        ccm_grid_take(&table, CCM_PLAIN, p->cell);
    }
    ccm_grid_end(&table, p->text, p->color);
}

static void capture(ccm_page *p)
{
    const ccm_view_capture *c = &p->view->capture;
    ccm_heading(p->text, p->color, "CAPTURE", NULL);
    ccm_capture_span_append(p->cell, c);
    g_string_append_printf(p->text, "  %s\n", p->cell->str);
    g_string_truncate(p->cell, 0);
    const uint64_t numbers[] = { c->truncated_packets,
                                 c->undecoded_packets,
                                 c->dropped_packets,
                                 c->filtered_packets,
                                 c->gaps,
                                 c->decryption.secrets,
                                 c->decryption.sessions };
    static const char *const labels[] = { "cut packets", "undecoded",   "dropped",  "filtered out",
                                          "gaps",        "TLS secrets", "decrypted" };
    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (numbers[i]) {
            ccm_count_append(p->cell, numbers[i]);
            line(p, labels[i]);
        }
    if (c->n_files)
        file_table(p, c);
}

static void role(ccm_page *p, const ccm_view_role *r)
{
    g_string_append(p->text, "    ");
    ccm_paint(p->text, p->color, CCM_BOLD, r->title);
    if (strcmp(r->title, r->role))
        g_string_append_printf(p->text, " (%s%s%s)", r->role, r->qualifier ? ", " : "",
                               r->qualifier ? r->qualifier : "");
    g_string_append(p->text, ", ");
    ccm_paint(p->text, p->color, ccm_certainty_style(r->certainty),
              ccm_certainty_name(r->certainty));
    g_string_append_c(p->text, '\n');
    ccm_evidence_append(p->cell, r, p->verbose ? r->n_evidence : EVIDENCE);
    ccm_wrap_append(p->text, p->cell->str, 6, p->width);
    g_string_truncate(p->cell, 0);
}

static void hosts(ccm_page *p)
{
    ccm_heading(p->text, p->color, "HOSTS", p->view->n_hosts ? NULL : "none");
    for (unsigned i = 0; i < p->view->n_hosts; i++, ccm_out_drain(p->out)) {
        const ccm_view_host *h = &p->view->hosts[i];
        char address[CCM_ADDR_TEXT];
        g_string_append_printf(p->text, "  %s",
                               h->addr.family ? ccm_addr_text(&h->addr, address) : "(no IP)");
        if (h->names.n) {
            g_string_append(p->text, "  ");
            ccm_names_append(p->text, h->names, p->verbose ? h->names.n : 8, ", ");
        }
        g_string_append(p->text, h->n_roles ? "\n" : "  role unknown\n");
        for (unsigned r = 0; r < h->n_roles; r++)
            role(p, &h->roles[r]);
    }
}

static void route_ends(ccm_page *p, const ccm_view_route *r)
{
    char address[CCM_ADDR_TEXT];
    ccm_terminal_append(p->cell, r->source_role);
    if (!r->has_source) {
        g_string_append(p->cell, ", ");
        ccm_count_append(p->cell, r->sources);
        g_string_append(p->cell, r->sources == 1 ? " address" : " addresses");
    } else if (r->source.family)
        g_string_append_printf(p->cell, " %s", ccm_addr_text(&r->source, address));
    line(p, "from");
    ccm_terminal_append(p->cell, r->destination_role);
    g_string_append_c(p->cell, ' ');
    ccm_destination_append(p->cell, r);
    if (r->destination_names.n) {
        g_string_append(p->cell, " (");
        ccm_names_append(p->cell, r->destination_names, 4, ", ");
        g_string_append_c(p->cell, ')');
    }
    line(p, "to");
}

static void route_why(ccm_page *p, const ccm_view_route *r)
{
    g_string_append(p->cell, r->protocol);
    if (r->other_protocol) {
        g_string_append(p->cell, ", looks like ");
        ccm_terminal_append(p->cell, r->other_protocol);
        g_string_append(p->cell, " (a guess from the first packets)");
    }
    line(p, "protocol");
    g_string_append(p->cell, ccm_certainty_name(r->certainty));
    if (r->basis.n) {
        g_string_append(p->cell, ": ");
        ccm_names_append(p->cell, r->basis, p->verbose ? r->basis.n : 6, ", ");
    }
    line(p, "certainty");
    if (p->verbose && *r->ref) {
        ccm_terminal_append(p->cell, r->ref);
        line(p, "documented");
    }
}

static void route_bytes(ccm_page *p, const ccm_view_route *r)
{
    static const char *const titles[] = { "",        "packets",  "wire",   "IP",
                                          "payload", "repeated", "missing" };
    static const char *const ways[2] = { "to destination", "to source" };
    ccm_grid table;
    ccm_grid_init(&table, "lrrrrrr", 2, p->width);
    for (unsigned i = 0; i < G_N_ELEMENTS(titles); i++)
        ccm_grid_cell(&table, CCM_DIM, titles[i]);
    for (unsigned d = 0; d < 2; d++) {
        const uint64_t bytes[] = { r->wire_bytes[d], r->ip_bytes[d], r->payload_bytes[d],
                                   r->retransmitted_bytes[d], r->missing_bytes[d] };
        ccm_grid_cell(&table, CCM_PLAIN, ways[d]);
        ccm_count_append(p->cell, r->packets[d]);
        ccm_grid_take(&table, CCM_PLAIN, p->cell);
        for (unsigned i = 0; i < G_N_ELEMENTS(bytes); i++) {
            ccm_bytes_append(p->cell, bytes[i]);
            ccm_grid_take(&table, i >= 3 && bytes[i] ? CCM_WARN : CCM_PLAIN, p->cell);
        }
    }
    ccm_grid_end(&table, p->text, p->color);
}

static void route_rate(ccm_page *p, const ccm_view_route *r)
{
    uint64_t columns[SPARK];
    if (!r->rate.interval_s)
        return;
    ccm_rate_append(p->cell, r->rate.mean_bps);
    g_string_append(p->cell, " mean, ");
    ccm_rate_append(p->cell, r->rate.p95_bps);
    g_string_append(p->cell, " for 95 % of the busy time, ");
    ccm_rate_append(p->cell, r->rate.peak_bps);
    g_string_append_printf(p->cell, " peak (over %u s)", r->rate.interval_s);
    line(p, "rate");
    if (!r->timeline.n)
        return;
    unsigned used = ccm_timeline_fold(&r->timeline, columns, SPARK);
    ccm_spark_append(p->cell, columns, used);
    unsigned points = (r->timeline.n + SPARK - 1) / SPARK;
    g_string_append_printf(p->cell, " %u s each from ", points * r->timeline.interval_s);
    ccm_time_of_day_append(p->cell, r->timeline.start_ns);
    g_string_truncate(p->cell, p->cell->len - 4); /* without milliseconds */
    line(p, "over time");
}

static void route_transport(ccm_page *p, const ccm_view_route *r)
{
    if (r->transport.has_rtt) {
        ccm_duration_append(p->cell, r->transport.rtt_min_ns);
        g_string_append(p->cell, " least, ");
        ccm_duration_append(p->cell, r->transport.rtt_mean_ns);
        g_string_append(p->cell, " mean, ");
        ccm_duration_append(p->cell, r->transport.rtt_max_ns);
        g_string_append(p->cell, " most, of ");
        ccm_plural_append(p->cell, r->transport.rtt_count, "handshake");
        line(p, "round trip");
    }
    const uint64_t numbers[] = { r->transport.zero_windows, r->transport.resets, r->transport.gaps,
                                 r->transport.duplicates, r->transport.overlap_conflicts };
    static const char *const labels[] = { "zero windows", "resets", "gaps", "duplicates",
                                          "conflicts" };
    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (numbers[i]) {
            ccm_count_append(p->cell, numbers[i]);
            line(p, labels[i]);
        }
}

/* Wraps what is in the cell beside its label. */
static void labelled(ccm_page *p, const char *label)
{
    GString *wrapped = g_string_new(NULL);
    ccm_wrap_append(wrapped, p->cell->str, 16, p->width);
    g_string_append_printf(p->text, "  %-14s%s", label, wrapped->str + 16);
    g_string_truncate(p->cell, 0);
    g_string_free(wrapped, TRUE);
}

static void route_counts(ccm_page *p, const char *label, ccm_view_counts counts, bool failures)
{
    if (!counts.n)
        return;
    ccm_counts_append(p->cell, counts, p->verbose ? counts.n : 16, failures);
    labelled(p, label);
}

static void route_auth(ccm_page *p, const ccm_view_route *r)
{
    GString *wrapped = g_string_new(NULL);
    unsigned most = p->verbose ? r->n_auth : MIN(r->n_auth, AUTH_LINES);
    for (unsigned i = 0; i < most; i++) {
        ccm_auth_append(p->cell, &r->auth[i], p->verbose ? r->auth[i].n_evidence : EVIDENCE);
        ccm_wrap_append(wrapped, p->cell->str, 16, p->width);
        g_string_append_printf(p->text, "  %-14s%s", r->auth[i].stage, wrapped->str + 16);
        g_string_truncate(wrapped, 0);
        g_string_truncate(p->cell, 0);
    }
    if (most < r->n_auth)
        g_string_append_printf(p->text, "                and %u more: -v or --format json\n",
                               r->n_auth - most);
    g_string_free(wrapped, TRUE);
}

/* `label`, then the text of `cell`, broken at the width. */
static void wrapped_line(ccm_page *p, const char *label)
{
    g_autoptr(GString) wrapped = g_string_new(NULL);
    ccm_wrap_append(wrapped, p->cell->str, 16, p->width);
    g_string_append_printf(p->text, "  %-14s%s", label, wrapped->str + 16);
    g_string_truncate(p->cell, 0);
}

static void route_tls(ccm_page *p, const ccm_view_route *r)
{
    const ccm_view_tls *t = &r->tls;
    if (!t->sessions)
        return;
    ccm_tls_words(p->cell, t);
    wrapped_line(p, "TLS");
    route_counts(p, "server names", t->sni, false);
    route_counts(p, "protocols", t->alpn, false);
    if (!p->verbose)
        return;
    route_counts(p, "ciphers", t->ciphers, false);
    route_counts(p, "JA3", t->ja3, false);
    route_counts(p, "JA4", t->ja4, false);
}

static void route(ccm_page *p, const ccm_view_route *r)
{
    g_string_append_c(p->text, '\n');
    ccm_paint(p->text, p->color, CCM_BOLD, r->route);
    if (strcmp(r->title, r->route))
        g_string_append_printf(p->text, "  %s", r->title);
    g_string_append_c(p->text, '\n');
    route_ends(p, r);
    route_why(p, r);
    if (r->last_seen_ns) {
        ccm_clock_append(p->cell, r->first_seen_ns);
        g_string_append(p->cell, " to ");
        ccm_clock_append(p->cell, r->last_seen_ns);
        g_string_append(p->cell, " UTC");
        line(p, "seen");
    }
    if (r->connections.attempted || r->connections.midstream || r->connections.datagrams) {
        ccm_route_connections_append(p->cell, r);
        line(p, "connections");
    }
    if (r->channel.state) {
        ccm_channel_append(p->cell, r);
        line(p, "channel");
    }
    route_bytes(p, r);
    route_rate(p, r);
    route_transport(p, r);
    route_counts(p, "requests", r->requests, false);
    route_counts(p, "statuses", r->statuses, true);
    route_auth(p, r);
    route_tls(p, r);
    route_counts(p, "guesses", r->hints, false);
    if (r->icmp_errors.n) {
        ccm_icmp_append(p->cell, r, p->verbose ? r->icmp_errors.n : 16);
        labelled(p, "ICMP errors");
    }
}

static void clients(ccm_page *p)
{
    static const char *const titles[] = { "client id", "address", "names", "requests" };
    ccm_heading(p->text, p->color, "CLIENT IDS", p->view->n_clients ? NULL : "none");
    if (!p->view->n_clients)
        return;
    ccm_grid table;
    ccm_grid_init(&table, "lllf", 2, p->width);
    for (unsigned i = 0; i < G_N_ELEMENTS(titles); i++)
        ccm_grid_cell(&table, CCM_DIM, titles[i]);
    for (unsigned i = 0; i < p->view->n_clients; i++) {
        const ccm_view_client *c = &p->view->clients[i];
        char address[CCM_ADDR_TEXT];
        ccm_terminal_append(p->cell, c->client_id);
        ccm_grid_take(&table, CCM_PLAIN, p->cell);
        g_string_append(p->cell, ccm_addr_text(&c->addr, address));
        if (c->addresses > 1) {
            g_string_append(p->cell, " +");
            ccm_count_append(p->cell, c->addresses - 1);
        }
        ccm_grid_take(&table, CCM_PLAIN, p->cell);
        ccm_names_append(p->cell, c->names, 2, ", ");
        ccm_grid_take(&table, CCM_PLAIN, p->cell);
        ccm_counts_append(p->cell, c->messages, 4, false);
        ccm_grid_take(&table, CCM_PLAIN, p->cell);
    }
    ccm_grid_end(&table, p->text, p->color);
}

static void upload(ccm_page *p, const ccm_view_upload *u)
{
    char from[CCM_ADDR_TEXT], to[CCM_ADDR_TEXT];
    g_string_append(p->text, "  ");
    ccm_terminal_append(p->text, u->name ? u->name : u->target);
    g_string_append(p->text, ", ");
    ccm_bytes_append(p->text, u->bytes);
    if (u->total_bytes) {
        g_string_append(p->text, " of ");
        ccm_bytes_append(p->text, u->total_bytes);
    }
    g_string_append(p->text, " in ");
    ccm_plural_append(p->text, u->fragments, "fragment");
    g_string_append(p->text, ", ");
    ccm_paint(p->text, p->color, u->complete ? CCM_GOOD : CCM_WARN,
              u->complete    ? "complete"
              : u->cancelled ? "cancelled"
              : u->closed    ? "closed, not all of it acknowledged"
              : u->refused   ? "refused"
                             : "end not seen");
    g_string_append_printf(p->text, "\n    from %s to %s, ", ccm_addr_text(&u->client, from),
                           ccm_addr_text(&u->server, to));
    g_string_append(p->text, *u->id ? "session " : "no session given");
    ccm_terminal_append(p->text, u->id);
    if (u->host) {
        g_string_append(p->text, ", sent on to ");
        ccm_terminal_append(p->text, u->host);
        if (u->moved)
            g_string_append_printf(p->text, " (%s)", ccm_addr_text(&u->moved_to, to));
    }
    if (u->retried_as) {
        g_string_append(p->text, ", tried again as ");
        ccm_terminal_append(p->text, u->retried_as);
    }
    if (u->client_id) {
        g_string_append(p->text, ", client ");
        ccm_terminal_append(p->text, u->client_id);
    }
    g_string_append(p->text, "\n    target ");
    ccm_terminal_append(p->text, u->target);
    g_string_append_c(p->text, '\n');
    if (u->errors.n) {
        ccm_names_append(p->cell, u->errors, 8, ", ");
        g_string_append(p->text, "    errors ");
        ccm_paint(p->text, p->color, CCM_BAD, p->cell->str);
        g_string_append_c(p->text, '\n');
        g_string_truncate(p->cell, 0);
    }
}

static void certificate(ccm_page *p, const ccm_view_certificate *c)
{
    g_string_append(p->text, "  ");
    ccm_terminal_append(p->text, c->subject ? c->subject : "(no name)");
    g_string_append_printf(p->text, ", %s", c->kind);
    if (c->issuer && strcmp(c->kind, "self-signed")) {
        g_string_append(p->text, " by ");
        ccm_terminal_append(p->text, c->issuer);
    }
    g_string_append_c(p->text, '\n');
    if (c->has_not_before && c->has_expires) {
        ccm_clock_append(p->cell, c->not_before_ns);
        g_string_append(p->cell, " to ");
        ccm_clock_append(p->cell, c->expires_ns);
        g_string_append(p->cell, " UTC");
    }
    if (c->key_type) {
        g_string_append_printf(p->cell, "%s%s", p->cell->len ? ", " : "", c->key_type);
        if (c->key_bits)
            g_string_append_printf(p->cell, " %u bits", c->key_bits);
    }
    if (c->san.n) {
        g_string_append(p->cell, "; names ");
        ccm_names_append(p->cell, c->san, p->verbose ? c->san.n : 4, ", ");
    }
    g_string_append(p->cell, c->server ? "; server " : "; client ");
    ccm_names_append(p->cell, c->seen_on, p->verbose ? c->seen_on.n : 4, ", ");
    ccm_wrap_append(p->text, p->cell->str, 4, p->width);
    g_string_truncate(p->cell, 0);
}

static void certificates(ccm_page *p)
{
    if (!p->view->n_certificates)
        return;
    ccm_heading(p->text, p->color, "CERTIFICATES", "as their holders sent them; not verified");
    for (unsigned i = 0; i < p->view->n_certificates; i++, ccm_out_drain(p->out))
        certificate(p, &p->view->certificates[i]);
}

/* Signatures and clock of the client ids that have any, then messages. */
static void client_proofs(ccm_page *p, const ccm_view_client *c)
{
    const uint64_t numbers[] = { c->signature.failed,      c->signature.replayed,
                                 c->signature.key_changed, c->signature.verified,
                                 c->signature.no_key,      c->signature.unverifiable };
    static const char *const words[] = { "failed",   "replayed",      "with a changed key",
                                         "verified", "without a key", "not checked" };
    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (!numbers[i])
            continue;
        g_string_append(p->cell, p->cell->len ? ", " : "signatures: ");
        ccm_count_append(p->cell, numbers[i]);
        g_string_append_printf(p->cell, " %s", words[i]);
    }
    if (c->has_skew) {
        g_string_append(p->cell, p->cell->len ? "; clock " : "clock ");
        ccm_skew_append(p->cell, c->skew_s);
        g_string_append(p->cell, c->skew_uncertain ? " (times differ by more than a minute)" : "");
    }
    if (c->kinds.n) {
        g_string_append(p->cell, p->cell->len ? "; " : "");
        ccm_counts_append(p->cell, c->kinds, 8, false);
    }
    if (!p->cell->len)
        return;
    g_autoptr(GString) line = g_string_new(NULL);
    ccm_terminal_append(line, c->client_id);
    g_string_append_printf(line, ": %s", p->cell->str);
    ccm_wrap_append(p->text, line->str, 2, p->width);
    g_string_truncate(p->cell, 0);
}

static void message_row(ccm_page *p, ccm_grid *table, const ccm_view_message *m)
{
    char text[CCM_ENDPOINT_TEXT];
    if (m->time_ns)
        ccm_time_of_day_append(p->cell, m->time_ns);
    else
        g_string_append_c(p->cell, '-');
    ccm_grid_take(table, CCM_DIM, p->cell);
    ccm_grid_cell(table, CCM_PLAIN, ccm_addr_text(&m->client.addr, text));
    ccm_terminal_append(p->cell, m->client_id ? m->client_id : "-");
    ccm_grid_take(table, CCM_PLAIN, p->cell);
    ccm_terminal_append(p->cell, m->kind);
    ccm_grid_take(table, CCM_BOLD, p->cell);
    if (m->signature && !strcmp(m->signature, "failed"))
        ccm_grid_cell(table, CCM_BAD, "signature fails");
    else if (m->key_changed)
        ccm_grid_cell(table, CCM_BAD, "changed key");
    else if (m->id_alone)
        ccm_grid_cell(table, CCM_BAD, "client id only");
    else
        ccm_grid_cell(table, CCM_PLAIN, m->message);
    ccm_bytes_append(p->cell, m->size);
    ccm_grid_take(table, CCM_PLAIN, p->cell);
    g_string_append_printf(p->cell, "%u", m->status);
    ccm_grid_take(table, m->status >= 400 ? CCM_BAD : CCM_PLAIN, p->cell);
    ccm_terminal_append(p->cell, m->reply ? m->reply : "-");
    if (m->foreign_reply)
        g_string_append(p->cell, ", to another message");
    ccm_grid_take(table, CCM_DIM, p->cell);
}

static void messages(ccm_page *p)
{
    static const char *const titles[] = { "time",  "client", "client id", "message",
                                          "proof", "size",   "code",      "answer" };
    if (!p->view->has_messages)
        return;
    ccm_heading(p->text, p->color, "MESSAGES", p->view->n_messages ? NULL : "none");
    if (!p->view->n_messages)
        return;
    ccm_grid table;
    ccm_grid_init(&table, "lllllrrl", 2, p->width);
    for (unsigned i = 0; i < G_N_ELEMENTS(titles); i++)
        ccm_grid_cell(&table, CCM_DIM, titles[i]);
    for (unsigned i = 0; i < p->view->n_messages; i++)
        message_row(p, &table, &p->view->messages[i]);
    ccm_grid_end(&table, p->text, p->color);
}

/* Services, and names that clients did not get. */
static void lookups(ccm_page *p)
{
    unsigned most = p->verbose ? p->view->n_lookups : MIN(p->view->n_lookups, LOOKUPS);

    if (!most)
        return;
    ccm_heading(p->text, p->color, "LOOKUPS", "services, and names that were not resolved");
    for (unsigned i = 0; i < most; i++) {
        const ccm_view_lookup *l = &p->view->lookups[i];
        g_string_append(p->text, "  ");
        ccm_terminal_append(p->text, l->name);
        ccm_lookup_append(p->text, l);
        g_string_append(p->text, ", ");
        ccm_plural_append(p->text, l->clients, "client");
        if (l->first_frame)
            g_string_append_printf(p->text, ", frame %" G_GUINT64_FORMAT, l->first_frame);
        g_string_append_c(p->text, '\n');
    }
    if (most < p->view->n_lookups)
        g_string_append_printf(p->text, "  and %u more: -v or --format json\n",
                               p->view->n_lookups - most);
}

static void routes(ccm_page *p)
{
    ccm_heading(p->text, p->color, "ROUTES", p->view->n_routes ? NULL : "none");
    for (unsigned i = 0; i < p->view->n_routes; i++, ccm_out_drain(p->out))
        route(p, &p->view->routes[i]);
}

static ccm_page page_of(const ccm_view *view, const ccm_report_options *options, ccm_out *out)
{
    return (ccm_page){ .view = view,
                       .out = out,
                       .text = out->text,
                       .cell = g_string_new(NULL),
                       .color = options->color,
                       .verbose = options->verbose,
                       .width = options->width ? MAX(options->width, 60) : 100 };
}

void ccm_report_routes(const ccm_view *view, const ccm_report_options *options, ccm_out *out)
{
    ccm_page page = page_of(view, options, out);
    routes(&page);
    g_string_free(page.cell, TRUE);
}

void ccm_report_text(const ccm_view *view, const ccm_report_options *options, ccm_out *out)
{
    ccm_page page = page_of(view, options, out);
    capture(&page);
    hosts(&page);
    routes(&page);
    clients(&page);
    for (unsigned i = 0; i < view->n_clients; i++, ccm_out_drain(out))
        client_proofs(&page, &view->clients[i]);
    lookups(&page);
    messages(&page);
    ccm_out_drain(out);
    ccm_heading(page.text, page.color, "UPLOADS", view->n_uploads ? NULL : "none");
    for (unsigned i = 0; i < view->n_uploads; i++, ccm_out_drain(out))
        upload(&page, &view->uploads[i]);
    certificates(&page);
    ccm_text_smb(out, view, page.color, page.verbose, page.width);
    ccm_lacks_append(page.text, view, page.color, page.width, G_MAXUINT);
    g_string_free(page.cell, TRUE);
}
