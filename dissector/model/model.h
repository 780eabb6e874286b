/* SPDX-License-Identifier: GPL-2.0-or-later
 * model.h - the evidence a model keeps: sums, minima, maxima and bounded sets, nothing else.
 *
 * In: observations. Out: evidence that merges commutatively and associatively as long as no limit
 * was hit; conclusions are drawn once, by ccm_view_new. State: ccm_model, used by one thread at a
 * time. Every table is bounded: by ccm_limits, or by a constant below. Numbers (of hosts, edges,
 * texts) are local to a model; merging maps them by value. */
#ifndef CCM_MODEL_MODEL_H
#define CCM_MODEL_MODEL_H

#include "model/auth.h"
#include "model/catalog.h"
#include "model/texts.h"
#include "model/throttle.h"
#include "model/view.h"
#include "observe/obs.h"

enum {
    CCM_PENDING = 64,        /* timeline points that a flow keeps while its route is not known */
    CCM_PENDING_ROUTED = 8,  /* and from then on */
    CCM_FLOW_COUNTERS = 14,  /* counters that a flow keeps */
    CCM_FLOW_EVIDENCE = 7,   /* pieces of evidence about its ends that a flow keeps */
    CCM_HOST_EVIDENCE = 64,  /* marks x ports x sides of one host */
    CCM_EDGE_COUNTERS = 256, /* distinct things counted of one edge, beside methods */
    CCM_CLIENT_ADDRS = 4,
    CCM_CLIENT_KINDS = 64, /* kinds of messages of one client */
    CCM_UPLOADS = 4096,
    CCM_UPLOAD_ERRORS = 8,
    CCM_FILES = 65536,
    CCM_LOOKUPS = 1 << 15,
    CCM_SERVICES = 256,
    CCM_CONTENTS = 65536, /* contents x edges */
    CCM_NOTES = 64,       /* distinct anomalies, limits, reasons */
    CCM_PAGE = 16384,     /* edges and flows are allocated in pages and never move */
};

/* ---- counters: a small unordered map from a kind and a number to a sum ----------------------- */

typedef enum ccm_count_kind {
    CCM_COUNT_METHOD,    /* text */
    CCM_COUNT_STATUS,    /* code */
    CCM_COUNT_HINT,      /* text */
    CCM_COUNT_ICMP,      /* type << 8 | code */
    CCM_COUNT_MARK,      /* mark that named the route */
    CCM_COUNT_DECRYPTED, /* 0: requests that came out of decrypted TLS */
    CCM_COUNT_DENIED,    /* code: CONNECTs that a proxy did not grant */
    CCM_COUNT_UNPAIRED,  /* 0: requests without a response, 1: responses without a request */
    /* connections that carried TLS */
    CCM_COUNT_TLS_VERSION,
    CCM_COUNT_TLS_SERVER,  /* ccm_tls_server, with its certainty above CCM_TLS_SURE */
    CCM_COUNT_TLS_CLIENT,  /* ccm_tls_client, likewise */
    CCM_COUNT_TLS_RESUMED, /* 0; 1 = the full handshake was seen */
    CCM_COUNT_TLS_CIPHER,  /* texts, from here on */
    CCM_COUNT_TLS_ISSUER,
    CCM_COUNT_TLS_ALERT,
    CCM_COUNT_SNI,
    CCM_COUNT_ALPN,
    CCM_COUNT_JA3,
    CCM_COUNT_JA4,
    CCM_COUNT_SMB, /* command */
} ccm_count_kind;

#define CCM_COUNT_KEY(kind, number) ((uint32_t)(kind) << 27 | (uint32_t)(number))

static inline ccm_count_kind ccm_count_kind_of(uint32_t key)
{
    return (ccm_count_kind)(key >> 27);
}

enum { CCM_TLS_SURE = 8 }; /* bits */

/* Is the number that of a text? */
static inline bool ccm_count_is_text(uint32_t key)
{
    ccm_count_kind kind = ccm_count_kind_of(key);
    return kind == CCM_COUNT_METHOD || kind == CCM_COUNT_HINT || kind >= CCM_COUNT_TLS_CIPHER;
}

static inline uint32_t ccm_count_number(uint32_t key)
{
    return key & 0x07ffffff;
}

typedef struct ccm_counter {
    uint32_t key;
    uint64_t count;
} ccm_counter;

typedef struct ccm_counters {
    ccm_counter *v;
    uint16_t n, cap;
} ccm_counters;

/* Adds; false when the key is new and there are `max` already. */
bool ccm_counters_add(ccm_counters *c, uint32_t key, uint64_t count, unsigned max);

/* A name with a sum, for the few capture-wide ones. Limits: see ccm_model_limit. */
typedef struct ccm_noted {
    uint32_t text;
    uint64_t count;
} ccm_noted;

/* ---- hosts ----------------------------------------------------------------------------------- */

typedef struct ccm_evidence {
    int16_t mark;
    bool server; /* about the host as server of `port`; else as client, port 0 */
    uint16_t port;
    uint64_t count, first_frame;
    uint64_t ok, denied; /* answers that the mark's server would give, and that it would not */
} ccm_evidence;

/* Where a name of a host came from: bits. TLS has its two; see ccm_names_observe. */
typedef enum ccm_name_source {
    CCM_NAME_PCAPNG = 1,
    CCM_NAME_DNS = 2,         /* looked up, or an alias on the way */
    CCM_NAME_DNS_REVERSE = 4, /* a PTR record */
    CCM_NAME_HTTP = 8,        /* Host header */
    CCM_NAME_NTLM = 16,
    CCM_NAME_KERBEROS = 32,
    CCM_NAME_TLS = 64,                 /* server name indication */
    CCM_NAME_CERTIFICATE = 128,        /* of a server */
    CCM_NAME_CLIENT_CERTIFICATE = 256, /* which may have come through a proxy */
} ccm_name_source;

enum { CCM_NAME_SOURCES = 9, CCM_NAME_MAX = 253 };

typedef struct ccm_host_label {
    uint32_t text;
    uint32_t sources;
} ccm_host_label;

typedef struct ccm_host {
    ccm_addr addr;
    bool seen; /* in traffic; else only named by an answer */
    uint16_t n_names, n_evidence, cap_evidence;
    ccm_host_label *names;
    ccm_evidence *evidence;
} ccm_host;

/* ---- edges and flows ------------------------------------------------------------------------- */

typedef struct ccm_edge_key {
    ccm_addr client, server;
    uint16_t port;
    int16_t route; /* row that the flow itself showed, or -1 */
    uint8_t l4;
    uint32_t through; /* text: authority that a proxy's tunnel leads to; 0 = none */
} ccm_edge_key;

typedef struct ccm_sums {
    uint64_t packets, wire, ip, payload, retransmitted, missing;
} ccm_sums;

/* What a flow knows, and what an edge knows as the sum of its flows. Index 0 = to the server. */
typedef struct ccm_traffic {
    ccm_sums dir[2];
    uint64_t first_ns, last_ns; /* valid when a packet was counted */
} ccm_traffic;

/* Verdicts on plain exchanges: all alike. */
typedef struct ccm_plain_sum {
    uint64_t first_frame, first_ns, last_ns, count;
    uint8_t certainty;
} ccm_plain_sum;

/* What was fetched over an edge of one package or content. */
typedef struct ccm_content {
    uint32_t id, edge; /* text, edge */
    uint64_t bytes, requests, first_ns, last_ns;
} ccm_content;

/* What nearly every flow adds to comes first, so that it shares few cache lines. */
typedef struct ccm_edge {
    ccm_edge_key key;
    ccm_traffic traffic;
    uint64_t first_frame; /* of its connections; 0 = not known */
    uint64_t established;
    uint64_t rtt_count, rtt_sum, rtt_min, rtt_max;
    uint32_t host[2];        /* client, server; CCM_NONE = not looked up */
    ccm_plain_sum anonymous; /* not yet among the sums of proofs.h */
    ccm_content content;     /* of one, not yet in the table of contents; no requests = nothing */
    ccm_counters counters;
    uint16_t n_methods;
    uint64_t refused, unanswered, midstream, datagrams, reset;
    uint64_t zero_windows, resets, gaps, duplicates, overlap_conflicts;
} ccm_edge;

/* How a flow ended: what its `connection` tells of it. */
typedef struct ccm_ending {
    uint64_t id;       /* of the flow */
    uint64_t frame;    /* its first; 0 = not known */
    uint32_t flow;     /* number of its record, which is no flow's any more */
    uint32_t edge;     /* where it probably belongs; CCM_NONE = not looked up */
    uint32_t hash;     /* of the edge's key */
    uint8_t state;     /* ccm_ended_as */
    bool reset, timed; /* timed: rtt is known */
    uint64_t rtt, zero_windows, resets, gaps, duplicates, overlap_conflicts;
} ccm_ending;

/* Edges are many and cold: while an ended flow waits, what it will touch is fetched step by step.
 */
enum { CCM_ENDINGS = 16 };

typedef struct ccm_pending {
    uint64_t second : 63, active : 1; /* active: the flow's first of this second */
    uint64_t bytes[2];
} ccm_pending;

typedef struct ccm_flow_counter {
    uint32_t key, count;
} ccm_flow_counter;

/* Of ccm_evidence, about an end of the flow. `what`: mark | port << 16 | server << 32 | end << 33.
 */
typedef struct ccm_flow_evidence {
    uint64_t what, first_frame;
    uint32_t count, ok, denied;
} ccm_flow_evidence;

#define CCM_ABOUT(mark, port, server)                                                              \
    ((uint64_t)(uint16_t)(mark) | (uint64_t)(port) << 16 | (uint64_t)(server) << 32)

/* What came of a flow since it was last settled with its edge, which is elsewhere in memory. */
typedef struct ccm_model_flow {
    /* of its packets; what requests touch comes after it, as flow/state.h fetches it */
    ccm_traffic traffic; /* indexes of dir[] and bytes[] are those of end[]: the sender */
    ccm_pending first[2], *more;
    ccm_pace *pace;  /* NULL = no bulk data that limits work on */
    uint64_t active; /* latest second + 1 that was counted as active */
    uint32_t bulk;   /* bytes before there was a pace */
    uint32_t at;     /* number of this record */

    uint64_t id; /* 0 = this record is free */
    ccm_endpoint end[2];
    uint32_t edge;      /* CCM_NONE = never settled; of a free record, the next free one */
    uint32_t through;   /* as in ccm_edge_key */
    uint32_t asked;     /* text: authority of the CONNECT that is open; 0 = none */
    uint32_t host[2];   /* cache; CCM_NONE = not looked up */
    int16_t route;      /* row that the flow itself showed, or -1 */
    uint8_t l4, client; /* client: which of end[] */
    bool indexed;       /* found by its id; else a memo leads here */
    bool loop;          /* both ends are the same */
    uint8_t n_pending, cap_pending, n_counters, n_evidence;
    /* the latest request, for its answer */
    uint8_t bits; /* ccm_bits_packet */
    int16_t mark;
    uint32_t upload, target;
    uint32_t client_id; /* text */
    uint32_t client_at; /* number of the client that was named last */
    uint32_t content;   /* text; of the request that is open, or CCM_NONE */
    uint64_t exchange;
    ccm_auth_plain plain;        /* the only open exchange, if it is plain */
    struct ccm_proof_talk *talk; /* proofs.h: all else; NULL until there is any. It stays with the
                                    record, and is of this flow if its id is. */
    ccm_plain_sum anonymous;     /* the plain exchanges, since the flow was settled with its edge */
    ccm_content served;          /* of one content, likewise; no requests = nothing */
    ccm_flow_counter counters[CCM_FLOW_COUNTERS];
    ccm_flow_evidence evidence[CCM_FLOW_EVIDENCE];
} ccm_model_flow;

G_STATIC_ASSERT(sizeof(ccm_model_flow) % 64 == 0); /* whole cache lines */

typedef enum ccm_bits_packet {
    CCM_BITS_NONE,
    CCM_BITS_CREATE,
    CCM_BITS_FRAGMENT,
    CCM_BITS_CLOSE,
    CCM_BITS_CANCEL,
} ccm_bits_packet;

/* ---- timeline: one sparse table for all edges ------------------------------------------------ */

typedef struct ccm_point {
    uint64_t key;      /* edge << 36 | (bucket + 1); 0 = empty */
    uint64_t bytes[2]; /* wire bytes, to the server and back */
    uint64_t active;   /* seconds in which a flow was active, summed up over the flows */
} ccm_point;

enum { CCM_LADDER = 5, CCM_TIMELINE_WAITING = 16 };

typedef struct ccm_timeline {
    ccm_point *v;
    uint32_t mask, n;
    uint8_t level; /* of the interval ladder */
    bool full;     /* points were dropped */
    /* Additions wait here while their places in the table, mostly cold, are being fetched. */
    uint8_t n_waiting;
    ccm_point waiting[CCM_TIMELINE_WAITING];
} ccm_timeline;

unsigned ccm_timeline_interval(unsigned level);
void ccm_timeline_init(ccm_timeline *t);
void ccm_timeline_clear(ccm_timeline *t);
/* `second` since 1970; at most `max` points are kept. */
void ccm_timeline_add(ccm_timeline *t, uint32_t edge, uint64_t second, const uint64_t bytes[2],
                      uint64_t active, unsigned max);
/* Puts what waits into the table: before the points are read. */
void ccm_timeline_settle(ccm_timeline *t, unsigned max);
void ccm_timeline_coarsen(ccm_timeline *t);
static inline uint32_t ccm_point_edge(const ccm_point *p)
{
    return (uint32_t)(p->key >> 36);
}

static inline uint64_t ccm_point_bucket(const ccm_point *p)
{
    return (p->key & ((UINT64_C(1) << 36) - 1)) - 1;
}

/* ---- clients and uploads --------------------------------------------------------------------- */

typedef struct ccm_client {
    uint32_t id;      /* text */
    uint32_t name[2]; /* texts: its own and its full name, as its messages give them; CCM_NONE */
    uint8_t n_addrs;
    bool more;                        /* further addresses exist */
    ccm_addr addrs[CCM_CLIENT_ADDRS]; /* the lowest, sorted */
    ccm_counters messages;            /* requests by verb */
    ccm_counters kinds;               /* messages by kind, in plain words */
    uint64_t checked[4];              /* signatures by ccm_signature_result */
    uint64_t key_changed;             /* of those verified, with another key than the first */
    bool has_skew;
    int64_t skew_low_s, skew_high_s; /* the client's clock less the capture's */
} ccm_client;

typedef struct ccm_upload {
    ccm_addr client, server;
    uint32_t id, client_id, target, name, host; /* texts; CCM_NONE = not seen */
    uint64_t received, sent, total, fragments, first_ns, last_ns;
    bool has_received, closed, cancelled;
    bool refused; /* its Create-Session or Close-Session */
    uint8_t n_errors;
    uint32_t errors[CCM_UPLOAD_ERRORS];
} ccm_upload;

/* ---- names looked up ------------------------------------------------------------------------- */

typedef enum ccm_lookup_outcome {
    CCM_LOOKUP_ANSWERED,
    CCM_LOOKUP_EMPTY, /* the name has no record of this type */
    CCM_LOOKUP_NXDOMAIN,
    CCM_LOOKUP_SERVFAIL,
    CCM_LOOKUP_OTHER, /* refused and the like */
    CCM_LOOKUP_OUTCOMES,
} ccm_lookup_outcome;

/* A name that a client asked for. */
typedef struct ccm_lookup {
    ccm_addr client;
    uint32_t name; /* text, in lower case */
    uint16_t type;
    uint64_t queries, answers[CCM_LOOKUP_OUTCOMES];
    uint64_t first_frame, first_ns, last_ns;
} ccm_lookup;

/* A server that a service record of the catalogue names. */
typedef struct ccm_service {
    uint32_t name, target; /* texts, in lower case */
    int16_t mark;
    uint16_t port;
    uint64_t count, first_frame;
} ccm_service;

/* ---- the model ------------------------------------------------------------------------------- */

typedef struct ccm_file {
    uint32_t name;
    uint64_t first_frame, packets, bytes;
} ccm_file;

typedef struct ccm_capture_sums {
    uint64_t streams, ended; /* models that saw anything; `capture` observations */
    bool has_time;
    uint64_t start_ns, end_ns;
    uint64_t packets, wire_bytes, truncated, undecoded, dropped, filtered, gaps, secrets;
    uint64_t untimed, backward, unmerged;
    uint64_t answers_ahead, ahead_ns; /* responses before their requests; by how much at most */
    bool ended_early, unusable; /* an input; `notes` tell why */
    ccm_decryption decryption;
} ccm_capture_sums;

struct ccm_model {
    ccm_catalog *catalog;
    ccm_limits limits;
    ccm_texts texts;
    ccm_index host_index, edge_index, flow_index, client_index, upload_index, lookup_index;
    GArray *hosts;              /* ccm_host */
    uint32_t n_unseen;          /* of them, only named */
    GArray *lookups;            /* ccm_lookup */
    GArray *services;           /* ccm_service */
    GPtrArray *edge_pages;      /* ccm_edge[CCM_PAGE] */
    uint32_t n_edges;           /* edge 0 takes what no other edge may */
    GPtrArray *flow_pages;      /* ccm_model_flow[CCM_PAGE] */
    uint32_t n_flows, victim;   /* records ever used; where the search for a victim goes on */
    uint32_t free_flow, n_free; /* a free record, which leads to the next; how many there are */
    ccm_ending endings[CCM_ENDINGS]; /* ended flows, a ring */
    uint32_t first_ending, n_endings;
    GArray *clients;  /* ccm_client */
    GArray *uploads;  /* ccm_upload */
    GArray *contents; /* ccm_content */
    ccm_index content_index;
    GArray *files;                            /* ccm_file */
    GArray *noted_limits, *anomalies, *notes; /* ccm_noted */
    ccm_timeline timeline;
    ccm_paces paces;
    ccm_capture_sums capture;
    struct ccm_proofs *proofs; /* proofs.h */
    struct ccm_smb_sums *smb;  /* smb.h */
    struct ccm_site *site;     /* site.h; what is configured, no evidence; NULL = not supplied */
    uint64_t link_bps;         /* 0 = not supplied */
    struct ccm_tls_book *tls;  /* tls_book.h */
    struct ccm_relays *relays; /* relay.h */
    struct ccm_known_requests *known; /* known.h */
};

static inline ccm_edge *ccm_edge_at(const ccm_model *m, uint32_t i)
{
    return (ccm_edge *)g_ptr_array_index(m->edge_pages, i / CCM_PAGE) + i % CCM_PAGE;
}

static inline ccm_model_flow *ccm_model_flow_at(const ccm_model *m, uint32_t i)
{
    return (ccm_model_flow *)g_ptr_array_index(m->flow_pages, i / CCM_PAGE) + i % CCM_PAGE;
}

static inline ccm_host *ccm_host_at(const ccm_model *m, uint32_t i)
{
    return &g_array_index(m->hosts, ccm_host, i);
}

static inline uint64_t ccm_hash_addr(uint64_t h, const ccm_addr *a)
{
    return ccm_hash_bytes(ccm_mix(h, a->family), a->b, sizeof a->b);
}

static inline bool ccm_addr_eq(const ccm_addr *a, const ccm_addr *b)
{
    return a->family == b->family && memcmp(a->b, b->b, sizeof a->b) == 0;
}

static inline bool ccm_endpoint_eq(const ccm_endpoint *a, const ccm_endpoint *b)
{
    return a->port == b->port && ccm_addr_eq(&a->addr, &b->addr);
}

/* Adds to a list of names with sums; false when it is full. */
bool ccm_noted_add(GArray *list, uint32_t text, uint64_t count);
/* A limit was hit. */
void ccm_model_limit(ccm_model *m, const char *name, uint64_t count);

/* host.c: the number of the host, CCM_NONE when the table is full. */
uint32_t ccm_host_get(ccm_model *m, const ccm_addr *addr);
uint32_t ccm_host_find(const ccm_model *m, const ccm_addr *addr);
/* The same for an address that is only spoken of; these take at most a quarter of the table. */
uint32_t ccm_host_named(ccm_model *m, const ccm_addr *addr);
/* `sources`: bits of ccm_name_source. */
void ccm_host_name(ccm_model *m, uint32_t host, ccm_span name, uint32_t sources);
/* A Host header or other authority as name; addresses and malformed names are left out. */
void ccm_host_authority(ccm_model *m, uint32_t host, ccm_span authority, uint32_t sources);
void ccm_host_evidence(ccm_model *m, uint32_t host, const ccm_evidence *add);
uint32_t ccm_client_get(ccm_model *m, ccm_span id);
uint32_t ccm_client_of_text(ccm_model *m, uint32_t text); /* likewise */
void ccm_client_address(ccm_client *c, const ccm_addr *addr);
uint32_t ccm_upload_get(ccm_model *m, const ccm_addr *client, const ccm_addr *server, ccm_span id);
void ccm_upload_error(ccm_upload *u, uint32_t text);

/* edge.c */
uint32_t ccm_edge_get(ccm_model *m, const ccm_edge_key *key);
/* The same where the key's ccm_edge_hash is known. */
uint32_t ccm_edge_get_hashed(ccm_model *m, const ccm_edge_key *key, uint32_t hash);
uint32_t ccm_edge_hash(const ccm_edge_key *key);
/* The edge that in `to` has the key of `e`, an edge of `from`. */
uint32_t ccm_edge_same(ccm_model *to, const ccm_model *from, const ccm_edge *e);
void ccm_edge_count(ccm_model *m, ccm_edge *e, uint32_t key, uint64_t count);
/* A connection of the edge began at the frame; 0 = not known. */
void ccm_edge_first(ccm_edge *e, uint64_t frame);
void ccm_traffic_add(ccm_traffic *to, const ccm_traffic *add, bool swap);
/* Adds to one direction what was seen between the two times. */
void ccm_traffic_count(ccm_traffic *t, unsigned dir, const ccm_sums *s, uint64_t first_ns,
                       uint64_t last_ns);
void ccm_points_add(ccm_model *m, uint32_t edge, uint64_t second, const uint64_t bytes[2],
                    uint64_t active);

/* flows.c */
ccm_model_flow *ccm_model_flow_find(ccm_model *m, const ccm_obs *obs);
ccm_model_flow *ccm_model_flow_get(ccm_model *m, const ccm_obs *obs);
void ccm_model_flow_run(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs);
/* Several of them; `flow` as in ccm_obs_flow_fn. */
void ccm_model_flow_runs(ccm_model *m, ccm_model_flow *f, const ccm_obs *flow,
                         const ccm_obs_run *run, unsigned n);
/* A ccm_obs_flow_fn: user_data is the model. */
void ccm_model_structs(void *model, const ccm_obs *flow, const ccm_obs_run *run, unsigned n,
                       const ccm_obs_end *end);
void ccm_model_flow_count(ccm_model *m, ccm_model_flow *f, uint32_t key);
void ccm_model_flow_count_many(ccm_model *m, ccm_model_flow *f, uint32_t key, uint32_t count);
/* Adds to the evidence about end[end] of the flow, which `what` of `add` leaves out. */
void ccm_model_flow_evidence(ccm_model *m, ccm_model_flow *f, unsigned end,
                             const ccm_flow_evidence *add);
/* The flow showed this row: the first one decides, unless the flow was settled without any. */
void ccm_model_flow_route(ccm_model_flow *f, int route);
/* Are route and client of the flow decided? */
static inline bool ccm_model_flow_decided(const ccm_model_flow *f)
{
    return f->edge != CCM_NONE || f->route >= 0;
}
/* Adds to the edge what the flow has kept; returns the edge. */
ccm_edge *ccm_model_flow_settle(ccm_model *m, ccm_model_flow *f);
/* The same into another model, without a change of the flow: for merging what is open. */
void ccm_model_flow_pour(ccm_model *to, const ccm_model *from, const ccm_model_flow *f);
/* The flow has ended; its edge learns it a little later. How is for the caller to tell. */
ccm_ending *ccm_model_flow_end(ccm_model *m, ccm_model_flow *f);
/* Settles the flows that have ended, and what waits for the timeline: before edges are read. */
void ccm_model_catch_up(ccm_model *m);

/* names.c: names that observations give to hosts, and lookups. Of kinds that it does not know it
 * takes no notice. */
void ccm_names_observe(ccm_model *m, const ccm_obs *obs);
void ccm_names_merge(ccm_model *to, const ccm_model *from);
/* What service records say of a host, by its names: at most `max` pieces of evidence. */
unsigned ccm_names_services(const ccm_model *m, const ccm_host *h, ccm_evidence *out, unsigned max);
bool ccm_lookup_failed(const ccm_lookup *l);

/* requests.c: request, answer and end of an exchange. */
struct ccm_known_request; /* known.h */
void ccm_model_request(ccm_model *m, const ccm_obs *obs, const struct ccm_known_request *is);
void ccm_model_http(ccm_model *m, const ccm_obs *obs);
/* contents.c: counts content `id` (a text), which was asked for, when the exchange ends; merges. */
void ccm_content_done(ccm_model *m, ccm_model_flow *f, uint32_t id, const ccm_obs *obs);
/* A file that was written to the share of a distribution point. */
void ccm_content_file(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs);
void ccm_content_add(ccm_model *m, const ccm_content *add);
void ccm_content_pour(ccm_model *to, const ccm_model *from, uint32_t edge,
                      const ccm_content *served);
/* The smaller of two texts that may be CCM_NONE: a choice that no order of arrival changes. */
uint32_t ccm_text_lowest(const ccm_model *m, uint32_t a, uint32_t b);

#endif
