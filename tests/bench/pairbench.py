#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare the CPU time of two commands, alternated pair by pair.

in:    [-n PAIRS] [-m LIMIT] [--warm FILE] [-l LABEL] 'COMMAND A' 'COMMAND B'
out:   one line: median of the pairwise ratios A/B of user+sys, CPU of each, peak memory of A
exit:  1 when the median is above LIMIT or a command failed
The file is dropped from the page cache and read once, since a file just written costs twice as
much to read; the first pair is thrown away. Both commands run on one CPU, so that neither pays for
the caches of another.
"""
import argparse
import os
import shlex
import statistics
import subprocess
import sys


def run(command):
    with subprocess.Popen(
        shlex.split(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit("pairbench: exit %d of: %s" % (child.returncode, command))
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def warm(path):
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while file.read(1 << 20):
            pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=7)
    parser.add_argument("-m", type=float, default=0)
    parser.add_argument("-l", default="")
    parser.add_argument("--warm")
    parser.add_argument("a")
    parser.add_argument("b")
    options = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # the commands inherit it
    if options.warm:
        warm(options.warm)
    pairs = [(run(options.a), run(options.b)) for _ in range(options.n + 1)][1:]
    ratios = [a[0] / max(b[0], 0.001) for a, b in pairs]
    ratio = statistics.median(ratios)
    print(
        "%-20s ratio %5.2f  (%.2f to %.2f, %d pairs, limit %s)  cpu %.3f s / %.3f s  peak %.1f MiB"
        % (
            options.l,
            ratio,
            min(ratios),
            max(ratios),
            options.n,
            options.m or "none",
            statistics.median(a[0] for a, _ in pairs),
            statistics.median(b[0] for _, b in pairs),
            max(a[1] for a, _ in pairs) / 1024,
        ),
        flush=True,
    )
    sys.exit(bool(options.m) and ratio > options.m)


if __name__ == "__main__":
    main()
