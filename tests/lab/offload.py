#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Switch offloads of a network device off, so that the capture shows what a wire would.

in: DEVICE; spec: SIOCETHTOOL of linux/sockios.h. A refused setting is not an error.
"""
import array
import fcntl
import socket
import struct
import sys

SIOCETHTOOL = 0x8946
# receive checksum, transmit checksum, scatter-gather, TSO, GSO, GRO
COMMANDS = (0x15, 0x17, 0x1F, 0x24, 0x2C, 0x19)

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    for command in COMMANDS:
        value = array.array("I", [command, 0])
        request = struct.pack("16sP16x", sys.argv[1].encode(), value.buffer_info()[0])
        try:
            fcntl.ioctl(sock, SIOCETHTOOL, request)
        except OSError:
            pass
