/* SPDX-License-Identifier: GPL-2.0-or-later
 * lacks.c - what the capture lacked, in words and numbers.
 * In: a view. Out: one sentence for each lack, worst first. State: none. The model decides what is
 * incomplete (capture.incomplete_because); this file words it and adds the counts. */
#include "report/report.h"
#include "model/view.h"

typedef struct ccm_sums {
    uint64_t wire, missing, payload, midstream, unpaired[2];
    uint64_t encrypted, unknown, duplicates, conflicts, one_sided;
} ccm_sums;

static bool is_encrypted(const char *protocol)
{
    return !strcmp(protocol, "https") || !strcmp(protocol, "tls") || !strcmp(protocol, "tcp-tls");
}

static ccm_sums add_up(const ccm_view *view)
{
    ccm_sums s = { 0 };
    for (unsigned i = 0; i < view->n_routes; i++) {
        const ccm_view_route *r = &view->routes[i];
        uint64_t wire = r->wire_bytes[0] + r->wire_bytes[1];
        s.wire += wire;
        s.missing += r->missing_bytes[0] + r->missing_bytes[1];
        s.midstream += r->connections.midstream;
        s.unpaired[0] += r->unpaired[0];
        s.unpaired[1] += r->unpaired[1];
        s.duplicates += r->transport.duplicates;
        s.conflicts += r->transport.overlap_conflicts;
        uint64_t payload = r->payload_bytes[0] + r->payload_bytes[1];
        s.payload += payload;
        bool shut = r->via.addr.family && !r->tls.sessions; /* no tunnel, so nothing in it */
        if (is_encrypted(r->protocol) && !r->decrypted && !shut)
            s.encrypted += payload ? wire : 0; /* a handshake alone hides nothing */
        else if (!strcmp(r->route, "unknown/unknown"))
            s.unknown += wire;
        uint64_t spoken = r->connections.established + r->connections.midstream;
        bool one_way = !r->packets[CCM_TO_DESTINATION] || !r->packets[CCM_TO_SOURCE];
        if (r->l4 == 6 && one_way) /* refused and unanswered ones are silent for a reason */
            s.one_sided += spoken;
    }
    return s;
}

/* Moves the sentence in `text` to the list. */
static void say(GPtrArray *list, GString *text)
{
    g_ptr_array_add(list, g_strdup(text->str));
    g_string_truncate(text, 0);
}

static void say_limits(GPtrArray *list, const ccm_view_capture *c, GString *t)
{
    for (unsigned i = 0; i < c->n_limits_hit; i++) {
        g_string_append_printf(t, "the limit \"%s\" was reached ", c->limits_hit[i].name);
        ccm_plural_append(t, c->limits_hit[i].count, "time");
        g_string_append(t, ": some detail was left out");
        say(list, t);
    }
}

/* Inputs that ended early and those that could not be used have their notes together, told once. */
static void say_input(GPtrArray *list, const ccm_view_capture *c, const char *id, GString *t)
{
    for (unsigned i = 0; i < c->incomplete_because.n && c->incomplete_because.v[i] != id; i++)
        if (!strcmp(c->incomplete_because.v[i], "input-unusable"))
            return;
    g_string_append(t, "not all of the input could be used");
    for (unsigned i = 0; i < c->notes.n; i++) {
        g_string_append(t, i ? "; " : ": ");
        ccm_terminal_append(t, c->notes.v[i]);
    }
    say(list, t);
}

static void say_gaps(GPtrArray *list, const ccm_view_capture *c, const ccm_sums *s, GString *t)
{
    ccm_plural_append(t, c->gaps, "gap");
    g_string_append(t, " inside connections: ");
    ccm_bytes_append(t, s->missing);
    g_string_append(t, " missing (");
    ccm_percent_append(t, s->missing, s->missing + s->payload);
    g_string_append(t, " of the payload)");
    say(list, t);
}

/* A reason of the model as a sentence with its numbers. */
static void say_reason(GPtrArray *list, const ccm_view_capture *c, const ccm_sums *s,
                       const char *id, GString *t)
{
    if (!strcmp(id, "gaps")) {
        say_gaps(list, c, s, t);
    } else if (!strcmp(id, "limits")) {
        say_limits(list, c, t);
    } else if (!strcmp(id, "input-ended-early") || !strcmp(id, "input-unusable")) {
        say_input(list, c, id, t);
    } else if (!strcmp(id, "no-match")) {
        g_string_append(t, "the capture filter matched none of ");
        ccm_plural_append(t, c->filtered_packets, "packet");
        say(list, t);
    } else if (!strcmp(id, "times-backward")) {
        g_string_append(t, "the time of the packets went back ");
        ccm_plural_append(t, c->backward_steps, "time");
        g_string_append(t, " by more than a minute: times and durations across that are wrong");
        say(list, t);
    } else if (!strcmp(id, "clocks-differ")) {
        ccm_plural_append(t, c->answers_ahead, "response");
        g_string_append_printf(t, " up to %.1f ms before their requests",
                               (double)c->ahead_ns / 1e6);
        g_string_append(t, ": the clocks of the capture points differ by more, times between the "
                           "two directions are wrong");
        say(list, t);
    } else if (!strcmp(id, "files-unmerged")) {
        ccm_plural_append(t, c->unmerged_files, "file");
        g_string_append(t, " read late: more files overlap in time than can be read together");
        say(list, t);
    } else if (!strcmp(id, "no-times")) {
        ccm_plural_append(t, c->untimed_packets, "packet");
        g_string_append(t, " without a time: what is reckoned from their times is not known");
        say(list, t);
    } else if (!strcmp(id, "dropped")) {
        ccm_plural_append(t, c->dropped_packets, "packet");
        g_string_append(t, " dropped by the capturing host: true bytes and rates are higher");
        say(list, t);
    } else if (!strcmp(id, "truncated")) {
        ccm_plural_append(t, c->truncated_packets, "packet");
        g_string_append(t, " cut by the snap length (");
        ccm_percent_append(t, c->truncated_packets, c->packets);
        g_string_append(t, "): contents are missing, capture with -s 0");
        say(list, t);
    } else if (!strcmp(id, "undecoded")) {
        ccm_plural_append(t, c->undecoded_packets, "packet");
        g_string_append(t, " whose headers could not be read");
        say(list, t);
    } else if (!strcmp(id, "midstream") && s->midstream) {
        ccm_plural_append(t, s->midstream, "connection");
        g_string_append(t, " began before the capture: which side opened them is inferred");
        say(list, t);
    } else {
        g_string_append(t, ccm_view_reason_text(id));
        say(list, t);
    }
}

static void say_one_sided(GPtrArray *list, const ccm_sums *s, GString *t)
{
    if (s->one_sided) {
        ccm_plural_append(t, s->one_sided, "connection");
        g_string_append(t, " seen in one direction only: the capture point misses the other");
        say(list, t);
    }
    if (s->unpaired[0]) {
        ccm_plural_append(t, s->unpaired[0], "request");
        g_string_append(t, " without a response in the capture");
        say(list, t);
    }
    if (s->unpaired[1]) {
        ccm_plural_append(t, s->unpaired[1], "response");
        g_string_append(t, " without a request in the capture");
        say(list, t);
    }
}

/* Keys were given; were they any good? */
static void say_keys(GPtrArray *list, const ccm_decryption *d, GString *t)
{
    if (d->malformed) {
        ccm_plural_append(t, d->malformed, "line");
        g_string_append(t, " of the key log could not be read: each is LABEL RANDOM SECRET");
        say(list, t);
    }
    if (d->sessions || !(d->secrets || d->private_keys))
        return;
    g_string_append(t, "no TLS session of this capture uses ");
    if (d->secrets) {
        g_string_append(t, "the ");
        ccm_plural_append(t, d->secrets, "secret");
        g_string_append(t, d->private_keys ? " or " : " given (--keylog, secrets blocks)");
    }
    if (d->private_keys)
        g_string_append(t, "the private key given (--key): it opens RSA key exchange alone");
    say(list, t);
}

static void say_share(GPtrArray *list, uint64_t part, uint64_t whole, const char *what, GString *t)
{
    if (!part)
        return;
    ccm_bytes_append(t, part);
    g_string_append(t, " (");
    ccm_percent_append(t, part, whole);
    g_string_append_printf(t, ") %s", what);
    say(list, t);
}

static void say_odd(GPtrArray *list, const ccm_view_capture *c, const ccm_sums *s, GString *t)
{
    for (unsigned i = 0; i < c->anomalies.n && i < 3; i++) {
        ccm_plural_append(t, c->anomalies.v[i].count, "message");
        g_string_append(t, " not understood: ");
        ccm_terminal_append(t, c->anomalies.v[i].name);
        say(list, t);
    }
    if (c->anomalies.n > 3) {
        ccm_plural_append(t, c->anomalies.n - 3, "other kind");
        g_string_append(t, " of message not understood (see --format json)");
        say(list, t);
    }
    if (s->duplicates) {
        ccm_plural_append(t, s->duplicates, "packet");
        g_string_append(t, " captured twice, as on a mirror port: packets and bytes count both");
        say(list, t);
    }
    if (s->conflicts) {
        ccm_plural_append(t, s->conflicts, "byte");
        g_string_append(t, " sent again with other contents: the first copy was used");
        say(list, t);
    }
}

GPtrArray *ccm_report_lacks(const ccm_view *view)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    const ccm_view_capture *c = &view->capture;
    ccm_sums s = add_up(view);
    GString *t = g_string_new(NULL);
    for (unsigned i = 0; i < c->incomplete_because.n; i++)
        say_reason(list, c, &s, c->incomplete_because.v[i], t);
    say_one_sided(list, &s, t);
    say_keys(list, &c->decryption, t);
    say_share(list, s.unknown, s.wire, "belongs to no known route", t);
    say_share(list, s.encrypted, s.wire, "is encrypted and was not looked into", t);
    say_odd(list, c, &s, t);
    if (!list->len && !c->complete) {
        g_string_append(t, "the capture is incomplete");
        say(list, t);
    }
    g_string_free(t, TRUE);
    return list;
}
