#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write a management-point message for curl --data-binary: really signed, or with no signature.

in:   CLIENT-NUMBER ENDPOINT OUT [KEY.pem], the key that signs
out:  OUT, whose boundary is envelope.py's
"""
import sys

import envelope
import signing

BODIES = {
    "MP_PolicyManager": '<RequestAssignments SchemaVersion="1.00" RequestType="Always"/>',
    "MP_ClientRegistration": '<ClientRegistrationRequest><Data HashAlgorithm="'
    '1.2.840.113549.1.1.11"/></ClientRegistrationRequest>',
    "MP_LocationManager": '<SiteInformationRequest SchemaVersion="1.00"/>',
}


def main():
    number, endpoint, out = sys.argv[1:4]
    client = "GUID:11223344-5566-7788-99AA-BBCCDDEEFF0" + number
    part2, length = envelope.body_bytes(BODIES[endpoint])
    hooks = ""
    if len(sys.argv) > 4:
        key = signing.Key(sys.argv[4])
        hooks = envelope.hook2([
            ("AuthSenderMachine", "WKS0" + number),
            ("PublicKey", key.blob()),
            ("ClientIDSignature", key.hex_signature(envelope.utf16(client) + b"\0\0")),
            ("PayloadSignature", key.hex_signature(part2)),
            ("HashAlgorithm", signing.SHA256),
        ])  # fmt: skip
    fields = {
        "ID": "{C1C2C3D4-000%s-4000-8000-000000000001}" % number, "ReplyMode": "Sync",
        "SourceID": client, "TargetAddress": "mp:" + endpoint, "TargetEndpoint": endpoint,
        "TargetHost": "MP01.LAB.EXAMPLE", "Timeout": "60000",
    }  # fmt: skip
    with open(out, "wb") as file:
        file.write(envelope.message(envelope.envelope(fields, length, hooks), part2))


if __name__ == "__main__":
    main()
