/* SPDX-License-Identifier: GPL-2.0-or-later
 * http_head.c - HTTP/1.x message heads.
 * In: bytes from the first byte of a message on. Out: the first line and the headers we report, as
 * spans. State: none. Lenient where IIS and its clients are: bare LF, folded headers, spaces in a
 * target, any case.
 * Spec: RFC 9112 sections 2 to 6, RFC 9110 sections 5 to 11. */
#include "base/scan.h"
#include "proto/http_head.h"

static inline bool white(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static G_GNUC_NO_INLINE ccm_span trim_ends(ccm_span s)
{
    while (s.n && white(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && (white(s.p[s.n - 1]) || s.p[s.n - 1] == '\r' || s.p[s.n - 1] == '\n'))
        s.n--;
    return s;
}

/* Mostly there is nothing to trim. */
static inline ccm_span trim(ccm_span s)
{
    return s.n && s.p[0] > ' ' && s.p[s.n - 1] > ' ' ? s : trim_ends(s);
}

static bool digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* METHOD SP target SP HTTP/1.x, without the line end. */
static bool request_line(ccm_span line, ccm_http_head *h)
{
    line = trim(line);
    if (line.n < 12)
        return false;
    const uint8_t *end = line.p + line.n, *sp = ccm_scan(line.p, end, ' ', ' ', ' ');
    if (sp == end || memcmp(line.p + line.n - 9, " HTTP/1.", 8) != 0 || !digit(line.p[line.n - 1]))
        return false;
    size_t m = (size_t)(sp - line.p);
    if (!m || m > CCM_HTTP_METHOD_MAX || m + 10 >= line.n)
        return false;
    for (size_t i = 0; i < m; i++)
        if (!ccm_http_tchar(line.p[i]))
            return false;
    h->method = ccm_span_of(line.p, m);
    h->target = trim(ccm_span_of(sp + 1, line.n - m - 10));
    h->version = line.p[line.n - 1] == '0' ? 10 : 11;
    return h->target.n > 0;
}

/* HTTP/1.x SP ddd, whatever follows. */
static bool status_line(ccm_span line, ccm_http_head *h)
{
    if (line.n < 12 || memcmp(line.p, "HTTP/1.", 7) != 0 || !digit(line.p[7]) || line.p[8] != ' ')
        return false;
    const uint8_t *d = line.p + 9;
    if (d[0] < '1' || d[0] > '9' || !digit(d[1]) || !digit(d[2]) || (line.n > 12 && digit(d[3])))
        return false;
    h->response = true;
    h->status = (uint16_t)((d[0] - '0') * 100 + (d[1] - '0') * 10 + (d[2] - '0'));
    h->version = line.p[7] == '0' ? 10 : 11;
    return true;
}

static bool first_line(ccm_span line, ccm_http_head *h)
{
    return status_line(line, h) || request_line(line, h);
}

/* ---- headers --------------------------------------------------------------------------------- */

static void add_scheme(ccm_http_head *h, ccm_span word)
{
    /* Only words from this list are shown: an unknown first word might be a bare token. */
    static const char *const known[][2] = {
        { "negotiate", "Negotiate" },
        { "ntlm", "NTLM" },
        { "basic", "Basic" },
        { "bearer", "Bearer" },
        { "digest", "Digest" },
        { "kerberos", "Kerberos" },
        { "pop", "PoP" },
        { "sharedkey", "SharedKey" },
        { "passport1.4", "Passport1.4" },
        { "nego2", "Nego2" },
    };
    const char *text = "other";
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (ccm_headers_is(word, known[i][0]))
            text = known[i][1];
    size_t n = strlen(text);
    for (size_t i = 0; i < h->n_schemes; i += 2) { /* duplicates */
        const char *comma = memchr(h->schemes + i, ',', h->n_schemes - i);
        size_t end = comma ? (size_t)(comma - h->schemes) : h->n_schemes;
        if (end - i == n && !memcmp(h->schemes + i, text, n))
            return;
        i = end;
    }
    if (h->n_schemes + n + 2 > sizeof h->schemes)
        return;
    if (h->n_schemes) {
        h->schemes[h->n_schemes++] = ',';
        h->schemes[h->n_schemes++] = ' ';
    }
    memcpy(h->schemes + h->n_schemes, text, n);
    h->n_schemes = (uint8_t)(h->n_schemes + n);
}

static size_t token_run(ccm_span s)
{
    size_t n = 0;
    while (n < s.n && ccm_http_tchar(s.p[n]))
        n++;
    return n;
}

static void credential(ccm_http_head *h, const char *header, ccm_span value)
{
    if (h->n_credentials < CCM_HTTP_CREDENTIALS)
        h->credentials[h->n_credentials++] = (ccm_http_credential){ header, value };
}

static G_GNUC_NO_INLINE void authorization(ccm_http_head *h, const char *header, ccm_span name,
                                           ccm_span value)
{
    ccm_span word = ccm_span_of(value.p, token_run(value));
    if (!word.n)
        return;
    add_scheme(h, word);
    credential(h, header, value);
    if (ccm_headers_is(word, "bearer"))
        h->ccm.bearer = true;
    ccm_headers_token(&h->ccm, name, value);
}

/* One or more challenges; a comma separates challenges as well as their parameters. */
static G_GNUC_NO_INLINE void challenges(ccm_http_head *h, const char *header, ccm_span s)
{
    credential(h, header, s);
    bool quoted = false, element = true;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && s.p[i] == ',') {
            element = true;
        } else if (element && s.p[i] != ' ' && s.p[i] != '\t') {
            element = false;
            size_t n = token_run(ccm_span_of(s.p + i, s.n - i));
            size_t j = i + n;
            while (j < s.n && s.p[j] == ' ')
                j++;
            if (n && (j == s.n || s.p[j] != '=')) /* name=value is a parameter */
                add_scheme(h, ccm_span_of(s.p + i, n));
            if (n)
                i += n - 1;
        }
    }
}

static void content_length(ccm_http_head *h, ccm_span value)
{
    uint64_t v = 0;
    size_t i = 0;
    for (; i < value.n && digit(value.p[i]); i++) {
        if (v > (UINT64_MAX >> 2) / 10)
            return;
        v = v * 10 + (uint64_t)(value.p[i] - '0');
    }
    if (!i || h->has_length)
        return;
    h->content_length = v;
    h->has_length = true;
}

/* Is `word` (lower case) a member of the comma-separated list? */
static bool lists(ccm_span s, const char *word)
{
    while (s.n) {
        const uint8_t *comma = memchr(s.p, ',', s.n);
        size_t n = comma ? (size_t)(comma - s.p) : s.n;
        if (ccm_headers_is(trim(ccm_span_of(s.p, n)), word))
            return true;
        s.p += comma ? n + 1 : n;
        s.n -= comma ? n + 1 : n;
    }
    return false;
}

static G_GNUC_NO_INLINE void transfer_encoding(ccm_http_head *h, ccm_span value)
{
    if (lists(value, "chunked"))
        h->chunked = true;
    else if (!ccm_headers_is(value, "identity"))
        h->coded = true;
}

static ccm_span unquoted(ccm_span v)
{
    bool quoted = v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"';
    return quoted ? ccm_span_of(v.p + 1, v.n - 2) : v;
}

static G_GNUC_NO_INLINE void connection(ccm_http_head *h, ccm_span value)
{
    h->close = h->close || lists(value, "close");
}

/* Headers with short names; false when it is none of them. */
static bool short_header(ccm_http_head *h, ccm_span name, ccm_span v)
{
    if (name.n == 4 && ccm_headers_is(name, "host"))
        h->host = v;
    else if (name.n == 5 && ccm_headers_is(name, "range"))
        h->range = v;
    else if (name.n == 6 && ccm_headers_is(name, "server"))
        h->server = v;
    else if (name.n == 6 && ccm_headers_is(name, "expect"))
        h->expect = true;
    else if (name.n == 8 && ccm_headers_is(name, "location"))
        h->location = v;
    else if (name.n == 10 && ccm_headers_is(name, "user-agent"))
        h->user_agent = v;
    else if (name.n == 10 && ccm_headers_is(name, "soapaction"))
        h->soap_action = unquoted(v);
    else if (name.n != 10 || !ccm_headers_is(name, "connection"))
        return false;
    else if (!ccm_headers_is(v, "keep-alive"))
        connection(h, v);
    return true;
}

/* Headers told apart by length, then by name. Tokens of the Configuration Manager ride in headers
 * of unknown name, so what is not wanted here is still looked at. */
static void header(ccm_http_head *h, ccm_span name, ccm_span v)
{
    switch (name.n) {
    case 12:
        if (!ccm_headers_is(name, "content-type"))
            break;
        h->content_type = v;
        return;
    case 13:
        if (ccm_headers_is(name, "content-range"))
            h->content_range = v;
        else if (ccm_headers_is(name, "authorization"))
            authorization(h, "authorization", name, v);
        else
            break;
        return;
    case 14:
        if (!ccm_headers_is(name, "content-length"))
            break;
        content_length(h, v);
        return;
    case 16:
        if (ccm_headers_is(name, "content-encoding"))
            h->content_encoding = v;
        else if (ccm_headers_is(name, "www-authenticate"))
            challenges(h, "www-authenticate", v);
        else
            break;
        return;
    case 17:
        if (!ccm_headers_is(name, "transfer-encoding"))
            break;
        transfer_encoding(h, v);
        return;
    case 18:
        if (!ccm_headers_is(name, "proxy-authenticate"))
            break;
        challenges(h, "proxy-authenticate", v);
        return;
    case 19:
        if (!ccm_headers_is(name, "proxy-authorization"))
            break;
        authorization(h, "proxy-authorization", name, v);
        return;
    default:
        if (name.n <= 10 && short_header(h, name, v))
            return;
    }
    ccm_headers_line(&h->ccm, name, v);
}

/* A value over several lines becomes one line, in the head's own bounded buffer. */
static G_GNUC_NO_INLINE ccm_span unfold(ccm_http_head *h, ccm_span v)
{
    size_t start = h->n_folds, n = start;
    bool space = false;
    for (size_t i = 0; i < v.n && n < sizeof h->folds; i++) {
        uint8_t c = v.p[i];
        if (c != '\r' && c != '\n' && !(space && white(c))) {
            h->folds[n++] = c;
            space = false;
        } else if (!space) {
            h->folds[n++] = ' ';
            space = true;
        }
    }
    h->n_folds = (uint16_t)n;
    return trim(ccm_span_of(h->folds + start, n - start));
}

/* A header with its colon, up to its line end at `lf`. */
static inline void header_line(ccm_http_head *h, const uint8_t *p, const uint8_t *colon,
                               const uint8_t *lf)
{
    if (colon == p)
        return;
    ccm_span name = trim(ccm_span_of(p, (size_t)(colon - p)));
    lf -= lf[-1] == '\r'; /* the usual white space, so that there is nothing left to trim */
    colon += colon[1] == ' ' && colon + 1 < lf;
    header(h, name, trim(ccm_span_of(colon + 1, (size_t)(lf - colon - 1))));
}

/* ---- the head -------------------------------------------------------------------------------- */

/* The line end at or after `p`, or `end`. Most lines are short. */
static inline const uint8_t *line_end(const uint8_t *p, const uint8_t *end)
{
    enum { NEAR = 64 };
    const uint8_t *near = end - p > NEAR ? p + NEAR : end;
    const uint8_t *lf = ccm_scan(p, near, '\n', '\n', '\n');
    if (lf < near || near == end)
        return lf;
    lf = memchr(near, '\n', (size_t)(end - near));
    return lf ? lf : end;
}

/* A header whose first line ends at `lf`, where lines that begin with white space follow: they are
 * folded into it. Returns its last line end. */
static G_GNUC_NO_INLINE const uint8_t *folded_line(ccm_http_head *h, const uint8_t *p,
                                                   const uint8_t *lf, const uint8_t *end)
{
    const uint8_t *first = lf;
    while (lf + 1 < end && white(lf[1])) {
        const uint8_t *more = line_end(lf + 1, end);
        if (more == end)
            break;
        lf = more;
    }
    const uint8_t *colon = ccm_scan(p, lf, ':', ':', ':');
    if (colon == lf)
        return lf;
    if (lf == first)
        header_line(h, p, colon, lf);
    else if (colon > p)
        header(h, trim(ccm_span_of(p, (size_t)(colon - p))),
               unfold(h, ccm_span_of(colon + 1, (size_t)(lf - colon))));
    return lf;
}

static inline bool blank(const uint8_t *p, const uint8_t *lf)
{
    return lf - p <= 1 && (lf == p || *p == '\r');
}

size_t ccm_http_head_parse(ccm_span in, bool partial, ccm_http_head *h)
{
    if (!in.n)
        return 0;
    const uint8_t *p = in.p, *end = in.p + in.n, *lf = line_end(p, end);
    if (lf == end)
        return 0;
    /* The buffers at the end need no clearing; their lengths do. */
    ccm_clear(h, offsetof(ccm_http_head, ccm.jwts));
    if (!first_line(ccm_span_of(p, (size_t)(lf - p - (lf > p && lf[-1] == '\r'))), h))
        return SIZE_MAX;
    for (p = lf + 1;; p = lf + 1) {
        const uint8_t *colon = ccm_scan(p, end, ':', '\n', '\n');
        if (colon == end)
            break;
        lf = *colon == ':' ? line_end(colon + 1, end) : colon;
        if (lf == end)
            break;
        if (lf == colon && blank(p, lf))
            return (size_t)(lf - in.p) + 1;
        if (lf + 1 < end && white(lf[1]))
            lf = folded_line(h, p, lf, end);
        else if (lf != colon)
            header_line(h, p, colon, lf);
    }
    h->incomplete = true;
    return partial ? (size_t)(p - in.p) : 0;
}

bool ccm_http_head_ended(ccm_span in, size_t *scanned)
{
    const uint8_t *p = in.p + *scanned, *end = in.p + in.n, *lf;
    for (; (lf = line_end(p, end)) < end; p = lf + 1)
        if (p > in.p && blank(p, lf))
            break;
    *scanned = (size_t)(p - in.p);
    return lf < end;
}
