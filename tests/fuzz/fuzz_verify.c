/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_verify.c - claims, answers to registrations and supplied keys in any order. Input:
 * operations of a byte: bits 0-2 the field of a claim, or 6 an answer, 7 a supplied key; bits 3-5
 * the flow. Then the values, each with two bytes of length: of a claim client id, signed data,
 * signature, public key, certificate; of an answer the client id; of a key client id and file. A
 * claim asked again gets the same verdict, without another RSA operation. */
#include "proto/verify_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ANSWER = 6, KEY = 7, OPERATIONS = 64 };

/* In memory of exactly its size. */
static ccm_span value(ccm_cursor *c)
{
    size_t n = ccm_cur_le16(c);
    if (n > ccm_cur_left(c))
        n = ccm_cur_left(c);
    ccm_span s = ccm_cur_take(c, n);
    uint8_t *exact = g_malloc(n ? n : 1);
    if (n)
        memcpy(exact, s.p, n);
    return ccm_span_of(exact, n);
}

static void drop(ccm_span s)
{
    g_free((void *)s.p);
}

static bool one_of(const char *text, const char *const *list)
{
    while (*list && g_strcmp0(text, *list) != 0)
        list++;
    return !text || *list;
}

static void claim(ccm_verify *v, uint8_t op, ccm_cursor *c)
{
    static const char *const results[] = { "verified", "failed", "no-key", NULL };
    static const char *const sources[] = { "message", "new-key", "registration", "supplied", NULL };
    const ccm_verifier *service = ccm_verify_service(v);
    ccm_signature_claim q = { .field = (ccm_signed_field)(op & 7), .flow = op >> 3 & 7 };
    q.client_id = value(c);
    q.text = q.bytes = value(c);
    q.signature = value(c);
    q.public_key = value(c);
    q.certificate = value(c);
    ccm_signature_verdict first, again;
    service->check(service->user_data, &q, &first);
    uint64_t operations = ccm_verify_count(v)->rsa_operations;
    service->check(service->user_data, &q, &again);
    g_assert(ccm_verify_count(v)->rsa_operations == operations);
    g_assert(first.result == again.result && first.variant == again.variant);
    g_assert(first.key_source == again.key_source && first.signature_hash == again.signature_hash);
    g_assert(one_of(first.result, results) && one_of(first.key_source, sources));
    g_assert(!first.variant == (g_strcmp0(first.result, "verified") != 0));
    drop(q.client_id);
    drop(q.text);
    drop(q.signature);
    drop(q.public_key);
    drop(q.certificate);
}

static void supplied(ccm_verify *v, ccm_cursor *c)
{
    ccm_span id = value(c), file = value(c);
    GError *error = NULL;
    bool ok = ccm_verify_add_bytes(v, id, file, "input", &error);
    g_assert(ok == !error &&
             (ok || (error->domain == CCM_ERROR && error->code == CCM_ERROR_USAGE)));
    g_clear_error(&error);
    drop(id);
    drop(file);
}

/* One service for all inputs, emptied after each: setting up OpenSSL takes milliseconds. */
static ccm_verify *service_for_all(void)
{
    static ccm_verify *v;
    if (!v) {
        ccm_limits limits;
        ccm_limits_init(&limits);
        limits.client_ids = 8;
        v = ccm_verify_new(&limits);
    }
    return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ccm_cursor c = ccm_cur(ccm_span_of(data, size));
    ccm_verify *v = service_for_all();
    for (int i = 0; i < OPERATIONS && ccm_cur_left(&c); i++) {
        uint8_t op = ccm_cur_u8(&c);
        if ((op & 7) == ANSWER) {
            ccm_span id = value(&c);
            const ccm_verifier *service = ccm_verify_service(v);
            service->learn(service->user_data, op >> 3 & 7, 0, id);
            drop(id);
        } else if ((op & 7) == KEY) {
            supplied(v, &c);
        } else {
            claim(v, op, &c);
        }
    }
    ccm_verify_forget(v);
    return 0;
}
