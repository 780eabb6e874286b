/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_xml.c - the XML scanner and the text encodings of messages; expected values by hand. */
#include <glib.h>
#include "proto/utf16.h"
#include "proto/xml.h"

/* "+name(attrs)depth" OPEN, "-depth" CLOSE, "'text'" TEXT, "!" cut. With `leaf`, elements are read
 * in one step where that is possible: the same must come out. */
static char *scan(const char *text, size_t n, bool leaf)
{
    char *exact = g_memdup2(text, n ? n : 1);
    ccm_xml x = ccm_xml_of(ccm_span_of(exact, n));
    GString *s = g_string_new(NULL);
    ccm_xml_event event;
    while ((event = ccm_xml_next(&x)) != CCM_XML_END) {
        if (event == CCM_XML_OPEN)
            g_string_append_printf(s, "+%.*s(%.*s)%u ", (int)x.name.n, (const char *)x.name.p,
                                   (int)x.attrs.n, (const char *)x.attrs.p, x.depth);
        else if (event == CCM_XML_CLOSE)
            g_string_append_printf(s, "-%u ", x.depth);
        else
            g_string_append_printf(s, "'%.*s'%s ", (int)x.text.n, (const char *)x.text.p,
                                   x.raw ? "r" : "");
        if (event != CCM_XML_OPEN || !leaf || !ccm_xml_leaf(&x))
            continue;
        g_assert_cmpint(x.raw, ==, !x.text.n || !memchr(x.text.p, '&', x.text.n));
        if (x.text.n)
            g_string_append_printf(s, "'%.*s' ", (int)x.text.n, (const char *)x.text.p);
        g_string_append_printf(s, "-%u ", x.depth);
    }
    g_assert_true(ccm_xml_next(&x) == CCM_XML_END);
    if (x.cut)
        g_string_append_c(s, '!');
    g_free(exact);
    return g_string_free(s, FALSE);
}

static void test_scan(void)
{
    static const char *const rows[][2] = {
        { "", "" },
        { "<a/>", "+a()1 -1 " },
        { "<a><b c=\"1\">t</b></a>", "+a()1 +b( c=\"1\")2 't' -2 -1 " },
        { "<?xml version=\"1.0\"?>\r\n<!DOCTYPE a SYSTEM \"x\">\n<a>\n</a>\n", "+a()1 -1 " },
        { "<a><!-- <b> - -- --> x <![CDATA[<&>]]]></a>", "+a()1 'x' '<&>]'r -1 " },
        { "<a b='>' c=\"/>'\"/>", "+a( b='>' c=\"/>'\")1 -1 " },
        { "<a><b/><b /></a>", "+a()1 +b()2 -2 +b( )2 -2 -1 " },
        { "<a> 1 &lt; 2 </a>tail", "+a()1 '1 &lt; 2' -1 " },
        { "</a><b>", "-0 +b()1 !" },
        { "<a>cut", "+a()1 !" },
        { "<a b=\"", "!" },
        { "<a></a", "+a()1 !" },
        { "<a><![CDATA[x]]", "+a()1 !" },
        { "<", "!" },
        { "plain", "" },
        { "<a_name_of_more_than_16>a text that is longer than that, &amp; "
          "more</a_name_of_more_than_16>",
          "+a_name_of_more_than_16()1 'a text that is longer than that, &amp; more' -1 " },
        { "<a><b>1</b><b></b><b> </b><b>2<c>3</c>4</b></a>",
          "+a()1 +b()2 '1' -2 +b()2 -2 +b()2 -2 +b()2 '2' +c()3 '3' -3 '4' -2 -1 " },
        { "<a>1</b><c>2</cc>3</c></a >", "+a()1 '1' -1 +c()1 '2' -1 -0 -0 " },
        { "<a><!-- </a> -->1</a>", "+a()1 '1' -1 " },
        { "<a b='1\">'\tc=\"2'>\"\n>1</a>", "+a( b='1\">'\tc=\"2'>\"\n)1 '1' -1 " },
        { "<>1</>", "+()1 '1' -1 " },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        for (unsigned leaf = 0; leaf < 2; leaf++) {
            char *got = scan(rows[i][0], strlen(rows[i][0]), leaf);
            g_assert_cmpstr(got, ==, rows[i][1]);
            g_free(got);
            for (size_t n = 0; n < strlen(rows[i][0]); n++) {
                g_autofree char *events = scan(rows[i][0], n, false);
                g_autofree char *leaves = scan(rows[i][0], n, true);
                g_assert_cmpstr(leaves, ==, events);
            }
        }
}

static void test_leaf(void)
{
    static const char text[] = "<a>1</a><b/><c>2<d/></c>";
    ccm_xml x = ccm_xml_of(ccm_span_str(text));
    g_assert_cmpint(ccm_xml_next(&x), ==, CCM_XML_OPEN);
    g_assert_true(ccm_xml_leaf(&x));
    g_assert_true(ccm_span_is(x.text, "1") && x.depth == 1);
    g_assert_cmpint(ccm_xml_next(&x), ==, CCM_XML_OPEN);
    g_assert_true(ccm_span_is(x.name, "b") && x.depth == 1);
    g_assert_false(ccm_xml_leaf(&x));
    g_assert_cmpint(ccm_xml_next(&x), ==, CCM_XML_CLOSE);
    g_assert_cmpint(ccm_xml_next(&x), ==, CCM_XML_OPEN);
    g_assert_false(ccm_xml_leaf(&x));
    g_assert_cmpint(ccm_xml_next(&x), ==, CCM_XML_TEXT);
}

/* What a cut text gives is the beginning of what the whole gives. */
static void test_truncated(void)
{
    static const char text[] = "<?x?><a b='1' c=\"&lt;\"><!-- n --><d>one &amp; two</d><e/>"
                               "<![CDATA[raw]]></a>";
    char *whole = scan(text, strlen(text), false);
    for (size_t n = 0; n < strlen(text); n++) {
        char *got = scan(text, n, false);
        size_t len = strlen(got);
        if (len && got[len - 1] == '!')
            got[len - 1] = '\0';
        g_assert_true(g_str_has_prefix(whole, got));
        g_free(got);
    }
    g_free(whole);
}

static void test_depth(void)
{
    GString *s = g_string_new(NULL);
    for (unsigned i = 0; i < 100000; i++)
        g_string_append(s, "<a>");
    ccm_xml x = ccm_xml_of(ccm_span_of(s->str, s->len));
    unsigned n = 0;
    while (ccm_xml_next(&x) != CCM_XML_END)
        n++;
    g_assert_cmpuint(n, ==, CCM_XML_DEPTH);
    g_assert_true(x.cut);
    g_string_free(s, TRUE);
}

static void test_attributes(void)
{
    ccm_span attrs = ccm_span_str(" a=\"1\" Name = 'two words'\tempty=\"\" broken=x z=\"9\"");
    g_assert_true(ccm_span_is(ccm_xml_get(attrs, "a"), "1"));
    g_assert_true(ccm_span_is(ccm_xml_get(attrs, "Name"), "two words"));
    g_assert_cmpuint(ccm_xml_get(attrs, "empty").n, ==, 0);
    g_assert_cmpuint(ccm_xml_get(attrs, "name").n, ==, 0);
    g_assert_cmpuint(ccm_xml_get(attrs, "z").n, ==, 0); /* behind the damage */
    g_assert_cmpuint(ccm_xml_get((ccm_span){ 0 }, "a").n, ==, 0);
    for (size_t n = 0; n <= attrs.n; n++) {
        void *exact = g_memdup2(attrs.p, n ? n : 1);
        (void)ccm_xml_get(ccm_span_of(exact, n), "none");
        g_free(exact);
    }
}

static void test_entities(void)
{
    static const char *const rows[][2] = {
        { "a &lt;&gt;&amp;&quot;&apos; b", "a <>&\"' b" },
        { "&#65;&#x42;&#x20ac;&#x1F600;", "AB\342\202\254\360\237\230\200" },
        { "&unknown; &; & &#xd800; &#99999999; &#x;", "&unknown; &; & &#xd800; &#99999999; &#x;" },
        { "&amp;lt;", "&lt;" },
        { "&lt", "&lt" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t out[64];
        size_t n = ccm_xml_unescape(ccm_span_str(rows[i][0]), out, sizeof out);
        g_assert_cmpmem(out, n, rows[i][1], strlen(rows[i][1]));
        for (size_t room = 0; room < n; room++)
            g_assert_cmpuint(ccm_xml_unescape(ccm_span_str(rows[i][0]), out, room), <=, room);
    }
}

static void test_numbers(void)
{
    g_assert_cmpuint(ccm_span_number(ccm_span_str("740")), ==, 740);
    g_assert_cmpuint(ccm_span_number(ccm_span_str("")), ==, UINT64_MAX);
    g_assert_cmpuint(ccm_span_number(ccm_span_str("-1")), ==, UINT64_MAX);
    g_assert_cmpuint(ccm_span_number(ccm_span_str("99999999999999999999")), ==, UINT64_MAX);
    g_assert_true(ccm_span_same(ccm_span_str("ClientAuth"), "clientauth"));
    g_assert_false(ccm_span_same(ccm_span_str("Client[uth"), "Client{uth"));
    g_assert_false(ccm_span_same(ccm_span_str("Client"), "ClientAuth"));
}

/* Texts of every length against GLib's converter. */
static void test_utf16(void)
{
    static const char *const letters[] = { "a", "\303\244", "\342\202\254", "\360\237\230\200" };
    for (unsigned n = 0; n < 140; n++)
        for (unsigned odd = 0; odd < 5; odd++) {
            GString *s = g_string_new(NULL);
            for (unsigned i = 0; i < n; i++)
                g_string_append(s, letters[odd && i % 37 == 36 ? odd - 1 : 0]);
            glong units = 0;
            gunichar2 *wide = g_utf8_to_utf16(s->str, -1, NULL, &units, NULL);
            for (unsigned big = 0; big < 2; big++) {
                size_t size = 2 * (size_t)units + 1; /* an odd last byte */
                uint8_t *in = g_malloc0(size), *out = g_malloc(s->len + 1);
                for (glong i = 0; i < units; i++) {
                    in[2 * i + big] = (uint8_t)wide[i];
                    in[2 * i + !big] = (uint8_t)(wide[i] >> 8);
                }
                size_t got = ccm_utf16_to_utf8(ccm_span_of(in, size), big, out, s->len);
                g_assert_cmpmem(out, got, s->str, s->len);
                for (size_t room = 0; room < s->len; room += 7) {
                    uint8_t *tight = g_malloc(room ? room : 1);
                    got = ccm_utf16_to_utf8(ccm_span_of(in, size), big, tight, room);
                    g_assert_cmpuint(got, <=, room);
                    g_assert_cmpuint(got + 4, >, room);
                    g_assert_cmpmem(tight, got, s->str, got);
                    g_free(tight);
                }
                g_free(in);
                g_free(out);
            }
            g_free(wide);
            g_string_free(s, TRUE);
        }
    uint8_t out[16];
    size_t n =
        ccm_utf16_to_utf8(ccm_span_of("\x3d\xd8\x41\x00\x00\xdc", 6), false, out, sizeof out);
    g_assert_cmpmem(out, n, "\357\277\275A\357\277\275", 7);
}

static void test_forms(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        ccm_text_form form;
        size_t mark;
    } rows[] = {
        { "\xff\xfe<\0", 4, CCM_TEXT_UTF16LE, 2 },
        { "\xfe\xff\0<", 4, CCM_TEXT_UTF16BE, 2 },
        { "\xef\xbb\xbf<", 4, CCM_TEXT_UTF8, 3 },
        { "<\0M\0", 4, CCM_TEXT_UTF16LE, 0 },
        { "\0<\0M", 4, CCM_TEXT_UTF16BE, 0 },
        { "<Msg", 4, CCM_TEXT_UTF8, 0 },
        { "", 0, CCM_TEXT_UTF8, 0 },
        { "<", 1, CCM_TEXT_UTF8, 0 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        size_t mark = 99;
        g_assert_cmpint(ccm_text_form_of(ccm_span_of(rows[i].bytes, rows[i].n), &mark), ==,
                        rows[i].form);
        g_assert_cmpuint(mark, ==, rows[i].mark);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xml/scan", test_scan);
    g_test_add_func("/xml/leaf", test_leaf);
    g_test_add_func("/xml/truncated", test_truncated);
    g_test_add_func("/xml/depth", test_depth);
    g_test_add_func("/xml/attributes", test_attributes);
    g_test_add_func("/xml/entities", test_entities);
    g_test_add_func("/xml/numbers", test_numbers);
    g_test_add_func("/xml/utf16", test_utf16);
    g_test_add_func("/xml/forms", test_forms);
    return g_test_run();
}
