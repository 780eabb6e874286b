/* SPDX-License-Identifier: GPL-2.0-or-later
 * base.h - small values every folder shares: addresses, endpoints, errors, limits, text escaping.
 */
#ifndef CCM_BASE_BASE_H
#define CCM_BASE_BASE_H

#include <glib.h>
#include "ccmscope.h"
#include "base/cursor.h"

/* An IPv4 or IPv6 address in network order. family 0 = none (a packet without IP). Unused bytes are
 * zero, so two addresses compare with memcmp. */
typedef struct ccm_addr {
    uint8_t family; /* 0, 4 or 6 */
    uint8_t b[16];
} ccm_addr;

typedef struct ccm_endpoint {
    ccm_addr addr;
    uint16_t port; /* host order; 0 where the protocol has none */
} ccm_endpoint;

enum { CCM_ADDR_TEXT = 46, CCM_ENDPOINT_TEXT = 54 };

int ccm_addr_cmp(const ccm_addr *a, const ccm_addr *b);
/* Writes "10.0.0.1" or "2001:db8::1" ("" for family 0); `out` holds CCM_ADDR_TEXT bytes. */
const char *ccm_addr_text(const ccm_addr *a, char *out);
/* Writes "10.0.0.1:80" or "[2001:db8::1]:80"; `out` holds CCM_ENDPOINT_TEXT bytes. */
const char *ccm_endpoint_text(const ccm_endpoint *e, char *out);
bool ccm_addr_parse(const char *text, ccm_addr *out);
bool ccm_endpoint_parse(const char *text, ccm_endpoint *out);

/* A byte string from a packet as text that is safe on a terminal and in JSON: control bytes, and
 * bytes that are not valid UTF-8, become \xNN. Idempotent: escaping twice changes nothing, so a
 * fact read back from an observation file equals the fact itself. Appends to `out`. */
void ccm_text_append(GString *out, ccm_span s);

/* Appends `s` as a JSON string with its quotes, after ccm_text_append's rule. */
void ccm_json_string(GString *out, ccm_span s);
/* Appends nanoseconds since 1970 as RFC 3339 UTC with nine decimals, for instance
 * 2026-01-31T12:00:00.123456789Z (no quotes). */
void ccm_time_append(GString *out, uint64_t ns);

/* A stable sort of `n` elements of `size` bytes. */
static inline void ccm_sort(void *array, size_t n, size_t size, GCompareDataFunc compare,
                            void *user_data)
{
#if GLIB_CHECK_VERSION(2, 82, 0)
    g_sort_array(array, n, size, compare, user_data);
#else
    g_qsort_with_data(array, (gint)n, size, compare, user_data);
#endif
}

/* Zeros some hundred bytes. The call is the point: in place GCC writes `rep stos` for a size that
 * it knows, which takes longer to begin than this takes for all. */
void ccm_clear(void *p, size_t size);

static inline uint64_t ccm_min64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t ccm_max64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

#endif
