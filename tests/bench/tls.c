// SPDX-License-Identifier: GPL-2.0-or-later
/* tls.c: TLS of the workload. Handshakes are those of tests/unit/tls_vectors.h, byte for byte; then
 * come requests in one record and answers in records of 16 KiB, whose content is random. */
#include <stdlib.h>
#include <string.h>

#include "workload.h"
#include "../unit/tls_vectors.h"

enum { RECORD = 5 + 16384 + 17, HANDSHAKE_TURNS = 2 };

static size_t unhex(char *to, const char *hex)
{
    size_t n = 0;

    for (; hex[0] && hex[1]; hex += 2, n++) {
        unsigned v = 0;
        sscanf(hex, "%2x", &v);
        to[n] = (char)v;
    }
    return n;
}

void tls_header(uint8_t *out, uint64_t at, uint64_t total)
{
    uint64_t size = total - at < RECORD ? total - at - 5 : RECORD - 5;
    const uint8_t header[5] = { 23, 3, 3, (uint8_t)(size >> 8), (uint8_t)size };

    memcpy(out, header, sizeof header);
}

/* Writes the headers of records that begin in the filling's bytes at..at+len-1, or before. */
void tls_headers(uint8_t *out, uint64_t at, size_t len, uint64_t total)
{
    uint64_t record = at / RECORD * RECORD;

    for (; record < at + len; record += RECORD) {
        uint8_t header[5];
        tls_header(header, record, total);
        for (unsigned i = 0; i < sizeof header; i++)
            if (record + i >= at && record + i < at + len)
                out[record + i - at] = header[i];
    }
}

void tls_transaction(struct generator *g, struct connection *c)
{
    const struct tls_part *parts = c->client & 1 ? tls12_plain : tls13_plain;

    if (c->turn < HANDSHAKE_TURNS) {
        for (int dir = TO_SERVER; dir <= TO_CLIENT; dir++) {
            size_t n = unhex(g->text, parts[c->turn * 2 + (unsigned)dir].hex);
            set_message(g, c, dir, n, 0, -1);
        }
    } else {
        unsigned len = 300 + below(g, 700);
        uint64_t answer = 600 + rnd(g) % (g->body_limit / 4);
        tls_header((uint8_t *)g->text, 0, len);
        memcpy(g->text + 5, g->filler + below(g, FILL - MSS), len - 5);
        set_message(g, c, TO_SERVER, len, 0, -1);
        if (answer % RECORD < 32) /* too short for a record of its own */
            answer -= answer % RECORD;
        set_message(g, c, TO_CLIENT, 0, answer, -1);
        c->message[TO_CLIENT].records = answer;
    }
    c->turn++;
}
