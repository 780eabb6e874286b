#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Differential test: ccmscope against the answers of other programs on captures of other people.

In: the captures and expected.tsv in $CCM_CORPUS (default: shared/corpus beside the checkout) and
corpus-differences.tsv, the reviewed list of differences. Out: exit 0 when every row agrees or is
listed, 1 otherwise, 77 when the captures are not here. `corpus.py FILE...` limits it to some files.
Each capture also has to give the same report from its observation file, and its route rows have to
sum up to its totals.
"""
import collections
import concurrent.futures
import csv
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(os.environ.get("srcdir", pathlib.Path(__file__).resolve().parent.parent))
CORPUS = pathlib.Path(os.environ.get("CCM_CORPUS", HERE.parent / "shared" / "corpus"))
CCMSCOPE = os.environ.get("CCMSCOPE", "ccmscope")
DIFFERENCES = HERE / "tests" / "corpus-differences.tsv"
TIMEOUT_S = 60
TCP, UDP, ICMP = 6, 17, (1, 58)
COMPARED = ("pkt.", "tcp.", "udp.", "http.", "http2.", "kerberos.", "ntlm.", "smb2.", "tls.", "dns.")
# Of tokens and Kerberos messages, those are compared that ride in a protocol that is read.
CARRIERS = {"http", "kdc", "smb", "smb2"}
SMB2_COMMANDS = {name: number for number, name in enumerate(
    ("NEGOTIATE SESSION_SETUP LOGOFF TREE_CONNECT TREE_DISCONNECT CREATE CLOSE FLUSH READ WRITE LOCK "
     "IOCTL CANCEL ECHO QUERY_DIRECTORY CHANGE_NOTIFY QUERY_INFO SET_INFO OPLOCK_BREAK").split())}
SMB2_DIALECTS = {"2.0.2": "0x0202", "2.1": "0x0210", "2.???": "0x02ff", "3.0": "0x0300",
                 "3.0.2": "0x0302", "3.1.1": "0x0311"}
WITH_KEYS = "#with-keys" # behind a name: its rows hold when the key log beside it is given
SKIP = 77


class Failure(Exception):
    """Something that no difference row can excuse."""


def run(arguments):
    """Stdout of a ccmscope that must end by itself with 0 or 4."""
    try:
        done = subprocess.run([CCMSCOPE, *arguments], stdin=subprocess.DEVNULL, timeout=TIMEOUT_S,
                              capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        raise Failure(f"{arguments[0]}: not done after {TIMEOUT_S} s") from None
    if done.returncode not in (0, 4):
        message = done.stderr.decode(errors="replace").strip()[-400:]
        raise Failure(f"{' '.join(arguments)}: exit code {done.returncode}: {message}")
    return done.stdout


def rfc3339_ns(text):
    """'2026-01-31T12:00:00.123456789Z' as nanoseconds since 1970."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0") or 0)


def check_report(report, facts):
    """What the report says about the capture must be what the facts say, and the rows must sum up."""
    total = facts[-1]
    if total.get("k") != "capture":
        raise Failure("the last observation is not `capture`")
    capture, routes = report["capture"], report["routes"]
    pairs = [
        ("packets", capture["packets"], total.get("packets", 0)),
        ("bytes", capture["bytes"], total.get("wire_bytes", 0)),
        ("truncated_packets", capture["truncated_packets"], total.get("truncated_packets", 0)),
        ("packets of all routes", sum(sum(r["packets"].values()) for r in routes),
         capture["packets"]),
        ("wire bytes of all routes", sum(sum(r["wire_bytes"].values()) for r in routes),
         capture["bytes"]),
        ("requests of all routes", sum(sum(r.get("requests", {}).values()) for r in routes),
         sum(f["k"] == "http_request" for f in facts) +
         sum(f["count"] for f in facts if f["k"] == "smb_requests")),
        ("connections of all routes",
         sum(r["connections"].get("attempted", 0) for r in routes if "connections" in r),
         sum(f["k"] == "connection" and f.get("l4") == TCP and
             f["state"] in ("established", "refused", "unanswered") for f in facts)),
    ]
    if total.get("has_start"):
        pairs.append(("start", rfc3339_ns(capture["start"]), total["start_ns"]))
        pairs.append(("end", rfc3339_ns(capture["end"]), total["end_ns"]))
    wrong = [f"{name}: {got}, not {want}" for name, got, want in pairs if got != want]
    if wrong:
        raise Failure("; ".join(wrong))


def measure_auth(m, f):
    """Counts a credential, or a challenge with a token."""
    mechanism = f["mechanism"]
    if mechanism == "ntlm":
        kind = f"ntlm{f['ntlm_type']}"
        m[f"ntlm.type{f['ntlm_type']}", "http"] += 1
        if f["ntlm_type"] == 3:
            name = [f.get(key, "NULL") for key in ("domain", "account", "workstation")]
            m["ntlm.user", "{}\\{}@{}".format(*name)] += 1
    elif mechanism == "kerberos":
        kind = "kerberos"
        m["kerberos.msg_14", "http"] += f["header"].endswith("authorization")
    else:
        kind = "none-decoded"
    if f["header"] == "authorization":
        m["http.authorization", f["auth_scheme"]] += 1
        m["http.auth_mech", f"{f['auth_scheme']}/{kind}"] += 1


def measure_smb_auth(m, f, smb1_flows):
    """Counts a token of an SMB session set-up."""
    carrier = "smb" if f["flow"] in smb1_flows else "smb2"
    if "ntlm_type" in f:
        m[f"ntlm.type{f['ntlm_type']}", carrier] += 1
    if "msg_type" in f:
        m[f"kerberos.msg_{f['msg_type']}", carrier] += 1
    if f.get("ntlm_type") == 3:
        name = [f.get(key, "NULL") for key in ("domain", "account", "workstation")]
        m["ntlm.user", "{}\\{}@{}".format(*name)] += 1


def measure_smb(m, f, smb1_flows):
    """Counts what a fact about SMB 2 tells."""
    kind = f["k"]
    if kind == "smb_negotiate":
        if f.get("dialect") == "1":
            smb1_flows.add(f["flow"])
        elif "dialect" in f:
            m["smb2.dialect", SMB2_DIALECTS[f["dialect"]]] += 1
    elif kind == "smb_auth":
        measure_smb_auth(m, f, smb1_flows)
    elif kind == "smb_tree" and "share" in f:
        m["smb2.tree_connect", f["share"]] += 1
    elif kind == "smb_requests":
        m["smb2.cmd", f"{SMB2_COMMANDS[f['command']]}.req"] += f["count"]
        if f["command"] == "CREATE":
            m["smb2.create", ""] += f["count"]
    elif kind == "smb_answers":
        m["smb2.cmd", f"{SMB2_COMMANDS[f['command']]}.rsp"] += f["count"]
        if f["command"] in ("SESSION_SETUP", "TREE_CONNECT"):
            m[f"smb2.{f['command'].lower()}_status", f"0x{f['nt_status']:08x}"] += f["count"]
    elif kind == "smb_done":
        for key in ("signed_pdus", "compressed_pdus", "encrypted_pdus", "write_bytes",
                    "read_bytes"):
            m[f"smb2.{key}", ""] += f[key]


def measure_tls(m, flows, f):
    """Counts a fact of TLS; `flows` collects the connections that had each kind."""
    kind = f["k"]
    flows[kind].add(f["flow"])
    if kind == "tls_client_hello":
        for name in filter(None, [f.get("sni")]):
            m["tls.sni", name] += 1
    elif kind == "tls_server_hello":
        if "retry" in f:
            m["tls.hello_retry_request", ""] += 1
            return
        m["tls.negotiated_version", f"0x{f['tls_version']:04x}"] += 1
        m["tls.cipher", f"0x{f['cipher']:04x}"] += 1
        if "alpn" in f:
            m["tls.alpn", f["alpn"]] += 1
    elif kind == "tls_certificate":
        flows["client" if "from_client" in f else "server"].add(f["flow"])
    elif kind == "tls_session":
        for number in filter(None, f.get("handshake", "").split(",")):
            m["tls.handshake_type", number] += 1


def measure(facts):
    """The metrics of expected.tsv, from observations: {(metric, key): number}."""
    m = collections.Counter()
    http_flows, smb1_flows, dns_names = set(), set(), set()
    tls_flows = collections.defaultdict(set)
    for f in facts:
        kind, l4 = f["k"], f.get("l4", 0)
        if kind == "capture":
            m["pkt.packets", ""] = f.get("packets", 0)
            m["pkt.wire_bytes", ""] = f.get("wire_bytes", 0)
            m["pkt.truncated_packets", ""] = f.get("truncated_packets", 0)
            m["pkt.min_ns", ""] = f.get("start_ns", 0)
            m["pkt.max_ns", ""] = f.get("end_ns", 0)
        if kind == "run" and "src" in f: # packets without an IP header have no address
            version = "ipv6" if f["src"].count(":") > 1 else "ipv4"
            m[f"pkt.{version}_packets", ""] += f.get("packets", 0)
        if kind == "run" and l4 == UDP:
            m["pkt.udp_packets", ""] += f.get("packets", 0)
        elif kind == "run" and l4 == TCP:
            m["pkt.tcp_packets", ""] += f.get("packets", 0)
            m["tcp.payload_bytes", ""] += f.get("payload_bytes", 0)
            m["tcp.unique_bytes", ""] += f.get("unique_bytes", 0)
            m["tcp.repeated_bytes", ""] += f.get("retransmitted_bytes", 0)
            m["tcp.gap_bytes", ""] += f.get("missing_bytes", 0)
        elif kind == "run" and l4 in ICMP:
            m["pkt.icmp_packets", ""] += f.get("packets", 0)
        elif kind == "connection" and l4 == UDP:
            m["udp.streams", ""] += 1
        elif kind == "connection" and l4 == TCP:
            m["tcp.streams", ""] += 1
            m["tcp.gaps", ""] += f.get("gaps", 0)
            m["tcp.streams_midstream", ""] += f["state"] == "midstream"
            m["tcp.streams_with_rst", ""] += f.get("resets", 0) > 0
        elif kind == "http_request" and f["version"] == 20:
            m["http2.method", f["method"]] += 1
        elif kind == "http_response" and f["version"] == 20:
            m["http2.status", str(f["status"])] += 1
        elif kind == "http_request":
            http_flows.add(f["flow"])
            m["http.requests", ""] += 1
            m["http.method", f["method"]] += 1
            m["http.req_host", f.get("host", "")] += 1
            m["http.range_requests", ""] += "range" in f
            if "user_agent" in f:
                m["http.user_agent", f["user_agent"]] += 1
        elif kind == "http_response":
            http_flows.add(f["flow"])
            m["http.responses", ""] += 1
            m["http.status", str(f["status"])] += 1
            for scheme in filter(None, f.get("auth_scheme", "").split(", ")):
                m["http.www_authenticate", scheme] += 1
        elif kind == "http_auth":
            measure_auth(m, f)
        elif kind.startswith("smb_"):
            measure_smb(m, f, smb1_flows)
        elif kind.startswith("tls_"):
            measure_tls(m, tls_flows, f)
        elif kind == "kerberos":
            m[f"kerberos.msg_{f['msg_type']}", "kdc"] += 1
            if "error_code" in f:
                m["kerberos.error", str(f["error_code"])] += 1
        elif kind == "dns_query":
            m["dns.queries", ""] += 1
            m["dns.qtype", str(f["record_type"])] += 1
            dns_names.add(f["name"])
        elif kind == "dns_answer":
            m["dns.responses", ""] += 1
            m["dns.rcode", str(f["rcode"])] += 1
    m["http.streams", ""] = len(http_flows)
    for metric, which in (("streams", "tls_session"), ("streams_with_client_hello", "tls_client_hello"),
                          ("streams_with_server_certificate", "server"),
                          ("streams_with_client_certificate", "client"),
                          ("streams_with_certificate_request", "tls_certificate_request")):
        m["tls." + metric, ""] = len(tls_flows[which])
    m["dns.distinct_names", ""] = len(dns_names)
    return m


def examine(name):
    """Runs every command on one capture; returns its metrics."""
    path, keyed, _ = str(CORPUS / name).partition(WITH_KEYS)
    keys = ["--keylog", path + ".keys"] if keyed else []
    with tempfile.TemporaryDirectory() as scratch:
        facts_path = os.path.join(scratch, "facts.jsonl")
        report_text = run(["report", "--format", "json", "--per-client", "--observations",
                           facts_path, *keys, path])
        with open(facts_path, encoding="utf-8") as stream:
            facts = [json.loads(line) for line in stream][1:]
        if run(["report", "--format", "json", "--per-client", facts_path]) != report_text:
            raise Failure("the report from observations differs from the report from the capture")
    check_report(json.loads(report_text), facts)
    check_report(json.loads(run(["report", "--format", "json", *keys, path])), facts)
    lines = [json.loads(line) for line in run(["exchanges", "--json", *keys, path]).splitlines()]
    requests = sum(f["k"] in ("http_request", "smb_file") for f in facts)
    if sum("method" in line for line in lines) != requests:
        raise Failure(f"exchanges: {sum('method' in x for x in lines)} requests, not {requests}")
    return measure(facts)


def key_log(name):
    return CORPUS / (name.removesuffix(WITH_KEYS) + ".keys")


def read_expected():
    """{file: {(metric, key): (value, confidence)}} of the rows that can be compared."""
    expected = collections.defaultdict(dict)
    with open(CORPUS / "expected.tsv", encoding="utf-8") as stream:
        for line in stream:
            if line.startswith("#"):
                continue
            name, metric, key, value, confidence = line.rstrip("\n").split("\t")
            if confidence == "tshark-only" or not metric.startswith(COMPARED):
                continue
            if name.endswith(WITH_KEYS) and not key_log(name).is_file():
                continue # a Kerberos keytab
            if metric.startswith(("kerberos.msg_", "ntlm.type")) and key not in CARRIERS:
                continue
            expected[name][metric, key] = (value, confidence)
    for rows in expected.values():
        if not any(row[0] == "ntlm.type3" for row in rows): # the user came by another carrier
            for row in [row for row in rows if row[0] == "ntlm.user"]:
                del rows[row]
    return expected


def read_differences():
    """Reviewed rows: metrics that are not compared at all, and {(file, metric, key): row}."""
    ignored, rows = {}, {}
    with open(DIFFERENCES, encoding="utf-8") as stream:
        for row in csv.reader((x for x in stream if not x.startswith("#")), delimiter="\t",
                              quoting=csv.QUOTE_NONE):
            name, metric, key, want, ours, reason = row
            if len(reason) < 10:
                raise SystemExit(f"{DIFFERENCES}: no reason given: {row}")
            if name == "*":
                ignored[metric] = reason
            else:
                rows[name, metric, key] = (want, ours)
    return ignored, rows


def agrees(value, confidence, ours):
    if confidence.startswith("range:"):
        low, high = confidence[len("range:"):].split("-")
        return int(low) <= ours <= int(high)
    return int(value) == ours


def compare(name, expected, metrics, ignored):
    """Yields (file, metric, key, expected, ours) wherever the two differ."""
    # What tshark never saw counts as zero: a finding more than it has needs a reason, too.
    for metric, key in sorted(set(expected) | set(metrics)):
        if metric in ignored:
            continue
        value, confidence = expected.get((metric, key), ("0", "exact"))
        ours = metrics.get((metric, key), 0)
        if not agrees(value, confidence, ours):
            want = confidence[6:] if confidence.startswith("range:") else value
            yield name, metric, key, want, str(ours)


def main():
    if not (CORPUS / "expected.tsv").is_file():
        print(f"66 captures skipped: {CORPUS} is not here (set CCM_CORPUS)")
        return SKIP
    expected = read_expected()
    ignored, reviewed = read_differences()
    names = sorted(sys.argv[1:] or expected)
    failures, differences, present = [], [], []
    for name in names:
        (present if (CORPUS / name.removesuffix(WITH_KEYS)).is_file() else failures).append(name)
    missing = list(failures)
    failures = [f"{name}: not in the corpus" for name in missing]

    def attempt(name):
        try:
            return name, examine(name), None
        except (Failure, ValueError, KeyError, OSError) as error:
            return name, None, f"{name}: {type(error).__name__}: {error}"

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for name, metrics, failure in pool.map(attempt, present):
            if failure:
                failures.append(failure)
            else:
                differences.extend(compare(name, expected[name], metrics, ignored))

    found = {row[:3]: row[3:] for row in differences}
    unlisted = [row for row in differences if reviewed.get(row[:3]) != row[3:]]
    stale = [row for row in reviewed
             if row[0] in present and row not in found and
             not any(f.startswith(row[0] + ":") for f in failures)]
    for text in failures:
        print("FAILED", text)
    for row in unlisted:
        print("DIFFERS (file, metric, key, expected, ours)", *row, sep="\t")
    for row in stale:
        print("STALE: no longer differs", *row, sep="\t")
    print(f"{len(present)} captures, {len(missing)} missing; {len(differences)} differences, "
          f"{len(differences) - len(unlisted)} of them reviewed")
    return 1 if failures or unlisted or stale else 0


if __name__ == "__main__":
    sys.exit(main())
