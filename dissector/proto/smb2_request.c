/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb2_request.c - what a client of SMB 2 asks for.
 * In: one request, maybe cut short. Out: an entry among the requests that wait for an answer.
 * State: ccm_smb. Spec: MS-SMB2 section 2.2; MS-FSCC section 2.4 (information classes). */
#include "proto/smb2_state.h"

enum {
    DELETE_ON_CLOSE = 0x1000, /* CreateOptions */
    DIRECTORY_FILE = 1,
    READ_WRITE_BODY = 48,
    INFO_FILE = 1,
    CLASS_RENAME = 10,
    CLASS_DISPOSITION = 13,
    CLASS_DISPOSITION_EX = 64,
    CLASS_RENAME_EX = 65,
};

static ccm_cursor body(const ccm_smb_pdu *pdu)
{
    ccm_cursor c = ccm_cur(pdu->in);
    ccm_cur_skip(&c, CCM_SMB_HEAD);
    return c;
}

/* Bytes at an offset that counts from the header; none when the message is cut in them: half a name
 * is another name. */
static ccm_span part(const ccm_smb_pdu *pdu, uint32_t at, uint32_t n)
{
    if (at < CCM_SMB_HEAD || at >= pdu->in.n || n > pdu->in.n - at)
        return (ccm_span){ 0 };
    return ccm_span_of(pdu->in.p + at, n);
}

/* The handle that the request names: an id, or the one of the compound's request before. */
static ccm_smb_file *handle(ccm_smb *st, ccm_parse *ps, ccm_smb_half *half, ccm_cursor *c)
{
    uint64_t a = ccm_cur_le64(c), b = ccm_cur_le64(c);
    if (c->bad)
        return NULL;
    if (a == UINT64_MAX && b == UINT64_MAX)
        return half->chain;
    ccm_smb_file *f = ccm_smb_file_get(st, ps, a, b);
    ccm_smb_file_unref(&half->chain);
    half->chain = ccm_smb_file_ref(f);
    return f;
}

static void whose(ccm_smb *st, ccm_smb_file *f, const ccm_smb_header *h)
{
    const ccm_smb_session *s = ccm_smb_session_find(st, h->session);
    f->session = h->session;
    if (!f->share)
        f->share = ccm_smb_tree_share(st, h->tree, h->session);
    if (!f->account && s && s->account)
        f->account = g_ref_string_acquire(s->account);
}

static void create(ccm_smb *st, ccm_parse *ps, ccm_smb_half *half, const ccm_smb_pdu *pdu,
                   ccm_smb_request *r)
{
    ccm_cursor c = body(pdu);
    ccm_cur_skip(&c, 36);
    uint32_t disposition = ccm_cur_le32(&c), options = ccm_cur_le32(&c);
    uint16_t at = ccm_cur_le16(&c), n = ccm_cur_le16(&c);
    ccm_smb_file *f = ccm_smb_file_new(st, ps);
    if (!c.bad) {
        ccm_span name = part(pdu, at, n);
        f->path = ccm_smb_text(name, &f->path_cut);
        f->path_cut |= name.n < n;
        f->disposition = disposition;
        f->delete_on_close = options & DELETE_ON_CLOSE;
        f->directory = options & DIRECTORY_FILE;
    } else {
        f->path_cut = true;
    }
    whose(st, f, &pdu->h);
    ccm_smb_file_unref(&half->chain);
    half->chain = ccm_smb_file_ref(f);
    r->file = f;
}

static void transfer_begins(const ccm_parse *ps, ccm_smb_file *f, ccm_smb_way way, uint64_t offset)
{
    if (!f->data_start_ns)
        f->data_start_ns = f->data_end_ns = ps->time_ns;
    if (f->first[way] == UINT64_MAX)
        f->first[way] = offset;
    f->transfers[way]++;
}

static void read_write(ccm_smb *st, ccm_parse *ps, ccm_smb_half *half, ccm_smb_pdu *pdu,
                       ccm_smb_request *r)
{
    ccm_cursor c = body(pdu);
    ccm_cur_skip(&c, 4);
    uint32_t n = ccm_cur_le32(&c);
    uint64_t offset = ccm_cur_le64(&c);
    ccm_smb_file *f = handle(st, ps, half, &c);
    if (c.bad) {
        r->cut = r->command == CCM_SMB_WRITE;
        half->unread += r->cut ? (int64_t)pdu->size : 0;
        return;
    }
    if (f) {
        whose(st, f, &pdu->h);
        r->file = ccm_smb_file_ref(f);
        transfer_begins(ps, f, r->command == CCM_SMB_READ ? CCM_SMB_READS : CCM_SMB_WRITES, offset);
    }
    if (r->command == CCM_SMB_READ)
        return;
    if (f && n <= UINT64_MAX - offset)
        f->write_end = ccm_max64(f->write_end, offset + n);
    pdu->used = CCM_SMB_HEAD + READ_WRITE_BODY;
    pdu->payload = pdu->size > pdu->used ? ccm_min64(n, pdu->size - pdu->used) : 0;
    half->way = CCM_SMB_WRITES;
    ccm_smb_file_unref(&half->transfer);
    half->transfer = ccm_smb_file_ref(f);
}

/* Where FileRenameInformation has its name: behind two flags and a handle. */
static char *new_name(ccm_span info, bool *whole)
{
    ccm_cursor c = ccm_cur(info);
    bool cut = false;
    ccm_cur_skip(&c, 16);
    uint32_t n = ccm_cur_le32(&c);
    ccm_span name = ccm_cur_take(&c, MIN(n, ccm_cur_left(&c)));
    *whole = !c.bad && name.n == n;
    return *whole ? ccm_smb_text(name, &cut) : NULL;
}

static void set_info(ccm_smb *st, ccm_parse *ps, ccm_smb_half *half, const ccm_smb_pdu *pdu,
                     ccm_smb_request *r)
{
    ccm_cursor c = body(pdu);
    ccm_cur_skip(&c, 2);
    uint8_t type = ccm_cur_u8(&c), class = ccm_cur_u8(&c);
    uint32_t n = ccm_cur_le32(&c);
    uint16_t at = ccm_cur_le16(&c);
    ccm_cur_skip(&c, 6);
    ccm_smb_file *f = handle(st, ps, half, &c);
    if (c.bad || !f || type != INFO_FILE)
        return;
    whose(st, f, &pdu->h);
    ccm_span info = part(pdu, at, n);
    bool whole = true;
    if (class == CLASS_RENAME || class == CLASS_RENAME_EX) {
        r->text = new_name(info, &whole);
        r->change = CCM_SMB_CHANGE_RENAME;
    } else if ((class == CLASS_DISPOSITION || class == CLASS_DISPOSITION_EX) && info.n) {
        r->change = info.p[0] & 1 ? CCM_SMB_CHANGE_DELETE : CCM_SMB_CHANGE_KEEP;
    }
    f->path_cut |= !whole;
    r->file = ccm_smb_file_ref(f);
}

static void close_handle(ccm_smb *st, ccm_parse *ps, ccm_smb_half *half, const ccm_smb_pdu *pdu,
                         ccm_smb_request *r)
{
    ccm_cursor c = body(pdu);
    ccm_cur_skip(&c, 8);
    ccm_smb_file *f = handle(st, ps, half, &c);
    if (!f)
        return;
    whose(st, f, &pdu->h);
    f->end_ns = ps->time_ns;
    f->closed = true;
    r->file = ccm_smb_file_ref(f);
}

static void tree_connect(const ccm_smb_pdu *pdu, ccm_smb_request *r)
{
    ccm_cursor c = body(pdu);
    ccm_cur_skip(&c, 4);
    uint16_t at = ccm_cur_le16(&c), n = ccm_cur_le16(&c);
    if (!c.bad)
        r->text = ccm_smb_text(part(pdu, at, n), NULL);
}

void ccm_smb_request_read(ccm_smb *st, ccm_parse *ps, ccm_smb_half *half, ccm_smb_pdu *pdu)
{
    ccm_smb_header *h = &pdu->h;
    if ((h->flags & CCM_SMB_FLAG_RELATED) && half->chained) {
        h->session = half->chain_session;
        h->tree = half->chain_tree;
    } else {
        ccm_smb_file_unref(&half->chain);
    }
    half->chain_session = h->session;
    half->chain_tree = h->tree;
    st->counts[h->command]++;
    ccm_smb_session_used(st, ps, h->session, h);
    ccm_smb_request r = { .key.a = h->message_id,
                          .time_ns = ps->time_ns,
                          .frame = ps->frame,
                          .session = h->session,
                          .tree = h->tree,
                          .command = h->command };
    switch (h->command) {
    case CCM_SMB_NEGOTIATE:
        ccm_smb_negotiate_request(st, pdu);
        break;
    case CCM_SMB_SESSION_SETUP:
        ccm_smb_setup_request(ps, pdu, &r);
        break;
    case CCM_SMB_TREE_CONNECT:
        tree_connect(pdu, &r);
        break;
    case CCM_SMB_CREATE:
        create(st, ps, half, pdu, &r);
        break;
    case CCM_SMB_READ:
    case CCM_SMB_WRITE:
        read_write(st, ps, half, pdu, &r);
        break;
    case CCM_SMB_SET_INFO:
        set_info(st, ps, half, pdu, &r);
        break;
    case CCM_SMB_CLOSE:
        close_handle(st, ps, half, pdu, &r);
        break;
    case CCM_SMB_CANCEL:
        return; /* has no answer, and the message id of what it cancels */
    default:
        break;
    }
    ccm_smb_request_put(st, ps, &r);
}
