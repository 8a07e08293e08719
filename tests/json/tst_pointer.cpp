// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/json/document.h"
#include "gateway/json/pointer.h"

#include <QTest>

using namespace gatehouse::json;

class TestPointer : public QObject
{
    Q_OBJECT

private:
    /// The sources of all that is selected, a space between them.
    static std::string select(std::string_view text, std::string_view pointer)
    {
        Document document;
        const auto parsed = Pointer::parse(pointer);
        if (!parsed || !document.parse(text))
            qFatal("a text of the test is refused");
        std::string all;
        parsed->forEach(document.root(), [&all](Value value) {
            all += (all.empty() ? "" : " ") + std::string(value.sourceText());
        });
        const auto first = parsed->first(document.root());
        const std::string_view expected = first ? first->sourceText() : std::string_view();
        if (first.has_value() == all.empty() || !all.starts_with(expected))
            qFatal("first() is not the first of forEach()");
        return all;
    }

private Q_SLOTS:
    void pointer_ofTheRfc_selects_data()
    {
        QTest::addColumn<QByteArray>("pointer");
        QTest::addColumn<QByteArray>("selected");
        // RFC 6901 §5.
        QTest::newRow("member") << QByteArray("/foo") << QByteArray(R"(["bar","baz"])");
        QTest::newRow("element") << QByteArray("/foo/0") << QByteArray(R"("bar")");
        QTest::newRow("empty name") << QByteArray("/") << QByteArray("0");
        QTest::newRow("slash") << QByteArray("/a~1b") << QByteArray("1");
        QTest::newRow("percent") << QByteArray("/c%d") << QByteArray("2");
        QTest::newRow("caret") << QByteArray("/e^f") << QByteArray("3");
        QTest::newRow("bar") << QByteArray("/g|h") << QByteArray("4");
        QTest::newRow("backslash") << QByteArray("/i\\j") << QByteArray("5");
        QTest::newRow("quote") << QByteArray("/k\"l") << QByteArray("6");
        QTest::newRow("space") << QByteArray("/ ") << QByteArray("7");
        QTest::newRow("tilde") << QByteArray("/m~0n") << QByteArray("8");
        QTest::newRow("no such name") << QByteArray("/foo2") << QByteArray();
        QTest::newRow("beyond the last") << QByteArray("/foo/2") << QByteArray();
        QTest::newRow("behind the last") << QByteArray("/foo/-") << QByteArray();
        QTest::newRow("leading zero") << QByteArray("/foo/00") << QByteArray();
        QTest::newRow("index with a sign") << QByteArray("/foo/+0") << QByteArray();
        QTest::newRow("index beyond 64 bits")
            << QByteArray("/foo/18446744073709551616") << QByteArray();
        QTest::newRow("into a string") << QByteArray("/foo/0/0") << QByteArray();
        QTest::newRow("into a number") << QByteArray("//") << QByteArray();
    }
    void pointer_ofTheRfc_selects()
    {
        QFETCH(QByteArray, pointer);
        QFETCH(QByteArray, selected);
        const std::string text = R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,)"
                                 "\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8}";
        QCOMPARE(select(text, pointer.toStdString()), selected.toStdString());
        QCOMPARE(select(text, ""), text);
    }

    void escapes_oneAfterTheOther_areReadOnce()
    {
        QCOMPARE(select(R"({"~1":1,"/":2})", "/~01"), std::string("1"));
        QCOMPARE(select(R"({"~/~/":1})", "/~0~1~0~1"), std::string("1"));
    }

    void wildcard_inArrays_selectsEveryElement()
    {
        const std::string_view batch
            = R"({"requests":[{"params":{"model":"a"}},{"params":{}},7,{"params":{"model":"b"}}]})";
        QCOMPARE(select(batch, "/requests/*/params/model"), std::string(R"("a" "b")"));
        QCOMPARE(select("[[1,[2]],[],[3]]", "/*/*"), std::string("1 [2] 3"));
        QCOMPARE(select("[[1,2],[3]]", "/*/0"), std::string("1 3"));
        QCOMPARE(select("[]", "/*"), std::string());
        QCOMPARE(select("[[],{}]", "/*/*/*"), std::string());
    }

    void wildcard_inObjects_isAName()
    {
        QCOMPARE(select(R"({"a":1,"*":2})", "/*"), std::string("2"));
        QCOMPARE(select(R"({"a":1})", "/*"), std::string());
        QCOMPARE(select(R"({"0":1})", "/0"), std::string("1"));
    }

    void names_escapedInTheText_areFound()
    {
        QCOMPARE(select(R"({"mod\u0065l":1})", "/model"), std::string("1"));
        QCOMPARE(select(R"({"\/":1})", "/~1"), std::string("1"));
    }

    void parse_malformed_isRefused()
    {
        for (const char *text : {"a", "model/x", " /a", "/a~", "/~2", "/~~0", "/a/b~x/c", "#/a"})
            QVERIFY2(!Pointer::parse(text), text);
        QVERIFY(Pointer::parse("~").error().starts_with("must begin with /"));
        QVERIFY(Pointer::parse("/~").error().starts_with("must have ~0"));
    }

    void parse_mostSteps_isTheBound()
    {
        std::string text;
        for (std::size_t i = 0; i < Pointer::mostSteps; ++i)
            text += "/a";
        QVERIFY(Pointer::parse(text));
        QVERIFY(Pointer::parse(text + "/a").error().find("64") != std::string_view::npos);
    }
};

QTEST_APPLESS_MAIN(TestPointer)
#include "tst_pointer.moc"
