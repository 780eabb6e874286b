#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told of TLS handshakes may become less, but never wrong: with a segment lost, with the capture
beginning or ending somewhere, with one direction, with a snap length, with packets swapped and twice.

In: $CCMSCOPE, the shipped captures and their truth (logs of servers, words of clients), and editcap, which
makes them readable for the lab's own pcap code; skipped without it. Prints TAP.
"""
import json
import os
import shutil
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(here, ".."), os.path.join(here, "..", "lab")]
sys.dont_write_bytecode = True
import pcapfile  # noqa: E402
import sample  # noqa: E402

CAPTURES = ["tls-pki", "tls-self-signed", "tls-resumption", "tls-renegotiation", "tls-failures"]
STEPS = max(24 // sample.EVERY, 6)
CLIENT = {"sent": "yes", "empty": "no", "not-requested": "no"}
MODES = {"pki": "pki-certificate", "self-signed": "self-signed-certificate"}


def variants(packets):
    def segment(p):
        return pcapfile.segment(p.data)

    loaded = [i for i, p in enumerate(packets) if segment(p) and segment(p).payload]
    for i in loaded[:: max(1, len(loaded) // STEPS)]:
        yield "lost %d" % i, packets[:i] + packets[i + 1 :]
    for i in range(0, len(packets), max(1, len(packets) // (3 * STEPS))):
        yield "from %d" % i, packets[i:]
    for i in range(1, len(packets), max(1, len(packets) // STEPS)):
        yield "to %d" % i, packets[:i]
    for up in (True, False):
        yield "one direction", [p for p in packets if segment(p) and (segment(p).dport < segment(p).sport) == up]
    for size in (80, 120, 200, 320, 600, 1000):
        yield "snap length %d" % size, [p._replace(data=p.data[:size]) for p in packets]
    yield "swapped", [q for i in range(0, len(packets) - 1, 2) for q in (packets[i + 1], packets[i])]
    yield "twice", [q for p in packets for q in (p, p)]


def wrong(line, entry, kinds):
    """What of the line is neither true nor unknown. A weak word may be wrong: it says so."""
    tls = line["tls"]
    known = not entry.get("certificate_asked_in") # else it may come later than the capture goes
    client = CLIENT.get(entry.get("client_certificate"))
    if known and tls["client_certificate"] not in ("unknown", client) and tls["client_certainty"] != "weak":
        yield "client certificate %s (%s)" % (tls["client_certificate"], tls["client_certainty"])
    if tls["server_certificate"] not in ("hidden", entry.get("server_certificate")):
        yield "server certificate " + tls["server_certificate"]
    if tls["version"] not in ("TLS", "TLS " + entry.get("version", "TLSv")[4:]):
        yield "version " + tls["version"]
    if tls.get("sni") not in (None, entry.get("sni")):
        yield "sni " + tls["sni"]
    if tls["resumed"] and entry["handshake"] != "resumed":
        yield "resumed"
    if tls["established"] and entry["handshake"] not in ("full", "resumed"):
        yield "established"
    alerts = [(a["from"], a["encrypted"] or a["code"]) for a in entry.get("alerts", [])]
    for a in tls["alerts"]:
        if (a["from"], "encrypted" in a or a["alert"]) not in alerts:
            yield "alert %s" % a
    for verdict in line.get("auth", []):
        mode = MODES.get(kinds.get(entry.get("client_certificate_name")))
        sure = verdict["certainty"] != "weak" # a renegotiation, of which only sizes are seen
        if verdict["mode"] in MODES.values() and (client != "yes" or (sure and verdict["mode"] != mode)):
            yield "%s (%s)" % (verdict["mode"], verdict["certainty"])
        if verdict.get("denied") and not alerts:
            yield "denied"


def told(path):
    run = subprocess.run([os.environ["CCMSCOPE"], "exchanges", "--json", "-q", path], capture_output=True,
                         stdin=subprocess.DEVNULL, timeout=60, check=True)
    return [line for line in map(json.loads, run.stdout.splitlines()) if "tls" in line]


def problems(pcaps, name, scratch):
    path, variant = os.path.join(scratch, "all.pcap"), os.path.join(scratch, "variant.pcap")
    subprocess.run(["editcap", "-F", "pcap", os.path.join(pcaps, name + ".pcapng"), path], check=True)
    with open(os.path.join(pcaps, name + ".truth.json"), encoding="utf-8") as file:
        truth = json.load(file)
    kinds = {c["name"]: c["kind"] for c in truth["certificates"]}
    entries = {("%s:%s" % (e["client"], e["client_port"]), "%s:%s" % (e["server"], e["port"])): e
               for e in truth["tls"] if e["handshake"] != "none"}
    seen = 0
    for title, packets in variants(pcapfile.read(path)):
        pcapfile.write(variant, packets)
        for line in told(variant):
            seen += 1
            entry = entries.get((line["source"], line["destination"]))
            for problem in wrong(line, entry, kinds) if entry else ["no such connection"]:
                yield "%s, %s: %s" % (title, line["source"], problem)
    if seen < 3 * len(entries) * STEPS // 2:
        yield "only %d handshakes were told in all" % seen


def main():
    if not shutil.which("editcap"):
        print("1..0 # SKIP editcap is not installed")
        return 0
    return sample.sweep(CAPTURES, problems)


if __name__ == "__main__":
    sys.exit(main())
