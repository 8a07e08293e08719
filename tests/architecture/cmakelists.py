# SPDX-License-Identifier: GPL-3.0-or-later
"""What the CMakeLists of a tree name, read as text: enough for the house's own helpers."""

import os
import re

COMMAND = re.compile(r"(\w+)\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
KEYWORDS = ("SOURCES", "USES", "LINKS")


class Command:
    def __init__(self, name, words, line):
        self.name = name
        self.words = words
        self.line = line


def commands(text):
    """The calls of a CMakeLists in order, comments left out."""
    plain = re.sub(r"#[^\n]*", "", text)
    for match in COMMAND.finditer(plain):
        line = plain.count("\n", 0, match.start()) + 1
        yield Command(match.group(1), match.group(2).replace('"', " ").split(), line)


def part(words, keyword):
    """The words after `keyword` up to the next keyword of gatehouse_room."""
    result, taking = [], False
    for word in words:
        if word in KEYWORDS:
            taking = word == keyword
        elif taking:
            result.append(word)
    return result


def named_files(folder, text):
    """Paths from the root of all files that a CMakeLists in `folder` names."""
    for command in commands(text):
        in_room = command.name == "gatehouse_room" and command.words
        base = os.path.join(folder, command.words[0]) if in_room else folder
        for word in command.words:
            yield os.path.normpath(os.path.join(base, word))
