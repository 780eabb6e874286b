#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A long-lived channel, both ends: to a cloud management gateway, or for client notification.

in:    serve LOG CERTIFICATE KEY ADDRESS PORT=MODE...; MODE: tls, plain, silent (accepts, says
       nothing), mute (no answer to a SYN), reset (ends the third beat with a reset)
       connect TRIES SOURCE:PORT ADDRESS:PORT NAME [OPTIONS], one attempt; exit 1: it is not up;
       --proxy ADDRESS:PORT: by CONNECT to NAME and the port
out:   LOG: a JSON line a connection when it ends, as nginx's; TRIES: a JSON line an attempt
The gateway's messages are not documented, so what flows are counters. Those of notification have
the header that the SDK names (little-endian by inference) and its roots.
"""
import argparse
import ctypes
import json
import socket
import ssl
import struct
import sys
import threading
import time

ROOTS = ["SignIn", "SignInConfirm", "KeepAlive", "Request", "Response"]
SO_ATTACH_FILTER = 26
CLOSED = 7  # TCP_CLOSE


def notice(kind):
    text = '<Bgb%sMessage ClientType="0" ClientID="GUID:11223344-5566-7788-99AA-BBCCDDEEFF01"/>'
    body = (text % ROOTS[kind]).encode("utf-16-le")
    return struct.pack("<IHHIH", len(body), 1, 0, 14, kind) + body


def counter(number, size):
    return b"".join(b"%08d" % n for n in range(number, number + size // 8))


def mute(listener):
    """Classic BPF that lets nothing through: the kernel never sees a SYN."""
    code = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    program = struct.pack("HP", 1, ctypes.addressof(code))
    listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


class Server:
    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.names = {}

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.options.certificate, self.options.key)
        context.set_ciphers("ECDHE+AESGCM")
        if self.options.ask:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(self.options.ask)
        context.sni_callback = self.named
        return context

    def named(self, sock, name, _):
        self.names[sock] = name or ""

    def listen(self, port, mode):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.options.address, port))
        if mode == "mute":
            mute(listener)
        listener.listen(8)
        while True:
            peer = listener.accept()[0]
            threading.Thread(target=self.one, args=(peer, port, mode), daemon=True).start()

    def one(self, peer, port, mode):
        client = peer.getpeername()
        row = {
            "client": client[0], "client_port": client[1], "server": self.options.address,
            "port": port, "method": "", "version": "", "cipher": "", "sni": "", "alpn": "",
            "verify": "NONE", "subject": "", "reused": ".",
        }  # fmt: skip
        try:
            if mode == "silent":
                while peer.recv(4096):
                    pass
                return
            if mode != "plain":
                peer = self.context().wrap_socket(peer, server_side=True)
                row.update(
                    version=peer.version(), cipher=peer.cipher()[0], sni=self.names.get(peer, "")
                )
                row["reused"] = "r" if peer.session_reused else "."
                shown = peer.getpeercert() if self.options.ask else None
                if shown:
                    row.update(verify="SUCCESS", subject="CN=" + shown["subject"][0][0][1])
            self.write(row)
            self.serve(peer, mode)
        except (OSError, ssl.SSLError) as error:
            print("channel: %s" % error, file=sys.stderr)
        finally:
            peer.close()

    def serve(self, peer, mode):
        beats = 0
        while True:
            data = peer.recv(4096)
            if not data:
                return
            beats += 1
            if mode == "reset" and beats == 3:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if not self.options.notify:
                peer.sendall(counter(beats * 100, 200))
            elif beats == 1:
                peer.sendall(notice(1))
            elif beats == 3:
                peer.sendall(notice(3))  # "fetch your policy", between two keep-alives

    def write(self, row):
        with self.lock, open(self.options.log, "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def serve(options):
    server = Server(options)
    for word in options.ports:
        port, mode = word.split("=")
        threading.Thread(target=server.listen, args=(int(port), mode), daemon=True).start()
    threading.Event().wait()


def split(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def through_proxy(sock, name, port):
    """Asks for a tunnel; the status of the answer."""
    target = "%s:%d" % (name, port)
    sock.sendall(("CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (target, target)).encode())
    head = b""
    while b"\r\n\r\n" not in head:
        piece = sock.recv(1)  # what follows the head is another protocol's
        if not piece:
            break
        head += piece
    return int(head.split(b" ")[1]) if b" " in head else 0


def attempt(options):
    """(outcome, socket or None)"""
    sock = socket.socket()
    sock.bind(split(options.source))
    sock.settimeout(options.patience)
    try:
        sock.connect(split(options.proxy or options.target))
    except ConnectionRefusedError:
        return "refused", None
    except (TimeoutError, socket.timeout):
        return "unanswered", None
    if options.proxy:
        status = through_proxy(sock, options.name, split(options.target)[1])
        if status != 200:
            sock.close()
            return "proxy-denied" if status < 500 else "proxy-failed", None
    if options.plain:
        return "up", sock
    context = ssl.create_default_context(cafile=options.trust)
    if options.client_certificate:
        context.load_cert_chain(options.client_certificate, options.client_key)
    if options.keys:
        context.keylog_filename = options.keys
    limit = getattr(ssl.TLSVersion, "TLSv" + options.tls.replace(".", "_"))
    context.minimum_version = context.maximum_version = limit
    try:
        return "up", context.wrap_socket(sock, server_hostname=options.name)
    except (TimeoutError, socket.timeout):
        return "silent", None


def state(sock):
    """Of TCP: ssl tells a reset no different from an end without close_notify."""
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def talk(options, sock):
    sock.settimeout(5)
    try:
        for beat in range(options.beats):
            if options.notify:
                sock.sendall(notice(0 if beat == 0 else 2))
                if beat in (0, 2):
                    sock.recv(4096)
            else:
                sock.sendall(counter(beat * 100, 104))
                if not sock.recv(4096):
                    return "reset" if state(sock) == CLOSED else "closed"
            time.sleep(options.every)
        if not options.plain:
            sock.unwrap()
        sock.close()
    except (ConnectionResetError, BrokenPipeError):
        return "reset"
    except (ssl.SSLError, OSError):
        pass
    return "up"


def connect(options):
    outcome, sock = attempt(options)
    if sock:
        outcome = talk(options, sock)
    client, server = split(options.source), split(options.target)
    row = {
        "client": client[0], "client_port": client[1], "server": server[0], "port": server[1],
        "outcome": outcome,
    }  # fmt: skip
    if options.proxy:
        row.update(via=options.proxy, name=options.name)
    with open(options.tries, "a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    sys.exit(outcome not in ("up", "reset"))


def main():
    parser = argparse.ArgumentParser()
    command = parser.add_subparsers(required=True)
    one = command.add_parser("serve")
    for name in ("log", "certificate", "key", "address"):
        one.add_argument(name)
    one.add_argument("ports", nargs="+")
    one.add_argument("--notify", action="store_true")
    one.add_argument("--ask", metavar="CA", help="ask for a client certificate of this authority")
    one.set_defaults(run=serve)
    one = command.add_parser("connect")
    for name in ("tries", "source", "target", "name"):
        one.add_argument(name)
    for name in ("proxy", "trust", "keys", "client-certificate", "client-key"):
        one.add_argument("--" + name)
    one.add_argument("--tls", default="1.2")
    one.add_argument("--patience", type=float, default=3.5)
    one.add_argument("--beats", type=int, default=4)
    one.add_argument("--every", type=float, default=0.2)
    one.add_argument("--plain", action="store_true")
    one.add_argument("--notify", action="store_true")
    one.set_defaults(run=connect)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
