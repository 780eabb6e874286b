#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""No token, signature, NTLM response, ticket or password of a capture appears in any output.

In: $CCMSCOPE, the plugin of the build if there is one, the shipped captures. What is secret is found in
the raw bytes by the lab's own pcap code, inside TLS in the header lines that Wireshark's own dissectors
show: credentials of headers, JSON web tokens, long hexadecimal texts (signatures, keys), in clear, in
UTF-16 and inside zlib data, NTLM responses and Basic passwords behind their base64. Every run of 16 of
their characters is searched in what each command prints, also with -v, and in the plugin's tree,
fields and statistics (of every second capture, as in sample.py). Prints TAP.
"""
import base64
import binascii
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import zlib

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(here, folder) for folder in ("lab", "wireshark")]
sys.dont_write_bytecode = True
import pcapfile  # noqa: E402
import sample  # noqa: E402
import wsplugin  # noqa: E402

WINDOW = 16
HALF = WINDOW // 2
STEP = WINDOW - HALF + 1
CAPTURES = """auth-kerberos auth-ntlm auth-fallback auth-anonymous auth-proxy messages-signed tokens
bits-sessions roles messages""".split()
INSIDE_TLS = ["auth-matrix-tls12", "auth-matrix-tls13"]
MUST_HOLD = {*INSIDE_TLS, "auth-kerberos", "auth-ntlm", "auth-proxy", "messages-signed", "tokens"}
CREDENTIAL = re.compile(rb"(?i)\r\n(?:proxy-)?(?:authorization|www-authenticate|authenticate): *"
                        rb"\w+ +([A-Za-z0-9+/=_.-]{16,})")
JWT = re.compile(rb"eyJ[\w-]+\.[\w-]+\.[\w-]+")
HEX = re.compile(rb"[0-9A-Fa-f]{256,}")
HEX16 = re.compile(rb"(?:[0-9A-Fa-f]\x00){256,}")


def streams(path):
    """The bytes of each direction of each connection, in order."""
    parts = {}
    for packet in pcapfile.read(path):
        s = pcapfile.segment(packet.data)
        if s and s.payload:
            parts.setdefault((s.src, s.sport, s.dst, s.dport), {})[s.seq] = s.payload
    for segments in parts.values():
        out, end = b"", None
        for seq in sorted(segments):
            skip = max(0, end - seq) if end is not None else 0
            out += segments[seq][skip:]
            end = max(end or 0, seq + len(segments[seq]))
        yield out


def behind_base64(token):
    """What a credential holds: an NTLM message's responses, a password; as hex and base64, too."""
    try:
        raw = base64.b64decode(token + b"=" * (-len(token) % 4))
    except binascii.Error:
        return
    at = raw.find(b"NTLMSSP\0\x03\0\0\0")
    if at >= 0:
        for field in (12, 20): # LM and NT response: length, room, offset
            size = int.from_bytes(raw[at + field : at + field + 2], "little")
            start = at + int.from_bytes(raw[at + field + 4 : at + field + 8], "little")
            response = raw[start : start + size]
            yield response.hex().encode()
            yield response.hex().upper().encode()
            yield base64.b64encode(response)
    elif b":" in raw and raw.isascii():
        yield raw.partition(b":")[2]
    else: # a Kerberos ticket
        yield raw.hex().encode()


def secrets(data):
    for found in CREDENTIAL.findall(data):
        yield found
        yield from behind_base64(found)
    yield from JWT.findall(data)
    for text in inside(data):
        yield from HEX.findall(text)
        yield from (x.replace(b"\0", b"") for x in HEX16.findall(text))


def inside(data):
    """The data and what is compressed in it."""
    yield data
    for start in re.finditer(rb"\r\n\r\n(?=\x78[\x01\x5e\x9c\xda])", data):
        decoder = zlib.decompressobj()
        try:
            yield decoder.decompress(data[start.end() :])
        except zlib.error:
            pass


def outputs(program, path, scratch):
    """What every command says about the capture, and where."""
    facts = os.path.join(scratch, "facts.jsonl")
    for command in (["summary", "-v"], ["report", "-v"], ["report", "--no-verify", "-v"],
                    ["report", "--format", "json", "--per-client", "--observations", facts],
                    ["report", "--messages", "-v"], ["report", "--messages", "--json"],
                    ["exchanges", "-v"], ["exchanges", "--json"]):
        done = subprocess.run([program, *command, path], stdin=subprocess.DEVNULL, timeout=60,
                              capture_output=True, check=True)
        yield " ".join(command), done.stdout + done.stderr
    with open(facts, "rb") as file:
        yield "observations", file.read()


class Plugin:
    """What the plugin says about a capture, and where; of other dissectors the names of protocols alone."""

    def __init__(self, ws):
        self.ws = ws
        self.fields = [x for name in wsplugin.fields_of(ws) for x in ("-e", name)]

    def run(self, path, *arguments):
        path = pathlib.Path(path)
        _, log = wsplugin.keys_of(path)
        keys = ["-o", "tls.keylog_file:%s" % self.ws.copy(log)] if log else []
        return self.ws.run("-n", *keys, "-r", self.ws.copy(path), *arguments).stdout.encode()

    def outputs(self, path):
        taps = [x for tap in ("summary", "routes", "windows", "observations") for x in ("-z", "ccm," + tap)]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            fields = pool.submit(self.run, path, "-Y", "ccm", "-T", "fields", "-E", "occurrence=a", *self.fields)
            tree = self.run(path, "-Y", "ccm", "-V", "-O", "ccm", *taps)
        for text, *holds in (tree, b"Verb: ", b'{"k":"capture"', b"WINDOWS", b"ROUTES"), (fields.result(), b"/"):
            if not all(x in text for x in holds):
                sys.exit("the plugin's output about %s is not whole" % path)
        yield "the plugin's tree or statistics", tree
        yield "the plugin's fields", fields.result()

    def heads(self, path):
        """Header lines of requests and answers, by Wireshark's own dissectors; also those inside TLS."""
        lines = self.run(path, "-Y", "http", "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=|", "-e",
                         "http.request.line", "-e", "http.response.line")
        return re.sub(rb"(\\r\\n)?[|\t\n]+|\\r\\n", b"\r\n", lines)


def windows(text):
    return {text[i : i + WINDOW] for i in range(len(text) - WINDOW + 1)}


def halves(secret_windows):
    """Of each window, what lies HALF characters long in it: at any of STEP places one begins."""
    return {w[i : i + HALF] for w in secret_windows for i in range(STEP)}


def shown(secret_windows, secret_halves, secrets_short, text):
    """A window has a half at one of STEP places in a row, so it is enough to look at every STEPth of the text."""
    found = set()
    for at in range(0, len(text) - HALF + 1, STEP):
        if text[at : at + HALF] in secret_halves:
            found |= secret_windows & windows(text[max(0, at - HALF) : at + WINDOW])
    return sorted(found)[:3] + [x for x in secrets_short if x in text]


def main():
    missing = wsplugin.why_not()
    if missing:
        print("# the plugin's output is not looked at:", missing)
        return run(None)
    with wsplugin.Wireshark() as ws:
        if not ws.loaded():
            sys.exit("tshark does not load the plugin")
        return run(Plugin(ws))


def run(plugin):
    program = os.environ["CCMSCOPE"]
    pcaps = os.path.join(os.environ.get("srcdir", os.path.join(here, "..")), "pcaps")
    failed = number = 0
    for name in CAPTURES + (INSIDE_TLS if plugin else []):
        path = os.path.join(pcaps, name + ".pcap")
        looks = plugin and (sample.EVERY == 1 or number % 2 == 0 or name in INSIDE_TLS)
        texts = [plugin.heads(path)] if name in INSIDE_TLS else streams(path)
        known = {s for text in texts for s in secrets(text)}
        parts = set().union(*map(windows, known)) if known else set()
        short = [s for s in known if 6 <= len(s) < WINDOW]
        sought = parts, halves(parts), short
        # The search itself must find what is there.
        problems = [] if known or name not in MUST_HOLD else ["holds no secret"]
        if known and not shown(*sought, b"x" + max(known, key=len) + b"y"):
            problems.append("the search finds nothing")
        with tempfile.TemporaryDirectory() as scratch:
            said = [] if name in INSIDE_TLS else list(outputs(program, path, scratch))
            for where, text in said + (list(plugin.outputs(path)) if looks else []):
                problems += ["%s shows %s" % (where, x.decode("latin-1"))
                             for x in shown(*sought, text)]
        number += 1
        failed += bool(problems)
        print("%sok %d - %s: %d secrets" % ("not " if problems else "", number, name, len(known)))
        for problem in problems:
            print("# " + problem)
    print("1..%d" % number)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
