# SPDX-License-Identifier: GPL-3.0-or-later
"""A strict and independent reader of HTTP/1.1 (RFC 9110, 9112): the judge of these tests.

It shares no code and no idea with the gateway. Every message has one reading here, or it is
Malformed, or there are not enough bytes yet (Incomplete).
"""
import re
from dataclasses import dataclass, field

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
TARGET = re.compile(rb"[\x21\x22\x24-\x7e]+")  # printable ASCII without '#'
DIGITS = re.compile(rb"[0-9]{1,19}")
QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t !-~\x80-\xff])*"'
NAME = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})((?:[ \t]*;[ \t]*" + NAME + rb"(?:[ \t]*=[ \t]*(?:"
                        + NAME + rb"|" + QUOTED + rb"))?)*)")
HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::([0-9]{1,5}))?")
ABSOLUTE = re.compile(rb"(https?)://([^/?#]*)(.*)", re.I | re.S)


class Malformed(Exception):
    """The bytes have no reading."""


class Incomplete(Exception):
    """More bytes are needed."""


@dataclass
class Message:
    start: tuple
    fields: list
    body: bytes = b""
    trailers: list = field(default_factory=list)
    framing: str = "none"  # none, length, chunked, close
    size: int = 0          # bytes used, head and body
    complete: bool = True

    def all(self, name):
        """The values of a field, in order."""
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    @property
    def method(self):
        return self.start[0]

    @property
    def target(self):
        return self.start[1]

    @property
    def status(self):
        return int(self.start[1])

    @property
    def reason(self):
        return self.get(b"x-gatehouse-reason", b"").decode("latin-1")


def take_line(data, at):
    """The line that begins at `at`, and where the next begins. Ends in CRLF and nothing else."""
    feed = data.find(b"\n", at)
    carriage = data.find(b"\r", at)
    if feed < 0 and (carriage < 0 or carriage == len(data) - 1):
        raise Incomplete
    if carriage < 0 or (0 <= feed < carriage):
        raise Malformed("bare LF")
    if data[carriage + 1:carriage + 2] != b"\n":
        raise Malformed("bare CR")
    return bytes(data[at:carriage]), carriage + 2


def take_fields(data, at):
    """Field lines up to the empty line."""
    fields = []
    while True:
        line, at = take_line(data, at)
        if not line:
            return fields, at
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.fullmatch(name):
            raise Malformed(f"field name {name[:40]!r}")
        if not VALUE.fullmatch(value):
            raise Malformed(f"value of {name[:40]!r}")
        fields.append((name, value.strip(b" \t")))


def take_chunks(data, at):
    """(body, trailers, end); end is None where the body is not complete."""
    body = bytearray()
    while True:
        try:
            line, begin = take_line(data, at)
        except Incomplete:
            return bytes(body), [], None
        match = CHUNK_LINE.fullmatch(line)
        if not match:
            raise Malformed(f"chunk size {line[:40]!r}")
        size = int(match[1], 16)
        if size == 0:
            try:
                trailers, end = take_fields(data, begin)
            except Incomplete:
                return bytes(body), [], None
            return bytes(body), trailers, end
        body += data[begin:begin + size]
        end = begin + size
        if not b"\r\n".startswith(bytes(data[end:end + 2])) and data[end:end + 2] != b"\r\n":
            raise Malformed("chunk data without its CRLF")
        if len(data) < end + 2:
            return bytes(body), [], None
        at = end + 2


def framing(message, version):
    """("none"|"length"|"chunked", length) as the framing fields say, or Malformed."""
    lengths = message.all(b"content-length")
    codings = message.all(b"transfer-encoding")
    if codings:
        if lengths:
            raise Malformed("Content-Length beside Transfer-Encoding")
        if len(codings) > 1 or codings[0].lower() != b"chunked":
            raise Malformed(f"transfer codings {codings!r}")
        if version == b"HTTP/1.0":
            raise Malformed("Transfer-Encoding in HTTP/1.0")
        return "chunked", 0
    if lengths:
        if len(lengths) > 1 or not DIGITS.fullmatch(lengths[0]) or int(lengths[0]) >= 2 ** 63:
            raise Malformed(f"Content-Length {lengths!r}")
        return "length", int(lengths[0])
    return "none", 0


def check_host(message):
    """One valid Host, and the same authority in an absolute-form target."""
    hosts = message.all(b"host")
    if len(hosts) > 1 or (not hosts and message.start[2] == b"HTTP/1.1"):
        raise Malformed(f"{len(hosts)} Host fields")
    for host in hosts:
        match = HOST.fullmatch(host)
        if not match or (match[1] and int(match[1]) > 65535):
            raise Malformed(f"Host {host!r}")
    absolute = ABSOLUTE.fullmatch(message.target)
    if absolute and (not hosts or absolute[2].lower() != hosts[0].lower()):
        raise Malformed("authority of the target differs from Host")


def parse_head(data, at=0):
    """The head of a request; `size` says where it ends."""
    line, at = take_line(data, at)
    parts = line.split(b" ")
    if len(parts) != 3:
        raise Malformed(f"request line {line[:60]!r}")
    if not TOKEN.fullmatch(parts[0]) or not TARGET.fullmatch(parts[1]):
        raise Malformed(f"request line {line[:60]!r}")
    if parts[2] not in (b"HTTP/1.0", b"HTTP/1.1"):
        raise Malformed(f"version {parts[2][:20]!r}")
    if not (parts[1].startswith(b"/") or ABSOLUTE.fullmatch(parts[1])
            or (parts[0] == b"OPTIONS" and parts[1] == b"*")):
        raise Malformed(f"target {parts[1][:40]!r}")
    fields, at = take_fields(data, at)
    message = Message(tuple(parts), fields, size=at)
    check_host(message)
    message.framing, _ = framing(message, parts[2])
    return message


def parse_request(data, at=0):
    """One request that begins at `at`; `size` says where it ends."""
    message = parse_head(data, at)
    begin = message.size
    kind, length = framing(message, message.start[2])
    if kind == "chunked":
        message.body, message.trailers, end = take_chunks(data, begin)
        if end is None:
            raise Incomplete
    else:
        end = begin + length
        if len(data) < end:
            raise Incomplete
        message.body = bytes(data[begin:end])
    message.size = end
    return message


def read_all(data):
    """([requests], "clean" | "malformed" | "incomplete"): every request in its order."""
    messages, at = [], 0
    while at < len(data):
        try:
            message = parse_request(data, at)
        except Malformed:
            return messages, "malformed"
        except Incomplete:
            return messages, "incomplete"
        messages.append(message)
        at = message.size
    return messages, "clean"


def parse_response(data, at, method, eof):
    """One response that begins at `at`. Raises Incomplete before the end of its head; later a
    message that is not `complete` holds the part of the body that is there."""
    line, at = take_line(data, at)
    match = re.fullmatch(rb"(HTTP/1\.[01]) ([1-9][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)", line)
    if not match:
        raise Malformed(f"status line {line[:60]!r}")
    fields, at = take_fields(data, at)
    message = Message((match[1], match[2], match[3]), fields)
    kind, length = framing(message, match[1])
    status = message.status
    if status < 200 or status in (204, 304) or method == b"HEAD":
        if (status < 200 or status == 204) and kind != "none":
            raise Malformed(f"{status} with framing fields")
        message.framing, message.size = "none", at
    elif kind == "chunked":
        message.body, message.trailers, end = take_chunks(data, at)
        message.complete = end is not None
        message.framing, message.size = kind, len(data) if end is None else end
    elif kind == "length":
        message.body = bytes(data[at:at + length])
        message.complete = len(data) >= at + length
        message.framing, message.size = kind, at + len(message.body)
    else:
        message.body = bytes(data[at:])
        message.complete = eof
        message.framing, message.size = "close", len(data)
    return message
