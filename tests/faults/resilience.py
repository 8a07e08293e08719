#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Providers that fail, with retry, fallbacks, circuit-breaker and several providers of a route in force. Both
providers keep books of what they did: nothing is done twice, nothing is counted twice, and one that comes back
is asked by one request before it is asked by all."""
import argparse
import http.client
import json
import sys
import threading
import time

from provider import Provider, answer
from support import Checks, Gateway, add_arguments

CONNECTIONS = 64
TURNS = 10
OUTPUT = 10
CONFIG = """apiVersion: gatehouse/v1
kind: Gateway
metadata: {{name: default}}
spec: {{listeners: [{{name: default, address: "127.0.0.1:0"}}], admin: none, workers: 2}}
---
kind: Provider
metadata: {{name: a}}
spec: {{dialect: openai, baseUrl: "http://127.0.0.1:{a}/a", credential: "env:GATEHOUSE_FAULTS_KEY"}}
---
kind: Provider
metadata: {{name: b}}
spec: {{dialect: openai, baseUrl: "http://127.0.0.1:{b}/b", credential: "env:GATEHOUSE_FAULTS_KEY"}}
---
kind: Route
metadata: {{name: fall}}
spec: {{basePath: /fall, provider: a, fallbacks: [b], usage: observe}}
---
kind: Route
metadata: {{name: broken}}
spec: {{basePath: /broken, provider: a, fallbacks: [b], usage: observe}}
---
kind: Route
metadata: {{name: slow}}
spec: {{basePath: /slow, provider: a, fallbacks: [b], usage: observe}}
---
kind: Route
metadata: {{name: again}}
spec: {{basePath: /again, provider: a, usage: observe}}
---
kind: Route
metadata: {{name: both}}
spec: {{basePath: /both, providers: [{{name: a, weight: 3}}, {{name: b}}], usage: observe}}
---
kind: Policy
metadata: {{name: tokens}}
spec:
  type: token-limit
  rules: [{{path: "/s/mixed/.*"}}]
  config: {{limits: [{{tokens: {tokens}, per: 1h}}], count: output}}
---
kind: Policy
metadata: {{name: breaker}}
spec:
  type: circuit-breaker
  target: {{route: broken}}
  config: {{failureRate: 0.5, minRequests: 10, window: 10s, open: 500ms}}
---
kind: Policy
metadata: {{name: patience}}
spec:
  type: timeout
  target: {{route: slow}}
  config: {{firstByte: 300ms}}
---
kind: Policy
metadata: {{name: again}}
spec:
  type: retry
  target: {{route: again}}
  config: {{attempts: 3, backoff: 10ms}}
""".replace("\nkind:", "\napiVersion: gatehouse/v1\nkind:").replace("apiVersion: gatehouse/v1\napiVersion", "apiVersion")


class Books:
    """What a provider did: how often each request was answered with 200."""

    def __init__(self):
        self.lock, self.done = threading.Lock(), {}

    def note(self, message):
        serial = message.target.split(b"/s/")[1].decode()
        with self.lock:
            self.done[serial] = self.done.get(serial, 0) + 1


def completion():
    return json.dumps({"model": "m", "choices": [{"message": {"content": "x"}, "finish_reason": "stop"}],
                       "usage": {"prompt_tokens": 5, "completion_tokens": OUTPUT, "total_tokens": 5 + OUTPUT}}).encode()


def well(books):
    def script(connection, message):
        books.note(message)
        return connection.send(answer(body=completion()))
    return script


class Client:
    def __init__(self, gateway):
        self.connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
        self.key = gateway.key

    def ask(self, path):
        """Status, fields, body, seconds; status 0: the answer broke off."""
        body = json.dumps({"model": "m", "max_tokens": OUTPUT, "messages": [{"role": "user", "content": "hi"}]})
        begun = time.monotonic()
        try:
            self.connection.request("POST", path, body=body, headers={"authorization": f"Bearer {self.key}"})
            response = self.connection.getresponse()
            return response.status, response.headers, response.read(), time.monotonic() - begun
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return 0, {}, b"", time.monotonic() - begun


def load(gateway, path, turns=TURNS, connections=CONNECTIONS):
    """The answers by serial, of so many clients at once."""
    results, start = {}, threading.Barrier(connections)

    def run(number):
        client = Client(gateway)
        start.wait()
        for turn in range(turns):
            serial = f"{number}-{turn}"
            results[serial] = client.ask(f"{path}/{serial}")

    threads = [threading.Thread(target=run, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class Mixed:
    """Fails in turn as providers do, and keeps books of the rest."""

    FAILURES = [b"429 Too Many Requests", b"503 Service Unavailable", b"529 Overloaded", None, None]

    def __init__(self, books):
        self.lock, self.turn, self.books = threading.Lock(), 0, books

    def __call__(self, connection, message):
        with self.lock:
            self.turn += 1
            failure = self.FAILURES[self.turn % len(self.FAILURES)]
        if failure is None:
            self.books.note(message)
            return connection.send(answer(body=completion()))
        return connection.send(answer(failure, b"{}", b"Retry-After: 60"))


def mixed(checks, gateway, a, b):
    """Every other kind of failure, and a limit that has room for each request once."""
    books = Books()
    a.scripts["mixed"], b.scripts["mixed"] = Mixed(books), well(books)
    results = load(gateway, "/fall/s/mixed")
    asked = len(results)
    checks.check("mixed: all are answered", all(one[0] == 200 for one in results.values()),
                 [one[:1] for one in results.values() if one[0] != 200][:5])
    checks.check("mixed: each is done once, by one of them", sorted(books.done.values()) == [1] * asked,
                 sorted(books.done.values())[-5:])
    checks.check("mixed: b has what a refused", len(b.seen("/s/mixed/")) == asked * 3 // 5, len(b.seen("/s/mixed/")))
    over = Client(gateway).ask("/fall/s/mixed/over")
    checks.check("mixed: what was counted is what was done, to the token", over[0] == 429, over[:1])


def cut(checks, gateway, a, b):
    """What may have been done is not done again."""
    books = Books()

    def half(connection, message):
        books.note(message)
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                        b"9\r\ndata: 1\n\n\r\n")
        return connection.reset()

    def gone(connection, message):
        books.note(message)
        return connection.reset()

    for name, script, status in (("half", half, 0), ("gone", gone, 502)):
        a.scripts[name], b.scripts[name] = script, well(books)
        books.done.clear()
        results = load(gateway, f"/fall/s/{name}", 2)
        checks.check(f"{name}: the clients are told", all(one[0] == status for one in results.values()),
                     {one[0] for one in results.values()})
        checks.check(f"{name}: each is done once", sorted(books.done.values()) == [1] * len(results),
                     sorted(books.done.values())[-5:])
        checks.check(f"{name}: b is not asked", not b.seen(f"/s/{name}/"), len(b.seen(f"/s/{name}/")))


def slow(checks, gateway, a, b):
    books = Books()

    def late(connection, message):
        books.note(message)
        connection.wait_gone(5)
        return False

    a.scripts["slow"], b.scripts["slow"] = late, well(books)
    results = load(gateway, "/slow/s/slow", 1)
    checks.check("slow: 504 within the limit", all(one[0] == 504 and 0.3 <= one[3] < 2 for one in results.values()),
                 [(one[0], round(one[3], 2)) for one in results.values()][:5])
    checks.check("slow: each is asked once, of one", sorted(books.done.values()) == [1] * len(results),
                 sorted(books.done.values())[-5:])


def again(checks, gateway, a, _):
    """Retry-After is waited for, then passed on."""
    times = []

    def busy(connection, message):
        times.append(time.monotonic())
        if len(times) == 1:
            return connection.send(answer(b"429 Too Many Requests", b"{}", b"Retry-After: 1"))
        return connection.send(answer(body=completion()))

    a.scripts["busy"] = busy
    status, _, _, _ = Client(gateway).ask("/again/s/busy/1")
    checks.check("again: answered by the second attempt", status == 200 and len(times) == 2, (status, len(times)))
    checks.check("again: not before the provider said", 1 <= times[1] - times[0] < 1.5, times)
    a.scripts["never"] = lambda connection, _: connection.send(answer(b"429 Too Many Requests", b"{}", b"Retry-After: 45"))
    status, fields, _, seconds = Client(gateway).ask("/again/s/never/1")
    checks.check("again: too long a wait is passed on", (status, fields["retry-after"]) == (429, "45") and seconds < 1,
                 (status, seconds))
    a.scripts["down"] = lambda connection, _: connection.send(answer(b"503 Service Unavailable", b"{}"))
    status, fields, _, _ = Client(gateway).ask("/again/s/down/1")
    checks.check("again: the last failure says that it was tried", (status, fields["x-should-retry"]) == (503, "false"),
                 (status, fields["x-should-retry"]))
    before = len(a.seen("/s/down/"))
    results = load(gateway, "/again/s/down")
    attempts = len(a.seen("/s/down/")) - before
    checks.check("again: no storm on one that is down", attempts <= 1.35 * len(results), (attempts, len(results)))
    print(f"   retries: {attempts} attempts for {len(results)} requests while all fail")


def outage(checks, gateway, a, b):
    """It is down, then back and slow: one request at a time goes there until one was answered."""
    books, port = Books(), a.port
    b.scripts["broken"] = well(books)
    a.stop()
    results = load(gateway, "/broken/s/broken")
    checks.check("outage: all are answered", all(one[0] == 200 for one in results.values()),
                 [one[0] for one in results.values() if one[0] != 200][:5])
    checks.check("outage: each is done once", sorted(books.done.values()) == [1] * len(results))
    lock, state = threading.Lock(), {"now": 0, "most": 0, "answered": False}

    def recovering(connection, message):
        with lock:
            state["now"] += 1
            if not state["answered"]:
                state["most"] = max(state["most"], state["now"])
        time.sleep(0 if state["answered"] else 0.4)
        books.note(message)
        with lock:
            state["now"] -= 1
            state["answered"] = True
        return connection.send(answer(body=completion()))

    back = Provider(port=port)
    back.scripts["broken"] = recovering
    books.done.clear()
    end = time.monotonic() + 15
    rounds = 0
    while time.monotonic() < end and len(back.seen("/s/broken/")) < 2 * CONNECTIONS:
        results = load(gateway, f"/broken/s/broken/{rounds}", 5)
        checks.check(f"recovery {rounds}: all are answered", all(one[0] == 200 for one in results.values()),
                     [one[0] for one in results.values() if one[0] != 200][:5])
        rounds += 1
    checks.check("recovery: it is asked again by all", len(back.seen("/s/broken/")) >= 2 * CONNECTIONS,
                 len(back.seen("/s/broken/")))
    checks.check("recovery: by one request at a time before", state["most"] == 1, state)
    checks.check("recovery: each is done once", set(books.done.values()) == {1}, len(books.done))
    return back


def spread(checks, gateway, a, b):
    """Several providers of one route: by weight, and one of them for all when the other is gone."""
    books = Books()
    a.scripts["both"] = b.scripts["both"] = well(books)
    results = load(gateway, "/both/s/both")
    share = len(a.seen("/s/both/"))
    checks.check("spread: three of four go to a", abs(share - 0.75 * len(results)) <= 5, share)
    checks.check("spread: each is done once", sorted(books.done.values()) == [1] * len(results))
    a.stop()
    books.done.clear()
    results = load(gateway, "/both/s/both/more")
    checks.check("spread: all are answered by the other", all(one[0] == 200 for one in results.values()),
                 [one[0] for one in results.values() if one[0] != 200][:5])
    checks.check("spread: and done once", sorted(books.done.values()) == [1] * len(results))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    arguments = parser.parse_args()
    if arguments.target == "nginx":
        print("resilience is for the gateway alone")
        return 0
    checks, a, b = Checks(arguments.verbose), Provider(), Provider()
    gateway = Gateway(arguments.gateway,
                      CONFIG.format(a=a.port, b=b.port, tokens=CONNECTIONS * TURNS * OUTPUT))
    gateway.key = gateway.add_client("faults")
    try:
        gateway.start()
        for part in (mixed, cut, slow, again):
            part(checks, gateway, a, b)
        a = outage(checks, gateway, a, b)
        spread(checks, gateway, a, b)
        checks.check("the gateway is alive", gateway.alive(), gateway.output()[-500:])
    finally:
        gateway.remove()
        a.stop()
        b.stop()
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
