#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A BITS upload client for the lab.

in:    ADDRESS HOST PATH FILE, --fragment BYTES, --gap (skips a fragment once, to see 416),
       --cancel-after N fragments, --address-of NAME=ADDRESS (for BITS-Host-Id);
       over TLS: --tls 1.2|1.3, --trust PEM, --keys LOG, --certificate PEM KEY; --bind ADDRESS:PORT
out:   the upload; exit 0 when the server took the whole file or the upload was cancelled as asked
spec:  MC-BUPS: Ping, Create-Session, Fragment, Close-Session, one packet outstanding; a lost
       session (0x8020001F) starts again, BITS-Host-Id moves what follows to another host
"""
import argparse
import http.client
import os
import ssl
import sys

PROTOCOL = "{7df0354d-249b-430f-820d-3d2a9bef4931}"
SESSION_NOT_FOUND = "0x8020001F"


class Upload:
    def __init__(self, options):
        self.options, self.host = options, options.host
        self.connect(options.address)

    def connect(self, address):
        bind = self.options.bind and self.options.bind.split(":")
        self.connection = http.client.HTTPConnection(
            address, self.options.port, timeout=20, source_address=bind and (bind[0], int(bind[1]))
        )
        if self.options.tls:
            self.connection.connect()
            self.connection.sock = self.context().wrap_socket(
                self.connection.sock, server_hostname=self.host
            )

    def context(self):
        context = ssl.create_default_context(cafile=self.options.trust)
        context.minimum_version = context.maximum_version = {
            "1.2": ssl.TLSVersion.TLSv1_2,
            "1.3": ssl.TLSVersion.TLSv1_3,
        }[self.options.tls]
        context.keylog_filename = self.options.keys
        if self.options.certificate:
            context.load_cert_chain(*self.options.certificate)
        return context

    def packet(self, kind, body=b"", **headers):
        fields = {
            "Host": self.host,
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

    def create(self):
        reply = self.packet("Create-Session", BITS_Supported_Protocols=PROTOCOL)
        if reply.status not in (200, 201):
            sys.exit("create: %d" % reply.status)
        other = reply.getheader("BITS-Host-Id")
        if other:
            names = dict(pair.split("=") for pair in self.options.address_of)
            self.host = other
            self.connection.close()
            self.connect(names.get(other, other))
        return reply.getheader("BITS-Session-Id")

    def run(self, data):
        self.packet("Ping")
        session = self.create()
        offset, total, skip, sent = 0, len(data), self.options.gap, 0
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
            if reply.getheader("BITS-Error-Code") == SESSION_NOT_FOUND:
                session, offset = self.create(), 0
                continue
            if reply.status not in (200, 416):
                sys.exit("fragment: %d" % reply.status)
            offset = int(reply.getheader("BITS-Received-Content-Range"))
            sent += 1
            if sent == self.options.cancel_after:
                self.packet("Cancel-Session", BITS_Session_Id=session)
                return
        if self.packet("Close-Session", BITS_Session_Id=session).status != 200:
            sys.exit("close failed")


def main():
    parser = argparse.ArgumentParser()
    for name in ("address", "host", "path", "file"):
        parser.add_argument(name)
    parser.add_argument("--port", type=int, default=80)
    parser.add_argument("--fragment", type=int, default=16384)
    parser.add_argument("--gap", action="store_true")
    parser.add_argument("--cancel-after", type=int, default=0)
    parser.add_argument("--address-of", action="append", default=[])
    parser.add_argument("--tls", choices=("1.2", "1.3"))
    parser.add_argument("--certificate", nargs=2)
    for name in ("trust", "keys", "bind"):
        parser.add_argument("--" + name)
    options = parser.parse_args()
    with open(options.file, "rb") as file:
        Upload(options).run(file.read())


if __name__ == "__main__":
    main()
