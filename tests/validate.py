#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks JSON output of ccmscope against docs/report.schema.json.

usage: validate.py [--schema FILE] [--check-schema] [--tell] FILE...

A FILE.jsonl holds an exchange in each line, any other FILE one report. Beyond the schema, a report's
route rows must add up to the capture's packets and bytes, keys must not repeat, and arrays of one
timeline must be equally long. --tell prints valid or invalid for each file, --check-schema checks the
schema, too. Exit code 0: all valid, 1: something is not, 2: usage, 77: the module jsonschema (Debian:
python3-jsonschema) is not installed.
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


def inlined(part, defs):
    """The schema with its definitions in place, without descriptions: to look each of them up takes most of the time."""
    if isinstance(part, list):
        return [inlined(one, defs) for one in part]
    if not isinstance(part, dict):
        return part
    rest = {key: inlined(value, defs) for key, value in part.items()
            if key not in ("$ref", "$defs") and not (key == "description" and isinstance(value, str))}
    if "$ref" not in part:
        return rest
    meant = inlined(defs[part["$ref"].split("/")[-1]], defs)
    return {**rest, "allOf": rest.get("allOf", []) + [meant]} if rest else meant


def check_file(validators, name):
    exchanges = name.endswith(".jsonl")
    with open(name, encoding="utf-8") as handle:
        text = handle.read()
    try:
        if not exchanges:
            return check(validators[0], name, load(text), sums)
        return all([check(validators[1], f"{name}:{number}", load(line), lambda _: ())
                    for number, line in enumerate(text.splitlines(), 1)])
    except ValueError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--schema", default=DEFAULT_SCHEMA)
    parser.add_argument("--check-schema", action="store_true")
    parser.add_argument("--tell", action="store_true")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    with open(options.schema, encoding="utf-8") as handle:
        schema = load(handle.read())
    if options.check_schema:
        jsonschema.Draft202012Validator.check_schema(schema)
    defs = schema["$defs"]
    validators = [jsonschema.Draft202012Validator(inlined(part, defs))
                  for part in (schema, defs["exchange"])]
    good = [check_file(validators, name) for name in options.files]
    if options.tell:
        print(*("valid" if one else "invalid" for one in good))
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
