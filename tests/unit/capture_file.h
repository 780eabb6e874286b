/* SPDX-License-Identifier: GPL-2.0-or-later
 * capture_file.h - for tests: builds pcap and pcapng files in memory and reads them whole. */
#ifndef CCM_TESTS_CAPTURE_FILE_H
#define CCM_TESTS_CAPTURE_FILE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include "input/reader.h"

#include <sys/mman.h>
#include <unistd.h>

/* ---- building files -------------------------------------------------------------------------- */

typedef struct file {
    GByteArray *bytes;
    bool big;
} file;

static inline file file_new(bool big)
{
    return (file){ g_byte_array_new(), big };
}

static inline void put(file *f, uint64_t v, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        uint8_t b = (uint8_t)(v >> 8 * (f->big ? size - 1 - i : i));
        g_byte_array_append(f->bytes, &b, 1);
    }
}

static inline void put_bytes(file *f, const void *p, size_t n)
{
    g_byte_array_append(f->bytes, p, (guint)n);
}

static inline void put_fill(file *f, size_t n, uint8_t value)
{
    for (; n; n--)
        put(f, value, 1);
}

static inline void pcap_header(file *f, uint32_t magic, uint32_t snaplen, uint32_t link)
{
    put(f, magic, 4);
    put(f, 2, 2);
    put(f, 4, 2);
    put(f, 0, 4);
    put(f, 0, 4);
    put(f, snaplen, 4);
    put(f, link, 4);
}

static inline void pcap_packet(file *f, uint32_t s, uint32_t frac, uint32_t captured,
                               uint32_t length, uint8_t fill)
{
    put(f, s, 4);
    put(f, frac, 4);
    put(f, captured, 4);
    put(f, length, 4);
    put_fill(f, captured, fill);
}

static inline guint block_begin(file *f, uint32_t type)
{
    guint at = f->bytes->len;
    put(f, type, 4);
    put(f, 0, 4);
    return at;
}

static inline void block_end(file *f, guint at)
{
    while ((f->bytes->len - at) % 4)
        put(f, 0, 1);
    uint32_t n = f->bytes->len - at + 4;
    put(f, n, 4);
    memcpy(f->bytes->data + at + 4, f->bytes->data + f->bytes->len - 4, 4);
}

static inline void section_block(file *f)
{
    guint at = block_begin(f, 0x0a0d0d0a);
    put(f, 0x1a2b3c4d, 4);
    put(f, 1, 2);
    put(f, 0, 2);
    put(f, UINT64_MAX, 8);
    block_end(f, at);
}

/* `tsresol` < 0: left out (microseconds) */
static inline void interface_block(file *f, uint16_t link, uint32_t snaplen, int tsresol,
                                   int64_t offset)
{
    guint at = block_begin(f, 1);
    put(f, link, 2);
    put(f, 0, 2);
    put(f, snaplen, 4);
    put(f, 2, 2); /* if_name, with padding */
    put(f, 3, 2);
    put_bytes(f, "lo0\0", 4);
    if (tsresol >= 0) {
        put(f, 9, 2);
        put(f, 1, 2);
        put(f, (uint8_t)tsresol, 1);
        put_fill(f, 3, 0);
    }
    if (offset) {
        put(f, 14, 2);
        put(f, 8, 2);
        put(f, (uint64_t)offset, 8);
    }
    put(f, 0, 4);
    block_end(f, at);
}

static inline void packet_block(file *f, uint32_t id, uint64_t ts, uint32_t captured,
                                uint32_t length, uint8_t fill)
{
    guint at = block_begin(f, 6);
    put(f, id, 4);
    put(f, ts >> 32, 4);
    put(f, (uint32_t)ts, 4);
    put(f, captured, 4);
    put(f, length, 4);
    put_fill(f, captured, fill);
    block_end(f, at);
}

/* ---- reading --------------------------------------------------------------------------------- */

typedef struct seen {
    GArray *raw; /* of ccm_raw, with data NULL */
    GString *events;
    uint64_t hash; /* of all captured bytes */
    GError *error; /* of opening or of reading */
    bool opened;
} seen;

static inline void on_name(void *ud, const ccm_addr *a, ccm_span name)
{
    char text[CCM_ADDR_TEXT];
    g_string_append_printf(ud, "name %s %.*s;", ccm_addr_text(a, text), (int)name.n,
                           (const char *)name.p);
}

static inline void on_secrets(void *ud, uint32_t type, ccm_span data)
{
    g_string_append_printf(ud, "secrets %x %.*s;", type, (int)data.n, (const char *)data.p);
}

static inline void on_dropped(void *ud, uint64_t packets)
{
    g_string_append_printf(ud, "dropped %" G_GUINT64_FORMAT ";", packets);
}

static inline void on_untimed(void *ud)
{
    g_string_append(ud, "untimed;");
}

static inline seen read_fd(int fd, const char *name)
{
    seen s = { g_array_new(FALSE, FALSE, sizeof(ccm_raw)), g_string_new(NULL), 5381, NULL, false };
    ccm_reader_events events = { on_name, on_secrets, on_dropped, on_untimed, s.events, NULL };
    ccm_reader *reader;
    ccm_lines *lines;
    ccm_raw raw[CCM_BATCH];
    unsigned n;

    s.opened = ccm_input_open_fd(fd, name, &events, &reader, &lines, &s.error);
    if (!s.opened)
        return s;
    g_assert_nonnull(reader);
    while ((n = ccm_reader_next(reader, raw, &s.error)) > 0) {
        g_assert_no_error(s.error);
        g_assert_cmpuint(n, <=, CCM_BATCH);
        for (unsigned i = 0; i < n; i++) {
            for (uint32_t j = 0; j < raw[i].captured; j++)
                s.hash = s.hash * 33 + raw[i].data[j];
            g_assert_cmpuint(raw[i].captured, <=, raw[i].length);
            raw[i].data = NULL;
            g_array_append_val(s.raw, raw[i]);
        }
    }
    GError *again = NULL; /* the end stays the end */
    g_assert_cmpuint(ccm_reader_next(reader, raw, &again), ==, 0);
    g_assert_no_error(again);
    ccm_reader_free(reader);
    return s;
}

static inline int memory_file(const void *p, size_t n)
{
    int fd = memfd_create("capture", 0);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, p, n), ==, (ssize_t)n);
    g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
    return fd;
}

static inline seen read_bytes(const void *p, size_t n)
{
    return read_fd(memory_file(p, n), "x.pcap");
}

static inline void seen_clear(seen *s)
{
    g_array_unref(s->raw);
    g_string_free(s->events, TRUE);
    g_clear_error(&s->error);
}

static inline void check_raw(const seen *s, guint i, uint64_t ns, uint32_t captured,
                             uint32_t length, uint32_t link)
{
    g_assert_cmpuint(i, <, s->raw->len);
    const ccm_raw *r = &g_array_index(s->raw, ccm_raw, i);
    g_assert_cmpuint(r->time_ns, ==, ns);
    g_assert_cmpuint(r->captured, ==, captured);
    g_assert_cmpuint(r->length, ==, length);
    g_assert_cmpuint(r->link_type, ==, link);
}

/* Reads `f`, expects `packets` and the error code (0 = none) with `says` in it, and frees it. */
static inline void expect(file *f, guint packets, int code, const char *says)
{
    seen s = read_bytes(f->bytes->data, f->bytes->len);
    g_assert_cmpuint(s.raw->len, ==, packets);
    g_assert_cmpint(s.error ? s.error->code : 0, ==, code);
    if (says && !strstr(s.error->message, says))
        g_error("\"%s\" does not say \"%s\"", s.error->message, says);
    seen_clear(&s);
    g_byte_array_unref(f->bytes);
}

/* What a file cut at `n` bytes must give: the packets that are whole, and an error unless the cut
 * falls between two. `ends` are the offsets at which a cut loses nothing. */
static inline void check_cuts(const file *f, const guint *ends, const guint *packets, size_t n_ends)
{
    for (guint n = 0; n <= f->bytes->len; n++) {
        guint whole = 0;
        bool clean = false;
        for (size_t i = 0; i < n_ends && ends[i] <= n; i++) {
            whole = packets[i];
            clean = ends[i] == n;
        }
        seen s = read_bytes(f->bytes->data, n);
        g_assert_cmpuint(s.raw->len, ==, whole);
        if (n < 4)
            g_assert_error(s.error, CCM_ERROR, CCM_ERROR_INPUT);
        else if (clean)
            g_assert_no_error(s.error);
        else
            g_assert_error(s.error, CCM_ERROR, CCM_ERROR_CORRUPT);
        if (n == 0)
            g_assert_nonnull(strstr(s.error->message, "is empty"));
        seen_clear(&s);
    }
}

#endif
