/* SPDX-License-Identifier: GPL-2.0-or-later
 * json.c - the JSON report, a contract: key order, names and types are in docs/report.schema.json.
 * In: a view. Out: one pretty-printed object and a line end. State: none. Absent means unknown. */
#include "report/proofs.h"
#include "report/smb.h"
#include "report/tls_report.h"
#include "report/windows.h"

static void names(ccm_json *j, const char *key, ccm_view_names list)
{
    ccm_json_open_inline(j, key, '[');
    for (unsigned i = 0; i < list.n; i++)
        ccm_json_text(j, NULL, list.v[i]);
    ccm_json_close(j, ']');
}

void ccm_json_counts(ccm_json *j, const char *key, ccm_view_counts list)
{
    ccm_json_open_inline(j, key, '{');
    for (unsigned i = 0; i < list.n; i++)
        ccm_json_u64(j, list.v[i].name, list.v[i].count);
    ccm_json_close(j, '}');
}

static void counts_unless_empty(ccm_json *j, const char *key, ccm_view_counts list)
{
    if (list.n)
        ccm_json_counts(j, key, list);
}

static void address(ccm_json *j, const char *key, const ccm_addr *a)
{
    char text[CCM_ADDR_TEXT];
    if (a->family)
        ccm_json_text(j, key, ccm_addr_text(a, text));
    else
        ccm_json_null(j, key);
}

/* Nothing when no keys were given. */
static void decryption(ccm_json *j, const ccm_decryption *d)
{
    if (!d->secrets && !d->malformed && !d->private_keys)
        return;
    ccm_json_open_inline(j, "decryption", '{');
    ccm_json_u64(j, "secrets", d->secrets);
    ccm_json_u64(j, "malformed_lines", d->malformed);
    ccm_json_u64(j, "private_keys", d->private_keys);
    ccm_json_u64(j, "connections", d->sessions);
    ccm_json_close(j, '}');
}

static void capture(ccm_json *j, const ccm_view_capture *c)
{
    ccm_json_open(j, "capture", '{');
    ccm_json_open(j, "files", '[');
    for (unsigned i = 0; i < c->n_files; i++) {
        ccm_json_open_inline(j, NULL, '{');
        ccm_json_text(j, "name", c->files[i].name);
        ccm_json_u64(j, "packets", c->files[i].packets);
        ccm_json_u64(j, "bytes", c->files[i].bytes);
        ccm_json_u64(j, "first_frame", c->files[i].first_frame);
        ccm_json_close(j, '}');
    }
    ccm_json_close(j, ']');
    if (c->has_time) {
        ccm_json_time(j, "start", c->start_ns);
        ccm_json_time(j, "end", c->end_ns);
    }
    ccm_json_u64(j, "packets", c->packets);
    ccm_json_u64(j, "bytes", c->bytes);
    ccm_json_u64(j, "truncated_packets", c->truncated_packets);
    ccm_json_u64(j, "undecoded_packets", c->undecoded_packets);
    ccm_json_u64(j, "gaps", c->gaps);
    ccm_json_u64(j, "dropped_packets", c->dropped_packets);
    if (c->filtered_packets)
        ccm_json_u64(j, "filtered_packets", c->filtered_packets);
    ccm_json_u64(j, "untimed_packets", c->untimed_packets);
    ccm_json_u64(j, "backward_steps", c->backward_steps);
    if (c->answers_ahead) {
        ccm_json_u64(j, "answers_ahead", c->answers_ahead);
        ccm_json_seconds(j, "ahead_s", c->ahead_ns);
    }
    ccm_json_u64(j, "unmerged_files", c->unmerged_files);
    ccm_json_bool(j, "complete", c->complete);
    names(j, "incomplete_because", c->incomplete_because);
    ccm_json_open_inline(j, "limits_hit", '[');
    for (unsigned i = 0; i < c->n_limits_hit; i++)
        ccm_json_text(j, NULL, c->limits_hit[i].name);
    ccm_json_close(j, ']');
    if (c->n_limits_hit) {
        ccm_json_open_inline(j, "limit_counts", '{');
        for (unsigned i = 0; i < c->n_limits_hit; i++)
            ccm_json_u64(j, c->limits_hit[i].name, c->limits_hit[i].count);
        ccm_json_close(j, '}');
    }
    ccm_json_u64(j, "secrets_blocks", c->secrets_blocks);
    decryption(j, &c->decryption);
    names(j, "notes", c->notes);
    ccm_json_counts(j, "anomalies", c->anomalies);
    ccm_json_close(j, '}');
}

static void name_sources(ccm_json *j, const ccm_view_host *h)
{
    ccm_json_open_inline(j, "name_sources", '{');
    for (unsigned i = 0; i < h->names.n; i++) {
        ccm_json_open_inline(j, h->names.v[i], '[');
        for (unsigned bit = 0; ccm_view_source_name(bit); bit++)
            if (h->name_sources[i] >> bit & 1)
                ccm_json_text(j, NULL, ccm_view_source_name(bit));
        ccm_json_close(j, ']');
    }
    ccm_json_close(j, '}');
}

static void host(ccm_json *j, const ccm_view_host *h)
{
    ccm_json_open(j, NULL, '{');
    address(j, "address", &h->addr);
    names(j, "names", h->names);
    if (h->names.n)
        name_sources(j, h);
    ccm_json_open(j, "roles", '[');
    for (unsigned r = 0; r < h->n_roles; r++) {
        const ccm_view_role *role = &h->roles[r];
        ccm_json_open(j, NULL, '{');
        ccm_json_text(j, "role", role->role);
        ccm_json_text(j, "qualifier", role->qualifier);
        ccm_json_text(j, "certainty", ccm_certainty_name(role->certainty));
        ccm_json_open(j, "evidence", '[');
        for (unsigned e = 0; e < role->n_evidence; e++) {
            const ccm_view_evidence *evidence = &role->evidence[e];
            ccm_json_open_inline(j, NULL, '{');
            ccm_json_text(j, "id", evidence->id);
            ccm_json_u64(j, "count", evidence->count);
            if (evidence->first_frame)
                ccm_json_u64(j, "first_frame", evidence->first_frame);
            ccm_json_text(j, "certainty", ccm_certainty_name(evidence->certainty));
            ccm_json_close(j, '}');
        }
        ccm_json_close(j, ']');
        ccm_json_close(j, '}');
    }
    ccm_json_close(j, ']');
    ccm_json_close(j, '}');
}

static void route_ends(ccm_json *j, const ccm_view_route *r)
{
    ccm_json_open_inline(j, "source", '{');
    if (r->has_source)
        address(j, "address", &r->source);
    else
        ccm_json_null(j, "address");
    ccm_json_text(j, "role", r->source_role);
    ccm_json_u64(j, "count", r->sources);
    ccm_json_close(j, '}');
    ccm_json_open_inline(j, "destination", '{');
    address(j, "address", &r->destination);
    ccm_json_text(j, "role", r->destination_role);
    names(j, "names", r->destination_names);
    ccm_json_close(j, '}');
    if (!r->via.addr.family)
        return;
    ccm_json_open_inline(j, "via", '{');
    address(j, "address", &r->via.addr);
    ccm_json_u64(j, "port", r->via.port);
    ccm_json_text(j, "role", "web-proxy");
    ccm_json_close(j, '}');
}

static void route_connections(ccm_json *j, const ccm_view_route *r)
{
    ccm_json_open_inline(j, "connections", '{');
    ccm_json_u64(j, "attempted", r->connections.attempted);
    ccm_json_u64(j, "established", r->connections.established);
    ccm_json_u64(j, "refused", r->connections.refused);
    ccm_json_u64(j, "unanswered", r->connections.unanswered);
    ccm_json_u64(j, "reset", r->connections.reset);
    ccm_json_u64(j, "midstream", r->connections.midstream);
    ccm_json_u64(j, "datagrams", r->connections.datagrams);
    ccm_json_close(j, '}');
}

static void route_channel(ccm_json *j, const ccm_view_route *r)
{
    const ccm_view_channel *c = &r->channel;

    ccm_json_open_inline(j, "channel", '{');
    ccm_json_text(j, "state", c->state);
    ccm_json_text(j, "reason", c->reason);
    ccm_json_u64(j, "reconnects", c->reconnects);
    if (c->pauses) {
        ccm_json_u64(j, "pauses", c->pauses);
        ccm_json_u64(j, "pause_median_s", c->pause_median_s);
        ccm_json_u64(j, "pause_shortest_s", c->pause_shortest_s);
        ccm_json_u64(j, "pause_longest_s", c->pause_longest_s);
    }
    ccm_json_close(j, '}');
    ccm_json_open(j, "fallbacks", '[');
    for (unsigned i = 0; i < r->n_fallbacks; i++) {
        const ccm_view_fallback *f = &r->fallbacks[i];
        ccm_json_open(j, NULL, '{');
        ccm_json_u64(j, "from_port", f->from_port);
        ccm_json_text(j, "from_protocol", f->from_protocol);
        ccm_json_text(j, "reason", f->reason);
        ccm_json_u64(j, "count", f->count);
        if (f->first_seen_ns)
            ccm_json_time(j, "first_seen", f->first_seen_ns);
        if (f->from_frame)
            ccm_json_u64(j, "from_frame", f->from_frame);
        if (f->frame)
            ccm_json_u64(j, "frame", f->frame);
        ccm_json_text(j, "certainty", ccm_certainty_name(f->certainty));
        names(j, "evidence", f->evidence);
        ccm_json_close(j, '}');
    }
    ccm_json_close(j, ']');
}

static void route_transport(ccm_json *j, const ccm_view_route *r)
{
    ccm_json_open(j, "transport", '{');
    if (r->transport.has_rtt) {
        ccm_json_open_inline(j, "rtt", '{');
        ccm_json_seconds(j, "min_s", r->transport.rtt_min_ns);
        ccm_json_seconds(j, "mean_s", r->transport.rtt_mean_ns);
        ccm_json_seconds(j, "max_s", r->transport.rtt_max_ns);
        ccm_json_u64(j, "count", r->transport.rtt_count);
        ccm_json_close(j, '}');
    }
    ccm_json_u64(j, "zero_window", r->transport.zero_windows);
    ccm_json_u64(j, "resets", r->transport.resets);
    ccm_json_u64(j, "gaps", r->transport.gaps);
    ccm_json_u64(j, "duplicates", r->transport.duplicates);
    ccm_json_u64(j, "overlap_conflicts", r->transport.overlap_conflicts);
    counts_unless_empty(j, "icmp_errors", r->icmp_errors);
    ccm_json_close(j, '}');
}

static void route_timeline(ccm_json *j, const ccm_view_timeline *t)
{
    static const char *const keys[2] = { "to_destination", "to_source" };
    ccm_json_open(j, "timeline", '{');
    ccm_json_u64(j, "interval_s", t->interval_s);
    ccm_json_time(j, "start", t->start_ns);
    for (unsigned d = 0; d < 2; d++) {
        ccm_json_open_inline(j, keys[d], '[');
        for (unsigned i = 0; i < t->n; i++)
            ccm_json_u64(j, NULL, t->bytes[d][i]);
        ccm_json_close(j, ']');
    }
    ccm_json_close(j, '}');
}

static void route(ccm_json *j, const ccm_view_route *r, uint64_t link_bps)
{
    ccm_json_open(j, NULL, '{');
    ccm_json_text(j, "route", r->route);
    ccm_json_text(j, "ref", r->ref);
    ccm_json_text(j, "protocol", r->protocol);
    ccm_json_text(j, "other_protocol", r->other_protocol);
    if (r->has_port)
        ccm_json_u64(j, "port", r->port);
    if (r->instance)
        ccm_json_u64(j, "instance", r->instance);
    route_ends(j, r);
    ccm_json_text(j, "certainty", ccm_certainty_name(r->certainty));
    names(j, "basis", r->basis);
    ccm_json_bool(j, "decrypted", r->decrypted);
    route_connections(j, r);
    if (r->channel.state)
        route_channel(j, r);
    ccm_json_both(j, "packets", r->packets);
    ccm_json_both(j, "wire_bytes", r->wire_bytes);
    ccm_json_both(j, "ip_bytes", r->ip_bytes);
    ccm_json_both(j, "payload_bytes", r->payload_bytes);
    ccm_json_both(j, "retransmitted_bytes", r->retransmitted_bytes);
    ccm_json_both(j, "missing_bytes", r->missing_bytes);
    ccm_json_seen(j, r->first_seen_ns, r->last_seen_ns);
    route_transport(j, r);
    ccm_json_counts(j, "requests", r->requests);
    ccm_json_counts(j, "statuses", r->statuses);
    if (r->unpaired[0] || r->unpaired[1]) {
        ccm_json_open_inline(j, "unpaired", '{');
        ccm_json_u64(j, "requests", r->unpaired[0]);
        ccm_json_u64(j, "responses", r->unpaired[1]);
        ccm_json_close(j, '}');
    }
    counts_unless_empty(j, "hints", r->hints);
    ccm_json_route_auth(j, r);
    ccm_json_route_tls(j, r);
    if (r->rate.interval_s) {
        ccm_json_open_inline(j, "rate", '{');
        ccm_json_u64(j, "mean_bps", r->rate.mean_bps);
        ccm_json_u64(j, "p95_bps", r->rate.p95_bps);
        ccm_json_u64(j, "peak_bps", r->rate.peak_bps);
        ccm_json_u64(j, "interval_s", r->rate.interval_s);
        ccm_json_close(j, '}');
        ccm_json_bandwidth(j, r, link_bps);
    }
    if (r->timeline.n)
        route_timeline(j, &r->timeline);
    ccm_json_throttle(j, r);
    ccm_json_close(j, '}');
}

static void client(ccm_json *j, const ccm_view_client *c)
{
    ccm_json_open(j, NULL, '{');
    ccm_json_text(j, "client_id", c->client_id);
    address(j, "address", &c->addr);
    ccm_json_u64(j, "addresses", c->addresses);
    names(j, "names", c->names);
    ccm_json_counts(j, "messages", c->messages);
    ccm_json_client_proofs(j, c);
    ccm_json_close(j, '}');
}

static void upload(ccm_json *j, const ccm_view_upload *u)
{
    ccm_json_open(j, NULL, '{');
    ccm_json_text(j, "id", u->id);
    address(j, "client", &u->client);
    address(j, "server", &u->server);
    ccm_json_text(j, "client_id", u->client_id);
    ccm_json_text(j, "target", u->target);
    ccm_json_text(j, "name", u->name);
    ccm_json_u64(j, "bytes", u->bytes);
    if (u->total_bytes)
        ccm_json_u64(j, "total_bytes", u->total_bytes);
    ccm_json_u64(j, "fragments", u->fragments);
    ccm_json_bool(j, "complete", u->complete);
    ccm_json_bool(j, "closed", u->closed);
    ccm_json_bool(j, "cancelled", u->cancelled);
    if (u->refused)
        ccm_json_bool(j, "refused", true);
    ccm_json_text(j, "host_id", u->host);
    if (u->moved)
        address(j, "moved_to", &u->moved_to);
    ccm_json_text(j, "retried_as", u->retried_as);
    names(j, "errors", u->errors);
    ccm_json_seen(j, u->first_seen_ns, u->last_seen_ns);
    ccm_json_close(j, '}');
}

static void contents(ccm_json *j, const ccm_view *view, ccm_out *out)
{
    ccm_json_open(j, "contents", '[');
    for (unsigned i = 0; i < view->n_contents; i++, ccm_out_drain(out)) {
        const ccm_view_content *c = &view->contents[i];
        ccm_json_open(j, NULL, '{');
        ccm_json_text(j, "id", c->id);
        ccm_json_u64(j, "bytes", c->bytes);
        ccm_json_u64(j, "requests", c->requests);
        ccm_json_counts(j, "routes", c->routes);
        ccm_json_counts(j, "servers", c->servers);
        ccm_json_u64(j, "clients", c->n_clients);
        ccm_json_seen(j, c->first_seen_ns, c->last_seen_ns);
        ccm_json_close(j, '}');
    }
    ccm_json_close(j, ']');
}

void ccm_report_windows_json(const ccm_view *view, ccm_out *out)
{
    ccm_json j;
    ccm_json_init(&j, out->text, true);
    ccm_json_open(&j, NULL, '{');
    ccm_json_text(&j, "schema", "ccmscope.windows/1");
    capture(&j, &view->capture);
    ccm_json_open(&j, "routes", '[');
    for (unsigned i = 0; i < view->n_routes; i++, ccm_out_drain(out))
        route(&j, &view->routes[i], view->link_bps);
    ccm_json_close(&j, ']');
    contents(&j, view, out);
    ccm_json_close(&j, '}');
    g_string_append_c(out->text, '\n');
}

static void lookup(ccm_json *j, const ccm_view_lookup *l)
{
    ccm_json_open(j, NULL, '{');
    ccm_json_text(j, "name", l->name);
    ccm_json_u64(j, "type", l->type);
    ccm_json_bool(j, "failed", l->failed);
    ccm_json_u64(j, "clients", l->clients);
    ccm_json_u64(j, "queries", l->queries);
    ccm_json_open_inline(j, "answers", '{');
    const uint64_t counts[] = { l->answered, l->empty, l->nxdomain, l->servfail, l->other };
    static const char *const keys[] = { "answered", "empty", "nxdomain", "servfail", "other" };
    for (unsigned i = 0; i < G_N_ELEMENTS(counts); i++)
        if (counts[i])
            ccm_json_u64(j, keys[i], counts[i]);
    ccm_json_close(j, '}');
    if (l->first_frame)
        ccm_json_u64(j, "first_frame", l->first_frame);
    ccm_json_seen(j, l->first_seen_ns, l->last_seen_ns);
    ccm_json_close(j, '}');
}

void ccm_report_json(const ccm_view *view, ccm_out *out)
{
    ccm_json j;
    ccm_json_init(&j, out->text, true);
    ccm_json_open(&j, NULL, '{');
    ccm_json_text(&j, "schema", "ccmscope.report/1");
    capture(&j, &view->capture);
    ccm_json_open(&j, "hosts", '[');
    for (unsigned i = 0; i < view->n_hosts; i++, ccm_out_drain(out))
        host(&j, &view->hosts[i]);
    ccm_json_close(&j, ']');
    ccm_json_open(&j, "routes", '[');
    for (unsigned i = 0; i < view->n_routes; i++, ccm_out_drain(out))
        route(&j, &view->routes[i], view->link_bps);
    ccm_json_close(&j, ']');
    ccm_json_open(&j, "clients", '[');
    for (unsigned i = 0; i < view->n_clients; i++, ccm_out_drain(out))
        client(&j, &view->clients[i]);
    ccm_json_close(&j, ']');
    ccm_json_messages(&j, view, out);
    contents(&j, view, out);
    ccm_json_open(&j, "uploads", '[');
    for (unsigned i = 0; i < view->n_uploads; i++, ccm_out_drain(out))
        upload(&j, &view->uploads[i]);
    ccm_json_close(&j, ']');
    ccm_json_smb(&j, view, out);
    ccm_json_certificates(&j, view, out);
    ccm_json_open(&j, "lookups", '[');
    for (unsigned i = 0; i < view->n_lookups; i++, ccm_out_drain(out))
        lookup(&j, &view->lookups[i]);
    ccm_json_close(&j, ']');
    ccm_json_close(&j, '}');
    g_string_append_c(out->text, '\n');
}
