/* SPDX-License-Identifier: GPL-2.0-or-later
 * tickets.c - whose Kerberos ticket it is that a client used.
 *
 * In, out, state: see tickets.h. A ticket is kept under its own hash, if it was whole, and under
 * its service, where it is enough to know whether they are all of one name. */
#include "model/tickets.h"

enum { WHOLE, NOT_WHOLE, OF_SERVICE };

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
                       .first_frame = k->first_frame };
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

const ccm_ticket *ccm_tickets_find(const ccm_tickets *t, const ccm_addr *client, uint32_t ticket)
{
    if (!is_text(ticket) || !client->family || !t->index.n)
        return NULL;
    ccm_ticket k = { .client = *client, .text = ticket };
    const char *text = ccm_texts_get(t->texts, ticket);
    size_t service = strcspn(text, "#"), n = strlen(text);
    const ccm_ticket *whole = n > service ? find(t, &k, WHOLE, n) : NULL;

    if (whole || t->forgot)
        return whole;
    return find(t, &k, n > service ? NOT_WHOLE : OF_SERVICE, service);
}
