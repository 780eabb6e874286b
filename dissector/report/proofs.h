/* SPDX-License-Identifier: GPL-2.0-or-later
 * proofs.h - authentication, signatures and messages in every format. Append only. */
#ifndef CCM_REPORT_PROOFS_H
#define CCM_REPORT_PROOFS_H

#include "model/exchange.h"
#include "report/words.h"

/* proofs_exchange.c: members of a line of `exchanges --json`, and its notes as text. */
void ccm_exchange_json_proofs(ccm_json *json, const ccm_exchange *x);
/* Appends "ntlm LAB\WKS01$", "signed" and the like, each by `note`. */
void ccm_exchange_notes(GString *out, const ccm_exchange *x, bool verbose,
                        void (*note)(GString *out, const char *words));

/* proofs_json.c: members of the JSON report. */
void ccm_json_route_auth(ccm_json *json, const ccm_view_route *r);
void ccm_json_client_proofs(ccm_json *json, const ccm_view_client *c);
/* `messages`, when they were asked for. */
void ccm_json_messages(ccm_json *json, const ccm_view *view, ccm_out *out);

/* proofs_text.c */
/* "ntlm computer LAB\WKS01$ ×3, strong (ntlm-type3 ×3 ...)". */
void ccm_auth_append(GString *out, const ccm_view_auth *a, unsigned most_evidence);
/* "-12 s", "+7m00s". */
void ccm_skew_append(GString *out, int64_t seconds);
/* proofs_summary.c: the section of the summary. */
void ccm_summary_auth(GString *out, const ccm_view *view, bool color, bool verbose, unsigned width);

#endif
