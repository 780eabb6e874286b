/* SPDX-License-Identifier: GPL-2.0-or-later
 * ntlm.c - NTLM messages of type 1, 2 and 3.
 * In: a message, maybe cut short. Out: names of account, domain and computers in UTF-8; never a
 * challenge, a response or a key. State: none. A name whose bytes are not all there is left out:
 * half a name is the name of another. Spec: MS-NLMP sections 2.2.1, 2.2.2.1, 2.2.2.5, 3.2.5.1.2. */
#include "proto/ntlm.h"

enum {
    FLAG_UNICODE = 0x00000001,
    FLAG_OEM = 0x00000002,
    FLAG_OEM_DOMAIN = 0x00001000,
    FLAG_OEM_WORKSTATION = 0x00002000,
    AV_EOL = 0,
    AV_NB_COMPUTER = 1,
    AV_NB_DOMAIN = 2,
    AV_DNS_COMPUTER = 3,
    AV_DNS_DOMAIN = 4,
    CHALLENGE_END = 32,     /* before it: header and server challenge */
    AUTHENTICATE_HEAD = 64, /* up to the flags, which very old clients leave out */
    AUTHENTICATE_OLD = 52,
};

/* Where a field says that its bytes are. */
typedef struct field {
    uint32_t at;
    uint16_t n;
} field;

typedef enum encoding { OEM, UTF16, UNKNOWN } encoding;

static field read_field(ccm_cursor *c)
{
    field f = { 0 };
    f.n = ccm_cur_le16(c);
    ccm_cur_skip(c, 2); /* allocated length: to be ignored */
    f.at = ccm_cur_le32(c);
    return f;
}

static bool overlap(field a, field b)
{
    return a.n && b.n && a.at < (uint64_t)b.at + b.n && b.at < (uint64_t)a.at + a.n;
}

static ccm_span bytes_of(ccm_span m, field f)
{
    ccm_cursor c = ccm_cur(m);
    ccm_cur_skip(&c, f.at);
    return ccm_cur_take(&c, f.n);
}

static encoding encoding_of(uint32_t flags)
{
    /* Unicode wins when both are set. */
    return flags & FLAG_UNICODE ? UTF16 : flags & FLAG_OEM ? OEM : UNKNOWN;
}

/* Without flags: text of 16-bit units has a zero byte in each unit, as far as it is Latin. */
static encoding guess(ccm_span s)
{
    bool zero = false;
    for (size_t i = 1; i < s.n; i += 2)
        zero |= s.p[i] == 0;
    return zero && s.n % 2 == 0 ? UTF16 : OEM;
}

static void read_name(ccm_ntlm *out, ccm_span m, field f, encoding e, ccm_name *name)
{
    ccm_span s = bytes_of(m, f);
    if (s.n < f.n) {
        out->incomplete = true;
        return;
    }
    if (e == UNKNOWN)
        e = guess(s);
    if (e == UTF16)
        ccm_name_utf16(name, s);
    else
        ccm_name_add(name, s);
    out->incomplete |= name->cut || (e == UTF16 && s.n % 2);
}

static void negotiate(ccm_ntlm *out, ccm_span m, ccm_cursor *c)
{
    out->flags = ccm_cur_le32(c);
    if (c->bad) {
        out->incomplete = true;
        return;
    }
    if (!(out->flags & (FLAG_OEM_DOMAIN | FLAG_OEM_WORKSTATION)))
        return; /* the fields may be missing then */
    field domain = read_field(c), workstation = read_field(c);
    out->incomplete |= c->bad || overlap(domain, workstation);
    /* Always OEM here: nothing has been agreed on yet. */
    if (!c->bad && (out->flags & FLAG_OEM_DOMAIN) && domain.at >= CHALLENGE_END)
        read_name(out, m, domain, OEM, &out->domain);
    if (!c->bad && (out->flags & FLAG_OEM_WORKSTATION) && workstation.at >= CHALLENGE_END)
        read_name(out, m, workstation, OEM, &out->workstation);
}

static void target_info(ccm_ntlm *out, ccm_span info)
{
    ccm_cursor c = ccm_cur(info);
    while (ccm_cur_left(&c)) {
        uint16_t id = ccm_cur_le16(&c), n = ccm_cur_le16(&c);
        ccm_span value = ccm_cur_take(&c, n);
        if (c.bad || id == AV_EOL)
            break;
        ccm_name *name = id == AV_NB_COMPUTER    ? &out->nb_computer
                         : id == AV_NB_DOMAIN    ? &out->nb_domain
                         : id == AV_DNS_COMPUTER ? &out->dns_computer
                         : id == AV_DNS_DOMAIN   ? &out->dns_domain
                                                 : NULL;
        if (name && !name->n)
            ccm_name_utf16(name, value); /* whatever the flags say */
        out->incomplete |= name && name->cut;
    }
    out->incomplete |= c.bad;
}

static void challenge(ccm_ntlm *out, ccm_span m, ccm_cursor *c)
{
    field target = read_field(c);
    out->flags = ccm_cur_le32(c);
    if (c->bad) {
        out->incomplete = true;
        return;
    }
    ccm_cur_skip(c, 16); /* challenge and reserved */
    field info = read_field(c);
    if (c->bad) {
        /* A server that knows no target information ends with the challenge. */
        info = (field){ 0 };
        out->incomplete |= m.n < CHALLENGE_END;
    }
    if (target.n && target.at < CHALLENGE_END)
        out->incomplete = true; /* it would show the challenge */
    else
        read_name(out, m, target, encoding_of(out->flags), &out->domain);
    if (!info.n)
        return;
    out->incomplete |= overlap(target, info);
    ccm_span s = info.at < CHALLENGE_END ? (ccm_span){ 0 } : bytes_of(m, info);
    if (!s.n && info.at >= CHALLENGE_END && info.at < m.n)
        s = ccm_span_of(m.p + info.at, m.n - info.at); /* the pairs before the cut */
    out->incomplete |= s.n < info.n;
    target_info(out, s);
}

/* Names of a type 3. A name that lies over the header, a response or the session key would show
 * it: left out. */
static void authenticate(ccm_ntlm *out, ccm_span m, ccm_cursor *c)
{
    enum { LM, NT, DOMAIN, USER, WORKSTATION, KEY, FIELDS };
    field f[FIELDS] = { 0 };
    for (unsigned i = 0; i < KEY; i++)
        f[i] = read_field(c);
    if (c->bad) {
        out->incomplete = true;
        return;
    }
    uint32_t first = UINT32_MAX;
    for (unsigned i = 0; i < KEY; i++)
        if (f[i].n && f[i].at < first)
            first = f[i].at;
    if (first >= AUTHENTICATE_HEAD) {
        f[KEY] = read_field(c);
        out->flags = ccm_cur_le32(c);
        out->incomplete |= c->bad;
    }
    if (c->bad)
        f[KEY] = (field){ 0 };
    ccm_name *names[FIELDS] = {
        [DOMAIN] = &out->domain, [USER] = &out->user, [WORKSTATION] = &out->workstation
    };
    for (unsigned i = 0; i < FIELDS; i++) {
        bool secret = f[i].n && f[i].at < AUTHENTICATE_OLD;
        for (unsigned j = 0; j < FIELDS; j++) {
            if (i == j || !overlap(f[i], f[j]))
                continue;
            out->incomplete = true;
            secret |= !names[j];
        }
        out->incomplete |= secret || (f[i].n && (uint64_t)f[i].at + f[i].n > m.n);
        if (names[i] && !secret)
            read_name(out, m, f[i], encoding_of(out->flags), names[i]);
    }
    ccm_span lm = bytes_of(m, f[LM]);
    out->anonymous =
        !f[USER].n && !f[NT].n && (!f[LM].n || (f[LM].n == 1 && lm.n == 1 && lm.p[0] == 0));
}

bool ccm_ntlm_is(ccm_span message)
{
    return message.n >= 8 && !memcmp(message.p, "NTLMSSP", 8); /* with its zero byte */
}

bool ccm_ntlm_read(ccm_span message, ccm_ntlm *out)
{
    *out = (ccm_ntlm){ 0 };
    ccm_cursor c = ccm_cur(message);
    if (!ccm_ntlm_is(message))
        return false;
    ccm_cur_skip(&c, 8);
    uint32_t type = ccm_cur_le32(&c);
    if (c.bad || type < 1 || type > 3)
        return false;
    out->type = (uint8_t)type;
    if (type == 1)
        negotiate(out, message, &c);
    else if (type == 2)
        challenge(out, message, &c);
    else
        authenticate(out, message, &c);
    return true;
}
