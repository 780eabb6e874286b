/* SPDX-License-Identifier: GPL-2.0-or-later
 * tunnel.c - connections through the tunnel of a web proxy.
 *
 * In: observations with a `through`; the names of hosts. Out: see tunnel.h. State: none of its own.
 */
#include "model/tunnel.h"

struct ccm_tunnels {
    const ccm_model *m;
    GHashTable *hosts; /* name -> number + 1 */
};

/* The text of an authority, in lower case; 0 = none. */
static uint32_t authority_text(ccm_model *m, ccm_span s)
{
    char text[CCM_TEXT_MAX];

    if (!s.n || s.n >= sizeof text)
        return 0;
    for (size_t i = 0; i < s.n; i++)
        text[i] = g_ascii_tolower((char)s.p[i]);
    return ccm_texts_add(&m->texts, ccm_span_of(text, s.n));
}

/* What the flow carries from now on is on the way to authority `to`, not to the proxy, unless it
 * was counted as that already. A proxy that said no may be asked for another way. */
static void lead_to(ccm_model *m, ccm_model_flow *f, uint32_t to)
{
    if (!to || f->through == to || (!f->through && f->edge != CCM_NONE))
        return;
    if (f->through) {
        ccm_model_flow_settle(m, f);
        f->edge = CCM_NONE;
    }
    f->through = to;
    f->route = -1; /* that of the CONNECT */
}

void ccm_tunnel_enter(ccm_model *m, const ccm_obs *obs)
{
    ccm_span s = ccm_obs_get_str(obs, CCM_KEY_through);
    ccm_model_flow *f = obs->flow && s.n ? ccm_model_flow_get(m, obs) : NULL;

    if (f && !f->through)
        lead_to(m, f, authority_text(m, s));
}

void ccm_tunnel_asked(ccm_model *m, ccm_model_flow *f, const ccm_obs *obs)
{
    ccm_span method = ccm_obs_get_str(obs, CCM_KEY_method);
    bool connect = method.n == 7 && !memcmp(method.p, "CONNECT", 7);

    f->asked = connect && !ccm_obs_has(obs, CCM_KEY_through)
                   ? authority_text(m, ccm_obs_get_str(obs, CCM_KEY_target))
                   : 0;
    if (f->through)
        lead_to(m, f, f->asked);
}

void ccm_tunnel_answered(ccm_model *m, ccm_model_flow *f, uint64_t status)
{
    uint32_t to = f->asked;

    f->asked = 0;
    if (!to || status < 400 || status > 599 || status == 407)
        return;
    lead_to(m, f, to);
    if (f->through == to)
        ccm_model_flow_count(m, f, CCM_COUNT_KEY(CCM_COUNT_DENIED, status));
}

uint64_t ccm_tunnel_denied(const ccm_edge *e, uint64_t *failed)
{
    uint64_t denied = 0;

    *failed = 0;
    for (unsigned i = 0; e->key.through && i < e->counters.n; i++) {
        if (ccm_count_kind_of(e->counters.v[i].key) != CCM_COUNT_DENIED)
            continue;
        bool tried = ccm_count_number(e->counters.v[i].key) >= 500;
        *(tried ? failed : &denied) += e->counters.v[i].count;
    }
    return denied;
}

ccm_authority ccm_authority_of(const char *text)
{
    const char *colon = strrchr(text, ':');
    ccm_authority a = { .host = ccm_span_str(text) };
    uint64_t port = 0;

    if (!colon || strchr(colon, ']'))
        return a;
    for (const char *p = colon + 1; g_ascii_isdigit(*p) && port <= UINT16_MAX; p++)
        port = port * 10 + (uint64_t)(*p - '0');
    a.host.n = (size_t)(colon - text);
    a.port = port <= UINT16_MAX ? (uint16_t)port : 0;
    return a;
}

ccm_tunnels *ccm_tunnels_new(const ccm_model *m)
{
    bool any = false;

    for (uint32_t i = 0; i < m->n_edges && !any; i++)
        any = ccm_edge_at(m, i)->key.through != 0;
    if (!any)
        return NULL;
    ccm_tunnels *t = g_new(ccm_tunnels, 1);
    *t = (ccm_tunnels){ m, g_hash_table_new(g_str_hash, g_str_equal) };
    for (uint32_t i = 0; i < m->hosts->len; i++) {
        const ccm_host *h = ccm_host_at(m, i);
        for (unsigned k = 0; k < h->n_names; k++) {
            gpointer name = (gpointer)(uintptr_t)ccm_texts_get(&m->texts, h->names[k].text);
            guint known = GPOINTER_TO_UINT(g_hash_table_lookup(t->hosts, name));
            if (!known || ccm_addr_cmp(&h->addr, &ccm_host_at(m, known - 1)->addr) < 0)
                g_hash_table_insert(t->hosts, name, GUINT_TO_POINTER(i + 1));
        }
    }
    return t;
}

void ccm_tunnels_free(ccm_tunnels *t)
{
    if (!t)
        return;
    g_hash_table_destroy(t->hosts);
    g_free(t);
}

uint32_t ccm_tunnels_host(const ccm_tunnels *t, ccm_span name)
{
    char text[CCM_TEXT_MAX];

    if (!t || !name.n || name.n >= sizeof text)
        return CCM_NONE;
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    guint known = GPOINTER_TO_UINT(g_hash_table_lookup(t->hosts, text));
    return known ? known - 1 : CCM_NONE;
}
