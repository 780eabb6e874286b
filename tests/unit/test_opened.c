/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_opened.c - records that somebody else decrypted: connections of libssl, whose plain text is
 * handed over frame by frame as Wireshark does, must read as with keys; records of RFC 8448, sizes
 * of RFC 5288, 6655, 7905; what does not fit. */
#include "auth_vectors.h"
#include "ssl_talk.h"
#include "wireshark/opened.h"

#define N(x) (sizeof(x) / sizeof *(x))

enum { TLS12 = 0x0303, TLS13 = 0x0304, HANDSHAKE = 22, APPLICATION = 23, ALERT = 21 };

/* ---- connections of libssl ------------------------------------------------------------------- */

/* What was opened with keys, by the piece of the conversation in which the record ended. */
typedef struct opened_one {
    unsigned piece;
    GBytes *plain;
} opened_one;

static struct {
    ccm_decryptor real;
    GArray *all;
    unsigned piece;
} recorder; /* ccm_decryptor.open is given keys alone */

static ccm_opened record_open(ccm_tls_keys *k, unsigned side, ccm_span header, ccm_span fragment,
                              ccm_span *plain, uint8_t *type)
{
    ccm_opened result = recorder.real.open(k, side, header, fragment, plain, type);
    if (result == CCM_OPENED && plain->n) {
        opened_one one = { recorder.piece, g_bytes_new(plain->p, plain->n) };
        g_array_append_val(recorder.all, one);
    }
    return result;
}

static void list_piece(ccm_opened_records *r, const void *frame)
{
    for (guint i = 0; i < recorder.all->len; i++) {
        const opened_one *one = &g_array_index(recorder.all, opened_one, i);
        size_t n;
        const void *p = g_bytes_get_data(one->plain, &n);
        if (one->piece == *(const unsigned *)frame)
            ccm_opened_records_add(r, ccm_span_of(p, n));
    }
}

/* Plays a connection in pieces of `size` bytes, each a frame of its own. */
static char *play(const talk *t, const ccm_decryptor *service, ccm_opened_records *r, size_t size)
{
    drive d;
    recorder.piece = 0;
    drive_open_proto(&d, &ccm_proto_tls, false);
    d.no_times = true;
    d.ps.decryptor = service;
    for (guint i = 0; i < t->chunks->len; i++) {
        const talk_chunk *c = &g_array_index(t->chunks, talk_chunk, i);
        for (size_t at = 0; at < c->bytes->len; at += size) {
            recorder.piece++;
            if (r)
                ccm_opened_records_frame(r, &recorder.piece);
            drive_bytes(&d, c->dir, recorder.piece, c->bytes->data + at,
                        MIN(size, c->bytes->len - at));
        }
    }
    if (r)
        ccm_opened_records_frame(r, NULL);
    return drive_close(&d, recorder.piece + 1);
}

static void forget_opened(void *p)
{
    g_bytes_unref(((opened_one *)p)->plain);
}

/* With keys, then with what they opened. */
static void check_talk(const talk *t, const char *what, size_t size)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    ccm_decrypt *d = ccm_decrypt_new(&limits);
    ccm_decrypt_add_log(d, ccm_span_str(t->log->str));
    recorder.real = *ccm_decrypt_service(d);
    recorder.all = g_array_new(FALSE, FALSE, sizeof(opened_one));
    g_array_set_clear_func(recorder.all, forget_opened);
    ccm_decryptor spy = recorder.real;
    spy.open = record_open;
    g_autofree char *want = play(t, &spy, NULL, size);
    ccm_opened_records *r = ccm_opened_records_new(list_piece);
    g_autofree char *have = play(t, ccm_opened_records_service(r), r, size);
    for (unsigned i = 0; i < 2; i++) { /* libssl was made to send these */
        g_autofree char *line = g_strdup_printf("method=GET target=/%u version=11", i);
        if (!strstr(have, line))
            g_error("%s: no %s in\n%s", what, line, have);
    }
    if (strcmp(want, have) != 0)
        g_error("%s, pieces of %zu:\n%s\nwith keys:\n%s", what, size, have, want);
    g_assert_cmpuint(ccm_opened_records_sessions(r), ==, 1);
    ccm_opened_records_free(r);
    g_array_unref(recorder.all);
    ccm_decrypt_free(d);
}

static void test_talks(void)
{
    static const talk_options all[] = {
        { .version = TLS1_3_VERSION, .suites = "TLS_AES_128_GCM_SHA256" },
        { .version = TLS1_3_VERSION, .suites = "TLS_AES_256_GCM_SHA384", .padding = 256 },
        { .version = TLS1_3_VERSION, .suites = "TLS_CHACHA20_POLY1305_SHA256", .update = true },
        { .version = TLS1_3_VERSION, .suites = "TLS_AES_128_CCM_8_SHA256", .body = 40000 },
        { .version = TLS1_2_VERSION, .ciphers = "ECDHE-RSA-AES128-GCM-SHA256" },
        { .version = TLS1_2_VERSION, .ciphers = "AES256-GCM-SHA384", .body = 40000 },
        { .version = TLS1_2_VERSION, .ciphers = "ECDHE-RSA-CHACHA20-POLY1305" },
        { .version = TLS1_2_VERSION, .ciphers = "AES256-CCM8" },
        { .version = TLS1_2_VERSION, .ciphers = "AES128-SHA" },
        { .version = TLS1_2_VERSION,
          .ciphers = "ECDHE-RSA-AES256-SHA384",
          .options = SSL_OP_NO_ENCRYPT_THEN_MAC },
        { .version = TLS1_2_VERSION,
          .ciphers = "ECDHE-RSA-AES128-GCM-SHA256",
          .renegotiate = true },
        { .version = TLS1_VERSION, .ciphers = "AES128-SHA" },
    };
    for (size_t i = 0; i < N(all); i++) {
        talk t;
        talk_init(&t, &all[i]);
        for (unsigned run = 0; run < 2; run++) { /* the second is resumed */
            g_autofree char *what =
                g_strdup_printf("%s, run %u", all[i].suites ? all[i].suites : all[i].ciphers, run);
            talk_run(&t, &all[i]);
            check_talk(&t, what, SIZE_MAX / 2);
            check_talk(&t, what, 1400);
            check_talk(&t, what, 33);
        }
        talk_clear(&t);
    }
}

/* ---- records, one by one --------------------------------------------------------------------- */

/* Sources of the frame: spans, up to one that is empty. */
static void list_spans(ccm_opened_records *r, const void *frame)
{
    for (const ccm_span *s = frame; s->n; s++)
        ccm_opened_records_add(r, *s);
}

typedef struct bench {
    ccm_opened_records *r;
    const ccm_decryptor *s;
    ccm_tls_keys *k;
} bench;

static bench bench_new(uint16_t version, uint16_t suite)
{
    bench b = { .r = ccm_opened_records_new(list_spans) };
    b.s = ccm_opened_records_service(b.r);
    b.k = b.s->start(b.s->user_data, &(ccm_tls_terms){ .version = version, .suite = suite });
    return b;
}

static void bench_free(bench *b)
{
    b->s->free(b->k);
    ccm_opened_records_free(b->r);
}

/* Type of a record whose fragment has so many bytes; 0 = it stays closed. */
static uint8_t open_size(bench *b, unsigned side, uint8_t outer, size_t fragment, ccm_span *plain)
{
    uint8_t header[5] = { outer, 3, 3, (uint8_t)(fragment >> 8), (uint8_t)fragment }, type = 0;
    g_autofree uint8_t *bytes = g_malloc0(fragment + 1);
    ccm_opened how =
        b->s->open(b->k, side, ccm_span_of(header, 5), ccm_span_of(bytes, fragment), plain, &type);
    return how == CCM_OPENED ? type : 0;
}

static uint8_t open_one(bench *b, unsigned side, uint8_t outer, ccm_span source, size_t fragment)
{
    ccm_span frame[2] = { source, { 0 } }, plain = { 0 };
    ccm_opened_records_frame(b->r, frame);
    uint8_t type = open_size(b, side, outer, fragment, &plain);
    ccm_opened_records_frame(b->r, NULL);
    g_assert_true(!type || (plain.p == source.p && plain.n == source.n));
    return type;
}

/* RFC 8448 section 3, as far as types depend on it: a Finished of 36 bytes in a fragment of 53, a
 * NewSessionTicket of 205 in 222 (lifetime 30, two bytes of nonce, a ticket of 178, early_data),
 * 50 bytes of data in 67, an alert of 2 in 19. */
static size_t rfc_ticket(uint8_t *out)
{
    static const uint8_t head[] = { 0x04, 0x00, 0x00, 0xc9, 0x00, 0x00, 0x00, 0x1e, 0xfa,
                                    0xd6, 0xaa, 0xc5, 0x02, 0x00, 0x00, 0x00, 0xb2 };
    static const uint8_t tail[] = { 0x00, 0x08, 0x00, 0x2a, 0x00, 0x04, 0x00, 0x00, 0x04, 0x00 };
    memcpy(out, head, sizeof head);
    memset(out + sizeof head, 0x2c, 178);
    memcpy(out + sizeof head + 178, tail, sizeof tail);
    return sizeof head + 178 + sizeof tail;
}

static void test_rfc8448(void)
{
    uint8_t finished[36] = { 0x14, 0, 0, 0x20 }, ticket[256], data[50];
    size_t n = rfc_ticket(ticket);
    bench b = bench_new(TLS13, 0x1301);
    g_assert_cmpuint(n, ==, 205);
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    for (unsigned side = 0; side < 2; side++) {
        ccm_span f = ccm_span_of(finished, sizeof finished);
        g_assert_cmpuint(open_one(&b, side, APPLICATION, f, 53), ==, HANDSHAKE);
        b.s->message(b.k, side, f);
        g_assert_cmpuint(open_one(&b, side, APPLICATION, ccm_span_of(data, 50), 67), ==,
                         APPLICATION);
        g_assert_cmpuint(open_one(&b, side, APPLICATION, ccm_span_of((uint8_t[]){ 1, 0 }, 2), 19),
                         ==, ALERT);
    }
    g_assert_cmpuint(open_one(&b, 1, APPLICATION, ccm_span_of(ticket, n), 222), ==, HANDSHAKE);
    /* KeyUpdate, RFC 8446 section 4.6.3: 0 or 1 */
    ccm_span update = ccm_span_of((uint8_t[]){ 24, 0, 0, 1, 1 }, 5);
    g_assert_cmpuint(open_one(&b, 0, APPLICATION, update, 22), ==, HANDSHAKE);
    update = ccm_span_of((uint8_t[]){ 24, 0, 0, 1, 2 }, 5);
    g_assert_cmpuint(open_one(&b, 0, APPLICATION, update, 22), ==, APPLICATION);
    g_assert_cmpuint(open_one(&b, 0, APPLICATION, ccm_span_str("GET / HTTP/1.1\r\n\r\n"), 35), ==,
                     APPLICATION);
    bench_free(&b);
}

/* A ticket that is cut anywhere is no ticket; nothing is read behind it. */
static void test_truncated(void)
{
    uint8_t ticket[256];
    size_t whole = rfc_ticket(ticket);
    guarded g = guarded_new();
    for (unsigned done = 0; done < 2; done++)
        for (size_t n = 1; n <= whole; n++) {
            bench b = bench_new(TLS13, 0x1301);
            if (done)
                b.s->message(b.k, 1, ccm_span_of((uint8_t[]){ 20, 0, 0, 0 }, 4));
            uint8_t type = open_one(&b, 1, APPLICATION, guarded_copy(&g, ticket, n), n + 17);
            /* before Finished a message may go on in the next record */
            bool handshake = n == whole || (!done && n >= 4);
            g_assert_cmpuint(type, ==, handshake ? HANDSHAKE : APPLICATION);
            bench_free(&b);
        }
    guarded_free(&g);
}

/* Bytes of plain text to those of the fragment. */
static void test_sizes(void)
{
    static const struct {
        uint16_t version, suite;
        size_t plain, fragment;
        bool fits;
    } rows[] = {
        { TLS12, 0xc02f, 100, 124, true },  /* RFC 5288: nonce of 8, tag of 16 */
        { TLS12, 0xc02f, 100, 125, false }, /* GCM pads nothing */
        { TLS12, 0xc02f, 100, 123, false },
        { TLS12, 0xcca8, 100, 116, true }, /* RFC 7905: tag of 16, no nonce */
        { TLS12, 0xc0a1, 100, 116, true }, /* RFC 6655, CCM_8: nonce of 8, tag of 8 */
        { TLS12, 0x002f, 100, 144, true }, /* RFC 5246: IV of 16, SHA-1, padding to 128 */
        { TLS12, 0x002f, 100, 100, false },
        { TLS12, 0x002f, 100, 500, false },
        { TLS13, 0x1301, 100, 117, true },  /* RFC 8446: type, tag of 16 */
        { TLS13, 0x1301, 100, 4000, true }, /* padding */
        { TLS13, 0x1301, 100, 105, false },
    };
    uint8_t data[100] = "GET / HTTP/1.1\r\n\r\n";
    for (size_t i = 0; i < N(rows); i++) {
        bench b = bench_new(rows[i].version, rows[i].suite);
        uint8_t type =
            open_one(&b, 0, APPLICATION, ccm_span_of(data, rows[i].plain), rows[i].fragment);
        g_test_message("row %zu", i);
        g_assert_cmpuint(type, ==, rows[i].fits ? APPLICATION : 0);
        g_assert_cmpuint(ccm_opened_records_sessions(b.r), ==, rows[i].fits);
        bench_free(&b);
    }
}

/* Two records of which the first stayed closed; a source is given out once, in its own frame. */
static void test_order(void)
{
    static const uint8_t text[300];
    ccm_span frame[302] = { ccm_span_of(text, 50), ccm_span_of(text, 60) }, plain;
    bench b = bench_new(TLS12, 0xc02f);
    g_assert_cmpuint(open_size(&b, 0, APPLICATION, 74, &plain), ==, 0); /* no frame */
    ccm_opened_records_frame(b.r, frame);
    g_assert_cmpuint(open_size(&b, 0, APPLICATION, 99, &plain), ==, 0);
    g_assert_cmpuint(open_size(&b, 0, APPLICATION, 84, &plain), ==, APPLICATION);
    g_assert_cmpuint(plain.n, ==, 60);
    g_assert_cmpuint(open_size(&b, 0, APPLICATION, 84, &plain), ==, 0); /* used up */
    g_assert_cmpuint(open_size(&b, 0, HANDSHAKE, 74, &plain), ==, HANDSHAKE);
    ccm_opened_records_frame(b.r, frame);
    g_assert_cmpuint(open_size(&b, 1, APPLICATION, 74, &plain), ==, APPLICATION);
    ccm_opened_records_frame(b.r, NULL);
    g_assert_cmpuint(open_size(&b, 1, APPLICATION, 84, &plain), ==, 0);
    /* more than a frame can hold */
    for (unsigned i = 0; i < 300; i++)
        frame[i] = ccm_span_of(text, 100);
    unsigned opened = 0;
    ccm_opened_records_frame(b.r, frame);
    for (unsigned i = 0; i < 300; i++)
        opened += open_size(&b, 0, APPLICATION, 124, &plain) == APPLICATION;
    g_assert_cmpuint(opened, ==, 256);
    bench_free(&b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/opened/talks", test_talks);
    g_test_add_func("/opened/rfc8448", test_rfc8448);
    g_test_add_func("/opened/truncated", test_truncated);
    g_test_add_func("/opened/sizes", test_sizes);
    g_test_add_func("/opened/order", test_order);
    return g_test_run();
}
