/* SPDX-License-Identifier: GPL-2.0-or-later
 * gendoc.c - prints docs/observations.md. In: vocab.def, through the tables. Out: Markdown on
 * stdout. State: none. Run at build time; a test holds that the committed page is not stale. */
#include "observe/obs.h"

#include <stdio.h>

static const char *const intro[] = {
    "<!-- Generated from dissector/observe/vocab.def by observe/gendoc.c; do not edit. -->",
    "# Observations",
    "",
    "An observation is a fact at a frame of a capture: a request head, the bytes of one direction",
    "between two silences, the end of a connection. It never concludes; hosts, roles and routes "
    "are",
    "concluded from observations alone, by the model. `ccmscope ... --observations FILE` writes "
    "them",
    "and such a file (plain, gzip or zstd) may stand wherever a capture file may: the report comes",
    "out the same.",
    "",
    "## File format",
    "",
    "UTF-8 text, JSON Lines: one JSON object a line, each line ended by a line feed and shorter "
    "than",
    "1 MiB. The first line is",
    "",
    NULL,
};

static const char *const common[] = {
    "",
    "and nothing else. Each further line is one observation, in the order in which the facts "
    "became",
    "known. **The last line is the `capture` observation**: a file without it was cut off, and is",
    "used as far as it goes.",
    "",
    "Reading is strict: an unknown kind or attribute, an attribute that its kind does not have, or "
    "a",
    "value of a wrong type is an error. A new kind or attribute therefore raises the number in the",
    "header line.",
    "",
    "Every observation has the fields of this table, then the attributes of its kind, those that "
    "are",
    "known.",
    "",
    "| field | type | meaning |",
    "| --- | --- | --- |",
    "| `k` | text | kind, see below |",
    "| `t` | number | time, nanoseconds since 1970, UTC |",
    "| `frame` | number | frame number from 1, counted on across files; left out where there is "
    "none |",
    "| `flow` | number | flow number from 1, unique in the capture; left out where there is none |",
    "| `l4` | number | IP protocol number (6 TCP, 17 UDP); left out where the packet is not IP |",
    "| `src` | text | who sent what is described, `10.0.0.5:51022` or `[2001:db8::5]:51022`; left "
    "out "
    "where unknown |",
    "| `dst` | text | who it was sent to |",
    "",
    "Types of values:",
    "",
    "- *number*: an integer from 0 to 2^63-1; a larger counter is written as 2^63-1.",
    "- *text*: a JSON string of at most 8192 bytes of the packet. Control bytes (C0, C1, DEL), "
    "marks",
    "  that turn the direction of text, and bytes that are not valid UTF-8 stand as `\\xNN`, four",
    "  characters, so that a value is safe on a terminal. An empty text is left out.",
    "- *flag*: `true`, or left out.",
    "",
    "Tokens, signatures, passwords and NTLM messages never stand in an observation; only their "
    "kind,",
    "presence and length do.",
    "",
    "## Kinds",
    NULL,
};

static void print_lines(const char *const *lines)
{
    for (; *lines; lines++)
        puts(*lines);
}

static const char *type_name(ccm_key key)
{
    switch (ccm_key_type(key)) {
    case CCM_TYPE_U64:
        return "number";
    case CCM_TYPE_STR:
        return "text";
    case CCM_TYPE_BOOL:
        break;
    }
    return "flag";
}

int main(void)
{
    print_lines(intro);
    printf("    %s\n", ccm_obs_file_header());
    print_lines(common);
    for (unsigned kind = 0; kind < CCM_OBS_KINDS; kind++) {
        printf("\n### `%s`\n\n%s.\n\n", ccm_kind_name((ccm_obs_kind)kind),
               ccm_kind_doc((ccm_obs_kind)kind));
        printf("| attribute | type | meaning |\n| --- | --- | --- |\n");
        for (unsigned key = 0; key < CCM_KEYS; key++)
            if (ccm_kind_has((ccm_obs_kind)kind, (ccm_key)key))
                printf("| `%s` | %s | %s |\n", ccm_key_name((ccm_key)key), type_name((ccm_key)key),
                       ccm_key_doc((ccm_key)key));
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
