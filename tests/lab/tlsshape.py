#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""TLS whose handshake messages are cut and packed as other libraries than OpenSSL do.

in:    serve LOG CERTIFICATE KEY ADDRESS PORT, or
       connect SOURCE:PORT ADDRESS:PORT NAME TARGET --trust PEM --keys FILE --tls 1.2|1.3
       --record N   messages in records of N bytes at most
       --together   messages of one flight in one record, as Schannel does
       --segment N  TCP segments of N bytes at most
out:   one GET and its answer; LOG: a JSON line a connection, as nginx's
Only what is not encrypted is cut anew: records up to the first ChangeCipherSpec.
spec:  RFC 8446 section 5.1, RFC 5246 section 6.2.1
"""
import argparse
import json
import socket
import ssl
import struct
import sys
import time

HANDSHAKE, CHANGE_CIPHER_SPEC = 22, 20


class Wire:
    def __init__(self, sock, options):
        self.sock, self.options = sock, options
        self.open = True  # no ChangeCipherSpec was sent yet
        self.into, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def records(self, data):
        at = 0
        while at < len(data):
            kind, version, size = struct.unpack_from(">BHH", data, at)
            yield kind, version, data[at + 5 : at + 5 + size]
            at += 5 + size

    def shaped(self, data):
        out, held, form = [], b"", 0

        def flush():
            nonlocal held
            limit = self.options.record or 16384
            while held:
                piece, held = held[:limit], held[limit:]
                out.append(struct.pack(">BHH", HANDSHAKE, form, len(piece)) + piece)

        for kind, version, body in self.records(data):
            self.open = self.open and kind != CHANGE_CIPHER_SPEC
            if kind == HANDSHAKE and self.open:
                held, form = held + body, version
                if not self.options.together:
                    flush()
            else:
                flush()
                out.append(struct.pack(">BHH", kind, version, len(body)) + body)
        flush()
        return b"".join(out)

    def send(self):
        data = self.shaped(self.out.read())
        step = self.options.segment or max(len(data), 1)
        for at in range(0, len(data), step):
            self.sock.sendall(data[at : at + step])
            if self.options.segment:
                time.sleep(0.002)

    def do(self, call, *arguments):
        while True:
            try:
                result = call(*arguments)
                self.send()
                return result
            except ssl.SSLWantReadError:
                self.send()
                data = self.sock.recv(65536)
                if data:
                    self.into.write(data)
                else:
                    self.into.write_eof()


def serve(options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)
    names = []
    context.sni_callback = lambda sock, name, _: names.append(name)
    listener = socket.create_server((options.address, options.port))
    while True:
        sock, client = listener.accept()
        wire = Wire(sock, options)
        peer = context.wrap_bio(wire.into, wire.out, server_side=True)
        try:
            wire.do(peer.do_handshake)
            line = wire.do(peer.read, 4096).decode().split("\r\n")[0]
            body = b"<MPList/>"
            head = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n"
            wire.do(peer.write, (head % len(body)).encode() + body)
            row = {
                "client": client[0], "client_port": client[1], "server": options.address,
                "port": options.port, "request": line, "status": 200, "version": peer.version(),
                "cipher": peer.cipher()[0], "sni": names[-1], "alpn": "", "verify": "NONE",
                "subject": "", "reused": "r" if peer.session_reused else ".",
            }  # fmt: skip
            with open(options.log, "a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        except (OSError, ssl.SSLError) as error:
            print("tlsshape: %s" % error, file=sys.stderr)
        sock.close()


def split(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def connect(options):
    context = ssl.create_default_context(cafile=options.trust)
    limit = getattr(ssl.TLSVersion, "TLSv" + options.tls.replace(".", "_"))
    context.minimum_version = context.maximum_version = limit
    context.keylog_filename = options.keys
    sock = socket.create_connection(split(options.target), 5, split(options.source))
    wire = Wire(sock, options)
    peer = context.wrap_bio(wire.into, wire.out, server_hostname=options.name)
    wire.do(peer.do_handshake)
    text = "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: SMS CCM 5.0\r\n\r\n"
    wire.do(peer.write, (text % (options.path, options.name)).encode())
    wire.do(peer.read, 65536)
    sock.close()


def main():
    parser = argparse.ArgumentParser()
    command = parser.add_subparsers(required=True)
    one = command.add_parser("serve")
    for name in ("log", "certificate", "key", "address"):
        one.add_argument(name)
    one.add_argument("port", type=int)
    one.set_defaults(run=serve)
    two = command.add_parser("connect")
    for name in ("source", "target", "name", "path"):
        two.add_argument(name)
    for name in ("trust", "keys", "tls"):
        two.add_argument("--" + name)
    two.set_defaults(run=connect)
    for part in (one, two):
        part.add_argument("--record", type=int)
        part.add_argument("--segment", type=int)
        part.add_argument("--together", action="store_true")
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
