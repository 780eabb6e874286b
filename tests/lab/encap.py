#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Wrap every Ethernet frame of a capture.

in:   IN OUT KIND, or IN OUT all: the kinds take turns, a connection keeps its kind
out:  OUT, Ethernet again
spec: IEEE 802.1Q/ad, RFC 2784 and 2890 (GRE), ERSPAN draft-foschiano (I, II, III), RFC 7348
      (VXLAN), RFC 3032 (MPLS), RFC 2516 (PPPoE), RFC 2003 (IP in IP)
"""
import struct
import sys
import zlib

import pcapfile

OUTER = bytes.fromhex("0200000000aa0200000000bb")


def checksum(head):
    total = sum(struct.unpack(">%dH" % (len(head) // 2), head))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(protocol, payload):
    head = struct.pack(
        ">BBHHHBBH4s4s",
        0x45, 0, 20 + len(payload), 1, 0x4000, 64, protocol, 0,
        bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2]),
    )  # fmt: skip
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return OUTER + b"\x08\x00" + head + payload


def vlan(frame, _):
    return frame[:12] + b"\x81\x00\x60\x0a" + frame[12:]


def qinq(frame, _):
    return frame[:12] + b"\x88\xa8\x00\x64\x81\x00\x00\x0a" + frame[12:]


def mpls(frame, _):
    labels = struct.pack(">II", 16 << 12 | 64, 17 << 12 | 1 << 8 | 64)
    return frame[:12] + b"\x88\x47" + labels + frame[14:]


def pppoe(frame, _):
    head = struct.pack(">BBHHH", 0x11, 0, 7, len(frame) - 14 + 2, 0x0021)
    return frame[:12] + b"\x88\x64" + head + frame[14:]


def gre(frame, _):
    return ipv4(47, b"\x00\x00\x08\x00" + frame[14:])


def gre_key(frame, count):
    return ipv4(47, struct.pack(">HHII", 0x3000, 0x6558, 7, count) + frame)


def erspan1(frame, _):
    return ipv4(47, b"\x00\x00\x88\xbe" + frame)


def erspan2(frame, count):
    head = struct.pack(">HHIII", 0x1000, 0x88BE, count, 0x1000 << 16 | 5, 3)
    return ipv4(47, head + frame)


def erspan3(frame, count):
    head = struct.pack(">HHIIIHH", 0x1000, 0x22EB, count, 0x2000 << 16 | 5, count * 10, 0, 0)
    return ipv4(47, head + frame)


def vxlan(frame, _):
    port = 49152 + zlib.crc32(frame[:12]) % 1000
    head = struct.pack(">HHHHII", port, 4789, 16 + len(frame), 0, 0x08000000, 42 << 8)
    return ipv4(17, head + frame)


def ipip(frame, _):
    return ipv4(4, frame[14:])


KINDS = {
    "vlan": vlan, "qinq": qinq, "mpls": mpls, "pppoe": pppoe, "gre": gre, "gre-key": gre_key,
    "erspan1": erspan1, "erspan2": erspan2, "erspan3": erspan3, "vxlan": vxlan, "ipip": ipip,
}  # fmt: skip


def main():
    if len(sys.argv) != 4 or sys.argv[3] not in [*KINDS, "all"]:
        sys.exit("usage: encap.py IN OUT all|%s" % "|".join(KINDS))
    kinds = list(KINDS) if sys.argv[3] == "all" else [sys.argv[3]]
    chosen, out = {}, []
    for count, packet in enumerate(pcapfile.read(sys.argv[1])):
        seg = pcapfile.segment(packet.data)
        key = seg and frozenset(((seg.src, seg.sport), (seg.dst, seg.dport)))
        kind = chosen.setdefault(key, kinds[len(chosen) % len(kinds)])
        data = KINDS[kind](packet.data, count)
        wire = packet.wire + len(data) - len(packet.data)
        out.append(packet._replace(data=data, wire=wire))
    pcapfile.write(sys.argv[2], out)


if __name__ == "__main__":
    main()
