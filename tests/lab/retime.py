#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Move the pieces of a run of throttle.sh to hours of days, since nobody waits for those.

in:  CAPTURE WRITER.json (of the modes window and change); both are written anew
What is within a piece stays as it was; a piece begins in the middle of the silence before it. Days are
those from Monday, 2026-03-02, UTC on. window: each closing goes to 08:00:00 of a day of its own, the
opening after it to 10:00:05 (so that the new connection comes after 10:00). change: the limit begins at
06:00:00, within the first file, and ends at 18:00:00, within the second.
"""
import bisect
import json
import sys

import pcapfile

MONDAY, DAY, HOUR = 1772409600, 86400, 3600


def pieces_of(writer):
    """[(time from which, seconds to add)], in order."""
    edges = writer["edges"]
    if writer["mode"] == "change":
        limited, free = (e["time"] for e in edges)
        second = min(b["time"] for b in writer["blocks"] if b["file"] == 2) - 2
        return [(0, MONDAY + 6 * HOUR - limited), (second, MONDAY + 18 * HOUR - free)]
    found = []
    for day, at in enumerate(range(0, len(edges), 2)):
        closed, opened = edges[at]["time"], edges[at + 1]["time"]
        # two seconds after the connection before it
        began = min(b["time"] for b in writer["blocks"] if b["job"] == 21 + day) - 1
        found.append((began if at else 0, MONDAY + day * DAY + 8 * HOUR - closed))
        found.append((closed + 2, MONDAY + day * DAY + 10 * HOUR + 5 - opened))
    return found


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        writer = json.load(file)
    pieces = pieces_of(writer)
    begins = [begin for begin, _ in pieces]

    def shift(when):
        return pieces[bisect.bisect_right(begins, when) - 1][1]

    packets = pcapfile.read(sys.argv[1])
    moved = [pcapfile.shift(p, round(shift(p.sec + p.usec / 1e6) * 1e6)) for p in packets]
    if any((a.sec, a.usec) > (b.sec, b.usec) for a, b in zip(moved, moved[1:])):
        raise SystemExit("pieces overlap")
    pcapfile.write(sys.argv[1], moved)
    for item in writer["blocks"] + writer["edges"]:
        item["time"] += shift(item["time"])
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(writer, file)


if __name__ == "__main__":
    main()
