#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ground truth of a capture of ccm.sh as JSON on stdout; the format is in README.md.

in:   PCAP DIRECTORY (log: what the servers wrote; agent.jsonl, tokens.jsonl, named.jsonl: what the
      clients were told to do)
out:  what truth.py writes, and messages, signatures, clients, tokens, uploads or named;
      exit 1 when servers and clients disagree
"""
import collections
import json
import os
import sys

import pcapfile
import truth


def rows(directory, name):
    path = os.path.join(directory, name)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def messages(log):
    out = []
    for row in log:
        if "message" in row:
            names = ("client", "server", "target", "status")
            out.append({**{name: row[name] for name in names}, **row["message"]})
    return out


def signatures(log, made, wrong):
    """The client's record; what the server found has to agree, where it knows the key."""
    found = collections.defaultdict(list)
    for row in log:
        where = row.get("message", {}).get("message_id", row["target"])
        for entry in row.get("signatures", []):
            found[(row["client"], where, entry["field"])].append(entry)
    for row in made:
        line = "%(client)s %(field)s %(where)s" % row
        entries = found.get((row["client"], row["where"], row["field"]), [])
        if not entries:
            if row["field"] != "Token":
                wrong.append("%s: the server saw no such signature" % line)
            continue
        entry = entries.pop(0)
        # the server has the key that is never on the wire
        if entry["good"] != (row["verdict"] != "failed"):
            wrong.append("%s: made to be %s, the server says %s" % (line, row["verdict"], entry))
        elif entry["good"]:
            for name in ("padding", "hash", "data"):
                if entry[name] != row[name]:
                    wrong.append("%s: %s %s, server %s" % (line, name, row[name], entry[name]))
    for key, entries in found.items():
        if entries:
            wrong.append("%s %s %s: the client made no such signature" % key)
    return made


def clients(made, log):
    said = [row["message"] for row in log if "message" in row]
    registered = {row["smsid"] for row in said if "smsid" in row}
    with_key = {row["client_id"] for row in said if row["public_key"]}
    out = {}
    for row in made:
        entry = out.setdefault(
            row["client_id"],
            {"client_id": row["client_id"], "addresses": set(), "verified": 0, "failed": 0,
             "no-key": 0, "replayed": 0, "skew_s": row["skew_s"]},
        )  # fmt: skip
        entry["addresses"].add(row["client"])
        entry[row["verdict"]] += 1
        entry["replayed"] += row.get("replay", False)
    for entry in out.values():
        entry["addresses"] = sorted(entry["addresses"])
        entry["key"] = "message" if entry["client_id"] in with_key else "never"
        if entry["client_id"] in registered:
            entry["key"] = "registration"
    return [out[key] for key in sorted(out)]


def uploads(log):
    """Sessions of one client to one path, as the servers saw them."""
    out = {}
    for row in log:
        bits = row.get("bits")
        if not bits:
            continue
        entry = out.setdefault(
            (row["client"], bits["target"]),
            {"client": row["client"], "target": bits["target"], "name": "", "servers": [],
             "sessions": [], "packets": collections.Counter(), "total": None, "received": 0,
             "gaps": 0, "errors": [], "host_id": "", "result": "incomplete"},
        )  # fmt: skip
        entry["packets"][bits["packet"]] += 1
        for name, value in (("servers", row["server"]), ("sessions", bits["session"])):
            if value and value not in entry[name]:
                entry[name].append(value)
        entry["name"] = bits["name"] or entry["name"]
        entry["host_id"] = bits.get("host_id", entry["host_id"])
        entry["total"] = bits.get("total", entry["total"])
        entry["received"] = bits.get("received", entry["received"])
        entry["gaps"] += row["status"] == 416
        if "error_code" in bits:
            entry["errors"].append({"code": bits["error_code"], "context": bits["error_context"]})
        if bits["packet"] == "Close-Session":
            entry["result"] = "complete" if row["status"] == 200 else "refused"
        if bits["packet"] == "Cancel-Session":
            entry["result"] = "cancelled"
    return [out[key] for key in sorted(out)]


def with_statuses(made, log, wrong):
    """The clients' record, each line with the status the server gave."""
    found = collections.defaultdict(list)
    for row in log:
        key = (row["client"], row["server"], row["method"], row["target"])
        found[key].append(row["status"])
    for row in made:
        entries = found[(row["client"], row["server"], row["method"], row["target"])]
        if not entries:
            wrong.append("no server saw %(client)s %(method)s %(target)s" % row)
            continue
        row["status"] = entries.pop(0)
    return made


def main():
    pcap, directory = sys.argv[1:3]
    path = os.path.join(directory, "log")
    log, wrong = rows(directory, "log"), []
    out = truth.summary(list(truth.from_log(path)), pcapfile.read(pcap), "server logs")
    roles = {(row["server"], row["port"]): row["role"] for row in log}
    for service in out["services"]:
        service["role"] = roles[(service["server"], service["port"])]
    made = rows(directory, "agent.jsonl")
    if made:
        out["messages"] = messages(log)
        out["signatures"] = signatures(log, made, wrong)
        out["clients"] = clients(made, log)
    for name, key in (("tokens.jsonl", "tokens"), ("named.jsonl", "named")):
        made = rows(directory, name)
        if made:
            out[key] = with_statuses(made, log, wrong)
    if any("bits" in row for row in log):
        out["uploads"] = uploads(log)
    for line in wrong:
        print("lab: " + line, file=sys.stderr)
    print(json.dumps(out, indent=1, sort_keys=True))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
