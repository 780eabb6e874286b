/* SPDX-License-Identifier: GPL-2.0-or-later
 * filter.c - a BPF expression on packets of a file. In: an expression, packets of any link type.
 * Out: match or not. State: the programs compiled so far, one for each link type. Uses libpcap. */
#include "input/input.h"

#include <pcap/pcap.h>

enum { PROGRAMS = 8, LINKTYPE_ETHERNET = 1, LINKTYPE_ATM = 100, LINKTYPE_RAW = 101 };

typedef struct program {
    uint32_t link_type;
    bool used, valid;
    struct bpf_program code;
} program;

struct ccm_filter {
    char *expression;
    program programs[PROGRAMS];
    unsigned next; /* the one to replace */
    unsigned last; /* the one of the packet before */
};

/* The few link types whose number in files differs from libpcap's own. */
static int dlt_of(uint32_t link_type)
{
    switch (link_type) {
    case LINKTYPE_RAW:
        return DLT_RAW;
    case LINKTYPE_ATM:
        return DLT_ATM_RFC1483;
    default:
        return (int)link_type;
    }
}

static bool compile(program *p, const char *expression, uint32_t link_type, GError **error)
{
    *p = (program){ .link_type = link_type, .used = true };
    pcap_t *dead = pcap_open_dead(dlt_of(link_type), 262144);
    if (!dead) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE, "filter \"%s\": out of memory", expression);
        return false;
    }
    p->valid = pcap_compile(dead, &p->code, expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!p->valid)
        g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE, "filter \"%s\": %s", expression,
                    pcap_geterr(dead));
    pcap_close(dead);
    return p->valid;
}

ccm_filter *ccm_filter_new(const char *expression, GError **error)
{
    ccm_filter *f = g_new0(ccm_filter, 1);
    f->expression = g_strdup(expression);
    if (!compile(&f->programs[0], expression, LINKTYPE_ETHERNET, error)) {
        ccm_filter_free(f);
        return NULL;
    }
    f->next = 1;
    return f;
}

static void clear(program *p)
{
    if (p->valid)
        pcap_freecode(&p->code);
    *p = (program){ 0 };
}

static unsigned find(ccm_filter *f, uint32_t link_type)
{
    for (unsigned i = 0; i < PROGRAMS; i++)
        if (f->programs[i].used && f->programs[i].link_type == link_type)
            return i;
    unsigned i = f->next;
    f->next = (i + 1) % PROGRAMS;
    clear(&f->programs[i]);
    (void)compile(&f->programs[i], f->expression, link_type, NULL);
    return i;
}

/* An expression that has no meaning on a link type ("ether host" on raw IP) matches nothing there.
 */
bool ccm_filter_match(ccm_filter *f, const ccm_raw *raw)
{
    if (!f->programs[f->last].used || f->programs[f->last].link_type != raw->link_type)
        f->last = find(f, raw->link_type);
    const program *p = &f->programs[f->last];
    struct pcap_pkthdr header = { .caplen = raw->captured, .len = raw->length };
    return p->valid && pcap_offline_filter(&p->code, &header, raw->data) != 0;
}

void ccm_filter_free(ccm_filter *f)
{
    if (!f)
        return;
    for (unsigned i = 0; i < PROGRAMS; i++)
        clear(&f->programs[i]);
    g_free(f->expression);
    g_free(f);
}
