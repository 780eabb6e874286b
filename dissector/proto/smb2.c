/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb2.c - SMB 2 and 3 conversations, direct or over NetBIOS, on any port: content decides.
 * In: the two directions of a TCP flow, with gaps. Out: smb_negotiate, smb_auth, smb_session,
 * smb_tree, smb_file, smb_requests, smb_answers, smb_done.
 * State: per direction the place in the session message, and what the connection has open
 * (smb2_state.h). Of each message its header and what tells something are read; the data of reads
 * and writes, listings and all encrypted and compressed bytes are skipped by arithmetic. After a
 * loss inside a session message its length tells where the next one is; else the next header is
 * searched. Spec: MS-SMB2 sections 2.1 and 3, RFC 1002 section 4.3. */
#include "proto/smb2_state.h"

enum { HALF_MESSAGE, HALF_SEEK, HALF_ENDED };

enum {
    NBSS_REQUEST = 0x81, /* session request ... */
    NBSS_KEEPALIVE = 0x85,
    TOKEN_ROOM = 32 << 10, /* of a session set-up: tokens with long authorization data are cut */
    NAME_ROOM = 4 << 10,
};

typedef struct step {
    size_t used;
    bool wait, bad;
} step;

static ccm_probe smb_probe(ccm_span in, bool midstream)
{
    /* Also in the middle of a connection: some message begins a segment soon. */
    (void)midstream;
    return ccm_smb_shape(in);
}

static void *smb_open(ccm_parse *ps)
{
    ccm_smb *st = g_new0(ccm_smb, 1);
    ccm_smb_init(st);
    st->midstream = ps->midstream;
    if (ps->midstream)
        st->half[0].state = st->half[1].state = HALF_SEEK;
    return st;
}

/* ---- losses ---------------------------------------------------------------------------------- */

static void place_lost(ccm_smb_half *h)
{
    h->state = HALF_SEEK;
    h->left = h->pass = h->payload = 0;
    h->resumed = h->chained = false;
    h->kept = 0;
    ccm_smb_file_unref(&h->transfer);
    ccm_smb_file_unref(&h->chain);
}

static step misplaced(ccm_smb *st, const ccm_parse *ps, ccm_smb_half *h)
{
    if (!st->heads && !st->midstream)
        return (step){ .bad = true };
    if (!st->confused) {
        st->confused = true;
        ccm_obs o;
        ccm_obs_at(ps, &o, CCM_OBS_anomaly, ps->dir);
        ccm_obs_str(&o, CCM_KEY_protocol, ccm_span_str("smb"));
        ccm_obs_str(&o, CCM_KEY_reason, ccm_span_str("no message where one should begin"));
        ccm_obs_u64(&o, CCM_KEY_count, 1);
        ps->emit(ps->emit_data, &o);
    }
    place_lost(h);
    h->resumed = true;
    return (step){ .used = 1 }; /* one byte, so that it always gets on */
}

/* ---- bytes that nobody reads ----------------------------------------------------------------- */

static void account(ccm_smb *st, const ccm_parse *ps, ccm_smb_half *h, uint64_t n, uint64_t missing,
                    bool timed)
{
    ccm_smb_file *f = h->transfer;
    st->bytes[h->way] += n;
    st->missing[h->way] += missing;
    if (!f)
        return;
    f->bytes[h->way] += n;
    f->missing[h->way] += missing;
    if (timed)
        f->data_end_ns = ccm_max64(f->data_end_ns, ps->time_ns);
}

/* `timed`: now is when the last of them passed. */
static void pass_bytes(ccm_smb *st, const ccm_parse *ps, ccm_smb_half *h, uint64_t n,
                       uint64_t missing, bool timed)
{
    uint64_t data = ccm_min64(n, h->payload);
    h->left -= n;
    h->pass -= n;
    h->payload -= data;
    if (data)
        account(st, ps, h, data, ccm_min64(missing, data), timed);
    if (!h->payload)
        ccm_smb_file_unref(&h->transfer);
}

/* ---- messages -------------------------------------------------------------------------------- */

/* Bytes of the body that tell something. */
static size_t body_need(const ccm_smb_header *h)
{
    static const uint8_t answers[CCM_SMB_COMMANDS] = { [CCM_SMB_TREE_CONNECT] = 16,
                                                       [CCM_SMB_CREATE] = 88,
                                                       [CCM_SMB_CLOSE] = 60,
                                                       [CCM_SMB_READ] = 16,
                                                       [CCM_SMB_WRITE] = 16 };
    bool response = h->flags & CCM_SMB_FLAG_RESPONSE;
    switch (h->command) {
    case CCM_SMB_SESSION_SETUP:
        return TOKEN_ROOM;
    case CCM_SMB_NEGOTIATE:
        return NAME_ROOM;
    case CCM_SMB_TREE_CONNECT:
    case CCM_SMB_CREATE:
    case CCM_SMB_SET_INFO:
        return response ? answers[h->command] : NAME_ROOM;
    case CCM_SMB_READ:
    case CCM_SMB_WRITE:
        return response ? answers[h->command] : 48;
    case CCM_SMB_CLOSE:
        return response ? answers[h->command] : 24;
    default:
        return 0;
    }
}

/* Bytes behind the header of a compressed message that are not compressed. */
static uint64_t clear_bytes(ccm_span in)
{
    ccm_cursor c = ccm_cur(in);
    ccm_cur_skip(&c, 8);
    uint16_t algorithm = ccm_cur_le16(&c), chained = ccm_cur_le16(&c);
    uint32_t n = ccm_cur_le32(&c);
    return chained && algorithm ? 0 : n;
}

/* Bytes to be seen of the message that begins `in`; grows as more is seen. */
static size_t need(const ccm_parse *ps, ccm_span in, uint64_t left)
{
    ccm_smb_header h;
    uint64_t n = 4;
    switch (ccm_smb_form_of(in)) {
    case CCM_SMB_FORM_2:
        n = CCM_SMB_HEAD;
        if (in.n >= CCM_SMB_HEAD && ccm_smb_header_read(in, &h)) {
            n = CCM_SMB_HEAD + body_need(&h);
            left = h.next ? ccm_min64(left, h.next) : left;
        }
        break;
    case CCM_SMB_FORM_ENCRYPTED:
        n = CCM_SMB_TRANSFORM;
        break;
    case CCM_SMB_FORM_COMPRESSED:
        n = CCM_SMB_COMPRESSED;
        if (in.n >= CCM_SMB_COMPRESSED)
            n += ccm_min64(clear_bytes(in), CCM_SMB_HEAD + 88);
        break;
    case CCM_SMB_FORM_1:
        n = ccm_smb1_need(in);
        break;
    case CCM_SMB_FORM_NONE:
        break;
    }
    return (size_t)ccm_min64(ccm_min64(n, left), ps->limits->head_bytes);
}

static void found(ccm_smb *st, ccm_parse *ps, int client)
{
    st->heads = true;
    if (st->client < 0)
        st->client = (int8_t)client;
    ps->client = st->client;
}

/* Where only encrypted messages were seen, the server is who has the port of one. */
static int client_by_port(const ccm_parse *ps)
{
    for (int i = 0; i < 2; i++)
        if (ps->end[i].port == 445 || ps->end[i].port == 139)
            return !i;
    return -1;
}

/* A clear message; false = its sender is not who should send such. */
static bool clear_message(ccm_smb *st, ccm_parse *ps, ccm_smb_half *h, ccm_smb_pdu *pdu)
{
    bool response = pdu->h.flags & CCM_SMB_FLAG_RESPONSE;
    found(st, ps, response ? !ps->dir : ps->dir);
    if (response == (st->client == (int8_t)ps->dir))
        return false;
    st->clear = true;
    st->pdus++;
    st->signed_pdus += (pdu->h.flags & CCM_SMB_FLAG_SIGNED) != 0;
    st->charge = MAX(st->charge, pdu->h.charge);
    if (response)
        st->credits = MAX(st->credits, pdu->h.credits);
    if (response)
        ccm_smb_response_read(st, ps, h, pdu);
    else
        ccm_smb_request_read(st, ps, h, pdu);
    h->chained = true;
    return true;
}

static void encrypted_message(ccm_smb *st, ccm_parse *ps, ccm_smb_half *h, ccm_span in)
{
    found(st, ps, client_by_port(ps));
    st->encrypted_pdus[ps->dir & 1]++;
    st->encrypted_bytes[ps->dir & 1] += h->left;
    ccm_cursor c = ccm_cur(in);
    ccm_cur_skip(&c, CCM_SMB_TRANSFORM - 8);
    uint64_t id = ccm_cur_le64(&c);
    if (!c.bad)
        ccm_smb_session_used(st, ps, id, NULL);
}

/* What of it is not compressed may be read, if that is a header at least. */
static void compressed_message(ccm_smb *st, ccm_parse *ps, ccm_smb_half *h, ccm_span in)
{
    ccm_smb_pdu pdu = { 0 };
    uint64_t clear = clear_bytes(in);
    found(st, ps, client_by_port(ps));
    st->compressed_pdus++;
    ccm_cursor c = ccm_cur(in);
    ccm_cur_skip(&c, 4);
    uint64_t original = ccm_cur_le32(&c);
    ccm_cur_skip(&c, CCM_SMB_COMPRESSED - 8);
    pdu.in = ccm_cur_take(&c, (size_t)ccm_min64(clear, ccm_cur_left(&c)));
    pdu.size = original + clear;
    if (ccm_smb_form_of(pdu.in) != CCM_SMB_FORM_2 || !ccm_smb_header_read(pdu.in, &pdu.h))
        return;
    if (clear_message(st, ps, h, &pdu) && pdu.payload) /* as it was before, all at once */
        account(st, ps, h, pdu.payload, 0, true);
    ccm_smb_file_unref(&h->transfer);
}

/* Reads the message that begins `in`, as far as it is there. Returns the bytes used; the rest of
 * it is to pass. SIZE_MAX: there is none. */
static size_t message(ccm_smb *st, ccm_parse *ps, ccm_smb_half *h, ccm_span in)
{
    ccm_smb_pdu pdu = { .size = h->left };
    ccm_smb_form form = ccm_smb_form_of(in);
    size_t used = (size_t)ccm_min64(in.n, h->left);
    pdu.in = ccm_span_of(in.p, used);
    if (form == CCM_SMB_FORM_2) {
        if (!ccm_smb_header_read(pdu.in, &pdu.h) || pdu.h.next >= h->left)
            return SIZE_MAX;
        if (pdu.h.next)
            pdu.size = pdu.h.next;
        used = pdu.in.n = (size_t)ccm_min64(used, pdu.size);
        if (clear_message(st, ps, h, &pdu) && pdu.used)
            used = MIN(used, pdu.used);
    } else if (form == CCM_SMB_FORM_ENCRYPTED) {
        encrypted_message(st, ps, h, pdu.in);
    } else if (form == CCM_SMB_FORM_COMPRESSED) {
        compressed_message(st, ps, h, pdu.in);
    } else if (form == CCM_SMB_FORM_1 && used >= CCM_SMB1_HEAD) {
        bool reply = in.p[9] & 0x80;
        found(st, ps, reply ? !ps->dir : ps->dir);
        ccm_smb1_read(st, ps, pdu.in);
    } else {
        return SIZE_MAX;
    }
    h->left -= used;
    h->pass = form == CCM_SMB_FORM_2 ? pdu.size - used : h->left;
    if (form == CCM_SMB_FORM_2)
        h->payload = ccm_min64(pdu.payload, h->pass);
    if (!h->payload)
        ccm_smb_file_unref(&h->transfer);
    return used;
}

static step step_head(ccm_smb *st, const ccm_parse *ps, ccm_smb_half *h, ccm_span in)
{
    if (in.n < CCM_NBSS_HEAD)
        return (step){ .wait = true };
    ccm_cursor c = ccm_cur(in);
    uint8_t type = ccm_cur_u8(&c);
    uint64_t n = (uint64_t)ccm_cur_u8(&c) << 16;
    n |= ccm_cur_be16(&c);
    if (type && (type < NBSS_REQUEST || type > NBSS_KEEPALIVE))
        return misplaced(st, ps, h);
    h->left = n;
    h->pass = type ? n : 0;
    h->chained = h->chain_failed = false;
    ccm_smb_file_unref(&h->chain);
    return (step){ .used = CCM_NBSS_HEAD };
}

static step step_seek(ccm_smb_half *h, ccm_span in)
{
    size_t keep, at = ccm_smb_seek(in, &keep);
    h->unread += (int64_t)(at == SIZE_MAX ? in.n - keep : at);
    if (at == SIZE_MAX)
        return (step){ .used = in.n - keep, .wait = true };
    h->state = HALF_MESSAGE;
    return (step){ .used = at };
}

static step step_message(ccm_smb *st, ccm_parse *ps, ccm_smb_half *h, ccm_span in)
{
    if (in.n < need(ps, in, h->left))
        return (step){ .wait = true };
    size_t used = message(st, ps, h, in);
    return used == SIZE_MAX ? misplaced(st, ps, h) : (step){ .used = used };
}

static ccm_feed smb_feed(ccm_parse *ps, ccm_span in)
{
    ccm_smb *st = ps->state;
    ccm_smb_half *h = &st->half[ps->dir & 1];
    ccm_feed out = { .result = CCM_FEED_OK };
    while (out.used < in.n) {
        ccm_span rest = ccm_span_of(in.p + out.used, in.n - out.used);
        step s = { .used = (size_t)ccm_min64(h->pass, rest.n) };
        if (h->pass)
            pass_bytes(st, ps, h, s.used, 0, true);
        else if (h->state == HALF_SEEK)
            s = step_seek(h, rest);
        else if (!h->left)
            s = step_head(st, ps, h, rest);
        else
            s = step_message(st, ps, h, rest);
        if (s.bad)
            return (ccm_feed){ .result = CCM_FEED_BAD, .why = "not SMB" };
        out.used += s.used;
        if (s.wait)
            break;
    }
    out.skip = h->pass;
    return out;
}

static void smb_skipped(ccm_parse *ps, uint64_t n, uint64_t missing)
{
    ccm_smb *st = ps->state;
    ccm_smb_half *h = &st->half[ps->dir & 1];
    n = ccm_min64(n, h->pass);
    pass_bytes(st, ps, h, n, missing, n == h->pass);
}

/* What was kept unused is over: reads it as it is, if it holds a header. */
static void cut(ccm_smb *st, ccm_parse *ps, ccm_smb_half *h, ccm_span tail)
{
    size_t used = 0;
    if (h->state != HALF_MESSAGE)
        return;
    if (!h->left) {
        if (tail.n)
            place_lost(h);
        return;
    }
    if (tail.n)
        used = message(st, ps, h, tail);
    if (used == SIZE_MAX) {
        used = 0;
        h->unread += (int64_t)h->left;
    }
    if (tail.n - used > h->pass)
        h->pass = h->left; /* a compound that is not read on */
    uint64_t rest = ccm_min64(tail.n - used, h->pass);
    pass_bytes(st, ps, h, rest, 0, false);
}

static void smb_gap(ccm_parse *ps, uint64_t n, ccm_span tail)
{
    ccm_smb *st = ps->state;
    ccm_smb_half *h = &st->half[ps->dir & 1];
    cut(st, ps, h, tail);
    if (h->state != HALF_MESSAGE || !n) {
        h->unread += (int64_t)n;
        return;
    }
    if (n > h->left || !h->left) {
        h->unread += (int64_t)(n - h->payload);
        if (h->payload)
            account(st, ps, h, h->payload, h->payload, false);
        place_lost(h);
        return;
    }
    if (n > h->pass) { /* where its parts begin is not known any more */
        h->unread += (int64_t)(h->left - h->pass);
        h->pass = h->left;
    }
    pass_bytes(st, ps, h, n, n, false);
}

static void smb_end(ccm_parse *ps, ccm_span tail)
{
    ccm_smb *st = ps->state;
    ccm_smb_half *h = &st->half[ps->dir & 1];
    cut(st, ps, h, tail);
    place_lost(h);
    h->state = HALF_ENDED;
}

static void smb_close(ccm_parse *ps)
{
    ccm_smb *st = ps->state;
    ccm_smb_clear(st, ps);
    if (st->heads)
        ccm_smb_counts_tell(st, ps);
    g_free(st);
    ps->state = NULL;
}

const ccm_proto ccm_proto_smb = {
    .name = "smb",
    .l4 = 6,
    .probe = smb_probe,
    .open = smb_open,
    .feed = smb_feed,
    .skipped = smb_skipped,
    .gap = smb_gap,
    .end = smb_end,
    .close = smb_close,
};
