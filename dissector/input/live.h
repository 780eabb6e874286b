/* SPDX-License-Identifier: GPL-2.0-or-later
 * live.h - live capture through libpcap, for the engine. */
#ifndef CCM_INPUT_LIVE_H
#define CCM_INPUT_LIVE_H

#include "input/input.h"

typedef struct ccm_live ccm_live;

typedef struct ccm_live_events {
    void (*packet)(void *ud, const ccm_raw *raw); /* raw is valid during the call */
    /* At least every 250 ms, also without packets. `now_ns` is the wall clock, as packets have it;
     * `dropped` counts the packets that the kernel could not deliver so far. May be NULL. */
    void (*tick)(void *ud, uint64_t now_ns, uint64_t dropped);
    void *ud;
} ccm_live_events;

/* Opens the device, sets the filter (`bpf` may be NULL), creates options->write_path, then gives up
 * privileges for the whole process. Each error tells what to do about it: CCM_ERROR_USAGE (filter,
 * user), CCM_ERROR_CAPTURE (permission, no such interface), CCM_ERROR_OUTPUT. The options are not
 * used after the call. */
ccm_live *ccm_live_open(const ccm_live_options *options, const char *bpf, GError **error);
/* Captures until *stop (may be NULL) is set, `max_packets` (0 = no bound), or a bound of the
 * options is reached. False: the device failed (CCM_ERROR_CAPTURE) or the file (CCM_ERROR_OUTPUT);
 * what came before was delivered. Call once. */
bool ccm_live_run(ccm_live *live, const ccm_live_events *events, uint64_t max_packets,
                  const volatile int *stop, GError **error);
uint64_t ccm_live_dropped(const ccm_live *live);
void ccm_live_free(ccm_live *live);

#endif
