/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccm_kinds.h - what bodies of messages are, in plain words, and which of their fields to show. */
#ifndef CCM_PROTO_CCM_KINDS_H
#define CCM_PROTO_CCM_KINDS_H

#include "proto/xml.h"

typedef enum ccm_root_class {
    CCM_ROOT_PLAIN,
    CCM_ROOT_REPORT,       /* its words depend on what it reports */
    CCM_ROOT_REGISTRATION, /* holds a signature and certificates */
    CCM_ROOT_REGISTERED,   /* answers one */
} ccm_root_class;

typedef struct ccm_root {
    const char *root, *words;
    ccm_root_class class;
} ccm_root;

typedef enum ccm_field_class {
    CCM_FIELD_VALUE, /* its values, each once */
    CCM_FIELD_URL,   /* the same; what stands behind '?' is left out */
    CCM_FIELD_COUNT, /* how many such elements there are */
    CCM_FIELD_FLAG,  /* how many have a bit of `most` set in this attribute */
} ccm_field_class;

/* A field of a body. Only what a row names is ever shown, so that secrets cannot slip through. */
typedef struct ccm_field {
    const char *element, *attribute /* NULL: its text */, *label;
    ccm_field_class class;
    unsigned most;            /* values shown */
    const char *const *names; /* of the values 0, 1, ...; NULL in it = show the number */
    unsigned n_names;
} ccm_field;

enum { CCM_FIELDS_MAX = 12 };

/* NULL: an unknown root. */
const ccm_root *ccm_root_find(ccm_span root);
/* The fields of a root, at most CCM_FIELDS_MAX. */
const ccm_field *ccm_fields_of(ccm_span root, unsigned *n);
/* More exact words, when the attribute of an element has a value; NULL: none. */
const char *ccm_kind_refined(ccm_span root, ccm_span element, ccm_span attrs);
/* What an InventoryActionID asks for; NULL: unknown. */
const char *ccm_action_words(ccm_span id);
/* Topic type of a state message; NULL: unknown. */
const char *ccm_topic_words(uint64_t type);

#endif
