/* SPDX-License-Identifier: GPL-2.0-or-later
 * pacing_notes.c - names of the throttling verdicts, and in words what they do not tell. Const
 * data. */
#include "model/pacing.h"

static const char *const names[] = {
    [CCM_PACING_UNKNOWN] = "unknown",
    [CCM_PACING_NO_LIMIT] = "no-limit-seen",
    [CCM_PACING_PULSE] = "pulse",
    [CCM_PACING_HOURLY] = "hourly",
    [CCM_PACING_CLOSED] = "schedule-closed",
    [CCM_PACING_PRIORITY] = "priority-only",
    [CCM_PACING_CAPPED] = "rate-capped",
    [CCM_PACING_YIELDING] = "yielding",
    [CCM_PACING_BITS_WINDOW] = "bits-window",
    [CCM_PACING_IRREGULAR] = "irregular",
    [CCM_PACING_NOT_THROTTLEABLE] = "not-throttleable",
};

static const char *const notes[CCM_NOTE_COUNT] = {
    "too little data, or too few silences, to tell a limit: capture some minutes of content being "
    "sent",
    "a limit may be set and not show: on a fast link an hourly limit of 50 % or more makes no "
    "silence, and neither does 75 % or more at 10 Mbit/s",
    "every burst ended with its file, so the block is at least this large",
    "sending took a far smaller share of the time than the percentage says: on a fast link each "
    "block counts as half a second of sending",
    "one connection at a time: a limit of 100 %, or one job, looks the same",
    "the silences come with retransmissions and have no common length: a busy link",
    "the rate is flat: the link's own, or a cap somewhere on the way",
    "the delay counts from the start of one block to the start of the next",
    "the hourly mode's block and rounding are not documented; the interval holds what every known "
    "rule would give",
    "files are not visible, so ends of files could not be told from ends of blocks",
    "retransmitted or missing data makes this less sure",
    "no time zone was supplied: hours are UTC, while limits follow the clock of the sending site: "
    "--site can name it",
    "the pace changed during the capture: see the windows",
    "the share was not seen (encrypted, or connected before the capture), so it is not known that "
    "the "
    "server is a distribution point",
    "limits and schedule of a distribution point are stored but ignored when it pulls; only a BITS "
    "policy of the pulling host could limit it",
    "the capture is so long that only hours of the week were kept, not single days",
    "some jobs pass and some do not: the packets cannot tell high from medium priority",
    "seen once only: a stop at the hour may be chance",
    "several connections at once: a limited route has one",
    "bursts have one length in time and not in bytes, as of time slices on a busy link",
    "answers need most of a second on this path: waiting for them looks like a silence of a limit",
    "the client sent requests and hardly any file data: nothing that a limit would hold back",
    "several connections at once share the blocks, while a limited route has one: the block may be "
    "that many times as large",
    "an hourly limit with blocks of 256 KiB or less would look the same; those that are known of "
    "that "
    "mode are larger",
};

const char *ccm_pacing_name(ccm_pacing_verdict verdict)
{
    return names[verdict];
}

const char *ccm_pacing_note(unsigned bit)
{
    return notes[bit];
}
