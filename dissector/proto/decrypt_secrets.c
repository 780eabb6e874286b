/* SPDX-License-Identifier: GPL-2.0-or-later
 * decrypt_secrets.c - the secrets of TLS connections.
 * In: key logs; masters that other files learn, to know resumed sessions again. Out: the secret of
 * a name. State: a bounded set; at the bound the oldest goes. Never puts a secret into a message.
 * Spec: draft-ietf-tls-keylogfile (NSS Key Log Format). */
#include <errno.h>
#include <stdio.h>

#include "proto/decrypt_state.h"

enum { LINE_BYTES = 4096, FILE_BYTES = 1 << 20 };

/* ---- the set --------------------------------------------------------------------------------- */

static guint secret_hash(gconstpointer p)
{
    const ccm_secret *s = p;
    uint64_t w[CCM_TLS_RANDOM / 8], h = s->kind + 1;
    memcpy(w, s->name, sizeof w);
    for (size_t i = 0; i < G_N_ELEMENTS(w); i++) {
        h = (h ^ w[i]) * 0x9e3779b97f4a7c15;
        h ^= h >> 29;
    }
    return (guint)h;
}

static gboolean secret_equal(gconstpointer a, gconstpointer b)
{
    const ccm_secret *x = a, *y = b;
    return x->kind == y->kind && !memcmp(x->name, y->name, sizeof x->name);
}

static void secret_free(gpointer p)
{
    explicit_bzero(p, sizeof(ccm_secret));
    g_free(p);
}

void ccm_secrets_open(ccm_secrets *s, unsigned max, ccm_decrypt_counts *counts)
{
    *s = (ccm_secrets){ .max = max ? max : 1, .counts = counts };
    s->logs = g_array_new(FALSE, FALSE, sizeof(ccm_secrets_log));
    s->set = g_hash_table_new_full(secret_hash, secret_equal, secret_free, NULL);
    g_queue_init(&s->ages);
}

void ccm_secrets_close(ccm_secrets *s)
{
    for (guint i = 0; i < s->logs->len; i++) {
        ccm_secrets_log *log = &g_array_index(s->logs, ccm_secrets_log, i);
        g_free(log->path);
        if (log->file)
            (void)fclose(log->file);
    }
    g_array_free(s->logs, TRUE);
    g_hash_table_destroy(s->set); /* the queue's links lie in the secrets */
}

static void secret_name(ccm_secret *s, ccm_secret_kind kind, ccm_span name)
{
    memset(s, 0, sizeof *s);
    s->kind = (uint8_t)kind;
    if (name.n)
        memcpy(s->name, name.p, name.n < sizeof s->name ? name.n : sizeof s->name);
}

static void forget(ccm_secrets *s, ccm_secret *old)
{
    g_queue_unlink(&s->ages, &old->age);
    g_hash_table_remove(s->set, old);
}

void ccm_secrets_put(ccm_secrets *s, ccm_secret_kind kind, ccm_span name, ccm_span bytes)
{
    ccm_secret *put = g_new(ccm_secret, 1), *old;
    secret_name(put, kind, name);
    put->n = (uint8_t)(bytes.n < sizeof put->bytes ? bytes.n : sizeof put->bytes);
    memcpy(put->bytes, bytes.p, put->n);
    put->age.data = put;
    if ((old = g_hash_table_lookup(s->set, put)))
        forget(s, old);
    g_hash_table_add(s->set, put);
    g_queue_push_head_link(&s->ages, &put->age);
    if (s->ages.length > s->max) {
        forget(s, g_queue_peek_tail(&s->ages));
        s->counts->dropped++;
    }
}

const ccm_secret *ccm_secrets_find(const ccm_secrets *s, ccm_secret_kind kind, ccm_span name)
{
    ccm_secret wanted;
    secret_name(&wanted, kind, name);
    return g_hash_table_lookup(s->set, &wanted);
}

/* ---- key logs -------------------------------------------------------------------------------- */

/* The next word of a line; empty at its end. */
static ccm_span word(ccm_span *line)
{
    while (line->n && line->p[0] == ' ') {
        line->p++;
        line->n--;
    }
    size_t n = 0;
    while (n < line->n && line->p[n] != ' ')
        n++;
    ccm_span w = ccm_span_of(line->p, n);
    line->p += n;
    line->n -= n;
    return w;
}

/* Hexadecimal of 1 to `room` bytes; 0 = it is none. */
static size_t unhex(ccm_span hex, uint8_t *out, size_t room)
{
    if (!hex.n || hex.n % 2 || hex.n / 2 > room)
        return 0;
    for (size_t i = 0; i < hex.n; i++) {
        int v = g_ascii_xdigit_value((char)hex.p[i]);
        if (v < 0)
            return 0;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | v : v << 4);
    }
    return hex.n / 2;
}

static bool is(ccm_span w, const char *text)
{
    return w.n == strlen(text) && !memcmp(w.p, text, w.n);
}

static bool behind(ccm_span *w, const char *prefix)
{
    size_t n = strlen(prefix);
    if (w->n < n || memcmp(w->p, prefix, n) != 0)
        return false;
    *w = ccm_span_of(w->p + n, w->n - n);
    return true;
}

static bool put_if(ccm_secrets *s, ccm_secret_kind kind, const uint8_t *name, size_t n_name,
                   const uint8_t *bytes, size_t n, bool good)
{
    if (!good)
        return false;
    ccm_secrets_put(s, kind, ccm_span_of(name, n_name), ccm_span_of(bytes, n));
    s->counts->secrets++;
    return true;
}

/* "RSA Session-ID:hex Master-Key:hex" or "RSA first-8-bytes-of-the-encrypted premaster". */
static bool rsa_line(ccm_secrets *s, ccm_span a, ccm_span b)
{
    uint8_t name[CCM_TLS_RANDOM], bytes[CCM_TLS_SECRET];
    if (behind(&a, "Session-ID:") && behind(&b, "Master-Key:")) {
        size_t id = unhex(a, name, sizeof name), n = unhex(b, bytes, sizeof bytes);
        return put_if(s, CCM_SECRET_SESSION, name, id, bytes, n, id && n == CCM_TLS_MASTER);
    }
    size_t id = unhex(a, name, 8), n = unhex(b, bytes, sizeof bytes);
    return put_if(s, CCM_SECRET_ENCRYPTED, name, id, bytes, n, id == 8 && n == CCM_TLS_MASTER);
}

static bool log_line(ccm_secrets *s, ccm_span line)
{
    static const struct {
        const char *label;
        ccm_secret_kind kind;
    } labels[] = {
        { "CLIENT_RANDOM", CCM_SECRET_MASTER },
        { "PMS_CLIENT_RANDOM", CCM_SECRET_PREMASTER },
        { "CLIENT_EARLY_TRAFFIC_SECRET", CCM_SECRET_EARLY },
        { "CLIENT_HANDSHAKE_TRAFFIC_SECRET", CCM_SECRET_HANDSHAKE },
        { "SERVER_HANDSHAKE_TRAFFIC_SECRET", CCM_SECRET_HANDSHAKE_SRV },
        { "CLIENT_TRAFFIC_SECRET_0", CCM_SECRET_APPLICATION },
        { "SERVER_TRAFFIC_SECRET_0", CCM_SECRET_APPLICATION_SRV },
    };
    ccm_span label = word(&line), a = word(&line), b = word(&line);
    uint8_t name[CCM_TLS_RANDOM], bytes[CCM_TLS_SECRET];
    if (word(&line).n)
        return false;
    if (is(label, "RSA"))
        return rsa_line(s, a, b);
    for (size_t i = 0; i < G_N_ELEMENTS(labels); i++) {
        if (!is(label, labels[i].label))
            continue;
        size_t random = unhex(a, name, sizeof name), n = unhex(b, bytes, sizeof bytes);
        bool good =
            labels[i].kind <= CCM_SECRET_PREMASTER ? n == CCM_TLS_MASTER : n == 32 || n == 48;
        bool put =
            put_if(s, labels[i].kind, name, random, bytes, n, good && random == CCM_TLS_RANDOM);
        explicit_bzero(bytes, sizeof bytes);
        return put;
    }
    /* EXPORTER_SECRET and others, of no use here: still a line of a key log. */
    for (size_t i = 0; i < label.n; i++)
        if (!g_ascii_isupper((char)label.p[i]) && !g_ascii_isdigit((char)label.p[i]) &&
            label.p[i] != '_')
            return false;
    return label.n && unhex(a, name, sizeof name) == CCM_TLS_RANDOM && b.n;
}

static void one_line(ccm_secrets *s, ccm_span line)
{
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    if (!line.n || line.p[0] == '#')
        return;
    if (line.n > LINE_BYTES || !log_line(s, line))
        s->counts->malformed++;
}

void ccm_secrets_text(ccm_secrets *s, ccm_span text)
{
    while (text.n) {
        const uint8_t *lf = memchr(text.p, '\n', text.n);
        size_t n = lf ? (size_t)(lf - text.p) : text.n;
        one_line(s, ccm_span_of(text.p, n));
        n += lf != NULL;
        text = ccm_span_of(text.p + n, text.n - n);
    }
}

/* ---- files ----------------------------------------------------------------------------------- */

bool ccm_secrets_file(ccm_secrets *s, const char *path, GError **error)
{
    FILE *f = fopen(path, "rbe");
    if (!f) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE, "cannot open key log '%s': %s", path,
                    g_strerror(errno));
        return false;
    }
    char line[LINE_BYTES + 2];
    ccm_secrets_log log = { .path = NULL };
    uint64_t before = s->counts->secrets, bad = s->counts->malformed, long_lines = 0;
    errno = 0;
    /* Enough wrong lines and it is no key log, however long it is. */
    while (fgets(line, sizeof line, f) &&
           (s->counts->secrets > before || s->counts->malformed - bad < LINE_BYTES)) {
        size_t n = strlen(line);
        if (n && line[n - 1] == '\n')
            log.at += (long)n--;
        else if (n == sizeof line - 1)
            long_lines++;
        one_line(s, ccm_span_of(line, n));
    }
    explicit_bzero(line, sizeof line);
    bool failed = ferror(f);
    int why = errno;
    (void)fclose(f);
    if (failed)
        g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE, "cannot read key log '%s': %s", path,
                    g_strerror(why));
    else if (s->counts->secrets == before && (s->counts->malformed > bad || long_lines))
        g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE,
                    "'%s' is no key log: none of its lines is a secret of TLS; clients write one "
                    "to the file that the environment variable SSLKEYLOGFILE names",
                    path);
    else {
        log.path = g_strdup(path);
        g_array_append_val(s->logs, log);
        return true;
    }
    return false;
}

void ccm_secrets_follow(ccm_secrets *s)
{
    for (guint i = 0; i < s->logs->len; i++) {
        ccm_secrets_log *log = &g_array_index(s->logs, ccm_secrets_log, i);
        if (!log->file)
            log->file = fopen(log->path, "rbe");
        s->followed |= log->file != NULL;
    }
}

/* A line without its end is read again when there is more of it. */
static void read_more(ccm_secrets *s, ccm_secrets_log *log)
{
    char line[LINE_BYTES + 2];
    FILE *f = log->file;

    clearerr(f);
    (void)fflush(f); /* what was read ahead may be of a file that was begun anew */
    if (fseek(f, 0, SEEK_END) || ftell(f) == log->at)
        return;
    if (ftell(f) < log->at) /* begun anew */
        log->at = 0;
    if (fseek(f, log->at, SEEK_SET))
        return;
    while (fgets(line, sizeof line, f)) {
        size_t n = strlen(line);
        bool whole = n && line[n - 1] == '\n';
        if (!whole && n < sizeof line - 1)
            break;
        log->at += (long)n;
        one_line(s, ccm_span_of(line, n - whole));
    }
    explicit_bzero(line, sizeof line);
}

void ccm_secrets_more(ccm_secrets *s)
{
    for (guint i = 0; s->followed && i < s->logs->len; i++)
        if (g_array_index(s->logs, ccm_secrets_log, i).file)
            read_more(s, &g_array_index(s->logs, ccm_secrets_log, i));
}

char *ccm_secret_file(const char *path, const char *what, size_t *n, GError **error)
{
    FILE *f = fopen(path, "rbe");
    if (!f) {
        g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE, "cannot open %s '%s': %s", what, path,
                    g_strerror(errno));
        return NULL;
    }
    char *data = g_malloc(FILE_BYTES + 1);
    errno = 0;
    *n = fread(data, 1, FILE_BYTES, f);
    bool failed = ferror(f);
    int why = errno;
    (void)fclose(f);
    data[*n] = 0;
    if (!failed)
        return data;
    g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE, "cannot read %s '%s': %s", what, path,
                g_strerror(why));
    g_free(data);
    return NULL;
}
