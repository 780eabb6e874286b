#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A stand-in for any site system: answers each documented URL of its role.

in:    ADDRESS PORT ROLE LOG
out:   LOG, mp.py's line a request
A path of a virtual directory that wants a token gets 401 without one.
"""
import re
import sys

import envelope
import mp

SOAP = (
    '<?xml version="1.0"?><soap:Envelope '
    'xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    '<%sResponse xmlns="http://www.microsoft.com/SoftwareDistribution"/></soap:Body>'
    '</soap:Envelope>'
)
AUT = {
    "MPLIST": mp.MP_LIST, "MPLIST1": mp.MP_LIST, "MPLIST2": mp.MP_LIST,
    "SITESIGNCERT": mp.SIGN_CERT, "MPCERT": mp.SIGN_CERT,
    "MPCERT2": "<MPCertificates><Certificate1/><Certificate2/></MPCertificates>",
    "MPKEYINFORMATION": '<MPKEYINFORMATION><SITECODE>ABC</SITECODE></MPKEYINFORMATION>',
    "MPKEYINFORMATIONMEDIA": '<MPKEYINFORMATION><SITECODE>ABC</SITECODE></MPKEYINFORMATION>',
    "MPTRK": "<KEYDATA><TRUSTEDROOTKEY/></KEYDATA>",
    "MPLOCATION": '<MPLocation AssignedSiteCode="ABC" MP="mp01.lab.example" SiteCode="ABC"/>',
    "GETCLIENTAFFINITY":
        "<MachineAffinity><Affinity><User>LAB\\alice</User></Affinity></MachineAffinity>",
}  # fmt: skip
FILE = b"".join(b"%06d" % n for n in range(512))
LISTING = (
    '<?xml version="1.0"?><D:multistatus xmlns:D="DAV:"><D:response><D:href>%s</D:href>'
    '<D:propstat><D:prop>'
    "<D:iscollection>1</D:iscollection></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
    "</D:response></D:multistatus>"
)


class Handler(mp.Handler):
    def answer(self, status, body=b"", kind="text/xml", headers=()):
        self.facts = {"role": self.server.role}
        super().answer(status, body, kind, headers)

    def refused(self):
        path = self.path.lower()
        wants = "_tokenauth" in path or path.startswith("/ccmtokenauth_") or path == "/ccm_sts"
        found = any(re.search(r"eyJ[\w-]+\.eyJ[\w-]+\.", value) for value in self.headers.values())
        if wants and not found:
            self.answer(401, b"401\n", "text/plain")
        return wants and not found

    def do_CCM_POST(self):
        self.body()
        if not self.refused():
            note = b"\xff\xfe" + envelope.utf16("NoReply")
            parts = [(b"content-type: text/plain; charset=UTF-16", note)]
            kind = 'multipart/mixed; boundary="%s"' % envelope.BOUNDARY
            self.answer(200, envelope.multipart(parts), kind)

    def do_POST(self):
        self.body()
        path, _, query = self.path.lower().partition("?")
        action = self.headers.get("SOAPAction", "").strip('"').rsplit("/", 1)[-1]
        if self.refused():
            return None
        if path.endswith(".asmx"):
            return self.answer(200, (SOAP % action).encode(), "text/xml; charset=utf-8")
        if path == "/bgb/handler.ashx" and query.startswith("requesttype="):
            return self.answer(200, b"\x2c\x01\x00\x00", "application/octet-stream")
        if path.startswith("/adminservice"):
            return self.answer(200, b'{"value":{"OperationId":16777220}}', "application/json")
        if path in ("/sms_fsp/.sms_fsp", "/ccm_sts") or path.startswith("/cmuserservice"):
            return self.answer(200)
        return self.answer(404)

    def do_PROPFIND(self):
        self.body()
        if not self.refused():
            self.answer(207, (LISTING % self.path).encode())

    def do_GET(self):
        path, _, query = self.path.partition("?")
        path = path.lower()
        if self.refused():
            return None
        if path.endswith("/.sms_aut"):
            body = AUT.get(re.split("[&=]", query.upper())[0])
            return self.answer(200, body.encode()) if body else self.answer(404)
        if path.endswith("/.sms_pol") and query:
            return self.answer(200, b'<PolicyXML Compression="zlib">789C030000000001</PolicyXML>')
        if path.endswith("/.sms_dcm") and query.startswith("Id&"):
            return self.answer(200, b"<DesiredConfigurationDigest/>")
        if path.startswith(("/adminservice", "/cmuserservice")):
            return self.answer(200, b'{"value":[]}', "application/json")
        if path == "/ccm_sts":
            return self.answer(200)
        if "datalib" in path:
            return self.answer(200, b"<html><a href=\"ABC00012\">ABC00012</a></html>", "text/html")
        if re.search(r"_smspkg|_smssig|branchcache|^/ccm_client/", path):
            return self.file()
        return self.answer(404)

    do_HEAD = do_GET

    def file(self):
        found = re.match(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        kind = "application/octet-stream"
        if not found:
            return self.answer(200, FILE, kind)
        first, last = int(found.group(1)), min(int(found.group(2)), len(FILE) - 1)
        span = "bytes %d-%d/%d" % (first, last, len(FILE))
        return self.answer(206, FILE[first : last + 1], kind, [("Content-Range", span)])


def main():
    server = mp.serve(sys.argv[1], int(sys.argv[2]), Handler)
    server.role = sys.argv[3]
    with open(sys.argv[4], "a", encoding="utf-8") as server.log:
        server.serve_forever()


if __name__ == "__main__":
    main()
