/* SPDX-License-Identifier: GPL-2.0-or-later
 * exchanges.c - a line per HTTP exchange, TLS handshake and SMB file while observations pass, as
 * columns or as JSON lines. In: observations, through the joiner. Out: lines to the sink. State:
 * filters, column widths, the day printed last, the first sink failure. Spec:
 * docs/report.schema.json, $defs/exchange. */
#include "model/catalog.h"
#include "model/exchange.h"
#include "report/proofs.h"
#include "report/smb.h"
#include "report/tls_report.h"

enum { N_COLUMNS = 9, ROUTE_COLUMN = 8, TARGET_MIN = 16, DAY_CHARS = 10 };
#define NS_PER_SECOND UINT64_C(1000000000)

typedef struct ccm_filter {
    char *verb, *route;
    bool any_status, failed;
    unsigned status_low, status_high; /* 0, 0 = no response */
    bool has_client, has_server;
    ccm_endpoint client, server; /* port 0 = any */
} ccm_filter;

struct ccm_exchanges {
    ccm_joiner *joiner;
    ccm_out out;
    ccm_filter filter;
    bool json, color, header, verbose;
    unsigned width;
    unsigned column[N_COLUMNS]; /* widths so far; a long address widens its column from then on */
    char day[DAY_CHARS + 1];
    uint64_t flushed_s; /* capture second of the last flush: live output stays fresh */
    GString *cell;
};

/* ---- filters --------------------------------------------------------------------------------- */

static bool wrong(GError **error, const char *option, const char *value, const char *allowed)
{
    g_autoptr(GString) shown = g_string_new(NULL);
    ccm_terminal_append(shown, value);
    g_set_error(error, CCM_ERROR, CCM_ERROR_USAGE, "--%s '%s' is not valid: use %s", option,
                shown->str, allowed);
    return false;
}

static bool parse_verb(ccm_filter *f, const char *verb, GError **error)
{
    if (!*verb)
        return wrong(error, "verb", verb, "a request method such as CCM_POST, BITS_POST or GET");
    for (const char *p = verb; *p; p++) /* token, RFC 9110 section 5.6.2 */
        if (!g_ascii_isalnum(*p) && !strchr("!#$%&'*+-.^_`|~", *p))
            return wrong(error, "verb", verb,
                         "one request method such as CCM_POST, BITS_POST or GET");
    f->verb = g_strdup(verb);
    return true;
}

static bool parse_status(ccm_filter *f, const char *status, GError **error)
{
    f->any_status = false;
    if (!g_ascii_strcasecmp(status, "none"))
        return true;
    bool three = strlen(status) == 3 && status[0] >= '1' && status[0] <= '9';
    unsigned hundreds = three ? (unsigned)(status[0] - '0') * 100 : 0;
    if (three && !g_ascii_strcasecmp(status + 1, "xx")) {
        f->status_low = hundreds;
        f->status_high = hundreds + 99;
    } else if (three && g_ascii_isdigit(status[1]) && g_ascii_isdigit(status[2])) {
        f->status_low = hundreds + (unsigned)(status[1] - '0') * 10 + (unsigned)(status[2] - '0');
        f->status_high = f->status_low;
    } else {
        return wrong(error, "status", status,
                     "a code (404), a class (4xx) or none (no response in the capture)");
    }
    return true;
}

static bool parse_end(ccm_endpoint *end, bool *has, const char *option, const char *value,
                      GError **error)
{
    *has = true;
    end->port = 0;
    if (ccm_addr_parse(value, &end->addr) || ccm_endpoint_parse(value, end))
        return true;
    return wrong(error, option, value,
                 "an address or address:port, for instance 10.0.0.9, 10.0.0.9:80 or "
                 "[2001:db8::1]:80");
}

/* Routes of the catalogue that begin and end with these texts, each once. */
static void list_routes(const ccm_catalog *catalog, const char *begin, const char *end,
                        GString *out)
{
    g_autoptr(GHashTable) listed = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; i < catalog->routes->len; i++) {
        const char *name = ccm_route_at(catalog, (int)i)->route;
        if (!g_str_has_prefix(name, begin) || !g_str_has_suffix(name, end) ||
            !g_hash_table_add(listed, (gpointer)name))
            continue;
        g_string_append_printf(out, "%s%s", out->len ? ", " : "", name);
    }
}

static bool parse_route(ccm_filter *f, const ccm_catalog *catalog, const char *route,
                        GError **error)
{
    for (unsigned i = 0; i < catalog->routes->len; i++)
        if (!g_ascii_strcasecmp(ccm_route_at(catalog, (int)i)->route, route)) {
            f->route = g_strdup(route);
            return true;
        }
    g_autoptr(GString) allowed = g_string_new(NULL);
    const char *slash = strchr(route, '/');
    if (slash) {
        g_autofree char *source = g_strndup(route, (gsize)(slash - route) + 1);
        list_routes(catalog, source, "", allowed);
        if (!allowed->len)
            list_routes(catalog, "", slash, allowed);
    }
    if (!allowed->len)
        list_routes(catalog, "client/", "", allowed);
    g_string_prepend(allowed, "SOURCE/DESTINATION of the catalogue, for instance ");
    return wrong(error, "route", route, allowed->str);
}

static bool parse_filters(ccm_filter *f, const ccm_catalog *catalog, const ccm_exchange_options *o,
                          GError **error)
{
    f->any_status = true;
    f->failed = o->failed;
    return (!o->verb || parse_verb(f, o->verb, error)) &&
           (!o->status || parse_status(f, o->status, error)) &&
           (!o->client || parse_end(&f->client, &f->has_client, "client", o->client, error)) &&
           (!o->server || parse_end(&f->server, &f->has_server, "server", o->server, error)) &&
           (!o->route || parse_route(f, catalog, o->route, error));
}

static bool end_matches(const ccm_endpoint *wanted, const ccm_endpoint *end)
{
    return !ccm_addr_cmp(&wanted->addr, &end->addr) && (!wanted->port || wanted->port == end->port);
}

/* An error, silence, or a message that was rejected with an empty answer. */
static bool failed(const ccm_exchange *x)
{
    for (unsigned i = 0; i < x->n_auth; i++)
        if (x->auth[i].denied)
            return true;
    return x->smb.present ? x->smb.failed : !x->status || x->status >= 400;
}

/* SMB has no code of HTTP: either an answer or none. */
static bool has_status(const ccm_filter *f, const ccm_exchange *x)
{
    if (x->smb.present)
        return !f->status_high && !x->has_response;
    return x->status >= f->status_low && x->status <= f->status_high;
}

static bool matches(const ccm_filter *f, const ccm_exchange *x)
{
    if (x->tls && (f->verb || !f->any_status || (f->failed && !x->tls->failed)))
        return false;
    if (f->verb && (!x->method || g_ascii_strcasecmp(f->verb, x->method)))
        return false;
    if (!f->any_status && !has_status(f, x))
        return false;
    if (f->failed && !failed(x))
        return false;
    return (!f->has_client || end_matches(&f->client, &x->client)) &&
           (!f->has_server || end_matches(&f->server, &x->server)) &&
           (!f->route || !g_ascii_strcasecmp(f->route, x->route));
}

/* ---- JSON Lines ------------------------------------------------------------------------------ */

static void json_bits(ccm_json *j, const ccm_exchange *x)
{
    if (!x->bits.present)
        return;
    ccm_json_open(j, "bits", '{');
    ccm_json_text(j, "session", x->bits.session);
    ccm_json_text(j, "packet_type", x->bits.packet);
    ccm_json_text(j, "range", x->content_range);
    ccm_json_text(j, "reply_packet_type", x->bits.reply_packet);
    if (x->bits.has_received)
        ccm_json_u64(j, "received", x->bits.received);
    ccm_json_text(j, "error", x->bits.error);
    ccm_json_text(j, "error_context", x->bits.context);
    ccm_json_text(j, "content_name", x->bits.content_name);
    ccm_json_text(j, "host_id", x->bits.host_id);
    ccm_json_close(j, '}');
}

static void json_ccm(ccm_json *j, const ccm_exchange *x)
{
    if (!x->client_time && !x->signature && !x->token_kind)
        return;
    ccm_json_open(j, "ccm", '{');
    ccm_json_text(j, "client_time", x->client_time);
    ccm_json_text(j, "signature", x->signature);
    if (x->signature_bits)
        ccm_json_u64(j, "signature_bits", x->signature_bits);
    ccm_json_text(j, "token_kind", x->token_kind);
    ccm_json_close(j, '}');
}

static void json_done(ccm_json *j, const ccm_exchange *x)
{
    if (!x->has_done)
        return;
    if (x->has_request_bytes)
        ccm_json_u64(j, "request_bytes", x->request_bytes);
    if (x->has_response_bytes)
        ccm_json_u64(j, "response_bytes", x->response_bytes);
    if (x->body_missing_bytes)
        ccm_json_u64(j, "body_missing_bytes", x->body_missing_bytes);
    if (x->has_decoded)
        ccm_json_u64(j, "decoded_bytes", x->decoded_bytes);
    if (x->has_ttfb)
        ccm_json_seconds(j, "ttfb_s", x->ttfb_ns);
    if (x->has_duration)
        ccm_json_seconds(j, "duration_s", x->duration_ns);
    ccm_json_bool(j, "complete", x->complete);
    if (x->tunnel)
        ccm_json_bool(j, "tunnel", true);
}

/* A TLS handshake: no request and no answer. */
static void json_handshake(ccm_json *j, const ccm_exchange *x)
{
    ccm_json_text(j, "host", x->host);
    ccm_json_u64(j, "request_bytes", x->request_bytes);
    ccm_json_u64(j, "response_bytes", x->response_bytes);
    if (x->has_ttfb)
        ccm_json_seconds(j, "handshake_s", x->ttfb_ns);
    ccm_exchange_json_proofs(j, x);
    ccm_json_exchange_tls(j, x->tls);
    ccm_json_text(j, "pairing", x->pairing);
    ccm_json_bool(j, "decrypted", x->tls->decrypted);
}

static void json_line(GString *out, const ccm_exchange *x)
{
    char text[CCM_ENDPOINT_TEXT];
    ccm_json json, *j = &json;
    ccm_json_init(j, out, false);
    ccm_json_open(j, NULL, '{');
    if (x->time_ns)
        ccm_json_time(j, "time", x->time_ns);
    ccm_json_u64(j, "frame", x->frame);
    ccm_json_text(j, "source", ccm_endpoint_text(&x->client, text));
    ccm_json_text(j, "destination", ccm_endpoint_text(&x->server, text));
    ccm_json_text(j, "route", x->route);
    ccm_json_text(j, "route_basis", "local");
    ccm_json_text(j, "certainty", ccm_certainty_name(x->certainty));
    ccm_json_text(j, "protocol", x->protocol);
    if (x->tls) {
        json_handshake(j, x);
        ccm_json_close(j, '}');
        g_string_append_c(out, '\n');
        return;
    }
    ccm_json_text(j, "method", x->method);
    ccm_json_text(j, "target", x->target);
    ccm_json_text(j, "host", x->host);
    ccm_json_text(j, "url_kind", x->url_kind);
    ccm_json_text(j, "user_agent", x->user_agent);
    ccm_json_text(j, "range", x->range);
    ccm_json_text(j, "content_type", x->content_type);
    if (x->interim)
        ccm_json_u64(j, "interim", x->interim);
    if (x->status)
        ccm_json_u64(j, "status", x->status);
    ccm_json_text(j, "response_content_type", x->response_content_type);
    ccm_json_text(j, "response_content_range", x->response_content_range);
    ccm_json_text(j, "location", x->location);
    ccm_json_text(j, "server_software", x->server_software);
    json_done(j, x);
    ccm_json_text(j, "client_id", x->client_id);
    ccm_json_text(j, "component", x->component);
    json_ccm(j, x);
    ccm_exchange_json_proofs(j, x);
    ccm_exchange_json_smb(j, x);
    json_bits(j, x);
    ccm_json_text(j, "pairing", x->pairing);
    if (x->head_incomplete)
        ccm_json_bool(j, "head_incomplete", true);
    ccm_json_bool(j, "decrypted", x->decrypted);
    ccm_json_close(j, '}');
    g_string_append_c(out, '\n');
}

/* ---- columns --------------------------------------------------------------------------------- */

/* A left or right aligned cell; the text of `e->cell`, which is emptied. Returns its columns. */
static unsigned put(ccm_exchanges *e, unsigned column, bool right, ccm_style style)
{
    GString *out = e->out.text;
    unsigned used = ccm_text_columns(e->cell->str);
    e->column[column] = MAX(e->column[column], used);
    int pad = (int)(e->column[column] - used);
    if (right)
        g_string_append_printf(out, "%*s", pad, "");
    ccm_paint(out, e->color, style, e->cell->str);
    g_string_append_printf(out, "%*s", right ? 2 : pad + 2, "");
    g_string_truncate(e->cell, 0);
    return e->column[column] + 2;
}

static void header(ccm_exchanges *e)
{
    static const char *const titles[N_COLUMNS] = { "time", "client", "server", "method", "code",
                                                   "sent", "recv",   "ttfb",   "route" };
    e->header = true;
    for (unsigned i = 0; i < N_COLUMNS; i++) {
        g_string_assign(e->cell, titles[i]);
        put(e, i, i >= 4 && i < ROUTE_COLUMN, CCM_DIM);
    }
    ccm_paint(e->out.text, e->color, CCM_DIM, "target");
    g_string_append_c(e->out.text, '\n');
}

/* A line with the date when it is not the one printed last. */
static void day_line(ccm_exchanges *e, uint64_t time_ns)
{
    if (!time_ns) /* not known */
        return;
    ccm_clock_append(e->cell, time_ns);
    g_string_truncate(e->cell, MIN(e->cell->len, DAY_CHARS));
    if (strcmp(e->day, e->cell->str)) {
        g_strlcpy(e->day, e->cell->str, sizeof e->day);
        g_string_append(e->cell, " (UTC)");
        ccm_paint(e->out.text, e->color, CCM_HEADING, e->cell->str);
        g_string_append_c(e->out.text, '\n');
    }
    g_string_truncate(e->cell, 0);
}

static void note(GString *out, const char *words)
{
    g_string_append(out, out->len ? ", " : "");
    g_string_append(out, words);
}

static void bits_note(GString *out, const ccm_exchange *x)
{
    if (!x->bits.present)
        return;
    note(out, "BITS ");
    ccm_terminal_append(out, x->bits.packet ? x->bits.packet : "headers");
    if (x->bits.content_name) {
        g_string_append(out, " of ");
        ccm_terminal_append(out, x->bits.content_name);
    }
    if (x->bits.error) {
        g_string_append(out, " error ");
        ccm_terminal_append(out, x->bits.error);
    }
}

/* The target says what is asked for, where it is not the body. */
static void about_note(GString *out, const ccm_exchange *x, bool verbose)
{
    bool in_body = x->method && !strcmp(x->method, "POST");
    if (!x->about || x->message.present || !(in_body || verbose))
        return;
    note(out, "");
    ccm_terminal_append(out, x->about);
}

static void notes(GString *out, const ccm_exchange *x, bool verbose)
{
    if (!strcmp(x->pairing, "uncertain"))
        note(out, "pairing uncertain");
    else if (!strcmp(x->pairing, "request-only"))
        note(out, "no response seen");
    else if (!strcmp(x->pairing, "response-only"))
        note(out, "request not seen");
    if (x->certainty < CCM_CERTAINTY_STRONG) {
        note(out, "route ");
        g_string_append(out, ccm_certainty_name(x->certainty));
    }
    about_note(out, x, verbose);
    ccm_exchange_notes(out, x, verbose, note);
    ccm_exchange_smb_notes(out, x, note);
    bits_note(out, x);
    if (x->tunnel)
        note(out, "tunnel");
    if (x->head_incomplete)
        note(out, "head incomplete");
    if (x->has_done && x->body_missing_bytes) {
        note(out, "");
        ccm_bytes_append(out, x->body_missing_bytes);
        g_string_append(out, " of the body not captured");
    } else if (x->has_done && !x->complete && x->has_response && !x->smb.failed) {
        note(out, "ends early");
    }
}

static ccm_style status_style(const ccm_exchange *x)
{
    if (x->smb.present)
        return x->smb.failed ? CCM_BAD : CCM_GOOD;
    return !x->status || x->status >= 500 ? CCM_BAD : x->status >= 400 ? CCM_WARN : CCM_GOOD;
}

static unsigned put_ends(ccm_exchanges *e, const ccm_exchange *x)
{
    char text[CCM_ENDPOINT_TEXT];
    if (x->time_ns)
        ccm_time_of_day_append(e->cell, x->time_ns);
    else
        g_string_append_c(e->cell, '-');
    unsigned used = put(e, 0, false, CCM_DIM);
    g_string_append(e->cell, ccm_endpoint_text(&x->client, text));
    used += put(e, 1, false, CCM_PLAIN);
    g_string_append(e->cell, ccm_endpoint_text(&x->server, text));
    return used + put(e, 2, false, CCM_PLAIN);
}

static unsigned put_numbers(ccm_exchanges *e, const ccm_exchange *x)
{
    if (x->smb.present)
        g_string_append(e->cell, x->smb.failed ? x->has_response ? "fail" : "-" : "ok");
    else if (x->status)
        g_string_append_printf(e->cell, "%u", x->status);
    else
        g_string_append_c(e->cell, '-');
    unsigned used = put(e, 4, true, status_style(x));
    const uint64_t bytes[2] = { x->request_bytes, x->response_bytes };
    const bool known[2] = { x->has_request_bytes, x->has_response_bytes };
    for (unsigned i = 0; i < 2; i++) {
        if (x->has_done && known[i])
            ccm_bytes_append(e->cell, bytes[i]);
        else
            g_string_append_c(e->cell, '-');
        used += put(e, 5 + i, true, CCM_PLAIN);
    }
    if (x->has_ttfb)
        ccm_duration_append(e->cell, x->ttfb_ns);
    else
        g_string_append_c(e->cell, '-');
    return used + put(e, 7, true, CCM_PLAIN);
}

/* Target and note share what the width leaves; the note is never cut away by a long target. */
static void put_rest(ccm_exchanges *e, const ccm_exchange *x, unsigned used)
{
    g_autoptr(GString) remark = g_string_new(NULL);
    g_autoptr(GString) cut = g_string_new(NULL);
    notes(remark, x, e->verbose);
    ccm_terminal_append(e->cell, x->target ? x->target : "-");
    unsigned room = G_MAXUINT;
    if (e->width) {
        unsigned after = used + (remark->len ? ccm_text_columns(remark->str) + 4 : 0);
        room = e->width > after + TARGET_MIN ? e->width - after : TARGET_MIN;
    }
    ccm_text_fit(cut, e->cell->str, room);
    g_string_append(e->out.text, cut->str);
    g_string_truncate(e->cell, 0);
    if (remark->len) {
        g_string_append(e->out.text, "  ");
        g_string_prepend_c(remark, '(');
        g_string_append_c(remark, ')');
        ccm_paint(e->out.text, e->color, CCM_DIM, remark->str);
    }
    g_string_append_c(e->out.text, '\n');
}

/* The columns of an exchange, as far as a handshake has them: bytes as encrypted. */
static void handshake_line(ccm_exchanges *e, const ccm_exchange *x)
{
    const uint64_t bytes[2] = { x->request_bytes, x->response_bytes };
    g_string_append(e->cell, "TLS");
    put(e, 3, false, CCM_BOLD);
    g_string_append(e->cell, x->tls->failed ? "fail" : x->tls->established ? "ok" : "-");
    put(e, 4, true, x->tls->failed ? CCM_BAD : x->tls->established ? CCM_GOOD : CCM_PLAIN);
    for (unsigned i = 0; i < 2; i++) {
        ccm_bytes_append(e->cell, bytes[i]);
        put(e, 5 + i, true, CCM_PLAIN);
    }
    if (x->has_ttfb)
        ccm_duration_append(e->cell, x->ttfb_ns);
    else
        g_string_append_c(e->cell, '-');
    put(e, 7, true, CCM_PLAIN);
    g_string_append(e->cell, x->route);
    put(e, ROUTE_COLUMN, false, ccm_certainty_style(x->certainty));
    ccm_exchange_tls_words(e->out.text, x->tls);
    g_string_append_c(e->out.text, '\n');
}

static void text_line(ccm_exchanges *e, const ccm_exchange *x)
{
    if (!e->header)
        header(e);
    day_line(e, x->time_ns);
    unsigned used = put_ends(e, x);
    if (x->tls) {
        handshake_line(e, x);
        return;
    }
    ccm_terminal_append(e->cell, x->method ? x->method : "-");
    used += put(e, 3, false, CCM_BOLD);
    used += put_numbers(e, x);
    g_string_append(e->cell, x->route);
    used += put(e, ROUTE_COLUMN, false, ccm_certainty_style(x->certainty));
    put_rest(e, x, used);
}

/* ---- the public functions -------------------------------------------------------------------- */

static void on_exchange(void *user_data, const ccm_exchange *x)
{
    ccm_exchanges *e = user_data;
    if (e->out.failed || !matches(&e->filter, x))
        return;
    if (e->json)
        json_line(e->out.text, x);
    else
        text_line(e, x);
    ccm_out_drain(&e->out);
}

static void filter_clear(ccm_filter *f)
{
    g_free(f->verb);
    g_free(f->route);
}

ccm_exchanges *ccm_exchanges_new(const ccm_catalog *catalog, const ccm_limits *limits,
                                 const ccm_exchange_options *options, const ccm_sink *sink,
                                 GError **error)
{
    /* The widest IPv4 endpoint fits, on a narrow terminal the usual one; the rest are the widest
     * of their kind. */
    static const unsigned widths[N_COLUMNS] = { 12, 21, 21, 9, 4, 7, 7, 7, 12 };
    enum { NARROW = 140, NARROW_END = 15 };
    ccm_filter filter = { 0 };
    if (!parse_filters(&filter, catalog, options, error)) {
        filter_clear(&filter);
        return NULL;
    }
    ccm_exchanges *e = g_new0(ccm_exchanges, 1);
    e->filter = filter;
    e->json = options->json;
    e->color = options->color;
    e->width = options->width;
    e->verbose = options->verbose;
    memcpy(e->column, widths, sizeof widths);
    if (e->width && e->width < NARROW)
        e->column[1] = e->column[2] = NARROW_END;
    e->cell = g_string_new(NULL);
    ccm_out_init(&e->out, sink);
    e->joiner = ccm_joiner_new(catalog, limits, on_exchange, e);
    return e;
}

void ccm_exchanges_observe(void *exchanges, const ccm_obs *obs)
{
    ccm_exchanges *e = exchanges;
    ccm_joiner_observe(e->joiner, obs);
    uint64_t second = obs->time_ns / NS_PER_SECOND;
    if (second > e->flushed_s) {
        e->flushed_s = second;
        ccm_exchanges_flush(e);
    }
}

void ccm_exchanges_flush(ccm_exchanges *e)
{
    if (e->out.text->len)
        ccm_out_flush(&e->out);
}

bool ccm_exchanges_free(ccm_exchanges *e)
{
    ccm_joiner_free(e->joiner);
    bool ok = ccm_out_end(&e->out, NULL);
    filter_clear(&e->filter);
    g_string_free(e->cell, TRUE);
    g_free(e);
    return ok;
}
