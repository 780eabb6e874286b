/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_tls_ssl2.c - a ClientHello in the form of SSL 2, laid out by hand after RFC 5246 appendix
 * E.2; tshark reads the same fields from these bytes. */
#include "proto/tls_record.h"
#include "tls_driver.h"

/* length 37, ClientHello, TLS 1.0, 12 bytes of ciphers, no session id, 16 of challenge */
#define HELLO                                                                                      \
    "8025010301000c0000001000003900003500000a0700c0"                                               \
    "0102030405060708090a0b0c0d0e0f10"
#define ALERT "15030100020246" /* fatal, protocol_version */

static char *play(const char *first, const char *second, size_t piece)
{
    const tls_part parts[] = { { 0, first }, { 1, second } };
    tls_talk t = tls_talk_of(parts, 2);
    char *out = drive_play_proto(&ccm_proto_tls, t.part, t.n, piece, 0, 0, 0, true);
    tls_talk_free(&t);
    return out;
}

/* The hash is of the challenge behind 16 zero bytes: the client's random of such a hello. */
static void test_hello(void)
{
    for (size_t piece = 0; piece < 40; piece++) {
        g_autofree char *out = play(HELLO, ALERT, piece);
        g_assert_nonnull(strstr(out, "tls_client_hello C tls_version=769 "
                                     "random_hash=8375700854428990555 ssl2_form=1\n"));
        g_assert_nonnull(strstr(out, "level=fatal alert=70 name=protocol version\n"));
        g_assert_null(strstr(out, "established"));
        g_assert_null(strstr(out, "incomplete"));
    }
}

static ccm_probe shape(const GByteArray *b, size_t n)
{
    size_t size = 0;
    GByteArray *copy = g_byte_array_new(); /* of its own, so that a read past its end is seen */
    g_byte_array_append(copy, b->data, (guint)n);
    ccm_probe got = ccm_proto_tls.probe(ccm_span_of(copy->data, n), false);
    g_assert_cmpint(got, ==, n ? ccm_tls_shape_v2(ccm_span_of(copy->data, n), &size) : got);
    g_assert_true(got != CCM_PROBE_YES || size == b->len);
    g_byte_array_unref(copy);
    return got;
}

static void test_probe(void)
{
    GByteArray *b = tls_bytes(HELLO);
    for (size_t n = 1; n <= b->len; n++) /* the lengths stand in the first 11 bytes */
        g_assert_cmpint(shape(b, n), ==, n < 11 ? CCM_PROBE_MAYBE : CCM_PROBE_YES);
    /* SSL 2 itself, no hello, a length that does not fit, a challenge too short, ciphers cut */
    static const struct {
        size_t at;
        uint8_t byte;
    } wrong[] = { { 3, 0 }, { 2, 4 }, { 1, 0x26 }, { 10, 15 }, { 6, 11 }, { 0, 0x00 } };
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        uint8_t right = b->data[wrong[i].at];
        b->data[wrong[i].at] = wrong[i].byte;
        g_assert_cmpint(shape(b, b->len), ==, CCM_PROBE_NO);
        b->data[wrong[i].at] = right;
    }
    g_byte_array_unref(b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tls-ssl2/hello", test_hello);
    g_test_add_func("/tls-ssl2/probe", test_probe);
    return g_test_run();
}
