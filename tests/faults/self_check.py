# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the smuggling corpus and its judge: a right gateway passes all of it, and each of a set
of deliberately bad ones is caught. Needs no gateway binary.

    self_check.py [--verbose] [BUG…]
"""
import argparse
import contextlib
import io
import sys
import threading

from bad_answers import WHOLE, cut_fault
from fake_gateway import BUGS, FakeGateway
from provider import Provider
from reader import Message
from smuggling import Recorder, run_corpus
from support import Checks, Outcome, add_arguments

# What a smaller share of the corpus shows, to keep the run short.
ONLY = {"": "", "lose-field": "mutations: sized", "decode-target": "targets", "follow-authority": "absolute",
        "no-host-check": "hosts", "named-length": "connection_named", "unfold": "folding",
        "bare-lf": "line_ends",
        "keep-open": "two_lengths", "two-answers": "pipelines", "key-through": "methods",
        "first-length": "two_lengths",
        "any-coding": "transfer_codings", "prefer-length": "transfer_codings", "raw-head": "connection_named"}


def cut_answers(checks):
    """What cut_fault says about made-up outcomes of the length answer (and the chunked one)."""
    head, _, meant = WHOLE["length"]
    half, chunked = len(head) + 20, len(WHOLE["chunked"][0]) + 40

    def seen(status, body, complete, reason=b"", ended="eof"):
        fields = [(b"x-gatehouse-reason", reason)] if reason else []
        return Outcome([Message((b"HTTP/1.1", b"%d" % status, b""), fields, body, complete=complete)], ended=ended)
    for name, kind, offset, outcome, right in (
            ("a prefix", "length", half, seen(200, meant[:20], False), True),
            ("padded to look complete", "length", half, seen(200, meant[:20], True), False),
            ("other bytes", "length", half, seen(200, b"x" * 20, False), False),
            ("left open", "length", half, seen(200, meant[:20], False, ended="timeout"), False),
            ("a terminal chunk made up", "chunked", chunked, seen(200, b"", True), False),
            ("502 at 0", "length", 0, seen(502, b"{}", True, b"provider:closed"), True),
            ("502 without a reason", "length", 0, seen(502, b"{}", True), False),
            ("200 out of nothing", "length", 5, seen(200, b"", True), False),
            ("no answer", "length", 5, Outcome(ended="eof"), False)):
        fault = cut_fault(kind, offset, "end", outcome, True)
        checks.check(f"cut answer, {name}: {fault or 'right'}", right == (not fault), outcome)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("bugs", nargs="*", metavar="BUG", help="only these of fake_gateway.py")
    arguments = parser.parse_args()
    threading.stack_size(256 * 1024)
    checks = Checks(arguments.verbose)
    cut_answers(checks)
    for bug in arguments.bugs or ["", *BUGS]:
        recorder, decoy = Recorder(), Provider()
        target = FakeGateway(recorder.port, bug)
        with contextlib.redirect_stdout(io.StringIO()) as said:
            cases, failed = run_corpus(target, recorder, decoy, ONLY[bug], 40)
        what = f"{bug or 'no bug'}: {failed} of {len(cases)} cases fail"
        checks.check(what, bool(failed) == bool(bug), "\n" + said.getvalue())
        target.stop()
        recorder.stop()
        decoy.stop()
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())
