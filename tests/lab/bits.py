#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A BITS upload client for the lab.

in:    ADDRESS HOST PATH FILE, --fragment BYTES, --gap (skips a fragment once, to see 416)
out:   the upload; exit 0 when the server took the whole file
spec:  MC-BUPS: Ping, Create-Session, Fragment, Close-Session, one packet outstanding
"""
import argparse
import http.client
import os
import sys

PROTOCOL = "{7df0354d-249b-430f-820d-3d2a9bef4931}"


class Upload:
    def __init__(self, options):
        self.options = options
        self.connection = http.client.HTTPConnection(options.address, options.port, timeout=20)

    def packet(self, kind, body=b"", **headers):
        fields = {
            "Host": self.options.host,
            "User-Agent": "Microsoft BITS/7.8",
            "BITS-Packet-Type": kind,
            "Content-Length": str(len(body)),
        }
        fields.update((name.replace("_", "-"), value) for name, value in headers.items())
        self.connection.putrequest(
            "BITS_POST", self.options.path, skip_host=True, skip_accept_encoding=True
        )
        for name, value in fields.items():
            self.connection.putheader(name, value)
        self.connection.endheaders(body)
        reply = self.connection.getresponse()
        reply.read()
        if reply.getheader("BITS-Packet-Type") != "Ack":
            sys.exit("no Ack in the answer")
        return reply

    def run(self, data):
        self.packet("Ping")
        reply = self.packet("Create-Session", BITS_Supported_Protocols=PROTOCOL)
        session = reply.getheader("BITS-Session-Id")
        offset, total, skip = 0, len(data), self.options.gap
        while offset < total:
            first = offset + self.options.fragment if skip and offset else offset
            skip = skip and not offset
            part = data[first : first + self.options.fragment]
            fields = {
                "BITS_Session_Id": session,
                "Content_Range": "bytes %d-%d/%d" % (first, first + len(part) - 1, total),
            }
            if first == 0:
                fields["Content_Name"] = os.path.basename(self.options.file)
            reply = self.packet("Fragment", part, **fields)
            if reply.status not in (200, 416):
                sys.exit("fragment: %d" % reply.status)
            offset = int(reply.getheader("BITS-Received-Content-Range"))
        if self.packet("Close-Session", BITS_Session_Id=session).status != 200:
            sys.exit("close failed")


def main():
    parser = argparse.ArgumentParser()
    for name in ("address", "host", "path", "file"):
        parser.add_argument(name)
    parser.add_argument("--port", type=int, default=80)
    parser.add_argument("--fragment", type=int, default=16384)
    parser.add_argument("--gap", action="store_true")
    options = parser.parse_args()
    with open(options.file, "rb") as file:
        Upload(options).run(file.read())


if __name__ == "__main__":
    main()
