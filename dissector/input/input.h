/* SPDX-License-Identifier: GPL-2.0-or-later
 * input.h - packets in: capture files (own block reader), live capture, decoding down to L4. */
#ifndef CCM_INPUT_INPUT_H
#define CCM_INPUT_INPUT_H

#include "base/base.h"

enum { CCM_BATCH = 64 };

/* A packet as read; `data` points into the reader's buffer until the next ccm_reader_next. */
typedef struct ccm_raw {
    const uint8_t *data;
    uint32_t captured, length; /* captured <= length, also where the file says otherwise */
    uint32_t link_type;        /* LINKTYPE_ of its interface */
    uint64_t time_ns;          /* without one: that of the packet before, or 0 */
} ccm_raw;

typedef struct ccm_reader ccm_reader;

/* What a reader hands on besides packets. Any may be NULL. */
typedef struct ccm_reader_events {
    void (*name)(void *ud, const ccm_addr *address, ccm_span name); /* pcapng NRB */
    void (*secrets)(void *ud, uint32_t type, ccm_span data);        /* pcapng DSB */
    void (*dropped)(void *ud, uint64_t packets); /* pcapng, what was not told before */
    void (*untimed)(void *ud);                   /* the next packet has no time (pcapng SPB) */
    void *ud;
    const volatile int *stop; /* when it becomes non-zero, waiting for a pipe ends with an error */
} ccm_reader_events;

/* `path` "-" is stdin. Recognises pcap, pcapng, gzip and zstd by content. NULL with
 * CCM_ERROR_INPUT and a message that tells what to do (missing, empty, not a capture, .etl), or
 * CCM_ERROR_CORRUPT: compressed data that are damaged from the beginning.
 * *is_observations is set (and NULL returned without error) when the content is an observation
 * file; read it with ccm_lines_open, or use ccm_input_open, which opens once. */
ccm_reader *ccm_reader_open(const char *path, const ccm_reader_events *events,
                            bool *is_observations, GError **error);
/* Up to CCM_BATCH packets; 0 at the end. At damage or an early end *error (CCM_ERROR_CORRUPT) is
 * set after the last good packet was returned. */
unsigned ccm_reader_next(ccm_reader *reader, ccm_raw out[CCM_BATCH], GError **error);
/* Bytes consumed of the file as stored, and its size (0 = unknown), for progress. */
void ccm_reader_position(const ccm_reader *reader, uint64_t *read, uint64_t *size);
void ccm_reader_free(ccm_reader *reader);

/* Reads the lines of a (possibly compressed) text file, for observation files. */
typedef struct ccm_lines ccm_lines;
ccm_lines *ccm_lines_open(const char *path, GError **error);
/* The next line without its end, NULL at the end or with *error. Valid until the next call. */
const char *ccm_lines_next(ccm_lines *lines, size_t *size, GError **error);
void ccm_lines_free(ccm_lines *lines);

/* Opens `path` once and tells by content what it is: exactly one of *reader and *lines is set. This
 * is the way for stdin, which cannot be opened twice. The first line of *lines is
 * ccm_obs_file_header(). */
bool ccm_input_open(const char *path, const ccm_reader_events *events, ccm_reader **reader,
                    ccm_lines **lines, GError **error);

/* The files that `paths` name (directories: their capture files, not recursive, by content), sorted
 * by the time of their first packet (see ccm_merge_time), which is put into *first_ns (g_free).
 * Pipes, devices and a path alone are not opened, so their time is 0; so is that of files without
 * a packet that has one. These come first, as named. "-" must be alone (CCM_ERROR_USAGE). Files of
 * directories that are no capture are left out; those that should be one, by content or name, are
 * added to `skipped` (of GError, as opening it alone gives), and those that could not be opened
 * (G_FILE_ERROR). Returns a NULL-terminated array (g_strfreev); NULL with CCM_ERROR_INPUT,
 * *first_ns unset. */
char **ccm_input_expand(const char *const *paths, unsigned n_paths, uint64_t **first_ns,
                        GPtrArray *skipped, GError **error);

typedef enum ccm_decode_result {
    CCM_DECODED,   /* addresses (and ports for TCP and UDP) are known */
    CCM_NOT_IP,    /* ARP, STP, ...: understood, not IP */
    CCM_UNDECODED, /* unknown link type or broken headers */
    CCM_HELD,      /* a fragment, kept until its datagram is whole */
} ccm_decode_result;

/* A packet decoded to L4. Spans point into the packet, or into the defragmenter until the next call
 * of ccm_decoder_begin_batch. In tunnels the innermost IP packet counts. */
typedef struct ccm_packet {
    uint64_t time_ns, frame;
    ccm_endpoint src, dst;
    uint8_t l4; /* IP protocol; 0 when not IP */
    uint8_t tcp_flags;
    bool fragment;  /* an incomplete datagram's fragment, without ports */
    bool cut;       /* the payload is shorter in the file than on the wire */
    uint16_t ip_id; /* IPv4 identification; 0 for IPv6 */
    uint16_t window;
    uint32_t seq, ack;
    uint32_t packets; /* 1, or the number of fragments of the datagram */
    uint32_t wire_bytes, ip_bytes;
    uint32_t payload_len; /* on the wire */
    ccm_span payload;     /* captured part: n <= payload_len */
    ccm_span ip;          /* from the innermost IP header, captured part, for classifiers */
    uint8_t icmp_type, icmp_code;
} ccm_packet;

/* Holds the fragments that wait. */
typedef struct ccm_decoder ccm_decoder;
ccm_decoder *ccm_decoder_new(const ccm_limits *limits);
void ccm_decoder_free(ccm_decoder *decoder);
void ccm_decoder_begin_batch(ccm_decoder *decoder);
ccm_decode_result ccm_decode(ccm_decoder *decoder, const ccm_raw *raw, uint64_t frame,
                             ccm_packet *out);
/* Fragments that will never be whole (too old at `now_ns`, pushed out, or all with UINT64_MAX): one
 * packet each call with `fragment` set and the sums of the pieces, or the segment of which they are
 * the beginning; false when there is none. */
bool ccm_decoder_expired(ccm_decoder *decoder, uint64_t now_ns, ccm_packet *out);
uint64_t ccm_decoder_evicted(const ccm_decoder *decoder); /* pushed out by limits->fragments */
/* The headers that an ICMP error quotes: source, destination, protocol and ports. */
bool ccm_decode_icmp_quote(const ccm_packet *icmp, ccm_packet *quoted);
/* Why packets of this LINKTYPE_ cannot be decoded, as a clause for a message; NULL when they can.
 */
const char *ccm_link_type_problem(uint32_t link_type);

/* A BPF expression, checked for Ethernet at once and compiled for each link type it meets. */
typedef struct ccm_filter ccm_filter;
ccm_filter *ccm_filter_new(const char *expression, GError **error);
bool ccm_filter_match(ccm_filter *filter, const ccm_raw *raw);
/* False when it could be compiled for no link type met. *unfit: packets of link types that it could
 * not be compiled for; *why (CCM_ERROR_USAGE) is set, also when true, if there are any. */
bool ccm_filter_fits(const ccm_filter *filter, uint64_t *unfit, GError **why);
void ccm_filter_free(ccm_filter *filter);

#endif
