/* SPDX-License-Identifier: GPL-2.0-or-later
 * channels_driver.h - a model of connections and DNS messages made by hand, and looks at its rows.
 */
#ifndef CCM_TEST_CHANNELS_DRIVER_H
#define CCM_TEST_CHANNELS_DRIVER_H

#include "model_driver.h"

#define T0 (UINT64_C(1700000000) * SECOND)
#define POINT "10.0.0.21"
#define GATEWAY "20.1.2.3"

typedef struct world {
    ccm_model *m;
    uint64_t flow;
    ccm_view *v;
} world;

static inline ccm_catalog *catalog(void)
{
    GError *error = NULL;
    ccm_catalog *c = ccm_catalog_load(NULL, &error);
    g_assert_no_error(error);
    return c;
}

static inline world begin(void)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    ccm_catalog *c = catalog();
    world w = { .m = ccm_model_new(c, &limits) };
    ccm_catalog_unref(c);
    return w;
}

static inline void finish(world *w)
{
    ccm_view_free(w->v);
    ccm_model_free(w->m);
}

/* Bytes of one direction at a moment. */
static inline void bytes(world *w, const char *client, const char *server, bool out, uint64_t at,
                         uint64_t payload)
{
    ccm_obs o =
        drv_obs(CCM_OBS_run, w->flow, out ? client : server, out ? server : client, T0 + at);
    ccm_obs_flag(&o, CCM_KEY_from_client, out);
    ccm_obs_u64(&o, CCM_KEY_end_ns, T0 + at);
    ccm_obs_u64(&o, CCM_KEY_packets, 1);
    ccm_obs_u64(&o, CCM_KEY_wire_bytes, payload + 54);
    ccm_obs_u64(&o, CCM_KEY_unique_bytes, payload);
    ccm_model_observe(w->m, &o);
}

/* A connection at `second` with so many payload bytes each way, both at once. */
static inline void talk(world *w, const char *client, const char *server, unsigned second,
                        const char *state, const char *closed, uint64_t said, uint64_t heard)
{
    g_autofree char *from = g_strdup_printf("%s:%u", client, 50000 + (unsigned)++w->flow);
    bytes(w, from, server, true, second * SECOND, said);
    if (heard || !strcmp(state, "established"))
        bytes(w, from, server, false, second * SECOND, heard);
    drv_connection(w->m, w->flow, from, server, state, closed);
}

static inline void answer(world *w, const char *client, const char *name, unsigned type,
                          unsigned rcode, const char *addresses, const char *chain,
                          const char *targets, const char *glue)
{
    ccm_obs o = drv_obs(CCM_OBS_dns_answer, ++w->flow, "10.0.0.18:53", client, T0);
    o.l4 = 17;
    drv_text(&o, CCM_KEY_name, name);
    ccm_obs_u64(&o, CCM_KEY_record_type, type);
    ccm_obs_u64(&o, CCM_KEY_rcode, rcode);
    ccm_obs_u64(&o, CCM_KEY_records, addresses || targets);
    drv_text(&o, CCM_KEY_addresses, addresses);
    drv_text(&o, CCM_KEY_chain, chain);
    drv_text(&o, CCM_KEY_targets, targets);
    drv_text(&o, CCM_KEY_glue, glue);
    ccm_model_observe(w->m, &o);
}

static inline void query(world *w, const char *client, const char *name, unsigned type)
{
    ccm_obs o = drv_obs(CCM_OBS_dns_query, ++w->flow, client, "10.0.0.18:53", T0);
    o.l4 = 17;
    drv_text(&o, CCM_KEY_name, name);
    ccm_obs_u64(&o, CCM_KEY_record_type, type);
    ccm_model_observe(w->m, &o);
}

static inline const ccm_view_route *row(const world *w, const char *server)
{
    char text[CCM_ENDPOINT_TEXT];
    for (unsigned i = 0; i < w->v->n_routes; i++) {
        const ccm_view_route *r = &w->v->routes[i];
        ccm_endpoint e = { r->destination, r->port };
        if (!strcmp(ccm_endpoint_text(&e, text), server))
            return r;
    }
    g_test_message("no row for %s", server);
    g_assert_not_reached();
}

static inline bool has(ccm_view_names n, const char *name)
{
    for (unsigned i = 0; i < n.n; i++)
        if (!strcmp(n.v[i], name))
            return true;
    return false;
}

static inline void look(world *w)
{
    w->v = ccm_view_new(w->m, false);
}

static inline void is_route(const ccm_view_route *r, const char *route, const char *protocol,
                            const char *certainty, unsigned instance)
{
    g_test_message("%s %s %u %s", r->route, r->protocol, r->port, ccm_certainty_name(r->certainty));
    g_assert_cmpstr(r->route, ==, route);
    g_assert_cmpstr(r->protocol, ==, protocol);
    g_assert_cmpstr(ccm_certainty_name(r->certainty), ==, certainty);
    g_assert_cmpuint(r->instance, ==, instance);
}

#endif
