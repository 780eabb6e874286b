# SPDX-License-Identifier: GPL-2.0-or-later
"""What the truth of a run of smb.sh says, against the report: in a capture that lacks nothing, and is
not encrypted, all of it; of an encrypted one what is not hidden."""
import collections

STATUS = {"NT_STATUS_OK": "STATUS_SUCCESS"}
ROUTES = {  # of share and what is done there; ccm-protocol.md 7
    "SMS_DP$": "site-server/dp", "SCCMContentLib$": "site-server/dp",
    "SMS_SITE": "site-server/site-server", "REMINST": "client/dp",
}


def sessions_of(report, anonymous):
    found = collections.Counter()
    for talk in report["smb"]:
        for s in talk["sessions"]:
            domain, _, account = s.get("account", "").rpartition("\\")
            result = s.get("result", "?").replace("STATUS_", "NT_STATUS_").replace("SUCCESS", "OK")
            if account or anonymous:
                found[talk["client"], domain, account, s["mechanism"], result] += s["count"]
    return found


def compare(truth, report, check):
    smb = truth["smb"]
    encrypted = smb["protection"] == "encrypt"
    found = sessions_of(report, False)
    # Samba says NO_SUCH_USER of an account that it then lets in as guest.
    want = collections.Counter()
    for s in smb["sessions"]:
        guest = s["status"] == "NT_STATUS_NO_SUCH_USER"
        refused = {"NT_STATUS_WRONG_PASSWORD": "NT_STATUS_LOGON_FAILURE"}
        want[s["client"], s["domain"], s["account"], "guest" if guest else "ntlm",
             "NT_STATUS_OK" if guest else refused.get(s["status"], s["status"])] += s["count"]
    lost = smb.get("lost", False)
    if lost:  # nothing that was not there, and most of what was
        check("sessions that were not", {}, {k: n for k, n in found.items()
                                             if n > want[k] and k[4] != "?"})
        check("a session is known", True, bool(found))
    else:
        check("sessions", dict(want), dict(found))
    # samba.sh and smb.sh call it so; its challenges and the clients' tickets say it
    names = {name.lower() for h in report["hosts"] if h["address"] == smb["server"] for name in h["names"]}
    check("a name of the server", True, bool(names & {"dp01", "dp01.lab.example"}) or lost)
    # The KDC told no name (the clients' library hides it), so none is told here.
    check("tickets", {(k["client"], k["count"]) for k in smb.get("kerberos", [])},
          {(t["client"], s["count"]) for t in report["smb"] for s in t["sessions"]
           if s["mechanism"] == "kerberos" and "account" not in s})
    kinds = {(s["account"].endswith("$"), s.get("kind")) for t in report["smb"]
             for s in t["sessions"] if "account" in s}
    check("kinds of accounts", set(), kinds - {(True, "computer"), (False, "user")})
    for talk in report["smb"]:
        for s in talk["sessions"]:
            if s.get("result") == "STATUS_SUCCESS" and s["mechanism"] == "ntlm":
                check("signed", smb["protection"] == "sign", s["signed"] and not s["encrypted"])
                check("encrypted", encrypted, s["encrypted"])
    if encrypted:
        check("encrypted bytes", True,
              all(sum(t["encrypted_bytes"].values()) > 0 for t in report["smb"]))
        return
    files, renamed, deleted, shares = collections.Counter(), set(), set(), set()
    for talk in report["smb"]:
        for s in talk["shares"]:
            if "error" not in s:
                shares.add((talk["client"], s["share"].rpartition("\\")[2]))
        for f in talk["files"]:
            path = f["path"].split("\\", 4)[-1] if f["path"].startswith("\\\\") else ""
            for direction in ("written", "read"):
                if f[direction]:
                    files[talk["client"], path, direction] += f[direction]
            if "renamed_to" in f:
                renamed.add((talk["client"], path, f["renamed_to"]))
            if f.get("deleted"):
                deleted.add((talk["client"], path))
    if lost:
        want = {(f["client"], f["path"], f["direction"]): f["bytes"] for f in smb["files"]}
        named = {f: n for f, n in files.items() if f[1]}
        check("files that were not", {}, {f: n for f, n in named.items() if n > want.get(f, 0)})
        check("half of the files", True, 2 * len(named) >= len(want))
        check("shares that were not", set(),
              {s for s in shares if s[1]} - {(s["client"], s["share"]) for s in smb["shares"]})
        return
    check("shares", {(s["client"], s["share"]) for s in smb["shares"]}, shares)
    want = {(f["client"], f["path"], f["direction"]): f["bytes"] for f in smb["files"]}
    check("files", want, dict(files))  # also where headers of messages were cut off
    check("renamed", {(f["client"], f["path"], f["to"]) for f in smb["renamed"]}, renamed)
    check("deleted", {(f["client"], f["path"]) for f in smb["deleted"]}, deleted)
    routes = {r["route"] for r in report["routes"]}
    for share in {s["share"] for s in smb["shares"]} & set(ROUTES):
        check("route of %s" % share, True, ROUTES[share] in routes)
