/* SPDX-License-Identifier: GPL-2.0-or-later
 * account.c - sequence-space accounting: what a segment adds to the numbers already seen.
 * In: sequence numbers and lengths. Out: new bytes; missing bytes as a bounded list of holes.
 * Spec: RFC 9293 section 3.4 (numbers wrap at 2^32; SYN and FIN occupy one each). */
#include "account/account.h"

enum { ROOM_FIRST = 4 };
#define HALF_SPACE (UINT64_C(1) << 31)

/* Only the low half of `low` is stored: high - low stays below 2^32. */
static uint64_t seq_low(const ccm_seq *s)
{
    return s->high - (uint32_t)((uint32_t)s->high - s->low);
}

/* Nothing further back than half the number space can be told apart from what is ahead. */
static void seq_bound_low(ccm_seq *s, uint64_t low)
{
    if (s->high - low >= HALF_SPACE)
        low = s->high - HALF_SPACE + 1;
    s->low = (uint32_t)low;
}

static void holes_remove(ccm_holes *h, uint32_t i)
{
    memmove(&h->hole[i], &h->hole[i + 1], (h->n - i - 1) * sizeof *h->hole);
    h->n--;
}

static ccm_holes *holes_of(ccm_seq *s)
{
    if (!s->holes)
        s->holes = g_new0(ccm_holes, 1);
    return s->holes;
}

static void holes_insert(ccm_seq *s, uint32_t i, uint64_t from, uint64_t to)
{
    ccm_holes *h = holes_of(s);
    if (h->n == CCM_SEQ_HOLES) { /* the oldest is given up: counted as missing for good */
        if (i == 0) {
            h->missing += to - from;
            h->gaps++;
            return;
        }
        h->missing += h->hole[0].to - h->hole[0].from;
        h->gaps++;
        holes_remove(h, 0);
        i--;
    }
    if (h->n == h->room) {
        h->room = h->room ? h->room * 2 : ROOM_FIRST;
        h->hole = g_renew(ccm_hole, h->hole, h->room);
    }
    memmove(&h->hole[i + 1], &h->hole[i], (h->n - i) * sizeof *h->hole);
    h->hole[i] = (ccm_hole){ from, to };
    h->n++;
}

/* Takes [from, to) out of the holes; returns how many numbers that were missing. */
static uint64_t holes_fill(ccm_seq *s, uint64_t from, uint64_t to)
{
    uint64_t filled = 0;
    ccm_holes *h = s->holes;

    for (uint32_t i = 0; h && i < h->n && h->hole[i].from < to;) {
        ccm_hole *x = &h->hole[i];
        if (x->to <= from) {
            i++;
            continue;
        }
        uint64_t a = ccm_max64(x->from, from), b = ccm_min64(x->to, to), end = x->to;
        filled += b - a;
        if (a > x->from && b < end) { /* splits in two */
            x->to = a;
            holes_insert(s, i + 1, b, end);
            return filled;
        }
        if (a > x->from) {
            x->to = a;
            i++;
        } else if (b < end) {
            x->from = b;
            i++;
        } else {
            holes_remove(h, i);
        }
    }
    return filled;
}

void ccm_seq_begin(ccm_seq *s, uint32_t seq)
{
    if (s->high)
        return;
    s->base = seq;
    s->high = CCM_SEQ_ZERO;
    s->low = (uint32_t)s->high;
}

uint32_t ccm_seq_cover(ccm_seq *s, uint32_t seq, uint32_t len, uint64_t *off)
{
    ccm_seq_begin(s, seq);
    if (ccm_seq_is_far(s, seq)) {
        holes_of(s)->far = true;
        s->holes->far_end = seq + len;
        *off = 0;
        return len;
    }
    uint64_t a = ccm_seq_offset(s, seq), b = a + len, low = seq_low(s), fresh = 0;

    *off = a;
    if (!len)
        return 0;
    if (a < low) {
        fresh += ccm_min64(b, low) - a;
        if (b < low)
            holes_insert(s, 0, b, low);
        s->low = (uint32_t)a;
        low = a;
    }
    fresh += holes_fill(s, a, b);
    if (b > s->high) {
        if (a > s->high)
            holes_insert(s, s->holes ? s->holes->n : 0, s->high, a);
        fresh += b - ccm_max64(a, s->high);
        s->high = b;
    }
    seq_bound_low(s, low);
    return (uint32_t)ccm_min64(fresh, len);
}

bool ccm_seq_far_on(const ccm_seq *s, uint32_t seq, uint32_t room)
{
    return s->holes && s->holes->far && seq - s->holes->far_end < room;
}

uint64_t ccm_seq_missing(const ccm_seq *s, uint64_t *gaps)
{
    const ccm_holes *h = s->holes;
    uint64_t missing = h ? h->missing : 0;

    *gaps = h ? h->gaps + h->n : 0;
    for (uint32_t i = 0; h && i < h->n; i++)
        missing += h->hole[i].to - h->hole[i].from;
    return missing;
}

void ccm_seq_clear(ccm_seq *s)
{
    if (s->holes)
        g_free(s->holes->hole);
    g_free(s->holes);
    memset(s, 0, sizeof *s);
}

ccm_conn_state ccm_conn_state_of(unsigned saw)
{
    unsigned data = saw & (3 * CCM_SAW_DATA);

    if (!(saw & (CCM_SAW_SYN | CCM_SAW_SYNACK)))
        return CCM_CONN_MIDSTREAM;
    if ((saw & CCM_SAW_SYNACK) || (saw & CCM_SAW_ACK) || data)
        return CCM_CONN_ESTABLISHED;
    return saw & (CCM_SAW_EARLY_RST | CCM_SAW_UNREACHABLE) ? CCM_CONN_REFUSED : CCM_CONN_UNANSWERED;
}
