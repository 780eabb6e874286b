/* SPDX-License-Identifier: GPL-2.0-or-later
 * site.c - reads the configured limits of distribution points from a key file.
 *
 * In: the file that --site names. Out: ccm_site, or an error that names group, key and remedy.
 * State: none. Spec: throttling.md section 2 (ranges). */
#include "model/site.h"

/* What a line holds may be a secret that was put in the wrong place, so messages name group and
 * key, never values. */
static bool wrong(GError **error, const char *path, const char *group, const char *key,
                  const char *remedy)
{
    g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE, "'%s': [%s] %s: %s", path, group, key, remedy);
    return false;
}

static void dp_free(void *data)
{
    ccm_site_dp *dp = data;

    g_free(dp->name);
    g_free(dp->zone_name);
    if (dp->zone)
        g_time_zone_unref(dp->zone);
    g_free(dp);
}

static void package_free(void *data)
{
    ccm_site_package *p = data;

    g_free(p->id);
    g_free(p);
}

static void bits_free(void *data)
{
    ccm_site_bits *b = data;

    g_free(b->name);
    g_free(b->zone_name);
    if (b->zone)
        g_time_zone_unref(b->zone);
    g_free(b);
}

/* An IANA name or an offset such as +02:00; NULL when it is neither. */
static GTimeZone *zone_of(const char *name)
{
    GTimeZone *zone = g_time_zone_new_identifier(name);

    /* An unknown name gives UTC in older versions. */
    if (zone && !strcmp(g_time_zone_get_identifier(zone), "UTC") && strcmp(name, "UTC") &&
        strcmp(name, "Z")) {
        g_time_zone_unref(zone);
        return NULL;
    }
    return zone;
}

typedef struct reader {
    GKeyFile *file;
    const char *path, *group;
    ccm_site *site;
    ccm_site_dp *dp;
    ccm_site_bits *bits;
    GError **error;
} reader;

static bool bad(const reader *r, const char *key, const char *remedy)
{
    return wrong(r->error, r->path, r->group, key, remedy);
}

static bool number(const char *text, unsigned low, unsigned high, unsigned *out)
{
    uint64_t n;
    if (!g_ascii_string_to_unsigned(text, 10, low, high, &n, NULL))
        return false;
    *out = (unsigned)n;
    return true;
}

/* "08-18": hours [from, to); "22-06" goes over midnight. */
static bool hours_of(const char *text, unsigned *from, unsigned *to)
{
    g_auto(GStrv) part = g_strsplit(text, "-", 2);
    return part[0] && part[1] && number(part[0], 0, 23, from) && number(part[1], 0, 24, to) &&
           *from != *to;
}

static bool day_of(const char *text, unsigned *day)
{
    static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
    for (unsigned i = 0; i < 7; i++)
        if (g_ascii_strncasecmp(text, days[i], 3) == 0 && text[3] == '\0') {
            *day = i;
            return true;
        }
    return false;
}

static bool days_of(const char *text, unsigned *from, unsigned *to)
{
    g_auto(GStrv) part = g_strsplit(text, "-", 2);

    if (!strcmp(text, "daily")) {
        *from = 0;
        *to = 6;
        return true;
    }
    if (!part[0] || !day_of(part[0], from))
        return false;
    *to = *from;
    return !part[1] || day_of(part[1], to);
}

static bool level_of(const char *text, uint8_t *level)
{
    static const char *const levels[] = { "all", "medium", "high", "closed" };
    for (unsigned i = 0; i < 4; i++)
        if (g_ascii_strcasecmp(text, levels[i]) == 0) {
            *level = (uint8_t)(i + 1);
            return true;
        }
    return false;
}

/* "mon-fri 08-18 closed; sun 00-24 high": the rest is open for all. */
static bool read_schedule(reader *r, const char *key, const char *value)
{
    g_auto(GStrv) rules = g_strsplit(value, ";", -1);

    memset(r->dp->schedule, CCM_OPEN_ALL, sizeof r->dp->schedule);
    r->dp->has_schedule = true;
    for (char **rule = rules; *rule; rule++) {
        unsigned day, last, from, to;
        uint8_t level;
        g_auto(GStrv) word = g_strsplit_set(g_strstrip(*rule), " \t", 3);
        if (!word[0])
            continue;
        if (!word[1] || !word[2] || !days_of(word[0], &day, &last) ||
            !hours_of(word[1], &from, &to) || !level_of(g_strstrip(word[2]), &level))
            return bad(r, key,
                       "write DAYS HOURS LEVEL, for instance mon-fri 08-18 closed; days are mon to "
                       "sun or daily, levels all, medium, high, closed");
        for (;; day = (day + 1) % 7) {
            unsigned n = to > from ? to - from : to + 24 - from;
            for (unsigned h = 0; h < n; h++)
                r->dp->schedule[(day * 24 + from + h) % 168] = level;
            if (day == last)
                break;
        }
    }
    return true;
}

/* 24 numbers from midnight on, or "06-18=10; 18-22=50": the rest is 100. */
static bool read_hourly(reader *r, const char *key, const char *value)
{
    static const char remedy[] = "write 24 percentages of 1 to 100 from midnight on, or hours with "
                                 "percentages, for instance 06-18=10; 18-22=50";
    unsigned from, to, percent;

    memset(r->dp->percent, 100, sizeof r->dp->percent);
    if (!strchr(value, '=')) {
        g_auto(GStrv) list = g_strsplit_set(value, " ,;\t", -1);
        unsigned n = 0;
        for (char **item = list; *item; item++) {
            if (!**item)
                continue;
            if (n == 24 || !number(*item, 1, 100, &percent))
                return bad(r, key, remedy);
            r->dp->percent[n++] = (uint8_t)percent;
        }
        return n == 24 || bad(r, key, remedy);
    }
    g_auto(GStrv) rules = g_strsplit(value, ";", -1);
    for (char **rule = rules; *rule; rule++) {
        g_auto(GStrv) part = g_strsplit(g_strstrip(*rule), "=", 2);
        if (!part[0] || !*part[0])
            continue;
        if (!part[1] || !hours_of(g_strstrip(part[0]), &from, &to) ||
            !number(g_strstrip(part[1]), 1, 100, &percent))
            return bad(r, key, remedy);
        for (unsigned h = from; h != to % 24 || h == from; h = (h + 1) % 24) {
            r->dp->percent[h] = (uint8_t)percent;
            if ((h + 1) % 24 == to % 24)
                break;
        }
    }
    return true;
}

static bool read_mode(reader *r, const char *key, const char *value)
{
    static const char *const modes[] = { "unlimited", "pulse", "hourly" };
    for (unsigned i = 0; i < 3; i++)
        if (!strcmp(value, modes[i])) {
            r->dp->mode = (ccm_site_mode)(i + 1);
            return true;
        }
    return bad(r, key, "write unlimited, pulse or hourly");
}

static bool read_addresses(reader *r, const char *key, const char *value)
{
    g_auto(GStrv) list = g_strsplit_set(value, ";, ", -1);

    r->dp->n_addrs = 0;
    for (char **item = list; *item; item++) {
        if (!**item)
            continue;
        if (r->dp->n_addrs == G_N_ELEMENTS(r->dp->addr))
            return bad(r, key, "at most four addresses");
        if (!ccm_addr_parse(*item, &r->dp->addr[r->dp->n_addrs++]))
            return bad(r, key, "not an IP address");
    }
    return r->dp->n_addrs > 0 || bad(r, key, "write an IP address");
}

static bool read_key(reader *r, const char *key, const char *value)
{
    ccm_site_dp *dp = r->dp;

    if (!strcmp(key, "address"))
        return read_addresses(r, key, value);
    if (!strcmp(key, "source"))
        return ccm_addr_parse(value, &dp->source) || bad(r, key, "not an IP address");
    if (!strcmp(key, "mode"))
        return read_mode(r, key, value);
    if (!strcmp(key, "block_kb"))
        return number(value, 1, 256, &dp->block_kb) || bad(r, key, "write 1 to 256");
    if (!strcmp(key, "delay_s"))
        return number(value, 1, 30, &dp->delay_s) || bad(r, key, "write 1 to 30");
    if (!strcmp(key, "hourly"))
        return read_hourly(r, key, value);
    if (!strcmp(key, "schedule"))
        return read_schedule(r, key, value);
    if (!strcmp(key, "pull")) {
        dp->pull = !strcmp(value, "true");
        return dp->pull || !strcmp(value, "false") || bad(r, key, "write true or false");
    }
    if (!strcmp(key, "time_zone")) {
        dp->zone_name = g_strdup(value);
        return (dp->zone = zone_of(value)) ||
               bad(r, key, "write a zone such as Europe/Berlin or +02:00");
    }
    return bad(
        r, key,
        "unknown key; known are address, source, time_zone, mode, block_kb, delay_s, hourly, "
        "schedule, pull");
}

static bool read_dp(reader *r)
{
    ccm_site_dp *dp = r->dp = g_new0(ccm_site_dp, 1);
    g_auto(GStrv) keys = g_key_file_get_keys(r->file, r->group, NULL, NULL);
    bool hourly = false;

    g_ptr_array_add(r->site->dps, dp);
    dp->name = g_strstrip(g_strdup(r->group + 3));
    memset(dp->percent, 100, sizeof dp->percent);
    for (char **key = keys; key && *key; key++) {
        g_autofree char *value = g_key_file_get_value(r->file, r->group, *key, NULL);
        if (!read_key(r, *key, g_strstrip(value)))
            return false;
        hourly |= !strcmp(*key, "hourly");
    }
    if (!dp->n_addrs && ccm_addr_parse(dp->name, &dp->addr[0]))
        dp->n_addrs = 1;
    if (!dp->n_addrs)
        return bad(r, "address", "write address = IP address of this distribution point");
    if (dp->mode == CCM_MODE_PULSE && (!dp->block_kb || !dp->delay_s))
        return bad(r, "mode", "needs block_kb and delay_s, too");
    if (dp->mode == CCM_MODE_HOURLY && !hourly)
        return bad(r, "mode", "needs hourly = percentages, too");
    return true;
}

static bool read_package(reader *r)
{
    static const char *const levels[] = { "high", "medium", "low" };
    g_autofree char *value = g_key_file_get_string(r->file, r->group, "priority", NULL);
    ccm_site_package *p = g_new0(ccm_site_package, 1);

    g_ptr_array_add(r->site->packages, p);
    p->id = g_strstrip(g_strdup(r->group + strlen("package ")));
    for (unsigned i = 0; value && i < G_N_ELEMENTS(levels); i++)
        if (!g_ascii_strcasecmp(g_strstrip(value), levels[i]))
            p->priority = i + 1;
    return p->priority || bad(r, "priority", "write priority = high, medium or low");
}

/* Addresses, and networks as ADDRESS/BITS. */
static bool read_clients(reader *r, const char *key, const char *value)
{
    g_auto(GStrv) list = g_strsplit_set(value, ";, ", -1);
    ccm_site_bits *b = r->bits;

    for (char **item = list; *item; item++) {
        if (!**item)
            continue;
        if (b->n_nets == CCM_SITE_NETS)
            return bad(r, key, "at most 16 addresses or networks");
        ccm_site_net *net = &b->net[b->n_nets++];
        g_auto(GStrv) part = g_strsplit(*item, "/", 2);
        if (!ccm_addr_parse(part[0], &net->addr))
            return bad(r, key, "not an IP address, nor a network such as 10.0.0.0/24");
        unsigned most = net->addr.family == 4 ? 32 : 128;
        net->prefix = most;
        if (part[1] && !number(part[1], 0, most, &net->prefix))
            return bad(r, key, "not a network such as 10.0.0.0/24");
    }
    return b->n_nets > 0 || bad(r, key, "write an IP address or a network");
}

static bool read_rate(reader *r, const char *key, const char *value, int64_t *to)
{
    unsigned n;

    if (!number(value, 0, 100000000, &n))
        return bad(r, key, "write kilobits a second; 0 lets nothing through");
    *to = n;
    return true;
}

static bool read_bits_key(reader *r, const char *key, const char *value)
{
    ccm_site_bits *b = r->bits;

    if (!strcmp(key, "clients"))
        return read_clients(r, key, value);
    if (!strcmp(key, "window")) {
        g_auto(GStrv) part = g_strsplit(value, "-", 2);
        return (part[0] && part[1] && number(part[0], 0, 23, &b->from) &&
                number(part[1], 0, 23, &b->to)) ||
               bad(r, key, "write hours as 09-17; equal ones mean always");
    }
    if (!strcmp(key, "rate_kbps"))
        return read_rate(r, key, value, &b->kbps);
    if (!strcmp(key, "outside_kbps"))
        return read_rate(r, key, value, &b->outside_kbps);
    if (!strcmp(key, "time_zone")) {
        b->zone_name = g_strdup(value);
        return (b->zone = zone_of(value)) ||
               bad(r, key, "write a zone such as Europe/Berlin or +02:00");
    }
    return bad(r, key,
               "unknown key; known are clients, window, rate_kbps, outside_kbps, time_zone");
}

static bool read_bits(reader *r)
{
    ccm_site_bits *b = r->bits = g_new0(ccm_site_bits, 1);
    g_auto(GStrv) keys = g_key_file_get_keys(r->file, r->group, NULL, NULL);

    g_ptr_array_add(r->site->bits, b);
    b->name = g_strstrip(g_strdup(r->group + strlen("bits ")));
    b->kbps = b->outside_kbps = CCM_BITS_FREE;
    for (char **key = keys; key && *key; key++) {
        g_autofree char *value = g_key_file_get_value(r->file, r->group, *key, NULL);
        if (!read_bits_key(r, *key, g_strstrip(value)))
            return false;
    }
    if (!b->n_nets)
        return bad(r, "clients", "write clients = addresses or networks");
    return b->kbps != CCM_BITS_FREE || bad(r, "rate_kbps", "write rate_kbps = kilobits a second");
}

static bool read_all(reader *r)
{
    g_auto(GStrv) groups = g_key_file_get_groups(r->file, NULL);

    for (char **group = groups; *group; group++) {
        r->group = *group;
        if (g_str_has_prefix(*group, "dp ") && !read_dp(r))
            return false;
        if (g_str_has_prefix(*group, "package ") && !read_package(r))
            return false;
        if (g_str_has_prefix(*group, "bits ") && !read_bits(r))
            return false;
    }
    r->group = "site";
    r->site->zone_name = g_key_file_get_string(r->file, "site", "time_zone", NULL);
    if (r->site->zone_name && !(r->site->zone = zone_of(r->site->zone_name)))
        return bad(r, "time_zone", "write a zone such as Europe/Berlin or +02:00");
    return true;
}

ccm_site *ccm_site_load(const char *path, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    GError *why = NULL;

    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &why)) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE, "cannot read site file '%s': %s", path,
                    why->domain == G_FILE_ERROR
                        ? why->message
                        : "it has lines that are no [group] and no KEY = VALUE");
        g_error_free(why);
        return NULL;
    }
    ccm_site *site = g_new0(ccm_site, 1);
    site->dps = g_ptr_array_new_with_free_func(dp_free);
    site->packages = g_ptr_array_new_with_free_func(package_free);
    site->bits = g_ptr_array_new_with_free_func(bits_free);
    reader r = { .file = file, .path = path, .site = site, .error = error };
    if (read_all(&r))
        return site;
    ccm_site_free(site);
    return NULL;
}

void ccm_site_free(ccm_site *site)
{
    if (!site)
        return;
    g_ptr_array_free(site->dps, TRUE);
    g_ptr_array_free(site->packages, TRUE);
    g_ptr_array_free(site->bits, TRUE);
    if (site->zone)
        g_time_zone_unref(site->zone);
    g_free(site->zone_name);
    g_free(site);
}

const ccm_site_dp *ccm_site_find(const ccm_site *site, const ccm_addr *source,
                                 const ccm_addr *server)
{
    const ccm_site_dp *found = NULL;

    for (unsigned i = 0; i < site->dps->len; i++) {
        const ccm_site_dp *dp = g_ptr_array_index(site->dps, i);
        bool here = !dp->source.family || ccm_addr_cmp(&dp->source, source) == 0;
        for (unsigned a = 0; a < dp->n_addrs && here; a++)
            if (ccm_addr_cmp(&dp->addr[a], server) == 0 && (!found || dp->source.family))
                found = dp;
    }
    return found;
}

unsigned ccm_site_priority(const ccm_site *site, const char *package)
{
    for (unsigned i = 0; i < site->packages->len; i++) {
        const ccm_site_package *p = g_ptr_array_index(site->packages, i);
        if (!g_ascii_strcasecmp(p->id, package))
            return p->priority;
    }
    return site->packages->len ? 2 : 0;
}

static bool in_net(const ccm_site_net *net, const ccm_addr *a)
{
    unsigned whole = net->prefix / 8, rest = net->prefix % 8;

    return net->addr.family == a->family && !memcmp(net->addr.b, a->b, whole) &&
           (!rest || !((net->addr.b[whole] ^ a->b[whole]) >> (8 - rest)));
}

const ccm_site_bits *ccm_site_bits_find(const ccm_site *site, const ccm_addr *client)
{
    for (unsigned i = 0; i < site->bits->len; i++) {
        const ccm_site_bits *b = g_ptr_array_index(site->bits, i);
        for (unsigned k = 0; k < b->n_nets; k++)
            if (in_net(&b->net[k], client))
                return b;
    }
    return NULL;
}
