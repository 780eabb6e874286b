#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Shift the clock by which a Kerberos client with this credential cache makes its requests.

in:   CACHE SECONDS: a FILE cache of format 4
out:  CACHE, its header's time offset (tag 1) set; the library takes it for the difference between its
      clock and the KDC's
spec: MIT Kerberos, "Credential cache file format"
"""
import struct
import sys


def main():
    path, seconds = sys.argv[1], int(sys.argv[2])
    with open(path, "rb") as file:
        data = file.read()
    version, length = struct.unpack_from(">HH", data)
    if version != 0x0504:
        sys.exit("%s: no cache of format 4" % path)
    offset = struct.pack(">HHii", 1, 8, seconds, 0)
    with open(path, "wb") as file:
        file.write(struct.pack(">HH", version, len(offset)) + offset + data[4 + length :])


if __name__ == "__main__":
    main()
