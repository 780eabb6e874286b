/* SPDX-License-Identifier: GPL-2.0-or-later
 * http2_fields.h - header blocks of one direction of an HTTP/2 connection. */
#ifndef CCM_PROTO_HTTP2_FIELDS_H
#define CCM_PROTO_HTTP2_FIELDS_H

#include "proto/http_head.h"

typedef struct ccm_http2_fields ccm_http2_fields;

/* Empty header tables, as at the beginning of a connection. At most `max` bytes of a block's fields
 * are kept. NULL: no memory for it. */
ccm_http2_fields *ccm_http2_fields_new(size_t max);
void ccm_http2_fields_free(ccm_http2_fields *f);
/* The receiver allows a table of `n` bytes. Not inside a block. */
void ccm_http2_fields_table(ccm_http2_fields *f, size_t n);
/* The next bytes of a header block; `last` = it ends with them. False: the tables do not fit the
 * bytes, and no later block can be read. */
bool ccm_http2_fields_feed(ccm_http2_fields *f, ccm_span bytes, bool last);
/* The block that ended, as a head; spans are valid until the next feed. False: it is neither a
 * request nor a response (trailers). Forgets the block's fields. */
bool ccm_http2_fields_head(ccm_http2_fields *f, ccm_http_head *head);

#endif
