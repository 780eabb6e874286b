/* SPDX-License-Identifier: GPL-2.0-or-later
 * inflate.c - bounded streaming gzip, zlib and raw deflate decoder.
 * In: bytes in pieces of any size. Out: decoded bytes to a callback, and their count.
 * State: one zlib stream; 4 KiB of output at a time, so a bomb costs time up to the bound, no
 * memory. Spec: RFC 1950, 1951, 1952; RFC 9110 8.4.1. */
#include "base/inflate.h"

#include <glib.h>
#include <zlib.h>

enum { OUT_BYTES = 4096 };

struct ccm_inflate {
    z_stream s;
    uint64_t limit, total;
    ccm_inflate_status status;
    bool begun;      /* the format is known and zlib is initialised */
    bool gzip;       /* members may be concatenated */
    uint8_t kept[2]; /* first bytes, until there are two to tell the format from */
    uint8_t n_kept;
};

ccm_inflate *ccm_inflate_new(uint64_t limit)
{
    ccm_inflate *z = g_new0(ccm_inflate, 1);
    z->limit = limit;
    return z;
}

void ccm_inflate_free(ccm_inflate *z)
{
    if (z && z->begun)
        (void)inflateEnd(&z->s);
    g_free(z);
}

uint64_t ccm_inflate_total(const ccm_inflate *z)
{
    return z->total;
}

/* Window bits for inflateInit2: +16 gzip, plain zlib, negative raw deflate. */
static int format_bits(const uint8_t *b)
{
    if (b[0] == 0x1f && b[1] == 0x8b)
        return MAX_WBITS + 16;
    if ((b[0] & 0x0f) == Z_DEFLATED && (b[0] >> 4) <= 7 && (b[0] << 8 | b[1]) % 31 == 0)
        return MAX_WBITS;
    return -MAX_WBITS;
}

static void begin(ccm_inflate *z)
{
    int bits = format_bits(z->kept);
    z->gzip = bits > MAX_WBITS;
    if (inflateInit2(&z->s, bits) == Z_OK)
        z->begun = true;
    else
        z->status = CCM_INFLATE_BAD;
}

/* One zlib stream ended with input left: another gzip member, or trailing bytes to ignore. */
static bool next_member(ccm_inflate *z)
{
    return z->gzip && z->s.avail_in && z->s.next_in[0] == 0x1f && inflateReset(&z->s) == Z_OK;
}

static void run(ccm_inflate *z, ccm_span in, ccm_inflate_fn fn, void *user_data)
{
    uint8_t out[OUT_BYTES];
    /* zlib does not write to its input; the cast drops const for its old interface. */
    z->s.next_in = (Bytef *)(uintptr_t)in.p;
    z->s.avail_in = (uInt)in.n;
    while (z->status == CCM_INFLATE_MORE) {
        uint64_t room = z->limit - z->total;
        if (!room) {
            z->status = CCM_INFLATE_LIMIT;
            break;
        }
        z->s.next_out = out;
        z->s.avail_out = room < OUT_BYTES ? (uInt)room : OUT_BYTES;
        uInt given = z->s.avail_out;
        int rc = inflate(&z->s, Z_NO_FLUSH);
        size_t made = given - z->s.avail_out;
        z->total += made;
        if (made && fn)
            fn(user_data, ccm_span_of(out, made));
        if (rc == Z_STREAM_END) {
            if (!next_member(z))
                z->status = CCM_INFLATE_END;
        } else if (rc == Z_BUF_ERROR || (rc == Z_OK && !z->s.avail_in && z->s.avail_out)) {
            break; /* input used up */
        } else if (rc != Z_OK) {
            z->status = CCM_INFLATE_BAD;
        }
    }
}

ccm_inflate_status ccm_inflate_feed(ccm_inflate *z, ccm_span in, ccm_inflate_fn fn, void *user_data)
{
    if (z->status == CCM_INFLATE_END && in.n && z->gzip && in.p[0] == 0x1f &&
        inflateReset(&z->s) == Z_OK)
        z->status = CCM_INFLATE_MORE;
    while (!z->begun && z->status == CCM_INFLATE_MORE && in.n) {
        z->kept[z->n_kept++] = *in.p;
        in.p++;
        in.n--;
        if (z->n_kept == sizeof z->kept) {
            begin(z);
            if (z->begun)
                run(z, ccm_span_of(z->kept, sizeof z->kept), fn, user_data);
        }
    }
    while (in.n && z->begun && z->status == CCM_INFLATE_MORE) {
        size_t n = in.n < (1U << 30) ? in.n : 1U << 30;
        run(z, ccm_span_of(in.p, n), fn, user_data);
        in.p += n;
        in.n -= n;
    }
    return z->status;
}
