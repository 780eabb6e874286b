/* SPDX-License-Identifier: GPL-2.0-or-later
 * view.h - what a model concludes, as plain read-only structs for printing.
 *
 * In: a model. Out: everything of the report's contract that is known. State: none; a view owns its
 * memory and stays valid when the model changes or goes. Every array has the order given beside it;
 * texts are already safe to print (ccm_text_append's rule). A const char * that may be absent says
 * so; all others are never NULL. Spec: the JSON report contract, docs/report.schema.json. */
#ifndef CCM_MODEL_VIEW_H
#define CCM_MODEL_VIEW_H

#include "base/base.h"

typedef enum ccm_certainty {
    CCM_CERTAINTY_UNKNOWN,
    CCM_CERTAINTY_WEAK,
    CCM_CERTAINTY_LIKELY,
    CCM_CERTAINTY_STRONG,
    CCM_CERTAINTY_PROVEN,
} ccm_certainty;

/* "unknown", "weak", "likely", "strong", "proven". */
const char *ccm_certainty_name(ccm_certainty c);

enum { CCM_TO_DESTINATION = 0, CCM_TO_SOURCE = 1 }; /* index of every [2] below */

/* A name with how often it was seen: verbs, statuses ("200"), anomalies, messages. */
typedef struct ccm_view_count {
    const char *name;
    uint64_t count;
} ccm_view_count;

typedef struct ccm_view_counts {
    const ccm_view_count *v; /* sorted by name, bytewise */
    unsigned n;
} ccm_view_counts;

typedef struct ccm_view_names {
    const char *const *v; /* sorted bytewise */
    unsigned n;
} ccm_view_names;

typedef struct ccm_view_file {
    const char *name;
    uint64_t first_frame, packets, bytes;
} ccm_view_file;

typedef struct ccm_view_limit {
    const char *name;
    uint64_t count;
} ccm_view_limit;

/* Keys given to open TLS, and what came of them. */
typedef struct ccm_decryption {
    uint64_t secrets, malformed, private_keys, sessions;
} ccm_decryption;

typedef struct ccm_view_capture {
    const ccm_view_file *files; /* by first frame, then name */
    unsigned n_files;
    bool has_time; /* at least one packet with a time: start and end are valid */
    uint64_t start_ns, end_ns;
    uint64_t packets, bytes; /* bytes as on the wire */
    uint64_t truncated_packets, undecoded_packets, dropped_packets, gaps, secrets_blocks;
    uint64_t filtered_packets; /* left out by the capture filter, in no other number */
    uint64_t untimed_packets, backward_steps, unmerged_files;
    uint64_t answers_ahead, ahead_ns; /* responses before their requests; by how much at most */
    ccm_decryption decryption;
    bool complete;                     /* nothing below speaks against it */
    ccm_view_names incomplete_because; /* ids in fixed order, see ccm_view_reason_text */
    const ccm_view_limit *limits_hit;  /* by name */
    unsigned n_limits_hit;
    ccm_view_names notes;      /* why an input ended early or could not be used, as text */
    ccm_view_counts anomalies; /* "http: why" */
} ccm_view_capture;

/* A sentence for an id of incomplete_because; the id itself when it is not known. Ids, in order:
 * no-packets, no-match, input-unusable, input-ended-early, no-end, times-backward, clocks-differ,
 * files-unmerged,
 * no-times, truncated, undecoded, dropped, gaps, midstream, limits. */
const char *ccm_view_reason_text(const char *id);

typedef struct ccm_view_evidence {
    const char *id; /* mark of the catalogue, or a rule's name such as absolute-form */
    ccm_certainty certainty;
    uint64_t count, first_frame; /* first_frame 0 = not known */
} ccm_view_evidence;

typedef struct ccm_view_role {
    const char *role, *title;
    const char *qualifier; /* "classic", "scale-set", "tunnelling", "bridging"; NULL = not known */
    ccm_certainty certainty;
    const ccm_view_evidence *evidence; /* certainty falling, then id */
    unsigned n_evidence;
} ccm_view_role;

typedef struct ccm_view_host {
    ccm_addr addr;
    ccm_view_names names;
    const uint32_t *name_sources; /* of each name: bits, see ccm_view_source_name */
    const ccm_view_role *roles;   /* certainty falling, then role */
    unsigned n_roles;
} ccm_view_host;

/* "dns", "http-host", ... of bit 0, 1, ...; NULL: there is no such bit. */
const char *ccm_view_source_name(unsigned bit);

/* What a route is used in place of. */
typedef struct ccm_view_fallback {
    uint16_t from_port;
    const char *from_protocol;
    const char *reason; /* "refused", "unanswered", "silent", "reset", "alert" */
    uint64_t count;     /* pairs of hosts */
    uint64_t first_seen_ns;
    uint64_t from_frame, frame; /* of the first attempt, of what is in its place; 0 = not known */
    bool hidden;                /* inside TLS: nobody saw that it does the same */
    ccm_certainty certainty;
    ccm_view_names evidence;
} ccm_view_fallback;

/* Of a long-lived channel. */
typedef struct ccm_view_channel {
    const char *state;   /* "up", "failed", "down": the best of the row's; NULL = no channel */
    const char *reason;  /* of a failed one, as above; NULL = it is up */
    uint64_t reconnects; /* connections that carried something, less one for each pair of hosts */
    uint64_t pauses;     /* between bursts; 0 = the three below are not valid */
    uint64_t pause_median_s, pause_shortest_s, pause_longest_s;
} ccm_view_channel;

typedef struct ccm_view_timeline {
    unsigned interval_s;
    uint64_t start_ns;        /* a multiple of the interval */
    unsigned n;               /* points, at most CCM_VIEW_POINTS */
    const uint64_t *bytes[2]; /* wire bytes per point */
} ccm_view_timeline;

enum { CCM_VIEW_POINTS = 1440, CCM_VIEW_SOURCES = 64, CCM_VIEW_BUSIEST = 3 };

typedef struct ccm_view_busy {
    uint64_t start_ns;
    unsigned length_s;
    uint64_t bytes; /* on the wire, both directions; 0 = none */
} ccm_view_busy;

typedef struct ccm_view_auth_evidence {
    const char *id;              /* for instance ntlm-type3, see auth_names.c */
    uint64_t count, first_frame; /* first_frame 0 = not known */
    bool has_code;
    uint32_t code; /* Kerberos error */
    bool trouble;  /* a failed signature, a fallback to NTLM */
} ccm_view_auth_evidence;

typedef struct ccm_view_auth {
    const char *stage, *mode;
    const char *account_kind; /* NULL = not known */
    const char *account;      /* DOMAIN\\name or name@REALM; NULL = not known, or rolled up */
    ccm_certainty certainty;
    uint64_t count;  /* exchanges that were let in; of none-observed also those without outcome */
    uint64_t denied; /* attempts that failed */
    const ccm_view_auth_evidence *evidence; /* the most telling first */
    unsigned n_evidence;
} ccm_view_auth;

/* What a limit measures; 0 = not told. */
typedef struct ccm_view_measures {
    uint64_t block_low, block_high; /* bytes sent before each silence */
    uint64_t delay_low_ns, delay_high_ns;
    unsigned percent_low, percent_high; /* tenths of a percent */
    unsigned duty;                      /* sending time, ten-thousandths of the time */
    uint64_t rate_bps;                  /* payload, silences included */
} ccm_view_measures;

/* From change point to change point. */
typedef struct ccm_view_window {
    uint64_t start_ns, end_ns; /* the first and the last data; of closed windows the boundaries */
    const char *verdict;
    ccm_certainty certainty;
    ccm_view_measures is;
    uint64_t bytes; /* payload */
} ccm_view_window;

/* Where the traffic was not as configured. */
typedef struct ccm_view_deviation {
    uint64_t start_ns, end_ns;
    const char *rule; /* closed, priority, pulse, pulse-ceiling, hourly, mode, not-limited,
                         stored-but-ignored */
    const char *observed, *expected; /* for people */
    uint64_t bytes;
} ccm_view_deviation;

enum { CCM_VIEW_WEEK = 168, CCM_VIEW_WINDOWS = 400, CCM_VIEW_DEVIATIONS = 400 };

/* How the data of one source to one destination was paced. */
typedef struct ccm_view_throttle {
    ccm_addr source;     /* family 0 = many */
    const char *verdict; /* "pulse" ... */
    ccm_certainty certainty;
    ccm_view_measures is; /* of the window that the verdict is of */
    uint64_t bytes;       /* payload in the direction that limits work on */
    uint64_t discarded_bytes, discarded_files;
    uint64_t connections_peak;    /* active in the same second; 0 = not known */
    uint64_t connections_tenths;  /* mean while any was active; 0 = not known */
    uint64_t files, files_tenths; /* files seen, and the mean of those open while active */
    uint64_t active_s;            /* seconds with traffic; 0 = not known */
    const char *time_zone;        /* of hours and schedule */
    bool zone_assumed;
    const char *const
        *hours; /* of the week, from Monday 00 on: verdicts, NULL = unknown; may be NULL */
    uint64_t day_bytes[24];         /* wire bytes by hour of the day, both directions */
    ccm_view_names notes;           /* sentences */
    const ccm_view_window *windows; /* by start */
    unsigned n_windows;
    bool compared;                        /* a configuration was supplied for it */
    const ccm_view_deviation *deviations; /* by start */
    unsigned n_deviations;
} ccm_view_throttle;

typedef struct ccm_view_alert {
    const char *from;  /* "client" or "server" */
    const char *level; /* "fatal", "warning"; NULL = it was encrypted, and so is the rest */
    const char *name;  /* NULL = not known */
    unsigned alert;
    uint64_t count;
} ccm_view_alert;

/* Connections of a route that carried TLS. Names with how many connections had them. */
typedef struct ccm_view_tls {
    uint64_t sessions;        /* 0 = none, and nothing below is set */
    ccm_view_counts versions; /* "TLS 1.2" */
    ccm_view_counts ciphers, sni, alpn, ja3, ja4;
    ccm_view_counts issuers;        /* of the servers' certificates */
    const char *server_certificate; /* "pki", "enhanced-http", "self-signed", "hidden" */
    ccm_certainty server_certainty;
    ccm_view_counts server_certificates;
    const char *client_certificate; /* "yes" when any had one, "no", "unknown" */
    ccm_certainty client_certainty;
    ccm_view_counts client_certificates;
    uint64_t resumed, inherited;  /* inherited: resumed, and the full handshake was seen before */
    const ccm_view_alert *alerts; /* by text */
    unsigned n_alerts;
} ccm_view_tls;

typedef struct ccm_view_certificate {
    const char *fingerprint;               /* SHA-256, hexadecimal */
    const char *subject, *issuer, *serial; /* NULL = absent */
    ccm_view_names san;                    /* DNS names */
    bool san_more;                         /* there are more than were kept */
    const char *kind; /* "pki", "enhanced-http", "self-signed", "authority" (in chains alone) */
    const char *usage, *key_type; /* OIDs with commas between; NULL = absent */
    unsigned key_bits;            /* 0 = not known */
    bool has_not_before, has_expires;
    uint64_t not_before_ns, expires_ns;
    bool server, client;    /* of whom it was seen */
    ccm_view_names seen_on; /* addresses, servers with port; the lowest eight */
    bool seen_on_more;
    uint64_t count, first_frame;
} ccm_view_certificate;

typedef struct ccm_view_route {
    const char *route;          /* "client/mp" */
    const char *title;          /* for people */
    const char *ref;            /* where the catalogue's row comes from */
    const char *protocol;       /* "http"; "other" = neither TCP, UDP nor ICMP */
    const char *other_protocol; /* hint with the most flows; NULL = none */
    bool has_port;              /* false: a protocol without ports */
    uint16_t port;              /* destination port */
    uint8_t l4;                 /* IP protocol; 0 = not IP */
    unsigned instance;          /* VM of a gateway, from 1; 0 = not known */
    ccm_view_channel channel;
    const ccm_view_fallback *fallbacks; /* by port, reason */
    unsigned n_fallbacks;
    bool has_source; /* false: many sources rolled up into the row */
    ccm_addr source; /* family 0 = packets without IP */
    const char *source_role;
    uint64_t sources;     /* distinct source addresses */
    ccm_endpoint via;     /* web proxy through whose tunnel the row leads; family 0 = none */
    ccm_addr destination; /* family 0 = packets without IP; through a tunnel, not known */
    const char *destination_role;
    ccm_view_names destination_names;
    ccm_certainty certainty;
    bool throttleable;
    bool decrypted;       /* requests came out of decrypted TLS */
    ccm_view_names basis; /* why this route, evidence ids: marks, source-is-dp, port ... */
    struct {
        /* attempted = established + refused + unanswered: a SYN was seen. midstream: the flow
         * began before the capture. datagrams: flows of UDP and other protocols. */
        uint64_t attempted, established, refused, unanswered, reset, midstream, datagrams;
    } connections;
    uint64_t packets[2], wire_bytes[2], ip_bytes[2];
    uint64_t payload_bytes[2]; /* unique TCP payload, UDP payload */
    uint64_t retransmitted_bytes[2], missing_bytes[2];
    uint64_t first_seen_ns, last_seen_ns; /* 0, 0 = no packet */
    struct {
        bool has_rtt;
        uint64_t rtt_min_ns, rtt_mean_ns, rtt_max_ns, rtt_count;
        uint64_t zero_windows, resets, gaps, duplicates, overlap_conflicts;
    } transport;
    uint64_t requests_total, failed_total; /* failed: status >= 400 */
    uint64_t unpaired[2];                  /* requests without a response; the other way round */
    ccm_view_counts requests;    /* by verb; "other" when the limit of verbs was reached */
    ccm_view_counts statuses;    /* by code */
    ccm_view_counts hints;       /* nDPI guesses, by flows */
    ccm_view_counts icmp_errors; /* "3/1" = type/code */
    struct {
        /* Bits per second of both directions together, on the wire. mean: bytes over
         * last_seen - first_seen (at least one interval); peak: busiest bucket; p95: nearest-rank
         * 95th percentile of the buckets that carried something. interval_s 0: packets had no
         * time, so neither these are known nor the timeline and what follows it. */
        uint64_t mean_bps, p95_bps, peak_bps;
        unsigned interval_s;
    } rate;
    ccm_view_timeline timeline;
    ccm_view_busy busiest[CCM_VIEW_BUSIEST]; /* minutes, the busiest first, then the earliest */
    struct {
        /* While anything was on the wire; all 0 when the timeline is coarser than a second. */
        uint64_t seconds, connection_seconds, connections_peak, bps;
    } active;
    const ccm_view_auth *auth; /* by stage, mode, kind of account, account */
    unsigned n_auth;
    const ccm_view_throttle *throttle;  /* by bytes, falling: the first stands for the row */
    unsigned n_throttle, throttle_left; /* those beyond CCM_VIEW_SOURCES are left out */
    ccm_view_tls tls;
} ccm_view_route;

typedef struct ccm_view_client {
    const char *client_id;    /* as sent, one row per id */
    ccm_addr addr;            /* lowest address that used it */
    unsigned addresses;       /* how many addresses used it; 5 = five or more */
    ccm_view_names names;     /* of the address */
    ccm_view_counts messages; /* requests by verb */
    uint64_t total;
    ccm_view_counts kinds; /* messages by kind, in plain words */
    struct {
        uint64_t verified, failed, no_key, unverifiable, replayed;
        uint64_t key_changed; /* of those verified */
    } signature;
    bool has_skew;       /* the two below are valid */
    int64_t skew_s;      /* the client's clock less the capture's: the difference nearest to zero */
    bool skew_uncertain; /* times disagree by more than a minute */
} ccm_view_client;

typedef struct ccm_view_message {
    uint64_t time_ns, frame;
    ccm_endpoint client, server;
    const char *client_id, *endpoint, *message_id, *reply; /* NULL = not seen */
    const char *kind;
    const char *transport, *message;    /* modes */
    const char *signature;              /* "verified", "failed", ...; NULL = none checked */
    const char *account_kind, *account; /* of the transport; NULL = not known */
    uint64_t size;                      /* bytes on the wire */
    unsigned status;                    /* of the answer; 0 = none seen */
    bool key_changed;                   /* verified with another key than the client's first */
    bool id_alone;                      /* nothing but the client id is signed */
    bool foreign_reply;                 /* the answer names another message as the one it answers */
} ccm_view_message;

typedef struct ccm_view_upload {
    const char *id; /* BITS-Session-Id */
    ccm_addr client, server;
    const char *client_id; /* NULL = not seen */
    const char *target;    /* path without a query */
    const char *name;      /* Content-Name; NULL = not seen */
    uint64_t bytes;        /* highest offset acknowledged, else request body bytes seen */
    uint64_t total_bytes;  /* size announced by Content-Range; 0 = not seen */
    uint64_t fragments;
    bool complete;     /* closed, and every byte acknowledged */
    bool closed;       /* Close-Session was acknowledged */
    bool acknowledged; /* every byte was */
    bool cancelled;
    bool refused;     /* its Create-Session or Close-Session was, and no other one taken */
    const char *host; /* BITS-Host-Id: where the session goes on; NULL = where it began */
    bool moved;       /* and it was seen to go on at another address: */
    ccm_addr moved_to;
    const char *retried_as; /* the next session of this client and target; NULL = none */
    ccm_view_names errors;  /* BITS-Error-Code values, with their context, and failure statuses
                               ("status 404") */
    uint64_t first_seen_ns, last_seen_ns;
} ccm_view_upload;

typedef struct ccm_view_smb_session {
    const char *mechanism;    /* as auth[].mode */
    const char *account_kind; /* NULL = not known */
    const char *account;      /* DOMAIN\\name or name@REALM; NULL = not known */
    const char *dialect;      /* NULL = not seen */
    const char *status;       /* name of the failure; NULL = none */
    bool is_signed, encrypted, answered;
    uint64_t count, first_frame;
} ccm_view_smb_session;

typedef struct ccm_view_smb_share {
    const char *share;  /* "" = its name was not seen */
    const char *mark;   /* of the catalogue; NULL = none */
    const char *title;  /* for people; NULL with mark */
    const char *status; /* name of the failure; NULL = none */
    bool encrypted;
    uint64_t count, first_frame;
} ccm_view_smb_share;

/* Handles of one path that came to the same. */
typedef struct ccm_view_smb_file {
    const char *path;      /* with its share; "" = not seen */
    const char *direction; /* write, read, both, none */
    uint64_t written, was_read, missing;
    bool at_least;              /* messages were lost that may have carried more */
    uint64_t handles, complete; /* complete: handles whose opening and closing were seen */
    bool deleted;               /* when it was closed */
    uint64_t discarded;         /* of `written`, bytes that a deletion made useless */
    const char *renamed_to;     /* NULL = not */
    const char *status;         /* why it was not opened; NULL = it was */
    uint64_t first_frame, first_seen_ns, last_seen_ns;
} ccm_view_smb_file;

typedef struct ccm_view_smb {
    ccm_addr client, server;
    uint16_t port;
    uint64_t connections;                 /* that are over */
    uint64_t negotiations;                /* that were seen; 0: the next three are not known */
    bool large_mtu;                       /* of any connection */
    uint64_t max_read, max_write;         /* largest READ and WRITE allowed, bytes */
    uint64_t credit_charge, credits;      /* most of one message; 0 = none seen */
    uint64_t bytes[2], encrypted[2];      /* of files; of encrypted messages */
    uint64_t missing;                     /* file bytes that the capture lacks */
    const ccm_view_smb_session *sessions; /* by account */
    unsigned n_sessions;
    const ccm_view_smb_share *shares; /* by name */
    unsigned n_shares;
    const ccm_view_smb_file *files; /* by path */
    unsigned n_files;
} ccm_view_smb;

/* A package or another content, as the targets of requests name it. */
typedef struct ccm_view_content {
    const char *id;
    uint64_t bytes, requests; /* bodies of answers */
    unsigned n_clients;
    ccm_view_counts routes, servers; /* bytes */
    uint64_t first_seen_ns, last_seen_ns;
} ccm_view_content;

/* A name that could not be resolved, or a service. Clients are counted. */
typedef struct ccm_view_lookup {
    const char *name;
    uint16_t type; /* of DNS: 1 A, 28 AAAA, 33 SRV */
    uint64_t clients, queries, answered, empty, nxdomain, servfail, other;
    bool failed;
    uint64_t first_frame, first_seen_ns, last_seen_ns; /* first_frame 0 = not known */
} ccm_view_lookup;

typedef struct ccm_view {
    bool per_client;
    uint64_t link_bps; /* 0 = not supplied */
    bool ended;        /* the `capture` observation was seen */
    ccm_view_capture capture;
    const ccm_view_host *hosts; /* by address (IPv4 first); hosts without a role or name included */
    unsigned n_hosts;
    /* By route (unknown/unknown last), protocol, port, l4, destination, source, row of the
     * catalogue. The sums of packets and wire_bytes over all rows equal the capture's. */
    const ccm_view_route *routes;
    unsigned n_routes;
    const ccm_view_client *clients; /* by client_id */
    unsigned n_clients;
    const ccm_view_upload *uploads; /* by first_seen, id, client, server */
    unsigned n_uploads;
    const ccm_view_smb *smb; /* by server, port, client */
    unsigned n_smb;
    const ccm_view_content *contents; /* by bytes, falling, then id */
    unsigned n_contents;
    const ccm_view_certificate *certificates; /* by subject, fingerprint */
    unsigned n_certificates;
    const ccm_view_lookup *lookups; /* by name, type */
    unsigned n_lookups;
    bool has_messages;                /* they were asked for */
    const ccm_view_message *messages; /* by time, frame, client, server, message id */
    unsigned n_messages;
} ccm_view;

/* Concludes. `per_client`: a row per source address, destination address and destination port. */
ccm_view *ccm_view_new(const ccm_model *model, bool per_client);
void ccm_view_free(ccm_view *view);

#endif
