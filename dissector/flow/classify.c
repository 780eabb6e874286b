/* SPDX-License-Identifier: GPL-2.0-or-later
 * classify.c - the only file that knows nDPI.
 * In: the first payload packets of an unclaimed flow, from the IP header on. Out: a protocol name.
 * State: one detection module, and for a flow being shown one nDPI flow, freed as soon as it is
 * known. */
#include "flow/classify.h"

#include <ndpi/ndpi_api.h>

enum {
    PACKETS = 8,
    LIVE = 8192, /* flows being shown at once: nDPI keeps about 3 KB of each */
    SERVICES = 4096,
    UNKNOWN_IN_A_ROW = 32, /* then only one flow in SAMPLE is shown */
    SAMPLE = 8,
};

/* What came of the flows to one server address and port. */
typedef struct service {
    uint32_t server;
    uint16_t unknown; /* in a row, until the latest */
    uint16_t passed;  /* flows since then */
} service;

struct ccm_classifier {
    struct ndpi_detection_module_struct *module;
    size_t flow_size;
    unsigned live;
    uint64_t refused;
    service services[SERVICES];
};

ccm_classifier *ccm_classifier_new(void)
{
    /* The list of Tor's addresses as old as the library costs a sixth of the start, and a MiB. */
    struct ndpi_detection_module_struct *module =
        ndpi_init_detection_module(ndpi_dont_load_tor_hosts);

    if (!module)
        return NULL;
    NDPI_PROTOCOL_BITMASK all;
    NDPI_BITMASK_SET_ALL(all);
    ndpi_set_protocol_detection_bitmask2(module, &all);
    ndpi_finalize_initialization(module);
    ccm_classifier *c = g_new0(ccm_classifier, 1);
    c->module = module;
    c->flow_size = ndpi_detection_get_sizeof_ndpi_flow_struct();
    return c;
}

void ccm_classifier_free(ccm_classifier *c)
{
    if (!c)
        return;
    ndpi_exit_detection_module(c->module);
    g_free(c);
}

void ccm_classify_prefetch(const ccm_classifier *c, const ccm_classify_flow *flow)
{
    for (size_t at = 0; at < c->flow_size; at += 64)
        __builtin_prefetch((const char *)flow->ndpi + at, 1);
}

static void release(ccm_classifier *c, ccm_classify_flow *flow)
{
    ndpi_free_flow(flow->ndpi);
    c->live--;
    flow->ndpi = NULL;
    flow->over = true;
}

/* Is the next flow to this server worth the cost? */
static bool worth(ccm_classifier *c, ccm_classify_flow *flow, uint32_t server)
{
    flow->service = server % SERVICES;
    service *s = &c->services[flow->service];
    if (s->server != server)
        *s = (service){ .server = server };
    return s->unknown < UNKNOWN_IN_A_ROW || s->passed++ % SAMPLE == 0;
}

static void learn(ccm_classifier *c, const ccm_classify_flow *flow, bool known)
{
    service *s = &c->services[flow->service];
    s->unknown = known ? 0 : (uint16_t)MIN(s->unknown + 1, UNKNOWN_IN_A_ROW);
}

static const char *name_of(ccm_classifier *c, ndpi_protocol found)
{
    u_int16_t id = found.app_protocol ? found.app_protocol : found.master_protocol;

    return id == NDPI_PROTOCOL_UNKNOWN ? NULL : ndpi_get_proto_name(c->module, id);
}

const char *ccm_classify_packet(ccm_classifier *c, ccm_classify_flow *flow, uint32_t server,
                                ccm_span ip, uint64_t time_ns)
{
    if (flow->over || !ip.n)
        return NULL;
    if (!flow->ndpi) {
        if (!worth(c, flow, server)) {
            flow->over = true;
            return NULL;
        }
        flow->ndpi = c->live < LIVE ? ndpi_flow_malloc(c->flow_size) : NULL;
        if (!flow->ndpi) {
            flow->over = true;
            c->refused++;
            return NULL;
        }
        c->live++;
        memset(flow->ndpi, 0, c->flow_size);
    }
    ndpi_protocol found = ndpi_detection_process_packet(c->module, flow->ndpi, ip.p,
                                                        (unsigned short)ccm_min64(ip.n, UINT16_MAX),
                                                        time_ns / 1000000);
    const char *name = name_of(c, found);
    const struct ndpi_flow_struct *state = flow->ndpi;
    if (name) {
        learn(c, flow, true);
        release(c, flow);
    } else if (++flow->shown == PACKETS || state->fail_with_unknown) { /* nothing left to try */
        name = ccm_classify_end(c, flow);
    }
    return name;
}

const char *ccm_classify_end(ccm_classifier *c, ccm_classify_flow *flow)
{
    if (flow->over || !flow->ndpi) {
        flow->over = true;
        return NULL;
    }
    u_int8_t guessed = 0;
    const char *name = name_of(c, ndpi_detection_giveup(c->module, flow->ndpi, 0, &guessed));
    learn(c, flow, name && !guessed);
    release(c, flow);
    return guessed ? NULL : name;
}

uint64_t ccm_classifier_refused(const ccm_classifier *c)
{
    return c ? c->refused : 0;
}
