/* SPDX-License-Identifier: GPL-2.0-or-later
 * unknown.c - what a file that cannot be read is, and what to do about it.
 * In: the name and the first bytes of a file. Out: an error that tells. State: none.
 * Sources: magic numbers of the formats; of event traces WMI_BUFFER_HEADER (0x48 bytes), behind it
 * the header of the first event, which is always that of the log file: marker (version 1 or 2,
 * type 1 or 2 for 32 or 64 bits, flags 0xc0), size, hook id 0. */
#include "input/reader.h"

enum { BUFFER_HEADER = 0x48, KIBI = 1024 };

static const struct {
    const char *magic;
    uint8_t n;
    bool capture; /* it is one, whatever its name */
    const char *text;
} formats[] = {
    { "\xfd"
      "7zXZ",
      6, false, "is compressed with xz; decompress it first (xz -dk)" },
    { "BZh", 3, false, "is compressed with bzip2; decompress it first (bzip2 -dk)" },
    { "\x04\x22\x4d\x18", 4, false, "is compressed with lz4; decompress it first (lz4 -d)" },
    { "PK\x03\x04", 4, false, "is a zip archive; unpack it first (unzip)" },
    { "7z\xbc\xaf\x27\x1c", 6, false, "is a 7z archive; unpack it first (7z x)" },
    { "GMBU", 4, true,
      "is a capture of Network Monitor; convert it with: editcap -F pcapng OLD NEW" },
    { "RTSS", 4, true,
      "is a capture of Network Monitor; convert it with: editcap -F pcapng OLD NEW" },
    { "snoop\0\0\0", 8, true, "is a snoop capture; convert it with: editcap -F pcapng OLD NEW" },
};

static bool begins(ccm_span s, const char *magic, size_t n)
{
    return s.n >= n && memcmp(s.p, magic, n) == 0;
}

/* Removes one of `endings` (up to NULL); false when there is none. */
static bool cut_ending(char *text, const char *const *endings)
{
    for (; *endings; endings++)
        if (g_str_has_suffix(text, *endings)) {
            text[strlen(text) - strlen(*endings)] = '\0';
            return true;
        }
    return false;
}

bool ccm_named_capture(const char *name)
{
    static const char *const packed[] = {
        ".gz", ".zst", ".xz", ".bz2", ".lz4", ".zip", ".7z", NULL
    };
    static const char *const captures[] = { ".pcap", ".pcapng", ".cap", ".etl", NULL };
    g_autofree char *lower = g_ascii_strdown(name, -1);
    while (cut_ending(lower, packed))
        ;
    for (size_t n = strlen(lower); n && g_ascii_isdigit(lower[n - 1]); n--)
        lower[n - 1] = '\0';
    return cut_ending(lower, captures);
}

/* Buffers have whole kibibytes, up to 16 MiB. */
bool ccm_maybe_trace(ccm_span head)
{
    ccm_cursor c = ccm_cur(head);
    uint32_t size = ccm_cur_le32(&c);
    return !c.bad && size && size % KIBI == 0 && size <= 16 * KIBI * KIBI;
}

static bool is_trace(ccm_span head)
{
    ccm_cursor c = ccm_cur(head);
    ccm_cur_skip(&c, BUFFER_HEADER);
    uint16_t version = ccm_cur_le16(&c);
    uint16_t type_and_flags = ccm_cur_le16(&c);
    uint16_t size = ccm_cur_le16(&c), hook = ccm_cur_le16(&c);
    return !c.bad && ccm_maybe_trace(head) && (version == 1 || version == 2) &&
           (type_and_flags == 0xc001 || type_and_flags == 0xc002) && size && hook == 0;
}

static bool ends_in_etl(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && g_ascii_strcasecmp(name + n - 4, ".etl") == 0;
}

static void trace(const char *name, GError **error)
{
    const char *file = strcmp(name, "stdin") == 0 ? "TRACE.etl" : name;
    const char *q = strchr(file, ' ') ? "\"" : "";
    int stem = (int)strlen(file) - (ends_in_etl(file) ? 4 : 0);
    g_autofree char *out = g_strdup_printf("%s%.*s.pcapng%s", q, stem, file, q);
    g_set_error(error, CCM_ERROR, CCM_ERROR_INPUT,
                "%s is a Windows event trace, not a capture; convert it on Windows:\n"
                "  pktmon etl2pcap %s%s%s --out %s   (made by pktmon), or\n"
                "  etl2pcapng.exe %s%s%s %s   (made by netsh trace)",
                name, q, file, q, out, q, file, q, out);
}

void ccm_input_unknown(const char *name, ccm_span head, bool *foreign, GError **error)
{
    const char *text = "is not a capture file (pcap, pcapng; gzip and zstd are fine)";
    *foreign = !ccm_named_capture(name);
    if (is_trace(head) || (head.n && ends_in_etl(name))) {
        *foreign = false;
        trace(name, error);
        return;
    }
    if (head.n == 0) {
        text = "is empty: nothing was written to it; capture again, or name another file";
    } else if (ccm_looks_compressed(head)) {
        text = "is compressed twice; decompress it once (gzip -d or zstd -d)";
        *foreign = false;
    } else if (begins(head, "{\"schema\":\"ccmscope.observations/", 33)) {
        text = "is an observation file of another version of ccmscope; write it again from the "
               "capture";
        *foreign = true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        if (begins(head, formats[i].magic, formats[i].n)) {
            text = formats[i].text;
            *foreign &= !formats[i].capture;
        }
    g_set_error(error, CCM_ERROR, CCM_ERROR_INPUT, "%s %s", name, text);
}
