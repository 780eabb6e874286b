/* SPDX-License-Identifier: GPL-2.0-or-later
 * catalog_read.c - the catalogue's .ini texts to rows.
 *
 * In: the text of one file: lines that are [id], key=value, # and a comment, or empty; space around
 * them does not matter, values are taken as they stand. Out: rows of a catalogue, or
 * CCM_ERROR_USAGE naming file, line, row, key and remedy. State: none. Strict: what is unknown or
 * given twice is an error, so that a typing error cannot silently switch a rule off. */
#include "model/catalog.h"

enum { ROWS_MAX = 4096, KEYS_MAX = 32 };

const char *const ccm_catalog_files[CCM_CATALOG_FILES] = {
    "roles.ini", "routes.ini", "ports.ini", "urls.ini", "names.ini", "shares.ini"
};

static const char *const protocols[] = {
    "http",      "https", "smb",  "tcp-tls", "tls",   "tds", "ssb", "ldap", "kerberos",
    "dns",       "rpc",   "dhcp", "tftp",    "winrm", "wol", "rdp", "nbns", "remote-control",
    "multicast", "icmp",  "udp",  "tcp",
};

typedef struct entry {
    const char *key, *value;
    unsigned line;
} entry;

/* A row as it is read, and what has gone wrong so far. */
typedef struct reader {
    ccm_catalog *c;
    const char *file, *group; /* group NULL: before the first row */
    unsigned group_line, n;
    entry entry[KEYS_MAX];
    GHashTable *groups; /* known ones of this file */
    GError **error;
    bool failed;
} reader;

static void fail_at(reader *r, unsigned line, const char *key, const char *what, const char *remedy)
{
    if (!r->failed)
        g_set_error(r->error, CCM_ERROR, CCM_ERROR_USAGE, "catalogue file %s:%u: [%s]%s%s: %s; %s",
                    r->file, line, r->group ? r->group : "", *key ? ", " : "", key, what, remedy);
    r->failed = true;
}

static const entry *find(const reader *r, const char *key)
{
    for (unsigned i = 0; i < r->n; i++)
        if (strcmp(r->entry[i].key, key) == 0)
            return &r->entry[i];
    return NULL;
}

static void fail(reader *r, const char *key, const char *what, const char *remedy)
{
    const entry *e = find(r, key);
    fail_at(r, e ? e->line : r->group_line, key, what, remedy);
}

/* NULL when absent. */
static const char *value(reader *r, const char *key)
{
    const entry *e = find(r, key);
    return e ? e->value : NULL;
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
    char *low = g_string_chunk_insert(r->c->text, v);
    for (char *p = low; *p; p++)
        *p = g_ascii_tolower(*p);
    return ccm_span_str(low);
}

static void known_keys(reader *r, const char *const *known)
{
    for (unsigned i = 0; i < r->n; i++)
        if (!g_strv_contains(known, r->entry[i].key))
            fail(r, r->entry[i].key, "unknown key", "remove it or correct its spelling");
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
    ccm_role_row row = { r->group, need(r, "title"), need(r, "ref") };
    g_array_append_val(r->c->roles, row);
}

static void read_route(reader *r)
{
    static const char *const known[] = { "route", "protocol",     "port", "title",
                                         "ref",   "throttleable", NULL };
    uint16_t high;
    ccm_route_row row = { .id = r->group };

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
    ccm_port_row row = { .id = r->group };

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
    m.id = r->group;
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
    m.names = lower_value(r, "name");
    m.service = lower_value(r, "service");
    if (!m.names.n == !m.service.n)
        fail(r, "name", "neither or both of name and service", "give one of them");
    g_array_append_val(r->c->marks, m);
    if (!r->failed && !ccm_catalog_add_names(r->c, (int)r->c->marks->len - 1))
        fail(r, "name", "not a pattern, or another row has it",
             "write NAME, *.NAME or LAB*EL.NAME, each once");
}

static void begin_row(reader *r, char *line, unsigned number)
{
    size_t n = strlen(line);

    r->group = NULL;
    r->group_line = number;
    r->n = 0;
    if (n < 3 || line[n - 1] != ']') {
        fail_at(r, number, "", "not the name of a row", "write [NAME]");
        return;
    }
    line[n - 1] = 0;
    r->group = line + 1;
    if (!g_hash_table_add(r->groups, line + 1))
        fail_at(r, number, "", "another row has this name", "choose a name, or remove the row");
    if (g_hash_table_size(r->groups) > ROWS_MAX)
        fail_at(r, number, "", "too many rows", "keep at most 4096 in a file");
}

static void add_entry(reader *r, char *line, unsigned number)
{
    char *equals = strchr(line, '=');

    if (!r->group || !equals || r->n == KEYS_MAX) {
        fail_at(r, number, "", "neither [NAME], a comment, nor key=value below a [NAME]",
                "correct the line");
        return;
    }
    *equals = 0;
    entry e = { g_strchomp(line), g_strchug(equals + 1), number };
    if (find(r, e.key))
        fail_at(r, number, e.key, "given twice", "remove one of the lines");
    if (!*e.value || !g_utf8_validate(e.value, -1, NULL))
        fail_at(r, number, e.key, "the value is empty or not UTF-8",
                "give a value or remove the line");
    r->entry[r->n++] = e;
}

bool ccm_catalog_read(ccm_catalog *c, unsigned file, const char *text, GError **error)
{
    static void (*const read_row[CCM_CATALOG_FILES])(reader *) = {
        read_role, read_route, read_port, read_mark, read_name, read_share,
    };
    reader r = { .c = c,
                 .file = ccm_catalog_files[file],
                 .groups = g_hash_table_new(g_str_hash, g_str_equal),
                 .error = error };

    for (unsigned number = 1; *text && !r.failed; number++) {
        size_t n = strcspn(text, "\n");
        char *line = g_strstrip(g_string_chunk_insert_len(c->text, text, (gssize)n));
        text += text[n] ? n + 1 : n;
        if (*line == '[' && r.group)
            read_row[file](&r);
        if (*line == '[')
            begin_row(&r, line, number);
        else if (*line && *line != '#')
            add_entry(&r, line, number);
    }
    if (r.group && !r.failed)
        read_row[file](&r);
    g_hash_table_destroy(r.groups);
    return !r.failed;
}
