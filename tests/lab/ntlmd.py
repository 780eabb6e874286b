#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A web server for the lab that asks for bare NTLM, for clients gss-ntlmssp cannot read (curl).

in:    ADDRESS PORT ROLE LOG USERS (lines DOMAIN:USER:PASSWORD)
out:   LOG, a JSON line per answered request, as apache.sh writes it
state: the account of each connection
spec:  MS-NLMP 2.2.1 and 3.3.2 (NTLMv2), MS-NTHT. An anonymous type 3 is accepted below /SMS_DP_.
"""
import base64
import hashlib
import hmac
import json
import os
import struct
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# unicode or OEM, target, NTLM, always sign, extended session security, target info, 128 and 56 bit
FLAGS = 0xA0898206 | 1


def nt_hash(password):
    done = subprocess.run(
        ["openssl", "dgst", "-md4", "-provider", "legacy", "-binary"],
        input=password.encode("utf-16-le"),
        stdout=subprocess.PIPE,
        check=True,
    )
    return done.stdout


def challenge_message(challenge, flags):
    text = "utf-16-le" if flags & 1 else "ascii"
    pairs = b""
    filetime = struct.pack("<Q", int((time.time() + 11644473600) * 10**7))
    for kind, value in (
        (2, "LAB".encode("utf-16-le")),
        (1, "MP04".encode("utf-16-le")),
        (4, "lab.example".encode("utf-16-le")),
        (3, "mp04.lab.example".encode("utf-16-le")),
        (7, filetime),
        (0, b""),
    ):
        pairs += struct.pack("<HH", kind, len(value)) + value
    target = "LAB".encode(text)
    head = b"NTLMSSP\0" + struct.pack("<IHHI", 2, len(target), len(target), 56)
    head += struct.pack("<I", FLAGS & (flags | 0xFFFFFFFE)) + challenge + bytes(8)
    head += struct.pack("<HHI", len(pairs), len(pairs), 56 + len(target))
    return head + bytes([10, 0, 0x61, 0x4A, 0, 0, 0, 15]) + target + pairs


def field(message, at):
    length, _, offset = struct.unpack_from("<HHI", message, at)
    return message[offset : offset + length]


def account_of(message, challenge, users):
    """(account or None, whether it is good)"""
    flags = struct.unpack_from("<I", message, 60)[0]
    text = "utf-16-le" if flags & 1 else "ascii"
    answer, domain, user = field(message, 20), field(message, 28), field(message, 36)
    if not user and not answer:
        return "", True
    domain, user = domain.decode(text), user.decode(text)
    secret = users.get((domain.upper(), user.upper()))
    if secret is None or len(answer) < 24:
        return domain + "\\" + user, False
    key = hmac.new(secret, (user.upper() + domain).encode("utf-16-le"), hashlib.md5).digest()
    proof = hmac.new(key, challenge + answer[16:], hashlib.md5).digest()
    return domain + "\\" + user, hmac.compare_digest(proof, answer[:16])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "lab-ntlm"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    account = None
    challenge = b""

    def log_message(self, *args):
        pass

    def answer(self, status, scheme="", body=b"", scheme_in="-"):
        self.send_response(status)
        if scheme:
            self.send_header("WWW-Authenticate", scheme)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()
        line = {
            "client": self.client_address[0],
            "client_port": self.client_address[1],
            "server": self.connection.getsockname()[0],
            "port": self.connection.getsockname()[1],
            "role": self.server.role,
            "method": self.command,
            "target": self.path,
            "status": status,
            "user": "-" if status == 401 or self.account is None else self.account,
            "mech": "-" if status == 401 or self.account is None else "NTLM/NTLM",
            "scheme": scheme_in,
        }
        with self.server.lock:
            self.server.log.write(json.dumps(line) + "\n")
            self.server.log.flush()

    def do_any(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        if scheme == "NTLM":
            message = base64.b64decode(value)
            if message[8] == 1:
                self.challenge, self.account = os.urandom(8), None
                flags = struct.unpack_from("<I", message, 12)[0]
                reply = base64.b64encode(challenge_message(self.challenge, flags)).decode()
                return self.answer(401, "NTLM " + reply, scheme_in=scheme)
            self.account, good = account_of(message, self.challenge, self.server.users)
            if not self.account and not self.path.startswith("/SMS_DP_"):
                good = False
            if not good:
                self.account = None
        if self.account is None:
            return self.answer(401, "NTLM", b"401\n", scheme or "-")
        return self.answer(200, "", b"200\n", scheme or "-")

    do_GET = do_HEAD = do_CCM_POST = do_POST = do_PROPFIND = do_any


def main():
    address, port, role, log, users = sys.argv[1:6]
    server = ThreadingHTTPServer((address, int(port)), Handler)
    server.daemon_threads = True
    server.lock, server.role, server.users = threading.Lock(), role, {}
    with open(users, encoding="utf-8") as file:
        for line in file:
            domain, user, password = line.rstrip("\n").split(":")
            server.users[(domain.upper(), user.upper())] = nt_hash(password)
    with open(log, "a", encoding="utf-8") as server.log:
        server.serve_forever()


if __name__ == "__main__":
    main()
