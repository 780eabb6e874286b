/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_inflate.c - bounded decoder: formats, every split, every truncation, bombs, damage. */
#include <glib.h>
#include <zlib.h>
#include "base/inflate.h"

static GByteArray *packed(const void *p, size_t n, int bits)
{
    z_stream s = { 0 };
    GByteArray *out = g_byte_array_new();
    g_assert_cmpint(deflateInit2(&s, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), ==, Z_OK);
    g_byte_array_set_size(out, (guint)deflateBound(&s, (uLong)n) + 64);
    s.next_in = (Bytef *)(uintptr_t)p;
    s.avail_in = (uInt)n;
    s.next_out = out->data;
    s.avail_out = out->len;
    g_assert_cmpint(deflate(&s, Z_FINISH), ==, Z_STREAM_END);
    g_byte_array_set_size(out, (guint)s.total_out);
    (void)deflateEnd(&s);
    return out;
}

static void collect(void *user_data, ccm_span s)
{
    g_byte_array_append(user_data, s.p, (guint)s.n);
}

static const int formats[] = { MAX_WBITS, MAX_WBITS + 16, -MAX_WBITS };

static void test_splits(void)
{
    const char text[] = "management point, distribution point, management point, client";
    for (unsigned f = 0; f < G_N_ELEMENTS(formats); f++) {
        GByteArray *z = packed(text, sizeof text, formats[f]);
        for (guint cut = 0; cut <= z->len; cut++) {
            ccm_inflate *d = ccm_inflate_new(1 << 20);
            GByteArray *out = g_byte_array_new();
            (void)ccm_inflate_feed(d, ccm_span_of(z->data, cut), collect, out);
            ccm_inflate_status s =
                ccm_inflate_feed(d, ccm_span_of(z->data + cut, z->len - cut), collect, out);
            if (cut < z->len)
                g_assert_cmpint(s, ==, CCM_INFLATE_END);
            g_assert_cmpmem(out->data, out->len, text, sizeof text);
            g_assert_cmpuint(ccm_inflate_total(d), ==, sizeof text);
            ccm_inflate_free(d);
            /* truncated: never an error, never too much */
            d = ccm_inflate_new(1 << 20);
            s = ccm_inflate_feed(d, ccm_span_of(z->data, cut), NULL, NULL);
            g_assert_cmpint(s, ==, cut == z->len ? CCM_INFLATE_END : CCM_INFLATE_MORE);
            ccm_inflate_free(d);
            g_byte_array_unref(out);
        }
        g_byte_array_unref(z);
    }
}

static void test_bound(void)
{
    uint8_t *zeros = g_malloc0(1 << 20);
    for (unsigned f = 0; f < G_N_ELEMENTS(formats); f++) {
        GByteArray *z = packed(zeros, 1 << 20, formats[f]);
        ccm_inflate *d = ccm_inflate_new(10000);
        g_assert_cmpint(ccm_inflate_feed(d, ccm_span_of(z->data, z->len), NULL, NULL), ==,
                        CCM_INFLATE_LIMIT);
        g_assert_cmpuint(ccm_inflate_total(d), ==, 10000);
        ccm_inflate_free(d);
        g_byte_array_unref(z);
    }
    g_free(zeros);
}

static void test_members_and_damage(void)
{
    GByteArray *a = packed("one", 3, MAX_WBITS + 16), *b = packed("two", 3, MAX_WBITS + 16);
    g_byte_array_append(a, b->data, b->len);
    for (guint piece = 1; piece <= a->len; piece++) {
        ccm_inflate *d = ccm_inflate_new(1 << 20);
        GByteArray *out = g_byte_array_new();
        for (guint at = 0; at < a->len; at += piece)
            (void)ccm_inflate_feed(d, ccm_span_of(a->data + at, MIN(piece, a->len - at)), collect,
                                   out);
        g_assert_cmpmem(out->data, out->len, "onetwo", 6);
        ccm_inflate_free(d);
        g_byte_array_unref(out);
    }
    ccm_inflate *d = ccm_inflate_new(1 << 20);
    g_assert_cmpint(ccm_inflate_feed(d, ccm_span_str("<html>plain text</html>"), NULL, NULL), ==,
                    CCM_INFLATE_BAD);
    g_assert_cmpint(ccm_inflate_feed(d, ccm_span_str("x"), NULL, NULL), ==, CCM_INFLATE_BAD);
    ccm_inflate_free(d);
    g_byte_array_unref(a);
    g_byte_array_unref(b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/inflate/splits", test_splits);
    g_test_add_func("/inflate/bound", test_bound);
    g_test_add_func("/inflate/members-and-damage", test_members_and_damage);
    return g_test_run();
}
