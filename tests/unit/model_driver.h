/* SPDX-License-Identifier: GPL-2.0-or-later
 * model_driver.h - makes observations by hand and prints a whole view, for the tests of the model.
 */
#ifndef CCM_TESTS_MODEL_DRIVER_H
#define CCM_TESTS_MODEL_DRIVER_H

#include "model/model.h"
#include "model/view.h"
#include "text.h"

#define SECOND UINT64_C(1000000000)

static inline ccm_endpoint drv_end(const char *text)
{
    ccm_endpoint e;
    memset(&e, 0, sizeof e);
    if (text)
        g_assert_true(ccm_endpoint_parse(text, &e));
    return e;
}

static inline ccm_obs drv_obs(ccm_obs_kind kind, uint64_t flow, const char *src, const char *dst,
                              uint64_t time_ns)
{
    ccm_obs o;
    memset(&o, 0, sizeof o);
    o.kind = kind;
    o.l4 = 6;
    o.flow = flow;
    o.frame = flow * 10;
    o.time_ns = time_ns;
    o.src = drv_end(src);
    o.dst = drv_end(dst);
    return o;
}

static inline void drv_text(ccm_obs *o, ccm_key key, const char *text)
{
    if (text)
        ccm_obs_str(o, key, ccm_span_str(text));
}

/* A run of `packets` packets of 100 wire bytes each, 86 of them IP and 46 payload. */
static inline void drv_run(ccm_model *m, uint64_t flow, const char *client, const char *server,
                           bool from_client, uint64_t time_ns, uint64_t packets)
{
    ccm_obs o = drv_obs(CCM_OBS_run, flow, from_client ? client : server,
                        from_client ? server : client, time_ns);
    ccm_obs_flag(&o, CCM_KEY_from_client, from_client);
    ccm_obs_u64(&o, CCM_KEY_end_ns, time_ns + 1000);
    ccm_obs_u64(&o, CCM_KEY_packets, packets);
    ccm_obs_u64(&o, CCM_KEY_wire_bytes, packets * 100);
    ccm_obs_u64(&o, CCM_KEY_ip_bytes, packets * 86);
    ccm_obs_u64(&o, CCM_KEY_payload_bytes, packets * 46);
    ccm_obs_u64(&o, CCM_KEY_unique_bytes, packets * 46);
    ccm_model_observe(m, &o);
}

static inline void drv_connection(ccm_model *m, uint64_t flow, const char *client,
                                  const char *server, const char *state, const char *closed)
{
    ccm_obs o = drv_obs(CCM_OBS_connection, flow, client, server, 0);
    drv_text(&o, CCM_KEY_state, state);
    drv_text(&o, CCM_KEY_closed, closed);
    ccm_model_observe(m, &o);
}

static inline void drv_request(ccm_model *m, uint64_t flow, const char *client, const char *server,
                               const char *method, const char *target, const char *host)
{
    ccm_obs o = drv_obs(CCM_OBS_http_request, flow, client, server, 0);
    ccm_obs_u64(&o, CCM_KEY_exchange, 1);
    drv_text(&o, CCM_KEY_method, method);
    drv_text(&o, CCM_KEY_target, target);
    drv_text(&o, CCM_KEY_host, host);
    ccm_model_observe(m, &o);
}

static inline void drv_response(ccm_model *m, uint64_t flow, const char *client, const char *server,
                                unsigned status)
{
    ccm_obs o = drv_obs(CCM_OBS_http_response, flow, server, client, 0);
    ccm_obs_u64(&o, CCM_KEY_exchange, 1);
    ccm_obs_u64(&o, CCM_KEY_status, status);
    ccm_model_observe(m, &o);
}

static inline void drv_capture(ccm_model *m, uint64_t packets, uint64_t bytes, uint64_t start,
                               uint64_t end)
{
    ccm_obs o = drv_obs(CCM_OBS_capture, 0, NULL, NULL, end);
    ccm_obs_u64(&o, CCM_KEY_packets, packets);
    ccm_obs_u64(&o, CCM_KEY_wire_bytes, bytes);
    ccm_obs_flag(&o, CCM_KEY_has_start, packets > 0);
    ccm_obs_u64(&o, CCM_KEY_start_ns, start);
    ccm_obs_u64(&o, CCM_KEY_end_ns, end);
    ccm_model_observe(m, &o);
}

static inline const ccm_view_host *drv_host(const ccm_view *v, const char *addr)
{
    ccm_addr a;
    g_assert_true(ccm_addr_parse(addr, &a));
    for (unsigned i = 0; i < v->n_hosts; i++)
        if (ccm_addr_cmp(&v->hosts[i].addr, &a) == 0)
            return &v->hosts[i];
    return NULL;
}

static inline const ccm_view_role *drv_role(const ccm_view *v, const char *addr, const char *role)
{
    const ccm_view_host *h = drv_host(v, addr);
    for (unsigned i = 0; h && i < h->n_roles; i++)
        if (strcmp(h->roles[i].role, role) == 0)
            return &h->roles[i];
    return NULL;
}

static inline const ccm_view_route *drv_route(const ccm_view *v, const char *route)
{
    for (unsigned i = 0; i < v->n_routes; i++)
        if (strcmp(v->routes[i].route, route) == 0)
            return &v->routes[i];
    return NULL;
}

/* An observation inside exchange 1 of a flow, ready for its attributes. */
static inline ccm_obs drv_inside(ccm_obs_kind kind, uint64_t flow, uint64_t exchange,
                                 const char *src, const char *dst, uint64_t time_ns)
{
    ccm_obs o = drv_obs(kind, flow, src, dst, time_ns);
    ccm_obs_u64(&o, CCM_KEY_exchange, exchange);
    return o;
}

static inline const ccm_view_auth *drv_auth(const ccm_view_route *r, const char *stage,
                                            const char *mode, const char *account)
{
    for (unsigned i = 0; r && i < r->n_auth; i++)
        if (!strcmp(r->auth[i].stage, stage) && !strcmp(r->auth[i].mode, mode) &&
            !g_strcmp0(r->auth[i].account, account))
            return &r->auth[i];
    return NULL;
}

static inline const ccm_view_auth_evidence *drv_why(const ccm_view_auth *a, const char *id)
{
    for (unsigned i = 0; a && i < a->n_evidence; i++)
        if (!strcmp(a->evidence[i].id, id))
            return &a->evidence[i];
    return NULL;
}

/* ---- a view as text -------------------------------------------------------------------------- */

static inline void dump_counts(GString *out, const char *what, const ccm_view_counts *c)
{
    for (unsigned i = 0; i < c->n; i++)
        g_string_append_printf(out, " %s[%s]=%" G_GUINT64_FORMAT, what, c->v[i].name,
                               c->v[i].count);
}

static inline void dump_names(GString *out, const char *what, const ccm_view_names *c)
{
    for (unsigned i = 0; i < c->n; i++)
        g_string_append_printf(out, " %s=%s", what, c->v[i]);
}

static inline void dump_u64(GString *out, const char *what, const uint64_t *v, unsigned n)
{
    g_string_append_c(out, ' ');
    g_string_append(out, what);
    for (unsigned i = 0; i < n; i++) {
        g_string_append_c(out, ',');
        text_u64(out, v[i]);
    }
}

static inline void dump_auth(GString *out, const ccm_view_route *r)
{
    for (unsigned i = 0; i < r->n_auth; i++) {
        const ccm_view_auth *a = &r->auth[i];
        g_string_append_printf(out, " auth=%s/%s/%s/%s/%s", a->stage, a->mode,
                               a->account_kind ? a->account_kind : "-",
                               a->account ? a->account : "-", ccm_certainty_name(a->certainty));
        dump_u64(out, "n", (const uint64_t[]){ a->count, a->denied }, 2);
        for (unsigned k = 0; k < a->n_evidence; k++)
            g_string_append_printf(out, "(%s,%u,%u,%u)", a->evidence[k].id,
                                   (unsigned)a->evidence[k].count,
                                   (unsigned)a->evidence[k].first_frame, a->evidence[k].code);
    }
}

static inline void dump_client(GString *out, const ccm_view_client *c)
{
    dump_counts(out, "kind", &c->kinds);
    dump_u64(out, "signatures",
             (const uint64_t[]){ c->signature.verified, c->signature.failed, c->signature.no_key,
                                 c->signature.unverifiable, c->signature.replayed,
                                 c->signature.key_changed },
             6);
    g_string_append_printf(out, " skew=%d/%d/%d", c->has_skew, (int)c->skew_s, c->skew_uncertain);
}

static inline void dump_messages(GString *out, const ccm_view *v)
{
    for (unsigned i = 0; i < v->n_messages; i++) {
        const ccm_view_message *m = &v->messages[i];
        g_string_append_printf(
            out, "message %u %u %s %s %s %s %s/%s %u %u %s\n", (unsigned)(m->time_ns / 1000),
            (unsigned)m->frame, m->client_id ? m->client_id : "-", m->endpoint ? m->endpoint : "-",
            m->kind, m->message_id ? m->message_id : "-", m->message, m->transport,
            (unsigned)m->size, m->status, m->reply ? m->reply : "-");
    }
}

static inline void dump_measures(GString *out, const ccm_view_measures *m)
{
    dump_u64(out, "is",
             (const uint64_t[]){ m->block_low, m->block_high, m->delay_low_ns, m->delay_high_ns,
                                 m->percent_low, m->percent_high, m->duty, m->rate_bps },
             8);
}

static inline void dump_throttle(GString *out, const ccm_view_throttle *t)
{
    char a[CCM_ADDR_TEXT];
    g_string_append_printf(out, " throttle %s %s/%d", ccm_addr_text(&t->source, a), t->verdict,
                           (int)t->certainty);
    dump_measures(out, &t->is);
    dump_u64(out, "t",
             (const uint64_t[]){ t->bytes, t->discarded_bytes, t->discarded_files, t->files,
                                 t->connections_peak, t->connections_tenths, t->files_tenths,
                                 t->active_s },
             8);
    dump_u64(out, "day", t->day_bytes, 24);
    dump_names(out, "note", &t->notes);
    for (unsigned i = 0; t->hours && i < CCM_VIEW_WEEK; i++)
        if (t->hours[i])
            g_string_append_printf(out, " %u:%s", i, t->hours[i]);
    for (unsigned i = 0; i < t->n_windows; i++) {
        const ccm_view_window *w = &t->windows[i];
        g_string_append_printf(out, " window %s/%d", w->verdict, (int)w->certainty);
        dump_measures(out, &w->is);
        dump_u64(out, "w", (const uint64_t[]){ w->start_ns, w->end_ns, w->bytes }, 3);
    }
}

static inline void dump_channel(GString *out, const ccm_view_route *r)
{
    const ccm_view_channel *c = &r->channel;
    if (!c->state)
        return;
    g_string_append_printf(out, " vm=%u channel=%s/%s", r->instance, c->state,
                           c->reason ? c->reason : "-");
    dump_u64(out, "pauses",
             (const uint64_t[]){ c->reconnects, c->pauses, c->pause_median_s, c->pause_shortest_s,
                                 c->pause_longest_s },
             5);
    for (unsigned i = 0; i < r->n_fallbacks; i++) {
        const ccm_view_fallback *f = &r->fallbacks[i];
        g_string_append_printf(out, " from=%u/%s/%s/%s", f->from_port, f->from_protocol, f->reason,
                               ccm_certainty_name(f->certainty));
        dump_u64(out, "n",
                 (const uint64_t[]){ f->count, f->first_seen_ns, f->from_frame, f->frame }, 4);
        dump_names(out, "why", &f->evidence);
    }
}

static inline void dump_lookups(GString *out, const ccm_view *v)
{
    for (unsigned i = 0; i < v->n_lookups; i++) {
        const ccm_view_lookup *l = &v->lookups[i];
        g_string_append_printf(out, "lookup %s %u %d", l->name, l->type, l->failed);
        dump_u64(out, "n",
                 (const uint64_t[]){ l->clients, l->queries, l->answered, l->empty, l->nxdomain,
                                     l->servfail, l->other, l->first_frame, l->first_seen_ns,
                                     l->last_seen_ns },
                 10);
        g_string_append_c(out, '\n');
    }
}

static inline void dump_tls(GString *out, const ccm_view_tls *t)
{
    if (!t->sessions)
        return;
    g_string_append_printf(out, " tls=%s/%d/%s/%d", t->server_certificate, (int)t->server_certainty,
                           t->client_certificate, (int)t->client_certainty);
    dump_u64(out, "n", (const uint64_t[]){ t->sessions, t->resumed, t->inherited }, 3);
    const ccm_view_counts *const counts[] = { &t->versions,
                                              &t->ciphers,
                                              &t->sni,
                                              &t->alpn,
                                              &t->ja3,
                                              &t->ja4,
                                              &t->issuers,
                                              &t->server_certificates,
                                              &t->client_certificates };
    for (unsigned i = 0; i < G_N_ELEMENTS(counts); i++)
        dump_counts(out, "tls", counts[i]);
    for (unsigned i = 0; i < t->n_alerts; i++)
        g_string_append_printf(out, " alert=%s/%s/%u/%u", t->alerts[i].from,
                               t->alerts[i].level ? t->alerts[i].level : "-", t->alerts[i].alert,
                               (unsigned)t->alerts[i].count);
}

static inline void dump_certificates(GString *out, const ccm_view *v)
{
    for (unsigned i = 0; i < v->n_certificates; i++) {
        const ccm_view_certificate *c = &v->certificates[i];
        g_string_append_printf(out, "certificate %s %s %s %d/%d/%d", c->fingerprint, c->subject,
                               c->kind, c->server, c->client, c->seen_on_more);
        dump_u64(out, "n", (const uint64_t[]){ c->count, c->first_frame }, 2);
        dump_names(out, "on", &c->seen_on);
        g_string_append_c(out, '\n');
    }
}

static inline void dump_route(GString *out, const ccm_view_route *r)
{
    char a[CCM_ADDR_TEXT], b[CCM_ADDR_TEXT];
    g_string_append_printf(out, "route %s %s %s %s>%s l4=%u port=%u/%d src=%d/%s dst=%s %s n=%u",
                           r->route, r->ref, r->protocol, r->source_role, r->destination_role,
                           r->l4, r->port, r->has_port, r->has_source, ccm_addr_text(&r->source, a),
                           ccm_addr_text(&r->destination, b), ccm_certainty_name(r->certainty),
                           (unsigned)r->sources);
    g_string_append_printf(out, " other=%s", r->other_protocol ? r->other_protocol : "-");
    dump_names(out, "name", &r->destination_names);
    dump_names(out, "basis", &r->basis);
    dump_u64(out, "conn", (const uint64_t *)&r->connections, 7);
    dump_u64(out, "packets", r->packets, 2);
    dump_u64(out, "wire", r->wire_bytes, 2);
    dump_u64(out, "ip", r->ip_bytes, 2);
    dump_u64(out, "payload", r->payload_bytes, 2);
    dump_u64(out, "retrans", r->retransmitted_bytes, 2);
    dump_u64(out, "missing", r->missing_bytes, 2);
    dump_u64(out, "seen", (const uint64_t[]){ r->first_seen_ns, r->last_seen_ns }, 2);
    dump_u64(out, "transport",
             (const uint64_t[]){ r->transport.has_rtt, r->transport.rtt_min_ns,
                                 r->transport.rtt_mean_ns, r->transport.rtt_max_ns,
                                 r->transport.rtt_count, r->transport.zero_windows,
                                 r->transport.resets, r->transport.gaps, r->transport.duplicates,
                                 r->transport.overlap_conflicts },
             10);
    dump_u64(out, "totals", (const uint64_t[]){ r->requests_total, r->failed_total }, 2);
    dump_counts(out, "req", &r->requests);
    dump_counts(out, "status", &r->statuses);
    dump_counts(out, "hint", &r->hints);
    dump_counts(out, "icmp", &r->icmp_errors);
    dump_u64(out, "rate",
             (const uint64_t[]){ r->rate.mean_bps, r->rate.p95_bps, r->rate.peak_bps,
                                 r->rate.interval_s },
             4);
    dump_u64(out, "time", (const uint64_t[]){ r->timeline.interval_s, r->timeline.start_ns }, 2);
    for (unsigned d = 0; d < 2; d++)
        dump_u64(out, "points", r->timeline.bytes[d], r->timeline.n);
    dump_auth(out, r);
    for (unsigned i = 0; i < r->n_throttle; i++)
        dump_throttle(out, &r->throttle[i]);
    dump_channel(out, r);
    dump_tls(out, &r->tls);
    g_string_append_c(out, '\n');
}

static inline void dump_hosts(GString *out, const ccm_view *v)
{
    char a[CCM_ADDR_TEXT];
    for (unsigned i = 0; i < v->n_hosts; i++) {
        const ccm_view_host *h = &v->hosts[i];
        g_string_append_printf(out, "host %s", ccm_addr_text(&h->addr, a));
        dump_names(out, "name", &h->names);
        for (unsigned k = 0; k < h->names.n; k++)
            g_string_append_printf(out, " %u", h->name_sources[k]);
        for (unsigned k = 0; k < h->n_roles; k++) {
            const ccm_view_role *r = &h->roles[k];
            g_string_append_printf(out, " role=%s/%s/%s", r->role,
                                   r->qualifier ? r->qualifier : "-",
                                   ccm_certainty_name(r->certainty));
            for (unsigned j = 0; j < r->n_evidence; j++)
                g_string_append_printf(out, "(%s,%s,%u,%u)", r->evidence[j].id,
                                       ccm_certainty_name(r->evidence[j].certainty),
                                       (unsigned)r->evidence[j].count,
                                       (unsigned)r->evidence[j].first_frame);
        }
        g_string_append_c(out, '\n');
    }
}

static inline char *drv_dump(const ccm_model *m, bool per_client)
{
    char a[CCM_ADDR_TEXT], b[CCM_ADDR_TEXT];
    ccm_view *v = ccm_view_new(m, per_client);
    const ccm_view_capture *c = &v->capture;
    GString *out = g_string_new(NULL);

    g_string_append_printf(out, "capture ended=%d complete=%d", v->ended, c->complete);
    dump_u64(out, "sums",
             (const uint64_t[]){ c->has_time, c->start_ns, c->end_ns, c->packets, c->bytes,
                                 c->truncated_packets, c->undecoded_packets, c->dropped_packets,
                                 c->gaps, c->secrets_blocks },
             10);
    dump_names(out, "because", &c->incomplete_because);
    dump_names(out, "note", &c->notes);
    dump_counts(out, "anomaly", &c->anomalies);
    for (unsigned i = 0; i < c->n_limits_hit; i++)
        g_string_append_printf(out, " limit=%s/%u", c->limits_hit[i].name,
                               (unsigned)c->limits_hit[i].count);
    for (unsigned i = 0; i < c->n_files; i++)
        g_string_append_printf(out, " file=%s/%u/%u", c->files[i].name,
                               (unsigned)c->files[i].first_frame, (unsigned)c->files[i].packets);
    g_string_append_c(out, '\n');
    dump_hosts(out, v);
    for (unsigned i = 0; i < v->n_routes; i++)
        dump_route(out, &v->routes[i]);
    for (unsigned i = 0; i < v->n_clients; i++) {
        g_string_append_printf(out, "client %s %s %u", v->clients[i].client_id,
                               ccm_addr_text(&v->clients[i].addr, a), v->clients[i].addresses);
        dump_names(out, "name", &v->clients[i].names);
        dump_counts(out, "msg", &v->clients[i].messages);
        dump_client(out, &v->clients[i]);
        g_string_append_c(out, '\n');
    }
    for (unsigned i = 0; i < v->n_uploads; i++) {
        const ccm_view_upload *u = &v->uploads[i];
        g_string_append_printf(out, "upload %s %s>%s %s %s %s c=%d x=%d", u->id,
                               ccm_addr_text(&u->client, a), ccm_addr_text(&u->server, b),
                               u->client_id ? u->client_id : "-", u->target,
                               u->name ? u->name : "-", u->complete, u->cancelled);
        dump_u64(out, "u",
                 (const uint64_t[]){ u->bytes, u->total_bytes, u->fragments, u->first_seen_ns,
                                     u->last_seen_ns },
                 5);
        dump_names(out, "error", &u->errors);
        g_string_append_printf(out, " %d host=%s moved=%d/%s retried=%s\n", u->closed,
                               u->host ? u->host : "-", u->moved, ccm_addr_text(&u->moved_to, a),
                               u->retried_as ? u->retried_as : "-");
    }
    for (unsigned i = 0; i < v->n_contents; i++) {
        const ccm_view_content *x = &v->contents[i];
        g_string_append_printf(out, "content %s", x->id);
        dump_u64(out, "c",
                 (const uint64_t[]){ x->bytes, x->requests, x->n_clients, x->first_seen_ns,
                                     x->last_seen_ns },
                 5);
        dump_counts(out, "route", &x->routes);
        dump_counts(out, "server", &x->servers);
        g_string_append_c(out, '\n');
    }
    dump_messages(out, v);
    dump_lookups(out, v);
    dump_certificates(out, v);
    ccm_view_free(v);
    return g_string_free(out, FALSE);
}

#endif
