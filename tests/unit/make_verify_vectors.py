#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes verify_openssl.h: signatures made by the openssl command with throw-away keys, none of
which is kept. Run it again to have other ones: python3 make_verify_vectors.py > verify_openssl.h"""
import os
import subprocess
import tempfile

TEXT = "GUID:0F8FAD5B-D9CB-469F-A165-70867728950E"
HASHES = (("SHA-256", "sha256"), ("SHA-1", "sha1"), ("SHA-384", "sha384"), ("SHA-512", "sha512"))
INFO256 = bytes.fromhex("3031300d060960864801650304020105000420")
NO_NULL = bytes.fromhex("302f300b0609608648016503040201" + "0420")


def openssl(*words, data=b""):
    return subprocess.run(("openssl",) + words, input=data, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def new_key(bits, exponent=65537):
    name = f"key-{bits}-{exponent}.pem"
    openssl("genpkey", "-algorithm", "RSA", "-out", name, "-pkeyopt", f"rsa_keygen_bits:{bits}",
            "-pkeyopt", f"rsa_keygen_pubexp:{exponent}")
    return name


def sign(key, digest, data):
    with open("data", "wb") as f:
        f.write(data)
    return openssl("dgst", "-" + digest, "-sign", key, "data")


def raw(key, block, padding):
    with open("block", "wb") as f:
        f.write(block)
    # decrypting is the same operation, and takes blocks that are longer than a hash
    return openssl("pkeyutl", "-decrypt" if padding == "none" else "-sign", "-inkey", key, "-in", "block",
                   "-pkeyopt", f"rsa_padding_mode:{padding}")


def digest_of(digest, data):
    return openssl("dgst", "-" + digest, "-binary", data=data)


def string(name, text):
    lines = [text[i:i + 88] for i in range(0, len(text), 88)]
    print(f"static const char {name}[] =")
    print("\n".join(f'    "{line}"' for line in lines) + ";")


def pem(name, data):
    lines = data.decode().splitlines()
    print(f"static const char {name}[] =")
    print("\n".join(f'    "{line}\\n"' for line in lines) + ";")


def key_strings(name, key):
    string(name + "_der", openssl("rsa", "-in", key, "-pubout", "-outform", "DER").hex())


def forged(key, size):
    """Blocks that are not what PKCS #1 says, signed by who holds the key."""
    h = digest_of("sha256", (TEXT + "\0").encode("utf-16le"))
    t = INFO256 + h
    yield "behind the hash", b"\0\1" + b"\xff" * 8 + b"\0" + t, True
    yield "short padding", b"\0\1" + b"\xff" * 7 + b"\0" + t + b"\0", True
    yield "block type 2", b"\0\2" + b"\xff" * (size - 3 - len(t)) + b"\0" + t, False
    yield "block type 0", b"\0\0" + b"\0" * (size - 3 - len(t)) + b"\0" + t, False
    yield "padding broken", b"\0\1" + b"\xff" * 20 + b"\xfe" + b"\xff" * (size - 24 - len(t)) + b"\0" + t, False
    other = INFO256[:14] + b"\x08" + INFO256[15:] + h  # names SHA3-256, which is as long
    yield "another hash's name", b"\0\1" + b"\xff" * (size - 3 - len(other)) + b"\0" + other, False
    n = NO_NULL + h
    yield "no parameters", b"\0\1" + b"\xff" * (size - 3 - len(n)) + b"\0" + n, False
    yield "zero before the hash", b"\0\1" + b"\xff" * (size - 4 - len(h)) + b"\0\0" + h, False


def main():
    print("/* SPDX-License-Identifier: GPL-2.0-or-later\n"
          " * verify_openssl.h - made by make_verify_vectors.py with the openssl command: signatures in\n"
          " * the usual byte order (not reversed), and their public keys. */")
    print("#ifndef CCM_TEST_VERIFY_OPENSSL_H\n#define CCM_TEST_VERIFY_OPENSSL_H\n")
    string("openssl_text", TEXT)
    key = new_key(1024)
    key_strings("openssl_1024", key)
    string("openssl_1024_rsa", openssl("rsa", "-in", key, "-RSAPublicKey_out", "-outform", "DER").hex())
    pem("openssl_1024_pem", openssl("rsa", "-in", key, "-pubout"))
    pem("openssl_1024_certificate",
        openssl("req", "-x509", "-new", "-key", key, "-subj", "/CN=SMS", "-days", "36500"))
    ec = openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    pem("openssl_ec_pem", openssl("pkey", "-pubout", data=ec))
    print("\n/* by the key of 1024 bits; nul: 0 = signed bytes as they are (the text in ASCII), 1 = UTF-16LE\n"
          " * and NUL, 2 = UTF-16LE */")
    print("static const struct {\n    const char *variant;\n    int nul;\n    const char *signature;\n"
          "} openssl_rows[] = {")
    for label, digest in HASHES:
        for nul in (0, 1, 2):
            data = (TEXT.encode(), (TEXT + "\0").encode("utf-16le"), TEXT.encode("utf-16le"))[nul]
            tail = ("", ", NUL", ", no NUL")[nul]
            print(f'    {{ "{label} DigestInfo{tail}", {nul},\n      "{sign(key, digest, data).hex()}" }},')
            bare = raw(key, digest_of(digest, data), "pkcs1")
            print(f'    {{ "{label} bare hash{tail}", {nul},\n      "{bare.hex()}" }},')
    print("};\n\n/* other sizes and exponents: SHA-256 DigestInfo of UTF-16LE and NUL */")
    print("static const struct {\n    int bits, exponent;\n    const char *der, *signature;\n"
          "} openssl_sizes[] = {")
    for bits, exponent in ((512, 65537), (1032, 65537), (2048, 3), (3072, 65537), (4096, 17)):
        other = new_key(bits, exponent)
        der = openssl("rsa", "-in", other, "-pubout", "-outform", "DER").hex()
        signature = sign(other, "sha256", (TEXT + "\0").encode("utf-16le")).hex()
        print(f'    {{ {bits}, {exponent},\n      "{der}",\n      "{signature}" }},')
    print("};\n\n/* by the key of 1024 bits, over blocks that are not strictly of the right form */")
    print("static const struct {\n    const char *what, *signature;\n} openssl_forged[] = {")
    for what, block, fill in forged(key, 128):
        block = block + os.urandom(128 - len(block)) if fill else block
        assert len(block) == 128, what
        print(f'    {{ "{what}",\n      "{raw(key, block, "none").hex()}" }},')
    print("};\n\n#endif")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        main()
