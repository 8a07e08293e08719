# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides what went wrong with one case of the corpus, from both ends of the gateway.

Kinds of failure:
  ambiguous  the provider received what the strict reader does not read as the request intended
  lenient    malformed bytes were repaired and passed on, in one reading
  strict     a well-formed request was refused
  status     refused, but with another status, without a reason, or the connection stayed open
  header     an end-to-end field was lost, changed or added
  leak       a key was seen where it must not be
"""
from reader import ABSOLUTE, read_all
from support import CREDENTIAL

HOP = {b"connection", b"keep-alive", b"te", b"upgrade", b"proxy-connection", b"proxy-authorization", b"transfer-encoding"}
OWN = HOP | {b"host", b"http2-settings", b"proxy-authenticate", b"content-length", b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key",
        b"expect", b"trailer",
             b"via", b"forwarded", b"x-real-ip", b"proxy"}  # the gateway's to write, or to drop
NEVER = HOP - {b"connection", b"transfer-encoding"}
IN_TRAILER = HOP | {b"host", b"content-length", b"authorization", b"x-api-key", b"content-encoding",
        b"content-type",
                    b"expect", b"cookie", b"trailer"}


def own(name):
    return name in OWN or name.startswith((b"x-forwarded-", b"x-gatehouse-"))


def mapped(target, prefix):
    """The target as the provider should see it."""
    absolute = ABSOLUTE.fullmatch(target)
    target = absolute[3] if absolute else target
    base = b"/openai/v1"
    return prefix + target[len(base):] if target.startswith(base + b"/") else None


def differs(meant, got, prefix):
    """Why `got` is another request than `meant`, or an empty string."""
    if got.method != meant.method:
        return f"method {meant.method!r} became {got.method!r}"
    if got.target != mapped(meant.target, prefix):
        return f"target {meant.target[:80]!r} became {got.target[:80]!r}"
    if got.body != meant.body:
        return f"body {meant.body[:60]!r} became {got.body[:60]!r}"
    return ""


def field_faults(meant, got):
    """End-to-end fields that were lost, changed or added; hop-by-hop fields that were not dropped."""
    named = {token.strip().lower() for value in meant.all(b"connection") for token in value.split(b",")}
    names = {name.lower() for name, _ in meant.fields + got.fields}
    for name in sorted(names):
        if name in NEVER and got.all(name):
            yield f"{name!r} was passed on"
        elif name in named and not own(name) and got.all(name) and name not in (b"content-type", b"cookie",
                b"content-encoding"):
            yield f"{name!r} is named by Connection and was passed on"
        elif not own(name) and name not in named and meant.all(name) != got.all(name):
            yield f"{name!r} was {meant.all(name)!r:.80}, became {got.all(name)!r:.80}"
    for name, _ in got.trailers:
        if name.lower() in IN_TRAILER:
            yield f"trailer {name!r} was passed on"


def matched(records, messages, prefix):
    """Pairs (meant, got) where the records are some of the messages in their order; else a reason."""
    pairs, at = [], 0
    for got in records:
        why = "no such request was sent"
        while at < len(messages):
            meant, at = messages[at], at + 1
            why = differs(meant, got, prefix)
            if not why:
                pairs.append((meant, got))
                break
        else:
            return None, f"{why}: {got.method!r} {got.target[:80]!r} {got.body[:60]!r}"
    return pairs, ""


def steered(records, number):
    """A sign that a part of one message was taken for another."""
    mark = b"%04d" % number
    return any(b"/smuggled/" in r.target or b"/canary/" + mark in r.body or b"HTTP/1." in r.target
            for r in records)


def judge_refused(case, outcome, records, target):
    wrong = records if case.closes else [r for r in records if b"/canary/" not in r.target]
    if wrong:
        # Another coding or length than the sender's is not to be told from the one meant: it is the
        # canary that shows it.
        first = any(b"/c/" in r.target for r in wrong)
        kind = "ambiguous" if steered(wrong, case.number) or not first else "lenient"
        yield kind, "passed on: " + ", ".join(f"{r.method!r} {r.target[:60]!r} {r.body[:30]!r}" for r in wrong)
        return
    if not outcome.finals:
        yield "status", f"no answer {outcome}"
        return
    answer = outcome.answer
    if answer.status not in case.statuses:
        yield "status", f"{outcome}, not {sorted(case.statuses)}"
    if target.typed and not answer.reason:
        yield "status", f"no x-gatehouse-reason {outcome}"
    if outcome.ended not in ("eof", "reset"):
        yield "status", f"the connection was not closed {outcome}"
    if len(outcome.finals) > (1 if case.closes else 2):
        yield "ambiguous", f"{len(outcome.finals)} answers"


def judge_read(case, outcome, records, target):
    readings = [read_all(case.wire)]
    if case.meant:
        readings.append(read_all(case.meant + case.canary))
    why = ""
    for messages, end in readings:
        pairs, why = matched(records, messages, target.prefix)
        if pairs is not None:
            break
    else:
        well_formed = not steered(records, case.number)
        lenient = readings[0][1] == "malformed" and well_formed and any(b"/c/" in r.target for r in records)
        yield ("lenient" if lenient else "ambiguous"), why
        return
    for meant, got in pairs:
        for fault in field_faults(meant, got):
            yield "header", fault
    if len(outcome.finals) > len(messages) + (end != "clean"):
        yield "ambiguous", f"{len(messages)} requests, {len(outcome.finals)} answers"
    if case.want == "pass":
        if len(pairs) < len(messages) or [m.status for m in outcome.finals] != [200] * len(messages):
            yield "strict", f"{len(messages)} requests, {len(pairs)} passed on {outcome}"
        return
    if case.family == "cuts":
        return
    for answer in outcome.finals:
        if not (answer.status == 200 or 400 <= answer.status < 500 or answer.status == 505):
            yield "status", str(outcome)
    if not outcome.finals and end != "incomplete":
        yield "status", f"no answer {outcome}"
    if outcome.ended == "timeout":
        yield "status", f"the connection was not closed {outcome}"
    if end == "malformed" and outcome.finals and not 400 <= outcome.finals[-1].status < 600:
        yield "status", f"the malformed part was not refused {outcome}"


def judge(case, outcome, records, serials, target):
    """All failures of one case as (kind, text). `records`: complete requests that carry its number."""
    if outcome.fault:
        yield "status", f"the answer is malformed: {outcome.fault}"
    yield from (judge_refused if case.want == "refuse" else judge_read)(case, outcome, records, target)
    claimed = [int(m.get(b"x-seen")) for m in outcome.finals if m.get(b"x-seen")]
    if claimed != [s for s in serials if s in claimed] or not set(claimed) <= set(serials):
        yield "ambiguous", f"answers to requests {claimed}, its own are {serials}"
    for got in records:
        if got.all(b"authorization") != [b"Bearer " + CREDENTIAL.encode()]:
            yield "leak", f"authorization at the provider: {len(got.all(b'authorization'))} fields"
        head = b"\n".join([got.target, *(value for _, value in got.fields + got.trailers)])
        if target.key.encode() in head or target.other_key.encode() in head:
            yield "leak", "the virtual key reached the provider"
