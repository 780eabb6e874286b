/* SPDX-License-Identifier: GPL-2.0-or-later
 * view_smb.c - the view's SMB: sessions, shares and files of each client and server.
 *
 * In: rows of a model. Out: ccm_view_smb in the order that view.h gives. State: none. */
#include "model/smb.h"
#include "model/view_auth.h"

static int text_cmp(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}

typedef struct order {
    const ccm_model *m;
} order;

static const char *known(const ccm_model *m, uint32_t text)
{
    return text == CCM_NONE ? NULL : ccm_texts_get(&m->texts, text);
}

static int pair_cmp(const ccm_smb_row *a, const ccm_smb_row *b)
{
    int r = ccm_addr_cmp(&a->server, &b->server);
    if (!r)
        r = (int)a->port - (int)b->port;
    return r ? r : ccm_addr_cmp(&a->client, &b->client);
}

/* Server, port, client; then what, name and all that makes a row a row. */
static int row_cmp(const void *pa, const void *pb, void *data)
{
    const ccm_smb_row *a = *(const ccm_smb_row *const *)pa, *b = *(const ccm_smb_row *const *)pb;
    const ccm_model *m = ((const order *)data)->m;
    int r = pair_cmp(a, b);
    if (!r)
        r = (int)a->what - (int)b->what;
    if (!r)
        r = text_cmp(known(m, a->name), known(m, b->name));
    if (!r)
        r = (int)a->flags - (int)b->flags;
    if (!r)
        r = (int)a->mode - (int)b->mode;
    if (!r)
        r = (int)a->kind - (int)b->kind;
    if (!r)
        r = text_cmp(known(m, a->detail), known(m, b->detail));
    return r ? r : text_cmp(known(m, a->status), known(m, b->status));
}

static ccm_view_smb_session session(view_maker *k, const view_auth *auth, const ccm_smb_row *r)
{
    unsigned kind = r->kind;
    const char *account = ccm_view_text(k, r->name);
    if (r->flags & CCM_SMB_IS_SPN)
        account = ccm_view_auth_owner(auth, &r->client, r->name,
                                      (ccm_ticket_use){ r->first_ns, r->last_ns }, &kind);
    return (ccm_view_smb_session){
        .mechanism = ccm_auth_mode_name(r->mode),
        .account_kind = ccm_account_kind_name(kind),
        .account = account,
        .dialect = ccm_view_text(k, r->detail),
        .status = ccm_view_text(k, r->status),
        .is_signed = r->flags & CCM_SMB_IS_SIGNED,
        .encrypted = r->flags & CCM_SMB_IS_ENCRYPTED,
        .answered = !(r->flags & CCM_SMB_UNANSWERED),
        .count = r->count,
        .first_frame = r->first_frame,
    };
}

static ccm_view_smb_share share(view_maker *k, const ccm_smb_row *r)
{
    const char *name = ccm_view_text(k, r->name);
    int mark = name ? ccm_catalog_share(k->m->catalog, ccm_span_str(name), (ccm_span){ 0 }) : -1;
    return (ccm_view_smb_share){
        .share = name ? name : "",
        .mark = mark < 0 ? NULL : ccm_mark_at(k->m->catalog, mark)->id,
        .title = mark < 0 ? NULL : ccm_mark_at(k->m->catalog, mark)->title,
        .status = ccm_view_text(k, r->status),
        .encrypted = r->flags & CCM_SMB_IS_ENCRYPTED,
        .count = r->count,
        .first_frame = r->first_frame,
    };
}

static ccm_view_smb_file file(view_maker *k, const ccm_smb_row *r)
{
    bool written = r->flags & CCM_SMB_WRITTEN, was_read = r->flags & CCM_SMB_WAS_READ;
    const char *name = ccm_view_text(k, r->name);
    return (ccm_view_smb_file){
        .path = name ? name : "",
        .direction = written && was_read ? "both"
                     : written           ? "write"
                     : was_read          ? "read"
                                         : "none",
        .written = r->bytes[0],
        .was_read = r->bytes[1],
        .missing = r->missing,
        .at_least = r->at_least,
        .handles = r->count,
        .complete = r->complete,
        .deleted = r->flags & CCM_SMB_IS_DELETED,
        .renamed_to = ccm_view_text(k, r->detail),
        .status = ccm_view_text(k, r->status),
        .first_frame = r->first_frame,
        .first_seen_ns = r->first_ns,
        .last_seen_ns = r->last_ns,
    };
}

/* A file that was written and deleted later, by whatever handle: what was written is of no use, but
 * for what was written anew after it. `v`: files of one client and server, sorted by path. */
static void find_discarded(ccm_view_smb_file *v, const uint64_t *size, const bool *refused,
                           unsigned n)
{
    for (unsigned i = 0, end; i < n; i = end) {
        uint64_t deleted_ns = 0;
        for (end = i; end < n && !strcmp(v[end].path, v[i].path); end++)
            if (v[end].deleted && !refused[end])
                deleted_ns = ccm_max64(deleted_ns, v[end].last_seen_ns);
        for (unsigned k = i; k < end; k++) {
            if (v[k].deleted)
                v[k].discarded = v[k].written;
            else if (v[k].first_seen_ns < deleted_ns)
                v[k].discarded = v[k].last_seen_ns <= deleted_ns ? v[k].written
                                 : v[k].written > size[k]        ? v[k].written - size[k]
                                                                 : 0;
        }
    }
}

/* The rows of one client and server. */
static ccm_view_smb talk(view_maker *k, const view_auth *auth, const ccm_smb_row *const *v,
                         unsigned n)
{
    ccm_view_smb_session *sessions = ccm_view_alloc(k, n, sizeof *sessions);
    ccm_view_smb_share *shares = ccm_view_alloc(k, n, sizeof *shares);
    ccm_view_smb_file *files = ccm_view_alloc(k, n, sizeof *files);
    uint64_t *size = g_new0(uint64_t, n);
    bool *refused = g_new0(bool, n); /* not even opened */
    ccm_view_smb out = { .client = v[0]->client,
                         .server = v[0]->server,
                         .port = v[0]->port,
                         .sessions = sessions,
                         .shares = shares,
                         .files = files };
    for (unsigned i = 0; i < n; i++) {
        switch ((ccm_smb_what)v[i]->what) {
        case CCM_SMB_SESSION:
            sessions[out.n_sessions++] = session(k, auth, v[i]);
            break;
        case CCM_SMB_SHARE:
            shares[out.n_shares++] = share(k, v[i]);
            break;
        case CCM_SMB_FILE:
            size[out.n_files] = v[i]->size;
            refused[out.n_files] = v[i]->status != CCM_NONE && !(v[i]->flags & CCM_SMB_BROKEN);
            files[out.n_files++] = file(k, v[i]);
            break;
        case CCM_SMB_TALK:
            out.connections += v[i]->count;
            out.negotiations += v[i]->complete;
            out.large_mtu |= v[i]->large_mtu;
            out.max_read = ccm_max64(out.max_read, v[i]->max_read);
            out.max_write = ccm_max64(out.max_write, v[i]->max_write);
            out.credit_charge = ccm_max64(out.credit_charge, v[i]->charge);
            out.credits = ccm_max64(out.credits, v[i]->credits);
            out.missing += v[i]->missing;
            for (unsigned d = 0; d < 2; d++) {
                out.bytes[d] += v[i]->bytes[d];
                out.encrypted[d] += v[i]->encrypted[d];
            }
            break;
        }
    }
    find_discarded(files, size, refused, out.n_files);
    g_free(size);
    g_free(refused);
    return out;
}

void ccm_view_make_smb(view_maker *k)
{
    const GArray *rows = k->m->smb->rows;
    const ccm_smb_row **sorted = g_new(const ccm_smb_row *, rows->len + 1u);
    ccm_view_smb *v = ccm_view_alloc(k, rows->len, sizeof *v);
    view_auth *auth = ccm_view_auth_new(k);
    order o = { k->m };
    unsigned n = 0;

    for (unsigned i = 0; i < rows->len; i++)
        sorted[i] = &g_array_index(rows, ccm_smb_row, i);
    ccm_sort(sorted, rows->len, sizeof *sorted, row_cmp, &o);
    for (unsigned i = 0, end; i < rows->len; i = end) {
        for (end = i + 1; end < rows->len && pair_cmp(sorted[i], sorted[end]) == 0;)
            end++;
        v[n++] = talk(k, auth, sorted + i, end - i);
    }
    k->view->smb = v;
    k->view->n_smb = n;
    (void)ccm_view_auth_free(auth);
    g_free(sorted);
}
