// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * workload: captures for the benchmark, with ground truth.
 * in:    MODE OUT.pcap [size=BYTES|512M|1G] [seed=N] [flows=N] [conc=N] [loss=PCT] [retrans=PCT]
 * [reorder=PCT] out:   OUT.pcap and OUT.pcap.json (packets, bytes, requests by verb, statuses,
 * services) state: open connections, packets held back for reordering and retransmission The same
 * arguments give the same bytes. MODE: bulk, chatty, mix, flows, tls, smb.
 */
#include <stdlib.h>
#include <string.h>

#include "workload.h"

static enum kind pick_kind(struct generator *g)
{
    switch (g->mode) {
    case MODE_BULK:
        return BULK;
    case MODE_CHATTY:
        return CHATTY;
    case MODE_TLS:
        return TLS;
    case MODE_FLOWS:
        return below(g, 2) ? SHORT_HTTP : OPAQUE;
    case MODE_SMB:
        return SMB;
    default:
        return (enum kind[]){ BULK, CHATTY, CHATTY, CHATTY, SHORT_HTTP, OPAQUE }[below(g, 6)];
    }
}

static bool wants_more(const struct generator *g)
{
    return g->flow_limit ? g->opened < g->flow_limit : g->written < g->size;
}

static void open_connection(struct generator *g, struct connection *c)
{
    unsigned client = (unsigned)(g->opened % CLIENTS);

    memset(c, 0, sizeof *c);
    c->kind = (uint8_t)pick_kind(g);
    /* A chatty client has two servers of its own: a longer capture has no more pairs. */
    unsigned server = c->kind == CHATTY ? (client + below(g, 2)) % SERVERS : below(g, SERVERS);
    c->service = (uint8_t)(c->kind * SERVERS + server);
    /* every connection its own pair of address and port; 1000 clients and 16 services stay below
     * the program's default limit of 20000 edges, so that every row can be compared */
    c->client = 0x0A200000u + client + 2;
    c->client_port = (uint16_t)(1024 + g->opened / CLIENTS % 64000);
    c->seq[0] = (uint32_t)rnd(g);
    c->seq[1] = (uint32_t)rnd(g);
    c->transactions = c->kind == BULK ? 4 : c->kind == CHATTY ? 3 + below(g, 20) : 1;
    if (c->kind == TLS)
        c->transactions = 3 + below(g, 6); /* two are the handshake */
    if (c->kind == BULK)
        c->transactions++; /* the constructor of the first takes one */
    if (c->kind == SMB)
        c->transactions = 10 + below(g, 40);
    next_transaction(g, c);
    g->services[c->service].flows++;
    g->opened++;
}

static void step_data(struct generator *g, struct connection *c)
{
    struct message *m = &c->message[c->current];

    if (c->unacked >= 2) {
        send_empty(g, c, !m->dir, ACK);
        c->unacked = 0;
        return;
    }
    c->unacked++;
    if (!send_segment(g, c, m))
        return;
    c->unacked = 0;
    if (c->current == TO_SERVER) {
        c->current = TO_CLIENT;
        return;
    }
    if (c->transactions == 0 || !wants_more(g)) {
        send_empty(g, c, TO_SERVER, ACK);
        c->step = CLOSE_CLIENT;
    } else {
        next_transaction(g, c);
    }
}

static void step(struct generator *g, struct connection *c)
{
    switch ((enum step)c->step) {
    case OPEN_SYN:
        send_empty(g, c, TO_SERVER, SYN);
        c->step++;
        break;
    case OPEN_SYNACK:
        send_empty(g, c, TO_CLIENT, SYN | ACK);
        c->step++;
        break;
    case OPEN_ACK:
        send_empty(g, c, TO_SERVER, ACK);
        c->step++;
        break;
    case DATA:
        step_data(g, c);
        break;
    case CLOSE_CLIENT:
        send_empty(g, c, TO_SERVER, FIN | ACK);
        c->step++;
        break;
    case CLOSE_SERVER:
        send_empty(g, c, TO_CLIENT, FIN | ACK);
        c->step++;
        break;
    case CLOSE_ACK:
        send_empty(g, c, TO_SERVER, ACK);
        c->step++;
        break;
    case DONE:
        break;
    }
}

static void close_connection(struct connection *c)
{
    free(c->message[0].text);
    free(c->message[1].text);
    memset(c, 0, sizeof *c);
}

static void run(struct generator *g)
{
    unsigned open = 0;

    while (open < g->concurrent && wants_more(g))
        open_connection(g, &g->connections[open++]);
    while (open) {
        unsigned i = below(g, open), burst = 1 + below(g, 8);
        struct connection *c = &g->connections[i];

        while (burst-- && c->step != DONE)
            step(g, c);
        if (c->step != DONE)
            continue;
        close_connection(c);
        if (wants_more(g))
            open_connection(g, c);
        else
            *c = g->connections[--open];
    }
    release(g, NULL);
}

static void print_map(FILE *f, const char *name, const uint64_t *verbs, const uint64_t *statuses)
{
    const char *comma = "";

    fprintf(f, "\"%s\":{", name);
    for (int i = 0; i < (verbs ? (int)N_VERBS : (int)N_STATUSES); i++) {
        uint64_t n = verbs ? verbs[i] : statuses[i];
        if (!n)
            continue;
        if (verbs)
            fprintf(f, "%s\"%s\":%llu", comma, WORKLOAD_VERBS[i], (unsigned long long)n);
        else
            fprintf(f, "%s\"%d\":%llu", comma, WORKLOAD_STATUSES[i], (unsigned long long)n);
        comma = ",";
    }
    fputc('}', f);
}

static void print_pair(FILE *f, const char *name, const uint64_t pair[2])
{
    fprintf(f, ",\"%s\":{\"to_destination\":%llu,\"to_source\":%llu}", name,
            (unsigned long long)pair[0], (unsigned long long)pair[1]);
}

static void print_service(FILE *f, const struct service *s, unsigned index)
{
    uint32_t a = server_address(index);

    fprintf(f, "{\"server\":\"%u.%u.%u.%u\",\"port\":%u,\"flows\":%llu", a >> 24, a >> 16 & 255,
            a >> 8 & 255, a & 255, WORKLOAD_PORTS[index / SERVERS], (unsigned long long)s->flows);
    print_pair(f, "packets", s->packets);
    print_pair(f, "wire_bytes", s->wire);
    print_pair(f, "payload_bytes", s->payload);
    print_pair(f, "missing_bytes", s->missing);
    fputc(',', f);
    print_map(f, "requests", s->requests, NULL);
    fputc(',', f);
    print_map(f, "statuses", NULL, s->statuses);
    fputc('}', f);
}

static bool print_truth(const struct generator *g, const char *path)
{
    FILE *f = fopen(path, "w");
    const char *comma = "";
    uint64_t wire = 0, requests[N_VERBS] = { 0 }, statuses[N_STATUSES] = { 0 };

    if (!f)
        return false;
    for (int s = 0; s < KINDS * SERVERS; s++) {
        wire += g->services[s].wire[0] + g->services[s].wire[1];
        for (int i = 0; i < N_VERBS; i++)
            requests[i] += g->services[s].requests[i];
        for (int i = 0; i < N_STATUSES; i++)
            statuses[i] += g->services[s].statuses[i];
    }
    fprintf(f, "{\"packets\":%llu,\"wire_bytes\":%llu,\"flows\":%llu,",
            (unsigned long long)g->packets, (unsigned long long)wire,
            (unsigned long long)g->opened);
    print_map(f, "http_requests", requests, NULL); /* those whose first segment is in the file */
    fputc(',', f);
    print_map(f, "http_responses", NULL, statuses);
    fputc(',', f);
    print_map(f, "sent_requests", g->sent_requests, NULL);
    fputc(',', f);
    print_map(f, "sent_responses", NULL, g->sent_statuses);
    fprintf(f,
            ",\"impairment\":{\"missing\":%llu,\"missing_payload\":%llu,\"retransmitted\":%llu,"
            "\"reordered\":%llu},\"services\":[",
            (unsigned long long)g->missing, (unsigned long long)g->missing_payload,
            (unsigned long long)g->repeated, (unsigned long long)g->reordered);
    for (unsigned i = 0; i < KINDS * SERVERS; i++) {
        if (!g->services[i].flows)
            continue;
        fputs(comma, f);
        print_service(f, &g->services[i], i);
        comma = ",\n";
    }
    fputs("]}\n", f);
    return fclose(f) == 0;
}

static int usage(void)
{
    fputs("usage: workload bulk|chatty|mix|flows|tls|smb OUT.pcap [size=N[M|G]] [seed=N] [flows=N] "
          "[conc=N] [loss=PCT] [retrans=PCT] [reorder=PCT]\n",
          stderr);
    return 2;
}

static bool option(struct generator *g, const char *text)
{
    const char *value = strchr(text, '=');
    size_t len = value ? (size_t)(value - text) : 0;
    char *end;
    double number;

    if (!value)
        return false;
    number = strtod(value + 1, &end);
    if (*end == 'M')
        number *= 1 << 20;
    else if (*end == 'G')
        number *= 1 << 30;
    else if (*end)
        return false;
#define IS(name) (len == sizeof name - 1 && memcmp(text, name, len) == 0)
    if (number < 0 || number > 1e12)
        return false;
    if (IS("size"))
        g->size = (uint64_t)number;
    else if (IS("seed"))
        g->seed = (uint64_t)number;
    else if (IS("flows"))
        g->flow_limit = (uint64_t)number;
    else if (IS("conc"))
        g->concurrent = (unsigned)number;
    else if (IS("loss"))
        g->loss = (unsigned)(number * 100);
    else if (IS("retrans"))
        g->retrans = (unsigned)(number * 100);
    else if (IS("reorder"))
        g->reorder = (unsigned)(number * 100);
    else
        return false;
#undef IS
    return true;
}

static bool set_mode(struct generator *g, const char *name)
{
    static const char *const names[] = { "bulk", "chatty", "mix", "flows", "tls", "smb" };

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) != 0)
            continue;
        g->mode = (enum mode)i;
        if (i == MODE_MIX) {
            g->loss = 50;
            g->retrans = 100;
            g->reorder = 200;
        } else if (i == MODE_FLOWS) {
            g->flow_limit = 200000;
        }
        return true;
    }
    return false;
}

/* Small files get few connections and small bodies, so that they still are of their kind. */
static bool prepare(struct generator *g, const char *path)
{
    static const uint32_t header[6] = { 0xA1B2C3D4, 2 | 4 << 16, 0, 0, 65535, 1 };
    static const unsigned concurrent[] = { 60, 100, 80, 0, 80, 20 };
    uint64_t seed = g->seed;
    bool small = g->mode != MODE_FLOWS && g->size < 512u << 20;

    g->body_limit = small ? g->size / 64 + 4096 : 8 << 20;
    if (!g->concurrent && g->mode == MODE_FLOWS)
        g->concurrent = (unsigned)(g->flow_limit / 8) + 1;
    else if (!g->concurrent)
        g->concurrent = small ? concurrent[g->mode] / 4 + 1 : concurrent[g->mode];
    g->connections = calloc(g->concurrent, sizeof *g->connections);
    g->filler = malloc(FILL);
    g->out = fopen(path, "wb");
    if (!g->connections || !g->filler || !g->out)
        return false;
    g->seed = 1;
    for (size_t i = 0; i < FILL; i++)
        g->filler[i] = (uint8_t)rnd(g);
    g->seed = seed;
    put(g, header, sizeof header);
    return true;
}

int main(int argc, char **argv)
{
    struct generator *g = calloc(1, sizeof *g);
    char path[4096];
    bool fine;

    if (!g)
        return 1;
    g->size = 64u << 20;
    g->seed = 1;
    if (argc < 3 || !set_mode(g, argv[1]))
        return usage();
    for (int i = 3; i < argc; i++)
        if (!option(g, argv[i]))
            return usage();
    if (!prepare(g, argv[2])) {
        perror(argv[2]);
        return 1;
    }
    run(g);
    snprintf(path, sizeof path, "%s.json", argv[2]);
    fine = fclose(g->out) == 0 && print_truth(g, path);
    if (!fine)
        perror(argv[2]);
    free(g->connections);
    free(g->filler);
    free(g);
    return fine ? 0 : 1;
}
