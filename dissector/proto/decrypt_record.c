/* SPDX-License-Identifier: GPL-2.0-or-later
 * decrypt_record.c - opens one TLS record and checks its tag.
 * In: the keys of a direction, the record's number, its bytes. Out: the plain text, or that key,
 * number and bytes do not belong together. State: a context of OpenSSL for each direction in use,
 * keyed once; a record changes its nonce alone. The coldest ones are let go and made again.
 * Spec: RFC 2246 and RFC 5246 section 6.2.3, RFC 7366 (encrypt-then-MAC), RFC 5288, 6655, 7905
 * (AEAD), RFC 8446 section 5.2. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "proto/decrypt_state.h"

enum { HEADER = 5, NONCE = 12, EXPLICIT = 8, AAD = 13 };

static const char *const hash_names[] = {
    [CCM_HASH_SHA1] = "SHA1", [CCM_HASH_SHA256] = "SHA256", [CCM_HASH_SHA384] = "SHA384"
};

static const ccm_cipher_row *row_of(const ccm_record_keys *k)
{
    return &ccm_cipher_rows[k->suite->cipher];
}

/* ---- contexts -------------------------------------------------------------------------------- */

static void let_go(ccm_records *r, ccm_record_keys *k)
{
    if (!k->context)
        return;
    g_queue_unlink(&r->live, &k->live);
    EVP_CIPHER_CTX_free(k->context);
    EVP_MAC_CTX_free(k->hmac);
    k->context = NULL;
    k->hmac = NULL;
}

void ccm_record_keys_clear(ccm_records *r, ccm_record_keys *k)
{
    let_go(r, k);
    explicit_bzero(k, sizeof *k);
}

void ccm_record_keys_move(ccm_records *r, ccm_record_keys *to, ccm_record_keys *from)
{
    let_go(r, to);
    let_go(r, from); /* the queue's link lies in the keys */
    *to = *from;
    explicit_bzero(from, sizeof *from);
}

static EVP_MAC_CTX *hmac_new(const ccm_records *r, const ccm_record_keys *k)
{
    EVP_MAC_CTX *x = r->crypto->hmac ? EVP_MAC_CTX_new(r->crypto->hmac) : NULL;
    OSSL_PARAM p[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
                                                        (char *)hash_names[k->suite->mac], 0),
                       OSSL_PARAM_construct_end() };
    if (x && EVP_MAC_init(x, k->mac, ccm_hash_size(k->suite->mac), p) == 1)
        return x;
    EVP_MAC_CTX_free(x);
    return NULL;
}

static bool set_up(ccm_records *r, ccm_record_keys *k)
{
    const ccm_cipher_row *row = row_of(k);
    const EVP_CIPHER *cipher = r->crypto->cipher[k->suite->cipher];
    EVP_CIPHER_CTX *x = cipher ? EVP_CIPHER_CTX_new() : NULL;
    bool ok = x && EVP_DecryptInit_ex(x, cipher, NULL, NULL, NULL) == 1;
    if (ok && row->mode == CCM_MODE_CCM)
        ok = EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_IVLEN, NONCE, NULL) == 1 &&
             EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, row->tag, NULL) == 1;
    ok = ok && EVP_DecryptInit_ex(x, NULL, NULL, k->key, NULL) == 1;
    if (ok && row->mode == CCM_MODE_CBC)
        ok = EVP_CIPHER_CTX_set_padding(x, 0) == 1 && (k->hmac = hmac_new(r, k)) != NULL;
    if (!ok) {
        EVP_CIPHER_CTX_free(x);
        return false;
    }
    k->context = x;
    k->live.data = k;
    g_queue_push_head_link(&r->live, &k->live);
    if (r->live.length > CCM_TLS_LIVE)
        let_go(r, g_queue_peek_tail(&r->live));
    return true;
}

static bool ready(ccm_records *r, ccm_record_keys *k)
{
    if (!k->context)
        return set_up(r, k);
    if (r->live.head != &k->live) {
        g_queue_unlink(&r->live, &k->live);
        g_queue_push_head_link(&r->live, &k->live);
    }
    return true;
}

/* ---- AEAD ------------------------------------------------------------------------------------ */

static void put64(uint8_t *out, uint64_t v)
{
    v = GUINT64_TO_BE(v);
    memcpy(out, &v, sizeof v);
}

/* The nonce is the whole IV, the number of the record added to its end. */
static void add_number(uint8_t nonce[NONCE], const uint8_t *iv, uint64_t seq)
{
    uint8_t number[8];
    put64(number, seq);
    memcpy(nonce, iv, NONCE);
    for (size_t i = 0; i < sizeof number; i++)
        nonce[NONCE - 8 + i] ^= number[i];
}

/* `text` to `out`; the tag stands behind it. */
static bool aead(const ccm_record_keys *k, const uint8_t *nonce, ccm_span aad, ccm_span text,
                 uint8_t *out)
{
    EVP_CIPHER_CTX *x = k->context;
    int n = 0, rest = 0, tag = row_of(k)->tag;
    bool ccm = row_of(k)->mode == CCM_MODE_CCM;
    void *expected = (void *)(text.p + text.n);
    if (ccm && EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, tag, expected) != 1)
        return false;
    if (EVP_DecryptInit_ex(x, NULL, NULL, NULL, nonce) != 1 ||
        (ccm && EVP_DecryptUpdate(x, NULL, &n, NULL, (int)text.n) != 1) ||
        EVP_DecryptUpdate(x, NULL, &n, aad.p, (int)aad.n) != 1)
        return false;
    if (ccm) /* checks the tag */
        return EVP_DecryptUpdate(x, out, &n, text.p, (int)text.n) == 1;
    return EVP_DecryptUpdate(x, out, &n, text.p, (int)text.n) == 1 &&
           EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_SET_TAG, tag, expected) == 1 &&
           EVP_DecryptFinal_ex(x, out + n, &rest) == 1;
}

static bool open_13(const ccm_record_keys *k, uint64_t seq, ccm_span header, ccm_span fragment,
                    uint8_t *out, ccm_span *plain, uint8_t *type)
{
    size_t tag = row_of(k)->tag;
    uint8_t nonce[NONCE];
    if (fragment.n <= tag || header.p[0] != 23)
        return false;
    ccm_span text = ccm_span_of(fragment.p, fragment.n - tag);
    add_number(nonce, k->iv, seq);
    if (!aead(k, nonce, header, text, out))
        return false;
    size_t n = text.n; /* type behind the content, zeros behind that */
    while (n && !out[n - 1])
        n--;
    if (!n)
        return false;
    *type = out[n - 1];
    *plain = ccm_span_of(out, n - 1);
    return true;
}

/* Number, type and version, and the length of what they are about. */
static void associated(uint8_t out[AAD], uint64_t seq, ccm_span header, size_t n)
{
    put64(out, seq);
    memcpy(out + 8, header.p, 3);
    out[11] = (uint8_t)(n >> 8);
    out[12] = (uint8_t)n;
}

static bool open_12_aead(const ccm_record_keys *k, uint64_t seq, ccm_span header, ccm_span fragment,
                         uint8_t *out, ccm_span *plain)
{
    const ccm_cipher_row *row = row_of(k);
    size_t before = row->mode == CCM_MODE_CHACHA ? 0 : EXPLICIT;
    uint8_t nonce[NONCE], aad[AAD];
    if (fragment.n < before + row->tag)
        return false;
    ccm_span text = ccm_span_of(fragment.p + before, fragment.n - before - row->tag);
    if (before) {
        memcpy(nonce, k->iv, NONCE - EXPLICIT);
        memcpy(nonce + NONCE - EXPLICIT, fragment.p, EXPLICIT);
    } else {
        add_number(nonce, k->iv, seq);
    }
    associated(aad, seq, header, text.n);
    if (!aead(k, nonce, ccm_span_of(aad, AAD), text, out))
        return false;
    *plain = ccm_span_of(out, text.n);
    return true;
}

/* ---- CBC ------------------------------------------------------------------------------------- */

/* Is `tag` the MAC of number, header and `text`? */
static bool authentic(const ccm_record_keys *k, uint64_t seq, ccm_span header, ccm_span text,
                      const uint8_t *tag)
{
    uint8_t aad[AAD], mac[CCM_TLS_SECRET];
    size_t n = 0;
    associated(aad, seq, header, text.n);
    return EVP_MAC_init(k->hmac, NULL, 0, NULL) == 1 && EVP_MAC_update(k->hmac, aad, AAD) == 1 &&
           EVP_MAC_update(k->hmac, text.p, text.n) == 1 &&
           EVP_MAC_final(k->hmac, mac, &n, sizeof mac) == 1 && !memcmp(mac, tag, n);
}

/* Bytes of the content in `n` decrypted ones, without padding; SIZE_MAX = the padding is wrong. */
static size_t unpadded(const uint8_t *p, size_t n)
{
    size_t pad = n ? p[n - 1] + (size_t)1 : 0;
    if (!pad || pad > n)
        return SIZE_MAX;
    for (size_t i = n - pad; i < n; i++)
        if (p[i] != p[n - 1])
            return SIZE_MAX;
    return n - pad;
}

static bool open_cbc(const ccm_record_keys *k, uint64_t seq, ccm_span header, ccm_span fragment,
                     uint8_t *out, ccm_span *plain)
{
    const ccm_cipher_row *row = row_of(k);
    size_t mac = ccm_hash_size(k->suite->mac), iv = k->version >= 0x0302 ? row->block : 0;
    ccm_span text = fragment;
    if (k->encrypt_then_mac) {
        if (text.n < mac)
            return false;
        text.n -= mac;
        if (!authentic(k, seq, header, text, text.p + text.n))
            return false;
    }
    if (text.n < iv + row->block || text.n % row->block)
        return false;
    const uint8_t *vector = iv ? text.p : k->iv; /* TLS 1.0: the end of the record before */
    int n = 0;
    if (EVP_DecryptInit_ex(k->context, NULL, NULL, NULL, vector) != 1 ||
        EVP_DecryptUpdate(k->context, out, &n, text.p + iv, (int)(text.n - iv)) != 1)
        return false;
    size_t content = unpadded(out, text.n - iv);
    if (content == SIZE_MAX || (!k->encrypt_then_mac && content < mac))
        return false;
    content -= k->encrypt_then_mac ? 0 : mac;
    *plain = ccm_span_of(out, content);
    return k->encrypt_then_mac || authentic(k, seq, header, *plain, out + content);
}

/* ---- what others call ------------------------------------------------------------------------ */

/* Where the plain text goes: not over a record that is the plain text of another one. NULL: too
 * deep. */
static uint8_t *room_for(ccm_records *r, ccm_span fragment)
{
    uintptr_t at = (uintptr_t)fragment.p, begin = (uintptr_t)r->plain;
    if (at < begin || at >= begin + sizeof r->plain)
        return r->plain[0];
    size_t inside = (at - begin) / sizeof r->plain[0];
    return inside + 1 < CCM_TLS_NESTED ? r->plain[inside + 1] : NULL;
}

bool ccm_record_open(ccm_records *r, ccm_record_keys *k, uint64_t seq, ccm_span header,
                     ccm_span fragment, ccm_span *plain, uint8_t *type)
{
    uint8_t *out = room_for(r, fragment);
    if (header.n != HEADER || fragment.n > CCM_TLS_FRAGMENT || !k->suite || !out || !ready(r, k))
        return false;
    bool ok;
    *type = header.p[0];
    if (k->version >= 0x0304)
        ok = open_13(k, seq, header, fragment, out, plain, type);
    else if (row_of(k)->mode == CCM_MODE_CBC)
        ok = open_cbc(k, seq, header, fragment, out, plain);
    else
        ok = open_12_aead(k, seq, header, fragment, out, plain);
    if (!ok)
        ERR_clear_error();
    return ok;
}

bool ccm_record_keys_expand(const ccm_crypto *c, ccm_record_keys *k, const ccm_suite *suite,
                            ccm_span secret)
{
    k->suite = suite;
    k->version = 0x0304;
    return ccm_tls_expand(c, suite->hash, secret, "key", k->key,
                          ccm_cipher_rows[suite->cipher].key) &&
           ccm_tls_expand(c, suite->hash, secret, "iv", k->iv, NONCE);
}
