# SPDX-License-Identifier: GPL-3.0-or-later
"""A provider that misbehaves: the client sees a correct prefix or a typed error, and the gateway
serves the next request as if nothing had been.

    bad_provider.py [--gateway BIN] [--target nginx] [--verbose]
"""
import argparse
import itertools
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from bad_answers import BAD_CHUNKS, BAD_HEADS, EVENTS, ODD, OK, WHOLE, cut, cut_fault, good, say
from provider import Provider, answer
from support import Checks, Wire, add_arguments, ask, make_target, request

LIMITS = {"firstByteTimeout": "1s", "streamTimeout": "1s", "connectTimeout": "1s", "idleTimeout": "20s"}
serials = itertools.count(1)


class Scene:
    """One gateway, its provider, and the checks."""

    def __init__(self, arguments):
        self.checks = Checks(arguments.verbose)
        self.provider = Provider()
        self.provider.scripts["good"] = good
        self.target = make_target(arguments, self.provider.port, **LIMITS)
        self.arguments = arguments

    def script(self, name, function, early=False):
        (self.provider.early if early else self.provider.scripts)[name] = function

    def good(self, name):
        """A request right after: answered, and with its own answer."""
        serial = next(serials)
        outcome = ask(self.target, f"/s/good/{serial}")
        return self.checks.check(f"{name}: the next request is served", outcome.answer.status == 200
                                 and outcome.answer.get(b"x-serial") == b"%d" % serial, outcome)

    def typed(self, name, outcome, status, *reasons):
        """The gateway's own answer."""
        mine = outcome.answer
        good = mine.status == status and mine.complete and (not self.target.typed or mine.reason in reasons)
        return self.checks.check(name, good, f"{outcome}, not {status} {' or '.join(reasons)}")

    def ask(self, path, method="POST", **more):
        if method == "POST":
            more.setdefault("body", b'{"a":1}')
        return ask(self.target, path, method, **more)


def every_offset(scene):
    """RST and FIN at every byte of three answers, to a POST that must not be sent twice."""
    scene.script("cut", cut)
    cases = [(kind, offset, mode) for kind, (head, body, _) in WHOLE.items()
             for offset in range(len(head) + len(body) + 1) for mode in ("end", "reset")]

    def run(case, again=True):
        kind, offset, mode = case
        serial = next(serials)
        outcome = scene.ask(f"/s/cut/{serial}/{kind}/{offset}/{mode}")
        if outcome.answer.status == 502 and again and not scene.provider.seen(f"/s/cut/{serial}/"):
            return run(case, False)  # the pooled connection had just ended: rightly not sent again
        after = ask(scene.target, f"/s/good/{serial}")
        fault = cut_fault(kind, offset, mode, outcome, scene.target.typed)
        if after.answer.status != 200 or after.answer.get(b"x-serial") != b"%d" % serial:
            fault = fault or f"the next request: {after}"
        return serial, case, outcome, fault

    with ThreadPoolExecutor(12) as pool:
        results = list(pool.map(run, cases))
    sent = [m.target for _, m, _ in scene.provider.records]
    times = {int(t.split(b"/s/cut/")[1].split(b"/")[0]): 0 for t in sent if b"/s/cut/" in t}
    for target in sent:
        if b"/s/cut/" in target:
            times[int(target.split(b"/s/cut/")[1].split(b"/")[0])] += 1
    for serial, (kind, offset, mode), outcome, fault in results:
        if not fault and times.get(serial) != 1:
            fault = f"the POST arrived {times.get(serial)} times"
        scene.checks.check(f"{kind} answer, {mode} at byte {offset}", not fault, f"{fault} {outcome}")


def malformed(scene):
    """Heads and chunks without a reading."""
    for name, data in BAD_HEADS.items():
        scene.script("bad", say(data))
        outcome = scene.ask(f"/s/bad/{next(serials)}")
        scene.typed(name, outcome, 502, "provider:response")
        scene.good(name)
    for body in BAD_CHUNKS:
        name = f"chunks {body[:30]!r}"
        scene.script("bad", say(OK + b"Transfer-Encoding: chunked\r\n\r\n" + body))
        outcome = scene.ask(f"/s/bad/{next(serials)}")
        mine = outcome.answer
        cut_off = mine.status == 200 and not mine.complete and b"hello".startswith(mine.body)
        scene.checks.check(name, not outcome.fault and (cut_off or mine.status == 502), outcome)
        scene.good(name)


def odd(scene):
    """Answers that are well-formed: passed on, whole or byte by byte."""
    for name, (data, status, body) in ODD.items():
        for keep in (True, False):
            scene.script("odd", say(data, keep))
            outcome = scene.ask(f"/s/odd/{next(serials)}", "GET")
            mine = outcome.answer
            scene.checks.check(f"{name}{', kept' if keep else ''}", mine.status == status and mine.body == body
                               and mine.complete and not outcome.fault, outcome)
        scene.good(name)

    def trickle(connection, message):
        head, body, _ = WHOLE[message.target.rsplit(b"/", 1)[1].decode()]
        for byte in head + body:
            connection.send(bytes([byte]))
            time.sleep(0.0005)
        return connection.finish()
    scene.script("trickle", trickle)
    for kind, (_, _, meant) in WHOLE.items():
        mine = scene.ask(f"/s/trickle/{next(serials)}/{kind}", "GET").answer
        scene.checks.check(f"{kind} answer byte by byte", mine.complete and mine.body == meant, mine.body)
    fields = b"Connection: X-Hop, close\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nProxy-Authenticate: Basic\r\nUpgrade: h2c\r\n"
    scene.script("hop",
            say(OK + fields + b"Set-Cookie: a=1\r\nX-End: 1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n"))
    mine = scene.ask(f"/s/hop/{next(serials)}", "GET").answer
    for name in (b"x-hop", b"keep-alive", b"proxy-authenticate", b"upgrade"):
        scene.checks.check(f"{name.decode()} is not passed on", mine.status == 200 and not mine.all(name),
                mine.fields)
    scene.checks.check("end-to-end fields keep their order", mine.all(b"set-cookie") == [b"a=1", b"b=2"],
            mine.fields)
    for status in (301, 302, 303, 307, 308):
        where = f"http://127.0.0.1:{scene.decoy.port}/v1/s/good/1".encode()
        scene.script("redirect", say(answer(b"%d Moved" % status, b"{}", b"Location: " + where), True))
        for method in ("GET", "POST"):
            mine = scene.ask(f"/s/redirect/{next(serials)}", method).answer
            scene.checks.check(f"{method} redirect {status} is passed on", mine.status == status
                               and mine.get(b"location") == where, mine.fields)
    scene.checks.check("no redirect is followed", not scene.decoy.connections, len(scene.decoy.connections))
    for name, data, body in (("length", b"Content-Length: 5\r\n\r\nhello", b"hello"),
            ("close", b"\r\nhello", b"hello"),
                             ("keep-alive", b"Connection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
                             b"hello")):
        scene.script("old", say(b"HTTP/1.0 200 OK\r\n" + data))
        mine = scene.ask(f"/s/old/{next(serials)}", "GET").answer
        scene.checks.check(f"HTTP/1.0 answer, {name}", mine.status == 200 and mine.body == body
                and mine.complete
                           and mine.start[0] == b"HTTP/1.1", mine)


def surplus(scene):
    """Bytes behind an answer never become the answer of another."""
    extra = {"garbage": b"garbage", "an answer": OK + b"X-Serial: 0\r\nContent-Length: 4\r\n\r\nevil",
            "one byte": b"H",
             "CRLF": b"\r\n", "interim": b"HTTP/1.1 100 Continue\r\n\r\n", "64 KiB": b"x" * 65536}
    firsts = {"GET": OK + b"Content-Length: 2\r\n\r\n{}", "HEAD": OK + b"Content-Length: 5\r\n\r\nhello",
            "chunked": OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
              "204": b"HTTP/1.1 204 No\r\n\r\nhello",
              "304": b"HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\nhello"}
    for (name, tail), (first, data), delay in itertools.product(extra.items(), firsts.items(), (0, 0.03)):
        def script(connection, _, data=data, tail=tail, delay=delay):
            connection.send(data if delay else data + tail)
            if delay:
                time.sleep(delay)
                connection.send(tail)
            return True
        scene.script("surplus", script)
        method = "HEAD" if first == "HEAD" else "GET"
        with Wire(scene.target.port) as wire:
            wire.send(request(scene.target, f"/s/surplus/{next(serials)}", method))
            outcome = wire.read([method.encode()])
            wrong = "" if outcome.answer.status in (200, 204,
                    304) and not outcome.answer.body.strip(b"{}") else str(outcome)
            time.sleep(delay + 0.01 if delay else 0)
            for _ in range(2):  # on the same client connection: the same worker and pool
                serial = next(serials)
                wire.send(request(scene.target, f"/s/good/{serial}"))
                after = wire.read()
                if after.answer.get(b"x-serial") != b"%d" % serial:
                    wrong = wrong or f"the next request: {after}"
        scene.checks.check(f"{name} behind {first}, {'later' if delay else 'at once'}", not wrong, wrong)


def early(scene):
    """Answers before, or without, the request's body being read."""
    def refuse(connection, _):
        connection.send(answer(b"413 Too Large", b"{}", b"Connection: close"))
        return connection.finish()

    def drain(connection, _):
        connection.send(answer(b"413 Too Large", b"{}", b"Connection: close"))
        connection.wait_gone(2)
        return connection.finish()

    def close(connection, _):
        return connection.finish()
    for name, script, statuses in (("answers and closes", refuse, (413, 502)),
            ("answers, then reads", drain, (413,)),
                                   ("closes", close, (502,))):
        scene.script("early", script, early=True)
        begun = time.monotonic()
        with Wire(scene.target.port) as wire:
            body = b"x" * 4_000_000
            thread = threading.Thread(target=wire.send, args=(request(scene.target, f"/s/early/{next(serials)}",
                    "POST", body=body),))
            thread.start()
            outcome = wire.read([b"POST"])
        thread.join(5)
        mine = outcome.answer
        typed = mine.status != 502 or not scene.target.typed or mine.reason == "provider:closed"
        scene.checks.check(f"provider {name} before the body", mine.status in statuses and mine.complete
                and typed
                           and time.monotonic() - begun < 4, outcome)
        scene.good(name)


def timeouts(scene):
    """No answer, a stop in the middle, and an answer that is slow but alive."""
    def silent(connection, _):
        connection.wait_gone(4)
        return connection.finish()

    def stall(data):
        def script(connection, _):
            connection.send(data)
            connection.wait_gone(4)
            return connection.finish()
        return script

    def alive(connection, _):
        head, _, _ = WHOLE["chunked"]
        connection.send(head)
        for event in EVENTS:
            time.sleep(0.4)
            connection.send(b"%x\r\n%s\r\n" % (len(event), event))
        return connection.send(b"0\r\n\r\n")
    head, body, meant = WHOLE["chunked"]
    scene.script("silent", silent)
    outcome = scene.ask(f"/s/silent/{next(serials)}")
    scene.typed("a silent provider", outcome, 504, "provider:first-byte-timeout")
    scene.checks.check("a silent provider is given up in time", 0.8 < outcome.seconds < 2.5, outcome.seconds)
    scene.script("stall", stall(head[:30]))
    scene.typed("a stop in the head", scene.ask(f"/s/stall/{next(serials)}"), 504,
            "provider:first-byte-timeout", "provider:idle-timeout")
    for kind in WHOLE:
        head, body, meant = WHOLE[kind]
        scene.script("stall", stall(head + body[:70]))
        outcome = scene.ask(f"/s/stall/{next(serials)}")
        mine = outcome.answer
        scene.checks.check(f"a stop in a {kind} answer", mine.status == 200 and not mine.complete
                and meant.startswith(mine.body)
                           and mine.body and outcome.ended in ("eof", "reset") and outcome.seconds < 3,
                           f"{outcome} {outcome.seconds}")
    scene.script("alive", alive)
    mine = scene.ask(f"/s/alive/{next(serials)}").answer
    scene.checks.check("a slow stream lives", mine.complete and mine.body == b"".join(EVENTS), mine.body)
    scene.good("timeouts")


def retries(scene):
    """A kept-alive connection that closes: once more at most, and only where that is harmless."""
    def closing(connection, _):  # silently, where the connection was used before
        return connection.finish() if connection.served else connection.send(answer())

    def always(connection, _):
        return connection.finish()

    def byte(connection, _):
        connection.send(b"H")
        return connection.finish()
    scene.script("closing", closing)
    scene.script("always", always)
    scene.script("byte", byte)
    for name, method, lines, status, times in (
            ("closing", "GET", (), 200, 2), ("closing", "HEAD", (), 200, 2), ("closing", "POST", (), 502, 1),
            ("closing", "PATCH", (), 502, 1), ("closing", "POST", ("Idempotency-Key: k1",), 200, 2),
            ("always", "GET", (), 502, 2), ("always", "POST", (), 502, 1),
            ("always", "POST", ("Idempotency-Key: k2",), 502, 2),
            ("byte", "GET", (), 502, 1), ("byte", "POST", (), 502, 1)):
        serial = next(serials)
        with Wire(scene.target.port) as wire:
            wire.send(request(scene.target, f"/s/good/{next(serials)}"))
            wire.read()  # leaves a kept-alive connection in the pool of this worker
            body = b'{"a":1}' if method in ("POST", "PATCH") else None
            wire.send(request(scene.target, f"/s/{name}/{serial}", method, lines, body))
            outcome = wire.read([method.encode()])
        count = len(scene.provider.seen(f"/s/{name}/{serial}"))
        label = f"reused connection, {name}, {method}{' with a key' if lines else ''}"
        good = outcome.answer.status == status and (status == 200 or not scene.target.typed
                or outcome.answer.reason.startswith("provider:"))
        scene.checks.check(f"{label}: {status}, seen {times} times", good and count == times,
                f"{outcome}, seen {count} times")
    def soon(connection, _):  # an idle connection closes
        connection.send(answer())
        time.sleep(0.03)
        return connection.finish()
    scene.script("soon", soon)
    for method in ("GET", "POST") * 10:
        serial = next(serials)
        with Wire(scene.target.port) as wire:
            wire.send(request(scene.target, f"/s/soon/{serial}"))
            wire.read()
            time.sleep(0.06)
            wire.send(request(scene.target, f"/s/good/{serial}", method,
                    body=b"{}" if method == "POST" else None))
            outcome = wire.read([method.encode()])
        scene.checks.check(f"{method} after an idle connection closed", outcome.answer.status == 200
                           and len(scene.provider.seen(f"/s/good/{serial}")) == 1, outcome)
    for method in ("GET", "POST"):  # a fresh connection that closes is not tried again
        serial = next(serials)
        for connection in scene.provider.connections:
            connection.finish()
        time.sleep(0.05)
        outcome = scene.ask(f"/s/always/{serial}", method)
        count = len(scene.provider.seen(f"/s/always/{serial}"))
        scene.checks.check(f"{method} on a fresh connection is sent once",
                outcome.answer.status == 502 and count == 1, f"{outcome}, seen {count}")
    scene.good("retries")


def unreachable(scene):
    """Nobody listens; nobody accepts."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    target = make_target(scene.arguments, port, **LIMITS)
    outcome = ask(target, "/s/good/1", "POST", body=b"{}")
    good_reason = not target.typed or outcome.answer.reason == "provider:connect"
    scene.checks.check("connect refused", outcome.answer.status == 502 and good_reason, outcome)
    target.remove()
    deaf = socket.create_server(("127.0.0.1", 0), backlog=0)
    fill = []
    for _ in range(3):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(deaf.getsockname())
        fill.append(sock)
    target = make_target(scene.arguments, deaf.getsockname()[1], **LIMITS)
    outcome = ask(target, "/s/good/1", "POST", body=b"{}")
    good_reason = not target.typed or outcome.answer.reason == "provider:connect-timeout"
    scene.checks.check("connect timeout", outcome.answer.status == 504 and good_reason and outcome.seconds < 3,
            f"{outcome} {outcome.seconds}")
    target.remove()
    for sock in [*fill, deaf]:
        sock.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_arguments(parser)
    parser.add_argument("--only", default="", help="one part")
    arguments = parser.parse_args()
    scene = Scene(arguments)
    scene.decoy = Provider()
    try:
        for part in (every_offset, malformed, odd, surplus, early, timeouts, retries, unreachable):
            if arguments.only in part.__name__:
                begun = time.monotonic()
                part(scene)
                print(f"{part.__name__}: {time.monotonic() - begun:.1f} s", flush=True)
        scene.checks.check("the process lives", scene.target.alive(), scene.target.process.returncode)
        scene.target.stop()
        scene.checks.no_leak(scene.target)
    finally:
        scene.target.remove()
        scene.provider.stop()
        scene.decoy.stop()
    return scene.checks.end()


if __name__ == "__main__":
    sys.exit(main())
