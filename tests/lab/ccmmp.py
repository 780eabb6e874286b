#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A stand-in for a management point that registers clients and checks signatures with openssl.

in:    ADDRESS PORT LOG DIRECTORY; DIRECTORY/known/GUID.pem: keys it knows from before
out:   LOG, mp.py's line a request, with `message` or `headers` and `signatures` added
state: the key of each client id
A message with a bad signature, or none where the endpoint wants one, gets 200 without a body.
"""
import os
import re
import sys
import time

import envelope
import mp
import signing

SIGNED_ENDPOINTS = {"MP_PolicyManager", "MP_TokenManager"}
ASYNC = {
    "MP_HinvEndpoint", "MP_SinvEndpoint", "MP_DdrEndpoint", "MP_RelayEndpoint", "StatusReceiver",
}  # fmt: skip
ERROR = b"<HTML><HEAD><TITLE>ERROR</TITLE></HEAD><BODY></BODY></HTML>"
REPLIES = {
    "RequestAssignments": '<ReplyAssignments SchemaVersion="1.00" ReplyType="Full">'
    '<PolicyAssignment '
    'PolicyAssignmentID="{{00000000-0000-4000-8000-000000000001}}"><Policy '
    'PolicyID="{{0A0B0C0D-1111-'
    '4222-8333-444455556666}}" PolicyVersion="2.00" PolicyCategory="UpdateSource" PolicyFlags="16">'
    '<PolicyLocation PolicyHash="SHA256:{zero}"><![CDATA[http://'
    '<mp>/SMS_MP/.sms_pol?{{0A0B0C0D-1111-'
    "4222-8333-444455556666}}.2_00]]></PolicyLocation></Policy></PolicyAssignment>"
    "</ReplyAssignments>",
    "ContentLocationRequest": '<ContentLocationReply SchemaVersion="1.00">'
    '<ContentInfo PackageFlags="0"/>'
    '<Sites><Site><MPSite SiteCode="ABC" MasterSiteCode="ABC" SiteLocality="LOCAL" '
    'IISPreferedPort="80" '
    'IISSSLPreferedPort="443"/><LocationRecords><LocationRecord><URL Name="http://dp01.lab.example/'
    'SMS_DP_SMSPKG$/ABC00012" '
    'Signature="http://dp01.lab.example/SMS_DP_SMSSIG$/ABC00012.3.tar"/><ADSite '
    'Name="LAB-SITE"/><Version>9128</Version><Capabilities SchemaVersion="1.0"><Property '
    'Name="SSLState" '
    'Value="0"/></Capabilities><ServerRemoteName>dp01.lab.example</ServerRemoteName>'
    '<DPType>SERVER</DPType>'
    "</LocationRecord></LocationRecords></Site></Sites></ContentLocationReply>",
    "WSUSLocationRequest": '<WSUSLocationReply SchemaVersion="1.00"><Sites><Site><LocationRecords>'
    '<LocationRecord WSUSURL="http://sup01.lab.example:8530" '
    'ServerName="sup01.lab.example" Version="5"/>'
    "</LocationRecords></Site></Sites></WSUSLocationReply>",
    "SiteInformationRequest": '<SiteInfoReply SchemaVersion="1.00"><SiteCode Name="ABC"/>'
    '</SiteInfoReply>',
}


class Handler(mp.Handler):
    def key_of(self, client, blob):
        if blob:
            return signing.pem_of_blob(bytes.fromhex(blob))
        return self.server.keys.get(client)

    def checked(self, field, hexadecimal, variants, pem):
        """variants: [(name, bytes)]; a row for the log"""
        for name, data in variants:
            match = signing.verify(pem, hexadecimal, data, self.server.directory)
            if match:
                found = {"padding": match[0], "hash": match[1], "data": name}
                return {"field": field, "good": True, **found}
        return {"field": field, "good": False}

    def with_and_without_zero(self, text):
        data = envelope.utf16(text)
        return [("with-nul", data + b"\0\0"), ("without-nul", data)]

    def register(self, body):
        data = envelope.utf16(re.search(r"<Data .*</Data>", body, re.S).group(0))
        der = re.search(r"<Signing [^>]*>([0-9A-F]+)<", body).group(1)
        pem = signing.pem_of_certificate(bytes.fromhex(der))
        value = envelope.value(body, "SignatureValue")
        row = self.checked("SignatureValue", value, [("data", data)], pem)
        with self.server.log_lock:
            self.server.count += 1
            client = "GUID:11223344-5566-7788-99AA-BBCCDDEEFF%02d" % self.server.count
            self.server.keys[client] = pem
        pending = "anonymous" in envelope.value(body, "Note")
        status, approval = (1, 0) if pending else (0, 1)
        reply = (
            '<ClientRegistrationResponse ResponseType="Registration" TimeStamp="%s" Status="%d" '
            'SMSID="%s" ApprovalStatus="%d"/>'
        ) % (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), status, client, approval)
        return row, client, reply

    def do_CCM_POST(self):
        data = self.body()
        if self.path.lower() != "/ccm_system/request":
            return self.answer(404)
        text, part2, body = envelope.take_apart(self.headers.get("Content-Type"), data)
        endpoint, root = envelope.value(text, "TargetEndpoint"), envelope.root(body)
        source = envelope.value(text, "SourceID")
        facts = {
            "endpoint": endpoint,
            "root": root,
            "client_id": source,
            "message_id": envelope.value(text, "ID"),
            "sent": envelope.value(text, "SentTime"),
            "compressed": part2[:1] == b"\x78",
            "signed": "clientauth" in text,
            "public_key": bool(envelope.hook_property(text, "PublicKey")),
        }
        rows, reply = [], REPLIES.get(root, "").format(zero="0" * 64) if root in REPLIES else ""
        pem = self.key_of(source, envelope.hook_property(text, "PublicKey"))
        client_id = envelope.hook_property(text, "ClientIDSignature")
        if client_id and pem:
            variants = self.with_and_without_zero(source)
            rows.append(self.checked("ClientIDSignature", client_id, variants, pem))
        payload = envelope.hook_property(text, "PayloadSignature")
        if payload and pem:
            rows.append(self.checked("PayloadSignature", payload, [("part-2", part2)], pem))
        if root == "ClientRegistrationRequest":
            row, facts["smsid"], reply = self.register(body)
            rows.append(row)
        bad = not all(row["good"] for row in rows)
        if pem and rows and not bad:
            self.server.keys.setdefault(source, pem)
        bad = bad or (endpoint in SIGNED_ENDPOINTS and not rows and "Token" not in text)
        self.facts = {"message": facts, "signatures": rows}
        if bad:
            facts["reply"] = "empty"
            return self.answer(200)
        kind = 'multipart/mixed; boundary="%s"' % envelope.BOUNDARY
        if endpoint in ASYNC:
            facts["reply"] = "NoReply"
            note = b"\xff\xfe" + envelope.utf16("NoReply")
            parts = [(b"content-type: text/plain; charset=UTF-16", note)]
            return self.answer(200, envelope.multipart(parts), kind)
        facts["reply"] = envelope.root(reply)
        part2, length = envelope.body_bytes(reply)
        fields = {
            "CorrelationID": facts["message_id"] or envelope.ZERO,
            "ID": "{0D0C0B0A-0000-4000-8000-%012d}" % self.server.next_number(),
            "ReplyMode": "Reply",
            "SentTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "SourceHost": "MP01",
            "TargetAddress": envelope.value(text, "ReplyTo"),
            "TargetEndpoint": envelope.value(text, "ReplyTo").split(":")[-1],
            "TargetHost": envelope.value(text, "SourceHost"),
            "Timeout": "60000",
        }
        hooks = envelope.hook2([("MPSiteCode", "ABC")])
        answer = envelope.message(envelope.envelope(fields, length, hooks), part2)
        return self.answer(200, answer, kind)

    def header_signatures(self):
        """Rows for the signed headers of a GET, and what they say."""
        said = {name.lower(): value for name, value in self.headers.items()}
        rows = []
        client = said.get("ccmclientid") or said.get("clienttoken", "").split(";")[0]
        pem = self.key_of(client, "")
        for field, text in (
            ("CCMClientIDSignature", said.get("ccmclientid")),
            ("CCMClientTimestampSignature", said.get("ccmclienttimestamp")),
            ("CCMClientTimestampsSignature", said.get("ccmclienttimestamp")),
            ("ClientTokenSignature", said.get("clienttoken")),
        ):
            value = said.get(field.lower())
            if value and pem:
                rows.append(self.checked(field, value, self.with_and_without_zero(text), pem))
        stamp = said.get("ccmclienttimestamp") or (said.get("clienttoken", ";") + ";").split(";")[1]
        return rows, {"client_id": client, "sent": stamp}

    def do_GET(self):
        rows, facts = self.header_signatures()
        if facts["client_id"]:
            self.facts = {"headers": facts, "signatures": rows}
            if not all(row["good"] for row in rows):
                return self.answer(200, ERROR)
        return super().do_GET()

    do_HEAD = do_GET


def main():
    server = mp.serve(sys.argv[1], int(sys.argv[2]), Handler)
    server.directory, server.count, server.keys = sys.argv[4], 0, {}
    numbers = iter(range(1, 1000))
    server.next_number = lambda: next(numbers)
    known = os.path.join(server.directory, "known")
    for name in os.listdir(known):
        with open(os.path.join(known, name), "rb") as file:
            server.keys[name[: -len(".pem")]] = file.read()
    with open(sys.argv[3], "a", encoding="utf-8") as server.log:
        server.serve_forever()


if __name__ == "__main__":
    main()
