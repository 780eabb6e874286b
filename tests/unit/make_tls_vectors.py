#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes tls_vectors.h: TLS conversations of Python's ssl module (OpenSSL) with throw-away keys, none of
which is kept, and what other programs read in them: openssl x509 (certificates), tshark (JA3), and JA4
computed here from the published description. Run it again to have other ones: python3
make_tls_vectors.py > tls_vectors.h"""
import hashlib
import os
import ssl
import struct
import subprocess
import tempfile

USAGE = {"server": "serverAuth", "client": "clientAuth", "machine": "1.3.6.1.4.1.311.101.2"}


def openssl(*words):
    return subprocess.run(("openssl",) + words, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


def new_key(name, *kind):
    openssl("genpkey", "-out", name + ".key", *kind)


EC = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
RSA = ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")


def certificate(name, subject, usage=None, san=None, issuer=None, kind=EC):
    new_key(name, *kind)
    words = ["req", "-x509", "-new", "-utf8", "-key", name + ".key", "-out", name + ".pem", "-subj", subject,
             "-days", "3650", "-sha256", "-addext", "basicConstraints=critical,CA:" + ("FALSE" if usage else "TRUE")]
    if usage:
        words += ["-addext", "extendedKeyUsage=" + usage]
    if san:
        words += ["-addext", "subjectAltName=" + san]
    if issuer:
        words += ["-CA", issuer + ".pem", "-CAkey", issuer + ".key"]
    openssl(*words)


def context(side, version, own=None, ask=False, groups=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if side == "server" else ssl.PROTOCOL_TLS_CLIENT)
    c.minimum_version = c.maximum_version = version
    c.check_hostname = False
    c.verify_mode = ssl.CERT_OPTIONAL if ask else ssl.CERT_NONE
    if ask:
        c.load_verify_locations("ca.pem")
    if own:
        c.load_cert_chain(own + ".chain", own + ".key")
    c.set_alpn_protocols(["h2", "http/1.1"] if side == "client" else ["http/1.1"])
    if groups:
        c.set_ecdh_curve(groups)
    return c


class Talk:
    """One connection in memory; `parts` is what each side sent, in order."""

    def __init__(self, client, server, session=None):
        self.parts = []
        self.c_in, self.c_out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.s_in, self.s_out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(self.c_in, self.c_out, server_hostname="mp01.lab.example", session=session)
        self.server = server.wrap_bio(self.s_in, self.s_out, server_side=True)

    def pump(self):
        moved = False
        for side, out, to in ((0, self.c_out, self.s_in), (1, self.s_out, self.c_in)):
            data = out.read()
            if data:
                self.parts.append((side, data))
                to.write(data)
                moved = True
        return moved

    def step(self, what):
        try:
            return what()
        except ssl.SSLWantReadError:
            return None

    def run(self):
        done = [False, False]
        while not all(done):
            for i, end in enumerate((self.client, self.server)):
                if not done[i]:
                    try:
                        end.do_handshake()
                        done[i] = True
                    except ssl.SSLWantReadError:
                        pass
                self.pump()
        for text, a, b in ((b"GET / HTTP/1.1\r\nHost: mp01\r\n\r\n", self.client, self.server),
                           (b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n" + b"x" * 600, self.server, self.client)):
            a.write(text)
            self.pump()
            self.step(lambda b=b: b.read(4096))
        self.session = self.client.session
        self.step(self.client.unwrap)
        self.pump()
        self.step(self.server.unwrap)
        self.pump()
        return self


def c_bytes(data):
    return "\n".join('    "%s"' % data[i:i + 44].hex() for i in range(0, len(data), 44))


def show(name, talk):
    print("static const tls_part %s[] = {" % name)
    for side, data in talk.parts:
        print("    { %d,\n%s },\n" % (side, c_bytes(data).replace("    ", "      ")), end="")
    print("};\n")
    cipher, version, _ = talk.client.cipher()
    print('#define %s_CIPHER "%s"' % (name.upper(), cipher))
    print('#define %s_JA3 "%s"' % (name.upper(), ja3(talk)))
    print('#define %s_JA4 "%s"\n' % (name.upper(), ja4(talk.parts[0][1])))


def ja3(talk):
    """By tshark, of the first ClientHello."""
    data = talk.parts[0][1]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40 + len(data), 1, 0, 64, 6, 0, b"\x0a\0\0\1", b"\x0a\0\0\2")
    tcp = struct.pack("!HHIIBBHHH", 1000, 443, 1, 1, 0x50, 0x18, 8192, 0, 0)
    packet = ip + tcp + data
    with open("hello.pcap", "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        f.write(struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet)
    return subprocess.run(("tshark", "-r", "hello.pcap", "-T", "fields", "-e", "tls.handshake.ja3"), check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()


def ja4(record):
    """After FoxIO-LLC/ja4, technical_details/JA4.md. For hellos without reserved values."""
    body = record[9:]
    version, = struct.unpack_from("!H", body)
    at = 34 + 1 + body[34]
    n, = struct.unpack_from("!H", body, at)
    ciphers = [body[at + 2 + i:at + 4 + i].hex() for i in range(0, n, 2)]
    at += 2 + n
    at += 1 + body[at]
    end = at + 2 + struct.unpack_from("!H", body, at)[0]
    at += 2
    extensions = {}
    while at < end:
        kind, n = struct.unpack_from("!HH", body, at)
        extensions[kind] = body[at + 4:at + 4 + n]
        at += 4 + n
    if 43 in extensions:
        version = max(struct.unpack("!%dH" % (extensions[43][0] // 2), extensions[43][1:]))
    name = extensions[16][3:3 + extensions[16][2]].decode()
    signatures = [extensions[13][i:i + 2].hex() for i in range(2, len(extensions[13]), 2)]
    kinds = sorted("%04x" % k for k in extensions if k not in (0, 16))

    def short(text):
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    return "t%s%s%02d%02d%s%s_%s_%s" % ({0x303: "12", 0x304: "13"}[version], "di"[0 not in extensions], len(ciphers),
                                        len(extensions), name[0], name[-1], short(",".join(sorted(ciphers))),
                                        short(",".join(kinds) + "_" + ",".join(signatures)))


def show_certificate(name):
    der = openssl("x509", "-in", name + ".pem", "-outform", "DER")
    print("#define %s_DER \\\n%s" % (name.upper(), c_bytes(der).replace("\n", " \\\n")))

    def field(*words):
        text = openssl("x509", "-in", name + ".pem", "-noout", *words).decode().strip()
        return text.partition("=")[2] if words[0] != "-text" else text

    print('#define %s_SUBJECT "%s"' % (name.upper(), field("-subject", "-nameopt", "RFC2253,-esc_msb,utf8").replace("\\", "\\\\")))
    print('#define %s_ISSUER "%s"' % (name.upper(), field("-issuer", "-nameopt", "RFC2253,-esc_msb,utf8").replace("\\", "\\\\")))
    print('#define %s_SERIAL "%s"' % (name.upper(), field("-serial").lower()))
    print('#define %s_FINGERPRINT "%s"' % (name.upper(), field("-fingerprint", "-sha256").replace(":", "").lower()))
    for which in ("startdate", "enddate"):
        print("#define %s_%s UINT64_C(%d)" % (name.upper(), which.upper(), ssl.cert_time_to_seconds(field("-" + which))))
    print()


def main():
    certificate("ca", "/C=DE/O=Lab, Inc./CN=Lab Root CA")
    certificate("sms", "/CN=SMS Issuing")
    certificate("server", "/CN=mp01.lab.example", USAGE["server"], "DNS:mp01.lab.example,DNS:mp01", "sms")
    certificate("client", "/O=Lab/OU=A+CN=WKS01", USAGE["client"] + ",emailProtection", "DNS:wks01.lab.example", "ca", RSA)
    certificate("machine", "/CN=ConfigMgr Client", USAGE["machine"])
    for name, chain in (("server", ("server",)), ("client", ("client", "ca")), ("machine", ("machine",))):
        with open(name + ".chain", "w") as out:
            out.write("".join(open(link + ".pem").read() for link in chain))
    print('''/* SPDX-License-Identifier: GPL-2.0-or-later
 * tls_vectors.h - written by make_tls_vectors.py: TLS conversations between two ends of OpenSSL, with what
 * openssl and tshark say of them. */
#ifndef CCM_TEST_TLS_VECTORS_H
#define CCM_TEST_TLS_VECTORS_H

/* What side 0 (the client) or 1 sent, in hexadecimal. */
typedef struct tls_part {
    unsigned side;
    const char *hex;
} tls_part;
''')
    for name in ("ca", "server", "client", "machine"):
        show_certificate(name)
    for version, tag in ((ssl.TLSVersion.TLSv1_2, "tls12"), (ssl.TLSVersion.TLSv1_3, "tls13")):
        server = context("server", version, "server", ask=True)
        with_certificate = context("client", version, "client")
        first = Talk(with_certificate, server).run()
        show(tag + "_client", first)
        show(tag + "_resumed", Talk(with_certificate, server, first.session).run())
        show(tag + "_empty", Talk(context("client", version), server).run())
        show(tag + "_plain", Talk(context("client", version), context("server", version, "server")).run())
    show("tls13_retry", Talk(context("client", ssl.TLSVersion.TLSv1_3),
                             context("server", ssl.TLSVersion.TLSv1_3, "server", groups="secp384r1")).run())
    print("#endif")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        main()
