/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccmscope.h - the public interface of libccmscope: what Configuration Manager does on a network.
 *
 * Data moves one way: an engine reads packets and emits observations (facts at a frame); a model
 * folds observations into hosts, roles and routes; a report is a pure function of the model.
 *
 * The library installs no signal handler, never exits, never writes to stdout or stderr and keeps no
 * global state. Any number of engines may live in a process, each used by one thread at a time. */
#ifndef CCMSCOPE_H
#define CCMSCOPE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

G_BEGIN_DECLS

#define CCM_API __attribute__((visibility("default")))

/* Version of the library, "MAJOR.MINOR.PATCH". */
CCM_API const char *ccm_version(void);

/* ---- errors ---------------------------------------------------------------------------------- */

/* Every GError of this library is in this domain; codes equal the program's exit codes. */
#define CCM_ERROR (ccm_error_quark())
CCM_API GQuark ccm_error_quark(void);

typedef enum ccm_error_code {
    CCM_ERROR_USAGE = 2,   /* an option, a filter or a configuration file is wrong */
    CCM_ERROR_INPUT = 3,   /* the input is missing or is not a capture */
    CCM_ERROR_CORRUPT = 4, /* the input ended early or is damaged; what came before was used */
    CCM_ERROR_CAPTURE = 5, /* a live capture was refused: permission, interface */
    CCM_ERROR_OUTPUT = 6,  /* output could not be written */
} ccm_error_code;

/* ---- limits ---------------------------------------------------------------------------------- */

/* Every bound in one place. At a bound the coldest entry goes (or detail is dropped), a counter
 * rises, and the report names the bound in capture.limits_hit. */
typedef struct ccm_limits {
    unsigned flows;             /* live flows in the table */
    unsigned segments;          /* waiting out-of-order segments of one direction */
    unsigned stream_bytes;      /* waiting bytes of one direction */
    unsigned pending_bytes;     /* waiting bytes of all directions together */
    unsigned head_bytes;        /* an HTTP head, or another message kept for its end */
    unsigned requests;          /* of one HTTP/1 connection that wait for their responses */
    unsigned inflate_bytes;     /* decompressed bytes of one body */
    unsigned message_bytes;     /* a Configuration Manager message kept to be decoded */
    unsigned handshake_bytes;   /* a TLS handshake message */
    unsigned certificates;      /* read of one chain */
    unsigned fragments;         /* IP datagrams being reassembled */
    unsigned edges;             /* distinct client, server, port and route in the model */
    unsigned hosts;             /* distinct addresses in the model */
    unsigned host_names;        /* names kept of one host */
    unsigned client_ids;        /* distinct client ids in the model */
    unsigned buckets;           /* timeline points kept of all routes together */
    unsigned bursts;            /* classes of bursts and silences kept of all routes together */
    unsigned methods;           /* distinct request methods kept of one route */
    unsigned accounts;          /* accounts kept of one route */
    unsigned tls_secrets;       /* secrets of TLS connections, given and learned */
    unsigned messages;          /* messages kept one by one; 0 = none, as by default */
    unsigned smb_entries;       /* open requests, handles, shares and sessions of SMB together */
} ccm_limits;

CCM_API void ccm_limits_init(ccm_limits *limits);

/* ---- catalogue ------------------------------------------------------------------------------- */

/* Immutable knowledge: roles, routes, URL marks, ports. Reference-counted, shareable by threads. */
typedef struct ccm_catalog ccm_catalog;

/* The built-in catalogue, or the .ini files of `directory` when it is not NULL. */
CCM_API ccm_catalog *ccm_catalog_load(const char *directory, GError **error);
CCM_API ccm_catalog *ccm_catalog_ref(ccm_catalog *catalog);
CCM_API void ccm_catalog_unref(ccm_catalog *catalog);

/* ---- observations ---------------------------------------------------------------------------- */

/* A fact at a frame; borrowed, valid during the call that passes it. See docs/observations.md. */
typedef struct ccm_obs ccm_obs;
typedef void (*ccm_obs_fn)(void *user_data, const ccm_obs *obs);

/* Appends the observation as one JSON object, without a line end. */
CCM_API void ccm_obs_to_json(const ccm_obs *obs, GString *out);
/* First line of an observation file, without a line end. */
CCM_API const char *ccm_obs_file_header(void);

/* ---- engine ---------------------------------------------------------------------------------- */

typedef struct ccm_engine ccm_engine;
typedef struct ccm_model ccm_model;

typedef struct ccm_engine_options {
    const char *bpf;        /* capture filter expression, or NULL */
    uint64_t max_packets;   /* stop after this many packets; 0 = no bound */
    bool no_classify;       /* do not show unclaimed flows to nDPI */
    bool messages;          /* decode messages whole; else what verdicts need of their headers */
    bool no_verify;         /* with `messages`: do not check signatures */
    ccm_model *model;       /* takes every observation before `fn` does; NULL = none */
    const volatile int *stop; /* when it becomes non-zero the engine stops cleanly; may be NULL */
    void (*progress)(void *user_data, uint64_t bytes_read, uint64_t bytes_total, uint64_t packets);
    void (*note)(void *user_data, const char *text); /* what could not be used of the input, or a
                               filter that matched nothing; most are in the report, too; may be NULL */
    void *note_data;
    void *progress_data;    /* `progress` is called about ten times a second, of a live capture about
                               five times, also without packets; bytes_total 0 = unknown */
} ccm_engine_options;

/* Where an engine's observations go: `fn`, if there is one, is called for each, in order. */
CCM_API ccm_engine *ccm_engine_new(const ccm_limits *limits, const ccm_engine_options *options,
                                   ccm_obs_fn fn, void *user_data);
CCM_API void ccm_engine_free(ccm_engine *engine);

/* A public key or certificate (PEM, DER, or a PUBLICKEYBLOB in hexadecimal) that may have signed
 * messages, or a server's private RSA key (PEM, without password), which opens TLS connections with
 * RSA key exchange. CCM_ERROR_USAGE with a message when it cannot be used. */
CCM_API bool ccm_engine_add_key(ccm_engine *engine, const char *path, GError **error);
/* Secrets of TLS connections, as clients write them to the file that SSLKEYLOGFILE names (NSS Key
 * Log Format). Lines that are none are counted. CCM_ERROR_USAGE when the file cannot be read or
 * holds no secret at all. */
CCM_API bool ccm_engine_add_keylog(ccm_engine *engine, const char *path, GError **error);
/* What is known of the site, from a key file: [client-keys] GUID:... = path of a key. */
CCM_API bool ccm_engine_add_site(ccm_engine *engine, const char *path, GError **error);

/* Reads capture files, directories of them, observation files or "-" (stdin), as one capture point
 * in time order. Returns false with CCM_ERROR_USAGE, CCM_ERROR_INPUT or, of compressed data damaged
 * from the beginning, CCM_ERROR_CORRUPT when nothing could be read; true with *warning set
 * (CCM_ERROR_CORRUPT) when an input ended early or was damaged. Call ccm_engine_finish afterwards in
 * both cases. */
CCM_API bool ccm_engine_read(ccm_engine *engine, const char *const *paths, unsigned n_paths,
                             GError **warning, GError **error);
/* Packets of the caller's own; `link_type` is a LINKTYPE_ value of pcap. */
CCM_API void ccm_engine_packet(ccm_engine *engine, uint64_t time_ns, unsigned link_type,
                               const uint8_t *data, unsigned captured, unsigned length);
/* Closes what is open and emits the final `capture` observation. Call once. */
CCM_API void ccm_engine_finish(ccm_engine *engine);

typedef struct ccm_live_options {
    const char *interface;
    const char *user;       /* account to run as once the device is open; NULL = nobody */
    const char *write_path; /* pcapng copy of every packet; "-" = stdout; NULL = none */
    unsigned snaplen;       /* 0 = whole packets */
    bool no_promiscuous;
    uint64_t max_seconds;   /* stop conditions; 0 = none */
    uint64_t max_bytes;     /* of the written file */
} ccm_live_options;

/* Captures until a stop condition or options->stop. */
CCM_API bool ccm_engine_live(ccm_engine *engine, const ccm_live_options *live, GError **error);

/* ---- model ----------------------------------------------------------------------------------- */


CCM_API ccm_model *ccm_model_new(const ccm_catalog *catalog, const ccm_limits *limits);
CCM_API void ccm_model_free(ccm_model *model);
/* What is configured, to compare with and for the time zone, from a key file: [site] time_zone,
 * [dp NAME] limits and schedule. CCM_ERROR_USAGE with a message when a line is wrong. */
CCM_API bool ccm_model_add_site(ccm_model *model, const char *path, GError **error);
/* The rate of the link, for shares of it. */
CCM_API void ccm_model_set_link(ccm_model *model, uint64_t bits_per_second);
/* A ccm_obs_fn; `model` is the user data. */
CCM_API void ccm_model_observe(void *model, const ccm_obs *obs);
/* Adds what `source` knows to `model`; commutative and associative while no limit was hit. */
CCM_API void ccm_model_merge(ccm_model *model, const ccm_model *source);

/* ---- output ---------------------------------------------------------------------------------- */

/* Where output goes. `write` returns false when the bytes could not be written. */
typedef struct ccm_sink {
    bool (*write)(void *user_data, const char *data, size_t size);
    void *user_data;
} ccm_sink;

typedef struct ccm_report_options {
    const char *format;  /* "json", "text", "summary", "routes", "windows", "windows-json" or
                            "windows-csv" */
    bool per_client;     /* a row per source address */
    bool color;
    unsigned width;      /* terminal columns; 0 = 100 */
    bool verbose;        /* evidence of every role and route */
} ccm_report_options;

/* Concludes and writes. CCM_ERROR_USAGE for an unknown format, CCM_ERROR_OUTPUT from the sink. */
CCM_API bool ccm_report_write(ccm_model *model, const ccm_report_options *options,
                              const ccm_sink *sink, GError **error);

/* A line per HTTP exchange, TLS handshake and SMB file, printed while observations pass. `sink`
 * must outlive it. */
typedef struct ccm_exchanges ccm_exchanges;

typedef struct ccm_exchange_options {
    bool json;
    bool color;
    const char *verb;    /* exact, case-insensitive; NULL = any */
    const char *status;  /* "404", "4xx", "none"; NULL = any */
    const char *client;  /* address or address:port; NULL = any */
    const char *server;
    const char *route;   /* "client/mp"; NULL = any */
    bool failed;         /* status >= 400, rejected, or no response */
    unsigned width;      /* terminal columns; 0 = targets are not cut */
    bool verbose;        /* every request in plain words, evidence of every proof */
} ccm_exchange_options;

CCM_API ccm_exchanges *ccm_exchanges_new(const ccm_catalog *catalog, const ccm_limits *limits,
                                         const ccm_exchange_options *options, const ccm_sink *sink,
                                         GError **error);
/* A ccm_obs_fn; `exchanges` is the user data. */
CCM_API void ccm_exchanges_observe(void *exchanges, const ccm_obs *obs);
/* Hands the sink the lines that are done; they wait for about a second of the capture otherwise. */
CCM_API void ccm_exchanges_flush(ccm_exchanges *exchanges);
/* Prints what is still open and frees. False when the sink failed. */
CCM_API bool ccm_exchanges_free(ccm_exchanges *exchanges);

G_END_DECLS

#endif
