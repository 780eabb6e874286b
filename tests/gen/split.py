#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes what several adapters would have captured of a pcap file of Ethernet, IPv4 and TCP.

wires IN A B      the two lines of a tap: each direction of a connection in a file of its own
lag IN A B...     a link aggregation: packets by turns
adapters IN A B   each connection whole in one file, by turns
skew IN A B MS    as wires, but the clock of the first, the line of the lower addresses, is MS early
shift IN (OUT SECONDS FIRST LAST)...  packets FIRST to LAST, from 1 on, moved in time
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import pcapfile  # noqa: E402


def ends(packet):
    """Source and destination: address and port."""
    ip = packet.data[14:]
    ports = ip[(ip[0] & 15) * 4 :]
    return ip[12:16] + ports[:2], ip[16:20] + ports[2:4]


def split(how, path, *outs):
    files, seen = [[] for _ in outs], {}
    for i, packet in enumerate(pcapfile.read(path)):
        source, destination = ends(packet)
        if how == "wires":
            which = source > destination
        elif how == "lag":
            which = i % len(outs)
        else:
            which = seen.setdefault(frozenset((source, destination)), len(seen) % 2)
        files[which].append(packet)
    for out, packets in zip(outs, files):
        pcapfile.write(out, packets)


def skew(path, early, other, ms):
    split("wires", path, early, other)
    pcapfile.write(early, [pcapfile.shift(p, -1000 * int(ms)) for p in pcapfile.read(early)])


def shift(path, *changes):
    whole = pcapfile.read(path)
    for out, seconds, first, last in zip(*[iter(changes)] * 4):
        packets = list(whole)
        for i in range(int(first) - 1, int(last)):
            packets[i] = packets[i]._replace(sec=packets[i].sec + int(seconds))
        pcapfile.write(out, packets)


if __name__ == "__main__":
    if sys.argv[1] in ("shift", "skew"):
        {"shift": shift, "skew": skew}[sys.argv[1]](*sys.argv[2:])
    else:
        split(*sys.argv[1:])
