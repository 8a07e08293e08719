#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""No way around: a policy gives the same verdict for every carrier, method, encoding, framing, endpoint
and route. Runs a real gateway before a provider that counts what reaches it."""
import argparse
import gzip
import itertools
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support import add_arguments, wait_for

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


class Provider(ThreadingHTTPServer):
    """Answers everything with 200, upgrades with 101, and counts."""
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass  # a connection that the gateway cut, which is what some cases are about

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.count = 0
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        with self.server.lock:
            self.server.count += 1
        if self.headers.get("Upgrade"):
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.end_headers()
            self.close_connection = True
            return
        length = self.headers.get("Content-Length")
        if length:
            self.rfile.read(int(length))
        elif self.headers.get("Transfer-Encoding"):
            while (size := int(self.rfile.readline().split(b";")[0], 16)) != 0:
                self.rfile.read(size + 2)
            self.rfile.readline()
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_QUERY = do_OPTIONS = answer

    def log_message(self, *_):
        pass


class Gateway:
    def __init__(self, binary, directory, provider):
        self.binary, self.directory = binary, directory
        config, data = directory / "config", directory / "data"
        for path in (config, data):
            path.mkdir(mode=0o700)
        self.where = ["--config", str(config), "--data", str(data)]
        self.environment = dict(os.environ, GATEHOUSE_FAULTS_KEY="sk-matrix-provider-key-0123456789")
        text = HEAD + "".join(PROVIDER.format(name=name, port=provider.server_address[1]) for name in ROUTES)
        text += "".join(POLICY.format(name=n, type=t, config=c, more=m) for n, t, c, m in POLICIES)
        (config / "gatehouse.yaml").write_text(text)
        self.key = self.client("good")
        self.scoped = self.client("scoped", "--model", "allowed-*")
        self.elsewhere = self.client("elsewhere", "--route", "ollama")
        self.revoked = self.client("revoked")
        self.run("client", "revoke", "revoked")
        self.log = directory / "out.log"
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen([binary, "run", *self.where], stdout=out, stderr=out,
                                            env=self.environment)
        ready = re.compile(rb"^gatehouse: ready http://127\.0\.0\.1:(\d+)", re.M)
        wait_for(lambda: ready.search(self.log.read_bytes()) or self.process.poll() is not None, 15)
        match = ready.search(self.log.read_bytes())
        if not match:
            raise SystemExit(f"the gateway is not ready: {self.log.read_bytes()!r}")
        self.port = int(match[1])

    def run(self, *words):
        done = subprocess.run([self.binary, *words, *self.where], env=self.environment, timeout=20,
                              capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def client(self, name, *more):
        return re.search(r"ghk_[0-9A-Za-z]{36}", self.run("client", "add", name, *more)).group()

    def stop(self):
        self.process.terminate()
        self.process.wait(15)


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

    def send(self, name, head, body, due):
        before = self.provider.count
        seen = exchange(self.gateway.port, head + "Host: localhost\r\n", body)
        reached = self.provider.count - before
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
        path, line = carried(carrier, self.gateway.key, f"/{route}" + endpoint.format(model=model))
        field, encode = ENCODINGS[encoding]
        length, body = framed(encode(json.dumps(value).encode()), chunked)
        head = f"{method} {path} HTTP/1.1\r\n{line}Content-Type: application/json\r\n{length}"
        if field:
            head += f"Content-Encoding: {field}\r\n"
        self.send(f"{route} {what} {carrier} {method} chunked={chunked} {endpoint} {encoding}", head, body, due)

    def keys(self):
        """client-key: what is wrong with the key is wrong in every carrier, method and endpoint."""
        unknown = self.gateway.key[:-6] + "000000"
        cases = [("none", "", (401, "client-key:missing")), ("unknown", unknown, (401, "client-key:unknown")),
                 ("revoked", self.gateway.revoked, (401, "client-key:unknown")),
                 ("another route's", self.gateway.elsewhere, (403, "client-key:scope"))]
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
            path, line = carried(carrier, self.gateway.scoped, f"/{route}" + known.format(model=model))
            field, encode = ENCODINGS[encoding]
            length, body = framed(encode(json.dumps({"model": model}).encode()), False)
            head = f"POST {path} HTTP/1.1\r\n{line}{length}" + (f"Content-Encoding: {field}\r\n" if field else "")
            self.send(f"{route} scope {model} {carrier} {encoding}", head, body, due)

    def endpoints(self):
        """endpoint-access, however the path is written, with and without an upgrade."""
        spellings = ("/blocked/x", "/blocked/x/y", "/%62locked/x", "/blocked%2Fx", "//blocked/x", "/blocked//x",
                     "/blocked/x?y=/z", "/blocked/x/", "/%42locked/x".replace("42", "62"))
        for route, spelling, carrier, method in itertools.product(ROUTES, spellings, CARRIERS[:4],
                                                                  ("GET", *METHODS)):
            path, line = carried(carrier, self.gateway.key, f"/{route}{spelling}")
            length, body = framed(b'{"model":"allowed-1"}', False) if method != "GET" else ("", b"")
            self.send(f"{route} {method} {spelling}", f"{method} {path} HTTP/1.1\r\n{line}{length}", body,
                      (403, ""))
            if method == "GET":
                self.send(f"{route} upgrade {spelling}", f"GET {path} HTTP/1.1\r\n{line}{UPGRADE}", b"", (403, ""))

    def upgrades(self):
        for carrier in CARRIERS[:4]:
            for path, due in ((f"/openai/v1/realtime?model=allowed-1", (101, "")),
                              (f"/openai/v1/realtime?model=denied-1", (403, "model-access:model")),
                              (f"/openai/v1/realtime?Model=denied-1", (403, "")),
                              (f"/openai/v1/realtime?model=allowed-1&model=denied-1", (403, "")),
                              (f"/openai/v1/responses", (403, "model-access:hidden")),
                              (f"/openai/v1/responses?model=allowed-1", (403, "model-access:hidden"))):
                _, line = carried(carrier, self.gateway.key, path)
                self.send(f"upgrade {path}", f"GET {path} HTTP/1.1\r\n{line}{UPGRADE}", b"", due)


UPGRADE = ("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    arguments = parser.parse_args()
    provider = Provider()
    with tempfile.TemporaryDirectory(prefix="gatehouse-matrix-") as directory:
        gateway = Gateway(arguments.gateway, Path(directory), provider)
        matrix = Matrix(gateway, provider)
        try:
            for part in (matrix.verdicts, matrix.keys, matrix.scopes, matrix.endpoints, matrix.upgrades):
                part()
        finally:
            gateway.stop()
    for failure in matrix.failures if arguments.verbose else matrix.failures[:20]:
        print("FAIL", failure)
    print(f"{matrix.passed} passed, {len(matrix.failures)} failed")
    return 1 if matrix.failures else 0


if __name__ == "__main__":
    sys.exit(main())
