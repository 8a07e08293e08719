// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/usage/textmeter.h"

#include <QTest>

using namespace gatehouse;

class TestTextMeter : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    static void countsWhatTheModelWrote_data();
    static void countsWhatTheModelWrote();
};

void TestTextMeter::countsWhatTheModelWrote_data()
{
    QTest::addColumn<QByteArray>("answer");
    QTest::addColumn<quint64>("count");
    QTest::newRow("nothing") << QByteArray() << quint64(0);
    QTest::newRow("chat chunk") << QByteArray(
        "data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"role\":"
        "\"assistant\",\"content\":\"Hello\"}}]}\n\ndata: [DONE]\n\n")
                                << quint64(5);
    QTest::newRow("no content") << QByteArray("{\"delta\":{\"content\":null,\"text\" : \"ab\"}}")
                                << quint64(2);
    QTest::newRow("escapes") << QByteArray(R"({"content":"a\"b\\"})") << quint64(6);
    QTest::newRow("a name within a text")
        << QByteArray(R"({"id":"\"content\":\"xyz"})") << quint64(0);
    QTest::newRow("messages") << QByteArray(
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":"
        "{\"type\":\"text_delta\",\"text\":\"four\"}}\n\n"
        "data: {\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\"}}\n\n")
                              << quint64(8);
    QTest::newRow("gemini") << QByteArray(
        R"({"candidates":[{"content":{"parts":[{"text":"abc"},{"text" :"de"}]}}]})")
                            << quint64(5);
    QTest::newRow("responses: what the end repeats") << QByteArray(
        "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":1}}\n\n"
        "data: {\"type\":\"response.output_text.delta\",\"delta\":\"abc\"}\n\n"
        "data: {\"type\":\"response.output_text.done\",\"text\":\"abc\"}\n\n")
                                                     << quint64(3);
    QTest::newRow("ollama") << QByteArray("{\"response\":\"ab\"}\n{\"response\":\"c\"}\n")
                            << quint64(3);
    QTest::newRow("a long name") << QByteArray(
        "{\"contentcontentcontentcontent\":\"abc\",\"content\":\"d\"}")
                                 << quint64(1);
    QTest::newRow("an array of texts")
        << QByteArray(R"({"text":["ab"],"id":"content"})") << quint64(0);
}

void TestTextMeter::countsWhatTheModelWrote()
{
    QFETCH(const QByteArray, answer);
    QFETCH(const quint64, count);
    for (qsizetype split = 0; split <= answer.size(); ++split) {
        TextMeter meter;
        const std::string_view text(answer.constData(), static_cast<std::size_t>(answer.size()));
        meter.take(text.substr(0, static_cast<std::size_t>(split)));
        meter.take(text.substr(static_cast<std::size_t>(split)));
        QCOMPARE(quint64(meter.count()), count);
    }
}

QTEST_APPLESS_MAIN(TestTextMeter)
#include "tst_textmeter.moc"
