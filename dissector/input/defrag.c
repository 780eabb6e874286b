/* SPDX-License-Identifier: GPL-2.0-or-later
 * defrag.c - IPv4 and IPv6 datagrams put together from their fragments.
 * In: fragments. Out: whole datagrams, or the sums of incomplete ones.
 * State: a datagram per key, oldest first. Where fragments overlap, the first that came wins.
 * Allocates: per datagram its data (at most 64 KiB, and only for bytes that were captured) and a
 * sorted list of the pieces it has. Spec: RFC 791, 815, 8200. */
#include "input/defrag.h"

enum {
    HEADER_ROOM = 60, /* the largest IPv4 header; an IPv6 header needs 40 */
    DATA_MAX = 65535,
    DATA_FIRST = 2048,
};

typedef struct frag_key {
    ccm_addr src, dst;
    uint32_t id;
    uint8_t protocol; /* 0 for IPv6: fragments may disagree there (RFC 8200, 4.5) */
} frag_key;

/* `len` bytes of the datagram at `off`; the captured ones, `have`, lie at `pos` of the data. */
typedef struct frag_piece {
    uint32_t off, len, pos, have;
} frag_piece;

typedef struct frag_datagram {
    frag_key key;
    GList link; /* in waiting, lost or done */
    uint64_t first_ns;
    ccm_packet sum;
    frag_piece *pieces; /* sorted by off, without overlap */
    unsigned n_pieces, room_pieces;
    uint8_t *data; /* HEADER_ROOM bytes, then the pieces' bytes as they came */
    uint32_t used, room;
    uint32_t covered;    /* bytes in pieces */
    uint32_t total;      /* length of the datagram's data; 0 until the last fragment came */
    uint32_t highest;    /* end of the last piece */
    uint32_t cut_at;     /* first byte that no capture holds */
    uint32_t header_len; /* 0 until the first fragment came */
    uint8_t header[HEADER_ROOM];
    uint8_t next;
} frag_datagram;

struct ccm_defrag {
    GHashTable *table; /* of frag_datagram.key */
    GQueue waiting;    /* by arrival of the first fragment */
    GQueue lost;       /* without data */
    GQueue done;
    unsigned max_datagrams;
    uint64_t max_bytes, bytes;
    uint64_t evicted;
};

static guint key_hash(gconstpointer p)
{
    /* The table is small and bounded, so a crafted collision costs little: no seed. */
    const frag_key *k = p;
    uint64_t h = k->id * UINT64_C(0x9e3779b97f4a7c15) + k->protocol;
    for (unsigned i = 0; i < sizeof k->src.b; i += 4) {
        uint32_t s, d;
        memcpy(&s, k->src.b + i, sizeof s);
        memcpy(&d, k->dst.b + i, sizeof d);
        h = (h ^ s) * UINT64_C(0xff51afd7ed558ccd);
        h = (h ^ h >> 32 ^ d) * UINT64_C(0xc4ceb9fe1a85ec53);
    }
    return (guint)(h >> 32);
}

static gboolean key_equal(gconstpointer pa, gconstpointer pb)
{
    const frag_key *a = pa, *b = pb;
    return a->id == b->id && a->protocol == b->protocol && ccm_addr_cmp(&a->src, &b->src) == 0 &&
           ccm_addr_cmp(&a->dst, &b->dst) == 0;
}

ccm_defrag *ccm_defrag_new(const ccm_limits *limits)
{
    ccm_defrag *f = g_new0(ccm_defrag, 1);
    f->table = g_hash_table_new(key_hash, key_equal);
    f->max_datagrams = MAX(limits->fragments, 1);
    f->max_bytes = MAX((uint64_t)f->max_datagrams * CCM_DEFRAG_BYTES, 2 * DATA_MAX);
    g_queue_init(&f->waiting);
    g_queue_init(&f->lost);
    g_queue_init(&f->done);
    return f;
}

static size_t datagram_bytes(const frag_datagram *d)
{
    return sizeof *d + d->room + d->room_pieces * sizeof *d->pieces;
}

static void drop_data(ccm_defrag *f, frag_datagram *d)
{
    f->bytes -= datagram_bytes(d);
    g_clear_pointer(&d->data, g_free);
    g_clear_pointer(&d->pieces, g_free);
    d->room = d->room_pieces = d->n_pieces = 0;
}

static void free_queue(GQueue *queue)
{
    for (GList *link; (link = g_queue_pop_head_link(queue));) {
        frag_datagram *d = link->data;
        g_free(d->data);
        g_free(d->pieces);
        g_free(d);
    }
}

void ccm_defrag_free(ccm_defrag *f)
{
    if (!f)
        return;
    g_hash_table_destroy(f->table);
    free_queue(&f->waiting);
    free_queue(&f->lost);
    free_queue(&f->done);
    g_free(f);
}

void ccm_defrag_release(ccm_defrag *f)
{
    if (f->done.length)
        free_queue(&f->done);
}

/* Gives a datagram up: its data goes, its sums wait for ccm_defrag_expired. */
static void give_up(ccm_defrag *f, frag_datagram *d)
{
    g_hash_table_remove(f->table, &d->key);
    g_queue_unlink(&f->waiting, &d->link);
    drop_data(f, d);
    frag_datagram *last = g_queue_peek_tail(&f->lost);
    if (last && f->lost.length > f->max_datagrams) {
        /* Nobody fetches them. The counts stay right, their addresses do not. */
        last->sum.packets += d->sum.packets;
        last->sum.wire_bytes += d->sum.wire_bytes;
        last->sum.ip_bytes += d->sum.ip_bytes;
        last->sum.payload_len += d->sum.payload_len;
        g_free(d);
        return;
    }
    g_queue_push_tail_link(&f->lost, &d->link);
}

static bool too_old(const frag_datagram *d, uint64_t now_ns)
{
    return now_ns > d->first_ns && now_ns - d->first_ns > CCM_DEFRAG_SECONDS * UINT64_C(1000000000);
}

static frag_datagram *find_or_add(ccm_defrag *f, const frag_key *key, uint64_t now_ns)
{
    frag_datagram *d = g_hash_table_lookup(f->table, key);
    if (d && too_old(d, now_ns)) { /* the identification is in use again */
        give_up(f, d);
        d = NULL;
    }
    if (d)
        return d;
    while (f->waiting.length >= f->max_datagrams) {
        give_up(f, g_queue_peek_head(&f->waiting));
        f->evicted++;
    }
    d = g_new0(frag_datagram, 1);
    d->key = *key;
    d->link.data = d;
    d->first_ns = now_ns;
    d->cut_at = UINT32_MAX;
    f->bytes += datagram_bytes(d);
    g_hash_table_insert(f->table, &d->key, d);
    g_queue_push_tail_link(&f->waiting, &d->link);
    return d;
}

static void make_room(ccm_defrag *f, frag_datagram *d, uint32_t n)
{
    f->bytes -= datagram_bytes(d);
    if (d->n_pieces == d->room_pieces) {
        d->room_pieces = d->room_pieces ? d->room_pieces * 2 : 4;
        d->pieces = g_renew(frag_piece, d->pieces, d->room_pieces);
    }
    uint32_t need = MAX(d->used, HEADER_ROOM) + n; /* <= HEADER_ROOM + DATA_MAX: no overlap */
    if (need > d->room) {
        d->room = MAX(need, MIN(MAX(d->room * 2, DATA_FIRST), HEADER_ROOM + DATA_MAX));
        d->data = g_realloc(d->data, d->room);
    }
    d->used = MAX(d->used, HEADER_ROOM);
    f->bytes += datagram_bytes(d);
}

/* Inserts bytes [off, end) of a fragment, known not to overlap, before piece `at`. */
static void insert_piece(ccm_defrag *f, frag_datagram *d, unsigned at, uint32_t off, uint32_t end,
                         const ccm_fragment *frag)
{
    uint32_t captured_end = frag->offset + (uint32_t)frag->data.n;
    uint32_t have = captured_end > off ? MIN(captured_end, end) - off : 0;
    make_room(f, d, have);
    memmove(d->pieces + at + 1, d->pieces + at, (d->n_pieces - at) * sizeof *d->pieces);
    d->pieces[at] = (frag_piece){ off, end - off, d->used - HEADER_ROOM, have };
    d->n_pieces++;
    if (have)
        memcpy(d->data + d->used, frag->data.p + (off - frag->offset), have);
    d->used += have;
    d->covered += end - off;
    d->highest = MAX(d->highest, end);
    if (have < end - off)
        d->cut_at = MIN(d->cut_at, off + have);
}

/* Adds what of [frag->offset, end) is not there yet. */
static void add_pieces(ccm_defrag *f, frag_datagram *d, const ccm_fragment *frag, uint32_t end)
{
    uint32_t at = frag->offset;
    unsigned i = d->n_pieces;
    if (d->n_pieces && at < d->highest) { /* not simply the next one */
        i = 0;
        while (i < d->n_pieces && d->pieces[i].off + d->pieces[i].len <= at)
            i++;
    }
    while (at < end && d->n_pieces < CCM_DEFRAG_PIECES) {
        uint32_t stop = i < d->n_pieces ? MIN(d->pieces[i].off, end) : end;
        if (at < stop) {
            insert_piece(f, d, i, at, stop, frag);
            i++;
        }
        if (i >= d->n_pieces)
            break;
        at = MAX(at, d->pieces[i].off + d->pieces[i].len);
        i++;
    }
}

static void add_fragment(ccm_defrag *f, frag_datagram *d, const ccm_fragment *frag)
{
    /* All but the last fragment carry a multiple of eight bytes. */
    uint32_t wire = frag->more ? frag->wire & ~7u : frag->wire;
    uint32_t end = frag->offset + wire;
    if (wire == 0 || wire > DATA_MAX || end > DATA_MAX) /* "ping of death": counted, never whole */
        return;
    if (d->total && end > d->total) {
        if (frag->offset >= d->total || !frag->more)
            return;
        end = d->total;
    }
    if (!frag->more && !d->total && end >= d->highest)
        d->total = end;
    if (frag->offset == 0 && !d->header_len) {
        d->header_len = (uint32_t)MIN(frag->header.n, HEADER_ROOM);
        memcpy(d->header, frag->header.p, d->header_len);
        d->next = frag->next;
    }
    add_pieces(f, d, frag, end);
}

/* The header in front of the data says what the whole datagram is, for classifiers that read it. */
static void write_header(const frag_datagram *d, uint8_t *at)
{
    memcpy(at, d->header, d->header_len);
    if (d->key.src.family == 4) {
        uint32_t length = MIN(d->header_len + d->total, UINT16_MAX);
        at[2] = (uint8_t)(length >> 8);
        at[3] = (uint8_t)length;
        at[6] = at[7] = 0;
        return;
    }
    at[4] = (uint8_t)(d->total >> 8);
    at[5] = (uint8_t)d->total;
    at[6] = d->next;
}

/* Puts the pieces in order, unless they came in order. */
static void put_in_order(frag_datagram *d, uint32_t size)
{
    bool in_order = true;
    for (unsigned i = 0; i < d->n_pieces && d->pieces[i].off < size && in_order; i++)
        in_order = d->pieces[i].pos == d->pieces[i].off;
    if (in_order)
        return;
    uint8_t *data = g_malloc(HEADER_ROOM + size);
    for (unsigned i = 0; i < d->n_pieces && d->pieces[i].off < size; i++) {
        const frag_piece *piece = d->pieces + i;
        memcpy(data + HEADER_ROOM + piece->off, d->data + HEADER_ROOM + piece->pos,
               MIN(piece->have, size - piece->off));
    }
    g_free(d->data);
    d->data = data;
}

/* Takes the datagram out, as far as d->total. Its memory stays until ccm_defrag_release. */
static void finish(ccm_defrag *f, frag_datagram *d, ccm_packet *packet, ccm_datagram *whole)
{
    g_hash_table_remove(f->table, &d->key);
    g_queue_unlink(&f->waiting, &d->link);
    f->bytes -= datagram_bytes(d);
    g_queue_push_tail_link(&f->done, &d->link);
    uint32_t size = MIN(d->total, d->cut_at);
    put_in_order(d, size);
    uint8_t *header = d->data + HEADER_ROOM - d->header_len;
    write_header(d, header);
    *whole = (ccm_datagram){ .next = d->next,
                             .ip = ccm_span_of(header, d->header_len + size),
                             .header_size = d->header_len,
                             .wire = d->total };
    packet->packets = d->sum.packets;
    packet->wire_bytes = d->sum.wire_bytes;
    packet->ip_bytes = d->sum.ip_bytes;
}

bool ccm_defrag_add(ccm_defrag *f, const ccm_fragment *frag, ccm_packet *packet,
                    ccm_datagram *whole)
{
    bool v4 = packet->src.addr.family == 4;
    frag_key key = { .src = packet->src.addr,
                     .dst = packet->dst.addr,
                     .id = frag->id,
                     .protocol = v4 ? frag->next : 0 };
    frag_datagram *d = find_or_add(f, &key, packet->time_ns);
    ccm_packet *sum = &d->sum;
    if (sum->packets == 0) {
        *sum = (ccm_packet){ .src = packet->src,
                             .dst = packet->dst,
                             .l4 = frag->next,
                             .ip_id = packet->ip_id,
                             .fragment = true };
    }
    sum->time_ns = packet->time_ns;
    sum->frame = packet->frame;
    sum->packets += packet->packets;
    sum->wire_bytes += packet->wire_bytes;
    sum->ip_bytes += packet->ip_bytes;
    sum->payload_len += frag->wire;
    sum->cut |= frag->data.n < frag->wire;
    add_fragment(f, d, frag);
    if (d->total && d->covered == d->total && d->header_len) {
        finish(f, d, packet, whole);
        return true;
    }
    /* The newest stays: one datagram alone never exceeds the bound. */
    while (f->bytes > f->max_bytes && g_queue_peek_head(&f->waiting) != d) {
        give_up(f, g_queue_peek_head(&f->waiting));
        f->evicted++;
    }
    return false;
}

/* How far the datagram is there without a hole. */
static uint32_t start_size(const frag_datagram *d)
{
    uint32_t end = 0;
    for (unsigned i = 0; i < d->n_pieces && d->pieces[i].off == end; i++)
        end += d->pieces[i].len;
    return end;
}

bool ccm_defrag_expired(ccm_defrag *f, uint64_t now_ns, ccm_packet *out, ccm_datagram *start)
{
    frag_datagram *oldest = g_queue_peek_head(&f->waiting);
    *start = (ccm_datagram){ 0 };
    if (oldest && (now_ns == UINT64_MAX || too_old(oldest, now_ns))) {
        uint32_t size = start_size(oldest);
        if (size && oldest->header_len) {
            *out = oldest->sum;
            oldest->total = size;
            finish(f, oldest, out, start);
            return true;
        }
        give_up(f, oldest);
    }
    GList *link = g_queue_pop_head_link(&f->lost);
    if (!link)
        return false;
    frag_datagram *d = link->data;
    *out = d->sum;
    g_free(d);
    return true;
}

uint64_t ccm_defrag_evicted(const ccm_defrag *f)
{
    return f->evicted;
}
