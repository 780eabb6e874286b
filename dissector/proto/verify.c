/* SPDX-License-Identifier: GPL-2.0-or-later
 * verify.c - checks signatures: RSA PKCS#1 v1.5 in all forms that clients use, by OpenSSL.
 * In: claims of parsers, registrations' answers, supplied keys. Out: verdicts. State: keys and
 * clients (verify_keys.c), a bounded cache of answers, OpenSSL's objects in a library context of
 * their own. Spec: RFC 8017 section 8.2.2 and 9.2; the reference's signature value format. */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include "proto/verify_state.h"

enum { HASHES = 4, SHA256 = 0, HASH_BYTES = 32, WAYS = 4, SETS = 1024, TEXT_CHUNK = 256 };

/* Whether the signed bytes end with a NUL that is not shown; `bytes` have no such choice. */
typedef enum nul_form { NUL_BYTES, NUL_THERE, NUL_ABSENT, NUL_FORMS } nul_form;

typedef struct hash_kind {
    const char *name; /* as OpenSSL calls it */
    uint8_t bytes;    /* of the hash */
    uint8_t prefix_n;
    uint8_t prefix[19]; /* DigestInfo up to the hash */
} hash_kind;

static const hash_kind hashes[HASHES] = {
    { "SHA256",
      32,
      19,
      { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20 } },
    { "SHA1",
      20,
      15,
      { 0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04,
        0x14 } },
    { "SHA384",
      48,
      19,
      { 0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02,
        0x05, 0x00, 0x04, 0x30 } },
    { "SHA512",
      64,
      19,
      { 0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03,
        0x05, 0x00, 0x04, 0x40 } },
};

#define ORDERS(form)                                                                               \
    {                                                                                              \
        form ", reversed", form ", not reversed"                                                   \
    }
#define NULS(form)                                                                                 \
    {                                                                                              \
        ORDERS(form), ORDERS(form ", NUL"), ORDERS(form ", no NUL")                                \
    }
#define FORMS(hash)                                                                                \
    {                                                                                              \
        NULS(hash " DigestInfo"), NULS(hash " bare hash")                                          \
    }

/* By hash, bare hash or not, NUL and byte order. */
static const char *const variants[HASHES][2][NUL_FORMS][2] = {
    FORMS("SHA-256"),
    FORMS("SHA-1"),
    FORMS("SHA-384"),
    FORMS("SHA-512"),
};

/* What is known of a key (or of all keys for any client: serial 0), a signature and signed data. */
typedef struct answer {
    uint8_t signature[HASH_BYTES], data[HASH_BYTES]; /* SHA-256 */
    uint64_t serial;
    const char *variant; /* NULL = does not fit */
    uint32_t used;       /* 0 = free */
    bool text;
    uint8_t hint; /* serial 0: 1 + index of the key that fitted */
} answer;

struct ccm_verify {
    ccm_signers keys;
    ccm_verify_counts counts;
    ccm_verifier service;
    bool opened, broken;
    OSSL_LIB_CTX *library;
    EVP_MD_CTX *md;
    EVP_MD *hash[HASHES];
    answer *answers; /* SETS sets of WAYS */
    uint32_t clock;
    uint8_t certificate[CCM_CERTIFICATE_BYTES];
};

/* One claim being judged. */
typedef struct proof {
    ccm_span data;
    bool text; /* signed as UTF-16LE, perhaps with a NUL */
    size_t n;  /* bytes of the signature */
    uint8_t signature_hash[HASH_BYTES], data_hash[HASH_BYTES];
    uint8_t signature[CCM_RSA_BYTES]; /* as sent */
} proof;

/* ---- OpenSSL --------------------------------------------------------------------------------- */

static bool crypto_open(ccm_verify *v)
{
    if (v->opened)
        return !v->broken;
    v->opened = true;
    v->library = OSSL_LIB_CTX_new(); /* neither the host's configuration nor other users' state */
    v->md = EVP_MD_CTX_new();
    v->broken = !v->library || !v->md;
    for (int i = 0; i < HASHES && !v->broken; i++) {
        v->hash[i] = EVP_MD_fetch(v->library, hashes[i].name, NULL);
        v->broken = !v->hash[i];
    }
    ERR_clear_error();
    if (!v->answers)
        v->answers = g_new0(answer, SETS * WAYS);
    return !v->broken;
}

/* A context ready to recover what a signature made with this key holds; NULL if OpenSSL refuses. */
static EVP_PKEY_CTX *key_build(ccm_verify *v, const ccm_rsa_key *key)
{
    uint8_t native[CCM_RSA_BYTES]; /* OSSL_PARAM wants the host's byte order */
    for (size_t i = 0; i < key->n; i++)
        native[i] = key->modulus[G_BYTE_ORDER == G_LITTLE_ENDIAN ? key->n - 1u - i : i];
    uint32_t exponent = key->exponent;
    OSSL_PARAM numbers[] = {
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, native, key->n),
        OSSL_PARAM_construct_uint32(OSSL_PKEY_PARAM_RSA_E, &exponent),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(v->library, "RSA", NULL), *context = NULL;
    if (maker && EVP_PKEY_fromdata_init(maker) == 1 &&
        EVP_PKEY_fromdata(maker, &pkey, EVP_PKEY_PUBLIC_KEY, numbers) == 1)
        context = EVP_PKEY_CTX_new_from_pkey(v->library, pkey, NULL);
    if (context && (EVP_PKEY_verify_recover_init(context) != 1 ||
                    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) != 1)) {
        EVP_PKEY_CTX_free(context);
        context = NULL;
    }
    EVP_PKEY_free(pkey); /* the context holds it */
    EVP_PKEY_CTX_free(maker);
    v->counts.keys_built++;
    return context;
}

static EVP_PKEY_CTX *key_context(ccm_verify *v, ccm_rsa_key *key)
{
    EVP_PKEY_CTX *fresh = key->ready ? NULL : key_build(v, key);
    ccm_rsa_key_live(&v->keys, key, fresh);
    return key->context;
}

/* ---- hashing the signed data ----------------------------------------------------------------- */

static size_t put_unit(uint8_t *out, uint32_t unit)
{
    out[0] = (uint8_t)unit;
    out[1] = (uint8_t)(unit >> 8);
    return 2;
}

static size_t put_character(uint8_t *out, uint32_t c)
{
    if (c < 0x10000)
        return put_unit(out, c);
    return put_unit(out, 0xd800 + ((c - 0x10000) >> 10)) + put_unit(out + 2, 0xdc00 + (c & 0x3ff));
}

/* Adds a text as UTF-16LE. Bytes that are not UTF-8 count as Latin-1. */
static int update_text(EVP_MD_CTX *md, ccm_span text)
{
    uint8_t wide[TEXT_CHUNK + 4];
    bool utf8 = g_utf8_validate_len((const char *)text.p, text.n, NULL);
    int ok = 1;
    size_t n = 0;
    for (size_t i = 0; i < text.n && ok;) {
        const char *p = (const char *)text.p + i;
        if (!utf8 || text.p[i] < 0x80) {
            n += put_unit(wide + n, text.p[i++]);
        } else {
            n += put_character(wide + n, g_utf8_get_char(p));
            i += (size_t)(g_utf8_next_char(p) - p);
        }
        if (n >= TEXT_CHUNK || i >= text.n) {
            ok = EVP_DigestUpdate(md, wide, n);
            n = 0;
        }
    }
    return ok;
}

static bool hash_data(ccm_verify *v, const proof *p, int which, bool nul, uint8_t *out)
{
    static const uint8_t zero[2] = { 0 };
    EVP_MD_CTX *md = v->md;
    if (EVP_DigestInit_ex2(md, v->hash[which], NULL) != 1)
        return false;
    int ok = p->text ? update_text(md, p->data) : EVP_DigestUpdate(md, p->data.p, p->data.n);
    if (ok == 1 && nul)
        ok = EVP_DigestUpdate(md, zero, sizeof zero);
    return ok == 1 && EVP_DigestFinal_ex(md, out, NULL) == 1;
}

static bool hash_sha256(ccm_verify *v, const uint8_t *bytes, size_t n, uint8_t *out)
{
    return EVP_DigestInit_ex2(v->md, v->hash[SHA256], NULL) == 1 &&
           EVP_DigestUpdate(v->md, bytes, n) == 1 && EVP_DigestFinal_ex(v->md, out, NULL) == 1;
}

/* ---- one signature and one key --------------------------------------------------------------- */

/* What the block holds behind 00 01 FF..FF 00, to its very end; 0 = the block is not of that form.
 */
static size_t recover(ccm_verify *v, EVP_PKEY_CTX *context, const uint8_t *signature, size_t n,
                      uint8_t *out)
{
    size_t got = CCM_RSA_BYTES;
    v->counts.rsa_operations++;
    return EVP_PKEY_verify_recover(context, out, &got, signature, n) == 1 ? got : 0;
}

/* The hash and its form follow from the length, so that nothing may stand before or behind. */
static const char *match(ccm_verify *v, const proof *p, ccm_span content, int order)
{
    uint8_t want[EVP_MAX_MD_SIZE];
    for (int h = 0; h < HASHES; h++) {
        const hash_kind *kind = &hashes[h];
        bool bare = content.n == kind->bytes;
        if (!bare && (content.n != (size_t)kind->prefix_n + kind->bytes ||
                      memcmp(content.p, kind->prefix, kind->prefix_n) != 0))
            continue;
        const uint8_t *hash = content.p + (bare ? 0 : kind->prefix_n);
        if (p->text && hash_data(v, p, h, true, want) && !memcmp(hash, want, kind->bytes))
            return variants[h][bare][NUL_THERE][order];
        if (h == SHA256)
            memcpy(want, p->data_hash, HASH_BYTES);
        else if (!hash_data(v, p, h, false, want))
            return NULL;
        return memcmp(hash, want, kind->bytes) != 0
                   ? NULL
                   : variants[h][bare][p->text ? NUL_ABSENT : NUL_BYTES][order];
    }
    return NULL;
}

/* The form in which the signature fits, or NULL. The other byte order costs a second operation only
 * when the first gives no block. */
static const char *judge_key(ccm_verify *v, ccm_rsa_key *key, const proof *p)
{
    uint8_t reversed[CCM_RSA_BYTES], content[CCM_RSA_BYTES];
    EVP_PKEY_CTX *context = key_context(v, key);
    const char *variant = NULL;
    if (context) {
        for (size_t i = 0; i < p->n; i++)
            reversed[i] = p->signature[p->n - 1 - i];
        int order = 0;
        size_t n = recover(v, context, reversed, p->n, content);
        if (!n) {
            order = 1;
            n = recover(v, context, p->signature, p->n, content);
        }
        variant = n ? match(v, p, ccm_span_of(content, n), order) : NULL;
    }
    ERR_clear_error();
    return variant;
}

/* ---- answers --------------------------------------------------------------------------------- */

static uint64_t word(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* The answer about this key, signature and data: `*known` when it is one, else the place for it. */
static answer *answer_find(ccm_verify *v, const proof *p, uint64_t serial, bool *known)
{
    uint64_t h =
        word(p->signature_hash) ^ word(p->data_hash) ^ serial * UINT64_C(0x9e3779b97f4a7c15);
    answer *set = v->answers + (h >> 32) % SETS * WAYS, *oldest = set;
    if (!++v->clock) { /* once in 2^32 checks */
        memset(v->answers, 0, sizeof *v->answers * SETS * WAYS);
        v->clock = 1;
    }
    *known = false;
    for (answer *a = set; a < set + WAYS && !*known; a++) {
        if (a->used && a->serial == serial && a->text == p->text &&
            !memcmp(a->signature, p->signature_hash, HASH_BYTES) &&
            !memcmp(a->data, p->data_hash, HASH_BYTES)) {
            *known = true;
            oldest = a;
        } else if (a->used < oldest->used) {
            oldest = a;
        }
    }
    if (!*known) {
        *oldest = (answer){ .serial = serial, .text = p->text };
        memcpy(oldest->signature, p->signature_hash, HASH_BYTES);
        memcpy(oldest->data, p->data_hash, HASH_BYTES);
    }
    oldest->used = v->clock;
    return oldest;
}

static const char *try_key(ccm_verify *v, ccm_rsa_key *key, const proof *p)
{
    if (key->n != p->n)
        return NULL;
    bool known;
    answer *a = answer_find(v, p, key->serial, &known);
    if (!known)
        a->variant = judge_key(v, key, p);
    return a->variant;
}

/* Tries the keys that belong to nobody. One answer is kept for all of them together. */
static const char *try_any(ccm_verify *v, const proof *p, uint8_t *hint)
{
    unsigned n = v->keys.n_any;
    if (!n)
        return NULL;
    bool known;
    answer *a = answer_find(v, p, 0, &known);
    if (known) {
        *hint = a->hint;
        return a->variant;
    }
    unsigned first = *hint ? *hint - 1u : 0;
    for (unsigned i = 0; i < n && !a->variant; i++) {
        unsigned at = (first + i) % n;
        ccm_rsa_key *key = v->keys.any[at];
        if (key->n == p->n)
            a->variant = judge_key(v, key, p);
        a->hint = (uint8_t)(at + 1);
    }
    *hint = a->hint;
    return a->variant;
}

/* ---- whose key decides ----------------------------------------------------------------------- */

static bool give(ccm_signature_verdict *verdict, const char *variant, const char *source)
{
    verdict->result = variant ? "verified" : "failed";
    verdict->variant = variant;
    verdict->key_source = source;
    return variant != NULL;
}

static bool give_keys(ccm_verify *v, const proof *p, ccm_rsa_key *const *keys, unsigned n,
                      const char *source, ccm_signature_verdict *verdict)
{
    const char *variant = NULL;
    for (unsigned i = 0; i < n && keys[i] && !variant; i++)
        variant = try_key(v, keys[i], p);
    return give(verdict, variant, source);
}

/* The key that the claim brings along. */
static bool own_key(ccm_verify *v, const ccm_signature_claim *claim, ccm_rsa *out)
{
    uint8_t blob[CCM_BLOB_BYTES];
    size_t n;
    if (claim->field == CCM_SIGNED_REGISTRATION || !claim->public_key.n)
        return ccm_hex_decode(claim->certificate, v->certificate, sizeof v->certificate, &n) &&
               ccm_rsa_from_der(ccm_span_of(v->certificate, n), out);
    return ccm_hex_decode(claim->public_key, blob, sizeof blob, &n) &&
           ccm_rsa_from_blob(ccm_span_of(blob, n), out);
}

/* Where else a key is known from. The first key that a client id was verified with is the client's
 * (the reference's public key sources), also where another one was supplied for clients in general:
 * that one is nobody's. A registration is how a key changes: it is not remarked. */
static const char *source_of(const ccm_signer *client, const ccm_rsa_key *key, bool registration)
{
    for (unsigned i = 0; client && i < CCM_SUPPLIED_EACH; i++)
        if (client->supplied[i] == key)
            return "supplied";
    if (client && client->registered == key)
        return "registration";
    if (!registration && client && client->message[0] && client->message[0] != key)
        return "new-key";
    return key->any ? "supplied" : "message";
}

/* A claim without a key: that of the client's first message decides, then the latest other one. */
static bool by_message(ccm_verify *v, const ccm_signer *client, const proof *p,
                       ccm_signature_verdict *verdict)
{
    ccm_rsa_key *const *keys = client->message;
    if (give(verdict, try_key(v, keys[0], p), source_of(client, keys[0], false)))
        return true;
    const char *variant = keys[1] ? try_key(v, keys[1], p) : NULL;
    return variant && give(verdict, variant, source_of(client, keys[1], false));
}

static void by_any(ccm_verify *v, const ccm_signature_claim *claim, ccm_signer *client,
                   const proof *p, ccm_signature_verdict *verdict)
{
    uint8_t hint = client ? client->hint : 0;
    const char *variant = try_any(v, p, &hint);
    if (!variant)
        return;
    ccm_rsa_key *key = v->keys.any[hint - 1u];
    (void)give(verdict, variant, source_of(client, key, false));
    if (!client)
        client = ccm_signer_get(&v->keys, claim->client_id);
    if (!client)
        return;
    client->hint = hint;
    ccm_signer_message_key(&v->keys, client, key);
    bool known; /* by its own key it is judged already */
    answer_find(v, p, key->serial, &known)->variant = variant;
}

static void decide(ccm_verify *v, const ccm_signature_claim *claim, const proof *p,
                   ccm_signature_verdict *verdict)
{
    ccm_signer *client = ccm_signer_find(&v->keys, claim->client_id);
    ccm_rsa rsa;
    bool own = own_key(v, claim, &rsa), ok = false;
    bool registration = own && claim->field == CCM_SIGNED_REGISTRATION;
    if (!registration && client && client->supplied[0]) {
        (void)give_keys(v, p, client->supplied, CCM_SUPPLIED_EACH, "supplied", verdict);
        return;
    }
    if (!registration && client && client->registered) {
        (void)give_keys(v, p, &client->registered, 1, "registration", verdict);
        return;
    }
    if (own) {
        ccm_rsa_key *key = ccm_rsa_key_get(&v->keys, &rsa);
        ok = give_keys(v, p, &key, 1, source_of(client, key, registration), verdict);
        if (ok && registration)
            ccm_registration_put(&v->keys, claim->flow, claim->exchange, key);
        else if (ok && (client || (client = ccm_signer_get(&v->keys, claim->client_id))))
            ccm_signer_message_key(&v->keys, client, key);
        ccm_rsa_key_unref(&v->keys, key);
    } else if (client && client->message[0]) {
        ok = by_message(v, client, p, verdict);
    }
    if (!ok && !registration)
        by_any(v, claim, client, p, verdict);
    if (!verdict->result)
        verdict->result = "no-key";
}

/* ---- the service ----------------------------------------------------------------------------- */

static void check(void *user_data, const ccm_signature_claim *claim, ccm_signature_verdict *verdict)
{
    ccm_verify *v = user_data;
    *verdict = (ccm_signature_verdict){ 0 };
    if (!claim->signature.n || !crypto_open(v))
        return;
    proof p;
    p.text = claim->field != CCM_SIGNED_PAYLOAD && claim->field != CCM_SIGNED_REGISTRATION;
    p.data = p.text ? claim->text : claim->bytes;
    bool formed = ccm_hex_decode(claim->signature, p.signature, sizeof p.signature, &p.n);
    if (formed) {
        if (!hash_sha256(v, p.signature, p.n, p.signature_hash))
            return;
        for (int i = 0; i < 8; i++)
            verdict->signature_hash = verdict->signature_hash << 8 | p.signature_hash[i];
    }
    if (!p.data.n)
        return;
    v->counts.checks++;
    if (!formed) {
        verdict->result = "failed";
        return;
    }
    uint64_t operations = v->counts.rsa_operations;
    if (!hash_data(v, &p, SHA256, false, p.data_hash))
        return;
    decide(v, claim, &p, verdict);
    v->counts.cached += v->counts.rsa_operations == operations && verdict->key_source;
}

static void learn(void *user_data, uint64_t flow, uint64_t exchange, ccm_span client_id)
{
    ccm_verify *v = user_data;
    ccm_registration_answer(&v->keys, flow, exchange, client_id);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void drop_context(struct evp_pkey_ctx_st *context)
{
    EVP_PKEY_CTX_free(context);
}

ccm_verify *ccm_verify_new(const ccm_limits *limits)
{
    ccm_verify *v = g_new0(ccm_verify, 1);
    v->keys.drop_context = drop_context;
    v->keys.counts = &v->counts;
    ccm_signers_open(&v->keys, limits);
    v->service = (ccm_verifier){ v, check, learn };
    return v;
}

void ccm_verify_free(ccm_verify *v)
{
    if (!v)
        return;
    ccm_signers_close(&v->keys);
    for (int i = 0; i < HASHES; i++)
        EVP_MD_free(v->hash[i]);
    EVP_MD_CTX_free(v->md);
    OSSL_LIB_CTX_free(v->library);
    g_free(v->answers);
    g_free(v);
}

const ccm_verifier *ccm_verify_service(ccm_verify *v)
{
    return &v->service;
}

const ccm_verify_counts *ccm_verify_count(const ccm_verify *v)
{
    return &v->counts;
}

ccm_signers *ccm_verify_signers(ccm_verify *v)
{
    return &v->keys;
}

void ccm_verify_forget_answers(ccm_verify *v)
{
    if (v->answers)
        memset(v->answers, 0, sizeof *v->answers * SETS * WAYS);
}

void ccm_verify_forget(ccm_verify *v)
{
    ccm_signers_clear(&v->keys);
    ccm_verify_forget_answers(v);
}
