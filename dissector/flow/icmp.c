/* SPDX-License-Identifier: GPL-2.0-or-later
 * icmp.c - an ICMP error belongs, as a fact, to the flow whose packet it quotes.
 * In: ICMP packets. Out: icmp_error observations. State: marks the quoted flow as unreachable. */
#include "flow/state.h"

enum { UNREACHABLE = 3, UNREACHABLE6 = 1, ICMP = 1 };

void ccm_icmp_packet(ccm_flows *fs, const ccm_packet *p)
{
    ccm_packet quoted = { 0 };
    ccm_flow_key key;
    ccm_obs o = { .kind = CCM_OBS_icmp_error, .time_ns = p->time_ns, .frame = p->frame };
    char address[CCM_ADDR_TEXT];

    if (!ccm_decode_icmp_quote(p, &quoted))
        return;
    ccm_flow_key_make(&quoted, &key);
    ccm_flow *f = ccm_table_find(fs, &key, ccm_flow_key_hash(fs, &key));
    if (f && p->icmp_type == (p->l4 == ICMP ? UNREACHABLE : UNREACHABLE6))
        f->saw |= CCM_SAW_UNREACHABLE;
    o.flow = f ? f->id : 0;
    o.l4 = quoted.l4;
    o.src = quoted.src;
    o.dst = quoted.dst;
    ccm_obs_u64(&o, CCM_KEY_icmp_type, p->icmp_type);
    ccm_obs_u64(&o, CCM_KEY_icmp_code, p->icmp_code);
    ccm_obs_str(&o, CCM_KEY_address, ccm_span_str(ccm_addr_text(&p->src.addr, address)));
    fs->emit(fs->ud, &o);
}
