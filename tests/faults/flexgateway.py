# SPDX-License-Identifier: GPL-3.0-or-later
"""MuleSoft documents and a gateway that serves them, for flex.py."""
import base64
import hashlib
import hmac
import json
import os
import socket

from provider import Provider
from support import Checks, Gateway, Wire

GATEWAY = """apiVersion: gatehouse/v1
kind: Gateway
metadata: {name: default}
spec: {listeners: [{name: default, address: "127.0.0.1:0"}], admin: none, workers: 1}
"""


def free_port(given=set()):
    """A port that nobody has, and that was not given before: the system may give it again at once."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        if port not in given:
            given.add(port)
            return port


def document(kind, name, spec, labels=None, namespace=None):
    """One MuleSoft document. JSON is YAML."""
    metadata = {"name": name, "labels": labels if labels is not None else {"gatehouse/public": "true"}}
    if namespace:
        metadata["namespace"] = namespace
    return json.dumps({"apiVersion": "gateway.mulesoft.com/v1alpha1", "kind": kind,
                       "metadata": metadata, "spec": spec})


def bound(name, target, reference, config, **more):
    """A PolicyBinding."""
    spec = {"targetRef": target if isinstance(target, dict) else {"name": target},
            "policyRef": {"name": reference}, "config": config, **more}
    return document("PolicyBinding", name, spec, {})


class Scene:
    def __init__(self, arguments):
        self.binary, self.checks, self.provider = arguments.gateway, Checks(arguments.verbose), Provider()
        self.address = f"http://127.0.0.1:{self.provider.port}"

    def gateway(self, documents, variables=None):
        """`gatehouse run` on the documents and with the environment variables."""
        gateway = Gateway(self.binary, GATEWAY, dict(os.environ, **(variables or {})))
        (gateway.config / "flex.yaml").write_text("\n---\n".join(documents))
        return gateway.start()

    def instance(self, name, port, path="", services=True, policies=(), labels=None, scheme="http"):
        spec = {"address": f"{scheme}://127.0.0.1:{port}{path}", "policies": list(policies)}
        if services is True:
            spec["services"] = {"upstream": {"address": self.address}}
        elif services:
            spec["services"] = services
        return document("ApiInstance", name, spec, labels)

    def ask(self, port, target, method="GET", lines=(), host=None):
        """(status, x-gatehouse-reason, what the provider received of it or None)."""
        before = len(self.provider.records)
        head = "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {host or f'127.0.0.1:{port}'}", *lines])
        with Wire(port) as wire:
            wire.send(head.encode("latin-1") + b"\r\n\r\n")
            said = wire.read([method.encode()]).answer
        new = self.provider.records[before:]
        reason = (said.get(b"x-gatehouse-reason") or b"").decode()
        return said.status, reason, new[0][1] if new else None, said

    def expect(self, name, port, target, status, reason="", upstream=None, **more):
        """The answer, and the target that the provider saw (None: it is left alone)."""
        seen, why, message, said = self.ask(port, target, **more)
        got = message.target.decode() if message else None
        good = seen == status and why == reason and (status != 200 or upstream is None or got == upstream) \
            and (status == 200 or message is None)
        self.checks.check(name, good, f"{seen} {why!r}, the provider saw {got!r}")
        return message, said


def basic(user, password):
    return "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def token(secret, **claims):
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")
    signed = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    return (signed + b"." + part(hmac.new(secret, signed, hashlib.sha256).digest())).decode()
