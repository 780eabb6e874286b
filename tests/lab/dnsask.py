#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ask a name server over UDP, from a given address. in: SOURCE SERVER NAME [TYPE]
out: exit 1 when there is no answer within 3 s; the answer itself is only for the capture
"""
import socket
import struct
import sys

TYPES = {"A": 1, "AAAA": 28, "CNAME": 5, "SRV": 33}


def main():
    source, server, name = sys.argv[1:4]
    kind = TYPES[sys.argv[4] if len(sys.argv) > 4 else "A"]
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    number = sum(name.encode()) & 0xFFFF  # any, the same in each run
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((source, 0))
    sock.settimeout(3)
    head = struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0)
    sock.sendto(head + labels + b"\0" + struct.pack(">HH", kind, 1), (server, 53))
    sock.recv(4096)


if __name__ == "__main__":
    main()
