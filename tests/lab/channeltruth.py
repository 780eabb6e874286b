# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of the truth that is about channels and names, for tlstruth.py.

in:   tries.jsonl and fallbacks.jsonl (channel.py and cmg.sh), dns.part (dnsmasq's log)
out:  lists for the truth file
"""
import os
import re

QUERY = re.compile(r": (\d+) ([\d.]+)/\d+ query\[(\w+)\] (\S+) from")
REPLY = re.compile(r": (\d+) [\d.]+/\d+ config (\S+) is (\S+)")
PROXY = ("proxy-denied", "proxy-failed")
OUTCOMES = ("attempted", "established", "refused", "unanswered", "reset")


def instance(port):
    """Number of the VM, as people count, from the port (routes-and-ports, section 6)."""
    if 10124 <= port <= 10139:
        return port - 10123
    return port - 10139 if 10140 <= port <= 10155 else None


def channels(tries):
    """Attempts by client, server and port, with what became of them."""
    found, names = {}, {}
    for row in tries:
        key = (row["client"], row["server"], row["port"], row.get("via", ""))
        entry = found.setdefault(key, dict.fromkeys(OUTCOMES, 0))
        names[key] = row.get("name", "")
        entry["attempted"] += 1
        if row["outcome"] in ("refused", "unanswered"):
            entry[row["outcome"]] += 1
        elif row["outcome"] in PROXY:
            entry["refused"] += 1
        else:
            entry["established"] += 1
        entry["reset"] += row["outcome"] == "reset"
        entry["silent"] = entry.get("silent", 0) + (row["outcome"] == "silent")
    out = []
    for key in sorted(found):
        entry = dict(zip(("client", "server", "port", "via"), key))
        if entry["via"]:
            entry["name"] = names[key]
        else:
            del entry["via"]
        if instance(key[2]):
            entry["instance"] = instance(key[2])
        entry["protocol"] = "tcp-tls" if 10140 <= key[2] <= 10155 else "https"
        entry["connections"] = found[key]
        out.append(entry)
    return out


def disagreements(tries, fallbacks):
    """Where a try did not end as the scenario says."""
    for row in fallbacks:
        for port, want in ((row["from"], {row["why"]}), (row["to"], {"up"})):
            got = {
                t["outcome"]
                for t in tries
                if (t["client"], t["server"], t["port"], t.get("via") if port == row["to"] else row.get("via"))
                == (row["client"], row["server"], port, row.get("via"))
            }
            if got != want:
                yield "port %d: meant %s, met %s" % (port, want, got)


def names(path):
    """Questions that dnsmasq logged, with its answers."""
    if not os.path.exists(path):
        return []
    out, numbers = [], {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            asked = QUERY.search(line)
            if asked:
                number, client, kind, name = asked.groups()
                numbers[number] = {"client": client, "type": kind, "name": name, "answers": []}
                out.append(numbers[number])
            said = REPLY.search(line)
            if said and said.group(1) in numbers:
                numbers[said.group(1)]["answers"].append(list(said.groups()[1:]))
    return out
