/* SPDX-License-Identifier: GPL-2.0-or-later
 * decrypt_state.h - what the files of the decryption share: secrets, cipher suites, keys of a
 * direction. OpenSSL's types are opaque here. */
#ifndef CCM_PROTO_DECRYPT_STATE_H
#define CCM_PROTO_DECRYPT_STATE_H

#include "proto/decrypt.h"

enum {
    CCM_TLS_MASTER = 48,
    CCM_TLS_SECRET = 48, /* the longest: SHA-384 */
    CCM_TLS_KEY = 32,
    CCM_TLS_IV = 16,
    CCM_TLS_TAG = 16,
    CCM_TLS_FRAGMENT = 16384 + 2048, /* the longest, RFC 5246 6.2.3 */
    CCM_TLS_SERVER_KEYS = 16,
    CCM_TLS_NESTED = 4,
    CCM_TLS_LIVE = 4096, /* directions for which OpenSSL holds a context */
};

/* ---- secrets (decrypt_secrets.c) ------------------------------------------------------------- */

typedef enum ccm_secret_kind {
    CCM_SECRET_MASTER,    /* by client random */
    CCM_SECRET_PREMASTER, /* by client random */
    CCM_SECRET_EARLY,     /* by client random: of TLS 1.3, as the ones below */
    CCM_SECRET_HANDSHAKE, /* client's; the server's follows */
    CCM_SECRET_HANDSHAKE_SRV,
    CCM_SECRET_APPLICATION,
    CCM_SECRET_APPLICATION_SRV,
    CCM_SECRET_SESSION,   /* master by session id */
    CCM_SECRET_TICKET,    /* master by hash of a session ticket */
    CCM_SECRET_ENCRYPTED, /* premaster by the first bytes of its encrypted form */
} ccm_secret_kind;

typedef struct ccm_secret {
    GList age;
    uint8_t kind, n;
    uint8_t name[CCM_TLS_RANDOM]; /* zeros behind a shorter one */
    uint8_t bytes[CCM_TLS_SECRET];
} ccm_secret;

/* A key log, read so far up to a line's end. */
typedef struct ccm_secrets_log {
    char *path;
    long at;
    void *file; /* FILE, while it is followed */
} ccm_secrets_log;

typedef struct ccm_secrets {
    GHashTable *set; /* of ccm_secret */
    GQueue ages;     /* latest first */
    unsigned max;
    ccm_decrypt_counts *counts;
    GArray *logs; /* ccm_secrets_log */
    bool followed;
} ccm_secrets;

void ccm_secrets_open(ccm_secrets *s, unsigned max, ccm_decrypt_counts *counts);
void ccm_secrets_close(ccm_secrets *s);
void ccm_secrets_text(ccm_secrets *s, ccm_span text);
bool ccm_secrets_file(ccm_secrets *s, const char *path, GError **error);
/* From now on ccm_secrets_more reads what the key logs grow by, even without a right to open files.
 */
void ccm_secrets_follow(ccm_secrets *s);
void ccm_secrets_more(ccm_secrets *s);
/* Remembers a secret; an older one of the same kind and name is replaced. */
void ccm_secrets_put(ccm_secrets *s, ccm_secret_kind kind, ccm_span name, ccm_span bytes);
/* Valid until the next put; NULL = none. */
const ccm_secret *ccm_secrets_find(const ccm_secrets *s, ccm_secret_kind kind, ccm_span name);

/* ---- cipher suites (decrypt_suites.c) -------------------------------------------------------- */

typedef enum ccm_cipher {
    CCM_CIPHER_3DES_CBC,
    CCM_CIPHER_AES128_CBC,
    CCM_CIPHER_AES256_CBC,
    CCM_CIPHER_AES128_GCM,
    CCM_CIPHER_AES256_GCM,
    CCM_CIPHER_AES128_CCM,
    CCM_CIPHER_AES256_CCM,
    CCM_CIPHER_AES128_CCM8,
    CCM_CIPHER_AES256_CCM8,
    CCM_CIPHER_CHACHA20,
    CCM_CIPHERS
} ccm_cipher;

typedef enum ccm_hash { CCM_HASH_SHA1, CCM_HASH_SHA256, CCM_HASH_SHA384 } ccm_hash;

typedef enum ccm_mode { CCM_MODE_CBC, CCM_MODE_GCM, CCM_MODE_CCM, CCM_MODE_CHACHA } ccm_mode;

typedef struct ccm_cipher_row {
    const char *name; /* as OpenSSL calls it */
    uint8_t mode, key, block, tag;
    uint8_t fixed_iv; /* of TLS 1.2, from the key block */
} ccm_cipher_row;

typedef struct ccm_suite {
    uint16_t id;
    uint8_t cipher;
    uint8_t hash; /* of the key derivation in TLS 1.2 and 1.3 */
    uint8_t mac;  /* of CBC records */
    bool rsa;     /* RSA key exchange: the server's key gives the secret */
} ccm_suite;

extern const ccm_cipher_row ccm_cipher_rows[CCM_CIPHERS];
/* NULL = not one that this version opens. */
const ccm_suite *ccm_suite_find(uint16_t id);
size_t ccm_hash_size(ccm_hash hash);

/* ---- derivation (decrypt_derive.c) ----------------------------------------------------------- */

/* What OpenSSL was asked for once. */
typedef struct ccm_crypto {
    bool ready;
    struct evp_kdf_st *prf, *hkdf;
    struct evp_mac_st *hmac;
    struct evp_cipher_st *cipher[CCM_CIPHERS];
    struct evp_md_st *md5_sha1, *hash[3];
} ccm_crypto;

void ccm_crypto_open(ccm_crypto *c);
void ccm_crypto_close(ccm_crypto *c);
/* The PRF of TLS 1.0 to 1.2 (RFC 5246 section 5, RFC 2246 section 5). */
bool ccm_tls_prf(const ccm_crypto *c, uint16_t version, ccm_hash hash, ccm_span secret,
                 const char *label, ccm_span seed, ccm_span seed2, uint8_t *out, size_t n);
/* HKDF-Expand-Label without context (RFC 8446 section 7.1). */
bool ccm_tls_expand(const ccm_crypto *c, ccm_hash hash, ccm_span secret, const char *label,
                    uint8_t *out, size_t n);
struct evp_md_st *ccm_tls_hash(const ccm_crypto *c, uint16_t version, ccm_hash hash);

/* ---- records (decrypt_record.c) -------------------------------------------------------------- */

/* The keys of one direction, between two changes of them. */
typedef struct ccm_record_keys {
    const ccm_suite *suite; /* NULL = no keys */
    uint16_t version;
    bool encrypt_then_mac;
    uint8_t key[CCM_TLS_KEY], iv[CCM_TLS_IV], mac[CCM_TLS_SECRET];
    /* Made when the first record is opened, let go when there are too many. */
    struct evp_cipher_ctx_st *context;
    struct evp_mac_ctx_st *hmac;
    GList live;
} ccm_record_keys;

typedef struct ccm_records {
    const ccm_crypto *crypto;
    GQueue live; /* of ccm_record_keys with a context, latest used first */
    /* A record that lies in the plain text of another one (TLS inside TLS) goes to the next. */
    uint8_t plain[CCM_TLS_NESTED][CCM_TLS_FRAGMENT];
} ccm_records;

/* Opens a record as number `seq`: checks its tag. The plain text is in r->plain, until another
 * record is opened that does not lie in it. */
bool ccm_record_open(ccm_records *r, ccm_record_keys *k, uint64_t seq, ccm_span header,
                     ccm_span fragment, ccm_span *plain, uint8_t *type);
/* Keys from a traffic secret of TLS 1.3. */
bool ccm_record_keys_expand(const ccm_crypto *c, ccm_record_keys *k, const ccm_suite *suite,
                            ccm_span secret);
/* `to`, whose keys are forgotten, gets the keys of `from`, which has none then. */
void ccm_record_keys_move(ccm_records *r, ccm_record_keys *to, ccm_record_keys *from);
/* Lets go of the contexts and forgets the keys. */
void ccm_record_keys_clear(ccm_records *r, ccm_record_keys *k);

/* ---- private keys (decrypt_rsa.c) ------------------------------------------------------------ */

typedef struct ccm_server_key {
    struct evp_pkey_st *key;
    size_t n; /* bytes of the modulus */
    uint8_t *modulus;
} ccm_server_key;

typedef struct ccm_server_keys {
    unsigned n;
    ccm_server_key key[CCM_TLS_SERVER_KEYS];
} ccm_server_keys;

bool ccm_server_keys_add(ccm_server_keys *k, ccm_span pem, const char *name, bool *found,
                         GError **error);
void ccm_server_keys_clear(ccm_server_keys *k);
/* Bit i is set when key i's number is in the bytes of a Certificate message. */
uint32_t ccm_server_keys_in(const ccm_server_keys *k, ccm_span certificate);
/* Decrypts a premaster secret with one of the keys of the mask. */
bool ccm_server_keys_decrypt(const ccm_server_keys *k, uint32_t mask, ccm_span encrypted,
                             uint8_t out[CCM_TLS_MASTER]);

/* At most 1 MiB of a file that the user named, with a NUL behind it; g_free it. NULL on failure. */
char *ccm_secret_file(const char *path, const char *what, size_t *n, GError **error);

#endif
