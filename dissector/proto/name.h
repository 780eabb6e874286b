/* SPDX-License-Identifier: GPL-2.0-or-later
 * name.h - a bounded copy of a name (account, host, realm, principal) that a message holds in
 * another encoding or in several parts. */
#ifndef CCM_PROTO_NAME_H
#define CCM_PROTO_NAME_H

#include "base/cursor.h"

enum { CCM_NAME_MAX = 320 }; /* above 255, the longest DNS or NetBIOS name, plus a service class */

/* Zero to begin. UTF-8 where the source is; bytes of an unknown code page stay as they are. */
typedef struct ccm_name {
    uint16_t n;
    bool cut; /* more was there than fits */
    uint8_t text[CCM_NAME_MAX];
} ccm_name;

/* Appends bytes, without half a UTF-8 character at the limit. */
void ccm_name_add(ccm_name *name, ccm_span bytes);
/* Appends UTF-16LE as UTF-8; a lone surrogate becomes U+FFFD, an odd last byte is left out. */
void ccm_name_utf16(ccm_name *name, ccm_span units);

static inline ccm_span ccm_name_span(const ccm_name *name)
{
    return (ccm_span){ name->text, name->n };
}

#endif
