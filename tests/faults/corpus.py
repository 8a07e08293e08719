# SPDX-License-Identifier: GPL-3.0-or-later
"""The corpus of raw requests: what is common to its families, numbering, mutations and cuts.

Each case has one of three expectations:
  refuse  nothing reaches the provider; one answer with one of `statuses`, then the end
  pass    the provider receives it as the strict reader reads it, and so the request behind it
  either  refused, or received exactly as the strict reader reads it (or as it reads `meant`)
"""
from dataclasses import dataclass

BAD = frozenset({400})
CHUNKED = b"Transfer-Encoding: chunked"


@dataclass(frozen=True)
class Case:
    number: int
    family: str
    label: str
    raw: bytes
    want: str
    statuses: frozenset = BAD
    meant: bytes | None = None  # another reading that is as good, written canonically
    canary: bytes = b""         # sent behind it on the same connection
    split: int = 0              # sent in two pieces, the first of that many bytes
    closes: bool = True         # a refusal ends the connection

    @property
    def wire(self):
        return self.raw + self.canary


class Maker:
    """Writes requests for one target. `@ID@` becomes the number of the case (four digits)."""

    def __init__(self, host, key, other_key, decoy):
        self.host, self.key, self.other_key, self.decoy = (
            host.encode(), key.encode(), other_key.encode(), decoy.encode())
        self.auth = b"Authorization: Bearer " + self.key
        self.host_line = b"Host: " + self.host
        self.path = b"/openai/v1/c/@ID@"
        self.smuggled = self.get(b"/openai/v1/smuggled/@ID@")

    def raw(self, start, lines, body=b""):
        """Exactly these lines."""
        return b"\r\n".join([start, *lines]) + b"\r\n\r\n" + body

    def get(self, path=None, *lines, method=b"GET", version=b"HTTP/1.1"):
        return self.raw(method + b" " + (path or self.path) + b" " + version,
                        [self.host_line, self.auth, *lines])

    def post(self, *lines, body=b"", method=b"POST", version=b"HTTP/1.1", path=None):
        """The framing fields are the caller's."""
        return self.raw(method + b" " + (path or self.path) + b" " + version,
                        [self.host_line, self.auth, b"Content-Type: application/json", *lines], body)

    def sized(self, *lines, body=b'{"a":1}', **more):
        return self.post(*lines, b"Content-Length: %d" % len(body), body=body, **more)

    def chunked(self, *lines, body=b"5\r\nhello\r\n0\r\n\r\n", **more):
        return self.post(*lines, CHUNKED, body=body, **more)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def show(value):
    """A short label for bytes."""
    text = repr(value)[2:-1]
    return text if len(text) <= 44 else f"{text[:28]}…({len(value)})"


def mutations(make):
    """One wrong byte at every place of three requests: the strict reader says what each one is."""
    mark = b"X-Case: @ID@"  # tells whose request it is where the target was spoilt
    bases = {"get": make.get(None, mark), "sized": make.sized(mark, b"X-Test: a b"),
             "chunked": make.chunked(mark, b"X-Test: a b", body=b"5;e=1\r\nhello\r\n0\r\nX-T: 1\r\n\r\n")}
    wrong = [b"\0", b"\n", b"\r", b"\t", b" ", b":", b"\x0b", b"\xff", b"\r\n", b","]
    for name, base in bases.items():
        secret = range(base.index(make.key) + 6, base.index(make.key) + len(make.key) - 2)
        number = base.index(b"@ID@")
        again = base.index(b"@ID@", number + 1)
        for at in range(len(base) + 1):
            if at in secret or number < at < number + 4 or again < at < again + 4:
                continue
            letter = base[max(at - 1, 0):at + 1].isalnum()
            for index, byte in enumerate(wrong):
                if letter and (at + index) % 8:
                    continue
                yield f"{name} insert {show(byte)} at {at}", base[:at] + byte + base[at:], "either"
            if at < len(base) and not letter and base[at:at + 4] != b"@ID@":
                yield f"{name} delete {at}", base[:at] + base[at + 1:], "either"
                yield f"{name} double {at}", base[:at] + base[at:at + 1] + base[at:], "either"


def cuts(make):
    """Requests that end in the middle: never a complete request at the provider."""
    for name, base in {"sized": make.sized(), "chunked": make.chunked()}.items():
        for at in range(1, len(base)):
            if base[at - 1:at + 1].isalnum() and at % 3:
                continue
            yield f"{name} cut at {at}", base[:at], "either"


def build(make, families):
    """All cases, numbered."""
    cases = []

    def add(family, label, raw, want, statuses=BAD, meant=None, canary=True, split=0, closes=True):
        number = len(cases)
        mark = b"%04d" % number
        behind = make.get(b"/openai/v1/canary/@ID@", b"Connection: close") if canary else b""
        cases.append(Case(number, family, label, raw.replace(b"@ID@", mark), want,
                          frozenset(statuses), meant and meant.replace(b"@ID@", mark),
                          behind.replace(b"@ID@", mark), split, closes))

    for family in families:
        for index, item in enumerate(family(make)):
            label, raw, want, *more = item
            options = more[0] if more else {}
            add(family.__name__, label, raw, want, **options)
            if index % 7 == 3 and len(raw) < 4096:  # some again, in two pieces
                add(family.__name__, label + " (split)", raw, want,
                    **{**options, "split": len(raw) * (index % 5 + 2) // 7})
    for label, raw, want in mutations(make):
        add("mutations", label, raw, want)
    for label, raw, want in cuts(make):
        add("cuts", label, raw, want, canary=False)
    return cases
