#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits under parallel load, the provider as the witness: exactly the limit passes in a window, never more
than so many are under way, a burst arrives smoothed, and what is said again and again is stopped."""
import argparse
import http.client
import sys
import threading
import time

from provider import Provider, answer
from support import Checks, add_arguments, openai_gateway

CONNECTIONS = 64
POLICIES = """apiVersion: gatehouse/v1
kind: Policy
metadata: {name: rate}
spec:
  type: rate-limit
  rules: [{path: "/s/rate/.*"}]
  config: {limits: [{requests: 500, per: 30s}, {requests: 100000, per: 1h}]}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: daily}
spec:
  type: rate-limit
  rules: [{path: "/s/daily/.*"}]
  config: {limits: [{requests: 400, per: 24h}], key: global}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: fixed}
spec:
  type: rate-limit
  rules: [{path: "/s/fixed/.*"}]
  config: {limits: [{requests: 500, per: 30s}], algorithm: fixed}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: seats}
spec:
  type: concurrency
  rules: [{path: "/s/seats/.*"}]
  config: {max: 7, queue: 64, queueTimeout: 60s}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: few-seats}
spec:
  type: concurrency
  rules: [{path: "/s/few/.*"}]
  config: {max: 3}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: spike}
spec:
  type: spike-control
  rules: [{path: "/s/spike/.*"}]
  config: {requests: 20, per: 1s, queue: 64, delay: 1s, attempts: 60}
---
apiVersion: gatehouse/v1
kind: Policy
metadata: {name: loops}
spec:
  type: loop-guard
  rules: [{path: "/s/loop.*"}]
  config: {repeats: 4, within: 1m}
"""


class Load:
    """So many clients, each on a connection of its own, that begin at the same moment."""

    def __init__(self, gateway, path, requests, is_killed=False):
        self.gateway, self.path, self.requests, self.is_killed = gateway, path, requests, is_killed
        self.lock, self.results = threading.Lock(), []
        self.start = threading.Barrier(CONNECTIONS)
        threads = [threading.Thread(target=self._run, args=(number,)) for number in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _run(self, number):
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=90)
        if not self.is_killed:
            connection.connect()
        self.start.wait()
        try:
            for turn in range(self.requests):
                self._ask(connection, f"{number}-{turn}")
        except (OSError, http.client.HTTPException):
            if not self.is_killed:
                raise

    def _ask(self, connection, serial):
        connection.request("POST", f"/openai/v1{self.path}/{serial}", body="{}",
                           headers={"authorization": f"Bearer {self.gateway.key}"})
        response = connection.getresponse()
        response.read()
        with self.lock:
            self.results.append((response.status, response.getheader("x-gatehouse-reason"),
                                 response.getheader("retry-after"), time.monotonic()))

    def count(self, status):
        return sum(result[0] == status for result in self.results)


class Witness:
    """How many requests the provider had at the same time."""

    def __init__(self, seconds):
        self.lock, self.now, self.most, self.seconds = threading.Lock(), 0, 0, seconds

    def __call__(self, connection, _):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self.seconds)
        with self.lock:
            self.now -= 1
        return connection.send(answer())


def rates(checks, gateway, provider):
    for name in ("rate", "fixed"):
        load = Load(gateway, f"/s/{name}", 20)
        checks.check(f"{name}: exactly 500 of {CONNECTIONS * 20} pass", load.count(200) == 500, load.count(200))
        checks.check(f"{name}: the provider has seen as many", len(provider.seen(f"/s/{name}/")) == 500,
                     len(provider.seen(f"/s/{name}/")))
        refused = [result for result in load.results if result[0] != 200]
        checks.check(f"{name}: the others are told when to come back",
                     all(result[:2] == (429, "rate-limit") and 1 <= int(result[2]) <= 32 for result in refused),
                     refused[:3])


def kills(checks, gateway, provider):
    """A window of a day, over a gateway that is killed under load again and again."""
    class Killer:
        def __init__(self, after):
            self.after, self.lock, self.count = after, threading.Lock(), 0

        def __call__(self, connection, _):
            with self.lock:
                self.count += 1
                if self.count == self.after:
                    gateway.process.kill()
            return connection.send(answer())

    for _ in range(4):
        provider.scripts["daily"] = Killer(50)
        Load(gateway, "/s/daily", 3, is_killed=True)
        gateway.process.wait()
        gateway.start()
    provider.scripts["daily"] = Killer(None)
    load = Load(gateway, "/s/daily", 20)
    seen = len(provider.seen("/s/daily/"))
    checks.check("kill -9: never more than 400 pass", seen <= 400, seen)
    # What was counted and not yet sent when it was killed is lost, one request of a connection each time.
    checks.check("kill -9: nearly all 400 pass", seen >= 400 - 4 * CONNECTIONS and load.count(429) > 0, seen)
    print(f"   kill -9: {seen} of 400 in a day, over 5 processes")


def seats(checks, gateway, provider):
    witness = provider.scripts["seats"] = Witness(0.02)
    load = Load(gateway, "/s/seats", 5)
    checks.check("seats: all are served in the end", load.count(200) == CONNECTIONS * 5, load.count(200))
    checks.check("seats: 7 at the same time, never more", witness.most == 7, witness.most)
    witness = provider.scripts["few"] = Witness(0.02)
    load = Load(gateway, "/s/few", 20)
    checks.check("seats without a queue: 3 at the same time, never more", witness.most == 3, witness.most)
    checks.check("seats without a queue: the others are refused at once",
                 load.count(200) + load.count(429) == CONNECTIONS * 20 and load.count(200) >= 3, load.count(200))


def gone_clients(checks, gateway, provider):
    """Clients that go while they wait or are served leave no seat taken."""
    provider.scripts["few"] = Witness(0.5)
    for _ in range(5):
        connections = [http.client.HTTPConnection("127.0.0.1", gateway.port) for _ in range(8)]
        for connection in connections:
            connection.request("POST", "/openai/v1/s/few/gone", body="{}",
                               headers={"authorization": f"Bearer {gateway.key}"})
        for connection in connections:
            connection.close()
    provider.scripts["few"] = Witness(0.01)
    end = time.monotonic() + 5
    served = 0
    while served < 3 and time.monotonic() < end:
        served = Load(gateway, "/s/few", 1).count(200)
    checks.check("seats of clients that went are free", served >= 3, served)


def spike(checks, gateway, provider):
    begun = time.monotonic()
    load = Load(gateway, "/s/spike", 1)
    seconds = time.monotonic() - begun
    checks.check("spike: none of the burst is lost", load.count(200) == CONNECTIONS, load.count(200))
    with provider.lock:
        times = sorted(at for _, message, at in provider.records if b"/s/spike/" in message.target)
    # 20 at once, then 20 a second.
    ideal = (CONNECTIONS - 20) / 20
    checks.check("spike: smoothed to the rate within 5 %",
                 len(times) == CONNECTIONS and abs(times[-1] - times[0] - ideal) < 0.05 * ideal,
                 f"{times[-1] - times[0]:.2f} s for {ideal} s")
    late = [round(at - times[0] - (number - 19) / 20, 3) for number, at in enumerate(times) if number >= 20]
    checks.check("spike: each at its turn", all(-0.01 <= wait < 0.1 for wait in late), late)
    print(f"   {CONNECTIONS} requests in {seconds:.2f} s, {times[-1] - times[0]:.3f} s for {ideal} s")


def loops(checks, gateway, provider):
    """The same turn over connections of their own, so over both workers."""
    def ask(text, key=gateway.key):
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
        begun = time.monotonic()
        connection.request("POST", "/openai/v1/s/loop", headers={"authorization": f"Bearer {key}"},
                           body='{"model": "m", "messages": [{"role": "user", "content": "%s"}]}' % text)
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status, response.getheader("x-gatehouse-reason"), time.monotonic() - begun

    asked = [ask("again") for _ in range(6)]
    checks.check("loop: four pass, the fifth is refused", [one[0] for one in asked] == [200] * 4 + [429] * 2, asked)
    checks.check("loop: it says why", asked[4][1] == "loop-guard", asked[4])
    checks.check("loop: slowed before", asked[2][2] >= 0.5 and asked[3][2] >= 1 and asked[1][2] < 0.4, asked)
    checks.check("loop: the provider has seen four", len(provider.seen("/s/loop")) == 4, len(provider.seen("/s/loop")))
    checks.check("loop: another turn passes", ask("else")[0] == 200)
    checks.check("loop: another client passes", ask("again", gateway.other_key)[0] == 200)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    arguments = parser.parse_args()
    if arguments.target == "nginx":
        print("limits are for the gateway alone")
        return 0
    checks, provider = Checks(arguments.verbose), Provider()
    gateway = openai_gateway(arguments.gateway, provider.port)
    (gateway.config / "limits.yaml").write_text(POLICIES)
    try:
        gateway.start()
        for part in (rates, kills, seats, gone_clients, spike, loops):
            part(checks, gateway, provider)
        checks.check("the gateway is alive", gateway.alive(), gateway.output()[-500:])
    finally:
        gateway.remove()
        provider.stop()
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
