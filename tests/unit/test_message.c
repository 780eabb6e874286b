/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_message.c - whole messages: the worked examples, then the same messages in other forms.
 * Expected values: the XML that the examples were made of, and the SHA-256 sums that came with
 * them. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <glib.h>
#include <zlib.h>
#include "message_driver.h"
#include "message_vectors.h"

static GByteArray *location_body(void)
{
    GByteArray *a = decoded(location_request, LOCATION_SHA256);
    g_assert_cmpuint(a->len, ==, 2128);
    g_byte_array_remove_range(a, 0, 2128 - 1951); /* its Content-Length */
    return a;
}

static void add_zlib(GByteArray *a, const GByteArray *plain)
{
    uLongf n = compressBound(plain->len);
    guint8 *out = g_malloc(n);
    g_assert_cmpint(compress2(out, &n, plain->data, plain->len, 6), ==, Z_OK);
    g_byte_array_append(a, out, (guint)n);
    g_free(out);
}

#define LOCATION_MESSAGE                                                                           \
    "ccm_message C message_id={A1B2C3D4-0001-4000-8000-000000000001} source_id=" ID                \
    " source_host=WKS01 endpoint=MP_LocationManager "                                              \
    "target_address=mp:[http]MP_LocationManager target_host=MP1.LAB.EXAMPLE "                      \
    "reply_to=direct:WKS01:LS_ReplyLocations reply_mode=Sync payload_type=inline "                 \
    "sent_time=2025-03-04T05:06:07Z compressed=1\n"                                                \
    "ccm_message_header C message_id={A1B2C3D4-0001-4000-8000-000000000001} schema_version=1.1 "   \
    "reply_compression=zlib priority=0 protocol=http timeout=600 hooks=zlib-compress "             \
    "body_place=ByteRange, 900 bytes at 0\n"
#define LOCATION_BODY                                                                              \
    "ccm_body C message_id={A1B2C3D4-0001-4000-8000-000000000001} endpoint=MP_LocationManager "    \
    "body_bytes=902 root=ContentLocationRequest kind=content location request "                    \
    "detail=package=ABC00012 version=3 site=ABC type=SMSPackage ad-site=LAB-SITE "                 \
    "subnet=192.0.2.0 address=192.0.2.25\n"
#define POLICY_MESSAGE_ID "message_id={A1B2C3D4-0002-4000-8000-000000000002}"
#define POLICY_HEADER                                                                              \
    "ccm_message C " POLICY_MESSAGE_ID " source_id=" ID " source_host=WKS01 sender_machine=WKS01 " \
    "endpoint=MP_PolicyManager sent_time=2025-03-04T05:06:07Z signed=1 "                           \
    "algorithm=1.2.840.113549.1.1.11\n"
#define POLICY_FULL                                                                                \
    "ccm_message C " POLICY_MESSAGE_ID " source_id=" ID " source_host=WKS01 sender_machine=WKS01 " \
    "endpoint=MP_PolicyManager target_address=mp:MP_PolicyManager target_host=MP1.LAB.EXAMPLE "    \
    "reply_to=direct:WKS01:SccmMessaging reply_mode=Sync payload_type=inline "                     \
    "sent_time=2025-03-04T05:06:07Z signed=1 algorithm=1.2.840.113549.1.1.11 compressed=1\n"       \
    "ccm_message_header C " POLICY_MESSAGE_ID " schema_version=1.1 reply_compression=zlib "        \
    "public_key=1 client_capabilities=NonSSL priority=0 protocol=http timeout=60000 "              \
    "hooks=clientauth, zlib-compress body_place=ByteRange, 740 bytes at 0\n"                       \
    "ccm_body C " POLICY_MESSAGE_ID " endpoint=MP_PolicyManager body_bytes=742 "                   \
    "root=RequestAssignments kind=policy assignment request "                                      \
    "detail=type=Always resource=Machine source=SMS:ABC client_id=" ID                             \
    " name=WKS01 host=wks01.lab.example\n"

static void test_location(void)
{
    GByteArray *a = location_body();
    mdrive_case x = { CCM_DEPTH_FULL, .content_type = TYPE, .body = a->data, .size = a->len };
    expect(&x, LOCATION_MESSAGE LOCATION_BODY);
    x.content_type = ""; /* its head is lost */
    expect(&x, LOCATION_MESSAGE LOCATION_BODY);
    x.content_type = "multipart/mixed; boundary=another";
    expect(&x, LOCATION_MESSAGE LOCATION_BODY);
    x.content_type = TYPE;
    x.depth = CCM_DEPTH_HEADER;
    expect(&x, "ccm_message C message_id={A1B2C3D4-0001-4000-8000-000000000001} source_id=" ID
               " source_host=WKS01 endpoint=MP_LocationManager sent_time=2025-03-04T05:06:07Z\n");
    g_byte_array_unref(a);
}

static void test_policy(void)
{
    GByteArray *a = policy_body();
    mdrive_case x = { CCM_DEPTH_FULL, .content_type = TYPE, .body = a->data, .size = a->len };
    expect(&x, POLICY_FULL
           "signature C field=message-client-id client_id=" ID " result=verified variant=v "
           "algorithm=1.2.840.113549.1.1.11 key_source=message signature_hash=9\n"
           "signature C field=payload client_id=" ID " result=verified variant=v "
           "algorithm=1.2.840.113549.1.1.11 key_source=message signature_hash=9\n"
           "--\n"
           "3 " ID " text=" CLIENT_ID_SHA256 " signature=8CFC5A11 oid=1.2.840.113549.1.1.11 "
           "key=0602000000A40000 certificate=-\n"
           "4 " ID " bytes=" POLICY_PAYLOAD_SHA256 " signature=B345AD66 "
           "oid=1.2.840.113549.1.1.11 key=0602000000A40000 certificate=-\n");
    x.depth = CCM_DEPTH_HEADER;
    expect(&x, POLICY_HEADER);
    g_byte_array_unref(a);
}

/* The id is signed in capital letters, whatever SourceID is written in. */
static void test_capital_letters(void)
{
    GByteArray *a = policy_body();
    GByteArray *id = g_byte_array_new();
    add_utf16(id, ID, false);
    uint8_t *at = memmem(a->data, a->len, id->data, id->len);
    for (guint i = 10; i < id->len; i += 2)
        at[i] = (uint8_t)g_ascii_tolower((char)at[i]);
    mdrive_case x = { CCM_DEPTH_FULL, .content_type = TYPE, .body = a->data, .size = a->len };
    char *got = play(&x);
    g_assert_nonnull(strstr(got, "source_id=GUID:11223344-5566-7788-99aa-bbccddeeff00 "));
    g_assert_nonnull(strstr(got, "\n3 GUID:11223344-5566-7788-99aa-bbccddeeff00 "
                                 "text=" CLIENT_ID_SHA256 " "));
    g_free(got);
    g_byte_array_unref(id);
    g_byte_array_unref(a);
}

/* At header depth no byte behind the delimiter of the first part is wanted. */
static void test_wants(void)
{
    GByteArray *a = policy_body();
    mdrive d;
    mdrive_open(&d, false);
    mdrive_case x = { CCM_DEPTH_HEADER, .content_type = TYPE, .body = a->data, .size = a->len,
                      .piece = 1 };
    mdrive_play(&d, &x);
    size_t n = strlen("--" BOUNDARY);
    const uint8_t *second = memmem(a->data + n, a->len - n, "--" BOUNDARY, n);
    g_assert_cmpuint(d.shown, ==, (size_t)(second - a->data) + n);
    g_assert_cmpstr(d.out->str, ==, POLICY_HEADER);
    mdrive_close(&d);
    g_byte_array_unref(a);
}

static void test_no_verifier(void)
{
    GByteArray *a = policy_body();
    mdrive d;
    mdrive_open(&d, false);
    mdrive_case x = { CCM_DEPTH_FULL, .content_type = TYPE, .body = a->data, .size = a->len };
    mdrive_play(&d, &x);
    g_assert_nonnull(strstr(d.out->str, "signature C field=payload client_id=" ID
                                        " result=unverifiable algorithm=1.2.840.113549.1.1.11\n"));
    mdrive_close(&d);
    g_byte_array_unref(a);
}

/* A registration: part 2 of the example behind a header written here. */
static GByteArray *registration(void)
{
    GByteArray *part = decoded(registration_payload, REGISTRATION_SHA256);
    GByteArray *a = g_byte_array_new();
    add(a, "--" BOUNDARY "\r\ncontent-type: text/plain; charset=UTF-16\r\n\r\n\xff\xfe");
    add_utf16(a,
              "<Msg SchemaVersion=\"1.1\"><Body Type=\"ByteRange\" Length=\"7958\" Offset=\"0\"/>"
              "<Hooks><Hook3 Name=\"zlib-compress\"/></Hooks><ID>{1}</ID>"
              "<SourceID>UID:5</SourceID><TargetAddress>mp:[http]MP_ClientRegistration"
              "</TargetAddress></Msg>",
              false);
    add(a, "\r\n--" BOUNDARY "\r\ncontent-type: application/octet-stream\r\n\r\n");
    g_byte_array_append(a, part->data, part->len);
    add(a, "\r\n--" BOUNDARY "--");
    g_byte_array_unref(part);
    return a;
}

static void test_registration(void)
{
    GByteArray *a = registration();
    mdrive_case x = { CCM_DEPTH_FULL, .content_type = TYPE, .body = a->data, .size = a->len };
    expect(&x, "ccm_message C message_id={1} source_id=UID:5 endpoint=MP_ClientRegistration "
               "target_address=mp:[http]MP_ClientRegistration compressed=1\n"
               "ccm_message_header C message_id={1} schema_version=1.1 hooks=zlib-compress "
               "body_place=ByteRange, 7958 bytes at 0\n"
               "ccm_body C message_id={1} endpoint=MP_ClientRegistration body_bytes=7960 "
               "root=ClientRegistrationRequest kind=registration detail=agent=CCMSetup.exe "
               "version=5.00.9999.1000 agent-type=client key=self-signed name=WKS01 "
               "host=wks01.lab.example\n"
               "signature C field=registration client_id=UID:5 result=verified variant=v "
               "algorithm=1.2.840.113549.1.1.11 key_source=message signature_hash=9\n"
               "--\n5 UID:5 bytes=" REGISTRATION_DATA_SHA256 " signature=3D41C7C0 "
               "oid=1.2.840.113549.1.1.11 key=- certificate=308202B3\n");
    g_byte_array_unref(a);
}

/* ---- damage ---------------------------------------------------------------------------------- */

static void each_cut(GByteArray *a, ccm_depth depth)
{
    mdrive_case x = { depth, .content_type = TYPE, .body = a->data, .size = a->len };
    char *whole = play(&x);
    x.cut = true;
    for (size_t n = 0; n <= a->len; n++) {
        x.size = n;
        char *got = play(&x);
        expect_parts_of(got, whole, n);
        g_free(got);
    }
    g_free(whole);
}

static void test_cut(void)
{
    GByteArray *a[] = { location_body(), policy_body(), registration() };
    for (unsigned i = 0; i < G_N_ELEMENTS(a); i++) {
        each_cut(a[i], CCM_DEPTH_FULL);
        each_cut(a[i], CCM_DEPTH_HEADER);
        g_byte_array_unref(a[i]);
    }
}

/* A message whose second part was cut still says whose it is and, as far as it goes, what. */
static void test_lost_tail(void)
{
    GByteArray *a = location_body();
    mdrive_case x = { CCM_DEPTH_FULL, .content_type = TYPE, .body = a->data, .size = a->len - 150,
                      .lost = 150 };
    char *got = play(&x);
    g_assert_true(g_str_has_prefix(got, LOCATION_MESSAGE "ccm_body C "));
    g_assert_nonnull(strstr(got, "kind=content location request detail=package=ABC00012 "
                                 "version=3 site=ABC"));
    g_assert_true(g_str_has_suffix(got, " incomplete=1\n"));
    g_free(got);
    /* No verdict on a payload whose end is missing. */
    g_byte_array_unref(a);
    a = policy_body();
    x.body = a->data;
    x.size = a->len - 60;
    got = play(&x);
    g_assert_nonnull(strstr(got, "field=payload client_id=" ID " result=unverifiable"));
    g_assert_null(strstr(got, "bytes=4"));
    g_free(got);
    g_byte_array_unref(a);
}

static void test_limits(void)
{
    GByteArray *a = policy_body();
    mdrive d;
    mdrive_open(&d, false);
    d.limits.message_bytes = 5300;
    mdrive_case x = { CCM_DEPTH_FULL, .content_type = TYPE, .body = a->data, .size = a->len,
                      .piece = 100 };
    mdrive_play(&d, &x);
    g_assert_cmpuint(d.shown, <=, 5400);
    g_assert_true(g_str_has_suffix(d.out->str, "limit C limit=message_bytes count=1\n"));
    mdrive_close(&d);
    /* All flows together hold no more than their bound. */
    mdrive_open(&d, false);
    d.limits.pending_bytes = 12288;
    ccm_collect *other = ccm_collect_begin(&d.ps, CCM_DEPTH_FULL, false, ccm_span_str(TYPE));
    g_assert_true(ccm_collect_feed(other, &d.ps, ccm_span_of(a->data, 5000)));
    g_assert_cmpuint(d.gathered, ==, 8192);
    mdrive_play(&d, &x);
    g_assert_cmpuint(d.shown, <=, 4200);
    g_assert_true(g_str_has_suffix(d.out->str, "limit C limit=message_bytes count=1\n"));
    ccm_collect_free(other);
    mdrive_close(&d);
    /* A bomb: no more than the bound is decoded. */
    GByteArray *zeros = g_byte_array_new(), *m = g_byte_array_new();
    add(zeros, "<Report><ReportContent>Inventory Data</ReportContent>");
    guint at = zeros->len;
    g_byte_array_set_size(zeros, 4 << 20);
    memset(zeros->data + at, ' ', zeros->len - at);
    add(m, "--b\r\n\r\n<Msg><TargetEndpoint>MP_HinvEndpoint</TargetEndpoint></Msg>\r\n"
           "--b\r\n\r\n");
    add_zlib(m, zeros);
    add(m, "\r\n--b--");
    x = (mdrive_case){ CCM_DEPTH_FULL, .content_type = "", .body = m->data, .size = m->len };
    expect(&x, "ccm_message C endpoint=MP_HinvEndpoint compressed=1\n"
               "ccm_body C endpoint=MP_HinvEndpoint body_bytes=1048576 root=Report "
               "kind=hardware inventory incomplete=1\n");
    /* Too many at once. */
    mdrive_open(&d, false);
    d.decoders = 1024;
    g_assert_null(ccm_collect_begin(&d.ps, CCM_DEPTH_FULL, false, ccm_span_str(TYPE)));
    d.decoders = 0;
    mdrive_close(&d);
    g_byte_array_unref(zeros);
    g_byte_array_unref(m);
    g_byte_array_unref(a);
}

/* ---- other forms ----------------------------------------------------------------------------- */

#define SMALL_HEADER                                                                               \
    "<Msg SchemaVersion=\"1.1\"><ID>{2}</ID><SourceID>GUID:A&amp;B</SourceID>"                     \
    "<SourceHost><![CDATA[W&1]]></SourceHost><TargetEndpoint>StatusReceiver</TargetEndpoint>"      \
    "</Msg>"
#define SMALL_BODY "<Status><Type>5 &lt; 6</Type></Status>"
#define SMALL_MESSAGE                                                                              \
    "ccm_message C message_id={2} source_id=GUID:A&B source_host=W&1 endpoint=StatusReceiver\n"
#define SMALL_STATUS                                                                               \
    "ccm_message_header C message_id={2} schema_version=1.1\n"                                     \
    "ccm_body C message_id={2} endpoint=StatusReceiver body_bytes=%u root=Status "                 \
    "kind=status message detail=type=5 < 6\n"

static void test_encodings(void)
{
    static const struct {
        const char *mark, *end;
        unsigned encoding; /* 0 UTF-8, 1 LE, 2 BE */
        unsigned bytes;
    } rows[] = {
        { "", "", 0, 38 },         { "\xef\xbb\xbf", "", 0, 41 }, { "", "", 1, 76 },
        { "\xff\xfe", "", 1, 78 }, { "\xfe\xff", "", 2, 78 },     { "", "", 2, 76 },
        { "", "\r\n", 1, 80 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        for (unsigned crlf = 0; crlf < 2; crlf++) {
            const char *eol = crlf ? "\r\n" : "\n";
            GByteArray *a = g_byte_array_new();
            const char *texts[] = { SMALL_HEADER, SMALL_BODY };
            for (unsigned k = 0; k < 2; k++) {
                add(a, "--x y");
                add(a, eol);
                add(a, "Content-Type: text/plain; charset=UTF-16");
                add(a, eol);
                add(a, eol);
                add(a, rows[i].mark);
                if (rows[i].encoding)
                    add_utf16(a, texts[k], rows[i].encoding == 2);
                else
                    add(a, texts[k]);
                if (rows[i].encoding)
                    add_utf16(a, rows[i].end, rows[i].encoding == 2);
                add(a, eol);
            }
            add(a, "--x y--");
            char *want = g_strdup_printf(SMALL_MESSAGE SMALL_STATUS, rows[i].bytes);
            mdrive_case x = { CCM_DEPTH_FULL, .content_type = "multipart/mixed; boundary=\"x y\"",
                              .body = a->data, .size = a->len };
            expect(&x, want);
            /* The final delimiter is missing, the body is not. */
            x.size -= strlen("--x y--") + strlen(eol);
            expect(&x, want);
            g_free(want);
            g_byte_array_unref(a);
        }
}

/* As PXE media are said to send it: named parts, no zlib, an untrue length, a Token with its
 * signature, an odd number of bytes at the end. */
static void test_pxe(void)
{
    char *hex = g_strnfill(512, 'a');
    char *header = g_strdup_printf(
        "<Msg SchemaVersion=\"1.1\"><ID/><SourceID>GUID:0A0B0C0D-1111-4222-8333-444455556666"
        "</SourceID><SourceHost/><Body Type=\"ByteRange\" Offset=\"0\" Length=\"728\"/>"
        "<ReplyTo>direct:OSD</ReplyTo><TargetEndpoint>MP_PolicyManager</TargetEndpoint><Hooks>"
        "<Hook2 Name=\"clientauth\"><Property Name=\"Token\"><![CDATA[ClientToken:" ID
        ";2025-03-04T05:06:07Z;2\r\nClientTokenSignature:%s\r\n]]></Property></Hook2></Hooks></"
        "Msg>",
        hex);
    GByteArray *a = g_byte_array_new();
    add(a, "--0f0e\r\nContent-Disposition: form-data; name=\"Msg\"\r\n"
           "Content-Type: text/plain; charset=UTF-16\r\n\r\n\xff\xfe");
    add_utf16(a, header, false);
    add(a, "\r\n--0f0e\r\nContent-Disposition: form-data; name=\"RequestAssignments\"\r\n\r\n");
    guint from = a->len;
    add_utf16(a,
              "<RequestAssignments RequestType=\"Always\"><Identification><Machine><ClientID>" ID
              "</ClientID></Machine></Identification><Resource ResourceType=\"Machine\"/>"
              "</RequestAssignments>\r\n",
              false);
    g_byte_array_append(a, (const guint8 *)"\0\0\0", 3);
    unsigned size = a->len - from;
    add(a, "\r\n--0f0e--\r\n");
    char *want = g_strdup_printf(
        "ccm_message C source_id=GUID:0A0B0C0D-1111-4222-8333-444455556666 "
        "endpoint=MP_PolicyManager reply_to=direct:OSD signed=1\n"
        "ccm_message_header C schema_version=1.1 hooks=clientauth "
        "body_place=ByteRange, 728 bytes at 0\n"
        "ccm_body C endpoint=MP_PolicyManager body_bytes=%u root=RequestAssignments "
        "kind=policy assignment request detail=type=Always resource=Machine client_id=" ID "\n"
        "signature C field=client-token client_id=" ID " result=verified variant=v "
        "key_source=message signature_hash=9\n--\n2 " ID " text=%s signature=aaaaaaaa oid= key=- "
        "certificate=-\n",
        size,
        /* printf 'GUID:...;2025-03-04T05:06:07Z;2\0' | iconv -t utf-16le | sha256sum */
        "bbe9b12e093abe97a7850968280d2af4990b4b4a45ace6b2347d6a331a4061ab");
    mdrive_case x = { CCM_DEPTH_FULL, .content_type = "multipart/mixed; boundary=0f0e",
                      .body = a->data, .size = a->len };
    expect(&x, want);
    g_free(want);
    g_free(header);
    g_free(hex);
    g_byte_array_unref(a);
}

static void test_attachments(void)
{
    static const char header[] =
        "<Msg><Attachment Type=\"ByteRange\" Length=\"6\" Offset=\"0\" Name=\"a\"/>"
        "<Attachment Type=\"ByteRange\" Length=\"4\" Offset=\"6\" Name=\"b\"/>"
        "<Body Type=\"ByteRange\" Length=\"%u\" Offset=\"10\"/>"
        "<TargetEndpoint>StatusReceiver</TargetEndpoint></Msg>";
    for (unsigned form = 0; form < 3; form++) { /* plain, all of it zlib, the body alone zlib */
        GByteArray *plain = g_byte_array_new(), *a = g_byte_array_new();
        char *text = g_strdup_printf(header, form == 2 ? 9999 : 38);
        add(a, "--b\r\n\r\n");
        add(a, text);
        add(a, "\r\n--b\r\n\r\n");
        add(form == 2 ? a : plain, "<Other>!!!");
        add(plain, SMALL_BODY);
        if (form != 2)
            add(plain, "<trailing/>");
        if (form)
            add_zlib(a, plain);
        else
            g_byte_array_append(a, plain->data, plain->len);
        add(a, "\r\n--b--");
        char *want = g_strdup_printf("ccm_message C endpoint=StatusReceiver%s attachments=2\n"
                                     "ccm_message_header C body_place=ByteRange, %u bytes at 10 "
                                     "attachment_list=a: ByteRange, 6 bytes at 0, b: ByteRange, "
                                     "4 bytes at 6\n"
                                     "ccm_body C endpoint=StatusReceiver body_bytes=38 root=Status "
                                     "kind=status message detail=type=5 < 6\n",
                                     form ? " compressed=1" : "", form == 2 ? 9999 : 38);
        mdrive_case x = { CCM_DEPTH_FULL, .content_type = "multipart/mixed; boundary=b",
                          .body = a->data, .size = a->len };
        expect(&x, want);
        g_free(want);
        g_free(text);
        g_byte_array_unref(plain);
        g_byte_array_unref(a);
    }
}

static void test_hooks(void)
{
    static const char *const rows[][3] = {
        { "<Hook2 Name=\"encrypt\"/>", " encrypted=1", "encrypt" },
        { "<Hook Name=\"compress\"/><Hook Name=\"authenticate\"/>", "", "compress, authenticate" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *body = g_strdup_printf("--b\r\n\r\n<Msg><Hooks>%s</Hooks><CorrelationID>{7}"
                                     "</CorrelationID><TargetEndpoint>MP_HinvEndpoint"
                                     "</TargetEndpoint></Msg>\r\n--b\r\n\r\n\001\002\003\r\n--b--",
                                     rows[i][0]);
        char *want = g_strdup_printf("ccm_message C correlation_id={7} endpoint=MP_HinvEndpoint%s\n"
                                     "ccm_message_header C hooks=%s\n"
                                     "ccm_body C endpoint=MP_HinvEndpoint body_bytes=3 "
                                     "kind=hardware inventory detail=%s\n",
                                     rows[i][1], rows[i][2], i ? "compressed" : "encrypted");
        mdrive_case x = { CCM_DEPTH_FULL, .content_type = "", .body = body, .size = strlen(body) };
        expect(&x, want);
        g_free(want);
        g_free(body);
    }
}

/* The body travels elsewhere, or is not there. */
static void test_no_body(void)
{
    static const char body[] = "--b\r\n\r\n<Msg><Payload Type=\"file\"/><TargetEndpoint>"
                               "MP_SinvEndpoint</TargetEndpoint></Msg>\r\n--b--";
    mdrive_case x = { CCM_DEPTH_FULL, .content_type = "multipart/mixed; boundary=b", .body = body,
                      .size = strlen(body) };
    expect(&x, "ccm_message C endpoint=MP_SinvEndpoint payload_type=file\n"
               "ccm_body C endpoint=MP_SinvEndpoint kind=software inventory detail=no body\n");
    x.size -= 5;
    x.cut = true;
    expect(&x, "ccm_message C endpoint=MP_SinvEndpoint payload_type=file incomplete=1\n"
               "ccm_body C endpoint=MP_SinvEndpoint kind=software inventory detail=no body "
               "incomplete=1\n");
}

/* No run of hexadecimal digits as long as a key or a signature comes out. */
static void test_secrets(void)
{
    GByteArray *a[] = { policy_body(), registration() };
    for (unsigned i = 0; i < G_N_ELEMENTS(a); i++) {
        mdrive d;
        mdrive_open(&d, true);
        mdrive_case x = { CCM_DEPTH_FULL, .content_type = TYPE, .body = a[i]->data,
                          .size = a[i]->len };
        mdrive_play(&d, &x);
        unsigned run = 0;
        for (const char *p = d.out->str; *p; p++) {
            run = g_ascii_isxdigit(*p) ? run + 1 : 0;
            g_assert_cmpuint(run, <, 16);
        }
        mdrive_close(&d);
        g_byte_array_unref(a[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/message/location", test_location);
    g_test_add_func("/message/policy", test_policy);
    g_test_add_func("/message/capital-letters", test_capital_letters);
    g_test_add_func("/message/wants", test_wants);
    g_test_add_func("/message/no-verifier", test_no_verifier);
    g_test_add_func("/message/registration", test_registration);
    g_test_add_func("/message/cut", test_cut);
    g_test_add_func("/message/lost-tail", test_lost_tail);
    g_test_add_func("/message/limits", test_limits);
    g_test_add_func("/message/encodings", test_encodings);
    g_test_add_func("/message/pxe", test_pxe);
    g_test_add_func("/message/attachments", test_attachments);
    g_test_add_func("/message/hooks", test_hooks);
    g_test_add_func("/message/no-body", test_no_body);
    g_test_add_func("/message/secrets", test_secrets);
    return g_test_run();
}
