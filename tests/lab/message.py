#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the body of a management-point message for curl --data-binary.

in:   ENDPOINT CLIENT_ID SOURCE_ADDRESS OUT [unsigned]: without the clientauth hook
out:  OUT: multipart/mixed, UTF-16 envelope with BOM, zlib part
The signatures are counters, not signatures.
"""
import sys
import zlib

BOUNDARY = "aAbBcCdDv1234567890VxXyYzZ"
FAKE = "".join("%08X" % n for n in range(1, 65))
HOOK = (
    '<Hook2 Name="clientauth"><Property Name="AuthSenderMachine">LAB</Property><Property '
    'Name="ClientIDSignature">%s</Property><Property Name="PayloadSignature">%s</Property>'
    '<Property Name="HashAlgorithm">1.2.840.113549.1.1.11</Property></Hook2>'
)
BODIES = {
    "MP_PolicyManager": '<RequestAssignments SchemaVersion="1.00" RequestType="Always">'
    "<Identification><Machine><ClientID>{id}</ClientID></Machine></Identification>"
    "<PolicySource>SMS:ABC</PolicySource></RequestAssignments>",
    "MP_LocationManager": '<ContentLocationRequest SchemaVersion="1.00"><Package ID="ABC00012" '
    'Version="3"/><AssignedSite SiteCode="ABC"/><ClientLocationInfo LocationType="SMSPackage">'
    '<IPAddresses><IPAddress Address="{ip}"/></IPAddresses></ClientLocationInfo>'
    "</ContentLocationRequest>",
    "MP_RelayEndpoint": "<Report><ReportHeader><Identification><Machine><ClientID>{id}</ClientID>"
    "</Machine></Identification></ReportHeader><ReportBody><StateMessage><Topic Type='301'/>"
    "</StateMessage></ReportBody></Report>",
    "MP_ClientRegistration": '<ClientRegistrationRequest><Data HashAlgorithm="'
    '1.2.840.113549.1.1.11"><AgentInformation AgentType="0"/></Data></ClientRegistrationRequest>',
}


def main():
    endpoint, client, address, out = sys.argv[1:5]
    hook = "" if "unsigned" in sys.argv[5:] else HOOK % (FAKE, FAKE)
    raw = (BODIES[endpoint].format(id=client, ip=address) + "\0").encode("utf-16-le")
    envelope = (
        '<Msg ReplyCompression="zlib" SchemaVersion="1.1"><Body Type="ByteRange" Length="%d" '
        'Offset="0"/><Hooks>%s<Hook3 Name="zlib-compress"/></Hooks><ID>{00000000-0000-4000-8000-'
        '000000000001}</ID><Payload Type="inline"/><Priority>0</Priority><Protocol>http'
        "</Protocol><ReplyMode>Sync</ReplyMode><SourceID>%s</SourceID><TargetAddress>mp:%s"
        "</TargetAddress><TargetEndpoint>%s</TargetEndpoint><TargetHost>mp01.lab.example"
        "</TargetHost><Timeout>60000</Timeout></Msg>"
        % (len(raw), hook, client, endpoint, endpoint)
    )
    mark = b"--" + BOUNDARY.encode()
    with open(out, "wb") as file:
        for kind, data in (
            (b"text/plain; charset=UTF-16", envelope.encode("utf-16")),
            (b"application/octet-stream", zlib.compress(raw)),
        ):
            file.write(mark + b"\r\ncontent-type: " + kind + b"\r\n\r\n" + data + b"\r\n")
        file.write(mark + b"--")


if __name__ == "__main__":
    main()
