#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A capture of one SMB connection that is limited, packet by packet; heads only, as a snap length cuts.

usage: pace.py OUT pulse KB SECONDS BLOCKS | hourly PERCENT MBIT BLOCKS | free MBIT MIB

Written apart from pace.h on purpose. Spec: throttling.md 4 (pulse) and 5.3 (hourly: first 64 KiB, then
1 MiB; sending time up to halves of a second, mean of four estimates, whole seconds of silence).
"""
import math
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import pcapfile  # noqa: E402

CLIENT, SERVER, PORT, SMB = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 9]), 50001, 445
MSS = 1460


class Link:
    def __init__(self, mbit):
        self.rate, self.now, self.packets = mbit * 1e6 / 8, 1772445600.25, []
        self.seq = {True: 1000, False: 9000}
        self.put(True, 0, 0x02)
        self.put(False, 0, 0x12)
        self.put(True, 0, 0x10)

    def put(self, up, size, flags=0x18):
        ends = (CLIENT, SERVER, PORT, SMB) if up else (SERVER, CLIENT, SMB, PORT)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + size, len(self.packets) & 0xFFFF, 0x4000, 64, 6, 0, *ends[:2])
        tcp = struct.pack(">HHIIBBHHH", ends[2], ends[3], self.seq[up], self.seq[not up], 0x50, flags, 65000, 0, 0)
        frame = b"\x02" * 12 + b"\x08\x00" + ip + tcp
        self.now += (54 + size) / self.rate
        sec = int(self.now)
        self.packets.append(pcapfile.Packet(sec, int((self.now - sec) * 1e6), 54 + size, frame + bytes(min(size, 6))))
        self.seq[up] += size + (1 if flags & 3 else 0)

    def send(self, size):
        start = self.now
        size += (size + 65535) // 65536 * 116  # a header for each write
        while size:
            self.put(True, min(size, MSS))
            size -= min(size, MSS)
        self.put(False, 84)  # the answer
        return self.now - start


def pulse(link, kb, seconds, blocks):
    for _ in range(blocks):
        link.send(kb * 1024)
        link.now += seconds


def hourly(link, percent, blocks):
    rates = []
    for i in range(blocks):
        size = 65536 if i == 0 else 1 << 20
        busy = max(0.5, math.ceil(link.send(size) / 0.5) * 0.5)
        rates = rates[-3:] + [size / busy]
        link.now += math.floor(size * (100 - percent) / percent / (sum(rates) / len(rates)))


def main(out, kind, *numbers):
    n = [int(x) for x in numbers]
    link = Link({"pulse": 10, "hourly": n[1], "free": n[0]}[kind])
    if kind == "pulse":
        pulse(link, *n)
    elif kind == "hourly":
        hourly(link, n[0], n[2])
    else:
        link.send(n[1] << 20)
    link.put(True, 0, 0x11)
    link.put(False, 0, 0x11)
    pcapfile.write(out, link.packets)


if __name__ == "__main__":
    main(*sys.argv[1:])
