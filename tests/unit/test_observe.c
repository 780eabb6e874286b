/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_observe.c - the vocabulary, observations to JSON and back. Expected lines are written by
 * hand; what is written is also read with jansson. */
#include "observe/obs.h"

#include <jansson.h>

static void test_vocabulary(void)
{
    static const char *const reserved[] = {
        "k", "t", "frame", "flow", "l4", "src", "dst", "schema"
    };
    for (unsigned k = 0; k < CCM_KEYS; k++) {
        bool used = false;
        g_assert_nonnull(ccm_key_name((ccm_key)k));
        g_assert_cmpstr(ccm_key_doc((ccm_key)k), !=, "");
        for (size_t i = 0; i < G_N_ELEMENTS(reserved); i++)
            g_assert_cmpstr(ccm_key_name((ccm_key)k), !=, reserved[i]);
        for (unsigned other = 0; other < k; other++)
            g_assert_cmpstr(ccm_key_name((ccm_key)k), !=, ccm_key_name((ccm_key)other));
        for (unsigned kind = 0; kind < CCM_OBS_KINDS; kind++)
            used |= ccm_kind_has((ccm_obs_kind)kind, (ccm_key)k);
        g_assert_true(used);
    }
    for (unsigned kind = 0; kind < CCM_OBS_KINDS; kind++) {
        unsigned n = 0;
        g_assert_cmpstr(ccm_kind_doc((ccm_obs_kind)kind), !=, "");
        for (unsigned k = 0; k < CCM_KEYS; k++)
            n += ccm_kind_has((ccm_obs_kind)kind, (ccm_key)k);
        g_assert_cmpuint(n, >, 0);
        g_assert_cmpuint(n, <=, CCM_OBS_ATTRS);
    }
    g_assert_cmpstr(ccm_key_name(CCM_KEY_user_agent), ==, "user_agent");
    g_assert_cmpstr(ccm_kind_name(CCM_OBS_http_request), ==, "http_request");
    g_assert_cmpint(ccm_key_type(CCM_KEY_complete), ==, CCM_TYPE_BOOL);
    g_assert_true(ccm_kind_has(CCM_OBS_http_done, CCM_KEY_ttfb_ns));
    g_assert_false(ccm_kind_has(CCM_OBS_http_done, CCM_KEY_method));
    g_assert_false(ccm_kind_has(CCM_OBS_KINDS, CCM_KEY_method));
}

static ccm_obs example(void)
{
    ccm_obs o = { .kind = CCM_OBS_http_request,
                  .l4 = 6,
                  .time_ns = 1700000000123456789,
                  .frame = 12,
                  .flow = 3 };
    g_assert_true(ccm_endpoint_parse("10.0.0.5:51022", &o.src));
    g_assert_true(ccm_endpoint_parse("[2001:db8::9]:80", &o.dst));
    ccm_obs_str(&o, CCM_KEY_method, ccm_span_str("CCM_POST"));
    ccm_obs_u64(&o, CCM_KEY_version, 11);
    ccm_obs_flag(&o, CCM_KEY_head_incomplete, true);
    ccm_obs_str(&o, CCM_KEY_target, ccm_span_str("/a\"\n"));
    return o;
}

static void test_line(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    ccm_obs o = example();
    ccm_obs_to_json(&o, out);
    g_assert_cmpstr(
        out->str, ==,
        "{\"k\":\"http_request\",\"t\":1700000000123456789,\"frame\":12,\"flow\":3,\"l4\":6,"
        "\"src\":\"10.0.0.5:51022\",\"dst\":\"[2001:db8::9]:80\",\"method\":\"CCM_POST\","
        "\"version\":11,\"head_incomplete\":true,\"target\":\"/a\\\"\\\\x0a\"}");
    o = (ccm_obs){ .kind = CCM_OBS_limit };
    ccm_obs_str(&o, CCM_KEY_limit, ccm_span_str("flows"));
    ccm_obs_u64(&o, CCM_KEY_count, UINT64_MAX);
    g_string_truncate(out, 0);
    ccm_obs_to_json(&o, out);
    g_assert_cmpstr(out->str, ==,
                    "{\"k\":\"limit\",\"t\":0,\"limit\":\"flows\",\"count\":9223372036854775807}");
    g_assert_cmpstr(ccm_obs_file_header(), ==, "{\"schema\":\"ccmscope.observations/1\"}");
}

static void test_read(void)
{
    const char *line = "{\"k\":\"icmp_error\",\"t\":5,\"flow\":9,\"l4\":17,\"src\":\"1.2.3.4:5\","
                       "\"icmp_type\":3,\"icmp_code\":9223372036854775807,\"address\":\"9.9.9.9\"}";
    ccm_obs o;
    ccm_obs_json *keep;
    GError *error = NULL;
    g_assert_true(ccm_obs_from_json(line, strlen(line), &o, &keep, &error));
    g_assert_no_error(error);
    g_assert_cmpint(o.kind, ==, CCM_OBS_icmp_error);
    g_assert_cmpuint(o.time_ns, ==, 5);
    g_assert_cmpuint(o.frame, ==, 0);
    g_assert_cmpuint(o.flow, ==, 9);
    g_assert_cmpuint(o.l4, ==, 17);
    g_assert_cmpuint(o.src.port, ==, 5);
    g_assert_cmpuint(o.src.addr.b[3], ==, 4);
    g_assert_cmpuint(o.dst.addr.family, ==, 0);
    g_assert_cmpuint(ccm_obs_get_u64(&o, CCM_KEY_icmp_type), ==, 3);
    g_assert_cmpuint(ccm_obs_get_u64(&o, CCM_KEY_icmp_code), ==, INT64_MAX);
    ccm_span s = ccm_obs_get_str(&o, CCM_KEY_address);
    g_assert_cmpmem(s.p, s.n, "9.9.9.9", 7);
    ccm_obs_json_free(keep);
}

static void test_strict(void)
{
    static const struct {
        const char *line, *says;
    } rows[] = {
        { "", "not JSON" },
        { "{", "not JSON" },
        { "[]", "not a JSON object" },
        { "{\"t\":1}", "without \"k\"" },
        { "{\"k\":1,\"t\":1}", "without \"k\"" },
        { "{\"k\":\"limit\"}", "without \"t\"" },
        { "{\"k\":\"lim\\u001bit\",\"t\":1}", "unknown kind of observation \"lim\\x1bit\"" },
        { "{\"k\":\"limit\",\"t\":1,\"colour\":1}", "unknown attribute \"colour\"" },
        { "{\"k\":\"limit\",\"t\":1,\"method\":\"GET\"}", "unknown attribute \"method\"" },
        { "{\"k\":\"limit\",\"t\":-1}", "wrong value of \"t\"" },
        { "{\"k\":\"limit\",\"t\":1.0}", "wrong value of \"t\"" },
        { "{\"k\":\"limit\",\"t\":\"1\"}", "wrong value of \"t\"" },
        { "{\"k\":\"limit\",\"t\":1,\"l4\":256}", "wrong value of \"l4\"" },
        { "{\"k\":\"limit\",\"t\":1,\"src\":\"10.0.0.1\"}", "wrong value of \"src\"" },
        { "{\"k\":\"limit\",\"t\":1,\"dst\":7}", "wrong value of \"dst\"" },
        { "{\"k\":\"limit\",\"t\":1,\"count\":true}", "wrong value of \"count\"" },
        { "{\"k\":\"limit\",\"t\":1,\"count\":-5}", "wrong value of \"count\"" },
        { "{\"k\":\"limit\",\"t\":1,\"count\":9223372036854775808}", "not JSON" },
        { "{\"k\":\"limit\",\"t\":1,\"limit\":5}", "wrong value of \"limit\"" },
        { "{\"k\":\"limit\",\"t\":1,\"t\":2}", "not JSON" },
        { "{\"k\":\"http_done\",\"t\":1,\"complete\":false}", "wrong value of \"complete\"" },
        { "{\"k\":\"limit\",\"t\":1} x", "not JSON" },
        { "{\"k\":\"limit\",\"t\":1,\"limit\":\"\xff\"}", "not JSON" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ccm_obs o;
        ccm_obs_json *keep;
        g_autoptr(GError) error = NULL;
        g_assert_false(ccm_obs_from_json(rows[i].line, strlen(rows[i].line), &o, &keep, &error));
        g_assert_error(error, CCM_ERROR, CCM_ERROR_CORRUPT);
        g_assert_null(keep);
        if (!strstr(error->message, rows[i].says))
            g_error("%s: %s", rows[i].line, error->message);
    }
}

/* Each shorter line is an error, never a shorter observation. */
static void test_cut(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    ccm_obs o = example();
    ccm_obs_to_json(&o, out);
    for (size_t n = 0; n < out->len; n++) {
        g_autofree char *exact = g_memdup2(out->str, n); /* sanitizers see a read past its end */
        ccm_obs_json *keep;
        g_assert_false(ccm_obs_from_json(exact ? exact : "", n, &o, &keep, NULL));
    }
}

static void random_text(GByteArray *out, size_t max)
{
    size_t n = (size_t)g_test_rand_int_range(1, (gint32)max + 1);
    g_byte_array_set_size(out, (guint)n);
    bool wild = g_test_rand_bit();
    for (size_t i = 0; i < n; i++)
        out->data[i] =
            (uint8_t)(wild ? g_test_rand_int_range(0, 256) : g_test_rand_int_range(0x20, 0x7f));
}

static uint64_t random_u64(void)
{
    uint64_t v = (uint64_t)(uint32_t)g_test_rand_int() << 32 | (uint32_t)g_test_rand_int();
    return v >> g_test_rand_int_range(0, 64);
}

static ccm_endpoint random_endpoint(void)
{
    ccm_endpoint e = { 0 };
    unsigned size = (unsigned[]){ 0, 4, 16 }[g_test_rand_int_range(0, 3)];
    e.addr.family = size == 16 ? 6 : (uint8_t)size;
    for (unsigned i = 0; i < size; i++)
        e.addr.b[i] = (uint8_t)(g_test_rand_bit() ? 0 : g_test_rand_int_range(0, 256));
    if (size)
        e.port = (uint16_t)g_test_rand_int_range(0, 65536);
    return e;
}

static void random_obs(ccm_obs *o, GByteArray *texts[CCM_OBS_ATTRS], size_t max)
{
    *o = (ccm_obs){ .kind = (ccm_obs_kind)g_test_rand_int_range(0, CCM_OBS_KINDS),
                    .l4 = (uint8_t)g_test_rand_int_range(0, 256),
                    .time_ns = random_u64(),
                    .frame = random_u64(),
                    .flow = random_u64(),
                    .src = random_endpoint(),
                    .dst = random_endpoint() };
    unsigned start = (unsigned)g_test_rand_int_range(0, CCM_KEYS);
    for (unsigned i = 0; i < CCM_KEYS; i++) {
        ccm_key key = (ccm_key)((start + i) % CCM_KEYS);
        if (!ccm_kind_has(o->kind, key) || g_test_rand_int_range(0, 4) == 0)
            continue;
        GByteArray *text = texts[o->n];
        switch (ccm_key_type(key)) {
        case CCM_TYPE_U64:
            ccm_obs_u64(o, key, random_u64());
            break;
        case CCM_TYPE_BOOL:
            ccm_obs_flag(o, key, g_test_rand_bit());
            break;
        case CCM_TYPE_STR:
            random_text(text, max);
            ccm_obs_str(o, key, ccm_span_of(text->data, text->len));
            break;
        }
    }
}

static void same_obs(const ccm_obs *a, const ccm_obs *b)
{
    g_assert_cmpint(a->kind, ==, b->kind);
    g_assert_cmpuint(a->l4, ==, b->l4);
    g_assert_cmpuint(a->n, ==, b->n);
    g_assert_cmpuint(ccm_min64(a->time_ns, INT64_MAX), ==, b->time_ns);
    g_assert_cmpuint(ccm_min64(a->frame, INT64_MAX), ==, b->frame);
    g_assert_cmpuint(ccm_min64(a->flow, INT64_MAX), ==, b->flow);
    g_assert_cmpint(ccm_addr_cmp(&a->src.addr, &b->src.addr), ==, 0);
    g_assert_cmpint(ccm_addr_cmp(&a->dst.addr, &b->dst.addr), ==, 0);
    g_assert_cmpuint(a->src.port, ==, b->src.port);
    g_assert_cmpuint(a->dst.port, ==, b->dst.port);
    for (int i = 0; i < a->n; i++) {
        g_assert_cmpuint(ccm_obs_key(a, (unsigned)i), ==, ccm_obs_key(b, (unsigned)i));
        if (ccm_key_type(ccm_obs_key(a, (unsigned)i)) == CCM_TYPE_STR) {
            g_autoptr(GString) x = g_string_new(NULL), y = g_string_new(NULL);
            ccm_text_append(x, a->val[i].s);
            ccm_text_append(y, b->val[i].s);
            g_assert_cmpstr(x->str, ==, y->str);
        } else {
            g_assert_cmpuint(ccm_min64(a->val[i].u, INT64_MAX), ==, b->val[i].u);
        }
    }
}

/* Random observations survive writing and reading, and the second line equals the first. */
static void round_trips(unsigned rounds, size_t max_text)
{
    GByteArray *texts[CCM_OBS_ATTRS];
    for (size_t i = 0; i < CCM_OBS_ATTRS; i++)
        texts[i] = g_byte_array_new();
    for (unsigned round = 0; round < rounds; round++) {
        g_autoptr(GString) first = g_string_new(NULL), second = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        ccm_obs o, back;
        ccm_obs_json *keep;
        random_obs(&o, texts, max_text);
        ccm_obs_to_json(&o, first);
        g_assert_cmpuint(first->len, <, 1 << 20); /* the bound of a line */
        bool ok = ccm_obs_from_json(first->str, first->len, &back, &keep, &error);
        g_assert_no_error(error);
        g_assert_true(ok);
        same_obs(&o, &back);
        ccm_obs_to_json(&back, second);
        g_assert_cmpstr(first->str, ==, second->str);
        ccm_obs_json_free(keep);
    }
    for (size_t i = 0; i < CCM_OBS_ATTRS; i++)
        g_byte_array_unref(texts[i]);
}

static void test_round_trip(void)
{
    round_trips(5000, 30);
}

static void test_round_trip_long(void)
{
    round_trips(30, CCM_OBS_TEXT_MAX + 100);
}

/* Room for more keys than a byte can tell apart: 300 is 256 + 44. */
static void test_many_keys(void)
{
    ccm_obs o = { .kind = CCM_OBS_run };
    ccm_obs_u64(&o, (ccm_key)300, 7);
    g_assert_false(ccm_obs_has(&o, (ccm_key)44));
    ccm_obs_u64(&o, (ccm_key)44, 8);
    g_assert_cmpuint(ccm_obs_get_u64(&o, (ccm_key)300), ==, 7);
    g_assert_cmpuint(ccm_obs_get_u64(&o, (ccm_key)44), ==, 8);
    g_assert_cmpuint(ccm_obs_key(&o, 0), ==, 300);
    g_assert_cmpuint(ccm_obs_key(&o, 1), ==, 44);
    ccm_obs_clear(&o);
    ccm_obs_u64(&o, (ccm_key)44, 9);
    g_assert_cmpuint(ccm_obs_key(&o, 0), ==, 44);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/observe/vocabulary", test_vocabulary);
    g_test_add_func("/observe/line", test_line);
    g_test_add_func("/observe/read", test_read);
    g_test_add_func("/observe/strict", test_strict);
    g_test_add_func("/observe/cut", test_cut);
    g_test_add_func("/observe/round-trip", test_round_trip);
    g_test_add_func("/observe/round-trip-long", test_round_trip_long);
    g_test_add_func("/observe/many-keys", test_many_keys);
    return g_test_run();
}
