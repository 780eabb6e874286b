/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccm_collect.h - the bytes of one message while they come; shared by the files that make
 * ccm_message.h. */
#ifndef CCM_PROTO_CCM_COLLECT_H
#define CCM_PROTO_CCM_COLLECT_H

#include "proto/ccm_message.h"
#include "proto/multipart.h"

enum { CCM_COLLECT_ROOM = 4096 }; /* at first; nearly every header fits */

struct ccm_collect {
    uint8_t
        *p; /* what was kept of the body: `first`, or memory of its own when that is too small */
    size_t n, room;
    size_t hole;         /* bytes are missing here, when `holed` */
    size_t seek;         /* where the search for a delimiter goes on */
    size_t delimiter[2]; /* the first ones, as far as they are found */
    unsigned *decoders;  /* counted while this one lives; NULL: not counted */
    size_t *gathered;    /* its room is part of this sum; NULL: no such sum */
    void **spare;        /* where it waits for the next message; NULL: nowhere */
    uint8_t depth;
    uint8_t delimiters; /* found so far, at header depth */
    uint8_t n_boundary;
    bool reply;
    bool multipart; /* by its Content-Type */
    bool wants;
    bool lost;                       /* bytes of it are missing */
    bool holed;                      /* what stands behind them was kept, too */
    bool limited;                    /* it grew beyond the bound */
    char boundary[CCM_BOUNDARY_MAX]; /* all up to here is cleared */
    uint8_t first[CCM_COLLECT_ROOM];
};

#endif
