/* SPDX-License-Identifier: GPL-2.0-or-later
 * auth_message.c - who signed a message or the headers of a request.
 *
 * In: facts of an exchange. Out: a verdict of stage message, or more evidence. State: none.
 * Spec: auth-modes.md 3; 6.1, E13 to E18; 8: management points have two fields, distribution points
 * one. */
#include "model/auth_inner.h"

/* E16, E17 where section 8 has one field: no part of table 4, so they change no verdict. */
static void add_headers(const ccm_auth_facts *f, ccm_auth_verdicts *out)
{
    bool sign = f->header_signature == 1;

    for (unsigned i = 0; i < out->n; i++) {
        ccm_auth_verdict *v = &out->v[i];
        if (v->stage != CCM_STAGE_TRANSPORT || v->earlier || v->leg)
            continue;
        add(v, sign ? CCM_EV_HEADER_SIGNATURE : CCM_EV_SIGNATURE_MALFORMED, f->request_frame);
        if (sign && f->failed)
            add_against(v, CCM_EV_SIGNATURE_FAILED, f->request_frame);
        if (sign && f->verified)
            add(v, CCM_EV_SIGNATURE_VERIFIED, f->request_frame);
        if (sign && f->key_changed)
            add_against(v, CCM_EV_KEY_CHANGED, f->request_frame);
    }
}

/* Table 3: authorization at a management point. */
void ccm_auth_judge_message(const ccm_auth_facts *f, ccm_auth_verdicts *out)
{
    bool router = f->message || ((f->path & CCM_PATH_MESSAGE) && f->post);
    bool header = f->header_signature && !f->message;
    uint64_t frame = f->message ? f->message_frame : f->request_frame;
    bool sign = f->message_signed || (header && f->header_signature == 1);
    /* A head that breaks off may have held a signature. */
    bool cut = !router && !header && f->head_incomplete;
    bool decoded = router ? f->message && !f->message_unread : !cut;
    bool registration = router && f->endpoint == CCM_ENDPOINT_REGISTRATION;
    unsigned why = f->message_signed                                ? CCM_EV_CLIENTAUTH_HOOK
                   : header                                         ? CCM_EV_HEADER_SIGNATURE
                   : router && !decoded                             ? CCM_EV_MESSAGE_NOT_DECODED
                   : registration                                   ? CCM_EV_REGISTRATION
                   : router && f->endpoint == CCM_ENDPOINT_LOCATION ? CCM_EV_LOCATION_REQUEST
                   : router                                         ? CCM_EV_NO_SIGNATURE
                   : f->path & CCM_PATH_LOCATION                    ? CCM_EV_LOCATION_REQUEST
                   : f->path & CCM_PATH_CLIENT                      ? CCM_EV_CLIENT_PACKAGE
                                                                    : CCM_AUTH_EVIDENCES;
    if (why == CCM_AUTH_EVIDENCES || !f->request)
        return;
    if (header && !router && (f->path & CCM_PATH_CONTENT)) {
        add_headers(f, out);
        return;
    }
    /* One that fails outweighs those that verify: that of a client id is always the same, so
     * anybody who saw it can send it again. */
    bool failed = f->failed && (sign || registration);
    bool open = !decoded || (header && !sign) || failed;
    ccm_auth_verdict *v = begin(out, CCM_STAGE_MESSAGE,
                                sign                            ? CCM_AUTH_MESSAGE_SIGNATURE
                                : decoded && !(header && !sign) ? CCM_AUTH_ANONYMOUS
                                                                : CCM_AUTH_NONE_OBSERVED,
                                open ? CCM_CERTAINTY_UNKNOWN : CCM_CERTAINTY_PROVEN, f->time_ns);
    v->kind = sign                            ? CCM_ACCOUNT_COMPUTER
              : v->mode == CCM_AUTH_ANONYMOUS ? CCM_ACCOUNT_ANONYMOUS
                                              : CCM_ACCOUNT_UNKNOWN;
    add(v,
        header && !sign ? CCM_EV_SIGNATURE_MALFORMED
        : cut           ? CCM_EV_HEAD_INCOMPLETE
                        : why,
        frame);
    v->doubted = cut;
    if (f->message_signed && registration)
        add(v, CCM_EV_REGISTRATION, frame);
    if (failed)
        add_against(v, CCM_EV_SIGNATURE_FAILED, frame);
    if (sign && f->verified)
        add(v, CCM_EV_SIGNATURE_VERIFIED, frame);
    if (sign && f->key_changed) {
        /* The sender holds the key that it brought, no more: the key of this client id is that of
         * its registration or of its first message. A client that made a new one looks like
         * somebody else under its id, and no document says when it does: class 2. */
        v->certainty = (uint8_t)MIN(v->certainty, CCM_CERTAINTY_LIKELY);
        add_against(v, CCM_EV_KEY_CHANGED, frame);
    }
    if (sign && f->id_signed && !f->rest_signed && !f->message_cut) {
        /* That of an id is always the same: whoever saw it can send it again, so it is no proof of
         * who sent this message: class 2. */
        v->certainty = (uint8_t)MIN(v->certainty, CCM_CERTAINTY_LIKELY);
        add_against(v, CCM_EV_CLIENT_ID_ONLY, frame);
    }
    if (f->message_cut) { /* E13 is there, what it announces was not seen */
        v->certainty = (uint8_t)MIN(v->certainty, CCM_CERTAINTY_STRONG);
        add_against(v, CCM_EV_HEAD_INCOMPLETE, frame);
    }
    ccm_auth_add_path(v, f->path, f->request_frame);
    if (!f->response || f->blind) {
        v->certainty = (uint8_t)MIN(v->certainty, CCM_CERTAINTY_LIKELY);
        add(v, unseen(f), frame);
    } else if (router && f->empty_reply) {
        v->denied = true;
        add(v, CCM_EV_EMPTY_REPLY, f->response_frame);
    } else if (f->status == 403) {
        v->denied = true;
        add(v, CCM_EV_DENIED, f->response_frame);
    }
}
