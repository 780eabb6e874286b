/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_model_structs.c - runs and connections that reach the model as structs, beside observations
 * of the same. In: both, made by hand. Out: TAP. State: none. */
#include "model_driver.h"

#define CLIENT "10.0.0.5:51022"
#define MP "10.0.0.9:80"

static void tell_run(ccm_model *m, const ccm_obs_run *run, const char *client, const char *server)
{
    ccm_obs o = drv_obs(CCM_OBS_run, 1, run->from_client ? client : server,
                        run->from_client ? server : client, run->start_ns);

    ccm_obs_flag(&o, CCM_KEY_from_client, run->from_client);
    ccm_obs_u64(&o, CCM_KEY_packets, run->packets);
    ccm_obs_u64(&o, CCM_KEY_wire_bytes, run->wire_bytes);
    ccm_obs_u64(&o, CCM_KEY_ip_bytes, run->ip_bytes);
    ccm_obs_u64(&o, CCM_KEY_unique_bytes, run->unique_bytes);
    ccm_obs_u64(&o, CCM_KEY_retransmitted_bytes, run->payload_bytes - run->unique_bytes);
    ccm_obs_u64(&o, CCM_KEY_missing_bytes, run->missing_bytes);
    ccm_obs_u64(&o, CCM_KEY_end_ns, run->end_ns);
    ccm_model_observe(m, &o);
}

/* Runs and connections that come as structs count as their observations do, also where the server
 * was seen first, and on a connection to itself; odd rounds: as observations. Of the client: 3
 * packets, 300 bytes, 90 of payload, 30 of it repeated, 7 missing; of the server 2 packets. */
static void structs(void)
{
    static const char *const ends[][2] = { { CLIENT, MP }, { CLIENT, MP }, { MP, MP } };
    static const ccm_obs_run run[] = { { .start_ns = 100 * SECOND,
                                         .end_ns = 101 * SECOND,
                                         .missing_bytes = 7,
                                         .packets = 3,
                                         .wire_bytes = 300,
                                         .ip_bytes = 250,
                                         .payload_bytes = 90,
                                         .unique_bytes = 60,
                                         .from_client = true },
                                       { .start_ns = 102 * SECOND,
                                         .end_ns = 102 * SECOND,
                                         .packets = 2,
                                         .wire_bytes = 140,
                                         .ip_bytes = 120 } };
    static const ccm_obs_end end = {
        .frame = 10, .rtt_ns = 5000, .state = CCM_ENDED_ESTABLISHED, .closed = "reset"
    };

    ccm_limits limits;
    GError *error = NULL;
    ccm_catalog *catalog = ccm_catalog_load(NULL, &error);

    g_assert_no_error(error);
    ccm_limits_init(&limits);
    for (unsigned i = 0; i < 6; i++) {
        const char *client = ends[i / 2][0], *server = ends[i / 2][1];
        ccm_model *m = ccm_model_new(catalog, &limits);
        ccm_obs flow = drv_obs(CCM_OBS_connection, 1, client, server, 0);
        if (i / 2 == 1) { /* the record begins with the server's end */
            ccm_obs hint = drv_obs(CCM_OBS_hint, 1, server, client, 0);
            ccm_model_observe(m, &hint);
        }
        if (i & 1) {
            tell_run(m, &run[0], client, server);
            tell_run(m, &run[1], client, server);
            drv_text(&flow, CCM_KEY_state, "established");
            drv_text(&flow, CCM_KEY_closed, "reset");
            ccm_obs_u64(&flow, CCM_KEY_rtt_ns, 5000);
            ccm_model_observe(m, &flow);
        } else {
            ccm_model_structs(m, &flow, run, 2, &end);
        }
        ccm_view *v = ccm_view_new(m, false);
        const ccm_view_route *r = &v->routes[0];
        g_assert_cmpuint(v->n_routes, ==, 1);
        g_assert_cmpuint(r->packets[0], ==, 3);
        g_assert_cmpuint(r->wire_bytes[0], ==, 300);
        g_assert_cmpuint(r->ip_bytes[0], ==, 250);
        g_assert_cmpuint(r->payload_bytes[0], ==, 60);
        g_assert_cmpuint(r->retransmitted_bytes[0], ==, 30);
        g_assert_cmpuint(r->missing_bytes[0], ==, 7);
        g_assert_cmpuint(r->packets[1], ==, 2);
        g_assert_cmpuint(r->wire_bytes[1], ==, 140);
        g_assert_cmpuint(r->first_seen_ns, ==, 100 * SECOND);
        g_assert_cmpuint(r->last_seen_ns, ==, 102 * SECOND);
        g_assert_cmpuint(r->connections.established, ==, 1);
        g_assert_cmpuint(r->connections.reset, ==, 1);
        g_assert_cmpuint(r->transport.rtt_min_ns, ==, 5000);
        g_assert_cmpuint(r->transport.rtt_count, ==, 1);
        ccm_view_free(v);
        ccm_model_free(m);
    }
    ccm_catalog_unref(catalog);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model/structs", structs);
    return g_test_run();
}
