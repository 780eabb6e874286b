/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_certificate.c - fields of X.509 certificates and names. Input: DER. What is told stays
 * inside its bounds. */
#include "proto/tls_certificate.h"

#include <glib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *exact = g_memdup2(data, size);
    ccm_span s = ccm_span_of(exact, size);
    ccm_name name = { 0 }, common = { 0 };
    ccm_certificate x;

    if (ccm_certificate_read(s, &x)) {
        g_assert_cmpuint(x.n_san, <=, sizeof x.san);
        g_assert_cmpuint(strlen(x.serial), <, sizeof x.serial);
        g_assert_cmpuint(strlen(x.usage), <, sizeof x.usage);
        g_assert_true(!x.self_signed || x.issuer.n == x.subject.n);
    }
    (void)ccm_certificate_name(s, &name, &common);
    g_free(exact);
    return 0;
}
