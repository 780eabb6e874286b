/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb2_session.c - what was agreed on, and whose session it is.
 * In: NEGOTIATE and SESSION_SETUP messages and the security tokens in them. Out: smb_negotiate,
 * smb_auth for each token, smb_session when a set-up is over and it is clear whether the session
 * signs: at its first message that must not be signed anyway, or at its end. Never a response of
 * NTLM, a ticket or a key. State: ccm_smb.
 * Spec: MS-SMB2 sections 2.2.3 to 2.2.6; the tokens are read by spnego.c. */
#include "proto/smb2_state.h"
#include "proto/win_auth.h"

enum {
    MODE_SIGNING_REQUIRED = 2,
    CAPABILITY_LARGE_MTU = 4,
    CAPABILITY_ENCRYPTION = 0x40,
    SESSION_GUEST = 1,
    SESSION_NULL = 2,
    SESSION_ENCRYPTED = 4,
    DIALECTS_MAX = 16,
    CONTEXTS_MAX = 16,
};

static ccm_cursor body(const ccm_smb_pdu *pdu)
{
    ccm_cursor c = ccm_cur(pdu->in);
    ccm_cur_skip(&c, CCM_SMB_HEAD);
    return c;
}

/* ---- negotiation ----------------------------------------------------------------------------- */

void ccm_smb_negotiate_request(ccm_smb *st, const ccm_smb_pdu *pdu)
{
    ccm_cursor c = body(pdu);
    ccm_cur_skip(&c, 2);
    unsigned n = ccm_cur_le16(&c);
    n = MIN(n, (unsigned)DIALECTS_MAX);
    ccm_cur_skip(&c, 32);
    char text[DIALECTS_MAX * 8];
    size_t at = 0;
    for (unsigned i = 0; i < n; i++) {
        const char *name = ccm_smb_dialect_name(ccm_cur_le16(&c));
        if (c.bad || !name)
            continue;
        at += (size_t)g_snprintf(text + at, (gulong)(sizeof text - at), "%s%s", at ? ", " : "",
                                 name); /* at most 7 bytes each */
    }
    ccm_smb_drop(&st->offered);
    st->offered = ccm_smb_copy(ccm_span_of(text, at));
}

typedef struct agreed {
    const char *cipher, *signing, *compression;
} agreed;

/* Algorithms that the server chose, in negotiate contexts. */
static void contexts(const ccm_smb_pdu *pdu, uint32_t at, unsigned n, agreed *out)
{
    ccm_cursor c = ccm_cur(pdu->in);
    ccm_cur_skip(&c, at);
    for (unsigned i = 0; i < MIN(n, (unsigned)CONTEXTS_MAX); i++) {
        uint16_t type = ccm_cur_le16(&c), size = ccm_cur_le16(&c);
        ccm_cur_skip(&c, 4);
        ccm_cursor d = ccm_cur(ccm_cur_take(&c, size));
        uint16_t count = ccm_cur_le16(&d);
        if (c.bad)
            return;
        if (type == 3)
            ccm_cur_skip(&d, 6);
        uint16_t id = ccm_cur_le16(&d);
        if (!d.bad && count && type == 2)
            out->cipher = ccm_smb_cipher_name(id);
        else if (!d.bad && count && type == 3)
            out->compression = id ? ccm_smb_compression_name(id) : NULL;
        else if (!d.bad && count && type == 8)
            out->signing = ccm_smb_signing_name(id);
        ccm_cur_skip(&c, MIN((size_t)(8 - size % 8) % 8, ccm_cur_left(&c)));
    }
}

static void add_literal(ccm_obs *o, ccm_key key, const char *text)
{
    if (text)
        ccm_obs_str(o, key, ccm_span_str(text));
}

void ccm_smb_negotiate_response(ccm_smb *st, ccm_parse *ps, const ccm_smb_pdu *pdu)
{
    ccm_cursor c = body(pdu);
    ccm_cur_skip(&c, 2);
    uint16_t mode = ccm_cur_le16(&c), dialect = ccm_cur_le16(&c), n = ccm_cur_le16(&c);
    ccm_cur_skip(&c, 16);
    uint32_t capabilities = ccm_cur_le32(&c);
    ccm_cur_skip(&c, 4); /* MaxTransactSize */
    uint32_t max_read = ccm_cur_le32(&c), max_write = ccm_cur_le32(&c);
    ccm_cur_skip(&c, 16);
    uint16_t token_at = ccm_cur_le16(&c), token_n = ccm_cur_le16(&c);
    uint32_t at = ccm_cur_le32(&c);
    bool good = !c.bad && pdu->h.status == CCM_NT_OK;
    agreed a = { 0 };
    if (good) {
        st->dialect = dialect;
        st->server_signs = mode & MODE_SIGNING_REQUIRED;
        if ((capabilities & CAPABILITY_ENCRYPTION) && dialect < 0x0311)
            a.cipher = ccm_smb_cipher_name(1);
        if (dialect == 0x0311)
            contexts(pdu, at, n, &a);
    }
    ccm_obs o;
    ccm_obs_at(ps, &o, CCM_OBS_smb_negotiate, ps->dir);
    add_literal(&o, CCM_KEY_dialect, good ? ccm_smb_dialect_name(dialect) : NULL);
    ccm_obs_str(&o, CCM_KEY_dialects, ccm_smb_span(st->offered));
    ccm_obs_flag(&o, CCM_KEY_smb1, st->smb1_offered);
    ccm_obs_flag(&o, CCM_KEY_signing_required, good && st->server_signs);
    add_literal(&o, CCM_KEY_cipher_name, a.cipher);
    add_literal(&o, CCM_KEY_signing, a.signing);
    add_literal(&o, CCM_KEY_compression, a.compression);
    if (good) {
        ccm_obs_flag(&o, CCM_KEY_large_mtu, capabilities & CAPABILITY_LARGE_MTU);
        ccm_obs_u64(&o, CCM_KEY_max_read_size, max_read);
        ccm_obs_u64(&o, CCM_KEY_max_write_size, max_write);
    }
    ccm_smb_status(&o, pdu->h.status);
    ccm_obs_flag(&o, CCM_KEY_incomplete, c.bad);
    ps->emit(ps->emit_data, &o);
    (void)token_at; /* what the server offers, without asking anybody */
    (void)token_n;
}

/* ---- tokens ---------------------------------------------------------------------------------- */

void ccm_smb_auth_free(ccm_smb_auth **auth)
{
    ccm_smb_auth *a = *auth;
    *auth = NULL;
    if (!a)
        return;
    char **texts[] = {
        &a->mechanisms, &a->account, &a->domain, &a->workstation, &a->realm, &a->spn
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
        ccm_smb_drop(texts[i]);
    g_free(a);
}

static void keep(char **to, ccm_span s)
{
    if (!s.n)
        return;
    ccm_smb_drop(to);
    *to = ccm_smb_copy(s);
}

/* What a token of the client tells of who it is. */
static void learn(const ccm_parse *ps, ccm_smb_auth *a, const ccm_gss *g, const char *mechanism,
                  const char *mechanisms)
{
    bool named = g->ntlm.type == 3 || g->kerberos.type == CCM_KRB_AP_REQ;
    if (named || !a->frame) {
        a->time_ns = ps->time_ns;
        a->frame = ps->frame;
    }
    if (g->ntlm.type || g->kerberos.type || !a->mechanism)
        a->mechanism = mechanism;
    keep(&a->mechanisms, ccm_span_str(mechanisms));
    if (g->ntlm.type == 3) {
        keep(&a->account, ccm_name_span(&g->ntlm.user));
        keep(&a->domain, ccm_name_span(&g->ntlm.domain));
        keep(&a->workstation, ccm_name_span(&g->ntlm.workstation));
        a->anonymous = g->ntlm.anonymous;
    }
    if (g->kerberos.type == CCM_KRB_AP_REQ) {
        keep(&a->realm, ccm_name_span(&g->kerberos.realm));
        keep(&a->spn, ccm_name_span(&g->kerberos.sname));
        a->ticket_hash = g->kerberos.ticket_hash;
    }
    a->incomplete |= g->incomplete;
}

void ccm_smb_token(const ccm_parse *ps, unsigned from, uint64_t session, ccm_span token, bool cut,
                   ccm_smb_auth **auth)
{
    ccm_gss g;
    char mechanisms[CCM_WIN_AUTH_MECHANISMS];
    if (!token.n)
        return;
    bool read = ccm_gss_read(token, &g);
    const char *mechanism = ccm_win_auth_mechanism(&g);
    g.incomplete |= cut || !read;
    mechanism = mechanism ? mechanism : "other";
    ccm_obs o;
    ccm_obs_at(ps, &o, CCM_OBS_smb_auth, from);
    if (session)
        ccm_obs_u64(&o, CCM_KEY_session, session);
    ccm_obs_str(&o, CCM_KEY_mechanism, ccm_span_str(mechanism));
    ccm_win_auth_tell(&o, &g, mechanisms);
    if (g.kerberos.type)
        ccm_obs_u64(&o, CCM_KEY_msg_type, g.kerberos.type);
    ps->emit(ps->emit_data, &o);
    if (!auth)
        return;
    if (!*auth)
        *auth = g_new0(ccm_smb_auth, 1);
    learn(ps, *auth, &g, mechanism, mechanisms);
}

static void setup_token(const ccm_parse *ps, const ccm_smb_pdu *pdu, uint16_t at, uint16_t n,
                        ccm_smb_auth **auth)
{
    if (at < CCM_SMB_HEAD || at >= pdu->in.n)
        return;
    size_t have = MIN(n, pdu->in.n - at);
    ccm_smb_token(ps, ps->dir, pdu->h.session, ccm_span_of(pdu->in.p + at, have), have < n, auth);
}

void ccm_smb_setup_request(ccm_parse *ps, const ccm_smb_pdu *pdu, ccm_smb_request *r)
{
    ccm_cursor c = body(pdu);
    ccm_cur_skip(&c, 3);
    uint8_t mode = ccm_cur_u8(&c);
    ccm_cur_skip(&c, 8);
    uint16_t at = ccm_cur_le16(&c), n = ccm_cur_le16(&c);
    if (c.bad)
        return;
    r->must_sign = mode & MODE_SIGNING_REQUIRED;
    setup_token(ps, pdu, at, n, &r->auth);
}

/* Joins what two steps of a set-up tell: `later` goes. */
static void merge(ccm_smb_auth **to, ccm_smb_auth **later)
{
    ccm_smb_auth *a = *to, *b = *later;
    if (!b)
        return;
    if (!a) {
        *to = b;
        *later = NULL;
        return;
    }
    char **mine[] = {
        &a->mechanisms, &a->account, &a->domain, &a->workstation, &a->realm, &a->spn
    };
    char *theirs[] = { b->mechanisms, b->account, b->domain, b->workstation, b->realm, b->spn };
    for (unsigned i = 0; i < G_N_ELEMENTS(mine); i++)
        keep(mine[i], ccm_smb_span(theirs[i]));
    if (b->account || b->spn || b->anonymous || !a->frame) {
        a->time_ns = b->time_ns;
        a->frame = b->frame;
    }
    a->mechanism = b->mechanism ? b->mechanism : a->mechanism;
    a->ticket_hash = b->ticket_hash ? b->ticket_hash : a->ticket_hash;
    a->anonymous |= b->anonymous;
    a->incomplete |= b->incomplete;
    ccm_smb_auth_free(later);
}

/* ---- sessions -------------------------------------------------------------------------------- */

/* DOMAIN\NAME, or NAME. */
static char *full_name(const ccm_smb_auth *a)
{
    ccm_span domain = ccm_smb_span(a->domain), name = ccm_smb_span(a->account);
    ccm_name text = { 0 };
    if (!name.n)
        return NULL;
    if (domain.n) {
        ccm_name_add(&text, domain);
        ccm_name_add(&text, ccm_span_str("\\"));
    }
    ccm_name_add(&text, name);
    return ccm_smb_copy(ccm_name_span(&text));
}

void ccm_smb_session_result(ccm_smb_session *s, ccm_smb_auth **auth, uint32_t status)
{
    if (!s->open && s->auth)
        ccm_smb_auth_free(&s->auth); /* of an earlier set-up */
    merge(&s->auth, auth);
    s->open = s->auth || status != CCM_NT_MORE_PROCESSING;
    s->answered = status != CCM_NT_MORE_PROCESSING;
    s->status = status;
    if (s->auth) {
        ccm_smb_drop(&s->account);
        s->account = full_name(s->auth);
    }
}

void ccm_smb_setup_response(ccm_smb *st, ccm_parse *ps, const ccm_smb_pdu *pdu, ccm_smb_request *r)
{
    ccm_cursor c = body(pdu);
    ccm_cur_skip(&c, 2);
    uint16_t flags = ccm_cur_le16(&c), at = ccm_cur_le16(&c), n = ccm_cur_le16(&c);
    uint64_t id = pdu->h.session ? pdu->h.session : r->session;
    bool more = pdu->h.status == CCM_NT_MORE_PROCESSING, good = pdu->h.status == CCM_NT_OK;
    if (!c.bad && (more || good))
        setup_token(ps, pdu, at, n, NULL);
    ccm_smb_session *s = ccm_smb_session_get(st, ps, id);
    if (!s)
        return;
    if (s->open && s->answered)
        ccm_smb_session_tell(st, ps, s); /* an earlier one */
    ccm_smb_session_result(s, &r->auth, pdu->h.status);
    s->must_sign |= r->must_sign;
    if (good && !c.bad) {
        s->guest = flags & SESSION_GUEST;
        s->null_session = flags & SESSION_NULL;
        s->encrypted = flags & SESSION_ENCRYPTED;
    }
    if (!good && !more)
        ccm_smb_session_remove(st, ps, s);
}

void ccm_smb_session_used(ccm_smb *st, ccm_parse *ps, uint64_t session, const ccm_smb_header *h)
{
    ccm_smb_session *s = st->sessions.n ? ccm_smb_session_find(st, session) : NULL;
    if (!s || !s->open || !s->answered)
        return;
    if (h && (h->command <= CCM_SMB_TREE_DISCONNECT || h->command == CCM_SMB_IOCTL ||
              h->command == CCM_SMB_CANCEL || h->command == CCM_SMB_ECHO))
        return; /* may be signed in a session that is not */
    s->encrypted |= !h;
    s->signs = h && (h->flags & CCM_SMB_FLAG_SIGNED);
    ccm_smb_session_tell(st, ps, s);
}

void ccm_smb_session_tell(const ccm_smb *st, const ccm_parse *ps, ccm_smb_session *s)
{
    if (!s->open)
        return;
    s->open = false;
    const ccm_smb_auth *a = s->auth;
    ccm_obs o;
    ccm_obs_at(ps, &o, CCM_OBS_smb_session, ccm_smb_client(st));
    if (a) {
        o.time_ns = a->time_ns;
        o.frame = a->frame;
    }
    if (s->key.a && s->key.a != CCM_SMB1_SETUP)
        ccm_obs_u64(&o, CCM_KEY_session, s->key.a);
    add_literal(&o, CCM_KEY_dialect, st->dialect == 1 ? "1" : ccm_smb_dialect_name(st->dialect));
    if (a) {
        add_literal(&o, CCM_KEY_mechanism, a->mechanism);
        ccm_obs_str(&o, CCM_KEY_mechanisms, ccm_smb_span(a->mechanisms));
        ccm_obs_str(&o, CCM_KEY_account, ccm_smb_span(a->account));
        ccm_obs_str(&o, CCM_KEY_domain, ccm_smb_span(a->domain));
        ccm_obs_str(&o, CCM_KEY_workstation, ccm_smb_span(a->workstation));
        ccm_obs_str(&o, CCM_KEY_realm, ccm_smb_span(a->realm));
        ccm_obs_str(&o, CCM_KEY_spn, ccm_smb_span(a->spn));
        if (a->ticket_hash)
            ccm_obs_u64(&o, CCM_KEY_ticket_hash, a->ticket_hash);
        ccm_obs_flag(&o, CCM_KEY_anonymous, a->anonymous);
    }
    bool real = s->answered && s->status == CCM_NT_OK && !s->guest && !s->null_session;
    bool required = real && (s->must_sign || st->server_signs);
    ccm_obs_flag(&o, CCM_KEY_guest, s->guest);
    ccm_obs_flag(&o, CCM_KEY_null_session, s->null_session);
    ccm_obs_flag(&o, CCM_KEY_signed, s->signs || required);
    ccm_obs_flag(&o, CCM_KEY_encrypted, s->encrypted);
    if (s->answered)
        ccm_smb_status(&o, s->status);
    ccm_obs_flag(&o, CCM_KEY_incomplete, !a || a->incomplete);
    ps->emit(ps->emit_data, &o);
}
