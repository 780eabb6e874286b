/* SPDX-License-Identifier: GPL-2.0-or-later
 * catalog.c - a catalogue: made from texts, from the files of a directory, or from what was
 * compiled in; its life and its ids.
 *
 * In: .ini texts or the built-in numbers. Out: an immutable catalogue, or CCM_ERROR_USAGE. State:
 * none. */
#include "model/catalog_rows.h"

enum { FILE_MAX = 4 << 20, REQUIRED = 5 /* without shares.ini a catalogue is whole, too */ };

int ccm_catalog_role(const ccm_catalog *c, const char *id)
{
    for (unsigned i = 0; i < c->roles->len; i++)
        if (strcmp(ccm_role_at(c, (int)i)->id, id) == 0)
            return (int)i;
    return -1;
}

int ccm_catalog_route(const ccm_catalog *c, const char *id)
{
    for (unsigned i = 0; i < c->routes->len; i++)
        if (strcmp(ccm_route_at(c, (int)i)->id, id) == 0)
            return (int)i;
    return -1;
}

static ccm_catalog *catalog_new(bool from_text)
{
    ccm_catalog *c = g_new0(ccm_catalog, 1);
    c->refs = 1;
    c->text = from_text ? g_string_chunk_new(16384) : NULL;
    c->roles = g_array_new(FALSE, TRUE, sizeof(ccm_role_row));
    c->routes = g_array_new(FALSE, TRUE, sizeof(ccm_route_row));
    c->marks = g_array_new(FALSE, TRUE, sizeof(ccm_mark));
    c->ports = g_array_new(FALSE, TRUE, sizeof(ccm_port_row));
    ccm_catalog_names_init(c);
    return c;
}

/* What C knows by name, and the index of marks. False: a row that must exist does not. */
static bool finish(ccm_catalog *c, GError **error)
{
    c->unknown_role = ccm_catalog_role(c, "unknown");
    c->unknown_route = ccm_catalog_route(c, "unknown");
    c->proxy_role = ccm_catalog_role(c, "web-proxy");
    c->gateway_role = ccm_catalog_role(c, "cmg");
    c->point_role = ccm_catalog_role(c, "cmg-cp");
    if (c->unknown_role < 0 || c->unknown_route < 0) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE,
                    "catalogue file %s, [unknown]: the row is missing; add it",
                    ccm_catalog_files[c->unknown_role < 0 ? 0 : 1]);
        return false;
    }
    ccm_catalog_index_marks(c);
    return true;
}

ccm_catalog *ccm_catalog_parse(const char *const *pairs, GError **error)
{
    ccm_catalog *c = catalog_new(true);
    bool ok = true;

    /* In the order of ccm_catalog_files: later files name rows of earlier ones. */
    for (unsigned i = 0; ok && i < CCM_CATALOG_FILES; i++) {
        const char *text = NULL;
        for (const char *const *p = pairs; *p; p += 2)
            if (strcmp(p[0], ccm_catalog_files[i]) == 0)
                text = p[1];
        if (text) {
            ok = ccm_catalog_read(c, i, text, error);
        } else if (i < REQUIRED) {
            g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE,
                        "the catalogue lacks the file %s; add it to the directory",
                        ccm_catalog_files[i]);
            ok = false;
        }
    }
    if (!ok || !finish(c, error)) {
        ccm_catalog_unref(c);
        return NULL;
    }
    return c;
}

static ccm_catalog *built_in(void)
{
    ccm_catalog *c = catalog_new(false);

    ccm_catalog_unpack(c);
    for (unsigned i = 0; i < c->marks->len; i++)
        ccm_catalog_add_names(c, (int)i);
    finish(c, NULL); /* the build has seen that it holds all rows */
    return c;
}

ccm_catalog *ccm_catalog_load(const char *directory, GError **error)
{
    const char *pairs[2 * CCM_CATALOG_FILES + 1] = { NULL };
    char *text[CCM_CATALOG_FILES] = { NULL };
    ccm_catalog *c = NULL;

    if (!directory)
        return built_in();
    for (unsigned i = 0; i < CCM_CATALOG_FILES; i++) {
        GError *why = NULL;
        gsize size = 0;
        char *path = g_build_filename(directory, ccm_catalog_files[i], NULL);
        bool read = g_file_get_contents(path, &text[i], &size, &why);
        if (!read || size > FILE_MAX || strlen(text[i]) != size) {
            g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE,
                        "catalogue file %s cannot be used: %s; the directory must hold roles.ini, "
                        "routes.ini, ports.ini, urls.ini, names.ini and shares.ini",
                        path, read ? "too large, or not text" : why->message);
            g_clear_error(&why);
            g_free(path);
            goto out;
        }
        g_free(path);
        pairs[2 * i] = ccm_catalog_files[i];
        pairs[2 * i + 1] = text[i];
    }
    c = ccm_catalog_parse(pairs, error);
out:
    for (unsigned i = 0; i < CCM_CATALOG_FILES; i++)
        g_free(text[i]);
    return c;
}

ccm_catalog *ccm_catalog_ref(ccm_catalog *c)
{
    g_atomic_int_inc(&c->refs);
    return c;
}

void ccm_catalog_unref(ccm_catalog *c)
{
    if (!c || !g_atomic_int_dec_and_test(&c->refs))
        return;
    GArray *all[] = { c->roles,  c->routes,     c->marks,      c->ports,        c->proxies,
                      c->agents, c->name_nodes, c->name_globs, c->name_services };
    for (unsigned i = 0; i < G_N_ELEMENTS(all); i++)
        if (all[i])
            g_array_unref(all[i]);
    for (unsigned b = 0; b < CCM_MARK_BUCKETS; b++)
        if (c->bucket[b])
            g_array_unref(c->bucket[b]);
    ccm_index_clear(&c->name_index);
    if (c->text)
        g_string_chunk_free(c->text);
    g_free(c);
}

const char *ccm_certainty_name(ccm_certainty c)
{
    static const char *const names[] = { "unknown", "weak", "likely", "strong", "proven" };
    return (unsigned)c < G_N_ELEMENTS(names) ? names[c] : "unknown";
}
