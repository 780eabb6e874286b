/* SPDX-License-Identifier: GPL-2.0-or-later
 * reader.h - inside of the capture file reader, shared by reader.c, pcapng.c and lines.c. */
#ifndef CCM_INPUT_READER_H
#define CCM_INPUT_READER_H

#include "input/input.h"
#include "input/decompress.h"

/* Larger packets and blocks are damage: libpcap's bounds. */
enum { CCM_PACKET_MAX = 262144, CCM_BLOCK_MAX = 16 << 20, CCM_INTERFACES_MAX = 65536 };

/* A pcapng interface. Time in ns = ts * mul / div + offset, or (ts * mul) >> shift + offset. */
typedef struct ccm_interface {
    uint32_t link_type, snaplen;
    uint32_t mul;
    uint8_t shift;
    uint64_t div;
    int64_t offset_s;
    uint64_t dropped, lost; /* packets told as dropped; sum of what packets say of those before */
} ccm_interface;

struct ccm_reader {
    ccm_buffer in;
    ccm_reader_events events;
    /* Packets of what the buffer holds, without reading on. When it returns 0, `need` bytes behind
     * in.pos are wanted, or `why` tells the damage. */
    unsigned (*walk)(ccm_reader *r, ccm_raw *out);
    size_t need;
    const char *why; /* static text */
    bool done;
    bool big; /* byte order of the file, or of the pcapng section */
    /* pcap */
    bool header_read, old;
    uint32_t link_type, max_captured, frac_ns;
    /* pcapng */
    GArray *interfaces; /* of ccm_interface; of the current section */
    uint64_t last_ns;
};

/* Reads through an open descriptor (closed at the end); for tests and fuzzers. */
bool ccm_input_open_fd(int fd, const char *name, const ccm_reader_events *events,
                       ccm_reader **reader, ccm_lines **lines, GError **error);

/* ccm_input_open of a file that nobody named. *foreign: not readable, and nothing says that it
 * should be: neither its content nor its name is that of a capture. */
bool ccm_input_open_entry(const char *path, ccm_reader **reader, ccm_lines **lines, bool *foreign,
                          GError **error);
/* Sets an error that tells what a file is which is no input, and what to do. */
void ccm_input_unknown(const char *name, ccm_span head, bool *foreign, GError **error);
/* Whoever named it took it for a capture: x.pcap, X.CAP.GZ, x.pcap12 as tcpdump -C names them. */
bool ccm_named_capture(const char *name);
/* May `head` begin a Windows event trace? If so, 80 bytes tell. */
bool ccm_maybe_trace(ccm_span head);

/* True when the block type of a pcapng section begins `s`. */
bool ccm_pcapng_is(ccm_span s);
unsigned ccm_pcapng_walk(ccm_reader *r, ccm_raw *out);
/* Exact to the nanosecond (rounded down); times outside 1970 to 2262 end at the border. */
uint64_t ccm_interface_time(const ccm_interface *i, uint64_t ts);
/* Sets the resolution from the value of if_tsresol. */
void ccm_interface_resolution(ccm_interface *i, uint8_t tsresol);

/* Takes the buffer over. */
ccm_lines *ccm_lines_take(ccm_buffer *in);

static inline uint32_t ccm_cur_u32(ccm_cursor *c, bool big)
{
    return big ? ccm_cur_be32(c) : ccm_cur_le32(c);
}

static inline uint16_t ccm_cur_u16(ccm_cursor *c, bool big)
{
    return big ? ccm_cur_be16(c) : ccm_cur_le16(c);
}

#endif
