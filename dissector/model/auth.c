/* SPDX-License-Identifier: GPL-2.0-or-later
 * auth.c - gathers what the observations of one exchange say about authentication.
 *
 * In: http_request, http_response, http_auth, token, ccm_message, ccm_body, signature, and the end
 * of an exchange. Out: ccm_auth_facts. State: none of its own; account names are kept as texts.
 * Spec: auth-modes.md 3, 4 and 6.1; ccm-protocol.md 4.5 (endpoints). */
#include "model/auth_inner.h"
#include "model/catalog.h"

/* ---- accounts -------------------------------------------------------------------------------- */

/* Bytes before the @ of a user principal name or a Kerberos principal. */
static size_t local_part(ccm_span name)
{
    const uint8_t *at = name.n ? memchr(name.p, '@', name.n) : NULL;
    return at ? (size_t)(at - name.p) : name.n;
}

uint8_t ccm_auth_account_kind(ccm_span name)
{
    if (!name.n)
        return CCM_ACCOUNT_UNKNOWN;
    size_t n = local_part(name);
    return n && name.p[n - 1] == '$' ? CCM_ACCOUNT_COMPUTER : CCM_ACCOUNT_USER;
}

/* Stands the escape \xNN of a byte here? It is no separator, so that an observation that was
 * written and read again gives the same. */
static bool escape_at(ccm_span name, size_t i)
{
    return i + 3 < name.n && name.p[i] == '\\' && name.p[i + 1] == 'x' &&
           g_ascii_isxdigit((char)name.p[i + 2]) && g_ascii_isxdigit((char)name.p[i + 3]);
}

/* Has the name its domain already? */
static bool qualified(ccm_span name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] == '@' || (name.p[i] == '\\' && !escape_at(name, i)))
            return true;
    return false;
}

/* DOMAIN\name; a name that already has its domain, or none, as it is. */
uint32_t ccm_auth_account(ccm_texts *texts, ccm_span domain, ccm_span name)
{
    uint8_t room[CCM_TEXT_MAX];
    if (!name.n)
        return CCM_NONE;
    if (!domain.n || qualified(name) || domain.n + name.n + 1 > sizeof room)
        return ccm_texts_add(texts, name);
    memcpy(room, domain.p, domain.n);
    room[domain.n] = '\\';
    memcpy(room + domain.n + 1, name.p, name.n);
    return ccm_texts_add(texts, (ccm_span){ room, domain.n + 1 + name.n });
}

/* Whole characters, none of them an escaped byte? */
static bool plain_text(ccm_span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (escape_at(s, i))
            return false;
    return s.n && g_utf8_validate_len((const char *)s.p, s.n, NULL);
}

static gunichar next_upper(ccm_span *s)
{
    const char *p = (const char *)s->p, *next = g_utf8_next_char(p);
    *s = ccm_span_of(next, s->n - (size_t)(next - p));
    return g_unichar_toupper(g_utf8_get_char(p));
}

/* E6. NetBIOS has the first 15 characters of a longer name, and so has its account: what is behind
 * them is not compared. */
bool ccm_auth_workstation_differs(ccm_span account, ccm_span workstation)
{
    enum { NETBIOS = 15 };
    if (ccm_auth_account_kind(account) != CCM_ACCOUNT_COMPUTER || !plain_text(account) ||
        !plain_text(workstation))
        return false;
    account.n = local_part(account) - 1; /* and without $ */
    for (size_t i = account.n; i--;)
        if (account.p[i] == '\\') { /* its domain in front */
            account = ccm_span_of(account.p + i + 1, account.n - i - 1);
            break;
        }
    while (workstation.n && workstation.p[0] == '\\') /* \\NAME, as SMB clients may write it */
        workstation = ccm_span_of(workstation.p + 1, workstation.n - 1);
    if (!account.n || !workstation.n)
        return false;
    for (unsigned i = 0; i < NETBIOS && (account.n || workstation.n); i++) {
        if (!account.n) /* else the domain of a DNS name */
            return workstation.p[0] != '.';
        if (!workstation.n || next_upper(&account) != next_upper(&workstation))
            return true;
    }
    return false;
}

uint32_t ccm_auth_ticket(ccm_texts *texts, uint32_t host, uint64_t ticket_hash)
{
    char room[CCM_TEXT_MAX + 32];
    if (host == CCM_NONE || !ticket_hash)
        return host;
    g_snprintf(room, sizeof room, "%s#%" G_GINT64_MODIFIER "x", ccm_texts_get(texts, host),
               ticket_hash);
    return ccm_texts_add(texts, ccm_span_str(room));
}

uint32_t ccm_auth_spn_host(ccm_texts *texts, ccm_span spn)
{
    uint8_t room[CCM_TEXT_MAX];
    bool http = begins(spn, "http/");
    if (!http && !begins(spn, "cifs/"))
        return CCM_NONE;
    enum { SERVICE = 5 };
    size_t from = http ? SERVICE : 0, n = 0; /* a host alone is a web server's */
    for (size_t i = from; i < spn.n && n < sizeof room; i++, n++) {
        if (spn.p[i] == '@' || spn.p[i] == ':' || (spn.p[i] == '/' && i >= SERVICE))
            break;
        room[n] = (uint8_t)g_ascii_tolower((char)spn.p[i]);
    }
    return n > SERVICE - from ? ccm_texts_add(texts, (ccm_span){ room, n }) : CCM_NONE;
}

/* ---- headers --------------------------------------------------------------------------------- */

static uint8_t credential_of(const ccm_obs *obs, ccm_span mechanism)
{
    uint64_t type = ccm_obs_get_u64(obs, CCM_KEY_ntlm_type);

    if (type == 1)
        return CCM_CREDENTIAL_NTLM_1;
    if (type == 3)
        return ccm_obs_has(obs, CCM_KEY_anonymous) ? CCM_CREDENTIAL_NTLM_ANONYMOUS
                                                   : CCM_CREDENTIAL_NTLM_3;
    if (same(mechanism, "ntlm"))
        return CCM_CREDENTIAL_NTLM;
    if (same(mechanism, "kerberos"))
        return CCM_CREDENTIAL_KERBEROS;
    if (same(mechanism, "basic"))
        return CCM_CREDENTIAL_BASIC;
    return same(mechanism, "digest") ? CCM_CREDENTIAL_DIGEST : CCM_CREDENTIAL_OTHER;
}

static void on_http_auth(ccm_auth_facts *f, ccm_texts *texts, const ccm_obs *obs)
{
    ccm_span header = ccm_obs_get_str(obs, CCM_KEY_header);
    ccm_span mechanism = ccm_obs_get_str(obs, CCM_KEY_mechanism);
    ccm_auth_offer *o = &f->offer[begins(header, "proxy-")];

    if (ends(header, "-authenticate")) {
        o->continues = true;
        f->challenge |= o == &f->offer[0];
        if (ccm_obs_has(obs, CCM_KEY_error_code)) {
            o->error = true;
            o->error_code = (uint32_t)ccm_obs_get_u64(obs, CCM_KEY_error_code);
        }
        return;
    }
    if (!ends(header, "authorization"))
        return;
    /* The scheme word of the request does not say for whom it was. */
    if (o == &f->offer[1] && f->offer[0].by_scheme)
        f->offer[0].credential = CCM_CREDENTIAL_NONE;
    o->by_scheme = false;
    ccm_span name = ccm_obs_get_str(obs, CCM_KEY_account);
    o->credential = credential_of(obs, mechanism);
    o->offers_kerberos = contains(ccm_obs_get_str(obs, CCM_KEY_mechanisms), "kerberos");
    o->account = ccm_auth_account(texts, ccm_obs_get_str(obs, CCM_KEY_domain), name);
    o->kind = o->credential == CCM_CREDENTIAL_NTLM_ANONYMOUS ? CCM_ACCOUNT_ANONYMOUS
                                                             : ccm_auth_account_kind(name);
    o->elsewhere = o->credential == CCM_CREDENTIAL_NTLM_3 &&
                   ccm_auth_workstation_differs(name, ccm_obs_get_str(obs, CCM_KEY_workstation));
    o->spn =
        o->credential == CCM_CREDENTIAL_KERBEROS
            ? ccm_auth_ticket(texts, ccm_auth_spn_host(texts, ccm_obs_get_str(obs, CCM_KEY_spn)),
                              ccm_obs_get_u64(obs, CCM_KEY_ticket_hash))
            : CCM_NONE;
}

/* What the scheme word alone tells, until an http_auth tells more. */
static uint8_t credential_of_scheme(ccm_span scheme)
{
    return !scheme.n                ? CCM_CREDENTIAL_NONE
           : same(scheme, "ntlm")   ? CCM_CREDENTIAL_NTLM
           : same(scheme, "basic")  ? CCM_CREDENTIAL_BASIC
           : same(scheme, "digest") ? CCM_CREDENTIAL_DIGEST
                                    : CCM_CREDENTIAL_OTHER;
}

void ccm_auth_collect_request(ccm_auth_facts *f, const ccm_obs *obs, const ccm_auth_request *is)
{
    f->request = true;
    f->request_frame = obs->frame;
    f->time_ns = obs->time_ns;
    f->origin = is->origin;
    f->path = is->path;
    f->post = is->post;
    f->task_sequence = is->task_sequence;
    f->head_incomplete = ccm_obs_has(obs, CCM_KEY_head_incomplete);
    ccm_span signature = ccm_obs_get_str(obs, CCM_KEY_signature);
    f->header_signature = same(signature, "well-formed") ? 1 : same(signature, "malformed") ? 2 : 0;
    if (ccm_obs_has(obs, CCM_KEY_auth_scheme)) {
        f->offer[0].credential = credential_of_scheme(ccm_obs_get_str(obs, CCM_KEY_auth_scheme));
        f->offer[0].by_scheme = true;
    }
}

static void on_request(ccm_auth_facts *f, const ccm_obs *obs)
{
    ccm_request r = ccm_request_of(obs);
    ccm_auth_request is = ccm_auth_request_of(r.method, r.target, r.user_agent);

    ccm_auth_collect_request(f, obs, &is);
}

static void on_response(ccm_auth_facts *f, const ccm_obs *obs)
{
    if (ccm_obs_has(obs, CCM_KEY_interim))
        return;
    if (!f->request)
        f->time_ns = obs->time_ns;
    f->response = true;
    f->response_frame = obs->frame;
    f->status = (uint16_t)ccm_min64(ccm_obs_get_u64(obs, CCM_KEY_status), 999);
    if (f->status == 401) {
        ccm_span schemes = ccm_obs_get_str(obs, CCM_KEY_auth_scheme);
        f->challenge |= contains(schemes, "negotiate") || contains(schemes, "ntlm");
    }
}

static void on_token(ccm_auth_facts *f, ccm_texts *texts, const ccm_obs *obs)
{
    ccm_span category = ccm_obs_get_str(obs, CCM_KEY_category);
    ccm_span subject = ccm_obs_get_str(obs, CCM_KEY_subject_kind);
    uint8_t mode = same(category, "entra")               ? CCM_AUTH_ENTRA_TOKEN
                   : same(category, "ccm")               ? CCM_AUTH_CCM_TOKEN
                   : same(category, "bulk-registration") ? CCM_AUTH_BULK_TOKEN
                   : same(category, "content")           ? CCM_AUTH_CONTENT_TOKEN
                                                         : CCM_AUTH_NONE_OBSERVED;
    ccm_auth_token t = {
        .account = ccm_auth_account(texts, (ccm_span){ 0 }, ccm_obs_get_str(obs, CCM_KEY_account)),
        .mode = mode,
        .kind = same(subject, "device") ? CCM_ACCOUNT_COMPUTER
                : same(subject, "user") ? CCM_ACCOUNT_USER
                                        : CCM_ACCOUNT_UNKNOWN,
        .offer = begins(ccm_obs_get_str(obs, CCM_KEY_header), "proxy-"),
    };
    for (unsigned i = 0; i < f->n_tokens; i++) {
        if (f->token[i].offer != t.offer)
            continue;
        if (t.mode == CCM_AUTH_NONE_OBSERVED) /* proves nothing beside others */
            return;
        if (f->token[i].mode == CCM_AUTH_NONE_OBSERVED) {
            f->token[i] = t;
            return;
        }
    }
    if (f->n_tokens < CCM_AUTH_TOKENS)
        f->token[f->n_tokens++] = t;
}

static void on_message(ccm_auth_facts *f, const ccm_obs *obs)
{
    if (ccm_obs_has(obs, CCM_KEY_reply))
        return;
    ccm_span endpoint = ccm_obs_get_str(obs, CCM_KEY_endpoint);
    f->message = true;
    f->message_frame = obs->frame;
    f->message_signed = ccm_obs_has(obs, CCM_KEY_signed);
    /* Hooks stand before the endpoint. */
    bool cut = ccm_obs_has(obs, CCM_KEY_incomplete) && !endpoint.n;
    f->message_unread = cut && !f->message_signed;
    f->message_cut = cut && f->message_signed;
    f->endpoint = same(endpoint, "mp_clientregistration") ? CCM_ENDPOINT_REGISTRATION
                  : same(endpoint, "mp_locationmanager")  ? CCM_ENDPOINT_LOCATION
                                                          : CCM_ENDPOINT_OTHER;
}

bool ccm_auth_key_changed(const ccm_obs *obs)
{
    return same(ccm_obs_get_str(obs, CCM_KEY_key_source), "new-key") &&
           same(ccm_obs_get_str(obs, CCM_KEY_result), "verified");
}

/* A registration signs itself with the key that it brings: one that verifies proves no registered
 * client, one that fails proves that it is not whole. */
static void on_signature(ccm_auth_facts *f, const ccm_obs *obs)
{
    ccm_span result = ccm_obs_get_str(obs, CCM_KEY_result);
    ccm_span field = ccm_obs_get_str(obs, CCM_KEY_field);
    f->failed |= same(result, "failed");
    if (same(field, "registration"))
        return;
    bool id = same(field, "client-id") || same(field, "message-client-id");
    f->id_signed |= id;
    f->rest_signed |= !id;
    f->verified |= !id && same(result, "verified");
    f->key_changed |= ccm_auth_key_changed(obs);
}

void ccm_auth_begin(ccm_auth_facts *f, uint64_t exchange)
{
    memset(f, 0, offsetof(ccm_auth_facts, token));
    f->open = true;
    f->exchange = exchange;
    for (unsigned s = 0; s < 2; s++)
        f->offer[s].account = f->offer[s].spn = CCM_NONE;
}

void ccm_auth_connection_begin(ccm_auth_connection *c)
{
    memset(c, 0, sizeof *c);
    ccm_auth_side *const sides[] = { &c->side[0], &c->side[1], &c->parked };
    for (unsigned s = 0; s < G_N_ELEMENTS(sides); s++)
        sides[s]->account = sides[s]->spn = CCM_NONE;
}

void ccm_auth_collect(ccm_auth_facts *f, ccm_texts *texts, const ccm_obs *obs)
{
    switch (obs->kind) {
    case CCM_OBS_http_request:
        on_request(f, obs);
        break;
    case CCM_OBS_http_response:
        on_response(f, obs);
        break;
    case CCM_OBS_http_auth:
        on_http_auth(f, texts, obs);
        break;
    case CCM_OBS_token:
        on_token(f, texts, obs);
        break;
    case CCM_OBS_ccm_message:
        on_message(f, obs);
        break;
    case CCM_OBS_signature:
        on_signature(f, obs);
        break;
    default:
        break;
    }
}

/* Were requests or answers missing, so that the connection may have proved something unseen? */
bool ccm_auth_blind(const ccm_obs *done)
{
    ccm_span pairing = ccm_obs_get_str(done, CCM_KEY_pairing);
    return same(pairing, "uncertain") || same(pairing, "response-only");
}

void ccm_auth_done(ccm_auth_facts *f, const ccm_obs *obs)
{
    /* A message that is answered with nothing was refused: ccm-protocol.md 4.4. */
    f->empty_reply =
        f->status == 200 && (f->message || f->post) && ccm_obs_has(obs, CCM_KEY_complete) &&
        ccm_obs_has(obs, CCM_KEY_response_bytes) && !ccm_obs_get_u64(obs, CCM_KEY_response_bytes);
    f->blind = ccm_auth_blind(obs);
}

/* ---- plain exchanges ------------------------------------------------------------------------- */

/* Errors may come from anywhere; whatever found or did not find something let the client in. */
uint8_t ccm_auth_anonymous_certainty(unsigned status)
{
    return status < 400 || status == 404 || status == 416 ? CCM_CERTAINTY_PROVEN
                                                          : CCM_CERTAINTY_LIKELY;
}

bool ccm_auth_plain_of(const ccm_auth_facts *f, ccm_auth_plain *out)
{
    /* Paths that change no verdict; a message to the router has a stage of its own. */
    bool path = !(f->path & ~(CCM_PATH_MESSAGE | CCM_PATH_POLICY | CCM_PATH_CONTENT)) &&
                !((f->path & CCM_PATH_MESSAGE) && f->post);

    if (!path || !f->request || f->offer[0].credential || f->header_signature || f->task_sequence ||
        f->head_incomplete)
        return false;
    *out = (ccm_auth_plain){ .exchange = f->exchange,
                             .time_ns = f->time_ns,
                             .request_frame = f->request_frame,
                             .path = f->path,
                             .open = true,
                             .post = f->post };
    return true;
}

bool ccm_auth_plain_response(ccm_auth_plain *p, const ccm_obs *obs)
{
    uint64_t status = ccm_obs_get_u64(obs, CCM_KEY_status);

    if (ccm_obs_has(obs, CCM_KEY_interim))
        return true;
    if (p->status || status == 0 || status == 401 || status == 403 || status == 407 || status > 999)
        return false;
    p->status = (uint16_t)status;
    p->response_frame = obs->frame;
    return true;
}

ccm_auth_facts ccm_auth_plain_facts(const ccm_auth_plain *p)
{
    ccm_auth_facts f;

    ccm_auth_begin(&f, p->exchange);
    f.request = true;
    f.time_ns = p->time_ns;
    f.request_frame = p->request_frame;
    f.path = p->path;
    f.post = p->post;
    f.response = p->status != 0;
    f.status = p->status;
    f.response_frame = p->response_frame;
    return f;
}

bool ccm_auth_connection_quiet(const ccm_auth_connection *c)
{
    const ccm_auth_side *s = &c->side[0];
    return !c->blind && !c->forgot && !c->certificate.mode && s->mode == CCM_AUTH_NONE_OBSERVED &&
           !s->leg.open;
}
