/* SPDX-License-Identifier: GPL-2.0-or-later
 * obs.h - an observation: a fact at a frame. It never concludes. Lives on the stack of whoever
 * makes it; texts are borrowed spans, so the receiver copies what it keeps. */
#ifndef CCM_OBSERVE_OBS_H
#define CCM_OBSERVE_OBS_H

#include "base/base.h"

typedef enum ccm_obs_kind {
#define KIND(name, doc) CCM_OBS_##name,
#include "observe/vocab.def"
    CCM_OBS_KINDS
} ccm_obs_kind;

typedef enum ccm_key {
#define KEY(name, type, doc) CCM_KEY_##name,
#include "observe/vocab.def"
    CCM_KEYS
} ccm_key;

typedef enum ccm_type { CCM_TYPE_U64, CCM_TYPE_STR, CCM_TYPE_BOOL } ccm_type;

/* A receiver's note at a flow, which saves it looking the flow up. Zero to begin; belongs to the
 * receiver that sets `owner` first. What it keeps of the flow lies at `at`, where it remains:
 * whoever is about to tell more of the flow has it fetched into the cache. */
typedef struct ccm_memo {
    const void *owner;
    void *at;
} ccm_memo;

/* Between several reasons of a `capture`. */
#define CCM_REASON_BREAK " | "

enum {
    CCM_OBS_ATTRS = 32,
    CCM_OBS_TEXT_MAX = 8192,
    CCM_OBS_LONG = 16 /* bytes of a text: what must not be told is not shorter */
};

struct ccm_obs {
    ccm_obs_kind kind;
    uint8_t l4;       /* IP protocol number; 0 = not IP */
    uint8_t n;        /* attributes used */
    uint32_t longs;   /* bit i: attribute i is a text of CCM_OBS_LONG bytes or more */
    uint64_t may;     /* bit key % 64 of each attribute: most questions are for absent ones */
    uint64_t time_ns; /* since 1970, UTC */
    uint64_t frame;   /* from 1, counted across files; 0 = belongs to no frame */
    uint64_t flow;    /* from 1, unique in the capture point; 0 = belongs to no flow */
    ccm_memo *memo;   /* of the flow; NULL where that lives elsewhere, as in an observation file */
    ccm_endpoint src, dst; /* sender and receiver of what is described */
    uint16_t key[CCM_OBS_ATTRS];
    union {
        uint64_t u;
        ccm_span s;
    } val[CCM_OBS_ATTRS];
};

/* What a `run` observation says, without the cost of one: they are the most of all. */
typedef struct ccm_obs_run {
    uint64_t start_ns, frame, end_ns;
    uint64_t data_end_ns; /* 0 = that is end_ns, or there is no data */
    uint64_t missing_bytes;
    uint32_t packets, wire_bytes, ip_bytes, payload_bytes, unique_bytes;
    bool from_client;
} ccm_obs_run;

typedef enum ccm_ended_as {
    CCM_ENDED_UNSAID,
    CCM_ENDED_ESTABLISHED,
    CCM_ENDED_REFUSED,
    CCM_ENDED_UNANSWERED,
    CCM_ENDED_MIDSTREAM,
    CCM_ENDED_DATAGRAMS,
} ccm_ended_as;

/* What a `connection` observation says, likewise. */
typedef struct ccm_obs_end {
    uint64_t start_ns, frame, end_ns;
    uint64_t rtt_ns; /* 0 = not known */
    uint64_t gaps, duplicates, overlap_conflicts, zero_windows, resets;
    ccm_ended_as state;
    const char *closed; /* as the observation has it */
} ccm_obs_end;

/* Runs of one flow, and its end unless that is NULL. `flow` is from the client to the server and
 * has no attributes; its time and frame mean nothing. */
typedef void (*ccm_obs_flow_fn)(void *user_data, const ccm_obs *flow, const ccm_obs_run *run,
                                unsigned n, const ccm_obs_end *end);

/* Table of the vocabulary (const data). */
const char *ccm_kind_name(ccm_obs_kind kind);
const char *ccm_kind_doc(ccm_obs_kind kind);
const char *ccm_key_name(ccm_key key);
const char *ccm_key_doc(ccm_key key);
ccm_type ccm_key_type(ccm_key key);
bool ccm_kind_has(ccm_obs_kind kind, ccm_key key);

static inline uint64_t ccm_key_bit(ccm_key key)
{
    return UINT64_C(1) << (key % 64);
}

/* No attributes, as at the beginning. */
static inline void ccm_obs_clear(ccm_obs *o)
{
    o->n = 0;
    o->longs = 0;
    o->may = 0;
}

/* The key of attribute `i`. */
static inline ccm_key ccm_obs_key(const ccm_obs *o, unsigned i)
{
    return (ccm_key)o->key[i];
}

/* Of the attribute to come. */
static inline void ccm_obs_set_key(ccm_obs *o, ccm_key key)
{
    o->may |= ccm_key_bit(key);
    o->key[o->n] = (uint16_t)key;
}

static inline void ccm_obs_u64(ccm_obs *o, ccm_key key, uint64_t value)
{
    if (o->n < CCM_OBS_ATTRS) {
        ccm_obs_set_key(o, key);
        o->val[o->n++].u = value;
    }
}

static inline void ccm_obs_flag(ccm_obs *o, ccm_key key, bool value)
{
    if (value)
        ccm_obs_u64(o, key, 1);
}

/* Texts longer than CCM_OBS_TEXT_MAX are cut; an empty text is left out. */
static inline void ccm_obs_str(ccm_obs *o, ccm_key key, ccm_span s)
{
    if (s.n && o->n < CCM_OBS_ATTRS) {
        o->longs |= (uint32_t)(s.n >= CCM_OBS_LONG) << o->n;
        ccm_obs_set_key(o, key);
        o->val[o->n++].s = (ccm_span){ s.p, s.n < CCM_OBS_TEXT_MAX ? s.n : CCM_OBS_TEXT_MAX };
    }
}

/* Index of `key`, or -1. */
static inline int ccm_obs_find(const ccm_obs *o, ccm_key key)
{
    if (!(o->may & ccm_key_bit(key)))
        return -1;
    for (int i = 0; i < o->n; i++)
        if (o->key[i] == (uint16_t)key)
            return i;
    return -1;
}

static inline uint64_t ccm_obs_get_u64(const ccm_obs *o, ccm_key key)
{
    int i = ccm_obs_find(o, key);
    return i < 0 ? 0 : o->val[i].u;
}

static inline bool ccm_obs_has(const ccm_obs *o, ccm_key key)
{
    return ccm_obs_find(o, key) >= 0;
}

static inline ccm_span ccm_obs_get_str(const ccm_obs *o, ccm_key key)
{
    int i = ccm_obs_find(o, key);
    return i < 0 ? (ccm_span){ 0 } : o->val[i].s;
}

/* One line of an observation file back into an observation. Texts point into memory owned by
 * `*keep` (free with ccm_obs_json_free), which must outlive `obs`. */
typedef struct ccm_obs_json ccm_obs_json;
bool ccm_obs_from_json(const char *line, size_t size, ccm_obs *obs, ccm_obs_json **keep,
                       GError **error);
void ccm_obs_json_free(ccm_obs_json *keep);

#endif
