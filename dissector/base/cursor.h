/* SPDX-License-Identifier: GPL-2.0-or-later
 * cursor.h - bounded, zero-copy reader over bytes we do not trust.
 * A read past the end sets `bad`, returns zero and moves nothing; check `bad` once, at the end. */
#ifndef CCM_BASE_CURSOR_H
#define CCM_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed bytes, never NUL-terminated; valid until the call that gave them returns. */
typedef struct ccm_span {
    const uint8_t *p;
    size_t n;
} ccm_span;

typedef struct ccm_cursor {
    const uint8_t *p;
    size_t len, pos; /* pos <= len, always */
    bool bad;
} ccm_cursor;

static inline ccm_span ccm_span_of(const void *p, size_t n)
{
    return (ccm_span){ (const uint8_t *)p, n };
}

/* A literal or other NUL-terminated text of our own (never packet data). */
static inline ccm_span ccm_span_str(const char *s)
{
    return (ccm_span){ (const uint8_t *)s, strlen(s) };
}

static inline ccm_cursor ccm_cur(ccm_span s)
{
    return (ccm_cursor){ .p = s.p, .len = s.n };
}

static inline size_t ccm_cur_left(const ccm_cursor *c)
{
    return c->bad ? 0 : c->len - c->pos;
}

static inline ccm_span ccm_cur_take(ccm_cursor *c, size_t n)
{
    if (c->bad || n > c->len - c->pos) {
        c->bad = true;
        return (ccm_span){ 0 };
    }
    ccm_span s = { c->p + c->pos, n };
    c->pos += n;
    return s;
}

static inline void ccm_cur_skip(ccm_cursor *c, size_t n)
{
    (void)ccm_cur_take(c, n);
}

static inline uint8_t ccm_cur_u8(ccm_cursor *c)
{
    ccm_span s = ccm_cur_take(c, 1);
    return s.n ? s.p[0] : 0;
}

static inline uint16_t ccm_cur_be16(ccm_cursor *c)
{
    ccm_span s = ccm_cur_take(c, 2);
    return s.n ? (uint16_t)(s.p[0] << 8 | s.p[1]) : 0;
}

static inline uint32_t ccm_cur_be32(ccm_cursor *c)
{
    ccm_span s = ccm_cur_take(c, 4);
    return s.n ? (uint32_t)s.p[0] << 24 | (uint32_t)s.p[1] << 16 | (uint32_t)s.p[2] << 8 | s.p[3]
               : 0;
}

static inline uint16_t ccm_cur_le16(ccm_cursor *c)
{
    ccm_span s = ccm_cur_take(c, 2);
    return s.n ? (uint16_t)(s.p[1] << 8 | s.p[0]) : 0;
}

static inline uint32_t ccm_cur_le32(ccm_cursor *c)
{
    ccm_span s = ccm_cur_take(c, 4);
    return s.n ? (uint32_t)s.p[3] << 24 | (uint32_t)s.p[2] << 16 | (uint32_t)s.p[1] << 8 | s.p[0]
               : 0;
}

static inline uint64_t ccm_cur_le64(ccm_cursor *c)
{
    uint64_t low = ccm_cur_le32(c), high = ccm_cur_le32(c);
    return c->bad ? 0 : high << 32 | low;
}

#endif
