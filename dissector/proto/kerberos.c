/* SPDX-License-Identifier: GPL-2.0-or-later
 * kerberos.c - the clear parts of Kerberos messages.
 * In: one message, maybe cut short. Out: type, realms, principal names, error code; no byte of a
 * ticket, an authenticator or of pre-authentication data. State: none. A name whose bytes are not
 * all there is left out. Spec: RFC 4120 section 5 and appendix A. */
#include "proto/kerberos.h"

#include "proto/der.h"

enum { NAME_PARTS = 16, TAG_TICKET = CCM_DER_APPLICATION + 1 };

/* The fields of the SEQUENCE inside `outer`, and whether they can be read. */
static bool fields(ccm_kerberos *k, const ccm_der *outer, ccm_cursor *out)
{
    ccm_cursor c = ccm_cur(outer->value);
    ccm_der seq;
    bool good = ccm_der_take(&c, CCM_DER_SEQUENCE, &seq);
    k->incomplete |= !good || seq.cut || outer->cut;
    *out = ccm_cur(good ? seq.value : (ccm_span){ 0 });
    return good;
}

/* The next field; at the end or at damage false. */
static bool next(ccm_kerberos *k, ccm_cursor *c, ccm_der *field)
{
    bool good = ccm_der_next(c, field);
    k->incomplete |= c->bad || (good && field->cut);
    return good;
}

static bool integer(ccm_kerberos *k, const ccm_der *field, int64_t *out)
{
    ccm_cursor c = ccm_cur(field->value);
    ccm_der v;
    bool good = ccm_der_take(&c, CCM_DER_INTEGER, &v) && !v.cut && ccm_der_int(v.value, out);
    k->incomplete |= !good;
    return good;
}

static void text(ccm_kerberos *k, ccm_cursor *c, ccm_name *out)
{
    ccm_der v;
    if (!ccm_der_next(c, &v) || v.cut) {
        k->incomplete = true;
        return;
    }
    ccm_name_add(out, v.value); /* GeneralString; Windows writes UTF-8 into it */
    k->incomplete |= out->cut;
}

static void realm(ccm_kerberos *k, const ccm_der *field, ccm_name *out)
{
    ccm_cursor c = ccm_cur(field->value);
    *out = (ccm_name){ 0 };
    text(k, &c, out);
}

static void principal(ccm_kerberos *k, const ccm_der *field, ccm_name *out)
{
    static const uint8_t path[] = { CCM_DER_SEQUENCE, CCM_DER_CONTEXT + 1, CCM_DER_SEQUENCE };
    ccm_der names;
    *out = (ccm_name){ 0 };
    if (!ccm_der_find(field->value, path, sizeof path, &names) || names.cut) {
        k->incomplete = true;
        return;
    }
    ccm_cursor c = ccm_cur(names.value);
    for (unsigned i = 0; ccm_cur_left(&c); i++) {
        if (i == NAME_PARTS) {
            k->incomplete = true;
            return;
        }
        if (i)
            ccm_name_add(out, ccm_span_str("/"));
        text(k, &c, out);
        if (c.bad)
            return;
    }
}

/* The first bytes of its SHA-256. */
static uint64_t hash_of(ccm_span whole)
{
    uint8_t digest[32];
    gsize n = sizeof digest;
    uint64_t hash;
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);

    g_checksum_update(sum, whole.p, (gssize)whole.n);
    g_checksum_get_digest(sum, digest, &n);
    g_checksum_free(sum);
    memcpy(&hash, digest, sizeof hash);
    return GUINT64_FROM_BE(hash) & INT64_MAX;
}

static void ticket(ccm_kerberos *k, const ccm_der *field)
{
    ccm_cursor c = ccm_cur(field->value);
    ccm_der t, f;
    if (!ccm_der_take(&c, TAG_TICKET, &t) || !fields(k, &t, &c)) {
        k->incomplete = true;
        return;
    }
    k->ticket_hash = t.cut ? 0 : hash_of(t.whole);
    while (next(k, &c, &f)) {
        if (f.tag == CCM_DER_CONTEXT + 1)
            realm(k, &f, &k->ticket_realm);
        else if (f.tag == CCM_DER_CONTEXT + 2)
            principal(k, &f, &k->sname);
    }
}

static void request_body(ccm_kerberos *k, const ccm_der *field)
{
    ccm_cursor c;
    ccm_der f;
    if (!fields(k, field, &c))
        return;
    while (next(k, &c, &f)) {
        if (f.tag == CCM_DER_CONTEXT + 1)
            principal(k, &f, &k->cname);
        else if (f.tag == CCM_DER_CONTEXT + 2)
            realm(k, &f, &k->realm);
        else if (f.tag == CCM_DER_CONTEXT + 3)
            principal(k, &f, &k->sname);
    }
}

static void request(ccm_kerberos *k, const ccm_der *f)
{
    if (f->tag == CCM_DER_CONTEXT + 4)
        request_body(k, f);
}

static void reply(ccm_kerberos *k, const ccm_der *f)
{
    if (f->tag == CCM_DER_CONTEXT + 3)
        realm(k, f, &k->realm);
    else if (f->tag == CCM_DER_CONTEXT + 4)
        principal(k, f, &k->cname);
    else if (f->tag == CCM_DER_CONTEXT + 5)
        ticket(k, f);
}

static void ap_request(ccm_kerberos *k, const ccm_der *f)
{
    if (f->tag != CCM_DER_CONTEXT + 3)
        return;
    ticket(k, f);
    k->realm = k->ticket_realm;
}

static void error(ccm_kerberos *k, const ccm_der *f)
{
    int64_t code = 0;
    if (f->tag == CCM_DER_CONTEXT + 6 && integer(k, f, &code)) {
        k->has_error = true;
        k->error = (int32_t)code;
    } else if (f->tag == CCM_DER_CONTEXT + 8) {
        principal(k, f, &k->cname);
    } else if (f->tag == CCM_DER_CONTEXT + 9) {
        realm(k, f, &k->realm);
    } else if (f->tag == CCM_DER_CONTEXT + 10) {
        principal(k, f, &k->sname);
    }
}

bool ccm_kerberos_read(ccm_span message, ccm_kerberos *out)
{
    *out = (ccm_kerberos){ 0 };
    ccm_cursor c = ccm_cur(message);
    ccm_der app, f;
    if (!ccm_der_next(&c, &app))
        return false;
    uint8_t type = (uint8_t)(app.tag - CCM_DER_APPLICATION);
    bool kdc_request = type == CCM_KRB_AS_REQ || type == CCM_KRB_TGS_REQ;
    bool kdc_reply = type == CCM_KRB_AS_REP || type == CCM_KRB_TGS_REP;
    if (!kdc_request && !kdc_reply && type != CCM_KRB_AP_REQ && type != CCM_KRB_AP_REP &&
        type != CCM_KRB_ERROR)
        return false;
    if (!fields(out, &app, &c) && app.value.n > 1)
        return false;
    out->type = type;
    for (unsigned i = 0; next(out, &c, &f); i++) {
        int64_t number = 0;
        if (i < 2) { /* version, then type once more */
            int64_t want = i ? type : 5;
            if (integer(out, &f, &number) && number != want)
                return false;
            continue;
        }
        if (kdc_request)
            request(out, &f);
        else if (kdc_reply)
            reply(out, &f);
        else if (type == CCM_KRB_AP_REQ)
            ap_request(out, &f);
        else if (type == CCM_KRB_ERROR)
            error(out, &f);
    }
    return true;
}

/* ---- where messages begin -------------------------------------------------------------------- */

/* Identifier `tag` and a length. MAYBE: more bytes are needed. */
static ccm_probe header(ccm_cursor *c, uint8_t tag, size_t *size)
{
    ccm_cursor before = *c;
    ccm_der v;
    if (ccm_der_next(c, &v)) {
        *size = v.size;
        *c = before;
        ccm_cur_skip(c, v.whole.n - v.value.n);
        return v.tag == tag ? CCM_PROBE_YES : CCM_PROBE_NO;
    }
    ccm_span s = ccm_cur_take(&before, ccm_cur_left(&before));
    if (!s.n || (s.n == 1 && s.p[0] == tag))
        return CCM_PROBE_MAYBE;
    bool more = s.p[0] == tag && s.p[1] > 0x80 && s.p[1] <= 0x84 && s.n < 2u + (s.p[1] & 0x7f);
    return more ? CCM_PROBE_MAYBE : CCM_PROBE_NO;
}

ccm_probe ccm_kerberos_shape(ccm_span in, size_t *size)
{
    if (!in.n)
        return CCM_PROBE_MAYBE;
    uint8_t type = (uint8_t)(in.p[0] - CCM_DER_APPLICATION);
    bool is_request = type == CCM_KRB_AS_REQ || type == CCM_KRB_TGS_REQ;
    if (!is_request && type != CCM_KRB_AS_REP && type != CCM_KRB_TGS_REP && type != CCM_KRB_ERROR)
        return CCM_PROBE_NO;
    ccm_cursor c = ccm_cur(in);
    size_t app = 0, seq = 0;
    ccm_probe r = header(&c, in.p[0], &app);
    if (r != CCM_PROBE_YES)
        return r;
    size_t body = c.pos;
    *size = body + app;
    r = header(&c, CCM_DER_SEQUENCE, &seq);
    if (r != CCM_PROBE_YES)
        return r;
    if (c.pos - body + seq != app)
        return CCM_PROBE_NO;
    /* pvno 5 and the type: fields 1 and 2 of requests, 0 and 1 of the others */
    const uint8_t first = (uint8_t)(CCM_DER_CONTEXT + is_request);
    const uint8_t want[] = { first, 3, 2, 1, 5, (uint8_t)(first + 1), 3, 2, 1, type };
    ccm_span got = ccm_cur_take(&c, ccm_cur_left(&c));
    size_t n = got.n < sizeof want ? got.n : sizeof want;
    if (n && memcmp(got.p, want, n) != 0)
        return CCM_PROBE_NO;
    return n == sizeof want ? CCM_PROBE_YES : CCM_PROBE_MAYBE;
}
