/* SPDX-License-Identifier: GPL-2.0-or-later
 * decrypt_tls12.c - the keys of connections of TLS 1.2 and older.
 * In: handshake messages, secrets of a key log, private keys. Out: the keys of a direction. State:
 * in ccm_tls_keys: the master secret, the hashes of the handshake while a private key may need
 * them. Spec: RFC 5246 sections 6.3, 7.4.7, 8.1; RFC 7627 (extended master secret); RFC 5077
 * (tickets). */
#include <openssl/evp.h>

#include "proto/decrypt_session.h"

enum {
    CLIENT_HELLO = 1,
    NEW_SESSION_TICKET = 4,
    CERTIFICATE = 11,
    CLIENT_KEY_EXCHANGE = 16,
    TICKET_EXTENSION = 35,
};

static ccm_span bytes32(const uint8_t p[CCM_TLS_RANDOM])
{
    return ccm_span_of(p, CCM_TLS_RANDOM);
}

/* ---- TLS 1.2 and older: the master secret ---------------------------------------------------- */

static void set_master(ccm_tls_keys *k, const uint8_t *master)
{
    memcpy(k->master, master, CCM_TLS_MASTER);
    k->has_master = true;
}

static bool take_master(ccm_tls_keys *k, ccm_secret_kind kind, ccm_span name)
{
    const ccm_secret *found = name.n ? ccm_secrets_find(&k->d->secrets, kind, name) : NULL;
    if (found && found->n == CCM_TLS_MASTER)
        set_master(k, found->bytes);
    return k->has_master;
}

void ccm_tls12_clear(ccm_tls_keys *k)
{
    for (unsigned i = 0; i < CCM_TLS_TRANSCRIPTS; i++) {
        EVP_MD_CTX_free(k->transcript[i]);
        k->transcript[i] = NULL;
    }
}

/* The hash of all handshake messages so far; empty when it is not known. */
static ccm_span session_hash(ccm_tls_keys *k, uint8_t out[EVP_MAX_MD_SIZE])
{
    unsigned which = k->version < 0x0303 ? 0 : k->suite->hash == CCM_HASH_SHA384 ? 2 : 1, n = 0;
    if (!k->transcript[which] || EVP_DigestFinal_ex(k->transcript[which], out, &n) != 1)
        n = 0;
    return ccm_span_of(out, n);
}

static void master_of(ccm_tls_keys *k, const uint8_t premaster[CCM_TLS_MASTER])
{
    const ccm_crypto *c = &k->d->crypto;
    ccm_span secret = ccm_span_of(premaster, CCM_TLS_MASTER);
    uint8_t hash[EVP_MAX_MD_SIZE];
    if (!k->extended_master) {
        k->has_master = ccm_tls_prf(c, k->version, k->suite->hash, secret, "master secret",
                                    bytes32(k->client_random), bytes32(k->server_random), k->master,
                                    CCM_TLS_MASTER);
        return;
    }
    ccm_span session = session_hash(k, hash);
    k->has_master =
        session.n && ccm_tls_prf(c, k->version, k->suite->hash, secret, "extended master secret",
                                 session, ccm_span_of(NULL, 0), k->master, CCM_TLS_MASTER);
}

/* From a key log, or from an earlier connection that this one resumes. */
static bool find_master(ccm_tls_keys *k)
{
    ccm_span id = ccm_span_of(k->session_id, k->n_session_id);
    if (k->has_master || take_master(k, CCM_SECRET_MASTER, bytes32(k->client_random)))
        return true;
    const ccm_secret *premaster =
        ccm_secrets_find(&k->d->secrets, CCM_SECRET_PREMASTER, bytes32(k->client_random));
    if (premaster && !k->extended_master && k->suite) {
        master_of(k, premaster->bytes);
        return k->has_master;
    }
    return (k->resumed && k->has_ticket && take_master(k, CCM_SECRET_TICKET, bytes32(k->ticket))) ||
           take_master(k, CCM_SECRET_SESSION, id);
}

static void remember(ccm_secrets *s, ccm_secret_kind kind, ccm_span name, const uint8_t *master)
{
    const ccm_secret *old = name.n ? ccm_secrets_find(s, kind, name) : NULL;
    if (name.n && !(old && !memcmp(old->bytes, master, CCM_TLS_MASTER)))
        ccm_secrets_put(s, kind, name, ccm_span_of(master, CCM_TLS_MASTER));
}

void ccm_tls12_remember(ccm_tls_keys *k)
{
    if (!k->has_master)
        return;
    remember(&k->d->secrets, CCM_SECRET_SESSION, ccm_span_of(k->session_id, k->n_session_id),
             k->master);
    if (k->has_new_ticket)
        remember(&k->d->secrets, CCM_SECRET_TICKET, bytes32(k->new_ticket), k->master);
}

static void client_key_exchange(ccm_tls_keys *k, ccm_span body)
{
    ccm_cursor c = ccm_cur(body);
    ccm_span encrypted = ccm_cur_take(&c, ccm_cur_be16(&c));
    uint8_t premaster[CCM_TLS_MASTER];
    if (c.bad || k->has_master || !k->suite || !k->suite->rsa || encrypted.n < 8)
        return;
    const ccm_secret *known =
        ccm_secrets_find(&k->d->secrets, CCM_SECRET_ENCRYPTED, ccm_span_of(encrypted.p, 8));
    uint32_t mask = k->certificate_seen ? k->certificate : UINT32_MAX;
    if (known)
        memcpy(premaster, known->bytes, sizeof premaster);
    else if (!ccm_server_keys_decrypt(&k->d->server_keys, mask, encrypted, premaster))
        return;
    master_of(k, premaster);
    explicit_bzero(premaster, sizeof premaster);
}

/* ---- TLS 1.2 and older: keys ----------------------------------------------------------------- */

void ccm_tls12_keys(ccm_tls_keys *k, unsigned dir)
{
    ccm_tls_side *s = &k->side[dir];
    s->tried = k->d->counts.secrets;
    if (!k->suite || k->version >= CCM_TLS_V1_3 || k->version < 0x0301 || !find_master(k))
        return;
    const ccm_cipher_row *row = &ccm_cipher_rows[k->suite->cipher];
    size_t mac = row->mode == CCM_MODE_CBC ? ccm_hash_size(k->suite->mac) : 0;
    uint8_t block[2 * (CCM_TLS_SECRET + CCM_TLS_KEY + CCM_TLS_IV)];
    if (!ccm_tls_prf(&k->d->crypto, k->version, k->suite->hash,
                     ccm_span_of(k->master, CCM_TLS_MASTER), "key expansion",
                     bytes32(k->server_random), bytes32(k->client_random), block,
                     2 * (mac + row->key + row->fixed_iv)))
        return;
    ccm_record_keys *to = &s->keys;
    const uint8_t *keys = block + 2 * mac, *ivs = keys + 2 * (size_t)row->key;
    to->suite = k->suite;
    to->version = k->version;
    to->encrypt_then_mac = k->encrypt_then_mac && row->mode == CCM_MODE_CBC;
    memcpy(to->mac, block + dir * mac, mac);
    memcpy(to->key, keys + dir * (size_t)row->key, row->key);
    memcpy(to->iv, ivs + dir * (size_t)row->fixed_iv, row->fixed_iv);
    explicit_bzero(block, sizeof block);
}

/* ---- handshake messages ---------------------------------------------------------------------- */

/* Session tickets are long: they are known by their hash. */
static bool ticket_name(const ccm_tls_keys *k, ccm_span ticket, uint8_t out[CCM_TLS_RANDOM])
{
    unsigned n = 0;
    EVP_MD *sha256 = k->d->crypto.hash[CCM_HASH_SHA256];
    return ticket.n && sha256 && EVP_Digest(ticket.p, ticket.n, out, &n, sha256, NULL) == 1;
}

/* Which hash is not known before the ServerHello. */
static void begin_transcripts(ccm_tls_keys *k)
{
    const ccm_crypto *c = &k->d->crypto;
    EVP_MD *hashes[CCM_TLS_TRANSCRIPTS] = { c->md5_sha1, c->hash[CCM_HASH_SHA256],
                                            c->hash[CCM_HASH_SHA384] };
    ccm_tls12_clear(k);
    for (unsigned i = 0; i < CCM_TLS_TRANSCRIPTS && k->d->server_keys.n; i++) {
        EVP_MD_CTX *x = hashes[i] ? EVP_MD_CTX_new() : NULL;
        if (x && EVP_DigestInit_ex(x, hashes[i], NULL) != 1) {
            EVP_MD_CTX_free(x);
            x = NULL;
        }
        k->transcript[i] = x;
    }
}

static void client_hello(ccm_tls_keys *k, ccm_span body)
{
    ccm_cursor c = ccm_cur(body);
    k->has_ticket = false;
    ccm_cur_skip(&c, 2 + CCM_TLS_RANDOM);
    ccm_cur_skip(&c, ccm_cur_u8(&c));
    ccm_cur_skip(&c, ccm_cur_be16(&c));
    ccm_cur_skip(&c, ccm_cur_u8(&c));
    ccm_cursor x = ccm_cur(ccm_cur_take(&c, ccm_cur_be16(&c)));
    while (ccm_cur_left(&x)) {
        unsigned type = ccm_cur_be16(&x);
        ccm_span value = ccm_cur_take(&x, ccm_cur_be16(&x));
        if (type == TICKET_EXTENSION)
            k->has_ticket = ticket_name(k, value, k->ticket);
    }
    begin_transcripts(k);
}

static void transcribe(ccm_tls_keys *k, ccm_span message)
{
    for (unsigned i = 0; i < CCM_TLS_TRANSCRIPTS; i++)
        if (k->transcript[i])
            (void)EVP_DigestUpdate(k->transcript[i], message.p, message.n);
}

static void message_12(ccm_tls_keys *k, unsigned dir, uint8_t type, ccm_span body)
{
    if (type == CERTIFICATE && dir) {
        k->certificate_seen = true;
        k->certificate = ccm_server_keys_in(&k->d->server_keys, body);
    } else if (type == CLIENT_KEY_EXCHANGE && !dir) {
        client_key_exchange(k, body);
        ccm_tls12_clear(k);
    } else if (type == NEW_SESSION_TICKET && dir && body.n > 6) {
        k->has_new_ticket = ticket_name(k, ccm_span_of(body.p + 6, body.n - 6), k->new_ticket);
    }
}

void ccm_tls12_message(ccm_tls_keys *k, unsigned dir, ccm_span whole)
{
    ccm_span body = ccm_span_of(whole.p + 4, whole.n - 4);
    if (whole.p[0] == CLIENT_HELLO)
        client_hello(k, body);
    transcribe(k, whole);
    if (k->version < CCM_TLS_V1_3)
        message_12(k, dir, whole.p[0], body);
}
