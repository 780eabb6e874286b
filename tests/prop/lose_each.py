#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every request line that a capture holds is listed by `exchanges`: with each segment in turn lost,
with the capture beginning at each packet, with odd server ports, and with both at once.

In: $CCMSCOPE, the shipped captures. The expected lines come from the raw segments (a segment that
begins with "METHOD target HTTP/1.x"), read by the lab's own pcap code. Prints TAP.
"""
import collections
import json
import os
import re
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(here, ".."), os.path.join(here, "..", "lab")]
sys.dont_write_bytecode = True
import pcapfile  # noqa: E402
import sample  # noqa: E402

LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP/1\.[01]\r\n")
CAPTURES = ["bits-upload.pcap", "messages.pcap"]
PORTS = {80: 47001, 8530: 10123}


def request_line(packet):
    segment = pcapfile.segment(packet.data)
    found = segment and LINE.match(segment.payload)
    return found and (found.group(1).decode(), found.group(2).decode("latin-1"))


def listed(program, path):
    run = subprocess.run(
        [program, "exchanges", "--json", "-q", "--no-verify", path], stdout=subprocess.PIPE, timeout=60,
        check=True
    )
    lines = (json.loads(line) for line in run.stdout.splitlines())
    return collections.Counter((x["method"], x["target"]) for x in lines if "method" in x)


def move_ports(packet):
    segment = pcapfile.segment(packet.data)
    if not segment:
        return packet
    data = bytearray(packet.data)
    head = 14 + (data[14] & 15) * 4
    for at, port in ((head, segment.sport), (head + 2, segment.dport)):
        data[at : at + 2] = PORTS.get(port, port).to_bytes(2, "big")
    return packet._replace(data=bytes(data))


def main():
    program = os.environ["CCMSCOPE"]
    pcaps = os.path.join(os.environ.get("srcdir", os.path.join(here, "..", "..")), "pcaps")
    number = failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "variant.pcap")

        def missing(packets):
            pcapfile.write(path, packets)
            return collections.Counter(filter(None, map(request_line, packets))) - listed(
                program, path
            )

        for name in CAPTURES:
            packets = pcapfile.read(os.path.join(pcaps, name))
            assert any(map(request_line, packets)), name
            moved = [move_ports(packet) for packet in packets]
            loaded = [
                at for at, p in enumerate(packets) if pcapfile.segment(p.data) and
                pcapfile.segment(p.data).payload
            ]
            variants = {
                "each segment in turn lost": (packets[:at] + packets[at + 1 :] for at in loaded),
                "beginning at each packet": (packets[at:] for at in range(len(packets))),
                "odd ports, each segment in turn lost": (
                    moved[:at] + moved[at + 1 :] for at in loaded
                ),
                "odd ports, beginning in the middle": (
                    moved[at:] for at in range(0, len(moved), 3)
                ),
            }
            for title, cases in variants.items():
                number += 1
                bad = [(at, lost) for at, lost in enumerate(map(missing, sample.sample(cases))) if lost]
                failed += bool(bad)
                print("%s %d - %s: %s" % ("not ok" if bad else "ok", number, name, title))
                for at, lost in bad[:5]:
                    print("# variant %d lacks %s" % (at, dict(lost)))
    print("1..%d" % number)
    sys.exit(1 if failed else 0)


main()
