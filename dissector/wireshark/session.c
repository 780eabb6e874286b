/* SPDX-License-Identifier: GPL-2.0-or-later
 * session.c - feeds the frames that Wireshark dissects to flow/intake.c.
 *
 * In: the bytes of each frame and what Wireshark decrypted of it. Out: observations. State: a
 * capture point. The frame is decoded by input/decode.c and not taken from Wireshark's tree: so the
 * bytes of each route are the program's to the last one (fragments, tunnels, cut and broken packets
 * included), and no tree has to be built for packets that nobody asks about. */
#include "wireshark/session.h"

#include "flow/intake.h"
#include "proto/verify.h"
#include "wireshark/opened.h"

struct ccm_session {
    ccm_obs_fn fn;
    void *user_data;
    ccm_intake in;
    ccm_opened_records *opened;
    ccm_verify *verify;
};

enum { LINK_UNKNOWN = 0xffffffff };

/* The data sources "Decrypted TLS" of a frame: the TLS dissector adds one for each record that ends
 * in it, in their order. */
static void list_opened(ccm_opened_records *records, const void *frame)
{
    for (const GSList *at = ((const packet_info *)frame)->data_src; at; at = at->next) {
        char *name = ccm_ws_source_name(at->data);
        bool fits = name && g_str_has_prefix(name, "Decrypted TLS");
        tvbuff_t *tvb = fits ? get_data_source_tvb(at->data) : NULL;
        int size = tvb ? (int)tvb_captured_length(tvb) : 0;

        if (size > 0)
            ccm_opened_records_add(records, ccm_span_of(tvb_get_ptr(tvb, 0, size), (size_t)size));
        wmem_free(NULL, name);
    }
}

/* LINKTYPE_ of pcap for what Wireshark calls an encapsulation. */
static uint32_t link_type(int encap)
{
    switch (encap) {
    case WTAP_ENCAP_ETHERNET:
        return 1;
    case WTAP_ENCAP_NULL:
        return 0;
    case WTAP_ENCAP_LOOP:
        return 108;
    case WTAP_ENCAP_RAW_IP:
        return 101;
    case WTAP_ENCAP_RAW_IP4:
        return 228;
    case WTAP_ENCAP_RAW_IP6:
        return 229;
    case WTAP_ENCAP_SLL:
        return 113;
    case WTAP_ENCAP_SLL2:
        return 276;
    default:
        return LINK_UNKNOWN;
    }
}

ccm_session *ccm_session_new(ccm_obs_fn fn, void *user_data, const ccm_viewer *viewer,
                             const char *site, GError **error)
{
    ccm_session *s = g_new0(ccm_session, 1);
    ccm_limits limits;

    ccm_limits_init(&limits);
    s->fn = fn;
    s->user_data = user_data;
    s->opened = ccm_opened_records_new(list_opened);
    ccm_intake_init(&s->in, &limits, true, fn, user_data);
    s->verify = ccm_verify_new(&limits);
    if (site)
        (void)ccm_verify_add_site(s->verify, site, error);
    ccm_flows_decode(s->in.flows, CCM_DEPTH_FULL, ccm_verify_service(s->verify));
    ccm_flows_view(s->in.flows, viewer);
    if (viewer)
        ccm_flows_no_runs(s->in.flows);
    ccm_flows_decrypt(s->in.flows, ccm_opened_records_service(s->opened));
    return s;
}

void ccm_session_free(ccm_session *s)
{
    if (!s)
        return;
    ccm_intake_clear(&s->in);
    ccm_verify_free(s->verify);
    ccm_opened_records_free(s->opened);
    g_free(s);
}

void ccm_session_frame(ccm_session *s, packet_info *pinfo, tvbuff_t *tvb)
{
    ccm_packet packet;
    uint32_t captured = tvb_captured_length(tvb);

    if (!pinfo->rec || pinfo->rec->rec_type != REC_TYPE_PACKET)
        return;
    uint64_t seconds = pinfo->abs_ts.secs > 0 ? (uint64_t)pinfo->abs_ts.secs : 0;
    uint64_t ns = pinfo->abs_ts.nsecs > 0 ? (uint64_t)pinfo->abs_ts.nsecs : 0;
    ccm_raw raw = { .data = captured ? tvb_get_ptr(tvb, 0, (int)captured) : NULL,
                    .captured = captured,
                    .length = MAX(pinfo->fd->pkt_len, captured),
                    .link_type = link_type(pinfo->rec->rec_header.packet_header.pkt_encap),
                    .time_ns = seconds * UINT64_C(1000000000) + ns };

    ccm_opened_records_frame(s->opened, pinfo);
    ccm_decoder_begin_batch(s->in.decoder);
    unsigned n = ccm_intake_decode(&s->in, &raw, pinfo->num, &packet);
    ccm_intake_flow(&s->in, &packet, n);
    ccm_opened_records_frame(s->opened, NULL);
}

void ccm_session_finish(ccm_session *s)
{
    ccm_intake_finish(&s->in);
    ccm_intake_limit(&s->in, "fragments", ccm_decoder_evicted(s->in.decoder), s->fn, s->user_data);
    const ccm_verify_counts *c = ccm_verify_count(s->verify);
    ccm_intake_limit(&s->in, "client_keys", c->clients_dropped, s->fn, s->user_data);
    ccm_intake_limit(&s->in, "registrations", c->registrations_dropped, s->fn, s->user_data);
    ccm_obs o = ccm_intake_obs(&s->in, CCM_OBS_capture);
    ccm_intake_put_counts(&s->in, &o);
    ccm_obs_u64(&o, CCM_KEY_dropped_packets, 0);
    ccm_obs_u64(&o, CCM_KEY_gaps, ccm_flows_gaps(s->in.flows));
    uint64_t sessions = ccm_opened_records_sessions(s->opened);
    if (sessions)
        ccm_obs_u64(&o, CCM_KEY_decrypted_sessions, sessions);
    if (s->in.link_problem)
        ccm_obs_str(&o, CCM_KEY_unusable, ccm_span_str(s->in.link_problem));
    s->fn(s->user_data, &o);
}
