#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ground truth of a lab capture as JSON on stdout.

in:   PCAP, and either --log JSONL (what the servers wrote) or nothing: then the request and
      status lines that the file itself still holds are counted. That is exact here, since every
      lab program starts a head in a segment of its own and repeats are told by sequence number.
      --packets OTHER: packets and bytes of OTHER (an encapsulated copy of PCAP)
out:  packets, wire bytes, requests by verb and statuses, in all and per service
"""
import argparse
import collections
import json
import re

import pcapfile

REQUEST = re.compile(rb"([A-Z_]+) \S+ HTTP/1\.[01]\r\n")
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
ROLES = {"10.11.0.10": "mp", "10.11.0.11": "dp", "10.11.0.12": "sup"}


def from_log(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            where = (row["server"], row["port"])
            yield where, row["client"], "requests", row["method"]
            yield where, row["client"], "statuses", str(row["status"])


def from_packets(packets):
    seen = set()
    for packet in packets:
        seg = pcapfile.segment(packet.data)
        if seg is None or not seg.payload:
            continue
        key = (seg.src, seg.sport, seg.dst, seg.dport, seg.seq)
        if key in seen:
            continue
        seen.add(key)
        found = REQUEST.match(seg.payload)
        if found:
            yield (seg.dst, seg.dport), seg.src, "requests", found.group(1).decode()
        found = STATUS.match(seg.payload)
        if found:
            yield (seg.src, seg.sport), seg.dst, "statuses", found.group(1).decode()


def summary(events, counted, source):
    """What every truth file has: requests and statuses, in all and per service."""
    services = {}
    total = {"requests": collections.Counter(), "statuses": collections.Counter()}
    for (server, port), client, kind, value in events:
        row = services.setdefault(
            (server, port),
            {
                "server": server,
                "port": port,
                "role": ROLES.get(server, "unknown"),
                "clients": set(),
                "requests": collections.Counter(),
                "statuses": collections.Counter(),
            },
        )
        row["clients"].add(client)
        row[kind][value] += 1
        total[kind][value] += 1
    for row in services.values():
        row["clients"] = sorted(row["clients"])
    return {
        "schema": "ccmscope.lab-truth/1",
        "source": source,
        "packets": len(counted),
        "wire_bytes": sum(p.wire for p in counted),
        "requests": total["requests"],
        "statuses": total["statuses"],
        "services": [services[key] for key in sorted(services)],
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pcap")
    parser.add_argument("--log")
    parser.add_argument("--packets")
    options = parser.parse_args()
    packets = pcapfile.read(options.pcap)
    counted = pcapfile.read(options.packets) if options.packets else packets
    events = from_log(options.log) if options.log else from_packets(packets)
    truth = summary(events, counted, "server logs" if options.log else "packets of the file")
    print(json.dumps(truth, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
