/* SPDX-License-Identifier: GPL-2.0-or-later
 * auth_names.c - the stable names of stages, modes, kinds of account and evidence.
 * In: numbers. Out: const texts. State: none. Spec: design.md section 4; auth-modes.md 6.1 and 6.2
 * in the comments, where an evidence has a number there. */
#include "model/auth_names.h"

#include <stddef.h>

const char *ccm_auth_stage_name(unsigned stage)
{
    static const char *const names[CCM_STAGES] = { "transport", "message", "proxy", "session" };
    return names[stage < CCM_STAGES ? stage : 0];
}

const char *ccm_auth_mode_name(unsigned mode)
{
    static const char *const names[CCM_AUTH_MODES] = {
        [CCM_AUTH_NONE_OBSERVED] = "none-observed",
        [CCM_AUTH_ANONYMOUS] = "anonymous",
        [CCM_AUTH_KERBEROS] = "kerberos",
        [CCM_AUTH_NTLM] = "ntlm",
        [CCM_AUTH_BASIC] = "basic",
        [CCM_AUTH_DIGEST] = "digest",
        [CCM_AUTH_ENTRA_TOKEN] = "entra-token",
        [CCM_AUTH_CCM_TOKEN] = "ccm-token",
        [CCM_AUTH_BULK_TOKEN] = "bulk-registration-token",
        [CCM_AUTH_CONTENT_TOKEN] = "content-token",
        [CCM_AUTH_MESSAGE_SIGNATURE] = "message-signature",
        [CCM_AUTH_GUEST] = "guest",
        [CCM_AUTH_PKI] = "pki-certificate",
        [CCM_AUTH_SELF_SIGNED] = "self-signed-certificate",
        [CCM_AUTH_ENCRYPTED_UNKNOWN] = "encrypted-unknown",
    };
    return names[mode < CCM_AUTH_MODES ? mode : 0];
}

const char *ccm_account_kind_name(unsigned kind)
{
    static const char *const names[CCM_ACCOUNT_KINDS] = { NULL, "computer", "user",
                                                          "network-access", "anonymous" };
    return names[kind < CCM_ACCOUNT_KINDS ? kind : 0];
}

const char *ccm_auth_evidence_name(unsigned id)
{
    static const char *const names[CCM_AUTH_EVIDENCES] = {
        [CCM_EV_SIGNATURE_FAILED] = "signature-failed",
        [CCM_EV_SIGNATURE_MALFORMED] = "signature-malformed",
        [CCM_EV_KEY_CHANGED] = "key-changed",
        [CCM_EV_CLIENT_ID_ONLY] = "client-id-only",
        [CCM_EV_WORKSTATION_DIFFERS] = "workstation-differs",   /* E6 */
        [CCM_EV_FALLBACK_KDC_ERROR] = "fallback-kdc-error",     /* 7.1, pattern 1 */
        [CCM_EV_FALLBACK_KDC_SILENT] = "fallback-kdc-silent",   /* 7.1, pattern 2 */
        [CCM_EV_FALLBACK_DNS] = "fallback-dns",                 /* 7.1, pattern 2 */
        [CCM_EV_FALLBACK_REJECTED] = "fallback-rejected",       /* 7.1, pattern 3 */
        [CCM_EV_FALLBACK_UNEXPLAINED] = "fallback-unexplained", /* 7.1, rule: both, then NTLM */
        [CCM_EV_DIRECT_NTLM] = "direct-ntlm",                   /* 7.1, pattern 4 */
        [CCM_EV_DENIED] = "denied",
        [CCM_EV_TLS_ALERT] = "tls-alert", /* T10 */
        [CCM_EV_EMPTY_REPLY] = "empty-reply",
        [CCM_EV_CLIENT_CERTIFICATE] = "client-certificate",                  /* T3, T6 */
        [CCM_EV_SELF_SIGNED_CERTIFICATE] = "self-signed-client-certificate", /* T7 */
        [CCM_EV_SESSION_INHERITED] = "session-inherited",                    /* T9 */
        [CCM_EV_CLIENT_FLIGHT] = "client-flight-certificate",                /* T3, TLS 1.3 */
        [CCM_EV_CERTIFICATE_ELSEWHERE] = "client-certificate-elsewhere",
        [CCM_EV_RENEGOTIATION] = "renegotiation",                /* T5 */
        [CCM_EV_CERTIFICATE_EMPTY] = "client-certificate-empty", /* T4 */
        [CCM_EV_CERTIFICATE_NOT_SENT] = "client-certificate-not-requested",
        [CCM_EV_FLIGHT_WITHOUT] = "client-flight-without-certificate", /* T3, T4, TLS 1.3 */
        [CCM_EV_SESSION_RESUMED] = "session-resumed",                  /* T9 */
        [CCM_EV_HANDSHAKE_UNSEEN] = "handshake-not-seen",
        [CCM_EV_NTLM_TYPE3] = "ntlm-type3",                   /* E5, E6, E7, E8 */
        [CCM_EV_NTLM_ANONYMOUS] = "ntlm-anonymous",           /* E9 */
        [CCM_EV_SMB_GUEST] = "smb-guest",                     /* M5 */
        [CCM_EV_SMB_NULL_SESSION] = "smb-null-session",       /* M5 */
        [CCM_EV_SPNEGO_KERBEROS] = "spnego-kerberos",         /* E3 */
        [CCM_EV_TGS_REP] = "tgs-rep",                         /* E4 */
        [CCM_EV_TASK_SEQUENCE_AGENT] = "task-sequence-agent", /* E7 */
        [CCM_EV_MANY_CLIENTS] = "many-clients",               /* E7 */
        [CCM_EV_BASIC_CREDENTIAL] = "basic-credential",
        [CCM_EV_DIGEST_CREDENTIAL] = "digest-credential",
        [CCM_EV_JWT_ENTRA] = "jwt-entra",               /* E12 */
        [CCM_EV_JWT_CCM] = "jwt-ccm",                   /* E11 */
        [CCM_EV_JWT_BULK] = "jwt-bulk-registration",    /* E11 */
        [CCM_EV_JWT_CONTENT] = "jwt-content",           /* E11 */
        [CCM_EV_JWT_OTHER] = "jwt-other",               /* E10 */
        [CCM_EV_CLIENTAUTH_HOOK] = "clientauth-hook",   /* E13 */
        [CCM_EV_HEADER_SIGNATURE] = "header-signature", /* E16, E17 */
        [CCM_EV_SIGNATURE_VERIFIED] = "signature-verified",
        [CCM_EV_REGISTRATION] = "registration", /* E14, E15 */
        [CCM_EV_LOCATION_REQUEST] = "location-request",
        [CCM_EV_CLIENT_PACKAGE] = "client-package",
        [CCM_EV_NO_SIGNATURE] = "no-signature",
        [CCM_EV_NO_AUTHORIZATION] = "no-authorization", /* E1 */
        [CCM_EV_CONNECTION_AUTHENTICATED] = "connection-authenticated",
        [CCM_EV_NTLM_TYPE1] = "ntlm-type1",       /* E5 */
        [CCM_EV_CHALLENGE_401] = "challenge-401", /* E2 */
        [CCM_EV_CHALLENGE_407] = "challenge-407",
        [CCM_EV_WINDOWSAUTH_PATH] = "windowsauth-path", /* E8, E15 */
        [CCM_EV_TOKENAUTH_PATH] = "tokenauth-path",
        [CCM_EV_ALTAUTH_PATH] = "altauth-path", /* E18 */
        [CCM_EV_NOCERT_PATH] = "nocert-path",
        [CCM_EV_CCMTOKENAUTH_PATH] = "ccmtokenauth-path",
        [CCM_EV_CONTENT_URL] = "content-url", /* table 4, content of a gateway */
        [CCM_EV_UNREADABLE_CREDENTIAL] = "unreadable-credential",
        [CCM_EV_NO_RESPONSE] = "no-response",
        [CCM_EV_HEAD_INCOMPLETE] = "head-incomplete",
        [CCM_EV_CONNECTION_INCOMPLETE] = "connection-incomplete",
        [CCM_EV_MESSAGE_NOT_DECODED] = "message-not-decoded",
    };
    return names[id < CCM_AUTH_EVIDENCES ? id : 0];
}

unsigned ccm_auth_token_evidence(unsigned mode)
{
    static const uint8_t ids[CCM_AUTH_MODES] = { [CCM_AUTH_ENTRA_TOKEN] = CCM_EV_JWT_ENTRA,
                                                 [CCM_AUTH_CCM_TOKEN] = CCM_EV_JWT_CCM,
                                                 [CCM_AUTH_BULK_TOKEN] = CCM_EV_JWT_BULK,
                                                 [CCM_AUTH_CONTENT_TOKEN] = CCM_EV_JWT_CONTENT };
    return ids[mode] ? ids[mode] : CCM_EV_JWT_OTHER;
}
