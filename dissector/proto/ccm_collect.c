/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccm_collect.c - gathers the body of an HTTP message that may be a Configuration Manager message.
 * In: content bytes in pieces. Out: whether more are wanted; the kept bytes for ccm_message.c.
 * State: a buffer that grows with what came, never by an announced length, and is bounded. When
 * only the header is wanted it stops at the end of the first part. Messages are many and short, so
 * one that is over lends its memory to the next. */
#include "proto/ccm_collect.h"

#include <stddef.h>

enum { HEADER_MAX = 64 << 10, COLLECTS_MAX = 1024 };

ccm_collect *ccm_collect_begin(const ccm_parse *ps, ccm_depth depth, bool reply,
                               ccm_span content_type)
{
    bool wants = depth == CCM_DEPTH_FULL || !reply;
    if (wants && ps->decoders && *ps->decoders >= COLLECTS_MAX)
        return NULL;
    ccm_collect *c = ps->spare && *ps->spare ? *ps->spare : g_new(ccm_collect, 1);
    if (ps->spare)
        *ps->spare = NULL;
    memset(c, 0, offsetof(ccm_collect, boundary));
    c->spare = ps->spare;
    c->p = c->first;
    if (wants && ps->decoders) {
        c->decoders = ps->decoders;
        ++*c->decoders;
    }
    c->gathered = ps->gathered;
    c->depth = (uint8_t)depth;
    c->reply = reply;
    c->wants = wants;
    ccm_span boundary = ccm_multipart_boundary(content_type, &c->multipart);
    if (boundary.n)
        memcpy(c->boundary, boundary.p, boundary.n);
    c->n_boundary = (uint8_t)boundary.n;
    return c;
}

/* Makes room for `n` bytes; false when all flows together hold too much already. */
static bool grow(ccm_collect *c, const ccm_parse *ps, size_t n)
{
    size_t room = c->room ? c->room : CCM_COLLECT_ROOM;

    while (room - c->n < n)
        room *= 2;
    if (room == c->room)
        return true;
    if (c->gathered) {
        if (*c->gathered + (room - c->room) > ps->limits->pending_bytes)
            return false;
        *c->gathered += room - c->room;
    }
    c->room = room;
    if (room == CCM_COLLECT_ROOM)
        return true;
    bool own = c->p != c->first;
    c->p = g_realloc(own ? c->p : NULL, room);
    if (!own)
        memcpy(c->p, c->first, c->n);
    return true;
}

/* Appends what the bounds allow. */
static void keep(ccm_collect *c, const ccm_parse *ps, ccm_span in)
{
    size_t most = ps->limits->message_bytes;
    if (c->depth == CCM_DEPTH_HEADER && most > HEADER_MAX)
        most = HEADER_MAX;
    size_t room = most > c->n ? most - c->n : 0;
    if (in.n > room) {
        in.n = room;
        c->limited = true;
        c->wants = false;
    }
    if (!in.n)
        return;
    if (!grow(c, ps, in.n)) {
        c->limited = true;
        c->wants = false;
        return;
    }
    memcpy(c->p + c->n, in.p, in.n);
    c->n += in.n;
}

/* At header depth: is the first part there? Also ends the wait for what will never be one. */
static void look_for_header(ccm_collect *c)
{
    ccm_span body = ccm_span_of(c->p, c->n);
    if (!c->n_boundary) {
        ccm_span guess = ccm_multipart_guess(body);
        bool dashes = c->n < 2 || (c->p[0] == '-' && c->p[1] == '-');
        if (!guess.n && (!dashes || c->n > 2 * CCM_BOUNDARY_MAX))
            c->wants = false;
        if (!guess.n)
            return;
        memcpy(c->boundary, guess.p, guess.n);
        c->n_boundary = (uint8_t)guess.n;
    }
    ccm_span boundary = ccm_span_of(c->boundary, c->n_boundary);
    while (c->delimiters < 2) {
        size_t at = ccm_multipart_seek(body, boundary, &c->seek);
        if (at == SIZE_MAX)
            return;
        c->delimiter[c->delimiters++] = at;
        c->seek = at + 2;
    }
    c->wants = false;
}

bool ccm_collect_feed(ccm_collect *c, const ccm_parse *ps, ccm_span bytes)
{
    if (c->wants && bytes.n) {
        keep(c, ps, bytes);
        if (c->depth == CCM_DEPTH_HEADER && c->wants)
            look_for_header(c);
    }
    return c->wants;
}

bool ccm_collect_wants(const ccm_collect *c)
{
    return c->wants;
}

void ccm_collect_gap(ccm_collect *c, uint64_t n, bool coded)
{
    if (!n || !c->wants)
        return;
    c->lost = true;
    c->wants = c->depth == CCM_DEPTH_FULL && !c->holed && !coded;
    if (!c->wants)
        return;
    c->holed = true;
    c->hole = c->n;
}

void ccm_collect_free(ccm_collect *c)
{
    if (!c)
        return;
    if (c->decoders)
        --*c->decoders;
    if (c->gathered)
        *c->gathered -= c->room;
    if (c->p != c->first)
        g_free(c->p);
    if (c->spare && !*c->spare)
        *c->spare = c;
    else
        g_free(c);
}
