/* SPDX-License-Identifier: GPL-2.0-or-later
 * verify_driver.h - asks the signature service, with every value in memory of exactly its size, and
 * sees that OpenSSL's error queue stays empty. */
#ifndef CCM_TEST_VERIFY_DRIVER_H
#define CCM_TEST_VERIFY_DRIVER_H

#include <openssl/err.h>
#include "proto/verify_state.h"
#include "verify_openssl.h"
#include "verify_reference.h"

#define REFERENCE_ID "GUID:11223344-5566-7788-99AA-BBCCDDEEFF00"

static inline ccm_verify *make_verify(void)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    return ccm_verify_new(&limits);
}

static inline ccm_signature_verdict ask(ccm_verify *v, const ccm_signature_claim *claim)
{
    ccm_signature_claim c = *claim;
    ccm_span *spans[] = { &c.client_id, &c.text,       &c.bytes,      &c.signature,
                          &c.hash_oid,  &c.public_key, &c.certificate };
    for (unsigned i = 0; i < G_N_ELEMENTS(spans); i++) {
        uint8_t *exact = g_malloc(spans[i]->n ? spans[i]->n : 1);
        if (spans[i]->n)
            memcpy(exact, spans[i]->p, spans[i]->n);
        spans[i]->p = exact;
    }
    ccm_signature_verdict verdict;
    const ccm_verifier *service = ccm_verify_service(v);
    service->check(service->user_data, &c, &verdict);
    g_assert_cmpuint(ERR_peek_error(), ==, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(spans); i++)
        g_free((void *)spans[i]->p);
    return verdict;
}

static inline void learn(ccm_verify *v, uint64_t flow, uint64_t exchange, const char *id)
{
    const ccm_verifier *service = ccm_verify_service(v);
    service->learn(service->user_data, flow, exchange, ccm_span_str(id));
}

static inline void expect(ccm_verify *v, const ccm_signature_claim *claim, const char *result,
                          const char *variant, const char *source)
{
    ccm_signature_verdict got = ask(v, claim);
    g_assert_cmpstr(got.result, ==, result);
    g_assert_cmpstr(got.variant, ==, variant);
    g_assert_cmpstr(got.key_source, ==, source);
}

/* A claim of the client of the vectors made with openssl, in the order that the command writes. */
static inline ccm_signature_claim openssl_claim(const char *signature)
{
    return (ccm_signature_claim){ .field = CCM_SIGNED_CLIENT_ID,
                                  .client_id = ccm_span_str(openssl_text),
                                  .text = ccm_span_str(openssl_text),
                                  .signature = ccm_span_str(signature) };
}

static inline ccm_signature_claim reference_claim(const char *signature)
{
    return (ccm_signature_claim){ .field = CCM_SIGNED_MESSAGE_CLIENT_ID,
                                  .client_id = ccm_span_str(REFERENCE_ID),
                                  .text = ccm_span_str(REFERENCE_ID),
                                  .signature = ccm_span_str(signature),
                                  .hash_oid = ccm_span_str("1.2.840.113549.1.1.11"),
                                  .public_key = ccm_span_str(reference_key) };
}

static inline void supply(ccm_verify *v, const char *id, const char *text)
{
    GError *error = NULL;
    (void)ccm_verify_add_bytes(v, ccm_span_str(id), ccm_span_str(text), "test", &error);
    g_assert_no_error(error);
}

/* The registration of the reference: its <Data> and the hexadecimal of its signing certificate. */
typedef struct registration {
    GByteArray *body;
    ccm_span data;
    GString *certificate;
} registration;

void registration_open(registration *r);
void registration_close(registration *r);
ccm_signature_claim registration_claim(const registration *r);

#endif
