/* SPDX-License-Identifier: GPL-2.0-or-later
 * pair_policy.c - were the priorities of the schedule and the policy of background transfers kept?
 *
 * In: what a pair's traffic shows, what the site file says. Out: deviations. State: none. No packet
 * names a priority: the file's name tells the package, and the site file the package's priority.
 * Spec: throttling.md sections 6 and 8. */
#include "model/naming.h"
#include "model/smb.h"
#include "model/view_pairs.h"

enum { BULK = 1000000, GRACE_S = 120, MINUTE_S = 60 };

/* What headers may add to what a policy counts, and how far a minute may be from the rate. */
static const double rate_slack = 1.15;

/* ---- priorities ------------------------------------------------------------------------------ */

/* Packages that were written in [from, to): those of a priority that is not let through. */
typedef struct jobs {
    unsigned all, wrong;
    uint64_t wrong_bytes; /* of files that lie wholly in it */
    GString *names;       /* of the wrong ones */
} jobs;

static void look_at_jobs(const pair_comparison *c, uint64_t from_ns, uint64_t to_ns, unsigned most,
                         jobs *out)
{
    const ccm_model *m = c->k->m;

    for (unsigned i = 0; i < m->smb->rows->len; i++) {
        const ccm_smb_row *r = &g_array_index(m->smb->rows, ccm_smb_row, i);
        char id[CCM_PACKAGE_ID + 1];
        if (r->what != CCM_SMB_FILE || !r->bytes[0] || r->name == CCM_NONE ||
            r->last_ns < from_ns || r->first_ns >= to_ns ||
            !ccm_addr_eq(&r->client, &c->p->client) || !ccm_addr_eq(&r->server, &c->p->server) ||
            !ccm_package_of_path(ccm_span_str(ccm_texts_get(&m->texts, r->name)), id))
            continue;
        unsigned priority = ccm_site_priority(c->k->site, id);
        if (!priority)
            continue;
        out->all++;
        if (priority <= most)
            continue;
        out->wrong++;
        if (r->first_ns >= from_ns && r->last_ns < to_ns)
            out->wrong_bytes += r->bytes[0];
        if (!strstr(out->names->str, id))
            g_string_append_printf(out->names, "%s%s (%s)", out->names->len ? ", " : "", id,
                                   priority == 3 ? "low" : "medium");
    }
}

/* `bytes` were sent in cells of this level, the first at `from`. */
static void judge_level(pair_comparison *c, uint64_t from_ns, uint64_t to_ns, unsigned level,
                        uint64_t bytes)
{
    const char *allowed =
        level == CCM_OPEN_HIGH ? "high priority only" : "medium and high priority";
    jobs found = { .names = g_string_new(NULL) };

    look_at_jobs(c, from_ns, to_ns, 4 - level, &found);
    if (!found.all)
        ccm_pair_deviate(c, from_ns, to_ns, "priority-unknown",
                         g_strdup_printf("%" G_GUINT64_FORMAT
                                         " bytes sent, of packages whose priority is not known",
                                         bytes),
                         g_strdup(allowed), bytes);
    else if (found.wrong == found.all || found.wrong_bytes >= BULK)
        ccm_pair_deviate(c, from_ns, to_ns, "priority",
                         g_strdup_printf("%s sent", found.names->str), g_strdup(allowed),
                         found.wrong == found.all ? bytes : found.wrong_bytes);
    g_string_free(found.names, TRUE);
}

void ccm_pair_compare_priority(pair_comparison *c)
{
    const pace_pair *p = c->p;
    uint64_t from_ns = 0, to_ns = 0, bytes = 0;
    unsigned level = 0;

    for (unsigned i = 0; i <= p->n_time; i++) {
        uint64_t second = i < p->n_time ? p->time[i].second : 0;
        int64_t local = i < p->n_time ? ccm_pair_local(p, second) : 0;
        unsigned now = i < p->n_time ? c->dp->schedule[ccm_pair_week_hour(local)] : 0;
        uint64_t hour_ns = (uint64_t)((int64_t)second - local % 3600) * CCM_NS;
        if (level && (now != level || hour_ns > to_ns)) {
            if (bytes >= BULK)
                judge_level(c, from_ns, to_ns, level, bytes);
            level = 0;
        }
        if (now != CCM_OPEN_MEDIUM && now != CCM_OPEN_HIGH)
            continue;
        /* a stop takes up to a minute or two */
        if (p->interval_s <= 60 && local % 3600 < GRACE_S &&
            c->dp->schedule[ccm_pair_week_hour(local - 3600)] < now)
            continue;
        if (!level) {
            level = now;
            from_ns = second * CCM_NS;
            bytes = 0;
        }
        to_ns = hour_ns + 3600 * CCM_NS;
        bytes += p->time[i].bytes[0];
    }
}

/* ---- background transfers -------------------------------------------------------------------- */

static bool in_window(const ccm_site_bits *b, int64_t local)
{
    unsigned hour = (unsigned)(local / 3600 % 24);

    if (b->from == b->to)
        return true;
    return b->from < b->to ? hour >= b->from && hour < b->to : hour >= b->from || hour < b->to;
}

typedef struct excess {
    uint64_t from_s, to_s, bytes, peak_bps;
    int64_t kbps;
    bool inside;
} excess;

static void tell_excess(pair_comparison *c, const excess *e)
{
    if (!e->to_s || e->bytes < BULK)
        return;
    const char *where = e->inside ? "in the window" : "outside the window";
    char *expected =
        e->kbps ? g_strdup_printf("at most %" G_GINT64_FORMAT " kbit/s of background transfers %s",
                                  e->kbps, where)
                : g_strdup_printf("no background transfers %s", where);
    ccm_pair_deviate(
        c, e->from_s * CCM_NS, e->to_s * CCM_NS, e->kbps ? "bits-rate" : "bits-closed",
        g_strdup_printf("up to %" G_GUINT64_FORMAT " kbit/s over a minute", e->peak_bps / 1000),
        expected, e->bytes);
}

/* Minutes whose rate is above what the policy allows; those in a row are one deviation. */
void ccm_pair_compare_bits(pair_comparison *c)
{
    const pace_pair *p = c->p;
    const ccm_site_bits *b = p->bits;
    uint64_t step = MAX(p->interval_s, (unsigned)MINUTE_S);
    excess e = { 0 };

    for (unsigned i = 0, to; i < p->n_time; i = to) {
        uint64_t cell = p->time[i].second / step, bytes = 0;
        for (to = i; to < p->n_time && p->time[to].second / step == cell; to++)
            bytes += p->time[to].bytes[1];
        bool inside = in_window(b, ccm_pair_local(p, cell * step));
        int64_t kbps = inside ? b->kbps : b->outside_kbps;
        uint64_t bps = bytes * 8 / step;
        bool above = kbps != CCM_BITS_FREE && (double)bps > (double)kbps * 1000 * rate_slack;
        if (e.to_s && (!above || cell * step != e.to_s || e.inside != inside)) {
            tell_excess(c, &e);
            e = (excess){ 0 };
        }
        if (!above)
            continue;
        if (!e.to_s)
            e = (excess){ .from_s = cell * step, .kbps = kbps, .inside = inside };
        e.to_s = (cell + 1) * step;
        e.bytes += bytes;
        e.peak_bps = ccm_max64(e.peak_bps, bps);
    }
    tell_excess(c, &e);
}
