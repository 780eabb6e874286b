#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Truth of a damaged capture of TLS: which handshake messages it still holds whole.

in:   BASE.pcap BASE.truth.json DAMAGED.pcap; BASE has every byte
out:  the truth of BASE on stdout, with the counts of DAMAGED and, per connection, `seen`: each
      message in clear is `whole`, `cut` (its head is there) or `missing`
spec: RFC 8446 section 4, RFC 5246 section 7.4
"""
import collections
import json
import struct
import sys

import pcapfile

NAMES = {1: "client_hello", 2: "server_hello", 11: "certificate", 13: "certificate_request"}
HANDSHAKE, CHANGE_CIPHER_SPEC, SYN = 22, 20, 2


def segments(packets):
    """(sender, receiver) -> [(sequence number, payload)], and -> where its stream begins, by SYN"""
    out, begun = collections.defaultdict(list), {}
    for packet in packets:
        seg = pcapfile.segment(packet.data)
        if seg is None:
            continue
        ends = ((seg.src, seg.sport), (seg.dst, seg.dport))
        if seg.flags & SYN:
            begun[ends] = seg.seq + 1 & 0xFFFFFFFF
        if seg.payload:
            out[ends].append((seg.seq, seg.payload))
    return out, begun


def stream(parts, start):
    """The bytes of a direction that has no gap."""
    data = bytearray()
    for seq, payload in sorted(parts, key=lambda part: part[0] - start & 0xFFFFFFFF):
        at = seq - start & 0xFFFFFFFF
        data[at : at + len(payload)] = payload
    return bytes(data)


def messages(data):
    """(name, from, to) of the handshake messages before ChangeCipherSpec; offsets in the stream"""
    at, held, where = 0, b"", []
    while at + 5 <= len(data):
        kind, _, size = struct.unpack_from(">BHH", data, at)
        if kind != HANDSHAKE:
            return
        held += data[at + 5 : at + 5 + size]
        where += range(at + 5, at + 5 + size)
        while len(held) >= 4 and len(held) >= 4 + int.from_bytes(held[1:4], "big"):
            end = 4 + int.from_bytes(held[1:4], "big")
            yield NAMES.get(held[0]), where[0], where[end - 1] + 1
            held, where = held[end:], where[end:]
        at += 5 + size


def main():
    base, damaged = pcapfile.read(sys.argv[1]), pcapfile.read(sys.argv[3])
    with open(sys.argv[2], encoding="utf-8") as file:
        truth = json.load(file)
    whole, begun = segments(base)
    left, still = segments(damaged)
    for row in truth["tls"]:
        client, server = (row["client"], row["client_port"]), (row["server"], row["port"])
        seen = {"syn": (client, server) in still}
        for ends, side in (((client, server), "client"), ((server, client), "server")):
            start = begun[ends]
            have = bytearray(len(stream(whole[ends], start)))
            for seq, payload in left.get(ends, []):
                at = seq - start & 0xFFFFFFFF
                have[at : at + len(payload)] = b"\1" * len(payload)
            for name, first, last in messages(stream(whole[ends], start)):
                if name:
                    name = side + "_" + name if name == "certificate" else name
                    begun_here = all(have[first : first + 4])
                    whole_here = all(have[first:last])
                    seen[name] = "whole" if whole_here else "cut" if begun_here else "missing"
        row["seen"] = seen
    del truth["decrypted"]  # of what is not lost nobody has counted it
    truth["packets"] = len(damaged)
    truth["wire_bytes"] = sum(packet.wire for packet in damaged)
    truth["source"] = "server logs, and packets of the file"
    print(json.dumps(truth, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
