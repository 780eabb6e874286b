# SPDX-License-Identifier: GPL-2.0-or-later
"""Holds suites.tsv against the program; with CCM_SAMPLE=1 (tests/sample.py) also against tshark where it is there,
which says the same for as long as neither the captures nor the table change. In: PCAPS; $CCMSCOPE."""
import csv
import functools
import json
import os
import shutil
import subprocess
import sys

pcaps, here = sys.argv[1], os.path.dirname(os.path.abspath(__file__))
KEYS = {"private key": ".pem", "key log": ".keys"}
FIELDS = ("tcp.stream", "http.request.uri", "tls.handshake.type", "tls.handshake.extension.type",
          "tls.handshake.session_id", "tls.handshake.random")  # fmt: skip


@functools.cache
def ours(capture, secrets):
    path, option = os.path.join(pcaps, capture), []
    if secrets in KEYS:
        option = ["--key" if KEYS[secrets] == ".pem" else "--keylog", path + KEYS[secrets]]
    run = subprocess.run([os.environ["CCMSCOPE"], "exchanges", "--json", *option, path + ".pcapng"],
                         capture_output=True, check=True)  # fmt: skip
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    ends = {line["target"]: line["source"] for line in lines if line.get("decrypted") and "method" in line}
    tls = {line["source"]: line["tls"] for line in lines if "tls" in line}
    return {target: tls[end] for target, end in ends.items()}


@functools.cache
def theirs(capture, secrets):
    """request -> what tshark has of its connection: extensions of hellos, types of messages"""
    path, option = os.path.join(pcaps, capture), []
    if secrets == "private key":
        option = ["-o", 'uat:rsa_keys:"%s.pem",""' % os.path.abspath(path)]
    elif secrets == "key log":
        option = ["-o", "tls.keylog_file:%s.keys" % path]
    command = ["tshark", "-n", "-2", "-r", path + ".pcapng", *option, "-T", "fields", "-E", "occurrence=a"]
    run = subprocess.run(command + [x for f in FIELDS for x in ("-e", f)], capture_output=True, check=True)
    streams, requests = {}, {}
    for line in run.stdout.decode().splitlines():
        stream, uri, types, extensions, *_ = line.split("\t")
        if not stream:
            continue
        seen = streams.setdefault(stream, {"1": [], "2": [], "types": []})
        kinds = types.split(",") if types else []
        seen["types"] += kinds
        for kind in kinds[:1]:
            if kind in seen:
                seen[kind] += extensions.split(",")
        for one in uri.split(",") if uri else ():
            requests[one] = seen
    return requests


def wrong(row):
    family, version, suite, features, secrets, capture, request = row
    features, tls = features.split(), ours(capture, secrets).get(request)
    if not tls:
        yield "not read"
        return
    resumed = any(f.startswith("resumed=") for f in features)
    for name, want in (("version", version), ("cipher", suite), ("resumed", resumed)):
        if tls.get(name) != want:
            yield "%s is %s" % (name, tls.get(name))
    if os.environ.get("CCM_SAMPLE") != "1" or not shutil.which("tshark"):
        return
    seen = theirs(capture, secrets)[request]
    for name, there in (("etm", "22" in seen["2"]), ("ems", "23" in seen["2"]), ("0-rtt", "42" in seen["1"]),
                        ("resumed=psk", "41" in seen["2"]), ("key-update", "24" in seen["types"]),
                        ("retry", version == "TLS 1.3" and seen["types"].count("1") > 1),
                        ("renegotiation", version != "TLS 1.3" and seen["types"].count("1") > 1)):  # fmt: skip
        if there != (name in features):
            yield "tshark: %s is %s" % (name, there)


with open(os.path.join(here, "suites.tsv"), encoding="utf-8") as file:
    rows = list(csv.reader((line for line in file if not line.startswith("#")), delimiter="\t"))
problems = ["%s: %s" % (row, problem) for row in rows for problem in wrong(row)]
print("\n".join(problems))
sys.exit(bool(problems) or len(rows) < 40)
