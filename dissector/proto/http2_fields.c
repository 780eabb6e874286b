/* SPDX-License-Identifier: GPL-2.0-or-later
 * http2_fields.c - header blocks of HTTP/2 as heads of messages.
 * In: the bytes of header blocks, in order. Out: a ccm_http_head, made by http_head.c from lines
 * like those of HTTP/1, so that every header is read in one place. State: the header tables (by
 * libnghttp2) and the fields of the block at hand, bounded. Spec: RFC 7541; RFC 9113 section 8.3.
 */
#include "proto/http2_fields.h"

#include <nghttp2/nghttp2.h>

struct ccm_http2_fields {
    nghttp2_hd_inflater *tables;
    size_t max;
    bool cut; /* there were more fields than are kept */
    GString *method, *path, *authority, *status;
    GString *lines; /* ordinary fields, a line each */
    GString *head;  /* all of it */
};

ccm_http2_fields *ccm_http2_fields_new(size_t max)
{
    nghttp2_hd_inflater *tables;
    if (nghttp2_hd_inflate_new(&tables))
        return NULL;
    ccm_http2_fields *f = g_new0(ccm_http2_fields, 1);
    f->tables = tables;
    f->max = max;
    f->method = g_string_new("");
    f->path = g_string_new("");
    f->authority = g_string_new("");
    f->status = g_string_new("");
    f->lines = g_string_new("");
    f->head = g_string_new("");
    return f;
}

void ccm_http2_fields_free(ccm_http2_fields *f)
{
    if (!f)
        return;
    nghttp2_hd_inflate_del(f->tables);
    GString *texts[] = { f->method, f->path, f->authority, f->status, f->lines, f->head };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_string_free(texts[i], TRUE);
    g_free(f);
}

void ccm_http2_fields_table(ccm_http2_fields *f, size_t n)
{
    (void)nghttp2_hd_inflate_change_table_size(f->tables, n);
}

static void forget(ccm_http2_fields *f)
{
    GString *texts[] = { f->method, f->path, f->authority, f->status, f->lines };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_string_truncate(texts[i], 0);
    f->cut = false;
}

/* Appends a value, on one line whatever is in it. */
static void append(GString *to, ccm_span value)
{
    size_t at = to->len;
    g_string_append_len(to, (const char *)value.p, (gssize)value.n);
    for (; at < to->len; at++)
        if ((uint8_t)to->str[at] < ' ')
            to->str[at] = ' ';
}

static bool proper_name(ccm_span name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!ccm_http_tchar(name.p[i]))
            return false;
    return name.n > 0;
}

static void keep(ccm_http2_fields *f, ccm_span name, ccm_span value)
{
    static const char *const pseudo[] = { ":method", ":path", ":authority", ":status" };
    GString *to[] = { f->method, f->path, f->authority, f->status };
    size_t used = f->lines->len + f->path->len + f->authority->len + f->method->len;
    if (used + name.n + value.n > f->max) {
        f->cut = true;
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(pseudo); i++)
        if (ccm_headers_is(name, pseudo[i]) && !to[i]->len) {
            append(to[i], value);
            return;
        }
    if (!proper_name(name))
        return;
    g_string_append_len(f->lines, (const char *)name.p, (gssize)name.n);
    g_string_append(f->lines, ": ");
    append(f->lines, value);
    g_string_append(f->lines, "\r\n");
}

bool ccm_http2_fields_feed(ccm_http2_fields *f, ccm_span bytes, bool last)
{
    for (;;) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t n = nghttp2_hd_inflate_hd2(f->tables, &nv, &flags, bytes.p, bytes.n, last ? 1 : 0);
        if (n < 0)
            return false;
        if (n)
            bytes = ccm_span_of(bytes.p + n, bytes.n - (size_t)n);
        if (flags & NGHTTP2_HD_INFLATE_EMIT)
            keep(f, ccm_span_of(nv.name, nv.namelen), ccm_span_of(nv.value, nv.valuelen));
        if (flags & NGHTTP2_HD_INFLATE_FINAL) {
            (void)nghttp2_hd_inflate_end_headers(f->tables);
            return true;
        }
        if (!(flags & NGHTTP2_HD_INFLATE_EMIT) && !bytes.n)
            return !last;
    }
}

bool ccm_http2_fields_head(ccm_http2_fields *f, ccm_http_head *head)
{
    const GString *target = f->path->len ? f->path : f->authority;
    GString *h = f->head;
    g_string_truncate(h, 0);
    if (f->status->len)
        g_string_append_printf(h, "HTTP/1.1 %s\r\n", f->status->str);
    else
        g_string_append_printf(h, "%s %s HTTP/1.1\r\n", f->method->str, target->str);
    if (f->authority->len)
        g_string_append_printf(h, "host: %s\r\n", f->authority->str);
    g_string_append_len(h, f->lines->str, (gssize)f->lines->len);
    g_string_append(h, "\r\n");
    bool named = f->status->len || (f->method->len && target->len), cut = f->cut;
    forget(f);
    if (!named || ccm_http_head_parse(ccm_span_of(h->str, h->len), false, head) != h->len)
        return false;
    head->version = 20;
    head->incomplete = cut;
    /* Framing is HTTP/2's own: these may not be there, and mean nothing. */
    head->chunked = head->coded = head->close = false;
    return true;
}
