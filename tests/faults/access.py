# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of bad_client.py: who may ask, with what key, and the flows that need two steps.

A refused request makes no provider connection: these parts run first, on a gateway that has none.
"""
import itertools
import time

from provider import answer
from support import CREDENTIAL, Wire, openai_gateway, request

serials = itertools.count(1)


def send(target, lines, path=None, method="GET", version="1.1", body=b"", timeout=5.0):
    """A request of exactly these lines."""
    head = "\r\n".join([f"{method} {path or f'/openai/v1/s/good/{next(serials)}'} HTTP/{version}", *lines])
    with Wire(target.port, timeout) as wire:
        wire.send(head.encode("latin-1") + b"\r\n\r\n" + body)
        return wire.read([method.encode()])


def refused(scene, name, lines, statuses, *reasons, **more):
    """Refused with this status, before any provider connection and without a CORS field."""
    before = len(scene.provider.connections), len(scene.provider.records)
    outcome = send(scene.target, lines, **more)
    scene.typed(name, outcome, statuses, *reasons)
    after = len(scene.provider.connections), len(scene.provider.records)
    scene.checks.check(f"{name}: the provider is left alone", before == after, (before, after))
    cors = [n for n, _ in outcome.answer.fields if n.lower().startswith(b"access-control-")]
    scene.checks.check(f"{name}: no CORS field", not cors, cors)


def hosts(scene):
    """An unknown Host is 421, whatever else is wrong with the request."""
    key = f"Authorization: Bearer {scene.target.key}"
    for value in ("evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.nip.io", "0.0.0.0",
            "10.0.0.1", "[::]", "127.0.0.2",
                  "api.openai.com", "169.254.169.254", "2130706433", "0x7f000001", "127.1", "localhostx",
                  "xlocalhost"):
        refused(scene, f"Host {value}", [f"Host: {value}", key], (421,), "host")
        refused(scene, f"Host {value}, no key, no route", [f"Host: {value}"], (421,), "host", path="/nowhere")
        refused(scene, f"Host {value}, evil origin", [f"Host: {value}", key, "Origin: http://evil.example"],
                (421, 403), "host", "origin")


def origins(scene):
    """An Origin that is not listed is 403, and so is what a browser says comes from another site."""
    host, key = f"Host: {scene.target.host}", f"Authorization: Bearer {scene.target.key}"
    for origin in ("null", "http://evil.example", "https://evil.example", "http://localhost:3000",
            "http://listed.example", "https://listed.example:444",
                   "https://listed.example.evil.example", "https://xlisted.example", "https://listed.example/",
                   "https://listed.example, https://evil.example",
                   "file://", "chrome-extension://abc", "", "*", "https://evil.example https://listed.example",
                   f"http://{scene.target.host}", "http://localhost"):
        for method in ("GET", "POST", "OPTIONS"):
            more = ["Content-Length: 2"] if method == "POST" else ["Access-Control-Request-Method: POST"] if method == "OPTIONS" else []
            refused(scene, f"{method} Origin {origin!r}", [host, key, f"Origin: {origin}", *more], (403,),
                    "origin", method=method,
                    body=b"{}" if method == "POST" else b"")
        refused(scene, f"Origin {origin!r}, no key, no route", [host, f"Origin: {origin}"], (403,), "origin",
                path="/nowhere")
    refused(scene, "two Origin fields", [host, key, "Origin: https://listed.example",
            "Origin: http://evil.example"], (403, 400), "origin", "request")
    for site in ("cross-site", "same-site", "Cross-Site"):
        refused(scene, f"Sec-Fetch-Site {site}", [host, key, f"Sec-Fetch-Site: {site}"], (403,), "origin")
        refused(scene, f"Sec-Fetch-Site {site}, no-cors", [host, key, f"Sec-Fetch-Site: {site}",
                "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"], (403,), "origin")
        refused(scene, f"Sec-Fetch-Site {site}, no key", [host, f"Sec-Fetch-Site: {site}"], (403,), "origin")
        refused(scene, f"Sec-Fetch-Site {site}, websocket", [host, key, f"Sec-Fetch-Site: {site}",
                *websocket()], (403,), "origin")
    refused(scene, "websocket from an evil origin", [host, key, "Origin: http://evil.example", *websocket()],
            (403,), "origin")


def refusals(scene):
    """Other requests that end before the provider is asked."""
    host, key = f"Host: {scene.target.host}", f"Authorization: Bearer {scene.target.key}"
    for method in ("TRACE", "CONNECT"):
        refused(scene, method, [host, key], (405, 400), "request:method", "request", method=method)
    for path in ("/", "/nowhere", "/openai", "/openai/v1x/y", "/healthz", "/metrics", "/readyz", "/admin",
            "/config", "/key/generate"):
        refused(scene, f"path {path}", [host, key], (404,), "route", path=path)
    for path in ("/openai/v1/../x", "/openai/v1/%2e%2e/x", "/openai/v1/./x", "/openai/v1/.%2E/x"):
        refused(scene, f"path {path}", [host, key], (400,), "request", path=path)
    refused(scene, "another expectation", [host, key, "Expect: 200-ok", "Content-Length: 2"], (417,),
            "request:expectation", method="POST", body=b"{}")
    refused(scene, "HTTP/2.0", [host, key], (505,), "request:version", version="2.0")
    outcome = send(scene.target, [host, f"Authorization: Bearer ghk_{'0' * 36}"])
    scene.checks.check("SDKs are told not to try a 401 again", not scene.target.typed
            or outcome.answer.get(b"x-should-retry") == b"false", outcome.answer.fields)
    scene.checks.check("a request id is said", not scene.target.typed
            or outcome.answer.get(b"x-gatehouse-request-id"), outcome.answer.fields)


CARRIERS = {"bearer": "Authorization: Bearer {}", "small bearer": "authorization: bearer {}",
        "x-api-key": "x-api-key: {}", "goog": "x-goog-api-key: {}", "azure": "api-key: {}"}


def foreign_key(scene):
    """A well-formed key of another installation."""
    if scene.target.name == "nginx":
        return "ghk_" + "1" * 36
    other = openai_gateway(scene.arguments.gateway, scene.provider.port)
    other.remove()
    return other.key


def keys(scene):
    """Every carrier gives the same verdict; two that disagree are 400; unknown is 401."""
    host, key, other = f"Host: {scene.target.host}", scene.target.key, scene.target.other_key
    unknown = foreign_key(scene)
    refused(scene, "no key", [host], (401,), "client-key:missing")
    refused(scene, "somebody's provider key", [host, "Authorization: Bearer sk-0123456789"], (401,),
            "client-key:missing")
    refused(scene, "an empty bearer", [host, "Authorization: Bearer "], (401,), "client-key:missing")
    refused(scene, "unknown ?key=", [host], (401,), "client-key:unknown",
            path=f"/openai/v1/s/good/1?key={unknown}")
    wrong = {"unknown": unknown, "bad checksum": key[:-1] + ("a" if key[-1] != "a" else "b"), "short": key[:-1],
            "long": key + "0", "prefix alone": "ghk_",
             "SQL": "ghk_' OR '1'='1' --", "SQL 2": "ghk_\";DROP TABLE keys;--", "padded": "ghk_" + "0" * 36,
             "upper case": key.upper().replace("GHK_", "ghk_"), "32 kB": "ghk_" + "a" * 32_000,
             "template": "ghk_{{7*7}}${7*7}<%=7*7%>"}
    for (carrier, line), (name, value) in itertools.product(CARRIERS.items(), wrong.items()):
        refused(scene, f"{name} in {carrier}", [host, line.format(value)], (401,), "client-key:unknown",
                "client-key:missing")
    refused(scene, "NUL in a key", [host, "x-api-key: ghk_\0" + "a" * 35], (400,), "request")
    for (one, first), (two, second) in itertools.permutations(CARRIERS.items(), 2):
        if "bearer" in one and "bearer" in two:
            continue
        refused(scene, f"{one} and {two} disagree", [host, first.format(key), second.format(other)], (400,),
                "client-key:conflict")
        refused(scene, f"{one} and unknown {two}", [host, first.format(key), second.format(unknown)], (400,),
                "client-key:conflict")
    refused(scene, "two bearers disagree", [host, f"Authorization: Bearer {key}",
            f"Authorization: Bearer {other}"], (400,), "client-key:conflict", "request")
    for line in CARRIERS.values():
        refused(scene, f"{line} and ?key= disagree", [host, line.format(key)], (400,), "client-key:conflict",
                path=f"/openai/v1/s/good/1?key={other}")
    refused(scene, "two ?key= disagree", [host], (400,), "client-key:conflict",
            path=f"/openai/v1/s/good/1?key={key}&key={other}")
    passing(scene, host, key, other)


def passing(scene, host, key, other):
    """Requests that pass: the provider gets its credential once, and nothing of the virtual key."""
    def passes(name, lines, path=None):
        before = len(scene.provider.records)
        outcome = send(scene.target, lines, path)
        scene.typed(name, outcome, (200,))
        got = [m for _, m, _ in scene.provider.records[before:]]
        whole = b"\n".join([got[0].target, *(n + b": " + v for n, v in got[0].fields)]) if got else b""
        scene.checks.check(f"{name}: the provider gets its own key once",
                len(got) == 1 and whole.count(CREDENTIAL.encode()) == 1
                           and got[0].get(b"authorization") == b"Bearer " + CREDENTIAL.encode(),
                           whole[:300].replace(CREDENTIAL.encode(), b"*"))
        scene.checks.check(f"{name}: nothing of a virtual key is passed on",
                not any(k.encode() in whole for k in (key, other)), whole[:200])
        scene.checks.check(f"{name}: no other key is passed on", b"sk-mine" not in whole, whole[:200])
        return got
    if scene.target.name == "nginx":
        return
    for (one, first), (two, second) in itertools.product(CARRIERS.items(), repeat=2):
        twice = "bearer" in one and "bearer" in two  # would be two Authorization fields
        passes(f"{one}{'' if twice else f' and {two}'}", [host, first.format(key)] + ([] if twice or one == two
                else [second.format(key)]))
    for line in CARRIERS.values():
        passes(f"{line} and ?key= agree", [host, line.format(key)],
                f"/openai/v1/s/good/{next(serials)}?key={key}")
    passes("x-api-key beside a provider's key", [host, "Authorization: Bearer sk-mine", f"x-api-key: {key}"])
    passes("bearer beside a provider's key", [host, "x-api-key: sk-mine", f"Authorization: Bearer {key}"])
    for query, rest in (("key={}", b""), ("key={}&alt=sse", b"alt=sse"), ("alt=sse&key={}", b"alt=sse"),
            ("a=1&key={}&b=2", b"a=1&b=2"), ("monkey=x&key={}", b"monkey=x")):
        got = passes(f"?{query}", [host], f"/openai/v1/s/good/{next(serials)}?" + query.format(key))
        left = got[0].target.partition(b"?")[2] if got else b"nothing"
        scene.checks.check(f"?{query}: the rest of the query is kept", left == rest, left)
    for line in ("Origin: https://listed.example",
            "Origin: https://listed.example\r\nSec-Fetch-Site: cross-site", "Sec-Fetch-Site: none", "Sec-Fetch-Site: same-origin",
            "sec-fetch-mode: cors", "X-Forwarded-Host: evil.example",
                 "Upgrade: h2c", "TE: trailers"):
        passes(line, [host, f"Authorization: Bearer {key}", line])
    for value in ("localhost", "LOCALHOST:1", "127.0.0.1", "[::1]", "[::1]:8080"):
        passes(f"Host {value}", [f"Host: {value}", f"Authorization: Bearer {key}"])


def expectation(scene):
    """Expect: 100-continue, with and without patience, and refused without a 100."""
    target = scene.target

    def once(connection, message):  # says 100 where it is asked to, then reads the body
        if message.get(b"expect") and not getattr(connection, "said", False):
            connection.said = True
            connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    scene.provider.early["expect"] = once
    scene.provider.scripts["expect"] = lambda connection, message: connection.send(answer(b"200 OK",
            b"%d" % len(message.body)))
    head = request(target, f"/s/expect/{next(serials)}", "POST", ["Expect: 100-continue", "Content-Length: 5"])
    with Wire(target.port) as wire:
        wire.send(head)
        before = wire.read([b"POST"], timeout=1)
        scene.checks.check("a 100 comes before the body", [m.status for m in before.interims] == [100]
                and not before.finals, before)
        wire.send(b"hello")
        after = wire.read([b"POST"])
        scene.checks.check("the answer comes behind the body", after.answer.status == 200
                and after.answer.body == b"5", after)
        wire.send(request(target, f"/s/good/{next(serials)}"))
        scene.checks.check("the connection lives on", wire.read().answer.status == 200)
    with Wire(target.port) as wire:
        wire.send(head + b"hello")
        scene.checks.check("a body without patience", wire.read([b"POST"]).answer.body == b"5")
    with Wire(target.port) as wire:
        wire.send(head.replace(target.key.encode(), b"ghk_" + b"0" * 36))
        outcome = wire.read([b"POST"], timeout=2)
        scene.checks.check("refused without a 100", (outcome.answer.status == 401 or not target.typed)
                and not outcome.interims, outcome)
    with Wire(target.port) as wire:
        wire.send(head.replace(b"Length: 5", b"Length: 99999999999999"))
        outcome = wire.read([b"POST"], timeout=2)
        scene.checks.check("too large is refused without a 100", outcome.answer.status == 413
                and not outcome.interims, outcome)
    with Wire(target.port) as wire:
        wire.send(head.replace(b"HTTP/1.1", b"HTTP/1.0") + b"hello")
        outcome = wire.read([b"POST"])
        scene.checks.check("HTTP/1.0 gets no 100", outcome.answer.status == 200 and not outcome.interims,
                outcome)


def versions(scene):
    """HTTP/1.0 and keep-alive on the client side."""
    target = scene.target
    scene.provider.scripts["chunked"] = lambda connection, _: connection.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    for path in ("good/1", "chunked/1"):
        for lines in ([], ["Connection: keep-alive"], ["Connection: close"]):
            with Wire(target.port) as wire:
                wire.send(request(target, f"/s/{path}", lines=lines, version="1.0"))
                outcome = wire.read(timeout=2)
                mine, kept = outcome.answer, outcome.ended == "open" and outcome.answer.framing != "close"
                name = f"HTTP/1.0 {path} {lines}"
                scene.checks.check(f"{name}: answered", mine.status == 200 and mine.complete
                        and mine.body in (b"{}", b"hello"), outcome)
                scene.checks.check(f"{name}: no chunks", not mine.all(b"transfer-encoding"), mine.fields)
                said = b"keep-alive" in mine.get(b"connection", b"").lower()
                rest = wire.read(until_end=True, timeout=0.5) if kept else outcome
                ends = rest.ended == "eof" or mine.framing == "close"
                scene.checks.check(f"{name}: {'kept only if said' if 'Connection: keep-alive' in lines else 'closed'}",
                                   ends or (said and "Connection: keep-alive" in lines),
                                   f"{mine.fields} {rest}")
    with Wire(target.port) as wire:
        wire.send(request(target, f"/s/good/{next(serials)}", lines=["Connection: close"]))
        outcome = wire.read(until_end=True, timeout=2)
        scene.checks.check("Connection: close is obeyed", outcome.answer.status == 200
                and outcome.ended == "eof"
                           and b"close" in outcome.answer.get(b"connection", b""), outcome)
    with Wire(target.port) as wire:
        for method in ("GET", "HEAD", "POST", "OPTIONS", "PATCH", "PUT", "DELETE", "GET"):
            body = b"{}" if method in ("POST", "PATCH", "PUT") else None
            wire.send(request(target, f"/s/good/{next(serials)}", method, body=body))
            outcome = wire.read([method.encode()])
            scene.checks.check(f"keep-alive {method}", outcome.answer.status == 200 and not outcome.fault,
                    outcome)


def websocket():
    return ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]


def tunnel(scene):
    """A websocket is tunnelled after the same checks, and ends with its client."""
    def accept(connection, message):
        if message.get(b"upgrade", b"").lower() != b"websocket":
            return connection.send(answer(b"400 No Upgrade"))
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nfirst")
        while connection.receive():
            connection.send(bytes(connection.pending))
            connection.pending.clear()
        return False
    scene.provider.scripts["socket"] = accept
    serial = f"{next(serials):06d}"
    with Wire(scene.target.port, 2) as wire:
        wire.send(request(scene.target, f"/s/socket/{serial}", lines=websocket()))
        data, end = b"", time.monotonic() + 2
        try:
            while not data.endswith(b"first") and time.monotonic() < end:
                data += wire.sock.recv(4096)
        except OSError:
            pass
        scene.checks.check("a websocket is opened", data.startswith(b"HTTP/1.1 101 ")
                and data.endswith(b"first"), data[:200])
        for part in (b"\x81\x05hello", b"\0\xff\r\n\r\n", b"x" * 5000):
            wire.send(part)
            back = b""
            try:
                while len(back) < len(part):
                    back += wire.sock.recv(65536) or b"!" * len(part)
            except OSError:
                pass
            scene.checks.check(f"{len(part)} bytes go through and come back", back == part, back[:60])
        connection, left = scene.provider.connection_of(serial), time.monotonic()
    end = time.monotonic() + 1
    while connection and not connection.gone and time.monotonic() < end:
        time.sleep(0.002)
    scene.checks.check("the tunnel ends with its client", connection and connection.gone
            and connection.gone - left < 0.2)
    host = f"Host: {scene.target.host}"
    refused(scene, "a websocket without a key", [host, *websocket()], (401,), "client-key:missing")


PARTS = (hosts, origins, refusals, keys, expectation, versions, tunnel)
