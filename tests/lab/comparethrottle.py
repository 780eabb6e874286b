# SPDX-License-Identifier: GPL-2.0-or-later
"""What the senders of a run of throttle.sh did, against the report: block within 6 %, delay within 0.25 s,
the percentage inside the interval, edges within 60 s or one burst."""
import datetime

DAYS, HOURS = range(7), range(24)


def seconds(text):
    whole, _, part = text.rstrip("Z").partition(".")
    when = datetime.datetime.strptime(whole + "+0000", "%Y-%m-%dT%H:%M:%S%z")
    return when.timestamp() + float("0." + (part or "0"))


def throttle_of(report, client):
    """Of the one route that a sender uses."""
    found = [t for r in report["routes"] if r.get("port") == 445
             for t in [r["throttle"]] + r.get("other_throttles", []) if t.get("source") == client]
    return found[0] if len(found) == 1 else {"verdict": "%d of them" % len(found)}


def within(what, low, value, high, check):
    check("%s: %s in %s to %s" % (what, value, low, high), True, low <= value <= high)


def limits(what, writer, seen, check):
    """Block, delay, percentage."""
    block = writer["kb"] * 1024
    blocks = seen.get("block_bytes", {"low": 0, "high": 0})
    within(what + " block", 0.94 * block, blocks["high"], 1.06 * block, check)
    within(what + " block", 0.94 * block, blocks["low"], 1.06 * block, check)
    if writer["mode"] == "pulse":
        for delay in seen.get("delay_s", {"low": -1}).values():
            within(what + " delay", writer["delay"] - 0.25, delay, writer["delay"] + 0.25, check)
    else:
        percent = seen.get("percent", {"low": 101, "high": 0})
        within(what + " percent", percent["low"], writer["percent"], percent["high"], check)


def edge(what, writer, when, want, check):
    bursts = [b["busy_s"] + b["pause_s"] for b in writer["blocks"]]
    within(what + " edge", want - max(60, *bursts), when, want + max(60, *bursts), check)


def compare_change(what, writer, seen, check):
    windows = seen["windows"]
    check(what + " windows", ["no-limit-seen", "hourly", "no-limit-seen"], [w["verdict"] for w in windows])
    if len(windows) != 3:
        return
    limits(what, writer, windows[1], check)
    for i, one in enumerate(writer["edges"]):
        edge(what, writer, seconds(windows[i]["end"]), one["time"], check)
        edge(what, writer, seconds(windows[i + 1]["start"]), one["time"], check)


def compare_window(what, writer, seen, check):
    closings = [w for w in seen["windows"] if w["verdict"] == "schedule-closed"]
    edges = [e["time"] for e in writer["edges"]]
    check(what + " closings", len(edges), 2 * len(closings))
    for i, w in enumerate(closings):
        edge(what, writer, seconds(w["start"]), edges[2 * i], check)
        edge(what, writer, seconds(w["end"]), edges[2 * i + 1], check)
    check(what + " discarded", sum(writer["discarded"]), seen["discarded_bytes"])
    want = {(day, hour) for day in range(writer["days"]) for hour in (8, 9)}  # retime.py
    check(what + " closed hours", want,
          {(d, h) for d in DAYS for h in HOURS if seen["hours"][d][h] == "schedule-closed"})


VERDICTS = {"pulse": "pulse", "percent": "hourly", "free": "no-limit-seen", "window": "schedule-closed",
            "change": "hourly"}


def compare(truth, report, check):
    for writer in truth["writers"]:
        seen, what = throttle_of(report, writer["client"]), writer["client"] + " " + writer["mode"]
        check(what + " verdict", VERDICTS[writer["mode"]], seen["verdict"])
        if VERDICTS[writer["mode"]] != seen["verdict"]:
            continue
        check(what + " certainty is one", True, seen["certainty"] in ("strong", "likely"))
        if writer["mode"] in ("pulse", "percent"):
            limits(what, writer, seen, check)
        elif writer["mode"] == "change":
            compare_change(what, writer, seen, check)
        elif writer["mode"] == "window":
            compare_window(what, writer, seen, check)
        else:
            check(what + " connections", writer.get("jobs", 1), seen["concurrency"]["connections_peak"])
