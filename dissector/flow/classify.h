/* SPDX-License-Identifier: GPL-2.0-or-later
 * classify.h - a protocol guess for flows that no parser claims, by nDPI. */
#ifndef CCM_FLOW_CLASSIFY_H
#define CCM_FLOW_CLASSIFY_H

#include "base/base.h"

typedef struct ccm_classifier ccm_classifier;

/* Of one flow; all zero at first. */
typedef struct ccm_classify_flow {
    union {
        void *ndpi;            /* until `over`: allocated while packets are shown */
        const char *last_word; /* then: a name that is to be told when the flow ends, or NULL */
    };
    uint8_t shown;
    bool over;        /* shown enough, or known */
    uint16_t service; /* where the classifier counts what came of flows to the same server */
} ccm_classify_flow;

ccm_classifier *ccm_classifier_new(void); /* NULL when nDPI does not start */
void ccm_classifier_free(ccm_classifier *classifier);
/* Flows that were not shown because too many others were at that moment. */
uint64_t ccm_classifier_refused(const ccm_classifier *classifier);

/* Something is held for it. */
static inline bool ccm_classify_open(const ccm_classify_flow *flow)
{
    return !flow->over && flow->ndpi;
}

/* What the next packet shown will need is asked for. */
void ccm_classify_prefetch(const ccm_classifier *classifier, const ccm_classify_flow *flow);
/* Shows a packet from its IP header on. Returns the protocol name once it is known, else NULL.
 * `server` tells server addresses and ports apart, as a hash. A service of which dozens of flows in
 * a row stayed unknown is asked about only now and then: nobody would learn more, and a question
 * costs as much as hundreds of packets. */
const char *ccm_classify_packet(ccm_classifier *classifier, ccm_classify_flow *flow,
                                uint32_t server, ccm_span ip, uint64_t time_ns);
/* The flow ends or was claimed: the last word, or NULL; frees. */
const char *ccm_classify_end(ccm_classifier *classifier, ccm_classify_flow *flow);

#endif
