#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""No way around: a policy gives the same verdict for every carrier, method, encoding, framing, endpoint
and route. Runs a real gateway before a provider that counts what reaches it."""
import argparse
import gzip
import itertools
import json
import re
import socket
import struct
import sys
import zlib

from provider import Provider, answer
from support import Gateway, add_arguments

ROUTES = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages",
          "gemini": "/v1beta/models/{model}:generateContent", "ollama": "/api/chat"}
CARRIERS = ("Authorization: Bearer {key}", "x-api-key: {key}", "x-goog-api-key: {key}", "api-key: {key}",
            "?key={key}", "?x=1&%6bey={encoded}")
METHODS = ("POST", "PUT", "PATCH", "DELETE", "QUERY")

HEAD = """apiVersion: gatehouse/v1
kind: Gateway
metadata: {name: main}
spec: {listeners: [{name: default, address: "127.0.0.1:0"}], admin: none, workers: 2}
"""
PROVIDER = """---
apiVersion: gatehouse/v1
kind: Provider
metadata: {{name: {name}}}
spec: {{dialect: {name}, baseUrl: "http://127.0.0.1:{port}", credential: "env:GATEHOUSE_FAULTS_KEY"}}
---
apiVersion: gatehouse/v1
kind: Route
metadata: {{name: {name}}}
spec: {{basePath: /{name}, provider: {name}, usage: observe}}
"""
POLICY = """---
apiVersion: gatehouse/v1
kind: Policy
metadata: {{name: {name}}}
spec: {{type: {type}, {more}config: {config}}}
"""
POLICIES = [("models", "model-access", '{deny: ["denied-*"]}', ""),
            ("endpoints", "endpoint-access", '{deny: [{path: "/blocked/**"}]}', ""),
            ("depth", "json-threat", "{maxDepth: 8}", ""),
            ("size", "request-size", "{max: 4KiB}", "")]


def brotli_stored(data):
    """RFC 7932 §9.2: one uncompressed meta-block and an empty last one."""
    return struct.pack("<I", (len(data) - 1) << 4 | 1 << 20)[:3] + data + b"\x03"


def zstd_raw(data):
    """RFC 8878 §3.1.1: a single-segment frame of one raw block."""
    return (b"\x28\xb5\x2f\xfd\x60" + struct.pack("<H", len(data) - 256) if len(data) > 255 else
            b"\x28\xb5\x2f\xfd\x20" + bytes([len(data)])) + struct.pack("<I", len(data) << 3 | 1)[:3] + data


ENCODINGS = {"identity": (None, lambda data: data),
             "gzip": ("gzip", gzip.compress), "GZIP": ("GZIP", gzip.compress), "x-gzip": ("x-gzip", gzip.compress),
             "deflate": ("deflate", zlib.compress), "br": ("br", brotli_stored), "zstd": ("zstd", zstd_raw),
             "two": ("gzip, br", lambda data: brotli_stored(gzip.compress(data)))}


def upgraded(connection, message):
    """Answers everything with 200, and upgrades with 101."""
    if message.get(b"upgrade") is None:
        return connection.send(answer())
    connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    return False


def exchange(port, head, body):
    """Status and reason of the first answer; the connection is not used again."""
    with socket.create_connection(("127.0.0.1", port), 10) as wire:
        wire.sendall(head.encode("latin-1") + b"\r\n" + body)
        received = b""
        while b"\r\n\r\n" not in received:
            some = wire.recv(65536)
            if not some:
                break
            received += some
    status = re.match(rb"HTTP/1\.1 (\d+)", received)
    reason = re.search(rb"(?im)^x-gatehouse-reason: (\S+)", received)
    return int(status[1]) if status else 0, reason[1].decode() if reason else ""


def framed(body, chunked):
    if not chunked:
        return f"Content-Length: {len(body)}\r\n", body
    pieces = [body[i:i + 50] for i in range(0, len(body), 50)]
    return ("Transfer-Encoding: chunked\r\n",
            b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n")


def carried(carrier, key, path):
    """Path and header line of a request that carries the key so."""
    if carrier.startswith("?"):
        encoded = "".join(f"%{ord(c):02x}" if c in "gk_" else c for c in key)
        return path + carrier.format(key=key, encoded=encoded), ""
    return path, carrier.format(key=key) + "\r\n"


def bodies():
    """What a request asks, the verdict that is due, and how it is written."""
    allowed = {"model": "allowed-1", "messages": [{"role": "user", "content": "x" * 100}]}
    denied = dict(allowed, model="denied-1")
    deep = dict(allowed, extra=json.loads("[" * 9 + "]" * 9))
    large = dict(allowed, extra="y" * 5000)
    return {"allowed": (allowed, "allowed-1", (200, "")),
            "denied model": (denied, "denied-1", (403, "model-access:model")),
            "too deep": (deep, "allowed-1", (400, "json-threat:depth")),
            "too large": (large, "allowed-1", (413, "request-size"))}


class Matrix:
    def __init__(self, gateway, provider):
        self.gateway, self.provider = gateway, provider
        self.passed, self.failures = 0, []
        self.key = gateway.add_client("good")
        self.scoped = gateway.add_client("scoped", "--model", "allowed-*")
        self.elsewhere = gateway.add_client("elsewhere", "--route", "ollama")
        self.revoked = gateway.add_client("revoked")
        gateway.command("client", "revoke", "revoked", check=True)
        gateway.start()

    def send(self, name, head, body, due):
        before, bytes_before = len(self.provider.records), self.provider.bytes
        seen = exchange(self.gateway.port, head + "Host: localhost\r\n", body)
        # A part of a request counts as one.
        reached = len(self.provider.records) - before or int(self.provider.bytes > bytes_before)
        right = seen == due if due[1] else seen[0] == due[0]
        if right and reached == (1 if due[0] in (200, 101) else 0):
            self.passed += 1
        else:
            self.failures.append(f"{name}: {seen}, not {due}; {reached} reached the provider")

    def verdicts(self):
        for route, known in ROUTES.items():
            for (what, (value, model, due)), carrier, method, chunked, endpoint in itertools.product(
                    bodies().items(), CARRIERS, METHODS, (False, True), (known, "/unknown/endpoint")):
                self.one(route, what, value, model, due, carrier, method, chunked, endpoint, "identity")
            for (what, (value, model, due)), encoding, chunked, endpoint in itertools.product(
                    bodies().items(), ENCODINGS, (False, True), (known, "/unknown/endpoint")):
                # A body that is small when encoded is within request-size, which counts what is sent.
                if what != "too large" or encoding in ("identity", "br"):
                    self.one(route, what, value, model, due, CARRIERS[0], "POST", chunked, endpoint, encoding)

    def one(self, route, what, value, model, due, carrier, method, chunked, endpoint, encoding):
        path, line = carried(carrier, self.key, f"/{route}" + endpoint.format(model=model))
        field, encode = ENCODINGS[encoding]
        length, body = framed(encode(json.dumps(value).encode()), chunked)
        head = f"{method} {path} HTTP/1.1\r\n{line}Content-Type: application/json\r\n{length}"
        if field:
            head += f"Content-Encoding: {field}\r\n"
        self.send(f"{route} {what} {carrier} {method} chunked={chunked} {endpoint} {encoding}", head, body, due)

    def keys(self):
        """client-key: what is wrong with the key is wrong in every carrier, method and endpoint."""
        unknown = self.key[:-6] + "000000"
        cases = [("none", "", (401, "client-key:missing")), ("unknown", unknown, (401, "client-key:unknown")),
                 ("revoked", self.revoked, (401, "client-key:unknown")),
                 ("another route's", self.elsewhere, (403, "client-key:scope"))]
        for route, known in ROUTES.items():
            for (name, key, due), carrier, method, endpoint in itertools.product(
                    cases, CARRIERS, ("GET", *METHODS), (known, "/unknown")):
                if name == "another route's" and route == "ollama":
                    continue
                path, line = (carried(carrier, key, f"/{route}" + endpoint.format(model="allowed-1")) if key
                              else (f"/{route}" + endpoint.format(model="allowed-1"), ""))
                length, body = framed(b'{"model":"allowed-1"}', False) if method != "GET" else ("", b"")
                self.send(f"{route} key {name} {carrier} {method} {endpoint}",
                          f"{method} {path} HTTP/1.1\r\n{line}{length}", body, due)

    def scopes(self):
        """A client's models, in every carrier and encoding."""
        for (route, known), carrier, encoding, model in itertools.product(
                ROUTES.items(), CARRIERS, ENCODINGS, ("allowed-2", "other-2")):
            due = (200, "") if model == "allowed-2" else (403, "client-key:scope")
            path, line = carried(carrier, self.scoped, f"/{route}" + known.format(model=model))
            field, encode = ENCODINGS[encoding]
            length, body = framed(encode(json.dumps({"model": model}).encode()), False)
            head = f"POST {path} HTTP/1.1\r\n{line}{length}" + (f"Content-Encoding: {field}\r\n" if field else "")
            self.send(f"{route} scope {model} {carrier} {encoding}", head, body, due)

    def endpoints(self):
        """endpoint-access, however the path is written, with and without an upgrade."""
        spellings = ("/blocked/x", "/blocked/x/y", "/%62locked/x", "/blocked%2Fx", "//blocked/x", "/blocked//x",
                     "/blocked/x?y=/z", "/blocked/x/")
        for route, spelling, carrier, method in itertools.product(ROUTES, spellings, CARRIERS[:4],
                                                                  ("GET", *METHODS)):
            path, line = carried(carrier, self.key, f"/{route}{spelling}")
            length, body = framed(b'{"model":"allowed-1"}', False) if method != "GET" else ("", b"")
            self.send(f"{route} {method} {spelling}", f"{method} {path} HTTP/1.1\r\n{line}{length}", body,
                      (403, ""))
            if method == "GET":
                self.send(f"{route} upgrade {spelling}", f"GET {path} HTTP/1.1\r\n{line}{UPGRADE}", b"", (403, ""))

    def upgrades(self):
        for carrier in CARRIERS[:4]:
            for path, due in (("/openai/v1/realtime?model=allowed-1", (101, "")),
                              ("/openai/v1/realtime?model=denied-1", (403, "model-access:model")),
                              ("/openai/v1/realtime?Model=denied-1", (403, "")),
                              ("/openai/v1/realtime?model=allowed-1&model=denied-1", (403, "")),
                              ("/openai/v1/responses", (403, "model-access:hidden")),
                              ("/openai/v1/responses?model=allowed-1", (403, "model-access:hidden"))):
                _, line = carried(carrier, self.key, path)
                self.send(f"upgrade {path}", f"GET {path} HTTP/1.1\r\n{line}{UPGRADE}", b"", due)


UPGRADE = ("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    arguments = parser.parse_args()
    provider = Provider()
    provider.default = upgraded
    text = HEAD + "".join(PROVIDER.format(name=name, port=provider.port) for name in ROUTES)
    text += "".join(POLICY.format(name=n, type=t, config=c, more=m) for n, t, c, m in POLICIES)
    gateway = Gateway(arguments.gateway, text)
    try:
        matrix = Matrix(gateway, provider)
        for part in (matrix.verdicts, matrix.keys, matrix.scopes, matrix.endpoints, matrix.upgrades):
            part()
    finally:
        gateway.remove()
        provider.stop()
    for failure in matrix.failures if arguments.verbose else matrix.failures[:20]:
        print("FAIL", failure)
    print(f"{matrix.passed} passed, {len(matrix.failures)} failed")
    return 1 if matrix.failures else 0


if __name__ == "__main__":
    sys.exit(main())
