#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare a report of the program with ground truth.

in:   [--decrypted] TRUTH.json REPORT.json [EXCHANGES.jsonl]; --decrypted: the program had the keys
      --list FILE: many at once, each a line of NAME and these words, with tabs between them
out:  differences, one a line; of a list a line per NAME, and differences below it; exit 1 when there is
      a difference
"""
import collections
import json
import sys

import comparefacts
import comparesmb
import comparethrottle


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def differences(words):
    decrypted = words[0] == "--decrypted"
    if decrypted:
        words = words[1:]
    truth, report = load(words[0]), load(words[1])
    if decrypted:
        truth.update(truth["decrypted"])
    wrong = []

    def check(what, want, have):
        if want != have:
            wrong.append("%s: truth %s, program %s" % (what, want, have))

    check("packets", truth["packets"], report["capture"]["packets"])
    sums = collections.Counter()
    found = collections.defaultdict(lambda: {"requests": {}, "statuses": {}})
    total = {"requests": collections.Counter(), "statuses": collections.Counter()}
    for route in report["routes"]:
        end = route.get("via", route["destination"])  # where the packets went
        row = found[(end["address"], end.get("port", route.get("port")))]
        for kind in ("requests", "statuses"):
            if route["protocol"] == "smb":
                continue  # commands, not HTTP requests
            for key, count in route.get(kind, {}).items():
                row[kind][key] = row[kind].get(key, 0) + count
                total[kind][key] += count
        for key in ("packets", "wire_bytes"):
            sums[key] += sum(route[key].values())
    check("packets of all routes", truth["packets"], sums["packets"])
    check("wire bytes of all routes", truth["wire_bytes"], sums["wire_bytes"])
    if "smb" in truth:
        comparesmb.compare(truth, report, check)
    if "writers" in truth:
        comparethrottle.compare(truth, report, check)
    for kind in ("requests", "statuses"):
        check(kind, truth[kind], dict(total[kind]))
        for service in truth["services"]:
            where = (service["server"], service["port"])
            check("%s of %s port %d" % ((kind,) + where), service[kind], found[where][kind])
    for service in truth["services"] if truth["source"] == "server logs" else []:
        # no URL of a state migration point is documented, so nothing tells it
        if service["role"] in ("smp", "unknown"):
            continue
        roles = [
            role["role"]
            for host in report["hosts"]
            if host["address"] == service["server"]
            for role in host["roles"]
        ]
        check("%s is among the roles" % service["role"], True, service["role"] in roles)
    if len(words) > 2:
        with open(words[2], encoding="utf-8") as file:
            lines = [json.loads(line) for line in file if '"protocol":"smb"' not in line.replace(" ", "")]
        methods = collections.Counter(line["method"] for line in lines if "method" in line)
        check("requests in exchanges", truth["requests"], dict(methods))
        comparefacts.compare(truth, report, lines, check)
        if "tls" in truth:
            comparefacts.compare_connections(truth, lines, decrypted, check)
    return wrong


def main():
    if sys.argv[1] != "--list":
        wrong = differences(sys.argv[1:])
        print(*wrong, sep="\n", end="\n" if wrong else "")
        sys.exit(bool(wrong))
    failed = False
    with open(sys.argv[2], encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    for name, *words in rows:
        wrong = differences(words)
        failed = failed or bool(wrong)
        print("FAIL" if wrong else "ok  ", name)
        for line in wrong:
            print("    ", line)
    sys.exit(failed)


if __name__ == "__main__":
    main()
