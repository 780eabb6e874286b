#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks JSON output of ccmscope against docs/report.schema.json.

usage: validate.py [--schema FILE] [--exchanges] FILE...   ('-' is stdin)

Without --exchanges a file holds one report; with it, a line holds one exchange. Beyond the schema, a
report's route rows must add up to the capture's packets and bytes, keys must not repeat, and arrays
of one timeline must be equally long. Exit code 0: all valid, 1: something is not, 2: usage,
77: the module jsonschema (Debian: python3-jsonschema) is not installed.
"""
import argparse
import json
import os
import sys

try:
    import jsonschema
except ImportError:
    print("validate.py: python3-jsonschema is not installed", file=sys.stderr)
    sys.exit(77)

DEFAULT_SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "docs",
                              "report.schema.json")
MAX_ERRORS = 10


def unique_keys(pairs):
    """json.loads hook: a repeated key is an error, not a silent overwrite."""
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError(f"repeated key in {keys}")
    return dict(pairs)


def load(text):
    return json.loads(text, object_pairs_hook=unique_keys)


def sums(report):
    """What a schema cannot say."""
    capture = report["capture"]
    for key, total in (("packets", capture["packets"]), ("wire_bytes", capture["bytes"])):
        rows = sum(r[key]["to_destination"] + r[key]["to_source"] for r in report["routes"])
        if rows != total and "no-end" not in capture["incomplete_because"]:
            yield f"routes add up to {rows} {key}, the capture has {total}"
    for row in report["routes"]:
        timeline = row.get("timeline")
        if timeline and len(timeline["to_destination"]) != len(timeline["to_source"]):
            yield f"timeline of {row['route']}: directions differ in length"


def check(validator, name, value, extra):
    errors = [f"{'/'.join(map(str, e.absolute_path)) or '(top)'}: {e.message[:300]}"
              for e in sorted(validator.iter_errors(value), key=lambda e: list(map(str, e.path)))]
    if not errors:
        errors = list(extra(value))
    for error in errors[:MAX_ERRORS]:
        print(f"{name}: {error}", file=sys.stderr)
    return not errors


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--schema", default=DEFAULT_SCHEMA)
    parser.add_argument("--exchanges", action="store_true")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    with open(options.schema, encoding="utf-8") as handle:
        schema = load(handle.read())
    jsonschema.Draft202012Validator.check_schema(schema)
    if options.exchanges:
        schema = {"$ref": "#/$defs/exchange", "$defs": schema["$defs"]}
    validator = jsonschema.Draft202012Validator(schema)
    good = True
    for name in options.files:
        with open(0 if name == "-" else name, encoding="utf-8", closefd=name != "-") as handle:
            text = handle.read()
        try:
            if not options.exchanges:
                good = check(validator, name, load(text), sums) and good
                continue
            for number, line in enumerate(text.splitlines(), 1):
                good = check(validator, f"{name}:{number}", load(line), lambda _: ()) and good
        except ValueError as error:
            print(f"{name}: {error}", file=sys.stderr)
            good = False
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
