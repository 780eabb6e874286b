# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures of whole TCP connections whose payloads a test writes down, and what goes into them.

In: connections as (client, server, port, [(from client?, bytes)...]). Out: a classic pcap file.
"""
import base64
import json
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import pcapfile  # noqa: E402

START, MSS = 1772445600, 1400
FIN, SYN, PSH, ACK = 1, 2, 8, 16


def jwt(signature, **claims):
    """A JSON web token; the signature proves nothing."""
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, claims)] + [signature]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def write(path, connections):
    packets = []

    def put(up, ends, seq, flags, payload=b""):
        (near, port), (far, to) = ends if up else ends[::-1]
        tcp = struct.pack(">HHIIBBHHH", port, to, seq[up], seq[not up], 0x50, flags, 65000, 0, 0)
        size = 20 + len(tcp) + len(payload)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, size, len(packets) & 0xFFFF, 0x4000, 64, 6, 0,
                         socket.inet_aton(near), socket.inet_aton(far))
        data = b"\x02" * 12 + b"\x08\x00" + ip + tcp + payload
        at = len(packets) * 1000
        packets.append(pcapfile.Packet(START + at // 1000000, at % 1000000, len(data), data))
        seq[up] += len(payload) + (1 if flags & (SYN | FIN) else 0)

    for n, (client, server, port, said) in enumerate(connections):
        ends, seq = ((client, 50000 + n), (server, port)), {True: 1000, False: 9000}
        for up, flags in ((True, SYN), (False, SYN | ACK), (True, ACK)):
            put(up, ends, seq, flags)
        for up, payload in said:
            for at in range(0, len(payload), MSS):
                put(up, ends, seq, PSH | ACK, payload[at : at + MSS])
        for up in (True, False):
            put(up, ends, seq, FIN | ACK)
        put(True, ends, seq, ACK)
    pcapfile.write(path, packets)
