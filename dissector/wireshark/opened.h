/* SPDX-License-Identifier: GPL-2.0-or-later
 * opened.h - the parsers' TLS service (proto/decryptor.h) from records that somebody else, here
 * Wireshark, decrypted. Knows nothing of Wireshark. */
#ifndef CCM_WIRESHARK_OPENED_H
#define CCM_WIRESHARK_OPENED_H

#include "proto/decryptor.h"

typedef struct ccm_opened_records ccm_opened_records;

/* Adds what was decrypted in `frame`, record by record, in the order sent. Asked for when the first
 * record of a frame is to be opened. */
typedef void (*ccm_opened_list)(ccm_opened_records *records, const void *frame);

ccm_opened_records *ccm_opened_records_new(ccm_opened_list list);
void ccm_opened_records_free(ccm_opened_records *records);
const ccm_decryptor *ccm_opened_records_service(const ccm_opened_records *records);

/* Records are looked for in this frame from now on; NULL = nowhere. */
void ccm_opened_records_frame(ccm_opened_records *records, const void *frame);
/* The plain text of one record, which stays valid as long as the frame; for ccm_opened_list. Empty
 * ones, and those behind the 256th, are left out. */
void ccm_opened_records_add(ccm_opened_records *records, ccm_span plain);
/* Connections of which a record was opened. */
uint64_t ccm_opened_records_sessions(const ccm_opened_records *records);

#endif
