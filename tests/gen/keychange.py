#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A capture of one client id under two keys, both made by the openssl command, as are the signatures.

usage: keychange.py OUT; keys are made beside it. 10.0.0.1 holds the first key, 10.0.0.2 the second,
10.0.0.3 registers with a signature that is spoilt.
"""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import envelope  # noqa: E402
import pcapfile  # noqa: E402
import signing  # noqa: E402

CLIENT = "GUID:11223344-5566-7788-99AA-BBCCDDEEFF01"
SERVER, START, MSS = bytes([10, 0, 0, 9]), 1741064767, 1400
ANSWER = '<ClientRegistrationResponse ResponseType="Registration" Status="0" SMSID="%s" ApprovalStatus="1"/>' % CLIENT


class Capture:
    def __init__(self):
        self.packets = []

    def put(self, ends, seq, ack, flags, data=b""):
        source, target, sport, dport = ends
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(data), 1, 0x4000, 64, 6, 0, source, target)
        tcp = struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 65000, 0, 0)
        frame = b"\x02" * 12 + b"\x08\x00" + ip + tcp + data
        self.packets.append(pcapfile.Packet(START, len(self.packets) * 1000, len(frame), frame))

    def exchange(self, number, head, body=b"", answer=b"x"):
        """One request and its answer on a connection of its own."""
        client, port = bytes([10, 0, 0, number]), 50000 + len(self.packets)
        up, down = (client, SERVER, port, 80), (SERVER, client, 80, port)
        self.put(up, 99, 0, 0x02)
        self.put(down, 899, 100, 0x12)
        self.put(up, 100, 900, 0x10)
        data = ("%s\r\nHost: mp01\r\nContent-Length: %d\r\n\r\n" % (head, len(body))).encode() + body
        for at in range(0, len(data), MSS):
            self.put(up, 100 + at, 900, 0x18, data[at : at + MSS])
        reply = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/mixed; boundary=\"%s\"\r\nContent-Length: %d\r\n\r\n" % (
            envelope.BOUNDARY.encode(), len(answer))
        self.put(down, 900, 100 + len(data), 0x18, reply + answer)
        self.put(up, 100 + len(data), 900 + len(reply + answer), 0x11)
        self.put(down, 900 + len(reply + answer), 101 + len(data), 0x11)


def message(endpoint, body, hooks="", source=CLIENT):
    part2, length = envelope.body_bytes(body)
    fields = {"ID": "{C1C2C3D4-0001-4000-8000-000000000001}", "SourceID": source, "TargetEndpoint": endpoint}
    return envelope.message(envelope.envelope(fields, length, hooks(part2) if hooks else ""), part2)


def post(capture, number, body, answer=b"x"):
    head = 'CCM_POST /ccm_system/request HTTP/1.1\r\nContent-Type: multipart/mixed; boundary="%s"' % envelope.BOUNDARY
    capture.exchange(number, head, body, answer)


def policy(capture, number, key):
    """A signed message that brings its key."""
    post(capture, number, message("MP_PolicyManager", '<RequestAssignments SchemaVersion="1.00"/>', lambda part2: envelope.hook2([
        ("PublicKey", key.blob()), ("ClientIDSignature", key.hex_signature(envelope.utf16(CLIENT) + b"\0\0")),
        ("PayloadSignature", key.hex_signature(part2)), ("HashAlgorithm", signing.SHA256)])))  # fmt: skip


def download(capture, number, key):
    """A request whose signature brings no key."""
    token = CLIENT + ";2025-03-04T05:06:07Z;2"
    capture.exchange(number, "GET /SMS_MP/.sms_pol?{1}.1_00 HTTP/1.1\r\nClientToken: %s\r\nClientTokenSignature: %s" % (
        token, key.hex_signature(envelope.utf16(token) + b"\0\0")))


def register(capture, number, key, spoilt=False):
    data = '<Data HashAlgorithm="%s" SMSID="" RequestType="Registration"><Certificates><Signing Encoding="HexBinary" ' \
        'KeyType="1">%s</Signing></Certificates></Data>' % (signing.SHA256, key.certificate("1.3.6.1.4.1.311.101.2"))
    value = key.hex_signature(envelope.utf16(data) + (b"\0\0" if spoilt else b""))
    body = "<ClientRegistrationRequest>%s<Signature><SignatureValue>%s</SignatureValue></Signature>" \
        "</ClientRegistrationRequest>" % (data + (" " if spoilt else ""), value)
    answer = b"" if spoilt else message("Registration", ANSWER)
    post(capture, number, message("MP_ClientRegistration", body, source="UID:00000000-0000-4000-8000-000000000001"), answer)


def main(out):
    first, second = (signing.Key(out + "." + name) for name in ("first", "second"))
    capture = Capture()
    policy(capture, 1, first)
    policy(capture, 2, second)
    download(capture, 2, second)
    download(capture, 1, first)
    register(capture, 3, second, spoilt=True)
    register(capture, 2, second)
    download(capture, 2, second)
    download(capture, 1, first)
    pcapfile.write(out, capture.packets)
    with open(out + ".pem", "wb") as file:
        file.write(first.public_pem())


if __name__ == "__main__":
    main(sys.argv[1])
