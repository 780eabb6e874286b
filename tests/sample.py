# SPDX-License-Identifier: GPL-2.0-or-later
"""Sweeps over hundreds of variants look at every Nth in `make check`, so that it stays below a minute; at each
with CCM_SAMPLE=1, which ./bootstrap check and `make check-long` set."""
import os

EVERY = int(os.environ.get("CCM_SAMPLE") or 4)


def sample(items):
    return [item for i, item in enumerate(items) if i % EVERY == 0]
