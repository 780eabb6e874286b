/* SPDX-License-Identifier: GPL-2.0-or-later
 * catalog.h - the catalogue in memory: roles, routes, marks of HTTP requests, ports, names.
 *
 * In: five .ini texts (built in, or of a directory). Out: const rows and a fast match of a request.
 * State: immutable after loading; reference-counted, so threads may share it. */
#ifndef CCM_MODEL_CATALOG_H
#define CCM_MODEL_CATALOG_H

#include "model/index.h"
#include "model/view.h"

/* Built-in texts: name, text, ..., NULL. Generated from dissector/catalog. */
extern const char *const ccm_catalog_data[];

typedef struct ccm_role_row {
    const char *id, *title, *ref;
} ccm_role_row;

typedef struct ccm_route_row {
    const char *id, *route, *protocol, *title, *ref;
    int16_t source, destination; /* roles */
    uint16_t port;
    bool throttleable;
} ccm_route_row;

typedef enum ccm_form { CCM_FORM_ORIGIN, CCM_FORM_ABSOLUTE, CCM_FORM_CONNECT } ccm_form;

typedef struct ccm_mark {
    const char *id, *title, *ref, *component;
    /* conditions; length 0 or NULL = any */
    ccm_span method, path, contains, query, user_agent, host;
    bool host_below; /* host is a suffix that begins with a dot */
    ccm_form form;
    uint16_t port;
    ccm_span share; /* a mark of SMB: its path is one inside the share */
    /* conclusions; -1 = none */
    int16_t server_role, client_role, route, route_tls; /* route_tls: where nothing was read */
    ccm_certainty certainty;
    /* of a name, which is found by ccm_catalog_name or ccm_catalog_service alone */
    bool named, generic;
    const char *qualifier; /* kind of server, or NULL */
} ccm_mark;

/* What tells quickly that a mark does not fit: the first bytes of its path, the first letter of its
 * user agent. */
typedef struct ccm_candidate {
    uint64_t path_word, path_mask;
    uint16_t mark;
    uint8_t agent; /* in lower case; 0 = any */
} ccm_candidate;

typedef struct ccm_port_row {
    const char *id, *ref;
    uint8_t l4;
    uint16_t low, high;
    int16_t route;
} ccm_port_row;

enum { CCM_MARK_BUCKETS = 129, CCM_MATCH_PATH = 512 };

struct ccm_catalog {
    int refs;
    GStringChunk *text;
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

/* From name, text pairs that end with NULL; names are "roles.ini" and so on. */
ccm_catalog *ccm_catalog_parse(const char *const *pairs, GError **error);
/* Index of a row, or -1. */
int ccm_catalog_role(const ccm_catalog *c, const char *id);
int ccm_catalog_route(const ccm_catalog *c, const char *id);
/* The row of the same ends with this protocol; else the row itself. */
int ccm_catalog_variant(const ccm_catalog *c, int row, const char *protocol);

/* catalog_names.c. Pattern and prefix are in lower case and stay where they are; false: malformed,
 * or another mark has this pattern. */
void ccm_catalog_names_init(ccm_catalog *c);
bool ccm_catalog_add_name(ccm_catalog *c, ccm_span pattern, int mark);
void ccm_catalog_add_service(ccm_catalog *c, ccm_span prefix, int mark);
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
