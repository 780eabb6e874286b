/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls_book.h - what a model keeps of TLS: open connections, sessions to resume, certificates.
 *
 * In: tls_ observations. Out: counters and sums of edges, names of hosts, certificates. State:
 * ccm_tls_book, part of a model; bounded by limits->flows and the constants here and in tls.h. What
 * merges are the counters, sums and certificates: a session is resumed where it was begun. */
#ifndef CCM_MODEL_TLS_BOOK_H
#define CCM_MODEL_TLS_BOOK_H

#include "model/model.h"
#include "model/tls.h"

enum { CCM_CERTIFICATES = 8192, CCM_CERTIFICATE_PLACES = 8, CCM_CERTIFICATE_IDS = 8 };

/* A certificate, known by its fingerprint. Texts: CCM_NONE = absent. */
typedef struct ccm_certificate_seen {
    uint32_t fingerprint, subject, issuer, san, usage, serial, key_type;
    uint32_t key_bits;
    bool has_not_before, has_expires;
    uint64_t not_before_ns, expires_ns;
    uint64_t count, first_frame;
    uint8_t kind; /* ccm_tls_server, as a leaf */
    bool leaf, server, client, more;
    uint8_t n_seen;
    ccm_endpoint
        seen[CCM_CERTIFICATE_PLACES]; /* of who sent it, clients without port; the lowest */
    uint8_t n_ids;
    uint64_t id[CCM_CERTIFICATE_IDS]; /* hashes of the client ids that it sent; the lowest */
} ccm_certificate_seen;

struct ccm_tls_book {
    ccm_tls_flows flows;
    ccm_tls_sessions sessions;
    ccm_index index;
    GArray *certificates; /* ccm_certificate_seen */
};

struct ccm_tls_book *ccm_tls_book_new(unsigned flows);
void ccm_tls_book_free(struct ccm_tls_book *b);
void ccm_tls_book_observe(ccm_model *m, const ccm_obs *obs);
/* An HTTP observation that came out of TLS: whose client id its certificate speaks for. */
void ccm_tls_book_client_id(ccm_model *m, const ccm_obs *obs);
/* The flow is over and settled with its edge. */
void ccm_tls_book_end(ccm_model *m, const ccm_model_flow *f, uint64_t id);
void ccm_tls_book_merge(ccm_model *to, const ccm_model *from);

#endif
