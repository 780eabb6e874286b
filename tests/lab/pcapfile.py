# SPDX-License-Identifier: GPL-2.0-or-later
"""Classic pcap files for the lab's tools: read, write, and look into plain Ethernet/IPv4/TCP.

Written apart from the program on purpose: the tests' answers come from here.
"""
import struct
from collections import namedtuple

Packet = namedtuple("Packet", "sec usec wire data")
Segment = namedtuple("Segment", "src dst sport dport seq flags payload offset")


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] != b"\xd4\xc3\xb2\xa1":
        raise SystemExit("%s: not a little-endian microsecond pcap file" % path)
    at, out = 24, []
    while at < len(data):
        sec, usec, kept, wire = struct.unpack_from("<IIII", data, at)
        out.append(Packet(sec, usec, wire, data[at + 16 : at + 16 + kept]))
        at += 16 + kept
    return out


def write(path, packets, linktype=1):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, linktype))
        for packet in packets:
            file.write(
                struct.pack("<IIII", packet.sec, packet.usec, len(packet.data), packet.wire)
            )
            file.write(packet.data)


def shift(packet, usec):
    """The packet, usec later."""
    total = packet.usec + usec
    return packet._replace(sec=packet.sec + total // 1000000, usec=total % 1000000)


def segment(data):
    """The TCP segment in an Ethernet frame, or None; payload is what was captured of it."""
    if len(data) < 54 or data[12:14] != b"\x08\x00" or data[23] != 6:
        return None
    head = 14 + (data[14] & 15) * 4
    end = min(len(data), 14 + struct.unpack_from(">H", data, 16)[0])
    sport, dport, seq = struct.unpack_from(">HHI", data, head)
    start = head + (data[head + 12] >> 4) * 4
    address = [".".join(map(str, data[at : at + 4])) for at in (26, 30)]
    flags = data[head + 13]
    return Segment(address[0], address[1], sport, dport, seq, flags, data[start:end], start)
