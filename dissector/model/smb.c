/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb.c - folds observations of SMB into the evidence.
 *
 * In: smb_negotiate, smb_session, smb_tree, smb_file, smb_requests, smb_done. Out: rows of SMB,
 * counters and route of the flow, roles of hosts, verdicts of the stage `session`. State: see
 * smb.h; the flow remembers which mark named its route, so that a surer one may take its place.
 * Spec: auth-modes.md 6.3 (M1 to M6), ccm-protocol.md 7. */
#include "model/smb.h"
#include "model/proofs.h"

struct ccm_smb_sums *ccm_smb_sums_new(void)
{
    struct ccm_smb_sums *s = g_new0(struct ccm_smb_sums, 1);
    s->rows = g_array_new(FALSE, FALSE, sizeof(ccm_smb_row));
    ccm_index_init(&s->index, 16);
    return s;
}

void ccm_smb_sums_free(struct ccm_smb_sums *s)
{
    g_array_free(s->rows, TRUE);
    ccm_index_clear(&s->index);
    g_free(s);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static bool row_eq(const void *table, uint32_t value, const void *key)
{
    const ccm_smb_row *a = &g_array_index((GArray *)table, ccm_smb_row, value), *b = key;
    return a->name == b->name && a->detail == b->detail && a->status == b->status &&
           a->port == b->port && a->what == b->what && a->flags == b->flags && a->mode == b->mode &&
           a->kind == b->kind && ccm_addr_eq(&a->client, &b->client) &&
           ccm_addr_eq(&a->server, &b->server);
}

static uint32_t row_hash(const ccm_smb_row *r)
{
    uint64_t h = ccm_mix(ccm_mix(11, (uint64_t)r->name << 32 | r->detail),
                         (uint64_t)r->status << 32 | (uint64_t)r->port << 16 |
                             (uint64_t)r->what << 8 | r->flags);
    h = ccm_hash_addr(ccm_mix(h, (uint64_t)r->mode << 8 | r->kind), &r->client);
    return ccm_hash_end(ccm_hash_addr(h, &r->server));
}

static void add_row(ccm_model *m, const ccm_smb_row *add)
{
    GArray *rows = m->smb->rows;
    uint32_t hash = row_hash(add);
    uint32_t at = ccm_index_find(&m->smb->index, hash, row_eq, rows, add);

    if (at == CCM_NONE) {
        if (rows->len >= CCM_SMB_ROWS) {
            ccm_model_limit(m, "smb_rows", 1);
            return;
        }
        ccm_index_add(&m->smb->index, hash, rows->len);
        g_array_append_val(rows, *add);
        return;
    }
    ccm_smb_row *r = &g_array_index(rows, ccm_smb_row, at);
    r->count += add->count;
    r->complete += add->complete;
    for (unsigned i = 0; i < 2; i++) {
        r->bytes[i] += add->bytes[i];
        r->encrypted[i] += add->encrypted[i];
    }
    r->missing += add->missing;
    r->at_least |= add->at_least;
    r->large_mtu |= add->large_mtu;
    r->max_read = ccm_max64(r->max_read, add->max_read);
    r->max_write = ccm_max64(r->max_write, add->max_write);
    r->charge = ccm_max64(r->charge, add->charge);
    r->credits = ccm_max64(r->credits, add->credits);
    if (add->first_frame && (!r->first_frame || add->first_frame < r->first_frame))
        r->first_frame = add->first_frame;
    if (add->last_ns > r->last_ns || (add->last_ns == r->last_ns && add->size > r->size))
        r->size = add->size;
    r->first_ns = ccm_min64(r->first_ns, add->first_ns);
    r->last_ns = ccm_max64(r->last_ns, add->last_ns);
}

static uint32_t text(ccm_model *m, ccm_span s)
{
    return s.n ? ccm_texts_add(&m->texts, s) : CCM_NONE;
}

static ccm_smb_row row_of(const ccm_obs *obs, ccm_smb_what what)
{
    return (ccm_smb_row){ .client = obs->src.addr,
                          .server = obs->dst.addr,
                          .port = obs->dst.port,
                          .what = (uint8_t)what,
                          .name = CCM_NONE,
                          .detail = CCM_NONE,
                          .status = CCM_NONE,
                          .count = 1,
                          .first_frame = obs->frame,
                          .first_ns = obs->time_ns,
                          .last_ns = obs->time_ns };
}

static bool succeeded(const ccm_obs *obs)
{
    return ccm_obs_has(obs, CCM_KEY_nt_status) &&
           ccm_obs_get_u64(obs, CCM_KEY_nt_status) >> 30 != 3;
}

static uint32_t status_text(ccm_model *m, const ccm_obs *obs, ccm_key number, ccm_key name)
{
    char digits[16];
    ccm_span s = ccm_obs_get_str(obs, name);

    if (!s.n) {
        g_snprintf(digits, sizeof digits, "0x%08x", (unsigned)ccm_obs_get_u64(obs, number));
        s = ccm_span_str(digits);
    }
    return text(m, s);
}

/* The name of a failure, or its number; CCM_NONE: it was none, or no answer was seen. */
static uint32_t failure(ccm_model *m, const ccm_obs *obs, ccm_smb_row *r)
{
    if (!ccm_obs_has(obs, CCM_KEY_nt_status))
        r->flags |= CCM_SMB_UNANSWERED;
    if (succeeded(obs) || !ccm_obs_has(obs, CCM_KEY_nt_status))
        return CCM_NONE;
    return status_text(m, obs, CCM_KEY_nt_status, CCM_KEY_status_name);
}

/* Of a file that was opened: why data did not get through. Pipes fail by being closed. */
static uint32_t broken(ccm_model *m, const ccm_obs *obs, ccm_smb_row *r)
{
    ccm_span share = ccm_obs_get_str(obs, CCM_KEY_share);

    if (!ccm_obs_has(obs, CCM_KEY_transfer_status) ||
        (share.n >= 4 && !memcmp(share.p + share.n - 4, "IPC$", 4)))
        return CCM_NONE;
    r->flags |= CCM_SMB_BROKEN;
    return status_text(m, obs, CCM_KEY_transfer_status, CCM_KEY_transfer_status_name);
}

/* ---- routes and roles ------------------------------------------------------------------------ */

static void evidence(ccm_model *m, const ccm_obs *obs, int mark, bool server, bool ok)
{
    ccm_evidence e = { .mark = (int16_t)mark,
                       .server = server,
                       .port = server ? obs->dst.port : 0,
                       .count = 1,
                       .first_frame = obs->frame,
                       .ok = ok,
                       .denied = !ok };
    ccm_host_evidence(m, ccm_host_get(m, server ? &obs->dst.addr : &obs->src.addr), &e);
}

/* A share, or a path in it, was seen; `ok`: it is really there. */
static void on_mark(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs, int at, bool ok)
{
    const ccm_mark *mark = ccm_mark_at(m->catalog, at);

    if (mark->server_role >= 0 && !ccm_obs_has(obs, CCM_KEY_through)) /* else a proxy's address */
        evidence(m, obs, at, true, ok);
    if (mark->client_role >= 0 && ok)
        evidence(m, obs, at, false, ok);
    if (!ok || mark->route < 0)
        return;
    if (f->edge == CCM_NONE &&
        (f->mark < 0 || ccm_mark_at(m->catalog, f->mark)->certainty < mark->certainty)) {
        f->route = mark->route;
        f->mark = (int16_t)at;
    }
    if (f->route == mark->route)
        ccm_model_flow_count(m, f, CCM_COUNT_KEY(CCM_COUNT_MARK, at));
}

/* ---- sessions -------------------------------------------------------------------------------- */

static void mark_verdict(ccm_auth_verdict *v, ccm_auth_evidence id, uint64_t frame)
{
    if (v->n < CCM_VERDICT_EVIDENCE)
        v->evidence[v->n++] = (ccm_auth_mark){ .id = (uint8_t)id, .frame = frame };
}

static ccm_auth_verdict verdict_of(ccm_model *m, const ccm_obs *obs)
{
    ccm_span mechanism = ccm_obs_get_str(obs, CCM_KEY_mechanism);
    ccm_span name = ccm_obs_get_str(obs, CCM_KEY_account);
    bool ntlm = ccm_text_same(mechanism, "ntlm"), kerberos = ccm_text_same(mechanism, "kerberos");
    bool none = ccm_obs_has(obs, CCM_KEY_anonymous) || ccm_obs_has(obs, CCM_KEY_null_session);
    bool guest = ccm_obs_has(obs, CCM_KEY_guest);
    bool answered = ccm_obs_has(obs, CCM_KEY_nt_status);
    ccm_auth_verdict v = { .stage = CCM_STAGE_SESSION,
                           .mode = (uint8_t)(none       ? CCM_AUTH_ANONYMOUS
                                             : guest    ? CCM_AUTH_GUEST
                                             : ntlm     ? CCM_AUTH_NTLM
                                             : kerberos ? CCM_AUTH_KERBEROS
                                                        : CCM_AUTH_NONE_OBSERVED),
                           .kind = none ? CCM_ACCOUNT_ANONYMOUS : ccm_auth_account_kind(name),
                           .account = CCM_NONE,
                           .spn = CCM_NONE,
                           .time_ns = obs->time_ns,
                           .denied = answered && !succeeded(obs),
                           .certainty = CCM_CERTAINTY_PROVEN };
    v.account =
        none ? CCM_NONE : ccm_auth_account(&m->texts, ccm_obs_get_str(obs, CCM_KEY_domain), name);
    if (kerberos)
        v.spn = ccm_auth_ticket(&m->texts,
                                ccm_auth_spn_host(&m->texts, ccm_obs_get_str(obs, CCM_KEY_spn)),
                                ccm_obs_get_u64(obs, CCM_KEY_ticket_hash));
    if (v.denied)
        mark_verdict(&v, CCM_EV_DENIED, obs->frame);
    if (guest)
        mark_verdict(&v, CCM_EV_SMB_GUEST, obs->frame);
    if (none)
        mark_verdict(&v, ntlm ? CCM_EV_NTLM_ANONYMOUS : CCM_EV_SMB_NULL_SESSION, obs->frame);
    if (kerberos)
        mark_verdict(&v, CCM_EV_SPNEGO_KERBEROS, obs->frame);
    else if (ntlm && name.n)
        mark_verdict(&v, CCM_EV_NTLM_TYPE3, obs->frame);
    if (!answered) {
        v.certainty = CCM_CERTAINTY_LIKELY;
        mark_verdict(&v, CCM_EV_NO_RESPONSE, obs->frame);
    }
    if (v.mode == CCM_AUTH_NONE_OBSERVED) {
        v.certainty = CCM_CERTAINTY_UNKNOWN;
        mark_verdict(&v, CCM_EV_CONNECTION_INCOMPLETE, obs->frame);
    }
    return v;
}

static void on_session(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs)
{
    ccm_auth_verdict v = verdict_of(m, obs);
    ccm_smb_row r = row_of(obs, CCM_SMB_SESSION);

    r.mode = v.mode;
    r.kind = v.kind;
    r.name = v.account != CCM_NONE ? v.account : v.spn;
    r.detail = text(m, ccm_obs_get_str(obs, CCM_KEY_dialect));
    r.flags = (uint8_t)((ccm_obs_has(obs, CCM_KEY_signed) ? CCM_SMB_IS_SIGNED : 0) |
                        (ccm_obs_has(obs, CCM_KEY_encrypted) ? CCM_SMB_IS_ENCRYPTED : 0) |
                        (v.account == CCM_NONE && v.spn != CCM_NONE ? CCM_SMB_IS_SPN : 0));
    r.status = failure(m, obs, &r);
    add_row(m, &r);
    ccm_proofs_verdict(m, f, &v);
}

/* ---- shares and files ------------------------------------------------------------------------ */

static void on_tree(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs)
{
    enum { ACCESS_DENIED = 0xc0000022, BAD_NETWORK_NAME = 0xc00000cc };
    ccm_span share = ccm_obs_get_str(obs, CCM_KEY_share);
    ccm_smb_row r = row_of(obs, CCM_SMB_SHARE);
    uint64_t status = ccm_obs_get_u64(obs, CCM_KEY_nt_status);
    int mark = ccm_catalog_share(m->catalog, share, (ccm_span){ 0 });

    r.name = text(m, share);
    r.status = failure(m, obs, &r);
    r.flags |= ccm_obs_has(obs, CCM_KEY_encrypted) ? CCM_SMB_IS_ENCRYPTED : 0;
    add_row(m, &r);
    if (mark >= 0)
        on_mark(m, f, obs, mark, succeeded(obs) || status == (uint32_t)ACCESS_DENIED);
}

/* \\SERVER\SHARE\PATH; only the end of one that is too long, which tells more. */
static uint32_t full_path(ccm_model *m, const ccm_obs *obs)
{
    uint8_t room[CCM_TEXT_MAX];
    ccm_span share = ccm_obs_get_str(obs, CCM_KEY_share), path = ccm_obs_get_str(obs, CCM_KEY_path);
    size_t n = MIN(share.n, sizeof room / 2);

    if (!path.n)
        return text(m, share);
    if (n)
        memcpy(room, share.p, n);
    if (n)
        room[n++] = '\\';
    size_t rest = MIN(path.n, sizeof room - n);
    memcpy(room + n, path.p + path.n - rest, rest);
    return text(m, ccm_span_of(room, n + rest));
}

static void on_file(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs)
{
    ccm_smb_row r = row_of(obs, CCM_SMB_FILE);
    ccm_span path = ccm_obs_get_str(obs, CCM_KEY_path);
    bool good = succeeded(obs) || !ccm_obs_has(obs, CCM_KEY_nt_status);
    int mark = path.n && good
                   ? ccm_catalog_share(m->catalog, ccm_obs_get_str(obs, CCM_KEY_share), path)
                   : -1;

    if (mark >= 0 && ccm_mark_at(m->catalog, mark)->path.n)
        on_mark(m, f, obs, mark, true);
    if (mark >= 0 &&
        ccm_mark_at(m->catalog, mark)->server_role == ccm_catalog_role(m->catalog, "dp"))
        ccm_content_file(m, f, obs);
    r.bytes[0] = ccm_obs_get_u64(obs, CCM_KEY_write_bytes);
    r.bytes[1] = ccm_obs_get_u64(obs, CCM_KEY_read_bytes);
    bool deleted = ccm_obs_has(obs, CCM_KEY_delete_on_close);
    ccm_span renamed = ccm_obs_get_str(obs, CCM_KEY_renamed_to);
    if (!r.bytes[0] && !r.bytes[1] && !renamed.n && good &&
        (!deleted || ccm_obs_has(obs, CCM_KEY_directory)))
        return; /* looked at, no more */
    r.name = full_path(m, obs);
    r.detail = text(m, renamed);
    r.status = failure(m, obs, &r);
    if (r.status == CCM_NONE)
        r.status = broken(m, obs, &r);
    r.flags |= (uint8_t)((deleted ? CCM_SMB_IS_DELETED : 0) | (r.bytes[0] ? CCM_SMB_WRITTEN : 0) |
                         (r.bytes[1] ? CCM_SMB_WAS_READ : 0));
    r.complete = ccm_obs_has(obs, CCM_KEY_complete);
    r.size = ccm_obs_get_u64(obs, CCM_KEY_write_end);
    r.missing = ccm_obs_get_u64(obs, CCM_KEY_body_missing_bytes);
    r.at_least = ccm_obs_has(obs, CCM_KEY_at_least);
    r.last_ns = ccm_max64(r.last_ns, ccm_max64(ccm_obs_get_u64(obs, CCM_KEY_end_ns),
                                               ccm_obs_get_u64(obs, CCM_KEY_data_end_ns)));
    add_row(m, &r);
}

/* What the server allows; of a first step, before the dialect is agreed on, nothing is valid yet.
 */
static void on_negotiate(ccm_model *m, const ccm_obs *obs)
{
    ccm_smb_row r = row_of(obs, CCM_SMB_TALK);
    ccm_span dialect = ccm_obs_get_str(obs, CCM_KEY_dialect);

    if (!ccm_obs_has(obs, CCM_KEY_max_read_size) || ccm_text_same(dialect, "2.???"))
        return;
    r.client = obs->dst.addr; /* the sender is the server */
    r.server = obs->src.addr;
    r.port = obs->src.port;
    r.detail = text(m, dialect);
    r.count = 0;
    r.complete = 1;
    r.large_mtu = ccm_obs_has(obs, CCM_KEY_large_mtu);
    r.max_read = ccm_obs_get_u64(obs, CCM_KEY_max_read_size);
    r.max_write = ccm_obs_get_u64(obs, CCM_KEY_max_write_size);
    add_row(m, &r);
}

static void on_done(ccm_model *m, const ccm_obs *obs)
{
    ccm_smb_row r = row_of(obs, CCM_SMB_TALK);

    r.detail = text(m, ccm_obs_get_str(obs, CCM_KEY_dialect));
    r.bytes[0] = ccm_obs_get_u64(obs, CCM_KEY_write_bytes);
    r.bytes[1] = ccm_obs_get_u64(obs, CCM_KEY_read_bytes);
    r.encrypted[0] = ccm_obs_get_u64(obs, CCM_KEY_encrypted_sent);
    r.encrypted[1] = ccm_obs_get_u64(obs, CCM_KEY_encrypted_received);
    r.missing = ccm_obs_get_u64(obs, CCM_KEY_body_missing_bytes);
    r.charge = ccm_obs_get_u64(obs, CCM_KEY_credit_charge);
    r.credits = ccm_obs_get_u64(obs, CCM_KEY_credits_granted);
    add_row(m, &r);
}

static void on_requests(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs)
{
    ccm_span command = ccm_obs_get_str(obs, CCM_KEY_command);
    uint64_t count = ccm_obs_get_u64(obs, CCM_KEY_count);

    if (!command.n || !count)
        return;
    ccm_model_flow_count_many(m, f, CCM_COUNT_KEY(CCM_COUNT_SMB, text(m, command)),
                              (uint32_t)ccm_min64(count, UINT32_MAX));
}

void ccm_model_smb(ccm_model *m, const ccm_obs *obs)
{
    if (!obs->flow)
        return;
    ccm_model_flow *f = ccm_model_flow_get(m, obs);
    bool by_server = obs->kind == CCM_OBS_smb_negotiate || obs->kind == CCM_OBS_smb_answers;
    if (!ccm_model_flow_decided(f) && obs->kind != CCM_OBS_smb_auth)
        f->client = by_server == ccm_endpoint_eq(&f->end[0], &obs->src);
    switch (obs->kind) {
    case CCM_OBS_smb_negotiate:
        on_negotiate(m, obs);
        break;
    case CCM_OBS_smb_session:
        on_session(m, f, obs);
        break;
    case CCM_OBS_smb_tree:
        on_tree(m, f, obs);
        break;
    case CCM_OBS_smb_file:
        on_file(m, f, obs);
        break;
    case CCM_OBS_smb_requests:
        on_requests(m, f, obs);
        break;
    case CCM_OBS_smb_done:
        on_done(m, obs);
        break;
    default:
        break;
    }
}

/* ---- merging --------------------------------------------------------------------------------- */

void ccm_smb_merge(ccm_model *to, const ccm_model *from)
{
    for (unsigned i = 0; i < from->smb->rows->len; i++) {
        ccm_smb_row r = g_array_index(from->smb->rows, ccm_smb_row, i);
        uint32_t *texts[] = { &r.name, &r.detail, &r.status };
        for (unsigned t = 0; t < G_N_ELEMENTS(texts); t++)
            if (*texts[t] != CCM_NONE)
                *texts[t] =
                    ccm_texts_add(&to->texts, ccm_span_str(ccm_texts_get(&from->texts, *texts[t])));
        add_row(to, &r);
    }
}
