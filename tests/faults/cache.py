#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache of answers under parallel load, the provider as the witness: what is the same is asked once, nobody gets
an answer that was given to another client, and what was cut or must not be kept is given to nobody."""
import argparse
import gzip
import json
import sys
import threading
import time

from provider import Provider, answer
from support import Checks, Wire, add_arguments, openai_gateway, request, wait_for

CROWD = 200
WAIT = 1.5  # of a slow answer: longer than policyTimeout, which is not for those that wait for it
POLICIES = """apiVersion: gatehouse/v1
kind: Policy
metadata: {name: cache}
spec:
  type: response-cache
  rules: [{path: "/chat/completions"}]
  config: {ttl: 1h, maxBytes: 2MiB}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: shared}
spec:
  type: response-cache
  rules: [{path: "/completions"}]
  config: {ttl: 1h, maxBytes: 2MiB, key: [body]}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: tokens}
spec:
  type: token-limit
  rules: [{headers: {x-charged: "1"}}]
  config: {limits: [{tokens: 4000, per: 1h}], count: output}
"""
STREAM = (b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n',
          b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n', b"data: [DONE]\n\n")


def chunked(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def head(*lines):
    return b"\r\n".join((b"HTTP/1.1 200 OK", *lines)) + b"\r\n\r\n"


class Script:
    """Answers by what the first message of a chat says; each answer is another one."""

    def __init__(self):
        self.lock, self.seen, self.scripts = threading.Lock(), {}, {}

    def __call__(self, connection, message):
        try:
            said = json.loads(message.body)["messages"][0]["content"]
        except (ValueError, KeyError):
            return connection.send(answer())
        with self.lock:
            self.seen.setdefault(said, []).append(message)
            count = len(self.seen[said])
        script = self.scripts.get(said.split(" ")[0], plain)
        return script(connection, count)

    def count(self, said):
        with self.lock:
            return len(self.seen.get(said, []))


def plain(connection, count, *lines):
    body = b'{"id":"%d","usage":{"prompt_tokens":1,"completion_tokens":100}}' % count
    return connection.send(answer(b"200 OK", body, *lines))


def slow(connection, count):
    time.sleep(WAIT)
    return plain(connection, count)


def failing(connection, count):
    """Three times an error, each after a while."""
    time.sleep(0.2)
    if count <= 3:
        return connection.send(answer(b"500 Internal Server Error", b'{"error":{}}'))
    return plain(connection, count)


def cut(connection, count):
    """The first one breaks off within its body."""
    time.sleep(0.5)
    if count > 1:
        return plain(connection, count)
    connection.send(head(b"Content-Type: application/json", b"Content-Length: 100") + b'{"id":"1"')
    return connection.reset()


def broken_stream(connection, count):
    """The first one ends as a stream does, but with an error in it."""
    pieces = (STREAM[0], b'data: {"error":{"message":"overloaded"}}\n\n', STREAM[2]) if count == 1 else STREAM
    return connection.send(head(b"Content-Type: text/event-stream", b"Transfer-Encoding: chunked") + chunked(*pieces))


def stream(connection, _):
    connection.send(head(b"Content-Type: text/event-stream", b"Transfer-Encoding: chunked", b"x-ratelimit-left: 1",
                         b"x-trace: 7"))
    for piece in STREAM:
        connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        time.sleep(0.02)
    return connection.send(b"0\r\n\r\n")


def coded(connection, _):
    body = gzip.compress(b"".join(STREAM))
    return connection.send(head(b"Content-Type: text/event-stream", b"Content-Encoding: gzip",
                                b"Transfer-Encoding: chunked") + chunked(body[:20], body[20:]))


def large(connection, count):
    return connection.send(answer(b"200 OK", b'{"id":"%d","text":"%s"}' % (count, b"x" * 200_000)))


class Scene:
    def __init__(self, arguments):
        self.checks, self.provider, self.script = Checks(arguments.verbose), Provider(), Script()
        self.provider.default = self.script
        self.gateway = openai_gateway(arguments.gateway, self.provider.port, policyTimeout="1s")
        (self.gateway.config / "cache.yaml").write_text(POLICIES)
        self.check = self.checks.check

    def bytes(self, said, *lines, key=None, path="/chat/completions", **more):
        body = json.dumps({"model": "m", "max_tokens": 1000, "messages": [{"role": "user", "content": said}], **more})
        return request(self.gateway, path, "POST", lines, body.encode(), key)

    def ask(self, said, *lines, **more):
        with Wire(self.gateway.port, 30) as wire:
            wire.send(self.bytes(said, *lines, **more))
            return wire.read([b"POST"]).answer

    def crowd(self, said, size, *lines, **more):
        """So many at the same moment, each on a connection of its own."""
        answers, start = [None] * size, threading.Barrier(size)

        def run(place):
            with Wire(self.gateway.port, 30) as wire:
                start.wait()
                wire.send(self.bytes(said, *lines, **more))
                answers[place] = wire.read([b"POST"]).answer
        threads = [threading.Thread(target=run, args=(place,)) for place in range(size)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers


def cache_of(message):
    return message.get(b"x-gatehouse-cache", b"none").decode()


def stampede(scene):
    scene.script.scripts["slow"] = slow
    answers = scene.crowd("slow", CROWD)
    scene.check("stampede: all are answered", all(one.status == 200 and one.complete for one in answers),
                [str(one.status) for one in answers if one.status != 200][:5])
    scene.check("stampede: the provider is asked once", scene.script.count("slow") == 1, scene.script.count("slow"))
    scene.check("stampede: all have the same answer", len({one.body for one in answers}) == 1)
    said = [cache_of(one) for one in answers]
    scene.check("stampede: one is a miss, the others are hits", said.count("miss") == 1 and
                said.count("hit") == CROWD - 1, said.count("hit"))


def clients(scene):
    scene.script.scripts["clients"] = slow
    found = {}

    def run(name, key):
        found[name] = scene.crowd("clients", 20, key=key)
    threads = [threading.Thread(target=run, args=pair) for pair in
               (("one", scene.gateway.key), ("two", scene.gateway.other_key))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bodies = {name: {one.body for one in answers} for name, answers in found.items()}
    scene.check("clients: each has one answer, of its own", all(len(some) == 1 for some in bodies.values()) and
                bodies["one"] != bodies["two"], bodies)
    scene.check("clients: the provider is asked once for each", scene.script.count("clients") == 2,
                scene.script.count("clients"))
    mine = scene.ask("clients", key=scene.gateway.other_key)
    scene.check("clients: so it stays", cache_of(mine) == "hit" and {mine.body} == bodies["two"], mine)


def shared(scene):
    """Clients share answers where they are told to, but for credentials of their own."""
    keys = scene.gateway.key, scene.gateway.other_key
    answers = [scene.ask("shared", key=key, path="/completions") for key in keys]
    scene.check("shared: the other client has it too", [cache_of(one) for one in answers] == ["miss", "hit"] and
                answers[0].body == answers[1].body, answers)
    answers = [scene.ask("own", f"x-api-key: {own}", path="/completions") for own in ("one", "two", "one")]
    scene.check("shared: not with another credential", [cache_of(one) for one in answers] == ["miss", "miss", "hit"],
                answers)


def streams(scene):
    for name, script in (("stream", stream), ("coded", coded)):
        scene.script.scripts[name] = script
        first, second = scene.ask(name, stream=True), scene.ask(name, stream=True)
        scene.check(f"{name}: byte for byte", first.body == second.body and first.complete and second.complete and
                    (name == "coded") == (second.get(b"content-encoding") == b"gzip"), second)
        scene.check(f"{name}: as a stream", second.framing == "chunked" and cache_of(second) == "hit" and
                    second.get(b"content-type") == b"text/event-stream" and second.get(b"age") == b"0", second.fields)
    scene.check("stream: what was of that one answer is not said again", second.get(b"x-ratelimit-left") is None)
    scene.script.scripts["broken"] = broken_stream
    first, second = scene.ask("broken", stream=True), scene.ask("broken", stream=True)
    scene.check("stream with an error: not given again", b"overloaded" in first.body and cache_of(second) == "miss" and
                b"overloaded" not in second.body, second)


def refusals(scene):
    scene.script.scripts["private"] = lambda connection, count: plain(connection, count, b"Cache-Control: no-store")
    scene.script.scripts["cookie"] = lambda connection, count: plain(connection, count, b"Set-Cookie: a=b")
    for said in ("private", "cookie"):
        answers = [scene.ask(said) for _ in range(3)]
        scene.check(f"{said}: each is asked for", scene.script.count(said) == 3 and
                    all(cache_of(one) == "miss" for one in answers), scene.script.count(said))
    answers = [scene.ask("asked", "Cache-Control: no-store") for _ in range(3)] + [scene.ask("asked")]
    scene.check("no-store of the request: nothing is kept", scene.script.count("asked") == 4 and
                [cache_of(one) for one in answers] == ["none"] * 3 + ["miss"], answers)
    scene.ask("renewed"), scene.ask("renewed", "Cache-Control: no-cache")
    # Kept once the answer is at its end, which the client may see a moment before.
    renewed = wait_for(lambda: (one := scene.ask("renewed")) and b'"id":"2"' in one.body and one, 2)
    scene.check("no-cache of the request: renews", renewed and cache_of(renewed) == "hit" and
                scene.script.count("renewed") == 2, renewed)


def failures(scene):
    scene.script.scripts["failing"] = failing
    answers = scene.crowd("failing", 20)
    scene.check("failures: one after the other goes, until one has an answer", scene.script.count("failing") == 4,
                scene.script.count("failing"))
    scene.check("failures: who went has the error, the others the answer",
                sorted(one.status for one in answers) == [200] * 17 + [500] * 3, [one.status for one in answers])
    scene.script.scripts["cut"] = cut
    answers = scene.crowd("cut", 20)
    whole = [one for one in answers if one.complete and one.status == 200]
    scene.check("cut: nobody else gets it", len(whole) == 19 and scene.script.count("cut") == 2 and
                all(b'"id":"2"' in one.body for one in whole), (len(whole), scene.script.count("cut")))


def gone(scene):
    """The first one's client goes, and some of those that wait."""
    scene.script.scripts["gone"] = slow
    first = Wire(scene.gateway.port)
    first.send(scene.bytes("gone"))
    wait_for(lambda: scene.script.count("gone") == 1, 5)
    short = [Wire(scene.gateway.port) for _ in range(10)]
    for wire in short:
        wire.send(scene.bytes("gone"))
    answers = []
    crowd = threading.Thread(target=lambda: answers.extend(scene.crowd("gone", 30)))
    crowd.start()
    time.sleep(0.3)
    for wire in short:
        wire.sock.close()
    time.sleep(0.3)  # else one of them may get its turn before the gateway knows that it went
    first.sock.close()
    crowd.join()
    scene.check("gone: one other goes in its place", scene.script.count("gone") == 2, scene.script.count("gone"))
    scene.check("gone: all others are answered", len(answers) == 30 and
                all(one.status == 200 and b'"id":"2"' in one.body for one in answers), [str(one) for one in answers[:3]])


def charges(scene):
    """Each takes 1000 of 4000 tokens before it leaves, and 100 of them in the end."""
    answers = [scene.ask("charged", "x-charged: 1") for _ in range(60)]
    scene.check("charges: what is given again costs nothing", all(one.status == 200 for one in answers),
                [one.status for one in answers])
    others = [scene.ask(f"charged {number}", "x-charged: 1") for number in range(60)]
    scene.check("charges: others do", {one.status for one in others} == {200, 429}, [one.status for one in others])


def memory(scene):
    scene.script.scripts["large"] = large
    for number in range(10):
        scene.ask(f"large {number}")
    before = scene.gateway.rss()
    for number in range(10, 300):
        scene.ask(f"large {number}")
    grown = scene.gateway.rss() - before
    scene.check("memory: 60 MB of answers stay within 2 MiB", grown < 8 << 20, grown)
    scene.check("memory: the last one is there", cache_of(scene.ask("large 299")) == "hit")
    scene.check("memory: the first one is not", cache_of(scene.ask("large 10")) == "miss")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    arguments = parser.parse_args()
    if arguments.target == "nginx":
        print("the cache is of the gateway alone")
        return 0
    scene = Scene(arguments)
    try:
        scene.gateway.start()
        for part in (stampede, clients, shared, streams, refusals, failures, gone, charges, memory):
            part(scene)
        scene.check("the gateway is alive", scene.gateway.alive(), scene.gateway.output()[-500:])
    finally:
        scene.gateway.remove()
        scene.provider.stop()
    return scene.checks.end()


if __name__ == "__main__":
    sys.exit(main())
