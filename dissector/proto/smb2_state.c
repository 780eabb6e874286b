/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb2_state.c - what an SMB connection has open, and who owns it.
 * In: calls of the files that read messages. Out: observations of what goes. State: ccm_smb.
 * Adding to a table may remove and move other records, so nobody keeps pointers to them. */
#include "proto/smb2_state.h"

#include "proto/utf16.h"

/* ---- texts ----------------------------------------------------------------------------------- */

char *ccm_smb_copy(ccm_span s)
{
    return s.n ? g_ref_string_new_len((const char *)s.p, (gssize)s.n) : NULL;
}

char *ccm_smb_text(ccm_span utf16, bool *cut)
{
    uint8_t text[CCM_SMB_PATH];
    size_t n = ccm_utf16_to_utf8(utf16, false, text, sizeof text);
    if (cut)
        *cut |= utf16.n / 2 > sizeof text || n + 3 > sizeof text;
    return ccm_smb_copy(ccm_span_of(text, n));
}

ccm_span ccm_smb_span(const char *text)
{
    return text ? ccm_span_of(text, g_ref_string_length((char *)text)) : (ccm_span){ 0 };
}

void ccm_smb_drop(char **text)
{
    if (*text)
        g_ref_string_release(*text);
    *text = NULL;
}

static char *share_text(char *text)
{
    return text ? g_ref_string_acquire(text) : NULL;
}

/* ---- room ------------------------------------------------------------------------------------ */

static void count_entry(ccm_smb *st, const ccm_parse *ps, int change)
{
    st->entries += (unsigned)change;
    if (ps->smb_entries)
        *ps->smb_entries += (unsigned)change;
}

static void *add(ccm_smb *st, const ccm_parse *ps, ccm_smb_table *t, uint64_t a, uint64_t b)
{
    count_entry(st, ps, 1);
    return ccm_smb_table_add(t, a, b);
}

static void remove_from(ccm_smb *st, const ccm_parse *ps, ccm_smb_table *t, void *record)
{
    ccm_smb_table_remove(t, record);
    count_entry(st, ps, -1);
}

typedef struct file_entry {
    ccm_smb_key key; /* file id */
    ccm_smb_file *file;
} file_entry;

void ccm_smb_init(ccm_smb *st)
{
    st->client = -1;
    st->dialect = CCM_SMB_NONE;
    st->requests.size = sizeof(ccm_smb_request);
    st->files.size = sizeof(file_entry);
    st->sessions.size = sizeof(ccm_smb_session);
    st->trees.size = sizeof(ccm_smb_tree);
}

static void request_lost(ccm_smb *st, const ccm_parse *ps, ccm_smb_request *r);

static void tree_remove(ccm_smb *st, const ccm_parse *ps, ccm_smb_tree *t)
{
    ccm_smb_drop(&t->share);
    remove_from(st, ps, &st->trees, t);
}

static void forget(ccm_smb *st, ccm_parse *ps, const ccm_smb_table *t, void *record)
{
    if (t == &st->requests)
        request_lost(st, ps, record);
    else if (t == &st->files)
        ccm_smb_file_close(st, ps, ((file_entry *)record)->file);
    else if (t == &st->trees)
        tree_remove(st, ps, record);
    else
        ccm_smb_session_remove(st, ps, record);
}

/* Lets the coldest entry of the fullest table go. */
static bool evict(ccm_smb *st, ccm_parse *ps)
{
    ccm_smb_table *tables[] = { &st->requests, &st->files, &st->trees, &st->sessions };
    ccm_smb_table *t = tables[0];
    for (unsigned i = 1; i < G_N_ELEMENTS(tables); i++)
        if (tables[i]->n > t->n)
            t = tables[i];
    void *coldest = ccm_smb_table_coldest(t);
    if (coldest)
        forget(st, ps, t, coldest);
    return coldest;
}

static bool full(const ccm_smb *st, const ccm_parse *ps)
{
    unsigned max = ps->limits->smb_entries;
    return st->entries >= max || (ps->smb_entries && *ps->smb_entries >= max);
}

/* For a record with this key in `t`. */
static bool room(ccm_smb *st, ccm_parse *ps, ccm_smb_table *t, uint64_t a, uint64_t b)
{
    void *crowd = ccm_smb_table_crowd(t, a, b);
    if (crowd) {
        st->limit_hits++;
        forget(st, ps, t, crowd);
    }
    while (full(st, ps)) {
        st->limit_hits++;
        if (!evict(st, ps))
            return false;
    }
    return true;
}

/* ---- files ----------------------------------------------------------------------------------- */

ccm_smb_file *ccm_smb_file_new(const ccm_smb *st, const ccm_parse *ps)
{
    ccm_smb_file *f = g_new0(ccm_smb_file, 1);
    f->refs = 1;
    f->time_ns = ps->time_ns;
    f->frame = ps->frame;
    f->disposition = f->action = CCM_SMB_NONE;
    for (unsigned i = 0; i < 2; i++)
        f->unread[i] = st->half[i].unread;
    f->first[CCM_SMB_WRITES] = f->first[CCM_SMB_READS] = UINT64_MAX;
    return f;
}

ccm_smb_file *ccm_smb_file_ref(ccm_smb_file *f)
{
    if (f)
        f->refs++;
    return f;
}

void ccm_smb_file_unref(ccm_smb_file **file)
{
    ccm_smb_file *f = *file;
    *file = NULL;
    if (!f || --f->refs)
        return;
    char **texts[] = { &f->path, &f->share, &f->account, &f->renamed_to };
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
        ccm_smb_drop(texts[i]);
    g_free(f);
}

ccm_smb_file *ccm_smb_file_get(ccm_smb *st, ccm_parse *ps, uint64_t a, uint64_t b)
{
    file_entry *e = ccm_smb_table_find(&st->files, a, b);
    if (e)
        return e->file;
    if (!room(st, ps, &st->files, a, b))
        return NULL;
    ccm_smb_file *f = ccm_smb_file_new(st, ps), *kept = f;
    f->opened_unseen = true;
    ccm_smb_file_open(st, ps, f, a, b);
    ccm_smb_file_unref(&f); /* the table keeps it */
    return kept->in_table ? kept : NULL;
}

void ccm_smb_file_open(ccm_smb *st, ccm_parse *ps, ccm_smb_file *f, uint64_t a, uint64_t b)
{
    file_entry *e = ccm_smb_table_find(&st->files, a, b);
    if (f->in_table || (e && e->file == f))
        return;
    if (e) /* its end was not seen */
        ccm_smb_file_close(st, ps, e->file);
    f->id[0] = a;
    f->id[1] = b;
    if (!room(st, ps, &st->files, a, b)) {
        ccm_smb_file_tell(st, ps, f);
        return;
    }
    e = add(st, ps, &st->files, a, b);
    e->file = ccm_smb_file_ref(f);
    f->in_table = true;
}

ccm_smb_file *ccm_smb_file_only(ccm_smb *st, const ccm_smb_header *answer)
{
    enum { FEW = 64 }; /* each answer asks */
    const ccm_smb_tree *t = answer->flags & CCM_SMB_FLAG_ASYNC
                                ? NULL
                                : ccm_smb_table_find(&st->trees, answer->tree, answer->session);
    ccm_smb_file *found = NULL;
    /* Which ones are open must be known. */
    if (st->files.n > FEW || st->close_unseen || st->half[!ccm_smb_client(st)].unread)
        return NULL;
    for (uint32_t i = 0; i < st->files.cap; i++) {
        const file_entry *e = ccm_smb_table_at(&st->files, i);
        if (!e || e->file->directory || (e->file->session && e->file->session != answer->session) ||
            (t && t->share && e->file->share && strcmp(e->file->share, t->share)))
            continue;
        if (found)
            return NULL;
        found = e->file;
    }
    return found;
}

void ccm_smb_file_close(ccm_smb *st, ccm_parse *ps, ccm_smb_file *f)
{
    ccm_smb_file_tell(st, ps, f);
    if (!f->in_table)
        return;
    f->in_table = false;
    file_entry *e = ccm_smb_table_find(&st->files, f->id[0], f->id[1]);
    if (!e)
        return;
    remove_from(st, ps, &st->files, e);
    ccm_smb_file_unref(&f);
}

/* ---- requests -------------------------------------------------------------------------------- */

void ccm_smb_request_free(ccm_smb_request *r)
{
    ccm_smb_file_unref(&r->file);
    ccm_smb_drop(&r->text);
    ccm_smb_auth_free(&r->auth);
}

bool ccm_smb_request_take(ccm_smb *st, const ccm_parse *ps, uint64_t message_id,
                          ccm_smb_request *out)
{
    ccm_smb_request *r = ccm_smb_table_find(&st->requests, message_id, 0);
    if (!r)
        return false;
    *out = *r;
    remove_from(st, ps, &st->requests, r);
    return true;
}

/* Its answer will not come, or not be recognised. */
static void request_lost(ccm_smb *st, const ccm_parse *ps, ccm_smb_request *r)
{
    if (r->command == CCM_SMB_TREE_CONNECT)
        ccm_smb_tree_tell(st, ps, r, NULL, 0, 0);
    if (r->command == CCM_SMB_CREATE && r->file)
        ccm_smb_file_tell(st, ps, r->file);
    if (r->command == CCM_SMB_SESSION_SETUP && r->auth) {
        ccm_smb_session unanswered = { .key.a = r->session, .auth = r->auth, .open = true };
        ccm_smb_session *s = r->session ? ccm_smb_session_find(st, r->session) : NULL;
        if (s) /* told with it */
            ccm_smb_session_result(s, &r->auth, CCM_NT_MORE_PROCESSING);
        else
            ccm_smb_session_tell(st, ps, &unanswered);
    }
    ccm_smb_request_free(r);
    remove_from(st, ps, &st->requests, r);
}

void ccm_smb_request_put(ccm_smb *st, ccm_parse *ps, ccm_smb_request *r)
{
    ccm_smb_request *old = ccm_smb_table_find(&st->requests, r->key.a, 0);
    if (old)
        request_lost(st, ps, old);
    if (!room(st, ps, &st->requests, r->key.a, 0)) {
        ccm_smb_request_free(r);
        return;
    }
    ccm_smb_request *to = add(st, ps, &st->requests, r->key.a, 0);
    ccm_smb_key key = to->key;
    *to = *r;
    to->key = key;
}

/* ---- sessions and trees ---------------------------------------------------------------------- */

ccm_smb_session *ccm_smb_session_find(ccm_smb *st, uint64_t id)
{
    return ccm_smb_table_find(&st->sessions, id, 0);
}

ccm_smb_session *ccm_smb_session_get(ccm_smb *st, ccm_parse *ps, uint64_t id)
{
    ccm_smb_session *s = ccm_smb_session_find(st, id);
    return s ? s : room(st, ps, &st->sessions, id, 0) ? add(st, ps, &st->sessions, id, 0) : NULL;
}

void ccm_smb_session_remove(ccm_smb *st, const ccm_parse *ps, ccm_smb_session *s)
{
    ccm_smb_session_tell(st, ps, s);
    ccm_smb_auth_free(&s->auth);
    ccm_smb_drop(&s->account);
    remove_from(st, ps, &st->sessions, s);
}

void ccm_smb_tree_add(ccm_smb *st, ccm_parse *ps, uint32_t tree, uint64_t session, char *share)
{
    ccm_smb_tree *t = ccm_smb_table_find(&st->trees, tree, session);
    if (!t && room(st, ps, &st->trees, tree, session))
        t = add(st, ps, &st->trees, tree, session);
    if (!t) {
        ccm_smb_drop(&share);
        return;
    }
    ccm_smb_drop(&t->share);
    t->share = share;
}

void ccm_smb_tree_remove(ccm_smb *st, const ccm_parse *ps, uint32_t tree, uint64_t session)
{
    ccm_smb_tree *t = ccm_smb_table_find(&st->trees, tree, session);
    if (t)
        tree_remove(st, ps, t);
}

char *ccm_smb_tree_share(ccm_smb *st, uint32_t tree, uint64_t session)
{
    ccm_smb_tree *t = ccm_smb_table_find(&st->trees, tree, session);
    return t ? share_text(t->share) : NULL;
}

void ccm_smb_clear(ccm_smb *st, ccm_parse *ps)
{
    /* What stands behind a record that goes may take its place: look there again. */
    for (uint32_t i = 0; i < st->requests.cap; i++)
        for (void *r; (r = ccm_smb_table_at(&st->requests, i)) != NULL;)
            request_lost(st, ps, r);
    for (unsigned i = 0; i < 2; i++) {
        ccm_smb_file_unref(&st->half[i].transfer);
        ccm_smb_file_unref(&st->half[i].chain);
    }
    for (uint32_t i = 0; i < st->files.cap; i++)
        for (file_entry *e; (e = ccm_smb_table_at(&st->files, i)) != NULL;)
            ccm_smb_file_close(st, ps, e->file);
    for (uint32_t i = 0; i < st->sessions.cap; i++)
        for (void *s; (s = ccm_smb_table_at(&st->sessions, i)) != NULL;)
            ccm_smb_session_remove(st, ps, s);
    for (uint32_t i = 0; i < st->trees.cap; i++)
        for (void *t; (t = ccm_smb_table_at(&st->trees, i)) != NULL;)
            tree_remove(st, ps, t);
    ccm_smb_table *tables[] = { &st->requests, &st->files, &st->sessions, &st->trees };
    for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++)
        ccm_smb_table_clear(tables[i]);
    ccm_smb_drop(&st->offered);
}
