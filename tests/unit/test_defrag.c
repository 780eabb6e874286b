/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_defrag.c - fragments in any order, overlapping, repeated, missing, cut and hostile. What is
 * expected is computed by a map of bytes in which the first writer wins. */
#include "input/defrag.h"

enum { SECOND = 1000000000, MAP = 4096 };

typedef struct fixture {
    ccm_defrag *defrag;
    ccm_datagram whole;
    ccm_packet packet; /* after the last add() */
    uint64_t now;
    uint32_t id;
    bool v6;
} fixture;

static fixture fixture_new(unsigned fragments)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    limits.fragments = fragments;
    return (fixture){ .defrag = ccm_defrag_new(&limits), .now = 100 * (uint64_t)SECOND, .id = 7 };
}

static const uint8_t header4[20] = { 0x45, 0, 0,  28, 0, 7, 0x20, 0, 64, 17,
                                     0,    0, 10, 0,  0, 1, 10,   0, 0,  2 };
static const uint8_t header6[40] = { 0x60, 0, 0, 0, 0, 16, 44, 64 };

/* The captured `n` bytes at `data` of a fragment of `wire` bytes. The copy is of exactly that size,
 * so that a sanitizer sees each read past it. */
static bool add_cut(fixture *f, uint32_t offset, uint32_t wire, bool more, const uint8_t *data,
                    size_t n)
{
    uint8_t *copy = n ? g_memdup2(data, n) : NULL;
    ccm_fragment fragment = { .id = f->id,
                              .offset = offset,
                              .wire = wire,
                              .more = more,
                              .next = 17,
                              .header = f->v6 ? ccm_span_of(header6, 40) : ccm_span_of(header4, 20),
                              .data = ccm_span_of(copy, n) };
    uint8_t family = f->v6 ? 6 : 4;
    f->packet = (ccm_packet){ .time_ns = f->now,
                              .frame = 1,
                              .src.addr = { .family = family, .b = { 10, 0, 0, 1 } },
                              .dst.addr = { .family = family, .b = { 10, 0, 0, 2 } },
                              .packets = 1,
                              .wire_bytes = wire + 34,
                              .ip_bytes = wire + 20 };
    bool done = ccm_defrag_add(f->defrag, &fragment, &f->packet, &f->whole);
    g_free(copy);
    return done;
}

static bool add(fixture *f, uint32_t offset, const char *text, bool more)
{
    return add_cut(f, offset, (uint32_t)strlen(text), more, (const uint8_t *)text, strlen(text));
}

static void check_whole(const fixture *f, const char *want)
{
    size_t header = f->v6 ? 40 : 20;
    g_assert_cmpuint(f->whole.header_size, ==, header);
    g_assert_cmpuint(f->whole.next, ==, 17);
    g_assert_cmpuint(f->whole.wire, ==, strlen(want));
    g_assert_cmpmem(f->whole.ip.p + header, f->whole.ip.n - header, want, strlen(want));
}

static void test_every_order(void)
{
    static const char *const parts[] = { "aaaaaaaa", "bbbbbbbbBBBBBBBB", "cccccccc", "ddd" };
    static const uint32_t at[] = { 0, 8, 24, 32 };
    fixture f = fixture_new(16);
    for (unsigned order = 0; order < 256; order++) {
        unsigned index[4] = { order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6 };
        unsigned seen = 0;
        for (unsigned i = 0; i < 4; i++)
            seen |= 1u << index[i];
        if (seen != 15)
            continue;
        f.id = order;
        f.v6 = order & 1;
        for (unsigned i = 0; i < 4; i++)
            g_assert_cmpint(add(&f, at[index[i]], parts[index[i]], index[i] != 3), ==, i == 3);
        check_whole(&f, "aaaaaaaabbbbbbbbBBBBBBBBccccccccddd");
        g_assert_cmpuint(f.packet.packets, ==, 4);
        g_assert_cmpuint(f.packet.wire_bytes, ==, 35 + 4 * 34);
        g_assert_cmpuint(f.packet.ip_bytes, ==, 35 + 4 * 20);
    }
    g_assert_false(ccm_defrag_expired(f.defrag, UINT64_MAX, &f.packet, &f.whole));
    ccm_defrag_free(f.defrag);
}

/* Spans stay until the release at the next batch, however many datagrams come. */
static void test_lifetime(void)
{
    fixture f = fixture_new(4);
    ccm_span first = { 0 };
    for (unsigned i = 0; i < 40; i++) {
        f.id = i;
        g_assert_false(add(&f, 0, i ? "xxxxxxxx" : "first!!!", true));
        g_assert_true(add(&f, 8, "tail", false));
        if (i == 0)
            first = f.whole.ip;
    }
    g_assert_cmpmem(first.p + 20, first.n - 20, "first!!!tail", 12);
    ccm_defrag_release(f.defrag);
    ccm_defrag_free(f.defrag);
}

static void test_overlap(void)
{
    fixture f = fixture_new(16);
    g_assert_false(add(&f, 0, "aaaaaaaaaaaaaaaa", true));
    g_assert_true(add(&f, 8, "bbbbbbbbBBBB", false));
    check_whole(&f, "aaaaaaaaaaaaaaaaBBBB");
    f.id++; /* a hole filled from both sides, and a fragment over all of it */
    g_assert_false(add(&f, 8, "bbbbbbbb", true));
    g_assert_false(add(&f, 24, "dddddddd", true));
    g_assert_false(add(&f, 0, "AAAAAAAABBBBBBBBCCCCCCCCDDDDDDDDEEEEEEEE", true));
    g_assert_true(add(&f, 40, "f", false));
    check_whole(&f, "AAAAAAAAbbbbbbbbCCCCCCCCddddddddEEEEEEEEf");
    f.id++; /* repeated fragments count as packets */
    g_assert_false(add(&f, 0, "aaaaaaaa", true));
    g_assert_false(add(&f, 0, "zzzzzzzz", true));
    g_assert_true(add(&f, 8, "b", false));
    check_whole(&f, "aaaaaaaab");
    g_assert_cmpuint(f.packet.packets, ==, 3);
    ccm_defrag_free(f.defrag);
}

static void expect_lost(fixture *f, unsigned packets)
{
    ccm_packet out;
    g_assert_true(ccm_defrag_expired(f->defrag, UINT64_MAX, &out, &f->whole));
    g_assert_true(out.fragment);
    g_assert_cmpuint(out.packets, ==, packets);
    g_assert_cmpuint(out.src.port, ==, 0);
    g_assert_cmpuint(out.l4, ==, 17);
    g_assert_cmpuint(out.src.addr.family, ==, 4);
    g_assert_cmpuint(out.wire_bytes, ==, out.payload_len + 34 * packets);
    g_assert_cmpuint(out.ip_bytes, ==, out.payload_len + 20 * packets);
    g_assert_cmpuint(out.payload.n, ==, 0);
    g_assert_false(ccm_defrag_expired(f->defrag, UINT64_MAX, &out, &f->whole));
}

static void test_hostile(void)
{
    static uint8_t big[65528];
    fixture f = fixture_new(16);
    /* teardrop: the last fragment ends inside the first */
    g_assert_false(add(&f, 0, "0123456789012345678901234567890123456789", true));
    g_assert_false(add(&f, 24, "abcd", false));
    expect_lost(&f, 2);
    /* ping of death: the end lies behind 65535 */
    g_assert_false(add_cut(&f, 0, 65528, true, big, sizeof big));
    g_assert_false(add_cut(&f, 65528, 100, false, big, 100));
    expect_lost(&f, 2);
    /* the largest datagram there is */
    g_assert_false(add_cut(&f, 0, 65528, true, big, sizeof big));
    g_assert_true(add_cut(&f, 65528, 7, false, big, 7));
    g_assert_cmpuint(f.whole.wire, ==, 65535);
    g_assert_cmpuint(f.whole.ip.n, ==, 65555);
    /* no data at all; a piece that is no multiple of eight loses its tail */
    g_assert_false(add(&f, 0, "", true));
    g_assert_false(add(&f, 8, "", false));
    expect_lost(&f, 2);
    g_assert_false(add(&f, 0, "abcdefghijk", true));
    g_assert_true(add(&f, 8, "Z", false));
    check_whole(&f, "abcdefghZ");
    /* an offset and a length that would overflow */
    g_assert_false(add_cut(&f, 65528, UINT32_MAX - 8, true, big, 8));
    ccm_packet out;
    g_assert_true(ccm_defrag_expired(f.defrag, UINT64_MAX, &out, &f.whole));
    /* data behind the end */
    g_assert_false(add(&f, 8, "end", false));
    g_assert_false(add(&f, 16, "beyondit", true));
    g_assert_true(add(&f, 0, "abcdefgh", true));
    check_whole(&f, "abcdefghend");
    ccm_defrag_free(f.defrag);
}

static void test_pieces(void)
{
    fixture f = fixture_new(16);
    for (unsigned i = 1000; i > 0; i--) /* backwards, so that none is the next one */
        g_assert_false(add(&f, i * 8, "01234567", i != 1000));
    g_assert_true(add(&f, 0, "01234567", true));
    g_assert_cmpuint(f.whole.wire, ==, 8008);
    for (size_t i = 0; i < 8008; i++)
        g_assert_cmpuint(f.whole.ip.p[20 + i], ==, '0' + i % 8);
    f.id++;
    for (unsigned i = 0; i < 4 * CCM_DEFRAG_PIECES; i += 2) /* each second one: none joins */
        g_assert_false(add(&f, i * 8, "01234567", true));
    expect_lost(&f, 2 * CCM_DEFRAG_PIECES);
    ccm_defrag_free(f.defrag);
}

static void test_timeout(void)
{
    fixture f = fixture_new(16);
    ccm_packet out;
    uint64_t begin = f.now;
    g_assert_false(add(&f, 0, "aaaaaaaa", true));
    g_assert_false(ccm_defrag_expired(f.defrag, begin + 30 * (uint64_t)SECOND, &out, &f.whole));
    g_assert_false(ccm_defrag_expired(f.defrag, begin - 30 * (uint64_t)SECOND, &out, &f.whole));
    /* the identification comes again after the time: another datagram */
    f.now = begin + 31 * (uint64_t)SECOND;
    g_assert_false(add(&f, 8, "b", false));
    g_assert_true(ccm_defrag_expired(f.defrag, f.now, &out, &f.whole));
    g_assert_cmpuint(out.payload_len, ==, 8);
    g_assert_false(ccm_defrag_expired(f.defrag, f.now, &out, &f.whole));
    expect_lost(&f, 1);
    ccm_defrag_free(f.defrag);

    f = fixture_new(16);
    f.now = begin;
    g_assert_false(add(&f, 0, "aaaaaaaa", true));
    g_assert_true(ccm_defrag_expired(f.defrag, begin + 30 * (uint64_t)SECOND + 1, &out, &f.whole));
    g_assert_cmpuint(out.payload_len, ==, 8);
    g_assert_cmpuint(ccm_defrag_evicted(f.defrag), ==, 0);
    ccm_defrag_free(f.defrag);
}

/* What is there before the first hole can be read; what was pushed out cannot. */
static void test_start(void)
{
    fixture f = fixture_new(2);
    ccm_packet out;
    g_assert_false(add(&f, 8, "bbbbbbbb", true));
    g_assert_false(add(&f, 24, "dddd", false));
    g_assert_false(add(&f, 0, "aaaaaaaa", true));
    g_assert_true(ccm_defrag_expired(f.defrag, UINT64_MAX, &out, &f.whole));
    check_whole(&f, "aaaaaaaabbbbbbbb");
    g_assert_cmpuint(out.packets, ==, 3);
    g_assert_cmpuint(out.wire_bytes, ==, 20 + 3 * 34);
    g_assert_cmpuint(out.payload_len, ==, 20);
    ccm_defrag_release(f.defrag);
    g_assert_false(add(&f, 8, "bbbbbbbb", true)); /* without the first fragment */
    g_assert_true(ccm_defrag_expired(f.defrag, UINT64_MAX, &out, &f.whole));
    g_assert_cmpuint(f.whole.ip.n, ==, 0);
    for (f.id = 10; f.id < 13; f.id++)
        g_assert_false(add(&f, 0, "aaaaaaaa", true));
    g_assert_true(ccm_defrag_expired(f.defrag, f.now, &out, &f.whole)); /* pushed out */
    g_assert_cmpuint(f.whole.ip.n, ==, 0);
    g_assert_cmpuint(out.packets, ==, 1);
    ccm_defrag_free(f.defrag);
}

static void test_bounds(void)
{
    static uint8_t big[60000];
    fixture f = fixture_new(4);
    for (unsigned i = 0; i < 7; i++) {
        f.id = i;
        g_assert_false(add(&f, 0, "aaaaaaaa", true));
    }
    g_assert_cmpuint(ccm_defrag_evicted(f.defrag), ==, 3);
    f.id = 6; /* the newest is still there */
    g_assert_true(add(&f, 8, "b", false));
    ccm_packet out;
    unsigned lost = 0;
    while (ccm_defrag_expired(f.defrag, f.now, &out, &f.whole))
        lost++;
    g_assert_cmpuint(lost, ==, 3);
    ccm_defrag_free(f.defrag);

    /* Large fragments: the bytes are bounded too, and no packet is forgotten when nobody asks. */
    f = fixture_new(100);
    unsigned packets = 0;
    for (f.id = 0; f.id < 1000; f.id++)
        g_assert_false(add_cut(&f, 0, sizeof big, true, big, sizeof big));
    g_assert_cmpuint(ccm_defrag_evicted(f.defrag), >=, 1000 - 100 * CCM_DEFRAG_BYTES / sizeof big);
    while (ccm_defrag_expired(f.defrag, UINT64_MAX, &out, &f.whole))
        packets += out.packets;
    g_assert_cmpuint(packets, ==, 1000);
    ccm_defrag_free(f.defrag);
}

/* A snap length cut a fragment: what comes before the cut can be read, the rest counts. */
static void test_cut(void)
{
    fixture f = fixture_new(4);
    g_assert_false(add(&f, 0, "aaaaaaaaaaaaaaaa", true));
    g_assert_false(add_cut(&f, 16, 16, true, (const uint8_t *)"bbbbb", 5));
    g_assert_true(add(&f, 32, "cc", false));
    g_assert_cmpuint(f.whole.wire, ==, 34);
    g_assert_cmpmem(f.whole.ip.p + 20, f.whole.ip.n - 20, "aaaaaaaaaaaaaaaabbbbb", 21);
    f.id++; /* nothing captured */
    g_assert_false(add_cut(&f, 8, 1, false, NULL, 0));
    g_assert_true(add_cut(&f, 0, 8, true, NULL, 0));
    g_assert_cmpuint(f.whole.wire, ==, 9);
    g_assert_cmpuint(f.whole.ip.n, ==, 20);
    ccm_defrag_free(f.defrag);
}

static void test_random(void)
{
    fixture f = fixture_new(4);
    for (unsigned round = 0; round < 300; round++) {
        uint8_t map[MAP], data[MAP];
        bool known[MAP] = { false };
        uint32_t blocks = (uint32_t)g_test_rand_int_range(1, 40), total = blocks * 8 + 3;
        bool done = false, ended = false;
        unsigned sent = 0;
        f.id = round;
        while (!done) {
            uint32_t from = (uint32_t)g_test_rand_int_range(0, (gint32)blocks + 1);
            uint32_t n = (uint32_t)g_test_rand_int_range(1, 8) * 8;
            bool last = from * 8 + n >= total;
            n = last ? total - from * 8 : n;
            memset(data, (int)(sent++ & 0xff), n);
            for (uint32_t i = 0; i < n; i++) {
                if (!known[from * 8 + i])
                    map[from * 8 + i] = data[i];
                known[from * 8 + i] = true;
            }
            ended |= last;
            done = add_cut(&f, from * 8, n, !last, data, n);
            bool all = ended;
            for (uint32_t i = 0; i < total && all; i++)
                all = known[i];
            g_assert_cmpint(done, ==, all);
        }
        g_assert_cmpmem(f.whole.ip.p + 20, f.whole.ip.n - 20, map, total);
        g_assert_cmpuint(f.packet.packets, ==, sent);
        ccm_defrag_release(f.defrag);
    }
    ccm_defrag_free(f.defrag);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/defrag/every-order", test_every_order);
    g_test_add_func("/defrag/lifetime", test_lifetime);
    g_test_add_func("/defrag/overlap", test_overlap);
    g_test_add_func("/defrag/hostile", test_hostile);
    g_test_add_func("/defrag/pieces", test_pieces);
    g_test_add_func("/defrag/timeout", test_timeout);
    g_test_add_func("/defrag/start", test_start);
    g_test_add_func("/defrag/bounds", test_bounds);
    g_test_add_func("/defrag/cut", test_cut);
    g_test_add_func("/defrag/random", test_random);
    return g_test_run();
}
