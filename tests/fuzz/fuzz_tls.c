/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_tls.c - the TLS parser behind a caller that carries, skips, loses and ends as the input
 * says, with a decrypting service that opens what it likes. Input: a flag byte (1 = midstream, 2 =
 * there is a service), then operations: a byte (bits 0-1: 0/1 data of that side, 2 lose, 3 end; bit
 * 2: side of a loss or end), two bytes of length, and for data so many bytes. */
#include "../unit/http_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct ccm_tls_keys {
    unsigned told, opened;
};

static ccm_tls_keys *start(void *user_data, const ccm_tls_terms *terms)
{
    (void)user_data;
    g_assert_nonnull(terms->client_random);
    return g_new0(ccm_tls_keys, 1);
}

static void hello(ccm_tls_keys *keys, const ccm_tls_terms *terms)
{
    (void)keys;
    (void)terms;
}

static void message(ccm_tls_keys *keys, unsigned side, ccm_span m)
{
    g_assert_cmpuint(side, <, 2);
    g_assert_cmpuint(m.n, ==, 4 + ((size_t)m.p[1] << 16 | (size_t)m.p[2] << 8 | m.p[3]));
    keys->told++;
}

static void change_cipher(ccm_tls_keys *keys, unsigned side)
{
    (void)keys;
    g_assert_cmpuint(side, <, 2);
}

static void lost(ccm_tls_keys *keys, unsigned side, uint64_t bytes)
{
    (void)keys;
    (void)side;
    (void)bytes;
}

/* The last byte of a record is its true type, the one before says whether it opens. */
static ccm_opened open_record(ccm_tls_keys *keys, unsigned side, ccm_span header, ccm_span fragment,
                              ccm_span *plain, uint8_t *type)
{
    (void)side;
    g_assert_cmpuint(header.n, ==, 5);
    g_assert_cmpuint(fragment.n, ==, (size_t)header.p[3] << 8 | header.p[4]);
    if (fragment.n < 2)
        return CCM_OPENED_BAD;
    *type = fragment.p[fragment.n - 1];
    *plain = ccm_span_of(fragment.p, fragment.n - 2);
    keys->opened++;
    return (ccm_opened)(fragment.p[fragment.n - 2] % 3);
}

static uint64_t missed(ccm_tls_keys *keys, unsigned side, uint64_t wire)
{
    (void)side;
    return keys->opened % 2 ? wire / 2 : CCM_GAP_UNKNOWN;
}

static void free_keys(ccm_tls_keys *keys)
{
    g_free(keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ccm_decryptor service = { NULL, start,       hello,  message,  change_cipher,
                                           lost, open_record, missed, free_keys, false };
    ccm_cursor c = ccm_cur(ccm_span_of(data, size));
    uint8_t flags = ccm_cur_u8(&c);
    size_t gathered = 0;
    drive d;
    drive_open_proto(&d, &ccm_proto_tls, flags & 1);
    d.limits.head_bytes = 4096;
    d.limits.handshake_bytes = 2048;
    d.limits.certificates = 4;
    d.limits.pending_bytes = 8192;
    d.ps.gathered = &gathered;
    if (flags & 2)
        d.ps.decryptor = &service;
    while (ccm_cur_left(&c) >= 3 && d.out->len < 1 << 20) {
        uint8_t op = ccm_cur_u8(&c);
        size_t n = ccm_cur_le16(&c);
        unsigned side = op >> 2 & 1;
        if ((op & 3) < 2) {
            ccm_span s = ccm_cur_take(&c, MIN(n, ccm_cur_left(&c)));
            (void)ccm_proto_tls.probe(s, op & 8);
            if (s.n && !d.dir[op & 1].ended)
                drive_bytes(&d, op & 1, 1, s.p, s.n);
        } else if ((op & 3) == 2) {
            if (n && !d.dir[side].ended)
                drive_lose(&d, side, 1, n);
        } else {
            drive_end(&d, side, 1);
        }
        for (unsigned i = 0; i < 2 && !d.bad; i++) { /* as the flow layer does */
            drive_dir *x = &d.dir[i];
            if (x->carry->len <= d.limits.head_bytes)
                continue;
            drive_at(&d, i, 1);
            ccm_proto_tls.gap(&d.ps, 0, drive_show(&d, x->carry->data, x->carry->len));
            g_byte_array_set_size(x->carry, 0);
        }
    }
    g_free(drive_close(&d, 2));
    g_assert_cmpuint(gathered, ==, 0);
    return 0;
}
