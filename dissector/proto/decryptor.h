/* SPDX-License-Identifier: GPL-2.0-or-later
 * decryptor.h - the optional service that opens TLS records for tls.c. The engine brings one made
 * with OpenSSL (decrypt.c); the pure parsers know this interface alone. */
#ifndef CCM_PROTO_DECRYPTOR_H
#define CCM_PROTO_DECRYPTOR_H

#include "base/base.h"

enum { CCM_TLS_RANDOM = 32 };

/* What the keys of a connection depend on. Spans are borrowed for the call. */
typedef struct ccm_tls_terms {
    uint16_t version; /* negotiated: 0x0301 to 0x0304 */
    uint16_t suite;   /* 0 at the ClientHello: keys of early data are asked for */
    const uint8_t *client_random, *server_random; /* CCM_TLS_RANDOM bytes; the second may be NULL */
    ccm_span session_id;                          /* of the ServerHello */
    bool encrypt_then_mac;                        /* RFC 7366, in the ServerHello */
    bool extended_master_secret;                  /* RFC 7627, in the ServerHello */
    bool resumed;                                 /* TLS 1.2: an abbreviated handshake */
} ccm_tls_terms;

#define CCM_GAP_UNKNOWN UINT64_MAX /* bytes are missing, and nobody can tell how many */

typedef enum ccm_opened {
    CCM_OPENED,
    CCM_OPENED_NO_KEY, /* no key for this direction at this point of the connection */
    CCM_OPENED_BAD,    /* a key is there, but the record is damaged or not made with it */
} ccm_opened;

typedef struct ccm_tls_keys ccm_tls_keys; /* the keys of one connection */

/* `side` is 0 for the client, 1 for the server. */
typedef struct ccm_decryptor {
    void *user_data;
    /* At the ServerHello (and at a ClientHello that announces early data). Never NULL once a
     * ServerHello was seen: keys may become known later, by an RSA key exchange. */
    ccm_tls_keys *(*start)(void *user_data, const ccm_tls_terms *terms);
    /* Another hello for the same keys: the ServerHello after a ClientHello that announced early
     * data, or one of a renegotiation. The keys in use stay until each side changes them. */
    void (*hello)(ccm_tls_keys *keys, const ccm_tls_terms *terms);
    /* A whole handshake message with its four bytes of header, in the order sent, both hellos
     * included: the transcript, the ClientKeyExchange, Finished, KeyUpdate. */
    void (*message)(ccm_tls_keys *keys, unsigned side, ccm_span message);
    /* A ChangeCipherSpec of TLS 1.2 and older: the next records of this side are encrypted. */
    void (*change_cipher)(ccm_tls_keys *keys, unsigned side);
    /* Bytes of this side were lost: an unknown number of records, at most `bytes` long together. */
    void (*lost)(ccm_tls_keys *keys, unsigned side, uint64_t bytes);
    /* Opens one whole record: `header` is its five bytes, `fragment` what follows. `plain` is valid
     * until a record is opened that does not lie inside it (TLS inside TLS); `type` is the content
     * type, the inner one of TLS 1.3. */
    ccm_opened (*open)(ccm_tls_keys *keys, unsigned side, ccm_span header, ccm_span fragment,
                       ccm_span *plain, uint8_t *type);
    /* Right after a record was opened: `wire` bytes of records lay between the one opened before it
     * in this direction and it. How many bytes of plain text were that? CCM_GAP_UNKNOWN when the
     * cipher's records do not tell. */
    uint64_t (*missed)(ccm_tls_keys *keys, unsigned side, uint64_t wire);
    void (*free)(ccm_tls_keys *keys);
    /* Nobody gave keys for a connection before one of its records was opened: until then a record
     * that stays closed is nothing to tell of. */
    bool unasked;
} ccm_decryptor;

#endif
