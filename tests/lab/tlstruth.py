#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ground truth of a capture of TLS as JSON on stdout; the format is in README.md.

in:   PCAP DIRECTORY; DIRECTORY: access.jsonl (the servers' logs), errors.log (nginx, Apache),
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

import channeltruth
import pcapfile
import truth

ALERTS = {  # RFC 8446 section 6, RFC 5246 section 7.2
    "handshake_failure": 40, "bad_certificate": 42, "certificate_expired": 45,
    "unknown_ca": 48, "protocol_version": 70, "unrecognized_name": 112,
    "certificate_required": 116, "no_application_protocol": 120,
}  # fmt: skip
REFUSALS = ("403", "407", "503")  # of a web proxy


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
                row["target"] = row.pop("request")
            words = row.get("target", "").split(" ")
            if len(words) > 1:
                row["method"], row["target"] = words[:2]
        self.attempts = read("attempts.jsonl")
        self.tries = read("tries.jsonl")
        self.fallbacks = read("fallbacks.jsonl")
        self.servers = {(row["server"], row["port"]): row for row in read("servers.jsonl")}
        self.certificates = {row["name"]: row for row in read("certificates.jsonl")}
        self.ciphers = ciphers()
        path = os.path.join(directory, "errors.log")
        with open(path, encoding="utf-8", errors="replace") as file:
            self.errors = file.read().splitlines()

    def check(self, what, want, have):
        if want != have:
            self.wrong.append("%s: meant %s, logged %s" % (what, want, have))

    def connections(self):
        met = {(row["client"], row["client_port"]): row["outcome"] for row in self.tries}
        known = {(row["client"], row["client_port"]) for row in self.attempts}
        for row in self.attempts:
            outcome = met.get((row["client"], row["client_port"]))
            if outcome == "silent":
                yield {**row, "expect": "silent"}
            elif outcome in channeltruth.PROXY:
                yield {**row, "expect": "403" if outcome == "proxy-denied" else "503"}
            elif outcome not in ("refused", "unanswered"):
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
                "resume": "ticket", "proxy": "",
            }  # fmt: skip

    def said(self, attempt):
        path = os.path.join(self.directory, "said", str(attempt["client_port"]))
        with open(path, encoding="utf-8") as file:
            return file.read()

    def alert(self, attempt, where, out):
        """The alert an attempt was to end with, if the other side's log has it. hello: it is the
        answer to ClientHello, so no version was agreed."""
        sender, name = attempt["expect"].split(":")
        code = ALERTS[name]
        if sender == "client":
            mine = [line for line in self.errors if "client: %s," % attempt["client"] in line]
            found = any("SSL alert number %d)" % code in line for line in mine)
        else:
            words = name.replace("_", " ")  # OpenSSL's reason for an alert that came
            pattern = "(sslv3|tlsv1|tlsv13) (alert )?" + words
            found = re.search(pattern, self.said(attempt)) is not None
        self.check(where + ": alert " + name + " in the log", True, found)
        if sender == "hello":
            out.pop("version")
            sender = "server"
        # of OpenSSL, tshark has seen it: a client that refuses the server has no keys to write with
        hidden = out.get("version") == "TLSv1.3" and sender == "server"
        if hidden:  # the client was done before the server had looked at its certificate
            out["requests"].append({"method": "GET", "target": attempt["target"]})
        return {"from": sender, "description": name, "code": code, "encrypted": hidden}

    def complaint(self, attempt, where):
        """A line of the log, from what curl -v said; the server logs nothing without a request."""
        text = self.said(attempt)
        found = re.search(r"SSL connection using (\S+) / (\S+)", text)
        self.check(where + ": the name does not match", True, "no alternative certificate" in text)
        alpn = re.search(r"ALPN: server accepted (\S+)", text)
        return {
            "method": "", "version": found.group(1), "cipher": found.group(2),
            "sni": attempt["sni"], "verify": "NONE", "reused": ".", "subject": "",
            "alpn": alpn.group(1) if alpn else "",
        }  # fmt: skip

    def used(self, connections):
        """The certificates of these."""
        names = {row.get("certificate") for row in connections}
        names |= {row.get("client_certificate_name") for row in connections}
        return [row for name, row in self.certificates.items() if name in names]

    def lines(self, client, port):
        return [row for row in self.log if (row["client"], row["client_port"]) == (client, port)]

    def tunnel(self, attempt, where):
        """What the proxy logged of a CONNECT, and what the server behind it logged."""
        address = attempt["proxy"].split("/")[2].split(":")[0]
        ends = {"server": attempt["server"], "port": attempt["port"]}
        if attempt["proxy"].startswith("tcp:"):  # it keeps the port of the client
            ends["client_port"] = attempt["client_port"]
            return ends, self.lines(address, attempt["client_port"])
        mine = self.lines(attempt["client"], attempt["client_port"])
        statuses = [row["status"] for row in mine]
        let_in = attempt["expect"] not in REFUSALS
        self.check(where + ": through the proxy", let_in, 200 in statuses)
        out = {"target": mine[0]["target"], "statuses": statuses}
        if not let_in:
            self.check(where + ": refused with", int(attempt["expect"]), statuses[-1])
            return out, []
        port = int(mine[-1]["out_port"])
        return {**out, **ends, "client_port": port}, self.lines(address, port)

    def connection(self, attempt):
        where = "%(client)s:%(client_port)s to %(server)s:%(port)s" % attempt
        out = {key: attempt[key] for key in ("client", "client_port", "server", "port")}
        where_to = (attempt["server"], attempt["port"])
        if attempt["expect"] in REFUSALS:  # nobody needs to be there
            server = self.servers.get(where_to, {"role": "web-proxy", "certificate": "-"})
        else:
            server = self.servers[where_to]
        mine = self.lines(attempt["client"], attempt["client_port"])
        if attempt["proxy"]:
            if server["certificate"]:
                out["tunnel"], mine = self.tunnel(attempt, where)
            address, port = attempt["proxy"].split("/")[2].split(":")
            out.update(server=address, port=int(port))
        out["role"] = server["role"]
        out["requests"] = [
            {key: row[key] for key in ("method", "target", "status")}
            for row in mine
            if row["method"]
        ]
        if not server["certificate"] or attempt["expect"] in REFUSALS:
            return {**out, "handshake": "none"}
        out.update(self.certificates_of(attempt, server))
        if attempt["expect"] == "silent":
            out["handshake"] = "unanswered"
            return out
        if attempt["expect"] == "unmatched":  # the client finds the wrong name after the handshake
            mine = [self.complaint(attempt, where)]
        elif attempt["expect"] != "ok":
            self.check(where + ": requests", 0, len(mine))
            out["handshake"] = "failed"
            out["alerts"].append(self.alert(attempt, where, out))
            return out
        if not mine:
            self.wrong.append(where + ": no line in any log")
            return out
        self.agreed(out, attempt, server, mine[-1], where)
        return out

    def certificates_of(self, attempt, server):
        asked, held = server["asks"] != "none", bool(attempt["certificate"])
        out = {
            "sni": attempt["sni"], "certificate": server["certificate"], "handshake": "full",
            "server_certificate": self.certificates[server["certificate"]]["kind"], "alerts": [],
            "client_certificate": ("sent" if held else "empty") if asked else "not-requested",
        }  # fmt: skip
        if asked and held:
            out["client_certificate_name"] = attempt["certificate"]
        if attempt["version"]:
            out["version"] = "TLSv" + attempt["version"].replace(".0", "")
        return out

    def agreed(self, out, attempt, server, row, where):
        """What the log says of a handshake; row: its last line, since the first has none of the
        certificate that a renegotiation brings."""
        sent = out["client_certificate"] == "sent"
        self.check(where + ": version", out.get("version", row["version"]), row["version"])
        self.check(where + ": SNI", out["sni"].lower(), row["sni"].lower())
        self.check(where + ": client certificate", sent, row["verify"] not in ("NONE", ""))
        if sent:
            want = self.certificates[attempt["certificate"]]["subject"]
            self.check(where + ": its subject", want, row["subject"])
        out["version"], out["sni"] = row["version"], row["sni"]  # curl writes it in lower case
        out["cipher"], out["cipher_id"] = self.ciphers[row["cipher"]]
        if row["alpn"]:
            out["alpn"] = row["alpn"]
        if row["reused"] == "r":
            out["handshake"] = "resumed"
            out["resumed_by"] = "psk" if row["version"] == "TLSv1.3" else attempt["resume"]
        if server["asks"] == "renegotiate":
            late = "post-handshake" if row["version"] == "TLSv1.3" else "renegotiation"
            out["certificate_asked_in"] = late


def main():
    pcap, directory = sys.argv[1:3]
    made = Truth(directory)
    tls = [made.connection(attempt) for attempt in made.connections()]
    packets = pcapfile.read(pcap)

    def counted(clear):
        for row in tls:
            where, requests = (row["server"], row["port"]), []
            for status in row.get("tunnel", {}).get("statuses", []):
                requests.append({"method": "CONNECT", "status": status})
            if not clear or row["handshake"] == "none":
                requests += row["requests"]
            for request in requests:
                yield where, row["client"], "requests", request["method"]
                if "status" in request:
                    yield where, row["client"], "statuses", str(request["status"])

    out = truth.summary(counted(True), packets, "server logs")
    inner = truth.summary(counted(False), packets, "server logs")
    roles = {(row["server"], row["port"]): row["role"] for row in tls}
    roles.update({where: row["role"] for where, row in made.servers.items()})
    for part in (out, inner):
        for row in part["services"]:
            row["role"] = roles[(row["server"], row["port"])]
    out["decrypted"] = {key: inner[key] for key in ("requests", "statuses", "services")}
    out["tls"] = tls
    out["certificates"] = made.used(tls)
    if made.tries:
        out["channels"] = channeltruth.channels(made.tries)
        out["fallbacks"] = made.fallbacks
        made.wrong += channeltruth.disagreements(made.tries, made.fallbacks)
    asked = channeltruth.names(os.path.join(directory, "dns.part"))
    if asked:
        out["dns"] = asked
    for line in made.wrong:
        print("lab: " + line, file=sys.stderr)
    print(json.dumps(out, indent=1, sort_keys=True))
    sys.exit(bool(made.wrong))


if __name__ == "__main__":
    main()
