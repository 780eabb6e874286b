#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Small questions to a JSON report, for tests/cases.

get FILE KEY...        prints report[KEY][KEY]...; a number picks a list's row
each FILE.json... KEY NAME...  prints a line per report: FILE and report[KEY][NAME] of each NAME
same A B...            exits 1 unless all reports say the same, names and order of files aside
lines FILE             exits 1 unless every line is a JSON object; prints how many there are
"""
import json
import os
import sys


def load(path):
    with open(path, encoding="utf-8") as stream:
        return json.load(stream)


def get(path, *keys):
    value = load(path)
    for key in keys:
        value = value[int(key) if isinstance(value, list) else key]
    print(value if isinstance(value, str) else json.dumps(value, sort_keys=True))
    return 0


def each(*words):
    paths = [word for word in words if word.endswith(".json")]
    key, *names = words[len(paths) :]
    for path in paths:
        print(os.path.basename(path)[: -len(".json")], *(load(path)[key][name] for name in names))
    return 0


def differences(a, b, where=""):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(set(a) | set(b)):
            yield from differences(a.get(key), b.get(key), f"{where}.{key}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (left, right) in enumerate(zip(a, b)):
            yield from differences(left, right, f"{where}[{i}]")
    elif a != b:
        yield f"{where}: {json.dumps(a)[:200]} / {json.dumps(b)[:200]}"


def same(first, *others):
    def said(path):
        report = load(path)
        report["capture"].pop("files", None)
        return report

    want, failed = said(first), False
    for other in others:
        wrong = list(differences(want, said(other)))
        for line in wrong[:20]:
            print(other + line)
        failed |= bool(wrong)
    return failed


def lines(path):
    with open(path, encoding="utf-8") as stream:
        print(sum(isinstance(json.loads(line), dict) for line in stream))
    return 0


if __name__ == "__main__":
    sys.exit({"each": each, "get": get, "same": same, "lines": lines}[sys.argv[1]](*sys.argv[2:]))
