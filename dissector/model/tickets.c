/* SPDX-License-Identifier: GPL-2.0-or-later
 * tickets.c - whose Kerberos ticket it is that a client used.
 *
 * In, out, state: see tickets.h. A ticket is kept under its own hash, if it was whole, and under
 * its service, where it is enough to know whether they are all of one name. */
#include "model/tickets.h"

enum { WHOLE, NOT_WHOLE, OF_SERVICE };

/* How long a ticket is good for. Its times are encrypted for the client (RFC 4120 section 5.4.2),
 * and the RFC leaves them to the distribution centre; this is what Active Directory gives unless
 * its administrator changes "Maximum lifetime for service ticket" (600 minutes). */
#define LIFETIME_NS (10 * 3600 * 1000000000ULL)

static bool ticket_eq(const void *table, uint32_t value, const void *key)
{
    const ccm_tickets *t = table;
    const ccm_ticket *a = &g_array_index(t->v, ccm_ticket, value), *b = key;

    return a->what == b->what && a->n == b->n && ccm_addr_eq(&a->client, &b->client) &&
           !memcmp(ccm_texts_get(t->texts, a->text), ccm_texts_get(t->texts, b->text), a->n);
}

static uint32_t hash_of(const ccm_tickets *t, const ccm_ticket *k)
{
    const char *text = ccm_texts_get(t->texts, k->text);
    uint64_t h = ccm_hash_bytes(ccm_mix(14, k->what), (const uint8_t *)text, k->n);
    return ccm_hash_end(ccm_hash_addr(h, &k->client));
}

void ccm_tickets_init(ccm_tickets *t, const ccm_texts *texts, uint32_t max)
{
    *t = (ccm_tickets){ .texts = texts, .max = max };
    ccm_index_init(&t->index, 16);
    t->v = g_array_new(FALSE, FALSE, sizeof(ccm_ticket));
}

void ccm_tickets_clear(ccm_tickets *t)
{
    ccm_index_clear(&t->index);
    g_array_free(t->v, TRUE);
}

static void add(ccm_tickets *t, ccm_ticket *k, unsigned what, size_t n)
{
    k->what = (uint8_t)what;
    k->n = (uint32_t)n;
    uint32_t hash = hash_of(t, k), at = ccm_index_find(&t->index, hash, ticket_eq, t, k);

    if (at != CCM_NONE) {
        ccm_ticket *is = &g_array_index(t->v, ccm_ticket, at);
        is->count += k->count;
        if (k->first_frame && (!is->first_frame || k->first_frame < is->first_frame))
            is->first_frame = k->first_frame;
        is->first_ns = ccm_min64(is->first_ns, k->first_ns);
        is->last_ns = ccm_max64(is->last_ns, k->last_ns);
        if (is->name != k->name)
            is->name = CCM_NONE;
        return;
    }
    if (t->v->len < t->max) {
        at = t->v->len;
        g_array_append_val(t->v, *k);
    } else {
        at = t->victim = (t->victim + 1) % t->max;
        t->forgot = true;
        ccm_index_remove(&t->index, hash_of(t, &g_array_index(t->v, ccm_ticket, at)), at);
        g_array_index(t->v, ccm_ticket, at) = *k;
    }
    ccm_index_add(&t->index, hash, at);
}

/* Text 0 stands for all that found no place. */
static bool is_text(uint32_t i)
{
    return i != CCM_NONE && i != 0;
}

void ccm_tickets_add(ccm_tickets *t, const ccm_krb *k)
{
    if (k->what != CCM_KRB_TICKET || !is_text(k->host) || !is_text(k->name))
        return;
    ccm_ticket own = { .client = k->client,
                       .text = k->host,
                       .name = k->name,
                       .count = k->count,
                       .first_frame = k->first_frame,
                       .first_ns = k->first_ns,
                       .last_ns = k->last_ns };
    const char *text = ccm_texts_get(t->texts, k->host);
    size_t service = strcspn(text, "#"), n = strlen(text);

    add(t, &own, n > service ? WHOLE : NOT_WHOLE, n);
    add(t, &own, OF_SERVICE, service);
}

static const ccm_ticket *find(const ccm_tickets *t, ccm_ticket *k, unsigned what, size_t n)
{
    k->what = (uint8_t)what;
    k->n = (uint32_t)n;
    uint32_t at = ccm_index_find(&t->index, hash_of(t, k), ticket_eq, t, k);
    const ccm_ticket *is = at == CCM_NONE ? NULL : &g_array_index(t->v, ccm_ticket, at);
    return is && is->name != CCM_NONE ? is : NULL;
}

/* Could a ticket that came at `got_ns` have served for all of the use? */
static bool serves(uint64_t got_ns, ccm_ticket_use use)
{
    return got_ns <= use.first_ns && use.last_ns - got_ns <= LIFETIME_NS;
}

/* Of a ticket that is not known again: nothing joins it with its use but when they were. */
static const ccm_ticket *in_time(const ccm_ticket *is, ccm_ticket_use use, ccm_certainty *sure)
{
    if (!is || is->first_ns > use.first_ns)
        return NULL;
    if (serves(is->first_ns, use) || serves(is->last_ns, use))
        return is;
    /* Between the first and the last there may have been more, or there may not. */
    *sure = CCM_CERTAINTY_LIKELY;
    return use.last_ns <= is->last_ns || use.last_ns - is->last_ns <= LIFETIME_NS ? is : NULL;
}

const ccm_ticket *ccm_tickets_find(const ccm_tickets *t, const ccm_addr *client, uint32_t ticket,
                                   ccm_ticket_use use, ccm_certainty *sure)
{
    *sure = CCM_CERTAINTY_STRONG;
    if (!is_text(ticket) || !client->family || !t->index.n)
        return NULL;
    ccm_ticket k = { .client = *client, .text = ticket };
    const char *text = ccm_texts_get(t->texts, ticket);
    size_t service = strcspn(text, "#"), n = strlen(text);
    const ccm_ticket *whole = n > service ? find(t, &k, WHOLE, n) : NULL;

    if (whole || t->forgot)
        return whole;
    return in_time(find(t, &k, n > service ? NOT_WHOLE : OF_SERVICE, service), use, sure);
}
