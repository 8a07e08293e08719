// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/dialects/usagerun.h"

#include <QElapsedTimer>
#include <QTest>

using namespace gatehouse;

namespace {

const std::string anthropic
    = "event: message_start\ndata: "
      "{\"type\":\"message_start\",\"message\":{\"model\":\"m\",\"usage\":"
      "{\"input_tokens\":123,\"output_tokens\":1}}}\n\nevent: message_delta\ndata: {\"type\":"
      "\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":456}"
      "}\n\n"
      "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
const std::string openai
    = "data: "
      "{\"model\":\"m\",\"choices\":[{\"index\":0,\"finish_reason\":null}],\"usage\":null}\n\n"
      "data: "
      "{\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":123,\"completion_tokens\":456}}"
      "\n\ndata: [DONE]\n\n";
const std::string ollama = "{\"model\":\"m\",\"done\":false}\n{\"model\":\"m\",\"done\":true,"
                           "\"prompt_eval_count\":123,\"eval_count\":456}\n";

} // namespace

class TestUsageCut : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void stream_cutAnywhere_leavesWhatCameBefore_data();
    void stream_cutAnywhere_leavesWhatCameBefore();
    void stream_notEnded_knowsWhatCameByNow();
    void event_overTheLimit_isReadAsItComes();
    void body_ofMegabytes_isReadHoweverItIsCut();
    void hostileAnswers_takeLinearTime_data();
    void hostileAnswers_takeLinearTime();
};

void TestUsageCut::stream_cutAnywhere_leavesWhatCameBefore_data()
{
    QTest::addColumn<QByteArray>("type");
    QTest::addColumn<QByteArray>("body");
    const auto row = [](const char *dialect, std::string_view type, const std::string &body) {
        QTest::newRow(dialect) << QByteArray(type.data(), static_cast<qsizetype>(type.size()))
                               << QByteArray::fromStdString(body);
    };
    row("anthropic", eventStream, anthropic);
    row("openai", eventStream, openai);
    row("ollama", jsonLines, ollama);
}

/// The numbers are 123 and 456 or not known, never a part of their digits; and nothing is forgotten.
void TestUsageCut::stream_cutAnywhere_leavesWhatCameBefore()
{
    QFETCH(QByteArray, type);
    QFETCH(QByteArray, body);
    const std::string whole = body.toStdString();
    bool hadInput = false;
    bool hadOutput = false;
    bool wasComplete = false;
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        const auto reader = findDialect(QTest::currentDataTag())->usageReader(type.toStdString());
        reader->take(std::string_view(whole).substr(0, size));
        reader->end();
        const Usage &usage = reader->usage();
        QVERIFY(usage.input ? *usage.input == 123 : !hadInput);
        QVERIFY(usage.output ? *usage.output == 456 : !hadOutput);
        QVERIFY(reader->isComplete() || !wasComplete);
        QVERIFY(!reader->isComplete() || (usage.input && usage.output));
        hadInput = usage.input.has_value();
        hadOutput = usage.output.has_value();
        wasComplete = reader->isComplete();
    }
    QVERIFY(hadInput && hadOutput && wasComplete);
}

void TestUsageCut::stream_notEnded_knowsWhatCameByNow()
{
    const auto reader = findDialect("anthropic")->usageReader(eventStream);
    const std::size_t middle = anthropic.find("event: message_delta");
    reader->take(std::string_view(anthropic).substr(0, middle));
    QCOMPARE(described(*reader), std::string("in 123 model m open"));
    reader->take(std::string_view(anthropic).substr(middle));
    QCOMPARE(described(*reader), std::string("in 123 out 456 model m complete"));
}

/// The last event of Responses repeats all that was made, images too.
void TestUsageCut::event_overTheLimit_isReadAsItComes()
{
    for (const std::size_t length : {std::size_t(16) << 10, std::size_t(3) << 20}) {
        const std::string body
            = "data: "
              "{\"type\":\"response.created\",\"response\":{\"model\":\"m\",\"usage\":null}}\n\n"
              "event: response.completed\ndata: "
              "{\"type\":\"response.completed\",\"response\":{\"output\":"
              "[{\"result\":\""
              + std::string(length, 'A')
              + "\"}],\"usage\":{\"input_tokens\":123,\"output_tokens\":456}}}\n\n";
        for (const std::size_t size : {std::size_t(7), std::size_t(4096), body.size()})
            QCOMPARE(readInPieces("openai", eventStream, body, 0, size),
                     std::string("in 123 out 456 model m complete"));
    }
}

void TestUsageCut::body_ofMegabytes_isReadHoweverItIsCut()
{
    std::string body = "{\"object\":\"list\",\"data\":[";
    for (int i = 0; i < 4000; ++i)
        body += "{\"embedding\":[0.0023064255,-0.009327292,-1e-05],\"text\":\"a\\\"b\\\\\",\"n\":"
                "null},";
    body.back() = ']';
    body += ",\"model\":\"m\",\"usage\":{\"prompt_tokens\":123,\"total_tokens\":123}}";
    for (const std::size_t size :
         {std::size_t(1), std::size_t(2), std::size_t(31), std::size_t(1000)})
        QCOMPARE(readInPieces("openai", jsonText, body, 0, size),
                 std::string("in 123 model m complete"));
}

void TestUsageCut::hostileAnswers_takeLinearTime_data()
{
    QTest::addColumn<QByteArray>("begin");
    QTest::addColumn<QByteArray>("unit");
    const auto row = [](const char *name, const char *begin, const char *unit) {
        QTest::newRow(name) << QByteArray(begin) << QByteArray(unit);
    };
    row("names without a value", "data: {", "\"usage\" ");
    row("names and white space", "data: ", "\"usage\"                                       ");
    row("usage in each event", "", "data: {\"usage\":{\"prompt_tokens\":1}}\n\n");
    row("usage again and again in one", "data: {\"a\":1", ",\"usage\":{\"prompt_tokens\":1}");
    row("lines", "", "data: \"usage\"\n");
    row("brackets", "data: {\"usage\":", "[");
}

void TestUsageCut::hostileAnswers_takeLinearTime()
{
    QFETCH(QByteArray, begin);
    QFETCH(QByteArray, unit);
    begin += unit.repeated((2 << 20) / unit.size());
    const std::string body = begin.toStdString();
    QElapsedTimer timer;
    timer.start();
    (void)readInPieces("openai", eventStream, body, 0, body.size());
    (void)readInPieces("openai", eventStream, body, 0, 16);
    QVERIFY(timer.elapsed() < 8000);
}

QTEST_GUILESS_MAIN(TestUsageCut)
#include "tst_usagecut.moc"
