#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A BITS upload server for the lab that does what can go wrong with an upload.

in:    ADDRESS PORT LOG OTHER-HOST SESSIONS; SESSIONS: a directory two servers share, so that an
       upload can go on at the other one
out:   LOG, mp.py's line a request, with `bits` added
spec:  MC-BUPS. The last digit of the path says what happens: 1 go on at OTHER-HOST, 3 the session
       is lost after two fragments, 5 the application refuses the file at the end (context 7), 6 no
       session is given, 7 upload-reply; others go well.
"""
import json
import os
import re
import sys
import uuid

import mp


class Handler(mp.Handler):
    def packet(self, status, ack, **facts):
        self.facts = {"bits": {**self.kept, **facts}}
        self.answer(status, headers=[("BITS-Packet-Type", "Ack")] + ack)

    def session_file(self, name):
        return os.path.join(self.server.sessions, name)

    def error(self, status, code, context, session=""):
        ack = [("BITS-Error-Code", code), ("BITS-Error-Context", context)]
        if session:
            ack.append(("BITS-Session-Id", session))
        self.packet(status, ack, error_code=code, error_context=context)

    def do_BITS_POST(self):
        data = self.body()
        kind = self.headers.get("BITS-Packet-Type", "")
        session = self.headers.get("BITS-Session-Id", "")
        scene = re.search(r"(\d)\}$", self.path).group(1)
        self.kept = {
            "packet": kind,
            "session": session,
            "range": self.headers.get("Content-Range", ""),
            "name": self.headers.get("Content-Name", ""),
            "target": self.path,
        }
        path = self.session_file(session)
        if kind == "Ping":
            return self.packet(200, [])
        if kind == "Create-Session":
            return self.create(scene)
        if not session or not os.path.exists(path):
            return self.error(500, "0x8020001F", "0x5", session)
        with open(path, encoding="utf-8") as file:
            state = json.load(file)
        ack = [("BITS-Session-Id", session)]
        if kind == "Fragment":
            return self.fragment(scene, path, state, ack, len(data))
        if kind == "Close-Session":
            os.unlink(path)
            if scene == "5":
                return self.error(500, "0x80070570", "0x7", session)
            return self.packet(200, ack)
        if kind == "Cancel-Session":
            os.unlink(path)
            return self.packet(200, ack)
        return self.packet(400, ack)

    def create(self, scene):
        if scene == "6":
            return self.error(403, "0x80190193", "0x5")
        session = "{%s}" % str(uuid.uuid4()).upper()
        self.server.created[scene] = self.server.created.get(scene, 0) + 1
        state = {"next": 0, "fragments": 0, "first": self.server.created[scene] == 1}
        with open(self.session_file(session), "w", encoding="utf-8") as file:
            json.dump(state, file)
        ack = [("BITS-Protocol", mp.PROTOCOL), ("BITS-Session-Id", session)]
        ack.append(("Accept-Encoding", "Identity"))
        facts = {"session": session}
        if scene == "1" and self.server.other:
            ack += [("BITS-Host-Id", self.server.other), ("BITS-Host-Id-Fallback-Timeout", "60")]
            facts["host_id"] = self.server.other
        return self.packet(200, ack, **facts)

    def fragment(self, scene, path, state, ack, size):
        found = re.match(r"bytes (\d+)-(\d+)/(\d+)$", self.headers.get("Content-Range", ""))
        if not found or size != int(found.group(2)) - int(found.group(1)) + 1:
            return self.packet(400, ack)
        first, last, total = map(int, found.groups())
        state["fragments"] += 1
        if scene == "3" and state["first"] and state["fragments"] == 3:
            os.unlink(path)
            return self.error(500, "0x8020001F", "0x5", ack[0][1])
        if first > state["next"]:
            status = 416
        else:
            status, state["next"] = 200, max(state["next"], last + 1)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(state, file)
        ack.append(("BITS-Received-Content-Range", str(state["next"])))
        if scene == "7" and state["next"] == total:
            ack.append(("BITS-Reply-URL", "http://mp01.lab.example/CCM_Incoming/reply.xml"))
        return self.packet(status, ack, received=state["next"], total=total)


def main():
    server = mp.serve(sys.argv[1], int(sys.argv[2]), Handler)
    server.other, server.sessions, server.created = sys.argv[4], sys.argv[5], {}
    os.makedirs(server.sessions, exist_ok=True)
    with open(sys.argv[3], "a", encoding="utf-8") as server.log:
        server.serve_forever()


if __name__ == "__main__":
    main()
