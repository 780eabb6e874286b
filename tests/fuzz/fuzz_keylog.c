/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_keylog.c - key logs and files of private keys. Input: the text. What is counted as a secret
 * is a line, and no line is counted twice. */
#include "proto/decrypt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ccm_limits limits;
    ccm_limits_init(&limits);
    limits.tls_secrets = 4;
    ccm_decrypt *d = ccm_decrypt_new(&limits);
    GError *error = NULL;
    bool found;
    uint64_t lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    ccm_decrypt_add_log(d, ccm_span_of(data, size));
    const ccm_decrypt_counts *c = ccm_decrypt_count(d);
    g_assert(c->secrets + c->malformed <= lines && c->dropped <= c->secrets);
    bool ok = ccm_decrypt_add_key(d, ccm_span_of(data, size), "input", &found, &error);
    g_assert(ok == !error &&
             (ok || (error->domain == CCM_ERROR && error->code == CCM_ERROR_USAGE)));
    g_clear_error(&error);
    ccm_decrypt_free(d);
    return 0;
}
