/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls_names.c - words for the numbers of TLS.
 * In: numbers. Out: static texts. State: none.
 * Spec: IANA registry "TLS Cipher Suites"; RFC 8446 section 6, RFC 5246 section 7.2, RFC 6066. */
#include "proto/tls_names.h"

#include <stddef.h>

typedef struct row {
    uint16_t number;
    const char *name;
} row;

static const row suites[] = {
    { 0x0004, "RSA_WITH_RC4_128_MD5" },
    { 0x0005, "RSA_WITH_RC4_128_SHA" },
    { 0x000a, "RSA_WITH_3DES_EDE_CBC_SHA" },
    { 0x0016, "DHE_RSA_WITH_3DES_EDE_CBC_SHA" },
    { 0x002f, "RSA_WITH_AES_128_CBC_SHA" },
    { 0x0032, "DHE_DSS_WITH_AES_128_CBC_SHA" },
    { 0x0033, "DHE_RSA_WITH_AES_128_CBC_SHA" },
    { 0x0035, "RSA_WITH_AES_256_CBC_SHA" },
    { 0x0038, "DHE_DSS_WITH_AES_256_CBC_SHA" },
    { 0x0039, "DHE_RSA_WITH_AES_256_CBC_SHA" },
    { 0x003c, "RSA_WITH_AES_128_CBC_SHA256" },
    { 0x003d, "RSA_WITH_AES_256_CBC_SHA256" },
    { 0x0067, "DHE_RSA_WITH_AES_128_CBC_SHA256" },
    { 0x006b, "DHE_RSA_WITH_AES_256_CBC_SHA256" },
    { 0x009c, "RSA_WITH_AES_128_GCM_SHA256" },
    { 0x009d, "RSA_WITH_AES_256_GCM_SHA384" },
    { 0x009e, "DHE_RSA_WITH_AES_128_GCM_SHA256" },
    { 0x009f, "DHE_RSA_WITH_AES_256_GCM_SHA384" },
    { 0x1301, "AES_128_GCM_SHA256" },
    { 0x1302, "AES_256_GCM_SHA384" },
    { 0x1303, "CHACHA20_POLY1305_SHA256" },
    { 0x1304, "AES_128_CCM_SHA256" },
    { 0x1305, "AES_128_CCM_8_SHA256" },
    { 0xc007, "ECDHE_ECDSA_WITH_RC4_128_SHA" },
    { 0xc009, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA" },
    { 0xc00a, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA" },
    { 0xc011, "ECDHE_RSA_WITH_RC4_128_SHA" },
    { 0xc012, "ECDHE_RSA_WITH_3DES_EDE_CBC_SHA" },
    { 0xc013, "ECDHE_RSA_WITH_AES_128_CBC_SHA" },
    { 0xc014, "ECDHE_RSA_WITH_AES_256_CBC_SHA" },
    { 0xc023, "ECDHE_ECDSA_WITH_AES_128_CBC_SHA256" },
    { 0xc024, "ECDHE_ECDSA_WITH_AES_256_CBC_SHA384" },
    { 0xc027, "ECDHE_RSA_WITH_AES_128_CBC_SHA256" },
    { 0xc028, "ECDHE_RSA_WITH_AES_256_CBC_SHA384" },
    { 0xc02b, "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" },
    { 0xc02c, "ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" },
    { 0xc02f, "ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
    { 0xc030, "ECDHE_RSA_WITH_AES_256_GCM_SHA384" },
    { 0xc09c, "RSA_WITH_AES_128_CCM" },
    { 0xc09d, "RSA_WITH_AES_256_CCM" },
    { 0xc09e, "DHE_RSA_WITH_AES_128_CCM" },
    { 0xc09f, "DHE_RSA_WITH_AES_256_CCM" },
    { 0xc0a0, "RSA_WITH_AES_128_CCM_8" },
    { 0xc0a1, "RSA_WITH_AES_256_CCM_8" },
    { 0xc0a2, "DHE_RSA_WITH_AES_128_CCM_8" },
    { 0xc0a3, "DHE_RSA_WITH_AES_256_CCM_8" },
    { 0xc0ac, "ECDHE_ECDSA_WITH_AES_128_CCM" },
    { 0xc0ad, "ECDHE_ECDSA_WITH_AES_256_CCM" },
    { 0xc0ae, "ECDHE_ECDSA_WITH_AES_128_CCM_8" },
    { 0xc0af, "ECDHE_ECDSA_WITH_AES_256_CCM_8" },
    { 0xcca8, "ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
    { 0xcca9, "ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256" },
    { 0xccaa, "DHE_RSA_WITH_CHACHA20_POLY1305_SHA256" },
};

static const row alerts[] = {
    { 0, "close notify" },
    { 10, "unexpected message" },
    { 20, "bad record MAC" },
    { 21, "decryption failed" },
    { 22, "record overflow" },
    { 30, "decompression failure" },
    { 40, "handshake failure" },
    { 41, "no certificate" },
    { 42, "bad certificate" },
    { 43, "unsupported certificate" },
    { 44, "certificate revoked" },
    { 45, "certificate expired" },
    { 46, "certificate unknown" },
    { 47, "illegal parameter" },
    { 48, "unknown CA" },
    { 49, "access denied" },
    { 50, "decode error" },
    { 51, "decrypt error" },
    { 60, "export restriction" },
    { 70, "protocol version" },
    { 71, "insufficient security" },
    { 80, "internal error" },
    { 86, "inappropriate fallback" },
    { 90, "user canceled" },
    { 100, "no renegotiation" },
    { 109, "missing extension" },
    { 110, "unsupported extension" },
    { 111, "certificate unobtainable" },
    { 112, "unrecognized name" },
    { 113, "bad certificate status response" },
    { 114, "bad certificate hash value" },
    { 115, "unknown PSK identity" },
    { 116, "certificate required" },
    { 120, "no application protocol" },
};

static const char *look_up(const row *rows, size_t n, uint16_t number)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].number == number)
            return rows[i].name;
    return NULL;
}

const char *ccm_tls_cipher_name(uint16_t suite)
{
    return look_up(suites, sizeof suites / sizeof *suites, suite);
}

const char *ccm_tls_alert_name(uint8_t alert)
{
    return look_up(alerts, sizeof alerts / sizeof *alerts, alert);
}
