/* SPDX-License-Identifier: GPL-2.0-or-later
 * multipart.c - the parts of a multipart/mixed body.
 * In: a body, perhaps cut anywhere, and the boundary its head named. Out: header lines and exact
 * content bytes of each part. State: the caller's position. Line ends are CRLF or LF alone; a
 * delimiter is searched by its line feed, which is rare in the UTF-16 and zlib of parts.
 * Spec: RFC 2046 5.1. */
#include "proto/multipart.h"

#include "base/scan.h"

static uint8_t lower_of(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/* Does `s` begin with `lower`, case apart? */
static bool begins(ccm_span s, const char *lower)
{
    size_t n = strlen(lower);
    if (s.n < n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (lower_of(s.p[i]) != (uint8_t)lower[i])
            return false;
    return true;
}

static bool space(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static ccm_span after(ccm_span s, size_t n)
{
    return n ? ccm_span_of(s.p + n, s.n - n) : s;
}

/* Value of parameter `lower` in "type; a=b; c=\"d\"", from the first ';' on. */
static ccm_span parameter(ccm_span s, const char *lower)
{
    size_t n = strlen(lower);
    const uint8_t *semi;
    while (s.n && (semi = memchr(s.p, ';', s.n)) != NULL) {
        s = after(s, (size_t)(semi - s.p) + 1);
        while (s.n && (space(*s.p) || *s.p == '\r' || *s.p == '\n'))
            s = after(s, 1);
        if (!begins(s, lower))
            continue;
        ccm_span v = after(s, n);
        while (v.n && space(*v.p))
            v = after(v, 1);
        if (!v.n || *v.p != '=')
            continue;
        v = after(v, 1);
        while (v.n && space(*v.p))
            v = after(v, 1);
        if (v.n && *v.p == '"') {
            v = after(v, 1);
            const uint8_t *quote = v.n ? memchr(v.p, '"', v.n) : NULL;
            return ccm_span_of(v.p, quote ? (size_t)(quote - v.p) : 0);
        }
        size_t i = 0;
        while (i < v.n && v.p[i] != ';' && !space(v.p[i]) && v.p[i] != '\r' && v.p[i] != '\n')
            i++;
        return ccm_span_of(v.p, i);
    }
    return (ccm_span){ 0 };
}

ccm_span ccm_multipart_boundary(ccm_span content_type, bool *multipart)
{
    /* As every client writes it. */
    static const char usual[] = "multipart/mixed; boundary=\"";
    size_t n = sizeof usual - 1;
    if (content_type.n > n && !memcmp(content_type.p, usual, n)) {
        *multipart = true;
        const uint8_t *quote = memchr(content_type.p + n, '"', content_type.n - n);
        size_t length = quote ? (size_t)(quote - content_type.p) - n : 0;
        return length <= CCM_BOUNDARY_MAX ? ccm_span_of(content_type.p + n, length)
                                          : (ccm_span){ 0 };
    }
    while (content_type.n && space(*content_type.p))
        content_type = after(content_type, 1);
    *multipart = begins(content_type, "multipart/");
    ccm_span b = { 0 };
    if (*multipart)
        b = parameter(content_type, "boundary");
    return b.n <= CCM_BOUNDARY_MAX ? b : (ccm_span){ 0 };
}

ccm_span ccm_multipart_guess(ccm_span body)
{
    const uint8_t *lf =
        body.n > 3 && body.p[0] == '-' && body.p[1] == '-' ? memchr(body.p, '\n', body.n) : NULL;
    if (!lf)
        return (ccm_span){ 0 };
    size_t n = (size_t)(lf - body.p) - 2;
    while (n && (body.p[2 + n - 1] == '\r' || space(body.p[2 + n - 1])))
        n--;
    for (size_t i = 0; i < n; i++)
        if (body.p[2 + i] < ' ' || body.p[2 + i] > '~')
            return (ccm_span){ 0 };
    return n && n <= CCM_BOUNDARY_MAX ? ccm_span_of(body.p + 2, n) : (ccm_span){ 0 };
}

/* Is a delimiter at the start of `line`, which is not empty? *wait = more bytes are needed to tell.
 */
static bool delimiter(ccm_span line, ccm_span boundary, bool *wait)
{
    size_t n = line.n < 2 ? line.n : 2;
    if (line.p[0] != '-' || line.p[n - 1] != '-')
        return false;
    size_t rest = line.n - n < boundary.n ? line.n - n : boundary.n;
    if (rest && memcmp(line.p + 2, boundary.p, rest))
        return false;
    *wait = n < 2 || rest < boundary.n;
    if (*wait)
        return false;
    uint8_t next = line.n > 2 + boundary.n ? line.p[2 + boundary.n] : '\r';
    return next == '-' || next == '\r' || next == '\n' || space(next);
}

size_t ccm_multipart_seek(ccm_span body, ccm_span boundary, size_t *at)
{
    while (*at < body.n) {
        if (!*at || body.p[*at - 1] == '\n') {
            bool wait = false;
            if (delimiter(after(body, *at), boundary, &wait))
                return *at;
            if (wait)
                return SIZE_MAX;
        }
        const uint8_t *lf = memchr(body.p + *at, '\n', body.n - *at);
        *at = lf ? (size_t)(lf - body.p) + 1 : body.n;
    }
    return SIZE_MAX;
}

/* Moves behind the delimiter line at `from`. False when nothing follows it. */
static bool pass_delimiter(ccm_multipart *m, size_t from)
{
    ccm_span rest = after(m->body, from + 2 + m->boundary.n);
    if (rest.n >= 2 && rest.p[0] == '-' && rest.p[1] == '-') {
        m->closed = true;
        return false;
    }
    const uint8_t *end = rest.p + rest.n, *lf = ccm_scan(rest.p, end, '\n', '\n', '\n');
    if (lf == end)
        return false;
    m->at = (size_t)(lf - m->body.p) + 1;
    m->lf = !(lf > rest.p && lf[-1] == '\r');
    return true;
}

/* Splits a part at its blank line. False when that is not there yet. */
static bool split(ccm_span part, ccm_span *headers, ccm_span *content)
{
    for (size_t i = 0; i < part.n;) {
        const uint8_t *lf = memchr(part.p + i, '\n', part.n - i);
        if (!lf)
            return false;
        size_t n = (size_t)(lf - part.p) - i;
        if (n == 0 || (n == 1 && part.p[i] == '\r')) {
            *headers = ccm_span_of(part.p, i);
            *content = after(part, i + n + 1);
            return true;
        }
        i += n + 1;
    }
    return false;
}

bool ccm_multipart_next(ccm_multipart *m, ccm_part *part)
{
    *part = (ccm_part){ 0 };
    if (!m->begun) {
        size_t first = m->found ? m->at : ccm_multipart_seek(m->body, m->boundary, &m->at);
        if (first == SIZE_MAX || !pass_delimiter(m, first))
            return false;
        m->begun = true;
    }
    if (m->closed || m->at >= m->body.n)
        return false;
    size_t from = m->at, search = m->known > from ? m->known : from;
    bool lf = m->lf;
    size_t next = ccm_multipart_seek(m->body, m->boundary, &search);
    part->complete = next != SIZE_MAX;
    size_t to = m->body.n;
    if (part->complete) {
        /* The line end before a delimiter belongs to the delimiter. */
        to = next;
        to -= to > from;
        to -= !lf && to > from && m->body.p[to - 1] == '\r';
        if (!pass_delimiter(m, next))
            m->at = m->body.n;
    } else {
        m->at = m->body.n;
    }
    ccm_span whole = ccm_span_of(m->body.p + from, to - from);
    if (!split(whole, &part->headers, &part->content)) {
        part->headers = whole;
        part->content = after(whole, whole.n);
    }
    return true;
}
