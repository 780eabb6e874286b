/* SPDX-License-Identifier: GPL-2.0-or-later
 * spnego.c - tokens of Windows authentication.
 * In: one token, maybe cut short. Out: mechanisms offered, the one that the token itself belongs
 * to, and what the Kerberos or NTLM message inside says. State: none.
 * Spec: RFC 4178 section 4.2, MS-SPNG section 2.2.1 (NegTokenInit2), RFC 2743 section 3.1 (initial
 * token), RFC 4121 section 4.1 (token identifiers), MS-KILE, MS-NEGOEX section 2.2.6.2. */
#include "proto/spnego.h"

#include "proto/der.h"

enum { TAG_RESPONSE = CCM_DER_CONTEXT + 1, TAG_INIT = CCM_DER_CONTEXT };

#define OID_SPNEGO "1.3.6.1.5.5.2"

static ccm_mech mech_of(ccm_span oid)
{
    static const struct {
        const char *oid;
        ccm_mech mech;
    } known[] = {
        { "1.2.840.113554.1.2.2", CCM_MECH_KERBEROS },
        { "1.2.840.48018.1.2.2", CCM_MECH_MS_KERBEROS },
        { "1.3.6.1.4.1.311.2.2.10", CCM_MECH_NTLM },
        { "1.3.6.1.4.1.311.2.2.30", CCM_MECH_NEGOEX },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (ccm_der_oid_is(oid, known[i].oid))
            return known[i].mech;
    return CCM_MECH_OTHER;
}

const char *ccm_mech_name(ccm_mech mech)
{
    static const char *const names[] = { "", "kerberos", "ms-kerberos", "ntlm", "negoex", "other" };
    return (unsigned)mech < G_N_ELEMENTS(names) ? names[mech] : "";
}

static void add_mech(ccm_gss *g, const ccm_der *oid)
{
    if (oid->tag != CCM_DER_OID || oid->cut || g->n_mechs == CCM_GSS_MECHS)
        g->incomplete = true;
    else
        g->mechs[g->n_mechs++] = (uint8_t)mech_of(oid->value);
}

/* ---- what is inside -------------------------------------------------------------------------- */

static void kerberos(ccm_gss *g, ccm_span message, ccm_mech mech)
{
    g->mech = (uint8_t)mech;
    if (!ccm_kerberos_read(message, &g->kerberos)) {
        g->kerberos = (ccm_kerberos){ 0 };
        g->incomplete = true;
    }
    g->incomplete |= g->kerberos.incomplete;
}

/* Behind the OID of a Kerberos token: two bytes tell what follows. */
static void kerberos_token(ccm_gss *g, ccm_span s, ccm_mech mech)
{
    ccm_cursor c = ccm_cur(s);
    uint16_t id = ccm_cur_be16(&c);
    g->mech = (uint8_t)mech;
    if (c.bad)
        g->incomplete = true;
    else if (id == 0x0100 || id == 0x0200 || id == 0x0300)
        kerberos(g, ccm_cur_take(&c, ccm_cur_left(&c)), mech);
    /* else user-to-user, a MIC or wrapped data: nothing to read */
}

/* A token that is not SPNEGO. */
static bool plain(ccm_gss *g, ccm_span s)
{
    if (ccm_ntlm_is(s)) {
        g->mech = CCM_MECH_NTLM;
        g->incomplete |= !ccm_ntlm_read(s, &g->ntlm) || g->ntlm.incomplete;
        return true;
    }
    if (s.n >= 8 && !memcmp(s.p, "NEGOEXTS", 8)) {
        g->mech = CCM_MECH_NEGOEX;
        return true;
    }
    uint8_t first = s.n ? s.p[0] : 0;
    if (first == CCM_DER_APPLICATION + CCM_KRB_AP_REQ ||
        first == CCM_DER_APPLICATION + CCM_KRB_AP_REP ||
        first == CCM_DER_APPLICATION + CCM_KRB_ERROR) {
        if (!ccm_kerberos_read(s, &g->kerberos)) {
            g->kerberos = (ccm_kerberos){ 0 };
            return false;
        }
        g->mech = CCM_MECH_KERBEROS;
        g->incomplete |= g->kerberos.incomplete;
        return true;
    }
    return false;
}

/* [APPLICATION 0] { OID, rest }. */
static bool initial(ccm_span s, ccm_der *oid, ccm_span *rest, bool *cut)
{
    ccm_cursor c = ccm_cur(s);
    ccm_der app;
    if (!ccm_der_take(&c, CCM_DER_APPLICATION, &app))
        return false;
    c = ccm_cur(app.value);
    if (!ccm_der_take(&c, CCM_DER_OID, oid) || oid->cut)
        return false;
    *cut = app.cut;
    *rest = ccm_cur_take(&c, ccm_cur_left(&c));
    return true;
}

/* The token inside SPNEGO. */
static void inner(ccm_gss *g, ccm_span s)
{
    ccm_der oid;
    ccm_span rest;
    bool cut = false;
    if (!initial(s, &oid, &rest, &cut)) {
        g->incomplete |= s.n && !plain(g, s);
        return;
    }
    g->incomplete |= cut;
    ccm_mech mech = mech_of(oid.value);
    if (mech == CCM_MECH_KERBEROS || mech == CCM_MECH_MS_KERBEROS)
        kerberos_token(g, rest, mech);
    else
        g->mech = (uint8_t)mech;
}

/* ---- SPNEGO ---------------------------------------------------------------------------------- */

static void octets(ccm_gss *g, const ccm_der *field)
{
    ccm_cursor c = ccm_cur(field->value);
    ccm_der v;
    if (!ccm_der_take(&c, CCM_DER_OCTETS, &v)) {
        g->incomplete = true;
        return;
    }
    g->incomplete |= v.cut;
    inner(g, v.value);
}

static void init_field(ccm_gss *g, const ccm_der *f)
{
    if (f->tag == CCM_DER_CONTEXT) {
        ccm_cursor c = ccm_cur(f->value);
        ccm_der list, oid;
        bool good = ccm_der_take(&c, CCM_DER_SEQUENCE, &list);
        c = ccm_cur(good ? list.value : (ccm_span){ 0 });
        while (ccm_der_next(&c, &oid))
            add_mech(g, &oid);
        g->incomplete |= !good || c.bad;
    } else if (f->tag == CCM_DER_CONTEXT + 2) {
        octets(g, f);
    } /* flags, hints and MIC tell nothing about who it is */
}

static void response_field(ccm_gss *g, const ccm_der *f)
{
    ccm_cursor c = ccm_cur(f->value);
    ccm_der v;
    if (f->tag == CCM_DER_CONTEXT) {
        int64_t state;
        bool good = ccm_der_take(&c, CCM_DER_ENUM, &v) && ccm_der_int(v.value, &state) &&
                    state >= 0 && state <= 3;
        g->incomplete |= !good;
        if (good)
            g->state = (uint8_t)(CCM_NEGO_COMPLETED + state);
    } else if (f->tag == CCM_DER_CONTEXT + 1) {
        if (ccm_der_next(&c, &v))
            add_mech(g, &v);
        else
            g->incomplete = true;
    } else if (f->tag == CCM_DER_CONTEXT + 2) {
        octets(g, f);
    }
}

/* NegTokenInit, NegTokenInit2 or NegTokenResp: a choice of [0] and [1]. */
static bool negotiation(ccm_gss *g, ccm_span s)
{
    ccm_cursor c = ccm_cur(s);
    ccm_der choice, seq, f;
    if (!ccm_der_next(&c, &choice) || (choice.tag != TAG_INIT && choice.tag != TAG_RESPONSE))
        return false;
    g->spnego = true;
    g->response = choice.tag == TAG_RESPONSE;
    c = ccm_cur(choice.value);
    if (!ccm_der_take(&c, CCM_DER_SEQUENCE, &seq)) {
        g->incomplete = true;
        return true;
    }
    g->incomplete |= choice.cut || seq.cut;
    c = ccm_cur(seq.value);
    while (ccm_der_next(&c, &f)) {
        g->incomplete |= f.cut;
        if (g->response)
            response_field(g, &f);
        else
            init_field(g, &f);
    }
    g->incomplete |= c.bad;
    return true;
}

bool ccm_gss_read(ccm_span token, ccm_gss *out)
{
    *out = (ccm_gss){ 0 };
    ccm_der oid;
    ccm_span rest;
    bool cut = false;
    if (!initial(token, &oid, &rest, &cut))
        return plain(out, token) || negotiation(out, token);
    out->incomplete = cut;
    if (!ccm_der_oid_is(oid.value, OID_SPNEGO)) {
        inner(out, token);
        return true;
    }
    out->spnego = true;
    out->incomplete |= !negotiation(out, rest);
    return true;
}
