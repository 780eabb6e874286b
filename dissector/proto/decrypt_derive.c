/* SPDX-License-Identifier: GPL-2.0-or-later
 * decrypt_derive.c - secrets to keys, by OpenSSL.
 * In: a secret and what it is for. Out: bytes. State: the algorithms, fetched once.
 * Spec: RFC 2246 and RFC 5246 section 5 (PRF), RFC 5869, RFC 8446 section 7.1 (HKDF). */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "proto/decrypt_state.h"

static const char *const hash_names[] = {
    [CCM_HASH_SHA1] = "SHA1", [CCM_HASH_SHA256] = "SHA256", [CCM_HASH_SHA384] = "SHA384"
};

void ccm_crypto_open(ccm_crypto *c)
{
    if (c->ready)
        return;
    c->ready = true; /* what cannot be fetched stays NULL: its records stay closed */
    c->prf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    c->hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    c->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    c->md5_sha1 = EVP_MD_fetch(NULL, "MD5-SHA1", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(hash_names); i++)
        c->hash[i] = EVP_MD_fetch(NULL, hash_names[i], NULL);
    for (size_t i = 0; i < CCM_CIPHERS; i++)
        c->cipher[i] = EVP_CIPHER_fetch(NULL, ccm_cipher_rows[i].name, NULL);
}

void ccm_crypto_close(ccm_crypto *c)
{
    EVP_KDF_free(c->prf);
    EVP_KDF_free(c->hkdf);
    EVP_MAC_free(c->hmac);
    EVP_MD_free(c->md5_sha1);
    for (size_t i = 0; i < G_N_ELEMENTS(hash_names); i++)
        EVP_MD_free(c->hash[i]);
    for (size_t i = 0; i < CCM_CIPHERS; i++)
        EVP_CIPHER_free(c->cipher[i]);
    *c = (ccm_crypto){ 0 };
}

struct evp_md_st *ccm_tls_hash(const ccm_crypto *c, uint16_t version, ccm_hash hash)
{
    return version < 0x0303 ? c->md5_sha1 : c->hash[hash];
}

static OSSL_PARAM octets(const char *key, ccm_span s)
{
    return OSSL_PARAM_construct_octet_string(key, (void *)s.p, s.n);
}

static bool derive(EVP_KDF *kdf, const OSSL_PARAM *parameters, uint8_t *out, size_t n)
{
    EVP_KDF_CTX *x = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    bool ok = x && EVP_KDF_derive(x, out, n, parameters) == 1;
    EVP_KDF_CTX_free(x);
    return ok;
}

bool ccm_tls_prf(const ccm_crypto *c, uint16_t version, ccm_hash hash, ccm_span secret,
                 const char *label, ccm_span seed, ccm_span seed2, uint8_t *out, size_t n)
{
    const char *digest = version < 0x0303 ? "MD5-SHA1" : hash_names[hash];
    OSSL_PARAM p[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)digest, 0),
        octets(OSSL_KDF_PARAM_SECRET, secret),
        octets(OSSL_KDF_PARAM_SEED, ccm_span_str(label)),
        octets(OSSL_KDF_PARAM_SEED, seed),
        octets(OSSL_KDF_PARAM_SEED, seed2),
        OSSL_PARAM_construct_end(),
    };
    if (!seed2.n)
        p[4] = OSSL_PARAM_construct_end();
    return derive(c->prf, p, out, n);
}

bool ccm_tls_expand(const ccm_crypto *c, ccm_hash hash, ccm_span secret, const char *label,
                    uint8_t *out, size_t n)
{
    /* struct HkdfLabel: length, "tls13 " + label, no context */
    uint8_t info[2 + 1 + 32 + 1];
    size_t l = strlen(label);
    info[0] = (uint8_t)(n >> 8);
    info[1] = (uint8_t)n;
    info[2] = (uint8_t)(6 + l);
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, l);
    info[9 + l] = 0;
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    OSSL_PARAM p[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)hash_names[hash], 0),
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        octets(OSSL_KDF_PARAM_KEY, secret),
        octets(OSSL_KDF_PARAM_INFO, ccm_span_of(info, 10 + l)),
        OSSL_PARAM_construct_end(),
    };
    return derive(c->hkdf, p, out, n);
}
