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

enum { CCM_PACKAGE_ID = 8 };

/* The package whose file is written: of a path in a share, ...-ABC00012.1.temp or ABC00012. */
bool ccm_package_of_path(ccm_span path, char id[CCM_PACKAGE_ID + 1]);

/* Writes a few plain words on the request into `words` (CCM_NAMING_WORDS bytes): its lookup query,
 * policy, document, content, SOAP action or notification step, else the title of the mark that fits
 * it, else "". `soap_action` and `hit` may be empty and NULL. */
const char *ccm_naming_of(const ccm_catalog *catalog, const ccm_request *request,
                          const ccm_match *hit, ccm_span soap_action, char *words);

#endif
