/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_input.c - what surrounds the reader: observation files and their lines, lists of files and
 * directories in time order, BPF filters. Expected values by hand. */
#include "input/reader.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static char *directory_new(void)
{
    GError *error = NULL;
    char *dir = g_dir_make_tmp("ccmscope-XXXXXX", &error);
    g_assert_no_error(error);
    return dir;
}

static void directory_free(char *dir)
{
    GDir *d = g_dir_open(dir, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(d)) != NULL) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        if (g_remove(path) != 0)
            directory_free(g_strdup(path));
    }
    g_dir_close(d);
    (void)g_rmdir(dir);
    g_free(dir);
}

static char *write_file(const char *dir, const char *name, const void *p, size_t n)
{
    char *path = g_build_filename(dir, name, NULL);
    GError *error = NULL;
    g_file_set_contents(path, p, (gssize)n, &error);
    g_assert_no_error(error);
    return path;
}

/* A little-endian pcap with one empty packet at `second`, or none when it is 0. */
static char *write_pcap(const char *dir, const char *name, uint8_t second)
{
    const uint8_t bytes[40] = { 0xd4, 0xc3, 0xb2, 0xa1, 2,    0, 4, 0, 0, 0, 0, 0,     0,
                                0,    0,    0,    0xff, 0xff, 0, 0, 1, 0, 0, 0, second };
    return write_file(dir, name, bytes, second ? sizeof bytes : 24);
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void check_line(ccm_lines *lines, const char *expected)
{
    GError *error = NULL;
    size_t size;
    const char *line = ccm_lines_next(lines, &size, &error);
    g_assert_no_error(error);
    g_assert_nonnull(line);
    g_assert_cmpmem(line, size, expected, strlen(expected));
}

static void check_end(ccm_lines *lines, int code)
{
    GError *error = NULL;
    size_t size = 1;
    g_assert_null(ccm_lines_next(lines, &size, &error));
    g_assert_cmpuint(size, ==, 0);
    g_assert_cmpint(error ? error->code : 0, ==, code);
    g_clear_error(&error);
    g_assert_null(ccm_lines_next(lines, &size, &error));
    g_assert_no_error(error);
    ccm_lines_free(lines);
}

static void test_lines(void)
{
    char *dir = directory_new();
    const char *text = "{\"schema\":\"ccmscope.observations/1\"}\n\none\r\ntwo\nlast";
    g_autofree char *path = write_file(dir, "o.jsonl", text, strlen(text));
    g_autofree char *packed = g_build_filename(dir, "o.gz", NULL);
    gzFile gz = gzopen(packed, "wb");
    g_assert_cmpint(gzputs(gz, text), ==, (int)strlen(text));
    g_assert_cmpint(gzclose(gz), ==, Z_OK);

    const char *const paths[] = { path, packed };
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        GError *error = NULL;
        bool is_observations;
        g_assert_null(ccm_reader_open(paths[i], NULL, &is_observations, &error));
        g_assert_no_error(error);
        g_assert_true(is_observations);
        for (int way = 0; way < 2; way++) {
            ccm_reader *reader = NULL;
            ccm_lines *lines;
            if (way)
                g_assert_true(ccm_input_open(paths[i], NULL, &reader, &lines, &error));
            else
                lines = ccm_lines_open(paths[i], &error);
            g_assert_null(reader);
            check_line(lines, ccm_obs_file_header());
            check_line(lines, "");
            check_line(lines, "one");
            check_line(lines, "two");
            check_line(lines, "last");
            check_end(lines, 0);
        }
    }
    GError *error = NULL;
    g_assert_null(ccm_lines_open("/nonexistent/file", &error));
    g_assert_error(error, CCM_ERROR, CCM_ERROR_INPUT);
    g_clear_error(&error);
    directory_free(dir);
}

static void test_long_lines(void)
{
    char *dir = directory_new();
    for (size_t over = 0; over < 2; over++) {
        GError *error = NULL;
        GString *text = g_string_new("first\n");
        g_string_set_size(text, 6 + (1 << 20) + over);
        memset(text->str + 6, 'x', text->len - 6);
        g_autofree char *line = g_strdup(text->str + 6);
        g_string_append(text, "\nend\n");
        g_autofree char *path = write_file(dir, "long", text->str, text->len);
        ccm_lines *lines = ccm_lines_open(path, &error);
        g_assert_no_error(error);
        check_line(lines, "first");
        if (!over) {
            check_line(lines, line);
            check_line(lines, "end");
        }
        check_end(lines, over ? CCM_ERROR_CORRUPT : 0);
        g_string_free(text, TRUE);
    }
    directory_free(dir);
}

/* ---- lists of files -------------------------------------------------------------------------- */

static void check_expand(const char *const *paths, unsigned n, const char *const *expected)
{
    GError *error = NULL;
    g_autofree uint64_t *first_ns = NULL;
    g_autoptr(GPtrArray) skipped = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
    g_auto(GStrv) got = ccm_input_expand(paths, n, &first_ns, skipped, &error);
    g_assert_no_error(error);
    g_assert_nonnull(got);
    unsigned i = 0;
    for (; got[i] && expected[i]; i++) {
        g_autofree char *base = g_path_get_basename(got[i]);
        g_assert_cmpstr(base, ==, expected[i]);
    }
    g_assert_null(got[i]);
    g_assert_null(expected[i]);
}

static void check_refused(const char *const *paths, unsigned n, int code, const char *says)
{
    g_autoptr(GError) error = NULL;
    uint64_t *first_ns;
    g_autoptr(GPtrArray) skipped = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
    g_assert_null(ccm_input_expand(paths, n, &first_ns, skipped, &error));
    g_assert_error(error, CCM_ERROR, code);
    if (!strstr(error->message, says))
        g_error("\"%s\" does not say \"%s\"", error->message, says);
}

static void check_opening(const char *path, const char *says)
{
    g_autoptr(GError) error = NULL;
    ccm_reader *reader;
    ccm_lines *lines;
    g_assert_false(ccm_input_open(path, NULL, &reader, &lines, &error));
    g_assert_error(error, CCM_ERROR, CCM_ERROR_INPUT);
    if (!strstr(error->message, says))
        g_error("\"%s\" does not say \"%s\"", error->message, says);
}

static void test_expand(void)
{
    char *dir = directory_new();
    g_autofree char *sub = g_build_filename(dir, "sub", NULL);
    g_autofree char *a = write_pcap(dir, "a.pcap", 30), *b = write_pcap(dir, "b.dat", 10);
    g_autofree char *c = write_pcap(dir, "c", 20), *none = write_pcap(dir, "none.pcap", 0);
    g_autofree char *text = write_file(dir, "readme.txt", "hello", 5);
    g_autofree char *hidden = write_pcap(dir, ".hidden", 5);
    g_assert_cmpint(g_mkdir(sub, 0700), ==, 0);
    g_autofree char *inner = write_pcap(sub, "inner.pcap", 1);

    check_expand((const char *const[]){ dir }, 1,
                 (const char *const[]){ "none.pcap", "b.dat", "c", "a.pcap", NULL });
    check_expand((const char *const[]){ a, sub, c }, 3,
                 (const char *const[]){ "inner.pcap", "c", "a.pcap", NULL });
    check_expand((const char *const[]){ c, a, c, none }, 4, /* equal times keep their order */
                 (const char *const[]){ "none.pcap", "c", "c", "a.pcap", NULL });
    check_expand((const char *const[]){ "-" }, 1, (const char *const[]){ "-", NULL });
    check_refused((const char *const[]){ a, "-" }, 2, CCM_ERROR_USAGE, "stdin");
    check_refused((const char *const[]){ a, text }, 2, CCM_ERROR_INPUT, "not a capture");
    check_refused((const char *const[]){ a, "/nonexistent/x" }, 2, CCM_ERROR_INPUT, "No such file");
    check_refused(NULL, 0, CCM_ERROR_INPUT, "no input file");
    g_assert_cmpint(g_remove(inner), ==, 0);
    check_refused((const char *const[]){ sub }, 1, CCM_ERROR_INPUT, "no capture file");
    g_autofree char *trace = write_file(sub, "net.etl", "xxxx", 4);
    check_refused((const char *const[]){ sub }, 1, CCM_ERROR_INPUT, "etl2pcap");
    directory_free(dir);
}

/* An event trace by its content: a 64 KiB buffer, at 0x48 the header of the log file's event. */
static void test_trace(void)
{
    static const uint8_t markers[] = { 1, 2 };
    char *dir = directory_new();
    for (size_t v = 0; v < 2; v++)
        for (size_t type = 0; type < 2; type++) {
            uint8_t head[80] = { [2] = 1,       [0x48] = markers[v], [0x4a] = markers[type],
                                 [0x4b] = 0xc0, [0x4c] = 0x48,       [0x4d] = 1 };
            g_autofree char *path = write_file(dir, "trace.bin", head, sizeof head);
            check_opening(path, "trace.bin.pcapng ");
            g_autofree char *cut = write_file(dir, "cut", head, sizeof head - 1);
            check_opening(cut, "is not a capture");
            for (size_t i = 0; i < 4; i++) { /* flags, type, version, hook id */
                uint8_t other[80];
                memcpy(other, head, sizeof head);
                other[(const uint8_t[]){ 0x4b, 0x4a, 0x48, 0x4e }[i]] ^= 0x40;
                g_autofree char *no = write_file(dir, "no", other, sizeof other);
                check_opening(no, "is not a capture");
            }
        }
    directory_free(dir);
}

static void check_skipped(const char *dir, const char *const *says)
{
    g_autoptr(GPtrArray) skipped = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
    GError *error = NULL;
    g_autofree uint64_t *first_ns = NULL;
    g_auto(GStrv) got = ccm_input_expand(&dir, 1, &first_ns, skipped, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(g_strv_length(got), ==, 1);
    for (unsigned i = 0; i < skipped->len; i++)
        if (!says[i] || !strstr(((GError *)skipped->pdata[i])->message, says[i]))
            g_error("\"%s\", not \"%s\"", ((GError *)skipped->pdata[i])->message, says[i]);
    g_assert_null(says[skipped->len]);
}

static void test_skipped(void)
{
    static const struct {
        const char *name, *bytes;
        size_t n;
    } files[] = {
        { "b.pcap", "", 0 },
        { "c.txt", "", 0 }, /* these say nothing */
        { "d.json", "{\"schema\":\"ccmscope.report/1\"}", 30 },
        { "d.pcap.json", "{}", 2 },
        { "e.xz",
          "\xfd"
          "7zXZ\0\0\0",
          8 },
        { "keys.log", "CLIENT_RANDOM 00 00\n", 20 },
        { "m.jsonl", "{\"schema\":\"ccmscope.observations/1\"}\n", 38 },
        { "n.jsonl", "{\"schema\":\"ccmscope.observations/0\"}\n", 38 },
        { "o.PCAP.XZ",
          "\xfd"
          "7zXZ\0\0\0",
          8 }, /* and these are captures that cannot be used */
        { "p.pcap3", "hello, world", 12 },
        { "q", "GMBU\1\2\1\0", 8 },
        { "r", "\xa1\xb2\xcd\x34\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 24 },
        { "s.etl", "xxxx", 4 },
        { "t", "\x1f\x8b\x08\x00\0\0\0\0\0\xff\xff\xff", 12 },
    };
    char *dir = directory_new();
    g_autofree char *good = write_pcap(dir, "a", 1);
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
        g_free(write_file(dir, files[i].name, files[i].bytes, files[i].n));
    check_skipped(dir,
                  (const char *const[]){ "b.pcap is empty", "xz -dk", "p.pcap3 is not a capture",
                                         "Network Monitor", "editcap", "s.etl is a Windows",
                                         "t: damaged gzip", NULL });
    g_assert_cmpint(g_remove(good), ==, 0);
    check_refused((const char *const[]){ dir }, 1, CCM_ERROR_INPUT, "b.pcap is empty");
    directory_free(dir);
}

/* What a directory names and cannot be opened is left out and told; alone it is an error. */
static void test_unreadable(void)
{
    char *dir = directory_new();
    g_autofree char *gone = g_build_filename(dir, "b-gone", NULL);
    g_autofree char *pipe = g_build_filename(dir, "c.pcap", NULL);
    g_autofree char *other = g_build_filename(dir, "d-pipe", NULL);
    g_autofree char *locked = write_pcap(dir, "e", 1);
    g_autofree char *good = write_pcap(dir, "a", 1);
    g_assert_cmpint(symlink("nowhere", gone), ==, 0);
    g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
    g_assert_cmpint(mkfifo(other, 0600), ==, 0); /* by its name no capture */
    g_assert_cmpint(chmod(locked, 0), ==, 0);
    if (g_access(locked, R_OK) == 0) /* root may read all */
        g_assert_cmpint(g_remove(locked), ==, 0);
    bool is_locked = g_file_test(locked, G_FILE_TEST_EXISTS);
    check_skipped(dir, (const char *const[]){ "b-gone: where the link points to: No such file",
                                              "c.pcap is no file but a pipe",
                                              is_locked ? "e: Permission denied" : NULL, NULL });
    g_assert_cmpint(g_remove(good), ==, 0);
    check_refused((const char *const[]){ dir }, 1, CCM_ERROR_INPUT, "b-gone: ");
    directory_free(dir);
}

static void test_open(void)
{
    char *dir = directory_new();
    GError *error = NULL;
    bool is_observations = true;
    uint64_t read, size;
    ccm_raw raw[CCM_BATCH];
    g_autofree char *path = write_pcap(dir, "a.pcap", 30);
    ccm_reader *reader = ccm_reader_open(path, NULL, &is_observations, &error);
    g_assert_no_error(error);
    g_assert_false(is_observations);
    g_assert_cmpuint(ccm_reader_next(reader, raw, &error), ==, 1);
    g_assert_cmpuint(raw[0].time_ns, ==, 30000000000);
    ccm_reader_position(reader, &read, &size);
    g_assert_cmpuint(read, ==, 40);
    g_assert_cmpuint(size, ==, 40);
    ccm_reader_free(reader);
    g_assert_null(ccm_reader_open(dir, NULL, &is_observations, &error));
    g_assert_error(error, CCM_ERROR, CCM_ERROR_INPUT);
    g_clear_error(&error);
    g_assert_null(ccm_reader_open("/nonexistent/x.pcap", NULL, &is_observations, &error));
    g_assert_error(error, CCM_ERROR, CCM_ERROR_INPUT);
    g_assert_nonnull(strstr(error->message, "/nonexistent/x.pcap"));
    g_clear_error(&error);
    directory_free(dir);
}

/* ---- filters --------------------------------------------------------------------------------- */

/* 10.0.0.1:4660 to 10.0.0.2:80, TCP, without a link header */
static const uint8_t ip_packet[40] = { 0x45, 0, 0, 40, 0,  0, 0, 0, 64,   6,    0, 0,
                                       10,   0, 0, 1,  10, 0, 0, 2, 0x12, 0x34, 0, 80,
                                       0,    0, 0, 0,  0,  0, 0, 0, 0x50, 2 };

static bool match(ccm_filter *f, uint32_t link_type, const uint8_t *data, uint32_t n)
{
    ccm_raw raw = { .data = data, .captured = n, .length = n, .link_type = link_type };
    return ccm_filter_match(f, &raw);
}

static void check_fits(const ccm_filter *f, bool fits, uint64_t unfit, const char *says)
{
    g_autoptr(GError) why = NULL;
    uint64_t n;
    g_assert_true(ccm_filter_fits(f, &n, &why) == fits);
    g_assert_cmpuint(n, ==, unfit);
    if (!says) {
        g_assert_no_error(why);
        return;
    }
    g_assert_error(why, CCM_ERROR, CCM_ERROR_USAGE);
    g_assert_nonnull(strstr(why->message, says));
}

static void test_filter(void)
{
    uint8_t ethernet[54] = { [12] = 8 }, cooked[56] = { [14] = 8 };
    uint8_t null_header[44] = { 2 };
    GError *error = NULL;
    memcpy(ethernet + 14, ip_packet, sizeof ip_packet);
    memcpy(cooked + 16, ip_packet, sizeof ip_packet);
    memcpy(null_header + 4, ip_packet, sizeof ip_packet);

    ccm_filter *yes = ccm_filter_new("tcp dst port 80 and host 10.0.0.1", &error);
    g_assert_no_error(error);
    ccm_filter *no = ccm_filter_new("tcp port 443", &error);
    g_assert_no_error(error);
    for (int round = 0; round < 3; round++) {
        g_assert_true(match(yes, 1, ethernet, sizeof ethernet));
        g_assert_true(match(yes, 101, ip_packet, sizeof ip_packet));
        g_assert_true(match(yes, 113, cooked, sizeof cooked));
        g_assert_true(match(yes, 0, null_header, sizeof null_header));
        g_assert_true(match(yes, 228, ip_packet, sizeof ip_packet));
        g_assert_false(match(no, 1, ethernet, sizeof ethernet));
        g_assert_false(match(no, 101, ip_packet, sizeof ip_packet));
        g_assert_false(match(yes, 1, ethernet, 20)); /* cut */
        g_assert_false(match(yes, 1, ethernet, 0));
        for (uint32_t link = 104; link < 125; link++) /* more than are cached */
            (void)match(yes, link, ethernet, sizeof ethernet);
    }
    ccm_filter_free(yes);
    ccm_filter_free(no);

    ccm_filter *mac = ccm_filter_new("ether host 00:00:00:00:00:00", &error);
    g_assert_no_error(error);
    check_fits(mac, true, 0, NULL);                               /* nothing was met yet */
    g_assert_false(match(mac, 101, ip_packet, sizeof ip_packet)); /* means nothing there */
    check_fits(mac, false, 1, "Raw IP");
    g_assert_true(match(mac, 1, ethernet, sizeof ethernet));
    g_assert_false(match(mac, 101, ip_packet, sizeof ip_packet));
    check_fits(mac, true, 2, "Raw IP");
    ccm_filter_free(mac);
    ccm_filter *in = ccm_filter_new("inbound", &error); /* known of cooked packets alone */
    g_assert_no_error(error);
    g_assert_true(match(in, 113, cooked, sizeof cooked)); /* type 0: sent to us */
    check_fits(in, true, 0, NULL);
    g_assert_false(match(in, 1, ethernet, sizeof ethernet));
    check_fits(in, true, 1, "Ethernet");
    ccm_filter_free(in);

    g_assert_null(ccm_filter_new("tcp prot 80", &error));
    g_assert_error(error, CCM_ERROR, CCM_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, "tcp prot 80"));
    g_clear_error(&error);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/input/lines", test_lines);
    g_test_add_func("/input/long-lines", test_long_lines);
    g_test_add_func("/input/expand", test_expand);
    g_test_add_func("/input/trace", test_trace);
    g_test_add_func("/input/skipped", test_skipped);
    g_test_add_func("/input/unreadable", test_unreadable);
    g_test_add_func("/input/open", test_open);
    g_test_add_func("/input/filter", test_filter);
    return g_test_run();
}
