#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A key distribution centre that tells everybody that its realm is another one.

in:    ADDRESS LOG
out:   KDC_ERR_WRONG_REALM (68) to every datagram on port 88; LOG, a line as krb5kdc writes them.
       MIT's KDC answers this only for a database of referrals, which its own format cannot hold
spec:  RFC 4120 sections 5.9.1 and 7.5.9
"""
import socket
import sys
import time

APPLICATION, SEQUENCE, INTEGER, STRING, TIME = 0x60, 0x30, 2, 0x1B, 0x18


def item(tag, data):
    return bytes([tag, len(data)]) + data


def field(number, tag, data):
    return item(0xA0 | number, item(tag, data))


def strings(request):
    """Its GeneralStrings: client, realm, krbtgt, realm."""
    found, at = [], request.find(STRING)
    while at >= 0:
        end = at + 2 + request[at + 1]
        found.append(request[at + 2 : end].decode())
        at = request.find(STRING, end)
    return found


def wrong_realm(realm, server):
    name = field(0, INTEGER, b"\2")
    name += field(1, SEQUENCE, b"".join(item(STRING, part.encode()) for part in server))
    body = field(0, INTEGER, b"\5") + field(1, INTEGER, b"\x1e")
    body += field(4, TIME, time.strftime("%Y%m%d%H%M%SZ", time.gmtime()).encode())
    body += field(5, INTEGER, b"\0") + field(6, INTEGER, bytes([68]))
    body += field(9, STRING, realm.encode()) + field(10, SEQUENCE, name)
    return item(APPLICATION | 30, item(SEQUENCE, body))


def main():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((sys.argv[1], 88))
        while True:
            request, client = server.recvfrom(65535)
            name, realm, *service = strings(request)[:4]
            server.sendto(wrong_realm(realm, service), client)
            with open(sys.argv[2], "a", encoding="utf-8") as log:
                log.write("AS_REQ (lab) %s: WRONG_REALM: %s@%s for %s@%s, another realm\n"
                          % (client[0], name, realm, "/".join(service), realm))  # fmt: skip


if __name__ == "__main__":
    main()
