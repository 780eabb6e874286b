/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_overlap.c - packets of several files in the order of time. The expected order is a stable
 * sort of all packets by time, then file. */
#include "capture_file.h"
#include "input/merge.h"

#include <glib/gstdio.h>

enum { FILES = 80 };
#define NONE UINT32_MAX /* a packet without a time: 0 in the file */

typedef struct set {
    char *dir, *paths[FILES + 1];
    uint32_t begin_s;
    uint64_t first_ns[FILES];
    unsigned n, opened[FILES], failed[FILES];
    char *damage[FILES];
} set;

static void on_end(void *ud, unsigned number, bool opened, GError *error)
{
    set *s = ud;

    g_assert_cmpuint(number, <, s->n);
    *(opened ? &s->opened[number] : &s->failed[number]) += 1;
    if (error)
        s->damage[number] = g_strdup(error->message);
    g_clear_error(&error);
}

static void set_new(set *s)
{
    memset(s, 0, sizeof *s);
    s->begin_s = 1700000000;
    s->dir = g_dir_make_tmp("ccmscope-XXXXXX", NULL);
    g_assert_nonnull(s->dir);
}

static void set_free(set *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        (void)g_remove(s->paths[i]);
        g_free(s->paths[i]);
        g_free(s->damage[i]);
    }
    (void)g_rmdir(s->dir);
    g_free(s->dir);
}

/* A file with packets at these milliseconds; the fill byte is the number of the file. `cut` bytes
 * are left out at its end. */
static void add(set *s, const uint32_t *ms, unsigned n, unsigned cut)
{
    file f = file_new(s->n & 1);
    pcap_header(&f, 0xa1b2c3d4, 65535, 1);
    for (unsigned i = 0; i < n; i++)
        pcap_packet(&f, ms[i] == NONE ? 0 : s->begin_s + ms[i] / 1000,
                    ms[i] == NONE ? 0 : ms[i] % 1000 * 1000, 8, 8, (uint8_t)s->n);
    s->paths[s->n] = g_strdup_printf("%s/%u", s->dir, s->n);
    s->first_ns[s->n] = UINT64_C(1700000000000000000) + ms[0] * UINT64_C(1000000);
    g_assert_true(g_file_set_contents(s->paths[s->n], (const char *)f.bytes->data,
                                      (gssize)(f.bytes->len - cut), NULL));
    g_byte_array_unref(f.bytes);
    s->n++;
}

/* Reads all; out[]: FILE:MS of each packet, spaces between. *late as ccm_merge_late. */
static char *read_all(set *s, unsigned *late)
{
    GString *text = g_string_new("");
    ccm_reader_events events = { 0 };
    ccm_merge *m = ccm_merge_new(s->paths, s->first_ns, s->n, &events, on_end, s);
    const unsigned *from;
    const ccm_raw *raw;
    unsigned n;

    while ((n = ccm_merge_next(m, &raw, &from)) > 0) {
        g_assert_cmpuint(n, <=, CCM_BATCH);
        for (unsigned i = 0; i < n; i++) {
            g_assert_cmpuint(s->opened[from[i]], ==, 0); /* not told as ended too early */
            for (unsigned j = 0; j < raw[i].captured; j++)
                g_assert_cmpuint(raw[i].data[j], ==, from[i]); /* the buffer is still there */
            if (raw[i].time_ns || !s->begin_s)
                g_string_append_printf(text, "%u:%" G_GUINT64_FORMAT " ", from[i],
                                       raw[i].time_ns / 1000000 - s->begin_s * UINT64_C(1000));
            else
                g_string_append_printf(text, "%u:- ", from[i]);
        }
    }
    g_assert_cmpuint(ccm_merge_next(m, &raw, &from), ==, 0);
    *late = ccm_merge_late(m);
    ccm_merge_free(m);
    for (unsigned i = 0; i < s->n; i++)
        g_assert_cmpuint(s->opened[i] + s->failed[i], ==, 1);
    return g_string_free(text, FALSE);
}

static void expect_read(set *s, const char *want, unsigned want_late)
{
    unsigned late;
    g_autofree char *got = read_all(s, &late);

    g_assert_cmpstr(got, ==, want);
    g_assert_cmpuint(late, ==, want_late);
}

#define ADD(s, cut, ...)                                                                           \
    add(s, (const uint32_t[]){ __VA_ARGS__ }, sizeof((uint32_t[]){ __VA_ARGS__ }) / 4, cut)

static void test_few(void)
{
    set s;

    set_new(&s); /* one after another; equal times keep to the file */
    ADD(&s, 0, 1, 2, 3);
    ADD(&s, 0, 3, 4);
    ADD(&s, 0, 4, 5);
    expect_read(&s, "0:1 0:2 0:3 1:3 1:4 2:4 2:5 ", 0);
    set_free(&s);

    set_new(&s);
    ADD(&s, 0, 1, 4, 5, 9);
    ADD(&s, 0, 2, 4, 6);
    ADD(&s, 0, 7);
    expect_read(&s, "0:1 1:2 0:4 1:4 0:5 1:6 2:7 0:9 ", 0);
    set_free(&s);

    set_new(&s); /* a file's own order stays; the packet an hour ahead waits for nothing */
    ADD(&s, 0, 1, 3, 2, 3600000, 4, 8);
    ADD(&s, 0, 5, 6);
    expect_read(&s, "0:1 0:3 0:2 0:3600000 0:4 1:5 1:6 0:8 ", 0);
    set_free(&s);
}

static void test_damage(void)
{
    set s;

    set_new(&s);
    ADD(&s, 1, 1, 4, 7); /* its last packet is cut */
    ADD(&s, 0, 2, 5);
    ADD(&s, 0, 3, 6);
    ADD(&s, 0, 8);
    g_assert_cmpint(g_remove(s.paths[2]), ==, 0); /* gone since it was found */
    expect_read(&s, "0:1 1:2 0:4 1:5 3:8 ", 0);
    g_assert_nonnull(strstr(s.damage[0], s.paths[0]));
    g_assert_nonnull(strstr(s.damage[0], "ended inside a packet"));
    g_assert_null(s.damage[1]);
    g_assert_cmpuint(s.failed[2], ==, 1);
    g_assert_nonnull(strstr(s.damage[2], s.paths[2]));
    set_free(&s);
}

/* Their times as they are found, which must keep the order in which they were added. */
static void find_times(set *s)
{
    g_autoptr(GPtrArray) skipped = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
    GError *error = NULL;
    g_autofree uint64_t *first_ns = NULL;
    g_auto(GStrv) found =
        ccm_input_expand((const char *const *)s->paths, s->n, &first_ns, skipped, &error);

    g_assert_no_error(error);
    for (unsigned i = 0; i < s->n; i++) {
        g_assert_cmpstr(found[i], ==, s->paths[i]);
        g_assert_cmpuint(first_ns[i], >, 0);
        s->first_ns[i] = first_ns[i];
    }
}

/* Packets without a time are as old as the next of their file that has one. */
static void test_untimed(void)
{
    uint32_t long_gap[3 * CCM_BATCH];
    GString *want = g_string_new("0:1 ");
    set s;

    set_new(&s);
    ADD(&s, 0, 1, 6, 9);
    ADD(&s, 0, NONE, NONE, NONE, 5, 8, NONE);
    find_times(&s);
    expect_read(&s, "0:1 1:- 1:- 1:- 1:5 0:6 1:8 1:- 0:9 ", 0);
    set_free(&s);

    set_new(&s); /* more of them than are read at once */
    ADD(&s, 0, 1, 6);
    for (unsigned i = 0; i + 1 < G_N_ELEMENTS(long_gap); i++) {
        long_gap[i] = NONE;
        g_string_append(want, "1:- ");
    }
    long_gap[G_N_ELEMENTS(long_gap) - 1] = 5;
    add(&s, long_gap, G_N_ELEMENTS(long_gap), 0);
    find_times(&s);
    g_string_append(want, "1:5 0:6 ");
    expect_read(&s, want->str, 0);
    g_string_free(want, TRUE);
    set_free(&s);

    set_new(&s); /* the first has a time, the second none */
    ADD(&s, 0, 5, NONE, 8);
    ADD(&s, 0, 6);
    find_times(&s);
    expect_read(&s, "0:5 1:6 0:- 0:8 ", 0);
    set_free(&s);

    set_new(&s); /* a clock that began at 0: that is a time */
    s.begin_s = 0;
    ADD(&s, 0, 0, 2, 4);
    ADD(&s, 0, 0, 1, 5);
    ADD(&s, 0, 1, 3);
    find_times(&s);
    expect_read(&s, "0:0 1:0 1:1 2:1 0:2 2:3 0:4 1:5 ", 0);
    set_free(&s);
}

typedef struct one {
    uint32_t ms;
    unsigned file, order;
} one;

static int by_time(const void *a, const void *b)
{
    const one *x = a, *y = b;

    if (x->ms != y->ms)
        return x->ms < y->ms ? -1 : 1;
    return x->file != y->file ? (x->file < y->file ? -1 : 1) : (x->order < y->order ? -1 : 1);
}

static int by_value(const void *a, const void *b)
{
    return (int)*(const uint32_t *)a - (int)*(const uint32_t *)b;
}

/* Files of up to four batches that overlap as it comes, 64 at most. */
static void test_many(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);

    for (unsigned round = 0; round < 60; round++) {
        GArray *all = g_array_new(FALSE, FALSE, sizeof(one));
        unsigned files = 1 + (unsigned)g_rand_int_range(rand, 0, round % 10 ? 6 : CCM_MERGE_OPEN);
        uint32_t begin = 0;
        set s;

        set_new(&s);
        for (unsigned k = 0; k < files; k++) {
            uint32_t ms[256], n = (uint32_t)g_rand_int_range(rand, 1, 257);
            begin += (uint32_t)g_rand_int_range(rand, 0, 1500);
            for (uint32_t i = 0; i < n; i++)
                ms[i] = begin + (i ? (uint32_t)g_rand_int_range(rand, 0, 3000) : 0);
            qsort(ms, n, sizeof *ms, by_value);
            for (uint32_t i = 0; i < n; i++) {
                one o = { ms[i], k, i };
                g_array_append_val(all, o);
            }
            add(&s, ms, n, 0);
        }
        qsort(all->data, all->len, sizeof(one), by_time);
        g_autoptr(GString) want = g_string_new("");
        for (unsigned i = 0; i < all->len; i++)
            g_string_append_printf(want, "%u:%u ", g_array_index(all, one, i).file,
                                   g_array_index(all, one, i).ms);
        expect_read(&s, want->str, 0);
        g_array_unref(all);
        set_free(&s);
    }
}

/* Ten more than may be open: each waits for one that ends, and counts as late; nothing is lost. */
static void test_too_many(void)
{
    unsigned late, packets = 0;
    set s;

    set_new(&s);
    for (uint32_t k = 0; k < CCM_MERGE_OPEN + 10; k++)
        ADD(&s, 0, k, 1000 + k);
    ADD(&s, 0, 2000); /* begins when all others are over */
    g_autofree char *got = read_all(&s, &late);
    g_assert_cmpuint(late, ==, 10);
    for (const char *p = got; (p = strchr(p, ':')); p++)
        packets++;
    g_assert_cmpuint(packets, ==, 2 * (CCM_MERGE_OPEN + 10) + 1);
    g_assert_true(g_str_has_suffix(got, " 74:2000 "));
    set_free(&s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/overlap/few", test_few);
    g_test_add_func("/overlap/damage", test_damage);
    g_test_add_func("/overlap/untimed", test_untimed);
    g_test_add_func("/overlap/many", test_many);
    g_test_add_func("/overlap/too-many", test_too_many);
    return g_test_run();
}
