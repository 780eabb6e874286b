/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb1.c - what SMB 1 says before files are opened: which dialects, and who it is.
 * In: one message, maybe cut short. Out: smb_negotiate, smb_auth, smb_session. State: ccm_smb, with
 * the set-up that is going on as its session CCM_SMB1_SETUP. All other messages are passed over.
 * Spec: MS-CIFS sections 2.2.3 and 2.2.4.52 (negotiate), MS-SMB sections 2.2.4.5 and 2.2.4.6
 * (extended security). */
#include "proto/smb2_state.h"

enum {
    NEGOTIATE = 0x72,
    SETUP_ANDX = 0x73,
    NONE_CHOSEN = 0xffff,
    SETUP_WORDS = 12, /* with a security blob */
    ANSWER_WORDS = 4,
    DIALECTS_ROOM = 512,
    TOKEN_ROOM = 32 << 10,
};

size_t ccm_smb1_need(ccm_span in)
{
    if (in.n < 5)
        return CCM_SMB1_HEAD;
    return in.p[4] == NEGOTIATE    ? CCM_SMB1_HEAD + DIALECTS_ROOM
           : in.p[4] == SETUP_ANDX ? CCM_SMB1_HEAD + TOKEN_ROOM
                                   : CCM_SMB1_HEAD;
}

/* 0x02 NAME 0x00, many times. */
static void dialects(ccm_smb *st, ccm_span list)
{
    char text[DIALECTS_ROOM];
    size_t at = 0, i = 0;
    while (i < list.n && list.p[i] == 2) {
        const uint8_t *name = list.p + i + 1;
        const uint8_t *end = memchr(name, 0, list.n - i - 1);
        size_t n = end ? (size_t)(end - name) : list.n - i - 1;
        if (at + n + 2 > sizeof text)
            break;
        if (at) {
            text[at++] = ',';
            text[at++] = ' ';
        }
        memcpy(text + at, name, n);
        at += n;
        i += n + 2;
    }
    ccm_smb_drop(&st->offered);
    st->offered = ccm_smb_copy(ccm_span_of(text, at));
    st->smb1_offered = true;
}

static void negotiated(ccm_smb *st, const ccm_parse *ps, uint32_t status, uint16_t chosen)
{
    bool good = !status && chosen != NONE_CHOSEN;
    ccm_obs o;
    if (good)
        st->dialect = 1;
    ccm_obs_at(ps, &o, CCM_OBS_smb_negotiate, ps->dir);
    if (good)
        ccm_obs_str(&o, CCM_KEY_dialect, ccm_span_str("1"));
    ccm_obs_str(&o, CCM_KEY_dialects, ccm_smb_span(st->offered));
    ccm_obs_flag(&o, CCM_KEY_smb1, true);
    ccm_smb_status(&o, status);
    ps->emit(ps->emit_data, &o);
}

/* The blob of a request (`c` behind the word count) or, with `answer`, of a response. */
static ccm_span blob(ccm_cursor *c, bool answer, bool *cut)
{
    ccm_cur_skip(c, 4);
    if (answer)
        ccm_cur_skip(c, 2);
    else
        ccm_cur_skip(c, 10);
    uint16_t n = ccm_cur_le16(c);
    if (!answer)
        ccm_cur_skip(c, 8);
    ccm_cur_skip(c, 2); /* bytes that follow */
    ccm_span s = ccm_cur_take(c, MIN(n, ccm_cur_left(c)));
    *cut = s.n < n;
    return s;
}

static void setup(ccm_smb *st, ccm_parse *ps, uint32_t status, bool reply, ccm_cursor *c)
{
    uint8_t words = ccm_cur_u8(c);
    bool cut = false, more = status == CCM_NT_MORE_PROCESSING;
    ccm_smb_session *s = ccm_smb_session_get(st, ps, CCM_SMB1_SETUP);
    if (!s)
        return;
    if (!reply) {
        ccm_smb_auth *auth = NULL;
        if (words == SETUP_WORDS) {
            ccm_span token = blob(c, false, &cut);
            ccm_smb_token(ps, ps->dir, 0, token, cut, &auth);
        }
        ccm_smb_session_result(s, &auth, CCM_NT_MORE_PROCESSING);
        return;
    }
    if (words == ANSWER_WORDS && (more || !status)) {
        uint16_t action;
        ccm_cursor look = *c;
        ccm_cur_skip(&look, 4);
        action = ccm_cur_le16(&look);
        s->guest = action & 1;
        ccm_span token = blob(c, true, &cut);
        ccm_smb_token(ps, ps->dir, 0, token, cut, NULL);
    }
    if (more)
        return;
    ccm_smb_auth *none = NULL;
    s->open |= s->auth != NULL;
    ccm_smb_session_result(s, &none, status);
    ccm_smb_session_remove(st, ps, s);
}

void ccm_smb1_read(ccm_smb *st, ccm_parse *ps, ccm_span in)
{
    ccm_cursor c = ccm_cur(in);
    ccm_cur_skip(&c, 4);
    uint8_t command = ccm_cur_u8(&c);
    uint32_t status = ccm_cur_le32(&c);
    bool reply = ccm_cur_u8(&c) & 0x80;
    ccm_cur_skip(&c, CCM_SMB1_HEAD - 10);
    if (command == NEGOTIATE && !reply) {
        ccm_cur_skip(&c, 1 + 2); /* no words; bytes that follow */
        dialects(st, ccm_cur_take(&c, ccm_cur_left(&c)));
    } else if (command == NEGOTIATE) {
        ccm_cur_skip(&c, 1);
        negotiated(st, ps, status, ccm_cur_le16(&c));
    } else if (command == SETUP_ANDX) {
        setup(st, ps, status, reply, &c);
    }
}
