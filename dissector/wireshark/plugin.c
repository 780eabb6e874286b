/* SPDX-License-Identifier: GPL-2.0-or-later
 * plugin.c - the five symbols that Wireshark looks for. State: none. */
#include "wireshark/plugin.h"

#define CCM_EXPORT __attribute__((visibility("default")))

CCM_EXPORT extern const char plugin_version[];
CCM_EXPORT extern const int plugin_want_major, plugin_want_minor;
CCM_EXPORT void plugin_register(void);
CCM_EXPORT uint32_t plugin_describe(void);

const char plugin_version[] = PACKAGE_VERSION;
/* Wireshark compares them with its own and says so when they differ. */
const int plugin_want_major = WIRESHARK_VERSION_MAJOR;
const int plugin_want_minor = WIRESHARK_VERSION_MINOR;

void plugin_register(void)
{
    static const proto_plugin protocol = { ccm_plugin_register_protocol, ccm_plugin_hand_off };
    static const tap_plugin taps = { ccm_plugin_register_taps };

    proto_register_plugin(&protocol);
    tap_register_plugin(&taps);
}

/* Asked for from 4.4 on: 1 = it brings dissectors, 4 = taps. */
uint32_t plugin_describe(void)
{
    enum { DISSECTOR = 1, TAP_LISTENER = 4 };

    return DISSECTOR | TAP_LISTENER;
}
