/* SPDX-License-Identifier: GPL-2.0-or-later
 * auth_inner.h - what the files of auth.h share: comparing names, and writing verdicts.
 *
 * In: spans, facts. Out: verdicts. State: none. */
#ifndef CCM_MODEL_AUTH_INNER_H
#define CCM_MODEL_AUTH_INNER_H

#include "model/auth.h"
#include "model/view.h"

/* Case does not matter; words are in lower case. */
static inline bool same(ccm_span s, const char *word)
{
    return ccm_text_same(s, word);
}

static inline bool begins(ccm_span s, const char *word)
{
    size_t n = strlen(word);
    return s.n >= n && ccm_text_same_bytes(s.p, word, n);
}

static inline bool ends(ccm_span s, const char *word)
{
    size_t n = strlen(word);
    return s.n >= n && ccm_text_same_bytes(s.p + s.n - n, word, n);
}

static inline bool contains(ccm_span s, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= s.n; i++)
        if (ccm_text_same_bytes(s.p + i, word, n))
            return true;
    return false;
}

static inline void add(ccm_auth_verdict *v, unsigned id, uint64_t frame)
{
    if (v->n < CCM_VERDICT_EVIDENCE)
        v->evidence[v->n++] = (ccm_auth_mark){ .id = (uint8_t)id, .frame = frame };
}

/* Evidence that speaks against the verdict. */
static inline void add_against(ccm_auth_verdict *v, unsigned id, uint64_t frame)
{
    add(v, id, frame);
    v->doubted = true;
}

static inline ccm_auth_verdict *begin(ccm_auth_verdicts *out, unsigned stage, unsigned mode,
                                      ccm_certainty certainty, uint64_t time_ns)
{
    g_assert(out->n < CCM_VERDICTS);
    ccm_auth_verdict *v = &out->v[out->n++];
    memset(v, 0, offsetof(ccm_auth_verdict, evidence)); /* which add() fills */
    v->stage = (uint8_t)stage;
    v->mode = (uint8_t)mode;
    v->certainty = (uint8_t)certainty;
    v->account = v->spn = CCM_NONE;
    v->time_ns = time_ns;
    return v;
}

/* Why the answer is not known. */
static inline unsigned unseen(const ccm_auth_facts *f)
{
    return f->blind ? CCM_EV_CONNECTION_INCOMPLETE : CCM_EV_NO_RESPONSE;
}

/* auth_path.c: evidence of the directory. */
void ccm_auth_add_path(ccm_auth_verdict *v, uint16_t path, uint64_t frame);

/* auth_message.c: authorization at a management point, a stage of its own; at a distribution point,
 * which has one stage, evidence of the verdicts in `out`. */
void ccm_auth_judge_message(const ccm_auth_facts *f, ccm_auth_verdicts *out);

#endif
