/* SPDX-License-Identifier: GPL-2.0-or-later
 * tool.h - what the files of the command line share. */
#ifndef CCM_TOOL_H
#define CCM_TOOL_H

#include <stdio.h>

#include "ccmscope.h"

enum {
    EXIT_DONE = 0,
    EXIT_USAGE = 2,
    EXIT_INTERNAL = 7
}; /* the others are ccm_error_code values */

typedef enum command {
    CMD_SUMMARY = 1,
    CMD_REPORT = 2,
    CMD_EXCHANGES = 4,
    CMD_LIVE = 8,
    CMD_WINDOWS = 16
} command;

typedef enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER } when;

/* The parsed command line. Texts point into argv. */
typedef struct options {
    command command;
    GPtrArray *inputs, *keylogs, *keys; /* of const char * */
    const char *catalog, *output, *observations, *site;
    when color, progress;
    bool quiet, verbose, messages, csv;
    uint64_t link_bps; /* 0 = not given */
    ccm_engine_options engine;
    ccm_live_options live;
    ccm_report_options report;
    ccm_exchange_options exchange;
} options;

/* Reads argv. Returns true to go on; false with *exit_code when all is said (help, version, error).
 */
bool options_parse(options *o, int argc, char **argv, int *exit_code);
void options_clear(options *o);

/* An output that remembers its first failure. */
typedef struct output {
    FILE *file;
    const char *name;
    bool failed, is_stdout;
} output;

/* NULL or "-" is stdout. False with a message when it cannot be created. */
bool output_open(output *out, const char *path);
bool output_write(void *out, const char *data, size_t size);
void output_flush(output *out);
/* Flushes and closes; prints a message and returns false when anything could not be written. */
bool output_close(output *out);

bool terminal_color(when color, const output *out);
unsigned terminal_width(const output *out);
/* One status line on stderr, first after a second; a ccm_engine_options.progress function. */
typedef struct progress {
    gint64 started;
    bool shown;
} progress;
void progress_show(void *progress, uint64_t read, uint64_t total, uint64_t packets);
void progress_clear(progress *p);

/* Runs the command; returns the exit code. */
int command_run(options *o);

#endif
