/* SPDX-License-Identifier: GPL-2.0-or-later
 * smb2_tell.c - what is told of trees, handles and the connection as a whole.
 * In: entries of the state. Out: smb_tree, smb_file, smb_requests, smb_answers, smb_done, limit.
 * State: none but the mark that a file was told. */
#include "proto/smb2_state.h"

void ccm_smb_status(ccm_obs *o, uint32_t status)
{
    const char *name = ccm_nt_status_name(status);
    ccm_obs_u64(o, CCM_KEY_nt_status, status);
    if (name)
        ccm_obs_str(o, CCM_KEY_status_name, ccm_span_str(name));
}

static void add_literal(ccm_obs *o, ccm_key key, const char *text)
{
    if (text)
        ccm_obs_str(o, key, ccm_span_str(text));
}

static const char *direction(const ccm_smb_file *f)
{
    bool writes = f->bytes[CCM_SMB_WRITES] > 0, reads = f->bytes[CCM_SMB_READS] > 0;
    return writes && reads ? "both" : writes ? "write" : reads ? "read" : "none";
}

/* Were there messages while it was open that nobody knows, and that are as large as those with
 * data?
 */
static bool may_lack(const ccm_smb *st, const ccm_smb_file *f)
{
    enum { SMALL = 1024 };
    for (unsigned i = 0; i < 2; i++) {
        bool reads = i != ccm_smb_client(st);
        if ((f->transfers[reads] || !f->transfers[!reads]) &&
            st->half[i].unread > f->unread[i] + SMALL)
            return true;
    }
    return false;
}

void ccm_smb_file_tell(const ccm_smb *st, const ccm_parse *ps, ccm_smb_file *f)
{
    static const ccm_key first[] = { CCM_KEY_write_offset, CCM_KEY_read_offset };
    static const ccm_key bytes[] = { CCM_KEY_write_bytes, CCM_KEY_read_bytes };
    static const ccm_key count[] = { CCM_KEY_writes, CCM_KEY_reads };
    if (f->told)
        return;
    f->told = true;
    ccm_obs o;
    ccm_obs_at(ps, &o, CCM_OBS_smb_file, ccm_smb_client(st));
    o.time_ns = f->time_ns;
    o.frame = f->frame;
    ccm_obs_str(&o, CCM_KEY_share, ccm_smb_span(f->share));
    ccm_obs_str(&o, CCM_KEY_path, ccm_smb_span(f->path));
    ccm_obs_str(&o, CCM_KEY_account, ccm_smb_span(f->account));
    if (f->session)
        ccm_obs_u64(&o, CCM_KEY_session, f->session);
    add_literal(&o, CCM_KEY_disposition, ccm_smb_disposition_name(f->disposition));
    if (f->answered)
        ccm_smb_status(&o, f->status);
    add_literal(&o, CCM_KEY_action, ccm_smb_action_name(f->action));
    add_literal(&o, CCM_KEY_direction, direction(f));
    for (unsigned i = 0; i < 2; i++) {
        if (!f->transfers[i] && !f->bytes[i])
            continue;
        ccm_obs_u64(&o, bytes[i], f->bytes[i]);
        ccm_obs_u64(&o, count[i], f->transfers[i]);
        if (f->first[i] != UINT64_MAX)
            ccm_obs_u64(&o, first[i], f->first[i]);
    }
    if (f->write_end)
        ccm_obs_u64(&o, CCM_KEY_write_end, f->write_end);
    if (f->missing[0] + f->missing[1])
        ccm_obs_u64(&o, CCM_KEY_body_missing_bytes, f->missing[0] + f->missing[1]);
    if (f->data_start_ns) {
        ccm_obs_u64(&o, CCM_KEY_data_start_ns, f->data_start_ns);
        ccm_obs_u64(&o, CCM_KEY_data_end_ns, ccm_max64(f->data_start_ns, f->data_end_ns));
    }
    if (f->end_ns)
        ccm_obs_u64(&o, CCM_KEY_end_ns, f->end_ns);
    if (f->transfer_status) {
        ccm_obs_u64(&o, CCM_KEY_transfer_status, f->transfer_status);
        add_literal(&o, CCM_KEY_transfer_status_name, ccm_nt_status_name(f->transfer_status));
    }
    if (f->has_size)
        ccm_obs_u64(&o, CCM_KEY_file_size, f->size);
    ccm_obs_flag(&o, CCM_KEY_directory, f->directory);
    ccm_obs_flag(&o, CCM_KEY_delete_on_close, f->delete_on_close);
    ccm_obs_str(&o, CCM_KEY_renamed_to, ccm_smb_span(f->renamed_to));
    ccm_obs_flag(&o, CCM_KEY_complete, f->closed && !f->opened_unseen);
    ccm_obs_flag(&o, CCM_KEY_incomplete, f->opened_unseen || f->path_cut);
    ccm_obs_flag(&o, CCM_KEY_at_least, may_lack(st, f));
    ps->emit(ps->emit_data, &o);
}

void ccm_smb_tree_tell(const ccm_smb *st, const ccm_parse *ps, const ccm_smb_request *r,
                       const ccm_smb_pdu *answer, uint8_t type, uint32_t flags)
{
    ccm_obs o;
    ccm_obs_at(ps, &o, CCM_OBS_smb_tree, ccm_smb_client(st));
    if (r->frame) {
        o.time_ns = r->time_ns;
        o.frame = r->frame;
    }
    ccm_obs_str(&o, CCM_KEY_share, ccm_smb_span(r->text));
    if (r->session)
        ccm_obs_u64(&o, CCM_KEY_session, r->session);
    if (answer)
        ccm_smb_status(&o, answer->h.status);
    add_literal(&o, CCM_KEY_share_type, ccm_smb_share_type_name(type));
    ccm_obs_flag(&o, CCM_KEY_encrypted, flags != 0);
    ccm_obs_flag(&o, CCM_KEY_incomplete, !r->text);
    ps->emit(ps->emit_data, &o);
}

static void requests_tell(const ccm_smb *st, const ccm_parse *ps, unsigned command)
{
    ccm_obs o;
    ccm_obs_at(ps, &o, CCM_OBS_smb_requests, ccm_smb_client(st));
    add_literal(&o, CCM_KEY_command, ccm_smb_command_name(command));
    ccm_obs_u64(&o, CCM_KEY_count, st->counts[command]);
    ps->emit(ps->emit_data, &o);
}

static void answers_tell(const ccm_smb *st, const ccm_parse *ps, const ccm_smb_answers *a)
{
    ccm_obs o;
    ccm_obs_at(ps, &o, CCM_OBS_smb_answers, !ccm_smb_client(st));
    o.time_ns = a->time_ns;
    o.frame = a->frame;
    add_literal(&o, CCM_KEY_command, ccm_smb_command_name(a->command));
    ccm_smb_status(&o, a->status);
    ccm_obs_u64(&o, CCM_KEY_count, a->count);
    ps->emit(ps->emit_data, &o);
}

void ccm_smb_counts_tell(const ccm_smb *st, const ccm_parse *ps)
{
    unsigned client = ccm_smb_client(st);
    ccm_obs o;
    for (unsigned i = 0; i < CCM_SMB_COMMANDS; i++)
        if (st->counts[i])
            requests_tell(st, ps, i);
    for (unsigned i = 0; i < st->n_answers; i++)
        answers_tell(st, ps, &st->answers[i]);
    ccm_obs_at(ps, &o, CCM_OBS_smb_done, client);
    add_literal(&o, CCM_KEY_dialect, st->dialect == 1 ? "1" : ccm_smb_dialect_name(st->dialect));
    ccm_obs_u64(&o, CCM_KEY_credit_charge, st->charge);
    ccm_obs_u64(&o, CCM_KEY_credits_granted, st->credits);
    ccm_obs_u64(&o, CCM_KEY_pdus, st->pdus);
    ccm_obs_u64(&o, CCM_KEY_signed_pdus, st->signed_pdus);
    ccm_obs_u64(&o, CCM_KEY_compressed_pdus, st->compressed_pdus);
    ccm_obs_u64(&o, CCM_KEY_encrypted_pdus, st->encrypted_pdus[0] + st->encrypted_pdus[1]);
    ccm_obs_u64(&o, CCM_KEY_encrypted_sent, st->encrypted_bytes[client]);
    ccm_obs_u64(&o, CCM_KEY_encrypted_received, st->encrypted_bytes[!client]);
    ccm_obs_u64(&o, CCM_KEY_write_bytes, st->bytes[CCM_SMB_WRITES]);
    ccm_obs_u64(&o, CCM_KEY_read_bytes, st->bytes[CCM_SMB_READS]);
    ccm_obs_u64(&o, CCM_KEY_body_missing_bytes, st->missing[0] + st->missing[1]);
    ps->emit(ps->emit_data, &o);
    if (!st->limit_hits)
        return;
    ccm_obs_at(ps, &o, CCM_OBS_limit, client);
    ccm_obs_str(&o, CCM_KEY_limit, ccm_span_str("smb_entries"));
    ccm_obs_u64(&o, CCM_KEY_count, st->limit_hits);
    ps->emit(ps->emit_data, &o);
}
