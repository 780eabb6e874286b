/* SPDX-License-Identifier: GPL-2.0-or-later
 * proofs_json.c - authentication, signatures and messages in the JSON report.
 * In: parts of a view. Out: members. State: none. Absent means unknown. */
#include "report/proofs.h"

static void evidence(ccm_json *j, const ccm_view_auth_evidence *e)
{
    ccm_json_open_inline(j, NULL, '{');
    ccm_json_text(j, "id", e->id);
    ccm_json_u64(j, "count", e->count);
    if (e->first_frame)
        ccm_json_u64(j, "first_frame", e->first_frame);
    if (e->has_code)
        ccm_json_u64(j, "error_code", e->code);
    ccm_json_close(j, '}');
}

void ccm_json_route_auth(ccm_json *j, const ccm_view_route *r)
{
    if (!r->n_auth)
        return;
    ccm_json_open(j, "auth", '[');
    for (unsigned i = 0; i < r->n_auth; i++) {
        const ccm_view_auth *a = &r->auth[i];
        ccm_json_open(j, NULL, '{');
        ccm_json_text(j, "stage", a->stage);
        ccm_json_text(j, "mode", a->mode);
        ccm_json_text(j, "account_kind", a->account_kind);
        ccm_json_text(j, "account", a->account);
        ccm_json_text(j, "certainty", ccm_certainty_name(a->certainty));
        ccm_json_u64(j, "count", a->count);
        if (a->denied)
            ccm_json_u64(j, "denied", a->denied);
        ccm_json_open(j, "evidence", '[');
        for (unsigned k = 0; k < a->n_evidence; k++)
            evidence(j, &a->evidence[k]);
        ccm_json_close(j, ']');
        ccm_json_close(j, '}');
    }
    ccm_json_close(j, ']');
}

void ccm_json_client_proofs(ccm_json *j, const ccm_view_client *c)
{
    if (c->kinds.n)
        ccm_json_counts(j, "message_kinds", c->kinds);
    uint64_t checked = c->signature.verified + c->signature.failed + c->signature.no_key +
                       c->signature.unverifiable + c->signature.replayed;
    if (checked) {
        ccm_json_open_inline(j, "signature", '{');
        ccm_json_u64(j, "verified", c->signature.verified);
        ccm_json_u64(j, "failed", c->signature.failed);
        ccm_json_u64(j, "no_key", c->signature.no_key);
        ccm_json_u64(j, "unverifiable", c->signature.unverifiable);
        ccm_json_u64(j, "replayed", c->signature.replayed);
        if (c->signature.key_changed)
            ccm_json_u64(j, "key_changed", c->signature.key_changed);
        ccm_json_close(j, '}');
    }
    if (c->has_skew)
        ccm_json_i64(j, "clock_skew_s", c->skew_s);
    if (c->skew_uncertain)
        ccm_json_text(j, "clock_skew_note", "times differ by more than a minute");
}

static void address(ccm_json *j, const char *key, const ccm_endpoint *e)
{
    char text[CCM_ENDPOINT_TEXT];
    ccm_json_text(j, key, ccm_endpoint_text(e, text));
}

static void message_auth(ccm_json *j, const ccm_view_message *m)
{
    ccm_json_open_inline(j, "auth", '[');
    ccm_json_open(j, NULL, '{');
    ccm_json_text(j, "stage", "message");
    ccm_json_text(j, "mode", m->message);
    ccm_json_close(j, '}');
    ccm_json_open(j, NULL, '{');
    ccm_json_text(j, "stage", "transport");
    ccm_json_text(j, "mode", m->transport);
    ccm_json_text(j, "account_kind", m->account_kind);
    ccm_json_text(j, "account", m->account);
    ccm_json_close(j, '}');
    ccm_json_close(j, ']');
}

void ccm_json_messages(ccm_json *j, const ccm_view *view, ccm_out *out)
{
    if (!view->has_messages)
        return;
    ccm_json_open(j, "messages", '[');
    for (unsigned i = 0; i < view->n_messages; i++, ccm_out_drain(out)) {
        const ccm_view_message *m = &view->messages[i];
        ccm_json_open(j, NULL, '{');
        if (m->time_ns)
            ccm_json_time(j, "time", m->time_ns);
        ccm_json_u64(j, "frame", m->frame);
        address(j, "source", &m->client);
        address(j, "destination", &m->server);
        ccm_json_text(j, "client_id", m->client_id);
        ccm_json_text(j, "endpoint", m->endpoint);
        ccm_json_text(j, "kind", m->kind);
        ccm_json_text(j, "message_id", m->message_id);
        message_auth(j, m);
        ccm_json_text(j, "signature", m->signature);
        if (m->key_changed)
            ccm_json_bool(j, "key_changed", true);
        ccm_json_u64(j, "size", m->size);
        if (m->status)
            ccm_json_u64(j, "status", m->status);
        ccm_json_text(j, "reply", m->reply);
        if (m->foreign_reply)
            ccm_json_bool(j, "foreign_reply", true);
        ccm_json_close(j, '}');
    }
    ccm_json_close(j, ']');
}
