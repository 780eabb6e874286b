/* SPDX-License-Identifier: GPL-2.0-or-later
 * win_auth.c - who authenticates in HTTP.
 * In: one authentication header of a request or a response. Out: `http_auth`: the mechanism, and
 * the names that the credential or challenge holds; never a password, a response or a token.
 * State: none. Spec: RFC 9110 section 11 (grammar), RFC 4559 (Negotiate), MS-NTHT (NTLM), RFC 7617
 * (Basic), RFC 7616 (Digest), RFC 6750 (Bearer). */
#include "proto/win_auth.h"

#include "proto/ccm_headers.h"

enum {
    TOKEN_BYTES = 16 << 10, /* of a token, what is decoded: names stand near its beginning */
    TOKEN_TEXT = TOKEN_BYTES / 3 * 4,
    USER_TEXT = 1024, /* of Basic: a user name is shorter */
};

typedef enum scheme { NEGOTIATE, NTLM, KERBEROS, BASIC, DIGEST, BEARER, OTHER } scheme;

/* Words that may be shown: an unknown one might be a bare token. */
static const struct {
    const char *word, *text;
    scheme scheme;
} schemes[] = {
    { "negotiate", "Negotiate", NEGOTIATE },
    { "nego2", "Nego2", NEGOTIATE },
    { "ntlm", "NTLM", NTLM },
    { "kerberos", "Kerberos", KERBEROS },
    { "basic", "Basic", BASIC },
    { "digest", "Digest", DIGEST },
    { "bearer", "Bearer", BEARER },
    { "pop", "PoP", OTHER },
    { "sharedkey", "SharedKey", OTHER },
    { "passport1.4", "Passport1.4", OTHER },
};

/* Where an observation is made, and about what. */
typedef struct job {
    const ccm_parse *ps;
    unsigned from;
    uint64_t exchange, time_ns, frame;
    const char *header;
    bool challenge;
} job;

static void begin(const job *j, ccm_obs *o, const char *scheme_text, const char *mechanism)
{
    ccm_obs_at(j->ps, o, CCM_OBS_http_auth, j->from);
    o->time_ns = j->time_ns;
    o->frame = j->frame;
    ccm_obs_u64(o, CCM_KEY_exchange, j->exchange);
    ccm_obs_str(o, CCM_KEY_header, ccm_span_str(j->header));
    ccm_obs_str(o, CCM_KEY_auth_scheme, ccm_span_str(scheme_text));
    ccm_obs_str(o, CCM_KEY_mechanism, ccm_span_str(mechanism));
}

static bool white(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static ccm_span trim(ccm_span s)
{
    while (s.n && white(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && white(s.p[s.n - 1]))
        s.n--;
    return s;
}

static bool word_char(uint8_t c)
{
    return c > ' ' && c < 0x7f && !strchr("()<>@,;:\\\"/[]?={}", c);
}

static size_t word(ccm_span s)
{
    size_t n = 0;
    while (n < s.n && word_char(s.p[n]))
        n++;
    return n;
}

static size_t blanks(ccm_span s, size_t from)
{
    size_t i = from;
    while (i < s.n && white(s.p[i]))
        i++;
    return i - from;
}

/* ---- Negotiate, NTLM, Kerberos --------------------------------------------------------------- */

static const char *mechanism_of(const ccm_gss *g, scheme s)
{
    const char *found = ccm_win_auth_mechanism(g);
    if (found)
        return found;
    return s == NEGOTIATE ? "negotiate" : s == NTLM ? "ntlm" : "kerberos";
}

const char *ccm_win_auth_mechanism(const ccm_gss *g)
{
    switch ((ccm_mech)g->mech) {
    case CCM_MECH_KERBEROS:
    case CCM_MECH_MS_KERBEROS:
        return "kerberos";
    case CCM_MECH_NTLM:
        return "ntlm";
    case CCM_MECH_NEGOEX:
        return "negotiate";
    case CCM_MECH_OTHER:
        return g->spnego ? "negotiate" : "other";
    case CCM_MECH_NONE:
        break;
    }
    return g->spnego ? "negotiate" : NULL;
}

static void add_ntlm(ccm_obs *o, const ccm_ntlm *m)
{
    ccm_obs_u64(o, CCM_KEY_ntlm_type, m->type);
    if (m->type == 3) {
        ccm_obs_str(o, CCM_KEY_account, ccm_name_span(&m->user));
        ccm_obs_str(o, CCM_KEY_domain, ccm_name_span(&m->domain));
        ccm_obs_str(o, CCM_KEY_workstation, ccm_name_span(&m->workstation));
        ccm_obs_flag(o, CCM_KEY_anonymous, m->anonymous);
    } else if (m->type == 2) {
        ccm_obs_str(o, CCM_KEY_domain, ccm_name_span(m->nb_domain.n ? &m->nb_domain : &m->domain));
        ccm_obs_str(o, CCM_KEY_workstation,
                    ccm_name_span(m->nb_computer.n ? &m->nb_computer : &m->dns_computer));
    }
}

static void add_kerberos(ccm_obs *o, const ccm_kerberos *k)
{
    ccm_obs_str(o, CCM_KEY_realm, ccm_name_span(&k->realm));
    ccm_obs_str(o, CCM_KEY_spn, ccm_name_span(&k->sname));
    if (k->ticket_hash)
        ccm_obs_u64(o, CCM_KEY_ticket_hash, k->ticket_hash);
    if (k->has_error)
        ccm_obs_u64(o, CCM_KEY_error_code, (uint32_t)k->error);
}

void ccm_win_auth_tell(ccm_obs *o, const ccm_gss *g, char *mechanisms)
{
    size_t at = 0;
    for (unsigned i = 0; i < g->n_mechs; i++) {
        ccm_span name = ccm_span_str(ccm_mech_name((ccm_mech)g->mechs[i]));
        if (at) {
            mechanisms[at++] = ',';
            mechanisms[at++] = ' ';
        }
        memcpy(mechanisms + at, name.p, name.n); /* at most 11 bytes */
        at += name.n;
    }
    mechanisms[at] = '\0';
    ccm_obs_str(o, CCM_KEY_mechanisms, ccm_span_of(mechanisms, at));
    if (g->ntlm.type)
        add_ntlm(o, &g->ntlm);
    if (g->kerberos.type)
        add_kerberos(o, &g->kerberos);
    ccm_obs_flag(o, CCM_KEY_incomplete, g->incomplete);
}

static void token(const job *j, scheme s, const char *scheme_text, ccm_span text)
{
    uint8_t bytes[TOKEN_TEXT / 4 * 3 + 3];
    bool cut = text.n > TOKEN_TEXT;
    gint state = 0;
    guint save = 0;
    size_t n =
        g_base64_decode_step((const char *)text.p, cut ? TOKEN_TEXT : text.n, bytes, &state, &save);
    ccm_gss g;
    bool read = ccm_gss_read(ccm_span_of(bytes, n), &g);
    ccm_obs o;
    char mechanisms[CCM_WIN_AUTH_MECHANISMS];
    begin(j, &o, scheme_text, mechanism_of(&g, s));
    g.incomplete |= cut || !read;
    ccm_win_auth_tell(&o, &g, mechanisms);
    j->ps->emit(j->ps->emit_data, &o);
}

/* ---- Basic and Digest ------------------------------------------------------------------------ */

/* user:password in base64. Without a colon it may be a token: then nothing of it is told. */
static void basic(const job *j, ccm_span text)
{
    uint8_t bytes[USER_TEXT / 4 * 3 + 3];
    gint state = 0;
    guint save = 0;
    size_t n = g_base64_decode_step((const char *)text.p, MIN(text.n, (size_t)USER_TEXT), bytes,
                                    &state, &save);
    const uint8_t *colon = n ? memchr(bytes, ':', n) : NULL;
    ccm_obs o;
    begin(j, &o, "Basic", "basic");
    if (colon)
        ccm_obs_str(&o, CCM_KEY_account, ccm_span_of(bytes, (size_t)(colon - bytes)));
    ccm_obs_flag(&o, CCM_KEY_incomplete, !colon);
    j->ps->emit(j->ps->emit_data, &o);
}

/* The value of a parameter at `*i`, which moves behind it. Of quoted pairs only \\ and \" are
 * undone: some clients write DOMAIN\user without doubling the backslash. */
static bool parameter_value(ccm_span s, size_t *i, ccm_name *out)
{
    size_t at = *i;
    if (at == s.n || s.p[at] != '"') {
        size_t n = 0;
        while (at + n < s.n && s.p[at + n] != ',' && !white(s.p[at + n]))
            n++;
        ccm_name_add(out, ccm_span_of(s.p + at, n));
        *i = at + n;
        return true;
    }
    for (at++; at < s.n && s.p[at] != '"'; at++) {
        if (s.p[at] == '\\' && at + 1 < s.n && (s.p[at + 1] == '\\' || s.p[at + 1] == '"'))
            at++;
        ccm_name_add(out, ccm_span_of(s.p + at, 1));
    }
    *i = at < s.n ? at + 1 : at;
    return at < s.n;
}

static void digest(const job *j, ccm_span s)
{
    ccm_name user = { 0 }, realm = { 0 };
    bool whole = true;
    for (size_t i = 0; i < s.n;) {
        size_t n = word(ccm_span_of(s.p + i, s.n - i));
        ccm_span name = ccm_span_of(s.p + i, n);
        size_t eq = i + n + blanks(s, i + n);
        if (!n || eq == s.n || s.p[eq] != '=') {
            i += n ? n : 1;
            continue;
        }
        i = eq + 1 + blanks(s, eq + 1);
        ccm_name other = { 0 };
        bool is_user = ccm_headers_is(name, "username"), is_realm = ccm_headers_is(name, "realm");
        ccm_name *to = is_user && !user.n ? &user : is_realm && !realm.n ? &realm : &other;
        bool good = parameter_value(s, &i, to) && !to->cut;
        whole &= good || to == &other;
        if (!good)
            to->n = 0;
    }
    ccm_obs o;
    begin(j, &o, "Digest", "digest");
    ccm_obs_str(&o, CCM_KEY_account, ccm_name_span(&user));
    ccm_obs_str(&o, CCM_KEY_realm, ccm_name_span(&realm));
    ccm_obs_flag(&o, CCM_KEY_incomplete, !whole || !user.n);
    j->ps->emit(j->ps->emit_data, &o);
}

/* ---- the header ------------------------------------------------------------------------------ */

static void one(const job *j, ccm_span name, ccm_span rest)
{
    scheme s = OTHER;
    const char *text = "other";
    for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++) {
        if (strlen(schemes[i].word) == name.n &&
            !g_ascii_strncasecmp(schemes[i].word, (const char *)name.p, name.n)) {
            s = schemes[i].scheme;
            text = schemes[i].text;
        }
    }
    if (s <= KERBEROS) {
        if (rest.n)
            token(j, s, text, rest);
        return;
    }
    if (j->challenge)
        return; /* these challenge by parameters */
    if (s == BASIC) {
        basic(j, rest);
    } else if (s == DIGEST) {
        digest(j, rest);
    } else {
        ccm_obs o;
        begin(j, &o, text, s == BEARER ? "bearer" : "other");
        j->ps->emit(j->ps->emit_data, &o);
    }
}

/* One or more challenges: a comma separates challenges as well as their parameters. */
static void challenges(const job *j, ccm_span s)
{
    bool quoted = false, element = true;
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        if (quoted) {
            quoted = c != '"';
            i += c == '\\';
        } else if (c == '"') {
            quoted = true;
        } else if (c == ',') {
            element = true;
        } else if (element && !white(c)) {
            element = false;
            size_t n = word(ccm_span_of(s.p + i, s.n - i));
            size_t at = i + n + blanks(s, i + n), end = at;
            while (end < s.n && s.p[end] != ',' && s.p[end] != '"')
                end++;
            ccm_span rest = trim(ccm_span_of(s.p + at, end - at));
            /* name=value is a parameter of the challenge before */
            bool named = at > i + n || at == s.n || s.p[at] == ',';
            if (n && named && (at == s.n || s.p[at] != '='))
                one(j, ccm_span_of(s.p + i, n), rest);
            i = end > i ? end - 1 : i;
        }
    }
}

void ccm_win_auth_emit(const ccm_parse *ps, unsigned from, uint64_t exchange, uint64_t time_ns,
                       uint64_t frame, const char *header, ccm_span value)
{
    ccm_span h = ccm_span_str(header);
    bool credential =
        ccm_headers_is(h, "authorization") || ccm_headers_is(h, "proxy-authorization");
    bool challenge =
        ccm_headers_is(h, "www-authenticate") || ccm_headers_is(h, "proxy-authenticate");
    job j = { ps, from, exchange, time_ns, frame, header, challenge };
    value = trim(value);
    if (challenge) {
        challenges(&j, value);
    } else if (credential && value.n) {
        size_t n = word(value);
        /* a value that is no scheme and something is told as "other" */
        bool named = n == value.n || white(value.p[n]);
        one(&j, ccm_span_of(value.p, named ? n : 0), trim(ccm_span_of(value.p + n, value.n - n)));
    }
}
