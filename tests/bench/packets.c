// SPDX-License-Identifier: GPL-2.0-or-later
/* packets.c: TCP segments of the workload into a pcap file, with loss, repeats and reordering. */
#include <stdlib.h>
#include <string.h>

#include "workload.h"

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xFFFF);
}

static uint32_t sum16(const uint8_t *p, size_t len, uint32_t sum)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    return len & 1 ? sum + ((uint32_t)p[len - 1] << 8) : sum;
}

static unsigned fold(uint32_t sum)
{
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    return ~sum & 0xFFFF;
}

void put(struct generator *g, const void *data, size_t len)
{
    if (fwrite(data, 1, len, g->out) != len) {
        perror("workload: write");
        exit(1);
    }
    g->written += len;
}

static void write_packet(struct generator *g, const struct packet *p)
{
    struct service *s = &g->services[p->service];
    uint32_t record[4] = { (uint32_t)(1735689600 + g->usec / 1000000),
                           (uint32_t)(g->usec % 1000000), p->len, p->len };
    put(g, record, sizeof record);
    put(g, p->bytes, p->len);
    g->usec += 20 + below(g, 40);
    g->packets++;
    s->packets[p->dir]++;
    s->wire[p->dir] += p->len;
    if (p->repeat)
        return;
    s->payload[p->dir] += p->payload;
    if (p->verb >= 0)
        s->requests[p->verb]++;
    if (p->status >= 0)
        s->statuses[p->status]++;
}

void release(struct generator *g, const struct packet *p)
{
    if (p)
        write_packet(g, p);
    for (unsigned i = 0; i < g->n_held;) {
        if (p && --g->held[i].countdown > 0) {
            i++;
            continue;
        }
        write_packet(g, &g->held[i]);
        g->n_held--;
        memmove(&g->held[i], &g->held[i + 1], (g->n_held - i) * sizeof *g->held);
    }
}

static void hold(struct generator *g, const struct packet *p, unsigned countdown, bool repeat)
{
    struct packet *h = &g->held[g->n_held++];
    *h = *p;
    h->countdown = countdown;
    h->repeat = repeat;
}

static bool chance(struct generator *g, unsigned hundredths)
{
    return hundredths && below(g, 10000) < hundredths;
}

static void deliver(struct generator *g, const struct packet *p)
{
    if (p->payload && chance(g, g->loss)) {
        g->missing++;
        g->missing_payload += p->payload;
        g->services[p->service].missing[p->dir] += p->payload;
        return;
    }
    if (p->payload && g->n_held + 1 < HELD && chance(g, g->retrans)) {
        g->repeated++;
        hold(g, p, 2 + below(g, 30), true);
    } else if (p->payload && g->n_held + 1 < HELD && chance(g, g->reorder)) {
        g->reordered++;
        hold(g, p, 1 + below(g, 6), false);
        return;
    }
    release(g, p);
}

static void build_headers(struct generator *g, const struct connection *c, struct packet *p,
                          unsigned flags)
{
    uint8_t *b = p->bytes;
    uint32_t server = server_address(c->service);
    bool up = p->dir == TO_SERVER;
    unsigned port = WORKLOAD_PORTS[c->service / SERVERS];

    memset(b, 0, HEADERS);
    b[0] = b[6] = 2;
    put32(b + 2, up ? server : c->client);
    put32(b + 8, up ? c->client : server);
    put16(b + 12, 0x0800);
    b[14] = 0x45;
    put16(b + 16, HEADERS - 14 + p->payload);
    put16(b + 18, (unsigned)g->packets & 0xFFFF);
    b[20] = 0x40;
    b[22] = up ? 128 : 127;
    b[23] = 6;
    put32(b + 26, up ? c->client : server);
    put32(b + 30, up ? server : c->client);
    put16(b + 24, fold(sum16(b + 14, 20, 0)));
    put16(b + 34, up ? c->client_port : port);
    put16(b + 36, up ? port : c->client_port);
    put32(b + 38, c->seq[p->dir]);
    put32(b + 42, flags & ACK ? c->seq[!p->dir] : 0);
    b[46] = 8 << 4;
    b[47] = (uint8_t)flags;
    put16(b + 48, 8212);
    b[54] = b[55] = 1; /* NOP NOP timestamps */
    b[56] = 8;
    b[57] = 10;
    put32(b + 58, (uint32_t)(g->usec / 1000));
    put32(b + 62, flags & ACK ? (uint32_t)(g->usec / 1000) : 0);
    put16(b + 50, fold(sum16(b + 34, 32 + p->payload, sum16(b + 26, 8, 6 + 32 + p->payload))));
}

static void send(struct generator *g, struct connection *c, struct packet *p, unsigned flags)
{
    p->service = c->service;
    p->len = HEADERS + p->payload;
    build_headers(g, c, p, flags);
    c->seq[p->dir] += p->payload + (flags & (SYN | FIN) ? 1 : 0);
    deliver(g, p);
}

void send_empty(struct generator *g, struct connection *c, int dir, unsigned flags)
{
    struct packet p = { .dir = dir, .verb = -1, .status = -1 };
    send(g, c, &p, flags);
}

bool send_segment(struct generator *g, struct connection *c, struct message *m)
{
    struct packet p = { .dir = m->dir, .verb = -1, .status = -1 };
    uint64_t left = m->text_len - m->at + m->fill;
    size_t text = m->text_len - m->at;

    p.payload = left < MSS ? (unsigned)left : MSS;
    if (text > p.payload)
        text = p.payload;
    if (m->at == 0) {
        p.verb = m->verb;
        p.status = m->status;
        if (m->verb >= 0)
            g->sent_requests[m->verb]++;
        if (m->status >= 0)
            g->sent_statuses[m->status]++;
    }
    memcpy(p.bytes + HEADERS, m->text + m->at, text);
    memcpy(p.bytes + HEADERS + text, g->filler + (m->fill * 7) % (FILL - MSS), p.payload - text);
    if (m->records)
        tls_headers(p.bytes + HEADERS + text, m->records - m->fill, p.payload - text, m->records);
    m->at += text;
    m->fill -= p.payload - text;
    send(g, c, &p, left <= MSS ? PSH | ACK : ACK);
    return left <= MSS;
}
