/* SPDX-License-Identifier: GPL-2.0-or-later
 * proofs_exchange.c - authentication, message and token of one exchange, as JSON and as notes.
 * In: an exchange. Out: members, words. State: none. */
#include "report/proofs.h"

static void json_auth(ccm_json *j, const ccm_exchange *x)
{
    if (!x->n_auth)
        return;
    ccm_json_open(j, "auth", '[');
    for (unsigned i = 0; i < x->n_auth; i++) {
        const ccm_exchange_auth *a = &x->auth[i];
        ccm_json_open(j, NULL, '{');
        ccm_json_text(j, "stage", a->stage);
        ccm_json_text(j, "mode", a->mode);
        ccm_json_text(j, "account_kind", a->account_kind);
        ccm_json_text(j, "account", a->account);
        ccm_json_text(j, "certainty", ccm_certainty_name(a->certainty));
        if (a->leg)
            ccm_json_bool(j, "handshake", true);
        if (a->denied)
            ccm_json_bool(j, "denied", true);
        ccm_json_open(j, "evidence", '[');
        for (unsigned k = 0; k < a->n_evidence; k++)
            ccm_json_text(j, NULL, a->evidence[k]);
        ccm_json_close(j, ']');
        ccm_json_close(j, '}');
    }
    ccm_json_close(j, ']');
}

static void json_signatures(ccm_json *j, const ccm_exchange *x)
{
    if (!x->n_signatures)
        return;
    ccm_json_open(j, "signatures", '[');
    for (unsigned i = 0; i < x->n_signatures; i++) {
        const ccm_exchange_signature *s = &x->signatures[i];
        ccm_json_open(j, NULL, '{');
        ccm_json_text(j, "field", s->field);
        ccm_json_text(j, "result", s->result);
        ccm_json_text(j, "variant", s->variant);
        ccm_json_text(j, "key_source", s->key_source);
        ccm_json_close(j, '}');
    }
    ccm_json_close(j, ']');
}

/* What a header says beyond the members of the message itself. */
static void json_header(ccm_json *j, const ccm_exchange *x, bool reply)
{
    bool open = false;
    for (unsigned i = 0; i < x->message.n_header; i++) {
        const ccm_exchange_header_field *f = &x->message.header[i];
        if (f->reply != reply)
            continue;
        if (!open)
            ccm_json_open(j, reply ? "reply_header" : "header", '{');
        open = true;
        const char *name = ccm_key_name(f->key);
        if (ccm_key_type(f->key) == CCM_TYPE_STR)
            ccm_json_text(j, name, f->text);
        else if (ccm_key_type(f->key) == CCM_TYPE_BOOL)
            ccm_json_bool(j, name, true);
        else
            ccm_json_u64(j, name, f->number);
    }
    if (open)
        ccm_json_close(j, '}');
}

static void json_message(ccm_json *j, const ccm_exchange *x)
{
    if (!x->message.present)
        return;
    ccm_json_open(j, "message", '{');
    ccm_json_text(j, "endpoint", x->message.endpoint);
    ccm_json_text(j, "kind", x->message.kind);
    ccm_json_text(j, "id", x->message.id);
    ccm_json_text(j, "correlation_id", x->message.correlation_id);
    ccm_json_text(j, "source_id", x->message.source_id);
    ccm_json_text(j, "source_host", x->message.source_host);
    ccm_json_text(j, "sent_time", x->message.sent_time);
    ccm_json_text(j, "reply_to", x->message.reply_to);
    /* What the rest of a header that was cut short would have said is not known. */
    if (x->message.is_signed || !x->message.incomplete)
        ccm_json_bool(j, "signed", x->message.is_signed);
    if (x->message.compressed || !x->message.incomplete)
        ccm_json_bool(j, "compressed", x->message.compressed);
    if (x->message.encrypted)
        ccm_json_bool(j, "encrypted", true);
    if (x->message.incomplete || x->message.body_incomplete)
        ccm_json_bool(j, "incomplete", true);
    ccm_json_text(j, "detail", x->message.detail);
    json_header(j, x, false);
    ccm_json_text(j, "reply", x->message.reply);
    ccm_json_text(j, "reply_detail", x->message.reply_detail);
    if (x->message.foreign_reply)
        ccm_json_bool(j, "foreign_reply", true);
    json_header(j, x, true);
    ccm_json_text(j, "assigned_client_id", x->message.assigned);
    ccm_json_close(j, '}');
}

/* By the capture's clock. */
static bool expired(const ccm_exchange *x, const ccm_exchange_token *t)
{
    return t->expires_ns && t->expires_ns < x->time_ns;
}

static bool early(const ccm_exchange *x, const ccm_exchange_token *t)
{
    return t->not_before_ns > x->time_ns;
}

static void json_token(ccm_json *j, const ccm_exchange *x, const char *name,
                       const ccm_exchange_token *t)
{
    ccm_json_open(j, name, '{');
    ccm_json_text(j, "category", t->category);
    ccm_json_text(j, "header", t->header);
    ccm_json_text(j, "issuer", t->issuer);
    ccm_json_text(j, "audience", t->audience);
    ccm_json_text(j, "subject_kind", t->subject_kind);
    if (t->not_before_ns)
        ccm_json_time(j, "not_before", t->not_before_ns);
    if (t->expires_ns)
        ccm_json_time(j, "expires", t->expires_ns);
    if (expired(x, t))
        ccm_json_bool(j, "expired", true);
    if (early(x, t))
        ccm_json_bool(j, "not_yet_valid", true);
    ccm_json_close(j, '}');
}

/* The first one of the request, its others, and those that the answer gives. */
static void json_tokens(ccm_json *j, const ccm_exchange *x)
{
    static const char *const lists[] = { "other_tokens", "issued_tokens" };
    const ccm_exchange_token *first = NULL;
    for (unsigned i = 0; i < x->n_tokens && !first; i++)
        first = x->tokens[i].issued ? NULL : &x->tokens[i];
    if (first)
        json_token(j, x, "token", first);
    for (unsigned issued = 0; issued < 2; issued++) {
        bool open = false;
        for (unsigned i = 0; i < x->n_tokens; i++) {
            if (&x->tokens[i] == first || x->tokens[i].issued != issued)
                continue;
            if (!open)
                ccm_json_open(j, lists[issued], '[');
            open = true;
            json_token(j, x, NULL, &x->tokens[i]);
        }
        if (open)
            ccm_json_close(j, ']');
    }
}

void ccm_exchange_json_proofs(ccm_json *j, const ccm_exchange *x)
{
    ccm_json_text(j, "about", x->about);
    ccm_json_text(j, "soap_action", x->soap_action);
    ccm_json_text(j, "challenge", x->challenge);
    json_auth(j, x);
    ccm_json_text(j, "workstation", x->workstation);
    ccm_json_text(j, "proxy_workstation", x->proxy_workstation);
    json_tokens(j, x);
    json_message(j, x);
    json_signatures(j, x);
}

/* ---- notes ----------------------------------------------------------------------------------- */

/* The workstation that the handshake of this stage named. */
static const char *workstation_of(const ccm_exchange *x, const ccm_exchange_auth *a)
{
    if (strcmp(a->mode, "ntlm"))
        return NULL;
    return strcmp(a->stage, "proxy") ? x->workstation : x->proxy_workstation;
}

static bool has_evidence(const ccm_exchange_auth *a, const char *name)
{
    for (unsigned i = 0; i < a->n_evidence; i++)
        if (!strcmp(a->evidence[i], name))
            return true;
    return false;
}

static void note_evidence(GString *out, const ccm_exchange_auth *a)
{
    g_string_append_printf(out, " [%s:", ccm_certainty_name(a->certainty));
    for (unsigned i = 0; i < a->n_evidence; i++)
        g_string_append_printf(out, " %s", a->evidence[i]);
    g_string_append_c(out, ']');
}

static void note_transport(GString *out, const ccm_exchange *x, const ccm_exchange_auth *a,
                           void (*note)(GString *out, const char *words))
{
    bool silent = !strcmp(a->mode, "anonymous") || !strcmp(a->mode, "none-observed");
    bool unread = has_evidence(a, "unreadable-credential");
    if (silent && !a->denied && !unread)
        return;
    note(out, unread ? "unreadable credential" : silent ? "no credential" : a->mode);
    if (a->account) {
        g_string_append_c(out, ' ');
        ccm_terminal_append(out, a->account);
    }
    const char *workstation = workstation_of(x, a);
    if (workstation) {
        g_string_append(out, " at ");
        ccm_terminal_append(out, workstation);
    }
    if (!strcmp(a->stage, "proxy"))
        g_string_append(out, " for the proxy");
    if (a->leg)
        g_string_append(out, " begun");
    if (a->denied)
        g_string_append(out, " refused");
}

/* What is not signed by its sender may hold a signature all the same: a registration does. */
static void note_signature(GString *out, const ccm_exchange *x, const ccm_exchange_auth *a,
                           void (*note)(GString *out, const char *words))
{
    bool is_signed = !strcmp(a->mode, "message-signature");
    unsigned verified = 0, failed = 0, changed = 0;
    for (unsigned i = 0; i < x->n_signatures; i++) {
        verified += !strcmp(x->signatures[i].result, "verified");
        failed += !strcmp(x->signatures[i].result, "failed");
        changed += !g_strcmp0(x->signatures[i].key_source, "new-key");
    }
    if (failed)
        note(out, "signature fails");
    else if (!is_signed && verified)
        note(out, "signature verified");
    else if (!is_signed)
        return;
    else if (has_evidence(a, "client-id-only"))
        note(out, "only its client id is signed");
    else if (has_evidence(a, "signature-verified")) /* more than that of the client id */
        note(out, changed ? "signed, verified with a changed key" : "signed, verified");
    else
        note(out, "signed");
}

void ccm_exchange_notes(GString *out, const ccm_exchange *x, bool verbose,
                        void (*note)(GString *out, const char *words))
{
    for (unsigned i = 0; i < x->n_auth; i++) {
        const ccm_exchange_auth *a = &x->auth[i];
        size_t before = out->len;
        if (strcmp(a->stage, "message"))
            note_transport(out, x, a, note);
        else
            note_signature(out, x, a, note);
        if (verbose && out->len == before)
            note(out, a->mode);
        if (verbose)
            note_evidence(out, a);
    }
    if (verbose && x->challenge) {
        note(out, "asks for ");
        ccm_terminal_append(out, x->challenge);
    }
    bool late = false, soon = false;
    for (unsigned i = 0; i < x->n_tokens; i++) {
        late |= !x->tokens[i].issued && expired(x, &x->tokens[i]);
        soon |= !x->tokens[i].issued && early(x, &x->tokens[i]);
    }
    if (late)
        note(out, "token expired");
    if (soon)
        note(out, "token not valid yet");
    if (x->message.present && x->message.kind) {
        note(out, "");
        ccm_terminal_append(out, x->message.kind);
    }
    if (x->message.incomplete || x->message.body_incomplete)
        note(out, "cut short");
    if (x->message.reply && g_str_has_prefix(x->message.reply, "rejected"))
        note(out, "rejected with an empty answer");
    /* In an answer's words: registered, pending, rejected ... */
    if (x->message.reply_detail && !g_strcmp0(x->message.reply, "registration answer")) {
        note(out, "answer ");
        ccm_terminal_append(out, x->message.reply_detail);
    }
    if (x->message.foreign_reply)
        note(out, "the answer is one to another message");
}
