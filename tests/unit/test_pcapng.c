/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_pcapng.c - pcapng files built by hand: all block types, sections of both byte orders, time
 * resolutions, every truncation length, damage. Expected values: the specification, by hand. */
#include "capture_file.h"

static void name_block(file *f)
{
    guint at = block_begin(f, 4);
    put(f, 1, 2);
    put(f, 4 + 6, 2);
    put_bytes(f, "\x0a\x00\x00\x09mp.a\0\0", 10); /* an empty second name */
    put_fill(f, 2, 0);
    put(f, 2, 2);
    put(f, 16 + 4, 2);
    put_bytes(f, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01x\0y\0", 20);
    put(f, 3, 2); /* EUI-48: not an IP address */
    put(f, 8, 2);
    put_bytes(f, "\1\2\3\4\5\6z\0", 8);
    put(f, 0, 4);
    block_end(f, at);
}

static void statistics_block(file *f, uint32_t id, uint64_t ifdrop, uint64_t osdrop)
{
    guint at = block_begin(f, 5);
    put(f, id, 4);
    put(f, 0, 8);
    put(f, 5, 2);
    put(f, 8, 2);
    put(f, ifdrop, 8);
    put(f, 7, 2);
    put(f, 8, 2);
    put(f, osdrop, 8);
    put(f, 0, 4);
    block_end(f, at);
}

static void section_of_everything(file *f)
{
    guint at;
    section_block(f);
    interface_block(f, 1, 0, -1, 0);
    interface_block(f, 113, 50, 9, 0);
    name_block(f);
    packet_block(f, 0, 1700000000123456, 5, 70, 'a');
    packet_block(f, 1, 1700000000123456789, 8, 8, 'b');
    at = block_begin(f, 2); /* obsolete packet block: interface 1, 7 drops */
    put(f, 1, 2);
    put(f, 7, 2);
    put(f, UINT64_C(1700000000123456790) >> 32, 4);
    put(f, (uint32_t)UINT64_C(1700000000123456790), 4);
    put(f, 2, 4);
    put(f, 3, 4);
    put_bytes(f, "cc", 2);
    block_end(f, at);
    at = block_begin(f, 3); /* simple packet block */
    put(f, 6, 4);
    put_bytes(f, "dddddd", 6);
    block_end(f, at);
    at = block_begin(f, 10);
    put(f, 0x544c534b, 4);
    put(f, 5, 4);
    put_bytes(f, "K 1 2", 5);
    block_end(f, at);
    at = block_begin(f, 0x80000001); /* unknown */
    put_fill(f, 9, 0xee);
    block_end(f, at);
    statistics_block(f, 1, 5, 2);
    statistics_block(f, 1, 9, 2);
    statistics_block(f, 7, 1, 1); /* no such interface */
}

static void test_pcapng(void)
{
    file f = file_new(false);
    section_of_everything(&f);
    f.big = true;
    section_block(&f); /* another byte order, other interfaces */
    interface_block(&f, 276, 4, 0x80 | 20, -10);
    packet_block(&f, 0, (UINT64_C(100) << 20) + (1 << 19), 4, 4, 'e');
    guint at = block_begin(&f, 3); /* cut at the snap length */
    put(&f, 600, 4);
    put_bytes(&f, "ffff", 4);
    block_end(&f, at);
    section_of_everything(&f);

    seen s = read_bytes(f.bytes->data, f.bytes->len);
    g_assert_no_error(s.error);
    g_assert_cmpuint(s.raw->len, ==, 10);
    for (guint i = 0; i < 10; i += 6) {
        check_raw(&s, i, 1700000000123456000, 5, 70, 1);
        check_raw(&s, i + 1, 1700000000123456789, 8, 8, 113);
        check_raw(&s, i + 2, 1700000000123456790, 2, 3, 113);
        check_raw(&s, i + 3, 1700000000123456790, 6, 6, 1); /* the time of the packet before */
    }
    check_raw(&s, 4, 90500000000, 4, 4, 276);
    check_raw(&s, 5, 90500000000, 4, 600, 276);
    uint64_t hash = 5381;
    for (const char *p = "aaaaabbbbbbbbccddddddeeeeffffaaaaabbbbbbbbccdddddd"; *p; p++)
        hash = hash * 33 + (uint8_t)*p;
    g_assert_cmpuint(s.hash, ==, hash);
    const char *once = "name 10.0.0.9 mp.a;name 2001:db8::1 x;name 2001:db8::1 y;"
                       "dropped 7;untimed;secrets 544c534b K 1 2;dropped 4;";
    g_autofree char *twice = g_strconcat(once, "untimed;", once, NULL);
    g_assert_cmpstr(s.events->str, ==, twice);
    seen_clear(&s);
    g_byte_array_unref(f.bytes);
}

/* An enhanced packet block with options: a comment, epb_flags and epb_dropcount, cut to `size`. */
static void packet_dropcount(file *f, uint32_t id, uint64_t count, size_t size)
{
    file options = file_new(f->big);
    put(&options, 1, 2);
    put(&options, 5, 2);
    put_bytes(&options, "hello\0\0\0", 8);
    put(&options, 2, 2);
    put(&options, 4, 2);
    put(&options, 1, 4);
    put(&options, 4, 2);
    put(&options, 8, 2);
    put(&options, count, 8);
    put(&options, 0, 4);
    guint at = block_begin(f, 6);
    put(f, id, 4);
    put(f, 0, 8);
    put(f, 5, 4);
    put(f, 5, 4);
    put_bytes(f, "ppppp\0\0\0", 8);
    g_assert_cmpuint(options.bytes->len, ==, 36);
    put_bytes(f, options.bytes->data, size);
    block_end(f, at);
    g_byte_array_unref(options.bytes);
}

static void check_events(file *f, guint packets, const char *events)
{
    seen s = read_bytes(f->bytes->data, f->bytes->len);
    g_assert_no_error(s.error);
    g_assert_cmpuint(s.raw->len, ==, packets);
    g_assert_cmpstr(s.events->str, ==, events);
    seen_clear(&s);
    g_byte_array_unref(f->bytes);
}

/* Packets tell what was lost since the one before, statistics the sum: the larger sum counts. */
static void test_pcapng_drops(void)
{
    for (int big = 0; big < 2; big++) {
        file f = file_new(big);
        section_block(&f);
        interface_block(&f, 1, 0, -1, 0);
        interface_block(&f, 1, 0, -1, 0);
        packet_dropcount(&f, 0, 0, 36);
        packet_dropcount(&f, 0, 30, 36);
        packet_dropcount(&f, 1, 4, 36); /* of another interface */
        packet_dropcount(&f, 0, 6, 36);
        statistics_block(&f, 0, 36, 0); /* the same */
        packet_dropcount(&f, 0, 1, 36);
        statistics_block(&f, 0, 30, 9); /* two more than the packets know */
        packet_dropcount(&f, 0, 1, 36); /* one of them */
        packet_dropcount(&f, 0, UINT64_MAX, 36);
        check_events(&f, 7,
                     "dropped 30;dropped 4;dropped 6;dropped 1;dropped 2;"
                     "dropped 18446744073709551576;"); /* 2^64 - 1 - 39 */

        for (size_t size = 0; size <= 36; size++) { /* options that end early */
            f = file_new(big);
            section_block(&f);
            interface_block(&f, 1, 0, -1, 0);
            packet_dropcount(&f, 0, 30, size & ~(size_t)3);
            check_events(&f, 1, size >= 32 ? "dropped 30;" : "");
        }
        f = file_new(big); /* an obsolete packet block that does not know its count */
        section_block(&f);
        interface_block(&f, 1, 0, -1, 0);
        guint at = block_begin(&f, 2);
        put(&f, 0, 2);
        put(&f, 0xffff, 2);
        put(&f, 0, 8);
        put(&f, 0, 8);
        block_end(&f, at);
        check_events(&f, 1, "");
    }
}

static void test_pcapng_cut(void)
{
    for (int big = 0; big < 2; big++) {
        guint ends[8], packets[8], n = 0;
        file f = file_new(big);
        section_block(&f);
        ends[n] = f.bytes->len, packets[n++] = 0;
        interface_block(&f, 1, 0, 9, 0);
        ends[n] = f.bytes->len, packets[n++] = 0;
        packet_block(&f, 0, 5, 33, 33, 1);
        ends[n] = f.bytes->len, packets[n++] = 1;
        name_block(&f);
        ends[n] = f.bytes->len, packets[n++] = 1;
        packet_block(&f, 0, 6, 0, 12, 2);
        ends[n] = f.bytes->len, packets[n++] = 2;
        check_cuts(&f, ends, packets, n);
        g_byte_array_unref(f.bytes);
    }
}

static void test_pcapng_time(void)
{
    static const struct {
        uint8_t tsresol;
        int64_t offset;
        uint64_t ts, ns;
    } rows[] = {
        { 0, 0, 1700000000, 1700000000000000000 },
        { 3, 0, 1700000000123, 1700000000123000000 },
        { 6, 0, 1700000000123456, 1700000000123456000 },
        { 9, 0, 1700000000123456789, 1700000000123456789 },
        { 10, 0, 17000000001234567899u, 1700000000123456789 },
        { 12, 0, 1999, 1 },
        { 18, 0, 17000000001234567899u, 17000000001 },
        { 28, 0, UINT64_MAX, 1 }, /* 1.8446 e19 / 10^19 */
        { 29, 0, UINT64_MAX, 0 },
        { 127, 0, UINT64_MAX, 0 },
        { 0x80, 0, 2, 2000000000 },
        { 0x80 | 1, 0, 3, 1500000000 },
        { 0x80 | 10, 0, 1023, 999023437 }, /* 1023e9 / 1024 = 999023437.5 */
        { 0x80 | 30, 0, (UINT64_C(1700000000) << 30) + 1, 1700000000000000000 },
        { 0x80 | 32, 0, UINT64_MAX, 4294967295999999999 }, /* NTP fraction */
        { 0x80 | 64, 0, UINT64_MAX, 999999999 },
        { 0x80 | 127, 0, UINT64_MAX, 0 },
        { 6, 100, 5, 100000005000 },
        { 6, -1, 1000001, 1000 },
        { 6, -2, 1000001, 0 },           /* before 1970 */
        { 0, 0, UINT64_MAX, INT64_MAX }, /* after 2262 */
        { 9, INT64_MAX, 1, INT64_MAX },
        { 9, INT64_MIN, UINT64_MAX, 0 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ccm_interface face = { .offset_s = rows[i].offset };
        ccm_interface_resolution(&face, rows[i].tsresol);
        g_assert_cmpuint(ccm_interface_time(&face, rows[i].ts), ==, rows[i].ns);
    }
}

static file damaged(guint at, uint8_t value)
{
    file f = file_new(false);
    section_block(&f);                 /* 28 bytes */
    interface_block(&f, 1, 0, -1, 0);  /* 32 */
    packet_block(&f, 0, 1, 4, 4, 'a'); /* 36: 60..96 */
    packet_block(&f, 0, 2, 4, 4, 'b'); /* 96..132 */
    g_assert_cmpuint(f.bytes->len, ==, 132);
    if (at)
        f.bytes->data[at] = value;
    return f;
}

static void test_pcapng_damage(void)
{
    file f = damaged(0, 0);
    expect(&f, 2, 0, NULL);
    f = damaged(4, 8);
    expect(&f, 0, CCM_ERROR_CORRUPT, "at byte 0;");
    f = damaged(12, 2);
    expect(&f, 0, CCM_ERROR_CORRUPT, "unknown version");
    f = damaged(100, 37); /* not a multiple of 4 */
    expect(&f, 1, CCM_ERROR_CORRUPT, "at byte 96;");
    f = damaged(100, 8);
    expect(&f, 1, CCM_ERROR_CORRUPT, "block length");
    f = damaged(103, 0x7f);
    expect(&f, 1, CCM_ERROR_CORRUPT, "block length");
    f = damaged(128, 40);
    expect(&f, 1, CCM_ERROR_CORRUPT, "lengths differ");
    f = damaged(104, 1);
    expect(&f, 1, CCM_ERROR_CORRUPT, "interface");
    f = damaged(116, 5);
    expect(&f, 1, CCM_ERROR_CORRUPT, "longer than its block");
    f = damaged(119, 0xff);
    expect(&f, 1, CCM_ERROR_CORRUPT, "longer than its block");
    f = damaged(96, 0x77); /* an unknown type: skipped */
    expect(&f, 1, 0, NULL);
    f = damaged(8, 0);
    expect(&f, 0, CCM_ERROR_INPUT, "not a capture");
}

static void test_huge_block(void)
{
    for (int over = 0; over < 2; over++) {
        file f = file_new(false);
        section_block(&f);
        interface_block(&f, 1, 0, 9, 0);
        guint at = block_begin(&f, 0xbad);
        g_byte_array_set_size(f.bytes, at + (16 << 20) - 4 + 4 * (guint)over);
        memset(f.bytes->data + at + 8, 7, f.bytes->len - at - 8);
        block_end(&f, at);
        packet_block(&f, 0, 9, 4, 4, 'z');
        expect(&f, over ? 0 : 1, over ? CCM_ERROR_CORRUPT : 0, over ? "block length" : NULL);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pcapng/all-blocks", test_pcapng);
    g_test_add_func("/pcapng/drops", test_pcapng_drops);
    g_test_add_func("/pcapng/cut", test_pcapng_cut);
    g_test_add_func("/pcapng/time", test_pcapng_time);
    g_test_add_func("/pcapng/damage", test_pcapng_damage);
    g_test_add_func("/pcapng/huge-block", test_huge_block);
    return g_test_run();
}
