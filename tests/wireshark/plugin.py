#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin inside tshark. Prints TAP-like lines; exit 0, 1, or 77 without the plugin or tshark.

In: the plugin of the build, pcaps/ and what servers logged about them, tshark's own dissectors as the second
opinion. Where a line of the reference (root ignores plugins silently, two passes, disabled protocol, ports) says
what goes wrong, there is a test here. `--damage N` reads N damaged captures only (otherwise 50 in a build with
sanitizers, else 5), `--state FILE` remembers how far it came.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent / folder) for folder in ("", "..", "../lab")]
import pcapfile  # noqa: E402
import wsplugin  # noqa: E402

CCMSCOPE = os.environ.get("CCMSCOPE", "ccmscope")
PCAPS = wsplugin.HERE / "pcaps"
IN_ORDER = ("-o", "tcp.reassemble_out_of_order:TRUE")
NOT_LATER = "ccm.response_in"  # known on the second pass alone, as it is of things to come
SEEDS = ["demo.pcapng", "messages-signed.pcap", "tls-http2.pcapng", "bits-sessions.pcap", "auth-ntlm.pcap",
         "smb-plain.pcap", "encapsulated.pcap", "proxy-connect.pcapng", "tls-pki.pcapng", "roles.pcap"]
PROGRAM_FIELDS = ["-T", "fields", "-E", "occurrence=a", "-E", "separator=|"]


class Test:
    def __init__(self, ws):
        self.ws = ws
        self.failed = self.number = 0

    def check(self, name, good, why=""):
        self.number += 1
        self.failed += not good
        print(f"{'' if good else 'not '}ok {self.number} - {name}" + (f": {why}" if not good and why else ""), flush=True)

    def keys(self, name):
        """Arguments of tshark for the key log that lies beside a shipped capture."""
        _, log = wsplugin.keys_of(PCAPS / name)
        return ["-o", f"tls.keylog_file:{self.ws.copy(log)}"] if log else []

    def capture(self, name):
        """Arguments of tshark to read a shipped capture with the keys beside it."""
        return ["-n", *IN_ORDER, *self.keys(name), "-r", self.ws.copy(PCAPS / name)]

    def values(self, name, *fields, **kwargs):
        """Of each field all values, frame by frame; of frames that have one of them."""
        rows = self.rows(name, " or ".join(fields), *fields, **kwargs)
        return [[v for row in rows for v in row[i]] for i in range(len(fields))]

    def rows(self, capture, only, *fields, more=(), **kwargs):
        """Of each frame that fits a filter, the values of each field; `capture` is a name or arguments of tshark."""
        capture = self.capture(capture) if isinstance(capture, str) else capture
        wanted = [x for field in fields for x in ("-e", field)]
        out = self.ws.run(*capture, *more, "-Y", only, *PROGRAM_FIELDS, "-E", "aggregator=\x1f", *wanted, **kwargs).stdout
        return [[v.split("\x1f") if v else [] for v in line.split("|")] for line in out.splitlines()]


def counts(values):
    return {v: values.count(v) for v in sorted(set(values))}


def truth_of(name):
    with open((PCAPS / name).with_suffix(".truth.json"), encoding="utf-8") as file:
        return json.load(file)


def loading(t):
    ws = t.ws
    symbols = subprocess.run(["nm", "-D", "--defined-only", str(ws.plugin)], capture_output=True, text=True, check=True)
    names = sorted(line.split()[-1] for line in symbols.stdout.splitlines())
    names = [n for n in names if not n.startswith("__")]  # of sanitizers
    t.check("exports Wireshark's five symbols and nothing else",
            names == ["plugin_describe", "plugin_register", "plugin_version", "plugin_want_major", "plugin_want_minor"],
            names)
    linked = subprocess.run(["readelf", "-d", str(ws.plugin)], capture_output=True, text=True, check=True).stdout
    t.check("brings no libpcap, nDPI, libssl", not re.search(r"\[lib(pcap|ndpi|ssl)\.", linked), linked)
    other = ws.folder / "other" / ws.plugin.parent.relative_to(ws.plugins)
    other.mkdir(parents=True)
    source = ws.folder / "other.c"
    source.write_text('const char plugin_version[] = "1"; const int plugin_want_major = 4, plugin_want_minor = 99;\n'
                      "void plugin_register(void) { __builtin_trap(); }\n", encoding="ascii")
    subprocess.run([*os.environ.get("CC", "gcc").split(), "-shared", "-fPIC", "-o", str(other / "ccm.so"), str(source)],
                   check=True)
    ws.opened()
    done = ws.run("-G", "plugins", plugins=ws.folder / "other")
    t.check("a plugin of another version is refused with Wireshark's message",
            done.returncode == 0 and "was compiled for Wireshark version 4.99" in done.stderr and
            not re.search(r"^ccm\.so", done.stdout, re.M), done.stderr)


def shown(t, fields):
    ws = t.ws
    truth = truth_of("demo.pcapng")
    verbs, statuses = map(counts, t.values("demo.pcapng", "ccm.verb", "ccm.status"))
    t.check("demo: verbs are those of the servers' logs", verbs == truth["requests"], verbs)
    t.check("demo: status codes are those of the servers' logs", statuses == truth["statuses"], statuses)
    roles = {(s["server"], s["port"]): s["role"] for s in truth["services"]}
    out = ws.run(*t.capture("demo.pcapng"), "-Y", "ccm.verb", *PROGRAM_FIELDS, "-e", "ip.dst", "-e", "tcp.dstport", "-e",
                 "ccm.role").stdout
    rows = [line.split("|") for line in out.splitlines()]
    wrong = [r for r in rows if roles[(r[0], int(r[1]))] not in r[2].split(",")]
    t.check("demo: the role of each request is the server's", rows and not wrong, wrong)
    for name, field in (("auth-matrix-tls12.pcap", "http.request.method"), ("auth-matrix-tls13.pcap", "http.request.method"),
                        ("tls-pki.pcapng", "http.request.method"), ("tls-http2.pcapng", "http2.headers.method"),
                        ("tls-bits.pcapng", "http.request.method")):
        logged, (theirs, ours) = truth_of(name)["decrypted"]["requests"], t.values(name, field, "ccm.verb")
        t.check(f"{name}: the verbs inside TLS are those of the servers' logs", counts(ours) == logged, counts(ours))
        known = {verb: n for verb, n in logged.items() if verb != "BITS_POST"}  # to tshark
        t.check(f"{name}: ... and those that tshark decodes", counts(theirs) == known, counts(theirs))
    logged = truth_of("tls-bits.pcapng")["decrypted"]["requests"]["BITS_POST"]
    inside = t.rows("tls-bits.pcapng", 'ccm.verb == "BITS_POST" and ccm.decrypted and tls', "ccm.bits.packet")
    t.check("each BITS_POST inside TLS is named", logged == sum(len(names) for (names,) in inside) == 17, inside)
    listed = [line.split("`")[1] for line in open(wsplugin.HERE / "docs" / "wireshark.md", encoding="utf-8")
              if line.startswith("| `ccm.") and line.count("|") == 5]
    t.check("docs/wireshark.md lists every field", sorted(listed) == fields, set(listed) ^ set(fields))
    with open(wsplugin.HERE / "docs" / "wireshark.md", encoding="utf-8") as page:
        filters = [line.split("`")[1].replace("GUID:...", "GUID:11223344-5566-7788-99AA-BBCCDDEEFF01")
                   for line in page if line.startswith("| `") and line.count("|") == 3]
    found = [0] * len(filters)
    for name in ("demo.pcapng", "messages-signed.pcap", "auth-ntlm.pcap"):
        out = ws.run(*t.capture(name), "-q", "-z", "io,stat,0," + ",".join(filters))
        row = re.search(r"^\|.*<>.*?\|(.*)\|$", out.stdout, re.M)  # frames and bytes of each
        for i in range(len(filters) if row else 0):
            found[i] += int(row.group(1).split("|")[2 * i])
    t.check("each filter of docs/wireshark.md finds something", len(filters) > 8 and all(found),
            f"{dict(zip(filters, found))} {out.stderr}")
    text = ws.run(*t.capture("messages-signed.pcap"), "-Y", "ccm", "-O", "ccm", "-V").stdout
    ours = "\n".join(re.findall(r"^\[?Microsoft Configuration Manager.*?(?=^\S|\Z)", text, re.M | re.S))
    t.check("the tree has header, properties and body", all(x in text for x in
            ("<TargetEndpoint>MP_ClientRegistration</TargetEndpoint>", 'Body: <Property Name="Netbios Name" Value="WKS01"/>',
             "Properties: ")))
    t.check("no signature and no token in it", len(ours) > 10000 and not re.search(r"(?!0{64})[0-9A-Fa-f]{64}|eyJ[\w-]{20}", ours))


def client_ids(t):
    """Of each request: the id in its header, else the only one that its address used before, by the bytes that
    tshark shows."""
    used, wrong, header, address = {}, [], 0, 0
    rows = t.rows("demo.pcapng", "ccm.verb", "frame.number", "ip.src", "tcp.payload", "ccm.client_id",
                  "ccm.client_id.basis", "ccm.verb")
    for frame, source, payload, found, basis, _ in rows:
        sent = re.search(rb"\r\nCCMClientID: *(GUID:[0-9A-F-]{36})\r\n", bytes.fromhex(payload[0]))
        if sent:
            want = ([sent.group(1).decode()], ["header"])
            used.setdefault(source[0], set()).add(want[0][0])
            header += 1
        else:
            ids = used.get(source[0], ())
            want = (list(ids), ["address"]) if len(ids) == 1 else ([], [])
            address += len(ids) == 1
        if (found, basis) != want:
            wrong.append((frame, found, basis, want))
    t.check("demo: client ids are those sent, or of the address", header > 5 and address > 5 and not wrong, wrong)
    clients = {source: ids for _, (source,), _, ids, _, verbs in rows if "BITS_POST" in verbs}
    # the lab's client N sends from 10.11.0.2N
    want = {f"10.11.0.2{n}": [f"GUID:11223344-5566-7788-99AA-BBCCDDEEFF0{n}"] for n in (1, 2, 3)}
    t.check("demo: BITS_POST is the client's that sent it", clients and clients.items() <= want.items(), clients)


SIGNED = {"ClientIDSignature": "message-client-id", "PayloadSignature": "payload", "SignatureValue": "registration",
          "ClientTokenSignature": "client-token", "Token": "client-token", "CCMClientIDSignature": "client-id",
          "CCMClientTimestampSignature": "timestamp", "CCMClientTimestampsSignature": "timestamp"}


def signatures(t):
    """openssl checked them when the lab made the capture."""
    name, fields = "messages-signed.pcap", ("ip.src", "ccm.message.id", "ccm.uri", "ccm.signature.field",
                                            "ccm.signature.result", "ccm.message.signature", "frame.number",
                                            "ccm.expert.signature_failed")
    only = "ccm.signature.result or ccm.message.signature or ccm.expert.signature_failed"
    once = t.rows(name, only, *fields)
    t.check("signatures: two passes tell what one tells", once == t.rows(name, only, *fields, more=["-2"]))
    told = sorted((source[0], (message or uri or [""])[0], of, result)
                  for source, message, uri, signed, results, *_ in once for of, result in zip(signed, results))
    truth = truth_of(name)
    want = sorted((s["client"], s["where"], SIGNED[s["field"]], s["verdict"]) for s in truth["signatures"])
    t.check("signatures: each is what openssl said", told == want, set(told) ^ set(want))
    states = {}
    for row in want:
        if row[2] not in ("client-id", "timestamp") and row[1].startswith(("{", "")) and "sms_pol" not in row[1]:
            states.setdefault(row[:2], set()).add(row[3])
    want = {key: next(s for s in ("failed", "verified", "no-key") if s in found) for key, found in states.items()}
    unsigned = {(m["client"], m["message_id"]) for m in truth["messages"]} - set(states)
    want.update({key: "absent" for key in unsigned})
    told = {(source[0], (message or [""])[0]): state[0] for source, message, _, _, _, state, *_ in once
            if state and source[0] != "10.11.0.10"}  # the management point does not sign
    t.check("signatures: one word for a message", told == want, set(told.items()) ^ set(want.items()))
    noted = {row[6][0] for row in once if row[7]}
    failed = {row[6][0] for row in once if "failed" in row[4]}
    t.check("signatures: a note at the frame of each that fails",
            noted == failed and len(noted) == sum(s["verdict"] == "failed" for s in truth["signatures"]), noted)


def supplied(t):
    """Keys of the site file: a client whose registration the capture lacks."""
    source = PCAPS / "messages-signed.pcap"
    sent, keys, begin = {}, {}, 0
    for number, packet in enumerate(pcapfile.read(source), 1):
        segment = pcapfile.segment(packet.data)
        if not segment or segment.src in keys:
            continue
        sent[segment.src] = sent.get(segment.src, b"") + segment.payload.replace(b"\0", b"")
        found = re.search(rb'"PublicKey">([0-9A-F]+)<', sent[segment.src])
        if found:
            keys[segment.src] = found.group(1).decode()
            begin = number + 1 if segment.src == "10.11.0.22" else begin
    late = t.ws.folder / "late.pcap"
    subprocess.run(["editcap", "-r", str(source), str(late), f"{begin}-99999"], check=True, capture_output=True)
    capture = ["-n", *IN_ORDER, "-r", late]
    only = 'ccm.message.id == "{A1B2C3D4-0002-4000-8000-000000000003}"'
    for name, key, want in (("no key", None, [["no-key"], []]), ("its key", "10.11.0.22", [["verified"], ["supplied"] * 2]),
                            ("another's key", "10.11.0.21", [["failed"], ["supplied"] * 2])):
        site = t.ws.folder / "keys.ini"
        (t.ws.folder / "client.hex").write_text(keys.get(key, ""), encoding="ascii")
        site.write_text("[client-keys]\nGUID:11223344-5566-7788-99AA-BBCCDDEEFF02=client.hex\n", encoding="ascii")
        t.ws.opened()
        option = ["-o", f"ccm.site_file:{site}"] if key else []
        for passes in ([], ["-2"]):
            told = t.rows(capture, only, "ccm.message.signature", "ccm.signature.key_source", more=[*option, *passes])
            t.check(f"site file with {name}{', two passes' if passes else ''}: the state of a signature", told == [want], told)
    # files whose package has a lower priority than the hour lets through, as the lab sent them
    site.write_text("[site]\ntime_zone=UTC\n[dp DP01]\naddress=10.11.0.11\nschedule=daily 07-08 high\n"
                    "[package ABC00021]\npriority=low\n[package ABC00022]\npriority=high\n", encoding="ascii")
    t.ws.opened()
    for option, want in (([], []), (["-o", f"ccm.site_file:{site}"], [("2026-03-02 07:", "low"), ("2026-03-04 07:", "medium")])):
        text = t.ws.run(*t.capture("throttle-window.pcap"), *option, "-q", "-z", "ccm,windows").stdout
        told = re.findall(r"NOT AS CONFIGURED (\d{4}-\d\d-\d\d \d\d:).*\((\w+)\)", text)
        t.check(f"windows with{'' if option else 'out'} the site's schedule", "10.11.0.11" in text and told == want, told)


def harmless(t):
    """What stays as it is without the plugin."""
    ws = t.ws
    none = ws.folder / "none"
    none.mkdir()
    ws.opened()
    ports = ws.run("-G", "decodes").stdout
    t.check("no port is registered", "ccm" not in [w for line in ports.splitlines() for w in line.split("\t")])
    for name, field in (("demo.pcapng", "http.request.method"), ("tls-ports.pcapng", "http.request.method")):
        (with_plugin,), (without,) = t.values(name, field), t.values(name, field, plugins=none)
        t.check(f"{name}: HTTP on every port as without the plugin", without and with_plugin == without)
    disabled, = t.values("messages-signed.pcap", "mime_multipart.type", more=["--disable-protocol", "ccm"])
    stock, = t.values("messages-signed.pcap", "mime_multipart.type", plugins=none)
    t.check("with the protocol disabled multipart is left as it was", stock and disabled == stock)
    gone = ws.run(*t.capture("demo.pcapng"), "--disable-protocol", "ccm", "-Y", "ccm").stdout
    t.check("with the protocol disabled nothing is shown", not gone)


def same(t, fields):
    """Passes, filters, texts."""
    ws = t.ws
    wanted = [x for f in fields if f != NOT_LATER and not f.startswith("ccm.expert") for x in ("-e", f)]
    for name in ("demo.pcapng", "tls-http2.pcapng"):
        once, twice = (ws.run(*passes, *t.capture(name), "-Y", "ccm.verb or ccm.status or ccm.message.id",
                              *PROGRAM_FIELDS, *wanted).stdout for passes in ([], ["-2"]))
        t.check(f"{name}: two passes show what one shows", once and once == twice)
    once, twice = (ws.run(*passes, *t.capture("demo.pcapng"), "-q", "-z", "ccm,observations").stdout
                   for passes in ([], ["-2"]))
    t.check("two passes count what one counts", once.count("\n") > 400 and once == twice)
    replay = ws.folder / "observations"
    replay.write_text(once, encoding="utf-8")
    both = ws.run(*t.capture("demo.pcapng"), "-q", "-z", "ccm,summary", "-z", "ccm,windows").stdout
    routes = ws.run(*t.capture("demo.pcapng"), "-q", "-z", "ccm,routes").stdout

    def program(*arguments):
        return subprocess.run([CCMSCOPE, *arguments, str(replay)], capture_output=True, text=True, check=True).stdout

    t.check("two statistics at once print the program's texts",
            sorted(both.splitlines()) == sorted((program("summary") + program("windows")).splitlines()))
    t.check("ccm,routes is the program's list of routes", routes.strip() and routes.strip() in program("report"))
    bad = ws.run(*t.capture("demo.pcapng"), "-o", "ccm.site_file:/nowhere", "-q", "-z", "ccm,windows")
    t.check("a site file that is missing is told", "/nowhere" in bad.stderr and bad.stdout)
    for wrong in ("ccm,routesx", "ccm,routes,ccm.nonsense"):
        bad = ws.run(*t.capture("demo.pcapng"), "-q", "-z", wrong)
        t.check(f"-z {wrong} is told to be wrong", wrong.split(",")[-1] in bad.stderr and "ROUTES" not in bad.stdout)
    address = "ip.addr==10.11.0.21"
    some = ws.run(*t.capture("demo.pcapng"), "-q", "-z", f"ccm,observations,{address}", "-z", f"io,stat,0,{address}").stdout
    frames, size = map(int, re.search(r"<>\s*[\d.]+\s*\|\s*(\d+)\s*\|\s*(\d+)\s*\|", some).groups())
    total = next(json.loads(x) for x in some.splitlines() if x.startswith('{"k":"capture"'))
    t.check("a filter counts the frames and bytes that io,stat counts",
            frames and (total["packets"], total["wire_bytes"]) == (frames, size), f"{frames} {size} {total}")
    expert = ws.run(*t.capture("auth-ntlm.pcap"), "-q", "-z", "expert,ccm").stdout
    t.check("refused credentials are in the expert information", "The server refused the credential" in expert, expert)


def damaged(ws, number, logs):
    """Reads one damaged capture: what went wrong, or None; was anything in it decrypted?"""
    source = PCAPS / SEEDS[number % len(SEEDS)]
    keys = logs[source.name]
    path = ws.folder / f"damaged-{number}.pcapng"
    share = ("0.001", "0.01", "0.05")[number // len(SEEDS) % 3]
    skip = ("0", "54")[number % 2]  # headers of Ethernet, IP and TCP stay whole in every other
    subprocess.run(["editcap", "--seed", str(number), "-E", share, "-o", skip, "-r", str(source), str(path), "1-400"],
                   check=True, capture_output=True)
    os.chmod(path, 0o644)
    try:
        done = ws.run("-n", *IN_ORDER, *keys, "-r", path, "-Y", "ccm", "-O", "ccm", "-V", "-z", "ccm,summary")
    except subprocess.TimeoutExpired:
        return f"seed {number}: not done after {wsplugin.TIMEOUT_S} s", False
    finally:
        path.unlink(missing_ok=True)
    if done.returncode not in (0, 2) or re.search(r"Sanitizer|runtime error|Dissector bug", done.stderr + done.stdout):
        return f"seed {number}: exit {done.returncode} {done.stderr.strip()[-1500:]}", False
    return None, "Decrypted: True" in done.stdout


def damage(t, n, state, jobs=2):
    begin = int(state.read_text()) if state and state.exists() else 0
    logs = {name: t.keys(name) for name in SEEDS}  # copied once, as tshark may not read those in the tree
    problems, opened = [], 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for at in range(begin, n, 20):
            for problem, decrypted in pool.map(lambda i: damaged(t.ws, i, logs), range(at, min(at + 20, n))):
                problems += [problem] if problem else []
                opened += decrypted
            if problems:
                break
            if state:
                state.write_text(str(min(at + 20, n)))
    t.check(f"{n} damaged captures, from {begin} on", not problems, "\n".join(problems))
    t.check("... of which some were opened with their keys", opened or n - begin < 30)  # the least damaged of TLS
    if state and not problems:
        state.unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--damage", type=int, default=0)
    parser.add_argument("--state", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    missing = wsplugin.why_not()
    if missing:
        print(missing)
        return wsplugin.SKIP
    with wsplugin.Wireshark() as ws:
        t = Test(ws)
        t.check("tshark lists the plugin", ws.loaded())
        if t.failed:
            print(ws.run("-G", "plugins").stderr)
            return 1
        if options.damage:
            damage(t, options.damage, options.state, options.jobs)
        else:
            loading(t)
            fields = wsplugin.fields_of(ws)
            shown(t, fields)
            client_ids(t)
            signatures(t)
            supplied(t)
            harmless(t)
            same(t, fields)
            damage(t, 50 if ws.sanitized else 5, None)
        return 1 if t.failed else 0


if __name__ == "__main__":
    sys.exit(main())
