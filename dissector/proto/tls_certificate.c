/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls_certificate.c - fields of an X.509 certificate, for whoever asks who somebody claims to be.
 * In: DER, maybe cut short. Out: names, validity, usages, key size. State: none. Signatures are not
 * looked at: what a certificate says is a claim. Spec: RFC 5280 section 4; RFC 4514 (names as
 * text); RFC 3279, RFC 5480, RFC 8410 (keys). */
#include "proto/tls_certificate.h"

#include <glib.h>
#include <stdio.h>

#include "proto/der.h"

enum {
    RDNS = 32,
    PAIRS = 8,
    TAG_T61 = 0x14,
    TAG_NUMERIC = 0x12,
    TAG_DNS_NAME = 0x82,
    TAG_VERSION = CCM_DER_CONTEXT,
    TAG_EXTENSIONS = CCM_DER_CONTEXT + 3,
};

/* ---- names ----------------------------------------------------------------------------------- */

typedef struct attribute {
    const char *oid, *name;
} attribute;

static const attribute attributes[] = {
    { "2.5.4.3", "CN" },
    { "2.5.4.10", "O" },
    { "2.5.4.11", "OU" },
    { "2.5.4.6", "C" },
    { "2.5.4.8", "ST" },
    { "2.5.4.7", "L" },
    { "2.5.4.9", "STREET" },
    { "0.9.2342.19200300.100.1.25", "DC" },
    { "0.9.2342.19200300.100.1.1", "UID" },
    { "1.2.840.113549.1.9.1", "emailAddress" },
    { "2.5.4.5", "serialNumber" },
};

static void add_text(ccm_name *to, const char *text)
{
    ccm_name_add(to, ccm_span_str(text));
}

/* A BMPString is UTF-16 with the higher byte first. */
static void add_bmp(ccm_name *to, ccm_span units)
{
    uint8_t swapped[CCM_NAME_MAX * 2];
    size_t n = MIN(units.n & ~(size_t)1, sizeof swapped);

    for (size_t i = 0; i < n; i++)
        swapped[i] = units.p[i ^ 1];
    ccm_name_utf16(to, ccm_span_of(swapped, n));
}

static void add_string(ccm_name *to, const ccm_der *v)
{
    if (v->tag == CCM_DER_BMP)
        add_bmp(to, v->value);
    else if (v->tag == CCM_DER_UTF8 || v->tag == CCM_DER_PRINTABLE || v->tag == CCM_DER_IA5 ||
             v->tag == TAG_T61 || v->tag == TAG_NUMERIC)
        ccm_name_add(to, v->value);
    else
        add_text(to, "?");
}

/* Characters that part a name from the next are written behind a backslash. */
static void add_escaped(ccm_name *to, ccm_span s)
{
    for (size_t i = 0, from = 0; i <= s.n; i++) {
        if (i < s.n && !strchr(",+\"\\<>;", s.p[i] ? s.p[i] : 'x'))
            continue;
        ccm_name_add(to, ccm_span_of(s.p + from, i - from));
        if (i < s.n)
            add_text(to, "\\");
        from = i;
    }
}

/* One AttributeTypeAndValue. */
static bool add_attribute(ccm_name *to, ccm_name *common, ccm_span pair)
{
    ccm_cursor c = ccm_cur(pair);
    ccm_der oid, value;
    char dotted[CCM_DER_OID_TEXT];
    ccm_name text = { 0 };

    if (!ccm_der_take(&c, CCM_DER_OID, &oid) || !ccm_der_next(&c, &value) || value.cut)
        return false;
    ccm_der_oid_text(oid.value, dotted, sizeof dotted);
    const char *name = dotted;
    for (size_t i = 0; i < G_N_ELEMENTS(attributes); i++)
        if (!strcmp(dotted, attributes[i].oid))
            name = attributes[i].name;
    add_string(&text, &value);
    add_text(to, name);
    add_text(to, "=");
    add_escaped(to, ccm_name_span(&text));
    if (common && name == attributes[0].name)
        *common = text;
    return true;
}

bool ccm_certificate_name(ccm_span whole, ccm_name *out, ccm_name *common)
{
    ccm_cursor c = ccm_cur(whole);
    ccm_der seq, set[RDNS], pair[PAIRS];
    unsigned n = 0;

    if (!ccm_der_take(&c, CCM_DER_SEQUENCE, &seq) || seq.cut)
        return false;
    c = ccm_cur(seq.value);
    while (n < RDNS && ccm_der_take(&c, CCM_DER_SET, &set[n]) && !set[n].cut)
        n++;
    if (ccm_cur_left(&c))
        return false;
    for (unsigned i = n; i-- > 0;) {
        ccm_cursor in = ccm_cur(set[i].value);
        unsigned k = 0;
        while (k < PAIRS && ccm_der_take(&in, CCM_DER_SEQUENCE, &pair[k]))
            k++;
        if (ccm_cur_left(&in))
            return false;
        for (bool first = true; k-- > 0; first = false) {
            if (out->n)
                add_text(out, first ? "," : "+");
            if (!add_attribute(out, common, pair[k].value))
                return false;
        }
    }
    return true;
}

/* ---- times ----------------------------------------------------------------------------------- */

static bool digits(ccm_cursor *c, unsigned n, int64_t *out)
{
    ccm_span s = ccm_cur_take(c, n);
    *out = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (!g_ascii_isdigit((char)s.p[i]))
            return false;
        *out = *out * 10 + (s.p[i] - '0');
    }
    return s.n == n;
}

/* Days since 1970-01-01 in the Gregorian calendar; years count from March. */
static int64_t days(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719468;
}

/* YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ. False also outside the years that nanoseconds can tell. */
static bool time_of(const ccm_der *t, uint64_t *ns)
{
    ccm_cursor c = ccm_cur(t->value);
    int64_t year, v[5];
    static const uint8_t most[5] = { 12, 31, 23, 59, 60 };

    if (t->cut || (t->tag != CCM_DER_UTCTIME && t->tag != CCM_DER_TIME) ||
        !digits(&c, t->tag == CCM_DER_TIME ? 4 : 2, &year))
        return false;
    if (t->tag == CCM_DER_UTCTIME)
        year += year < 50 ? 2000 : 1900;
    for (unsigned i = 0; i < 5; i++)
        if (!digits(&c, 2, &v[i]) || v[i] > most[i] || (i < 2 && !v[i]))
            return false;
    if (ccm_cur_u8(&c) != 'Z' || ccm_cur_left(&c) || year < 1970 || year > 2553)
        return false;
    int64_t s = ((days(year, v[0], v[1]) * 24 + v[2]) * 60 + v[3]) * 60 + v[4];
    *ns = (uint64_t)s * 1000000000u;
    return true;
}

static bool validity(ccm_certificate *x, const ccm_der *v)
{
    ccm_cursor c = ccm_cur(v->value);
    ccm_der t;

    if (!ccm_der_next(&c, &t))
        return false;
    x->has_not_before = time_of(&t, &x->not_before_ns);
    if (!ccm_der_next(&c, &t))
        return false;
    x->has_expires = time_of(&t, &x->expires_ns);
    return !t.cut;
}

/* ---- keys ------------------------------------------------------------------------------------ */

static unsigned bits_of(ccm_span integer)
{
    size_t i = 0;
    unsigned top = 0;

    while (i < integer.n && !integer.p[i])
        i++;
    if (i == integer.n)
        return 0;
    for (uint8_t v = integer.p[i]; v; v >>= 1)
        top++;
    return (unsigned)(integer.n - i - 1) * 8 + top;
}

static unsigned rsa_bits(ccm_span key)
{
    static const uint8_t path[] = { CCM_DER_SEQUENCE, CCM_DER_INTEGER };
    ccm_der modulus;

    if (!key.n || !ccm_der_find(ccm_span_of(key.p + 1, key.n - 1), path, 2, &modulus) ||
        modulus.cut)
        return 0;
    return bits_of(modulus.value);
}

static unsigned curve_bits(ccm_span oid)
{
    return ccm_der_oid_is(oid, "1.2.840.10045.3.1.7") ? 256
           : ccm_der_oid_is(oid, "1.3.132.0.34")      ? 384
           : ccm_der_oid_is(oid, "1.3.132.0.35")      ? 521
                                                      : 0;
}

static bool public_key(ccm_certificate *x, const ccm_der *v)
{
    ccm_cursor c = ccm_cur(v->value), in;
    ccm_der algorithm, key, oid, curve;

    if (!ccm_der_take(&c, CCM_DER_SEQUENCE, &algorithm) || !ccm_der_take(&c, CCM_DER_BITS, &key))
        return false;
    in = ccm_cur(algorithm.value);
    if (!ccm_der_take(&in, CCM_DER_OID, &oid))
        return false;
    x->key_type = "other";
    if (ccm_der_oid_is(oid.value, "1.2.840.113549.1.1.1")) {
        x->key_type = "rsa";
        x->key_bits = rsa_bits(key.value);
    } else if (ccm_der_oid_is(oid.value, "1.2.840.10045.2.1")) {
        x->key_type = "ec";
        if (ccm_der_take(&in, CCM_DER_OID, &curve))
            x->key_bits = curve_bits(curve.value);
    } else if (ccm_der_oid_is(oid.value, "1.3.101.112")) {
        x->key_type = "ed25519";
        x->key_bits = 256;
    } else if (ccm_der_oid_is(oid.value, "1.3.101.113")) {
        x->key_type = "ed448";
        x->key_bits = 456;
    } else if (ccm_der_oid_is(oid.value, "1.2.840.10040.4.1")) {
        x->key_type = "dsa";
    }
    return !key.cut;
}

/* ---- extensions ------------------------------------------------------------------------------ */

static void alternative_names(ccm_certificate *x, ccm_span value)
{
    ccm_cursor c = ccm_cur(value);
    ccm_der seq, name;

    if (!ccm_der_take(&c, CCM_DER_SEQUENCE, &seq))
        return;
    c = ccm_cur(seq.value);
    while (ccm_der_next(&c, &name)) {
        if (name.tag != TAG_DNS_NAME || name.cut || !name.value.n)
            continue;
        size_t comma = x->n_san > 0;
        if (x->n_san + comma + name.value.n > sizeof x->san) {
            x->incomplete = true;
            return;
        }
        if (comma)
            x->san[x->n_san++] = ',';
        memcpy(x->san + x->n_san, name.value.p, name.value.n);
        x->n_san += name.value.n;
    }
}

static void extended_usage(ccm_certificate *x, ccm_span value)
{
    ccm_cursor c = ccm_cur(value);
    ccm_der seq, oid;
    char dotted[CCM_DER_OID_TEXT];

    if (!ccm_der_take(&c, CCM_DER_SEQUENCE, &seq))
        return;
    c = ccm_cur(seq.value);
    while (ccm_der_take(&c, CCM_DER_OID, &oid) && !oid.cut) {
        size_t n = strlen(x->usage);
        ccm_der_oid_text(oid.value, dotted, sizeof dotted);
        if (n + strlen(dotted) + 2 > sizeof x->usage) {
            x->incomplete = true;
            return;
        }
        g_snprintf(x->usage + n, sizeof x->usage - n, "%s%s", n ? "," : "", dotted);
    }
}

static void basic_constraints(ccm_certificate *x, ccm_span value)
{
    static const uint8_t path[] = { CCM_DER_SEQUENCE, CCM_DER_BOOLEAN };
    ccm_der flag;

    if (ccm_der_find(value, path, 2, &flag) && flag.value.n == 1)
        x->authority = flag.value.p[0] != 0;
}

static bool extensions(ccm_certificate *x, const ccm_der *v)
{
    ccm_cursor c = ccm_cur(v->value);
    ccm_der seq, ext, oid, value;

    if (!ccm_der_take(&c, CCM_DER_SEQUENCE, &seq))
        return false;
    c = ccm_cur(seq.value);
    while (ccm_der_take(&c, CCM_DER_SEQUENCE, &ext)) {
        ccm_cursor in = ccm_cur(ext.value);
        ccm_der critical;
        if (!ccm_der_take(&in, CCM_DER_OID, &oid))
            return false;
        (void)ccm_der_take(&in, CCM_DER_BOOLEAN, &critical);
        if (!ccm_der_take(&in, CCM_DER_OCTETS, &value) || value.cut)
            return false;
        if (ccm_der_oid_is(oid.value, "2.5.29.17"))
            alternative_names(x, value.value);
        else if (ccm_der_oid_is(oid.value, "2.5.29.37"))
            extended_usage(x, value.value);
        else if (ccm_der_oid_is(oid.value, "2.5.29.19"))
            basic_constraints(x, value.value);
    }
    return !seq.cut && !ccm_cur_left(&c);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool serial(ccm_certificate *x, const ccm_der *v)
{
    size_t skip = v->value.n > 1 && !v->value.p[0];

    for (size_t i = skip; i < v->value.n && (i - skip) * 2 + 3 < sizeof x->serial; i++)
        g_snprintf(x->serial + (i - skip) * 2, 3, "%02x", v->value.p[i]);
    return v->tag == CCM_DER_INTEGER && !v->cut;
}

static bool signature_algorithm(ccm_certificate *x, const ccm_der *v)
{
    ccm_cursor c = ccm_cur(v->value);
    ccm_der oid;

    if (!ccm_der_take(&c, CCM_DER_OID, &oid) || oid.cut)
        return false;
    ccm_der_oid_text(oid.value, x->algorithm, sizeof x->algorithm);
    return true;
}

/* The fields of TBSCertificate in their order. False when one is missing or cut short. */
static bool fields(ccm_certificate *x, ccm_cursor *c)
{
    ccm_der f, issuer, subject;

    if (!ccm_der_next(c, &f) || (f.tag == TAG_VERSION && !ccm_der_next(c, &f)))
        return false;
    if (!serial(x, &f) || !ccm_der_take(c, CCM_DER_SEQUENCE, &f) || !signature_algorithm(x, &f) ||
        !ccm_der_take(c, CCM_DER_SEQUENCE, &issuer) ||
        !ccm_certificate_name(issuer.whole, &x->issuer, &x->issuer_name) ||
        !ccm_der_take(c, CCM_DER_SEQUENCE, &f) || !validity(x, &f) ||
        !ccm_der_take(c, CCM_DER_SEQUENCE, &subject) ||
        !ccm_certificate_name(subject.whole, &x->subject, &x->subject_name))
        return false;
    x->self_signed = subject.value.n && subject.whole.n == issuer.whole.n &&
                     memcmp(subject.whole.p, issuer.whole.p, subject.whole.n) == 0;
    if (!ccm_der_take(c, CCM_DER_SEQUENCE, &f) || !public_key(x, &f))
        return false;
    while (ccm_der_next(c, &f))
        if (f.tag == TAG_EXTENSIONS && !extensions(x, &f))
            return false;
    return !c->bad;
}

bool ccm_certificate_read(ccm_span der, ccm_certificate *out)
{
    ccm_cursor c = ccm_cur(der);
    ccm_der certificate, tbs;

    memset(out, 0, sizeof *out);
    if (!ccm_der_take(&c, CCM_DER_SEQUENCE, &certificate))
        return false;
    c = ccm_cur(certificate.value);
    if (!ccm_der_take(&c, CCM_DER_SEQUENCE, &tbs))
        return false;
    c = ccm_cur(tbs.value);
    bool whole = fields(out, &c);
    out->incomplete |= !whole || tbs.cut || certificate.cut || out->subject.cut || out->issuer.cut;
    return out->serial[0] != '\0';
}
