/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_naming.c - plain words of requests. Targets and their meanings are those of
 * ccm-protocol.md 2.3 (lookups), 2.4 (policies), 2.5 (documents), 2.6 (content), 2.8 and 6.1. */
#include <sys/mman.h>
#include <unistd.h>
#include "model/naming.h"

static const struct {
    const char *method, *target, *soap, *words;
} rows[] = {
    { "GET", "/SMS_MP/.sms_aut?MPLIST", "", "list of management points" },
    { "GET", "/SMS_MP/.sms_aut?MPLIST1&DEF", "", "list of management points of site DEF" },
    { "GET", "/sms_mp/.SMS_AUT?mplist2", "", "extended list of management points" },
    { "GET", "/SMS_MP/.sms_aut?MPCERT2", "", "certificates of the management point" },
    { "GET", "/SMS_MP/.sms_aut?MPKEYINFORMATIONMEDIA", "",
      "keys of the management point, for boot media" },
    { "GET", "/SMS_MP/.sms_aut?MPTRK", "", "trusted root key" },
    { "GET", "/SMS_MP_AltAuth/.sms_aut?SITESIGNCERT", "", "site signing certificate" },
    { "GET", "/SMS_MP/.sms_aut?MPLOCATION&ir=10.0.0.1&ip=10.0.0.0", "",
      "management point for boot media" },
    { "GET", "/SMS_MP/.sms_aut?GETCLIENTAFFINITY&GUID:1", "", "users of client GUID:1" },
    { "GET", "/SMS_MP/.sms_aut?NOSUCHQUERY", "", "Location or key lookup" },
    { "GET", "/SMS_MP/.sms_pol?{0A0B0C0D-1111-4222-8333-444455556666}.2_00", "",
      "policy {0A0B0C0D-1111-4222-8333-444455556666}, version 2_00" },
    { "HEAD", "/SMS_MP/.sms_pol?PS120003-PS100009-6F6BCC28.1_00", "",
      "policy PS120003-PS100009-6F6BCC28, version 1_00" },
    { "GET", "/SMS_MP/.sms_pol?SRC10000.SHA256:0123", "", "policy SRC10000 by hash" },
    { "GET", "/SMS_MP/.sms_pol?{01000053}-{RR2}", "", "policy {01000053}-{RR2}" },
    { "GET",
      "/SMS_MP/.sms_dcm?Id&DocumentId=GLOBAL/Platform_Settings/PROPERTIES&Hash=0&Compression=zlib",
      "", "compliance document GLOBAL/Platform_Settings/PROPERTIES" },
    { "PROPFIND", "/SMS_DP_SMSPKG$/ABC00012/", "", "list of files: package ABC00012" },
    { "HEAD", "/SMS_DP_SMSPKG$/ABC00012/sccm?/setup.exe", "",
      "probe of package ABC00012, file setup.exe" },
    { "GET", "/NOCERT_SMS_DP_SMSPKG$/ABC00012/data1.cab", "", "package ABC00012, file data1.cab" },
    { "GET", "/SMS_DP_SMSPKG%24/ABC00012/sccm?/sub%20dir/data.cab", "",
      "package ABC00012, file sub%20dir/data.cab" },
    { "GET", "/CCMTOKENAUTH_SMS_DP_SMSPKG$/Content_0b1c2d3e-4f50-4617-8273-849500000001.1/sccm?/a",
      "", "application content Content_0b1c2d3e-4f50-4617-8273-849500000001, version 1, file a" },
    { "GET", "/SMS_DP_SMSPKG$/0a1b2c3d-5e6f-4071-8293-a4b5c6d7e8f9/sccm?/kb.cab", "",
      "update 0a1b2c3d-5e6f-4071-8293-a4b5c6d7e8f9, file kb.cab" },
    { "GET", "/SMS_DP_SMSSIG$/ABC00012.3.tar", "", "signature ABC00012, version 3" },
    { "GET", "/SMS_DP_SMSPKGC$/ABC00012/data1.cab", "", "package ABC00012, file data1.cab" },
    { "GET", "/SCCM_BranchCache$/ABC00012/sccm?/setup.exe", "",
      "package ABC00012, file setup.exe" },
    { "POST", "/bgb/handler.ashx?RequestType=LogIn", "", "client notification: log in" },
    { "POST", "/bgb/handler.ashx?RequestType=Continue", "", "client notification: keep alive" },
    { "POST", "/bgb/handler.ashx?RequestType=LogOut", "", "client notification: log out" },
    { "POST", "/ClientWebService/client.asmx",
      "http://www.microsoft.com/SoftwareDistribution/Server/ClientWebService/SyncUpdates",
      "Update scan: SyncUpdates" },
    { "POST", "/SMS_FSP/.sms_fsp", "", "Fallback status message" },
    { "GET", "/index.html", "", "" },
};

static ccm_request request_of(const char *method, const char *target)
{
    return (
        ccm_request){ .method = ccm_span_str(method), .target = ccm_span_str(target), .port = 80 };
}

static void test_words(void)
{
    ccm_catalog *catalog = ccm_catalog_load(NULL, NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        char words[CCM_NAMING_WORDS];
        ccm_request r = request_of(rows[i].method, rows[i].target);
        ccm_match hit;
        ccm_catalog_match(catalog, &r, &hit);
        ccm_naming_of(catalog, &r, &hit, ccm_span_str(rows[i].soap), words);
        g_assert_cmpstr(words, ==, rows[i].words);
    }
    ccm_catalog_unref(catalog);
}

static void test_no_content(void)
{
    static const char *const targets[] = {
        "",
        "/",
        "/SMS_DP_SMSPKG$",
        "/SMS_DP_SMSPKG$/",
        "/SMS_DP_SMSPKG$/Datalib",
        "/SMS_DP_SMSPKG$/ABC0001",
        "/SMS_DP_SMSPKG$/Content_xyz.1/",
        "/x/ABC00012/setup.exe",
    };
    ccm_content_name c;

    for (unsigned i = 0; i < G_N_ELEMENTS(targets); i++)
        g_assert_false(ccm_content_name_of(ccm_span_str(targets[i]), &c));
}

/* Every length of every target, up against an inaccessible page. */
static void test_truncated(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *room =
        mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ccm_catalog *catalog = ccm_catalog_load(NULL, NULL);

    g_assert_cmpint(mprotect(room + page, page, PROT_NONE), ==, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (size_t n = 0; n <= strlen(rows[i].target); n++) {
            char words[CCM_NAMING_WORDS];
            ccm_request r = request_of(rows[i].method, rows[i].target);
            r.target = ccm_span_of(room + page - n, n);
            memcpy(room + page - n, rows[i].target, n);
            ccm_naming_of(catalog, &r, NULL, ccm_span_str(rows[i].soap), words);
            g_assert_cmpuint(strlen(words), <, CCM_NAMING_WORDS);
        }
    }
    ccm_catalog_unref(catalog);
    munmap(room, 2 * page);
}

static void test_long(void)
{
    g_autofree char *long_name = g_strnfill(5000, 'x');
    g_autofree char *target = g_strconcat("/SMS_DP_SMSPKG$/ABC00012/", long_name, NULL);
    ccm_catalog *catalog = ccm_catalog_load(NULL, NULL);
    ccm_request r = request_of("GET", target);
    char words[CCM_NAMING_WORDS];

    ccm_naming_of(catalog, &r, NULL, ccm_span_str(long_name), words);
    g_assert_cmpuint(strlen(words), ==, CCM_NAMING_WORDS - 1);
    ccm_catalog_unref(catalog);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/naming/words", test_words);
    g_test_add_func("/naming/no-content", test_no_content);
    g_test_add_func("/naming/truncated", test_truncated);
    g_test_add_func("/naming/long", test_long);
    return g_test_run();
}
