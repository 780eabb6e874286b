/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_message.c - bodies of messages. Input: a byte of flags (1 reply, 2 full depth, 4 multipart
 * by its head, 8 body cut, 16 bytes lost at the end, 32 a verifier is there, 64 in pieces,
 * 128 an eighth of it is lost), a byte with the size of the pieces or where that eighth begins,
 * then the body. The scanner, the header and the body of the same bytes are read directly too, from
 * memory of exactly their size. */
#include <glib.h>
#include "../unit/message_driver.h"
#include "proto/ccm_body.h"
#include "proto/ccm_envelope.h"
#include "proto/multipart.h"
#include "proto/utf16.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Elements read in one step are what events tell. */
static void leaves(ccm_span in)
{
    ccm_xml x = ccm_xml_of(in), y = x;
    for (ccm_xml_event event; (event = ccm_xml_next(&x)) != CCM_XML_END;) {
        g_assert_true(ccm_xml_next(&y) == event && y.p == x.p && y.depth == x.depth);
        if (event != CCM_XML_OPEN || !ccm_xml_leaf(&y))
            continue;
        event = ccm_xml_next(&x);
        if (event == CCM_XML_TEXT) {
            g_assert_true(x.text.p == y.text.p && x.text.n == y.text.n);
            g_assert_true(y.raw == !memchr(x.text.p, '&', x.text.n));
            event = ccm_xml_next(&x);
        } else {
            g_assert_true(!y.text.n);
        }
        g_assert_true(event == CCM_XML_CLOSE && y.p == x.p && y.depth == x.depth);
    }
    g_assert_true(ccm_xml_next(&y) == CCM_XML_END && y.cut == x.cut);
}

static void direct(ccm_span in)
{
    ccm_envelope e;
    ccm_body b;
    leaves(in);
    (void)ccm_envelope_parse(&e, in);
    (void)ccm_envelope_line(in, "clienttoken");
    (void)ccm_body_parse(&b, in, ccm_span_str("MP_HinvEndpoint"));
    (void)ccm_body_signed_slice(in);
    size_t room = in.n + in.n / 2 + 1;
    uint8_t *out = g_malloc(room);
    for (unsigned big = 0; big < 2; big++)
        g_assert_cmpuint(ccm_utf16_to_utf8(in, big, out, room), <=, in.n / 2 * 3);
    (void)ccm_utf16_to_utf8(in, false, out, in.n / 3);
    ccm_span text = ccm_text_utf8(in, out, room);
    (void)ccm_body_parse(&b, text, ccm_span_str(""));
    g_free(out);
    ccm_multipart m = { .body = in, .boundary = ccm_multipart_guess(in) };
    ccm_part part;
    size_t total = 0;
    while (m.boundary.n && ccm_multipart_next(&m, &part))
        total += part.headers.n + part.content.n;
    g_assert_cmpuint(total, <=, in.n);
    bool is;
    (void)ccm_multipart_boundary(in, &is);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ccm_cursor c = ccm_cur(ccm_span_of(data, size));
    uint8_t flags = ccm_cur_u8(&c), piece = ccm_cur_u8(&c);
    ccm_span body = ccm_cur_take(&c, ccm_cur_left(&c));
    mdrive d;
    mdrive_open(&d, flags & 32);
    d.verifier.check = NULL;
    d.limits.message_bytes = 8192;
    d.limits.inflate_bytes = 16384;
    mdrive_case x = { .depth = flags & 2 ? CCM_DEPTH_FULL : CCM_DEPTH_HEADER,
                      .reply = flags & 1,
                      .content_type = flags & 4 ? "multipart/mixed; boundary=\"b\"" : "",
                      .body = body.p,
                      .size = body.n,
                      .piece = flags & 64 ? piece + 1u : 0,
                      .lost = flags & 16 ? 100 : 0,
                      .hole = body.n * piece / 256,
                      .holed = flags & 128 ? 1 + body.n / 8 : 0,
                      .status = flags & 1 ? 200 : 0,
                      .cut = flags & 8 };
    mdrive_play(&d, &x);
    mdrive_close(&d);
    direct(body);
    return 0;
}
