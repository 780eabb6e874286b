/* SPDX-License-Identifier: GPL-2.0-or-later
 * jwt.c - JSON web tokens in header values.
 * In: the value of any header; the one that carries a site's token is not documented, so all are
 * searched. Out: `token` observations: issuer, audience, kind, device or user, times. Never the
 * token, an id that is unique to it, or its signature. State: none.
 * Spec: RFC 7519, RFC 7515 3.1; token evidence. */
#include "proto/jwt.h"

#include "proto/json_flat.h"

enum {
    LOOKS_MAX = 4,      /* at what may be a token in one value */
    HEAD_TEXT = 512,    /* decoded bytes of a token's header */
    CLAIMS_TEXT = 8192, /* decoded bytes of its claims */
    HEADER_NAME = 64,
    CLAIM_MAX = 256, /* shown of a claim */
};

int ccm_base64url_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '-' || c == '+')
        return 62;
    return c == '_' || c == '/' ? 63 : -1;
}

static size_t run_of(ccm_span s, size_t from)
{
    size_t i = from;
    while (i < s.n && ccm_base64url_digit(s.p[i]) >= 0)
        i++;
    return i - from;
}

/* base64url without padding; *cut = there was more than fits. */
static ccm_span decode(ccm_span text, uint8_t *out, size_t room, bool *cut)
{
    size_t n = 0;
    uint32_t acc = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < text.n; i++) {
        acc = acc << 6 | (uint32_t)ccm_base64url_digit(text.p[i]);
        bits += 6;
        if (bits < 8)
            continue;
        if (n == room) {
            *cut = true;
            break;
        }
        bits -= 8;
        out[n++] = (uint8_t)(acc >> bits);
    }
    return ccm_span_of(out, n);
}

/* Two parts that begin as JSON objects do in base64, and a dot: these two. Moves *value behind what
 * was looked at. */
static bool find_token(ccm_span *value, ccm_span *head, ccm_span *claims)
{
    while (value->n >= 3) {
        ccm_span v = *value;
        const uint8_t *j = memchr(v.p + 2, 'J', v.n - 2);
        if (!j)
            break;
        size_t at = (size_t)(j - v.p) - 2;
        if (j[-1] != 'y' || j[-2] != 'e') {
            *value = ccm_span_of(j - 1, v.n - at - 1);
            continue;
        }
        size_t n = run_of(v, at), body = at + n + 1;
        size_t m = body < v.n && v.p[body - 1] == '.' ? run_of(v, body) : 0;
        *head = ccm_span_of(v.p + at, n);
        *claims = ccm_span_of(v.p + (m ? body : at), m);
        size_t behind = m ? body + m : at + n;
        *value = ccm_span_of(v.p + behind, v.n - behind);
        if (m >= 2 && behind < v.n && v.p[behind] == '.' && claims->p[0] == 'e')
            return true;
    }
    return false;
}

/* ---- claims ---------------------------------------------------------------------------------- */

typedef struct claims {
    ccm_span issuer, audience, type, token_type, category, upn, unique_name, idtyp;
    bool device_id, user_id, oid;
    uint64_t not_before, expires; /* nanoseconds; 0 = not said */
    bool incomplete;
    uint8_t text[6][CLAIM_MAX]; /* for claims with escapes */
    unsigned n_text;
} claims;

static ccm_span plain(claims *c, const ccm_json_member *m)
{
    if (!m->escaped)
        return ccm_span_of(m->value.p, m->value.n < CLAIM_MAX ? m->value.n : CLAIM_MAX);
    if (c->n_text == G_N_ELEMENTS(c->text))
        return (ccm_span){ 0 };
    uint8_t *to = c->text[c->n_text++];
    return ccm_span_of(to, ccm_json_unescape(m->value, to, CLAIM_MAX));
}

static uint64_t seconds(const ccm_json_member *m)
{
    uint64_t v = 0;
    for (size_t i = 0; i < m->value.n && g_ascii_isdigit((char)m->value.p[i]); i++) {
        v = v * 10 + (uint64_t)(m->value.p[i] - '0');
        if (v > INT64_MAX / 1000000000) /* after the year 2262: no time of ours */
            return 0;
    }
    return v * 1000000000;
}

static bool named(ccm_span s, const char *name)
{
    return s.n == strlen(name) && !g_ascii_strncasecmp((const char *)s.p, name, s.n);
}

static void take_claim(claims *c, const ccm_json_member *m)
{
    const struct {
        const char *name;
        ccm_span *to;
    } texts[] = {
        { "iss", &c->issuer },
        { "aud", &c->audience },
        { "Type", &c->type },
        { "TokenType", &c->token_type },
        { "upn", &c->upn },
        { "SCCMTokenCategory", &c->category },
        { "unique_name", &c->unique_name },
        { "idtyp", &c->idtyp },
    };
    bool text = m->type == CCM_JSON_STRING;
    if (m->type == CCM_JSON_NUMBER && named(m->name, "exp"))
        c->expires = seconds(m);
    else if (m->type == CCM_JSON_NUMBER && named(m->name, "nbf"))
        c->not_before = seconds(m);
    else if (named(m->name, "deviceid"))
        c->device_id = text && m->value.n;
    else if (named(m->name, "userid"))
        c->user_id = text && m->value.n;
    else if (named(m->name, "oid"))
        c->oid = text && m->value.n;
    else if (text)
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
            if (!texts[i].to->n && named(m->name, texts[i].name))
                *texts[i].to = plain(c, m);
}

static bool has_prefix(ccm_span s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.n >= n && !g_ascii_strncasecmp((const char *)s.p, prefix, n);
}

static bool contains(ccm_span s, const char *word)
{
    for (; s.n; s.p++, s.n--)
        if (has_prefix(s, word))
            return true;
    return false;
}

/* Who issues Entra tokens, in the public and the national clouds. */
static bool entra_issuer(ccm_span issuer)
{
    static const char *const hosts[] = { "https://sts.windows.net/",
                                         "https://login.microsoftonline.com/",
                                         "https://login.microsoftonline.us/",
                                         "https://login.partner.microsoftonline.cn/",
                                         "https://sts.chinacloudapi.cn/" };
    for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++)
        if (has_prefix(issuer, hosts[i]))
            return true;
    return false;
}

static const char *category_of(const claims *c)
{
    if (has_prefix(c->issuer, "urn:sccm:oauth2:") || named(c->audience, "urn:sccm:service")) {
        if (named(c->type, "BulkRegistration") || named(c->category, "SCCMPreAuthToken"))
            return "bulk-registration";
        return contains(c->category, "content") || contains(c->type, "content") ? "content" : "ccm";
    }
    bool service = has_prefix(c->audience, "https://ConfigMgrService");
    return entra_issuer(c->issuer) || service ? "entra" : "other";
}

/* CCM_STS gives tokens of two types, Device and UDA (user-device): one gets UDA for the Entra token
 * of a user, and user policy, which a device's token does not open, is open to it. So it is of a
 * user, who sits at the device that it names as well. That site tokens are of devices alone
 * (auth-modes.md 3) is about those of registered clients, which have no TokenType. */
static const char *subject_of(const claims *c)
{
    if (c->upn.n || c->unique_name.n || named(c->idtyp, "user") || named(c->token_type, "UDA"))
        return "user";
    if (named(c->idtyp, "device") || named(c->token_type, "Device"))
        return "device";
    if (c->user_id)
        return "user";
    return c->device_id && !c->oid ? "device" : NULL;
}

static ccm_span algorithm_of(ccm_span head, bool *incomplete)
{
    ccm_json j = ccm_json_of(head);
    ccm_json_member m;
    ccm_span alg = { 0 };
    while (ccm_json_next(&j, &m))
        if (m.type == CCM_JSON_STRING && !m.escaped && named(m.name, "alg") && m.value.n <= 16)
            alg = m.value;
    *incomplete |= j.bad;
    return alg;
}

static void put_claims(ccm_obs *o, const claims *c)
{
    const char *subject = subject_of(c);
    ccm_obs_str(o, CCM_KEY_category, ccm_span_str(category_of(c)));
    ccm_obs_str(o, CCM_KEY_issuer, c->issuer);
    ccm_obs_str(o, CCM_KEY_audience, c->audience);
    if (subject)
        ccm_obs_str(o, CCM_KEY_subject_kind, ccm_span_str(subject));
    if (subject && !strcmp(subject, "user"))
        ccm_obs_str(o, CCM_KEY_account, c->upn.n ? c->upn : c->unique_name);
    if (c->not_before)
        ccm_obs_u64(o, CCM_KEY_not_before_ns, c->not_before);
    if (c->expires)
        ccm_obs_u64(o, CCM_KEY_expires_ns, c->expires);
}

unsigned ccm_token_emit(const ccm_parse *ps, unsigned from, uint64_t exchange, uint64_t time_ns,
                        uint64_t frame, ccm_span header_name, ccm_span value, unsigned room)
{
    ccm_span head, body;
    uint8_t name[HEADER_NAME], head_text[HEAD_TEXT], claims_text[CLAIMS_TEXT];
    size_t n_name = header_name.n < sizeof name ? header_name.n : sizeof name;
    unsigned told = 0;
    for (unsigned i = 0; i < LOOKS_MAX && told < room && find_token(&value, &head, &body); i++) {
        claims c;
        memset(&c, 0, offsetof(claims, text));
        c.n_text = 0;
        ccm_span json = decode(body, claims_text, sizeof claims_text, &c.incomplete);
        if (!json.n || json.p[0] != '{')
            continue;
        ccm_json j = ccm_json_of(json);
        ccm_json_member m;
        while (ccm_json_next(&j, &m))
            take_claim(&c, &m);
        c.incomplete |= j.bad;
        ccm_span alg =
            algorithm_of(decode(head, head_text, sizeof head_text, &c.incomplete), &c.incomplete);
        for (size_t k = 0; k < n_name; k++)
            name[k] = (uint8_t)g_ascii_tolower((char)header_name.p[k]);
        ccm_obs o;
        ccm_obs_at(ps, &o, CCM_OBS_token, from);
        o.time_ns = time_ns;
        o.frame = frame;
        ccm_obs_u64(&o, CCM_KEY_exchange, exchange);
        ccm_obs_str(&o, CCM_KEY_header, ccm_span_of(name, n_name));
        put_claims(&o, &c);
        ccm_obs_str(&o, CCM_KEY_algorithm, alg);
        ccm_obs_flag(&o, CCM_KEY_incomplete, c.incomplete);
        ps->emit(ps->emit_data, &o);
        told++;
    }
    return told;
}
