/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_reader.c - any bytes as a capture or observation file. Every byte of every packet is read,
 * so a span outside the buffer is seen. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include "input/reader.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUTPUT_MAX = 8 << 20 }; /* a small gzip bomb must not take minutes */

static uint8_t touch(const uint8_t *p, size_t n)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum ^= p[i];
    return sum;
}

static void on_name(void *ud, const ccm_addr *address, ccm_span name)
{
    char text[CCM_ADDR_TEXT];
    *(volatile uint8_t *)ud ^= touch(name.p, name.n);
    g_assert(ccm_addr_text(address, text)[0]);
}

static void on_secrets(void *ud, uint32_t type, ccm_span data)
{
    *(volatile uint8_t *)ud ^= touch(data.p, data.n) ^ (uint8_t)type;
}

static void on_dropped(void *ud, uint64_t packets)
{
    (void)ud;
    g_assert(packets > 0);
}

static void read_packets(ccm_reader *reader, volatile uint8_t *sink)
{
    ccm_raw raw[CCM_BATCH];
    GError *error = NULL;
    uint64_t bytes = 0;
    unsigned n;
    while (bytes < OUTPUT_MAX && (n = ccm_reader_next(reader, raw, &error)) > 0) {
        g_assert(n <= CCM_BATCH && !error);
        for (unsigned i = 0; i < n; i++) {
            g_assert(raw[i].captured <= raw[i].length);
            *sink ^= touch(raw[i].data, raw[i].captured);
            bytes += raw[i].captured + 16u;
        }
    }
    g_clear_error(&error);
}

static void read_lines(ccm_lines *lines, volatile uint8_t *sink)
{
    GError *error = NULL;
    const char *line;
    size_t size, bytes = 0;
    while (bytes < OUTPUT_MAX && (line = ccm_lines_next(lines, &size, &error)) != NULL) {
        *sink ^= touch((const uint8_t *)line, size);
        bytes += size + 1;
    }
    g_clear_error(&error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    volatile uint8_t sink = 0;
    ccm_reader_events events = { .name = on_name,
                                 .secrets = on_secrets,
                                 .dropped = on_dropped,
                                 .ud = (void *)(uintptr_t)&sink };
    ccm_reader *reader;
    ccm_lines *lines;
    GError *error = NULL;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
        abort();
    if (!ccm_input_open_fd(fd, "fuzz", &events, &reader, &lines, &error)) {
        g_assert(error);
        g_error_free(error);
        return 0;
    }
    g_assert(!error && !reader == !!lines);
    if (reader)
        read_packets(reader, &sink);
    else
        read_lines(lines, &sink);
    ccm_reader_free(reader);
    ccm_lines_free(lines);
    return 0;
}
