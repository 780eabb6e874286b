/* SPDX-License-Identifier: GPL-2.0-or-later
 * naming.h - what a request asks for, in plain words, and which content it is about. */
#ifndef CCM_MODEL_NAMING_H
#define CCM_MODEL_NAMING_H

#include "model/catalog.h"

enum { CCM_NAMING_WORDS = 192 };

/* Spans point into the target. */
typedef struct ccm_content_name {
    const char *kind; /* "package", "content" (application), "update", "signature"; NULL = none */
    ccm_span id;      /* ABC00012, Content_GUID, GUID; of a signature that of its content */
    ccm_span version; /* behind the id, or empty */
    ccm_span file;    /* below the id, as sent; empty for the folder itself */
} ccm_content_name;

/* The content that a target below a distribution point's or peer's directory names. */
bool ccm_content_name_of(ccm_span target, ccm_content_name *out);

/* Writes a few plain words on the request into `words` (CCM_NAMING_WORDS bytes): its lookup query,
 * policy, document, content, SOAP action or notification step, else the title of the mark that fits
 * it, else "". `soap_action` and `hit` may be empty and NULL. */
const char *ccm_naming_of(const ccm_catalog *catalog, const ccm_request *request,
                          const ccm_match *hit, ccm_span soap_action, char *words);

#endif
