#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Hold a truth file of the lab against what tshark reads in the capture.

in:   PCAP TRUTH.json
out:  differences, one a line; exit 1 when there is one, 77 when tshark is missing
"""
import collections
import json
import shutil
import subprocess
import sys

ERRORS = {
    "25": "NEEDED_PREAUTH",
    "7": "LOOKING_UP_SERVER",
    "6": "CLIENT_NOT_FOUND",
    "37": "PROCESS_TGS",
    "68": "WRONG_REALM",
}


def fields(pcap, condition, *names):
    command = ["tshark", "-n", "-r", pcap, "-Y", condition, "-T", "fields", "-E", "separator=/t"]
    for name in names:
        command += ["-e", name]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True
    )
    return [line.split("\t") for line in done.stdout.splitlines()]


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

    methods = fields(pcap, "http.request", "http.request.method")
    seen = collections.Counter(row[0] for row in methods)
    # tshark does not know BITS_POST as a method
    want = {key: count for key, count in truth["requests"].items() if key != "BITS_POST"}
    check("requests", want, {key: count for key, count in seen.items() if key != "BITS_POST"})
    if "smb" in truth:
        smb(pcap, truth["smb"], check)
    if "auth" not in truth:
        finish(wrong)
    asked = {
        (row["client"], row["account"])
        for row in truth["attempts"]
        if row["mode"] == "ntlm" and row["account"]
    }
    names = fields(pcap, "ntlmssp.messagetype == 3", "ip.src", "ntlmssp.auth.username")
    check("NTLM accounts", asked, {tuple(row) for row in names if row[1] not in ("", "NULL")})
    check(
        "NTLM anonymous",
        any(row["mode"] == "ntlm" and not row["account"] for row in truth["attempts"]),
        any(row[1] in ("", "NULL") for row in names),
    )
    for exchange, kind in (("AS", 11), ("TGS", 13)):
        want = collections.Counter()
        for row in truth["kerberos"]:
            if row["exchange"] == exchange and row["result"] == "ISSUE":
                want[(row["client"], row["cname"].split("@")[0])] += row["count"]
        have = collections.Counter(
            tuple(row)
            for row in fields(
                pcap, "kerberos.msg_type == %d" % kind, "ip.dst", "kerberos.CNameString"
            )
        )
        check("%s-REP" % exchange, dict(want), dict(have))
    want = collections.Counter()
    for row in truth["kerberos"]:
        if row["result"] != "ISSUE":
            want[(row["client"], row["result"])] += row["count"]
    have = collections.Counter(
        (row[0], ERRORS.get(row[1], row[1]))
        for row in fields(
            pcap, "kerberos.msg_type == 30 && (udp.srcport == 88 || tcp.srcport == 88)",
            "ip.dst", "kerberos.error_code",
        )  # fmt: skip
    )
    check("KRB-ERROR", dict(want), dict(have))
    asked = {
        (row["client"], row["account"]) for row in truth["attempts"] if row["mode"] == "basic"
    }
    field = "http.proxy_authorization contains \"Basic\""
    names = fields(pcap, field, "ip.src", "http.authbasic")
    check("basic", asked, {(row[0], row[1].split(":")[0]) for row in names})
    finish(wrong)


def smb(pcap, truth, check):
    """What Samba logged against what tshark reads, where nothing hides it."""
    names = fields(pcap, "ntlmssp.messagetype == 3", "ip.src", "ntlmssp.auth.username")
    check("NTLM accounts", {(s["client"], s["account"]) for s in truth["sessions"]},
          {tuple(row) for row in names})
    if truth["cut"] or truth.get("lost") or truth["protection"] == "encrypt":
        return
    trees = fields(pcap, "smb2.cmd == 3 && smb2.flags.response == 0", "ip.src", "smb2.tree")
    shares = {(s["client"], s["share"]) for s in truth["shares"]}
    check("shares", set(), shares - {(row[0], row[1].rpartition("\\")[2]) for row in trees})
    for direction, condition, field in (
        ("written", "smb2.cmd == 9 && smb2.flags.response == 0", "smb2.write_length"),
        ("read", "smb2.cmd == 8 && smb2.flags.response == 1", "smb2.olb.length"),
    ):
        have = sum(int(n) for row in fields(pcap, condition, field) for n in row[0].split(",") if n)
        want = sum(f["bytes"] for f in truth["files"] if f["direction"] == direction)
        check("bytes %s" % direction, want, have)


def finish(wrong):
    for line in wrong:
        print(line)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
