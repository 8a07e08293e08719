// SPDX-License-Identifier: GPL-3.0-or-later
#include "gateway/pipeline/outputcap.h"
#include "gateway/pipeline/reservation.h"

#include <QTest>

#include <limits>

using namespace gatehouse;

class TestOutputCap : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    static void capOfRequests_data()
    {
        QTest::addColumn<QByteArray>("path");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<qint64>("total"); // -1: none
        QTest::addColumn<bool>("streams");
        const auto row
            = [](const char *name, const char *path, const char *body, qint64 total, bool streams) {
                  QTest::newRow(name) << QByteArray(path) << QByteArray(body) << total << streams;
              };
        row("chat", "/chat/completions", R"({"max_tokens":10})", 10, false);
        row("chat, both",
            "/chat/completions",
            R"({"max_tokens":10,"max_completion_tokens":20})",
            20,
            false);
        row("choices", "/chat/completions", R"({"max_tokens":10,"n":3,"stream":true})", 30, true);
        row("none", "/chat/completions", R"({"stream":false})", -1, false);
        row("responses", "/responses", R"({"max_output_tokens":7,"stream":true})", 7, true);
        row("messages", "/v1/messages", R"({"max_tokens":1024})", 1024, false);
        row("gemini",
            "/v1beta/models/x:generateContent",
            R"({"generationConfig":{"maxOutputTokens":5,"candidateCount":2}})",
            10,
            false);
        row("gemini stream", "/v1beta/models/x:streamGenerateContent", "{}", -1, true);
        row("ollama streams by itself", "/api/chat", R"({"options":{"num_predict":9}})", 9, true);
        row("ollama told not to", "/api/generate", R"({"stream":false})", -1, false);
        row("ollama without end", "/api/chat", R"({"options":{"num_predict":-1}})", -1, true);
        row("no number", "/chat/completions", R"({"max_tokens":"10"})", -1, false);
        row("a fraction", "/chat/completions", R"({"max_tokens":1.5})", -1, false);
        row("zero", "/chat/completions", R"({"max_tokens":0})", -1, false);
        row("null", "/chat/completions", R"({"max_tokens":null,"options":3})", -1, false);
        row("embeddings", "/embeddings", R"({"max_tokens":10})", 0, false);
        row("counting", "/v1beta/models/x:countTokens", "{}", 0, false);
        row("no object", "/chat/completions", "[]", -1, false);
        row("too much",
            "/chat/completions",
            R"({"max_tokens":9007199254740992,"n":1000})",
            qint64(1) << 53,
            false);
    }
    static void capOfRequests()
    {
        QFETCH(const QByteArray, path);
        QFETCH(const QByteArray, body);
        QFETCH(const qint64, total);
        QFETCH(const bool, streams);
        json::Document document;
        QVERIFY(document.parse(body.toStdString()));
        const OutputCap cap = outputCapOf(path.toStdString(), document.root());
        QCOMPARE(cap.total() ? qint64(*cap.total()) : qint64(-1), total);
        QCOMPARE(cap.streams, streams);
    }

    static void textBytes_leaveOutPictures()
    {
        const std::string text = R"({"messages":[{"content":"some words here"}]})";
        QCOMPARE(textBytesOf(text), std::uint64_t(text.size()));
        const std::string words = "{\"content\":\"" + std::string(9000, ' ') + "\"}";
        QCOMPARE(textBytesOf(words), std::uint64_t(words.size()));
        const std::string picture
            = "{\"url\":\"data:image/png;base64," + std::string(100'000, 'A') + "\"}";
        QCOMPARE(textBytesOf(picture), std::uint64_t(6000 + 10));
        QCOMPARE(textBytesOf("{\"a\":\"\\\"" + std::string(10, 'x')), std::uint64_t(18)); // no end
        QCOMPARE(textBytesOf("\"\\"), std::uint64_t(2));
        QCOMPARE(textBytesOf(""), std::uint64_t(0));
    }
};

QTEST_APPLESS_MAIN(TestOutputCap)
#include "tst_outputcap.moc"
