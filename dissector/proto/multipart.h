/* SPDX-License-Identifier: GPL-2.0-or-later
 * multipart.h - the parts of a multipart/mixed body. Pure functions over borrowed bytes. */
#ifndef CCM_PROTO_MULTIPART_H
#define CCM_PROTO_MULTIPART_H

#include "base/cursor.h"

enum { CCM_BOUNDARY_MAX = 70 }; /* RFC 2046 5.1.1 */

typedef struct ccm_multipart {
    ccm_span body;
    ccm_span boundary; /* without its leading "--" */
    size_t at;         /* where the search goes on */
    size_t known;      /* no delimiter begins between `at` and here: the next search's shortcut */
    bool found;        /* a delimiter begins at `at` */
    bool begun;        /* the first delimiter was found: `at` is behind its line */
    bool lf;           /* lines end with LF alone */
    bool closed;       /* the final delimiter was found */
} ccm_multipart;

typedef struct ccm_part {
    ccm_span headers; /* its header lines */
    ccm_span content; /* exactly the bytes between its blank line and the next delimiter */
    bool complete;    /* that delimiter was there */
} ccm_part;

/* The boundary parameter of a Content-Type value; empty: there is none. *multipart = the type is
 * multipart/... at all. */
ccm_span ccm_multipart_boundary(ccm_span content_type, bool *multipart);
/* The boundary that the first line of a body shows, when its head is lost; empty: none. */
ccm_span ccm_multipart_guess(ccm_span body);
/* Offset of the next delimiter line's "--" from `*at` on; SIZE_MAX: not there, and `*at` is where
 * to go on when more bytes have come. */
size_t ccm_multipart_seek(ccm_span body, ccm_span boundary, size_t *at);
/* The next part; false when there is no more. */
bool ccm_multipart_next(ccm_multipart *m, ccm_part *part);

#endif
