/* SPDX-License-Identifier: GPL-2.0-or-later
 * parser_driver.h - plays the caller of a parser: carry, skip, gap, end, close. Bytes are
 * shown on a buffer that ends at an inaccessible page. Observations become lines of text. */
#ifndef CCM_TEST_PARSER_DRIVER_H
#define CCM_TEST_PARSER_DRIVER_H

#include "auth_vectors.h"
#include "proto/proto.h"

typedef struct parser_side {
    GByteArray *carry;
    uint64_t skip, passed, missing; /* passed: of a skip that is not over */
    bool ended;
} parser_side;

typedef struct parser_drive {
    const ccm_proto *proto;
    ccm_parse ps;
    ccm_limits limits;
    parser_side side[2];
    guarded page;
    bool bad;
    int client;
    GString *out;
} parser_drive;

static inline void parser_text(GString *out, const ccm_obs *o)
{
    g_string_append_printf(out, "%s %c", ccm_kind_name(o->kind), o->src.port == 1000 ? 'C' : 'S');
    for (int i = 0; i < o->n; i++) {
        ccm_key key = ccm_obs_key(o, (unsigned)i);
        g_assert_true(ccm_kind_has(o->kind, key));
        if (key == CCM_KEY_ticket_hash)
            continue;
        g_string_append_printf(out, " %s=", ccm_key_name(key));
        if (ccm_key_type(key) == CCM_TYPE_STR)
            ccm_text_append(out, o->val[i].s);
        else
            g_string_append_printf(out, "%" G_GUINT64_FORMAT, o->val[i].u);
    }
    g_string_append_c(out, '\n');
}

static inline void parser_emit(void *user_data, const ccm_obs *o)
{
    parser_text(((parser_drive *)user_data)->out, o);
}

static inline void parser_open(parser_drive *d, const ccm_proto *proto, bool midstream)
{
    memset(d, 0, sizeof *d);
    ccm_limits_init(&d->limits);
    d->proto = proto;
    d->client = -1;
    d->out = g_string_new(NULL);
    d->page = guarded_new();
    d->ps = (ccm_parse){ .limits = &d->limits,
                         .emit = parser_emit,
                         .emit_data = d,
                         .flow = 1,
                         .l4 = proto->l4,
                         .midstream = midstream,
                         .client = -1 };
    d->ps.end[0].port = 1000;
    d->ps.end[1].port = 88;
    for (int i = 0; i < 2; i++)
        d->side[i].carry = g_byte_array_new();
    d->ps.state = proto->open(&d->ps);
}

static inline void parser_at(parser_drive *d, unsigned dir)
{
    d->ps.dir = (uint8_t)dir;
    d->ps.client = -1;
    d->ps.frame++;
}

static inline void parser_learn(parser_drive *d)
{
    if (d->ps.client >= 0)
        d->client = d->ps.client;
}

static inline void parser_pass(parser_drive *d, parser_side *x, uint64_t n, bool missing, bool last)
{
    x->skip -= n;
    x->passed += n;
    x->missing += missing ? n : 0;
    if (x->passed && (last || !x->skip)) {
        d->proto->skipped(&d->ps, x->passed, x->missing);
        x->skip = x->passed = x->missing = 0;
    }
}

static inline void parser_bytes(parser_drive *d, unsigned dir, const uint8_t *p, size_t n)
{
    parser_side *x = &d->side[dir];
    size_t pass = (size_t)ccm_min64(x->skip, n);
    parser_at(d, dir);
    if (d->bad)
        return;
    parser_pass(d, x, pass, false, false);
    p += pass;
    n -= pass;
    if (!n)
        return;
    g_byte_array_append(x->carry, p, (guint)n);
    ccm_feed f = d->proto->feed(&d->ps, guarded_copy(&d->page, x->carry->data, x->carry->len));
    parser_learn(d);
    g_assert_cmpuint(f.used, <=, x->carry->len);
    d->bad = f.result == CCM_FEED_BAD;
    g_byte_array_remove_range(x->carry, 0, d->proto->l4 == 17 ? x->carry->len : (guint)f.used);
    g_assert_true(d->bad || x->carry->len <= d->limits.head_bytes);
    g_assert_true(!f.skip || !x->carry->len);
    x->skip = f.skip;
}

static inline void parser_lose(parser_drive *d, unsigned dir, uint64_t n)
{
    parser_side *x = &d->side[dir];
    uint64_t pass = ccm_min64(x->skip, n);
    parser_at(d, dir);
    if (d->bad)
        return;
    parser_pass(d, x, pass, true, false);
    n -= pass;
    if (!n)
        return;
    d->proto->gap(&d->ps, n, guarded_copy(&d->page, x->carry->data, x->carry->len));
    parser_learn(d);
    g_byte_array_set_size(x->carry, 0);
}

static inline void parser_end(parser_drive *d, unsigned dir)
{
    parser_side *x = &d->side[dir];
    parser_at(d, dir);
    if (d->bad || x->ended)
        return;
    x->ended = true;
    parser_pass(d, x, 0, false, true);
    x->skip = 0;
    d->proto->end(&d->ps, guarded_copy(&d->page, x->carry->data, x->carry->len));
    parser_learn(d);
    g_byte_array_set_size(x->carry, 0);
}

/* Returns the observations; free with g_free. */
static inline char *parser_close(parser_drive *d)
{
    for (unsigned i = 0; i < 2; i++) {
        parser_side *x = &d->side[i];
        parser_at(d, i);
        if (!d->bad)
            parser_pass(d, x, 0, false, true);
        if (!x->ended && !d->bad && x->carry->len)
            d->proto->gap(&d->ps, 0, guarded_copy(&d->page, x->carry->data, x->carry->len));
        g_byte_array_unref(x->carry);
    }
    d->proto->close(&d->ps);
    if (d->bad)
        g_string_append(d->out, "BAD\n");
    guarded_free(&d->page);
    return g_string_free(d->out, FALSE);
}

#endif
