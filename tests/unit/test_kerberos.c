/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_kerberos.c - Kerberos messages and the two parsers; messages and expected values by hand. */
#include "parser_driver.h"
#include "proto/kerberos.h"

static const struct {
    const char *hex, *line;
    unsigned from;
} messages[] = {
    { V_AS_REQ, "msg_type=10 realm=CONTOSO.COM cname=WS1$ spn=krbtgt/CONTOSO.COM", 0 },
    { V_AS_REP, "msg_type=11 realm=CONTOSO.COM cname=WS1$ spn=krbtgt/CONTOSO.COM", 1 },
    { V_TGS_REQ, "msg_type=12 realm=CONTOSO.COM spn=HTTP/mp1.contoso.com", 0 },
    { V_TGS_REP, "msg_type=13 realm=CONTOSO.COM cname=WS1$ spn=HTTP/mp1.contoso.com", 1 },
    { V_KRB_ERROR, "msg_type=30 realm=CONTOSO.COM spn=HTTP/mp1.contoso.com error_code=7", 1 },
};

static char *line_of(size_t i, bool incomplete)
{
    return g_strdup_printf("kerberos %c %s%s\n", messages[i].from ? 'S' : 'C', messages[i].line,
                           incomplete ? " incomplete=1" : "");
}

/* A message with the length that TCP puts before it. */
static GByteArray *framed(size_t i)
{
    GByteArray *m = from_hex(messages[i].hex);
    uint8_t prefix[4] = { 0, 0, (uint8_t)(m->len >> 8), (uint8_t)m->len };
    g_byte_array_prepend(m, prefix, sizeof prefix);
    return m;
}

static void test_udp(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
        g_autoptr(GByteArray) m = from_hex(messages[i].hex);
        parser_drive d;
        parser_open(&d, &ccm_proto_kerberos_udp, false);
        g_assert_cmpint(d.proto->probe(ccm_span_of(m->data, m->len), true), ==, CCM_PROBE_YES);
        parser_bytes(&d, messages[i].from, m->data, m->len);
        g_assert_cmpint(d.client, ==, 0);
        g_autofree char *want = line_of(i, false), *got = parser_close(&d);
        g_assert_cmpstr(got, ==, want);
    }
}

static bool equals(const ccm_name *name, const char *text)
{
    return name->n == strlen(text) && !memcmp(name->text, text, name->n);
}

/* Every length: no read past the end, never half a name, and always told to be incomplete. */
static void test_truncated(void)
{
    static const char *const more[] = { V_AP_REQ, V_AP_REP };
    guarded page = guarded_new();
    for (size_t i = 0; i < G_N_ELEMENTS(messages) + G_N_ELEMENTS(more); i++) {
        size_t k = i - G_N_ELEMENTS(messages);
        g_autoptr(GByteArray) m = from_hex(i < G_N_ELEMENTS(messages) ? messages[i].hex : more[k]);
        /* two values' headers, of two to four bytes each, version and type */
        const size_t head = (m->len < 130 ? 2 + 2 : m->len < 259 ? 3 + 3 : 4 + 4) + 10;
        for (size_t n = 0; n <= m->len; n++) {
            ccm_kerberos r;
            ccm_span s = guarded_copy(&page, m->data, n);
            if (ccm_kerberos_read(s, &r)) {
                g_assert_cmpint(r.incomplete, ==, n < m->len);
                g_assert_true(!r.realm.n || equals(&r.realm, "CONTOSO.COM"));
                g_assert_true(!r.cname.n || equals(&r.cname, "WS1$"));
                g_assert_true(!r.sname.n || equals(&r.sname, "HTTP/mp1.contoso.com") ||
                              equals(&r.sname, "krbtgt/CONTOSO.COM"));
            } else {
                g_assert_cmpuint(n, <, 8);
            }
            size_t size = 0;
            ccm_probe shape = ccm_kerberos_shape(s, &size);
            if (i >= G_N_ELEMENTS(messages))
                g_assert_cmpint(shape, ==, n ? CCM_PROBE_NO : CCM_PROBE_MAYBE);
            else
                g_assert_cmpint(shape, ==, n < head ? CCM_PROBE_MAYBE : CCM_PROBE_YES);
            if (shape == CCM_PROBE_YES)
                g_assert_cmpuint(size, ==, m->len);
        }
    }
    guarded_free(&page);
}

/* Damage of each byte: nothing is read that is not there. */
static void test_damaged(void)
{
    guarded page = guarded_new();
    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
        g_autoptr(GByteArray) m = from_hex(messages[i].hex);
        for (size_t n = 0; n < m->len; n++) {
            static const uint8_t values[] = { 0x00, 0x30, 0x7f, 0x80, 0x84, 0xff };
            uint8_t before = m->data[n];
            for (size_t v = 0; v < sizeof values; v++) {
                ccm_kerberos r;
                m->data[n] = values[v];
                (void)ccm_kerberos_read(guarded_copy(&page, m->data, m->len), &r);
            }
            m->data[n] = before;
        }
    }
    guarded_free(&page);
}

static char *play(const size_t *order, size_t count, size_t piece)
{
    parser_drive d;
    parser_open(&d, &ccm_proto_kerberos_tcp, false);
    for (size_t i = 0; i < count; i++) {
        g_autoptr(GByteArray) m = framed(order[i]);
        for (size_t at = 0; at < m->len; at += piece)
            parser_bytes(&d, messages[order[i]].from, m->data + at, MIN(piece, m->len - at));
    }
    for (unsigned i = 0; i < 2; i++)
        parser_end(&d, i);
    return parser_close(&d);
}

static void test_tcp(void)
{
    static const size_t order[] = { 0, 4, 0, 1, 2, 3 };
    GString *want = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        g_autofree char *line = line_of(order[i], false);
        g_string_append(want, line);
    }
    for (size_t piece = 1; piece < 400; piece++) {
        g_autofree char *got = play(order, G_N_ELEMENTS(order), piece);
        g_assert_cmpstr(got, ==, want->str);
    }
    g_string_free(want, TRUE);
}

/* Three TGS-REQ in one direction; `n` bytes from `at` on are lost. */
static char *lose(size_t at, size_t n, bool fin)
{
    g_autoptr(GByteArray) all = g_byte_array_new(), m = framed(2);
    for (int i = 0; i < 3; i++)
        g_byte_array_append(all, m->data, m->len);
    parser_drive d;
    parser_open(&d, &ccm_proto_kerberos_tcp, false);
    parser_bytes(&d, 0, all->data, at);
    parser_lose(&d, 0, n);
    if (at + n < all->len)
        parser_bytes(&d, 0, all->data + at + n, all->len - at - n);
    if (fin)
        parser_end(&d, 0);
    return parser_close(&d);
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
        n++;
    return n;
}

static void test_gaps(void)
{
    g_autoptr(GByteArray) m = framed(2);
    const size_t size = m->len, head = 4 + 4 + 4 + 10; /* what tells that it is a message */
    for (size_t at = 0; at < 2 * size; at++) {
        for (size_t n = 1; n < 2 * size; n += 13) {
            g_autofree char *got = lose(at, n, n & 1);
            /* Messages of which nothing is lost, and those cut behind their head. */
            unsigned whole = 0, cut = 0;
            for (size_t i = 0; i < 3; i++) {
                size_t from = i * size, to = from + size;
                whole += to <= at || from >= at + n;
                cut += from < at && at < to && at - from >= head;
            }
            g_assert_cmpuint(count(got, "msg_type=12"), ==, whole + cut);
            g_assert_cmpuint(count(got, "incomplete"), ==, cut);
            g_assert_cmpuint(count(got, "BAD"), ==, 0);
        }
    }
}

/* A TGS-REP whose encrypted part holds bytes that look like a KRB-ERROR on TCP: when the beginning
 * of that part is lost, the length of the message still says that it is not one. */
static void test_gap_inside(void)
{
    g_autoptr(GByteArray) error = framed(4), all = g_byte_array_new();
    const uint8_t filler = 40, n = (uint8_t)(filler + error->len + filler);
    const uint8_t head[] = { 0,      0,    0,    n + 22, 0x6d,  0x81, n + 19, 0x30, 0x81,
                             n + 16, 0xa0, 3,    2,      1,     5,    0xa1,   3,    2,
                             1,      13,   0xa6, 0x81,   n + 3, 0x04, 0x81,   n };
    g_byte_array_append(all, head, sizeof head);
    g_byte_array_set_size(all, sizeof head + filler);
    g_byte_array_append(all, error->data, error->len);
    g_byte_array_set_size(all, sizeof head + n);
    g_byte_array_append(all, error->data, error->len); /* a real one */
    parser_drive d;
    parser_open(&d, &ccm_proto_kerberos_tcp, false);
    parser_bytes(&d, 1, all->data, 30);
    parser_lose(&d, 1, 20);
    parser_bytes(&d, 1, all->data + 50, all->len - 50);
    g_autofree char *line = line_of(4, false), *got = parser_close(&d);
    g_autofree char *want = g_strconcat("kerberos S msg_type=13 incomplete=1\n", line, NULL);
    g_assert_cmpstr(got, ==, want);
}

static void test_midstream(void)
{
    g_autoptr(GByteArray) m = framed(3), all = g_byte_array_new();
    /* the end of a message, with version bytes that lead nowhere, then a whole one */
    g_byte_array_append(all, (const guint8 *)"xx\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x0dyy", 14);
    const size_t before = all->len;
    g_byte_array_append(all, m->data, m->len);
    g_autofree char *want = line_of(3, false);
    for (size_t piece = 1; piece <= all->len; piece++) {
        parser_drive d;
        parser_open(&d, &ccm_proto_kerberos_tcp, true);
        for (size_t at = 0; at < all->len; at += piece)
            parser_bytes(&d, 1, all->data + at, MIN(piece, all->len - at));
        g_autofree char *got = parser_close(&d);
        g_assert_cmpstr(got, ==, want);
    }
    ccm_span s = ccm_span_of(all->data, all->len);
    g_assert_cmpint(ccm_proto_kerberos_tcp.probe(s, true), ==, CCM_PROBE_YES);
    g_assert_cmpint(ccm_proto_kerberos_tcp.probe(s, false), ==, CCM_PROBE_NO);
    s.n = before;
    g_assert_cmpint(ccm_proto_kerberos_tcp.probe(s, true), ==, CCM_PROBE_NO);
}

/* A message longer than what the caller keeps: its beginning tells, its end is skipped. */
static void test_long(void)
{
    g_autoptr(GByteArray) m = framed(3), next = framed(4);
    parser_drive d;
    parser_open(&d, &ccm_proto_kerberos_tcp, false);
    d.limits.head_bytes = 160; /* the names end before */
    for (guint at = 0; at < m->len; at += 50)
        parser_bytes(&d, 1, m->data + at, MIN(50, m->len - at));
    parser_bytes(&d, 1, next->data, next->len);
    g_autofree char *a = line_of(3, true), *b = line_of(4, false);
    g_autofree char *want = g_strconcat(a, b, NULL), *got = parser_close(&d);
    g_assert_cmpstr(got, ==, want);
}

/* What other protocols begin with, also on port 88. */
static void test_others(void)
{
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = {
#define ROW(text) { text, sizeof text - 1 }
        ROW("GET / HTTP/1.1\r\nHost: kdc\r\n\r\n"),
        ROW("POST /KdcProxy HTTP/1.1\r\n\r\n"),
        ROW("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), /* TLS */
        ROW("\x00\x00\x00\x45\xff"
            "SMBr\x00\x00\x00\x00\x18\x53\xc8"),                         /* SMB on 445 */
        ROW("\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"), /* LDAP bind */
        ROW("\x00\x00\x00\x0e\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"),
        ROW("\x6e\x82\x01\x00\x30\x81\xfd\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x0e"), /* AP-REQ */
        ROW("\x6a\x10\x30\x0e\xa1\x03\x02\x01\x04\xa2\x03\x02\x01\x0a\xa4\x02\x30\x00"), /* v4 */
#undef ROW
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ccm_span s = ccm_span_of(rows[i].bytes, rows[i].n);
        for (int midstream = 0; midstream < 2; midstream++) {
            g_assert_cmpint(ccm_proto_kerberos_tcp.probe(s, midstream), ==, CCM_PROBE_NO);
            g_assert_cmpint(ccm_proto_kerberos_udp.probe(s, midstream), ==, CCM_PROBE_NO);
        }
    }
    parser_drive d;
    parser_open(&d, &ccm_proto_kerberos_tcp, false);
    parser_bytes(&d, 0, (const uint8_t *)rows[0].bytes, rows[0].n);
    g_autofree char *got = parser_close(&d);
    g_assert_cmpstr(got, ==, "BAD\n");
}

static uint64_t ticket_hash(const char *hex, size_t cut)
{
    g_autoptr(GByteArray) m = from_hex(hex);
    g_autofree uint8_t *exact = g_memdup2(m->data, m->len - cut);
    ccm_kerberos k;
    g_assert_true(ccm_kerberos_read(ccm_span_of(exact, m->len - cut), &k));
    return k.ticket_hash;
}

/* The first eight bytes of the SHA-256 of the Ticket, [APPLICATION 1] with tag and length, without
 * the sign bit; worked out by Python's hashlib. The answer and its use hold the same ticket. */
static void test_ticket(void)
{
    g_assert_cmpuint(ticket_hash(V_TGS_REP, 0), ==, UINT64_C(4765754258094398101));
    g_assert_cmpuint(ticket_hash(V_AP_REQ, 0), ==, UINT64_C(4765754258094398101));
    g_assert_cmpuint(ticket_hash(V_AS_REP, 0), ==, UINT64_C(919427721394657125));
    g_assert_cmpuint(ticket_hash(V_TGS_REQ, 0), ==, 0);
    g_assert_cmpuint(ticket_hash(V_AP_REQ, 20), !=, 0); /* the ticket is whole */
    g_assert_cmpuint(ticket_hash(V_AP_REQ, 60), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kerberos/udp", test_udp);
    g_test_add_func("/kerberos/ticket", test_ticket);
    g_test_add_func("/kerberos/truncated", test_truncated);
    g_test_add_func("/kerberos/damaged", test_damaged);
    g_test_add_func("/kerberos/tcp", test_tcp);
    g_test_add_func("/kerberos/gaps", test_gaps);
    g_test_add_func("/kerberos/gap-inside", test_gap_inside);
    g_test_add_func("/kerberos/midstream", test_midstream);
    g_test_add_func("/kerberos/long", test_long);
    g_test_add_func("/kerberos/others", test_others);
    return g_test_run();
}
