/* SPDX-License-Identifier: GPL-2.0-or-later
 * verify_load.c - keys that the user supplies.
 * In: files with certificates or public keys, a site file that names one for each client. Out: keys
 * in the tables of a ccm_verify, or an error that says what to do. State: none. Spec: RFC 7468. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <errno.h>
#include <stdio.h>

#include "proto/verify_state.h"

enum { FILE_BYTES = 1 << 20 };

static const char begins[] = "-----BEGIN ", ends[] = "-----END ", dashes[] = "-----";

static bool usage(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool usage(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (error)
        *error = g_error_new_valist(CCM_ERROR, CCM_ERROR_USAGE, format, args);
    va_end(args);
    return false;
}

/* A file being taken in. */
typedef struct loading {
    ccm_signers *keys;
    ccm_span client_id;
    ccm_rsa rsa;
    unsigned found, refused; /* keys; those for which there was no room */
    bool private_key;
} loading;

static void supply(loading *l)
{
    l->found++;
    l->refused += !ccm_signers_supply(l->keys, l->client_id, &l->rsa);
}

/* Moves `s` behind the next `what`; what was before it goes to `before`. */
static bool move_behind(ccm_span *s, const char *what, ccm_span *before)
{
    size_t n = strlen(what);
    const uint8_t *at = s->n ? memmem(s->p, s->n, what, n) : NULL;
    if (!at)
        return false;
    *before = ccm_span_of(s->p, (size_t)(at - s->p));
    *s = ccm_span_of(at + n, s->n - before->n - n);
    return true;
}

static void take_pem(loading *l, ccm_span file)
{
    ccm_span skipped, label, body;
    while (move_behind(&file, begins, &skipped) && move_behind(&file, dashes, &label) &&
           move_behind(&file, ends, &body)) {
        char *text = g_strndup((const char *)body.p, body.n);
        gsize n = 0;
        guchar *der = g_base64_decode(text, &n);
        if (label.n >= 11 && !memcmp(label.p + label.n - 11, "PRIVATE KEY", 11))
            l->private_key = true;
        else if (ccm_rsa_from_der(ccm_span_of(der, n), &l->rsa))
            supply(l);
        memset(text, 0, body.n); /* it may have been a private key */
        memset(der, 0, n);
        g_free(der);
        g_free(text);
    }
}

static bool take_binary(loading *l, ccm_span s)
{
    if (!ccm_rsa_from_blob(s, &l->rsa) && !ccm_rsa_from_der(s, &l->rsa))
        return false;
    supply(l);
    return true;
}

/* Hexadecimal may be folded into lines. */
static void take_hex(loading *l, ccm_span file)
{
    GString *hex = g_string_sized_new(file.n);
    for (size_t i = 0; i < file.n; i++)
        if (!g_ascii_isspace((char)file.p[i]))
            g_string_append_c(hex, (char)file.p[i]);
    uint8_t *bytes = g_malloc(file.n / 2 + 1);
    size_t n;
    if (ccm_hex_decode(ccm_span_of(hex->str, hex->len), bytes, file.n / 2 + 1, &n))
        (void)take_binary(l, ccm_span_of(bytes, n));
    g_free(bytes);
    g_string_free(hex, TRUE);
}

bool ccm_verify_add_bytes(ccm_verify *v, ccm_span client_id, ccm_span bytes, const char *name,
                          GError **error)
{
    char normal[CCM_CLIENT_ID_TEXT];
    if (client_id.n && !ccm_client_id_normal(client_id, normal))
        return usage(error, "'%.*s' is not a client id; write GUID:xxxxxxxx-xxxx-...",
                     (int)MIN(client_id.n, 80), (const char *)client_id.p);
    loading l = { .keys = ccm_verify_signers(v), .client_id = client_id };
    if (bytes.n && memmem(bytes.p, bytes.n, begins, sizeof begins - 1))
        take_pem(&l, bytes);
    else if (!take_binary(&l, bytes))
        take_hex(&l, bytes);
    ccm_verify_forget_answers(v);
    if (l.refused)
        return usage(error,
                     client_id.n ? "'%s': more than %d keys for one client; leave old ones out"
                                 : "'%s': more than %d keys without a client; name their clients "
                                   "in group [client-keys] of the site file",
                     name, client_id.n ? CCM_SUPPLIED_EACH : CCM_SUPPLIED_ANY);
    if (!l.found && l.private_key)
        return usage(error,
                     "'%s' holds a private key only; signatures are checked with the certificate "
                     "or the public key: openssl pkey -in FILE -pubout",
                     name);
    if (!l.found)
        return usage(error,
                     "'%s' holds no RSA certificate or public key of 512 to 16384 bits; supply "
                     "PEM, DER or the hexadecimal PublicKey of a message",
                     name);
    return true;
}

/* At most FILE_BYTES, so that a device file does no harm. */
static char *read_file(const char *path, const char *what, size_t *n, GError **error)
{
    FILE *f = fopen(path, "rbe");
    if (!f) {
        (void)usage(error, "cannot open %s file '%s': %s", what, path, g_strerror(errno));
        return NULL;
    }
    char *data = g_malloc(FILE_BYTES + 1);
    errno = 0;
    *n = fread(data, 1, FILE_BYTES + 1, f);
    bool bad = ferror(f), large = *n > FILE_BYTES;
    if (bad)
        (void)usage(error, "cannot read %s file '%s': %s", what, path, g_strerror(errno));
    else if (large)
        (void)usage(error, "'%s' is too large for a %s file", path, what);
    (void)fclose(f);
    if (bad || large) {
        g_free(data);
        return NULL;
    }
    return data;
}

static bool add_file(ccm_verify *v, ccm_span client_id, const char *path, GError **error)
{
    size_t n;
    char *data = read_file(path, "key", &n, error);
    if (!data)
        return false;
    bool ok = ccm_verify_add_bytes(v, client_id, ccm_span_of(data, n), path, error);
    memset(data, 0, n);
    g_free(data);
    return ok;
}

bool ccm_verify_add_file(ccm_verify *v, const char *path, GError **error)
{
    return add_file(v, ccm_span_of(NULL, 0), path, error);
}

static const char group[] = "client-keys";

/* What a line holds may be a secret that was put in the wrong place, so messages name keys, groups
 * and line numbers, never values; the name of a file that is not there may be such a value. */
static bool add_row(ccm_verify *v, GKeyFile *site, const char *path, const char *id, GError **error)
{
    g_autofree char *value = g_key_file_get_string(site, group, id, NULL);
    if (!value || !*value)
        return usage(error, "'%s': [%s] names no file for '%s'; write %s = PATH", path, group, id,
                     id);
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *file =
        g_path_is_absolute(value) ? g_strdup(value) : g_build_filename(folder, value, NULL);
    if (!g_file_test(file, G_FILE_TEST_EXISTS))
        return usage(error, "'%s': [%s] %s: the file that it names is not there", path, group, id);
    GError *why = NULL;
    if (add_file(v, ccm_span_str(id), file, &why))
        return true;
    (void)usage(error, "'%s': [%s] %s: %s", path, group, id, why->message);
    g_error_free(why);
    return false;
}

/* The first line that GKeyFile cannot take; 0 = none stands out. */
static unsigned bad_line(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    bool in_group = false;

    for (unsigned i = 0; lines[i]; i++) {
        const char *line = g_strstrip(lines[i]);
        const char *equals = strchr(line, '=');
        bool header = *line == '[' && strchr(line, ']');
        if (*line && *line != '#' && !header && (!in_group || !equals || equals == line))
            return i + 1;
        in_group |= header;
    }
    return 0;
}

static bool known_groups(GKeyFile *site, const char *path, GError **error)
{
    g_auto(GStrv) groups = g_key_file_get_groups(site, NULL);

    for (char **g = groups; *g; g++)
        /* all others are the model's */
        if (strcmp(*g, group) != 0 && strcmp(*g, "site") != 0 && !g_str_has_prefix(*g, "dp ") &&
            !g_str_has_prefix(*g, "package ") && !g_str_has_prefix(*g, "bits "))
            return usage(error,
                         "'%s': group [%s] is not known; a site file has [%s], [site], [dp NAME], "
                         "[package ID] and [bits NAME]",
                         path, *g, group);
    return true;
}

bool ccm_verify_add_site(ccm_verify *v, const char *path, GError **error)
{
    g_autoptr(GKeyFile) site = g_key_file_new();
    size_t n;
    g_autofree char *text = read_file(path, "site", &n, error);
    if (!text)
        return false;
    text[n] = '\0';
    if (!g_key_file_load_from_data(site, text, n, G_KEY_FILE_NONE, NULL)) {
        unsigned line = bad_line(text);
        return line ? usage(error, "'%s': line %u is no [group], KEY = VALUE or # comment", path,
                            line)
                    : usage(error, "'%s' is no site file of [group] and KEY = VALUE lines", path);
    }
    if (!known_groups(site, path, error))
        return false;
    g_auto(GStrv) ids = g_key_file_get_keys(site, group, NULL, NULL);
    bool ok = true;
    for (char **id = ids; ok && id && *id; id++)
        ok = add_row(v, site, path, *id, error);
    return ok;
}
