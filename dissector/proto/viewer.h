/* SPDX-License-Identifier: GPL-2.0-or-later
 * viewer.h - the optional service that shows people the text of a message. Observations never carry
 * it; the Wireshark plugin brings a viewer, the engine none. */
#ifndef CCM_PROTO_VIEWER_H
#define CCM_PROTO_VIEWER_H

#include "base/base.h"

/* UTF-8 as far as the sender wrote it, with every secret that was in it: the viewer redacts. Spans
 * are borrowed for the call; those that the message does not have are empty. */
typedef struct ccm_viewer {
    void *user_data;
    /* After the ccm_body of the same message. */
    void (*message)(void *user_data, ccm_span header, ccm_span body);
} ccm_viewer;

#endif
