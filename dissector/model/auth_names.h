/* SPDX-License-Identifier: GPL-2.0-or-later
 * auth_names.h - the words of authentication: stages, modes, kinds of account, evidence.
 *
 * In: numbers. Out: the stable names of reports. State: none; const tables. */
#ifndef CCM_MODEL_AUTH_NAMES_H
#define CCM_MODEL_AUTH_NAMES_H

#include <stdint.h>

typedef enum ccm_auth_stage {
    CCM_STAGE_TRANSPORT,
    CCM_STAGE_MESSAGE,
    CCM_STAGE_PROXY,
    CCM_STAGE_SESSION, /* SMB */
    CCM_STAGES
} ccm_auth_stage;

typedef enum ccm_auth_mode {
    CCM_AUTH_NONE_OBSERVED,
    CCM_AUTH_ANONYMOUS,
    CCM_AUTH_KERBEROS,
    CCM_AUTH_NTLM,
    CCM_AUTH_BASIC,
    CCM_AUTH_DIGEST,
    CCM_AUTH_ENTRA_TOKEN,
    CCM_AUTH_CCM_TOKEN,
    CCM_AUTH_BULK_TOKEN,
    CCM_AUTH_CONTENT_TOKEN,
    CCM_AUTH_MESSAGE_SIGNATURE,
    CCM_AUTH_GUEST,
    CCM_AUTH_PKI,
    CCM_AUTH_SELF_SIGNED,
    CCM_AUTH_ENCRYPTED_UNKNOWN,
    CCM_AUTH_MODES
} ccm_auth_mode;

typedef enum ccm_account_kind {
    CCM_ACCOUNT_UNKNOWN,
    CCM_ACCOUNT_COMPUTER,
    CCM_ACCOUNT_USER,
    CCM_ACCOUNT_NETWORK_ACCESS,
    CCM_ACCOUNT_ANONYMOUS,
    CCM_ACCOUNT_KINDS
} ccm_account_kind;

/* In the order of reports: what went wrong first, then what tells most. */
typedef enum ccm_auth_evidence {
    CCM_EV_SIGNATURE_FAILED,
    CCM_EV_SIGNATURE_MALFORMED,
    CCM_EV_KEY_CHANGED,
    CCM_EV_CLIENT_ID_ONLY,
    CCM_EV_WORKSTATION_DIFFERS,
    CCM_EV_FALLBACK_KDC_ERROR,
    CCM_EV_FALLBACK_KDC_SILENT,
    CCM_EV_FALLBACK_DNS,
    CCM_EV_FALLBACK_REJECTED,
    CCM_EV_FALLBACK_UNEXPLAINED,
    CCM_EV_DIRECT_NTLM,
    CCM_EV_DENIED,
    CCM_EV_TLS_ALERT,
    CCM_EV_EMPTY_REPLY,
    CCM_EV_CLIENT_CERTIFICATE,
    CCM_EV_SELF_SIGNED_CERTIFICATE,
    CCM_EV_SESSION_INHERITED,
    CCM_EV_CLIENT_FLIGHT,
    CCM_EV_CERTIFICATE_ELSEWHERE,
    CCM_EV_RENEGOTIATION,
    CCM_EV_CERTIFICATE_EMPTY,
    CCM_EV_CERTIFICATE_NOT_SENT,
    CCM_EV_FLIGHT_WITHOUT,
    CCM_EV_SESSION_RESUMED,
    CCM_EV_HANDSHAKE_UNSEEN,
    CCM_EV_NTLM_TYPE3,
    CCM_EV_NTLM_ANONYMOUS,
    CCM_EV_SMB_GUEST,
    CCM_EV_SMB_NULL_SESSION,
    CCM_EV_SPNEGO_KERBEROS,
    CCM_EV_TGS_REP,
    CCM_EV_TASK_SEQUENCE_AGENT,
    CCM_EV_MANY_CLIENTS,
    CCM_EV_BASIC_CREDENTIAL,
    CCM_EV_DIGEST_CREDENTIAL,
    CCM_EV_JWT_ENTRA,
    CCM_EV_JWT_CCM,
    CCM_EV_JWT_BULK,
    CCM_EV_JWT_CONTENT,
    CCM_EV_JWT_OTHER,
    CCM_EV_CLIENTAUTH_HOOK,
    CCM_EV_HEADER_SIGNATURE,
    CCM_EV_SIGNATURE_VERIFIED,
    CCM_EV_REGISTRATION,
    CCM_EV_LOCATION_REQUEST,
    CCM_EV_CLIENT_PACKAGE,
    CCM_EV_NO_SIGNATURE,
    CCM_EV_NO_AUTHORIZATION,
    CCM_EV_CONNECTION_AUTHENTICATED,
    CCM_EV_NTLM_TYPE1,
    CCM_EV_CHALLENGE_401,
    CCM_EV_CHALLENGE_407,
    CCM_EV_WINDOWSAUTH_PATH,
    CCM_EV_TOKENAUTH_PATH,
    CCM_EV_ALTAUTH_PATH,
    CCM_EV_NOCERT_PATH,
    CCM_EV_CCMTOKENAUTH_PATH,
    CCM_EV_CONTENT_URL,
    CCM_EV_UNREADABLE_CREDENTIAL,
    CCM_EV_NO_RESPONSE,
    CCM_EV_HEAD_INCOMPLETE,
    CCM_EV_CONNECTION_INCOMPLETE,
    CCM_EV_MESSAGE_NOT_DECODED,
    CCM_AUTH_EVIDENCES
} ccm_auth_evidence;

const char *ccm_auth_stage_name(unsigned stage);
const char *ccm_auth_mode_name(unsigned mode);
/* NULL for CCM_ACCOUNT_UNKNOWN: absent means unknown. */
const char *ccm_account_kind_name(unsigned kind);
const char *ccm_auth_evidence_name(unsigned id);
/* Which ccm_auth_evidence a JSON web token of this ccm_auth_mode is. */
unsigned ccm_auth_token_evidence(unsigned mode);

#endif
