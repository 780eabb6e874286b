/* SPDX-License-Identifier: GPL-2.0-or-later
 * site.h - the configured limits of a site, from the file that --site names.
 *
 * In: a key file. Out: const rows. State: immutable after loading; reference-counted. Groups:
 * [site] time_zone; [dp NAME] address, source, time_zone, mode, block_kb, delay_s, hourly,
 * schedule, pull; [package ID] priority; [bits NAME] clients, window, rate_kbps, outside_kbps,
 * time_zone (the policy of background transfers). Other groups belong to other readers. Ranges:
 * throttling.md section 2. */
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

/* Priority of a package's distribution: 1 high, 2 medium, 3 low; a cell of the schedule lets pass
 * what is at most 4 less its level. */
typedef struct ccm_site_package {
    char *id;
    unsigned priority;
} ccm_site_package;

typedef struct ccm_site_net {
    ccm_addr addr;
    unsigned prefix; /* bits */
} ccm_site_net;

enum { CCM_SITE_NETS = 16, CCM_BITS_FREE = -1 };

/* Limits of background transfers, a computer each; throttling.md section 8. */
typedef struct ccm_site_bits {
    char *name;
    ccm_site_net net[CCM_SITE_NETS];
    unsigned n_nets;
    GTimeZone *zone; /* the clients' own; NULL = that of the site */
    char *zone_name;
    unsigned from, to;          /* hours; equal: always */
    int64_t kbps, outside_kbps; /* 0 = no transfer, CCM_BITS_FREE = no limit */
} ccm_site_bits;

typedef struct ccm_site {
    GTimeZone *zone; /* NULL = not said */
    char *zone_name;
    GPtrArray *dps;      /* ccm_site_dp */
    GPtrArray *packages; /* ccm_site_package */
    GPtrArray *bits;     /* ccm_site_bits */
} ccm_site;

/* CCM_ERROR_USAGE with file, group, key and remedy when a line is wrong. */
ccm_site *ccm_site_load(const char *path, GError **error);
void ccm_site_free(ccm_site *site);
/* The distribution point at `server`, as sent to from `source`; NULL = none. */
const ccm_site_dp *ccm_site_find(const ccm_site *site, const ccm_addr *source,
                                 const ccm_addr *server);
/* Of a package: medium, as the product does, where the file lists others; 0 where it lists none. */
unsigned ccm_site_priority(const ccm_site *site, const char *package);
/* The policy of a client; NULL = none. */
const ccm_site_bits *ccm_site_bits_find(const ccm_site *site, const ccm_addr *client);

#endif
