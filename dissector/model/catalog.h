/* SPDX-License-Identifier: GPL-2.0-or-later
 * catalog.h - the catalogue in memory: roles, routes, marks of HTTP requests, ports, names.
 *
 * In: six .ini texts (compiled in, or of a directory). Out: const rows and a fast match of a
 * request. State: immutable after loading; reference-counted, so threads may share it. */
#ifndef CCM_MODEL_CATALOG_H
#define CCM_MODEL_CATALOG_H

#include "model/index.h"
#include "model/view.h"

/* The rows, as lists of their members: X(type, name). catalog_rows.c turns them into numbers and
 * back. */
#define CCM_ROLE_ROW(X)                                                                            \
    X(const char *, id)                                                                            \
    X(const char *, title)                                                                         \
    X(const char *, ref)

/* source, destination: roles */
#define CCM_ROUTE_ROW(X)                                                                           \
    X(const char *, id)                                                                            \
    X(const char *, route)                                                                         \
    X(const char *, protocol)                                                                      \
    X(const char *, title)                                                                         \
    X(const char *, ref)                                                                           \
    X(int16_t, source)                                                                             \
    X(int16_t, destination)                                                                        \
    X(uint16_t, port)                                                                              \
    X(bool, throttleable)

#define CCM_PORT_ROW(X)                                                                            \
    X(const char *, id)                                                                            \
    X(const char *, ref)                                                                           \
    X(uint8_t, l4)                                                                                 \
    X(uint16_t, low)                                                                               \
    X(uint16_t, high)                                                                              \
    X(int16_t, route)

typedef enum ccm_form { CCM_FORM_ORIGIN, CCM_FORM_ABSOLUTE, CCM_FORM_CONNECT } ccm_form;

/* Conditions, where length 0 or NULL = any:
 *   host_below   host is a suffix that begins with a dot
 *   share        a mark of SMB: its path is one inside the share
 *   named        found by ccm_catalog_name or ccm_catalog_service alone, by one of:
 *   names        patterns with ; between them, in lower case
 *   service      how the name of a service record begins, in lower case
 * Conclusions, where -1 = none:
 *   route_tls    route where nothing was read
 *   generic      a name that much else uses, too
 *   qualifier    kind of server, or NULL */
#define CCM_MARK(X)                                                                                \
    X(const char *, id)                                                                            \
    X(const char *, title)                                                                         \
    X(const char *, ref)                                                                           \
    X(const char *, component)                                                                     \
    X(ccm_span, method)                                                                            \
    X(ccm_span, path)                                                                              \
    X(ccm_span, contains)                                                                          \
    X(ccm_span, query)                                                                             \
    X(ccm_span, user_agent)                                                                        \
    X(ccm_span, host)                                                                              \
    X(bool, host_below)                                                                            \
    X(bool, named)                                                                                 \
    X(bool, generic)                                                                               \
    X(ccm_form, form)                                                                              \
    X(uint16_t, port)                                                                              \
    X(ccm_span, share)                                                                             \
    X(ccm_span, names)                                                                             \
    X(ccm_span, service)                                                                           \
    X(int16_t, server_role)                                                                        \
    X(int16_t, client_role)                                                                        \
    X(int16_t, route)                                                                              \
    X(int16_t, route_tls)                                                                          \
    X(ccm_certainty, certainty)                                                                    \
    X(const char *, qualifier)

#define CCM_MEMBER(type, name) type name;
typedef struct ccm_role_row {
    CCM_ROLE_ROW(CCM_MEMBER)
} ccm_role_row;
typedef struct ccm_route_row {
    CCM_ROUTE_ROW(CCM_MEMBER)
} ccm_route_row;
typedef struct ccm_port_row {
    CCM_PORT_ROW(CCM_MEMBER)
} ccm_port_row;
typedef struct ccm_mark {
    CCM_MARK(CCM_MEMBER)
} ccm_mark;

/* What tells quickly that a mark does not fit: the first bytes of its path, the first letter of its
 * user agent. */
typedef struct ccm_candidate {
    uint64_t path_word, path_mask;
    uint16_t mark;
    uint8_t agent; /* in lower case; 0 = any */
} ccm_candidate;

enum { CCM_MARK_BUCKETS = 129, CCM_MATCH_PATH = 512 };

struct ccm_catalog {
    int refs;
    GStringChunk *text;                     /* of the rows; NULL = they are the built-in ones */
    GArray *roles, *routes, *marks, *ports; /* rows as above */
    GArray *bucket[CCM_MARK_BUCKETS]; /* ccm_candidate by first letter of the path, in order */
    GArray *proxies, *agents;         /* ccm_candidate */
    unsigned path_max;                /* longest path prefix */
    ccm_index name_index;             /* catalog_names.c */
    GArray *name_nodes, *name_globs, *name_services;
    int unknown_role, unknown_route;
    int proxy_role, gateway_role, point_role; /* which C knows, too; -1 = no such row */
};

static inline const ccm_role_row *ccm_role_at(const ccm_catalog *c, int i)
{
    return &g_array_index(c->roles, ccm_role_row, i);
}

static inline const ccm_route_row *ccm_route_at(const ccm_catalog *c, int i)
{
    return &g_array_index(c->routes, ccm_route_row, i);
}

static inline const ccm_mark *ccm_mark_at(const ccm_catalog *c, int i)
{
    return &g_array_index(c->marks, ccm_mark, i);
}

/* catalog_read.c. The file names of a catalogue, in the order in which they are read. */
enum { CCM_CATALOG_FILES = 6 };
extern const char *const ccm_catalog_files[CCM_CATALOG_FILES];
/* Adds the rows of a text; `file` is an index of ccm_catalog_files. */
bool ccm_catalog_read(ccm_catalog *c, unsigned file, const char *text, GError **error);

/* From name, text pairs that end with NULL; names are those of ccm_catalog_files. */
ccm_catalog *ccm_catalog_parse(const char *const *pairs, GError **error);
/* Index of a row, or -1. */
int ccm_catalog_role(const ccm_catalog *c, const char *id);
int ccm_catalog_route(const ccm_catalog *c, const char *id);
/* The row of the same ends with this protocol; else the row itself. */
int ccm_catalog_variant(const ccm_catalog *c, int row, const char *protocol);

/* catalog_names.c. Indexes names and service of a mark; false: a pattern is malformed, or another
 * mark has it. */
void ccm_catalog_names_init(ccm_catalog *c);
bool ccm_catalog_add_names(ccm_catalog *c, int mark);
/* The mark of the most specific pattern that a host name fits; or -1. */
int ccm_catalog_name(const ccm_catalog *c, ccm_span name);
/* The mark of a service record's name, which is about the record's target; or -1. */
int ccm_catalog_service(const ccm_catalog *c, ccm_span name);
/* Files marks into the buckets that ccm_catalog_match reads. */
void ccm_catalog_index_marks(ccm_catalog *c);
/* The route row that a server port suggests, or -1. */
int ccm_catalog_port(const ccm_catalog *c, uint8_t l4, uint16_t port);
/* The row with this source role, and destination and protocol of row `like`; or -1. */
int ccm_catalog_sibling(const ccm_catalog *c, int like, int source_role);

/* What identifies a request. */
typedef struct ccm_request {
    ccm_span method, target, host, user_agent;
    uint16_t port;
} ccm_request;

typedef struct ccm_match {
    int mark, proxy, agent; /* marks, or -1 */
    int route;              /* of proxy, else of mark; -1 = none */
    ccm_certainty certainty;
    ccm_form form;
} ccm_match;

void ccm_catalog_match(const ccm_catalog *c, const ccm_request *request, ccm_match *out);
/* The mark of a share (\\\\SERVER\\SHARE, or SHARE alone) and a path in it, or -1. With an empty
 * path only those that ask for none. */
int ccm_catalog_share(const ccm_catalog *c, ccm_span share, ccm_span path);
/* Collects the parts of an http_request observation. */
ccm_request ccm_request_of(const struct ccm_obs *obs);
/* The authority of an absolute target ("http://HOST:80/x"), or an empty span. */
ccm_span ccm_target_authority(ccm_span target);

#endif
