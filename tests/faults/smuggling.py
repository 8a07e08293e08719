# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw requests that two servers may read differently, each on its own connection with a canary
request behind it; judged by what a recording provider received and what the client was answered.

    smuggling.py [--gateway BIN] [--target nginx] [--only TEXT] [--verbose]
"""
import argparse
import collections
import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import corpus
import corpus_framing
import corpus_head
from judge import judge
from provider import Provider, answer
from reader import read_all
from support import CREDENTIAL, Outcome, Wire, add_arguments, make_target

MARK = re.compile(rb"/(?:c|canary|smuggled)/(\d{4})")
LIMITS = {"body": "1MiB", "headTimeout": "2s", "bodyTimeout": "2s", "idleTimeout": "2s",
        "firstByteTimeout": "5s"}


class Recorder(Provider):
    """Answers every request and says in x-seen which one it was."""

    def __init__(self):
        super().__init__()
        self.default = self.echo

    def echo(self, connection, message):
        with self.lock:
            serial = next(i for i in range(len(self.records) - 1, -1, -1) if self.records[i][1] is message)
        reply = answer(b"200 OK", b"{}", b"X-Seen: %d" % serial)
        return connection.send(reply[:-2] if message.method == b"HEAD" else reply)


def run_case(case, target):
    """Sends one case and its canary; reads to the end of the connection."""
    messages, end = read_all(case.wire)
    methods = [m.method for m in messages] or [b"HEAD" if case.raw.startswith(b"HEAD ") else b"GET"]
    with Wire(target.port, 4.0) as wire:
        if case.split:
            wire.send(case.wire[:case.split])
            time.sleep(0.003)
            wire.send(case.wire[case.split:])
        else:
            wire.send(case.wire)
        if end == "incomplete" and case.want != "refuse":
            wire.sock.shutdown(1)
        return wire.read([*methods, b"GET"], until_end=True)


def run_all(cases, target, workers=24):
    """Outcomes in the order of the cases."""
    def guarded(case):
        try:
            return run_case(case, target)
        except OSError as error:
            return Outcome(ended=f"connect: {error}")
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(guarded, cases))


def by_number(recorder):
    """The recorded requests and their serials for each case, and those that belong to none."""
    found, strays = collections.defaultdict(list), []
    for serial, (_, message, _) in enumerate(recorder.records):
        match = MARK.search(message.target) or re.fullmatch(rb"()?(\d{4})", message.get(b"x-case", b""))
        if match:
            found[int(match[match.lastindex])].append((serial, message))
        else:
            strays.append(message)
    return found, strays


def judge_all(cases, outcomes, recorder, decoy, target):
    """{number of the case, or -1: [(kind, text)]}"""
    failures = collections.defaultdict(list)
    found, strays = by_number(recorder)
    for case, outcome in zip(cases, outcomes):
        mine = found.get(case.number, [])
        failures[case.number] += judge(case, outcome, [m for _, m in mine], [s for s, _ in mine], target)
    for message in strays:
        failures[-1].append(("ambiguous", f"nobody sent {message.method!r} {message.target[:80]!r}"))
    for connection in recorder.connections:
        if connection.fault:
            marks = MARK.findall(bytes(connection.pending)) or MARK.findall(bytes(connection.received[-400:]))
            failures[int(marks[0]) if marks else -1].append(
                ("ambiguous",
                f"not HTTP at the provider: {connection.fault}: {bytes(connection.pending[:80])!r}"))
    if decoy.connections:
        failures[-1].append(("leak", f"{len(decoy.connections)} connections to another origin"))
    if not target.alive():
        failures[-1].append(("status", f"the process ended with {target.process.returncode}"))
    return {number: list(dict.fromkeys(found)) for number, found in failures.items() if found}


def report(cases, failures, limit):
    """Prints totals and failures; returns how many cases failed."""
    kinds = collections.Counter(kind for found in failures.values() for kind in {kind for kind, _ in found})
    shown = collections.Counter()
    for number, found in sorted(failures.items()):
        case = cases[number] if number >= 0 else None
        for kind, text in found:
            shown[kind] += 1
            if shown[kind] <= limit:
                name = f"{number:04d} {case.family}: {case.label} [{case.want}]" if case else "whole run"
                print(f"FAIL {kind} {name}: {text}")
    hidden = sum(shown.values()) - sum(min(n, limit) for n in shown.values())
    if hidden:
        print(f"({hidden} more; --verbose shows all)")
    wants = collections.Counter(case.want for case in cases)
    print(f"{len(cases)} raw requests: {wants['refuse']} must be refused, {wants['pass']} must pass, {wants['either']} either")
    print(f"{kinds['ambiguous']} ambiguous forwards" + "".join(
        f", {kinds[kind]} {kind}" for kind in ("lenient", "strict", "status", "header", "leak")))
    return len(failures)


def run_corpus(target, recorder, decoy, only="", limit=15):
    """Runs the corpus; returns (cases, failed)."""
    make = corpus.Maker(target.host, target.key, target.other_key, f"127.0.0.1:{decoy.port}")
    cases = corpus.build(make, corpus_framing.FAMILIES + corpus_head.FAMILIES)
    chosen = [c for c in cases if only in f"{c.number:04d} {c.family}: {c.label}"]
    begun = time.monotonic()
    outcomes = run_all(chosen, target)
    print(f"sent in {time.monotonic() - begun:.1f} s to {target.name}")
    failures = judge_all(chosen, outcomes, recorder, decoy, target)
    if only:
        cases = {c.number: c for c in chosen}
        return chosen, report_chosen(cases, failures)
    return cases, report(cases, failures, limit)


def report_chosen(cases, failures):
    """With --only: the raw bytes too."""
    for number, found in sorted(failures.items()):
        case = cases.get(number)
        print(f"FAIL {number:04d} {case and case.family}: {case and case.label}: {found}\n     {case and case.raw[:600]!r}")
    return len(failures)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_arguments(parser)
    parser.add_argument("--only", default="", help="cases whose line contains this text")
    arguments = parser.parse_args()
    threading.stack_size(256 * 1024)
    recorder, decoy = Recorder(), Provider()
    target = make_target(arguments, recorder.port, **LIMITS)
    try:
        cases, failed = run_corpus(target, recorder, decoy, arguments.only,
                10 ** 6 if arguments.verbose else 15)
        target.stop()
        said = target.output()
        for secret in (CREDENTIAL, target.key, target.other_key):
            if target.typed and secret.encode() in said:
                print("FAIL leak: a key is in what the gateway printed")
                failed += 1
    finally:
        target.remove()
        recorder.stop()
        decoy.stop()
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
