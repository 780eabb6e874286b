/* SPDX-License-Identifier: GPL-2.0-or-later
 * http_driver.h - plays the caller of a stream parser: carry, skip, gap, end, close. Bytes are
 * shown on a buffer that ends at an inaccessible page. Observations become lines of text, without
 * frames. */
#ifndef CCM_TEST_HTTP_DRIVER_H
#define CCM_TEST_HTTP_DRIVER_H

#include <glib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "proto/proto.h"
#include "text.h"

typedef struct drive_dir {
    GByteArray *carry;
    uint64_t pos; /* stream offset behind all that was shown, skipped or lost */
    uint64_t skip, passed, missing;
    bool ended;
} drive_dir;

typedef struct drive {
    const ccm_proto *proto;
    ccm_parse ps;
    ccm_limits limits;
    drive_dir dir[2];
    bool bad, no_times;
    uint8_t heard; /* sides that were driven */
    GString *out;
    uint8_t *page;
    size_t room;
    uint64_t skipped_bytes, shown_bytes;
    bool acks; /* what is shown acknowledges `acked`, not what was shown before */
    uint64_t acked;
} drive;

static inline void drive_emit(void *user_data, const ccm_obs *o)
{
    drive *d = user_data;
    g_string_append(d->out, ccm_kind_name(o->kind) +
                                (g_str_has_prefix(ccm_kind_name(o->kind), "http_") ? 5 : 0));
    g_string_append(d->out, o->src.port == 1000 ? " C" : " S");
    if (!d->no_times) {
        g_string_append(d->out, " @");
        text_u64(d->out, o->time_ns);
    }
    for (int i = 0; i < o->n; i++) {
        ccm_key key = ccm_obs_key(o, (unsigned)i);
        g_assert_true(ccm_kind_has(o->kind, key));
        if (d->no_times &&
            (key == CCM_KEY_ttfb_ns || key == CCM_KEY_duration_ns || key == CCM_KEY_handshake_ns))
            continue;
        text_key(d->out, ccm_key_name(key));
        if (ccm_key_type(key) == CCM_TYPE_STR)
            ccm_text_append(d->out, o->val[i].s);
        else
            text_u64(d->out, o->val[i].u);
    }
    g_string_append_c(d->out, '\n');
}

static inline void drive_open_proto(drive *d, const ccm_proto *proto, bool midstream)
{
    memset(d, 0, sizeof *d);
    d->proto = proto;
    ccm_limits_init(&d->limits);
    d->out = g_string_new(NULL);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    d->room = 64 * page;
    d->page =
        mmap(NULL, d->room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert_true(d->page != MAP_FAILED);
    g_assert_cmpint(mprotect(d->page + d->room, page, PROT_NONE), ==, 0);
    d->ps = (ccm_parse){ .limits = &d->limits,
                         .emit = drive_emit,
                         .emit_data = d,
                         .flow = 1,
                         .l4 = 6,
                         .midstream = midstream,
                         .client = -1 };
    d->ps.end[0].port = 1000;
    d->ps.end[1].port = 80;
    for (int i = 0; i < 2; i++)
        d->dir[i].carry = g_byte_array_new();
    d->ps.state = d->proto->open(&d->ps);
}

static inline void drive_open(drive *d, bool midstream)
{
    drive_open_proto(d, &ccm_proto_http, midstream);
}

static inline void drive_at(drive *d, unsigned dir, uint64_t time_ns)
{
    d->ps.dir = (uint8_t)dir;
    d->ps.time_ns = time_ns;
    d->ps.frame++;
    d->heard |= (uint8_t)(1u << dir);
    d->ps.one_sided = d->heard != 3;
    d->ps.peer_acked = d->acks ? d->acked : d->dir[!dir].pos;
}

/* What has passed of a skip is told before anything else happens. */
static inline void drive_settle(drive *d, drive_dir *x)
{
    if (x->passed)
        d->proto->skipped(&d->ps, x->passed, x->missing);
    x->passed = x->missing = 0;
}

static inline size_t drive_skip(drive *d, drive_dir *x, uint64_t n, bool missing)
{
    uint64_t take = ccm_min64(n, x->skip);
    x->passed += take;
    x->missing += missing ? take : 0;
    x->pos += take;
    if (x->skip != UINT64_MAX)
        x->skip -= take;
    if (!x->skip)
        drive_settle(d, x);
    d->skipped_bytes += take;
    return (size_t)take;
}

static inline ccm_span drive_show(drive *d, const uint8_t *p, size_t n)
{
    g_assert_cmpuint(n, <=, d->room);
    if (n)
        memcpy(d->page + d->room - n, p, n);
    return ccm_span_of(d->page + d->room - n, n);
}

static inline void drive_bytes(drive *d, unsigned dir, uint64_t time_ns, const void *p, size_t n)
{
    drive_dir *x = &d->dir[dir];
    const uint8_t *data = p;
    bool start = true;
    drive_at(d, dir, time_ns);
    while (n && !d->bad) {
        if (x->skip) {
            size_t took = drive_skip(d, x, n, false);
            data += took;
            n -= took;
            start = false;
            continue;
        }
        d->ps.pos = x->pos - x->carry->len;
        d->ps.boundary = start && !x->carry->len ? 0 : SIZE_MAX;
        x->pos += n;
        g_byte_array_append(x->carry, data, (guint)n);
        d->shown_bytes += n;
        ccm_feed f = d->proto->feed(&d->ps, drive_show(d, x->carry->data, x->carry->len));
        d->bad = f.result == CCM_FEED_BAD;
        g_assert_cmpuint(f.used, <=, x->carry->len);
        g_byte_array_remove_range(x->carry, 0, (guint)f.used);
        g_assert_cmpuint(x->carry->len, <=, d->limits.head_bytes + n);
        n = 0;
        if (f.skip) { /* what is unused lies inside the skip */
            x->skip = f.skip;
            guint rest = x->carry->len;
            g_assert_cmpuint(rest, ==, 0);
        }
    }
}

static inline void drive_text(drive *d, unsigned dir, uint64_t time_ns, const char *text)
{
    drive_bytes(d, dir, time_ns, text, strlen(text));
}

static inline void drive_lose(drive *d, unsigned dir, uint64_t time_ns, uint64_t n)
{
    drive_dir *x = &d->dir[dir];
    drive_at(d, dir, time_ns);
    if (d->bad)
        return;
    if (x->skip)
        n -= drive_skip(d, x, n, true);
    if (!n)
        return;
    d->ps.pos = x->pos - x->carry->len;
    d->proto->gap(&d->ps, n, drive_show(d, x->carry->data, x->carry->len));
    x->pos += n;
    g_byte_array_set_size(x->carry, 0);
}

static inline void drive_end(drive *d, unsigned dir, uint64_t time_ns)
{
    drive_dir *x = &d->dir[dir];
    drive_at(d, dir, time_ns);
    if (d->bad || x->ended)
        return;
    x->ended = true;
    drive_settle(d, x);
    x->skip = 0;
    d->proto->end(&d->ps, drive_show(d, x->carry->data, x->carry->len));
    g_byte_array_set_size(x->carry, 0);
}

/* Returns the observations; free with g_free. */
static inline char *drive_close(drive *d, uint64_t time_ns)
{
    for (unsigned i = 0; i < 2; i++) {
        drive_dir *x = &d->dir[i];
        drive_at(d, i, time_ns);
        if (!x->ended && !d->bad) {
            drive_settle(d, x);
            if (x->carry->len)
                d->proto->gap(&d->ps, 0, drive_show(d, x->carry->data, x->carry->len));
        }
        g_byte_array_unref(x->carry);
    }
    d->proto->close(&d->ps);
    if (d->bad)
        g_string_append(d->out, "BAD\n");
    (void)munmap(d->page, d->room + (size_t)sysconf(_SC_PAGESIZE));
    return g_string_free(d->out, FALSE);
}

/* Operations of a fuzzer's input: a byte (bits 0-1: 0/1 data of that side, 2 lose, 3 end; bit 2:
 * side of a loss or end), two bytes of length, and for data so many bytes. */
static inline void drive_ops(drive *d, ccm_cursor *c)
{
    uint64_t now = 1;
    while (ccm_cur_left(c) >= 3 && d->out->len < 1 << 20) {
        uint8_t op = ccm_cur_u8(c);
        size_t n = ccm_cur_le16(c);
        unsigned side = op >> 2 & 1;
        now += 1000;
        if ((op & 3) < 2) {
            ccm_span s = ccm_cur_take(c, MIN(n, ccm_cur_left(c)));
            if (s.n && !d->dir[op & 1].ended)
                drive_bytes(d, op & 1, now, s.p, s.n);
        } else if ((op & 3) == 2) {
            if (n && !d->dir[side].ended)
                drive_lose(d, side, now, n);
        } else {
            drive_end(d, side, now);
        }
    }
}

/* One part of a conversation: what side 0 (the client) or 1 sent at a time. dir 2: end of side 0,
 * 3: end of side 1. */
typedef struct drive_part {
    unsigned dir;
    uint64_t time_ns;
    const char *text;
    size_t size; /* 0: strlen(text) */
} drive_part;

static inline size_t drive_part_size(const drive_part *p)
{
    return p->size ? p->size : p->text ? strlen(p->text) : 0;
}

/* Plays `parts` to `proto` in pieces of `piece` bytes (0: whole), without the bytes
 * from..from+lost-1 of side `lost_dir` (counted in its stream). */
static inline char *drive_play_proto(const ccm_proto *proto, const drive_part *parts, size_t n,
                                     size_t piece, unsigned lost_dir, uint64_t from, uint64_t lost,
                                     bool no_times)
{
    drive d;
    drive_open_proto(&d, proto, false);
    d.no_times = no_times;
    uint64_t now = 0, pos[2] = { 0, 0 };
    for (size_t i = 0; i < n; i++) {
        now = parts[i].time_ns;
        if (parts[i].dir >= 2) {
            drive_end(&d, parts[i].dir - 2, now);
            continue;
        }
        unsigned dir = parts[i].dir;
        size_t size = drive_part_size(&parts[i]), at = 0;
        while (at < size) {
            uint64_t here = pos[dir];
            size_t take = piece && piece < size - at ? piece : size - at;
            bool gone = lost && dir == lost_dir && here >= from && here < from + lost;
            if (gone)
                take = (size_t)ccm_min64(take, from + lost - here);
            else if (lost && dir == lost_dir && here < from)
                take = (size_t)ccm_min64(take, from - here);
            if (gone)
                drive_lose(&d, dir, now, take);
            else
                drive_bytes(&d, dir, now, parts[i].text + at, take);
            at += take;
            pos[dir] += take;
        }
    }
    return drive_close(&d, now);
}

static inline char *drive_play(const drive_part *parts, size_t n, size_t piece, unsigned lost_dir,
                               uint64_t from, uint64_t lost, bool no_times)
{
    return drive_play_proto(&ccm_proto_http, parts, n, piece, lost_dir, from, lost, no_times);
}

#endif
