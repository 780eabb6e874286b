/* SPDX-License-Identifier: GPL-2.0-or-later
 * auth_verdict.c - the decision tables: from the facts of an exchange to its verdicts.
 *
 * In: facts, and what the connection was authenticated as. Out: a verdict for each stage that the
 * exchange has; what the connection learned. State: none of its own.
 * Spec: auth-modes.md 3, 4, 6.1, 7.1, 8. A refusal (401, of a proxy 407) is a step of a handshake
 * until something follows: success takes the step's evidence over, anything else makes it a failed
 * attempt. Where bytes before the exchange are missing, its silence proves nothing. */
#include "model/auth_inner.h"

enum { ORIGIN, PROXY };

typedef enum outcome { UNSEEN, ACCEPTED, REFUSED, FORBIDDEN } outcome;

typedef struct judge {
    ccm_auth_connection *c;
    const ccm_auth_facts *f;
    ccm_auth_verdicts *out;
    unsigned which; /* ORIGIN or PROXY */
    outcome outcome;
} judge;

static unsigned stage_of(unsigned which)
{
    return which == PROXY ? CCM_STAGE_PROXY : CCM_STAGE_TRANSPORT;
}

static ccm_auth_side *side_of(const judge *j)
{
    return &j->c->side[j->which];
}

/* ---- handshakes ------------------------------------------------------------------------------ */

/* E2. A 401 that offers neither Negotiate nor NTLM asks for no Windows authentication. */
static bool challenges(const judge *j)
{
    return j->which == PROXY || j->f->challenge;
}

static void add_refusal(ccm_auth_verdict *v, const judge *j)
{
    add(v,
        !challenges(j)      ? CCM_EV_DENIED
        : j->which == PROXY ? CCM_EV_CHALLENGE_407
                            : CCM_EV_CHALLENGE_401,
        j->f->response_frame);
}

static void add_leg(ccm_auth_verdict *v, const ccm_auth_side *s, unsigned which)
{
    if (!s->leg.open)
        return;
    if (s->leg.challenged)
        add(v, which == PROXY ? CCM_EV_CHALLENGE_407 : CCM_EV_CHALLENGE_401,
            s->leg.challenge_frame);
    if (s->leg.type1_frame)
        add(v, CCM_EV_NTLM_TYPE1, s->leg.type1_frame);
}

static void add_fallback(ccm_auth_verdict *v, const ccm_auth_side *s, unsigned fallback,
                         uint64_t frame)
{
    if (fallback)
        add(v, fallback, frame);
    if (fallback == CCM_EV_FALLBACK_REJECTED)
        v->evidence[v->n - 1].code = s->error_code;
}

/* An open handshake will not be finished: it was an attempt that failed; but where its end may have
 * been among `lost` bytes, nobody knows how it went. */
static void give_up(ccm_auth_side *s, unsigned which, bool lost, ccm_auth_verdicts *out)
{
    if (!s->leg.open)
        return;
    bool none = s->leg.mode == CCM_AUTH_NONE_OBSERVED;
    ccm_certainty sure = none && (lost || s->leg.unread) ? CCM_CERTAINTY_UNKNOWN
                         : lost                          ? CCM_CERTAINTY_LIKELY
                                                         : CCM_CERTAINTY_PROVEN;
    ccm_auth_verdict *v = begin(out, stage_of(which), s->leg.mode, sure, s->leg.time_ns);
    v->earlier = true;
    v->denied = !lost;
    if (s->leg.unread)
        add(v, CCM_EV_UNREADABLE_CREDENTIAL, s->leg.unread_frame);
    else if (none)
        add(v, CCM_EV_NO_AUTHORIZATION, s->leg.frame);
    if (s->leg.mode == CCM_AUTH_KERBEROS) {
        v->spn = s->leg.spn;
        add(v, CCM_EV_SPNEGO_KERBEROS, s->leg.ticket_frame);
        s->rejected = !lost;
        s->error_code = 0;
    }
    add_leg(v, s, which);
    add(v, lost ? CCM_EV_CONNECTION_INCOMPLETE : CCM_EV_DENIED, s->leg.refused_frame);
    if (s->type1 && s->leg.mode == CCM_AUTH_NTLM)
        add_fallback(v, s, s->fallback, s->leg.type1_frame);
    ccm_auth_add_path(v, s->leg.path, s->leg.frame);
    memset(&s->leg, 0, sizeof s->leg);
    s->type1 = false;
}

static void open_leg(const judge *j, unsigned mode)
{
    ccm_auth_side *s = side_of(j);
    const ccm_auth_facts *f = j->f;

    if (!s->leg.open) {
        s->leg.open = true;
        s->leg.frame = f->request_frame;
        s->leg.time_ns = f->time_ns;
        s->leg.path = j->which == ORIGIN ? f->path : 0;
        s->leg.refused_frame = f->response_frame;
    }
    if (!s->leg.challenged && challenges(j))
        s->leg.challenge_frame = f->response_frame;
    s->leg.challenged |= challenges(j);
    s->leg.mode = (uint8_t)mode;
}

/* A step that is not the end: shown for its exchange, counted with the end. */
static ccm_auth_verdict *leg_verdict(const judge *j, unsigned mode, unsigned evidence)
{
    const ccm_auth_facts *f = j->f;
    ccm_auth_verdict *v = begin(j->out, stage_of(j->which), mode, CCM_CERTAINTY_PROVEN, f->time_ns);
    v->leg = true;
    add(v, evidence, f->request_frame);
    if (j->outcome == REFUSED)
        add_refusal(v, j);
    return v;
}

/* Why NTLM and not Kerberos, as far as this connection tells: 7.1, patterns 3 and 4. That Kerberos
 * was not tried only the first token shows, and only where nothing is missing before it. 0 = not
 * known. */
static unsigned fallback_of(const judge *j, const ccm_auth_offer *o)
{
    const ccm_auth_side *s = side_of(j);
    bool first = o->credential == CCM_CREDENTIAL_NTLM_1 && !s->unread && !j->c->blind;

    return s->rejected                        ? CCM_EV_FALLBACK_REJECTED
           : s->offered || o->offers_kerberos ? CCM_EV_FALLBACK_UNEXPLAINED
           : s->type1                         ? s->fallback
           : first                            ? CCM_EV_DIRECT_NTLM
                                              : 0;
}

/* ---- what ends an exchange ------------------------------------------------------------------- */

/* Common to all that had a credential: how the server took it. */
static void finish(const judge *j, ccm_auth_verdict *v)
{
    const ccm_auth_facts *f = j->f;

    if (j->outcome == REFUSED) {
        v->denied = true;
        add(v, CCM_EV_DENIED, f->response_frame);
    } else if (j->outcome == UNSEEN) {
        v->certainty = (uint8_t)MIN(v->certainty, CCM_CERTAINTY_LIKELY);
        add(v, unseen(f), f->request_frame);
    }
    if (j->which == ORIGIN)
        ccm_auth_add_path(v, f->path, f->request_frame);
    if (side_of(j)->leg.open)
        memset(&side_of(j)->leg, 0, sizeof side_of(j)->leg);
}

static void remember(const judge *j, unsigned mode, const ccm_auth_offer *o)
{
    ccm_auth_side *s = side_of(j);
    if (j->outcome == ACCEPTED || j->outcome == FORBIDDEN) {
        s->mode = (uint8_t)mode;
        s->kind = o->kind;
        s->account = o->account;
        s->spn = o->spn;
        s->elsewhere = o->elsewhere;
        s->time_ns = j->f->time_ns;
    } else {
        s->mode = CCM_AUTH_NONE_OBSERVED;
    }
}

/* E6 to E9: the last message of NTLM. */
static void judge_ntlm(const judge *j, const ccm_auth_offer *o)
{
    const ccm_auth_facts *f = j->f;
    ccm_auth_side *s = side_of(j);
    bool nobody = o->credential == CCM_CREDENTIAL_NTLM_ANONYMOUS;
    bool computer = o->kind == CCM_ACCOUNT_COMPUTER;
    ccm_auth_verdict *v =
        begin(j->out, stage_of(j->which), nobody ? CCM_AUTH_ANONYMOUS : CCM_AUTH_NTLM,
              computer || nobody ? CCM_CERTAINTY_PROVEN : CCM_CERTAINTY_STRONG, f->time_ns);

    v->kind = o->kind;
    v->account = o->account;
    add(v, nobody ? CCM_EV_NTLM_ANONYMOUS : CCM_EV_NTLM_TYPE3, f->request_frame);
    if (o->elsewhere) {
        /* The account is read directly, but half of E6 speaks against it being the computer itself:
         * that only it has its password is an inference, section 8's class 3. */
        v->certainty = CCM_CERTAINTY_STRONG;
        add_against(v, CCM_EV_WORKSTATION_DIFFERS, f->request_frame);
    }
    add_leg(v, s, j->which);
    if (!nobody)
        add_fallback(v, s, fallback_of(j, o),
                     s->leg.type1_frame ? s->leg.type1_frame : f->request_frame);
    finish(j, v);
    remember(j, nobody ? CCM_AUTH_NONE_OBSERVED : CCM_AUTH_NTLM, o);
    s->rejected = s->offered = s->unread = s->type1 = false;
}

/* E3: the ticket shows its service, not who holds it. */
static void judge_kerberos(const judge *j, const ccm_auth_offer *o)
{
    const ccm_auth_facts *f = j->f;
    ccm_auth_side *s = side_of(j);

    if (j->outcome == REFUSED && o->continues && !o->error) {
        open_leg(j, CCM_AUTH_KERBEROS);
        s->leg.spn = o->spn;
        s->leg.ticket_frame = f->request_frame;
        leg_verdict(j, CCM_AUTH_KERBEROS, CCM_EV_SPNEGO_KERBEROS)->spn = o->spn;
        return;
    }
    ccm_auth_verdict *v =
        begin(j->out, stage_of(j->which), CCM_AUTH_KERBEROS, CCM_CERTAINTY_PROVEN, f->time_ns);
    v->spn = o->spn;
    add(v, CCM_EV_SPNEGO_KERBEROS, f->request_frame);
    add_leg(v, s, j->which);
    finish(j, v);
    remember(j, CCM_AUTH_KERBEROS, o);
    s->rejected = j->outcome == REFUSED;
    s->error_code = s->rejected && o->error ? o->error_code : 0;
    s->offered = s->unread = s->type1 = false;
}

static void judge_password(const judge *j, const ccm_auth_offer *o)
{
    bool basic = o->credential == CCM_CREDENTIAL_BASIC;
    ccm_auth_verdict *v =
        begin(j->out, stage_of(j->which), basic ? CCM_AUTH_BASIC : CCM_AUTH_DIGEST,
              CCM_CERTAINTY_PROVEN, j->f->time_ns);
    v->kind = o->kind;
    v->account = o->account;
    add(v, basic ? CCM_EV_BASIC_CREDENTIAL : CCM_EV_DIGEST_CREDENTIAL, j->f->request_frame);
    add_leg(v, side_of(j), j->which);
    finish(j, v);
}

/* NTLM of a type that could not be read; or something that no table knows, with which nothing goes
 * on unless the answer holds a token, or neither was looked into. */
static void judge_unreadable(const judge *j, const ccm_auth_offer *o)
{
    ccm_auth_side *s = side_of(j);
    bool ntlm = o->credential == CCM_CREDENTIAL_NTLM;
    unsigned mode = ntlm ? CCM_AUTH_NTLM : CCM_AUTH_NONE_OBSERVED;

    s->offered |= o->offers_kerberos && j->outcome != ACCEPTED;
    s->unread |= j->outcome != ACCEPTED;
    if (j->outcome == REFUSED)
        s->mode = CCM_AUTH_NONE_OBSERVED;
    if (j->outcome == REFUSED && (ntlm || o->by_scheme || o->continues)) {
        open_leg(j, mode);
        s->leg.unread = true;
        s->leg.unread_frame = j->f->request_frame;
        ccm_auth_verdict *step = leg_verdict(j, mode, CCM_EV_UNREADABLE_CREDENTIAL);
        if (!ntlm)
            step->certainty = CCM_CERTAINTY_UNKNOWN;
        return;
    }
    ccm_auth_verdict *v = begin(j->out, stage_of(j->which), mode,
                                ntlm ? CCM_CERTAINTY_STRONG : CCM_CERTAINTY_UNKNOWN, j->f->time_ns);
    add(v, CCM_EV_UNREADABLE_CREDENTIAL, j->f->request_frame);
    add_leg(v, side_of(j), j->which);
    judge how = *j;
    if (!ntlm && j->outcome == FORBIDDEN) /* nothing says that it was let in first */
        how.outcome = REFUSED;
    finish(&how, v);
    if (ntlm)
        remember(j, mode, o);
}

static void judge_type1(const judge *j, const ccm_auth_offer *o)
{
    const ccm_auth_facts *f = j->f;
    ccm_auth_side *s = side_of(j);

    if (j->outcome == REFUSED && s->leg.open && s->leg.mode != CCM_AUTH_NONE_OBSERVED)
        give_up(s, j->which, false, j->out);
    s->type1 = false; /* of a handshake before */
    s->fallback = (uint8_t)fallback_of(j, o);
    s->type1 = j->outcome != ACCEPTED;
    s->offered |= o->offers_kerberos && j->outcome != ACCEPTED;
    if (j->outcome == REFUSED) {
        open_leg(j, CCM_AUTH_NTLM);
        s->leg.type1_frame = f->request_frame;
        s->mode = CCM_AUTH_NONE_OBSERVED;
        leg_verdict(j, CCM_AUTH_NTLM, CCM_EV_NTLM_TYPE1);
        return;
    }
    /* Let in with the first message: nobody was proven. */
    ccm_auth_verdict *v =
        begin(j->out, stage_of(j->which), j->outcome == UNSEEN ? CCM_AUTH_NTLM : CCM_AUTH_ANONYMOUS,
              j->outcome == UNSEEN ? CCM_CERTAINTY_LIKELY : CCM_CERTAINTY_STRONG, f->time_ns);
    v->kind = j->outcome == UNSEEN ? CCM_ACCOUNT_UNKNOWN : CCM_ACCOUNT_ANONYMOUS;
    add(v, CCM_EV_NTLM_TYPE1, f->request_frame);
    add_leg(v, s, j->which);
    finish(j, v);
}

/* ---- tokens ---------------------------------------------------------------------------------- */

/* Says the last verdict what one before it said? */
static bool repeats(const ccm_auth_verdicts *out)
{
    const ccm_auth_verdict *last = &out->v[out->n - 1], *v = out->v;
    while (v < last && (v->stage != last->stage || v->mode != last->mode || v->kind != last->kind ||
                        v->account != last->account))
        v++;
    return v < last;
}

/* E10 to E12. What opens the directory of content tokens is one, whatever its claims leave out. */
static void judge_token(const judge *j, const ccm_auth_token *t)
{
    const ccm_auth_facts *f = j->f;
    unsigned mode = t->mode;
    ccm_certainty sure = mode == CCM_AUTH_NONE_OBSERVED ? CCM_CERTAINTY_UNKNOWN
                         : mode == CCM_AUTH_ENTRA_TOKEN ? CCM_CERTAINTY_STRONG
                                                        : CCM_CERTAINTY_PROVEN;
    if (mode == CCM_AUTH_CCM_TOKEN && j->which == ORIGIN && (f->path & CCM_PATH_CCMTOKENAUTH) &&
        (f->path & CCM_PATH_CONTENT)) {
        mode = CCM_AUTH_CONTENT_TOKEN;
        sure = CCM_CERTAINTY_STRONG;
    }
    /* Site tokens are of devices, unless their claims name a user: auth-modes.md 3. */
    bool site = t->mode == CCM_AUTH_BULK_TOKEN || t->mode == CCM_AUTH_CCM_TOKEN ||
                t->mode == CCM_AUTH_CONTENT_TOKEN;
    ccm_auth_verdict *v = begin(j->out, stage_of(j->which), mode, sure, f->time_ns);
    v->kind = t->kind == CCM_ACCOUNT_UNKNOWN && site ? CCM_ACCOUNT_COMPUTER : t->kind;
    v->account = t->account;
    if (repeats(j->out)) {
        j->out->n--;
        return;
    }
    add(v, ccm_auth_token_evidence(t->mode), f->request_frame);
    add_leg(v, side_of(j), j->which);
    judge how = *j;
    if (j->outcome == FORBIDDEN)
        how.outcome = REFUSED;
    finish(&how, v);
}

/* Each different one has a verdict: a device's and a user's may come together. Beside a credential
 * that can be read, one that no site knows proves nothing. True = there was a verdict. */
static bool judge_tokens(const judge *j, bool beside)
{
    unsigned before = j->out->n;
    for (unsigned i = 0; i < j->f->n_tokens; i++) {
        const ccm_auth_token *t = &j->f->token[i];
        if (t->offer == j->which && !(beside && t->mode == CCM_AUTH_NONE_OBSERVED))
            judge_token(j, t);
    }
    return j->out->n > before;
}

/* ---- no credential --------------------------------------------------------------------------- */

static void judge_covered(const judge *j)
{
    const ccm_auth_side *s = side_of(j);
    ccm_auth_verdict *v =
        begin(j->out, stage_of(j->which), s->mode, CCM_CERTAINTY_STRONG, s->time_ns);
    v->doubted = s->elsewhere;
    v->kind = s->kind;
    v->account = s->account;
    v->spn = s->account == CCM_NONE ? s->spn : CCM_NONE;
    add(v, CCM_EV_CONNECTION_AUTHENTICATED, j->f->request_frame);
    finish(j, v);
}

/* Nothing observed, and why that proves nothing. */
static void judge_nothing(const judge *j, unsigned why)
{
    const ccm_auth_facts *f = j->f;
    uint64_t frame = f->request ? f->request_frame : f->response_frame;
    ccm_auth_verdict *v = begin(j->out, stage_of(j->which), CCM_AUTH_NONE_OBSERVED,
                                CCM_CERTAINTY_UNKNOWN, f->time_ns);
    add(v, why, frame);
    v->doubted = why == CCM_EV_HEAD_INCOMPLETE;
    if (j->which == ORIGIN)
        ccm_auth_add_path(v, f->path, frame);
}

/* T6, T7: the connection itself was authenticated. */
static void judge_certificate(const judge *j, bool in)
{
    const ccm_auth_certificate *x = &j->c->certificate;
    ccm_auth_verdict *v =
        begin(j->out, CCM_STAGE_TRANSPORT, x->mode, (ccm_certainty)x->certainty, j->f->time_ns);

    v->kind = x->kind;
    v->account = x->account;
    v->denied = !in;
    add(v, x->evidence, x->frame);
    if (!in)
        add(v, CCM_EV_DENIED, j->f->response_frame);
    finish(j, v);
}

/* Directories of tokens: section 8, class 3. In which header a site's token is sent is not
 * documented, so that it may be there unseen; one of Entra ID is in Authorization
 * (ccm-protocol.md 3.5), and that is absent: the directory alone is less. */
static void judge_directory(const judge *j)
{
    const ccm_auth_facts *f = j->f;
    bool entra = f->path & CCM_PATH_ENTRA_TOKEN;
    ccm_auth_verdict *v = begin(j->out, CCM_STAGE_TRANSPORT,
                                entra                          ? CCM_AUTH_ENTRA_TOKEN
                                : f->path & CCM_PATH_TOKENAUTH ? CCM_AUTH_CCM_TOKEN
                                                               : CCM_AUTH_CONTENT_TOKEN,
                                entra ? CCM_CERTAINTY_LIKELY : CCM_CERTAINTY_STRONG, f->time_ns);
    if (entra)
        add(v, CCM_EV_NO_AUTHORIZATION, f->request_frame);
    finish(j, v);
}

/* E1; on directories of tokens, the path. */
static void judge_silent(const judge *j)
{
    const ccm_auth_facts *f = j->f;
    uint16_t token = f->path & (CCM_PATH_CCM_TOKEN | CCM_PATH_ENTRA_TOKEN);

    if (j->outcome == ACCEPTED && token && j->which == ORIGIN) {
        judge_directory(j);
        return;
    }
    bool in = j->outcome == ACCEPTED;
    if (j->c->certificate.mode && j->which == ORIGIN) {
        judge_certificate(j, in);
        return;
    }
    ccm_auth_verdict *v =
        begin(j->out, stage_of(j->which), in ? CCM_AUTH_ANONYMOUS : CCM_AUTH_NONE_OBSERVED,
              in ? (ccm_certainty)ccm_auth_anonymous_certainty(f->status) : CCM_CERTAINTY_PROVEN,
              f->time_ns);
    v->kind = in ? CCM_ACCOUNT_ANONYMOUS : CCM_ACCOUNT_UNKNOWN;
    v->denied = !in;
    add(v, CCM_EV_NO_AUTHORIZATION, f->request_frame);
    if (!in)
        add(v, CCM_EV_DENIED, f->response_frame);
    finish(j, v);
}

static void judge_none(const judge *j)
{
    const ccm_auth_facts *f = j->f;
    ccm_auth_side *s = side_of(j);
    bool nothing = s->leg.mode == CCM_AUTH_NONE_OBSERVED;

    s->unread |= f->head_incomplete; /* what is cut may have been one */
    if (j->outcome == REFUSED && f->request && !f->head_incomplete) {
        give_up(s, j->which, f->blind, j->out);
        open_leg(j, CCM_AUTH_NONE_OBSERVED);
        s->mode = CCM_AUTH_NONE_OBSERVED;
        leg_verdict(j, CCM_AUTH_NONE_OBSERVED, CCM_EV_NO_AUTHORIZATION);
        return;
    }
    if (s->leg.open && (nothing || f->response))
        give_up(s, j->which, !f->request || f->head_incomplete || f->blind, j->out);
    if (!f->request || f->head_incomplete)
        judge_nothing(j, CCM_EV_HEAD_INCOMPLETE);
    else if (s->mode != CCM_AUTH_NONE_OBSERVED)
        judge_covered(j);
    else if (j->outcome == UNSEEN)
        judge_nothing(j, unseen(f));
    else if (j->c->blind || (j->which == ORIGIN && j->c->forgot))
        judge_nothing(j, CCM_EV_CONNECTION_INCOMPLETE);
    else
        judge_silent(j);
}

/* ---- stages ---------------------------------------------------------------------------------- */

static void judge_side(const judge *j)
{
    const ccm_auth_offer *o = &j->f->offer[j->which];

    bool bare = o->credential == CCM_CREDENTIAL_NONE || o->credential == CCM_CREDENTIAL_OTHER;

    if (bare && j->f->n_tokens && judge_tokens(j, false))
        return;
    switch ((ccm_credential)o->credential) {
    case CCM_CREDENTIAL_NONE:
        judge_none(j);
        break;
    case CCM_CREDENTIAL_NTLM_1:
        judge_type1(j, o);
        break;
    case CCM_CREDENTIAL_NTLM_3:
    case CCM_CREDENTIAL_NTLM_ANONYMOUS:
        judge_ntlm(j, o);
        break;
    case CCM_CREDENTIAL_KERBEROS:
        judge_kerberos(j, o);
        break;
    case CCM_CREDENTIAL_BASIC:
    case CCM_CREDENTIAL_DIGEST:
        judge_password(j, o);
        break;
    case CCM_CREDENTIAL_NTLM:
    case CCM_CREDENTIAL_OTHER:
        judge_unreadable(j, o);
        break;
    }
    if (!bare && j->outcome != REFUSED)
        judge_tokens(j, true);
}

/* Behind a web proxy a connection reaches several servers, each of which was shown what it was
 * shown. The latest two are kept. */
static void turn_to(ccm_auth_connection *c, uint32_t origin, ccm_auth_verdicts *out)
{
    ccm_auth_side *s = &c->side[ORIGIN];

    if (!origin || s->origin == origin)
        return;
    ccm_auth_side before = *s;
    if (!s->origin) {
        s->origin = origin;
        return;
    }
    if (c->parked.origin == origin) {
        *s = c->parked;
    } else {
        give_up(&c->parked, ORIGIN, false, out);
        c->forgot |= c->parked.mode != CCM_AUTH_NONE_OBSERVED;
        *s = (ccm_auth_side){ .origin = origin, .account = CCM_NONE, .spn = CCM_NONE };
    }
    c->parked = before;
}

void ccm_auth_conclude(ccm_auth_connection *c, const ccm_auth_facts *f, ccm_auth_verdicts *out)
{
    judge j = { .c = c, .f = f, .out = out };
    bool proxy = f->offer[PROXY].credential || f->status == 407 ||
                 (f->path & (CCM_PATH_VIA_PROXY | CCM_PATH_TUNNEL));

    out->n = 0;
    c->blind |= f->blind;
    j.which = PROXY;
    /* Where bytes are missing, the answer may be another request's. */
    bool seen = f->response && !f->blind;
    j.outcome = !seen ? UNSEEN : f->status == 407 ? REFUSED : ACCEPTED;
    if (proxy)
        judge_side(&j);
    if (f->status == 407 || (f->path & CCM_PATH_TUNNEL))
        return;
    j.which = ORIGIN;
    turn_to(c, f->origin, out);
    j.outcome = !seen              ? UNSEEN
                : f->status == 401 ? REFUSED
                : f->status == 403 ? FORBIDDEN
                                   : ACCEPTED;
    judge_side(&j);
    if (f->status != 401)
        ccm_auth_judge_message(f, out);
}

void ccm_auth_connection_end(ccm_auth_connection *c, ccm_auth_verdicts *out)
{
    out->n = 0;
    for (unsigned which = 0; which < 2; which++)
        give_up(&c->side[which], which, false, out);
    give_up(&c->parked, ORIGIN, false, out);
}
