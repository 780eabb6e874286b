#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Bare NTLM or Negotiate over HTTP, the tokens made by the system's GSSAPI library and gss-ntlmssp.

in:    ADDRESS HOST PATH..., one connection for all paths; --negotiate (SPNEGO), --plain (NTLM
       without SPNEGO under the scheme Negotiate), --anonymous, --agent, --prefer-ntlm (SPNEGO
       offers NTLM, then Kerberos), --then-ntlm (NTLM when the first token is refused);
       $NTLM_USER_FILE or $KRB5_CLIENT_KTNAME, the account
out:   the requests: the first path authenticates, the others rely on the connection;
       "STATUS PATH" a line on stdout
spec:  RFC 2744 (GSSAPI), MS-NTHT (the scheme NTLM)
"""
import argparse
import base64
import ctypes
import http.client
import struct
import sys

LIBRARY = ctypes.CDLL("libgssapi_krb5.so.2")
u32, pointer = ctypes.c_uint32, ctypes.c_void_p

class Buffer(ctypes.Structure):
    _fields_ = [("length", ctypes.c_size_t), ("value", ctypes.c_char_p)]


class Oid(ctypes.Structure):
    _fields_ = [("length", u32), ("elements", ctypes.c_char_p)]


class OidSet(ctypes.Structure):
    _fields_ = [("count", ctypes.c_size_t), ("elements", ctypes.POINTER(Oid))]


def oid(hexadecimal):
    data = bytes.fromhex(hexadecimal)
    return Oid(len(data), data)


KERBEROS = oid("2a864886f712010202")
NTLMSSP = oid("2b06010401823702020a")
SPNEGO = oid("2b0601050502")
HOSTBASED = oid("2a864886f71201020104")


def call(function, *arguments):
    minor = u32(0)
    major = getattr(LIBRARY, function)(ctypes.byref(minor), *arguments)
    if major >> 16:
        sys.exit("%s: %08x %08x" % (function, major & 0xFFFFFFFF, minor.value))
    return major


def name(text, kind):
    out = pointer()
    data = Buffer(len(text), text)
    call("gss_import_name", ctypes.byref(data), ctypes.byref(kind), ctypes.byref(out))
    return out


class Anonymous:
    """Types 1 and 3 by hand: gss-ntlmssp refuses the anonymous account (MS-NLMP 3.1.5.1.2)."""

    FLAGS = 0xA2088A05

    def step(self, token):
        version = bytes([10, 0, 0x61, 0x4A, 0, 0, 0, 15])
        if not token:
            head = b"NTLMSSP\0" + struct.pack("<II", 1, self.FLAGS & ~0x800)
            return head + struct.pack("<HHIHHI", 0, 0, 40, 0, 0, 40) + version
        host = "WKS08".encode("utf-16-le")
        at = 72
        head = b"NTLMSSP\0" + struct.pack("<I", 3)
        for length, offset in (
            (1, at + len(host)), (0, at), (0, at), (0, at), (len(host), at), (0, at),
        ):  # fmt: skip
            head += struct.pack("<HHI", length, length, offset)
        return head + struct.pack("<I", self.FLAGS) + version + host + b"\0"


class Context:
    """neg_mechs: what SPNEGO offers, in this order; none: all that the credential has"""

    def __init__(self, host, mechanism, *neg_mechs):
        self.mechanism = mechanism
        self.target = name(b"HTTP@" + host.encode(), HOSTBASED)
        self.credential, self.context = pointer(), pointer()
        mechanisms = OidSet(1, ctypes.pointer(mechanism))
        call(
            "gss_acquire_cred",
            None,
            u32(0xFFFFFFFF),
            ctypes.byref(mechanisms),
            1,
            ctypes.byref(self.credential),
            None,
            None,
        )
        if neg_mechs:
            offered = OidSet(len(neg_mechs), (Oid * len(neg_mechs))(*neg_mechs))
            call("gss_set_neg_mechs", self.credential, ctypes.byref(offered))

    def step(self, token):
        given, made = Buffer(len(token), token), Output()
        call(
            "gss_init_sec_context",
            self.credential,
            ctypes.byref(self.context),
            self.target,
            ctypes.byref(self.mechanism),
            u32(0),
            u32(0),
            None,
            ctypes.byref(given) if token else None,
            None,
            ctypes.byref(made),
            None,
            None,
        )
        return ctypes.string_at(made.value, made.length)


class Output(ctypes.Structure):
    _fields_ = [("length", ctypes.c_size_t), ("value", pointer)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("host")
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--anonymous", action="store_true")
    parser.add_argument("--negotiate", action="store_true")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--prefer-ntlm", action="store_true")
    parser.add_argument("--then-ntlm", action="store_true")
    parser.add_argument("--agent", default="SMS CCM 5.0")
    options = parser.parse_args()
    scheme = "Negotiate" if options.negotiate or options.plain else "NTLM"
    connection = http.client.HTTPConnection(options.address, timeout=20)

    def request(path, token=None):
        fields = {"Host": options.host, "User-Agent": options.agent}
        if token:
            fields["Authorization"] = scheme + " " + base64.b64encode(token).decode()
        connection.request("GET", path, headers=fields)
        reply = connection.getresponse()
        reply.read()
        return reply

    def authenticate(context, reply):
        if reply.status == 401:
            reply = request(options.paths[0], context.step(b""))
            challenges = [
                value.split(" ")[1]
                for value in reply.headers.get_all("WWW-Authenticate", [])
                if value.startswith(scheme + " ")
            ]
            if reply.status == 401 and challenges and not options.then_ntlm:
                reply = request(options.paths[0], context.step(base64.b64decode(challenges[0])))
        return reply

    if options.anonymous:
        context = Anonymous()
    elif options.prefer_ntlm:
        context = Context(options.host, SPNEGO, NTLMSSP, KERBEROS)
    else:
        context = Context(options.host, SPNEGO if options.negotiate else NTLMSSP)
    reply = authenticate(context, request(options.paths[0]))
    if options.then_ntlm:
        options.then_ntlm = False
        reply = authenticate(Context(options.host, SPNEGO, NTLMSSP), reply)
    print(reply.status, options.paths[0])
    for path in options.paths[1:]:
        print(request(path).status, path)


if __name__ == "__main__":
    main()
