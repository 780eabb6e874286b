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

void ccm_tunnel_enter(ccm_model *m, const ccm_obs *obs)
{
    ccm_span s = ccm_obs_get_str(obs, CCM_KEY_through);
    char text[CCM_TEXT_MAX];

    if (!obs->flow || !s.n || s.n >= sizeof text)
        return;
    ccm_model_flow *f = ccm_model_flow_get(m, obs);
    if (f->through || f->edge != CCM_NONE)
        return;
    for (size_t i = 0; i < s.n; i++)
        text[i] = g_ascii_tolower((char)s.p[i]);
    f->through = ccm_texts_add(&m->texts, ccm_span_of(text, s.n));
    f->route = -1; /* that of the CONNECT */
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
