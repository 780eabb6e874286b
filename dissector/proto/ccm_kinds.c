/* SPDX-License-Identifier: GPL-2.0-or-later
 * ccm_kinds.c - the catalogue of message bodies: words for roots, endpoints, inventory actions and
 * state message topics; the fields worth showing. In: names from a body. Out: rows of const tables.
 * State: none. Spec: endpoints, body roots, content location, report detail. */
#include "proto/ccm_kinds.h"

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

static const ccm_root roots[] = {
    { "ClientRegistrationRequest", "registration", CCM_ROOT_REGISTRATION },
    { "ClientRegistrationResponse", "registration answer", CCM_ROOT_REGISTERED },
    { "RequestAssignments", "policy assignment request", CCM_ROOT_PLAIN },
    { "ReplyAssignments", "policy assignment answer", CCM_ROOT_PLAIN },
    { "ContentLocationRequest", "content location request", CCM_ROOT_PLAIN },
    { "ContentLocationReply", "content location answer", CCM_ROOT_PLAIN },
    { "WSUSLocationRequest", "software update point location request", CCM_ROOT_PLAIN },
    { "WSUSLocationReply", "software update point location answer", CCM_ROOT_PLAIN },
    { "EnumerateMPLocationRequest", "management point list request", CCM_ROOT_PLAIN },
    { "EnumerateMPLocationReply", "management point list answer", CCM_ROOT_PLAIN },
    { "LocalMPLocationRequest", "local management point request", CCM_ROOT_PLAIN },
    { "LocalMPLocationReply", "local management point answer", CCM_ROOT_PLAIN },
    { "SiteInformationRequest", "site information request", CCM_ROOT_PLAIN },
    { "SiteInfoReply", "site information answer", CCM_ROOT_PLAIN },
    { "AssignedSiteRequest", "site assignment request", CCM_ROOT_PLAIN },
    { "AssignedSiteReply", "site assignment answer", CCM_ROOT_PLAIN },
    { "UpdateSFRequest", "UpdateSF request to the location manager", CCM_ROOT_PLAIN },
    { "TokenServicesRequest", "token request", CCM_ROOT_PLAIN },
    { "ClientIDRequest", "PXE client lookup", CCM_ROOT_PLAIN },
    { "ClientIDReply", "PXE client lookup answer", CCM_ROOT_PLAIN },
    { "Report", "report", CCM_ROOT_REPORT },
    { "Status", "status message", CCM_ROOT_PLAIN },
    { "UploadRequest", "upload request", CCM_ROOT_PLAIN },
    { "UploadReply", "upload answer", CCM_ROOT_PLAIN },
    { "DriverCatalogRequest", "driver catalogue request", CCM_ROOT_PLAIN },
    { "AppStateServicesRequest", "application state request", CCM_ROOT_PLAIN },
    { "AppstateManagerReply", "application state answer", CCM_ROOT_PLAIN },
    { "PeerDPDownloadStatus", "download status of a peer source", CCM_ROOT_PLAIN },
    { "FileCollectionMessage", "collected files", CCM_ROOT_PLAIN },
    { "SoftwareMeteringMessage", "software metering", CCM_ROOT_PLAIN },
    { "EvaluatePolicy", "policy evaluation trigger", CCM_ROOT_PLAIN },
    { "InventoryAction", "inventory trigger", CCM_ROOT_PLAIN },
    { "BgbSignInMessage", "notification: sign in", CCM_ROOT_PLAIN },
    { "BgbSignInConfirmMessage", "notification: sign in confirmed", CCM_ROOT_PLAIN },
    { "BgbKeepAliveMessage", "notification: keep alive", CCM_ROOT_PLAIN },
    { "BgbRequestMessage", "notification: task for the client", CCM_ROOT_PLAIN },
    { "BgbResponseMessage", "notification: answer to a task", CCM_ROOT_PLAIN },
};

/* ---- fields ---------------------------------------------------------------------------------- */

#define VALUE(element, attribute, label)                                                           \
    {                                                                                              \
        element, attribute, label, CCM_FIELD_VALUE, 1, NULL, 0                                     \
    }
#define VALUES(element, attribute, label, most)                                                    \
    {                                                                                              \
        element, attribute, label, CCM_FIELD_VALUE, most, NULL, 0                                  \
    }
#define NAMED(element, attribute, label, names)                                                    \
    {                                                                                              \
        element, attribute, label, CCM_FIELD_VALUE, 1, names, COUNT_OF(names)                      \
    }
#define URLS(element, attribute, label, most)                                                      \
    {                                                                                              \
        element, attribute, label, CCM_FIELD_URL, most, NULL, 0                                    \
    }
#define NUMBER_OF(element, label)                                                                  \
    {                                                                                              \
        element, NULL, label, CCM_FIELD_COUNT, 0, NULL, 0                                          \
    }
#define FLAGGED(element, attribute, label, mask)                                                   \
    {                                                                                              \
        element, attribute, label, CCM_FIELD_FLAG, mask, NULL, 0                                   \
    }

static const char *const agent_types[] = { "client", "osd", "device", NULL,        "isv-proxy",
                                           NULL,     NULL,  NULL,     "isv-client" };
static const char *const key_types[] = { NULL, "self-signed", "pki" };
static const char *const statuses[] = { "registered", "pending", "reset", "rejected",
                                        "certificate-reset" };
static const char *const approvals[] = { "pending", "approved", "not-applicable", "entra" };

static const ccm_field registration[] = {
    VALUE("AgentInformation", "AgentIdentity", "agent"),
    VALUE("AgentInformation", "AgentVersion", "version"),
    NAMED("AgentInformation", "AgentType", "agent-type", agent_types),
    NAMED("Signing", "KeyType", "key", key_types),
};
static const ccm_field registered[] = {
    NAMED("ClientRegistrationResponse", "Status", "status", statuses),
    NAMED("ClientRegistrationResponse", "ApprovalStatus", "approval", approvals),
};
static const ccm_field assignments_request[] = {
    VALUE("RequestAssignments", "RequestType", "type"),
    VALUE("Resource", "ResourceType", "resource"),
    VALUE("PolicySource", NULL, "source"),
    VALUE("NT4UserName", NULL, "user"),
};
static const ccm_field assignments_reply[] = {
    VALUE("ReplyAssignments", "ReplyType", "type"),
    VALUE("PolicySource", NULL, "source"),
    NUMBER_OF("PolicyAssignment", "policies"),
    FLAGGED("Policy", "PolicyFlags", "secret", 4),
    VALUES("Policy", "PolicyCategory", "categories", 8),
};
static const ccm_field content_request[] = {
    VALUE("Package", "ID", "package"),
    VALUE("Package", "Version", "version"),
    VALUE("AssignedSite", "SiteCode", "site"),
    VALUE("ClientLocationInfo", "LocationType", "type"),
    VALUE("ClientLocationInfo", "OnInternet", "internet"),
    VALUE("ADSite", "Name", "ad-site"),
    VALUE("IPAddress", "SubnetAddress", "subnet"),
    VALUE("IPAddress", "Address", "address"),
    VALUES("BoundaryGroup", "GroupID", "boundary-groups", 4),
};
static const ccm_field content_reply[] = {
    VALUES("MPSite", "SiteCode", "site", 2),
    NUMBER_OF("LocationRecord", "locations"),
    URLS("URL", "Name", "url", 3),
};
static const ccm_field wsus_request[] = {
    VALUE("Content", "ID", "content"),
    VALUE("Content", "Version", "version"),
    VALUE("AssignedSite", "SiteCode", "site"),
    VALUE("ClientLocationInfo", "OnInternet", "internet"),
};
static const ccm_field wsus_reply[] = {
    URLS("LocationRecord", "WSUSURL", "url", 3),
    VALUES("LocationRecord", "ServerName", "server", 3),
    VALUE("LocationRecord", "Version", "version"),
};
static const ccm_field mp_request[] = {
    VALUE("EnumerateMPLocationRequest", "RequestType", "type"),
    VALUE("AssignedSite", "SiteCode", "site"),
};
static const ccm_field site_request[] = {
    VALUE("SiteCode", "Name", "site"),
};
static const ccm_field client_id_reply[] = {
    VALUE("Identification", "Unknown", "unknown"),
    VALUE("Identification", "ItemKey", "item"),
    VALUE("Identification", "DuplicateSMBIOS", "duplicate-smbios"),
    VALUE("Identification", "DuplicateMACAddress", "duplicate-mac"),
    VALUE("Identification", "ServerName", "server"),
    VALUE("PXEBootAction", "OfferID", "deployment"),
    VALUE("PXEBootAction", "PkgID", "package"),
    VALUE("PXEBootAction", "BootImageID", "boot-image"),
    VALUE("PXEBootAction", "Mandatory", "mandatory"),
};
static const ccm_field report[] = {
    VALUE("ReportType", NULL, "type"),         VALUE("Date", NULL, "date"),
    VALUE("ClientVersion", NULL, "client"),    NUMBER_OF("Instance", "instances"),
    VALUES("Instance", "Class", "classes", 6), NUMBER_OF("StateMessage", "messages"),
    VALUES("Topic", "Type", "topics", 6),      VALUES("State", "ID", "states", 6),
};
static const ccm_field status[] = {
    VALUE("Type", NULL, "type"),
};
static const ccm_field upload_request[] = {
    VALUE("MessageId", NULL, "message"),
    VALUE("NetworkType", NULL, "network"),
};
static const ccm_field upload_reply[] = {
    VALUE("Host", NULL, "host"),
    URLS("URL", NULL, "url", 1),
};
static const ccm_field bgb_sign_in[] = {
    VALUE("ClientType", NULL, "type"),
    VALUE("ClientVersion", NULL, "client"),
};
static const ccm_field bgb_task[] = {
    VALUE("TaskID", NULL, "task"),
    VALUE("TaskType", NULL, "type"),
    VALUE("PushID", NULL, "push"),
    VALUE("ReturnCode", NULL, "result"),
};

static const struct {
    const char *root;
    const ccm_field *fields;
    unsigned n;
} field_sets[] = {
    { "ClientRegistrationRequest", registration, COUNT_OF(registration) },
    { "ClientRegistrationResponse", registered, COUNT_OF(registered) },
    { "RequestAssignments", assignments_request, COUNT_OF(assignments_request) },
    { "ReplyAssignments", assignments_reply, COUNT_OF(assignments_reply) },
    { "ContentLocationRequest", content_request, COUNT_OF(content_request) },
    { "ContentLocationReply", content_reply, COUNT_OF(content_reply) },
    { "WSUSLocationRequest", wsus_request, COUNT_OF(wsus_request) },
    { "WSUSLocationReply", wsus_reply, COUNT_OF(wsus_reply) },
    { "EnumerateMPLocationRequest", mp_request, COUNT_OF(mp_request) },
    { "SiteInformationRequest", site_request, COUNT_OF(site_request) },
    { "ClientIDReply", client_id_reply, COUNT_OF(client_id_reply) },
    { "Report", report, COUNT_OF(report) },
    { "Status", status, COUNT_OF(status) },
    { "UploadRequest", upload_request, COUNT_OF(upload_request) },
    { "UploadReply", upload_reply, COUNT_OF(upload_reply) },
    { "BgbSignInMessage", bgb_sign_in, COUNT_OF(bgb_sign_in) },
    { "BgbRequestMessage", bgb_task, COUNT_OF(bgb_task) },
    { "BgbResponseMessage", bgb_task, COUNT_OF(bgb_task) },
};

/* ---- words ----------------------------------------------------------------------------------- */

static const struct {
    const char *root, *element, *attribute, *value, *words;
} refined[] = {
    { "RequestAssignments", "Resource", "ResourceType", "User", "policy assignment request, user" },
    { "ReplyAssignments", "ReplyAssignments", "ReplyType", "Full",
      "policy assignment answer, full" },
    { "ReplyAssignments", "ReplyAssignments", "ReplyType", "Delta",
      "policy assignment answer, delta" },
    { "ClientRegistrationRequest", "Data", "RequestType", "Confirmation",
      "registration confirmation" },
};

static const struct {
    uint16_t first, last;
    const char *words;
} topics[] = {
    { 300, 300, "assignment compliance" },
    { 301, 301, "assignment enforcement" },
    { 302, 302, "assignment evaluation" },
    { 400, 403, "configuration item" },
    { 500, 500, "update detection" },
    { 501, 501, "update source scan" },
    { 700, 700, "resynchronisation" },
    { 701, 701, "heartbeat" },
    { 800, 801, "client deployment" },
    { 900, 900, "branch distribution point" },
    { 1000, 1004, "client framework communication" },
    { 1100, 1100, "mode readiness" },
    { 1200, 1200, "AMT" },
    { 1300, 1300, "client health" },
    { 1500, 1503, "client access licence" },
    { 1600, 1600, "user affinity" },
    { 1700, 1703, "application" },
    { 1900, 1902, "endpoint protection" },
    { 2001, 2003, "endpoint protection" },
    { 7200, 7201, "peer cache" },
};

const ccm_root *ccm_root_find(ccm_span root)
{
    for (size_t i = 0; i < COUNT_OF(roots); i++)
        if (ccm_span_is(root, roots[i].root))
            return &roots[i];
    return NULL;
}

const ccm_field *ccm_fields_of(ccm_span root, unsigned *n)
{
    *n = 0;
    for (size_t i = 0; i < COUNT_OF(field_sets); i++) {
        if (!ccm_span_is(root, field_sets[i].root))
            continue;
        *n = field_sets[i].n;
        return field_sets[i].fields;
    }
    return NULL;
}

const char *ccm_kind_refined(ccm_span root, ccm_span element, ccm_span attrs)
{
    for (size_t i = 0; i < COUNT_OF(refined); i++)
        if (ccm_span_is(element, refined[i].element) && ccm_span_is(root, refined[i].root) &&
            ccm_span_is(ccm_xml_get(attrs, refined[i].attribute), refined[i].value))
            return refined[i].words;
    return NULL;
}

const char *ccm_action_words(ccm_span id)
{
    static const char prefix[] = "{00000000-0000-0000-0000-000000000";
    size_t n = sizeof prefix - 1;
    if (id.n != n + 4 || memcmp(id.p, prefix, n) || id.p[n + 3] != '}')
        return NULL;
    ccm_span number = ccm_span_of(id.p + n, 3);
    return ccm_span_is(number, "001")   ? "hardware inventory"
           : ccm_span_is(number, "002") ? "software inventory"
           : ccm_span_is(number, "003") ? "heartbeat discovery"
           : ccm_span_is(number, "010") ? "collected files"
                                        : NULL;
}

const char *ccm_topic_words(uint64_t type)
{
    for (size_t i = 0; i < COUNT_OF(topics); i++)
        if (type >= topics[i].first && type <= topics[i].last)
            return topics[i].words;
    return NULL;
}
