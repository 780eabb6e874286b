/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_catalog.c - any text as a catalogue, and any text as a request. The input is five .ini texts
 * and a request (method, target, Host, User-Agent on lines of its own), parted by form feeds. */
#include "model/catalog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ccm_span line(ccm_span *rest)
{
    const uint8_t *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    ccm_span s = { rest->p, end ? (size_t)(end - rest->p) : rest->n };
    size_t used = end ? s.n + 1 : s.n;
    *rest = (ccm_span){ rest->p + used, rest->n - used };
    return s;
}

static void match(const ccm_catalog *c, ccm_span text)
{
    ccm_request r = { .port = 80 };
    ccm_match m;
    r.method = line(&text);
    r.target = line(&text);
    r.host = line(&text);
    r.user_agent = line(&text);
    ccm_catalog_match(c, &r, &m);
    g_assert_true(ccm_catalog_service(c, r.host) < (int)c->marks->len);
    g_assert_true(m.mark < (int)c->marks->len && m.route < (int)c->routes->len);
    if (m.route >= 0)
        ccm_catalog_sibling(c, m.route, c->unknown_role);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "roles.ini", "routes.ini", "ports.ini", "urls.ini",
                                         "names.ini" };
    const char *pairs[11] = { NULL };
    char *text[5];
    GError *error = NULL;

    for (unsigned i = 0; i < 5; i++) {
        const uint8_t *end = size ? memchr(data, '\f', size) : NULL;
        size_t n = end ? (size_t)(end - data) : size;
        text[i] = g_strndup((const char *)data, n);
        pairs[2 * i] = names[i];
        pairs[2 * i + 1] = text[i];
        size_t used = end ? n + 1 : n;
        data += used;
        size -= used;
    }
    ccm_catalog *c = ccm_catalog_parse(pairs, &error);
    g_assert_true((c == NULL) == (error != NULL));
    if (c)
        match(c, ccm_span_of(data, size));
    g_clear_error(&error);
    ccm_catalog_unref(c);
    c = ccm_catalog_load(NULL, NULL);
    match(c, ccm_span_of(data, size));
    ccm_catalog_unref(c);
    for (unsigned i = 0; i < 5; i++)
        g_free(text[i]);
    return 0;
}
