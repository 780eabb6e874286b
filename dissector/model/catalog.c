/* SPDX-License-Identifier: GPL-2.0-or-later
 * catalog.c - reads the catalogue's six .ini texts into const rows.
 *
 * In: roles.ini, routes.ini, urls.ini, ports.ini, names.ini, shares.ini (GKeyFile; values taken as
 * they stand). Out: a catalogue, or CCM_ERROR_USAGE naming file, group, key and remedy. State:
 * none. Strict: an unknown group, key or value is an error, so that a typing error cannot silently
 * switch a rule off. */
#include "model/catalog.h"

enum { ROWS_MAX = 4096, FILE_MAX = 4 << 20 };

static const char *const file_names[] = { "roles.ini", "routes.ini", "ports.ini",
                                          "urls.ini",  "names.ini",  "shares.ini" };
enum { REQUIRED = 5 }; /* without the others a catalogue is whole, too */

static const char *const protocols[] = {
    "http",      "https", "smb",  "tcp-tls", "tls",   "tds", "ssb", "ldap", "kerberos",
    "dns",       "rpc",   "dhcp", "tftp",    "winrm", "wol", "rdp", "nbns", "remote-control",
    "multicast", "icmp",  "udp",  "tcp",
};

/* Where a value comes from, for messages, and what has gone wrong so far. */
typedef struct reader {
    ccm_catalog *c;
    GKeyFile *kf;
    const char *file, *group;
    GError **error;
    bool failed;
} reader;

static void fail(reader *r, const char *key, const char *what, const char *remedy)
{
    if (!r->failed)
        g_set_error(r->error, CCM_ERROR, CCM_ERROR_USAGE, "catalogue file %s, [%s], %s: %s; %s",
                    r->file, r->group, key, what, remedy);
    r->failed = true;
}

/* NULL when absent. */
static const char *value(reader *r, const char *key)
{
    char *v = g_key_file_get_value(r->kf, r->group, key, NULL);
    if (!v)
        return NULL;
    const char *kept = NULL;
    g_strstrip(v);
    if (!*v || !g_utf8_validate(v, -1, NULL))
        fail(r, key, "the value is empty or not UTF-8", "give a value or remove the line");
    else
        kept = g_string_chunk_insert_const(r->c->text, v);
    g_free(v);
    return kept;
}

static const char *need(reader *r, const char *key)
{
    const char *v = value(r, key);
    if (!v)
        fail(r, key, "missing", "add this key");
    return v ? v : "";
}

static ccm_span lower_value(reader *r, const char *key)
{
    const char *v = value(r, key);
    if (!v)
        return (ccm_span){ 0 };
    char *low = g_ascii_strdown(v, -1);
    ccm_span s = ccm_span_str(g_string_chunk_insert_const(r->c->text, low));
    g_free(low);
    return s;
}

static void known_keys(reader *r, const char *const *known)
{
    char **keys = g_key_file_get_keys(r->kf, r->group, NULL, NULL);
    for (char **k = keys; k && *k; k++)
        if (!g_strv_contains(known, *k))
            fail(r, *k, "unknown key", "remove it or correct its spelling");
    g_strfreev(keys);
}

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

static int16_t role_value(reader *r, const char *key, const char *id)
{
    int i = id ? ccm_catalog_role(r->c, id) : -1;
    if (id && i < 0)
        fail(r, key, "no such role", "use an id of roles.ini");
    return (int16_t)i;
}

static int16_t route_value(reader *r, const char *key, const char *id)
{
    int i = id ? ccm_catalog_route(r->c, id) : -1;
    if (id && i < 0)
        fail(r, key, "no such route row", "use the id of a row of routes.ini");
    return (int16_t)i;
}

/* "N" or "N-M"; a missing value gives 0. */
static void port_value(reader *r, const char *key, uint16_t *low, uint16_t *high)
{
    const char *v = value(r, key);
    *low = *high = 0;
    if (!v)
        return;
    char *end = NULL;
    uint64_t a = g_ascii_isdigit(*v) ? g_ascii_strtoull(v, &end, 10) : UINT64_MAX, b = a;
    if (end && *end == '-' && g_ascii_isdigit(end[1]))
        b = g_ascii_strtoull(end + 1, &end, 10);
    if (!end || *end || a > 65535 || b > 65535 || b < a) {
        fail(r, key, "not a port", "write a number from 0 to 65535, or a range N-M");
        return;
    }
    *low = (uint16_t)a;
    *high = (uint16_t)b;
}

static bool truth(reader *r, const char *key)
{
    const char *v = value(r, key);
    if (v && strcmp(v, "true") != 0 && strcmp(v, "false") != 0)
        fail(r, key, "neither true nor false", "write true or false");
    return v && strcmp(v, "true") == 0;
}

static void read_role(reader *r)
{
    static const char *const known[] = { "title", "ref", NULL };
    known_keys(r, known);
    ccm_role_row row = { g_string_chunk_insert_const(r->c->text, r->group), need(r, "title"),
                         need(r, "ref") };
    g_array_append_val(r->c->roles, row);
}

static void read_route(reader *r)
{
    static const char *const known[] = { "route", "protocol",     "port", "title",
                                         "ref",   "throttleable", NULL };
    uint16_t high;
    ccm_route_row row = { .id = g_string_chunk_insert_const(r->c->text, r->group) };

    known_keys(r, known);
    row.route = need(r, "route");
    row.protocol = need(r, "protocol");
    row.title = need(r, "title");
    row.ref = need(r, "ref");
    need(r, "port");
    port_value(r, "port", &row.port, &high);
    char **side = g_strsplit(row.route, "/", 2);
    row.source = role_value(r, "route", side[0] ? side[0] : "");
    row.destination = role_value(r, "route", side[0] && side[1] ? side[1] : "");
    g_strfreev(side);
    bool known_protocol = false;
    for (unsigned i = 0; i < G_N_ELEMENTS(protocols); i++)
        known_protocol |= strcmp(protocols[i], row.protocol) == 0;
    if (!known_protocol)
        fail(r, "protocol", "unknown protocol", "use one of the documented protocol names");
    row.throttleable = truth(r, "throttleable");
    g_array_append_val(r->c->routes, row);
}

static void read_port(reader *r)
{
    static const char *const known[] = { "l4", "port", "route", "ref", NULL };
    ccm_port_row row = { .id = g_string_chunk_insert_const(r->c->text, r->group) };

    known_keys(r, known);
    row.ref = need(r, "ref");
    const char *l4 = need(r, "l4");
    row.l4 = strcmp(l4, "tcp") == 0 ? 6 : strcmp(l4, "udp") == 0 ? 17 : 0;
    if (!row.l4)
        fail(r, "l4", "neither tcp nor udp", "write tcp or udp");
    need(r, "port");
    port_value(r, "port", &row.low, &row.high);
    row.route = route_value(r, "route", need(r, "route"));
    g_array_append_val(r->c->ports, row);
}

static void read_certainty(reader *r, ccm_mark *m, bool needed)
{
    const char *v = needed ? need(r, "certainty") : value(r, "certainty");
    if (!v)
        return;
    for (unsigned c = CCM_CERTAINTY_WEAK; c <= CCM_CERTAINTY_PROVEN; c++)
        if (strcmp(v, ccm_certainty_name((ccm_certainty)c)) == 0)
            m->certainty = (ccm_certainty)c;
    if (m->certainty == CCM_CERTAINTY_UNKNOWN)
        fail(r, "certainty", "unknown word", "write proven, strong, likely or weak");
}

static void read_mark_conditions(reader *r, ccm_mark *m)
{
    uint16_t high;
    const char *method = value(r, "method"), *form = value(r, "form");

    if (method)
        m->method = ccm_span_str(method);
    m->path = lower_value(r, "path");
    m->contains = lower_value(r, "contains");
    m->query = lower_value(r, "query");
    m->user_agent = lower_value(r, "user_agent");
    m->host = lower_value(r, "host");
    port_value(r, "port", &m->port, &high);
    if (m->path.n && (m->path.p[0] != '/' || m->path.n < 2 || m->path.n > CCM_MATCH_PATH))
        fail(r, "path", "not a path prefix", "begin it with / and one more letter, at most 512");
    if (m->host.n > 2 && m->host.p[0] == '*' && m->host.p[1] == '.') {
        m->host_below = true;
        m->host = (ccm_span){ m->host.p + 1, m->host.n - 1 };
    }
    if (m->host.n && memchr(m->host.p, '*', m->host.n))
        fail(r, "host", "a * is allowed only as the whole first label", "write NAME or *.NAME");
    if (form && strcmp(form, "absolute") == 0)
        m->form = CCM_FORM_ABSOLUTE;
    else if (form && strcmp(form, "connect") == 0)
        m->form = CCM_FORM_CONNECT;
    else if (form)
        fail(r, "form", "unknown form", "write absolute or connect");
}

static void read_mark(reader *r)
{
    static const char *const known[] = { "title",       "ref",         "method",     "path",
                                         "contains",    "query",       "user_agent", "host",
                                         "port",        "form",        "route",      "certainty",
                                         "server_role", "client_role", NULL };
    static const char *const known_agent[] = { "title",     "ref",         "user_agent",
                                               "component", "client_role", "certainty",
                                               NULL };
    bool agent = g_str_has_prefix(r->group, "agent ");
    const char *id = r->group;
    ccm_mark m = { .route_tls = -1 };

    known_keys(r, agent ? known_agent : known);
    char *name = agent ? g_strdup_printf("agent-%s", id + strlen("agent ")) : g_strdup(id);
    m.id = g_string_chunk_insert_const(r->c->text, name);
    g_free(name);
    m.title = need(r, "title");
    m.ref = need(r, "ref");
    read_mark_conditions(r, &m);
    m.server_role = role_value(r, "server_role", value(r, "server_role"));
    m.client_role = role_value(r, "client_role", value(r, "client_role"));
    m.route = route_value(r, "route", value(r, "route"));
    read_certainty(r, &m, m.server_role >= 0 || m.client_role >= 0 || m.route >= 0);
    if (agent) {
        m.component = need(r, "component");
        need(r, "user_agent");
    } else if (!(m.method.n || m.path.n || m.query.n || m.user_agent.n || m.host.n || m.port ||
                 m.form)) {
        fail(r, "path", "a mark without a condition fits everything", "add a condition");
    }
    g_array_append_val(r->c->marks, m);
}

static void read_share(reader *r)
{
    static const char *const known[] = { "title",       "ref",         "share",     "path", "route",
                                         "server_role", "client_role", "certainty", NULL };
    ccm_mark m = { .route_tls = -1 };

    known_keys(r, known);
    m.id = g_string_chunk_insert_const(r->c->text, r->group);
    m.title = need(r, "title");
    m.ref = need(r, "ref");
    need(r, "share");
    m.share = lower_value(r, "share");
    m.path = lower_value(r, "path");
    m.server_role = role_value(r, "server_role", value(r, "server_role"));
    m.client_role = role_value(r, "client_role", value(r, "client_role"));
    m.route = route_value(r, "route", need(r, "route"));
    read_certainty(r, &m, true);
    g_array_append_val(r->c->marks, m);
}

/* Each of the patterns, which have ; between them. */
static void add_names(reader *r, ccm_span list, int mark)
{
    while (list.n) {
        const uint8_t *end = memchr(list.p, ';', list.n);
        ccm_span one = { list.p, end ? (size_t)(end - list.p) : list.n };
        size_t used = MIN(one.n + 1, list.n);
        list = (ccm_span){ list.p + used, list.n - used };
        if (!ccm_catalog_add_name(r->c, one, mark)) {
            fail(r, "name", "not a pattern, or another row has it",
                 "write NAME, *.NAME or LAB*EL.NAME, each once");
            return;
        }
    }
}

static void read_name(reader *r)
{
    static const char *const known[] = { "name",        "service", "title",     "server_role",
                                         "client_role", "route",   "qualifier", "generic",
                                         "certainty",   "ref",     NULL };
    ccm_mark m = { .named = true };

    known_keys(r, known);
    char *id = g_strconcat("name:", r->group, NULL);
    m.id = g_string_chunk_insert_const(r->c->text, id);
    g_free(id);
    m.title = need(r, "title");
    m.ref = need(r, "ref");
    m.server_role = role_value(r, "server_role", need(r, "server_role"));
    m.client_role = role_value(r, "client_role", value(r, "client_role"));
    m.route = m.route_tls = route_value(r, "route", value(r, "route"));
    if (m.route >= 0) {
        m.route = (int16_t)ccm_catalog_variant(r->c, m.route, "http");
        m.route_tls = (int16_t)ccm_catalog_variant(r->c, m.route, "https");
    }
    m.qualifier = value(r, "qualifier");
    m.generic = truth(r, "generic");
    read_certainty(r, &m, true);
    ccm_span names = lower_value(r, "name"), service = lower_value(r, "service");
    if (!names.n == !service.n)
        fail(r, "name", "neither or both of name and service", "give one of them");
    if (!r->failed && service.n)
        ccm_catalog_add_service(r->c, service, (int)r->c->marks->len);
    else if (!r->failed)
        add_names(r, names, (int)r->c->marks->len);
    g_array_append_val(r->c->marks, m);
}

static bool read_file(ccm_catalog *c, const char *file, const char *text, GError **error)
{
    void (*const row[])(reader *) = { read_role, read_route, read_port,
                                      read_mark, read_name,  read_share };
    GError *why = NULL;
    reader r = { .c = c, .kf = g_key_file_new(), .file = file, .group = "", .error = error };
    unsigned kind = 0;

    while (strcmp(file_names[kind], file) != 0)
        kind++;
    if (!g_key_file_load_from_data(r.kf, text, strlen(text), G_KEY_FILE_NONE, &why)) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE,
                    "catalogue file %s is not a key file: %s; correct its syntax", file,
                    why->message);
        g_error_free(why);
        g_key_file_free(r.kf);
        return false;
    }
    gsize n = 0;
    char **groups = g_key_file_get_groups(r.kf, &n);
    if (n > ROWS_MAX)
        fail(&r, "rows", "too many rows", "keep at most 4096 in a file");
    for (char **g = groups; *g && !r.failed; g++) {
        r.group = *g;
        row[kind](&r);
    }
    g_strfreev(groups);
    g_key_file_free(r.kf);
    return !r.failed;
}

static ccm_catalog *catalog_new(void)
{
    ccm_catalog *c = g_new0(ccm_catalog, 1);
    c->refs = 1;
    c->text = g_string_chunk_new(16384);
    c->roles = g_array_new(FALSE, FALSE, sizeof(ccm_role_row));
    c->routes = g_array_new(FALSE, FALSE, sizeof(ccm_route_row));
    c->marks = g_array_new(FALSE, FALSE, sizeof(ccm_mark));
    c->ports = g_array_new(FALSE, FALSE, sizeof(ccm_port_row));
    ccm_catalog_names_init(c);
    return c;
}

ccm_catalog *ccm_catalog_parse(const char *const *pairs, GError **error)
{
    ccm_catalog *c = catalog_new();
    bool ok = true;

    /* In the order of file_names: later files name rows of earlier ones. */
    for (unsigned i = 0; ok && i < G_N_ELEMENTS(file_names); i++) {
        const char *text = NULL;
        for (const char *const *p = pairs; *p; p += 2)
            if (strcmp(p[0], file_names[i]) == 0)
                text = p[1];
        if (text) {
            ok = read_file(c, file_names[i], text, error);
        } else if (i < REQUIRED) {
            g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE,
                        "the catalogue lacks the file %s; add it to the directory", file_names[i]);
            ok = false;
        }
    }
    c->unknown_role = ok ? ccm_catalog_role(c, "unknown") : -1;
    c->unknown_route = ok ? ccm_catalog_route(c, "unknown") : -1;
    c->proxy_role = ok ? ccm_catalog_role(c, "web-proxy") : -1;
    c->gateway_role = ok ? ccm_catalog_role(c, "cmg") : -1;
    c->point_role = ok ? ccm_catalog_role(c, "cmg-cp") : -1;
    if (ok && (c->unknown_role < 0 || c->unknown_route < 0)) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE,
                    "catalogue file %s, [unknown]: the row is missing; add it",
                    c->unknown_role < 0 ? "roles.ini" : "routes.ini");
        ok = false;
    }
    if (ok)
        ccm_catalog_index_marks(c);
    if (!ok) {
        ccm_catalog_unref(c);
        return NULL;
    }
    return c;
}

ccm_catalog *ccm_catalog_load(const char *directory, GError **error)
{
    const char *pairs[2 * G_N_ELEMENTS(file_names) + 1] = { NULL };
    char *text[G_N_ELEMENTS(file_names)] = { NULL };
    ccm_catalog *c = NULL;
    unsigned n = 0;

    if (!directory)
        return ccm_catalog_parse(ccm_catalog_data, error);
    for (; n < G_N_ELEMENTS(file_names); n++) {
        GError *why = NULL;
        gsize size = 0;
        char *path = g_build_filename(directory, file_names[n], NULL);
        bool read = g_file_get_contents(path, &text[n], &size, &why);
        if (!read || size > FILE_MAX || strlen(text[n]) != size) {
            g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE,
                        "catalogue file %s cannot be used: %s; the directory must hold roles.ini, "
                        "routes.ini, ports.ini, urls.ini, names.ini and shares.ini",
                        path, read ? "too large, or not text" : why->message);
            g_clear_error(&why);
            g_free(path);
            goto out;
        }
        g_free(path);
        pairs[2 * n] = file_names[n];
        pairs[2 * n + 1] = text[n];
    }
    c = ccm_catalog_parse(pairs, error);
out:
    for (unsigned i = 0; i < G_N_ELEMENTS(text); i++)
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
    g_string_chunk_free(c->text);
    g_free(c);
}

const char *ccm_certainty_name(ccm_certainty c)
{
    static const char *const names[] = { "unknown", "weak", "likely", "strong", "proven" };
    return (unsigned)c < G_N_ELEMENTS(names) ? names[c] : "unknown";
}
