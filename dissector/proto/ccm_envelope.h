/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccm_envelope.h - the <Msg> header of a Configuration Manager message. */
#ifndef CCM_PROTO_CCM_ENVELOPE_H
#define CCM_PROTO_CCM_ENVELOPE_H

#include "proto/xml.h"

/* Spans point into the XML text, or into `room` when they had entities. */
typedef struct ccm_envelope {
    ccm_span id, correlation_id, source_id, source_host, endpoint, target_address, target_host,
        reply_to, reply_mode, payload_type, sent_time;
    /* the clientauth hook */
    ccm_span sender_machine, public_key, id_signature, payload_signature, algorithm, token;
    ccm_span reply_signature; /* of a management point, in its reply */
    ccm_span body; /* attributes of Body, not read */
    unsigned attachments;
    bool client_auth, encrypted, zlib, legacy_compress;
    bool cut;      /* its end is missing */
    ccm_xml_room room;
} ccm_envelope;

/* Reads the header from UTF-8 text. False: its root is not Msg. */
bool ccm_envelope_parse(ccm_envelope *e, ccm_span text);
/* The line "NAME: value" of a text of header lines, as in the Token property; `lower` is the name
 * in lower case. */
ccm_span ccm_envelope_line(ccm_span lines, const char *lower);

#endif
