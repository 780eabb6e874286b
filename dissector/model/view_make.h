/* SPDX-License-Identifier: GPL-2.0-or-later
 * view_make.h - what view.c and view_routes.c share while they build a view. */
#ifndef CCM_MODEL_VIEW_MAKE_H
#define CCM_MODEL_VIEW_MAKE_H

#include "model/conclude.h"

typedef struct view_memory {
    ccm_view view; /* first: a view is freed through its address */
    GStringChunk *text;
    GPtrArray *blocks;
    ccm_catalog *catalog; /* its texts are used in place */
} view_memory;

typedef struct view_maker {
    const ccm_model *m;
    ccm_view *view;
    view_memory *memory;
    const struct ccm_site *site; /* NULL = none */
    uint64_t link_bps;           /* 0 = not known */
    ccm_cmg *cmg;
    ccm_tunnels *tunnels;
    GArray *relays;           /* ccm_relay */
    uint64_t accounts_rolled; /* accounts that found no place in their row */
    GArray *list;             /* scratch of ccm_view_count, empty between uses */
} view_maker;

void *ccm_view_alloc(view_maker *k, size_t n, size_t size);
const char *ccm_view_keep(view_maker *k, const char *text);
void ccm_view_count_add(GArray *list, const char *name, uint64_t count);
ccm_view_counts ccm_view_counts_of(view_maker *k, GArray *list);
ccm_view_names ccm_view_names_of(view_maker *k, GArray *list);
ccm_view_names ccm_view_host_names(view_maker *k, const ccm_addr *addr);
const char *ccm_view_text(view_maker *k, uint32_t text); /* NULL for CCM_NONE */
void ccm_view_make_routes(view_maker *k);
/* view_throttle.c; row_of: the row of each edge; sorted: the n edges that are in rows, by row and
 * client */
void ccm_view_make_throttle(view_maker *k, ccm_view_route *rows, unsigned n_rows,
                            const uint32_t *row_of, const uint32_t *sorted, unsigned n);
/* view_clients.c */
void ccm_view_make_clients(view_maker *k);
void ccm_view_make_messages(view_maker *k);
/* view_smb.c */
void ccm_view_make_smb(view_maker *k);
/* view_contents.c */
void ccm_view_make_contents(view_maker *k);
/* view_tls.c: of the edges of a row; and the certificates of all */
void ccm_view_make_tls(view_maker *k, const uint32_t *edges, unsigned n, ccm_view_route *r);
void ccm_view_make_certificates(view_maker *k);
/* view_channels.c: instance, channel and fallbacks of a row; lookups. */
void ccm_view_make_channel(view_maker *k, ccm_view_route *r, const uint32_t *edges, unsigned n);
void ccm_view_make_lookups(view_maker *k);
/* view_uploads.c */
void ccm_view_make_uploads(view_maker *k);

#endif
