/* SPDX-License-Identifier: GPL-2.0-or-later
 * windows.h - parts of JSON and text that tell of bandwidth over time and of limits. */
#ifndef CCM_REPORT_WINDOWS_H
#define CCM_REPORT_WINDOWS_H

#include "report/words.h"

/* Members of a route: "bandwidth"; "throttle" and "other_throttles". */
void ccm_json_bandwidth(ccm_json *j, const ccm_view_route *r, uint64_t link_bps);
void ccm_json_throttle(ccm_json *j, const ccm_view_route *r);
/* "blocks of 256 KiB, 1 s apart, 2.08 Mbit/s". */
void ccm_measures_append(GString *out, const ccm_view_measures *is);

#endif
