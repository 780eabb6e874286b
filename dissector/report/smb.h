/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb.h - SMB in every format. */
#ifndef CCM_REPORT_SMB_H
#define CCM_REPORT_SMB_H

#include "model/exchange.h"
#include "report/words.h"

/* The member `smb` of the JSON report. */
void ccm_json_smb(ccm_json *json, const ccm_view *view, ccm_out *out);
/* A section of the text report; nothing when there was no SMB. */
void ccm_text_smb(ccm_out *out, const ccm_view *view, bool color, bool verbose, unsigned width);
/* A section of the summary, of a few lines; nothing when there was no SMB. */
void ccm_summary_smb(GString *out, const ccm_view *view, bool color, unsigned width);
/* The member `smb` of a line of `exchanges --json`, and its notes as text. */
void ccm_exchange_json_smb(ccm_json *json, const ccm_exchange *x);
void ccm_exchange_smb_notes(GString *out, const ccm_exchange *x,
                            void (*note)(GString *out, const char *words));

#endif
