#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Cut file data, which is counters, out of a capture of SMB. in: CAPTURE, which is written anew.

Of packets above 1000 bytes the first 200 are kept when an SMB message begins with them, else the headers
of TCP alone.
"""
import sys

import pcapfile


def cut(packet):
    segment = pcapfile.segment(packet.data)
    if packet.wire <= 1000 or not segment:
        return packet
    begins = segment.payload[5:8] == b"SMB"
    return packet._replace(data=packet.data[:200 if begins else segment.offset])


pcapfile.write(sys.argv[1], [cut(p) for p in pcapfile.read(sys.argv[1])])
