/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls_certificate.h - fields of an X.509 certificate. Nothing is verified. */
#ifndef CCM_PROTO_TLS_CERTIFICATE_H
#define CCM_PROTO_TLS_CERTIFICATE_H

#include "proto/name.h"

enum { CCM_CERT_SERIAL = 64, CCM_CERT_USAGE = 256, CCM_CERT_SAN = 2048 };

typedef struct ccm_certificate {
    ccm_name subject, issuer;           /* RFC 4514: the most special part first */
    ccm_name subject_name, issuer_name; /* common names */
    size_t n_san;
    uint8_t san[CCM_CERT_SAN];        /* DNS names, commas between; those that fit, whole ones */
    char serial[CCM_CERT_SERIAL];     /* hexadecimal */
    char usage[CCM_CERT_USAGE];       /* OIDs of the extended key usage, commas between */
    char algorithm[64];               /* OID of the signature */
    const char *key_type;             /* static; NULL = not read */
    unsigned key_bits;                /* 0 = not known */
    bool has_not_before, has_expires; /* within the years 1970 to 2554 */
    uint64_t not_before_ns, expires_ns;
    bool self_signed; /* subject and issuer are the same bytes, and not empty */
    bool authority;
    bool incomplete;
} ccm_certificate;

/* False when it is no certificate at all, or nothing of it is there. */
bool ccm_certificate_read(ccm_span der, ccm_certificate *out);
/* A distinguished name (its SEQUENCE, with header) as text; `common` may be NULL. False when it is
 * malformed or cut short. */
bool ccm_certificate_name(ccm_span whole, ccm_name *out, ccm_name *common);

#endif
