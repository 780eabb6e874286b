/* SPDX-License-Identifier: GPL-2.0-or-later
 * redact.c - takes secrets out of request targets, URLs and other texts.
 * In: text from the wire. Out: the same text, each secret in it replaced by "...". State: none.
 * Where it cannot be told how far a secret goes, the rest goes with it. Escapes are read through,
 * also escaped escapes, because a server or a redirect would. Spec: RFC 3986 sections 2.1 and 3
 * (the parts of a URL), RFC 7519 section 3 (tokens), RFC 6749 and 6750 (names of parameters);
 * [MS-NLMP] 2.2.1. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <glib.h>
#include "proto/proto.h"
#include "proto/redact.h"

enum { TOKEN_MIN = CCM_OBS_LONG, HEX_MIN = 160, NTLM_MIN = 100, NAME_ROOM = 32, ESCAPES = 4 };

static const char hidden[] = "...";

/* Parameters of exactly this name, and those whose name ends so ("st-token", "client_secret"). */
static const char *const secret_names[] = { "sig",           "code",    "pass",   "auth",
                                            "authorization", "jwt",     "ticket", "samlresponse",
                                            "samlrequest",   "wresult", "key" };
static const char *const secret_ends[] = { "token",      "secret",    "password",   "passwd",
                                           "pwd",        "signature", "passphrase", "assertion",
                                           "credential", "apikey",    "api_key",    "api-key" };

typedef struct redactor {
    ccm_span in;
    size_t i; /* next byte of `in` */
    uint8_t *buf;
    size_t size, n;
    char name[NAME_ROOM]; /* of the parameter being read, in lower case, without escapes */
    size_t name_n;
    size_t user;     /* where in `buf` user information may have begun; SIZE_MAX: nowhere */
    uint8_t last[2]; /* the two characters before this one */
    bool gap;        /* white space came after the name */
    bool query;      /* the query has begun */
} redactor;

/* A character, escaped or not. */
typedef struct letter {
    uint8_t c;
    uint8_t width; /* bytes of `in` */
} letter;

static letter letter_at(ccm_span s, size_t i)
{
    letter x = { s.p[i], 1 };

    for (int n = 0; n < ESCAPES && x.c == '%' && s.n - i >= x.width + 2u; n++) {
        int high = g_ascii_xdigit_value((char)s.p[i + x.width]);
        int low = g_ascii_xdigit_value((char)s.p[i + x.width + 1]);
        if (high < 0 || low < 0)
            break;
        x.c = (uint8_t)(high << 4 | low);
        x.width = (uint8_t)(x.width + 2);
    }
    return x;
}

static void put(redactor *r, const void *p, size_t n)
{
    n = MIN(n, r->size - r->n);
    if (n)
        memcpy(r->buf + r->n, p, n);
    r->n += n;
}

static void put_hidden(redactor *r)
{
    put(r, hidden, sizeof hidden - 1);
}

/* ---- tokens ---------------------------------------------------------------------------------- */

/* Bytes of the token that begins at r->i: base64url parts between dots, the first one of a JSON
 * object. 0: none. */
static size_t token_size(const redactor *r)
{
    size_t at = r->i, n = 0;

    while (at < r->in.n) {
        letter x = letter_at(r->in, at);
        if (n < 3 ? x.c != (uint8_t) "eyJ"[n]
                  : !g_ascii_isalnum(x.c) && x.c != '-' && x.c != '_' && x.c != '.')
            break;
        at += x.width;
        n++;
    }
    return n >= TOKEN_MIN ? at - r->i : 0;
}

/* A signature or a key in hexadecimal: longer than any name, and than any hash. */
static size_t hex_size(ccm_span s)
{
    size_t n = 0;

    while (n < s.n && g_ascii_isxdigit(s.p[n]))
        n++;
    return n >= HEX_MIN ? n : 0;
}

/* Every long run covers one of these places. */
static bool has_hex(ccm_span s)
{
    for (size_t at = HEX_MIN - 1; at < s.n; at += HEX_MIN) {
        size_t start = at;
        if (!g_ascii_isxdigit(s.p[at]))
            continue;
        while (start > 0 && at - start < HEX_MIN && g_ascii_isxdigit(s.p[start - 1]))
            start--;
        if (hex_size(ccm_span_of(s.p + start, s.n - start)))
            return true;
    }
    return false;
}

/* "NTLMSSP" in base64. A message that holds a response is never shorter than NTLM_MIN: 64 bytes and
 * 24 of the response, [MS-NLMP] 2.2.1.3. */
static const char ntlm[] = "TlRMTVNTUAA";

static bool has_ntlm(ccm_span s)
{
    return s.n >= NTLM_MIN && memmem(s.p, s.n, ntlm, sizeof ntlm - 1) != NULL;
}

static size_t ntlm_size(ccm_span s)
{
    size_t n = sizeof ntlm - 1;

    if (s.n < n || memcmp(s.p, ntlm, n) != 0)
        return 0;
    while (n < s.n && (g_ascii_isalnum(s.p[n]) || s.p[n] == '+' || s.p[n] == '/' || s.p[n] == '='))
        n++;
    return n;
}

/* ---- parameters ------------------------------------------------------------------------------ */

static bool secret_parameter(const redactor *r)
{
    if (r->name_n > NAME_ROOM)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(secret_names); i++)
        if (strlen(secret_names[i]) == r->name_n && !memcmp(secret_names[i], r->name, r->name_n))
            return true;
    for (size_t i = 0; i < G_N_ELEMENTS(secret_ends); i++) {
        size_t n = strlen(secret_ends[i]);
        if (n <= r->name_n && !memcmp(secret_ends[i], r->name + r->name_n - n, n))
            return true;
    }
    return false;
}

/* Collects the name of a parameter: it begins behind whatever cannot be part of one. */
static void note_name(redactor *r, uint8_t c)
{
    if (c <= ' ' || c == '+' || c == '[' || c == ']') {
        r->gap = true;
        return;
    }
    bool part = g_ascii_isalnum(c) || c == '_' || c == '-' || c == '.' || c == '$';
    if (!part || r->gap)
        r->name_n = 0;
    r->gap = false;
    if (!part)
        return;
    if (r->name_n == NAME_ROOM) { /* the end of a long name tells as much */
        memmove(r->name, r->name + 1, NAME_ROOM - 1);
        r->name_n--;
    }
    r->name[r->name_n++] = (char)g_ascii_tolower((char)c);
}

/* Passes over a value: it goes on until what surely is the next parameter, or the query. */
static void skip_value(redactor *r)
{
    while (r->i < r->in.n && r->in.p[r->i] != '&' && (r->query || r->in.p[r->i] != '?'))
        r->i++;
    put_hidden(r);
}

/* ---- user information ------------------------------------------------------------------------ */

/* "user:password@" stands behind "//", or at the beginning of a host. */
static void note_user(redactor *r, uint8_t c)
{
    if (c == '/' && r->last[1] == '/' && (!r->last[0] || r->last[0] == ':'))
        r->user = r->n;
    else if (c == '/' || c == '?' || c == '#' || c == '&')
        r->user = SIZE_MAX;
}

/* ---- texts ----------------------------------------------------------------------------------- */

static void redact_letter(redactor *r)
{
    letter x = letter_at(r->in, r->i);
    const uint8_t *p = r->in.p + r->i;

    if (x.c == '@' && r->user != SIZE_MAX) {
        r->n = r->user;
        put_hidden(r);
    }
    r->i += x.width;
    put(r, p, x.width);
    note_user(r, x.c);
    if (x.c == '=' && secret_parameter(r))
        skip_value(r);
    note_name(r, x.c);
    r->query |= *p == '?';
    r->last[0] = r->last[1];
    r->last[1] = x.c;
}

static G_GNUC_NO_INLINE ccm_span redact(ccm_span in, uint8_t *buf, size_t size, bool url)
{
    redactor r = { .in = in, .buf = buf, .size = size, .user = SIZE_MAX };
    bool hex = has_hex(in), secret = has_ntlm(in);

    if (url && in.p[0] != '/')
        r.user = 0;
    while (r.i < in.n && r.n < size) {
        size_t token = token_size(&r);
        if (!token && hex)
            token = hex_size(ccm_span_of(in.p + r.i, in.n - r.i));
        if (!token && secret)
            token = ntlm_size(ccm_span_of(in.p + r.i, in.n - r.i));
        if (token) {
            r.i += token;
            put_hidden(&r);
            r.name_n = 0;
        } else if (url) {
            redact_letter(&r);
        } else {
            put(&r, in.p + r.i++, 1);
        }
    }
    if (r.i < in.n && r.user != SIZE_MAX) { /* no room for the '@' that may follow */
        r.n = r.user;
        put_hidden(&r);
    }
    return ccm_span_of(buf, r.n);
}

/* ---- is there anything to hide? -------------------------------------------------------------- */

typedef uint8_t block __attribute__((vector_size(16)));

/* Non-zero where `at`[0..16] has what secrets come with, but for the very first byte. */
static inline block suspects(const uint8_t *at, bool url)
{
    block a, b;

    memcpy(&a, at, sizeof a);
    memcpy(&b, at + 1, sizeof b);
    block found = (block)(a == 'y') & (block)(b == 'J');
    if (url)
        found |= (block)(b == '=') | (block)(b == '%') | (block)(b == '@');
    return found;
}

static G_GNUC_NO_INLINE bool suspicious(ccm_span s, bool url)
{
    enum { SEEN = sizeof(block) + 1 };
    uint64_t half[2];
    block found;

    if (s.n < SEEN) {
        uint8_t all[SEEN + 1] = { 0 };
        if (!s.n)
            return false;
        memcpy(all + 1, s.p, s.n);
        found = suspects(all, url);
    } else {
        found = suspects(s.p + s.n - SEEN, url);
        for (size_t i = 0; i < s.n - SEEN; i += sizeof(block))
            found |= suspects(s.p + i, url);
    }
    memcpy(half, &found, sizeof half);
    return half[0] | half[1] || (url && s.p[0] == '%') || has_hex(s) || has_ntlm(s);
}

/* Non-zero where `at`[0..15] has a character that `suspicious` may be about. */
static inline block marks(const uint8_t *at, bool url)
{
    block a;

    memcpy(&a, at, sizeof a);
    block found = (block)(a == 'J');
    if (url)
        found |= (block)(a == '=') | (block)(a == '%') | (block)(a == '@');
    return found;
}

/* Can `suspicious` be true? Most texts have none of those characters and are short: this is all
 * that they cost. */
static inline __attribute__((always_inline)) bool marked(ccm_span s, bool url)
{
    uint64_t half[2];

    if (s.n < sizeof(block)) {
        bool found = false;
        for (size_t i = 0; url && i < s.n; i++)
            found |= s.p[i] == 'J' || s.p[i] == '=' || s.p[i] == '%' || s.p[i] == '@';
        return found; /* a token is longer */
    }
    block found = marks(s.p + s.n - sizeof found, url);
    for (size_t i = 0; i < s.n - sizeof found; i += sizeof found)
        found |= marks(s.p + i, url);
    memcpy(half, &found, sizeof half);
    return half[0] | half[1] || s.n >= NTLM_MIN;
}

static G_GNUC_NO_INLINE ccm_span redact_marked(ccm_span in, uint8_t *buf, size_t size, bool url)
{
    return suspicious(in, url) ? redact(in, buf, size, url) : in;
}

ccm_span ccm_redact_url(ccm_span in, uint8_t *buf, size_t size)
{
    return marked(in, true) ? redact_marked(in, buf, size, true) : in;
}

ccm_span ccm_redact_text(ccm_span in, uint8_t *buf, size_t size)
{
    return marked(in, false) ? redact_marked(in, buf, size, false) : in;
}

/* ---- observations ---------------------------------------------------------------------------- */

/* `i` is an attribute with a long text. */
static inline bool hides(const ccm_obs *o, unsigned i)
{
    unsigned key = ccm_obs_key(o, i);
    if (o->kind == CCM_OBS_http_request &&
        (key == CCM_KEY_target || key == CCM_KEY_host || key == CCM_KEY_user_agent))
        return false; /* http_pair.c has them done */
    return marked(o->val[i].s, false) && suspicious(o->val[i].s, false);
}

/* Tells what must be told otherwise: some of the attributes in `longs`. */
static G_GNUC_NO_INLINE void emit_clean(const ccm_obs *o, uint32_t longs, ccm_obs_fn emit,
                                        void *user_data)
{
    ccm_obs clean = *o;
    size_t room = 0, n = 0;
    for (uint32_t rest = longs; rest; rest &= rest - 1)
        room += o->val[__builtin_ctz(rest)].s.n;
    uint8_t *buf = g_malloc(room); /* nothing that is hidden is shorter than what stands for it */
    for (uint32_t rest = longs; rest; rest &= rest - 1) {
        unsigned i = (unsigned)__builtin_ctz(rest);
        if (!hides(o, i))
            continue;
        clean.val[i].s = ccm_redact_text(o->val[i].s, buf + n, o->val[i].s.n);
        n += o->val[i].s.n;
    }
    emit(user_data, &clean);
    g_free(buf);
}

void ccm_redact_emit(const ccm_obs *o, ccm_obs_fn emit, void *user_data)
{
    uint32_t longs = o->kind == CCM_OBS_http_done ? 0 : o->longs; /* has no text of the wire */
    while (longs && !hides(o, (unsigned)__builtin_ctz(longs)))
        longs &= longs - 1;
    if (longs)
        emit_clean(o, longs, emit, user_data);
    else
        emit(user_data, o);
}
