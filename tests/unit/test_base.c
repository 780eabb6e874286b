/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_base.c - cursor, addresses, safe text, JSON strings, times, limits. Expected values: RFC
 * 5952 and RFC 3629 by hand, GDateTime for times. Buffers end at a PROT_NONE page. */
#include "base/base.h"
#include "base/pages.h"
#include "base/scan.h"

#include <sys/mman.h>
#include <unistd.h>

/* Copies `s` so that it ends where memory ends; the pages stay until the process does. */
static ccm_span guarded(ccm_span s)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (s.n / page + 1) * page;
    uint8_t *m =
        mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(m != MAP_FAILED);
    g_assert_cmpint(mprotect(m + size, page, PROT_NONE), ==, 0);
    if (s.n)
        memcpy(m + size - s.n, s.p, s.n);
    return ccm_span_of(m + size - s.n, s.n);
}

static void test_cursor(void)
{
    const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7 };
    for (size_t n = 0; n <= sizeof bytes; n++) {
        ccm_cursor c = ccm_cur(guarded(ccm_span_of(bytes, n)));
        g_assert_cmpuint(ccm_cur_u8(&c), ==, n >= 1 ? 1 : 0);
        g_assert_cmpuint(ccm_cur_be16(&c), ==, n >= 3 ? 0x0203 : 0);
        g_assert_cmpuint(ccm_cur_le32(&c), ==, n >= 7 ? 0x07060504 : 0);
        g_assert_cmpint(c.bad, ==, n < 7);
        g_assert_cmpuint(ccm_cur_left(&c), ==, 0);
    }
    ccm_cursor c = ccm_cur(ccm_span_of(bytes, sizeof bytes));
    g_assert_cmpuint(ccm_cur_be32(&c), ==, 0x01020304);
    g_assert_cmpuint(ccm_cur_le16(&c), ==, 0x0605);
    ccm_cur_skip(&c, SIZE_MAX);
    g_assert_true(c.bad);
    g_assert_cmpuint(c.pos, ==, 6);
    g_assert_cmpuint(ccm_cur_u8(&c), ==, 0);
}

static void test_address(void)
{
    static const struct {
        const char *in, *out;
        int family;
    } rows[] = {
        { "10.0.0.1", "10.0.0.1", 4 },
        { "255.255.255.255", "255.255.255.255", 4 },
        { "0.0.0.0", "0.0.0.0", 4 },
        { "2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1", 6 },
        { "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", 6 },
        { "::", "::", 6 },
        { "::ffff:192.0.2.1", "::ffff:192.0.2.1", 6 },
    };
    static const char *const wrong[] = {
        "", "10.0.0", "10.0.0.256", "1::2::3", "host", "10.0.0.1 "
    };
    char text[CCM_ADDR_TEXT];
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ccm_addr a;
        g_assert_true(ccm_addr_parse(rows[i].in, &a));
        g_assert_cmpint(a.family, ==, rows[i].family);
        g_assert_cmpstr(ccm_addr_text(&a, text), ==, rows[i].out);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        ccm_addr a, none = { 0 };
        g_assert_false(ccm_addr_parse(wrong[i], &a));
        g_assert_cmpint(ccm_addr_cmp(&a, &none), ==, 0);
        g_assert_cmpstr(ccm_addr_text(&a, text), ==, "");
    }
    ccm_addr a = { .family = 4, .b = { 10, 0, 0, 2 } }, b = { .family = 4, .b = { 10, 0, 0, 10 } };
    ccm_addr c = { .family = 6 };
    g_assert_cmpint(ccm_addr_cmp(&a, &b), <, 0);
    g_assert_cmpint(ccm_addr_cmp(&c, &b), >, 0);
    g_assert_cmpint(ccm_addr_cmp(&a, &a), ==, 0);
}

static void test_endpoint(void)
{
    static const char *const good[] = { "10.0.0.1:80", "[2001:db8::1]:8531", "[::]:0",
                                        "255.255.255.255:65535" };
    static const char *const wrong[] = {
        "",       "10.0.0.1",      "10.0.0.1:",  ":80",           "[::1]80",         "[::1]",
        "::1:80", "[10.0.0.1]:80", "10.0.0.1:x", "1.2.3.4:65536", "1.2.3.4:0000080", "[::1:80"
    };
    char text[CCM_ENDPOINT_TEXT];
    ccm_endpoint e;
    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_assert_true(ccm_endpoint_parse(good[i], &e));
        g_assert_cmpstr(ccm_endpoint_text(&e, text), ==, good[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_assert_false(ccm_endpoint_parse(wrong[i], &e));
        g_assert_cmpint(e.addr.family, ==, 0);
    }
    /* the longest text that can be */
    g_assert_true(ccm_endpoint_parse("[1111:2222:3333:4444:5555:6666:7777:8888]:65535", &e));
    g_assert_cmpuint(strlen(ccm_endpoint_text(&e, text)), <, sizeof text);
    e = (ccm_endpoint){ 0 };
    g_assert_cmpstr(ccm_endpoint_text(&e, text), ==, "");
}

static void check_text(ccm_span in, const char *text, const char *json)
{
    g_autoptr(GString) out = g_string_new(NULL);
    ccm_span s = guarded(in);
    ccm_text_append(out, s);
    g_assert_cmpstr(out->str, ==, text);
    g_string_truncate(out, 0);
    ccm_json_string(out, s);
    g_assert_cmpstr(out->str, ==, json);
}

#define BYTES(literal) ccm_span_of(literal, sizeof(literal) - 1)

static void test_text(void)
{
    check_text(BYTES(""), "", "\"\"");
    check_text(BYTES("GET /a?b=c"), "GET /a?b=c", "\"GET /a?b=c\"");
    check_text(BYTES("a\"b\\c"), "a\"b\\c", "\"a\\\"b\\\\c\"");
    check_text(BYTES("a\0\n\033[2J\177"), "a\\x00\\x0a\\x1b[2J\\x7f",
               "\"a\\\\x00\\\\x0a\\\\x1b[2J\\\\x7f\"");
    check_text(BYTES("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
               "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
    /* RFC 3629: overlong, surrogate, above U+10FFFF, cut, stray */
    check_text(BYTES("\xc0\xaf"), "\\xc0\\xaf", "\"\\\\xc0\\\\xaf\"");
    check_text(BYTES("\xe0\x80\xaf"), "\\xe0\\x80\\xaf", "\"\\\\xe0\\\\x80\\\\xaf\"");
    check_text(BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80", "\"\\\\xed\\\\xa0\\\\x80\"");
    check_text(BYTES("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80",
               "\"\\\\xf4\\\\x90\\\\x80\\\\x80\"");
    check_text(BYTES("x\xe2\x82"), "x\\xe2\\x82", "\"x\\\\xe2\\\\x82\"");
    check_text(BYTES("\x80z"), "\\x80z", "\"\\\\x80z\"");
    /* C1 control and right-to-left override: valid UTF-8, not safe */
    check_text(BYTES("\xc2\x9b"
                     "31m"),
               "\\xc2\\x9b31m", "\"\\\\xc2\\\\x9b31m\"");
    check_text(BYTES("\xe2\x80\xae"), "\\xe2\\x80\\xae", "\"\\\\xe2\\\\x80\\\\xae\"");
}

static void test_text_random(void)
{
    for (int round = 0; round < 3000; round++) {
        uint8_t bytes[40];
        size_t n = (size_t)g_test_rand_int_range(0, sizeof bytes);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)(g_test_rand_bit() ? g_test_rand_int_range(0, 256)
                                                   : g_test_rand_int_range(0xe0, 0xf0));
        g_autoptr(GString) once = g_string_new(NULL), twice = g_string_new(NULL);
        ccm_text_append(once, ccm_span_of(bytes, n));
        ccm_text_append(twice, ccm_span_of(once->str, once->len));
        g_assert_cmpstr(once->str, ==, twice->str);
        g_assert_true(g_utf8_validate(once->str, (gssize)once->len, NULL));
        for (size_t i = 0; i < once->len; i++)
            g_assert_false((uint8_t)once->str[i] < 0x20 || once->str[i] == 0x7f);
    }
}

static void check_time(uint64_t ns)
{
    g_autoptr(GDateTime) t = g_date_time_new_from_unix_utc((gint64)(ns / 1000000000u));
    g_autofree char *seconds = g_date_time_format(t, "%Y-%m-%dT%H:%M:%S");
    g_autofree char *expect = g_strdup_printf("%s.%09uZ", seconds, (unsigned)(ns % 1000000000u));
    g_autoptr(GString) out = g_string_new(NULL);
    ccm_time_append(out, ns);
    g_assert_cmpstr(out->str, ==, expect);
}

static void test_time(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    ccm_time_append(out, UINT64_C(1769860800123456789));
    g_assert_cmpstr(out->str, ==, "2026-01-31T12:00:00.123456789Z");
    check_time(0);
    check_time(INT64_MAX);
    check_time(UINT64_MAX);
    /* each day to 2554, so each leap day and century */
    for (uint64_t day = 0; day < 213503; day++)
        check_time(day * 86400u * UINT64_C(1000000000) + day % 86400u * UINT64_C(1000000001));
}

static void test_limits(void)
{
    ccm_limits l;
    ccm_limits_init(&l);
    g_assert_cmpuint(l.flows, ==, 262144);
    g_assert_cmpuint(l.pending_bytes, ==, 16777216);
    g_assert_cmpuint(l.head_bytes, ==, 65536);
    g_assert_cmpuint(l.methods, ==, 24);
    g_assert_cmpuint(l.requests, ==, 64);
    /* no bound may be missing, or it would be zero */
    const unsigned *all = (const unsigned *)&l;
    for (size_t i = 0; i < sizeof l / sizeof *all; i++)
        if (&all[i] != &l.messages) /* kept only when the program asks for them */
            g_assert_cmpuint(all[i], >, 0);
    g_assert_nonnull(ccm_version());
    g_assert_cmpstr(g_quark_to_string(ccm_error_quark()), ==, "ccm-error-quark");
}

/* Blocks grow by the page size of huge pages, or not at all. */
static void test_pages(void)
{
    size_t sizes[] = { 4096, 1 << 20, 3 << 20, 5 << 20, 5 << 20, 16 << 20 }, had = sizes[0];
    uint8_t *p = ccm_pages_new(had);

    for (unsigned i = 1; i < G_N_ELEMENTS(sizes); i++) {
        memset(p, (int)i, had);
        p = ccm_pages_grow(p, had, sizes[i]);
        for (size_t at = 0; at < sizes[i]; at++)
            if (p[at] != (at < had ? i : 0))
                g_error("byte %" G_GSIZE_FORMAT " of step %u", at, i);
        had = sizes[i];
    }
    ccm_pages_free(p, had);
    ccm_pages_free(NULL, had);
}

/* Every place in every length, against a search byte by byte. */
static void test_scan(void)
{
    enum { MOST = 70 };
    uint8_t none[MOST];
    memset(none, 'x', sizeof none);
    ccm_span all = guarded(ccm_span_of(none, MOST));
    uint8_t *end = (uint8_t *)all.p + MOST;
    for (size_t n = 0; n <= MOST; n++) {
        uint8_t *p = end - n;
        g_assert_true(ccm_scan(p, end, 'a', 'b', 'c') == end);
        for (size_t first = 0; first < n; first++)
            for (unsigned k = 0; k < 3; k++) {
                p[first] = "abc"[k];
                end[-1] = n == first + 1 ? p[first] : 'b';
                g_assert_true(ccm_scan(p, end, 'a', 'b', 'c') == p + first);
                const uint8_t *b = ccm_scan(p, end, 'b', 'b', 'b');
                g_assert_true(b == (k == 1 ? p + first : end[-1] == 'b' ? end - 1 : end));
                p[first] = end[-1] = 'x';
            }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/cursor", test_cursor);
    g_test_add_func("/base/address", test_address);
    g_test_add_func("/base/endpoint", test_endpoint);
    g_test_add_func("/base/text", test_text);
    g_test_add_func("/base/text-random", test_text_random);
    g_test_add_func("/base/time", test_time);
    g_test_add_func("/base/limits", test_limits);
    g_test_add_func("/base/pages", test_pages);
    g_test_add_func("/base/scan", test_scan);
    return g_test_run();
}
