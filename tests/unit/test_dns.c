/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_dns.c - DNS messages and the two parsers. Messages are written by hand after RFC 1035
 * section 4.1, RFC 2782 and RFC 3596; what is expected was written beside them. */
#include "parser_driver.h"

#define HEAD(flags, q, a, n, x) "\x12\x34" flags q a n x
#define Q "\x01\x00"    /* query, recursion desired */
#define R "\x81\x80"    /* answer, no error */
#define R_NX "\x81\x83" /* NXDOMAIN */
#define R_SF "\x81\x82" /* SERVFAIL */
#define R_10 "\x81\x8a" /* NOTZONE, the last of RFC 2136 */
#define R_11 "\x81\x8b" /* DSOTYPENI, of another kind of message: RFC 8490 */
#define R_TC "\x83\x80" /* truncated */
#define N0 "\x00\x00"
#define N1 "\x00\x01"
#define N2 "\x00\x02"
#define N3 "\x00\x03"
#define IN "\x00\x01"
#define MP                                                                                         \
    "\x02mp\x07"                                                                                   \
    "contoso\x03"                                                                                  \
    "com\x00" /* at 12; "contoso" at 15, "com" at 23 */
#define TTL(n) "\x00\x00\x00" n

typedef struct row {
    const char *bytes;
    size_t n;
    const char *line;
    unsigned from;
} row;
#define ROW(from, line, bytes)                                                                     \
    {                                                                                              \
        bytes, sizeof(bytes) - 1, line, from                                                       \
    }

static const row rows[] = {
    ROW(0, "dns_query C name=mp.contoso.com record_type=1\n", HEAD(Q, N1, N0, N0, N0) MP N1 IN),
    /* with EDNS (RFC 6891): an OPT record behind */
    ROW(0, "dns_query C name=mp.contoso.com record_type=28\n",
        HEAD(Q, N1, N0, N0, N1) MP "\x00\x1c" IN "\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"),
    ROW(1,
        "dns_answer S name=mp.contoso.com record_type=1 rcode=0 records=2 "
        "addresses=10.0.0.9 10.0.0.10 ttl=60\n",
        HEAD(R, N1, N2, N0, N0) MP N1 IN "\xc0\x0c\x00\x01" IN TTL(
            "\x78") "\x00\x04\x0a\x00\x00\x09"
                    "\xc0\x0c\x00\x01" IN TTL("\x3c") "\x00\x04\x0a\x00\x00\x0a"),
    /* CMG: the service name leads to the deployment's. 2 CNAMEs, 1 address. */
    ROW(1,
        "dns_answer S name=mp.contoso.com record_type=1 rcode=0 records=3 addresses=20.1.2.3 "
        "chain=cmg.contoso.com cmg.westeurope.cloudapp.azure.com ttl=10\n",
        HEAD(R, N1, N3, N0, N0) MP N1 IN "\xc0\x0c\x00\x05" IN TTL(
            "\x3c") "\x00\x06\x03"
                    "cmg\xc0\x0f"                                /* data at 44 */
                    "\xc0\x2c\x00\x05" IN TTL("\x14") "\x00\x23" /* data at 62 */
                                                      "\x03"
                                                      "cmg\x0a"
                                                      "westeurope\x08"
                                                      "cloudapp\x05"
                                                      "azure\x03"
                                                      "com\x00"
                                                      "\xc0\x3e\x00\x01" IN TTL(
                                                          "\x0a") "\x00\x04\x14\x01\x02\x03"),
    ROW(1,
        "dns_answer S name=mp.contoso.com record_type=28 rcode=0 records=1 addresses=2001:db8::9 "
        "ttl=255\n",
        HEAD(R, N1, N1, N0, N0) MP "\x00\x1c" IN "\xc0\x0c\x00\x1c" IN TTL(
            "\xff") "\x00\x10"
                    "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09"),
    /* the management point's own SRV record, routes-and-ports.md C33, TTL 14400; glue beside it */
    ROW(1,
        "dns_answer S name=_mssms_mp_p01._tcp.contoso.com record_type=33 rcode=0 records=1 "
        "targets=mp.contoso.com:443 glue=mp.contoso.com=10.0.0.9 ttl=14400\n",
        HEAD(R, N1, N1, N0, N1) "\x0d_mssms_mp_p01\x04_tcp\x07"
                                "contoso\x03"
                                "com\x00\x00\x21" IN "\xc0\x0c\x00\x21" IN
                                "\x00\x00\x38\x40\x00\x16" N0 N0 "\x01\xbb" /* data at 60 */
                                "\x02mp\x07"
                                "contoso\x03"
                                "com\x00"
                                "\xc0\x42\x00\x01" IN TTL("\x3c") "\x00\x04\x0a\x00\x00\x09"),
    ROW(1,
        "dns_answer S name=9.0.0.10.in-addr.arpa record_type=12 rcode=0 records=1 "
        "targets=mp.contoso.com ttl=60\n",
        HEAD(R, N1, N1, N0, N0) "\x01"
                                "9\x01"
                                "0\x01"
                                "0\x02"
                                "10\x07in-addr\x04"
                                "arpa\x00\x00\x0c" IN
                                "\xc0\x0c\x00\x0c" IN TTL("\x3c") "\x00\x10" MP),
    ROW(1, "dns_answer S name=mp.contoso.com record_type=1 rcode=3 records=0\n",
        HEAD(R_NX, N1, N0, N0, N0) MP N1 IN),
    ROW(1, "dns_answer S name=mp.contoso.com record_type=1 rcode=2 records=0\n",
        HEAD(R_SF, N1, N0, N0, N0) MP N1 IN),
    ROW(1, "dns_answer S name=mp.contoso.com record_type=1 rcode=10 records=0\n",
        HEAD(R_10, N1, N0, N0, N0) MP N1 IN),
    ROW(1, "dns_answer S name=mp.contoso.com record_type=1 rcode=0 records=0 truncated=1\n",
        HEAD(R_TC, N1, N0, N0, N0) MP N1 IN),
    /* letters that would break a list or a terminal: . \ = : space, NUL, 0xff */
    ROW(0, "dns_query C name=a\\046\\092\\061\\058\\032\\000\\255-_ record_type=1\n",
        HEAD(Q, N1, N0, N0, N0) "\x0a"
                                "a.\\=: \x00\xff-_\x00" N1 IN),
    ROW(0, "dns_query C name=. record_type=2\n", HEAD(Q, N1, N0, N0, N0) "\x00\x00\x02" IN),
};

/* What is not a plain question or answer, as the first datagram of a flow. */
static const row others[] = {
    ROW(0, "itself", HEAD(Q, N1, N0, N0, N0) "\xc0\x0c" N1 IN),
    ROW(0, "forward", HEAD(Q, N1, N0, N0, N0) "\xc0\x10" N1 IN MP),
    ROW(0, "two that lead to each other",
        HEAD(R, N1, N1, N0, N0) MP N1 IN
        "\xc0\x0c\x00\x05" IN TTL("\x3c") "\x00\x04\xc0\x30\xc0\x2e"),
    ROW(0, "label too long",
        HEAD(Q, N1, N0, N0, N0) "\x40"
                                "x\x00" N1 IN),
    ROW(0, "no question", HEAD(R, N0, N1, N0, N0) MP N1 IN TTL("\x3c") "\x00\x04\x0a\x00\x00\x09"),
    ROW(0, "query with an answer", HEAD(Q, N1, N1, N0, N0) MP N1 IN),
    ROW(1, "result code", HEAD(R_11, N1, N0, N0, N0) MP N1 IN),
    ROW(0, "update", HEAD("\x28\x00", N1, N0, N0, N0) MP "\x00\x06" IN),
    ROW(0, "bytes behind", HEAD(Q, N1, N0, N0, N0) MP N1 IN "\x00"),
    ROW(0, "class", HEAD(Q, N1, N0, N0, N0) MP N1 "\x00\x02"),
    ROW(0, "NetBIOS name query, MS-NBTE",
        HEAD("\x01\x10", N1, N0, N0, N0) "\x20"
                                         "EDEPEOFEEPFDEPCACACACACACACACAAA\x00\x00\x20" IN),
    ROW(0, "multicast answer, RFC 6762",
        "\x00\x00\x84\x00" N0 N1 N0 N0 MP N1 "\x80\x01" TTL("\x78") "\x00\x04\x0a\x00\x00\x09"),
    ROW(0, "NTP",
        "\x1b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
        "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
        "\x00\x00"),
    ROW(0, "TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x12\x34\x56\x78\x9a\xbc\xde\xf0"),
    ROW(0, "HTTP", "GET / HTTP/1.1\r\nHost: dns\r\n\r\n"),
};

static void test_udp(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        parser_drive d;
        parser_open(&d, &ccm_proto_dns_udp, false);
        ccm_span s = ccm_span_of(rows[i].bytes, rows[i].n);
        g_test_message("row %u", (unsigned)i);
        g_assert_cmpint(d.proto->probe(s, true), ==, CCM_PROBE_YES);
        parser_bytes(&d, rows[i].from, s.p, s.n);
        g_assert_cmpint(d.client, ==, 0);
        g_autofree char *got = parser_close(&d);
        g_assert_cmpstr(got, ==, rows[i].line);
    }
}

static void test_others(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        ccm_span s = ccm_span_of(others[i].bytes, others[i].n);
        g_test_message("%s", others[i].line);
        g_assert_cmpint(ccm_proto_dns_udp.probe(s, true), ==, CCM_PROBE_NO);
        g_autofree char *framed = g_malloc0(s.n + 2);
        framed[1] = (char)s.n;
        memcpy(framed + 2, s.p, s.n);
        g_assert_cmpint(ccm_proto_dns_tcp.probe(ccm_span_of(framed, s.n + 2), false), ==,
                        CCM_PROBE_NO);
        parser_drive d; /* in a flow that is known to be DNS it does no harm */
        parser_open(&d, &ccm_proto_dns_udp, false);
        parser_bytes(&d, 0, s.p, s.n);
        g_free(parser_close(&d));
    }
}

/* Every length, on memory that ends there: what is told is what is there, and told incomplete. */
static void test_truncated(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        for (size_t n = 1; n < rows[i].n; n++) {
            parser_drive d;
            parser_open(&d, &ccm_proto_dns_udp, false);
            parser_bytes(&d, rows[i].from, (const uint8_t *)rows[i].bytes, n);
            g_autofree char *got = parser_close(&d);
            g_assert_true(!*got || g_str_has_suffix(got, " incomplete=1\n"));
            g_auto(GStrv) words = g_strsplit(g_strchomp(got), " ", -1);
            for (char **w = words; *w; w++) /* ttl: lowest of what was seen */
                g_assert_true(strstr(rows[i].line, *w) || !strcmp(*w, "incomplete=1") ||
                              g_str_has_prefix(*w, "ttl="));
        }
}

static void test_damaged(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree uint8_t *m = g_memdup2(rows[i].bytes, rows[i].n);
        for (size_t n = 0; n < rows[i].n; n++) {
            static const uint8_t values[] = { 0x00, 0x3f, 0x40, 0x80, 0xc0, 0xff };
            for (size_t v = 0; v < sizeof values; v++) {
                parser_drive d;
                m[n] = values[v];
                parser_open(&d, &ccm_proto_dns_udp, false);
                parser_bytes(&d, 0, m, rows[i].n);
                g_free(parser_close(&d));
            }
            m[n] = (uint8_t)rows[i].bytes[n];
        }
    }
}

/* As many names as fit behind pointers, each one longer than the one before: 255 bytes end it. */
static void test_long_name(void)
{
    g_autoptr(GByteArray) m = g_byte_array_new();
    g_byte_array_append(m, (const uint8_t *)HEAD(Q, N1, N0, N0, N0), 12);
    for (unsigned i = 0; i < 8; i++) { /* 8 * 32 + 1 bytes */
        static const uint8_t label[32] = { 31, 'x' };
        g_byte_array_append(m, label, sizeof label);
    }
    g_byte_array_append(m, (const uint8_t *)"\x00" N1 IN, 5);
    g_assert_cmpint(ccm_proto_dns_udp.probe(ccm_span_of(m->data, m->len), true), ==, CCM_PROBE_NO);
    g_byte_array_remove_range(m, 12, 32);
    g_assert_cmpint(ccm_proto_dns_udp.probe(ccm_span_of(m->data, m->len), true), ==, CCM_PROBE_YES);
}

/* More addresses than a list holds: the first ones are told, and that there are more. */
static void test_many(void)
{
    g_autoptr(GByteArray) m = g_byte_array_new();
    g_byte_array_append(m, (const uint8_t *)HEAD(R, N1, "\x01\x2c", N0, N0) MP N1 IN, 32);
    for (unsigned i = 0; i < 300; i++)
        g_byte_array_append(
            m, (const uint8_t *)"\xc0\x0c\x00\x01" IN TTL("\x3c") "\x00\x04\xc0\xa8\x64\xc8", 16);
    parser_drive d;
    parser_open(&d, &ccm_proto_dns_udp, false);
    parser_bytes(&d, 1, m->data, m->len);
    g_autofree char *got = parser_close(&d);
    g_assert_true(g_str_has_prefix(got, "dns_answer S name=mp.contoso.com record_type=1 rcode=0 "
                                        "records=300 addresses=192.168.100.200 192.168.100.200 "));
    g_assert_true(g_str_has_suffix(got, " ttl=60 incomplete=1\n"));
}

static GByteArray *stream(unsigned from)
{
    GByteArray *all = g_byte_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t prefix[2] = { (uint8_t)(rows[i].n >> 8), (uint8_t)rows[i].n };
        if (rows[i].from != from)
            continue;
        g_byte_array_append(all, prefix, 2);
        g_byte_array_append(all, (const uint8_t *)rows[i].bytes, (guint)rows[i].n);
    }
    return all;
}

static char *lines(unsigned from, size_t first)
{
    GString *s = g_string_new(NULL);
    for (size_t i = first; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].from == from)
            g_string_append(s, rows[i].line);
    return g_string_free(s, FALSE);
}

static void test_tcp(void)
{
    g_autoptr(GByteArray) all = stream(1);
    g_autofree char *want = lines(1, 0);
    for (size_t piece = 1; piece < 200; piece++) {
        parser_drive d;
        parser_open(&d, &ccm_proto_dns_tcp, false);
        g_assert_cmpint(d.proto->probe(ccm_span_of(all->data, all->len), false), ==, CCM_PROBE_YES);
        for (size_t at = 0; at < all->len; at += piece)
            parser_bytes(&d, 1, all->data + at, MIN(piece, all->len - at));
        g_autofree char *got = parser_close(&d);
        g_assert_cmpstr(got, ==, want);
    }
}

/* Begins anywhere inside the first message: from the second on, everything is found. */
static void test_midstream(void)
{
    g_autoptr(GByteArray) all = stream(1);
    g_autofree char *want = lines(1, 3); /* rows[2] is the first answer */
    for (size_t from = 1; from <= rows[2].n + 2; from++) {
        parser_drive d;
        parser_open(&d, &ccm_proto_dns_tcp, true);
        ccm_span s = ccm_span_of(all->data + from, all->len - from);
        g_assert_cmpint(d.proto->probe(s, true), ==, CCM_PROBE_YES);
        for (size_t at = 0; at < s.n; at += 50)
            parser_bytes(&d, 1, s.p + at, MIN(50, s.n - at));
        g_autofree char *got = parser_close(&d);
        g_assert_cmpstr(got, ==, want);
    }
}

/* A gap inside a message of which the question was seen: it is told, and the next one is whole. */
static void test_gap(void)
{
    g_autoptr(GByteArray) all = stream(1);
    g_autofree char *rest = lines(1, 3);
    size_t first = rows[2].n + 2;
    for (size_t seen = 0; seen < first; seen++)
        for (size_t lost = 1; lost <= first - seen; lost += 7) {
            parser_drive d;
            parser_open(&d, &ccm_proto_dns_tcp, false);
            if (seen)
                parser_bytes(&d, 1, all->data, seen);
            parser_lose(&d, 1, lost);
            parser_bytes(&d, 1, all->data + seen + lost, all->len - seen - lost);
            g_autofree char *got = parser_close(&d);
            g_assert_true(g_str_has_suffix(got, rest));
            got[strlen(got) - strlen(rest)] = '\0';
            g_assert_true(!*got || g_str_has_suffix(got, " incomplete=1\n"));
            g_assert_cmpint(*got != '\0', ==, seen >= 2 + 32); /* length, header and question */
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/dns/udp", test_udp);
    g_test_add_func("/dns/others", test_others);
    g_test_add_func("/dns/truncated", test_truncated);
    g_test_add_func("/dns/damaged", test_damaged);
    g_test_add_func("/dns/long-name", test_long_name);
    g_test_add_func("/dns/many", test_many);
    g_test_add_func("/dns/tcp", test_tcp);
    g_test_add_func("/dns/midstream", test_midstream);
    g_test_add_func("/dns/gap", test_gap);
    return g_test_run();
}
