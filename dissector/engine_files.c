/* SPDX-License-Identifier: GPL-2.0-or-later
 * engine_files.c - the engine's files: opened, merged where they overlap, read to their end.
 * In: paths of files and directories. Out: batches of packets to ccm_engine_process, an observation
 * for each file; what could not be used. State: in the engine. */
#include <string.h>

#include "engine.h"
#include "input/merge.h"

enum {
    NAMED = 10,               /* files that could not be used, one by one */
    PROGRESS_EVERY = 4096,    /* packets between two looks */
    SECRETS_TLS = 0x544c534b, /* pcapng: the secrets block is a TLS key log */
};

/* The first line of `text`; a report has no place for what a user types next. */
static void add_reason(GString *reasons, const char *text)
{
    size_t n = strcspn(text, "\n");

    if (reasons->len)
        g_string_append(reasons, CCM_REASON_BREAK);
    g_string_append_len(reasons, text, (gssize)(n && text[n] && text[n - 1] == ':' ? n - 1 : n));
}

/* The report names what could not be used; the caller may show it at once. */
static void add_note(ccm_engine *e, const char *text)
{
    add_reason(e->unusable, text);
    if (e->options.note)
        e->options.note(e->options.note_data, text);
}

static void on_name(void *user_data, const ccm_addr *address, ccm_span name)
{
    ccm_engine *e = user_data;
    ccm_obs o = ccm_intake_obs(&e->in, CCM_OBS_name);
    char text[CCM_ADDR_TEXT];

    ccm_obs_str(&o, CCM_KEY_address, ccm_span_str(ccm_addr_text(address, text)));
    ccm_obs_str(&o, CCM_KEY_name, name);
    ccm_obs_str(&o, CCM_KEY_source, ccm_span_str("pcapng"));
    ccm_engine_emit(e, &o);
}

static void on_secrets(void *user_data, uint32_t type, ccm_span data)
{
    ccm_engine *e = user_data;

    e->secrets++;
    if (type != SECRETS_TLS)
        return; /* of WireGuard, ZigBee and others */
    ccm_decrypt_add_log(e->decrypt, data);
    ccm_engine_may_decrypt(e);
}

static void on_dropped(void *user_data, uint64_t packets)
{
    ccm_engine *e = user_data;

    e->dropped += packets;
}

static void on_untimed(void *user_data)
{
    ccm_engine *e = user_data;

    e->untimed++;
    e->in.untimed = true;
}

static ccm_reader_events events_of(ccm_engine *e)
{
    return (ccm_reader_events){ on_name, on_secrets, on_dropped, on_untimed, e, e->options.stop };
}

static void show_progress(ccm_engine *e, const ccm_reader *reader, const ccm_merge *merge)
{
    uint64_t read, size;

    if (!e->options.progress || e->frame < e->look)
        return;
    e->look = e->frame + PROGRESS_EVERY;
    gint64 now = g_get_monotonic_time();
    if (now - e->last_progress < G_USEC_PER_SEC / 10)
        return;
    e->last_progress = now;
    if (merge)
        ccm_merge_position(merge, &read, &size);
    else
        ccm_reader_position(reader, &read, &size);
    e->options.progress(e->options.progress_data, read, size, e->in.packets);
}

/* Packets of the file have a link type that is not read. */
static void refuse(ccm_engine *e, const char *path, const char *problem)
{
    if (e->n_refused++ < NAMED)
        g_ptr_array_add(e->refused, g_strdup_printf("%s: %s", path, problem));
}

/* Why reading stops here, when it does although there is more. */
static void tell_stop(ccm_engine *e)
{
    if (ccm_engine_stopped(e)) /* asked for, so no damage; but the report must not look complete */
        add_reason(e->reasons, "reading was interrupted, the rest was not looked at");
    if (e->more)
        add_reason(e->reasons, "reading stopped at the wanted number of packets");
}

/* Reads one capture file to its end. False when reading should not go on with the next. */
static bool read_capture(ccm_engine *e, ccm_reader *reader, const char *path, GError **damage)
{
    ccm_file_sums sums = { .packets = e->in.packets,
                           .bytes = e->in.wire_bytes,
                           .first_frame = e->frame + 1 };
    uint64_t unsupported = e->in.unsupported;
    ccm_raw raw[CCM_BATCH];
    bool go_on = true;
    unsigned n;

    while (go_on && (n = ccm_reader_next(reader, raw, damage)) > 0) {
        go_on = ccm_engine_process(e, raw, n, NULL, NULL);
        show_progress(e, reader, NULL);
    }
    if (ccm_engine_stopped(e)) {
        g_clear_error(damage);
        go_on = false;
    }
    if (!go_on && !e->more && !*damage && !ccm_engine_stopped(e))
        e->more = ccm_reader_next(reader, raw, damage) > 0;
    tell_stop(e);
    sums.packets = e->in.packets - sums.packets;
    sums.bytes = e->in.wire_bytes - sums.bytes;
    ccm_engine_tell_file(e, path, &sums);
    if (e->in.unsupported != unsupported)
        refuse(e, path, e->in.link_problem);
    return go_on;
}

static void word_bad_line(GError **bad, const char *path, uint64_t number, bool last)
{
    g_autofree char *why = (*bad)->message;

    if (last) /* cut, as a rule; where the parser stood then helps nobody */
        (*bad)->message = g_strdup_printf("%s: line %" G_GUINT64_FORMAT
                                          ", the last, is not whole: the file was cut or damaged; "
                                          "what came before was used",
                                          path, number);
    else
        (*bad)->message = g_strdup_printf(
            "%s: line %" G_GUINT64_FORMAT ": %s; what came before was used", path, number, why);
}

/* Hands on the facts of an observation file as they are. */
static void replay(ccm_engine *e, const char *path, ccm_lines *lines, GError **warning)
{
    GError *bad = NULL;
    bool ended = false;
    uint64_t number = 1;
    const char *line;
    size_t size;

    e->replayed = true;
    (void)ccm_lines_next(lines, &size, &bad); /* the header, known from opening */
    while (!bad && !ccm_engine_stopped(e) && (line = ccm_lines_next(lines, &size, &bad)) != NULL) {
        ccm_obs_json *keep = NULL;
        ccm_obs o;

        number++;
        if (size == 0)
            continue;
        if (!ccm_obs_from_json(line, size, &o, &keep, &bad)) {
            word_bad_line(&bad, path, number, !ccm_lines_next(lines, &size, NULL));
            break;
        }
        ended = o.kind == CCM_OBS_capture;
        e->in.packets++;
        ccm_engine_emit(e, &o);
        ccm_obs_json_free(keep);
    }
    if (bad)
        g_set_error(warning, CCM_ERROR, CCM_ERROR_CORRUPT, "%s", bad->message);
    else if (!ended && !ccm_engine_stopped(e))
        g_set_error(warning, CCM_ERROR, CCM_ERROR_CORRUPT,
                    "%s: the end is missing (no \"capture\" observation); what is there was used",
                    path);
    g_clear_error(&bad);
}

static void set_problem(GString *reasons, GError *problem, GError **warning)
{
    add_reason(reasons, problem->message);
    if (!*warning)
        g_propagate_error(warning, problem);
    else
        g_error_free(problem);
}

/* Captures of directories that could not be used. */
static void tell_skipped(ccm_engine *e, const GPtrArray *skipped, GError **warning)
{
    unsigned told = 0;

    for (unsigned i = 0; i < skipped->len; i++) {
        const GError *why = skipped->pdata[i];
        bool lacks = why->domain != CCM_ERROR || why->code == CCM_ERROR_CORRUPT;

        told += (lacks && !*warning) || i < NAMED;
        if (lacks && !*warning) {
            add_reason(e->unusable, why->message);
            *warning = g_error_new_literal(CCM_ERROR, CCM_ERROR_CORRUPT, why->message);
        } else if (i < NAMED) {
            add_note(e, why->message);
        }
    }
    if (skipped->len > told) {
        unsigned more = skipped->len - told;
        g_autofree char *text =
            g_strdup_printf("%u more capture%s could not be used", more, more == 1 ? "" : "s");
        add_note(e, text);
    }
}

/* Files with packets of a link type that is not read. False when there are no others. */
static bool tell_refused(ccm_engine *e, GError **error)
{
    if (e->n_refused && e->in.unsupported == e->in.packets) {
        g_set_error_literal(error, CCM_ERROR, CCM_ERROR_INPUT, e->refused->pdata[0]);
        return false;
    }
    for (unsigned i = 0; i < e->refused->len; i++)
        add_note(e, e->refused->pdata[i]);
    if (e->n_refused > NAMED) {
        g_autofree char *text = g_strdup_printf(
            "%u more files have packets of a kind that is not supported", e->n_refused - NAMED);
        add_note(e, text);
    }
    return true;
}

/* One input of the list. False stops the list; *error is set when it could not be opened. */
static bool read_input(ccm_engine *e, const char *path, bool only_one, GError **warning,
                       GError **error)
{
    ccm_reader_events events = events_of(e);
    GError *damage = NULL;
    ccm_reader *reader;
    ccm_lines *lines;
    bool go_on;

    if (!ccm_input_open(path, &events, &reader, &lines, error))
        return false;
    if (lines) {
        if (e->options.bpf || e->options.max_packets)
            g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE,
                        "%s is an observation file: a filter or a number of packets goes with "
                        "captures alone",
                        path);
        else if (only_one)
            replay(e, path, lines, warning);
        else
            g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE,
                        "%s is an observation file: give it alone, it is a whole capture point",
                        path);
        ccm_lines_free(lines);
        return only_one;
    }
    go_on = read_capture(e, reader, path, &damage);
    ccm_reader_free(reader);
    if (damage)
        set_problem(e->reasons, damage, warning);
    return go_on;
}

/* False when the filter is an error on all that was read. */
static bool check_filter(ccm_engine *e, GError **error)
{
    GError *why = NULL;
    uint64_t unfit;

    if (!ccm_filter_fits(e->filter, &unfit, &why)) {
        g_propagate_error(error, why);
        return false;
    }
    if (why) {
        g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT " packet%s left out: %s",
                                                unfit, unfit == 1 ? "" : "s", why->message);
        add_note(e, text);
        g_error_free(why);
    }
    if (e->frame && !e->in.packets && e->options.note) { /* the report has its own words for it */
        g_autofree char *text =
            g_strdup_printf("filter \"%s\" matched none of %" G_GUINT64_FORMAT " packets",
                            e->options.bpf, e->frame);
        e->options.note(e->options.note_data, text);
    }
    return true;
}

/* Files that may overlap in time. */
typedef struct overlap {
    ccm_engine *e;
    char *const *paths;
    ccm_file_sums *sums;
    GError **warning;
} overlap;

static void tell_merged(ccm_engine *e, const char *path, const ccm_file_sums *sums)
{
    ccm_engine_tell_file(e, path, sums);
    if (sums->link_problem)
        refuse(e, path, sums->link_problem);
}

static void on_file_end(void *user_data, unsigned file, bool opened, GError *problem)
{
    overlap *o = user_data;

    o->sums[file].done = true;
    if (problem)
        set_problem(opened ? o->e->reasons : o->e->unusable, problem, o->warning);
    if (opened)
        tell_merged(o->e, o->paths[file], &o->sums[file]);
}

/* Reads files in the order of their packets' times. */
static void read_overlapping(ccm_engine *e, char *const *paths, const uint64_t *first_ns,
                             unsigned n_files, GError **warning)
{
    ccm_reader_events events = events_of(e);
    overlap o = { e, paths, g_new0(ccm_file_sums, n_files), warning };
    ccm_merge *merge = ccm_merge_new(paths, first_ns, n_files, &events, on_file_end, &o);
    const unsigned *from;
    const ccm_raw *raw;
    bool go_on = true;
    unsigned n;

    while (go_on && (n = ccm_merge_next(merge, &raw, &from)) > 0) {
        go_on = ccm_engine_process(e, raw, n, o.sums, from);
        show_progress(e, NULL, merge);
    }
    if (!go_on && !e->more && !ccm_engine_stopped(e))
        e->more = ccm_merge_next(merge, &raw, &from) > 0;
    tell_stop(e);
    for (unsigned i = 0; i < n_files; i++)
        if (o.sums[i].first_frame && !o.sums[i].done)
            tell_merged(e, paths[i], &o.sums[i]);
    e->unmerged += ccm_merge_late(merge);
    ccm_merge_free(merge);
    g_free(o.sums);
}

/* Those whose first time is not known (pipes, for instance) one after the other, then the others.
 */
static bool read_files(ccm_engine *e, char *const *files, const uint64_t *first_ns,
                       GError **warning, GError **error)
{
    bool go_on = true;
    unsigned i;

    for (i = 0; go_on && files[i] && (!first_ns[i] || !files[i + 1]); i++) {
        GError *problem = NULL;
        go_on = read_input(e, files[i], !files[1], warning, &problem);
        if (!problem)
            continue;
        if (i == 0 || problem->code == CCM_ERROR_USAGE) {
            g_propagate_error(error, problem);
            return false;
        }
        set_problem(e->unusable, problem, warning);
        go_on = true;
    }
    if (go_on && files[i])
        read_overlapping(e, files + i, first_ns + i, g_strv_length((char **)files + i), warning);
    return true;
}

bool ccm_engine_read(ccm_engine *e, const char *const *paths, unsigned n_paths, GError **warning,
                     GError **error)
{
    uint64_t *first_ns;
    char **files;

    if (e->options.bpf && !(e->filter = ccm_filter_new(e->options.bpf, error)))
        return false;
    GPtrArray *skipped = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
    files = ccm_input_expand(paths, n_paths, &first_ns, skipped, error);
    if (files)
        tell_skipped(e, skipped, warning);
    g_ptr_array_unref(skipped);
    if (!files)
        return false;
    bool good = read_files(e, files, first_ns, warning, error);
    g_strfreev(files);
    g_free(first_ns);
    return good && (!e->filter || check_filter(e, error)) && tell_refused(e, error);
}
