/* SPDX-License-Identifier: GPL-2.0-or-later
 * exchange_tls.h - a TLS handshake as a part of a record of exchanges.
 *
 * In: what is known of a handshake. Out: the same in words. State: none. */
#ifndef CCM_MODEL_EXCHANGE_TLS_H
#define CCM_MODEL_EXCHANGE_TLS_H

#include "model/exchange.h"
#include "model/tls.h"

/* Texts are those of `texts`, of which `f` has the numbers. */
ccm_exchange_tls ccm_exchange_tls_of(const ccm_texts *texts, const ccm_tls_facts *f);

#endif
