/* SPDX-License-Identifier: GPL-2.0-or-later
 * proto.h - what a protocol parser is: bytes in, observations out. A parser knows neither packets,
 * flows nor input, so it runs unchanged in unit tests and fuzzers. One file per protocol, one line
 * in registry.c. */
#ifndef CCM_PROTO_PROTO_H
#define CCM_PROTO_PROTO_H

#include "base/pool.h"
#include "observe/obs.h"
#include "proto/decryptor.h"
#include "proto/verifier.h"
#include "proto/viewer.h"

/* How much of a Configuration Manager message is read. */
typedef enum ccm_depth {
    CCM_DEPTH_HEADER, /* the elements of the header that a verdict needs; of a reply nothing, unless
                         it is empty, which is how a management point rejects */
    CCM_DEPTH_FULL,   /* header, body, signatures */
} ccm_depth;

/* Context of a call: filled by the flow layer, valid during the call. `dir` indexes end[]: it is
 * the side that sent the bytes. Which side is the client is the parser's to say. */
typedef struct ccm_parse {
    const ccm_limits *limits;
    ccm_obs_fn emit;
    void *emit_data;
    void *state; /* what open() returned */
    uint64_t flow;
    ccm_memo *memo; /* of the flow, for observations */
    ccm_endpoint end[2];
    uint8_t l4;
    uint8_t dir;
    bool midstream;   /* the flow began before the capture, or has lost bytes */
    bool one_sided;   /* of the other direction nothing was captured so far */
    uint64_t time_ns; /* of the segment whose bytes are newest in this call */
    uint64_t frame;
    size_t boundary;       /* offset in `in` where a TCP segment begins; SIZE_MAX: not known */
    uint64_t pos;          /* stream offset of in.p[0] in this direction */
    uint64_t peer_acked;   /* stream offset of the other direction that this segment acknowledges */
    unsigned *decoders;    /* bodies being decoded in all flows together */
    unsigned *smb_entries; /* requests, handles, shares and sessions open in all SMB connections
                              together; may be NULL */
    unsigned *early; /* responses that wait for their requests in all flows together; may be NULL */
    size_t *gathered; /* memory of messages being gathered in all flows together; may be NULL */
    void **spare;     /* memory of a gathered message, for the next one: freed by the caller with
                         g_free at the end; may be NULL */
    ccm_pool *http;   /* states of HTTP conversations, for the next one; may be NULL */
    ccm_depth depth;
    const ccm_verifier *verifier;   /* NULL: signatures cannot be checked here */
    const ccm_decryptor *decryptor; /* NULL: records of TLS stay closed */
    const ccm_viewer *viewer;       /* NULL: nobody reads the texts of messages */
    /* Of a stream inside another protocol (inner.h); zeros outside. */
    bool decrypted;     /* TLS protected the bytes */
    uint8_t nesting;    /* streams around this one */
    ccm_span through;   /* authority that the CONNECT named whose tunnel this is */
    uint64_t exchanges; /* at open(): numbers of exchanges used in this flow before; close() sets
                           what is used now */
    int8_t client;      /* out: set to 0 or 1 when the parser knows which side is the client; -1 */
} ccm_parse;

typedef enum ccm_feed_result {
    CCM_FEED_OK,   /* `used` bytes consumed; call again with the rest once more bytes have come */
    CCM_FEED_DONE, /* this parser wants no more of the flow */
    CCM_FEED_BAD,  /* not this protocol after all; `why` is a static reason */
} ccm_feed_result;

typedef struct ccm_feed {
    ccm_feed_result result;
    size_t used;
    uint64_t skip; /* after `used`, so many bytes need not be shown (UINT64_MAX = until the end);
                      skipped() is called when they have passed */
    const char *why;
} ccm_feed;

typedef enum ccm_probe { CCM_PROBE_NO, CCM_PROBE_MAYBE, CCM_PROBE_YES } ccm_probe;

typedef struct ccm_proto {
    const char *name;
    uint8_t l4;         /* 6 TCP, 17 UDP */
    uint16_t not_on[2]; /* ports of protocols that look alike; 0 = none */
    /* First bytes of a segment of an unclaimed flow: is it ours? MAYBE = show more bytes. With
     * `midstream` the beginning of a message may lie anywhere in `in`. */
    ccm_probe (*probe)(ccm_span in, bool midstream);
    /* How many last bytes of what the probe refused, in the middle of a flow, are to be shown to it
     * again with what follows. NULL: none. */
    size_t (*tail)(ccm_span in);
    void *(*open)(ccm_parse *ps);
    /* TCP: bytes in order, unused ones are shown again with what follows. UDP: one datagram. */
    ccm_feed (*feed)(ccm_parse *ps, ccm_span in);
    /* `n` bytes that were to be skipped have passed, `missing` of them not in the capture. Called
     * when the whole skip has passed, and with what has passed before gap(), end() or close(). */
    void (*skipped)(ccm_parse *ps, uint64_t n, uint64_t missing);
    /* `n` bytes are lost from this direction, outside a skip; what was kept unused is shown as
     * `tail` for the last time. `n` is 0 when nothing is lost but the kept bytes are over: they
     * grew beyond limits->head_bytes, or the flow ends without a FIN. CCM_GAP_UNKNOWN: bytes are
     * lost, and nobody can tell how many (records of TLS). */
    void (*gap)(ccm_parse *ps, uint64_t n, ccm_span tail);
    /* This direction ended (FIN); unused bytes as `tail`. */
    void (*end)(ccm_parse *ps, ccm_span tail);
    /* The flow is over; emit what is open and free the state. */
    void (*close)(ccm_parse *ps);
} ccm_proto;

/* NULL-terminated list of all parsers. */
extern const ccm_proto *const ccm_protos[];
extern const ccm_proto ccm_proto_http;
extern const ccm_proto ccm_proto_http2;
extern const ccm_proto ccm_proto_kerberos_tcp;
extern const ccm_proto ccm_proto_kerberos_udp;
extern const ccm_proto ccm_proto_smb;
extern const ccm_proto ccm_proto_tls;
extern const ccm_proto ccm_proto_dns_tcp;
extern const ccm_proto ccm_proto_dns_udp;

/* How many last bytes of `view`, which all parsers refused, one of them wants to see again. */
static inline size_t ccm_protos_tail(uint8_t l4, ccm_span view)
{
    size_t most = 0;

    for (unsigned i = 0; ccm_protos[i]; i++)
        if (ccm_protos[i]->tail && ccm_protos[i]->l4 == l4)
            most = MAX(most, ccm_protos[i]->tail(view));
    return most;
}

/* Begins an observation at the current segment, sent by side `from`. */
static inline void ccm_obs_at(const ccm_parse *ps, ccm_obs *o, ccm_obs_kind kind, unsigned from)
{
    o->kind = kind;
    o->l4 = ps->l4;
    ccm_obs_clear(o);
    o->time_ns = ps->time_ns;
    o->frame = ps->frame;
    o->flow = ps->flow;
    o->memo = ps->memo;
    o->src = ps->end[from];
    o->dst = ps->end[!from];
    if (ps->nesting) {
        ccm_obs_flag(o, CCM_KEY_decrypted, ps->decrypted);
        ccm_obs_str(o, CCM_KEY_through, ps->through);
    }
}

/* redact.c: tells `emit` the observation, each token and signature in its texts replaced by "...".
 * Whatever field of a protocol they came in, they get no further. */
void ccm_redact_emit(const ccm_obs *o, ccm_obs_fn emit, void *user_data);

#endif
