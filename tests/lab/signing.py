# SPDX-License-Identifier: GPL-2.0-or-later
"""RSA keys, certificates and signatures of the lab, all made and checked by the openssl command.

spec: signatures are PKCS#1 v1.5, written least significant byte first as hexadecimal; the padding
holds a DigestInfo or the bare hash (CRYPT_NOHASHOID)
"""
import base64
import json
import os
import struct
import subprocess

SHA256 = "1.2.840.113549.1.1.11"
SHA1 = "1.2.840.113549.1.1.5"
HASHES = {SHA256: "sha256", SHA1: "sha1"}
# RFC 8017 section 9.2, note 1
DIGEST_INFO = {
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
}


def openssl(*arguments, data=b""):
    done = subprocess.run(
        ["openssl", *arguments], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    if done.returncode:
        raise ValueError("openssl %s: %s" % (arguments[0], done.stderr.decode()))
    return done.stdout


def digest(data, name="sha256"):
    return openssl("dgst", "-" + name, "-binary", data=data)


class Key:
    """An RSA key in a file, made when the file is not there."""

    def __init__(self, path):
        self.path = path
        if not os.path.exists(path):
            openssl("genrsa", "-out", path, "2048")

    def sign(self, data, padding="digest-info", name="sha256"):
        """Most significant byte first."""
        if padding == "digest-info":
            return openssl("dgst", "-" + name, "-sign", self.path, data=data)
        options = ("-sign", "-inkey", self.path, "-pkeyopt", "rsa_padding_mode:pkcs1")
        return openssl("pkeyutl", *options, data=digest(data, name))

    def hex_signature(self, data, padding="digest-info", name="sha256"):
        return self.sign(data, padding, name)[::-1].hex().upper()

    def modulus(self):
        text = openssl("rsa", "-in", self.path, "-noout", "-modulus").decode()
        return bytes.fromhex(text.strip().split("=")[1])

    def blob(self):
        """PUBLICKEYBLOB of CryptoAPI as hexadecimal."""
        modulus = self.modulus()
        head = struct.pack("<BBHI4sII", 6, 2, 0, 0xA400, b"RSA1", len(modulus) * 8, 65537)
        return (head + modulus[::-1]).hex().upper()

    def certificate(self, usage, subject="/CN=SMS"):
        """Self-signed, DER as hexadecimal; usage: the object id of the extended key usage."""
        return (
            openssl(
                "req", "-new", "-x509", "-key", self.path, "-subj", subject, "-days", "365",
                "-sha256", "-addext", "extendedKeyUsage=" + usage, "-outform", "DER",
            )
            .hex()
            .upper()
        )  # fmt: skip

    def public_pem(self):
        return openssl("pkey", "-in", self.path, "-pubout")


def pem_of_certificate(der):
    return openssl("x509", "-inform", "DER", "-noout", "-pubkey", data=der)


def pem_of_blob(blob):
    """PUBLICKEYBLOB to PEM, by way of a PKCS#1 public key."""
    bits, exponent = struct.unpack_from("<II", blob, 12)
    modulus = b"\0" + blob[20 : 20 + bits // 8][::-1]

    def item(tag, data):
        size = len(data)
        length = bytes([size]) if size < 128 else b"\x82" + struct.pack(">H", size)
        return bytes([tag]) + length + data

    body = item(2, modulus) + item(2, exponent.to_bytes(3, "big"))
    return openssl("rsa", "-RSAPublicKey_in", "-inform", "DER", "-pubout", data=item(0x30, body))


def verify(pem, hexadecimal, data, directory):
    """(padding, hash) of the variant that matches, or None."""
    key, sig = os.path.join(directory, "verify.pem"), os.path.join(directory, "verify.sig")
    with open(key, "wb") as file:
        file.write(pem)
    with open(sig, "wb") as file:
        file.write(bytes.fromhex(hexadecimal)[::-1])
    try:
        inner = openssl(
            "pkeyutl", "-verifyrecover", "-pubin", "-inkey", key, "-in", sig,
            "-pkeyopt", "rsa_padding_mode:pkcs1",
        )  # fmt: skip
    except ValueError:
        return None
    for name, info in DIGEST_INFO.items():
        value = digest(data, name)
        if inner == info + value:
            return "digest-info", name
        if inner == value:
            return "bare", name
    return None


def token(key, claims, thumbprint="bGFiLXRva2VuLXNpZ25lci0xLjA"):
    """A JWT, RS256."""

    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    head = {"typ": "JWT", "alg": "RS256", "x5t": thumbprint}
    text = b".".join(part(json.dumps(item).encode()) for item in (head, claims))
    return (text + b"." + part(key.sign(text))).decode()
