/* SPDX-License-Identifier: GPL-2.0-or-later
 * no_classify.c - flow/classify.h for the plugin: nobody guesses, Wireshark names protocols itself,
 * and nDPI stays out of its process. State: none. */
#include "flow/classify.h"

ccm_classifier *ccm_classifier_new(void)
{
    return NULL;
}

void ccm_classifier_free(ccm_classifier *classifier)
{
    (void)classifier;
}

uint64_t ccm_classifier_refused(const ccm_classifier *classifier)
{
    (void)classifier;
    return 0;
}

void ccm_classify_prefetch(const ccm_classifier *classifier, const ccm_classify_flow *flow)
{
    (void)classifier;
    (void)flow;
}

const char *ccm_classify_packet(ccm_classifier *classifier, ccm_classify_flow *flow,
                                uint32_t server, ccm_span ip, uint64_t time_ns)
{
    (void)classifier;
    (void)flow;
    (void)server;
    (void)ip;
    (void)time_ns;
    return NULL;
}

const char *ccm_classify_end(ccm_classifier *classifier, ccm_classify_flow *flow)
{
    (void)classifier;
    (void)flow;
    return NULL;
}
