/* SPDX-License-Identifier: GPL-2.0-or-later
 * ssl_talk.h - conversations between two ends of OpenSSL's libssl in memory: what they sent, and
 * the key log of the client. The records are libssl's, so the library under test is not asked what
 * is right. */
#ifndef CCM_TEST_SSL_TALK_H
#define CCM_TEST_SSL_TALK_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "http_driver.h"
#include "proto/decrypt.h"

/* What a connection is like; zeros are the defaults. */
typedef struct talk_options {
    int version;         /* TLS1_2_VERSION ... */
    const char *ciphers; /* of TLS 1.2 and older */
    const char *suites;  /* of TLS 1.3 */
    uint64_t options;    /* SSL_OP_ of both ends */
    size_t padding;      /* block size of TLS 1.3 padding */
    bool early;          /* the first request is early data, when there is a session */
    bool refuse;         /* the server refuses it, so that it is sent again */
    bool update;         /* keys are updated, by either side, before each request */
    bool renegotiate;
    size_t body;       /* bytes of each response's body */
    unsigned requests; /* 0 = 2 */
} talk_options;

typedef struct talk_chunk {
    unsigned dir;
    GByteArray *bytes;
} talk_chunk;

typedef struct talk {
    SSL_CTX *client_ctx, *server_ctx;
    SSL *client, *server;
    SSL_SESSION *session; /* of the latest connection, for the next */
    GString *log;
    GArray *chunks; /* talk_chunk, in the order sent */
    EVP_PKEY *key;
    char *pem; /* the server's private key */
} talk;

static inline void talk_keylog(const SSL *ssl, const char *line)
{
    talk *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    g_string_append_printf(t->log, "%s\n", line);
}

static inline X509 *talk_certificate(EVP_PKEY *key)
{
    X509 *x = X509_new();
    g_assert_true(X509_set_version(x, 2));
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"mp.example.com", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    g_assert_true(X509_sign(x, key, EVP_sha256()));
    return x;
}

static inline SSL_CTX *talk_context(talk *t, const talk_options *o, bool server)
{
    SSL_CTX *c = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    SSL_CTX_set_security_level(c, 0);
    SSL_CTX_set_app_data(c, t);
    g_assert_true(SSL_CTX_set_min_proto_version(c, o->version));
    g_assert_true(SSL_CTX_set_max_proto_version(c, o->version));
    g_autofree char *ciphers = g_strconcat(o->ciphers ? o->ciphers : "ALL", ":@SECLEVEL=0", NULL);
    g_assert_true(SSL_CTX_set_cipher_list(c, ciphers));
    if (o->suites)
        g_assert_true(SSL_CTX_set_ciphersuites(c, o->suites));
    SSL_CTX_set_options(c, o->options);
    SSL_CTX_clear_options(c, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    if (o->padding)
        SSL_CTX_set_block_padding(c, o->padding);
    if (!server) {
        SSL_CTX_set_keylog_callback(c, talk_keylog);
        SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT);
        return c;
    }
    X509 *x = talk_certificate(t->key);
    g_assert_true(SSL_CTX_use_certificate(c, x));
    g_assert_true(SSL_CTX_use_PrivateKey(c, t->key));
    X509_free(x);
    SSL_CTX_set_dh_auto(c, 1);
    SSL_CTX_set_max_early_data(c, 16384);
    SSL_CTX_set_session_id_context(c, (const unsigned char *)"t", 1);
    return c;
}

/* One key for all: making one takes long. */
static inline EVP_PKEY *talk_key(void)
{
    static EVP_PKEY *key;
    if (!key)
        key = EVP_RSA_gen(2048);
    EVP_PKEY_up_ref(key);
    return key;
}

static inline void talk_init(talk *t, const talk_options *o)
{
    memset(t, 0, sizeof *t);
    t->log = g_string_new("");
    t->chunks = g_array_new(FALSE, FALSE, sizeof(talk_chunk));
    t->key = talk_key();
    BIO *bio = BIO_new(BIO_s_mem());
    g_assert_true(PEM_write_bio_PrivateKey(bio, t->key, NULL, NULL, 0, NULL, NULL));
    char *p;
    long n = BIO_get_mem_data(bio, &p);
    t->pem = g_strndup(p, (gsize)n);
    BIO_free(bio);
    t->client_ctx = talk_context(t, o, false);
    t->server_ctx = talk_context(t, o, true);
}

static inline void talk_forget(talk *t)
{
    for (guint i = 0; i < t->chunks->len; i++)
        g_byte_array_unref(g_array_index(t->chunks, talk_chunk, i).bytes);
    g_array_set_size(t->chunks, 0);
}

static inline void talk_clear(talk *t)
{
    talk_forget(t);
    SSL_SESSION_free(t->session);
    SSL_CTX_free(t->client_ctx);
    SSL_CTX_free(t->server_ctx);
    EVP_PKEY_free(t->key);
    g_array_free(t->chunks, TRUE);
    g_string_free(t->log, TRUE);
    g_free(t->pem);
}

/* Takes what one end wrote to the other. */
static inline bool talk_carry(talk *t, unsigned dir)
{
    BIO *from = SSL_get_wbio(dir ? t->server : t->client);
    BIO *to = SSL_get_rbio(dir ? t->client : t->server);
    char *p;
    long n = BIO_get_mem_data(from, &p);
    if (n <= 0)
        return false;
    talk_chunk c = { dir, g_byte_array_new() };
    g_byte_array_append(c.bytes, (const guint8 *)p, (guint)n);
    g_array_append_val(t->chunks, c);
    g_assert_cmpint(BIO_write(to, p, (int)n), ==, n);
    (void)BIO_reset(from);
    return true;
}

static inline void talk_pump(talk *t)
{
    char buf[4096];
    bool moved = true;
    while (moved) {
        (void)SSL_do_handshake(t->client);
        moved = talk_carry(t, 0);
        (void)SSL_do_handshake(t->server);
        moved |= talk_carry(t, 1);
        (void)SSL_peek(t->client, buf, 1); /* takes tickets and updates in */
        (void)SSL_peek(t->server, buf, 1);
        moved |= talk_carry(t, 0);
        moved |= talk_carry(t, 1);
    }
}

static inline void talk_say(talk *t, unsigned dir, const char *text, size_t size)
{
    SSL *from = dir ? t->server : t->client, *to = dir ? t->client : t->server;
    g_autofree char *buf = g_malloc(size);
    size_t n = 0, got = 0;
    g_assert_cmpint(SSL_write(from, text, (int)size), ==, (int)size);
    g_assert_true(talk_carry(t, dir));
    while (got < size && SSL_read_ex(to, buf + got, size - got, &n))
        got += n;
    g_assert_cmpuint(got, ==, size);
    g_assert_cmpmem(buf, got, text, size);
}

static inline char *talk_request(unsigned i)
{
    return g_strdup_printf("GET /%u HTTP/1.1\r\nHost: mp.example.com\r\n\r\n", i);
}

static inline char *talk_response(const talk_options *o, size_t *size)
{
    size_t n = o->body ? o->body : 5;
    GString *s = g_string_new(NULL);
    g_string_append_printf(s, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
    while (n--)
        g_string_append_c(s, (char)('a' + n % 26));
    *size = s->len;
    return g_string_free(s, FALSE);
}

static inline void talk_early(talk *t, bool refuse)
{
    g_autofree char *request = talk_request(0);
    char buf[256];
    size_t n = 0;
    g_assert_true(SSL_write_early_data(t->client, request, strlen(request), &n));
    (void)talk_carry(t, 0);
    if (refuse)
        return; /* SSL_accept skips it */
    g_assert_cmpint(SSL_read_early_data(t->server, buf, sizeof buf, &n), ==,
                    SSL_READ_EARLY_DATA_SUCCESS);
    g_assert_cmpuint(n, ==, strlen(request));
    (void)talk_carry(t, 1);
    (void)SSL_read_early_data(t->server, buf, sizeof buf, &n);
}

/* Both ends of a connection, before their first word. */
static inline void talk_open(talk *t)
{
    talk_forget(t);
    t->client = SSL_new(t->client_ctx);
    t->server = SSL_new(t->server_ctx);
    SSL_set_bio(t->client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_bio(t->server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    for (int i = 0; i < 2; i++) {
        BIO_set_mem_eof_return(SSL_get_rbio(i ? t->server : t->client), -1);
        BIO_set_mem_eof_return(SSL_get_wbio(i ? t->server : t->client), -1);
    }
    SSL_set_connect_state(t->client);
    SSL_set_accept_state(t->server);
    if (t->session)
        SSL_set_session(t->client, t->session);
}

static inline void talk_handshake(talk *t)
{
    talk_pump(t);
    g_assert_true(SSL_is_init_finished(t->client) && SSL_is_init_finished(t->server));
}

static inline void talk_close(talk *t)
{
    SSL_SESSION_free(t->session);
    t->session = SSL_get1_session(t->client);
    (void)SSL_shutdown(t->client);
    (void)talk_carry(t, 0);
    (void)SSL_shutdown(t->server);
    (void)talk_carry(t, 1);
    SSL_free(t->client);
    SSL_free(t->server);
}

/* A whole connection: handshake, requests and answers, close. A session of an earlier one is
 * resumed. */
static inline void talk_run(talk *t, const talk_options *o)
{
    size_t size;
    g_autofree char *response = talk_response(o, &size);
    bool early = o->early && t->session;
    unsigned requests = o->requests ? o->requests : 2;
    talk_open(t);
    if (early)
        talk_early(t, o->refuse);
    talk_handshake(t);
    for (unsigned i = 0; i < requests; i++) {
        g_autofree char *request = talk_request(i);
        if (o->update) {
            g_assert_true(SSL_key_update(t->client, SSL_KEY_UPDATE_REQUESTED));
            g_assert_true(SSL_key_update(t->server, SSL_KEY_UPDATE_NOT_REQUESTED));
            talk_pump(t);
        }
        if (o->renegotiate && i == 1) {
            g_assert_true(SSL_renegotiate(t->server));
            talk_pump(t);
        }
        if (!early || o->refuse || i)
            talk_say(t, 0, request, strlen(request));
        talk_say(t, 1, response, size);
    }
    talk_close(t);
}

/* Plays the latest connection to a parser in pieces of `piece` bytes (0 = as sent), without
 * bytes from..from+lost-1 of the server. Returns what it tells; g_free it. */
static inline char *talk_play_proto(const ccm_proto *proto, const talk *t, ccm_decrypt *keys,
                                    size_t piece, uint64_t from, uint64_t lost)
{
    drive d;
    uint64_t now = 0, pos = 0;
    drive_open_proto(&d, proto, false);
    d.no_times = true;
    d.ps.decryptor = ccm_decrypt_service(keys);
    for (guint i = 0; i < t->chunks->len; i++) {
        const talk_chunk *c = &g_array_index(t->chunks, talk_chunk, i);
        for (size_t at = 0; at < c->bytes->len;) {
            size_t n = c->bytes->len - at;
            n = piece && piece < n ? piece : n;
            bool gone = c->dir && lost && pos >= from && pos < from + lost;
            if (gone)
                n = (size_t)ccm_min64(n, from + lost - pos);
            else if (c->dir && lost && pos < from)
                n = (size_t)ccm_min64(n, from - pos);
            if (gone)
                drive_lose(&d, c->dir, ++now, n);
            else
                drive_bytes(&d, c->dir, ++now, c->bytes->data + at, n);
            at += n;
            pos += c->dir ? n : 0;
        }
    }
    return drive_close(&d, now + 1);
}

static inline char *talk_play(const talk *t, ccm_decrypt *keys, size_t piece, uint64_t from,
                              uint64_t lost)
{
    return talk_play_proto(&ccm_proto_tls, t, keys, piece, from, lost);
}

static inline ccm_decrypt *talk_keys(void)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    return ccm_decrypt_new(&limits);
}

#endif
