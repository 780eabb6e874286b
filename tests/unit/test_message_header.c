/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_message_header.c - every element and attribute of a <Msg> header, and messages in which
 * bytes are missing. Expected values by hand from the XML below and that of the worked example. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "message_driver.h"
#include "message_vectors.h"

/* Of the worked example, behind the delimiter of its first part: found with grep. */
enum { HEADER_END = 5320 };

#define PARTS "multipart/mixed; boundary=b"

static char *framed(const char *header)
{
    return g_strconcat("--b\r\n\r\n", header, "\r\n--b\r\n\r\n<Status/>\r\n--b--", NULL);
}

/* The ccm_message_header of a message with this header; free it. "" = none. */
static char *said(const char *header, bool reply)
{
    g_autofree char *body = framed(header);
    mdrive_case x = { CCM_DEPTH_FULL, .reply = reply,       .content_type = PARTS,
                      .body = body,   .size = strlen(body), .status = reply ? 200 : 0 };
    g_autofree char *got = play(&x);
    const char *from = strstr(got, "ccm_message_header "), *to = from ? strchr(from, '\n') : NULL;
    return from ? g_strndup(from, (gsize)(to - from)) : g_strdup("");
}

static void test_everything(void)
{
    g_autofree char *got = said(
        "<Msg SchemaVersion='1.1' ReplyCompression=\"none\"><Attachment Offset=\"0\" Length=\"9\" "
        "Type=\"ByteRange\" Name=\"a&amp;b.log\"/><Attachment Name=\"c\"/>"
        "<Body Type=\"ByteRange\" Length=\"9\" Offset=\"9\"/><CorrelationID/><Hooks>"
        "<Hook Name=\"compress\"/><Hook Name=\"authenticate\"/><Hook2 Name=\"clientauth\">"
        "<Property Name=\"PublicKey\">0602</Property><Property Name=\"ClientCapability\">NonSSL"
        "</Property></Hook2><Hook3 Name=\"zlib-compress\"/></Hooks><ID>{7}</ID>"
        "<Payload Type=\"inline\"/><Priority>16</Priority>"
        "<Property Name=\"FileType\" Value=\"SMX\"/><Property Name=\"Empty\" Value=\"\"/>"
        "<Protocol>http</Protocol><ReplyCapabilities><AllowRegistrationReset>"
        "direct:WKS01:ClientRegistration</AllowRegistrationReset></ReplyCapabilities>"
        "<ReqVersion>5931</ReqVersion><SourceType Type=\"9\">a parameter</SourceType>"
        "<Timeout>60000</Timeout></Msg>",
        false);
    g_assert_cmpstr(got, ==,
                    "ccm_message_header C message_id={7} schema_version=1.1 reply_compression=none "
                    "public_key=1 client_capabilities=NonSSL priority=16 protocol=http "
                    "registration_reset=direct:WKS01:ClientRegistration request_version=5931 "
                    "timeout=60000 source_type=9, a parameter "
                    "hooks=compress, authenticate, clientauth, zlib-compress "
                    "properties=FileType=SMX, Empty= body_place=ByteRange, 9 bytes at 9 "
                    "attachment_list=a&b.log: ByteRange, 9 bytes at 0, c: no type");
}

static void test_reply(void)
{
    g_autofree char *got =
        said("<Msg><ID>{8}</ID><Hooks><Hook2 Name=\"clientauth\">"
             "<Property Name=\"Signature\">AB</Property><Property Name=\"MPSiteCode\">ABC"
             "</Property><Property Name=\"CMMessageSourceInfo\">SourceHost=MP1;SourceType=2;"
             "SourceTypeParam=x</Property></Hook2></Hooks></Msg>",
             true);
    g_assert_cmpstr(got, ==,
                    "ccm_message_header S reply=1 message_id={8} site_code=ABC "
                    "message_source=SourceHost=MP1;SourceType=2;SourceTypeParam=x "
                    "hooks=clientauth");
}

/* What is no number, comes twice, stands in the wrong place or is not there is not told. */
static void test_odd(void)
{
    static const struct {
        const char *header, *want;
    } rows[] = {
        { "<Msg/>", "" },
        { "<Msg>text<Priority>1</Priority>text</Msg>", "ccm_message_header C priority=1" },
        { "<Msg><Priority>high</Priority><Timeout>-1</Timeout></Msg>", "" },
        { "<Msg><Priority>1</Priority><Priority>5</Priority></Msg>",
          "ccm_message_header C priority=1" },
        { "<Msg><Other><Priority>1</Priority></Other><Hooks><Priority>5</Priority></Hooks></Msg>",
          "" },
        { "<Msg><Property Name=\"PublicKey\">06</Property><Property Value=\"x\"/></Msg>",
          "ccm_message_header C properties=PublicKey=" },
        { "<Msg><Hooks><Hook2 Name=\"other\"><Property Name=\"PublicKey\">06</Property></Hook2>"
          "</Hooks></Msg>",
          "ccm_message_header C hooks=other" },
        { "<Msg><Body/></Msg>", "ccm_message_header C body_place=no type" },
        { "<Msg><Protocol>h&lt;p</Protocol></Msg>", "ccm_message_header C protocol=h<p" },
        { "<Msg><AllowRegistrationReset>x</AllowRegistrationReset></Msg>", "" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *got = said(rows[i].header, false);
        g_assert_cmpstr(got, ==, rows[i].want);
    }
}

/* Values that are secrets, or too long to be what they should be, are not shown, not even in part.
 */
static void test_secrets(void)
{
    static const char *const shapes[] = {
        "<Msg><Property Name=\"Signature\" Value=\"%s\"/></Msg>",
        "<Msg><Property Name=\"x\" Value=\"%s\"/></Msg>",
        "<Msg><Property Name=\"%s\" Value=\"x\"/></Msg>",
        "<Msg><SourceType Type=\"%s\"/></Msg>",
        "<Msg><SourceType Type=\"1\">%s</SourceType></Msg>",
        "<Msg><Attachment Name=\"%s\"/></Msg>",
        "<Msg><Body Type=\"%s\"/></Msg>",
        "<Msg><Hooks><Hook Name=\"%s\"/></Hooks></Msg>",
        "<Msg><ReqVersion>%s</ReqVersion></Msg>",
        "<Msg ReplyCompression=\"%s\"/>",
        "<Msg><ReqVersion>&amp;%s</ReqVersion></Msg>",
    };
    g_autofree char *hex = g_strnfill(512, 'F');
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autofree char *header = g_strdup_printf(shapes[i], hex);
        g_autofree char *got = said(header, false);
        g_assert_nonnull(strstr(got, "..."));
        g_assert_null(strstr(got, "FF"));
    }
    g_autofree char *word =
        said("<Msg><Property Name=\"Password\" Value=\"hunter2\"/></Msg>", false);
    g_assert_cmpstr(word, ==, "ccm_message_header C properties=Password=...");
}

/* Values with entities have room for 1024 bytes together; one beyond that is not told in part. */
static void test_entities(void)
{
    g_autofree char *filling = g_strnfill(600, 'x');
    g_autofree char *header =
        g_strdup_printf("<Msg><Timeout>&#49;</Timeout><Priority>&#53;</Priority>"
                        "<ReqVersion>&lt;%s</ReqVersion><Protocol>&lt;%s</Protocol></Msg>",
                        filling, filling);
    g_autofree char *got = said(header, false);
    g_assert_cmpstr(got, ==, "ccm_message_header C timeout=1 priority=5 request_version=...");
}

/* A list keeps whole items only, and says when there were more. */
static void test_long_list(void)
{
    g_autoptr(GString) header = g_string_new("<Msg>");
    for (unsigned i = 0; i < 40; i++)
        g_string_append_printf(header, "<Attachment Type=\"ByteRange\" Name=\"file%02u\"/>", i);
    g_string_append(header, "</Msg>");
    g_autofree char *got = said(header->str, false);
    /* "file00: ByteRange, " are 19 bytes: 26 of them, and the mark, have room in 512 */
    g_assert_true(g_str_has_suffix(got, "file25: ByteRange, ..."));
    g_assert_null(strstr(got, "file26"));
}

/* ---- missing bytes --------------------------------------------------------------------------- */

static size_t place(const GByteArray *a, size_t from, const char *utf16)
{
    g_autoptr(GByteArray) wanted = g_byte_array_new();
    add_utf16(wanted, utf16, false);
    const uint8_t *at = memmem(a->data + from, a->len - from, wanted->data, wanted->len);
    g_assert_nonnull(at);
    return (size_t)(at - a->data);
}

/* Cut inside its key: whose hook it is and who sent it is there, so it is told. */
static void test_cut_in_key(void)
{
    g_autoptr(GByteArray) a = policy_body();
    mdrive_case x = { CCM_DEPTH_FULL, .content_type = TYPE, .body = a->data,
                      .size = place(a, 0, "52534131"), .cut = true };
    expect(&x, "ccm_message C sender_machine=WKS01 signed=1 incomplete=1\n"
               "ccm_message_header C schema_version=1.1 reply_compression=zlib hooks=clientauth "
               "body_place=ByteRange, 740 bytes at 0\n"
               "ccm_body C kind=message detail=header cut short incomplete=1\n");
    x.depth = CCM_DEPTH_HEADER;
    expect(&x, "ccm_message C sender_machine=WKS01 signed=1 incomplete=1\n");
    x.size = place(a, 0, "clientauth"); /* the name is not there */
    expect(&x, "ccm_message C incomplete=1\n");
}

/* With any run of bytes missing, nothing is told that the whole message does not say. */
static void test_each_hole(void)
{
    g_autoptr(GByteArray) a = policy_body();
    mdrive_case x = { CCM_DEPTH_FULL, .content_type = TYPE, .body = a->data, .size = a->len };
    g_autofree char *whole = play(&x);
    for (unsigned depth = CCM_DEPTH_HEADER; depth <= CCM_DEPTH_FULL; depth++)
        for (x.holed = 1; x.holed < a->len; x.holed = x.holed * 5 + 2)
            for (x.hole = 0; x.hole < a->len; x.hole++) {
                x.depth = (ccm_depth)depth;
                g_autofree char *got = play(&x);
                expect_parts_of(got, whole, x.hole);
                /* Enough of the last delimiter that is wanted was there. */
                bool there = x.hole >= (depth == CCM_DEPTH_FULL ? a->len - 2 : HEADER_END);
                g_assert_true(!*got || there || strstr(got, "incomplete=1"));
            }
}

/* A segment of the header is lost, the body behind it is there. */
static void test_hole_in_header(void)
{
    g_autoptr(GByteArray) a = policy_body();
    mdrive_case x = { CCM_DEPTH_FULL,
                      .content_type = TYPE,
                      .body = a->data,
                      .size = a->len,
                      .hole = place(a, 0, "52534131"),
                      .holed = 1460 };
    g_autofree char *got = play(&x);
    g_assert_true(g_str_has_prefix(
        got, "ccm_message C sender_machine=WKS01 signed=1 compressed=1 incomplete=1\n"));
    g_assert_nonnull(strstr(got, "root=RequestAssignments kind=policy assignment request "
                                 "detail=type=Always resource=Machine source=SMS:ABC client_id=" ID
                                 " name=WKS01 host=wks01.lab.example\n"));
    x.hole = 0; /* its beginning, with the first delimiter */
    g_autofree char *headless = play(&x);
    g_assert_true(g_str_has_prefix(headless, "ccm_message C compressed=1 incomplete=1\n"));
    g_assert_nonnull(strstr(headless, "root=RequestAssignments "));
}

/* Cut inside the first tag of the header, which is no payload for that. */
static void test_hole_in_first_tag(void)
{
    g_autoptr(GByteArray) a = policy_body();
    mdrive_case x = { CCM_DEPTH_FULL,
                      .content_type = TYPE,
                      .body = a->data,
                      .size = a->len,
                      .hole = place(a, 0, "ReplyCompression"),
                      .holed = 200 };
    g_autofree char *got = play(&x);
    g_assert_true(g_str_has_prefix(got, "ccm_message C compressed=1 incomplete=1\n"));
    g_assert_nonnull(strstr(got, "root=RequestAssignments "));
}

/* Cut behind the header: compressed, as its hook says, and not without a body. */
static void test_cut_before_body(void)
{
    g_autoptr(GByteArray) a = policy_body();
    mdrive_case x = { CCM_DEPTH_FULL, .content_type = TYPE, .body = a->data, .size = HEADER_END,
                      .cut = true };
    for (; x.size < HEADER_END + 46;
         x.size++) { /* "content-type: application/octet-stream", a byte */
        g_autofree char *got = play(&x);
        g_assert_nonnull(strstr(got, " compressed=1"));
        g_assert_nonnull(strstr(got, "kind=policy request detail=body cut short incomplete=1\n"));
    }
}

/* Bytes of the body are lost: no verdict on its signature, and the header is whole. */
static void test_hole_in_body(void)
{
    g_autoptr(GByteArray) a = policy_body();
    mdrive_case x = { CCM_DEPTH_FULL, .content_type = TYPE, .body = a->data,
                      .size = a->len, .holed = 10,          .hole = a->len - 60 };
    g_autofree char *got = play(&x);
    g_assert_nonnull(strstr(got, "hooks=clientauth, zlib-compress "));
    g_assert_nonnull(strstr(got, "signature C field=payload client_id=" ID " result=unverifiable"));
    g_assert_nonnull(
        strstr(got, "signature C field=message-client-id client_id=" ID " result=verified"));
    g_assert_nonnull(strstr(got, "kind=policy assignment request "));
}

/* Behind a second gap, or where the content is coded, nothing more is wanted. */
static void test_gaps(void)
{
    static const struct {
        ccm_depth depth;
        unsigned gaps;
        bool coded, wants;
    } rows[] = { { CCM_DEPTH_FULL, 1, false, true },
                 { CCM_DEPTH_FULL, 2, false, false },
                 { CCM_DEPTH_FULL, 1, true, false },
                 { CCM_DEPTH_HEADER, 1, false, false } };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        mdrive d;
        mdrive_open(&d, false);
        ccm_collect *c = ccm_collect_begin(&d.ps, rows[i].depth, false, ccm_span_str(PARTS));
        g_assert_true(ccm_collect_feed(c, &d.ps, ccm_span_str("--b\r\n\r\n<Msg>")));
        for (unsigned k = 0; k < rows[i].gaps; k++)
            ccm_collect_gap(c, 5, rows[i].coded);
        g_assert_cmpint(ccm_collect_wants(c), ==, rows[i].wants);
        ccm_collect_free(c);
        mdrive_close(&d);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/message-header/everything", test_everything);
    g_test_add_func("/message-header/reply", test_reply);
    g_test_add_func("/message-header/odd", test_odd);
    g_test_add_func("/message-header/secrets", test_secrets);
    g_test_add_func("/message-header/entities", test_entities);
    g_test_add_func("/message-header/long-list", test_long_list);
    g_test_add_func("/message-header/cut-in-key", test_cut_in_key);
    g_test_add_func("/message-header/each-hole", test_each_hole);
    g_test_add_func("/message-header/hole-in-header", test_hole_in_header);
    g_test_add_func("/message-header/hole-in-first-tag", test_hole_in_first_tag);
    g_test_add_func("/message-header/cut-before-body", test_cut_before_body);
    g_test_add_func("/message-header/hole-in-body", test_hole_in_body);
    g_test_add_func("/message-header/gaps", test_gaps);
    return g_test_run();
}
