#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write files to SMS_DP$ through Samba's client library as a sender with a limit does.

in:  LOG NUMBER MODE [KEY=VALUE...]; NUMBER: of the first package; the password of SITE1$ in the environment (CCM_LAB_PASSWORD), and the
     configuration (CCM_LAB_CONF). Modes:
     pulse    kb= delay= blocks=: a block, `delay` s of silence, the next one
     percent  percent= kb= blocks= rule=: 64 KiB, then blocks; after each a silence by `rule`:
              log       what the one public log shows (throttling.md 5.3): the time of sending in
                        halves of a second, the mean of four samples, whole seconds of silence
              document  sending took D: silence D (100 - percent) / percent
     change   two files under such a limit, with seconds= without one before and after
     free     kb= seconds= jobs=: no limit; so many jobs, a connection each, side by side
     window   kb= seconds= days=: `seconds` of an open schedule; it closes in the middle of a file,
              which is deleted; after some silence the file is sent anew, and whole. encrypt=1: all
              modes
out: LOG: {"mode", the settings, "blocks": [{"file", "time", "busy_s", "bytes", "pause_s"}], "edges":
     [{"time", "what"}]}; times in s since 1970: of a block when its first byte was offered, and
     `busy_s` later the server had confirmed the last one
"""
import json
import math
import multiprocessing
import os
import sys
import time

from samba import credentials
from samba.samba3 import libsmb_samba_internal as libsmb
from samba.samba3 import param

KIB, WRITE = 1024, 65536


def counter_bytes(size, start):
    """Counters as text, so that no file data is anybody's."""
    lines = b"".join(b"%015d\n" % (start + i) for i in range(size // 16 + 1))
    return lines[:size]


class Sender:
    """A connection, and the log of what went over it."""

    def __init__(self, log, options, number):
        self.log, self.options, self.number = log, options, number
        self.file = 0
        self.connect()

    def connect(self):
        lp = param.get_context()
        lp.load(os.environ["CCM_LAB_CONF"])
        who = credentials.Credentials()
        who.guess(lp)
        who.set_domain("LAB")
        who.set_username("SITE1$")
        who.set_password(os.environ["CCM_LAB_PASSWORD"])
        who.set_kerberos_state(credentials.DONT_USE_KERBEROS)
        if self.options.get("encrypt"):
            who.set_smb_encryption(credentials.SMB_ENCRYPTION_REQUIRED)
        else:
            who.set_smb_signing(credentials.SMB_SIGNING_OFF)
        self.conn = libsmb.Conn("10.11.0.11", "SMS_DP$", lp=lp, creds=who)

    def name(self):
        return "%d-ABC000%d.1.temp" % (self.number, self.number)

    def open(self):
        self.file += 1
        self.offset = 0
        self.handle = self.conn.create(self.name(), DesiredAccess=0x130196, CreateDisposition=5)

    def write(self, size):
        """A block; returns what it took."""
        data = counter_bytes(size, self.offset >> 4)
        begin = time.time()
        for at in range(0, size, WRITE):
            part = data[at:at + WRITE]
            if self.conn.write(self.handle, part, self.offset) != len(part):
                raise SystemExit("a write was cut short")
            self.offset += len(part)
        took = time.time() - begin
        self.log["blocks"].append({"file": self.file, "time": begin, "busy_s": round(took, 6),
                                   "bytes": size, "pause_s": 0, "job": self.number})
        return took

    def pause(self, seconds):
        self.log["blocks"][-1]["pause_s"] = round(seconds, 6)
        time.sleep(seconds)

    def done(self):
        self.conn.close(self.handle)
        self.conn.rename(self.name(), "ABC000%d" % self.number)

    def again(self, seconds):
        """After so long, another connection and another package."""
        del self.conn
        time.sleep(seconds)
        self.connect()
        self.number += 1
        self.open()

    def edge(self, what):
        self.log["edges"].append({"time": time.time(), "what": what})


def pulse(s, o):
    for _ in range(o["blocks"]):
        s.write(o["kb"] * KIB)
        s.pause(o["delay"])


def percent(s, o):
    samples = []
    for i in range(o["blocks"] + 1):
        size = o["kb"] * KIB if i else 64 * KIB
        took, rest = s.write(size), (100 - o["percent"]) / o["percent"]
        samples = (samples + [size / (max(1, math.ceil(took / 0.5)) * 0.5)])[-4:]
        if o["rule"] == "log":
            s.pause(math.floor(size * rest / (sum(samples) / len(samples))))
        else:
            s.pause(took * rest)


def free(s, o):
    end = time.time() + o["seconds"]
    while time.time() < end:
        s.write(o["kb"] * KIB)


def change(s, o):
    free(s, o)
    s.edge("limited")
    percent(s, o)
    s.done()
    s.again(4)
    percent(s, o)
    s.edge("free")
    free(s, o)


def window(s, o):
    for day in range(o["days"]):
        if day:
            s.done()
            s.again(2)
        free(s, o)
        size = s.offset
        s.edge("closed")
        s.conn.close(s.handle)
        s.conn.unlink(s.name())
        s.log["discarded"].append(size)
        del s.conn
        time.sleep(4)
        s.connect()
        s.open()
        s.edge("open")
        while s.offset < size * 2:
            s.write(o["kb"] * KIB)


MODES = {"pulse": pulse, "percent": percent, "free": free, "change": change, "window": window}


def job(name, options, number):
    log = {"blocks": [], "edges": [], "discarded": []}
    s = Sender(log, options, number)
    s.open()
    MODES[name](s, options)
    s.done()
    return log


def main():
    path, number, name = sys.argv[1:4]
    options = {}
    for item in sys.argv[4:]:
        key, value = item.split("=")
        options[key] = int(value) if value.isdigit() else value
    jobs = options.get("jobs", 1)
    with multiprocessing.Pool(jobs) as pool:
        logs = pool.starmap(job, [(name, options, int(number) + i) for i in range(jobs)])
    log = dict(options, mode=name)
    for key in logs[0]:
        log[key] = [item for one in logs for item in one[key]]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(log, file)


if __name__ == "__main__":
    main()
