/* SPDX-License-Identifier: GPL-2.0-or-later
 * merge.c - the packets of several capture files as one sequence, in the order of time.
 * In: files sorted by their first packet. Out: batches of packets, and whose they are.
 * State: a lane for each open file. A file is opened once the packets of the open ones reach its
 * first, so that files that follow one another are read one after the other. */
#include "input/merge.h"

typedef struct lane {
    ccm_reader *reader;
    unsigned file, at, n; /* packets at..n of `raw` are to come */
    uint64_t time_ns;     /* of the newest that was given; before, of the file's first */
    ccm_raw raw[CCM_BATCH];
} lane;

struct ccm_merge {
    char *const *paths;
    const uint64_t *first_ns;
    unsigned n_files, next; /* the next to be opened */
    unsigned late;
    bool waits;       /* `next` is due, but no lane is free */
    uint64_t reached; /* latest time given so far */
    ccm_reader_events events;
    ccm_merge_ended_fn ended;
    void *ud;
    unsigned n_lanes;
    lane *lanes[CCM_MERGE_OPEN];
    ccm_raw raw[CCM_BATCH];
    unsigned from[CCM_BATCH];
};

ccm_merge *ccm_merge_new(char *const *paths, const uint64_t *first_ns, unsigned n,
                         const ccm_reader_events *events, ccm_merge_ended_fn ended, void *ud)
{
    ccm_merge *m = g_new0(ccm_merge, 1);

    m->paths = paths;
    m->first_ns = first_ns;
    m->n_files = n;
    m->events = *events;
    m->ended = ended;
    m->ud = ud;
    return m;
}

static void lane_free(lane *l)
{
    ccm_reader_free(l->reader);
    g_free(l);
}

static uint64_t head(const lane *l)
{
    uint64_t t = ccm_merge_time(&l->raw[l->at], l->n - l->at);

    return t ? t : l->time_ns;
}

/* False when the file has ended; its lane is free again. */
static bool refill(ccm_merge *m, unsigned i)
{
    lane *l = m->lanes[i];
    GError *damage = NULL;

    l->at = 0;
    l->n = ccm_reader_next(l->reader, l->raw, &damage);
    if (l->n)
        return true;
    unsigned file = l->file;
    lane_free(l);
    m->lanes[i] = m->lanes[--m->n_lanes];
    m->waits = false;
    m->ended(m->ud, file, true, damage);
    return false;
}

static void open_next(ccm_merge *m)
{
    unsigned file = m->next++;
    GError *error = NULL;
    ccm_reader *reader;
    ccm_lines *lines;

    m->late += m->first_ns[file] < m->reached;
    if (!ccm_input_open(m->paths[file], &m->events, &reader, &lines, &error)) {
        m->ended(m->ud, file, false, error);
    } else if (!reader) { /* another file than a moment ago */
        ccm_lines_free(lines);
        g_set_error(&error, CCM_ERROR, CCM_ERROR_INPUT, "%s has changed", m->paths[file]);
        m->ended(m->ud, file, false, error);
    } else {
        lane *l = g_new(lane, 1);
        l->reader = reader;
        l->file = file;
        l->time_ns = m->first_ns[file];
        m->lanes[m->n_lanes++] = l;
        (void)refill(m, m->n_lanes - 1);
    }
}

/* The lane whose packet is next; *until, *until_file: which one of another file comes after it. */
static lane *first_lane(const ccm_merge *m, uint64_t *until, unsigned *until_file)
{
    lane *best = NULL;

    *until = UINT64_MAX;
    *until_file = UINT_MAX;
    for (unsigned i = 0; i < m->n_lanes; i++) {
        lane *l = m->lanes[i];
        uint64_t t = head(l);
        if (t > *until || (t == *until && l->file > *until_file))
            continue;
        if (best && (t > head(best) || (t == head(best) && l->file > best->file))) {
            *until = t;
            *until_file = l->file;
            continue;
        }
        if (best) {
            *until = head(best);
            *until_file = best->file;
        }
        best = l;
    }
    return best;
}

/* As first_lane, with the files that are due opened. NULL at the end. */
static lane *first_due(ccm_merge *m, uint64_t *until, unsigned *until_file)
{
    for (;;) {
        lane *l = first_lane(m, until, until_file);
        if (m->next == m->n_files || m->waits)
            return l;
        uint64_t begins = m->first_ns[m->next];
        if (l && begins >= head(l)) {
            if (begins < *until) {
                *until = begins;
                *until_file = m->next;
            }
            return l;
        }
        if (m->n_lanes < CCM_MERGE_OPEN)
            open_next(m);
        else
            m->waits = true;
    }
}

unsigned ccm_merge_next(ccm_merge *m, const ccm_raw **raw, const unsigned **from)
{
    unsigned n = 0, until_file;
    uint64_t until;
    lane *l;

    for (unsigned i = 0; i < m->n_lanes;) /* what they gave has been used */
        i += m->lanes[i]->at < m->lanes[i]->n || refill(m, i);
    *raw = m->raw;
    *from = m->from;
    while (n < CCM_BATCH && (l = first_due(m, &until, &until_file)) != NULL) {
        unsigned begin = l->at;
        for (; l->at < l->n && n + l->at - begin < CCM_BATCH; l->at++) {
            uint64_t t = head(l);
            if (t > until || (t == until && l->file > until_file))
                break;
            m->reached = l->time_ns = t;
        }
        unsigned count = l->at - begin;
        for (unsigned i = 0; i < count; i++)
            m->from[n + i] = l->file;
        if (n == 0 && count == l->n) { /* the whole batch of one file: no copy */
            *raw = l->raw;
            return count;
        }
        memcpy(&m->raw[n], &l->raw[begin], count * sizeof *m->raw);
        n += count;
        if (l->at == l->n) /* reading on moves its buffer */
            break;
    }
    return n;
}

unsigned ccm_merge_late(const ccm_merge *m)
{
    return m->late;
}

void ccm_merge_position(const ccm_merge *m, uint64_t *read, uint64_t *size)
{
    *read = *size = 0;
    for (unsigned i = 0; i < m->n_lanes; i++) {
        uint64_t one, all;
        ccm_reader_position(m->lanes[i]->reader, &one, &all);
        *read += one;
        *size += all;
    }
}

void ccm_merge_free(ccm_merge *m)
{
    if (!m)
        return;
    for (unsigned i = 0; i < m->n_lanes; i++)
        lane_free(m->lanes[i]);
    g_free(m);
}
