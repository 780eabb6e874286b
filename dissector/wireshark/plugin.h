/* SPDX-License-Identifier: GPL-2.0-or-later
 * plugin.h - what the files of the plugin share: registration, and what the tap "ccm" carries. */
#ifndef CCM_WIRESHARK_PLUGIN_H
#define CCM_WIRESHARK_PLUGIN_H

#include "wireshark/ws-compat.h"

/* A frame, queued for the listeners of the tap once its dissectors have run. */
typedef struct ccm_tapped {
    tvbuff_t *tvb; /* the whole frame */
} ccm_tapped;

void ccm_plugin_register_protocol(void);
void ccm_plugin_hand_off(void);
void ccm_plugin_register_taps(void);
/* Preference: the site file; NULL = none. */
const char *ccm_plugin_site_file(void);

#endif
