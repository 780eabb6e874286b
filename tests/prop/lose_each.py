#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every request line that a capture holds is listed by `exchanges`: with each segment in turn lost,
with the capture beginning at each packet, with odd server ports, and with both at once; in
a client's stream cut anew into segments, so that request lines cross them.

In: $CCMSCOPE, the shipped captures. The expected lines come from the raw segments (a segment that
begins with "METHOD target HTTP/1.x", of which every byte is left), read by the lab's own pcap code.
Prints TAP.
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
SMALL = [17, 60, 1400]
UPLOAD = 20000
PORTS = {80: 47001, 8530: 10123}


def flow(segment):
    return segment.src, segment.sport, segment.dst


def request_lines(packets):
    """(flow, sequence number, bytes, (method, target)) of each."""
    for packet in packets:
        segment = pcapfile.segment(packet.data)
        found = segment and LINE.match(segment.payload)
        if found:
            method, target = (word.decode("latin-1") for word in found.groups())
            yield flow(segment), segment.seq, found.end(), (method, target)


def captured(lines, packets):
    """Those of `lines` of which the packets hold every byte."""
    left = [set(range(seq, seq + size)) for _, seq, size, _ in lines]
    for segment in filter(None, (pcapfile.segment(packet.data) for packet in packets)):
        begin, end = segment.seq, segment.seq + len(segment.payload)
        for at, (whose, seq, size, _) in enumerate(lines):
            if begin < seq + size and seq < end and whose == flow(segment):
                left[at].difference_update(range(max(begin, seq), min(end, seq + size)))
    return collections.Counter(line[3] for at, line in enumerate(lines) if not left[at])


def stream(packets):
    """What the client of the first connection said, up to UPLOAD bytes, and a segment of its."""
    out, first = bytearray(), None
    for packet in packets:
        segment = pcapfile.segment(packet.data)
        if segment and segment.dport in PORTS and segment.payload:
            first = first or packet
            at = segment.seq - pcapfile.segment(first.data).seq
            if flow(segment) == flow(pcapfile.segment(first.data)) and at == len(out) < UPLOAD:
                out += segment.payload
    return bytes(out), first


def segments(said, first, begin, size):
    """The stream from byte `begin` on in segments of `size` bytes."""
    head = pcapfile.segment(first.data)
    tcp = 14 + (first.data[14] & 15) * 4
    for at in range(begin, len(said), size):
        data = bytearray(first.data[: head.offset] + said[at : at + size])
        data[16:18] = (len(data) - 14).to_bytes(2, "big")
        data[tcp + 4 : tcp + 8] = (head.seq + at).to_bytes(4, "big")
        yield first._replace(data=bytes(data), wire=len(data))


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

        def missing(lines, packets):
            pcapfile.write(path, packets)
            return captured(lines, packets) - listed(program, path)

        for name in CAPTURES:
            packets = pcapfile.read(os.path.join(pcaps, name))
            moved = [move_ports(packet) for packet in packets]
            lines, moved_lines = list(request_lines(packets)), list(request_lines(moved))
            assert lines and len(lines) == len(moved_lines), name
            loaded = [
                at for at, p in enumerate(packets) if pcapfile.segment(p.data) and
                pcapfile.segment(p.data).payload
            ]
            variants = {
                "each segment in turn lost": (
                    lines, (packets[:at] + packets[at + 1 :] for at in loaded)
                ),
                "beginning at each packet": (
                    lines, (packets[at:] for at in range(len(packets)))
                ),
                "odd ports, each segment in turn lost": (
                    moved_lines, (moved[:at] + moved[at + 1 :] for at in loaded)
                ),
                "odd ports, beginning in the middle": (
                    moved_lines, (moved[at:] for at in range(0, len(moved), 3))
                ),
            }
            said, first = stream(packets)
            if len(said) >= UPLOAD:
                line = LINE.search(said, 2000)
                for size in SMALL:
                    variants["client alone in %d bytes, a line in two segments" % size] = (
                        lines, (
                            list(segments(said, first, line.start() + at - size, size))
                            for at in range(1, line.end() - line.start(), 3)
                        )
                    )
            for title, (wanted, cases) in variants.items():
                number += 1
                bad = [
                    (at, lost) for at, lost in
                    enumerate(missing(wanted, case) for case in sample.sample(cases)) if lost
                ]
                failed += bool(bad)
                print("%s %d - %s: %s" % ("not ok" if bad else "ok", number, name, title))
                for at, lost in bad[:5]:
                    print("# variant %d lacks %s" % (at, dict(lost)))
    print("1..%d" % number)
    sys.exit(1 if failed else 0)


main()
