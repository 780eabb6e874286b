/* SPDX-License-Identifier: GPL-2.0-or-later
 * session.h - a capture point inside Wireshark: frames in the order of their numbers in,
 * observations out, by the same decoder, flow table and parsers as the program. One for the fields,
 * one for each tap. */
#ifndef CCM_WIRESHARK_SESSION_H
#define CCM_WIRESHARK_SESSION_H

#include "wireshark/ws-compat.h"

#include "observe/obs.h"
#include "proto/viewer.h"

typedef struct ccm_session ccm_session;

/* `viewer` (borrowed) is shown the texts of messages, and bytes are not accounted: fields need none
 * of that. NULL = a tap's session, which accounts. Signatures are checked with
 * the keys that the frames before showed, as in the program, and with those of `site`, a site file;
 * NULL = none. `*error` (NULL: it is not asked for) tells what is wrong with that file: the session
 * goes on without it. */
ccm_session *ccm_session_new(ccm_obs_fn fn, void *user_data, const ccm_viewer *viewer,
                             const char *site, GError **error);
void ccm_session_free(ccm_session *session); /* NULL is fine */

/* The frame that is being dissected, once its dissectors have run; `tvb` is the whole frame.
 * Records that are no packets (comments, events) are passed over. */
void ccm_session_frame(ccm_session *session, packet_info *pinfo, tvbuff_t *tvb);
/* Closes what is open and emits the final `capture` observation. Call once. */
void ccm_session_finish(ccm_session *session);

#endif
