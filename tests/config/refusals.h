// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/config/build.h"
#include "gateway/config/loader.h"
#include "gateway/secrets/vault.h"
#include "tests/config/configdir.h"

#include <QTest>

namespace gatehouse::test {

/// A draft that has what the rows below name.
inline QByteArray basics()
{
    return document("Provider", "ollama", "{}")
           + document("Route", "r", "{basePath: /r, provider: ollama}");
}

/// A row of a test with the columns text or spec, and expected.
inline void row(const char *name, const QByteArray &text, const char *expected)
{
    QTest::newRow(name) << text << QString::fromUtf8(expected);
}

/// Compares what is said of \a text, as a.yaml beside basics(), with \a expected.
inline void compare(const QByteArray &text, const QString &expected)
{
    const ConfigDir dir;
    dir.write("b.yaml", basics());
    dir.write("a.yaml", text);
    Vault vault(nullptr);
    StateStore states;
    const auto outcome = buildSnapshot(loadDraft(dir.config()), dir.data(), vault, states);
    QCOMPARE(dir.printed(outcome.diagnostics), expected);
    const bool hasError = hasErrors(outcome.diagnostics);
    QCOMPARE(outcome.snapshot == nullptr, hasError);
}

} // namespace gatehouse::test
