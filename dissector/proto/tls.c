/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls.c - records of TLS, on any port: content decides.
 * In: the two directions of a TCP flow, with gaps. Out: observations of the handshake (by
 * tls_handshake.c) and of the session as a whole.
 * State: a half-parser per direction, allocated once per flow. Records that nobody can open are
 * skipped by arithmetic; one that is to be read is left to the caller's carry until it is whole.
 * After bytes are lost the next run of plausible records is searched. Spec: RFC 8446 section 5,
 * RFC 5246 section 6, RFC 8446 appendix D.4 (ChangeCipherSpec of TLS 1.3 means nothing). */
#include "proto/tls.h"

enum { UNOPENED_MAX = 64 }; /* records without key in a row, after which no more are tried */

void ccm_tls_limit(const ccm_parse *ps, const char *name)
{
    ccm_obs o;

    ccm_obs_at(ps, &o, CCM_OBS_limit, ps->dir);
    ccm_obs_str(&o, CCM_KEY_limit, ccm_span_str(name));
    ccm_obs_u64(&o, CCM_KEY_count, 1);
    ps->emit(ps->emit_data, &o);
}

static void anomaly(ccm_tls *t, const ccm_parse *ps, const char *reason)
{
    ccm_obs o;

    if (t->confused)
        return;
    t->confused = true;
    ccm_obs_at(ps, &o, CCM_OBS_anomaly, ps->dir);
    ccm_obs_str(&o, CCM_KEY_protocol, ccm_span_str("tls"));
    ccm_obs_str(&o, CCM_KEY_reason, ccm_span_str(reason));
    ccm_obs_u64(&o, CCM_KEY_count, 1);
    ps->emit(ps->emit_data, &o);
}

static ccm_probe tls_probe(ccm_span in, bool midstream)
{
    ccm_probe shape = ccm_tls_shape(in);
    size_t keep;

    if (!midstream && shape == CCM_PROBE_NO)
        return ccm_tls_shape_v2(in, &keep);
    if (!midstream || shape == CCM_PROBE_YES)
        return shape;
    if (ccm_tls_seek(in, true, &keep) != SIZE_MAX)
        return CCM_PROBE_YES;
    return keep >= CCM_TLS_HEADER ? CCM_PROBE_MAYBE : shape;
}

static void *tls_open(ccm_parse *ps)
{
    ccm_tls *t = g_new0(ccm_tls, 1);

    t->client = -1;
    for (unsigned i = 0; ps->midstream && i < 2; i++) {
        t->half[i].place = CCM_TLS_SEEK;
        t->half[i].unsure = true;
    }
    return t;
}

void ccm_tls_finished(ccm_tls *t, ccm_tls_half *h, uint64_t now_ns)
{
    h->finished = true;
    /* The client's Finished is the last message of TLS 1.3. */
    bool over = t->version == CCM_TLS_1_3 ? t->client >= 0 && h == &t->half[t->client]
                                          : t->half[0].finished && t->half[1].finished;
    if (over && !t->over_ns)
        t->over_ns = now_ns;
}

/* ---- what is inside ---------------------------------------------------------------------------
 * Decrypted application data go to the parsers of proto/inner.h, as a connection of its own. */

static void on_application_data(ccm_parse *ps, ccm_tls *t, ccm_span bytes)
{
    if (!t->inner)
        t->inner = ccm_inner_new(ps, true);
    ccm_inner_bytes(t->inner, ps, bytes);
}

/* Records before the one at offset `at` were not read. How much of the application data they were
 * is told by the next one that is opened; without one, `at` is CCM_GAP_UNKNOWN. Before the
 * handshake is over there are no such data. */
static void on_application_lost(ccm_parse *ps, ccm_tls *t, uint64_t at)
{
    ccm_tls_half *h = &t->half[ps->dir & 1];

    if (!h->lost)
        return;
    h->lost = false;
    if (!t->keys || !(t->inner || h->finished))
        return;
    if (!t->inner)
        t->inner = ccm_inner_new(ps, true);
    uint64_t n = at != CCM_GAP_UNKNOWN && h->end && at > h->end
                     ? ps->decryptor->missed(t->keys, ccm_tls_role(t, ps->dir), at - h->end)
                     : CCM_GAP_UNKNOWN;
    ccm_inner_gap(t->inner, ps, n);
}

/* ---- records ----------------------------------------------------------------------------------
 */

static bool keyed(const ccm_tls *t, const ccm_tls_half *h)
{
    return t->keys && h->unopened < UNOPENED_MAX;
}

/* Is the content of the record encrypted? In TLS 1.3 such records call themselves application data.
 * An alert in clear has two bytes. */
static bool opaque(const ccm_tls *t, const ccm_tls_half *h, ccm_tls_record r)
{
    return r.type == CCM_TLS_APPLICATION || (r.type == CCM_TLS_ALERT && r.size != 2) ||
           (h->secure && t->version != CCM_TLS_1_3 && r.type != CCM_TLS_CHANGE_CIPHER);
}

/* An encrypted record of the client after the ServerHello of TLS 1.3: its size tells whether a
 * certificate was in the client's flight. */
static void note_flight(ccm_tls *t, ccm_tls_half *h, uint16_t size, uint64_t now_ns)
{
    enum { END_OF_EARLY_DATA = 21 }; /* 4 + 1 + 16 */

    if (h->finished)
        return;
    if (t->early_data && size == END_OF_EARLY_DATA) {
        t->n_flight = 0; /* so far it was early data */
        return;
    }
    if (t->n_flight == CCM_TLS_FLIGHT)
        return;
    t->flight_lost |= h->unsure;
    t->flight[t->n_flight++] = size;
    bool sha384 = t->suite == 0x1302;
    if (size == (sha384 ? CCM_TLS_FINISHED_384 : CCM_TLS_FINISHED_256))
        ccm_tls_finished(t, h, now_ns);
}

/* What an encrypted record shows without being opened. */
static void note_opaque(ccm_parse *ps, ccm_tls *t, ccm_tls_half *h, ccm_tls_record r)
{
    if (t->version == CCM_TLS_1_3 && t->server_hello) {
        if (ccm_tls_is_client(t, ps->dir))
            note_flight(t, h, r.size, ps->time_ns);
        else
            t->answered |= t->n_flight && r.size != CCM_TLS_ALERT_1_3;
        h->last_size = r.size;
        h->last_ns = ps->time_ns;
        h->last_frame = ps->frame;
    } else if (r.type == CCM_TLS_APPLICATION) {
        h->replied |= t->half[!(ps->dir & 1)].bytes > 0 && r.size != CCM_TLS_ALERT_1_3;
    } else if (r.type == CCM_TLS_HANDSHAKE) {
        t->renegotiated |= h->finished;
        if (h->finished && ccm_tls_is_client(t, ps->dir) && t->n_flight < CCM_TLS_FLIGHT) {
            t->flight_lost |= h->unsure;
            t->flight[t->n_flight++] = r.size;
        }
        ccm_tls_finished(t, h, ps->time_ns);
    } else if (r.type == CCM_TLS_ALERT) {
        ccm_tls_alert_encrypted(ps, t);
    }
}

static void count(ccm_tls *t, ccm_tls_half *h, ccm_tls_record r)
{
    t->records = true;
    h->records++;
    if (r.type == CCM_TLS_APPLICATION)
        h->bytes += r.size;
}

static void change_cipher(ccm_parse *ps, ccm_tls *t, ccm_tls_half *h)
{
    /* Before the ServerHello it is the one that TLS 1.3 sends for old middleboxes. */
    if (t->version == CCM_TLS_1_3 || (!t->version && !h->unsure))
        return;
    h->secure = true;
    /* The server of an abbreviated handshake says this first. */
    bool server = t->client >= 0 && !ccm_tls_is_client(t, ps->dir);
    if (server && t->server_hello && !t->server_done && !t->server_certificate && !h->unsure &&
        !t->renegotiated)
        t->resumed = true;
    if (t->keys)
        ps->decryptor->change_cipher(t->keys, ccm_tls_role(t, ps->dir));
}

/* The content of a record in clear or opened. */
static void content(ccm_parse *ps, ccm_tls *t, uint8_t type, ccm_span bytes, bool decrypted)
{
    ccm_tls_half *h = &t->half[ps->dir & 1];

    if (type == CCM_TLS_CHANGE_CIPHER)
        change_cipher(ps, t, h);
    else if (type == CCM_TLS_ALERT)
        ccm_tls_alert(ps, t, bytes, decrypted);
    else if (type == CCM_TLS_HANDSHAKE)
        ccm_tls_handshake(ps, t, bytes, decrypted);
    else if (type == CCM_TLS_APPLICATION && decrypted)
        on_application_data(ps, t, bytes);
}

/* An encrypted record that is there as a whole. */
static void open_record(ccm_parse *ps, ccm_tls *t, ccm_tls_half *h, ccm_tls_record r, ccm_span in,
                        uint64_t at)
{
    ccm_span plain = { 0 }, header = ccm_span_of(in.p, CCM_TLS_HEADER);
    uint8_t type = r.type;
    ccm_opened got = ps->decryptor->open(t->keys, ccm_tls_role(t, ps->dir), header,
                                         ccm_span_of(in.p + CCM_TLS_HEADER, r.size), &plain, &type);

    if (got == CCM_OPENED) {
        t->opened = true;
        on_application_lost(ps, t, at);
        h->end = at + CCM_TLS_HEADER + r.size;
        h->unopened = 0;
        h->last_size = 0;
        if (t->version == CCM_TLS_1_3 && t->server_hello) {
            if (!ccm_tls_is_client(t, ps->dir))
                t->answered |= t->n_flight && type != CCM_TLS_ALERT;
            else if (type == CCM_TLS_HANDSHAKE)
                note_flight(t, h, r.size, ps->time_ns);
        }
        content(ps, t, type, plain, true);
        return;
    }
    t->undecrypted += t->opened || !ps->decryptor->unasked;
    h->unopened += got == CCM_OPENED_NO_KEY && h->unopened < UNOPENED_MAX;
    if (got == CCM_OPENED_BAD && !t->bad) {
        t->bad = true;
        anomaly(t, ps, "a record does not fit the key at hand");
    }
    note_opaque(ps, t, h, r);
    h->lost = true;
}

/* A record whose content is read, whole; `at` is its offset. */
static void whole_record(ccm_parse *ps, ccm_tls *t, ccm_tls_half *h, ccm_tls_record r, ccm_span in,
                         uint64_t at)
{
    ccm_span fragment = ccm_span_of(in.p + CCM_TLS_HEADER, r.size);
    bool handshake = r.type == CCM_TLS_HANDSHAKE;

    if (opaque(t, h, r)) {
        open_record(ps, t, h, r, in, at);
        return;
    }
    h->end = at + CCM_TLS_HEADER + r.size;
    if (handshake && h->unsure && !h->part && !ccm_tls_plain_handshake(fragment))
        note_opaque(ps, t, h, r);
    else
        content(ps, t, r.type, fragment, false);
}

/* Loses the place of this direction. `lost` bytes are missing, 0 = none. */
static void place_lost(ccm_parse *ps, ccm_tls *t, ccm_tls_half *h, uint64_t lost)
{
    ccm_tls_handshake_cut(ps, t);
    t->hurt |= !h->finished;
    h->place = CCM_TLS_SEEK;
    h->unsure = true;
    h->resumed = false;
    h->left = 0;
    if (t->keys)
        ps->decryptor->lost(t->keys, ccm_tls_role(t, ps->dir), lost);
    h->lost = true;
}

/* ---- steps -------------------------------------------------------------------------------------
 */

/* Bytes used in the search of a record. */
static size_t step_seek(const ccm_parse *ps, ccm_tls_half *h, ccm_span in)
{
    size_t keep, at = ccm_tls_seek(in, !h->resumed && !ps->boundary, &keep);

    h->resumed = true;
    if (at != SIZE_MAX) {
        h->place = CCM_TLS_RECORDS;
        h->resumed = false;
        return at;
    }
    return in.n - MIN(keep, ps->limits->head_bytes);
}

/* Bytes used of a ClientHello in the form of SSL 2, with which a connection may begin; SIZE_MAX:
 * more are needed. */
static size_t step_v2(ccm_parse *ps, ccm_tls *t, ccm_tls_half *h, ccm_span in)
{
    size_t size = 0;
    ccm_probe shape = ccm_tls_shape_v2(in, &size);

    if (shape == CCM_PROBE_NO)
        return 0;
    if (shape == CCM_PROBE_MAYBE || in.n < size)
        return SIZE_MAX;
    t->records = true;
    h->records++;
    ccm_tls_hello_v2(ps, t, ccm_span_of(in.p + 2, size - 2));
    return size;
}

static ccm_feed tls_feed(ccm_parse *ps, ccm_span in)
{
    ccm_tls *t = ps->state;
    ccm_tls_half *h = &t->half[ps->dir & 1];
    ccm_feed out = { .result = CCM_FEED_OK };

    while (out.used < in.n || h->left) {
        ccm_span rest = ccm_span_of(in.p + out.used, in.n - out.used);
        ccm_tls_record r;
        if (h->place == CCM_TLS_ENDED) {
            out.skip = UINT64_MAX;
            break;
        }
        if (h->left) {
            size_t n = (size_t)ccm_min64(h->left, rest.n);
            out.used += n;
            h->left -= n;
            out.skip = h->left;
            if (h->left)
                break;
            continue;
        }
        if (h->place == CCM_TLS_SEEK) {
            out.used += step_seek(ps, h, rest);
            if (h->place == CCM_TLS_SEEK)
                break;
            continue;
        }
        if (!h->records && !h->unsure && !t->server_hello) {
            size_t n = step_v2(ps, t, h, rest);
            if (n == SIZE_MAX)
                break;
            out.used += n;
            if (n)
                continue;
        }
        ccm_probe header = ccm_tls_header(rest, &r);
        if (header == CCM_PROBE_NO) {
            if (!t->records)
                return (ccm_feed){ .result = CCM_FEED_BAD, .why = "not TLS" };
            if (!h->unsure)
                anomaly(t, ps, "no record where one should begin");
            place_lost(ps, t, h, 0);
            h->resumed = true;
            out.used++; /* so that it always gets on */
            continue;
        }
        size_t whole = (size_t)CCM_TLS_HEADER + r.size;
        if (header == CCM_PROBE_MAYBE)
            break;
        if (opaque(t, h, r) && !keyed(t, h)) {
            count(t, h, r);
            note_opaque(ps, t, h, r);
            size_t n = MIN(whole, rest.n);
            out.used += n;
            h->left = whole - n;
            h->left_counted = r.type == CCM_TLS_APPLICATION;
            continue;
        }
        if (rest.n < whole)
            break;
        count(t, h, r);
        whole_record(ps, t, h, r, rest, ps->pos + out.used);
        out.used += whole;
    }
    if (t->client >= 0)
        ps->client = t->client;
    return out;
}

static void tls_skipped(ccm_parse *ps, uint64_t n, uint64_t missing)
{
    ccm_tls *t = ps->state;
    ccm_tls_half *h = &t->half[ps->dir & 1];

    h->left -= ccm_min64(n, h->left);
    h->missing += missing;
}

/* A record that will not become whole: what is there of a handshake message is read. Returns how
 * many bytes of it are still to come. */
static uint64_t cut_record(ccm_parse *ps, ccm_tls *t, ccm_tls_half *h, ccm_span tail)
{
    ccm_tls_record r;

    if (h->place != CCM_TLS_RECORDS || ccm_tls_header(tail, &r) != CCM_PROBE_YES)
        return 0;
    size_t there = MIN(tail.n - CCM_TLS_HEADER, r.size);
    count(t, h, r);
    h->left_counted = r.type == CCM_TLS_APPLICATION;
    if (r.type == CCM_TLS_HANDSHAKE && !opaque(t, h, r) && !h->unsure)
        ccm_tls_handshake(ps, t, ccm_span_of(tail.p + CCM_TLS_HEADER, there), false);
    return r.size - there;
}

static void tls_gap(ccm_parse *ps, uint64_t n, ccm_span tail)
{
    ccm_tls *t = ps->state;
    ccm_tls_half *h = &t->half[ps->dir & 1];
    uint64_t left = h->left ? h->left : cut_record(ps, t, h, tail);

    h->missing += n;
    if (h->place == CCM_TLS_ENDED)
        return;
    place_lost(ps, t, h, n);
    if (left && n <= left) { /* the next record is where it was announced */
        h->place = CCM_TLS_RECORDS;
        h->left = left - n;
    }
}

static void tls_end(ccm_parse *ps, ccm_span tail)
{
    ccm_tls *t = ps->state;
    ccm_tls_half *h = &t->half[ps->dir & 1];

    h->left += cut_record(ps, t, h, tail);
    ccm_tls_handshake_cut(ps, t);
    on_application_lost(ps, t, CCM_GAP_UNKNOWN);
    if (t->inner)
        ccm_inner_end(t->inner, ps);
    if (h->left_counted)
        h->bytes -= ccm_min64(h->bytes, h->left); /* they never came */
    h->left = 0;
    h->place = CCM_TLS_ENDED;
}

static void tls_close(ccm_parse *ps)
{
    ccm_tls *t = ps->state;
    uint8_t dir = ps->dir;

    for (uint8_t i = 0; i < 2; i++) {
        ps->dir = i;
        if (t->half[i].place != CCM_TLS_ENDED)
            tls_end(ps, (ccm_span){ 0 });
    }
    ps->dir = dir;
    ccm_inner_free(t->inner, ps);
    if (t->records)
        ccm_tls_session(ps, t);
    if (t->keys)
        ps->decryptor->free(t->keys);
    if (t->early)
        g_byte_array_free(t->early, TRUE);
    g_free(t);
    ps->state = NULL;
}

const ccm_proto ccm_proto_tls = {
    .name = "tls",
    .l4 = 6,
    .probe = tls_probe,
    .open = tls_open,
    .feed = tls_feed,
    .skipped = tls_skipped,
    .gap = tls_gap,
    .end = tls_end,
    .close = tls_close,
};
