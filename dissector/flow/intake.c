/* SPDX-License-Identifier: GPL-2.0-or-later
 * intake.c - counts raw packets, decodes them and hands them to the flow table.
 * In: packets as captured. Out: observations of the flow table. State: ccm_intake. */
#include "flow/intake.h"

enum { EXPIRED_EVERY = 1024 };

void ccm_intake_init(ccm_intake *in, const ccm_limits *limits, bool no_classify, ccm_obs_fn emit,
                     void *ud)
{
    *in = (ccm_intake){ .decoder = ccm_decoder_new(limits),
                        .flows = ccm_flows_new(limits, no_classify, emit, ud) };
}

void ccm_intake_clear(ccm_intake *in)
{
    ccm_flows_free(in->flows);
    ccm_decoder_free(in->decoder);
}

static void count_packet(ccm_intake *in, const ccm_raw *raw)
{
    in->packets++;
    if (in->packets == 1 || (in->untimed && !in->end_ns)) /* none had a time so far */
        in->start_ns = in->end_ns = raw->time_ns;
    in->start_ns = ccm_min64(in->start_ns, raw->time_ns);
    in->end_ns = ccm_max64(in->end_ns, raw->time_ns);
    in->wire_bytes += raw->length;
    if (raw->captured < raw->length)
        in->truncated++;
}

/* What is left of a packet without addresses: its bytes, and the packets it stands for (several,
 * when a reassembled datagram could not be read). */
static ccm_packet unaddressed(const ccm_packet *p)
{
    return (ccm_packet){
        .time_ns = p->time_ns, .frame = p->frame, .packets = p->packets, .wire_bytes = p->wire_bytes
    };
}

bool ccm_intake_decode(ccm_intake *in, const ccm_raw *raw, uint64_t frame, ccm_packet *out)
{
    count_packet(in, raw);
    switch (ccm_decode(in->decoder, raw, frame, out)) {
    case CCM_DECODED:
        return true;
    case CCM_UNDECODED:
        in->undecoded++;
        if (ccm_link_type_problem(raw->link_type)) {
            in->link_problem = ccm_link_type_problem(raw->link_type);
            in->unsupported++;
        }
        /* fall through */
    case CCM_NOT_IP:
        *out = unaddressed(out);
        return true;
    case CCM_HELD:
        break;
    }
    return false;
}

void ccm_intake_expire(ccm_intake *in, uint64_t now_ns)
{
    ccm_packet packet;

    while (ccm_decoder_expired(in->decoder, now_ns, &packet))
        ccm_flows_late(in->flows, &packet);
}

void ccm_intake_flow(ccm_intake *in, const ccm_packet *packets, unsigned n)
{
    unsigned before = 0;

    if (n && packets[n - 1].frame / EXPIRED_EVERY != in->looked) {
        /* Before the same packet, wherever batches end. */
        while (packets[before].frame / EXPIRED_EVERY == in->looked)
            before++;
        ccm_flows_batch(in->flows, packets, before);
        ccm_intake_expire(in, ccm_flows_now(in->flows));
        in->looked = packets[n - 1].frame / EXPIRED_EVERY;
    }
    ccm_flows_batch(in->flows, packets + before, n - before);
}

void ccm_intake_finish(ccm_intake *in)
{
    ccm_intake_expire(in, UINT64_MAX);
    ccm_flows_finish(in->flows);
}

ccm_obs ccm_intake_obs(const ccm_intake *in, ccm_obs_kind kind)
{
    ccm_obs o;

    memset(&o, 0, offsetof(ccm_obs, key));
    o.kind = kind;
    o.time_ns = in->end_ns;
    return o;
}

void ccm_intake_limit(const ccm_intake *in, const char *name, uint64_t count, ccm_obs_fn emit,
                      void *ud)
{
    ccm_obs o = ccm_intake_obs(in, CCM_OBS_limit);

    if (!count)
        return;
    ccm_obs_str(&o, CCM_KEY_limit, ccm_span_str(name));
    ccm_obs_u64(&o, CCM_KEY_count, count);
    emit(ud, &o);
}

void ccm_intake_put_counts(const ccm_intake *in, ccm_obs *o)
{
    ccm_obs_u64(o, CCM_KEY_packets, in->packets);
    ccm_obs_u64(o, CCM_KEY_wire_bytes, in->wire_bytes);
    if (in->end_ns || (in->packets && !in->untimed)) {
        ccm_obs_flag(o, CCM_KEY_has_start, true);
        ccm_obs_u64(o, CCM_KEY_start_ns, in->start_ns);
        ccm_obs_u64(o, CCM_KEY_end_ns, in->end_ns);
    }
    ccm_obs_u64(o, CCM_KEY_truncated_packets, in->truncated);
    ccm_obs_u64(o, CCM_KEY_undecoded_packets, in->undecoded);
    if (ccm_flows_backward(in->flows))
        ccm_obs_u64(o, CCM_KEY_backward_steps, ccm_flows_backward(in->flows));
}
