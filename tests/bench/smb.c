// SPDX-License-Identifier: GPL-2.0-or-later
/* smb.c: files written over SMB 2, by MS-SMB2 sections 2.2.13 to 2.2.22: one file a connection, in
 * WRITEs of 64 KiB to 1 MiB. What was agreed on before is not in the workload. */
#include <string.h>

#include "workload.h"

enum { HEAD_SIZE = 64, FRAME = 4, RESPONSE = 1 };

static void le(uint8_t *p, unsigned bytes, uint64_t v)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* Frame and header of a message whose body and data are so long; returns where the body goes. */
static uint8_t *begin(struct generator *g, const struct connection *c, unsigned command,
                      unsigned flags, size_t body, uint64_t data)
{
    uint8_t *p = (uint8_t *)g->text;
    uint64_t n = HEAD_SIZE + body + data;

    memset(p, 0, FRAME + HEAD_SIZE + body);
    p[1] = (uint8_t)(n >> 16);
    p[2] = (uint8_t)(n >> 8);
    p[3] = (uint8_t)n;
    p += FRAME;
    memcpy(p, "\xfeSMB\x40", 5);
    le(p + 6, 2, 1 + data / 65536);
    le(p + 12, 2, command);
    le(p + 14, 2, 1);
    le(p + 16, 4, flags);
    le(p + 24, 8, 4 + c->turn);
    le(p + 36, 4, 5);
    le(p + 40, 8, 0x4000 + c->client_port);
    return p + HEAD_SIZE;
}

static void create(struct generator *g, struct connection *c)
{
    static const char name[] = "D\0a\0t\0a\0.\0t\0e\0m\0p"; /* its last zero is the string's */
    uint8_t *p = begin(g, c, 5, 0, 56 + sizeof name, 0);

    le(p, 2, 57);
    le(p + 36, 4, 5);
    le(p + 44, 2, 120);
    le(p + 46, 2, sizeof name);
    memcpy(p + 56, name, sizeof name);
    set_message(g, c, TO_SERVER, FRAME + HEAD_SIZE + 56 + sizeof name, 0, CREATE);
    p = begin(g, c, 5, RESPONSE, 88, 0);
    le(p, 2, 89);
    le(p + 64, 8, 7 + c->client_port);
    le(p + 72, 8, 9);
    set_message(g, c, TO_CLIENT, FRAME + HEAD_SIZE + 88, 0, -1);
}

static void write_file(struct generator *g, struct connection *c)
{
    uint64_t most = g->body_limit < 1 << 20 ? g->body_limit : 1 << 20;
    uint64_t n = 65536 + below(g, (unsigned)(most - 65536) + 1);
    uint8_t *p = begin(g, c, 9, 0, 48, n);

    le(p, 2, 49);
    le(p + 2, 2, 112);
    le(p + 4, 4, n);
    le(p + 8, 8, c->offset);
    le(p + 16, 8, 7 + c->client_port);
    le(p + 24, 8, 9);
    c->offset += n;
    set_message(g, c, TO_SERVER, FRAME + HEAD_SIZE + 48, n, WRITE);
    p = begin(g, c, 9, RESPONSE, 16, 0);
    le(p, 2, 17);
    le(p + 4, 4, n);
    set_message(g, c, TO_CLIENT, FRAME + HEAD_SIZE + 16, 0, -1);
}

static void close_file(struct generator *g, struct connection *c)
{
    uint8_t *p = begin(g, c, 6, 0, 24, 0);

    le(p, 2, 24);
    le(p + 8, 8, 7 + c->client_port);
    le(p + 16, 8, 9);
    set_message(g, c, TO_SERVER, FRAME + HEAD_SIZE + 24, 0, CLOSE);
    p = begin(g, c, 6, RESPONSE, 60, 0);
    le(p, 2, 60);
    set_message(g, c, TO_CLIENT, FRAME + HEAD_SIZE + 60, 0, -1);
}

void smb_transaction(struct generator *g, struct connection *c)
{
    if (!c->turn)
        create(g, c);
    else if (c->transactions > 1)
        write_file(g, c);
    else
        close_file(g, c);
    c->turn++;
}
