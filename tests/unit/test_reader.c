/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_reader.c - the capture file reader on files built here by hand: pcap of both byte orders,
 * every truncation length, damage, buffer ends, gzip and zstd. Expected values: the specification.
 */
#include "capture_file.h"

#include <zlib.h>
#include <zstd.h>

/* ---- pcap ------------------------------------------------------------------------------------ */

static void test_pcap(void)
{
    for (int variant = 0; variant < 4; variant++) {
        bool big = variant & 1, nano = variant & 2;
        file f = file_new(big);
        pcap_header(&f, nano ? 0xa1b23c4d : 0xa1b2c3d4, 65535, 113);
        pcap_packet(&f, 1700000000, 999999, 60, 1514, 'a');
        pcap_packet(&f, 0xffffffff, 1, 0, 0, 'b');
        pcap_packet(&f, 0, 0, 3, 2, 'c'); /* length below captured: becomes captured */
        seen s = read_bytes(f.bytes->data, f.bytes->len);
        g_assert_no_error(s.error);
        g_assert_cmpuint(s.raw->len, ==, 3);
        check_raw(&s, 0, nano ? 1700000000000999999 : 1700000000999999000, 60, 1514, 113);
        check_raw(&s, 1, nano ? 4294967295000000001 : 4294967295000001000, 0, 0, 113);
        check_raw(&s, 2, 0, 3, 3, 113);
        seen_clear(&s);
        g_byte_array_unref(f.bytes);
    }
}

static void test_pcap_header(void)
{
    file f = file_new(false);
    pcap_header(&f, 0xa1b2c3d4, 65535, 0x14000001); /* FCS length 4 bits, present bit */
    pcap_packet(&f, 1, 1, 4, 4, 0);
    seen s = read_bytes(f.bytes->data, f.bytes->len);
    check_raw(&s, 0, 1000001000, 4, 4, 1);
    seen_clear(&s);
    g_byte_array_unref(f.bytes);

    f = file_new(true); /* version 2.2: original length first */
    pcap_header(&f, 0xa1b2c3d4, 65535, 1);
    f.bytes->data[7] = 2;
    put(&f, 1, 4);
    put(&f, 0, 4);
    put(&f, 100, 4);
    put(&f, 5, 4);
    put_fill(&f, 5, 'x');
    s = read_bytes(f.bytes->data, f.bytes->len);
    check_raw(&s, 0, 1000000000, 5, 100, 1);
    g_assert_no_error(s.error);
    seen_clear(&s);
    g_byte_array_unref(f.bytes);

    f = file_new(false);
    pcap_header(&f, 0xa1b2cd34, 65535, 1);
    expect(&f, 0, CCM_ERROR_INPUT, "editcap");
    f = file_new(true);
    pcap_header(&f, 0xa1b2c3d4, 65535, 1);
    f.bytes->data[5] = 3;
    expect(&f, 0, CCM_ERROR_INPUT, "unknown version");
}

static void test_pcap_bounds(void)
{
    file f = file_new(false); /* a file may hold more than it says, up to libpcap's bound */
    pcap_header(&f, 0xa1b2c3d4, 96, 1);
    pcap_packet(&f, 1, 0, 262144, 262144, 0);
    pcap_packet(&f, 2, 0, 4, 4, 0);
    expect(&f, 2, 0, NULL);

    f = file_new(false);
    pcap_header(&f, 0xa1b2c3d4, 96, 1);
    pcap_packet(&f, 1, 0, 4, 4, 0);
    pcap_packet(&f, 2, 0, 262145, 262145, 0);
    expect(&f, 1, CCM_ERROR_CORRUPT, "at byte 44;"); /* 24 + 16 + 4 */

    f = file_new(false); /* no snap length licenses more than 16 MiB */
    pcap_header(&f, 0xa1b2c3d4, 0xffffffff, 1);
    pcap_packet(&f, 1, 0, 1 << 20, 1 << 20, 0);
    put(&f, 1, 8);
    put(&f, 0xfffffff0, 4);
    put(&f, 0xfffffff0, 4);
    expect(&f, 1, CCM_ERROR_CORRUPT, "out of bounds");
}

static void test_pcap_cut(void)
{
    file f = file_new(false);
    pcap_header(&f, 0xa1b2c3d4, 65535, 1);
    for (uint8_t i = 0; i < 4; i++)
        pcap_packet(&f, i, 0, 10u * i, 60, i);
    const guint ends[] = { 24, 40, 66, 102, 148 }, packets[] = { 0, 1, 2, 3, 4 };
    g_assert_cmpuint(f.bytes->len, ==, 148);
    check_cuts(&f, ends, packets, 5);
    g_byte_array_unref(f.bytes);
}

/* ---- buffers --------------------------------------------------------------------------------- */

/* Many packets of all sizes over many buffer ends. */
static file large_file(bool pcapng)
{
    file f = file_new(false);
    if (pcapng) {
        section_block(&f);
        interface_block(&f, 1, 0, 9, 0);
    } else {
        pcap_header(&f, 0xa1b23c4d, 65535, 1);
    }
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t size = i * 37 % 1500;
        if (pcapng)
            packet_block(&f, 0, i, size, size, (uint8_t)i);
        else
            pcap_packet(&f, 0, i, size, size, (uint8_t)i);
    }
    return f;
}

static uint64_t large_hash(void)
{
    uint64_t hash = 5381;
    for (uint32_t i = 0; i < 3000; i++)
        for (uint32_t j = 0; j < i * 37 % 1500; j++)
            hash = hash * 33 + (uint8_t)i;
    return hash;
}

static void check_large(seen *s)
{
    g_assert_no_error(s->error);
    g_assert_cmpuint(s->raw->len, ==, 3000);
    for (guint i = 0; i < 3000; i++)
        check_raw(s, i, i, i * 37 % 1500, i * 37 % 1500, 1);
    g_assert_cmpuint(s->hash, ==, large_hash());
    seen_clear(s);
}

static void test_large(void)
{
    for (int pcapng = 0; pcapng < 2; pcapng++) {
        file f = large_file(pcapng);
        seen s = read_bytes(f.bytes->data, f.bytes->len);
        check_large(&s);
        g_byte_array_unref(f.bytes);
    }
}

typedef struct trickle {
    int fd;
    const GByteArray *bytes;
} trickle;

static void *write_slowly(void *data)
{
    trickle *t = data;
    for (size_t at = 0, step = 1; at < t->bytes->len; at += step, step = step % 5000 + 777) {
        step = MIN(step, t->bytes->len - at);
        g_assert_cmpint(write(t->fd, t->bytes->data + at, step), ==, (ssize_t)step);
    }
    close(t->fd);
    return NULL;
}

static void test_pipe(void)
{
    int ends[2];
    file f = large_file(true);
    g_assert_cmpint(pipe(ends), ==, 0);
    trickle t = { ends[1], f.bytes };
    GThread *writer = g_thread_new("writer", write_slowly, &t);
    seen s = read_fd(ends[0], "stdin");
    check_large(&s);
    g_thread_join(writer);
    g_byte_array_unref(f.bytes);
}

/* ---- compression ----------------------------------------------------------------------------- */

static void add_gzip(GByteArray *out, const uint8_t *p, size_t n)
{
    z_stream z = { 0 };
    uint8_t chunk[4096];
    int rc;
    g_assert_cmpint(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), ==, Z_OK);
    z.next_in = (uint8_t *)(uintptr_t)p;
    z.avail_in = (uInt)n;
    do {
        z.next_out = chunk;
        z.avail_out = sizeof chunk;
        rc = deflate(&z, Z_FINISH);
        g_byte_array_append(out, chunk, (guint)(sizeof chunk - z.avail_out));
    } while (rc == Z_OK);
    g_assert_cmpint(rc, ==, Z_STREAM_END);
    deflateEnd(&z);
}

static void add_zstd(GByteArray *out, const uint8_t *p, size_t n)
{
    size_t bound = ZSTD_compressBound(n);
    g_autofree uint8_t *packed = g_malloc(bound);
    size_t size = ZSTD_compress(packed, bound, p, n, 3);
    g_assert_false(ZSTD_isError(size));
    g_byte_array_append(out, packed, (guint)size);
}

typedef void (*packer)(GByteArray *out, const uint8_t *p, size_t n);

static void check_packed(packer pack)
{
    file f = large_file(false);
    GByteArray *packed = g_byte_array_new();
    pack(packed, f.bytes->data, 100000); /* two members */
    pack(packed, f.bytes->data + 100000, f.bytes->len - 100000);
    seen s = read_bytes(packed->data, packed->len);
    check_large(&s);

    GByteArray *twice = g_byte_array_new();
    pack(twice, packed->data, packed->len);
    s = read_bytes(twice->data, twice->len);
    g_assert_error(s.error, CCM_ERROR, CCM_ERROR_INPUT);
    g_assert_nonnull(strstr(s.error->message, "twice"));
    seen_clear(&s);

    g_byte_array_append(packed, (const guint8 *)"rubbish", 7);
    s = read_bytes(packed->data, packed->len);
    g_assert_cmpuint(s.raw->len, ==, 3000);
    g_assert_error(s.error, CCM_ERROR, CCM_ERROR_CORRUPT);
    seen_clear(&s);
    g_byte_array_unref(twice);
    g_byte_array_unref(packed);
    g_byte_array_unref(f.bytes);
}

/* Cut at every length: packets are the first ones, and never is the loss silent. */
static void check_packed_cuts(packer pack)
{
    file f = file_new(false);
    GByteArray *packed = g_byte_array_new();
    pcap_header(&f, 0xa1b23c4d, 65535, 1);
    for (uint32_t i = 0; i < 30; i++)
        pcap_packet(&f, 0, i, i, i, (uint8_t)(i * i * 7));
    pack(packed, f.bytes->data, f.bytes->len);
    for (guint n = 0; n <= packed->len; n++) {
        seen s = read_bytes(packed->data, n);
        for (guint i = 0; i < s.raw->len; i++)
            check_raw(&s, i, i, i, i, 1);
        if (n == packed->len)
            g_assert_no_error(s.error);
        else /* three bytes do not tell that it is compressed data */
            g_assert_cmpint(s.error->code, ==, n < 4 ? CCM_ERROR_INPUT : CCM_ERROR_CORRUPT);
        g_assert_cmpuint(s.raw->len, <=, 30);
        seen_clear(&s);
    }
    for (guint n = 0; n < packed->len; n++) { /* any bit may be wrong */
        packed->data[n] ^= 0x10;
        seen s = read_bytes(packed->data, packed->len);
        packed->data[n] ^= 0x10;
        seen_clear(&s);
    }
    g_byte_array_unref(packed);
    g_byte_array_unref(f.bytes);
}

static void test_gzip(void)
{
    check_packed(add_gzip);
    check_packed_cuts(add_gzip);
}

static void test_zstd(void)
{
    check_packed(add_zstd);
    check_packed_cuts(add_zstd);
}

/* ---- other files ----------------------------------------------------------------------------- */

static void test_not_captures(void)
{
    static const struct {
        const char *name, *bytes, *says;
    } rows[] = {
        { "notes.txt", "hello, this is a text of some length\n", "pcap, pcapng; gzip and zstd" },
        { "x.snoop", "snoop\0\0\0", "is not a capture file" },
        { "x.pcap", "", "x.pcap is empty" },
        { "x.pcap", "\xd4", "is not a capture file" },
        { "dir/net.ETL", "garbage", "pktmon etl2pcap dir/net.ETL --out dir/net.pcapng" },
        { "dir/net.etl", "garbage", "etl2pcapng.exe dir/net.etl dir/net.pcapng" },
        { "my trace.etl", "garbage", "etl2pcap \"my trace.etl\" --out \"my trace.pcapng\"" },
        { "a", "{\"schema\":\"ccmscope.observations/2\"}\n{}\n", "another version" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        seen s = read_fd(memory_file(rows[i].bytes, strlen(rows[i].bytes)), rows[i].name);
        g_assert_false(s.opened);
        g_assert_error(s.error, CCM_ERROR, CCM_ERROR_INPUT);
        if (!strstr(s.error->message, rows[i].says))
            g_error("%s", s.error->message);
        seen_clear(&s);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reader/pcap", test_pcap);
    g_test_add_func("/reader/pcap-header", test_pcap_header);
    g_test_add_func("/reader/pcap-bounds", test_pcap_bounds);
    g_test_add_func("/reader/pcap-cut", test_pcap_cut);
    g_test_add_func("/reader/large", test_large);
    g_test_add_func("/reader/pipe", test_pipe);
    g_test_add_func("/reader/gzip", test_gzip);
    g_test_add_func("/reader/zstd", test_zstd);
    g_test_add_func("/reader/not-captures", test_not_captures);
    return g_test_run();
}
