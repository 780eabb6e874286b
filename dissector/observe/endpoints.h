/* SPDX-License-Identifier: GPL-2.0-or-later
 * endpoints.h - endpoints of messages in plain words, for parsers and model alike. */
#ifndef CCM_OBSERVE_ENDPOINTS_H
#define CCM_OBSERVE_ENDPOINTS_H

#include "base/base.h"

/* What a message to this endpoint is, by the name alone; NULL: an unknown endpoint. Case does not
 * matter. */
const char *ccm_endpoint_words(ccm_span endpoint);

#endif
