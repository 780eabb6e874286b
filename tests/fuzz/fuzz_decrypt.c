/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_decrypt.c - connections whose keys are known, and records of any bytes. Input: two bytes of
 * version, two of the suite, a flag byte (1 = encrypt-then-MAC, 2 = extended master secret, 4 =
 * resumed, 8 = early data before the ServerHello), then operations: a byte (bits 0-2: 0 message, 1
 * change of cipher, 2 loss, 3 another hello, else a record; bit 3: the side), two bytes of length
 * and, but for a loss, so many bytes. A record is opened with its bytes, or not at all. */
#include "proto/decrypt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RANDOM "cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7"
static const char secrets[] =
    "CLIENT_RANDOM " RANDOM " 000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f"
    "000102030405060708090a0b0c0d0e0f\n"
    "CLIENT_EARLY_TRAFFIC_SECRET " RANDOM
    " b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21\n"
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET " RANDOM
    " b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21\n"
    "CLIENT_TRAFFIC_SECRET_0 " RANDOM
    " 9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5\n"
    "SERVER_TRAFFIC_SECRET_0 " RANDOM
    " a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643\n";
static const uint8_t client_random[CCM_TLS_RANDOM] = {
    0xcb, 0x34, 0xec, 0xb1, 0xe7, 0x81, 0x63, 0xba, 0x1c, 0x38, 0xc6, 0xda, 0xcb, 0x19, 0x6a, 0x6d,
    0xff, 0xa2, 0x1a, 0x8d, 0x99, 0x12, 0xec, 0x18, 0xa2, 0xef, 0x62, 0x83, 0x02, 0x4d, 0xec, 0xe7
};

static void operation(const ccm_decryptor *s, ccm_tls_keys *k, const ccm_tls_terms *terms,
                      ccm_cursor *c)
{
    uint8_t op = ccm_cur_u8(c), type = 0;
    size_t n = ccm_cur_le16(c);
    unsigned side = op >> 3 & 1;
    ccm_span plain = { 0 };
    if ((op & 7) == 2) {
        s->lost(k, side, n);
        return;
    }
    ccm_span bytes = ccm_cur_take(c, MIN(n, ccm_cur_left(c)));
    uint8_t *exact = g_malloc(bytes.n ? bytes.n : 1);
    if (bytes.n)
        memcpy(exact, bytes.p, bytes.n);
    if ((op & 7) == 0)
        s->message(k, side, ccm_span_of(exact, bytes.n));
    else if ((op & 7) == 1)
        s->change_cipher(k, side);
    else if ((op & 7) == 3)
        s->hello(k, terms);
    else if (bytes.n >= 5 &&
             s->open(k, side, ccm_span_of(exact, 5), ccm_span_of(exact + 5, bytes.n - 5), &plain,
                     &type) == CCM_OPENED) {
        g_assert(plain.n <= bytes.n);
        uint64_t missed = s->missed(k, side, n);
        g_assert(missed <= n || missed == CCM_GAP_UNKNOWN);
    }
    g_free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ccm_cursor c = ccm_cur(ccm_span_of(data, size));
    ccm_limits limits;
    ccm_limits_init(&limits);
    limits.tls_secrets = 8;
    ccm_decrypt *d = ccm_decrypt_new(&limits);
    const ccm_decryptor *s = ccm_decrypt_service(d);
    ccm_decrypt_add_log(d, ccm_span_str(secrets));
    ccm_tls_terms terms = { .version = ccm_cur_be16(&c),
                            .suite = ccm_cur_be16(&c),
                            .client_random = client_random,
                            .server_random = client_random,
                            .session_id = ccm_span_of(client_random, 32) };
    uint8_t flags = ccm_cur_u8(&c);
    terms.encrypt_then_mac = flags & 1;
    terms.extended_master_secret = flags & 2;
    terms.resumed = flags & 4;
    ccm_tls_terms early = terms;
    early.suite = flags & 8 ? 0 : terms.suite;
    ccm_tls_keys *k = s->start(s->user_data, &early);
    for (int i = 0; i < 64 && ccm_cur_left(&c); i++)
        operation(s, k, &terms, &c);
    s->free(k);
    ccm_decrypt_free(d);
    return 0;
}
