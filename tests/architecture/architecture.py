#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the tree to the rules of gateway/README.md.

usage: architecture.py ROOT [--headless PROGRAM]

Prints `path:line: what is wrong` for each violation; exit code 1 if there is any.
"""

import argparse
import os
import re
import sys

import cmakelists

RANKS = {
    "base": 0,
    "schema": 1, "http": 1, "json": 1, "match": 1, "secrets": 1, "telemetry": 1, "usage": 1, "quota": 1,
    "pipeline": 2, "dialects": 2,
    "policies": 3, "audit": 3,
    "config": 4,
    "net": 5,
    "demo": 6, "prove": 6,
}
FACADE = ("gateway/gateway.h", "gateway/gateway.cpp")
UI_MAY_READ = re.compile(
    r"gateway/(gateway\.h|base/.+|schema/.+|telemetry/sample\.h|audit/(record|query|report)\.h"
    r"|config/resources\.h)")
TOP_LEVEL = {
    "CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md",
    "app", "build", "gateway", "packaging", "resources", "tests", "translations", "ui",
}
LONGEST_FILE = 400
SKIPPED = {".git", ".cache", "build", "node_modules", "__pycache__"}
SPDX = "SPDX-License-Identifier: GPL-3.0-or-later"
SOURCE_ENDINGS = (".cpp", ".h", ".def", ".py", ".sh", ".mjs", ".js", "CMakeLists.txt", ".cmake")
OWN_HEADERS = {"dialects": {"dialect.h"}, "policies": set()}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)
GENERATED = re.compile(r"(ui_\w+\.h|moc_\w+\.cpp|\w+\.moc)")
SIGNAL = re.compile(r"(&\s*\w[\w:<>, ]*::\w+|[qQ]Overload|SIGNAL\s*\()")


class Tree:
    """The files below a root, as paths from it with their text."""

    def __init__(self, root):
        self.root = root
        self.paths = sorted(self._walk())

    def _walk(self):
        for folder, folders, files in os.walk(self.root):
            place = os.path.relpath(folder, self.root)
            skipped = SKIPPED | ({"data"} if place.split(os.sep)[0] == "tests" else set())
            folders[:] = [name for name in folders if name not in skipped]
            for name in files:
                yield os.path.normpath(os.path.join(place, name))

    def text(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
            return file.read()

    def code(self, *tops):
        """The .cpp and .h files below the given top-level folders."""
        return [p for p in self.paths
                if p.split("/")[0] in tops and p.endswith((".cpp", ".h"))]


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def room_of(path):
    """The room of a file of the gateway; None for the facade and all that is no gateway file."""
    parts = path.split("/")
    return parts[1] if parts[0] == "gateway" and len(parts) > 2 else None


def check_top_level(tree):
    for name in sorted(os.listdir(tree.root)):
        if name not in TOP_LEVEL and not name.startswith("."):
            yield name, 1, "does not belong at the top level"


def check_spdx(tree):
    for path in tree.paths:
        if not (path.endswith(SOURCE_ENDINGS) or path.startswith(".ci/")):
            continue
        lines = tree.text(path).split("\n", 2)
        first = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
        if SPDX not in first:
            yield path, 1, f"does not begin with {SPDX}"


def check_length(tree):
    for path in tree.code("app", "gateway", "ui", "tests"):
        lines = tree.text(path).count("\n")
        if lines > LONGEST_FILE:
            yield path, LONGEST_FILE + 1, f"has {lines} lines; {LONGEST_FILE} is the limit"


def include_fault(path, included):
    """Why `path` may not include `included` (both from the root); None if it may."""
    top, target = path.split("/")[0], included.split("/")[0]
    if top == "tests":
        return None
    if target == "tests":
        return "only tests include tests/"
    if top == "app":
        return None
    if target == "app":
        return "only app/ includes app/"
    if top == "ui":
        if target == "gateway" and not UI_MAY_READ.fullmatch(included):
            return f"ui/ may not see {included}"
        if path.startswith("ui/pages/") and included.startswith("ui/pages/"):
            if os.path.splitext(path)[0] != os.path.splitext(included)[0]:
                return "pages never include pages"
        return None
    if target == "ui":
        return "gateway/ never includes ui/"
    return rank_fault(path, included)


def rank_fault(path, included):
    if path in FACADE:
        return None
    if included in FACADE:
        return "the facade is above all rooms"
    mine, theirs = room_of(path), room_of(included)
    if mine == theirs:
        return None
    if {mine, theirs} == {"policies", "dialects"}:
        return "policies and dialects never include each other"
    if mine not in RANKS or theirs not in RANKS:
        return f"{theirs if mine in RANKS else mine} is not a room with a rank"
    if RANKS[theirs] >= RANKS[mine]:
        return f"{mine} (rank {RANKS[mine]}) may not see {theirs} (rank {RANKS[theirs]})"
    return None


def check_includes(tree):
    sources = tree.code("app", "gateway", "ui", "tests")
    sources += [p for p in tree.paths if p.startswith("gateway/") and p.endswith(".def")]
    for path in sources:
        text = tree.text(path)
        for match in INCLUDE.finditer(text):
            quote, included = match.groups()
            ours = included.startswith(("app/", "gateway/", "ui/", "tests/"))
            fault = None
            if ".." in included.split("/"):
                fault = "includes are full paths from the root"
            elif ours:
                fault = include_fault(path, included)
            elif quote == '"' and not GENERATED.fullmatch(included):
                fault = f'"{included}" is no full path from the root'
            if fault:
                yield path, line_of(text, match.start()), fault


def check_rooms(tree):
    """Rooms have a rank, and those without headers of their own have none."""
    for path in tree.paths:
        room = room_of(path)
        if room is None:
            continue
        if room not in RANKS:
            yield path, 1, f"gateway/{room} is not a room with a rank"
        elif path.endswith(".h") and room in OWN_HEADERS:
            if os.path.basename(path) not in OWN_HEADERS[room]:
                yield path, 1, f"{room} have no headers of their own"


def check_links(tree):
    """What a room links is of a lower rank, and nothing of the gateway links a GUI library."""
    for path in tree.paths:
        if os.path.basename(path) != "CMakeLists.txt" or not path.startswith("gateway/"):
            continue
        for command in cmakelists.commands(tree.text(path)):
            for word in command.words:
                if re.fullmatch(r"Qt6?::(Gui|Widgets|Charts|Quick|Qml|Svg|PrintSupport)", word):
                    yield path, command.line, f"gateway/ never links {word}"
            if command.name != "gatehouse_room" or not command.words:
                continue
            room = command.words[0]
            for used in cmakelists.part(command.words, "USES"):
                fault = rank_fault(f"gateway/{room}/x", f"gateway/{used}/x")
                if fault:
                    yield path, command.line, fault


def check_listed(tree):
    """Every .cpp is built, and every tst_*.cpp is run."""
    named, words = set(), set()
    for path in tree.paths:
        if os.path.basename(path) == "CMakeLists.txt":
            text = tree.text(path)
            named.update(cmakelists.named_files(os.path.dirname(path), text))
            if path.startswith("tests/"):
                words.update(w for c in cmakelists.commands(text) for w in c.words)
    for path in tree.code("app", "gateway", "ui"):
        if path.endswith(".cpp") and path not in named:
            yield path, 1, "is in no CMakeLists.txt"
    for path in tree.code("tests"):
        name, ending = os.path.splitext(os.path.basename(path))
        if ending == ".cpp" and name.startswith("tst_") and name not in words:
            yield path, 1, "is run by no CMakeLists.txt"


def arguments(text, start):
    """The top-level arguments of the call whose opening bracket is before `start`."""
    result, depth, begin = [], 0, start
    for at in range(start, len(text)):
        c = text[at]
        if c in "([{":
            depth += 1
        elif c in ")]}":
            if depth == 0:
                return result + [text[begin:at].strip()]
            depth -= 1
        elif c == "," and depth == 0:
            result.append(text[begin:at].strip())
            begin = at + 1
    return result


def check_connects(tree):
    """A connection without a context object outlives what its lambda captures."""
    for path in tree.code("app", "gateway", "ui", "tests"):
        text = tree.text(path)
        for match in re.finditer(r"\bconnect\s*\(", text):
            given = arguments(text, match.end())
            if len(given) == 3 and SIGNAL.match(given[1]):
                yield path, line_of(text, match.start()), "connect() without a context object"


def check_headless(program):
    if not os.path.exists(program):
        yield program, 1, "is not built"
        return
    with open(program, "rb") as file:
        content = file.read()
    for library in (b"libQt6Gui.so", b"libQt6Widgets.so"):
        if library in content:
            yield program, 1, f"needs {library.decode()}"


CHECKS = (check_top_level, check_spdx, check_length, check_includes, check_rooms, check_links,
          check_listed, check_connects)


def violations(root):
    tree = Tree(root)
    return [fault for check in CHECKS for fault in check(tree)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root")
    parser.add_argument("--headless", metavar="PROGRAM", help="must not need a GUI library")
    options = parser.parse_args()
    found = violations(options.root)
    if options.headless:
        found += check_headless(options.headless)
    for path, line, what in found:
        print(f"{path}:{line}: {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
