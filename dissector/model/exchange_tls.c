/* SPDX-License-Identifier: GPL-2.0-or-later
 * exchange_tls.c - a TLS handshake as a part of a record of exchanges.
 *
 * In: what is known of a handshake. Out: the same in words, with the alerts that mean something.
 * State: none. */
#include "model/exchange_tls.h"

static const char *kept(const ccm_texts *texts, uint32_t text)
{
    return text == CCM_NONE ? NULL : ccm_texts_get(texts, text);
}

ccm_exchange_tls ccm_exchange_tls_of(const ccm_texts *texts, const ccm_tls_facts *f)
{
    ccm_exchange_tls t = { .version = ccm_tls_version_name(f->version),
                           .cipher = kept(texts, f->cipher),
                           .sni = kept(texts, f->sni),
                           .alpn = kept(texts, f->alpn),
                           .ja3 = kept(texts, f->ja3),
                           .ja4 = kept(texts, f->ja4),
                           .subject = kept(texts, f->is.subject),
                           .issuer = kept(texts, f->is.issuer),
                           .through = kept(texts, f->through),
                           .unanswered = f->unanswered,
                           .server_certificate = ccm_tls_server_name(f->is.server),
                           .server_certainty = ccm_tls_server_certainty(f),
                           .established = f->established,
                           .resumed = f->resumed,
                           .inherited = f->inherited,
                           .renegotiated = f->renegotiated,
                           .incomplete = f->incomplete,
                           .decrypted = f->decrypted };

    t.client_certificate = ccm_tls_client_name(ccm_tls_client_of(f, &t.client_certainty));
    for (unsigned i = 0; i < f->n_alerts; i++) {
        const ccm_tls_alert *a = &f->alert[i];
        if (a->encrypted ? f->established || f->incomplete : !a->code)
            continue; /* the usual end */
        t.failed |= a->fatal || a->encrypted;
        t.alerts[t.n_alerts++] = (ccm_view_alert){ .from = a->from_client ? "client" : "server",
                                                   .level = a->encrypted ? NULL
                                                            : a->fatal   ? "fatal"
                                                                         : "warning",
                                                   .name = kept(texts, a->name),
                                                   .alert = a->code,
                                                   .count = 1 };
    }
    return t;
}
