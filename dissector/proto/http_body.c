/* SPDX-License-Identifier: GPL-2.0-or-later
 * http_body.c - framing of one HTTP/1.x message body.
 * In: the bytes behind a head, or how many passed or were lost. Out: where the body ends, how many
 * content bytes it has; content is skipped by arithmetic unless it is being decoded.
 * State: ccm_http_body; a decoder lives only while a coded body passes.
 * Spec: RFC 9112 sections 6 and 7. */
#include "proto/http_body.h"

enum {
    CHUNK_LINE_MAX = 4096,
    TRAILER_LINE_MAX = 16384,
    DECODERS_MAX = 1024,
    STATUS_LINE_MIN = 12, /* "HTTP/1.1 200" */
};

void ccm_http_body_start(ccm_http_body *b, const ccm_http_head *head, bool empty)
{
    *b = (ccm_http_body){ .framing = CCM_HTTP_LENGTH };
    if (empty)
        return;
    if (head->chunked)
        b->framing = CCM_HTTP_CHUNK_SIZE;
    else if (head->has_length && !head->coded)
        b->left = head->content_length;
    else if (head->response)
        b->framing = CCM_HTTP_UNTIL_CLOSE;
}

bool ccm_http_body_decode(ccm_http_body *b, uint64_t limit, unsigned *decoders)
{
    if (decoders && *decoders >= DECODERS_MAX)
        return false;
    if (decoders)
        ++*decoders;
    b->decoders = decoders;
    b->z = ccm_inflate_new(limit);
    b->decoded_any = true;
    return true;
}

void ccm_http_body_stop(ccm_http_body *b)
{
    if (!b->z)
        return;
    b->decoded = ccm_inflate_total(b->z);
    if (b->decoders)
        --*b->decoders;
    ccm_inflate_free(b->z);
    b->z = NULL;
}

void ccm_http_body_free(ccm_http_body *b)
{
    if (!b->z && !b->collect)
        return; /* most often */
    ccm_http_body_stop(b);
    ccm_collect_free(b->collect);
    b->collect = NULL;
}

/* Do the bytes matter, and not only their number? */
static bool wanted(const ccm_http_body *b)
{
    return b->z || (b->collect && ccm_collect_wants(b->collect));
}

typedef struct decoded_to {
    ccm_http_body *b;
    const ccm_parse *ps;
} decoded_to;

static void on_decoded(void *user_data, ccm_span bytes)
{
    const decoded_to *to = user_data;
    if (to->b->collect)
        (void)ccm_collect_feed(to->b->collect, to->ps, bytes);
}

/* `n` bytes are content: decode and count them. */
static void content(ccm_http_body *b, const ccm_parse *ps, const uint8_t *p, size_t n)
{
    decoded_to to = { b, ps };
    b->bytes += n;
    if (!b->z && b->collect)
        (void)ccm_collect_feed(b->collect, ps, ccm_span_of(p, n));
    if (b->z && ccm_inflate_feed(b->z, ccm_span_of(p, n), on_decoded, &to) >= CCM_INFLATE_LIMIT)
        ccm_http_body_stop(b);
}

static void counted(ccm_http_body *b, uint64_t n, uint64_t missing)
{
    b->bytes += n;
    b->missing += missing;
    if (missing)
        ccm_http_body_stop(b); /* what follows cannot be decoded */
    if (missing && b->collect)
        ccm_collect_gap(b->collect, missing, b->decoded_any);
}

/* Hexadecimal size, then an optional extension. False when it is no chunk size. */
static bool chunk_size(ccm_span line, uint64_t *out)
{
    uint64_t v = 0;
    size_t i = 0;
    while (i < line.n && line.p[i] == ' ')
        i++;
    size_t first = i;
    for (; i < line.n && g_ascii_isxdigit(line.p[i]); i++) {
        if (v >> 58)
            return false;
        v = v << 4 | (uint64_t)g_ascii_xdigit_value((char)line.p[i]);
    }
    *out = v;
    return i > first && (i == line.n || line.p[i] == ' ' || line.p[i] == '\t' || line.p[i] == ';' ||
                         line.p[i] == '\r');
}

/* A whole line of the framing at `in`; *used = its length, 0 when it is not there yet. */
static ccm_http_part framing_line(ccm_http_body *b, ccm_span in, size_t *used)
{
    const uint8_t *lf = memchr(in.p, '\n', in.n);
    *used = 0;
    if (!lf)
        return in.n > (b->framing == CCM_HTTP_TRAILER ? TRAILER_LINE_MAX : CHUNK_LINE_MAX)
                   ? CCM_HTTP_LOST
                   : CCM_HTTP_MORE;
    size_t n = (size_t)(lf - in.p);
    *used = n + 1;
    bool blank = n == 0 || (n == 1 && in.p[0] == '\r');
    if (b->framing == CCM_HTTP_TRAILER)
        return blank ? CCM_HTTP_END : CCM_HTTP_MORE;
    if (b->framing == CCM_HTTP_CHUNK_END) {
        b->framing = CCM_HTTP_CHUNK_SIZE;
        return blank ? CCM_HTTP_MORE : CCM_HTTP_LOST;
    }
    if (!chunk_size(ccm_span_of(in.p, n), &b->left))
        return CCM_HTTP_LOST;
    b->framing = b->left ? CCM_HTTP_CHUNK_DATA : CCM_HTTP_TRAILER;
    return CCM_HTTP_MORE;
}

/* Content bytes at `in`: takes what belongs to the body. */
static ccm_http_part content_bytes(ccm_http_body *b, const ccm_parse *ps, ccm_span in, size_t *used,
                                   uint64_t *skip)
{
    if (b->framing == CCM_HTTP_UNTIL_CLOSE) {
        content(b, ps, in.p, in.n);
        *used = in.n;
        *skip = wanted(b) ? 0 : UINT64_MAX;
        return CCM_HTTP_MORE;
    }
    size_t n = b->left < in.n ? (size_t)b->left : in.n;
    content(b, ps, in.p, n);
    b->left -= n;
    *used = n;
    *skip = wanted(b) ? 0 : b->left;
    if (b->left)
        return CCM_HTTP_MORE;
    if (b->framing == CCM_HTTP_LENGTH)
        return CCM_HTTP_END;
    b->framing = CCM_HTTP_CHUNK_END;
    return CCM_HTTP_MORE;
}

/* Is the next message here instead of the body that the head announced? A response to HEAD, or a
 * request that asked with Expect and was refused, sends none. */
static ccm_http_part peeked(ccm_http_body *b, ccm_span in)
{
    ccm_http_shape shape = ccm_http_shape_of(in);
    bool short_body = b->framing == CCM_HTTP_LENGTH && b->left <= in.n;
    if (b->peek == CCM_HTTP_RESPONSE && in.p[0] != 'H')
        shape = CCM_HTTP_NONE;
    else if (shape == CCM_HTTP_RESPONSE && in.n < STATUS_LINE_MIN)
        return CCM_HTTP_MORE; /* more must come, of a body or of the next head */
    if (shape == CCM_HTTP_MAYBE && in.n < CCM_HTTP_METHOD_MAX && !short_body)
        return CCM_HTTP_MORE;
    bool next = shape == b->peek;
    b->peek = CCM_HTTP_NONE;
    if (!next)
        return CCM_HTTP_MORE;
    b->absent = true;
    b->bytes = 0; /* lost ones were not of this body */
    return CCM_HTTP_END;
}

ccm_http_part ccm_http_body_feed(ccm_http_body *b, const ccm_parse *ps, ccm_span in, size_t *used,
                                 uint64_t *skip)
{
    size_t at = 0;
    *used = 0;
    *skip = 0;
    if (b->framing == CCM_HTTP_LENGTH && !b->left)
        return CCM_HTTP_END;
    if (b->framing == CCM_HTTP_LENGTH && !b->peek)
        return content_bytes(b, ps, in, used, skip);
    if (b->peek) {
        if (!in.n)
            return CCM_HTTP_MORE;
        ccm_http_part part = peeked(b, in);
        if (part == CCM_HTTP_END || b->peek)
            return part;
    }
    for (;;) {
        ccm_span rest = ccm_span_of(in.p + at, in.n - at);
        size_t took = 0;
        ccm_http_part part;
        *skip = 0;
        bool data = b->framing == CCM_HTTP_LENGTH || b->framing == CCM_HTTP_CHUNK_DATA ||
                    b->framing == CCM_HTTP_UNTIL_CLOSE;
        if (data)
            part = content_bytes(b, ps, rest, &took, skip);
        else
            part = rest.n ? framing_line(b, rest, &took) : CCM_HTTP_MORE;
        at += took;
        *used = at;
        if (part != CCM_HTTP_MORE || at == in.n || !took)
            return part;
    }
}

ccm_http_part ccm_http_body_pass(ccm_http_body *b, uint64_t n, uint64_t missing)
{
    uint64_t beyond = 0;
    if (n > missing) {
        uint64_t there = n - missing;
        if (b->framing != CCM_HTTP_UNTIL_CLOSE)
            there = there < b->left ? there : b->left;
        if (b->framing == CCM_HTTP_LENGTH || b->framing == CCM_HTTP_CHUNK_DATA)
            b->left -= there;
        counted(b, there, 0);
    }
    return ccm_http_body_gap(b, missing, &beyond);
}

ccm_http_part ccm_http_body_gap(ccm_http_body *b, uint64_t n, uint64_t *beyond)
{
    uint64_t lost = n;
    *beyond = 0;
    if (b->framing == CCM_HTTP_UNTIL_CLOSE) {
        counted(b, n, n);
        return CCM_HTTP_MORE;
    }
    if (b->framing != CCM_HTTP_LENGTH && b->framing != CCM_HTTP_CHUNK_DATA)
        return n ? CCM_HTTP_LOST : CCM_HTTP_MORE;
    if (lost > b->left)
        lost = b->left;
    b->left -= lost;
    *beyond = n - lost;
    counted(b, lost, lost);
    if (b->left)
        return CCM_HTTP_MORE;
    if (b->framing == CCM_HTTP_LENGTH)
        return CCM_HTTP_END;
    b->framing = CCM_HTTP_CHUNK_END;
    return *beyond ? CCM_HTTP_LOST : CCM_HTTP_MORE;
}
