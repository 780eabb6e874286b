/* SPDX-License-Identifier: GPL-2.0-or-later
 * engine.c - one capture point: wires input to flow; observations go straight to the receiver.
 * In: files (engine_files.c), a live device or the caller's packets. Out: observations, the last
 * one `capture`. */
#include "engine.h"
#include "input/live.h"
#include "model/model.h"

void ccm_engine_emit(void *engine, const ccm_obs *o)
{
    ccm_engine *e = engine;

    if (e->options.model)
        ccm_model_observe(e->options.model, o);
    if (e->fn)
        e->fn(e->user_data, o);
}

ccm_engine *ccm_engine_new(const ccm_limits *limits, const ccm_engine_options *options,
                           ccm_obs_fn fn, void *user_data)
{
    ccm_engine *e = g_new0(ccm_engine, 1);

    e->limits = *limits;
    e->options = *options;
    e->fn = fn;
    e->user_data = user_data;
    if (options->model && !fn) { /* nobody else listens: the short way */
        ccm_intake_init(&e->in, &e->limits, options->no_classify, ccm_model_observe,
                        options->model);
        ccm_flows_structs(e->in.flows, ccm_model_structs);
    } else {
        ccm_intake_init(&e->in, &e->limits, options->no_classify, ccm_engine_emit, e);
    }
    if (options->messages && !options->no_verify)
        e->verify = ccm_verify_new(&e->limits);
    ccm_flows_decode(e->in.flows, options->messages ? CCM_DEPTH_FULL : CCM_DEPTH_HEADER,
                     e->verify ? ccm_verify_service(e->verify) : NULL);
    e->decrypt = ccm_decrypt_new(&e->limits);
    e->reasons = g_string_new("");
    e->unusable = g_string_new("");
    e->refused = g_ptr_array_new_with_free_func(g_free);
    return e;
}

void ccm_engine_free(ccm_engine *e)
{
    if (!e)
        return;
    ccm_intake_clear(&e->in);
    ccm_verify_free(e->verify);
    ccm_decrypt_free(e->decrypt);
    ccm_filter_free(e->filter);
    g_string_free(e->reasons, TRUE);
    g_string_free(e->unusable, TRUE);
    g_ptr_array_unref(e->refused);
    g_free(e);
}

void ccm_engine_may_decrypt(ccm_engine *e)
{
    const ccm_decrypt_counts *c = ccm_decrypt_count(e->decrypt);

    if (c->secrets || c->keys || ccm_decrypt_follows(e->decrypt))
        ccm_flows_decrypt(e->in.flows, ccm_decrypt_service(e->decrypt));
}

bool ccm_engine_add_key(ccm_engine *e, const char *path, GError **error)
{
    bool private, public;

    if (!ccm_decrypt_add_key_file(e->decrypt, path, &private, &public, error))
        return false;
    ccm_engine_may_decrypt(e);
    return !e->verify || (private && !public) || ccm_verify_add_file(e->verify, path, error);
}

bool ccm_engine_add_keylog(ccm_engine *e, const char *path, GError **error)
{
    if (!ccm_decrypt_add_log_file(e->decrypt, path, error))
        return false;
    ccm_engine_may_decrypt(e);
    return true;
}

bool ccm_engine_add_site(ccm_engine *e, const char *path, GError **error)
{
    return !e->verify || ccm_verify_add_site(e->verify, path, error);
}

/* ---- packets --------------------------------------------------------------------------------- */

static bool filter_passes(ccm_engine *e, const ccm_raw *raw)
{
    return !e->filter || ccm_filter_match(e->filter, raw);
}

bool ccm_engine_process(ccm_engine *e, const ccm_raw *raw, unsigned n, ccm_file_sums *sums,
                        const unsigned *from)
{
    ccm_packet packets[CCM_BATCH];
    unsigned decoded = 0;

    ccm_decoder_begin_batch(e->in.decoder);
    for (unsigned i = 0; i < n; i++) {
        if (e->options.max_packets && e->in.packets >= e->options.max_packets) {
            e->more = true;
            break;
        }
        e->frame++;
        if (sums && !sums[from[i]].first_frame)
            sums[from[i]].first_frame = e->frame;
        if (!filter_passes(e, &raw[i]))
            continue;
        if (sums) {
            sums[from[i]].packets++;
            sums[from[i]].bytes += raw[i].length;
        }
        uint64_t refused = e->in.unsupported;
        decoded += ccm_intake_decode(&e->in, &raw[i], e->frame, &packets[decoded]);
        if (sums && e->in.unsupported != refused)
            sums[from[i]].link_problem = e->in.link_problem;
    }
    ccm_intake_flow(&e->in, packets, decoded);
    return !(e->options.max_packets && e->in.packets >= e->options.max_packets) &&
           !ccm_engine_stopped(e);
}

void ccm_engine_packet(ccm_engine *e, uint64_t time_ns, unsigned link_type, const uint8_t *data,
                       unsigned captured, unsigned length)
{
    ccm_raw raw = { data, captured, length, link_type, time_ns };

    (void)ccm_engine_process(e, &raw, 1, NULL, NULL);
}

void ccm_engine_tell_file(ccm_engine *e, const char *path, const ccm_file_sums *sums)
{
    ccm_obs o = ccm_intake_obs(&e->in, CCM_OBS_capture_file);

    ccm_obs_str(&o, CCM_KEY_name, ccm_span_str(path));
    ccm_obs_u64(&o, CCM_KEY_packets, sums->packets);
    ccm_obs_u64(&o, CCM_KEY_file_bytes, sums->bytes);
    ccm_obs_u64(&o, CCM_KEY_first_frame, sums->first_frame ? sums->first_frame : e->frame + 1);
    ccm_engine_emit(e, &o);
}

/* ---- live ------------------------------------------------------------------------------------ */

static void on_live_packet(void *user_data, const ccm_raw *raw)
{
    (void)ccm_engine_process(user_data, raw, 1, NULL, NULL);
}

static void on_live_tick(void *user_data, uint64_t now_ns, uint64_t dropped)
{
    ccm_engine *e = user_data;

    e->dropped = dropped;
    ccm_intake_expire(&e->in, now_ns);
    ccm_flows_tick(e->in.flows, now_ns);
    if (e->options.progress)
        e->options.progress(e->options.progress_data, e->in.wire_bytes, 0, e->in.packets);
}

bool ccm_engine_live(ccm_engine *e, const ccm_live_options *options, GError **error)
{
    ccm_live_events events = { on_live_packet, on_live_tick, e };
    ccm_decrypt_follow(e->decrypt); /* while files may still be opened */
    ccm_engine_may_decrypt(e);
    ccm_live *live = ccm_live_open(options, e->options.bpf, error);
    bool good;

    if (!live)
        return false;
    good = ccm_live_run(live, &events, e->options.max_packets, e->options.stop, error);
    e->dropped = ccm_live_dropped(live);
    ccm_engine_tell_file(
        e, options->interface,
        &(ccm_file_sums){ .packets = e->in.packets, .bytes = e->in.wire_bytes, .first_frame = 1 });
    ccm_live_free(live);
    if (good && e->options.bpf && !e->in.packets && e->options.note) {
        /* of how many, the kernel does not say: it counts behind the filter */
        g_autofree char *text =
            g_strdup_printf("nothing matched the filter \"%s\"", e->options.bpf);
        e->options.note(e->options.note_data, text);
    }
    return good;
}

/* ---- end ------------------------------------------------------------------------------------- */

static void tell_limit(ccm_engine *e, const char *name, uint64_t count)
{
    ccm_intake_limit(&e->in, name, count, ccm_engine_emit, e);
}

static void verify_limits(ccm_engine *e)
{
    if (!e->verify)
        return;
    const ccm_verify_counts *c = ccm_verify_count(e->verify);
    tell_limit(e, "client_keys", c->clients_dropped);
    tell_limit(e, "registrations", c->registrations_dropped);
}

/* What keys were given, and whether they were good for anything. */
static void decryption(const ccm_engine *e, ccm_obs *o)
{
    const ccm_decrypt_counts *c = ccm_decrypt_count(e->decrypt);
    const struct {
        ccm_key key;
        uint64_t value;
    } said[] = {
        { CCM_KEY_secrets, c->secrets },
        { CCM_KEY_secrets_malformed, c->malformed },
        { CCM_KEY_private_keys, c->keys },
        { CCM_KEY_decrypted_sessions, c->sessions },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(said); i++)
        if (said[i].value)
            ccm_obs_u64(o, said[i].key, said[i].value);
}

void ccm_engine_finish(ccm_engine *e)
{
    if (e->replayed)
        return;
    ccm_intake_finish(&e->in);
    tell_limit(e, "fragments", ccm_decoder_evicted(e->in.decoder));
    verify_limits(e);
    tell_limit(e, "tls_secrets", ccm_decrypt_count(e->decrypt)->dropped);
    ccm_obs o = ccm_intake_obs(&e->in, CCM_OBS_capture);
    ccm_intake_put_counts(&e->in, &o);
    ccm_obs_u64(&o, CCM_KEY_dropped_packets, e->dropped);
    if (e->frame > e->in.packets)
        ccm_obs_u64(&o, CCM_KEY_filtered_packets, e->frame - e->in.packets);
    ccm_obs_u64(&o, CCM_KEY_gaps, ccm_flows_gaps(e->in.flows));
    ccm_obs_u64(&o, CCM_KEY_secrets_blocks, e->secrets);
    decryption(e, &o);
    ccm_obs_str(&o, CCM_KEY_reason, ccm_span_of(e->reasons->str, e->reasons->len));
    ccm_obs_str(&o, CCM_KEY_unusable, ccm_span_of(e->unusable->str, e->unusable->len));
    if (e->unmerged)
        ccm_obs_u64(&o, CCM_KEY_unmerged_files, e->unmerged);
    if (e->untimed)
        ccm_obs_u64(&o, CCM_KEY_untimed_packets, e->untimed);
    ccm_engine_emit(e, &o);
}
