/* SPDX-License-Identifier: GPL-2.0-or-later
 * commands.c - runs a command: an engine whose observations go to the model, to the exchange lines
 * and to the observation file, as the command wants; then the report. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

static volatile int stop_requested; /* set by the signal handler alone */
static volatile time_t stop_second; /* when, by the monotonic clock */

/* The first Ctrl-C ends the run with its report, a later one ends the program. A second signal soon
 * after the first is the same request: timeout(1) sends it to the process and to its group. */
static void on_signal(int number)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!stop_requested) {
        stop_second = now.tv_sec;
        stop_requested = 1;
    } else if (now.tv_sec - stop_second > 1) {
        signal(number, SIG_DFL);
        raise(number);
    }
}

/* Everything that receives observations. */
typedef struct run {
    ccm_catalog *catalog;
    ccm_model *model;
    ccm_exchanges *exchanges;
    output out, facts;
    ccm_sink sink; /* to `out` */
    GString *line;
    bool seen; /* an observation came: there is something to report */
} run;

enum { LINE_FLUSH = 1 << 16, MESSAGES_LISTED = 100000 };

static void write_facts(run *r)
{
    output_write(&r->facts, r->line->str, r->line->len);
    g_string_truncate(r->line, 0);
}

static void observe(void *user_data, const ccm_obs *obs)
{
    run *r = user_data;

    r->seen = true;
    if (r->exchanges)
        ccm_exchanges_observe(r->exchanges, obs);
    if (r->facts.file) {
        ccm_obs_to_json(obs, r->line);
        g_string_append_c(r->line, '\n');
        if (r->line->len > LINE_FLUSH)
            write_facts(r);
    }
}

/* The tick of a live capture: what is known is shown, whether or not more comes. */
static void show_lines(void *user_data, uint64_t read, uint64_t total, uint64_t packets)
{
    run *r = user_data;

    (void)read, (void)total, (void)packets;
    ccm_exchanges_flush(r->exchanges);
    if (r->facts.file) {
        write_facts(r);
        output_flush(&r->facts);
    }
}

/* A message may name a file of a directory that anybody made: its control characters do not reach
 * the terminal. */
static void say(const char *text)
{
    fputs("ccmscope: ", stderr);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text, next = (unsigned char)text[1];

        if (c < ' ' || c == 0x7f)
            fprintf(stderr, "\\x%02x", c);
        else if (c == 0xc2 && next >= 0x80 && next < 0xa0) /* U+0080 to U+009F */
            fprintf(stderr, "\\x%02x", (unsigned char)*++text);
        else
            fputc(c, stderr);
    }
    fputc('\n', stderr);
}

static int complain(GError **error)
{
    int code = (*error)->domain == CCM_ERROR ? (*error)->code : EXIT_INTERNAL;

    say((*error)->message);
    g_clear_error(error);
    return code;
}

static bool same_file(const char *path, const struct stat *other)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_dev == other->st_dev && st.st_ino == other->st_ino;
}

/* An output that is also an input would be emptied before it is read. */
static bool may_replace(const options *o, const char *path)
{
    struct stat st;

    if (!path || strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return true;
    for (guint i = 0; i < o->inputs->len; i++) {
        const char *input = o->inputs->pdata[i];

        if (same_file(strcmp(input, "-") == 0 ? "/dev/stdin" : input, &st)) {
            fprintf(stderr, "ccmscope: %s is also the input; write to another file\n", path);
            return false;
        }
    }
    return true;
}

/* Opens outputs and receivers. Returns an exit code. */
static int start(run *r, options *o, const ccm_limits *limits)
{
    GError *error = NULL;
    /* With -w - the packets, with --observations - the facts own standard output, and text goes to
     * standard error. */
    bool owned = (o->live.write_path && strcmp(o->live.write_path, "-") == 0) ||
                 (o->observations && strcmp(o->observations, "-") == 0);

    if (owned && (!o->output || strcmp(o->output, "-") == 0))
        o->output = "/dev/stderr";
    if (!may_replace(o, o->output) || !may_replace(o, o->observations))
        return EXIT_USAGE;
    if (!output_open(&r->out, o->output) ||
        (o->observations && !output_open(&r->facts, o->observations)))
        return CCM_ERROR_OUTPUT;
    if (o->command == CMD_LIVE)
        setvbuf(r->out.file, NULL, _IOLBF, 0); /* lines appear as they happen, also in a pipe */
    if (o->observations)
        g_string_append_printf(r->line, "%s\n", ccm_obs_file_header());
    r->sink = (ccm_sink){ output_write, &r->out };
    o->report.color = o->exchange.color = terminal_color(o->color, &r->out);
    o->report.width = o->exchange.width = terminal_width(&r->out);
    o->report.verbose = o->exchange.verbose = o->verbose;
    r->catalog = ccm_catalog_load(o->catalog, &error);
    if (!r->catalog)
        return complain(&error);
    if (o->command != CMD_EXCHANGES) {
        r->model = ccm_model_new(r->catalog, limits);
        ccm_model_set_link(r->model, o->link_bps);
        if (o->site && !ccm_model_add_site(r->model, o->site, &error))
            return complain(&error);
    }
    if (o->command & (CMD_EXCHANGES | CMD_LIVE)) {
        r->exchanges = ccm_exchanges_new(r->catalog, limits, &o->exchange, &r->sink, &error);
        if (!r->exchanges)
            return complain(&error);
    }
    return EXIT_DONE;
}

static void show_note(void *user_data, const char *text)
{
    progress_clear(user_data);
    say(text);
}

static bool add_keys(ccm_engine *engine, const options *o, GError **error)
{
    for (guint i = 0; i < o->keylogs->len; i++)
        if (!ccm_engine_add_keylog(engine, o->keylogs->pdata[i], error))
            return false;
    for (guint i = 0; i < o->keys->len; i++)
        if (!ccm_engine_add_key(engine, o->keys->pdata[i], error))
            return false;
    return !o->site || ccm_engine_add_site(engine, o->site, error);
}

/* Reads or captures. Returns an exit code; *have_data says that a report makes sense. */
static int feed(run *r, options *o, const ccm_limits *limits, bool *have_data)
{
    progress status = { 0 };
    GError *error = NULL, *warning = NULL;
    int code = EXIT_DONE;

    o->engine.stop = &stop_requested;
    o->engine.note = o->quiet ? NULL : show_note;
    o->engine.note_data = &status;
    if (o->command == CMD_LIVE) {
        o->engine.progress = show_lines;
        o->engine.progress_data = r;
    } else if (!o->quiet && o->progress == WHEN_AUTO && isatty(STDERR_FILENO)) {
        o->engine.progress = progress_show;
        o->engine.progress_data = &status;
    }
    /* A summary shows no message, so it reads their headers alone; facts are always whole. */
    o->engine.messages = !(o->command & (CMD_SUMMARY | CMD_WINDOWS)) || o->observations;
    o->engine.model = r->model;
    bool others = r->exchanges || r->facts.file;
    ccm_engine *engine = ccm_engine_new(limits, &o->engine, others ? observe : NULL, r);
    if (!add_keys(engine, o, &error)) {
        ccm_engine_free(engine);
        return complain(&error);
    }
    *have_data = o->command == CMD_LIVE
                     ? ccm_engine_live(engine, &o->live, &error)
                     : ccm_engine_read(engine, (const char *const *)o->inputs->pdata,
                                       o->inputs->len, &warning, &error);
    progress_clear(&status);
    if (error)
        code = complain(&error);
    else if (warning)
        code = complain(&warning);
    /* A capture that broke off in the middle still has a summary. */
    if (o->command == CMD_LIVE)
        *have_data = r->seen;
    if (*have_data)
        ccm_engine_finish(engine);
    ccm_engine_free(engine);
    return code;
}

/* Prints the report and closes the outputs. Returns an exit code. */
static int finish(run *r, options *o, bool have_data)
{
    GError *error = NULL;
    bool good = true;
    int code = EXIT_DONE;

    if (r->exchanges)
        good = ccm_exchanges_free(r->exchanges);
    if (r->model && have_data && good) {
        if (!(o->command & (CMD_REPORT | CMD_WINDOWS)))
            o->report.format = "summary";
        if (!ccm_report_write(r->model, &o->report, &r->sink, &error)) {
            good = false;
            if (error->code == CCM_ERROR_OUTPUT)
                g_clear_error(&error); /* the sink has said why */
            else
                code = complain(&error);
        }
    }
    if (r->facts.file) {
        write_facts(r);
        good &= output_close(&r->facts);
    }
    if (r->out.file)
        good &= output_close(&r->out);
    return code ? code : good ? EXIT_DONE : CCM_ERROR_OUTPUT;
}

int command_run(options *o)
{
    run r = { .line = g_string_sized_new(LINE_FLUSH + 4096) };
    struct sigaction action = { .sa_handler = on_signal }, before;
    ccm_limits limits;
    bool have_data = false;

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, NULL, &before);
    if (before.sa_handler != SIG_IGN) /* nohup(1): the terminal goes, the program stays */
        sigaction(SIGHUP, &action, NULL);
    if (o->live.write_path && strcmp(o->live.write_path, "-") == 0)
        signal(SIGPIPE, SIG_IGN); /* who reads the packets may go; the summary is still wanted */
    ccm_limits_init(&limits);
    limits.messages = o->messages ? MESSAGES_LISTED : 0;
    int code = start(&r, o, &limits);
    if (code == EXIT_DONE)
        code = feed(&r, o, &limits, &have_data);
    int end = finish(&r, o, have_data);
    ccm_model_free(r.model);
    if (r.catalog)
        ccm_catalog_unref(r.catalog);
    g_string_free(r.line, TRUE);
    return end == CCM_ERROR_OUTPUT || code == EXIT_DONE ? end : code;
}
