/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls_report.c - TLS of a route, of one handshake, and certificates: plain words and JSON.
 * In: parts of a view, an exchange. Out: text, members. State: none. */
#include "report/tls_report.h"

/* ---- words ----------------------------------------------------------------------------------- */

static const char *server_words(const char *kind)
{
    return !strcmp(kind, "pki")             ? "PKI certificate"
           : !strcmp(kind, "enhanced-http") ? "enhanced HTTP certificate"
           : !strcmp(kind, "self-signed")   ? "self-signed certificate"
                                            : "certificate hidden";
}

static void client_words(GString *out, const char *client, ccm_certainty sure)
{
    g_string_append(out, !strcmp(client, "yes")  ? ", client certificate"
                         : !strcmp(client, "no") ? ", no client certificate"
                                                 : ", client certificate unknown");
    if (sure == CCM_CERTAINTY_LIKELY || sure == CCM_CERTAINTY_WEAK)
        g_string_append_printf(out, " (%s)", ccm_certainty_name(sure));
}

/* The common name in a distinguished one; the whole when it has none. */
static void common_name_append(GString *out, const char *name)
{
    const char *cn = g_str_has_prefix(name, "CN=") ? name : strstr(name, ",CN=");
    g_autoptr(GString) part = g_string_new(NULL);

    if (cn) {
        cn += *cn == ',' ? 4 : 3;
        for (; *cn && *cn != ',' && *cn != '+'; cn++) {
            if (*cn == '\\' && cn[1])
                cn++;
            g_string_append_c(part, *cn);
        }
    }
    ccm_terminal_append(out, part->len ? part->str : name);
}

void ccm_alert_words(GString *out, const ccm_view_alert *a)
{
    if (!a->level)
        g_string_append(out, "encrypted alert");
    else if (a->name)
        g_string_append_printf(out, "%s alert %s (%u)", a->level, a->name, a->alert);
    else
        g_string_append_printf(out, "%s alert %u", a->level, a->alert);
    g_string_append_printf(out, " from the %s", a->from);
    if (a->count > 1) {
        g_string_append(out, " ×");
        ccm_count_append(out, a->count);
    }
}

void ccm_tls_words(GString *out, const ccm_view_tls *t)
{
    for (unsigned i = 0; i < t->versions.n; i++)
        g_string_append_printf(out, i ? " and %s" : "%s",
                               t->versions.v[i].name + (i ? strlen("TLS ") : 0));
    g_string_append_printf(out, ", %s", server_words(t->server_certificate));
    if (t->issuers.n && strcmp(t->server_certificate, "self-signed")) {
        const ccm_view_count *most = t->issuers.v;
        for (unsigned i = 1; i < t->issuers.n; i++)
            most = t->issuers.v[i].count > most->count ? &t->issuers.v[i] : most;
        g_string_append(out, " (");
        common_name_append(out, most->name);
        g_string_append_c(out, ')');
    }
    client_words(out, t->client_certificate, t->client_certainty);
    if (t->resumed) {
        g_string_append(out, ", ");
        ccm_count_append(out, t->resumed);
        g_string_append(out, " resumed");
    }
    for (unsigned i = 0; i < t->n_alerts && i < 3; i++) {
        g_string_append(out, ", ");
        ccm_alert_words(out, &t->alerts[i]);
    }
}

void ccm_exchange_tls_words(GString *out, const ccm_exchange_tls *t)
{
    ccm_terminal_append(out, t->sni ? t->sni : "-");
    g_string_append_printf(out, "  %s, %s", t->version, server_words(t->server_certificate));
    if (t->issuer && strcmp(t->server_certificate, "self-signed")) {
        g_string_append(out, " (");
        common_name_append(out, t->issuer);
        g_string_append_c(out, ')');
    }
    client_words(out, t->client_certificate, t->client_certainty);
    if (t->resumed)
        g_string_append(out, t->inherited ? ", resumed, as before" : ", resumed");
    for (unsigned i = 0; i < t->n_alerts; i++) {
        g_string_append(out, ", ");
        ccm_alert_words(out, &t->alerts[i]);
    }
    if (t->through) {
        g_string_append(out, ", through the proxy to ");
        ccm_terminal_append(out, t->through);
    }
    if (!t->established)
        g_string_append(out, t->unanswered   ? ", no answer"
                             : t->incomplete ? ", handshake not all seen"
                                             : ", handshake not finished");
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void names_of_counts(ccm_json *j, const char *key, ccm_view_counts list)
{
    ccm_json_open_inline(j, key, '[');
    for (unsigned i = 0; i < list.n; i++)
        ccm_json_text(j, NULL, list.v[i].name);
    ccm_json_close(j, ']');
}

static void alerts(ccm_json *j, const ccm_view_alert *v, unsigned n)
{
    ccm_json_open(j, "alerts", '[');
    for (unsigned i = 0; i < n; i++) {
        ccm_json_open_inline(j, NULL, '{');
        ccm_json_text(j, "from", v[i].from);
        if (v[i].level) {
            ccm_json_text(j, "level", v[i].level);
            ccm_json_u64(j, "alert", v[i].alert);
            ccm_json_text(j, "name", v[i].name);
        } else {
            ccm_json_bool(j, "encrypted", true);
        }
        ccm_json_u64(j, "count", v[i].count);
        ccm_json_close(j, '}');
    }
    ccm_json_close(j, ']');
}

void ccm_json_route_tls(ccm_json *j, const ccm_view_route *r)
{
    const ccm_view_tls *t = &r->tls;

    if (!t->sessions)
        return;
    ccm_json_open(j, "tls", '{');
    ccm_json_u64(j, "sessions", t->sessions);
    ccm_json_counts(j, "versions", t->versions);
    ccm_json_counts(j, "ciphers", t->ciphers);
    names_of_counts(j, "sni", t->sni);
    ccm_json_text(j, "server_certificate", t->server_certificate);
    ccm_json_text(j, "server_certainty", ccm_certainty_name(t->server_certainty));
    ccm_json_counts(j, "server_certificates", t->server_certificates);
    ccm_json_counts(j, "issuers", t->issuers);
    ccm_json_text(j, "client_certificate", t->client_certificate);
    ccm_json_text(j, "client_certainty", ccm_certainty_name(t->client_certainty));
    ccm_json_counts(j, "client_certificates", t->client_certificates);
    names_of_counts(j, "alpn", t->alpn);
    alerts(j, t->alerts, t->n_alerts);
    ccm_json_u64(j, "resumed", t->resumed);
    ccm_json_u64(j, "inherited", t->inherited);
    names_of_counts(j, "ja3", t->ja3);
    names_of_counts(j, "ja4", t->ja4);
    ccm_json_close(j, '}');
}

static void names(ccm_json *j, const char *key, ccm_view_names list)
{
    ccm_json_open_inline(j, key, '[');
    for (unsigned i = 0; i < list.n; i++)
        ccm_json_text(j, NULL, list.v[i]);
    ccm_json_close(j, ']');
}

static void certificate(ccm_json *j, const ccm_view_certificate *c)
{
    ccm_json_open(j, NULL, '{');
    ccm_json_text(j, "subject", c->subject);
    ccm_json_text(j, "issuer", c->issuer);
    names(j, "san", c->san);
    if (c->san_more)
        ccm_json_bool(j, "san_more", true);
    if (c->has_not_before)
        ccm_json_time(j, "not_before", c->not_before_ns);
    if (c->has_expires)
        ccm_json_time(j, "not_after", c->expires_ns);
    ccm_json_text(j, "kind", c->kind);
    names(j, "seen_on", c->seen_on);
    if (c->seen_on_more)
        ccm_json_bool(j, "seen_on_more", true);
    ccm_json_open_inline(j, "sent_by", '[');
    if (c->client)
        ccm_json_text(j, NULL, "client");
    if (c->server)
        ccm_json_text(j, NULL, "server");
    ccm_json_close(j, ']');
    ccm_json_text(j, "key_type", c->key_type);
    if (c->key_bits)
        ccm_json_u64(j, "key_bits", c->key_bits);
    ccm_json_open_inline(j, "extended_key_usage", '[');
    g_auto(GStrv) usage = g_strsplit(c->usage ? c->usage : "", ",", -1);
    for (unsigned i = 0; usage[i]; i++)
        ccm_json_text(j, NULL, usage[i]);
    ccm_json_close(j, ']');
    ccm_json_text(j, "serial", c->serial);
    ccm_json_text(j, "sha256", c->fingerprint);
    ccm_json_u64(j, "count", c->count);
    if (c->first_frame)
        ccm_json_u64(j, "first_frame", c->first_frame);
    ccm_json_close(j, '}');
}

void ccm_json_certificates(ccm_json *j, const ccm_view *view, ccm_out *out)
{
    ccm_json_open(j, "certificates", '[');
    for (unsigned i = 0; i < view->n_certificates; i++, ccm_out_drain(out))
        certificate(j, &view->certificates[i]);
    ccm_json_close(j, ']');
}

void ccm_json_exchange_tls(ccm_json *j, const ccm_exchange_tls *t)
{
    ccm_json_open(j, "tls", '{');
    ccm_json_text(j, "version", t->version);
    ccm_json_text(j, "cipher", t->cipher);
    ccm_json_text(j, "sni", t->sni);
    ccm_json_text(j, "alpn", t->alpn);
    ccm_json_bool(j, "established", t->established);
    ccm_json_bool(j, "resumed", t->resumed);
    if (t->inherited)
        ccm_json_bool(j, "inherited", true);
    if (t->renegotiated)
        ccm_json_bool(j, "renegotiated", true);
    if (t->incomplete)
        ccm_json_bool(j, "incomplete", true);
    if (t->unanswered)
        ccm_json_bool(j, "unanswered", true);
    ccm_json_text(j, "through", t->through);
    ccm_json_text(j, "server_certificate", t->server_certificate);
    ccm_json_text(j, "server_certainty", ccm_certainty_name(t->server_certainty));
    ccm_json_text(j, "subject", t->subject);
    ccm_json_text(j, "issuer", t->issuer);
    ccm_json_text(j, "client_certificate", t->client_certificate);
    ccm_json_text(j, "client_certainty", ccm_certainty_name(t->client_certainty));
    alerts(j, t->alerts, t->n_alerts);
    ccm_json_text(j, "ja3", t->ja3);
    ccm_json_text(j, "ja4", t->ja4);
    ccm_json_close(j, '}');
}
