/* SPDX-License-Identifier: GPL-2.0-or-later
 * http_start.c - where an HTTP/1.x message begins.
 * In: bytes at a supposed message start, or bytes of unknown meaning after a gap. Out: the shape,
 * or the offset of the next first line. State: none. Any token is a method: Configuration Manager
 * uses CCM_POST and BITS_POST; the known ones only decide earlier and may be glued to what
 * precedes. Spec: RFC 9112 sections 2.1, 3 and 4. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "proto/http_head.h"

enum { FIRST_LINE_MAX = 16384 };

/* Longer ones first where one ends with another. */
static const char *const known_methods[] = {
    "CCM_POST",  "BITS_POST", "GET",         "POST",         "HEAD",   "PROPFIND",  "OPTIONS",
    "CONNECT",   "PUT",       "DELETE",      "TRACE",        "PATCH",  "PROPPATCH", "MKCOL",
    "COPY",      "MOVE",      "LOCK",        "UNLOCK",       "SEARCH", "REPORT",    "MERGE",
    "SUBSCRIBE", "NOTIFY",    "RPC_IN_DATA", "RPC_OUT_DATA",
};

static bool known(ccm_span m)
{
    for (size_t i = 0; i < G_N_ELEMENTS(known_methods); i++)
        if (strlen(known_methods[i]) == m.n && !memcmp(known_methods[i], m.p, m.n))
            return true;
    return false;
}

/* Does what stands here begin like the target of a known method? */
static ccm_http_shape target_shape(ccm_span method, ccm_span t)
{
    if (!t.n)
        return CCM_HTTP_MAYBE;
    if (t.p[0] == '/' || t.p[0] == '*')
        return CCM_HTTP_REQUEST;
    size_t n = t.n < 7 ? t.n : 7;
    for (size_t i = 0; i < n; i++)
        if ((t.p[i] | 0x20) != ("http://"[i] | 0x20))
            return ccm_headers_is(method, "connect") && ccm_http_tchar(t.p[0]) ? CCM_HTTP_MAYBE
                                                                               : CCM_HTTP_NONE;
    return n == 7 ? CCM_HTTP_REQUEST : CCM_HTTP_MAYBE;
}

static ccm_http_shape request_shape(ccm_span in)
{
    size_t m = 0, most = in.n < CCM_HTTP_METHOD_MAX ? in.n : CCM_HTTP_METHOD_MAX;
    while (m < most && ccm_http_tchar(in.p[m]))
        m++;
    if (m == in.n)
        return m <= CCM_HTTP_METHOD_MAX ? CCM_HTTP_MAYBE : CCM_HTTP_NONE;
    if (!m || in.p[m] != ' ' || !g_ascii_isalpha(in.p[0]))
        return CCM_HTTP_NONE;
    ccm_span method = ccm_span_of(in.p, m), t = ccm_span_of(in.p + m + 1, in.n - m - 1);
    if (known(method) && target_shape(method, t) == CCM_HTTP_REQUEST)
        return CCM_HTTP_REQUEST;
    const uint8_t *lf = t.n ? memchr(t.p, '\n', t.n) : NULL;
    size_t line = lf ? (size_t)(lf - t.p) : t.n;
    if (line && memmem(t.p, line, " HTTP/1.", 8))
        return CCM_HTTP_REQUEST;
    if (lf || line > FIRST_LINE_MAX)
        return CCM_HTTP_NONE;
    for (size_t i = 0; i < line; i++)
        if (t.p[i] < 0x20 && t.p[i] != '\t' && t.p[i] != '\r')
            return CCM_HTTP_NONE;
    return CCM_HTTP_MAYBE;
}

ccm_http_shape ccm_http_shape_of(ccm_span in)
{
    if (!in.n)
        return CCM_HTTP_MAYBE;
    size_t n = in.n < 7 ? in.n : 7;
    if (memcmp(in.p, "HTTP/1.", n) != 0)
        return request_shape(in);
    if (n < 7)
        return CCM_HTTP_MAYBE;
    for (size_t i = 7; i < in.n && i < 12; i++)
        if (i == 8 ? in.p[i] != ' ' : !g_ascii_isdigit(in.p[i]))
            return CCM_HTTP_NONE;
    return CCM_HTTP_RESPONSE;
}

/* ---- after a gap ----------------------------------------------------------------------------- */

/* A cut verb ("OST") is not a captured request line. */
static bool cut_method(ccm_span m)
{
    for (size_t i = 0; i < G_N_ELEMENTS(known_methods); i++) {
        size_t n = strlen(known_methods[i]);
        if (n > m.n && !memcmp(known_methods[i] + n - m.n, m.p, m.n))
            return true;
    }
    return false;
}

static bool verb_like(ccm_span m)
{
    bool upper = m.n >= 3;
    for (size_t i = 0; i < m.n && upper; i++)
        upper = g_ascii_isupper(m.p[i]) || m.p[i] == '_' || m.p[i] == '-';
    return upper && !cut_method(m);
}

/* How many last bytes of `m` are a known method glued to what precedes; 0: none. `any` = whatever
 * precedes, else only what no method's name would go on from ("hiCCM_POST"). */
static size_t glued_method(ccm_span m, bool any)
{
    for (size_t i = 0; i < G_N_ELEMENTS(known_methods); i++) {
        size_t n = strlen(known_methods[i]);
        if (n >= m.n || memcmp(m.p + m.n - n, known_methods[i], n) != 0)
            continue;
        uint8_t before = m.p[m.n - n - 1];
        return any || !(g_ascii_isupper(before) || before == '_' || before == '-') ? n : 0;
    }
    return 0;
}

/* The token that ends at `end` and begins not before `from`: where does its method begin?
 * SIZE_MAX: it holds none. `whole` = a token at `from` is whole. */
static size_t method_start(ccm_span in, size_t from, size_t end, size_t boundary, bool whole)
{
    size_t run = end;
    while (run > from && end - run < CCM_HTTP_METHOD_MAX && ccm_http_tchar(in.p[run - 1]))
        run--;
    ccm_span m = ccm_span_of(in.p + run, end - run);
    bool longer =
        run > from && ccm_http_tchar(in.p[run - 1]); /* so `m` is but the end of a token */
    if (!m.n)
        return SIZE_MAX;
    if (known(m))
        return run;
    /* Requests begin segments, so a method there counts more than what it makes with the bytes
     * before it, the end of a body ("Q" "BITS_POST"). */
    bool clean = run == boundary || (run == from && whole);
    bool inside = boundary > run && boundary < end;
    ccm_span b = inside ? ccm_span_of(in.p + boundary, end - boundary) : ccm_span_of(m.p, 0);
    if (known(b))
        return end - glued_method(m, true); /* itself, or the longer one that it ends */
    size_t glued = glued_method(m, false);
    if (glued)
        return end - glued;
    if (clean && g_ascii_isalpha(m.p[0]) && !cut_method(m))
        return run;
    if (verb_like(b))
        return boundary;
    if (verb_like(m) && !longer)
        return run;
    if (clean && cut_method(m))
        return SIZE_MAX;
    glued = glued_method(m, true);
    return glued ? end - glued : SIZE_MAX;
}

/* The line holds " HTTP/1." at `mark`; where does its request line begin? */
static size_t request_start(ccm_span in, size_t line, size_t mark, size_t boundary)
{
    /* A line end stands before it, or `unfinished` asked for it from its first byte on. */
    bool whole = line > 0 || (boundary && boundary != SIZE_MAX);
    size_t t = mark;
    while (t > line && in.p[t - 1] > ' ')
        t--;
    if (t > line && t < mark && in.p[t - 1] == ' ') {
        size_t start = method_start(in, line, t - 1, boundary, whole);
        if (start != SIZE_MAX)
            return start;
    }
    /* Spaces in the target: the line's first token may be the method. */
    const uint8_t *sp = memchr(in.p + line, ' ', mark - line);
    size_t first = sp ? (size_t)(sp - in.p) : mark;
    if (first + 1 >= mark || (in.p[first + 1] != '/' && in.p[first + 1] != 'h'))
        return SIZE_MAX;
    return method_start(in, line, first, boundary, whole);
}

static size_t seek_request(ccm_span in, size_t boundary, size_t *open)
{
    size_t at = 0, line = 0; /* `line` only moves forward, so many marks in a line cost no more */
    while (at < in.n) {
        const uint8_t *hit = memmem(in.p + at, in.n - at, " HTTP/1.", 8);
        if (!hit)
            return SIZE_MAX;
        size_t mark = (size_t)(hit - in.p), end = mark + 9;
        const uint8_t *lf = mark > line ? memrchr(in.p + line, '\n', mark - line) : NULL;
        if (lf)
            line = (size_t)(lf - in.p) + 1;
        size_t start = mark - line <= FIRST_LINE_MAX
                           ? request_start(in, line, mark, boundary)
                           : request_start(in, mark - FIRST_LINE_MAX, mark, boundary);
        while (end < in.n && in.p[end] == '\r')
            end++;
        if (start != SIZE_MAX && (mark + 8 >= in.n || g_ascii_isdigit(in.p[mark + 8]))) {
            if (end < in.n && in.p[end] == '\n')
                return start;
            if (end >= in.n) {
                *open = start;
                return SIZE_MAX;
            }
        }
        at = mark + 8;
    }
    return SIZE_MAX;
}

static size_t seek_response(ccm_span in, size_t *open)
{
    size_t at = 0;
    while (at < in.n) {
        const uint8_t *hit = memmem(in.p + at, in.n - at, "HTTP/1.", 7);
        if (!hit)
            return SIZE_MAX;
        size_t start = (size_t)(hit - in.p);
        ccm_span s = ccm_span_of(hit, in.n - start);
        /* "GET / HTTP/1.1" is no status line: shape wants the code, which must be there. */
        if (ccm_http_shape_of(s) == CCM_HTTP_RESPONSE) {
            const uint8_t *lf = memchr(s.p, '\n', s.n);
            if (lf && lf - s.p >= 12)
                return start;
            if (!lf && s.n < FIRST_LINE_MAX) {
                *open = start;
                return SIZE_MAX;
            }
        }
        at = start + 7;
    }
    return SIZE_MAX;
}

/* How many last bytes may be the beginning of a first line: the last line's last two tokens before
 * the one being received, at most. Where the first of them is no whole token at the beginning of
 * its line or segment, a byte more is kept, so that it will not look like one. */
static size_t unfinished(ccm_span in)
{
    bool words = in.n && memrchr(in.p, ' ', in.n);
    size_t most = words ? FIRST_LINE_MAX : CCM_HTTP_METHOD_MAX + 1;
    size_t i = in.n, spaces = 0, verb = 0;
    while (i > 0 && in.n - i < most) {
        uint8_t c = in.p[i - 1];
        if (c == ' ') {
            spaces++;
        } else if (c < 0x20 && c != '\r') {
            i -= c != '\n';
            break;
        }
        verb = c == ' ' ? 0 : verb + 1;
        if (verb > CCM_HTTP_METHOD_MAX && spaces >= 2)
            break;
        i--;
        if (spaces > 2)
            break;
    }
    size_t keep = in.n - i;
    return spaces || keep <= CCM_HTTP_METHOD_MAX ? keep : CCM_HTTP_METHOD_MAX + 1;
}

/* Does a request with a known method begin at the `boundary`, not yet whole? */
static bool begins_segment(ccm_span in, size_t boundary)
{
    if (boundary >= in.n)
        return false;
    size_t end = boundary;
    while (end < in.n && end - boundary < CCM_HTTP_METHOD_MAX && ccm_http_tchar(in.p[end]))
        end++;
    ccm_span method = ccm_span_of(in.p + boundary, end - boundary);
    return end < in.n && in.p[end] == ' ' && known(method) &&
           method_start(in, 0, end, boundary, false) == boundary &&
           target_shape(method, ccm_span_of(in.p + end + 1, in.n - end - 1)) != CCM_HTTP_NONE;
}

size_t ccm_http_seek(ccm_span in, size_t boundary, bool requests, bool responses, size_t *keep)
{
    size_t open = in.n;
    size_t a = requests ? seek_request(in, boundary, &open) : SIZE_MAX;
    size_t b = responses ? seek_response(in, &open) : SIZE_MAX;
    size_t found = a < b ? a : b;
    size_t tail = unfinished(in);
    /* Where the segment began is not known any more when its line is shown whole. */
    if (begins_segment(in, boundary) && tail > in.n - boundary)
        tail = in.n - boundary;
    *keep = in.n - open > tail ? in.n - open : tail;
    return found;
}

/* How long a beginning of a known method ends `s`; 0: none. */
static size_t known_begins(ccm_span s)
{
    for (size_t i = 0; i < G_N_ELEMENTS(known_methods); i++)
        for (size_t n = MIN(strlen(known_methods[i]), s.n); n; n--)
            if (!memcmp(s.p + s.n - n, known_methods[i], n))
                return n;
    return 0;
}

/* May a method end where `s` ends, or the part of it that is there? An unknown one is a whole token
 * or in capitals. */
static bool method_ends(ccm_span s, bool whole)
{
    size_t n = 0, capitals = 0;
    while (n < s.n && n <= CCM_HTTP_METHOD_MAX && ccm_http_tchar(s.p[s.n - 1 - n])) {
        uint8_t c = s.p[s.n - 1 - n++];
        capitals += g_ascii_isupper(c) || c == '_' || c == '-';
    }
    if (!n)
        return false;
    if (n <= CCM_HTTP_METHOD_MAX && (capitals == n || (n == s.n && g_ascii_isalpha(s.p[0]))))
        return true;
    return capitals && (whole ? glued_method(s, true) : known_begins(s)) > 0;
}

static bool prefix_of(const char *text, ccm_span s)
{
    return s.n <= strlen(text) && !memcmp(text, s.p, s.n);
}

/* What stands before the last space of `s`, and behind it. */
static bool last_word(ccm_span s, ccm_span *before, ccm_span *word)
{
    const uint8_t *space = s.n ? memrchr(s.p, ' ', s.n) : NULL;
    if (!space)
        return false;
    size_t n = (size_t)(space - s.p);
    *before = ccm_span_of(s.p, n);
    *word = ccm_span_of(space + 1, s.n - n - 1);
    return true;
}

static bool target_begins(ccm_span before, ccm_span t)
{
    bool connect = before.n >= 7 && !memcmp(before.p + before.n - 7, "CONNECT", 7);
    return method_ends(before, true) &&
           (connect || !t.n || target_shape(ccm_span_of(NULL, 0), t) != CCM_HTTP_NONE);
}

/* May this line end with the beginning of a request line? */
static bool request_begins(ccm_span line)
{
    ccm_span before, word;
    if (method_ends(line, false))
        return true;
    if (!last_word(line, &before, &word))
        return false;
    if (target_begins(before, word))
        return true;
    return (prefix_of("HTTP/1.1\r", word) || prefix_of("HTTP/1.0\r", word)) &&
           last_word(before, &before, &word) && word.n && target_begins(before, word);
}

/* How many last bytes of the line may be the beginning of a status line. */
static size_t response_begins(ccm_span line)
{
    enum { STATUS_LINE = 256 };
    static const char version[] = "HTTP/1.";
    size_t n = MIN(line.n, STATUS_LINE);
    const uint8_t *hit = memmem(line.p + line.n - n, n, version, 7);
    if (hit)
        return (size_t)(line.p + line.n - hit);
    n = MIN(n, 6);
    while (n && memcmp(line.p + line.n - n, version, n) != 0)
        n--;
    return n;
}

size_t ccm_http_tail(ccm_span in)
{
    if (!in.n)
        return 0;
    const uint8_t *lf = memrchr(in.p, '\n', in.n), *start = lf ? lf + 1 : in.p;
    ccm_span line = ccm_span_of(start, (size_t)(in.p + in.n - start));
    size_t request = request_begins(line) ? unfinished(in) : 0, response = response_begins(line);
    return MAX(request, response);
}
