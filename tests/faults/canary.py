#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canary keys: provider keys, policies' secrets and virtual keys are sent through every success and error
path; then everything that the gateway wrote, answered and handed on is searched for them in ten encodings."""
import argparse
import base64
import hashlib
import http.server
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from support import add_arguments, wait_for


def canary(prefix):
    return prefix + secrets.token_hex(20)


def encodings(key):
    """What a leak could look like. The last eight characters stand for any tail that tells too much."""
    raw = key.encode()
    found = {"raw": raw, "hex": raw.hex().encode(), "HEX": raw.hex().upper().encode(),
             "percent": "".join(f"%{b:02x}" for b in raw).encode(),
             "PERCENT": "".join(f"%{b:02X}" for b in raw).encode(),
             "json": "".join(f"\\u{b:04x}" for b in raw).encode(), "reversed": raw[::-1],
             "sha256": hashlib.sha256(raw).hexdigest().encode(),
             "sha256 base64": base64.b64encode(hashlib.sha256(raw).digest()).rstrip(b"="),
             "tail": raw[-8:]}
    for shift in range(3):
        # Within other bytes base64 has three alignments; the ends depend on the neighbours.
        whole = base64.b64encode(b"x" * shift + raw)
        found[f"base64+{shift}"] = whole[(4 if shift else 0):-4]
        found[f"base64url+{shift}"] = base64.urlsafe_b64encode(b"x" * shift + raw)[(4 if shift else 0):-4]
    return found


CONFIG = """apiVersion: gatehouse/v1
kind: Gateway
metadata: {{name: main}}
spec:
  listeners: [{{name: default, address: "127.0.0.1:0"}}]
  admin: none
  workers: 2
  limits: {{connectTimeout: 300ms, firstByteTimeout: 300ms, streamTimeout: 300ms, headTimeout: 300ms, bodyTimeout: 300ms, body: 64KiB}}
"""
PROVIDER = """---
apiVersion: gatehouse/v1
kind: Provider
metadata: {{name: {name}}}
spec: {{dialect: {dialect}, baseUrl: "{url}", credential: "{credential}", insecure: {insecure}}}
---
apiVersion: gatehouse/v1
kind: Route
metadata: {{name: {name}}}
spec: {{basePath: /{name}, provider: {name}, usage: observe, public: {public}}}
"""
POLICY = """---
apiVersion: gatehouse/v1
kind: Policy
metadata: {{name: {name}}}
spec: {{type: {type}, target: {{route: {route}}}, config: {config}}}
"""


class Provider:
    """Behaves as the path says, and never shows what it was sent."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.socket.getsockname()[1]
        self.seen = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            connection.settimeout(3)
            try:
                while self.one(connection):
                    pass
            except OSError:
                pass

    def one(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            some = connection.recv(65536)
            if not some:
                return False
            head += some
        self.seen.append(head)
        how = re.match(rb"\S+ \S*?/(good|stream|reset|garbage|silent|cut|500|401)?", head)[1] or b"good"
        if how == b"reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return False
        if how == b"silent":
            time.sleep(0.6)
            return False
        answers = {b"good": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
                   b"stream": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                   b"garbage": b"HTTP/1.1 2x0 OK\nContent-Length: 2\n\n{}",
                   b"cut": b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nabc",
                   b"500": b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
                   b"401": b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"}
        connection.sendall(answers[how])
        return how in (b"good", b"stream", b"500", b"401")


class Scene:
    def __init__(self, binary, directory):
        self.binary, self.directory = binary, directory
        self.answers, self.outputs = [], []
        self.provider = Provider()
        self.keys = {name: canary("sk-canary-") for name in ("env", "file", "password", "token", "jwt")}
        config, data, home = (directory / name for name in ("config", "data", "home"))
        for path in (config, data, home):
            path.mkdir(mode=0o700)
        # The one place where the user put secrets: outside of what is searched.
        vault = Path(tempfile.mkdtemp(prefix="gatehouse-canary-"))
        self.vault = vault
        for name in ("file", "password", "token", "jwt"):
            (vault / name).write_text(self.keys[name] + "\n")
            (vault / name).chmod(0o600)
        self.where = ["--config", str(config), "--data", str(data)]
        self.environment = dict(os.environ, HOME=str(home), CANARY_KEY=self.keys["env"],
                                DBUS_SESSION_BUS_ADDRESS="unix:path=/nonexistent")
        here = f"http://127.0.0.1:{self.provider.port}"
        with socket.create_server(("127.0.0.1", 0)) as free:
            closed = free.getsockname()[1]
        routes = [("open", "openai", here, "env:CANARY_KEY", False), ("a", "anthropic", here, f"file:{vault}/file", False),
                  ("g", "gemini", here, "env:CANARY_KEY", False), ("o", "ollama", here, f"file:{vault}/file", False),
                  ("down", "openai", f"http://127.0.0.1:{closed}", "env:CANARY_KEY", False),
                  ("tls", "openai", f"https://127.0.0.1:{self.provider.port}", "env:CANARY_KEY", False),
                  ("locked", "openai", here, "keychain:canary", False),
                  ("basic", "openai", here, "env:CANARY_KEY", True), ("oauth", "openai", here, "env:CANARY_KEY", True),
                  ("jwt", "openai", here, "env:CANARY_KEY", True)]
        text = CONFIG.format() + "".join(
            PROVIDER.format(name=n, dialect=d, url=u, credential=c, insecure="false", public=str(p).lower())
            for n, d, u, c, p in routes)
        text += POLICY.format(name="basic", type="basic-auth", route="basic",
                              config=f'{{username: user, password: "file:{vault}/password"}}')
        text += POLICY.format(name="oauth", type="oauth2-introspection", route="oauth",
                              config=f'{{url: "{here}/500", authorization: "file:{vault}/token"}}')
        text += POLICY.format(name="jwt", type="jwt", route="jwt",
                              config=f'{{secret: "file:{vault}/jwt", algorithms: [HS256]}}')
        self.config = config / "gatehouse.yaml"
        self.config.write_text(text)
        self.virtual = re.search(r"ghk_[0-9A-Za-z]{36}", self.run("client", "add", "canary", keep=False)).group()
        self.keys["virtual"] = self.virtual
        self.log = directory / "out.log"
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen([binary, "run", *self.where], stdout=out, stderr=out,
                                            env=dict(self.environment, QT_LOGGING_RULES="gatehouse.*=true"))
        ready = re.compile(rb"^gatehouse: ready http://127\.0\.0\.1:(\d+)", re.M)
        wait_for(lambda: ready.search(self.log.read_bytes()) or self.process.poll() is not None, 15)
        match = ready.search(self.log.read_bytes())
        if not match:
            raise SystemExit(f"the gateway is not ready: {self.log.read_bytes()!r}")
        self.port = int(match[1])

    def run(self, *words, keep=True, **more):
        done = subprocess.run([self.binary, *words[:1], *words[1:2], *self.where, *words[2:]], env=self.environment,
                              timeout=30, capture_output=True, text=True, **more)
        if keep:
            self.outputs.append(done.stdout + done.stderr)
        return done.stdout

    def send(self, head, body=b"", end="\r\n"):
        with socket.create_connection(("127.0.0.1", self.port), 5) as wire:
            wire.sendall((head + end).encode("latin-1") + body)
            wire.settimeout(2)
            received = b""
            try:
                while some := wire.recv(65536):
                    received += some
                    if b"\r\n0\r\n\r\n" in received or (length := re.search(
                            rb"(?i)content-length: (\d+)", received)) and len(
                            received.split(b"\r\n\r\n", 1)[-1]) >= int(length[1]):
                        break
            except OSError:
                pass
        self.answers.append((head.split("\r\n")[0][:60], received))
        return received

    def traffic(self):
        key, host = self.virtual, "Host: localhost\r\n"
        for route in ("open", "a", "g", "o", "down", "tls", "locked"):
            for path in ("good", "stream", "reset", "garbage", "silent", "cut", "500", "401"):
                for line in (f"Authorization: Bearer {key}", f"x-api-key: {key}", f"x-goog-api-key: {key}",
                             f"api-key: {key}"):
                    self.send(f"GET /{route}/{path} HTTP/1.1\r\n{host}{line}\r\n")
                self.send(f"GET /{route}/{path}?key={key} HTTP/1.1\r\n{host}")
        good = f"/open/good"
        wrong = key[:-1] + ("a" if key[-1] != "a" else "b")
        for head in (f"GET {good}/{key} HTTP/1.1\r\n{host}", f"GET {good}?token={key} HTTP/1.1\r\n{host}",
                     f"GET {good} HTTP/1.1\r\n{host}Cookie: k={key}\r\n", f"GET {good} HTTP/1.1\r\n{host}Referer: {key}\r\n",
                     f"GET {good} HTTP/1.1\r\n{host}x-api-key: {wrong}\r\n",
                     f"GET {good} HTTP/1.1\r\n{host}x-api-key: {key}\r\napi-key: {wrong}\r\n",
                     f"GET {good} HTTP/1.1\r\n{host}x-api-key: {key}, {key}\r\n",
                     f"GET /nowhere HTTP/1.1\r\n{host}x-api-key: {key}\r\n",
                     f"GET {good} HTTP/1.1\r\nHost: evil.example\r\nx-api-key: {key}\r\n",
                     f"GET {good} HTTP/1.1\r\n{host}Origin: http://evil.example\r\nx-api-key: {key}\r\n",
                     f"TRACE {good} HTTP/1.1\r\n{host}x-api-key: {key}\r\n",
                     f"GET {good} HTTP/3.7\r\n{host}x-api-key: {key}\r\n",
                     f"GET {good} HTTP/1.1\r\n{host}x-api-key : {key}\r\n",
                     f"GET {good} HTTP/1.1\n{host}x-api-key: {key}\n",
                     f"{key} {good} HTTP/1.1\r\n{host}", f"GET {key} HTTP/1.1\r\n{host}",
                     f"GET {good} {key}\r\n{host}", f"GET {good} HTTP/1.1\r\n{host}{key}: x\r\n",
                     f"GET {good}/" + "x" * 20000 + f" HTTP/1.1\r\n{host}x-api-key: {key}\r\n",
                     f"GET {good} HTTP/1.1\r\n{host}x-api-key: {key}\r\n" + f"x-a: {'y' * 70000}\r\n",
                     f"GET {good} HTTP/1.1\r\n{host}x-api-key: {key}\r\nUpgrade: h2c\r\nConnection: upgrade\r\n",
                     f"POST {good} HTTP/1.1\r\n{host}x-api-key: {key}\r\nContent-Length: 99999\r\n",
                     f"POST {good} HTTP/1.1\r\n{host}x-api-key: {key}\r\nContent-Length: 9\r\n",
                     f"POST {good} HTTP/1.1\r\n{host}x-api-key: {key}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
            self.send(head)
        self.send(f"GET {good} HTTP/1.1\r\n{host}x-api-key: {key}\r\n", end="")  # a head that never ends
        password, token = self.keys["password"], self.keys["token"]
        for user in (f"user:{password}", f"user:{password}x", f"user{password}", f"{password}:user"):
            basic = base64.b64encode(user.encode()).decode()
            self.send(f"GET /basic/good HTTP/1.1\r\n{host}Authorization: Basic {basic}\r\n")
        for bearer in (token, key, self.keys["jwt"], f"{token}.{token}.{token}",
                       base64.urlsafe_b64encode(b'{"alg":"HS256"}').decode().rstrip("=") + ".e30." + token):
            for route in ("oauth", "jwt", "basic", "open"):
                self.send(f"GET /{route}/good HTTP/1.1\r\n{host}Authorization: Bearer {bearer}\r\n")
        for field in ("authorization", "api_key", "api_base", "base_url", "extra_headers"):
            body = json.dumps({field: "http://127.0.0.1:9/x", "model": "x"}).encode()
            self.send(f"POST {good} HTTP/1.1\r\n{host}x-api-key: {key}\r\nContent-Length: {len(body)}\r\n", body)

    def commands(self):
        for words in (("check",), ("client", "list"), ("client", "list", "--json"), ("secret", "list"),
                      ("secret", "list", "--json"), ("policies", "describe"), ("--help",)):
            self.run(*words)
        # What exec hands to its child: the variable that holds the provider's key must not be among it.
        text = self.config.read_text()
        self.config.write_text(text.replace('"127.0.0.1:0"', f'"127.0.0.1:{self.port}"'))
        child = subprocess.run([self.binary, "exec", *self.where, "--client", "canary", "--", "env"],
                               env=self.environment, timeout=30, capture_output=True, text=True)
        if child.returncode != 0 or "OPENAI_API_KEY=ghk_" not in child.stdout:
            raise SystemExit(f"exec: {child.returncode} {child.stdout[:500]} {child.stderr}")
        self.outputs.append(child.stdout + child.stderr)
        # A key in the wrong place of a file must not be quoted back.
        for key in (self.keys["env"], self.virtual):
            self.config.write_text(text + PROVIDER.format(name="bad", dialect="openai", url="http://127.0.0.1:9",
                                                          credential=key, insecure="false", public="false"))
            self.run("check")
            time.sleep(0.7)  # the running gateway reads it too
        self.config.write_text(text)

    def hits(self):
        """Everything that holds a canary and should not."""
        found = []
        places = [(str(path), path.read_bytes()) for path in self.directory.rglob("*") if path.is_file()]
        places += [(f"answer to {what}", data) for what, data in self.answers]
        places += [(f"output {i}", text.encode()) for i, text in enumerate(self.outputs)]
        places += [("arguments", Path(f"/proc/{self.process.pid}/cmdline").read_bytes())]
        environment = Path(f"/proc/{self.process.pid}/environ").read_bytes().split(b"\0")
        places += [("environment", b"\0".join(v for v in environment if not v.startswith(b"CANARY_KEY=")))]
        for head in self.provider.seen:
            if head.startswith(b"POST /500 "):
                continue  # the introspection service, which is asked about the token by design
            for name in ("virtual", "password", "jwt"):
                if self.keys[name].encode() in head:
                    found.append(f"the provider was sent the {name} key: {head[:80]!r}")
        for name, key in self.keys.items():
            for encoding, pattern in encodings(key).items():
                found += [f"{name} key as {encoding} in {place}" for place, data in places if pattern in data]
        return found, len(places)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gatehouse-canary-") as directory:
        scene = Scene(arguments.gateway, Path(directory))
        try:
            scene.traffic()
            scene.commands()
            used = sum(scene.keys["env"].encode() in head for head in scene.provider.seen)
            answered = sum(b"HTTP/1.1 " in answer for _, answer in scene.answers)
            hits, places = scene.hits()
        finally:
            scene.process.terminate()
            scene.process.wait(15)
            for path in scene.vault.iterdir():
                path.unlink()
            scene.vault.rmdir()
    for hit in hits if arguments.verbose else hits[:20]:
        print("FAIL", hit)
    if used == 0 or answered < 200:
        print(f"FAIL the traffic was not what it should be: {used} with the key, {answered} answers")
        hits.append("traffic")
    print(f"{len(scene.keys)} keys in {len(encodings('x' * 40))} encodings, {places} places, {answered} answers, "
          f"{used} requests reached the provider with its key: {len(hits)} hits")
    return 1 if hits else 0


if __name__ == "__main__":
    sys.exit(main())
