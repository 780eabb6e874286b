#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a fresh run of the lab did the same as the one that was shipped.

in:   [--counts] SHIPPED.truth.json FRESH.truth.json
out:  differences, one a line; exit 1 when there is one
What differs from run to run is left out: numbers of packets, keys and dates of certificates, the
ports that a proxy chose. With --counts only requests and statuses must be the same, and each list
may lack a quarter, as what happens in a minute depends on the machine; but not more.
"""
import difflib
import json
import sys

CHANGES = {
    "packets", "wire_bytes", "client_port", "serial", "sha256", "not_before", "not_after",
    "chain_bytes", "session", "seconds",
}  # fmt: skip


def steady(value):
    if isinstance(value, dict):
        out = {key: steady(item) for key, item in value.items() if key not in CHANGES}
        if "tls" in out:  # some connections are made at the same time
            out["tls"].sort(key=lambda row: json.dumps(row, sort_keys=True))
        return out
    return [steady(item) for item in value] if isinstance(value, list) else value


def lines(path):
    with open(path, encoding="utf-8") as file:
        return json.dumps(steady(json.load(file)), indent=1, sort_keys=True).splitlines()


def fewer(shipped, fresh, where=""):
    """What the fresh one has too little of."""
    for key, value in shipped.items():
        here, got = where + key, fresh.get(key)
        if where == "" and key in ("requests", "statuses"):
            if got != value:
                yield "%s: %s shipped, %s fresh" % (here, value, got)
        elif isinstance(value, dict):
            yield from fewer(value, got or {}, here + ".")
        elif isinstance(value, list) and len(got or []) < len(value) * 3 / 4:
            yield "%s: %d shipped, %d fresh" % (here, len(value), len(got or []))


def main():
    if sys.argv[1] == "--counts":
        found = list(fewer(*(json.load(open(path, encoding="utf-8")) for path in sys.argv[2:4])))
        print("\n".join(found))
        sys.exit(bool(found))
    found = list(difflib.unified_diff(*map(lines, sys.argv[1:3]), "shipped", "fresh", "", "", 2))
    print("\n".join(found))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
