/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls_record.h - where the records of TLS begin. */
#ifndef CCM_PROTO_TLS_RECORD_H
#define CCM_PROTO_TLS_RECORD_H

#include "proto/proto.h"

enum {
    CCM_TLS_CHANGE_CIPHER = 20,
    CCM_TLS_ALERT = 21,
    CCM_TLS_HANDSHAKE = 22,
    CCM_TLS_APPLICATION = 23,
    CCM_TLS_HEARTBEAT = 24,
    CCM_TLS_HEADER = 5,
    CCM_TLS_FRAGMENT_MAX = 16384 + 2048, /* RFC 5246 section 6.2.3 */
};

typedef struct ccm_tls_record {
    uint8_t type;
    uint16_t size; /* of what follows the header */
} ccm_tls_record;

/* Reads the header at the front of `in`. NO: there is none; MAYBE: more bytes are needed. */
ccm_probe ccm_tls_header(ccm_span in, ccm_tls_record *out);
/* First bytes of a connection: a hello or an alert. */
ccm_probe ccm_tls_shape(ccm_span in);
/* The same for a ClientHello in the form of SSL 2, RFC 5246 appendix E.2; *size: of all of it. */
ccm_probe ccm_tls_shape_v2(ccm_span in, size_t *size);
/* The first place where a run of records seems to begin, or SIZE_MAX; then *keep = how many bytes
 * at the end may be the beginning of one. `start`: in.p[0] is where a segment begins. */
size_t ccm_tls_seek(ccm_span in, bool start, size_t *keep);
/* Do these bytes of a handshake record look like messages in clear? */
bool ccm_tls_plain_handshake(ccm_span fragment);

#endif
