/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_catalog.c - the built-in catalogue, its errors, and what requests match. Expected values
 * come from the reference rows named in each catalogue row's `ref`. */
#include "model/catalog.h"
#include "observe/obs.h"

static const ccm_catalog *cat(const void *data)
{
    return data;
}

typedef struct want {
    const char *method, *target, *host, *agent;
    uint16_t port;
    const char *mark, *route, *server, *certainty, *component;
} want;

static const want wants[] = {
    { "CCM_POST", "/ccm_system/request", "mp.x", "ccmhttp", 80, "ccm-system-request", "client/mp",
      "mp", "proven", "ccmexec-messaging" },
    { "CCM_POST", "/CCM_System_WindowsAuth/Request", NULL, NULL, 8080,
      "ccm-system-windowsauth-request", "client/mp", "mp", "proven", NULL },
    { "CCM_POST", "/ccm_system_altauth/request", NULL, NULL, 443, "ccm-system-altauth-request",
      "client/mp", "mp", "proven", NULL },
    { "CCM_POST", "/elsewhere", NULL, NULL, 80, "ccm-post", "client/mp", "mp", "strong", NULL },
    { "GET", "/ccm_system_windowsauth/", NULL, NULL, 80, "ccm-system-other", "client/mp", "mp",
      "likely", NULL },
    { "BITS_POST", "/CCM_Incoming/{1}", NULL, "Microsoft BITS/7.8", 80, "ccm-incoming", "client/mp",
      "mp", "proven", "bits" },
    { "GET", "/SMS_MP/.sms_aut?MPLIST", NULL, "SMS CCM 5.0", 80, "sms-aut-mplist", "client/mp",
      "mp", "proven", "ccmexec" },
    { "GET", "/SMS_MP/.sms_aut?MPKEYINFORMATION", NULL, NULL, 80, "sms-aut", "client/mp", "mp",
      "proven", NULL },
    { "HEAD", "/sms_mp_windowsauth/.sms_pol?{g}.5_00", NULL, NULL, 80, "sms-pol-windowsauth",
      "client/mp", "mp", "proven", NULL },
    { "GET", "/SMS_MP/.sms_dcm?Id&DocumentId=x", NULL, NULL, 80, "sms-dcm", "client/mp", "mp",
      "proven", NULL },
    { "GET", "/CCM_Client/ccmsetup.cab", NULL, "ccmsetup", 80, "ccm-client-files", "client/mp",
      "mp", "strong", "ccmsetup" },
    { "POST", "/bgb/handler.ashx?RequestType=LogIn", NULL, NULL, 80, "bgb-handler", "client/mp",
      "mp", "proven", NULL },
    { "PROPFIND", "/SMS_DP_SMSPKG$/ABC00012", NULL, "SMS CCM 5.0 TS", 80, "dp-content-list",
      "client/dp", "dp", "proven", "task-sequence" },
    { "GET", "/sms_dp_smspkg%24/Content_{g}.1/sccm?/a.cab", NULL, NULL, 80, "dp-content",
      "client/dp", "dp", "proven", NULL },
    { "GET", "/NOCERT_SMS_DP_SMSSIG$/x.1.tar", NULL, NULL, 80, "dp-signature-nocert", "client/dp",
      "dp", "proven", NULL },
    { "GET", "/CCMTOKENAUTH_SMS_DP_SMSPKG$/x", NULL, NULL, 80, "dp-content-token", "client/dp",
      "dp", "proven", NULL },
    { "GET", "/SCCM_BranchCache$/P0100001/sccm?/f", NULL, NULL, 8003, "peer-cache", "client/peer",
      "peer", "proven", NULL },
    { "POST", "/ClientWebService/client.asmx", NULL,
      "Windows-Update-Agent/10.0 Client-Protocol/2.0", 8530, "wsus-client", "client/sup", "sup",
      "strong", "windows-update-agent" },
    { "POST", "/ServerSyncWebService/ServerSync.asmx", NULL, NULL, 8530, "wsus-server-sync",
      "sup/sup", "sup", "strong", NULL },
    { "POST", "/SMS_FSP/.sms_fsp", NULL, NULL, 80, "fsp-state", "client/fsp", "fsp", "proven",
      NULL },
    { "GET", "/AdminService/wmi/SMS_Site", NULL, NULL, 443, "adminservice", "client/provider",
      "provider", "strong", NULL },
    { "CCM_POST", "/CCM_Proxy_MutualAuth/72057594037937981/ccm_system/request", NULL, NULL, 443,
      "cmg-mutual-auth", "client/cmg", "cmg", "proven", NULL },
    { "GET", "/CCM_Proxy_ServerAuth/8/SMS_MP/.sms_aut", NULL, NULL, 443, "cmg-server-auth",
      "client/cmg", "cmg", "proven", NULL },
    { "GET", "/x.cab", "au.download.windowsupdate.com:80", "Windows-Update-Agent", 80,
      "update-agent", "client/microsoft-update", "microsoft-update", "strong",
      "windows-update-agent" },
    { "GET", "/x.cab", "DOWNLOAD.windowsupdate.com", NULL, 80, "name:microsoft-update",
      "client/microsoft-update", "microsoft-update", "weak", NULL },
    { "GET", "/pkiops/crl/x.crl", "www.microsoft.com", NULL, 80, "revocation-pkiops",
      "client/revocation", "revocation", "weak", NULL },
    { "GET", "/x", "notwindowsupdate.com", NULL, 80, NULL, NULL, NULL, "unknown", NULL },
    { "GET", "/", "www.example.com", "curl/8", 80, NULL, NULL, NULL, "unknown", NULL },
    { "OPTIONS", "*", NULL, NULL, 80, NULL, NULL, NULL, "unknown", NULL },
    { "GET", "", NULL, NULL, 80, NULL, NULL, NULL, "unknown", NULL },
};

static ccm_request request_of(const want *w)
{
    ccm_request r = { .port = w->port };
    r.method = ccm_span_str(w->method);
    r.target = ccm_span_str(w->target);
    if (w->host)
        r.host = ccm_span_str(w->host);
    if (w->agent)
        r.user_agent = ccm_span_str(w->agent);
    return r;
}

static void matches(const void *data)
{
    const ccm_catalog *c = cat(data);
    for (unsigned i = 0; i < G_N_ELEMENTS(wants); i++) {
        const want *w = &wants[i];
        ccm_request r = request_of(w);
        ccm_match m;
        ccm_catalog_match(c, &r, &m);
        g_test_message("%s %s", w->method, w->target);
        g_assert_cmpint(m.proxy, ==, -1);
        g_assert_cmpstr(m.mark < 0 ? NULL : ccm_mark_at(c, m.mark)->id, ==, w->mark);
        g_assert_cmpstr(m.route < 0 ? NULL : ccm_route_at(c, m.route)->route, ==, w->route);
        g_assert_cmpstr(ccm_certainty_name(m.certainty), ==, w->certainty);
        g_assert_cmpstr(m.agent < 0 ? NULL : ccm_mark_at(c, m.agent)->component, ==, w->component);
        if (w->server)
            g_assert_cmpstr(ccm_role_at(c, ccm_mark_at(c, m.mark)->server_role)->id, ==, w->server);
    }
}

static void proxies(const void *data)
{
    const ccm_catalog *c = cat(data);
    const want absolute = { .method = "CCM_POST", .target = "HTTP://mp.x:80/ccm_system/request" };
    const want tunnel = { .method = "CONNECT", .target = "cmg.x:443" };
    ccm_request r = request_of(&absolute);
    ccm_match m;

    ccm_catalog_match(c, &r, &m);
    g_assert_cmpint(m.form, ==, CCM_FORM_ABSOLUTE);
    g_assert_cmpstr(ccm_mark_at(c, m.mark)->id, ==, "ccm-system-request");
    g_assert_cmpstr(ccm_mark_at(c, m.proxy)->id, ==, "absolute-form");
    g_assert_cmpstr(ccm_route_at(c, m.route)->route, ==, "client/web-proxy");
    r = request_of(&tunnel);
    ccm_catalog_match(c, &r, &m);
    g_assert_cmpint(m.mark, ==, -1);
    g_assert_cmpstr(ccm_mark_at(c, m.proxy)->id, ==, "connect");
}

/* Every truncation of every target, on memory that ends where the text ends. */
static void truncations(const void *data)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(wants); i++) {
        size_t n = strlen(wants[i].target);
        for (size_t len = 0; len <= n; len++) {
            uint8_t *exact = g_malloc(len ? len : 1);
            memcpy(exact, wants[i].target, len);
            ccm_request r = request_of(&wants[i]);
            ccm_match m;
            r.target = ccm_span_of(exact, len);
            ccm_catalog_match(cat(data), &r, &m);
            g_free(exact);
        }
    }
}

static void ports(const void *data)
{
    const ccm_catalog *c = cat(data);
    const struct {
        uint8_t l4;
        uint16_t port;
        const char *route, *protocol;
    } t[] = {
        { 17, 53, "client/dns", "dns" },         { 6, 88, "client/dc", "kerberos" },
        { 6, 445, "client/file-server", "smb" }, { 6, 1433, "unknown/sql", "tds" },
        { 6, 8530, "client/sup", "http" },       { 6, 10123, "client/mp", "tls" },
        { 6, 10124, "cmg-cp/cmg", "https" },     { 6, 10139, "cmg-cp/cmg", "https" },
        { 6, 10140, "cmg-cp/cmg", "tcp-tls" },   { 6, 10155, "cmg-cp/cmg", "tcp-tls" },
        { 17, 68, "client/dhcp", "dhcp" },       { 17, 4011, "client/dp", "dhcp" },
        { 17, 63500, "client/dp", "multicast" }, { 6, 3389, "console/client", "rdp" },
        { 6, 8003, "client/peer", "http" },      { 17, 137, "client/wins", "nbns" },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(t); i++) {
        int row = ccm_catalog_port(c, t[i].l4, t[i].port);
        g_assert_cmpint(row, >=, 0);
        g_assert_cmpstr(ccm_route_at(c, row)->route, ==, t[i].route);
        g_assert_cmpstr(ccm_route_at(c, row)->protocol, ==, t[i].protocol);
    }
    g_assert_cmpint(ccm_catalog_port(c, 6, 10156), ==, -1);
    g_assert_cmpint(ccm_catalog_port(c, 1, 53), ==, -1);
    int dp = ccm_catalog_route(c, "client-dp-http");
    int pull = ccm_catalog_sibling(c, dp, ccm_catalog_role(c, "dp"));
    g_assert_cmpstr(ccm_route_at(c, pull)->route, ==, "dp/dp");
    g_assert_true(ccm_route_at(c, pull)->throttleable);
    g_assert_cmpint(ccm_catalog_sibling(c, dp, ccm_catalog_role(c, "fsp")), ==, -1);
}

#define ROLES "[unknown]\ntitle=U\nref=r\n[client]\ntitle=C\nref=r\n[mp]\ntitle=M\nref=r\n"
#define ROUTES                                                                                     \
    "[unknown]\nroute=unknown/unknown\nprotocol=tcp\nport=0\ntitle=U\nref=r\n"                     \
    "[a]\nroute=client/mp\nprotocol=http\nport=80\ntitle=A\nref=r\n"
#define NAMES(more) "[n]\nserver_role=mp\nroute=a\ncertainty=weak\ntitle=N\nref=r\n" more "\n"
#define URLS "[x]\npath=/x\nroute=a\ncertainty=weak\ntitle=X\nref=r\n"

static void name_errors(void)
{
    const struct {
        const char *says, *names;
    } t[] = {
        { NULL, NAMES("name=a.b;*.b;c*d.b") },
        { "neither or both", NAMES("") },
        { "names.ini:7: [n], name", NAMES("name=b") },
        { "names.ini:7: [n], name", NAMES("name=a.*.b") },
        { "names.ini:7: [n], name", NAMES("name=*") },
        { "names.ini:7: [n], name", NAMES("name=*.") },
        { "names.ini:7: [n], name", NAMES("name=a.b;;c.b") },
        { "names.ini:7: [n], name", NAMES("name=a.b;A.B") },
        { "generic: neither", NAMES("name=a.b\ngeneric=yes") },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(t); i++) {
        const char *pairs[] = { "roles.ini", ROLES, "routes.ini", ROUTES,     "ports.ini", "",
                                "urls.ini",  URLS,  "names.ini",  t[i].names, NULL };
        g_autoptr(GError) error = NULL;
        ccm_catalog *c = ccm_catalog_parse(pairs, &error);
        g_test_message("case %u: %s", i, error ? error->message : "");
        g_assert_cmpint(c == NULL, ==, t[i].says != NULL);
        g_assert_true(!t[i].says || strstr(error->message, t[i].says));
        ccm_catalog_unref(c);
    }
}

static void errors(void)
{
    const struct {
        const char *roles, *routes, *ports, *urls, *says;
    } t[] = {
        { ROLES, ROUTES, "", URLS, NULL },
        { "[client]\ntitle=C\nref=r\n", "", "", "", "[unknown]" },
        { ROLES, "[u]\nroute=client/mp\n", "", "", "routes.ini:1: [u], protocol" },
        { ROLES, ROUTES "[b]\nroute=client/nobody\nprotocol=http\nport=1\ntitle=t\nref=r\n", "", "",
          "routes.ini:14: [b], route: no such role" },
        { ROLES, ROUTES "[b]\nroute=client\nprotocol=http\nport=1\ntitle=t\nref=r\n", "", "",
          "[b], route" },
        { ROLES, ROUTES "[b]\nroute=client/mp\nprotocol=gopher\nport=1\ntitle=t\nref=r\n", "", "",
          "[b], protocol" },
        { ROLES, ROUTES "[b]\nroute=client/mp\nprotocol=http\nport=70000\ntitle=t\nref=r\n", "", "",
          "[b], port: not a port" },
        { ROLES, ROUTES, "[p]\nl4=tcp\nport=9-1\nroute=a\nref=r\n", "", "[p], port" },
        { ROLES, ROUTES, "[p]\nl4=sctp\nport=9\nroute=a\nref=r\n", "", "[p], l4" },
        { ROLES, ROUTES, "[p]\nl4=tcp\nport=9\nroute=b\nref=r\n", "", "no such route row" },
        { ROLES, ROUTES, "", "[x]\npath=/x\ntitle=X\n", "urls.ini:1: [x], ref: missing" },
        { ROLES, ROUTES, "", "[x]\npath=/x\nroute=a\ntitle=X\nref=r\n", "[x], certainty" },
        { ROLES, ROUTES, "", "[x]\ntitle=X\nref=r\n", "without a condition" },
        { ROLES, ROUTES, "", "[x]\npath=x\ntitle=X\nref=r\n", "[x], path" },
        { ROLES, ROUTES, "", "[x]\npaht=/x\ntitle=X\nref=r\n",
          "urls.ini:2: [x], paht: unknown key" },
        { ROLES, ROUTES, "", "[x]\nhost=a.*.b\ntitle=X\nref=r\n", "[x], host" },
        { ROLES, ROUTES, "", "[x]\nform=odd\ntitle=X\nref=r\n", "[x], form" },
        { ROLES, ROUTES, "", "\n# k=v\nno group\n", "urls.ini:3: []: neither" },
        { ROLES, ROUTES, "", "k=v\n", "urls.ini:1: []: neither" },
        { ROLES, ROUTES, "", URLS "no value\n", "urls.ini:7: [x]: neither" },
        { ROLES, ROUTES, "", URLS "[y\n", "urls.ini:7: []: not the name" },
        { ROLES, ROUTES, "", URLS URLS, "urls.ini:7: [x]: another row" },
        { ROLES, ROUTES, "", URLS "path=/x\n", "urls.ini:7: [x], path: given twice" },
        { ROLES, ROUTES, "", URLS "query=\n", "urls.ini:7: [x], query: the value is empty" },
        { ROLES, ROUTES, "", URLS "query=\xff\n", "urls.ini:7: [x], query: the value is empty" },
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(t); i++) {
        const char *pairs[] = { "roles.ini", t[i].roles, "routes.ini", t[i].routes,
                                "ports.ini", t[i].ports, "urls.ini",   t[i].urls,
                                "names.ini", "",         NULL };
        GError *error = NULL;
        ccm_catalog *c = ccm_catalog_parse(pairs, &error);
        g_test_message("case %u", i);
        if (!t[i].says) {
            g_assert_no_error(error);
            ccm_catalog_unref(c);
            continue;
        }
        g_assert_null(c);
        g_assert_error(error, CCM_ERROR, CCM_ERROR_USAGE);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, t[i].says));
        g_error_free(error);
    }
    const char *few[] = { "roles.ini", ROLES, NULL };
    GError *error = NULL;
    g_assert_null(ccm_catalog_parse(few, &error));
    g_assert_error(error, CCM_ERROR, CCM_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, "routes.ini"));
    g_error_free(error);
}

static void equal_text(const char *a, const char *b)
{
    g_assert_cmpstr(a, ==, b);
}

static void equal_span(ccm_span a, ccm_span b)
{
    g_assert_cmpmem(a.p, a.n, b.p, b.n);
}

static void equal_number(int64_t a, int64_t b)
{
    g_assert_cmpint(a, ==, b);
}

#define EQUAL(type, name)                                                                          \
    _Generic(a->name, const char *: equal_text, ccm_span: equal_span, default: equal_number)(      \
        a->name, b->name);

/* What was compiled in is what stands in the files. */
static void directory(const void *data)
{
    const ccm_catalog *in = cat(data);
    const char *srcdir = g_getenv("srcdir");
    GError *error = NULL;
    g_autofree char *dir = g_build_filename(srcdir ? srcdir : ".", "dissector", "catalog", NULL);
    ccm_catalog *c = ccm_catalog_load(dir, &error);

    g_assert_no_error(error);
    g_assert_cmpint(c->roles->len, ==, in->roles->len);
    g_assert_cmpint(c->routes->len, ==, in->routes->len);
    g_assert_cmpint(c->ports->len, ==, in->ports->len);
    g_assert_cmpint(c->marks->len, ==, in->marks->len);
    for (unsigned i = 0; i < c->roles->len; i++) {
        const ccm_role_row *a = ccm_role_at(in, (int)i), *b = ccm_role_at(c, (int)i);
        CCM_ROLE_ROW(EQUAL)
    }
    for (unsigned i = 0; i < c->routes->len; i++) {
        const ccm_route_row *a = ccm_route_at(in, (int)i), *b = ccm_route_at(c, (int)i);
        CCM_ROUTE_ROW(EQUAL)
    }
    for (unsigned i = 0; i < c->ports->len; i++) {
        const ccm_port_row *a = &g_array_index(in->ports, ccm_port_row, i),
                           *b = &g_array_index(c->ports, ccm_port_row, i);
        CCM_PORT_ROW(EQUAL)
    }
    for (unsigned i = 0; i < c->marks->len; i++) {
        const ccm_mark *a = ccm_mark_at(in, (int)i), *b = ccm_mark_at(c, (int)i);
        CCM_MARK(EQUAL)
    }
    ccm_catalog_unref(c);
    g_assert_null(ccm_catalog_load("no such directory", &error));
    g_assert_error(error, CCM_ERROR, CCM_ERROR_USAGE);
    g_error_free(error);
}

/* Each row says where it comes from, and no id appears twice. */
static void refs(const void *data)
{
    const ccm_catalog *c = cat(data);
    for (unsigned i = 0; i < c->marks->len; i++) {
        const ccm_mark *m = ccm_mark_at(c, (int)i);
        g_assert_true(g_str_has_prefix(m->ref, "routes-and-ports.md ") ||
                      g_str_has_prefix(m->ref, "ccm-protocol.md "));
        for (unsigned k = 0; k < i; k++)
            g_assert_cmpstr(ccm_mark_at(c, (int)k)->id, !=, m->id);
    }
    for (unsigned i = 0; i < c->routes->len; i++)
        g_assert_true(g_str_has_prefix(ccm_route_at(c, (int)i)->ref, "routes-and-ports.md "));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    GError *error = NULL;
    ccm_catalog *c = ccm_catalog_load(NULL, &error);
    g_assert_no_error(error);
    g_test_add_data_func("/catalog/matches", c, matches);
    g_test_add_data_func("/catalog/proxies", c, proxies);
    g_test_add_data_func("/catalog/truncations", c, truncations);
    g_test_add_data_func("/catalog/ports", c, ports);
    g_test_add_data_func("/catalog/refs", c, refs);
    g_test_add_func("/catalog/errors", errors);
    g_test_add_func("/catalog/name-errors", name_errors);
    g_test_add_data_func("/catalog/directory", c, directory);
    int result = g_test_run();
    ccm_catalog_unref(c);
    return result;
}
