/* SPDX-License-Identifier: GPL-2.0-or-later
 * known.c - remembers what was made of the latest requests.
 *
 * In: requests. Out: ccm_known_request. State: a table in which a request has one place; another
 * one with this place takes it. */
#include "model/known.h"
#include "model/model.h"
#include "model/naming.h"

enum { PLACES = 256, TEXT = 320, TEXTS = 4 };

typedef struct place {
    uint64_t sizes; /* of the texts, 16 bits each */
    uint16_t port;
    bool used;
    ccm_known_request is;
    uint8_t text[TEXT]; /* of the texts, one after the other */
} place;

struct ccm_known_requests {
    ccm_known_request other; /* whose texts are too long */
    place v[PLACES];
};

ccm_known_requests *ccm_known_requests_new(void)
{
    return g_new0(ccm_known_requests, 1);
}

void ccm_known_requests_free(ccm_known_requests *k)
{
    g_free(k);
}

static void conclude(ccm_model *m, const ccm_request *r, ccm_known_request *out)
{
    ccm_content_name name;
    ccm_span t = r->target;

    ccm_catalog_match(m->catalog, r, &out->hit);
    out->auth = ccm_auth_request_of(r->method, t, r->user_agent);
    out->method = r->method.n ? ccm_texts_add(&m->texts, r->method) : 0;
    /* Nearly no other target has a content. */
    bool may = t.n && (memchr(t.p, '$', t.n) || memchr(t.p, '%', t.n));
    out->content =
        may && ccm_content_name_of(t, &name) ? ccm_texts_add(&m->texts, name.id) : CCM_NONE;
}

/* Bytes of the text's middle and end: what tells targets apart is there. */
static uint64_t sample(uint64_t h, ccm_span s)
{
    uint64_t middle, end;

    if (s.n < sizeof end)
        return ccm_hash_bytes(h, s.p, s.n);
    memcpy(&middle, s.p + (s.n - sizeof middle) / 2, sizeof middle);
    memcpy(&end, s.p + s.n - sizeof end, sizeof end);
    return ccm_mix(ccm_mix(h, middle), end);
}

const ccm_known_request *ccm_known_request_of(ccm_model *m, const ccm_request *r)
{
    const ccm_span texts[TEXTS] = { r->target, r->host, r->user_agent, r->method };
    uint64_t sizes = 0, all = 0;

    for (unsigned i = 0; i < TEXTS; i++) {
        all += texts[i].n;
        sizes = sizes << 16 | (texts[i].n & 0xffff);
    }
    if (all > TEXT || m->texts.full) {
        conclude(m, r, &m->known->other);
        return &m->known->other;
    }
    uint64_t h = sample(sample(ccm_mix(sizes, r->port), r->target), r->host);
    place *p = &m->known->v[ccm_hash_end(h) % PLACES];
    bool same = p->used && p->sizes == sizes && p->port == r->port;
    const uint8_t *at = p->text;
    for (unsigned i = 0; i < TEXTS && same; at += texts[i++].n)
        same = !texts[i].n || memcmp(at, texts[i].p, texts[i].n) == 0;
    if (same)
        return &p->is;
    conclude(m, r, &p->is);
    p->sizes = sizes;
    p->port = r->port;
    p->used = !m->texts.full; /* else a text may have become "other" */
    uint8_t *to = p->text;
    for (unsigned i = 0; i < TEXTS; to += texts[i++].n)
        if (texts[i].n)
            memcpy(to, texts[i].p, texts[i].n);
    return &p->is;
}
