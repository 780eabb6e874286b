/* SPDX-License-Identifier: GPL-2.0-or-later
 * obs.c - the vocabulary of facts as const tables. In: vocab.def. Out: names, types and which kind
 * may carry what. State: none. */
#include "observe/obs.h"

typedef struct key_row {
    const char *name, *doc;
    ccm_type type;
} key_row;

typedef struct kind_row {
    const char *name, *doc;
} kind_row;

static const key_row key_rows[CCM_KEYS] = {
#define KEY(name, type, doc) [CCM_KEY_##name] = { #name, doc, CCM_TYPE_##type },
#include "observe/vocab.def"
};

static const kind_row kind_rows[CCM_OBS_KINDS] = {
#define KIND(name, doc) [CCM_OBS_##name] = { #name, doc },
#include "observe/vocab.def"
};

static const bool kind_has[CCM_OBS_KINDS][CCM_KEYS] = {
#define HAS(kind, key) [CCM_OBS_##kind][CCM_KEY_##key] = true,
#include "observe/vocab.def"
};

G_STATIC_ASSERT(CCM_KEYS <= UINT16_MAX);

const char *ccm_kind_name(ccm_obs_kind kind)
{
    return kind < CCM_OBS_KINDS ? kind_rows[kind].name : "?";
}

const char *ccm_kind_doc(ccm_obs_kind kind)
{
    return kind < CCM_OBS_KINDS ? kind_rows[kind].doc : "?";
}

const char *ccm_key_name(ccm_key key)
{
    return key < CCM_KEYS ? key_rows[key].name : "?";
}

const char *ccm_key_doc(ccm_key key)
{
    return key < CCM_KEYS ? key_rows[key].doc : "?";
}

ccm_type ccm_key_type(ccm_key key)
{
    return key < CCM_KEYS ? key_rows[key].type : CCM_TYPE_U64;
}

bool ccm_kind_has(ccm_obs_kind kind, ccm_key key)
{
    return kind < CCM_OBS_KINDS && key < CCM_KEYS && kind_has[kind][key];
}
