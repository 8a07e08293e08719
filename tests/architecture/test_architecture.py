#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plants each violation that architecture.py is there to find in a small tree that has none."""

import os
import tempfile
import unittest

import architecture

SPDX_CPP = "// SPDX-License-Identifier: GPL-3.0-or-later\n"
SPDX_HASH = "# SPDX-License-Identifier: GPL-3.0-or-later\n"
CLEAN = {
    "README.md": "# x\n",
    ".gitignore": "build/\n",
    "CMakeLists.txt": SPDX_HASH,
    "gateway/CMakeLists.txt": SPDX_HASH
    + "# gatehouse_room(commented SOURCES out.cpp)\n"
    + "gatehouse_room(base SOURCES error.cpp)\n"
    + "gatehouse_room(net\n    SOURCES worker.cpp # the loop\n    USES base http LINKS Qt6::Network)\n"
    + 'add_library(gateway STATIC "gateway.cpp")\n',
    "gateway/gateway.h": SPDX_CPP,
    "gateway/gateway.cpp": SPDX_CPP + '#include "gateway/net/worker.h"\n',
    "gateway/base/error.cpp": SPDX_CPP + '#include "gateway/base/errors.def"\n#include <span>\n',
    "gateway/base/errors.def": SPDX_CPP,
    "gateway/net/worker.h": SPDX_CPP,
    "gateway/net/worker.cpp": SPDX_CPP
    + '#include "gateway/net/worker.h"\n#include "gateway/base/error.h"\n'
    + "connect(a, &A::done, this, [this] { f(1, 2); });\n"
    + "connect(a, &A::done, this, &B::onDone);\n"
    + "::connect(fd, &address, sizeof address);\nprovider.connect(host, port, options);\n",
    "app/CMakeLists.txt": SPDX_HASH + "add_executable(gatehouse cli/main.cpp)\n",
    "app/cli/main.cpp": SPDX_CPP + '#include "gateway/net/worker.h"\n#include "ui/window.h"\n',
    "ui/pages/page.cpp": SPDX_CPP + '#include "ui/pages/page.h"\n#include "gateway/gateway.h"\n'
    + '#include "gateway/audit/query.h"\n#include "ui_page.h"\n',
    "ui/CMakeLists.txt": SPDX_HASH + "add_library(ui pages/page.cpp)\n",
    "tests/CMakeLists.txt": SPDX_HASH + "gatehouse_tests(net NAMES tst_worker)\n",
    "tests/net/tst_worker.cpp": SPDX_CPP + '#include "gateway/net/worker.h"\n'
    + '#include "tests/support/wire.h"\n#include "tst_worker.moc"\n',
    "tests/http/data/long.cpp": "x\n" * 999,
    "tests/run.sh": "#!/bin/sh\n" + SPDX_HASH,
    "build/dev/x.cpp": "no licence, and not ours\n",
}


def include(path):
    return SPDX_CPP + f'#include "{path}"\n'


# (what is planted, where, the text, a part of the message)
PLANTED = [
    ("a stray file at the top", "notes.txt", "", "top level"),
    ("a stray folder at the top", "src/a.txt", "", "top level"),
    ("no licence", "gateway/base/error.cpp", "int x;\n", "SPDX"),
    ("no licence after a shebang", "tests/run.sh", "#!/bin/sh\nset -e\n", "SPDX"),
    ("a licence that is not first", "gateway/gateway.h", "\n" + SPDX_CPP, "SPDX"),
    ("no licence in .ci", ".ci/run", "#!/bin/sh\n", "SPDX"),
    ("a long source", "gateway/base/error.cpp", SPDX_CPP + "\n" * 400, "401 lines"),
    ("a long test", "tests/net/tst_worker.cpp", SPDX_CPP + "\n" * 400, "401 lines"),
    ("a higher rank", "gateway/base/error.cpp", include("gateway/net/worker.h"), "rank 5"),
    ("the same rank", "gateway/net/worker.h", include("gateway/demo/demo.h"), "rank 6"),
    ("a sibling", "gateway/http/x.h", include("gateway/schema/field.h"), "http (rank 1)"),
    ("audit in config is lower, config in audit is not", "gateway/audit/x.h",
     include("gateway/config/snapshot.h"), "rank 4"),
    ("a higher rank in angle brackets", "gateway/base/error.cpp",
     SPDX_CPP + "#  include <gateway/net/worker.h>\n", "rank 5"),
    ("a higher rank in a .def", "gateway/base/errors.def", include("gateway/net/x.def"), "rank 5"),
    ("the facade in a room", "gateway/net/worker.h", include("gateway/gateway.h"), "facade"),
    ("dialects in policies", "gateway/policies/x.cpp", include("gateway/dialects/dialect.h"),
     "never include each other"),
    ("policies in dialects", "gateway/dialects/x.cpp", include("gateway/policies/list.def"),
     "never include each other"),
    ("a room without a rank", "gateway/extras/x.h", SPDX_CPP, "not a room"),
    ("a room without a rank, included", "gateway/net/worker.h", include("gateway/extras/x.h"),
     "not a room"),
    ("a relative include", "gateway/net/worker.h", include("worker_p.h"), "full path"),
    ("a path with dots", "gateway/net/worker.h", include("gateway/net/../demo/x.h"), "full path"),
    ("a policy's own header", "gateway/policies/limit.h", SPDX_CPP, "no headers"),
    ("a dialect's own header", "gateway/dialects/openai.h", SPDX_CPP, "no headers"),
    ("the gateway sees ui", "gateway/gateway.h", include("ui/window.h"), "never includes ui"),
    ("the gateway sees app", "gateway/gateway.h", include("app/cli/main.h"), "only app/"),
    ("ui sees app", "ui/window.h", include("app/cli/main.h"), "only app/"),
    ("ui sees a room", "ui/window.h", include("gateway/net/worker.h"), "ui/ may not see"),
    ("ui sees more of audit", "ui/window.h", include("gateway/audit/store.h"), "ui/ may not see"),
    ("a page sees a page", "ui/pages/a.h", include("ui/pages/page.h"), "pages never"),
    ("a program sees tests", "app/x.h", include("tests/support/wire.h"), "only tests"),
    ("the gateway links widgets", "gateway/net/CMakeLists.txt",
     SPDX_HASH + "target_link_libraries(gateway_net PUBLIC Qt6::Widgets)\n", "never links"),
    ("a room links a higher one", "gateway/http/CMakeLists.txt",
     SPDX_HASH + "gatehouse_room(http SOURCES a.cpp USES base net)\n", "rank 5"),
    ("a source that nothing builds", "gateway/net/lost.cpp", SPDX_CPP, "in no CMakeLists"),
    ("a source that only a comment names", "gateway/commented/out.cpp", SPDX_CPP,
     "in no CMakeLists"),
    ("the same name in another room", "gateway/http/error.cpp", SPDX_CPP, "in no CMakeLists"),
    ("a source in a folder called data", "gateway/data/x.cpp", SPDX_CPP, "in no CMakeLists"),
    ("a test that nothing runs", "tests/net/tst_lost.cpp", SPDX_CPP, "run by no"),
    ("a lambda without a context", "app/x.h",
     SPDX_CPP + "connect(a, &A::done,\n [=](int x, int y) { f(x, y); });\n", "context object"),
    ("a function without a context", "app/x.h",
     SPDX_CPP + "QObject::connect(a(1, 2), &ns::A::done, done);\n", "context object"),
    ("an overload without a context", "app/x.h",
     SPDX_CPP + "a->connect(a, qOverload<int>(&A::done), done);\n", "context object"),
]


class TestArchitecture(unittest.TestCase):
    def violations(self, files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as file:
                    file.write(text)
            return architecture.violations(root)

    def test_clean_tree_has_none(self):
        self.assertEqual(self.violations(CLEAN), [])

    def test_empty_tree_has_none(self):
        self.assertEqual(self.violations({"README.md": "# x\n"}), [])

    def test_each_planted_violation_is_found_where_it_is(self):
        for name, path, text, part in PLANTED:
            with self.subTest(name):
                found = self.violations(CLEAN | {path: text})
                place = path.split("/")[0] if part == "top level" else path
                self.assertTrue([f for f in found if f[0] == place and part in f[2]], found)

    def test_program_that_needs_gui_is_found(self):
        with tempfile.NamedTemporaryFile() as program:
            program.write(b"\x7fELF\0libQt6Core.so.6\0")
            program.flush()
            self.assertEqual(list(architecture.check_headless(program.name)), [])
            program.write(b"libQt6Gui.so.6\0")
            program.flush()
            self.assertEqual(len(list(architecture.check_headless(program.name))), 1)
        self.assertEqual(len(list(architecture.check_headless(program.name))), 1)


if __name__ == "__main__":
    unittest.main()
