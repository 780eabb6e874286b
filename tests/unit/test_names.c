/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_names.c - host-name patterns of the catalogue. Examples are made from the reference's table
 * of patterns (routes-and-ports.md section 7); each row has names that fit and near misses. */
#include "model/catalog.h"

static const struct {
    const char *name, *id; /* NULL: no row */
} examples[] = {
    { "contoso.westeurope.cloudapp.azure.com", "cmg" },
    { "cloudapp.azure.com", NULL },
    { "contoso.cloudapp.azure.com.evil.test", NULL },
    { "xcloudapp.azure.com", NULL },
    { "contoso.usgovcloudapp.net", "cmg-us-gov" },
    { "usgovcloudapp.net", NULL },
    { "contoso.usgovvirginia.usgovcloudapi.net", "cmg-us-gov-2" },
    { "usgovcloudapi.net", NULL },
    { "contoso.cloudapp.net", "cmg-classic" },
    { "CONTOSO.CloudApp.NET.", "cmg-classic" }, /* case, root dot */
    { "contosocloudapp.net", NULL },
    { "contoso.blob.core.windows.net", "azure-storage" },
    { "contoso.blob.core.usgovcloudapi.net", "azure-storage" },
    { "blob.core.windows.net.contoso.com", NULL },
    { "contoso.table.core.windows.net", "azure-table" },
    { "contoso.table.core.usgovcloudapi.net", "azure-table" },
    { "table.core.windows.com", NULL },
    { "contoso.vault.azure.net", "azure-keyvault" },
    { "vault.azure.net", "azure-keyvault" },
    { "contoso.vault.usgovcloudapi.net", "azure-keyvault" },
    { "myvault.azure.net", NULL },
    { "management.azure.com", "azure-management" },
    { "management.usgovcloudapi.net", "azure-management" },
    { "x.management.azure.com", NULL },
    { "management.core.windows.net", "azure-service-management" },
    { "management.core.windows.org", NULL },
    { "manage.windowsazure.com", "azure-portal" },
    { "x.manage.windowsazure.com", NULL },
    { "gallery.azure.com", "azure-gallery" },
    { "gallery.azure.net", NULL },
    { "graph.microsoft.com", "microsoft-graph" },
    { "xgraph.microsoft.com", NULL },
    { "graph.windows.net", "azure-ad-graph" },
    { "x.graph.windows.net", NULL },
    { "login.microsoftonline.com", "entra" },
    { "login.microsoftonline.us", "entra" },
    { "login.microsoftonline.org", NULL },
    { "x.login.microsoftonline.com", NULL },
    { "aadcdn.msauth.net", "entra-content" },
    { "aadcdn.msftauth.net", "entra-content" },
    { "aadcdn.msauth.com", NULL },
    { "contoso.file.core.windows.net", "azure-environment" },
    { "contoso.database.windows.net", "azure-environment" },
    { "contoso.trafficmanager.net", "azure-environment" },
    { "contoso.servicebus.azure.com", "azure-environment" },
    { "contosotrafficmanager.net", NULL },
    { "manage.microsoft.com", "intune" },
    { "a.b.manage.microsoft.com", "intune" },
    { "EnterpriseEnrollment.manage.microsoft.com", "intune" },
    { "x.manage.microsoft.us", "intune" },
    { "manage.microsoft.us", NULL },
    { "xmanage.microsoft.com", NULL },
    { "r.dm.microsoft.com", "intune-mdm" },
    { "dm.microsoft.com", NULL },
    { "swda01-mscdn.manage.microsoft.com", "intune-mdm" },
    { "swd-mscdn.manage.microsoft.com", "intune-mdm" },
    { "swda01-mscdn.x.manage.microsoft.com", "intune" }, /* one label only */
    { "swda01-mscdnx.manage.microsoft.com", "intune" },
    { "bspmts.mp.microsoft.com", "intune-store" },
    { "mp.microsoft.com", NULL },
    { "configmgrbits.azureedge.net", "servicing" },
    { "configmgrbits.cdn.manage.microsoft.com", "servicing" },
    { "cmbitsstore.blob.core.windows.net", "servicing" },
    { "x.azureedge.net", NULL },
    { "sccmconnected-a01.cloudapp.net", "usage-data" }, /* outranks cmg-classic */
    { "sccmconnected.a01.cloudapp.net", "usage-data" },
    { "sccmconnected-a02.cloudapp.net", "cmg-classic" },
    { "e1.akamaiedge.net", "cdn" },
    { "e1.deploy.akamaitechnologies.com", "cdn" },
    { "akamaiedge.net", NULL },
    { "go.microsoft.com", "redirect" },
    { "aka.ms", "redirect" },
    { "xaka.ms", NULL },
    { "download.microsoft.com", "download" },
    { "download.visualstudio.microsoft.com", "download" },
    { "definitionupdates.microsoft.com", "download" },
    { "x.download.microsoft.com", NULL },
    { "download.windowsupdate.com", "microsoft-update" },
    { "au.download.windowsupdate.com", "microsoft-update" },
    { "ctldl.windowsupdate.com", "microsoft-update" },
    { "update.windowsupdate.microsoft.com", "microsoft-update" },
    { "sws.update.microsoft.com", "microsoft-update" },
    { "ntservicepack.microsoft.com", "microsoft-update" },
    { "windowsupdate.com", NULL },
    { "notwindowsupdate.com", NULL },
    { "update.microsoft.com", NULL },
    { "dl.delivery.mp.microsoft.com", "do-content" },
    { "7.tlu.dl.delivery.mp.microsoft.com", "do-content" },
    { "delivery.mp.microsoft.com", NULL },
    { "kv801.prod.do.dsp.mp.microsoft.com", "do-service" },
    { "do.dsp.mp.microsoft.com", NULL },
    { "sin.wns.windows.com", "wns" },
    { "client.notify.windows.com", "wns" },
    { "notify.windows.com", NULL },
    { "officecdn.microsoft.com", "office" },
    { "config.office.com", "office" },
    { "clients.config.office.net", "office" },
    { "contentstorage.osi.office.net", "office" },
    { "omex.cdn.office.net", "office" },
    { "config.office.net", NULL },
    { "sc.microsoft.com", "asset-intelligence" },
    { "ssu2.manage.microsoft.com", "asset-intelligence" }, /* outranks intune */
    { "ssu3.manage.microsoft.com", "intune" },
    { "dc.services.visualstudio.com", "telemetry" },
    { "services.visualstudio.com", NULL },
    { "prod.westus.logic.azure.com", "notification" },
    { "logic.azure.com", NULL },
    { "crl3.digicert.com", "revocation" },
    { "crl4.digicert.com", "revocation" },
    { "ocsp.digicert.com", "revocation" },
    { "crl.microsoft.com", "revocation" },
    { "ocsp.msocsp.com", "revocation" },
    { "oneocsp.microsoft.com", "revocation" },
    { "www.d-trust.net", "revocation" },
    { "root-c3-ca2-2009.ocsp.d-trust.net", "revocation" },
    { "crl5.digicert.com", NULL },
    { "www.microsoft.com", NULL }, /* the path decides: urls.ini */
    { "github.com", "console-features" },
    { "raw.githubusercontent.com", "console-features" },
    { "communityhub.microsoft.com", "console-features" },
    { "petrol.office.microsoft.com", "console-features" },
    { "maps.bing.com", "console-features" },
    { "api.github.com", NULL },
    { "umwatsonc.events.data.microsoft.com", "crash-telemetry" },
    { "ceuswatcab01.blob.core.windows.net", "crash-telemetry" }, /* outranks azure-storage */
    { "watcab0.blob.core.windows.net", "crash-telemetry" },
    { "ceuswatcab1.blob.core.windows.net", "azure-storage" },
    { "", NULL },
    { ".", NULL },
    { "com", NULL },
    { ".cloudapp.net", NULL },
    { "mp.contoso.com", NULL },
};

static int look(const ccm_catalog *c, const char *name)
{
    size_t n = strlen(name);
    g_autofree uint8_t *exact = g_malloc(n ? n : 1); /* nothing behind the name may be read */
    memcpy(exact, name, n);
    return ccm_catalog_name(c, ccm_span_of(exact, n));
}

static void test_examples(const void *data)
{
    const ccm_catalog *c = data;
    for (unsigned i = 0; i < G_N_ELEMENTS(examples); i++) {
        int at = look(c, examples[i].name);
        const char *id = at < 0 ? NULL : ccm_mark_at(c, at)->id;
        g_assert_true(!id || g_str_has_prefix(id, "name:"));
        g_test_message("%s", examples[i].name);
        g_assert_cmpstr(id ? id + 5 : NULL, ==, examples[i].id);
        g_autofree char *glued = g_strconcat(examples[i].name, ".evil.test", NULL);
        g_assert_cmpint(look(c, glued), ==, -1);
    }
}

/* Each row has an example above, is about a server, is weak, and has a row for TLS. */
static void test_rows(const void *data)
{
    const ccm_catalog *c = data;
    unsigned rows = 0;
    for (unsigned i = 0; i < c->marks->len; i++) {
        const ccm_mark *m = ccm_mark_at(c, (int)i);
        bool shown = false;
        if (!m->named || !strcmp(m->id, "name:mp-service"))
            continue;
        rows++;
        for (unsigned k = 0; k < G_N_ELEMENTS(examples); k++)
            shown |= examples[k].id && strcmp(examples[k].id, m->id + 5) == 0;
        g_test_message("%s", m->id);
        g_assert_true(shown);
        g_assert_cmpint(m->certainty, ==, CCM_CERTAINTY_WEAK);
        const ccm_route_row *tls = ccm_route_at(c, m->route_tls);
        g_assert_cmpint(tls->destination, ==, m->server_role);
        g_assert_cmpint(ccm_route_at(c, m->route)->destination, ==, m->server_role);
        if (strcmp(m->id, "name:revocation") != 0) /* clear text only */
            g_assert_cmpstr(tls->protocol, ==, "https");
    }
    g_assert_cmpuint(rows, ==, 35);
}

static void test_service(const void *data)
{
    const ccm_catalog *c = data;
    int at = ccm_catalog_service(c, ccm_span_str("_MSSMS_MP_P01._tcp.contoso.com"));
    g_assert_cmpint(at, >=, 0);
    g_assert_cmpstr(ccm_role_at(c, ccm_mark_at(c, at)->server_role)->id, ==, "mp");
    g_assert_cmpint(ccm_catalog_service(c, ccm_span_str("_mssms_m")), ==, -1);
    g_assert_cmpint(ccm_catalog_service(c, ccm_span_str("_kerberos._tcp.contoso.com")), ==, -1);
    g_assert_cmpint(ccm_catalog_name(c, ccm_span_str("_mssms_mp_p01._tcp.contoso.com")), ==, -1);
}

/* A name as the reference's table writes it, with example labels; false: it holds no name. */
static bool example_of(const char *pattern, GString *out)
{
    g_string_truncate(out, 0);
    for (const char *p = pattern; *p; p++) {
        if (*p == '<') {
            g_string_append(out, "x1");
            p = strchr(p, '>');
            if (!p)
                return false;
        } else if (*p == '*') {
            g_string_append(out, "x2");
        } else if (g_ascii_isalnum(*p) || strchr("-._", *p)) {
            g_string_append_c(out, *p);
        } else {
            return false;
        }
    }
    return strchr(out->str, '.') && out->str[0] != '/';
}

/* Every pattern of the reference's table is found, in a row that refers to its number. */
static unsigned check_line(const ccm_catalog *c, const char *line)
{
    g_auto(GStrv) cells = g_strsplit(line, "|", -1);
    g_autoptr(GString) name = g_string_new(NULL);
    unsigned found = 0;
    if (g_strv_length(cells) < 5)
        return 0;
    for (unsigned cell = 2; cell < 4; cell++) {
        g_auto(GStrv) parts = g_strsplit(cells[cell], "`", -1); /* odd ones are literal */
        for (unsigned i = 0; parts[i] && parts[i + 1]; i += 2) {
            const char *word = parts[i + 1];
            g_autofree char *row = g_strstrip(g_strdup(cells[1]));
            g_autofree char *pattern = g_strdup(word);
            if (g_str_has_prefix(word, "www.microsoft.com/") || /* urls.ini */
                g_str_has_prefix(word, "cmg.contoso.com"))      /* row 3: whatever it leads to */
                continue;
            if (!example_of(pattern, name))
                continue;
            int at = g_str_has_prefix(word, "_") ? ccm_catalog_service(c, ccm_span_str(name->str))
                                                 : ccm_catalog_name(c, ccm_span_str(name->str));
            g_test_message("row %s: %s: %s", row, name->str,
                           at < 0 ? "-" : ccm_mark_at(c, at)->ref);
            g_assert_cmpint(at, >=, 0);
            g_auto(GStrv) refs = g_strsplit(ccm_mark_at(c, at)->ref, " ", -1);
            bool named = g_strv_contains((const char *const *)refs, row);
            g_assert_true(named);
            found++;
        }
    }
    return found;
}

static void test_complete(const void *data)
{
    const char *srcdir = g_getenv("srcdir");
    g_autofree char *text = NULL,
                    *path = g_build_filename(srcdir ? srcdir : ".", "..", "shared", "reference",
                                             "routes-and-ports.md", NULL);
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        g_test_skip("the reference is not beside the checkout");
        return;
    }
    const char *begin = strstr(text, "## 7. "), *end = strstr(text, "## 8. ");
    g_assert_true(begin && end);
    g_autofree char *table = g_strndup(begin, (gsize)(end - begin));
    g_auto(GStrv) lines = g_strsplit(table, "\n", -1);
    unsigned found = 0;
    for (char **l = lines; *l; l++)
        if (g_str_has_prefix(*l, "| ") && g_ascii_isdigit((*l)[2]))
            found += check_line(data, *l);
    g_assert_cmpuint(found, >=,
                     84); /* 92 literals less six paths, pkiops and the own name of row 3 */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    GError *error = NULL;
    ccm_catalog *c = ccm_catalog_load(NULL, &error);
    g_assert_no_error(error);
    g_test_add_data_func("/names/examples", c, test_examples);
    g_test_add_data_func("/names/rows", c, test_rows);
    g_test_add_data_func("/names/service", c, test_service);
    g_test_add_data_func("/names/complete", c, test_complete);
    int result = g_test_run();
    ccm_catalog_unref(c);
    return result;
}
