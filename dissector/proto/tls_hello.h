/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls_hello.h - fields of the two hellos of TLS. */
#ifndef CCM_PROTO_TLS_HELLO_H
#define CCM_PROTO_TLS_HELLO_H

#include "base/cursor.h"

/* Lists of 16-bit numbers are spans of big-endian pairs. Spans point into the message. */
typedef struct ccm_client_hello {
    uint16_t version; /* legacy_version */
    ccm_span random, session_id, ciphers;
    ccm_span extensions; /* the whole list: type, length and data of each */
    bool has_sni, has_alpn;
    ccm_span sni;                               /* first DNS name */
    ccm_span alpn;                              /* list of names, each behind its length */
    ccm_span versions;                          /* list */
    ccm_span groups, signatures, point_formats; /* lists; the last one of bytes */
    ccm_span ticket; /* SessionTicket with data, or the first identity of pre_shared_key */
    bool psk, early_data, post_handshake;
    bool incomplete;
} ccm_client_hello;

typedef struct ccm_server_hello {
    uint16_t version; /* the chosen one: of supported_versions where it is there */
    uint16_t suite;
    ccm_span random, session_id, alpn;
    bool retry; /* it is a HelloRetryRequest */
    bool psk, encrypt_then_mac, extended_master_secret;
    bool incomplete;
} ccm_server_hello;

/* Reads the message behind its four bytes of header. False when not even the random is there. */
bool ccm_client_hello_read(ccm_span body, ccm_client_hello *out);
/* A whole ClientHello in the form of SSL 2, from its type on. `random`: 32 bytes that the result's
 * points to; its ciphers are left out, as they have three bytes. */
bool ccm_client_hello_read_v2(ccm_span in, uint8_t *random, ccm_client_hello *out);
bool ccm_server_hello_read(ccm_span body, ccm_server_hello *out);

/* A value reserved to be ignored, RFC 8701. */
static inline bool ccm_tls_grease(uint16_t v)
{
    return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

/* The next extension of a list; false at the end and at damage. */
bool ccm_tls_extension(ccm_cursor *c, uint16_t *type, ccm_span *data);
/* The highest version that the client offers. */
uint16_t ccm_client_hello_highest(const ccm_client_hello *h);

#endif
