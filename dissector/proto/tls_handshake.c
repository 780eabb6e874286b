/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls_handshake.c - messages of the TLS handshake, and alerts.
 * In: contents of handshake records of both sides, in clear or opened. Out: hellos, certificates,
 * requests, tickets, alerts as observations; each whole message to the decrypting service.
 * State: ccm_tls; of a message that goes on in the next record, the part that came, bounded by
 * limits->handshake_bytes. Spec: RFC 8446 section 4 and 6, RFC 5246 section 7.4, RFC 5077. */
#include "proto/tls.h"

#include <stdio.h>

#include "proto/tls_certificate.h"
#include "proto/tls_names.h"
#include "proto/tls_print.h"

enum {
    HEADER = 4,
    HELLO_REQUEST = 0,
    CLIENT_HELLO = 1,
    SERVER_HELLO = 2,
    NEW_SESSION_TICKET = 4,
    END_OF_EARLY_DATA = 5,
    CERTIFICATE = 11,
    SERVER_KEY_EXCHANGE = 12,
    CERTIFICATE_REQUEST = 13,
    SERVER_HELLO_DONE = 14,
    CLIENT_KEY_EXCHANGE = 16,
    FINISHED = 20,
    EXT_AUTHORITIES = 47,
};

static void emit(const ccm_parse *ps, const ccm_obs *o)
{
    ps->emit(ps->emit_data, o);
}

static void client_is(ccm_tls *t, unsigned side)
{
    if (t->client < 0)
        t->client = (int8_t)side;
}

static uint32_t be24(ccm_cursor *c)
{
    uint32_t high = ccm_cur_u8(c);
    return high << 16 | ccm_cur_be16(c);
}

/* The first bytes of its SHA-256; 0 for nothing. */
static uint64_t hash_of(ccm_span s)
{
    uint8_t digest[32];
    gsize n = sizeof digest;
    uint64_t hash;

    if (!s.n)
        return 0;
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_checksum_update(sum, s.p, (gssize)s.n);
    g_checksum_get_digest(sum, digest, &n);
    g_checksum_free(sum);
    memcpy(&hash, digest, sizeof hash);
    return GUINT64_FROM_BE(hash) & INT64_MAX;
}

static void obs_hash(ccm_obs *o, ccm_key key, ccm_span s)
{
    if (s.n)
        ccm_obs_u64(o, key, hash_of(s));
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void remember(const ccm_parse *ps, ccm_tls *t, ccm_span message)
{
    if (!t->early)
        t->early = g_byte_array_new();
    if (t->early->len + message.n > 2 * (size_t)ps->limits->handshake_bytes)
        return;
    g_byte_array_append(t->early, &ps->dir, 1);
    g_byte_array_append(t->early, message.p, (guint)message.n);
}

/* Tells the keys, which are new, what was said so far. */
static void replay(const ccm_parse *ps, ccm_tls *t)
{
    ccm_cursor c = ccm_cur(t->early ? ccm_span_of(t->early->data, t->early->len) : (ccm_span){ 0 });

    while (ccm_cur_left(&c)) {
        uint8_t dir = ccm_cur_u8(&c);
        ccm_cursor ahead = c;
        ccm_cur_skip(&ahead, 1);
        ccm_span message = ccm_cur_take(&c, HEADER + be24(&ahead));
        if (!c.bad)
            ps->decryptor->message(t->keys, ccm_tls_role(t, dir), message);
    }
    if (t->early)
        g_byte_array_free(t->early, TRUE);
    t->early = NULL;
}

/* A hello from which keys follow. */
static void tell_terms(const ccm_parse *ps, ccm_tls *t, const ccm_tls_terms *terms)
{
    if (!ps->decryptor || !t->client_hello)
        return;
    if (t->keys) {
        ps->decryptor->hello(t->keys, terms);
        return;
    }
    t->keys = ps->decryptor->start(ps->decryptor->user_data, terms);
    if (t->keys)
        replay(ps, t);
}

static void tell_keys(const ccm_parse *ps, ccm_tls *t, ccm_span message)
{
    if (t->keys)
        ps->decryptor->message(t->keys, ccm_tls_role(t, ps->dir), message);
    else if (ps->decryptor && !t->server_hello)
        remember(ps, t, message);
}

/* ---- hellos ---------------------------------------------------------------------------------- */

/* Numbers of a list with commas between, as many as fit. */
static ccm_span number_list(ccm_span list, char *out, size_t size)
{
    ccm_cursor c = ccm_cur(list);
    size_t n = 0;

    while (ccm_cur_left(&c) >= 2 && n + 8 < size) {
        uint16_t v = ccm_cur_be16(&c);
        if (!ccm_tls_grease(v))
            n += (size_t)g_snprintf(out + n, size - n, n ? ",%u" : "%u", v);
    }
    return ccm_span_of(out, n);
}

/* Names of an ALPN list with commas between, as many as fit. */
static ccm_span protocol_list(ccm_span list, uint8_t *out, size_t size)
{
    ccm_cursor c = ccm_cur(list);
    size_t n = 0;

    while (ccm_cur_left(&c)) {
        ccm_span name = ccm_cur_take(&c, ccm_cur_u8(&c));
        size_t comma = n > 0;
        if (!name.n || n + comma + name.n > size)
            continue;
        if (comma)
            out[n++] = ',';
        memcpy(out + n, name.p, name.n);
        n += name.n;
    }
    return ccm_span_of(out, n);
}

/* What it says for the connection. */
static void offered(const ccm_parse *ps, ccm_tls *t, const ccm_client_hello *h, bool decrypted)
{
    client_is(t, ps->dir);
    t->half[ps->dir & 1].unsure = false;
    if (!t->client_hello)
        t->hello_ns = ps->time_ns;
    t->client_hello = true;
    t->renegotiated |= decrypted;
    t->early_data = h->early_data;
    memcpy(t->client_random, h->random.p, CCM_TLS_RANDOM);
    t->n_session = (uint8_t)h->session_id.n;
    if (h->session_id.n)
        memcpy(t->session, h->session_id.p, h->session_id.n);
}

void ccm_tls_hello_v2(ccm_parse *ps, ccm_tls *t, ccm_span bytes)
{
    uint8_t random[CCM_TLS_RANDOM];
    ccm_client_hello h;
    ccm_obs o;

    if (!ccm_client_hello_read_v2(bytes, random, &h))
        return;
    offered(ps, t, &h, false);
    t->types[t->n_types++] = CLIENT_HELLO;
    ccm_obs_at(ps, &o, CCM_OBS_tls_client_hello, ps->dir);
    ccm_obs_u64(&o, CCM_KEY_tls_version, h.version);
    obs_hash(&o, CCM_KEY_random_hash, h.random);
    obs_hash(&o, CCM_KEY_session_hash, h.session_id);
    ccm_obs_flag(&o, CCM_KEY_ssl2_form, true);
    emit(ps, &o);
}

static void client_hello(ccm_parse *ps, ccm_tls *t, ccm_span body, bool decrypted, bool whole)
{
    ccm_client_hello h;
    char ja3[CCM_JA3_TEXT], ja4[CCM_JA4_TEXT], versions[128];
    uint8_t protocols[512];
    ccm_obs o;

    if (!ccm_client_hello_read(body, &h))
        return;
    offered(ps, t, &h, decrypted);
    ccm_obs_at(ps, &o, CCM_OBS_tls_client_hello, ps->dir);
    ccm_obs_u64(&o, CCM_KEY_tls_version, ccm_client_hello_highest(&h));
    ccm_obs_str(&o, CCM_KEY_versions, number_list(h.versions, versions, sizeof versions));
    ccm_obs_str(&o, CCM_KEY_sni, h.sni);
    ccm_obs_str(&o, CCM_KEY_alpn, protocol_list(h.alpn, protocols, sizeof protocols));
    whole = whole && !h.incomplete;
    if (whole) {
        ccm_ja3(&h, ja3);
        ccm_ja4(&h, ja4);
        ccm_obs_str(&o, CCM_KEY_ja3, ccm_span_str(ja3));
        ccm_obs_str(&o, CCM_KEY_ja4, ccm_span_str(ja4));
    }
    obs_hash(&o, CCM_KEY_random_hash, h.random);
    obs_hash(&o, CCM_KEY_session_hash, h.session_id);
    obs_hash(&o, CCM_KEY_session_ticket, h.ticket);
    ccm_obs_flag(&o, CCM_KEY_psk, h.psk);
    ccm_obs_flag(&o, CCM_KEY_early_data, h.early_data);
    ccm_obs_flag(&o, CCM_KEY_post_handshake, h.post_handshake);
    ccm_obs_flag(&o, CCM_KEY_retry, t->retry);
    ccm_obs_flag(&o, CCM_KEY_decrypted, decrypted && !ps->decrypted);
    ccm_obs_flag(&o, CCM_KEY_incomplete, !whole);
    emit(ps, &o);
    if (whole && h.early_data && !t->server_hello && !t->retry)
        tell_terms(ps, t,
                   &(ccm_tls_terms){ .version = CCM_TLS_1_3, .client_random = t->client_random });
}

/* A ServerHello that is none of a retry decides the session. */
static void agreed(const ccm_parse *ps, ccm_tls *t, const ccm_server_hello *h)
{
    bool echo = h->session_id.n && h->session_id.n == t->n_session &&
                memcmp(h->session_id.p, t->session, t->n_session) == 0;

    t->suite = h->suite;
    t->resumed = t->version == CCM_TLS_1_3 ? h->psk : t->version && echo && t->client_hello;
    if (t->version == CCM_TLS_1_3)
        t->half[0].secure = t->half[1].secure = true;
    if (t->version)
        tell_terms(ps, t,
                   &(ccm_tls_terms){
                       .version = t->version,
                       .suite = h->suite,
                       .client_random = t->client_random,
                       .server_random = h->random.p,
                       .session_id = h->session_id,
                       .encrypt_then_mac = h->encrypt_then_mac,
                       .extended_master_secret = h->extended_master_secret,
                       .resumed = t->resumed,
                   });
    t->server_hello = true;
}

static void server_hello(ccm_parse *ps, ccm_tls *t, ccm_span body, bool decrypted, bool whole)
{
    ccm_server_hello h;
    ccm_obs o;

    if (!ccm_server_hello_read(body, &h))
        return;
    whole = whole && !h.incomplete;
    if (!whole && h.version == 0x0303)
        h.version = 0; /* what is missing may say that it is TLS 1.3 */
    client_is(t, !ps->dir);
    t->half[ps->dir & 1].unsure = false;
    ccm_obs_at(ps, &o, CCM_OBS_tls_server_hello, ps->dir);
    if (h.version)
        ccm_obs_u64(&o, CCM_KEY_tls_version, h.version);
    if (h.suite) {
        const char *name = ccm_tls_cipher_name(h.suite);
        ccm_obs_u64(&o, CCM_KEY_cipher, h.suite);
        ccm_obs_str(&o, CCM_KEY_cipher_name, ccm_span_str(name ? name : ""));
    }
    ccm_obs_str(&o, CCM_KEY_alpn, h.alpn);
    obs_hash(&o, CCM_KEY_session_hash, h.session_id);
    ccm_obs_flag(&o, CCM_KEY_psk, h.psk);
    ccm_obs_flag(&o, CCM_KEY_retry, h.retry);
    ccm_obs_flag(&o, CCM_KEY_decrypted, decrypted && !ps->decrypted);
    ccm_obs_flag(&o, CCM_KEY_incomplete, !whole);
    emit(ps, &o);
    t->version = h.version >> 8 == 0x7f ? CCM_TLS_1_3 : h.version; /* drafts of TLS 1.3 */
    if (h.retry)
        t->retry = true;
    else
        agreed(ps, t, &h);
}

/* ---- certificates ---------------------------------------------------------------------------- */

static void certificate(const ccm_parse *ps, bool from_client, unsigned position, ccm_span der,
                        bool whole, bool decrypted)
{
    ccm_certificate x;
    char *print = NULL;
    ccm_obs o;

    bool good = ccm_certificate_read(der, &x);
    if (!good && !whole)
        return;
    ccm_obs_at(ps, &o, CCM_OBS_tls_certificate, ps->dir);
    ccm_obs_flag(&o, CCM_KEY_from_client, from_client);
    ccm_obs_u64(&o, CCM_KEY_position, position);
    ccm_obs_str(&o, CCM_KEY_subject, ccm_name_span(&x.subject));
    ccm_obs_str(&o, CCM_KEY_subject_name, ccm_name_span(&x.subject_name));
    ccm_obs_str(&o, CCM_KEY_issuer, ccm_name_span(&x.issuer));
    ccm_obs_str(&o, CCM_KEY_issuer_name, ccm_name_span(&x.issuer_name));
    ccm_obs_str(&o, CCM_KEY_san, ccm_span_of(x.san, x.n_san));
    if (x.has_not_before)
        ccm_obs_u64(&o, CCM_KEY_not_before_ns, x.not_before_ns);
    if (x.has_expires)
        ccm_obs_u64(&o, CCM_KEY_expires_ns, x.expires_ns);
    ccm_obs_str(&o, CCM_KEY_key_usage, ccm_span_str(x.usage));
    ccm_obs_str(&o, CCM_KEY_key_type, ccm_span_str(x.key_type ? x.key_type : ""));
    if (x.key_bits)
        ccm_obs_u64(&o, CCM_KEY_key_bits, x.key_bits);
    ccm_obs_str(&o, CCM_KEY_algorithm, ccm_span_str(x.algorithm));
    ccm_obs_flag(&o, CCM_KEY_self_signed, x.self_signed);
    ccm_obs_flag(&o, CCM_KEY_authority, x.authority);
    ccm_obs_str(&o, CCM_KEY_serial, ccm_span_str(x.serial));
    if (whole) {
        print = g_compute_checksum_for_data(G_CHECKSUM_SHA256, der.p, der.n);
        ccm_obs_str(&o, CCM_KEY_fingerprint, ccm_span_str(print));
    }
    ccm_obs_flag(&o, CCM_KEY_decrypted, decrypted && !ps->decrypted);
    ccm_obs_flag(&o, CCM_KEY_incomplete, x.incomplete || !whole);
    emit(ps, &o);
    g_free(print);
}

static void certificates(const ccm_parse *ps, ccm_tls *t, ccm_span body, bool decrypted)
{
    ccm_cursor c = ccm_cur(body);
    bool tls13 = t->version == CCM_TLS_1_3, client = ps->dir == ccm_tls_client_side(ps, t);

    if (tls13)
        ccm_cur_skip(&c, ccm_cur_u8(&c)); /* context of the request */
    uint32_t total = be24(&c);
    if (c.bad)
        return;
    uint8_t *sent = client ? &t->client_certificate : &t->server_certificate;
    *sent = total ? CCM_TLS_SENT : CCM_TLS_SENT_EMPTY;
    for (unsigned i = 0; total && ccm_cur_left(&c); i++) {
        uint32_t n = be24(&c);
        size_t left = ccm_cur_left(&c);
        ccm_span der = ccm_cur_take(&c, MIN(n, left));
        if (c.bad || !der.n)
            return;
        if (i == ps->limits->certificates) {
            ccm_tls_limit(ps, "certificates");
            return;
        }
        certificate(ps, client, i, der, der.n == n, decrypted);
        if (tls13)
            ccm_cur_skip(&c, ccm_cur_be16(&c)); /* extensions of the entry */
    }
}

/* Names of authorities, as many as fit. */
static ccm_span authority_list(ccm_span list, uint8_t *out, size_t size)
{
    ccm_cursor c = ccm_cur(list);
    size_t n = 0;

    while (ccm_cur_left(&c)) {
        ccm_name name = { 0 };
        ccm_span whole = ccm_cur_take(&c, ccm_cur_be16(&c));
        size_t gap = n ? 2 : 0;
        if (!ccm_certificate_name(whole, &name, NULL) || !name.n || n + gap + name.n > size)
            continue;
        memcpy(out + n, "; ", gap);
        memcpy(out + n + gap, name.text, name.n);
        n += gap + name.n;
    }
    return ccm_span_of(out, n);
}

static void certificate_request(const ccm_parse *ps, ccm_tls *t, ccm_span body, bool decrypted,
                                bool whole)
{
    ccm_cursor c = ccm_cur(body);
    ccm_span list = { 0 }, data;
    uint8_t names[2048];
    uint16_t type;
    ccm_obs o;

    client_is(t, !ps->dir);
    t->requested = true;
    ccm_cur_skip(&c, ccm_cur_u8(&c)); /* context, or certificate types */
    if (t->version == CCM_TLS_1_3) {
        ccm_cursor ext = ccm_cur(ccm_cur_take(&c, ccm_cur_be16(&c)));
        while (ccm_tls_extension(&ext, &type, &data))
            if (type == EXT_AUTHORITIES && data.n >= 2)
                list = ccm_span_of(data.p + 2, data.n - 2);
    } else {
        if (t->version == 0x0303 || !t->version)
            ccm_cur_skip(&c, ccm_cur_be16(&c)); /* signature algorithms */
        list = ccm_cur_take(&c, ccm_cur_be16(&c));
    }
    ccm_obs_at(ps, &o, CCM_OBS_tls_certificate_request, ps->dir);
    ccm_obs_str(&o, CCM_KEY_authorities, authority_list(list, names, sizeof names));
    ccm_obs_flag(&o, CCM_KEY_decrypted, decrypted && !ps->decrypted);
    ccm_obs_flag(&o, CCM_KEY_incomplete, c.bad || !whole);
    emit(ps, &o);
}

static void ticket(const ccm_parse *ps, ccm_tls *t, ccm_span body, bool decrypted)
{
    ccm_cursor c = ccm_cur(body);
    ccm_obs o;

    client_is(t, !ps->dir);
    ccm_cur_skip(&c, 4); /* lifetime */
    if (t->version == CCM_TLS_1_3) {
        ccm_cur_skip(&c, 4);              /* age */
        ccm_cur_skip(&c, ccm_cur_u8(&c)); /* nonce */
    }
    ccm_span id = ccm_cur_take(&c, ccm_cur_be16(&c));
    if (c.bad || !id.n)
        return;
    ccm_obs_at(ps, &o, CCM_OBS_tls_ticket, ps->dir);
    obs_hash(&o, CCM_KEY_session_ticket, id);
    ccm_obs_str(&o, CCM_KEY_client_certificate, ccm_span_str(ccm_tls_client_certificate(t)));
    ccm_obs_flag(&o, CCM_KEY_decrypted, decrypted && !ps->decrypted);
    emit(ps, &o);
}

/* ---- messages -------------------------------------------------------------------------------- */

static void finished(ccm_parse *ps, ccm_tls *t)
{
    /* Of early data that the server accepts the client says the end (RFC 8446, 4.5). What it refused
     * is sent again, and the answer is to that. */
    if (ccm_tls_is_client(t, ps->dir) && t->early_data && !t->early_ended && !t->client_finished &&
        !t->hurt && t->inner)
        ccm_inner_anew(t->inner, ps);
    t->client_finished |= ccm_tls_is_client(t, ps->dir);
    ccm_tls_finished(t, &t->half[ps->dir & 1], ps->time_ns);
}

/* One message with its header; `whole` = all of it is there. */
static void message(ccm_parse *ps, ccm_tls *t, ccm_span in, bool decrypted, bool whole)
{
    ccm_span body = ccm_span_of(in.p + HEADER, in.n - HEADER);
    uint8_t type = in.p[0];

    if (t->n_types < CCM_TLS_TYPES && whole)
        t->types[t->n_types++] = type;
    if (type == SERVER_HELLO)
        server_hello(ps, t, body, decrypted, whole);
    if (whole)
        tell_keys(ps, t, in);
    if (type == CLIENT_HELLO)
        client_hello(ps, t, body, decrypted, whole);
    else if (type == CERTIFICATE)
        certificates(ps, t, body, decrypted);
    else if (type == CERTIFICATE_REQUEST)
        certificate_request(ps, t, body, decrypted, whole);
    else if (type == NEW_SESSION_TICKET && whole)
        ticket(ps, t, body, decrypted);
    else if (type == SERVER_HELLO_DONE || type == SERVER_KEY_EXCHANGE)
        client_is(t, !ps->dir);
    else if (type == CLIENT_KEY_EXCHANGE)
        client_is(t, ps->dir);
    else if (type == FINISHED)
        finished(ps, t);
    t->early_ended |= type == END_OF_EARLY_DATA;
    t->server_done |= type == SERVER_HELLO_DONE;
    t->key_exchange |= type == CLIENT_KEY_EXCHANGE;
}

void ccm_tls_part_clear(const ccm_parse *ps, ccm_tls_half *h)
{
    if (!h->part)
        return;
    if (ps->gathered)
        *ps->gathered -= h->part->len;
    g_byte_array_free(h->part, TRUE);
    h->part = NULL;
}

/* Takes bytes off the front of `in` into the part until it has `want`. */
static void part_add(const ccm_parse *ps, ccm_tls_half *h, ccm_span *in, size_t want)
{
    size_t n = MIN(want - h->part->len, in->n);

    g_byte_array_append(h->part, in->p, (guint)n);
    if (ps->gathered)
        *ps->gathered += n;
    *in = ccm_span_of(in->p + n, in->n - n);
}

static uint32_t size_of(const uint8_t *header)
{
    return HEADER + ((uint32_t)header[1] << 16 | (uint32_t)header[2] << 8 | header[3]);
}

/* Goes on with the message that was begun. */
static void go_on(ccm_parse *ps, ccm_tls *t, ccm_tls_half *h, ccm_span *in, bool decrypted)
{
    if (h->part->len < HEADER) {
        part_add(ps, h, in, HEADER);
        return;
    }
    uint32_t size = size_of(h->part->data);
    bool memory = ps->gathered && *ps->gathered > ps->limits->pending_bytes;
    if (size > ps->limits->handshake_bytes || memory) {
        ccm_tls_limit(ps, memory ? "pending_bytes" : "handshake_bytes");
        h->drop = size - h->part->len;
        ccm_tls_part_clear(ps, h);
        return;
    }
    part_add(ps, h, in, size);
    if (h->part->len < size)
        return;
    message(ps, t, ccm_span_of(h->part->data, size), decrypted, true);
    ccm_tls_part_clear(ps, h);
}

void ccm_tls_handshake(ccm_parse *ps, ccm_tls *t, ccm_span in, bool decrypted)
{
    ccm_tls_half *h = &t->half[ps->dir & 1];

    /* A part whose last byte has come is no part any more, so each turn uses bytes or ends one. */
    while (in.n || (h->part && h->part->len >= HEADER && size_of(h->part->data) <= h->part->len)) {
        if (h->drop) {
            size_t n = MIN(h->drop, in.n);
            h->drop -= (uint32_t)n;
            in = ccm_span_of(in.p + n, in.n - n);
        } else if (h->part) {
            go_on(ps, t, h, &in, decrypted);
        } else if (in.n >= HEADER && size_of(in.p) <= in.n) {
            size_t n = size_of(in.p);
            message(ps, t, ccm_span_of(in.p, n), decrypted, true);
            in = ccm_span_of(in.p + n, in.n - n);
        } else {
            h->part = g_byte_array_new();
            part_add(ps, h, &in, MIN(in.n, HEADER));
        }
    }
}

void ccm_tls_handshake_cut(ccm_parse *ps, ccm_tls *t)
{
    ccm_tls_half *h = &t->half[ps->dir & 1];

    h->drop = 0;
    if (h->part && h->part->len > HEADER)
        message(ps, t, ccm_span_of(h->part->data, h->part->len), false, false);
    ccm_tls_part_clear(ps, h);
}

void ccm_tls_alert(ccm_parse *ps, ccm_tls *t, ccm_span bytes, bool decrypted)
{
    ccm_cursor c = ccm_cur(bytes);
    uint8_t level = ccm_cur_u8(&c), code = ccm_cur_u8(&c);
    ccm_obs o;

    if (c.bad || (level != 1 && level != 2))
        return;
    t->refused |= level == 2;
    const char *name = ccm_tls_alert_name(code);
    ccm_obs_at(ps, &o, CCM_OBS_tls_alert, ps->dir);
    ccm_obs_str(&o, CCM_KEY_level, ccm_span_str(level == 1 ? "warning" : "fatal"));
    ccm_obs_u64(&o, CCM_KEY_alert, code);
    ccm_obs_str(&o, CCM_KEY_name, ccm_span_str(name ? name : ""));
    ccm_obs_flag(&o, CCM_KEY_established, t->over_ns != 0);
    ccm_obs_flag(&o, CCM_KEY_decrypted, decrypted && !ps->decrypted);
    emit(ps, &o);
}
