#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the openssl command says of a certificate, as a JSON line on stdout.

in: PEM NAME KIND (pki, enhanced-http, self-signed); the file may go on with the rest of the chain
"""
import hashlib
import json
import re
import subprocess
import sys

USES = {
    "TLS Web Server Authentication": "1.3.6.1.5.5.7.3.1",
    "TLS Web Client Authentication": "1.3.6.1.5.5.7.3.2",
}


def openssl(*arguments, data=b""):
    return subprocess.run(
        ["openssl", *arguments], input=data, stdout=subprocess.PIPE, check=True
    ).stdout


def main():
    path, name, kind = sys.argv[1:4]
    with open(path, "rb") as file:
        blocks = re.findall(rb"-----BEGIN CERT.*?-----END CERT[A-Z]*-----\n", file.read(), re.S)
    ders = [openssl("x509", "-outform", "DER", data=block) for block in blocks]
    text = openssl(
        "x509", "-noout", "-subject", "-issuer", "-serial", "-dates", "-nameopt", "RFC2253",
        "-dateopt", "iso_8601", "-ext", "subjectAltName,extendedKeyUsage", data=blocks[0],
    ).decode()  # fmt: skip

    def line(key):
        found = re.search("^%s=(.*)$" % key, text, re.M)
        return found.group(1) if found else ""

    used = re.search(r"Extended Key Usage: *\n *(.*)", text)
    uses = used.group(1).split(", ") if used else []
    out = {
        "name": name,
        "kind": kind,
        "subject": line("subject"),
        "issuer": line("issuer"),
        "self_signed": line("subject") == line("issuer"),
        "serial": line("serial"),
        "not_before": line("notBefore").replace(" ", "T"),
        "not_after": line("notAfter").replace(" ", "T"),
        "san": re.findall(r"DNS:([^,\s]+)", text),
        "eku": [USES.get(use, use) for use in uses],
        "sha256": hashlib.sha256(ders[0]).hexdigest(),
        "chain_bytes": [len(der) for der in ders],
    }
    print(json.dumps(out))


if __name__ == "__main__":
    main()
