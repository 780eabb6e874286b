# SPDX-License-Identifier: GPL-2.0-or-later
"""Sweeps over hundreds of variants look at every Nth in `make check`, so that it stays below a minute; at each
with CCM_SAMPLE=1, which ./bootstrap check and `make check-long` set."""
import os
import tempfile

EVERY = int(os.environ.get("CCM_SAMPLE") or 8)


def sample(items):
    return [item for i, item in enumerate(items) if i % EVERY == 0]


def sweep(names, problems):
    """One line of TAP for each name: problems(pcaps, name, scratch) yields what is wrong. Returns the exit code."""
    here = os.path.dirname(os.path.abspath(__file__))
    pcaps = os.path.join(os.environ.get("srcdir", os.path.join(here, "..")), "pcaps")
    failed = 0
    print("1..%d" % len(names))
    for number, name in enumerate(names, 1):
        with tempfile.TemporaryDirectory() as scratch:
            bad = list(problems(pcaps, name, scratch))
        failed += bool(bad)
        print("%s %d - %s" % ("not ok" if bad else "ok", number, name))
        for problem in bad[:12]:
            print("# " + problem)
    return int(bool(failed))
