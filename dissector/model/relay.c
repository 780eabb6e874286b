/* SPDX-License-Identifier: GPL-2.0-or-later
 * relay.c - proxies that TLS passes, see relay.h. */
#include "model/relay.h"

#include "model/tls_book.h"

enum { PAIRS = 1024 }; /* of hosts with the same name that are looked at */
enum { MANY_IDS = 3 }; /* a computer that was installed anew has two */

/* A ClientHello on one of its connections. */
typedef struct place {
    ccm_addr client;
    ccm_endpoint server;
    uint64_t first_ns, first_frame;
} place;

typedef struct hello {
    uint64_t hash;
    uint8_t n;
    place place[CCM_HELLO_PLACES]; /* the lowest, by server and client */
} hello;

struct ccm_relays {
    ccm_index index;
    GArray *hellos; /* at most twice CCM_HELLOS */
};

struct ccm_relays *ccm_relays_new(void)
{
    struct ccm_relays *r = g_new0(struct ccm_relays, 1);
    ccm_index_init(&r->index, 16);
    r->hellos = g_array_new(FALSE, FALSE, sizeof(hello));
    return r;
}

void ccm_relays_free(struct ccm_relays *r)
{
    ccm_index_clear(&r->index);
    g_array_free(r->hellos, TRUE);
    g_free(r);
}

static bool hello_eq(const void *table, uint32_t value, const void *key)
{
    return g_array_index((const GArray *)table, hello, value).hash == *(const uint64_t *)key;
}

static uint32_t index_hash(uint64_t hash)
{
    return ccm_hash_end(ccm_mix(16, hash));
}

static int hello_cmp(const void *pa, const void *pb)
{
    uint64_t a = ((const hello *)pa)->hash, b = ((const hello *)pb)->hash;
    return a < b ? -1 : a > b;
}

static void keep_lowest(struct ccm_relays *r)
{
    qsort(r->hellos->data, r->hellos->len, sizeof(hello), hello_cmp);
    g_array_set_size(r->hellos, CCM_HELLOS);
    ccm_index_clear(&r->index);
    ccm_index_init(&r->index, 2 * CCM_HELLOS);
    for (uint32_t i = 0; i < r->hellos->len; i++)
        ccm_index_add(&r->index, index_hash(g_array_index(r->hellos, hello, i).hash), i);
}

static hello *hello_get(struct ccm_relays *r, uint64_t hash)
{
    uint32_t i = ccm_index_find(&r->index, index_hash(hash), hello_eq, r->hellos, &hash);

    if (i == CCM_NONE) {
        hello fresh = { .hash = hash };
        if (r->hellos->len == 2 * CCM_HELLOS)
            keep_lowest(r);
        i = r->hellos->len;
        ccm_index_add(&r->index, index_hash(hash), i);
        g_array_append_val(r->hellos, fresh);
    }
    return &g_array_index(r->hellos, hello, i);
}

static int place_cmp(const place *a, const place *b)
{
    int r = ccm_addr_cmp(&a->server.addr, &b->server.addr);
    if (!r)
        r = (int)a->server.port - (int)b->server.port;
    return r ? r : ccm_addr_cmp(&a->client, &b->client);
}

static void place_add(hello *h, const place *p)
{
    unsigned at = 0;

    while (at < h->n && place_cmp(&h->place[at], p) < 0)
        at++;
    if (at == CCM_HELLO_PLACES)
        return;
    if (at < h->n && place_cmp(&h->place[at], p) == 0) {
        place *known = &h->place[at];
        if (p->first_frame && (!known->first_frame || p->first_frame < known->first_frame))
            known->first_frame = p->first_frame;
        known->first_ns = ccm_min64(known->first_ns, p->first_ns);
        return;
    }
    h->n = (uint8_t)MIN(h->n + 1, CCM_HELLO_PLACES);
    for (unsigned i = h->n; i-- > at + 1u;)
        h->place[i] = h->place[i - 1];
    h->place[at] = *p;
}

void ccm_relays_observe(ccm_model *m, const ccm_obs *obs)
{
    uint64_t hash = ccm_obs_get_u64(obs, CCM_KEY_random_hash);
    place p = { obs->src.addr, obs->dst, obs->time_ns, obs->frame };

    if (hash)
        place_add(hello_get(m->relays, hash), &p);
}

void ccm_relays_merge(ccm_model *to, const ccm_model *from)
{
    for (unsigned i = 0; i < from->relays->hellos->len; i++) {
        const hello *h = &g_array_index(from->relays->hellos, hello, i);
        for (unsigned k = 0; k < h->n; k++)
            place_add(hello_get(to->relays, h->hash), &h->place[k]);
    }
}

/* ---- concluding ------------------------------------------------------------------------------ */

const char *ccm_relay_name(ccm_relay_mode mode)
{
    return mode == CCM_RELAY_BRIDGING ? "bridging" : "tunnelling";
}

static int relay_cmp(const void *pa, const void *pb)
{
    const ccm_relay *a = pa, *b = pb;
    int r = ccm_addr_cmp(&a->addr, &b->addr);
    return r ? r : (int)a->mode - (int)b->mode;
}

/* The address between two connections with the same hello: the server of one that is the client of
 * the other. One with an address on each side is known by the order of time, which clocks of two
 * capture points may have wrong. Where just one end changed, it is translation of addresses. */
static bool between(const hello *h, ccm_relay *out)
{
    for (unsigned i = 0; i < h->n; i++)
        for (unsigned k = 0; k < h->n; k++) {
            const place *outer = &h->place[i], *inner = &h->place[k];
            if (i == k || ccm_addr_eq(&outer->client, &inner->client) ||
                ccm_endpoint_eq(&outer->server, &inner->server))
                continue;
            bool meet = ccm_addr_eq(&outer->server.addr, &inner->client);
            if (!meet && (h->n > 2 || outer->first_ns >= inner->first_ns))
                continue;
            *out = (ccm_relay){ .addr = outer->server.addr,
                                .mode = CCM_RELAY_TUNNELLING,
                                .evidence = "same-client-hello",
                                .certainty = meet ? CCM_CERTAINTY_PROVEN : CCM_CERTAINTY_LIKELY,
                                .count = 1,
                                .first_frame = outer->first_frame };
            if (meet)
                return true;
        }
    return out->count > 0;
}

static void add_tunnels(const ccm_model *m, GArray *list)
{
    GArray *sorted = g_array_copy(m->relays->hellos);

    if (sorted->len)
        qsort(sorted->data, sorted->len, sizeof(hello), hello_cmp);
    for (unsigned i = 0; i < MIN(sorted->len, (unsigned)CCM_HELLOS); i++) {
        ccm_relay found = { .count = 0 };
        if (between(&g_array_index(sorted, hello, i), &found))
            g_array_append_val(list, found);
    }
    g_array_free(sorted, TRUE);
}

static void add_bridges(const ccm_model *m, GArray *list)
{
    for (unsigned i = 0; i < m->tls->certificates->len; i++) {
        const ccm_certificate_seen *c =
            &g_array_index(m->tls->certificates, ccm_certificate_seen, i);
        if (c->n_ids < 2 || c->n_seen != 1 || c->more || c->server)
            continue; /* from many addresses: the certificate of boot media, perhaps */
        ccm_relay found = { .addr = c->seen[0].addr,
                            .mode = CCM_RELAY_BRIDGING,
                            .evidence = "many-client-ids",
                            .certainty =
                                c->n_ids >= MANY_IDS ? CCM_CERTAINTY_STRONG : CCM_CERTAINTY_LIKELY,
                            .count = c->n_ids,
                            .first_frame = c->first_frame };
        g_array_append_val(list, found);
    }
}

/* A name of a server's certificate, and an address that showed it. */
typedef struct bearer {
    ccm_span name;
    ccm_addr addr;
} bearer;

static int bearer_cmp(const void *pa, const void *pb)
{
    const bearer *a = pa, *b = pb;
    int r = memcmp(a->name.p, b->name.p, MIN(a->name.n, b->name.n));
    if (!r)
        r = (a->name.n > b->name.n) - (a->name.n < b->name.n);
    return r ? r : ccm_addr_cmp(&a->addr, &b->addr);
}

static bool same_name(const bearer *a, const bearer *b)
{
    return a->name.n == b->name.n && !memcmp(a->name.p, b->name.p, a->name.n);
}

static GArray *bearers(const ccm_model *m)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(bearer));

    for (unsigned i = 0; i < m->tls->certificates->len; i++) {
        const ccm_certificate_seen *c =
            &g_array_index(m->tls->certificates, ccm_certificate_seen, i);
        const char *p =
            c->server && c->leaf && c->san != CCM_NONE ? ccm_texts_get(&m->texts, c->san) : "";
        for (size_t n; *p; p += n + (p[n] == ',')) {
            n = strcspn(p, ",");
            for (unsigned k = 0; k < c->n_seen; k++) {
                bearer b = { ccm_span_of(p, n), c->seen[k].addr };
                if (c->seen[k].port)
                    g_array_append_val(list, b);
            }
        }
    }
    if (list->len)
        qsort(list->data, list->len, sizeof(bearer), bearer_cmp);
    return list;
}

/* 7.2, ClientHello: what came to `proxy` is none of what went from there to `server`. */
static bool ends_tls(const ccm_model *m, const ccm_addr *proxy, const ccm_addr *server,
                     ccm_relay *out)
{
    unsigned outer = 0;

    *out = (ccm_relay){ .addr = *proxy,
                        .mode = CCM_RELAY_BRIDGING,
                        .certainty = CCM_CERTAINTY_LIKELY,
                        .evidence = "same-server-name" };
    for (unsigned i = 0; i < m->relays->hellos->len; i++) {
        const hello *h = &g_array_index(m->relays->hellos, hello, i);
        unsigned to = 0, from = 0;
        for (unsigned k = 0; k < h->n; k++) {
            to += ccm_addr_eq(&h->place[k].server.addr, proxy);
            if (!ccm_addr_eq(&h->place[k].client, proxy) ||
                !ccm_addr_eq(&h->place[k].server.addr, server))
                continue;
            from++;
            if (!out->count++ || h->place[k].first_frame < out->first_frame)
                out->first_frame = h->place[k].first_frame;
        }
        if (to && from)
            return false;
        outer += to;
    }
    return outer >= 2 && out->count; /* one may be an accident of what was captured */
}

/* Who shows a certificate with the name of the server that it calls itself: behaviour only. */
static void add_copies(const ccm_model *m, GArray *list)
{
    GArray *all = bearers(m);
    unsigned left = PAIRS;

    for (unsigned i = 0; i < all->len; i++)
        for (unsigned step = 0; step < 2; step++) {
            unsigned k = i;
            while ((step ? k-- > 0 : ++k < all->len) && left) {
                const bearer *a = &g_array_index(all, bearer, i);
                const bearer *b = &g_array_index(all, bearer, k);
                ccm_relay found;
                if (!same_name(a, b))
                    break;
                if (ccm_addr_eq(&a->addr, &b->addr))
                    continue;
                left--;
                if (ends_tls(m, &a->addr, &b->addr, &found))
                    g_array_append_val(list, found);
            }
        }
    g_array_free(all, TRUE);
}

GArray *ccm_relays_conclude(const ccm_model *m)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(ccm_relay));
    unsigned n = 0;

    add_tunnels(m, list);
    add_bridges(m, list);
    add_copies(m, list);
    if (list->len)
        qsort(list->data, list->len, sizeof(ccm_relay), relay_cmp);
    for (unsigned i = 0; i < list->len; i++) {
        const ccm_relay *r = &g_array_index(list, ccm_relay, i);
        ccm_relay *last = n ? &g_array_index(list, ccm_relay, n - 1) : NULL;
        if (!last || relay_cmp(last, r) != 0) {
            g_array_index(list, ccm_relay, n++) = *r;
            continue;
        }
        bool named = !strcmp(r->evidence, "same-server-name"); /* less than what messages tell */
        if (strcmp(last->evidence, r->evidence) != 0) {
            if (!named)
                *last = *r;
            continue;
        }
        last->count = named ? MAX(last->count, r->count) : last->count + r->count;
        last->certainty = MAX(last->certainty, r->certainty);
        if (r->first_frame && (!last->first_frame || r->first_frame < last->first_frame))
            last->first_frame = r->first_frame;
    }
    g_array_set_size(list, n);
    return list;
}

const ccm_relay *ccm_relay_find(const GArray *list, const ccm_addr *addr, ccm_relay_mode mode)
{
    ccm_relay key = { .addr = *addr, .mode = mode };
    return list->len ? bsearch(&key, list->data, list->len, sizeof key, relay_cmp) : NULL;
}
