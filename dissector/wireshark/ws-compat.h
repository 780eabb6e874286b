/* SPDX-License-Identifier: GPL-2.0-or-later
 * ws-compat.h - what differs between Wireshark 4.0, 4.4 and 4.6, by the probes of configure.ac;
 * nothing asks for a version. Included first by every file of wireshark/ that knows epan. */
#ifndef CCM_WIRESHARK_WS_COMPAT_H
#define CCM_WIRESHARK_WS_COMPAT_H

#include <ws_version.h>

#include <epan/packet.h>

#include <epan/conversation_filter.h>
#include <epan/epan_dissect.h>
#include <epan/expert.h>
#include <epan/funnel.h>
#include <epan/prefs.h>
#include <epan/stat_tap_ui.h>
#include <epan/tap.h>
#include <wiretap/wtap.h>

/* What the callback of a -z argument returns: nothing, or whether it was right. */
#ifdef CCM_WS_STAT_INIT_BOOL
#define CCM_WS_STAT_RESULT bool
#define CCM_WS_STAT_DONE(good) return good
#else
#define CCM_WS_STAT_RESULT void
#define CCM_WS_STAT_DONE(good) (void)(good)
#endif

/* The name of a data source, with its size behind it where Wireshark adds that. The caller frees it
 * with wmem_free(NULL, ...). */
static inline char *ccm_ws_source_name(const struct data_source *source)
{
#ifdef CCM_WS_SOURCE_DESCRIPTION
    return get_data_source_description(source);
#else
    return get_data_source_name(source);
#endif
}

/* Conversation filters: their callbacks are given a pointer from the registration, or not. */
#ifdef CCM_WS_FILTER_DATA
typedef bool ccm_ws_filter_bool;
#define CCM_WS_FILTER_ARGS packet_info *pinfo, void *user_data
#define CCM_WS_FILTER_UNUSED (void)user_data
#define ccm_ws_register_filter(proto, title, can, build)                                           \
    register_conversation_filter(proto, title, can, build, NULL)
#else
typedef gboolean ccm_ws_filter_bool;
#define CCM_WS_FILTER_ARGS packet_info *pinfo
#define CCM_WS_FILTER_UNUSED (void)0
#define ccm_ws_register_filter(proto, title, can, build)                                           \
    register_conversation_filter(proto, title, can, build)
#endif

#endif
