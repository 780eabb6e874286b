/* SPDX-License-Identifier: GPL-2.0-or-later
 * test_win_auth.c - DER, NTLM, SPNEGO and the authentication headers; expected values by hand and
 * from the examples of MS-NLMP. */
#include "auth_vectors.h"
#include "proto/der.h"
#include "proto/spnego.h"
#include "proto/win_auth.h"

/* ---- DER ------------------------------------------------------------------------------------- */

static void test_der_lengths(void)
{
    static const struct {
        uint8_t bytes[8];
        size_t n, size;
        bool good, cut;
    } rows[] = {
        { { 0x04, 0x00 }, 2, 0, true, false },
        { { 0x04, 0x02, 1, 2 }, 4, 2, true, false },
        { { 0x04, 0x02, 1 }, 3, 2, true, true },
        { { 0x04, 0x81, 0x02, 1, 2 }, 5, 2, true, false }, /* BER: longer than needed */
        { { 0x04, 0x84, 0, 0, 0, 1, 9 }, 7, 1, true, false },
        { { 0x04, 0x84, 0xff, 0xff, 0xff, 0xff, 9 }, 7, 0xffffffff, true, true },
        { { 0x04, 0x85, 0, 0, 0, 0, 1, 9 }, 8, 0, false, false },
        { { 0x30, 0x80, 0, 0 }, 4, 0, false, false }, /* indefinite */
        { { 0x1f, 0x01, 0x00 }, 3, 0, false, false }, /* high tag number */
        { { 0x04, 0x82, 0x01 }, 3, 0, false, false }, /* length cut short */
        { { 0x04 }, 1, 0, false, false },
        { { 0 }, 0, 0, false, false },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ccm_cursor c = ccm_cur(ccm_span_of(rows[i].bytes, rows[i].n));
        ccm_der d;
        g_assert_cmpint(ccm_der_next(&c, &d), ==, rows[i].good);
        g_assert_cmpint(c.bad, ==, !rows[i].good && rows[i].n);
        if (!rows[i].good)
            continue;
        g_assert_cmpuint(d.size, ==, rows[i].size);
        g_assert_cmpint(d.cut, ==, rows[i].cut);
        g_assert_cmpuint(d.whole.n, ==, rows[i].n);
        g_assert_false(ccm_der_next(&c, &d));
        g_assert_false(c.bad);
    }
}

static void test_der_values(void)
{
    static const struct {
        uint8_t bytes[9];
        size_t n;
        bool good;
        int64_t want;
    } ints[] = {
        { { 0 }, 1, true, 0 },
        { { 0x7f }, 1, true, 127 },
        { { 0x80 }, 1, true, -128 },
        { { 0x00, 0x80 }, 2, true, 128 },
        { { 0x80, 0, 0, 0, 0, 0, 0, 0 }, 8, true, INT64_MIN },
        { { 0, 0x80, 0, 0, 0, 0, 0, 0, 0 }, 9, false, 0 },
        { { 0 }, 0, false, 0 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(ints); i++) {
        int64_t v = 0;
        g_assert_cmpint(ccm_der_int(ccm_span_of(ints[i].bytes, ints[i].n), &v), ==, ints[i].good);
        g_assert_true(!ints[i].good || v == ints[i].want);
    }
    /* X.690 8.19.5: 2.100.3 is 81 34 03; the others as openssl prints them */
    static const struct {
        const char *hex, *dotted;
        bool same;
    } oids[] = {
        { "813403", "2.100.3", true },
        { "813403", "2.100.4", false },
        { "813403", "2.100", false },
        { "813403", "2.100.3.1", false },
        { "2b0601050502", "1.3.6.1.5.5.2", true },
        { "2a864886f712010202", "1.2.840.113554.1.2.2", true },
        { "2a864882f712010202", "1.2.840.48018.1.2.2", true },
        { "2b06010401823702020a", "1.3.6.1.4.1.311.2.2.10", true },
        { "2b060104018237020282", "1.3.6.1.4.1.311.2.2.2", false }, /* unfinished */
        { "", "1.2", false },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(oids); i++) {
        g_autoptr(GByteArray) b = from_hex(oids[i].hex);
        g_assert_cmpint(ccm_der_oid_is(ccm_span_of(b->data, b->len), oids[i].dotted), ==,
                        oids[i].same);
    }
    g_autoptr(GByteArray) token = from_hex(V_SPNEGO_CHOICE);
    static const uint8_t path[] = { 0xa1, 0x30, 0xa1, 0x06 };
    ccm_span s = ccm_span_of(token->data, token->len);
    ccm_der d;
    g_assert_true(ccm_der_find(s, path, sizeof path, &d));
    g_assert_true(ccm_der_oid_is(d.value, "1.3.6.1.4.1.311.2.2.10"));
    static const uint8_t none[] = { 0xa1, 0x30, 0xa3 };
    g_assert_false(ccm_der_find(s, none, sizeof none, &d));
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static void put(GString *s, const char *key, const ccm_name *name)
{
    if (!name->n)
        return;
    g_string_append_printf(s, " %s=", key);
    ccm_text_append(s, ccm_name_span(name));
}

static char *show(const ccm_gss *g)
{
    GString *s = g_string_new(ccm_mech_name((ccm_mech)g->mech));
    if (g->spnego)
        g_string_append_printf(s, " %s:%u", g->response ? "resp" : "init", g->state);
    for (unsigned i = 0; i < g->n_mechs; i++)
        g_string_append_printf(s, " +%s", ccm_mech_name((ccm_mech)g->mechs[i]));
    if (g->ntlm.type)
        g_string_append_printf(s, " type%u", g->ntlm.type);
    put(s, "domain", &g->ntlm.domain);
    put(s, "user", &g->ntlm.user);
    put(s, "workstation", &g->ntlm.workstation);
    put(s, "nb_domain", &g->ntlm.nb_domain);
    put(s, "nb_computer", &g->ntlm.nb_computer);
    put(s, "dns_domain", &g->ntlm.dns_domain);
    put(s, "dns_computer", &g->ntlm.dns_computer);
    if (g->ntlm.anonymous)
        g_string_append(s, " anonymous");
    if (g->kerberos.type)
        g_string_append_printf(s, " krb%u", g->kerberos.type);
    put(s, "realm", &g->kerberos.realm);
    put(s, "sname", &g->kerberos.sname);
    if (g->kerberos.has_error)
        g_string_append_printf(s, " error=%d", g->kerberos.error);
    if (g->incomplete)
        g_string_append(s, " incomplete");
    return g_string_free(s, FALSE);
}

static const char *const tokens[][2] = {
    { V_NTLM1, "ntlm type1" },
    { V_NTLM1_OEM, "ntlm type1 domain=CONTOSO workstation=WS1" },
    { V_NTLM2, "ntlm type2 domain=Server nb_domain=Domain nb_computer=Server" },
    { V_NTLM3, "ntlm type3 domain=Domain user=User workstation=COMPUTER" },
    { V_NTLM3_ANONYMOUS, "ntlm type3 workstation=WS1 anonymous" },
    { V_NTLM3_MACHINE, "ntlm type3 domain=CONTOSO user=WS1$ workstation=WS1" },
    { V_NTLM3_OEM, "ntlm type3 domain=CONTOSO user=naa workstation=WS1" },
    { V_NTLM3_WIDE, "ntlm type3 domain=CONTOSO user=J\303\274rgen\342\202\254\360\237\230\200 "
                    "workstation=WS1" },
    { V_AP_REQ, "kerberos krb14 realm=CONTOSO.COM sname=HTTP/mp1.contoso.com" },
    { V_GSS_AP_REQ, "kerberos krb14 realm=CONTOSO.COM sname=HTTP/mp1.contoso.com" },
    { V_SPNEGO_KERBEROS, "kerberos init:0 +ms-kerberos +kerberos +negoex +ntlm krb14 "
                         "realm=CONTOSO.COM sname=HTTP/mp1.contoso.com" },
    { V_SPNEGO_AP_REP, "kerberos resp:1 +ms-kerberos krb15" },
    { V_SPNEGO_KRB_ERROR, "kerberos resp:2 +ms-kerberos krb30 realm=CONTOSO.COM "
                          "sname=HTTP/mp1.contoso.com error=37" },
    { V_SPNEGO_CHOICE, " resp:4 +ntlm" },
    { V_SPNEGO_HINTS, " init:0 +negoex +ntlm" },
    { V_SPNEGO_NTLM1, "ntlm init:0 +ntlm type1" },
    { V_SPNEGO_NTLM2, "ntlm resp:2 +ntlm type2 domain=Server nb_domain=Domain nb_computer=Server" },
    { V_SPNEGO_NTLM3, "ntlm resp:2 type3 domain=CONTOSO user=WS1$ workstation=WS1" },
};

static void test_tokens(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tokens); i++) {
        g_autoptr(GByteArray) b = from_hex(tokens[i][0]);
        ccm_gss g;
        g_assert_true(ccm_gss_read(ccm_span_of(b->data, b->len), &g));
        g_autofree char *got = show(&g);
        g_assert_cmpstr(got, ==, tokens[i][1]);
    }
    ccm_gss g;
    g_assert_true(ccm_gss_read(ccm_span_str("NEGOEXTS\1\2\3\4"), &g));
    g_assert_cmpint(g.mech, ==, CCM_MECH_NEGOEX);
    g_assert_false(ccm_gss_read(ccm_span_str("something else"), &g));
    g_assert_false(ccm_gss_read((ccm_span){ 0 }, &g));
}

/* Every length. What a cut token says of a name is the name or nothing. */
static void test_truncated(void)
{
    guarded page = guarded_new();
    for (size_t i = 0; i < G_N_ELEMENTS(tokens); i++) {
        g_autoptr(GByteArray) b = from_hex(tokens[i][0]);
        for (size_t n = 0; n < b->len; n++) {
            ccm_gss g;
            if (!ccm_gss_read(guarded_copy(&page, b->data, n), &g))
                continue;
            bool silent = g.incomplete || !strcmp(tokens[i][0], V_NTLM1) ||
                          !strcmp(tokens[i][0], V_NTLM3) || g.ntlm.type == 2;
            g_assert_true(silent);
            g_autofree char *got = show(&g);
            g_auto(GStrv) words = g_strsplit(got, " ", 0);
            for (char **w = words; *w; w++) {
                g_autofree char *all = g_strconcat(" ", tokens[i][1], " incomplete ", NULL);
                g_autofree char *one = g_strconcat(" ", *w, " ", NULL);
                g_assert_true(strstr(all, one) || strstr(*w, "init:") || strstr(*w, "resp:") ||
                              !**w);
            }
        }
    }
    guarded_free(&page);
}

/* Length and offset of a field of a type 3, at `at`. */
static char *moved(size_t at, uint16_t n, uint32_t offset)
{
    g_autoptr(GByteArray) b = from_hex(V_NTLM3_MACHINE);
    uint8_t f[8] = { (uint8_t)n,
                     (uint8_t)(n >> 8),
                     0,
                     0,
                     (uint8_t)offset,
                     (uint8_t)(offset >> 8),
                     (uint8_t)(offset >> 16),
                     (uint8_t)(offset >> 24) };
    memcpy(b->data + at, f, sizeof f);
    ccm_ntlm m;
    guarded page = guarded_new();
    g_assert_true(ccm_ntlm_read(guarded_copy(&page, b->data, b->len), &m));
    guarded_free(&page);
    ccm_gss g = { .mech = CCM_MECH_NTLM, .ntlm = m, .incomplete = m.incomplete };
    return show(&g);
}

/* Payload: domain 72..85, user 86..93, workstation 94..99, LM 100..123, NT 124..147. */
static void test_ntlm_offsets(void)
{
    enum { LM = 12, NT = 20, DOMAIN = 28, USER = 36 };
    static const struct {
        size_t at;
        uint16_t n;
        uint32_t offset;
        const char *want;
    } rows[] = {
        { USER, 8, 86, "ntlm type3 domain=CONTOSO user=WS1$ workstation=WS1" },
        { USER, 8, 0xffffffff, "ntlm type3 domain=CONTOSO workstation=WS1 incomplete" },
        { USER, 8, 145, "ntlm type3 domain=CONTOSO workstation=WS1 incomplete" },
        { USER, 0xffff, 86, "ntlm type3 incomplete domain=" },
        { USER, 8, 124, "ntlm type3 domain=CONTOSO workstation=WS1 incomplete" }, /* NT */
        { USER, 8, 95, "ntlm type3 domain=CONTOSO workstation=WS1 incomplete" },  /* and LM */
        { USER, 8, 30, "ntlm type3 domain=CONTOSO workstation=WS1 incomplete" },  /* header */
        { DOMAIN, 14, 74, "ntlm type3 domain=ONTOSOW user=WS1$ workstation=WS1 incomplete" },
        { USER, 7, 86, "ntlm type3 domain=CONTOSO user=WS1 workstation=WS1 incomplete" }, /* odd */
        { NT, 24, 72, "ntlm type3 incomplete" }, /* over all the names */
        { LM, 24, 4000, "ntlm type3 domain=CONTOSO user=WS1$ workstation=WS1 incomplete" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *got = moved(rows[i].at, rows[i].n, rows[i].offset);
        if (rows[i].n == 0xffff) {
            g_assert_nonnull(strstr(got, "domain=CONTOSO"));
            g_assert_null(strstr(got, "user="));
            g_assert_nonnull(strstr(got, "incomplete"));
        } else if (rows[i].at == NT) {
            g_assert_null(strstr(got, "domain="));
            g_assert_null(strstr(got, "user="));
            g_assert_nonnull(strstr(got, "incomplete"));
        } else {
            g_assert_cmpstr(got, ==, rows[i].want);
        }
    }
}

/* A challenge whose target name points at the challenge tells nothing of it. */
static void test_ntlm_challenge(void)
{
    g_autoptr(GByteArray) b = from_hex(V_NTLM2);
    b->data[16] = 24;
    ccm_ntlm m;
    g_assert_true(ccm_ntlm_read(ccm_span_of(b->data, b->len), &m));
    g_assert_cmpuint(m.domain.n, ==, 0);
    g_assert_true(m.incomplete);
    b->data[16] = 0x38;
    b->data[20] = 0x02; /* OEM, but target information is Unicode all the same */
    g_assert_true(ccm_ntlm_read(ccm_span_of(b->data, b->len), &m));
    g_assert_cmpmem(m.domain.text, m.domain.n, "S\0e\0r\0v\0e\0r\0", 12);
    g_assert_cmpmem(m.nb_computer.text, m.nb_computer.n, "Server", 6);
    g_assert_true(ccm_ntlm_read(ccm_span_of(b->data, 32), &m)); /* without target information */
    g_assert_cmpuint(m.type, ==, 2);
}

static void test_names(void)
{
    static const uint8_t surrogates[] = { 0x00, 0xd8, 'a', 0, 0x00, 0xdc, 'b' };
    ccm_name name = { 0 };
    ccm_name_utf16(&name, ccm_span_of(surrogates, sizeof surrogates));
    g_assert_cmpmem(name.text, name.n,
                    "\xef\xbf\xbd"
                    "a"
                    "\xef\xbf\xbd",
                    7);
    /* the limit is never in the middle of a character */
    uint8_t units[2 * CCM_NAME_MAX], bytes[2 * CCM_NAME_MAX];
    for (size_t i = 0; i < CCM_NAME_MAX; i++) {
        memcpy(units + 2 * i, "\xac\x20", 2); /* U+20AC, three bytes */
        memcpy(bytes + 2 * i, "\xc3\xbc", 2); /* U+00FC */
    }
    name = (ccm_name){ 0 };
    ccm_name_utf16(&name, ccm_span_of(units, sizeof units));
    g_assert_cmpuint(name.n, ==, CCM_NAME_MAX / 3 * 3);
    g_assert_true(name.cut);
    name = (ccm_name){ 0 };
    ccm_name_add(&name, ccm_span_str("x"));
    ccm_name_add(&name, ccm_span_of(bytes, sizeof bytes));
    g_assert_cmpuint(name.n, ==, CCM_NAME_MAX - 1);
    g_assert_true(name.cut);
    ccm_name_add(&name, ccm_span_str("y"));
    g_assert_cmpuint(name.n, ==, CCM_NAME_MAX - 1);
}

/* ---- headers --------------------------------------------------------------------------------- */

static void emit(void *user_data, const ccm_obs *o)
{
    GString *out = user_data;
    g_assert_cmpint(o->kind, ==, CCM_OBS_http_auth);
    g_assert_cmpuint(o->time_ns, ==, 7);
    g_assert_cmpuint(o->frame, ==, 8);
    g_assert_cmpuint(o->src.port, ==, 1001);
    for (int i = 0; i < o->n; i++) {
        ccm_key key = ccm_obs_key(o, (unsigned)i);
        g_assert_true(ccm_kind_has(o->kind, key));
        if (key == CCM_KEY_exchange || key == CCM_KEY_header || key == CCM_KEY_ticket_hash)
            continue;
        g_string_append_printf(out, "%s=", ccm_key_name(key));
        if (ccm_key_type(key) == CCM_TYPE_STR)
            ccm_text_append(out, o->val[i].s);
        else
            g_string_append_printf(out, "%" G_GUINT64_FORMAT, o->val[i].u);
        g_string_append_c(out, ' ');
    }
    g_string_append_c(out, '\n');
}

static char *header(const char *name, ccm_span value)
{
    GString *out = g_string_new(NULL);
    ccm_parse ps = { .emit = emit, .emit_data = out };
    ps.end[1].port = 1001;
    ccm_win_auth_emit(&ps, 1, 3, 7, 8, name, value);
    return g_string_free(out, FALSE);
}

static void expect(const char *name, const char *value, const char *want)
{
    g_autofree char *got = header(name, ccm_span_str(value));
    g_assert_cmpstr(got, ==, want);
}

static char *with_token(const char *before, const char *hex, const char *after)
{
    g_autoptr(GByteArray) b = from_hex(hex);
    g_autofree char *text = g_base64_encode(b->data, b->len);
    return g_strconcat(before, text, after, NULL);
}

static void test_credentials(void)
{
    static const struct {
        const char *scheme, *hex, *want;
    } rows[] = {
        { "Negotiate ", V_SPNEGO_KERBEROS,
          "auth_scheme=Negotiate mechanism=kerberos mechanisms=ms-kerberos, kerberos, negoex, ntlm "
          "realm=CONTOSO.COM spn=HTTP/mp1.contoso.com \n" },
        { "negotiate  ", V_NTLM1, "auth_scheme=Negotiate mechanism=ntlm ntlm_type=1 \n" },
        { "NTLM ", V_NTLM3_MACHINE,
          "auth_scheme=NTLM mechanism=ntlm ntlm_type=3 account=WS1$ domain=CONTOSO "
          "workstation=WS1 \n" },
        { "NTLM ", V_NTLM3_ANONYMOUS,
          "auth_scheme=NTLM mechanism=ntlm ntlm_type=3 workstation=WS1 anonymous=1 \n" },
        { "Kerberos ", V_AP_REQ,
          "auth_scheme=Kerberos mechanism=kerberos realm=CONTOSO.COM spn=HTTP/mp1.contoso.com \n" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *value = with_token(rows[i].scheme, rows[i].hex, " ");
        expect("authorization", value, rows[i].want);
        expect("proxy-authorization", value, rows[i].want);
    }
    /* dXNlcjpzZWNyZXQ= is user:secret, c2VjcmV0 is secret (RFC 4648 alphabet) */
    expect("authorization",
           "Basic dXNlcjpzZWNyZXQ=", "auth_scheme=Basic mechanism=basic account=user \n");
    expect("authorization", "Basic c2VjcmV0", "auth_scheme=Basic mechanism=basic incomplete=1 \n");
    expect("authorization",
           "Digest username=\"CONTOSO\\\\bob\", realm=\"a, \\\"b\\\"\", nonce=\"n\", uri=\"/x\", "
           "response=\"6629fae49393a05397450978507c4ef1\", cnonce=\"username=\"",
           "auth_scheme=Digest mechanism=digest account=CONTOSO\\bob realm=a, \"b\" \n");
    expect("authorization", "Digest username=\"CONTOSO\\bob\",realm=r",
           "auth_scheme=Digest mechanism=digest account=CONTOSO\\bob realm=r \n");
    expect("authorization", "Digest realm=\"x\", username=\"half",
           "auth_scheme=Digest mechanism=digest realm=x incomplete=1 \n");
    expect("authorization", "Bearer eyJhbGciOiJub25lIn0.e30.",
           "auth_scheme=Bearer "
           "mechanism=bearer \n");
    expect("authorization", "eyJhbGciOiJub25lIn0.e30.c2VjcmV0",
           "auth_scheme=other mechanism=other \n");
    expect("authorization", "c2VjcmV0 c2VjcmV0", "auth_scheme=other mechanism=other \n");
    expect("authorization", "Negotiate c2VjcmV0",
           "auth_scheme=Negotiate mechanism=negotiate incomplete=1 \n");
    expect("authorization", "Negotiate", "");
    expect("authorization", "", "");
    expect("cookie", "Basic dXNlcjpzZWNyZXQ=", "");
}

static void test_challenges(void)
{
    expect("www-authenticate", "Negotiate, NTLM", "");
    expect("www-authenticate", "Negotiate/NTLM abcd, NTLM = x", "");
    expect("www-authenticate", "Basic realm=\"NTLM TlRMTVNTUAABAAAA, Negotiate abcd\"", "");
    expect("www-authenticate", "Digest realm=\"x\", nonce=\"\\\", NTLM abcd\", qop=auth", "");
    static const char want[] = "auth_scheme=NTLM mechanism=ntlm ntlm_type=2 domain=Domain "
                               "workstation=Server \n";
    g_autofree char *one = with_token("NTLM ", V_NTLM2, "");
    expect("www-authenticate", one, want);
    expect("proxy-authenticate", one, want);
    g_autofree char *between = with_token("Negotiate, Basic realm=\"a, b\",\tNTLM ", V_NTLM2,
                                          " , Digest realm=\"c\", nonce=\"d\"");
    expect("www-authenticate", between, want);
    g_autofree char *error = with_token("Negotiate ", V_SPNEGO_KRB_ERROR, "");
    expect("www-authenticate", error,
           "auth_scheme=Negotiate mechanism=kerberos mechanisms=ms-kerberos realm=CONTOSO.COM "
           "spn=HTTP/mp1.contoso.com error_code=37 \n");
    g_autofree char *choice = with_token("Negotiate ", V_SPNEGO_CHOICE, "");
    expect("www-authenticate", choice,
           "auth_scheme=Negotiate mechanism=negotiate mechanisms=ntlm \n");
}

/* The response bytes of the vectors are EE; no observation may hold them. */
static void test_no_secret(void)
{
    guarded page = guarded_new();
    for (size_t i = 0; i < G_N_ELEMENTS(tokens); i++) {
        g_autofree char *value = with_token("Negotiate ", tokens[i][0], "");
        for (size_t n = 0; n <= strlen(value); n++) {
            g_autofree char *got = header("authorization", guarded_copy(&page, value, n));
            g_assert_null(strstr(got, "\\xee"));
            g_assert_null(strstr(got, "Negotiate Y"));
            g_free(header("www-authenticate", guarded_copy(&page, value, n)));
        }
    }
    guarded_free(&page);
}

/* A token of 60,000 bytes whose names come first, and one whose names come last. */
static void test_long(void)
{
    g_autoptr(GByteArray) b = from_hex(V_NTLM3_MACHINE);
    guint at = b->len;
    g_byte_array_set_size(b, 60000);
    memset(b->data + at, 0, b->len - at);
    g_autofree char *text = g_base64_encode(b->data, b->len);
    g_autofree char *value = g_strconcat("NTLM ", text, NULL);
    expect("authorization", value,
           "auth_scheme=NTLM mechanism=ntlm ntlm_type=3 account=WS1$ domain=CONTOSO "
           "workstation=WS1 incomplete=1 \n");
    static const uint8_t far[] = { 8, 0, 8, 0, 0x00, 0xe0, 0, 0 }; /* user at 57344 */
    memcpy(b->data + 36, far, sizeof far);
    g_autofree char *text2 = g_base64_encode(b->data, b->len);
    g_autofree char *value2 = g_strconcat("NTLM ", text2, NULL);
    expect("authorization", value2,
           "auth_scheme=NTLM mechanism=ntlm ntlm_type=3 domain=CONTOSO workstation=WS1 "
           "incomplete=1 \n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/der/lengths", test_der_lengths);
    g_test_add_func("/der/values", test_der_values);
    g_test_add_func("/gss/tokens", test_tokens);
    g_test_add_func("/gss/truncated", test_truncated);
    g_test_add_func("/ntlm/offsets", test_ntlm_offsets);
    g_test_add_func("/ntlm/challenge", test_ntlm_challenge);
    g_test_add_func("/ntlm/names", test_names);
    g_test_add_func("/win-auth/credentials", test_credentials);
    g_test_add_func("/win-auth/challenges", test_challenges);
    g_test_add_func("/win-auth/no-secret", test_no_secret);
    g_test_add_func("/win-auth/long", test_long);
    return g_test_run();
}
