/* SPDX-License-Identifier: GPL-2.0-or-later
 * exchange_texts.h - which attributes of observations an exchange keeps as texts.
 *
 * In: a kind of observation and an attribute. Out: the text that it becomes. State: none. */
#ifndef CCM_MODEL_EXCHANGE_TEXTS_H
#define CCM_MODEL_EXCHANGE_TEXTS_H

#include "observe/obs.h"

typedef enum text_id {
    T_METHOD,
    T_TARGET,
    T_HOST,
    T_CONTENT_TYPE,
    T_RANGE,
    T_CONTENT_RANGE,
    T_USER_AGENT,
    T_CLIENT_ID,
    T_CLIENT_TIME,
    T_SIGNATURE,
    T_TOKEN_KIND,
    T_CHALLENGE,
    T_BITS_PACKET,
    T_BITS_SESSION,
    T_BITS_REPLY,
    T_BITS_ERROR,
    T_CONTENT_NAME,
    T_BITS_HOST,
    T_SERVER,
    T_RESPONSE_TYPE,
    T_LOCATION,
    T_RESPONSE_RANGE,
    T_PAIRING,
    T_SOAP_ACTION,
    T_ABOUT,
    T_MESSAGE_ID,
    T_ENDPOINT,
    T_MESSAGE_KIND,
    T_ENDPOINT_WORDS,
    T_DETAIL,
    T_SOURCE_ID,
    T_SOURCE_HOST,
    T_SENT_TIME,
    T_CORRELATION_ID,
    T_REPLY_TO,
    T_REPLY_KIND,
    T_REPLY_DETAIL,
    T_ASSIGNED,
    T_BITS_CONTEXT,
    T_WORKSTATION,
    T_PROXY_WORKSTATION,
    T_TEXTS
} text_id;

/* T_TEXTS: none. `reply`: the observation is about an answer. */
text_id ccm_exchange_text(ccm_obs_kind kind, bool reply, ccm_key key);
/* Is it one that an exchange keeps under its own name, of a message's header or its answer's? */
bool ccm_exchange_header(ccm_obs_kind kind, bool reply, ccm_key key);

#endif
