# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured, how, and the bars it is held to."""

import dataclasses
import json
import subprocess
import sys
import time
import typing

import proxies
from proxies import CLIENT_CORE, CannotRun, spawn

METRICS = {
    "cpu_us": "CPU µs/request", "event_us": "CPU µs/event", "rps": "requests/s", "eps": "events/s",
    "p50_ms": "p50 ms", "p99_ms": "p99 ms", "lag50_ms": "lag p50 ms", "lag99_ms": "lag p99 ms",
    "rss_mib": "RSS MiB", "private_mib": "private MiB", "busy": "busy %", "waited": "waited %",
    "failed": "failed", "stale": "stale", "beside_ratio": "beside/alone",
    "kib_each": "KiB each", "private_kib_each": "private KiB each", "complete": "complete",
    "incomplete": "incomplete", "first_ms": "first answer ms", "reloads": "reloads",
    "requests": "requests",
    "applied50_ms": "applied p50 ms", "applied99_ms": "applied p99 ms", "lost": "lost",
    "unapplied": "not applied", "grown_kib": "RSS growth KiB",
}


@dataclasses.dataclass
class Bar:
    """`against`: nginx (ratio), nginx+ (difference), own (the median) or worst (the largest)."""

    text: str
    metric: str
    against: str
    limit: float


@dataclasses.dataclass
class Scenario:
    name: str
    title: str
    run: typing.Callable
    metrics: list
    bars: list


class Bench:
    """The provider, the client and the proxies of one run."""

    def __init__(self, tools, directory, kinds, quick, rounds):
        self.tools, self.directory, self.kinds = tools, directory, kinds
        self.quick, self.rounds = quick, rounds
        self.provider, self.provider_port = None, proxies.free_port()
        self.running, self.versions, self.starts = [], {}, 0
        self.troubles = []

    def start_provider(self):
        command = [self.tools / "bench_provider", "--listen", f"127.0.0.1:{self.provider_port}"]
        self.provider = spawn(CLIENT_CORE, command, stdout=subprocess.PIPE, text=True)
        if not self.provider.stdout.readline().startswith("ready"):
            raise CannotRun("the provider does not start")

    def make(self, kind):
        self.starts += 1
        proxy = kind(self.directory / str(self.starts), self.provider_port)
        self.versions.setdefault(proxy.name, proxy.version())
        return proxy

    def start_proxies(self, kind, only=lambda proxy: True):
        """Fresh ones, warmed up, all at once: an idle one costs the others nothing."""
        for proxy in filter(only, map(self.make, self.kinds)):
            self.running.append(proxy)
            if self.attempt(proxy, lambda: proxy.start(kind)) is not None:
                self.attempt(proxy, lambda: self.load(proxy, "post", connections=32, seconds=0.3))
        return list(self.running)

    def attempt(self, proxy, measure):
        """What `measure` returns; None, said aloud, where the proxy cannot go on: it is stopped."""
        if proxy not in self.running:
            return None
        try:
            return measure()
        except (CannotRun, OSError) as error:
            self.troubles.append(f"{proxy.name}: {error}")
            print(f"bench: {self.troubles[-1]}", file=sys.stderr)
            self.running.remove(proxy)
            proxy.stop()
            return None

    def stop_proxies(self):
        while self.running:
            self.running.pop().stop()

    def stop(self):
        self.stop_proxies()
        if self.provider is not None:
            self.provider.kill()
            self.provider.wait()

    def client(self, proxy, mode, **options):
        command = [self.tools / "bench_load", mode, "--to", f"127.0.0.1:{proxy.port}",
                   "--key", proxy.key]
        for name, value in options.items():
            command += [f"--{name}", value]
        return spawn(CLIENT_CORE, command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def load(self, proxy, mode, **options):
        """Runs the client to its end; its figures with the proxy's CPU time beside them."""
        cpu, waited = proxy.cpu_ns(), proxy.waited_ns()
        client = self.client(proxy, mode, **options)
        lines = client.communicate()[0].splitlines()
        if not lines:
            raise CannotRun(f"the client ended with {client.returncode}")
        figures = json.loads(lines[-1])
        cpu = proxy.cpu_ns() - cpu
        figures["failed"] += figures["stale"]
        figures["cpu_us"] = cpu / 1e3 / max(1, figures["requests"])
        figures["event_us"] = cpu / 1e3 / max(1, figures["events"])
        figures["busy"] = cpu / 1e7 / figures["seconds"]
        figures["waited"] = (proxy.waited_ns() - waited) / 1e7 / figures["seconds"]
        figures["rss_mib"] = proxy.memory_kib()[0] / 1024
        return figures

    def paced(self, proxy, **options):
        """Streams at a given rate; CPU time and memory are those while all of them are open."""
        before = proxy.memory_kib()
        client = self.client(proxy, "stream", **options)
        seen = {}
        for line in client.stdout:
            figures = json.loads(line)
            seen[figures["at"]] = figures | {"cpu": proxy.cpu_ns(), "waited": proxy.waited_ns(),
                                           "memory": proxy.memory_kib()}
        client.wait()
        end = seen.get("end", {"failed": options["connections"], "requests": 0, "why": {}})
        figures = {"failed": end["failed"] + end.get("stale", 0), "why": end["why"],
                   "complete": end["requests"],
                   "incomplete": options["connections"] - end["requests"]}
        if "open" in seen and "closing" in seen:
            first, last = seen["open"], seen["closing"]
            events, seconds = last["events"] - first["events"], last["seconds"] - first["seconds"]
            figures |= {"event_us": (last["cpu"] - first["cpu"]) / 1e3 / max(1, events),
                        "eps": events / seconds,
                        "lag50_ms": end["p50_ms"], "lag99_ms": end["p99_ms"],
                        "busy": (last["cpu"] - first["cpu"]) / 1e7 / seconds,
                        "waited": (last["waited"] - first["waited"]) / 1e7 / seconds,
                        "rss_mib": last["memory"][0] / 1024}
            grown = [now - then for now, then in zip(last["memory"], before)]
            figures["kib_each"], figures["private_kib_each"] = (
                kib / options["connections"] for kib in grown)
        return figures

    def interleave(self, kind, measure):
        """`measure` of every proxy in turn, round after round."""
        running = self.start_proxies(kind)
        results = {proxy.name: [] for proxy in running}
        for _ in range(self.rounds):
            for proxy in running:
                figures = self.attempt(proxy, lambda: measure(proxy))
                results[proxy.name] += [figures] if figures else []
        return results


def small(bench):
    seconds = 1.5 if bench.quick else 3
    return bench.interleave("small", lambda proxy: bench.load(
        proxy, "post", connections=32, seconds=seconds))


def policies(bench):
    seconds = 1.5 if bench.quick else 3
    return bench.interleave("policies", lambda proxy: bench.load(
        proxy, "post", connections=32, seconds=seconds))


def quotas(bench):
    seconds = 1.5 if bench.quick else 3
    return bench.interleave("quotas", lambda proxy: bench.load(
        proxy, "post", connections=32, seconds=seconds))


def idle(bench):
    seconds, count = 1.5 if bench.quick else 3, 5000

    def measure(proxy):
        alone = bench.load(proxy, "post", connections=32, seconds=seconds)
        before = proxy.memory_kib()
        holder = bench.client(proxy, "idle", connections=count)
        opened = json.loads(holder.stdout.readline())
        after = proxy.memory_kib()
        figures = bench.load(proxy, "post", connections=32, seconds=seconds)
        held = json.loads(holder.communicate()[0].splitlines()[-1])
        figures["beside_ratio"] = figures["cpu_us"] / alone["cpu_us"] if alone["cpu_us"] else 1
        figures["failed"] += held["failed"] + count - opened["requests"]
        figures["why"] |= held["why"]
        if proxy.name not in fresh:  # later rounds find the memory of the first
            fresh.add(proxy.name)
            figures["kib_each"], figures["private_kib_each"] = (
                (now - then) / count for now, then in zip(after, before))
        return figures

    fresh = set()
    return bench.interleave("small", measure)


def large(bench):
    seconds = 1.5 if bench.quick else 3
    return bench.interleave("large", lambda proxy: bench.load(
        proxy, "post", connections=8, body=1048576, seconds=seconds))


def events(bench):
    requests = 192 if bench.quick else 512
    return bench.interleave("stream", lambda proxy: bench.load(
        proxy, "stream", connections=64, events=1000, requests=requests))


def bursts(bench):
    requests = 640 if bench.quick else 2560
    return bench.interleave("stream", lambda proxy: bench.load(
        proxy, "stream", connections=64, events=1000, batch=64, requests=requests))


def paced(bench):
    seconds = 3 if bench.quick else 8
    return bench.interleave("stream", lambda proxy: bench.paced(
        proxy, connections=1000, rate=20, events=20 * seconds))


def slow(bench):
    """Once, on fresh processes: their memory before is that of an idle proxy."""
    rate, count = (0.5, 5) if bench.quick else (0.2, 8)
    running = bench.start_proxies("stream")
    results = {}
    for proxy in running:
        figures = bench.attempt(proxy, lambda: bench.paced(
            proxy, connections=9000, rate=rate, events=count, **{"from": 4}))
        results[proxy.name] = [figures] if figures else []
    return results


def startup(bench):
    results = {kind.name: [] for kind in bench.kinds if kind is not proxies.Direct}
    for i in range(4 if bench.quick else 10):
        for kind in bench.kinds:
            if kind is proxies.Direct:
                continue
            proxy = bench.make(kind)
            bench.running.append(proxy)
            first = bench.attempt(proxy, lambda: proxy.start("small"))
            if first is None:
                continue
            figures = {"first_ms": first * 1e3, "failed": 0}
            if i == 0:
                time.sleep(1)
                rss, private = proxy.whole_memory_kib()
                figures |= {"rss_mib": rss / 1024, "private_mib": private / 1024}
            bench.stop_proxies()
            results[kind.name].append(figures)
    return results


def reload(bench):
    """A hundred reloads, each of a changed configuration, under requests and streams."""
    results = {}
    for proxy in bench.start_proxies("stream", lambda proxy: proxy.reloads):
        figures = bench.attempt(proxy, lambda: reload_one(bench, proxy))
        results[proxy.name] = [figures] if figures else []
    return results


def reload_one(bench, proxy, reloads=100, pause=0.05):
    if proxy.applied(reloads):
        raise CannotRun("it answers on a route before that is configured")
    before = proxy.memory_kib()[0]
    clients = {"requests": bench.client(proxy, "post", connections=32, hold=1),
               "streams": bench.client(proxy, "stream", connections=32, rate=20, events=20, hold=1)}
    for client in clients.values():
        client.stdout.readline()  # all are open
    applied, unapplied = [], 0
    for generation in range(1, reloads + 1):
        proxy.configure(generation)
        sent = time.perf_counter()
        proxy.reload()
        while not proxy.applied(generation) and time.perf_counter() - sent < 2:
            time.sleep(0.001)
        took = time.perf_counter() - sent
        applied.append(took * 1e3)
        unapplied += took >= 2
        if unapplied == 5:  # it does not reload
            unapplied += reloads - generation
            break
        time.sleep(max(0.0, pause - took))
    ends = [json.loads(client.communicate()[0].splitlines()[-1]) for client in clients.values()]
    applied.sort()
    failed, stale = (sum(end[name] for end in ends) for name in ("failed", "stale"))
    return {"failed": failed, "stale": stale, "lost": failed + stale,
            "why": {name: count for end in ends for name, count in end["why"].items()},
            "reloads": reloads, "unapplied": unapplied, "rps": ends[0]["rps"],
            "requests": ends[0]["requests"] + ends[1]["requests"], "p99_ms": ends[0]["p99_ms"],
            "applied50_ms": applied[len(applied) // 2], "applied99_ms": applied[-2],
            "grown_kib": proxy.memory_kib()[0] - before}


CLOSED = ["rps", "p50_ms", "p99_ms", "rss_mib", "busy", "waited", "cpu_us"]
STREAMED = ["eps", "rss_mib", "busy", "waited", "event_us"]

SCENARIOS = {scenario.name: scenario for scenario in [
    Scenario("small", "1.7 KB to 0.45 KB, 32 connections", small, CLOSED,
             [Bar("CPU a request, ratio to nginx", "cpu_us", "nginx", 1.2)]),
    Scenario("policies", "the same with client-key, model-access, json-threat, request-size and "
             "header-injection", policies, CLOSED,
             [Bar("CPU a request, ratio to nginx without any", "cpu_us", "nginx", 1.35)]),
    Scenario("quotas", "the same with client-key, rate-limit, spike-control, token-limit, budget, concurrency "
             "and json-threat", quotas, CLOSED,
             [Bar("CPU a request, ratio to nginx without any", "cpu_us", "nginx", 1.6)]),
    Scenario("idle", "the same beside 5,000 idle connections", idle,
             ["kib_each", "private_kib_each", "beside_ratio", *CLOSED],
             [Bar("CPU a request, ratio to its own without them", "beside_ratio", "own", 1.1),
              Bar("KiB an idle connection", "kib_each", "own", 6)]),
    Scenario("large", "1 MB prompts, 8 connections, streamed through", large, CLOSED,
             [Bar("CPU a request, ratio to nginx", "cpu_us", "nginx", 1.3)]),
    Scenario("events", "64 streams at full speed, each event written by itself", events, STREAMED,
             [Bar("CPU an event, ratio to nginx", "event_us", "nginx", 1.3)]),
    Scenario("bursts", "64 streams at full speed, 64 events (16 KB) in one write", bursts, STREAMED,
             [Bar("CPU an event, ratio to nginx", "event_us", "nginx", 1.3)]),
    Scenario("paced", "1,000 streams at 20 events a second", paced,
             ["eps", "lag50_ms", "lag99_ms", "incomplete", "rss_mib", "busy", "waited", "event_us"],
             [Bar("CPU an event, ratio to nginx", "event_us", "nginx", 1.2),
              Bar("lag p99, ms more than nginx's", "lag99_ms", "nginx+", 0.2),
              Bar("streams not complete", "incomplete", "worst", 0)]),
    Scenario("slow", "9,000 slow streams at once", slow,
             ["incomplete", "kib_each", "private_kib_each", "rss_mib", "eps", "lag99_ms",
              "event_us"],
             [Bar("CPU an event, ratio to nginx", "event_us", "nginx", 1.2),
              Bar("streams not complete", "incomplete", "worst", 0),
              Bar("KiB a stream", "kib_each", "own", 10)]),
    Scenario("startup", "exec to the first proxied answer; idle a second later", startup,
             ["first_ms", "rss_mib", "private_mib"],
             [Bar("ms to the first proxied answer", "first_ms", "own", 100),
              Bar("MiB resident when idle", "rss_mib", "own", 25)]),
    Scenario("reload", "a hundred reloads under load (32 connections, 32 streams)", reload,
             ["unapplied", "requests", "failed", "stale", "applied50_ms", "applied99_ms", "rps",
              "p99_ms", "grown_kib"],
             [Bar("requests failed or cut", "lost", "worst", 0),
              Bar("reloads not applied in 2 s", "unapplied", "worst", 0)]),
]}
