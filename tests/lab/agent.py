#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A Configuration Manager client written for the lab: what one client of messages-signed.pcap does.

in:    NUMBER DIRECTORY; DIRECTORY: keys and what the clients tell each other
out:   requests to the stand-in management point; DIRECTORY/agent.jsonl, a line a signature: what it
       was made to be. Keys and signatures are made by the openssl command (signing.py).
"""
import http.client
import json
import os
import re
import sys
import time

import envelope
import signing

MP = "10.11.0.10"
HOST = "mp01.lab.example"
TIMESTAMP_SIGNATURE = "CCMClientTimestampSignature"
POLICY = "/SMS_MP/.sms_pol?{0A0B0C0D-1111-4222-8333-444455556666}.2_00"
SIGNING_USE, ENCRYPTION_USE = "1.3.6.1.4.1.311.101", "1.3.6.1.4.1.311.101.2"
LOCATION = (
    '<ContentLocationRequest SchemaVersion="1.00"><Package ID="ABC00012" Version="3"/>'
    '<AssignedSite '
    'SiteCode="ABC"/><ClientLocationInfo LocationType="SMSPackage" UseProtected="0" '
    'AllowCaching="0" '
    'BranchDPFlags="0" AllowHTTP="1" AllowSMB="0" AllowMulticast="0" AllowSuperPeer="1" '
    'UseInternetDP="0"><ADSite Name="LAB-SITE"/><IPAddresses><IPAddress SubnetAddress="10.11.0.0" '
    'Address="{address}"/></IPAddresses></ClientLocationInfo></ContentLocationRequest>'
)
POLICIES = (
    '<RequestAssignments SchemaVersion="1.00" ACK="false" RequestType="Always"><Identification>'
    "<Machine><ClientID>{id}</ClientID><FQDN>{name}.lab.example</FQDN><NetBIOSName>{name}"
    "</NetBIOSName><SID/></Machine><User/></Identification><PolicySource>SMS:ABC</PolicySource>"
    '<Resource ResourceType="Machine"/><ServerCookie/></RequestAssignments>'
)
REPORT = (
    "<Report><ReportHeader><Identification><Machine><ClientInstalled>1</ClientInstalled>"
    "<ClientType>1"
    '</ClientType><ClientID IDType="0" IDFlag="0">{id}</ClientID><ClientVersion>5.00.9128.1007'
    "</ClientVersion><NetBIOSName>{name}</NetBIOSName><CodePage>437</CodePage>"
    "<SystemDefaultLCID>1033"
    "</SystemDefaultLCID><Priority>5</Priority></Machine></Identification><ReportDetails>"
    "<ReportContent>{content}</ReportContent><ReportType>{kind}</ReportType>"
    "<Date>20261126120000.000000"
    "+000</Date><Version>1.0</Version><Format>1.1</Format>{more}</ReportDetails></ReportHeader>"
    "<ReportBody>{body}</ReportBody></Report>"
)
INVENTORY = "".join(
    '<Instance Content="New" Namespace="\\\\WKS\\root\\cimv2" Class="LAB_Item" '
    'ParentClass="LAB_Item">'
    "<LAB_Item><Index>%d</Index><Name>item %d</Name></LAB_Item></Instance>" % (n, n)
    for n in range(20)
)
STATE = (
    '<StateMessage MessageTime="20261126120000.000000+000" SerialNumber="7"><Topic '
    'ID="{{00000000-0000-'
    '4000-8000-0000000000aa}}" Type="301" IDType="3" User="" UserSID=""/><State ID="2" '
    'Criticality="0"/>'
    '<UserParameters Flags="0" Count="1"><Param>4</Param></UserParameters></StateMessage>'
).replace("{{", "{").replace("}}", "}")
UPDATES = (
    '<WSUSLocationRequest SchemaVersion="1.00"><Content ID="{00000000-0000-4000-8000-'
    '0000000000bb}" Version="5"/><ClientLocationInfo OnInternet="0"/></WSUSLocationRequest>'
)
SITE = (
    '<SiteInformationRequest SchemaVersion="1.00"><SiteCode Name="ABC"/></SiteInformationRequest>'
)
STATUS = (
    '<Status SchemaVersion="1.00" CodePage="437" LocaleID="1033">'
    '<Type>SoftDistProgramCompleted</Type>'
    '<Properties><Property Name="ClientID">{id}</Property><Property Name="PackageID">ABC00012'
    '</Property></Properties><Qualifiers><Qualifier Name="Machine">{name}</Qualifier>'
    '</Qualifiers></Status>'
)


class Agent:
    def __init__(self, number, directory):
        self.number, self.directory = number, directory
        self.name, self.address = "WKS0%d" % number, "10.11.0.2%d" % number
        self.id, self.skew, self.count = "", 0, 0
        self.padding, self.hash, self.nul = "digest-info", signing.SHA256, True
        self.upper = True
        self.key = signing.Key(os.path.join(directory, "sign-%d.key" % number))
        self.connection = http.client.HTTPConnection(MP, timeout=20)

    def now(self):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + self.skew))

    def note(self, field, where, verdict, why="", **more):
        line = {
            "client": self.address, "client_id": self.id, "field": field, "where": where,
            "verdict": verdict, "padding": self.padding, "hash": signing.HASHES[self.hash],
            "why": why, "skew_s": self.skew, **more,
        }  # fmt: skip
        with open(os.path.join(self.directory, "agent.jsonl"), "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def shared(self, name, data=None):
        path = os.path.join(self.directory, name)
        if data is None:
            for _ in range(150):
                if os.path.exists(path):
                    break
                time.sleep(0.1)
            with open(path, "rb") as file:
                return file.read()
        with open(path + ".part", "wb") as file:
            file.write(data)
        os.rename(path + ".part", path)
        return data

    def request(self, method, path, body=b"", headers=()):
        self.connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        self.connection.putheader("Host", HOST)
        for name, value in headers:
            self.connection.putheader(name, value)
        if body:
            self.connection.putheader("Content-Length", str(len(body)))
        self.connection.endheaders()
        if body:
            self.connection.send(body)  # a segment of its own, as the client does
        reply = self.connection.getresponse()
        return reply, reply.read()

    def post(self, body, boundary=envelope.BOUNDARY):
        kind = 'multipart/mixed; boundary="%s"' % boundary
        reply, data = self.request(
            "CCM_POST", "/ccm_system/request", body,
            [("User-Agent", "ccmhttp"), ("Content-Type", kind)],
        )  # fmt: skip
        return envelope.take_apart(reply.getheader("Content-Type"), data)[2]

    def hex(self, data):
        value = self.key.hex_signature(data, self.padding, signing.HASHES[self.hash])
        return value if self.upper else value.lower()

    def fields(self, endpoint, **more):
        self.count += 1
        return {
            "ID": "{A1B2C3D4-000%d-4000-8000-%012d}" % (self.number, self.count),
            "ReplyMode": "Sync",
            "ReplyTo": "direct:%s:SccmMessaging" % self.name,
            "SentTime": self.now(),
            "SourceHost": self.name,
            "SourceID": self.id,
            "TargetAddress": "mp:" + endpoint,
            "TargetEndpoint": endpoint,
            "TargetHost": "MP01.LAB.EXAMPLE",
            "Timeout": "60000",
            **more,
        }

    def text(self, template, **more):
        return template.format(id=self.id, name=self.name, address=self.address, **more)

    def hooks(self, part2, public_key, verdict="verified", why="", where=""):
        name = envelope.utf16(self.id) + (b"\0\0" if self.nul else b"")
        rows = [("AuthSenderMachine", self.name)]
        if public_key:
            rows.append(("PublicKey", self.key.blob()))
        rows += [
            ("ClientIDSignature", self.hex(name)),
            ("PayloadSignature", self.hex(part2)),
            ("ClientCapabilities", "NonSSL"),
            ("HashAlgorithm", self.hash),
        ]
        first = "verified" if verdict == "failed" else verdict
        data = "with-nul" if self.nul else "without-nul"
        self.note("ClientIDSignature", where, first, "" if verdict == "failed" else why, data=data)
        self.note("PayloadSignature", where, verdict, why, data="part-2")
        return envelope.hook2(rows)

    def send(
        self, endpoint, xml, signed=True, crlf=False, compress=True, public_key=False,
        flip=None, verdict="verified", why="", **more
    ):  # fmt: skip
        part2, length = envelope.body_bytes(xml, compress, crlf)
        fields = self.fields(endpoint, **more)
        hooks = self.hooks(part2, public_key, verdict, why, fields["ID"]) if signed else ""
        text = envelope.envelope(fields, length, hooks, compress)
        if flip is not None:
            part2 = part2[:flip] + bytes([part2[flip] ^ 2]) + part2[flip + 1 :]
        body = envelope.message(text, part2, compress)
        return self.post(body), body

    def register(self, anonymous=False):
        other = signing.Key(os.path.join(self.directory, "encrypt-%d.key" % self.number))
        data = (
            '<Data HashAlgorithm="%s" SMSID="" RequestType="Registration" TimeStamp="%s">'
            '<AgentInformation'
            ' AgentIdentity="CCMSetup.exe" AgentVersion="5.00.9128.1007" AgentType="0"/>'
            '<Certificates>'
            '<Encryption Encoding="HexBinary" KeyType="1">%s</Encryption><Signing '
            'Encoding="HexBinary" '
            'KeyType="1">%s</Signing></Certificates><DiscoveryProperties><Property Name="Netbios '
            'Name" '
            'Value="%s"/><Property Name="FQ Name" Value="%s.lab.example"/><Property Name="Locale '
            'ID" '
            'Value="1033"/><Property Name="InternetFlag" Value="0"/></DiscoveryProperties>%s</Data>'
        ) % (
            signing.SHA256, self.now(), other.certificate(ENCRYPTION_USE),
            self.key.certificate(SIGNING_USE), self.name, self.name.lower(),
            "<Note>anonymous</Note>" if anonymous else "",
        )  # fmt: skip
        value = self.hex(envelope.utf16(data))
        value = envelope.element("Signature", envelope.element("SignatureValue", value))
        xml = envelope.element("ClientRegistrationRequest", data + value)
        reply, _ = self.send(
            "MP_ClientRegistration", xml, signed=False,
            SourceID="UID:00000000-0000-4000-8000-00000000000%d" % self.number,
            ReplyTo="direct:%s:ClientRegistration" % self.name,
        )  # fmt: skip
        self.id = re.search(r'SMSID="([^"]+)"', reply).group(1)
        self.note("SignatureValue", "{A1B2C3D4-000%d-4000-8000-%012d}" % (self.number, self.count),
                  "verified", data="data")  # fmt: skip

    def policy(self, style, verdict="verified", why="", spelling=TIMESTAMP_SIGNATURE, spoil=False):
        """GET of a policy body with signed headers."""
        end = b"\0\0" if self.nul else b""
        data = "with-nul" if self.nul else "without-nul"
        if style == "token":
            token = "%s;%s;2" % (self.id, self.now())
            value = self.hex(envelope.utf16(token) + end)
            if spoil:
                value = "%x" % (int(value[0], 16) ^ 1) + value[1:]
            headers = [("ClientToken", token), ("ClientTokenSignature", value)]
            self.note("ClientTokenSignature", POLICY, verdict, why, data=data)
        else:
            stamp = self.now()
            headers = [
                ("CCMClientID", self.id),
                ("CCMClientIDSignature", self.hex(envelope.utf16(self.id) + end)),
                ("CCMClientTimestamp", stamp),
                (spelling, self.hex(envelope.utf16(stamp) + end)),
            ]
            self.note("CCMClientIDSignature", POLICY, verdict, why, data=data)
            self.note(spelling, POLICY, verdict, why, data=data)
        self.request("GET", POLICY, b"", [("User-Agent", "SMS CCM 5.0")] + headers)
        return headers


def usual(agent):
    """A registered client's first minutes."""
    agent.register()
    agent.shared("registered-%d" % agent.number, agent.id.encode())
    _, body = agent.send("MP_PolicyManager", agent.text(POLICIES), public_key=True)
    headers = agent.policy("token")
    agent.policy("header")
    agent.send("MP_LocationManager", agent.text(LOCATION), signed=False,
               ReplyTo="direct:%s:LS_ReplyLocations" % agent.name)  # fmt: skip
    agent.send("MP_LocationManager", UPDATES, signed=False)
    agent.shared("to-replay", body)
    agent.shared("to-replay.headers", json.dumps([agent.id, headers]).encode())


def bare(agent):
    """The other implementation: no hash OID, lower case, no zero after header text."""
    agent.padding, agent.nul, agent.upper = "bare", False, False
    agent.register()
    agent.send("MP_PolicyManager", agent.text(POLICIES), crlf=True, public_key=True)
    agent.policy("token")
    agent.policy("header", spelling="CCMClientTimestampsSignature")
    agent.send("MP_HinvEndpoint", agent.text(
        REPORT, content="Inventory Data", kind="Full", body=INVENTORY,
        more="<InventoryActionID>{00000000-0000-0000-0000-000000000001}</InventoryActionID>"),
        ReplyMode="Async", crlf=True)  # fmt: skip


def reports(agent):
    agent.register()
    agent.nul = False
    agent.send("MP_DdrEndpoint", agent.text(
        REPORT, content="Inventory Data", kind="Full", body=INVENTORY[: len(INVENTORY) // 20],
        more="<InventoryActionID>{00000000-0000-0000-0000-000000000003}</InventoryActionID>"),
        ReplyMode="Async")  # fmt: skip
    agent.nul = True
    agent.send("MP_RelayEndpoint", agent.text(
        REPORT, content="State Message Data", kind="Full", body=STATE, more=""),
        Properties={"FileType": "SMX"}, ReplyMode="Async", Priority="5")  # fmt: skip
    agent.hash = signing.SHA1
    agent.send("StatusReceiver", agent.text(STATUS), ReplyMode="Async")
    agent.hash, agent.padding = signing.SHA256, "bare"
    agent.send("MP_SinvEndpoint", agent.text(
        REPORT, content="Inventory Data", kind="Delta", body="",
        more="<InventoryActionID>{00000000-0000-0000-0000-000000000002}</InventoryActionID>"),
        ReplyMode="Async", compress=False)  # fmt: skip


def damaged(agent):
    agent.register()
    xml = agent.text(POLICIES)
    agent.send(
        "MP_PolicyManager", xml, compress=False, flip=2 * xml.index("SMS:ABC"), verdict="failed",
        why="one bit of part 2 changed after signing",
    )  # fmt: skip
    agent.policy("token", verdict="failed", why="one bit of the signature changed", spoil=True)
    # without a signature, which the endpoint wants
    agent.send("MP_PolicyManager", agent.text(POLICIES), signed=False)


def replayer(agent):
    """What client 1 sent, byte for byte, from another address."""
    body = agent.shared("to-replay")
    agent.id, headers = json.loads(agent.shared("to-replay.headers"))
    why = "replay of client 1 from another address"
    text = envelope.take_apart('boundary="%s"' % envelope.BOUNDARY, body)[0]
    for field, data in (("ClientIDSignature", "with-nul"), ("PayloadSignature", "part-2")):
        # every message of a client has the same ClientIDSignature, so that one proves no replay
        again = {"replay": True} if field == "PayloadSignature" else {}
        agent.note(field, envelope.value(text, "ID"), "verified", why, data=data, **again)
    agent.note("ClientTokenSignature", POLICY, "verified", why, data="with-nul", replay=True)
    time.sleep(1)
    agent.post(body)
    agent.request("GET", POLICY, b"", [("User-Agent", "SMS CCM 5.0")] + [tuple(h) for h in headers])


def fast_clock(agent):
    """Registered before the capture began; the key comes with the message."""
    agent.skew = 420
    agent.id = "GUID:0F0E0D0C-0B0A-4908-8706-050403020106"
    why = "clock 420 s ahead"
    agent.send("MP_PolicyManager", agent.text(POLICIES), why=why, public_key=True)
    agent.policy("token", why=why)
    agent.policy("header", why=why)


def unknown_key(agent):
    """Registered before the capture began, and does not send its public key."""
    agent.id = "GUID:0F0E0D0C-0B0A-4908-8706-050403020100"
    why = "the key is never on the wire"
    agent.send("MP_PolicyManager", agent.text(POLICIES), verdict="no-key", why=why)
    agent.policy("token", verdict="no-key", why=why)


def unsigned(agent):
    """Registration that waits for approval; then a media client's request."""
    agent.register(anonymous=True)
    address = "mp:[http]MP_LocationManager"
    agent.send("MP_LocationManager", SITE, signed=False, TargetAddress=address)
    media = "{0A0B0C0D-9999-4222-8333-444455556666}"
    agent.id = "GUID:0A0B0C0D-8888-4222-8333-444455556666"
    token = "%s;%s" % (media, agent.now())
    value = agent.hex(envelope.utf16(token) + b"\0\0").lower()
    agent.upper = False
    lines = "<![CDATA[ClientToken:%s\r\nClientTokenSignature:%s]]>" % (token, value)
    fields = agent.fields("MP_PolicyManager", ReplyTo="direct:OSD", ID="")
    hooks = envelope.hook2([("AuthSenderMachine", agent.name), ("Token", lines)])
    part2 = envelope.utf16(agent.text(POLICIES) + "\r\n") + b"\0\0\0"
    text = envelope.envelope(fields, 728, hooks, compress=False, reply_compression=False)
    boundary = "4d1f0a7b9c2e46538a7d0e1f2a3b4c5d"
    agent.note("Token", "", "no-key", "media key is never on the wire", data="with-nul")
    agent.post(
        envelope.message(text, part2, False, boundary, ("Msg", "RequestAssignments")), boundary
    )


SCENES = (usual, bare, reports, damaged, replayer, fast_clock, unknown_key, unsigned)


def main():
    number, directory = int(sys.argv[1]), sys.argv[2]
    agent = Agent(number, directory)
    SCENES[number - 1](agent)
    agent.connection.close()


if __name__ == "__main__":
    main()
