/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls_report.h - TLS and certificates in every format. */
#ifndef CCM_REPORT_TLS_REPORT_H
#define CCM_REPORT_TLS_REPORT_H

#include "model/exchange.h"
#include "report/words.h"

/* "TLS 1.2, enhanced HTTP certificate (SMS Issuing), no client certificate". */
void ccm_tls_words(GString *out, const ccm_view_tls *t);
/* Members of the JSON report. */
void ccm_json_route_tls(ccm_json *j, const ccm_view_route *r);
void ccm_json_certificates(ccm_json *j, const ccm_view *view, ccm_out *out);
/* `tls` of a line of `exchanges --json`; and the line's target and notes as text. */
void ccm_json_exchange_tls(ccm_json *j, const ccm_exchange_tls *t);
void ccm_exchange_tls_words(GString *out, const ccm_exchange_tls *t);
/* "fatal unknown CA (48) from the server". */
void ccm_alert_words(GString *out, const ccm_view_alert *a);

#endif
