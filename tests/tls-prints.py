#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""JA3, server names and certificates of the shipped captures, and of the corpus where it is, against
what tshark and `openssl x509` said of them (tls-prints.tsv).

In: $CCMSCOPE, pcaps/, $CCM_CORPUS. Out: TAP. Compared as lists without order, since tshark and the
program may give a message that spans segments to another frame.
UPDATE=1 asks tshark and openssl again and rewrites the table.
"""
import collections
import functools
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(os.environ.get("srcdir", pathlib.Path(__file__).resolve().parent.parent))
CORPUS = pathlib.Path(os.environ.get("CCM_CORPUS", HERE.parent / "shared" / "corpus"))
TABLE = HERE / "tests" / "tls-prints.tsv"
KINDS = ("JA3", "server name", "certificate")
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
    """Serial, bits and fingerprint as openssl has them."""
    der = bytes.fromhex(der_hex)
    text = output("openssl", "x509", "-inform", "DER", "-noout", "-serial", "-fingerprint", "-sha256",
                  "-text", data=der).decode()
    lines = dict(line.split("=", 1) for line in text.splitlines() if line.startswith(("serial=", "sha256 F")))
    bits = next((line.split("(")[1].split()[0] for line in text.splitlines() if "Public-Key: (" in line), "0")
    return "%x %s %s" % (int(lines["serial"], 16), bits, lines["sha256 Fingerprint"].replace(":", "").lower())


def told(path):
    facts = observed(path)
    hellos = [f for f in facts if f.get("k") == "tls_client_hello"]
    certificates = (f for f in facts if f.get("k") == "tls_certificate" and "fingerprint" in f)
    return (
        [f["ja3"] for f in hellos if "ja3" in f],
        [f["sni"] for f in hellos if "sni" in f],
        ["%x %d %s" % (int(f["serial"], 16), f.get("key_bits", 0), f["fingerprint"]) for f in certificates],
    )


def problems(path, expected):
    if not expected:
        yield "tls-prints.tsv lacks it: UPDATE=1"
    for kind, ours in zip(KINDS, told(path)):
        ours, theirs = collections.Counter(ours), collections.Counter(expected.get(kind, []))
        if theirs - ours or (ours - theirs and path.name not in HOLES):
            yield "%s: only here %s, only there %s" % (kind, list(ours - theirs)[:3], list(theirs - ours)[:3])


def captures():
    """Name in the table, path."""
    for pattern in ("tls-*", "cmg-*", "proxy-*"):
        for path in (HERE / "pcaps").glob(pattern + ".pcapng"):
            yield path.name, path
    if (CORPUS / "expected.tsv").is_file():
        with open(CORPUS / "expected.tsv", encoding="utf-8") as stream:
            for name in {line.split("\t")[0] for line in stream if "\ttls.streams_with_client_hello\t" in line}:
                if "#" not in name and pathlib.Path(name).name not in OTHER:
                    yield "corpus/" + name, CORPUS / name


def update(paths):
    with open(TABLE, "w", encoding="utf-8") as stream:
        print("# what tshark and openssl said; written by UPDATE=1 tests/tls-prints.py", file=stream)
        for name, path in paths:
            ja3, names, certificates = tshark(path)
            said = zip(KINDS, (ja3, names, map(x509, certificates)))
            for row in [(kind, value) for kind, values in said for value in values] or [("nothing", "")]:
                print(name, *row, sep="\t", file=stream)


def main():
    paths = sorted(captures())
    if os.environ.get("UPDATE"):
        return update(paths)
    table = collections.defaultdict(lambda: collections.defaultdict(list))
    with open(TABLE, encoding="utf-8") as stream:
        for line in stream:
            if line[0] != "#":
                name, kind, value = line.rstrip("\n").split("\t")
                table[name][kind].append(value)
    failed = 0
    print("1..%d" % len(paths))
    for number, (name, path) in enumerate(paths, 1):
        bad = list(problems(path, table[name]))
        failed += bool(bad)
        print("%sok %d - %s" % ("not " if bad else "", number, name))
        for problem in bad:
            print("# " + problem)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
