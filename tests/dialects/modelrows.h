// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gateway/dialects/dialect.h"
#include "tests/support/modelrequest.h"

#include <QByteArray>
#include <QTest>

#include <string>

// Rows of requests and the models that are found in them, for tests of ModelPlaces.

namespace gatehouse::test {

inline QByteArray bytes(const std::string &text)
{
    return {text.data(), static_cast<qsizetype>(text.size())};
}

inline std::string upgrade(const std::string &target)
{
    return "GET " + target + "\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13"
           + "\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";
}

inline void addColumns()
{
    QTest::addColumn<QByteArray>("head");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("found");
}

/// A row is named after what its head and body are.
inline void row(const std::string &head, const char *body, const char *found)
{
    const std::string name = head.substr(0, head.find('\n')) + ' ' + body;
    QTest::newRow(name.c_str()) << bytes(head) << QByteArray(body) << QByteArray(found);
}

inline void check(const char *dialect)
{
    QFETCH(QByteArray, head);
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, found);
    const ModelFinder finder(findDialect(dialect)->modelPlaces());
    ModelRequest request(head.toStdString(), body.toStdString());
    QCOMPARE(bytes(request.found(finder)), found);
}

} // namespace gatehouse::test
