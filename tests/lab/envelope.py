# SPDX-License-Identifier: GPL-2.0-or-later
"""Management-point messages: building and taking apart, for the lab's client and stand-in server.

Written apart from the program on purpose. A message is multipart/mixed: an envelope in UTF-16 with
byte order mark, then the body in UTF-16 without it, ended by a zero, usually compressed.
"""
import re
import zlib

BOUNDARY = "aAbBcCdDv1234567890VxXyYzZ"
ZERO = "{00000000-0000-0000-0000-000000000000}"


def utf16(text):
    return text.encode("utf-16-le")


def body_bytes(xml, compress=True, crlf=False):
    """(part 2, the length the envelope names); crlf: two bytes more inside the compressed data"""
    raw = utf16(xml) + b"\0\0"
    sent = raw + b"\r\n" if crlf else raw
    return (zlib.compress(sent) if compress else sent), len(raw)


def element(name, text):
    return "<%s>%s</%s>" % (name, text, name)


def envelope(fields, length, hooks, compress=True, reply_compression=True):
    """fields: elements of Msg in order of their names; None is an empty element."""
    wanted = 'ReplyCompression="zlib" ' if reply_compression else ""
    text = '<Msg %sSchemaVersion="1.1">' % wanted
    text += '<Body Type="ByteRange" Length="%d" Offset="0"/>' % length
    text += element("CorrelationID", fields.get("CorrelationID", ZERO))
    hook3 = '<Hook3 Name="zlib-compress"/>' if compress else ""
    text += element("Hooks", hooks + hook3)
    text += element("ID", fields["ID"]) if fields["ID"] else "<ID/>"
    text += '<Payload Type="inline"/>' + element("Priority", fields.get("Priority", "0"))
    for name, value in fields.get("Properties", {}).items():
        text += '<Property Name="%s" Value="%s"/>' % (name, value)
    text += element("Protocol", "http")
    for name in (
        "ReplyMode", "ReplyTo", "SentTime", "SourceHost", "SourceID", "TargetAddress",
        "TargetEndpoint", "TargetHost", "Timeout",
    ):  # fmt: skip
        if name in fields:
            text += element(name, fields[name])
    return text + "</Msg>"


def hook2(properties):
    inner = "".join('<Property Name="%s">%s</Property>' % item for item in properties)
    return '<Hook2 Name="clientauth">%s</Hook2>' % inner


def multipart(parts, boundary=BOUNDARY):
    """parts: [(header lines, data)]"""
    mark = b"--" + boundary.encode()
    out = b""
    for head, data in parts:
        out += mark + b"\r\n" + head + b"\r\n\r\n" + data + b"\r\n"
    return out + mark + b"--"


def message(text, part2, compress=True, boundary=BOUNDARY, named=None):
    """named: the part names of the media client, which sends its parts as form data"""
    kinds = [
        b"content-type: text/plain; charset=UTF-16",
        b"content-type: application/octet-stream"
        if compress
        else b"content-type: text/plain; charset=UTF-16",
    ]
    if named:
        kinds = [
            b'Content-Disposition: form-data; name="%s"\r\n%s' % (name.encode(), kind)
            for name, kind in zip(named, kinds)
        ]
    head = b"\xff\xfe" + utf16(text)
    return multipart([(kinds[0], head), (kinds[1], part2)], boundary)


def take_apart(content_type, data):
    """(envelope text, part 2 as it came, body text); None where a part is missing"""
    found = re.search(r'boundary="?([^";]+)', content_type or "")
    if not found:
        return None, None, None
    mark = b"--" + found.group(1).encode()
    parts = []
    for piece in data.split(mark)[1:-1]:
        parts.append(piece.split(b"\r\n\r\n", 1)[1][:-2])
    text = parts[0].decode("utf-16") if parts else None
    part2 = parts[1] if len(parts) > 1 else None
    body = None
    if part2 is not None:
        raw = part2
        if raw[:1] == b"\x78":
            try:
                raw = zlib.decompress(raw)
            except zlib.error:
                raw = b""
        body = raw[: len(raw) // 2 * 2].decode("utf-16-le", "replace").split("\0")[0]
    return text, part2, body


def value(text, name):
    found = re.search(r"<%s(?: [^>]*)?>([^<]*)</%s>" % (name, name), text)
    return found.group(1) if found else ""


def hook_property(text, name):
    inner = r"(?:<!\[CDATA\[)?(.*?)(?:\]\]>)?"
    found = re.search('<Property Name="%s">%s</Property>' % (name, inner), text, re.S)
    return found.group(1) if found else ""


def root(body):
    found = re.match(r"<([A-Za-z]+)", body or "")
    return found.group(1) if found else ""
