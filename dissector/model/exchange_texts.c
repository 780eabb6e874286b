/* SPDX-License-Identifier: GPL-2.0-or-later
 * exchange_texts.c - which attributes of observations an exchange keeps as texts.
 * In: a kind of observation and an attribute. Out: the text that it becomes. State: none. */
#include "model/exchange_texts.h"

static text_id request_text(ccm_key k)
{
    switch (k) {
    case CCM_KEY_method:
        return T_METHOD;
    case CCM_KEY_target:
        return T_TARGET;
    case CCM_KEY_host:
        return T_HOST;
    case CCM_KEY_content_type:
        return T_CONTENT_TYPE;
    case CCM_KEY_range:
        return T_RANGE;
    case CCM_KEY_content_range:
        return T_CONTENT_RANGE;
    case CCM_KEY_user_agent:
        return T_USER_AGENT;
    case CCM_KEY_client_id:
        return T_CLIENT_ID;
    case CCM_KEY_client_time:
        return T_CLIENT_TIME;
    case CCM_KEY_signature:
        return T_SIGNATURE;
    case CCM_KEY_token_kind:
        return T_TOKEN_KIND;
    case CCM_KEY_bits_packet:
        return T_BITS_PACKET;
    case CCM_KEY_bits_session:
        return T_BITS_SESSION;
    case CCM_KEY_content_name:
        return T_CONTENT_NAME;
    case CCM_KEY_soap_action:
        return T_SOAP_ACTION;
    default:
        return T_TEXTS;
    }
}

static text_id response_text(ccm_key k)
{
    switch (k) {
    case CCM_KEY_server:
        return T_SERVER;
    case CCM_KEY_content_type:
        return T_RESPONSE_TYPE;
    case CCM_KEY_content_range:
        return T_RESPONSE_RANGE;
    case CCM_KEY_location:
        return T_LOCATION;
    case CCM_KEY_auth_scheme:
        return T_CHALLENGE;
    case CCM_KEY_bits_packet:
        return T_BITS_REPLY;
    case CCM_KEY_bits_session:
        return T_BITS_SESSION;
    case CCM_KEY_bits_error:
        return T_BITS_ERROR;
    case CCM_KEY_bits_host:
        return T_BITS_HOST;
    case CCM_KEY_bits_context:
        return T_BITS_CONTEXT;
    default:
        return T_TEXTS;
    }
}

static text_id message_text(ccm_key k)
{
    switch (k) {
    case CCM_KEY_message_id:
        return T_MESSAGE_ID;
    case CCM_KEY_endpoint:
        return T_ENDPOINT;
    case CCM_KEY_kind:
        return T_MESSAGE_KIND;
    case CCM_KEY_detail:
        return T_DETAIL;
    case CCM_KEY_source_id:
        return T_SOURCE_ID;
    case CCM_KEY_source_host:
        return T_SOURCE_HOST;
    case CCM_KEY_sent_time:
        return T_SENT_TIME;
    case CCM_KEY_correlation_id:
        return T_CORRELATION_ID;
    case CCM_KEY_reply_to:
        return T_REPLY_TO;
    default:
        return T_TEXTS;
    }
}

static text_id reply_text(ccm_key k)
{
    switch (k) {
    case CCM_KEY_kind:
        return T_REPLY_KIND;
    case CCM_KEY_detail:
        return T_REPLY_DETAIL;
    case CCM_KEY_smsid:
        return T_ASSIGNED;
    default:
        return T_TEXTS;
    }
}

bool ccm_exchange_header(ccm_obs_kind kind, bool reply, ccm_key key)
{
    switch (key) {
    case CCM_KEY_exchange:
    case CCM_KEY_reply:
    case CCM_KEY_decrypted:
    case CCM_KEY_through:
        return false;
    case CCM_KEY_message_id: /* of a header it is that of its message */
        return reply && kind == CCM_OBS_ccm_message;
    case CCM_KEY_signed: /* of a request they have places of their own */
    case CCM_KEY_compressed:
    case CCM_KEY_encrypted:
    case CCM_KEY_incomplete:
        return reply;
    default:
        return kind == CCM_OBS_ccm_message_header || reply || message_text(key) == T_TEXTS;
    }
}

text_id ccm_exchange_text(ccm_obs_kind kind, bool reply, ccm_key key)
{
    switch (kind) {
    case CCM_OBS_http_request:
        return request_text(key);
    case CCM_OBS_http_response:
        return response_text(key);
    case CCM_OBS_ccm_message:
    case CCM_OBS_ccm_body:
        return reply ? reply_text(key) : message_text(key);
    default:
        return T_TEXTS;
    }
}
