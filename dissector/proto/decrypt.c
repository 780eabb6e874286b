/* SPDX-License-Identifier: GPL-2.0-or-later
 * decrypt.c - the service that opens TLS records: which keys a record needs, and when they change.
 * In: what the handshake says, records, lost bytes. Out: plain text with its tag checked.
 * State: a ccm_tls_keys for each connection: the secret, the keys in use of each direction, the
 * number of its next record. After a loss the number is searched, as far as a budget allows.
 * Spec: RFC 8446 sections 4.2.10, 4.6.3, 5 and 7; decrypt_tls12.c for what was before. */
#include "proto/decrypt_session.h"

enum {
    END_OF_EARLY_DATA = 5,
    FINISHED = 20,
    KEY_UPDATE = 24,

    RECORD_MIN = 5 + 17,    /* the shortest encrypted record */
    SLACK_MAX = 4096,       /* records that may be missing before the next one */
    BUDGET_FIRST = 1 << 20, /* bytes that may be decrypted in vain, before ... */
    BUDGET = 16 << 20,      /* ... and after a record was opened */
};

static ccm_span bytes32(const uint8_t p[CCM_TLS_RANDOM])
{
    return ccm_span_of(p, CCM_TLS_RANDOM);
}

static void change_cipher(ccm_tls_keys *k, unsigned dir)
{
    ccm_tls_side *s = &k->side[dir & 1];
    if (k->version >= CCM_TLS_V1_3)
        return; /* there it means nothing */
    ccm_record_keys_clear(&k->d->records, &s->keys);
    *s = (ccm_tls_side){ .stage = CCM_TLS_STAGE_ENCRYPTED, .budget = BUDGET_FIRST };
    ccm_tls12_keys(k, dir & 1);
    if (dir)
        ccm_tls12_remember(k);
}

/* ---- TLS 1.3: keys --------------------------------------------------------------------------- */

/* The traffic secret of a stage, as the key log gives it. */
static const ccm_secret *secret_of(const ccm_tls_keys *k, unsigned dir, unsigned at)
{
    unsigned kind = at == CCM_TLS_STAGE_EARLY       ? CCM_SECRET_EARLY
                    : at == CCM_TLS_STAGE_HANDSHAKE ? CCM_SECRET_HANDSHAKE + dir
                                                    : CCM_SECRET_APPLICATION + dir;
    return ccm_secrets_find(&k->d->secrets, kind, bytes32(k->client_random));
}

/* A suite that goes with the length of a secret; early data comes before one is chosen. */
static const ccm_suite *suite_for(const ccm_tls_keys *k, size_t n, unsigned guess)
{
    static const uint16_t short_ones[] = { 0x1301, 0x1303, 0x1304, 0x1305 };
    if (k->agreed)
        return k->suite && !guess && ccm_hash_size(k->suite->hash) == n ? k->suite : NULL;
    if (n == ccm_hash_size(CCM_HASH_SHA384))
        return guess ? NULL : ccm_suite_find(0x1302);
    return guess < G_N_ELEMENTS(short_ones) ? ccm_suite_find(short_ones[guess]) : NULL;
}

static void set_secret(ccm_tls_keys *k, ccm_tls_side *s, ccm_record_keys *to, ccm_span secret,
                       unsigned guess)
{
    const ccm_suite *suite = suite_for(k, secret.n, guess);
    if (suite && !ccm_record_keys_expand(&k->d->crypto, to, suite, secret))
        to->suite = NULL;
    if (!to->suite)
        return;
    memcpy(s->secret, secret.p, secret.n);
    s->n_secret = (uint8_t)secret.n;
}

/* Looks for the keys of the stage at hand. */
static void keys_13(ccm_tls_keys *k, unsigned dir)
{
    ccm_tls_side *s = &k->side[dir];
    s->tried = k->d->counts.secrets;
    const ccm_secret *secret = secret_of(k, dir, s->stage);
    if (secret)
        set_secret(k, s, &s->keys, ccm_span_of(secret->bytes, secret->n), 0);
}

static void enter(ccm_tls_keys *k, unsigned dir, unsigned next)
{
    ccm_tls_side *s = &k->side[dir];
    ccm_record_keys_clear(&k->d->records, &s->keys);
    *s = (ccm_tls_side){ .stage = (uint8_t)next, .budget = BUDGET };
    keys_13(k, dir);
}

/* The next generation of application keys, from this one's secret. */
static bool update(ccm_tls_keys *k, ccm_tls_side *s, ccm_record_keys *to,
                   uint8_t out[CCM_TLS_SECRET])
{
    return s->keys.suite && s->n_secret &&
           ccm_tls_expand(&k->d->crypto, s->keys.suite->hash, ccm_span_of(s->secret, s->n_secret),
                          "traffic upd", out, s->n_secret) &&
           ccm_record_keys_expand(&k->d->crypto, to, s->keys.suite, ccm_span_of(out, s->n_secret));
}

static void key_update(ccm_tls_keys *k, ccm_tls_side *s)
{
    ccm_record_keys next = { 0 };
    uint8_t secret[CCM_TLS_SECRET];
    if (!update(k, s, &next, secret))
        return;
    ccm_record_keys_move(&k->d->records, &s->keys, &next);
    memcpy(s->secret, secret, s->n_secret);
    s->seq = s->slack = 0;
}

/* ---- handshake messages ---------------------------------------------------------------------- */

static void message_13(ccm_tls_keys *k, unsigned dir, uint8_t type)
{
    ccm_tls_side *s = &k->side[dir];
    if (type == FINISHED && s->stage == CCM_TLS_STAGE_HANDSHAKE)
        enter(k, dir, CCM_TLS_STAGE_APPLICATION);
    else if (type == END_OF_EARLY_DATA && s->stage == CCM_TLS_STAGE_EARLY)
        enter(k, dir, CCM_TLS_STAGE_HANDSHAKE);
    else if (type == KEY_UPDATE && s->stage == CCM_TLS_STAGE_APPLICATION)
        key_update(k, s);
}

static void message(ccm_tls_keys *k, unsigned dir, ccm_span whole)
{
    if (whole.n < 4 || !whole.p[0])
        return; /* a HelloRequest is part of nothing */
    ccm_tls12_message(k, dir & 1, whole);
    if (k->version >= CCM_TLS_V1_3)
        message_13(k, dir & 1, whole.p[0]);
}

/* ---- records --------------------------------------------------------------------------------- */

typedef struct record {
    ccm_span header, fragment, *plain;
    uint8_t *type;
} record;

static bool attempt(ccm_tls_keys *k, ccm_tls_side *s, ccm_record_keys *keys, uint64_t seq,
                    const record *r)
{
    s->budget -= (int64_t)r->fragment.n + 64;
    return ccm_record_open(&k->d->records, keys, seq, r->header, r->fragment, r->plain, r->type);
}

/* Tries the numbers behind `from`, as many as may be missing. SIZE_MAX: it is none of them. */
static uint64_t search(ccm_tls_keys *k, ccm_tls_side *s, ccm_record_keys *keys, uint64_t from,
                       const record *r)
{
    for (uint64_t i = 0; keys->suite && i < s->slack && s->budget > 0; i++)
        if (attempt(k, s, keys, from + i, r))
            return from + i;
    return UINT64_MAX;
}

/* The change of keys was not seen, or early data was refused: is this the first record with the
 * keys that follow? */
static bool open_next(ccm_tls_keys *k, unsigned dir, const record *r, bool lost)
{
    ccm_tls_side *s = &k->side[dir], after = { .budget = BUDGET };
    uint64_t seq = UINT64_MAX;
    for (unsigned at = s->stage; seq == UINT64_MAX && at <= CCM_TLS_STAGE_APPLICATION; at++) {
        ccm_record_keys_clear(&k->d->records, &after.keys);
        after.stage = (uint8_t)(at < CCM_TLS_STAGE_APPLICATION ? at + 1 : at);
        const ccm_secret *secret =
            at < CCM_TLS_STAGE_APPLICATION ? secret_of(k, dir, at + 1) : NULL;
        if (secret) {
            set_secret(k, &after, &after.keys, ccm_span_of(secret->bytes, secret->n), 0);
        } else if (at == CCM_TLS_STAGE_APPLICATION && at == s->stage) {
            (void)update(k, s, &after.keys, after.secret);
            after.n_secret = s->n_secret;
        }
        if (!after.keys.suite || s->budget <= 0)
            continue;
        if (attempt(k, s, &after.keys, 0, r))
            seq = 0;
        else if (lost)
            seq = search(k, s, &after.keys, 1, r);
    }
    if (seq == UINT64_MAX) {
        ccm_record_keys_clear(&k->d->records, &after.keys);
        return false;
    }
    after.seq = seq;
    ccm_record_keys_move(&k->d->records, &s->keys, &after.keys);
    after.keys = s->keys;
    *s = after;
    return true;
}

/* Early data of a connection whose suite is not chosen yet. */
static bool open_early(ccm_tls_keys *k, ccm_tls_side *s, const record *r)
{
    const ccm_secret *secret = secret_of(k, 0, CCM_TLS_STAGE_EARLY);
    for (unsigned guess = 1; secret && !k->agreed && !s->seq; guess++) {
        ccm_record_keys_clear(&k->d->records, &s->keys);
        set_secret(k, s, &s->keys, ccm_span_of(secret->bytes, secret->n), guess);
        if (!s->keys.suite)
            break;
        if (attempt(k, s, &s->keys, 0, r))
            return true;
    }
    return false;
}

static bool open_13(ccm_tls_keys *k, unsigned dir, const record *r)
{
    ccm_tls_side *s = &k->side[dir];
    if (s->keys.suite && attempt(k, s, &s->keys, s->seq, r))
        return true;
    if (s->stage == CCM_TLS_STAGE_EARLY && open_early(k, s, r))
        return true;
    if (open_next(k, dir, r, false))
        return true;
    uint64_t seq = search(k, s, &s->keys, s->seq + 1, r);
    if (seq == UINT64_MAX)
        return s->slack && open_next(k, dir, r, true);
    s->seq = seq;
    return true;
}

static bool open_12(ccm_tls_keys *k, ccm_tls_side *s, const record *r)
{
    bool chained = s->keys.version < CCM_TLS_V1_1 &&
                   ccm_cipher_rows[s->keys.suite->cipher].mode == CCM_MODE_CBC;
    bool ok = false;
    if (!(chained && s->chain_lost)) {
        ok = attempt(k, s, &s->keys, s->seq, r);
        uint64_t seq = ok ? s->seq : search(k, s, &s->keys, s->seq + 1, r);
        ok = seq != UINT64_MAX;
        if (ok)
            s->seq = seq;
    }
    size_t block = ccm_cipher_rows[s->keys.suite->cipher].block;
    size_t mac = s->keys.encrypt_then_mac ? ccm_hash_size(s->keys.suite->mac) : 0;
    if (chained && r->fragment.n >= block + mac) {
        memcpy(s->keys.iv, r->fragment.p + r->fragment.n - mac - block, block);
        s->chain_lost = false;
    }
    return ok;
}

static ccm_opened open_record(ccm_tls_keys *k, unsigned dir, ccm_span header, ccm_span fragment,
                              ccm_span *plain, uint8_t *type)
{
    ccm_tls_side *s = &k->side[dir & 1];
    record r = { header, fragment, plain, type };
    bool new_13 = s->stage >= CCM_TLS_STAGE_EARLY;
    if (!s->stage || header.n != 5)
        return CCM_OPENED_NO_KEY;
    if (!s->keys.suite)
        ccm_secrets_more(&k->d->secrets);
    if (!s->keys.suite && s->tried != k->d->counts.secrets) { /* a secrets block came since */
        if (new_13)
            keys_13(k, dir & 1);
        else
            ccm_tls12_keys(k, dir & 1);
    }
    bool had_keys = s->keys.suite;
    uint64_t expected = s->seq;
    uint8_t before = s->stage;
    if (!had_keys && !new_13)
        return CCM_OPENED_NO_KEY;
    if (new_13 ? !open_13(k, dir & 1, &r) : !open_12(k, s, &r)) {
        s->slack = MIN(s->slack + 1, SLACK_MAX); /* it may have been one record all the same */
        k->d->counts.refused += had_keys;
        return had_keys ? CCM_OPENED_BAD : CCM_OPENED_NO_KEY;
    }
    s->missed = s->stage == before ? s->seq - expected : CCM_GAP_UNKNOWN;
    s->seq++;
    s->slack = 0;
    s->budget = BUDGET;
    k->d->counts.opened++;
    k->d->counts.sessions += !k->counted;
    k->counted = true;
    return CCM_OPENED;
}

static void lost(ccm_tls_keys *k, unsigned dir, uint64_t bytes)
{
    ccm_tls_side *s = &k->side[dir & 1];
    s->slack = (uint32_t)MIN(bytes / RECORD_MIN + 1 + s->slack, SLACK_MAX);
    s->chain_lost = true;
}

static uint64_t missed(ccm_tls_keys *k, unsigned dir, uint64_t wire)
{
    const ccm_tls_side *s = &k->side[dir & 1];
    if (!s->keys.suite || s->missed == CCM_GAP_UNKNOWN)
        return CCM_GAP_UNKNOWN;
    const ccm_cipher_row *row = &ccm_cipher_rows[s->keys.suite->cipher];
    bool new_13 = s->keys.version >= CCM_TLS_V1_3;
    if (row->mode == CCM_MODE_CBC)
        return CCM_GAP_UNKNOWN; /* padding */
    /* Header and tag; the content type, or the part of the nonce that is sent. */
    uint64_t each = 5u + row->tag + (new_13 ? 1 : row->mode == CCM_MODE_CHACHA ? 0 : 8);
    return wire >= s->missed * each ? wire - s->missed * each : CCM_GAP_UNKNOWN;
}

/* ---- connections ----------------------------------------------------------------------------- */

/* The suite, if it goes with the version: a hello may say anything. */
static const ccm_suite *suite_in(uint16_t version, uint16_t id)
{
    const ccm_suite *s = ccm_suite_find(id);
    bool new_13 = id >> 8 == 0x13;
    if (!s || new_13 != (version >= CCM_TLS_V1_3))
        return NULL;
    return version >= 0x0303 || ccm_cipher_rows[s->cipher].mode == CCM_MODE_CBC ? s : NULL;
}

static void hello(ccm_tls_keys *k, const ccm_tls_terms *t)
{
    k->version = t->version;
    k->suite = suite_in(t->version, t->suite);
    k->agreed = t->suite != 0;
    memcpy(k->client_random, t->client_random, CCM_TLS_RANDOM);
    if (t->server_random)
        memcpy(k->server_random, t->server_random, CCM_TLS_RANDOM);
    k->n_session_id = (uint8_t)MIN(t->session_id.n, sizeof k->session_id);
    if (k->n_session_id)
        memcpy(k->session_id, t->session_id.p, k->n_session_id);
    k->encrypt_then_mac = t->encrypt_then_mac;
    k->extended_master = t->extended_master_secret;
    k->resumed = t->resumed;
    k->has_master = k->has_new_ticket = k->certificate_seen = false;
    if (!t->suite)
        k->version = CCM_TLS_V1_3;
    if (k->version < CCM_TLS_V1_3)
        return;
    if (k->side[0].stage != CCM_TLS_STAGE_EARLY || !k->side[0].seq)
        enter(k, 0,
              secret_of(k, 0, CCM_TLS_STAGE_EARLY) || !t->suite ? CCM_TLS_STAGE_EARLY
                                                                : CCM_TLS_STAGE_HANDSHAKE);
    if (t->suite && k->side[1].stage < CCM_TLS_STAGE_HANDSHAKE)
        enter(k, 1, CCM_TLS_STAGE_HANDSHAKE);
}

static ccm_tls_keys *start(void *user_data, const ccm_tls_terms *terms)
{
    ccm_decrypt *d = user_data;
    ccm_tls_keys *k = g_new0(ccm_tls_keys, 1);
    ccm_crypto_open(&d->crypto);
    k->d = d;
    hello(k, terms);
    return k;
}

static void free_keys(ccm_tls_keys *k)
{
    if (!k)
        return;
    for (unsigned i = 0; i < 2; i++)
        ccm_record_keys_clear(&k->d->records, &k->side[i].keys);
    ccm_tls12_clear(k);
    explicit_bzero(k, sizeof *k);
    g_free(k);
}

/* ---- the service ----------------------------------------------------------------------------- */

ccm_decrypt *ccm_decrypt_new(const ccm_limits *limits)
{
    ccm_decrypt *d = g_new0(ccm_decrypt, 1);
    d->service = (ccm_decryptor){ d,    start,       hello,  message,  change_cipher,
                                  lost, open_record, missed, free_keys, false };
    d->records.crypto = &d->crypto;
    g_queue_init(&d->records.live);
    ccm_secrets_open(&d->secrets, limits->tls_secrets, &d->counts);
    return d;
}

void ccm_decrypt_free(ccm_decrypt *d)
{
    if (!d)
        return;
    ccm_secrets_close(&d->secrets);
    ccm_server_keys_clear(&d->server_keys);
    ccm_crypto_close(&d->crypto);
    explicit_bzero(d, sizeof *d);
    g_free(d);
}

const ccm_decryptor *ccm_decrypt_service(ccm_decrypt *d)
{
    return &d->service;
}

void ccm_decrypt_add_log(ccm_decrypt *d, ccm_span text)
{
    ccm_secrets_text(&d->secrets, text);
}

bool ccm_decrypt_add_log_file(ccm_decrypt *d, const char *path, GError **error)
{
    return ccm_secrets_file(&d->secrets, path, error);
}

void ccm_decrypt_follow(ccm_decrypt *d)
{
    ccm_secrets_follow(&d->secrets);
}

bool ccm_decrypt_follows(const ccm_decrypt *d)
{
    return d->secrets.followed;
}

bool ccm_decrypt_add_key(ccm_decrypt *d, ccm_span pem, const char *name, bool *found,
                         GError **error)
{
    bool ok = ccm_server_keys_add(&d->server_keys, pem, name, found, error);
    d->counts.keys = d->server_keys.n;
    return ok;
}

bool ccm_decrypt_add_key_file(ccm_decrypt *d, const char *path, bool *found, bool *more,
                              GError **error)
{
    size_t n;
    char *data = ccm_secret_file(path, "key file", &n, error);
    if (!data)
        return false;
    bool ok = ccm_decrypt_add_key(d, ccm_span_of(data, n), path, found, error);
    *more = !*found || g_strstr_len(data, (gssize)n, "BEGIN CERTIFICATE") ||
            g_strstr_len(data, (gssize)n, "BEGIN PUBLIC KEY");
    explicit_bzero(data, n);
    g_free(data);
    return ok;
}

const ccm_decrypt_counts *ccm_decrypt_count(const ccm_decrypt *d)
{
    return &d->counts;
}
