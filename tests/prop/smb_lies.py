#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told of SMB may become less, but never wrong: with a segment lost, with the capture beginning or
ending somewhere, with one direction, with a snap length, with packets swapped and twice.

In: $CCMSCOPE, the shipped captures and their truth (Samba's logs). SMB_LIES_STEPS raises the number of
variants. Prints TAP.
"""
import collections
import json
import os
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(here, ".."), os.path.join(here, "..", "lab")]
sys.dont_write_bytecode = True
import pcapfile  # noqa: E402
import sample  # noqa: E402

CAPTURES = ["smb-plain", "smb-signed", "smb-encrypted"]
STEPS = int(os.environ.get("SMB_LIES_STEPS", "6"))
# What the wire says for what the server logs; unknown users are guests there.
RESULTS = {"NT_STATUS_OK": "STATUS_SUCCESS", "NT_STATUS_WRONG_PASSWORD": "STATUS_LOGON_FAILURE",
           "NT_STATUS_NO_SUCH_USER": "STATUS_SUCCESS"}
NO_SHARE = ("10.11.0.22", "NOSUCH")


def variants(packets):
    def segment(p):
        return pcapfile.segment(p.data)

    loaded = [i for i, p in enumerate(packets) if segment(p) and segment(p).payload]
    for i in loaded[:: max(1, len(loaded) // (2 * STEPS))]:
        yield "lost %d" % i, packets[:i] + packets[i + 1 :]
    for n in range(2, 2 + STEPS // 4):
        yield "each %d lost" % (7 * n), [p for i, p in enumerate(packets) if i % (7 * n)]
    for i in range(1, len(packets), max(1, len(packets) // STEPS)):
        yield "from %d" % i, packets[i:]
        yield "to %d" % i, packets[:i]
    for up in (True, False):
        yield "one direction", [p for p in packets if segment(p) and (segment(p).dport < segment(p).sport) == up]
    for size in (80, 120, 140, 180, 200, 260, 320, 600):
        yield "snap length %d" % size, [p._replace(data=p.data[:size]) for p in packets]
    yield "swapped", [q for i in range(0, len(packets) - 1, 2) for q in (packets[i + 1], packets[i])]
    yield "swapped, lost", [q for i in range(0, len(packets) - 2, 3) for q in (packets[i + 2], packets[i])]
    yield "twice", [q for p in packets for q in (p, p)]


class Truth:
    def __init__(self, smb):
        self.protection = smb["protection"]
        self.sessions = collections.Counter()
        self.results, self.guests = collections.defaultdict(set), set()
        for s in smb["sessions"]:
            who = (s["client"], "%s\\%s" % (s["domain"], s["account"]))
            self.sessions[who] += s["count"]
            self.results[who].add(RESULTS[s["status"]])
            if s["status"] == "NT_STATUS_NO_SUCH_USER":
                self.guests.add(who)
        self.shares = {(s["client"], s["share"]) for s in smb["shares"]}
        self.bytes = {"written": collections.Counter(), "read": collections.Counter()}
        self.all = {"written": collections.Counter(), "read": collections.Counter()}
        for f in smb["files"]:
            self.bytes[f["direction"]][f["client"], f["path"]] += f["bytes"]
            self.all[f["direction"]][f["client"]] += f["bytes"]
        self.deleted = {(f["client"], f["path"]) for f in smb["deleted"]}
        self.renamed = {(f["client"], f["path"], f["to"]) for f in smb["renamed"]}


def last(share):
    return share.rsplit("\\", 1)[-1]


def wrong_session(truth, client, s):
    if not s.get("account"):
        return
    who = (client, s["account"])
    if s["count"] > truth.sessions[who]:
        yield "%d sessions of %s" % (s["count"], s["account"])
    if s.get("result") not in truth.results[who] | {None}:
        yield "%s: %s" % (s["account"], s["result"])
    if s["mechanism"] not in ("ntlm", "guest") or (s["mechanism"] == "guest" and who not in truth.guests):
        yield "%s by %s" % (s["account"], s["mechanism"])


def wrong_file(truth, client, f, sums):
    parts = f["path"].lstrip("\\").split("\\", 2)
    path = parts[2] if f["path"].startswith("\\\\") and len(parts) > 2 else None
    for way in ("written", "read"):
        sums[way] += f[way]
        if path:
            sums[way, path] += f[way]
            if sums[way, path] > truth.bytes[way][client, path]:
                yield "%s %s: %d bytes" % (path, way, sums[way, path])
    if f["complete"] > f["handles"]:
        yield "%s: more complete than handles" % f["path"]
    if path and f.get("deleted") and (client, path) not in truth.deleted:
        yield "%s deleted" % path
    if path and f.get("discarded") and (client, path) not in truth.deleted:
        yield "%s: %d bytes discarded" % (path, f["discarded"])
    if path and f.get("renamed_to") and (client, path, f["renamed_to"]) not in truth.renamed:
        yield "%s renamed to %s" % (path, f["renamed_to"])


def wrong(truth, talk):
    client, sums = talk["client"], collections.Counter()
    for s in talk["sessions"]:
        yield from wrong_session(truth, client, s)
        if s["signed"] and truth.protection == "off":
            yield "signed"
        if s.get("dialect") not in (None, "3.1.1"):
            yield "dialect %s" % s["dialect"]
    for s in talk["sessions"] + talk["shares"]:
        if s["encrypted"] and truth.protection != "encrypt":
            yield "encrypted"
    if any(talk["encrypted_bytes"].values()) and truth.protection != "encrypt":
        yield "encrypted bytes"
    for s in talk["shares"]:
        there = (client, last(s["share"])) in truth.shares
        if s["share"] and not there and (client, last(s["share"])) != NO_SHARE:
            yield "share %s" % s["share"]
        if s.get("error") and there:
            yield "share %s: %s" % (s["share"], s["error"])
    for f in talk["files"]:
        yield from wrong_file(truth, client, f, sums)
    for way, to in (("written", "to_destination"), ("read", "to_source")):
        for told in (sums[way], talk["file_bytes"][to]):
            if told > truth.all[way][client]:
                yield "%s in all: %d bytes" % (way, told)


def told(path):
    run = subprocess.run([os.environ["CCMSCOPE"], "report", "--format", "json", "-q", path], capture_output=True,
                         stdin=subprocess.DEVNULL, timeout=60, check=True)
    return json.loads(run.stdout)["smb"]


def problems(pcaps, name, scratch):
    variant = os.path.join(scratch, "variant.pcap")
    with open(os.path.join(pcaps, name + ".truth.json"), encoding="utf-8") as file:
        truth = Truth(json.load(file)["smb"])
    packets = pcapfile.read(os.path.join(pcaps, name + ".pcap"))
    seen = 0
    for title, some in variants(packets):
        pcapfile.write(variant, some)
        for talk in told(variant):
            seen += len(talk["sessions"]) + len(talk["shares"]) + len(talk["files"])
            for problem in wrong(truth, talk):
                yield "%s, %s: %s" % (title, talk["client"], problem)
    if seen < STEPS * len(truth.sessions) * 2:
        yield "only %d facts were told in all" % seen


if __name__ == "__main__":
    sys.exit(sample.sweep(CAPTURES, problems))
