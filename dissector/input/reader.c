/* SPDX-License-Identifier: GPL-2.0-or-later
 * reader.c - capture files by content; packets of classic pcap, parsed in place.
 * In: untrusted bytes of a file. Out: batches of packets that point into the buffer.
 * State: the buffer. Spec: draft-ietf-opsawg-pcap, pcap-savefile(5). */
#include "input/reader.h"

enum { PCAP_HEADER = 24, PCAP_RECORD = 16, SNIFF = 80 };

/* The walk over records, compiled once for each byte order. */
static inline unsigned walk_records(ccm_reader *r, ccm_raw *out, bool big)
{
    const uint8_t *p = r->in.p;
    size_t pos = r->in.pos, end = r->in.end;
    unsigned n = 0;

    r->need = PCAP_RECORD;
    while (n < CCM_BATCH && end - pos >= PCAP_RECORD) {
        ccm_cursor c = ccm_cur(ccm_span_of(p + pos, PCAP_RECORD));
        uint32_t seconds = ccm_cur_u32(&c, big);
        uint32_t fraction = ccm_cur_u32(&c, big);
        uint32_t captured = ccm_cur_u32(&c, big);
        uint32_t length = ccm_cur_u32(&c, big);
        if (G_UNLIKELY(captured > length)) {
            /* Versions before 2.4 wrote the two the other way round. */
            uint32_t other = length;
            length = captured;
            captured = r->old ? other : captured;
        }
        if (G_UNLIKELY(captured > r->max_captured)) {
            r->why = "a packet length out of bounds";
            break;
        }
        if (end - pos - PCAP_RECORD < captured) {
            r->need = PCAP_RECORD + (size_t)captured;
            break;
        }
        out[n++] = (ccm_raw){
            .data = p + pos + PCAP_RECORD,
            .captured = captured,
            .length = length,
            .link_type = r->link_type,
            .time_ns = seconds * UINT64_C(1000000000) + (uint64_t)fraction * r->frac_ns,
        };
        pos += PCAP_RECORD + (size_t)captured;
    }
    r->in.pos = pos;
    return n;
}

static unsigned walk_little(ccm_reader *r, ccm_raw *out)
{
    return walk_records(r, out, false);
}

static unsigned walk_big(ccm_reader *r, ccm_raw *out)
{
    return walk_records(r, out, true);
}

/* The file ended inside its header. */
static unsigned walk_short(ccm_reader *r, ccm_raw *out)
{
    (void)out;
    r->need = PCAP_HEADER;
    return 0;
}

static bool fail_input(const ccm_reader *r, GError **error, const char *what)
{
    g_set_error(error, CCM_ERROR, CCM_ERROR_INPUT, "%s %s", ccm_source_name(r->in.source), what);
    return false;
}

/* Knows the magic; the header may be cut. */
static bool open_pcap(ccm_reader *r, ccm_span head, GError **error)
{
    ccm_cursor c = ccm_cur(head);
    ccm_cur_skip(&c, 4);
    uint16_t major = ccm_cur_u16(&c, r->big);
    uint16_t minor = ccm_cur_u16(&c, r->big);
    ccm_cur_skip(&c, 8); /* time zone and accuracy, always 0 */
    uint32_t snaplen = ccm_cur_u32(&c, r->big);
    uint32_t link = ccm_cur_u32(&c, r->big);
    if (c.bad) {
        r->walk = walk_short;
        return true;
    }
    if (major != 2 || minor > 4)
        return fail_input(r, error, "is a pcap file of an unknown version");
    r->old = minor < 4;
    r->link_type = link & 0xffff; /* above are the length of the FCS and reserved bits */
    r->max_captured = snaplen > CCM_PACKET_MAX ? snaplen : CCM_PACKET_MAX;
    if (r->max_captured > CCM_BLOCK_MAX)
        r->max_captured = CCM_BLOCK_MAX;
    r->in.pos += PCAP_HEADER;
    r->walk = r->big ? walk_big : walk_little;
    return true;
}

/* Sets *known when the magic is one of pcap's. */
static bool try_pcap(ccm_reader *r, ccm_span head, bool *known, GError **error)
{
    ccm_cursor c = ccm_cur(head);
    uint32_t magic = ccm_cur_be32(&c);
    *known = true;
    switch (magic) {
    case 0xa1b2c3d4:
    case 0xd4c3b2a1:
        r->frac_ns = 1000;
        break;
    case 0xa1b23c4d:
    case 0x4d3cb2a1:
        r->frac_ns = 1;
        break;
    case 0xa1b2cd34:
    case 0x34cdb2a1:
        return fail_input(r, error,
                          "is a \"modified\" pcap file (magic a1b2cd34); convert it with: "
                          "editcap -F pcapng OLD NEW");
    default:
        *known = false;
        return true;
    }
    r->big = magic >> 16 == 0xa1b2;
    return open_pcap(r, head, error);
}

static bool begins(ccm_span s, const char *text)
{
    size_t n = strlen(text);
    return s.n >= n && memcmp(s.p, text, n) == 0;
}

/* Reads until `want` bytes are there or the file ends. An error is left for the first walk when
 * some bytes came before it: they may hold packets. */
static bool sniff(ccm_reader *r, size_t want, GError **error)
{
    GError *first = NULL;
    while (r->in.end - r->in.pos < want && ccm_buffer_fill(&r->in, want, &first))
        ;
    if (first && r->in.end == r->in.pos) {
        g_propagate_error(error, first);
        return false;
    }
    g_clear_error(&first); /* the source tells it again */
    return true;
}

/* Too few bytes came to tell what they are, for that reason. */
static bool ended_in_damage(ccm_reader *r)
{
    g_autoptr(GError) damage = NULL;
    return r->in.end < PCAP_HEADER && !ccm_buffer_fill(&r->in, PCAP_HEADER, &damage) && damage;
}

/* The first bytes, no more than there are. */
static ccm_span head_of(const ccm_reader *r)
{
    return ccm_span_of(r->in.p, ccm_min64(r->in.end, SNIFF));
}

static bool recognise(ccm_reader *r, bool *is_observations, bool *foreign, GError **error)
{
    if (!sniff(r, PCAP_HEADER, error))
        return false;
    if (r->in.end && (r->in.p[0] == '{' || ccm_maybe_trace(head_of(r))) && !sniff(r, SNIFF, error))
        return false;
    ccm_span head = head_of(r);
    bool known;
    if (begins(head, ccm_obs_file_header())) {
        *is_observations = true;
        return true;
    }
    if (ccm_pcapng_is(head)) {
        r->interfaces = g_array_new(FALSE, TRUE, sizeof(ccm_interface));
        r->walk = ccm_pcapng_walk;
        return true;
    }
    if (!try_pcap(r, head, &known, error))
        return false;
    if (!known && ended_in_damage(r))
        g_set_error(
            error, CCM_ERROR, CCM_ERROR_CORRUPT,
            "%s: the compressed data ended early or are damaged; nothing of it could be used",
            ccm_source_name(r->in.source));
    else if (!known)
        ccm_input_unknown(ccm_source_name(r->in.source), head, foreign, error);
    return known;
}

static bool open_source(ccm_source *source, const ccm_reader_events *events, ccm_reader **reader,
                        ccm_lines **lines, bool *foreign, GError **error)
{
    *reader = NULL;
    *lines = NULL;
    *foreign = false;
    if (!source)
        return false;
    bool is_observations = false;
    ccm_reader *r = g_new0(ccm_reader, 1);
    ccm_buffer_init(&r->in, source);
    if (events)
        r->events = *events;
    if (!recognise(r, &is_observations, foreign, error)) {
        ccm_reader_free(r);
        return false;
    }
    if (is_observations) {
        *lines = ccm_lines_take(&r->in);
        ccm_reader_free(r);
    } else {
        *reader = r;
    }
    return true;
}

bool ccm_input_open(const char *path, const ccm_reader_events *events, ccm_reader **reader,
                    ccm_lines **lines, GError **error)
{
    const volatile int *stop = events ? events->stop : NULL;
    bool foreign;
    return open_source(ccm_source_open(path, stop, error), events, reader, lines, &foreign, error);
}

bool ccm_input_open_entry(const char *path, ccm_reader **reader, ccm_lines **lines, bool *foreign,
                          GError **error)
{
    return open_source(ccm_source_open(path, NULL, error), NULL, reader, lines, foreign, error);
}

bool ccm_input_open_fd(int fd, const char *name, const ccm_reader_events *events,
                       ccm_reader **reader, ccm_lines **lines, GError **error)
{
    const volatile int *stop = events ? events->stop : NULL;
    bool foreign;
    return open_source(ccm_source_open_fd(fd, name, stop, error), events, reader, lines, &foreign,
                       error);
}

ccm_reader *ccm_reader_open(const char *path, const ccm_reader_events *events,
                            bool *is_observations, GError **error)
{
    ccm_reader *reader;
    ccm_lines *lines;
    *is_observations = false;
    if (!ccm_input_open(path, events, &reader, &lines, error))
        return NULL;
    *is_observations = lines != NULL;
    ccm_lines_free(lines);
    return reader;
}

static void fail_corrupt(ccm_reader *r, GError **error)
{
    g_set_error(error, CCM_ERROR, CCM_ERROR_CORRUPT,
                "%s: %s at byte %" G_GUINT64_FORMAT "%s; what came before was used",
                ccm_source_name(r->in.source), r->why ? r->why : "ended inside a packet",
                r->in.base + r->in.pos,
                ccm_source_compressed(r->in.source) ? " of the decompressed data" : "");
}

unsigned ccm_reader_next(ccm_reader *r, ccm_raw out[CCM_BATCH], GError **error)
{
    while (!r->done) {
        GError *damage = NULL;
        unsigned n = r->walk(r, out);
        if (n)
            return n;
        if (r->why) {
            r->done = true;
            fail_corrupt(r, error);
        } else if (!ccm_buffer_fill(&r->in, r->need, &damage)) {
            r->done = true;
            if (damage)
                g_propagate_error(error, damage);
            else if (r->in.pos < r->in.end)
                fail_corrupt(r, error);
        }
    }
    return 0;
}

void ccm_reader_position(const ccm_reader *r, uint64_t *read, uint64_t *size)
{
    ccm_source_position(r->in.source, read, size);
}

void ccm_reader_free(ccm_reader *r)
{
    if (!r)
        return;
    ccm_buffer_clear(&r->in);
    if (r->interfaces)
        g_array_unref(r->interfaces);
    g_free(r);
}
