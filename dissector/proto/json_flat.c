/* SPDX-License-Identifier: GPL-2.0-or-later
 * json_flat.c - the members of one JSON object.
 * In: untrusted text. Out: names, strings and numbers of the top level; nested values are skipped
 * by counting brackets outside strings. State: the position. Spec: RFC 8259. */
#include "proto/json_flat.h"

#include "proto/utf16.h"

static bool fail(ccm_json *j)
{
    j->bad = j->done = true;
    return false;
}

static void blanks(ccm_json *j)
{
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' || *j->p == '\r' || *j->p == '\n'))
        j->p++;
}

static bool take(ccm_json *j, uint8_t c)
{
    blanks(j);
    if (j->p == j->end || *j->p != c)
        return false;
    j->p++;
    return true;
}

/* Behind the opening quote: moves behind the closing one. */
static bool string(ccm_json *j, ccm_span *out, bool *escaped)
{
    const uint8_t *from = j->p;
    *escaped = false;
    while (j->p < j->end && *j->p != '"') {
        bool escape = *j->p == '\\';
        *escaped |= escape;
        j->p += escape && j->end - j->p > 1 ? 2 : 1;
    }
    if (j->p == j->end)
        return false;
    *out = ccm_span_of(from, (size_t)(j->p - from));
    j->p++;
    return true;
}

/* Inside an array or object, `depth` brackets deep: moves behind its end. */
static bool skip_nested(ccm_json *j, unsigned depth)
{
    ccm_span unused;
    bool escaped;
    while (depth && j->p < j->end) {
        uint8_t c = *j->p++;
        if (c == '"' && !string(j, &unused, &escaped))
            return false;
        if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
    }
    return !depth;
}

static bool value(ccm_json *j, ccm_json_member *m)
{
    m->type = CCM_JSON_OTHER;
    blanks(j);
    if (j->p == j->end)
        return false;
    uint8_t c = *j->p;
    if (c == '"') {
        j->p++;
        m->type = CCM_JSON_STRING;
        return string(j, &m->value, &m->escaped);
    }
    if (c == '[') {
        j->p++;
        if (take(j, '"')) {
            m->type = CCM_JSON_STRING;
            if (!string(j, &m->value, &m->escaped))
                return false;
        }
        return skip_nested(j, 1);
    }
    if (c == '{') {
        j->p++;
        return skip_nested(j, 1);
    }
    const uint8_t *from = j->p;
    while (j->p<j->end && * j->p> ' ' && *j->p != ',' && *j->p != '}' && *j->p != ']')
        j->p++;
    m->value = ccm_span_of(from, (size_t)(j->p - from));
    if ((c >= '0' && c <= '9') || c == '-')
        m->type = CCM_JSON_NUMBER;
    return m->value.n && j->p < j->end;
}

bool ccm_json_next(ccm_json *j, ccm_json_member *m)
{
    bool escaped;
    *m = (ccm_json_member){ 0 };
    if (j->done)
        return false;
    if (!j->begun) {
        j->begun = true;
        if (!take(j, '{'))
            return fail(j);
        if (take(j, '}')) {
            j->done = true;
            return false;
        }
    }
    if (!take(j, '"') || !string(j, &m->name, &escaped) || !take(j, ':') || !value(j, m))
        return fail(j);
    if (take(j, '}'))
        j->done = true;
    else if (!take(j, ','))
        j->bad = j->done = true; /* what came before it is whole */
    return true;
}

static int hex_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hexadecimal digits at in.p[at]; false when they are not there. */
static bool four(ccm_span in, size_t at, uint32_t *out)
{
    *out = 0;
    if (in.n < 4 || at > in.n - 4)
        return false;
    for (size_t i = at; i < at + 4; i++) {
        int d = hex_of(in.p[i]);
        if (d < 0)
            return false;
        *out = *out << 4 | (uint32_t)d;
    }
    return true;
}

size_t ccm_json_unescape(ccm_span in, uint8_t *out, size_t room)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    size_t o = 0;
    for (size_t i = 0; i < in.n && o < room;) {
        if (in.p[i] != '\\' || i + 1 == in.n) {
            out[o++] = in.p[i++];
            continue;
        }
        uint32_t c, low;
        const char *at = strchr(from, in.p[i + 1]);
        if (in.p[i + 1] && at) {
            out[o++] = (uint8_t)to[at - from];
            i += 2;
            continue;
        }
        if (in.p[i + 1] != 'u' || !four(in, i + 2, &c)) {
            out[o++] = in.p[i++];
            continue;
        }
        i += 6;
        if (c >= 0xd800 && c < 0xe000) {
            bool pair = c < 0xdc00 && i + 1 < in.n && in.p[i] == '\\' && in.p[i + 1] == 'u' &&
                        four(in, i + 2, &low) && low >= 0xdc00 && low < 0xe000;
            c = pair ? 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff)) : 0xfffd;
            i += pair ? 6 : 0;
        }
        size_t n = ccm_utf8_put(c, out + o, room - o);
        if (!n)
            break;
        o += n;
    }
    return o;
}
