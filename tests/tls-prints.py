#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""JA3, server names and certificates of the shipped captures, and of the corpus where it is, against
tshark and `openssl x509`.

In: $CCMSCOPE, pcaps/, $CCM_CORPUS. Out: TAP. Compared as lists without order, since tshark and the
program may give a message that spans segments to another frame.
"""
import collections
import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(os.environ.get("srcdir", pathlib.Path(__file__).resolve().parent.parent))
CORPUS = pathlib.Path(os.environ.get("CCM_CORPUS", HERE.parent / "shared" / "corpus"))
# Where one of the two sees more than the other, for a reason that tests/corpus-differences.tsv tells.
HOLES = {"tls-holes.pcapng", "tls-snaplen.pcapng"} # tshark gives up a message that is cut short
OTHER = {"anydesk.pcapng", "tls-fragmented-handshakes.pcap"}


def output(*command, data=None):
    done = subprocess.run(command, input=data, capture_output=True, timeout=120, check=True)
    return done.stdout


def observed(path):
    with tempfile.TemporaryDirectory() as scratch:
        facts = os.path.join(scratch, "facts.jsonl")
        output(os.environ["CCMSCOPE"], "summary", "-q", "--observations", facts, str(path))
        with open(facts, encoding="utf-8") as stream:
            return [json.loads(line) for line in stream]


def tshark(path):
    """What hellos of clients and certificate messages say: JA3, server names, certificates in hex."""
    text = output("tshark", "-r", str(path), "-o", "tcp.reassemble_out_of_order:TRUE", "-d", "tcp.port==445,tls",
                  "-Y", "tls.handshake.type == 1 || tls.handshake.type == 11", "-T", "fields", "-E", "occurrence=a",
                  "-e", "tls.handshake.ja3", "-e", "tls.handshake.extensions_server_name",
                  "-e", "tls.handshake.certificate").decode()
    rows = [line.split("\t") for line in text.splitlines()]
    return [[value for row in rows for value in row[i].split(",") if value] for i in range(3)]


@functools.lru_cache(maxsize=None)
def x509(der_hex):
    """(serial, bits, CN of the issuer) as openssl has them."""
    der = bytes.fromhex(der_hex)
    text = output("openssl", "x509", "-inform", "DER", "-noout", "-serial", "-fingerprint", "-sha256",
                  "-text", data=der).decode()
    lines = dict(line.split("=", 1) for line in text.splitlines() if line.startswith(("serial=", "sha256 F")))
    bits = next((line.split("(")[1].split()[0] for line in text.splitlines() if "Public-Key: (" in line), "0")
    return (int(lines["serial"], 16), int(bits), lines["sha256 Fingerprint"].replace(":", "").lower())


def check(path):
    facts = observed(path)
    hellos = [f for f in facts if f.get("k") == "tls_client_hello"]
    ja3, names, certificates = tshark(path)
    pairs = (
        ("JA3", [f["ja3"] for f in hellos if "ja3" in f], ja3),
        ("server names", [f["sni"] for f in hellos if "sni" in f], names),
        ("certificates", [(int(f["serial"], 16), f.get("key_bits", 0), f["fingerprint"]) for f in facts
                          if f.get("k") == "tls_certificate" and "fingerprint" in f], map(x509, certificates)),
    )
    for name, ours, theirs in pairs:
        ours, theirs = collections.Counter(ours), collections.Counter(theirs)
        if theirs - ours or (ours - theirs and path.name not in HOLES):
            yield "%s: only here %s, only there %s" % (name, list(ours - theirs)[:3], list(theirs - ours)[:3])


def main():
    if not shutil.which("tshark") or not shutil.which("openssl"):
        print("1..0 # SKIP tshark or openssl is not installed")
        return 0
    paths = sorted(p for pattern in ("tls-*", "cmg-*", "proxy-*") for p in (HERE / "pcaps").glob(pattern + ".pcapng"))
    with_tls = set()
    if (CORPUS / "expected.tsv").is_file():
        with open(CORPUS / "expected.tsv", encoding="utf-8") as stream:
            with_tls = {line.split("\t")[0] for line in stream if "\ttls.streams_with_client_hello\t" in line}
    paths += sorted(CORPUS / name for name in with_tls
                    if "#" not in name and pathlib.Path(name).name not in OTHER)
    failed = 0
    print("1..%d" % len(paths))
    for number, path in enumerate(paths, 1):
        problems = list(check(path))
        failed += bool(problems)
        print("%sok %d - %s" % ("not " if problems else "", number, path.name))
        for problem in problems:
            print("# " + problem)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
