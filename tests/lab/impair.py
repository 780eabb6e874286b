#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Damage a capture in a known way, the same way every time.

in:  IN OUT and any of the options below, applied in the order in which they are listed
out: OUT
"""
import argparse

import pcapfile


def flow_of(seg):
    ends = ((seg.src, seg.sport), (seg.dst, seg.dport))
    return min(ends), max(ends)


def keep_flows(packets, word):
    """Only the connections one of whose segments begins with word."""
    wanted = set()
    for packet in packets:
        seg = pcapfile.segment(packet.data)
        if seg and seg.payload.startswith(word.encode()):
            wanted.add(flow_of(seg))
    return [p for p in packets if (s := pcapfile.segment(p.data)) and flow_of(s) in wanted]


def keep_host(packets, address):
    return [
        p
        for p in packets
        if (s := pcapfile.segment(p.data)) is None or address in (s.src, s.dst)
    ]


def drop(packets, every):
    """Every n-th segment with payload was never captured."""
    count, out = 0, []
    for packet in packets:
        seg = pcapfile.segment(packet.data)
        count += bool(seg and seg.payload)
        if not (seg and seg.payload and count % every == 0):
            out.append(packet)
    return out


def requests_only(packets):
    """Only the way to the servers: their ports are the low ones."""
    return [p for p in packets if (s := pcapfile.segment(p.data)) is None or s.dport < s.sport]


def reorder(packets, every):
    """Every n-th packet with payload trades places with the next packet."""
    out, count, at = list(packets), 0, 0
    while at + 1 < len(out):
        seg = pcapfile.segment(out[at].data)
        count += bool(seg and seg.payload)
        if seg and seg.payload and count % every == 0:
            one, two = out[at], out[at + 1]
            out[at] = two._replace(sec=one.sec, usec=one.usec)
            out[at + 1] = one._replace(sec=two.sec, usec=two.usec)
            at += 1
        at += 1
    return out


def slower(packets, factor, least=0):
    """Pauses of at least so many us last factor times as long: for beats that are minutes apart."""
    at = before = packets[0].sec * 1000000 + packets[0].usec
    out = []
    for packet in packets:
        now = packet.sec * 1000000 + packet.usec
        at += (now - before) * (factor if now - before >= least else 1)
        before = now
        out.append(packet._replace(sec=at // 1000000, usec=at % 1000000))
    return out


def span(packets):
    """A mirror port that copies the way in and the way out: each packet twice, 20 us apart."""
    out = []
    for packet in packets:
        out += [packet, pcapfile.shift(packet, 20)]
    return sorted(out, key=lambda p: (p.sec, p.usec))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--flows-with", metavar="WORD")
    parser.add_argument("--host", metavar="ADDRESS")
    parser.add_argument("--tcp", action="store_true", help="nothing else")
    parser.add_argument("--from-packet", type=int, metavar="N")
    parser.add_argument("--drop-every", type=int, metavar="N")
    parser.add_argument("--reorder-every", type=int, metavar="N")
    parser.add_argument("--duplicate", action="store_true")
    parser.add_argument("--requests-only", action="store_true")
    parser.add_argument("--snaplen", type=int, metavar="BYTES")
    parser.add_argument("--slower", type=int, metavar="TIMES", help="everything")
    parser.add_argument("--pauses", type=int, metavar="TIMES", help="only pauses from 100 ms on")
    options = parser.parse_args()
    packets = pcapfile.read(options.input)
    if options.flows_with:
        packets = keep_flows(packets, options.flows_with)
    if options.host:
        packets = keep_host(packets, options.host)
    if options.tcp:
        packets = [p for p in packets if pcapfile.segment(p.data)]
    if options.from_packet:
        packets = packets[options.from_packet :]
    if options.drop_every:
        packets = drop(packets, options.drop_every)
    if options.reorder_every:
        packets = reorder(packets, options.reorder_every)
    if options.duplicate:
        packets = span(packets)
    if options.requests_only:
        packets = requests_only(packets)
    if options.snaplen:
        packets = [p._replace(data=p.data[: options.snaplen]) for p in packets]
    if options.slower:
        packets = slower(packets, options.slower)
    if options.pauses:
        packets = slower(packets, options.pauses, 100000)
    pcapfile.write(options.output, packets)


if __name__ == "__main__":
    main()
