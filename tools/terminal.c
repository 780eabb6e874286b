/* SPDX-License-Identifier: GPL-2.0-or-later
 * terminal.c - output files, colour, width and the progress line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tool.h"

bool output_open(output *out, const char *path)
{
    bool standard = !path || strcmp(path, "-") == 0;

    *out = (output){ .name = standard ? "standard output" : path, .is_stdout = standard };
    out->file = standard ? stdout : fopen(path, "wb");
    if (!out->file)
        fprintf(stderr, "ccmscope: cannot create %s: %s\n", path, strerror(errno));
    return out->file != NULL;
}

static void write_failed(output *out)
{
    const char *hint = errno == ENOSPC ? "; free some space or choose another disk" : "";

    out->failed = true;
    fprintf(stderr, "ccmscope: cannot write %s: %s%s\n", out->name, strerror(errno), hint);
}

bool output_write(void *user_data, const char *data, size_t size)
{
    output *out = user_data;

    if (!out->failed && fwrite(data, 1, size, out->file) != size)
        write_failed(out);
    return !out->failed;
}

void output_flush(output *out)
{
    if (!out->failed && fflush(out->file) != 0)
        write_failed(out);
}

bool output_close(output *out)
{
    if (!out->file)
        return !out->failed;
    output_flush(out);
    if (!out->is_stdout && fclose(out->file) != 0 && !out->failed)
        write_failed(out);
    out->file = NULL;
    return !out->failed;
}

bool terminal_color(when color, const output *out)
{
    const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");

    if (color != WHEN_AUTO)
        return color == WHEN_ALWAYS;
    return out->is_stdout && isatty(STDOUT_FILENO) && !(none && *none) &&
           !(terminal && strcmp(terminal, "dumb") == 0);
}

unsigned terminal_width(const output *out)
{
    struct winsize size;

    if (out->is_stdout && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60)
        return size.ws_col;
    return 0;
}

void progress_show(void *user_data, uint64_t read, uint64_t total, uint64_t packets)
{
    progress *p = user_data;
    gint64 now = g_get_monotonic_time();

    if (p->started == 0)
        p->started = now;
    if (now - p->started < G_USEC_PER_SEC)
        return;
    double seconds = (double)(now - p->started) / G_USEC_PER_SEC;
    double rate = (double)read / 1e6 / seconds;
    if (total)
        fprintf(stderr, "\r%3u%%  %.1f of %.1f MB  %.0f MB/s  %" G_GUINT64_FORMAT " packets \033[K",
                (unsigned)(read * 100 / total), (double)read / 1e6, (double)total / 1e6, rate,
                packets);
    else
        fprintf(stderr, "\r%.1f MB  %.0f MB/s  %" G_GUINT64_FORMAT " packets \033[K",
                (double)read / 1e6, rate, packets);
    p->shown = true;
}

void progress_clear(progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}
