/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_report.c - output in pieces, filters, and every format of a model made by hand.
 * Expected values were calculated by hand from the observations below. */
#include "model/exchange.h"
#include "report/words.h"

#include <glib/gstdio.h>
#include <unistd.h>

#define T0 (UINT64_C(1769860800) * 1000000000) /* 2026-01-31T12:00:00Z */
#define MS UINT64_C(1000000)

/* ---- sinks ----------------------------------------------------------------------------------- */

typedef struct test_sink {
    GString *text;
    gsize largest;
    bool refuse;
} test_sink;

static bool sink_write(void *user_data, const char *data, size_t size)
{
    test_sink *s = user_data;
    s->largest = MAX(s->largest, size);
    g_string_append_len(s->text, data, (gssize)size);
    return !s->refuse;
}

static void test_pieces(void)
{
    test_sink to = { .text = g_string_new(NULL) };
    ccm_sink sink = { sink_write, &to };
    ccm_out out;
    GError *error = NULL;
    ccm_out_init(&out, &sink);
    for (unsigned i = 0; i < 30000; i++, ccm_out_drain(&out))
        g_string_append(out.text, "0123456789");
    g_assert_cmpuint(to.text->len, >=, 200000); /* most of it went out before the end */
    g_assert_true(ccm_out_end(&out, &error));
    g_assert_cmpuint(to.text->len, ==, 300000);
    g_assert_cmpuint(to.largest, ==, CCM_OUT_PIECE);
    to.refuse = true;
    ccm_out_init(&out, &sink);
    g_string_append(out.text, "x");
    g_assert_false(ccm_out_end(&out, &error));
    g_assert_error(error, CCM_ERROR, CCM_ERROR_OUTPUT);
    g_clear_error(&error);
    g_string_free(to.text, TRUE);
}

/* ---- what the capture lacked ----------------------------------------------------------------- */

static void check_lacks(const ccm_view *view, const char *expected)
{
    GPtrArray *lacks = ccm_report_lacks(view);
    g_ptr_array_add(lacks, NULL);
    g_autofree char *text = g_strjoinv("\n", (char **)lacks->pdata);
    g_assert_cmpstr(text, ==, expected);
    g_ptr_array_unref(lacks);
}

static void test_lacks(void)
{
    static const char *const reasons[] = { "truncated", "dropped", "gaps", "midstream" };
    ccm_view_route rows[2] = {
        { .route = "client/dp",
          .title = "",
          .ref = "",
          .protocol = "http",
          .l4 = 6,
          .packets = { 2, 0 },
          .wire_bytes = { 900, 0 },
          .payload_bytes = { 500, 0 },
          .missing_bytes = { 500, 0 },
          .connections = { .midstream = 4 },
          .unpaired = { 1, 2 } },
        { .route = "unknown/unknown",
          .title = "",
          .ref = "",
          .protocol = "tcp",
          .l4 = 6,
          .packets = { 1, 1 },
          .wire_bytes = { 60, 40 } },
    };
    ccm_view view = { .capture = { .packets = 4, .complete = true }, .routes = rows };
    check_lacks(&view, "");
    view.n_routes = 2;
    view.capture = (ccm_view_capture){ .packets = 4,
                                       .truncated_packets = 2,
                                       .dropped_packets = 1,
                                       .gaps = 1,
                                       .incomplete_because = { reasons, 4 } };
    check_lacks(&view,
                "2 packets cut by the snap length (50 %): contents are missing, capture with -s 0\n"
                "1 packet dropped by the capturing host: true bytes and rates are higher\n"
                "1 gap inside connections: 500 B missing (50 % of the payload)\n"
                "4 connections began before the capture: which side opened them is inferred\n"
                "4 connections seen in one direction only: the capture point misses the other\n"
                "1 request without a response in the capture\n"
                "2 responses without a request in the capture\n"
                "100 B (10 %) belongs to no known route");
}

/* ---- a model made by hand -------------------------------------------------------------------- */

typedef struct maker {
    ccm_obs_fn fn;
    void *to;
    ccm_endpoint client, server;
    uint64_t flow;
    uint8_t l4;
} maker;

static ccm_endpoint endpoint(const char *text)
{
    ccm_endpoint e;
    g_assert_true(ccm_endpoint_parse(text, &e));
    return e;
}

static ccm_obs fact(const maker *m, ccm_obs_kind kind, uint64_t time_ns, uint64_t frame,
                    bool from_client)
{
    ccm_obs o = { .kind = kind, .time_ns = time_ns, .frame = frame, .flow = m->flow, .l4 = m->l4 };
    o.src = from_client ? m->client : m->server;
    o.dst = from_client ? m->server : m->client;
    return o;
}

static void run(const maker *m, bool up, uint64_t time_ns, const uint64_t *v)
{
    static const ccm_key keys[] = { CCM_KEY_packets,      CCM_KEY_wire_bytes,
                                    CCM_KEY_ip_bytes,     CCM_KEY_payload_bytes,
                                    CCM_KEY_unique_bytes, CCM_KEY_retransmitted_bytes,
                                    CCM_KEY_missing_bytes };
    ccm_obs o = fact(m, CCM_OBS_run, time_ns, 0, up);
    ccm_obs_flag(&o, CCM_KEY_from_client, up);
    ccm_obs_u64(&o, CCM_KEY_end_ns, time_ns + MS);
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++)
        ccm_obs_u64(&o, keys[i], v[i]);
    m->fn(m->to, &o);
}

static void text(ccm_obs *o, ccm_key key, const char *value)
{
    ccm_obs_str(o, key, ccm_span_str(value));
}

static void exchange(const maker *m, uint64_t number, uint64_t time_ns, const char *method,
                     const char *target, unsigned status)
{
    ccm_obs o = fact(m, CCM_OBS_http_request, time_ns, 3 + number, true);
    ccm_obs_u64(&o, CCM_KEY_exchange, number);
    text(&o, CCM_KEY_method, method);
    text(&o, CCM_KEY_target, target);
    ccm_obs_u64(&o, CCM_KEY_version, 11);
    text(&o, CCM_KEY_host, "mp1.contoso.local");
    text(&o, CCM_KEY_user_agent, "ccmhttp");
    text(&o, CCM_KEY_client_id, "GUID:12345678-0000-4000-8000-1234567890AB");
    m->fn(m->to, &o);
    if (status) {
        o = fact(m, CCM_OBS_http_response, time_ns + 3 * MS, 4 + number, false);
        ccm_obs_u64(&o, CCM_KEY_exchange, number);
        ccm_obs_u64(&o, CCM_KEY_status, status);
        m->fn(m->to, &o);
    }
    o = fact(m, CCM_OBS_http_done, time_ns + 5 * MS, 4 + number, true);
    ccm_obs_u64(&o, CCM_KEY_exchange, number);
    text(&o, CCM_KEY_pairing, status ? "sure" : "request-only");
    ccm_obs_u64(&o, CCM_KEY_request_bytes, 350);
    ccm_obs_u64(&o, CCM_KEY_response_bytes, status ? 1000 : 0);
    ccm_obs_flag(&o, CCM_KEY_complete, status != 0);
    if (status) {
        ccm_obs_u64(&o, CCM_KEY_ttfb_ns, 2 * MS);
        ccm_obs_u64(&o, CCM_KEY_duration_ns, 5 * MS);
    }
    m->fn(m->to, &o);
}

/* A management point asked three times, and a datagram nobody knows: 11 packets, 2,800 bytes. */
static void capture(ccm_obs_fn fn, void *to)
{
    maker m = { fn, to, endpoint("10.0.0.5:50000"), endpoint("10.0.0.9:80"), 1, 6 };
    exchange(&m, 1, T0 + 10 * MS, "CCM_POST", "/ccm_system/request", 200);
    exchange(&m, 2, T0 + 30 * MS, "GET", "/SMS_MP/.sms_aut?mplist", 404);
    exchange(&m, 3, T0 + 60 * MS, "CCM_POST", "/ccm_system/request", 0);
    run(&m, true, T0, (const uint64_t[]){ 6, 1200, 1116, 1000, 1000, 0, 0 });
    run(&m, false, T0, (const uint64_t[]){ 4, 1500, 1444, 1300, 1200, 100, 50 });
    ccm_obs o = fact(&m, CCM_OBS_connection, T0, 1, true);
    text(&o, CCM_KEY_state, "established");
    text(&o, CCM_KEY_closed, "fin");
    text(&o, CCM_KEY_orientation, "syn");
    ccm_obs_u64(&o, CCM_KEY_end_ns, T0 + 2000 * MS);
    ccm_obs_u64(&o, CCM_KEY_rtt_ns, 5 * MS);
    ccm_obs_u64(&o, CCM_KEY_gaps, 1);
    fn(to, &o);
    m = (maker){ fn, to, endpoint("10.0.0.5:5000"), endpoint("10.0.0.77:4444"), 2, 17 };
    run(&m, true, T0 + 90 * MS, (const uint64_t[]){ 1, 100, 86, 58, 58, 0, 0 });
    o = fact(&m, CCM_OBS_connection, T0 + 90 * MS, 9, true);
    text(&o, CCM_KEY_state, "datagrams");
    text(&o, CCM_KEY_orientation, "port");
    ccm_obs_u64(&o, CCM_KEY_end_ns, T0 + 90 * MS);
    fn(to, &o);
    o = (ccm_obs){ .kind = CCM_OBS_capture_file };
    text(&o, CCM_KEY_name, "one.pcapng");
    ccm_obs_u64(&o, CCM_KEY_packets, 11);
    ccm_obs_u64(&o, CCM_KEY_file_bytes, 2800);
    ccm_obs_u64(&o, CCM_KEY_first_frame, 1);
    fn(to, &o);
    o = (ccm_obs){ .kind = CCM_OBS_capture };
    ccm_obs_u64(&o, CCM_KEY_packets, 11);
    ccm_obs_u64(&o, CCM_KEY_wire_bytes, 2800);
    ccm_obs_flag(&o, CCM_KEY_has_start, true);
    ccm_obs_u64(&o, CCM_KEY_start_ns, T0);
    ccm_obs_u64(&o, CCM_KEY_end_ns, T0 + 2000 * MS);
    ccm_obs_u64(&o, CCM_KEY_gaps, 1);
    fn(to, &o);
}

typedef void (*play_fn)(ccm_obs_fn fn, void *to);

static char *report_of(play_fn play, const char *format, bool color, unsigned width)
{
    GError *error = NULL;
    ccm_limits limits;
    ccm_limits_init(&limits);
    ccm_catalog *catalog = ccm_catalog_load(NULL, &error);
    g_assert_no_error(error);
    ccm_model *model = ccm_model_new(catalog, &limits);
    play(ccm_model_observe, model);
    test_sink to = { .text = g_string_new(NULL) };
    ccm_sink sink = { sink_write, &to };
    ccm_report_options options = { .format = format, .color = color, .width = width };
    g_assert_true(ccm_report_write(model, &options, &sink, &error));
    g_assert_no_error(error);
    options.format = "xml";
    g_assert_false(ccm_report_write(model, &options, &sink, &error));
    g_assert_error(error, CCM_ERROR, CCM_ERROR_USAGE);
    g_clear_error(&error);
    to.refuse = true;
    gsize length = to.text->len;
    options.format = format;
    g_assert_false(ccm_report_write(model, &options, &sink, &error));
    g_assert_error(error, CCM_ERROR, CCM_ERROR_OUTPUT);
    g_clear_error(&error);
    g_string_truncate(to.text, length);
    ccm_model_free(model);
    ccm_catalog_unref(catalog);
    return g_string_free(to.text, FALSE);
}

static char *report(const char *format, bool color)
{
    return report_of(capture, format, color, 0);
}

static void has(const char *text_in, const char *part)
{
    if (!strstr(text_in, part))
        g_error("missing: %s\nin:\n%s", part, text_in);
}

/* What tests/validate.py says of texts, of which the first `lines` are exchanges, the others
 * reports: "valid" or "invalid" of each. */
static void validate(const char *const *texts, unsigned n, unsigned lines, const char *expected)
{
    const char *srcdir = g_getenv("srcdir"), *python = g_getenv("PYTHON");
    g_autofree char *script = g_build_filename(srcdir ? srcdir : ".", "tests", "validate.py", NULL);
    g_autofree char *dir = g_dir_make_tmp("ccmscope-report-XXXXXX", NULL), *told = NULL,
                    *complaint = NULL;
    const char *argv[16] = { python && *python ? python : "python3", script, "--tell" };
    char *path[8];
    GError *error = NULL;
    int status = 0;

    g_assert_nonnull(dir);
    g_assert_cmpuint(n, <=, G_N_ELEMENTS(path));
    for (unsigned i = 0; i < n; i++) {
        argv[3 + i] = path[i] = g_strdup_printf("%s/%u.%s", dir, i, i < lines ? "jsonl" : "json");
        g_assert_true(g_file_set_contents(path[i], texts[i], -1, &error));
    }
    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &told,
                               &complaint, &status, &error));
    for (unsigned i = 0; i < n; i++) {
        g_unlink(path[i]);
        g_free(path[i]);
    }
    g_rmdir(dir);
    g_test_message("%s", complaint);
    if (WEXITSTATUS(status) == 77)
        g_test_skip("python3-jsonschema is not installed");
    else
        g_assert_cmpstr(g_strchomp(told), ==, expected);
}

static void test_json_report(void)
{
    g_autofree char *json = report("json", false);
    static const char *const parts[] = {
        "{\n  \"schema\": \"ccmscope.report/1\",\n  \"capture\": {\n",
        "{\"name\": \"one.pcapng\", \"packets\": 11, \"bytes\": 2800, \"first_frame\": 1}",
        "\"start\": \"2026-01-31T12:00:00.000000000Z\"",
        "\"end\": \"2026-01-31T12:00:02.000000000Z\"",
        "\"packets\": 11,\n    \"bytes\": 2800,",
        "\"complete\": false,\n    \"incomplete_because\": [\"gaps\"]",
        "\"address\": \"10.0.0.9\"",
        "\"route\": \"client/mp\"",
        "\"packets\": {\"to_destination\": 6, \"to_source\": 4}",
        "\"wire_bytes\": {\"to_destination\": 1200, \"to_source\": 1500}",
        "\"payload_bytes\": {\"to_destination\": 1000, \"to_source\": 1200}",
        "\"retransmitted_bytes\": {\"to_destination\": 0, \"to_source\": 100}",
        "\"missing_bytes\": {\"to_destination\": 0, \"to_source\": 50}",
        "\"rtt\": {\"min_s\": 0.005, \"mean_s\": 0.005, \"max_s\": 0.005, \"count\": 1}",
        "\"requests\": {\"CCM_POST\": 2, \"GET\": 1}",
        "\"statuses\": {\"200\": 1, \"404\": 1}",
        "\"route\": \"unknown/unknown\"",
        "\"client_id\": \"GUID:12345678-0000-4000-8000-1234567890AB\"",
        "\"uploads\": [],\n  \"smb\": [],\n  \"certificates\": [],\n  \"lookups\": []\n}\n",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
        has(json, parts[i]);
    /* a misspelt key, a wrong sum and a repeated key must not pass */
    static const char *const changes[][2] = {
        { "\"undecoded_packets\"", "\"undecodedpackets\"" },
        { "\"bytes\": 2800,\n", "\"bytes\": 2801,\n" },
        { "\"uploads\": []", "\"uploads\": [], \"uploads\": []" },
    };
    const char *texts[4] = { json };
    GString *wrong[3];
    for (unsigned i = 0; i < 3; i++) {
        wrong[i] = g_string_new(json);
        g_assert_cmpuint(g_string_replace(wrong[i], changes[i][0], changes[i][1], 1), ==, 1);
        texts[1 + i] = wrong[i]->str;
    }
    validate(texts, 4, 0, "valid invalid invalid invalid");
    for (unsigned i = 0; i < 3; i++)
        g_string_free(wrong[i], TRUE);
}

static void check_width(const char *page, unsigned width)
{
    g_auto(GStrv) lines = g_strsplit(page, "\n", -1);
    for (char **l = lines; *l; l++)
        if (ccm_text_columns(*l) > width)
            g_error("wider than %u: %s", width, *l);
    g_assert_cmpuint(g_strv_length(lines), <=, 41);
}

static void test_summary(void)
{
    g_autofree char *page = report("summary", false);
    g_test_message("%s", page);
    static const char *const parts[] = {
        "ccmscope: one.pcapng\n",
        "2026-01-31 12:00:00 to 2026-01-31 12:00:02 UTC (2.00 s), 11 packets, 2.80 kB on the wire",
        "\nROLES",
        "Management point  10.0.0.9  mp1.contoso.local",
        "\nROUTES",
        "client/mp",
        "10.0.0.9:80",
        "CCM_POST×2, GET×1; 404×1, 200×1\n",
        "unknown/unknown",
        "\nWHAT THE CAPTURE LACKED\n",
        "  - 1 gap inside connections: 50 B missing (2 % of the payload)\n", /* of 50 + 2258 */
        "  - 1 request without a response in the capture\n",
        "  - 100 B (3 %) belongs to no known route\n",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
        has(page, parts[i]);
    g_assert_null(strchr(page, '\033'));
    check_width(page, 100);
    g_autofree char *narrow = report_of(capture, "summary", false, 80);
    check_width(narrow, 80);
    g_autofree char *colored = report("summary", true);
    has(colored, "\033[");
    has(colored, "WHAT THE CAPTURE LACKED");
}

static void test_text_report(void)
{
    g_autofree char *page = report("text", false);
    g_test_message("%s", page);
    static const char *const parts[] = {
        "CAPTURE\n",
        "\nHOSTS\n",
        "Management point (mp), ",
        "\nROUTES\n",
        "\nclient/mp  ",
        "5.00 ms least, 5.00 ms mean, 5.00 ms most, of 1 handshake",
        "to destination        6  1.20 kB  1.12 kB  1.00 kB       0 B      0 B\n",
        "to source             4  1.50 kB  1.44 kB  1.20 kB     100 B     50 B\n",
        "\nCLIENT IDS\n",
        "\nUPLOADS  none\n",
        "\nWHAT THE CAPTURE LACKED\n",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++)
        has(page, parts[i]);
}

/* ---- exchanges ------------------------------------------------------------------------------- */

static char *exchanges_of(play_fn play, const ccm_exchange_options *options, GError **error)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    ccm_catalog *catalog = ccm_catalog_load(NULL, NULL);
    test_sink to = { .text = g_string_new(NULL) };
    ccm_sink sink = { sink_write, &to };
    ccm_exchanges *e = ccm_exchanges_new(catalog, &limits, options, &sink, error);
    if (e) {
        play(ccm_exchanges_observe, e);
        g_assert_true(ccm_exchanges_free(e));
    }
    ccm_catalog_unref(catalog);
    char *result = g_string_free(to.text, FALSE);
    if (e)
        return result;
    g_free(result);
    return NULL;
}

static char *exchanges(const ccm_exchange_options *options, GError **error)
{
    return exchanges_of(capture, options, error);
}

static void count_lines(const ccm_exchange_options *options, unsigned expected)
{
    ccm_exchange_options json = *options;
    json.json = true;
    GError *error = NULL;
    g_autofree char *lines = exchanges(&json, &error);
    g_assert_no_error(error);
    unsigned n = 0;
    for (const char *p = lines; *p; p++)
        n += *p == '\n';
    g_assert_cmpuint(n, ==, expected);
}

static void test_filters(void)
{
    static const struct {
        ccm_exchange_options options;
        unsigned lines;
    } cases[] = {
        { { 0 }, 3 },
        { { .verb = "ccm_post" }, 2 },
        { { .verb = "CCM_POS" }, 0 },
        { { .status = "404" }, 1 },
        { { .status = "2xx" }, 1 },
        { { .status = "none" }, 1 },
        { { .status = "5XX" }, 0 },
        { { .failed = true }, 2 },
        { { .client = "10.0.0.5" }, 3 },
        { { .client = "10.0.0.5:50000" }, 3 },
        { { .client = "10.0.0.5:50001" }, 0 },
        { { .server = "10.0.0.9:80" }, 3 },
        { { .server = "10.0.0.5" }, 0 },
        { { .server = "2001:db8::1" }, 0 },
        { { .route = "client/mp" }, 3 },
        { { .route = "client/dp" }, 0 },
        { { .route = "client/mp", .verb = "GET", .status = "4xx", .failed = true }, 1 },
    };
    static const ccm_exchange_options bad[] = {
        { .verb = "" },        { .verb = "GET POST" },     { .status = "40" },
        { .status = "4x4" },   { .status = "0xx" },        { .status = "" },
        { .client = "host" },  { .client = "10.0.0.5:x" }, { .server = "[10.0.0.5" },
        { .route = "client" }, { .route = "client/none" }, { .route = "\033[2J" },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        count_lines(&cases[i].options, cases[i].lines);
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        GError *error = NULL;
        g_assert_null(exchanges(&bad[i], &error));
        g_assert_error(error, CCM_ERROR, CCM_ERROR_USAGE);
        const char *option = bad[i].verb     ? "--verb '"
                             : bad[i].status ? "--status '"
                             : bad[i].client ? "--client '"
                             : bad[i].server ? "--server '"
                                             : "--route '";
        has(error->message, option);
        has(error->message, "is not valid: use "); /* and says what is allowed */
        g_assert_null(strchr(error->message, '\033'));
        g_clear_error(&error);
    }
}

static void test_exchange_lines(void)
{
    GError *error = NULL;
    ccm_exchange_options options = { .json = true };
    g_autofree char *json = exchanges(&options, &error);
    g_assert_no_error(error);
    has(json, "{\"time\":\"2026-01-31T12:00:00.010000000Z\",\"frame\":4,"
              "\"source\":\"10.0.0.5:50000\",\"destination\":\"10.0.0.9:80\","
              "\"route\":\"client/mp\",\"route_basis\":\"local\",\"certainty\":\"");
    has(json, "\"status\":200,\"request_bytes\":350,\"response_bytes\":1000,"
              "\"ttfb_s\":0.002,\"duration_s\":0.005,\"complete\":true,"
              "\"client_id\":\"GUID:12345678-0000-4000-8000-1234567890AB\"");
    has(json, "\"pairing\":\"request-only\",\"decrypted\":false}\n");
    validate((const char *const[]){ json }, 1, 1, "valid");
    options = (ccm_exchange_options){ 0 };
    g_autofree char *page = exchanges(&options, &error);
    g_assert_no_error(error);
    g_test_message("%s", page);
    has(page, "\n2026-01-31 (UTC)\n"
              "12:00:00.010  10.0.0.5:50000         10.0.0.9:80            CCM_POST    200    "
              "350 B  1.00 kB  2.00 ms  client/mp     /ccm_system/request\n");
    has(page, "CCM_POST      -    350 B      0 B        -  client/mp     "
              "/ccm_system/request  (no response seen)\n");
    options.width = 130;
    g_autofree char *cut = exchanges(&options, &error);
    has(cut, "client/mp     /SMS_MP/.sms_au…  (route likely)\n");
}

/* ---- an upload ------------------------------------------------------------------------------- */

#define SESSION "{01234567-89AB-4CDE-8F01-23456789ABCD}"

static void bits_step(const maker *m, uint64_t number, const char *packet, const char *range,
                      uint64_t received)
{
    uint64_t time_ns = T0 + number * 10 * MS;
    ccm_obs o = fact(m, CCM_OBS_http_request, time_ns, number, true);
    ccm_obs_u64(&o, CCM_KEY_exchange, number);
    text(&o, CCM_KEY_method, "BITS_POST");
    text(&o, CCM_KEY_target, "/CCM_Incoming/%7B1%7D/state.msg");
    text(&o, CCM_KEY_bits_packet, packet);
    text(&o, CCM_KEY_content_range, range);
    text(&o, CCM_KEY_bits_session, number > 1 ? SESSION : "");
    text(&o, CCM_KEY_content_name, range[0] ? "state.msg" : "");
    m->fn(m->to, &o);
    o = fact(m, CCM_OBS_http_response, time_ns + MS, number + 1, false);
    ccm_obs_u64(&o, CCM_KEY_exchange, number);
    ccm_obs_u64(&o, CCM_KEY_status, 200);
    text(&o, CCM_KEY_bits_packet, "Ack");
    text(&o, CCM_KEY_bits_session, SESSION);
    if (received)
        ccm_obs_u64(&o, CCM_KEY_bits_received, received);
    m->fn(m->to, &o);
    o = fact(m, CCM_OBS_http_done, time_ns + 2 * MS, number + 1, true);
    ccm_obs_u64(&o, CCM_KEY_exchange, number);
    text(&o, CCM_KEY_pairing, "sure");
    ccm_obs_u64(&o, CCM_KEY_request_bytes, range[0] ? 100 : 0);
    ccm_obs_u64(&o, CCM_KEY_response_bytes, 0);
    ccm_obs_flag(&o, CCM_KEY_complete, true);
    m->fn(m->to, &o);
}

static void upload(ccm_obs_fn fn, void *to)
{
    maker m = { fn, to, endpoint("[2001:db8::5]:50000"), endpoint("[2001:db8::9]:80"), 1, 6 };
    bits_step(&m, 1, "Create-Session", "", 0);
    bits_step(&m, 2, "Fragment", "bytes 0-99/100", 100);
    bits_step(&m, 3, "Close-Session", "", 0);
}

static void test_upload(void)
{
    GError *error = NULL;
    ccm_exchange_options options = { .json = true };
    g_autofree char *lines = exchanges_of(upload, &options, &error);
    g_assert_no_error(error);
    has(lines, "\"source\":\"[2001:db8::5]:50000\",\"destination\":\"[2001:db8::9]:80\"");
    has(lines, "\"bits\":{\"session\":\"" SESSION "\",\"packet_type\":\"Fragment\","
               "\"range\":\"bytes 0-99/100\",\"reply_packet_type\":\"Ack\",\"received\":100,"
               "\"content_name\":\"state.msg\"}");
    g_autofree char *json = report_of(upload, "json", false, 0);
    has(json, "\"incomplete_because\": [\"no-packets\", \"no-end\"]");
    has(json, "\"id\": \"" SESSION "\"");
    has(json, "\"bytes\": 100,");
    has(json, "\"total_bytes\": 100,");
    g_autofree char *page = report_of(upload, "text", false, 0);
    has(page, "  state.msg, 100 B of 100 B in 1 fragment, complete\n");
    validate((const char *const[]){ lines, json }, 2, 1, "valid valid");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report/pieces", test_pieces);
    g_test_add_func("/report/lacks", test_lacks);
    g_test_add_func("/report/json", test_json_report);
    g_test_add_func("/report/summary", test_summary);
    g_test_add_func("/report/text-report", test_text_report);
    g_test_add_func("/report/filters", test_filters);
    g_test_add_func("/report/exchange-lines", test_exchange_lines);
    g_test_add_func("/report/upload", test_upload);
    return g_test_run();
}
