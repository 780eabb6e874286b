#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The program and the Wireshark plugin tell the same: sorted observations and routes of every capture are equal.

In: $CCMSCOPE, the plugin of the build, pcaps/ and, if it is here, $CCM_CORPUS; wireshark/differences.tsv, the
reviewed list of captures that differ (name, most differing lines, reason). Out: exit 0 when all agree or are
listed, 1 otherwise, 77 without the plugin. `same-obs.py NAME...` limits it to captures whose path contains a NAME.
In builds with sanitizers and in distcheck's, where the front ends are those of make check, it reads a few.

What Wireshark does not hand to a plugin is left out on both sides: the names of files, the names and secrets
in blocks of pcapng, the packets that a capture dropped, and how many keys were given.
"""
import concurrent.futures
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent / folder) for folder in ("", "wireshark")]
import sample  # noqa: E402
import wsplugin  # noqa: E402

CCMSCOPE = os.environ.get("CCMSCOPE", "ccmscope")
CORPUS = pathlib.Path(os.environ.get("CCM_CORPUS", wsplugin.HERE.parent / "shared" / "corpus"))
DIFFERENCES = wsplugin.HERE / "tests" / "wireshark" / "differences.tsv"
NOT_TOLD = ("secrets_blocks", "secrets", "secrets_malformed", "private_keys", "dropped_packets")
SHOWN = 6
FEW = 12  # every so many captures


def captures():
    for folder in (wsplugin.HERE / "pcaps", CORPUS):
        if folder.is_dir():
            yield from sorted(p for p in folder.rglob("*") if p.suffix in (".pcap", ".pcapng"))


def lines_of(text):
    """The comparable observations, sorted."""
    kept = []
    for line in text.splitlines()[1:]:
        o = json.loads(line)
        if o["k"] == "capture_file" or (o["k"] == "name" and o.get("source") == "pcapng"):
            continue
        if o["k"] == "capture":
            for key in NOT_TOLD:
                o.pop(key, None)
        kept.append(json.dumps(o, sort_keys=True))
    return sorted(kept)


def ccmscope(*arguments):
    done = subprocess.run([CCMSCOPE, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
                          check=False, text=True, errors="replace")
    if done.returncode not in (0, 4):
        raise RuntimeError(f"ccmscope {' '.join(arguments)}: {done.returncode} {done.stderr.strip()[-300:]}")
    return done.stdout


def compare(ws, capture):
    """(lines, routes that differ, examples) of one capture."""
    with tempfile.TemporaryDirectory() as folder:
        mine, theirs = os.path.join(folder, "program"), os.path.join(folder, "plugin")
        keys, log = wsplugin.keys_of(capture)
        report = ccmscope("report", "--format", "json", "--no-classify", *keys,
                          "--observations", mine, str(capture))
        options = ["-o", f"tls.keylog_file:{ws.copy(log)}"] if log else []
        done = ws.run("-2", "-q", "-n", "-o", "tcp.reassemble_out_of_order:TRUE", *options,
                      "-z", "ccm,observations", "-r", ws.copy(capture))
        if not done.stdout.startswith("{"):
            raise RuntimeError(f"tshark: {done.returncode} {done.stderr.strip()[-300:]}")
        pathlib.Path(theirs).write_text(done.stdout, encoding="utf-8")
        with open(mine, encoding="utf-8") as file:
            program = lines_of(file.read())
        plugin = lines_of(done.stdout)
        again = ccmscope("report", "--format", "json", theirs)
    left, right = set(program), set(plugin)
    examples = [f"program: {x}" for x in sorted(left - right)] + [f"plugin:  {x}" for x in sorted(right - left)]
    routes = [json.loads(x)["routes"] for x in (report, again)]
    differing = sum(a not in routes[1] for a in routes[0]) + sum(b not in routes[0] for b in routes[1])
    count = abs(len(program) - len(plugin)) if left == right else max(len(left - right), len(right - left))
    return len(program), count, differing, examples


def main(wanted):
    missing = wsplugin.why_not()
    if missing:
        print(missing)
        return wsplugin.SKIP
    with open(DIFFERENCES, encoding="utf-8", newline="") as file:
        listed = {r["capture"]: r for r in csv.DictReader((x for x in file if not x.startswith("#")), delimiter="\t")}
    failures = total = different = 0
    with wsplugin.Wireshark() as ws:
        if wanted:
            chosen = [c for c in captures() if any(w in str(c) for w in wanted)]
        elif ws.sanitized or wsplugin.in_distcheck():
            chosen = list(captures())[::FEW]
        else:
            chosen = sample.sample(captures())
        if not ws.loaded():
            print("tshark does not load the plugin:", ws.run("-G", "plugins").stderr)
            return 1
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            jobs = [(c, pool.submit(compare, ws, c)) for c in chosen]
            for capture, job in jobs:
                row = listed.pop(capture.name, None)
                try:
                    n, count, routes, examples = job.result()
                except (RuntimeError, ValueError, subprocess.TimeoutExpired) as error:
                    print(f"{capture.name}: {error}")
                    failures += 1
                    continue
                total += n
                different += count
                allowed = int(row["lines"]) if row else 0
                if count > allowed or (routes and not (row and row["routes"] == "differ")):
                    failures += 1
                    print(f"{capture.name}: {count} of {n} observations differ (allowed {allowed}), {routes} routes")
                    print("\n".join("    " + x[:400] for x in examples[:SHOWN]))
                elif row and not count and not routes:
                    failures += 1
                    print(f"{capture.name}: is equal now, take it out of {DIFFERENCES.name}")
    print(f"{len(chosen)} captures, {total} observations, {different} differ; {failures} captures fail")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
