/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_opened.c - records that were decrypted elsewhere. Input: two bytes of version, two of the
 * suite, then operations: a byte (bits 0-2: 0 message, 1 change of cipher, 2 loss, 3 another hello,
 * 4 a new frame, 5 no frame, else a record; bit 3: the side), two bytes of length and, but for a
 * loss, so many bytes; those of a frame are cut into sources, each behind a byte of length. What a
 * record opens to is a source of its frame that no other was given, and not longer than it. */
#include "wireshark/opened.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SOURCES = 300 };

typedef struct frame {
    ccm_span source[SOURCES];
    unsigned n;
} frame;

static void list(ccm_opened_records *r, const void *at)
{
    const frame *f = at;
    for (unsigned i = 0; i < f->n; i++)
        ccm_opened_records_add(r, f->source[i]);
}

/* Each source in memory of its own size, so that sanitizers see a read behind it. */
static void frame_clear(frame *f)
{
    for (unsigned i = 0; i < f->n; i++)
        g_free((void *)f->source[i].p);
    f->n = 0;
}

static void frame_fill(frame *f, ccm_span bytes)
{
    ccm_cursor c = ccm_cur(bytes);
    frame_clear(f);
    while (ccm_cur_left(&c) && f->n < SOURCES) {
        size_t n = ccm_cur_u8(&c);
        ccm_span s = ccm_cur_take(&c, MIN(n, ccm_cur_left(&c)));
        f->source[f->n++] = ccm_span_of(g_memdup2(s.n ? s.p : NULL, s.n), s.n);
    }
}

static void open_record(const ccm_decryptor *s, ccm_tls_keys *k, unsigned side, frame *f,
                        ccm_span record, bool *given)
{
    ccm_span plain = { 0 };
    uint8_t type = 0;
    unsigned i = 0;
    if (record.n < 5 ||
        s->open(k, side, ccm_span_of(record.p, 5), ccm_span_of(record.p + 5, record.n - 5), &plain,
                &type) != CCM_OPENED ||
        !plain.n)
        return;
    while (i < f->n && f->source[i].p != plain.p)
        i++;
    g_assert(i < f->n && !given[i] && f->source[i].n == plain.n && plain.n < record.n - 5);
    given[i] = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ccm_cursor c = ccm_cur(ccm_span_of(data, size));
    ccm_opened_records *r = ccm_opened_records_new(list);
    const ccm_decryptor *s = ccm_opened_records_service(r);
    ccm_tls_terms terms = { .version = ccm_cur_be16(&c), .suite = ccm_cur_be16(&c) };
    ccm_tls_keys *k = s->start(s->user_data, &terms);
    frame f = { .n = 0 };
    bool given[SOURCES] = { false };
    for (int i = 0; i < 64 && ccm_cur_left(&c); i++) {
        uint8_t op = ccm_cur_u8(&c);
        size_t n = ccm_cur_le16(&c);
        unsigned side = op >> 3 & 1;
        if ((op & 7) == 2) {
            s->lost(k, side, n);
            continue;
        }
        ccm_span bytes = ccm_cur_take(&c, MIN(n, ccm_cur_left(&c)));
        if ((op & 7) == 0) {
            s->message(k, side, bytes);
        } else if ((op & 7) == 1) {
            s->change_cipher(k, side);
        } else if ((op & 7) == 3) {
            s->hello(k, &terms);
        } else if ((op & 7) == 4) {
            ccm_opened_records_frame(r, NULL);
            frame_fill(&f, bytes);
            memset(given, 0, sizeof given);
            ccm_opened_records_frame(r, &f);
        } else if ((op & 7) == 5) {
            ccm_opened_records_frame(r, NULL);
        } else {
            open_record(s, k, side, &f, bytes, given);
        }
    }
    g_assert(ccm_opened_records_sessions(r) <= 1);
    s->free(k);
    ccm_opened_records_free(r);
    frame_clear(&f);
    return 0;
}
