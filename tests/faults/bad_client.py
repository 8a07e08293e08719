# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that misbehave: slow, gone, greedy, too large. Others are served meanwhile, the provider's
connection ends at once, memory stays bounded.

    bad_client.py [--gateway BIN] [--target nginx] [--only PART] [--verbose]
"""
import argparse
import itertools
import select
import socket
import struct
import sys
import threading
import time

import access
from provider import Provider, answer
from support import Checks, Wire, add_arguments, ask, make_target, request

SHORT = {"headTimeout": "1s", "bodyTimeout": "1s", "idleTimeout": "1s", "body": "1MiB"}
MEGABYTE = 1_000_000
serials = itertools.count(1)


class Scene:
    """Two gateways: `target` with the default limits, `short` with small ones; one provider."""

    def __init__(self, arguments):
        self.checks, self.arguments = Checks(arguments.verbose), arguments
        self.provider = Provider()
        self.provider.scripts.update(good=good, hold=hold, stream=stream)
        self.target = make_target(arguments, self.provider.port)
        self.short = make_target(arguments, self.provider.port, **SHORT)

    def typed(self, name, outcome, statuses, *reasons):
        mine = outcome.answer
        fine = mine.status in statuses and (not self.target.typed or not reasons or mine.reason in reasons)
        return self.checks.check(name, fine and not outcome.fault, f"{outcome}, not {statuses} {reasons}")

    def good(self, name, target=None):
        serial = next(serials)
        outcome = ask(target or self.target, f"/s/good/{serial}")
        return self.checks.check(f"{name}: others are served", outcome.answer.get(b"x-serial") == b"%d" % serial
                                 and outcome.seconds < 1, outcome)


def good(connection, message):
    serial = message.target.split(b"/s/good/")[1].split(b"?")[0]
    return connection.send(answer(b"200 OK", b"{}", b"X-Serial: " + serial))


def hold(connection, _):
    """Never answers; notes when the peer ends."""
    connection.wait_gone(5)
    return False


def stream(connection, _):
    """Events until the peer ends."""
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(400):
        if not connection.send(b"9\r\ndata: 1\n\n\r\n") or connection.wait_gone(0.01):
            return False
    return False


def slow(scene):
    """Slowloris on head and body: ended in time, others are served meanwhile."""
    target, wires = scene.short, []
    head = request(target, "/s/good/1", lines=["X-Pad: " + "a" * 200])
    body = request(target, "/s/good/1", "POST", body=b"x" * 1000)
    body = body[:body.index(b"\r\n\r\n") + 4]
    for _ in range(30):
        wires.append((Wire(target.port), head))
        wires.append((Wire(target.port), None))
        wires[-1][0].send(body)
    begun, worst, ended = time.monotonic(), 0.0, {}
    for step in range(200):
        for index, (wire, data) in enumerate(wires):
            if index not in ended and (not wire.send(data[step:step + 1] if data else b"x")
                                       or select.select([wire.sock], [], [], 0)[0]):
                ended[index] = time.monotonic() - begun
        if len(ended) == len(wires) or time.monotonic() - begun > 5:
            break
        outcome = ask(target, f"/s/good/{step}")
        worst = max(worst, outcome.seconds if outcome.answer.status == 200 else 99)
        time.sleep(0.05)
    for index, (wire, data) in enumerate(wires):
        outcome, name = wire.read(timeout=1), "head" if data else "body"
        outcome.ended = "eof" if outcome.ended == "open" else outcome.ended
        fine = 0.7 < ended.get(index, 99) < 3 and (outcome.answer.status == 408 or not outcome.finals)
        scene.checks.check(f"slow {name} {index} is ended in time", fine, f"{ended.get(index)} {outcome}")
        wire.sock.close()
    scene.checks.check("others are served meanwhile", worst < 0.5, f"{worst:.3f} s")
    for name, data, statuses in (("no byte", b"", (0, 408)), ("half a head", head[:40], (408,)),
            ("half a body", body + b"x", (408,))):
        with Wire(target.port) as wire:
            wire.send(data)
            outcome = wire.read(until_end=True, timeout=4)
        fine = outcome.answer.status in statuses and outcome.ended in ("eof",
                "reset") and 0.7 < outcome.seconds < 3
        reason = not target.typed or not outcome.finals or outcome.answer.reason == "request:timeout"
        scene.checks.check(f"{name}, then silence", fine and reason, f"{outcome} {outcome.seconds:.2f}")
    with Wire(target.port) as wire:
        wire.send(request(target, f"/s/good/{next(serials)}"))
        wire.read()
        outcome = wire.read(until_end=True, timeout=4)
        scene.checks.check("a kept-alive connection ends silently when idle",
                not outcome.finals and outcome.ended == "eof"
                           and 0.7 < outcome.seconds < 3, f"{outcome} {outcome.seconds:.2f}")
    scene.good("slow", target)


def leave(wire, how):
    """Ends a client connection; returns when."""
    if how == "reset":
        wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if how == "half":
        wire.sock.shutdown(socket.SHUT_WR)
    else:
        wire.sock.close()
    return time.monotonic()


def aborts(scene):
    """A client that goes away cancels its provider request at once: within 200 ms."""
    for stage, how in itertools.product(("body", "chunks", "waiting", "stream", "streaming later"),
            ("close", "reset", "half")):
        worst = 0.0
        for _ in range(10):
            serial = f"{next(serials):06d}"
            wire = Wire(scene.target.port)
            if stage == "body":
                wire.send(request(scene.target, f"/s/hold/{serial}", "POST", body=b"x" * 5000)[:-100])
            elif stage == "chunks":
                wire.send(request(scene.target, f"/s/hold/{serial}", "POST",
                        ["Transfer-Encoding: chunked"]) + b"5\r\nhel")
            else:
                name = "hold" if stage == "waiting" else "stream"
                wire.send(request(scene.target, f"/s/{name}/{serial}", "POST", body=b"{}"))
            connection = scene.provider.connection_of(serial, 1)
            if stage.startswith("stream"):
                wire.sock.recv(100)
                time.sleep(0.05 if stage.endswith("later") else 0)
            left = leave(wire, how)
            if connection is None:  # a gateway may gather a body before it asks the provider
                worst = max(worst, 0 if stage in ("body", "chunks") else 99)
            else:
                end = time.monotonic() + 1
                while not connection.gone and time.monotonic() < end:
                    time.sleep(0.002)
                worst = max(worst, connection.gone - left if connection.gone else 99)
            wire.sock.close()
        scene.checks.check(f"{how} in {stage}: the provider's connection ends", worst < 0.2,
                f"{worst * 1000:.0f} ms")
    for at in (1, 20, 60):
        for how in ("close", "reset", "half"):
            before = len(scene.provider.records)
            wire = Wire(scene.target.port)
            wire.send(request(scene.target, f"/s/good/{next(serials)}")[:at])
            leave(wire, how)
            time.sleep(0.02)
            scene.checks.check(f"{how} in the head at {at}: nothing is sent on",
                    len(scene.provider.records) == before)
            wire.sock.close()
    for _ in range(300):  # a crowd that comes and goes
        wire = Wire(scene.target.port)
        wire.send(request(scene.target, f"/s/stream/{next(serials)}", "POST", body=b"{}"))
        leave(wire, "reset")
    scene.good("aborts")


def memory(scene):
    """A client that does not read, and a provider that does not: both are held back."""
    sent = {}

    def flood(connection, message):
        total = 200 * MEGABYTE
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        block, sent["bytes"] = b"x" * 65536, 0
        connection.sock.settimeout(8)
        while sent["bytes"] < total and connection.send(block[:total - sent["bytes"]]):
            sent["bytes"] += len(block)
        return False

    def deaf(connection, _):
        time.sleep(2.5)
        return connection.finish()
    scene.provider.scripts["flood"] = flood
    scene.provider.early["deaf"] = deaf
    before = scene.target.rss()
    with Wire(scene.target.port, buffer=4096) as wire:
        wire.send(request(scene.target, f"/s/flood/{next(serials)}"))
        time.sleep(2)
        grown = scene.target.rss() - before
        scene.checks.check("a client that does not read: memory", grown < 32 * MEGABYTE, f"{grown} bytes more")
        scene.checks.check("a client that does not read: the provider waits", sent["bytes"] < 64 * MEGABYTE,
                sent)
        scene.good("a client that does not read")
    before = scene.target.rss()
    with Wire(scene.target.port, 20) as wire:
        wire.send(request(scene.target, f"/s/flood/{next(serials)}"))
        received = 0
        while received < 200 * MEGABYTE:
            data = wire.sock.recv(1 << 20)
            if not data:
                break
            received += len(data)
        grown = scene.target.rss() - before
        scene.checks.check("200 MB pass whole", 200 * MEGABYTE < received < 200 * MEGABYTE + 2000, received)
        scene.checks.check("200 MB pass: memory", grown < 32 * MEGABYTE, f"{grown} bytes more")
    before, size, uploaded = scene.target.rss(), 200 * MEGABYTE, 0
    with Wire(scene.target.port) as wire:
        wire.send(request(scene.target, f"/s/deaf/{next(serials)}", "POST", [f"Content-Length: {size}"]))
        wire.sock.setblocking(False)
        end = time.monotonic() + 2
        while time.monotonic() < end and uploaded < size:
            try:
                uploaded += wire.sock.send(b"x" * 65536)
            except BlockingIOError:
                time.sleep(0.01)
            except OSError:
                break
        grown = scene.target.rss() - before
        scene.checks.check("a provider that does not read: the client waits", uploaded < 64 * MEGABYTE,
                uploaded)
        scene.checks.check("a provider that does not read: memory", grown < 32 * MEGABYTE,
                f"{grown} bytes more")
    time.sleep(0.6)
    scene.good("a provider that does not read")


def pipelining(scene):
    """50 requests in one write: 50 answers in their order."""
    for method in ("GET", "POST"):
        first = [next(serials) for _ in range(50)]
        with Wire(scene.target.port) as wire:
            wire.send(b"".join(request(scene.target, f"/s/good/{s}", method,
                    body=b"{}" if method == "POST" else None) for s in first))
            outcome = wire.read([method.encode()] * 50)
        seen = [int(m.get(b"x-serial", b"0")) for m in outcome.finals]
        scene.checks.check(f"50 pipelined {method}", seen == first, f"{len(seen)} answers {outcome.fault}")
    scene.good("pipelining")


def sizes(scene):
    """Each limit has its own status; a large head costs linear time."""
    def times(count):
        data = request(scene.target, "/s/good/1", lines=["a:b"] * count)
        begun, statuses = scene.target.cpu(), set()
        for _ in range(30):
            with Wire(scene.target.port) as wire:
                wire.send(data)
                statuses.add(wire.read().answer.status)
        return scene.target.cpu() - begun, statuses
    few, _ = times(2500)
    many, statuses = times(10000)
    scene.checks.check("10,000 tiny fields are answered", statuses <= {200, 431, 400} and len(statuses) == 1,
            statuses)
    scene.checks.check("10,000 tiny fields cost linear time", many < 8 * few + 0.4,
            f"{few:.2f} s, {many:.2f} s for 30 requests")
    key, host = f"Authorization: Bearer {scene.target.key}", f"Host: {scene.target.host}"
    long = {"target of 17 KiB": (request(scene.target, "/s/good/1?" + "a" * 17_000), (414,),
            "request:target-size"),
            "head of 70 KiB": (request(scene.target, "/s/good/1", lines=["X-A: " + "a" * 70_000]), (431,),
            "request:head-size"),
            "70 KiB of fields": (request(scene.target, "/s/good/1", lines=["X-A: aaaaaaaaaa"] * 4200), (431,),
            "request:head-size"),
            "boundary of 1 MB": (request(scene.target, "/s/good/1", "POST",
            ["Content-Type: multipart/form-data; boundary=" + "b" * MEGABYTE], b"{}"),
                                 (431,), "request:head-size"),
            "endless target": (b"GET /openai/v1/s/good/1?" + b"a" * 2 * MEGABYTE, (414,),
            "request:target-size"),
            "endless name": (f"GET /openai/v1/s/good/1 HTTP/1.1\r\n{host}\r\n{key}\r\n".encode() + b"a" * 2 * MEGABYTE, (431,), "request:head-size"),
            "endless method": (b"A" * 2 * MEGABYTE, (400, 414, 431), "")}
    for name, (data, statuses, reason) in long.items():
        before = len(scene.provider.records)
        with Wire(scene.target.port) as wire:
            sender = threading.Thread(target=wire.send, args=(data,))
            sender.start()
            outcome = wire.read(until_end=True)
            sender.join(5)
        scene.typed(name, outcome, statuses, *([reason] if reason else []))
        scene.checks.check(f"{name}: the connection is closed, nothing is sent on",
                outcome.ended in ("eof", "reset")
                           and len(scene.provider.records) == before, outcome)
    for name, data in {"target of 15 KiB": request(scene.target, "/s/good/1?" + "a" * 15_000),
                       "head of 60 KiB": request(scene.target, "/s/good/1",
                       lines=["X-A: " + "a" * 60_000])}.items():
        with Wire(scene.target.port) as wire:
            wire.send(data)
            scene.typed(name, wire.read(), (200,))
    bodies = {"body of 1 MiB": (b"x" * 1048576, False, 200), "body of 1 MiB + 1": (b"x" * 1048577, False, 413),
              "chunked body of 1 MiB": (b"x" * 1048576, True, 200),
              "chunked body of 1 MiB + 1": (b"x" * 1048577, True, 413),
              "multipart body": (b"--" + b"b" * 1_000_000 + b"\r\n\r\nx\r\n", False, 200)}
    for name, (body, chunked, status) in bodies.items():
        before = len(scene.provider.records)
        data = request(scene.short, f"/s/good/{next(serials)}", "POST", body=body)
        if chunked:
            data = request(scene.short, f"/s/good/{next(serials)}", "POST", ["Transfer-Encoding: chunked"])
            data += b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[i:i + 50_000]
                    for i in range(0, len(body), 50_000))) + b"0\r\n\r\n"
        with Wire(scene.short.port) as wire:
            sender = threading.Thread(target=wire.send, args=(data,))
            sender.start()
            outcome = wire.read([b"POST"])
            sender.join(5)
        scene.typed(name, outcome, (status,), *(["request:body-size"] if status == 413 else []))
        time.sleep(0.02)
        scene.checks.check(f"{name}: complete requests at the provider",
                len(scene.provider.records) - before == (status == 200))
    scene.good("sizes")
    scene.good("sizes", scene.short)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_arguments(parser)
    parser.add_argument("--only", default="", help="one part")
    arguments = parser.parse_args()
    threading.stack_size(256 * 1024)
    scene = Scene(arguments)
    try:
        for part in (*access.PARTS, slow, aborts, memory, pipelining, sizes):
            if arguments.only in part.__name__:
                begun = time.monotonic()
                part(scene)
                print(f"{part.__name__}: {time.monotonic() - begun:.1f} s", flush=True)
        for target in (scene.target, scene.short):
            scene.checks.check("the process lives", target.alive(), target.process.returncode)
            target.stop()
            scene.checks.no_leak(target)
    finally:
        scene.target.remove()
        scene.short.remove()
        scene.provider.stop()
    return scene.checks.end()


if __name__ == "__main__":
    sys.exit(main())
