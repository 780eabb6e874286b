/* SPDX-License-Identifier: GPL-2.0-or-later
 * facts.h - what the fields of a frame are filled with: observations and finished exchanges, turned
 * into values when they are told, kept per frame in the scope of the file. */
#ifndef CCM_WIRESHARK_FACTS_H
#define CCM_WIRESHARK_FACTS_H

#include "wireshark/ws-compat.h"

#include "observe/obs.h"

typedef enum ccm_field {
#define FIELD(name, abbrev, title, type, doc) CCM_FIELD_##name,
#include "wireshark/fields.def"
    CCM_FIELDS
} ccm_field;

typedef enum ccm_field_type {
    CCM_FIELD_STRING,
    CCM_FIELD_UINT64,
    CCM_FIELD_BOOLEAN,
    CCM_FIELD_FRAMENUM,
    CCM_FIELD_DOUBLE
} ccm_field_type;

typedef struct ccm_value {
    ccm_field field;
    union {
        const char *s; /* UTF-8 */
        uint64_t u;
        double d;
    };
} ccm_value;

/* Values that belong together: one subtree. */
typedef struct ccm_group {
    struct ccm_group *next;
    const char *title; /* static */
    unsigned n;
    ccm_value value[];
} ccm_group;

ccm_field_type ccm_field_type_of(ccm_field field);

typedef struct ccm_facts ccm_facts;

/* What the first pass learns of one file. `site` and `error` are those of ccm_session_new. */
ccm_facts *ccm_facts_new(const char *site, GError **error);
void ccm_facts_free(ccm_facts *facts); /* before the file's scope is freed; NULL is fine */
/* The frame that is being dissected for the first time. */
void ccm_facts_frame(ccm_facts *facts, packet_info *pinfo, tvbuff_t *tvb);
/* What is told of a frame, in the order in which it became known; NULL = nothing. */
const ccm_group *ccm_facts_of(const ccm_facts *facts, uint32_t frame);
/* Some were dropped: more than the limits allow. */
bool ccm_facts_full(const ccm_facts *facts);

#endif
