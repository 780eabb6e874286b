/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_report_text.c - the building blocks of report/: units, bars, wrapped text, tables, JSON.
 * Expected values were calculated by hand from the rules in report/report.h. */
#include "report/proofs.h"
#include "report/words.h"

#define T0 (UINT64_C(1769860800) * 1000000000) /* 2026-01-31T12:00:00Z */
#define MS UINT64_C(1000000)

/* ---- units ----------------------------------------------------------------------------------- */

typedef struct number_case {
    uint64_t in;
    const char *out;
} number_case;

static void check_numbers(void (*append)(GString *, uint64_t), const number_case *cases, unsigned n)
{
    GString *s = g_string_new(NULL);
    for (unsigned i = 0; i < n; i++) {
        g_string_truncate(s, 0);
        append(s, cases[i].in);
        g_assert_cmpstr(s->str, ==, cases[i].out);
    }
    g_string_free(s, TRUE);
}

static void test_units(void)
{
    static const number_case bytes[] = {
        { 0, "0 B" },
        { 999, "999 B" },
        { 1000, "1.00 kB" },
        { 1234, "1.23 kB" },
        { 1235, "1.24 kB" },
        { 9994, "9.99 kB" },
        { 9995, "10.0 kB" },
        { 99949, "99.9 kB" },
        { 99950, "100 kB" },
        { 999499, "999 kB" },
        { 999500, "1.00 MB" },
        { 1500000000, "1.50 GB" },
        { UINT64_MAX, "18447 PB" },
    };
    static const number_case rates[] = { { 0, "0 bit/s" },
                                         { 64000, "64.0 kbit/s" },
                                         { 100000000, "100 Mbit/s" },
                                         { 2500000000, "2.50 Gbit/s" } };
    static const number_case counts[] = { { 0, "0" },
                                          { 999, "999" },
                                          { 1000, "1,000" },
                                          { 1234567, "1,234,567" },
                                          { UINT64_MAX, "18,446,744,073,709,551,615" } };
    static const number_case durations[] = {
        { 0, "0 s" },
        { 850, "850 ns" },
        { 2345, "2.35 us" },
        { 1230000, "1.23 ms" },
        { 45 * UINT64_C(1000000000), "45.0 s" },
        { 187 * UINT64_C(1000000000), "3m07s" },
        { 18120 * UINT64_C(1000000000), "5h02m" },
        { 183600 * UINT64_C(1000000000), "2d03h" },
    };
    static const number_case seconds[] = { { 0, "0" },
                                           { 1, "0.000000001" },
                                           { 1500000000, "1.5" },
                                           { 61 * UINT64_C(1000000000), "61" },
                                           { 2 * MS, "0.002" } };
    static const number_case clocks[] = { { 0, "1970-01-01 00:00:00" },
                                          { T0 + 999 * MS, "2026-01-31 12:00:00" } };
    static const number_case times[] = { { 0, "00:00:00.000" },
                                         { T0 + 999 * MS + 999999, "12:00:00.999" } };
    check_numbers(ccm_bytes_append, bytes, G_N_ELEMENTS(bytes));
    check_numbers(ccm_rate_append, rates, G_N_ELEMENTS(rates));
    check_numbers(ccm_count_append, counts, G_N_ELEMENTS(counts));
    check_numbers(ccm_duration_append, durations, G_N_ELEMENTS(durations));
    check_numbers(ccm_seconds_append, seconds, G_N_ELEMENTS(seconds));
    check_numbers(ccm_clock_append, clocks, G_N_ELEMENTS(clocks));
    check_numbers(ccm_time_of_day_append, times, G_N_ELEMENTS(times));
}

static void check_percent(uint64_t part, uint64_t whole, const char *expected)
{
    GString *s = g_string_new(NULL);
    ccm_percent_append(s, part, whole);
    g_assert_cmpstr(s->str, ==, expected);
    g_string_free(s, TRUE);
}

static void test_percent(void)
{
    check_percent(1, 3, "33 %");
    check_percent(1, 1000, "<1 %");
    check_percent(0, 5, "0 %");
    check_percent(0, 0, "-");
    check_percent(UINT64_MAX, UINT64_MAX, "100 %");
    GString *s = g_string_new(NULL);
    ccm_plural_append(s, 1, "packet");
    g_string_append(s, "; ");
    ccm_plural_append(s, 0, "packet");
    g_string_append(s, "; ");
    ccm_plural_append(s, 1200, "packet");
    g_assert_cmpstr(s->str, ==, "1 packet; 0 packets; 1,200 packets");
    g_string_free(s, TRUE);
}

/* ---- text ------------------------------------------------------------------------------------ */

static void check_bar(uint64_t value, uint64_t max, unsigned columns, const char *expected)
{
    GString *s = g_string_new(NULL);
    ccm_bar_append(s, value, max, columns);
    g_assert_cmpstr(s->str, ==, expected);
    g_string_free(s, TRUE);
}

static void test_bars(void)
{
    check_bar(8, 8, 8, "████████");
    check_bar(4, 8, 8, "████");
    check_bar(3, 16, 8, "█▌"); /* 12 eighths */
    check_bar(1, 1000000, 8, "▏");
    check_bar(0, 8, 8, "");
    check_bar(5, 0, 8, "");
    check_bar(UINT64_MAX, UINT64_MAX, 2, "██");
    GString *s = g_string_new(NULL);
    ccm_spark_append(s, (const uint64_t[]){ 0, 1, 5, 10 }, 4);
    g_assert_cmpstr(s->str, ==, "·▁▄█");
    g_string_truncate(s, 0);
    ccm_spark_append(s, (const uint64_t[]){ 0, UINT64_MAX, UINT64_MAX / 2 }, 3);
    g_assert_cmpstr(s->str, ==, "·█▄");
    g_string_truncate(s, 0);
    ccm_spark_append(s, NULL, 0);
    g_assert_cmpstr(s->str, ==, "");
    g_string_free(s, TRUE);
}

static void check_fit(const char *text, unsigned columns, const char *expected)
{
    GString *s = g_string_new(NULL);
    ccm_text_fit(s, text, columns);
    g_assert_cmpstr(s->str, ==, expected);
    g_assert_cmpuint(ccm_text_columns(s->str), <=, columns);
    g_string_free(s, TRUE);
}

static void test_text(void)
{
    g_assert_cmpuint(ccm_text_columns("e\xcc\x81t\xc3\xa9"), ==, 3); /* combining accent */
    g_assert_cmpuint(ccm_text_columns("日本"), ==, 4);
    check_fit("abcdef", 6, "abcdef");
    check_fit("abcdef", 5, "abcd…");
    check_fit("日本語", 5, "日本…");
    check_fit("日本語", 4, "日…");
    check_fit("abc", 0, "");
    GString *s = g_string_new(NULL);
    ccm_terminal_append(s, "a\033[31m\xe2\x80\x8b"
                           "b"); /* escape sequence, zero width space */
    g_assert_cmpstr(s->str, ==, "a\\x1b[31m\\u{200B}b");
    g_string_truncate(s, 0);
    ccm_wrap_append(s, "one two three four", 2, 11);
    g_assert_cmpstr(s->str, ==, "  one two\n  three\n  four\n");
    g_string_truncate(s, 0);
    ccm_paint(s, true, CCM_GOOD, "x");
    ccm_paint(s, false, CCM_GOOD, "y");
    g_assert_cmpstr(s->str, ==, "\033[32mx\033[0my");
    g_string_free(s, TRUE);
}

static void test_table(void)
{
    ccm_grid t;
    GString *s = g_string_new(NULL), *cell = g_string_new("12");
    ccm_grid_init(&t, "lfr", 1, 24);
    ccm_grid_cell(&t, CCM_PLAIN, "né");
    ccm_grid_cell(&t, CCM_PLAIN, "a long text that is cut");
    ccm_grid_take(&t, CCM_PLAIN, cell);
    g_assert_cmpuint(cell->len, ==, 0);
    ccm_grid_cell(&t, CCM_PLAIN, "日本");
    ccm_grid_cell(&t, CCM_PLAIN, "short");
    ccm_grid_cell(&t, CCM_PLAIN, "7");
    ccm_grid_end(&t, s, false);
    /* width 24: indent 1, columns 4 + 13 + 2 and two gaps of 2 */
    g_assert_cmpstr(s->str, ==,
                    " né    a long text …  12\n"
                    " 日本  short           7\n");
    g_string_free(s, TRUE);
    g_string_free(cell, TRUE);
}

static void test_json_writer(void)
{
    GString *s = g_string_new(NULL);
    ccm_json j;
    ccm_json_init(&j, s, true);
    ccm_json_open(&j, NULL, '{');
    ccm_json_text(&j, "a", "q\"b\\s\n\xff");
    ccm_json_text(&j, "left out", NULL);
    ccm_json_open_inline(&j, "list", '[');
    ccm_json_u64(&j, NULL, UINT64_MAX);
    ccm_json_bool(&j, NULL, true);
    ccm_json_close(&j, ']');
    ccm_json_open(&j, "empty", '[');
    ccm_json_close(&j, ']');
    ccm_json_open(&j, "in", '{');
    ccm_json_null(&j, "n");
    ccm_json_time(&j, "t", T0 + 1);
    ccm_json_close(&j, '}');
    ccm_json_close(&j, '}');
    g_assert_cmpstr(s->str, ==,
                    "{\n  \"a\": \"q\\\"b\\\\s\\\\x0a\\\\xff\",\n"
                    "  \"list\": [18446744073709551615, true],\n"
                    "  \"empty\": [],\n"
                    "  \"in\": {\n    \"n\": null,\n"
                    "    \"t\": \"2026-01-31T12:00:00.000000001Z\"\n  }\n}");
    g_string_truncate(s, 0);
    ccm_json_init(&j, s, false);
    ccm_json_open(&j, NULL, '{');
    ccm_json_seconds(&j, "s", 2 * MS);
    ccm_json_u64(&j, "u", 1);
    ccm_json_close(&j, '}');
    g_assert_cmpstr(s->str, ==, "{\"s\":0.002,\"u\":1}");
    g_string_free(s, TRUE);
}

/* ---- authentication in the summary ------------------------------------------------------------
 */

#define EVIDENCE(list) .evidence = (list), .n_evidence = G_N_ELEMENTS(list)

static char *auth_section(const ccm_view_auth *ways, unsigned n, uint64_t verified)
{
    ccm_view_route route = {
        .route = "client/mp", .has_port = true, .port = 80, .auth = ways, .n_auth = n
    };
    ccm_view_client client = {
        .client_id = "GUID:1", .signature = { .verified = verified }, .has_skew = true, .skew_s = 60
    };
    ccm_view view = { .routes = &route, .n_routes = 1, .clients = &client, .n_clients = 1 };
    GString *out = g_string_new(NULL);
    g_assert_true(ccm_addr_parse("10.0.0.9", &route.destination));
    ccm_summary_auth(out, &view, false, false, 100);
    return g_string_free(out, FALSE);
}

/* Accounts of one line may have come to NTLM for different reasons: each is told, the controller's
 * errors are not taken for exchanges. */
static void test_auth_reasons(void)
{
    static const ccm_view_auth_evidence refused[] = { { .id = "fallback-kdc-error",
                                                        .count = 5,
                                                        .first_frame = 9,
                                                        .has_code = true,
                                                        .code = 7 } },
                                        direct[] = { { .id = "direct-ntlm", .count = 2 },
                                                     { .id = "ntlm-type3", .count = 2 } };
    const ccm_view_auth ways[] = {
        { .stage = "transport",
          .mode = "ntlm",
          .account_kind = "computer",
          .account = "A\\X$",
          .count = 1,
          EVIDENCE(refused) },
        { .stage = "transport",
          .mode = "ntlm",
          .account_kind = "computer",
          .account = "A\\Y$",
          .count = 2,
          .denied = 1,
          EVIDENCE(direct) },
    };
    g_autofree char *page = auth_section(ways, 2, 0);
    g_assert_cmpstr(page, ==,
                    "AUTHENTICATION  by route: how, how often and why\n"
                    "  ! A\\X$ fell back from Kerberos to NTLM at 10.0.0.9:80: the domain "
                    "controller gave no ticket,\n"
                    "  Kerberos error 7 (service name unknown: is its SPN registered?), frame 9\n"
                    "  client/mp 10.0.0.9:80  ntlm computer (2 accounts) ×3, 1 refused: Kerberos "
                    "ticket not given,\n"
                    "  Kerberos not tried ×2\n"
                    "  who was refused: ccmscope exchanges --failed\n");
}

/* Clocks: only what is off by more than a minute; where its times disagree, that is a bound. */
static void test_auth_clocks(void)
{
    static const struct {
        int64_t skew_s;
        bool uncertain;
        const char *says; /* NULL = nothing */
    } rows[] = {
        { 60, true, NULL },
        { 420, false, "clock of GUID:1 is 7m00s ahead\n" },
        { -420, true,
          "clock of GUID:1 is 7m00s behind at least: its times differ by more than a minute\n" },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        ccm_view_client client = { .client_id = "GUID:1",
                                   .has_skew = true,
                                   .skew_s = rows[i].skew_s,
                                   .skew_uncertain = rows[i].uncertain };
        ccm_view_auth way = { .stage = "message", .mode = "message-signature" };
        ccm_view_route route = { .route = "client/mp", .auth = &way, .n_auth = 1 };
        ccm_view view = { .routes = &route, .n_routes = 1, .clients = &client, .n_clients = 1 };
        g_autoptr(GString) out = g_string_new(NULL);
        ccm_summary_auth(out, &view, false, false, 200);
        g_assert_true(!strstr(out->str, "clock") == !rows[i].says);
        g_assert_true(!rows[i].says || strstr(out->str, rows[i].says));
    }
}

/* A summary checks no signature and says who does; where they were checked, it does not. */
static void test_auth_signatures(void)
{
    static const ccm_view_auth_evidence signs[] = { { .id = "clientauth-hook", .count = 3 },
                                                    { .id = "empty-reply", .count = 1 } };
    const ccm_view_auth ways[] = {
        { .stage = "message",
          .mode = "message-signature",
          .account_kind = "computer",
          .count = 2,
          .denied = 1,
          EVIDENCE(signs) },
    };
    g_autofree char *page = auth_section(ways, 1, 0), *checked = auth_section(ways, 1, 1);
    g_assert_cmpstr(page, ==,
                    "AUTHENTICATION  by route: how, how often and why\n"
                    "  client/mp 10.0.0.9:80\n"
                    "    message: message-signature computer ×2, 1 refused: signed message\n"
                    "  what was answered empty: ccmscope report --messages; signatures are checked "
                    "by: ccmscope report\n");
    g_assert_nonnull(strstr(checked, "what was answered empty"));
    g_assert_null(strstr(checked, "are checked by"));
}

/* The same numbers mean other things in IPv6: RFC 792, RFC 4443. */
static void test_icmp(void)
{
    static const ccm_view_count errors[] = { { "1/4", 2 }, { "3/13", 1 }, { "99/9", 1 } };
    ccm_view_route r = { .destination = { .family = 4 }, .icmp_errors = { errors, 3 } };
    GString *s = g_string_new(NULL);

    ccm_icmp_append(s, &r, 16);
    g_assert_cmpstr(s->str, ==, "1/4×2, 3/13 (administratively prohibited)×1, 99/9×1");
    g_string_truncate(s, 0);
    r.destination.family = 6;
    ccm_icmp_append(s, &r, 16);
    g_assert_cmpstr(s->str, ==, "1/4 (port unreachable)×2, 3/13×1, 99/9×1");
    g_string_free(s, TRUE);
}

/* What routes lack is added up. */
static void test_lacks(void)
{
    const ccm_view_route routes[] = {
        { .route = "client/mp",
          .protocol = "http",
          .transport = { .overlap_conflicts = 2, .duplicates = 3 } },
        { .route = "client/dp",
          .protocol = "http",
          .transport = { .overlap_conflicts = 5, .duplicates = 4 } },
    };
    ccm_view view = { .routes = routes, .n_routes = 2 };
    g_autoptr(GPtrArray) list = ccm_report_lacks(&view);
    unsigned found = 0;

    for (unsigned i = 0; i < list->len; i++)
        found += g_str_has_prefix(list->pdata[i], "7 bytes ") ||
                 g_str_has_prefix(list->pdata[i], "7 packets captured twice");
    g_assert_cmpuint(found, ==, 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report/units", test_units);
    g_test_add_func("/report/percent", test_percent);
    g_test_add_func("/report/bars", test_bars);
    g_test_add_func("/report/text", test_text);
    g_test_add_func("/report/table", test_table);
    g_test_add_func("/report/json-writer", test_json_writer);
    g_test_add_func("/report/auth-reasons", test_auth_reasons);
    g_test_add_func("/report/auth-clocks", test_auth_clocks);
    g_test_add_func("/report/auth-signatures", test_auth_signatures);
    g_test_add_func("/report/icmp", test_icmp);
    g_test_add_func("/report/lacks", test_lacks);
    return g_test_run();
}
