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
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
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

    def values(self, name, field, *more, **kwargs):
        """All values of a field, frame by frame."""
        out = self.ws.run(*self.capture(name), *more, "-Y", field, *PROGRAM_FIELDS, "-E", "aggregator=,", "-e", field,
                          **kwargs).stdout
        return [v for line in out.splitlines() for v in line.split(",") if v]


def counts(values):
    return {v: values.count(v) for v in sorted(set(values))}


def fields_of(ws):
    rows = [line.split("\t") for line in ws.run("-G", "fields").stdout.splitlines()]
    return sorted({r[2] for r in rows if r[0] == "F" and r[2].startswith("ccm.")})


def loading(t):
    ws = t.ws
    symbols = subprocess.run(["nm", "-D", "--defined-only", str(ws.plugin)], capture_output=True, text=True, check=True)
    names = sorted(line.split()[-1] for line in symbols.stdout.splitlines())
    names = [n for n in names if not n.startswith("__")]  # of sanitizers
    t.check("exports Wireshark's five symbols and nothing else",
            names == ["plugin_describe", "plugin_register", "plugin_version", "plugin_want_major", "plugin_want_minor"],
            names)
    linked = subprocess.run(["readelf", "-d", str(ws.plugin)], capture_output=True, text=True, check=True).stdout
    t.check("brings no libpcap, nDPI, OpenSSL", not re.search(r"\[lib(pcap|ndpi|crypto|ssl)\.", linked), linked)
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


def shown(t):
    ws = t.ws
    with open(PCAPS / "demo.truth.json", encoding="utf-8") as file:
        truth = json.load(file)
    t.check("demo: verbs are those of the servers' logs",
            counts(t.values("demo.pcapng", "ccm.verb")) == truth["requests"], counts(t.values("demo.pcapng", "ccm.verb")))
    t.check("demo: status codes are those of the servers' logs",
            counts(t.values("demo.pcapng", "ccm.status")) == truth["statuses"])
    out = ws.run(*t.capture("demo.pcapng"), "-Y", 'ccm.verb == "BITS_POST"', "-T", "fields", "-e", "ccm.client_id")
    ids = [x for x in out.stdout.split() if re.fullmatch(r"GUID:[0-9A-F-]{36}", x)]
    t.check("demo: every BITS_POST has a client id", len(ids) == truth["requests"]["BITS_POST"], out.stdout)
    roles = {(s["server"], s["port"]): s["role"] for s in truth["services"]}
    out = ws.run(*t.capture("demo.pcapng"), "-Y", "ccm.verb", *PROGRAM_FIELDS, "-e", "ip.dst", "-e", "tcp.dstport", "-e",
                 "ccm.role").stdout
    rows = [line.split("|") for line in out.splitlines()]
    wrong = [r for r in rows if roles[(r[0], int(r[1]))] not in r[2].split(",")]
    t.check("demo: the role of each request is the server's", rows and not wrong, wrong)
    for name, field in (("auth-matrix-tls12.pcap", "http.request.method"), ("auth-matrix-tls13.pcap", "http.request.method"),
                        ("tls-pki.pcapng", "http.request.method"), ("tls-http2.pcapng", "http2.headers.method")):
        theirs, ours = t.values(name, field), t.values(name, "ccm.verb")
        # tshark does not know BITS_POST, and in some of these it is all that HTTP/2 has not
        theirs += [v for v in ours if v == "BITS_POST"] + (t.values(name, "http.request.method") if "2" in field else [])
        t.check(f"{name}: the verbs inside TLS are those that tshark decodes", theirs and counts(theirs) == counts(ours),
                f"{counts(theirs)} {counts(ours)}")
    listed = [line.split("`")[1] for line in open(wsplugin.HERE / "docs" / "wireshark.md", encoding="utf-8")
              if line.startswith("| `ccm.") and line.count("|") == 5]
    registered = [f for f in fields_of(ws) if not f.startswith("ccm.expert")]
    t.check("docs/wireshark.md lists every field", sorted(listed) == registered,
            set(listed) ^ set(registered))
    text = ws.run(*t.capture("messages-signed.pcap"), "-Y", "ccm", "-O", "ccm", "-V").stdout
    ours = "\n".join(re.findall(r"^\[?Microsoft Configuration Manager.*?(?=^\S|\Z)", text, re.M | re.S))
    t.check("the tree has header, properties and body", all(x in text for x in
            ("<TargetEndpoint>MP_ClientRegistration</TargetEndpoint>", 'Body: <Property Name="Netbios Name" Value="WKS01"/>',
             "Properties: ")))
    t.check("no signature and no token in it", len(ours) > 10000 and not re.search(r"(?!0{64})[0-9A-Fa-f]{64}|eyJ[\w-]{20}", ours))


def harmless(t):
    """What stays as it is without the plugin."""
    ws = t.ws
    none = ws.folder / "none"
    none.mkdir()
    ws.opened()
    ports = ws.run("-G", "decodes").stdout
    t.check("no port is registered", "ccm" not in [w for line in ports.splitlines() for w in line.split("\t")])
    for name, field in (("demo.pcapng", "http.request.method"), ("tls-ports.pcapng", "http.request.method")):
        with_plugin, without = t.values(name, field), t.values(name, field, plugins=none)
        t.check(f"{name}: HTTP on every port as without the plugin", without and with_plugin == without)
    disabled = t.values("messages-signed.pcap", "mime_multipart.type", "--disable-protocol", "ccm")
    stock = t.values("messages-signed.pcap", "mime_multipart.type", plugins=none)
    t.check("with the protocol disabled multipart is left as it was", stock and disabled == stock)
    gone = ws.run(*t.capture("demo.pcapng"), "--disable-protocol", "ccm", "-Y", "ccm").stdout
    t.check("with the protocol disabled nothing is shown", not gone)


def same(t):
    """Passes, filters, texts."""
    ws = t.ws
    wanted = [x for f in fields_of(ws) if f != NOT_LATER and not f.startswith("ccm.expert") for x in ("-e", f)]
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
    site = ws.copy(next((wsplugin.HERE / "tests" / "cases").glob("windows-site/*.ini"), wsplugin.HERE / "none")) \
        if list((wsplugin.HERE / "tests" / "cases").glob("windows-site/*.ini")) else None
    if site:
        text = ws.run(*t.capture("throttle-capped.pcap"), "-o", f"ccm.site_file:{site}", "-q", "-z", "ccm,windows").stdout
        t.check("the site file of the preferences is used", text)
    bad = ws.run(*t.capture("demo.pcapng"), "-o", "ccm.site_file:/nowhere", "-q", "-z", "ccm,windows")
    t.check("a site file that is missing is told", "/nowhere" in bad.stderr and bad.stdout)
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
        t.check("tshark lists the plugin", ws.loaded(), ws.run("-G", "plugins").stderr)
        if t.failed:
            return 1
        if options.damage:
            damage(t, options.damage, options.state, options.jobs)
        else:
            loading(t)
            shown(t)
            harmless(t)
            same(t)
            damage(t, 50 if ws.sanitized else 5, None)
        return 1 if t.failed else 0


if __name__ == "__main__":
    sys.exit(main())
