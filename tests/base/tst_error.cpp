// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/base/error.h"

#include <QTest>

#include <set>
#include <string>

using namespace gatehouse;

class TestError : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void table_everyRow_hasItsOwnReason()
    {
        std::set<std::string_view> reasons;
        std::size_t rows = 0;
#define X(Row, label, answer, whose, again, text)                                                  \
    reasons.insert(label);                                                                         \
    ++rows;                                                                                        \
    QCOMPARE(errorInfo(ErrorCode::Row).reason, std::string_view(label));
#include "gateway/base/errors.def"
#undef X
        QCOMPARE(reasons.size(), rows);
    }

    void table_everyRow_hasAnErrorStatus()
    {
#define X(Row, label, answer, whose, again, text)                                                  \
    QVERIFY(errorInfo(ErrorCode::Row).status >= 400 && errorInfo(ErrorCode::Row).status < 600);
#include "gateway/base/errors.def"
#undef X
    }

    void message_withContext_saysBoth()
    {
        const Error error{ErrorCode::ConfigInvalid, "gateway.yaml"};
        QCOMPARE(error.message(), std::string("The configuration is not valid: gateway.yaml"));
        QCOMPARE((Error{ErrorCode::ConfigInvalid, {}}.message()),
                 std::string("The configuration is not valid"));
    }

    void source_eachOne_hasAName()
    {
        QCOMPARE(sourceName(Source::Client), std::string_view("client"));
        QCOMPARE(sourceName(Source::Gateway), std::string_view("gateway"));
        QCOMPARE(sourceName(Source::Provider), std::string_view("provider"));
    }
};

QTEST_APPLESS_MAIN(TestError)
#include "tst_error.moc"
