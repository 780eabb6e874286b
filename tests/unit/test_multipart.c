/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_multipart.c - boundaries and parts; expected values by hand after RFC 2046. */
#include <glib.h>
#include "proto/multipart.h"

static void test_boundary(void)
{
    static const struct {
        const char *type, *boundary;
        bool multipart;
    } rows[] = {
        { "multipart/mixed; boundary=\"aB1\"", "aB1", true },
        { "Multipart/Mixed;Boundary=aB1", "aB1", true },
        { "multipart/mixed; charset=x; boundary=aB1 ; z=1", "aB1", true },
        { "multipart/mixed; xboundary=no; boundary = \"a b;c\"", "a b;c", true },
        { "multipart/mixed", "", true },
        { "multipart/mixed; boundary=", "", true },
        { "multipart/mixed; boundary=\"open", "", true },
        { "text/plain; boundary=aB1", "", false },
        { "", "", false },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        bool is;
        ccm_span b = ccm_multipart_boundary(ccm_span_str(rows[i].type), &is);
        g_assert_cmpmem(b.p, b.n, rows[i].boundary, strlen(rows[i].boundary));
        g_assert_true(is == rows[i].multipart);
    }
    bool is;
    char *type = g_strdup_printf("multipart/mixed; boundary=%071d", 1);
    g_assert_cmpuint(ccm_multipart_boundary(ccm_span_str(type), &is).n, ==, 0);
    g_free(type);
}

static void test_guess(void)
{
    static const char *const rows[][2] = {
        { "--aB1\r\nx", "aB1" },
        { "--aB1\nx", "aB1" },
        { "--aB1 \t\r\n", "aB1" },
        { "--aB1", "" },
        { "--\r\nx", "" },
        { "-aB1\r\n", "" },
        { "", "" },
        { "--a\001b\r\n", "" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ccm_span b = ccm_multipart_guess(ccm_span_str(rows[i][0]));
        g_assert_cmpmem(b.p, b.n, rows[i][1], strlen(rows[i][1]));
    }
}

/* "[headers|content]" of each part, '~' behind one without a delimiter. */
static char *parts_of(const char *body, size_t n, const char *boundary)
{
    char *exact = g_memdup2(body, n ? n : 1);
    ccm_multipart m = { .body = ccm_span_of(exact, n), .boundary = ccm_span_str(boundary) };
    ccm_part part;
    GString *s = g_string_new(NULL);
    while (ccm_multipart_next(&m, &part)) {
        g_string_append_c(s, '[');
        ccm_span show[] = { part.headers, part.content };
        for (unsigned k = 0; k < 2; k++) {
            for (size_t i = 0; i < show[k].n; i++)
                g_string_append_c(s, show[k].p[i] == '\r'   ? 'R'
                                     : show[k].p[i] == '\n' ? 'N'
                                                            : (char)show[k].p[i]);
            if (!k)
                g_string_append_c(s, '|');
        }
        g_string_append(s, part.complete ? "]" : "]~");
    }
    g_free(exact);
    return g_string_free(s, FALSE);
}

static void test_parts(void)
{
    static const char *const rows[][2] = {
        { "--b\r\nh: 1\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n", "[h: 1RN|one][|two]" },
        { "--b\nh: 1\n\none\n--b\n\ntwo\n--b--", "[h: 1N|one][|two]" },
        { "--b\n\none\r\n--b--", "[|oneR]" }, /* the CR is content when lines end with LF */
        { "preamble\r\n--b\r\n\r\none\r\n--b--epilogue\r\n--b\r\n\r\nno\r\n--b--", "[|one]" },
        { "--b\r\n\r\none\r\n--bb\r\n --b\r\n-b\r\n--b--", "[|oneRN--bbRN --bRN-b]" },
        { "--b\r\n\r\nx--b--\r\n--b--", "[|x--b--]" },
        { "--b\r\n\r\n\r\n--b\r\n\r\n--b--", "[|][|]" },
        { "--b \t\r\n\r\none\r\n--b--", "[|one]" },
        { "--b\r\n\r\none", "[|one]~" },
        { "--b\r\nh: 1\r\n", "[h: 1RN|]~" },
        { "--b--", "" },
        { "nothing", "" },
        { "", "" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *got = parts_of(rows[i][0], strlen(rows[i][0]), "b");
        g_assert_cmpstr(got, ==, rows[i][1]);
        g_free(got);
        for (size_t n = 0; n < strlen(rows[i][0]); n++)
            g_free(parts_of(rows[i][0], n, "b"));
    }
}

/* Bytes that come one at a time lead to the same places. */
static void test_seek(void)
{
    static const char body[] = "--b\r\n\r\none --b\r\n--b\r\n\r\nx\r\n--b--\r\n";
    size_t found[3], n_found = 0, at = 0;
    for (size_t n = 0; n <= strlen(body); n++) {
        size_t hit;
        while (n_found < 3 && (hit = ccm_multipart_seek(ccm_span_of(body, n), ccm_span_str("b"),
                                                        &at)) != SIZE_MAX) {
            found[n_found++] = hit;
            at = hit + 2;
        }
    }
    g_assert_cmpuint(n_found, ==, 3);
    g_assert_cmpuint(found[0], ==, 0);
    g_assert_cmpuint(found[1], ==, 16);
    g_assert_cmpuint(found[2], ==, 26);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/multipart/boundary", test_boundary);
    g_test_add_func("/multipart/guess", test_guess);
    g_test_add_func("/multipart/parts", test_parts);
    g_test_add_func("/multipart/seek", test_seek);
    return g_test_run();
}
