/* SPDX-License-Identifier: GPL-2.0-or-later
 * json_flat.h - the members of one JSON object, without its nested values. For untrusted bytes;
 * nothing is allocated. */
#ifndef CCM_PROTO_JSON_FLAT_H
#define CCM_PROTO_JSON_FLAT_H

#include "base/cursor.h"

typedef enum ccm_json_type {
    CCM_JSON_STRING,
    CCM_JSON_NUMBER,
    CCM_JSON_OTHER, /* true, false, null, an object; an array that does not begin with a string */
} ccm_json_type;

/* Begin with ccm_json_of. */
typedef struct ccm_json {
    const uint8_t *p, *end;
    bool begun, done;
    bool bad; /* it is damaged, or ended early */
} ccm_json;

typedef struct ccm_json_member {
    ccm_span name;  /* as written: with its escapes, without quotes */
    ccm_span value; /* the same; of an array of strings the first */
    ccm_json_type type;
    bool escaped; /* `value` has escapes */
} ccm_json_member;

static inline ccm_json ccm_json_of(ccm_span text)
{
    return text.n ? (ccm_json){ .p = text.p, .end = text.p + text.n } : (ccm_json){ 0 };
}

/* The next member; false at the end or at damage. */
bool ccm_json_next(ccm_json *j, ccm_json_member *m);
/* Replaces escapes; returns the bytes written. */
size_t ccm_json_unescape(ccm_span in, uint8_t *out, size_t room);

#endif
