/* SPDX-License-Identifier: GPL-2.0-or-later
 * host.c - what is kept of hosts, client ids and uploads.
 *
 * In: addresses, names, marks. Out: bounded sets and sums. State: tables bounded by limits->hosts,
 * limits->client_ids and CCM_UPLOADS; at a bound the new entry is left out and the limit is noted.
 */
#include "model/model.h"

/* ---- hosts ----------------------------------------------------------------------------------- */

static bool host_eq(const void *table, uint32_t value, const void *key)
{
    return ccm_addr_eq(&ccm_host_at(table, value)->addr, key);
}

uint32_t ccm_host_find(const ccm_model *m, const ccm_addr *addr)
{
    uint32_t hash = ccm_hash_end(ccm_hash_addr(2, addr));
    return ccm_index_find(&m->host_index, hash, host_eq, m, addr);
}

static uint32_t host_get(ccm_model *m, const ccm_addr *addr, bool seen)
{
    if (!addr->family)
        return CCM_NONE;
    uint32_t hash = ccm_hash_end(ccm_hash_addr(2, addr));
    uint32_t i = ccm_index_find(&m->host_index, hash, host_eq, m, addr);
    if (i != CCM_NONE) {
        ccm_host *known = ccm_host_at(m, i);
        m->n_unseen -= seen && !known->seen;
        known->seen |= seen;
        return i;
    }
    if (m->hosts->len >= m->limits.hosts || (!seen && m->n_unseen >= m->limits.hosts / 4)) {
        ccm_model_limit(m, seen ? "hosts" : "named_hosts", 1);
        return CCM_NONE;
    }
    m->n_unseen += !seen;
    ccm_host h = { .addr = *addr, .seen = seen };
    i = m->hosts->len;
    g_array_append_val(m->hosts, h);
    ccm_index_add(&m->host_index, hash, i);
    return i;
}

uint32_t ccm_host_get(ccm_model *m, const ccm_addr *addr)
{
    return host_get(m, addr, true);
}

uint32_t ccm_host_named(ccm_model *m, const ccm_addr *addr)
{
    return host_get(m, addr, false);
}

void ccm_host_name(ccm_model *m, uint32_t host, ccm_span name, uint32_t sources)
{
    if (host == CCM_NONE || !name.n)
        return;
    ccm_host *h = ccm_host_at(m, host);
    /* A full host must not make the table of texts grow. */
    bool full = h->n_names >= m->limits.host_names;
    uint32_t text = full ? ccm_texts_find(&m->texts, name) : ccm_texts_add(&m->texts, name);
    for (unsigned i = 0; i < h->n_names; i++) {
        if (h->names[i].text == text) {
            h->names[i].sources |= sources;
            return;
        }
    }
    if (full) {
        ccm_model_limit(m, "host_names", 1);
        return;
    }
    h->names = g_renew(ccm_host_label, h->names, h->n_names + 1u);
    h->names[h->n_names++] = (ccm_host_label){ text, sources };
}

void ccm_host_authority(ccm_model *m, uint32_t host, ccm_span s, uint32_t sources)
{
    char name[CCM_NAME_MAX + 1];
    size_t n = 0;
    bool letter = false;

    if (!s.n)
        return;
    if (host != CCM_NONE && ccm_host_at(m, host)->n_names) {
        /* Nearly always the name that the host already has. */
        ccm_host_label *first = &ccm_host_at(m, host)->names[0];
        const char *known = ccm_texts_get(&m->texts, first->text);
        if (strncmp(known, (const char *)s.p, s.n) == 0 && known[s.n] == '\0') {
            first->sources |= sources;
            return;
        }
    }
    for (; n < s.n && s.p[n] != ':'; n++) {
        char c = g_ascii_tolower((char)s.p[n]);
        if (n >= sizeof name - 1 || !(g_ascii_isalnum(c) || c == '-' || c == '.' || c == '_'))
            return;
        letter |= g_ascii_isalpha(c);
        name[n] = c;
    }
    for (size_t i = n + 1; i < s.n; i++)
        if (!g_ascii_isdigit((char)s.p[i]))
            return;
    n -= n && name[n - 1] == '.';
    if (n && letter)
        ccm_host_name(m, host, ccm_span_of(name, n), sources);
}

void ccm_host_evidence(ccm_model *m, uint32_t host, const ccm_evidence *add)
{
    if (host == CCM_NONE)
        return;
    ccm_host *h = ccm_host_at(m, host);
    for (unsigned i = 0; i < h->n_evidence; i++) {
        ccm_evidence *e = &h->evidence[i];
        if ((e->mark ^ add->mark) | (e->server ^ add->server) | (e->port ^ add->port))
            continue;
        e->count += add->count;
        e->ok += add->ok;
        e->denied += add->denied;
        if (add->first_frame && (!e->first_frame || add->first_frame < e->first_frame))
            e->first_frame = add->first_frame;
        return;
    }
    if (h->n_evidence >= CCM_HOST_EVIDENCE) {
        ccm_model_limit(m, "host_evidence", 1);
        return;
    }
    if (h->n_evidence == h->cap_evidence) {
        h->cap_evidence = (uint16_t)(h->cap_evidence ? h->cap_evidence * 2 : 2);
        h->evidence = g_renew(ccm_evidence, h->evidence, h->cap_evidence);
    }
    h->evidence[h->n_evidence++] = *add;
}

/* ---- client ids ------------------------------------------------------------------------------ */

enum { GUID_TEXT = 36, CLIENT_ID = 5 + GUID_TEXT };

static bool client_eq(const void *table, uint32_t value, const void *key)
{
    const ccm_model *m = table;
    return g_array_index(m->clients, ccm_client, value).id == *(const uint32_t *)key;
}

/* One client writes its id in several ways: GUID:X, {X}, X, in any case. A client that is not yet
 * registered (UID:X) is not the same. */
static ccm_span one_form(ccm_span id, uint8_t room[CLIENT_ID])
{
    static const char prefix[] = "GUID:";
    size_t skip = sizeof prefix - 1;
    ccm_span x = id;

    if (x.n == CLIENT_ID && g_ascii_strncasecmp((const char *)x.p, prefix, skip) == 0)
        x = (ccm_span){ x.p + skip, x.n - skip };
    else if (x.n == GUID_TEXT + 2 && x.p[0] == '{' && x.p[x.n - 1] == '}')
        x = (ccm_span){ x.p + 1, GUID_TEXT };
    if (x.n != GUID_TEXT)
        return id;
    memcpy(room, prefix, skip);
    for (size_t i = 0; i < GUID_TEXT; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? x.p[i] != '-' : !g_ascii_isxdigit((char)x.p[i]))
            return id;
        room[skip + i] = (uint8_t)g_ascii_toupper((char)x.p[i]);
    }
    return (ccm_span){ room, CLIENT_ID };
}

static uint32_t client_find(const ccm_model *m, uint32_t text)
{
    uint32_t hash = ccm_hash_end(ccm_mix(3, text));
    return text == CCM_NONE ? CCM_NONE
                            : ccm_index_find(&m->client_index, hash, client_eq, m, &text);
}

uint32_t ccm_client_get(ccm_model *m, ccm_span id)
{
    uint8_t room[CLIENT_ID];
    bool full = m->clients->len >= m->limits.client_ids;
    uint32_t i = client_find(m, ccm_texts_find(&m->texts, id)); /* known, and in the usual form */

    if (i != CCM_NONE)
        return i;
    id = one_form(id, room);
    uint32_t text = full ? ccm_texts_find(&m->texts, id) : ccm_texts_add(&m->texts, id);
    i = client_find(m, text);
    if (i != CCM_NONE)
        return i;
    if (full) {
        ccm_model_limit(m, "client_ids", 1);
        return CCM_NONE;
    }
    ccm_client c = { .id = text, .name = { CCM_NONE, CCM_NONE } };
    i = m->clients->len;
    g_array_append_val(m->clients, c);
    ccm_index_add(&m->client_index, ccm_hash_end(ccm_mix(3, text)), i);
    return i;
}

uint32_t ccm_client_of_text(ccm_model *m, uint32_t text)
{
    uint32_t i = client_find(m, text); /* mostly in the usual form */

    return i != CCM_NONE ? i : ccm_client_get(m, ccm_span_str(ccm_texts_get(&m->texts, text)));
}

/* Keeps the lowest addresses, so that the set does not depend on the order of arrival. */
void ccm_client_address(ccm_client *c, const ccm_addr *addr)
{
    unsigned at = 0;
    bool full = c->n_addrs == CCM_CLIENT_ADDRS;
    if (full && ccm_addr_cmp(&c->addrs[CCM_CLIENT_ADDRS - 1], addr) < 0) {
        c->more = true;
        return;
    }
    for (; at < c->n_addrs; at++) {
        int order = ccm_addr_cmp(&c->addrs[at], addr);
        if (order == 0)
            return;
        if (order > 0)
            break;
    }
    if (full)
        c->more = true;
    else
        c->n_addrs++;
    for (unsigned i = c->n_addrs; i-- > at + 1;)
        c->addrs[i] = c->addrs[i - 1];
    if (at < c->n_addrs)
        c->addrs[at] = *addr;
}

/* ---- uploads --------------------------------------------------------------------------------- */

typedef struct upload_key {
    const ccm_addr *client, *server;
    uint32_t id;
} upload_key;

static bool upload_eq(const void *table, uint32_t value, const void *key)
{
    const ccm_model *m = table;
    const upload_key *k = key;
    const ccm_upload *u = &g_array_index(m->uploads, ccm_upload, value);
    return u->id == k->id && ccm_addr_eq(&u->client, k->client) &&
           ccm_addr_eq(&u->server, k->server);
}

uint32_t ccm_upload_get(ccm_model *m, const ccm_addr *client, const ccm_addr *server, ccm_span id)
{
    bool full = m->uploads->len >= CCM_UPLOADS;
    uint32_t text = full ? ccm_texts_find(&m->texts, id) : ccm_texts_add(&m->texts, id);
    upload_key key = { client, server, text };
    uint64_t h = ccm_hash_addr(ccm_hash_addr(ccm_mix(4, text), client), server);
    uint32_t hash = ccm_hash_end(h);
    uint32_t i = ccm_index_find(&m->upload_index, hash, upload_eq, m, &key);
    if (i != CCM_NONE)
        return i;
    if (full) {
        ccm_model_limit(m, "uploads", 1);
        return CCM_NONE;
    }
    ccm_upload u = { .client = *client,
                     .server = *server,
                     .id = text,
                     .client_id = CCM_NONE,
                     .target = CCM_NONE,
                     .name = CCM_NONE,
                     .host = CCM_NONE,
                     .first_ns = UINT64_MAX };
    i = m->uploads->len;
    g_array_append_val(m->uploads, u);
    ccm_index_add(&m->upload_index, hash, i);
    return i;
}

void ccm_upload_error(ccm_upload *u, uint32_t text)
{
    for (unsigned i = 0; i < u->n_errors; i++)
        if (u->errors[i] == text)
            return;
    if (u->n_errors < CCM_UPLOAD_ERRORS)
        u->errors[u->n_errors++] = text;
}
