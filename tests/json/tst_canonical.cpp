// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/canonical.h"
#include "gateway/json/document.h"

#include <QTest>

#include <string>

using namespace gatehouse;

namespace {

std::string formOf(const QByteArray &text)
{
    json::Document document;
    if (!document.parse({text.constData(), static_cast<std::size_t>(text.size())}))
        qFatal("the test's JSON is none: %s", text.constData());
    std::string form;
    json::appendCanonical(form, document.root());
    return form;
}

} // namespace

class TestCanonical : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void values_writtenInTwoWays_data()
    {
        QTest::addColumn<QByteArray>("one");
        QTest::addColumn<QByteArray>("other");
        QTest::addColumn<bool>("isSame");
        const auto row = [](const char *name, const char *one, const char *other, bool isSame) {
            QTest::newRow(name) << QByteArray(one) << QByteArray(other) << isSame;
        };
        row("order of members",
            R"({"a":1,"b":{"c":2,"d":3}})",
            R"({"b":{"d":3,"c":2},"a":1})",
            true);
        row("white space", "[1,2]", " [ 1 ,\n\t2 ] ", true);
        row("escapes", "{\"\\u0061\":\"\\u00e9\\/\"}", "{\"a\":\"\xc3\xa9/\"}", true);
        row("order of elements", "[1,2]", "[2,1]", false);
        row("nested differently", "[[1],2]", "[[1,2]]", false);
        row("text and number", R"(["1"])", "[1]", false);
        row("null and absent", R"({"a":null})", "{}", false);
        row("empty ones", "[]", "{}", false);
        row("name and value", R"({"a":"b"})", R"(["a","b"])", false);
        row("texts that join", "[\"a\\\"1:b\"]", R"(["a","b"])", false);
        row("fraction of zeros", "1.0", "1", true);
        row("exponent", "1.50e3", "1500", true);
        row("exponent of either case and sign", "1E+2", "100", true);
        row("small", "0.001", "1e-3", true);
        row("zeros", "0.0e7", "0", true);
        row("negative zero", "-0", "0", false);
        row("sign", "-1", "1", false);
        row("the same double", "0.1", "0.10000000000000000001", false);
        row("beyond 64 bits", "18446744073709551617", "18446744073709551616", false);
        row("beyond doubles", "1e400", "10e399", true);
        row("exponents that cannot be counted",
            "1e99999999999999999999",
            "2e99999999999999999999",
            false);
        row("exponent and digits", "1e12", "11e2", false);
    }
    void values_writtenInTwoWays()
    {
        QFETCH(const QByteArray, one);
        QFETCH(const QByteArray, other);
        QFETCH(const bool, isSame);
        QCOMPARE(formOf(one) == formOf(other), isSame);
    }
};

QTEST_APPLESS_MAIN(TestCanonical)
#include "tst_canonical.moc"
