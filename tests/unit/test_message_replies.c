/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_message_replies.c - answers to messages, what is no message, and signed headers. Expected
 * values by hand; sums with iconv and sha256sum. */
#include <glib.h>
#include "message_driver.h"

#define ID "GUID:11223344-5566-7788-99AA-BBCCDDEEFF00"

/* ---- replies --------------------------------------------------------------------------------- */

static void test_empty_reply(void)
{
    static const char want[] = "ccm_message S reply=1\n"
                               "ccm_body S reply=1 kind=rejected without reason (empty answer)\n";
    for (unsigned depth = CCM_DEPTH_HEADER; depth <= CCM_DEPTH_FULL; depth++) {
        mdrive_case x = { (ccm_depth)depth, .reply = true, .content_type = "", .status = 200 };
        expect(&x, want);
        x.status = 401;
        expect(&x, "");
        x.status = 200;
        x.cut = true;
        expect(&x, "");
    }
}

static void test_reply(void)
{
    static const char body[] =
        "--b\r\n\r\n<Msg><CorrelationID>{2}</CorrelationID><TargetEndpoint>ClientRegistration"
        "</TargetEndpoint><Hooks><Hook2 Name=\"clientauth\"><Property Name=\"Signature\">AB"
        "</Property></Hook2></Hooks></Msg>\r\n--b\r\n\r\n"
        "<ClientRegistrationResponse ResponseType=\"Registration\" TimeStamp=\"x\" Status=\"0\" "
        "SMSID=\"" ID "\" ApprovalStatus=\"1\"/>\r\n--b--";
    mdrive_case x = {
        CCM_DEPTH_FULL, .reply = true,        .content_type = "multipart/mixed; boundary=b",
        .body = body,   .size = strlen(body), .status = 200
    };
    expect(&x, "ccm_message S reply=1 correlation_id={2} endpoint=ClientRegistration signed=1\n"
               "ccm_message_header S reply=1 hooks=clientauth\n"
               "ccm_body S reply=1 endpoint=ClientRegistration body_bytes=151 "
               "root=ClientRegistrationResponse kind=registration answer "
               "detail=status=registered approval=approved smsid=" ID
               " approval=1 registration_status=0\n--\nlearn " ID "\n");
    x.depth = CCM_DEPTH_HEADER;
    x.piece = 1;
    char *got = play(&x);
    g_assert_cmpstr(got, ==, ""); /* no verdict asks for it */
    g_free(got);
}

/* Status 0 registered and 1 pending name the client; the others give nobody a key. */
static void test_registration_status(void)
{
    for (unsigned status = 0; status <= 4; status++) {
        g_autofree char *body = g_strdup_printf("--b\r\n\r\n<Msg/>\r\n--b\r\n\r\n"
                                                "<ClientRegistrationResponse Status=\"%u\" "
                                                "SMSID=\"" ID "\"/>\r\n--b--",
                                                status);
        mdrive_case x = {
            CCM_DEPTH_FULL, .reply = true,        .content_type = "multipart/mixed; boundary=b",
            .body = body,   .size = strlen(body), .status = 200
        };
        g_autofree char *got = play(&x);
        g_assert_cmpint(strstr(got, "learn " ID) != NULL, ==, status <= 1);
    }
}

static void test_plain_replies(void)
{
    static const char accepted[] = "ccm_message S reply=1\n"
                                   "ccm_body S reply=1 kind=accepted, answer comes later\n";
    static const struct {
        const char *body;
        size_t size;
        const char *want;
    } rows[] = {
        { "NoReply", 7, accepted },
        { "N\0o\0R\0e\0p\0l\0y\0\0\0", 16, accepted },
        { "\xff\xfeN\0o\0R\0e\0p\0l\0y\0", 16, accepted },
        { "--b\r\n\r\nNoReply\r\n--b--", 21, accepted },
        { "<HTML><BODY>error</BODY></HTML>", 31, "" },
        { "--b\r\n\r\n<other/>\r\n--b--", 22, "" },
        { "--b\r\n\r\n<UploadReply><Host>mp1</Host><URL>http://u:p@mp1/CCM_Incoming/{1}?sig=x"
          "</URL></UploadReply>\r\n--b--",
          105,
          "ccm_message S reply=1\nccm_body S reply=1 body_bytes=91 root=UploadReply "
          "kind=upload answer detail=host=mp1 url=mp1/CCM_Incoming/{1}\n" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        mdrive_case x = { CCM_DEPTH_FULL,       .reply = true,        .content_type = "",
                          .body = rows[i].body, .size = rows[i].size, .status = 200 };
        expect(&x, rows[i].want);
    }
}

/* Other traffic with parts is no message. */
static void test_no_message(void)
{
    static const char body[] = "--b\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nabc\r\n"
                               "--b\r\n\r\n<x/>\r\n--b--";
    for (unsigned depth = CCM_DEPTH_HEADER; depth <= CCM_DEPTH_FULL; depth++) {
        mdrive_case x = { (ccm_depth)depth, .content_type = "multipart/mixed; boundary=b",
                          .body = body, .size = strlen(body) };
        expect(&x, "");
        x.size = 0;
        expect(&x, "");
    }
}

/* ---- headers --------------------------------------------------------------------------------- */

static void test_header_signatures(void)
{
    mdrive d;
    mdrive_open(&d, true);
    char *hex = g_strnfill(512, 'b');
    ccm_header_signatures h = { .client_token = ccm_span_str(ID ";2025-03-04T05:06:07Z;2"),
                                .client_token_signature = ccm_span_str(hex),
                                .timestamp = ccm_span_str("2025-03-04T05:06:07Z"),
                                .timestamp_signature = ccm_span_str(hex) };
    ccm_header_signatures_emit(&d.ps, 0, 7, 55, 5, &h);
    g_assert_cmpstr(d.out->str, ==,
                    "signature C field=timestamp client_id=" ID " result=verified variant=v "
                    "key_source=message signature_hash=9\n"
                    "signature C field=client-token client_id=" ID " result=verified variant=v "
                    "key_source=message signature_hash=9\n");
    g_assert_cmpstr(
        d.claims->str, ==,
        "1 " ID " text=011066ae61922cad67a5402e1db5f0de0bb2c2ab49280d695f6b2354c4be9ae2 "
        "signature=bbbbbbbb oid= key=- certificate=-\n"
        "2 " ID " text=bbe9b12e093abe97a7850968280d2af4990b4b4a45ace6b2347d6a331a4061ab "
        "signature=bbbbbbbb oid= key=- certificate=-\n");
    g_string_truncate(d.out, 0);
    d.ps.verifier = NULL;
    h = (ccm_header_signatures){ .client_id_signature = ccm_span_str("zz") };
    ccm_header_signatures_emit(&d.ps, 0, 7, 55, 5, &h);
    g_assert_cmpstr(d.out->str, ==, "signature C field=client-id result=unverifiable\n");
    g_free(hex);
    mdrive_close(&d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/message-replies/empty-reply", test_empty_reply);
    g_test_add_func("/message-replies/reply", test_reply);
    g_test_add_func("/message-replies/registration-status", test_registration_status);
    g_test_add_func("/message-replies/plain-replies", test_plain_replies);
    g_test_add_func("/message-replies/no-message", test_no_message);
    g_test_add_func("/message-replies/header-signatures", test_header_signatures);
    return g_test_run();
}
