# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare authentication, tokens, messages, signatures and uploads with ground truth.

in:   truth, report and lines of exchanges as Python objects; the format of truth is in README.md
out:  check(what, wanted, had) is called for every fact
"""
import collections

FALLBACK = {
    1: "fallback-kdc-error",
    2: "fallback-kdc-silent",
    3: "fallback-rejected",
    4: "direct-ntlm",
    5: "fallback-unexplained",
}
TOKENS = {
    "bulk-registration-token": "bulk-registration-token",
    "ccm-token": "ccm-token",
    "content-token": "content-token",
    "content-claims-token": "content-token",
    "entra-device-token": "entra-token",
    "entra-user-token": "entra-token",
}
TASK_SEQUENCE = "SMS CCM 5.0 TS"
KINDS = {"computer": "computer", "user": "user", "anonymous": "anonymous", "service": "user"}


def host(endpoint):
    return endpoint.rsplit(":", 1)[0].strip("[]")


def verdict(line, stages):
    """The verdict of an exchange at the first of these stages that it has."""
    for stage in stages:
        for row in line.get("auth", []):
            if row["stage"] == stage:
                return row
    return None


def accepted(line):
    """(mode, account, kind) of an exchange that was let in with a credential."""
    row = verdict(line, ("proxy", "transport"))
    if not row or row.get("handshake") or row.get("denied"):
        return None
    if row["mode"] == "anonymous" and "ntlm-anonymous" in row["evidence"]:
        return ("ntlm", "", "anonymous")
    if row["mode"] not in ("ntlm", "kerberos", "basic", "digest"):
        return None
    return (row["mode"], row.get("account"), row.get("account_kind"))


LET_IN = set(range(100, 400)) | {404, 405, 416, 500}


def by_certificate(truth):
    """Requests without another credential that were let in where the client had sent a certificate:
    by client, server and what the certificate names."""
    found = collections.Counter()
    subjects = {c["name"]: c["subject"].removeprefix("CN=") for c in truth.get("certificates", [])}
    bare = {(row["client"], row["server"], "/" + row["directory"]) for row in truth["anonymous"]}
    for row in truth.get("tls", []):
        if row.get("client_certificate") != "sent" or row["handshake"] == "failed":
            continue
        for one in row["requests"]:
            directory = "/" + one["target"].split("/")[1]
            if one.get("status") in LET_IN and (row["client"], row["server"], directory) in bare:
                found[(row["client"], row["server"], subjects.get(row["client_certificate_name"]))] += 1
    return found


def compare_accounts(truth, report, check):
    """Accounts of the report: by server, over all its routes."""
    found = collections.Counter()
    kinds = {}
    for route in report["routes"]:
        for row in route.get("auth", []):
            if row["stage"] == "message" or row["mode"] in ("anonymous", "none-observed"):
                continue
            if "tokens" in truth and row["mode"] in TOKENS.values():
                continue  # compare_tokens looks at each
            key = (route["destination"]["address"], row["mode"], row.get("account"))
            found[key] += row["count"]
            kinds[key] = row.get("account_kind")
    wanted = collections.Counter()
    clients, agents = collections.defaultdict(set), collections.defaultdict(set)
    kind = {}
    for row in truth["auth"]:
        if row["account"]:
            key = (row["server"], row["mode"], row["account"])
            wanted[key] += row["requests"]
            clients[row["account"]].add(row["client"])
            agents[row["account"]].update(row.get("agents", []))
            kind[key] = row["account_kind"]
    for (_, server, name), count in by_certificate(truth).items():
        key = (server, "pki-certificate", name)
        wanted[key] += count
        kind[key] = "computer"
    for key, count in wanted.items():
        have = found.pop(key, 0)
        check("requests of %s by %s at %s" % (key[2], key[1], key[0]), count, have)
        want = KINDS.get(kind[key])
        if kind[key] == "network-access":
            told = len(clients[key[2]]) >= 3 or TASK_SEQUENCE in agents[key[2]]
            want = "network-access" if told else "user"
        check("kind of %s at %s" % (key[2], key[0]), want, kinds.get(key))
    for key, count in found.items():
        check("requests of %s by %s at %s" % (key[2], key[1], key[0]), 0, count)


def compare_exchanges(truth, lines, check):
    """Who was let in, client by client; and that silence is not taken for a login."""
    found = collections.Counter()
    plain = collections.Counter()
    for line in lines:
        client, server = host(line["source"]), host(line["destination"])
        who = accepted(line)
        if who:
            account = None if who[0] == "kerberos" else who[1]
            found[(client, server, who[0], account)] += 1
        row = verdict(line, ("proxy", "transport"))
        if row and row["mode"] == "anonymous" and "ntlm-anonymous" not in row["evidence"]:
            plain[(client, server)] += 1
    wanted = collections.Counter()
    for row in truth["auth"]:
        account = None if row["mode"] == "kerberos" else row["account"]
        wanted[(row["client"], row["server"], row["mode"], account)] += row["requests"]
    check("authenticated exchanges", dict(wanted), dict(found))
    wanted = collections.Counter()
    for row in truth["anonymous"]:
        let_in = sum(n for code, n in row["statuses"].items() if code not in ("401", "403", "407"))
        if let_in:
            wanted[(row["client"], row["server"])] += let_in
    for (client, server, _), count in by_certificate(truth).items():
        wanted[(client, server)] -= count
    wanted = +wanted
    check("anonymous exchanges", dict(wanted), dict(plain))


def compare_fallbacks(truth, report, check):
    accounts = {(row["client"], row["server"], row["account"]) for row in truth["auth"]}
    for row in truth["fallbacks"]:
        ids = set()
        for route in report["routes"]:
            for auth in route.get("auth", []):
                key = (row["client"], row["server"], auth.get("account"))
                if route["destination"]["address"] == row["server"] and key in accounts:
                    ids.update(e["id"] for e in auth["evidence"])
        why = FALLBACK[row["pattern"]]
        check("%s of %s" % (why, row["client"]), True, why in ids)
        others = sorted(ids & set(FALLBACK.values()) - {why})
        check("other reasons of %s" % row["client"], [], others)


def compare_tokens(truth, lines, check):
    left = collections.defaultdict(list)
    for line in lines:
        if line.get("method"):
            left[host(line["source"])].append(line)
    for row in truth["tokens"]:
        line = left[row["client"]].pop(0)
        what = "%s of %s" % (row["target"], row["client"])
        check("target", row["target"], line["target"])
        token, auth = line.get("token", {}), verdict(line, ("transport",)) or {}
        mode = TOKENS.get(row["token"])
        if not mode:
            check("token in " + what, False, auth.get("mode") in TOKENS.values())
            continue
        check("mode of " + what, mode, auth.get("mode"))
        kind = {"device": "computer", "user": "user"}[row["identity"]]
        check("identity of " + what, kind, auth.get("account_kind"))
        check("issuer of " + what, row["issuer"], token.get("issuer"))
        check("audience of " + what, row["audience"], token.get("audience"))
        check("header of " + what, row["header"].lower(), token.get("header", "").lower())


def compare_messages(truth, lines, check):
    rows = [line for line in lines if "message" in line]
    rows.sort(key=lambda line: (line["time"], line["frame"]))
    wanted, found = [], []
    for row in truth["messages"]:
        names = ("client", "endpoint", "message_id", "signed", "compressed", "status")
        wanted.append(tuple(row[name] for name in names) + (row["client_id"],))
    for line in rows:
        m = line["message"]
        found.append(
            (host(line["source"]), m.get("endpoint"), m.get("id", ""), m["signed"])
            + (m["compressed"], line.get("status"), m.get("source_id"))
        )
    check("messages", sorted(wanted), sorted(found))
    signed = sum(row["signed"] for row in truth["messages"])
    proofs = [verdict(line, ("message",)) or {} for line in rows]
    modes = sum(row.get("mode") == "message-signature" for row in proofs)
    check("messages with a signature", signed, modes)
    refused = sum(row["reply"] == "empty" for row in truth["messages"])
    check("refused messages", refused, sum("denied" in row for row in proofs))


def compare_clients(truth, report, check):
    found = {row["client_id"]: row for row in report["clients"]}
    for row in truth["clients"]:
        have = found.get(row["client_id"], {})
        if row["key"] != "never":
            for name in ("verified", "failed", "replayed"):
                count = have.get("signature", {}).get(name)
                check("%s of %s" % (name, row["client_id"]), row[name], count)
        close = abs(have.get("clock_skew_s", 1000) - row["skew_s"]) <= 2
        check("clock of %s" % row["client_id"], True, close)
    for name in ("verified", "failed", "no-key"):
        key = name.replace("-", "_")
        total = sum(row.get("signature", {}).get(key, 0) for row in report["clients"])
        check("signatures " + name, sum(row[name] for row in truth["clients"]), total)

    failing = {row["client_id"] for row in truth["clients"] if row["failed"]}
    rows = [row for row in report["messages"] if row.get("signature") == "failed"]
    check("messages that fail", failing, {row["client_id"] for row in rows})
    for row in rows:
        check("mode of a failing message", "message-signature", row["auth"][0]["mode"])


def compare_uploads(truth, report, check):
    for row in truth["uploads"]:
        what = "upload of %(client)s: " % row
        mine = [u for u in report["uploads"] if u["client"] == row["client"]]
        check(what + "sessions", sorted(row["sessions"]), sorted(u["id"] for u in mine if u["id"]))
        last = mine[-1] if mine else {}
        check(what + "complete", row["result"] == "complete", last.get("complete"))
        check(what + "cancelled", row["result"] == "cancelled", last.get("cancelled"))
        check(what + "received", row["received"], last.get("bytes"))
        check(what + "total", row["total"], last.get("total_bytes"))
        check(what + "name", row["name"], last.get("name", ""))
        check(what + "host", row["host_id"], last.get("host_id", ""))
        moved = [last["moved_to"]] if "moved_to" in last else []
        check(what + "servers", row["servers"], [last.get("server")] + moved)
        errors = [e.split(" ")[0] for u in mine for e in u["errors"] if not e.startswith("status")]
        check(what + "errors", [e["code"] for e in row["errors"]], errors)
        for first, second in zip(mine, mine[1:]):
            check(what + "tried again", second["id"], first.get("retried_as"))


def compare_channels(truth, report, check):
    """Connections, VMs and fallbacks of channels, as both ends logged them."""
    rows = {}
    for r in report["routes"]:
        via = "%s:%d" % (r["via"]["address"], r["via"]["port"]) if "via" in r else ""
        end = r["destination"]["names"][0] if via else r["destination"]["address"]
        rows[(end, r.get("port"), via)] = r
    named = {(c["server"], c["via"]): c["name"].lower() for c in truth["channels"] if "via" in c}

    def end_of(row):  # through a proxy the client names it, and no packet may show its address
        via = row.get("via", "")
        return named.get((row["server"], via), row["server"]), via

    want = collections.defaultdict(collections.Counter)
    for row in truth["channels"]:
        end, via = end_of(row)
        key = (end, row["port"], via)
        want[key].update(row["connections"])
        route = rows.get(key, {})
        what = "channel to %s:%d %s: " % key
        check(what + "instance", row.get("instance"), route.get("instance"))
        if "instance" in row:
            check(what + "route", ("cmg-cp/cmg", row["protocol"]), (route.get("route"), route.get("protocol")))
    for key, sums in want.items():
        have = rows.get(key, {}).get("connections", {})
        sums["reset"] += sums["refused"]  # a refusal is a reset, too
        for name in ("attempted", "established", "refused", "unanswered", "reset"):
            if name != "reset" or not key[2]:  # how a proxy ends it is its own affair
                check("%s of channel to %s:%d %s" % ((name,) + key), sums[name], have.get(name))
    found = {
        (server, f["from_port"], port, via, f["reason"])
        for (server, port, via), row in rows.items()
        for f in row.get("fallbacks", [])
    }
    check("fallbacks", {(end_of(r)[0], r["from"], r["to"], end_of(r)[1], r["why"]) for r in truth["fallbacks"]}, found)
    for row in truth["fallbacks"]:
        route = rows.get((end_of(row)[0], row["to"], end_of(row)[1]), {})
        check("route of %s:%d" % (row["server"], row["to"]), "cmg-cp/cmg", route.get("route"))


def compare_names(truth, report, check):
    """What the name server said is what the hosts are called, and what it did not know is told."""
    hosts = {h["address"]: h for h in report["hosts"]}
    failed = {row["name"] for row in report["lookups"] if row["failed"]}
    for row in truth["dns"]:
        asked = row["name"].lower()
        answers = [value for _, value in row["answers"]]
        check("%s not resolved" % asked, "NXDOMAIN" in answers, asked in failed)
        for address in answers:
            if address in hosts:
                check("%s is %s" % (address, asked), True,
                      "dns" in hosts[address].get("name_sources", {}).get(asked, []))


def compare_connections(truth, lines, decrypted, check):
    """Each request on the connection that it came on."""
    found, wanted = collections.Counter(), collections.Counter()
    for line in lines:
        if line.get("method"):
            found[(line["source"], line["method"], line["target"].lower(), line.get("status"))] += 1
    for row in truth["tls"]:
        source, tunnel = "%s:%d" % (row["client"], row["client_port"]), row.get("tunnel", {})
        for status in tunnel.get("statuses", []):
            wanted[(source, "CONNECT", tunnel["target"], status)] += 1
        if decrypted or row["handshake"] == "none":
            for one in row["requests"]:
                wanted[(source, one["method"], one["target"].lower(), one.get("status"))] += 1
    check("requests missing on a connection", {}, dict(wanted - found))
    check("requests too many on a connection", {}, dict(found - wanted))


def compare(truth, report, lines, check):
    if "channels" in truth:
        compare_channels(truth, report, check)
    if "dns" in truth:
        compare_names(truth, report, check)
    if "auth" in truth:
        compare_accounts(truth, report, check)
        compare_fallbacks(truth, report, check)
        compare_exchanges(truth, lines, check)
    if "tokens" in truth:
        compare_tokens(truth, lines, check)
    if "messages" in truth:
        compare_messages(truth, lines, check)
        compare_clients(truth, report, check)
    if "uploads" in truth:
        compare_uploads(truth, report, check)
