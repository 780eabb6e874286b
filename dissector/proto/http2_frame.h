/* SPDX-License-Identifier: GPL-2.0-or-later
 * http2_frame.h - the header of a frame of HTTP/2, and how a connection begins. In: bytes. Out:
 * values. State: none. Spec: RFC 9113 sections 3.4, 4.1 and 6. */
#ifndef CCM_PROTO_HTTP2_FRAME_H
#define CCM_PROTO_HTTP2_FRAME_H

#include "proto/proto.h"

enum {
    CCM_H2_DATA,
    CCM_H2_HEADERS,
    CCM_H2_PRIORITY,
    CCM_H2_RST_STREAM,
    CCM_H2_SETTINGS,
    CCM_H2_PUSH_PROMISE,
    CCM_H2_PING,
    CCM_H2_GOAWAY,
    CCM_H2_WINDOW_UPDATE,
    CCM_H2_CONTINUATION
};
enum {
    CCM_H2_END_STREAM = 1,
    CCM_H2_ACK = 1,
    CCM_H2_END_HEADERS = 4,
    CCM_H2_PADDED = 8,
    CCM_H2_PRIORITY_FIELDS = 0x20
};

enum { CCM_H2_FRAME_HEADER = 9, CCM_H2_PREFACE = 24 };

/* The client's first CCM_H2_PREFACE bytes. */
extern const char ccm_http2_preface[];

typedef struct ccm_http2_frame {
    uint32_t length, stream;
    uint8_t type, flags;
} ccm_http2_frame;

/* Zeros where `in` is too short. */
ccm_http2_frame ccm_http2_frame_of(ccm_span in);
/* May there be such a frame? */
bool ccm_http2_plausible(const ccm_http2_frame *f);
ccm_probe ccm_http2_probe(ccm_span in, bool midstream);

#endif
