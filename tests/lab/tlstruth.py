#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ground truth of a capture of TLS as JSON on stdout; the format is in README.md.

in:   PCAP DIRECTORY; DIRECTORY: access.jsonl (the servers' logs), errors.log (nginx's and Apache's),
      servers.jsonl and attempts.jsonl (what each port and each connection was to do),
      certificates.jsonl (the openssl command's reading), said/PORT (what the client complained of)
out:  what truth.py writes of what is in clear, and tls, certificates, decrypted;
      exit 1 when a log does not say what was to happen
"""
import json
import os
import re
import subprocess
import sys

import pcapfile
import truth

ALERTS = {  # RFC 8446 section 6, RFC 5246 section 7.2
    "handshake_failure": 40, "bad_certificate": 42, "certificate_expired": 45,
    "unknown_ca": 48, "protocol_version": 70, "unrecognized_name": 112,
    "certificate_required": 116, "no_application_protocol": 120,
}  # fmt: skip


def rows(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def ciphers():
    """OpenSSL's name -> (IANA name, number), from the openssl command."""
    text = subprocess.run(
        ["openssl", "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
        stdout=subprocess.PIPE, check=True, text=True,
    ).stdout  # fmt: skip
    out = {}
    for line in text.splitlines():
        code, _, standard, _, name = line.split()[:5]
        out[name] = (standard, "0x" + code.replace("0x", "").replace(",", "").lower())
    return out


class Truth:
    def __init__(self, directory):
        self.wrong = []
        self.directory = directory

        def read(name):
            return rows(os.path.join(directory, name))

        self.log = read("access.jsonl")
        for row in self.log:  # nginx's $request_method changes on the way to an error page
            if "request" in row:
                row["method"], row["target"] = (row.pop("request").split(" ") + ["", ""])[:2]
        self.attempts = read("attempts.jsonl")
        self.servers = {(row["server"], row["port"]): row for row in read("servers.jsonl")}
        self.certificates = {row["name"]: row for row in read("certificates.jsonl")}
        self.ciphers = ciphers()
        with open(os.path.join(directory, "errors.log"), encoding="utf-8", errors="replace") as file:
            self.errors = file.read().splitlines()

    def check(self, what, want, have):
        if want != have:
            self.wrong.append("%s: meant %s, logged %s" % (what, want, have))

    def connections(self):
        known = {(row["client"], row["client_port"]) for row in self.attempts}
        for row in self.attempts:
            yield row
        for row in self.log:  # nobody was told to make these: a proxy did
            key = (row["client"], row["client_port"])
            if key in known:
                continue
            known.add(key)
            subject = row.get("subject", "")
            names = [n for n, c in self.certificates.items() if subject and c["subject"] == subject]
            yield {
                "client": row["client"], "client_port": row["client_port"],
                "server": row["server"], "port": row["port"], "sni": row.get("sni", ""),
                "certificate": names[0] if names else "", "expect": "ok", "version": "",
                "resume": "session-id",
            }  # fmt: skip

    def alert(self, attempt, where):
        """The alert an attempt was to end with, if the other side's log has it."""
        sender, name = attempt["expect"].split(":")
        code = ALERTS[name]
        if sender == "client":
            mine = [line for line in self.errors if "client: %s," % attempt["client"] in line]
            found = any("SSL alert number %d)" % code in line for line in mine)
        else:
            path = os.path.join(self.directory, "said", str(attempt["client_port"]))
            with open(path, encoding="utf-8") as file:
                text = file.read().lower()
            words = name.replace("_", " ")
            found = "alert " + words in text or "alert number %d" % code in text
            found = found or words in text and "alert" in text
        self.check(where + ": alert " + name + " in the log", True, found)
        return {"from": sender, "description": name, "code": code}

    def connection(self, attempt):
        server = self.servers[(attempt["server"], attempt["port"])]
        where = "%(client)s:%(client_port)s to %(server)s:%(port)s" % attempt
        mine = [
            row for row in self.log
            if (row["client"], row["client_port"]) == (attempt["client"], attempt["client_port"])
        ]  # fmt: skip
        out = {key: attempt[key] for key in ("client", "client_port", "server", "port")}
        out["role"] = server["role"]
        out["requests"] = [
            {key: row[key] for key in ("method", "target", "status")} for row in mine if row["method"]
        ]
        if not server["certificate"]:
            return {**out, "handshake": "none"}
        asked, held = server["asks"] != "none", bool(attempt["certificate"])
        out.update(
            sni=attempt["sni"], certificate=server["certificate"], handshake="full", alerts=[],
            server_certificate=self.certificates[server["certificate"]]["kind"],
            client_certificate=("sent" if held else "empty") if asked else "not-requested",
        )  # fmt: skip
        if held:
            out["client_certificate_name"] = attempt["certificate"]
        if attempt["version"]:
            out["version"] = "TLSv" + attempt["version"].replace(".0", "")
        if attempt["expect"] != "ok":
            out["alerts"].append(self.alert(attempt, where))
            out["handshake"] = "failed"
            self.check(where + ": requests", 0, len(mine))
            return out
        if not mine:
            self.wrong.append(where + ": no line in any log")
            return out
        row = mine[-1]  # the first has none of the certificate that a renegotiation brings
        self.check(where + ": version", out.get("version", row["version"]), row["version"])
        self.check(where + ": SNI", out["sni"], row["sni"])
        self.check(where + ": client certificate", asked and held, row["verify"] not in ("NONE", ""))
        if asked and held:
            want = self.certificates[attempt["certificate"]]["subject"]
            self.check(where + ": its subject", want, row["subject"])
        out["version"] = row["version"]
        out["cipher"], out["cipher_id"] = self.ciphers[row["cipher"]]
        if row["alpn"]:
            out["alpn"] = row["alpn"]
        if row["reused"] == "r":
            out["handshake"] = "resumed"
            out["resumed_by"] = "psk" if row["version"] == "TLSv1.3" else attempt["resume"]
        if server["asks"] == "renegotiate":
            late = "post-handshake" if row["version"] == "TLSv1.3" else "renegotiation"
            out["certificate_asked_in"] = late
        return out


def main():
    pcap, directory = sys.argv[1:3]
    made = Truth(directory)
    tls = [made.connection(attempt) for attempt in made.connections()]
    packets = pcapfile.read(pcap)

    def counted(clear):
        for row in made.log:
            server = made.servers[(row["server"], row["port"])]
            if row["method"] and (not clear or not server["certificate"]):
                where = (row["server"], row["port"])
                yield where, row["client"], "requests", row["method"]
                yield where, row["client"], "statuses", str(row["status"])

    out = truth.summary(counted(True), packets, "server logs")
    inner = truth.summary(counted(False), packets, "server logs")
    for part in (out, inner):
        for row in part["services"]:
            row["role"] = made.servers[(row["server"], row["port"])]["role"]
    out["decrypted"] = {key: inner[key] for key in ("requests", "statuses", "services")}
    out["tls"] = tls
    used = {row.get("certificate") for row in tls} | {row.get("client_certificate_name") for row in tls}
    out["certificates"] = [row for name, row in made.certificates.items() if name in used]
    for line in made.wrong:
        print("lab: " + line, file=sys.stderr)
    print(json.dumps(out, indent=1, sort_keys=True))
    sys.exit(bool(made.wrong))


if __name__ == "__main__":
    main()
