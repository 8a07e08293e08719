#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The jwt policy while its issuer rotates its keys under load: no request fails, none waits for long
but those with a new key, made-up tokens do not hammer the issuer, and no token reaches the provider."""
import argparse
import base64
import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from provider import Provider
from support import Checks, add_arguments, openai_gateway

KEYS = 16           # one after the other
PUBLISHED = 4       # in the set at a time
ROTATION = 2.0      # seconds; less than the pause between two fetches
PAUSE = 5.0         # the gateway's, between two fetches
CLIENTS = 6
ANSWER_TIME = 0.1   # of the issuer

POLICY = """apiVersion: gatehouse/v1
kind: Policy
metadata: {{name: tokens}}
spec:
  type: jwt
  config:
    issuer: https://issuer.example
    jwksUrl: "http://127.0.0.1:{port}/jwks.json"
    algorithms: [EdDSA]
    audiences: [gatehouse]
    clientClaim: client_id
"""


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*words, data=None):
    return subprocess.run(["openssl", *words], input=data, capture_output=True, check=True).stdout


class Key:
    """An Ed25519 key (RFC 8037), made and used by the openssl command."""

    def __init__(self, directory, number):
        self.id, self.path = f"key-{number}", str(Path(directory) / f"{number}.pem")
        openssl("genpkey", "-algorithm", "ed25519", "-out", self.path)
        public = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")[-32:]
        self.jwk = {"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": self.id, "x": base64url(public)}

    def token(self, key_id=None, **more):
        claims = {"iss": "https://issuer.example", "aud": "gatehouse", "client_id": "faults",
                  "exp": int(time.time()) + 600, **more}
        parts = [{"alg": "EdDSA", "kid": key_id or self.id}, claims]
        message = ".".join(base64url(json.dumps(part).encode()) for part in parts)
        with tempfile.NamedTemporaryFile() as file:
            file.write(message.encode())
            file.flush()
            signature = openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.path, "-in", file.name)
        return f"{message}.{base64url(signature)}"


class Issuer:
    """Publishes the newest keys and signs with the last of them as soon as it is published."""

    def __init__(self, directory):
        self.keys = [Key(directory, number) for number in range(KEYS)]
        self.tokens = [key.token() for key in self.keys]
        self.current, self.fetches, self.down = 0, [], False
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                issuer.fetches.append(time.monotonic())
                keys = issuer.keys[max(0, issuer.current - PUBLISHED + 1):issuer.current + 1]
                body = json.dumps({"keys": [key.jwk for key in keys]}).encode()
                time.sleep(ANSWER_TIME)
                self.send_response(503 if issuer.down else 200)
                self.send_header("content-type", "application/jwk-set+json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server.server_address[1]

    @property
    def token(self):
        return self.tokens[self.current]


class Client:
    """Asks again and again on one connection."""

    def __init__(self, gateway, token):
        self.gateway, self.token = gateway, token
        self.connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)

    def ask(self):
        """Status, reason and seconds."""
        begun = time.monotonic()
        self.connection.request("GET", "/openai/v1/models", headers={
            "authorization": f"Bearer {self.token()}", "x-api-key": self.gateway.key})
        answer = self.connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("x-gatehouse-reason"), time.monotonic() - begun


def under_load(gateway, token, running, results):
    client = Client(gateway, token)
    while running.is_set():
        try:
            results.append(client.ask())
        except (OSError, http.client.HTTPException) as error:
            results.append((0, repr(error), 0.0))
            client = Client(gateway, token)


def rotation(checks, gateway, issuer, forged):
    """The keys change every other second while clients ask, among them one with made-up tokens."""
    good, bad, running = [], [], threading.Event()
    running.set()
    threads = [threading.Thread(target=under_load, args=(gateway, lambda: issuer.token, running, good))
               for _ in range(CLIENTS)]
    threads.append(threading.Thread(target=under_load, args=(gateway, lambda: forged, running, bad)))
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for number in range(KEYS):
        issuer.current = number
        time.sleep(ROTATION)
    running.clear()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - begun
    failed = [result for result in good if result[0] != 200]
    slow = [result for result in good if result[2] > PAUSE + 1]
    checks.check("rotation under load: no request fails", not failed,
                 f"{len(failed)} of {len(good)}: {failed[:5]}")
    checks.check("rotation under load: there was a load", len(good) > 50 * KEYS, len(good))
    checks.check("rotation under load: no request waits longer than for one fetch", not slow, slow[:5])
    checks.check("made-up tokens: all refused",
                 bad and all(result[:2] in ((401, "jwt:key"), (401, "jwt:signature")) for result in bad),
                 bad[:5])
    checks.check("made-up tokens: the issuer is asked once a pause at most",
                 len(issuer.fetches) <= seconds / PAUSE + 2, f"{len(issuer.fetches)} in {seconds:.0f} s")
    print(f"   {len(good)} requests, {KEYS} keys, {len(issuer.fetches)} fetches, {len(bad)} forgeries, "
          f"slowest {max(result[2] for result in good):.2f} s")


def outage(checks, gateway, issuer):
    """What is known goes on; what is not cannot be decided."""
    issuer.down = True
    known = [Client(gateway, lambda: issuer.token).ask() for _ in range(20)]
    checks.check("issuer down: known keys go on", all(result[0] == 200 for result in known), known)
    unknown = issuer.keys[0].token(key_id="key-99")
    status, reason, _ = Client(gateway, lambda: unknown).ask()
    checks.check("issuer down: an unknown key is a 503", (status, reason) == (503, "jwt:unavailable"),
                 (status, reason))
    issuer.down = False


def refusals(checks, gateway, issuer):
    for name, token, expected in (
            ("expired", issuer.keys[issuer.current].token(exp=int(time.time()) - 60), (401, "jwt:expired")),
            ("another audience", issuer.keys[issuer.current].token(aud="x"), (401, "jwt:audience")),
            ("unknown client", issuer.keys[issuer.current].token(client_id="x"), (403, "jwt:client")),
            ("another client than the key's", issuer.keys[issuer.current].token(client_id="other"),
             (403, "jwt:client")),
            ("unsigned", base64url(b'{"alg":"none"}') + "." + issuer.token.split(".")[1] + ".",
             (401, "jwt:algorithm"))):
        answer = Client(gateway, lambda token=token: token).ask()[:2]
        checks.check(f"{name}: refused", answer == expected, answer)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    arguments = parser.parse_args()
    checks, provider = Checks(arguments.verbose), Provider()
    with tempfile.TemporaryDirectory() as directory:
        issuer = Issuer(directory)
        forged = Key(directory, KEYS).token(key_id="key-0")
        gateway = openai_gateway(arguments.gateway, provider.port)
        (gateway.config / "policy.yaml").write_text(POLICY.format(port=issuer.port))
        try:
            gateway.start()
            rotation(checks, gateway, issuer, forged)
            refusals(checks, gateway, issuer)
            outage(checks, gateway, issuer)
            heard = b"".join(bytes(connection.received) for connection in provider.connections)
            leaks = [key.id for key, token in zip(issuer.keys, issuer.tokens) if token.encode() in heard]
            checks.check("no token reaches the provider", heard and not leaks, leaks)
            written = gateway.output()
            checks.check("no token is logged", not any(t.encode() in written for t in issuer.tokens), "")
        finally:
            gateway.remove()
            provider.stop()
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
