/* SPDX-License-Identifier: GPL-2.0-or-later
 * exchange_open.h - an exchange that is being joined: its record, and its texts while they grow. */
#ifndef CCM_MODEL_EXCHANGE_OPEN_H
#define CCM_MODEL_EXCHANGE_OPEN_H

#include "model/auth.h"
#include "model/catalog.h"
#include "model/exchange.h"
#include "model/exchange_texts.h"

typedef struct open_exchange {
    ccm_exchange x; /* texts are set when it is given out */
    ccm_match hit;
    ccm_auth_facts facts;
    uint32_t signature[CCM_EXCHANGE_SIGNATURES][4]; /* field, result, variant, key: like at[] */
    uint32_t token[CCM_EXCHANGE_TOKENS][5]; /* header, category, issuer, audience, subject */
    uint32_t header[CCM_EXCHANGE_HEADER];   /* texts of the message's header: like at[] */
    GString *text;                          /* texts one after the other, each with its NUL */
    uint32_t at[T_TEXTS];                   /* offset + 1 in `text`; 0 = absent */
    uint32_t older, newer;                  /* list by arrival */
} open_exchange;

/* Sets the texts of o->x; they are valid until `text` changes. */
void ccm_open_exchange_show(open_exchange *o);

#endif
