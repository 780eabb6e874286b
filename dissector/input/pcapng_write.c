/* SPDX-License-Identifier: GPL-2.0-or-later
 * pcapng_write.c - writes a pcapng file of one interface, with nanosecond times.
 * In: packets. Out: SHB, IDB, EPB..., ISB in little-endian order through a 64 KiB buffer.
 * State: the buffer. Allocates: at creation alone. Spec: draft-ietf-opsawg-pcapng,
 * sections 4.1-4.6. */
#include "input/pcapng_write.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
    BUFFER = 64 * 1024,
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,
    OPT_END = 0,
    SHB_USERAPPL = 4,
    IF_NAME = 2,
    IF_TSRESOL = 9,
    IF_FILTER = 11,
    ISB_ENDTIME = 3,
    ISB_IFRECV = 4,
    ISB_IFDROP = 5,
    OPTION_MAX = 4096, /* longer names and filters are cut */
};

struct ccm_pcapng_writer {
    int fd;
    char *path; /* for messages */
    size_t used;
    uint64_t size;
    bool failed;
    uint8_t buffer[BUFFER];
};

ccm_pcapng_writer *ccm_pcapng_create(const char *path, GError **error)
{
    bool to_stdout = strcmp(path, "-") == 0;
    int fd = to_stdout ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_OUTPUT, "%s: cannot be created: %s", path,
                    g_strerror(errno));
        return NULL;
    }
    ccm_pcapng_writer *w = g_new0(ccm_pcapng_writer, 1);
    w->fd = fd;
    w->path = g_strdup(to_stdout ? "standard output" : path);
    return w;
}

static bool fail(ccm_pcapng_writer *w, int e, GError **error)
{
    w->failed = true;
    g_set_error(error, CCM_ERROR, CCM_ERROR_OUTPUT, "%s: cannot be written: %s%s", w->path,
                g_strerror(e), e == ENOSPC ? "; free some space or choose another disk" : "");
    return false;
}

static bool write_all(ccm_pcapng_writer *w, const uint8_t *p, size_t n, GError **error)
{
    while (n) {
        ssize_t done = write(w->fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && errno == EAGAIN) { /* somebody else's pipe, set non-blocking */
            g_usleep(1000);
            continue;
        }
        if (done < 0)
            return fail(w, errno, error);
        p += done;
        n -= (size_t)done;
    }
    return true;
}

bool ccm_pcapng_flush(ccm_pcapng_writer *w, GError **error)
{
    if (w->failed)
        return fail(w, EIO, error);
    size_t n = w->used;
    w->used = 0;
    return write_all(w, w->buffer, n, error);
}

static bool put(ccm_pcapng_writer *w, const void *p, size_t n, GError **error)
{
    w->size += n;
    if (n > BUFFER - w->used && !ccm_pcapng_flush(w, error))
        return false;
    if (n > BUFFER)
        return write_all(w, p, n, error);
    if (n)
        memcpy(w->buffer + w->used, p, n);
    w->used += n;
    return true;
}

static size_t put16(uint8_t *at, unsigned v)
{
    at[0] = (uint8_t)v;
    at[1] = (uint8_t)(v >> 8);
    return 2;
}

static size_t put32(uint8_t *at, uint32_t v)
{
    put16(at, v & 0xffff);
    put16(at + 2, v >> 16);
    return 4;
}

static size_t padding(size_t n)
{
    return (4 - n % 4) % 4;
}

static void add_option(GByteArray *b, unsigned code, const void *value, size_t n)
{
    uint8_t head[4];
    put16(head, code);
    put16(head + 2, (unsigned)n);
    g_byte_array_append(b, head, sizeof head);
    if (n)
        g_byte_array_append(b, value, (guint)n);
    g_byte_array_append(b, (const uint8_t[4]){ 0 }, (guint)padding(n));
}

static void add_option64(GByteArray *b, unsigned code, uint64_t v)
{
    uint8_t value[8];
    put32(value, (uint32_t)v);
    put32(value + 4, (uint32_t)(v >> 32));
    add_option(b, code, value, sizeof value);
}

/* pcapng writes a time as its high, then its low half. */
static void add_option_time(GByteArray *b, unsigned code, uint64_t ns)
{
    add_option64(b, code, ns << 32 | ns >> 32);
}

static bool put_block(ccm_pcapng_writer *w, uint32_t type, const GByteArray *body, GError **error)
{
    uint8_t head[8], tail[4];
    uint32_t total = body->len + 12;
    put32(head, type);
    put32(head + 4, total);
    put32(tail, total);
    return put(w, head, sizeof head, error) && put(w, body->data, body->len, error) &&
           put(w, tail, sizeof tail, error);
}

bool ccm_pcapng_begin(ccm_pcapng_writer *w, uint32_t link_type, uint32_t snaplen,
                      const char *interface, const char *filter, GError **error)
{
    g_autoptr(GByteArray) section = g_byte_array_new();
    uint8_t head[16];
    put32(head, 0x1a2b3c4d);
    put16(head + 4, 1); /* version 1.0 */
    put16(head + 6, 0);
    put32(head + 8, UINT32_MAX); /* section length unknown */
    put32(head + 12, UINT32_MAX);
    g_byte_array_append(section, head, sizeof head);
    add_option(section, SHB_USERAPPL, "ccmscope", 8);
    add_option(section, OPT_END, NULL, 0);

    g_autoptr(GByteArray) idb = g_byte_array_new();
    put16(head, link_type);
    put16(head + 2, 0);
    put32(head + 4, snaplen);
    g_byte_array_append(idb, head, 8);
    add_option(idb, IF_NAME, interface, strnlen(interface, OPTION_MAX));
    add_option(idb, IF_TSRESOL, "\x09", 1);
    if (filter) {
        g_autofree char *text = g_strdup_printf("%c%.*s", 'x', OPTION_MAX, filter);
        size_t n = strlen(text);
        text[0] = 0; /* what follows is a filter string, not a BPF program */
        add_option(idb, IF_FILTER, text, n);
    }
    add_option(idb, OPT_END, NULL, 0);
    return put_block(w, BLOCK_SECTION, section, error) &&
           put_block(w, BLOCK_INTERFACE, idb, error) && ccm_pcapng_flush(w, error);
}

bool ccm_pcapng_packet(ccm_pcapng_writer *w, const ccm_raw *raw, GError **error)
{
    uint8_t head[28], tail[8] = { 0 };
    size_t pad = padding(raw->captured);
    uint32_t total = (uint32_t)(sizeof head + raw->captured + pad + 4);
    put32(head, BLOCK_PACKET);
    put32(head + 4, total);
    put32(head + 8, 0); /* the only interface */
    put32(head + 12, (uint32_t)(raw->time_ns >> 32));
    put32(head + 16, (uint32_t)raw->time_ns);
    put32(head + 20, raw->captured);
    put32(head + 24, raw->length);
    put32(tail + pad, total);
    return put(w, head, sizeof head, error) && put(w, raw->data, raw->captured, error) &&
           put(w, tail, pad + 4, error);
}

uint64_t ccm_pcapng_size(const ccm_pcapng_writer *w)
{
    return w->size;
}

bool ccm_pcapng_finish(ccm_pcapng_writer *w, uint64_t now_ns, uint64_t received, uint64_t dropped,
                       GError **error)
{
    g_autoptr(GByteArray) isb = g_byte_array_new();
    uint8_t head[12];
    put32(head, 0);
    put32(head + 4, (uint32_t)(now_ns >> 32));
    put32(head + 8, (uint32_t)now_ns);
    g_byte_array_append(isb, head, sizeof head);
    add_option_time(isb, ISB_ENDTIME, now_ns);
    add_option64(isb, ISB_IFRECV, received);
    /* Like dumpcap: what the kernel dropped for want of room counts here, where readers look. */
    add_option64(isb, ISB_IFDROP, dropped);
    add_option(isb, OPT_END, NULL, 0);
    return put_block(w, BLOCK_STATISTICS, isb, error) && ccm_pcapng_flush(w, error);
}

void ccm_pcapng_free(ccm_pcapng_writer *w)
{
    if (!w)
        return;
    if (w->fd != STDOUT_FILENO)
        close(w->fd);
    g_free(w->path);
    g_free(w);
}
