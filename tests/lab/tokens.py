#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What one client of tokens.pcap or tokens2.pcap does: requests with JWTs, all long expired.

in:    NUMBER DIRECTORY [more]: of tokens2.pcap
out:   the requests; DIRECTORY/tokens.jsonl, a line a request: which token went where
The tokens are signed by the openssl command with a key of this run. The header of the site's own
token is not documented, so several are used; nor are the claims of a content token.
"""
import base64
import http.client
import json
import os
import sys

import envelope
import signing

HIERARCHY = "5d1c4a58-1111-4222-8333-444455556666"
TENANT = "6e2d5b69-1111-4222-8333-444455556666"
DEVICE = "7f3e6c7a-1111-4222-8333-444455556666"
START = 1735689600  # 2025-01-01T00:00:00Z
SITE = {"iss": "urn:sccm:oauth2:" + HIERARCHY, "aud": "urn:sccm:service", "nbf": START}
CLAIMS = {
    "bulk-registration-token": {
        "SCCMTokenCategory": "SCCMPreAuthToken", "Authority": "SCCM", "License": "SCCM",
        "Type": "BulkRegistration", "TenantId": TENANT, "UniqueId": DEVICE, **SITE,
        "exp": START + 259200,
    },
    "ccm-token": {
        "TokenType": "Device", "hierarchyId": HIERARCHY, "deviceId": DEVICE, **SITE,
        "exp": START + 28800,
    },
    "content-token": {"hierarchyId": HIERARCHY, "deviceId": DEVICE, **SITE, "exp": START + 28800},
    "content-claims-token": {
        "SCCMTokenCategory": "ContentAccessToken", "Authority": "SCCM", "TenantId": TENANT, **SITE,
        "exp": START + 28800,
    },
    "other-token": {
        "iss": "https://idp.lab.example/", "aud": "https://app.lab.example/", "nbf": START,
        "exp": START + 3600, "sub": "wks06",
    },
    "entra-device-token": {
        "aud": "https://ConfigMgrService", "iss": "https://sts.windows.net/%s/" % TENANT,
        "iat": START, "nbf": START,
        "exp": START + 3600, "deviceid": DEVICE, "tid": TENANT, "ver": "1.0",
    },
    "entra-user-token": {
        "aud": "https://ConfigMgrService",
        "iss": "https://login.microsoftonline.com/%s/v2.0" % TENANT, "iat": START, "nbf": START,
        "exp": START + 3600, "deviceid": DEVICE, "oid": "80407d8b-1111-4222-8333-444455556666",
        "upn": "alice@lab.example", "tid": TENANT, "ver": "2.0",
    },
}  # fmt: skip
HOSTS = {"mp01.lab.example": "10.11.0.10", "dp01.lab.example": "10.11.0.11",
         "provider.lab.example": "10.11.0.14"}  # fmt: skip


class Client:
    def __init__(self, number, directory):
        self.number, self.directory = number, directory
        self.key = signing.Key(os.path.join(directory, "token.key"))

    def send(self, host, method, path, kind, header="Authorization", body=b"", value=None, **more):
        """kind None: no token; value: sent in the place of a token"""
        token = value
        if kind and value is None:
            token = signing.token(self.key, CLAIMS[kind])
        text = "Bearer " + token if token and header == "Authorization" else token
        connection = http.client.HTTPConnection(HOSTS[host], timeout=20)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host)
        connection.putheader("User-Agent", "ccmhttp" if method == "CCM_POST" else "SMS CCM 5.0")
        if text:
            connection.putheader(header, text)
        for name, item in more.items():
            connection.putheader(name.replace("_", "-"), item)
        if body or method == "POST":
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        connection.getresponse().read()
        connection.close()
        claims = CLAIMS.get(kind, {}) if value is None else {}
        line = {
            "client": "10.11.0.2%d" % self.number, "server": HOSTS[host], "method": method,
            "target": path, "header": header if text else "", "token": kind or "none",
            "issuer": claims.get("iss", ""), "audience": claims.get("aud", ""),
            "not_before": claims.get("nbf"), "expires": claims.get("exp"),
            "identity": "" if not claims else "user" if "upn" in claims else "device",
        }  # fmt: skip
        with open(os.path.join(self.directory, "tokens.jsonl"), "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def hook(self, part2):
        """A message's signatures, by a key that is never on the wire."""
        name = envelope.utf16(self.id()) + b"\0\0"
        return envelope.hook2([
            ("AuthSenderMachine", "WKS0%d" % self.number),
            ("ClientIDSignature", self.key.hex_signature(name)),
            ("PayloadSignature", self.key.hex_signature(part2)),
            ("HashAlgorithm", signing.SHA256),
        ])  # fmt: skip

    def id(self):
        return "GUID:11223344-5566-7788-99AA-BBCCDDEEFF0%d" % self.number

    def message(self, directory, kind, endpoint, xml, header="Authorization", signed=False):
        part2, length = envelope.body_bytes(xml)
        fields = {
            "ID": "{B1B2C3D4-000%d-4000-8000-000000000001}" % self.number, "ReplyMode": "Sync",
            "ReplyTo": "direct:WKS0%d:SccmMessaging" % self.number,
            "SentTime": "2026-11-26T12:00:00Z", "SourceHost": "WKS0%d" % self.number,
            "SourceID": self.id(),
            "TargetAddress": "mp:" + endpoint, "TargetEndpoint": endpoint,
            "TargetHost": "MP01.LAB.EXAMPLE", "Timeout": "60000",
        }  # fmt: skip
        body = envelope.message(envelope.envelope(fields, length, self.hook(part2) if signed else ""), part2)
        self.send("mp01.lab.example", "CCM_POST", "/%s/request" % directory, kind, header, body,
                  Content_Type='multipart/mixed; boundary="%s"' % envelope.BOUNDARY)  # fmt: skip


REGISTER = (
    '<ClientRegistrationRequest><Data HashAlgorithm="1.2.840.113549.1.1.11"/>'
    "</ClientRegistrationRequest>"
)
POLICY = '<RequestAssignments SchemaVersion="1.00" RequestType="Always"/>'
USER_POLICY = (
    '<RequestAssignments SchemaVersion="1.00" RequestType="Always"><Identification><User>'
    "<Name>alice@lab.example</Name></User></Identification></RequestAssignments>"
)
PKG = "/CCMTOKENAUTH_SMS_DP_SMSPKG$/ABC00012"


def more(client, mp, dp, policy):
    number, device, user = client.number, "entra-device-token", "entra-user-token"
    if number in (1, 2):
        kind = device if number == 1 else user
        client.message("ccm_system_tokenauth", kind, "MP_ClientRegistration", REGISTER)
    elif number == 3:
        for kind in (device, user):
            client.send(mp, "GET", "/CMUserService/applications", kind)
    elif number == 4:
        for kind in (device, user):
            client.send(mp, "GET", "/SMS_MP_TokenAuth" + policy, kind)
        client.message("ccm_system_tokenauth", user, "MP_PolicyManager", USER_POLICY)
    elif number == 5:
        for method, path in (("PROPFIND", PKG + "/"), ("GET", PKG + "/sccm?/setup.exe")):
            client.send(dp, method, path, "content-claims-token")
    elif number == 6:
        client.send(mp, "GET", "/CCM_STS", "other-token")
    elif number == 7:
        client.message("ccm_system_altauth", None, "MP_ClientRegistration", REGISTER)
    else:
        xml = '<TokenServicesRequest SchemaVersion="1.00"/>'
        client.message("ccm_system", None, "MP_TokenManager", xml, signed=True)


def main():
    number, mp, dp = int(sys.argv[1]), "mp01.lab.example", "dp01.lab.example"
    client, bulk = Client(number, sys.argv[2]), "bulk-registration-token"
    policy = "/.sms_pol?{0A0B0C0D-1111-4222-8333-444455556666}.2_00"
    if sys.argv[3:] == ["more"]:
        more(client, mp, dp, policy)
    elif number == 1:
        client.message("ccm_system_tokenauth", bulk, "MP_ClientRegistration", REGISTER)
        client.send(mp, "POST", "/CCM_STS", "entra-device-token")
        client.message("ccm_system_tokenauth", "ccm-token", "MP_PolicyManager", POLICY, "CCMToken")
    elif number == 2:
        client.send(mp, "GET", "/CCM_STS", "entra-user-token")
        client.send(mp, "GET", "/SMS_MP_TokenAuth" + policy, "ccm-token")
        provider, path = "provider.lab.example", "/AdminService_TokenAuth/v1.0/Device"
        client.send(provider, "GET", path, "entra-user-token")
    elif number == 3:
        client.send(dp, "PROPFIND", PKG + "/", "content-token", Depth="1")
        client.send(dp, "GET", PKG + "/sccm?/setup.exe", "content-token", Range="bytes=0-1023")
        path = "/CCMTOKENAUTH_SMS_DP_SMSSIG$/ABC00012.3.tar"
        client.send(dp, "GET", path, "content-token", "X-CCM-Token")
        client.send(dp, "GET", PKG + "/sccm?/setup.exe", None)
    else:
        client.message("ccm_system_altauth", None, "MP_PolicyManager", POLICY)
        client.send(mp, "GET", "/SMS_MP_AltAuth" + policy, None)
        # what only looks like a token
        client.send(mp, "GET", "/CCM_STS", "no-token", value="0123456789abcdef")
        broken = base64.urlsafe_b64encode(b'{"alg":"RS256"}').decode().rstrip("=")
        client.send(mp, "GET", "/CCM_STS", "broken-token", value=broken + ".eyJpc3Mi!!!.AAAA")


if __name__ == "__main__":
    main()
