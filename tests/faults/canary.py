#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canary keys: provider keys, policies' secrets and virtual keys are sent through every success and error
path; then everything that the gateway wrote, answered and handed on is searched for them in many encodings."""
import argparse
import base64
import json
import os
import re
import secrets
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path

from provider import Provider, answer
from support import Gateway, add_arguments, encodings


def canary(prefix):
    return prefix + secrets.token_hex(20)


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


ANSWERS = {b"good": answer(), b"500": answer(b"500 Oops", b""), b"401": answer(b"401 No", b""),
           b"stream": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
           b"garbage": b"HTTP/1.1 2x0 OK\nContent-Length: 2\n\n{}",
           b"cut": b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nabc"}


def behave(connection, message):
    """Answers as the path says, and never shows what it was sent."""
    how = re.match(rb"\S*?/(good|stream|reset|garbage|silent|cut|500|401)?", message.target)[1] or b"good"
    if how == b"reset":
        return connection.reset()
    if how == b"silent":
        return connection.wait_gone(2) and False
    return connection.send(ANSWERS[how]) and how in (b"good", b"stream", b"500", b"401")


class Scene:
    def __init__(self, binary):
        self.answers, self.outputs = [], []
        self.provider = Provider()
        self.provider.default = behave
        self.keys = {name: canary("sk-canary-") for name in ("env", "file", "password", "token", "jwt")}
        # The one place where the user put secrets: outside of what is searched.
        self.vault = Path(tempfile.mkdtemp(prefix="gatehouse-canary-"))
        for name in ("file", "password", "token", "jwt"):
            (self.vault / name).write_text(self.keys[name] + "\n")
            (self.vault / name).chmod(0o600)
        home = Path(tempfile.mkdtemp(prefix="gatehouse-canary-home-"))
        self.gateway = Gateway(binary, self.documents(), dict(
            os.environ, HOME=str(home), CANARY_KEY=self.keys["env"], QT_LOGGING_RULES="gatehouse.*=true",
            DBUS_SESSION_BUS_ADDRESS="unix:path=/nonexistent"))
        self.directories = [self.gateway.dir, home]
        self.config = self.gateway.config / "gatehouse.yaml"
        self.virtual = self.keys["virtual"] = self.gateway.add_client("canary")

    def documents(self):
        here, vault = f"http://127.0.0.1:{self.provider.port}", self.vault
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
        return text + POLICY.format(name="jwt", type="jwt", route="jwt",
                                    config=f'{{secret: "file:{vault}/jwt", algorithms: [HS256]}}')

    def run(self, *words, options=()):
        done = self.gateway.command(*words, options=options)
        self.outputs.append(done.stdout + done.stderr)
        return done

    def remove(self):
        self.gateway.remove()
        self.provider.stop()
        for directory in (*self.directories, self.vault):
            shutil.rmtree(directory, ignore_errors=True)

    def send(self, head, body=b"", end="\r\n"):
        with socket.create_connection(("127.0.0.1", self.gateway.port), 5) as wire:
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
        good = "/open/good"
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
        self.config.write_text(text.replace('"127.0.0.1:0"', f'"127.0.0.1:{self.gateway.port}"'))
        child = self.run("exec", options=("--client", "canary", "--", "env"))
        if child.returncode != 0 or "OPENAI_API_KEY=ghk_" not in child.stdout:
            raise SystemExit(f"exec: {child.returncode} {child.stdout[:500]} {child.stderr}")
        # A key in the wrong place of a file must not be quoted back.
        for key in (self.keys["env"], self.virtual):
            self.config.write_text(text + PROVIDER.format(name="bad", dialect="openai", url="http://127.0.0.1:9",
                                                          credential=key, insecure="false", public="false"))
            self.run("check")
            time.sleep(0.7)  # the running gateway reads it too
        self.config.write_text(text)

    def seen(self):
        """What the provider was sent: requests, and what is none."""
        for _, message, _ in self.provider.records:
            fields = [name + b": " + value for name, value in message.fields + message.trailers]
            yield message.method + b" " + message.target, b"\n".join([message.target, *fields, message.body])
        for connection in self.provider.connections:
            yield b"not a request", bytes(connection.pending)

    def hits(self):
        """Everything that holds a canary and should not."""
        found = []
        places = [(str(path), path.read_bytes()) for directory in self.directories
                  for path in directory.rglob("*") if path.is_file()]
        places += [(f"answer to {what}", data) for what, data in self.answers]
        places += [(f"output {i}", text.encode()) for i, text in enumerate(self.outputs)]
        places += [("arguments", Path(f"/proc/{self.gateway.process.pid}/cmdline").read_bytes())]
        environment = Path(f"/proc/{self.gateway.process.pid}/environ").read_bytes().split(b"\0")
        places += [("environment", b"\0".join(v for v in environment if not v.startswith(b"CANARY_KEY=")))]
        for what, data in self.seen():
            if what.startswith(b"POST /500"):
                continue  # the introspection service, which is asked about the token by design
            for name in ("virtual", "password", "jwt"):
                if self.keys[name].encode() in data:
                    found.append(f"the provider was sent the {name} key: {what[:80]!r}")
        for name, key in self.keys.items():
            for encoding, pattern in encodings(key).items():
                found += [f"{name} key as {encoding} in {place}" for place, data in places if pattern in data]
        return found, len(places)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    arguments = parser.parse_args()
    scene = Scene(arguments.gateway)
    try:
        scene.gateway.start()
        scene.traffic()
        scene.commands()
        used = sum(scene.keys["env"].encode() in data for _, data in scene.seen())
        answered = sum(b"HTTP/1.1 " in data for _, data in scene.answers)
        hits, places = scene.hits()
    finally:
        scene.remove()
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
