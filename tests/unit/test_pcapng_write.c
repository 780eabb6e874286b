/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_pcapng_write.c - the bytes of a written file against the pcapng draft, written out by hand;
 * padding, times, size, and a full disk. */
#include "input/pcapng_write.h"

#include <glib/gstdio.h>
#include <unistd.h>

/* Little-endian; section length unknown; options: user application, end. */
static const char section[] = "0a0d0d0a 2c000000 4d3c2b1a 0100 0000 ffffffffffffffff "
                              "0400 0800 63636d73636f7065 0000 0000 2c000000";
/* Ethernet, snap length 0x40000; name "lo", resolution 9, filter "\0tcp" */
static const char interface[] = "01000000 30000000 0100 0000 00000400 "
                                "0200 0200 6c6f0000 0900 0100 09000000 "
                                "0b00 0400 00746370 0000 0000 30000000";
/* Time 0x1122334455667788; 5 of 9 bytes captured */
static const char packet[] = "06000000 28000000 00000000 44332211 88776655 05000000 09000000 "
                             "6162636465 000000 28000000";
/* End time, 300 packets received, 2 dropped */
static const char statistics[] = "05000000 40000000 00000000 44332211 88776655 "
                                 "0300 0800 44332211 88776655 0400 0800 2c01000000000000 "
                                 "0500 0800 0200000000000000 0000 0000 40000000";

static void append_hex(GString *out, const char *text)
{
    for (; *text; text++) {
        if (*text == ' ')
            continue;
        g_string_append_c(
            out, (char)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1])));
        text++;
    }
}

static const ccm_raw small = { .data = (const uint8_t *)"abcde",
                               .captured = 5,
                               .length = 9,
                               .link_type = 1,
                               .time_ns = UINT64_C(0x1122334455667788) };

static void test_bytes(void)
{
    g_autofree char *dir = g_dir_make_tmp("ccmscope-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "out.pcapng", NULL);
    g_autoptr(GString) want = g_string_new(NULL);
    GError *error = NULL;
    append_hex(want, section);
    append_hex(want, interface);
    append_hex(want, packet);
    append_hex(want, statistics);

    ccm_pcapng_writer *w = ccm_pcapng_create(path, &error);
    g_assert_no_error(error);
    g_assert_true(ccm_pcapng_begin(w, 1, 0x40000, "lo", "tcp", &error));
    g_assert_true(ccm_pcapng_packet(w, &small, &error));
    g_assert_true(ccm_pcapng_finish(w, small.time_ns, 300, 2, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(ccm_pcapng_size(w), ==, want->len);
    ccm_pcapng_free(w);

    g_autofree char *got = NULL;
    size_t n = 0;
    g_assert_true(g_file_get_contents(path, &got, &n, NULL));
    g_assert_cmpmem(got, n, want->str, want->len);
    g_unlink(path);
    g_rmdir(dir);
}

/* Packets of every padding, and one larger than the buffer, take the room that their blocks say. */
static void test_sizes(void)
{
    static uint8_t data[200000];
    g_autofree char *dir = g_dir_make_tmp("ccmscope-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "out.pcapng", NULL);
    static const uint32_t sizes[] = { 0, 1, 2, 3, 4, 65535, 65536, 65537, 200000, 7 };
    GError *error = NULL;
    ccm_pcapng_writer *w = ccm_pcapng_create(path, &error);
    g_assert_true(ccm_pcapng_begin(w, 1, 0x40000, "lo", NULL, &error));
    uint64_t head = ccm_pcapng_size(w), want = head;
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        ccm_raw raw = { .data = data, .captured = sizes[i], .length = sizes[i] };
        g_assert_true(ccm_pcapng_packet(w, &raw, &error));
        want += 32 + (sizes[i] + 3) / 4 * 4;
    }
    g_assert_true(ccm_pcapng_flush(w, &error));
    g_assert_cmpuint(ccm_pcapng_size(w), ==, want);
    ccm_pcapng_free(w);
    g_autofree char *got = NULL;
    size_t n = 0, at = head;
    g_assert_true(g_file_get_contents(path, &got, &n, NULL));
    g_assert_cmpuint(n, ==, want);
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        uint32_t total = GUINT32_FROM_LE(*(const uint32_t *)(const void *)(got + at + 4));
        g_assert_cmpuint(total, ==, 32 + (sizes[i] + 3) / 4 * 4);
        g_assert_cmpmem(got + at + 4, 4, got + at + total - 4, 4);
        at += total;
    }
    g_assert_cmpuint(at, ==, n);
    g_unlink(path);
    g_rmdir(dir);
}

static void test_errors(void)
{
    GError *error = NULL;
    g_assert_null(ccm_pcapng_create("/nonexistent/out.pcapng", &error));
    g_assert_error(error, CCM_ERROR, CCM_ERROR_OUTPUT);
    g_clear_error(&error);
    if (access("/dev/full", W_OK) != 0) {
        g_test_skip("there is no /dev/full");
        return;
    }
    ccm_pcapng_writer *w = ccm_pcapng_create("/dev/full", &error);
    g_assert_no_error(error);
    g_assert_false(ccm_pcapng_begin(w, 1, 0x40000, "lo", NULL, &error));
    g_assert_error(error, CCM_ERROR, CCM_ERROR_OUTPUT);
    g_assert_nonnull(strstr(error->message, "/dev/full"));
    g_clear_error(&error);
    ccm_pcapng_packet(w, &small, NULL); /* buffered, and not written any more */
    g_assert_false(ccm_pcapng_flush(w, &error));
    g_assert_error(error, CCM_ERROR, CCM_ERROR_OUTPUT);
    g_clear_error(&error);
    ccm_pcapng_free(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pcapng-write/bytes", test_bytes);
    g_test_add_func("/pcapng-write/sizes", test_sizes);
    g_test_add_func("/pcapng-write/errors", test_errors);
    return g_test_run();
}
