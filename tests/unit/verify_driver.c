/* SPDX-License-Identifier: GPL-2.0-or-later
 * verify_driver.c - takes the reference's registration apart, by search and not with our parsers.
 */
#define _GNU_SOURCE
#include <zlib.h>
#include "verify_driver.h"

static size_t find(const GByteArray *body, size_t from, const char *text)
{
    size_t n = strlen(text);
    char *wide = g_malloc0(2 * n);
    for (size_t i = 0; i < n; i++)
        wide[2 * i] = text[i];
    const uint8_t *at = memmem(body->data + from, body->len - from, wide, 2 * n);
    g_assert_nonnull(at);
    g_free(wide);
    return (size_t)(at - body->data);
}

void registration_open(registration *r)
{
    gsize n;
    guchar *z = g_base64_decode(reference_registration, &n);
    uLongf room = 16384;
    r->body = g_byte_array_new();
    g_byte_array_set_size(r->body, (guint)room);
    g_assert_cmpint(uncompress(r->body->data, &room, z, n), ==, Z_OK);
    g_byte_array_set_size(r->body, (guint)room);
    g_free(z);
    size_t start = find(r->body, 0, "<Data"), end = find(r->body, start, "</Data>") + 14;
    r->data = ccm_span_of(r->body->data + start, end - start);
    size_t signing = find(r->body, start, "<Signing");
    size_t text = find(r->body, signing, ">") + 2, stop = find(r->body, text, "</Signing");
    r->certificate = g_string_new(NULL);
    for (size_t i = text; i < stop; i += 2)
        g_string_append_c(r->certificate, (char)r->body->data[i]);
}

void registration_close(registration *r)
{
    g_byte_array_unref(r->body);
    g_string_free(r->certificate, TRUE);
}

ccm_signature_claim registration_claim(const registration *r)
{
    return (ccm_signature_claim){
        .field = CCM_SIGNED_REGISTRATION,
        .flow = 7,
        .exchange = 3,
        .bytes = r->data,
        .signature = ccm_span_str(reference_registration_signature),
        .hash_oid = ccm_span_str("1.2.840.113549.1.1.11"),
        .certificate = ccm_span_of(r->certificate->str, r->certificate->len),
    };
}
