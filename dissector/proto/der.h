/* SPDX-License-Identifier: GPL-2.0-or-later
 * der.h - values of ASN.1 in DER, or BER with definite lengths. No recursion and no allocation: who
 * reads goes down as many levels as its path has. */
#ifndef CCM_PROTO_DER_H
#define CCM_PROTO_DER_H

#include "base/cursor.h"

/* Identifier bytes that occur everywhere; the others are written where they are used. */
enum {
    CCM_DER_BOOLEAN = 0x01,
    CCM_DER_INTEGER = 0x02,
    CCM_DER_BITS = 0x03,
    CCM_DER_OCTETS = 0x04,
    CCM_DER_NULL = 0x05,
    CCM_DER_OID = 0x06,
    CCM_DER_ENUM = 0x0a,
    CCM_DER_UTF8 = 0x0c,
    CCM_DER_PRINTABLE = 0x13,
    CCM_DER_IA5 = 0x16,
    CCM_DER_UTCTIME = 0x17,
    CCM_DER_TIME = 0x18,
    CCM_DER_GENERAL = 0x1b,
    CCM_DER_BMP = 0x1e,
    CCM_DER_SEQUENCE = 0x30,
    CCM_DER_SET = 0x31,
    CCM_DER_APPLICATION = 0x60, /* plus the number: constructed, application class */
    CCM_DER_CONTEXT = 0xa0,     /* plus the number: constructed, context class */
};

typedef struct ccm_der {
    uint8_t tag;           /* identifier byte; tag numbers above 30 are refused */
    bool cut;              /* the value is longer than what is there */
    size_t size;           /* of the value, as it is declared */
    ccm_span value, whole; /* as far as they are there; `whole` begins with the identifier */
} ccm_der;

/* The next value at the cursor, which moves behind it. False at the end, and when no header can be
 * read (then the cursor is bad): indefinite length, a length above 32 bits, a header cut short. */
bool ccm_der_next(ccm_cursor *c, ccm_der *out);
/* The next value if its identifier is `tag`; else false, and the cursor stays. */
bool ccm_der_take(ccm_cursor *c, uint8_t tag, ccm_der *out);
/* Goes down `path` from the values in `s`: at each level the first one with that identifier, for
 * instance { 0x30, 0xa1, 0x04 }. At most CCM_DER_PATH levels. False when one is missing. */
enum { CCM_DER_PATH = 16 };
bool ccm_der_find(ccm_span s, const uint8_t *path, size_t levels, ccm_der *out);

/* Value of an INTEGER or ENUMERATED of at most eight bytes. */
bool ccm_der_int(ccm_span value, int64_t *out);
/* Is the value of an OBJECT IDENTIFIER the dotted one? `dotted` is a literal of ours. */
bool ccm_der_oid_is(ccm_span value, const char *dotted);
/* Writes the value of an OBJECT IDENTIFIER in dotted form, NUL-terminated; "" when it is malformed,
 * has a number above 56 bits or does not fit into `size`. Returns `out`. */
enum { CCM_DER_OID_TEXT = 128 };
const char *ccm_der_oid_text(ccm_span value, char *out, size_t size);

#endif
