/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_known.c - what is remembered of a request is what a fresh look at it gives, whatever was
 * asked before. The oracles are the matcher, the naming and the rules of authentication, which have
 * tests of their own. */
#include "model/known.h"
#include "model/model.h"
#include "model/naming.h"

static void same_as_fresh(ccm_model *m, const ccm_request *r)
{
    const ccm_known_request *got = ccm_known_request_of(m, r);
    ccm_auth_request auth = ccm_auth_request_of(r->method, r->target, r->user_agent);
    ccm_content_name name;
    ccm_match hit;

    ccm_catalog_match(m->catalog, r, &hit);
    g_assert_cmpint(got->hit.mark, ==, hit.mark);
    g_assert_cmpint(got->hit.proxy, ==, hit.proxy);
    g_assert_cmpint(got->hit.agent, ==, hit.agent);
    g_assert_cmpint(got->hit.route, ==, hit.route);
    g_assert_cmpint(got->hit.certainty, ==, hit.certainty);
    g_assert_cmpint(got->hit.form, ==, hit.form);
    g_assert_cmpuint(got->auth.path, ==, auth.path);
    g_assert_cmpint(got->auth.post, ==, auth.post);
    g_assert_cmpint(got->auth.task_sequence, ==, auth.task_sequence);
    g_assert_cmpuint(got->method, ==, r->method.n ? ccm_texts_find(&m->texts, r->method) : 0);
    g_assert_cmpuint(got->content, ==,
                     ccm_content_name_of(r->target, &name) ? ccm_texts_find(&m->texts, name.id)
                                                           : CCM_NONE);
}

static ccm_model *new_model(void)
{
    ccm_catalog *c = ccm_catalog_load(NULL, NULL);
    ccm_limits limits;

    ccm_limits_init(&limits);
    ccm_model *m = ccm_model_new(c, &limits);
    ccm_catalog_unref(c);
    return m;
}

/* Each text and the port vary alone and together; middle and end of most targets are alike, so many
 * share a place. */
static void test_all_fields(void)
{
    static const char *const targets[] = {
        "/SMS_MP/.sms_aut?MPLIST",
        "/sms_mp/.sms_aut?MPLIST",
        "/ccm_system/request",
        "/ccm_system_windowsauth/request",
        "/SMS_DP_SMSPKG$/ABC00012/sccm?/data.cab",
        "/SMS_DP_SMSPKG$/ABC00013/sccm?/data.cab",
        "/SMS_DP_SMSSIG$/ABC00012.1.tar",
        "/NOCERT_SMS_DP_SMSPKG%24/Content_x/sccm?/data.cab",
        "http://mp.example/ccm_system/request",
        "mp.example:443",
        "/",
        "",
    };
    static const char *const methods[] = { "GET", "CCM_POST", "BITS_POST", "CONNECT", "" };
    static const char *const hosts[] = { "mp.example", "mp.example:80",
                                         "download.windowsupdate.com", "" };
    static const char *const agents[] = { "ccmhttp", "Microsoft BITS/7.8", "SMS CCM 5.0 TS", "" };
    static const uint16_t ports[] = { 80, 443, 8530 };
    ccm_model *m = new_model();

    for (unsigned round = 0; round < 3; round++)
        for (unsigned t = 0; t < G_N_ELEMENTS(targets); t++)
            for (unsigned h = 0; h < G_N_ELEMENTS(hosts); h++)
                for (unsigned a = 0; a < G_N_ELEMENTS(agents); a++)
                    for (unsigned k = 0; k < G_N_ELEMENTS(methods); k++)
                        for (unsigned p = 0; p < G_N_ELEMENTS(ports); p++)
                            same_as_fresh(m, &(ccm_request){ .method = ccm_span_str(methods[k]),
                                                             .target = ccm_span_str(targets[t]),
                                                             .host = ccm_span_str(hosts[h]),
                                                             .user_agent = ccm_span_str(agents[a]),
                                                             .port = ports[p] });
    ccm_model_free(m);
}

/* Texts that join to the same bytes, and those that differ where no sample is taken. */
static void test_alike(void)
{
    static const char *const pairs[][2] = {
        { "/SMS_MP/.sms_aut?MPLISTx", "" },
        { "/SMS_MP/.sms_aut?MPLIST", "x" },
        { "/SMS_DP_SMSPKG$/ABC00012/aaaaaaaaaaaaaaaaaaaa/file.cab", "h" },
        { "/SMS_DP_SMSPKG$/ABD00012/aaaaaaaaaaaaaaaaaaaa/file.cab", "h" },
    };
    ccm_model *m = new_model();

    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < G_N_ELEMENTS(pairs); i++)
            same_as_fresh(m, &(ccm_request){ .method = ccm_span_str("GET"),
                                             .target = ccm_span_str(pairs[i][0]),
                                             .host = ccm_span_str(pairs[i][1]),
                                             .port = 80 });
    ccm_model_free(m);
}

/* Lengths round the room that a request has, and far beyond. */
static void test_long(void)
{
    ccm_model *m = new_model();

    for (size_t n = 300; n < 9000; n += n < 340 ? 1 : 977) {
        g_autofree char *target = g_malloc0(n + 1);
        memset(target, 'x', n);
        memcpy(target, "/ccm_system/", 12);
        for (unsigned i = 0; i < 2; i++)
            same_as_fresh(m, &(ccm_request){ .method = ccm_span_str("GET"),
                                             .target = ccm_span_of(target, n),
                                             .port = 80 });
    }
    ccm_model_free(m);
}

/* Once the room for texts is used up a new one is "other", and one that is kept is not. */
static void test_full(void)
{
    ccm_model *m = new_model();
    ccm_request old = { .method = ccm_span_str("GET"),
                        .target = ccm_span_str("/SMS_DP_SMSPKG$/ABC00012/sccm?/a"),
                        .port = 80 };
    ccm_request late = { .method = ccm_span_str("GET"),
                         .target = ccm_span_str("/SMS_DP_SMSPKG$/ABC00099/sccm?/a"),
                         .port = 80 };

    same_as_fresh(m, &old);
    m->texts.bytes = CCM_TEXTS_BYTES;
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpuint(ccm_known_request_of(m, &late)->content, ==, 0);
        same_as_fresh(m, &old);
    }
    g_assert_true(m->texts.full);
    ccm_model_free(m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/known/all-fields", test_all_fields);
    g_test_add_func("/known/alike", test_alike);
    g_test_add_func("/known/long", test_long);
    g_test_add_func("/known/full", test_full);
    return g_test_run();
}
