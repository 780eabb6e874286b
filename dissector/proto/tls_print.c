/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls_print.c - fingerprints of TLS clients: equal programs on equal systems have equal ones.
 * In: a ClientHello. Out: texts. State: none. The hashes identify, they protect nothing.
 * Spec: JA3 (salesforce/ja3, README); JA4 (FoxIO-LLC/ja4, technical_details/JA4.md). */
#include "proto/tls_print.h"

#include <glib.h>
#include <stdlib.h>

enum { EXT_SNI = 0, EXT_ALPN = 16 };

/* Appends the numbers of a list, less the reserved ones, in decimal. */
static void add_numbers(GString *s, ccm_span list)
{
    ccm_cursor c = ccm_cur(list);
    bool first = true;

    while (ccm_cur_left(&c) >= 2) {
        uint16_t v = ccm_cur_be16(&c);
        if (ccm_tls_grease(v))
            continue;
        g_string_append_printf(s, first ? "%u" : "-%u", v);
        first = false;
    }
}

/* Types of the extensions as a list of 16-bit numbers. */
static GArray *extension_types(const ccm_client_hello *h)
{
    GArray *types = g_array_new(FALSE, FALSE, sizeof(uint16_t));
    ccm_cursor c = ccm_cur(h->extensions);
    uint16_t type;
    ccm_span data;

    while (ccm_tls_extension(&c, &type, &data))
        if (!ccm_tls_grease(type))
            g_array_append_val(types, type);
    return types;
}

void ccm_ja3(const ccm_client_hello *h, char out[CCM_JA3_TEXT])
{
    GString *s = g_string_new(NULL);
    GArray *types = extension_types(h);

    g_string_append_printf(s, "%u,", h->version);
    add_numbers(s, h->ciphers);
    g_string_append_c(s, ',');
    for (unsigned i = 0; i < types->len; i++)
        g_string_append_printf(s, i ? "-%u" : "%u", g_array_index(types, uint16_t, i));
    g_string_append_c(s, ',');
    add_numbers(s, h->groups);
    g_string_append_c(s, ',');
    for (size_t i = 0; i < h->point_formats.n; i++)
        g_string_append_printf(s, i ? "-%u" : "%u", h->point_formats.p[i]);
    char *sum = g_compute_checksum_for_string(G_CHECKSUM_MD5, s->str, (gssize)s->len);
    g_strlcpy(out, sum, CCM_JA3_TEXT);
    g_free(sum);
    g_array_free(types, TRUE);
    g_string_free(s, TRUE);
}

static int by_number(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void add_hex(GString *s, const GArray *list)
{
    for (unsigned i = 0; i < list->len; i++)
        g_string_append_printf(s, i ? ",%04x" : "%04x", g_array_index(list, uint16_t, i));
}

static GArray *numbers(ccm_span list)
{
    GArray *out = g_array_new(FALSE, FALSE, sizeof(uint16_t));
    ccm_cursor c = ccm_cur(list);

    while (ccm_cur_left(&c) >= 2) {
        uint16_t v = ccm_cur_be16(&c);
        if (!ccm_tls_grease(v))
            g_array_append_val(out, v);
    }
    return out;
}

/* Twelve digits of the hash, or of zeros when there is nothing. */
static void hash12(const GString *s, bool nothing, char out[13])
{
    char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, s->str, (gssize)s->len);

    g_strlcpy(out, nothing ? "000000000000" : sum, 13);
    g_free(sum);
}

static const char *version_code(uint16_t v)
{
    static const char *const codes[] = { "s3", "10", "11", "12", "13" };
    return v >= 0x0300 && v <= 0x0304 ? codes[v & 0xff] : "00";
}

/* First and last character of the first protocol name; of its hexadecimal form when they are not
 * letters or digits. */
static void alpn_code(ccm_span alpn, char out[3])
{
    static const char digits[] = "0123456789abcdef";
    ccm_cursor c = ccm_cur(alpn);
    ccm_span name = ccm_cur_take(&c, ccm_cur_u8(&c));

    memcpy(out, "00", 3);
    if (!name.n)
        return;
    uint8_t first = name.p[0], last = name.p[name.n - 1];
    bool plain = g_ascii_isalnum((char)first) && g_ascii_isalnum((char)last);
    out[0] = plain ? (char)first : digits[first >> 4];
    out[1] = plain ? (char)last : digits[last & 15];
}

void ccm_ja4(const ccm_client_hello *h, char out[CCM_JA4_TEXT])
{
    GString *s = g_string_new(NULL);
    GArray *ciphers = numbers(h->ciphers), *types = extension_types(h);
    GArray *signatures = numbers(h->signatures);
    unsigned n_types = types->len;
    char alpn[3], cipher_hash[13], type_hash[13];

    alpn_code(h->alpn, alpn);
    g_array_sort(ciphers, by_number);
    add_hex(s, ciphers);
    hash12(s, !ciphers->len, cipher_hash);
    g_array_sort(types, by_number);
    unsigned kept = 0;
    for (unsigned i = 0; i < n_types; i++) {
        uint16_t type = g_array_index(types, uint16_t, i);
        if (type != EXT_SNI && type != EXT_ALPN)
            g_array_index(types, uint16_t, kept++) = type;
    }
    g_array_set_size(types, kept);
    g_string_truncate(s, 0);
    add_hex(s, types);
    if (signatures->len) {
        g_string_append_c(s, '_');
        add_hex(s, signatures);
    }
    hash12(s, !types->len, type_hash);
    g_snprintf(out, CCM_JA4_TEXT, "t%s%c%02u%02u%s_%s_%s",
               version_code(ccm_client_hello_highest(h)), h->has_sni ? 'd' : 'i',
               MIN(ciphers->len, 99), MIN(n_types, 99), alpn, cipher_hash, type_hash);
    g_array_free(ciphers, TRUE);
    g_array_free(types, TRUE);
    g_array_free(signatures, TRUE);
    g_string_free(s, TRUE);
}
