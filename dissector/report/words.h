/* SPDX-License-Identifier: GPL-2.0-or-later
 * words.h - parts of text that the summary and the text report share. Append only. */
#ifndef CCM_REPORT_WORDS_H
#define CCM_REPORT_WORDS_H

#include "report/report.h"
#include "model/view.h"

ccm_style ccm_certainty_style(ccm_certainty certainty);
/* An empty line (unless first), the title in colour, then `rest`. */
void ccm_heading(GString *out, bool color, const char *title, const char *rest);
/* "ccm-system-request ×12 (frame 7), +2 more". */
void ccm_evidence_append(GString *out, const ccm_view_role *role, unsigned most);
void ccm_names_append(GString *out, ccm_view_names names, unsigned most, const char *separator);
/* "CCM_POST×12, GET×3"; the frequent ones first, with `failures_first` 4xx and 5xx before. */
void ccm_counts_append(GString *out, ccm_view_counts counts, unsigned most, bool failures_first);
/* Bytes of both directions in at most `most` columns; returns how many were used. */
unsigned ccm_timeline_fold(const ccm_view_timeline *timeline, uint64_t *columns, unsigned most);
/* "1 refused, 2 reset"; false, and nothing appended, when no connection had trouble. */
bool ccm_route_troubles_append(GString *out, const ccm_view_route *route);
/* "12 connections (1 refused)". */
void ccm_route_connections_append(GString *out, const ccm_view_route *route);
/* "3/13 (administratively prohibited)×2": what routers and hosts said of the route's packets. */
void ccm_icmp_append(GString *out, const ccm_view_route *route, unsigned most);
/* "10.0.0.9:80". */
void ccm_destination_append(GString *out, const ccm_view_route *route);
/* " (no answer seen)", " (NXDOMAIN)": how a lookup ended. */
void ccm_lookup_append(GString *out, const ccm_view_lookup *lookup);
/* "tunnelling (passes TLS on); ", what there is to say of a role's qualifier before its evidence.
 */
void ccm_qualifier_append(GString *out, const ccm_view_role *role);
/* "channel up, in place of 10140 (refused)"; nothing for what is no channel. */
void ccm_channel_append(GString *out, const ccm_view_route *route);
void ccm_capture_title_append(GString *out, const ccm_view_capture *capture, unsigned most_files);
/* "2026-01-31 12:00:00 to ... UTC (5m00s), 12 packets, 1.20 kB on the wire". */
void ccm_capture_span_append(GString *out, const ccm_view_capture *capture);
/* The closing part of the summary and the text report. */
void ccm_lacks_append(GString *out, const ccm_view *view, bool color, unsigned width,
                      unsigned most);
/* An object of what was counted; defined in json.c. */
void ccm_json_counts(ccm_json *json, const char *key, ccm_view_counts list);

#endif
