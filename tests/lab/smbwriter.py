#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Feed a FIFO, which smbclient copies to a share, as a sender with a rate limit would.

in:  MODE FIFO LOG; MODE: pulse (128 KiB, then 0.5 s), hourly (64 KiB, then blocks of 256 KiB, each
     followed by 1.5 times what it took, rounded up to 0.5 s), closed (stops in the middle of the
     file, is silent for 2.5 s, sends it again from its beginning), capped and free (no pause)
out: LOG: {"mode", "blocks": [{"file", "time" (s since 1970), "bytes", "pause_s"}]}: a block's time is
     when its first byte was offered; it is on its way at once, since smbclient sends 64 KiB at a time
"""
import json
import math
import sys
import time

KIB = 1024


def counter_bytes(size, start):
    """Counters as text, so that no file data is anybody's."""
    number, parts, length = start, [], 0
    while length < size:
        parts.append(b"%015d\n" % number)
        number += 1
        length += 16
    return b"".join(parts)[:size]


def send(fifo, log, name, sizes, pause_of):
    with open(fifo, "wb", buffering=0) as pipe:
        for i, size in enumerate(sizes):
            begin = time.time()
            data = counter_bytes(size, i << 20)
            while data:
                data = data[pipe.write(data):]
            pause = pause_of(i, time.time() - begin)
            log.append({"file": name, "time": begin, "bytes": size, "pause_s": pause})
            time.sleep(pause)


def main():
    mode, fifo, path = sys.argv[1:]
    log = []
    if mode == "pulse":
        send(fifo, log, 1, [128 * KIB] * 10, lambda i, took: 0.5)
    elif mode == "hourly":
        send(fifo, log, 1, [64 * KIB] + [256 * KIB] * 5,
             lambda i, took: 3 * max(0.5, math.ceil(took / 0.5) * 0.5) / 2)
    elif mode == "closed":
        send(fifo, log, 1, [64 * KIB] * 8, lambda i, took: 0)
        log[-1]["pause_s"] = 2.5
        time.sleep(2.5)
        send(fifo, log, 2, [64 * KIB] * 16, lambda i, took: 0)
    else:
        send(fifo, log, 1, [64 * KIB] * 24, lambda i, took: 0)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"mode": mode, "blocks": log}, file)


if __name__ == "__main__":
    main()
