#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare a report of the program with the truth of a workload, before any speed counts.

in:   TRUTH.json REPORT.json
out:  differences, one a line, exit 1; for a workload with missing packets also the shares found
Without loss everything is equal. With loss: packets and bytes equal, at least 99 % of the requests
and 97 % of the answers whose first segment is in the file, missing bytes within 1 %.
"""
import collections
import json
import sys


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def add(into, what):
    for key, count in what.items():
        into[key] = into.get(key, 0) + count


def gather(report):
    """Sums of the route rows per (server, port)."""
    rows = collections.defaultdict(lambda: collections.defaultdict(dict))
    for route in report["routes"]:
        row = rows[(route["destination"]["address"], route.get("port"))]
        for key in ("packets", "wire_bytes", "payload_bytes", "requests", "statuses"):
            add(row[key], route.get(key, {}))
        add(row["connections"], {"attempted": route["connections"]["attempted"]})
        add(row["missing"], route.get("missing_bytes", {}))
    return rows


def main():
    truth, report = load(sys.argv[1]), load(sys.argv[2])
    rows, wrong = gather(report), []
    loss = truth["impairment"]["missing"] > 0
    total = collections.Counter()

    def check(what, want, have):
        if want != have:
            wrong.append("%s: truth %s, program %s" % (what, want, have))

    check("packets", truth["packets"], report["capture"]["packets"])
    for service in truth["services"]:
        row = rows[(service["server"], service["port"])]
        name = "%s port %d: " % (service["server"], service["port"])
        for key in ("packets", "wire_bytes", "payload_bytes"):
            check(name + key, service[key], row[key])
        check(name + "connections", service["flows"], row["connections"].get("attempted"))
        for key in ("requests", "statuses"):
            if not loss:
                check(name + key, service[key], row[key])
            for value, count in service[key].items():
                found = row[key].get(value, 0)
                total[key] += count
                total["found " + key] += min(found, count)
                if found > count:
                    wrong.append("%s%s %s: %d, more than there are" % (name, key, value, found))
        total["missing"] += sum(row["missing"].values())
    if loss:
        for key, least in (("requests", 0.99), ("statuses", 0.97)):
            share = total["found " + key] / max(total[key], 1)
            print("  %s found: %.2f %%" % (key, share * 100))
            if share < least:
                wrong.append("%s: only %.2f %%" % (key, share * 100))
        want = truth["impairment"]["missing_payload"]
        if abs(total["missing"] - want) > want * 0.01:
            wrong.append("missing bytes: truth %d, program %d" % (want, total["missing"]))
    for line in wrong:
        print(line)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
