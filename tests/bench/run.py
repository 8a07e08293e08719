# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the scenarios of scenarios.py and reports them beside nginx: see --help."""

import argparse
import json
import os
import pathlib
import platform
import shutil
import statistics
import sys
import tempfile
import time

import proxies
import scenarios

ROOT = pathlib.Path(__file__).resolve().parents[2]


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="tests/bench/run.sh",
        description="Measures nginx, HAProxy and the gateway beside each other, one worker each on "
        "one core, the client and the provider on another; rounds are interleaved.")
    parser.add_argument("--gateway", type=pathlib.Path, metavar="BIN",
                        default=ROOT / "build/release/bin/gatehouse")
    parser.add_argument("--quick", action="store_true", help="about a minute; rougher figures")
    parser.add_argument("--only", action="append", choices=list(scenarios.SCENARIOS),
                        metavar="SCENARIO",
                        help="may be repeated: " + ", ".join(scenarios.SCENARIOS))
    parser.add_argument("--rounds", type=int, help="5, or 2 with --quick")
    parser.add_argument("--proxies", default="nginx,haproxy,gatehouse",
                        help="which ones, comma-separated; `direct` is none (default: %(default)s)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="every round's figures")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a bar is missed")
    parser.add_argument("--realtime", action="store_true",
                        help="before any other work on this machine (SCHED_RR, root): for one that "
                        "is not quiet")
    parser.add_argument("--keep", action="store_true", help="keep configurations and logs")
    parser.add_argument("--tools", type=pathlib.Path, default=ROOT / "build/release/bin",
                        help=argparse.SUPPRESS)
    return parser.parse_args()


def choose(arguments):
    """The proxies that are there; says which are not."""
    known = {kind.name: kind for kind in
             (proxies.Direct, proxies.Nginx, proxies.HaProxy, proxies.Gatehouse)}
    proxies.Gatehouse.binary = arguments.gateway if arguments.gateway.exists() else None
    chosen = []
    for name in arguments.proxies.split(","):
        if name not in known:
            sys.exit(f"bench: no such proxy: {name}")
        if name != "direct" and known[name].binary is None:
            where = f" ({arguments.gateway})" if name == "gatehouse" else ""
            print(f"bench: {name} is not there{where}: measuring the others", file=sys.stderr)
        else:
            chosen.append(known[name])
    return chosen


def median(rounds, metric):
    values = [figures[metric] for figures in rounds if metric in figures]
    return statistics.median(values) if values else None


def paired(rounds, reference, metric, combine):
    """The median over rounds of a figure beside nginx's of the same round: drift cancels out."""
    pairs = [combine(ours[metric], theirs[metric]) for ours, theirs in zip(rounds, reference)
             if metric in ours and metric in theirs]
    return statistics.median(pairs) if pairs else None


def judge(bar, rounds, reference):
    """The figure that the bar is about, or None where it cannot be had."""
    if bar.against == "nginx":
        return paired(rounds, reference, bar.metric, lambda a, b: a / b if b else float("inf"))
    if bar.against == "nginx+":
        return paired(rounds, reference, bar.metric, lambda a, b: a - b)
    values = [figures[bar.metric] for figures in rounds if bar.metric in figures]
    if not values:
        return None
    return max(values) if bar.against == "worst" else statistics.median(values)


def table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join(cell.rjust(width) if i else cell.ljust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))).rstrip())


def number(value):
    if value is None:
        return "-"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


def report(scenario, results, verdicts):
    print(f"\n{scenario.name}: {scenario.title}")
    metrics = [metric for metric in scenario.metrics
               if any(metric in figures for rounds in results.values() for figures in rounds)]
    reference = results.get("nginx", [])
    ratio = scenario.bars[0].metric if scenario.bars[0].against == "nginx" else None
    header = ["", *(scenarios.METRICS[metric] for metric in metrics)]
    rows = [header + (["ratio to nginx", "range"] if ratio else [])]
    for name, rounds in results.items():
        row = [name, *(number(median(rounds, metric)) for metric in metrics)]
        if ratio:
            ratios = [a[ratio] / b[ratio] for a, b in zip(rounds, reference) if b.get(ratio)]
            row.append(number(statistics.median(ratios)) if ratios else "-")
            row.append(f"{min(ratios):.2f}-{max(ratios):.2f}" if ratios else "-")
        rows.append(row)
    table(rows)
    for name, rounds in results.items():
        failures = sum(figures.get("failed", 0) for figures in rounds)
        why = {reason for figures in rounds for reason in figures.get("why", {})}
        if failures:
            print(f"  {name}: {failures} requests failed: {', '.join(sorted(why))}")
    for bar in scenario.bars:
        value = judge(bar, results.get("gatehouse", []), reference)
        verdict = None if value is None else value <= bar.limit
        word = {None: "not measured", True: "met", False: "MISSED"}[verdict]
        print(f"  bar: {bar.text}: {number(value)} of {number(bar.limit)}: {word}")
        verdicts.append({"scenario": scenario.name, "bar": bar.text, "value": value,
                         "limit": bar.limit, "met": verdict})


def main():
    arguments = parse_arguments()
    chosen = choose(arguments)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-bench."))
    bench = scenarios.Bench(arguments.tools, directory, chosen, quick=arguments.quick,
                            rounds=arguments.rounds or (2 if arguments.quick else 5))
    everything, verdicts = {}, []
    print(f"{os.cpu_count()} cores, {platform.release()}, load {os.getloadavg()[0]:.2f}; "
          f"proxy on core {proxies.PROXY_CORE}, client and provider on core {proxies.CLIENT_CORE}")
    begin = time.monotonic()
    if arguments.realtime:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    try:
        bench.start_provider()
        for name in arguments.only or scenarios.SCENARIOS:
            scenario = scenarios.SCENARIOS[name]
            everything[name] = scenario.run(bench)
            bench.stop_proxies()
            report(scenario, everything[name], verdicts)
            sys.stdout.flush()
    finally:
        bench.stop()
        if not arguments.keep:
            shutil.rmtree(directory, ignore_errors=True)
    print(f"\n{'; '.join(bench.versions.values())}; {time.monotonic() - begin:.0f} s")
    if arguments.keep:
        print(f"configurations and logs: {directory}")
    if arguments.json:
        arguments.json.write_text(json.dumps({
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "kernel": platform.release(), "versions": bench.versions, "quick": arguments.quick, "results": everything,
            "bars": verdicts}, indent=1))
    if bench.troubles or arguments.check and any(bar["met"] is None for bar in verdicts):
        return 3
    return 1 if arguments.check and not all(bar["met"] for bar in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
