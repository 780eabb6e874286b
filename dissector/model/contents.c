/* SPDX-License-Identifier: GPL-2.0-or-later
 * contents.c - which package or content filled the link: bytes of answers by content id and edge.
 *
 * In: the content id that the flow keeps of its request, http_done (what was served is, until the
 * flow is settled), smb_file (a package that is pushed). Out: rows that merge. State: a
 * table of at most CCM_CONTENTS rows; beyond, the limit "contents" is reported. Spec:
 * ccm-protocol.md 2.6. */
#include "model/model.h"
#include "model/naming.h"

typedef struct content_key {
    uint32_t id, edge;
} content_key;

static bool content_eq(const void *table, uint32_t value, const void *key)
{
    const ccm_content *a = &g_array_index(((const ccm_model *)table)->contents, ccm_content, value);
    const content_key *b = key;
    return a->id == b->id && a->edge == b->edge;
}

static void join(ccm_content *c, const ccm_content *add)
{
    c->bytes += add->bytes;
    c->requests += add->requests;
    c->first_ns = ccm_min64(c->first_ns, add->first_ns);
    c->last_ns = ccm_max64(c->last_ns, add->last_ns);
}

void ccm_content_add(ccm_model *m, const ccm_content *add)
{
    content_key key = { add->id, add->edge };
    uint32_t hash = ccm_hash_end(ccm_mix(11, (uint64_t)key.id << 32 | key.edge));
    uint32_t at = ccm_index_find(&m->content_index, hash, content_eq, m, &key);

    if (at == CCM_NONE) {
        if (m->contents->len >= CCM_CONTENTS) {
            ccm_model_limit(m, "contents", 1);
            return;
        }
        ccm_index_add(&m->content_index, hash, m->contents->len);
        g_array_append_val(m->contents, *add);
        return;
    }
    join(&g_array_index(m->contents, ccm_content, at), add);
}

/* `one` went over the flow. */
static void moved(ccm_model *m, ccm_model_flow *f, const ccm_content *one)
{
    ccm_content *c = &f->served;

    if (c->requests && c->id != one->id)
        ccm_model_flow_settle(m, f); /* takes it along */
    if (c->requests)
        join(c, one);
    else
        *c = *one;
}

void ccm_content_done(ccm_model *m, ccm_model_flow *f, uint32_t id, const ccm_obs *obs)
{
    uint64_t lasted = ccm_obs_get_u64(obs, CCM_KEY_duration_ns);
    ccm_content one = { .id = id,
                        .requests = 1,
                        .bytes = ccm_obs_get_u64(obs, CCM_KEY_response_bytes),
                        .first_ns = obs->time_ns - ccm_min64(lasted, obs->time_ns),
                        .last_ns = obs->time_ns };

    moved(m, f, &one);
}

void ccm_content_file(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs)
{
    char id[CCM_PACKAGE_ID + 1];
    ccm_content one = { .requests = 1,
                        .bytes = ccm_obs_get_u64(obs, CCM_KEY_write_bytes),
                        .first_ns = obs->time_ns,
                        .last_ns =
                            ccm_max64(obs->time_ns, ccm_obs_get_u64(obs, CCM_KEY_data_end_ns)) };

    if (!one.bytes || !ccm_package_of_path(ccm_obs_get_str(obs, CCM_KEY_path), id))
        return;
    one.id = ccm_texts_add(&m->texts, ccm_span_str(id));
    moved(m, f, &one);
}

void ccm_content_pour(ccm_model *to, const ccm_model *from, uint32_t edge,
                      const ccm_content *served)
{
    ccm_content c = *served;

    c.edge = edge;
    c.id = ccm_texts_map(&to->texts, &from->texts, c.id);
    ccm_content *kept = &ccm_edge_at(to, edge)->content; /* mostly of this content, too */
    if (!kept->requests)
        *kept = c;
    else if (kept->id == c.id)
        join(kept, &c);
    else
        ccm_content_add(to, &c);
}
