/* SPDX-License-Identifier: GPL-2.0-or-later
 * message_driver.h - plays the caller of the message parser: bodies in pieces in, lines of text
 * out, and a service for signatures that only notes what it is asked. */
#ifndef CCM_TEST_MESSAGE_DRIVER_H
#define CCM_TEST_MESSAGE_DRIVER_H

#include <glib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "proto/ccm_message.h"
#include "text.h"

typedef struct mdrive {
    ccm_parse ps;
    ccm_limits limits;
    ccm_verifier verifier;
    unsigned decoders;
    size_t gathered;
    void *spare;
    GString *out;    /* observations */
    GString *claims; /* what was to be checked */
    size_t shown;    /* bytes fed until no more were wanted */
} mdrive;

static inline void mdrive_emit(void *user_data, const ccm_obs *o)
{
    mdrive *d = user_data;
    g_string_append_printf(d->out, "%s %s", ccm_kind_name(o->kind),
                           o->src.port == 1000 ? "C" : "S");
    g_assert_cmpuint(o->frame, ==, 5);
    g_assert_cmpuint(o->time_ns, ==, 55);
    for (int i = 0; i < o->n; i++) {
        ccm_key key = ccm_obs_key(o, (unsigned)i);
        g_assert_true(ccm_kind_has(o->kind, key));
        if (key == CCM_KEY_exchange) {
            g_assert_cmpuint(o->val[i].u, ==, 7);
            continue;
        }
        text_key(d->out, ccm_key_name(key));
        if (ccm_key_type(key) == CCM_TYPE_STR)
            ccm_text_append(d->out, o->val[i].s);
        else
            text_u64(d->out, o->val[i].u);
    }
    g_string_append_c(d->out, '\n');
}

static inline void mdrive_sum(GString *out, const char *label, ccm_span s)
{
    if (!s.n)
        return;
    char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, s.p, s.n);
    g_string_append_printf(out, " %s=%s", label, sum);
    g_free(sum);
}

/* Notes the field, whose it is, and sums of what was signed: texts as UTF-16LE with a NUL. */
static inline void mdrive_check(void *user_data, const ccm_signature_claim *c,
                                ccm_signature_verdict *v)
{
    mdrive *d = user_data;
    g_assert_cmpuint(c->flow, ==, 3);
    g_assert_cmpuint(c->exchange, ==, 7);
    g_string_append_printf(d->claims, "%d %.*s", c->field, (int)c->client_id.n,
                           (const char *)c->client_id.p);
    if (c->text.n) {
        glong n = 0;
        gunichar2 *wide =
            g_utf8_to_utf16((const char *)c->text.p, (glong)c->text.n, NULL, &n, NULL);
        g_assert_nonnull(wide);
        for (glong i = 0; i <= n; i++)
            wide[i] = GUINT16_TO_LE(wide[i]);
        mdrive_sum(d->claims, "text", ccm_span_of(wide, 2 * (size_t)n + 2));
        g_free(wide);
    }
    mdrive_sum(d->claims, "bytes", c->bytes);
    g_string_append_printf(d->claims, " signature=%.8s oid=%.*s key=%.16s certificate=%.8s\n",
                           c->signature.n == 512 ? (const char *)c->signature.p : "?",
                           (int)c->hash_oid.n, (const char *)c->hash_oid.p,
                           c->public_key.n == 552 ? (const char *)c->public_key.p : "-",
                           c->certificate.n == 1390 ? (const char *)c->certificate.p : "-");
    *v = (ccm_signature_verdict){ "verified", "v", "message", 9 };
}

static inline void mdrive_learn(void *user_data, uint64_t flow, uint64_t exchange, ccm_span id)
{
    mdrive *d = user_data;
    g_assert_cmpuint(flow, ==, 3);
    g_assert_cmpuint(exchange, ==, 7);
    g_string_append_printf(d->claims, "learn %.*s\n", (int)id.n, (const char *)id.p);
}

static inline void mdrive_open(mdrive *d, bool verifier)
{
    memset(d, 0, sizeof *d);
    ccm_limits_init(&d->limits);
    d->out = g_string_new(NULL);
    d->claims = g_string_new(NULL);
    d->verifier = (ccm_verifier){ d, mdrive_check, mdrive_learn };
    d->ps = (ccm_parse){ .limits = &d->limits,
                         .emit = mdrive_emit,
                         .emit_data = d,
                         .flow = 3,
                         .l4 = 6,
                         .frame = 99,
                         .decoders = &d->decoders,
                         .gathered = &d->gathered,
                         .spare = &d->spare,
                         .verifier = verifier ? &d->verifier : NULL };
    d->ps.end[0].port = 1000;
    d->ps.end[1].port = 80;
}

static inline void mdrive_close(mdrive *d)
{
    g_assert_cmpuint(d->decoders, ==, 0);
    g_assert_cmpuint(d->gathered, ==, 0);
    g_free(d->spare);
    g_string_free(d->out, TRUE);
    g_string_free(d->claims, TRUE);
}

typedef struct mdrive_case {
    ccm_depth depth;
    bool reply;
    const char *content_type;
    const void *body;
    size_t size;
    size_t piece;       /* 0: whole */
    size_t lost;        /* bytes lost behind `size` */
    size_t hole, holed; /* bytes [hole, hole + holed) of the body are lost */
    unsigned status;
    bool cut; /* the body did not end */
} mdrive_case;

/* Feeds one body, each piece in memory of exactly its size. */
static inline void mdrive_play(mdrive *d, const mdrive_case *x)
{
    ccm_collect *c = ccm_collect_begin(&d->ps, x->depth, x->reply, ccm_span_str(x->content_type));
    g_assert_nonnull(c);
    bool wants = ccm_collect_wants(c);
    size_t piece = x->piece ? x->piece : x->size;
    for (size_t at = 0, n; at < x->size && wants; at += n) {
        if (x->holed && at == x->hole) {
            n = MIN(x->holed, x->size - at);
            ccm_collect_gap(c, n, false);
            continue;
        }
        n = MIN(piece, x->size - at);
        if (x->holed && at < x->hole)
            n = MIN(n, x->hole - at);
        void *exact = g_memdup2((const char *)x->body + at, n);
        wants = ccm_collect_feed(c, &d->ps, ccm_span_of(exact, n));
        g_free(exact);
        d->shown = at + n;
        g_assert_true(wants == ccm_collect_wants(c));
    }
    ccm_collect_gap(c, x->lost, false);
    ccm_collect_body body = { .bytes = x->size + x->lost,
                              .status = x->status,
                              .complete = !x->cut && !x->lost && !x->holed };
    ccm_collect_end(c, &d->ps, x->reply, 7, 55, 5, &body);
}

/* Observations of one body; claims are appended behind "--". */
static inline char *play(const mdrive_case *x)
{
    mdrive d;
    mdrive_open(&d, true);
    mdrive_play(&d, x);
    char *s = g_strconcat(d.out->str, d.claims->len ? "--\n" : "", d.claims->str, NULL);
    mdrive_close(&d);
    return s;
}

static inline void expect(const mdrive_case *x, const char *want)
{
    for (unsigned i = 0; i < 4; i++) {
        mdrive_case one = *x;
        one.piece = (const size_t[]){ 0, 1, 7, 1460 }[i];
        char *got = play(&one);
        g_assert_cmpstr(got, ==, want);
        g_free(got);
    }
}

/* Every attribute that a damaged message shows is one of the whole message. `n` is for the error.
 */
static inline void expect_parts_of(const char *got, const char *whole, size_t n)
{
    char **lines = g_strsplit(*got ? got : "\n", "\n", -1);
    for (unsigned i = 0; *lines[i] && strcmp(lines[i], "--"); i++) {
        char *kind = strstr(lines[i], " kind=");
        if (kind && !strstr(lines[i], " root=")) /* words for the endpoint alone */
            *kind = '\0';
        char **words = g_strsplit(lines[i], " ", -1);
        for (unsigned k = 2; words[k]; k++) { /* some tell how much was there */
            if (!*words[k] || g_str_has_prefix(words[k], "body_bytes=") ||
                !strcmp(words[k], "incomplete=1") || !strcmp(words[k], "result=unverifiable"))
                continue;
            if (!strstr(whole, words[k]))
                g_error("%s with damage at %zu: %s", words[k], n, got);
        }
        g_strfreev(words);
    }
    g_strfreev(lines);
}

static inline void add(GByteArray *a, const char *text)
{
    g_byte_array_append(a, (const guint8 *)text, (guint)strlen(text));
}

static inline void add_utf16(GByteArray *a, const char *text, bool big)
{
    glong n = 0;
    gunichar2 *wide = g_utf8_to_utf16(text, -1, NULL, &n, NULL);
    for (glong i = 0; i < n; i++) {
        guint8 b[2] = { (guint8)wide[i], (guint8)(wide[i] >> 8) };
        guint8 r[2] = { b[1], b[0] };
        g_byte_array_append(a, big ? r : b, 2);
    }
    g_free(wide);
}

#endif
