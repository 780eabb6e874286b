/* SPDX-License-Identifier: GPL-2.0-or-later
 * opened.h - the parsers' TLS service (proto/decryptor.h) from what Wireshark decrypted. */
#ifndef CCM_WIRESHARK_OPENED_H
#define CCM_WIRESHARK_OPENED_H

#include "wireshark/ws-compat.h"

#include "proto/decryptor.h"

typedef struct ccm_opened_records ccm_opened_records;

ccm_opened_records *ccm_opened_records_new(void);
void ccm_opened_records_free(ccm_opened_records *records);
const ccm_decryptor *ccm_opened_records_service(const ccm_opened_records *records);

/* Records are looked for in this frame from now on; NULL = nowhere. */
void ccm_opened_records_frame(ccm_opened_records *records, packet_info *pinfo);
/* Connections of which a record was opened. */
uint64_t ccm_opened_records_sessions(const ccm_opened_records *records);

#endif
