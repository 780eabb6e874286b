// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * workload.h: what the parts of the workload generator share.
 * packets.c writes packets, requests.c makes messages, workload.c runs connections and tells the
 * truth.
 */
#ifndef CCM_BENCH_WORKLOAD_H
#define CCM_BENCH_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    MSS = 1448,
    HEADERS = 66,
    HELD = 64,
    SERVERS = 8,
    KINDS = 6,
    CLIENTS = 1000,
    BUFFER = 16384,
    FILL = 1 << 20
};
enum { TO_SERVER, TO_CLIENT };
enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16 };
enum kind { BULK, CHATTY, SHORT_HTTP, OPAQUE, TLS, SMB };
enum mode { MODE_BULK, MODE_CHATTY, MODE_MIX, MODE_FLOWS, MODE_TLS, MODE_SMB };
enum step { OPEN_SYN, OPEN_SYNACK, OPEN_ACK, DATA, CLOSE_CLIENT, CLOSE_SERVER, CLOSE_ACK, DONE };

/* Indices into WORKLOAD_VERBS and WORKLOAD_STATUSES. */
enum { GET, HEAD, PROPFIND, CCM_POST, BITS_POST, CREATE, WRITE, CLOSE, N_VERBS };
enum { S200, S204, S206, S207, S401, N_STATUSES };
static const char *const WORKLOAD_VERBS[] = { "GET",       "HEAD",   "PROPFIND", "CCM_POST",
                                              "BITS_POST", "CREATE", "WRITE",    "CLOSE" };
static const int WORKLOAD_STATUSES[] = { 200, 204, 206, 207, 401 };
static const unsigned WORKLOAD_PORTS[KINDS] = { 80, 80, 8080, 7443, 443, 445 };

struct message {
    uint8_t *text; /* head and small bodies; owned */
    size_t text_len, at;
    uint64_t fill;    /* bytes of a large body that follow the text */
    uint64_t records; /* 0, or `fill` at first: it is TLS records */
    int dir, verb, status;
};

struct service {
    uint64_t flows, packets[2], wire[2], payload[2], missing[2];
    uint64_t requests[N_VERBS], statuses[N_STATUSES];
};

struct connection {
    struct message message[2];
    uint32_t client, seq[2];
    uint16_t client_port;
    uint8_t service, kind, step, current, unacked;
    unsigned transactions, turn;
    uint64_t offset; /* of the next WRITE of SMB */
};

struct packet {
    uint8_t bytes[HEADERS + MSS];
    unsigned len, payload, countdown;
    int service, dir, verb, status;
    bool repeat;
};

struct generator {
    FILE *out;
    uint64_t seed, size, written, usec, packets, missing, repeated, reordered, missing_payload;
    uint64_t sent_requests[N_VERBS], sent_statuses[N_STATUSES], opened, flow_limit, body_limit;
    enum mode mode;
    unsigned concurrent, loss, retrans, reorder; /* percentages times 100 */
    struct service services[KINDS * SERVERS];
    struct connection *connections;
    struct packet held[HELD];
    unsigned n_held;
    uint8_t *filler;
    char text[BUFFER];
};

static inline uint64_t rnd(struct generator *g)
{
    uint64_t z = g->seed += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static inline unsigned below(struct generator *g, unsigned n)
{
    return (unsigned)(rnd(g) % n);
}

/* The server a service index stands for. */
static inline uint32_t server_address(unsigned service)
{
    return 0x0A0A0000u + (service / SERVERS << 8) + 10 + service % SERVERS;
}

void put(struct generator *g, const void *data, size_t len);
/* Write a packet (or none), then those held back whose time has come (with none: all). */
void release(struct generator *g, const struct packet *p);
void send_empty(struct generator *g, struct connection *c, int dir, unsigned flags);
/* One segment of a message; true when it was the last. */
bool send_segment(struct generator *g, struct connection *c, struct message *m);
/* The text is that of the generator. */
void set_message(struct generator *g, struct connection *c, int dir, size_t len, uint64_t fill,
                 int code);
void tls_transaction(struct generator *g, struct connection *c);
void tls_header(uint8_t *out, uint64_t at, uint64_t total);
void tls_headers(uint8_t *out, uint64_t at, size_t len, uint64_t total);
/* smb.c: CREATE, many WRITEs, CLOSE. */
void smb_transaction(struct generator *g, struct connection *c);
/* Put the next request and its answer into the connection. */
void next_transaction(struct generator *g, struct connection *c);

#endif
