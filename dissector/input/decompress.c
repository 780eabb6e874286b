/* SPDX-License-Identifier: GPL-2.0-or-later
 * decompress.c - bytes of a file or stdin, plain, gzip (several members) or zstd (several frames).
 * In: a path. Out: bytes into the caller's buffer; a plain file goes there by read(2) without a
 * copy. State: a 64 KiB input buffer and the decompressor. Spec: RFC 1952, RFC 8878. */
#include "input/decompress.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum {
    IN_SIZE = 64 << 10,
    /* What `zstd -d` accepts without a flag; bounds the window at 128 MiB. */
    ZSTD_WINDOW_LOG = 27,
    WAIT_MS = 200, /* between two looks at *stop; a signal may come just before the wait begins */
};

typedef enum source_kind { KIND_PLAIN, KIND_GZIP, KIND_ZSTD } source_kind;

struct ccm_source {
    int fd;
    const volatile int *stop; /* looked at while waiting; NULL for a file, which never waits */
    source_kind kind;
    bool at_eof;     /* of the descriptor */
    bool between;    /* gzip: a member ended, another may follow */
    bool inited;     /* gzip: z was initialised */
    bool gave;       /* decompressed bytes came out */
    size_t hint;     /* zstd: 0 = a frame ended */
    const char *why; /* damage, told once the good bytes before it were given */
    uint8_t *in;
    size_t in_pos, in_end;
    uint64_t read, size;
    char *name;
    z_stream z;
    ZSTD_DCtx *zstd;
};

static bool fail_errno(const ccm_source *s, int code, int number, GError **error)
{
    g_set_error(error, CCM_ERROR, code, "%s: %s", s->name, g_strerror(number));
    return false;
}

static bool fail_corrupt(const ccm_source *s, const char *why, GError **error)
{
    g_set_error(error, CCM_ERROR, CCM_ERROR_CORRUPT, "%s: %s%s", s->name, why,
                s->gave ? "; what came before was used" : "; nothing of it could be used");
    return false;
}

/* False with errno when *stop was set before there was anything to read. */
static bool wait_readable(const ccm_source *s)
{
    struct pollfd p = { .fd = s->fd, .events = POLLIN };
    while (!*s->stop) {
        int n = poll(&p, 1, WAIT_MS);
        if (n > 0 || (n < 0 && errno != EINTR))
            return true; /* read(2) tells what it is */
    }
    errno = EINTR;
    return false;
}

/* read(2), continued after signals; -1 with errno. */
static ssize_t read_raw(ccm_source *s, uint8_t *out, size_t n)
{
    ssize_t got;
    if (s->stop && !wait_readable(s))
        return -1;
    do
        got = read(s->fd, out, n);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        s->read += (uint64_t)got;
    s->at_eof = got == 0;
    return got;
}

/* Reads behind what the input buffer holds. */
static bool refill(ccm_source *s, int code, GError **error)
{
    if (s->in_pos == s->in_end)
        s->in_pos = s->in_end = 0;
    ssize_t got = read_raw(s, s->in + s->in_end, IN_SIZE - s->in_end);
    if (got < 0)
        return fail_errno(s, code, errno, error);
    s->in_end += (size_t)got;
    return true;
}

bool ccm_looks_compressed(ccm_span s)
{
    ccm_cursor c = ccm_cur(s);
    uint32_t magic = ccm_cur_be32(&c);
    return !c.bad && (magic >> 8 == 0x1f8b08 || magic == 0x28b52ffd ||
                      (magic & 0xf0ffffffu) == 0x502a4d18u); /* zstd skippable frame */
}

static bool start(ccm_source *s, GError **error)
{
    while (s->in_end < 4 && !s->at_eof)
        if (!refill(s, CCM_ERROR_INPUT, error))
            return false;
    if (!ccm_looks_compressed(ccm_span_of(s->in, s->in_end)))
        return true;
    bool ok;
    if (s->in[0] == 0x1f) {
        s->kind = KIND_GZIP;
        ok = s->inited = inflateInit2(&s->z, 15 + 16) == Z_OK;
    } else {
        s->kind = KIND_ZSTD;
        s->hint = 1;
        s->zstd = ZSTD_createDCtx();
        ok = s->zstd &&
             !ZSTD_isError(ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG));
    }
    return ok || fail_errno(s, CCM_ERROR_INPUT, ENOMEM, error);
}

ccm_source *ccm_source_open_fd(int fd, const char *name, const volatile int *stop, GError **error)
{
    ccm_source *s = g_new0(ccm_source, 1);
    struct stat st;
    s->fd = fd;
    s->stop = stop;
    s->name = g_strdup(name);
    s->in = g_malloc(IN_SIZE);
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        s->size = (uint64_t)st.st_size;
        s->stop = NULL;
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* advice only */
    }
    if (!start(s, error)) {
        ccm_source_free(s);
        return NULL;
    }
    return s;
}

ccm_source *ccm_source_open(const char *path, const volatile int *stop, GError **error)
{
    if (strcmp(path, "-") == 0) {
        if (isatty(STDIN_FILENO)) {
            g_set_error(error, CCM_ERROR, CCM_ERROR_INPUT,
                        "stdin is a terminal; pipe a capture into it");
            return NULL;
        }
        int copy = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
        if (copy < 0) {
            g_set_error(error, CCM_ERROR, CCM_ERROR_INPUT, "stdin: %s", g_strerror(errno));
            return NULL;
        }
        return ccm_source_open_fd(copy, "stdin", stop, error);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_INPUT, "%s: %s", path, g_strerror(errno));
        return NULL;
    }
    return ccm_source_open_fd(fd, path, stop, error);
}

void ccm_source_free(ccm_source *s)
{
    if (!s)
        return;
    if (s->inited)
        inflateEnd(&s->z);
    ZSTD_freeDCtx(s->zstd);
    close(s->fd);
    g_free(s->in);
    g_free(s->name);
    g_free(s);
}

const char *ccm_source_name(const ccm_source *s)
{
    return s->name;
}

bool ccm_source_compressed(const ccm_source *s)
{
    return s->kind != KIND_PLAIN;
}

void ccm_source_position(const ccm_source *s, uint64_t *read_bytes, uint64_t *size)
{
    *read_bytes = s->read;
    *size = s->size;
}

static size_t read_plain(ccm_source *s, uint8_t *out, size_t n, GError **error)
{
    size_t have = s->in_end - s->in_pos;
    if (have) {
        n = have < n ? have : n;
        memcpy(out, s->in + s->in_pos, n);
        s->in_pos += n;
        return n;
    }
    ssize_t got = read_raw(s, out, n);
    if (got < 0)
        fail_errno(s, CCM_ERROR_CORRUPT, errno, error);
    return got > 0 ? (size_t)got : 0;
}

/* Between two members: zeros are padding (tapes), anything but a member is damage. True when a
 * member begins. */
static bool next_member(ccm_source *s)
{
    while (s->in_pos < s->in_end && s->in[s->in_pos] == 0)
        s->in_pos++;
    if (s->in_pos == s->in_end)
        return false;
    if (s->in[s->in_pos] != 0x1f || inflateReset(&s->z) != Z_OK)
        s->why = "rubbish behind the gzip data";
    else
        s->between = false;
    return !s->between;
}

/* One step; returns bytes given. Sets *end or s->why when there will be no more. */
static size_t step_gzip(ccm_source *s, uint8_t *out, size_t n, bool *end)
{
    if (s->between && !next_member(s)) {
        *end = s->at_eof && s->in_pos == s->in_end;
        return 0;
    }
    s->z.next_in = s->in + s->in_pos;
    s->z.avail_in = (uInt)(s->in_end - s->in_pos);
    s->z.next_out = out;
    s->z.avail_out = (uInt)n;
    int rc = inflate(&s->z, Z_NO_FLUSH);
    s->in_pos = s->in_end - s->z.avail_in;
    size_t given = n - s->z.avail_out;
    if (rc == Z_STREAM_END)
        s->between = true;
    else if (rc != Z_OK && rc != Z_BUF_ERROR)
        s->why = "damaged gzip data";
    else if (!given && s->at_eof && s->in_pos == s->in_end)
        s->why = "the gzip data ended early";
    return given;
}

static size_t step_zstd(ccm_source *s, uint8_t *out, size_t n, bool *end)
{
    if (s->hint == 0 && s->at_eof && s->in_pos == s->in_end) {
        *end = true;
        return 0;
    }
    ZSTD_inBuffer in = { s->in, s->in_end, s->in_pos };
    ZSTD_outBuffer to = { out, n, 0 };
    if (s->hint == 0 && in.pos == in.size)
        return 0;
    s->hint = ZSTD_decompressStream(s->zstd, &to, &in);
    s->in_pos = in.pos;
    if (ZSTD_isError(s->hint))
        s->why = "damaged zstd data, or a window above 128 MiB";
    else if (!to.pos && s->hint && s->at_eof && in.pos == in.size)
        s->why = "the zstd data ended early";
    return to.pos;
}

size_t ccm_source_read(ccm_source *s, uint8_t *out, size_t n, GError **error)
{
    bool end = false;
    if (s->kind == KIND_PLAIN)
        return read_plain(s, out, n, error);
    n = ccm_min64(n, 1u << 30); /* counts of zlib have 32 bits */
    while (!end && !s->why) {
        if (s->in_pos == s->in_end && !s->at_eof && !refill(s, CCM_ERROR_CORRUPT, error))
            return 0;
        size_t given =
            s->kind == KIND_GZIP ? step_gzip(s, out, n, &end) : step_zstd(s, out, n, &end);
        if (given) {
            s->gave = true;
            return given;
        }
    }
    if (s->why)
        fail_corrupt(s, s->why, error);
    return 0;
}

void ccm_buffer_init(ccm_buffer *b, ccm_source *source)
{
    *b = (ccm_buffer){ .source = source, .cap = CCM_BUFFER_FIRST };
    b->p = g_malloc(b->cap);
}

void ccm_buffer_clear(ccm_buffer *b)
{
    ccm_source_free(b->source);
    g_free(b->p);
    *b = (ccm_buffer){ 0 };
}

bool ccm_buffer_fill(ccm_buffer *b, size_t need, GError **error)
{
    if (b->pos) {
        memmove(b->p, b->p + b->pos, b->end - b->pos);
        b->base += b->pos;
        b->end -= b->pos;
        b->pos = 0;
    }
    if (b->end == b->cap && need > b->cap && b->cap < CCM_BUFFER_MAX) {
        b->cap = b->cap * 2 < CCM_BUFFER_MAX ? b->cap * 2 : CCM_BUFFER_MAX;
        b->p = g_realloc(b->p, b->cap);
    }
    if (b->end == b->cap)
        return false;
    size_t got = ccm_source_read(b->source, b->p + b->end, b->cap - b->end, error);
    b->end += got;
    return got != 0;
}
