/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb2_response.c - what a server of SMB 2 answers.
 * In: one response, maybe cut short. Out: what became of its request. State: ccm_smb.
 * An interim answer (STATUS_PENDING) leaves the request waiting; a message id that nobody asked
 * with is of a request before the capture or in a gap. Spec: MS-SMB2 section 2.2. */
#include "proto/smb2_state.h"

enum {
    ATTRIBUTE_DIRECTORY = 0x10,
    SHARE_ENCRYPTED = 0x8000,
    READ_BODY = 16,
    WRITE_HEADS = 4 + CCM_SMB_HEAD + 48, /* of a WRITE request */
    CLOSE_HAS_ATTRIBUTES = 1,
    ERROR_SIZE = 9, /* StructureSize of an error */
};

static ccm_cursor body(const ccm_smb_pdu *pdu, uint16_t *size)
{
    ccm_cursor c = ccm_cur(pdu->in);
    ccm_cur_skip(&c, CCM_SMB_HEAD);
    *size = ccm_cur_le16(&c);
    return c;
}

static void count_answer(ccm_smb *st, const ccm_parse *ps, const ccm_smb_header *h)
{
    ccm_smb_answers *a = st->answers;
    unsigned i = 0;
    while (i < st->n_answers && (a[i].command != h->command || a[i].status != h->status))
        i++;
    if (i == CCM_SMB_ANSWERS) {
        st->limit_hits++;
        return;
    }
    if (i == st->n_answers) {
        st->n_answers++;
        a[i] = (ccm_smb_answers){ h->command, h->status, 0, ps->time_ns, ps->frame };
    }
    a[i].count++;
}

static bool succeeded(uint32_t status)
{
    return status >> 30 != 3; /* success, information or warning */
}

static void created(ccm_smb *st, ccm_parse *ps, const ccm_smb_pdu *pdu, ccm_smb_file *f)
{
    uint16_t size;
    ccm_cursor c = body(pdu, &size);
    f->answered = true;
    f->status = pdu->h.status;
    f->failed = !succeeded(pdu->h.status) || size == ERROR_SIZE;
    if (f->failed) {
        f->end_ns = ps->time_ns;
        ccm_smb_file_tell(st, ps, f);
        return;
    }
    ccm_cur_skip(&c, 2);
    uint32_t action = ccm_cur_le32(&c);
    ccm_cur_skip(&c, 40); /* times and allocation */
    uint64_t end = ccm_cur_le64(&c);
    uint32_t attributes = ccm_cur_le32(&c);
    ccm_cur_skip(&c, 4);
    uint64_t a = ccm_cur_le64(&c), b = ccm_cur_le64(&c);
    if (c.bad)
        return;
    f->action = action;
    f->size = end;
    f->has_size = true;
    f->directory = attributes & ATTRIBUTE_DIRECTORY;
    ccm_smb_file_open(st, ps, f, a, b);
}

static void closed(ccm_smb *st, ccm_parse *ps, const ccm_smb_pdu *pdu, ccm_smb_file *f)
{
    uint16_t size;
    ccm_cursor c = body(pdu, &size);
    uint16_t flags = ccm_cur_le16(&c);
    ccm_cur_skip(&c, 4 + 32 + 8);
    uint64_t end = ccm_cur_le64(&c);
    if (f->failed)
        return;
    if (!c.bad && size != ERROR_SIZE && (flags & CLOSE_HAS_ATTRIBUTES)) {
        f->size = end;
        f->has_size = true;
    } else if (f->bytes[CCM_SMB_WRITES]) {
        f->has_size = false; /* what it was when it was opened */
    }
    f->end_ns = ps->time_ns;
    f->closed = succeeded(pdu->h.status);
    ccm_smb_file_close(st, ps, f);
}

static void read_answer(const ccm_parse *ps, ccm_smb_half *half, ccm_smb_pdu *pdu, ccm_smb_file *f)
{
    uint16_t size;
    ccm_cursor c = body(pdu, &size);
    ccm_cur_skip(&c, 2);
    uint32_t n = ccm_cur_le32(&c);
    if (c.bad || size == ERROR_SIZE)
        return;
    pdu->used = CCM_SMB_HEAD + READ_BODY;
    pdu->payload = pdu->size > pdu->used ? ccm_min64(n, pdu->size - pdu->used) : 0;
    half->way = CCM_SMB_READS;
    ccm_smb_file_unref(&half->transfer);
    half->transfer = ccm_smb_file_ref(f);
    if (f)
        f->data_end_ns = ccm_max64(f->data_end_ns, ps->time_ns);
}

/* The server took a WRITE whose request was lost or cut: so many of the client's bytes that nobody
 * knew were of the file that is open. Never more than there were: but of the last segment, which
 * may be told a little later. */
static void unseen_write(ccm_smb *st, const ccm_parse *ps, const ccm_smb_pdu *pdu)
{
    uint16_t size;
    ccm_cursor c = body(pdu, &size);
    ccm_cur_skip(&c, 2);
    uint32_t n = ccm_cur_le32(&c);
    int64_t *unread = &st->half[ccm_smb_client(st)].unread;
    if (c.bad || size == ERROR_SIZE || !succeeded(pdu->h.status) || n > *unread + UINT16_MAX)
        return;
    ccm_smb_file *f = ccm_smb_file_only(st, &pdu->h);
    if (!f)
        return;
    *unread -= (int64_t)n + WRITE_HEADS;
    st->bytes[CCM_SMB_WRITES] += n;
    st->missing[CCM_SMB_WRITES] += n;
    f->bytes[CCM_SMB_WRITES] += n;
    f->missing[CCM_SMB_WRITES] += n;
    f->transfers[CCM_SMB_WRITES]++;
    f->data_start_ns = f->data_start_ns ? f->data_start_ns : ps->time_ns;
    f->data_end_ns = ccm_max64(f->data_end_ns, ps->time_ns);
}

static void changed(ccm_smb_file *f, ccm_smb_request *r)
{
    if (r->change == CCM_SMB_CHANGE_RENAME && r->text) {
        ccm_smb_drop(&f->renamed_to);
        f->renamed_to = r->text;
        r->text = NULL;
    } else if (r->change == CCM_SMB_CHANGE_DELETE || r->change == CCM_SMB_CHANGE_KEEP) {
        f->delete_on_close = r->change == CCM_SMB_CHANGE_DELETE;
    }
}

static void tree_connected(ccm_smb *st, ccm_parse *ps, const ccm_smb_pdu *pdu, ccm_smb_request *r)
{
    uint16_t size;
    ccm_cursor c = body(pdu, &size);
    uint8_t type = ccm_cur_u8(&c);
    ccm_cur_skip(&c, 1);
    uint32_t flags = ccm_cur_le32(&c);
    bool good = !c.bad && size != ERROR_SIZE;
    ccm_smb_tree_tell(st, ps, r, pdu, good ? type : 0,
                      good && (flags & SHARE_ENCRYPTED) ? flags : 0);
    if (succeeded(pdu->h.status) && r->text) {
        ccm_smb_tree_add(st, ps, pdu->h.tree, pdu->h.session, r->text);
        r->text = NULL;
    }
}

/* The answer to a request that was seen. */
static void answer(ccm_smb *st, ccm_parse *ps, ccm_smb_half *half, ccm_smb_pdu *pdu,
                   ccm_smb_request *r)
{
    ccm_smb_file *f = r->file;
    bool good = succeeded(pdu->h.status);
    switch (r->command) {
    case CCM_SMB_NEGOTIATE:
        ccm_smb_negotiate_response(st, ps, pdu);
        break;
    case CCM_SMB_SESSION_SETUP:
        ccm_smb_setup_response(st, ps, pdu, r);
        break;
    case CCM_SMB_TREE_CONNECT:
        tree_connected(st, ps, pdu, r);
        break;
    case CCM_SMB_CREATE:
        created(st, ps, pdu, f);
        break;
    case CCM_SMB_CLOSE:
        if (f)
            closed(st, ps, pdu, f);
        break;
    case CCM_SMB_READ:
        read_answer(ps, half, pdu, f);
        break;
    case CCM_SMB_WRITE:
        if (r->cut)
            unseen_write(st, ps, pdu);
        break;
    case CCM_SMB_SET_INFO:
        if (f && good)
            changed(f, r);
        break;
    case CCM_SMB_TREE_DISCONNECT:
        if (good)
            ccm_smb_tree_remove(st, ps, r->tree, r->session);
        break;
    case CCM_SMB_LOGOFF: {
        ccm_smb_session *s = good ? ccm_smb_session_find(st, r->session) : NULL;
        if (s)
            ccm_smb_session_remove(st, ps, s);
        break;
    }
    default:
        break;
    }
    enum { END_OF_FILE = 0xc0000011 & 0xffff };
    bool end = r->command == CCM_SMB_READ && (pdu->h.status & 0xffff) == END_OF_FILE;
    if (f && !good && !end && (r->command == CCM_SMB_READ || r->command == CCM_SMB_WRITE) &&
        !f->transfer_status)
        f->transfer_status = pdu->h.status;
}

void ccm_smb_response_read(ccm_smb *st, ccm_parse *ps, ccm_smb_half *half, ccm_smb_pdu *pdu)
{
    const ccm_smb_header *h = &pdu->h;
    ccm_smb_request r;
    count_answer(st, ps, h);
    if (h->command == CCM_SMB_OPLOCK_BREAK && h->message_id == UINT64_MAX)
        return; /* a notification: nobody asked */
    if (h->status == CCM_NT_PENDING && (h->flags & CCM_SMB_FLAG_ASYNC)) {
        st->pending++;
        return;
    }
    if (ccm_smb_request_take(st, ps, h->message_id, &r)) {
        if (r.command == h->command)
            answer(st, ps, half, pdu, &r);
        ccm_smb_request_free(&r);
    } else if (h->command == CCM_SMB_NEGOTIATE) { /* SMB 1 asked */
        ccm_smb_negotiate_response(st, ps, pdu);
    } else if (h->command == CCM_SMB_READ) {
        read_answer(ps, half, pdu, NULL);
    } else if (h->command == CCM_SMB_WRITE) {
        unseen_write(st, ps, pdu);
    } else if (h->command == CCM_SMB_CLOSE) {
        st->close_unseen = true;
    } else if (h->command == CCM_SMB_SESSION_SETUP) {
        r = (ccm_smb_request){ .command = h->command, .session = h->session };
        ccm_smb_setup_response(st, ps, pdu, &r);
        ccm_smb_request_free(&r);
    } else if (h->command == CCM_SMB_TREE_CONNECT) {
        r = (ccm_smb_request){ .command = h->command, .session = h->session };
        tree_connected(st, ps, pdu, &r);
    } else if (h->command == CCM_SMB_CREATE) {
        ccm_smb_file *f = ccm_smb_file_new(st, ps);
        f->opened_unseen = true;
        created(st, ps, pdu, f);
        ccm_smb_file_unref(&f);
    }
}
