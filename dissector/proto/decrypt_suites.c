/* SPDX-License-Identifier: GPL-2.0-or-later
 * decrypt_suites.c - the cipher suites whose records can be opened, as data.
 * In: the number of a suite. Out: its row. State: none.
 * Source: the TLS Cipher Suites registry of IANA; RFC 5246, 5288, 5289, 6655, 7905, 8446. */
#include "proto/decrypt_state.h"

const ccm_cipher_row ccm_cipher_rows[CCM_CIPHERS] = {
    [CCM_CIPHER_3DES_CBC] = { "DES-EDE3-CBC", CCM_MODE_CBC, 24, 8, 0, 8 },
    [CCM_CIPHER_AES128_CBC] = { "AES-128-CBC", CCM_MODE_CBC, 16, 16, 0, 16 },
    [CCM_CIPHER_AES256_CBC] = { "AES-256-CBC", CCM_MODE_CBC, 32, 16, 0, 16 },
    [CCM_CIPHER_AES128_GCM] = { "AES-128-GCM", CCM_MODE_GCM, 16, 1, 16, 4 },
    [CCM_CIPHER_AES256_GCM] = { "AES-256-GCM", CCM_MODE_GCM, 32, 1, 16, 4 },
    [CCM_CIPHER_AES128_CCM] = { "AES-128-CCM", CCM_MODE_CCM, 16, 1, 16, 4 },
    [CCM_CIPHER_AES256_CCM] = { "AES-256-CCM", CCM_MODE_CCM, 32, 1, 16, 4 },
    [CCM_CIPHER_AES128_CCM8] = { "AES-128-CCM", CCM_MODE_CCM, 16, 1, 8, 4 },
    [CCM_CIPHER_AES256_CCM8] = { "AES-256-CCM", CCM_MODE_CCM, 32, 1, 8, 4 },
    [CCM_CIPHER_CHACHA20] = { "ChaCha20-Poly1305", CCM_MODE_CHACHA, 32, 1, 16, 12 },
};

/* Sorted by number. */
static const ccm_suite suites[] = {
#define ROW(id, kx, cipher, mac, hash)                                                             \
    {                                                                                              \
        id, CCM_CIPHER_##cipher, CCM_HASH_##hash, CCM_HASH_##mac, kx                               \
    }
    /* RSA key exchange, DHE_DSS, DHE_RSA, DH_anon */
    ROW(0x000a, true, 3DES_CBC, SHA1, SHA256),
    ROW(0x0013, false, 3DES_CBC, SHA1, SHA256),
    ROW(0x0016, false, 3DES_CBC, SHA1, SHA256),
    ROW(0x002f, true, AES128_CBC, SHA1, SHA256),
    ROW(0x0032, false, AES128_CBC, SHA1, SHA256),
    ROW(0x0033, false, AES128_CBC, SHA1, SHA256),
    ROW(0x0034, false, AES128_CBC, SHA1, SHA256),
    ROW(0x0035, true, AES256_CBC, SHA1, SHA256),
    ROW(0x0038, false, AES256_CBC, SHA1, SHA256),
    ROW(0x0039, false, AES256_CBC, SHA1, SHA256),
    ROW(0x003a, false, AES256_CBC, SHA1, SHA256),
    ROW(0x003c, true, AES128_CBC, SHA256, SHA256),
    ROW(0x003d, true, AES256_CBC, SHA256, SHA256),
    ROW(0x0040, false, AES128_CBC, SHA256, SHA256),
    ROW(0x0067, false, AES128_CBC, SHA256, SHA256),
    ROW(0x006a, false, AES256_CBC, SHA256, SHA256),
    ROW(0x006b, false, AES256_CBC, SHA256, SHA256),
    ROW(0x006c, false, AES128_CBC, SHA256, SHA256),
    ROW(0x006d, false, AES256_CBC, SHA256, SHA256),
    /* PSK, DHE_PSK */
    ROW(0x008c, false, AES128_CBC, SHA1, SHA256),
    ROW(0x008d, false, AES256_CBC, SHA1, SHA256),
    ROW(0x009c, true, AES128_GCM, SHA256, SHA256),
    ROW(0x009d, true, AES256_GCM, SHA384, SHA384),
    ROW(0x009e, false, AES128_GCM, SHA256, SHA256),
    ROW(0x009f, false, AES256_GCM, SHA384, SHA384),
    ROW(0x00a2, false, AES128_GCM, SHA256, SHA256),
    ROW(0x00a3, false, AES256_GCM, SHA384, SHA384),
    ROW(0x00a6, false, AES128_GCM, SHA256, SHA256),
    ROW(0x00a7, false, AES256_GCM, SHA384, SHA384),
    ROW(0x00a8, false, AES128_GCM, SHA256, SHA256),
    ROW(0x00a9, false, AES256_GCM, SHA384, SHA384),
    ROW(0x00ae, false, AES128_CBC, SHA256, SHA256),
    ROW(0x00af, false, AES256_CBC, SHA384, SHA384),
    /* TLS 1.3 */
    ROW(0x1301, false, AES128_GCM, SHA256, SHA256),
    ROW(0x1302, false, AES256_GCM, SHA384, SHA384),
    ROW(0x1303, false, CHACHA20, SHA256, SHA256),
    ROW(0x1304, false, AES128_CCM, SHA256, SHA256),
    ROW(0x1305, false, AES128_CCM8, SHA256, SHA256),
    /* ECDH_ECDSA, ECDHE_ECDSA, ECDH_RSA, ECDHE_RSA, ECDH_anon */
    ROW(0xc003, false, 3DES_CBC, SHA1, SHA256),
    ROW(0xc004, false, AES128_CBC, SHA1, SHA256),
    ROW(0xc005, false, AES256_CBC, SHA1, SHA256),
    ROW(0xc008, false, 3DES_CBC, SHA1, SHA256),
    ROW(0xc009, false, AES128_CBC, SHA1, SHA256),
    ROW(0xc00a, false, AES256_CBC, SHA1, SHA256),
    ROW(0xc00d, false, 3DES_CBC, SHA1, SHA256),
    ROW(0xc00e, false, AES128_CBC, SHA1, SHA256),
    ROW(0xc00f, false, AES256_CBC, SHA1, SHA256),
    ROW(0xc012, false, 3DES_CBC, SHA1, SHA256),
    ROW(0xc013, false, AES128_CBC, SHA1, SHA256),
    ROW(0xc014, false, AES256_CBC, SHA1, SHA256),
    ROW(0xc018, false, AES128_CBC, SHA1, SHA256),
    ROW(0xc019, false, AES256_CBC, SHA1, SHA256),
    ROW(0xc023, false, AES128_CBC, SHA256, SHA256),
    ROW(0xc024, false, AES256_CBC, SHA384, SHA384),
    ROW(0xc025, false, AES128_CBC, SHA256, SHA256),
    ROW(0xc026, false, AES256_CBC, SHA384, SHA384),
    ROW(0xc027, false, AES128_CBC, SHA256, SHA256),
    ROW(0xc028, false, AES256_CBC, SHA384, SHA384),
    ROW(0xc029, false, AES128_CBC, SHA256, SHA256),
    ROW(0xc02a, false, AES256_CBC, SHA384, SHA384),
    ROW(0xc02b, false, AES128_GCM, SHA256, SHA256),
    ROW(0xc02c, false, AES256_GCM, SHA384, SHA384),
    ROW(0xc02d, false, AES128_GCM, SHA256, SHA256),
    ROW(0xc02e, false, AES256_GCM, SHA384, SHA384),
    ROW(0xc02f, false, AES128_GCM, SHA256, SHA256),
    ROW(0xc030, false, AES256_GCM, SHA384, SHA384),
    ROW(0xc031, false, AES128_GCM, SHA256, SHA256),
    ROW(0xc032, false, AES256_GCM, SHA384, SHA384),
    ROW(0xc035, false, AES128_CBC, SHA1, SHA256),
    ROW(0xc036, false, AES256_CBC, SHA1, SHA256),
    ROW(0xc037, false, AES128_CBC, SHA256, SHA256),
    ROW(0xc038, false, AES256_CBC, SHA384, SHA384),
    /* CCM: RSA, DHE_RSA, PSK, DHE_PSK, ECDHE_ECDSA */
    ROW(0xc09c, true, AES128_CCM, SHA256, SHA256),
    ROW(0xc09d, true, AES256_CCM, SHA256, SHA256),
    ROW(0xc09e, false, AES128_CCM, SHA256, SHA256),
    ROW(0xc09f, false, AES256_CCM, SHA256, SHA256),
    ROW(0xc0a0, true, AES128_CCM8, SHA256, SHA256),
    ROW(0xc0a1, true, AES256_CCM8, SHA256, SHA256),
    ROW(0xc0a2, false, AES128_CCM8, SHA256, SHA256),
    ROW(0xc0a3, false, AES256_CCM8, SHA256, SHA256),
    ROW(0xc0a4, false, AES128_CCM, SHA256, SHA256),
    ROW(0xc0a5, false, AES256_CCM, SHA256, SHA256),
    ROW(0xc0a8, false, AES128_CCM8, SHA256, SHA256),
    ROW(0xc0a9, false, AES256_CCM8, SHA256, SHA256),
    ROW(0xc0ac, false, AES128_CCM, SHA256, SHA256),
    ROW(0xc0ad, false, AES256_CCM, SHA256, SHA256),
    ROW(0xc0ae, false, AES128_CCM8, SHA256, SHA256),
    ROW(0xc0af, false, AES256_CCM8, SHA256, SHA256),
    /* ChaCha20: ECDHE_RSA, ECDHE_ECDSA, DHE_RSA, PSK, ECDHE_PSK, DHE_PSK */
    ROW(0xcca8, false, CHACHA20, SHA256, SHA256),
    ROW(0xcca9, false, CHACHA20, SHA256, SHA256),
    ROW(0xccaa, false, CHACHA20, SHA256, SHA256),
    ROW(0xccab, false, CHACHA20, SHA256, SHA256),
    ROW(0xccac, false, CHACHA20, SHA256, SHA256),
    ROW(0xccad, false, CHACHA20, SHA256, SHA256),
#undef ROW
};

const ccm_suite *ccm_suite_find(uint16_t id)
{
    size_t low = 0, high = G_N_ELEMENTS(suites);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (suites[middle].id == id)
            return &suites[middle];
        if (suites[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

size_t ccm_hash_size(ccm_hash hash)
{
    static const uint8_t sizes[] = {
        [CCM_HASH_SHA1] = 20, [CCM_HASH_SHA256] = 32, [CCM_HASH_SHA384] = 48
    };
    return sizes[hash];
}
