/* SPDX-License-Identifier: GPL-2.0-or-later
 * decrypt_rsa.c - private keys of servers.
 * In: PEM files; the encrypted premaster secret of an RSA key exchange. Out: the premaster secret.
 * State: a bounded list of keys. Spec: RFC 5246 section 7.4.7.1; RFC 7468. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "proto/decrypt_state.h"

static bool usage(GError **error, const char *name, const char *why)
{
    g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE, "'%s' %s", name, why);
    return false;
}

/* Nobody is asked for a password. */
static int no_password(char *buf, int size, int writing, void *asked)
{
    (void)buf;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

static bool add(ccm_server_keys *k, EVP_PKEY *key)
{
    BIGNUM *n = NULL;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) != 1)
        return false;
    ccm_server_key *one = &k->key[k->n++];
    one->key = key;
    one->n = (size_t)BN_num_bytes(n);
    one->modulus = g_malloc(one->n + 1);
    (void)BN_bn2bin(n, one->modulus);
    BN_free(n);
    return true;
}

/* Private keys stand between lines of this form, whatever their kind. */
static bool next_key(ccm_span *pem, ccm_span *key)
{
    static const char begins[] = "-----BEGIN ", private[] = "PRIVATE KEY-----";
    for (;;) {
        const uint8_t *at = pem->n ? memmem(pem->p, pem->n, begins, sizeof begins - 1) : NULL;
        if (!at)
            return false;
        size_t left = pem->n - (size_t)(at - pem->p);
        const uint8_t *lf = memchr(at, '\n', left);
        size_t line = lf ? (size_t)(lf - at) : left;
        *key = ccm_span_of(at, left);
        *pem = ccm_span_of(at + line, left - line);
        if (memmem(at, line, private, sizeof private - 1))
            return true;
    }
}

bool ccm_server_keys_add(ccm_server_keys *k, ccm_span pem, const char *name, bool *found,
                         GError **error)
{
    ccm_span one;
    *found = false;
    while (next_key(&pem, &one)) {
        *found = true;
        if (k->n == CCM_TLS_SERVER_KEYS)
            return usage(error, name, "is one private key too many; leave old ones out");
        bool asked = false;
        BIO *bio = BIO_new_mem_buf(one.p, (int)one.n);
        EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, &asked) : NULL;
        BIO_free(bio);
        ERR_clear_error();
        if (!key)
            return usage(error, name,
                         asked ? "is protected by a password; write it without one: openssl pkey "
                                 "-in FILE -out PLAIN"
                               : "holds a private key that cannot be read");
        if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || !add(k, key)) {
            EVP_PKEY_free(key);
            return usage(error, name,
                         "holds no RSA key; only an RSA key exchange is opened with the server's "
                         "key, anything else with a key log (--keylog)");
        }
    }
    return true;
}

void ccm_server_keys_clear(ccm_server_keys *k)
{
    for (unsigned i = 0; i < k->n; i++) {
        EVP_PKEY_free(k->key[i].key);
        g_free(k->key[i].modulus);
    }
    k->n = 0;
}

uint32_t ccm_server_keys_in(const ccm_server_keys *k, ccm_span certificate)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < k->n; i++)
        if (certificate.n && k->key[i].n &&
            memmem(certificate.p, certificate.n, k->key[i].modulus, k->key[i].n))
            mask |= 1u << i;
    return mask;
}

static bool decrypt(EVP_PKEY *key, ccm_span encrypted, uint8_t out[CCM_TLS_MASTER])
{
    uint8_t buf[16384 / 8];
    size_t n = sizeof buf;
    EVP_PKEY_CTX *x = EVP_PKEY_CTX_new(key, NULL);
    bool ok = x && EVP_PKEY_decrypt_init(x) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(x, RSA_PKCS1_PADDING) == 1 &&
              (size_t)EVP_PKEY_get_size(key) <= sizeof buf &&
              EVP_PKEY_decrypt(x, buf, &n, encrypted.p, encrypted.n) == 1 && n == CCM_TLS_MASTER &&
              buf[0] == 3;
    if (ok)
        memcpy(out, buf, CCM_TLS_MASTER);
    explicit_bzero(buf, sizeof buf);
    EVP_PKEY_CTX_free(x);
    ERR_clear_error();
    return ok;
}

bool ccm_server_keys_decrypt(const ccm_server_keys *k, uint32_t mask, ccm_span encrypted,
                             uint8_t out[CCM_TLS_MASTER])
{
    for (unsigned i = 0; i < k->n; i++)
        if ((mask & 1u << i) && k->key[i].n == encrypted.n &&
            decrypt(k->key[i].key, encrypted, out))
            return true;
    return false;
}
