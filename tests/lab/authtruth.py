#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ground truth of an authentication capture as JSON on stdout; the format is in README.md.

in:   PCAP --log JSONL (Apache, ntlmd.py), --kdc LOG (krb5kdc), --attempts, --accounts, --fallbacks
      JSONL (auth-clients.sh), --tokens JSONL, --tls DIRECTORY (see tlstruth.py)
out:  what truth.py writes, and auth, anonymous, attempts, kerberos, fallbacks, tokens, tls;
      exit 1 when a server did not do what the attempt expected
"""
import argparse
import collections
import json
import os
import re
import sys

import pcapfile
import tlstruth
import truth

ISSUE = re.compile(
    r"(AS|TGS)_REQ \(.*?\) ([\d.]+): ([A-Z_]+): (?:authtime \d+, )?(?:etypes \{.*?\},? )?"
    r"(\S+) for (\S+?)(?:, (.*))?$"
)


def rows(path):
    if not path or not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def directory(target):
    """First part of the path, in lower case."""
    words = target.split(" ")
    path = words[1] if len(words) > 1 else target
    path = re.sub(r"^http://[^/]*", "", path)  # of a request to a proxy
    return path.lstrip("/").split("?")[0].split("/")[0].lower()


def plain(user):
    """LAB\\NAME or NAME@REALM without what stands around the name."""
    return user.split("\\")[-1].split("@")[0]


def authenticated(log, kinds):
    found = {}
    for row in log:
        if row["mech"] == "-" and row["user"] != "-" and row["status"] not in (401, 407):
            wrapper = row["scheme"]
            mode = wrapper.lower()  # basic or digest
        elif row["mech"] == "-":
            continue
        else:
            wrapper, mechanism = row["mech"].split("/")
            mode = "ntlm" if mechanism == "NTLM" else "kerberos"
        key = (row["client"], row["server"], mode, wrapper, row["user"])
        entry = found.setdefault(
            key,
            {
                "client": row["client"],
                "server": row["server"],
                "port": row["port"],
                "mode": mode,
                "scheme": wrapper,
                "account": row["user"],
                "account_kind": kinds.get(plain(row["user"]), "anonymous"),
                "requests": 0,
                "connections": set(),
                "directories": set(),
                "agents": set(),
            },
        )
        entry["requests"] += 1
        entry["connections"].add(row["client_port"])
        entry["directories"].add(directory(row["target"]))
        entry["agents"].add(row.get("agent", ""))
    for entry in found.values():
        entry["connections"] = len(entry["connections"])
        entry["directories"] = sorted(entry["directories"])
        entry["agents"] = sorted(entry["agents"] - {""})
    return [found[key] for key in sorted(found)]


def without(log):
    """Requests that carried no credential on a connection that had none."""
    known = {(r["client"], r["client_port"]) for r in log if r["scheme"] != "-"}
    found = collections.defaultdict(collections.Counter)
    for row in log:
        if (row["client"], row["client_port"]) not in known:
            key = (row["client"], row["server"], directory(row["target"]))
            found[key][str(row["status"])] += 1
    return [
        {"client": c, "server": s, "directory": d, "statuses": found[(c, s, d)]}
        for c, s, d in sorted(found)
    ]


def tickets(path):
    found = collections.Counter()
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            match = ISSUE.search(line.rstrip("\n"))
            if match:
                kind, client, result, cname, sname, _ = match.groups()
                found[(client, kind, result, cname, sname)] += 1
    names = ("client", "exchange", "result", "cname", "sname")
    return [{**dict(zip(names, key)), "count": found[key]} for key in sorted(found)]


def disagreements(attempts, auth, anonymous):
    for row in attempts:
        where = "%(client)s %(mode)s %(account)s" % row
        if row["mode"] == "token":  # tokens.jsonl says more
            continue
        if row["mode"] == "anonymous":
            got = {
                status
                for entry in anonymous
                if entry["client"] == row["client"]
                for status in entry["statuses"]
            }
            wanted = {"401", "403", "407"} if row["expect"] == "rejected" else {"200", "206", "404"}
            good = bool(got & wanted)
        else:
            done = any(
                (entry["client"], entry["mode"], plain(entry["account"]))
                == (row["client"], row["mode"], row["account"])
                for entry in auth
            )
            good = done == (row["expect"] == "accepted") or not row["account"]
        if not good:
            yield "%s should be %s" % (where, row["expect"])


def hide(out, made):
    """What is not in clear goes to `decrypted`."""
    names = ("requests", "statuses", "services", "auth", "anonymous", "tokens")
    out["decrypted"] = {name: out.pop(name) for name in names}
    out.update(requests={}, statuses={}, services=[])
    out["tls"] = [made.connection(attempt) for attempt in made.connections()]
    out["certificates"] = made.used(out["tls"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pcap")
    for name in ("log", "kdc", "attempts", "accounts", "fallbacks", "tokens", "tls"):
        parser.add_argument("--" + name)
    options = parser.parse_args()
    log, attempts = rows(options.log), rows(options.attempts)
    kinds = {row["account"]: row["kind"] for row in rows(options.accounts)}
    packets = pcapfile.read(options.pcap)
    events = list(truth.from_log(options.log))
    out = truth.summary(events, packets, "server logs")
    roles = {(row["server"], row["port"]): row["role"] for row in log}
    for service in out["services"]:
        service["role"] = roles[(service["server"], service["port"])]
    out["auth"] = authenticated(log, kinds)
    out["anonymous"] = without(log)
    out["attempts"] = attempts
    out["kerberos"] = tickets(options.kdc)
    out["fallbacks"] = rows(options.fallbacks)
    wrong = list(disagreements(attempts, out["auth"], out["anonymous"]))
    if options.tokens:
        out["tokens"] = rows(options.tokens)
        asked = [(r["client"], r["method"], r["target"], r["status"]) for r in out["tokens"]]
        logged = [
            (r["client"], r["method"], r["target"].split(" ")[1], r["status"])
            for r in log if r["scheme"] == "Bearer"
        ]  # fmt: skip
        if asked != logged:
            wrong.append("tokens: meant %s, logged %s" % (asked, logged))
    if options.tls:
        made = tlstruth.Truth(options.tls)
        hide(out, made)
        wrong += made.wrong
    for line in wrong:
        print("lab: " + line, file=sys.stderr)
    print(json.dumps(out, indent=1, sort_keys=True))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
