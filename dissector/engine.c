/* SPDX-License-Identifier: GPL-2.0-or-later
 * engine.c - one capture point: wires input to flow; observations go straight to the receiver.
 * In: files, a live device or the caller's packets.  Out: observations, the last one `capture`. */
#include <string.h>

#include "flow/intake.h"
#include "input/live.h"
#include "input/merge.h"
#include "model/model.h"
#include "observe/obs.h"
#include "proto/decrypt.h"
#include "proto/verify.h"

enum {
    SKIPPED_TOLD = 10,        /* captures of directories that could not be used, one by one */
    PROGRESS_EVERY = 4096,    /* packets between two looks */
    SECRETS_TLS = 0x544c534b, /* pcapng: the secrets block is a TLS key log */
};

/* What was read of a file that may overlap with others. */
typedef struct file_sums {
    uint64_t packets, bytes, first_frame; /* first_frame 0 = had no packet */
    bool done;
} file_sums;

struct ccm_engine {
    ccm_limits limits;
    ccm_engine_options options;
    ccm_obs_fn fn;
    void *user_data;
    ccm_intake in;
    ccm_decrypt *decrypt;
    ccm_verify *verify; /* NULL: signatures are not checked */
    ccm_filter *filter;
    uint64_t frame; /* of the newest packet, filtered ones included, so that Wireshark's agree */
    uint64_t dropped, secrets, untimed;
    uint64_t look; /* frame at which progress is shown next */
    gint64 last_progress;
    GString *reasons;  /* why the input ended early, joined by CCM_REASON_BREAK */
    GString *unusable; /* what could not be used at all, likewise */
    unsigned unmerged; /* files that overlap with others and were read after them */
    bool more;         /* a packet was left out because max_packets were read */
    bool replayed;     /* an observation file was read: it has its own `capture` observation */
};

static void emit(void *engine, const ccm_obs *o)
{
    ccm_engine *e = engine;

    if (e->options.model)
        ccm_model_observe(e->options.model, o);
    if (e->fn)
        e->fn(e->user_data, o);
}

ccm_engine *ccm_engine_new(const ccm_limits *limits, const ccm_engine_options *options,
                           ccm_obs_fn fn, void *user_data)
{
    ccm_engine *e = g_new0(ccm_engine, 1);

    e->limits = *limits;
    e->options = *options;
    e->fn = fn;
    e->user_data = user_data;
    if (options->model && !fn) { /* nobody else listens: the short way */
        ccm_intake_init(&e->in, &e->limits, options->no_classify, ccm_model_observe,
                        options->model);
        ccm_flows_structs(e->in.flows, ccm_model_structs);
    } else {
        ccm_intake_init(&e->in, &e->limits, options->no_classify, emit, e);
    }
    if (options->messages && !options->no_verify)
        e->verify = ccm_verify_new(&e->limits);
    ccm_flows_decode(e->in.flows, options->messages ? CCM_DEPTH_FULL : CCM_DEPTH_HEADER,
                     e->verify ? ccm_verify_service(e->verify) : NULL);
    e->decrypt = ccm_decrypt_new(&e->limits);
    e->reasons = g_string_new("");
    e->unusable = g_string_new("");
    return e;
}

void ccm_engine_free(ccm_engine *e)
{
    if (!e)
        return;
    ccm_intake_clear(&e->in);
    ccm_verify_free(e->verify);
    ccm_decrypt_free(e->decrypt);
    ccm_filter_free(e->filter);
    g_string_free(e->reasons, TRUE);
    g_string_free(e->unusable, TRUE);
    g_free(e);
}

/* Nobody looks for keys of TLS as long as there are none. */
static void may_decrypt(ccm_engine *e)
{
    const ccm_decrypt_counts *c = ccm_decrypt_count(e->decrypt);

    if (c->secrets || c->keys || ccm_decrypt_follows(e->decrypt))
        ccm_flows_decrypt(e->in.flows, ccm_decrypt_service(e->decrypt));
}

bool ccm_engine_add_key(ccm_engine *e, const char *path, GError **error)
{
    bool private, public;

    if (!ccm_decrypt_add_key_file(e->decrypt, path, &private, &public, error))
        return false;
    may_decrypt(e);
    return !e->verify || (private && !public) || ccm_verify_add_file(e->verify, path, error);
}

bool ccm_engine_add_keylog(ccm_engine *e, const char *path, GError **error)
{
    if (!ccm_decrypt_add_log_file(e->decrypt, path, error))
        return false;
    may_decrypt(e);
    return true;
}

bool ccm_engine_add_site(ccm_engine *e, const char *path, GError **error)
{
    return !e->verify || ccm_verify_add_site(e->verify, path, error);
}

static bool stopped(const ccm_engine *e)
{
    return e->options.stop && *e->options.stop;
}

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

/* ---- packets --------------------------------------------------------------------------------- */

static bool filter_passes(ccm_engine *e, const ccm_raw *raw)
{
    return !e->filter || ccm_filter_match(e->filter, raw);
}

/* Decodes and hands on up to CCM_BATCH packets. With `sums`, packet i counts for sums[from[i]].
 * False when the caller should stop. */
static bool process(ccm_engine *e, const ccm_raw *raw, unsigned n, file_sums *sums,
                    const unsigned *from)
{
    ccm_packet packets[CCM_BATCH];
    unsigned decoded = 0;

    ccm_decoder_begin_batch(e->in.decoder);
    for (unsigned i = 0; i < n; i++) {
        if (e->options.max_packets && e->in.packets >= e->options.max_packets) {
            e->more = true;
            break;
        }
        e->frame++;
        if (sums && !sums[from[i]].first_frame)
            sums[from[i]].first_frame = e->frame;
        if (!filter_passes(e, &raw[i]))
            continue;
        if (sums) {
            sums[from[i]].packets++;
            sums[from[i]].bytes += raw[i].length;
        }
        decoded += ccm_intake_decode(&e->in, &raw[i], e->frame, &packets[decoded]);
    }
    ccm_intake_flow(&e->in, packets, decoded);
    return !(e->options.max_packets && e->in.packets >= e->options.max_packets) && !stopped(e);
}

void ccm_engine_packet(ccm_engine *e, uint64_t time_ns, unsigned link_type, const uint8_t *data,
                       unsigned captured, unsigned length)
{
    ccm_raw raw = { data, captured, length, link_type, time_ns };

    (void)process(e, &raw, 1, NULL, NULL);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void on_name(void *user_data, const ccm_addr *address, ccm_span name)
{
    ccm_engine *e = user_data;
    ccm_obs o = ccm_intake_obs(&e->in, CCM_OBS_name);
    char text[CCM_ADDR_TEXT];

    ccm_obs_str(&o, CCM_KEY_address, ccm_span_str(ccm_addr_text(address, text)));
    ccm_obs_str(&o, CCM_KEY_name, name);
    ccm_obs_str(&o, CCM_KEY_source, ccm_span_str("pcapng"));
    emit(e, &o);
}

static void on_secrets(void *user_data, uint32_t type, ccm_span data)
{
    ccm_engine *e = user_data;

    e->secrets++;
    if (type != SECRETS_TLS)
        return; /* of WireGuard, ZigBee and others */
    ccm_decrypt_add_log(e->decrypt, data);
    may_decrypt(e);
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

static void tell_file(ccm_engine *e, const char *path, const file_sums *sums)
{
    ccm_obs o = ccm_intake_obs(&e->in, CCM_OBS_capture_file);

    ccm_obs_str(&o, CCM_KEY_name, ccm_span_str(path));
    ccm_obs_u64(&o, CCM_KEY_packets, sums->packets);
    ccm_obs_u64(&o, CCM_KEY_file_bytes, sums->bytes);
    ccm_obs_u64(&o, CCM_KEY_first_frame, sums->first_frame ? sums->first_frame : e->frame + 1);
    emit(e, &o);
}

/* Why reading stops here, when it does although there is more. */
static void tell_stop(ccm_engine *e)
{
    if (stopped(e)) /* asked for, so no damage; but the report must not look complete */
        add_reason(e->reasons, "reading was interrupted, the rest was not looked at");
    if (e->more)
        add_reason(e->reasons, "reading stopped at the wanted number of packets");
}

/* Reads one capture file to its end. False when reading should not go on with the next. */
static bool read_capture(ccm_engine *e, ccm_reader *reader, const char *path, GError **damage)
{
    file_sums sums = { e->in.packets, e->in.wire_bytes, e->frame + 1, false };
    ccm_raw raw[CCM_BATCH];
    bool go_on = true;
    unsigned n;

    while (go_on && (n = ccm_reader_next(reader, raw, damage)) > 0) {
        go_on = process(e, raw, n, NULL, NULL);
        show_progress(e, reader, NULL);
    }
    if (stopped(e)) {
        g_clear_error(damage);
        go_on = false;
    }
    if (!go_on && !e->more && !*damage && !stopped(e))
        e->more = ccm_reader_next(reader, raw, damage) > 0;
    tell_stop(e);
    sums.packets = e->in.packets - sums.packets;
    sums.bytes = e->in.wire_bytes - sums.bytes;
    tell_file(e, path, &sums);
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
    while (!bad && !stopped(e) && (line = ccm_lines_next(lines, &size, &bad)) != NULL) {
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
        emit(e, &o);
        ccm_obs_json_free(keep);
    }
    if (bad)
        g_set_error(warning, CCM_ERROR, CCM_ERROR_CORRUPT, "%s", bad->message);
    else if (!ended && !stopped(e))
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
    for (unsigned i = 0; i < MIN(skipped->len, SKIPPED_TOLD); i++) {
        const GError *why = skipped->pdata[i];

        if (why->code == CCM_ERROR_CORRUPT && !*warning)
            set_problem(e->unusable, g_error_copy(why), warning);
        else
            add_note(e, why->message);
    }
    if (skipped->len > SKIPPED_TOLD) {
        g_autofree char *text =
            g_strdup_printf("%u more captures could not be used", skipped->len - SKIPPED_TOLD);
        add_note(e, text);
    }
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
    file_sums *sums;
    GError **warning;
} overlap;

static void on_file_end(void *user_data, unsigned file, bool opened, GError *problem)
{
    overlap *o = user_data;

    o->sums[file].done = true;
    if (problem)
        set_problem(opened ? o->e->reasons : o->e->unusable, problem, o->warning);
    if (opened)
        tell_file(o->e, o->paths[file], &o->sums[file]);
}

/* Reads files in the order of their packets' times. */
static void read_overlapping(ccm_engine *e, char *const *paths, const uint64_t *first_ns,
                             unsigned n_files, GError **warning)
{
    ccm_reader_events events = events_of(e);
    overlap o = { e, paths, g_new0(file_sums, n_files), warning };
    ccm_merge *merge = ccm_merge_new(paths, first_ns, n_files, &events, on_file_end, &o);
    const unsigned *from;
    const ccm_raw *raw;
    bool go_on = true;
    unsigned n;

    while (go_on && (n = ccm_merge_next(merge, &raw, &from)) > 0) {
        go_on = process(e, raw, n, o.sums, from);
        show_progress(e, NULL, merge);
    }
    if (!go_on && !e->more && !stopped(e))
        e->more = ccm_merge_next(merge, &raw, &from) > 0;
    tell_stop(e);
    for (unsigned i = 0; i < n_files; i++)
        if (o.sums[i].first_frame && !o.sums[i].done)
            tell_file(e, paths[i], &o.sums[i]);
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
    if (!good || (e->filter && !check_filter(e, error)))
        return false;
    if (e->in.link_problem && e->in.unsupported == e->in.packets) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_INPUT, "%s: %s", paths[0], e->in.link_problem);
        return false;
    }
    if (e->in.link_problem)
        add_reason(e->unusable, e->in.link_problem);
    return true;
}

/* ---- live ------------------------------------------------------------------------------------ */

static void on_live_packet(void *user_data, const ccm_raw *raw)
{
    (void)process(user_data, raw, 1, NULL, NULL);
}

static void on_live_tick(void *user_data, uint64_t now_ns, uint64_t dropped)
{
    ccm_engine *e = user_data;

    e->dropped = dropped;
    ccm_intake_expire(&e->in, now_ns);
    ccm_flows_tick(e->in.flows, now_ns);
    if (e->options.progress)
        e->options.progress(e->options.progress_data, e->in.wire_bytes, 0, e->in.packets);
}

bool ccm_engine_live(ccm_engine *e, const ccm_live_options *options, GError **error)
{
    ccm_live_events events = { on_live_packet, on_live_tick, e };
    ccm_decrypt_follow(e->decrypt); /* while files may still be opened */
    may_decrypt(e);
    ccm_live *live = ccm_live_open(options, e->options.bpf, error);
    bool good;

    if (!live)
        return false;
    good = ccm_live_run(live, &events, e->options.max_packets, e->options.stop, error);
    e->dropped = ccm_live_dropped(live);
    tell_file(e, options->interface, &(file_sums){ e->in.packets, e->in.wire_bytes, 1, true });
    ccm_live_free(live);
    return good;
}

/* ---- end ------------------------------------------------------------------------------------- */

static void tell_limit(ccm_engine *e, const char *name, uint64_t count)
{
    ccm_intake_limit(&e->in, name, count, emit, e);
}

static void verify_limits(ccm_engine *e)
{
    if (!e->verify)
        return;
    const ccm_verify_counts *c = ccm_verify_count(e->verify);
    tell_limit(e, "client_keys", c->clients_dropped);
    tell_limit(e, "registrations", c->registrations_dropped);
}

/* What keys were given, and whether they were good for anything. */
static void decryption(const ccm_engine *e, ccm_obs *o)
{
    const ccm_decrypt_counts *c = ccm_decrypt_count(e->decrypt);
    const struct {
        ccm_key key;
        uint64_t value;
    } said[] = {
        { CCM_KEY_secrets, c->secrets },
        { CCM_KEY_secrets_malformed, c->malformed },
        { CCM_KEY_private_keys, c->keys },
        { CCM_KEY_decrypted_sessions, c->sessions },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(said); i++)
        if (said[i].value)
            ccm_obs_u64(o, said[i].key, said[i].value);
}

void ccm_engine_finish(ccm_engine *e)
{
    if (e->replayed)
        return;
    ccm_intake_finish(&e->in);
    tell_limit(e, "fragments", ccm_decoder_evicted(e->in.decoder));
    verify_limits(e);
    tell_limit(e, "tls_secrets", ccm_decrypt_count(e->decrypt)->dropped);
    ccm_obs o = ccm_intake_obs(&e->in, CCM_OBS_capture);
    ccm_intake_put_counts(&e->in, &o);
    ccm_obs_u64(&o, CCM_KEY_dropped_packets, e->dropped);
    if (e->frame > e->in.packets)
        ccm_obs_u64(&o, CCM_KEY_filtered_packets, e->frame - e->in.packets);
    ccm_obs_u64(&o, CCM_KEY_gaps, ccm_flows_gaps(e->in.flows));
    ccm_obs_u64(&o, CCM_KEY_secrets_blocks, e->secrets);
    decryption(e, &o);
    ccm_obs_str(&o, CCM_KEY_reason, ccm_span_of(e->reasons->str, e->reasons->len));
    ccm_obs_str(&o, CCM_KEY_unusable, ccm_span_of(e->unusable->str, e->unusable->len));
    if (e->unmerged)
        ccm_obs_u64(&o, CCM_KEY_unmerged_files, e->unmerged);
    if (e->untimed)
        ccm_obs_u64(&o, CCM_KEY_untimed_packets, e->untimed);
    emit(e, &o);
}
