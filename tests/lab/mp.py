#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A small management-point stand-in for the lab.

in:    HTTP requests on ADDRESS:PORT (CCM_POST, BITS_POST, GET, HEAD)
out:   answers in the shapes a client expects; one JSON line per request in LOG
state: open BITS upload sessions, in memory
spec:  MC-BUPS (BITS upload), multipart/mixed messages of the management point
Signatures and tokens are never checked and all values in the answers are made up.
"""
import json
import re
import sys
import threading
import uuid
import zlib
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PROTOCOL = "{7df0354d-249b-430f-820d-3d2a9bef4931}"
BOUNDARY = "aAbBcCdDv1234567890VxXyYzZ"
MP_LIST = (
    '<MPList><MP Name="MP01" FQDN="mp01.lab.example"><Version>9128</Version>'
    '<Capabilities SchemaVersion="1.0"><Property Name="SSLState" Value="0"/></Capabilities>'
    "</MP></MPList>"
)
SIGN_CERT = (
    '<X509Data><X509Certificate EncodingType="hexBinary">'
    + "".join("%08X" % n for n in range(1, 97))
    + "</X509Certificate></X509Data>"
)
REPLIES = {
    "MP_PolicyManager": '<ReplyAssignments SchemaVersion="1.00" ReplyType="Full">'
    + "".join(
        '<PolicyAssignment PolicyAssignmentID="{00000000-0000-4000-8000-%012d}"/>' % n
        for n in range(40)
    )
    + "</ReplyAssignments>",
    "MP_LocationManager": '<ContentLocationReply SchemaVersion="1.00"><Sites><Site><MPSite '
    'SiteCode="ABC"/><LocationRecords><LocationRecord><URL Name="http://dp01.lab.example/'
    'SMS_DP_SMSPKG$/ABC00012"/></LocationRecord></LocationRecords></Site></Sites>'
    "</ContentLocationReply>",
    "MP_ClientRegistration": '<ClientRegistrationResponse ResponseType="Registration" Status="0" '
    'SMSID="GUID:11223344-5566-7788-99AA-BBCCDDEEFF00" ApprovalStatus="1"/>',
}


def multipart(endpoint):
    """A synchronous reply: UTF-16 envelope, zlib body."""
    body = REPLIES.get(endpoint)
    if body is None:
        text = "NoReply".encode("utf-16")
        parts = [(b"text/plain; charset=UTF-16", text)]
    else:
        raw = (body + "\0").encode("utf-16-le")
        head = (
            '<Msg SchemaVersion="1.1" ReplyCompression="zlib"><Body Type="ByteRange" '
            'Length="%d" Offset="0"/><Hooks><Hook3 Name="zlib-compress"/></Hooks>'
            "<ReplyMode>Reply</ReplyMode></Msg>" % len(raw)
        )
        parts = [
            (b"text/plain; charset=UTF-16", head.encode("utf-16")),
            (b"application/octet-stream", zlib.compress(raw)),
        ]
    mark = b"--" + BOUNDARY.encode()
    out = b""
    for kind, data in parts:
        out += mark + b"\r\ncontent-type: " + kind + b"\r\n\r\n" + data + b"\r\n"
    return out + mark + b"--"


class Uploads:
    """BITS sessions: id -> [next offset, total]."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sessions = {}

    def create(self):
        name = "{%s}" % str(uuid.uuid4()).upper()
        with self.lock:
            self.sessions[name] = [0, None]
        return name

    def fragment(self, name, first, last, total):
        """Returns (status, next offset) as section 3.1.5 of the specification asks."""
        with self.lock:
            session = self.sessions.get(name)
            if session is None:
                return 500, None
            if first > session[0]:
                return 416, session[0]
            session[0] = max(session[0], last + 1)
            session[1] = total
            return 200, session[0]

    def close(self, name):
        with self.lock:
            return self.sessions.pop(name, None) is not None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "lab-mp"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    facts = {}  # more for the log line of this request

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", kind="text/xml", headers=()):
        self.send_response_only(status)
        self.send_header("Date", formatdate(usegmt=True))
        self.send_header("Server", "lab-mp")
        for name, value in headers:
            self.send_header(name, value)
        if body:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()
        line = {
            "client": self.client_address[0],
            "server": self.connection.getsockname()[0],
            "port": self.connection.getsockname()[1],
            "role": "mp",
            "method": self.command,
            "target": self.path,
            "status": status,
            "request_bytes": int(self.headers.get("Content-Length", 0)),
            "response_bytes": 0 if self.command == "HEAD" else len(body),
            **self.facts,
        }
        self.facts = {}
        with self.server.log_lock:
            self.server.log.write(json.dumps(line) + "\n")
            self.server.log.flush()

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_CCM_POST(self):
        data = self.body()
        path = self.path.lower()
        if path == "/ccm_system_windowsauth/request":
            self.answer(
                401,
                b"<html>401</html>",
                "text/html",
                [("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", "NTLM")],
            )
        elif path == "/ccm_system/request":
            text = data.decode("utf-16-le", "ignore") + data[1:].decode("utf-16-le", "ignore")
            found = re.search(r"<TargetEndpoint>([^<]*)<", text)
            kind = 'multipart/mixed; boundary="%s"' % BOUNDARY
            self.answer(200, multipart(found.group(1) if found else ""), kind)
        else:
            self.answer(404)

    def do_BITS_POST(self):
        self.body()
        kind = self.headers.get("BITS-Packet-Type", "").lower()
        session = self.headers.get("BITS-Session-Id", "")
        ack = [("BITS-Packet-Type", "Ack")]
        if not self.path.lower().startswith("/ccm_incoming/"):
            return self.answer(403, headers=ack)
        if kind == "ping":
            return self.answer(200, headers=ack)
        if kind == "create-session":
            ack += [("BITS-Protocol", PROTOCOL), ("Accept-Encoding", "Identity")]
            ack.append(("BITS-Session-Id", self.server.uploads.create()))
            return self.answer(200, headers=ack)
        ack.append(("BITS-Session-Id", session))
        if kind == "fragment":
            found = re.match(r"bytes (\d+)-(\d+)/(\d+)$", self.headers.get("Content-Range", ""))
            if not found:
                return self.answer(400, headers=ack)
            status, offset = self.server.uploads.fragment(session, *map(int, found.groups()))
            if offset is None:
                ack += [("BITS-Error-Code", "0x8020001F"), ("BITS-Error-Context", "0x5")]
            else:
                ack.append(("BITS-Received-Content-Range", str(offset)))
            return self.answer(status, headers=ack)
        if kind in ("close-session", "cancel-session"):
            return self.answer(200 if self.server.uploads.close(session) else 500, headers=ack)
        return self.answer(400, headers=ack)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        path = path.lower()
        if path == "/sms_mp/.sms_aut" and query.upper().startswith("MPLIST"):
            self.answer(200, MP_LIST.encode())
        elif path == "/sms_mp/.sms_aut" and query.upper() == "SITESIGNCERT":
            self.answer(200, SIGN_CERT.encode())
        elif path == "/sms_mp/.sms_pol" and query:
            text = "".join('<Setting Name="%s" Value="%d"/>' % (query, n) for n in range(60))
            packed = zlib.compress(text.encode("utf-16-le")).hex().upper()
            self.answer(200, ('<PolicyXML Compression="zlib">%s</PolicyXML>' % packed).encode())
        else:
            self.answer(404)

    do_HEAD = do_GET


def serve(address, port, handler):
    server = ThreadingHTTPServer((address, port), handler)
    server.daemon_threads = True
    server.uploads = Uploads()
    server.log_lock = threading.Lock()
    return server


def main():
    server = serve(sys.argv[1], int(sys.argv[2]), Handler)
    with open(sys.argv[3], "a", encoding="utf-8") as server.log:
        server.serve_forever()


if __name__ == "__main__":
    main()
