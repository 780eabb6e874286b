/* SPDX-License-Identifier: GPL-2.0-or-later
 * names.c - who is called what, and which names nobody could resolve.
 *
 * In: name blocks, DNS, NTLM and Kerberos observations (the Host header comes by requests.c). Out:
 * names of hosts with their sources, evidence of roles from the names that a client looked up,
 * lookups with their outcomes, servers that service records name. State: bounded tables of sums and
 * sets. A name is one that the address had at some time of the capture: when an address changes
 * hands, it has both. An answer's names all lead to its addresses; what they mean is what the first
 * of them means that the catalogue knows (routes-and-ports.md section 7). */
#include "model/model.h"

enum {
    TYPE_SRV = 33,
    RCODE_SERVFAIL = 2,
    RCODE_NXDOMAIN = 3,
    AS_REQ = 10,
    TGS_REQ = 12,
};

static bool ends(ccm_span s, const char *word)
{
    size_t n = strlen(word);
    return s.n >= n && g_ascii_strncasecmp((const char *)s.p + s.n - n, word, n) == 0;
}

static bool begins(ccm_span s, const char *word)
{
    size_t n = strlen(word);
    return s.n >= n && g_ascii_strncasecmp((const char *)s.p, word, n) == 0;
}

/* The next word of a list with spaces between; false: there is none. */
static bool next_word(ccm_span *list, ccm_span *word)
{
    const uint8_t *space = list->n ? memchr(list->p, ' ', list->n) : NULL;
    *word = (ccm_span){ list->p, space ? (size_t)(space - list->p) : list->n };
    size_t used = MIN(word->n + 1, list->n);
    if (used)
        *list = (ccm_span){ list->p + used, list->n - used };
    return word->n > 0;
}

/* Cuts `s` at the last `at`; false: it has none. */
static bool cut(ccm_span s, uint8_t at, ccm_span *before, ccm_span *after)
{
    for (size_t i = s.n; i > 0; i--) {
        if (s.p[i - 1] == at) {
            *before = (ccm_span){ s.p, i - 1 };
            *after = (ccm_span){ s.p + i, s.n - i };
            return true;
        }
    }
    return false;
}

static bool address_of(ccm_span s, ccm_addr *out)
{
    char text[CCM_ADDR_TEXT];
    if (!s.n || s.n >= sizeof text)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return ccm_addr_parse(text, out);
}

static uint32_t lower_text(ccm_model *m, ccm_span s, bool find)
{
    uint8_t low[CCM_TEXT_MAX];
    ccm_span t = { low, MIN(s.n, sizeof low) };
    for (size_t i = 0; i < t.n; i++)
        low[i] = (uint8_t)g_ascii_tolower((char)s.p[i]);
    return find ? ccm_texts_find(&m->texts, t) : ccm_texts_add(&m->texts, t);
}

/* ---- lookups --------------------------------------------------------------------------------- */

static bool lookup_eq(const void *table, uint32_t value, const void *key)
{
    const ccm_lookup *a = &g_array_index((const GArray *)table, ccm_lookup, value), *b = key;
    return a->name == b->name && a->type == b->type && ccm_addr_eq(&a->client, &b->client);
}

static void lookup_add(ccm_model *m, const ccm_lookup *add)
{
    uint64_t h = ccm_mix(12, (uint64_t)add->name << 16 | add->type);
    uint32_t hash = ccm_hash_end(ccm_hash_addr(h, &add->client));
    uint32_t at = add->name == CCM_NONE
                      ? CCM_NONE
                      : ccm_index_find(&m->lookup_index, hash, lookup_eq, m->lookups, add);

    if (at == CCM_NONE) {
        if (add->name == CCM_NONE || m->lookups->len >= CCM_LOOKUPS) {
            ccm_model_limit(m, "lookups", 1);
            return;
        }
        ccm_index_add(&m->lookup_index, hash, m->lookups->len);
        g_array_append_val(m->lookups, *add);
        return;
    }
    ccm_lookup *l = &g_array_index(m->lookups, ccm_lookup, at);
    l->queries += add->queries;
    for (unsigned i = 0; i < CCM_LOOKUP_OUTCOMES; i++)
        l->answers[i] += add->answers[i];
    if (add->first_frame && (!l->first_frame || add->first_frame < l->first_frame))
        l->first_frame = add->first_frame;
    l->first_ns = ccm_min64(l->first_ns, add->first_ns);
    l->last_ns = ccm_max64(l->last_ns, add->last_ns);
}

static ccm_lookup_outcome outcome_of(const ccm_obs *obs)
{
    switch (ccm_obs_get_u64(obs, CCM_KEY_rcode)) {
    case 0: /* a truncated answer is asked for again over TCP */
        return ccm_obs_get_u64(obs, CCM_KEY_records) || ccm_obs_has(obs, CCM_KEY_truncated)
                   ? CCM_LOOKUP_ANSWERED
                   : CCM_LOOKUP_EMPTY;
    case RCODE_SERVFAIL:
        return CCM_LOOKUP_SERVFAIL;
    case RCODE_NXDOMAIN:
        return CCM_LOOKUP_NXDOMAIN;
    default:
        return CCM_LOOKUP_OTHER;
    }
}

bool ccm_lookup_failed(const ccm_lookup *l)
{
    /* A host without an IPv6 address is no failure; a service without a server is. */
    return !l->answers[CCM_LOOKUP_ANSWERED] &&
           (!l->answers[CCM_LOOKUP_EMPTY] || l->type == TYPE_SRV);
}

static void on_lookup(ccm_model *m, const ccm_obs *obs, ccm_span name, bool answer)
{
    bool full = m->lookups->len >= CCM_LOOKUPS;
    ccm_lookup l = { .client = answer ? obs->dst.addr : obs->src.addr,
                     .name = lower_text(m, name, full),
                     .type = (uint16_t)ccm_obs_get_u64(obs, CCM_KEY_record_type),
                     .queries = !answer,
                     .first_frame = obs->frame,
                     .first_ns = obs->time_ns,
                     .last_ns = obs->time_ns };
    if (answer)
        l.answers[outcome_of(obs)] = 1;
    lookup_add(m, &l);
}

/* ---- services -------------------------------------------------------------------------------- */

static void service_add(ccm_model *m, const ccm_service *add)
{
    for (unsigned i = 0; i < m->services->len; i++) {
        ccm_service *s = &g_array_index(m->services, ccm_service, i);
        if (s->name != add->name || s->target != add->target || s->port != add->port)
            continue;
        s->count += add->count;
        if (add->first_frame && (!s->first_frame || add->first_frame < s->first_frame))
            s->first_frame = add->first_frame;
        return;
    }
    if (m->services->len >= CCM_SERVICES)
        ccm_model_limit(m, "services", 1);
    else
        g_array_append_val(m->services, *add);
}

static void on_service(ccm_model *m, const ccm_obs *obs, ccm_span name)
{
    int mark = ccm_catalog_service(m->catalog, name);
    ccm_span list = ccm_obs_get_str(obs, CCM_KEY_targets), word, target, port;

    while (mark >= 0 && next_word(&list, &word)) {
        unsigned number = 0;
        if (!cut(word, ':', &target, &port))
            continue;
        for (size_t i = 0; i < port.n && number < 65536; i++)
            number = number * 10 + (unsigned)(port.p[i] - '0') % 10;
        ccm_service s = { .name = lower_text(m, name, false),
                          .target = lower_text(m, target, false),
                          .mark = (int16_t)mark,
                          .port = (uint16_t)number,
                          .count = 1,
                          .first_frame = obs->frame };
        service_add(m, &s);
    }
}

unsigned ccm_names_services(const ccm_model *m, const ccm_host *h, ccm_evidence *out, unsigned max)
{
    unsigned n = 0;
    for (unsigned i = 0; i < m->services->len; i++) {
        const ccm_service *s = &g_array_index(m->services, ccm_service, i);
        for (unsigned k = 0; k < h->n_names && n < max; k++)
            if (h->names[k].text == s->target)
                out[n++] = (ccm_evidence){ .mark = s->mark,
                                           .server = true,
                                           .port = s->port,
                                           .count = s->count,
                                           .first_frame = s->first_frame };
    }
    return n;
}

/* ---- names from DNS -------------------------------------------------------------------------- */

/* 4.3.2.1.in-addr.arpa, or 32 digits before ip6.arpa (RFC 1035 section 3.5, RFC 3596 2.5). */
static bool reverse_address(ccm_span name, ccm_addr *out)
{
    bool v6 = ends(name, ".ip6.arpa");
    size_t n = name.n, groups = v6 ? 32 : 4;

    *out = (ccm_addr){ .family = v6 ? 6 : 4 };
    if (!v6 && !ends(name, ".in-addr.arpa"))
        return false;
    n -= strlen(v6 ? ".ip6.arpa" : ".in-addr.arpa");
    for (size_t i = 0, at = 0; i < groups; i++, at++) {
        int value = 0, digits = 0;
        for (; at < n && name.p[at] != '.' && digits < 4; at++, digits++) {
            int digit = g_ascii_xdigit_value((char)name.p[at]);
            if (digit < 0 || (!v6 && digit > 9))
                return false;
            value = value * (v6 ? 16 : 10) + digit;
        }
        if (!digits || digits > (v6 ? 1 : 3) || value > 255 || (at < n) != (i + 1 < groups))
            return false;
        if (v6)
            out->b[15 - i / 2] |= (uint8_t)(i & 1 ? value << 4 : value);
        else
            out->b[3 - i] = (uint8_t)value;
    }
    return true;
}

static int mark_of_chain(const ccm_model *m, ccm_span name, ccm_span chain)
{
    ccm_span word;
    int mark = ccm_catalog_name(m->catalog, name);
    while (mark < 0 && next_word(&chain, &word))
        mark = ccm_catalog_name(m->catalog, word);
    return mark;
}

static void on_addresses(ccm_model *m, const ccm_obs *obs, ccm_span name)
{
    ccm_span list = ccm_obs_get_str(obs, CCM_KEY_addresses), word, alias;
    ccm_span chain = ccm_obs_get_str(obs, CCM_KEY_chain);
    int mark = list.n ? mark_of_chain(m, name, chain) : -1;
    ccm_evidence e = {
        .mark = (int16_t)mark, .server = true, .count = 1, .first_frame = obs->frame
    };

    while (next_word(&list, &word)) {
        ccm_addr addr;
        uint32_t host = address_of(word, &addr) ? ccm_host_named(m, &addr) : CCM_NONE;
        ccm_host_authority(m, host, name, CCM_NAME_DNS);
        for (ccm_span rest = chain; next_word(&rest, &alias);)
            ccm_host_authority(m, host, alias, CCM_NAME_DNS);
        if (mark >= 0)
            ccm_host_evidence(m, host, &e);
    }
}

static void on_answer(ccm_model *m, const ccm_obs *obs, ccm_span name)
{
    ccm_span list = ccm_obs_get_str(obs, CCM_KEY_glue), word, owner, text;
    ccm_addr addr;

    on_addresses(m, obs, name);
    on_service(m, obs, name);
    while (next_word(&list, &word))
        if (cut(word, '=', &owner, &text) && address_of(text, &addr))
            ccm_host_authority(m, ccm_host_named(m, &addr), owner, CCM_NAME_DNS);
    list = ccm_obs_get_str(obs, CCM_KEY_targets);
    if (reverse_address(name, &addr))
        while (next_word(&list, &word))
            ccm_host_authority(m, ccm_host_named(m, &addr), word, CCM_NAME_DNS_REVERSE);
}

static void on_dns(ccm_model *m, const ccm_obs *obs)
{
    bool answer = obs->kind == CCM_OBS_dns_answer;
    ccm_span name = ccm_obs_get_str(obs, CCM_KEY_name);

    if (!name.n)
        return;
    on_lookup(m, obs, name, answer);
    if (answer && !ccm_obs_get_u64(obs, CCM_KEY_rcode))
        on_answer(m, obs, name);
}

/* ---- names from authentication --------------------------------------------------------------- */

/* The host of `service`host:port or `service`host@REALM. */
static ccm_span spn_host(ccm_span spn, const char *service)
{
    if (!begins(spn, service))
        return (ccm_span){ 0 };
    ccm_span s = { spn.p + strlen(service), spn.n - strlen(service) };
    for (size_t i = 0; i < s.n; i++)
        if (strchr("/:@", s.p[i]) && s.p[i])
            return (ccm_span){ s.p, i };
    return s;
}

/* Does the flow's latest request go through a proxy? Then its server is not whom it names. */
static bool through_proxy(ccm_model *m, const ccm_obs *obs)
{
    const ccm_model_flow *f = ccm_model_flow_find(m, obs);
    return f && f->mark >= 0 && ccm_mark_at(m->catalog, f->mark)->form != CCM_FORM_ORIGIN;
}

static void on_auth(ccm_model *m, const ccm_obs *obs)
{
    ccm_span header = ccm_obs_get_str(obs, CCM_KEY_header);
    ccm_span computer = ccm_obs_get_str(obs, CCM_KEY_workstation);
    ccm_span service = spn_host(ccm_obs_get_str(obs, CCM_KEY_spn), "HTTP/");
    uint64_t type = ccm_obs_get_u64(obs, CCM_KEY_ntlm_type);

    if (type == 3 && computer.n && ends(header, "authorization"))
        ccm_host_authority(m, ccm_host_get(m, &obs->src.addr), computer, CCM_NAME_NTLM);
    if (!begins(header, "proxy-") && through_proxy(m, obs))
        return;
    if (type == 2 && computer.n && ends(header, "-authenticate"))
        ccm_host_authority(m, ccm_host_get(m, &obs->src.addr), computer, CCM_NAME_NTLM);
    if (service.n && ends(header, "authorization"))
        ccm_host_authority(m, ccm_host_get(m, &obs->dst.addr), service, CCM_NAME_KERBEROS);
}

/* Of SMB: a challenge names its server, the answer its client, a ticket the server it is for. */
static void on_smb_auth(ccm_model *m, const ccm_obs *obs)
{
    ccm_span computer = ccm_obs_get_str(obs, CCM_KEY_workstation);
    ccm_span service = spn_host(ccm_obs_get_str(obs, CCM_KEY_spn), "cifs/");
    uint64_t type = ccm_obs_get_u64(obs, CCM_KEY_ntlm_type);

    if ((type == 2 || type == 3) && computer.n)
        ccm_host_authority(m, ccm_host_get(m, &obs->src.addr), computer, CCM_NAME_NTLM);
    if (service.n)
        ccm_host_authority(m, ccm_host_get(m, &obs->dst.addr), service, CCM_NAME_KERBEROS);
}

/* A computer account is named after its computer, which talks to the distribution centre itself. */
static void on_kerberos(ccm_model *m, const ccm_obs *obs)
{
    uint64_t type = ccm_obs_get_u64(obs, CCM_KEY_msg_type);
    ccm_span name = ccm_obs_get_str(obs, CCM_KEY_cname);
    const ccm_addr *client = type == AS_REQ || type == TGS_REQ ? &obs->src.addr : &obs->dst.addr;

    if (name.n < 2 || name.p[name.n - 1] != '$')
        return;
    name.n--;
    ccm_host_authority(m, ccm_host_get(m, client), name, CCM_NAME_KERBEROS);
}

static void on_block(ccm_model *m, const ccm_obs *obs)
{
    ccm_addr addr;
    if (address_of(ccm_obs_get_str(obs, CCM_KEY_address), &addr))
        ccm_host_name(m, ccm_host_get(m, &addr), ccm_obs_get_str(obs, CCM_KEY_name),
                      CCM_NAME_PCAPNG);
}

/* Server names and certificates of TLS handshakes come in by tls_book.c. */
void ccm_names_observe(ccm_model *m, const ccm_obs *obs)
{
    switch (obs->kind) {
    case CCM_OBS_name:
        on_block(m, obs);
        break;
    case CCM_OBS_dns_query:
    case CCM_OBS_dns_answer:
        on_dns(m, obs);
        break;
    case CCM_OBS_http_auth:
        on_auth(m, obs);
        break;
    case CCM_OBS_smb_auth:
        on_smb_auth(m, obs);
        break;
    case CCM_OBS_kerberos:
        on_kerberos(m, obs);
        break;
    default:
        break;
    }
}

void ccm_names_merge(ccm_model *to, const ccm_model *from)
{
    for (unsigned i = 0; i < from->lookups->len; i++) {
        ccm_lookup l = g_array_index(from->lookups, ccm_lookup, i);
        l.name = ccm_texts_add(&to->texts, ccm_span_str(ccm_texts_get(&from->texts, l.name)));
        lookup_add(to, &l);
    }
    for (unsigned i = 0; i < from->services->len; i++) {
        ccm_service s = g_array_index(from->services, ccm_service, i);
        s.name = ccm_texts_add(&to->texts, ccm_span_str(ccm_texts_get(&from->texts, s.name)));
        s.target = ccm_texts_add(&to->texts, ccm_span_str(ccm_texts_get(&from->texts, s.target)));
        service_add(to, &s);
    }
}
