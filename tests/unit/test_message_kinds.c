/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_message_kinds.c - what a body is, in plain words, and which fields it shows. The bodies are
 * written after the catalogue of roots; expected values by hand. */
#include <glib.h>
#include "observe/obs.h"
#include "proto/ccm_body.h"

#define ACTION(n) "<InventoryActionID>{00000000-0000-0000-0000-000000000" n "}</InventoryActionID>"
#define REPORT(content, type, more)                                                                \
    "<Report><ReportHeader><Identification><Machine><ClientID>GUID:1</ClientID>"                   \
    "<NetBIOSName>W1</NetBIOSName></Machine></"                                                    \
    "Identification><ReportDetails><ReportContent>" content "</ReportContent><ReportType>" type    \
    "</ReportType></ReportDetails>" more "</ReportHeader></Report>"

typedef struct row {
    const char *endpoint, *xml, *want;
} row;

static char *describe(const char *endpoint, const char *xml, size_t n)
{
    char *exact = g_memdup2(xml, n ? n : 1);
    ccm_body b;
    GString *s = g_string_new(NULL);
    if (ccm_body_parse(&b, ccm_span_of(exact, n), ccm_span_str(endpoint))) {
        g_string_append_printf(s, "%.*s [%.*s]", (int)b.n_kind, b.kind, (int)b.n_detail, b.detail);
        const struct {
            const char *label;
            ccm_span value;
        } rows[] = {
            { "client", b.client_id }, { "smsid", b.smsid }, { "name", b.name }, { "host", b.host }
        };
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
            if (rows[i].value.n)
                g_string_append_printf(s, " %s=%.*s", rows[i].label, (int)rows[i].value.n,
                                       (const char *)rows[i].value.p);
        if (b.approval != UINT64_MAX)
            g_string_append_printf(s, " approval=%u", (unsigned)b.approval);
        if (b.registration_status != UINT64_MAX)
            g_string_append_printf(s, " status=%u", (unsigned)b.registration_status);
        if (b.cut)
            g_string_append(s, " cut");
    }
    g_free(exact);
    return g_string_free(s, FALSE);
}

static void check(const row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t size = strlen(rows[i].xml);
        char *got = describe(rows[i].endpoint, rows[i].xml, size);
        g_assert_cmpstr(got, ==, rows[i].want);
        g_free(got);
        for (size_t cut = 0; cut < size; cut++) {
            got = describe(rows[i].endpoint, rows[i].xml, cut);
            g_assert_true(!*got || g_str_has_suffix(got, " cut"));
            g_free(got);
        }
    }
}

static void test_inventory(void)
{
    static const row rows[] = {
        { "MP_HinvEndpoint", REPORT("Inventory Data", "Full", ACTION("001")),
          "hardware inventory, full [type=Full] client=GUID:1 name=W1" },
        { "MP_HinvEndpoint", REPORT("Inventory Data", "Delta", ""),
          "hardware inventory, delta [type=Delta] client=GUID:1 name=W1" },
        { "", REPORT("Inventory Data", "Delta", ACTION("002")),
          "software inventory, delta [type=Delta] client=GUID:1 name=W1" },
        { "MP_DdrEndpoint", REPORT("Inventory Data", "Full", ACTION("003")),
          "heartbeat discovery [type=Full] client=GUID:1 name=W1" },
        { "", REPORT("Inventory Data", "Full", ACTION("010")),
          "collected files [type=Full] client=GUID:1 name=W1" },
        { "", REPORT("Inventory Data", "Full", ACTION("099")),
          "inventory, full [type=Full] client=GUID:1 name=W1" },
        { "mp_sinvendpoint", REPORT("Inventory Data", "Resync", ""),
          "software inventory [type=Resync] client=GUID:1 name=W1" },
        { "MP_RelayEndpoint", REPORT("Software Metering Data", "Full", ""),
          "software metering [type=Full] client=GUID:1 name=W1" },
        { "MP_SinvCollFileEndpoint", REPORT("File Collection", "Full", ""),
          "collected files [type=Full] client=GUID:1 name=W1" },
        { "MP_RelayEndpoint", "<Report/>", "report []" },
        { "",
          "<Report><ReportHeader><ClientVersion>5.0</ClientVersion><Date>20250304050607.0+000"
          "</Date></ReportHeader><ReportBody><Instance Class=\"A\" Content=\"New\"/>"
          "<Instance Class=\"B\"><B Secret=\"hidden\">hidden</B></Instance><Instance Class=\"A\"/>"
          "</ReportBody></Report>",
          "report [date=20250304050607.0+000 client=5.0 instances=3 classes=A,B]" },
    };
    check(rows, G_N_ELEMENTS(rows));
}

#define STATE(messages)                                                                            \
    "<Report><ReportHeader><ReportDetails><ReportContent>State Message Data</ReportContent>"       \
    "</ReportDetails></ReportHeader><ReportBody>" messages "</ReportBody></Report>"
#define MESSAGE(topic, state)                                                                      \
    "<StateMessage MessageTime=\"x\"><Topic ID=\"{9}\" Type=\"" topic                              \
    "\" User=\"u\"/><State ID=\"" state                                                            \
    "\"/><UserParameters Count=\"1\"><Param>private</Param></UserParameters></StateMessage>"

static void test_state(void)
{
    static const row rows[] = {
        { "MP_RelayEndpoint", STATE(MESSAGE("500", "3")),
          "state message: 500 update detection [messages=1 topics=500 states=3]" },
        { "MP_RelayEndpoint", STATE(MESSAGE("501", "1") MESSAGE("501", "2")),
          "state message: 501 update source scan [messages=2 topics=501 states=1,2]" },
        { "MP_RelayEndpoint", STATE(MESSAGE("500", "3") MESSAGE("1702", "1")),
          "state message: 500 update detection and others [messages=2 topics=500,1702 "
          "states=3,1]" },
        { "MP_RelayEndpoint", STATE(MESSAGE("4242", "1")),
          "state message: 4242 [messages=1 topics=4242 states=1]" },
        { "MP_RelayEndpoint", STATE(MESSAGE("x", "1")),
          "state message [messages=1 topics=x states=1]" },
        { "MP_RelayEndpoint", STATE(""), "state message []" },
    };
    check(rows, G_N_ELEMENTS(rows));
}

static void test_policy(void)
{
    static const row rows[] = {
        { "",
          "<RequestAssignments RequestType=\"Full\"><Resource ResourceType=\"User\"/>"
          "<Identification><Machine/><User><NT4UserName>LAB\\ann</NT4UserName></User>"
          "</Identification><ServerCookie>secret</ServerCookie></RequestAssignments>",
          "policy assignment request, user [type=Full resource=User user=LAB\\ann]" },
        { "",
          "<ReplyAssignments ReplyType=\"Delta\"><PolicyAssignment PolicyAssignmentID=\"{1}\">"
          "<Policy PolicyID=\"{1}\" PolicyCategory=\"NAAConfig\" PolicyFlags=\"22\">"
          "<PolicyLocation><![CDATA[http://<mp>/SMS_MP/.sms_pol?x]]></PolicyLocation></Policy>"
          "</PolicyAssignment><PolicyAssignment><Policy PolicyCategory=\"TaskSequence\" "
          "PolicyFlags=\"19\"/></PolicyAssignment><Signature><SignatureValue>AABB"
          "</SignatureValue></Signature></ReplyAssignments>",
          "policy assignment answer, delta [type=Delta policies=2 secret=1 "
          "categories=NAAConfig,TaskSequence]" },
        { "", "<Policy PolicyID=\"{1}\"><PolicySecret>89130000</PolicySecret></Policy>",
          "other: Policy []" },
    };
    check(rows, G_N_ELEMENTS(rows));
}

static void test_location(void)
{
    static const row rows[] = {
        { "",
          "<ContentLocationReply><ContentInfo PackageFlags=\"1\"/><Sites><Site>"
          "<MPSite SiteCode=\"ABC\"/><LocationRecords><LocationRecord>"
          "<URL Name=\"http://dp1/SMS_DP_SMSPKG$/ABC00012?sig=secret\"/></LocationRecord>"
          "<LocationRecord><URL Name=\"http://dp2/x\"/></LocationRecord></LocationRecords>"
          "</Site></Sites></ContentLocationReply>",
          "content location answer [site=ABC locations=2 "
          "url=http://dp1/SMS_DP_SMSPKG$/ABC00012,http://dp2/x]" },
        { "",
          "<WSUSLocationRequest><Content ID=\"{1}\" Version=\"2\"/><ClientLocationInfo "
          "OnInternet=\"0\"/></WSUSLocationRequest>",
          "software update point location request [content={1} version=2 internet=0]" },
        { "",
          "<WSUSLocationReply><LocationRecord WSUSURL=\"http://sup:8530\" ServerName=\"sup\" "
          "Version=\"2\"/></WSUSLocationReply>",
          "software update point location answer [url=http://sup:8530 server=sup version=2]" },
        { "", "<EnumerateMPLocationRequest RequestType=\"Proxy\"/>",
          "management point list request [type=Proxy]" },
        { "", "<SiteInformationRequest><SiteCode Name=\"ABC\"/></SiteInformationRequest>",
          "site information request [site=ABC]" },
        { "", "<UpdateSFRequest/>", "UpdateSF request to the location manager []" },
    };
    check(rows, G_N_ELEMENTS(rows));
}

static void test_identity(void)
{
    static const row rows[] = {
        { "",
          "<ClientRegistrationRequest><Data SMSID=\"GUID:7\" RequestType=\"Confirmation\">"
          "<AgentInformation AgentType=\"1\"/><Certificates><Signing KeyType=\"2\">3082"
          "</Signing></Certificates><DiscoveryProperties><Property Name=\"Netbios Name\" "
          "Value=\"W1\"/><Property Name=\"FQ Name\" Value=\"w1.lab\"/></DiscoveryProperties>"
          "</Data></ClientRegistrationRequest>",
          "registration confirmation [agent-type=osd key=pki] client=GUID:7 name=W1 "
          "host=w1.lab" },
        { "", "<ClientRegistrationResponse Status=\"3\" SMSID=\"\" ApprovalStatus=\"-1\"/>",
          "registration answer [status=rejected approval=unknown] status=3" },
        { "",
          "<ClientIDReply><Identification Unknown=\"0\" ItemKey=\"16777220\"><Machine>"
          "<ClientID>GUID:1</ClientID><NetbiosName>W1</NetbiosName></Machine></Identification>"
          "<PXEBootAction OfferID=\"ABC20001\" PkgID=\"ABC00001\" Mandatory=\"1\"/>"
          "</ClientIDReply>",
          "PXE client lookup answer [unknown=0 item=16777220 deployment=ABC20001 "
          "package=ABC00001 mandatory=1] client=GUID:1 name=W1" },
        { "",
          "<BgbRequestMessage><TaskID>1</TaskID><TaskType>15</TaskType><TaskParam>secret"
          "</TaskParam></BgbRequestMessage>",
          "notification: task for the client [task=1 type=15]" },
        { "",
          "<UploadRequest><MessageId>{1}</MessageId><NetworkType>Intranet</NetworkType>"
          "</UploadRequest>",
          "upload request [message={1} network=Intranet]" },
        { "", "<VeryUnknown secret=\"a\">b</VeryUnknown>", "other: VeryUnknown []" },
        { "", "", "" },
        { "", "text", "" },
        { "", "<\001x>", "" },
        { "", "<1/>", "" },
    };
    check(rows, G_N_ELEMENTS(rows));
}

/* Long values and long lists are bounded and never cut inside. */
static void test_bounds(void)
{
    GString *s = g_string_new("<ContentLocationReply>");
    char *host = g_strnfill(300, 'h');
    for (unsigned i = 0; i < 500; i++)
        g_string_append_printf(s, "<LocationRecord><URL Name=\"http://%u%s/\"/></LocationRecord>",
                               i, host);
    g_string_append(s, "</ContentLocationReply>");
    char *got = describe("", s->str, s->len);
    g_assert_true(g_str_has_prefix(got, "content location answer [locations=500 url=http://0hhh"));
    g_assert_true(g_str_has_suffix(got, "hhh,...]"));
    g_assert_cmpuint(strlen(got), <, 24 + 2 + CCM_BODY_DETAIL);
    g_free(got);
    g_string_free(s, TRUE);
    char *root = g_strdup_printf("<%s/>", host);
    got = describe("", root, strlen(root));
    g_assert_cmpstr(got, ==, "other: ... []"); /* half a name may be half a secret */
    g_free(got);
    char *hex = g_strnfill(512, 'F');
    char *secret = g_strdup_printf("<WSUSLocationRequest><Content ID=\"%s\" Version=\"7\"/>"
                                   "</WSUSLocationRequest>",
                                   hex);
    got = describe("", secret, strlen(secret));
    g_assert_cmpstr(got, ==, "software update point location request [content=... version=7]");
    g_free(got);
    g_free(secret);
    g_free(hex);
    g_free(root);
    g_free(host);
}

static void test_slice(void)
{
    static const char text[] = "<a><Database/><Data x=\"1\">y</Data><Signature/></a>";
    size_t n = strlen(text);
    uint8_t *wide = g_malloc0(2 * n);
    for (size_t i = 0; i < n; i++)
        wide[2 * i] = (uint8_t)text[i];
    for (size_t cut = 0; cut <= 2 * n; cut++) {
        uint8_t *exact = g_memdup2(wide, cut ? cut : 1);
        ccm_span s = ccm_body_signed_slice(ccm_span_of(exact, cut));
        if (cut < 2 * 34)
            g_assert_cmpuint(s.n, ==, 0);
        else
            g_assert_cmpmem(s.p, s.n, wide + 2 * 14, 2 * 20);
        g_free(exact);
    }
    g_free(wide);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/message-kinds/inventory", test_inventory);
    g_test_add_func("/message-kinds/state", test_state);
    g_test_add_func("/message-kinds/policy", test_policy);
    g_test_add_func("/message-kinds/location", test_location);
    g_test_add_func("/message-kinds/identity", test_identity);
    g_test_add_func("/message-kinds/bounds", test_bounds);
    g_test_add_func("/message-kinds/slice", test_slice);
    return g_test_run();
}
