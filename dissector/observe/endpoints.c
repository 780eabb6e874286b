/* SPDX-License-Identifier: GPL-2.0-or-later
 * endpoints.c - endpoints of messages in plain words.
 * In: a TargetEndpoint. Out: a text of a const table. State: none. Spec: ccm-protocol.md 4.5. */
#include "observe/endpoints.h"

#include <glib.h>

/* Those that are asked most come first. */
static const struct {
    const char *endpoint, *words;
} endpoints[] = {
    { "MP_ClientRegistration", "registration" },
    { "MP_PolicyManager", "policy request" },
    { "MP_LocationManager", "location request" },
    { "MP_DdrEndpoint", "heartbeat discovery" },
    { "MP_HinvEndpoint", "hardware inventory" },
    { "MP_SinvEndpoint", "software inventory" },
    { "MP_SinvCollFileEndpoint", "collected files" },
    { "MP_RelayEndpoint", "relayed message" },
    { "StatusReceiver", "status message" },
    { "MP_ClientIdManager", "PXE client lookup" },
    { "MP_DriverManager", "driver catalogue request" },
    { "MP_AppStateManager", "application state request" },
    { "MP_TokenManager", "token request" },
    { "MP_OOBMgr", "out of band management" },
    /* of clients */
    { "LS_ReplyLocations", "location answer" },
    { "PolicyAgent_ReplyAssignments", "policy assignment answer" },
    { "PolicyAgent_PolicyDownload", "policy download, to the client" },
    { "PolicyAgent_PolicyEvaluator", "policy evaluation, to the client" },
    { "ClientRegistration", "registration answer" },
    { "SccmMessaging", "answer to a messaging tool" },
    { "InventoryAgent", "inventory trigger, to the client" },
    { "StateMessageManager", "state messages, to the client" },
    { "SuperPeerController", "peer cache, to the client" },
    { "InternetMaintenanceEndpoint", "internet location, to the client" },
    { "EndpointProtectionAgent", "endpoint protection, to the client" },
    { "CoManagementEndpoint", "co-management, to the client" },
};

const char *ccm_endpoint_words(ccm_span endpoint)
{
    for (unsigned i = 0; endpoint.n && i < G_N_ELEMENTS(endpoints); i++)
        if (strlen(endpoints[i].endpoint) == endpoint.n &&
            !g_ascii_strncasecmp((const char *)endpoint.p, endpoints[i].endpoint, endpoint.n))
            return endpoints[i].words;
    return NULL;
}
