/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls_session.c - what a TLS connection was as a whole.
 * In: ccm_tls at the end of the flow. Out: tls_session, and the alerts that only their size and
 * place tell. State: none. */
#include "proto/tls.h"

unsigned ccm_tls_client_side(const ccm_parse *ps, const ccm_tls *t)
{
    return t->client >= 0 ? (unsigned)t->client : ps->end[0].port < ps->end[1].port;
}

void ccm_tls_alert_encrypted(const ccm_parse *ps, const ccm_tls *t)
{
    ccm_obs o;

    ccm_obs_at(ps, &o, CCM_OBS_tls_alert, ps->dir);
    ccm_obs_flag(&o, CCM_KEY_encrypted, true);
    ccm_obs_flag(&o, CCM_KEY_established, t->over_ns != 0);
    ps->emit(ps->emit_data, &o);
}

/* In TLS 1.3 an alert looks like data. The last record of a side that is as long as one, is one. */
static void last_alert(const ccm_parse *ps, const ccm_tls *t, unsigned side)
{
    const ccm_tls_half *h = &t->half[side];
    ccm_parse at = *ps;

    if (h->last_size != CCM_TLS_ALERT_1_3)
        return;
    at.dir = (uint8_t)side;
    at.time_ns = h->last_ns;
    at.frame = h->last_frame;
    ccm_tls_alert_encrypted(&at, t);
}

static ccm_span numbers(const uint16_t *v, unsigned n, char *out, size_t size)
{
    size_t used = 0;

    for (unsigned i = 0; i < n; i++)
        used += (size_t)g_snprintf(out + used, size - used, i ? ",%u" : "%u", v[i]);
    return ccm_span_of(out, used);
}

static bool established(const ccm_tls *t, unsigned client)
{
    if (t->version == CCM_TLS_1_3)
        return t->answered || (t->client_finished && t->over_ns);
    /* From the middle, data on both sides may be the handshake of TLS 1.3: it is over when the
     * server answers what the client sent. */
    if (!t->version && t->half[!client].replied)
        return true;
    return t->half[0].finished && t->half[1].finished;
}

const char *ccm_tls_client_certificate(const ccm_tls *t)
{
    if (t->client_certificate)
        return t->client_certificate == CCM_TLS_SENT ? "yes" : "empty";
    /* All that the server said up to its last message was read, and it did not ask; or all that
     * the client said, who would have had to answer. */
    bool read = (t->server_hello && t->server_done) ||
                (t->client_hello && (t->key_exchange || t->client_finished));
    return read && !t->hurt && !t->requested && !t->resumed ? "no" : "";
}

void ccm_tls_session(const ccm_parse *ps, const ccm_tls *t)
{
    unsigned client = ccm_tls_client_side(ps, t);
    const ccm_tls_half *c = &t->half[client], *s = &t->half[!client];
    uint16_t types[CCM_TLS_TYPES];
    char flight[CCM_TLS_FLIGHT * 6], messages[CCM_TLS_TYPES * 4];
    ccm_obs o;

    last_alert(ps, t, client);
    last_alert(ps, t, !client);
    for (unsigned i = 0; i < t->n_types; i++)
        types[i] = t->types[i];
    ccm_obs_at(ps, &o, CCM_OBS_tls_session, client);
    if (t->version)
        ccm_obs_u64(&o, CCM_KEY_tls_version, t->version);
    if (t->suite)
        ccm_obs_u64(&o, CCM_KEY_cipher, t->suite);
    ccm_obs_flag(&o, CCM_KEY_established, established(t, client));
    ccm_obs_flag(&o, CCM_KEY_resumed, t->resumed);
    ccm_obs_flag(&o, CCM_KEY_renegotiated, t->renegotiated);
    ccm_obs_flag(&o, CCM_KEY_certificate_requested, t->requested);
    ccm_obs_str(&o, CCM_KEY_client_certificate, ccm_span_str(ccm_tls_client_certificate(t)));
    if (!t->flight_lost)
        ccm_obs_str(&o, CCM_KEY_client_flight,
                    numbers(t->flight, t->n_flight, flight, sizeof flight));
    ccm_obs_flag(&o, CCM_KEY_early_data, t->early_data);
    ccm_obs_str(&o, CCM_KEY_handshake, numbers(types, t->n_types, messages, sizeof messages));
    if (t->hello_ns && t->over_ns > t->hello_ns)
        ccm_obs_u64(&o, CCM_KEY_handshake_ns, t->over_ns - t->hello_ns);
    ccm_obs_u64(&o, CCM_KEY_client_records, c->records);
    ccm_obs_u64(&o, CCM_KEY_server_records, s->records);
    ccm_obs_u64(&o, CCM_KEY_client_bytes, c->bytes);
    ccm_obs_u64(&o, CCM_KEY_server_bytes, s->bytes);
    ccm_obs_u64(&o, CCM_KEY_missing_bytes, c->missing + s->missing);
    ccm_obs_flag(&o, CCM_KEY_decrypted, t->opened && !ps->decrypted);
    if (t->undecrypted)
        ccm_obs_u64(&o, CCM_KEY_undecrypted, t->undecrypted);
    ccm_obs_flag(&o, CCM_KEY_incomplete,
                 t->hurt || !t->client_hello || (!t->server_hello && !t->refused));
    ps->emit(ps->emit_data, &o);
}
