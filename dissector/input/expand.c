/* SPDX-License-Identifier: GPL-2.0-or-later
 * expand.c - the capture files that the user's paths name, in time order.
 * In: paths of files and directories. Out: paths, sorted by the time of the first packet.
 * State: none. Files of a directory count by content, never by name. */
#include "input/merge.h"
#include "input/reader.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Packets without a time that may come before the first which has one. */
enum { UNTIMED_MAX = 4096 };

typedef struct found {
    char *path;
    uint64_t time_ns; /* of the first packet; 0 = has none, or is not known before it is read */
    unsigned order;   /* of equal times */
} found;

static void found_clear(void *item)
{
    g_free(((found *)item)->path);
}

static int found_cmp(const void *a, const void *b)
{
    const found *x = a, *y = b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static uint64_t first_time(ccm_reader *reader)
{
    ccm_raw raw[CCM_BATCH];
    uint64_t time_ns = 0;
    unsigned n, seen = 0;
    while (!time_ns && seen < UNTIMED_MAX && (n = ccm_reader_next(reader, raw, NULL)) > 0) {
        time_ns = ccm_merge_time(raw, n);
        if (time_ns && time_ns <= CCM_MERGE_AHEAD && seen)
            time_ns = 1; /* as in one batch */
        seen += n;
    }
    return time_ns;
}

static bool is_regular(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static void add(GArray *all, const char *path, uint64_t time_ns)
{
    found f = { g_strdup(path), time_ns, all->len };
    g_array_append_val(all, f);
}

/* A file that was named. One alone, a pipe or a device is opened once only, when it is read. */
static bool add_file(GArray *all, const char *path, bool alone, GError **error)
{
    ccm_reader *reader;
    ccm_lines *lines;
    if (alone || !is_regular(path)) {
        if (!alone && !g_file_test(path, G_FILE_TEST_EXISTS)) {
            g_set_error(error, CCM_ERROR, CCM_ERROR_INPUT, "%s: No such file or directory", path);
            return false;
        }
        add(all, path, 0);
        return true;
    }
    if (!ccm_input_open(path, NULL, &reader, &lines, error))
        return false;
    add(all, path, reader ? first_time(reader) : 0);
    ccm_reader_free(reader);
    ccm_lines_free(lines);
    return true;
}

/* What a directory names and nobody may look into: it may be a capture, so that what is read may
 * lack something. A file that has gone since the directory was listed is no part of it. */
static void skip_unreadable(GPtrArray *skipped, const char *path, int number)
{
    bool link = g_file_test(path, G_FILE_TEST_IS_SYMLINK);
    if (number == ENOENT && !link)
        return;
    g_ptr_array_add(skipped,
                    g_error_new(G_FILE_ERROR, g_file_error_from_errno(number),
                                "%s: %s%s; it was left out: make it readable, or remove it", path,
                                link ? "where the link points to: " : "", g_strerror(number)));
}

/* A file of a directory: added when it is a capture, put into `skipped` when it should be one. */
static void add_entry(GArray *all, const char *path, GPtrArray *skipped)
{
    GError *why = NULL;
    ccm_reader *reader;
    ccm_lines *lines;
    bool foreign;
    if (!ccm_input_open_entry(path, &reader, &lines, &foreign, &why)) {
        if (foreign)
            g_error_free(why);
        else
            g_ptr_array_add(skipped, why);
        return;
    }
    if (reader)
        add(all, path, first_time(reader));
    ccm_reader_free(reader);
    ccm_lines_free(lines);
}

/* Waiting for a pipe that nobody named would be wrong, so neither it nor a device is opened. */
static void look_at_entry(GArray *all, const char *path, GPtrArray *skipped)
{
    struct stat st;
    if (stat(path, &st) != 0 || (S_ISREG(st.st_mode) && g_access(path, R_OK) != 0))
        skip_unreadable(skipped, path, errno);
    else if (S_ISREG(st.st_mode))
        add_entry(all, path, skipped);
    else if (!S_ISDIR(st.st_mode) && ccm_named_capture(path))
        g_ptr_array_add(skipped, g_error_new(CCM_ERROR, CCM_ERROR_INPUT,
                                             "%s is no file but a %s; it was left out%s", path,
                                             S_ISSOCK(st.st_mode)   ? "socket"
                                             : S_ISFIFO(st.st_mode) ? "pipe"
                                                                    : "device",
                                             S_ISFIFO(st.st_mode) ? ": name it to read it" : ""));
}

static int name_cmp(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static GPtrArray *entries(const char *path, GError **error)
{
    GError *why = NULL;
    const char *name;
    GDir *dir = g_dir_open(path, 0, &why);
    if (!dir) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_INPUT, "%s", why->message);
        g_error_free(why);
        return NULL;
    }
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    while ((name = g_dir_read_name(dir)) != NULL)
        if (name[0] != '.')
            g_ptr_array_add(names, g_build_filename(path, name, NULL));
    g_dir_close(dir);
    g_ptr_array_sort(names, name_cmp);
    return names;
}

/* There is nothing to read: the first that could not be used tells why. */
static void fail_directory(const char *path, const GError *first, GError **error)
{
    if (!first)
        g_set_error(error, CCM_ERROR, CCM_ERROR_INPUT,
                    "%s has no capture file (pcap or pcapng; subdirectories are not searched)",
                    path);
    else
        g_set_error_literal(error, CCM_ERROR,
                            first->domain == CCM_ERROR ? first->code : CCM_ERROR_INPUT,
                            first->message);
}

static bool add_directory(GArray *all, const char *path, GPtrArray *skipped, GError **error)
{
    GPtrArray *names = entries(path, error);
    unsigned before = all->len, skipped_before = skipped->len;
    if (!names)
        return false;
    for (unsigned i = 0; i < names->len; i++)
        look_at_entry(all, names->pdata[i], skipped);
    g_ptr_array_unref(names);
    if (all->len > before)
        return true;
    fail_directory(path, skipped->len > skipped_before ? skipped->pdata[skipped_before] : NULL,
                   error);
    return false;
}

static bool add_path(GArray *all, const char *path, bool alone, GPtrArray *skipped, GError **error)
{
    if (strcmp(path, "-") == 0) {
        if (!alone) {
            g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE,
                        "\"-\" (stdin) cannot be read together with other files");
            return false;
        }
        add(all, path, 0);
        return true;
    }
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return add_directory(all, path, skipped, error);
    return add_file(all, path, alone, error);
}

char **ccm_input_expand(const char *const *paths, unsigned n_paths, uint64_t **first_ns,
                        GPtrArray *skipped, GError **error)
{
    char **out = NULL;
    bool ok = true;
    GArray *all = g_array_new(FALSE, FALSE, sizeof(found));
    g_array_set_clear_func(all, found_clear);
    for (unsigned i = 0; ok && i < n_paths; i++)
        ok = add_path(all, paths[i], n_paths == 1, skipped, error);
    if (ok && all->len == 0) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_INPUT, "no input file was named");
        ok = false;
    }
    if (ok) {
        g_array_sort(all, found_cmp);
        out = g_new0(char *, all->len + 1);
        *first_ns = g_new(uint64_t, all->len);
        for (unsigned i = 0; i < all->len; i++) {
            out[i] = g_steal_pointer(&g_array_index(all, found, i).path);
            (*first_ns)[i] = g_array_index(all, found, i).time_ns;
        }
    }
    g_array_unref(all);
    return out;
}
