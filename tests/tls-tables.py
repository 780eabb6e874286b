#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told of TLS without keys, against what servers and clients say of the same connections.

In: $CCMSCOPE, tls-tables.tsv (its head explains the columns), pcaps/. First every handshake of the truth
files: version, cipher, names, protocol, alerts, which must be told of exactly these connections; then the
certificates, by their SHA-256; then the rows of the table. Of a capture with holes less may be told, but
nothing that is not true. Prints TAP.
"""
import csv
import functools
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(os.environ.get("srcdir", pathlib.Path(__file__).resolve().parent.parent))
TABLE = HERE / "tests" / "tls-tables.tsv"
# Beyond these the truth is about something else: the tunnel's other end, or who asked a proxy.
DAMAGED = {"tls-midstream", "tls-one-direction", "tls-snaplen", "tls-loss", "tls-holes"}
CAPTURES = sorted(path.name.split(".")[0] for pattern in ("tls-*", "cmg-*", "proxy-*", "auth-matrix-tls*")
                  for path in (HERE / "pcaps").glob(pattern + ".truth.json"))


def rows():
    with open(TABLE, encoding="utf-8", newline="") as file:
        lines = [line for line in file if not line.startswith("#")]
    for values in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
        if len(values) != 4:
            raise SystemExit("tls-tables.tsv: %d columns: %s" % (len(values), values))
        yield values


def run(*arguments):
    done = subprocess.run([os.environ["CCMSCOPE"], *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=60, check=True)
    return done.stdout.decode()


@functools.cache
def truth(capture):
    with open(HERE / "pcaps" / (capture + ".truth.json"), encoding="utf-8") as file:
        return json.load(file)


@functools.cache
def path_of(capture):
    return str(next((HERE / "pcaps").glob(capture + ".pcap*")))


def connections(capture):
    """Of the truth, those that carried TLS, each with the kind of its client's certificate."""
    kinds = {c["name"]: c["kind"] for c in truth(capture).get("certificates", [])}
    for entry in truth(capture).get("tls", []):
        if entry["handshake"] != "none":
            yield dict(entry, certificate_kind=kinds.get(entry.get("client_certificate_name")),
                       keys="yes" if "secrets" in truth(capture) else None)


@functools.cache
def lines(capture):
    """(client, server) -> the program's line on the handshake"""
    found = {}
    for line in map(json.loads, run("exchanges", "--json", path_of(capture)).splitlines()):
        if "tls" in line:
            found[line["source"], line["destination"]] = line
    return found


def line_of(capture, entry):
    return lines(capture).get(("%s:%s" % (entry["client"], entry["client_port"]),
                               "%s:%s" % (entry["server"], entry["port"])))


def facts_differ(entry, line):
    """What both of them tell in other words."""
    tls = line["tls"]
    version = {"TLSv1.2": "TLS 1.2", "TLSv1.3": "TLS 1.3"}.get(entry.get("version"), "TLS")
    cipher = entry["cipher"].removeprefix("TLS_") if "cipher" in entry and "version" in entry else None
    for name, want, got in (("version", version, tls["version"]), ("sni", entry.get("sni"), tls.get("sni"))):
        if entry["handshake"] != "unanswered" and want != got:
            yield "%s is %s, not %s" % (name, got, want)
    if cipher and entry["handshake"] in ("full", "resumed") and tls.get("cipher") != cipher:
        yield "cipher is %s, not %s" % (tls.get("cipher"), cipher)
    if entry.get("version") == "TLSv1.2" and entry["handshake"] == "full" and tls.get("alpn") != entry.get("alpn"):
        yield "alpn is %s, not %s" % (tls.get("alpn"), entry.get("alpn"))
    if tls["established"] != (entry["handshake"] in ("full", "resumed")):
        yield "established is %s" % tls["established"]
    if tls["resumed"] != (entry["handshake"] == "resumed"):
        yield "resumed is %s" % tls["resumed"]
    want = [(a["from"], True if a["encrypted"] else a["code"]) for a in entry.get("alerts", [])]
    got = [(a["from"], True if "encrypted" in a else a["alert"]) for a in tls["alerts"]]
    if want != got:
        yield "alerts are %s, not %s" % (got, want)


@functools.cache
def inside(capture):
    """(client, server) -> modes of the exchanges that keys opened, tokens and refusals apart"""
    found = {}
    for line in map(json.loads, run("exchanges", "--json", path_of(capture)).splitlines()):
        if line.get("decrypted") and "method" in line:
            modes = found.setdefault((line["source"], line["destination"]), set())
            modes.update(a["mode"] for a in line["auth"] if a["stage"] == "transport" and "denied" not in a)
    return found


def check_inside(capture):
    """A request without any other credential is its TLS client certificate's."""
    for entry in connections(capture):
        if entry["client_certificate"] == "sent" and not entry.get("certificate_asked_in"):
            name = "%s:%s" % (entry["client"], entry["client_port"])
            modes = inside(capture).get((name, "%s:%s" % (entry["server"], entry["port"])))
            want = {"pki": "pki-certificate", "self-signed": "self-signed-certificate"}[entry["certificate_kind"]]
            if modes != {want}:
                yield "%s: %s, not %s" % (name, modes, want)


def contradicts(entry, line):
    """What of the line is neither true nor unknown."""
    tls = line["tls"]
    client = {"sent": "yes", "empty": "no", "not-requested": "no"}[entry["client_certificate"]]
    for name, true, unknown in (("client_certificate", client, "unknown"),
                                ("server_certificate", entry["server_certificate"], "hidden"),
                                ("version", "TLS " + entry["version"][4:], "TLS"),
                                ("sni", entry.get("sni"), None), ("alpn", entry.get("alpn"), None)):
        if tls.get(name) not in (true, unknown):
            yield "%s is %s, not %s" % (name, tls.get(name), true)
    if tls["resumed"] or tls["alerts"]:
        yield "resumed is %s, alerts are %s" % (tls["resumed"], tls["alerts"])


def matches(entry, where):
    if entry["keys"] and "keys=" not in where:
        return False
    for condition in where.split():
        name, _, value = condition.partition("=")
        if (entry.get(name) or "-") != value:
            return False
    return True


def unlike(expected, line):
    verdict = line["auth"][0] if line.get("auth") else {}
    for wanted in expected.split():
        name, _, value = wanted.partition("=")
        if name == "evidence":
            if value not in verdict.get("evidence", []):
                yield "evidence is %s" % verdict.get("evidence")
            continue
        negative = name.endswith("!")
        name = name.rstrip("!")
        have = line["tls"].get(name, verdict.get(name))
        have = {True: "true", False: "false"}.get(have, have)
        if (have in value.split(",")) == negative:
            yield "%s is %s" % (name, have)


def check(row):
    _, where, expected, _ = row
    found = 0
    for capture in CAPTURES:
        for entry in connections(capture) if capture not in DAMAGED else ():
            line = line_of(capture, entry)
            if not matches(entry, where) or line is None or line["tls"].get("through"):
                continue
            found += 1
            for problem in unlike(expected, line):
                yield "%s %s:%s: %s" % (capture, entry["client"], entry["client_port"], problem)
    if not found:
        yield "no such connection"


def check_capture(capture):
    expected = list(connections(capture))
    damaged = capture in DAMAGED
    for entry in expected:
        line = line_of(capture, entry)
        name = "%s:%s" % (entry["client"], entry["client_port"])
        if line is None:
            yield name + ": no handshake told"
        else:
            problems = contradicts(entry, line) if damaged else facts_differ(entry, line)
            yield from ("%s: %s" % (name, problem) for problem in problems)
    if len(lines(capture)) != len(expected):
        yield "%d handshakes told, not %d" % (len(lines(capture)), len(expected))


def check_certificates(capture):
    """Those that travelled in clear, with all that the makers of the certificate say."""
    told = {c["sha256"]: c for c in json.loads(run("report", "--format", "json", path_of(capture)))["certificates"]}
    for want in truth(capture).get("certificates", []):
        clear = [e for e in connections(capture) if e.get("version") == "TLSv1.2" and
                 e["handshake"] in ("full", "failed") and
                 (e["certificate"] == want["name"] or (e.get("client_certificate_name") == want["name"] and
                                                       not e.get("certificate_asked_in")))]
        got = told.get(want["sha256"].lower())
        if not clear or not got:
            if clear and capture not in DAMAGED:
                yield want["name"] + ": not told"
            continue
        pairs = (("subject", want["subject"], got["subject"]), ("issuer", want["issuer"], got["issuer"]),
                 ("san", sorted(set(want["san"]) & set(got["san"]) if "san_more" in got else want["san"]),
                  got["san"]),
                 ("kind", want["kind"], got["kind"]),
                 ("not_after", want["not_after"][:19], got["not_after"][:19]),
                 ("not_before", want["not_before"][:19], got["not_before"][:19]),
                 ("usage", want["eku"], got["extended_key_usage"]),
                 ("serial", int(want["serial"], 16), int(got["serial"], 16)))
        for name, a, b in pairs:
            if a != b:
                yield "%s: %s is %s, not %s" % (want["name"], name, b, a)


def check_hidden(capture):
    """TLS 1.3 hides the kind of a client's certificate; its other connections may show it."""
    shown, want = {}, {}
    for e in connections(capture):
        if e["client_certificate"] == "sent" and not e.get("certificate_asked_in") and e["handshake"] != "resumed":
            if e["version"] == "TLSv1.2":
                shown.setdefault(e["client"], set()).add(e["certificate_kind"])
    for e in connections(capture):
        if e["client_certificate"] == "sent" and e["handshake"] == "full" and e["version"] == "TLSv1.3" and \
                not e.get("certificate_asked_in"):
            mode = "pki-certificate" if shown.get(e["client"]) == {"pki"} else "encrypted-unknown"
            want[mode] = want.get(mode, 0) + 1
    got = {}
    for route in json.loads(run("report", "--format", "json", path_of(capture)))["routes"]:
        for auth in route.get("auth", []):
            ids = {e["id"]: e["count"] for e in auth["evidence"]}
            if "client-flight-certificate" in ids and "renegotiation" not in ids:  # that of T5 is weak
                got[auth["mode"]] = got.get(auth["mode"], 0) + ids["client-flight-certificate"]
                elsewhere = "client-certificate-elsewhere" in ids
                if elsewhere != (auth["mode"] == "pki-certificate"):
                    yield "%s: elsewhere is %s" % (auth["mode"], elsewhere)
    if want != got:
        yield "%s, not %s" % (got, want)


def main():
    tests = [("handshakes of " + c, list(check_capture(c))) for c in CAPTURES]
    tests += [("certificates of " + c, list(check_certificates(c))) for c in CAPTURES]
    tests += [("hidden certificates of " + c, list(check_hidden(c))) for c in CAPTURES if c not in DAMAGED and
              c.startswith(("tls-", "auth-")) and "secrets" not in truth(c)]
    tests += [("exchanges inside " + c, list(check_inside(c))) for c in CAPTURES if "secrets" in truth(c)]
    tests += [(" | ".join((r[0], r[1], r[3])).replace("#", ""), list(check(r))) for r in rows()]
    failed = 0
    print("1..%d" % len(tests))
    for number, (name, problems) in enumerate(tests, 1):
        failed += bool(problems)
        print("%sok %d - %s" % ("not " if problems else "", number, name))
        for problem in problems:
            print("# " + problem)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
