/* SPDX-License-Identifier: GPL-2.0-or-later
 * site.h - the configured limits of a site, from the file that --site names.
 *
 * In: a key file. Out: const rows. State: immutable after loading; reference-counted. Groups:
 * [site] time_zone; [dp NAME] address, source, time_zone, mode, block_kb, delay_s, hourly,
 * schedule, pull. Other groups belong to other readers. Ranges: throttling.md section 2. */
#ifndef CCM_MODEL_SITE_H
#define CCM_MODEL_SITE_H

#include "base/base.h"

typedef enum ccm_site_mode {
    CCM_MODE_UNSAID,
    CCM_MODE_UNLIMITED,
    CCM_MODE_PULSE,
    CCM_MODE_HOURLY
} ccm_site_mode;

/* Levels of a cell of the schedule. */
enum { CCM_OPEN_ALL = 1, CCM_OPEN_MEDIUM, CCM_OPEN_HIGH, CCM_OPEN_CLOSED };

typedef struct ccm_site_dp {
    char *name;
    ccm_addr addr[4], source; /* source: family 0 = any */
    unsigned n_addrs;
    GTimeZone *zone; /* NULL = that of the site */
    char *zone_name;
    ccm_site_mode mode;
    bool pull, has_schedule;
    unsigned block_kb, delay_s;
    uint8_t percent[24];   /* hourly mode */
    uint8_t schedule[168]; /* from Monday 00 on: levels */
} ccm_site_dp;

typedef struct ccm_site {
    GTimeZone *zone; /* NULL = not said */
    char *zone_name;
    GPtrArray *dps; /* ccm_site_dp */
} ccm_site;

/* CCM_ERROR_USAGE with file, group, key and remedy when a line is wrong. */
ccm_site *ccm_site_load(const char *path, GError **error);
void ccm_site_free(ccm_site *site);
/* The distribution point at `server`, as sent to from `source`; NULL = none. */
const ccm_site_dp *ccm_site_find(const ccm_site *site, const ccm_addr *source,
                                 const ccm_addr *server);

#endif
