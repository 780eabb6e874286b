#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ground truth of a run of smb.sh or throttle.sh, from Samba's logs; of throttle.sh also from the senders'.

in:  CAPTURE DIRECTORY (of the scenario) PROTECTION
out: the truth as JSON (README.md tells its members)
Samba logs each WRITE and READ at level 3 of class smb2, each authentication as JSON, and each
connection to a share, deletion and rename by vfs_full_audit.
"""
import collections
import json
import os
import re
import sys

import pcapfile

TRANSFER = re.compile(
    r"(?:smb2|smbd_smb2_read): fnum (?P<fnum>\d+), file (?P<file>.*), length=(?P<length>\d+) offset=\d+ "
    r"(?P<kind>wrote|read)=(?P<bytes>\d+)")
AUDIT = re.compile(r"(?P<client>[\d.]+)\|(?P<share>[^|]+)\|(?P<user>[^|]*)\|(?P<what>connect|unlinkat|renameat)\|"
                   r"(?P<result>ok|fail[^|]*)\|(?P<rest>.*)")


def audits(text):
    for line in text.splitlines():
        match = AUDIT.search(line)
        if match:
            yield match.groupdict()


def relative(path, root):
    """Of an absolute path below the folder of a share: the path inside it, as a client says it."""
    if not path.startswith(root):
        return path.replace("/", "\\")
    return path[len(root):].strip("/").partition("/")[2].replace("/", "\\")


def read_logs(directory):
    root = os.path.join(directory, "share") + "/"
    files, shares, deleted, renamed = collections.Counter(), set(), set(), set()
    for name in sorted(os.listdir(os.path.join(directory, "log"))):
        if not re.fullmatch(r"[\d.]+", name):
            continue
        with open(os.path.join(directory, "log", name), encoding="utf-8", errors="replace") as file:
            text = file.read()
        for match in TRANSFER.finditer(text):
            direction = "written" if match["kind"] == "wrote" else "read"
            files[name, match["file"].replace("/", "\\"), direction] += int(match["bytes"])
        for event in audits(text):
            if event["result"] != "ok":
                continue
            rest = event["rest"].split("|")
            if event["what"] == "connect":
                shares.add((name, rest[-1]))
            elif event["what"] == "unlinkat":
                deleted.add((name, relative(rest[-1], root)))
            elif event["what"] == "renameat":
                renamed.add((name, relative(rest[0], root), relative(rest[1], root)))
    return files, shares, deleted, renamed


def sessions(directory):
    """Authentications, and those by ticket, which Samba logs as authorizations."""
    found, tickets = collections.Counter(), collections.Counter()
    with open(os.path.join(directory, "log", "auth.json"), encoding="utf-8") as file:
        for line in file:
            start = line.find("{")
            if start < 0:
                continue
            try:
                event = json.loads(line[start:])
            except ValueError:
                continue
            if event.get("type") == "Authorization" and event["Authorization"]["authType"] == "krb5":
                a = event["Authorization"]
                tickets[a["remoteAddress"].split(":")[1], a["account"]] += 1
            if event.get("type") != "Authentication":
                continue
            a = event["Authentication"]
            client = a["remoteAddress"].split(":")[1]
            found[client, a["clientDomain"], a["clientAccount"], a["status"]] += 1
    return found, tickets


def main():
    capture, directory, protection = sys.argv[1:]
    packets = pcapfile.read(capture)
    files, shares, deleted, renamed = read_logs(directory)
    logons, tickets = sessions(directory)
    truth = {
        "schema": "ccmscope.lab-truth/1", "packets": len(packets),
        "wire_bytes": sum(p.wire for p in packets),
        "requests": {}, "statuses": {}, "services": [], "source": "Samba's logs",
        "smb": {
            "server": "10.11.0.11", "protection": protection,
            "cut": any(len(p.data) < p.wire for p in packets),
            "sessions": [{"client": c, "domain": d, "account": a, "status": s, "count": n}
                         for (c, d, a, s), n in sorted(logons.items())],
            "shares": [{"client": c, "share": s} for c, s in sorted(shares)],
            "files": [{"client": c, "path": p, "direction": d, "bytes": n}
                      for (c, p, d), n in sorted(files.items()) if n],
            "deleted": [{"client": c, "path": p} for c, p in sorted(deleted)],
            "renamed": [{"client": c, "path": p, "to": t} for c, p, t in sorted(renamed)],
        },
    }
    if tickets:
        truth["smb"]["kerberos"] = [{"client": c, "account": a, "count": n}
                                    for (c, a), n in sorted(tickets.items())]
    logs = [name for name in sorted(os.listdir(directory)) if re.fullmatch(r"writer\.\d+\.json", name)]
    if logs:
        truth["writers"] = []
    for name in logs:
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            truth["writers"].append(dict(json.load(file), client="10.11.0." + name.split(".")[1]))
    # numbers and small objects on one line each
    text = json.dumps(truth, indent=1)
    print(re.sub(r"\{\n\s+\"file\".*?\}", lambda m: re.sub(r"\n\s*", " ", m[0]), text, flags=re.S))


if __name__ == "__main__":
    main()
