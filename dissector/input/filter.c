/* SPDX-License-Identifier: GPL-2.0-or-later
 * filter.c - a BPF expression on packets of a file. In: an expression, packets of any link type.
 * Out: match or not. State: the programs compiled so far, one for each link type. Uses libpcap. */
#include "input/input.h"

#include <pcap/pcap.h>
#include <stdio.h>

enum {
    PROGRAMS = 8,
    LINKTYPE_NULL = 0,
    LINKTYPE_ETHERNET = 1,
    LINKTYPE_SLL = 113,
    LINKTYPE_SLL2 = 276,
    SNAPLEN = 262144
};
/* Beside a link type: its fields of the capturing host have the other byte order. */
#define SWAPPED (UINT32_C(1) << 31)

typedef struct program {
    uint32_t link_type; /* or with SWAPPED */
    bool used, valid;
    struct bpf_program code;
} program;

struct ccm_filter {
    char *expression;
    program programs[PROGRAMS];
    unsigned next;  /* the one to replace */
    unsigned last;  /* the one of the packet before */
    bool fits;      /* a link type was met that it can be used on */
    uint64_t unfit; /* packets of others */
    GError *why;    /* what is wrong with the first of those */
};

/* libpcap compiles for what it reads: a null header has the byte order of the file, and an address
 * family for IPv6 that depends on the system that wrote it. So it is given a file, one without
 * packets. */
static pcap_t *open_empty(uint32_t link_type)
{
    char message[PCAP_ERRBUF_SIZE];
    uint32_t header[6] = { 0xa1b2c3d4, 0, 0, 0, SNAPLEN, link_type & ~SWAPPED };
    uint16_t version[2] = { 2, 4 };
    memcpy(&header[1], version, sizeof version);
    if (link_type & SWAPPED) {
        version[0] = GUINT16_SWAP_LE_BE(version[0]);
        version[1] = GUINT16_SWAP_LE_BE(version[1]);
        for (size_t i = 0; i < G_N_ELEMENTS(header); i++)
            header[i] = GUINT32_SWAP_LE_BE(header[i]);
        memcpy(&header[1], version, sizeof version);
    }
    FILE *file = fmemopen(header, sizeof header, "rb");
    pcap_t *pcap = file ? pcap_fopen_offline(file, message) : NULL;
    if (file && !pcap)
        fclose(file);
    return pcap;
}

/* `met_one`: a packet of the link type is there, so the message names it. */
static bool compile(program *p, const char *expression, uint32_t link_type, bool met_one,
                    GError **error)
{
    *p = (program){ .link_type = link_type, .used = true };
    pcap_t *empty = open_empty(link_type);
    if (!empty) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE,
                    "filter \"%s\": cannot be used on link type %u", expression,
                    link_type & ~SWAPPED);
        return false;
    }
    p->valid = pcap_compile(empty, &p->code, expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
    if (!p->valid) {
        const char *link = pcap_datalink_val_to_description_or_dlt(pcap_datalink(empty));
        g_autofree char *met = met_one ? g_strdup_printf(" (packets of link type %s)", link) : NULL;
        g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE, "filter \"%s\": %s%s; see pcap-filter(7)",
                    expression, pcap_geterr(empty), met ? met : "");
    }
    pcap_close(empty);
    return p->valid;
}

/* Which link types come is not known yet; some words ("inbound") have a meaning on few of them. */
static bool valid_somewhere(const char *expression)
{
    static const uint32_t others[] = { LINKTYPE_SLL, LINKTYPE_SLL2 };
    bool valid = false;
    for (size_t i = 0; i < G_N_ELEMENTS(others) && !valid; i++) {
        program p;
        valid = compile(&p, expression, others[i], false, NULL);
        if (valid)
            pcap_freecode(&p.code);
    }
    return valid;
}

static void clear(program *p)
{
    if (p->valid)
        pcap_freecode(&p->code);
    *p = (program){ 0 };
}

ccm_filter *ccm_filter_new(const char *expression, GError **error)
{
    ccm_filter *f = g_new0(ccm_filter, 1);
    GError *why = NULL;
    f->expression = g_strdup(expression);
    f->next = 1;
    f->last = PROGRAMS - 1; /* none, so that the first packet looks its program up */
    if (compile(&f->programs[0], expression, LINKTYPE_ETHERNET, false, &why))
        return f;
    if (valid_somewhere(expression)) {
        g_error_free(why);
        clear(&f->programs[0]); /* when Ethernet is met that is an error */
        return f;
    }
    g_propagate_error(error, why);
    ccm_filter_free(f);
    return NULL;
}

static unsigned find(ccm_filter *f, uint32_t link_type)
{
    for (unsigned i = 0; i < PROGRAMS; i++)
        if (f->programs[i].used && f->programs[i].link_type == link_type)
            return i;
    unsigned i = f->next;
    f->next = (i + 1) % PROGRAMS;
    clear(&f->programs[i]);
    GError *why = NULL;
    if (!compile(&f->programs[i], f->expression, link_type, true, &why) && !f->why)
        f->why = g_steal_pointer(&why);
    g_clear_error(&why);
    return i;
}

/* No address family is above 0xffff: one that is was written in the other byte order. */
static uint32_t program_for(const ccm_raw *raw)
{
    uint32_t family;
    if (raw->link_type != LINKTYPE_NULL || raw->captured < sizeof family)
        return raw->link_type;
    memcpy(&family, raw->data, sizeof family);
    return family > 0xffff ? LINKTYPE_NULL | SWAPPED : LINKTYPE_NULL;
}

/* An expression that has no meaning on a link type ("ether host" on raw IP) matches nothing there.
 */
bool ccm_filter_match(ccm_filter *f, const ccm_raw *raw)
{
    uint32_t link_type = program_for(raw);
    if (!f->programs[f->last].used || f->programs[f->last].link_type != link_type) {
        f->last = find(f, link_type);
        f->fits |= f->programs[f->last].valid;
    }
    const program *p = &f->programs[f->last];
    if (!p->valid) {
        f->unfit++;
        return false;
    }
    struct pcap_pkthdr header = { .caplen = raw->captured, .len = raw->length };
    return pcap_offline_filter(&p->code, &header, raw->data) != 0;
}

bool ccm_filter_fits(const ccm_filter *f, uint64_t *unfit, GError **why)
{
    *unfit = f->unfit;
    if (f->why)
        g_propagate_error(why, g_error_copy(f->why));
    return f->fits || !f->unfit;
}

void ccm_filter_free(ccm_filter *f)
{
    if (!f)
        return;
    for (unsigned i = 0; i < PROGRAMS; i++)
        clear(&f->programs[i]);
    g_clear_error(&f->why);
    g_free(f->expression);
    g_free(f);
}
