/* SPDX-License-Identifier: GPL-2.0-or-later
 * verify_keys.c - public keys, whose they are, and registrations that wait for their answer.
 * In: keys of messages, registrations and files. Out: the keys to try for a client. State: a set of
 * distinct keys, each counted by those who hold it; clients by normalised id; the keys that OpenSSL
 * holds ready; a ring of registrations. Each is bounded; the one unused for longest goes. */
#include <sys/random.h>

#include "proto/verify_state.h"

/* ---- hashing --------------------------------------------------------------------------------- */

static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 m = (unsigned __int128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Seeded, so that nobody can prepare keys or ids that all meet in one place. */
static uint32_t hash_bytes(const ccm_signers *k, const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t h = k->seed[0] ^ n, v;
    for (; n >= sizeof v; p += sizeof v, n -= sizeof v) {
        memcpy(&v, p, sizeof v);
        h = fold(h ^ v, k->seed[1]) + k->seed[0];
    }
    v = 0;
    if (n)
        memcpy(&v, p, n);
    h = fold(h ^ v, k->seed[1]);
    return (uint32_t)fold(h ^ k->seed[0], k->seed[1]);
}

static guint key_hash(gconstpointer p)
{
    return ((const ccm_rsa_key *)p)->hash;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    const ccm_rsa_key *x = a, *y = b;
    return x->n == y->n && x->exponent == y->exponent && !memcmp(x->modulus, y->modulus, x->n);
}

static guint client_hash(gconstpointer p)
{
    return ((const ccm_signer *)p)->hash;
}

static gboolean client_equal(gconstpointer a, gconstpointer b)
{
    const ccm_signer *x = a, *y = b;
    return x->id_n == y->id_n && !memcmp(x->id, y->id, x->id_n);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static ccm_rsa_key *key_ref(ccm_rsa_key *key)
{
    key->refs++;
    return key;
}

void ccm_rsa_key_unref(ccm_signers *k, ccm_rsa_key *key)
{
    if (!key || --key->refs)
        return;
    g_hash_table_remove(k->keys, key);
    g_free(key);
}

ccm_rsa_key *ccm_rsa_key_get(ccm_signers *k, const ccm_rsa *rsa)
{
    ccm_rsa_key *key = g_malloc0(sizeof *key + rsa->n);
    key->hash = hash_bytes(k, rsa->modulus, rsa->n) ^ rsa->exponent;
    key->exponent = rsa->exponent;
    key->n = rsa->n;
    memcpy(key->modulus, rsa->modulus, rsa->n);
    ccm_rsa_key *known = g_hash_table_lookup(k->keys, key);
    if (known) {
        g_free(key);
        return key_ref(known);
    }
    key->serial = ++k->serial;
    key->live.data = key;
    g_hash_table_add(k->keys, key);
    return key_ref(key);
}

static void cool(ccm_signers *k, ccm_rsa_key *key)
{
    g_queue_unlink(&k->live, &key->live);
    k->drop_context(key->context);
    key->context = NULL;
    key->ready = false;
    ccm_rsa_key_unref(k, key);
}

void ccm_rsa_key_live(ccm_signers *k, ccm_rsa_key *key, struct evp_pkey_ctx_st *context)
{
    if (key->ready) {
        if (k->live.head != &key->live) {
            g_queue_unlink(&k->live, &key->live);
            g_queue_push_head_link(&k->live, &key->live);
        }
        return;
    }
    if (k->live.length >= CCM_LIVE_KEYS)
        cool(k, k->live.tail->data);
    key->context = context;
    key->ready = true;
    g_queue_push_head_link(&k->live, &key->live);
    (void)key_ref(key);
}

/* ---- clients --------------------------------------------------------------------------------- */

static void client_free(ccm_signers *k, ccm_signer *client)
{
    for (unsigned i = 0; i < CCM_SUPPLIED_EACH; i++)
        ccm_rsa_key_unref(k, client->supplied[i]);
    ccm_rsa_key_unref(k, client->registered);
    for (unsigned i = 0; i < CCM_MESSAGE_KEYS; i++)
        ccm_rsa_key_unref(k, client->message[i]);
    g_free(client);
}

/* Fills in what a look-up needs; false when the id is unusable. */
static bool client_probe(const ccm_signers *k, ccm_span id, ccm_signer *probe)
{
    probe->id_n = (uint8_t)ccm_client_id_normal(id, probe->id);
    probe->hash = hash_bytes(k, probe->id, probe->id_n);
    return probe->id_n > 0;
}

static ccm_signer *client_seen(ccm_signers *k, const ccm_signer *probe)
{
    ccm_signer *client = g_hash_table_lookup(k->clients, probe);
    if (client && !client->supplied[0] && k->ages.head != &client->age) {
        g_queue_unlink(&k->ages, &client->age);
        g_queue_push_head_link(&k->ages, &client->age);
    }
    return client;
}

ccm_signer *ccm_signer_find(ccm_signers *k, ccm_span id)
{
    ccm_signer probe;
    return client_probe(k, id, &probe) ? client_seen(k, &probe) : NULL;
}

ccm_signer *ccm_signer_get(ccm_signers *k, ccm_span id)
{
    ccm_signer probe = { 0 };
    if (!client_probe(k, id, &probe))
        return NULL;
    ccm_signer *client = client_seen(k, &probe);
    if (client)
        return client;
    if (k->ages.length >= k->max_clients && k->ages.tail) {
        ccm_signer *oldest = k->ages.tail->data;
        g_queue_unlink(&k->ages, &oldest->age);
        g_hash_table_remove(k->clients, oldest);
        client_free(k, oldest);
        k->counts->clients_dropped++;
    }
    client = g_memdup2(&probe, sizeof probe);
    client->age.data = client;
    g_hash_table_add(k->clients, client);
    g_queue_push_head_link(&k->ages, &client->age);
    return client;
}

void ccm_signer_message_key(ccm_signers *k, ccm_signer *client, ccm_rsa_key *key)
{
    if (client->message[0] == key)
        return;
    ccm_rsa_key **place = &client->message[client->message[0] != NULL];
    (void)key_ref(key);
    ccm_rsa_key_unref(k, *place);
    *place = key;
}

/* ---- supplied keys and registrations --------------------------------------------------------- */

static bool supply_any(ccm_signers *k, ccm_rsa_key *key)
{
    if (key->any)
        return true;
    if (k->n_any == CCM_SUPPLIED_ANY)
        return false;
    key->any = true;
    k->any[k->n_any++] = key_ref(key);
    return true;
}

static bool supply_client(ccm_signers *k, ccm_signer *client, ccm_rsa_key *key)
{
    unsigned i = 0;
    while (i < CCM_SUPPLIED_EACH && client->supplied[i] && client->supplied[i] != key)
        i++;
    if (i == CCM_SUPPLIED_EACH)
        return false;
    if (client->supplied[i])
        return true;
    if (!i) /* what the user supplied is never dropped */
        g_queue_unlink(&k->ages, &client->age);
    client->supplied[i] = key_ref(key);
    return true;
}

bool ccm_signers_supply(ccm_signers *k, ccm_span id, const ccm_rsa *rsa)
{
    ccm_signer *client = id.n ? ccm_signer_get(k, id) : NULL;
    if (id.n && !client)
        return false;
    ccm_rsa_key *key = ccm_rsa_key_get(k, rsa);
    bool ok = client ? supply_client(k, client, key) : supply_any(k, key);
    ccm_rsa_key_unref(k, key);
    return ok;
}

static ccm_registration *registration_find(ccm_signers *k, uint64_t flow, uint64_t exchange)
{
    for (unsigned i = 0; i < CCM_REGISTRATIONS; i++) {
        ccm_registration *r = &k->registrations[i];
        if (r->key && r->flow == flow && r->exchange == exchange)
            return r;
    }
    return NULL;
}

void ccm_registration_put(ccm_signers *k, uint64_t flow, uint64_t exchange, ccm_rsa_key *key)
{
    ccm_registration *r = registration_find(k, flow, exchange);
    if (!r) {
        r = &k->registrations[k->next_registration++ % CCM_REGISTRATIONS];
        k->counts->registrations_dropped += r->key != NULL;
    }
    (void)key_ref(key);
    ccm_rsa_key_unref(k, r->key);
    *r = (ccm_registration){ flow, exchange, key };
}

void ccm_registration_answer(ccm_signers *k, uint64_t flow, uint64_t exchange, ccm_span client_id)
{
    ccm_registration *r = registration_find(k, flow, exchange);
    ccm_signer *client = r ? ccm_signer_get(k, client_id) : NULL;
    if (!client)
        return;
    ccm_rsa_key_unref(k, client->registered);
    client->registered = r->key;
    r->key = NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

void ccm_signers_open(ccm_signers *k, const ccm_limits *limits)
{
    if (getrandom(k->seed, sizeof k->seed, GRND_NONBLOCK) != (ssize_t)sizeof k->seed) {
        k->seed[0] = (uint64_t)g_get_monotonic_time() * UINT64_C(0x9e3779b97f4a7c15);
        k->seed[1] = (uint64_t)(uintptr_t)k ^ k->seed[0];
    }
    k->seed[1] |= 1;
    k->max_clients = limits->client_ids ? limits->client_ids : 1;
    k->keys = g_hash_table_new(key_hash, key_equal);
    k->clients = g_hash_table_new(client_hash, client_equal);
    g_queue_init(&k->live);
    g_queue_init(&k->ages);
}

void ccm_signers_clear(ccm_signers *k)
{
    GHashTableIter i;
    gpointer client;
    g_hash_table_iter_init(&i, k->clients);
    while (g_hash_table_iter_next(&i, &client, NULL))
        client_free(k, client);
    g_hash_table_remove_all(k->clients);
    g_queue_init(&k->ages);
    while (k->n_any) {
        k->any[--k->n_any]->any = false;
        ccm_rsa_key_unref(k, k->any[k->n_any]);
    }
    for (unsigned r = 0; r < CCM_REGISTRATIONS; r++)
        ccm_rsa_key_unref(k, k->registrations[r].key);
    memset(k->registrations, 0, sizeof k->registrations);
    while (k->live.tail)
        cool(k, k->live.tail->data);
}

void ccm_signers_close(ccm_signers *k)
{
    ccm_signers_clear(k);
    g_hash_table_unref(k->keys);
    g_hash_table_unref(k->clients);
}
