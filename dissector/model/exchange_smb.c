/* SPDX-License-Identifier: GPL-2.0-or-later
 * exchange_smb.c - a handle of SMB as a record of the same kind as an HTTP exchange.
 *
 * In: one smb_file. Out: an exchange: method READ, WRITE, READ+WRITE, RENAME, DELETE or OPEN, the
 * full path as target, file data as bodies. The route comes from the share alone. State: none. */
#include "model/exchange_smb.h"
#include "model/conclude.h"

/* Appends a text with its NUL; returns where it begins + 1, 0 for an empty one. */
static size_t put(GString *text, ccm_span s)
{
    size_t at = text->len + 1;
    if (!s.n)
        return 0;
    ccm_text_append(text, s);
    g_string_append_c(text, '\0');
    return at;
}

static const char *method_of(const ccm_obs *obs, const ccm_exchange *x)
{
    if (x->request_bytes && x->response_bytes)
        return "READ+WRITE";
    if (x->request_bytes)
        return "WRITE";
    if (x->response_bytes)
        return "READ";
    return ccm_obs_has(obs, CCM_KEY_renamed_to) ? "RENAME" : x->smb.deleted ? "DELETE" : "OPEN";
}

static void set_route(const ccm_catalog *c, const ccm_obs *obs, ccm_exchange *x)
{
    int mark = ccm_catalog_share(c, ccm_obs_get_str(obs, CCM_KEY_share),
                                 ccm_obs_get_str(obs, CCM_KEY_path));
    int row = mark < 0 ? -1 : ccm_mark_at(c, mark)->route;
    ccm_conclusion out;

    if (row >= 0) {
        x->certainty = ccm_mark_at(c, mark)->certainty;
        x->url_kind = ccm_mark_at(c, mark)->id;
    } else {
        ccm_conclude_smb(c, obs->dst.port, &out);
        row = out.row;
        x->certainty = out.certainty;
    }
    x->protocol = ccm_route_at(c, row)->protocol;
    x->route = ccm_route_at(c, row)->route;
    x->ref = ccm_route_at(c, row)->ref;
    x->source_role = ccm_role_at(c, ccm_route_at(c, row)->source)->id;
    x->destination_role = ccm_role_at(c, ccm_route_at(c, row)->destination)->id;
}

static void set_texts(const ccm_obs *obs, GString *text, ccm_exchange *x)
{
    const struct {
        ccm_key key;
        const char **to;
    } map[] = {
        { CCM_KEY_share, &x->smb.share },         { CCM_KEY_account, &x->smb.account },
        { CCM_KEY_direction, &x->smb.direction }, { CCM_KEY_disposition, &x->smb.disposition },
        { CCM_KEY_action, &x->smb.action },       { CCM_KEY_renamed_to, &x->smb.renamed_to },
        { CCM_KEY_status_name, &x->smb.status },
    };
    size_t at[G_N_ELEMENTS(map)], target = text->len + 1;
    ccm_span path = ccm_obs_get_str(obs, CCM_KEY_path);

    ccm_text_append(text, ccm_obs_get_str(obs, CCM_KEY_share));
    if (path.n && text->len)
        g_string_append_c(text, '\\');
    ccm_text_append(text, path);
    g_string_append_c(text, '\0');
    for (unsigned i = 0; i < G_N_ELEMENTS(map); i++)
        at[i] = put(text, ccm_obs_get_str(obs, map[i].key));
    for (unsigned i = 0; i < G_N_ELEMENTS(map); i++)
        *map[i].to = at[i] ? text->str + at[i] - 1 : NULL;
    const char *full = text->str + target - 1;
    x->target = *full ? full : NULL;
}

void ccm_exchange_of_smb(const ccm_catalog *c, const ccm_obs *obs, GString *text, ccm_exchange *x)
{
    uint64_t status = ccm_obs_get_u64(obs, CCM_KEY_nt_status);
    uint64_t end =
        ccm_max64(ccm_obs_get_u64(obs, CCM_KEY_end_ns), ccm_obs_get_u64(obs, CCM_KEY_data_end_ns));

    *x = (ccm_exchange){ .time_ns = obs->time_ns,
                         .frame = obs->frame,
                         .flow = obs->flow,
                         .client = obs->src,
                         .server = obs->dst,
                         .has_request = true,
                         .has_response = ccm_obs_has(obs, CCM_KEY_nt_status),
                         .has_done = true };
    g_string_truncate(text, 0);
    x->smb.present = true;
    x->smb.failed = !x->has_response || status >> 30 == 3;
    x->smb.deleted = ccm_obs_has(obs, CCM_KEY_delete_on_close);
    x->smb.has_data = ccm_obs_has(obs, CCM_KEY_data_start_ns);
    x->smb.data_start_ns = ccm_obs_get_u64(obs, CCM_KEY_data_start_ns);
    x->smb.data_end_ns = ccm_obs_get_u64(obs, CCM_KEY_data_end_ns);
    x->smb.has_size = ccm_obs_has(obs, CCM_KEY_file_size);
    x->smb.size = ccm_obs_get_u64(obs, CCM_KEY_file_size);
    x->has_request_bytes = x->has_response_bytes = true;
    x->request_bytes = ccm_obs_get_u64(obs, CCM_KEY_write_bytes);
    x->response_bytes = ccm_obs_get_u64(obs, CCM_KEY_read_bytes);
    x->body_missing_bytes = ccm_obs_get_u64(obs, CCM_KEY_body_missing_bytes);
    x->has_duration = end > obs->time_ns;
    x->duration_ns = x->has_duration ? end - obs->time_ns : 0;
    x->complete = ccm_obs_has(obs, CCM_KEY_complete);
    x->decrypted = ccm_obs_has(obs, CCM_KEY_decrypted);
    x->pairing = ccm_obs_has(obs, CCM_KEY_incomplete) ? "uncertain"
                 : x->has_response                    ? "sure"
                                                      : "request-only";
    set_texts(obs, text, x);
    x->method = method_of(obs, x);
    set_route(c, obs, x);
}
