/* SPDX-License-Identifier: GPL-2.0-or-later
 * opened.c - gives the TLS parser the plain text of records that Wireshark decrypted.
 *
 * In: what was decrypted of the records that end in the frame at work, in their order. Out: plain
 * text and content type of a record, when a source is left that can be it by its size. State: which
 * sources of the frame are used up, and of each connection how far its handshake is: a source does
 * not tell the content type, which TLS 1.3 hides inside, so it is read off the bytes. Spec: RFC
 * 8446 sections 4, 5.1, 5.2; RFC 5246 6.2.3.
 */
#include "wireshark/opened.h"

#include "base/cursor.h"
#include "proto/tls_names.h"

enum {
    SOURCES = 256, /* of a frame; more records than fit into a segment of 64 KiB are not sent */
    OVERHEAD_LEAST = 8,            /* tag of AES-CCM-8; stream ciphers have more */
    OVERHEAD_MOST = 16 + 48 + 256, /* IV, MAC, padding of CBC */
    OVERHEAD_1_3 = 9,              /* tag of AES-CCM-8, content type */
    EMPTY_MOST = 64,               /* MAC and padding alone */
    TLS_1_0 = 0x0301,
    TLS_1_3 = 0x0304,
    ALERT = 21,
    HANDSHAKE = 22,
    APPLICATION = 23,
};

struct ccm_opened_records {
    ccm_decryptor service;
    ccm_opened_list list;
    const void *frame;
    bool listed; /* `source` holds what the frame has */
    unsigned n;
    ccm_span source[SOURCES]; /* {NULL, 0} = used */
    uint64_t sessions;
};

struct ccm_tls_keys {
    ccm_opened_records *records;
    uint16_t version;
    bool exact; /* the suite has no padding: a record's size tells that of its plain text */
    bool opened;
    bool finished[2];
    uint32_t part[2]; /* bytes left of a handshake message that goes on in the next record */
};

static void hello(ccm_tls_keys *k, const ccm_tls_terms *terms)
{
    const char *name = ccm_tls_cipher_name(terms->suite);

    k->version = terms->version;
    k->exact = name && (strstr(name, "GCM") || strstr(name, "CCM") || strstr(name, "CHACHA20"));
}

static ccm_tls_keys *start(void *user_data, const ccm_tls_terms *terms)
{
    ccm_tls_keys *k = g_new0(ccm_tls_keys, 1);

    k->records = user_data;
    hello(k, terms);
    return k;
}

static void message(ccm_tls_keys *k, unsigned side, ccm_span m)
{
    enum { FINISHED = 20 };

    if (m.n && m.p[0] == FINISHED)
        k->finished[side & 1] = true;
}

static void change_cipher(ccm_tls_keys *k, unsigned side)
{
    (void)k;
    (void)side;
}

static void lost(ccm_tls_keys *k, unsigned side, uint64_t bytes)
{
    (void)bytes;
    k->part[side & 1] = 0;
}

/* ---- the content type of TLS 1.3 ------------------------------------------------------------- */

/* NewSessionTicket, RFC 8446 section 4.6.1: nothing else that ends so exactly begins with a 4. */
static bool is_ticket(ccm_span body)
{
    ccm_cursor c = ccm_cur(body);

    ccm_cur_skip(&c, 8);
    ccm_cur_skip(&c, ccm_cur_u8(&c));
    ccm_cur_skip(&c, ccm_cur_be16(&c));
    ccm_cur_skip(&c, ccm_cur_be16(&c));
    return !c.bad && !ccm_cur_left(&c);
}

static bool may_follow_handshake(uint8_t type, ccm_span body)
{
    enum { TICKET = 4, CERTIFICATE = 11, REQUEST = 13, VERIFY = 15, FINISHED = 20, UPDATE = 24 };

    switch (type) {
    case TICKET:
        return is_ticket(body);
    case UPDATE:
        return body.n == 1 && body.p[0] <= 1;
    case CERTIFICATE: /* of a client that is asked after the handshake */
    case REQUEST:
    case VERIFY:
    case FINISHED:
        return true;
    default:
        return false;
    }
}

/* Whole handshake messages, one after the other; before the handshake is over the last one may go
 * on in the next record. */
static bool is_handshake(ccm_tls_keys *k, unsigned side, ccm_span plain)
{
    ccm_cursor c = ccm_cur(plain);
    uint32_t part = k->part[side];

    if (part) {
        uint32_t here = (uint32_t)ccm_min64(part, plain.n);
        ccm_cur_skip(&c, here);
        part -= here;
    }
    while (ccm_cur_left(&c)) {
        uint8_t type = ccm_cur_u8(&c);
        uint32_t size = (uint32_t)ccm_cur_u8(&c) << 16;
        size |= ccm_cur_be16(&c);
        if (c.bad)
            return false;
        size_t left = ccm_cur_left(&c);
        if (k->finished[side] &&
            (size > left || !may_follow_handshake(type, ccm_cur_take(&c, size))))
            return false;
        if (k->finished[side])
            continue;
        if (type > 25 || type == 0 || size > 1u << 18) /* request texts and frames are larger */
            return false;
        if (size > left)
            part = size - (uint32_t)left;
        ccm_cur_skip(&c, size < left ? size : left);
    }
    k->part[side] = part;
    return true;
}

static uint8_t type_of(ccm_tls_keys *k, unsigned side, uint8_t outer, ccm_span plain)
{
    if (k->version != TLS_1_3)
        return outer;
    if (!k->part[side] && plain.n == 2 && (plain.p[0] == 1 || plain.p[0] == 2))
        return ALERT;
    return is_handshake(k, side, plain) ? HANDSHAKE : APPLICATION;
}

/* ---- records --------------------------------------------------------------------------------- */

static bool can_be(const ccm_tls_keys *k, ccm_span plain, size_t record)
{
    if (!plain.n)
        return false;
    if (k->version == TLS_1_3)
        return plain.n + OVERHEAD_1_3 <= record;
    if (k->exact) /* nonce and tag; tag alone, or nonce and short tag */
        return plain.n + 24 == record || plain.n + 16 == record;
    return plain.n + OVERHEAD_LEAST <= record && plain.n + OVERHEAD_MOST >= record;
}

static ccm_opened open_record(ccm_tls_keys *k, unsigned side, ccm_span header, ccm_span fragment,
                              ccm_span *plain, uint8_t *type)
{
    ccm_opened_records *r = k->records;

    if (!r->frame)
        return CCM_OPENED_NO_KEY;
    if (!r->listed) {
        r->listed = true;
        r->list(r, r->frame);
    }
    for (unsigned i = 0; i < r->n; i++) {
        if (!can_be(k, r->source[i], fragment.n))
            continue;
        *plain = r->source[i];
        *type = type_of(k, side & 1, header.p[0], *plain);
        r->source[i] = (ccm_span){ 0 };
        r->sessions += !k->opened;
        k->opened = true;
        return CCM_OPENED;
    }
    /* TLS 1.0 with CBC sends records without content before others, which are no data source. */
    if (k->opened && k->version <= TLS_1_0 && fragment.n <= EMPTY_MOST) {
        *plain = (ccm_span){ 0 };
        return CCM_OPENED;
    }
    return CCM_OPENED_NO_KEY;
}

static uint64_t missed(ccm_tls_keys *k, unsigned side, uint64_t wire)
{
    (void)k;
    (void)side;
    (void)wire;
    return CCM_GAP_UNKNOWN;
}

static void free_keys(ccm_tls_keys *k)
{
    g_free(k);
}

/* ---- the service ----------------------------------------------------------------------------- */

ccm_opened_records *ccm_opened_records_new(ccm_opened_list list)
{
    ccm_opened_records *r = g_new0(ccm_opened_records, 1);

    r->list = list;
    r->service = (ccm_decryptor){ .user_data = r,
                                  .start = start,
                                  .hello = hello,
                                  .message = message,
                                  .change_cipher = change_cipher,
                                  .lost = lost,
                                  .open = open_record,
                                  .missed = missed,
                                  .free = free_keys,
                                  .unasked = true };
    return r;
}

void ccm_opened_records_free(ccm_opened_records *r)
{
    g_free(r);
}

const ccm_decryptor *ccm_opened_records_service(const ccm_opened_records *r)
{
    return &r->service;
}

void ccm_opened_records_frame(ccm_opened_records *r, const void *frame)
{
    r->frame = frame;
    r->listed = false;
    r->n = 0;
}

void ccm_opened_records_add(ccm_opened_records *r, ccm_span plain)
{
    if (plain.n && r->n < SOURCES)
        r->source[r->n++] = plain;
}

uint64_t ccm_opened_records_sessions(const ccm_opened_records *r)
{
    return r->sessions;
}
