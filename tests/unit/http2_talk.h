/* SPDX-License-Identifier: GPL-2.0-or-later
 * http2_talk.h - lays out frames of HTTP/2; header blocks are made by libnghttp2's deflater. */
#ifndef CCM_TEST_HTTP2_TALK_H
#define CCM_TEST_HTTP2_TALK_H

#include <nghttp2/nghttp2.h>

#include "http_driver.h"

enum {
    H2_DATA,
    H2_HEADERS,
    H2_PRIORITY,
    H2_RST,
    H2_SETTINGS,
    H2_PUSH,
    H2_PING,
    H2_GOAWAY,
    H2_WINDOW,
    H2_CONTINUATION
};
enum { H2_END_STREAM = 1, H2_END_HEADERS = 4, H2_PADDED = 8, H2_PRIO = 0x20 };

static const char h2_preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static inline void h2_frame(GByteArray *out, unsigned type, unsigned flags, uint32_t stream,
                            const void *p, size_t n)
{
    uint8_t h[9] = { (uint8_t)(n >> 16),      (uint8_t)(n >> 8),      (uint8_t)n,
                     (uint8_t)type,           (uint8_t)flags,         (uint8_t)(stream >> 24),
                     (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream };
    g_byte_array_append(out, h, sizeof h);
    if (n)
        g_byte_array_append(out, p, (guint)n);
}

/* A header block of "name", "value" pairs that end with NULL. */
static inline GByteArray *h2_block(nghttp2_hd_deflater *z, const char *const *fields)
{
    nghttp2_nv nv[32];
    size_t n = 0;
    uint8_t buf[65536];
    for (; fields[2 * n]; n++)
        nv[n] = (nghttp2_nv){ (uint8_t *)fields[2 * n], (uint8_t *)fields[2 * n + 1],
                              strlen(fields[2 * n]), strlen(fields[2 * n + 1]), 0 };
    ssize_t size = nghttp2_hd_deflate_hd(z, buf, sizeof buf, nv, n);
    g_assert_cmpint(size, >, 0);
    GByteArray *out = g_byte_array_new();
    g_byte_array_append(out, buf, (guint)size);
    return out;
}

static inline void h2_headers(GByteArray *out, nghttp2_hd_deflater *z, unsigned flags,
                              uint32_t stream, const char *const *fields)
{
    g_autoptr(GByteArray) b = h2_block(z, fields);
    h2_frame(out, H2_HEADERS, flags | H2_END_HEADERS, stream, b->data, b->len);
}

#define H2_FIELDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define H2_GET(path)                                                                               \
    H2_FIELDS(":method", "GET", ":scheme", "https", ":path", path, ":authority", "mp.example.com")

#endif
