#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The decision tables on authentication, row by row, against what the program says of shipped captures.

In: $CCMSCOPE, auth-tables.tsv (its head explains the columns), pcaps/. Rows of auth-matrix are about three
captures of the same exchanges: clear, TLS 1.2 and TLS 1.3 with their keys. A row holds when such a
verdict is there, and each client that has it has it like this. Of a client and server that are
listed, no verdict may be there that no row expects. Prints TAP. `auth-tables.py --list` prints which rows of the tables have a capture.
"""
import csv
import functools
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(os.environ.get("srcdir", pathlib.Path(__file__).resolve().parent.parent))
TABLE = HERE / "tests" / "auth-tables.tsv"
MATRIX = {"clear": "80", "tls12+keys": "443", "tls13+keys": "443"}
COLUMNS = "capture source destination stage mode kind account certainty evidence reference".split()


def rows():
    with open(TABLE, encoding="utf-8", newline="") as file:
        lines = [line for line in file if not line.startswith("#")]
    for values in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
        if len(values) != len(COLUMNS):
            raise SystemExit("auth-tables.tsv: %d columns: %s" % (len(values), values))
        row = dict(zip(COLUMNS, values))
        matrix = MATRIX.items() if row["capture"] == "auth-matrix" else ()
        for kind, port in matrix:
            yield dict(row, capture="auth-matrix-" + kind, destination=row["destination"].replace("PORT", port))
        if row["capture"] != "auth-matrix":
            yield row


@functools.cache
def verdicts(capture):
    """(destination, source) -> its verdicts"""
    name, keyed, _ = capture.partition("+keys")
    path = next((HERE / "pcaps").glob(name + ".pcap*"))
    command = [os.environ["CCMSCOPE"], "report", "--format", "json", "--per-client", str(path)]
    if keyed:
        command += ["--keylog", str(path.with_suffix(".keys"))]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True)
    found = {}
    for route in json.loads(done.stdout)["routes"]:
        destination = "%s:%s" % (route["destination"]["address"], route.get("port"))
        client = found.setdefault((destination, route["source"]["address"]), [])
        client.extend(route.get("auth", []))
    return found


def key(verdict):
    return tuple(verdict.get(name) for name in ("stage", "mode", "account_kind", "account"))


def key_of(row):
    values = (row["stage"], row["mode"], row["kind"], row["account"])
    return tuple(None if value == "-" else value for value in values)


def unlike(row, verdict):
    """What of the row this verdict does not have."""
    if row["certainty"] not in ("*", verdict["certainty"]):
        yield "certainty is " + verdict["certainty"]
    have = {}
    for item in verdict["evidence"]:
        have[item["id"]] = item
    for wanted in row["evidence"].split():
        name, equals, number = wanted.partition("=")
        if equals:
            count = verdict.get(name, 0)
            if count != int(number):
                yield "%s is %d" % (name, count)
        elif wanted.startswith("!"):
            if wanted[1:] in have:
                yield "has " + wanted[1:]
        else:
            name, colon, code = wanted.partition(":")
            if name not in have:
                yield "lacks " + name
            elif colon and have[name].get("error_code") != int(code):
                yield "%s has code %s" % (name, have[name].get("error_code"))


def check(row):
    clients = [
        client
        for client in verdicts(row["capture"])
        if client[0] == row["destination"] and row["source"] in ("*", client[1])
    ]
    if not clients:
        yield "no such client and server"
    matched = False
    for client in clients:
        # one client may talk to two roles at one address
        same = [v for v in verdicts(row["capture"])[client] if key(v) == key_of(row)]
        problems = [list(unlike(row, v)) for v in same]
        matched |= bool(same)
        if problems and all(problems):
            yield "%s: %s" % (client[1], "; ".join(min(problems, key=len)))
    if clients and not matched:
        yield "no such verdict among %s" % [key(v) for v in verdicts(row["capture"])[clients[0]]]


def unexpected(table):
    """Verdicts of listed clients and servers that no row knows."""
    listed = {(r["capture"], r["destination"], r["source"]) for r in table}
    keys = {(r["capture"], r["destination"], r["source"], key_of(r)) for r in table}
    for capture in sorted({r["capture"] for r in table}):
        for (destination, source), found in verdicts(capture).items():
            if (capture, destination, source) not in listed:
                continue
            for verdict in found:
                ways = [(capture, destination, who, key(verdict)) for who in (source, "*")]
                if not any(way in keys for way in ways):
                    yield "%s: %s to %s: %s" % (capture, source, destination, key(verdict))


def main():
    table = list(rows())
    if sys.argv[1:] == ["--list"]:
        for row in table:
            print("%-16s %s" % (row["capture"], row["reference"]))
        return 0
    failed = 0
    tests = [(" ".join((r["capture"], r["source"], r["destination"], r["stage"], r["mode"],
                        r["reference"].replace("#", ""))), list(check(r))) for r in table]
    tests.append(("nothing else is told of these clients and servers", list(unexpected(table))))
    print("1..%d" % len(tests))
    for number, (name, problems) in enumerate(tests, 1):
        failed += bool(problems)
        print("%sok %d - %s" % ("not " if problems else "", number, name))
        for problem in problems:
            print("# " + problem)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
