#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Hold the TLS truth of a capture against what tshark reads, without keys and with them.

in:   PCAP TRUTH.json; the key log is beside the capture as NAME.keys
out:  differences, one a line; exit 1 when there is one, 77 when tshark is missing
"""
import collections
import json
import os
import shutil
import subprocess
import sys

VERSIONS = {"0x0301": "TLSv1", "0x0302": "TLSv1.1", "0x0303": "TLSv1.2", "0x0304": "TLSv1.3"}
FIELDS = (
    "tcp.stream", "ip.src", "tcp.srcport", "ip.dst", "tcp.dstport", "tls.handshake.type",
    "tls.handshake.version", "tls.handshake.extensions.supported_version",
    "tls.handshake.ciphersuite", "tls.handshake.extensions_server_name",
    "tls.handshake.certificates_length", "tls.handshake.certificate_length",
    "tls.alert_message.level", "tls.alert_message.desc", "tls.handshake.extension.type",
    "tls.handshake.session_id", "http.request.method",
    "http.request.uri", "http.response.code", "http2.headers.method", "http2.headers.path",
    "http2.headers.status", "tls.handshake.extensions_alpn_str", "frame.number",
    "tls.handshake.extension.len", "tls.handshake.random", "tcp.flags", "dns.flags.response",
    "dns.qry.name",
    "dns.qry.type", "dns.flags.rcode", "dns.cname", "dns.a", "dns.aaaa",
)  # fmt: skip
INSIDE = "inside"  # the capture has its secrets in a block
HELLO, SERVER_HELLO, CERTIFICATE, REQUEST, VERIFY = "1", "2", "11", "13", "15"


class Connection:
    def __init__(self):
        self.types = collections.defaultdict(list)  # direction -> handshake types in order
        self.found = collections.defaultdict(list)


def fields(pcap, ports, keys):
    command = ["tshark", "-n", "-r", pcap, "-2", "-T", "fields", "-E", "separator=/t", "-E",
               "occurrence=a", "-E", "aggregator=|"]  # fmt: skip
    for port in ports:
        command += ["-d", "tcp.port==%d,tls" % port, "-d", "tls.port==%d,http" % port]
    if keys and keys != INSIDE:
        command += ["-o", "tls.keylog_file:" + keys]
        key = keys.replace(".keys", ".pem")
        if os.path.exists(key):
            command += ["-o", 'uat:rsa_keys:"%s",""' % os.path.abspath(key)]
    for name in FIELDS:
        command += ["-e", name]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True
    )
    if done.returncode:
        sys.exit("lab: tshark: " + done.stderr)
    for line in done.stdout.splitlines():
        yield dict(zip(FIELDS, line.split("\t")))


def several(row, name):
    return row[name].split("|") if row[name] else []


def packets(pcap, truth, keys):
    ports = sorted({row["port"] for row in truth["tls"] if row["handshake"] != "none"} - {443})
    return list(fields(pcap, ports, keys))


def read(rows, truth):
    """(client, port) -> Connection; only connections of the truth"""
    clients = {(row["client"], row["client_port"]) for row in truth["tls"]}
    out = {key: Connection() for key in clients}
    for row in rows:
        if not row["tcp.srcport"]:
            continue
        src = (row["ip.src"], int(row["tcp.srcport"]))
        dst = (row["ip.dst"], int(row["tcp.dstport"]))
        side = "client" if src in clients else "server"
        one = out.get(src if side == "client" else dst)
        if one is None:
            continue
        types = several(row, "tls.handshake.type")
        one.types[side] += types
        if HELLO in types and side == "client" and "sni" not in one.found:
            one.found["sni"] += several(row, "tls.handshake.extensions_server_name")
            sizes = zip(
                several(row, "tls.handshake.extension.type"),
                several(row, "tls.handshake.extension.len"),
            )
            one.found["random"] = row["tls.handshake.random"]
            one.found["ticket"] = any(kind == "35" and size != "0" for kind, size in sizes)
            one.found["offered_id"] = several(row, "tls.handshake.session_id")[:1]
        if SERVER_HELLO in types:
            version = several(row, "tls.handshake.extensions.supported_version")
            version = version or several(row, "tls.handshake.version")
            one.found["version"].append(VERSIONS.get(version[0], version[0]))
            one.found["cipher"].append(several(row, "tls.handshake.ciphersuite")[0])
            one.found["session_id"].append(several(row, "tls.handshake.session_id")[:1])
            one.found["psk"].append("41" in several(row, "tls.handshake.extension.type"))
            one.found["alpn"] += several(row, "tls.handshake.extensions_alpn_str")
        if CERTIFICATE in types:
            lengths = several(row, "tls.handshake.certificate_length")
            one.found[side + "_certificates"].append([int(n) for n in lengths])
        for level, code in zip(
            several(row, "tls.alert_message.level"), several(row, "tls.alert_message.desc")
        ):
            if code not in ("0", "100"):  # close_notify, no_renegotiation
                one.found["alerts"].append((side, int(code)))
        methods = several(row, "http.request.method") + several(row, "http2.headers.method")
        targets = several(row, "http.request.uri") + several(row, "http2.headers.path")
        one.found["requests"] += [  # squid's log has host names in lower case
            (method, target.lower() if method == "CONNECT" else target)
            for method, target in zip(methods, targets)
        ]
        one.found["statuses"] += several(row, "http.response.code")
        one.found["statuses"] += several(row, "http2.headers.status")
    return out


def compare(want, have, certificates, keys, check):
    where = "%s:%s to %s:%s%s" % (
        want["client"], want["client_port"], want["server"], want["port"],
        " with keys" if keys else "",
    )  # fmt: skip

    def same(what, one, two):
        check("%s: %s" % (where, what), one, two)

    requests, statuses = [], []
    if "target" in want.get("tunnel", {}):
        statuses = [str(code) for code in want["tunnel"]["statuses"]]
        requests = [("CONNECT", want["tunnel"]["target"])] * len(statuses)
    if want["handshake"] == "none" or keys:
        # tshark does not know BITS_POST as a method
        requests += [
            (row["method"], row["target"]) for row in want["requests"] if row["method"] != "BITS_POST"
        ]
        statuses += [str(row["status"]) for row in want["requests"] if "status" in row]
    same("requests", requests, have.found["requests"])
    same("statuses", statuses, have.found["statuses"])
    if want["handshake"] == "none":
        same("handshakes", {}, {side: got for side, got in have.types.items() if got})
        return
    if "sni" in want:
        same("SNI", [want["sni"]] if want["sni"] else [], have.found["sni"][:1])
    if want["handshake"] == "unanswered":
        same("messages of the server", [], have.types["server"])
        return
    version = want.get("version")
    old = version in ("TLSv1", "TLSv1.1", "TLSv1.2")
    full, resumed = want["handshake"] == "full", want["handshake"] == "resumed"
    if full or resumed:
        same("version", [version], have.found["version"][-1:])
        same("cipher", [want["cipher_id"]], have.found["cipher"][-1:])
        if keys or old:
            same("ALPN", [want["alpn"]] if "alpn" in want else [], have.found["alpn"])
    elif want["handshake"] == "failed":
        same("version", [version] if version else [], have.found["version"][-1:])
    readable = keys or old
    if full and readable:
        late = want.get("certificate_asked_in")
        sent = want["client_certificate"]
        same("certificate of the server",
             certificates[want["certificate"]]["chain_bytes"],
             (have.found["server_certificates"] or [None])[0])  # fmt: skip
        if late and not keys:
            sent = "not-requested"  # what a renegotiation brings is hidden
        same("certificate requested", sent != "not-requested", REQUEST in have.types["server"])
        got = have.found["client_certificates"]
        if sent == "sent":
            name = want["client_certificate_name"]
            same("certificate of the client", [certificates[name]["chain_bytes"]], got)
            same("CertificateVerify of the client", True, VERIFY in have.types["client"])
        else:
            same("certificate of the client", [[]] if sent == "empty" else [], got)
            same("CertificateVerify of the client", False, VERIFY in have.types["client"])
    elif full:
        same("certificates in clear", [], have.found["server_certificates"])
    if resumed:
        same("certificates", [], have.found["server_certificates"])
    if want["handshake"] in ("full", "resumed"):
        how = ""
        if old and CERTIFICATE not in have.types["server"]:
            how = "ticket" if have.found["ticket"] else "session-id"
        elif not old and have.found["psk"][-1:] == [True]:
            how = "psk"
        same("resumed by", want.get("resumed_by", ""), how)
        if how == "session-id":
            same("session id", have.found["offered_id"], have.found["session_id"][-1])
    alerts = [(row["from"], row["code"]) for row in want["alerts"]]
    hidden = [(row["from"], row["code"]) for row in want["alerts"] if row.get("encrypted")]
    if not keys:
        alerts = [row for row in alerts if row not in hidden]
    same("alerts", alerts, have.found["alerts"])


def connections(rows):
    """(client, server, port) -> [attempted, established, refused, unanswered, reset]"""
    found = collections.defaultdict(lambda: {"syn": set(), "ack": set(), "rst": set()})
    flags = {"02": "syn", "12": "ack", "14": "rst", "04": "rst"}
    for row in rows:
        src, dst, kind = row["ip.src"], row["ip.dst"], flags.get(row["tcp.flags"][-2:])
        if kind == "syn":
            found[(src, dst, int(row["tcp.dstport"]))]["syn"].add(row["tcp.srcport"])
        elif kind:
            found[(dst, src, int(row["tcp.srcport"]))][kind].add(row["tcp.dstport"])
    return {
        key: [len(row["syn"]), len(row["ack"]), len(row["rst"] - row["ack"]),
              len(row["syn"] - row["ack"] - row["rst"]), len(row["rst"] & row["ack"])]
        for key, row in found.items()
    }  # fmt: skip


TYPES = {"1": "A", "28": "AAAA", "33": "SRV"}


def compare_seen(want, have, check):
    """A damaged capture: tshark may find less than is there, but nothing else."""
    where = "%s:%s" % (want["client"], want["client_port"])
    names = {HELLO: "client_hello", SERVER_HELLO: "server_hello", REQUEST: "certificate_request"}
    for side, types in have.types.items():
        for kind in set(types) & {HELLO, SERVER_HELLO, CERTIFICATE, REQUEST}:
            name = names.get(kind, side + "_certificate")
            there = want["seen"].get(name, "missing")
            check("%s: %s" % (where, name), True, there != "missing")
    if have.found["version"]:
        check(where + ": version", want["version"], have.found["version"][-1])
        check(where + ": cipher", want["cipher_id"], have.found["cipher"][-1])
    if have.found["sni"]:
        check(where + ": SNI", want["sni"], have.found["sni"][0])


def compare_tunnels(found, truth, check):
    """The same ClientHello on both sides of a tunnel, and nowhere else."""
    want = set()
    for row in truth["tls"]:
        if row["handshake"] != "none" and "tunnel" in row:
            outside = (row["client"], row["client_port"])
            want.add((outside, (row["server"], row["tunnel"]["client_port"])))
    have = set()
    for one, first in found.items():
        for two, second in found.items():
            mine = first.found["random"]
            if one < two and mine and mine == second.found["random"]:
                have.add((one, two))
    check("tunnels", {tuple(sorted(pair)) for pair in want}, have)


def connects(rows):
    """(client, proxy, target) -> [granted, not granted]"""
    found, asked = collections.defaultdict(lambda: [0, 0]), {}
    for row in rows:
        if row["http.request.method"] == "CONNECT":
            via = row["ip.dst"] + ":" + row["tcp.dstport"]
            asked[row["tcp.stream"]] = (row["ip.src"], via, row["http.request.uri"])
        elif row["http.response.code"] and row["tcp.stream"] in asked:
            found[asked.pop(row["tcp.stream"])][row["http.response.code"] != "200"] += 1
    return found


def compare_channels(rows, truth, check):
    found, granted = connections(rows), connects(rows)
    for row in truth.get("channels", []):
        if "via" in row:
            key = (row["client"], row["via"], "%s:%d" % (row["name"], row["port"]))
            want = [row["connections"]["established"], row["connections"]["refused"]]
            check("CONNECT of %s to %s for %s" % key, want, granted.get(key))
            continue
        key = (row["client"], row["server"], row["port"])
        names = ("attempted", "established", "refused", "unanswered", "reset")
        want = [row["connections"][name] for name in names]
        check("connections of %s to %s:%d" % key, want, found.get(key))


def compare_names(rows, truth, check):
    said = [row for row in rows if row["dns.flags.response"]]
    asked = [row for row in said if row["dns.flags.response"] in ("0", "False")]
    answers = [row for row in said if row not in asked]
    want = [[row["client"], row["type"], row["name"]] for row in truth.get("dns", [])]
    have = [[row["ip.src"], TYPES[row["dns.qry.type"]], row["dns.qry.name"]] for row in asked]
    check("names asked for", want, have)
    for row, answer in zip(truth.get("dns", []), answers):
        want = [
            row["answers"][at + 1][0] if value == "<CNAME>" else value
            for at, (_, value) in enumerate(row["answers"])
            if value != "<SRV>"
        ]
        have = ["NXDOMAIN"] if answer["dns.flags.rcode"] == "3" else []
        for name in ("dns.cname", "dns.a", "dns.aaaa") if row["type"] != "SRV" else ():
            have += several(answer, name)
        check("answer for " + row["name"], [w.lower() for w in want], [h.lower() for h in have])


def main():
    if not shutil.which("tshark"):
        print("lab: tshark is not installed, nothing compared", file=sys.stderr)
        sys.exit(77)
    pcap = sys.argv[1]
    with open(sys.argv[2], encoding="utf-8") as file:
        truth = json.load(file)
    wrong = []

    def check(what, want, have):
        if want != have:
            wrong.append("%s: truth %s, tshark %s" % (what, want, have))

    certificates = {row["name"]: row for row in truth["certificates"]}
    log = sys.argv[2].replace(".truth.json", ".keys")
    damaged = any("seen" in row for row in truth["tls"])
    passes = ["", log] if os.path.exists(log) and not damaged else [""]
    if truth.get("secrets") == INSIDE:
        passes = [INSIDE]
    for keys in passes:
        rows = packets(pcap, truth, keys)
        found = read(rows, truth)
        for row in truth["tls"]:
            have = found[(row["client"], row["client_port"])]
            if "seen" in row:
                compare_seen(row, have, check)
            else:
                compare(row, have, certificates, keys, check)
        if keys in ("", INSIDE):
            compare_tunnels(found, truth, check)
            compare_channels(rows, truth, check)
            compare_names(rows, truth, check)
    for line in wrong:
        print(line)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
