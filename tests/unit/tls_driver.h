/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls_driver.h - plays the conversations of tls_vectors.h to the TLS parser. */
#ifndef CCM_TEST_TLS_DRIVER_H
#define CCM_TEST_TLS_DRIVER_H

#include "http_driver.h"
#include "tls_vectors.h"

static inline GByteArray *tls_bytes(const char *hex)
{
    GByteArray *out = g_byte_array_new();
    for (; hex[0] && hex[1]; hex += 2) {
        uint8_t b = (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
        g_byte_array_append(out, &b, 1);
    }
    return out;
}

/* A conversation as the parts that http_driver.h plays. Free with tls_talk_free. */
typedef struct tls_talk {
    drive_part part[32];
    size_t n;
} tls_talk;

static inline tls_talk tls_talk_of(const tls_part *parts, size_t n)
{
    tls_talk t = { .n = n };
    g_assert_cmpuint(n, <=, G_N_ELEMENTS(t.part));
    for (size_t i = 0; i < n; i++) {
        GByteArray *b = tls_bytes(parts[i].hex);
        t.part[i] = (drive_part){ parts[i].side, i + 1, NULL, b->len };
        t.part[i].text = (const char *)g_byte_array_free(b, FALSE);
    }
    return t;
}

static inline void tls_talk_free(tls_talk *t)
{
    for (size_t i = 0; i < t->n; i++)
        g_free((void *)t->part[i].text);
}

#define TLS_TALK(name) tls_talk_of(name, G_N_ELEMENTS(name))

#endif
