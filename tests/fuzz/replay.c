/* SPDX-License-Identifier: GPL-2.0-or-later
 * replay.c - runs one fuzz target over its stored inputs, without a fuzzer.
 * In: files and directories as arguments; without any, tests/fuzz/corpus/NAME of the source tree,
 * where the program is called replay_NAME. Out: TAP. Each input is run whole, then with its tail
 * cut at growing distances, each from memory of exactly that size so that sanitizers see every read
 * past its end. A crash is the failure. State: none. */
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUTS = 64 }; /* cut lengths tried of each input */

static void run(const void *data, size_t size)
{
    uint8_t *exact = g_malloc(size ? size : 1);
    if (size)
        memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    g_free(exact);
}

static bool run_file(const char *path)
{
    g_autofree char *data = NULL;
    size_t size = 0;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(path, &data, &size, &error)) {
        printf("# %s\n", error->message);
        return false;
    }
    run(data, size);
    for (size_t i = 0, cuts = size < CUTS ? size : CUTS; i < cuts; i++)
        run(data, i * size / cuts);
    return true;
}

/* Runs a file, or every file of a directory; returns how many, or -1 when one is unreadable. */
static int run_path(const char *path)
{
    if (!g_file_test(path, G_FILE_TEST_IS_DIR))
        return run_file(path) ? 1 : -1;
    GDir *dir = g_dir_open(path, 0, NULL);
    int n = 0;
    const char *name;
    while (dir && n >= 0 && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        n = run_file(child) ? n + 1 : -1;
    }
    if (dir)
        g_dir_close(dir);
    return n;
}

static char *default_corpus(const char *program)
{
    g_autofree char *base = g_path_get_basename(program);
    const char *name = strstr(base, "replay_");
    const char *srcdir = g_getenv("srcdir");
    return g_build_filename(srcdir ? srcdir : ".", "tests", "fuzz", "corpus",
                            name ? name + strlen("replay_") : base, NULL);
}

int main(int argc, char **argv)
{
    g_autofree char *corpus = default_corpus(argv[0]);
    int total = 0;
    bool readable = true;
    for (int i = argc > 1 ? 1 : 0; i < argc; i++) {
        int n = run_path(argc > 1 ? argv[i] : corpus);
        readable = readable && n >= 0;
        total += n > 0 ? n : 0;
    }
    bool good = readable && total > 0;
    printf("1..1\n%s 1 - %d inputs\n", good ? "ok" : "not ok", total);
    return good ? 0 : 1;
}
